//! `search` against the sandbox.

use crate::support::{
    REPO,
    reply::{cursor, still},
    server::{Setup, Site, site_in_repo},
};
use connector::{
    Kind,
    sandbox::{Action, Change},
};
use serde_json::{Value, json};

const ISSUES: &str = "GET /search/issues";

/// What the fake was asked for last.
fn asked(site: &Site, operation: &str, parameter: &str) -> Option<String> {
    let entry = site.harness().journal().of(operation).pop().expect("it was asked");

    url::form_urlencoded::parse(entry.query.as_bytes())
        .find(|(name, _)| name == parameter)
        .map(|(_, value)| value.into_owned())
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_thing_is_found_in_its_own_row() {
    let site = site_in_repo().await;
    for (kind, query) in [
        ("issues", "504 label:incident"),
        ("prs", "idempotent is:merged"),
        ("code", "chunk path:src"),
        ("repos", "harbor in:name"),
        ("commits", "idempotent"),
        ("users", "tomas"),
        ("orgs", "harbor"),
    ] {
        let mut arguments = json!({"kind": kind, "query": query, "limit": 5});
        if matches!(kind, "code" | "commits") {
            arguments["repo"] = json!(REPO);
        }
        let text = site.call("search", arguments).await;
        assert!(!text.starts_with("No "), "{kind}: {text}");
        insta::assert_snapshot!(format!("search_{kind}"), still(&text));
    }
}

/// GitHub tells where it found something (docs.github.com, "Text match metadata").
#[tokio::test(start_paused = true)]
async fn what_only_a_comment_says_is_found_with_the_comment() {
    let site = site_in_repo().await;
    let text = site.call("search", json!({"kind": "issues", "query": "slept", "repo": REPO})).await;
    let (_, comment) = text.split_once("\n  comment ").unwrap_or_else(|| panic!("{text}"));
    let (id, said) = comment.split_once(": ").unwrap();
    assert!(said.starts_with("It slept 200 ms") && text.contains("(get_issue with comment"), "{text}");
    let read = json!({"number": 461, "comment": id.parse::<u64>().unwrap()});
    assert!(site.call("get_issue", read).await.contains("It slept 200 ms"));
    let text = site.call("search", json!({"kind": "issues", "query": "sftp", "repo": REPO})).await;
    assert!(text.contains("#462 ") && !text.contains("  comment "), "the title says it: {text}");
}

#[tokio::test(start_paused = true)]
async fn what_github_refuses_is_refused_before_it_is_sent() {
    let site = site_in_repo().await;
    for (arguments, says) in [
        (json!({"kind": "issues", "query": "x".repeat(300)}), "GitHub takes 256"),
        (json!({"kind": "issues", "query": "a OR b OR c OR d OR e OR f OR g"}), "Split it"),
        (json!({"kind": "code", "query": "language:rust"}), "needs a word"),
        (json!({"kind": "issues", "query": "x", "sort": "stars"}), "or use comments"),
        (json!({"kind": "prs", "query": "x", "semantic": true}), "kind issues only"),
        (json!({"kind": "issues", "query": "repo:a/b x", "repo": REPO}), "Use one of the two"),
        (json!({"kind": "users", "query": "x", "repo": REPO}), "does not go with"),
    ] {
        let error = site.refusal("search", arguments).await;
        assert_eq!(error.kind(), Kind::InvalidArgument);
        assert!(error.for_agent().contains(says), "{error}");
    }
    assert_eq!(site.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn pages_go_on_and_the_query_is_sent_as_it_is_meant() {
    let site = site_in_repo().await;
    let mut arguments = json!({"kind": "issues", "query": "import label:bug", "repo": REPO, "sort": "created-asc", "limit": 3});
    let first = site.call("search", arguments.clone()).await;
    assert_eq!(asked(&site, ISSUES, "q").unwrap(), format!("import label:bug is:issue repo:{REPO}"));
    assert_eq!(asked(&site, ISSUES, "order").as_deref(), Some("asc"));
    arguments["cursor"] = json!(cursor(&first).expect("there is more"));
    let second = site.call("search", arguments).await;
    let rows =
        |text: &str| text.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
    assert!(
        !rows(&second).is_empty() && rows(&second).iter().all(|row| !rows(&first).contains(row)),
        "{second}"
    );
    let meaning = json!({"kind": "issues", "query": "rows written twice", "semantic": true});
    site.call("search", meaning).await;
    assert_eq!(asked(&site, ISSUES, "search_type").as_deref(), Some("semantic"));
}

#[tokio::test(start_paused = true)]
async fn a_search_stays_within_reach() {
    let site = Setup::in_repo().list("allow-repos", &[REPO, "harbor-example/d*"]).start().await;
    let text = site.call("search", json!({"kind": "issues", "query": "is:open", "limit": 100})).await;
    assert_eq!(
        asked(&site, ISSUES, "q").unwrap(),
        format!("is:open is:issue (repo:harbor-example/docs OR repo:{REPO})")
    );
    assert!(text.starts_with("37 issues (only what this server may read)."), "{text}");
    assert!(!text.contains("harbor-example/web"), "{text}");
    for query in ["x repo:harbor-example/web", "x org:harbor-example", "(x OR y) user:maya"] {
        let error = site.refusal("search", json!({"kind": "code", "query": query})).await;
        assert_eq!(error.kind(), Kind::Policy, "{query}: {error}");
    }
    let error =
        site.refusal("search", json!({"kind": "code", "query": "x", "repo": "harbor-example/web"})).await;
    assert_eq!(error.kind(), Kind::Policy, "{error}");
    let repos = site.call("search", json!({"kind": "repos", "query": "harbor"})).await;
    assert!(!repos.contains("harbor-example/web"), "{repos}");
}

#[tokio::test(start_paused = true)]
async fn the_ceiling_and_a_search_that_was_given_up_are_told() {
    let site = site_in_repo().await;
    let changes = vec![
        Change::set("/total_count", json!(4_321)),
        Change::set("/incomplete_results", Value::Bool(true)),
    ];
    site.fault(ISSUES, Action::Patch { changes });
    let text = site.call("search", json!({"kind": "issues", "query": "import"})).await;
    assert!(text.contains(" of 4321 issues"), "{text}");
    assert!(
        text.contains("GitHub gives the first 1,000 only") && text.contains("may have missed some"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_cannot_be_seen_is_named() {
    let site = site_in_repo().await;
    let error = site
        .refusal("search", json!({"kind": "issues", "query": "x", "repo": "harbor-example/nothing"}))
        .await;
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
    assert!(error.for_agent().contains("harbor-example/nothing does not exist"), "{error}");
}
