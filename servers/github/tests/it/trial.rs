//! What misled somebody who had nothing but the list of tools: twenty tasks over the story, and what each
//! reply should have said.

use crate::support::{
    reply::numbers,
    server::{site, site_in_repo, with_repo},
};
use connector::sandbox::{Action, Change};
use serde_json::{Value, json};

/// Tasks 17 and 8: who opened a pull request is not who merged it.
#[tokio::test]
async fn who_opened_and_who_merged_are_told_apart() {
    let site = site_in_repo().await;
    let text = site.reply("get_pr", json!({"number": 468})).await;
    let first = text.lines().next().unwrap();
    assert!(first.contains("#468 merged, opened by @aiko, created "), "{first}");
    assert!(first.contains(", merged ") && first.contains(" by @jonas as "), "{first}");
    let text = site.reply("get_pr", json!({"number": 485})).await;
    assert!(text.lines().next().unwrap().contains("#485 open, by @tomas, created "), "{text}");
    let text = site.reply("search", json!({"kind": "prs", "query": "idempotent is:merged"})).await;
    let merged = site.sandbox.of_repo("pulls/482").await;
    let day = &merged["merged_at"].as_str().unwrap()[..10];
    assert!(text.contains(&format!("#482 merged {day}, opened by @tomas")), "{text}");
    let text = site.reply("get_issue", json!({"number": 471})).await;
    assert!(text.lines().next().unwrap().contains("#471 closed, opened by @priya"), "{text}");
}

/// Task 17: what went in since a day, with when and by whom, from one request.
#[tokio::test]
async fn what_was_merged_since_then_is_one_listing() {
    let site = site_in_repo().await;
    let text = site.reply("list_prs", json!({"merged_since": "7d"})).await;
    let found = numbers(&text);
    assert_eq!(site.requests(), 1);
    for number in [466, 468, 479, 482] {
        assert!(found.contains(&number), "{text}");
    }
    assert!(text.lines().next().unwrap().contains("merged since "), "{text}");
    let row = |number: u64| {
        let start = format!("#{number} merged ");
        text.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{number}: {text}"))
    };
    let merged = site.sandbox.of_repo("pulls/468").await;
    let day = &merged["merged_at"].as_str().unwrap()[..10];
    assert!(row(468).starts_with(&format!("#468 merged {day} ")), "{}", row(468));
    assert!(row(468).contains("Z by @jonas, "), "{}", row(468));
    assert!(row(468).contains(", opened by @aiko, "), "{}", row(468));
    // No older one is among them.
    let all = site.sandbox.of_repo("pulls?state=closed&per_page=100").await;
    let oldest = found.iter().map(|number| {
        let same = |pull: &&Value| pull["number"].as_u64() == Some(*number);
        all.as_array().unwrap().iter().find(same).unwrap()["merged_at"].as_str().unwrap().to_owned()
    });
    let since = text.split("merged since ").nth(1).unwrap();
    let since = since.split_once('Z').unwrap().0.replace(' ', "T");
    assert_eq!(since.len(), "2026-11-21T06:45".len(), "{text}");
    assert!(oldest.min().unwrap() >= since, "{text}");
    let error = site.refused("list_prs", json!({"merged_since": "7d", "state": "open"})).await;
    assert!(error.contains("`merged_since` finds merged ones"), "{error}");
}

/// Task 19: a workflow that was switched off can be switched on again.
#[tokio::test(start_paused = true)]
async fn a_workflow_is_enabled_and_disabled() {
    let site = site().await;
    let listed = site.reply("list_runs", with_repo(json!({"kind": "workflows"}))).await;
    assert!(listed.contains("run_workflow with action enable turns a disabled one on"), "{listed}");
    let nightly = |action: &str| with_repo(json!({"action": action, "workflow": "nightly.yml"}));
    let refused = site.refused("run_workflow", nightly("dispatch")).await;
    assert!(refused.contains("disabled manually") && refused.contains("action enable"), "{refused}");
    let mut dry = nightly("enable");
    dry["dry_run"] = json!(true);
    let text = site.reply("run_workflow", dry).await;
    assert!(text.contains("state disabled manually → active"), "{text}");
    let stands = || async { site.sandbox.of_repo("actions/workflows/7003").await["state"].clone() };
    assert_eq!(stands().await, "disabled_manually");
    let text = site.reply("run_workflow", nightly("enable")).await;
    assert!(text.starts_with("Enabled Nightly import check (nightly.yml) of "), "{text}");
    assert!(text.contains("/actions/workflows/nightly.yml"), "{text}");
    assert_eq!(stands().await, "active");
    let text = site.reply("run_workflow", nightly("enable")).await;
    assert!(text.starts_with("Nothing to do") && text.contains("is active"), "{text}");
    let text = site.reply("run_workflow", nightly("disable")).await;
    assert!(text.contains("state active → disabled manually"), "{text}");
    assert_eq!(stands().await, "disabled_manually");
    let mut wrong = nightly("enable");
    wrong["run_id"] = json!(90041);
    let refused = site.refused("run_workflow", wrong).await;
    assert!(refused.contains("enable and disable take `workflow` and nothing else"), "{refused}");
}

/// Task 13: no filter is blamed that left nothing out.
#[tokio::test]
async fn an_empty_listing_blames_no_filter_that_is_the_widest() {
    let site = site().await;
    let arguments = json!({"repo": "harbor-example/docs", "state": "all"});
    let text = site.reply("list_prs", arguments).await;
    assert!(text.contains("state all") && !text.contains("try it without"), "{text}");
}

/// Task 9: a line of the timeline names the other issue.
#[tokio::test]
async fn a_timeline_names_the_issue_at_the_other_end_of_a_link() {
    let site = site_in_repo().await;
    let text = site.reply("get_issue", json!({"number": 475, "include": ["timeline"]})).await;
    for words in ["marked it as blocked by #474", "set type Feature", "made it a part of #473"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let text = site.reply("get_issue", json!({"number": 473, "include": ["timeline"]})).await;
    for number in [474, 475, 476] {
        assert!(text.contains(&format!("added sub-issue #{number}")), "{number}: {text}");
    }
}

/// Task 15: what keeps a pull request from being merged is said where it is read.
#[tokio::test]
async fn get_pr_says_what_is_missing_for_a_merge() {
    let site = site_in_repo().await;
    let text = site.reply("get_pr", json!({"number": 487})).await;
    assert!(
        text.contains("cannot be merged yet: a review with approval is required (no conflicts)"),
        "{text}"
    );
    assert!(!text.contains("mergeable: yes"), "{text}");
    let text = site.reply("get_pr", json!({"number": 485})).await;
    let line = text.lines().find(|line| line.starts_with("cannot be merged yet: ")).unwrap();
    for words in ["@priya requested changes", "required checks failed: test (stable)"] {
        assert!(line.contains(words), "{line}");
    }
    let text = site.reply("get_pr", json!({"number": 488})).await;
    assert!(text.contains("cannot be merged yet: it conflicts with main; "), "{text}");
}

/// Task 6: what is counted in a milestone, and what is not shown.
#[tokio::test]
async fn a_milestone_says_what_is_open_and_closed_in_it() {
    let site = site().await;
    let text = site.reply("get_repo", with_repo(json!({"include": ["milestones"]}))).await;
    let all = site.sandbox.of_repo("milestones?state=all").await;
    let all = all.as_array().unwrap();
    let is = |state: &'static str| move |one: &&Value| one["state"] == state;
    let open = all.iter().find(|one| one["title"] == "v2.15").unwrap();
    let (left, done) = (&open["open_issues"], &open["closed_issues"]);
    assert_eq!(left, 11, "10 issues and #485");
    assert!(text.contains(&format!("{left} open and {done} closed issues and PRs")), "{text}");
    let closed = all.iter().filter(is("closed")).count();
    assert!(closed > 0 && text.contains(&format!("{closed} closed milestone")), "{text}");
    let shown = text.lines().filter(|line| line.starts_with('#')).count();
    assert_eq!(shown, all.len() - closed, "{text}");
}

/// Issue 11, line 5: checks beyond the first page count.
#[tokio::test]
async fn a_failing_check_beyond_the_first_page_is_counted() {
    let site = site_in_repo().await;
    let counts = json!([{"state": "SUCCESS", "count": 120}, {"state": "TIMED_OUT", "count": 1}]);
    let rollup = "/data/repository/pullRequest/statusCheckRollup/contexts";
    let changes = vec![
        Change::set(&format!("{rollup}/totalCount"), json!(121)),
        Change::set(&format!("{rollup}/checkRunCountsByState"), counts),
    ];
    site.fault("PullGet", Action::Patch { changes });
    let text = site.reply("get_pr", json!({"number": 487})).await;
    assert!(text.contains("checks: 120/121 passed, 1 failing, 0 running; not all failing ones"), "{text}");
}

/// And they are named: the next page is read where not every failing one has its name.
#[tokio::test]
async fn a_failing_check_beyond_the_first_page_is_named() {
    let site = site_in_repo().await;
    let counts = json!([{"state": "SUCCESS", "count": 120}, {"state": "TIMED_OUT", "count": 1}]);
    let rollup = "/data/repository/pullRequest/statusCheckRollup/contexts";
    let changes = vec![
        Change::set(&format!("{rollup}/totalCount"), json!(121)),
        Change::set(&format!("{rollup}/checkRunCountsByState"), counts),
        Change::set(&format!("{rollup}/pageInfo/hasNextPage"), json!(true)),
    ];
    site.fault("PullGet", Action::Patch { changes });
    let last = json!([{"__typename": "CheckRun", "databaseId": 910_777, "name": "the last one",
        "status": "COMPLETED", "conclusion": "TIMED_OUT", "checkSuite": {"workflowRun": {"databaseId": 90_077}}}]);
    site.fault("PullPulse", Action::patch(&format!("{rollup}/nodes"), last));
    let text = site.reply("get_pr", json!({"number": 487})).await;
    assert!(text.contains("failing: the last one: timed out, run 90077 job 910777"), "{text}");
    assert!(!text.contains("not all failing ones"), "{text}");
    assert_eq!((site.sent("PullGet"), site.sent("PullPulse")), (1, 1));
}
