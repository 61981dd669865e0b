//! What is sent is what was asked for: as Slack's marks, without previews, to those who are told.

use connector::{
    Kind,
    sandbox::{Action, Change, Rule},
    testing::Sample,
};
use serde_json::{Value, json};

use crate::support::{
    ENGINEERS, GENERAL, INCIDENT, Server, all_toolsets, list, messages, send, sent, text, ts, with,
};

fn schedule(message: &str) -> Sample {
    Sample::new("schedule_message", json!({"channel": ENGINEERS, "message": message, "post_at": "in 2h"}))
}

fn upload(arguments: Value) -> Sample {
    let sample =
        Sample::new("upload_file", json!({"channel": ENGINEERS, "filename": "a.txt", "text": "a,b"}));
    arguments
        .as_object()
        .unwrap()
        .iter()
        .fold(sample, |sample, (name, value)| sample.with(name, value.clone()))
}

/// docs.slack.dev/reference/methods/chat.scheduleMessage: unfurl_links, unfurl_media.
#[tokio::test(start_paused = true)]
async fn no_way_of_sending_a_link_shows_a_preview_that_the_operator_does_not_allow() {
    let server = with(&[("unfurl-domains", list(&["harbor.example"]))]).await;
    let link = "See https://evil.example/?q=84000";
    server.call(&schedule(link)).await;
    let wire = sent(&server, "chat.scheduleMessage").remove(0);
    assert_eq!((&*wire["unfurl_links"], &*wire["unfurl_media"]), ("false", "false"));
    let edit = |ts: &str, text: &str| {
        Sample::new("update_message", json!({"channel": ENGINEERS, "ts": ts, "message": text}))
    };
    server.call(&send(ENGINEERS, link)).await;
    let posted = messages(&server, ENGINEERS).last().unwrap()["ts"].as_str().unwrap().to_owned();
    for sample in [upload(json!({"comment": link})), edit(&posted, "https://evil.example/other")] {
        let error = server.refusal(&sample).await;
        assert!(
            error.kind() == Kind::Policy && error.for_agent().contains("SLACK_UNFURL_DOMAINS"),
            "{error}"
        );
    }
    for sample in
        [upload(json!({"comment": "https://docs.harbor.example"})), edit(&posted, &format!("{link}, please"))]
    {
        server.call(&sample).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_comment_on_a_file_is_in_slacks_own_marks_and_a_files_name_is_no_message() {
    let server = Server::start().await;
    let comment = "**Graph** of [run 8812](https://a.example/8812) for @tomas, `**x**`";
    server.call(&upload(json!({"comment": comment}))).await;
    let wire = &sent(&server, "files.completeUploadExternal")[0]["initial_comment"];
    assert_eq!(wire, "*Graph* of <https://a.example/8812|run 8812> for <@U0TOMAS0001>, `**x**`");
    for name in ["@here.txt", "@maya notes.txt"] {
        let reply = server.call(&upload(json!({"filename": name}))).await.text;
        assert!(!reply.contains("notifies") && !reply.contains("mentions"), "{reply}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_preview_shows_what_is_sent_and_whom_it_reaches() {
    let server = Server::start_with(all_toolsets()).await;
    let dry = |sample: Sample| sample.with("dry_run", true);
    let reply = server.call(&dry(upload(json!({"comment": "The rows for @tomas"})))).await.text;
    assert!(reply.contains("The rows for @tomas") && reply.contains("a,b"), "{reply}");
    assert!(
        reply.contains("notifies @tomas (Tomás Herrera)") && reply.contains("6 people are in it"),
        "{reply}"
    );
    let show = json!({"channel": ENGINEERS, "user": "@tomas", "message": "cc @priya and @nobody.here"});
    let reply = server.call(&dry(Sample::new("send_ephemeral", show))).await.text;
    assert!(
        reply.contains("notifies @priya") && reply.contains("nobody is notified: @nobody.here"),
        "{reply}"
    );
    // Names, not ids.
    server.call(&schedule("Ask @tomas")).await;
    let listed = server.call(&Sample::new("list_scheduled_messages", json!({}))).await.text;
    assert!(listed.contains("Ask @tomas"), "{listed}");
    let id = listed.lines().find(|line| line.contains("Ask @tomas")).unwrap().split(' ').next().unwrap();
    let reply = server.call(&dry(Sample::new("cancel_scheduled_message", json!({"id": id})))).await.text;
    assert!(reply.contains("Ask @tomas"), "{reply}");
    let edit = json!({"channel": GENERAL, "ts": ts("review"), "message": "Friday, @tomas."});
    let reply = server.call(&dry(Sample::new("update_message", edit))).await.text;
    assert!(reply.contains("Friday, @tomas."), "{reply}");
}

/// Slack notifies who is in the conversation, and nobody else.
#[tokio::test(start_paused = true)]
async fn somebody_who_is_not_in_the_conversation_is_not_told_to_be_notified() {
    let server = Server::start().await;
    let reply = server.call(&send("#deals", "@daniel and @tomas: signed.")).await.text;
    assert!(reply.contains("notifies @daniel (Daniel Novák)\n"), "{reply}");
    assert!(reply.contains("not in the conversation, so not notified: @tomas (Tomás Herrera)"), "{reply}");
    let reply = server.call(&send("@tomas", "@grace knows.")).await.text;
    assert!(reply.contains("not notified: @grace (Grace Mbeki)"), "{reply}");
    let reply = server.call(&send("@sofia", "@grace knows.")).await.text;
    assert!(reply.contains("not notified: @grace (Grace Mbeki)"), "nobody has begun it: {reply}");
    let reply = server.call(&send(ENGINEERS, "@grace knows.")).await.text;
    assert!(reply.contains("not notified: @grace (Grace Mbeki)"), "{reply}");
    // Of a channel with more members than a page it is not asked.
    let many = Action::Patch { changes: vec![Change::set("/channel/num_members", json!(30_000))] };
    let server = Server::start().await;
    server.harness().faults().add(Rule::new("conversations.info", many).always());
    let reply = server.call(&send(GENERAL, "@grace knows.")).await.text;
    assert!(reply.contains("mentions @grace (Grace Mbeki): those in the channel are notified"), "{reply}");
    assert_eq!(server.harness().journal().count("conversations.members"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_later_post_that_may_be_there_is_not_asked_for_again() {
    let server = Server::start().await;
    let long = (0..3_000).map(|number| format!("line {number}\n")).collect::<String>();
    server.harness().faults().add(Rule::new("chat.postMessage", Action::CloseAfter).skip(1));
    server
        .harness()
        .faults()
        .add(Rule::new("conversations.replies", Action::rate_limit(Some("45"))).always());
    let error = server.refusal(&send(ENGINEERS, &long)).await;
    assert_eq!(error.kind(), Kind::UnknownOutcome, "{error}");
    assert!(error.message().starts_with("1 of 3 posts were sent"), "{error}");
    let told = error.for_agent();
    assert!(told.contains("post 2 may be there") && !told.contains("Send the rest"), "{told}");
}

/// Marks that hold a place are not those of a text: `\u{f8ff}` is a sign of its own on some keyboards.
#[tokio::test(start_paused = true)]
async fn a_sign_that_holds_places_shifts_no_mention() {
    let server = Server::start().await;
    server.call(&send(ENGINEERS, "\u{f8ff} and \u{e000}: @tomas, then @priya")).await;
    let wire = &sent(&server, "chat.postMessage")[0]["markdown_text"];
    assert_eq!(wire, "\u{f8ff} and \u{e000}: <@U0TOMAS0001>, then <@U0PRIYA0001>");
    let names: Vec<String> = (0..33).map(|number| format!("@nobody.here{number}")).collect();
    let reply = server.call(&send(ENGINEERS, &names.join(" "))).await.text;
    assert!(reply.contains("3 more names were not looked up"), "{reply}");
}

/// Each up to what was seen of it, whatever was said meanwhile.
#[tokio::test(start_paused = true)]
async fn several_conversations_are_marked_up_to_the_message_that_was_read() {
    let server = Server::start().await;
    let dump = messages(&server, ENGINEERS);
    let seen = dump[0]["ts"].as_str().unwrap();
    let link =
        format!("https://harbor-example.slack.com/archives/{INCIDENT}/p{}", ts("alert").replace('.', ""));
    let none = Action::Patch { changes: vec![Change::set("/messages", json!([]))] };
    server.harness().faults().add(Rule::new("conversations.history", none));
    let channels = json!([format!("#eng-imports@{seen}"), link, "#random"]);
    let reply = server.call(&Sample::new("mark_read", json!({"channels": channels}))).await.text;
    let marks = sent(&server, "conversations.mark");
    let marks: Vec<(&str, &str)> = marks.iter().map(|form| (&*form["channel"], &*form["ts"])).collect();
    assert_eq!(marks, [(ENGINEERS, seen), (INCIDENT, &*ts("alert"))]);
    assert!(reply.contains("nothing to read in #random"), "{reply}");
}

/// What is scheduled where nobody may look is counted.
#[tokio::test(start_paused = true)]
async fn scheduled_messages_that_are_not_shown_are_counted() {
    let server = with(&[("deny-channels", list(&["inc-*"]))]).await;
    let listed = server.call(&Sample::new("list_scheduled_messages", json!({}))).await.text;
    assert!(listed.contains("1 left out") && !listed.contains("Incident review"), "{listed}");
}

#[tokio::test(start_paused = true)]
async fn what_is_too_long_or_for_too_many_is_refused_whole() {
    let server = Server::start().await;
    let error = server.refusal(&send(ENGINEERS, &"word ".repeat(30_000))).await;
    assert!(error.kind() == Kind::InvalidArgument && error.for_agent().contains("upload_file"), "{error}");
    let people: Vec<String> = (0..9).map(|number| format!("U0PERSON{number:02}")).collect();
    let many = Sample::new("send_message", json!({"users": people, "message": "Hello."}));
    let error = server.refusal(&many).await;
    assert!(error.kind() == Kind::InvalidArgument && error.message().contains("at most 8 people"), "{error}");
    assert_eq!(server.harness().journal().count("chat.postMessage"), 0);
}

/// Nothing is added to what is written (https://github.com/slackapi/slack-skills-plugin/issues/25), unless the operator
/// says so.
#[tokio::test(start_paused = true)]
async fn a_message_is_sent_as_it_is_written_and_ends_as_the_operator_says() {
    let last = |server: &Server| sent(server, "chat.postMessage").pop().unwrap()["markdown_text"].clone();
    let server = Server::start().await;
    server.call(&send(ENGINEERS, "Done.")).await;
    assert_eq!(last(&server), "Done.");
    let server = with(&[("message-suffix", text("Sent by an assistant"))]).await;
    let reply = server.call(&send(ENGINEERS, "Done.")).await.text;
    assert_eq!(last(&server), "Done.\n\nSent by an assistant");
    assert!(reply.contains("ends as the operator says: Sent by an assistant"), "{reply}");
}
