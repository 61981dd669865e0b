//! What becomes of writes: never doubled, never lost, never called failed when they were done.

use std::time::Duration;

use connector::{
    Kind,
    sandbox::{Action, Rule},
};
use serde_json::{Value, json};

use crate::support::{ONBOARDING, OWN_COMMENT, Office, POST_MORTEM, RUNBOOK, RUNBOOKS, TASK, TASKS, id_in};

/// The ways in which the outcome of a write is not told.
fn ambiguities() -> [Action; 6] {
    [
        Action::CloseAfter,
        Action::Truncate { bytes: 20 },
        Action::Html { code: 200 },
        Action::status(502),
        Action::CloseBefore,
        Action::status(503),
    ]
}

/// A write with a text of its own, the operation that carries it out, and the text.
fn write(number: usize) -> (&'static str, Value, &'static str, String) {
    let mark = format!("outcome{number:05}");
    match number % 7 {
        0 => ("create_pages", json!({"parent": TASKS, "pages": [{"title": mark}]}), "POST /pages", mark),
        1 => {
            let page = json!({"title": mark, "markdown": "Text"});
            ("create_pages", json!({"parent": ONBOARDING, "pages": [page]}), "POST /pages", mark)
        }
        2 => ("add_comment", json!({"id": POST_MORTEM, "text": mark}), "POST /comments", mark),
        3 => {
            let edits = json!([{"action": "append", "id": RUNBOOKS, "markdown": mark}]);
            ("edit_blocks", json!({"edits": edits}), "PATCH /blocks/{id}/children", mark)
        }
        4 => ("edit_content", json!({"id": RUNBOOK, "append": mark}), "PATCH /pages/{id}/markdown", mark),
        5 => {
            let page = json!({"id": TASK, "properties": {"Notes": mark}});
            ("update_pages", json!({"pages": [page]}), "PATCH /pages/{id}", mark)
        }
        _ => ("save_view", json!({"database": TASKS, "name": mark}), "POST /views", mark),
    }
}

/// Issue 13: 1,000 injected ambiguous outcomes, no duplicate page, nothing lost, nothing called failed that was done.
#[tokio::test(start_paused = true)]
async fn a_thousand_ambiguous_outcomes_double_lose_and_deny_nothing() {
    let mut done = 0;
    for part in 0..10 {
        // A tree that does not grow without end.
        let office = Office::open().await;
        let mut outcomes = Vec::new();
        for number in part * 100..(part + 1) * 100 {
            let (tool, arguments, operation, mark) = write(number);
            let fault = ambiguities()[number / 7 % 6].clone();
            office.harness().faults().clear();
            office.harness().faults().add(Rule::new(operation, fault.clone()));
            let sent = office.attempt(tool, arguments).await;
            // One row is changed by all of its writes, so it is looked at before the next.
            let note = (tool == "update_pages").then(|| office.count(&mark));
            outcomes.push((number, fault, mark, sent, note));
            tokio::time::sleep(Duration::from_secs(120)).await;
        }
        let state = office.dump().to_string();
        for (number, fault, mark, outcome, note) in outcomes {
            let there = note.unwrap_or_else(|| state.matches(&mark).count());
            match &outcome {
                Ok(text) => assert_eq!(there, 1, "{number} {fault:?}: told as done: {text}"),
                Err(error) => {
                    assert_eq!(error.kind(), Kind::UnknownOutcome, "{number} {fault:?}: {error}");
                    assert!(there <= 1, "{number} {fault:?}: doubled");
                }
            }
            // What was carried out is found, and told as done.
            let lost = matches!(fault, Action::CloseAfter | Action::Truncate { .. });
            assert!(!lost || outcome.is_ok(), "{number} {fault:?}: {outcome:?}");
            done += usize::from(outcome.is_ok());
        }
    }
    assert!(done > 300, "only {done} of 1,000 were done");
}

/// A template is applied after the answer, so a page whose answer was lost is waited for like every other.
#[tokio::test(start_paused = true)]
async fn a_page_of_a_template_is_made_once_and_waited_for_though_its_answer_was_lost() {
    let mut found = 0;
    for fault in ambiguities() {
        let office = Office::open().await;
        office.harness().faults().add(Rule::new("POST /pages", fault.clone()));
        let page = json!({"title": "Made once", "template": "Sprint"});
        let outcome = office.attempt("create_pages", json!({"parent": TASKS, "pages": [page]})).await;
        let there = office.count("Made once");
        match outcome {
            Ok(text) => {
                assert_eq!(there, 1, "{fault:?}: {text}");
                assert!(
                    text.contains("template Sprint applied") && text.contains("blocks: heading 2"),
                    "{fault:?}: {text}"
                );
                found += usize::from(text.contains("its answer was lost"));
            }
            Err(error) => {
                assert_eq!(error.kind(), Kind::UnknownOutcome, "{fault:?}: {error}");
                assert_eq!(there, 0, "{fault:?}: it is there and was not found");
            }
        }
    }
    assert!(found >= 2, "only {found} answers were lost");
}

/// 503 after the commit (request-limits, `committed_resource_id`): Notion says itself what it saved.
#[tokio::test(start_paused = true)]
async fn a_write_that_was_saved_though_it_was_refused_is_read_back_and_done() {
    let cases = [
        ("POST /pages", "create_pages", json!({"parent": TASKS, "pages": [{"title": "Saved once"}]})),
        ("POST /comments", "add_comment", json!({"id": RUNBOOK, "text": "Saved once"})),
        ("POST /views", "save_view", json!({"database": TASKS, "name": "Saved once"})),
        (
            "PATCH /blocks/{id}/children",
            "edit_blocks",
            json!({"edits": [{"action": "append", "id": RUNBOOK, "markdown": "Saved once"}]}),
        ),
        ("PATCH /pages/{id}/markdown", "edit_content", json!({"id": RUNBOOK, "append": "Saved once"})),
        (
            "PATCH /pages/{id}",
            "update_pages",
            json!({"pages": [{"id": TASK, "properties": {"Notes": "Saved once"}}]}),
        ),
    ];
    for (route, tool, arguments) in cases {
        let office = Office::open().await;
        office.steer(json!({"saved_with_503": route})).await;
        let text = office.call(tool, arguments).await;
        assert!(text.contains("answer was lost"), "{tool}: {text}");
        assert_eq!((office.count("Saved once"), office.sent(route)), (1, 1), "{tool}");
    }
    // A discussion is nothing that can be listed: only Notion's word tells the reply.
    let office = Office::open().await;
    office.steer(json!({"saved_with_503": "POST /comments"})).await;
    let reply = json!({"discussion": "d15c0000000040008000000000000001", "text": "Saved once"});
    assert!(office.call("add_comment", reply).await.contains("answer was lost"));
    // Databases, whose title the table has too.
    let office = Office::open().await;
    office.steer(json!({"saved_with_503": "POST /databases"})).await;
    office.call("create_database", json!({"parent": RUNBOOK, "title": "Saved once"})).await;
    assert_eq!(office.sent("POST /databases"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_is_gone_though_the_answer_was_lost() {
    for (route, tool, arguments) in [
        ("DELETE /comments/{id}", "delete_comment", json!({"id": OWN_COMMENT})),
        ("DELETE /views/{id}", "delete_view", json!({"view": "f1e30000000040008000000000000002"})),
        (
            "DELETE /blocks/{id}",
            "edit_blocks",
            json!({"edits": [{"action": "delete", "id": "3387f0800d178100b2c4000000000048"}]}),
        ),
        ("PATCH /pages/{id}", "trash_pages", json!({"ids": [RUNBOOK]})),
        ("POST /pages/{id}/move", "move_pages", json!({"ids": [RUNBOOK], "parent": ONBOARDING})),
        (
            "PATCH /data_sources/{id}",
            "update_schema",
            json!({"database": "Bugs", "remove": ["Severity"], "add": {"Found": "date"}}),
        ),
    ] {
        for (fault, done) in [(Action::CloseAfter, true), (Action::status(502), false)] {
            let office = Office::open().await;
            office.harness().faults().add(Rule::new(route, fault.clone()));
            match office.attempt(tool, arguments.clone()).await {
                Ok(text) => assert!(text.contains("answer was lost") == done, "{tool} {fault:?}: {text}"),
                Err(error) => {
                    assert_eq!(error.kind(), Kind::UnknownOutcome, "{tool} {fault:?}: {error}");
                    assert!(!done, "{tool} {fault:?}: {error}");
                }
            }
        }
    }
}

/// Nobody's later change is overwritten by a repetition.
#[tokio::test(start_paused = true)]
async fn a_change_is_not_repeated_over_what_somebody_else_has_written() {
    let office = Office::open().await;
    // The write does not arrive, and meanwhile somebody changes the row.
    office.harness().faults().add(Rule::new("PATCH /pages/{id}", Action::status(502)));
    let other = json!({"pages": [{"id": TASK, "properties": {"Estimate": 21}}]});
    let ours = json!({"pages": [{"id": TASK, "properties": {"Priority": "Low"}}]});
    let (ours, _) = tokio::join!(office.attempt("update_pages", ours), async {
        while office.sent("PATCH /pages/{id}") == 0 {
            tokio::task::yield_now().await;
        }
        office.call("update_pages", other).await
    });
    // Whether it was seen in time or not, both are told truly.
    let values = office.node(TASK)["data"]["properties"].clone();
    assert_eq!(values["Estimate"]["number"], 21);
    match ours {
        Ok(_) => assert_eq!(values["Priority"]["select"]["name"], "Low"),
        Err(error) => assert_eq!(error.kind(), Kind::UnknownOutcome, "{error}"),
    }
}

/// An interrupted batch says what is done, what failed and what was not tried, whatever the batch.
#[tokio::test(start_paused = true)]
async fn every_interrupted_batch_says_what_was_written() {
    let rows = json!([{"title": "One"}, {"title": "Two"}, {"title": "Three"}]);
    let tasks = ["7a5c0000000040008000000000000001", TASK, "7a5c0000000040008000000000000005"];
    let changed: Vec<Value> =
        tasks.iter().map(|id| json!({"id": id, "properties": {"Estimate": 34}})).collect();
    let appended: Vec<Value> = ["a", "b", "c"]
        .iter()
        .map(|text| json!({"action": "append", "id": RUNBOOK, "markdown": text}))
        .collect();
    let cases = [
        ("POST /pages", "create_pages", json!({"parent": TASKS, "pages": rows})),
        ("PATCH /pages/{id}", "update_pages", json!({"pages": changed})),
        ("PATCH /pages/{id}", "trash_pages", json!({"ids": tasks})),
        ("POST /pages/{id}/move", "move_pages", json!({"ids": tasks, "parent": RUNBOOK})),
        ("PATCH /blocks/{id}/children", "edit_blocks", json!({"edits": appended})),
    ];
    for (route, tool, arguments) in cases {
        let office = Office::open().await;
        office.harness().faults().add(Rule::new(route, Action::status(403)).skip(1));
        let text = office.call(tool, arguments.clone()).await;
        assert!(text.contains("1 of 3") && text.contains("failed"), "{tool}: {text}");
        assert!(text.to_lowercase().contains("not tried"), "{tool}: {text}");
        assert_eq!(office.sent(route), 2, "{tool}");
        // The first one fails: an error that says so of all.
        let office = Office::open().await;
        office.harness().faults().add(Rule::new(route, Action::status(403)));
        let error = office.refusal(tool, arguments).await;
        assert!(
            error.for_agent().contains("1 of 3") && error.for_agent().contains("not tried"),
            "{tool}: {error}"
        );
    }
}

/// What Notion writes in the background is not called failed because nobody could ask how far it is.
#[tokio::test(start_paused = true)]
async fn a_page_that_is_written_in_the_background_is_found() {
    let office = Office::open().await;
    office.harness().faults().add(Rule::new("GET /async_tasks/{id}", Action::status(403)).always());
    let long = "A line of a long page\n".repeat(3_000);
    let page = json!({"title": "In the background", "markdown": long});
    let text = office.call("create_pages", json!({"parent": RUNBOOKS, "pages": [page]})).await;
    assert!(text.contains("answer was lost") && office.sent("POST /pages") == 1, "{text}");
    assert_eq!(office.node(&id_in(&text))["kind"], "page");
}
