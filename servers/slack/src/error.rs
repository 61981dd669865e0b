//! What Slack's refusals mean: the one table from the code in `error` to a kind, to whether the
//! request was executed, and to what a person or an agent can do about it. The codes are those of
//! docs.slack.dev/reference/methods.

use connector::{
    Error, Kind, Retry,
    catalog::one_line,
    upstream::{Request, Response},
};
use serde::Deserialize;

/// What Slack says when it refuses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refusal {
    ok: Option<bool>,
    pub(crate) error: Option<String>,
    needed: Option<String>,
    provided: Option<String>,
    response_metadata: Option<Metadata>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    messages: Option<Vec<String>>,
}

/// The refusal in an answer, if it is one.
pub(crate) fn refusal(response: &Response) -> Option<Refusal> {
    // Looking for the word is cheaper than parsing every good answer twice.
    const WORD: &[u8] = b"\"error\"";
    if !response.body.windows(WORD.len()).any(|window| window == WORD) {
        return None;
    }
    let refusal: Refusal = serde_json::from_slice(&response.body).ok()?;
    (refusal.ok == Some(false) && refusal.error.is_some()).then_some(refusal)
}

/// Codes that all mean the same, the kind, what happened, and what to do.
type Meaning = (&'static [&'static str], Kind, &'static str, &'static str);

/// The table. `{}` in a sentence stands for the code.
const TABLE: &[Meaning] = &[
    (
        &[
            "invalid_auth",
            "not_authed",
            "account_inactive",
            "token_revoked",
            "token_expired",
            "user_removed_from_team",
        ],
        Kind::Auth,
        "Slack refused the token ({})",
        "Check that the token is complete, not revoked, and from an app that is still installed; `doctor` shows what is configured",
    ),
    (
        &[
            "org_login_required",
            "two_factor_setup_required",
            "ekm_access_denied",
            "accesslimited",
            "access_denied",
            "app_access_restricted",
            "team_access_not_granted",
        ],
        Kind::Permission,
        "The workspace does not let this app in ({})",
        "An admin of the workspace must approve the app or the MCP server",
    ),
    (
        &["not_allowed_token_type", "is_bot", "user_is_bot", "user_not_allowed"],
        Kind::Permission,
        "Slack does not allow this with this kind of token ({})",
        "Set SLACK_USER_TOKEN: some methods are for user tokens only",
    ),
    (
        &[
            "no_permission",
            "enterprise_is_restricted",
            "restricted_action",
            "user_is_restricted",
            "user_is_ultra_restricted",
            "not_authorized",
            "permission_denied",
        ],
        Kind::Permission,
        "The workspace's settings forbid this ({})",
        "Ask an admin of the workspace",
    ),
    (
        &["not_in_channel", "posting_to_channel_denied"],
        Kind::Permission,
        "The token's owner is not in this channel",
        "Invite the app or join the channel first; with the toolset channel_admin, join_channel does it",
    ),
    (
        &["channel_not_found"],
        Kind::NotFound,
        "Slack has no such conversation, or the token cannot see it",
        "search_channels finds names; a private channel is seen only by its members",
    ),
    (
        &["is_archived"],
        Kind::Permission,
        "The channel is archived",
        "Unarchive it first, or choose another channel",
    ),
    (
        &["user_not_found", "user_not_visible", "users_not_found", "invalid_users", "no_such_user"],
        Kind::NotFound,
        "Slack knows no such person",
        "search_users finds people",
    ),
    (
        &["user_disabled"],
        Kind::NotFound,
        "This account is deactivated",
        "search_users finds people who are still there",
    ),
    (
        &["user_not_in_channel"],
        Kind::InvalidArgument,
        "This person is not in the channel",
        "Only members can be shown something there",
    ),
    (
        &[
            "message_not_found",
            "thread_not_found",
            "bad_timestamp",
            "invalid_timestamp",
            "invalid_ts_latest",
            "invalid_ts_oldest",
            "invalid_thread_ts",
            "no_item_specified",
            "bad_ts",
        ],
        Kind::NotFound,
        "There is no such message in this channel",
        "Take the ts exactly as a reading tool gave it, as text",
    ),
    (
        &["cannot_reply_to_message"],
        Kind::Permission,
        "Slack allows no replies to this message",
        "Post to the channel instead",
    ),
    (
        &["cant_update_message"],
        Kind::Permission,
        "Only who wrote a message can edit it",
        "Post a new message instead",
    ),
    (
        &["edit_window_closed"],
        Kind::Permission,
        "The time that the workspace gives for editing this message is over",
        "Post a correction instead",
    ),
    (
        &["cant_delete_message", "compliance_exports_prevent_deletion"],
        Kind::Permission,
        "This message cannot be deleted with this token ({})",
        "Only its author or an admin can",
    ),
    (
        &[
            "restricted_action_read_only_channel",
            "restricted_action_non_threadable_channel",
            "restricted_action_thread_only_channel",
            "restricted_action_thread_locked",
            "thread_locked",
        ],
        Kind::Permission,
        "Posting here is restricted ({})",
        "Ask who manages the channel",
    ),
    (
        &[
            "slack_connect_canvas_sharing_blocked",
            "slack_connect_file_link_sharing_blocked",
            "slack_connect_lists_sharing_blocked",
            "send_on_behalf_not_allowed",
        ],
        Kind::Permission,
        "The workspace forbids sharing this with another organization ({})",
        "Share it in a channel of your own",
    ),
    (
        &["msg_too_long", "msg_blocks_too_long", "too_long"],
        Kind::InvalidArgument,
        "The text is too long for Slack",
        "Split it, or upload it as a file",
    ),
    (&["no_text"], Kind::InvalidArgument, "The message is empty", "Give `message`"),
    (
        &["markdown_text_conflict"],
        Kind::InvalidArgument,
        "`message` and `blocks` cannot be sent together",
        "Give one of them",
    ),
    (
        &["invalid_blocks", "invalid_blocks_format", "invalid_attachments"],
        Kind::InvalidArgument,
        "Slack does not accept the blocks ({})",
        "See docs.slack.dev/reference/block-kit",
    ),
    (
        &["duplicate_message_not_found", "duplicate_channel_not_found"],
        Kind::Conflict,
        "Slack says the message was sent before ({})",
        "Read the channel",
    ),
    (&["time_in_past"], Kind::InvalidArgument, "The time is in the past", "Give a time in the future"),
    (
        &["time_too_far"],
        Kind::InvalidArgument,
        "Slack schedules at most 120 days ahead",
        "Give an earlier time",
    ),
    (&["invalid_time"], Kind::InvalidArgument, "Slack does not understand the time", "Give a date and time"),
    (
        &["restricted_too_many"],
        Kind::RateLimited,
        "Slack schedules at most 30 messages of a channel within five minutes",
        "Choose another time",
    ),
    (
        &["invalid_scheduled_message_id"],
        Kind::NotFound,
        "There is no such scheduled message, or it is less than a minute until its time",
        "list_scheduled_messages shows what is still to come",
    ),
    (
        &[
            "already_reacted",
            "no_reaction",
            "already_pinned",
            "no_pin",
            "already_in_channel",
            "already_archived",
            "not_archived",
            "name_taken",
            "name_already_exists",
            "handle_already_exists",
            "channel_canvas_already_exists",
            "free_team_canvas_tab_already_exists",
        ],
        Kind::Conflict,
        "That is already the case ({})",
        "Nothing needs to be done, or choose another name",
    ),
    (
        &["invalid_name"],
        Kind::InvalidArgument,
        "Slack knows no emoji of this name",
        "Use the name without colons, as the workspace has it",
    ),
    (
        &["too_many_emoji", "too_many_reactions"],
        Kind::Permission,
        "The message has as many reactions as Slack allows",
        "Use one of the emoji that are there",
    ),
    (&["not_reactable"], Kind::Permission, "Slack allows no reactions to this message", "Reply instead"),
    (
        &[
            "invalid_name_required",
            "invalid_name_punctuation",
            "invalid_name_specials",
            "invalid_name_maxlength",
        ],
        Kind::InvalidArgument,
        "Slack does not take this name for a channel ({})",
        "Use up to 80 lower-case letters, digits, hyphens and underscores",
    ),
    (
        &[
            "cant_leave_general",
            "cant_archive_general",
            "cant_kick_from_general",
            "cant_kick_self",
            "cant_invite_self",
            "method_not_supported_for_channel_type",
        ],
        Kind::Permission,
        "Slack does not allow this here ({})",
        "Choose another channel or person",
    ),
    (
        &["file_not_found", "file_deleted"],
        Kind::NotFound,
        "There is no such file, or the token cannot see it",
        "Files are named in the messages that share them",
    ),
    (
        &[
            "file_type_not_allowed",
            "file_uploads_disabled",
            "file_uploads_except_images_disabled",
            "storage_limit_reached",
            "cant_delete_file",
        ],
        Kind::Permission,
        "The workspace does not allow this file ({})",
        "Ask an admin of the workspace",
    ),
    (
        &[
            "canvas_not_found",
            "section_not_found",
            "no_such_subteam",
            "list_not_found",
            "item_not_found",
            "row_not_found",
            "not_found",
        ],
        Kind::NotFound,
        "There is no such thing, or the token cannot see it ({})",
        "Read it again for the ids there are",
    ),
    (
        &["canvas_editing_locked"],
        Kind::Upstream,
        "Somebody else is changing the canvas just now",
        "Try again in a moment",
    ),
    (
        &["canvas_too_large"],
        Kind::InvalidArgument,
        "The canvas would be larger than Slack allows",
        "Shorten it, or use another canvas",
    ),
    (
        &[
            "plan_upgrade_required",
            "paid_teams_only",
            "paid_only",
            "free_teams_cannot_create_standalone_canvases",
            "free_teams_cannot_edit_standalone_canvases",
            "team_tier_cannot_create_channel_canvases",
            "feature_not_enabled",
            "assistant_search_context_disabled",
        ],
        Kind::Permission,
        "The workspace's plan or settings do not offer this ({})",
        "An admin can change that",
    ),
    (&["query_too_long"], Kind::InvalidArgument, "The query is too long", "Use fewer words"),
    (
        &["invalid_action_token", "missing_action_token"],
        Kind::Permission,
        "A bot may not search by itself",
        "Set SLACK_USER_TOKEN: searching works with a user's token",
    ),
    (
        &["invalid_cursor", "invalid_limit"],
        Kind::InvalidArgument,
        "Slack does not know the cursor any more",
        "Leave `cursor` out to start from the first page",
    ),
    (
        &["method_deprecated", "deprecated_endpoint", "unknown_method"],
        Kind::Upstream,
        "Slack no longer offers the method this server used ({})",
        "A newer version of this server may know another",
    ),
];

/// What a refusal means for the request that got it.
pub(crate) fn meaning(request: &Request, refusal: &Refusal) -> Error {
    let code = one_line(refusal.error.as_deref().unwrap_or("unknown_error"));
    let lacks = |field: &str| {
        let told = refusal.response_metadata.iter().flat_map(|metadata| &metadata.messages).flatten();
        told.into_iter().any(|message| message.contains(field))
    };
    match code.as_str() {
        "missing_argument" | "invalid_arguments" if lacks("team_id") => return no_workspace(),
        "team_access_not_granted" => {
            return Error::new(
                Kind::Permission,
                "The token is not for the workspace that SLACK_TEAM_ID names",
            )
            .with_hint("whoami lists the workspaces that it is for; an admin can add the app to others");
        }
        "missing_scope" => return missing_scope(request, refusal),
        // Slack spells it in two ways.
        "ratelimited" | "rate_limited" => {
            return Error::new(
                Kind::RateLimited,
                format!("Slack allows no more calls of {} for now", request.operation),
            )
            .with_hint("Wait, or ask for less")
            .with_retry(Retry::NotExecuted);
        }
        // "The operation may have partly succeeded" (docs.slack.dev, errors of every method).
        "fatal_error"
        | "internal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org" => {
            return Error::new(Kind::Upstream, format!("Slack failed ({code})"))
                .with_retry(Retry::MaybeExecuted);
        }
        _ => {}
    }
    let known = TABLE.iter().find(|(codes, ..)| codes.contains(&code.as_str()));
    if let Some((_, kind, what, hint)) = known {
        let retry = if code == "canvas_editing_locked" { Retry::NotExecuted } else { Retry::Never };
        return Error::new(*kind, what.replace("{}", &code)).with_hint(*hint).with_retry(retry);
    }
    let told: Vec<String> = refusal
        .response_metadata
        .iter()
        .flat_map(|metadata| &metadata.messages)
        .flatten()
        .map(|message| one_line(message))
        .collect();
    let told = if told.is_empty() { String::new() } else { format!(": {}", told.join("; ")) };
    let wrong = code.starts_with("invalid") || code.starts_with("missing") || code.starts_with("no_");
    let kind = if wrong { Kind::InvalidArgument } else { Kind::Upstream };
    Error::new(kind, format!("Slack refused {} with `{code}`{told}", request.operation))
        .with_hint("docs.slack.dev/reference/methods explains the code")
}

/// A token of a whole organization, and nobody said which of its workspaces is meant.
fn no_workspace() -> Error {
    Error::new(Kind::InvalidArgument, "The token is for a whole organization, and none of its workspaces is named")
        .with_hint("Set SLACK_TEAM_ID to the id (T…) of one, or `team-id` of each in SLACK_WORKSPACES; whoami lists them")
}

fn missing_scope(request: &Request, refusal: &Refusal) -> Error {
    let needed = refusal.needed.as_deref().map_or_else(|| "a scope".to_owned(), one_line);
    let has = refusal
        .provided
        .as_deref()
        .map(|provided| format!("; it has {}", one_line(provided)))
        .unwrap_or_default();
    let has: String = has.chars().take(300).collect();
    Error::new(Kind::Permission, format!("The token lacks the scope {needed} for {}{has}", request.operation))
        .with_hint(format!("Add {needed} under OAuth & Permissions of the app (https://api.slack.com/apps) and install it again; `slack-mcp manifest` lists every scope"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;

    fn read(body: &serde_json::Value) -> Option<Error> {
        let response = Response::new(StatusCode::OK, HeaderMap::new(), body.to_string());
        refusal(&response)
            .map(|refusal| meaning(&Request::post("chat.postMessage", "/chat.postMessage"), &refusal))
    }

    #[test]
    fn an_answer_that_only_speaks_of_errors_is_no_refusal() {
        assert!(read(&json!({"ok": true, "messages": [{"text": "ok: false", "error": "x"}]})).is_none());
        assert!(read(&json!({"ok": true})).is_none());
    }

    #[test]
    fn a_missing_scope_is_named() {
        let error = read(
            &json!({"ok": false, "error": "missing_scope", "needed": "chat:write", "provided": "users:read"}),
        )
        .unwrap();
        assert_eq!(error.kind(), Kind::Permission);
        assert!(error.for_agent().contains("chat:write"), "{error}");
    }

    #[test]
    fn what_may_have_been_done_is_told_from_what_was_not() {
        let retry = |code: &str| read(&json!({"ok": false, "error": code})).unwrap().retry();
        assert_eq!(retry("fatal_error"), Retry::MaybeExecuted);
        assert_eq!((retry("ratelimited"), retry("rate_limited")), (Retry::NotExecuted, Retry::NotExecuted));
        assert_eq!(retry("channel_not_found"), Retry::Never);
    }

    #[test]
    fn arguments_that_slack_refuses_are_quoted() {
        let error = read(&json!({"ok": false, "error": "invalid_arguments", "response_metadata": {"messages": ["[ERROR] bad [json-pointer:/x]"]}})).unwrap();
        assert!(
            error.kind() == Kind::InvalidArgument && error.for_agent().contains("json-pointer:/x"),
            "{error}"
        );
    }

    #[test]
    fn no_code_stands_twice_in_the_table() {
        let mut seen = BTreeSet::new();
        for code in TABLE.iter().flat_map(|(codes, ..)| *codes) {
            assert!(seen.insert(code), "{code}");
        }
    }

    #[test]
    fn what_is_often_refused_says_what_can_be_done() {
        for (code, hint) in [
            ("not_in_channel", "Invite the app"),
            ("channel_not_found", "search_channels finds"),
            ("is_archived", "choose another channel"),
            ("restricted_action_thread_locked", "who manages the channel"),
            ("edit_window_closed", "Post a correction"),
            ("plan_upgrade_required", "An admin can change that"),
        ] {
            let error = read(&json!({"ok": false, "error": code})).unwrap();
            assert!(error.hint().is_some_and(|said| said.contains(hint)), "{code}: {}", error.for_agent());
        }
    }

    #[test]
    fn what_slack_came_to_refuse_since_2026_has_a_sentence_of_its_own() {
        for code in [
            "app_access_restricted",
            "send_on_behalf_not_allowed",
            "cannot_reply_to_message",
            "slack_connect_canvas_sharing_blocked",
            "slack_connect_file_link_sharing_blocked",
            "slack_connect_lists_sharing_blocked",
            "file_type_not_allowed",
            "file_uploads_except_images_disabled",
            "posting_to_channel_denied",
            "canvas_editing_locked",
            "canvas_too_large",
            "free_teams_cannot_create_standalone_canvases",
            "free_team_canvas_tab_already_exists",
        ] {
            let error = read(&json!({"ok": false, "error": code})).unwrap();
            assert!(!error.message().starts_with("Slack refused"), "{code}: {error}");
        }
    }
}
