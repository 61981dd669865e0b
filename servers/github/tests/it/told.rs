//! What a reply must say so that whoever has only the list of tools believes nothing wrong, and needs no second
//! call for it: each line is one that somebody tripped over.

use serde_json::json;

use crate::support::{
    REPO,
    server::{site, site_in_repo, with_repo},
};

#[tokio::test]
async fn whoami_says_what_lists_the_repositories() {
    let site = site().await;
    let text = site.reply("whoami", json!({})).await;
    assert!(text.contains("every repository that the credential sees. list_repos lists them."), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_draft_release_is_changed_and_stays_a_draft() {
    let site = site_in_repo().await;
    let lines = "Progress of an import job.\nPreview of an upload.";
    let arguments = json!({"tag": "v2.15.0", "draft": true, "body": lines});
    let mut dry = arguments.clone();
    dry["dry_run"] = json!(true);
    let preview = site.reply("create_release", dry).await;
    assert!(
        preview.contains("it stays a draft") && preview.contains("+\"Preview of an upload.\""),
        "{preview}"
    );
    let before = site.sandbox.of_repo("releases").await;
    // Words that are added take nothing away, so nobody is asked.
    assert!(!site.asks("create_release", arguments.clone()).await);
    let after = site.sandbox.of_repo("releases").await;
    assert_eq!(before.as_array().unwrap().len(), after.as_array().unwrap().len());
    let draft = |all: &serde_json::Value| {
        let found = all.as_array().unwrap().iter().find(|release| release["tag_name"] == "v2.15.0");
        found.unwrap().clone()
    };
    let (was, is) = (draft(&before), draft(&after));
    assert_eq!((&is["id"], &is["draft"], &is["body"]), (&was["id"], &json!(true), &json!(lines)));
    let text = site.reply("create_release", arguments).await;
    assert!(text.starts_with("Nothing to change: the draft v2.15.0"), "{text}");
    let more = json!({"tag": "v2.15.0", "draft": true, "name": "Progress", "prerelease": true,
        "target": "release/2.14"});
    let text = site.call("create_release", more).await;
    for words in [
        "it is still a draft",
        "name v2.15.0 → Progress",
        "prerelease no → yes",
        "target main → release/2.14",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let is = draft(&site.sandbox.of_repo("releases").await);
    assert_eq!((&is["draft"], &is["target_commitish"]), (&json!(true), &json!("release/2.14")));
    // What takes words away is asked about.
    let other = json!({"tag": "v2.15.0", "draft": true, "body": "Something else."});
    let question = site.question("create_release", other).await.expect("a text is replaced");
    assert!(question.contains("−\"Progress of an import job.\""), "{question}");
}

#[tokio::test(start_paused = true)]
async fn a_published_release_is_told_from_a_draft() {
    let site = site_in_repo().await;
    let refused = site.refused("create_release", json!({"tag": "v2.14.0", "draft": true, "body": "x"})).await;
    assert!(refused.contains("a release of v2.14.0 already, which is published"), "{refused}");
    assert!(refused.contains("/releases/tag/v2.14.0"), "{refused}");
    let question = site.question("create_release", json!({"tag": "v2.15.0", "body": "Other."})).await;
    let question = question.expect("publishing asks");
    assert!(question.contains("notes: −\"Progress of an import job.\" +\"Other.\""), "{question}");
}

#[tokio::test]
async fn a_listing_of_releases_shows_how_the_notes_of_a_draft_begin() {
    let site = site_in_repo().await;
    let text = site.reply("list_releases", json!({})).await;
    let row = text.lines().find(|line| line.starts_with("v2.15.0 ")).unwrap();
    assert!(row.ends_with(" draft; notes: Progress of an import job."), "{row}");
    assert_eq!(text.matches("notes: ").count(), 1, "{text}");
}

#[tokio::test]
async fn who_requested_changes_and_every_obstacle_are_named_in_one_form() {
    let site = site_in_repo().await;
    let line = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("cannot be merged yet: "));
        line.unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    let text = line(&site.reply("get_pr", json!({"number": 485})).await);
    // Jonas has commented only.
    assert!(text.contains("@priya requested changes; ") && !text.contains("@jonas"), "{text}");
    let refused = site.refused("merge_pr", json!({"number": 485})).await;
    assert!(refused.contains("@priya requested changes; "), "{refused}");
    let text = line(&site.reply("get_pr", json!({"number": 488})).await);
    assert_eq!(text, "cannot be merged yet: it conflicts with main; a review with approval is required");
    let refused = site.refused("merge_pr", json!({"number": 488})).await;
    assert!(refused.contains("conflicts with main") && refused.contains("approval is required"), "{refused}");
    let text = line(&site.reply("get_pr", json!({"number": 486})).await);
    assert!(text.contains("it is a draft; ") && text.ends_with("(no conflicts)"), "{text}");
}

#[tokio::test]
async fn threads_block_where_the_rules_say_so() {
    let site = site_in_repo().await;
    let rules = site.sandbox.of_repo("branches/main/protection").await;
    let demanded = rules["required_conversation_resolution"]["enabled"].as_bool().unwrap();
    let text = site.reply("get_pr", json!({"number": 485})).await;
    let words = if demanded { ", which the rules demand" } else { ", which may block it" };
    assert!(text.contains(&format!("3 review threads are not resolved{words}")), "{text}");
}

#[tokio::test]
async fn a_merged_pull_request_has_its_time_once_and_a_failing_check_its_job() {
    let site = site_in_repo().await;
    let text = site.reply("list_prs", json!({"state": "merged"})).await;
    let merged = site.sandbox.of_repo("pulls/468").await["merged_at"].as_str().unwrap().to_owned();
    let row = text.lines().find(|line| line.starts_with("#468 ")).unwrap();
    let minute = format!("{} {}Z", &merged[..10], &merged[11..16]);
    assert!(row.starts_with(&format!("#468 merged {minute} by @jonas")), "{row}");
    assert_eq!(row.matches(&merged[..10]).count(), 1, "{row}");
    let text = site.reply("list_prs", json!({})).await;
    let row = text.lines().find(|line| line.starts_with("#485 ")).unwrap();
    assert!(row.contains("test (stable) (run 90043 job 910433) failing"), "{row}");
}

#[tokio::test]
async fn tests_that_passed_and_packages_are_folded_in_a_log() {
    let site = site_in_repo().await;
    let text = site.reply("get_job_logs", json!({"job_id": 910433})).await;
    assert!(!text.contains(" ... ok"), "{text}");
    assert!(
        text.contains("lines of tests that passed folded]") && text.contains("percent_is_rounded"),
        "{text}"
    );
    // So are the packages before them.
    for fold in ["[99 lines of \"Downloaded …\" folded]", "[100 lines of \"Compiling …\" folded]"] {
        assert!(text.contains(fold), "{fold}: {text}");
    }
    // Who looks for one of them finds it.
    let text = site.reply("get_job_logs", json!({"job_id": 910433, "grep": "retries_229"})).await;
    assert!(text.contains("retries_229_times_with_one_key ... ok"), "{text}");
}

#[tokio::test]
async fn listings_of_the_default_branch_name_it() {
    let site = site_in_repo().await;
    let text = site.reply("list_commits", json!({"author": "priya"})).await;
    assert!(text.lines().next().unwrap().contains(&format!("of {REPO} at main")), "{text}");
    let text = site.reply("list_tree", json!({})).await;
    assert!(text.lines().next().unwrap().contains(&format!("of {REPO} at main (")), "{text}");
    let text = site.reply("search", json!({"kind": "code", "query": "imports"})).await;
    assert!(text.lines().next().unwrap().contains("of default branches only"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_reply_in_a_thread_may_name_any_comment_of_it_and_leaves_its_state() {
    let site = site_in_repo().await;
    let text = site.call("add_comment", json!({"number": 485, "body": "100.", "reply_to": 485_107})).await;
    assert!(text.contains("in the thread on src/progress.rs with @tomas's comment 485107"), "{text}");
    assert!(text.contains("the thread stays as it was: resolve_threads"), "{text}");
    let all = site.sandbox.of_repo("pulls/485/comments?per_page=100").await;
    let mine = all.as_array().unwrap().iter().find(|one| one["body"] == "100.").unwrap();
    assert_eq!(mine["in_reply_to_id"], 485_106, "GitHub takes replies to the first of a thread only");
}

#[tokio::test(start_paused = true)]
async fn an_issue_is_closed_as_completed_in_so_many_words() {
    let site = site().await;
    for (state, number) in [("completed", 442), ("closed", 448)] {
        let text = site.call("update_issue", with_repo(json!({"number": number, "state": state}))).await;
        assert!(text.contains("state open → closed (completed)"), "{text}");
        let issue = site.sandbox.of_repo(&format!("issues/{number}")).await;
        assert_eq!((&issue["state"], &issue["state_reason"]), (&json!("closed"), &json!("completed")));
        let text = site.reply("update_issue", with_repo(json!({"number": number, "state": state}))).await;
        assert!(text.starts_with("Nothing to change"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_merge_says_that_the_branch_stays() {
    let site = site_in_repo().await;
    let commit = json!({"branch": "maya/short", "from": "release/2.14", "message": "One",
        "changes": [{"path": "one.md", "content": "one\n"}]});
    let text = site.call("commit_files", commit).await;
    let from = site.sandbox.head("release/2.14").await;
    let begun = format!("the branch is new, begun at {} (release/2.14)", &from[..12]);
    assert!(text.contains(&begun), "{text}");
    let opened = json!({"title": "One", "head": "maya/short", "base": "release/2.14"});
    let text = site.call("create_pr", opened).await;
    let number: u64 = text.split("import-api#").nth(1).unwrap().split(':').next().unwrap().parse().unwrap();
    let preview = site.reply("merge_pr", json!({"number": number, "dry_run": true})).await;
    assert!(preview.contains("the branch maya/short stays"), "{preview}");
    let text = site.call("merge_pr", json!({"number": number})).await;
    assert!(text.starts_with("Merged ") && text.contains("the branch maya/short stays"), "{text}");
    site.sandbox.head("maya/short").await;
}

#[tokio::test]
async fn the_inbox_says_in_words_why_a_thread_is_in_it() {
    let site = site().await;
    let text = site.reply("list_notifications", json!({})).await;
    for words in ["your review was requested", "a workflow run that you triggered", "you were mentioned"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}
