//! Conversations: listed, looked at, made, joined, changed.

use serde_json::{Value, json};

use super::{
    dispatch::{Context, Method, Outcome, Refusal, T2, T3, T4, method},
    events,
    objects::{self, is_member, kind, members},
    state::{Row, flag, text},
};

const ALL: &str = "channels:read groups:read im:read mpim:read";
const MANAGE: &str = "channels:manage channels:write groups:write im:write mpim:write";
const OPEN: &str = "im:write mpim:write channels:manage channels:write groups:write";

/// The methods.
pub(super) const METHODS: &[Method] = &[
    method("conversations.list", T2, ALL, "", |cx| list(cx, false)),
    method("users.conversations", T2, ALL, "", |cx| list(cx, true)),
    method("conversations.info", T3, ALL, "channel", info),
    method("conversations.members", T4, ALL, "channel", |cx| {
        let row = cx.channel("channel")?;
        let (page, metadata) = cx.page(members(&row), 100, 1000)?;
        Ok(json!({ "members": page, "response_metadata": metadata }))
    }),
    method("conversations.create", T2, MANAGE, "name", create),
    method("conversations.open", T3, OPEN, "", open),
    method("conversations.join", T3, "channels:join channels:write", "channel", join),
    method("conversations.leave", T3, MANAGE, "channel", |cx| {
        let row = cx.channel("channel")?;
        if flag(&row, "is_general") {
            return Err(Refusal::new("cant_leave_general"));
        }
        if !is_member(&row, cx.caller) {
            return Ok(json!({ "not_in_channel": true }));
        }
        let user = cx.caller.user.clone();
        cx.change_members(&row, |members| members.retain(|member| *member != user));
        Ok(Value::Null)
    }),
    method(
        "conversations.invite",
        T3,
        "channels:write.invites groups:write.invites channels:manage channels:write groups:write",
        "channel users",
        invite,
    ),
    method("conversations.kick", T3, MANAGE, "channel user", |cx| {
        let row = cx.channel("channel")?;
        let user = cx.args.text("user");
        if user == cx.caller.user {
            return Err(Refusal::new("cant_kick_self"));
        }
        if !members(&row).contains(&user) {
            return Err(Refusal::new("not_in_channel"));
        }
        cx.change_members(&row, |members| members.retain(|member| *member != user));
        Ok(json!({ "errors": {} }))
    }),
    method("conversations.mark", T3, MANAGE, "channel ts", |cx| {
        let row = cx.channel("channel")?;
        let ts = cx.ts("ts").map_err(|_| Refusal::new("invalid_timestamp"))?;
        if !is_member(&row, cx.caller) {
            return Err(Refusal::new("not_in_channel"));
        }
        cx.change(&row, "last_read", json!(ts));
        Ok(Value::Null)
    }),
    method("conversations.archive", T2, MANAGE, "channel", |cx| archive(cx, true)),
    method("conversations.unarchive", T2, MANAGE, "channel", |cx| archive(cx, false)),
    method("conversations.rename", T2, MANAGE, "channel name", |cx| {
        let row = cx.channel("channel")?;
        let name = good_name(cx, &cx.args.text("name"))?;
        cx.change(&row, "name", json!(name));
        Ok(json!({ "channel": cx.show(text(&row, "id")) }))
    }),
    method("conversations.setTopic", T2, MANAGE, "channel", |cx| set_text(cx, "topic")),
    method("conversations.setPurpose", T2, MANAGE, "channel", |cx| set_text(cx, "purpose")),
];

fn list(cx: &mut Context<'_>, own: bool) -> Outcome<Value> {
    let types = cx.args.list("types");
    let types = if types.is_empty() { vec!["public_channel".to_owned()] } else { types };
    for wanted in &types {
        if !["public_channel", "private_channel", "mpim", "im"].contains(&wanted.as_str()) {
            return Err(Refusal::new("invalid_types"));
        }
    }
    let muted = cx.args.switch("exclude_muted");
    let user = cx.args.text_or("user", &cx.caller.user);
    let all: Vec<Row> = cx
        .state
        .rows("channels")
        .iter()
        .filter(|row| types.iter().any(|wanted| wanted == kind(row)))
        .filter(|row| objects::is_visible(row, cx.caller))
        .filter(|row| {
            // Direct messages are of no one workspace.
            let direct = matches!(kind(row), "im" | "mpim");
            !cx.caller.org || direct || objects::teams(cx.state, row).contains(&cx.args.text("team_id"))
        })
        .filter(|row| !own || members(row).contains(&user))
        .filter(|row| !(muted && flag(row, "_muted")))
        .cloned()
        .collect();
    // The page is cut first and filtered afterwards, so a short page is not the last one
    // (docs.slack.dev/apis/web-api/pagination).
    let (page, metadata) = cx.page(all, 100, 1000)?;
    let archived = cx.args.switch("exclude_archived");
    let shown: Vec<Value> = page
        .iter()
        .filter(|row| !(archived && flag(row, "is_archived")))
        .map(|row| {
            let mut shown = objects::channel(cx.state, row, cx.caller);
            if let Some(shown) = shown.as_object_mut() {
                let left_out: &[&str] = if own { &["is_member", "num_members"] } else { &["last_read"] };
                left_out.iter().for_each(|field| _ = shown.shift_remove(*field));
            }
            shown
        })
        .collect();
    Ok(json!({ "channels": shown, "response_metadata": metadata }))
}

fn info(cx: &mut Context<'_>) -> Outcome<Value> {
    let row = cx.channel("channel")?;
    let mut shown = objects::channel(cx.state, &row, cx.caller);
    if let Some(shown) = shown.as_object_mut() {
        if !cx.args.switch("include_num_members") {
            shown.shift_remove("num_members");
        }
        if kind(&row) == "im" {
            let read = text(&row, "last_read").to_owned();
            let unread = cx.state.rows("messages").iter().filter(|message| {
                text(message, "_channel") == text(&row, "id") && text(message, "ts") > read.as_str()
            });
            let unread = unread.count();
            // With the last message whole (docs.slack.dev/reference/methods/conversations.info, a direct message).
            let last = cx.state.rows("messages").iter().rfind(|message| {
                text(message, "_channel") == text(&row, "id")
                    && (text(message, "thread_ts").is_empty()
                        || text(message, "thread_ts") == text(message, "ts"))
            });
            if let Some(last) = last {
                shown.insert("latest".to_owned(), objects::message(cx.state, last));
            }
            shown.insert("unread_count".to_owned(), json!(unread));
            shown.insert("unread_count_display".to_owned(), json!(unread));
        }
    }
    Ok(json!({ "channel": shown }))
}

fn good_name(cx: &Context<'_>, name: &str) -> Outcome<String> {
    if name.chars().count() > 80 {
        return Err(Refusal::new("invalid_name_maxlength"));
    }
    if name.is_empty() {
        return Err(Refusal::new("invalid_name_required"));
    }
    if !name.chars().all(|c| c.is_alphanumeric() && !c.is_uppercase() || c == '-' || c == '_') {
        return Err(Refusal::new("invalid_name_specials"));
    }
    if cx.state.rows("channels").iter().any(|row| text(row, "name") == name) {
        return Err(Refusal::new("name_taken"));
    }
    Ok(name.to_owned())
}

fn create(cx: &mut Context<'_>) -> Outcome<Value> {
    let name = good_name(cx, &cx.args.text("name"))?;
    let id = cx.state.new_id("C");
    let row = json!({
        "id": id, "name": name, "is_private": cx.args.switch("is_private"), "creator": cx.caller.user,
        "created": cx.now.as_secs(), "topic": "", "purpose": "", "_members": [cx.caller.user], "last_read": "0000000000.000000",
    });
    cx.state.add("channels", &row);
    Ok(json!({ "channel": cx.show(&id) }))
}

fn open(cx: &mut Context<'_>) -> Outcome<Value> {
    if cx.args.has("channel") {
        let row = cx.channel("channel")?;
        return Ok(json!({ "channel": cx.show(text(&row, "id")), "no_op": true, "already_open": true }));
    }
    let mut users = cx.args.list("users");
    if users.is_empty() {
        return Err(Refusal::new("users_list_not_supplied"));
    }
    if users.len() > 8 {
        return Err(Refusal::new("too_many_users"));
    }
    for user in &users {
        let row = cx.state.get("users", user, "user_not_found")?;
        if flag(row, "deleted") {
            return Err(Refusal::new("user_disabled"));
        }
    }
    users.push(cx.caller.user.clone());
    users.sort();
    users.dedup();
    let same = |row: &&Row| {
        let mut members = members(row);
        members.sort();
        matches!(kind(row), "im" | "mpim") && members == users
    };
    let known = cx.state.rows("channels").iter().find(same).map(|row| text(row, "id").to_owned());
    let (id, already) = match known {
        Some(id) => (id, true),
        None if cx.args.switch("prevent_creation") => return Err(Refusal::new("channel_not_found")),
        None => {
            let im = users.len() <= 2;
            let id = cx.state.new_id(if im { "D" } else { "G" });
            let name = if im { String::new() } else { format!("mpdm-{}", users.join("--").to_lowercase()) };
            let row = json!({
                "id": id, "name": name, "is_im": im, "is_mpim": !im, "is_private": !im, "created": cx.now.as_secs(),
                "_members": users, "last_read": "0000000000.000000", "is_open": true,
            });
            cx.state.add("channels", &row);
            (id, false)
        }
    };
    let channel = if cx.args.switch("return_im") { cx.show(&id) } else { json!({ "id": id }) };
    Ok(json!({ "channel": channel, "already_open": already, "no_op": already }))
}

fn join(cx: &mut Context<'_>) -> Outcome<Value> {
    let row = cx.channel("channel")?;
    if kind(&row) != "public_channel" {
        return Err(Refusal::new("method_not_supported_for_channel_type"));
    }
    if flag(&row, "is_archived") {
        return Err(Refusal::new("is_archived"));
    }
    let id = text(&row, "id").to_owned();
    if is_member(&row, cx.caller) {
        return Ok(json!({
            "channel": cx.show(&id), "warning": "already_in_channel",
            "response_metadata": { "warnings": ["already_in_channel"] },
        }));
    }
    let user = cx.caller.user.clone();
    cx.change_members(&row, |members| members.push(user));
    Ok(json!({ "channel": cx.show(&id) }))
}

fn invite(cx: &mut Context<'_>) -> Outcome<Value> {
    let row = cx.channel("channel")?;
    if !is_member(&row, cx.caller) {
        return Err(Refusal::new("not_in_channel"));
    }
    let users = cx.args.list("users");
    for user in &users {
        cx.state.get("users", user, "user_not_found")?;
        if members(&row).contains(user) {
            return Err(Refusal::new("already_in_channel"));
        }
    }
    cx.change_members(&row, |members| members.extend(users));
    Ok(json!({ "channel": cx.show(text(&row, "id")) }))
}

fn archive(cx: &mut Context<'_>, archive: bool) -> Outcome<Value> {
    let row = cx.channel("channel")?;
    if flag(&row, "is_general") {
        return Err(Refusal::new("cant_archive_general"));
    }
    if flag(&row, "is_archived") == archive {
        return Err(Refusal::new(if archive { "already_archived" } else { "not_archived" }));
    }
    cx.change(&row, "is_archived", json!(archive));
    Ok(Value::Null)
}

fn set_text(cx: &mut Context<'_>, field: &'static str) -> Outcome<Value> {
    let row = cx.channel("channel")?;
    if !is_member(&row, cx.caller) {
        return Err(Refusal::new("not_in_channel"));
    }
    let value = cx.args.text(field);
    if value.chars().count() > 250 {
        return Err(Refusal::new("too_long"));
    }
    cx.change(&row, field, json!(value));
    Ok(json!({ "channel": cx.show(text(&row, "id")) }))
}

impl Context<'_> {
    /// Sets a field of a conversation.
    fn change(&mut self, row: &Row, field: &str, value: Value) {
        if let Some(row) = self.state.find_mut("channels", text(row, "id")) {
            row.insert(field.to_owned(), value);
        }
    }

    fn change_members(&mut self, row: &Row, change: impl FnOnce(&mut Vec<String>)) {
        let before = members(row);
        let mut members = before.clone();
        change(&mut members);
        self.change(row, "_members", json!(members));
        let joined =
            members.iter().filter(|user| !before.contains(user)).map(|user| ("member_joined_channel", user));
        let left =
            before.iter().filter(|user| !members.contains(user)).map(|user| ("member_left_channel", user));
        for (kind, user) in joined.chain(left) {
            let channel_type = if flag(row, "is_private") { "G" } else { "C" };
            let event = json!({ "type": kind, "user": user, "channel": text(row, "id"), "channel_type": channel_type,
                "team": self.state.team_id() });
            events::tell(self.site, self.state, event);
        }
    }

    /// A conversation as the caller sees it in the answer to a change.
    fn show(&self, id: &str) -> Value {
        let row = self.state.find("channels", id);
        let mut shown = row.map(|row| objects::channel(self.state, row, self.caller)).unwrap_or_default();
        if let Some(shown) = shown.as_object_mut() {
            shown.shift_remove("num_members");
        }
        shown
    }
}
