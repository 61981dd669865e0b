//! The promises about bounds, tried from outside: what is out of reach stays so, whatever asks for it.

use crate::support::{
    REPO,
    reply::cursor,
    server::{Setup, Site, site, site_in_repo},
};
use connector::{
    Kind,
    sandbox::{Action, Change, Rule},
};
use reqwest::Method;
use serde_json::json;

/// Its name before it was called import-api, which is out of reach here.
const FORMER: &str = "harbor-example/importer";

#[tokio::test(start_paused = true)]
async fn a_former_name_is_no_way_to_read_what_is_out_of_reach() {
    let site = Setup::new().list("allow-repos", &[FORMER, "harbor-example/docs"]).start().await;
    for (tool, more) in [
        ("get_repo", json!({"include": ["readme"]})),
        ("read_file", json!({"path": "README.md"})),
        ("list_tree", json!({})),
        ("list_commits", json!({})),
        ("list_refs", json!({"kind": "branches"})),
        ("list_prs", json!({})),
        ("get_pr", json!({"number": 485})),
        ("get_diff", json!({"number": 485})),
        ("list_issues", json!({})),
        ("get_issue", json!({"number": 471})),
        ("list_runs", json!({})),
        ("get_run", json!({"run_id": 90_043})),
        ("get_job_logs", json!({"run_id": 90_043})),
        ("list_releases", json!({})),
        ("list_alerts", json!({"kind": "code"})),
        ("list_discussions", json!({})),
        ("api_get", json!({"path": format!("/repos/{FORMER}/commits")})),
    ] {
        let mut arguments = more;
        if tool != "api_get" {
            arguments["repo"] = json!(FORMER);
        }
        let error = site.refusal(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Policy, "{tool}: {error}");
        assert!(!error.for_agent().contains("import-api"), "{tool}: {error}");
    }
    assert!(site.call("get_repo", json!({"repo": "harbor-example/docs"})).await.contains("docs"));
}

/// A repository may get another name between the look at its name and the answer: what the answer names counts.
#[tokio::test(start_paused = true)]
async fn an_answer_that_names_a_repository_out_of_bounds_goes_no_further() {
    for (tool, operation, more) in [
        ("list_issues", "IssueList", json!({})),
        ("get_issue", "IssueGet", json!({"number": 471})),
        ("list_prs", "PullList", json!({})),
        ("get_pr", "PullGet", json!({"number": 485})),
        ("list_discussions", "DiscussionList", json!({})),
    ] {
        let site = Setup::new().list("allow-repos", &[REPO]).start().await;
        let elsewhere = Change::set("/data/repository/nameWithOwner", json!("acme/vault"));
        site.fault(operation, Action::Patch { changes: vec![elsewhere] });
        let mut arguments = more;
        arguments["repo"] = json!(REPO);
        let error = site.refusal(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Policy, "{tool}: {error}");
        assert!(!error.for_agent().contains("vault"), "{tool}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_former_name_is_no_way_to_write_what_is_out_of_reach() {
    let site = Setup::new().list("allow-write-repos", &[FORMER]).start().await;
    for (tool, more) in [
        ("create_issue", json!({"title": "x"})),
        ("add_comment", json!({"number": 471, "body": "x"})),
        ("update_pr", json!({"number": 485, "title": "x"})),
        ("review_pr", json!({"number": 485, "event": "comment", "body": "x"})),
        ("manage_ref", json!({"action": "create", "kind": "branch", "name": "x", "from": "main"})),
        ("run_workflow", json!({"action": "rerun_failed", "run_id": 90_043})),
    ] {
        let mut arguments = more;
        arguments["repo"] = json!(FORMER);
        let error = site.refusal(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Policy, "{tool}: {error}");
    }
    // What may be read may still be read under either name.
    assert!(site.call("get_issue", json!({"repo": FORMER, "number": 471})).await.contains("#471"));
}

#[tokio::test(start_paused = true)]
async fn a_fork_is_compared_only_if_it_is_within_reach() {
    let site = Setup::in_repo().list("allow-repos", &[REPO]).start().await;
    let sides = ["maya-brandt:main", "maya-brandt:secret:main"];
    for head in sides {
        let error = site.refusal("get_diff", json!({"base": "main", "head": head})).await;
        assert_eq!(error.kind(), Kind::Policy, "{head}: {error}");
        let error = site.refusal("create_pr", json!({"title": "x", "head": head})).await;
        assert_eq!(error.kind(), Kind::Policy, "{head}: {error}");
        let path = format!("/repos/{REPO}/compare/main...{}", head.replace(':', "%3A"));
        let error = site.refusal("api_get", json!({"path": path})).await;
        assert_eq!(error.kind(), Kind::Policy, "{head}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_path_leads_out_of_a_repository() {
    let site = Setup::in_repo().list("allow-repos", &[REPO]).start().await;
    for path in [
        "../web",
        "%2e%2e/web",
        "%2E%2E%2Fweb",
        "x/..%2f..%2fweb",
        "%252e%252e/web",
        "./x",
        "x//y",
        "..\\web",
        ".%5c..",
    ] {
        let error = site.refusal("api_get", json!({"path": format!("/repos/{REPO}/{path}")})).await;
        assert_eq!(error.kind(), Kind::InvalidArgument, "{path}: {error}");
    }
    for path in [
        "/repositories/3002",
        "/Repos/harbor-example/web",
        "/repos/harbor-example/web/issues?x=/repos/harbor-example/import-api",
        "/user/repos",
        "/graphql",
        "/repos/git@x:harbor-example/import-api",
        "https://evil.example/repos/harbor-example/import-api",
    ] {
        let error = site.refusal("api_get", json!({"path": path})).await;
        assert!(matches!(error.kind(), Kind::Policy | Kind::InvalidArgument), "{path}: {error}");
    }
    // A slash within a part is good.
    let contents = format!("/repos/{REPO}/contents/src%2Fworker.rs");
    let _ = site.call("api_get", json!({"path": contents})).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_tells_nothing_of_repositories_out_of_reach() {
    let site = Setup::in_repo().list("allow-repos", &[REPO]).start().await;
    let foreign = |title: &str| {
        json!({"number": 7, "title": title, "body": "SECRET",
            "repository_url": "https://api.github.com/repos/harbor-example/web"})
    };
    let changes = vec![
        Change::set("/0/event", json!("cross-referenced")),
        Change::set("/0/source", json!({"type": "issue", "issue": foreign("SECRET title")})),
        Change::set("/1/parent", foreign("SECRET parent")),
        Change::set("/2/repository", json!({"full_name": "harbor-example/web", "description": "SECRET"})),
    ];
    site.fault("GET /repos/{owner}/{repo}/issues/{issue_number}/timeline", Action::Patch { changes });
    let fields = ["event", "source.issue.title", "parent.title", "repository.description"];
    let text = site
        .call("api_get", json!({"path": format!("/repos/{REPO}/issues/471/timeline"), "fields": fields}))
        .await;
    assert!(!text.contains("SECRET"), "{text}");
    // An issue that was moved to a repository out of reach is led on to by GitHub.
    let headers = [("location".to_owned(), "/repositories/3003/issues/11".to_owned())].into();
    let moved = Action::Status { code: 301, headers, body: String::new(), committed: false };
    site.fault("GET /repos/{owner}/{repo}/issues/{issue_number}", moved);
    let text = site.call("api_get", json!({"path": format!("/repos/{REPO}/issues/99999")})).await;
    assert!(!text.contains("title"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_search_cannot_count_what_is_out_of_reach() {
    let site = Setup::in_repo().list("allow-repos", &[REPO]).start().await;
    let sent = |site: &Site| {
        let journal = site.harness().journal().entries();
        journal
            .iter()
            .rev()
            .find_map(|entry| (entry.operation == "GET /search/issues").then(|| format!("{entry:?}")))
    };
    let _ = site.call("search", json!({"kind": "issues", "query": format!("x OR repo:{REPO}")})).await;
    let entry = sent(&site).unwrap();
    assert!(
        entry.contains("q=%28x+OR+repo%3A")
            && entry.contains("%29+is%3Aissue+repo%3Aharbor-example%2Fimport-api"),
        "{entry}"
    );
    for query in ["x OR y)", "\"x", "x) OR (y"] {
        let error = site.refusal("search", json!({"kind": "issues", "query": query})).await;
        assert_eq!(error.kind(), Kind::InvalidArgument, "{query}: {error}");
    }
}

/// GitHub answers a narrowed query with what is within it. If it did not, a total would count what is out of reach.
#[tokio::test(start_paused = true)]
async fn a_row_out_of_reach_takes_the_total_with_it() {
    let search = || json!({"kind": "issues", "query": "import", "limit": 2});
    let site = Setup::new().list("allow-repos", &[REPO]).start().await;
    let head = |text: String| text.lines().next().unwrap_or_default().to_owned();
    let whole = head(site.call("search", search()).await);
    assert!(whole.contains(" of "), "{whole}");
    let site = Setup::new().list("allow-repos", &[REPO]).start().await;
    let elsewhere = Change::set("/items/0/repository_url", json!("https://api.github.com/repos/acme/vault"));
    site.fault("GET /search/issues", Action::Patch { changes: vec![elsewhere] });
    let text = site.call("search", search()).await;
    assert!(!text.contains("vault"), "{text}");
    assert!(!head(text.clone()).contains(" of "), "{text}");
}

/// A cursor says where a listing goes on, not what is asked.
#[tokio::test(start_paused = true)]
async fn every_page_of_a_search_is_asked_for_within_reach() {
    let kinds = [
        ("issues", "import"),
        ("prs", "import"),
        ("code", "import"),
        ("repos", "in:name"),
        ("commits", "import"),
    ];
    for (kind, query) in kinds {
        let site = Setup::new().list("allow-repos", &[REPO, "harbor-example/docs"]).start().await;
        let mut arguments = json!({"kind": kind, "query": query, "limit": 1});
        for _ in 0..3 {
            let text = site.call("search", arguments.clone()).await;
            assert!(!text.contains("harbor-example/web"), "{kind}: {text}");
            let Some(next) = cursor(&text) else { break };
            arguments["cursor"] = json!(next);
        }
        let entries = site.harness().journal().entries();
        let asked: Vec<_> =
            entries.iter().filter(|entry| entry.operation.starts_with("GET /search/")).collect();
        assert!(asked.len() > 1, "{kind}: only one page was asked for");
        for entry in asked {
            assert!(format!("{entry:?}").contains("repo%3Aharbor-example%2F"), "{kind}: {entry:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ids_of_other_repositories_are_refused() {
    let site = Setup::new().list("allow-repos", &["harbor-example/docs"]).start().await;
    for (tool, arguments) in [
        (
            "link_issues",
            json!({"repo": "harbor-example/docs", "number": 11, "relation": "parent", "target": format!("{REPO}#471")}),
        ),
        (
            "create_issue",
            json!({"repo": "harbor-example/docs", "title": "x", "parent": format!("{REPO}#471")}),
        ),
        (
            "update_issue",
            json!({"repo": "harbor-example/docs", "number": 11, "duplicate_of": format!("{REPO}#471")}),
        ),
        ("create_repo", json!({"fork_of": REPO})),
    ] {
        let error = site.refusal(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Policy, "{tool}: {error}");
    }
}

/// An issue within reach was transferred: GitHub leads on to where it is (docs.github.com, "Get an issue").
#[tokio::test(start_paused = true)]
async fn an_issue_that_was_moved_out_of_reach_is_no_target() {
    let site = Setup::in_repo().list("allow-repos", &[REPO]).start().await;
    // How many issues are looked at before the one that was moved.
    for (before, tool, arguments) in [
        (0, "create_issue", json!({"title": "x", "parent": "#99"})),
        (1, "update_issue", json!({"number": 490, "duplicate_of": "#99"})),
        (1, "link_issues", json!({"number": 490, "relation": "sub_issue", "target": "#99"})),
    ] {
        let headers = [("location".to_owned(), "/repositories/3003/issues/11".to_owned())].into();
        let moved = Action::Status { code: 301, headers, body: String::new(), committed: false };
        site.rule(Rule::new("GET /repos/{owner}/{repo}/issues/{issue_number}", moved).skip(before));
        let error = site.refusal(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Policy, "{tool}: {error}");
        assert!(!error.for_agent().contains("docs"), "{tool}: {error}");
        site.harness().faults().clear();
    }
    assert_eq!(site.writes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn no_name_leads_out_of_a_repository() {
    let site = Setup::in_repo().list("allow-repos", &[REPO]).start().await;
    // What the tools refuse in words of their own is refused too.
    for (tool, arguments) in [
        ("read_file", json!({"path": "../../../web/contents/README.md"})),
        ("read_file", json!({"path": "src/../../../../web/contents/README.md"})),
        ("read_file", json!({"path": "README.md", "ref": "../../web/commits/main"})),
        ("list_tree", json!({"path": "../../../web/contents"})),
        ("list_commits", json!({"ref": "../../../web/commits/main"})),
        ("get_diff", json!({"head": "../../../harbor-example/web/commits/main"})),
        ("get_diff", json!({"base": "..", "head": "main"})),
        ("list_releases", json!({"tag": "../../../web/releases/latest"})),
        ("get_repo", json!({"repo": "harbor-example/.."})),
        (
            "manage_ref",
            json!({"action": "delete", "kind": "tag", "name": "../../../../web/git/refs/heads/x"}),
        ),
        ("run_workflow", json!({"action": "dispatch", "workflow": ".."})),
        ("manage_label", json!({"action": "delete", "name": ".."})),
    ] {
        let error = site.refusal(tool, arguments.clone()).await;
        assert!(
            matches!(error.kind(), Kind::InvalidArgument | Kind::NotFound | Kind::Policy),
            "{tool} {arguments}: {error}"
        );
    }
    for entry in site.harness().journal().entries() {
        assert!(entry.path.contains(REPO) || entry.path == "/graphql", "{entry:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_merge_goes_where_its_preview_said() {
    let site = site_in_repo().await;
    let new = json!({"title": "More", "head": "feature/with-slash/and-more", "base": "release/2.14"});
    let (status, made) = site.sandbox.send(Method::POST, &format!("repos/{REPO}/pulls"), new).await;
    assert_eq!(status, 201, "{made}");
    let number = made["number"].as_u64().unwrap();
    let question = site.open_question("merge_pr", json!({"number": number})).await;
    let path = format!("repos/{REPO}/pulls/{number}");
    let (status, body) = site.sandbox.send(Method::PATCH, &path, json!({"base": "main"})).await;
    assert_eq!(status, 200, "{body}");
    // Somebody who is asked takes a while.
    tokio::time::advance(std::time::Duration::from_millis(2_100)).await;
    let error = question.agreed().await.unwrap_err().for_agent();
    // The rules of the new base decide before it is compared with what was shown.
    assert!(error.starts_with("conflict: "), "{error}");
    assert_eq!(site.sandbox.of_repo(&format!("pulls/{number}")).await["merged"], false);
}

#[tokio::test(start_paused = true)]
async fn a_branch_that_moved_since_its_preview_is_not_deleted() {
    let site = site().await;
    let branch = "feature/with-slash/and-more";
    let delete = json!({"repo": REPO, "action": "delete", "kind": "branch", "name": branch});
    let question = site.open_question("manage_ref", delete).await;
    let file = json!({"message": "One more", "content": "b25lIG1vcmUK", "branch": branch});
    let path = format!("repos/{REPO}/contents/one-more.txt");
    let (status, body) = site.sandbox.send(Method::PUT, &path, file).await;
    assert_eq!(status, 201, "{body}");
    let error = question.agreed().await.unwrap_err().for_agent();
    assert!(error.starts_with("conflict: It has changed since it was shown"), "{error}");
    site.sandbox.of_repo(&format!("git/ref/heads/{branch}")).await;
}

#[tokio::test(start_paused = true)]
async fn what_lies_in_no_repository_is_out_of_reach_where_only_some_are_within() {
    let site = Setup::new().list("allow-repos", &["octo/cat"]).start().await;
    let file = json!({"files": [{"name": "a.txt", "content": "x"}]});
    for (tool, arguments) in [
        ("list_gists", json!({})),
        ("save_gist", file.clone()),
        ("list_project", json!({"owner": "harbor-example"})),
        ("list_project", json!({"owner": "harbor-example", "number": 1})),
    ] {
        let error = site.refusal(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Policy, "{tool}: {error}");
    }
    let site = Setup::in_repo().list("allow-write-repos", &[REPO]).start().await;
    assert_eq!(site.refusal("save_gist", file).await.kind(), Kind::Policy);
    assert!(site.call("list_gists", json!({})).await.contains("gist"));
}

#[tokio::test(start_paused = true)]
async fn huge_numbers_break_nothing() {
    let site = site_in_repo().await;
    let changes = vec![Change::set("", json!({"Rust": u64::MAX, "Shell": u64::MAX, "C": -1}))];
    site.fault("GET /repos/{owner}/{repo}/languages", Action::Patch { changes });
    let text = site.call("get_repo", json!({"include": ["languages"]})).await;
    assert!(text.contains("Rust"), "{text}");
}
