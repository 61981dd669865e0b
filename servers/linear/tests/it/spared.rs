//! What a reply says so that nobody asks again: which issues block, when a cycle runs, who is who, what goes along with
//! what was asked for, and what was left out of a text.

use connector::{
    sandbox::{Action, Rule},
    testing::{Options, Sandboxed},
};
use linear_mcp::Linear;
use serde_json::{Value, json};

use crate::planning_support::site;

/// A call and its dry run, in this order.
fn and_dry(arguments: &Value) -> [Value; 2] {
    let mut dry = arguments.clone();
    dry["dry_run"] = json!(true);
    [dry, arguments.clone()]
}

#[tokio::test]
async fn a_row_names_the_issues_that_block_it() {
    let site = site().await;
    let text = site.call("list_issues", json!({"team": "GRO", "blocked": true})).await;
    let row = |text: &str, id: &str| {
        let found = text.lines().find(|line| line.starts_with(&format!("{id} "))).map(str::to_owned);
        found.unwrap_or_else(|| panic!("{id}: {text}"))
    };
    assert!(row(&text, "GRO-7").contains(" blocked by ENG-27, ENG-30 Northwind expansion"), "{text}");
    assert!(row(&text, "GRO-8").contains(" blocked by OPS-12 Order form"), "{text}");
    assert!(row(&text, "GRO-10").contains(" blocked by OPS-11 "), "{text}");
    let only = "blocked by: open issues only";
    assert!(text.lines().next().unwrap().contains(only), "{text}");
    // What is finished blocks nothing, and what is many is few in a row.
    let more = json!({"from": "GRO-8", "to": ["OPS-4", "OPS-5", "OPS-7", "ENG-28"], "type": "blocked_by"});
    site.call("link_issues", more).await;
    let fields = json!({"team": "GRO", "state": "open", "fields": ["blocked_by", "title"]});
    let text = site.call("list_issues", fields).await;
    let gro = row(&text, "GRO-8");
    assert!(gro.starts_with("GRO-8 blocked by ") && gro.contains(" and 1 more Order form"), "{gro}");
    assert!(!gro.contains("ENG-28") && row(&text, "GRO-9").starts_with("GRO-9 Merge"), "{text}");
    assert!(text.lines().next().unwrap().contains(only), "{text}");
    // Rows without them need no word about them.
    assert!(!site.call("list_issues", json!({"team": "GRO", "blocked": false})).await.contains(only));
}

#[test]
fn both_ends_of_a_span_of_due_dates_say_whether_their_day_is_in_it() {
    let catalog = <Linear as connector::Connector>::catalog();
    let schema = catalog.tool("list_issues").unwrap().typed_input_schema();
    for name in ["due_before", "due_after"] {
        assert_eq!(schema["properties"][name]["description"], "Exclusive", "{name}");
    }
}

#[tokio::test]
async fn what_is_due_before_and_after_a_day_is_not_due_on_it() {
    let site = site().await;
    let span = json!({"due_after": site.day(1), "due_before": site.day(3), "state": "open"});
    let text = site.call("list_issues", span).await;
    let days: Vec<&str> =
        text.lines().filter_map(|line| line.split(" due ").nth(1)?.split(' ').next()).collect();
    assert!(days.len() > 2 && days.iter().skip(1).all(|day| *day == "D+2"), "{text}");
    assert!(text.contains("due before D+3, not on it; due after D+1, not on it"), "{text}");
}

#[tokio::test]
async fn a_duplicate_says_how_far_the_other_issue_is() {
    let site = site().await;
    for arguments in and_dry(&json!({"from": "OPS-13", "to": ["ENG-23"], "type": "duplicate"})) {
        let text = site.call("link_issues", arguments).await;
        assert!(text.contains("- ENG-23 is Done"), "{text}");
    }
}

#[tokio::test]
async fn a_cycle_comes_with_its_dates() {
    let site = site().await;
    let text = site.call("get_issue", json!({"id": "ENG-18"})).await;
    assert!(text.contains("cycle 24 (D-7 → D+6)"), "{text}");
    for arguments in and_dry(&json!({"id": "ENG-18", "cycle": "next"})) {
        let text = site.call("update_issue", arguments).await;
        assert!(text.contains("- cycle 24 → 25 (D+7 → D+20)"), "{text}");
    }
    let text = site.call("update_issue", json!({"id": "ENG-18", "cycle": "99"})).await;
    let there = "it has 25 (D+7 → D+20), 24 \"Imports that hold\" (D-7 → D+6), 23 (D-21 → D-8)";
    assert!(
        text.starts_with("ERROR not_found: The team ENG has no cycle `99`") && text.contains(there),
        "{text}"
    );
}

#[tokio::test]
async fn two_people_of_one_first_name_are_told_apart() {
    let site = site().await;
    let text = site.call("list_issues", json!({"priority": "urgent", "state": "open"})).await;
    assert!(text.contains("@jonas is Jonas Weber, @jonas.lindgren is Jonas Lindgren"), "{text}");
    let text = site.call("list_issues", json!({"team": "GRO", "state": "open"})).await;
    assert!(text.contains("@sofia") && !text.contains("Sofia Rossi"), "nobody is mistaken for her: {text}");
    let text = site.call("get_issue", json!({"id": "ENG-30"})).await;
    assert!(
        text.starts_with("ENG-30: In Progress, priority urgent, @jonas.lindgren (Jonas Lindgren)"),
        "{text}"
    );
    for arguments in and_dry(&json!({"id": "OPS-10", "assignee": "jonas"})) {
        let text = site.call("update_issue", arguments).await;
        assert!(text.contains("- assignee none → @jonas (Jonas Weber)"), "{text}");
    }
}

#[tokio::test]
async fn characters_that_nobody_sees_are_told() {
    let site = site().await;
    let text = site.call("get_issue", json!({"id": "ENG-36"})).await;
    assert!(text.contains("characters that are not shown were left out here.]"), "{text}");
    let text = site.call("get_issue", json!({"id": "ENG-27"})).await;
    assert!(!text.contains("not shown"), "{text}");
    let body = "Pay\u{200b}load with the job\u{200b} id";
    for arguments in and_dry(&json!({"issue": "ENG-18", "body": body})) {
        let text = site.call("add_comment", arguments).await;
        assert!(
            text.contains("[2 characters that are not shown were in what was given, and kept.]"),
            "{text}"
        );
    }
}

/// The story, in a workspace whose teams close sub-issues with the issue above them.
async fn closing_site() -> Sandboxed<Linear> {
    let seed = linear_mcp::sandbox::seed();
    let with = seed.replace("\"autoCloseChildIssues\": false", "\"autoCloseChildIssues\": true");
    assert_ne!(seed, with);
    let fake = linear_mcp::sandbox::with_seed(with);
    Sandboxed::<Linear>::start_over(fake, Options::everything(), |_| {}).await
}

#[tokio::test]
async fn sub_issues_that_close_with_their_parent_are_told() {
    let site = closing_site().await;
    let [dry, done] = and_dry(&json!({"id": "ENG-27", "state": "Done"}));
    let text = site.reply("update_issue", dry).await;
    assert!(text.contains("- Linear closes its open sub-issues with it: ENG-30, ENG-31"), "{text}");
    let text = site.reply("update_issue", done).await;
    assert!(text.contains("- with it, by the team's settings: ENG-30 Done, ENG-31 Done"), "{text}");
    assert!(!text.contains("stay open") && text.contains("- unblocks GRO-7"), "{text}");
    // As a team of the story has it, they stay.
    let site = crate::planning_support::site().await;
    let text = site.call("update_issue", json!({"id": "ENG-27", "state": "Done"})).await;
    assert!(text.contains("state In Progress → Done") && !text.contains("with it"), "{text}");
    let text = site.call("get_issue", json!({"id": "ENG-30"})).await;
    assert!(text.starts_with("ENG-30: In Progress"), "{text}");
}

#[tokio::test]
async fn what_closing_an_issue_leaves_open_and_sets_free_is_told() {
    let site = site().await;
    let bulk = json!({"ids": ["ENG-27", "ENG-30"], "changes": {"state": "Done"}, "dry_run": true});
    let text = site.call("bulk_update_issues", bulk).await;
    assert!(text.contains("1 sub-issue stays open: ENG-31") && text.contains("unblocks GRO-7"), "{text}");
    assert_eq!(site.sent("Closing"), 1, "one request for all of them");
    for arguments in and_dry(&json!({"id": "ENG-27", "state": "Done"})) {
        let text = site.call("update_issue", arguments).await;
        assert!(text.contains("- 2 sub-issues stay open: ENG-30, ENG-31"), "{text}");
        assert!(text.contains("- GRO-7 stays blocked by ENG-30"), "{text}");
    }
    for arguments in and_dry(&json!({"id": "OPS-12", "state": "Done"})) {
        let text = site.call("update_issue", arguments).await;
        assert!(text.contains("- unblocks GRO-8") && !text.contains("stay"), "{text}");
    }
    let sent = site.sent("Closing");
    site.call("update_issue", json!({"id": "ENG-33", "state": "In Progress", "priority": "low"})).await;
    assert_eq!(site.sent("Closing"), sent, "only where an issue is closed");
    site.harness().faults().add(Rule::new("Closing", Action::status(400)).always());
    let text = site.call("update_issue", json!({"id": "ENG-31", "state": "Done"})).await;
    assert!(text.contains("which sub-issues stay open and what it unblocks could not be read"), "{text}");
    assert!(text.starts_with("Updated ENG-31."), "{text}");
}

#[tokio::test]
async fn an_issue_that_closes_with_the_last_of_its_sub_issues_is_told() {
    let site = site().await;
    let text = site.call("update_issue", json!({"id": "ENG-31", "state": "Done"})).await;
    assert!(!text.contains("ENG-27"), "another is open: {text}");
    for (arguments, words) in and_dry(&json!({"id": "ENG-30", "state": "Done"})).into_iter().zip([
        "- Linear closes ENG-27 too, which has no other open sub-issue",
        "- with it, by the team's settings: ENG-27 Done",
    ]) {
        let text = site.call("update_issue", arguments).await;
        assert!(text.contains(words) && text.contains("- unblocks GRO-7"), "{text}");
    }
    // Several that are closed at once leave none open either.
    let site = crate::planning_support::site().await;
    let both = json!({"ids": ["ENG-30", "ENG-31"], "changes": {"state": "Done"}, "dry_run": true});
    let text = site.call("bulk_update_issues", both).await;
    assert!(text.contains("Linear closes ENG-27 too"), "{text}");
    // What is closed by the same call is not closed by Linear.
    let three = json!({"ids": ["ENG-27", "ENG-30", "ENG-31"], "changes": {"state": "Done"}, "dry_run": true});
    let text = site.call("bulk_update_issues", three).await;
    assert!(!text.contains("Linear closes"), "{text}");
}

#[tokio::test]
async fn more_than_five_at_once_are_asked_about() {
    let site = Sandboxed::<Linear>::start_with(Options::everything()).await;
    let six = ["OPS-1", "OPS-2", "OPS-3", "OPS-4", "OPS-5", "OPS-6"];
    let inbox = site.dump()["Notification"].as_array().unwrap().clone();
    let own = inbox.iter().filter(|one| one["userId"] == linear_mcp::sandbox::VIEWER);
    let inbox: Vec<&Value> = own.map(|one| &one["id"]).collect();
    assert_eq!(inbox.len(), 6);
    for (tool, of) in [
        (
            "link_issues",
            &(|many: usize| json!({"from": "ENG-33", "to": six[..many], "type": "related"}))
                as &dyn Fn(usize) -> Value,
        ),
        ("bulk_update_issues", &|many| json!({"ids": six[..many], "changes": {"priority": "low"}})),
        (
            "create_issue",
            &|many| json!({"issues": six[..many].iter().map(|title| json!({"title": title, "team": "OPS"})).collect::<Vec<_>>()}),
        ),
        ("mark_notification", &|many| json!({"ids": inbox[..many], "read": false})),
    ] {
        assert!(site.question(tool, of(6)).await.is_some(), "{tool}: six are many");
        assert!(site.question(tool, of(5)).await.is_none(), "{tool}: five are few");
    }
}

#[tokio::test]
async fn words_are_found_in_capitals_or_not() {
    let site = site().await;
    let count = async |query: &str| {
        let text = site.call("list_issues", json!({"query": query, "limit": 100})).await;
        text.split(' ').next().unwrap().parse::<usize>().unwrap_or_else(|_| panic!("{text}"))
    };
    let found = count("import").await;
    assert!(found > 10, "{found}");
    assert_eq!(count("IMPORT").await, found);
}

#[tokio::test]
async fn several_issues_are_changed_by_identifiers_that_they_had_before() {
    let site = site().await;
    site.call("update_issue", json!({"id": "ENG-31", "team": "OPS"})).await;
    let both = json!({"ids": ["ENG-31", "ENG-33"], "changes": {"priority": "medium"}});
    let text = site.call("bulk_update_issues", both).await;
    assert!(text.starts_with("Changed 2 issues.") && !text.contains("ENG-31:"), "{text}");
}
