//! Issues: listed, read whole, created, changed, archived.

mod records;

use connector::{Result, upstream::Replay};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use records::{Around, Issue, IssueRef, IssueRow, LabelRef, PersonRef, Relation, Span, StateRef};

use super::{Api, Connection, Operation, Partial, document, first};

const LIST: Operation = Operation::read("ListIssues", document!("list_issues", "issue_row"), |v| {
    2 + first(v) * (ROW + blockers(v))
});
const VIEW: Operation = Operation::read("ViewIssues", document!("view_issues", "issue_row"), |v| {
    3 + first(v) * (ROW + blockers(v))
});
const GET: Operation = Operation::read(
    "GetIssue",
    document!("get_issue", "issue_full", "issue_sections", "comment_row"),
    sections,
);
const GET_MANY: Operation = Operation::read(
    "GetIssues",
    document!("get_issues", "issue_full", "issue_sections", "comment_row"),
    |v| first(v) * sections(v),
);
const BY_BRANCH: Operation = Operation::read(
    "GetIssueByBranch",
    document!("get_issue_by_branch", "issue_full", "issue_sections", "comment_row"),
    sections,
);
const BLOCKERS: Operation = Operation::read("Blockers", document!("blockers"), |v| 2 + first(v) * BLOCKED);
const CLOSING: Operation = Operation::read("Closing", document!("closing"), |v| 2 + first(v) * CLOSES);
const STATE: Operation = Operation::read("IssueState", document!("issue_state", "issue_full"), |_| FULL);
const IDS: Operation = Operation::read("IssueIds", document!("issue_ids", "issue_full"), |v| {
    2 + first(v) * (FULL + blockers(v))
});
/// Carries ids of our own making, so that a repeat makes nothing twice.
const CREATE: Operation =
    Operation::write("CreateIssue", document!("create_issue", "issue_full"), Replay::Idempotent)
        .costs(|_| FULL)
        .invalidates(&["issues"]);
const CREATE_MANY: Operation =
    Operation::write("CreateIssues", document!("create_issues", "issue_full"), Replay::Idempotent)
        .costs(|v| v.pointer("/input/issues").and_then(Value::as_array).map_or(1, Vec::len) as u32 * FULL)
        .invalidates(&["issues"]);
/// Not repeated without a look: somebody else may have written in between.
const UPDATE: Operation =
    Operation::write("UpdateIssue", document!("update_issue", "issue_full"), Replay::Once)
        .costs(|_| FULL)
        .invalidates(&["issues"]);
const UPDATE_MANY: Operation =
    Operation::write("UpdateIssues", document!("update_issues", "issue_full"), Replay::Once)
        .costs(|v| v.pointer("/ids").and_then(Value::as_array).map_or(1, Vec::len) as u32 * FULL)
        .invalidates(&["issues"]);
const ARCHIVE: Operation =
    Operation::destructive("ArchiveIssue", document!("archive_issue"), Replay::Idempotent)
        .invalidates(&["issues"]);
const TRASH: Operation = Operation::destructive("TrashIssue", document!("trash_issue"), Replay::Idempotent)
    .invalidates(&["issues"]);
const RESTORE: Operation =
    Operation::write("RestoreIssue", document!("restore_issue"), Replay::Idempotent).invalidates(&["issues"]);

pub(super) const OPERATIONS: &[&Operation] = &[
    &LIST,
    &VIEW,
    &GET,
    &GET_MANY,
    &BY_BRANCH,
    &BLOCKERS,
    &CLOSING,
    &STATE,
    &IDS,
    &CREATE,
    &CREATE_MANY,
    &UPDATE,
    &UPDATE_MANY,
    &ARCHIVE,
    &TRASH,
    &RESTORE,
];

/// What the issues cost that block one.
fn blockers(variables: &Value) -> u32 {
    if variables.get("blockers").and_then(Value::as_bool).unwrap_or(false) { BLOCKED } else { 0 }
}

/// What the issues cost that block one issue.
const BLOCKED: u32 = 70;

/// What a row costs: its labels are most of it.
const ROW: u32 = 29;

/// What is around one issue that is closed costs, and of how many one request asks.
const CLOSES: u32 = 310;
const CLOSED_AT_ONCE: usize = 25;

/// What one issue in full costs: its labels are most of it.
const FULL: u32 = 72;

/// What one issue with the sections that `variables` ask for costs.
fn sections(variables: &Value) -> u32 {
    let asked = |name: &str| variables.get(name).and_then(Value::as_bool).unwrap_or(false);
    let comments = variables.get("commentCount").and_then(Value::as_u64).unwrap_or(20) as u32;
    let mut points = FULL;
    for (name, cost) in [
        ("comments", comments * 6),
        ("relations", 190),
        ("children", 130),
        ("attachments", 40),
        ("history", 70),
    ] {
        if asked(name) {
            points += cost;
        }
    }
    points
}

/// What a listing of issues asks for.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    /// A saved view to look into, by its id.
    pub(crate) view: Option<String>,
    /// An `IssueFilter`.
    pub(crate) filter: Value,
    /// How many rows, at most 250.
    pub(crate) first: u32,
    /// Where to go on.
    pub(crate) after: Option<String>,
    /// A `PaginationOrderBy`.
    pub(crate) order_by: Option<&'static str>,
    /// A list of `IssueSortInput`.
    pub(crate) sort: Option<Value>,
    /// Whether archived issues are among them.
    pub(crate) archived: bool,
    /// Whether each comes with the issues that block it.
    pub(crate) blockers: bool,
}

/// Which parts of an issue to read besides itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sections {
    pub(crate) comments: Option<u32>,
    pub(crate) relations: bool,
    pub(crate) children: bool,
    pub(crate) attachments: bool,
    pub(crate) history: bool,
}

impl Sections {
    fn variables(self) -> Value {
        json!({
            "comments": self.comments.is_some(),
            "commentCount": self.comments.unwrap_or(1),
            "relations": self.relations,
            "children": self.children,
            "attachments": self.attachments,
            "history": self.history,
        })
    }

    /// How many issues with these sections one request may ask for.
    pub(crate) fn per_request(self) -> usize {
        (crate::vendor::MAX_POINTS / sections(&self.variables()).max(1)).clamp(1, 50) as usize
    }
}

/// How an issue is put out of sight, or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    Archive,
    Trash,
    Restore,
}

/// An issue after it was put out of sight, or back.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Removed {
    pub(crate) id: String,
    pub(crate) identifier: String,
    pub(crate) archived_at: Option<String>,
    pub(crate) trashed: bool,
}

/// What a mutation of issues answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, bound(deserialize = "T: Deserialize<'de> + Default"))]
pub(crate) struct Payload<T> {
    pub(crate) success: bool,
    #[serde(alias = "entity")]
    pub(crate) issue: Option<T>,
    pub(crate) issues: Vec<T>,
}

impl<T> Default for Payload<T> {
    fn default() -> Self {
        Self { success: false, issue: None, issues: Vec::new() }
    }
}

/// The one field that each of these answers has.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de> + Default"))]
struct Aliased<T> {
    #[serde(
        default,
        alias = "issue",
        alias = "issues",
        alias = "issueVcsBranchSearch",
        alias = "issueCreate",
        alias = "issueBatchCreate",
        alias = "issueUpdate",
        alias = "issueBatchUpdate",
        alias = "issueArchive",
        alias = "issueDelete",
        alias = "issueUnarchive"
    )]
    value: T,
}

impl Api {
    /// One page of issues.
    pub(crate) async fn list_issues(&self, listing: &Listing) -> Result<Partial<Connection<IssueRow>>> {
        let mut variables = json!({
            "filter": listing.filter,
            "first": listing.first,
            "after": listing.after,
            "orderBy": listing.order_by,
            "sort": listing.sort,
            "archived": listing.archived,
            "blockers": listing.blockers,
        });
        let Some(view) = &listing.view else {
            let answer = self.run_partial::<Aliased<Connection<IssueRow>>>(&LIST, variables).await?;
            return Ok(Partial { data: answer.data.value, failures: answer.failures });
        };
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            #[serde(default)]
            custom_view: Option<Aliased<Connection<IssueRow>>>,
        }
        variables["id"] = json!(view);
        let answer = self.run_partial::<Data>(&VIEW, variables).await?;
        let data = answer.data.custom_view.map(|view| view.value).unwrap_or_default();
        Ok(Partial { data, failures: answer.failures })
    }

    /// The issue with this id or identifier, with `sections`.
    pub(crate) async fn issue(&self, id: &str, sections: Sections) -> Result<Partial<Issue>> {
        let mut variables = sections.variables();
        variables["id"] = json!(id);
        let answer = self.run_partial::<Aliased<Issue>>(&GET, variables).await?;
        Ok(Partial { data: answer.data.value, failures: answer.failures })
    }

    /// The issue as it is now, without sections.
    pub(crate) async fn issue_state(&self, id: &str) -> Result<Issue> {
        Ok(self.run::<Aliased<Issue>>(&STATE, json!({"id": id})).await?.value)
    }

    /// The issues that `filter` finds, archived ones included, with `sections`; at most `first`.
    pub(crate) async fn issues(
        &self,
        filter: Value,
        first: usize,
        sections: Sections,
    ) -> Result<Partial<Vec<Issue>>> {
        let mut variables = sections.variables();
        variables["filter"] = filter;
        variables["first"] = json!(first);
        let answer = self.run_partial::<Aliased<Connection<Issue>>>(&GET_MANY, variables).await?;
        Ok(Partial { data: answer.data.value.nodes, failures: answer.failures })
    }

    /// The issues with these UUIDs, each with what blocks it.
    pub(crate) async fn blockers(&self, ids: &[String]) -> Result<Vec<IssueRow>> {
        let variables = json!({"filter": {"id": {"in": ids}}, "first": ids.len()});
        Ok(self.run::<Aliased<Connection<IssueRow>>>(&BLOCKERS, variables).await?.value.nodes)
    }

    /// What closing the issues with these UUIDs leaves open or sets free.
    pub(crate) async fn closing(&self, ids: &[String]) -> Result<Vec<Around>> {
        let mut all = Vec::new();
        for ids in ids.chunks(CLOSED_AT_ONCE) {
            let variables = json!({"filter": {"id": {"in": ids}}, "first": ids.len()});
            all.extend(self.run::<Aliased<Connection<Around>>>(&CLOSING, variables).await?.value.nodes);
        }
        Ok(all)
    }

    /// The issue that the git branch `branch` belongs to, if any.
    pub(crate) async fn issue_by_branch(
        &self,
        branch: &str,
        sections: Sections,
    ) -> Result<Option<Partial<Issue>>> {
        let mut variables = sections.variables();
        variables["branch"] = json!(branch);
        let answer = self.run_partial::<Value>(&BY_BRANCH, variables).await?;
        let failures = answer.failures;
        let found: Aliased<Option<Issue>> =
            connector::tolerant::from_value(answer.data).map_err(|error| {
                connector::Error::new(connector::Kind::Upstream, "Linear's answer has an unexpected shape")
                    .with_source(error)
            })?;
        Ok(found.value.map(|data| Partial { data, failures }))
    }

    /// One page of the issues that `filter` finds, each as it is now.
    pub(crate) async fn issue_states(
        &self,
        filter: &Value,
        first: usize,
        after: Option<&str>,
        archived: bool,
        blockers: bool,
    ) -> Result<Connection<Issue>> {
        let variables = json!({
            "filter": filter, "first": first, "after": after, "archived": archived, "blockers": blockers,
        });
        Ok(self.run::<Aliased<Connection<Issue>>>(&IDS, variables).await?.value)
    }

    /// Creates an issue from an `IssueCreateInput` that carries its id.
    pub(crate) async fn create_issue(&self, input: &Value, check: String) -> Result<Payload<Issue>> {
        let variables = json!({"input": input});
        let answer =
            self.run_document::<Aliased<Payload<Issue>>>(&CREATE, CREATE.document, variables, Some(check));
        Ok(answer.await?.or_noted().value)
    }

    /// Creates issues, all or none, from a list of `IssueCreateInput`s that carry their ids.
    pub(crate) async fn create_issues(&self, inputs: &[Value], check: String) -> Result<Payload<Issue>> {
        let variables = json!({"input": {"issues": inputs}});
        let answer = self.run_document::<Aliased<Payload<Issue>>>(
            &CREATE_MANY,
            CREATE_MANY.document,
            variables,
            Some(check),
        );
        Ok(answer.await?.or_noted().value)
    }

    /// Changes an issue by an `IssueUpdateInput`.
    pub(crate) async fn update_issue(
        &self,
        id: &str,
        input: &Value,
        check: String,
    ) -> Result<Payload<Issue>> {
        let variables = json!({"id": id, "input": input});
        let answer =
            self.run_document::<Aliased<Payload<Issue>>>(&UPDATE, UPDATE.document, variables, Some(check));
        Ok(answer.await?.or_noted().value)
    }

    /// Changes up to 50 issues, by their UUIDs, with one `IssueUpdateInput`.
    pub(crate) async fn update_issues(
        &self,
        ids: &[String],
        input: &Value,
        check: String,
    ) -> Result<Payload<Issue>> {
        let variables = json!({"ids": ids, "input": input});
        let answer = self.run_document::<Aliased<Payload<Issue>>>(
            &UPDATE_MANY,
            UPDATE_MANY.document,
            variables,
            Some(check),
        );
        Ok(answer.await?.or_noted().value)
    }

    /// Puts an issue out of sight, or back.
    pub(crate) async fn remove_issue(
        &self,
        id: &str,
        how: Removal,
        check: String,
    ) -> Result<Payload<Removed>> {
        let operation = match how {
            Removal::Archive => &ARCHIVE,
            Removal::Trash => &TRASH,
            Removal::Restore => &RESTORE,
        };
        let answer = self.run_document::<Aliased<Payload<Removed>>>(
            operation,
            operation.document,
            json!({"id": id}),
            Some(check),
        );
        Ok(answer.await?.or_noted().value)
    }
}
