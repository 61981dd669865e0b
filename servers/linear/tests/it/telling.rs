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
async fn a_sub_issue_is_of_its_parents_team_unless_it_is_told_otherwise() {
    let site = site().await;
    let text = site.call("create_issue", json!({"title": "Below", "parent": "ENG-27"})).await;
    assert!(text.starts_with("Created ENG-"), "{text}");
    let text = site.call("create_issue", json!({"title": "x", "parent": "ENG-27", "team": "OPS"})).await;
    assert!(text.starts_with("Created OPS-"), "{text}");
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
        (
            "create_issue",
            json!({"title": "x".repeat(513), "team": "ENG"}),
            "`title` has 513 characters; Linear takes",
        ),
        ("update_issue", json!({"id": "ENG-12", "title": "x".repeat(513)}), "`title` has 513"),
        ("save_document", json!({"title": "x".repeat(513), "team": "ENG"}), "`title` has 513"),
        ("save_project", json!({"name": "x".repeat(81), "teams": ["ENG"]}), "`name` has 81"),
        (
            "save_project",
            json!({"name": "x", "summary": "x".repeat(256), "teams": ["ENG"]}),
            "`summary` has 256",
        ),
        ("save_milestone", json!({"project": "Import API v2", "name": "x".repeat(256)}), "`name` has 256"),
        ("save_label", json!({"name": "x".repeat(81)}), "`name` has 81"),
    ] {
        let mut dry = arguments.clone();
        dry["dry_run"] = json!(true);
        let text = site.call(tool, dry).await;
        assert!(text.starts_with("ERROR invalid_argument: ") && text.contains(says), "{arguments}: {text}");
    }
}

/// "You can only edit your own comments.", "Only the first comment of a thread can be resolved." is what Linear says when it
/// is too late.
#[tokio::test]
async fn a_dry_run_of_a_comment_refuses_what_linear_would() {
    let site = site().await;
    let update = json!({"update": "11111111-2222-4333-8444-555555555555", "body": "x", "dry_run": true});
    let text = site.call("add_comment", update).await;
    assert!(text.starts_with("ERROR not_found: Linear has no status update"), "{text}");
    let state = site.dump();
    let users = state["User"].as_array().unwrap();
    let me = users.iter().find(|user| user["displayName"] == "maya").unwrap()["id"].clone();
    let comments = state["Comment"].as_array().unwrap();
    let others =
        comments.iter().find(|comment| comment["userId"].is_string() && comment["userId"] != me).unwrap();
    let edit = json!({"id": others["id"], "body": "Not mine.", "dry_run": true});
    let text = site.call("edit_comment", edit).await;
    assert!(text.starts_with("ERROR permission: ") && text.contains("their own"), "{text}");
    let open = |id: &serde_json::Value| {
        comments.iter().any(|comment| comment["id"] == *id && comment["resolvedAt"].is_null())
    };
    let reply = comments.iter().find(|comment| comment["parentId"].is_string() && open(&comment["parentId"]));
    let reply = reply.unwrap();
    let resolve = json!({"id": reply["id"], "resolved": true});
    let text = site.call("edit_comment", resolve).await;
    assert!(text.contains("thread resolved, by its first comment"), "{text}");
    let state = site.dump();
    let root =
        state["Comment"].as_array().unwrap().iter().find(|row| row["id"] == reply["parentId"]).unwrap();
    assert!(root["resolvedAt"].is_string(), "{root}");
}

#[tokio::test]
async fn a_comment_on_an_initiative_s_update_says_of_which() {
    let site = site().await;
    let update = site.dump()["InitiativeUpdate"][0]["id"].clone();
    let text = site.call("add_comment", json!({"update": update, "body": "Good."})).await;
    assert!(text.contains(" of the initiative \""), "{text}");
}

#[tokio::test]
async fn a_template_is_told_with_what_it_brings_and_keeps_its_labels() {
    let site = site().await;
    let new =
        json!({"template": "Bug report", "title": "From a form", "team": "ENG", "labels": ["Security"]});
    let mut dry = new.clone();
    dry["dry_run"] = json!(true);
    let told = "template Bug report: priority medium, labels Bug, its description";
    let dry = site.call("create_issue", dry).await;
    assert!(dry.contains(told), "{dry}");
    let text = site.call("create_issue", new).await;
    assert!(text.contains(told) && text.contains("priority medium"), "{text}");
    let labels = text.split_once("labels ").unwrap().1.lines().next().unwrap();
    assert!(labels.contains("Bug") && labels.contains("Security"), "{text}");
    // A template may have the title too.
    let text =
        site.call("create_issue", json!({"template": "Incident", "team": "OPS", "priority": "low"})).await;
    assert!(text.contains(": Incident:") && text.contains("priority low"), "{text}");
    let text = site.call("create_issue", json!({"template": "Bug report", "team": "ENG"})).await;
    assert!(text.contains("`create_issue` needs `title`"), "{text}");
}

#[tokio::test]
async fn each_of_several_new_issues_is_told_with_all_that_was_set() {
    let site = site().await;
    let issues =
        json!([{"title": "One", "labels": ["Bug"], "priority": "high"}, {"title": "Two", "assignee": "me"}]);
    let text = site.call("create_issue", json!({"team": "ENG", "issues": issues})).await;
    let line = |title: &str| text.lines().find(|line| line.contains(title)).unwrap();
    for words in [" One: state ", "priority high", "labels Bug", "branch "] {
        assert!(line(" One").contains(words), "{words}: {text}");
    }
    assert!(line(" Two").contains("assignee @maya"), "{text}");
}

#[tokio::test]
async fn a_move_to_another_team_is_told_with_what_it_leaves_behind() {
    let site = site().await;
    let state = site.dump();
    let team = |key: &str| {
        state["Team"].as_array().unwrap().iter().find(|team| team["key"] == key).unwrap()["id"].clone()
    };
    let (from, to) = (team("ENG"), team("OPS"));
    let projects = state["Project"].as_array().unwrap();
    let elsewhere = |issue: &&serde_json::Value| {
        let own = projects.iter().find(|project| project["id"] == issue["projectId"]);
        issue["teamId"] == from
            && issue["archivedAt"].is_null()
            && issue["cycleId"].is_string()
            && own.is_some_and(|project| !project["teamIds"].as_array().unwrap().contains(&to))
    };
    let issue = state["Issue"].as_array().unwrap().iter().find(elsewhere).unwrap();
    let dry = json!({"id": issue["identifier"], "team": "OPS", "dry_run": true});
    let text = site.call("update_issue", dry).await;
    let lost = "OPS does not have these, so they may be lost: ";
    let line = text.lines().find(|line| line.contains(lost)).unwrap();
    assert!(line.contains("cycle ") && line.contains("project "), "{text}");
    let text = site.call("update_issue", json!({"id": "ENG-19", "team": "OPS", "dry_run": true})).await;
    for line in [
        "team ENG → OPS",
        "it gets a new identifier in OPS; ENG-19 still leads to it",
        "OPS has no state In Review: Linear chooses another",
    ] {
        assert!(text.contains(&format!("\n- {line}")), "{line}: {text}");
    }
    assert!(text.contains(lost) && text.contains("label area/web"), "{text}");
    let read = site.call("get_issue", json!({"id": "ENG-19"})).await;
    assert!(read.starts_with("ENG-19: In Review"), "{read}");
}

/// Replies end with addresses that have the beginning of a comment's id.
#[tokio::test]
async fn a_comment_is_named_by_its_address() {
    let site = site().await;
    let text = site.raw("add_comment", json!({"issue": "ENG-12", "body": "First words."})).await;
    let address = text.split_whitespace().find(|word| word.contains("#comment-")).unwrap();
    let read = site.raw("list_comments", json!({"comment": address})).await;
    assert!(read.contains("First words."), "{read}");
    let text = site.raw("edit_comment", json!({"id": address, "body": "Other words."})).await;
    assert!(text.starts_with("Changed the comment"), "{text}");
    let text = site.raw("add_comment", json!({"reply_to": address, "body": "A reply."})).await;
    assert!(text.contains("in reply to @maya"), "{text}");
    let wrong = format!("{}#comment-00000000", address.split('#').next().unwrap());
    let text = site.raw("list_comments", json!({"comment": wrong})).await;
    assert!(text.starts_with("ERROR not_found: ENG-12 has no comment"), "{text}");
}

#[tokio::test]
async fn a_label_that_is_missing_says_how_one_is_made() {
    let site = site().await;
    let text = site.call("update_issue", json!({"id": "ENG-12", "labels": {"add": ["zzzz-zzzz"]}})).await;
    assert!(text.contains("; save_label makes one"), "{text}");
}
