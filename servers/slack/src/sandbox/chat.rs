//! Posting: messages, edits, deletions, scheduled posts, posts for one person's eyes.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    Site,
    dispatch::{Context, Method, Outcome, Refusal, SPECIAL, T3, T4, method},
    events, objects,
    state::{Row, State, flag, number, text},
};

const WRITE: &str = "chat:write";
/// The most characters of `markdown_text`.
const MARKDOWN: usize = 12_000;
/// Beyond this a text is truncated.
const TEXT: usize = 40_000;
/// The most blocks of a message.
const BLOCKS: usize = 50;
/// How far ahead a message can be scheduled, in seconds: 120 days.
const FAR: i64 = 120 * 86_400;
/// The most messages of one channel within five minutes.
const CROWD: usize = 30;

/// The methods.
pub(super) const METHODS: &[Method] = &[
    method("chat.postMessage", SPECIAL, WRITE, "channel", post),
    method("chat.update", T3, WRITE, "channel ts", update),
    method("chat.delete", T3, WRITE, "channel ts", delete),
    method("chat.postEphemeral", T4, WRITE, "channel user", |cx| {
        let channel = cx.writable("channel")?;
        content(cx)?;
        let user = cx.args.text("user");
        if !objects::members(&channel).contains(&user) {
            return Err(Refusal::new("user_not_in_channel"));
        }
        let ts = cx.state.new_ts(cx.now);
        let row = json!({ "channel": text(&channel, "id"), "user": user, "ts": ts, "text": cx.args.text_or("text", &cx.args.text("markdown_text")) });
        cx.state.add("ephemeral", &row);
        Ok(json!({ "message_ts": ts }))
    }),
    method("chat.scheduleMessage", T3, WRITE, "channel post_at", schedule),
    method("chat.scheduledMessages.list", T3, WRITE, "", |cx| {
        let (channel, oldest, latest) =
            (cx.args.text("channel"), cx.args.number("oldest"), cx.args.number("latest"));
        let mut all: Vec<Value> = cx.state.rows("scheduled").iter()
            .filter(|row| text(row, "_by") == cx.caller.user && (channel.is_empty() || text(row, "channel_id") == channel))
            .filter(|row| oldest.is_none_or(|at| post_at(row) >= at) && latest.is_none_or(|at| post_at(row) <= at))
            .map(|row| json!({
                "id": text(row, "id"), "channel_id": text(row, "channel_id"), "post_at": post_at(row),
                "date_created": row.get("date_created").cloned().unwrap_or(json!(1_700_000_000)), "text": text(row, "text"),
            }))
            .collect();
        all.sort_by_key(|row| row["post_at"].as_i64());
        let (page, metadata) = cx.page(all, 100, 100)?;
        Ok(json!({ "scheduled_messages": page, "response_metadata": metadata }))
    }),
    method("chat.deleteScheduledMessage", T3, WRITE, "channel scheduled_message_id", |cx| {
        let (id, now) =
            (cx.args.text("scheduled_message_id"), i64::try_from(cx.now.as_secs()).unwrap_or_default());
        let row = cx.state.get("scheduled", &id, "invalid_scheduled_message_id")?;
        // Too late within a minute of its time (docs.slack.dev/reference/methods/chat.deleteScheduledMessage).
        if text(row, "_by") != cx.caller.user || post_at(row) - now < 60 {
            return Err(Refusal::new("invalid_scheduled_message_id"));
        }
        cx.state.rows_mut("scheduled").retain(|row| text(row, "id") != id);
        Ok(Value::Null)
    }),
    method("blocks.validate", T3, "", "blocks", |cx| match cx.args.json("blocks") {
        Value::Array(_) => Ok(Value::Null),
        _ => Err(Refusal::new("invalid_blocks")),
    }),
];

fn post_at(row: &Row) -> i64 {
    row.get("post_at").and_then(Value::as_i64).unwrap_or_default()
}

/// What is to be shown: text, blocks and attachments, as the arguments give them.
fn content(cx: &Context<'_>) -> Outcome<Map<String, Value>> {
    let args = cx.args;
    let markdown = args.has("markdown_text");
    if markdown && (args.has("text") || args.has("blocks")) {
        return Err(Refusal::new("markdown_text_conflict"));
    }
    if !markdown && !args.has("text") && !args.has("blocks") && !args.has("attachments") {
        return Err(Refusal::new("no_text"));
    }
    let mut row = Map::new();
    if args.has("blocks") {
        let Value::Array(blocks) = args.json("blocks") else {
            return Err(Refusal::new("invalid_blocks_format"));
        };
        if blocks.len() > BLOCKS {
            return Err(Refusal::new("invalid_blocks"));
        }
        row.insert("blocks".to_owned(), json!(blocks));
    }
    if args.has("attachments") {
        row.insert("attachments".to_owned(), args.json("attachments"));
    }
    let written = if markdown { args.text("markdown_text") } else { args.text("text") };
    if markdown && written.chars().count() > MARKDOWN {
        return Err(Refusal::new("msg_too_long"));
    }
    let written: String = written.chars().take(TEXT).collect();
    if !row.contains_key("blocks") && !written.is_empty() {
        // Slack makes a rich text of its own of what came as plain text: shown with it, kept once.
        row.insert("_rich".to_owned(), json!(true));
    }
    row.insert("text".to_owned(), json!(written));
    Ok(row)
}

/// A rich text block that says `text`: its tokens (`<@U…>`, `<#C…>`, `<!here>`, links) as elements,
/// everything else as text with its entities decoded.
pub(super) fn rich_text(text: &str) -> Value {
    let mut elements = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let Some(close) = rest[open..].find('>') else { break };
        push_text(&mut elements, &rest[..open]);
        let token = &rest[open + 1..open + close];
        let (target, label) = token.split_once('|').unwrap_or((token, ""));
        elements.push(match target.split_at_checked(1).unwrap_or(("", "")) {
            ("@", user) => json!({ "type": "user", "user_id": user }),
            ("#", channel) => json!({ "type": "channel", "channel_id": channel }),
            ("!", special) => match special.strip_prefix("subteam^") {
                Some(group) => json!({ "type": "usergroup", "usergroup_id": group }),
                None => json!({ "type": "broadcast", "range": special }),
            },
            _ => json!({ "type": "link", "url": target.replace("&amp;", "&"), "text": label }),
        });
        rest = &rest[open + close + 1..];
    }
    push_text(&mut elements, rest);
    json!({ "type": "rich_text", "block_id": "b1", "elements": [{ "type": "rich_text_section", "elements": elements }] })
}

fn push_text(elements: &mut Vec<Value>, text: &str) {
    if !text.is_empty() {
        // `&amp;` last, so that nothing is decoded twice.
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        elements.push(json!({ "type": "text", "text": text }));
    }
}

/// Who a message of the caller's is from. Slack marks it as the app's, whoever the token is of
/// (github.com/anneschuth/claude-threads/issues/526).
fn author(cx: &Context<'_>, row: &mut Map<String, Value>) {
    row.insert("user".to_owned(), json!(cx.caller.user));
    let app = cx.state.rows("users").iter().find(|row| flag(row, "_app"));
    if let Some((bot, name)) = app.map(|row| (text(row, "_bot_id"), text(row, "real_name"))) {
        row.insert("bot_id".to_owned(), json!(bot));
        row.insert("app_id".to_owned(), json!("A0SANDBOX01"));
        row.insert(
            "bot_profile".to_owned(),
            json!({ "id": bot, "name": name, "app_id": "A0SANDBOX01", "team_id": cx.state.team_id() }),
        );
    }
}

/// Puts the thread into `row`, if the call names one.
fn thread(cx: &Context<'_>, channel: &Row, row: &mut Map<String, Value>) -> Outcome<()> {
    if !cx.args.has("thread_ts") {
        return Ok(());
    }
    let ts = cx.args.text("thread_ts");
    let Some(parent) = cx.state.message(text(channel, "id"), &ts) else {
        // Slack takes a timestamp that names nothing, and the message is in no thread that anybody sees.
        row.insert("thread_ts".to_owned(), json!(ts));
        return Ok(());
    };
    if flag(parent, "_locked") {
        return Err(Refusal::new("restricted_action_thread_locked"));
    }
    if text(parent, "subtype") == "tombstone" {
        return Err(Refusal::new("cannot_reply_to_message"));
    }
    row.insert("thread_ts".to_owned(), json!(ts));
    if cx.args.switch("reply_broadcast") {
        row.insert("subtype".to_owned(), json!("thread_broadcast"));
    }
    Ok(())
}

fn post(cx: &mut Context<'_>) -> Outcome<Value> {
    let mut argument = "channel";
    // A person's id means the conversation with them (docs.slack.dev/reference/methods/chat.postMessage).
    let direct = cx.state.rows("channels").iter().find(|row| {
        objects::kind(row) == "im" && {
            let mut members = objects::members(row);
            members.retain(|member| *member != cx.caller.user);
            members == [cx.args.text("channel")]
        }
    });
    let channel = match direct {
        Some(row) if cx.args.text("channel").starts_with(['U', 'W']) => {
            argument = "";
            row.clone()
        }
        _ => Row::new(),
    };
    let channel = if argument.is_empty() { channel } else { cx.writable(argument)? };
    let mut row = content(cx)?;
    author(cx, &mut row);
    thread(cx, &channel, &mut row)?;
    if cx.args.has("metadata") {
        let metadata = cx.args.json("metadata");
        if !metadata["event_type"].is_string() || !metadata["event_payload"].is_object() {
            return Err(Refusal::new("invalid_metadata_format"));
        }
        row.insert("metadata".to_owned(), metadata);
    }
    let ts = cx.state.new_ts(cx.now);
    row.insert("ts".to_owned(), json!(ts));
    row.insert("_channel".to_owned(), json!(text(&channel, "id")));
    let row = Value::Object(row);
    cx.state.add("messages", &row);
    let shown = cx
        .state
        .message(text(&channel, "id"), &ts)
        .map(|row| objects::message(cx.state, row))
        .unwrap_or_default();
    events::posted(cx.site, cx.state, &shown, text(&channel, "id"));
    Ok(json!({ "channel": text(&channel, "id"), "ts": ts, "message": shown }))
}

fn update(cx: &mut Context<'_>) -> Outcome<Value> {
    let channel = cx.channel("channel")?;
    let ts = cx.args.text("ts");
    let id = text(&channel, "id").to_owned();
    let row = cx.state.message(&id, &ts).ok_or_else(|| Refusal::new("message_not_found"))?;
    if text(row, "user") != cx.caller.user {
        return Err(Refusal::new("cant_update_message"));
    }
    if flag(row, "_too_old") {
        return Err(Refusal::new("edit_window_closed"));
    }
    let new = content(cx)?;
    let before = cx.state.message(&id, &ts).map(|row| objects::message(cx.state, row)).unwrap_or_default();
    let edited = json!({ "user": cx.caller.user, "ts": cx.state.new_ts(cx.now) });
    let changed = cx.state.message_mut(&id, &ts).ok_or_else(|| Refusal::new("message_not_found"))?;
    // Blocks that are not given again are gone.
    changed.shift_remove("blocks");
    changed.shift_remove("_rich");
    changed.extend(new);
    changed.insert("edited".to_owned(), edited);
    let said = text(changed, "text").to_owned();
    let shown = cx.state.message(&id, &ts).map(|row| objects::message(cx.state, row)).unwrap_or_default();
    events::overtaken(cx.site, cx.state, &id, Some(&shown), &before);
    Ok(json!({ "channel": id, "ts": ts, "text": said, "message": shown }))
}

fn delete(cx: &mut Context<'_>) -> Outcome<Value> {
    let channel = cx.channel("channel")?;
    let (id, ts) = (text(&channel, "id").to_owned(), cx.args.text("ts"));
    let row = cx.state.message(&id, &ts).ok_or_else(|| Refusal::new("message_not_found"))?;
    let admin = cx.state.find("users", &cx.caller.user).is_some_and(|user| flag(user, "is_admin"));
    if text(row, "user") != cx.caller.user && (cx.caller.is_bot() || !admin) {
        return Err(Refusal::new("cant_delete_message"));
    }
    let before = cx.state.message(&id, &ts).map(|row| objects::message(cx.state, row)).unwrap_or_default();
    let has_replies = cx.state.rows("messages").iter().any(|other| {
        text(other, "_channel") == id && text(other, "thread_ts") == ts && text(other, "ts") != ts
    });
    if has_replies {
        // The thread stays, under a stone.
        let stone = json!({ "ts": ts, "thread_ts": ts, "_channel": id, "user": "USLACKBOT", "subtype": "tombstone",
            "hidden": true, "text": "This message was deleted." });
        if let (Some(row), Some(stone)) = (cx.state.message_mut(&id, &ts), stone.as_object()) {
            *row = stone.clone();
        }
    } else {
        cx.state.rows_mut("messages").retain(|row| !(text(row, "_channel") == id && text(row, "ts") == ts));
    }
    events::overtaken(cx.site, cx.state, &id, None, &before);
    Ok(json!({ "channel": id, "ts": ts }))
}

fn schedule(cx: &mut Context<'_>) -> Outcome<Value> {
    let channel = cx.writable("channel")?;
    let now = i64::try_from(cx.now.as_secs()).unwrap_or_default();
    let at = cx.args.number("post_at").ok_or_else(|| Refusal::new("invalid_time"))?;
    if at <= now {
        return Err(Refusal::new("time_in_past"));
    }
    if at > now + FAR {
        return Err(Refusal::new("time_too_far"));
    }
    let near = cx
        .state
        .rows("scheduled")
        .iter()
        .filter(|row| text(row, "channel_id") == text(&channel, "id") && (post_at(row) - at).abs() < 300);
    if near.count() >= CROWD {
        return Err(Refusal::new("restricted_too_many"));
    }
    let mut row = content(cx)?;
    author(cx, &mut row);
    thread(cx, &channel, &mut row)?;
    let shown = objects::public(&row);
    let id = cx.state.new_id("Q");
    for (field, value) in [
        ("id", json!(id)),
        ("channel_id", json!(text(&channel, "id"))),
        ("post_at", json!(at)),
        ("date_created", json!(now)),
        ("_by", json!(cx.caller.user)),
        ("_metadata", json!(cx.args.has("metadata"))),
    ] {
        row.insert(field.to_owned(), value);
    }
    let row = Value::Object(row);
    cx.state.add("scheduled", &row);
    Ok(
        json!({ "channel": text(&channel, "id"), "scheduled_message_id": id, "post_at": at, "message": shown }),
    )
}

/// Posts what was scheduled for now or before. A message with metadata is never posted: Slack's own
/// page of chat.scheduleMessage says so.
pub(super) fn post_due(site: &Arc<Site>) {
    let now = site.now();
    let seconds = i64::try_from(now.as_secs()).unwrap_or_default();
    let mut state = site.state();
    let state: &mut State = &mut state;
    let rows = state.rows_mut("scheduled");
    let (due, later): (Vec<Row>, Vec<Row>) =
        std::mem::take(rows).into_iter().partition(|row| post_at(row) <= seconds);
    *rows = later;
    for mut row in due.into_iter().filter(|row| !flag(row, "_metadata")) {
        let ts =
            format!("{}.{:06}", post_at(&row), number(&state.new_ts(now)).unwrap_or_default() % 1_000_000);
        let channel = text(&row, "channel_id").to_owned();
        for field in ["id", "channel_id", "post_at", "date_created", "_by", "_metadata"] {
            row.shift_remove(field);
        }
        row.insert("ts".to_owned(), json!(ts));
        row.insert("_channel".to_owned(), json!(channel));
        let shown = objects::message(state, &row);
        state.rows_mut("messages").push(row);
        events::posted(site, state, &shown, &channel);
    }
    state.rows_mut("messages").sort_by_key(|row| number(text(row, "ts")));
}
