//! The tools that read issues and conversations, against the sandbox.

use crate::support::{
    MAYA, REPO_PATH,
    reply::{cursor, numbers, still},
    server::{Setup, site_in_repo},
};
use connector::{
    Kind,
    sandbox::{Action, Change},
};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn a_listing_is_one_request_a_page_and_shows_no_pull_request() {
    let site = site_in_repo().await;
    let text = site.still("list_issues", json!({"limit": 7})).await;
    insta::assert_snapshot!(text);
    assert_eq!((site.requests(), site.sent("IssueList")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_listing_can_be_read_to_its_end_page_by_page() {
    let site = site_in_repo().await;
    let open = site.sandbox.of_repo("issues?state=open&per_page=100").await;
    let wanted: Vec<u64> = open
        .as_array()
        .unwrap()
        .iter()
        .filter(|issue| issue["pull_request"].is_null())
        .map(|issue| issue["number"].as_u64().unwrap())
        .collect();
    let mut got = Vec::new();
    let pages = site.pages("list_issues", json!({"limit": 7})).await;
    for (page, text) in pages.iter().enumerate() {
        assert!(text.contains(&format!(" of {} issues", wanted.len())) || page > 3, "{text}");
        got.extend(numbers(text));
    }
    assert_eq!(got, wanted);
    assert!(pages.len() >= 3 && site.sent("IssueList") == pages.len(), "{}", pages.len());
}

#[tokio::test(start_paused = true)]
async fn a_small_budget_cuts_rows_and_the_cursor_goes_on_after_the_last_one_shown() {
    let site = Setup::in_repo().budget(1_500).start().await;
    let first = site.call("list_issues", json!({"limit": 20})).await;
    assert!(first.contains("cut to fit"), "{first}");
    let again = site.call("list_issues", json!({"limit": 20, "cursor": cursor(&first).unwrap()})).await;
    let (first, again) = (numbers(&first), numbers(&again));
    assert!(first.len() < 20 && !again.is_empty());
    assert!(again[0] < *first.last().unwrap(), "newest first: {first:?} {again:?}");
    assert!(again.iter().all(|number| !first.contains(number)));
}

#[tokio::test(start_paused = true)]
async fn every_filter_finds_what_it_says() {
    let site = site_in_repo().await;
    for (arguments, wanted) in [
        (json!({"labels": ["P1", "incident"], "state": "all"}), vec![471]),
        (json!({"assignee": "@me"}), vec![473]),
        (json!({"assignee": "@Jonas", "labels": ["performance"], "milestone": "V2.15"}), vec![478]),
        (json!({"author": "sofia", "labels": "good first issue"}), vec![435, 431]),
        (json!({"milestone": "v2.14", "state": "closed", "author": "priya"}), vec![471]),
        (json!({"milestone": "1", "author": "maya"}), vec![473]),
        (json!({"assignee": "none", "labels": ["P2"], "sort": "created", "order": "asc"}), vec![439, 490]),
        (json!({"type": "bug", "labels": ["P1"], "assignee": "priya", "state": "all"}), vec![471, 453]),
    ] {
        let text = site.call("list_issues", arguments.clone()).await;
        assert_eq!(numbers(&text), wanted, "{arguments}: {text}");
    }
    // Those of no milestone are what the others leave.
    let count = async |milestone: &str| {
        let arguments = json!({"milestone": milestone, "state": "all", "limit": 100});
        numbers(&site.call("list_issues", arguments).await).len()
    };
    let every = numbers(&site.call("list_issues", json!({"state": "all", "limit": 100})).await).len();
    let (none, any) = (count("none").await, count("*").await);
    assert!(none > 0 && any > 0 && none + any == every, "{none} + {any} of {every}");
    let recent = site.call("list_issues", json!({"state": "all", "since": "2d", "sort": "updated"})).await;
    let all = site.call("list_issues", json!({"state": "all", "limit": 100})).await;
    let (recent, all) = (numbers(&recent), numbers(&all));
    assert!(!recent.is_empty() && recent.len() < all.len(), "{recent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_filter_by_a_name_that_is_not_there_is_an_error_and_no_empty_list() {
    let site = site_in_repo().await;
    for (arguments, kind, says) in [
        (json!({"labels": ["performence"]}), Kind::NotFound, "Did you mean performance?"),
        (json!({"milestone": "v2.51"}), Kind::NotFound, "Did you mean v2.15?"),
        (json!({"type": "Epic"}), Kind::NotFound, "There is: Task, Bug, Feature"),
        (json!({"assigne": "tomas"}), Kind::InvalidArgument, "Did you mean `assignee`?"),
        (json!({"since": "soon"}), Kind::InvalidArgument, "`since`: `soon` is no time"),
    ] {
        let error = site.refusal("list_issues", arguments).await;
        assert_eq!(error.kind(), kind);
        assert!(error.for_agent().contains(says), "{error}");
    }
    let none = site.call("list_issues", json!({"labels": ["security"], "author": "aiko"})).await;
    assert!(none.starts_with("No issues"), "{none}");
}

#[tokio::test(start_paused = true)]
async fn twenty_issues_cost_a_third_of_github_s_own_json_at_most() {
    let site = site_in_repo().await;
    let own = site.sandbox.of_repo("issues?per_page=20").await.to_string();
    let ours = site.call("list_issues", json!({"limit": 20})).await;
    assert_eq!(numbers(&ours).len(), 20);
    assert!(ours.len() * 3 <= own.len(), "{} of {}", ours.len(), own.len());
}

#[tokio::test(start_paused = true)]
async fn an_older_server_is_asked_without_what_it_does_not_know() {
    let site = site_in_repo().await;
    let hide = ["Issue.issueType", "Issue.subIssues", "Issue.blockedBy", "Issue.duplicateOf"];
    site.sandbox.control(MAYA, "profile", json!({"hide": hide})).await;
    let include = ["sub_issues", "dependencies", "comments"];
    let text = site.call("get_issue", json!({"number": 473, "include": include})).await;
    assert!(text.contains("This GitHub does not tell sub-issues."), "{text}");
    assert!(
        text.contains("This GitHub does not tell blockers.") && text.contains("# Import API v2"),
        "{text}"
    );
    let asked = site.sent("IssueGet");
    site.call("get_issue", json!({"number": 471})).await;
    assert_eq!(site.sent("IssueGet"), asked + 1, "what it does not know is remembered");
}

#[tokio::test(start_paused = true)]
async fn an_issue_is_one_request_with_its_comments_and_reactions() {
    let site = site_in_repo().await;
    let text = site.still("get_issue", json!({"number": 471, "include": ["comments", "reactions"]})).await;
    insta::assert_snapshot!(text);
    assert_eq!(site.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_epic_shows_its_parts_what_they_wait_for_and_what_happened() {
    let site = site_in_repo().await;
    insta::assert_snapshot!(site.still("get_issue", json!({"number": 473, "include": ["sub_issues"]})).await);
    let include = ["dependencies", "timeline", "fields"];
    insta::assert_snapshot!(site.still("get_issue", json!({"number": 476, "include": include})).await);
}

#[tokio::test(start_paused = true)]
async fn linked_pull_requests_are_shown_from_both_sides() {
    let site = site_in_repo().await;
    let issue = site.call("get_issue", json!({"number": 471, "include": ["linked_prs"]})).await;
    assert!(issue.contains("PR #482 merged: Make chunk writes idempotent"), "{issue}");
    let pull = site.call("get_issue", json!({"number": 482, "include": ["linked_prs"]})).await;
    assert!(pull.contains("It is a pull request: get_pr"), "{pull}");
    assert!(pull.contains("#471 closed: Duplicate rows after a 504"), "{pull}");
}

#[tokio::test(start_paused = true)]
async fn a_long_conversation_is_read_from_its_end_to_its_beginning() {
    let site = site_in_repo().await;
    for number in 0..45 {
        let body = json!({"body": format!("remark {number:02} {}", "word ".repeat(number * 3))});
        site.sandbox.write(Method::POST, &format!("{REPO_PATH}/issues/490/comments"), body).await;
    }
    let pages = site.pages("get_issue", json!({"number": 490, "include": ["comments"]})).await;
    let first = &pages[0];
    assert!(
        first.contains("remark 44") && !first.contains("remark 00") && first.contains(" of 45 comments"),
        "{first}"
    );
    assert!(pages.len() < 10, "{} pages", pages.len());
    assert!(!pages[1].contains("# Memory"), "only older comments follow: {}", pages[1]);
    let seen: Vec<String> = pages
        .iter()
        .rev()
        .flat_map(|page| page.lines())
        .filter_map(|line| line.trim().strip_prefix("remark ")?.get(..2).map(str::to_owned))
        .collect();
    let all: Vec<String> = (0..45).map(|number| format!("{number:02}")).collect();
    assert_eq!(seen, all, "each once, newest last");
}

#[tokio::test(start_paused = true)]
async fn a_long_life_is_read_to_its_end_in_words_and_as_data() {
    let arguments = json!({"number": 490, "include": ["timeline"]});
    for structured in [false, true] {
        let site = Setup::in_repo().structured(structured).start().await;
        for number in 0..110 {
            let title = json!({"title": format!("Title {number:03}")});
            site.sandbox.write(Method::PATCH, &format!("{REPO_PATH}/issues/490"), title).await;
            // GitHub takes 80 writes a minute.
            site.sandbox.pass(1);
        }
        let mut arguments = arguments.clone();
        if structured {
            let first = site.data("get_issue", arguments.clone()).await;
            arguments["cursor"] = first["timeline_cursor"].clone();
            let second = site.data("get_issue", arguments).await;
            let rows = |page: &Value| page["timeline"].as_array().map_or(0, Vec::len);
            assert!(
                rows(&first) > 90 && rows(&second) > 5 && second["timeline_cursor"].is_null(),
                "{second}"
            );
        } else {
            let first = site.call("get_issue", arguments.clone()).await;
            arguments["cursor"] = json!(cursor(&first).expect("there is more"));
            let second = site.call("get_issue", arguments).await;
            assert!(first.contains("to \"Title 050\"") && !first.contains("to \"Title 109\""), "{first}");
            assert!(second.contains("to \"Title 109\"") && !second.contains("to \"Title 050\""), "{second}");
            assert!(cursor(&second).is_none(), "{second}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_text_and_a_long_comment_can_be_read_to_their_end() {
    let site = site_in_repo().await;
    let long: String = (0..3_000).map(|word| format!("word{word} ")).collect();
    site.sandbox.write(Method::PATCH, &format!("{REPO_PATH}/issues/490"), json!({"body": long})).await;
    let said = site
        .sandbox
        .write(Method::POST, &format!("{REPO_PATH}/issues/490/comments"), json!({"body": long}))
        .await;
    let first = site.call("get_issue", json!({"number": 490})).await;
    let (_, offset) = first.split_once("ask with offset=").expect("it says how to go on");
    let offset: u64 = offset.split(']').next().unwrap().parse().unwrap();
    let second = site.call("get_issue", json!({"number": 490, "offset": offset})).await;
    assert!(!first.contains("word2000 ") && second.contains("word2000 "), "{second}");
    let listed = site.call("get_issue", json!({"number": 490, "include": ["comments"]})).await;
    let hint = format!("get_issue with comment={}, offset=", said["id"]);
    let (_, offset) = listed.split_once(&hint).expect("a long comment says how to go on");
    let offset: u64 = offset.split(']').next().unwrap().parse().unwrap();
    let rest = site.call("get_issue", json!({"number": 490, "comment": said["id"], "offset": offset})).await;
    assert!(rest.contains("word700 ") && !rest.contains("word1 "), "{rest}");
    let error = site.refusal("get_issue", json!({"number": 471, "comment": said["id"]})).await;
    assert!(error.for_agent().contains("under #490"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_people_outside_wrote_is_fenced_and_has_no_hidden_characters() {
    let site = site_in_repo().await;
    let text = site
        .call("get_issue", json!({"repo": "harbor-example/docs", "number": 12, "include": ["comments"]}))
        .await;
    for hidden in ['\u{200b}', '\u{202e}', '\u{e0041}'] {
        assert!(!text.contains(hidden), "{text:?}");
    }
    assert!(text.contains("by @quickfix-9000 (outsider)"), "{text}");
    insta::assert_snapshot!(still(&text));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_was_moved_or_deleted_says_so() {
    let site = site_in_repo().await;
    let error = site.refusal("get_issue", json!({"number": 99_999})).await;
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.for_agent().contains("harbor-example/import-api#99999 does not exist"), "{error}");
    // A transferred issue answers 301 where it was (docs.github.com, "Get an issue").
    let headers = [("location".to_owned(), "/repositories/3003/issues/11".to_owned())].into();
    let moved = Action::Status { code: 301, headers, body: String::new(), committed: false };
    site.fault("GET /repos/{owner}/{repo}/issues/{issue_number}", moved);
    let error = site.refusal("get_issue", json!({"number": 99_999})).await;
    assert!(error.for_agent().contains("was moved: it is harbor-example/docs#11 now"), "{error}");
    let renamed = site.call("get_issue", json!({"repo": "harbor-example/importer", "number": 471})).await;
    assert!(renamed.contains("The repository is called harbor-example/import-api now."), "{renamed}");
}

#[tokio::test(start_paused = true)]
async fn the_old_name_of_a_repository_is_no_way_around_the_allow_list() {
    let site = Setup::new()
        .list(
            "allow-repos",
            &["harbor-example/importer", "harbor-example/docs", "harbor-example/import-api-*"],
        )
        .start()
        .await;
    for tool in ["get_issue", "list_issues"] {
        let mut arguments = json!({"repo": "harbor-example/importer"});
        if tool == "get_issue" {
            arguments["number"] = json!(471);
        }
        let error = site.refusal(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Policy, "{error}");
        assert!(!error.for_agent().contains("import-api"), "{error}");
    }
    let error = site
        .refusal("update_issue", json!({"repo": "harbor-example/importer", "number": 471, "title": "x"}))
        .await;
    assert_eq!(error.kind(), Kind::Policy, "{error}");
}

#[tokio::test(start_paused = true)]
async fn data_fits_its_schema() {
    let site = Setup::in_repo().structured(true).start().await;
    let rows = site.data("list_issues", json!({"limit": 30, "state": "all"})).await;
    assert_eq!(rows["items"].as_array().map(Vec::len), Some(30));
    let include = ["comments", "timeline", "sub_issues", "dependencies", "linked_prs", "fields", "reactions"];
    for number in [471, 473, 476, 482] {
        let issue = site.data("get_issue", json!({"number": number, "include": include})).await;
        assert_eq!(issue["number"], json!(number));
        assert!(issue["updated_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{issue}");
    }
    let comments = site.data("get_issue", json!({"number": 471, "include": ["comments"]})).await;
    assert_eq!(comments["comments"][0]["id"], json!(47101));
    for (kind, query) in [
        ("issues", "504"),
        ("code", "chunk repo:harbor-example/import-api"),
        ("repos", "harbor"),
        ("commits", "chunk"),
        ("users", "tomas"),
    ] {
        let found = site.data("search", json!({"kind": kind, "query": query})).await;
        assert!(found["items"].as_array().is_some_and(|items| !items.is_empty()), "{kind}: {found}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_of_another_shape_are_read_all_the_same() {
    let site = site_in_repo().await;
    let changes = vec![
        Change::set("/data/repository/issues/nodes/0/author", Value::Null),
        Change::set("/data/repository/issues/nodes/0/labels", Value::Null),
        Change::set("/data/repository/issues/nodes/0/number", json!("490")),
        Change::set("/data/repository/issues/totalCount", json!("many")),
    ];
    site.fault("IssueList", Action::Patch { changes });
    let text = site.call("list_issues", json!({"limit": 2})).await;
    assert!(text.contains("#490 open, by @ghost"), "{text}");
}
