//! What can be read: entities, filters, pages, searches.

use crate::sandbox_support::{ISSUE, PROJECT, Sandbox, USER, VIEW, client, id};
use reqwest::StatusCode;
use serde_json::{Value, json};

const COUNT: &str =
    "query Count($filter: IssueFilter) { issues(first: 250, filter: $filter) { nodes { identifier } } }";

async fn count(sandbox: &Sandbox, filter: Value) -> usize {
    sandbox.nodes("issues", COUNT, json!({ "filter": filter })).await.len()
}

#[tokio::test]
async fn an_issue_answers_to_its_id_and_its_identifier() {
    let sandbox = Sandbox::start().await;
    let query = "query I($id: String!) { issue(id: $id) { id identifier number priority priorityLabel estimate url branchName \
        state { name type } assignee { displayName isMe } team { key } labels(first: 8) { nodes { name } } project { name } parent { id } \
        comments(first: 5) { nodes { body parentId } } attachments { nodes { sourceType } } stateHistory(first: 5) { nodes { state { name } endedAt } } } }";
    for reference in [id(ISSUE, 6), "ENG-6".to_owned(), "eng-6".to_owned()] {
        let data = sandbox.data(query, json!({ "id": reference })).await;
        assert_eq!(data["issue"]["identifier"], "ENG-6");
        assert_eq!(data["issue"]["number"], json!(6.0));
        assert_eq!(data["issue"]["priorityLabel"], "Urgent");
        assert_eq!(data["issue"]["assignee"], json!({ "displayName": "ada", "isMe": true }));
        assert_eq!(data["issue"]["labels"]["nodes"], json!([{ "name": "Bug" }]));
        assert_eq!(data["issue"]["project"]["name"], "Checkout");
        assert_eq!(data["issue"]["parent"], Value::Null);
        assert_eq!(data["issue"]["url"], "https://linear.app/example/issue/ENG-6/issue-6");
        assert_eq!(data["issue"]["branchName"], "ada/eng-6-issue-6");
    }
    let data = sandbox.data(query, json!({ "id": "ENG-1" })).await;
    assert_eq!(
        data["issue"]["comments"]["nodes"][0],
        json!({ "body": "Fixed it", "parentId": id(8, 1) }),
        "newest first"
    );
    assert_eq!(data["issue"]["attachments"]["nodes"][0]["sourceType"], "github");
    assert_eq!(
        data["issue"]["stateHistory"]["nodes"][0],
        json!({ "state": { "name": "Todo" }, "endedAt": null })
    );
}

#[tokio::test]
async fn what_does_not_exist_is_linear_s_input_error() {
    let sandbox = Sandbox::start().await;
    let (status, error) = sandbox.error("{ issue(id: \"ENG-999\") { id } }", json!({})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(error["message"], "Entity not found: Issue");
    assert_eq!(error["path"], json!(["issue"]));
    assert_eq!(error["extensions"]["code"], "INPUT_ERROR");
    assert_eq!(error["extensions"]["type"], "invalid input");
    assert_eq!(error["extensions"]["statusCode"], 400);
    assert_eq!(error["extensions"]["userPresentableMessage"], "Could not find referenced Issue.");
    let (status, _, body) = sandbox
        .send("{ viewer { name } issueVcsBranchSearch(branchName: \"none\") { id } }", json!({}))
        .await;
    assert_eq!((status, &body["data"]["issueVcsBranchSearch"]), (StatusCode::OK, &Value::Null));
}

#[tokio::test]
async fn filters_narrow_as_linear_s_do() {
    let sandbox = Sandbox::start().await;
    assert_eq!(count(&sandbox, Value::Null).await, 62, "archived issues are hidden");
    assert_eq!(count(&sandbox, json!({ "team": { "key": { "eq": "OPS" } } })).await, 3);
    assert_eq!(count(&sandbox, json!({ "assignee": { "isMe": { "eq": true } } })).await, 19);
    assert_eq!(count(&sandbox, json!({ "assignee": { "null": true } })).await, 40);
    assert_eq!(count(&sandbox, json!({ "state": { "type": { "in": ["started"] } } })).await, 15);
    assert_eq!(
        count(&sandbox, json!({ "labels": { "some": { "name": { "eqIgnoreCase": "bug" } } } })).await,
        29
    );
    assert_eq!(
        count(&sandbox, json!({ "labels": { "name": { "eq": "Bug" } } })).await,
        29,
        "`some` is the default"
    );
    assert_eq!(count(&sandbox, json!({ "labels": { "length": { "eq": 0 } } })).await, 33);
    assert_eq!(count(&sandbox, json!({ "priority": { "lte": 2, "neq": 0 } })).await, 24);
    assert_eq!(
        count(
            &sandbox,
            json!({ "or": [{ "number": { "in": [1, 2] } }, { "title": { "startsWith": "Café" } }] })
        )
        .await,
        5
    );
    assert_eq!(count(&sandbox, json!({ "title": { "containsIgnoreCaseAndAccent": "CAFE" } })).await, 3);
    // Ages and dates between which nothing in the seed happened, whatever the hour.
    assert_eq!(count(&sandbox, json!({ "createdAt": { "gt": "-P3D" } })).await, 3);
    let week = (sandbox.harness().clock().today() - jiff::Span::new().days(7)).to_string();
    assert_eq!(count(&sandbox, json!({ "updatedAt": { "gt": week } })).await, 16);
    assert_eq!(count(&sandbox, json!({ "dueDate": { "lt": "P2W" } })).await, 1);
    assert_eq!(count(&sandbox, json!({ "cycle": { "isActive": { "eq": true } } })).await, 1);
    assert_eq!(count(&sandbox, json!({ "project": { "slugId": { "eq": "c0ffee123456" } } })).await, 10);
    assert_eq!(count(&sandbox, json!({ "parent": { "null": true } })).await, 62);
    assert_eq!(count(&sandbox, json!({ "searchableContent": { "contains": "Seen on staging" } })).await, 1);
    assert_eq!(count(&sandbox, json!({ "id": { "in": [id(ISSUE, 5), "ENG-7"] } })).await, 2);
    assert_eq!(count(&sandbox, json!({ "hasBlockedByRelations": { "eq": true } })).await, 0);
}

#[tokio::test]
async fn an_unknown_filter_is_refused_before_anything_runs() {
    let sandbox = Sandbox::start().await;
    let (status, error) =
        sandbox.error("{ issues(filter: { colour: { eq: 1 } }) { nodes { id } } }", json!({})).await;
    assert_eq!(
        (status, &error["extensions"]["code"]),
        (StatusCode::BAD_REQUEST, &json!("GRAPHQL_VALIDATION_FAILED"))
    );
    let (status, error) = sandbox.error(COUNT, json!({ "filter": { "colour": 1 } })).await;
    assert_eq!((status, &error["extensions"]["code"]), (StatusCode::BAD_REQUEST, &json!("BAD_USER_INPUT")));
    let complaint = sandbox.complaint(COUNT, json!({ "filter": { "updatedAt": { "gt": "soon" } } })).await;
    assert!(complaint.contains("soon"), "{complaint}");
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let sandbox = Sandbox::start().await;
    let query = "query P($after: String) { issues(first: 25, after: $after) { nodes { identifier createdAt } pageInfo { hasNextPage endCursor } } }";
    let (mut seen, mut after, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let data = sandbox.data(query, json!({ "after": after })).await;
        seen.extend(data["issues"]["nodes"].as_array().unwrap().clone());
        pages += 1;
        after = data["issues"]["pageInfo"]["endCursor"].clone();
        if data["issues"]["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
    }
    assert_eq!((pages, seen.len()), (3, 62));
    assert!(
        seen.windows(2).all(|pair| pair[0]["createdAt"].as_str() >= pair[1]["createdAt"].as_str()),
        "newest first"
    );
    let mut names: Vec<_> = seen.iter().map(|node| node["identifier"].to_string()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 62);
    let last = sandbox.nodes("issues", "{ issues(last: 2) { nodes { identifier } } }", json!({})).await;
    assert_eq!(last, [json!({ "identifier": "ENG-2" }), json!({ "identifier": "ENG-1" })]);
}

#[tokio::test]
async fn a_page_has_50_rows_unless_asked_and_250_at_most() {
    let sandbox = Sandbox::start().await;
    assert_eq!(sandbox.nodes("issues", "{ issues { nodes { id } } }", json!({})).await.len(), 50);
    let complaint = sandbox.complaint("{ issues(first: 251) { nodes { id } } }", json!({})).await;
    assert_eq!(complaint, "first must not be greater than 250.");
    let (status, error) = sandbox.error("{ issues(first: 0) { nodes { id } } }", json!({})).await;
    assert_eq!((status, &error["message"]), (StatusCode::OK, &json!("Argument Validation Error")));
    assert_eq!(error["extensions"]["code"], "INVALID_INPUT");
    let broken = &error["extensions"]["validationErrors"][0];
    assert_eq!(broken["property"], "first");
    assert_eq!(broken["constraints"]["min"], "first must not be less than 1");
    let complaint = sandbox.complaint("{ issues(after: \"nonsense\") { nodes { id } } }", json!({})).await;
    assert!(complaint.contains("cursor"), "{complaint}");
    let archived = sandbox
        .nodes("issues", "{ issues(first: 250, includeArchived: true) { nodes { id } } }", json!({}))
        .await;
    assert_eq!(archived.len(), 63);
}

#[tokio::test]
async fn lists_are_ordered_as_asked() {
    let sandbox = Sandbox::start().await;
    let query =
        "query S($sort: [IssueSortInput!]) { issues(first: 250, sort: $sort) { nodes { priority title } } }";
    let nodes =
        sandbox.nodes("issues", query, json!({ "sort": [{ "priority": { "order": "Ascending" } }] })).await;
    let priorities: Vec<f64> = nodes.iter().map(|node| node["priority"].as_f64().unwrap()).collect();
    assert_eq!((priorities[0], priorities.last()), (1.0, Some(&0.0)), "no priority comes last");
    let sort = json!([{ "priority": { "order": "Descending", "noPriorityFirst": true } }, { "title": { "order": "Ascending" } }]);
    let nodes = sandbox.nodes("issues", query, json!({ "sort": sort })).await;
    assert_eq!(nodes[0], json!({ "priority": 0.0, "title": "Café outage 1" }));
    let updated = sandbox
        .nodes("issues", "{ issues(first: 3, orderBy: updatedAt) { nodes { updatedAt } } }", json!({}))
        .await;
    assert!(updated[0]["updatedAt"].as_str() >= updated[2]["updatedAt"].as_str());
}

#[tokio::test]
async fn searches_rank_titles_and_can_look_into_comments() {
    let sandbox = Sandbox::start().await;
    let query = "query S($term: String!, $comments: Boolean) { searchIssues(term: $term, includeComments: $comments, first: 5) { totalCount nodes { identifier team { key } metadata } pageInfo { hasNextPage } } }";
    let data = sandbox.data(query, json!({ "term": "café outage" })).await;
    assert_eq!(data["searchIssues"]["totalCount"], json!(3.0));
    assert_eq!(data["searchIssues"]["nodes"][0]["team"]["key"], "OPS");
    let data = sandbox.data(query, json!({ "term": "staging" })).await;
    assert_eq!(data["searchIssues"]["totalCount"], json!(0.0));
    let data = sandbox.data(query, json!({ "term": "staging", "comments": true })).await;
    assert_eq!(data["searchIssues"]["nodes"][0]["identifier"], "ENG-1");
    let data = sandbox.data("{ searchProjects(term: \"check\") { nodes { name url } } searchDocuments(term: \"gateway\") { nodes { title project { name } } } }", json!({})).await;
    assert_eq!(data["searchProjects"]["nodes"][0]["name"], "Checkout");
    assert_eq!(
        data["searchDocuments"]["nodes"][0],
        json!({ "title": "Runbook", "project": { "name": "Checkout" } })
    );
    let semantic = "{ semanticSearch(query: \"outages\", maxResults: 2) { results { type issue { identifier } project { name } } } }";
    let data = sandbox.data(semantic, json!({})).await;
    assert_eq!(data["semanticSearch"]["results"].as_array().unwrap().len(), 2);
    assert_eq!(data["semanticSearch"]["results"][0]["type"], "issue");
}

#[tokio::test]
async fn the_workspace_hangs_together() {
    let sandbox = Sandbox::start().await;
    let data = sandbox
        .data(
            "{ viewer { id name admin isMe teams(first: 5) { nodes { key } } } organization { urlKey userCount projectStatuses { name } labels { nodes { name } } } \
             teams(first: 5) { nodes { key activeCycle { number } defaultIssueState { name } members { nodes { displayName } } labels { nodes { name } } states { nodes { name position } } templates { nodes { name } } } } \
             cycles { nodes { number isActive isNext isPrevious progress } } notifications { nodes { __typename id title url ... on IssueNotification { issue { identifier } } } } notificationsUnreadCount \
             issuePriorityValues { priority label } users { nodes { displayName } } }",
            json!({}),
        )
        .await;
    assert_eq!(data["viewer"]["id"], json!(id(USER, 1)));
    assert_eq!(data["viewer"]["teams"]["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(data["organization"]["projectStatuses"].as_array().unwrap().len(), 3);
    assert_eq!(
        data["organization"]["labels"]["nodes"].as_array().unwrap().len(),
        4,
        "labels of teams are not the workspace's"
    );
    let team = data["teams"]["nodes"].as_array().unwrap().iter().find(|team| team["key"] == "ENG").unwrap();
    assert_eq!(team["activeCycle"]["number"], json!(2.0));
    assert_eq!(team["defaultIssueState"]["name"], "Backlog");
    assert_eq!(team["states"]["nodes"][0]["name"], "Triage", "states stand from left to right");
    assert_eq!(team["labels"]["nodes"], json!([{ "name": "Backend" }]));
    let cycles = data["cycles"]["nodes"].as_array().unwrap();
    let which = |key: &str| {
        cycles.iter().find(|cycle| cycle[key] == json!(true)).map(|cycle| cycle["number"].clone())
    };
    assert_eq!(
        (which("isPrevious"), which("isActive"), which("isNext")),
        (Some(json!(1.0)), Some(json!(2.0)), Some(json!(3.0)))
    );
    assert_eq!(data["notifications"]["nodes"].as_array().unwrap().len(), 1, "nobody reads another's inbox");
    assert_eq!(data["notifications"]["nodes"][0]["__typename"], "IssueNotification");
    assert_eq!(data["notifications"]["nodes"][0]["issue"]["identifier"], "ENG-3");
    assert_eq!(data["notificationsUnreadCount"], 1);
    assert_eq!(data["issuePriorityValues"][1], json!({ "priority": 1, "label": "Urgent" }));
    assert_eq!(data["users"]["nodes"].as_array().unwrap().len(), 3, "the suspended user is hidden");
    let disabled =
        sandbox.nodes("users", "{ users(includeDisabled: true) { nodes { id } } }", json!({})).await;
    assert_eq!(disabled.len(), 4);
}

#[tokio::test]
async fn a_saved_view_a_branch_and_a_slug_lead_to_their_issues() {
    let sandbox = Sandbox::start().await;
    let query =
        "query V($id: String!) { customView(id: $id) { name issues(first: 100) { nodes { priority } } } }";
    for reference in [id(VIEW, 1), "urgent-0123456789ab".to_owned()] {
        let data = sandbox.data(query, json!({ "id": reference })).await;
        let nodes = data["customView"]["issues"]["nodes"].as_array().unwrap().clone();
        assert_eq!(nodes.len(), 12);
        assert!(nodes.iter().all(|node| node["priority"] == json!(1.0)));
    }
    let data = sandbox
        .data("{ issueVcsBranchSearch(branchName: \"feature/eng-12-tidy\") { identifier } }", json!({}))
        .await;
    assert_eq!(data["issueVcsBranchSearch"]["identifier"], "ENG-12");
    let data = sandbox
        .data("{ project(id: \"checkout-c0ffee123456\") { id progress state initiatives { nodes { name } } documents { nodes { title } } members { nodes { name } } projectMilestones { nodes { name status } } } }", json!({}))
        .await;
    assert_eq!(data["project"]["id"], json!(id(PROJECT, 1)));
    assert_eq!(data["project"]["state"], "started");
    assert_eq!(data["project"]["initiatives"]["nodes"][0]["name"], "Growth");
    assert_eq!(data["project"]["projectMilestones"]["nodes"][0]["status"], "unstarted");
}

#[tokio::test]
async fn every_list_filters_by_what_its_rows_lead_to() {
    let sandbox = Sandbox::start().await;
    let issue = id(ISSUE, 1);
    for (field, filter_type, filter, expected) in [
        ("comments", "CommentFilter", json!({ "issue": { "id": { "eq": issue } } }), 2),
        ("comments", "CommentFilter", json!({ "parent": { "null": true } }), 1),
        (
            "cycles",
            "CycleFilter",
            json!({ "team": { "key": { "eq": "ENG" } }, "or": [{ "isActive": { "eq": true } }, { "isNext": { "eq": true } }] }),
            2,
        ),
        ("documents", "DocumentFilter", json!({ "project": { "slugId": { "eq": "c0ffee123456" } } }), 1),
        (
            "users",
            "UserFilter",
            json!({ "or": [{ "email": { "eqIgnoreCase": "ADA@example.com" } }, { "name": { "containsIgnoreCase": "ben" } }] }),
            2,
        ),
        ("users", "UserFilter", json!({ "isMe": { "eq": true } }), 1),
        (
            "issueLabels",
            "IssueLabelFilter",
            json!({ "name": { "eqIgnoreCase": "backend" }, "or": [{ "team": { "null": true } }, { "team": { "key": { "eq": "ENG" } } }] }),
            1,
        ),
        ("issueLabels", "IssueLabelFilter", json!({ "isGroup": { "eq": true } }), 1),
        ("issueLabels", "IssueLabelFilter", json!({ "parent": { "name": { "eq": "Kind" } } }), 2),
        (
            "workflowStates",
            "WorkflowStateFilter",
            json!({ "team": { "key": { "eq": "OPS" } }, "name": { "eqIgnoreCase": "done" } }),
            1,
        ),
        (
            "projects",
            "ProjectFilter",
            json!({ "lead": { "isMe": { "eq": true } }, "status": { "type": { "eq": "started" } } }),
            1,
        ),
        (
            "projects",
            "ProjectFilter",
            json!({ "accessibleTeams": { "some": { "key": { "eq": "OPS" } } } }),
            0,
        ),
        (
            "projects",
            "ProjectFilter",
            json!({ "members": { "displayName": { "eq": "ben" } }, "initiatives": { "name": { "eq": "Growth" } } }),
            1,
        ),
        (
            "projectMilestones",
            "ProjectMilestoneFilter",
            json!({ "project": { "id": { "eq": id(PROJECT, 1) } }, "name": { "eqIgnoreCase": "beta" } }),
            1,
        ),
        (
            "initiatives",
            "InitiativeFilter",
            json!({ "status": { "eq": "Active" }, "owner": { "isMe": { "eq": true } } }),
            1,
        ),
        (
            "teams",
            "TeamFilter",
            json!({ "or": [{ "key": { "eqIgnoreCase": "eng" } }, { "name": { "eqIgnoreCase": "nothing" } }] }),
            1,
        ),
        ("notifications", "NotificationFilter", json!({ "createdAt": { "gt": "-P3D" } }), 1),
    ] {
        let query = format!(
            "query Q($filter: {filter_type}) {{ {field}(first: 250, filter: $filter) {{ nodes {{ id }} }} }}"
        );
        let nodes = sandbox.nodes(field, &query, json!({ "filter": filter })).await;
        assert_eq!(nodes.len(), expected, "{field} {filter}");
    }
}

#[tokio::test]
async fn the_suite_s_story_is_served_whole() {
    let running =
        connector::sandbox::start(linear_mcp::sandbox::fake(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let sandbox = Sandbox { running, client: client() };
    let data = sandbox.data("{ viewer { id } rateLimitStatus { kind } }", json!({})).await;
    assert_eq!(data["viewer"]["id"], linear_mcp::sandbox::VIEWER);
    let story: Value = serde_json::from_str(linear_mcp::sandbox::seed()).unwrap();
    for (field, lead) in [
        (
            "issues",
            "identifier url state { name } team { key } creator { name } labels(first: 5) { nodes { name } }",
        ),
        ("comments", "body url user { name }"),
        ("projects", "name url status { name } progress health"),
        ("cycles", "number isActive progress team { key }"),
        ("issueLabels", "name isGroup parent { name }"),
        ("documents", "title url creator { name }"),
        ("initiatives", "name url health projects(first: 5) { nodes { name } }"),
        ("customViews", "name issues(first: 5) { nodes { id } }"),
        ("workflowStates", "name type team { key }"),
    ] {
        let query = format!("{{ {field}(first: 200, includeArchived: true) {{ nodes {{ id {lead} }} }} }}");
        let nodes = sandbox.nodes(field, &query, json!({})).await;
        assert_eq!(nodes.len(), story[field].as_array().unwrap().len(), "{field}");
    }
}
