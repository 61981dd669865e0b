//! What a reply says so that nobody asks again: which issues block, why nothing runs, what runs again, how the rest is
//! read, what a merge will be called; and addresses wherever a number is meant.

use connector::sandbox::{Action, Change, Rule};
use serde_json::{Value, json};

use crate::support::{
    REPO, REPO_PATH,
    server::{Setup, site, site_in_repo, with_repo},
};

#[tokio::test(start_paused = true)]
async fn a_row_names_the_issues_that_block_it() {
    let site = site_in_repo().await;
    // By GraphQL, and by REST, which knows the types.
    for arguments in [json!({"labels": "importer", "limit": 50}), json!({"type": "Task", "limit": 50})] {
        let text = site.reply("list_issues", arguments.clone()).await;
        let row = text.lines().find(|line| line.starts_with("#476 ")).unwrap();
        assert!(row.contains(", blocked by #474, #475, "), "{arguments}: {row}");
    }
    for (target, number) in [("#431", 1), ("#432", 2), ("#435", 3)] {
        let link = json!({"number": 475, "relation": "blocked_by", "target": target});
        assert!(!site.asks("link_issues", link).await, "{number}");
    }
    let text = site.reply("list_issues", json!({"labels": "importer", "limit": 50})).await;
    let row = text.lines().find(|line| line.starts_with("#475 ")).unwrap();
    assert!(row.contains("blocked by #474, #431, #432 and 1 more, "), "{row}");
    // What is finished blocks nothing.
    site.call("update_issue", json!({"number": 474, "state": "completed"})).await;
    let text = site.reply("list_issues", json!({"labels": "importer", "limit": 50})).await;
    let row = text.lines().find(|line| line.starts_with("#476 ")).unwrap();
    assert!(row.contains(", blocked by #475, "), "{row}");
    let read = async |number: u64| {
        site.reply("get_issue", json!({"number": number, "include": ["dependencies"]})).await
    };
    let text = read(476).await;
    assert!(
        text.contains("2 blockers (this waits for the open ones)") && text.contains("#474 closed"),
        "{text}"
    );
    let text = read(474).await;
    assert!(text.contains("blocked issues (no longer waiting for this)"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_blocks_out_of_bounds_is_counted_and_not_named() {
    let site = Setup::in_repo().list("allow-repos", &[REPO]).start().await;
    let other = site.sandbox.get("repos/harbor-example/web/issues/202").await["id"].clone();
    let path = format!("{REPO_PATH}/issues/431/dependencies/blocked_by");
    site.sandbox.post(&path, json!({"issue_id": other})).await;
    for arguments in [json!({"labels": "importer", "limit": 50}), json!({"type": "Feature", "limit": 50})] {
        let text = site.reply("list_issues", arguments.clone()).await;
        let row = text.lines().find(|line| line.starts_with("#431 ")).unwrap();
        assert!(row.contains("blocked by 1 open") && !row.contains("#202"), "{arguments}: {row}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_disabled_workflow_is_told_with_its_runs() {
    let site = site_in_repo().await;
    let says = "Nightly import check (nightly.yml) is disabled manually: run_workflow with action enable turns it on";
    for name in ["Nightly import check", "nightly.yml", "7003"] {
        let text = site.reply("list_runs", json!({"workflow": name})).await;
        assert!(text.contains(says) && text.contains("90041 "), "{name}: {text}");
    }
    let text = site.reply("list_runs", json!({"workflow": "ci.yml"})).await;
    assert!(!text.contains("disabled") && !text.contains("never run"), "{text}");
    site.call("run_workflow", json!({"action": "enable", "workflow": "nightly.yml"})).await;
    let text = site.reply("list_runs", json!({"workflow": "nightly.yml"})).await;
    assert!(!text.contains("disabled"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_never_ran_is_told() {
    let site = site_in_repo().await;
    let none = [("/workflow_runs", json!([])), ("/total_count", json!(0))];
    let none = Action::Patch { changes: none.map(|(place, value)| Change::set(place, value)).into() };
    site.fault("GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs", none);
    let text = site.reply("list_runs", json!({"workflow": "deploy.yml"})).await;
    assert!(
        text.starts_with("No runs (") && text.contains("Deploy (deploy.yml) is active and has never run"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_run_again_names_its_jobs() {
    let site = site_in_repo().await;
    let failed = json!({"action": "rerun_failed", "run_id": 90043});
    let question = site.question("run_workflow", failed.clone()).await.expect("it asks");
    assert!(question.contains("jobs: test (stable); others only if they need one of these"), "{question}");
    let text = site.reply("run_workflow", failed).await;
    assert!(text.contains("- jobs: test (stable); others only if they need one of these"), "{text}");
    let all =
        site.question("run_workflow", json!({"action": "rerun", "run_id": 90042})).await.expect("it asks");
    for name in ["build", "lint", "test (stable)", "integration"] {
        assert!(all.contains(name), "{name}: {all}");
    }
    assert!(!all.contains("others only"), "{all}");
}

#[tokio::test(start_paused = true)]
async fn an_issue_says_how_its_comments_are_read() {
    let site = site_in_repo().await;
    let text = site.reply("get_issue", json!({"number": 471})).await;
    assert!(text.contains("9 comments (include comments shows them)"), "{text}");
    let text = site.reply("get_issue", json!({"number": 471, "include": "comments"})).await;
    assert!(text.contains(", 9 comments\n") && !text.contains("shows them"), "{text}");
    for n in 0..15 {
        site.sandbox
            .post(&format!("{REPO_PATH}/issues/471/comments"), json!({"body": format!("more {n}")}))
            .await;
    }
    let text = site.reply("get_issue", json!({"number": 471, "include": "comments"})).await;
    assert!(
        text.contains("20 of 24 comments (") && text.contains("older ones: the same call with cursor"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn folded_lines_of_a_log_say_how_they_are_read() {
    let site = site_in_repo().await;
    let text = site.reply("get_job_logs", json!({"run_id": 90042, "job": "test (stable)"})).await;
    assert!(text.contains(" folded]") && text.contains("grep \".\" shows folded lines"), "{text}");
    let text = site
        .reply("get_job_logs", json!({"run_id": 90042, "job": "test (stable)", "grep": "Downloaded"}))
        .await;
    assert!(text.contains("99 matches") && !text.contains("folded"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_pull_request_tells_what_its_text_closes() {
    let site = site_in_repo().await;
    let body = "The key, in the docs.\n\nCloses #477, fixes #471. Resolves #99999\n\n```\nfixes #431\n```\nSee #432.";
    let new = json!({"title": "Docs", "head": "release/2.14", "body": body});
    let mut dry = new.clone();
    dry["dry_run"] = json!(true);
    for arguments in [dry, new] {
        let text = site.call("create_pr", arguments).await;
        assert!(text.contains("- closes #477 when it is merged"), "{text}");
        assert!(text.contains("- closes #471, which is closed already"), "{text}");
        assert!(text.contains("- closes #99999 when it is merged, if there is one"), "{text}");
        assert!(!text.contains("#431") && !text.contains("#432"), "{text}");
    }
    // GitHub heeds the words where it goes into the default branch only.
    let site = site_in_repo().await;
    let other = json!({"title": "Docs", "head": "release/2.14", "base": "feature/with-slash/and-more",
        "body": "Closes #477", "dry_run": true});
    let text = site.call("create_pr", other).await;
    assert!(text.contains("does not close #477: only a merge into main does"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_new_tag_is_told_with_its_commit() {
    let site = site_in_repo().await;
    let head = site.sandbox.head("release/2.14").await;
    let tag = json!({"action": "create", "kind": "tag", "name": "v2.14.1-rc1", "from": "release/2.14"});
    let text = site.call("manage_ref", tag).await;
    assert!(text.starts_with(&format!("Created the tag v2.14.1-rc1 of {REPO} at {head}")), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_merge_shows_the_message_of_its_commit() {
    let site = site_in_repo().await;
    let review = json!({"number": 487, "event": "approve"});
    site.call("review_pr", review).await;
    for (method, title) in [
        ("squash", "Bump hyper from 1.8.1 to 1.9.0 (#487)"),
        ("merge", "Merge pull request #487 from harbor-example/dependabot/cargo/hyper-1.9"),
    ] {
        let question =
            site.question("merge_pr", json!({"number": 487, "method": method})).await.expect("it asks");
        let (_, shown) = question.split_once("from=\"the commit's message, as GitHub makes it\"").unwrap();
        assert!(shown.contains(title), "{method}: {question}");
    }
    let own = json!({"number": 487, "method": "squash", "message": "Newer hyper\n\nFor the flush."});
    let question = site.question("merge_pr", own).await.expect("it asks");
    assert!(
        question.contains("commit title \"Newer hyper\"") && !question.contains("as GitHub makes it"),
        "{question}"
    );
    // What was shown is what is written.
    let text = site.call("merge_pr", json!({"number": 487, "method": "squash"})).await;
    assert!(text.starts_with("Merged "), "{text}");
    let head = site.sandbox.get(&format!("{REPO_PATH}/commits/main")).await;
    let message = head["commit"]["message"].as_str().unwrap();
    assert!(message.starts_with("Bump hyper from 1.8.1 to 1.9.0 (#487)"), "{message}");
}

/// A commit of `many` files on a branch of the empty repository's owner.
async fn commit_of(site: &crate::support::server::Site, many: usize) -> String {
    let mine = "repos/maya/dotfiles";
    let rows: Vec<_> = (0..many)
        .map(|n| json!({"path": format!("many/{n:04}.txt"), "mode": "100644", "type": "blob", "content": "x\n"}))
        .collect();
    let tree =
        site.sandbox.write(http::Method::POST, &format!("{mine}/git/trees"), json!({"tree": rows})).await;
    let body = json!({"message": "Many", "tree": tree["sha"], "parents": []});
    let commit = site.sandbox.write(http::Method::POST, &format!("{mine}/git/commits"), body).await;
    commit["sha"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn every_file_of_a_large_commit_is_shown_once() {
    let site = Setup::new().budget(512 * 1024).start().await;
    let sha = commit_of(&site, 730).await;
    let arguments = json!({"repo": "maya/dotfiles", "head": sha, "detail": "stat"});
    let text = site.pages("get_diff", arguments.clone()).await.join("\n");
    let mut names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("added many/")).collect();
    let shown = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((shown, names.len()), (730, 730), "nothing repeated, nothing lacking");
    assert!(!text.contains("GitHub lists only"), "{text}");
    // Whatever the size of GitHub's pages is: each is followed to the next.
    let paged = Setup::new().budget(512 * 1024).start().await;
    let sha = commit_of(&paged, 250).await;
    let route = "GET /repos/{owner}/{repo}/commits/{ref}";
    let first = paged.sandbox.get(&format!("repos/maya/dotfiles/commits/{sha}?per_page=100&page=1")).await;
    let link =
        format!("<{}repositories/3004/commits/{sha}?per_page=100&page=2>; rel=\"next\"", paged.sandbox.url);
    let answer = Action::Status {
        code: 200,
        headers: [("link".to_owned(), link)].into(),
        body: first.to_string(),
        committed: false,
    };
    // The first request of the route finds the commit's full id out.
    paged.rule(Rule::new(route, answer));
    let arguments = json!({"repo": "maya/dotfiles", "head": sha, "detail": "stat"});
    let text = paged.pages("get_diff", arguments).await.join("\n");
    let names: std::collections::BTreeSet<_> =
        text.lines().filter_map(|line| line.strip_prefix("added many/")).collect();
    assert_eq!(names.len(), 250, "{}", &text[..300]);
}

#[tokio::test(start_paused = true)]
async fn what_is_over_the_limit_of_github_is_told() {
    let site = Setup::new().budget(1024 * 1024).start().await;
    let sha = commit_of(&site, 3_010).await;
    let arguments = json!({"repo": "maya/dotfiles", "head": sha, "detail": "stat"});
    let text = site.reply("get_diff", arguments).await;
    assert!(text.contains("; GitHub lists only the first 3000 of its files)"), "{}", &text[..400]);
}

/// GitHub makes no diff of more than 300 files in one piece and lists 3,000 (docs.github.com, "Get a pull request", "List
/// pull requests files").
#[tokio::test(start_paused = true)]
async fn the_files_of_a_large_pull_request_are_read_to_the_last_that_github_lists() {
    let site = Setup::in_repo().budget(6 * 1024).start().await;
    let post = |path: &'static str, body: Value| {
        let path = format!("{REPO_PATH}/{path}");
        let sandbox = &site.sandbox;
        async move { sandbox.write(http::Method::POST, &path, body).await }
    };
    let base = site.sandbox.head("release/2.14").await;
    let tree = site.sandbox.of_repo(&format!("git/commits/{base}")).await["tree"]["sha"].clone();
    let rows: Vec<_> = (0..310)
        .map(|n| json!({"path": format!("many/{n:04}.txt"), "mode": "100644", "type": "blob", "content": "x\n"}))
        .collect();
    let tree = post("git/trees", json!({"base_tree": tree, "tree": rows})).await;
    let commit = json!({"message": "Many", "tree": tree["sha"], "parents": [base]});
    let commit = post("git/commits", commit).await;
    post("git/refs", json!({"ref": "refs/heads/maya/many", "sha": commit["sha"]})).await;
    let pull = json!({"title": "Many", "head": "maya/many", "base": "release/2.14"});
    let number = post("pulls", pull).await["number"].clone();
    let replies = site.pages("get_diff", json!({"number": number, "detail": "stat"})).await;
    let text = replies.join("\n");
    let mut names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("added many/")).collect();
    let shown = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((shown, names.len()), (310, 310), "nothing repeated, nothing lacking");
    assert!(replies.len() > 1 && !text.contains("GitHub lists"), "it goes on by cursor");
    let site = Setup::in_repo().start().await;
    let pull = "GET /repos/{owner}/{repo}/pulls/{pull_number}";
    site.fault(pull, Action::patch("/changed_files", json!(3_010)));
    let text = site.reply("get_diff", json!({"number": 485, "detail": "stat"})).await;
    assert!(text.contains(" of its 3010 files"), "{text}");
    assert_eq!(site.sent(pull), 1, "its diff in one piece is not asked for");
}

#[tokio::test(start_paused = true)]
async fn an_address_is_taken_wherever_a_number_is() {
    let site = site().await;
    let web = "https://github.com";
    let text = site.reply("get_issue", json!({"number": format!("{web}/{REPO}/issues/471")})).await;
    assert!(text.starts_with(&format!("{REPO}#471 closed")), "{text}");
    let comment = format!("{web}/harbor-example/docs/issues/11#issuecomment-1104");
    let text = site.reply("get_issue", json!({"number": comment})).await;
    assert!(text.starts_with("Comment 1104 on harbor-example/docs#11 by @mbell-northwind"), "{text}");
    let text = site.reply("get_pr", json!({"number": format!("{web}/{REPO}/pull/485/files")})).await;
    assert!(text.starts_with(&format!("{REPO}#485 ")) || text.contains("#485"), "{text}");
    let text = site.reply("get_run", json!({"run_id": format!("{web}/{REPO}/actions/runs/90043")})).await;
    assert!(text.starts_with("Run 90043 CI: failure"), "{text}");
    let job = format!("{web}/{REPO}/actions/runs/90043/job/910433");
    let text = site.reply("get_job_logs", json!({"job_id": job})).await;
    assert!(text.contains("job 910433 test (stable)"), "{text}");
    let text =
        site.reply("list_releases", json!({"tag": format!("{web}/{REPO}/releases/tag/v2.14.0")})).await;
    assert!(text.contains("v2.14.0: imports may be sent again"), "{text}");
    let react = json!({"comment_id": comment, "action": "react", "reaction": "heart"});
    let text = site.call("edit_comment", react).await;
    assert!(text.contains("1104"), "{text}");
    let reply = json!({"number": format!("{web}/{REPO}/pull/485"), "body": "0.",
        "reply_to": format!("{web}/{REPO}/pull/485#discussion_r485106")});
    let text = site.call("add_comment", reply).await;
    assert!(text.contains("in the thread on src/progress.rs"), "{text}");
    let two = [431, 432].map(|number| format!("{web}/{REPO}/issues/{number}"));
    let text = site.call("update_issue", json!({"numbers": two, "add_labels": "P2", "dry_run": true})).await;
    assert!(text.contains("#431: ") && text.contains("already like that: #432"), "{text}");
    // The repository may be said as well, if it is the same.
    let same = json!({"repo": format!("{web}/{REPO}"), "number": format!("{web}/{REPO}/issues/471")});
    assert!(site.reply("get_issue", same).await.starts_with(REPO));
}

#[tokio::test(start_paused = true)]
async fn an_address_of_something_else_is_refused() {
    let site = site_in_repo().await;
    let web = "https://github.com";
    for (tool, arguments, why) in [
        (
            "update_issue",
            json!({"number": "https://gitlab.com/harbor-example/import-api/issues/490", "state": "completed"}),
            "The address is of `gitlab.com`",
        ),
        (
            "get_run",
            json!({"run_id": format!("https://github.com.evil.example/{REPO}/actions/runs/90043")}),
            "The address is of `github.com.evil.example`",
        ),
        (
            "list_runs",
            json!({"workflow": format!("https://gitlab.com/{REPO}/ci.yml")}),
            "The address is of `gitlab.com`",
        ),
        (
            "get_issue",
            json!({"number": format!("{web}/{REPO}/actions/runs/90043")}),
            "nothing of the kind is at",
        ),
        ("get_run", json!({"run_id": format!("{web}/{REPO}/issues/471")}), "nothing of the kind is at"),
        (
            "get_issue",
            json!({"repo": REPO, "number": format!("{web}/harbor-example/docs/issues/11")}),
            "The address in `number` is of repo harbor-example/docs, and `repo` says harbor-example/import-api",
        ),
    ] {
        let text = site.refused(tool, arguments).await;
        assert!(text.starts_with("invalid_argument") && text.contains(why), "{tool}: {text}");
    }
    assert!(site.writes().is_empty(), "{:?}", site.writes());
}

#[tokio::test(start_paused = true)]
async fn a_conversation_is_locked_as_what_is_said() {
    let site = site().await;
    let lock = json!({"repo": "harbor-example/docs", "number": 12, "lock_reason": "spam"});
    let text = site.call("update_issue", lock.clone()).await;
    assert!(text.contains("- locked no → yes, as spam"), "{text}");
    let now = site.sandbox.get("repos/harbor-example/docs/issues/12").await;
    assert_eq!((&now["locked"], &now["active_lock_reason"]), (&json!(true), &json!("spam")));
    let text = site.call("update_issue", lock).await;
    assert!(text.starts_with("Nothing to change"), "{text}");
    // Locking what is locked does not take its reason away.
    let again = json!({"repo": "harbor-example/docs", "number": 12, "lock": true});
    assert!(site.call("update_issue", again).await.starts_with("Nothing to change"));
    let other = json!({"repo": "harbor-example/docs", "number": 12, "lock_reason": "too_heated"});
    let text = site.call("update_issue", other).await;
    assert!(text.contains("- locked yes, as spam → yes, as too heated"), "{text}");
    let both = json!({"repo": "harbor-example/docs", "number": 12, "lock": false, "lock_reason": "spam"});
    assert!(site.refused("update_issue", both).await.contains("`lock_reason` goes with `lock` true"));
    let open = json!({"repo": "harbor-example/docs", "number": 12, "lock": false});
    let text = site.call("update_issue", open).await;
    assert!(text.contains("- locked yes, as too heated → no"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn more_than_five_at_once_are_asked_about() {
    let site = site_in_repo().await;
    for id in 0..4 {
        let body = json!({"body": format!("Line {id}"), "commit_id": site.sandbox.get(&format!("{REPO_PATH}/pulls/485")).await["head"]["sha"],
            "path": "src/progress.rs", "subject_type": "file"});
        site.sandbox.write(http::Method::POST, &format!("{REPO_PATH}/pulls/485/comments"), body).await;
    }
    let threads = site.reply("get_pr", with_repo(json!({"number": 485, "include": "threads"}))).await;
    let mut threads: Vec<String> = threads
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-' || c == '='))
        .filter(|word| word.starts_with("PRRT_"))
        .map(str::to_owned)
        .collect();
    threads.sort();
    threads.dedup();
    let ids = ["81008", "81007", "81006", "81005", "81004", "81003"];
    let numbers = [442, 448, 451, 457, 463, 489];
    let six = |many: usize| -> Vec<(&str, Value)> {
        vec![
            ("update_issue", json!({"numbers": numbers[..many], "milestone": "v2.15"})),
            ("update_notifications", json!({"ids": ids[..many], "action": "done"})),
            (
                "update_project_items",
                json!({"owner": "harbor-example", "number": 4, "action": "add",
                    "items": numbers[..many].iter().map(|number| format!("{REPO}#{number}")).collect::<Vec<_>>()}),
            ),
        ]
    };
    for (tool, arguments) in six(6) {
        assert!(site.asks(tool, arguments).await, "{tool}: six are many");
    }
    for (tool, arguments) in six(5) {
        assert!(!site.asks(tool, arguments).await, "{tool}: five are few");
    }
    // One of the threads is resolved.
    assert!(threads.len() >= 7, "{threads:?}");
    let open = json!({"thread_ids": threads});
    assert!(site.asks("resolve_threads", open).await, "seven are many");
    assert!(!site.asks("resolve_threads", json!({"thread_ids": threads[..5]})).await, "five are few");
}

#[tokio::test(start_paused = true)]
async fn a_day_is_whole_at_both_ends_and_a_time_is_no_midnight() {
    let site = site_in_repo().await;
    let log = site.sandbox.get(&format!("{REPO_PATH}/commits?per_page=1")).await;
    let at = log[0]["commit"]["committer"]["date"].as_str().unwrap().to_owned();
    let day = &at[..10];
    let text = site.reply("list_commits", json!({"since": day, "until": day})).await;
    assert!(text.contains("Release v2.14.0") && text.contains("Make chunk writes idempotent"), "{text}");
    let text = site.reply("list_commits", json!({"since": day, "until": format!("{day}T15:00:00")})).await;
    assert!(!text.contains("Release v2.14.0") && text.contains("Make chunk writes idempotent"), "{text}");
    let text = site.reply("list_prs", json!({"head": "refs/heads/aiko/upload-preview"})).await;
    assert!(text.contains("#486 draft"), "{text}");
}
