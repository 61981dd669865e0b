//! What is shown of rows: without what is the fake's own, and as the caller may see it.

use serde_json::{Value, json};

use super::{
    auth::Caller,
    dispatch::{Context, Outcome, Refusal},
    state::{Row, State, flag, number, text, texts},
};

/// A row without its private fields.
pub(super) fn public(row: &Row) -> Row {
    row.iter()
        .filter(|(name, _)| !name.starts_with('_'))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Who is in a channel.
pub(super) fn members(channel: &Row) -> Vec<String> {
    texts(channel, "_members")
}

/// Whether the caller is in it.
pub(super) fn is_member(channel: &Row, caller: &Caller) -> bool {
    members(channel).contains(&caller.user)
}

/// Whether only its members see it.
pub(super) fn is_closed(channel: &Row) -> bool {
    flag(channel, "is_private") || flag(channel, "is_im") || flag(channel, "is_mpim")
}

/// Whether the caller sees that it exists: what belongs to the organization only with a token of it.
pub(super) fn is_visible(channel: &Row, caller: &Caller) -> bool {
    (caller.org || !flag(channel, "_organization")) && (is_member(channel, caller) || !is_closed(channel))
}

/// The workspaces that have it.
pub(super) fn teams(state: &State, row: &Row) -> Vec<String> {
    let teams = texts(row, "_teams");
    if teams.is_empty() { vec![state.team_id()] } else { teams }
}

/// What kind of conversation it is, as `types` names it.
pub(super) fn kind(channel: &Row) -> &'static str {
    match (flag(channel, "is_im"), flag(channel, "is_mpim"), flag(channel, "is_private")) {
        (true, _, _) => "im",
        (_, true, _) => "mpim",
        (_, _, true) => "private_channel",
        _ => "public_channel",
    }
}

/// The scope prefix of a kind of conversation: `channels`, `groups`, `im`, `mpim`.
pub(super) fn scope_prefix(channel: &Row) -> &'static str {
    match kind(channel) {
        "im" => "im",
        "mpim" => "mpim",
        "private_channel" => "groups",
        _ => "channels",
    }
}

/// A conversation as the caller sees it.
pub(super) fn channel(state: &State, row: &Row, caller: &Caller) -> Value {
    let teams = teams(state, row);
    let mut shown = json!({
        "id": "", "name": "", "is_channel": kind(row) == "public_channel", "is_group": kind(row) == "private_channel",
        "is_im": false, "is_mpim": false, "is_private": false, "is_archived": false, "is_general": false,
        "is_shared": false, "is_org_shared": teams.len() > 1, "is_ext_shared": false, "is_pending_ext_shared": false,
        "created": 1_700_000_000, "updated": 1_700_000_000_000_u64, "creator": "", "unlinked": 0, "parent_conversation": null,
        "context_team_id": teams[0], "shared_team_ids": teams, "pending_shared": [], "previous_names": [],
    });
    if let Some(shown) = shown.as_object_mut() {
        shown.extend(public(row));
        if kind(row) == "im" {
            let other = members(row).into_iter().find(|user| *user != caller.user);
            shown.insert("user".to_owned(), json!(other.unwrap_or_else(|| caller.user.clone())));
            shown.shift_remove("name");
            return json!(shown);
        }
        let tab = state.rows("files").iter().find(|file| text(file, "_tab_of") == text(row, "id"));
        if let Some(file) = tab {
            let canvas = json!({ "file_id": text(file, "id"), "is_empty": false, "quip_thread_id": "" });
            shown.insert("properties".to_owned(), json!({ "canvas": canvas, "tabs": [] }));
        }
        shown.insert("name_normalized".to_owned(), json!(text(row, "name")));
        shown.insert("is_member".to_owned(), json!(is_member(row, caller)));
        shown.insert("num_members".to_owned(), json!(members(row).len()));
        for field in ["topic", "purpose"] {
            let value = text(row, field);
            shown.insert(
                field.to_owned(),
                json!({ "value": value, "creator": text(row, "creator"), "last_set": 0 }),
            );
        }
    }
    shown
}

/// A user as others see them.
pub(super) fn user(state: &State, row: &Row) -> Value {
    let mut shown = public(row);
    for (field, value) in [
        ("team_id", json!(state.team_id())),
        ("deleted", json!(false)),
        ("is_admin", json!(false)),
        ("is_owner", json!(false)),
        ("is_primary_owner", json!(false)),
        ("is_bot", json!(false)),
        ("is_restricted", json!(false)),
        ("is_ultra_restricted", json!(false)),
        ("is_app_user", json!(false)),
        ("updated", json!(1_700_000_000)),
        ("color", json!("9f69e7")),
        ("tz_label", json!("")),
        ("is_email_confirmed", json!(true)),
        ("who_can_share_contact_card", json!("EVERYONE")),
    ] {
        shown.entry(field).or_insert(value);
    }
    if let Some(profile) = shown.get_mut("profile").and_then(Value::as_object_mut) {
        for field in ["status_text", "status_emoji", "phone", "skype", "avatar_hash", "image_72"] {
            profile.entry(field).or_insert_with(|| json!(""));
        }
    }
    json!(shown)
}

/// A message as history shows it, with what its thread has become.
pub(super) fn message(state: &State, row: &Row) -> Value {
    let mut shown = public(row);
    if flag(row, "_rich") {
        shown.insert("blocks".to_owned(), json!([super::chat::rich_text(text(row, "text"))]));
    }
    shown.entry("type").or_insert_with(|| json!("message"));
    if !shown.contains_key("subtype")
        || shown["subtype"] == json!("bot_message")
        || shown["subtype"] == json!("thread_broadcast")
    {
        shown.entry("team").or_insert_with(|| json!(state.team_id()));
    }
    let ts = text(row, "ts").to_owned();
    let thread = text(row, "thread_ts");
    let replies: Vec<&Row> = state
        .rows("messages")
        .iter()
        .filter(|other| {
            text(other, "thread_ts") == ts
                && text(other, "ts") != ts
                && text(other, "_channel") == text(row, "_channel")
        })
        .collect();
    if let Some(last) = replies.last() {
        let mut people: Vec<_> =
            replies.iter().map(|reply| text(reply, "user")).filter(|user| !user.is_empty()).collect();
        people.sort_unstable();
        people.dedup();
        shown.insert("thread_ts".to_owned(), json!(ts));
        shown.insert("reply_count".to_owned(), json!(replies.len()));
        shown.insert("reply_users_count".to_owned(), json!(people.len()));
        shown.insert("reply_users".to_owned(), json!(people.iter().take(5).collect::<Vec<_>>()));
        shown.insert("latest_reply".to_owned(), json!(text(last, "ts")));
        shown.insert("is_locked".to_owned(), json!(false));
        shown.insert("subscribed".to_owned(), json!(false));
    } else if !thread.is_empty()
        && thread != ts
        && let Some(parent) = state.message(text(row, "_channel"), thread)
    {
        shown.insert("parent_user_id".to_owned(), json!(text(parent, "user")));
    }
    json!(shown)
}

impl Context<'_> {
    /// The conversation that an argument names, if the caller sees it.
    pub(super) fn channel(&self, argument: &str) -> Outcome<Row> {
        let id = self.args.text(argument);
        let row = self.state.get("channels", &id, "channel_not_found")?;
        if !is_visible(row, self.caller) {
            return Err(Refusal::new("channel_not_found"));
        }
        Ok(row.clone())
    }

    /// The same, if the caller may read what is said in it: a bot must be in it, a user not.
    pub(super) fn readable(&self, argument: &str) -> Outcome<Row> {
        let row = self.channel(argument)?;
        self.needs_history(&row)?;
        if self.caller.is_bot() && !is_member(&row, self.caller) {
            return Err(Refusal::new("not_in_channel"));
        }
        Ok(row)
    }

    /// The same, if the caller may write into it.
    pub(super) fn writable(&self, argument: &str) -> Outcome<Row> {
        let row = self.channel(argument)?;
        if flag(&row, "is_archived") {
            return Err(Refusal::new("is_archived"));
        }
        let open = self.caller.has("chat:write.public") && !is_closed(&row);
        if !is_member(&row, self.caller) && !open {
            return Err(Refusal::new("not_in_channel"));
        }
        if text(&row, "_posting") == "admins" {
            return Err(Refusal::new("restricted_action_read_only_channel"));
        }
        Ok(row)
    }

    fn needs_history(&self, row: &Row) -> Outcome<()> {
        let scope = format!("{}:history", scope_prefix(row));
        if self.caller.has(&scope) {
            Ok(())
        } else {
            Err(super::dispatch::missing_scope(&scope, self.caller))
        }
    }

    /// Whether a timestamp has its form.
    pub(super) fn ts(&self, argument: &str) -> Outcome<String> {
        let ts = self.args.text(argument);
        let good = ts.split_once('.').is_some_and(|(_, micros)| micros.len() == 6) && number(&ts).is_some();
        if good { Ok(ts) } else { Err(Refusal::new("invalid_ts_latest")) }
    }
}
