//! Files by their paths.

use super::*;

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
