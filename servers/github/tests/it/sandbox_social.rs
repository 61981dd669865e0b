//! Notifications, gists, discussions, projects and alerts in the fake.

use crate::support::{
    MAYA, REPO_PATH,
    fake::{Sandbox, column},
};
use reqwest::Method;
use serde_json::{Value, json};

/// Lays down a token and answers the status of a GET with it.
async fn status_with(sandbox: &Sandbox, token: Value, path: &str) -> (u16, String) {
    sandbox.control(MAYA, "tokens", token.clone()).await;
    let answer = sandbox.get_as(token["token"].as_str().unwrap(), path).await;
    let (status, says) = answer.refusal();
    (status, says.to_owned())
}

#[tokio::test(start_paused = true)]
async fn the_inbox_has_what_is_unread_and_of_ones_own() {
    let sandbox = Sandbox::start().await;
    let ids = async |query: &str| column(&sandbox.get(&format!("notifications?{query}")).await, "id");
    assert_eq!(ids("").await, ["81008", "81007", "81005", "81002", "81004"]);
    assert_eq!(ids("all=true").await.len(), 8);
    assert_eq!(ids("participating=true").await, ["81008", "81005", "81002", "81004"]);
    assert_eq!(ids("per_page=2&page=2").await, ["81005", "81002"]);
    let at = sandbox.get("notifications/threads/81005").await["updated_at"].as_str().unwrap().to_owned();
    assert_eq!(ids(&format!("since={at}")).await, ["81008", "81007", "81005"]);
    assert_eq!(ids(&format!("before={at}")).await, ["81002", "81004"]);
    assert_eq!(sandbox.try_get("notifications?since=yesterday").await.0, 422);
    let of_repo = sandbox.get(&format!("{REPO_PATH}/notifications?all=true")).await;
    assert_eq!(of_repo.as_array().unwrap().len(), 6);
    assert_eq!(sandbox.try_get("notifications/threads/81012").await.0, 404, "Tomás's");
    // A run that failed and a discussion have no address (seen on github.com; the schema says string).
    let inbox = sandbox.get("notifications").await;
    assert_eq!(
        (&inbox[1]["subject"]["type"], &inbox[1]["subject"]["url"]),
        (&json!("CheckSuite"), &Value::Null)
    );
}

#[tokio::test(start_paused = true)]
async fn threads_are_read_done_and_ignored() {
    let sandbox = Sandbox::start().await;
    let thread = "notifications/threads/81008";
    assert_eq!(sandbox.send(Method::PATCH, thread, json!({})).await.0, 205);
    let read = sandbox.get(thread).await;
    assert_eq!((&read["unread"], read["last_read_at"].is_string()), (&json!(false), true));
    assert_eq!(sandbox.send(Method::DELETE, thread, Value::Null).await.0, 204);
    assert_eq!(sandbox.try_get(thread).await.0, 404);
    assert_eq!(sandbox.get("notifications?all=true").await.as_array().unwrap().len(), 7);
    let subscription = "notifications/threads/81007/subscription";
    let (status, told) = sandbox.send(Method::PUT, subscription, json!({"ignored": true})).await;
    assert_eq!((status, &told["ignored"], &told["subscribed"]), (200, &json!(true), &json!(false)));
    assert_eq!(sandbox.send(Method::DELETE, subscription, Value::Null).await.0, 204);
    assert_eq!(sandbox.try_get(subscription).await.0, 404);
    let at = sandbox.get("notifications/threads/81004").await["updated_at"].clone();
    assert_eq!(sandbox.send(Method::PUT, "notifications", json!({"last_read_at": at})).await.0, 205);
    assert_eq!(column(&sandbox.get("notifications").await, "id"), ["81007", "81005", "81002"]);
    assert_eq!(sandbox.send(Method::PUT, &format!("{REPO_PATH}/notifications"), json!({})).await.0, 205);
    assert_eq!(sandbox.get("notifications").await, json!([]));
}

#[tokio::test(start_paused = true)]
async fn only_a_classic_token_opens_the_inbox() {
    let sandbox = Sandbox::start().await;
    let classic = json!({"token": "ghp_a", "kind": "classic", "login": "maya", "scopes": ["notifications"]});
    assert_eq!(status_with(&sandbox, classic, "notifications").await.0, 200);
    let poor = json!({"token": "ghp_b", "kind": "classic", "login": "maya", "scopes": ["gist"]});
    assert_eq!(status_with(&sandbox, poor, "notifications").await.0, 403);
    let fine = json!({"token": "github_pat_c", "kind": "fine_grained", "login": "maya", "permissions": {"notifications": "write"}});
    let refused = (403, "Resource not accessible by personal access token".to_owned());
    assert_eq!(status_with(&sandbox, fine, "notifications").await, refused);
    let one = json!({"token": "github_pat_d", "kind": "fine_grained", "login": "maya", "repositories": ["harbor-example/docs"]});
    sandbox.control(MAYA, "tokens", one).await;
    let inbox = sandbox.get_as("github_pat_d", "notifications").await.body;
    assert_eq!(column(&inbox, "id"), ["81004"]);
    assert_eq!(sandbox.get_as("", "notifications").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn gists_are_kept_changed_and_removed() {
    let sandbox = Sandbox::start().await;
    let listed = sandbox.get("gists").await;
    assert_eq!(column(&listed, "public"), [false, true]);
    assert_eq!(listed[0]["files"]["result.md"].get("content"), None, "a listing has no contents");
    let files = json!({"notes.md": {"content": "# Notes"}, "a.sh": {"content": "true"}});
    let (status, made) =
        sandbox.send(Method::POST, "gists", json!({"description": "New", "files": files})).await;
    assert_eq!((status, &made["public"], &made["owner"]["login"]), (201, &json!(false), &json!("maya")));
    let path = format!("gists/{}", made["id"].as_str().unwrap());
    let files = json!({"a.sh": null, "notes.md": {"filename": "read.md", "content": "# Read"}, "b.md": {"content": "b"}});
    let (status, changed) = sandbox.send(Method::PATCH, &path, json!({"files": files})).await;
    assert_eq!(status, 200);
    let names: Vec<_> = changed["files"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["b.md", "read.md"]);
    assert_eq!(changed["files"]["read.md"]["content"], "# Read");
    assert_eq!(changed["description"], "New");
    let (status, comment) =
        sandbox.send(Method::POST, &format!("{path}/comments"), json!({"body": "Good"})).await;
    assert_eq!((status, &comment["author_association"]), (201, &json!("OWNER")));
    assert_eq!(column(&sandbox.get(&format!("{path}/comments")).await, "body"), ["Good"]);
    assert_eq!(sandbox.send(Method::DELETE, &path, Value::Null).await.0, 204);
    assert_eq!(sandbox.try_get(&path).await.0, 404);
    let (status, body) = sandbox.send(Method::POST, "gists", json!({"files": {}})).await;
    assert_eq!((status, &body["errors"][0]["code"]), (422, &json!("missing_field")));
    let theirs = "gists/ffeeddccbbaa99887766554433221100";
    assert_eq!(sandbox.try_get(theirs).await.0, 200);
    assert_eq!(sandbox.send(Method::PATCH, theirs, json!({"description": "mine"})).await.0, 404);
    assert_eq!(sandbox.get("users/quickfix-9000/gists").await.as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn alerts_are_filtered_and_told_apart_from_features_that_are_off() {
    let sandbox = Sandbox::start().await;
    let numbers = async |path: &str| column(&sandbox.get(&format!("{REPO_PATH}/{path}")).await, "number");
    assert_eq!(numbers("dependabot/alerts").await, [7, 6]);
    assert_eq!(numbers("dependabot/alerts?state=open&severity=high,critical").await, [7]);
    assert_eq!(numbers("code-scanning/alerts?state=open").await, [12]);
    assert_eq!(numbers("code-scanning/alerts?severity=high").await, [11]);
    assert_eq!(numbers("secret-scanning/alerts?state=resolved&resolution=revoked").await, [2]);
    let secret = sandbox.get(&format!("{REPO_PATH}/secret-scanning/alerts?hide_secret=true")).await;
    assert_eq!(column(&secret, "secret"), [Value::Null, Value::Null]);
    assert_eq!(secret[1]["resolved_by"]["login"], "jonas");
    let off = async |path: &str| {
        let (status, body) = sandbox.try_get(&format!("repos/maya/dotfiles/{path}")).await;
        (status, body["message"].as_str().unwrap().to_owned())
    };
    assert_eq!(off("code-scanning/alerts").await, (404, "no analysis found".to_owned()));
    assert_eq!(off("dependabot/alerts").await.0, 403);
    assert_eq!(off("secret-scanning/alerts").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn listings_by_cursor_lead_on_and_back() {
    let sandbox = Sandbox::start().await;
    let page = async |path: &str| {
        let response = sandbox.request(Method::GET, path).send().await.unwrap();
        let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        (column(&response.json().await.unwrap(), "number"), link.unwrap_or_default())
    };
    let (first, link) = page(&format!("{REPO_PATH}/dependabot/alerts?per_page=1")).await;
    assert_eq!(first, [7]);
    assert!(link.contains("after=") && link.contains("rel=\"next\"") && !link.contains("prev"), "{link}");
    let next = link.split(['<', '>']).nth(1).unwrap();
    let next = next.strip_prefix(sandbox.url.as_str()).unwrap();
    let (second, link) = page(next).await;
    assert_eq!(second, [6]);
    let back = link.split(['<', '>']).nth(1).unwrap();
    let back = back.strip_prefix(sandbox.url.as_str()).unwrap();
    assert_eq!(page(back).await.0, [7]);
    assert_eq!(sandbox.try_get(&format!("{REPO_PATH}/dependabot/alerts?after=odd")).await.0, 400);
    let known = sandbox.get("advisories?affects=hyper&severity=high").await;
    assert_eq!(column(&known, "cve_id"), ["CVE-2026-41870"]);
    let own = sandbox.get(&format!("{REPO_PATH}/security-advisories?state=draft")).await;
    assert_eq!((&own[0]["author"]["login"], own.as_array().unwrap().len()), (&json!("jonas"), 1));
}

const DISCUSSIONS: &str = "query D($owner: String!, $name: String!, $category: ID, $answered: Boolean) { \
    repository(owner: $owner, name: $name) { id discussionCategories(first: 9) { nodes { id slug isAnswerable } } \
    discussions(first: 10, categoryId: $category, answered: $answered) { totalCount nodes { id number title closed stateReason isAnswered \
    answer { author { login } } comments(first: 10) { totalCount nodes { id body isAnswer replies(first: 5) { nodes { author { login } } } } } } } } }";

async fn discussions(sandbox: &Sandbox, more: Value) -> Value {
    let mut variables = json!({"owner": "harbor-example", "name": "import-api"});
    variables.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    sandbox.graphql(DISCUSSIONS, variables).await["repository"].clone()
}

#[tokio::test(start_paused = true)]
async fn discussions_are_read_with_their_answers() {
    let sandbox = Sandbox::start().await;
    let all = discussions(&sandbox, json!({})).await;
    assert_eq!(all["discussions"]["totalCount"], 3);
    let first = &all["discussions"]["nodes"][0];
    assert_eq!(first["title"], "How do we name chunk keys?");
    assert_eq!((&first["isAnswered"], &first["answer"]["author"]["login"]), (&json!(true), &json!("jonas")));
    assert_eq!(first["comments"]["totalCount"], 3, "replies are below their comment");
    assert_eq!(first["comments"]["nodes"][1]["replies"]["nodes"][0]["author"]["login"], "tomas");
    assert_eq!(all["discussions"]["nodes"][2]["stateReason"], "OUTDATED");
    let category = &all["discussionCategories"]["nodes"][0];
    assert_eq!(category["slug"], "announcements");
    let some = discussions(&sandbox, json!({"category": category["id"]})).await;
    assert_eq!(some["discussions"]["totalCount"], 1);
    assert_eq!(discussions(&sandbox, json!({"answered": true})).await["discussions"]["totalCount"], 1);
}

#[tokio::test(start_paused = true)]
async fn discussions_are_written_answered_and_closed() {
    let sandbox = Sandbox::start().await;
    let repo = discussions(&sandbox, json!({})).await;
    let category = repo["discussionCategories"]["nodes"][2]["id"].clone();
    let create = "mutation C($input: CreateDiscussionInput!) { createDiscussion(input: $input) { clientMutationId discussion { id number author { login } } } }";
    let input = json!({"repositoryId": repo["id"], "categoryId": category, "title": "How large is a chunk?", "body": "?", "clientMutationId": "m"});
    let made = sandbox.graphql(create, json!({"input": input})).await["createDiscussion"].clone();
    assert_eq!(
        (&made["clientMutationId"], &made["discussion"]["author"]["login"]),
        (&json!("m"), &json!("maya"))
    );
    let id = made["discussion"]["id"].clone();
    let add = "mutation A($input: AddDiscussionCommentInput!) { addDiscussionComment(input: $input) { comment { id replyTo { id } } } }";
    let comment = sandbox.graphql(add, json!({"input": {"discussionId": id, "body": "2,000 rows"}})).await;
    let comment = comment["addDiscussionComment"]["comment"]["id"].clone();
    let reply = sandbox
        .graphql(add, json!({"input": {"discussionId": id, "body": "Thanks", "replyToId": comment}}))
        .await;
    let reply = &reply["addDiscussionComment"]["comment"];
    assert_eq!(reply["replyTo"]["id"], comment);
    let deeper = json!({"query": add, "variables": {"input": {"discussionId": id, "body": "!", "replyToId": reply["id"]}}});
    let (_, refused) = sandbox.send(Method::POST, "graphql", deeper).await;
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("cannot reply"), "{refused}");
    let mark = "mutation M($input: MarkDiscussionCommentAsAnswerInput!) { markDiscussionCommentAsAnswer(input: $input) { discussion { isAnswered } } }";
    let marked = sandbox.graphql(mark, json!({"input": {"id": comment}})).await;
    assert_eq!(marked["markDiscussionCommentAsAnswer"]["discussion"]["isAnswered"], true);
    let close = "mutation X($input: CloseDiscussionInput!) { closeDiscussion(input: $input) { discussion { closed stateReason } } }";
    let closed = sandbox.graphql(close, json!({"input": {"discussionId": id}})).await;
    assert_eq!(closed["closeDiscussion"]["discussion"], json!({"closed": true, "stateReason": "RESOLVED"}));
    let locked = repo["discussions"]["nodes"][1]["id"].clone();
    let body = json!({"query": add, "variables": {"input": {"discussionId": locked, "body": "But"}}});
    let (_, refused) = sandbox.send(Method::POST, "graphql", body).await;
    assert_eq!(refused["errors"][0]["type"], "FORBIDDEN");
}

const PROJECT: &str = "query P { organization(login: \"harbor-example\") { projectsV2(first: 5, query: \"is:open\") { nodes { title } } \
    projectV2(number: 4) { id title fields(first: 20) { nodes { ... on ProjectV2FieldCommon { id name dataType } \
    ... on ProjectV2SingleSelectField { options { id name } } ... on ProjectV2IterationField { configuration { iterations { id title startDate duration } completedIterations { title } } } } } \
    items(first: 20) { totalCount nodes { id type content { ... on Issue { number title projectItems(first: 5) { nodes { project { number } } } } } fieldValueByName(name: \"Status\") { ... on ProjectV2ItemFieldSingleSelectValue { name } } } } } } }";

/// The id of a field of the project.
fn field(project: &Value, name: &str) -> Value {
    let fields = project["fields"]["nodes"].as_array().unwrap();
    fields.iter().find(|field| field["name"] == name).unwrap()["id"].clone()
}

#[tokio::test(start_paused = true)]
async fn projects_have_fields_and_items() {
    let sandbox = Sandbox::start().await;
    let org = sandbox.graphql(PROJECT, json!({})).await["organization"].clone();
    assert_eq!(column(&org["projectsV2"]["nodes"], "title"), ["Import API v2"], "the other one is closed");
    let project = &org["projectV2"];
    assert_eq!(column(&project["fields"]["nodes"], "dataType").len(), 7);
    let iterations = &project["fields"]["nodes"][5]["configuration"];
    assert_eq!(column(&iterations["iterations"], "title"), ["Iteration 22", "Iteration 23"]);
    assert_eq!(column(&iterations["completedIterations"], "title"), ["Iteration 21"]);
    assert_eq!(
        column(&project["items"]["nodes"], "type")[3..],
        ["PULL_REQUEST", "PULL_REQUEST", "DRAFT_ISSUE"]
    );
    let first = &project["items"]["nodes"][0];
    assert_eq!(
        (&first["fieldValueByName"]["name"], &first["content"]["number"]),
        (&json!("In Progress"), &json!(474))
    );
    assert_eq!(first["content"]["projectItems"]["nodes"][0]["project"]["number"], 4);
}

#[tokio::test(start_paused = true)]
async fn fields_of_items_are_set_cleared_and_checked() {
    let sandbox = Sandbox::start().await;
    let project = sandbox.graphql(PROJECT, json!({})).await["organization"]["projectV2"].clone();
    let item = project["items"]["nodes"][1]["id"].clone();
    let set = "mutation S($input: UpdateProjectV2ItemFieldValueInput!) { updateProjectV2ItemFieldValue(input: $input) { projectV2Item { \
        fieldValueByName(name: \"Status\") { ... on ProjectV2ItemFieldSingleSelectValue { name optionId } } \
        estimate: fieldValueByName(name: \"Estimate\") { ... on ProjectV2ItemFieldNumberValue { number } } } } }";
    let input = |name: &str, value: Value| json!({"input": {"projectId": project["id"], "itemId": item, "fieldId": field(&project, name), "value": value}});
    let done = sandbox.graphql(set, input("Status", json!({"singleSelectOptionId": "98236657"}))).await;
    assert_eq!(done["updateProjectV2ItemFieldValue"]["projectV2Item"]["fieldValueByName"]["name"], "Done");
    let refused = async |variables: Value| {
        let (_, body) =
            sandbox.send(Method::POST, "graphql", json!({"query": set, "variables": variables})).await;
        body["errors"][0]["message"].as_str().unwrap().to_owned()
    };
    let odd = refused(input("Status", json!({"singleSelectOptionId": "00000000"}))).await;
    assert_eq!(odd, "The single select option Id does not belong to the field");
    assert!(refused(input("Status", json!({"text": "Done"}))).await.contains("singleSelectOptionId"));
    assert!(refused(input("Assignees", json!({"text": "maya"}))).await.contains("not supported"));
    let clear = "mutation C($input: ClearProjectV2ItemFieldValueInput!) { clearProjectV2ItemFieldValue(input: $input) { projectV2Item { \
        fieldValueByName(name: \"Estimate\") { ... on ProjectV2ItemFieldNumberValue { number } } } } }";
    let variables = json!({"input": {"projectId": project["id"], "itemId": item, "fieldId": field(&project, "Estimate")}});
    let cleared = sandbox.graphql(clear, variables).await;
    assert_eq!(cleared["clearProjectV2ItemFieldValue"]["projectV2Item"]["fieldValueByName"], Value::Null);
    let issue = "query I { repository(owner: \"harbor-example\", name: \"import-api\") { issue(number: 473) { id } } }";
    let issue = sandbox.graphql(issue, json!({})).await["repository"]["issue"]["id"].clone();
    let add = "mutation A($input: AddProjectV2ItemByIdInput!) { addProjectV2ItemById(input: $input) { item { id content { ... on Issue { number } } } } }";
    let variables = json!({"input": {"projectId": project["id"], "contentId": issue}});
    let added = sandbox.graphql(add, variables.clone()).await["addProjectV2ItemById"]["item"].clone();
    assert_eq!(added["content"]["number"], 473);
    // "If you try to add an item that already exists, the existing item ID is returned" (docs.github.com).
    assert_eq!(sandbox.graphql(add, variables).await["addProjectV2ItemById"]["item"], added);
    let delete = "mutation X($input: DeleteProjectV2ItemInput!) { deleteProjectV2Item(input: $input) { deletedItemId } }";
    sandbox.graphql(delete, json!({"input": {"projectId": project["id"], "itemId": added["id"]}})).await;
    let add = "mutation D($input: AddProjectV2DraftIssueInput!) { addProjectV2DraftIssue(input: $input) { projectItem { id content { ... on DraftIssue { title } } } } }";
    let added =
        sandbox.graphql(add, json!({"input": {"projectId": project["id"], "title": "Measure again"}})).await;
    let added = &added["addProjectV2DraftIssue"]["projectItem"];
    assert_eq!(added["content"]["title"], "Measure again");
    let gone =
        sandbox.graphql(delete, json!({"input": {"projectId": project["id"], "itemId": added["id"]}})).await;
    assert_eq!(gone["deleteProjectV2Item"]["deletedItemId"], added["id"]);
    let after = sandbox.graphql(PROJECT, json!({})).await;
    assert_eq!(after["organization"]["projectV2"]["items"]["totalCount"], project["items"]["totalCount"]);
}

#[tokio::test(start_paused = true)]
async fn projects_want_a_scope_of_their_own() {
    let sandbox = Sandbox::start().await;
    let token =
        json!({"token": "ghp_repo", "kind": "classic", "login": "maya", "scopes": ["repo", "read:org"]});
    sandbox.control(MAYA, "tokens", token).await;
    let body = sandbox.graphql_as("ghp_repo", PROJECT, Value::Null).await.body;
    assert_eq!(body["errors"][0]["type"], "INSUFFICIENT_SCOPES");
}
