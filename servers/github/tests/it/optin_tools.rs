//! The toolsets that must be asked for (gists, security, discussions, projects, raw), and the inbox, which is on.

use crate::support::{
    REPO,
    reply::cursor,
    server::{Setup, site, with_repo},
};
use connector::{
    Connector as _,
    access::Selection,
    sandbox::{Action, Rule},
};
use github_mcp::GitHub;
use serde_json::{Value, json};

/// The first of the words that begins so.
fn word<'t>(text: &'t str, start: &str) -> &'t str {
    let found = text.split_whitespace().find(|word| word.starts_with(start));
    found.unwrap_or_else(|| panic!("no {start} in {text}")).trim_end_matches(['.', ',', ':', ';'])
}

#[test]
fn none_of_them_is_on_unless_it_is_asked_for() {
    let catalog = GitHub::catalog();
    let tools = [
        "list_gists",
        "save_gist",
        "list_alerts",
        "list_discussions",
        "write_discussion",
        "list_project",
        "update_project_items",
        "api_get",
    ];
    for name in tools {
        let tool = catalog.tool(name).unwrap_or_else(|| panic!("{name}"));
        assert!(!tool.on_by_default(), "{name}");
        assert!(tool.description().len() <= 320 && tool.title().split(' ').count() <= 5, "{name}");
    }
}

#[test]
fn all_others_are_on_without_being_asked_for() {
    let catalog = GitHub::catalog().select(&Selection::default()).unwrap();
    let tools = [
        "add_comment",
        "commit_files",
        "create_issue",
        "create_pr",
        "create_release",
        "create_repo",
        "edit_comment",
        "get_diff",
        "get_issue",
        "get_job_logs",
        "get_pr",
        "get_repo",
        "get_run",
        "link_issues",
        "list_commits",
        "list_issues",
        "list_members",
        "list_notifications",
        "list_prs",
        "list_refs",
        "list_releases",
        "list_repos",
        "list_runs",
        "list_tree",
        "manage_label",
        "manage_milestone",
        "manage_ref",
        "merge_pr",
        "read_file",
        "resolve_threads",
        "review_pr",
        "run_workflow",
        "search",
        "update_issue",
        "update_notifications",
        "update_pr",
        "whoami",
    ];
    for name in tools {
        assert!(catalog.tool(name).is_some(), "{name} is not listed");
    }
    assert_eq!(catalog.toolsets_off(), ["discussions", "gists", "projects", "raw", "security"]);
}

#[tokio::test(start_paused = true)]
async fn the_inbox_is_listed_with_what_each_thread_is_about() {
    let site = site().await;
    let text = site.call("list_notifications", json!({})).await;
    assert!(text.starts_with("5 threads (unread only)."), "{text}");
    assert!(
        text.contains("81008 unread, your review was requested, PullRequest harbor-example/import-api#485, "),
        "{text}"
    );
    assert!(
        text.contains(
            "81007 unread, a workflow run that you triggered, CheckSuite harbor-example/import-api, "
        ),
        "{text}"
    );
    let two = site.call("list_notifications", json!({"limit": 2, "all": true})).await;
    let rest = site
        .call("list_notifications", json!({"limit": 2, "all": true, "cursor": cursor(&two).unwrap()}))
        .await;
    assert!(two.contains("81008 ") && !rest.contains("81008 ") && rest.contains("81007 "), "{two}\n{rest}");
    let of_docs = site.call("list_notifications", json!({"repo": "harbor-example/docs"})).await;
    assert!(of_docs.contains("81004") && !of_docs.contains("81008"), "{of_docs}");
    let since = site.call("list_notifications", json!({"since": "2w", "participating": true})).await;
    assert!(since.starts_with("4 threads"), "{since}");
}

#[tokio::test(start_paused = true)]
async fn what_is_out_of_reach_is_left_out_of_the_inbox_and_not_marked() {
    let site = Setup::new().list("allow-repos", &["harbor-example/docs"]).start().await;
    let text = site.call("list_notifications", json!({})).await;
    assert!(text.starts_with("1 thread (unread only; only what this server may read)"), "{text}");
    assert!(text.contains("81004") && !text.contains("import-api"), "{text}");
    let refused = site.refused("update_notifications", json!({"action": "read", "ids": ["81008"]})).await;
    assert!(refused.starts_with("policy: "), "{refused}");
    let refused = site.refused("update_notifications", json!({"action": "read", "all": true})).await;
    assert!(refused.starts_with("policy: "), "{refused}");
    assert_eq!(site.sent("PATCH /notifications/threads/{thread_id}"), 0);
    assert_eq!(site.sent("PUT /notifications"), 0);
}

#[tokio::test(start_paused = true)]
async fn threads_are_marked_and_a_whole_inbox_only_after_a_question() {
    let site = site().await;
    let update = "update_notifications";
    let preview = site.call(update, json!({"action": "done", "ids": ["81007"], "dry_run": true})).await;
    assert!(
        preview.contains("Mark 1 thread as done") && preview.contains("CI workflow run failed"),
        "{preview}"
    );
    let text = site.call(update, json!({"action": "done", "ids": ["81007"]})).await;
    assert!(text.starts_with("Marked 1 thread as done."), "{text}");
    let text = site.call(update, json!({"action": "read", "ids": ["81008", "81003"]})).await;
    assert!(text.starts_with("Marked 1 thread as read."), "one was read already: {text}");
    let text = site.call(update, json!({"action": "read", "ids": ["81008"]})).await;
    assert!(text.starts_with("Nothing to change"), "{text}");
    site.call(update, json!({"action": "ignore", "ids": ["81005"]})).await;
    assert_eq!(site.sent("PUT /notifications/threads/{thread_id}/subscription"), 1);
    assert_eq!(site.questions(), 0);
    let text = site.call(update, json!({"action": "read", "all": true})).await;
    assert_eq!(
        (site.questions(), text.as_str()),
        (1, "Marked every notification of all repositories as read.")
    );
    assert!(site.call("list_notifications", json!({})).await.starts_with("No threads"));
    for wrong in [
        json!({"action": "read"}),
        json!({"action": "done", "all": true}),
        json!({"action": "read", "ids": ["x"]}),
    ] {
        assert!(site.refused(update, wrong).await.starts_with("invalid_argument: "));
    }
}

#[tokio::test(start_paused = true)]
async fn gists_are_listed_and_read_file_by_file() {
    let site = site().await;
    let text = site.call("list_gists", json!({})).await;
    assert!(text.contains("6f1d2c3b4a5968778695a4b3c2d1e0f1 secret, duplicates.sql result.md, "), "{text}");
    let id = "https://gist.github.com/maya/6f1d2c3b4a5968778695a4b3c2d1e0f1";
    let text = site.call("list_gists", json!({"id": id})).await;
    assert!(text.contains("HAVING count(*) > 1;") && text.contains("12,318 rows"), "{text}");
    let text = site.call("list_gists", json!({"id": id, "file": "result.md", "offset": 7})).await;
    assert!(
        text.contains("rows, all from") && !text.contains("12,318") && !text.contains("HAVING"),
        "{text}"
    );
    let theirs = site.call("list_gists", json!({"user": "@quickfix-9000"})).await;
    assert!(theirs.contains("Free fix for all import bugs"), "{theirs}");
    assert!(
        site.refused("list_gists", json!({"id": id, "file": "no.md"}))
            .await
            .contains("duplicates.sql, result.md")
    );
    assert!(site.refused("list_gists", json!({"id": "0".repeat(32)})).await.starts_with("not_found: "));
    assert!(site.refused("list_gists", json!({"id": "my gist"})).await.starts_with("invalid_argument: "));
}

#[tokio::test(start_paused = true)]
async fn a_public_gist_and_a_replaced_file_are_asked_about() {
    let site = site().await;
    let files = json!([{"name": "a.md", "content": "A"}, {"name": "b.md", "content": "B"}]);
    let text = site.call("save_gist", json!({"description": "Notes", "files": files})).await;
    assert_eq!(site.questions(), 0, "a secret one is nobody's business");
    let id = word(&text, "gist").len();
    assert!(text.starts_with("Made the secret gist ") && id > 0, "{text}");
    let id = text
        .split(' ')
        .nth(4)
        .unwrap()
        .trim_end_matches('.')
        .lines()
        .next()
        .unwrap()
        .trim_end_matches('.')
        .to_owned();
    let text = site.call("save_gist", json!({"id": id, "files": [{"name": "c.md", "content": "C"}, {"name": "b.md", "new_name": "d.md"}]})).await;
    assert!(text.contains("it has a.md, c.md, d.md") && site.questions() == 0, "{text}");
    let text = site
        .call(
            "save_gist",
            json!({"id": id, "files": [{"name": "a.md", "content": "AA"}, {"name": "c.md", "delete": true}]}),
        )
        .await;
    assert!(text.contains("it has a.md, d.md") && site.questions() == 1, "{text}");
    let text = site.call("save_gist", json!({"id": id, "description": "Notes"})).await;
    assert!(text.starts_with("Nothing to change"), "{text}");
    let public = json!({"public": true, "files": [{"name": "a.md", "content": "A"}]});
    let text = site.call("save_gist", public).await;
    assert!(text.starts_with("Made the public gist") && site.questions() == 1, "{text}");
    for wrong in [
        json!({"files": []}),
        json!({"files": [{"name": "a/b", "content": "x"}]}),
        json!({"files": [{"name": "a.md"}]}),
        json!({"id": id, "public": true}),
    ] {
        assert!(site.refused("save_gist", wrong).await.starts_with("invalid_argument: "));
    }
}

#[tokio::test(start_paused = true)]
async fn a_gist_whose_answer_was_lost_is_found_and_not_made_twice() {
    let site = site().await;
    site.rule(Rule::new("POST /gists", Action::CloseAfter).times(9));
    let text = site
        .call("save_gist", json!({"description": "Once", "files": [{"name": "a.md", "content": "A\n"}]}))
        .await;
    assert!(text.starts_with("GitHub's answer was lost, but it is done: made the secret gist"), "{text}");
    assert_eq!(site.sent("POST /gists"), 1);
}

#[tokio::test(start_paused = true)]
async fn alerts_are_told_in_a_row_each_and_secrets_never() {
    let site = site().await;
    let alerts = async |more: Value| site.call("list_alerts", with_repo(more)).await;
    let text = alerts(json!({"kind": "dependabot"})).await;
    assert!(text.starts_with("1 Dependabot alert (harbor-example/import-api, open)."), "{text}");
    assert!(
        text.contains("#7 open, high, hyper (rust) < 1.9.0, patched in 1.9.0, Cargo.toml (runtime), "),
        "{text}"
    );
    assert!(text.contains("CVE-2026-41870"), "{text}");
    let text = alerts(json!({"kind": "code", "state": "all"})).await;
    assert!(text.contains("#12 open, medium, CodeQL rust/log-injection, src/gateway.rs:41, "), "{text}");
    assert!(text.contains("#9 dismissed (won't fix), note, "), "{text}");
    assert!(
        alerts(json!({"kind": "code", "severity": "critical"})).await.starts_with("No code scanning alerts")
    );
    let text = alerts(json!({"kind": "secret", "state": "all"})).await;
    assert!(
        text.contains("#2 resolved (revoked), Harbor partner key, ") && text.contains("resolved by @jonas"),
        "{text}"
    );
    assert!(!text.contains("hpk_") && !text.contains("sandbox-only"), "{text}");
    let text = alerts(json!({"kind": "advisory"})).await;
    assert!(
        text.contains("GHSA-4jq8-m6w2-rx5p draft, medium, import-api (other) < 2.14.0, patched in 2.14.0"),
        "{text}"
    );
    let text = alerts(json!({"kind": "dependabot", "state": "all", "limit": 1})).await;
    let rest =
        alerts(json!({"kind": "dependabot", "state": "all", "limit": 1, "cursor": cursor(&text).unwrap()}))
            .await;
    assert!(text.contains("#7 ") && rest.contains("#6 fixed"), "{text}\n{rest}");
}

#[tokio::test(start_paused = true)]
async fn a_feature_that_is_off_is_told_apart_from_no_alerts() {
    let site = site().await;
    for kind in ["code", "dependabot", "secret"] {
        let refused = site.refused("list_alerts", json!({"repo": "maya/dotfiles", "kind": kind})).await;
        assert!(refused.starts_with("not_found: ") && refused.contains("the feature is off"), "{refused}");
    }
    for wrong in [json!({"kind": "secret", "severity": "low"}), json!({"kind": "code", "state": "resolved"})]
    {
        let mut wrong = wrong;
        wrong["repo"] = json!(REPO);
        assert!(site.refused("list_alerts", wrong).await.starts_with("invalid_argument: "));
    }
}

#[tokio::test(start_paused = true)]
async fn discussions_are_listed_and_read_with_ids_to_go_on_with() {
    let site = site().await;
    let text = site.call("list_discussions", json!({"repo": REPO})).await;
    assert!(text.starts_with("3 discussions (harbor-example/import-api, last changed first)."), "{text}");
    assert!(text.contains("#428 open, answered, Q&A, @tomas, "), "{text}");
    let some =
        site.call("list_discussions", json!({"repo": REPO, "category": "ideas", "state": "closed"})).await;
    assert!(some.contains("#415 closed, Ideas, @sofia") && !some.contains("#428"), "{some}");
    let refused = site.refused("list_discussions", json!({"repo": REPO, "category": "Ideen"})).await;
    assert!(refused.contains("Announcements, Ideas, Q&A"), "{refused}");
    let one = site.call("list_discussions", json!({"repo": REPO, "number": 428})).await;
    assert!(
        one.starts_with("Discussion harbor-example/import-api#428 open, answered, Q&A, @tomas (member), "),
        "{one}"
    );
    assert!(one.contains("a hash makes two equal chunks") && one.contains(", the answer:"), "{one}");
    assert!(one.contains("\n  DC_") && one.contains("Done so in #482."), "replies stand below: {one}");
    let first = site.call("list_discussions", json!({"repo": REPO, "number": 428, "limit": 1})).await;
    let next = site
        .call(
            "list_discussions",
            json!({"repo": REPO, "number": 428, "limit": 1, "cursor": cursor(&first).unwrap()}),
        )
        .await;
    assert!(
        next.contains("@jonas") && !next.contains("@priya") && !next.contains("two equal chunks"),
        "{next}"
    );
    assert!(
        site.refused("list_discussions", json!({"repo": REPO, "number": 1})).await.starts_with("not_found: ")
    );
}

#[tokio::test(start_paused = true)]
async fn a_discussion_is_begun_answered_and_closed() {
    let site = site().await;
    let write = async |more: Value| site.call("write_discussion", with_repo(more)).await;
    let begun =
        json!({"action": "create", "title": "How large is a chunk?", "body": "@tomas?", "category": "q-a"});
    let mut preview = begun.clone();
    preview["dry_run"] = json!(true);
    let preview = write(preview).await;
    assert!(preview.contains("category Q&A") && preview.contains("notifies @tomas"), "{preview}");
    let text = write(begun).await;
    assert!(text.starts_with("Began the discussion harbor-example/import-api#"), "{text}");
    let number: u64 = word(&text, "harbor-example/").split('#').nth(1).unwrap().parse().unwrap();
    let text = write(json!({"action": "comment", "number": number, "body": "2,000 rows"})).await;
    let comment = word(&text, "DC_").to_owned();
    let text =
        write(json!({"action": "comment", "number": number, "body": "Thanks", "comment_id": comment})).await;
    let reply = word(&text, "DC_").to_owned();
    let text =
        write(json!({"action": "comment", "number": number, "body": "Indeed", "comment_id": reply})).await;
    assert!(text.contains("in reply to @maya"), "a reply to a reply stands beside it: {text}");
    let text = write(json!({"action": "mark_answer", "comment_id": comment})).await;
    assert!(text.starts_with("Marked the comment by @maya"), "{text}");
    assert!(
        write(json!({"action": "mark_answer", "comment_id": comment})).await.starts_with("Nothing to change")
    );
    let text = write(json!({"action": "close", "number": number, "reason": "outdated"})).await;
    assert!(text.contains("as outdated"), "{text}");
    assert!(write(json!({"action": "close", "number": number})).await.starts_with("Nothing to change"));
    assert!(write(json!({"action": "reopen", "number": number})).await.contains("Reopened the discussion"));
    assert_eq!(site.questions(), 0);
    let text =
        write(json!({"action": "update", "number": number, "title": "Chunks", "body": "How many rows?"}))
            .await;
    assert!(text.contains("title \"How large is a chunk?\" → \"Chunks\"") && site.questions() == 1, "{text}");
    let text = write(json!({"action": "update", "comment_id": comment, "body": "4,000 rows"})).await;
    assert!(text.starts_with("Replaced the text") && site.questions() == 1, "{text}");
    let read = site.call("list_discussions", json!({"repo": REPO, "number": number})).await;
    assert!(
        read.contains("4,000 rows") && read.contains("Indeed") && read.contains("How many rows?"),
        "{read}"
    );
    let locked = site.refused(
        "write_discussion",
        json!({"repo": REPO, "action": "comment", "number": 421, "body": "But"}),
    );
    assert!(locked.await.contains("is locked"));
    let wrong = site
        .refused("write_discussion", json!({"repo": REPO, "action": "close", "number": 428, "body": "x"}));
    assert!(wrong.await.starts_with("invalid_argument: "));
}

#[tokio::test(start_paused = true)]
async fn what_was_written_in_a_discussion_though_the_answer_was_lost_is_not_written_twice() {
    let site = site().await;
    site.rule(Rule::new("CreateDiscussion", Action::CloseAfter).times(9));
    let create =
        json!({"repo": REPO, "action": "create", "title": "Once", "body": "Only", "category": "Ideas"});
    let text = site.call("write_discussion", create).await;
    assert!(text.starts_with("GitHub's answer was lost, but it is done: began the discussion"), "{text}");
    site.rule(Rule::new("AddDiscussionComment", Action::CloseAfter).times(9));
    let one = site.call("list_discussions", json!({"repo": REPO, "number": 428})).await;
    let comment = json!({"repo": REPO, "action": "comment", "number": 428, "body": "Once more", "comment_id": word(&one, "DC_")});
    let text = site.call("write_discussion", comment).await;
    assert!(text.starts_with("GitHub's answer was lost, but it is done: commented"), "{text}");
    assert_eq!((site.sent("CreateDiscussion"), site.sent("AddDiscussionComment")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_project_is_shown_with_its_fields_and_rows() {
    let site = site().await;
    let text = site.call("list_project", json!({"owner": "harbor-example"})).await;
    assert!(
        text.contains("4 open, 6 items, ") && text.contains("Import API v2") && !text.contains("Onboarding"),
        "{text}"
    );
    let text = site.call("list_project", json!({"owner": "harbor-example", "query": "is:closed"})).await;
    assert!(text.contains("2 closed"), "{text}");
    let text = site.call("list_project", json!({"owner": "harbor-example", "number": 4})).await;
    assert!(
        text.contains("Status (Todo | In Progress | Done)")
            && text.contains("Iteration (Iteration 22 | Iteration 23)"),
        "{text}"
    );
    assert!(text.contains(" harbor-example/import-api#474 open, Status=In Progress, Estimate=5, "), "{text}");
    assert!(text.contains(" draft, Status=Todo: Write to the customers on /v1"), "{text}");
    let first = site.call("list_project", json!({"owner": "harbor-example", "number": 4, "limit": 4})).await;
    let rest = site
        .call(
            "list_project",
            json!({"owner": "harbor-example", "number": 4, "limit": 4, "cursor": cursor(&first).unwrap()}),
        )
        .await;
    assert!(rest.starts_with("2 of 6 items") && rest.contains("#482"), "{rest}");
    assert!(
        site.refused("list_project", json!({"owner": "harbor-example", "number": 9}))
            .await
            .starts_with("not_found: ")
    );
    assert!(site.refused("list_project", json!({"owner": "nobody-here"})).await.starts_with("not_found: "));
    assert!(site.refused("list_project", json!({})).await.starts_with("invalid_argument: "));
}

#[tokio::test(start_paused = true)]
async fn rows_of_a_project_are_added_set_and_taken_out() {
    let site = site().await;
    let update = async |more: Value| {
        let mut arguments = json!({"owner": "harbor-example", "number": 4});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        site.call("update_project_items", arguments).await
    };
    let add = json!({"action": "add", "items": ["harbor-example/import-api#473"], "fields": {"status": "todo", "Estimate": "13"}});
    let text = update(add).await;
    assert!(
        text.starts_with("Added 1 item to the project harbor-example/4") && text.contains("Status = todo"),
        "{text}"
    );
    let item = word(&text, "PVTI_").to_owned();
    let text = update(
        json!({"action": "add", "items": ["https://github.com/harbor-example/import-api/issues/473"]}),
    )
    .await;
    assert!(text.starts_with("Nothing to change"), "{text}");
    let text = update(json!({"action": "set", "items": [item], "clear": ["Estimate"], "fields": {"Target date": "2027-01-15", "Iteration": "Iteration 23"}})).await;
    assert!(text.contains("Estimate is cleared"), "{text}");
    let shown = site.call("list_project", json!({"owner": "harbor-example", "number": 4})).await;
    assert!(
        shown.contains("#473 open, Status=Todo, Target date=2027-01-15, Iteration=Iteration 23: "),
        "{shown}"
    );
    assert_eq!(site.questions(), 0);
    let text = update(json!({"action": "remove", "items": ["harbor-example/import-api#473"]})).await;
    assert!(text.starts_with("Took 1 item out of ") && site.questions() == 1, "{text}");
    let refuse = async |more: Value| {
        let mut arguments = json!({"owner": "harbor-example", "number": 4});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        site.refused("update_project_items", arguments).await
    };
    let items = json!(["harbor-example/import-api#474"]);
    let refused = refuse(json!({"action": "set", "items": items, "fields": {"Status": "Doing"}})).await;
    assert!(refused.contains("Todo, In Progress, Done"), "{refused}");
    let refused = refuse(json!({"action": "set", "items": items, "fields": {"Statu": "Done"}})).await;
    assert!(refused.contains("Did you mean Status?"), "{refused}");
    let refused = refuse(json!({"action": "set", "items": items, "fields": {"Assignees": "maya"}})).await;
    assert!(refused.contains("belongs to the issue itself"), "{refused}");
    let refused = refuse(
        json!({"action": "set", "items": ["harbor-example/import-api#473"], "fields": {"Status": "Done"}}),
    )
    .await;
    assert!(refused.starts_with("not_found: ") && refused.contains("Action add"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_project_shows_and_takes_only_what_is_within_reach() {
    let site = Setup::new().list("allow-repos", &["harbor-example/docs"]).start().await;
    let text = site.call("list_project", json!({"owner": "harbor-example", "number": 4})).await;
    assert!(text.contains("(only what this server may read)") && !text.contains("import-api#"), "{text}");
    let item = json!({"owner": "harbor-example", "number": 4, "action": "remove", "items": ["harbor-example/import-api#474"]});
    assert!(site.refused("update_project_items", item).await.starts_with("policy: "));
    assert_eq!(site.sent("DeleteProjectItem"), 0);
}

#[tokio::test(start_paused = true)]
async fn any_read_comes_as_rows() {
    let site = site().await;
    let text = site.call("api_get", json!({"path": "/repos/harbor-example/import-api/actions/workflows", "fields": ["id", "name", "state"]})).await;
    assert!(text.contains("id=7001; name=CI; state=active"), "{text}");
    let path = "/repos/harbor-example/import-api/actions/runs?status=failure";
    let first =
        site.call("api_get", json!({"path": path, "limit": 2, "fields": ["id", "actor.login"]})).await;
    assert!(first.starts_with("2 of 3 rows") && first.contains("id=90043; actor.login=tomas"), "{first}");
    let rest = site
        .call(
            "api_get",
            json!({"path": path, "limit": 2, "fields": ["id", "actor.login"], "cursor": cursor(&first).unwrap()}),
        )
        .await;
    assert!(rest.contains("id=90027") && !rest.contains("id=90043"), "{rest}");
    let plain = site.call("api_get", json!({"path": "GET /gists"})).await;
    assert!(plain.contains("public=false") && !plain.contains("_url="), "{plain}");
    let one = site.call("api_get", json!({"path": "/repos/harbor-example/import-api/actions/runs/90042", "query": {"exclude_pull_requests": "true"}})).await;
    assert!(one.contains("conclusion=success") && one.contains("actor=tomas") && one.len() < 1_500, "{one}");
    let log = site
        .refused("api_get", json!({"path": "/repos/harbor-example/import-api/actions/jobs/910433/logs"}))
        .await;
    assert!(
        log.contains("redirects to another place"),
        "no token goes there, and nothing is followed: {log}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_raw_read_stays_within_reach_and_on_the_api() {
    let site = site().await;
    for path in [
        "/graphql",
        "https://evil.example/repos/a/b",
        "/repos/a/b/../../c",
        "/repos/a/b/%2e%2e/c",
        "//evil.example/x",
        "/repos/{owner}/b",
    ] {
        let refused = site.refused("api_get", json!({"path": path})).await;
        assert!(refused.starts_with("invalid_argument: "), "{path}: {refused}");
    }
    let site = Setup::new().list("allow-repos", &["harbor-example/docs"]).start().await;
    for path in [
        "/repos/harbor-example/import-api/actions/runs",
        "/user/repos",
        "/repositories/3001/actions/runs",
        "/notifications",
        "/gists",
    ] {
        let refused = site.refused("api_get", json!({"path": path})).await;
        assert!(refused.starts_with("policy: "), "{path}: {refused}");
    }
    // Its name is harbor-example/import-api now.
    let former = Setup::new().list("allow-repos", &["harbor-example/importer"]).start().await;
    let path = json!({"path": "/repos/harbor-example/importer/actions/runs"});
    assert!(former.refused("api_get", path).await.starts_with("policy: "));
    let alerts = json!({"repo": "harbor-example/importer", "kind": "secret"});
    assert!(former.refused("list_alerts", alerts).await.starts_with("policy: "));
    let text = site
        .call("api_get", json!({"path": "/repos/harbor-example/docs/actions/workflows", "fields": ["name"]}))
        .await;
    assert!(text.contains("name=Publish"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn structured_content_is_as_the_schemas_say() {
    let site = Setup::new().structured(true).start().await;
    let rows = async |tool: &str, arguments: Value| {
        site.data(tool, arguments).await["items"].as_array().unwrap().len()
    };
    assert_eq!(rows("list_notifications", json!({"all": true})).await, 8);
    assert_eq!(rows("list_gists", json!({})).await, 2);
    assert_eq!(rows("list_gists", json!({"id": "6f1d2c3b4a5968778695a4b3c2d1e0f1"})).await, 2);
    for kind in ["code", "dependabot", "secret", "advisory"] {
        assert!(rows("list_alerts", json!({"repo": REPO, "kind": kind, "state": "all"})).await > 0);
    }
    assert_eq!(rows("list_discussions", json!({"repo": REPO})).await, 3);
    assert_eq!(rows("list_discussions", json!({"repo": REPO, "number": 428})).await, 3);
    assert_eq!(rows("list_project", json!({"owner": "harbor-example"})).await, 1);
    assert_eq!(rows("list_project", json!({"owner": "harbor-example", "number": 4})).await, 6);
    assert_eq!(
        rows("api_get", json!({"path": "/repos/harbor-example/import-api/actions/workflows"})).await,
        3
    );
    let written = site.data("update_notifications", json!({"action": "read", "ids": ["81008"]})).await;
    assert!(written["summary"].as_str().unwrap().starts_with("Marked 1 thread"));
}
