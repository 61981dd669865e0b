//! GitHub's limits, and its GraphQL API as far as everything stands on it.

use crate::support::{
    CLASSIC, MAYA, SCOPELESS, TOMAS,
    fake::{Sandbox, answer},
};
use reqwest::Method;
use serde_json::{Value, json};

const LABELS: &str = "repos/harbor-example/import-api/labels";

#[tokio::test(start_paused = true)]
async fn every_answer_tells_what_is_left_until_when() {
    let sandbox = Sandbox::start().await;
    let first = sandbox.get_as(MAYA, "user").await;
    // docs.github.com, "Rate limits for the REST API": 5,000 an hour.
    for (name, value) in [("limit", "5000"), ("remaining", "4999"), ("used", "1"), ("resource", "core")] {
        assert_eq!(first.header(&format!("x-ratelimit-{name}")), value, "{name}");
    }
    let reset: u64 = first.header("x-ratelimit-reset").parse().unwrap();
    assert!((sandbox.now() + 3590..=sandbox.now() + 3600).contains(&reset));
    sandbox.pass(60);
    let second = sandbox.get_as(CLASSIC, "user").await;
    assert_eq!(second.header("x-ratelimit-used"), "2", "all of a person's tokens share one budget");
    assert_eq!(second.header("x-ratelimit-reset"), reset.to_string(), "a window does not slide");
    assert_eq!(sandbox.get_as(TOMAS, "user").await.header("x-ratelimit-used"), "1");
    assert_eq!(sandbox.get_as("", "users/maya").await.header("x-ratelimit-limit"), "60");
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_refuses_until_its_window_ends() {
    let sandbox = Sandbox::start().await;
    sandbox.control(MAYA, "limits", json!({"resource": "core", "remaining": 1})).await;
    assert_eq!(sandbox.get_as(MAYA, "user").await.status, 200);
    let refused = sandbox.get_as(MAYA, "user").await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.body["message"].as_str().unwrap().starts_with("API rate limit exceeded for user ID 1001.")
    );
    assert_eq!(refused.header("x-ratelimit-remaining"), "0");
    assert_eq!(refused.header("retry-after"), "");
    assert_eq!(sandbox.get_as(TOMAS, "user").await.status, 200);
    let told = sandbox.get_as(MAYA, "rate_limit").await;
    assert_eq!(told.status, 200, "it is free");
    assert_eq!(told.body["resources"]["core"]["remaining"], 0);
    sandbox.pass(3600);
    let again = sandbox.get_as(MAYA, "user").await;
    assert_eq!((again.status, again.header("x-ratelimit-remaining")), (200, "4999"));
}

#[tokio::test(start_paused = true)]
async fn resources_have_budgets_of_their_own() {
    let sandbox = Sandbox::start().await;
    let body = sandbox.get_as(MAYA, "rate_limit").await.body;
    let limits: Vec<&Value> = ["core", "search", "code_search", "graphql"]
        .iter()
        .map(|name| &body["resources"][name]["limit"])
        .collect();
    assert_eq!(limits, [5000, 30, 9, 5000]);
    assert_eq!(body["rate"]["limit"], 5000);
    // docs.github.com, "Breaking changes": 2026-03-10 has no `rate`.
    let newer =
        sandbox.request_as(MAYA, Method::GET, "rate_limit").header("x-github-api-version", "2026-03-10");
    assert_eq!(answer(newer).await.body["rate"], Value::Null);
    for _ in 0..30 {
        sandbox.get_as(MAYA, "search/nothing").await;
    }
    let refused = sandbox.get_as(MAYA, "search/nothing").await;
    assert_eq!((refused.status, refused.header("x-ratelimit-resource")), (403, "search"));
    assert_eq!(sandbox.get_as(MAYA, "user").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn no_news_costs_nothing() {
    let sandbox = Sandbox::start().await;
    let first = sandbox.get_as(MAYA, "user").await;
    let tag = first.header("etag").to_owned();
    let request = sandbox.request_as(MAYA, Method::GET, "user").header("if-none-match", &tag);
    let none = answer(request).await;
    // docs.github.com, "Best practices for using the REST API": a 304 does not count.
    assert_eq!((none.status, none.header("x-ratelimit-used")), (304, "1"));
    assert_eq!(sandbox.get_as(MAYA, "user").await.header("x-ratelimit-used"), "2");
}

#[tokio::test(start_paused = true)]
async fn who_asks_too_fast_is_told_to_wait() {
    let sandbox = Sandbox::start().await;
    sandbox.control(MAYA, "limits", json!({"resource": "rest_points", "remaining": 5})).await;
    assert_eq!(sandbox.post_as(MAYA, LABELS, json!({"name": "a", "color": "000000"})).await.status, 201);
    let refused = sandbox.get_as(MAYA, "user").await;
    assert_eq!(refused.status, 403);
    assert!(refused.body["message"].as_str().unwrap().contains("secondary rate limit"));
    assert!(refused.body["documentation_url"].as_str().unwrap().contains("secondary-rate-limits"));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_ne!(refused.header("x-ratelimit-remaining"), "0");
    sandbox.pass(wait);
    assert_eq!(sandbox.get_as(MAYA, "user").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn who_creates_too_much_is_held_back_without_a_time() {
    let sandbox = Sandbox::start().await;
    sandbox.control(MAYA, "limits", json!({"resource": "content", "remaining": 1})).await;
    assert_eq!(sandbox.post_as(MAYA, LABELS, json!({"name": "a", "color": "000000"})).await.status, 201);
    let refused = sandbox.post_as(MAYA, LABELS, json!({"name": "b", "color": "000000"})).await;
    assert_eq!((refused.status, refused.header("retry-after")), (403, ""));
    assert!(refused.body["message"].as_str().unwrap().contains("blocked from content creation"));
    assert_eq!(sandbox.get_as(MAYA, "user").await.status, 200, "reading goes on");
    sandbox.pass(60);
    assert_eq!(sandbox.post_as(MAYA, LABELS, json!({"name": "b", "color": "000000"})).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_requests_run_at_once() {
    let sandbox = Sandbox::start().await;
    sandbox.control(MAYA, "limits", json!({"concurrent": 2, "latency_ms": 100})).await;
    let (a, b, c) = tokio::join!(
        sandbox.get_as(MAYA, "user"),
        sandbox.get_as(MAYA, "user"),
        sandbox.get_as(MAYA, "user")
    );
    let mut statuses = [a.status, b.status, c.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 403]);
    assert_eq!(sandbox.get_as(MAYA, "user").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_query_costs_its_connections_and_a_spent_budget_comes_as_200() {
    let sandbox = Sandbox::start().await;
    // docs.github.com, "Rate limits and query limits for the GraphQL API": 1 + 100 requests, divided by 100.
    let query = "query { viewer { organizations(first: 100) { nodes { teams(first: 10) { totalCount } } } }
        rateLimit { cost limit remaining used nodeCount resetAt } }";
    let told = sandbox.graphql_as(MAYA, query, Value::Null).await;
    let limit = &told.body["data"]["rateLimit"];
    assert_eq!(told.body["data"]["viewer"]["organizations"]["nodes"][0]["teams"]["totalCount"], 3);
    assert_eq!((&limit["cost"], &limit["nodeCount"]), (&json!(1), &json!(1100)));
    assert_eq!((&limit["limit"], &limit["remaining"]), (&json!(5000), &json!(4999)));
    assert_eq!(told.header("x-ratelimit-resource"), "graphql");
    sandbox.control(MAYA, "limits", json!({"resource": "graphql", "remaining": 0})).await;
    let refused = sandbox.graphql_as(MAYA, query, Value::Null).await;
    assert_eq!((refused.status, refused.header("x-ratelimit-remaining")), (200, "0"));
    assert_eq!(refused.body["errors"][0]["type"], "RATE_LIMITED");
    assert_eq!(refused.body.get("data"), None);
    assert_eq!(sandbox.get_as(MAYA, "user").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_connection_wants_bounds() {
    let sandbox = Sandbox::start().await;
    let kind = |arguments: &'static str| {
        let query = format!(
            "query {{ organization(login: \"harbor-example\") {{ teams{arguments} {{ nodes {{ slug }}
            edges {{ cursor }} pageInfo {{ hasNextPage endCursor }} }} }} }}"
        );
        let sandbox = &sandbox;
        async move { sandbox.graphql_as(MAYA, &query, Value::Null).await.body }
    };
    for (arguments, expected) in [
        ("", "MISSING_PAGINATION_BOUNDARIES"),
        ("(first: 101)", "EXCESSIVE_PAGINATION"),
        ("(first: 1, after: \"x\")", "INVALID_CURSOR_ARGUMENTS"),
    ] {
        let body = kind(arguments).await;
        assert_eq!(body["errors"][0]["type"], expected);
        assert_eq!(body["errors"][0]["path"], json!(["organization", "teams"]));
    }
    assert_eq!(
        kind("").await["errors"][0]["message"],
        "You must provide a `first` or `last` value to properly paginate the `teams` connection."
    );
    let page = kind("(first: 2)").await;
    assert_eq!(page["data"]["organization"]["teams"]["pageInfo"]["hasNextPage"], true);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_seen_is_not_there_for_graphql_either() {
    let sandbox = Sandbox::start().await;
    let query = "query($name: String!) { repository(owner: \"harbor-example\", name: $name) {
        nameWithOwner isPrivate viewerPermission owner { login ... on Organization { name } } } }";
    let seen = sandbox.graphql_as(MAYA, query, json!({"name": "import-api"})).await.body;
    assert_eq!(seen["data"]["repository"]["viewerPermission"], "ADMIN");
    assert_eq!(seen["data"]["repository"]["owner"], json!({"login": "harbor-example", "name": "Harbor"}));
    let renamed = sandbox.graphql_as(MAYA, query, json!({"name": "importer"})).await.body;
    assert_eq!(renamed["data"]["repository"]["nameWithOwner"], "harbor-example/import-api");
    let hidden = sandbox.graphql_as(SCOPELESS, query, json!({"name": "import-api"})).await.body;
    assert_eq!(hidden["data"], json!({"repository": null}));
    assert_eq!(hidden["errors"][0]["type"], "NOT_FOUND");
    assert_eq!(
        hidden["errors"][0]["message"],
        "Could not resolve to a Repository with the name 'harbor-example/import-api'."
    );
    let nobody = sandbox.graphql_as("", "query { viewer { login } }", Value::Null).await;
    assert_eq!(nobody.refusal(), (401, "This endpoint requires you to be authenticated."));
}

#[tokio::test(start_paused = true)]
async fn nodes_are_found_by_their_global_ids() {
    let sandbox = Sandbox::start().await;
    let query =
        "query { viewer { id } organization(login: \"harbor-example\") { id team(slug: \"imports\") { id } }
        repository(owner: \"harbor-example\", name: \"docs\") { id } }";
    let data = sandbox.graphql_as(MAYA, query, Value::Null).await.body["data"].clone();
    let ids = json!([
        data["viewer"]["id"],
        data["organization"]["id"],
        data["organization"]["team"]["id"],
        data["repository"]["id"]
    ]);
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on User { login } ... on Team { slug } } }";
    let found = sandbox.graphql_as(MAYA, query, json!({"ids": ids})).await.body["data"]["nodes"].clone();
    let kinds: Vec<&str> = (0..4).map(|at| found[at]["__typename"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["User", "Organization", "Team", "Repository"]);
    assert_eq!((&found[0]["login"], &found[2]["slug"]), (&json!("maya"), &json!("imports")));
    let rest = sandbox.get_as(MAYA, "user").await.body;
    assert_eq!(rest["node_id"], ids[0], "both APIs speak of the same");
    let query = "query { node(id: \"U_nonsense\") { id } }";
    let missing = sandbox.graphql_as(MAYA, query, Value::Null).await.body;
    assert_eq!(
        missing["errors"][0]["message"],
        "Could not resolve to a node with the global id of 'U_nonsense'"
    );
}

#[tokio::test(start_paused = true)]
async fn an_older_server_does_not_know_what_was_hidden() {
    let sandbox = Sandbox::start().await;
    let query = "query { viewer { login bio } }";
    assert_eq!(sandbox.graphql_as(MAYA, query, Value::Null).await.body["data"]["viewer"]["login"], "maya");
    let profile = json!({
        "hide": ["User.bio", "Organization.teams.query", "TeamMemberRole"], "routes": ["GET /versions"],
        "versions": ["2022-11-28"], "enterprise": "3.19.0",
    });
    sandbox.control(MAYA, "profile", profile).await;
    let refused = sandbox.graphql_as(MAYA, query, Value::Null).await;
    assert_eq!((refused.status, refused.header("x-github-enterprise-version")), (200, "3.19.0"));
    let error = &refused.body["errors"][0];
    assert_eq!(error["message"], "Field 'bio' doesn't exist on type 'User'");
    assert_eq!(
        error["extensions"],
        json!({"code": "undefinedField", "typeName": "User", "fieldName": "bio"})
    );
    let query =
        "query { organization(login: \"harbor-example\") { teams(first: 1, query: \"x\") { totalCount } } }";
    let refused = sandbox.graphql_as(MAYA, query, Value::Null).await.body;
    assert_eq!(refused["errors"][0]["message"], "Field 'teams' doesn't accept argument 'query'");
    let query =
        "query { organization(login: \"harbor-example\") { team(slug: \"imports\") { members(first: 1) {
        edges { role } } } } }";
    let refused = sandbox.graphql_as(MAYA, query, Value::Null).await.body;
    assert_eq!(refused["errors"][0]["message"], "Field 'role' doesn't exist on type 'TeamMemberEdge'");
    assert_eq!(sandbox.get_as(MAYA, "versions").await.status, 404);
    let newer = sandbox.request_as(MAYA, Method::GET, "user").header("x-github-api-version", "2026-03-10");
    let refused = answer(newer).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body["message"].as_str().unwrap().contains("is not a valid API version"));
    sandbox.control(MAYA, "profile", json!({})).await;
    assert_eq!(sandbox.get_as(MAYA, "versions").await.status, 200);
}
