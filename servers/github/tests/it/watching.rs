//! Issues, pull requests and runs that an agent watches, over the sandbox.

use std::time::Duration;

use crate::support::{
    REPO_PATH, TOMAS,
    server::{Setup, Site, site, with_repo},
};
use connector::{
    sandbox::{Action, Rule},
    settings::Value as Setting,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const ISSUE: &str = "GET /repos/{owner}/{repo}/issues/{issue_number}";
const THE_ISSUE: &str = "github://harbor-example/import-api/issues/471";
const THE_PULL: &str = "github://harbor-example/import-api/pull/485";
const THE_RUN: &str = "github://harbor-example/import-api/runs/90043";
const INTERVAL: Duration = Duration::from_secs(30);

/// The statuses that the fake has answered to looks at the issue.
fn looks(site: &Site) -> Vec<u16> {
    site.harness().journal().of(ISSUE).iter().map(|entry| entry.status.unwrap()).collect()
}

/// What is used of the core limit; asking costs nothing.
async fn used(site: &Site) -> Value {
    site.sandbox.get("rate_limit").await["resources"]["core"]["used"].clone()
}

#[tokio::test(start_paused = true)]
async fn an_issue_without_news_costs_nothing_and_a_comment_is_told_once() {
    let site = site().await;
    let mut client = site.client();
    assert_eq!(client.subscribe(&[THE_ISSUE]).await, [THE_ISSUE]);
    sleep(Duration::from_secs(1)).await;
    let before = used(&site).await;
    sleep(INTERVAL * 4).await;
    assert_eq!(looks(&site), [200, 304, 304, 304, 304]);
    assert_eq!(used(&site).await, before, "a 304 does not count");

    let comment = json!({"body": "Seen on staging too."});
    let path = format!("{REPO_PATH}/issues/471/comments");
    assert_eq!(site.sandbox.post_as(TOMAS, &path, comment).await.status, 201);
    assert_eq!(client.news().await, THE_ISSUE);
    sleep(INTERVAL * 4 + Duration::from_secs(1)).await;
    client.nothing_new().await;
    assert_eq!(looks(&site)[5..], [200, 304, 304, 304, 304]);
}

#[tokio::test(start_paused = true)]
async fn what_a_tool_changes_is_told_too() {
    let site = site().await;
    let mut client = site.client();
    assert_eq!(client.subscribe(&[THE_PULL, THE_ISSUE, THE_RUN]).await.len(), 3);
    sleep(INTERVAL * 2).await;
    client.nothing_new().await;
    site.call("add_comment", with_repo(json!({"number": 485, "body": "Looks good."}))).await;
    assert_eq!(client.news().await, THE_PULL);
    site.call("run_workflow", with_repo(json!({"action": "rerun", "run_id": 90043}))).await;
    assert_eq!(client.news().await, THE_RUN);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_thing_to_watch_or_out_of_reach_is_not_acknowledged() {
    let narrow = Setup::new().list("allow-repos", &["harbor-example/docs"]).start().await;
    let within = "github://harbor-example/docs/issues/1";
    let uris = [
        within,
        THE_ISSUE,
        "github://harbor-example/docs/issues/latest",
        "github://harbor-example/docs",
        "github://harbor-example/docs/pull/1/diff",
        "github://me",
        "linear://issue/ENG-1",
    ];
    let mut client = narrow.client();
    assert_eq!(client.subscribe(&uris).await, [within]);
    sleep(INTERVAL).await;
    assert_eq!(narrow.harness().journal().of(ISSUE).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failing_github_is_asked_less_often_and_nothing_is_missed() {
    let site = site().await;
    let mut client = site.client();
    client.subscribe(&[THE_ISSUE]).await;
    sleep(Duration::from_secs(1)).await;
    site.rule(Rule::new(ISSUE, Action::status(403)).times(2));
    let path = format!("{REPO_PATH}/issues/471");
    let renamed = json!({"title": "Duplicate rows after a time-out"});
    assert_eq!(site.sandbox.send(Method::PATCH, &path, renamed).await.0, 200);
    let began = Instant::now();
    assert_eq!(client.news().await, THE_ISSUE);
    let waited = began.elapsed().as_secs();
    assert!((205..=212).contains(&waited), "30 s, then twice and four times as long: {waited}");
}

#[tokio::test(start_paused = true)]
async fn the_pause_between_looks_is_a_setting() {
    let site = Setup::new().set("watch-seconds", Setting::Number(300)).start().await;
    let mut client = site.client();
    client.subscribe(&[THE_ISSUE]).await;
    sleep(Duration::from_secs(290)).await;
    assert_eq!(looks(&site), [200]);
    sleep(Duration::from_secs(20)).await;
    assert_eq!(looks(&site), [200, 304]);
}
