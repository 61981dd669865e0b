//! Reading issues, comments and the workspace: what a model reads, and what Linear is asked for it.

use crate::planning_support::{cursor, site};
use connector::{
    Connector as _,
    access::Principal,
    catalog::{Answer, Silent},
    sandbox::{Action, Rule},
};
use serde_json::json;

/// `text` without what stands between `from` and `to`, which differs from run to run.
fn without(text: &str, from: &str, to: &str) -> String {
    let (before, rest) = text.split_once(from).unwrap();
    let (_, after) = rest.split_once(to).unwrap();
    format!("{before}{from}…{to}{after}")
}

#[tokio::test]
async fn a_listing_by_names_takes_one_request() {
    let site = site().await;
    let listed = site
        .call(
            "list_issues",
            json!({"team": "eng", "state": ["open"], "labels": ["Bug"], "sort": "priority", "limit": 20}),
        )
        .await;
    insta::assert_snapshot!("list_issues", listed);
    assert_eq!(site.harness().journal().operations(), ["ListIssues"]);
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_overlap() {
    let site = site().await;
    let rows = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("ENG-")).map(str::to_owned).collect()
    };
    let whole = site.raw("list_issues", json!({"team": "ENG", "limit": 100, "include_archived": true})).await;
    let mut seen = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let mut arguments = json!({"team": "ENG", "limit": 7, "include_archived": true});
        if let Some(next) = &next {
            arguments["cursor"] = json!(next);
        }
        let page = site.raw("list_issues", arguments).await;
        seen.extend(rows(&page));
        match cursor(&page) {
            Some(cursor) => next = Some(cursor.to_owned()),
            None => break,
        }
    }
    assert_eq!(seen, rows(&whole));
    assert!(seen.len() > 30, "{}", seen.len());
}

#[tokio::test]
async fn an_unknown_name_is_an_error_and_not_an_empty_list() {
    let site = site().await;
    for (arguments, says) in [
        (json!({"team": "ENGG"}), "There is no team `ENGG`. Did you mean ENG (Engineering)?"),
        (json!({"team": "ENG", "state": "Doing"}), "There is no state `Doing`"),
        (json!({"assignee": "nobody-here"}), "There is no person `nobody-here`"),
        (json!({"labels": ["Bug", "Buggy"]}), "There is no label `Buggy`. Did you mean `Bug`?"),
        (json!({"project": "Nonsense"}), "There is no project `Nonsense`"),
    ] {
        let text = site.call("list_issues", arguments.clone()).await;
        assert!(text.starts_with("ERROR not_found") && text.contains(says), "{arguments}: {text}");
    }
    // Names that are right and find nothing are just that.
    let text = site.call("list_issues", json!({"team": "GRO", "labels": ["Bug"], "assignee": "tomas"})).await;
    assert!(text.starts_with("No issues"), "{text}");
}

#[tokio::test]
async fn the_beginning_of_a_name_is_enough_where_it_is_the_only_one() {
    let site = site().await;
    let text = site.call("list_issues", json!({"assignee": "priya r", "limit": 2})).await;
    assert!(text.contains("@priya"), "{text}");
    let text = site.call("list_issues", json!({"project": "import a", "limit": 2})).await;
    assert!(text.starts_with("2 issues"), "{text}");
}

#[tokio::test]
async fn filters_narrow_as_they_say() {
    let site = site().await;
    let mut out = String::new();
    for arguments in [
        json!({"assignee": "me", "state": "open"}),
        json!({"assignee": "none", "team": ["OPS", "GRO"], "limit": 3}),
        json!({"cycle": "current", "team": "ENG", "priority": ["urgent", "high"]}),
        json!({"overdue": true}),
        json!({"blocked": true, "limit": 5}),
        json!({"query": "duplicate rows", "limit": 3}),
        json!({"updated_since": "2d", "team": "ENG", "limit": 3, "fields": ["updated", "title"]}),
        json!({"priority": "asap"}),
        json!({"stat": "open"}),
    ] {
        out.push_str(&format!("{arguments}\n{}\n\n", site.call("list_issues", arguments.clone()).await));
    }
    insta::assert_snapshot!("list_issues_filters", without(&out, "changed since ", ";"));
    let soon = site.raw("list_issues", json!({"created_since": "soon"})).await;
    assert!(
        soon.starts_with("ERROR invalid_argument: `created_since`: `soon` is no time. Use a date such"),
        "{soon}"
    );
}

#[tokio::test]
async fn an_issue_is_shown_with_everything_around_it() {
    let site = site().await;
    let include = ["comments", "relations", "children", "attachments", "history"];
    let text = site.call("get_issue", json!({"id": "ENG-27", "include": include, "max_chars": 600})).await;
    insta::assert_snapshot!("get_issue", without(&text, "→ now (", ")"));
    // It blocks an issue, and what else does is asked for by itself.
    assert_eq!(site.harness().journal().operations(), ["GetIssue", "Blockers"]);
    let rest = site.raw("get_issue", json!({"id": "ENG-27", "max_chars": 200, "offset": 600})).await;
    assert!(rest.contains("[from character 600]"), "{rest}");
}

#[tokio::test]
async fn several_issues_come_in_one_request_and_the_missing_ones_are_named() {
    let site = site().await;
    let text = site
        .call(
            "get_issue",
            json!({"ids": ["ENG-30", "OPS-7", "ENG-9999", "eng-30", "NOPE-1"], "max_chars": 120}),
        )
        .await;
    insta::assert_snapshot!("get_issue_several", text);
    assert_eq!(site.sent("GetIssues"), 1);
    let text = site.call("get_issue", json!({"id": "ENG-9999"})).await;
    assert_eq!(
        text,
        "ERROR not_found: Linear has no issue ENG-9999. It does not exist, or this credential cannot see it; search finds issues by words."
    );
    let text = site.call("get_issue", json!({"id": "what"})).await;
    assert!(text.starts_with("ERROR invalid_argument: `id`: `what` is not an issue"), "{text}");
    let text = site.call("get_issue", json!({"id": "ENG-1", "branch": "x"})).await;
    assert!(text.contains("Give one of"), "{text}");
}

#[tokio::test]
async fn an_issue_is_found_by_its_branch_and_its_address() {
    let site = site().await;
    let text =
        site.raw("get_issue", json!({"id": "https://linear.app/harbor/issue/ENG-30/some-title"})).await;
    assert!(text.starts_with("ENG-30: "), "{text}");
    let branch = text.lines().find_map(|line| line.strip_prefix("branch ")).unwrap();
    let found = site.raw("get_issue", json!({"branch": branch})).await;
    assert!(found.starts_with("ENG-30: "), "{found}");
    let missing = site.raw("get_issue", json!({"branch": "main"})).await;
    assert!(missing.starts_with("ERROR not_found"), "{missing}");
}

#[tokio::test]
async fn what_people_wrote_stays_inside_its_fence() {
    let site = site().await;
    let text = site.raw("get_issue", json!({"id": "ENG-36", "include": ["comments"]})).await;
    let nonce = text.split_once("<data ").unwrap().1.get(..10).unwrap().to_owned();
    let (before, inside) = text.split_once(&format!("<data {nonce}")).unwrap();
    assert!(!before.contains("administrator"), "{before}");
    assert!(inside.contains(&format!("</data {nonce}>")), "{inside}");
    assert!(!text.contains('\u{202e}') && !text.contains('\u{200b}'), "{text}");
}

#[tokio::test]
async fn a_part_that_fails_is_told_and_the_rest_is_shown() {
    let site = site().await;
    site.harness().faults().add(Rule::new("SearchDocuments", Action::status(400)));
    let text = site.call("search", json!({"query": "import", "limit": 3})).await;
    assert!(text.starts_with("Not searched: documents: "), "{text}");
    assert!(text.contains("ENG-27"), "{text}");
}

#[tokio::test]
async fn searches_find_by_words_and_by_meaning() {
    let site = site().await;
    let mut out = String::new();
    for arguments in [
        json!({"query": "import", "limit": 3}),
        json!({"query": "duplicate", "types": ["issue"], "limit": 2}),
        json!({"query": "customers see rows twice", "mode": "semantic", "limit": 4}),
        json!({"query": "grow", "types": ["initiative"]}),
        json!({"query": "zzzzzz"}),
        json!({"query": " "}),
    ] {
        out.push_str(&format!("{arguments}\n{}\n\n", site.call("search", arguments.clone()).await));
    }
    insta::assert_snapshot!("search", out);
}

#[tokio::test]
async fn comments_are_listed_newest_first() {
    let site = site().await;
    let listed = site.call("list_comments", json!({"issue": "ENG-27", "limit": 3})).await;
    insta::assert_snapshot!("list_comments", listed);
    let missing = site.call("list_comments", json!({"issue": "ENG-9999"})).await;
    assert!(missing.starts_with("ERROR not_found: Linear has no issue ENG-9999"), "{missing}");
    let none = site.call("list_comments", json!({})).await;
    assert!(none.contains("Give one of"), "{none}");
}

#[tokio::test]
async fn the_workspace_introduces_itself() {
    let site = site().await;
    insta::assert_snapshot!("whoami", without(&site.call("whoami", json!({})).await, "Limits left: ", "."));
    insta::assert_snapshot!("get_team", site.call("get_team", json!({"team": "Engineering"})).await);
    insta::assert_snapshot!("list_users", site.call("list_users", json!({})).await);
    let found = site.call("list_users", json!({"query": "priya", "team": "ENG"})).await;
    assert!(found.starts_with("1 person (in ENG; disabled ones left out)"), "{found}");
    let missing = site.call("get_team", json!({})).await;
    assert!(missing.contains("Teams: "), "{missing}");
}

#[tokio::test]
async fn doctor_says_what_works() {
    let site = site().await;
    // It compares the clocks.
    site.harness().clock().reset();
    let checks = site.service().server().diagnose().await;
    let lines: Vec<String> =
        checks.iter().map(|check| format!("{:?} {}: {}", check.state, check.name, check.found)).collect();
    insta::assert_snapshot!("doctor", without(&lines.join("\n"), "limits: ", "000,000"));
}

#[tokio::test(start_paused = true)]
async fn doctor_says_what_is_wrong_with_a_refused_credential() {
    let site = site().await;
    site.harness().faults().add(Rule::new("*", Action::Unauthorized).always());
    let checks = site.service().server().diagnose().await;
    let account = checks.iter().find(|check| check.name == "account").unwrap();
    assert_eq!(account.state, connector::CheckState::Bad);
    assert!(account.fix.as_deref().unwrap().contains("not revoked"), "{account:?}");
}

#[tokio::test]
async fn images_that_linear_keeps_come_with_the_issue() {
    let site = site().await;
    let pixel =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let file = json!({"issue": "OPS-7", "content": pixel, "filename": "pixel.png"});
    let attached = site.raw("attach", file).await;
    let (_, markdown) = attached.split_once("in Markdown: ").unwrap_or_else(|| panic!("{attached}"));
    let text = format!("{} ![elsewhere](https://example.com/x.png)", markdown.lines().next().unwrap());
    site.call("update_issue", json!({"id": "OPS-7", "append": text})).await;
    let call = site.service().tool("get_issue").unwrap();
    let arguments = json!({"id": "OPS-7", "include": ["images"]}).as_object().cloned().unwrap();
    let answer = site
        .service()
        .call(call, Principal::local(), arguments, false, std::sync::Arc::new(Silent))
        .await
        .unwrap();
    let Answer::Reply(reply) = answer else { panic!("a reading asks nothing") };
    let rendered = site.service().render(reply);
    assert_eq!(rendered.images.len(), 1, "{}", rendered.text);
    assert_eq!(rendered.images[0].mime_type, "image/png");
}
