//! What Slack gives a part of is made whole, or told to be a part.

use std::collections::BTreeMap;

use connector::{
    Kind, Secret,
    sandbox::{Action, Change, Rule},
    settings::Value as Setting,
    testing::{Sample, cursor, rows},
};
use serde_json::{Value, json};

use crate::support::{
    ENGINEERS, GENERAL, INCIDENT, Server, messages, read, send, sent, shows, text, ts, with,
};

/// A cursor of the fake's lists that begins from the first row again, and one of its history.
const AGAIN: &str = "bmV4dDowMDAwMDA=";
const OLDER: &str = "bmV4dF90czoxNzY0NDAwMDAwLjAwMDEwMA==";

fn refused(code: &str) -> Action {
    let body = json!({"ok": false, "error": code, "needed": "search:read.private"}).to_string();
    Action::Status { code: 200, headers: BTreeMap::new(), body, committed: false }
}

fn more(cursor: &str) -> Change {
    Change::set("/response_metadata", json!({"next_cursor": cursor}))
}

fn patch(server: &Server, method: &'static str, changes: Vec<Change>) {
    server.harness().faults().add(Rule::new(method, Action::Patch { changes }));
}

fn catch_up(arguments: Value) -> Sample {
    Sample::new("catch_up", arguments)
}

/// One page of history, newest first, and whether older ones follow.
fn page(server: &Server, texts: &[&str], has_more: bool) {
    let said = texts.iter().enumerate().map(|(number, text)| {
        let ts = format!("17644{:05}.000100", 50_000 - number);
        json!({"ts": ts, "user": "U0TOMAS0001", "text": text})
    });
    let messages: Vec<Value> = said.collect();
    let cursor = if has_more { OLDER } else { "" };
    let changes = vec![
        Change::set("/messages", json!(messages)),
        Change::set("/has_more", json!(has_more)),
        more(cursor),
    ];
    patch(server, "conversations.history", changes);
}

#[tokio::test(start_paused = true)]
async fn a_mention_before_the_newest_page_is_found_or_said_not_to_be_looked_for() {
    let server = Server::start().await;
    let asked = json!({"channels": ["#general"], "since": "30d", "mentions_only": true});
    page(&server, &["one", "two"], true);
    page(&server, &["<@U0MAYA00001> please"], false);
    let reply = server.call(&catch_up(asked.clone())).await.text;
    assert!(reply.contains("3 new since") && reply.contains(", 1 mention"), "{reply}");
    for _ in 0..3 {
        page(&server, &["one", "two"], true);
    }
    let reply = server.call(&catch_up(asked.clone())).await.text;
    assert!(reply.contains("6+ new since") && reply.contains("older ones not looked at"), "{reply}");
    // Nobody is mentioned in all that there is.
    page(&server, &["one", "two"], false);
    let reply = server.call(&catch_up(asked)).await.text;
    assert!(reply.contains("Nothing new mentions you there."), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_read_is_not_told_as_nothing_new() {
    let server = Server::start().await;
    let asked = json!({"channels": ["#general", "#eng-imports"], "since": "1h"});
    server.harness().faults().add(Rule::new("conversations.history", refused("access_denied")));
    let reply = server.call(&catch_up(asked.clone())).await.text;
    assert!(reply.contains("Nothing new in what could be read.") && reply.contains("Not read: "), "{reply}");
    server.harness().faults().add(Rule::new("conversations.history", refused("access_denied")).times(2));
    let error = server.refusal(&catch_up(asked)).await;
    assert_eq!(error.kind(), Kind::Permission, "{error}");
}

#[tokio::test(start_paused = true)]
async fn conversations_beyond_those_that_are_looked_through_are_told() {
    let server = Server::start().await;
    let all = catch_up(json!({"since": "1h", "max_channels": 1}));
    let reply = server.call(&all).await.text;
    assert!(!reply.contains("there are more"), "{reply}");
    assert_eq!(sent(&server, "users.conversations")[0]["limit"], "999");
    let server = Server::start().await;
    for _ in 0..3 {
        patch(&server, "users.conversations", vec![more(AGAIN)]);
    }
    let reply = server.call(&all).await.text;
    assert!(reply.lines().next().unwrap().contains("conversations; there are more"), "{reply}");
}

/// Of #general the newest of the story is of an hour ago, whatever time it is today.
fn shows_a_recent_one(server: &Server) {
    let mut recent = messages(server, GENERAL).pop().unwrap();
    recent["ts"] = json!(format!("{}.000100", jiff::Timestamp::now().as_second() - 3_600));
    shows(server, json!([recent]));
}

/// The mark moves in Slack itself, too.
#[tokio::test(start_paused = true)]
async fn what_was_read_in_slack_meanwhile_is_not_new() {
    let server = Server::start().await;
    shows_a_recent_one(&server);
    let asked = catch_up(json!({"channels": ["#general"]}));
    let reply = server.call(&asked).await.text;
    assert!(reply.contains("new since"), "{reply}");
    let newest = messages(&server, GENERAL).last().unwrap()["ts"].clone();
    patch(&server, "conversations.info", vec![Change::set("/channel/last_read", newest.clone())]);
    patch(&server, "conversations.info", vec![Change::set("/channel/last_read", newest)]);
    let reply = server.call(&asked).await.text;
    assert!(reply.contains("Nothing new there"), "{reply}");
}

/// docs.slack.dev/reference/methods/reactions.get: `users` may name fewer than `count`.
#[tokio::test(start_paused = true)]
async fn everybody_who_reacted_is_named_or_counted_and_ones_own_reaction_is_not_missed() {
    let server = Server::start().await;
    let all = messages(&server, GENERAL);
    let of = |name: &str| {
        let has = |message: &&Value| message["reactions"].to_string().contains(&format!("\"{name}\""));
        all.iter().find(has).unwrap()["ts"].as_str().unwrap().to_owned()
    };
    let get = Sample::new("get_message", json!({"channel": GENERAL, "ts": of("tada")}));
    let reply = server.call(&get).await.text;
    assert!(reply.contains(":tada: by maya, tomas, priya, jonas, grace\n"), "{reply}");
    server.harness().faults().add(Rule::new("reactions.get", refused("missing_scope")));
    let reply = server.call(&get).await.text;
    assert!(reply.contains(":tada: by maya, tomas, priya and 2 more\n"), "{reply}");
    // Three others reacted before.
    let react = |tool: &'static str| {
        Sample::new(tool, json!({"channel": GENERAL, "ts": of("wave"), "emoji": "wave"}))
    };
    server.call(&react("add_reaction")).await;
    let reply = server.call(&react("add_reaction")).await.text;
    assert!(reply.contains("Nothing changed"), "{reply}");
    assert_eq!(server.harness().journal().count("reactions.add"), 1);
    server.harness().faults().add(Rule::new("reactions.get", refused("missing_scope")).times(2));
    let reply = server.call(&react("add_reaction")).await.text;
    assert!(reply.contains("Nothing changed"), "{reply}");
    let reply = server.call(&react("remove_reaction")).await.text;
    assert!(reply.starts_with("Took back :wave:"), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn the_next_page_of_a_thread_goes_on_from_a_reply_as_from_its_parent() {
    let server = Server::start().await;
    let all = messages(&server, INCIDENT);
    let replies =
        all.iter().filter(|message| message["thread_ts"] == ts("inc") && message["ts"] != ts("inc"));
    let reply = replies.map(|message| message["ts"].clone()).next().unwrap();
    let thread = Sample::new("read_thread", json!({"channel": INCIDENT, "ts": reply, "limit": 3}));
    let first = server.call(&thread).await.text;
    let cursor = cursor(&first).unwrap();
    let second = server.call(&thread.clone().with("cursor", cursor)).await.text;
    assert!(!rows(&second).is_empty() && rows(&second)[0] != rows(&first)[0], "{second}");
    assert!(second.lines().next().unwrap().contains(&format!("thread {}", ts("inc"))), "{second}");
    assert!(second.contains("is a reply in it"), "{second}");
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_no_page_holds_is_left_to_slacks_own_search() {
    let server = Server::start().await;
    let find = |query: &str| Sample::new("search_users", json!({"query": query}));
    // The first page has others only.
    let page = vec![Change::set("/members", json!([{"id": "U0SOFIA0001", "name": "sofia"}])), more(AGAIN)];
    patch(&server, "users.list", page);
    let reply = server.call(&find("priya")).await.text;
    assert!(reply.contains("U0PRIYA0001") && reply.contains("by Slack's search"), "{reply}");
    assert_eq!(server.harness().journal().count("users.list"), 1);
    // A part has no total.
    assert!(reply.starts_with("1 person "), "{reply}");
    let server = Server::start().await;
    for _ in 0..10 {
        patch(&server, "users.list", vec![more(AGAIN)]);
    }
    server.harness().faults().add(Rule::new("assistant.search.context", refused("missing_scope")).always());
    let reply = server.call(&find("priya").with("limit", 1)).await.text;
    assert!(reply.starts_with("1 person ") && reply.contains("among the first"), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn channels_beyond_those_that_were_looked_through_are_left_to_slacks_own_search() {
    let server = Server::start().await;
    for _ in 0..10 {
        patch(&server, "conversations.list", vec![more(AGAIN)]);
    }
    let reply = server.call(&Sample::new("search_channels", json!({"query": "import nowhere"}))).await.text;
    assert!(rows(&reply).iter().any(|row| row.contains("#eng-imports")), "{reply}");
    assert!(reply.contains("of those, what Slack's search finds"), "{reply}");
    assert_eq!(sent(&server, "assistant.search.context")[0]["channel_types"], "public_channel");
}

#[tokio::test(start_paused = true)]
async fn the_members_of_a_large_group_have_their_names() {
    let server = Server::start().await;
    let dump = server.dump();
    let known = dump["users"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned());
    let strange = (0..50).map(|number| format!("U9STRANGE{number:02}"));
    let ids: Vec<String> = strange.chain(known.filter(|id| id.starts_with('U'))).collect();
    patch(&server, "usergroups.list", vec![Change::set("/usergroups/1/users", json!(ids))]);
    let reply = server.call(&Sample::new("list_usergroups", json!({"group": "@oncall"}))).await.text;
    assert!(reply.contains("@priya (Priya Raman)") && reply.contains("@sofia (Sofia Rossi)"), "{reply}");
    assert!(reply.contains("40 people are shown by id: Slack gave no names; 10 beyond 40"), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_shown_by_id_is_told_wherever_messages_are_shown() {
    let server = Server::start().await;
    let gone =
        || server.harness().faults().add(Rule::new("users.info", refused("user_not_visible")).always());
    gone();
    let found = json!({"channel": INCIDENT, "ts": ts("inc")});
    for sample in [
        Sample::new("get_message", found),
        Sample::new("search", json!({"query": "import"})),
        Sample::new("list_channel_members", json!({"channel": GENERAL})),
    ] {
        let reply = server.call(&sample).await.text;
        assert!(reply.contains("Slack gave no name"), "{}: {reply}", sample.tool);
    }
    server.harness().faults().clear();
    // A name that could not be asked for is another matter.
    server.harness().faults().add(Rule::new("users.info", Action::rate_limit(Some("45"))).always());
    let reply = server.call(&read(ENGINEERS)).await.text;
    assert!(reply.contains("Slack could not be asked just now"), "{reply}");
}

/// One scope of several that are missing says nothing of the workspace.
#[tokio::test(start_paused = true)]
async fn a_search_that_the_token_may_not_make_is_told_and_tried_again() {
    let server = Server::start().await;
    let search = Sample::new("search_private", json!({"query": "import"}));
    server.harness().faults().add(Rule::new("assistant.search.context", refused("missing_scope")));
    let head = server.call(&search).await.text.lines().next().unwrap().to_owned();
    assert!(head.contains("legacy search") && head.contains("lacks the scope search:read.private"), "{head}");
    let me = server.call(&Sample::new("whoami", json!({}))).await.text;
    assert!(!me.contains("no Real-time Search"), "{me}");
    let head = server.call(&search).await.text.lines().next().unwrap().to_owned();
    assert!(head.contains("Real-time Search") && !head.contains("legacy"), "{head}");
    // The workspace's own word stays.
    server.harness().faults().add(Rule::new("assistant.search.context", refused("feature_not_enabled")));
    server.call(&search).await;
    server.call(&search).await;
    assert_eq!(server.harness().journal().count("assistant.search.context"), 3);
}

/// docs.slack.dev/reference/methods/assistant.search.context: of a clause any word may occur.
#[tokio::test(start_paused = true)]
async fn beside_a_filter_rows_with_some_of_the_words_are_told_from_those_with_all() {
    let server = Server::start().await;
    let search = |query: &str| Sample::new("search", json!({"query": query, "in": "#eng-imports"}));
    let clauses = || sent(&server, "assistant.search.context").last().unwrap()["term_clauses"].clone();
    let reply = server.call(&search("key decision")).await.text;
    assert_eq!(clauses(), r#"["key decision"]"#);
    assert!(reply.lines().next().unwrap().contains("with any of the words of"), "{reply}");
    let marked =
        |word: &str| rows(&reply).iter().any(|row| row.contains(word) && row.contains("[only: key]"));
    assert!(!marked("Decision: key") && marked(""), "{reply}");
    let reply = server.call(&search("key -decision")).await.text;
    assert_eq!(clauses(), r#"["key"]"#);
    assert!(!rows(&reply).is_empty() && rows(&reply).iter().all(|row| !row.contains("Decision")), "{reply}");
}

/// Days are those of the person for whom the bot acts.
#[tokio::test(start_paused = true)]
async fn where_a_bot_acts_the_zone_is_that_of_who_searches() {
    let bot = ("bot-token", Setting::Secret(Secret::new("xoxb-sandbox")));
    let server = with(&[bot, ("act-as", text("bot"))]).await;
    let reply = server.call(&read(ENGINEERS)).await.text;
    assert!(reply.lines().next().unwrap().contains("Europe/Stockholm"), "{reply}");
}

/// https://github.com/anneschuth/claude-threads/issues/526: whatever an app posts is marked as the app's.
#[tokio::test(start_paused = true)]
async fn what_a_person_posts_through_an_app_is_theirs_wherever_it_is_read() {
    let server = Server::start().await;
    server.call(&send(ENGINEERS, "Chunks are retried from now on.")).await;
    let posted = messages(&server, ENGINEERS).last().unwrap().clone();
    assert!(posted["bot_id"].is_string() && posted["user"] == "U0MAYA00001", "{posted}");
    let ts = posted["ts"].as_str().unwrap();
    let whose = "maya (via Harbor Assistant)";
    for sample in [read(ENGINEERS), Sample::new("get_message", json!({"channel": ENGINEERS, "ts": ts}))] {
        let reply = server.call(&sample).await.text;
        assert!(reply.contains(whose), "{}: {reply}", sample.tool);
    }
    let reply = server.call(&send(ENGINEERS, "For all of them.").with("ts", ts)).await.text;
    assert!(reply.contains(&format!("answers {whose}")), "{reply}");
    let found = server.call(&Sample::new("search", json!({"query": "retried from now"}))).await.text;
    assert!(found.contains(" maya: Chunks"), "{found}");
}

/// A search goes on where it was, by whichever of the two it was asked.
#[tokio::test(start_paused = true)]
async fn a_search_is_continued_by_its_cursor_on_both_searches() {
    let server = Server::start().await;
    let search = Sample::new("search", json!({"query": "import", "limit": 2}));
    let first = server.call(&search).await.text;
    let second = server.call(&search.clone().with("cursor", cursor(&first).unwrap())).await.text;
    assert!(rows(&second).iter().all(|row| !rows(&first).contains(row)), "{second}");
    assert!(!rows(&second).is_empty() && second.contains("Real-time Search"), "{second}");
    server
        .harness()
        .faults()
        .add(Rule::new("assistant.search.context", refused("feature_not_enabled")).always());
    let first = server.call(&search).await.text;
    let second = server.call(&search.clone().with("cursor", cursor(&first).unwrap())).await.text;
    assert!(rows(&second).iter().all(|row| !rows(&first).contains(row)), "{second}");
    assert!(!rows(&second).is_empty() && second.contains("legacy search"), "{second}");
    assert_eq!(sent(&server, "search.messages").last().unwrap()["page"], "2");
}

#[tokio::test(start_paused = true)]
async fn without_a_time_it_is_since_the_mark_or_a_day_and_two_weeks_at_most() {
    let server = Server::start().await;
    let asked = |channel: &str| catch_up(json!({"channels": [channel]}));
    let old = Change::set("/channel/last_read", json!("1500000000.000100"));
    let since = |reply: &str| reply.lines().find(|line| line.starts_with("### ")).map(str::to_owned).unwrap();
    // Nothing was ever read: a day.
    shows_a_recent_one(&server);
    let day = server.call(&asked("#general")).await.text;
    let newest = messages(&server, GENERAL);
    for _ in 0..3 {
        patch(&server, "conversations.info", vec![old.clone()]);
    }
    let weeks = server.call(&asked("#general")).await.text;
    let first = |reply: &str| since(reply).split(" new since ").nth(1).unwrap()[..10].to_owned();
    assert!(first(&weeks) < first(&day), "{weeks} {day} {newest:?}");
    assert_ne!(&first(&weeks)[..4], "2017", "{weeks}");
}

#[tokio::test(start_paused = true)]
async fn a_name_in_capitals_that_looks_like_an_id_is_found_as_a_name() {
    let server = Server::start().await;
    let name = Action::Patch { changes: vec![Change::set("/channels/1/name", json!("design2024"))] };
    server.harness().faults().add(Rule::new("users.conversations", name).always());
    let reply = server.call(&read("DESIGN2024")).await.text;
    assert!(reply.lines().next().unwrap().contains(ENGINEERS), "{reply}");
    let error = server.refusal(&read("C0NOWHERE00")).await;
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
}

/// S10. https://github.com/anthropics/claude-code/issues/80259
#[tokio::test(start_paused = true)]
async fn a_name_that_stands_only_under_the_profile_is_found() {
    let server = Server::start().await;
    let kofi = json!({"id": "U0TOMAS0001", "is_stranger": true, "team_id": "T9", "profile": {"real_name": "Kofi A."}});
    let user = Action::Patch { changes: vec![Change::set("/user", kofi)] };
    server.harness().faults().add(Rule::new("users.info", user).always());
    let reply = server.call(&read(ENGINEERS)).await.text;
    assert!(reply.contains("Kofi A. [ext T9]: "), "{reply}");
}
