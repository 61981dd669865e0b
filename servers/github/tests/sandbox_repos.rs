//! The fake's repositories: ids that are git's own, files, references, comparisons, releases.

#![cfg(feature = "sandbox")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers may fail it")]

mod support;

use std::{path::Path, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, header};
use serde_json::{Value, json};
use support::{
    REPO_PATH,
    fake::{Sandbox, column},
};

/// Maya's own repository, where nothing is protected.
const MINE: &str = "repos/maya/dotfiles";
const WHEN: &str = "2026-02-03T04:05:06+02:00";

/// What git itself says, in a directory.
fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Maya Lindqvist", "-c", "user.email=maya@harbor.example"])
        .args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .env("GIT_AUTHOR_DATE", WHEN)
        .env("GIT_COMMITTER_DATE", WHEN)
        .current_dir(directory)
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn head(sandbox: &Sandbox, repo: &str, branch: &str) -> String {
    let found = sandbox.get(&format!("{repo}/git/ref/heads/{branch}")).await;
    found["object"]["sha"].as_str().unwrap().to_owned()
}

async fn text(sandbox: &Sandbox, path: &str, accept: &str) -> (String, String) {
    let request = sandbox.request(Method::GET, path).header(header::ACCEPT, accept);
    let response = request.send().await.unwrap();
    let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    (kind, response.text().await.unwrap())
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

#[tokio::test(start_paused = true)]
async fn blobs_trees_commits_and_tags_have_the_ids_that_git_gives_them() {
    let sandbox = Sandbox::start().await;
    let files = [
        ("100644", "a.txt", "one\ntwo\n"),
        ("100755", "bin/run.sh", "#!/bin/sh\n"),
        ("120000", "link", "a.txt"),
    ];
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    git(directory, &["init", "-q"]);
    std::fs::create_dir(directory.join("bin")).unwrap();
    let mut rows = Vec::new();
    for (mode, path, content) in files {
        let body = json!({"content": STANDARD.encode(content), "encoding": "base64"});
        let (status, blob) = sandbox.send(Method::POST, &format!("{MINE}/git/blobs"), body).await;
        assert_eq!(status, 201);
        // The content without a file of its own: `printf '...' | git hash-object --stdin`.
        std::fs::write(directory.join(path), content).unwrap();
        let sha = git(directory, &["hash-object", "-w", path]);
        assert_eq!(blob["sha"], sha);
        git(directory, &["update-index", "--add", "--cacheinfo", &format!("{mode},{sha},{path}")]);
        rows.push(json!({"path": path, "mode": mode, "type": "blob", "sha": sha}));
    }
    let (_, tree) = sandbox.send(Method::POST, &format!("{MINE}/git/trees"), json!({"tree": rows})).await;
    assert_eq!(tree["sha"], git(directory, &["write-tree"]));
    git(directory, &["commit", "-q", "-m", "First", "-m", "With a body: größer"]);
    let maya = json!({"name": "Maya Lindqvist", "email": "maya@harbor.example", "date": WHEN});
    let body = json!({
        "message": "First\n\nWith a body: größer\n", "tree": tree["sha"], "parents": [], "author": maya, "committer": maya,
    });
    let (status, commit) = sandbox.send(Method::POST, &format!("{MINE}/git/commits"), body).await;
    assert_eq!((status, &commit["sha"]), (201, &json!(git(directory, &["rev-parse", "HEAD"]))));
    // GitHub shows times in UTC, and a message without its last line break.
    assert_eq!(commit["author"]["date"], "2026-02-03T02:05:06Z");
    assert_eq!(commit["message"], "First\n\nWith a body: größer");
    git(directory, &["tag", "-a", "v1", "-m", "One"]);
    let body =
        json!({"tag": "v1", "message": "One\n", "object": commit["sha"], "type": "commit", "tagger": maya});
    let (_, tag) = sandbox.send(Method::POST, &format!("{MINE}/git/tags"), body).await;
    assert_eq!(tag["sha"], git(directory, &["rev-parse", "v1"]));
}

#[tokio::test(start_paused = true)]
async fn a_commits_diff_reads_as_gits() {
    let sandbox = Sandbox::start().await;
    let (before, after) = (
        "fn a() {\n    1;\n    2;\n    3;\n    4;\n}\n",
        "fn a() {\n    1;\n    2;\n    3;\n    5;\n}\n\nfn b() {}",
    );
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    git(directory, &["init", "-q"]);
    let mut ids = Vec::new();
    for (message, content) in [("one", before), ("two", after)] {
        let old = sandbox.try_get(&format!("{MINE}/contents/src/x.rs")).await.1["sha"].clone();
        let mut body = json!({"message": message, "content": STANDARD.encode(content)});
        if old.is_string() {
            body["sha"] = old;
        }
        let (_, put) = sandbox.send(Method::PUT, &format!("{MINE}/contents/src/x.rs"), body).await;
        ids.push(put["commit"]["sha"].as_str().unwrap().to_owned());
        std::fs::create_dir_all(directory.join("src")).unwrap();
        std::fs::write(directory.join("src/x.rs"), content).unwrap();
        git(directory, &["add", "."]);
        git(directory, &["commit", "-q", "-m", message]);
    }
    let (kind, ours) =
        text(&sandbox, &format!("{MINE}/commits/{}", ids[1]), "application/vnd.github.v3.diff").await;
    assert_eq!(kind, "application/vnd.github.diff; charset=utf-8");
    assert_eq!(ours.trim(), git(directory, &["diff", "--abbrev=7", "HEAD~1", "HEAD"]));
    // In JSON a patch begins at its first hunk.
    let commit = sandbox.get(&format!("{MINE}/commits/{}", ids[1])).await;
    let patch = commit["files"][0]["patch"].as_str().unwrap();
    assert!(patch.starts_with("@@ -2,5 +2,7 @@ fn a() {\n") && ours.contains(patch), "{patch}");
    assert!(patch.ends_with("\\ No newline at end of file"));
    assert_eq!(commit["stats"], json!({"total": 4, "additions": 3, "deletions": 1}));
    let (_, sha) = text(&sandbox, &format!("{MINE}/commits/main"), "application/vnd.github.sha").await;
    assert_eq!(sha, ids[1]);
    let (_, mail) = text(&sandbox, &format!("{MINE}/commits/main"), "application/vnd.github.patch").await;
    assert!(mail.starts_with(&format!("From {sha} ")) && mail.contains("Subject: [PATCH] two\n"));
}

#[tokio::test(start_paused = true)]
async fn a_file_is_written_read_and_removed_by_its_path_however_that_is_encoded() {
    let sandbox = Sandbox::start().await;
    let (encoded, plain) = (format!("{MINE}/contents/a%2Fb%20c.md"), format!("{MINE}/contents/a/b%20c.md"));
    let put = |content: &str, sha: Option<&Value>| {
        let mut body = json!({"message": "Write", "content": STANDARD.encode(content)});
        if let Some(sha) = sha {
            body["sha"] = sha.clone();
        }
        body
    };
    let (status, made) = sandbox.send(Method::PUT, &encoded, put("hi\n", None)).await;
    assert_eq!((status, &made["content"]["path"]), (201, &json!("a/b c.md")));
    assert_eq!(made["commit"]["verification"]["verified"], true);
    let read = sandbox.get(&plain).await;
    assert_eq!(read, sandbox.get(&encoded).await);
    assert_eq!((&read["content"], &read["encoding"]), (&json!("aGkK\n"), &json!("base64")));
    // docs.github.com, "Create or update file contents": a sha is required to update, 409 if it is another.
    let (status, refused) = sandbox.send(Method::PUT, &plain, put("hello\n", None)).await;
    assert_eq!((status, &refused["message"]), (422, &json!("Invalid request.\n\n\"sha\" wasn't supplied.")));
    let stale = json!("0123456789012345678901234567890123456789");
    let (status, refused) = sandbox.send(Method::PUT, &plain, put("hello\n", Some(&stale))).await;
    assert_eq!(status, 409);
    assert!(refused["message"].as_str().unwrap().starts_with("a/b c.md does not match 0123"));
    let (status, made) = sandbox.send(Method::PUT, &plain, put("hello\n", Some(&read["sha"]))).await;
    assert_eq!(status, 200);
    let gone = json!({"message": "Remove", "sha": made["content"]["sha"]});
    let (status, removed) = sandbox.send(Method::DELETE, &encoded, gone).await;
    assert_eq!((status, &removed["content"]), (200, &Value::Null));
    assert_eq!(sandbox.try_get(&plain).await.0, 404);
    assert_eq!(sandbox.get(&format!("{MINE}/commits?path=a&per_page=9")).await.as_array().unwrap().len(), 3);
    let (status, refused) =
        sandbox.send(Method::PUT, &format!("{MINE}/contents/.git/config"), put("x", None)).await;
    assert_eq!((status, &refused["message"]), (422, &json!("path contains a malformed path component")));
}

#[tokio::test(start_paused = true)]
async fn contents_come_as_json_raw_or_uniform_objects() {
    let sandbox = Sandbox::start().await;
    let raw = "application/vnd.github.v3.raw";
    let (kind, readme) = text(&sandbox, &format!("{REPO_PATH}/readme"), raw).await;
    assert!(kind.ends_with("; charset=utf-8") && readme.starts_with("# import-api\n"));
    let listing = sandbox.get(&format!("{REPO_PATH}/contents/src")).await;
    assert_eq!(
        column(&listing, "name"),
        ["chunks.rs", "gateway.rs", "jobs.rs", "main.rs", "progress.rs", "worker.rs"]
    );
    let (_, object) =
        text(&sandbox, &format!("{REPO_PATH}/contents/src"), "application/vnd.github.object+json").await;
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!((&object["type"], object["entries"].as_array().unwrap().len()), (&json!("dir"), 6));
    let logo = sandbox.get(&format!("{REPO_PATH}/contents/assets/logo.png")).await;
    let bytes = STANDARD.decode(logo["content"].as_str().unwrap().replace('\n', "")).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    // A link shows the file that it leads to, a submodule where it comes from.
    let link = sandbox.get("repos/harbor-example/docs/contents/latest.md").await;
    assert_eq!((&link["type"], &link["path"]), (&json!("file"), &json!("latest.md")));
    let module = sandbox.get("repos/harbor-example/web/contents/vendor/components").await;
    assert_eq!(module["submodule_git_url"], "https://github.com/harbor-example/components.git");
    assert_eq!((&module["type"], &module["download_url"]), (&json!("submodule"), &Value::Null));
    // In a directory it was a file before version 2026-03-10.
    assert_eq!(sandbox.get("repos/harbor-example/web/contents/vendor").await[0]["type"], "file");
    let request = sandbox.request(Method::GET, "repos/harbor-example/web/contents/vendor");
    let listing = request.header("x-github-api-version", "2026-03-10").send().await.unwrap();
    let listing: Value = serde_json::from_str(&listing.text().await.unwrap()).unwrap();
    assert_eq!(listing[0]["type"], "submodule");
}

#[tokio::test(start_paused = true)]
async fn a_file_above_a_megabyte_has_no_content_in_json() {
    let sandbox = Sandbox::start().await;
    let large = "x".repeat(1024 * 1024 + 1);
    let body = json!({"message": "Large", "content": STANDARD.encode(&large)});
    assert_eq!(sandbox.send(Method::PUT, &format!("{MINE}/contents/large.txt"), body).await.0, 201);
    let read = sandbox.get(&format!("{MINE}/contents/large.txt")).await;
    assert_eq!((&read["content"], &read["encoding"]), (&json!(""), &json!("none")));
    assert_eq!(read["size"], large.len());
    let (_, raw) =
        text(&sandbox, &format!("{MINE}/contents/large.txt"), "application/vnd.github.raw+json").await;
    assert_eq!(raw.len(), large.len());
    // The story's file of a customer stays below.
    let csv = sandbox.get(&format!("{REPO_PATH}/contents/fixtures/stock-nightly.csv")).await;
    assert!((303_000..303_200).contains(&csv["size"].as_u64().unwrap()));
    assert_eq!(csv["encoding"], "base64");
}

#[tokio::test(start_paused = true)]
async fn an_empty_repository_says_so_where_github_does() {
    let sandbox = Sandbox::start().await;
    let empty = "repos/harbor-example/empty";
    for path in ["commits", "git/ref/heads/main", "git/matching-refs/heads", "git/trees/main"] {
        let (status, body) = sandbox.try_get(&format!("{empty}/{path}")).await;
        assert_eq!((status, &body["message"]), (409, &json!("Git Repository is empty.")), "{path}");
    }
    let (status, body) = sandbox.try_get(&format!("{empty}/contents/")).await;
    assert_eq!((status, &body["message"]), (404, &json!("This repository is empty.")));
    assert_eq!(sandbox.get(&format!("{empty}/branches")).await, json!([]));
    let blob = sandbox.send(Method::POST, &format!("{empty}/git/blobs"), json!({"content": "x"})).await;
    assert_eq!(blob.0, 409);
    // The first file begins the default branch.
    let body = json!({"message": "Begin", "content": STANDARD.encode("# empty\n")});
    assert_eq!(sandbox.send(Method::PUT, &format!("{empty}/contents/README.md"), body).await.0, 201);
    assert_eq!(column(&sandbox.get(&format!("{empty}/branches")).await, "name"), ["main"]);
}

#[tokio::test(start_paused = true)]
async fn references_are_made_moved_and_removed_by_gits_rules() {
    let sandbox = Sandbox::start().await;
    let main = head(&sandbox, MINE, "main").await;
    let log = sandbox.get(&format!("{MINE}/commits")).await;
    let older = log[1]["sha"].as_str().unwrap().to_owned();
    let make = async |name: &str, sha: &str| {
        sandbox.send(Method::POST, &format!("{MINE}/git/refs"), json!({"ref": name, "sha": sha})).await
    };
    let (status, made) = make("refs/heads/topic/one", &older).await;
    assert_eq!((status, &made["object"]["sha"]), (201, &json!(older)));
    for (name, sha, says) in [
        ("refs/heads/topic/one", main.as_str(), "Reference already exists"),
        ("refs/heads/topic", &main, "Reference update failed"),
        ("refs/heads/no good", &main, "refs/heads/no good is not a valid ref name."),
        ("refs/heads/x", "0123456789012345678901234567890123456789", "Object does not exist"),
    ] {
        let (status, refused) = make(name, sha).await;
        assert_eq!((status, &refused["message"]), (422, &json!(says)));
    }
    let path = format!("{MINE}/git/refs/heads/topic%2Fone");
    assert_eq!(sandbox.send(Method::PATCH, &path, json!({"sha": main})).await.0, 200);
    let (status, refused) = sandbox.send(Method::PATCH, &path, json!({"sha": older})).await;
    assert_eq!((status, &refused["message"]), (422, &json!("Update is not a fast forward")));
    let (status, moved) = sandbox.send(Method::PATCH, &path, json!({"sha": older, "force": true})).await;
    assert_eq!((status, &moved["object"]["sha"]), (200, &json!(older)));
    let listed = sandbox.get(&format!("{MINE}/git/matching-refs/heads/topic")).await;
    assert_eq!(column(&listed, "ref"), ["refs/heads/topic/one"]);
    assert_eq!(sandbox.send(Method::DELETE, &path, Value::Null).await.0, 204);
    let (status, refused) = sandbox.send(Method::DELETE, &path, Value::Null).await;
    assert_eq!((status, &refused["message"]), (422, &json!("Reference does not exist")));
}

#[tokio::test(start_paused = true)]
async fn a_protected_branch_takes_neither_pushes_nor_deletion() {
    let sandbox = Sandbox::start().await;
    let topic = head(&sandbox, REPO_PATH, "aiko%2Fupload-preview").await;
    let path = format!("{REPO_PATH}/git/refs/heads/main");
    let (status, refused) = sandbox.send(Method::PATCH, &path, json!({"sha": topic, "force": true})).await;
    assert_eq!((status, &refused["message"]), (422, &json!("Cannot force-push to this protected branch")));
    let parent = head(&sandbox, REPO_PATH, "main").await;
    let commit = sandbox.get(&format!("{REPO_PATH}/git/commits/{parent}")).await;
    let body = json!({"message": "Sneak", "tree": commit["tree"]["sha"], "parents": [parent]});
    let (_, sneaked) = sandbox.send(Method::POST, &format!("{REPO_PATH}/git/commits"), body).await;
    let (status, refused) = sandbox.send(Method::PATCH, &path, json!({"sha": sneaked["sha"]})).await;
    assert_eq!(status, 422);
    let says = refused["message"].as_str().unwrap();
    assert!(
        says.starts_with("Repository rule violations found\n\nChanges must be made through a pull request."),
        "{says}"
    );
    let body = json!({"message": "Sneak", "content": STANDARD.encode("x")});
    assert_eq!(sandbox.send(Method::PUT, &format!("{REPO_PATH}/contents/x"), body).await.0, 409);
    assert_eq!(sandbox.send(Method::DELETE, &path, Value::Null).await.0, 422);
    assert_eq!(head(&sandbox, REPO_PATH, "main").await, parent);
    // What is demanded can be asked for before.
    let rules = sandbox.get(&format!("{REPO_PATH}/rules/branches/main")).await;
    assert_eq!(
        column(&rules, "type"),
        ["deletion", "non_fast_forward", "pull_request", "required_status_checks"]
    );
    assert_eq!(sandbox.get(&format!("{REPO_PATH}/rules/branches/release%2F2.14")).await, json!([]));
    let protection = sandbox.get(&format!("{REPO_PATH}/branches/main/protection")).await;
    assert_eq!(
        words(&protection["required_status_checks"]["contexts"]),
        ["build", "lint", "test", "integration"]
    );
    let (status, none) = sandbox.try_get(&format!("{REPO_PATH}/branches/release%2F2.14/protection")).await;
    assert_eq!((status, &none["message"]), (404, &json!("Branch not protected")));
}

#[tokio::test(start_paused = true)]
async fn comparisons_count_from_the_commit_that_both_sides_share() {
    let sandbox = Sandbox::start().await;
    let compared = sandbox.get(&format!("{REPO_PATH}/compare/main...tomas%2Feng-31-progress")).await;
    assert_eq!(compared["status"], "diverged");
    assert_eq!((&compared["ahead_by"], &compared["behind_by"]), (&json!(3), &json!(2)));
    let subjects = compared["commits"].as_array().unwrap().iter();
    let subjects: Vec<_> =
        subjects.map(|row| row["commit"]["message"].as_str().unwrap().lines().next().unwrap()).collect();
    assert_eq!(
        subjects,
        [
            "Keep the progress of a job",
            "Tell the progress in GET /v2/imports/{id}",
            "Round the percentage down"
        ]
    );
    assert!(compared["merge_base_commit"]["commit"]["message"].as_str().unwrap().contains("(#479)"));
    assert_eq!(
        column(&compared["files"], "filename"),
        ["docs/import.md", "migrations/0003_progress.sql", "src/jobs.rs", "src/progress.rs", "src/worker.rs"]
    );
    let tags = sandbox.get(&format!("{REPO_PATH}/compare/v2.14.0...v2.13.0")).await;
    assert_eq!((&tags["status"], &tags["ahead_by"]), (&json!("behind"), &json!(0)));
    let same = sandbox.get(&format!("{REPO_PATH}/compare/main...HEAD")).await;
    assert_eq!((&same["status"], &same["files"]), (&json!("identical"), &json!([])));
    let second =
        sandbox.get(&format!("{REPO_PATH}/compare/main...tomas%2Feng-31-progress?per_page=2&page=2")).await;
    assert_eq!((second["commits"].as_array().unwrap().len(), &second["files"]), (1, &Value::Null));
    let (kind, diff) = text(
        &sandbox,
        &format!("{REPO_PATH}/compare/main...aiko%2Fupload-preview"),
        "application/vnd.github.diff",
    )
    .await;
    assert!(kind.ends_with("charset=utf-8") && diff.contains("+++ b/src/preview.rs\n@@ -0,0 +1,"));
    assert_eq!(sandbox.try_get(&format!("{REPO_PATH}/compare/main...nothing")).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn commits_are_listed_by_path_author_and_time_in_pages() {
    let sandbox = Sandbox::start().await;
    let request = sandbox.request(Method::GET, &format!("{REPO_PATH}/commits?per_page=15&page=2"));
    let response = request.send().await.unwrap();
    let link = response.headers()["link"].to_str().unwrap().to_owned();
    for rel in ["prev", "next", "last", "first"] {
        assert!(link.contains(&format!("rel=\"{rel}\"")), "{link}");
    }
    // The addresses have the repository's id, as on github.com, and lead on.
    let next = link.split(',').find(|part| part.contains("rel=\"next\"")).unwrap();
    let next = next.trim().trim_start_matches('<').split('>').next().unwrap();
    assert!(next.contains("/repositories/3001/commits?"));
    let path = next.strip_prefix(sandbox.running.url().as_str()).unwrap();
    assert_eq!(sandbox.get(path).await.as_array().unwrap().len(), 10);
    let of_priya = sandbox.get(&format!("{REPO_PATH}/commits?author=priya&per_page=100")).await;
    let logins = of_priya.as_array().unwrap().iter().map(|row| row["author"]["login"].clone());
    assert!(logins.clone().count() > 5 && logins.clone().all(|login| login == "priya"));
    let chunks = sandbox.get(&format!("{REPO_PATH}/commits?path=src/chunks.rs&per_page=100")).await;
    assert_eq!(chunks.as_array().unwrap().len(), 5);
    assert!(
        chunks[0]["commit"]["message"].as_str().unwrap().starts_with("Make chunk writes idempotent (#482)")
    );
    let day = chunks[0]["commit"]["committer"]["date"].as_str().unwrap();
    let later = sandbox.get(&format!("{REPO_PATH}/commits?since={day}")).await;
    assert_eq!(later.as_array().unwrap().len(), 2);
    // A branch, a tag, a pull request's head and a short id all lead to a commit.
    for name in ["v2.13.0", "refs/heads/main", "pull%2F482%2Fhead", &chunks[0]["sha"].as_str().unwrap()[..9]]
    {
        assert!(sandbox.get(&format!("{REPO_PATH}/commits/{name}")).await["sha"].is_string(), "{name}");
    }
    let (status, refused) = sandbox.try_get(&format!("{REPO_PATH}/commits/nothing")).await;
    assert_eq!((status, &refused["message"]), (422, &json!("No commit found for SHA: nothing")));
}

#[tokio::test(start_paused = true)]
async fn a_former_name_leads_to_the_new_one() {
    let sandbox = Sandbox::start().await;
    let request = sandbox.request(Method::GET, "repos/harbor-example/importer/contents/README.md?ref=main");
    let response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), 301);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.ends_with("/repositories/3001/contents/README.md?ref=main"), "{location}");
    let path = location.strip_prefix(sandbox.running.url().as_str()).unwrap();
    assert_eq!(sandbox.get(path).await["path"], "README.md");
}

#[tokio::test(start_paused = true)]
async fn trees_are_read_whole_and_written_over_others() {
    let sandbox = Sandbox::start().await;
    let tree = sandbox.get(&format!("{REPO_PATH}/git/trees/main?recursive=1")).await;
    let row = |path: &str| {
        tree["tree"].as_array().unwrap().iter().find(|row| row["path"] == path).cloned().unwrap_or_default()
    };
    assert_eq!(
        (&row("scripts/backfill.sh")["mode"], &row("src")["type"]),
        (&json!("100755"), &json!("tree"))
    );
    assert_eq!(tree["truncated"], false);
    let flat = sandbox.get(&format!("{REPO_PATH}/git/trees/main")).await;
    assert!(flat["tree"].as_array().unwrap().iter().all(|row| !row["path"].as_str().unwrap().contains('/')));
    let body = json!({"base_tree": flat["sha"], "tree": [
        {"path": "src/gateway.rs", "mode": "100644", "type": "blob", "sha": null},
        {"path": "src/new/mod.rs", "mode": "100644", "type": "blob", "content": "//! New.\n"},
        {"path": "scripts/backfill.sh", "mode": "100644", "type": "blob", "sha": row("scripts/backfill.sh")["sha"]},
    ]});
    let (status, made) = sandbox.send(Method::POST, &format!("{REPO_PATH}/git/trees"), body).await;
    assert_eq!(status, 201);
    let made =
        sandbox.get(&format!("{REPO_PATH}/git/trees/{}?recursive=1", made["sha"].as_str().unwrap())).await;
    let paths = column(&made["tree"], "path");
    assert!(paths.contains(&json!("src/new/mod.rs")) && !paths.contains(&json!("src/gateway.rs")));
    let blob = json!({"tree": [{"path": "x", "mode": "100644", "type": "blob", "sha": tree["sha"]}]});
    assert_eq!(sandbox.send(Method::POST, &format!("{REPO_PATH}/git/trees"), blob).await.0, 422);
}

#[tokio::test(start_paused = true)]
async fn a_tree_beyond_the_limit_is_truncated() {
    let seed: Value = serde_json::from_str(fixtures::github()).unwrap();
    let mut small = seed.clone();
    small["repos"]["repositories"][0]["tree_limit"] = json!(7);
    let sandbox = Sandbox::start_with(small.to_string()).await;
    let tree = sandbox.get(&format!("{REPO_PATH}/git/trees/main?recursive=1")).await;
    assert_eq!((&tree["truncated"], tree["tree"].as_array().unwrap().len()), (&json!(true), 7));
}

#[tokio::test(start_paused = true)]
async fn releases_come_with_their_tags_and_notes() {
    let sandbox = Sandbox::start().await;
    let latest = sandbox.get(&format!("{REPO_PATH}/releases/latest")).await;
    assert_eq!(latest["tag_name"], "v2.14.0");
    let all = sandbox.get(&format!("{REPO_PATH}/releases")).await;
    assert_eq!(column(&all, "tag_name"), ["v2.15.0", "v2.14.0", "v2.13.0", "v2.12.0"]);
    assert_eq!((&all[0]["draft"], &all[0]["published_at"]), (&json!(true), &Value::Null));
    assert_eq!(sandbox.try_get(&format!("{REPO_PATH}/releases/tags/v2.15.0")).await.0, 404);
    let body =
        json!({"tag_name": "v2.14.1", "target_commitish": "release/2.14", "generate_release_notes": true});
    let (status, made) = sandbox.send(Method::POST, &format!("{REPO_PATH}/releases"), body.clone()).await;
    assert_eq!((status, &made["name"]), (201, &json!("v2.14.1")));
    assert!(made["body"].as_str().unwrap().ends_with("/compare/v2.14.0...v2.14.1"));
    let tag = sandbox.get(&format!("{REPO_PATH}/git/ref/tags/v2.14.1")).await;
    assert_eq!(tag["object"]["sha"], head(&sandbox, REPO_PATH, "release%2F2.14").await);
    let (status, refused) = sandbox.send(Method::POST, &format!("{REPO_PATH}/releases"), body).await;
    assert_eq!((status, &refused["errors"][0]["code"]), (422, &json!("already_exists")));
    let path = format!("{REPO_PATH}/releases/{}", all[0]["id"]);
    let (_, published) =
        sandbox.send(Method::PATCH, &path, json!({"draft": false, "prerelease": true})).await;
    assert!(published["published_at"].is_string());
    assert_eq!(sandbox.get(&format!("{REPO_PATH}/releases/latest")).await["tag_name"], "v2.14.1");
    assert_eq!(sandbox.send(Method::DELETE, &path, Value::Null).await.0, 204);
    let body = json!({"tag_name": "v3", "previous_tag_name": "v2.13.0"});
    let (_, notes) = sandbox.send(Method::POST, &format!("{REPO_PATH}/releases/generate-notes"), body).await;
    let notes = notes["body"].as_str().unwrap();
    assert!(notes.contains(
        "* Make chunk writes idempotent by @tomas in https://github.com/harbor-example/import-api/pull/482"
    ));
}

#[tokio::test(start_paused = true)]
async fn repositories_are_listed_created_and_forked() {
    let sandbox = Sandbox::start().await;
    let mine = sandbox.get("user/repos").await;
    assert_eq!(column(&mine, "name"), ["docs", "empty", "import-api", "web", "dotfiles"]);
    assert_eq!(column(&sandbox.get("user/repos?affiliation=owner").await, "name"), ["dotfiles"]);
    assert_eq!(column(&sandbox.get("users/maya/repos").await, "full_name"), ["maya/dotfiles"]);
    assert_eq!(sandbox.get("orgs/harbor-example/repos?type=public").await.as_array().unwrap().len(), 1);
    let (status, made) = sandbox
        .send(Method::POST, "user/repos", json!({"name": "My notes", "private": true, "auto_init": true}))
        .await;
    assert_eq!((status, &made["full_name"]), (201, &json!("maya/My-notes")));
    assert_eq!(column(&sandbox.get("repos/maya/my-notes/commits").await, "node_id").len(), 1);
    let (status, refused) = sandbox.send(Method::POST, "user/repos", json!({"name": "my-notes"})).await;
    assert_eq!(
        (status, &refused["errors"][0]["message"]),
        (422, &json!("name already exists on this account"))
    );
    let (status, fork) = sandbox.send(Method::POST, "repos/harbor-example/docs/forks", json!({})).await;
    assert_eq!((status, &fork["parent"]["full_name"]), (202, &json!("harbor-example/docs")));
    let body = json!({"message": "Mend", "content": STANDARD.encode("Mended.\n")});
    assert_eq!(sandbox.send(Method::PUT, "repos/maya/docs/contents/mended.md", body).await.0, 201);
    let across = sandbox.get("repos/harbor-example/docs/compare/main...maya:main").await;
    assert_eq!((&across["ahead_by"], &across["files"][0]["filename"]), (&json!(1), &json!("mended.md")));
    let (status, again) = sandbox.send(Method::POST, "repos/harbor-example/docs/forks", json!({})).await;
    assert_eq!((status, &again["id"]), (202, &fork["id"]));
    let full = sandbox.get(REPO_PATH).await;
    assert_eq!((&full["language"], &full["permissions"]["admin"]), (&json!("Rust"), &json!(true)));
    let people = sandbox.get(&format!("{REPO_PATH}/collaborators")).await;
    assert_eq!(column(&people, "role_name"), ["read", "maintain", "admin", "write", "read", "write"]);
    let permission = sandbox.get(&format!("{REPO_PATH}/collaborators/jonas/permission")).await;
    assert_eq!((&permission["permission"], &permission["role_name"]), (&json!("write"), &json!("maintain")));
}

#[tokio::test(start_paused = true)]
async fn a_push_moves_the_head_of_the_branchs_pull_request() {
    let sandbox = Sandbox::start().await;
    let body =
        json!({"message": "More", "content": STANDARD.encode("x\n"), "branch": "tomas/eng-31-progress"});
    let (_, put) = sandbox.send(Method::PUT, &format!("{REPO_PATH}/contents/x.md"), body).await;
    let hidden = sandbox.get(&format!("{REPO_PATH}/git/ref/pull/485/head")).await;
    assert_eq!(hidden["object"]["sha"], put["commit"]["sha"]);
}

const CREATE: &str = "mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) {
    commit { oid additions deletions messageHeadline messageBody signature { isValid wasSignedByGitHub } author { user { login } } parents(first: 2) { nodes { oid } } }
    ref { name target { oid } } } }";

#[tokio::test(start_paused = true)]
async fn several_files_are_committed_at_once_onto_the_head_that_was_seen() {
    let sandbox = Sandbox::start().await;
    let old = head(&sandbox, REPO_PATH, "aiko%2Fupload-preview").await;
    let input = json!({
        "branch": {"repositoryNameWithOwner": "harbor-example/import-api", "branchName": "aiko/upload-preview"},
        "expectedHeadOid": old,
        "message": {"headline": "Tidy", "body": "At once."},
        "fileChanges": {
            "additions": [{"path": "docs/preview.md", "contents": STANDARD.encode("# Preview\n")}],
            "deletions": [{"path": "scripts/deploy.sh"}],
        },
    });
    let made = sandbox.graphql(CREATE, json!({"input": input})).await;
    let made = &made["createCommitOnBranch"];
    assert_eq!((&made["commit"]["additions"], &made["commit"]["deletions"]), (&json!(1), &json!(3)));
    assert_eq!(made["commit"]["signature"], json!({"isValid": true, "wasSignedByGitHub": true}));
    assert_eq!(made["commit"]["author"]["user"]["login"], "maya");
    assert_eq!(made["commit"]["parents"]["nodes"][0]["oid"], old);
    assert_eq!(made["ref"]["target"]["oid"], made["commit"]["oid"]);
    let shown =
        sandbox.get(&format!("{REPO_PATH}/commits/{}", made["commit"]["oid"].as_str().unwrap())).await;
    assert_eq!(shown["commit"]["verification"]["verified"], true);
    assert_eq!(shown["commit"]["message"], "Tidy\n\nAt once.");
    // The head has moved: the same again is refused, and nothing is written.
    let (status, refused) =
        sandbox.send(Method::POST, "graphql", json!({"query": CREATE, "variables": {"input": input}})).await;
    assert_eq!((status, &refused["errors"][0]["type"]), (200, &json!("STALE_DATA")));
    assert_eq!(refused["data"]["createCommitOnBranch"], Value::Null);
    assert_eq!(
        head(&sandbox, REPO_PATH, "aiko%2Fupload-preview").await,
        made["commit"]["oid"].as_str().unwrap()
    );
    // By the reference's own id; a protected branch refuses.
    let query = "{ repository(owner: \"harbor-example\", name: \"import-api\") { defaultBranchRef { id target { oid } } } }";
    let main = sandbox.graphql(query, json!({})).await["repository"]["defaultBranchRef"].clone();
    let input = json!({"branch": {"id": main["id"]}, "expectedHeadOid": main["target"]["oid"], "message": {"headline": "x"}});
    let (_, refused) =
        sandbox.send(Method::POST, "graphql", json!({"query": CREATE, "variables": {"input": input}})).await;
    assert!(
        refused["errors"][0]["message"].as_str().unwrap().starts_with("Repository rule violations found")
    );
}

#[tokio::test(start_paused = true)]
async fn blame_names_the_commit_of_every_line() {
    let sandbox = Sandbox::start().await;
    let query = "{ repository(owner: \"harbor-example\", name: \"import-api\") { object(expression: \"main\") {
        ... on Commit { blame(path: \"src/chunks.rs\") { ranges { startingLine endingLine age commit { messageHeadline author { user { login } } } } } }
    } blob: object(expression: \"main:scripts/backfill.sh\") { ... on Blob { byteSize isBinary text } } } }";
    let found = sandbox.graphql(query, json!({})).await;
    let ranges = found["repository"]["object"]["blame"]["ranges"].as_array().unwrap().clone();
    let mut next = 1;
    for range in &ranges {
        assert_eq!(range["startingLine"], next);
        next = range["endingLine"].as_u64().unwrap() + 1;
    }
    let line = |number: u64| {
        let holds = |range: &&Value| {
            range["startingLine"].as_u64().unwrap() <= number
                && number <= range["endingLine"].as_u64().unwrap()
        };
        ranges.iter().find(holds).unwrap()["commit"]["messageHeadline"].as_str().unwrap()
    };
    let file = sandbox.get(&format!("{REPO_PATH}/contents/src/chunks.rs")).await;
    let file = STANDARD.decode(file["content"].as_str().unwrap().replace('\n', "")).unwrap();
    let file = String::from_utf8(file).unwrap();
    let place =
        |text: &str| u64::try_from(file.lines().position(|line| line.contains(text)).unwrap()).unwrap() + 1;
    assert_eq!(next - 1, u64::try_from(file.lines().count()).unwrap());
    assert_eq!(line(place("pub const ROWS")), "Larger chunks: 2,000 rows");
    assert_eq!(line(place("on conflict")), "Make chunk writes idempotent (#482)");
    assert_eq!(line(1), "Import service");
    assert!(found["repository"]["blob"]["text"].as_str().unwrap().starts_with("#!/usr/bin/env bash\n"));
}

#[tokio::test(start_paused = true)]
async fn references_history_and_directories_are_read_over_graphql() {
    let sandbox = Sandbox::start().await;
    let query = "{ repository(owner: \"harbor-example\", name: \"import-api\") {
        refs(refPrefix: \"refs/heads/\", query: \"eng\", first: 10) { totalCount nodes { name prefix } }
        defaultBranchRef { id branchProtectionRule { requiredApprovingReviewCount requiredStatusCheckContexts } }
        tag: ref(qualifiedName: \"refs/tags/v2.14.0\") { target { __typename oid ... on Tag { message tagger { user { login } } target { oid } } } }
        src: object(expression: \"main:src\") { ... on Tree { entries { name path mode type size object { __typename } } } }
        object(expression: \"main\") { ... on Commit { id oid committedViaWeb history(first: 2, path: \"src/chunks.rs\") { totalCount nodes { messageHeadline parents(first: 1) { totalCount } } }
            file(path: \"scripts/backfill.sh\") { mode extension lineCount } } } } }";
    let found = sandbox.graphql(query, json!({})).await["repository"].clone();
    assert_eq!(
        column(&found["refs"]["nodes"], "name"),
        ["priya/eng-29-gateway-timeout-2", "tomas/eng-31-progress"]
    );
    let rule = &found["defaultBranchRef"]["branchProtectionRule"];
    assert_eq!(words(&rule["requiredStatusCheckContexts"]), ["build", "lint", "test", "integration"]);
    let tag = &found["tag"]["target"];
    assert_eq!((&tag["__typename"], &tag["tagger"]["user"]["login"]), (&json!("Tag"), &json!("priya")));
    let released = sandbox.get(&format!("{REPO_PATH}/commits/v2.14.0")).await;
    assert_eq!(tag["target"]["oid"], released["sha"]);
    let chunks = &found["src"]["entries"][0];
    assert_eq!((&chunks["path"], &chunks["mode"]), (&json!("src/chunks.rs"), &json!(0o100_644)));
    let commit = &found["object"];
    assert_eq!(commit["history"]["totalCount"], 5);
    assert_eq!(commit["file"], json!({"mode": 0o100_755, "extension": ".sh", "lineCount": 12}));
    // Ids lead back, but not for those who may not see.
    let by_id = "query($id: ID!) { node(id: $id) { id ... on Commit { oid } } }";
    let again = sandbox.graphql(by_id, json!({"id": commit["id"]})).await;
    assert_eq!(again["node"]["oid"], commit["oid"]);
}

#[tokio::test(start_paused = true)]
async fn a_push_starts_the_workflows_that_wait_for_it() {
    let sandbox = Sandbox::start().await;
    let before = sandbox.get(&format!("{REPO_PATH}/actions/runs")).await["total_count"].as_u64().unwrap();
    let body =
        json!({"message": "More", "content": STANDARD.encode("x\n"), "branch": "tomas/eng-31-progress"});
    let (_, put) = sandbox.send(Method::PUT, &format!("{REPO_PATH}/contents/x.md"), body).await;
    let runs = sandbox.get(&format!("{REPO_PATH}/actions/runs")).await;
    // CI waits for pushes to main and to releases, and for pull requests.
    assert_eq!(runs["total_count"], before + 1);
    let run = &runs["workflow_runs"][0];
    assert_eq!((&run["head_sha"], &run["event"]), (&put["commit"]["sha"], &json!("pull_request")));
    assert_eq!(run["display_title"], "Progress of an import job");
    let body = json!({"message": "Less", "content": STANDARD.encode("y\n"), "branch": "release/2.14"});
    assert_eq!(sandbox.send(Method::PUT, &format!("{REPO_PATH}/contents/y.md"), body).await.0, 201);
    let run = sandbox.get(&format!("{REPO_PATH}/actions/runs")).await["workflow_runs"][0].clone();
    assert_eq!((&run["event"], &run["head_branch"]), (&json!("push"), &json!("release/2.14")));
}
