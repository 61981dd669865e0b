//! What is private stays so, and what reaches many is asked about.

use connector::{
    Kind,
    catalog::Answer,
    settings::Value as Setting,
    testing::{Options, Sample},
};
use serde_json::json;
use slack_mcp::Slack;

use crate::support::{ENGINEERS, GENERAL, INCIDENT, Server, all_toolsets, list, read, send, sent, ts, with};

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

/// Direct messages come with the last of them (docs.slack.dev/reference/methods/conversations.info).
#[tokio::test(start_paused = true)]
async fn what_is_kept_of_direct_messages_has_no_message_in_it() {
    let server = Server::start().await;
    let read = Sample::new("read_channel", json!({"channel": "D0MAYATOMAS"}));
    for asked in 1..=2 {
        server.call(&read).await;
        assert_eq!(server.harness().journal().count("conversations.info"), asked);
    }
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

/// The bound holds for a conversation that has not begun: somebody's own id names no channel to look at.
#[tokio::test(start_paused = true)]
async fn the_first_message_to_somebody_of_another_organization_is_refused_like_every_other() {
    const MARCUS: &str = "W0MARCUS001";
    let begin = Sample::new("create_conversation", json!({"users": [MARCUS]}));
    let server = Server::start().await;
    for sample in [send(MARCUS, "Hello."), begin] {
        let error = server.refusal(&sample).await;
        assert_eq!(error.kind(), Kind::Policy, "{error}");
        assert!(
            error.to_string().contains("the direct message is shared with another organization"),
            "{error}"
        );
    }
    assert_eq!(server.harness().journal().count("conversations.open"), 0);
    let server = with(&[("allow-external", Setting::Switch(true))]).await;
    let answer = server.answer(&send(MARCUS, "Hello.")).await.unwrap();
    assert!(matches!(answer, Answer::Question(_)));
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
    // Addresses of resources name the workspace too.
    for (team, credential) in [("beta", &tokens[0]), ("acme", &tokens[1])] {
        server.harness().journal().clear();
        let text = server.read(&format!("slack://{team}/channel/{GENERAL}")).await;
        assert!(text.contains("#general"), "{text}");
        let asked = server.harness().journal().of("conversations.history");
        assert_eq!(&asked[0].credential, credential, "{team}");
        let groups = server.complete("group", "@on", &[("team", team)]).await;
        assert_eq!(groups, ["@oncall"]);
        assert!(
            server
                .harness()
                .journal()
                .of("usergroups.list")
                .iter()
                .all(|asked| &asked.credential == credential)
        );
    }
    assert_eq!(server.complete("team", "", &[]).await, ["acme", "beta"]);
    let error = server.refusal(&read(GENERAL).with("workspace", "gamma")).await;
    assert!(error.for_agent().contains("There are: acme, beta"), "{error}");
    std::fs::write(&file, "[acme]\nuser-tokn-file = \"x\"\n").unwrap();
    let mut config = connector::settings::Config::default();
    config.set("workspaces", Setting::Path(file));
    let options = connector::upstream::Options::new(url::Url::parse("https://slack.com/api").unwrap());
    let error = <Slack as connector::Connector>::connect(&config, options).unwrap_err();
    assert!(error.for_agent().contains("user-token-file"), "{error}");
}
