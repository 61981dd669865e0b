//! What the server does with each kind of credential.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests may")]

use std::sync::Arc;

use connector::{
    Connector as _, Secret, Service, ServiceOptions,
    access::Principal,
    catalog::{Answer, Silent},
    sandbox::{Action, Harness, Rule, Running, start},
    settings::{Config, Value as Set},
    upstream::Options,
};
use linear_mcp::{
    Linear,
    sandbox::{OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET},
};
use serde_json::{Value, json};

async fn fake() -> Running {
    let sandbox = Linear::sandbox().unwrap();
    start(sandbox.fake, ([127, 0, 0, 1], 0).into()).await.unwrap()
}

fn server(running: &Running, settings: &[(&'static str, Set)]) -> Service<Linear> {
    let mut config = Config::default();
    for (key, value) in settings {
        config.set(key, value.clone());
    }
    let url = running.url().join("/graphql").unwrap();
    let server = Linear::connect(&config, Options::new(url)).unwrap();
    Service::new(server, Linear::catalog(), ServiceOptions::default())
}

fn secret(text: &str) -> Set {
    Set::Secret(Secret::new(text))
}

async fn call(service: &Service<Linear>, tool: &str, arguments: Value) -> String {
    let tool = service.tool(tool).unwrap();
    let arguments = arguments.as_object().cloned().unwrap();
    match service.call(tool, Principal::local(), arguments, false, Arc::new(Silent)).await {
        Ok(Answer::Reply(reply)) => service.render(reply).text,
        Ok(Answer::Question(question)) => {
            service.render(question.by_second_call(service.confirmations())).text
        }
        Err(error) => format!("ERROR {}", error.for_agent()),
    }
}

fn graphql(harness: &Harness) -> usize {
    harness.journal().count("WhoAmI")
}

#[tokio::test]
async fn without_a_credential_the_tools_are_there_and_a_call_says_what_to_set() {
    let running = fake().await;
    let service = server(&running, &[]);
    assert!(service.catalog().all_tools().len() > 20);
    let text = call(&service, "whoami", json!({})).await;
    assert!(
        text.starts_with("ERROR auth: No credential for Linear is configured. Set LINEAR_API_KEY"),
        "{text}"
    );
    assert_eq!(graphql(running.harness()), 0);
}

#[tokio::test]
async fn a_read_only_key_is_told_the_scope_that_is_missing() {
    let running = fake().await;
    let service = server(&running, &[("api-key", secret("lin_api_readonly_1"))]);
    assert!(call(&service, "whoami", json!({})).await.contains("Maya"));
    let text = call(&service, "create_issue", json!({"team": "ENG", "title": "x"})).await;
    assert!(text.starts_with("ERROR permission: ") && text.contains("`write` or `issues:create`"), "{text}");
}

#[tokio::test]
async fn an_application_gets_its_own_token_and_a_new_one_when_it_is_refused() {
    let running = fake().await;
    let service = server(
        &running,
        &[
            ("client-id", Set::Text(OAUTH_CLIENT_ID.to_owned())),
            ("client-secret", secret(OAUTH_CLIENT_SECRET)),
        ],
    );
    let text = call(&service, "whoami", json!({})).await;
    assert!(text.contains("Credential: an OAuth application"), "{text}");
    running.harness().faults().add(Rule::new("ListIssues", Action::Unauthorized));
    let text = call(&service, "list_issues", json!({"team": "ENG", "limit": 1})).await;
    assert!(text.starts_with("1 issue"), "{text}");
}

#[tokio::test]
async fn a_key_that_is_revoked_is_refused_once_and_said_so() {
    let running = fake().await;
    let service = server(&running, &[("api-key", secret("lin_api_revoked_1"))]);
    let text = call(&service, "whoami", json!({})).await;
    assert!(text.starts_with("ERROR auth: Linear refused the credential."), "{text}");
}

#[tokio::test]
async fn a_used_up_budget_says_when_there_is_more() {
    let running = fake().await;
    let service = server(&running, &[("api-key", secret("lin_api_x"))]);
    running.harness().faults().add(Rule::new("ListIssues", Action::rate_limit(Some("90"))).always());
    let text = call(&service, "list_issues", json!({"team": "ENG"})).await;
    assert!(text.starts_with("ERROR rate_limited: ") && text.contains("retry_after_s: 90"), "{text}");
}

#[tokio::test]
async fn many_changes_at_once_are_asked_about_first() {
    let running = fake().await;
    let service = server(&running, &[("api-key", secret("lin_api_x"))]);
    let ids: Vec<String> = (1..=15).map(|number| format!("ENG-{number}")).collect();
    let change = json!({"ids": ids, "changes": {"estimate": 13}});
    let asked = call(&service, "bulk_update_issues", change.clone()).await;
    assert!(asked.starts_with("Not done yet: this needs a confirmation."), "{asked}");
    assert_eq!(running.harness().journal().count("UpdateIssues"), 0);
    let value = asked.split_once("\"confirm\": \"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let mut confirmed = change;
    confirmed["confirm"] = json!(value);
    let done = call(&service, "bulk_update_issues", confirmed).await;
    assert!(done.starts_with("Changed 1"), "{done}");
}

#[tokio::test]
async fn deleting_asks_and_restoring_does_not() {
    let running = fake().await;
    let service = server(&running, &[("api-key", secret("lin_api_x"))]);
    let asked = call(&service, "archive_issue", json!({"id": "ENG-19", "mode": "trash"})).await;
    assert!(asked.starts_with("Not done yet"), "{asked}");
    let restored = call(&service, "archive_issue", json!({"id": "ENG-19", "mode": "restore"})).await;
    assert!(restored.starts_with("ENG-19 is neither archived nor in the trash already."), "{restored}");
}
