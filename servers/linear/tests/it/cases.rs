//! What only Linear can get wrong: its errors, its two budgets, its logins, its price.

use std::time::Duration;

use connector::testing::{Options, Sample, Sandboxed, tokens};
use connector::{
    Connector as _, Kind, Secret,
    access::Selection,
    sandbox::{Action, Change, Rule},
    settings::Value as Setting,
};
use linear_mcp::Linear;
use serde_json::{Value, json};

type Server = Sandboxed<Linear>;

fn issues() -> Sample {
    Sample::new("list_issues", json!({"team": ["ENG"], "limit": 7}))
}

fn cursor(text: &str) -> Option<&str> {
    text.lines().next()?.split_once("cursor \"")?.1.split('"').next()
}

/// The inbox and the labels are no toolsets that must be asked for.
#[test]
fn every_tool_is_on_by_default_those_of_the_inbox_and_of_labels_too() {
    let catalog = Linear::catalog().select(&Selection::default()).unwrap();
    for name in ["list_notifications", "mark_notification", "save_label", "delete_label"] {
        assert!(catalog.tool(name).is_some(), "{name} is not listed");
    }
    assert!(catalog.toolsets_off().is_empty(), "{:?}", catalog.toolsets_off());
}

/// Fault 3. Linear tells a used-up budget with status 400, code RATELIMITED and reset headers in
/// milliseconds (linear.app/developers/rate-limiting).
#[tokio::test(start_paused = true)]
async fn a_ratelimited_refusal_with_status_400_is_a_limit_and_not_a_bad_request() {
    let server = Server::start().await;
    server.harness().faults().add(Rule::new("ListIssues", Action::rate_limit(None)).always());
    let error = server.refusal(&issues()).await;
    assert_eq!(error.kind(), Kind::RateLimited, "{error}");
    assert!(error.retry_after().is_some(), "{error}");
}

/// Fault 3. The budgets that Linear reports rule over the published ones: with nothing left, the next
/// call waits here until there is something, and is not sent to be refused.
#[tokio::test(start_paused = true)]
async fn a_budget_that_linear_reports_as_used_up_holds_back_the_next_call() {
    let server = Server::start().await;
    // Leaves one request of the caller's 2,500; the answer to it tells that none is left.
    ask(&server, "_linear/budget", &json!({"requests": 1})).await;
    server.call(&issues()).await;
    let told = tokio::time::Instant::now();
    server.call(&Sample::new("list_issues", json!({"team": ["OPS"]}))).await;
    let entries = server.harness().journal().of("ListIssues");
    assert!(entries.iter().all(|entry| entry.status == Some(200)), "it was sent to be refused");
    assert!(told.elapsed() >= Duration::from_secs(1), "2,500 an hour is one in 1.44 s: {:?}", told.elapsed());
}

/// Fault 3. Thirty searches a minute (linear.app/developers/rate-limiting): the thirty-first waits
/// here, and is not refused there.
#[tokio::test(start_paused = true)]
async fn the_thirty_first_search_of_a_minute_is_not_sent_to_be_refused() {
    let server = Server::start().await;
    let mut refused = 0;
    for n in 0..35 {
        let search = Sample::new("search", json!({"query": format!("import {n}"), "types": ["issue"]}));
        refused +=
            usize::from(server.try_call(&search).await.is_err_and(|error| error.kind() == Kind::RateLimited));
    }
    let statuses: Vec<_> =
        server.harness().journal().of("SearchIssues").iter().map(|entry| entry.status).collect();
    assert!(statuses.iter().all(|status| *status == Some(200)), "Linear had to refuse: {statuses:?}");
    assert!(refused == 0 || statuses.len() + refused == 35);
}

/// Fault 10. An access token lives for a day (linear.app/developers/oauth-2-0-authentication).
#[tokio::test(start_paused = true)]
async fn a_token_that_expires_between_two_pages_is_renewed_and_the_listing_goes_on() {
    let settings = vec![
        ("client-id", Setting::Text("sandbox-client".to_owned())),
        ("client-secret", Setting::Secret(Secret::new("sandbox-secret"))),
    ];
    let server = Server::start_with(Options { settings, ..Options::default() }).await;
    let first = server.call(&issues()).await.text;
    let next = cursor(&first).unwrap().to_owned();
    // Only the fake's clock moves: the server still believes in its token.
    server.harness().clock().advance(Duration::from_secs(31 * 24 * 3600));
    let second = server.call(&issues().with("cursor", next)).await.text;
    let rows = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| line.starts_with("ENG-"))
            .map(|line| line.split(' ').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(rows(&second).len(), 7, "{second}");
    assert!(rows(&first).iter().all(|row| !rows(&second).contains(row)), "a row came twice");
    let refused =
        server.harness().journal().of("ListIssues").iter().filter(|entry| entry.status == Some(401)).count();
    assert_eq!(refused, 1, "the old token was tried once");
}

/// Fault 11. The token endpoint is down: the token in hand is used until it expires.
#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_is_down_is_not_noticed_before_the_token_expires() {
    let settings = vec![
        ("client-id", Setting::Text("sandbox-client".to_owned())),
        ("client-secret", Setting::Secret(Secret::new("sandbox-secret"))),
    ];
    let server = Server::start_with(Options { settings, ..Options::default() }).await;
    server.call(&issues()).await;
    server.harness().faults().add(Rule::new("POST /oauth/token", Action::status(503)).always());
    // An application's token lives for 30 days and is renewed five minutes ahead.
    tokio::time::advance(Duration::from_secs(30 * 24 * 3600 - 200)).await;
    server.call(&issues()).await;
    assert!(server.harness().journal().count("POST /oauth/token") >= 2, "nothing was to be renewed");
    tokio::time::advance(Duration::from_secs(400)).await;
    let error = server.refusal(&issues()).await;
    assert!(matches!(error.kind(), Kind::Auth | Kind::Upstream), "{error}");
    server.harness().faults().clear();
    tokio::time::advance(Duration::from_secs(120)).await;
    server.call(&issues()).await;
}

/// Fault 23. A page that promises more but leads back to itself.
#[tokio::test(start_paused = true)]
async fn a_cursor_that_leads_back_ends_the_listing_and_says_so() {
    let server = Server::start().await;
    let first = server.call(&issues()).await.text;
    let page = issues().with("cursor", cursor(&first).unwrap());
    server.call(&page).await;
    let asked = server.harness().journal().of("ListIssues").pop().unwrap().json();
    let began = asked["variables"]["after"].clone();
    assert!(began.is_string(), "{asked}");
    server
        .harness()
        .faults()
        .add(Rule::new("ListIssues", Action::patch("/data/issues/pageInfo/endCursor", began)));
    let text = server.call(&page).await.text;
    assert!(cursor(&text).is_none(), "it would loop: {text}");
    assert!(text.lines().next().unwrap().contains("more"), "it hides that there may be more: {text}");
}

/// Fault 23. An empty page that promises more.
#[tokio::test(start_paused = true)]
async fn an_empty_page_that_promises_more_ends_the_listing_and_says_so() {
    let server = Server::start().await;
    let changes = vec![
        Change::set("/data/issues/nodes", json!([])),
        Change::set("/data/issues/pageInfo", json!({"hasNextPage": true, "endCursor": null})),
    ];
    server.harness().faults().add(Rule::new("ListIssues", Action::Patch { changes }));
    let text = server.call(&Sample::new("list_issues", json!({"limit": 7}))).await.text;
    assert!(cursor(&text).is_none(), "it would loop: {text}");
}

/// Fault 25. What was created is read from the create's own answer, never searched for.
#[tokio::test(start_paused = true)]
async fn a_create_is_read_back_from_its_own_answer() {
    let server = Server::start().await;
    server.call(&Sample::new("create_issue", json!({"title": "Runbook", "team": "ENG"}))).await;
    let operations = server.harness().journal().operations();
    assert!(!operations.iter().any(|operation| operation.starts_with("Search")), "{operations:?}");
}

/// Fault 26. One of several requests fails.
#[tokio::test(start_paused = true)]
async fn a_search_of_which_one_part_fails_shows_the_others_and_names_the_part() {
    let server = Server::start().await;
    server.harness().faults().add(Rule::new("SearchProjects", Action::status(500)).always());
    let search = Sample::new("search", json!({"query": "import", "types": ["issue", "project", "document"]}));
    let text = server.call(&search).await.text;
    assert!(text.contains("ENG-27") && text.contains("project"), "{text}");
    assert!(text.contains("upstream") || text.contains("failed"), "the failed part is not named: {text}");
    for operation in ["SearchIssues", "SearchDocuments"] {
        server.harness().faults().add(Rule::new(operation, Action::status(500)).always());
    }
    let again =
        Sample::new("search", json!({"query": "duplicate", "types": ["issue", "project", "document"]}));
    assert_eq!(server.refusal(&again).await.kind(), Kind::Upstream, "nothing useful came back");
}

/// Fault 28. GraphQL answers may carry data and errors at once.
#[tokio::test(start_paused = true)]
async fn data_beside_errors_is_used_and_the_errors_are_told() {
    let server = Server::start().await;
    let error = json!([{"message": "Internal server error", "path": ["issues", "nodes", 0, "project"],
        "extensions": {"type": "internal error", "code": "INTERNAL_SERVER_ERROR", "statusCode": 500}}]);
    server.harness().faults().add(Rule::new("ListIssues", Action::patch("/errors", error)));
    let text = server.call(&issues()).await.text;
    assert!(text.contains("ENG-") && text.contains("Internal server error"), "{text}");
}

/// Linear answers a foreign state with an error; names are resolved within the issue's team.
#[tokio::test(start_paused = true)]
async fn an_unknown_name_lists_what_there_is() {
    let server = Server::start().await;
    let update = Sample::new("update_issue", json!({"id": "ENG-24", "state": "Shipped"}));
    let error = server.refusal(&update).await.for_agent();
    assert!(
        error.starts_with("not_found: ") && error.contains("Shipped") && error.contains("In Progress"),
        "{error}"
    );
    let nobody = Sample::new("list_issues", json!({"team": ["ENG"], "assignee": "nobody.there"}));
    let error = server.refusal(&nobody).await.for_agent();
    assert!(error.contains("nobody.there"), "{error}");
}

/// An issue with its comments as Linear's own SDK asks for them: the fields of its fragments `Issue` and
/// `Comment` (npm @linear/sdk 88.3.0), and the names that its lazy relations fetch.
const AS_THE_SDK_READS_IT: &str = "query($id: String!) { issue(id: $id) {
    __typename trashed reactionData labelIds integrationSourceType url identifier priorityLabel
    previousIdentifiers customerTicketCount branchName dueDate estimate description title number updatedAt
    boardOrder sortOrder prioritySortOrder subIssueSortOrder priority archivedAt createdAt startedTriageAt
    triagedAt addedToCycleAt addedToProjectAt addedToTeamAt autoArchivedAt autoClosedAt canceledAt completedAt
    startedAt slaStartedAt slaBreachesAt slaHighRiskAt slaMediumRiskAt snoozedUntilAt slaType id
    delegate { id } cycle { id number } parent { id identifier } projectMilestone { id name }
    project { id name } team { id key } assignee { id displayName } creator { id displayName }
    state { id name type } labels(first: 20) { nodes { id name } }
    comments(first: 50) { nodes {
        __typename url reactionData resolvingCommentId documentContentId initiativeId initiativeUpdateId issueId
        parentId projectId projectUpdateId body updatedAt quotedText archivedAt createdAt editedAt resolvedAt id
        agentSession { id } botActor { id } resolvingComment { id } externalUser { id } issue { id } parent { id }
        resolvingUser { id } user { id displayName }
    } pageInfo { hasNextPage endCursor } }
} }";

/// The promise: an issue with its comments costs at most a quarter of Linear's own JSON, as its SDK reads
/// the two. Against the answer to our own, leaner query a quarter cannot be had: what people wrote, with
/// their names, is nearly that by itself, and none of it is left out.
#[tokio::test(start_paused = true)]
async fn an_issue_with_its_comments_costs_a_quarter_of_linears_own_json() {
    let server = Server::start().await;
    let sample = Sample::new("get_issue", json!({"id": "ENG-27", "include": ["comments"]}));
    let text = server.call(&sample).await.text;
    let asked = server.harness().journal().of("GetIssue").pop().unwrap().json();
    let answer = async |query: &Value| {
        let answer = post(&server, query).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"]["issue"].clone()
    };
    let ours = tokens(&text);
    let lean = tokens(&answer(&asked).await.to_string());
    let whole = answer(&json!({"query": AS_THE_SDK_READS_IT, "variables": {"id": "ENG-27"}})).await;
    let full = tokens(&whole.to_string());
    let comments = whole["comments"]["nodes"].as_array().unwrap().iter();
    let said = comments.flat_map(|comment| [&comment["user"]["displayName"], &comment["body"]]);
    let prose: Vec<_> =
        [&whole["title"], &whole["description"]].into_iter().chain(said).filter_map(Value::as_str).collect();
    let prose = tokens(&prose.join("\n"));
    println!(
        "one issue with 12 comments: {ours} tokens, of them words and names of people {prose}; JSON of the same query {lean}, as the SDK reads it {full}"
    );
    assert!(ours * 4 <= full, "{ours} tokens against {full}: {text}");
    assert!(ours * 2 <= lean, "{ours} tokens against {lean}: {text}");
    assert!(
        prose * 9 > lean * 2,
        "a quarter of {lean} has room for more than what was said, {prose}: promise it"
    );
}

/// Asks the fake as the server did.
async fn post(server: &Server, body: &Value) -> Value {
    ask(server, "graphql", body).await
}

async fn ask(server: &Server, path: &str, body: &Value) -> Value {
    connector::tls::install();
    let url = format!("{}{path}", server.harness().url());
    let answer =
        reqwest::Client::new().post(url).header("authorization", "lin_api_sandbox").json(body).send().await;
    answer.unwrap().json().await.unwrap()
}

/// An update is sent again only if it did not arrive, and never over what somebody else wrote meanwhile.
#[tokio::test(start_paused = true)]
async fn an_update_whose_answer_was_lost_is_not_sent_again() {
    for (committed, sent) in [(true, 1), (false, 2)] {
        let server = Server::start().await;
        let lost = Action::Status { code: 502, headers: Default::default(), body: String::new(), committed };
        server.harness().faults().add(Rule::new("UpdateIssue", lost));
        let text = server
            .call(&Sample::new("update_issue", json!({"id": "ENG-24", "title": "Rows are lost"})))
            .await
            .text;
        assert!(text.starts_with("Updated"), "{text}");
        assert_eq!(server.harness().journal().count("UpdateIssue"), sent, "{text}");
    }
}

/// A comment whose deletion was carried out is deleted, though the answer was lost.
#[tokio::test(start_paused = true)]
async fn a_deletion_whose_answer_was_lost_is_done() {
    let options = Options { allow_destructive: true, ..Options::default() };
    let server = Server::start_with(options).await;
    let made =
        server.call(&Sample::new("add_comment", json!({"issue": "ENG-24", "body": "gone soon"}))).await.text;
    let id = made.split("comment ").nth(1).unwrap().split(['.', '\n']).next().unwrap().to_owned();
    server.harness().faults().add(Rule::new("DeleteComment", Action::CloseAfter));
    let text = server.call(&Sample::new("delete_comment", json!({"id": id}))).await.text;
    assert!(text.starts_with("Deleted"), "{text}");
    assert_eq!(server.harness().journal().count("DeleteComment"), 1);
}
