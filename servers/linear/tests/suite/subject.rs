//! Linear, as the shared tests see it. The rows named here are those of the story in `fixtures`.

mod marked;

use connector::sandbox::{Action, Change};
use linear_mcp::Linear;
use serde_json::{Value, json};

use crate::{IdForm, IdWalk, Marked, Overtaken, Sample, Subject};

/// The server that this is about.
pub type Server = Linear;

/// The incident's bug, a comment on it, a project, an unread notification of whoever calls.
const ISSUE: &str = "ENG-27";
const COMMENT: &str = "2cae365e-f01f-40c3-af70-6f047f331b0a";
const PROJECT: &str = "Import API v2";
const NOTIFICATION: &str = "7dd6fd03-8f38-46d1-b0a6-fead172733a2";

fn comments() -> Sample {
    Sample::new("list_comments", json!({"issue": ISSUE}))
}

/// More issues than are changed without being asked about, none of them of low priority.
const BULK: [&str; 7] = ["ENG-18", "ENG-19", "ENG-21", "ENG-23", "ENG-24", "ENG-12", "ENG-13"];

impl Subject for Linear {
    const LIST_BUDGET: usize = 5_400;
    const TWENTY_ROWS_BUDGET: usize = 1_200;
    const CREDENTIAL: &'static str = "api-key";
    const REFUSED_CREDENTIAL: &'static str = "lin_api_revoked_9f3k2m1x7c5v";
    const READ_ONLY_CREDENTIAL: Option<(&'static str, &'static str)> = Some(("lin_api_readonly", "scope"));
    const PACE: (usize, Option<usize>) = (500, Some(2_000));

    const LACKS: &'static [(&'static str, &'static str)] =
        &[("bounded", "a key sees the teams that Linear lets it see; there are no settings for less")];

    const NOT_MARKED: &'static [(&'static str, &'static str)] = marked::NOT_MARKED;

    fn reads() -> Vec<Sample> {
        let everything = ["comments", "relations", "children", "attachments", "history"];
        vec![
            Sample::new("whoami", json!({})),
            Sample::new("list_issues", json!({"team": ["ENG"], "state": ["open"], "limit": 50})),
            Sample::new("list_issues", json!({"team": ["ENG", "OPS", "GRO"], "limit": 100})),
            Sample::new("search", json!({"query": "import", "types": ["issue", "project", "document"]})),
            Sample::new("get_issue", json!({"id": ISSUE, "include": everything})),
            Sample::new("get_issue", json!({"ids": ["ENG-33", "ENG-36", "GRO-7"]})),
            comments(),
            Sample::new("list_projects", json!({})),
            Sample::new("get_project", json!({"id": PROJECT})),
            Sample::new("list_cycles", json!({"team": "ENG"})),
            Sample::new("list_documents", json!({})),
            Sample::new("get_document", json!({"id": "Import jobs: design"})),
            Sample::new("list_initiatives", json!({})),
            Sample::new("list_status_updates", json!({"project": PROJECT})),
            Sample::new("get_team", json!({"team": "ENG"})),
            Sample::new("list_users", json!({})),
            Sample::new("list_notifications", json!({})),
        ]
    }

    fn writes() -> Vec<Sample> {
        let labels = json!({"add": ["qa/cleanup"]});
        vec![
            Sample::new(
                "create_issue",
                json!({"title": "Write the runbook", "team": "ENG", "labels": ["importer"]}),
            ),
            Sample::new(
                "update_issue",
                json!({"id": "ENG-24", "state": "In Progress", "clear": ["due"], "labels": labels}),
            ),
            Sample::new(
                "bulk_update_issues",
                json!({"ids": ["ENG-11", "ENG-22"], "changes": {"state": "Todo"}}),
            ),
            Sample::new("link_issues", json!({"from": "ENG-35", "to": ["ENG-21"], "type": "related"})),
            Sample::new("archive_issue", json!({"id": "GRO-12", "mode": "trash"})),
            Sample::new("add_comment", json!({"issue": ISSUE, "body": "The fix is in **v2.14.1**."})),
            Sample::new("edit_comment", json!({"id": COMMENT, "body": "Edited: see the review."})),
            Sample::new("delete_comment", json!({"id": COMMENT})),
            Sample::new(
                "attach",
                json!({"issue": ISSUE, "url": "https://status.harbor.example/42", "title": "Status"}),
            ),
            Sample::new("save_project", json!({"id": PROJECT, "target_date": "2031-03-01"})),
            Sample::new("delete_label", json!({"id": "outreach", "team": "GRO"})),
            Sample::new("save_milestone", json!({"project": PROJECT, "name": "Public beta"})),
            Sample::new(
                "post_status_update",
                json!({"project": PROJECT, "health": "atRisk", "body": "One week late."}),
            ),
            Sample::new(
                "save_document",
                json!({"title": "Notes", "content": "All agreed.", "project": PROJECT}),
            ),
            Sample::new("save_label", json!({"name": "runbook", "team": "ENG"})),
            Sample::new("mark_notification", json!({"ids": [NOTIFICATION], "read": true})),
        ]
    }

    fn marked_writes(marker: &str) -> Vec<Marked> {
        marked::writes(marker)
    }

    fn listing() -> (Sample, &'static str) {
        (Sample::new("list_issues", json!({"team": ["ENG"], "limit": 7})), "ListIssues")
    }

    fn twenty_rows() -> Sample {
        Sample::new("list_issues", json!({"team": ["ENG"], "limit": 20}))
    }

    fn repeatable_create() -> Option<(Sample, &'static str)> {
        Some((
            Sample::new("create_issue", json!({"title": "Write the runbook", "team": "ENG"})),
            "CreateIssue",
        ))
    }

    fn once_only_write() -> Option<(Sample, &'static str)> {
        Some((Sample::new("delete_comment", json!({"id": COMMENT})), "DeleteComment"))
    }

    fn partial_write() -> Option<(Sample, &'static str, Value)> {
        let errors = json!([{"message": "The history could not be read", "path": ["issueUpdate", "issue"],
            "extensions": {"type": "internal error", "code": "INTERNAL_SERVER_ERROR"}}]);
        let title = json!({"id": "ENG-24", "title": "Rows are lost"});
        Some((Sample::new("update_issue", title), "UpdateIssue", errors))
    }

    fn read_one() -> (Sample, &'static str) {
        (Sample::new("get_issue", json!({"id": ISSUE})), "GetIssue")
    }

    fn cached_read() -> Option<(Sample, &'static str)> {
        Some((Sample::new("get_team", json!({"team": "ENG"})), "GetTeam"))
    }

    fn drifts() -> Vec<(Sample, &'static str, Action)> {
        let set = |pointer: &str, value: Value| Change::set(pointer, value);
        let list = |change| {
            let sample = Sample::new("list_issues", json!({"team": ["ENG"], "limit": 5}));
            (sample, "ListIssues", Action::Patch { changes: vec![change] })
        };
        let get = |change| {
            let sample = Sample::new("get_issue", json!({"id": ISSUE, "include": ["comments", "history"]}));
            (sample, "GetIssue", Action::Patch { changes: vec![change] })
        };
        vec![
            list(set("/data/issues/nodes/*/state/type", json!("paused"))),
            list(set("/data/issues/nodes/0/state", Value::Null)),
            list(set("/data/issues/nodes/*/priority", json!("2"))),
            list(set("/data/issues/nodes/0/estimate", json!("3"))),
            list(set("/data/issues/nodes/0/assignee", Value::Null)),
            list(Change::remove("/data/issues/nodes/0/labels")),
            get(set("/data/issue/comments/nodes/0/user", Value::Null)),
            get(set("/data/issue/stateHistory", Value::Null)),
            get(Change::remove("/data/issue/branchName")),
        ]
    }

    fn one_of_several_gone() -> Option<(Sample, &'static str, &'static str)> {
        let sample = Sample::new("get_issue", json!({"ids": [ISSUE, "ENG-9999"]}));
        Some((sample, "Imports over 10,000 rows", "ENG-9999"))
    }

    fn outdated_write() -> Option<Sample> {
        let past = "2020-01-01T00:00:00.000Z";
        Some(Sample::new("update_issue", json!({"id": ISSUE, "state": "Done", "expected_updated_at": past})))
    }

    fn foreign_addresses() -> Vec<Sample> {
        ["https://linear.app/acme", "https://example.com/harbor"]
            .into_iter()
            .flat_map(|place| {
                let issue = format!("{place}/issue/{ISSUE}/x");
                let project = format!("{place}/project/import-api-v2-e7b33b1741db");
                [
                    Sample::new("get_issue", json!({"id": issue})),
                    Sample::new("add_comment", json!({"issue": issue, "body": "x"})),
                    Sample::new("update_issue", json!({"id": issue, "priority": "low"})),
                    Sample::new("list_issues", json!({"project": project})),
                    Sample::new("save_project", json!({"id": project, "priority": "low"})),
                ]
            })
            .collect()
    }

    fn overtaken() -> Vec<Overtaken> {
        let edit = |body: &str| Sample::new("edit_comment", json!({"id": COMMENT, "body": body}));
        vec![
            Overtaken::new(
                Sample::new("archive_issue", json!({"id": "GRO-12", "mode": "trash"})),
                Sample::new("update_issue", json!({"id": "GRO-12", "title": "Meanwhile"})),
            ),
            Overtaken::new(
                Sample::new("delete_label", json!({"id": "outreach"})),
                Sample::new("update_issue", json!({"id": "GRO-4", "labels": {"add": ["outreach"]}})),
            ),
            Overtaken::new(Sample::new("delete_comment", json!({"id": COMMENT})), edit("Meanwhile.")),
            Overtaken::new(
                Sample::new("bulk_update_issues", json!({"ids": BULK, "changes": {"priority": "low"}})),
                Sample::new("update_issue", json!({"id": BULK[0], "priority": "low"})),
            ),
        ]
    }

    fn ids() -> Vec<IdWalk> {
        let issues = Sample::new("list_issues", json!({"team": ["ENG"], "limit": 3}));
        let issue = |needed, others| IdWalk {
            needed,
            given_by: issues.clone(),
            form: IdForm::Numbered("ENG-"),
            others,
        };
        // Only one's own comments can be edited, and the sandbox's key is Maya's.
        let comment = |needed, others| IdWalk {
            needed,
            given_by: comments(),
            form: IdForm::UuidAfter("@maya "),
            others,
        };
        vec![
            issue(("get_issue", "id"), json!({})),
            issue(("get_issue", "ids"), json!({})),
            issue(("list_comments", "issue"), json!({})),
            issue(("update_issue", "id"), json!({"priority": "low"})),
            issue(("bulk_update_issues", "ids"), json!({"changes": {"priority": "low"}})),
            issue(("link_issues", "from"), json!({"to": ["ENG-1"], "type": "related"})),
            issue(("add_comment", "issue"), json!({"body": "Seen."})),
            issue(("attach", "issue"), json!({"url": "https://harbor.example/x", "title": "x"})),
            issue(("archive_issue", "id"), json!({"mode": "archive"})),
            comment(("edit_comment", "id"), json!({"body": "Seen."})),
            comment(("add_comment", "reply_to"), json!({"issue": ISSUE, "body": "Yes."})),
            comment(("delete_comment", "id"), json!({})),
            IdWalk {
                needed: ("mark_notification", "ids"),
                given_by: Sample::new("list_notifications", json!({})),
                form: IdForm::UuidAfter(""),
                others: json!({"read": true}),
            },
        ]
    }

    fn count_created(dump: &Value) -> usize {
        dump["Issue"].as_array().map_or(0, Vec::len)
    }
}
