//! Lists, which HubSpot also calls segments.

use serde_json::{Value, json};

use super::{
    associations::ids,
    errors::{Answer, ApiError, Outcome},
    routes::Ctx,
};

fn read(ctx: &Ctx<'_>) -> Outcome<()> {
    ctx.needs("crm.lists.read")
}

fn bare(list: &Value) -> Value {
    let mut list = list.clone();
    if let Some(members) = list.as_object_mut() {
        let size = members.shift_remove("members").and_then(|all| all.as_array().map(Vec::len)).unwrap_or(0);
        members.insert("size".to_owned(), json!(size));
        members.shift_remove("filterBranch");
    }
    list
}

/// In a search, the size is among the additional properties, as text.
fn found(list: &Value) -> Value {
    let mut list = bare(list);
    let size = list.as_object_mut().and_then(|members| members.shift_remove("size")).unwrap_or_default();
    list["additionalProperties"] = json!({"hs_list_size": size.to_string()});
    list
}

pub(super) fn search(ctx: &mut Ctx<'_>, _: &[&str]) -> Outcome {
    read(ctx)?;
    let body = &ctx.body;
    let query = body["query"].as_str().unwrap_or_default().to_lowercase();
    let count = body["count"].as_u64().unwrap_or(20).min(500) as usize;
    let offset = body["offset"].as_u64().unwrap_or(0) as usize;
    let kinds = super::objects::texts(&body["processingTypes"]);
    let wanted = ids(&body["listIds"]);
    let fits = |list: &&Value| {
        let text = |member: &str| list[member].as_str().unwrap_or_default();
        text("name").to_lowercase().contains(&query)
            && body["objectTypeId"].as_str().is_none_or(|id| text("objectTypeId") == id)
            && (kinds.is_empty() || kinds.iter().any(|kind| kind == text("processingType")))
            && (wanted.is_empty() || wanted.iter().any(|id| id == text("listId")))
    };
    let rows: Vec<Value> = ctx.state.lists.iter().filter(fits).map(found).collect();
    let end = (offset + count).min(rows.len());
    Ok(Answer::ok(json!({
        "lists": rows.get(offset..end).unwrap_or_default(),
        "offset": end, "hasMore": end < rows.len(), "total": rows.len(),
    })))
}

fn place(ctx: &Ctx<'_>, id: &str) -> Outcome<usize> {
    let place = ctx.state.lists.iter().position(|list| list["listId"] == id);
    place.ok_or_else(|| ApiError::not_found(format!("List does not exist with ID {id}.")))
}

pub(super) fn get(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    read(ctx)?;
    let list = &ctx.state.lists[place(ctx, path[0])?];
    let mut shown = bare(list);
    if ctx.query("includeFilters") == Some("true") && !list["filterBranch"].is_null() {
        shown["filterBranch"] = list["filterBranch"].clone();
    }
    Ok(Answer::ok(json!({"list": shown})))
}

pub(super) fn members(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    read(ctx)?;
    let list = &ctx.state.lists[place(ctx, path[0])?];
    let limit = ctx.number("limit").unwrap_or(100).min(250);
    let after: usize = ctx.query("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let all = ids(&list["members"]);
    let rows: Vec<Value> = all
        .iter()
        .skip(after)
        .take(limit)
        .map(|id| json!({"recordId": id, "membershipTimestamp": list["updatedAt"]}))
        .collect();
    let mut body = json!({"results": rows, "total": all.len()});
    if after + limit < all.len() {
        body["paging"] = json!({"next": {"after": (after + limit).to_string()}});
    }
    Ok(Answer::ok(body))
}

pub(super) fn of_record(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    read(ctx)?;
    let kind = ctx.kind(path[0])?;
    let on = |list: &&Value| {
        list["objectTypeId"] == kind.id.as_str() && ids(&list["members"]).iter().any(|id| id == path[1])
    };
    let rows: Vec<Value> = ctx
        .state
        .lists
        .iter()
        .filter(on)
        .map(|list| {
            json!({
                "listId": list["listId"], "listVersion": list["listVersion"],
                "firstAddedTimestamp": list["createdAt"], "lastAddedTimestamp": list["updatedAt"],
            })
        })
        .collect();
    Ok(Answer::ok(json!({"results": rows, "total": rows.len()})))
}

pub(super) fn change(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    // Membership writes need both scopes (the published OpenAPI of lists).
    for scope in ["crm.lists.write", "crm.lists.read"] {
        ctx.needs(scope)?;
    }
    let place = place(ctx, path[0])?;
    let list = ctx.state.lists[place].clone();
    if list["processingType"] == "DYNAMIC" {
        return Err(ApiError::invalid("Members of a DYNAMIC list cannot be changed by hand."));
    }
    let (add, remove) = (ids(&ctx.body["recordIdsToAdd"]), ids(&ctx.body["recordIdsToRemove"]));
    let kind = list["objectTypeId"].as_str().unwrap_or_default().to_owned();
    let exists = |id: &String| id.parse().is_ok_and(|id| ctx.state.find(&kind, id).is_some());
    let (there, missing): (Vec<String>, Vec<String>) = add.into_iter().partition(exists);
    let mut members = ids(&list["members"]);
    let removed: Vec<String> = remove.into_iter().filter(|id| members.contains(id)).collect();
    members.retain(|id| !removed.contains(id));
    let added: Vec<String> = there.into_iter().filter(|id| !members.contains(id)).collect();
    members.extend(added.iter().cloned());
    ctx.state.lists[place]["members"] = json!(members);
    // The first member's name is the vendor's own.
    Ok(Answer::ok(
        json!({"recordsIdsAdded": added, "recordIdsRemoved": removed, "recordIdsMissing": missing}),
    ))
}
