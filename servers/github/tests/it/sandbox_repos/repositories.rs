//! Repositories and their releases.

use super::*;

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
async fn a_former_name_leads_to_the_new_one() {
    let sandbox = Sandbox::start().await;
    let request = sandbox.request(Method::GET, "repos/harbor-example/importer/contents/README.md?ref=main");
    let response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), 301);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.ends_with("/repositories/3001/contents/README.md?ref=main"), "{location}");
    let path = location.strip_prefix(sandbox.url.as_str()).unwrap();
    assert_eq!(sandbox.get(path).await["path"], "README.md");
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
