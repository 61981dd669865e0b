//! The tools that read pull requests, against the sandbox.

use crate::support::{
    REPO_PATH,
    reply::{cursor, numbers},
    server::{Setup, site_in_repo},
};
use connector::sandbox::Action;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_listing_has_what_a_reviewer_looks_for_in_one_request() {
    let site = site_in_repo().await;
    insta::assert_snapshot!(site.still("list_prs", json!({})).await);
    assert_eq!((site.requests(), site.sent("PullList")), (1, 1));
}

#[tokio::test]
async fn a_listing_says_which_conflict_and_of_which_github_does_not_know_yet() {
    let site = site_in_repo().await;
    // Through GraphQL's own filters, and through search.
    for arguments in [json!({}), json!({"author": "priya"})] {
        let text = site.reply("list_prs", arguments).await;
        assert!(text.contains("\n#488 open, conflicts, review required"), "{text}");
        assert_eq!(text.matches("conflict").count(), 1, "{text}");
    }
    // With a new head it is worked out anew, which the first question begins.
    let path = format!("{REPO_PATH}/pulls/486/update-branch");
    site.sandbox.write(Method::PUT, &path, json!({})).await;
    let text = site.reply("list_prs", json!({})).await;
    assert!(text.ends_with("\nGitHub is still working out whether #486 conflicts; ask again."), "{text}");
    let text = site.reply("list_prs", json!({})).await;
    assert!(!text.contains("still working out"), "{text}");
    let closed = site.reply("list_prs", json!({"state": "closed"})).await;
    assert!(!closed.contains("still working out"), "{closed}");
    let site = Setup::in_repo().structured(true).start().await;
    let data = site.data("list_prs", json!({})).await;
    let of = |number: u64| data["items"].as_array().unwrap().iter().find(|row| row["number"] == number);
    assert_eq!((&of(488).unwrap()["conflicts"], of(487).unwrap().get("conflicts")), (&json!(true), None));
}

#[tokio::test]
async fn every_filter_is_one_request_and_finds_what_it_says() {
    let site = site_in_repo().await;
    // Who "me" is needs to be known once.
    site.reply("list_prs", json!({"author": "me"})).await;
    for (arguments, expected) in [
        (json!({"author": "dependabot[bot]"}), vec![487]),
        (json!({"review_requested": "me"}), vec![485]),
        (json!({"review_requested": "harbor-example/imports"}), vec![487]),
        (json!({"draft": true}), vec![486]),
        (json!({"head": "tomas/eng-31-progress"}), vec![485]),
        (json!({"head": "refs/heads/tomas/eng-31-progress"}), vec![485]),
        (json!({"head": "harbor-example:tomas/eng-31-progress"}), vec![485]),
        (json!({"head": "maya:tomas/eng-31-progress"}), vec![]),
        (json!({"labels": ["performance"]}), vec![488]),
        (json!({"labels": ["importer", "performance"]}), vec![]),
        (json!({"state": "merged", "author": "tomas", "labels": ["incident", "P1"]}), vec![482]),
    ] {
        let before = site.requests();
        let text = site.reply("list_prs", arguments.clone()).await;
        assert_eq!(numbers(&text), expected, "{arguments}: {text}");
        // Where nothing is found, names are looked up.
        assert!(expected.is_empty() || site.requests() == before + 1, "{arguments}");
    }
}

#[tokio::test]
async fn pages_show_every_pull_request_once() {
    let site = site_in_repo().await;
    let mut seen = Vec::new();
    for text in site.pages("list_prs", json!({"state": "all", "limit": 3})).await {
        seen.extend(numbers(&text));
    }
    let all = site.sandbox.of_repo("pulls?state=all&per_page=100").await;
    let all: Vec<u64> = all.as_array().unwrap().iter().map(|pull| pull["number"].as_u64().unwrap()).collect();
    assert_eq!(seen, all);
}

#[tokio::test]
async fn a_pull_request_comes_with_all_its_parts_from_one_request() {
    let site = site_in_repo().await;
    let include = ["checks", "reviews", "threads", "comments", "commits"];
    insta::assert_snapshot!(site.still("get_pr", json!({"number": 485, "include": include})).await);
    assert_eq!(site.sent("PullGet"), 1);
}

#[tokio::test]
async fn only_unresolved_threads_are_shown_where_that_is_asked() {
    let site = site_in_repo().await;
    let arguments = json!({"number": 485, "include": ["threads"], "unresolved_only": true});
    let text = site.reply("get_pr", arguments).await;
    assert!(!text.contains(", resolved"), "{text}");
    assert_eq!(text.matches(", unresolved").count(), 3, "{text}");
}

#[tokio::test]
async fn reviews_and_threads_cost_a_third_of_github_s_own_json_at_most() {
    let site = site_in_repo().await;
    let text = site.reply("get_pr", json!({"number": 485, "include": ["reviews", "threads"]})).await;
    let mut json = 0;
    for path in ["pulls/485", "pulls/485/reviews", "pulls/485/comments"] {
        json += site.sandbox.of_repo(path).await.to_string().len();
    }
    assert!(text.len() * 3 <= json, "{} of {json} bytes", text.len());
}

#[tokio::test]
async fn what_does_not_fit_goes_on_with_a_cursor_and_nothing_is_lost() {
    let site = site_in_repo().await;
    let body: String = (0..400).map(|line| format!("line {line} of a long description\n\n")).collect();
    let patch = json!({"body": body});
    let (status, _) = site.sandbox.send(Method::PATCH, &format!("{REPO_PATH}/pulls/485"), patch).await;
    assert_eq!(status, 200);
    for number in 0..25 {
        let comment = json!({"body": format!("remark {number:02} {}", "word ".repeat(300))});
        let (status, _) =
            site.sandbox.send(Method::POST, &format!("{REPO_PATH}/issues/485/comments"), comment).await;
        assert_eq!(status, 201);
    }
    let arguments = json!({"number": 485, "include": ["comments", "commits"]});
    let first = site.reply("get_pr", arguments.clone()).await;
    assert!(first.len() <= 32 * 1024, "{}", first.len());
    // The body, then the comments, each by its own cursor.
    let mut cursors: Vec<String> = first
        .match_indices("cursor \"")
        .filter_map(|(at, _)| cursor(&first[at..]).map(str::to_owned))
        .collect();
    assert_eq!(cursors.len(), 2, "{first}");
    let mut all = first;
    while let Some(next) = cursors.pop() {
        let mut arguments = arguments.clone();
        arguments["cursor"] = json!(next);
        let more = site.reply("get_pr", arguments).await;
        cursors.extend(cursor(&more).map(str::to_owned));
        all.push_str(&more);
        assert!(all.len() < 200_000, "it goes round in a circle");
    }
    for number in 0..25 {
        assert_eq!(all.matches(&format!("remark {number:02} ")).count(), 1, "{number}");
    }
    for line in 0..400 {
        assert_eq!(all.matches(&format!("line {line} of")).count(), 1, "{line}");
    }
}

#[tokio::test]
async fn a_number_that_is_no_pull_request_is_not_found() {
    let site = site_in_repo().await;
    insta::assert_snapshot!(site.still("get_pr", json!({"number": 471})).await);
    let text = site.reply("get_pr", json!({"number": 485, "wait_seconds": 51})).await;
    assert!(text.starts_with("ERROR invalid_argument") && text.contains("at most 50"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn github_is_asked_again_once_where_it_does_not_know_whether_it_can_be_merged() {
    let site = site_in_repo().await;
    // "mergeable: null" of REST (docs.github.com, "Get a pull request") is UNKNOWN in GraphQL.
    let unknown = Action::patch("/data/repository/pullRequest/mergeable", json!("UNKNOWN"));
    site.fault("PullGet", unknown.clone());
    let text = site.reply("get_pr", json!({"number": 485})).await;
    assert!(text.contains("cannot be merged yet: @priya requested changes"), "{text}");
    assert_eq!((site.sent("PullGet"), site.sent("PullPulse")), (1, 1));
    for operation in ["PullGet", "PullPulse"] {
        site.fault(operation, unknown.clone());
    }
    let text = site.reply("get_pr", json!({"number": 485})).await;
    assert!(text.contains("GitHub is still working out whether it can be merged; ask again"), "{text}");
    assert_eq!((site.sent("PullGet"), site.sent("PullPulse")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_the_checks_are_finished_or_the_time_is_over() {
    let site = site_in_repo().await;
    let (text, said) = site.heard("get_pr", json!({"number": 486, "wait_seconds": 20})).await;
    assert!(text.contains("Waited 20 s: ") && text.contains("call again to wait on"), "{text}");
    assert!(said.len() >= 4 && said.windows(2).all(|pair| pair[0].done < pair[1].done), "{said:?}");
    assert!(said[0].message.starts_with("checks "), "{said:?}");
    let mut finished = String::new();
    for _ in 0..4 {
        finished = site.reply("get_pr", json!({"number": 486, "wait_seconds": 50})).await;
        if finished.contains("all checks are finished") {
            break;
        }
    }
    assert!(finished.contains("all checks are finished"), "{finished}");
    let done = site.reply("get_pr", json!({"number": 486, "wait_seconds": 50})).await;
    assert!(done.contains("Waited 0 s"), "{done}");
}
