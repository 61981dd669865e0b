//! What is read: by which names, at what price, and what of it was not seen.

use std::{collections::BTreeMap, time::Duration};

use connector::{
    Kind, Secret,
    access::Principal,
    sandbox::{Action, Change, Rule},
    settings::Value as Setting,
    testing::{Options, Sample, tokens},
};
use serde_json::{Value, json};

use crate::support::{
    ENGINEERS, INCIDENT, Server, all_toolsets, messages, read, send, sent, shows, text, ts, with,
};

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
    // A handle needs one page of it, though it was just read: somebody else may be called so.
    server.call(&send(INCIDENT, "Thanks @grace.")).await;
    server.call(&send(INCIDENT, "Thanks @grace and @tomas.")).await;
    assert_eq!(server.harness().journal().count("users.list"), 1);
}

#[tokio::test(start_paused = true)]
async fn who_was_just_read_is_not_taken_for_the_only_one_of_that_name() {
    let server = Server::start().await;
    let same = Change::set("/members/1/profile/display_name", json!("priya"));
    server.harness().faults().add(Rule::new("users.list", Action::Patch { changes: vec![same] }).always());
    let read = server.call(&read(ENGINEERS)).await.text;
    assert!(read.contains("priya:"), "{read}");
    let error = server.refusal(&send("@priya", "Hello.")).await;
    assert_eq!(error.kind(), Kind::InvalidArgument, "{error}");
    let reply = server.call(&send(INCIDENT, "cc @priya")).await.text;
    assert!(reply.contains("nobody is notified") && !reply.contains("notifies @"), "{reply}");
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

/// The timestamps of rows, in their order.
fn stamps(text: &str) -> Vec<String> {
    let words = text.lines().filter_map(|line| line.split(' ').next());
    let is_ts = |word: &&str| word.len() == 17 && word.parse::<f64>().is_ok();
    words.filter(is_ts).map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn a_channel_is_read_from_its_oldest_message_on() {
    let server = Server::start().await;
    let all = server.call(&read(ENGINEERS).with("limit", 200)).await.text;
    let whole = stamps(&all);
    assert!(whole.len() > 3 && !all.contains("older ones follow"), "{all}");
    let pages = server
        .pages("read_channel", json!({"channel": ENGINEERS, "order": "oldest", "since": "60d", "limit": 3}))
        .await;
    assert!(pages[0].lines().next().unwrap().contains("newer ones follow"), "{}", pages[0]);
    assert_eq!(pages.iter().flat_map(|page| stamps(page)).collect::<Vec<_>>(), whole);
}

/// History comes newest first (docs.slack.dev/reference/methods/conversations.history): what lies behind too many pages is
/// not taken for the oldest.
#[tokio::test(start_paused = true)]
async fn the_oldest_messages_of_a_window_that_is_too_long_are_not_guessed() {
    let server = Server::start().await;
    let page = json!({"ok": true, "messages": [{"ts": ts("review"), "user": "U0MAYA00001", "text": "Hello"}],
        "has_more": true, "response_metadata": {"next_cursor": "more"}});
    let endless =
        Action::Status { code: 200, headers: BTreeMap::new(), body: page.to_string(), committed: false };
    server.harness().faults().add(Rule::new("conversations.history", endless).always());
    let error = server.refusal(&read(ENGINEERS).with("order", "oldest")).await;
    assert!(
        error.kind() == Kind::InvalidArgument && error.for_agent().contains("earlier `until`"),
        "{error}"
    );
    assert_eq!(server.harness().journal().count("conversations.history"), 5);
}

#[tokio::test(start_paused = true)]
async fn channels_are_found_by_who_sees_them_and_whether_one_is_in() {
    let server = Server::start().await;
    let find = async |query: &str, more: Value| {
        let mut arguments = json!({"query": query});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.call(&Sample::new("search_channels", arguments)).await.text
    };
    // Maya is not in #design; #deals is private.
    assert!(find("screens", json!({})).await.contains("#design"));
    let mine = find("screens", json!({"member_only": true})).await;
    assert!(mine.contains("#frontend") && !mine.contains("#design"), "{mine}");
    assert!(mine.lines().next().unwrap().contains("of those that you are in"), "{mine}");
    assert!(find("deals", json!({"types": "private"})).await.contains("#deals (private)"));
    let public = find("deals", json!({"types": ["public_channel"]})).await;
    assert!(!public.contains("#deals"), "{public}");
    let types: Vec<_> =
        sent(&server, "users.conversations").iter().map(|form| form["types"].clone()).collect();
    assert_eq!(types.last().unwrap(), "public_channel");
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
    assert!(
        reply.lines().next().unwrap().contains("without your own posts and replies in older threads"),
        "{reply}"
    );
    let refused = Action::Status {
        code: 200,
        headers: BTreeMap::new(),
        body: json!({"ok": false, "error": "access_denied"}).to_string(),
        committed: false,
    };
    server.harness().faults().add(Rule::new("conversations.history", refused).skip(1).always());
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
        colleague.call(tool, Principal::key("colleague"), arguments, false, silent).await.unwrap();
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

/// Threads are in no history (docs.slack.dev/messaging/retrieving-messages): their last replies are read where they are
/// asked for.
#[tokio::test(start_paused = true)]
async fn threads_are_shown_with_a_channel_where_they_are_asked_for() {
    let server = Server::start().await;
    let plain = server.call(&read(INCIDENT)).await.text;
    assert!(!plain.contains("Queue depth 4,100"), "{plain}");
    let whole = read(INCIDENT).with("expand_threads", 10);
    let reply = server.call(&whole).await.text;
    let replies = messages(&server, INCIDENT)
        .into_iter()
        .filter(|message| message["thread_ts"] == ts("inc") && message["ts"] != ts("inc"));
    let stamps: Vec<String> = replies.map(|reply| reply["ts"].as_str().unwrap().to_owned()).collect();
    let (before, last) = stamps.split_at(stamps.len().saturating_sub(10));
    assert!(last.iter().all(|ts| reply.contains(&format!("\n  ↳ {ts} "))), "{reply}");
    assert!(!before.iter().any(|ts| reply.contains(&format!("↳ {ts}"))), "{reply}");
    if !before.is_empty() {
        assert!(reply.contains(&format!("↳ {} before these: read_thread", before.len())), "{reply}");
    }
    // The newest thread alone.
    server.harness().journal().clear();
    server.call(&read(INCIDENT).with("expand_threads", 1)).await;
    assert_eq!(server.harness().journal().count("conversations.replies"), 1);
    // An application that reads a page a minute has none to spare.
    let options = Options { credential: Some("xoxp-sandbox-unlisted"), ..Options::default() };
    let server = Server::start_with(options).await;
    server.call(&Sample::new("read_thread", json!({"channel": INCIDENT, "ts": ts("inc")}))).await;
    tokio::time::sleep(std::time::Duration::from_secs(61)).await;
    server.harness().clock().advance(std::time::Duration::from_secs(61));
    server.harness().journal().clear();
    server.call(&whole).await;
    assert_eq!(server.harness().journal().count("conversations.replies"), 0);
}
