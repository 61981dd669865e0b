//! What names and addresses are taken for: whom a text mentions, whose address it is, which of two is
//! meant, and what is told where nothing can match.

use serde_json::{Value, json};

use crate::planning_support::{Site, site};

/// How many notifications of a kind a person has in the fake.
fn notified(site: &Site, display_name: &str, kind: &str) -> usize {
    let state = site.dump();
    let users = state["User"].as_array().unwrap();
    let user = users.iter().find(|user| user["displayName"] == display_name).unwrap();
    let all = state["Notification"].as_array().unwrap();
    all.iter().filter(|row| row["userId"] == user["id"] && row["type"] == kind).count()
}

#[tokio::test]
async fn who_is_mentioned_in_a_comment_is_notified_and_told() {
    let site = site().await;
    let said = json!({"issue": "ENG-12", "body": "@priya"});
    let mut dry = said.clone();
    dry["dry_run"] = json!(true);
    let dry = site.call("add_comment", dry).await;
    assert!(dry.contains("- notifies @priya (Priya Raman)"), "{dry}");
    assert_eq!(notified(&site, "priya", "issueCommentMention"), 0);
    let text = site.call("add_comment", said).await;
    assert!(
        text.starts_with("Commented on ENG-12") && text.contains("- notifies @priya (Priya Raman)"),
        "{text}"
    );
    assert_eq!(notified(&site, "priya", "issueCommentMention"), 1);
    // A comment that is edited tells those who are new in it.
    let id = site.dump()["Comment"].as_array().unwrap().last().unwrap()["id"].clone();
    let body = "@priya, please look with @Daniel Novák.";
    let text = site.call("edit_comment", json!({"id": id, "body": body})).await;
    assert!(text.contains("notifies @daniel (Daniel Novák)"), "{text}");
    assert_eq!(notified(&site, "daniel", "issueCommentMention"), 1);
    assert_eq!(notified(&site, "priya", "issueCommentMention"), 1);
}

#[tokio::test]
async fn a_mention_that_fits_nobody_or_several_is_told_and_not_guessed() {
    let site = site().await;
    let body = "@jon @nobody-here and `@priya`, mail priya@harbor.example\n```\n@sofia\n```";
    let text = site.call("add_comment", json!({"issue": "ENG-12", "body": body})).await;
    assert!(text.contains("notifies nobody: @jon, which fits several people"), "{text}");
    assert!(text.contains("notifies nobody: @nobody-here, which is nobody's name here"), "{text}");
    assert!(!text.contains("notifies @"), "{text}");
    let state = site.dump();
    assert_eq!(state["Comment"].as_array().unwrap().last().unwrap()["body"], body);
}

#[tokio::test]
async fn people_are_mentioned_wherever_markdown_is_written() {
    let site = site().await;
    for (tool, arguments, kind) in [
        ("create_issue", json!({"title": "A", "team": "ENG", "description": "For @grace"}), "issueMention"),
        (
            "create_issue",
            json!({"team": "ENG", "issues": [{"title": "B", "description": "For @grace"}]}),
            "issueMention",
        ),
        ("update_issue", json!({"id": "ENG-30", "append": "For @grace"}), "issueMention"),
        (
            "save_document",
            json!({"title": "Plan", "team": "ENG", "content": "For @grace"}),
            "documentMention",
        ),
        ("save_project", json!({"name": "New", "teams": ["ENG"], "content": "For @grace"}), "projectMention"),
        (
            "save_milestone",
            json!({"project": "Import API v2", "name": "M9", "description": "For @grace"}),
            "projectMilestoneMention",
        ),
        (
            "post_status_update",
            json!({"project": "Import API v2", "health": "on_track", "body": "For @grace"}),
            "projectUpdateMention",
        ),
        ("add_comment", json!({"project": "Import API v2", "body": "For @grace"}), "projectCommentMention"),
    ] {
        let before = notified(&site, "grace", kind);
        let text = site.call(tool, arguments).await;
        assert!(text.contains("notifies @grace (Grace Mbeki)"), "{tool}: {text}");
        assert_eq!(notified(&site, "grace", kind), before + 1, "{tool}: {text}");
    }
}

#[tokio::test]
async fn an_address_of_another_workspace_or_host_is_refused() {
    let site = site().await;
    let before = site.dump();
    let issue = "https://linear.app/acme/issue/ENG-12/x";
    let project = "https://linear.app/acme/project/import-api-v2-e7b33b1741db";
    let host = "https://example.com/harbor/issue/ENG-12/x";
    for (tool, arguments) in [
        ("add_comment", json!({"issue": issue, "body": "x"})),
        ("add_comment", json!({"issue": host, "body": "x"})),
        ("add_comment", json!({"project": project, "body": "x"})),
        ("add_comment", json!({"document": "https://linear.app/acme/document/x-0123456789ab", "body": "x"})),
        ("list_comments", json!({"issue": issue})),
        ("list_comments", json!({"project": project})),
        ("get_issue", json!({"id": "linear://acme/issue/ENG-12"})),
        ("get_issue", json!({"ids": ["ENG-1", issue]})),
        ("update_issue", json!({"id": issue, "priority": "low"})),
        ("update_issue", json!({"id": "ENG-12", "parent": issue})),
        ("update_issue", json!({"id": "ENG-12", "project": project})),
        ("create_issue", json!({"title": "x", "team": "ENG", "parent": issue})),
        ("bulk_update_issues", json!({"ids": [issue], "changes": {"priority": "low"}})),
        ("bulk_update_issues", json!({"filter": {"parent": issue}, "changes": {"priority": "low"}})),
        ("archive_issue", json!({"id": issue, "mode": "trash"})),
        ("link_issues", json!({"from": "ENG-12", "to": [issue], "type": "related"})),
        ("link_issues", json!({"from": issue, "to": ["ENG-12"], "type": "related"})),
        ("attach", json!({"issue": issue, "url": "https://example.com"})),
        ("list_issues", json!({"project": project})),
        ("list_issues", json!({"parent": issue})),
        ("list_issues", json!({"view": "https://linear.app/acme/view/x-0123456789ab"})),
        ("get_project", json!({"id": project})),
        ("save_project", json!({"id": project, "priority": "low"})),
        ("save_milestone", json!({"project": project, "name": "x"})),
        ("list_projects", json!({"initiative": "https://linear.app/acme/initiative/x-0123456789ab"})),
        ("post_status_update", json!({"project": project, "health": "on_track", "body": "x"})),
        ("list_status_updates", json!({"project": project})),
        ("get_document", json!({"id": "https://linear.app/acme/document/x-0123456789ab"})),
        ("save_document", json!({"title": "x", "issue": issue})),
        ("list_documents", json!({"issue": issue})),
    ] {
        let text = site.call(tool, arguments.clone()).await;
        assert!(text.starts_with("ERROR invalid_argument: "), "{tool} {arguments}: {text}");
        assert!(text.contains("The address is of `"), "{tool} {arguments}: {text}");
        assert!(text.contains("this server serves the workspace Harbor (linear.app/harbor)"), "{text}");
    }
    assert_eq!(site.dump(), before);
    let own = site.call("get_issue", json!({"id": "linear://harbor/issue/ENG-12"})).await;
    assert!(own.starts_with("ENG-12: "), "{own}");
}

#[tokio::test]
async fn a_label_or_state_of_another_team_is_said_to_be_there() {
    let site = site().await;
    for (tool, arguments, says) in [
        (
            "update_issue",
            json!({"id": "ENG-12", "labels": {"add": ["outreach"]}}),
            "There is no label `outreach` in ENG. GRO has a label of this name, good only for issues there.",
        ),
        (
            "update_issue",
            json!({"id": "ENG-12", "state": "Waiting"}),
            "There is no state `Waiting` in ENG. OPS has a state of this name, good only for issues there.",
        ),
        (
            "list_issues",
            json!({"team": "ENG", "labels": ["outreach"]}),
            "There is no label `outreach`. GRO has a label of this name, good only for issues there.",
        ),
        (
            "list_issues",
            json!({"team": "ENG", "state": ["Waiting"]}),
            "There is no state `Waiting`. OPS has a state of this name, good only for issues there.",
        ),
        (
            "update_issue",
            json!({"id": "ENG-12", "labels": {"add": ["legacy"]}}),
            "There is one of this name, but it is retired",
        ),
    ] {
        let text = site.call(tool, arguments.clone()).await;
        assert!(text.starts_with("ERROR not_found: ") && text.contains(says), "{arguments}: {text}");
    }
}

#[tokio::test]
async fn a_second_label_of_a_name_is_made_with_a_warning_and_labels_can_be_deleted() {
    let site = site().await;
    let text = site.call("save_label", json!({"name": "outreach", "team": "ENG"})).await;
    let warning = "there is a label of this name already in the team GRO; this is another one";
    assert!(text.starts_with("Created the label outreach") && text.contains(warning), "{text}");
    let text = site.call("delete_label", json!({"id": "outreach"})).await;
    assert!(text.starts_with("ERROR invalid_argument: `id`: More than one label fits `outreach`"), "{text}");
    let text = site.call("delete_label", json!({"id": "outreach", "team": "GRO", "dry_run": true})).await;
    assert!(text.contains("Delete the label `outreach` (GRO), for good.") && text.contains("GRO-"), "{text}");
    let text = site.call("delete_label", json!({"id": "outreach", "team": "GRO"})).await;
    assert!(text.starts_with("Deleted the label `outreach` (GRO)."), "{text}");
    let labels = site.dump()["IssueLabel"].as_array().unwrap().clone();
    let left = labels.iter().filter(|label| label["name"] == "outreach").count();
    assert_eq!(left, 1, "the one of ENG stays");
    let text = site.call("delete_label", json!({"id": "Customer"})).await;
    assert!(text.contains("is a group that still has labels. Delete them"), "{text}");
}

#[tokio::test]
async fn a_first_name_of_two_people_is_asked_about() {
    let site = site().await;
    let text = site.call("list_issues", json!({"assignee": "Jonas"})).await;
    assert_eq!(
        text,
        "ERROR invalid_argument: `assignee`: More than one person fits `Jonas`. Say which: @jonas (Jonas Weber), @jonas.lindgren (Jonas Lindgren)."
    );
    let changes = json!({"priority": "low"});
    let text =
        site.call("bulk_update_issues", json!({"filter": {"assignee": "Jonas"}, "changes": changes})).await;
    assert!(text.contains("More than one person fits `Jonas`"), "{text}");
    let text = site.call("list_issues", json!({"assignee": "@jonas", "limit": 2})).await;
    assert!(text.lines().next().unwrap().contains("of @jonas (Jonas Weber)"), "{text}");
}

#[tokio::test]
async fn a_group_means_any_of_its_labels_and_a_cycle_goes_by_its_shown_name() {
    let site = site().await;
    let text = site.call("list_issues", json!({"labels": ["Customer"], "limit": 100})).await;
    let row = text.lines().find(|line| line.starts_with("ENG-30 ")).unwrap();
    assert!(row.contains("[area/importer, Customer/Northwind]"), "{row}");
    let either = ["Northwind", "Bluebird"];
    let mut wanted = 0;
    for name in either {
        let one = site.call("list_issues", json!({"labels": [name], "limit": 100})).await;
        wanted += one
            .lines()
            .filter(|line| ["[", ", ", "/"].iter().any(|before| line.contains(&format!("{before}{name}"))))
            .count();
    }
    assert!(wanted > 0 && text.starts_with(&format!("{wanted} issues")), "{wanted}: {text}");
    let number = site.call("list_issues", json!({"team": "ENG", "cycle": "24"})).await;
    let named = site.call("list_issues", json!({"team": "ENG", "cycle": "Cycle 24"})).await;
    assert!(number.starts_with("20 issues") || number.contains(" issues"), "{number}");
    assert_eq!(number, named);
}

#[tokio::test]
async fn what_cannot_match_is_an_error_and_not_an_empty_list() {
    let site = site().await;
    for (arguments, says) in [
        (json!({"team": "ENG", "cycle": "99"}), "The team ENG has no cycle `99`"),
        (json!({"cycle": "Cycle 99"}), "No team has a cycle `Cycle 99`"),
        (json!({"parent": "ENG-9999"}), "Linear has no issue ENG-9999"),
        (json!({"team": ["ENG", "XYZ"]}), "There is no team `XYZ`"),
        (json!({"state": ["Todo", "Doing"]}), "There is no state `Doing`"),
        (json!({"project": "Import API v2", "milestone": "Nonsense"}), "There is no milestone `Nonsense`"),
    ] {
        let text = site.call("list_issues", arguments.clone()).await;
        assert!(text.starts_with("ERROR not_found: ") && text.contains(says), "{arguments}: {text}");
    }
    let text = site.call("list_cycles", json!({"team": "ENG", "which": "99"})).await;
    assert!(text.contains("The team ENG has no cycle `99`"), "{text}");
}

#[tokio::test]
async fn a_former_identifier_is_good_for_many_issues_too() {
    let site = site().await;
    let arguments = json!({"ids": ["ENG-1007", "ENG-12"], "changes": {"priority": "low"}, "dry_run": true});
    let text = site.call("bulk_update_issues", arguments).await;
    assert!(text.contains("GRO-11") && text.contains("ENG-12") && !text.contains("Not there"), "{text}");
    let value: Value =
        json!({"ids": ["ENG-1007", "GRO-11"], "changes": {"priority": "low"}, "dry_run": true});
    let text = site.call("bulk_update_issues", value).await;
    assert!(text.contains("Change 1 issue\n"), "it is one issue: {text}");
}

#[tokio::test]
async fn a_type_in_capitals_is_a_type_where_no_state_has_the_name() {
    let site = site().await;
    for (word, same) in [("Open", "open"), ("CLOSED", "closed"), ("Completed", "completed")] {
        let listed = |state: &str| json!({"team": "ENG", "state": state, "limit": 100});
        let text = site.call("list_issues", listed(word)).await;
        assert_eq!(text, site.call("list_issues", listed(same)).await, "{word}");
        assert!(!text.starts_with("ERROR"), "{text}");
    }
    let text = site.call("list_issues", json!({"team": "ENG", "state": "In Progress"})).await;
    assert!(text.contains("In Progress"), "{text}");
    let text = site.call("list_projects", json!({"status": "Open"})).await;
    assert_eq!(text, site.call("list_projects", json!({"status": "open"})).await);
}

/// Linear compares names without case, but with accents.
#[tokio::test]
async fn a_name_is_found_without_its_accents() {
    let site = site().await;
    site.call("save_label", json!({"name": "Qualität", "team": "ENG"})).await;
    site.call("update_issue", json!({"id": "ENG-12", "labels": {"add": ["Qualität"]}})).await;
    for word in ["qualitat", "QUALITÄT", "Qualität"] {
        let text = site.call("list_issues", json!({"labels": [word]})).await;
        assert!(text.contains("ENG-12"), "{word}: {text}");
    }
    let filter = json!({"labels": ["qualitat"]});
    let bulk = json!({"filter": filter, "changes": {"priority": "low"}, "dry_run": true});
    let text = site.call("bulk_update_issues", bulk).await;
    assert!(text.contains("ENG-12"), "{text}");
}
