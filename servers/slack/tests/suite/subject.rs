//! Slack, as the shared tests see it. The messages named here are those of the story in its seed.

mod marked;

use connector::{
    sandbox::{Action, Change},
    settings::Value as Setting,
};
use serde_json::{Value, json};
use slack_mcp::{Slack, sandbox::ts_of};

use crate::{Bounded, IdForm, IdWalk, Marked, Overtaken, Sample, Subject};

/// The server that this is about.
pub type Server = Slack;

/// The incident's channel and the engineers' channel.
const INCIDENT: &str = "C0INC0IMPORT";
const ENGINEERS: &str = "C0ENGIMPORT";
const GENERAL: &str = "C0GENERAL00";

/// The timestamp that a message of the story has today.
fn ts(name: &str) -> String {
    ts_of(name).unwrap_or_else(|| panic!("the story has no message {name}"))
}

impl Subject for Slack {
    const LIST_BUDGET: usize = 4_800;
    const TWENTY_ROWS_BUDGET: usize = 600;
    const CREDENTIAL: &'static str = "user-token";
    const REFUSED_CREDENTIAL: &'static str = "xoxp-revoked-9f3k2m1x7c5v";
    const READ_ONLY_CREDENTIAL: Option<(&'static str, &'static str)> =
        Some(("xoxp-sandbox-readonly", "reactions:write"));
    // Tier 3 is 50 a minute; reading one message costs one call of it.
    const PACE: (usize, Option<usize>) = (1, None);
    const NOT_MARKED: &'static [(&'static str, &'static str)] = marked::NOT_MARKED;

    fn reads() -> Vec<Sample> {
        vec![
            Sample::new("whoami", json!({})),
            Sample::new("search", json!({"query": "import", "limit": 10})),
            Sample::new("search_private", json!({"query": "import", "limit": 10})),
            Sample::new("search", json!({"query": "queue depth", "include_context": true})),
            Sample::new("read_channel", json!({"channel": "#eng-imports"})),
            Sample::new("read_channel", json!({"channel": INCIDENT, "limit": 20})),
            Sample::new("read_thread", json!({"channel": INCIDENT, "ts": ts("inc")})),
            Sample::new("get_message", json!({"channel": INCIDENT, "ts": ts("alert"), "context": 3})),
            Sample::new("catch_up", json!({"channels": ["#general", "#eng-imports"], "since": "7d"})),
            Sample::new("search_channels", json!({"query": "import"})),
            Sample::new("list_user_channels", json!({"types": ["public", "dm"]})),
            Sample::new("list_channel_members", json!({"channel": "#customer-northwind"})),
            Sample::new("search_users", json!({"query": "jonas"})),
            Sample::new("read_user_profile", json!({"user": "@tomas"})),
            Sample::new("list_usergroups", json!({})),
            Sample::new("read_file", json!({"file": "F0RUNBOOK01"})),
            Sample::new("search_files", json!({"query": "runbook"})),
            Sample::new("list_scheduled_messages", json!({})),
            Sample::new("list_pins", json!({"channel": INCIDENT})),
            Sample::new("read_list", json!({"list": "F0LISTACTN1"})),
        ]
    }

    fn writes() -> Vec<Sample> {
        let change =
            json!([{"op": "replace", "section": "temp:C:RBb", "markdown": "Look at the queue depth."}]);
        vec![
            Sample::new("send_message", json!({"channel": ENGINEERS, "message": "On it, @tomas."})),
            Sample::new(
                "update_message",
                json!({"channel": GENERAL, "ts": ts("review"), "message": "Review on Friday."}),
            ),
            Sample::new("delete_message", json!({"channel": GENERAL, "ts": ts("review")})),
            Sample::new(
                "schedule_message",
                json!({"channel": ENGINEERS, "message": "Stand-up", "post_at": "in 2h"}),
            ),
            Sample::new("cancel_scheduled_message", json!({"id": "Q0REVIEW001"})),
            Sample::new("add_reaction", json!({"channel": INCIDENT, "ts": ts("ask"), "emoji": "eyes"})),
            Sample::new(
                "remove_reaction",
                json!({"channel": INCIDENT, "ts": ts("inc"), "emoji": "rotating_light"}),
            ),
            Sample::new("create_conversation", json!({"name": "import-cleanup", "users": ["@tomas"]})),
            Sample::new("mark_read", json!({"channels": ["#general"]})),
            Sample::new(
                "upload_file",
                json!({"channel": ENGINEERS, "filename": "rows.csv", "text": "warehouse,rows\nOslo,1200\n"}),
            ),
            Sample::new("write_canvas", json!({"canvas": "F0RUNBOOK01", "operations": change})),
            Sample::new("join_channel", json!({"channel": "#design"})),
            Sample::new("leave_channel", json!({"channel": "#releases"})),
            Sample::new("update_channel", json!({"channel": ENGINEERS, "topic": "Import API v2, week two"})),
            Sample::new("invite_users", json!({"channel": ENGINEERS, "users": ["@grace"]})),
            Sample::new("remove_user", json!({"channel": ENGINEERS, "user": "@priya"})),
            Sample::new("archive_channel", json!({"channel": "#events"})),
            Sample::new("save_usergroup", json!({"name": "Data people", "handle": "data-people"})),
            Sample::new(
                "update_usergroup_members",
                json!({"group": "@oncall", "add": ["@priya"], "remove": ["@jonas"]}),
            ),
            Sample::new("pin_message", json!({"channel": INCIDENT, "ts": ts("ask")})),
            Sample::new(
                "save_bookmark",
                json!({"channel": INCIDENT, "title": "Status", "link": "https://status.harbor.example"}),
            ),
            Sample::new("remove_bookmark", json!({"channel": INCIDENT, "id": "Bk0RUNBOOK1"})),
            Sample::new(
                "save_list_item",
                json!({"list": "F0LISTACTN1", "fields": {"Action": "Tell Northwind", "Owner": "@grace"}}),
            ),
            Sample::new(
                "send_ephemeral",
                json!({"channel": ENGINEERS, "user": "@tomas", "message": "Only for you."}),
            ),
        ]
    }

    fn marked_writes(marker: &str) -> Vec<Marked> {
        marked::writes(marker)
    }

    fn overtaken() -> Vec<Overtaken> {
        let review = json!({"channel": GENERAL, "ts": ts("review")});
        let edit = |text: &str| Sample::new("update_message", review.clone()).with("message", text);
        let canvas = |operation: Value| {
            Sample::new("write_canvas", json!({"canvas": "F0RUNBOOK01", "operations": [operation]}))
        };
        let cancel = Sample::new("cancel_scheduled_message", json!({"id": "Q0REVIEW001"}));
        let archive = Sample::new("archive_channel", json!({"channel": "#events"}));
        let remove = Sample::new("remove_user", json!({"channel": ENGINEERS, "user": "@priya"}));
        let group = |change: Value| Sample::new("update_usergroup_members", change);
        let bookmark = json!({"channel": INCIDENT, "id": "Bk0RUNBOOK1"});
        vec![
            Overtaken::new(edit("Review on Friday."), edit("Review on Monday.")),
            Overtaken::new(Sample::new("delete_message", review.clone()), edit("Still needed.")),
            Overtaken::new(cancel.clone(), cancel),
            Overtaken::new(
                canvas(json!({"op": "replace", "section": "temp:C:RBb", "markdown": "Look at the queue."})),
                canvas(json!({"op": "append", "markdown": "Call Tomás."})),
            ),
            Overtaken::new(archive.clone(), archive),
            Overtaken::new(
                Sample::new("archive_channel", json!({"channel": "#events"})),
                Sample::new("update_channel", json!({"channel": "#events", "name": "fairs"})),
            ),
            Overtaken::new(remove.clone(), remove),
            Overtaken::new(
                group(json!({"group": "@oncall", "add": ["@priya"], "remove": ["@jonas"]})),
                group(json!({"group": "@oncall", "add": ["@tomas"]})),
            ),
            Overtaken::new(
                Sample::new("remove_bookmark", bookmark.clone()),
                Sample::new("save_bookmark", bookmark).with("title", "The runbook"),
            ),
        ]
    }

    fn listing() -> (Sample, &'static str) {
        let thread = json!({"channel": INCIDENT, "ts": ts("inc"), "limit": 7});
        (Sample::new("read_thread", thread), "conversations.replies")
    }

    fn twenty_rows() -> Sample {
        Sample::new("list_user_channels", json!({"types": ["public", "private"], "limit": 20}))
    }

    fn repeatable_create() -> Option<(Sample, &'static str)> {
        let reaction = json!({"channel": INCIDENT, "ts": ts("ask"), "emoji": "eyes"});
        Some((Sample::new("add_reaction", reaction), "reactions.add"))
    }

    fn once_only_write() -> Option<(Sample, &'static str)> {
        // No method of Slack's finds a canvas that is shared nowhere.
        let canvas = json!({"title": "Import API v2", "markdown": "Nothing yet."});
        Some((Sample::new("write_canvas", canvas), "canvases.create"))
    }

    fn read_one() -> (Sample, &'static str) {
        let message = json!({"channel": INCIDENT, "ts": ts("alert")});
        (Sample::new("get_message", message), "conversations.history")
    }

    fn cached_read() -> Option<(Sample, &'static str)> {
        Some((Sample::new("list_usergroups", json!({})), "usergroups.list"))
    }

    fn drifts() -> Vec<(Sample, &'static str, Action)> {
        let set = |pointer: &str, value: Value| Change::set(pointer, value);
        let read = |change| {
            let sample = Sample::new("read_channel", json!({"channel": ENGINEERS}));
            (sample, "conversations.history", Action::Patch { changes: vec![change] })
        };
        let list = |change| {
            let sample = Sample::new("list_user_channels", json!({}));
            (sample, "users.conversations", Action::Patch { changes: vec![change] })
        };
        vec![
            read(set("/messages/*/text", Value::Null)),
            read(set("/messages/*/user", Value::Null)),
            read(set("/messages/0/blocks", json!([{"type": "hologram", "payload": {"text": "x"}}]))),
            read(set("/messages/0/blocks", Value::Null)),
            read(set("/messages/0/reactions", json!([{"name": "eyes", "count": "2"}, null]))),
            read(set("/messages/*/reply_count", json!("3"))),
            read(set("/messages/0/attachments", Value::Null)),
            read(Change::remove("/messages/0/ts")),
            read(set("/response_metadata", Value::Null)),
            list(set("/channels/*/topic", Value::Null)),
            list(set("/channels/0/num_members", json!("12"))),
            list(set("/channels/0", Value::Null)),
            list(Change::remove("/response_metadata")),
        ]
    }

    fn one_of_several_gone() -> Option<(Sample, &'static str, &'static str)> {
        let named = json!({"channels": ["#general", "#nowhere"], "since": "7d"});
        Some((Sample::new("catch_up", named), "v2.14.0 is out", "#nowhere"))
    }

    fn judged_by() -> &'static [&'static str] {
        // An id says nothing of a conversation's name.
        &["conversations.info"]
    }

    fn bounded() -> Option<Bounded> {
        let list = || Setting::List(vec!["inc-import-timeouts".to_owned()]);
        Some(Bounded {
            not_read: vec![("deny-channels", list())],
            marker: INCIDENT,
            refused: 15,
            not_written: vec![("deny-write-channels", list())],
            writes_there: |sample| sample.arguments.get("channel") == Some(&json!(INCIDENT)),
            said: "--deny-write-channels",
        })
    }

    fn foreign_addresses() -> Vec<Sample> {
        let bare = ts("inc").replace('.', "");
        ["https://acme.slack.com", "https://example.com"]
            .into_iter()
            .flat_map(|place| {
                let channel = format!("{place}/archives/{INCIDENT}");
                let message = format!("{channel}/p{bare}");
                [
                    Sample::new("read_channel", json!({"channel": channel})),
                    Sample::new("read_thread", json!({"ts": message})),
                    Sample::new("send_message", json!({"channel": channel, "message": "x"})),
                ]
            })
            .collect()
    }

    fn outdated_write() -> Option<Sample> {
        let edit = json!({"channel": GENERAL, "ts": ts("review"), "message": "x", "expected_text": "Something else"});
        Some(Sample::new("update_message", edit))
    }

    fn ids() -> Vec<IdWalk> {
        let channel = Sample::new("read_channel", json!({"channel": "#inc-import-timeouts", "limit": 3}));
        let stamp = |needed, others| IdWalk {
            needed,
            given_by: channel.clone(),
            form: IdForm::Decimal("17"),
            others,
        };
        let word =
            |needed, given_by, word, others| IdWalk { needed, given_by, form: IdForm::Word(word), others };
        vec![
            stamp(("get_message", "ts"), json!({"channel": INCIDENT})),
            stamp(("read_thread", "ts"), json!({"channel": INCIDENT})),
            stamp(("send_message", "ts"), json!({"channel": INCIDENT, "message": "Seen."})),
            stamp(("add_reaction", "ts"), json!({"channel": INCIDENT, "emoji": "tada"})),
            stamp(("pin_message", "ts"), json!({"channel": INCIDENT})),
            word(
                ("read_channel", "channel"),
                Sample::new("search_channels", json!({"query": "import"})),
                "C0",
                json!({}),
            ),
            word(
                ("read_user_profile", "user"),
                Sample::new("search_users", json!({"query": "priya"})),
                "U0",
                json!({}),
            ),
            word(
                ("read_file", "file"),
                Sample::new("read_channel", json!({"channel": ENGINEERS})),
                "📎F0",
                json!({}),
            ),
            word(
                ("write_canvas", "canvas"),
                Sample::new("search_files", json!({"query": "runbook"})),
                "📎F0",
                json!({"operations": [{"op": "append", "markdown": "Seen."}]}),
            ),
            word(
                ("cancel_scheduled_message", "id"),
                Sample::new("list_scheduled_messages", json!({})),
                "Q0",
                json!({}),
            ),
            word(
                ("remove_bookmark", "id"),
                Sample::new("list_pins", json!({"channel": INCIDENT})),
                "Bk0",
                json!({"channel": INCIDENT}),
            ),
            word(
                ("save_list_item", "item"),
                Sample::new("read_list", json!({"list": "F0LISTACTN1"})),
                "Rec0",
                json!({"list": "F0LISTACTN1", "fields": {"Done": "yes"}}),
            ),
        ]
    }

    fn count_created(dump: &Value) -> usize {
        let messages = dump["messages"].as_array().into_iter().flatten();
        let reactions = messages.filter_map(|message| message["reactions"].as_array()).flatten();
        reactions.map(|reaction| reaction["users"].as_array().map_or(0, Vec::len)).sum()
    }
}
