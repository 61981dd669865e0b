//! Runs, logs and starting workflows, over the sandbox.

use std::{collections::BTreeMap, time::Duration};

use crate::support::{
    reply::{confirm, cursor},
    server::{Setup, site, with_repo},
};
use connector::sandbox::Action;
use serde_json::{Value, json};
use tokio::time::Instant;

const RUNS: &str = "GET /repos/{owner}/{repo}/actions/runs";
const RUN: &str = "GET /repos/{owner}/{repo}/actions/runs/{run_id}";
const LOGS: &str = "GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs";
const DISPATCH: &str = "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches";
const RERUN: &str = "POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun";
const CANCEL: &str = "POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel";

#[tokio::test(start_paused = true)]
async fn runs_are_listed_newest_first_one_request_a_page() {
    let site = site().await;
    let pages = site.pages("list_runs", with_repo(json!({"limit": 7}))).await;
    let words = pages.iter().flat_map(|page| page.lines()).filter_map(|line| line.split(' ').next());
    let ids = words.filter_map(|word| word.parse::<u64>().ok());
    let seen: Vec<_> = ids.filter(|id| *id > 90_000).collect();
    let mut once = seen.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!((seen[0], seen.len(), once.len()), (90045, 26, 26), "{seen:?}");
    assert_eq!((pages.len(), site.sent(RUNS)), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn runs_are_narrowed_by_what_people_call_things() {
    let site = site().await;
    let nightly = site
        .reply("list_runs", with_repo(json!({"workflow": "nightly import check", "status": "failed"})))
        .await;
    assert!(
        nightly.contains("90041 Nightly import check failure") && !nightly.contains("success"),
        "{nightly}"
    );
    let file = site.reply("list_runs", with_repo(json!({"workflow": ".github/workflows/deploy.yml"}))).await;
    assert!(file.contains("90044 Deploy success, v2.14.0"), "{file}");
    let branch = site
        .reply("list_runs", with_repo(json!({"branch": "tomas/eng-31-progress", "actor": "@tomas"})))
        .await;
    assert!(branch.contains("90043 CI failure"), "{branch}");
    let sha = branch.split("tomas/eng-31-progress ").nth(1).unwrap()[..12].to_owned();
    let by_sha = site.reply("list_runs", with_repo(json!({"head_sha": sha}))).await;
    assert!(by_sha.contains("90043 CI failure") && !by_sha.contains("90042"), "{by_sha}");
    let unknown = site.reply("list_runs", with_repo(json!({"workflow": "Nightly"}))).await;
    assert!(
        unknown.starts_with("ERROR not_found") && unknown.contains("Nightly import check (nightly.yml)"),
        "{unknown}"
    );
    let status = site.reply("list_runs", with_repo(json!({"status": "broken"}))).await;
    assert!(status.starts_with("ERROR invalid_argument") && status.contains("timed_out"), "{status}");
}

#[tokio::test(start_paused = true)]
async fn workflows_are_listed_with_their_files() {
    let site = site().await;
    let text = site.reply("list_runs", with_repo(json!({"kind": "workflows"}))).await;
    assert!(text.contains("7002 Deploy (deploy.yml), active"), "{text}");
    assert!(text.contains("7003 Nightly import check (nightly.yml), disabled manually"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_run_shows_what_failed_first() {
    let site = site().await;
    let include = ["jobs", "annotations", "artifacts"];
    let text = site.reply("get_run", with_repo(json!({"run_id": 90043, "include": include}))).await;
    let header = text.lines().next().unwrap();
    assert!(
        header.starts_with("Run 90043 CI: failure, pull_request on tomas/eng-31-progress ")
            && header.contains("(#485)")
    );
    let jobs: Vec<_> = text.lines().filter(|line| line.starts_with("9104")).collect();
    assert!(
        jobs[0].starts_with("910433 test (stable): failure, 1m10s; failed step 4 \"cargo test\""),
        "{text}"
    );
    assert!(text.contains("910433 failure src/progress.rs:32 assertion `left == right` failed"), "{text}");
    assert!(text.contains("61043 test-report, 1 kB, kept until "), "{text}");
    assert!(text.contains("get_job_logs with run_id 90043"), "{text}");
    let fenced = text.split("</data").next().unwrap();
    assert!(fenced.contains("cargo test") && fenced.contains("left == right"), "what others wrote is fenced");
    let absent = site.reply("get_run", with_repo(json!({"run_id": 1}))).await;
    assert!(absent.starts_with("ERROR not_found") && absent.contains("list_runs gives the ids"), "{absent}");
}

#[tokio::test(start_paused = true)]
async fn the_data_of_a_run_is_its_schema_s() {
    let site = Setup::new().structured(true).start().await;
    let data = site.data("get_run", with_repo(json!({"run_id": 90043}))).await;
    assert_eq!(
        (data["conclusion"].as_str(), data["jobs"][0]["failed_step"].as_str()),
        (Some("failure"), Some("cargo test"))
    );
    let data = site.data("list_runs", with_repo(json!({"limit": 2}))).await;
    assert_eq!(data["items"][0]["id"], "90045");
    let data = site.data("get_job_logs", with_repo(json!({"job_id": 910433, "tail": 3}))).await;
    assert_eq!(data["items"].as_array().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_run_and_tells_how_far_it_is() {
    let site = site().await;
    // The run takes 90 seconds from the start of the fake.
    let began = Instant::now();
    let (text, heard) = site.heard("get_run", with_repo(json!({"run_id": 90045, "wait_seconds": 50}))).await;
    assert!(text.contains("Still in_progress after 50 s of waiting"), "{text}");
    assert_eq!(began.elapsed().as_secs(), 50);
    assert!(
        heard.len() >= 8
            && (heard[0].done, heard[0].total) == (0, Some(50))
            && heard[0].message.starts_with("run 90045 is queued"),
        "{heard:?}"
    );
    let (text, _) = site.heard("get_run", with_repo(json!({"run_id": 90045, "wait_seconds": 50}))).await;
    assert!(text.starts_with("Run 90045 CI: success"), "{text}");
    assert!(!text.contains("Still"), "{text}");
    assert!(began.elapsed() < Duration::from_secs(100), "it answers as soon as the run is over");
    let (text, heard) = site.heard("get_run", with_repo(json!({"run_id": 90045, "wait_seconds": 600}))).await;
    assert!(heard.is_empty() && text.contains("wait_seconds was taken as 50"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_log_ends_with_what_failed_and_goes_back_by_cursor() {
    let site = site().await;
    let text = site.reply("get_job_logs", with_repo(json!({"run_id": 90043, "tail": 10}))).await;
    assert!(text.contains("910433 test (stable)") && text.contains("failed step 4 \"cargo test\""), "{text}");
    let rows: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(rows[rows.len() - 2], "error: Process completed with exit code 101.", "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains("Z error"), "no colours, no times");
    let earlier = with_repo(json!({"run_id": 90043, "tail": 10, "cursor": cursor(&text).unwrap()}));
    let earlier = site.reply("get_job_logs", earlier).await;
    let lines = |text: &str| {
        let (_, rest) = text.split_once("; lines ").unwrap();
        let (from, rest) = rest.split_once('-').unwrap();
        let to = rest.split(' ').next().unwrap();
        (from.parse::<usize>().unwrap(), to.parse::<usize>().unwrap())
    };
    assert_eq!(lines(&earlier).1 + 1, lines(&text).0, "{earlier}\n{text}");
}

#[tokio::test(start_paused = true)]
async fn a_log_is_searched_by_job_name_with_lines_around_and_numbers() {
    let site = site().await;
    let find =
        |pattern: &str| with_repo(json!({"run_id": 90043, "job": "Stable", "grep": pattern, "context": 1}));
    let text = site.reply("get_job_logs", find("percent_is_rounded_down .*FAILED")).await;
    let (_, rows) = text.split_once("<data").unwrap();
    let hit = rows.lines().find(|line| line.contains("FAILED")).unwrap();
    let number: usize = hit.split(':').next().unwrap().parse().unwrap();
    assert!(
        rows.contains(&format!("{}- ", number - 1)) && rows.contains(&format!("{}- ", number + 1)),
        "{text}"
    );
    assert!(
        text.starts_with("In harbor-example/import-api:\n3 lines (job 910433")
            && text.contains("1 match in 1,530 lines"),
        "{text}"
    );
    let none = site.reply("get_job_logs", find("no such words")).await;
    assert!(none.starts_with("No lines") && none.contains("0 matches"), "{none}");
    // Who looks for it in small letters finds what the log has in capitals, and not the other way round.
    let small = site.reply("get_job_logs", find("percent_is_rounded_down .*failed")).await;
    assert!(small.contains("1 match in 1,530 lines"), "{small}");
    let capital = site.reply("get_job_logs", find("PERCENT_is_rounded_down")).await;
    assert!(capital.starts_with("No lines"), "{capital}");
    let bad = site.reply("get_job_logs", find("(")).await;
    assert!(bad.starts_with("ERROR invalid_argument: `grep` is not a valid regular expression"), "{bad}");
}

#[tokio::test(start_paused = true)]
async fn a_whole_log_is_read_by_cursor_without_a_gap() {
    let site = site().await;
    let all = with_repo(json!({"job_id": 910433, "grep": ".", "context": 0, "tail": 400}));
    let mut numbers = Vec::new();
    for text in site.pages("get_job_logs", all).await {
        numbers.extend(text.lines().filter_map(|line| line.split(": ").next()?.parse::<usize>().ok()));
    }
    assert!(numbers.is_sorted_by(|a, b| a < b) && numbers.len() > 1_400, "{} lines", numbers.len());
    assert_eq!((numbers[0], *numbers.last().unwrap()), (1, 1_530));
}

#[tokio::test(start_paused = true)]
async fn a_small_reply_loses_no_line_of_a_log() {
    let site = Setup::new().budget(1_500).start().await;
    let text = site.reply("get_job_logs", with_repo(json!({"job_id": 910433, "tail": 100}))).await;
    assert!(text.contains("cut to fit; the rest: cursor"), "{text}");
    let rest = with_repo(json!({"job_id": 910433, "tail": 100, "cursor": cursor(&text).unwrap()}));
    let rest = site.reply("get_job_logs", rest).await;
    assert!(!rest.starts_with("ERROR") && rest.contains("lines "), "{rest}");
}

#[tokio::test(start_paused = true)]
async fn a_log_is_fetched_from_the_storage_without_the_token() {
    let site = site().await;
    let text = site.reply("get_job_logs", with_repo(json!({"job_id": 910433, "tail": 2}))).await;
    assert!(text.contains("exit code 101"), "{text}");
    let asked = site.harness().journal().of(LOGS);
    assert!(asked[0].credential.is_some(), "GitHub itself is shown the token");
    let seen = site.sandbox.get("_github/storage").await;
    let seen = seen["requests"].as_array().unwrap();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0]["path"].as_str().unwrap().contains("910433"));
    let headers = seen[0]["headers"].as_object().unwrap();
    assert!(!headers.contains_key("authorization") && !headers.contains_key("cookie"), "{headers:?}");
    let all = seen[0].to_string();
    assert!(!all.contains("github_pat_"), "the token is nowhere in what the storage was sent");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_not_there_says_why() {
    let site = site().await;
    let (text, _) = site.heard("get_job_logs", with_repo(json!({"run_id": 90045, "job": "build"}))).await;
    assert!(text.starts_with("ERROR not_found") && text.contains("its log comes when it is over"), "{text}");
    assert!(site.reply("get_job_logs", with_repo(json!({"run_id": 90045}))).await.contains("it is not over"));
    let good = site.reply("get_job_logs", with_repo(json!({"run_id": 90042}))).await;
    assert!(
        good.starts_with("In harbor-example/import-api:\nNo job of run 90042 failed.")
            && good.contains("build: success"),
        "{good}"
    );
    for code in [404, 410] {
        site.fault(LOGS, Action::status(code));
        let gone = site.reply("get_job_logs", with_repo(json!({"job_id": 910433}))).await;
        assert!(gone.starts_with("ERROR not_found") && gone.contains("retention period"), "{code}: {gone}");
    }
    assert!(site.reply("get_job_logs", with_repo(json!({"job_id": 5}))).await.contains("has no job 5"));
    assert!(site.reply("get_job_logs", with_repo(json!({}))).await.contains("Give `run_id` or `job_id`"));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_too_long_is_said_to_be() {
    let site = site().await;
    site.fault(LOGS, Action::Oversized { bytes: 33 * 1024 * 1024 });
    let text = site.reply("get_job_logs", with_repo(json!({"job_id": 910433}))).await;
    assert!(text.starts_with("ERROR upstream: The log of job 910433 is longer than 32 MB"), "{text}");
    assert!(text.contains("include annotations") && text.contains("https://github.com/"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn starting_a_workflow_asks_then_tells_its_run() {
    let site = site().await;
    let before = site.sandbox.dump();
    let start = with_repo(json!({
        "action": "dispatch", "workflow": "Deploy", "ref": "main",
        "inputs": {"environment": "staging", "version": "v2.14.0"},
    }));
    let question = site.first_call("run_workflow", start.clone()).await;
    assert!(
        question.contains("Start Deploy (deploy.yml) of harbor-example/import-api at main"),
        "{question}"
    );
    assert!(question.contains("- environment = staging"), "{question}");
    assert_eq!((site.sent(DISPATCH), site.sandbox.dump() == before), (0, true), "a question changes nothing");
    let mut agreed = start;
    agreed["confirm"] = json!(confirm(&question));
    let text = site.reply("run_workflow", agreed).await;
    assert!(
        text.starts_with("Started Deploy (deploy.yml) of harbor-example/import-api at main: run "),
        "{text}"
    );
    let run: u64 = text.split(": run ").nth(1).unwrap().split('.').next().unwrap().parse().unwrap();
    assert!(text.contains(&format!("/harbor-example/import-api/actions/runs/{run}")), "{text}");
    let listed = site.reply("list_runs", with_repo(json!({"workflow": "deploy.yml", "limit": 1}))).await;
    assert!(listed.contains(&format!("{run} Deploy queued, main")), "{listed}");
}

#[tokio::test(start_paused = true)]
async fn inputs_are_checked_against_the_workflow_s_file() {
    let site = site().await;
    let start =
        |inputs: Value| with_repo(json!({"action": "dispatch", "workflow": "deploy.yml", "inputs": inputs}));
    for (inputs, says) in [
        (json!({"environment": "moon", "version": "v1"}), "one of staging, production"),
        (json!({"environment": "staging"}), "version"),
        (json!({"enviroment": "staging", "version": "v1"}), "Did you mean `environment`?"),
    ] {
        let text = site.reply("run_workflow", start(inputs)).await;
        assert!(text.starts_with("ERROR invalid_argument") && text.contains(says), "{text}");
    }
    let disabled =
        site.reply("run_workflow", with_repo(json!({"action": "dispatch", "workflow": "nightly.yml"}))).await;
    assert!(disabled.starts_with("ERROR conflict") && disabled.contains("disabled manually"), "{disabled}");
    let by_hand =
        site.reply("run_workflow", with_repo(json!({"action": "dispatch", "workflow": "CI"}))).await;
    assert!(by_hand.contains("has no workflow_dispatch trigger"), "{by_hand}");
    let no_ref =
        with_repo(json!({"action": "dispatch", "workflow": "deploy.yml", "ref": "nowhere", "inputs": {}}));
    assert!(site.reply("run_workflow", no_ref).await.starts_with("ERROR not_found"));
    assert_eq!(site.sent(DISPATCH), 0, "nothing was sent");
}

#[tokio::test(start_paused = true)]
async fn a_github_that_does_not_name_the_run_is_looked_through_for_it() {
    let site = site().await;
    // Before 2026-03-10 a dispatch answered 204 with nothing (docs.github.com, "Breaking changes").
    let empty = Action::Status { code: 204, headers: BTreeMap::new(), body: String::new(), committed: true };
    site.fault(DISPATCH, empty);
    let start = with_repo(json!({
        "action": "dispatch", "workflow": "deploy.yml", "inputs": {"environment": "staging", "version": "v2.14.0"},
    }));
    let text = site.reply("run_workflow", start).await;
    assert!(text.contains(" at main: run "), "{text}");
    assert_eq!(site.sent(DISPATCH), 1);
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_answer_is_lost_is_never_repeated() {
    let site = site().await;
    site.fault(DISPATCH, Action::CloseAfter);
    let start = with_repo(json!({
        "action": "dispatch", "workflow": "deploy.yml", "inputs": {"environment": "staging", "version": "v2.14.0"},
    }));
    let text = site.reply("run_workflow", start).await;
    assert!(text.starts_with("ERROR unknown_outcome"), "{text}");
    assert!(text.contains("list_runs (workflow deploy.yml, event workflow_dispatch)"), "{text}");
    assert_eq!(site.sent(DISPATCH), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_is_run_again_and_its_attempt_read_back() {
    let site = site().await;
    let dry = site
        .reply("run_workflow", with_repo(json!({"action": "rerun", "run_id": 90043, "dry_run": true})))
        .await;
    assert!(
        dry.contains("Rerun all jobs of the run 90043 CI (failure)") && dry.contains("attempt 1 → 2"),
        "{dry}"
    );
    assert_eq!(site.sent(RERUN), 0);
    let text = site.reply("run_workflow", with_repo(json!({"action": "rerun", "run_id": 90043}))).await;
    assert!(text.contains("Rerunning all jobs of run 90043: attempt 2."), "{text}");
    let again = site.reply("run_workflow", with_repo(json!({"action": "rerun", "run_id": 90043}))).await;
    assert!(again.starts_with("ERROR conflict") && again.contains("is not over"), "{again}");
    let failed =
        site.reply("run_workflow", with_repo(json!({"action": "rerun_failed", "run_id": 90041}))).await;
    assert!(failed.contains("Rerunning the failed jobs of run 90041: attempt 2."), "{failed}");
    let nothing =
        site.reply("run_workflow", with_repo(json!({"action": "rerun_failed", "run_id": 90042}))).await;
    assert!(
        nothing.starts_with("In harbor-example/import-api:\nNothing to rerun: no job failed"),
        "{nothing}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rerun_whose_answer_is_lost_is_found_by_its_attempt() {
    let site = site().await;
    site.fault(RERUN, Action::CloseAfter);
    let text = site.reply("run_workflow", with_repo(json!({"action": "rerun", "run_id": 90043}))).await;
    assert!(text.contains("attempt 2.") && text.contains("answer was lost"), "{text}");
    site.fault(RERUN, Action::status(502));
    let lost = site.reply("run_workflow", with_repo(json!({"action": "rerun", "run_id": 90042}))).await;
    assert!(lost.starts_with("ERROR unknown_outcome") && lost.contains("has a new attempt"), "{lost}");
    assert_eq!(site.sent(RERUN), 2);
}

#[tokio::test(start_paused = true)]
async fn a_run_is_cancelled_once() {
    let site = site().await;
    let stop = |run: u64| with_repo(json!({"action": "cancel", "run_id": run}));
    let over = site.reply("run_workflow", stop(90042)).await;
    assert!(
        over.starts_with("In harbor-example/import-api:\nNothing to cancel: the run 90042 CI (success)"),
        "{over}"
    );
    let text = site.reply("run_workflow", stop(90045)).await;
    assert!(text.contains("Run 90045 is cancelled") || text.contains("is cancelling run 90045"), "{text}");
    assert_eq!(site.sent(CANCEL), 1);
    site.sandbox.pass(120);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(
        site.reply("get_run", with_repo(json!({"run_id": 90045})))
            .await
            .starts_with("Run 90045 CI: cancelled")
    );
}

#[tokio::test(start_paused = true)]
async fn arguments_of_the_other_actions_are_refused() {
    let site = site().await;
    for (arguments, says) in [
        (json!({"action": "dispatch", "run_id": 90043}), "`run_id` is for rerun"),
        (json!({"action": "dispatch"}), "dispatch needs `workflow`"),
        (json!({"action": "rerun"}), "need `run_id`"),
        (json!({"action": "cancel", "run_id": 90045, "ref": "main"}), "are for dispatch"),
        (json!({"action": "stop", "run_id": 90045}), "cancel"),
    ] {
        let text = site.reply("run_workflow", with_repo(arguments)).await;
        assert!(text.starts_with("ERROR invalid_argument") && text.contains(says), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_written_is_refused_before_it_is_previewed() {
    let site = Setup::new().list("allow-write-repos", &["harbor-example/docs"]).start().await;
    let text = site
        .reply("run_workflow", with_repo(json!({"action": "rerun", "run_id": 90043, "dry_run": true})))
        .await;
    assert!(text.starts_with("ERROR policy"), "{text}");
    assert_eq!(site.sent(RUN), 0);
}
