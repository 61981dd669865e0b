//! Git's objects: ids that are git's own, diffs, trees.

use super::*;

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
    let seed: Value = serde_json::from_str(github_mcp::sandbox::seed()).unwrap();
    let mut small = seed.clone();
    small["repos"]["repositories"][0]["tree_limit"] = json!(7);
    let sandbox = Sandbox::start_with(small.to_string()).await;
    let tree = sandbox.get(&format!("{REPO_PATH}/git/trees/main?recursive=1")).await;
    assert_eq!((&tree["truncated"], tree["tree"].as_array().unwrap().len()), (&json!(true), 7));
}
