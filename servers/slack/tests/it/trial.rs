//! What misled somebody who had nothing but the list of tools: twenty tasks over the story, and what each
//! reply should have said.

use connector::{
    Kind,
    access::Selection,
    catalog::Answer,
    sandbox::{Action, Rule},
    testing::{Options, Sample},
};
use serde_json::{Value, json};

use crate::support::{INCIDENT, Server, all_toolsets, list, send, sent, shows, ts, with};

/// Slack answers so.
fn answers(body: Value) -> Action {
    let headers = [("content-type".to_owned(), "application/json".to_owned())].into();
    Action::Status { code: 200, headers, body: body.to_string(), committed: false }
}

/// Real-time Search is not in this workspace's plan.
fn without_real_time_search(office: &Server) {
    let none = answers(json!({"ok": false, "error": "feature_not_enabled"}));
    office.harness().faults().add(Rule::new("assistant.search.context", none).always());
}

/// The rows of a reply: what is inside its fence.
fn rows(text: &str) -> Vec<&str> {
    let inside = text.lines().skip_while(|line| !line.starts_with("<data ")).skip(1);
    inside.take_while(|line| !line.starts_with("</data ")).collect()
}

/// Task 19: everything somebody wrote, wherever they wrote it.
#[tokio::test]
async fn what_a_person_wrote_is_found_without_words_newest_first() {
    let office = Server::start().await;
    let asked = json!({"from": "daniel", "after": "7d"});
    let text = office.text("search_private", asked).await;
    let found = rows(&text);
    let wanted = ["Contract draft is with", "Discount floor is 8 %", "Northwind: 84,000 EUR"];
    assert_eq!(found.len(), wanted.len(), "{text}");
    for (row, words) in found.iter().zip(wanted) {
        assert!(row.contains(words), "{text}");
    }
    assert!(text.contains("from @daniel (Daniel Novák)") && text.contains("legacy search"), "{text}");
    assert_eq!(office.sent("assistant.search.context"), 0, "it takes no question without a query");
    let error = office.refuses("search", json!({})).await;
    assert!(error.for_agent().contains("Give words, or a filter"), "{error}");
    // The public search shows none of what is private.
    let text = office.text("search", json!({"from": "daniel", "after": "7d"})).await;
    assert!(rows(&text).len() == 1 && rows(&text)[0].contains("Contract draft"), "{text}");
}

/// Task 12: somebody who has left is somebody.
#[tokio::test]
async fn who_was_deactivated_is_found_by_every_name_and_said_to_be() {
    let office = Server::start().await;
    for name in ["Peter", "@peter", "Peter Quist", "U0PETER0001"] {
        let text = office.text("search_private", json!({"from": name})).await;
        assert!(text.contains("from @peter (Peter Quist), deactivated"), "{name}: {text}");
        assert!(rows(&text)[0].contains("The old importer is switched off."), "{name}: {text}");
    }
    let text = office.text("search", json!({"query": "importer", "from": "@peter"})).await;
    assert!(rows(&text)[0].contains("The old importer"), "an archived channel's: {text}");
    let text = office.text("search_users", json!({"query": "Peter"})).await;
    assert!(text.contains("1 deactivated left out: include_deactivated shows them"), "{text}");
    let text = office.text("read_channel", json!({"channel": "@peter"})).await;
    assert!(text.contains("DM with @peter (Peter Quist), deactivated"), "{text}");
    assert!(text.contains("search_private with `from` finds what they said elsewhere"), "{text}");
    let error = office.refuses("send_message", json!({"channel": "@peter", "message": "Hi"})).await;
    assert_eq!(error.kind(), Kind::InvalidArgument);
    assert!(error.for_agent().contains("@peter (Peter Quist) is deactivated"), "{error}");
    let mention = json!({"channel": "#eng-imports", "message": "Ask @peter."});
    let text = office.text("send_message", mention).await;
    assert!(text.contains("nobody is notified: @peter (Peter Quist), deactivated"), "{text}");
}

/// Tasks 7, 12 and 19: nothing found of several words is no proof that there is nothing.
#[tokio::test]
async fn where_nothing_is_found_a_narrower_question_is_tried_once() {
    let office = Server::start().await;
    let text = office.text("search", json!({"query": "queue SFTP customers"})).await;
    assert_eq!(rows(&text).len(), 5, "{text}");
    assert!(text.contains("No message has all the words; these have some"), "{text}");
    assert!(text.contains("[only: queue]") && !text.contains("SFTP]"), "{text}");
    assert_eq!(office.sent("assistant.search.context"), 2);
    // With a filter any of the words will do.
    let asked = json!({"query": "contract discount two nights price customer", "from": "daniel"});
    let text = office.text("search_private", asked).await;
    assert!(text.contains("Discount floor") && text.contains("Contract draft"), "{text}");
    let asked = json!({"query": "duplicates per warehouse", "in": "#eng-imports", "after": "2d"});
    let text = office.text("search", asked).await;
    assert!(text.contains("| Warehouse | Duplicates |"), "{text}");
    let asked = json!({"query": "SFTP", "from": "daniel", "after": "7d"});
    let text = office.text("search_private", asked).await;
    assert!(text.contains("Without the words, the filters match 3 messages: leave `query` out"), "{text}");
    // What it has found is told where the first search is another one too.
    without_real_time_search(&office);
    let asked = json!({"query": "SFTP anything", "from": "daniel"});
    let text = office.text("search_private", asked).await;
    assert!(text.contains("Without the words, the filters match"), "{text}");
}

/// Tasks 2, 7 and 8: a row shows what was found.
#[tokio::test]
async fn a_row_shows_tables_forwarded_messages_files_and_people() {
    let office = Server::start().await;
    let text = office.text("search_private", json!({"in": "#eng-imports", "after": "2d"})).await;
    assert!(text.contains("| Oslo | 1,200 |") && text.contains("[forwarded from"), "{text}");
    assert!(!text.contains("no text") && !text.contains('▣'), "{text}");
    let asked = json!({"query": "restarts import worker", "from": "@jonas", "has": "file"});
    let text = office.text("search", asked).await;
    assert!(text.contains("📎F0GRAPH0001 Restarts per hour"), "{text}");
    let text = office.text("search_private", json!({"query": "removal script", "from": "@tomas"})).await;
    assert!(text.contains("DM with @tomas (Tomás Herrera) tomas: Can you review"), "{text}");
    let text = office.text("search_private", json!({"query": "import"})).await;
    assert_eq!(rows(&text).iter().filter(|row| row.starts_with("1")).count(), 10, "{text}");
}

/// Tasks 19 and 20: files that no message in view names.
#[tokio::test]
async fn files_canvases_and_lists_are_found_by_words_channel_and_person() {
    let office = Server::start().await;
    for (asked, id) in [
        (json!({"query": "runbook"}), "📎F0RUNBOOK01 Runbook: imports (canvas), by @jonas"),
        (
            json!({"query": "84,000"}),
            "📎F0CONTRACT1 Northwind contract, draft (contract.txt) 70 B, by @daniel",
        ),
        (json!({"in": "#deals"}), "in #deals"),
        (json!({"from": "Daniel"}), "📎F0CONTRACT1"),
        (json!({"query": "contract", "from": "daniel", "in": "#deals"}), "📎F0CONTRACT1"),
        (json!({"query": "action items"}), "📎F0LISTACTN1 Incident actions (list), by @jonas"),
    ] {
        let text = office.text("search_files", asked.clone()).await;
        assert!(text.contains(id), "{asked}: {text}");
        assert_eq!(rows(&text).len(), 1, "{asked}: {text}");
    }
    let text = office.text("search_files", json!({"in": "#inc-import-timeouts"})).await;
    assert!(text.contains("F0RUNBOOK01") && text.contains("F0LISTACTN1"), "{text}");
    let off = "A list's items: read_file. They are changed by the toolset `lists`, which is off";
    assert!(text.contains(off), "{text}");
    let text = office.text("read_file", json!({"file": "F0LISTACTN1"})).await;
    assert!(text.contains("Incident actions (list)"), "{text}");
    assert!(text.contains("A list's items are changed by the toolset `lists`, which is off: "), "{text}");
    assert!(text.contains("https://harbor-example.slack.com/lists/"), "{text}");
    let found = rows(&text);
    assert_eq!(found.len(), 2, "{text}");
    assert!(found[0].contains("Action: Remove duplicates at Northwind | Owner: @tomas"), "{text}");
    assert!(found[1].contains("Action: Alarm on chunk latency | Owner: @jonas"), "{text}");
    let me = office.text("whoami", json!({})).await;
    let line = me.lines().find(|line| line.starts_with("Toolsets that are off: ")).unwrap();
    assert!(
        line.contains("lists") && line.ends_with("The operator switches them on with --toolsets."),
        "{me}"
    );
    let text = office.text("search_files", json!({"query": "nothing of that name"})).await;
    assert!(text.contains("No files") && text.contains("Try other words"), "{text}");
    let office = Server::start_with(all_toolsets()).await;
    let text = office.text("read_file", json!({"file": "F0LISTACTN1"})).await;
    assert!(text.contains("A list's items: read_list."), "{text}");
    assert!(!office.text("whoami", json!({})).await.contains("Toolsets that are off"));
    // What the operator took away by its name stays away.
    let selection = Selection { exclude_tools: vec!["read_list".to_owned()], ..Selection::default() };
    let office = Server::start_with(Options { selection, ..Options::default() }).await;
    let text = office.text("read_file", json!({"file": "F0LISTACTN1"})).await;
    assert!(text.contains("read by read_list of the toolset `lists`, which is off"), "{text}");
    assert_eq!(office.sent("slackLists.items.list"), 0, "{text}");
}

/// Task 10: people of other organizations go by the names that readings print.
#[tokio::test]
async fn who_is_of_another_organization_is_found_by_every_name_that_is_printed() {
    let office = Server::start().await;
    for name in ["Marcus Bell", "Marcus", "@marcus.bell", "Marcus Bell [ext T0NORTHWIND]", "W0MARCUS001"] {
        let text = office.text("search_private", json!({"from": name})).await;
        assert!(text.contains("from @marcus.bell (Marcus Bell)"), "{name}: {text}");
        assert_eq!(rows(&text).len(), 3, "{name}: {text}");
        let text = office.text("read_user_profile", json!({"user": name})).await;
        assert!(text.contains("W0MARCUS001 @marcus.bell Marcus Bell"), "{name}: {text}");
    }
    let text = office.text("search_users", json!({"query": "Marcus"})).await;
    assert!(rows(&text)[0].contains("W0MARCUS001") && rows(&text).len() == 1, "{text}");
    assert!(rows(&text)[0].ends_with("(from another organization)"), "{text}");
    let text = office.text("search_users", json!({"query": "Nobody Here"})).await;
    assert!(text.contains("list_channel_members lists a channel's"), "{text}");
    let error = office.refuses("search_private", json!({"from": "Nobody Here"})).await.for_agent();
    assert!(error.contains("go by their id (U…, W…): search_users finds it"), "{error}");
    // Nothing is written to them by a name.
    let error = office.refuses("send_message", json!({"channel": "@marcus.bell", "message": "Hi"})).await;
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
    // Whoever is only in a channel that may not be read is not told.
    let office = with(&[("deny-channels", list(&["customer-*"]))]).await;
    let text = office.text("search_users", json!({"query": "Marcus"})).await;
    assert_eq!(rows(&text).len(), 0, "{text}");
}

/// Tasks 2, 12, 15 and 20: what has some of the words is shown, and what has none is said to.
#[tokio::test]
async fn messages_with_some_of_the_words_are_shown_and_those_with_none_are_marked() {
    let office = Server::start().await;
    let asked = json!({"query": "key for CSV rows without id column decision"});
    let text = office.text("search_private", asked).await;
    assert!(text.lines().next().unwrap().contains("with only some of the words of"), "{text}");
    let found = rows(&text);
    assert!(!text.contains("idempotent"), "`id` is another word: {text}");
    let best = found[0];
    assert!(best.contains("We have none for CSV without an id column."), "{text}");
    assert!(best.ends_with("[only: key, CSV, without, id, column]"), "{text}");
    assert!(found.iter().any(|row| row.contains("Decision: key = sha256(file id, line number)")), "{text}");
    // Of words that every text has nothing is found.
    let text = office.text("search_private", json!({"query": "zebra for the"})).await;
    assert_eq!(rows(&text).len(), 0, "{text}");
    let text = office.text("search_private", json!({"query": "SFTP imports", "from": "Peter"})).await;
    let mark = "The old importer is switched off. [near in meaning: shows none of the words]";
    assert!(rows(&text)[0].ends_with(mark), "{text}");
    let text = office.text("search_private", json!({"query": "importer", "from": "Peter"})).await;
    assert!(!text.contains("near in meaning"), "{text}");
}

/// Tasks 1 and 8: direct messages that nobody began are empty, and what was not looked at is named.
#[tokio::test]
async fn what_is_empty_and_what_was_not_looked_at_is_said() {
    let office = Server::start().await;
    let text = office.text("read_channel", json!({"channel": "@jonas.lindgren"})).await;
    assert!(
        text.contains("No messages") && text.contains("DM with @jonas.lindgren (Jonas Lindgren)"),
        "{text}"
    );
    assert!(
        text.contains("There is no conversation with them yet: send_message to them begins one."),
        "{text}"
    );
    let text = office.text("catch_up", json!({"channels": ["#general", "#deals"], "max_channels": 1})).await;
    assert!(text.contains("without your own posts and replies in older threads"), "{text}");
    assert!(text.contains("Not looked at: #deals."), "{text}");
    let text = office.text("catch_up", json!({"max_channels": 3})).await;
    let left = text.lines().find(|line| line.starts_with("Not looked at: ")).unwrap();
    assert!(left.contains("#eng-imports"), "{text}");
}

/// Task 20: a channel's canvas is named with the channel, changed by it, and not made twice.
#[tokio::test]
async fn a_channel_names_its_canvas_which_is_changed_by_the_channel() {
    let office = Server::start().await;
    let text = office.text("read_channel", json!({"channel": "#inc-import-timeouts"})).await;
    assert!(text.lines().next().unwrap().contains("its canvas is 📎F0RUNBOOK01"), "{text}");
    let text = office.text("search_channels", json!({"query": "import-timeouts"})).await;
    assert!(text.contains("(canvas 📎F0RUNBOOK01)"), "{text}");
    let new = json!({"channel": "#inc-import-timeouts", "title": "Actions", "markdown": "- one"});
    let error = office.refuses("write_canvas", new).await;
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.for_agent().contains("has a canvas already: F0RUNBOOK01"), "{error}");
    assert_eq!(office.sent("conversations.canvases.create"), 0);
    let add = json!([{"op": "append", "markdown": "Ask Maya last."}]);
    let asked = json!({"channel": "#inc-import-timeouts", "operations": add});
    let text = office.text("write_canvas", asked).await;
    assert!(text.contains("F0RUNBOOK01") && text.contains("Ask Maya last."), "{text}");
}

/// Task 17: an edit keeps the broadcast that the message has, and adds none.
#[tokio::test]
async fn an_edit_keeps_a_broadcast_that_is_there_and_adds_none() {
    let office = Server::start().await;
    let ts = ts("review");
    let edit = |message: &str| json!({"channel": "#general", "ts": ts, "message": message});
    let text = office.text("update_message", edit("@here incident review on Thursday 15:00.")).await;
    assert!(text.contains("@here stays as it was"), "{text}");
    let sent = office.harness().journal().of("chat.update");
    assert!(sent[0].body.contains("%3C%21here%3E+incident+review+on+Thursday+15%3A00"), "{}", sent[0].body);
    let error = office.refuses("update_message", edit("@channel review at 16:00.")).await;
    assert_eq!(error.kind(), Kind::Policy);
    assert!(error.for_agent().contains("nothing was changed"), "{error}");
    assert_eq!(office.sent("chat.update"), 1);
}

/// Tasks 1, 9, 10 and 16: whom and what a name was taken for.
#[tokio::test]
async fn a_reply_says_whom_and_what_a_name_was_taken_for() {
    let office = Server::start().await;
    let answer = office.answer(&send("@jonas", "The report?")).await.unwrap();
    assert!(matches!(answer, Answer::Question(_)), "two are called Jonas");
    assert_eq!(office.sent("chat.postMessage"), 0);
    let answer = office.answer(&send("@jonas.lindgren", "The report?")).await.unwrap();
    assert!(matches!(answer, Answer::Reply(_)), "who is named in full is meant");
    let text = office.text("send_message", json!({"channel": "@Jonas", "message": "The report?"})).await;
    assert!(text.contains("DM with @jonas (Jonas Weber)"), "{text}");
    assert!(text.contains("not to @jonas.lindgren (Jonas Lindgren), who is called that too"), "{text}");
    let text = office.text("send_message", json!({"channel": "@tomas", "message": "Hi"})).await;
    assert!(!text.contains("who is called that too"), "{text}");
    let error = office.refuses("read_channel", json!({"channel": "#imports"})).await.for_agent();
    assert_eq!(error.matches("#eng-imports").count(), 1, "{error}");
    assert!(error.contains("#imports-2024 (archived)"), "{error}");
    let text = office.text("search_channels", json!({"query": "northwind"})).await;
    let row = rows(&text).into_iter().find(|row| row.contains("#inc-import-timeouts")).unwrap();
    assert!(row.contains("purpose: Imports time out, duplicates at Northwind"), "{text}");
    let private = json!({"name": "malmo-cleanup", "is_private": true, "users": ["@tomas"]});
    let text = office.text("create_conversation", private).await;
    assert!(text.contains("Created the private channel #malmo-cleanup"), "{text}");
}

/// Tasks 7, 8 and 20: one message, and one file, say everything that listings say of them.
#[tokio::test]
async fn a_message_says_that_it_is_pinned_and_a_file_who_it_is_by() {
    let office = Server::start().await;
    let ts = ts("inc");
    let text = office.text("get_message", json!({"channel": "#inc-import-timeouts", "ts": ts})).await;
    assert!(text.contains("It is pinned."), "{text}");
    let text = office.text("read_file", json!({"file": "F0GRAPH0001"})).await;
    let fence = text.lines().find(|line| line.starts_with("<data ")).unwrap();
    assert!(fence.contains("jonas") && !fence.contains("Restarts"), "{fence}");
}

/// Task 7: a word that no message has is named, and the others find what there is.
#[tokio::test]
async fn a_word_that_nothing_has_is_named_and_the_others_find_what_there_is() {
    for legacy in [false, true] {
        let office = Server::start().await;
        if legacy {
            without_real_time_search(&office);
        }
        let asked = json!({"query": "release version v2", "after": "36d"});
        let text = office.text("search", asked).await;
        assert!(text.contains("with only some of the words of \"release version v2\""), "{text}");
        assert!(text.contains("None of them has \"version\"."), "{text}");
        let found = rows(&text);
        assert!(found.iter().filter(|row| row.ends_with("[only: release, v2]")).count() >= 4, "{text}");
        // People go by the same names whichever search there is.
        assert!(found.iter().any(|row| row.contains("#releases tomas: *v2.14.0*")), "{text}");
        let text = office.text("search", json!({"query": "zebra quagga", "after": "36d"})).await;
        assert!(rows(&text).is_empty() && text.contains("Try other words"), "{text}");
        // What the filters shut out stays out.
        let asked = json!({"query": "release version v2", "after": "36d", "in": "#general"});
        let text = office.text("search", asked).await;
        assert!(rows(&text).iter().all(|row| row.contains(" #general ")), "{text}");
    }
}

/// Task 1: every wrong name is told at once, with what is called or about something alike; the others are read.
#[tokio::test]
async fn catching_up_reads_the_channels_that_are_there_and_tells_every_wrong_name() {
    let office = Server::start().await;
    let asked = json!({"channels": ["#imports", "#eng-imports", "#incident"], "since": "7d"});
    let text = office.text("catch_up", asked).await;
    assert!(text.contains("### #eng-imports"), "{text}");
    let wrong: Vec<&str> = text.lines().filter(|line| line.starts_with("Not read: ")).collect();
    assert_eq!(wrong.len(), 2, "{text}");
    assert!(wrong[0].contains("Did you mean #eng-imports or #imports-2024 (archived)?"), "{text}");
    assert!(wrong[1].contains("Did you mean #inc-import-timeouts (Incident OPS-9"), "{text}");
    // One's own are counted.
    assert!(text.contains("of your own not shown"), "{text}");
    let error = office.refuses("catch_up", json!({"channels": ["#imports", "#incident"]})).await;
    assert_eq!(error.kind(), Kind::NotFound);
    let error = error.for_agent();
    assert!(error.contains("#eng-imports") && error.contains("#inc-import-timeouts"), "{error}");
    let error = office.refuses("read_channel", json!({"channel": "#incident"})).await.for_agent();
    assert!(error.contains("Did you mean #inc-import-timeouts (Incident OPS-9"), "{error}");

    // What no channel can be called is not looked for.
    let office = Server::start().await;
    let error = office.refuses("read_channel", json!({"channel": "x".repeat(81)})).await.for_agent();
    assert!(error.contains("has 80 characters at most") && error.len() < 200, "{error}");
    assert!(
        sent(&office, "users.conversations").is_empty() && sent(&office, "conversations.list").is_empty()
    );
}

/// Task 11: a reply is shown with the words that it answers, and with how many have answered already.
#[tokio::test]
async fn a_reply_is_shown_with_whom_and_what_it_answers() {
    let office = Server::start().await;
    let asked =
        json!({"channel": "#inc-import-timeouts", "ts": ts("ask"), "message": "Tonight.", "dry_run": true});
    let text = office.text("send_message", asked.clone()).await;
    assert!(text.contains("- answers grace; the thread has 1 reply already, the last "), "{text}");
    let fence = text.lines().find(|line| line.starts_with("<data ")).unwrap();
    assert!(fence.contains("grace") && fence.contains(&ts("ask")), "{text}");
    assert!(rows(&text)[0].contains("Northwind"), "{text}");
    // A reply that is named is what is answered, in the same thread.
    let replies =
        office.text("read_thread", json!({"channel": "#inc-import-timeouts", "ts": ts("ask")})).await;
    let reply = rows(&replies).pop().unwrap().split(' ').next().unwrap().to_owned();
    let mut of_reply = asked;
    of_reply["ts"] = json!(reply);
    let text = office.text("send_message", of_reply.clone()).await;
    assert!(text.contains(&format!("in the thread {}", ts("ask"))), "{text}");
    assert!(text.contains("- answers tomas; the thread has 1 reply already"), "{text}");
    for (tool, name, value) in [
        ("schedule_message", "post_at", "in 2h"),
        ("upload_file", "text", "a,b\n"),
        ("send_message", "channel", INCIDENT),
    ] {
        let mut asked = of_reply.clone();
        asked[name] = json!(value);
        if tool == "upload_file" {
            asked["filename"] = json!("a.csv");
            asked.as_object_mut().unwrap().remove("message");
        }
        let text = office.text(tool, asked).await;
        assert!(text.contains("- answers tomas; "), "{tool}: {text}");
    }
    let text = office.text("send_message", json!({"channel": "#general", "message": "Who?"})).await;
    let new = text.lines().next().unwrap().rsplit(' ').next().unwrap();
    let mut first = json!({"channel": "#general", "ts": new, "message": "Me.", "dry_run": true});
    let text = office.text("send_message", first.clone()).await;
    assert!(text.contains("; the first reply there"), "{text}");
    // What is told of it is as true when it is done, and where else it is seen is said.
    first["dry_run"] = json!(false);
    first["reply_broadcast"] = json!(true);
    let text = office.text("send_message", first).await;
    assert!(
        text.starts_with("Posted in the thread") && text.contains(", shown in the channel too: ts "),
        "{text}"
    );
    assert!(text.contains("; the first reply there"), "{text}");
}

/// Tasks 11, 14 and 19: what is done asks no more, and a question names what was read in private.
#[tokio::test]
async fn why_something_was_asked_is_not_told_again_when_it_is_done() {
    let office = Server::start().await;
    office.text("read_channel", json!({"channel": "#deals"})).await;
    let shown = office
        .text("send_message", json!({"channel": "#general", "message": "Hello", "dry_run": true}))
        .await;
    assert!(shown.contains("asks, because private text was read before in #deals, and"), "{shown}");
    let text = office.text("send_message", json!({"channel": "#general", "message": "Hello"})).await;
    assert!(text.contains("Posted to #general") && !text.contains("asks, because"), "{text}");
}

/// Task 2: who signed something off is seen where the message is.
#[tokio::test]
async fn a_reaction_names_up_to_three_people() {
    let office = Server::start().await;
    let message = |users: Value| {
        json!({"ts": "1764400000.000100", "user": "U0TOMAS0001", "text": "Done",
        "reactions": [{"name": "eyes", "count": users.as_array().unwrap().len(), "users": users}]})
    };
    let (two, four) = (
        json!(["U0TOMAS0001", "U0MAYA00001"]),
        json!(["U0TOMAS0001", "U0MAYA00001", "U0PRIYA0001", "U0JONAS0001"]),
    );
    shows(&office, json!([message(two)]));
    let text = office.text("read_channel", json!({"channel": "#general"})).await;
    assert!(text.contains("Done {eyes by tomas, maya}"), "{text}");
    shows(&office, json!([message(four)]));
    let text = office.text("read_channel", json!({"channel": "#general"})).await;
    assert!(text.contains("Done {eyes×4}"), "{text}");
    // Slack may name fewer than there are.
    let mut some = message(json!(["U0TOMAS0001"]));
    some["reactions"][0]["count"] = json!(3);
    shows(&office, json!([some]));
    let text = office.text("read_channel", json!({"channel": "#general"})).await;
    assert!(text.contains("Done {eyes×3}"), "{text}");
}

/// Tasks 6 and 18: groups tell who is in them, and how they are changed where the tools for it are off.
#[tokio::test]
async fn a_group_names_its_people_and_the_toolset_that_changes_it() {
    let office = Server::start().await;
    let off = "User groups are changed by the toolset `usergroups`, which is off";
    for asked in [json!({}), json!({"group": "@oncall"})] {
        let text = office.text("list_usergroups", asked).await;
        assert!(text.contains("@jonas (Jonas Weber)") && text.contains(off), "{text}");
    }
    let office = Server::start_with(all_toolsets()).await;
    assert!(!office.text("list_usergroups", json!({})).await.contains("which is off"));
    let selection = Selection { read_only: true, ..Selection::default() };
    let office = Server::start_with(Options { selection, ..Options::default() }).await;
    assert!(!office.text("list_usergroups", json!({})).await.contains("which is off"));
}

/// Task 13: a scheduled message is moved in one call, and never stands twice unseen.
#[tokio::test]
async fn a_scheduled_message_takes_the_place_of_another() {
    let office = Server::start().await;
    let new =
        json!({"channel": "#inc-import-timeouts", "message": "Review in five minutes.", "post_at": "in 50h"});
    let mut instead = new.clone();
    instead["replaces"] = json!("Q0REVIEW001");
    let mut shown = instead.clone();
    shown["dry_run"] = json!(true);
    let answer = office.answer(&Sample::new("schedule_message", instead.clone())).await;
    assert!(matches!(answer, Ok(Answer::Question(_))), "it cancels something");
    let text = office.text("schedule_message", shown).await;
    assert!(text.contains("In place of Q0REVIEW001, of "), "{text}");
    assert_eq!(office.sent("chat.scheduleMessage"), 0);
    let text = office.text("schedule_message", instead).await;
    assert!(text.contains("Scheduled for ") && text.contains("Cancelled Q0REVIEW001"), "{text}");
    let left = office.text("list_scheduled_messages", json!({})).await;
    assert!(rows(&left).len() == 1 && rows(&left)[0].contains("Review in five minutes."), "{left}");
    let text = office.text("schedule_message", new.clone()).await;
    assert!(text.contains("1 more is scheduled there, Q0NEW"), "{text}");
    let mut nothing = new.clone();
    nothing["replaces"] = json!("Q0NOTHING01");
    let error = office.refuses("schedule_message", nothing).await;
    assert_eq!((error.kind(), office.sent("chat.scheduleMessage")), (Kind::NotFound, 2), "{error}");
    // What cannot be cancelled is told with what was made.
    let refused = answers(json!({"ok": false, "error": "invalid_scheduled_message_id"}));
    office.harness().faults().add(Rule::new("chat.deleteScheduledMessage", refused).always());
    let mut again = new;
    again["replaces"] =
        json!(rows(&office.text("list_scheduled_messages", json!({})).await)[0].split(' ').next().unwrap());
    let error = office.refuses("schedule_message", again).await.for_agent();
    assert!(error.contains("is scheduled, but ") && error.contains("Both stand"), "{error}");
}

/// Tasks 4 and 9: a box that was never ticked is a box, a file tells its name, and a list where it is read nothing twice.
#[tokio::test]
async fn a_list_says_what_is_not_done_and_a_file_its_name() {
    let office = Server::start().await;
    let text = office.text("read_file", json!({"file": "F0LISTACTN1"})).await;
    let found = rows(&text);
    assert!(found[0].contains("Owner: @tomas (Tomás Herrera) | Done: no"), "{text}");
    assert!(found[1].contains("Owner: @jonas (Jonas Weber) | Done: no"), "{text}");
    assert!(!text.contains("items: read_file"), "{text}");
    let text = office.text("search_files", json!({"from": "@jonas", "in": "#eng-imports"})).await;
    assert!(text.contains("Restarts per hour (restarts.csv)"), "{text}");
    // A token of an app that was made before lists were read.
    let refused = answers(json!({"ok": false, "error": "missing_scope", "needed": "lists:read"}));
    office.harness().faults().add(Rule::new("slackLists.items.list", refused).always());
    let text = office.text("read_file", json!({"file": "F0LISTACTN1"})).await;
    assert!(text.contains("Its items are not shown: ") && text.contains("lists:read"), "{text}");
}
