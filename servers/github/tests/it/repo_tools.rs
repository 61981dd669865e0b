//! What the tools write to a repository: whole, once, on what was read, and only where they may.

use crate::support::{
    EMPTY, REPO, REPO_PATH,
    server::{Setup, Site, commit, site, with_repo},
};
use connector::{
    Kind,
    sandbox::{Action, Rule},
};
use serde_json::{Value, json};

/// What a commit by GraphQL is called in the journal.
const COMMIT: &str = "CreateCommit";

/// A large file of the story's repository.
const CSV: &str = "fixtures/stock-nightly.csv";
/// A branch that nobody protects.
const BRANCH: &str = "release/2.14";
/// How a reply begins about what was done though the answer was lost.
const LOST: &str = "GitHub's answer was lost, but it is done: ";

#[tokio::test(start_paused = true)]
async fn a_large_file_edited_in_one_place_is_committed_whole_and_unbroken() {
    let site = site().await;
    let before = site.sandbox.file(CSV, BRANCH).await;
    assert!(before.len() >= 303_000, "{}", before.len());
    let text = String::from_utf8(before.clone()).unwrap();
    let line = text.lines().nth(text.lines().count() / 2).unwrap().to_owned();
    let new = format!("{line} corrected");
    let edits = json!([{"path": CSV, "edits": [{"old": format!("{line}\n"), "new": format!("{new}\n")}]}]);
    let reply = site.call("commit_files", commit(edits)).await;
    let after = site.sandbox.file(CSV, BRANCH).await;
    assert_eq!(after.len(), before.len() + " corrected".len());
    assert_eq!(String::from_utf8(after).unwrap(), text.replacen(&line, &new, 1));
    assert!(reply.contains("1 file as GitHub counts, +1 −1 lines"), "{reply}");
    assert!(reply.contains(&site.sandbox.head(BRANCH).await), "the new commit is told: {reply}");
    assert_eq!((site.sent(COMMIT), site.questions()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_replaced_file_keeps_its_line_ends_and_its_byte_order_mark() {
    let site = site().await;
    let first = json!([{"path": "win.ini", "base64": true, "content": "77u/YT0xDQpiPTINCg=="}]);
    site.call("commit_files", commit(first)).await;
    assert_eq!(site.sandbox.file("win.ini", BRANCH).await, b"\xef\xbb\xbfa=1\r\nb=2\r\n");
    let text = site.reply("read_file", with_repo(json!({"path": "win.ini", "ref": BRANCH}))).await;
    assert!(text.contains("CRLF") && text.contains("byte-order mark"), "{text}");
    let reply =
        site.reply("commit_files", commit(json!([{"path": "win.ini", "content": "a=1\nb=3\n"}]))).await;
    assert_eq!(site.sandbox.file("win.ini", BRANCH).await, b"\xef\xbb\xbfa=1\r\nb=3\r\n");
    assert!(reply.contains("replace win.ini +1 −1"), "{reply}");
    assert!(reply.contains("keeps its CRLF line ends and byte-order mark"), "{reply}");
    let same =
        site.reply("commit_files", commit(json!([{"path": "win.ini", "content": "a=1\nb=3\n"}]))).await;
    assert!(same.starts_with("Nothing to commit"), "{same}");
    // What is given as bytes is written so, and a line that ends otherwise counts.
    let bytes = json!([{"path": "win.ini", "base64": true, "content": "YT0xCmI9Mwo="}]);
    let reply = site.reply("commit_files", commit(bytes)).await;
    assert_eq!(site.sandbox.file("win.ini", BRANCH).await, b"a=1\nb=3\n");
    assert!(reply.contains("replace win.ini +2 −2"), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn an_update_on_an_old_head_is_refused_and_says_what_changed() {
    let site = site().await;
    let read_at = site.sandbox.head(BRANCH).await;
    let other = json!([{"path": "README.md", "edits": [{"old": "# import-api", "new": "# import-api!"}]}]);
    site.call("commit_files", commit(other)).await;
    let moved_to = site.sandbox.head(BRANCH).await;
    let guarded = |path: &str| {
        let mut arguments = commit(json!([{"path": path, "content": "mine\n"}]));
        arguments["expected_head"] = json!(read_at);
        arguments
    };
    let error = site.refusal("commit_files", guarded("README.md")).await;
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.for_agent().contains("Changed meanwhile: README.md"), "{error}");
    let error = site.refusal("commit_files", guarded("docs/new.md")).await;
    assert!(error.for_agent().contains(&format!("expected_head {moved_to}")), "{error}");
    assert_eq!(site.sandbox.head(BRANCH).await, moved_to);
    let mut again = guarded("docs/new.md");
    again["expected_head"] = json!(moved_to[..12]);
    site.call("commit_files", again).await;
    assert_eq!(site.sandbox.file("docs/new.md", BRANCH).await, b"mine\n");
}

/// The next look at the branch shows where it was before its newest commit, as if that landed just after.
async fn look_back(site: &Site) {
    let head =
        site.sandbox.get(&format!("{REPO_PATH}/git/commits/{}", site.sandbox.head(BRANCH).await)).await;
    site.fault(
        "GET /repos/{owner}/{repo}/git/ref/{ref}",
        Action::patch("/object/sha", head["parents"][0]["sha"].clone()),
    );
}

#[tokio::test(start_paused = true)]
async fn a_branch_that_moves_between_reading_and_writing_is_not_overwritten() {
    for executable in [false, true] {
        let site = site().await;
        let theirs = json!([{"path": "theirs.md", "content": "theirs\n"}]);
        site.call("commit_files", commit(theirs)).await;
        let head = site.sandbox.head(BRANCH).await;
        look_back(&site).await;
        let ours = commit(json!([{"path": "a.sh", "content": "echo\n", "executable": executable}]));
        let error = site.refusal("commit_files", ours).await;
        assert_eq!(error.kind(), Kind::Conflict, "{error}");
        assert!(error.for_agent().contains(&format!("to {head} meanwhile: nothing was written")), "{error}");
        assert_eq!(site.sandbox.head(BRANCH).await, head);
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_commit_is_not_taken_for_ours() {
    let site = site().await;
    // The same message, the same file, on the same head, at the same time; but not the same text.
    let notes = |text: &str| commit(json!([{"path": "notes.md", "content": text}]));
    site.call("commit_files", notes("theirs\n")).await;
    look_back(&site).await;
    let error = site.refusal("commit_files", notes("ours\n")).await;
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert_eq!(site.sandbox.file("notes.md", BRANCH).await, b"theirs\n");
    look_back(&site).await;
    let reply = site.call("commit_files", notes("theirs\n")).await;
    assert!(reply.starts_with(&format!("{LOST}committed ")), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn a_move_a_mode_and_a_deletion_go_into_one_commit() {
    let site = site().await;
    let base = site.sandbox.head(BRANCH).await;
    let old = site.sandbox.file("docs/import.md", BRANCH).await;
    let logo = site.sandbox.file("assets/logo.png", BRANCH).await;
    let changes = json!([
        {"path": "docs/guide/import.md", "move_from": "docs/import.md"},
        {"path": "scripts/backfill.sh", "executable": false},
        {"path": "scripts/check.sh", "content": "#!/bin/sh\nexit 0\n", "executable": true},
        {"path": "assets/harbor.png", "move_from": "assets/logo.png"},
        {"path": "CHANGELOG.md", "delete": true},
        {"path": "assets/dot.bin", "content": "AAEC/w==", "base64": true},
    ]);
    let reply = site.call("commit_files", commit(changes)).await;
    let head = site.sandbox.head(BRANCH).await;
    let made = site.sandbox.get(&format!("{REPO_PATH}/git/commits/{head}")).await;
    assert_eq!(
        made["parents"],
        json!([{"sha": base, "url": made["parents"][0]["url"], "html_url": made["parents"][0]["html_url"]}])
    );
    assert_eq!(site.sandbox.file("docs/guide/import.md", &head).await, old);
    assert_eq!(site.sandbox.file("assets/harbor.png", &head).await, logo);
    assert_eq!(site.sandbox.file("assets/dot.bin", &head).await, [0, 1, 2, 255]);
    for (path, mode) in [
        ("docs/import.md", None),
        ("assets/logo.png", None),
        ("CHANGELOG.md", None),
        ("scripts/backfill.sh", Some("100644")),
        ("scripts/check.sh", Some("100755")),
    ] {
        assert_eq!(site.sandbox.mode(path, &head).await.as_deref(), mode, "{path}");
    }
    assert!(reply.contains("- mode of scripts/backfill.sh, no longer executable"), "{reply}");
    assert_eq!((site.sent(COMMIT), site.questions()), (0, 1), "a deletion asks first");
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_an_executable_file_keeps_it_executable() {
    let site = site().await;
    // createCommitOnBranch makes every file 100644, so it must not be used here.
    let text = String::from_utf8(site.sandbox.file("scripts/backfill.sh", BRANCH).await).unwrap();
    let first = text.lines().next().unwrap();
    let edit = json!({"old": format!("{first}\n"), "new": format!("{first}\n# Careful.\n")});
    let edits = json!([{"path": "scripts/backfill.sh", "edits": [edit]}]);
    site.call("commit_files", commit(edits)).await;
    assert_eq!(site.sandbox.mode("scripts/backfill.sh", BRANCH).await.as_deref(), Some("100755"));
    let after = String::from_utf8(site.sandbox.file("scripts/backfill.sh", BRANCH).await).unwrap();
    assert_eq!(after, text.replacen(&format!("{first}\n"), &format!("{first}\n# Careful.\n"), 1));
    assert_eq!(site.sent(COMMIT), 0);
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_answer_is_lost_is_found_and_not_made_twice() {
    for (operation, executable) in [(COMMIT, false), ("PATCH /repos/{owner}/{repo}/git/refs/{ref}", true)] {
        for action in [Action::CloseAfter, Action::Stall] {
            let site = site().await;
            let base = site.sandbox.head(BRANCH).await;
            // Every attempt at the write loses its answer.
            site.rule(Rule::new(operation, action.clone()).always());
            let changes = json!([{"path": "notes.sh", "content": "echo\n", "executable": executable}]);
            let reply = site.call("commit_files", commit(changes)).await;
            let head = site.sandbox.head(BRANCH).await;
            let made = site.sandbox.get(&format!("{REPO_PATH}/git/commits/{head}")).await;
            assert_eq!(made["parents"][0]["sha"], json!(base), "one commit, not two");
            assert!(reply.starts_with(&format!("{LOST}committed {head} ")), "{reply}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_never_arrived_is_certainly_not_done() {
    for (operation, executable) in [(COMMIT, false), ("PATCH /repos/{owner}/{repo}/git/refs/{ref}", true)] {
        let site = site().await;
        let base = site.sandbox.head(BRANCH).await;
        site.rule(Rule::new(operation, Action::status(502)).always());
        let changes = json!([{"path": "notes.sh", "content": "echo\n", "executable": executable}]);
        let error = site.refusal("commit_files", commit(changes.clone())).await;
        assert_eq!(error.kind(), Kind::Upstream, "{error}");
        assert!(error.for_agent().contains("certainly not on the branch"), "{error}");
        assert_eq!(site.sandbox.head(BRANCH).await, base);
        site.harness().faults().clear();
        tokio::time::advance(std::time::Duration::from_secs(120)).await;
        site.call("commit_files", commit(changes)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_branch_begins_where_it_is_told_to() {
    for executable in [false, true] {
        let site = site().await;
        let arguments = |branch: &str| {
            with_repo(json!({"branch": branch, "from": "v2.13.0", "message": "Begin",
                "changes": [{"path": "new.sh", "content": "echo\n", "executable": executable}]}))
        };
        let missing = site
            .refusal(
                "commit_files",
                with_repo(json!({"branch": "maya/new", "message": "x",
            "changes": [{"path": "a", "content": "b"}]})),
            )
            .await;
        assert!(missing.kind() == Kind::NotFound && missing.for_agent().contains("`from`"), "{missing}");
        let reply = site.call("commit_files", arguments("maya/new")).await;
        let made = site.sandbox.get(&format!("{REPO_PATH}/commits/maya/new")).await;
        let begun = site.sandbox.get(&format!("{REPO_PATH}/commits/v2.13.0")).await;
        assert_eq!(made["parents"][0]["sha"], begun["sha"]);
        assert!(reply.contains("to maya/new of harbor-example/import-api"), "{reply}");
        let error = site.refusal("commit_files", arguments("maya/new")).await;
        assert!(error.kind() == Kind::Conflict && error.for_agent().contains("Leave `from` out"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_protected_branch_refuses_and_the_way_out_is_told() {
    for executable in [false, true] {
        let site = site().await;
        let head = site.sandbox.head("main").await;
        let arguments = with_repo(json!({"branch": "main", "message": "Quick fix",
            "changes": [{"path": "fix.sh", "content": "echo\n", "executable": executable}]}));
        let error = site.refusal("commit_files", arguments).await;
        assert_eq!(error.kind(), Kind::Permission, "{error}");
        assert!(
            error.for_agent().contains("main is protected") && error.for_agent().contains("create_pr"),
            "{error}"
        );
        assert_eq!(site.sandbox.head("main").await, head);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_repository_gets_its_first_commit() {
    let site = site().await;
    let arguments = |branch: &str, changes: Value| json!({"repo": EMPTY, "branch": branch, "message": "Begin", "changes": changes});
    let edits = json!([{"path": "a.md", "edits": [{"old": "a", "new": "b"}]}]);
    assert_eq!(site.refusal("commit_files", arguments("main", edits)).await.kind(), Kind::NotFound);
    let changes = json!([
        {"path": "run.sh", "content": "echo\n", "executable": true},
        {"path": "README.md", "content": "# Empty no more\n"},
    ]);
    let reply = site.call("commit_files", arguments("main", changes)).await;
    assert!(reply.contains("the first file as commit"), "{reply}");
    let tree = site.sandbox.get(&format!("repos/{EMPTY}/git/trees/main?recursive=1")).await;
    let files: Vec<_> = tree["tree"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["path"].as_str().unwrap(), entry["mode"].as_str().unwrap()))
        .collect();
    assert_eq!(files, [("README.md", "100644"), ("run.sh", "100755")]);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_shows_the_change_and_makes_none() {
    let site = site().await;
    let mut arguments = commit(json!([
        {"path": "README.md", "edits": [{"old": "## Run it", "new": "## Run it yourself"}]},
        {"path": "notes.md", "content": "one\ntwo\n"},
    ]));
    arguments["dry_run"] = json!(true);
    let reply = site.call("commit_files", arguments).await;
    for part in [
        "Dry run, nothing was changed",
        "\"Change it\" (2 files, about +3 −1 lines)",
        "- edit README.md +1 −1 (",
        "- add notes.md +2 −0 (8 bytes)",
        "-## Run it\n+## Run it yourself\n",
    ] {
        assert!(reply.contains(part), "{part}: {reply}");
    }
    assert_eq!(site.writes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_changes_nothing_is_not_committed() {
    let site = site().await;
    let readme = String::from_utf8(site.sandbox.file("README.md", BRANCH).await).unwrap();
    let same = json!({"path": "README.md", "content": readme});
    let changes = json!([same, {"path": "scripts/backfill.sh", "executable": true}]);
    let reply = site.call("commit_files", commit(changes)).await;
    assert!(reply.starts_with("Nothing to commit"), "{reply}");
    assert_eq!(site.writes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn one_wrong_change_leaves_all_undone() {
    let site = site().await;
    let head = site.sandbox.head(BRANCH).await;
    let good = json!({"path": "notes.md", "content": "x\n"});
    for (wrong, kind, says) in [
        (
            json!({"path": "README.md", "edits": [{"old": "no such words", "new": ""}]}),
            Kind::Conflict,
            "README.md: `edits`: the text has no",
        ),
        (
            json!({"path": "README.md", "edits": [{"old": "import", "new": ""}]}),
            Kind::InvalidArgument,
            "times",
        ),
        (json!({"path": "nowhere.md", "delete": true}), Kind::NotFound, "no nowhere.md"),
        (json!({"path": "src", "content": "x"}), Kind::InvalidArgument, "directory"),
        (json!({"path": "README.md/below", "content": "x"}), Kind::InvalidArgument, "README.md is a file"),
        (
            json!({"path": "assets/logo.png", "edits": [{"old": "a", "new": "b"}]}),
            Kind::InvalidArgument,
            "not UTF-8 text",
        ),
        (
            json!({"path": "README.md", "move_from": "CHANGELOG.md"}),
            Kind::InvalidArgument,
            "there is a file already",
        ),
        (json!({"path": "notes.md", "delete": true}), Kind::InvalidArgument, "twice"),
        (json!({"path": "../etc/passwd", "content": "x"}), Kind::InvalidArgument, "not a path"),
    ] {
        let error = site.refusal("commit_files", commit(json!([good, wrong]))).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.for_agent().contains(says), "{error}");
    }
    assert_eq!((site.sandbox.head(BRANCH).await, site.writes().len()), (head, 0));
}

#[tokio::test(start_paused = true)]
async fn only_what_may_be_missed_is_asked_about() {
    let site = site().await;
    let asks = |changes: Value| commit(changes);
    let whole = json!([{"path": "README.md", "content": "all new\n"}]);
    let question =
        site.question("commit_files", asks(whole.clone())).await.expect("it replaces a file unseen");
    assert!(question.contains("replace README.md"), "{question}");
    assert!(
        site.question("commit_files", asks(json!([{"path": "README.md", "delete": true}]))).await.is_some()
    );
    let mut guarded = asks(whole);
    guarded["expected_head"] = json!(site.sandbox.head(BRANCH).await);
    assert!(site.question("commit_files", guarded).await.is_none(), "what was read may be replaced");
    assert!(site.question("commit_files", asks(json!([{"path": "b.md", "content": "x"}]))).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_allowed_is_refused_by_every_tool_and_nothing_is_sent() {
    let site = Setup::new()
        .list("allow-repos", &["harbor-example/import-api", "harbor-example/docs"])
        .list("allow-write-repos", &["harbor-example/docs"])
        .start()
        .await;
    let outside = "harbor-example/web";
    for (tool, arguments) in [
        ("get_repo", json!({"repo": outside})),
        ("read_file", json!({"repo": outside, "path": "README.md"})),
        ("list_tree", json!({"repo": outside})),
        ("list_refs", json!({"repo": outside, "kind": "tags"})),
        ("list_commits", json!({"repo": outside})),
        ("get_diff", json!({"repo": outside, "head": "main"})),
        ("list_releases", json!({"repo": outside})),
        ("create_repo", json!({"fork_of": outside})),
        ("create_repo", json!({"org": "harbor-example", "name": "fresh"})),
        ("commit_files", commit(json!([{"path": "a", "content": "b"}]))),
        ("manage_ref", with_repo(json!({"action": "create", "kind": "branch", "name": "x"}))),
        ("manage_ref", with_repo(json!({"action": "delete", "kind": "tag", "name": "v2.12.0"}))),
        ("create_release", with_repo(json!({"tag": "v9"}))),
    ] {
        let error = site.refusal(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Policy, "{tool}: {error}");
    }
    let sent = site.harness().journal().operations();
    assert!(sent.iter().all(|operation| operation == "GET /user"), "{sent:?}");
    assert!(site.call("read_file", with_repo(json!({"path": "README.md"}))).await.contains("# import-api"));
    let listed = site.call("list_repos", json!({})).await;
    assert!(
        listed.starts_with("2 repositories (yours; only what this server may read).")
            && !listed.contains(outside),
        "{listed}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_branch_is_created_once_and_deleted_with_a_word_on_what_is_lost() {
    let site = site().await;
    let manage =
        |action: &str, name: &str| with_repo(json!({"action": action, "kind": "branch", "name": name}));
    let mut create = manage("create", "maya/idea");
    create["from"] = json!("feature/with-slash/and-more");
    let reply = site.call("manage_ref", create.clone()).await;
    assert!(reply.starts_with("Created the branch maya/idea of harbor-example/import-api at "), "{reply}");
    let again = site.call("manage_ref", create).await;
    assert!(again.contains("is there already"), "{again}");
    let elsewhere = site.refusal("manage_ref", manage("create", "maya/idea")).await;
    assert_eq!(elsewhere.kind(), Kind::Conflict);
    let question = site.question("manage_ref", manage("delete", "maya/idea")).await.expect("it asks");
    assert!(
        question.contains("1 commit that main does not have would be left without a branch"),
        "{question}"
    );
    let gone = site.call("manage_ref", manage("delete", "maya/idea")).await;
    assert!(gone.starts_with("Deleted the branch maya/idea"), "{gone}");
    let nothing = site.call("manage_ref", manage("delete", "maya/idea")).await;
    assert!(nothing.starts_with("There is no branch maya/idea"), "{nothing}");
}

#[tokio::test(start_paused = true)]
async fn the_default_branch_and_protected_ones_are_never_deleted() {
    let site = site().await;
    let delete = json!({"action": "delete", "kind": "branch", "name": "main"});
    for repo in [REPO, "harbor-example/docs"] {
        let mut arguments = delete.clone();
        arguments["repo"] = json!(repo);
        let error = site.refusal("manage_ref", arguments).await;
        assert_eq!(error.kind(), Kind::Policy, "{error}");
    }
    assert_eq!(site.writes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_ref_whose_answer_is_lost_is_found() {
    let site = site().await;
    for (kind, message) in [("branch", None), ("tag", Some("The one before"))] {
        let rule = |operation: &str| Rule::new(operation, Action::CloseAfter).times(9);
        site.rule(rule("POST /repos/{owner}/{repo}/git/refs"));
        let mut arguments =
            with_repo(json!({"action": "create", "kind": kind, "name": "lost", "from": "main"}));
        if let Some(message) = message {
            arguments["message"] = json!(message);
        }
        let reply = site.call("manage_ref", arguments).await;
        assert!(reply.starts_with(&format!("{LOST}created the ")), "{reply}");
        site.harness().faults().clear();
    }
    let tag = site.sandbox.get(&format!("{REPO_PATH}/git/ref/tags/lost")).await;
    assert_eq!(tag["object"]["type"], "tag");
    site.fault("DELETE /repos/{owner}/{repo}/git/refs/{ref}", Action::CloseAfter);
    let gone =
        site.call("manage_ref", with_repo(json!({"action": "delete", "kind": "tag", "name": "lost"}))).await;
    assert!(gone.starts_with("Deleted the tag lost"), "{gone}");
}

#[tokio::test(start_paused = true)]
async fn a_release_is_made_once_even_if_its_answer_is_lost() {
    let site = site().await;
    let arguments = with_repo(
        json!({"tag": "v2.14.1", "name": "Small things", "body": "Less waiting.", "target": "release/2.14"}),
    );
    let mut dry = arguments.clone();
    dry["dry_run"] = json!(true);
    let preview = site.call("create_release", dry).await;
    let head = site.sandbox.head(BRANCH).await;
    assert!(
        preview.contains(&format!("makes the tag at {head} (release/2.14)")) && preview.contains("notifies"),
        "{preview}"
    );
    assert_eq!(site.writes(), [""; 0]);
    site.fault("POST /repos/{owner}/{repo}/releases", Action::CloseAfter);
    let reply = site.call("create_release", arguments.clone()).await;
    assert!(reply.starts_with(&format!("{LOST}published the release v2.14.1 ")), "{reply}");
    assert_eq!(site.sent("POST /repos/{owner}/{repo}/releases"), 1);
    assert_eq!(site.refusal("create_release", arguments).await.kind(), Kind::Conflict);
    let tag = site.sandbox.get(&format!("{REPO_PATH}/git/ref/tags/v2.14.1")).await;
    assert_eq!(tag["object"]["sha"], json!(head));
    let draft =
        with_repo(json!({"tag": "v3.0.0", "draft": true, "generate_notes": true, "prerelease": true}));
    let reply = site.call("create_release", draft).await;
    assert!(reply.contains("Drafted the release v3.0.0") && reply.contains("a prerelease"), "{reply}");
    let shown = site.call("list_releases", with_repo(json!({"tag": "v3.0.0"}))).await;
    assert!(shown.contains("draft"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_release_that_never_arrived_stays_unknown_until_it_is_looked_for() {
    let site = site().await;
    site.fault("POST /repos/{owner}/{repo}/releases", Action::status(502));
    let error = site.refusal("create_release", with_repo(json!({"tag": "v2.14.1"}))).await;
    assert_eq!(error.kind(), Kind::UnknownOutcome, "{error}");
    assert!(error.for_agent().contains("list_releases"), "{error}");
    assert_eq!(site.sent("POST /repos/{owner}/{repo}/releases"), 1, "never sent twice");
}

#[tokio::test(start_paused = true)]
async fn a_repository_is_private_unless_said_otherwise_and_made_once() {
    let site = site().await;
    site.fault("POST /orgs/{org}/repos", Action::CloseAfter);
    let arguments =
        json!({"org": "harbor-example", "name": "fresh", "description": "New", "auto_init": true});
    let reply = site.call("create_repo", arguments.clone()).await;
    assert!(
        reply.starts_with(&format!("{LOST}created the private repository harbor-example/fresh.")),
        "{reply}"
    );
    assert_eq!(site.refusal("create_repo", arguments).await.kind(), Kind::Conflict);
    let public = site.call("create_repo", json!({"name": "open", "private": false})).await;
    assert!(public.contains("Created the PUBLIC repository maya/open"), "{public}");
    let fork = site.call("create_repo", json!({"fork_of": "harbor-example/docs", "name": "my-docs"})).await;
    assert!(fork.contains("Forked harbor-example/docs as maya/my-docs"), "{fork}");
    let listed = site.call("list_repos", json!({"owner": "maya"})).await;
    assert!(listed.contains("maya/open public") && listed.contains("maya/my-docs public fork"), "{listed}");
}

#[tokio::test(start_paused = true)]
async fn a_branch_of_an_open_pull_request_says_so_before_it_goes() {
    let site = site().await;
    let delete = with_repo(json!({"action": "delete", "kind": "branch", "name": "tomas/eng-31-progress"}));
    let question = site.question("manage_ref", delete).await.expect("it asks");
    assert!(question.contains("would close the pull request #485"), "{question}");
    let tag = with_repo(json!({"action": "delete", "kind": "tag", "name": "v2.13.0"}));
    let question = site.question("manage_ref", tag).await.expect("it asks");
    assert!(question.contains("would become a draft"), "{question}");
    assert_eq!(site.writes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn many_files_with_a_mode_take_few_writes() {
    let site = site().await;
    let mut changes: Vec<_> = (0..30)
        .map(|number| json!({"path": format!("many/{number}.txt"), "content": format!("{number}\r\n")}))
        .collect();
    changes.push(json!({"path": "many/run.sh", "content": "#!/bin/sh\n", "executable": true}));
    changes.push(json!({"path": "many/raw.bin", "content": "/wD/", "base64": true}));
    site.call("commit_files", commit(json!(changes))).await;
    assert_eq!(site.sandbox.file("many/7.txt", BRANCH).await, b"7\r\n");
    assert_eq!(site.sandbox.file("many/raw.bin", BRANCH).await, [255, 0, 255]);
    assert_eq!(site.writes().len(), 4, "a blob, a tree, a commit, the branch: {:?}", site.writes());
}

#[tokio::test(start_paused = true)]
async fn more_than_fits_one_request_goes_by_blobs_and_stays_whole() {
    let site = site().await;
    let content: String =
        (0..80_000).map(|number| format!("{number:07} {}\n", "0123456789".repeat(5))).collect();
    assert!(content.len() > 4 * 1024 * 1024);
    site.call("commit_files", commit(json!([{"path": "huge.txt", "content": content}]))).await;
    assert_eq!(site.sent(COMMIT), 0);
    let edits = json!([{"old": "0040000 0", "new": "0040000 one"}]);
    let edit = json!([{"path": "moved/huge.txt", "move_from": "huge.txt", "edits": edits}]);
    site.call("commit_files", commit(edit)).await;
    let after = site.sandbox.file("moved/huge.txt", BRANCH).await;
    assert_eq!(String::from_utf8(after).unwrap(), content.replacen("0040000 0", "0040000 one", 1));
    assert_eq!(site.sandbox.mode("huge.txt", BRANCH).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_former_name_is_written_to_as_well() {
    for executable in [false, true] {
        let site = site().await;
        let mut arguments = commit(json!([{"path": "a.sh", "content": "echo\n", "executable": executable}]));
        arguments["repo"] = json!("harbor-example/importer");
        site.call("commit_files", arguments).await;
        assert_eq!(site.sandbox.file("a.sh", BRANCH).await, b"echo\n");
    }
}

#[tokio::test(start_paused = true)]
async fn a_branch_that_was_created_for_nothing_is_mentioned() {
    let site = site().await;
    let arguments = with_repo(json!({"branch": "maya/new", "from": "main", "message": "Begin",
        "changes": [{"path": "new.md", "content": "x\n"}]}));
    site.rule(Rule::new(COMMIT, Action::status(502)).always());
    let error = site.refusal("commit_files", arguments.clone()).await;
    assert!(error.for_agent().contains("the branch maya/new was created, without the commit"), "{error}");
    site.harness().faults().clear();
    tokio::time::advance(std::time::Duration::from_secs(120)).await;
    let reply = site.call("commit_files", arguments).await;
    assert!(reply.starts_with("Committed "), "{reply}");
}
