//! The cases of other Slack servers' users, each with where it was told.

use std::collections::BTreeMap;

use connector::{
    Kind,
    sandbox::{Action, Change, Rule},
    testing::Sample,
};
use serde_json::{Value, json};

use crate::support::{ENGINEERS, INCIDENT, Server, messages, read, send, sent, shows, text, ts, with};

/// S1. https://github.com/slackapi/slack-skills-plugin/issues/149
#[tokio::test(start_paused = true)]
async fn a_forwarded_message_is_its_quoted_content_without_another_call() {
    let server = Server::start().await;
    let forwarded = json!([{"ts": "1764400000.000100", "user": "U0MAYA00001", "text": "", "attachments": [{
        "is_share": true, "author_name": "Ines", "from_url": "https://x.slack.com/archives/C9/p1764300000000200",
        "channel_id": "C9", "ts": "1764300000.000200", "text": "Rollback at 14:00, keep the old key",
        "fallback": "[date] Ines: Rollback…"}]}]);
    shows(&server, forwarded);
    let reply = server.call(&read(ENGINEERS)).await.text;
    assert!(reply.contains("maya: [forwarded from Ines, 2025-11-28 03:20 UTC]"), "{reply}");
    assert!(reply.contains("> Rollback at 14:00, keep the old key"), "{reply}");
    assert!(!server.harness().journal().entries().iter().any(|entry| entry.body.contains("C9")));
}

/// S2. https://github.com/slackapi/slack-skills-plugin/issues/126
#[tokio::test(start_paused = true)]
async fn a_table_pasted_into_a_message_is_a_table() {
    let server = Server::start().await;
    let reply = server.call(&read(ENGINEERS)).await.text;
    assert!(reply.contains("| Warehouse | Duplicates |\n|---|---|\n| Oslo | 1,200 |"), "{reply}");
    assert!(!reply.contains("no preview available"), "{reply}");
}

/// S3. https://github.com/slackapi/node-slack-sdk/issues/780
#[tokio::test(start_paused = true)]
async fn a_timestamp_that_lost_its_zeros_is_refused_and_every_whole_form_reaches_its_thread() {
    let server = Server::start().await;
    let parent = ts("inc");
    let reply = |ts: Value| send(INCIDENT, "Seen.").with("thread_ts", ts);
    // A number may have lost digits, though it does not look so.
    for number in [json!(1_764_400_000.100_1), json!(1_764_400_000.100_123), json!(1_764_400_000_100_100_u64)]
    {
        for sample in [
            reply(number.clone()),
            Sample::new("read_thread", json!({"channel": INCIDENT, "ts": number})),
            Sample::new("get_message", json!({"channel": INCIDENT, "message_ts": number})),
            Sample::new("update_message", json!({"channel": INCIDENT, "ts": number, "message": "x"})),
            Sample::new("delete_message", json!({"channel": INCIDENT, "ts": number})),
            Sample::new("add_reaction", json!({"channel": INCIDENT, "ts": number, "emoji": "eyes"})),
            Sample::new("mark_read", json!({"channels": [INCIDENT], "ts": number})),
            Sample::new(
                "upload_file",
                json!({"channel": INCIDENT, "ts": number, "filename": "a", "text": "a"}),
            ),
        ] {
            let error = server.refusal(&sample).await;
            assert_eq!(error.kind(), Kind::InvalidArgument, "{error}");
            assert!(error.for_agent().contains("must be text, and came as a number"), "{sample:?}: {error}");
        }
    }
    let error = server.refusal(&reply(json!("1764400000.1001"))).await;
    assert!(error.for_agent().contains("six decimals"), "{error}");
    assert!(server.harness().journal().entries().is_empty(), "nothing was asked");
    assert_eq!(server.harness().journal().count("chat.postMessage"), 0);
    let bare = parent.replace('.', "");
    let address = format!("https://harbor-example.slack.com/archives/{INCIDENT}/p{bare}");
    for form in [parent.clone(), bare.clone(), format!("p{bare}"), address] {
        let text = server.call(&reply(json!(form))).await.text;
        assert!(text.contains(&format!("in the thread {parent}")), "{text}");
        assert_eq!(sent(&server, "chat.postMessage").last().unwrap()["thread_ts"], parent);
    }
}

/// S4. https://github.com/slackapi/bolt-python/issues/783
#[tokio::test(start_paused = true)]
async fn a_reply_leads_to_its_thread_for_reading_writing_and_uploading() {
    let server = Server::start().await;
    let parent = ts("design");
    let replies = messages(&server, ENGINEERS);
    let reply = replies.iter().filter(|message| message["thread_ts"] == parent.as_str()).nth(1).unwrap();
    let reply = reply["ts"].as_str().unwrap();
    let thread =
        server.call(&Sample::new("read_thread", json!({"channel": ENGINEERS, "ts": reply}))).await.text;
    assert!(thread.contains("move chunk writes to upserts") && thread.contains("Decision: key"), "{thread}");
    assert!(thread.lines().next().unwrap().contains(&format!("{reply} is a reply in it")), "{thread}");
    server.call(&send(ENGINEERS, "Agreed.").with("ts", reply)).await;
    assert_eq!(sent(&server, "chat.postMessage")[0]["thread_ts"], parent);
    let upload = json!({"channel": ENGINEERS, "ts": reply, "filename": "a.txt", "text": "a"});
    server.call(&Sample::new("upload_file", upload)).await;
    assert_eq!(sent(&server, "files.completeUploadExternal")[0]["thread_ts"], parent);
}

/// S5. https://github.com/korotovsky/slack-mcp-server/issues/257
#[tokio::test(start_paused = true)]
async fn today_is_the_users_day_at_both_ends_in_every_tool() {
    use jiff::{Timestamp, tz::TimeZone};
    let zone = TimeZone::get("America/Los_Angeles").unwrap();
    let now = Timestamp::from_second(connector::clock::wall().as_secs() as i64).unwrap();
    let midnight = now.to_zoned(zone).start_of_day().unwrap().timestamp().as_second();
    let server = with(&[("timezone", text("America/Los_Angeles"))]).await;
    let reply = server.call(&read(ENGINEERS).with("since", "today")).await.text;
    assert!(reply.lines().next().unwrap().contains("00:00 America/Los_Angeles"), "{reply}");
    assert_eq!(sent(&server, "conversations.history")[0]["oldest"], format!("{midnight}.000000"));
    let search = json!({"query": "import", "after": "today", "before": "today"});
    server.call(&Sample::new("search", search)).await;
    let asked = &sent(&server, "assistant.search.context")[0];
    assert_eq!(asked["after"], midnight.to_string());
    let end: i64 = asked["before"].parse().unwrap();
    assert!((82_000..=90_000).contains(&(end - midnight)), "{end} {midnight}");
    server.call(&Sample::new("catch_up", json!({"channels": ["#general"], "since": "yesterday"}))).await;
    let since: f64 = sent(&server, "conversations.history")[1]["oldest"].parse().unwrap();
    assert!((82_000.0..=90_000.0).contains(&(midnight as f64 - since)));
    // Without a setting it is the zone of the token's owner.
    let server = Server::start().await;
    let reply = server.call(&read(ENGINEERS).with("since", "today")).await.text;
    assert!(reply.contains("Europe/Stockholm"), "{reply}");
}

/// S5 for the legacy search, whose `after:` excludes the day it names: nothing of the window is lost.
#[tokio::test(start_paused = true)]
async fn the_legacy_search_is_not_off_by_one_at_either_end() {
    let server = Server::start().await;
    let none = Action::Status {
        code: 200,
        headers: BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]),
        body: json!({"ok": false, "error": "feature_not_enabled"}).to_string(),
        committed: false,
    };
    server.harness().faults().add(Rule::new("assistant.search.context", none).always());
    let all = messages(&server, INCIDENT);
    let began: f64 = ts("inc").parse().unwrap();
    let day = jiff::Timestamp::from_second(began as i64).unwrap().to_zoned(jiff::tz::TimeZone::UTC).date();
    let query = json!({"query": "queue", "in": INCIDENT, "after": day.to_string(), "before": day.to_string(), "limit": 50});
    let reply = server.call(&Sample::new("search", query)).await.text;
    assert!(reply.contains("legacy search"), "{reply}");
    let wanted =
        all.iter().filter(|message| message["text"].as_str().unwrap().to_lowercase().contains("queue"));
    let wanted: Vec<&str> = wanted.map(|message| message["ts"].as_str().unwrap()).collect();
    assert!(wanted.len() >= 3);
    for ts in wanted {
        assert!(reply.contains(ts), "{ts} is missing: {reply}");
    }
}

/// A filter that Slack ignored is told: in Real-time Search modifiers act on term clauses only.
#[tokio::test(start_paused = true)]
async fn a_filter_is_put_where_it_works_and_rows_that_do_not_fit_are_left_out() {
    let server = Server::start().await;
    let query = json!({"query": "import", "from": "@tomas"});
    let reply = server.call(&Sample::new("search", query.clone())).await.text;
    let asked = &sent(&server, "assistant.search.context")[0];
    assert_eq!(
        (asked["term_clauses"].as_str(), asked["modifiers"].as_str()),
        ("[\"import\"]", "from:<@U0TOMAS0001>")
    );
    let rows: Vec<&str> = reply.lines().filter(|line| line.starts_with("1")).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.contains(" tomas: ")), "{reply}");
    let stray = Action::patch("/results/messages/0/author_user_id", json!("U0PRIYA0001"));
    server.harness().faults().add(Rule::new("assistant.search.context", stray));
    let reply = server.call(&Sample::new("search", query)).await.text;
    assert!(reply.lines().next().unwrap().contains("1 that did not match the filters left out"), "{reply}");
}

/// S6. https://github.com/NousResearch/hermes-agent/pull/64748
#[tokio::test(start_paused = true)]
async fn entities_are_decoded_once_and_what_is_shown_writes_the_same_text() {
    let server = Server::start().await;
    let reply = server.call(&read(ENGINEERS)).await.text;
    let shown = "use &lt;b&gt; for a <b> tag & co";
    assert!(reply.contains(shown), "{reply}");
    assert!(reply.contains("if a < b && c > d { retry(); }"), "code too: {reply}");
    server.call(&send(ENGINEERS, shown)).await;
    let wire = "use &amp;lt;b&amp;gt; for a &lt;b&gt; tag &amp; co";
    assert_eq!(sent(&server, "chat.postMessage")[0]["markdown_text"], wire);
}

/// S7. https://github.com/gammons/slk/issues/65
#[tokio::test(start_paused = true)]
async fn an_emoji_is_found_by_character_name_and_tone_and_a_failure_is_not_swallowed() {
    let server = Server::start().await;
    let react = |emoji: &str| {
        Sample::new("add_reaction", json!({"channel": INCIDENT, "ts": ts("ask"), "emoji": emoji}))
    };
    for (given, name) in [
        ("👍", "+1"),
        (":white_check_mark:", "white_check_mark"),
        ("👋🏽", "wave::skin-tone-4"),
        ("party-parrot", "party-parrot"),
        ("🦊", "fox_face"),
        // An alias of the workspace's is kept under the name that it stands for.
        ("shipit", "ship"),
    ] {
        server.call(&react(given)).await;
        assert_eq!(sent(&server, "reactions.add").last().unwrap()["name"], name);
    }
    for there in ["thumbs_up", "shipit", "ship"] {
        let again = server.call(&react(there)).await.text;
        assert!(again.starts_with("Nothing changed: "), "{there}: {again}");
    }
    let error = server.refusal(&react("white_tick")).await;
    let near = error.hint().unwrap().trim_start_matches("Did you mean ");
    assert!(near.split(", ").count() == 3 && near.contains("white_check_mark"), "{error}: {near}");
    assert_eq!(error.kind(), Kind::InvalidArgument, "{error}");
    let remove =
        Sample::new("remove_reaction", json!({"channel": INCIDENT, "ts": ts("ask"), "emoji": "rocket"}));
    assert!(server.call(&remove).await.text.starts_with("Nothing changed: "));
    for (code, says) in [
        ("too_many_emoji", "as many reactions"),
        ("too_many_reactions", "as many reactions"),
        ("thread_locked", "restricted"),
        ("not_reactable", "no reactions"),
    ] {
        let refused = Action::Status {
            code: 200,
            headers: BTreeMap::new(),
            body: json!({"ok": false, "error": code}).to_string(),
            committed: false,
        };
        server.harness().faults().add(Rule::new("reactions.add", refused));
        let error = server.refusal(&react("bug")).await;
        assert!(error.for_agent().contains(says), "{error}");
    }
    // Somebody was faster: it is so, and nothing is done again.
    for (method, code, sample) in [
        ("reactions.add", "already_reacted", react("bug")),
        (
            "reactions.remove",
            "no_reaction",
            Sample::new("remove_reaction", json!({"channel": INCIDENT, "ts": ts("ask"), "emoji": "eyes"})),
        ),
    ] {
        let refused = Action::Status {
            code: 200,
            headers: BTreeMap::new(),
            body: json!({"ok": false, "error": code}).to_string(),
            committed: false,
        };
        server.call(&react("eyes")).await;
        server.harness().faults().add(Rule::new(method, refused));
        let reply = server.call(&sample).await.text;
        assert!(reply.starts_with("Nothing changed: that is already the case"), "{code}: {reply}");
    }
}

/// S8. https://github.com/slackapi/bolt-js/issues/2115, https://github.com/ComposioHQ/composio/issues/3422
#[tokio::test(start_paused = true)]
async fn a_file_for_a_person_goes_into_their_conversation_and_uploaded_means_seen() {
    let server = Server::start().await;
    let upload =
        |to: &str| Sample::new("upload_file", json!({"channel": to, "filename": "a.csv", "text": "a,b\n"}));
    let reply = server.call(&upload("@priya")).await.text;
    assert_eq!(server.harness().journal().count("conversations.open"), 1);
    let channel = &sent(&server, "files.completeUploadExternal")[0]["channel_id"];
    assert!(channel.starts_with('D') && reply.contains("shared at ts"), "{reply}");
    let hidden = Action::Patch {
        changes: vec![Change::set("/file/shares", json!({})), Change::set("/file/channels", json!([]))],
    };
    server.harness().faults().add(Rule::new("files.info", hidden).always());
    let error = server.refusal(&upload("#eng-imports")).await;
    assert_eq!(error.kind(), Kind::UnknownOutcome, "{error}");
    assert!(error.for_agent().contains("stored as F0NEW"), "{error}");
    assert_eq!(server.harness().journal().count("files.completeUploadExternal"), 2, "completed once each");
    // An answer that was lost: where the file is tells how it ended.
    server.harness().faults().clear();
    server.harness().faults().add(Rule::new("files.completeUploadExternal", Action::CloseAfter));
    let reply = server.call(&upload("#eng-imports")).await.text;
    assert!(reply.contains("shared at ts"), "{reply}");
    assert_eq!(server.harness().journal().count("files.completeUploadExternal"), 3);
}

/// S9. https://github.com/slackapi/slack-skills-plugin/issues/30
#[tokio::test(start_paused = true)]
async fn a_canvas_section_is_replaced_one_change_a_call_and_read_back() {
    let server = Server::start().await;
    let edit = |operations: Value| {
        Sample::new("write_canvas", json!({"canvas": "F0RUNBOOK01", "operations": operations}))
    };
    let replace = json!({"op": "replace", "section": "temp:C:RBb", "markdown": "Final"});
    let reply = server.call(&edit(json!([replace, {"op": "append", "markdown": "Done"}]))).await.text;
    let (_, now) = reply.split_once("canvas as it is now").unwrap();
    assert_eq!((now.matches("Final").count(), now.matches("Done").count()), (1, 1), "{reply}");
    assert!(!now.contains("Look at the queue depth first"), "{reply}");
    assert_eq!(now.matches("# Runbook: imports").count(), 1, "the title stands once: {reply}");
    let calls = sent(&server, "canvases.edit");
    let changes =
        |call: &BTreeMap<String, String>| serde_json::from_str::<Vec<Value>>(&call["changes"]).unwrap().len();
    assert_eq!(calls.iter().map(changes).collect::<Vec<_>>(), [1, 1]);
    let refused = |code: &str| Action::Status {
        code: 200,
        headers: BTreeMap::new(),
        body: json!({"ok": false, "error": code}).to_string(),
        committed: false,
    };
    server.harness().faults().add(Rule::new("canvases.edit", refused("canvas_too_large")).skip(1));
    let two = json!([{"op": "append", "markdown": "One"}, {"op": "append", "markdown": "Two"}]);
    let error = server.refusal(&edit(two)).await;
    assert!(error.for_agent().contains("1 of 2 changes were made"), "{error}");
    assert_eq!(server.harness().journal().count("canvases.edit"), 4, "what is too large is not tried again");
    server.harness().faults().add(Rule::new("canvases.edit", refused("canvas_editing_locked")));
    assert!(server.try_call(&edit(json!([{"op": "append", "markdown": "Three"}]))).await.is_ok());
    assert_eq!(server.harness().journal().count("canvases.edit"), 6, "a lock is waited for");
}

/// S10. https://github.com/anthropics/claude-code/issues/80259
#[tokio::test(start_paused = true)]
async fn nobody_is_nameless_in_a_shared_channel() {
    let server = Server::start().await;
    let reply = server.call(&read("#customer-northwind")).await.text;
    assert!(reply.contains("Marcus Bell [ext T0NORTHWIND]:"), "{reply}");
    let gone = Action::Status {
        code: 200,
        headers: BTreeMap::new(),
        body: json!({"ok": false, "error": "user_not_found"}).to_string(),
        committed: false,
    };
    let server = Server::start().await;
    server.harness().faults().add(Rule::new("users.info", gone).always());
    let reply = server.call(&read("#customer-northwind")).await.text;
    assert!(reply.contains("W0MARCUS001 [ext T0NORTHWIND]:"), "{reply}");
    assert!(reply.lines().next().unwrap().contains("shown by id"), "{reply}");
}

/// Models know the arguments of Slack's own server, whose names are those of
/// github.com/pome-sh/digital-twins, fixtures/mcp-tools-list/slack.raw.json, and permalinks say `thread_ts`
/// (https://github.com/slackapi/slack-skills-plugin/issues/57).
#[tokio::test(start_paused = true)]
async fn arguments_by_the_names_of_slacks_own_server_are_understood() {
    let server = Server::start().await;
    let thread = ts("inc");
    let reply = json!({"channel_id": INCIDENT, "text": "Seen.", "thread_ts": thread});
    server.call(&Sample::new("send_message", reply)).await;
    assert_eq!(sent(&server, "chat.postMessage")[0]["thread_ts"], thread);
    for (tool, arguments) in [
        ("read_channel", json!({"channel_id": ENGINEERS, "oldest": "7d"})),
        ("read_thread", json!({"channel_id": INCIDENT, "message_ts": thread})),
        ("add_reaction", json!({"channel_id": INCIDENT, "message_ts": thread, "emoji": "eyes"})),
        ("list_channel_members", json!({"channel_id": ENGINEERS})),
        ("read_user_profile", json!({"user_id": "U0TOMAS0001"})),
    ] {
        server.call(&Sample::new(tool, arguments)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_members_of_a_channel_are_listed_without_its_apps_if_that_is_asked_for() {
    let server = Server::start().await;
    let members = Sample::new("list_channel_members", json!({"channel": ENGINEERS}));
    assert!(server.call(&members).await.text.contains("U0ASSISTANT"));
    let people = server.call(&members.with("include_bots", false)).await.text;
    assert!(people.contains("1 app left out") && !people.contains("U0ASSISTANT"), "{people}");
}
