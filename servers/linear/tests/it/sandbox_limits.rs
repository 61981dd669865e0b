//! Credentials, scopes, budgets, complexity, faults: who is let in, and how far.

use std::time::Duration;

use crate::sandbox_support::{KEY, Sandbox, read};
use connector::sandbox::{Action, Rule};
use reqwest::StatusCode;
use serde_json::json;

const VIEWER: &str = "query Me { viewer { displayName } }";

fn header<'a>(headers: &'a reqwest::header::HeaderMap, name: &str) -> &'a str {
    headers.get(name).unwrap_or_else(|| panic!("{name} is missing")).to_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn only_a_raw_key_is_let_in() {
    let sandbox = Sandbox::start().await;
    for credential in [
        None,
        Some("Bearer lin_api_test"),
        Some("lin_api_revoked_1"),
        Some("Bearer nonsense"),
        Some("nonsense"),
    ] {
        let mut request = sandbox.request(VIEWER, json!({}));
        if let Some(credential) = credential {
            request = request.header("authorization", credential);
        }
        let (status, _, body) = read(request).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{credential:?}");
        let error = &body["errors"][0];
        assert_eq!(error["message"], "Authentication required, not authenticated");
        assert_eq!(error["extensions"]["code"], "AUTHENTICATION_ERROR");
        assert_eq!(error["extensions"]["type"], "authentication error");
        assert_eq!(error["extensions"]["http"]["status"], 401);
    }
    assert_eq!(sandbox.data(VIEWER, json!({})).await["viewer"]["displayName"], "ada");
}

#[tokio::test(start_paused = true)]
async fn a_read_only_key_reads_but_cannot_write() {
    let sandbox = Sandbox::start().await;
    let send =
        |query: &str| read(sandbox.request(query, json!({})).header("authorization", "lin_api_readonly_1"));
    let (status, ..) = send(VIEWER).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _, body) =
        send("mutation { issueUpdate(id: \"ENG-1\", input: { title: \"x\" }) { success } }").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body["errors"][0]["message"], "Invalid scope: `write` required");
    assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let data = sandbox.data("{ issue(id: \"ENG-1\") { title } }", json!({})).await;
    assert_eq!(data["issue"]["title"], "Issue 1");
}

#[tokio::test(start_paused = true)]
async fn every_answer_tells_what_is_left() {
    let sandbox = Sandbox::start().await;
    let before = sandbox.harness().clock().now().as_millis();
    let (_, headers, _) =
        sandbox.send("{ issues(first: 50) { nodes { id title team { key } } } }", json!({})).await;
    assert_eq!(header(&headers, "x-ratelimit-requests-limit"), "2500");
    assert_eq!(header(&headers, "x-ratelimit-requests-remaining"), "2499");
    assert_eq!(header(&headers, "x-ratelimit-complexity-limit"), "3000000");
    assert_eq!(header(&headers, "x-complexity"), "115", "50 rows of 1 + 0.2 + 1.1");
    assert_eq!(header(&headers, "x-ratelimit-complexity-remaining"), (3_000_000 - 115).to_string());
    let reset: u128 = header(&headers, "x-ratelimit-requests-reset").parse().unwrap();
    assert!(reset > before && reset < before + 3_600_000, "milliseconds since the epoch");
    let status = sandbox
        .data("{ rateLimitStatus { kind limits { type allowedAmount remainingAmount reset } } }", json!({}))
        .await;
    assert_eq!(status["rateLimitStatus"]["limits"][0]["remainingAmount"], json!(2498.0));
}

#[tokio::test(start_paused = true)]
async fn a_used_up_budget_refuses_before_anything_runs_and_flows_back() {
    let sandbox = Sandbox::start().await;
    let budget = sandbox
        .client
        .post(sandbox.at("_linear/budget"))
        .header("authorization", KEY)
        .json(&json!({ "requests": 1 }));
    assert_eq!(read(budget).await.0, StatusCode::OK);
    sandbox.data(VIEWER, json!({})).await;
    let update = "mutation { issueUpdate(id: \"ENG-1\", input: { title: \"x\" }) { success } }";
    let (status, headers, body) = sandbox.send(update, json!({})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let error = &body["errors"][0];
    assert_eq!(error["message"], "Rate limit exceeded. Only 2500 requests are allowed per 1 hour.");
    assert_eq!(error["extensions"]["code"], "RATELIMITED");
    assert_eq!(error["extensions"]["type"], "ratelimited");
    assert_eq!(error["extensions"]["statusCode"], 429);
    assert_eq!(header(&headers, "x-ratelimit-requests-remaining"), "0");
    sandbox.harness().clock().advance(Duration::from_secs(60));
    assert_eq!(
        sandbox.data("{ issue(id: \"ENG-1\") { title } }", json!({})).await["issue"]["title"],
        "Issue 1"
    );
}

#[tokio::test(start_paused = true)]
async fn complexity_has_a_budget_and_a_cap() {
    let sandbox = Sandbox::start().await;
    let dear = "{ issues(first: 250) { nodes { id comments(first: 50) { nodes { id } } } } }";
    let (status, headers, body) = sandbox.send(dear, json!({})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body["errors"][0]["message"], "Query too complex");
    assert_eq!(header(&headers, "x-complexity"), "14025", "250 rows of 1 + 0.1 + 50 times 1.1");
    let text = body["errors"][0]["extensions"]["userPresentableMessage"].as_str().unwrap();
    assert_eq!(text, "The query is too complex. Complexity: 14025. Maximum allowed complexity: 10000.");
    let budget = sandbox
        .client
        .post(sandbox.at("_linear/budget"))
        .header("authorization", KEY)
        .json(&json!({ "complexity": 1 }));
    read(budget).await;
    let (_, error) = sandbox.error("{ teams { nodes { id } } }", json!({})).await;
    assert_eq!(error["extensions"]["code"], "RATELIMITED");
    assert_eq!(
        error["message"],
        "Rate limit exceeded. Only 3000000 complexity points are allowed per 1 hour."
    );
}

#[tokio::test(start_paused = true)]
async fn the_cost_of_what_is_skipped_is_not_counted() {
    let sandbox = Sandbox::start().await;
    let query = "query Q($n: Int!, $with: Boolean!) { issues(first: $n) { nodes { ...Row comments(first: 10) @include(if: $with) { nodes { id } } } } } fragment Row on Issue { id }";
    let cost = async |n: u32, with: bool| {
        let (_, headers, body) = sandbox.send(query, json!({ "n": n, "with": with })).await;
        assert!(body.get("errors").is_none(), "{body}");
        header(&headers, "x-complexity").parse::<u32>().unwrap()
    };
    assert_eq!((cost(10, false).await, cost(10, true).await), (11, 121));
}

#[tokio::test(start_paused = true)]
async fn searches_are_limited_to_30_a_minute() {
    let sandbox = Sandbox::start().await;
    let search = "{ searchIssues(term: \"issue\", first: 1) { nodes { id } } }";
    for left in (0..30).rev() {
        let (status, headers, _) = sandbox.send(search, json!({})).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(header(&headers, "x-ratelimit-endpoint-name"), "searchIssues");
        assert_eq!(header(&headers, "x-ratelimit-endpoint-requests-remaining"), left.to_string());
    }
    let (_, error) = sandbox.error(search, json!({})).await;
    assert_eq!(error["message"], "Rate limit exceeded. Only 30 requests are allowed per 1 minute.");
    sandbox.data("{ searchProjects(term: \"checkout\", first: 1) { nodes { id } } }", json!({})).await;
    sandbox.harness().clock().advance(Duration::from_secs(4));
    sandbox.data(search, json!({})).await;
}

#[tokio::test(start_paused = true)]
async fn the_journal_and_faults_go_by_the_operation_s_name() {
    let sandbox = Sandbox::start().await;
    sandbox.harness().faults().add(Rule::new("Me", Action::rate_limit(Some("7"))));
    let (status, headers, body) = sandbox.send(VIEWER, json!({})).await;
    assert_eq!((status, header(&headers, "retry-after")), (StatusCode::BAD_REQUEST, "7"));
    assert_eq!(body["errors"][0]["extensions"]["code"], "RATELIMITED");
    sandbox.data(VIEWER, json!({})).await;
    sandbox.data("{ teams { nodes { id } } }", json!({})).await;
    assert_eq!(sandbox.harness().journal().operations(), ["Me", "Me", "teams"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_graphql_request_is_refused_cleanly() {
    let sandbox = Sandbox::start().await;
    let post = |body: &'static str| {
        let request = sandbox.client.post(sandbox.at("graphql")).header("authorization", KEY);
        read(request.header("content-type", "application/json").body(body))
    };
    for body in ["", "{}", "not json", "{\"query\": 1}"] {
        let (status, _, answer) = post(body).await;
        assert_eq!(
            (status, &answer["errors"][0]["extensions"]["code"]),
            (StatusCode::BAD_REQUEST, &json!("BAD_USER_INPUT")),
            "{body}"
        );
    }
    let (status, error) = sandbox.error("{ nonsense }", json!({})).await;
    assert_eq!(
        (status, &error["extensions"]["code"]),
        (StatusCode::BAD_REQUEST, &json!("GRAPHQL_VALIDATION_FAILED"))
    );
    assert!(error["message"].as_str().unwrap().contains("nonsense"), "{error}");
    let two = "query A { viewer { id } } query B { viewer { name } }";
    let (status, _) = sandbox.error(two, json!({})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "which of two operations must be said");
    let named = json!({ "query": two, "operationName": "B" });
    let (status, _, body) =
        read(sandbox.client.post(sandbox.at("graphql")).header("authorization", KEY).json(&named)).await;
    assert_eq!((status, &body["data"]["viewer"]["name"]), (StatusCode::OK, &json!("Ada Example")));
    let data = sandbox.data("{ __type(name: \"Issue\") { name } }", json!({})).await;
    assert_eq!(data["__type"]["name"], "Issue");
}
