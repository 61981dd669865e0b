//! What only Slack can get wrong: the cases that other servers' users reported, and what this server
//! promises of writing where people talk.

use std::{collections::BTreeMap, time::Duration};

use connector::testing::{Options, Sample, Sandboxed, tokens};
use connector::{
    Kind, Secret,
    access::{Principal, Selection},
    catalog::Answer,
    sandbox::{Action, Change, Rule},
    settings::Value as Setting,
};
use futures::{StreamExt as _, future::join_all, stream};
use serde_json::{Value, json};
use slack_mcp::{Slack, sandbox::ts_of};

type Server = Sandboxed<Slack>;

const INCIDENT: &str = "C0INC0IMPORT";
const ENGINEERS: &str = "C0ENGIMPORT";
const GENERAL: &str = "C0GENERAL00";

fn ts(name: &str) -> String {
    ts_of(name).unwrap()
}

fn all_toolsets() -> Options {
    Options {
        selection: Selection { toolsets: vec!["all".to_owned()], ..Selection::default() },
        ..Options::default()
    }
}

/// A server with settings of its own, over the fake as if it were Slack.
async fn with(settings: &[(&'static str, Setting)]) -> Server {
    let mut all = vec![("user-token", Setting::Secret(Secret::new("xoxp-sandbox")))];
    all.extend(settings.iter().cloned());
    Server::start_with(Options { settings: all, ..Options::default() }).await
}

fn text(value: &str) -> Setting {
    Setting::Text(value.to_owned())
}

fn list(values: &[&str]) -> Setting {
    Setting::List(values.iter().map(ToString::to_string).collect())
}

/// What was sent to a method, as its arguments.
fn sent(server: &Server, method: &str) -> Vec<BTreeMap<String, String>> {
    let entries = server.harness().journal().of(method);
    let form = |body: &str| url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    entries.iter().map(|entry| form(&entry.body)).collect()
}

/// The messages of a conversation in the fake, as it keeps them.
fn messages(server: &Server, channel: &str) -> Vec<Value> {
    let dump = server.dump();
    let all = dump["messages"].as_array().unwrap().iter();
    all.filter(|message| message["_channel"] == channel).cloned().collect()
}

/// Answers of history that show `messages` alone.
fn shows(server: &Server, messages: Value) {
    let fault = Action::Patch { changes: vec![Change::set("/messages", messages)] };
    server.harness().faults().add(Rule::new("conversations.history", fault));
}

fn read(channel: &str) -> Sample {
    Sample::new("read_channel", json!({"channel": channel}))
}

fn send(channel: &str, message: &str) -> Sample {
    Sample::new("send_message", json!({"channel": channel, "message": message}))
}

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
    let error = server.refusal(&reply(json!(1_764_400_000.100_1))).await;
    assert_eq!(error.kind(), Kind::InvalidArgument, "{error}");
    assert!(error.for_agent().contains("as text"), "{error}");
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
    let rows: Vec<&str> = reply.lines().filter(|line| line.starts_with("17")).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.contains("Tomás Herrera:")), "{reply}");
    let stray = Action::patch("/results/messages/0/author_user_id", json!("U0PRIYA0001"));
    server.harness().faults().add(Rule::new("assistant.search.context", stray));
    let reply = server.call(&Sample::new("search", query)).await.text;
    assert!(reply.lines().next().unwrap().contains("1 that did not fit the filters left out"), "{reply}");
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
    ] {
        server.call(&react(given)).await;
        assert_eq!(sent(&server, "reactions.add").last().unwrap()["name"], name);
    }
    let again = server.call(&react("thumbs_up")).await.text;
    assert!(again.starts_with("Nothing changed: "), "{again}");
    let error = server.refusal(&react("white_tick")).await;
    assert!(
        error.kind() == Kind::InvalidArgument && error.for_agent().contains("white_check_mark"),
        "{error}"
    );
    let remove =
        Sample::new("remove_reaction", json!({"channel": INCIDENT, "ts": ts("ask"), "emoji": "rocket"}));
    assert!(server.call(&remove).await.text.starts_with("Nothing changed: "));
    for (code, says) in [
        ("too_many_emoji", "as many reactions"),
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

/// How one outcome of the storm is made ambiguous.
fn ambiguity(number: usize) -> Action {
    let cut = |code| Action::Status { code, headers: BTreeMap::new(), body: String::new(), committed: true };
    match number % 8 {
        0 => Action::CloseAfter,
        1 => Action::Truncate { bytes: 20 },
        2 => Action::InvalidUtf8,
        3 => cut(502),
        4 => Action::Stall,
        5 => Action::CloseBefore,
        6 => Action::Delay { by: Duration::from_secs(120) },
        _ => Action::Html { code: 200 },
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_ambiguous_posts_make_no_duplicate_and_lose_nothing() {
    const POSTS: usize = 1_000;
    // Slack takes about one post a second of a channel: enough channels for all of them.
    let server = Server::start_tuned(Options::default(), |options| {
        options.breaker.consecutive_failures = u32::MAX;
        options.breaker.min_calls = u32::MAX;
    })
    .await;
    let listing = Sample::new("list_user_channels", json!({"types": ["public"], "limit": 50}));
    let names = server.call(&listing).await.text;
    let open = |line: &&str| {
        line.starts_with('C') && !line.contains("(archived)") && !line.contains("another organization")
    };
    let channels: Vec<String> =
        names.lines().filter(open).map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert!(channels.len() >= 18, "{names}");
    let outcomes: Vec<(usize, Result<String, connector::Error>)> = stream::iter(0..POSTS)
        .map(|number| {
            let (server, channel) = (&server, &channels[number % channels.len()]);
            async move {
                server.harness().faults().add(Rule::new("chat.postMessage", ambiguity(number)));
                let reply = server.try_call(&send(channel, &format!("storm {number}."))).await;
                (number, reply.map(|reply| reply.text))
            }
        })
        .buffer_unordered(16)
        .collect()
        .await;
    server.harness().faults().clear();
    // What was delayed lands by now.
    tokio::time::sleep(Duration::from_secs(200)).await;
    let dump = server.dump();
    let mut there: BTreeMap<&str, usize> = BTreeMap::new();
    for message in dump["messages"].as_array().unwrap() {
        *there.entry(message["text"].as_str().unwrap()).or_default() += 1;
    }
    let (mut done, mut unknown) = (0, 0);
    for (number, outcome) in &outcomes {
        let posted = there.get(format!("storm {number}.").as_str()).copied().unwrap_or_default();
        assert!(posted <= 1, "storm {number} was posted {posted} times");
        match outcome {
            Ok(text) => {
                done += 1;
                assert_eq!(posted, 1, "storm {number} is called done: {text}");
            }
            Err(error) if error.kind() == Kind::UnknownOutcome => unknown += 1,
            Err(error) => assert_eq!(posted, 0, "storm {number} is called failed, but is there: {error}"),
        }
    }
    println!("slack: {POSTS} ambiguous posts: {done} done, {unknown} told as unknown, no duplicate");
    assert!(done >= POSTS / 2, "only {done} were found again");
}

/// A lost answer, and a repetition that finds it done: neither is a failure, nor unknown where Slack can be asked.
#[tokio::test(start_paused = true)]
async fn every_write_whose_answer_was_lost_and_that_can_be_looked_for_is_told_as_done() {
    for (sample, operation) in [
        ("delete_message", json!({"channel": GENERAL, "ts": ts("review")}), "chat.delete"),
        (
            "update_message",
            json!({"channel": GENERAL, "ts": ts("review"), "message": "Friday."}),
            "chat.update",
        ),
        ("cancel_scheduled_message", json!({"id": "Q0REVIEW001"}), "chat.deleteScheduledMessage"),
        (
            "remove_reaction",
            json!({"channel": INCIDENT, "ts": ts("inc"), "emoji": "rotating_light"}),
            "reactions.remove",
        ),
        ("create_conversation", json!({"name": "import-cleanup"}), "conversations.create"),
        (
            "write_canvas",
            json!({"canvas": "F0RUNBOOK01", "operations": [{"op": "append", "markdown": "Done"}]}),
            "canvases.edit",
        ),
        (
            "write_canvas",
            json!({"canvas": "F0RUNBOOK01", "operations": [{"op": "delete", "section": "temp:C:RBb"}]}),
            "canvases.edit",
        ),
        ("write_canvas", json!({"canvas": "F0RUNBOOK01", "title": "Imports"}), "canvases.edit"),
        ("archive_channel", json!({"channel": "#events"}), "conversations.archive"),
        ("join_channel", json!({"channel": "#design"}), "conversations.join"),
        ("leave_channel", json!({"channel": "#releases"}), "conversations.leave"),
        ("update_channel", json!({"channel": ENGINEERS, "name": "eng-import-api"}), "conversations.rename"),
        ("invite_users", json!({"channel": ENGINEERS, "users": ["@grace"]}), "conversations.invite"),
        ("remove_user", json!({"channel": ENGINEERS, "user": "@priya"}), "conversations.kick"),
        ("pin_message", json!({"channel": INCIDENT, "ts": ts("ask")}), "pins.add"),
        (
            "save_bookmark",
            json!({"channel": INCIDENT, "title": "S", "link": "https://s.example"}),
            "bookmarks.add",
        ),
        ("remove_bookmark", json!({"channel": INCIDENT, "id": "Bk0RUNBOOK1"}), "bookmarks.remove"),
        ("save_usergroup", json!({"name": "Data people", "handle": "data-people"}), "usergroups.create"),
        (
            "update_usergroup_members",
            json!({"group": "@oncall", "add": ["@priya"]}),
            "usergroups.users.update",
        ),
        (
            "save_list_item",
            json!({"list": "F0LISTACTN1", "fields": {"Action": "Tell Northwind"}}),
            "slackLists.items.create",
        ),
        (
            "save_list_item",
            json!({"list": "F0LISTACTN1", "item": "Rec0ACTION1", "fields": {"Action": "Ask"}}),
            "slackLists.items.update",
        ),
    ]
    .map(|(tool, arguments, operation)| (Sample::new(tool, arguments), operation))
    {
        let server = Server::start_with(all_toolsets()).await;
        server.harness().faults().add(Rule::new(operation, Action::CloseAfter));
        let before = server.dump();
        let text = server.call(&sample).await.text;
        assert_ne!(server.dump(), before, "{}: {text}", sample.tool);
        assert!(!text.contains("Nothing changed"), "{} {:?}: {text}", sample.tool, sample.arguments);
        let once = Server::start_with(all_toolsets()).await;
        once.call(&sample).await;
        let count = |server: &Server| {
            let dump = server.dump();
            let tables = dump.as_object().unwrap().values();
            tables.map(|rows| rows.as_array().map_or(0, Vec::len)).sum::<usize>()
        };
        assert_eq!(count(&server), count(&once), "{} was done twice", sample.tool);
        // One that did not arrive at all is not called done.
        let server = Server::start_with(all_toolsets()).await;
        let before = server.dump();
        server.harness().faults().add(Rule::new(operation, Action::CloseBefore).always());
        let error = server.refusal(&sample).await;
        assert_ne!(error.kind(), Kind::Internal, "{error}");
        assert_eq!(server.dump(), before, "{}", sample.tool);
    }
}

/// "No more than one per second per channel" (docs.slack.dev/apis/web-api/rate-limits): kept here, so that Slack
/// need not refuse, and other channels do not wait.
#[tokio::test(start_paused = true)]
async fn messages_in_one_conversation_keep_their_pace_and_a_longer_queue_is_told() {
    let server = Server::start().await;
    server.call(&read(ENGINEERS)).await;
    server.call(&read(GENERAL)).await;
    let started = tokio::time::Instant::now();
    for _ in 0..4 {
        server.call(&send(ENGINEERS, "One of four.")).await;
    }
    assert_eq!(started.elapsed().as_secs(), 3);
    let (one, other) = (send(ENGINEERS, "Later."), send(GENERAL, "Now."));
    let started = tokio::time::Instant::now();
    server.call(&other).await;
    assert_eq!(started.elapsed().as_secs(), 0, "another channel waits for none");
    let outcomes = join_all((0..50).map(|_| server.try_call(&one))).await;
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!((15..=25).contains(&refused.len()), "{}", refused.len());
    for error in refused {
        assert_eq!(error.kind(), Kind::RateLimited, "{error}");
        assert!(error.for_agent().contains("messages in one conversation"), "{}", error.for_agent());
        assert!(error.retry_after().is_some_and(|wait| wait.as_secs() >= 25), "{error:?}");
    }
    let slow = with(&[("posts-per-minute", Setting::Number(6))]).await;
    slow.call(&send(ENGINEERS, "First.")).await;
    let started = tokio::time::Instant::now();
    slow.call(&send(ENGINEERS, "Second.")).await;
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_post_whose_answer_was_lost_is_found_by_its_mark_and_told_as_done() {
    let server = Server::start().await;
    server.harness().faults().add(Rule::new("chat.postMessage", Action::CloseAfter));
    let reply = server.call(&send(ENGINEERS, "Once.")).await.text;
    assert!(reply.contains("looked for and is there once"), "{reply}");
    assert_eq!(server.harness().journal().count("chat.postMessage"), 1);
    let posted =
        messages(&server, ENGINEERS).into_iter().filter(|message| message["text"] == "Once.").count();
    assert_eq!(posted, 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_scheduled_message_is_looked_for_and_it_carries_no_metadata() {
    let server = Server::start().await;
    server.harness().faults().add(Rule::new("chat.scheduleMessage", Action::CloseAfter));
    let later = json!({"channel": ENGINEERS, "message": "Later.", "post_at": "in 2h"});
    let reply = server.call(&Sample::new("schedule_message", later)).await.text;
    assert!(reply.contains("is scheduled once"), "{reply}");
    let asked = sent(&server, "chat.scheduleMessage");
    assert!(asked.len() == 1 && !asked[0].contains_key("metadata"));
    server.harness().clock().advance(Duration::from_secs(7_300));
    server.call(&read(ENGINEERS)).await;
    assert!(messages(&server, ENGINEERS).iter().any(|message| message["text"] == "Later."));
}

#[tokio::test(start_paused = true)]
async fn twenty_parallel_calls_with_an_expired_token_refresh_once() {
    let server = Server::start().await;
    // A login of the fake's, made as a browser would.
    let base = server.harness().url().clone();
    let http =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let consent = base.join("oauth/v2/authorize?client_id=1111111111.2222222222&user_scope=users:read,users:read.email,channels:read,groups:read,im:read,mpim:read,channels:history&redirect_uri=http://localhost:1/x&state=s").unwrap();
    let answer = http.get(consent).send().await.unwrap();
    let target = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let code = target.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("client_id", "1111111111.2222222222"),
            ("client_secret", "sandbox-secret"),
            ("code", &code),
            ("redirect_uri", "http://localhost:1/x"),
        ])
        .finish();
    let exchange = http
        .post(base.join("api/oauth.v2.access").unwrap())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let tokens: Value =
        serde_json::from_slice(&exchange.send().await.unwrap().bytes().await.unwrap()).unwrap();
    let refresh = tokens["authed_user"]["refresh_token"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let upstream = connector::upstream::Options::new(base.join("api").unwrap());
    let mut config = connector::settings::Config::default();
    for (key, value) in [
        ("client-id", text("1111111111.2222222222")),
        ("client-secret", Setting::Secret(Secret::new("sandbox-secret"))),
        ("refresh-token", Setting::Secret(Secret::new(refresh))),
        ("token-store", Setting::Path(folder.path().join("login"))),
    ] {
        config.set(key, value);
    }
    let slack = <Slack as connector::Connector>::connect(&config, upstream).unwrap();
    let catalog = <Slack as connector::Connector>::catalog().select(&Selection::default()).unwrap();
    let service = connector::Service::new(slack, catalog, connector::ServiceOptions::default());
    let calls = || async {
        let one = || async {
            let tool = service.tool("read_channel").unwrap();
            let arguments = json!({"channel": GENERAL}).as_object().cloned().unwrap();
            service
                .call(
                    tool,
                    Principal::local(),
                    arguments,
                    false,
                    std::sync::Arc::new(connector::catalog::Silent),
                )
                .await
        };
        join_all((0..20).map(|_| one())).await
    };
    let exchanges = || server.harness().journal().count("oauth.v2.access");
    assert!(calls().await.iter().all(Result::is_ok), "{:?}", calls().await);
    assert_eq!(exchanges(), 2, "the login was renewed once, to begin with");
    server.harness().clock().advance(Duration::from_secs(43_300));
    assert!(calls().await.iter().all(Result::is_ok));
    assert_eq!(exchanges(), 3, "twenty calls with an expired token renewed it once");
}

#[tokio::test(start_paused = true)]
async fn private_text_is_never_kept_beyond_its_request() {
    let server = Server::start().await;
    for (sample, method) in [
        (read("#deals"), "conversations.history"),
        (Sample::new("read_thread", json!({"channel": INCIDENT, "ts": ts("inc")})), "conversations.replies"),
        (Sample::new("search", json!({"query": "import"})), "assistant.search.context"),
        (Sample::new("read_file", json!({"file": "F0GRAPH0001"})), "files download"),
    ] {
        let method = if method == "files download" { "GET /files-pri" } else { method };
        for asked in 1..=2 {
            server.call(&sample).await;
            assert_eq!(server.harness().journal().count(method), asked, "{method}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_directory_is_read_before_a_name_needs_one() {
    let server = Server::start().await;
    assert!(server.service().catalog().all_tools().len() > 20);
    assert!(server.harness().journal().entries().is_empty(), "starting asked Slack");
    server.call(&read(INCIDENT)).await;
    server.call(&send(INCIDENT, "Done.")).await;
    for directory in ["users.list", "conversations.list", "users.conversations"] {
        assert_eq!(server.harness().journal().count(directory), 0, "{directory}");
    }
    // A handle that was just read needs none either.
    server.call(&send(INCIDENT, "Thanks @grace.")).await;
    assert_eq!(server.harness().journal().count("users.list"), 0);
}

#[tokio::test(start_paused = true)]
async fn mentions_are_looked_up_and_told_and_code_is_left_alone() {
    let server = Server::start().await;
    let message = "Hi @tomas and @imports-team, see #general, not `@priya` nor @nobody.here or a@b.example.";
    let reply = server.call(&send(ENGINEERS, message)).await.text;
    let wire = &sent(&server, "chat.postMessage")[0]["markdown_text"];
    assert_eq!(
        wire,
        "Hi <@U0TOMAS0001> and <!subteam^S0IMPORTS01>, see <#C0GENERAL00>, not `@priya` nor @nobody.here or a@b.example."
    );
    assert!(
        reply.contains("@tomas (Tomás Herrera)") && reply.contains("@imports-team (3 people)"),
        "{reply}"
    );
    assert!(reply.contains("nobody is notified: @nobody.here"), "{reply}");
    let reply = server.call(&send(ENGINEERS, "@jonas.lindgren please")).await.text;
    assert!(reply.contains("Jonas Lindgren"), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn broadcasts_and_other_organizations_are_refused_unless_allowed_and_then_asked_about() {
    let server = Server::start().await;
    for message in ["@here lunch", "<!channel> lunch", "hello @everyone"] {
        let error = server.refusal(&send(ENGINEERS, message)).await;
        assert_eq!(error.kind(), Kind::Policy, "{error}");
    }
    assert_eq!(server.refusal(&send("#customer-northwind", "Hello.")).await.kind(), Kind::Policy);
    assert_eq!(server.harness().journal().count("chat.postMessage"), 0);
    assert!(server.try_call(&send(ENGINEERS, "`@here` is a word")).await.is_ok());
    let server =
        with(&[("allow-broadcast", Setting::Switch(true)), ("allow-external", Setting::Switch(true))]).await;
    for sample in [send(ENGINEERS, "@here lunch"), send("#customer-northwind", "Hello.")] {
        let answer = server.answer(&sample).await.unwrap();
        assert!(matches!(answer, Answer::Question(_)), "{sample:?}");
    }
    server.call(&send(ENGINEERS, "@here lunch")).await;
    assert_eq!(sent(&server, "chat.postMessage")[0]["markdown_text"], "<!here> lunch");
}

#[tokio::test(start_paused = true)]
async fn what_was_read_in_private_asks_before_it_is_posted_to_more_people() {
    let server = Server::start().await;
    let post = send(ENGINEERS, "Northwind pays well.");
    assert!(matches!(server.answer(&post).await.unwrap(), Answer::Reply(_)));
    server.call(&read("#deals")).await;
    assert!(matches!(server.answer(&post).await.unwrap(), Answer::Question(_)));
    assert!(matches!(server.answer(&send("#deals", "Noted.")).await.unwrap(), Answer::Reply(_)));
    // By whatever way it would get there, and by whatever way it was read.
    let ways = || {
        [
            ("write_canvas", json!({"channel": ENGINEERS, "title": "Prices", "markdown": "84,000"})),
            ("update_channel", json!({"channel": ENGINEERS, "topic": "84,000"})),
            ("save_bookmark", json!({"channel": ENGINEERS, "title": "84,000", "link": "https://a.example"})),
            ("schedule_message", json!({"channel": ENGINEERS, "message": "84,000", "post_at": "in 2h"})),
            ("upload_file", json!({"channel": ENGINEERS, "filename": "a.txt", "text": "84,000"})),
            ("send_ephemeral", json!({"channel": ENGINEERS, "user": "@tomas", "message": "84,000"})),
            ("create_conversation", json!({"name": "prices", "topic": "84,000"})),
        ]
    };
    for (tool, arguments) in ways() {
        let before = Server::start_with(all_toolsets()).await;
        let sample = Sample::new(tool, arguments);
        assert!(matches!(before.answer(&sample).await.unwrap(), Answer::Reply(_)), "{tool} asks anyway");
    }
    let private = [
        Sample::new("search_private", json!({"query": "Northwind", "in": "#deals"})),
        Sample::new("catch_up", json!({"channels": ["#deals"], "since": "30d"})),
    ];
    for read in private {
        let server = Server::start_with(all_toolsets()).await;
        server.call(&read).await;
        for (tool, arguments) in ways() {
            let answer = server.answer(&Sample::new(tool, arguments)).await.unwrap();
            assert!(matches!(answer, Answer::Question(_)), "{tool} after {}", read.tool);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn bounds_are_checked_when_a_name_has_become_a_conversation() {
    let server =
        with(&[("allow-channels", list(&["eng-*", "general"])), ("deny-write-channels", list(&["eng-*"]))])
            .await;
    server.call(&read("#eng-imports")).await;
    let deals = "https://harbor-example.slack.com/archives/C0DEALS0000/p1764400000100100";
    for channel in ["#deals", "C0DEALS0000", "<#C0DEALS0000|eng-imports>", deals, "#design"] {
        let error = server.refusal(&read(channel)).await;
        assert_eq!(error.kind(), Kind::Policy, "{channel}: {error}");
    }
    assert_eq!(server.harness().journal().count("conversations.history"), 1);
    let found = server.call(&Sample::new("search_private", json!({"query": "Northwind"}))).await.text;
    assert!(!found.contains("84,000"), "{found}");
    assert_eq!(server.refusal(&send(ENGINEERS, "x")).await.kind(), Kind::Policy);
    let thread = json!({"ts": deals});
    assert_eq!(server.refusal(&Sample::new("get_message", thread)).await.kind(), Kind::Policy);
    assert!(server.try_call(&send("#general", "x")).await.is_ok());
    assert_eq!(server.refusal(&send("#design", "x")).await.kind(), Kind::Policy, "neither read nor written");
    // What lies in no conversation, or in none that is allowed, is no way around.
    for (tool, arguments) in [
        ("create_conversation", json!({"name": "import-cleanup"})),
        ("create_conversation", json!({"users": ["@priya"]})),
        ("write_canvas", json!({"title": "Plan", "markdown": "Ours."})),
        ("read_file", json!({"file": "F0CONTRACT1"})),
    ] {
        let error = server.refusal(&Sample::new(tool, arguments.clone())).await;
        assert_eq!(error.kind(), Kind::Policy, "{tool} {arguments}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_history_of_an_unlisted_app_is_told_as_what_it_is() {
    let options = Options { credential: Some("xoxp-sandbox-unlisted"), ..Options::default() };
    let server = Server::start_with(options).await;
    let thread = Sample::new("read_thread", json!({"channel": INCIDENT, "ts": ts("inc")}));
    let reply = server.call(&thread).await.text;
    assert!(reply.starts_with("15 messages"), "{reply}");
    let me = server.call(&Sample::new("whoami", json!({}))).await.text;
    assert!(me.contains("15 messages a minute"), "{me}");
}

#[tokio::test(start_paused = true)]
async fn a_bot_reads_where_it_is_and_is_told_the_way_in_elsewhere() {
    let server = Server::start_with(Options {
        settings: vec![("bot-token", Setting::Secret(Secret::new("xoxb-sandbox")))],
        ..Options::default()
    })
    .await;
    server.call(&read("#eng-imports")).await;
    let error = server.refusal(&read("#design")).await;
    assert!(error.kind() == Kind::Permission && error.for_agent().contains("Invite the app"), "{error}");
    let error = server.refusal(&Sample::new("search", json!({"query": "import"}))).await;
    assert!(error.for_agent().contains("SLACK_USER_TOKEN"), "{error}");
    let both =
        with(&[("bot-token", Setting::Secret(Secret::new("xoxb-sandbox"))), ("act-as", text("bot"))]).await;
    both.call(&Sample::new("search", json!({"query": "import"}))).await;
    both.call(&send(ENGINEERS, "Deployed.")).await;
    let posted = messages(&both, ENGINEERS);
    assert_eq!(posted.last().unwrap()["user"], "U0ASSISTANT");
}

/// What people say in fifty ordinary messages. The price is promised for this text.
const CORPUS: [&str; 25] = [
    "Morning! Is the staging deploy still blocked?",
    "Yes, the migration takes longer than we thought. Give it ten more minutes.",
    "ok, I'll wait with the release notes then",
    "Can somebody look at https://github.com/harbor-example/import-api/pull/482 before lunch?",
    "On it.",
    "Left two comments, nothing that blocks. The naming of the flag confused me a bit.",
    "Thanks, renamed it.",
    "Customer question: can they import the same file twice without getting double stock?",
    "With v2.14 yes, every row has a key now.",
    "Great, I'll tell them. Do we have a page about it?",
    "Not yet, I'll write one this afternoon.",
    "The nightly job ran through in six minutes, down from forty.",
    "Nice!",
    "Heads-up: I'm out from Thursday, Priya covers for me.",
    "Who owns the retry settings? They are different in the two regions.",
    "That was me, the second region had the old template. Fixed.",
    "Could we keep the failed rows for 60 days instead of 30? Support asks for it.",
    "Fine with me, it's 2 GB a month.",
    "Then let's do it next sprint, please open an issue.",
    "Done, ENG-41.",
    "Reminder that the review is at 14:00 today.",
    "I can't make it, please record it.",
    "Sure.",
    "Does anybody know why the dashboard shows yesterday's numbers?",
    "Cache. Reload with shift, or wait an hour.",
];

#[tokio::test(start_paused = true)]
async fn fifty_ordinary_messages_cost_at_most_forty_tokens_each() {
    let server = Server::start().await;
    let people = ["U0MAYA00001", "U0TOMAS0001", "U0PRIYA0001", "U0JONAS0001"];
    let message = |place: usize| {
        let ts = format!("{}.{:06}", 1_764_300_000 + 40_000 - place * 700, (place * 104_729) % 1_000_000);
        let mut message =
            json!({"type": "message", "ts": ts, "user": people[place % 4], "text": CORPUS[place % 25]});
        if place.is_multiple_of(7) {
            message["reactions"] = json!([{"name": "+1", "count": 2, "users": [people[0], people[1]]}]);
        }
        if place % 10 == 3 {
            message["reply_count"] = json!(4);
            message["latest_reply"] = json!("1764339999.000100");
        }
        message
    };
    shows(&server, (0..50).map(message).collect());
    let text = server.call(&read(ENGINEERS).with("limit", 50)).await.text;
    let cost = tokens(&text);
    println!("slack: 50 messages cost {cost} tokens, {:.1} each", cost as f64 / 50.0);
    assert!(text.starts_with("50 messages"), "{text}");
    assert!(cost <= 50 * 40, "{cost} tokens for 50 messages: {text}");
}

#[tokio::test(start_paused = true)]
async fn a_long_message_is_posted_in_parts_in_one_thread() {
    let server = Server::start().await;
    let long = (0..400)
        .map(|line| format!("Line {line} of a long report that goes on and on.\n\n"))
        .collect::<String>();
    let reply = server.call(&send(ENGINEERS, &long)).await.text;
    let posts = sent(&server, "chat.postMessage");
    assert!(posts.len() >= 2 && reply.contains(&format!("{} posts", posts.len())), "{reply}");
    let first = messages(&server, ENGINEERS)
        .iter()
        .find(|message| message["text"].as_str().unwrap().starts_with("Line 0 "))
        .unwrap()["ts"]
        .clone();
    assert!(posts[1..].iter().all(|post| first == post["thread_ts"].as_str()), "{first}");
    assert!(posts.iter().all(|post| post["markdown_text"].chars().count() <= 12_000));
}

/// What search gives of a message of blocks or attachments is empty: the message itself is read.
#[tokio::test(start_paused = true)]
async fn a_message_without_text_is_found_with_what_it_shows() {
    let server = Server::start().await;
    let reply = server.call(&Sample::new("search", json!({"query": "Warehouse Duplicates"}))).await.text;
    assert!(reply.contains("Oslo | 1,200") && !reply.contains("[no text"), "{reply}");
    let escaped = json!([{"type": "section", "text": {"type": "mrkdwn", "text": "use &amp;lt;b&amp;gt;"}}]);
    let bare = Action::Patch {
        changes: vec![
            Change::set("/results/messages/0/content", json!("")),
            Change::set("/results/messages/0/blocks", escaped),
        ],
    };
    server.harness().faults().add(Rule::new("assistant.search.context", bare));
    let reply = server.call(&Sample::new("search", json!({"query": "lunch"}))).await.text;
    assert!(reply.contains("use &lt;b&gt;"), "decoded once: {reply}");
}

#[tokio::test(start_paused = true)]
async fn what_was_not_seen_is_said() {
    let server = Server::start().await;
    let free = Action::Patch { changes: vec![Change::set("/is_limited", json!(true))] };
    server.harness().faults().add(Rule::new("conversations.history", free));
    let reply = server.call(&read(ENGINEERS)).await.text;
    assert!(reply.lines().next().unwrap().contains("free plan hides messages older than 90 days"), "{reply}");
    let reply = server.call(&Sample::new("catch_up", json!({"since": "7d"}))).await.text;
    assert!(reply.lines().next().unwrap().contains("replies in older threads not"), "{reply}");
    let refused = Action::Status {
        code: 200,
        headers: BTreeMap::new(),
        body: json!({"ok": false, "error": "access_denied"}).to_string(),
        committed: false,
    };
    server.harness().faults().add(Rule::new("conversations.history", refused).always());
    let reply = server.call(&Sample::new("catch_up", json!({"since": "7d"}))).await.text;
    assert!(reply.matches("Not read: ").count() == 5 && reply.contains("more could not be read."), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_several_people_have_is_asked_back_and_nothing_is_sent() {
    let server = Server::start().await;
    let same = Change::set("/members/1/profile/display_name", json!("priya"));
    server.harness().faults().add(Rule::new("users.list", Action::Patch { changes: vec![same] }).always());
    let error = server.refusal(&send("@priya", "Hello.")).await;
    assert_eq!(error.kind(), Kind::InvalidArgument, "{error}");
    assert!(error.for_agent().contains("@priya (Priya Raman)"), "{}", error.for_agent());
    assert!(error.for_agent().contains("(Tomás Herrera)"), "{}", error.for_agent());
    let reply = server.call(&send(ENGINEERS, "cc @priya and @pri")).await.text;
    assert!(reply.contains("nobody is notified") && !reply.contains("notifies @"), "{reply}");
    assert_eq!(sent(&server, "chat.postMessage").len(), 1);
}

/// Directories are kept for a while; a name that is not in them may be new.
#[tokio::test(start_paused = true)]
async fn what_a_colleague_has_just_made_is_found_by_its_name() {
    let server = Server::start_with(all_toolsets()).await;
    server.refusal(&read("#import-cleanup")).await;
    let colleague = server.colleague(all_toolsets());
    let tell = async |tool: &str, arguments: Value| {
        let (tool, arguments) = (colleague.tool(tool).unwrap(), arguments.as_object().cloned().unwrap());
        let silent = std::sync::Arc::new(connector::catalog::Silent);
        colleague.call(tool, Principal::named("colleague"), arguments, false, silent).await.unwrap();
    };
    tell("create_conversation", json!({"name": "import-cleanup"})).await;
    tell("save_usergroup", json!({"name": "Data people", "handle": "data-people"})).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(server.call(&read("#import-cleanup")).await.text.contains("#import-cleanup"));
    server.call(&Sample::new("list_usergroups", json!({"group": "@data-people"}))).await;
    // A group's members are replaced as a whole: by those of now, not of when they were last read.
    tell("update_usergroup_members", json!({"group": "@oncall", "add": ["@tomas"]})).await;
    let change = json!({"group": "@oncall", "add": ["@priya"]});
    server.call(&Sample::new("update_usergroup_members", change)).await;
    let users = sent(&server, "usergroups.users.update").last().unwrap()["users"].clone();
    assert_eq!(users, "U0JONAS0001,U0TOMAS0001,U0PRIYA0001");
}

#[tokio::test(start_paused = true)]
async fn an_opt_in_group_change_shows_its_difference_and_sends_the_whole() {
    let server = Server::start_with(all_toolsets()).await;
    let change = json!({"group": "@oncall", "add": ["@priya"], "remove": ["@jonas"]});
    let reply = server.call(&Sample::new("update_usergroup_members", change)).await.text;
    assert!(reply.contains("adds @priya") && reply.contains("removes @jonas"), "{reply}");
    assert_eq!(sent(&server, "usergroups.users.update")[0]["users"], "U0PRIYA0001");
}

#[tokio::test(start_paused = true)]
async fn several_workspaces_are_served_by_one_server_each_with_its_own_token() {
    let folder = tempfile::tempdir().unwrap();
    let token = |name: &str, value: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, value).unwrap();
        path.display().to_string()
    };
    let file = folder.path().join("workspaces.toml");
    let (acme, beta) = (token("acme", "xoxp-sandbox-2"), token("beta", "xoxb-sandbox"));
    std::fs::write(&file, format!("[acme]\nuser-token-file = {acme:?}\n[beta]\nbot-token-file = {beta:?}\n"))
        .unwrap();
    let settings = vec![("workspaces", Setting::Path(file.clone()))];
    let server = Server::start_with(Options { settings: settings.clone(), ..Options::default() }).await;
    let me = server.call(&Sample::new("whoami", json!({}))).await.text;
    assert!(me.contains("Workspace acme: @maya") && me.contains("Workspace beta: @harbor-assistant"), "{me}");
    server.call(&read(GENERAL).with("workspace", "beta")).await;
    server.call(&read(GENERAL)).await;
    let tokens: Vec<_> = server
        .harness()
        .journal()
        .of("conversations.history")
        .iter()
        .map(|entry| entry.credential.clone())
        .collect();
    assert_ne!(tokens[0], tokens[1], "each workspace is asked with its own token");
    let error = server.refusal(&read(GENERAL).with("workspace", "gamma")).await;
    assert!(error.for_agent().contains("There are: acme, beta"), "{error}");
    std::fs::write(&file, "[acme]\nuser-tokn-file = \"x\"\n").unwrap();
    let mut config = connector::settings::Config::default();
    config.set("workspaces", Setting::Path(file));
    let options = connector::upstream::Options::new(url::Url::parse("https://slack.com/api").unwrap());
    let error = <Slack as connector::Connector>::connect(&config, options).unwrap_err();
    assert!(error.for_agent().contains("user-token-file"), "{error}");
}
