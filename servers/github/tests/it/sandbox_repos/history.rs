//! Commits: compared, listed, blamed.

use super::*;

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
    let path = next.strip_prefix(sandbox.url.as_str()).unwrap();
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
async fn a_commit_of_many_files_is_shown_in_pages_that_link_to_the_next() {
    let sandbox = Sandbox::start().await;
    let rows: Vec<_> = (0..350)
        .map(
            |n| json!({"path": format!("many/{n:03}.txt"), "mode": "100644", "type": "blob", "content": "x"}),
        )
        .collect();
    let tree = sandbox.write(Method::POST, &format!("{MINE}/git/trees"), json!({"tree": rows})).await;
    let body = json!({"message": "Many", "tree": tree["sha"], "parents": []});
    let commit = sandbox.write(Method::POST, &format!("{MINE}/git/commits"), body).await;
    let base = sandbox.url.to_string();
    let mut path = format!("{MINE}/commits/{}", commit["sha"].as_str().unwrap());
    let (mut pages, mut names) = (Vec::new(), std::collections::BTreeSet::new());
    loop {
        let response = sandbox.request(Method::GET, &path).send().await.unwrap();
        let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let page: Value = response.json().await.unwrap();
        pages.push(page["files"].as_array().unwrap().len());
        names.extend(column(&page["files"], "filename").into_iter().map(|name| name.to_string()));
        let link = link.unwrap_or_default();
        let Some(next) = link.split(", ").find(|part| part.contains("rel=\"next\"")) else { break };
        path = next[1..].split('>').next().unwrap().strip_prefix(&base).unwrap().to_owned();
    }
    // docs.github.com, "Get a commit": 300 files, then pages of the rest.
    assert_eq!((pages, names.len()), (vec![300, 50], 350));
}
