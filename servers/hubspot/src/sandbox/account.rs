//! The account itself, its token, what it has used; conversations and workflows.

use serde_json::{Value, json};

use super::{
    errors::{Answer, ApiError, Outcome},
    routes::Ctx,
};

pub(super) fn details(ctx: &mut Ctx<'_>, _: &[&str]) -> Outcome {
    let mut shown = ctx.state.account.clone();
    if let Some(members) = shown.as_object_mut() {
        // What steers the fake is no part of the answer.
        members.retain(|name, _| {
            !["searchLagMs", "usdRate", "autoAssociate", "rules", "blocked"].contains(&name.as_str())
        });
    }
    Ok(Answer::ok(shown))
}

/// What a static token may do. Service keys are not known here.
pub(super) fn token_info(ctx: &mut Ctx<'_>, _: &[&str]) -> Outcome {
    let wanted = ctx.body["tokenKey"].as_str().unwrap_or_default();
    let token =
        ctx.state.tokens.iter().find(|token| token["token"] == wanted && token["kind"] != "service_key");
    let token = token.ok_or_else(|| ApiError::invalid("The access token is not that of a private app"))?;
    Ok(Answer::ok(json!({
        "userId": token["userId"], "hubId": ctx.state.account["portalId"],
        "appId": token["appId"], "scopes": token["scopes"],
    })))
}

pub(super) fn usage(ctx: &mut Ctx<'_>, _: &[&str]) -> Outcome {
    let (used, limit, resets) = ctx.daily;
    Ok(Answer::ok(json!({"results": [{
        "name": "private-apps-api-calls-daily", "usageLimit": limit, "currentUsage": used,
        "collectedAt": ctx.now(), "fetchStatus": "SUCCESS", "resetsAt": connector::sandbox::VirtualClock::iso(resets),
    }]})))
}

pub(super) fn threads(ctx: &mut Ctx<'_>, _: &[&str]) -> Outcome {
    ctx.needs("conversations.read")?;
    let contact = ctx.query("associatedContactId");
    let rows = ctx
        .state
        .threads
        .iter()
        .filter(|thread| contact.is_none_or(|id| thread["associatedContactId"] == id));
    let mut rows: Vec<Value> = rows.map(bare).collect();
    let text = |row: &Value, member: &str| row[member].as_str().unwrap_or_default().to_owned();
    match ctx.query("sort").map(|sort| (sort.trim_start_matches('-'), sort.starts_with('-'))) {
        Some(("latestMessageTimestamp", descending)) => {
            // developers.hubspot.com, "Conversations": the sort needs a time from which on.
            let since = ctx.query("latestMessageTimestampAfter").ok_or_else(|| {
                ApiError::invalid("latestMessageTimestampAfter is required to sort by latestMessageTimestamp")
            })?;
            rows.retain(|row| text(row, "latestMessageTimestamp").as_str() >= since);
            rows.sort_by_key(|row| text(row, "latestMessageTimestamp"));
            if descending {
                rows.reverse();
            }
        }
        _ => rows.sort_by_key(|row| text(row, "id")),
    }
    Ok(paged(ctx, rows))
}

/// A page of rows, as `limit` and `after` ask for it.
fn paged(ctx: &Ctx<'_>, rows: Vec<Value>) -> Answer {
    let limit = ctx.number("limit").unwrap_or(100);
    let after: usize = ctx.query("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let more = after + limit < rows.len();
    let page: Vec<Value> = rows.into_iter().skip(after).take(limit).collect();
    let mut body = json!({"results": page});
    if more {
        body["paging"] = json!({"next": {"after": (after + limit).to_string()}});
    }
    Answer::ok(body)
}

fn bare(thread: &Value) -> Value {
    let mut thread = thread.clone();
    if let Some(members) = thread.as_object_mut() {
        members.shift_remove("messages");
    }
    thread
}

fn thread(ctx: &Ctx<'_>, id: &str) -> Outcome<usize> {
    let place = ctx.state.threads.iter().position(|thread| thread["id"] == id);
    place.ok_or_else(|| ApiError::not_found(format!("Thread {id} not found")))
}

pub(super) fn one_thread(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    ctx.needs("conversations.read")?;
    Ok(Answer::ok(bare(&ctx.state.threads[thread(ctx, path[0])?])))
}

fn message(row: &Value) -> Value {
    json!({
        "id": row["id"], "type": row["type"], "createdAt": row["createdAt"], "text": row["text"],
        "direction": row["direction"], "senders": [{"name": row["sender"]}], "archived": false,
    })
}

pub(super) fn messages(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    ctx.needs("conversations.read")?;
    let thread = &ctx.state.threads[thread(ctx, path[0])?];
    let rows = thread["messages"].as_array().into_iter().flatten().map(message).collect();
    Ok(paged(ctx, rows))
}

pub(super) fn send_message(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    ctx.needs("conversations.write")?;
    let place = thread(ctx, path[0])?;
    let (kind, text) = (ctx.body["type"].clone(), ctx.body["text"].clone());
    if !["MESSAGE", "COMMENT"].contains(&kind.as_str().unwrap_or_default())
        || text.as_str().is_none_or(str::is_empty)
    {
        return Err(ApiError::invalid("A message needs type and text"));
    }
    if kind == "MESSAGE" && (ctx.body["channelId"].is_null() || ctx.body["recipients"].is_null()) {
        return Err(ApiError::invalid(
            "A message to a customer needs channelId, channelAccountId and recipients",
        ));
    }
    let id = format!("m{}", ctx.state.new_id());
    let row = json!({
        "id": id, "type": kind, "text": text, "createdAt": ctx.now(), "direction": "OUTGOING", "sender": "Daniel Novák",
    });
    let answer = message(&row);
    if let Some(messages) = ctx.state.threads[place]["messages"].as_array_mut() {
        messages.push(row);
    }
    Ok(Answer::created(answer))
}

pub(super) fn flows(ctx: &mut Ctx<'_>, _: &[&str]) -> Outcome {
    ctx.needs("automation")?;
    let rows = ctx.state.flows.iter().map(|flow| {
        let mut flow = flow.clone();
        if let Some(members) = flow.as_object_mut() {
            members.shift_remove("actions");
        }
        flow
    });
    let rows = rows.collect();
    Ok(paged(ctx, rows))
}

pub(super) fn one_flow(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    ctx.needs("automation")?;
    let found = ctx.state.flows.iter().find(|flow| flow["id"] == path[0]).cloned();
    found.map(Answer::ok).ok_or_else(|| ApiError::not_found("resource not found"))
}
