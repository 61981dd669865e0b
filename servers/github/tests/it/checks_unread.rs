//! Checks that the token may not read, as no fine-grained token may: unknown is never none.

use crate::support::server::{Setup, Site, with_repo};
use connector::sandbox::{Action, Change};
use serde_json::{Value, json};

/// A fine-grained token with everything that such a token can have.
const FINE: &str = "github_pat_sandbox0maya0everything";

async fn fine() -> Site {
    Setup::in_repo().token(FINE).start().await
}

/// GraphQL puts null for each check and an error for each of them: "Resource not accessible by personal access
/// token (…statusCheckRollup.contexts.nodes.0)", as people report it of fine-grained tokens.
#[tokio::test]
async fn the_fake_refuses_each_check_to_a_fine_grained_token() {
    let site = fine().await;
    let query = "{ repository(owner: \"harbor-example\", name: \"import-api\") { pullRequest(number: 485) {
        statusCheckRollup { contexts(first: 100) { totalCount nodes { __typename ... on CheckRun { name status } } } } } } }";
    let (_, answer) =
        site.sandbox.send_as(FINE, reqwest::Method::POST, "graphql", json!({"query": query})).await;
    let contexts = &answer["data"]["repository"]["pullRequest"]["statusCheckRollup"]["contexts"];
    let nodes = contexts["nodes"].as_array().unwrap();
    let holes = nodes.iter().filter(|node| node.is_null()).count();
    assert!(holes > 0, "{answer}");
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), holes, "{answer}");
    assert_eq!(
        errors[0],
        json!({"type": "FORBIDDEN", "message": "Resource not accessible by personal access token",
            "path": ["repository", "pullRequest", "statusCheckRollup", "contexts", "nodes", 0]})
    );
    let runs = "repos/harbor-example/import-api/commits/main/check-runs";
    assert_eq!(site.sandbox.send_as(FINE, reqwest::Method::GET, runs, Value::Null).await.0, 403);
}

#[tokio::test]
async fn get_pr_shows_the_workflow_runs_in_their_place() {
    let site = fine().await;
    let text = site.reply("get_pr", json!({"number": 485, "include": ["checks"]})).await;
    assert!(!text.contains("checks: none") && !text.contains("Not answered"), "{text}");
    assert!(text.contains("checks, as far as known: "), "{text}");
    assert_eq!(text.matches("The token may not read check runs").count(), 1, "{text}");
    assert!(text.contains("CI: failure, ") && text.contains("run 90043"), "{text}");
    let line = text.lines().find(|line| line.starts_with("cannot be merged yet: ")).unwrap();
    assert!(line.contains("of which the required ones are not known, failed: CI"), "{line}");
    // Whoever may read them is told of them.
    let all = Setup::in_repo().start().await.reply("get_pr", json!({"number": 485})).await;
    assert!(!all.contains("may not read") && all.contains("test (stable): failure, required"), "{all}");
}

#[tokio::test]
async fn where_nothing_else_answers_they_are_not_known() {
    let site = fine().await;
    for operation in
        ["GET /repos/{owner}/{repo}/actions/runs", "GET /repos/{owner}/{repo}/commits/{ref}/status"]
    {
        site.fault(operation, Action::status(403));
    }
    let text = site.reply("get_pr", json!({"number": 487})).await;
    assert!(text.contains("checks: not known"), "{text}");
    assert!(text.contains("Nor can workflow runs (Actions: read) and commit statuses"), "{text}");
}

#[tokio::test]
async fn a_listing_says_it_in_one_line() {
    let site = fine().await;
    let text = site.reply("list_prs", json!({})).await;
    assert_eq!(text.matches("The token may not read check runs").count(), 1, "{text}");
    assert!(!text.contains("Not answered"), "{text}");
    let row = text.lines().find(|line| line.starts_with("#485 ")).unwrap();
    assert!(row.contains("checks not known"), "{row}");
    let data = Setup::in_repo().token(FINE).structured(true).start().await.data("list_prs", json!({})).await;
    let known = |row: &Value| row["checks"].as_str().is_some_and(|checks| checks.contains("not known"));
    assert!(data["items"].as_array().unwrap().iter().any(known), "{data}");
}

#[tokio::test(start_paused = true)]
async fn workflow_runs_can_be_waited_for() {
    let site = fine().await;
    let text = site.reply("get_pr", json!({"number": 486, "wait_seconds": 20})).await;
    assert!(!text.contains("the head has no checks"), "{text}");
    assert!(text.contains("Waited 20 s: ") && text.contains("call again to wait on"), "{text}");
    let mut finished = String::new();
    for _ in 0..4 {
        finished = site.reply("get_pr", json!({"number": 486, "wait_seconds": 50})).await;
        if finished.contains("all workflow runs and commit statuses of the head are finished") {
            return;
        }
    }
    panic!("{finished}");
}

/// A rollup that is refused whole is as unknown as its entries.
#[tokio::test]
async fn a_rollup_that_is_refused_is_unknown_too() {
    let site = Setup::in_repo().start().await;
    let forbidden = json!([{"type": "FORBIDDEN", "message": "Resource not accessible by personal access token",
        "path": ["repository", "pullRequest", "statusCheckRollup"]}]);
    let changes = vec![
        Change::set("/data/repository/pullRequest/statusCheckRollup", json!(null)),
        Change::set("/errors", forbidden),
    ];
    site.fault("PullGet", Action::Patch { changes });
    let text = site.reply("get_pr", json!({"number": 485})).await;
    assert!(text.contains("checks, as far as known: "), "{text}");
}

#[tokio::test]
async fn annotations_that_are_refused_are_not_none() {
    let site = fine().await;
    let arguments = with_repo(json!({"run_id": 90043, "include": ["jobs", "annotations"]}));
    let text = site.reply("get_run", arguments).await;
    assert!(text.contains("Annotations: not known") && !text.contains("Annotations: none"), "{text}");
    assert_eq!(text.matches("may not read annotations").count(), 1, "{text}");
}
