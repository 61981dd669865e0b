//! What only GitHub can get wrong: its limits, its redirects, its rights, its clock, its price; and the bounds that
//! hold below every tool.

use std::{collections::BTreeMap, time::Duration};

use connector::testing::{Options, Sample, Sandboxed, tokens};
use connector::{
    Connector as _, Kind, Secret,
    access::{Principal, Selection},
    sandbox::{Action, Rule},
    settings::Value as Setting,
};
use github_mcp::GitHub;
use serde_json::{Value, json};

type Server = Sandboxed<GitHub>;

const REPO: &str = "harbor-example/import-api";

fn everything() -> Selection {
    Selection { toolsets: vec!["all".to_owned()], ..Selection::default() }
}

/// A server with settings as for the real GitHub, and the sandbox's token.
async fn with_settings(mut settings: Vec<(&'static str, Setting)>) -> Server {
    let token = GitHub::sandbox().unwrap().credential.1;
    settings.push(("token", Setting::Secret(Secret::new(token))));
    Server::start_with(Options { selection: everything(), settings, ..Options::default() }).await
}

fn list(names: &[&str]) -> Setting {
    Setting::List(names.iter().map(ToString::to_string).collect())
}

/// A refusal as GitHub sends it.
fn refusal(code: u16, message: &str, headers: &[(&str, &str)]) -> Action {
    Action::Status {
        code,
        headers: headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        body: json!({"message": message, "documentation_url": "https://docs.github.com/rest"}).to_string(),
        committed: false,
    }
}

/// Fault 2. The primary limit is a 403 with nothing remaining and a reset in epoch seconds; the secondary one a 403
/// whose message alone tells (docs.github.com, "Rate limits for the REST API").
#[tokio::test(start_paused = true)]
async fn limits_that_come_as_403_are_limits_and_no_missing_rights() {
    let sample = Sample::new("list_releases", json!({"repo": REPO}));
    let operation = "GET /repos/{owner}/{repo}/releases";
    let reset = (connector::clock::wall().as_secs() + 1_200).to_string();
    let primary = refusal(
        403,
        "API rate limit exceeded for user ID 1001.",
        &[("x-ratelimit-resource", "core"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset)],
    );
    let server = Server::start().await;
    server.harness().faults().add(Rule::new(operation, primary).always());
    let error = server.refusal(&sample).await;
    assert_eq!(error.kind(), Kind::RateLimited, "{error}");
    let told = error.retry_after().unwrap().as_secs();
    assert!((1_100..=1_201).contains(&told), "{error}");

    let secondary = refusal(403, "You have exceeded a secondary rate limit. Please wait a few minutes.", &[]);
    let server = Server::start().await;
    server.harness().faults().add(Rule::new(operation, secondary).always());
    let error = server.refusal(&sample).await;
    assert_eq!((error.kind(), error.retry_after()), (Kind::RateLimited, Some(Duration::from_secs(60))));
    assert_eq!(server.harness().journal().count(operation), 1, "it was asked again within the minute");
}

/// A 403 for SAML carries the address at which the token is authorized (docs.github.com, "Authenticating to the REST
/// API").
#[tokio::test(start_paused = true)]
async fn a_missing_single_sign_on_gives_the_address_for_it() {
    let url = "https://github.com/orgs/harbor-example/sso?authorization_request=AZSCKL";
    let server = Server::start().await;
    let sso = format!("required; url={url}");
    let message = "Resource protected by organization SAML enforcement.";
    server.harness().faults().add(Rule::new(
        "GET /repos/{owner}/{repo}/releases",
        refusal(403, message, &[("x-github-sso", &sso)]),
    ));
    let error = server.refusal(&Sample::new("list_releases", json!({"repo": REPO}))).await;
    assert_eq!(error.kind(), Kind::Permission);
    assert!(error.for_agent().contains(url), "{error}");
}

/// Fault 29. GitHub answers a former name with 301 (docs.github.com, "Follow redirects").
#[tokio::test(start_paused = true)]
async fn a_repository_with_a_former_name_is_found_and_called_by_its_new_one() {
    let server = Server::start().await;
    let text = server.call(&Sample::new("get_repo", json!({"repo": "harbor-example/importer"}))).await.text;
    assert!(text.contains(REPO), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_names_no_repository_means_the_default_one() {
    let server = with_settings(vec![("repo", Setting::Text(REPO.to_owned()))]).await;
    let text = server.call(&Sample::new("get_issue", json!({"number": 471}))).await.text;
    assert!(text.contains("Duplicate rows after a 504"), "{text}");
    let error = Server::start().await.refusal(&Sample::new("get_issue", json!({"number": 471}))).await;
    assert!(error.for_agent().contains("`repo` is missing"), "{error}");
}

/// Faults 13 and 14 for a create that GitHub cannot make repeatable.
#[tokio::test(start_paused = true)]
async fn an_issue_whose_answer_was_lost_is_found_and_not_made_twice() {
    for action in [Action::CloseAfter, Action::Truncate { bytes: 20 }, Action::Html { code: 200 }] {
        let server = Server::start().await;
        let create = "POST /repos/{owner}/{repo}/issues";
        // The last of them answers in the place of GitHub, which did nothing.
        let done = !matches!(action, Action::Html { .. });
        server.harness().faults().add(Rule::new(create, action.clone()));
        let sample =
            Sample::new("create_issue", json!({"repo": REPO, "title": "Write the runbook", "body": "Soon."}));
        let outcome = server.try_call(&sample).await;
        assert_eq!(server.harness().journal().count(create), 1, "{action:?}: it was sent twice");
        if done {
            let text = outcome.unwrap().text;
            assert!(text.contains(&format!("{REPO}#")), "{action:?}: {text}");
        } else {
            assert_eq!(outcome.unwrap_err().kind(), Kind::UnknownOutcome, "{action:?}");
        }
    }
}

/// Older servers do not know every field (GHES 3.19 has no issue types); the document is asked again without it.
#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_know_a_field_is_asked_without_it_and_only_once_more() {
    let server = Server::start().await;
    let body = json!({"errors": [{"message": "Field 'issueType' doesn't exist on type 'Issue'",
        "extensions": {"code": "undefinedField", "typeName": "Issue", "fieldName": "issueType"}}]});
    let unknown =
        Action::Status { code: 200, headers: BTreeMap::new(), body: body.to_string(), committed: false };
    server.harness().faults().add(Rule::new("IssueList", unknown));
    let sample = Sample::new("list_issues", json!({"repo": REPO, "limit": 5}));
    server.call(&sample).await;
    server.call(&Sample::new("list_issues", json!({"repo": REPO, "limit": 6}))).await;
    let asked = server.harness().journal().of("IssueList");
    assert_eq!(asked.len(), 3);
    assert!(asked[0].body.contains("issueType"), "the document must ask for it, or this test proves nothing");
    assert!(asked[1..].iter().all(|entry| !entry.body.contains("issueType")), "it was not remembered");
}

/// A server that does not know the version of the REST API (GHES before 3.21) is asked in the older one from then on.
#[tokio::test(start_paused = true)]
async fn a_server_of_an_older_version_is_spoken_to_in_it() {
    let server = Server::start().await;
    let message = "\"2026-03-10\" is not a valid API version. Supported versions: 2022-11-28";
    let operation = "GET /repos/{owner}/{repo}/releases";
    server.harness().faults().add(Rule::new(operation, refusal(400, message, &[])));
    server.call(&Sample::new("list_releases", json!({"repo": REPO}))).await;
    server.call(&Sample::new("list_releases", json!({"repo": REPO, "limit": 2}))).await;
    let asked = server.harness().journal().of(operation);
    let versions: Vec<_> = asked.iter().filter_map(|entry| entry.header("x-github-api-version")).collect();
    assert_eq!(versions, ["2026-03-10", "2022-11-28", "2022-11-28"]);
}

/// ETags: an answer that is too old is asked for on condition, and a 304 serves what is kept.
#[tokio::test(start_paused = true)]
async fn an_answer_that_did_not_change_is_not_sent_again() {
    let server = Server::start().await;
    let sample = Sample::new("get_repo", json!({"repo": REPO}));
    server.call(&sample).await;
    tokio::time::advance(Duration::from_secs(120)).await;
    let again = server.call(&sample).await.text;
    assert!(again.contains("Takes files of stock"), "{again}");
    let asked = server.harness().journal().of("GET /repos/{owner}/{repo}");
    let statuses: Vec<_> = asked.iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [Some(200), Some(304)]);
}

#[tokio::test(start_paused = true)]
async fn a_list_for_reading_only_costs_half() {
    let read_only = Selection { read_only: true, ..Selection::default() };
    let catalog = GitHub::catalog().select(&read_only).unwrap();
    let tools: Vec<Value> = catalog
        .all_tools()
        .iter()
        .map(|tool| {
            json!({"name": tool.name(), "title": tool.title(), "description": tool.description(),
                "inputSchema": **tool.input_schema(), "annotations": {"readOnlyHint": true,
                "destructiveHint": false, "idempotentHint": true, "openWorldHint": true}})
        })
        .collect();
    let cost = tokens(&json!({ "tools": tools }).to_string());
    println!("{} tools for reading only: {cost} tokens of 2,500", tools.len());
    assert!(cost <= 2_500, "{cost} tokens");
}

/// Asks the fake for JSON, as octokit does.
async fn rest(server: &Server, path: &str) -> Value {
    connector::tls::install();
    let url = format!("{}{path}", server.harness().url());
    let token = GitHub::sandbox().unwrap().credential.1;
    let client = reqwest::Client::builder().user_agent("suite").build().unwrap();
    client.get(url).bearer_auth(token).send().await.unwrap().json().await.unwrap()
}

/// The promise: at most a third of the tokens of GitHub's own JSON for the same.
#[tokio::test(start_paused = true)]
async fn issues_and_pull_requests_cost_a_third_of_githubs_own_json() {
    let server = Server::start().await;
    let ours =
        tokens(&server.call(&Sample::new("list_issues", json!({"repo": REPO, "limit": 20}))).await.text);
    // GitHub lists pull requests among the issues; those are taken out.
    let listed = rest(&server, &format!("repos/{REPO}/issues?per_page=60")).await;
    let issues: Vec<_> =
        listed.as_array().unwrap().iter().filter(|row| row.get("pull_request").is_none()).take(20).collect();
    let theirs = tokens(&json!(issues).to_string());
    println!("20 issues: {ours} tokens, GitHub's JSON {theirs}");
    assert_eq!(issues.len(), 20);
    assert!(ours * 3 <= theirs, "{ours} against {theirs}");

    let sample =
        Sample::new("get_pr", json!({"repo": REPO, "number": 485, "include": ["reviews", "threads"]}));
    let ours = tokens(&server.call(&sample).await.text);
    let mut theirs = 0;
    for part in ["", "/reviews", "/comments"] {
        theirs += tokens(&rest(&server, &format!("repos/{REPO}/pulls/485{part}")).await.to_string());
    }
    println!("a pull request with its reviews: {ours} tokens, GitHub's JSON {theirs}");
    assert!(ours * 3 <= theirs, "{ours} against {theirs}");
}

/// A classic token tells its scopes; tools that it is not good for are not listed, and `whoami` says what would be.
#[tokio::test(start_paused = true)]
async fn tools_whose_scope_is_missing_are_not_listed_and_told_of() {
    let hidden = async |credential| {
        let options = Options { credential: Some(credential), selection: everything(), ..Options::default() };
        let server = Server::start_with(options).await;
        let rights = server.service().rights_for_listing(Principal::local()).await;
        (server.service().hidden(&rights), server.call(&Sample::new("whoami", json!({}))).await.text)
    };
    let (names, said) = hidden("ghp_sandbox0maya0scopeless").await;
    assert!(names.contains(&"commit_files".to_owned()) && !names.contains(&"whoami".to_owned()), "{names:?}");
    assert!(said.contains("repo"), "{said}");
    let (names, said) = hidden("ghp_sandbox0maya0classic").await;
    assert_eq!(names, ["list_project", "update_project_items"], "{said}");
    let (names, _) = hidden(GitHub::sandbox().unwrap().credential.1).await;
    assert!(names.is_empty(), "a fine-grained token tells no scopes: {names:?}");
}

/// The app of the sandbox's story, with the key of these tests.
fn app() -> Vec<(&'static str, Setting)> {
    let key = include_str!("app_key.pem");
    vec![
        ("app-id", Setting::Text("Iv1.sandbox0app".to_owned())),
        ("app-private-key", Setting::Secret(Secret::new(key))),
        ("app-installation", Setting::Text("5100".to_owned())),
    ]
}

const MINT: &str = "POST /app/installations/{installation_id}/access_tokens";

fn releases() -> Sample {
    Sample::new("list_releases", json!({"repo": REPO}))
}

/// Fault 30. An app's own token must not begin in the future nor live for more than ten minutes by GitHub's clock
/// (docs.github.com, "Generating a JSON Web Token (JWT) for a GitHub App"); GitHub's time is in every answer.
#[tokio::test(start_paused = true)]
async fn an_app_signs_on_githubs_time_when_the_clocks_differ() {
    for ahead in [true, false] {
        let server = Server::start_with(Options { settings: app(), ..Options::default() }).await;
        let by = Duration::from_secs(300);
        let clock = server.harness().clock();
        if ahead {
            clock.advance(by);
        } else {
            clock.set_back(by);
        }
        server.call(&releases()).await;
        // Its token is good for an hour from then, whoever's clock says so: there is no loop of renewals.
        server.call(&Sample::new("list_runs", json!({"repo": REPO}))).await;
        assert_eq!(
            server.harness().journal().of(MINT).iter().filter(|entry| entry.status == Some(201)).count(),
            1
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_apps_token_is_made_once_for_many_and_renewed_before_it_ends() {
    let server = Server::start_with(Options { settings: app(), ..Options::default() }).await;
    let calls = (0..20).map(|n| {
        let sample = Sample::new("list_releases", json!({"repo": REPO, "limit": n + 1}));
        let server = &server;
        async move { server.call(&sample).await }
    });
    futures::future::join_all(calls).await;
    assert_eq!(server.harness().journal().count(MINT), 1, "one flight");
    tokio::time::advance(Duration::from_secs(54 * 60)).await;
    server.call(&releases()).await;
    assert_eq!(server.harness().journal().count(MINT), 1);
    // Five minutes before its end a new one is asked for; while that fails, the old one is used.
    server.harness().faults().add(Rule::new(MINT, Action::status(503)).always());
    tokio::time::advance(Duration::from_secs(2 * 60)).await;
    server.call(&releases()).await;
    server.harness().faults().clear();
    tokio::time::advance(Duration::from_secs(60)).await;
    server.call(&releases()).await;
    let refused =
        server.harness().journal().entries().iter().filter(|entry| entry.status == Some(401)).count();
    assert_eq!(refused, 0, "no call went out with a token that had ended");
}

#[tokio::test(start_paused = true)]
async fn an_apps_token_is_narrowed_to_what_this_server_may_touch() {
    let mut settings = app();
    settings.push(("allow-repos", list(&["harbor-example/import-api", "harbor-example/docs"])));
    let selection = Selection { read_only: true, ..Selection::default() };
    let server = Server::start_with(Options { settings, selection, ..Options::default() }).await;
    server.call(&releases()).await;
    let mint = server.harness().journal().of(MINT).pop().unwrap();
    assert_eq!(mint.status, Some(201));
    let asked = mint.json();
    assert_eq!(asked["repositories"], json!(["import-api", "docs"]), "{asked}");
    let levels = asked["permissions"].as_object().unwrap();
    assert!(!levels.is_empty() && levels.values().all(|level| level == "read"), "{asked}");
    assert!(!levels.contains_key("workflows"), "there is no reading of them: {asked}");
}

/// A comment whose request was lost on its way is not there, whatever was said before in the same words.
#[tokio::test(start_paused = true)]
async fn a_comment_that_was_lost_is_not_taken_for_its_twin() {
    let server = with_settings(Vec::new()).await;
    let ping = Sample::new("add_comment", json!({"repo": REPO, "number": 471, "body": "ping"}));
    let operation = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments";
    let first = server.call(&ping).await.text;
    server.harness().faults().add(Rule::new(operation, Action::CloseBefore));
    let error = server.refusal(&ping).await;
    assert_eq!(error.kind(), Kind::UnknownOutcome, "{first}: {error}");
    // The answer alone lost, it is found, and it is another one than the first.
    server.harness().faults().add(Rule::new(operation, Action::CloseAfter));
    let second = server.call(&ping).await.text;
    assert!(second.contains("it is done"), "{second}");
    let id =
        |text: &str| text.rsplit_once("comment ").unwrap().1.split(['.', '\n']).next().unwrap().to_owned();
    assert_ne!(id(&first), id(&second));
}

/// What a first attempt removed is removed, though the second one does not find it.
#[tokio::test(start_paused = true)]
async fn a_deletion_whose_answer_was_lost_is_done() {
    let lost = Action::Status { code: 502, headers: BTreeMap::new(), body: String::new(), committed: true };
    let delete = json!({"repo": REPO, "action": "delete", "kind": "branch", "name": "release/2.14"});
    for (sample, operation) in [
        (
            Sample::new("add_comment", json!({"repo": REPO, "number": 471, "body": "gone soon"})),
            "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}",
        ),
        (Sample::new("manage_ref", delete), "DELETE /repos/{owner}/{repo}/git/refs/{ref}"),
    ] {
        let options = Options { allow_destructive: true, selection: everything(), ..Options::default() };
        let server = Server::start_with(options).await;
        server.harness().faults().add(Rule::new(operation, lost.clone()));
        let sample = if sample.tool == "add_comment" {
            let made = server.call(&sample).await.text;
            let id: u64 =
                made.rsplit_once("comment ").unwrap().1.split(['.', '\n']).next().unwrap().parse().unwrap();
            Sample::new("edit_comment", json!({"repo": REPO, "comment_id": id, "action": "delete"}))
        } else {
            sample
        };
        let text = server.call(&sample).await.text;
        assert_eq!(server.harness().journal().count(operation), 2, "{text}");
    }
}

/// An update is sent again only if it did not arrive.
#[tokio::test(start_paused = true)]
async fn an_update_whose_answer_was_lost_is_not_sent_again() {
    let operation = "PATCH /repos/{owner}/{repo}/issues/{issue_number}";
    for (committed, sent) in [(true, 1), (false, 2)] {
        let server = with_settings(Vec::new()).await;
        let lost = Action::Status { code: 502, headers: BTreeMap::new(), body: String::new(), committed };
        server.harness().faults().add(Rule::new(operation, lost));
        let title = json!({"repo": REPO, "number": 471, "title": "Imports above 10,000 rows stop"});
        let text = server.call(&Sample::new("update_issue", title)).await.text;
        assert!(text.contains("10,000 rows stop"), "{text}");
        assert_eq!(server.harness().journal().count(operation), sent, "{text}");
    }
}
