//! What everyday work wants: several things at once, a dry run that keeps its word, a reply with everything in it.

use crate::support::server::{Setup, commit, site, site_in_repo, with_repo};
use connector::sandbox::Action;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[tokio::test(start_paused = true)]
async fn several_issues_are_changed_alike_and_told_one_by_one() {
    let site = site_in_repo().await;
    let arguments =
        json!({"numbers": [474, 475, 475], "add_labels": ["documentation"], "milestone": "v2.15"});
    let mut dry = arguments.clone();
    dry["dry_run"] = json!(true);
    let preview = site.reply("update_issue", dry).await;
    for number in [474, 475] {
        let issue = site.sandbox.of_repo(&format!("issues/{number}")).await;
        assert!(preview.contains(&format!("- #{number}: ")), "{preview}");
        assert!(preview.contains(issue["title"].as_str().unwrap()), "titles, not only numbers: {preview}");
        assert!(!issue["labels"].to_string().contains("\"documentation\""), "a dry run changes nothing");
    }
    let text = site.reply("update_issue", arguments.clone()).await;
    assert!(text.starts_with("Changed 2 issues of harbor-example/import-api"), "{text}");
    for number in [474, 475] {
        let issue = site.sandbox.of_repo(&format!("issues/{number}")).await;
        assert!(issue["labels"].to_string().contains("\"documentation\""), "{issue}");
        assert_eq!(issue["milestone"]["title"], "v2.15");
    }
    let again = site.reply("update_issue", arguments).await;
    assert!(again.starts_with("Nothing to change") && again.contains("#474, #475"), "{again}");
}

#[tokio::test(start_paused = true)]
async fn many_issues_at_once_are_asked_about_and_wrong_ones_stop_all() {
    let site = site_in_repo().await;
    let close = |numbers: Value| json!({"numbers": numbers, "state": "not_planned"});
    assert!(!site.asks("update_issue", close(json!([474, 475, 476]))).await);
    let listed = site.sandbox.of_repo("issues?state=open&per_page=100").await;
    let open = listed.as_array().unwrap().iter().filter(|issue| issue["pull_request"].is_null());
    let six: Vec<_> = open.map(|issue| issue["number"].clone()).take(6).collect();
    assert!(site.asks("update_issue", close(json!(six))).await);
    let refused = site.refused("update_issue", close(json!([six[0], 99999]))).await;
    assert!(refused.contains("99999") && refused.contains("Nothing was changed"), "{refused}");
    assert_eq!(site.sandbox.of_repo(&format!("issues/{}", six[0])).await["state"], "open");
    let refused = site.refused("update_issue", json!({"numbers": [474, 475], "title": "Same"})).await;
    assert!(refused.contains("`title` is for one issue at a time"), "{refused}");
    let refused = site.refused("update_issue", json!({"lock": true})).await;
    assert!(refused.contains("`number`, or `numbers`"), "{refused}");
}

/// GitHub refuses both only when it is too late: "Reviews may only be requested from collaborators", "Review cannot
/// be requested from pull request author."
#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_reviewers_who_cannot_be_asked() {
    let site = site_in_repo().await;
    let dry = |who: &str| json!({"number": 485, "add_reviewers": [who], "dry_run": true});
    let refused = site.refused("update_pr", dry("nobody-at-all")).await;
    assert!(refused.contains("@nobody-at-all does not collaborate"), "{refused}");
    let refused = site.refused("update_pr", dry("tomas")).await;
    assert!(refused.contains("@tomas is the author"), "{refused}");
    let refused = site.refused("update_pr", dry("harbor-example/no-such-team")).await;
    assert!(refused.contains("no team no-such-team"), "{refused}");
    for good in ["aiko", "harbor-example/platform", "copilot"] {
        let text = site.reply("update_pr", dry(good)).await;
        assert!(text.contains("reviewers"), "{text}");
    }
    let open = |who: &str| json!({"title": "x", "head": "release/2.14", "base": "main", "reviewers": [who], "dry_run": true});
    assert!(site.refused("create_pr", open("maya")).await.contains("@maya is the author"));
    assert!(site.refused("create_pr", open("nobody-at-all")).await.contains("does not collaborate"));
}

/// Git keeps refs as files: `aiko` cannot be beside `aiko/…` (GitHub: "Reference update failed").
#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_a_name_that_is_a_directory_of_names() {
    let site = site().await;
    let branch =
        |name: &str| with_repo(json!({"action": "create", "kind": "branch", "name": name, "dry_run": true}));
    for (name, other) in
        [("release", "release/2.14"), ("main/x", "main"), ("release/2.14/fix/a", "release/2.14")]
    {
        let refused = site.refused("manage_ref", branch(name)).await;
        assert!(refused.contains(&format!("has the branch {other}")), "{name}: {refused}");
    }
    assert!(site.reply("manage_ref", branch("release/2.15")).await.starts_with("Dry run"));
    let mut arguments = commit(json!([{"path": "a.md", "content": "a\n"}]));
    (arguments["branch"], arguments["from"], arguments["dry_run"]) =
        (json!("main/x"), json!("main"), json!(true));
    let refused = site.refused("commit_files", arguments).await;
    assert!(refused.contains("has the branch main"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn what_one_call_undoes_is_not_asked_about() {
    let site = site().await;
    for (action, id) in [("rerun", 90041), ("rerun_failed", 90043)] {
        let arguments = with_repo(json!({"action": action, "run_id": id}));
        assert!(site.asks("run_workflow", arguments).await, "{action}: what runs again may do anything");
    }
    let text =
        site.reply("run_workflow", with_repo(json!({"action": "disable", "workflow": "ci.yml"}))).await;
    assert!(text.contains("action enable undoes it"), "{text}");
    assert_eq!(site.questions(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_new_issue_is_told_with_everything_that_was_set() {
    let site = Setup::in_repo().start().await;
    let arguments =
        json!({"title": "Told whole", "milestone": "v2.15", "type": "Bug", "labels": ["documentation"]});
    let text = site.reply("create_issue", arguments).await;
    for words in [": Told whole", "milestone v2.15", "type Bug", "labels"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

/// A pull request from a branch of its own into one that nobody protects.
async fn pull(site: &crate::support::server::Site) -> (u64, String) {
    let commit = json!({"branch": "maya/short", "from": "release/2.14", "message": "One",
        "changes": [{"path": "one.md", "content": "one\n"}]});
    site.call("commit_files", commit).await;
    let text =
        site.call("create_pr", json!({"title": "One", "head": "maya/short", "base": "release/2.14"})).await;
    let number = text.split("import-api#").nth(1).unwrap().split(':').next().unwrap().parse().unwrap();
    (number, site.sandbox.head("maya/short").await)
}

#[tokio::test(start_paused = true)]
async fn a_merge_deletes_its_branch_where_that_is_asked_for() {
    let site = site_in_repo().await;
    let (number, head) = pull(&site).await;
    let arguments = json!({"number": number, "delete_branch": true});
    let mut dry = arguments.clone();
    dry["dry_run"] = json!(true);
    let preview = site.reply("merge_pr", dry).await;
    assert!(preview.contains("deletes the branch maya/short"), "{preview}");
    let text = site.call("merge_pr", arguments).await;
    assert!(text.starts_with("Merged "), "{text}");
    assert!(text.contains(&format!("manage_ref can create it again from {head}")), "{text}");
    let gone = site.sandbox.try_get("repos/harbor-example/import-api/git/ref/heads/maya/short").await;
    assert_eq!(gone.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_branch_that_must_stay_stops_the_merge_before_it_begins() {
    let site = site_in_repo().await;
    let (number, _) = pull(&site).await;
    let later = json!({"number": number, "delete_branch": true, "mode": "queue"});
    assert!(site.reply("merge_pr", later).await.starts_with("ERROR"));
    site.fault("GET /repos/{owner}/{repo}/branches/{branch}", Action::patch("/protected", json!(true)));
    let refused = site.refused("merge_pr", json!({"number": number, "delete_branch": true})).await;
    assert!(refused.contains("maya/short is a protected branch"), "{refused}");
    assert_eq!(site.sandbox.of_repo(&format!("pulls/{number}")).await["merged"], false);
}

#[tokio::test(start_paused = true)]
async fn a_draft_release_is_published_after_a_question() {
    let site = site_in_repo().await;
    let arguments = json!({"tag": "v2.15.0", "body": "Progress, and more."});
    let question = site.question("create_release", arguments.clone()).await.expect("publishing asks");
    assert!(question.contains("Publish the draft v2.15.0") && question.contains("notifies"), "{question}");
    let text = site.call("create_release", arguments).await;
    assert!(text.starts_with("Published the release v2.15.0"), "{text}");
    let release = site.sandbox.of_repo("releases/tags/v2.15.0").await;
    assert_eq!((&release["draft"], &release["body"]), (&json!(false), &json!("Progress, and more.")));
}

#[tokio::test(start_paused = true)]
async fn a_diff_has_line_numbers_where_they_are_asked_for() {
    let site = site_in_repo().await;
    let text = site.reply("get_diff", json!({"number": 485, "detail": "numbered"})).await;
    let files = site.sandbox.of_repo("pulls/485/files").await;
    let file = files.as_array().unwrap().iter().find(|file| file["patch"].is_string()).unwrap();
    let patch = file["patch"].as_str().unwrap();
    let start: u64 = patch.split('+').nth(1).unwrap().split([',', ' ']).next().unwrap().parse().unwrap();
    let first = patch.lines().nth(1).unwrap();
    let number = if first.starts_with('-') { None } else { Some(start) };
    if let Some(number) = number {
        assert!(text.contains(&format!("\n{number} {first}")), "{text}");
    }
    assert!(text.contains("line numbers are those of the new file"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn several_files_are_read_at_one_commit() {
    let site = site_in_repo().await;
    let paths = json!(["README.md", "docs/import.md", "no/such.md", "assets/logo.png"]);
    let text = site.reply("read_file", json!({"paths": paths})).await;
    assert!(text.starts_with("2 of 4 files of harbor-example/import-api at main (commit "), "{text}");
    assert!(text.contains("1\t# import-api"), "{text}");
    assert!(text.contains("- no/such.md: not_found") && text.contains("- assets/logo.png: "), "{text}");
    let refused = site.refused("read_file", json!({"paths": ["a", "b"], "start_line": 3})).await;
    assert!(refused.contains("go with one `path`"), "{refused}");
    assert!(site.refused("read_file", json!({})).await.contains("`paths` of several"));
}

/// "ERROR_TYPE_QUERY_PARSING_FATAL unable to parse query!" is all that GitHub says of a bracket.
#[tokio::test(start_paused = true)]
async fn a_query_that_github_cannot_read_is_told_how_to_quote() {
    let site = site().await;
    let body = json!({"message": "ERROR_TYPE_QUERY_PARSING_FATAL unable to parse query!"});
    site.fault(
        "GET /search/code",
        Action::Status { code: 422, headers: BTreeMap::new(), body: body.to_string(), committed: false },
    );
    let refused = site.refused("search", json!({"kind": "code", "query": "main("})).await;
    assert!(refused.contains("Quote what has brackets"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_branch_of_which_nothing_is_lost_is_deleted_without_a_question() {
    let site = site().await;
    let manage = |action: &str| {
        with_repo(json!({"action": action, "kind": "branch", "name": "maya/same", "from": "main"}))
    };
    site.call("manage_ref", manage("create")).await;
    let mut delete = manage("delete");
    delete.as_object_mut().unwrap().remove("from");
    assert!(!site.asks("manage_ref", delete).await);
}
