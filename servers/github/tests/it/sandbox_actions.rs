//! Actions in the fake: runs that move with its clock, logs on a port of their own, checks and statuses.

use crate::support::{
    MAYA, REPO_PATH,
    fake::{Sandbox, column},
};
use reqwest::Method;
use serde_json::{Value, json};

/// The runs of a listing.
async fn runs(sandbox: &Sandbox, query: &str) -> Vec<Value> {
    column(&sandbox.get(&format!("{REPO_PATH}/actions/runs?{query}")).await["workflow_runs"], "id")
}

#[tokio::test(start_paused = true)]
async fn runs_are_listed_newest_first_and_by_what_they_are() {
    let sandbox = Sandbox::start().await;
    let all = sandbox.get(&format!("{REPO_PATH}/actions/runs?per_page=4")).await;
    assert_eq!(column(&all["workflow_runs"], "id"), [90_045, 90_044, 90_043, 90_020]);
    assert_eq!(all["total_count"], 26);
    assert_eq!(runs(&sandbox, "branch=tomas/eng-31-progress").await, [90_043]);
    assert_eq!(runs(&sandbox, "status=failure").await, [90_043, 90_041, 90_027]);
    assert_eq!(runs(&sandbox, "status=queued").await, [90_045]);
    assert_eq!(runs(&sandbox, "event=schedule&actor=JONAS&per_page=1").await, [90_041]);
    assert_eq!(runs(&sandbox, "actor=nobody").await, Vec::<Value>::new());
    let sha = sandbox.get(&format!("{REPO_PATH}/actions/runs/90043")).await["head_sha"].clone();
    assert_eq!(runs(&sandbox, &format!("head_sha={}", sha.as_str().unwrap())).await, [90_043]);
    let deploys = sandbox.get(&format!("{REPO_PATH}/actions/workflows/deploy.yml/runs")).await;
    assert_eq!(column(&deploys["workflow_runs"], "id"), [90_044, 90_033]);
    assert_eq!(deploys, sandbox.get(&format!("{REPO_PATH}/actions/workflows/7002/runs")).await);
    assert_eq!(sandbox.try_get(&format!("{REPO_PATH}/actions/workflows/no.yml/runs")).await.0, 404);
    let day = sandbox.get(&format!("{REPO_PATH}/actions/runs/90041")).await["created_at"].clone();
    let day = &day.as_str().unwrap()[..10];
    assert!(runs(&sandbox, &format!("created={day}")).await.contains(&json!(90_041)));
    assert!(!runs(&sandbox, &format!("created=%3E{day}")).await.contains(&json!(90_041)));
}

#[tokio::test(start_paused = true)]
async fn a_run_belongs_to_the_pull_request_whose_head_it_checked() {
    let sandbox = Sandbox::start().await;
    let run = sandbox.get(&format!("{REPO_PATH}/actions/runs/90043")).await;
    assert_eq!(run["pull_requests"][0]["number"], 485);
    assert_eq!((&run["name"], &run["path"]), (&json!("CI"), &json!(".github/workflows/ci.yml")));
    assert_eq!(run["head_commit"]["author"]["email"], "tomas@harbor.example");
    let run = sandbox.get(&format!("{REPO_PATH}/actions/runs/90043?exclude_pull_requests=true")).await;
    assert_eq!(run["pull_requests"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_run_moves_with_the_clock() {
    let sandbox = Sandbox::start().await;
    let state = async || {
        let run = sandbox.get(&format!("{REPO_PATH}/actions/runs/90045")).await;
        (run["status"].clone(), run["conclusion"].clone())
    };
    assert_eq!(state().await, (json!("queued"), Value::Null));
    sandbox.pass(30);
    assert_eq!(state().await, (json!("in_progress"), Value::Null));
    let jobs = sandbox.get(&format!("{REPO_PATH}/actions/runs/90045/jobs")).await;
    let test = &jobs["jobs"][2];
    assert_eq!((&test["name"], &test["status"]), (&json!("test (stable)"), &json!("in_progress")));
    assert_eq!(column(&test["steps"], "status")[..4], ["completed", "completed", "completed", "in_progress"]);
    assert_eq!(column(&test["steps"], "conclusion")[2..4], [json!("success"), Value::Null]);
    let logs = format!("{REPO_PATH}/actions/jobs/{}/logs", test["id"]);
    assert_eq!(sandbox.try_get(&logs).await.0, 404, "no log before the end");
    sandbox.pass(60);
    assert_eq!(state().await, (json!("completed"), json!("success")));
    assert_eq!(sandbox.try_get(&logs).await.0, 302);
}

#[tokio::test(start_paused = true)]
async fn the_failing_job_has_its_failing_step_and_a_long_log() {
    let sandbox = Sandbox::start().await;
    let jobs = sandbox.get(&format!("{REPO_PATH}/actions/runs/90043/jobs")).await;
    assert_eq!(column(&jobs["jobs"], "id"), [910_431, 910_432, 910_433, 910_434]);
    assert_eq!(column(&jobs["jobs"], "conclusion"), ["success", "success", "failure", "success"]);
    let step = &jobs["jobs"][2]["steps"][3];
    assert_eq!((&step["number"], &step["name"]), (&json!(4), &json!("cargo test")));
    assert_eq!(step["conclusion"], "failure");
    let log = log(&sandbox, 910_433).await;
    let lines: Vec<_> = log.lines().collect();
    assert!((1_400..1_700).contains(&lines.len()), "{}", lines.len());
    let error = lines.iter().position(|line| line.contains("##[error]")).unwrap();
    assert!(error > lines.len() - 20 && lines[error].ends_with("Process completed with exit code 101."));
    assert!(log.contains("progress::tests::percent_is_rounded_down stdout"));
    // Each line has its time (docs.github.com, "Using workflow run logs"), within its step's.
    let (from, to) = (step["started_at"].as_str().unwrap(), step["completed_at"].as_str().unwrap());
    let time = |line: &str| line.split_once(' ').unwrap().0.to_owned();
    assert!(time(lines[error]).as_str() > from && time(lines[error]).as_str() < to);
    assert!(lines.windows(2).skip(1).all(|pair| time(pair[0]) <= time(pair[1])));
}

/// The log of a job, fetched as a browser does: without a token at the second address.
async fn log(sandbox: &Sandbox, job: u64) -> String {
    let path = format!("{REPO_PATH}/actions/jobs/{job}/logs");
    let response = sandbox.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(response.status(), 302);
    let location = response.headers()["location"].to_str().unwrap();
    sandbox.client.get(location).send().await.unwrap().text().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn logs_lie_on_another_port_for_a_minute_and_want_no_token() {
    let sandbox = Sandbox::start().await;
    let path = format!("{REPO_PATH}/actions/jobs/910433/logs");
    let response = sandbox.request(Method::GET, &path).send().await.unwrap();
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.starts_with("http://127.0.0.1:"));
    assert!(!location.starts_with(sandbox.url.as_str()));
    let with = |token: bool| {
        let request = sandbox.client.get(&location);
        if token { request.bearer_auth(MAYA) } else { request }
    };
    assert_eq!(with(false).send().await.unwrap().status(), 200);
    assert_eq!(with(true).send().await.unwrap().status(), 400);
    let forged = location.replace("sig=", "sig=0");
    assert_eq!(sandbox.client.get(forged).send().await.unwrap().status(), 403);
    // "This URL expires after 1 minute" (docs.github.com, "Download job logs for a workflow run").
    sandbox.pass(61);
    assert_eq!(with(false).send().await.unwrap().status(), 403);
    let told = sandbox.get("_github/storage").await;
    let shown: Vec<_> = told["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| &request["headers"]["authorization"])
        .collect();
    assert_eq!(shown, [&Value::Null, &json!(format!("Bearer {MAYA}")), &Value::Null, &Value::Null]);
    assert_eq!(told["requests"][0]["path"], "/job-logs/910433.txt");
}

#[tokio::test(start_paused = true)]
async fn the_logs_of_a_run_and_its_artifacts_are_zip_files() {
    let sandbox = Sandbox::start().await;
    let fetch = async |path: &str| {
        let response = sandbox.request(Method::GET, &format!("{REPO_PATH}/{path}")).send().await.unwrap();
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        sandbox.client.get(location).send().await.unwrap().bytes().await.unwrap()
    };
    let logs = fetch("actions/runs/90043/logs").await;
    assert!(logs.starts_with(b"PK\x03\x04"));
    assert!(logs.windows(19).any(|part| part == b"2_test (stable).txt"));
    let artifacts = sandbox.get(&format!("{REPO_PATH}/actions/runs/90042/artifacts")).await;
    assert_eq!(column(&artifacts["artifacts"], "name"), ["coverage", "test-report"]);
    let file = fetch("actions/artifacts/61042/zip").await;
    assert_eq!(artifacts["artifacts"][1]["size_in_bytes"], file.len());
    assert!(file.windows(22).any(|part| part == b"1244 passed, 0 failed\n"));
    assert_eq!(sandbox.get(&format!("{REPO_PATH}/actions/artifacts?name=coverage")).await["total_count"], 1);
}

#[tokio::test(start_paused = true)]
async fn failed_jobs_run_again_as_another_attempt() {
    let sandbox = Sandbox::start().await;
    let again = format!("{REPO_PATH}/actions/runs/90043/rerun-failed-jobs");
    assert_eq!(sandbox.send(Method::POST, &again, json!({})).await, (201, json!({})));
    let run = sandbox.get(&format!("{REPO_PATH}/actions/runs/90043")).await;
    assert_eq!((&run["run_attempt"], &run["status"]), (&json!(2), &json!("in_progress")));
    assert!(run["previous_attempt_url"].as_str().unwrap().ends_with("/attempts/1"));
    assert_eq!(run["triggering_actor"]["login"], "maya");
    assert_eq!(sandbox.send(Method::POST, &again, json!({})).await.0, 403, "it is running");
    let jobs = sandbox.get(&format!("{REPO_PATH}/actions/runs/90043/jobs")).await;
    assert_eq!(column(&jobs["jobs"], "run_attempt"), [1, 1, 2, 1]);
    let all = sandbox.get(&format!("{REPO_PATH}/actions/runs/90043/jobs?filter=all")).await;
    assert_eq!(all["total_count"], 5);
    let first = sandbox.get(&format!("{REPO_PATH}/actions/runs/90043/attempts/1")).await;
    assert_eq!((&first["conclusion"], &first["run_attempt"]), (&json!("failure"), &json!(1)));
    let jobs = sandbox.get(&format!("{REPO_PATH}/actions/runs/90043/attempts/1/jobs")).await;
    assert_eq!(column(&jobs["jobs"], "id")[2], 910_433);
    sandbox.pass(100);
    let run = sandbox.get(&format!("{REPO_PATH}/actions/runs/90043")).await;
    assert_eq!(run["conclusion"], "failure", "the test is still wrong");
    let flaky = sandbox.get(&format!("{REPO_PATH}/actions/runs/90040")).await;
    assert_eq!((&flaky["run_attempt"], &flaky["conclusion"]), (&json!(2), &json!("success")));
    let fine = format!("{REPO_PATH}/actions/runs/90042/rerun-failed-jobs");
    assert_eq!(sandbox.send(Method::POST, &fine, json!({})).await.0, 403, "nothing failed");
    let one = format!("{REPO_PATH}/actions/jobs/910424/rerun");
    assert_eq!(sandbox.send(Method::POST, &one, json!({})).await.0, 201);
}

#[tokio::test(start_paused = true)]
async fn a_run_is_stopped_only_while_it_runs() {
    let sandbox = Sandbox::start().await;
    sandbox.pass(30);
    let cancel = format!("{REPO_PATH}/actions/runs/90045/cancel");
    assert_eq!(sandbox.send(Method::POST, &cancel, json!({})).await, (202, json!({})));
    let run = sandbox.get(&format!("{REPO_PATH}/actions/runs/90045")).await;
    assert_eq!((&run["status"], &run["conclusion"]), (&json!("completed"), &json!("cancelled")));
    let jobs = sandbox.get(&format!("{REPO_PATH}/actions/runs/90045/jobs")).await;
    let steps = column(&jobs["jobs"][2]["steps"], "conclusion");
    assert_eq!(steps[3..5], ["cancelled", "skipped"]);
    let (status, body) = sandbox.send(Method::POST, &cancel, json!({})).await;
    assert_eq!(
        (status, body["message"].as_str().unwrap()),
        (409, "Cannot cancel a workflow run that is completed.")
    );
}

#[tokio::test(start_paused = true)]
async fn a_dispatch_tells_its_run_by_the_newer_version_only() {
    let sandbox = Sandbox::start().await;
    let path = format!("{REPO_PATH}/actions/workflows/deploy.yml/dispatches");
    let body = json!({"ref": "main", "inputs": {"environment": "staging", "version": "v2.14.0"}});
    assert_eq!(sandbox.send(Method::POST, &path, body.clone()).await, (204, Value::Null));
    let asked = {
        let mut body = body.clone();
        body["return_run_details"] = json!(true);
        body
    };
    assert_eq!(sandbox.send(Method::POST, &path, asked).await.0, 200);
    let request = sandbox.request(Method::POST, &path).header("x-github-api-version", "2026-03-10");
    let told: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
    let id = told["workflow_run_id"].as_u64().unwrap();
    let run = sandbox.get(&format!("{REPO_PATH}/actions/runs/{id}")).await;
    assert_eq!((&run["event"], &run["status"]), (&json!("workflow_dispatch"), &json!("queued")));
    assert_eq!((&run["head_branch"], &run["actor"]["login"]), (&json!("main"), &json!("maya")));
    sandbox.pass(90);
    assert_eq!(sandbox.get(&format!("{REPO_PATH}/actions/runs/{id}")).await["conclusion"], "success");
}

#[tokio::test(start_paused = true)]
async fn a_dispatch_is_checked_against_the_workflow() {
    let sandbox = Sandbox::start().await;
    let refused = async |file: &str, body: Value| {
        let path = format!("{REPO_PATH}/actions/workflows/{file}/dispatches");
        let (status, body) = sandbox.send(Method::POST, &path, body).await;
        assert_eq!(status, 422);
        body["message"].as_str().unwrap().to_owned()
    };
    let inputs = |inputs: Value| json!({"ref": "main", "inputs": inputs});
    let deploy = "deploy.yml";
    assert!(refused("ci.yml", json!({"ref": "main"})).await.contains("'workflow_dispatch' trigger"));
    assert!(refused("nightly.yml", json!({"ref": "main"})).await.contains("disabled"));
    assert!(refused(deploy, json!({})).await.contains("\"ref\" wasn't supplied"));
    assert_eq!(refused(deploy, json!({"ref": "nope"})).await, "No ref found for: nope");
    let message =
        refused(deploy, inputs(json!({"environment": "staging", "version": "1", "speed": "fast"}))).await;
    assert_eq!(message, "Unexpected inputs provided: [\"speed\"]");
    assert_eq!(refused(deploy, inputs(json!({}))).await, "Required input 'environment' not provided");
    let message = refused(deploy, inputs(json!({"environment": "moon", "version": "1"}))).await;
    assert!(message.contains("not in the list of allowed values"), "{message}");
    let path = format!("{REPO_PATH}/actions/workflows/7003/enable");
    assert_eq!(sandbox.send(Method::PUT, &path, Value::Null).await.0, 204);
    let path = format!("{REPO_PATH}/actions/workflows/nightly.yml/dispatches");
    assert_eq!(sandbox.send(Method::POST, &path, json!({"ref": "main"})).await.0, 204);
}

#[tokio::test(start_paused = true)]
async fn checks_are_the_jobs_of_a_commit() {
    let sandbox = Sandbox::start().await;
    let commit = format!("{REPO_PATH}/commits/tomas%2Feng-31-progress");
    let checks = sandbox.get(&format!("{commit}/check-runs")).await;
    assert_eq!(checks["total_count"], 4);
    let failed = sandbox.get(&format!("{commit}/check-runs?check_name=test%20(stable)")).await;
    let failed = &failed["check_runs"][0];
    assert_eq!((&failed["id"], &failed["conclusion"]), (&json!(910_433), &json!("failure")));
    assert_eq!(failed["output"]["annotations_count"], 2);
    let notes = sandbox.get(&format!("{REPO_PATH}/check-runs/910433/annotations")).await;
    assert_eq!((&notes[0]["path"], &notes[0]["start_line"]), (&json!("src/progress.rs"), &json!(32)));
    // Where there is no status, the combined one is pending, whatever Actions say.
    let status = sandbox.get(&format!("{commit}/status")).await;
    assert_eq!((&status["state"], &status["total_count"]), (&json!("pending"), &json!(0)));
    let suites = sandbox.get(&format!("{commit}/check-suites")).await;
    assert_eq!(suites["check_suites"][0]["conclusion"], "failure");
    let suite = suites["check_suites"][0]["id"].as_u64().unwrap();
    let of_suite = sandbox.get(&format!("{REPO_PATH}/check-suites/{suite}/check-runs")).await;
    assert_eq!(of_suite["check_runs"], checks["check_runs"]);
    let (status, body) = sandbox.try_get(&format!("{REPO_PATH}/commits/nope/check-runs")).await;
    assert_eq!((status, body["message"].as_str().unwrap()), (422, "No commit found for SHA: nope"));
}

#[tokio::test(start_paused = true)]
async fn statuses_are_kept_and_the_newest_of_a_context_counts() {
    let sandbox = Sandbox::start().await;
    let sha = sandbox.get(&format!("{REPO_PATH}/actions/runs/90042")).await["head_sha"]
        .as_str()
        .unwrap()
        .to_owned();
    let combined = format!("{REPO_PATH}/commits/{sha}/status");
    let before = sandbox.get(&combined).await;
    assert_eq!((&before["state"], &before["total_count"]), (&json!("success"), &json!(2)));
    let body = json!({"state": "failure", "context": "security/scan", "description": "One finding"});
    let path = format!("{REPO_PATH}/statuses/{sha}");
    let (status, made) = sandbox.send(Method::POST, &path, body).await;
    assert_eq!((status, &made["creator"]["login"]), (201, &json!("maya")));
    let after = sandbox.get(&combined).await;
    assert_eq!((&after["state"], &after["total_count"]), (&json!("failure"), &json!(2)));
    let all = sandbox.get(&format!("{REPO_PATH}/commits/{sha}/statuses")).await;
    assert_eq!(column(&all, "state"), ["failure", "success", "success", "pending"]);
    assert_eq!(sandbox.send(Method::POST, &path, json!({"state": "odd"})).await.0, 422);
    let nowhere = format!("{REPO_PATH}/statuses/{}", "0".repeat(40));
    assert_eq!(sandbox.send(Method::POST, &nowhere, json!({"state": "success"})).await.0, 422);
}
