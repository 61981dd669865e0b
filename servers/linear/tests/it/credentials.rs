//! What the server does with each kind of credential.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

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
use url::Url;

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

/// The refresh token of a new login of a person.
async fn login(running: &Running) -> String {
    // Fails if a server did it before, which is just as well.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let redirect = "http://127.0.0.1:7777/callback";
    let asked = [
        ("client_id", OAUTH_CLIENT_ID),
        ("redirect_uri", redirect),
        ("response_type", "code"),
        ("scope", "read,write"),
        ("state", "s1"),
    ];
    let page =
        Url::parse_with_params(running.url().join("/oauth/authorize").unwrap().as_str(), asked).unwrap();
    let response = client.get(page).send().await.unwrap();
    let back = Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
    let query: HashMap<_, _> = back.query_pairs().collect();
    let form = [
        ("client_id", OAUTH_CLIENT_ID),
        ("client_secret", OAUTH_CLIENT_SECRET),
        ("grant_type", "authorization_code"),
        ("code", &*query["code"]),
        ("redirect_uri", redirect),
    ];
    let answer = client.post(running.url().join("/oauth/token").unwrap()).form(&form).send().await.unwrap();
    let tokens: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

/// A server that was just started with a person's login, which is kept in `store`.
fn logged_in(running: &Running, refresh: &str, store: &Path) -> Service<Linear> {
    let settings = [
        ("client-id", Set::Text(OAUTH_CLIENT_ID.to_owned())),
        ("client-secret", secret(OAUTH_CLIENT_SECRET)),
        ("refresh-token", secret(refresh)),
        ("token-store", Set::Path(store.to_owned())),
    ];
    server(running, &settings)
}

/// The refresh token in `store`.
fn kept(store: &Path) -> String {
    let stored: Value = serde_json::from_slice(&std::fs::read(store).unwrap()).unwrap();
    stored["refresh_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_login_goes_on_in_the_next_process_with_the_token_that_it_became() {
    let running = fake().await;
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("login.json");
    let first = login(&running).await;

    let text = call(&logged_in(&running, &first, &store), "whoami", json!({})).await;
    assert!(text.contains("Credential: an OAuth login") && text.contains("Maya"), "{text}");
    let second = kept(&store);
    assert_ne!(second, first, "it rotates");

    // The access token has ended, and Linear no longer takes the refresh token of the settings.
    running.harness().clock().advance(Duration::from_secs(25 * 3600));
    let text = call(&logged_in(&running, &first, &store), "whoami", json!({})).await;
    assert!(text.contains("Maya"), "{text}");
    let third = kept(&store);
    assert!(third != second && third != first, "it rotates again");

    // What is stored still serves, so nothing is renewed.
    let text = call(&logged_in(&running, &first, &store), "whoami", json!({})).await;
    assert!(text.contains("Maya"), "{text}");
    assert_eq!(kept(&store), third);
}

#[tokio::test]
async fn a_login_that_ended_says_what_to_set_and_a_new_one_takes_its_place() {
    let running = fake().await;
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("login.json");
    let old = login(&running).await;
    assert!(call(&logged_in(&running, &old, &store), "whoami", json!({})).await.contains("Maya"));
    let text = std::fs::read_to_string(&store).unwrap();
    let ended = text.replace("lin_oauth_", "lin_oauth_ended_").replace("lin_refresh_", "lin_refresh_ended_");
    std::fs::write(&store, ended).unwrap();

    let text = call(&logged_in(&running, &old, &store), "whoami", json!({})).await;
    assert!(text.starts_with("ERROR auth: ") && text.contains("set LINEAR_REFRESH_TOKEN"), "{text}");
    let new = login(&running).await;
    let text = call(&logged_in(&running, &new, &store), "whoami", json!({})).await;
    assert!(text.contains("Maya"), "{text}");
    assert!(!kept(&store).contains("ended"));
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
async fn what_one_call_does_not_undo_asks_and_the_rest_does_not() {
    let running = fake().await;
    let service = server(&running, &[("api-key", secret("lin_api_x"))]);
    let asked = call(&service, "archive_issue", json!({"id": "ENG-19", "mode": "trash"})).await;
    assert!(asked.starts_with("Not done yet"), "{asked}");
    let replaced = json!({"id": "ENG-12", "description": "All new"});
    let asked = call(&service, "update_issue", replaced).await;
    assert!(asked.starts_with("Not done yet") && asked.contains("+\"All new\""), "{asked}");
    let appended = json!({"id": "ENG-12", "append": "One more line."});
    let done = call(&service, "update_issue", appended).await;
    assert!(done.starts_with("Updated ENG-12."), "{done}");
    let six: Vec<Value> =
        (1..=6).map(|number| json!({"title": format!("Part {number}"), "team": "ENG"})).collect();
    let asked = call(&service, "create_issue", json!({"issues": six})).await;
    assert!(asked.starts_with("Not done yet") && asked.contains("\"Part 6\""), "{asked}");
    let archived = call(&service, "archive_issue", json!({"id": "ENG-19", "mode": "archive"})).await;
    assert!(archived.starts_with("Archived: ENG-19."), "one call restores it: {archived}");
    let restored = call(&service, "archive_issue", json!({"id": "ENG-19", "mode": "restore"})).await;
    assert!(restored.starts_with("Restored: ENG-19, In Review, in ENG."), "{restored}");
    let restored = call(&service, "archive_issue", json!({"id": "ENG-19", "mode": "restore"})).await;
    assert!(restored.starts_with("ENG-19 is neither archived nor in the trash already."), "{restored}");
}
