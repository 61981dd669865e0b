//! Catching up and marking as read; what is cut, limited or not had, and what there still is.

use std::collections::BTreeMap;

use connector::{
    Kind,
    sandbox::{Action, Change, Rule},
    testing::{Options, Sample, rows},
};
use serde_json::{Value, json};

use crate::support::{ENGINEERS, GENERAL, INCIDENT, Server, messages, sent, shows, ts};

fn refused(code: &str) -> Action {
    let body = json!({"ok": false, "error": code}).to_string();
    Action::Status { code: 200, headers: BTreeMap::new(), body, committed: false }
}

/// Slack holds a method back for longer than a call waits.
fn held_back() -> Action {
    Action::rate_limit(Some("45"))
}

/// The conversations of a reply, by the headings of its rows.
fn titles(text: &str) -> Vec<&str> {
    let headings = text.lines().filter_map(|line| line.strip_prefix("### "));
    headings.map(|line| line.split(": ").next().unwrap().split(" C0").next().unwrap()).collect()
}

fn catch_up(arguments: Value) -> Sample {
    Sample::new("catch_up", arguments)
}

#[tokio::test(start_paused = true)]
async fn the_most_personal_comes_first_and_what_is_muted_not_at_all() {
    let server = Server::start().await;
    let text = server.call(&catch_up(json!({"since": "3d", "max_channels": 40}))).await.text;
    let titles = titles(&text);
    let place = |title: &str| {
        titles
            .iter()
            .position(|known| known.starts_with(title))
            .unwrap_or_else(|| panic!("{title}: {titles:?}"))
    };
    assert!(place("DM with @tomas").max(place("DM with @jonas")) < place("group DM"), "{titles:?}");
    assert!(place("group DM") < place("#deals").min(place("#releases")), "{titles:?}");
    assert!(!titles.iter().any(|title| title.starts_with("#random")), "{titles:?}");
    assert_eq!(sent(&server, "users.conversations")[0]["exclude_muted"], "true");
}

#[tokio::test(start_paused = true)]
async fn a_budget_of_tokens_shows_the_most_personal_and_counts_the_rest() {
    let server = Server::start().await;
    let whole = server.call(&catch_up(json!({"since": "7d", "max_channels": 40}))).await.text;
    let some =
        server.call(&catch_up(json!({"since": "7d", "max_channels": 40, "token_budget": 200}))).await.text;
    assert_eq!(titles(&some), titles(&whole));
    let blocks = |text: &str| text.split("### ").skip(1).map(str::to_owned).collect::<Vec<_>>();
    let (some, whole) = (blocks(&some), blocks(&whole));
    assert_eq!(some[0], whole[0], "the first is shown");
    assert!(some.last().unwrap().contains(" not shown: read_channel "), "{some:?}");
    let messages = |blocks: &[String]| blocks.iter().map(String::len).sum::<usize>();
    assert!(messages(&some) < messages(&whole), "{some:?}");
}

/// By name, by a group that one is in, to all; in the text or only in the blocks. What is quoted is not.
#[tokio::test(start_paused = true)]
async fn every_way_of_being_mentioned_counts_and_comes_before_other_channels() {
    const ME: &str = "U0MAYA00001";
    let block = |element: Value| json!([{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [element]}]}]);
    let shared = |text: &str| json!([{"is_share": true, "author_name": "Ines", "text": text}]);
    let server = Server::start().await;
    let mine = Change::set("/usergroups/0/users", json!([ME]));
    server
        .harness()
        .faults()
        .add(Rule::new("usergroups.list", Action::Patch { changes: vec![mine] }).always());
    for (mentions, message) in [
        (1, json!({"text": format!("<@{ME}> please")})),
        (1, json!({"text": format!("<@{ME}|maya> please")})),
        (1, json!({"text": "<!here> please"})),
        (1, json!({"text": "<!channel|channel> please"})),
        (1, json!({"text": "<!everyone> please"})),
        (1, json!({"text": "<!subteam^S0IMPORTS01> please"})),
        (1, json!({"text": "", "blocks": block(json!({"type": "user", "user_id": ME}))})),
        (
            1,
            json!({"text": "", "blocks": block(json!({"type": "usergroup", "usergroup_id": "S0IMPORTS01"}))}),
        ),
        (1, json!({"text": "", "blocks": block(json!({"type": "broadcast", "range": "channel"}))})),
        (1, json!({"text": "", "attachments": [{"text": format!("<@{ME}> is on call")}]})),
        (0, json!({"text": "<@U0TOMAS0001> and <!subteam^S0ONCALL001> please"})),
        (0, json!({"text": "x", "attachments": shared(&format!("<@{ME}> please"))})),
    ] {
        let mut shown = message.clone();
        shown["ts"] = json!(ts("review"));
        shown["user"] = json!("U0TOMAS0001");
        shows(&server, json!([shown]));
        let text = server.call(&catch_up(json!({"channels": ["#general"], "since": "7d"}))).await.text;
        let told = text.contains("1 new since") && text.contains(", 1 mention");
        assert_eq!(told, mentions == 1, "{message}: {text}");
        server.harness().faults().clear();
        let mine = Change::set("/usergroups/0/users", json!([ME]));
        server
            .harness()
            .faults()
            .add(Rule::new("usergroups.list", Action::Patch { changes: vec![mine] }).always());
    }
}

#[tokio::test(start_paused = true)]
async fn only_mentions_are_told_if_that_is_asked_for_and_what_was_read_is_not_new() {
    let server = Server::start().await;
    let named = json!(["#general", "#eng-imports", "#inc-import-timeouts", "@tomas"]);
    let all = server.call(&catch_up(json!({"channels": named, "since": "7d"}))).await.text;
    assert_eq!(titles(&all).len(), 4, "{all}");
    let some =
        server.call(&catch_up(json!({"channels": named, "since": "7d", "mentions_only": true}))).await.text;
    assert_eq!(titles(&some), ["DM with @tomas (Tomás Herrera) D0MAYATOMAS"], "{some}");
    // Without a time it is what came after the mark.
    server.call(&Sample::new("mark_read", json!({"channels": named}))).await;
    let text = server.call(&catch_up(json!({"channels": named}))).await.text;
    assert!(text.contains("Nothing new there"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn several_conversations_are_marked_in_one_call_and_what_fails_is_told() {
    let server = Server::start().await;
    let newest = |channel: &str| {
        let all = messages(&server, channel);
        let tops = all
            .iter()
            .filter(|message| message.get("thread_ts").is_none() || message["thread_ts"] == message["ts"]);
        tops.map(|message| message["ts"].as_str().unwrap().to_owned()).max().unwrap()
    };
    let mark = |arguments: Value| Sample::new("mark_read", arguments);
    let channels = json!(["#general", "#eng-imports", "@tomas"]);
    let reply = server.call(&mark(json!({"channels": channels}))).await.text;
    assert!(reply.starts_with("Marked 3 of 3 conversations as read"), "{reply}");
    let marks: Vec<(String, String)> = sent(&server, "conversations.mark")
        .into_iter()
        .map(|form| (form["channel"].clone(), form["ts"].clone()))
        .collect();
    let expected = [GENERAL, ENGINEERS, "D0MAYATOMAS"].map(|id| (id.to_owned(), newest(id)));
    assert_eq!(marks, expected);
    // One that fails takes nothing from the others.
    server.harness().journal().clear();
    server.harness().faults().add(Rule::new("conversations.mark", refused("not_allowed_token_type")).skip(1));
    let reply = server.call(&mark(json!({"channels": channels}))).await.text;
    assert!(reply.starts_with("Marked 2 of 3 conversations as read"), "{reply}");
    assert!(reply.contains("failed: #eng-imports"), "{reply}");
    assert_eq!(server.harness().journal().count("conversations.mark"), 3);
    // One alone is marked up to a message.
    server.harness().journal().clear();
    server.call(&mark(json!({"channel": "#general", "ts": ts("review")}))).await;
    assert_eq!(sent(&server, "conversations.mark")[0]["ts"], ts("review"));
    let error = server.refusal(&mark(json!({"channels": channels, "ts": ts("review")}))).await;
    assert!(
        error.kind() == Kind::InvalidArgument && error.message().contains("marks one channel"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn every_reader_says_that_an_app_is_limited() {
    let start =
        || Server::start_with(Options { credential: Some("xoxp-sandbox-unlisted"), ..Options::default() });
    let said = "Slack gives this app at most 15 messages a minute";
    let thread = Sample::new("read_thread", json!({"channel": INCIDENT, "ts": ts("inc")}));
    let reply = start().await.call(&thread).await.text;
    assert!(reply.lines().next().unwrap().contains(said), "{reply}");
    let server = start().await;
    server.call(&thread).await;
    let found = Sample::new("get_message", json!({"channel": INCIDENT, "ts": ts("alert")}));
    let reply = server.call(&found).await.text;
    assert!(reply.contains(said), "{reply}");
    // A long refusal is a sign as good as a short page, and a long page that it is none.
    let server = Server::start().await;
    server.harness().faults().add(Rule::new("conversations.history", held_back()));
    let error = server.refusal(&found).await;
    assert_eq!(error.kind(), Kind::RateLimited, "{error}");
    let me = async || server.call(&Sample::new("whoami", json!({}))).await.text;
    assert!(me().await.contains("15 messages a minute"), "{}", me().await);
    server.call(&thread).await;
    assert!(!me().await.contains("15 messages a minute"), "{}", me().await);
}

/// What is there is worth having, though not all of it is.
#[tokio::test(start_paused = true)]
async fn what_is_had_is_shown_though_the_rest_is_held_back() {
    let server = Server::start().await;
    let found = json!({"channel": INCIDENT, "ts": ts("alert"), "context": 3});
    server.harness().faults().add(Rule::new("conversations.history", held_back()).skip(1).always());
    let reply = server.call(&Sample::new("get_message", found)).await.text;
    assert!(
        reply.contains(&ts("alert")) && reply.contains("What stands around it is not shown: rate_limited"),
        "{reply}"
    );

    let server = Server::start().await;
    let more =
        Action::Patch { changes: vec![Change::set("/response_metadata", json!({"next_cursor": "more"}))] };
    server.harness().faults().add(Rule::new("conversations.replies", more));
    server.harness().faults().add(Rule::new("conversations.replies", held_back()).always());
    let tail = json!({"channel": INCIDENT, "ts": ts("inc"), "tail": 2});
    let reply = server.call(&Sample::new("read_thread", tail)).await.text;
    assert!(rows(&reply).len() == 2 && reply.contains("so these are not its last"), "{reply}");
    assert!(reply.contains("Not read on: rate_limited"), "{reply}");

    let server = Server::start().await;
    server.harness().faults().add(Rule::new("conversations.list", held_back()).always());
    let reply = server.call(&Sample::new("search_channels", json!({"query": "import"}))).await.text;
    assert!(
        reply.contains("#eng-imports") && reply.contains("Not all channels were searched: rate_limited"),
        "{reply}"
    );

    let server = Server::start().await;
    let more =
        Action::Patch { changes: vec![Change::set("/response_metadata", json!({"next_cursor": "more"}))] };
    server.harness().faults().add(Rule::new("users.list", more));
    server.harness().faults().add(Rule::new("users.list", held_back()).always());
    server.harness().faults().add(Rule::new("assistant.search.context", held_back()).always());
    let reply = server.call(&Sample::new("search_users", json!({"query": "priya"}))).await.text;
    assert!(
        reply.contains("Priya Raman") && reply.contains("Not everybody was searched: rate_limited"),
        "{reply}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_replies_of_a_thread_are_its_last() {
    let server = Server::start().await;
    let tail = json!({"channel": INCIDENT, "ts": ts("inc"), "tail": 2});
    let reply = server.call(&Sample::new("read_thread", tail)).await.text;
    let shown = rows(&reply);
    assert!(
        shown.len() == 2 && shown[1].contains("Reviewing today.") && shown[0].contains("Fix is PR 482"),
        "{reply}"
    );
    assert!(reply.lines().next().unwrap().contains("before them left out"), "{reply}");
}

/// History comes newest first: what follows a message directly is not on the page that is closest to now.
#[tokio::test(start_paused = true)]
async fn what_stands_around_a_message_is_next_to_it_however_much_follows() {
    let server = Server::start().await;
    let at = |number: u32| format!("{}.000100", 1_764_000_000 + number * 10);
    let message =
        |number: u32| json!({"ts": at(number), "user": "U0TOMAS0001", "text": format!("message {number}")});
    let found = json!([message(0)]);
    // The message itself, then what is before it, then a day with more than a page holds, and an hour of it.
    let page = |messages: Value, more: bool| Action::Patch {
        changes: vec![Change::set("/messages", messages), Change::set("/has_more", json!(more))],
    };
    let late: Vec<Value> = (2_000..2_999).rev().map(message).collect();
    let next: Vec<Value> = (1..300).rev().map(message).collect();
    for answer in
        [page(found, false), page(json!([]), false), page(json!(late), true), page(json!(next), false)]
    {
        server.harness().faults().add(Rule::new("conversations.history", answer));
    }
    let asked = json!({"channel": ENGINEERS, "ts": at(0), "context": 2, "raw": true});
    let reply = server.call(&Sample::new("get_message", asked)).await.text;
    assert!(reply.contains("message 1\n") && reply.contains("message 2\n"), "{reply}");
    assert!(!reply.contains("message 2000"), "{reply}");
    let windows = sent(&server, "conversations.history");
    let span = |place: usize| {
        let end: f64 = windows[place]["latest"].parse().unwrap();
        end - windows[place]["oldest"].parse::<f64>().unwrap()
    };
    assert!(span(2) > span(3) && windows.len() == 4, "{windows:?}");
    assert!(reply.contains("\"blocks\":[]"), "{reply}");
}
