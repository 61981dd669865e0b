//! What can be changed, what each change entails, and what is refused.

use crate::sandbox_support::{
    COMMENT, CYCLE, DOCUMENT, INITIATIVE, ISSUE, KEY, LABEL, MILESTONE, NOTIFICATION, PROJECT, STATUS,
    Sandbox, TEAM, TEMPLATE, USER, id, read, state,
};
use connector::sandbox::{Action, Rule};
use reqwest::StatusCode;
use serde_json::{Value, json};

const CREATE: &str = "mutation C($input: IssueCreateInput!) { issueCreate(input: $input) { success lastSyncId issue { id identifier title \
    state { name type } priority labelIds creator { displayName } assignee { displayName } description createdAt updatedAt } } }";
const UPDATE: &str = "mutation U($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: $input) { success issue { id identifier title \
    previousIdentifiers updatedAt startedAt completedAt canceledAt team { key } state { id name type } labels(first: 9) { nodes { name } } cycle { number } \
    project { name } parent { identifier } stateHistory(first: 9) { nodes { endedAt state { name } } } } } }";

async fn create(sandbox: &Sandbox, input: Value) -> Value {
    sandbox.data(CREATE, json!({ "input": input })).await["issueCreate"]["issue"].clone()
}

async fn update(sandbox: &Sandbox, id: &str, input: Value) -> Value {
    sandbox.data(UPDATE, json!({ "id": id, "input": input })).await["issueUpdate"]["issue"].clone()
}

#[tokio::test]
async fn a_new_issue_gets_the_team_s_next_number_and_first_state() {
    let sandbox = Sandbox::start().await;
    let issue = create(&sandbox, json!({ "teamId": id(TEAM, 1), "title": "New" })).await;
    assert_eq!(issue["identifier"], "ENG-61");
    assert_eq!(issue["state"], json!({ "name": "Backlog", "type": "backlog" }));
    assert_eq!(issue["creator"]["displayName"], "ada");
    let issue = create(
        &sandbox,
        json!({ "teamId": id(TEAM, 2), "title": "New", "stateId": state(2, 4), "priority": 2 }),
    )
    .await;
    assert_eq!(
        (&issue["identifier"], &issue["state"]["name"], &issue["priority"]),
        (&json!("OPS-4"), &json!("In Progress"), &json!(2.0))
    );
    let from =
        create(&sandbox, json!({ "teamId": id(TEAM, 1), "title": "Crash", "templateId": id(TEMPLATE, 1) }))
            .await;
    assert_eq!(
        (&from["title"], &from["description"], &from["priority"]),
        (&json!("Crash"), &json!("Steps"), &json!(2.0))
    );
    let listed = sandbox
        .data("{ issue(id: \"ENG-61\") { title subscribers { nodes { displayName } } } }", json!({}))
        .await;
    assert_eq!(listed["issue"]["subscribers"]["nodes"], json!([{ "displayName": "ada" }]));
}

#[tokio::test]
async fn a_repeated_create_with_the_same_id_makes_one_issue() {
    let sandbox = Sandbox::start().await;
    let own = "11111111-2222-4333-8444-555555555555";
    let input = json!({ "id": own, "teamId": id(TEAM, 1), "title": "Once" });
    assert_eq!(create(&sandbox, input.clone()).await["id"], own);
    let (status, error) = sandbox.error(CREATE, json!({ "input": input })).await;
    assert_eq!((status, &error["message"]), (StatusCode::OK, &json!("conflict on insert of Issue")));
    let complaint = error["extensions"]["userPresentableMessage"].as_str().unwrap();
    assert!(complaint.contains(own) && complaint.contains("already exists"), "{complaint}");
    let found = sandbox
        .nodes("issues", "{ issues(filter: { title: { eq: \"Once\" } }) { nodes { id } } }", json!({}))
        .await;
    assert_eq!(found.len(), 1);
    let complaint = sandbox
        .complaint(CREATE, json!({ "input": { "id": "mine", "teamId": id(TEAM, 1), "title": "x" } }))
        .await;
    assert_eq!(complaint, "id must be a UUID.");
}

#[tokio::test]
async fn wrong_input_is_named() {
    let sandbox = Sandbox::start().await;
    let team = id(TEAM, 1);
    for (input, complaint) in [
        (json!({ "teamId": team, "title": " " }), "title should not be empty."),
        (json!({ "teamId": team, "title": "x", "stateId": "Done" }), "stateId must be a UUID."),
        (
            json!({ "teamId": team, "title": "x", "stateId": state(2, 3) }),
            "Discrepancy between issue team and state, cycle or project.",
        ),
        (
            json!({ "teamId": team, "title": "x", "stateId": id(99, 99) }),
            "Could not find referenced WorkflowState.",
        ),
        (
            json!({ "teamId": team, "title": "x", "assigneeId": id(USER, 99) }),
            "Could not find referenced User.",
        ),
        (
            json!({ "teamId": team, "title": "x", "assigneeId": id(USER, 3) }),
            "The user is suspended and cannot be assigned.",
        ),
        (
            json!({ "teamId": team, "title": "x", "priority": 7 }),
            "priority must be one of 0 (none), 1 (urgent), 2 (high), 3 (medium), 4 (low).",
        ),
        (
            json!({ "teamId": team, "title": "x", "dueDate": "tomorrow" }),
            "dueDate must be a date in the format YYYY-MM-DD.",
        ),
        (
            json!({ "teamId": id(TEAM, 2), "title": "x", "cycleId": id(CYCLE, 2) }),
            "Discrepancy between issue team and state, cycle or project.",
        ),
        (
            json!({ "teamId": id(TEAM, 2), "title": "x", "projectId": id(PROJECT, 1) }),
            "Discrepancy between issue team and state, cycle or project.",
        ),
    ] {
        assert_eq!(sandbox.complaint(CREATE, json!({ "input": input })).await, complaint);
    }
    let (status, error) = sandbox.error(CREATE, json!({ "input": { "title": "no team" } })).await;
    assert_eq!((status, &error["extensions"]["code"]), (StatusCode::BAD_REQUEST, &json!("BAD_USER_INPUT")));
}

#[tokio::test]
async fn a_state_brings_its_dates_and_its_span() {
    let sandbox = Sandbox::start().await;
    let issue = create(&sandbox, json!({ "teamId": id(TEAM, 1), "title": "Walk" })).await;
    let id = issue["id"].as_str().unwrap();
    let started = update(&sandbox, id, json!({ "stateId": state(1, 4) })).await;
    assert!(started["startedAt"].is_string() && started["completedAt"].is_null());
    let done = update(&sandbox, id, json!({ "stateId": state(1, 5) })).await;
    assert_eq!(done["startedAt"], started["startedAt"]);
    assert!(done["completedAt"].is_string());
    let spans = done["stateHistory"]["nodes"].as_array().unwrap();
    let names: Vec<_> = spans.iter().map(|span| span["state"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Backlog", "In Progress", "Done"]);
    assert_eq!(spans.iter().filter(|span| span["endedAt"].is_null()).count(), 1);
    let reopened = update(&sandbox, id, json!({ "stateId": state(1, 3) })).await;
    assert!(reopened["startedAt"].is_null() && reopened["completedAt"].is_null());
    let canceled = update(&sandbox, id, json!({ "stateId": state(1, 6) })).await;
    assert!(canceled["canceledAt"].is_string());
}

#[tokio::test]
async fn updated_at_moves_with_every_change_and_only_then() {
    let sandbox = Sandbox::start().await;
    let first = update(&sandbox, "ENG-2", json!({ "title": "A" })).await;
    let second = update(&sandbox, "ENG-2", json!({ "title": "B" })).await;
    let same = update(&sandbox, "ENG-2", json!({ "title": "B" })).await;
    assert!(second["updatedAt"].as_str() > first["updatedAt"].as_str());
    assert_eq!(same["updatedAt"], second["updatedAt"]);
}

#[tokio::test]
async fn a_moved_issue_is_found_under_both_identifiers() {
    let sandbox = Sandbox::start().await;
    update(&sandbox, "ENG-1", json!({ "addedLabelIds": [id(LABEL, 5)] })).await;
    let moved = update(&sandbox, "ENG-1", json!({ "teamId": id(TEAM, 2) })).await;
    assert_eq!((&moved["identifier"], &moved["previousIdentifiers"]), (&json!("OPS-4"), &json!(["ENG-1"])));
    assert_eq!(
        moved["state"],
        json!({ "id": state(2, 3), "name": "Todo", "type": "unstarted" }),
        "the same state there"
    );
    assert_eq!(moved["labels"]["nodes"], json!([{ "name": "Backend" }]), "the label of the same name there");
    assert_eq!((&moved["cycle"], &moved["project"]), (&Value::Null, &Value::Null));
    for reference in ["ENG-1", "OPS-4"] {
        let data = sandbox
            .data(
                "query I($id: String!) { issue(id: $id) { id labels { nodes { id } } } }",
                json!({ "id": reference }),
            )
            .await;
        assert_eq!(
            data["issue"],
            json!({ "id": id(ISSUE, 1), "labels": { "nodes": [{ "id": id(LABEL, 6) }] } })
        );
    }
    let issue = create(&sandbox, json!({ "teamId": id(TEAM, 1), "title": "Next" })).await;
    assert_eq!(issue["identifier"], "ENG-61");
}

#[tokio::test]
async fn labels_are_set_added_removed_and_kept_to_one_of_a_group() {
    let sandbox = Sandbox::start().await;
    let names = |issue: &Value| {
        issue["labels"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|label| label["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let issue = update(&sandbox, "ENG-2", json!({ "addedLabelIds": [id(LABEL, 3)] })).await;
    assert_eq!(names(&issue).len(), 2);
    let complaint = sandbox
        .complaint(UPDATE, json!({ "id": "ENG-2", "input": { "addedLabelIds": [id(LABEL, 4)] } }))
        .await;
    assert!(complaint.starts_with("The label 'feature' is in the same group as 'cleanup'."), "{complaint}");
    let complaint =
        sandbox.complaint(UPDATE, json!({ "id": "ENG-2", "input": { "labelIds": [id(LABEL, 2)] } })).await;
    assert!(complaint.contains("is a group"), "{complaint}");
    let complaint =
        sandbox.complaint(UPDATE, json!({ "id": "ENG-2", "input": { "labelIds": [id(LABEL, 6)] } })).await;
    assert!(complaint.contains("same team"), "{complaint}");
    let issue = update(
        &sandbox,
        "ENG-2",
        json!({ "removedLabelIds": [id(LABEL, 3)], "addedLabelIds": [id(LABEL, 5)] }),
    )
    .await;
    assert!(names(&issue).contains(&"Bug".to_owned()) && names(&issue).contains(&"Backend".to_owned()));
    let issue = update(&sandbox, "ENG-2", json!({ "labelIds": [id(LABEL, 4)] })).await;
    assert_eq!(names(&issue), ["feature"]);

    let label = "mutation L($input: IssueLabelCreateInput!) { issueLabelCreate(input: $input) { issueLabel { id name isGroup parent { name } team { key } } } }";
    let data = sandbox.data(label, json!({ "input": { "name": "docs", "parentId": id(LABEL, 2) } })).await;
    assert_eq!(data["issueLabelCreate"]["issueLabel"]["parent"]["name"], "Kind");
    assert_eq!(sandbox.complaint(label, json!({ "input": { "name": "bug" } })).await, "duplicate label name");
    assert_eq!(
        sandbox.complaint(label, json!({ "input": { "name": "x", "parentId": id(LABEL, 1) } })).await,
        "The parent label is not a group."
    );
}

#[tokio::test]
async fn archived_and_trashed_issues_hide_and_come_back() {
    let sandbox = Sandbox::start().await;
    let listed = || async {
        sandbox
            .nodes("issues", "{ issues(filter: { number: { eq: 5 } }) { nodes { id } } }", json!({}))
            .await
            .len()
    };
    let trash = "mutation D($id: String!) { issueDelete(id: $id) { success entity { identifier trashed archivedAt } } }";
    let data = sandbox.data(trash, json!({ "id": "ENG-5" })).await;
    assert_eq!(data["issueDelete"]["entity"]["trashed"], true);
    assert_eq!(listed().await, 0);
    let restore = "mutation R($id: String!) { issueUnarchive(id: $id) { success entity { identifier trashed archivedAt } } }";
    let data = sandbox.data(restore, json!({ "id": "ENG-5" })).await;
    assert_eq!(
        data["issueUnarchive"]["entity"],
        json!({ "identifier": "ENG-5", "trashed": null, "archivedAt": null })
    );
    assert_eq!(listed().await, 1);
    let archive = "mutation A($id: String!) { issueArchive(id: $id) { entity { trashed archivedAt } } }";
    let data = sandbox.data(archive, json!({ "id": "ENG-5" })).await;
    assert!(
        data["issueArchive"]["entity"]["archivedAt"].is_string()
            && data["issueArchive"]["entity"]["trashed"].is_null()
    );
    let gone = "mutation D($id: String!) { issueDelete(id: $id, permanentlyDelete: true) { success entity { identifier } } }";
    sandbox.data(gone, json!({ "id": "ENG-5" })).await;
    let (_, error) = sandbox.error("{ issue(id: \"ENG-5\") { id } }", json!({})).await;
    assert_eq!(error["message"], "Entity not found: Issue");
}

#[tokio::test]
async fn a_batch_happens_whole_or_not_at_all() {
    let sandbox = Sandbox::start().await;
    let batch = "mutation B($ids: [UUID!]!, $input: IssueUpdateInput!) { issueBatchUpdate(ids: $ids, input: $input) { success issues { identifier priority } } }";
    let data =
        sandbox.data(batch, json!({ "ids": [id(ISSUE, 1), id(ISSUE, 2)], "input": { "priority": 4 } })).await;
    assert_eq!(
        data["issueBatchUpdate"]["issues"],
        json!([{ "identifier": "ENG-1", "priority": 4.0 }, { "identifier": "ENG-2", "priority": 4.0 }])
    );
    let ids = json!([id(ISSUE, 1), id(ISSUE, 101)]);
    let complaint = sandbox
        .complaint(batch, json!({ "ids": ids, "input": { "stateId": state(1, 5), "priority": 1 } }))
        .await;
    assert_eq!(complaint, "Discrepancy between issue team and state, cycle or project.");
    let data = sandbox.data("{ issue(id: \"ENG-1\") { priority state { name } } }", json!({})).await;
    assert_eq!(data["issue"], json!({ "priority": 4.0, "state": { "name": "Todo" } }));
    let complaint = sandbox.complaint(batch, json!({ "ids": ["ENG-1"], "input": { "priority": 1 } })).await;
    assert_eq!(complaint, "ids must be a UUID.");
    let many: Vec<_> = (1..=51).map(|n| id(ISSUE, n)).collect();
    let complaint = sandbox.complaint(batch, json!({ "ids": many, "input": { "priority": 1 } })).await;
    assert_eq!(complaint, "ids must contain no more than 50 elements.");
    let create = "mutation B($input: IssueBatchCreateInput!) { issueBatchCreate(input: $input) { issues { identifier } } }";
    let issues = json!([{ "teamId": id(TEAM, 1), "title": "a" }, { "teamId": id(TEAM, 1), "title": "b" }]);
    let data = sandbox.data(create, json!({ "input": { "issues": issues } })).await;
    assert_eq!(
        data["issueBatchCreate"]["issues"],
        json!([{ "identifier": "ENG-61" }, { "identifier": "ENG-62" }])
    );
}

#[tokio::test]
async fn relations_show_from_both_sides() {
    let sandbox = Sandbox::start().await;
    let relate = "mutation R($input: IssueRelationCreateInput!) { issueRelationCreate(input: $input) { issueRelation { id type issue { identifier } relatedIssue { identifier } } } }";
    let input = json!({ "issueId": "ENG-1", "relatedIssueId": "ENG-2", "type": "blocks" });
    let data = sandbox.data(relate, json!({ "input": input })).await;
    let relation = data["issueRelationCreate"]["issueRelation"].clone();
    assert_eq!(relation["relatedIssue"]["identifier"], "ENG-2");
    assert_eq!(
        sandbox.data(relate, json!({ "input": input })).await["issueRelationCreate"]["issueRelation"]["id"],
        relation["id"]
    );
    let data = sandbox.data("{ issue(id: \"ENG-2\") { inverseRelations { nodes { type issue { identifier } } } } issues(filter: { hasBlockedByRelations: { eq: true } }) { nodes { identifier } } }", json!({})).await;
    assert_eq!(
        data["issue"]["inverseRelations"]["nodes"],
        json!([{ "type": "blocks", "issue": { "identifier": "ENG-1" } }])
    );
    assert_eq!(data["issues"]["nodes"], json!([{ "identifier": "ENG-2" }]));
    let data = sandbox
        .data(
            "mutation U($id: String!) { issueRelationDelete(id: $id) { success entityId } }",
            json!({ "id": relation["id"] }),
        )
        .await;
    assert_eq!(data["issueRelationDelete"]["entityId"], relation["id"]);
    sandbox
        .data(
            relate,
            json!({ "input": { "issueId": "ENG-3", "relatedIssueId": "ENG-4", "type": "duplicate" } }),
        )
        .await;
    let data = sandbox.data("{ issue(id: \"ENG-3\") { state { type } canceledAt } }", json!({})).await;
    assert_eq!(data["issue"]["state"]["type"], "duplicate");
    let own = json!({ "input": { "issueId": "ENG-3", "relatedIssueId": "ENG-3", "type": "related" } });
    assert_eq!(sandbox.complaint(relate, own).await, "An issue cannot be related to itself.");
}

#[tokio::test]
async fn children_close_with_their_parent_and_cannot_stand_above_it() {
    let sandbox = Sandbox::start().await;
    update(&sandbox, "ENG-3", json!({ "parentId": "ENG-2", "stateId": state(1, 3) })).await;
    let complaint =
        sandbox.complaint(UPDATE, json!({ "id": "ENG-2", "input": { "parentId": "ENG-3" } })).await;
    assert_eq!(complaint, "An issue cannot be its own parent.");
    update(&sandbox, "ENG-2", json!({ "stateId": state(1, 5) })).await;
    let data = sandbox
        .data("{ issue(id: \"ENG-2\") { children { nodes { identifier state { type } } } } }", json!({}))
        .await;
    assert_eq!(
        data["issue"]["children"]["nodes"],
        json!([{ "identifier": "ENG-3", "state": { "type": "completed" } }])
    );
}

#[tokio::test]
async fn comments_thread_resolve_and_belong_to_their_author() {
    let sandbox = Sandbox::start().await;
    let comment = "mutation C($input: CommentCreateInput!) { commentCreate(input: $input) { comment { id url parentId issue { identifier } user { displayName } } } }";
    let data = sandbox
        .data(
            comment,
            json!({ "input": { "issueId": "ENG-1", "body": "Hello", "parentId": id(COMMENT, 2) } }),
        )
        .await;
    let reply = &data["commentCreate"]["comment"];
    assert_eq!(
        (&reply["parentId"], &reply["issue"]["identifier"]),
        (&json!(id(COMMENT, 1)), &json!("ENG-1")),
        "a reply to a reply joins the thread"
    );
    let only_parent =
        sandbox.data(comment, json!({ "input": { "body": "x", "parentId": id(COMMENT, 1) } })).await;
    assert_eq!(only_parent["commentCreate"]["comment"]["issue"]["identifier"], "ENG-1");
    assert_eq!(
        sandbox.complaint(comment, json!({ "input": { "issueId": "ENG-1", "body": " " } })).await,
        "body should not be empty."
    );
    assert!(
        sandbox.complaint(comment, json!({ "input": { "body": "x" } })).await.starts_with("Exactly one of")
    );
    let as_user = json!({ "input": { "issueId": "ENG-1", "body": "x", "createAsUser": "Bot" } });
    assert!(sandbox.complaint(comment, as_user).await.contains("actor=app"));

    let resolve = "mutation R($id: String!, $by: String) { commentResolve(id: $id, resolvingCommentId: $by) { comment { resolvedAt resolvingComment { id } } } }";
    let data = sandbox.data(resolve, json!({ "id": id(COMMENT, 1), "by": id(COMMENT, 2) })).await;
    assert_eq!(data["commentResolve"]["comment"]["resolvingComment"]["id"], json!(id(COMMENT, 2)));
    let unresolve = "mutation R($id: String!) { commentUnresolve(id: $id) { comment { resolvedAt } } }";
    assert!(sandbox.data(unresolve, json!({ "id": id(COMMENT, 1) })).await["commentUnresolve"]["comment"]["resolvedAt"].is_null());
    assert!(sandbox.complaint(resolve, json!({ "id": id(COMMENT, 2) })).await.contains("first comment"));

    let edit = "mutation E($id: String!, $input: CommentUpdateInput!) { commentUpdate(id: $id, input: $input) { comment { body editedAt } } }";
    let data = sandbox.data(edit, json!({ "id": id(COMMENT, 2), "input": { "body": "Fixed" } })).await;
    assert!(data["commentUpdate"]["comment"]["editedAt"].is_string());
    let (_, error) = sandbox.error(edit, json!({ "id": id(COMMENT, 1), "input": { "body": "Mine" } })).await;
    assert_eq!(error["extensions"]["type"], "forbidden");
    let delete = "mutation D($id: String!) { commentDelete(id: $id) { success } }";
    sandbox.data(delete, json!({ "id": id(COMMENT, 1) })).await;
    let data = sandbox.data("{ issue(id: \"ENG-1\") { comments { nodes { id } } } }", json!({})).await;
    assert_eq!(data["issue"]["comments"]["nodes"], json!([]), "the thread goes with its first comment");
}

#[tokio::test]
async fn the_same_address_on_an_issue_is_one_attachment() {
    let sandbox = Sandbox::start().await;
    let attach = "mutation A($input: AttachmentCreateInput!) { attachmentCreate(input: $input) { attachment { id title subtitle url sourceType } } }";
    let first = sandbox
        .data(
            attach,
            json!({ "input": { "issueId": "ENG-2", "url": "https://example.com/a", "title": "A" } }),
        )
        .await;
    let again = sandbox
        .data(
            attach,
            json!({ "input": { "issueId": "ENG-2", "url": "https://example.com/a", "title": "B" } }),
        )
        .await;
    assert_eq!(first["attachmentCreate"]["attachment"]["id"], again["attachmentCreate"]["attachment"]["id"]);
    assert_eq!(again["attachmentCreate"]["attachment"]["title"], "B");
    let pull = "mutation P($url: String!) { attachmentLinkGitHubPR(issueId: \"ENG-2\", url: $url, linkKind: closes) { attachment { title url sourceType } } }";
    let data = sandbox.data(pull, json!({ "url": "https://github.com/example/shop/pull/7" })).await;
    assert_eq!(data["attachmentLinkGitHubPR"]["attachment"]["title"], "example/shop#7");
    assert!(
        sandbox.complaint(pull, json!({ "url": "https://example.com/7" })).await.contains("pull request")
    );
    let link = "mutation L { attachmentLinkURL(issueId: \"ENG-2\", url: \"https://example.com/b\") { attachment { id title } } }";
    assert_eq!(
        sandbox.data(link, json!({})).await["attachmentLinkURL"]["attachment"]["title"],
        "https://example.com/b"
    );
}

#[tokio::test]
async fn projects_follow_their_status_and_show_their_last_update() {
    let sandbox = Sandbox::start().await;
    let create = "mutation P($input: ProjectCreateInput!) { projectCreate(input: $input) { project { id slugId url status { name } startedAt teams { nodes { key } } } } }";
    let data = sandbox.data(create, json!({ "input": { "name": "Search", "teamIds": [id(TEAM, 1)] } })).await;
    let project = data["projectCreate"]["project"].clone();
    assert_eq!((&project["status"]["name"], &project["startedAt"]), (&json!("Backlog"), &Value::Null));
    assert_eq!(
        sandbox.complaint(create, json!({ "input": { "name": "x", "teamIds": [] } })).await,
        "teamIds should not be empty."
    );
    let update = "mutation U($id: String!, $input: ProjectUpdateInput!) { projectUpdate(id: $id, input: $input) { project { startedAt completedAt state } } }";
    let data =
        sandbox.data(update, json!({ "id": project["id"], "input": { "statusId": id(STATUS, 3) } })).await;
    assert_eq!(data["projectUpdate"]["project"]["state"], "completed");
    assert!(data["projectUpdate"]["project"]["completedAt"].is_string());
    let post = "mutation P($input: ProjectUpdateCreateInput!) { projectUpdateCreate(input: $input) { projectUpdate { id url health user { displayName } } } }";
    sandbox
        .data(post, json!({ "input": { "projectId": id(PROJECT, 1), "health": "atRisk", "body": "Late" } }))
        .await;
    let data = sandbox
        .data(
            "query P($id: String!) { project(id: $id) { health lastUpdate { body } } }",
            json!({ "id": id(PROJECT, 1) }),
        )
        .await;
    assert_eq!(data["project"], json!({ "health": "atRisk", "lastUpdate": { "body": "Late" } }));
    let post = "mutation P($input: InitiativeUpdateCreateInput!) { initiativeUpdateCreate(input: $input) { initiativeUpdate { health } } }";
    sandbox
        .data(
            post,
            json!({ "input": { "initiativeId": id(INITIATIVE, 1), "health": "offTrack", "body": "!" } }),
        )
        .await;
    let data = sandbox
        .data("{ initiatives { nodes { health projects { nodes { name health } } } } }", json!({}))
        .await;
    assert_eq!(data["initiatives"]["nodes"][0]["health"], "offTrack");
    let milestone = "mutation M($input: ProjectMilestoneCreateInput!) { projectMilestoneCreate(input: $input) { projectMilestone { id status project { name } } } }";
    let data = sandbox
        .data(
            milestone,
            json!({ "input": { "projectId": project["id"], "name": "M1", "targetDate": "2020-01-01" } }),
        )
        .await;
    assert_eq!(data["projectMilestoneCreate"]["projectMilestone"]["status"], "overdue");
    let wrong = json!({ "id": "ENG-20", "input": { "projectMilestoneId": id(MILESTONE, 1) } });
    assert_eq!(
        sandbox.complaint(UPDATE, wrong).await,
        "Discrepancy between issue project and milestone project."
    );
}

#[tokio::test]
async fn a_document_has_one_parent_and_a_notification_one_reader() {
    let sandbox = Sandbox::start().await;
    let create = "mutation D($input: DocumentCreateInput!) { documentCreate(input: $input) { document { id slugId issue { identifier } } } }";
    let data = sandbox
        .data(create, json!({ "input": { "title": "Notes", "content": "# Hi", "issueId": "ENG-4" } }))
        .await;
    assert_eq!(data["documentCreate"]["document"]["issue"]["identifier"], "ENG-4");
    assert!(
        sandbox
            .complaint(create, json!({ "input": { "title": "Orphan" } }))
            .await
            .starts_with("Exactly one of")
    );
    let update = "mutation U($id: String!, $input: DocumentUpdateInput!) { documentUpdate(id: $id, input: $input) { document { content updatedBy { displayName } } } }";
    let data = sandbox.data(update, json!({ "id": id(DOCUMENT, 1), "input": { "content": "New" } })).await;
    assert_eq!(
        data["documentUpdate"]["document"],
        json!({ "content": "New", "updatedBy": { "displayName": "ada" } })
    );
    let mark = "mutation N($id: String!, $input: NotificationUpdateInput!) { notificationUpdate(id: $id, input: $input) { notification { id readAt } } }";
    let data = sandbox
        .data(mark, json!({ "id": id(NOTIFICATION, 1), "input": { "readAt": "2026-01-01T00:00:00.000Z" } }))
        .await;
    assert_eq!(data["notificationUpdate"]["notification"]["readAt"], "2026-01-01T00:00:00.000Z");
    let wrong = json!({ "id": id(NOTIFICATION, 1), "input": { "readAt": "now" } });
    assert_eq!(sandbox.complaint(mark, wrong).await, "readAt must be a valid ISO 8601 date string.");
    assert_eq!(sandbox.data("{ notificationsUnreadCount }", json!({})).await["notificationsUnreadCount"], 0);
    let other = json!({ "id": id(NOTIFICATION, 2), "input": { "readAt": "2026-01-01T00:00:00.000Z" } });
    assert_eq!(sandbox.complaint(mark, other).await, "Could not find referenced Notification.");
}

#[tokio::test]
async fn several_mutations_in_one_document_are_one_request_and_one_may_fail_alone() {
    let sandbox = Sandbox::start().await;
    let query = "mutation M($a: String!, $b: String!) { a: issueRelationCreate(input: { issueId: $a, relatedIssueId: $b, type: blocks }) { success } \
        b: commentCreate(input: { issueId: $a, body: \"x\" }) { success } }";
    assert_eq!(
        sandbox.data(query, json!({ "a": "ENG-1", "b": "ENG-2" })).await,
        json!({ "a": { "success": true }, "b": { "success": true } })
    );
    let update = "mutation M { a: issueUpdate(id: \"ENG-1\", input: { title: \"t\" }) { success } b: issueUpdate(id: \"ENG-999\", input: { title: \"t\" }) { success } }";
    let (status, _, body) = sandbox.send(update, json!({})).await;
    assert_eq!((status, &body["data"]), (StatusCode::OK, &Value::Null));
    assert_eq!(body["errors"][0]["path"], json!(["b"]));
    let data = sandbox.data("{ issue(id: \"ENG-1\") { title } }", json!({})).await;
    assert_eq!(data["issue"]["title"], "t", "what came before the error stands");
}

#[tokio::test]
async fn a_reset_goes_back_to_the_seed() {
    let sandbox = Sandbox::start().await;
    update(&sandbox, "ENG-1", json!({ "title": "Changed" })).await;
    assert!(read(sandbox.client.post(sandbox.at("_sandbox/reset"))).await.0.is_success());
    let data = sandbox.data("{ issue(id: \"ENG-1\") { title } }", json!({})).await;
    assert_eq!(data["issue"]["title"], "Issue 1");
}

#[tokio::test]
async fn issues_made_at_the_same_time_get_different_numbers() {
    let sandbox = Sandbox::start().await;
    let one = |n: u32| create(&sandbox, json!({ "teamId": id(TEAM, 1), "title": format!("Parallel {n}") }));
    let issues = futures::future::join_all((0..20).map(one)).await;
    let mut numbers: Vec<_> =
        issues.iter().map(|issue| issue["identifier"].as_str().unwrap().to_owned()).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 20);
}

#[tokio::test]
async fn an_answer_lost_after_the_commit_is_found_again_by_the_client_s_id() {
    let sandbox = Sandbox::start().await;
    sandbox.harness().faults().add(Rule::new("C", Action::CloseAfter));
    let own = "11111111-2222-4333-8444-555555555555";
    let variables = json!({ "input": { "id": own, "teamId": id(TEAM, 1), "title": "Once" } });
    let lost = sandbox.request(CREATE, variables.clone()).header("authorization", KEY).send().await;
    assert!(lost.is_err(), "the connection was cut");
    assert!(sandbox.complaint(CREATE, variables).await.contains("already exists"));
    let data = sandbox.data("query I($id: String!) { issue(id: $id) { title } }", json!({ "id": own })).await;
    assert_eq!(data["issue"]["title"], "Once");
}
