//! The tools that write issues, links, comments, labels and milestones, against the sandbox.

use crate::support::{
    READONLY, REPO, REPO_PATH,
    fake::column,
    server::{Setup, Site, site_in_repo},
};
use connector::{
    Kind,
    sandbox::{Action, Change},
};
use reqwest::Method;
use serde_json::{Value, json};

const CREATE: &str = "POST /repos/{owner}/{repo}/issues";
const COMMENT: &str = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments";

/// An issue of the story's repository, as it is now.
async fn issue(site: &Site, number: u64) -> Value {
    site.sandbox.of_repo(&format!("issues/{number}")).await
}

/// How many issues and pull requests the story's repository has.
async fn count(site: &Site) -> usize {
    let mut count = 0;
    for page in 1.. {
        let rows = site.sandbox.of_repo(&format!("issues?state=all&per_page=100&page={page}")).await;
        let rows = rows.as_array().unwrap().len();
        count += rows;
        if rows < 100 {
            break;
        }
    }
    count
}

#[tokio::test(start_paused = true)]
async fn an_issue_is_opened_with_everything_that_was_asked_for() {
    let site = site_in_repo().await;
    let arguments = json!({
        "title": "Chunks are written in the wrong order", "body": "Seen by @sofia and @maya.\n\n```\n@nobody\n```",
        "labels": ["BUG", "importer"], "assignees": ["@me", "Tomas"], "milestone": "v2.15", "type": "bug", "parent": "#473",
    });
    let mut dry = arguments.clone();
    dry["dry_run"] = json!(true);
    insta::assert_snapshot!(site.still("create_issue", dry).await);
    assert_eq!(site.sent(CREATE), 0);
    insta::assert_snapshot!(site.still("create_issue", arguments).await);
    let made = issue(&site, 491).await;
    assert_eq!(column(&made["labels"], "name"), ["bug", "importer"]);
    assert_eq!(column(&made["assignees"], "login"), ["maya", "tomas"]);
    assert_eq!((&made["milestone"]["title"], &made["type"]["name"]), (&json!("v2.15"), &json!("Bug")));
    assert!(made["parent_issue_url"].as_str().unwrap().ends_with("/issues/473"));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_there_is_refused_before_anything_is_written() {
    let site = site_in_repo().await;
    for (field, value, says) in [
        (
            "labels",
            json!(["documentaton"]),
            "There is no label `documentaton` in harbor-example/import-api. Did you mean documentation?",
        ),
        ("assignees", json!(["tomass"]), "Did you mean @tomas?"),
        ("milestone", json!("v9"), "There is no milestone `v9` in harbor-example/import-api"),
        ("type", json!("Story"), "There is: Task, Bug, Feature"),
        ("parent", json!("#99999"), "does not exist"),
        ("parent", json!("#482"), "is a pull request"),
        ("title", json!("  "), "`title` is empty"),
    ] {
        let mut arguments = json!({"title": "A new one"});
        arguments[field] = value;
        let error = site.refusal("create_issue", arguments).await;
        assert!(error.for_agent().contains(says), "{error}");
    }
    assert_eq!(site.sent(CREATE), 0);
}

#[tokio::test(start_paused = true)]
async fn an_issue_whose_answer_was_lost_is_found_and_not_opened_twice() {
    let site = site_in_repo().await;
    let before = count(&site).await;
    let arguments = json!({"title": "Lost and found", "body": "A text\nof two lines"});
    site.fault(CREATE, Action::CloseAfter);
    let text = site.call("create_issue", arguments.clone()).await;
    assert!(
        text.starts_with(
            "GitHub's answer was lost, but it is done: opened harbor-example/import-api#491: Lost and found."
        ),
        "{text}"
    );
    assert_eq!((count(&site).await, site.sent(CREATE)), (before + 1, 1));
    // The same once more, but refused before it was done: the older one is not taken for it.
    site.sandbox.pass(600);
    site.fault(CREATE, Action::status(502));
    let error = site.refusal("create_issue", json!({"title": "Never there"})).await;
    assert_eq!(error.kind(), Kind::UnknownOutcome);
    assert!(error.for_agent().contains("list_issues"), "{error}");
    assert_eq!(count(&site).await, before + 1);
}

#[tokio::test(start_paused = true)]
async fn what_github_drops_without_a_word_is_told() {
    // "Only users with push access can set assignees for new issues. Assignees are silently dropped otherwise."
    // (docs.github.com, "Create an issue"; the same for labels, milestone and type.)
    let site = site_in_repo().await;
    let changes = vec![
        Change::set("/assignees", json!([])),
        Change::set("/labels", json!([])),
        Change::set("/type", json!(null)),
    ];
    site.fault(CREATE, Action::Patch { changes });
    let arguments = json!({"title": "A typo", "assignees": ["priya"], "labels": ["bug"], "type": "Bug"});
    let text = site.call("create_issue", arguments).await;
    assert!(text.starts_with("Opened harbor-example/import-api#491: A typo."), "{text}");
    for dropped in ["labels [bug]", "assigned to @priya", "type Bug"] {
        assert!(
            text.contains(&format!("NOT accepted by GitHub, which may want more rights for it: {dropped}")),
            "{text}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_is_given_changes_and_the_reply_says_from_what_to_what() {
    let site = site_in_repo().await;
    let arguments = json!({
        "number": 490, "title": "Memory of import workers is up 6 %", "add_labels": ["P1"], "remove_labels": ["p2"],
        "add_assignees": ["tomas"], "milestone": "v2.15", "clear": ["type"],
    });
    let before = issue(&site, 490).await;
    let mut dry = arguments.clone();
    dry["dry_run"] = json!(true);
    insta::assert_snapshot!(site.still("update_issue", dry).await);
    assert_eq!(issue(&site, 490).await, before);
    assert_eq!(
        site.question("update_issue", arguments.clone()).await,
        None,
        "it only adds, and takes away by name"
    );
    let after = issue(&site, 490).await;
    let mut labels = column(&after["labels"], "name");
    labels.sort_by_key(Value::to_string);
    assert_eq!(labels, ["P1", "performance"]);
    assert_eq!((&after["body"], &after["type"]), (&before["body"], &json!(null)));
    let again = site.call("update_issue", arguments).await;
    assert!(
        again.starts_with("Nothing to change: harbor-example/import-api#490 is already like that."),
        "{again}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_one_call_undoes_is_done_and_a_text_is_not_replaced_unasked() {
    let site = site_in_repo().await;
    for (arguments, asks) in [
        (json!({"body": "All new"}), true),
        (json!({"clear": ["body"]}), true),
        (json!({"labels": ["performance", "P2", "bug"]}), false),
        (json!({"labels": ["bug"]}), false),
        (json!({"lock": true}), false),
        (json!({"state": "not_planned"}), false),
        (json!({"state": "closed"}), false),
        (json!({"title": "Another"}), false),
        (json!({"remove_labels": ["P2"]}), false),
    ] {
        let mut given = arguments.clone();
        given["number"] = json!(490);
        given["repo"] = json!(REPO);
        let question = site.question("update_issue", given).await;
        assert_eq!(question.is_some(), asks, "{arguments}: {question:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_does_not_promise_what_github_refuses() {
    let site = site_in_repo().await;
    let long = "ä".repeat(65_537);
    for (tool, arguments) in [
        ("create_issue", json!({"title": "T", "body": long, "dry_run": true})),
        ("update_issue", json!({"number": 490, "body": long, "dry_run": true})),
        ("add_comment", json!({"number": 490, "body": long, "dry_run": true})),
        ("update_pr", json!({"number": 485, "body": long, "dry_run": true})),
    ] {
        let error = site.refusal(tool, arguments).await.for_agent();
        assert!(
            error.contains("`body` has 65,537 characters; GitHub takes at most 65,536"),
            "{tool}: {error}"
        );
    }
    let (line, title) = ("ä".repeat(101), "ä".repeat(257));
    for (tool, arguments, says) in [
        ("create_issue", json!({"title": title}), "`title` has 257 characters; GitHub takes at most 256"),
        ("update_issue", json!({"number": 490, "title": title}), "`title` has 257"),
        ("create_pr", json!({"title": title, "head": "feature/with-slash/and-more"}), "`title` has 257"),
        ("update_pr", json!({"number": 485, "title": title}), "`title` has 257"),
        ("manage_label", json!({"action": "create", "name": line}), "`name` has 101"),
        ("manage_label", json!({"action": "update", "name": "bug", "new_name": line}), "`new_name` has 101"),
        (
            "manage_label",
            json!({"action": "create", "name": "x", "description": line}),
            "`description` has 101",
        ),
        ("review_pr", json!({"number": 487, "event": "comment", "body": long}), "`body` has 65,537"),
        ("edit_comment", json!({"comment_id": 47104, "action": "update", "body": long}), "`body` has 65,537"),
    ] {
        let mut dry = arguments;
        dry["dry_run"] = json!(true);
        let error = site.refused(tool, dry).await;
        assert!(error.contains(says), "{tool}: {error}");
    }
}

/// Only what was asked for is told: not that all labels and people are as they were.
#[tokio::test(start_paused = true)]
async fn a_field_that_was_not_given_is_not_told() {
    let site = site_in_repo().await;
    site.call(
        "update_issue",
        json!({"number": 474, "add_labels": ["documentation"], "add_assignees": ["tomas"]}),
    )
    .await;
    let text = site.call("update_issue", json!({"number": 474, "title": "Told alone"})).await;
    assert!(!text.contains("already"), "{text}");
    let text = site.call("update_issue", json!({"numbers": [474, 475], "state": "not_planned"})).await;
    assert!(!text.contains("already"), "{text}");
    let again = json!({"number": 474, "title": "Told again", "add_labels": ["documentation"]});
    let text = site.call("update_issue", again).await;
    assert!(text.contains("labels documentation already"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_label_that_is_missing_says_how_one_is_made() {
    let site = site_in_repo().await;
    let refused = site.refused("update_issue", json!({"number": "#474", "add_labels": ["zzzz-zzzz"]})).await;
    assert!(refused.contains("; manage_label makes one"), "{refused}");
    let refused = site.refused("list_prs", json!({"labels": ["zzzz-zzzz"]})).await;
    assert!(refused.starts_with("not_found") && !refused.contains("manage_label"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_is_told_with_its_original() {
    let site = site_in_repo().await;
    let text = site.call("update_issue", json!({"number": 474, "duplicate_of": "#471"})).await;
    assert!(text.contains("duplicate of: harbor-example/import-api#471"), "{text}");
    let text = site.call("update_issue", json!({"number": 474, "duplicate_of": "#473"})).await;
    assert!(
        text.contains("duplicate of is still harbor-example/import-api#471"),
        "not dropped in silence: {text}"
    );
    let text = site.call("update_issue", json!({"number": 474, "duplicate_of": "#471"})).await;
    assert!(text.starts_with("Nothing to change"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_text_saved_in_a_browser_is_edited_as_it_is_shown() {
    let site = site_in_repo().await;
    site.call("update_issue", json!({"number": 490, "body": "a\r\nb\u{200b}c\r\nd"})).await;
    let shown = site.call("get_issue", json!({"number": 490})).await;
    assert!(shown.contains("a\nbc\nd"), "{shown}");
    let edits = json!([{"old": "a\nbc", "new": "a\nx\nbc"}]);
    let text = site.call("update_issue", json!({"number": 490, "body_edits": edits})).await;
    assert!(text.contains("body: "), "{text}");
    assert_eq!(issue(&site, 490).await["body"], "a\r\nx\r\nbc\r\nd");
}

#[tokio::test(start_paused = true)]
async fn what_is_filled_in_with_nothing_wipes_nothing_and_clear_empties() {
    let site = site_in_repo().await;
    let before = issue(&site, 471).await;
    let filled = json!({"number": 471, "title": null, "body": "", "labels": [], "milestone": "", "type": null,
        "state": null, "add_labels": ["performance"], "remove_labels": [], "body_edits": []});
    site.call("update_issue", filled).await;
    let after = issue(&site, 471).await;
    for kept in ["title", "body", "milestone", "type", "state"] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    assert_eq!(
        after["labels"].as_array().unwrap().len(),
        before["labels"].as_array().unwrap().len() + 1,
        "{after}"
    );
    let dry = json!({"number": 471, "clear": ["label", "milestones"], "dry_run": true});
    let dry = site.reply("update_issue", dry).await;
    assert!(dry.contains("milestone v2.14 → none") && dry.contains("- labels "), "{dry}");
    site.call("update_issue", json!({"number": 471, "clear": ["labels", "milestone"]})).await;
    let cleared = issue(&site, 471).await;
    assert_eq!((&cleared["labels"], &cleared["milestone"]), (&json!([]), &json!(null)));
    assert_eq!(cleared["body"], before["body"]);
}

#[tokio::test(start_paused = true)]
async fn an_issue_is_closed_as_a_duplicate_and_opened_again() {
    let site = site_in_repo().await;
    let text = site.call("update_issue", json!({"number": 490, "duplicate_of": "#465"})).await;
    assert!(text.contains("state open → closed (duplicate)"), "{text}");
    let closed = issue(&site, 490).await;
    assert_eq!((&closed["state"], &closed["state_reason"]), (&json!("closed"), &json!("duplicate")));
    let read = site.call("get_issue", json!({"number": 490})).await;
    assert!(read.contains("#490 closed (duplicate)") && read.contains("duplicate of #465"), "{read}");
    let text = site.call("update_issue", json!({"number": 490, "state": "open"})).await;
    assert!(text.contains("state closed (duplicate) → open"), "{text}");
    let error = site.refusal("update_issue", json!({"number": 485, "state": "closed"})).await;
    assert!(error.for_agent().contains("update_pr closes"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_text_is_edited_in_place_and_never_over_what_others_wrote() {
    let site = site_in_repo().await;
    let edit = json!([{"old": "- [ ] remove the duplicates", "new": "- [x] remove the duplicates"}]);
    let text = site.call("update_issue", json!({"number": 471, "body_edits": edit})).await;
    assert!(text.starts_with("Changed harbor-example/import-api#471"), "{text}");
    assert!(issue(&site, 471).await["body"].as_str().unwrap().contains("- [x] remove the duplicates"));
    let error = site.refusal("update_issue", json!({"number": 471, "body_edits": edit})).await;
    assert_eq!(error.kind(), Kind::Conflict, "the passage is not there any more: {error}");
    let seen = issue(&site, 471).await["updated_at"].clone();
    site.sandbox.pass(60);
    site.sandbox
        .write(Method::PATCH, &format!("{REPO_PATH}/issues/471"), json!({"title": "Meanwhile"}))
        .await;
    let arguments = json!({"number": 471, "title": "Mine", "expected_updated_at": seen});
    let error = site.refusal("update_issue", arguments).await;
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert_eq!(issue(&site, 471).await["title"], "Meanwhile");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_fails_says_what_was_done_before() {
    let site = site_in_repo().await;
    site.fault("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", Action::status(422));
    let arguments = json!({"number": 490, "title": "Renamed", "add_labels": ["bug"]});
    let error = site.refusal("update_issue", arguments).await;
    assert!(error.for_agent().contains("(changed before that: title)"), "{error}");
    assert_eq!(issue(&site, 490).await["title"], "Renamed");
}

#[tokio::test(start_paused = true)]
async fn arguments_that_do_not_fit_together_are_refused() {
    let site = site_in_repo().await;
    for (arguments, says) in [
        (json!({}), "at least one field"),
        (json!({"body": "x", "body_edits": [{"old": "a", "new": "b"}]}), "either `body` or `body_edits`"),
        (json!({"labels": ["bug"], "add_labels": ["P1"]}), "replaces the set"),
        (json!({"add_labels": ["P1"], "remove_labels": ["P1"]}), "added to and removed from"),
        (json!({"state": "closed", "duplicate_of": "#1"}), "goes with `state` duplicate"),
        (json!({"duplicate_of": "#490"}), "its own duplicate"),
    ] {
        let mut given = arguments.clone();
        given["number"] = json!(490);
        let error = site.refusal("update_issue", given).await;
        assert_eq!(error.kind(), Kind::InvalidArgument, "{arguments}");
        assert!(error.for_agent().contains(says), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn issues_become_parts_of_one_another_in_an_order() {
    let site = site_in_repo().await;
    let parts = || async { column(&site.sandbox.of_repo("issues/473/sub_issues").await, "number") };
    let text = site
        .call(
            "link_issues",
            json!({"number": 473, "relation": "sub_issue", "target": "#490", "after": "#474"}),
        )
        .await;
    assert!(text.contains("#490 is a part of harbor-example/import-api#473."), "{text}");
    assert_eq!(parts().await, [474, 490, 475, 476]);
    let again = json!({"number": 490, "relation": "parent", "target": "harbor-example/import-api#473"});
    assert!(site.call("link_issues", again).await.starts_with("Nothing to change"));
    let moved = json!({"number": 476, "relation": "parent", "target": "#490"});
    let question = site.question("link_issues", moved.clone()).await.expect("it is taken away from another");
    assert!(question.contains("it is then no longer a part of harbor-example/import-api#473"), "{question}");
    site.call("link_issues", moved).await;
    assert_eq!(parts().await, [474, 490, 475]);
    let removed = json!({"number": 473, "relation": "sub_issue", "target": "#490", "remove": true});
    assert!(site.question("link_issues", removed.clone()).await.is_some(), "its place is lost");
    site.call("link_issues", removed).await;
    assert_eq!(parts().await, [474, 475]);
    let error = site
        .refusal(
            "link_issues",
            json!({"number": 473, "relation": "sub_issue", "target": "#467", "after": "#490"}),
        )
        .await;
    assert!(error.for_agent().contains("is not a part of"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn issues_block_one_another() {
    let site = site_in_repo().await;
    let blockers =
        || async { column(&site.sandbox.of_repo("issues/490/dependencies/blocked_by").await, "number") };
    let text =
        site.call("link_issues", json!({"number": 490, "relation": "blocked_by", "target": "465"})).await;
    assert!(
        text.starts_with("harbor-example/import-api#465 blocks harbor-example/import-api#490."),
        "{text}"
    );
    let same = json!({"number": 465, "relation": "blocks", "target": "#490"});
    assert!(site.call("link_issues", same.clone()).await.starts_with("Nothing to change"));
    assert_eq!(blockers().await, [465]);
    let mut undo = same;
    undo["remove"] = json!(true);
    assert!(site.question("link_issues", undo.clone()).await.is_some());
    site.call("link_issues", undo).await;
    assert!(blockers().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_link_out_of_reach_is_refused_by_policy() {
    let site = Setup::in_repo()
        .list("allow-repos", &["harbor-example/*"])
        .list("allow-write-repos", &["harbor-example/import-api"])
        .start()
        .await;
    for target in ["maya/dotfiles#1", "harbor-example/docs#11"] {
        let error = site
            .refusal("link_issues", json!({"number": 490, "relation": "blocked_by", "target": target}))
            .await;
        assert_eq!(error.kind(), Kind::Policy, "{error}");
    }
    let error = site.refusal("create_issue", json!({"title": "x", "parent": "harbor-example/docs#11"})).await;
    assert_eq!(error.kind(), Kind::Policy, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_comment_says_whom_it_tells_and_is_never_doubled() {
    let site = site_in_repo().await;
    let arguments = json!({"number": 471, "body": "Clean since v2.14.0, @sofia. cc @harbor-example/imports"});
    let mut dry = arguments.clone();
    dry["dry_run"] = json!(true);
    insta::assert_snapshot!(site.still("add_comment", dry).await);
    site.fault(COMMENT, Action::CloseAfter);
    let text = site.call("add_comment", arguments).await;
    assert!(text.starts_with("GitHub's answer was lost, but it is done: commented on harbor-example/import-api#471 (closed): comment "), "{text}");
    assert_eq!((site.sent(COMMENT), issue(&site, 471).await["comments"].clone()), (1, json!(10)));
    site.fault(COMMENT, Action::status(502));
    let error = site.refusal("add_comment", json!({"number": 471, "body": "Once more"})).await;
    assert_eq!(error.kind(), Kind::UnknownOutcome, "{error}");
    assert_eq!(issue(&site, 471).await["comments"], json!(10));
}

#[tokio::test(start_paused = true)]
async fn a_reply_goes_into_the_thread_of_the_comment_it_answers() {
    let site = site_in_repo().await;
    let comments = format!("{REPO_PATH}/pulls/485/comments?per_page=100");
    let all = site.sandbox.get(&comments).await;
    let all = all.as_array().unwrap();
    let reply = all.iter().find(|comment| comment["in_reply_to_id"].is_u64()).expect("the story has a reply");
    // GitHub takes replies to the first comment of a thread only ("Create a reply for a review comment").
    let arguments = json!({"number": 485, "body": "Done in the next push", "reply_to": reply["id"]});
    let text = site.call("add_comment", arguments).await;
    assert!(
        text.starts_with("Commented on pull request harbor-example/import-api#485 (open), in the thread on "),
        "{text}"
    );
    let after = site.sandbox.get(&comments).await;
    let new =
        after.as_array().unwrap().iter().find(|comment| comment["body"] == "Done in the next push").unwrap();
    assert_eq!(new["in_reply_to_id"], reply["in_reply_to_id"]);
    let error =
        site.refusal("add_comment", json!({"number": 486, "body": "x", "reply_to": reply["id"]})).await;
    assert!(error.for_agent().contains("under #485"), "{error}");
    let error = site.refusal("add_comment", json!({"number": 471, "body": " "})).await;
    assert_eq!(error.kind(), Kind::InvalidArgument);
}

#[tokio::test(start_paused = true)]
async fn a_comment_is_edited_hidden_reacted_to_and_deleted() {
    let site = site_in_repo().await;
    let comment = |id: u64| format!("{REPO_PATH}/issues/comments/{id}");
    // Maya's own.
    let own = json!({"comment_id": 47109, "action": "update", "body": "@sofia yes, and @aiko knows."});
    assert_eq!(site.question("edit_comment", own).await, None, "it is one's own");
    assert_eq!(site.sandbox.get(&comment(47109)).await["body"], "@sofia yes, and @aiko knows.");
    let other = json!({"comment_id": 47103, "action": "update", "body": "Not mine"});
    let question = site.question("edit_comment", other).await.expect("it is somebody else's");
    assert!(question.contains("comment 47103 by @priya"), "{question}");
    let text = site
        .call("edit_comment", json!({"comment_id": 47103, "action": "hide", "reason": "off-topic"}))
        .await;
    assert!(
        text.starts_with("Hidden: comment 47103 by @priya on harbor-example/import-api#471, as "),
        "{text}"
    );
    let read = site.call("get_issue", json!({"number": 471, "include": ["comments"]})).await;
    assert!(read.contains("comment 47103 by @priya") && read.contains("hidden as off-topic"), "{read}");
    let react = json!({"comment_id": 47103, "action": "react", "reaction": "heart"});
    assert!(site.call("edit_comment", react.clone()).await.starts_with("Reacted"));
    assert!(site.call("edit_comment", react).await.starts_with("Nothing changed"));
    let delete = json!({"comment_id": 47103, "action": "delete"});
    assert!(site.question("edit_comment", delete.clone()).await.expect("it asks").contains("I reviewed it"));
    site.call("edit_comment", delete.clone()).await;
    assert_eq!(site.refusal("edit_comment", delete).await.kind(), Kind::NotFound);
    for (arguments, says) in [
        (json!({"comment_id": 47104, "action": "update"}), "`body` is missing"),
        (json!({"comment_id": 47104, "action": "delete", "body": "x"}), "does not go with"),
        (json!({"comment_id": 47104, "action": "react", "reaction": "star"}), "hooray"),
    ] {
        let error = site.refusal("edit_comment", arguments).await;
        assert!(error.for_agent().contains(says), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_review_comment_is_edited_by_its_own_kind_of_id() {
    let site = site_in_repo().await;
    let path = format!("{REPO_PATH}/pulls/485/comments");
    let comments = site.sandbox.get(&path).await;
    let first = &comments[0];
    let react = json!({"comment_id": first["id"], "kind": "review", "action": "react", "reaction": "+1"});
    assert!(site.call("edit_comment", react).await.contains("#485"), "its number is known");
    let error = site.refusal("edit_comment", json!({"comment_id": first["id"], "action": "delete"})).await;
    assert_eq!(error.kind(), Kind::NotFound, "as an issue's comment it is unknown");
}

#[tokio::test(start_paused = true)]
async fn labels_are_kept_in_order() {
    let site = site_in_repo().await;
    let text = site.call("manage_label", json!({"action": "create", "name": "flaky", "color": "#D4C5F9", "description": "Fails now and then"})).await;
    assert!(text.starts_with("Created the label [flaky]"), "{text}");
    assert!(text.contains("description \"Fails now and then\""), "{text}");
    let delete = json!({"action": "delete", "name": "flaky", "description": "x"});
    assert!(site.refused("manage_label", delete).await.contains("Nothing else goes with action delete"));
    let error = site.refusal("manage_label", json!({"action": "create", "name": "Flaky"})).await;
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    let text =
        site.call("manage_label", json!({"action": "update", "name": "flaky", "color": "ffffff"})).await;
    assert!(text.contains("color d4c5f9 → ffffff"), "{text}");
    let renamed = json!({"action": "update", "name": "flaky", "new_name": "unsteady", "dry_run": true});
    let renamed = site.call("manage_label", renamed).await;
    assert!(renamed.contains("name flaky → unsteady"), "{renamed}");
    let delete = json!({"action": "delete", "name": "good first isue"});
    let error = site.refusal("manage_label", delete).await;
    assert!(error.for_agent().contains("Did you mean good first issue?"), "{error}");
    let delete = json!({"action": "delete", "name": "P2"});
    assert!(
        site.question("manage_label", delete.clone())
            .await
            .expect("it asks")
            .contains("taken from every issue")
    );
    site.call("manage_label", delete).await;
    assert!(!column(&issue(&site, 490).await["labels"], "name").contains(&json!("P2")));
}

/// GitHub gives a hundred on a page.
#[tokio::test(start_paused = true)]
async fn a_milestone_behind_the_first_hundred_goes_by_its_title() {
    let site = site_in_repo().await;
    for number in 0..101 {
        let title = format!("Sprint {number:03}");
        site.call("manage_milestone", json!({"action": "create", "milestone": title})).await;
    }
    let text = site.call("manage_milestone", json!({"action": "close", "milestone": "Sprint 100"})).await;
    assert!(text.contains("Sprint 100") && text.contains("closed"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn milestones_are_kept_in_order() {
    let site = site_in_repo().await;
    let text = site
        .call("manage_milestone", json!({"action": "create", "milestone": "v2.16", "due": "2031-03-01"}))
        .await;
    assert!(text.contains("due 2031-03-01"), "{text}");
    let error = site.refusal("manage_milestone", json!({"action": "create", "milestone": "v2.16"})).await;
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    let text = site
        .call(
            "manage_milestone",
            json!({"action": "update", "milestone": "v2.16", "new_title": "v3.0", "clear": "due"}),
        )
        .await;
    assert!(text.contains("title v2.16 → v3.0") && text.contains("due 2031-03-01 → none"), "{text}");
    let text = site.call("manage_milestone", json!({"action": "close", "milestone": "V3.0"})).await;
    assert!(text.contains("state open → closed"), "{text}");
    let question = site
        .question("manage_milestone", json!({"action": "delete", "milestone": "v2.15"}))
        .await
        .expect("it asks");
    assert!(question.contains("issues and pull requests are then in no milestone"), "{question}");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_may_only_read_is_told_what_it_lacks() {
    let site = Setup::in_repo().token(READONLY).start().await;
    for (tool, arguments) in [
        ("create_issue", json!({"title": "x"})),
        ("update_issue", json!({"number": 490, "title": "x"})),
        ("add_comment", json!({"number": 490, "body": "x"})),
        ("link_issues", json!({"number": 490, "relation": "blocks", "target": "#465"})),
        ("manage_label", json!({"action": "create", "name": "x"})),
    ] {
        let error = site.refusal(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Permission, "{tool}: {error}");
        assert!(error.for_agent().contains("issues=write"), "{tool}: {error}");
    }
}
