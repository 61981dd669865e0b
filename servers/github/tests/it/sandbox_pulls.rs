//! Pull requests in the fake: reviews, threads, merging, and what only GraphQL can. Unless something else is said, what
//! is relied on is on docs.github.com below "REST API endpoints for pull requests", and in GitHub's OpenAPI description.

use crate::support::{
    MAYA, REPO_PATH, TOMAS,
    fake::{Sandbox, answer, column},
};
use reqwest::Method;
use serde_json::{Value, json};

/// A new pull request of Maya's that documents the key of an import; its number, head and node id.
async fn open(sandbox: &Sandbox, more: Value) -> (String, Value, Value) {
    let mut body =
        json!({"title": "Docs of the key", "head": "release/2.14", "base": "main", "body": "Fixes #489"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, made) = sandbox.post(&format!("{REPO_PATH}/pulls"), body).await;
    assert_eq!(status, 201, "{made}");
    (format!("{REPO_PATH}/pulls/{}", made["number"]), made["head"]["sha"].clone(), made["node_id"].clone())
}

/// A review of Tomás's.
async fn review(sandbox: &Sandbox, pull: &str, body: Value) -> (u16, Value) {
    sandbox.send_as(TOMAS, Method::POST, &format!("{pull}/reviews"), body).await
}

#[tokio::test(start_paused = true)]
async fn a_pull_request_needs_branches_with_something_between_them() {
    let sandbox = Sandbox::start().await;
    let refused = async |head: &str, base: &str| {
        let (status, answer) = sandbox
            .post(&format!("{REPO_PATH}/pulls"), json!({"title": "x", "head": head, "base": base}))
            .await;
        assert_eq!(status, 422, "{answer}");
        answer["errors"][0].clone()
    };
    assert_eq!(refused("main", "main").await["message"], "No commits between main and main");
    let known = refused("harbor-example:aiko/upload-preview", "main").await;
    assert_eq!(known["message"], "A pull request already exists for harbor-example:aiko/upload-preview.");
    assert_eq!(refused("nothing", "main").await["field"], "head");
    assert_eq!(refused("release/2.14", "nothing").await["field"], "base");
    let (status, untitled) =
        sandbox.post(&format!("{REPO_PATH}/pulls"), json!({"head": "release/2.14", "base": "main"})).await;
    assert_eq!((status, &untitled["errors"][0]["field"]), (422, &json!("title")));
}

#[tokio::test(start_paused = true)]
async fn whether_it_can_be_merged_is_told_to_the_second_who_asks() {
    let sandbox = Sandbox::start().await;
    let (pull, ..) = open(&sandbox, json!({})).await;
    // "If the value is null, then GitHub has started a background job to compute the mergeability."
    let ask = async |path: &str| {
        let answer = sandbox.get(path).await;
        (answer["mergeable"].clone(), answer["mergeable_state"].clone())
    };
    assert_eq!(ask(&pull).await, (Value::Null, json!("unknown")));
    assert_eq!(ask(&pull).await, (json!(true), json!("blocked")));
    assert_eq!(ask(&format!("{REPO_PATH}/pulls/488")).await, (json!(false), json!("dirty")));
    assert_eq!(ask(&format!("{REPO_PATH}/pulls/486")).await, (json!(true), json!("draft")));
    let query = "query($n: Int!) { repository(owner: \"harbor-example\", name: \"import-api\") { pullRequest(number: $n) { mergeable mergeStateStatus } } }";
    let data = sandbox.graphql(query, json!({"n": 488})).await;
    let told = json!({"mergeable": "CONFLICTING", "mergeStateStatus": "DIRTY"});
    assert_eq!(data["repository"]["pullRequest"], told);
}

#[tokio::test(start_paused = true)]
async fn lists_files_commits_and_diffs_come_from_the_branches() {
    let sandbox = Sandbox::start().await;
    let numbers =
        async |query: &str| column(&sandbox.get(&format!("{REPO_PATH}/pulls?{query}")).await, "number");
    assert_eq!(numbers("").await, [488, 487, 486, 485]);
    assert_eq!(numbers("head=harbor-example:aiko/upload-preview").await, [486]);
    assert_eq!(numbers("state=closed&per_page=2").await, [482, 479]);
    let pull = sandbox.get(&format!("{REPO_PATH}/pulls/485")).await;
    let files = sandbox.get(&format!("{REPO_PATH}/pulls/485/files")).await;
    assert_eq!(pull["changed_files"], files.as_array().unwrap().len());
    assert_eq!(column(&files, "filename")[3], "src/progress.rs");
    let commits = sandbox.get(&format!("{REPO_PATH}/pulls/485/commits")).await;
    assert_eq!(commits[2]["sha"], pull["head"]["sha"], "oldest first");
    let as_text = async |form: &str| {
        let accept = format!("application/vnd.github.{form}");
        let path = format!("{REPO_PATH}/pulls/485");
        let text = answer(sandbox.request(Method::GET, &path).header("accept", accept)).await.body;
        text.as_str().unwrap().to_owned()
    };
    assert!(as_text("diff").await.starts_with("diff --git a/docs/import.md b/docs/import.md\n"));
    assert_eq!(as_text("patch").await.matches("\nSubject: [PATCH").count(), 3);
    let of_commit =
        sandbox.get(&format!("{REPO_PATH}/commits/{}/pulls", pull["head"]["sha"].as_str().unwrap())).await;
    assert_eq!(column(&of_commit, "number"), [485]);
}

#[tokio::test(start_paused = true)]
async fn a_draft_is_left_only_over_graphql() {
    let sandbox = Sandbox::start().await;
    let (pull, _, id) = open(&sandbox, json!({"draft": true})).await;
    let (status, same) = sandbox.patch(&pull, json!({"draft": false})).await;
    assert_eq!((status, &same["draft"]), (200, &json!(true)), "taken, and nothing done");
    let (status, refused) = sandbox.put(&format!("{pull}/merge"), Value::Null).await;
    assert_eq!((status, &refused["message"]), (405, &json!("Pull Request is still a draft")));
    let ready = "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id, clientMutationId: \"m\"}) { clientMutationId pullRequest { isDraft } } }";
    let data = sandbox.graphql(ready, json!({"id": id})).await;
    let told = json!({"clientMutationId": "m", "pullRequest": {"isDraft": false}});
    assert_eq!(data["markPullRequestReadyForReview"], told);
    let back = "mutation($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id}) { pullRequest { isDraft } } }";
    sandbox.graphql(back, json!({"id": id})).await;
    assert_eq!(sandbox.get(&pull).await["draft"], true);
}

#[tokio::test(start_paused = true)]
async fn a_comment_must_stand_on_a_line_of_the_diff() {
    let sandbox = Sandbox::start().await;
    let (pull, head, _) = open(&sandbox, json!({})).await;
    let comment = async |more: Value| {
        let mut body = json!({"body": "x", "commit_id": head, "path": "docs/import.md"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        sandbox.post(&format!("{pull}/comments"), body).await
    };
    let (status, outside) = comment(json!({"line": 1})).await;
    assert_eq!(status, 422);
    let words = "pull_request_review_thread.line must be part of the diff";
    assert_eq!(outside["errors"][0]["message"], words);
    let (status, elsewhere) = comment(json!({"path": "README.md", "line": 1})).await;
    assert_eq!((status, &elsewhere["errors"][0]["field"]), (422, &json!("pull_request_review_thread.path")));
    let (status, turned) = comment(json!({"line": 17, "start_line": 18})).await;
    assert_eq!(
        (status, &turned["errors"][0]["field"]),
        (422, &json!("pull_request_review_thread.start_line"))
    );
    let (status, made) = comment(json!({"line": 18, "start_line": 17, "side": "RIGHT"})).await;
    assert_eq!((status, &made["line"], &made["start_line"]), (201, &json!(18), &json!(17)), "{made}");
    assert!(made["diff_hunk"].as_str().unwrap().starts_with("@@ "));
    // "Replies to replies are not supported."
    let reply = async |to: &Value| {
        let path = format!("{pull}/comments/{}/replies", to["id"]);
        sandbox.post(&path, json!({"body": "y"})).await
    };
    let (status, answer) = reply(&made).await;
    assert_eq!((status, &answer["in_reply_to_id"]), (201, &made["id"]));
    assert_eq!(reply(&answer).await.0, 422);
    let wrong = json!({"event": "COMMENT", "body": "x", "comments": [{"path": "docs/import.md", "line": 1, "body": "y"}]});
    let (status, refused) = review(&sandbox, &pull, wrong).await;
    assert_eq!((status, &refused["errors"][0]), (422, &json!("Line could not be resolved")));
    assert_eq!(
        sandbox.get(&format!("{pull}/reviews")).await.as_array().unwrap().len(),
        2,
        "one for each comment"
    );
}

#[tokio::test(start_paused = true)]
async fn a_pending_review_is_seen_by_its_author_alone() {
    let sandbox = Sandbox::start().await;
    let (pull, ..) = open(&sandbox, json!({})).await;
    let comments = json!([{"path": "docs/import.md", "line": 18, "body": "y"}]);
    let (status, begun) = review(&sandbox, &pull, json!({"body": "Soon", "comments": comments})).await;
    assert_eq!((status, &begun["state"], begun.get("submitted_at")), (200, &json!("PENDING"), None));
    for path in ["reviews", "comments"] {
        assert_eq!(sandbox.get(&format!("{pull}/{path}")).await, json!([]));
        let (_, own) = sandbox.send_as(TOMAS, Method::GET, &format!("{pull}/{path}"), Value::Null).await;
        assert_eq!(own.as_array().unwrap().len(), 1);
    }
    let (status, second) = review(&sandbox, &pull, json!({"body": "x", "event": "COMMENT"})).await;
    let words = "User can only have one pending review per pull request";
    assert_eq!((status, &second["errors"][0]), (422, &json!(words)));
    let path = format!("{pull}/reviews/{}", begun["id"]);
    let (status, _) = sandbox.post(&format!("{path}/events"), json!({"event": "APPROVE"})).await;
    assert_eq!(status, 404, "somebody else's");
    let submit = json!({"event": "APPROVE", "body": "Good"});
    let (status, done) = sandbox.send_as(TOMAS, Method::POST, &format!("{path}/events"), submit).await;
    assert_eq!((status, &done["state"], &done["body"]), (200, &json!("APPROVED"), &json!("Good")));
    assert_eq!(sandbox.get(&format!("{pull}/comments")).await.as_array().unwrap().len(), 1);
    let (status, late) = sandbox.send_as(TOMAS, Method::DELETE, &path, Value::Null).await;
    assert_eq!((status, &late["message"]), (422, &json!("Can not delete a non-pending pull request review")));
    let (status, gone) = sandbox.put(&format!("{path}/dismissals"), json!({"message": "Too old"})).await;
    assert_eq!((status, &gone["state"]), (200, &json!("DISMISSED")));
    let (status, again) = sandbox.put(&format!("{path}/dismissals"), json!({"message": "Too old"})).await;
    assert_eq!(
        (status, &again["errors"][0]),
        (422, &json!("Can not dismiss a dismissed pull request review"))
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_approves_their_own_pull_request() {
    let sandbox = Sandbox::start().await;
    let (pull, ..) = open(&sandbox, json!({})).await;
    for (event, words) in [
        ("APPROVE", "Can not approve your own pull request"),
        ("REQUEST_CHANGES", "Can not request changes on your own pull request"),
    ] {
        let (status, refused) =
            sandbox.post(&format!("{pull}/reviews"), json!({"event": event, "body": "x"})).await;
        assert_eq!((status, &refused["errors"][0]), (422, &json!(words)));
    }
    let asked = async |body: Value| sandbox.post(&format!("{pull}/requested_reviewers"), body).await;
    let (status, own) = asked(json!({"reviewers": ["maya"]})).await;
    assert_eq!(
        (status, &own["message"]),
        (422, &json!("Review cannot be requested from pull request author."))
    );
    assert_eq!(asked(json!({"reviewers": ["mbell-northwind"]})).await.0, 422, "no collaborator");
    let (status, made) = asked(json!({"reviewers": ["tomas"], "team_reviewers": ["platform"]})).await;
    assert_eq!((status, &made["requested_teams"][0]["slug"]), (201, &json!("platform")));
    review(&sandbox, &pull, json!({"event": "APPROVE"})).await;
    let left = sandbox.get(&format!("{pull}/requested_reviewers")).await;
    assert_eq!(left["users"], json!([]), "who has reviewed is asked no longer");
    assert_eq!(column(&left["teams"], "slug"), ["platform"]);
}

#[tokio::test(start_paused = true)]
async fn a_protected_branch_takes_only_what_is_reviewed_and_checked() {
    let sandbox = Sandbox::start().await;
    let (pull, head, _) = open(&sandbox, json!({})).await;
    let merge = async |body: Value| {
        let (status, answer) = sandbox.put(&format!("{pull}/merge"), body).await;
        (status, answer["message"].as_str().unwrap_or_default().to_owned())
    };
    let (status, words) = merge(json!({})).await;
    assert_eq!(
        (status, words.as_str()),
        (405, "At least 1 approving review is required by reviewers with write access.")
    );
    review(&sandbox, &pull, json!({"event": "REQUEST_CHANGES", "body": "No"})).await;
    assert_eq!(merge(json!({})).await.0, 405);
    review(&sandbox, &pull, json!({"event": "APPROVE"})).await;
    let (status, words) = merge(json!({})).await;
    assert_eq!(status, 405);
    assert!(words.starts_with("4 of 4 required status checks have not succeeded"), "{words}");
    // The workflow that began with the pull request ends.
    sandbox.pass(600);
    let (status, words) = merge(json!({"sha": "0".repeat(40)})).await;
    assert_eq!((status, words.as_str()), (409, "Head branch was modified. Review and try the merge again."));
    assert_eq!(sandbox.try_get(&format!("{pull}/merge")).await.0, 404);
    let (status, words) = merge(json!({"sha": head, "merge_method": "squash"})).await;
    assert_eq!((status, words.as_str()), (200, "Pull Request successfully merged"));
    assert_eq!(sandbox.try_get(&format!("{pull}/merge")).await.0, 204);
    let merged = sandbox.get(&pull).await;
    assert_eq!(
        (&merged["state"], &merged["merged"], &merged["merged_by"]["login"]),
        (&json!("closed"), &json!(true), &json!("maya"))
    );
    let tip = sandbox.get(&format!("{REPO_PATH}/commits/main")).await;
    assert_eq!(tip["sha"], merged["merge_commit_sha"]);
    assert!(tip["commit"]["message"].as_str().unwrap().starts_with("Docs: the key of an import (#491)"));
    // "Fixes #489" (docs.github.com, "Linking a pull request to an issue using a keyword").
    assert_eq!(sandbox.get(&format!("{REPO_PATH}/issues/489")).await["state"], "closed");
    assert_eq!(merge(json!({})).await, (405, "Pull Request is not mergeable".to_owned()));
    let (status, words) = sandbox.put(&format!("{REPO_PATH}/pulls/488/merge"), json!({})).await;
    assert_eq!((status, &words["message"]), (405, &json!("Pull Request is not mergeable")), "conflicts");
}

#[tokio::test(start_paused = true)]
async fn auto_merge_waits_for_what_is_demanded() {
    let sandbox = Sandbox::start().await;
    let (pull, _, id) = open(&sandbox, json!({})).await;
    let on = "mutation($id: ID!, $oid: GitObjectID) { enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: REBASE, expectedHeadOid: $oid}) { pullRequest { autoMergeRequest { mergeMethod enabledBy { login } } } } }";
    let stale = sandbox.graphql_as(MAYA, on, json!({"id": id, "oid": "0".repeat(40)})).await.body;
    assert_eq!(stale["errors"][0]["type"], "STALE_DATA");
    let data = sandbox.graphql(on, json!({"id": id})).await;
    let told = json!({"mergeMethod": "REBASE", "enabledBy": {"login": "maya"}});
    assert_eq!(data["enablePullRequestAutoMerge"]["pullRequest"]["autoMergeRequest"], told);
    assert_eq!(sandbox.get(&pull).await["auto_merge"]["merge_method"], "rebase");
    review(&sandbox, &pull, json!({"event": "APPROVE"})).await;
    assert_eq!(sandbox.get(&pull).await["merged"], false);
    // The workflow that began with the pull request ends.
    sandbox.pass(600);
    assert_eq!(sandbox.get(&pull).await["merged"], true);
    let off = "mutation($id: ID!) { disablePullRequestAutoMerge(input: {pullRequestId: $id}) { clientMutationId } }";
    let late = sandbox.graphql_as(MAYA, off, json!({"id": id})).await.body;
    assert_eq!(late["errors"][0]["type"], "UNPROCESSABLE");
}

#[tokio::test(start_paused = true)]
async fn a_branch_is_brought_up_to_date_with_its_base() {
    let sandbox = Sandbox::start().await;
    let path = format!("{REPO_PATH}/pulls/486");
    let before = sandbox.get(&path).await["head"]["sha"].clone();
    let (status, wrong) =
        sandbox.put(&format!("{path}/update-branch"), json!({"expected_head_sha": "0".repeat(40)})).await;
    assert_eq!(
        (status, &wrong["message"]),
        (422, &json!("expected head sha didn’t match current head ref."))
    );
    let (status, begun) =
        sandbox.put(&format!("{path}/update-branch"), json!({"expected_head_sha": before})).await;
    assert_eq!((status, &begun["message"]), (202, &json!("Updating pull request branch.")));
    let after = sandbox.get(&path).await;
    assert_ne!(after["head"]["sha"], before);
    assert_eq!(after["mergeable"], Value::Null, "to be worked out again");
    let (status, nothing) = sandbox.put(&format!("{path}/update-branch"), Value::Null).await;
    assert_eq!((status, &nothing["message"]), (422, &json!("There are no new commits on the base branch.")));
}

#[tokio::test(start_paused = true)]
async fn a_pull_request_closes_when_its_branch_is_deleted() {
    let sandbox = Sandbox::start().await;
    let (pull, head, _) = open(&sandbox, json!({})).await;
    let (status, _) = sandbox.delete(&format!("{REPO_PATH}/git/refs/heads/release/2.14"), Value::Null).await;
    assert_eq!(status, 204);
    let closed = sandbox.get(&pull).await;
    assert_eq!((&closed["state"], &closed["head"]["sha"]), (&json!("closed"), &head));
    // docs.github.com, "Deleting and restoring branches in a pull request".
    let (status, refused) = sandbox.patch(&pull, json!({"state": "open"})).await;
    assert_eq!((status, &refused["errors"][0]["field"]), (422, &json!("state")));
}

#[tokio::test(start_paused = true)]
async fn threads_are_outdated_where_their_line_was_changed_and_resolved_over_graphql() {
    let sandbox = Sandbox::start().await;
    let query = "{ repository(owner: \"harbor-example\", name: \"import-api\") { pullRequest(number: 485) { reviewDecision
        reviewThreads(first: 10) { totalCount nodes { id path line originalLine isResolved isOutdated resolvedBy { login } viewerCanResolve comments(first: 5) { nodes { databaseId } } } } } } }";
    let data = sandbox.graphql(query, Value::Null).await;
    let pull = &data["repository"]["pullRequest"];
    assert_eq!(pull["reviewDecision"], "CHANGES_REQUESTED");
    let threads = &pull["reviewThreads"]["nodes"];
    assert_eq!(column(threads, "isResolved"), [true, false, false, false]);
    assert_eq!(column(threads, "isOutdated"), [false, true, false, false]);
    assert_eq!((&threads[1]["line"], &threads[1]["originalLine"]), (&Value::Null, &json!(13)));
    let change = |name: &str| {
        format!(
            "mutation($id: ID!) {{ {name}(input: {{threadId: $id}}) {{ thread {{ isResolved resolvedBy {{ login }} }} }} }}"
        )
    };
    let id = json!({"id": threads[2]["id"]});
    let data = sandbox.graphql(&change("resolveReviewThread"), id.clone()).await;
    let told = json!({"isResolved": true, "resolvedBy": {"login": "maya"}});
    assert_eq!(data["resolveReviewThread"]["thread"], told);
    let data = sandbox.graphql(&change("unresolveReviewThread"), id).await;
    assert_eq!(data["unresolveReviewThread"]["thread"]["isResolved"], false);
    let missing =
        sandbox.graphql_as(MAYA, &change("resolveReviewThread"), json!({"id": "PRRT_x"})).await.body;
    assert_eq!(missing["errors"][0]["type"], "NOT_FOUND");
    let comments = sandbox.get(&format!("{REPO_PATH}/pulls/485/comments")).await;
    let outdated = comments.as_array().unwrap().iter().find(|one| one["id"] == 485_103).unwrap();
    assert_eq!((&outdated["line"], &outdated["original_line"]), (&Value::Null, &json!(13)));
}

#[tokio::test(start_paused = true)]
async fn issues_are_listed_over_graphql_page_by_page() {
    let sandbox = Sandbox::start().await;
    let query = "query($after: String) { repository(owner: \"harbor-example\", name: \"import-api\") {
        issues(first: 7, after: $after, states: [OPEN], orderBy: {field: CREATED_AT, direction: DESC}) {
            totalCount pageInfo { hasNextPage endCursor } nodes { number title issueType { name } comments { totalCount } } } } }";
    let mut after = Value::Null;
    let mut numbers = Vec::new();
    for _ in 0..5 {
        let data = sandbox.graphql(query, json!({"after": after})).await;
        let page = &data["repository"]["issues"];
        assert_eq!(page["totalCount"], 34, "no pull requests here");
        numbers.extend(column(&page["nodes"], "number"));
        after = page["pageInfo"]["endCursor"].clone();
        assert_eq!(page["pageInfo"]["hasNextPage"], numbers.len() < 34);
    }
    numbers.dedup();
    assert_eq!((numbers.len(), &numbers[0]), (34, &json!(490)));
    let query = "query($f: IssueFilters) { repository(owner: \"harbor-example\", name: \"import-api\") { issues(first: 9, filterBy: $f) { nodes { number } } } }";
    for (filter, wanted) in [
        (json!({"assignee": "aiko"}), vec![442]),
        (json!({"createdBy": "sofia", "type": "Bug", "states": ["OPEN"]}), vec![489]),
        (json!({"milestoneNumber": "2", "states": ["CLOSED"]}), vec![471]),
        (json!({"labels": ["security", "incident"], "states": ["OPEN"]}), vec![469, 470, 477, 480]),
        (json!({"mentioned": "aiko"}), vec![489]),
    ] {
        let data = sandbox.graphql(query, json!({"f": filter})).await;
        assert_eq!(column(&data["repository"]["issues"]["nodes"], "number"), wanted, "{filter}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_coding_agent_is_assigned_over_graphql() {
    let sandbox = Sandbox::start().await;
    // docs.github.com, "Using the API to assign issues to Copilot".
    let query = "{ repository(owner: \"harbor-example\", name: \"import-api\") { issue(number: 431) { id }
        suggestedActors(capabilities: [CAN_BE_ASSIGNED], first: 100) { nodes { login __typename ... on Bot { id } } } } }";
    let data = sandbox.graphql(query, Value::Null).await;
    let agent = &data["repository"]["suggestedActors"]["nodes"][0];
    assert_eq!((&agent["login"], &agent["__typename"]), (&json!("copilot-swe-agent"), &json!("Bot")));
    let change = "mutation($issue: ID!, $actor: ID!) { replaceActorsForAssignable(input: {assignableId: $issue, actorIds: [$actor]}) {
        assignable { ... on Issue { assignedActors(first: 5) { nodes { ... on Bot { login } } } } } } }";
    let variables = json!({"issue": data["repository"]["issue"]["id"], "actor": agent["id"]});
    let data = sandbox.graphql(change, variables).await;
    let assigned = &data["replaceActorsForAssignable"]["assignable"]["assignedActors"]["nodes"];
    assert_eq!(assigned, &json!([{"login": "copilot-swe-agent"}]));
}

#[tokio::test(start_paused = true)]
async fn a_comment_is_folded_and_a_thing_is_found_by_its_global_id() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.get("repos/harbor-example/docs/issues/12/comments").await[0].clone();
    assert_eq!(comment["minimized"]["reason"], "spam");
    let id = sandbox.get(&format!("{REPO_PATH}/issues/comments/47101")).await["node_id"].clone();
    let fold = "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OFF_TOPIC}) { minimizedComment { isMinimized minimizedReason } } }";
    let data = sandbox.graphql(fold, json!({"id": id})).await;
    let told = json!({"isMinimized": true, "minimizedReason": "off-topic"});
    assert_eq!(data["minimizeComment"]["minimizedComment"], told);
    let node = "query($id: ID!) { node(id: $id) { __typename ... on IssueComment { issue { number } } } }";
    let data = sandbox.graphql(node, json!({"id": id})).await;
    assert_eq!(data["node"], json!({"__typename": "IssueComment", "issue": {"number": 471}}));
}
