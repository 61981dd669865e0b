//! The tools that open, change, review and merge pull requests, against the sandbox.

use crate::support::{
    REPO, REPO_PATH, TOMAS,
    server::{Setup, Site, site_in_repo},
};
use connector::sandbox::{Action, Rule};
use reqwest::Method;
use serde_json::{Value, json};

const POST_PULL: &str = "POST /repos/{owner}/{repo}/pulls";
const POST_REVIEW: &str = "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews";
const MERGE: &str = "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge";
/// A branch that no pull request comes from, and one that demands nothing.
const BRANCH: &str = "feature/with-slash/and-more";
const FREE: &str = "release/2.14";

/// The number that a reply to `create_pr` gives.
fn opened(text: &str) -> u64 {
    let (_, rest) = text.split_once(&format!("{REPO}#")).unwrap_or_else(|| panic!("{text}"));
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    number.parse().unwrap_or_else(|_| panic!("{text}"))
}

/// Opens a pull request that nothing keeps from being merged.
async fn free_pull(site: &Site) -> u64 {
    opened(&site.reply("create_pr", json!({"title": "More", "head": BRANCH, "base": FREE})).await)
}

/// The head of a pull request.
async fn head(site: &Site, number: u64) -> String {
    site.sandbox.of_repo(&format!("pulls/{number}")).await["head"]["sha"].as_str().unwrap().to_owned()
}

// create_pr

#[tokio::test]
async fn a_pull_request_is_opened_with_all_that_belongs_to_it() {
    let site = site_in_repo().await;
    let arguments = json!({
        "title": "More of the feature", "head": BRANCH, "body": "For @priya.\n\nSee #475.", "draft": true,
        "reviewers": ["tomas", "harbor-example/imports"], "labels": ["importer"], "assignees": ["maya"],
    });
    let before = site.sandbox.dump();
    let mut dry = arguments.clone();
    dry["dry_run"] = json!(true);
    insta::assert_snapshot!("create_pr_dry", site.still("create_pr", dry).await);
    assert_eq!(site.sandbox.dump(), before, "a dry run changes nothing");
    let text = site.reply("create_pr", arguments).await;
    let number = opened(&text);
    let pull = site.sandbox.of_repo(&format!("pulls/{number}")).await;
    assert_eq!((pull["draft"].as_bool(), &pull["base"]["ref"]), (Some(true), &json!("main")));
    assert_eq!(pull["labels"][0]["name"], "importer");
    assert_eq!(pull["requested_reviewers"][0]["login"], "tomas");
    assert_eq!(pull["requested_teams"][0]["slug"], "imports");
    assert_eq!(pull["assignees"][0]["login"], "maya", "{text}");
}

#[tokio::test]
async fn a_reviewer_who_is_not_accepted_is_named_and_the_pull_request_stands() {
    let site = site_in_repo().await;
    // Who collaborates may not be known ahead: that takes the right to push.
    site.fault("GET /repos/{owner}/{repo}/collaborators/{username}", Action::status(403));
    let arguments =
        json!({"title": "More", "head": BRANCH, "labels": ["importer"], "reviewers": ["nobody-here"]});
    let text = site.reply("create_pr", arguments).await;
    assert!(
        text.contains("NOT done, but the pull request stands: review requested from @nobody-here"),
        "{text}"
    );
    let pull = site.sandbox.of_repo(&format!("pulls/{}", opened(&text))).await;
    assert_eq!(pull["labels"][0]["name"], "importer");
}

#[tokio::test]
async fn one_that_is_open_already_is_named_before_anything_is_sent() {
    let site = site_in_repo().await;
    let text = site.reply("create_pr", json!({"title": "Again", "head": "tomas/eng-31-progress"})).await;
    assert!(text.starts_with("ERROR conflict: #485 is open already"), "{text}");
    let text = site.reply("create_pr", json!({"title": "X", "head": "no/such-branch"})).await;
    assert!(text.starts_with("ERROR not_found") && text.contains("no branch no/such-branch"), "{text}");
    let text = site.reply("create_pr", json!({"title": "X", "head": BRANCH, "base": "nowhere"})).await;
    assert!(
        text.starts_with("ERROR not_found") && text.contains("no branch nowhere to merge into"),
        "{text}"
    );
    assert_eq!(site.sent(POST_PULL), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_opening_is_found_out_and_nothing_is_opened_twice() {
    let site = site_in_repo().await;
    site.fault(POST_PULL, Action::CloseAfter);
    let text = site.reply("create_pr", json!({"title": "More", "head": BRANCH})).await;
    let number = opened(&text);
    assert!(text.contains("GitHub's answer was lost, but it is done: opened "), "{text}");
    assert_eq!(site.sent(POST_PULL), 1);
    assert_eq!(site.sandbox.of_repo(&format!("pulls/{number}")).await["title"], "More");
}

#[tokio::test(start_paused = true)]
async fn an_opening_that_never_arrived_is_not_taken_for_done() {
    let site = site_in_repo().await;
    site.fault(POST_PULL, Action::Stall);
    site.fault(POST_PULL, Action::CloseBefore);
    let head = format!("harbor-example:{BRANCH}");
    let text = site.reply("create_pr", json!({"title": "More", "head": BRANCH})).await;
    let there = site.sandbox.of_repo(&format!("pulls?head={head}")).await;
    let is_there = there.as_array().unwrap().len() == 1;
    assert_eq!(text.to_lowercase().contains("opened"), is_there, "{text}");
}

// update_pr

#[tokio::test]
async fn only_what_is_given_changes_and_the_reply_says_it() {
    let site = site_in_repo().await;
    let edits = json!([{"old": "after every chunk", "new": "after every second chunk"}]);
    let arguments = json!({
        "number": 485, "title": "Progress of a job", "body_edits": edits, "set": "draft",
        "add_reviewers": ["jonas", "maya"], "remove_reviewers": ["priya"],
    });
    insta::assert_snapshot!(site.still("update_pr", arguments).await);
    let pull = site.sandbox.of_repo("pulls/485").await;
    assert_eq!((&pull["title"], pull["draft"].as_bool()), (&json!("Progress of a job"), Some(true)));
    assert!(pull["body"].as_str().unwrap().contains("after every second chunk"));
    assert_eq!(pull["requested_reviewers"].as_array().unwrap().len(), 2);
    let again =
        site.reply("update_pr", json!({"number": 485, "set": "draft", "title": "Progress of a job"})).await;
    assert!(again.starts_with("Nothing to change"), "{again}");
}

#[tokio::test]
async fn ready_is_a_transition_of_its_own_and_is_read_back() {
    let site = site_in_repo().await;
    let text = site.reply("update_pr", json!({"number": 486, "set": "ready"})).await;
    assert!(text.contains("stage draft → ready for review"), "{text}");
    assert_eq!(site.sandbox.of_repo("pulls/486").await["draft"], false);
}

#[tokio::test]
async fn replacing_a_body_asks_and_the_rest_does_not() {
    let site = site_in_repo().await;
    assert!(site.asks("update_pr", json!({"number": 485, "body": "All new."})).await);
    assert_eq!(site.sandbox.of_repo("pulls/485").await["state"], "open", "asking changes nothing");
    let edits = json!([{"old": "after every chunk", "new": "after each chunk"}]);
    for harmless in [json!({"title": "T"}), json!({"body_edits": edits}), json!({"set": "draft"})] {
        let mut arguments = harmless.clone();
        arguments["number"] = json!(485);
        assert!(!site.asks("update_pr", arguments).await, "{harmless}");
    }
    let text = site.reply("update_pr", json!({"number": 485, "set": "close"})).await;
    assert!(text.contains("state open → closed"), "{text}");
    let text = site.reply("update_pr", json!({"number": 485, "set": "reopen"})).await;
    assert!(text.contains("state closed → open"), "{text}");
    let text = site.reply("update_pr", json!({"number": 482, "set": "reopen"})).await;
    assert!(text.starts_with("ERROR conflict: #482 is merged already"), "{text}");
}

#[tokio::test]
async fn what_changed_since_it_was_read_is_not_overwritten() {
    let site = site_in_repo().await;
    let arguments = json!({"number": 485, "title": "T", "expected_updated_at": "2020-01-01T00:00:00Z"});
    let text = site.reply("update_pr", arguments).await;
    assert!(text.starts_with("ERROR conflict: #485 changed meanwhile"), "{text}");
    let edits = json!([{"old": "nowhere in it", "new": "x"}]);
    let text = site.reply("update_pr", json!({"number": 485, "body_edits": edits})).await;
    assert!(text.starts_with("ERROR conflict"), "{text}");
    assert_eq!(site.sent("PATCH /repos/{owner}/{repo}/pulls/{pull_number}"), 0);
}

#[tokio::test]
async fn a_branch_is_brought_up_to_date_with_its_base() {
    let site = site_in_repo().await;
    let before = head(&site, 485).await;
    let text = site.reply("update_pr", json!({"number": 485, "set": "update_branch"})).await;
    assert!(text.contains("GitHub accepted to merge main into tomas/eng-31-progress"), "{text}");
    let sent = &site.harness().journal().of("PUT /repos/{owner}/{repo}/pulls/{pull_number}/update-branch")[0];
    assert_eq!(sent.json(), json!({"expected_head_sha": before}));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_changed_while_somebody_was_asked_is_not_overwritten() {
    let site = site_in_repo().await;
    let question = site.open_question("update_pr", json!({"number": 485, "body": "All new."})).await;
    let other = json!({"body": "Somebody else's."});
    let (status, _) =
        site.sandbox.send_as(TOMAS, Method::PATCH, &format!("{REPO_PATH}/pulls/485"), other).await;
    assert_eq!(status, 200);
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let error = question.agreed().await.unwrap_err().for_agent();
    assert!(error.starts_with("conflict: It has changed since it was shown"), "{error}");
    assert_eq!(site.sandbox.of_repo("pulls/485").await["body"], "Somebody else's.");
}

#[tokio::test]
async fn a_repository_that_may_not_be_written_to_is_refused_also_in_a_dry_run() {
    let site = Setup::in_repo().list("allow-write-repos", &["harbor-example/web"]).start().await;
    for (tool, arguments) in [
        ("create_pr", json!({"title": "T", "head": BRANCH})),
        ("update_pr", json!({"number": 485, "title": "T"})),
        ("review_pr", json!({"number": 485, "event": "approve"})),
        ("merge_pr", json!({"number": 485})),
    ] {
        let mut arguments = arguments;
        arguments["dry_run"] = json!(true);
        let text = site.reply(tool, arguments).await;
        assert!(text.starts_with("ERROR policy"), "{tool}: {text}");
    }
    assert!(site.reply("get_pr", json!({"number": 485})).await.contains("#485 open"));
}

// review_pr

#[tokio::test]
async fn every_wrong_line_is_named_at_once_and_nothing_is_sent() {
    let site = site_in_repo().await;
    let text = site
        .still(
            "review_pr",
            json!({"number": 485, "event": "comment", "body": "Look.", "comments": [
                {"path": "src/progress.rs", "line": 9999, "body": "No such line."},
                {"path": "src/progres.rs", "line": 1, "body": "No such file."},
                {"path": "src/worker.rs", "line": 1, "side": "LEFT", "body": "Not removed."},
                {"path": "src/progress.rs", "line": 1, "body": "Fine."}]}),
        )
        .await;
    insta::assert_snapshot!(text);
    assert_eq!(site.sent(POST_REVIEW), 0);
}

#[tokio::test]
async fn a_review_with_comments_is_one_request_of_the_head_that_was_read() {
    let site = site_in_repo().await;
    let head = head(&site, 485).await;
    let arguments = json!({
        "number": 485, "event": "request_changes", "body": "Two things.", "commit": &head[..12], "comments": [
            {"path": "src/progress.rs", "line": 1, "body": "Say more here, @tomas."},
            {"path": "src/progress.rs", "start_line": 1, "line": 2, "body": "And here."}],
    });
    let mut dry = arguments.clone();
    dry["dry_run"] = json!(true);
    let before = site.sandbox.dump();
    insta::assert_snapshot!("review_dry", site.still("review_pr", dry).await);
    assert_eq!(site.sandbox.dump(), before, "a dry run changes nothing");
    let text = site.reply("review_pr", arguments).await;
    assert!(text.starts_with(&format!("Reviewed {REPO}#485: changes requested")), "{text}");
    assert_eq!(site.sent(POST_REVIEW), 1);
    assert_eq!(site.harness().journal().of(POST_REVIEW)[0].json()["commit_id"], head);
    let threads = site.reply("get_pr", json!({"number": 485, "include": ["threads"]})).await;
    assert!(
        threads.contains("src/progress.rs:1-2, unresolved") && threads.contains("Say more here"),
        "{threads}"
    );
}

#[tokio::test]
async fn a_head_that_moved_since_it_was_reviewed_is_a_conflict() {
    let site = site_in_repo().await;
    let arguments = json!({"number": 485, "event": "approve", "commit": "0123456789abcdef"});
    let text = site.reply("review_pr", arguments).await;
    assert!(text.starts_with("ERROR conflict: The head of #485 is"), "{text}");
    assert_eq!(site.sent(POST_REVIEW), 0);
}

#[tokio::test]
async fn a_pending_review_is_said_and_is_submitted_or_discarded() {
    let site = site_in_repo().await;
    let comments = json!([{"path": "src/progress.rs", "line": 1, "body": "Later."}]);
    let pending = json!({"number": 485, "event": "pending", "comments": comments});
    let text = site.reply("review_pr", pending.clone()).await;
    assert!(text.starts_with("Left a pending review"), "{text}");
    assert!(site.reply("get_pr", json!({"number": 485})).await.contains("you have a pending review ("));
    let text = site.reply("review_pr", pending.clone()).await;
    assert!(text.starts_with("ERROR conflict: You have a pending review on #485 already"), "{text}");
    assert_eq!(site.sent(POST_REVIEW), 1);

    assert!(site.asks("review_pr", json!({"number": 485, "event": "discard_pending"})).await);
    let text = site.reply("review_pr", json!({"number": 485, "event": "discard_pending"})).await;
    assert!(text.starts_with("Discarded your pending review"), "{text}");
    let text = site.reply("review_pr", json!({"number": 485, "event": "submit_pending"})).await;
    assert!(text.starts_with("ERROR not_found: You have no pending review"), "{text}");

    site.reply("review_pr", pending).await;
    let text = site.reply("review_pr", json!({"number": 485, "event": "approve", "body": "Good."})).await;
    assert!(text.starts_with(&format!("Submitted your review on {REPO}#485: approved")), "{text}");
    let reviews = site.sandbox.of_repo("pulls/485/reviews?per_page=100").await;
    let last = reviews.as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["state"], &last["user"]["login"]), (&json!("APPROVED"), &json!("maya")));
}

#[tokio::test]
async fn nobody_approves_their_own_work() {
    let site = Setup::in_repo().token(TOMAS).start().await;
    let text = site.reply("review_pr", json!({"number": 485, "event": "approve"})).await;
    assert!(text.starts_with("ERROR invalid_argument: #485 is your own"), "{text}");
    let text = site.reply("review_pr", json!({"number": 485, "event": "comment"})).await;
    assert!(text.contains("`body` is missing"), "{text}");
    assert_eq!(site.sent(POST_REVIEW), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_review_is_found_out() {
    let site = site_in_repo().await;
    site.fault(POST_REVIEW, Action::CloseAfter);
    let text = site.reply("review_pr", json!({"number": 485, "event": "approve", "body": "Good."})).await;
    assert!(text.starts_with("GitHub's answer was lost, but it is done: reviewed "), "{text}");
    assert_eq!(site.sent(POST_REVIEW), 1);
    site.fault(POST_REVIEW, Action::CloseBefore);
    let text = site.reply("review_pr", json!({"number": 485, "event": "comment", "body": "Never."})).await;
    let reviews = site.sandbox.of_repo("pulls/485/reviews?per_page=100").await.to_string();
    assert_eq!(text.starts_with("Reviewed"), reviews.contains("Never."), "{text}");
}

// resolve_threads

/// The ids of the threads of #485 that are not resolved.
async fn open_threads(site: &Site) -> Vec<String> {
    let arguments = json!({"number": 485, "include": ["threads"], "unresolved_only": true});
    let text = site.reply("get_pr", arguments).await;
    text.lines()
        .filter(|line| line.starts_with("PRRT_"))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn several_threads_are_resolved_in_one_request_and_each_is_named() {
    let site = site_in_repo().await;
    let mut ids = open_threads(&site).await;
    assert_eq!(ids.len(), 3);
    ids.push("PRRT_nowhere".to_owned());
    let text = site.reply("resolve_threads", json!({"thread_ids": ids})).await;
    assert!(text.starts_with("Resolved 3 of 3 threads"), "{text}");
    assert!(text.contains("PRRT_nowhere: there is no such thread"), "{text}");
    assert_eq!((site.sent("ResolveThreads"), open_threads(&site).await.len()), (1, 0));
    let text = site.reply("resolve_threads", json!({"thread_ids": [ids[0]], "resolved": false})).await;
    assert!(text.starts_with("Reopened 1 of 1 thread"), "{text}");
    let text = site.reply("resolve_threads", json!({"thread_ids": [ids[0]], "resolved": false})).await;
    assert!(text.starts_with("Nothing to change"), "{text}");
    let text = site.reply("resolve_threads", json!({"thread_ids": ["485103"]})).await;
    assert!(text.starts_with("ERROR invalid_argument") && text.contains("PRRT_"), "{text}");
}

#[tokio::test]
async fn a_thread_of_a_repository_out_of_reach_is_left_alone() {
    let all = site_in_repo().await;
    let ids = open_threads(&all).await;
    let site = Setup::in_repo().list("allow-write-repos", &["harbor-example/web"]).start().await;
    let text = site.reply("resolve_threads", json!({"thread_ids": ids})).await;
    assert!(text.starts_with("ERROR policy"), "{text}");
    assert_eq!(site.sent("ResolveThreads"), 0);
}

// merge_pr

#[tokio::test]
async fn what_blocks_a_merge_is_said_before_it_is_tried() {
    let site = site_in_repo().await;
    let mut said = String::new();
    for number in [485, 486, 488] {
        said.push_str(&site.still("merge_pr", json!({"number": number})).await);
        said.push('\n');
    }
    insta::assert_snapshot!(said);
    assert_eq!(site.sent(MERGE), 0);
    let text = site.reply("merge_pr", json!({"number": 482})).await;
    assert!(text.starts_with("Nothing to do") && text.contains("is merged already"), "{text}");
}

#[tokio::test]
async fn a_merge_asks_first_and_says_which_commit_came_of_it() {
    let site = site_in_repo().await;
    let number = free_pull(&site).await;
    let head = head(&site, number).await;
    assert!(site.asks("merge_pr", json!({"number": number})).await);
    let before = site.sandbox.dump();
    let dry = json!({"number": number, "method": "squash", "dry_run": true});
    insta::assert_snapshot!("merge_dry", site.still("merge_pr", dry).await);
    assert_eq!(site.sandbox.dump(), before, "a dry run changes nothing");
    let arguments = json!({
        "number": number, "method": "squash", "expected_head": head, "message": "More (#x)\n\nAll of it.",
    });
    let text = site.reply("merge_pr", arguments).await;
    let pull = site.sandbox.of_repo(&format!("pulls/{number}")).await;
    assert_eq!(pull["merged"], true, "{text}");
    assert!(text.starts_with(&format!("Merged {REPO}#{number} into {FREE} by squash")), "{text}");
    let sent = site.harness().journal().of(MERGE)[0].json();
    let expected = json!({
        "sha": head, "merge_method": "squash", "commit_title": "More (#x)", "commit_message": "All of it.",
    });
    assert_eq!(sent, expected);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_not_the_expected_one_is_not_merged() {
    let site = site_in_repo().await;
    let number = free_pull(&site).await;
    let text = site.reply("merge_pr", json!({"number": number, "expected_head": "0".repeat(40)})).await;
    assert!(text.starts_with("ERROR conflict: The head of"), "{text}");
    assert_eq!(site.sent(MERGE), 0);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_moves_while_somebody_is_asked_is_not_merged() {
    let site = site_in_repo().await;
    let number = free_pull(&site).await;
    let question = site.open_question("merge_pr", json!({"number": number})).await;
    let file = json!({"message": "One more", "content": "b25lIG1vcmUK", "branch": BRANCH});
    let path = format!("{REPO_PATH}/contents/one-more.txt");
    let (status, body) = site.sandbox.put(&path, file).await;
    assert_eq!(status, 201, "{body}");
    let error = question.agreed().await.unwrap_err().for_agent();
    assert!(error.starts_with("conflict: It has changed since it was shown"), "{error}");
    assert_eq!(site.sandbox.of_repo(&format!("pulls/{number}")).await["merged"], false);
}

#[tokio::test(start_paused = true)]
async fn whether_it_is_merged_is_learned_after_a_lost_answer() {
    let site = site_in_repo().await;
    let number = free_pull(&site).await;
    site.fault(MERGE, Action::CloseAfter);
    let text = site.reply("merge_pr", json!({"number": number})).await;
    assert!(
        text.starts_with("Merged") && text.contains("answer was lost or refused, but it is merged"),
        "{text}"
    );
    assert_eq!(site.sandbox.of_repo(&format!("pulls/{number}")).await["merged"], true);
}

#[tokio::test(start_paused = true)]
async fn that_it_is_not_merged_is_learned_too() {
    let site = site_in_repo().await;
    let number = free_pull(&site).await;
    site.rule(Rule::new(MERGE, Action::status(502)).always());
    let text = site.reply("merge_pr", json!({"number": number})).await;
    assert!(text.starts_with("ERROR") && text.contains("is not merged"), "{text}");
    assert_eq!(site.sandbox.of_repo(&format!("pulls/{number}")).await["merged"], Value::Bool(false));
}

#[tokio::test]
async fn auto_merge_is_turned_on_and_off() {
    let site = site_in_repo().await;
    let text = site.reply("merge_pr", json!({"number": 485, "mode": "auto", "method": "squash"})).await;
    if text.starts_with("ERROR") {
        assert!(text.contains("does not allow auto-merge"), "{text}");
        let (status, _) = site.sandbox.patch(REPO_PATH, json!({"allow_auto_merge": true})).await;
        assert_eq!(status, 200);
        let text = site.reply("merge_pr", json!({"number": 485, "mode": "auto", "method": "squash"})).await;
        assert!(text.starts_with("Auto-merge of"), "{text}");
    }
    assert!(site.reply("get_pr", json!({"number": 485})).await.contains("auto-merge: squash, set by @maya"));
    let text = site.reply("update_pr", json!({"number": 485, "set": "auto_merge_off"})).await;
    assert!(text.contains("auto-merge squash → none"), "{text}");
    let text = site.reply("merge_pr", json!({"number": 485, "mode": "queue"})).await;
    assert!(text.contains("has no merge queue"), "{text}");
}
