//! A small workspace for the sandbox's own tests, and a client that speaks plain GraphQL to it.

#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "helpers of tests, made for json!(..)"
)]

use connector::sandbox::{Harness, Running, start};
use reqwest::{Client, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

/// A key with every right.
pub(crate) const KEY: &str = "lin_api_test";

/// Ids by table and number, readable in failures.
pub(crate) fn id(table: u16, number: u32) -> String {
    format!("{table:08x}-0000-4000-8000-{number:012x}")
}

pub(crate) const USER: u16 = 1;
pub(crate) const TEAM: u16 = 2;
pub(crate) const STATE: u16 = 3;
pub(crate) const LABEL: u16 = 4;
pub(crate) const PROJECT: u16 = 5;
pub(crate) const CYCLE: u16 = 6;
pub(crate) const ISSUE: u16 = 7;
pub(crate) const COMMENT: u16 = 8;
pub(crate) const MILESTONE: u16 = 9;
pub(crate) const STATUS: u16 = 10;
pub(crate) const INITIATIVE: u16 = 11;
pub(crate) const DOCUMENT: u16 = 12;
pub(crate) const VIEW: u16 = 13;
pub(crate) const NOTIFICATION: u16 = 14;
pub(crate) const TEMPLATE: u16 = 15;

/// States of team `n` (1 is ENG, 2 is OPS): 1 triage, 2 backlog, 3 todo, 4 in progress, 5 done,
/// 6 canceled, 7 duplicate.
pub(crate) fn state(team: u32, n: u32) -> String {
    id(STATE, team * 10 + n)
}

/// The workspace: ENG with 60 issues, OPS with 3, one project, three cycles.
pub(crate) fn seed() -> String {
    let states = |team: u32| {
        let kinds = ["triage", "backlog", "unstarted", "started", "completed", "canceled", "duplicate"];
        let names = ["Triage", "Backlog", "Todo", "In Progress", "Done", "Canceled", "Duplicate"];
        kinds.into_iter().zip(names).zip(1_u32..).map(move |((kind, name), n)| {
            json!({ "id": state(team, n), "name": name, "type": kind, "position": n, "color": "#fff", "teamId": id(TEAM, team) })
        })
    };
    let issues = (1..=60).map(|n: u32| {
        json!({
            "id": id(ISSUE, n), "number": n, "teamId": id(TEAM, 1), "title": format!("Issue {n}"),
            "description": format!("What to do about {n}"),
            "stateId": state(1, 2 + n % 4), "priority": n % 5, "creatorId": id(USER, 1),
            "assigneeId": if n.is_multiple_of(3) { json!(id(USER, 1)) } else { Value::Null },
            "labelIds": if n.is_multiple_of(2) { json!([id(LABEL, 1)]) } else { json!([]) },
            "projectId": if n <= 10 { json!(id(PROJECT, 1)) } else { Value::Null },
            "cycleId": if n == 1 { json!(id(CYCLE, 2)) } else { Value::Null },
            "dueDate": if n == 2 { json!("D+3") } else { Value::Null },
            "estimate": 2, "createdAt": format!("D-{}T09:00", 100 - n), "updatedAt": format!("D-{}T10:00", 1 + n % 40),
            "archivedAt": if n == 60 { json!("D-1T00:00") } else { Value::Null },
            "stateHistory": [{ "id": id(99, n), "stateId": state(1, 2 + n % 4), "startedAt": format!("D-{}T09:00", 100 - n) }],
        })
    });
    let ops = (1..=3).map(|n: u32| {
        json!({
            "id": id(ISSUE, 100 + n), "number": n, "teamId": id(TEAM, 2), "title": format!("Café outage {n}"),
            "stateId": state(2, 3), "creatorId": id(USER, 2), "assigneeId": id(USER, 2), "createdAt": "D-2T09:00",
        })
    });
    let label = |n: u32, name: &str, more: Value| {
        let mut row = json!({ "id": id(LABEL, n), "name": name, "color": "#f00" });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let cycle = |n: u32, from: i32, to: i32| json!({ "id": id(CYCLE, n), "number": n, "teamId": id(TEAM, 1), "startsAt": format!("D{from:+}T00:00"), "endsAt": format!("D{to:+}T00:00") });
    json!({
        "createdAt": "D-90T00:00",
        "organization": { "id": id(20, 1), "name": "Example", "urlKey": "example" },
        "users": [
            { "id": id(USER, 1), "name": "Ada Example", "displayName": "ada", "email": "ada@example.com", "admin": true, "teamIds": [id(TEAM, 1), id(TEAM, 2)] },
            { "id": id(USER, 2), "name": "Ben Example", "displayName": "ben", "email": "ben@example.com", "teamIds": [id(TEAM, 2)] },
            { "id": id(USER, 3), "name": "Cyd Gone", "displayName": "cyd", "email": "cyd@example.com", "active": false },
            { "id": id(USER, 4), "name": "Helper", "displayName": "helper", "email": "helper@example.com", "app": true },
        ],
        "teams": [
            { "id": id(TEAM, 1), "key": "ENG", "name": "Engineering", "cyclesEnabled": true, "autoCloseChildIssues": true },
            { "id": id(TEAM, 2), "key": "OPS", "name": "Operations" },
        ],
        "workflowStates": states(1).chain(states(2)).collect::<Value>(),
        "issueLabels": [
            label(1, "Bug", json!({})), label(2, "Kind", json!({ "isGroup": true })),
            label(3, "cleanup", json!({ "parentId": id(LABEL, 2) })), label(4, "feature", json!({ "parentId": id(LABEL, 2) })),
            label(5, "Backend", json!({ "teamId": id(TEAM, 1) })), label(6, "Backend", json!({ "teamId": id(TEAM, 2) })),
        ],
        "projectStatuses": [
            { "id": id(STATUS, 1), "name": "Backlog", "type": "backlog", "position": 1 },
            { "id": id(STATUS, 2), "name": "In Progress", "type": "started", "position": 2 },
            { "id": id(STATUS, 3), "name": "Completed", "type": "completed", "position": 3 },
        ],
        "projects": [{
            "id": id(PROJECT, 1), "name": "Checkout", "slugId": "c0ffee123456", "statusId": id(STATUS, 2), "leadId": id(USER, 1),
            "teamIds": [id(TEAM, 1)], "memberIds": [id(USER, 1), id(USER, 2)], "startedAt": "D-30T09:00",
        }],
        "projectMilestones": [{ "id": id(MILESTONE, 1), "name": "Beta", "projectId": id(PROJECT, 1), "targetDate": "D+10" }],
        "initiatives": [{ "id": id(INITIATIVE, 1), "name": "Growth", "status": "Active", "ownerId": id(USER, 1), "projectIds": [id(PROJECT, 1)] }],
        "cycles": [cycle(1, -20, -6), cycle(2, -6, 8), cycle(3, 8, 22)],
        "issues": issues.chain(ops).collect::<Value>(),
        "comments": [
            { "id": id(COMMENT, 1), "issueId": id(ISSUE, 1), "userId": id(USER, 2), "body": "Seen on staging", "createdAt": "D-1T08:00" },
            { "id": id(COMMENT, 2), "issueId": id(ISSUE, 1), "userId": id(USER, 1), "parentId": id(COMMENT, 1), "body": "Fixed it", "createdAt": "D-1T09:00" },
        ],
        "attachments": [{ "id": id(30, 1), "issueId": id(ISSUE, 1), "title": "Pull request", "url": "https://github.com/example/shop/pull/1", "creatorId": id(USER, 1) }],
        "documents": [{ "id": id(DOCUMENT, 1), "title": "Runbook", "slugId": "d0c000000001", "content": "Restart the **gateway**", "projectId": id(PROJECT, 1), "creatorId": id(USER, 1) }],
        "customViews": [{
            "id": id(VIEW, 1), "name": "Urgent", "slugId": "0123456789ab", "modelName": "Issue", "shared": true,
            "creatorId": id(USER, 1), "ownerId": id(USER, 1), "filterData": { "priority": { "eq": 1 } },
        }],
        "notifications": [
            { "id": id(NOTIFICATION, 1), "type": "issueAssignedToYou", "userId": id(USER, 1), "actorId": id(USER, 2), "issueId": id(ISSUE, 3), "createdAt": "D-1T09:00" },
            { "id": id(NOTIFICATION, 2), "type": "issueAssignedToYou", "userId": id(USER, 2), "issueId": id(ISSUE, 3), "createdAt": "D-1T09:00" },
        ],
        "templates": [{ "id": id(TEMPLATE, 1), "name": "Bug report", "type": "issue", "teamId": id(TEAM, 1), "templateData": { "title": "Bug: ", "description": "Steps", "priority": 2 } }],
    })
    .to_string()
}

/// A running fake and a client for it.
pub(crate) struct Sandbox {
    pub(crate) running: Running,
    pub(crate) client: Client,
}

impl Sandbox {
    pub(crate) async fn start() -> Self {
        let running =
            start(linear_mcp::sandbox::with_seed(seed()), ([127, 0, 0, 1], 0).into()).await.unwrap();
        Self { running, client: client() }
    }

    pub(crate) fn harness(&self) -> &Harness {
        self.running.harness()
    }

    pub(crate) fn at(&self, path: &str) -> String {
        self.running.url().join(path).unwrap().to_string()
    }

    /// A GraphQL request, yet to be sent.
    pub(crate) fn request(&self, query: &str, variables: Value) -> RequestBuilder {
        let body = json!({ "query": query, "variables": variables });
        self.client.post(self.at("graphql")).json(&body)
    }

    /// Sends a request with [`KEY`] and reads the answer whole.
    pub(crate) async fn send(&self, query: &str, variables: Value) -> (StatusCode, HeaderMap, Value) {
        read(self.request(query, variables).header("authorization", KEY)).await
    }

    /// The data of a request that must succeed.
    pub(crate) async fn data(&self, query: &str, variables: Value) -> Value {
        let (status, _, body) = self.send(query, variables).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert!(body.get("errors").is_none(), "{body:#}");
        body["data"].clone()
    }

    /// The first error of a request that must fail, and the HTTP status.
    pub(crate) async fn error(&self, query: &str, variables: Value) -> (StatusCode, Value) {
        let (status, _, body) = self.send(query, variables).await;
        (status, body["errors"][0].clone())
    }

    /// What a failing request tells people.
    pub(crate) async fn complaint(&self, query: &str, variables: Value) -> String {
        let (_, error) = self.error(query, variables).await;
        assert_eq!(error["extensions"]["type"], "invalid input", "{error}");
        error["extensions"]["userPresentableMessage"].as_str().unwrap_or_default().to_owned()
    }

    /// One field of each node of a list.
    pub(crate) async fn nodes(&self, field: &str, query: &str, variables: Value) -> Vec<Value> {
        let data = self.data(query, variables).await;
        data[field]["nodes"].as_array().unwrap().clone()
    }
}

/// A client that needs no TLS and keeps away from proxies.
pub(crate) fn client() -> Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

pub(crate) async fn read(request: RequestBuilder) -> (StatusCode, HeaderMap, Value) {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await.unwrap();
    (status, headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
}
