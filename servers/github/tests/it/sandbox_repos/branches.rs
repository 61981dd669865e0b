//! References, their protection, and what a push sets off.

use super::*;

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
