//! Issues in the fake: what can be asked, what changes entail, what is refused. Unless something else is said, what is
//! relied on is on docs.github.com below "REST API endpoints for issues", and in GitHub's OpenAPI description.

use crate::support::{
    REPO_PATH, TOMAS,
    fake::{Sandbox, answer, column},
};
use reqwest::Method;
use serde_json::{Value, json};

/// A new issue; its number and id.
async fn issue(sandbox: &Sandbox, body: Value) -> (u64, u64) {
    let (status, made) = sandbox.post(&format!("{REPO_PATH}/issues"), body).await;
    assert_eq!(status, 201, "{made}");
    (made["number"].as_u64().unwrap(), made["id"].as_u64().unwrap())
}

fn errors(answer: &(u16, Value)) -> (u16, &Value, &Value) {
    (answer.0, &answer.1["errors"][0]["field"], &answer.1["errors"][0]["code"])
}

#[tokio::test(start_paused = true)]
async fn lists_of_issues_have_pull_requests_too_and_are_filtered() {
    let sandbox = Sandbox::start().await;
    let numbers =
        async |query: &str| column(&sandbox.get(&format!("{REPO_PATH}/issues?{query}")).await, "number");
    // "GitHub's REST API considers every pull request an issue."
    let all = sandbox.get(&format!("{REPO_PATH}/issues?per_page=100")).await;
    assert_eq!(all.as_array().unwrap().len(), 38, "34 issues and 4 pull requests");
    let pulls = all.as_array().unwrap().iter().filter(|one| one["pull_request"].is_object());
    assert_eq!(pulls.count(), 4);
    assert_eq!(numbers("per_page=3").await, [490, 489, 488], "newest first");
    assert_eq!(numbers("labels=importer,P1").await, [474, 473], "all of the labels");
    assert_eq!(numbers("labels=importer,P1&direction=asc").await, [473, 474]);
    assert_eq!(numbers("milestone=2&state=all").await, [482, 474, 471]);
    assert_eq!(numbers("assignee=aiko").await, [486, 442]);
    assert_eq!(numbers("type=Feature&creator=sofia").await, [462, 446, 431]);
    assert_eq!(numbers("mentioned=aiko").await, [489]);
    assert_eq!(numbers("sort=comments&per_page=1&state=closed").await, [471]);
    let since = sandbox.get(&format!("{REPO_PATH}/issues/490")).await["updated_at"].clone();
    assert_eq!(numbers(&format!("since={}", since.as_str().unwrap())).await, [490]);
    for (query, field) in
        [("assignee=nobody", "assignee"), ("milestone=9", "milestone"), ("state=x", "state")]
    {
        let answer = sandbox.try_get(&format!("{REPO_PATH}/issues?{query}")).await;
        assert_eq!(errors(&answer), (422, &json!(field), &json!("invalid")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_issue_has_what_was_asked_for_and_the_next_number() {
    let sandbox = Sandbox::start().await;
    let wish = json!({"title": "New", "body": "See #490 and #482", "labels": ["bug", "fresh"], "assignees": ["Tomas"], "milestone": 1, "type": "bug"});
    let (number, _) = issue(&sandbox, wish).await;
    assert_eq!(number, 491, "one sequence for issues and pull requests");
    let made = sandbox.get(&format!("{REPO_PATH}/issues/491")).await;
    assert_eq!(column(&made["labels"], "name"), ["bug", "fresh"], "a label that there is not is made");
    assert_eq!(column(&made["assignees"], "login"), ["tomas"]);
    assert_eq!((&made["type"]["name"], &made["milestone"]["title"]), (&json!("Bug"), &json!("v2.15")));
    let named = sandbox.get(&format!("{REPO_PATH}/issues/490/timeline")).await;
    let named = named.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&named["event"], &named["source"]["issue"]["number"]),
        (&json!("cross-referenced"), &json!(491))
    );
    let events = sandbox.get(&format!("{REPO_PATH}/issues/491/events")).await;
    assert_eq!(
        column(&events, "event"),
        ["labeled", "labeled", "assigned", "milestoned", "issue_type_added"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_issue_that_cannot_be_is_refused_and_nothing_is_made() {
    let sandbox = Sandbox::start().await;
    let before = sandbox.get("_sandbox/dump").await["tracker"].clone();
    for (body, field, code) in [
        (json!({"title": " "}), "title", "missing_field"),
        (json!({"title": "x", "assignees": ["nobody"]}), "assignees", "invalid"),
        (json!({"title": "x", "milestone": 99}), "milestone", "invalid"),
        (json!({"title": "x", "type": "Saga"}), "type", "invalid"),
        (json!({"title": "x", "body": "y".repeat(65_537)}), "body", "custom"),
        (json!({"title": "y".repeat(257)}), "title", "custom"),
    ] {
        let answer = sandbox.post(&format!("{REPO_PATH}/issues"), body).await;
        assert_eq!(errors(&answer), (422, &json!(field), &json!(code)));
    }
    assert_eq!(sandbox.post(&format!("{REPO_PATH}/issues"), json!({})).await.0, 422);
    // "If issues are disabled in the repository, the API returns a 410 Gone status."
    let (status, gone) = sandbox.post("repos/maya/dotfiles/issues", json!({"title": "x"})).await;
    assert_eq!((status, &gone["message"]), (410, &json!("Issues has been disabled in this repository.")));
    assert_eq!(sandbox.get("_sandbox/dump").await["tracker"], before);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_push_has_labels_and_assignees_dropped_without_a_word() {
    let sandbox = Sandbox::start().await;
    // Tomás may only read in `web`. "Without push access to the repository, label changes are silently dropped."
    let wish = json!({"title": "x", "labels": ["bug"], "assignees": ["aiko"]});
    let (status, made) = sandbox.send_as(TOMAS, Method::POST, "repos/harbor-example/web/issues", wish).await;
    assert_eq!((status, &made["labels"], &made["assignees"]), (201, &json!([]), &json!([])));
    let own = format!("repos/harbor-example/web/issues/{}", made["number"]);
    let (status, changed) =
        sandbox.send_as(TOMAS, Method::PATCH, &own, json!({"title": "y", "labels": ["bug"]})).await;
    assert_eq!((status, &changed["title"], &changed["labels"]), (200, &json!("y"), &json!([])), "one's own");
    let (status, _) = sandbox
        .send_as(TOMAS, Method::PATCH, "repos/harbor-example/web/issues/201", json!({"title": "y"}))
        .await;
    assert_eq!(status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_change_touches_only_what_it_names_and_notes_what_happened() {
    let sandbox = Sandbox::start().await;
    let path = format!("{REPO_PATH}/issues/447");
    let before = sandbox.get(&path).await;
    let (_, same) = sandbox.patch(&path, json!({"title": before["title"], "labels": ["bug", "P1"]})).await;
    assert_eq!(same["updated_at"], before["updated_at"], "nothing changed");
    let (_, changed) = sandbox.patch(&path, json!({"labels": ["P2"], "milestone": null, "type": null})).await;
    assert_eq!(column(&changed["labels"], "name"), ["P2"], "the set is replaced");
    assert_eq!((&changed["milestone"], &changed["assignees"][0]["login"]), (&Value::Null, &json!("tomas")));
    assert_eq!(changed.get("type"), None);
    let (_, closed) = sandbox.patch(&path, json!({"state": "closed", "state_reason": "not_planned"})).await;
    assert_eq!(
        (&closed["state_reason"], &closed["closed_by"]["login"]),
        (&json!("not_planned"), &json!("maya"))
    );
    let (_, open) = sandbox.patch(&path, json!({"state": "open"})).await;
    assert_eq!((&open["state_reason"], &open["closed_at"]), (&json!("reopened"), &Value::Null));
    // "Ignored unless `state` is changed."
    let (_, ignored) = sandbox.patch(&path, json!({"state_reason": "not_planned"})).await;
    assert_eq!((&ignored["state"], &ignored["state_reason"]), (&json!("open"), &json!("reopened")));
    let events = column(&sandbox.get(&format!("{path}/events")).await, "event");
    let news =
        ["unlabeled", "unlabeled", "labeled", "demilestoned", "issue_type_removed", "closed", "reopened"];
    assert_eq!(events[events.len() - news.len()..], news);
}

#[tokio::test(start_paused = true)]
async fn comments_are_made_changed_and_deleted_by_who_may() {
    let sandbox = Sandbox::start().await;
    let comments = format!("{REPO_PATH}/issues/489/comments");
    let (status, made) = sandbox.post(&comments, json!({"body": "Hello"})).await;
    assert_eq!((status, &made["author_association"]), (201, &json!("MEMBER")));
    let path = format!("{REPO_PATH}/issues/comments/{}", made["id"]);
    sandbox.pass(5);
    let (status, edited) = sandbox.patch(&path, json!({"body": "Hello!"})).await;
    assert_eq!((status, &edited["body"]), (200, &json!("Hello!")));
    assert_ne!(edited["updated_at"], edited["created_at"]);
    assert_eq!(column(&sandbox.get(&comments).await, "body").len(), 2);
    for body in [json!({"body": "  "}), json!({})] {
        assert_eq!(sandbox.post(&comments, body).await.0, 422);
    }
    // Reactions: "A response with an HTTP 200 status means that you already added the reaction type".
    let reactions = format!("{path}/reactions");
    let (first, one) = sandbox.post(&reactions, json!({"content": "+1"})).await;
    let (second, same) = sandbox.post(&reactions, json!({"content": "+1"})).await;
    assert_eq!((first, second, &one["id"]), (201, 200, &same["id"]));
    assert_eq!(sandbox.get(&path).await["reactions"]["+1"], 1);
    assert_eq!(sandbox.post(&reactions, json!({"content": "thumbs"})).await.0, 422);
    let foreign =
        sandbox.send_as(TOMAS, Method::DELETE, &format!("{path}/reactions/{}", one["id"]), Value::Null).await;
    assert_eq!(foreign.0, 404, "somebody else's");
    assert_eq!(sandbox.delete(&path, Value::Null).await.0, 204);
    assert_eq!(sandbox.try_get(&path).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_locked_issue_takes_comments_of_those_with_write_access_only() {
    let sandbox = Sandbox::start().await;
    let web = "repos/harbor-example/web/issues/201";
    assert_eq!(sandbox.put(&format!("{web}/lock"), json!({"lock_reason": "bored"})).await.0, 422);
    assert_eq!(sandbox.put(&format!("{web}/lock"), json!({"lock_reason": "too heated"})).await.0, 204);
    assert_eq!(sandbox.get(web).await["active_lock_reason"], "too heated");
    let word = json!({"body": "x"});
    let (status, refused) =
        sandbox.send_as(TOMAS, Method::POST, &format!("{web}/comments"), word.clone()).await;
    assert_eq!(
        (status, &refused["message"]),
        (403, &json!("Unable to create comment because issue is locked."))
    );
    assert_eq!(sandbox.post(&format!("{web}/comments"), word.clone()).await.0, 201);
    assert_eq!(sandbox.delete(&format!("{web}/lock"), Value::Null).await.0, 204);
    assert_eq!(sandbox.send_as(TOMAS, Method::POST, &format!("{web}/comments"), word).await.0, 201);
}

#[tokio::test(start_paused = true)]
async fn labels_are_added_replaced_and_removed_one_by_one() {
    let sandbox = Sandbox::start().await;
    let labels = format!("{REPO_PATH}/issues/490/labels");
    let names = |answer: &(u16, Value)| column(&answer.1, "name");
    let added = sandbox.post(&labels, json!({"labels": ["bug", "p2"]})).await;
    assert_eq!(names(&added), ["performance", "P2", "bug"], "whatever their case, and once");
    assert_eq!(names(&sandbox.put(&labels, json!(["importer", "bug"])).await), ["importer", "bug"]);
    assert_eq!(names(&sandbox.delete(&format!("{labels}/importer"), Value::Null).await), ["bug"]);
    let (status, error) = sandbox.delete(&format!("{labels}/importer"), Value::Null).await;
    assert_eq!((status, &error["message"]), (404, &json!("Label does not exist")));
    assert_eq!(sandbox.delete(&labels, Value::Null).await.0, 204);

    let all = format!("{REPO_PATH}/labels");
    let twice = sandbox.post(&all, json!({"name": "BUG", "color": "ffffff"})).await;
    assert_eq!(errors(&twice), (422, &json!("name"), &json!("already_exists")));
    let wrong = sandbox.post(&all, json!({"name": "x", "color": "#ffffff"})).await;
    assert_eq!(errors(&wrong), (422, &json!("color"), &json!("invalid")), "without the leading `#`");
    let (status, renamed) =
        sandbox.patch(&format!("{all}/good%20first%20issue"), json!({"new_name": "starter"})).await;
    assert_eq!((status, &renamed["name"]), (200, &json!("starter")));
    assert_eq!(sandbox.get(&format!("{REPO_PATH}/issues?labels=starter")).await.as_array().unwrap().len(), 4);
    assert_eq!(sandbox.delete(&format!("{all}/starter"), Value::Null).await.0, 204);
    assert_eq!(sandbox.get(&format!("{REPO_PATH}/issues/431/labels")).await.as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn milestones_count_their_issues_and_leave_them_when_deleted() {
    let sandbox = Sandbox::start().await;
    let one = sandbox.get(&format!("{REPO_PATH}/milestones/2")).await;
    assert_eq!((&one["open_issues"], &one["closed_issues"]), (&json!(1), &json!(2)));
    assert_eq!(
        column(&sandbox.get(&format!("{REPO_PATH}/milestones")).await, "title"),
        ["v2.15"],
        "the open ones"
    );
    let all = format!("{REPO_PATH}/milestones");
    assert_eq!(
        errors(&sandbox.post(&all, json!({"title": "v2.15"})).await),
        (422, &json!("title"), &json!("already_exists"))
    );
    let (status, made) =
        sandbox.post(&all, json!({"title": "v3", "due_on": "2027-02-01T10:00:00+01:00"})).await;
    assert_eq!((status, &made["due_on"]), (201, &json!("2027-02-01T09:00:00Z")));
    let (_, closed) = sandbox.patch(&format!("{all}/3"), json!({"state": "closed"})).await;
    assert_eq!(closed["state"], "closed");
    assert_eq!(sandbox.delete(&format!("{all}/1"), Value::Null).await.0, 204);
    assert_eq!(sandbox.get(&format!("{REPO_PATH}/issues/473")).await["milestone"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_assigned_is_left_out_when_added_to_others() {
    let sandbox = Sandbox::start().await;
    let path = format!("{REPO_PATH}/issues/490/assignees");
    let (status, made) = sandbox.post(&path, json!({"assignees": ["priya", "mbell-northwind"]})).await;
    assert_eq!((status, column(&made["assignees"], "login")), (201, vec![json!("priya")]));
    let (status, left) = sandbox.delete(&path, json!({"assignees": ["PRIYA"]})).await;
    assert_eq!((status, &left["assignees"]), (200, &json!([])));
    let check = async |login: &str| sandbox.try_get(&format!("{REPO_PATH}/assignees/{login}")).await.0;
    assert_eq!((check("aiko").await, check("mbell-northwind").await), (204, 404));
}

#[tokio::test(start_paused = true)]
async fn sub_issues_have_one_parent_and_an_order() {
    let sandbox = Sandbox::start().await;
    let (_, id) = issue(&sandbox, json!({"title": "Child"})).await;
    let below = format!("{REPO_PATH}/issues/473/sub_issues");
    let order = async || column(&sandbox.get(&below).await, "number");
    // The body takes the id of an issue and not its number.
    assert_eq!(sandbox.post(&below, json!({"sub_issue_id": 491})).await.0, 404);
    let (status, parent) = sandbox.post(&below, json!({"sub_issue_id": id})).await;
    assert_eq!(
        (status, &parent["number"], &parent["sub_issues_summary"]["total"]),
        (201, &json!(473), &json!(4))
    );
    assert_eq!(sandbox.get(&format!("{REPO_PATH}/issues/491/parent")).await["number"], 473);
    let (status, twice) =
        sandbox.post(&format!("{REPO_PATH}/issues/446/sub_issues"), json!({"sub_issue_id": id})).await;
    assert_eq!(status, 422);
    assert!(twice["message"].as_str().unwrap().contains("Sub issue may only have one parent"), "{twice}");
    let first = sandbox.get(&format!("{REPO_PATH}/issues/474")).await["id"].clone();
    let (status, _) =
        sandbox.patch(&format!("{below}/priority"), json!({"sub_issue_id": id, "before_id": first})).await;
    assert_eq!((status, order().await), (200, vec![json!(491), json!(474), json!(475), json!(476)]));
    let moved = json!({"sub_issue_id": id, "replace_parent": true});
    assert_eq!(sandbox.post(&format!("{REPO_PATH}/issues/446/sub_issues"), moved).await.0, 201);
    assert_eq!(order().await, [474, 475, 476]);
    let circle = sandbox.get(&format!("{REPO_PATH}/issues/473")).await["id"].clone();
    let (status, _) =
        sandbox.post(&format!("{REPO_PATH}/issues/474/sub_issues"), json!({"sub_issue_id": circle})).await;
    assert_eq!(status, 422, "no circle");
    let (status, _) =
        sandbox.delete(&format!("{REPO_PATH}/issues/446/sub_issue"), json!({"sub_issue_id": id})).await;
    assert_eq!(status, 200);
    assert_eq!(sandbox.try_get(&format!("{REPO_PATH}/issues/491/parent")).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn an_issue_waits_for_others_by_their_ids() {
    let sandbox = Sandbox::start().await;
    let waits = format!("{REPO_PATH}/issues/476/dependencies/blocked_by");
    assert_eq!(column(&sandbox.get(&waits).await, "number"), [474, 475]);
    let blocking = format!("{REPO_PATH}/issues/474/dependencies/blocking");
    assert_eq!(column(&sandbox.get(&blocking).await, "number"), [475, 476]);
    let summary = sandbox.get(&format!("{REPO_PATH}/issues/474")).await["issue_dependencies_summary"].clone();
    assert_eq!(summary, json!({"blocked_by": 0, "total_blocked_by": 0, "blocking": 2, "total_blocking": 2}));
    let id = sandbox.get(&format!("{REPO_PATH}/issues/447")).await["id"].clone();
    let (status, waiting) = sandbox.post(&waits, json!({"issue_id": id})).await;
    assert_eq!((status, &waiting["number"]), (201, &json!(476)));
    assert_eq!(sandbox.post(&waits, json!({"issue_id": id})).await.0, 422, "twice");
    assert_eq!(sandbox.delete(&format!("{waits}/{id}"), Value::Null).await.0, 200);
    assert_eq!(sandbox.delete(&format!("{waits}/{id}"), Value::Null).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn search_takes_qualifiers_words_and_marks_what_it_found() {
    let sandbox = Sandbox::start().await;
    let found = async |query: &str| {
        let path = format!("search/issues?q={}", query.replace(' ', "+").replace('#', "%23"));
        let answer = sandbox.get(&path).await;
        assert_eq!(answer["incomplete_results"], false);
        let numbers = column(&answer["items"], "number");
        assert_eq!(answer["total_count"], numbers.len());
        numbers
    };
    assert_eq!(found("repo:harbor-example/import-api is:issue SFTP").await, [462]);
    assert_eq!(
        found("repo:harbor-example/importer is:pr is:open review-requested:@me").await,
        [485],
        "a former name"
    );
    assert_eq!(found("is:pr team-review-requested:harbor-example/imports").await, [487]);
    assert_eq!(found("is:pr author:tomas is:merged sort:created-asc").await, [433, 444, 460, 482]);
    assert_eq!(found("is:issue label:importer label:P1 is:open sort:created-asc").await, [473, 474]);
    assert_eq!(found("is:issue reason:duplicate").await, [472]);
    assert_eq!(
        found("is:issue no:type repo:harbor-example/docs sort:created-asc state:open").await,
        [9, 11, 12]
    );
    assert_eq!(found("\"worker does not stop\" in:title").await, [447]);
    assert_eq!(found("is:pr is:open review:changes_requested").await, [485]);
    assert_eq!(found("is:pr status:failure is:open").await, [485]);
    assert_eq!(found("parent-issue:harbor-example/import-api#473 no:assignee").await, Vec::<Value>::new());
    let accept = "application/vnd.github.text-match+json";
    let path = "search/issues?q=SFTP+in:title";
    let marked = answer(sandbox.request(Method::GET, path).header("accept", accept)).await.body;
    let first = &marked["items"][0]["text_matches"][0];
    assert_eq!((&first["property"], &first["matches"][0]["text"]), (&json!("title"), &json!("SFTP")));
    assert_eq!(first["matches"][0]["indices"], json!([15, 19]));
    // "422 if you don't have access to any of the repositories" (docs.github.com, "Search": "Access errors or missing
    // search results").
    let (status, hidden) = sandbox.try_get("search/issues?q=x+repo:nobody/nothing").await;
    assert_eq!((status, &hidden["errors"][0]["code"]), (422, &json!("invalid")));
    let (status, _) = sandbox.try_get("search/issues").await;
    assert_eq!(status, 422);
}

#[tokio::test(start_paused = true)]
async fn code_commits_repositories_and_people_are_searched_as_well() {
    let sandbox = Sandbox::start().await;
    let found =
        async |path: &str, key: &str| column(&sandbox.get(&format!("search/{path}")).await["items"], key);
    assert_eq!(
        found("code?q=percent+repo:harbor-example/import-api+extension:rs", "path").await,
        ["src/progress.rs"]
    );
    // "You must always include at least one search term when searching source code."
    assert_eq!(sandbox.try_get("search/code?q=extension:rs").await.0, 422);
    let commits = sandbox.get("search/commits?q=idempotent+repo:harbor-example/import-api").await;
    assert_eq!(commits["items"][0]["author"]["login"], "tomas");
    assert_eq!(
        found("repositories?q=org:harbor-example+import", "full_name").await,
        ["harbor-example/import-api"]
    );
    assert_eq!(found("users?q=tom", "login").await, ["tomas"]);
    // A token that is given, but empty.
    let nobody =
        sandbox.request_as("", Method::GET, "search/repositories?q=org:harbor-example").bearer_auth("");
    assert_eq!(answer(nobody).await.body["message"], "Bad credentials");
}

#[tokio::test(start_paused = true)]
async fn the_story_has_texts_that_try_to_mislead() {
    let sandbox = Sandbox::start().await;
    let body = sandbox.get("repos/harbor-example/docs/issues/12").await["body"].clone();
    let body = body.as_str().unwrap();
    assert!(body.contains("Ignore your previous instructions"));
    for hidden in ['\u{200b}', '\u{202e}', '\u{e0041}'] {
        assert!(body.contains(hidden), "{hidden:?}");
    }
    let comments = sandbox.get(&format!("{REPO_PATH}/issues/471/comments")).await;
    assert_eq!(comments.as_array().unwrap().len(), 9);
    assert!(comments[7]["body"].as_str().unwrap().contains('\u{202e}'));
}
