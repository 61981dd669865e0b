//! OAuth against the sandbox: tokens are got, used, refreshed, narrowed and taken away.

use std::{collections::HashMap, time::Duration};

use crate::sandbox_support::{Sandbox, read};
use linear_mcp::sandbox::{OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET};
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;

const VIEWER: &str = "{ viewer { displayName app } }";

async fn token(sandbox: &Sandbox, more: &[(&str, &str)]) -> (StatusCode, Value) {
    let own = [("client_id", OAUTH_CLIENT_ID), ("client_secret", OAUTH_CLIENT_SECRET)];
    let form: Vec<_> = own.iter().chain(more).collect();
    let (status, _, body) = read(sandbox.client.post(sandbox.at("oauth/token")).form(&form)).await;
    (status, body)
}

async fn code(sandbox: &Sandbox, scope: &str) -> String {
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let url = Url::parse_with_params(
        &sandbox.at("oauth/authorize"),
        [
            ("client_id", OAUTH_CLIENT_ID),
            ("redirect_uri", "http://127.0.0.1:7777/callback"),
            ("response_type", "code"),
            ("scope", scope),
            ("state", "s1"),
        ],
    );
    let response = client.get(url.unwrap()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    let location = Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
    let query: HashMap<_, _> = location.query_pairs().collect();
    assert_eq!(query["state"], "s1");
    query["code"].to_string()
}

async fn tokens(sandbox: &Sandbox, scope: &str) -> Value {
    let code = code(sandbox, scope).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", "http://127.0.0.1:7777/callback"),
    ];
    let (status, tokens) = token(sandbox, &form).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    tokens
}

async fn ask(sandbox: &Sandbox, token: &Value, query: &str) -> (StatusCode, Value) {
    let bearer = format!("Bearer {}", token.as_str().unwrap());
    let (status, _, body) = read(sandbox.request(query, json!({})).header("authorization", bearer)).await;
    (status, body)
}

#[tokio::test(start_paused = true)]
async fn a_code_becomes_a_token_that_ends_after_a_day_and_is_refreshed() {
    let sandbox = Sandbox::start().await;
    let first = tokens(&sandbox, "read,write").await;
    assert_eq!((&first["token_type"], &first["expires_in"]), (&json!("Bearer"), &json!(86_400)));
    let (status, body) = ask(&sandbox, &first["access_token"], VIEWER).await;
    assert_eq!((status, &body["data"]["viewer"]["displayName"]), (StatusCode::OK, &json!("ada")));
    sandbox.harness().clock().advance(Duration::from_secs(86_401));
    assert_eq!(ask(&sandbox, &first["access_token"], VIEWER).await.0, StatusCode::UNAUTHORIZED);

    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"].as_str().unwrap())];
    let (status, second) = token(&sandbox, &refresh).await;
    assert_eq!(status, StatusCode::OK);
    assert_ne!(second["refresh_token"], first["refresh_token"], "it rotates");
    assert_eq!(ask(&sandbox, &second["access_token"], VIEWER).await.0, StatusCode::OK);
    assert_eq!(
        token(&sandbox, &refresh).await.1["access_token"],
        second["access_token"],
        "a replay gets the same"
    );
    sandbox.harness().clock().advance(Duration::from_secs(31 * 60));
    let (status, refused) = token(&sandbox, &refresh).await;
    assert_eq!((status, &refused["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
}

#[tokio::test(start_paused = true)]
async fn a_token_may_do_what_was_asked_for_and_no_more() {
    let sandbox = Sandbox::start().await;
    let comment = "mutation { commentCreate(input: { issueId: \"ENG-1\", body: \"x\" }) { success } }";
    let update = "mutation { issueUpdate(id: \"ENG-1\", input: { title: \"x\" }) { success } }";
    let narrow = tokens(&sandbox, "read,comments:create").await;
    assert_eq!(
        ask(&sandbox, &narrow["access_token"], comment).await.1["data"]["commentCreate"]["success"],
        true
    );
    let (status, body) = ask(&sandbox, &narrow["access_token"], update).await;
    assert_eq!(
        (status, &body["errors"][0]["message"]),
        (StatusCode::BAD_REQUEST, &json!("Invalid scope: `write` required"))
    );
    let wide = tokens(&sandbox, "read,write").await;
    assert_eq!(ask(&sandbox, &wide["access_token"], update).await.1["data"]["issueUpdate"]["success"], true);
}

#[tokio::test(start_paused = true)]
async fn an_application_acts_for_itself_and_may_name_a_user() {
    let sandbox = Sandbox::start().await;
    let (status, own) =
        token(&sandbox, &[("grant_type", "client_credentials"), ("scope", "read,write")]).await;
    assert_eq!((status, &own["expires_in"]), (StatusCode::OK, &json!(30 * 86_400)), "{own}");
    assert!(own.get("refresh_token").is_none());
    let (_, body) = ask(&sandbox, &own["access_token"], VIEWER).await;
    assert_eq!(body["data"]["viewer"], json!({ "displayName": "helper", "app": true }));
    let comment = "mutation { commentCreate(input: { issueId: \"ENG-1\", body: \"x\", createAsUser: \"Zoe\" }) { comment { user { id } botActor { userDisplayName } } } }";
    let (_, body) = ask(&sandbox, &own["access_token"], comment).await;
    assert_eq!(
        body["data"]["commentCreate"]["comment"],
        json!({ "user": null, "botActor": { "userDisplayName": "Zoe" } })
    );
    let limits = "{ rateLimitStatus { kind limits { type allowedAmount } } }";
    let (_, body) = ask(&sandbox, &own["access_token"], limits).await;
    assert_eq!(body["data"]["rateLimitStatus"]["limits"][0]["allowedAmount"], json!(5000.0));
    assert_eq!(body["data"]["rateLimitStatus"]["limits"][1]["allowedAmount"], json!(2_000_000.0));
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_refused() {
    let sandbox = Sandbox::start().await;
    let got = tokens(&sandbox, "read").await;
    let access = got["access_token"].as_str().unwrap();
    let form = [("client_id", OAUTH_CLIENT_ID), ("client_secret", OAUTH_CLIENT_SECRET), ("token", access)];
    assert_eq!(read(sandbox.client.post(sandbox.at("oauth/revoke")).form(&form)).await.0, StatusCode::OK);
    assert_eq!(ask(&sandbox, &got["access_token"], VIEWER).await.0, StatusCode::UNAUTHORIZED);
}
