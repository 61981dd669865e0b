//! Who reads what is written, and what nobody is told who may not read it.

use connector::{
    Kind,
    catalog::Answer,
    sandbox::{Action, Change, Rule},
    settings::Value as Setting,
    testing::{Sample, rows},
};
use serde_json::{Value, json};

use crate::support::{
    ENGINEERS, GENERAL, INCIDENT, Server, all_toolsets, list, read, send, sent, shows, text, ts, with,
};

async fn asks(server: &Server, sample: &Sample) -> bool {
    matches!(server.answer(sample).await.unwrap(), Answer::Question(_))
}

fn to(users: Value) -> Sample {
    Sample::new("send_message", json!({"users": users, "message": "84,000 it is."}))
}

/// #deals is Maya's, Daniel's and Grace's; the group of the release Maya's, Tomás' and Priya's.
#[tokio::test(start_paused = true)]
async fn what_was_read_in_private_asks_before_it_goes_to_anybody_who_could_not_read_it() {
    const RELEASE: &str = "G0RELEASEGR";
    let wider = || {
        [
            to(json!(["@tomas", "@priya"])),
            to(json!(["@daniel", "@tomas"])),
            send("@tomas", "84,000"),
            send(RELEASE, "84,000"),
            Sample::new(
                "create_conversation",
                json!({"name": "room-84", "is_private": true, "users": ["@tomas"]}),
            ),
            Sample::new("create_conversation", json!({"name": "eighty-four-thousand"})),
        ]
    };
    let server = Server::start().await;
    for sample in wider() {
        assert!(!asks(&server, &sample).await, "{sample:?} asks anyway");
    }
    let server = Server::start().await;
    server.call(&read("#deals")).await;
    for sample in wider() {
        assert!(asks(&server, &sample).await, "{sample:?}");
    }
    // Who reads it there already may read it anywhere.
    for sample in [to(json!(["@daniel", "@grace"])), to(json!(["@grace"])), send("#deals", "84,000")] {
        assert!(!asks(&server, &sample).await, "{sample:?}");
    }
    let server = Server::start().await;
    server.call(&read("@tomas")).await;
    assert!(asks(&server, &send(RELEASE, "It is 40 lines.")).await, "Priya did not read it");
    let server = Server::start().await;
    server.call(&read(RELEASE)).await;
    assert!(!asks(&server, &send("@tomas", "The notes are ready.")).await, "Tomás did");
    // Where nobody tells who reads a conversation, it is asked.
    let server = Server::start().await;
    server.call(&read("#deals")).await;
    let lost =
        Action::Status { code: 500, headers: Default::default(), body: String::new(), committed: false };
    server.harness().faults().add(Rule::new("conversations.members", lost).always());
    assert!(asks(&server, &to(json!(["@daniel"]))).await);
}

#[tokio::test(start_paused = true)]
async fn whatever_shows_private_text_is_a_reading_of_it() {
    let public = send(ENGINEERS, "84,000");
    let own = async |server: &Server| {
        let told = server.call(&send("#deals", "Noted.")).await.text;
        assert!(!asks(server, &public).await, "what is written is not read");
        let ts = told.split("ts ").nth(1).unwrap();
        ts.split(|c: char| c != '.' && !c.is_ascii_digit()).next().unwrap().to_owned()
    };
    for tool in ["update_message", "delete_message"] {
        let server = Server::start().await;
        let ts = own(&server).await;
        let mut arguments = json!({"channel": "#deals", "ts": ts, "dry_run": true});
        if tool == "update_message" {
            arguments["message"] = json!("x");
        }
        server.call(&Sample::new(tool, arguments)).await;
        assert!(asks(&server, &public).await, "{tool}");
    }
    let later =
        Sample::new("schedule_message", json!({"channel": "#deals", "message": "Soon.", "post_at": "in 2h"}));
    let server = Server::start().await;
    server.call(&later).await;
    assert!(!asks(&server, &public).await);
    server.call(&Sample::new("list_scheduled_messages", json!({}))).await;
    assert!(asks(&server, &public).await, "scheduled");
    let server = Server::start().await;
    let canvas = json!({"channel": "#deals", "title": "Prices", "markdown": "Secret."});
    server.call(&Sample::new("write_canvas", canvas)).await;
    assert!(!asks(&server, &public).await);
    let append = json!({"channel": "#deals", "operations": [{"op": "append", "markdown": "More."}]});
    server.call(&Sample::new("write_canvas", append)).await;
    assert!(asks(&server, &public).await, "a canvas that is read back");
}

#[tokio::test(start_paused = true)]
async fn an_edit_says_why_it_asks_and_a_group_that_everybody_sees_asks_too() {
    let server = Server::start_with(all_toolsets()).await;
    server.call(&read("#deals")).await;
    let edit = json!({"channel": GENERAL, "ts": ts("review"), "message": "84,000"});
    let text = server.question("update_message", edit).await.unwrap();
    assert!(text.contains("asks, because private text was read before in #deals"), "{text}");
    let group = Sample::new("save_usergroup", json!({"name": "84,000", "handle": "prices"}));
    assert!(asks(&server, &group).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_in_no_hint_and_in_no_name() {
    let deny = || [("deny-channels", list(&["deals"]))];
    for wanted in ["#contracts", "#prices", "#deal", "deal"] {
        let open = Server::start().await.refusal(&read(wanted)).await.for_agent();
        assert!(open.contains("#deals"), "{wanted} hints at it: {open}");
        let error = with(&deny()).await.refusal(&read(wanted)).await.for_agent();
        assert!(!error.contains("deals") && !error.contains("Open deals"), "{wanted}: {error}");
    }
    let server = with(&deny()).await;
    shows(&server, json!([{"ts": "1764400000.000100", "user": "U0MAYA00001", "text": "see <#C0DEALS0000>"}]));
    let reply = server.call(&read(ENGINEERS)).await.text;
    assert!(reply.contains("see #C0DEALS0000"), "{reply}");
    let me = server.call(&Sample::new("whoami", json!({}))).await.text;
    assert!(me.contains("some conversations are not read") && !me.contains("deals"), "{me}");
}

/// However many conversations a file is shared in, each must be within the bounds for it to be changed.
#[tokio::test(start_paused = true)]
async fn a_file_that_is_also_shared_where_nothing_may_be_written_is_not_changed() {
    let server = with(&[("deny-write-channels", list(&["events"]))]).await;
    let mut places: Vec<String> =
        ["RELEASES0", "SUPPORT00", "HIRING000", "FINANCE00", "STATUSPAG", "ONCALL000"]
            .iter()
            .chain(["DATA00000", "FRONTEND0", "SECURITY0", "OFFSITE00", "DOCS00000"].iter())
            .map(|id| format!("C0{id}"))
            .collect();
    let shared =
        |places: &[String]| Action::Patch { changes: vec![Change::set("/file/channels", json!(places))] };
    let append = json!([{"op": "append", "markdown": "Done."}]);
    let write = Sample::new("write_canvas", json!({"canvas": "F0RUNBOOK01", "operations": append}));
    server.harness().faults().add(Rule::new("files.info", shared(&places)).always());
    server.call(&write).await;
    places.push("C0EVENTS000".to_owned());
    server.harness().faults().clear();
    server.harness().faults().add(Rule::new("files.info", shared(&places)).always());
    let error = server.refusal(&write).await;
    assert!(error.kind() == Kind::Policy && error.message().contains("#events"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_operators_word_is_told_with_who_one_is() {
    let server = with(&[
        ("allow-channels", list(&["eng-*", "general"])),
        ("allow-broadcast", Setting::Switch(true)),
        ("max-recipients", Setting::Number(3)),
        ("searches-per-minute", Setting::Number(5)),
    ])
    .await;
    let me = server.call(&Sample::new("whoami", json!({}))).await.text;
    for said in [
        "reads only eng-*, general",
        "groups of more than 3, are asked about",
        "messages to other organizations are refused",
        "50 of history, 5 of Real-time Search, 60 messages in one conversation",
        "by Real-time Search where the workspace has it",
    ] {
        assert!(me.contains(said), "{said}: {me}");
    }
}

#[tokio::test(start_paused = true)]
async fn groups_and_channels_without_a_name_in_the_text_are_told_by_name() {
    let server = Server::start().await;
    let rich = json!([{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
        {"type": "usergroup", "usergroup_id": "S0IMPORTS01"}, {"type": "text", "text": " look at "},
        {"type": "channel", "channel_id": "C0DEALS0000"}, {"type": "text", "text": " quickly"}]}]}]);
    shows(
        &server,
        json!([
            {"ts": "1764400000.000200", "user": "U0MAYA00001", "text": "", "blocks": rich},
            {"ts": "1764400000.000100", "user": "U0MAYA00001",
                "text": "<!subteam^S0ONCALL001> see <#C0GENERAL00> and <#C0DEALS0000|>, not <#C0NOWHERE00>"},
        ]),
    );
    let reply = server.call(&read(ENGINEERS)).await.text;
    assert!(reply.contains("@oncall see #general and #deals, not #C0NOWHERE00"), "{reply}");
    assert!(reply.contains("@imports-team look at #deals quickly"), "{reply}");
    assert_eq!(server.harness().journal().count("usergroups.list"), 1);
    // What has no name is written back as it is shown.
    server.call(&send(ENGINEERS, "@oncall see #general and #C0GENERAL00")).await;
    let wire = &sent(&server, "chat.postMessage")[0]["markdown_text"];
    assert_eq!(wire, "<!subteam^S0ONCALL001> see <#C0GENERAL00> and <#C0GENERAL00>");
}

#[tokio::test(start_paused = true)]
async fn a_large_group_is_a_broadcast_and_few_people_are_enough_for_a_message() {
    let large = || {
        let change = Change::set("/usergroups/0/user_count", json!(40));
        Rule::new("usergroups.list", Action::Patch { changes: vec![change] }).always()
    };
    let message = send(ENGINEERS, "@imports-team please");
    let server = Server::start().await;
    server.harness().faults().add(large());
    let error = server.refusal(&message).await;
    assert!(error.kind() == Kind::Policy && error.message().contains("notifies 40 people"), "{error}");
    let server = with(&[("allow-broadcast", Setting::Switch(true))]).await;
    server.harness().faults().add(large());
    assert!(asks(&server, &message).await);
    let server = with(&[("max-recipients", Setting::Number(50))]).await;
    server.harness().faults().add(large());
    assert!(!asks(&server, &message).await);
    let server = with(&[("max-recipients", Setting::Number(1))]).await;
    let error = server.refusal(&to(json!(["@tomas", "@priya"]))).await;
    assert!(error.kind() == Kind::Policy && error.message().contains("at most 1 people"), "{error}");
    assert_eq!(server.harness().journal().count("conversations.open"), 0);
}

/// docs.slack.dev/reference/methods/chat.postMessage: unfurl_links, unfurl_media, reply_broadcast.
#[tokio::test(start_paused = true)]
async fn previews_are_off_and_a_reply_is_shown_in_the_channel_only_if_that_is_asked_for() {
    let server = with(&[("unfurl-domains", list(&["harbor.example"]))]).await;
    let link = "See https://docs.harbor.example/import";
    server.call(&send(ENGINEERS, link)).await;
    server.call(&send(ENGINEERS, link).with("unfurl", true)).await;
    let error = server.refusal(&send(ENGINEERS, "https://evil.example/?q=84000").with("unfurl", true)).await;
    assert!(error.kind() == Kind::Policy && error.for_agent().contains("SLACK_UNFURL_DOMAINS"), "{error}");
    let wire = sent(&server, "chat.postMessage");
    let unfurled: Vec<_> = wire.iter().map(|form| (&*form["unfurl_links"], &*form["unfurl_media"])).collect();
    assert_eq!(unfurled, [("false", "false"), ("true", "true")]);
    let reply = send(INCIDENT, "Seen.").with("ts", ts("inc"));
    server.call(&reply).await;
    server.call(&reply.clone().with("reply_broadcast", true)).await;
    let wire = sent(&server, "chat.postMessage");
    assert_eq!(wire[2].get("reply_broadcast"), None);
    assert_eq!(wire[3]["reply_broadcast"], "true");
    let error = server.refusal(&send(INCIDENT, "Seen.").with("reply_broadcast", true)).await;
    assert!(error.kind() == Kind::InvalidArgument && error.message().contains("this is no reply"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn several_people_get_one_conversation_and_what_fails_in_the_middle_is_told() {
    let server = Server::start().await;
    let reply = server.call(&to(json!(["@daniel", "@sofia"]))).await.text;
    assert_eq!(sent(&server, "conversations.open")[0]["users"], "U0DANIEL001,U0SOFIA0001");
    assert!(reply.contains("@daniel (Daniel Novák), @sofia (Sofia Rossi)"), "{reply}");
    let long = (0..3_000).map(|number| format!("line {number}\n")).collect::<String>();
    let refused = Action::Status {
        code: 200,
        headers: Default::default(),
        body: json!({"ok": false, "error": "is_archived"}).to_string(),
        committed: false,
    };
    server.harness().journal().clear();
    server.harness().faults().add(Rule::new("chat.postMessage", refused).skip(1));
    let error = server.refusal(&send(ENGINEERS, &long)).await;
    assert!(error.message().starts_with("1 of 3 posts were sent, the first at ts "), "{error}");
    assert!(error.for_agent().contains("Send the rest as replies in that thread"), "{error}");
    assert_eq!(server.harness().journal().count("chat.postMessage"), 2, "nothing is sent after it");
}

/// Filters that the query has are applied, or it is told that Slack applies them.
#[tokio::test(start_paused = true)]
async fn no_filter_in_a_query_is_lost() {
    let server = Server::start().await;
    let search = |query: &str| Sample::new("search", json!({"query": query}));
    let all = server.call(&search("key")).await.text;
    assert!(rows(&all).len() > 1, "{all}");
    let pinned = server.call(&search("key has:pin").with("from", "@priya")).await.text;
    assert!(rows(&pinned).len() == 1 && rows(&pinned)[0].contains("Decision: key"), "{pinned}");
    assert!(pinned.lines().next().unwrap().contains("has:pin"), "{pinned}");
    let asked = sent(&server, "assistant.search.context").last().unwrap().clone();
    assert_eq!(asked["modifiers"], "from:<@U0PRIYA0001> has:pin");
    assert_eq!(asked["term_clauses"], "[\"key\"]");
    let others = server.call(&search("key -from:@tomas is:thread")).await.text;
    assert!(!rows(&others).is_empty() && !others.contains("Hash of file"), "{others}");
    let head = others.lines().next().unwrap();
    assert!(
        head.contains("-from @tomas (Tomás Herrera)") && !head.contains("-from @tomas (Tomás Herrera), as"),
        "{head}"
    );
    assert!(head.contains("is:thread, as Slack applies it"), "{head}");
    let asked = sent(&server, "assistant.search.context").last().unwrap().clone();
    assert_eq!(asked["modifiers"], "-from:<@U0TOMAS0001> is:thread");
    let error = server.refusal(&search("key from:@priya").with("from", "@tomas")).await;
    assert!(error.message().contains("`from` is given twice"), "{error}");
    let error = server.refusal(&search("key -from:@nobody.here")).await;
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
}

#[tokio::test(start_paused = true)]
async fn real_time_search_is_asked_no_oftener_than_the_operator_says() {
    let server = with(&[("searches-per-minute", Setting::Number(1))]).await;
    let search = Sample::new("search", json!({"query": "import"}));
    server.call(&search).await;
    let error = server.refusal(&search).await;
    assert_eq!(error.kind(), Kind::RateLimited, "{error}");
    assert_eq!(server.harness().journal().count("assistant.search.context"), 1, "the second was not sent");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_time_zone_refuses_to_start() {
    let mut config = connector::settings::Config::default();
    config.set("timezone", text("Europe/Berln"));
    let options = connector::upstream::Options::new(url::Url::parse("https://slack.com/api").unwrap());
    let error = <slack_mcp::Slack as connector::Connector>::connect(&config, options).unwrap_err();
    assert!(error.for_agent().contains("no time zone Europe/Berln"), "{error}");
}

/// What a search finds where nothing may be read is told by nothing: neither by a row, nor by a total or a remainder.
#[tokio::test(start_paused = true)]
async fn how_much_is_found_out_of_bounds_is_not_told() {
    let count = |text: &str| text.split('(').next().unwrap_or_default().to_owned();
    let searches = [
        Sample::new("search_files", json!({"query": "import", "limit": 1})),
        Sample::new("search_private", json!({"query": "timeouts", "limit": 2})),
    ];
    let open = with(&[]).await;
    assert_eq!(count(&open.call(&searches[0]).await.text), "1 of 3 files ");
    for search in searches {
        let server = with(&[("deny-channels", list(&["inc-*", "deals"]))]).await;
        let text = server.call(&search).await.text;
        assert!(!count(&text).contains(" of ") && !text.contains("left out"), "{text}");
    }
}
