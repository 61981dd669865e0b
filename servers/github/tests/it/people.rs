//! Who is meant, who did it, and who is told: oneself by `@me`, the one who ran something again, those who wrote with
//! somebody, those whom a text mentions.

use crate::support::server::{Setup, site_in_repo};
use serde_json::json;

#[tokio::test]
async fn me_is_whoever_calls_wherever_a_person_is_expected() {
    let site = Setup::in_repo().start().await;
    for me in ["@me", "me", "Me"] {
        let by_me = site.still("list_runs", json!({"actor": me})).await;
        assert_eq!(by_me, site.still("list_runs", json!({"actor": "maya"})).await, "{me}");
        assert!(by_me.lines().next().unwrap().contains("by @maya"), "{by_me}");
        let text = site.reply("list_repos", json!({"owner": me})).await;
        assert!(text.contains("of maya"), "{text}");
        let text = site.reply("list_gists", json!({"user": me})).await;
        assert!(text.contains("yours") && !text.contains("@me"), "{text}");
        let text = site.refused("list_project", json!({"owner": me, "number": 999})).await;
        assert!(!text.contains("`me`") && !text.contains("me/999"), "{text}");
        let new = json!({"name": "of-my-own", "org": me, "dry_run": true});
        let text = site.reply("create_repo", new).await;
        assert!(text.contains("maya/of-my-own"), "{text}");
    }
    assert!(site.sandbox.of_repo("pulls/485").await["requested_reviewers"].to_string().contains("\"maya\""));
    let text = site.reply("update_pr", json!({"number": 485, "remove_reviewers": ["@me"]})).await;
    assert!(text.starts_with("Changed ") && text.contains("reviewers"), "{text}");
    assert_eq!(site.sent("DELETE /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers"), 1);
    assert!(!site.sandbox.of_repo("pulls/485").await["requested_reviewers"].to_string().contains("\"maya\""));
}

#[tokio::test]
async fn who_ran_it_again_is_not_who_caused_it() {
    let site = site_in_repo().await;
    let text = site.reply("list_runs", json!({"actor": "tomas"})).await;
    let row = text.lines().find(|line| line.starts_with("90040 ")).unwrap();
    assert!(row.contains("pull_request by @tomas, run again by @priya, "), "{row}");
    assert!(
        text.lines().filter(|line| line.contains(" by @")).all(|line| line.contains(" by @tomas")),
        "{text}"
    );
    let text = site.reply("get_run", json!({"run_id": 90040})).await;
    assert!(text.contains(" by @tomas, run again by @priya, started "), "{text}");
    assert!(text.contains("It ran before: attempt 1."), "{text}");
}

#[tokio::test]
async fn an_earlier_attempt_of_a_run_is_read_by_its_number() {
    let site = site_in_repo().await;
    let text = site.reply("get_run", json!({"run_id": 90040, "attempt": 1})).await;
    let first = text.lines().next().unwrap();
    assert!(first.contains(": failure, attempt 1, ") && !first.contains("run again"), "{first}");
    let job = text.lines().find(|line| line.contains(" integration: failure")).unwrap();
    let id: u64 = job.split(' ').next().unwrap().parse().unwrap();
    let log = site.reply("get_job_logs", json!({"job_id": id})).await;
    assert!(log.contains(&id.to_string()) && !log.starts_with("ERROR"), "{log}");
    assert!(site.refused("get_run", json!({"run_id": 90040, "attempt": 9})).await.starts_with("not_found"));
}

#[tokio::test]
async fn who_wrote_a_commit_with_its_author_is_shown() {
    let site = site_in_repo().await;
    let text = site.reply("list_commits", json!({"limit": 100})).await;
    assert!(text.lines().any(|line| line.contains(" @tomas with Priya Raman: ")), "{text}");
}

/// GitHub notifies whom a text mentions, and says nothing of a name that is nobody's.
#[tokio::test(start_paused = true)]
async fn who_is_mentioned_is_looked_up_and_told_in_the_reply_too() {
    let site = site_in_repo().await;
    let body = "For @priya, @priyaa, @harbor-example/imports and @harbor-example/importers.";
    let told =
        "notifies @priya, @harbor-example/imports; nobody is called @priyaa, @harbor-example/importers";
    for (tool, arguments) in [
        ("create_issue", json!({"title": "T", "body": body})),
        ("add_comment", json!({"number": 490, "body": body})),
        ("update_issue", json!({"number": 476, "body": body})),
        ("create_pr", json!({"title": "T", "head": "feature/with-slash/and-more", "body": body})),
        ("write_discussion", json!({"action": "create", "title": "T", "body": body, "category": "Ideas"})),
    ] {
        let mut dry = arguments.clone();
        dry["dry_run"] = json!(true);
        let dry = site.reply(tool, dry).await;
        assert!(dry.contains(told), "{tool}: {dry}");
        let text = site.call(tool, arguments).await;
        assert!(text.contains(told), "{tool}: {text}");
    }
    let review = json!({"number": 487, "event": "comment", "body": "As @priya said."});
    let text = site.call("review_pr", review).await;
    assert!(text.contains("notifies, with all who follow it, ") && text.contains("@priya"), "{text}");
}

/// A login ends where no letter, digit or hyphen follows (github.com/gjtorikian/html-pipeline, `MentionFilter`).
#[tokio::test(start_paused = true)]
async fn a_name_with_a_dot_notifies_nobody_who_is_called_like_its_beginning() {
    let site = site_in_repo().await;
    for (body, told) in [("As @jonas.weber wrote.", false), ("As @jonas wrote.", true)] {
        let arguments = json!({"number": 490, "body": body});
        let mut dry = arguments.clone();
        dry["dry_run"] = json!(true);
        let dry = site.reply("add_comment", dry).await;
        let text = site.call("add_comment", arguments).await;
        assert!(text.starts_with("Commented on "), "{text}");
        for text in [dry, text] {
            assert_eq!(text.contains("notifies @jonas"), told, "{body}: {text}");
            assert_eq!(text.contains("@jonas"), told, "{body}: {text}");
        }
    }
}

#[tokio::test]
async fn a_listing_says_of_whom_and_since_when_it_is() {
    let site = site_in_repo().await;
    let text = site.reply("list_issues", json!({"assignee": "@me", "since": "2020-01-01"})).await;
    let first = text.lines().next().unwrap();
    assert!(first.contains("assigned to @maya, changed since 2020-01-01 00:00Z"), "{first}");
    let text = site.reply("list_issues", json!({"assignee": "None"})).await;
    assert!(text.lines().next().unwrap().contains("unassigned"), "{text}");
    let text = site.reply("list_prs", json!({"author": "@me", "state": "all"})).await;
    assert!(text.lines().next().unwrap().contains("by @maya"), "{text}");
}

#[tokio::test]
async fn an_empty_listing_hides_no_unknown_name() {
    let site = site_in_repo().await;
    for (tool, arguments) in [
        ("list_prs", json!({"labels": ["no-such-label"]})),
        ("list_prs", json!({"base": "no/such/branch"})),
        ("list_prs", json!({"author": "nobody-at-all"})),
        ("list_prs", json!({"review_requested": "nobody-at-all"})),
        ("list_runs", json!({"branch": "no/such/branch"})),
        ("list_runs", json!({"actor": "nobody-at-all"})),
        ("list_issues", json!({"type": "Bug", "labels": ["no-such-label"]})),
        ("list_issues", json!({"author": "nobody-at-all"})),
    ] {
        let refused = site.refused(tool, arguments.clone()).await;
        assert!(refused.starts_with("not_found: "), "{tool} {arguments}: {refused}");
    }
}

#[tokio::test]
async fn what_waits_says_so_and_who_is_at_it() {
    let site = site_in_repo().await;
    let text = site.reply("list_issues", json!({"state": "all", "limit": 100})).await;
    let row = text.lines().find(|line| line.starts_with("#475 ")).unwrap();
    assert!(row.contains("blocked by #474, "), "{row}");
    let text = site.reply("get_issue", json!({"number": 475, "include": ["dependencies"]})).await;
    let blocker = site.sandbox.of_repo("issues/474").await["assignees"][0]["login"].clone();
    let row = text.lines().find(|line| line.starts_with("#474 ")).unwrap();
    assert!(row.contains(&format!("to @{}", blocker.as_str().unwrap())), "{row}");
}

#[tokio::test]
async fn who_closed_it_is_told() {
    let site = site_in_repo().await;
    let closed = site.sandbox.of_repo("issues/471").await;
    let by = closed["closed_by"]["login"].as_str().unwrap();
    let text = site.reply("get_issue", json!({"number": 471})).await;
    let line = text.lines().find(|line| line.starts_with("created ")).unwrap();
    assert!(line.contains(", closed ") && line.contains(&format!(" by @{by}, ")), "{line}");
    site.call("update_pr", json!({"number": 488, "set": "close"})).await;
    let text = site.reply("get_pr", json!({"number": 488})).await;
    let first = text.lines().next().unwrap();
    assert!(first.split(", closed ").nth(1).unwrap().contains(" by @maya"), "{first}");
}
