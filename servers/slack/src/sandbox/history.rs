//! What was said: history and replies, reactions, pins, bookmarks.

use serde_json::{Value, json};

use super::{
    dispatch::{Context, Method, Outcome, Refusal, SPECIAL, T2, T3, method},
    events, objects,
    state::{Row, flag, number, text, texts},
};

const HISTORY: &str = "channels:history groups:history im:history mpim:history";
/// The most that an application outside the Marketplace gets at once.
const UNLISTED: usize = 15;
/// The most reactions with different emoji that a message can have.
const MOST_EMOJI: usize = 23;

/// The methods.
pub(super) const METHODS: &[Method] = &[
    method("conversations.history", T3, HISTORY, "channel", history),
    method("conversations.replies", T3, HISTORY, "channel ts", replies),
    method("chat.getPermalink", SPECIAL, "", "channel message_ts", |cx| {
        let channel = cx.channel("channel")?;
        let ts = cx.args.text("message_ts");
        let row =
            cx.state.message(text(&channel, "id"), &ts).ok_or_else(|| Refusal::new("message_not_found"))?;
        Ok(json!({ "channel": text(&channel, "id"), "permalink": permalink(cx, row) }))
    }),
    method("reactions.add", T3, "reactions:write", "channel timestamp name", |cx| react(cx, true)),
    method("reactions.remove", T2, "reactions:write", "name channel timestamp", |cx| react(cx, false)),
    method("reactions.get", T3, "reactions:read", "channel timestamp", |cx| {
        let channel = cx.readable("channel")?;
        let ts = cx.args.text("timestamp");
        let row =
            cx.state.message(text(&channel, "id"), &ts).ok_or_else(|| Refusal::new("message_not_found"))?;
        let mut message = objects::message(cx.state, row);
        if !cx.args.switch("full") {
            some_reacting(&mut message);
        }
        Ok(json!({ "type": "message", "channel": text(&channel, "id"), "message": message }))
    }),
    method("reactions.list", T2, "reactions:read", "", |cx| {
        let user = cx.args.text_or("user", &cx.caller.user);
        let all: Vec<Value> = cx.state.rows("messages").iter().filter(|row| reacted(row, &user))
            .map(|row| json!({ "type": "message", "channel": text(row, "_channel"), "message": objects::message(cx.state, row) }))
            .collect();
        let (items, metadata) = cx.page(all, 100, 1000)?;
        Ok(json!({ "items": items, "response_metadata": metadata }))
    }),
    method("pins.add", T2, "pins:write", "channel timestamp", |cx| pin(cx, true)),
    method("pins.remove", T2, "pins:write", "channel timestamp", |cx| pin(cx, false)),
    method("pins.list", T2, "pins:read", "channel", |cx| {
        let channel = cx.channel("channel")?;
        let items: Vec<Value> = cx
            .state
            .rows("messages")
            .iter()
            .filter(|row| text(row, "_channel") == text(&channel, "id") && row.contains_key("pinned_to"))
            .map(|row| {
                json!({ "type": "message", "channel": text(&channel, "id"), "created": 1_700_000_000,
                "created_by": cx.caller.user, "message": objects::message(cx.state, row) })
            })
            .collect();
        Ok(json!({ "items": items }))
    }),
    method("bookmarks.list", T3, "bookmarks:read", "channel_id", |cx| {
        let channel = cx.channel("channel_id")?;
        let all: Vec<Row> = cx
            .state
            .rows("bookmarks")
            .iter()
            .filter(|row| text(row, "channel_id") == text(&channel, "id"))
            .cloned()
            .collect();
        Ok(json!({ "bookmarks": all }))
    }),
    method("bookmarks.add", T2, "bookmarks:write", "channel_id title type", |cx| {
        let channel = cx.channel("channel_id")?;
        let id = cx.state.new_id("Bk");
        let row = json!({
            "id": id, "channel_id": text(&channel, "id"), "title": cx.args.text("title"), "link": cx.args.text("link"),
            "emoji": cx.args.text("emoji"), "type": cx.args.text("type"), "date_created": cx.now.as_secs(), "date_updated": 0,
            "rank": "i", "last_updated_by_user_id": cx.caller.user, "last_updated_by_team_id": cx.state.team_id(),
        });
        cx.state.add("bookmarks", &row);
        Ok(json!({ "bookmark": row }))
    }),
    method("bookmarks.edit", T2, "bookmarks:write", "channel_id bookmark_id", |cx| {
        let changes: Vec<(&str, String)> = ["title", "link", "emoji"]
            .into_iter()
            .filter(|field| cx.args.has(field))
            .map(|field| (field, cx.args.text(field)))
            .collect();
        let id = cx.args.text("bookmark_id");
        let row = cx.state.find_mut("bookmarks", &id).ok_or_else(|| Refusal::new("not_found"))?;
        for (field, value) in changes {
            row.insert(field.to_owned(), json!(value));
        }
        Ok(json!({ "bookmark": row }))
    }),
    method("bookmarks.remove", T2, "bookmarks:write", "channel_id bookmark_id", |cx| {
        let id = cx.args.text("bookmark_id");
        cx.state.get("bookmarks", &id, "not_found")?;
        cx.state.rows_mut("bookmarks").retain(|row| text(row, "id") != id);
        Ok(Value::Null)
    }),
];

/// The address of a message.
pub(super) fn permalink(cx: &Context<'_>, row: &Row) -> String {
    let team = cx.state.team();
    let (channel, ts, thread) = (text(row, "_channel"), text(row, "ts"), text(row, "thread_ts"));
    let mut link = format!("{}archives/{channel}/p{}", text(&team, "url"), ts.replace('.', ""));
    if !thread.is_empty() && thread != ts {
        link.push_str(&format!("?thread_ts={thread}&cid={channel}"));
    }
    link
}

/// The messages of the time window that the arguments name, oldest first.
fn window<'a>(cx: &Context<'_>, rows: impl Iterator<Item = &'a Row>) -> Vec<&'a Row> {
    let bound = |name: &str| number(&cx.args.text(name)).filter(|_| cx.args.has(name));
    let (oldest, latest) = (bound("oldest"), bound("latest"));
    let inclusive = cx.args.switch("inclusive");
    rows.filter(|row| {
        let ts = number(text(row, "ts")).unwrap_or_default();
        let after = oldest.is_none_or(|oldest| ts > oldest || (inclusive && ts == oldest));
        let before = latest.is_none_or(|latest| ts < latest || (inclusive && ts == latest));
        after && before
    })
    .collect()
}

fn history(cx: &mut Context<'_>) -> Outcome<Value> {
    let channel = cx.readable("channel")?;
    let id = text(&channel, "id");
    let rows = cx.state.rows("messages").iter().filter(|row| {
        let thread = text(row, "thread_ts");
        let reply = !thread.is_empty() && thread != text(row, "ts");
        // Replies are not in the channel, unless they were sent there too.
        text(row, "_channel") == id && (!reply || text(row, "subtype") == "thread_broadcast")
    });
    let mut rows: Vec<Row> = window(cx, rows).into_iter().cloned().collect();
    let forward = cx.args.has("oldest") && !cx.args.has("latest");
    let most = if cx.caller.unlisted { UNLISTED } else { 999 };
    let limit = usize::try_from(cx.args.number("limit").unwrap_or(100)).unwrap_or(100).clamp(1, most);
    let before = cx.args.text("cursor");
    // The cursor is the timestamp before which, or after which, it goes on.
    let mark = (!before.is_empty()).then(|| open(&before)).transpose()?;
    if forward {
        // With only `oldest`, the page is the one closest to it.
        if let Some(mark) = &mark {
            rows.retain(|row| text(row, "ts") > mark.as_str());
        }
    } else {
        if let Some(mark) = &mark {
            rows.retain(|row| text(row, "ts") < mark.as_str());
        }
        rows.reverse();
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next =
        if more { rows.last().map(|row| seal(text(row, "ts"))).unwrap_or_default() } else { String::new() };
    if forward {
        rows.reverse();
    }
    let pins = cx
        .state
        .rows("messages")
        .iter()
        .filter(|row| text(row, "_channel") == id && row.contains_key("pinned_to"));
    let mut answer = json!({
        "messages": rows.iter().map(|row| shown(cx, row)).collect::<Vec<_>>(), "has_more": more,
        "pin_count": pins.count(), "channel_actions_ts": null, "channel_actions_count": 0,
    });
    if more {
        answer["response_metadata"] = json!({ "next_cursor": next });
    }
    Ok(answer)
}

/// The most people of a reaction that are named. Slack names no number: "the users array might not always contain
/// all users that have reacted" (docs.slack.dev/reference/methods/reactions.get).
const NAMED: usize = 3;

/// Names some of many who reacted.
fn some_reacting(message: &mut Value) {
    let reactions = message.get_mut("reactions").and_then(Value::as_array_mut);
    for reaction in reactions.into_iter().flatten() {
        if let Some(users) = reaction["users"].as_array_mut() {
            users.truncate(NAMED);
        }
    }
}

/// A message, with its metadata only for who asks for it.
fn shown(cx: &Context<'_>, row: &Row) -> Value {
    let mut message = objects::message(cx.state, row);
    some_reacting(&mut message);
    if !cx.args.switch("include_all_metadata")
        && let Some(message) = message.as_object_mut()
    {
        message.shift_remove("metadata");
    }
    message
}

fn replies(cx: &mut Context<'_>) -> Outcome<Value> {
    let channel = cx.readable("channel")?;
    let id = text(&channel, "id");
    let ts = cx.args.text("ts");
    let asked = cx.state.message(id, &ts).ok_or_else(|| Refusal::new("thread_not_found"))?;
    let thread = text(asked, "thread_ts");
    if !thread.is_empty() && thread != ts {
        // A reply's timestamp gives that reply alone, which has no second page.
        if cx.args.has("cursor") {
            return Err(Refusal::new("invalid_cursor"));
        }
        return Ok(json!({ "messages": [shown(cx, asked)], "has_more": false }));
    }
    let rows =
        cx.state.rows("messages").iter().filter(|row| {
            text(row, "_channel") == id && (text(row, "ts") == ts || text(row, "thread_ts") == ts)
        });
    let rows: Vec<Row> = rows.cloned().collect();
    let parent = rows.iter().find(|row| text(row, "ts") == ts).cloned();
    let inner: Vec<Row> =
        window(cx, rows.iter().filter(|row| text(row, "ts") != ts)).into_iter().cloned().collect();
    let all: Vec<Row> = parent.into_iter().chain(inner).collect();
    let most = if cx.caller.unlisted { UNLISTED } else { 1000 };
    let total = all.len();
    let (page, metadata) = cx.page(all, most, most)?;
    let more = metadata["next_cursor"] != json!("");
    let shown: Vec<Value> = page.iter().map(|row| shown(cx, row)).collect();
    let mut answer = json!({ "messages": shown, "has_more": more && total > 0 });
    if more {
        answer["response_metadata"] = metadata;
    }
    Ok(answer)
}

fn seal(ts: &str) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(format!("next_ts:{ts}"))
}

fn open(cursor: &str) -> Outcome<String> {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let bytes = BASE64_STANDARD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    bytes
        .and_then(|text| text.strip_prefix("next_ts:").map(str::to_owned))
        .ok_or_else(|| Refusal::new("invalid_cursor"))
}

fn reacted(row: &Row, user: &str) -> bool {
    let reactions = row.get("reactions").and_then(Value::as_array).into_iter().flatten();
    reactions
        .filter_map(Value::as_object)
        .any(|reaction| texts(reaction, "users").iter().any(|one| one == user))
}

fn react(cx: &mut Context<'_>, add: bool) -> Outcome<Value> {
    let channel = cx.readable("channel")?;
    let ts = cx.args.text("timestamp");
    let (name, user) = (cx.args.text("name"), cx.caller.user.clone());
    let base = name.split("::").next().unwrap_or_default();
    let tone = name.strip_prefix(base).unwrap_or_default();
    let known =
        STANDARD.contains(&base) || cx.state.rows("emoji").iter().any(|row| text(row, "name") == base);
    let toned = tone.is_empty() || (2..=6).any(|tone_number| tone == format!("::skin-tone-{tone_number}"));
    if !known || !toned {
        return Err(Refusal::new("invalid_name"));
    }
    let row =
        cx.state.message_mut(text(&channel, "id"), &ts).ok_or_else(|| Refusal::new("message_not_found"))?;
    if flag(row, "_locked") {
        return Err(Refusal::new("thread_locked"));
    }
    let reactions = row.entry("reactions").or_insert_with(|| json!([]));
    let Some(reactions) = reactions.as_array_mut() else { return Err(Refusal::new("not_reactable")) };
    let place = reactions.iter().position(|reaction| reaction["name"] == json!(name));
    match (place, add) {
        (None, true) if reactions.len() >= MOST_EMOJI => return Err(Refusal::new("too_many_emoji")),
        (None, true) => reactions.push(json!({ "name": name, "users": [user], "count": 1 })),
        (None, false) => return Err(Refusal::new("no_reaction")),
        (Some(place), add) => {
            let mut users =
                reactions[place].as_object().map(|reaction| texts(reaction, "users")).unwrap_or_default();
            match (users.contains(&user), add) {
                (true, true) => return Err(Refusal::new("already_reacted")),
                (false, false) => return Err(Refusal::new("no_reaction")),
                (false, true) => users.push(user),
                (true, false) => users.retain(|one| *one != user),
            }
            if users.is_empty() {
                reactions.remove(place);
            } else {
                reactions[place]["count"] = json!(users.len());
                reactions[place]["users"] = json!(users);
            }
        }
    }
    let of = cx.state.message(text(&channel, "id"), &ts).map(|row| text(row, "user").to_owned());
    let event = json!({
        "type": if add { "reaction_added" } else { "reaction_removed" }, "user": cx.caller.user, "reaction": name,
        "item_user": of, "item": { "type": "message", "channel": text(&channel, "id"), "ts": ts },
    });
    events::tell(cx.site, cx.state, event);
    Ok(Value::Null)
}

fn pin(cx: &mut Context<'_>, add: bool) -> Outcome<Value> {
    let channel = cx.channel("channel")?;
    let id = text(&channel, "id");
    let row = cx
        .state
        .message_mut(id, &cx.args.text("timestamp"))
        .ok_or_else(|| Refusal::new("message_not_found"))?;
    match (row.contains_key("pinned_to"), add) {
        (true, true) => return Err(Refusal::new("already_pinned")),
        (false, false) => return Err(Refusal::new("no_pin")),
        (false, true) => _ = row.insert("pinned_to".to_owned(), json!([id])),
        (true, false) => _ = row.shift_remove("pinned_to"),
    }
    Ok(Value::Null)
}

/// Standard emoji that the fake knows: a small part of Slack's own.
const STANDARD: &[&str] = &[
    "+1",
    "-1",
    "eyes",
    "white_check_mark",
    "heavy_check_mark",
    "tada",
    "rocket",
    "wave",
    "pray",
    "raised_hands",
    "fire",
    "bug",
    "thinking_face",
    "heart",
    "joy",
    "x",
    "warning",
    "hourglass",
    "question",
    "memo",
    "pushpin",
    "ok_hand",
    "clap",
    "100",
    "rotating_light",
    "ship",
    "robot_face",
    "grinning",
    "sob",
    "muscle",
    "point_up",
    "bulb",
    "sparkles",
    "heavy_plus_sign",
    "fox_face",
    "shrug",
];
