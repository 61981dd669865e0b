//! What replies tell, and what a dry run refuses as the write would: links with a new issue, filters by
//! milestone and day, a comment to its end, where words were found, what Linear did on its own.

use serde_json::json;

use crate::planning_support::site;

#[tokio::test]
async fn a_new_issue_comes_with_its_links() {
    let site = site().await;
    let links = ["https://status.harbor.example/41", "[The PR](https://github.com/harbor/importer/pull/7)"];
    let new = json!({"title": "With links", "team": "ENG", "links": links});
    let mut dry = new.clone();
    dry["dry_run"] = json!(true);
    let dry = site.call("create_issue", dry).await;
    assert!(dry.contains("- link https://status.harbor.example/41"), "{dry}");
    let text = site.call("create_issue", new).await;
    assert!(text.starts_with("Created ENG-") && text.contains("https://status.harbor.example/41"), "{text}");
    assert!(text.contains("https://github.com/harbor/importer/pull/7"), "{text}");
    let id = text.split_once("Created ").unwrap().1.split_once(':').unwrap().0;
    let read = site.call("get_issue", json!({"id": id, "include": ["attachments"]})).await;
    assert!(read.contains("2 attachments"), "{read}");
    let text = site.call("create_issue", json!({"title": "x", "team": "ENG", "links": ["nowhere"]})).await;
    assert!(text.starts_with("ERROR invalid_argument: `links[0]`: `nowhere` is not a web address"), "{text}");
}

#[tokio::test]
async fn issues_are_found_by_milestone_and_by_having_no_due_date() {
    let site = site().await;
    let state = site.dump();
    let milestone = &state["ProjectMilestone"][0];
    let name = milestone["name"].as_str().unwrap();
    let of = |issue: &&serde_json::Value| {
        issue["projectMilestoneId"] == milestone["id"] && issue["archivedAt"].is_null()
    };
    let wanted = state["Issue"].as_array().unwrap().iter().filter(of).count();
    let text = site.call("list_issues", json!({"milestone": name, "limit": 100})).await;
    assert!(wanted > 1 && text.starts_with(&format!("{wanted} issues")), "{wanted}: {text}");
    let undated = |issue: &&serde_json::Value| issue["dueDate"].is_null() && issue["archivedAt"].is_null();
    let wanted = state["Issue"].as_array().unwrap().iter().filter(undated).count();
    let text = site.call("list_issues", json!({"due": "none", "limit": 100})).await;
    assert!(text.starts_with(&format!("{wanted} issues")), "{wanted}: {text}");
    let text = site.call("list_issues", json!({"due": site.day(2)})).await;
    assert!(text.contains("OPS-9") && text.contains("due D+2"), "{text}");
}

#[tokio::test]
async fn what_is_blocked_only_by_finished_issues_is_not_blocked() {
    let site = site().await;
    let link = json!({"from": "ENG-33", "to": ["ENG-31"], "type": "blocked_by"});
    site.call("link_issues", link).await;
    let listed = async |blocked: bool| {
        let text = site.raw("list_issues", json!({"blocked": blocked, "team": "ENG", "limit": 100})).await;
        text.lines().any(|line| line.starts_with("ENG-33 "))
    };
    assert!(listed(true).await && !listed(false).await);
    site.call("update_issue", json!({"id": "ENG-31", "state": "Done"})).await;
    assert!(!listed(true).await && listed(false).await);
    let filter = json!({"blocked": true, "team": "ENG", "query": "nothing has these words"});
    let text =
        site.call("bulk_update_issues", json!({"filter": filter, "changes": {"priority": "low"}})).await;
    assert!(text.starts_with("No issue matches"), "{text}");
}

#[tokio::test]
async fn a_long_comment_is_read_to_its_end() {
    let site = site().await;
    let body = format!("{} the very end", "word ".repeat(1_200));
    site.call("add_comment", json!({"issue": "ENG-12", "body": body})).await;
    let listed = site.raw("list_comments", json!({"issue": "ENG-12", "limit": 1})).await;
    assert!(listed.contains("[cut: 3000 of 6013 characters; give `comment` for all of it]"), "{listed}");
    let id = listed.split_once(" id ").unwrap().1.lines().next().unwrap();
    let whole = site.raw("list_comments", json!({"comment": id})).await;
    assert!(whole.contains("the very end") && whole.contains("on ENG-12"), "{whole}");
    let rest = site.raw("list_comments", json!({"comment": id, "offset": 6_000})).await;
    assert!(rest.contains("the very end") && !rest.contains("word word"), "{rest}");
}

#[tokio::test]
async fn a_search_shows_where_the_words_stand() {
    let site = site().await;
    let text = site.call("search", json!({"query": "duplicate", "types": ["issue"], "limit": 5})).await;
    let (_, below) = text.split_once("ENG-27 ").unwrap();
    let snippet = below.lines().find(|line| line.starts_with("  ")).unwrap();
    assert!(snippet.to_lowercase().contains("duplicate"), "{text}");
}

#[tokio::test]
async fn a_duplicate_says_what_became_of_it() {
    let site = site().await;
    let link = json!({"from": "ENG-33", "to": ["ENG-27"], "type": "duplicate"});
    let mut dry = link.clone();
    dry["dry_run"] = json!(true);
    let dry = site.call("link_issues", dry).await;
    assert!(dry.contains("Linear closes ENG-33, now ") && dry.contains("as a duplicate"), "{dry}");
    let text = site.call("link_issues", link).await;
    assert!(text.contains("ENG-33: state ") && text.contains(" → Duplicate"), "{text}");
}

#[tokio::test]
async fn replies_have_ids_that_the_next_call_takes() {
    let site = site().await;
    let update = json!({"project": "Import API v2", "health": "on_track", "body": "Fine."});
    let text = site.raw("post_status_update", update).await;
    let id = text.split_once(": update ").unwrap().1.lines().next().unwrap();
    let text = site.call("add_comment", json!({"update": id, "body": "Good."})).await;
    assert!(text.starts_with("Commented on "), "{text}");
    let text = site.raw("get_issue", json!({"id": "ENG-27", "include": ["comments"]})).await;
    let reply = text.lines().find(|line| line.starts_with("↳ @maya ")).unwrap();
    assert!(reply.contains(" id "), "{reply}");
    let milestone = site.dump()["ProjectMilestone"][0].clone();
    let project = site.dump()["Project"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["id"] == milestone["projectId"])
        .unwrap()
        .clone();
    let new =
        json!({"title": "x", "team": "ENG", "project": project["name"], "milestone": milestone["name"]});
    let text = site.call("create_issue", new).await;
    assert!(text.contains(&format!("milestone {}", milestone["name"].as_str().unwrap())), "{text}");
}

#[tokio::test]
async fn a_dry_run_refuses_what_linear_would() {
    let site = site().await;
    for (tool, arguments, says) in [
        (
            "create_issue",
            json!({"title": "x", "team": "GRO", "project": "Import API v2"}),
            "The project Import API v2 is not one of GRO: it belongs to ENG",
        ),
        (
            "update_issue",
            json!({"id": "ENG-12", "labels": {"set": ["area/api", "area/web"]}}),
            "An issue can have one label of the group `area`, not both `area/api` and `area/web`",
        ),
        ("update_issue", json!({"id": "ENG-12", "parent": "ENG-12"}), "An issue cannot be its own parent"),
        (
            "bulk_update_issues",
            json!({"ids": ["GRO-7"], "changes": {"project": "Import API v2"}}),
            "The project Import API v2 is not one of GRO",
        ),
    ] {
        let mut dry = arguments.clone();
        dry["dry_run"] = json!(true);
        let text = site.call(tool, dry).await;
        assert!(text.starts_with("ERROR invalid_argument: ") && text.contains(says), "{arguments}: {text}");
    }
}
