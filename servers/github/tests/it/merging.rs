//! Merging and what is left after it: branches whose commits are merged, the commit's message, what was closed, and what
//! a dry run refuses because GitHub would.

use std::collections::BTreeMap;

use crate::support::server::{Site, site_in_repo};
use connector::sandbox::{Action, Change};
use serde_json::{Value, json};

const BRANCH: &str = "maya/short";
const FREE: &str = "release/2.14";
const MERGE: &str = "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge";

/// A pull request of two commits into a branch that nobody protects.
async fn pull(site: &Site) -> u64 {
    for path in ["one.md", "two.md"] {
        let mut commit = json!({"branch": BRANCH, "message": format!("Add {path}"),
            "changes": [{"path": path, "content": "text\n"}]});
        if path == "one.md" {
            commit["from"] = json!(FREE);
        }
        site.call("commit_files", commit).await;
    }
    let text = site.call("create_pr", json!({"title": "Two files", "head": BRANCH, "base": FREE})).await;
    text.split("import-api#").nth(1).unwrap().split(':').next().unwrap().parse().unwrap()
}

fn delete() -> Value {
    json!({"action": "delete", "kind": "branch", "name": BRANCH})
}

#[tokio::test(start_paused = true)]
async fn a_branch_that_was_squashed_is_known_as_merged() {
    let site = site_in_repo().await;
    let number = pull(&site).await;
    site.call("merge_pr", json!({"number": number, "method": "squash"})).await;
    let listed = site.reply("list_refs", json!({"kind": "branches", "match": BRANCH})).await;
    assert!(listed.contains(&format!("merged as #{number}")), "{listed}");
    let mut dry = delete();
    dry["dry_run"] = json!(true);
    let preview = site.reply("manage_ref", dry).await;
    assert!(preview.contains(&format!("nothing is lost: merged as #{number} into {FREE}")), "{preview}");
    assert!(!site.asks("manage_ref", delete()).await);
}

#[tokio::test(start_paused = true)]
async fn what_came_after_the_merge_is_not_taken_for_merged() {
    let site = site_in_repo().await;
    let number = pull(&site).await;
    site.call("merge_pr", json!({"number": number, "method": "squash"})).await;
    let more =
        json!({"branch": BRANCH, "message": "Later", "changes": [{"path": "three.md", "content": "x\n"}]});
    site.call("commit_files", more).await;
    let question = site.question("manage_ref", delete()).await.expect("a commit would be lost");
    assert!(question.contains("would be left without a branch"), "{question}");
    let listed = site.reply("list_refs", json!({"kind": "branches", "match": BRANCH})).await;
    assert!(!listed.contains("merged as"), "{listed}");
}

#[tokio::test(start_paused = true)]
async fn a_merge_tells_the_message_and_what_it_closed() {
    let site = site_in_repo().await;
    let number = pull(&site).await;
    let dry = json!({"number": number, "method": "squash", "message": "Short title", "dry_run": true});
    let preview = site.reply("merge_pr", dry).await;
    assert!(preview.contains("commit title \"Short title\", body as GitHub makes it"), "{preview}");
    let head = site.sandbox.head(BRANCH).await;
    let merge = json!({"number": number, "method": "merge", "expected_head": &head[..12]});
    assert!(site.call("merge_pr", merge).await.starts_with("Merged "), "a short sha names the head too");
    for (arguments, says) in [
        (json!({"number": 485, "mode": "queue", "message": "x"}), "leave `method` and `message` out"),
        (
            json!({"number": 485, "mode": "auto", "method": "rebase", "message": "x"}),
            "goes with merge or squash",
        ),
    ] {
        let refused = site.refused("merge_pr", arguments).await;
        assert!(refused.contains(says), "{refused}");
    }
}

/// GitHub refuses with 405 and the reason, or with 409 where the head is another (docs.github.com, "Merge a pull request").
#[tokio::test(start_paused = true)]
async fn a_refused_merge_gives_githubs_own_words_and_the_next_step() {
    let site = site_in_repo().await;
    let number = pull(&site).await;
    // GitHub has worked out by then whether it can be merged.
    site.reply("merge_pr", json!({"number": number, "dry_run": true})).await;
    let state = "/data/repository/pullRequest";
    let moved = "0123456789012345678901234567890123456789";
    for (code, message, now, next) in [
        (405, "Pull Request is not mergeable", Some(("mergeable", "CONFLICTING")), "its head conflicts with"),
        (
            405,
            "Base branch was modified. Review and try the merge again.",
            None,
            "get_pr shows what stands in its way",
        ),
        (405, "Squash merges are not allowed on this repository.", None, "Choose another `method`"),
        (405, "Branch must be up to date.", Some(("mergeStateStatus", "BEHIND")), "set update_branch"),
        (
            409,
            "Head branch was modified. Review and try the merge again.",
            Some(("headRefOid", moved)),
            moved,
        ),
    ] {
        let body = json!({"message": message}).to_string();
        site.fault(MERGE, Action::Status { code, headers: BTreeMap::new(), body, committed: false });
        if let Some((field, value)) = now {
            let changes = vec![Change::set(&format!("{state}/{field}"), json!(value))];
            site.fault("PullPulse", Action::Patch { changes });
        }
        let refused = site.refused("merge_pr", json!({"number": number, "method": "squash"})).await;
        let message = message.trim_end_matches('.');
        assert!(refused.starts_with("conflict: ") && refused.contains(message), "{refused}");
        assert!(refused.contains("Nothing was merged. ") && refused.contains(next), "{refused}");
    }
    assert_eq!(site.sandbox.of_repo(&format!("pulls/{number}")).await["merged"], false);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_a_pull_request_of_nothing() {
    let site = site_in_repo().await;
    let branch = json!({"action": "create", "kind": "branch", "name": "maya/same", "from": "main"});
    site.call("manage_ref", branch).await;
    let open = |head: &str, base: &str| json!({"title": "T", "head": head, "base": base, "dry_run": true});
    let refused = site.refused("create_pr", open("maya/same", "main")).await;
    assert!(refused.contains("no commits between main and maya/same"), "{refused}");
    let text =
        site.reply("create_pr", open("refs/heads/feature/with-slash/and-more", "refs/heads/main")).await;
    assert!(text.contains("feature/with-slash/and-more -> main"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_a_base_that_github_would() {
    let site = site_in_repo().await;
    let base = |number: u64, base: &str| json!({"number": number, "base": base, "dry_run": true});
    let refused = site.refused("update_pr", base(485, "nope")).await;
    assert!(refused.contains("has no branch nope"), "{refused}");
    let refused = site.refused("update_pr", base(485, "tomas/eng-31-progress")).await;
    assert!(refused.contains("nothing would be left of #485"), "{refused}");
    site.call("update_pr", json!({"number": 488, "set": "close"})).await;
    let refused = site.refused("update_pr", base(488, FREE)).await;
    assert!(refused.contains("base of open ones only"), "{refused}");
    let text = site.reply("update_pr", base(485, "refs/heads/release/2.14")).await;
    assert!(text.contains("base main → release/2.14"), "{text}");
    let number = pull(&site).await;
    let text = site.reply("update_pr", json!({"number": number, "set": "update_branch"})).await;
    assert!(text.starts_with("Nothing to change") && text.contains("has all commits of its base"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_range_names_its_commits() {
    let site = site_in_repo().await;
    pull(&site).await;
    let text = site.reply("get_diff", json!({"base": FREE, "head": BRANCH})).await;
    let commits: Vec<_> = text.lines().filter(|line| line.contains(" @maya: Add ")).collect();
    assert!(commits.len() == 2 && commits[0].ends_with("Add one.md"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_path_is_itself_before_it_is_a_pattern() {
    let site = site_in_repo().await;
    let odd = "{{cookiecutter.slug}}/a{b}.md";
    let commit = json!({"branch": BRANCH, "from": FREE, "message": "Odd names",
        "changes": [{"path": odd, "content": "x\n"}, {"path": "plain.md", "content": "x\n"}]});
    site.call("commit_files", commit).await;
    for path in [odd, "{{cookiecutter.slug}}", "{{cookiecutter.slug}}/"] {
        let diff = json!({"base": FREE, "head": BRANCH, "paths": [path]});
        let text = site.reply("get_diff", diff).await;
        assert!(text.contains(&format!("added {odd}")) && !text.contains("added plain.md"), "{path}: {text}");
    }
}

/// Comments of reviews have routes of their own.
#[tokio::test(start_paused = true)]
async fn a_review_comment_is_changed_and_deleted() {
    let site = site_in_repo().await;
    let comments = site.sandbox.of_repo("pulls/485/comments").await;
    let id = comments[0]["id"].as_u64().unwrap();
    let edit = json!({"comment_id": id, "kind": "review", "action": "update", "body": "Said anew."});
    let text = site.call("edit_comment", edit).await;
    assert!(text.starts_with("Edited ") && text.contains("Said anew."), "{text}");
    assert_eq!(site.sandbox.of_repo(&format!("pulls/comments/{id}")).await["body"], "Said anew.");
    site.call("edit_comment", json!({"comment_id": id, "kind": "review", "action": "delete"})).await;
    let path = format!("repos/harbor-example/import-api/pulls/comments/{id}");
    assert_eq!(site.sandbox.try_get(&path).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_review_comments_on_whole_files_too() {
    let site = site_in_repo().await;
    let files = site.sandbox.of_repo("pulls/487/files").await;
    let path = files[0]["filename"].as_str().unwrap();
    let review = |event: &str| json!({"number": 487, "event": event, "comments": [{"path": path, "body": "Split this file."}]});
    let before = site.sandbox.of_repo("pulls/487/reviews").await.as_array().unwrap().len();
    let text = site.call("review_pr", review("comment")).await;
    assert!(text.contains(&format!("on the file {path}")), "{text}");
    let comments = site.sandbox.of_repo("pulls/487/comments").await;
    let made = comments.as_array().unwrap().iter().find(|one| one["body"] == "Split this file.").unwrap();
    assert_eq!(made["subject_type"], "file");
    let text = site.call("review_pr", review("approve")).await;
    assert!(text.contains("approved") && text.contains(&format!("on the file {path}")), "{text}");
    assert!(site.sandbox.of_repo("pulls/487/reviews").await.as_array().unwrap().len() > before);
    let refused = site.refused("review_pr", review("pending")).await;
    assert!(refused.contains("published at once"), "{refused}");
    let odd =
        json!({"number": 487, "event": "comment", "comments": [{"path": path, "side": "LEFT", "body": "x"}]});
    assert!(site.refused("review_pr", odd).await.contains("go with `line`"));
}

#[tokio::test(start_paused = true)]
async fn a_merged_pull_request_is_reverted_by_another() {
    let site = site_in_repo().await;
    let number = pull(&site).await;
    let revert = json!({"number": number, "set": "revert"});
    assert!(site.refused("update_pr", revert.clone()).await.contains("is not merged"));
    site.call("merge_pr", json!({"number": number, "method": "squash"})).await;
    let mut dry = revert.clone();
    dry["dry_run"] = json!(true);
    let preview = site.reply("update_pr", dry).await;
    assert!(preview.contains("title \"Revert \"Two files\"\""), "{preview}");
    assert!(preview.contains(&format!("revert-{number}-{BRANCH} -> {FREE}")), "{preview}");
    let text = site.call("update_pr", revert.clone()).await;
    assert!(text.starts_with("Opened ") && text.contains(&format!("reverts #{number}")), "{text}");
    let made: u64 = text.split("import-api#").nth(1).unwrap().split(':').next().unwrap().parse().unwrap();
    let refused = site.refused("update_pr", revert).await;
    assert!(refused.contains(&format!("#{made} is open already")), "{refused}");
    site.call("merge_pr", json!({"number": made, "method": "squash"})).await;
    let gone =
        site.sandbox.try_get(&format!("repos/harbor-example/import-api/contents/one.md?ref={FREE}")).await;
    assert_eq!(gone.0, 404);
}
