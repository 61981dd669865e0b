//! Writing issues and comments: what is changed, what the reply says of it, and what happens when it
//! goes wrong.

use crate::planning_support::{SHOWN_OTHERWISE, Site, site};
use connector::sandbox::{Action, Rule};
use serde_json::{Value, json};

fn in_ten_days() -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    (today + jiff::Span::new().days(10)).to_string()
}

/// How many issues the fake has.
async fn count(site: &Site, query: &str) -> usize {
    let text = site.raw("list_issues", json!({"query": query, "limit": 100})).await;
    text.lines().filter(|line| line.starts_with("ENG-") || line.starts_with("OPS-")).count()
}

/// The `updated` moment of an issue.
async fn updated(site: &Site, id: &str) -> String {
    let text = site.raw("get_issue", json!({"id": id})).await;
    let (_, rest) = text.split_once(", updated ").unwrap_or_else(|| text.split_once("updated ").unwrap());
    rest.lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn an_issue_is_previewed_and_created_from_names() {
    let site = site().await;
    let new = json!({
        "title": "Export hangs at 99 %", "team": "Engineering", "description": "Seen twice.", "state": "started",
        "assignee": "priya", "labels": ["bug"], "priority": "high", "project": "Import API v2", "cycle": "current",
        "due": in_ten_days(), "estimate": 3, "parent": "ENG-27",
    });
    let mut dry = new.clone();
    dry["dry_run"] = json!(true);
    insta::assert_snapshot!("create_issue_dry_run", site.call("create_issue", dry).await);
    assert_eq!(site.sent("CreateIssue"), 0);
    insta::assert_snapshot!("create_issue", site.call("create_issue", new).await);
    let wrong = site.call("create_issue", json!({"title": "x", "team": "ENG", "labels": ["bugg"]})).await;
    assert!(wrong.starts_with("ERROR not_found: There is no label `bugg`"), "{wrong}");
    let none = site.call("create_issue", json!({"team": "ENG"})).await;
    assert_eq!(none, "ERROR invalid_argument: `create_issue` needs `title`.");
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_repeated_without_a_second_issue() {
    let site = site().await;
    site.harness().faults().add(Rule::new("CreateIssue", Action::CloseAfter));
    let text = site.call("create_issue", json!({"title": "Only once please", "team": "ENG"})).await;
    assert!(text.starts_with("Created ENG-"), "{text}");
    assert_eq!(site.sent("CreateIssue"), 2);
    assert_eq!(count(&site, "Only once please").await, 1);
}

#[tokio::test]
async fn several_issues_are_created_at_once_or_none() {
    let site = site().await;
    let text = site
        .call(
            "create_issue",
            json!({"team": "OPS", "issues": [
                {"title": "Rotate the keys", "priority": "low"},
                {"title": "Check the backups", "team": "ENG", "labels": ["Bug"]},
            ]}),
        )
        .await;
    insta::assert_snapshot!("create_issues", text);
    assert_eq!(site.sent("CreateIssues"), 1);
    let text = site
        .call(
            "create_issue",
            json!({"team": "OPS", "issues": [{"title": "A"}, {"title": "B", "state": "Nope"}]}),
        )
        .await;
    assert!(text.starts_with("ERROR not_found: `issues[1]`: There is no state `Nope`"), "{text}");
    let beside = json!({"team": "OPS", "project": "Reliability Q4", "issues": [{"title": "A"}]});
    let beside = site.call("create_issue", beside).await;
    assert!(beside.starts_with("ERROR invalid_argument: Beside `issues` only `team` is taken"), "{beside}");
    assert_eq!(site.sent("CreateIssues"), 1);
}

#[tokio::test]
async fn an_update_says_exactly_what_changed() {
    let site = site().await;
    let change = json!({
        "id": "ENG-31", "state": "In Review", "assignee": "me", "priority": "urgent", "clear": "due",
        "labels": {"add": ["Bug"], "remove": ["Feature"]},
    });
    let mut dry = change.clone();
    dry["dry_run"] = json!(true);
    let dry = site.call("update_issue", dry).await;
    assert_eq!(site.sent("UpdateIssue"), 0);
    let done = site.call("update_issue", change.clone()).await;
    let again = site.call("update_issue", change).await;
    assert_eq!(site.sent("UpdateIssue"), 1);
    insta::assert_snapshot!("update_issue", format!("{dry}\n\n{done}\n\n{again}"));
}

#[tokio::test]
async fn what_linear_does_not_take_is_told() {
    let site = site().await;
    let ignored = json!({"id": "x", "name": "Todo", "type": "unstarted"});
    site.harness()
        .faults()
        .add(Rule::new("UpdateIssue", Action::patch("/data/issueUpdate/issue/state", ignored)));
    let text = site.call("update_issue", json!({"id": "ENG-31", "state": "Done"})).await;
    assert!(text.contains("NOT accepted by Linear: state Done (it is Todo)"), "{text}");
}

#[tokio::test]
async fn a_description_is_edited_in_place() {
    let site = site().await;
    let before = site.raw("get_issue", json!({"id": "ENG-30"})).await;
    let word = "duplicate";
    assert!(before.contains(word), "{before}");
    let text = site.call("update_issue", json!({"id": "ENG-30", "append": "Checked on Monday."})).await;
    assert!(text.starts_with("Updated ENG-30.") && text.contains("description"), "{text}");
    let edit =
        json!({"id": "ENG-30", "edits": [{"old": "Checked on Monday.", "new": "Checked on Tuesday."}]});
    let text = site.call("update_issue", edit.clone()).await;
    assert!(text.starts_with("Updated ENG-30."), "{text}");
    let after = site.raw("get_issue", json!({"id": "ENG-30"})).await;
    assert!(after.contains("Checked on Tuesday.") && !after.contains("Monday"), "{after}");
    let text = site.call("update_issue", edit).await;
    assert!(text.starts_with("ERROR conflict"), "{text}");
    let both = json!({"id": "ENG-30", "description": "x", "append": "y"});
    assert!(site.call("update_issue", both).await.starts_with("ERROR invalid_argument"));
}

#[tokio::test]
async fn a_description_is_edited_as_it_is_shown() {
    let site = site().await;
    for (title, stored, old, after) in SHOWN_OTHERWISE {
        let new = json!({"title": title, "team": "ENG", "description": stored});
        let text = site.raw("create_issue", new).await;
        assert!(text.starts_with("Created ENG-"), "{text}");
        let issue = || {
            let state = site.dump();
            let all = state["Issue"].as_array().unwrap();
            all.iter().find(|row| row["title"] == title).unwrap().clone()
        };
        assert_eq!(issue()["description"], stored);
        let edits = json!([{"old": old, "new": "a\nc"}]);
        let text = site.raw("update_issue", json!({"id": issue()["identifier"], "edits": edits})).await;
        assert!(text.starts_with("Updated ENG-"), "{text}");
        assert_eq!(issue()["description"], after);
    }
}

#[tokio::test]
async fn an_update_based_on_an_old_reading_is_refused() {
    let site = site().await;
    let seen = updated(&site, "ENG-30").await;
    site.call("update_issue", json!({"id": "ENG-30", "priority": "low"})).await;
    let stale = json!({"id": "ENG-30", "title": "X", "expected_updated_at": seen});
    let text = site.call("update_issue", stale).await;
    assert!(text.starts_with("ERROR conflict: ENG-30 changed at"), "{text}");
    assert!(text.contains("priority low"), "{text}");
    let fresh = json!({"id": "ENG-30", "title": "X", "expected_updated_at": updated(&site, "ENG-30").await});
    assert!(site.call("update_issue", fresh).await.starts_with("Updated ENG-30."));
}

#[tokio::test]
async fn a_change_by_somebody_else_between_reading_and_writing_is_not_overwritten() {
    let site = site().await;
    let change = |pointer: &str, value: Value| Action::patch(pointer, value);
    site.harness().faults().add(
        Rule::new("IssueState", change("/data/issue/updatedAt", json!("2030-01-01T00:00:00.000Z"))).skip(1),
    );
    let text = site.call("update_issue", json!({"id": "ENG-30", "append": "More."})).await;
    assert!(text.starts_with("ERROR conflict: ENG-30 was changed by somebody else just now"), "{text}");
    assert_eq!(site.sent("UpdateIssue"), 0);
}

#[tokio::test]
async fn an_issue_moves_to_another_team() {
    let site = site().await;
    let text = site.call("update_issue", json!({"id": "ENG-31", "team": "OPS"})).await;
    assert!(text.contains("team ENG → OPS") && text.contains("identifier ENG-31 → OPS-"), "{text}");
    // Its old identifier still finds it, alone and among others.
    let text = site.raw("get_issue", json!({"ids": ["ENG-31", "ENG-30"]})).await;
    assert!(text.contains("formerly ENG-31"), "{text}");
    // A state of the same name is another one in another team, so it is sent along.
    let moved = json!({"id": "ENG-18", "team": "OPS", "state": "In Progress"});
    let moved = site.call("update_issue", moved).await;
    assert!(moved.contains("team ENG → OPS") && !moved.contains("NOT accepted"), "{moved}");
    let sent = site.harness().journal().of("UpdateIssue").last().unwrap().json();
    assert!(sent["variables"]["input"]["stateId"].is_string(), "{sent}");
}

#[tokio::test]
async fn many_issues_are_changed_by_a_filter_only_when_their_number_is_known() {
    let site = site().await;
    let fields = json!({"priority": "low", "labels": {"add": ["Bug"]}});
    let change = json!({"filter": {"team": "ENG", "state": "In Review"}, "changes": fields});
    let shown = site.call("bulk_update_issues", change.clone()).await;
    assert_eq!(site.sent("UpdateIssues"), 0);
    let mut wrong = change.clone();
    wrong["expected_count"] = json!(40);
    let wrong = site.call("bulk_update_issues", wrong).await;
    let mut right = change.clone();
    right["expected_count"] = json!(2);
    let done = site.call("bulk_update_issues", right).await;
    insta::assert_snapshot!("bulk_update_by_filter", format!("{shown}\n\n{wrong}\n\n{done}"));
}

#[tokio::test]
async fn each_issue_of_a_bulk_change_is_accounted_for() {
    let site = site().await;
    site.harness().faults().add(Rule::new("UpdateIssues", Action::status(400)));
    let text = site
        .call(
            "bulk_update_issues",
            json!({"ids": ["ENG-31", "OPS-7", "ENG-9999"], "changes": {"state": "Done"}}),
        )
        .await;
    insta::assert_snapshot!("bulk_update_in_part", text);
    let empty = site.call("bulk_update_issues", json!({"filter": {}, "changes": {"state": "Done"}})).await;
    assert!(empty.contains("Give either `ids` or `filter`"), "{empty}");
    let unknown =
        site.call("bulk_update_issues", json!({"filter": {"stat": "x"}, "changes": {"state": "Done"}})).await;
    assert!(unknown.starts_with("ERROR invalid_argument: `filter"), "{unknown}");
}

#[tokio::test]
async fn relations_are_made_once_and_removed() {
    let site = site().await;
    let link = json!({"from": "ENG-31", "to": ["ENG-19", "OPS-7"], "type": "blocked_by"});
    let made = site.call("link_issues", link.clone()).await;
    assert_eq!(site.sent("LinkIssues"), 1);
    let again = site.call("link_issues", link.clone()).await;
    assert_eq!(site.sent("LinkIssues"), 1);
    let seen = site.raw("get_issue", json!({"id": "OPS-7", "include": ["relations"]})).await;
    assert!(seen.contains("blocks ENG-31"), "{seen}");
    let mut remove = link;
    remove["remove"] = json!(true);
    let removed = site.call("link_issues", remove).await;
    insta::assert_snapshot!("link_issues", format!("{made}\n\n{again}\n\n{removed}"));
}

#[tokio::test]
async fn an_issue_is_archived_trashed_and_restored() {
    let site = site().await;
    let mut out = String::new();
    for arguments in [
        json!({"id": "ENG-19", "mode": "archive", "dry_run": true}),
        json!({"id": "ENG-19", "mode": "archive"}),
        json!({"id": "ENG-19", "mode": "archive"}),
        json!({"id": "ENG-19", "mode": "restore"}),
        json!({"id": "ENG-19", "mode": "trash"}),
        json!({"id": "ENG-19", "mode": "restore"}),
    ] {
        out.push_str(&format!("{arguments}\n{}\n\n", site.call("archive_issue", arguments.clone()).await));
    }
    insta::assert_snapshot!("archive_issue", out);
}

/// The first id in `text`.
fn id_of(text: &str) -> String {
    let id = text.split_whitespace().find(|word| uuid::Uuid::try_parse(word).is_ok());
    id.unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[tokio::test]
async fn a_comment_is_added_answered_edited_resolved_and_deleted() {
    let site = site().await;
    let added = site.call("add_comment", json!({"issue": "OPS-7", "body": "Who can? @priya"})).await;
    let listed = site.raw("list_comments", json!({"issue": "OPS-7"})).await;
    let id = id_of(&listed);
    let reply = site.call("add_comment", json!({"reply_to": id, "body": "I can."})).await;
    let edited =
        site.call("edit_comment", json!({"id": id, "body": "Who can help?", "resolved": true})).await;
    let again = site.call("edit_comment", json!({"id": id, "body": "Who can help?", "resolved": true})).await;
    let dry = site.call("delete_comment", json!({"id": id, "dry_run": true})).await;
    let deleted = site.call("delete_comment", json!({"id": id})).await;
    insta::assert_snapshot!("comments", [added, reply, edited, again, dry, deleted].join("\n\n"));
    let gone = site.call("edit_comment", json!({"id": id, "body": "x"})).await;
    assert!(gone.starts_with("ERROR not_found: Linear has no such comment"), "{gone}");
    let other = site.call("add_comment", json!({"issue": "OPS-7", "body": "Next"})).await;
    assert!(other.starts_with("Commented on OPS-7"), "{other}");
    let id = id_of(&site.raw("list_comments", json!({"issue": "OPS-7"})).await);
    let elsewhere = json!({"issue": "ENG-27", "reply_to": id, "body": "Here?"});
    let elsewhere = site.call("add_comment", elsewhere).await;
    assert!(
        elsewhere.starts_with("ERROR invalid_argument: The comment to reply to stands elsewhere"),
        "{elsewhere}"
    );
    let here = site.call("add_comment", json!({"issue": "OPS-7", "reply_to": id, "body": "Here."})).await;
    assert!(here.starts_with("Commented on OPS-7, in reply to @"), "{here}");
    let project =
        site.call("add_comment", json!({"project": "Import API v2", "body": "Two clean nights."})).await;
    assert!(project.starts_with("Commented on project \"Import API v2\""), "{project}");
}

#[tokio::test]
async fn a_comment_whose_answer_is_lost_is_not_added_twice() {
    let site = site().await;
    site.harness().faults().add(Rule::new("AddComment", Action::CloseAfter));
    let text = site.call("add_comment", json!({"issue": "OPS-7", "body": "Exactly once"})).await;
    assert!(text.starts_with("Commented on OPS-7: comment "), "{text}");
    let listed = site.raw("list_comments", json!({"issue": "OPS-7"})).await;
    assert_eq!(listed.matches("Exactly once").count(), 1, "{listed}");
}

#[tokio::test]
async fn a_document_is_commented_on_and_the_comment_answered() {
    let site = site().await;
    let on = json!({"document": "c2cf33fafc09"});
    let none = site.call("list_comments", on.clone()).await;
    let hint = "document c2cf33fafc09. If some should be there, try `issue` or `project` or `update` instead: \
                each has its own comments.";
    assert!(none.starts_with("No comments (on ") && none.ends_with(hint), "{none}");
    let comment = json!({"document": "c2cf33fafc09", "body": "Add the dates."});
    let added = site.call("add_comment", comment).await;
    assert!(added.starts_with("Commented on document \"Review: import timeouts\""), "{added}");
    let listed = site.raw("list_comments", on.clone()).await;
    assert!(listed.starts_with("1 comment") && listed.contains("Add the dates."), "{listed}");
    let answered = site.call("add_comment", json!({"reply_to": id_of(&listed), "body": "Done."})).await;
    assert!(answered.starts_with("Commented on the same thread, in reply to @"), "{answered}");
    let listed = site.call("list_comments", on).await;
    assert!(listed.starts_with("2 comments") && listed.contains("Done."), "{listed}");
    let unknown = site.call("add_comment", json!({"document": "000000000000", "body": "x"})).await;
    assert!(unknown.starts_with("ERROR not_found"), "{unknown}");
}

#[tokio::test]
async fn status_updates_of_projects_and_initiatives_are_commented_on() {
    let site = site().await;
    for whose in [json!({"project": "Import API v2"}), json!({"initiative": "Trustworthy imports"})] {
        let update = id_of(&site.raw("list_status_updates", whose).await);
        let before = site.call("list_comments", json!({"update": update})).await;
        assert!(!before.starts_with("ERROR") && !before.contains("Which night?"), "{before}");
        let added = site.call("add_comment", json!({"update": update, "body": "Which night?"})).await;
        assert!(added.starts_with("Commented on status update"), "{added}");
        let listed = site.raw("list_comments", json!({"update": update})).await;
        assert_eq!(listed.matches("Which night?").count(), 1, "{listed}");
        let answered = json!({"reply_to": id_of(&listed), "body": "Both."});
        let answered = site.call("add_comment", answered).await;
        assert!(answered.starts_with("Commented on"), "{answered}");
        let listed = site.call("list_comments", json!({"update": update})).await;
        assert!(listed.contains("Both."), "{listed}");
    }
    let unknown = json!({"update": "00000000-0000-4000-8000-000000000000"});
    let unknown = site.raw("list_comments", unknown).await;
    assert!(unknown.starts_with("ERROR not_found: Linear has no status update"), "{unknown}");
}

#[tokio::test]
async fn what_is_filled_in_with_nothing_wipes_nothing_and_clear_empties() {
    let site = site().await;
    let nothing =
        json!({"id": "ENG-18", "title": null, "state": null, "description": null, "assignee": null});
    let text = site.call("update_issue", nothing).await;
    assert!(
        text.starts_with("ERROR invalid_argument: No change is given.") && text.contains("clear"),
        "{text}"
    );
    let before = site.call("get_issue", json!({"id": "ENG-13"})).await;
    let labels = json!({"add": ["Security"], "remove": [], "set": []});
    let text = site
        .call("update_issue", json!({"id": "ENG-13", "labels": labels, "description": "", "assignee": null}))
        .await;
    assert!(
        text.contains("labels +Security") && !text.contains('−') && !text.contains(" -"),
        "{before}\n{text}"
    );
    let dry = json!({"id": "ENG-13", "clear": ["assignees", "label"], "dry_run": true});
    let dry = site.call("update_issue", dry).await;
    assert!(dry.contains(" → none") && dry.contains("\n- labels −"), "{dry}");
    let text = site.call("update_issue", json!({"id": "ENG-13", "clear": ["assignee", "labels"]})).await;
    assert!(text.contains("Security"), "{text}");
}

#[tokio::test]
async fn an_issue_is_not_put_below_one_that_stands_below_it() {
    let site = site().await;
    let parts = json!({"id": "ENG-13", "parent": "ENG-12"});
    site.call("update_issue", parts).await;
    site.call("update_issue", json!({"id": "ENG-18", "parent": "ENG-13"})).await;
    let text = site.call("update_issue", json!({"id": "ENG-12", "parent": "ENG-18", "dry_run": true})).await;
    assert_eq!(text, "ERROR invalid_argument: ENG-18 stands below ENG-12, so it cannot be its parent.");
}
