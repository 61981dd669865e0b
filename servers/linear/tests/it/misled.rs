//! What misled somebody in a second round of twenty tasks, who had nothing but the list of tools: each reply with
//! what it should have said.

use connector::testing::{Options, Sandboxed};
use linear_mcp::Linear;
use serde_json::json;

use crate::planning_support::site;

#[tokio::test]
async fn who_is_disabled_is_not_said_to_be_nobody() {
    let site = site().await;
    for wanted in ["Peter", "@peter", "Peter Quist", "Quist"] {
        let text = site.call("update_issue", json!({"id": "ENG-15", "assignee": wanted})).await;
        let says =
            "ERROR invalid_argument: `assignee`: @peter (Peter Quist) is disabled, so nothing can be given";
        assert!(text.starts_with(says), "{wanted}: {text}");
    }
    for (tool, arguments) in [
        ("save_project", json!({"id": "Reliability Q4", "lead": "Peter"})),
        ("save_project", json!({"id": "Reliability Q4", "members": ["Peter"]})),
        ("create_issue", json!({"title": "x", "team": "ENG", "assignee": "Peter"})),
        ("bulk_update_issues", json!({"ids": ["ENG-15"], "changes": {"assignee": "Peter"}})),
    ] {
        let text = site.call(tool, arguments).await;
        assert!(text.contains("@peter (Peter Quist) is disabled"), "{tool}: {text}");
    }
    let text = site.call("add_comment", json!({"issue": "ENG-15", "body": "@peter?", "dry_run": true})).await;
    assert!(text.contains("notifies nobody: @peter (Peter Quist), who is disabled"), "{text}");
    // What was theirs can still be asked for.
    let text = site.call("list_projects", json!({"lead": "Peter"})).await;
    assert!(text.starts_with("No projects (led by @peter (Peter Quist)"), "{text}");
    let text = site.call("list_initiatives", json!({"owner": "Peter"})).await;
    assert!(text.starts_with("No initiatives (owned by @peter (Peter Quist)"), "{text}");
}

#[tokio::test]
async fn a_search_for_people_says_whether_it_is_somebody_who_left() {
    let site = site().await;
    let text = site.call("list_users", json!({"query": "Peter"})).await;
    assert!(text.starts_with("1 person (disabled: nobody else fits)."), "{text}");
    assert!(text.contains("@peter Peter Quist, peter@harbor.example, disabled"), "{text}");
    let text = site.call("list_users", json!({"query": "Nobody"})).await;
    assert!(text.starts_with("No people (disabled ones too)."), "{text}");
    let text = site.call("list_users", json!({})).await;
    assert!(text.starts_with("10 people (disabled ones left out)."), "{text}");
    let text = site.call("list_users", json!({"include_disabled": true})).await;
    assert!(text.starts_with("11 people."), "{text}");
}

#[tokio::test]
async fn a_last_name_means_the_one_person_who_has_it() {
    let site = site().await;
    let text = site.call("list_issues", json!({"assignee": "Lindgren", "state": "open"})).await;
    assert!(text.starts_with("3 issues (of @jonas.lindgren (Jonas Lindgren);"), "{text}");
    let text = site.call("update_issue", json!({"id": "ENG-15", "assignee": "Novak", "dry_run": true})).await;
    assert!(text.contains("assignee @aiko → @daniel"), "{text}");
}

#[tokio::test]
async fn a_listing_says_which_days_and_moments_were_meant() {
    let site = site().await;
    let text = site.call("list_issues", json!({"due_before": site.day(5), "due_after": site.day(1)})).await;
    assert!(text.contains("(due before D+5, not on it; due after D+1, not on it; "), "{text}");
    let text = site.call("list_issues", json!({"due": site.day(1).replace('-', "/")})).await;
    assert!(text.contains("(due D+1; "), "{text}");
    let since = json!({"updated_since": site.day(-1), "created_since": site.day(-30)});
    let text = site.call("list_issues", since).await;
    assert!(
        text.contains("(changed since D-1 (Europe/Stockholm); created since D-30 (Europe/Stockholm)"),
        "{text}"
    );
    let filter = json!({"assignee": "Sofia", "due_before": site.day(30)});
    let text =
        site.call("bulk_update_issues", json!({"filter": filter, "changes": {"priority": "low"}})).await;
    assert!(text.contains("(of @sofia (Sofia Rossi); due before D+30, not on it)"), "{text}");
    for tool in ["list_projects", "list_documents"] {
        let text = site.call(tool, json!({"since": site.day(-1)})).await;
        assert!(text.contains("(changed since D-1 (Europe/Stockholm)"), "{tool}: {text}");
    }
    let text = site.call("list_status_updates", json!({"since": site.day(-1)})).await;
    assert!(text.contains("(posted since D-1 (Europe/Stockholm))"), "{text}");
}

#[tokio::test]
async fn a_percentage_says_what_it_is_of() {
    let site = site().await;
    let text = site.call("list_cycles", json!({"team": "Engineering", "which": "current"})).await;
    let done =
        "done 2 of 11 issues, 6 of 36 points (30 left), progress 33% (points in progress count a quarter)";
    assert!(text.contains(done), "{text}");
    let text = site.call("get_team", json!({"team": "ENG"})).await;
    assert!(text.contains(", progress 33% (points in progress count a quarter)"), "{text}");
}

#[tokio::test]
async fn who_filed_an_issue_is_shown() {
    let site = site().await;
    let asked = json!({"state": "triage", "fields": ["state", "title", "created", "creator"]});
    let text = site.call("list_issues", asked).await;
    assert!(
        text.contains("OPS-13 Triage Memory of import workers since v2.14.0 created D-1 by @priya"),
        "{text}"
    );
    let text = site.call("list_issues", json!({"creator": "Help Desk", "state": "triage"})).await;
    assert!(text.starts_with("2 issues (filed by @helpdesk (Help Desk);"), "{text}");
    let text = site.call("list_issues", json!({"author": "me", "state": "triage"})).await;
    assert!(text.starts_with("No issues"), "{text}");
    let text = site.call("get_issue", json!({"id": "ENG-35"})).await;
    assert!(text.contains("created D-1 10:05Z by @helpdesk"), "{text}");
}

#[tokio::test]
async fn what_an_issue_blocks_says_whether_anything_else_does() {
    let site = site().await;
    let related = async |id: &str| {
        let asked = json!({"id": id, "include": ["relations"]});
        let text = site.call("get_issue", asked).await;
        text.lines().filter(|line| line.starts_with("block")).collect::<Vec<_>>().join("\n")
    };
    let text = related("ENG-28").await;
    let free =
        "blocks ENG-16 Todo @tomas Move v1 imports onto the job worker (nothing open blocks it any more)";
    assert_eq!(text, free);
    assert_eq!(site.sent("Blockers"), 1);
    site.call("link_issues", json!({"from": "ENG-31", "to": ["ENG-16"], "type": "blocks"})).await;
    let text = related("ENG-28").await;
    assert!(text.ends_with("(still blocked by ENG-31)"), "{text}");
    let text = related("ENG-16").await;
    let done = "blocked by ENG-28 Done @tomas Idempotent chunk writes (no longer blocks it)";
    assert!(text.contains(done) && text.matches("(no longer").count() == 1, "{text}");
    assert!(!text.contains("else"), "{text}");
    assert_eq!(site.sent("Blockers"), 2, "nothing is asked where nothing is blocked");
    let text = related("ENG-30").await;
    assert!(text.ends_with("(also blocked by ENG-27)"), "{text}");
}

#[tokio::test]
async fn a_bulk_change_that_is_only_shown_says_how_it_is_done() {
    let site = site().await;
    let filter = json!({"team": "Growth", "state": "backlog", "assignee": "Sofia"});
    let mut asked = json!({"filter": filter, "changes": {"state": "Canceled"}});
    for dry_run in [false, true] {
        asked["dry_run"] = json!(dry_run);
        let text = site.call("bulk_update_issues", asked.clone()).await;
        let says = "Nothing was changed. To do this, repeat the call with \"expected_count\": 2 and without \
                    dry_run:\nChange 2 issues (of @sofia (Sofia Rossi))\n- GRO-10 ";
        assert!(text.starts_with(says), "{text}");
    }
    // What is asked about in any case needs no count besides.
    let many = json!({"filter": {"team": "ENG"}, "changes": {"priority": "low"}});
    let site = Sandboxed::<Linear>::start_with(Options::everything()).await;
    let asked = site.question("bulk_update_issues", many).await.expect("more than five are asked about");
    assert!(!asked.contains("expected_count"), "{asked}");
}

#[tokio::test]
async fn what_is_as_asked_already_is_not_passed_over() {
    let site = site().await;
    let changes = json!({"assignee": "Aiko", "priority": "low"});
    let filter = json!({"team": "ENG", "state": "backlog", "assignee": "none"});
    let text = site
        .call("bulk_update_issues", json!({"filter": filter, "changes": changes, "expected_count": 2}))
        .await;
    assert!(
        text.contains("- ENG-11: assignee none → @aiko (Aiko Tanaka); priority medium → low\n"),
        "{text}"
    );
    assert!(text.ends_with("- ENG-22: assignee none → @aiko (Aiko Tanaka); priority low already"), "{text}");
    let change = json!({
        "id": "ENG-12", "priority": "low", "state": "Todo", "labels": {"add": ["importer", "Bug"], "remove": ["Feature"]},
    });
    site.call("update_issue", change.clone()).await;
    let mut change = change;
    change["estimate"] = json!(1);
    for dry_run in [true, false] {
        change["dry_run"] = json!(dry_run);
        let text = site.call("update_issue", change.clone()).await;
        for line in ["state Todo already", "priority low already", "labels area/importer, Bug already"] {
            assert!(text.contains(&format!("\n- {line}")), "{line}: {text}");
        }
        assert!(text.contains("\n- label Feature not there"), "{text}");
    }
    let text = site.call("update_issue", change).await;
    assert!(text.starts_with("ENG-12 is already like that"), "{text}");
    let text =
        site.call("bulk_update_issues", json!({"ids": ["ENG-12"], "changes": {"priority": "low"}})).await;
    assert_eq!(text, "Nothing to change\n- Already like that: ENG-12");
    let change =
        json!({"id": "Reliability Q4", "name": "Reliability Q4", "priority": "low", "dry_run": true});
    let text = site.call("save_project", change).await;
    assert!(text.contains("\n- name Reliability Q4 already"), "{text}");
}

#[tokio::test]
async fn titles_stand_whole_where_there_are_few() {
    let site = site().await;
    let text =
        site.call("bulk_update_issues", json!({"ids": ["ENG-11"], "changes": {"state": "Done"}})).await;
    let dry = json!({"ids": ["ENG-11"], "changes": {"state": "Canceled"}, "dry_run": true});
    let preview = site.call("bulk_update_issues", dry).await;
    assert!(
        preview.contains("not in the customer's time zone") && !preview.contains('…'),
        "{text}\n{preview}"
    );
}

#[tokio::test]
async fn the_inbox_says_what_is_snoozed_and_in_words_what_happened() {
    let site = site().await;
    let text = site.call("list_notifications", json!({})).await;
    assert!(
        text.starts_with("4 notifications (only unread ones; 4 unread in all; 1 of these snoozed)."),
        "{text}"
    );
    assert!(
        text.contains(
            "ENG-26 Settings page: \"Delete workspace\" is one click | no question asked (Overdue)"
        )
    );
    assert!(!text.contains("issueNewComment") && text.contains("(Help Desk commented)"), "{text}");
}

#[tokio::test]
async fn a_marked_notification_can_be_told_from_others_on_the_same_issue() {
    let site = site().await;
    let ids = ["e8de7fdc-eafa-4aa5-a85a-e0f49772eb9e"];
    let text = site.call("mark_notification", json!({"ids": ids, "read": true})).await;
    let says = "Marked 1 notification as read\n- GRO-7 Northwind expansion: prove the import before they sign \
                (Daniel Novák replied)";
    assert!(text.starts_with(says), "{text}");
}

#[tokio::test]
async fn a_mention_is_read_as_it_was_written() {
    let site = site().await;
    site.call("add_comment", json!({"issue": "GRO-7", "body": "@grace Has Marcus moved?"})).await;
    let sent = site.harness().journal().of("AddComment").last().unwrap().json();
    assert!(sent.to_string().contains("/profiles/grace Has Marcus"), "{sent}");
    let text = site.call("list_comments", json!({"issue": "GRO-7"})).await;
    assert!(text.contains("  @grace Has Marcus moved?"), "{text}");
    let text = site.call("get_issue", json!({"id": "GRO-7", "include": ["comments"]})).await;
    assert!(text.contains("  @grace Has Marcus moved?"), "{text}");
    let update = json!({"project": "Reliability Q4", "health": "at_risk", "body": "Ask @grace."});
    let posted = site.call("post_status_update", update).await;
    assert!(
        posted.starts_with("Posted a status update on the project Reliability Q4, whose members and"),
        "{posted}"
    );
    let text = site.call("list_status_updates", json!({"project": "Reliability Q4", "limit": 1})).await;
    assert!(text.contains("\nAsk @grace.\n"), "{text}");
}

#[tokio::test]
async fn a_thread_is_read_from_its_beginning() {
    let site = site().await;
    let text = site.call("list_comments", json!({"issue": "ENG-28"})).await;
    assert!(
        text.starts_with("5 comments (on ENG-28, newest thread first, each from its beginning)."),
        "{text}"
    );
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
    let order = [
        "Merged. Goes out",
        "Read it. One question",
        "Yes, and I want that",
        "Fine with me",
        "Pull request is up",
    ];
    assert!(order.map(place).is_sorted(), "{text}");
    assert!(text.contains("(resolved D-2 by @tomas)"), "{text}");
    // A page of several goes on in the order of time.
    let text = site.call("list_comments", json!({"issue": "ENG-28", "limit": 2})).await;
    assert!(text.starts_with("2 comments (on ENG-28, newest first)"), "{text}");
}

#[tokio::test]
async fn several_issues_share_the_room_and_say_how_to_go_on() {
    let site = site().await;
    let ids = ["ENG-27", "ENG-28", "ENG-30", "ENG-31", "ENG-32", "ENG-34", "ENG-35", "GRO-7", "OPS-9"];
    let text = site.call("get_issue", json!({"ids": ids})).await;
    assert!(
        text.contains("Northwind's signature waits for this: GRO-7.") && !text.contains("more characters")
    );
    assert!(!text.contains("\nbranch "), "{text}");
    let text = site.call("get_issue", json!({"ids": ["ENG-27", "ENG-28"], "max_chars": 100})).await;
    assert!(text.contains(" more characters: ask with id=ENG-27 and offset="), "{text}");
    let text = site.call("get_issue", json!({"id": "ENG-27", "max_chars": 100})).await;
    assert!(
        text.contains(" more characters: ask with offset=") && text.contains("\nbranch maya/eng-27-"),
        "{text}"
    );
}

#[tokio::test]
async fn a_milestone_says_whose_it_was_taken_for() {
    let site = site().await;
    let text = site.call("list_issues", json!({"milestone": "Progress endpoint", "state": "open"})).await;
    assert!(text.starts_with("3 issues (milestone \"Progress endpoint\" of \"Import API v2\"; "), "{text}");
}

#[tokio::test]
async fn nothing_may_be_the_answer() {
    let site = site().await;
    let text = site.call("list_issues", json!({"assignee": "Lindgren", "due": site.day(7)})).await;
    assert!(text.ends_with("If some should be there, try it without one of `assignee`, `due`."), "{text}");
}
