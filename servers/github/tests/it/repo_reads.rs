//! What the tools read of a repository.

use crate::support::{
    EMPTY, REPO, REPO_PATH,
    reply::{cursor, rows},
    server::{self, Setup, commit, site, site_in_repo, with_repo},
};
use connector::{
    Kind,
    sandbox::{Action, Change, Rule},
};
use serde_json::{Value, json};

/// A large file of the story's repository.
const CSV: &str = "fixtures/stock-nightly.csv";
/// A branch that nobody protects.
const BRANCH: &str = "release/2.14";

/// The numbered lines in a reply.
fn numbered(text: &str) -> Vec<(usize, &str)> {
    let lines = rows(text).into_iter().filter_map(|row| row.split_once('\t'));
    lines.map(|(number, line)| (number.parse().unwrap(), line)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_file_is_read_with_what_one_needs_to_change_it() {
    let site = site().await;
    let reply = site
        .call("read_file", with_repo(json!({"path": "src/chunks.rs", "start_line": 7, "end_line": 9})))
        .await;
    let head = site.sandbox.head("main").await;
    let found = site.sandbox.get(&format!("{REPO_PATH}/contents/src/chunks.rs?ref=main")).await;
    assert!(
        reply.starts_with(&format!("src/chunks.rs of {REPO} at main (commit {head}): lines 7-9 of ")),
        "{reply}"
    );
    assert!(reply.contains(&format!("blob {}", found["sha"].as_str().unwrap())), "{reply}");
    let raw = String::from_utf8(site.sandbox.file("src/chunks.rs", "main").await).unwrap();
    let wanted: Vec<_> = (7..=9).map(|number| (number, raw.lines().nth(number - 1).unwrap())).collect();
    assert_eq!(numbered(&reply), wanted);
}

#[tokio::test(start_paused = true)]
async fn a_ref_is_a_branch_a_tag_a_sha_or_a_short_one() {
    let site = site().await;
    let head = site.sandbox.head("feature/with-slash/and-more").await;
    for reference in ["feature/with-slash/and-more", &head, &head[..9]] {
        let reply = site.call("read_file", with_repo(json!({"path": "Cargo.toml", "ref": reference}))).await;
        assert!(reply.contains(&head), "{reference}: {reply}");
    }
    let tagged = site.call("read_file", with_repo(json!({"path": "Cargo.toml", "ref": "v2.13.0"}))).await;
    assert!(tagged.contains("version = \"2.13.0\""), "an annotated tag leads to its commit: {tagged}");
    let error = site.refusal("read_file", with_repo(json!({"path": "Cargo.toml", "ref": "v99"}))).await;
    assert!(error.kind() == Kind::NotFound && error.for_agent().contains("list_refs"), "{error}");
    let error = site.refusal("read_file", with_repo(json!({"path": "src/nothing.rs"}))).await;
    assert!(
        error.for_agent().contains("There is no src/nothing.rs") && error.for_agent().contains("list_tree"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_long_file_goes_on_line_by_line_until_its_end() {
    let site = site().await;
    let raw = String::from_utf8(site.sandbox.file(CSV, "main").await).unwrap();
    let mut read = Vec::new();
    let mut start = 1;
    while read.len() < raw.lines().count() {
        let reply = site.call("read_file", with_repo(json!({"path": CSV, "start_line": start}))).await;
        assert!(reply.len() <= 32 * 1024, "{}", reply.len());
        let lines = numbered(&reply);
        assert_eq!(lines.first().unwrap().0, start);
        read.extend(lines.iter().map(|(_, line)| (*line).to_owned()));
        start = lines.last().unwrap().0 + 1;
        let goes_on = reply.contains(&format!("read_file with start_line={start}]"));
        assert_eq!(goes_on, read.len() < raw.lines().count(), "{}", &reply[reply.len() - 200..]);
    }
    assert!(read.iter().map(String::as_str).eq(raw.lines()));
    assert_eq!(site.sent("GET /repos/{owner}/{repo}/contents/{path}"), 2, "ours was kept by its commit");
}

#[tokio::test(start_paused = true)]
async fn a_file_above_a_megabyte_is_read_and_edited_by_its_blob() {
    let site = site().await;
    let line = "0123456789".repeat(10);
    let content: String = (0..14_000).map(|number| format!("{number:05} {line}\n")).collect();
    site.call("commit_files", commit(json!([{"path": "large.txt", "content": content}]))).await;
    let at = json!({"path": "large.txt", "ref": BRANCH, "start_line": 13_999});
    let reply = site.call("read_file", with_repo(at)).await;
    assert_eq!(numbered(&reply).len(), 2, "{reply}");
    assert!(reply.contains("13999\t13998 0123"), "{reply}");
    let edit = json!([{"path": "large.txt", "edits": [{"old": "13998 0", "new": "13998 one"}]}]);
    site.call("commit_files", commit(edit)).await;
    assert_eq!(site.sandbox.file("large.txt", BRANCH).await.len(), content.len() + 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_text_is_said_and_not_shown() {
    let site = site().await;
    let reply = site.call("read_file", with_repo(json!({"path": "assets/logo.png"}))).await;
    assert!(reply.contains("a binary file") && !reply.contains("<data"), "{reply}");
    let folder = site.call("read_file", with_repo(json!({"path": "src/"}))).await;
    assert!(rows(&folder).contains(&"main.rs 771"), "{folder}");
    let root = site.call("read_file", with_repo(json!({"path": "/"}))).await;
    assert_eq!(rows(&root)[..2], [".github/", "assets/"], "{root}");
}

#[tokio::test(start_paused = true)]
async fn hidden_characters_are_taken_out_and_mentioned() {
    let site = site().await;
    let content = "plain\r\nhid\u{200b}den \u{202e}text\r\nend";
    site.call("commit_files", commit(json!([{"path": "odd.txt", "content": content}]))).await;
    let reply = site.call("read_file", with_repo(json!({"path": "odd.txt", "ref": BRANCH}))).await;
    assert_eq!(numbered(&reply), [(1, "plain"), (2, "hidden text"), (3, "end")]);
    for note in ["lines end in CRLF", "cannot be seen", "no newline at its end"] {
        assert!(reply.contains(note), "{note}: {reply}");
    }
    let edits = json!([{"path": "odd.txt", "edits": [{"old": "plain\n", "new": "plain\nnew\n"}]}]);
    site.call("commit_files", commit(edits)).await;
    let after = String::from_utf8(site.sandbox.file("odd.txt", BRANCH).await).unwrap();
    assert_eq!(after, content.replace("plain\r\n", "plain\r\nnew\r\n"));
}

#[tokio::test(start_paused = true)]
async fn a_blame_names_the_commit_above_its_lines() {
    let site = site().await;
    let reply = site.call("read_file", with_repo(json!({"path": "src/chunks.rs", "blame": true}))).await;
    let commits: Vec<_> = rows(&reply).into_iter().filter(|row| row.starts_with("-- ")).collect();
    assert!(
        commits.len() > 2
            && commits.iter().any(|row| row.contains("@tomas: Make chunk writes idempotent (#482)")),
        "{reply}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_tree_is_listed_by_folder_and_by_glob() {
    let site = site().await;
    let paths = |reply: &str| -> Vec<String> {
        rows(reply).iter().map(|row| row.split(' ').next().unwrap().to_owned()).collect()
    };
    let below = site.call("list_tree", with_repo(json!({"prefix": ".github/workflows"}))).await;
    assert_eq!(
        paths(&below),
        ["ci.yml", "deploy.yml", "nightly.yml"].map(|name| format!(".github/workflows/{name}"))
    );
    let all = site.call("list_tree", with_repo(json!({}))).await;
    assert!(all.contains("scripts/backfill.sh") && all.contains(" executable"), "{all}");
    let mut walked = Vec::new();
    for reply in site.pages("list_tree", with_repo(json!({"limit": 5}))).await {
        walked.extend(paths(&reply));
    }
    assert_eq!(walked, paths(&all));
    let error = site.refusal("list_tree", with_repo(json!({"prefix": "nowhere"}))).await;
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_tree_in_which_nothing_fits_says_for_what_and_what_to_try() {
    let site = site().await;
    let text = site.call("list_tree", with_repo(json!({"glob": "*.zyxwvutsrq"}))).await;
    let header = text.lines().next().unwrap();
    let (found, asked) = header.split_once(" Asked for: ").unwrap();
    assert!(found.starts_with("No files (") && asked.contains("glob *.zyxwvutsrq"), "{text}");
    assert!(asked.ends_with(". If some should be there, try it without `glob`."), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_tree_that_github_cuts_is_read_folder_by_folder() {
    let site = site().await;
    let whole = site.call("list_tree", with_repo(json!({}))).await;
    let tree = "GET /repos/{owner}/{repo}/git/trees/{tree_sha}";
    let fresh = server::site().await;
    // All at once is refused at the root only; each folder is given whole.
    fresh.rule(Rule::new(tree, Action::patch("/truncated", json!(true))).times(2));
    let again = fresh.call("list_tree", with_repo(json!({}))).await;
    assert_eq!(rows(&again), rows(&whole));
    assert!(fresh.sent(tree) > 3 && !again.contains("incomplete"), "{again}");
    let endless = server::site().await;
    let cut = Action::Patch {
        changes: vec![
            Change::set("/truncated", json!(true)),
            Change::set(
                "/tree",
                json!([{"path": "deep", "mode": "040000", "type": "tree", "sha": "a".repeat(40)}]),
            ),
        ],
    };
    endless.rule(Rule::new(tree, cut).always());
    let reply = endless.reply("list_tree", with_repo(json!({}))).await;
    assert!(reply.contains("incomplete") || reply.contains("not_found"), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn refs_are_listed_and_matched_by_their_beginning() {
    let site = site().await;
    let branches = site.call("list_refs", with_repo(json!({"kind": "branches"}))).await;
    let head = site.sandbox.head("main").await;
    let main = rows(&branches).into_iter().find(|row| row.starts_with("main ")).unwrap();
    assert!(main.starts_with(&format!("main {} 2026-", &head[..12])), "{main}");
    assert!(main.ends_with(": default, protected"), "{main}");
    // Each branch with how far it is from the default one, and its open pull request.
    let compared = site.sandbox.of_repo("compare/main...tomas/eng-31-progress").await;
    let (ahead, behind) = (&compared["ahead_by"], compared["behind_by"].as_u64().unwrap());
    let behind = if behind > 0 { format!(", {behind} behind") } else { String::new() };
    let tomas = rows(&branches).into_iter().find(|row| row.starts_with("tomas/eng-31-progress ")).unwrap();
    assert!(tomas.contains(&format!(" @tomas: {ahead} ahead{behind}, #485")), "{tomas}");
    let matched = site.call("list_refs", with_repo(json!({"kind": "branches", "match": "feature/"}))).await;
    assert_eq!(rows(&matched).len(), 1, "{matched}");
    let first = site.call("list_refs", with_repo(json!({"kind": "tags", "match": "v2", "limit": 2}))).await;
    let next = cursor(&first).unwrap();
    let second = site
        .call("list_refs", with_repo(json!({"kind": "tags", "match": "v2", "limit": 2, "cursor": next})))
        .await;
    assert_eq!((rows(&first).len(), rows(&second).len(), cursor(&second)), (2, 1, None));
}

#[tokio::test(start_paused = true)]
async fn the_log_is_paged_to_its_end_and_narrowed() {
    let site = site().await;
    let mut seen = Vec::new();
    for reply in site.pages("list_commits", with_repo(json!({"limit": 15}))).await {
        seen.extend(rows(&reply).into_iter().map(str::to_owned));
    }
    let all = site.sandbox.get(&format!("{REPO_PATH}/commits?per_page=100")).await;
    assert_eq!(seen.len(), all.as_array().unwrap().len());
    let narrowed = site
        .call(
            "list_commits",
            with_repo(json!({"author": "@priya", "path": "src/gateway.rs", "since": "30d"})),
        )
        .await;
    assert!(
        !rows(&narrowed).is_empty() && rows(&narrowed).iter().all(|row| row.contains(" @priya: ")),
        "{narrowed}"
    );
    let mine = site.call("list_commits", with_repo(json!({"author": "@me", "ref": "refs/heads/main"}))).await;
    let own = site.call("whoami", json!({})).await;
    let login = rows(&mine)[0].split(" @").nth(1).unwrap().split(':').next().unwrap();
    assert!(own.contains(&format!("@{login}")), "{mine}\n{own}");
    let error = site.refusal("list_commits", json!({"repo": EMPTY})).await;
    assert!(error.for_agent().contains("no commits yet"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_commit_is_shown_with_its_message_and_its_patch() {
    let site = site().await;
    let log = site.sandbox.get(&format!("{REPO_PATH}/commits?path=src/chunks.rs&per_page=1")).await;
    let sha = log[0]["sha"].as_str().unwrap();
    let reply = site.call("get_diff", with_repo(json!({"head": sha[..10]}))).await;
    assert!(reply.contains("Make chunk writes idempotent (#482)") && reply.contains(sha), "{reply}");
    assert!(reply.contains("\n=== modified src/chunks.rs +") && reply.contains("\n@@ -"), "{reply}");
    let only = site
        .call(
            "get_diff",
            with_repo(json!({"head": sha, "detail": "stat", "paths": ["src/**"], "exclude": ["chunks.rs"]})),
        )
        .await;
    assert!(!only.contains("src/chunks.rs +") && only.contains("left out by"), "{only}");
    let range = site
        .call("get_diff", with_repo(json!({"base": "v2.13.0", "head": "v2.14.0", "detail": "stat"})))
        .await;
    assert!(range.lines().any(|line| line == "added migrations/0004_idempotent_chunks.sql +7 −0"), "{range}");
    let error = site.refusal("get_diff", with_repo(json!({"number": 485, "head": "main"}))).await;
    assert_eq!(error.kind(), Kind::InvalidArgument);
}

#[tokio::test(start_paused = true)]
async fn a_large_diff_comes_in_whole_files_over_several_replies() {
    let site = site().await;
    let text =
        |name: usize| -> String { (0..400).map(|line| format!("line {line} of file {name}\n")).collect() };
    let mut changes: Vec<_> =
        (0..8).map(|name| json!({"path": format!("gen/{name}.txt"), "content": text(name)})).collect();
    changes.push(json!({"path": "Cargo.lock", "content": text(9)}));
    site.call("commit_files", commit(json!(changes))).await;
    let mut lines = Vec::new();
    let replies = site.pages("get_diff", with_repo(json!({"head": BRANCH}))).await;
    for reply in &replies {
        assert!(reply.len() <= 32 * 1024 && !reply.contains("were cut"), "{}", reply.len());
        lines.extend(
            reply
                .lines()
                .filter(|line| line.starts_with("+line ") || line.starts_with("=== "))
                .map(str::to_owned),
        );
    }
    assert!(replies.len() > 1);
    assert_eq!(lines.iter().filter(|line| line.starts_with("+line ")).count(), 9 * 400);
    let last = lines.iter().rfind(|line| line.starts_with("=== ")).unwrap();
    assert!(last.contains("Cargo.lock"), "the generated one comes last: {last}");
}

#[tokio::test(start_paused = true)]
async fn a_part_that_fails_does_not_spoil_the_rest() {
    let site = site().await;
    site.rule(Rule::new("GET /repos/{owner}/{repo}/languages", Action::status(502)).always());
    let include = json!(["readme", "languages", "collaborators", "templates", "branch_rules"]);
    let reply = site.call("get_repo", with_repo(json!({"include": include}))).await;
    assert!(reply.contains("Not answered (languages): upstream"), "{reply}");
    for part in [
        "# import-api",
        "@priya write",
        "## How it was checked",
        "required checks: build, lint, test, integration",
    ] {
        assert!(reply.contains(part), "{part}: {reply}");
    }
    let head = site.sandbox.head("main").await;
    assert!(reply.contains(&format!("Default branch main at {head}.")), "{reply}");
    let empty = site.call("get_repo", json!({"repo": EMPTY, "include": ["readme"]})).await;
    assert!(
        empty.contains("no commits yet") && empty.contains("Not answered (readme): not_found"),
        "{empty}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_former_name_and_an_address_lead_to_the_repository() {
    let site = site().await;
    for name in [
        "harbor-example/importer",
        "https://github.com/harbor-example/import-api/pull/482",
        "HARBOR-EXAMPLE/Import-API",
    ] {
        let reply = site.call("get_repo", json!({"repo": name})).await;
        assert!(reply.lines().take(2).any(|line| line.starts_with(REPO)), "{name}: {reply}");
    }
    let default = site_in_repo().await;
    assert!(default.call("list_releases", json!({"tag": "latest"})).await.contains("v2.14.0"));
}

#[tokio::test(start_paused = true)]
async fn releases_are_listed_and_shown_in_full() {
    let site = site().await;
    let listed = site.call("list_releases", with_repo(json!({}))).await;
    let tags: Vec<_> = rows(&listed).iter().map(|row| row.split(' ').next().unwrap()).collect();
    assert_eq!(tags, ["v2.15.0", "v2.14.0", "v2.13.0", "v2.12.0"]);
    let latest = site.call("list_releases", with_repo(json!({"tag": "latest"}))).await;
    assert!(latest.contains("v2.14.0") && latest.contains("## What's Changed"), "{latest}");
    let error = site.refusal("list_releases", with_repo(json!({"tag": "v9"}))).await;
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn drift_in_an_answer_is_survived() {
    for (tool, arguments, operation, change) in [
        (
            "list_commits",
            json!({}),
            "GET /repos/{owner}/{repo}/commits",
            Change::set("/*/author", Value::Null),
        ),
        (
            "list_commits",
            json!({}),
            "GET /repos/{owner}/{repo}/commits",
            Change::remove("/0/commit/committer"),
        ),
        (
            "list_refs",
            json!({"kind": "tags"}),
            "GET /repos/{owner}/{repo}/tags",
            Change::set("/0", Value::Null),
        ),
        ("get_repo", json!({}), "GET /repos/{owner}/{repo}", Change::set("/stargazers_count", json!("12"))),
        ("get_repo", json!({}), "GET /repos/{owner}/{repo}", Change::remove("/permissions")),
        (
            "list_tree",
            json!({}),
            "GET /repos/{owner}/{repo}/git/trees/{tree_sha}",
            Change::set("/tree/*/size", Value::Null),
        ),
        (
            "list_releases",
            json!({}),
            "GET /repos/{owner}/{repo}/releases",
            Change::set("/*/author", Value::Null),
        ),
        (
            "get_diff",
            json!({"head": "main"}),
            "GET /repos/{owner}/{repo}/commits/{ref}",
            Change::remove("/files/0/patch"),
        ),
    ] {
        let site = site().await;
        site.rule(Rule::new(operation, Action::Patch { changes: vec![change.clone()] }).always());
        let reply = site.call(tool, with_repo(arguments)).await;
        assert!(reply.contains("<data"), "{tool} {change:?}: {reply}");
    }
}

#[tokio::test(start_paused = true)]
async fn structured_content_says_the_same_and_fits_its_schema() {
    let site = Setup::new().structured(true).start().await;
    for (tool, arguments, pointer) in [
        ("list_repos", json!({}), "/items/0/repo"),
        ("get_repo", with_repo(json!({"include": ["labels", "languages", "readme"]})), "/parts/readme"),
        ("read_file", with_repo(json!({"path": "README.md"})), "/text"),
        ("read_file", with_repo(json!({"path": "src"})), "/entries/0"),
        ("list_tree", with_repo(json!({})), "/items/0/path"),
        ("list_refs", with_repo(json!({"kind": "tags"})), "/items/0/sha"),
        ("list_commits", with_repo(json!({})), "/items/0/subject"),
        ("get_diff", with_repo(json!({"head": "main"})), "/items/0/patch"),
        ("list_releases", with_repo(json!({"tag": "latest"})), "/items/0/body"),
        ("list_releases", with_repo(json!({})), "/items/0/tag"),
    ] {
        let data = site.data(tool, arguments).await;
        assert!(data.pointer(pointer).is_some_and(Value::is_string), "{tool} {pointer}: {data}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pull_request_is_read_by_its_number() {
    let site = site().await;
    let pull = site.sandbox.get(&format!("{REPO_PATH}/pulls/485")).await;
    let (head, files) = (pull["head"]["sha"].as_str().unwrap(), pull["changed_files"].as_u64().unwrap());
    let read = site.call("read_file", with_repo(json!({"path": "src/progress.rs", "ref": "pull/485"}))).await;
    assert!(read.contains(&format!("at pull/485 (commit {head})")), "{read}");
    let diff = site.call("get_diff", with_repo(json!({"number": 485}))).await;
    assert!(
        diff.starts_with(&format!(
            "{files} changed files (of {REPO}#485, head {head}, compared with where it left main; +"
        )),
        "{diff}"
    );
    assert!(diff.contains("\n=== modified src/progress.rs +") && diff.contains("\n@@ -"), "{diff}");
    let error = site.refusal("get_diff", with_repo(json!({"number": 9_999}))).await;
    assert!(error.kind() == Kind::NotFound && error.for_agent().contains("#9999"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_diff_that_github_does_not_make_is_put_together_from_the_files() {
    let site = site().await;
    let whole = site.call("get_diff", with_repo(json!({"number": 485}))).await;
    let fresh = server::site().await;
    // 406 above 300 files or 20,000 lines (docs.github.com, "Get a pull request"); the first request of the
    // route is for the pull request itself.
    let too_large = Action::Status {
        code: 406,
        headers: std::collections::BTreeMap::new(),
        body: json!({"message": "Sorry, the diff exceeded the maximum number of lines (20000)"}).to_string(),
        committed: false,
    };
    let rule = Rule::new("GET /repos/{owner}/{repo}/pulls/{pull_number}", too_large);
    fresh.rule(rule.skip(1));
    let pieced = fresh.call("get_diff", with_repo(json!({"number": 485}))).await;
    assert_eq!(rows(&pieced), rows(&whole));
    assert_eq!(fresh.sent("GET /repos/{owner}/{repo}/pulls/{pull_number}/files"), 1);
    assert_eq!(site.sent("GET /repos/{owner}/{repo}/pulls/{pull_number}/files"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_one_needs_before_writing_comes_with_the_repository() {
    let site = site().await;
    let include = json!(["labels", "milestones", "issue_types"]);
    let reply = site.call("get_repo", with_repo(json!({"include": include}))).await;
    for part in ["good first issue: ", "v2.15, due ", "\nFeature\n", "from=\"issue types\""] {
        assert!(reply.contains(part), "{part}: {reply}");
    }
    // A third of GitHub's own JSON, at most, for a listing.
    let rows = site.call("list_commits", with_repo(json!({"limit": 20}))).await;
    let own = site.sandbox.bytes(&format!("{REPO_PATH}/commits?per_page=20"), "json").await;
    assert!(rows.len() * 3 <= own.len(), "{} of {}", rows.len(), own.len());
    let files = site.call("get_diff", with_repo(json!({"number": 485}))).await;
    let own = site.sandbox.bytes(&format!("{REPO_PATH}/pulls/485/files"), "json").await;
    assert!(files.len() < own.len(), "{} of {}", files.len(), own.len());
}
