//! Issues and what they point to, as Linear tells them.

use serde::Deserialize;

use crate::api::{
    Connection,
    attachments::Attachment,
    comments::Comment,
    names::{Named, Team, TeamRef},
};

/// The state of an issue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StateRef {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// Somebody, as others see them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PersonRef {
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) name: String,
    /// Whether the credential is theirs.
    pub(crate) is_me: bool,
}

/// A cycle that an issue is in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CycleRef {
    pub(crate) id: String,
    pub(crate) number: Option<f64>,
    pub(crate) name: Option<String>,
    pub(crate) starts_at: Option<String>,
    pub(crate) ends_at: Option<String>,
}

/// An issue that another one points to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct IssueRef {
    pub(crate) id: String,
    pub(crate) identifier: String,
    pub(crate) title: String,
    pub(crate) state: Option<StateRef>,
    pub(crate) assignee: Option<PersonRef>,
}

/// A label on an issue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LabelRef {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) parent: Option<Named>,
}

/// An issue as a row of a listing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IssueRow {
    pub(crate) id: String,
    pub(crate) identifier: String,
    pub(crate) title: String,
    pub(crate) priority: Option<f64>,
    pub(crate) estimate: Option<f64>,
    pub(crate) due_date: Option<String>,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) completed_at: Option<String>,
    pub(crate) archived_at: Option<String>,
    pub(crate) trashed: bool,
    pub(crate) state: Option<StateRef>,
    pub(crate) assignee: Option<PersonRef>,
    pub(crate) creator: Option<PersonRef>,
    pub(crate) team: Option<TeamRef>,
    pub(crate) project: Option<Named>,
    pub(crate) project_milestone: Option<Named>,
    pub(crate) cycle: Option<CycleRef>,
    pub(crate) parent: Option<IssueRef>,
    pub(crate) labels: Connection<LabelRef>,
    pub(crate) inverse_relations: Connection<Relation>,
}

/// An issue in full, with the sections that were asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Issue {
    pub(crate) id: String,
    pub(crate) identifier: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) priority: Option<f64>,
    pub(crate) estimate: Option<f64>,
    pub(crate) due_date: Option<String>,
    pub(crate) url: String,
    pub(crate) branch_name: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) started_at: Option<String>,
    pub(crate) completed_at: Option<String>,
    pub(crate) canceled_at: Option<String>,
    pub(crate) archived_at: Option<String>,
    pub(crate) trashed: bool,
    pub(crate) sla_breaches_at: Option<String>,
    pub(crate) previous_identifiers: Vec<String>,
    pub(crate) state: Option<StateRef>,
    pub(crate) assignee: Option<PersonRef>,
    pub(crate) delegate: Option<PersonRef>,
    pub(crate) creator: Option<PersonRef>,
    pub(crate) team: Team,
    pub(crate) project: Option<Named>,
    pub(crate) project_milestone: Option<Named>,
    pub(crate) cycle: Option<CycleRef>,
    pub(crate) parent: Option<IssueRef>,
    pub(crate) labels: Connection<LabelRef>,
    pub(crate) comments: Connection<Comment>,
    pub(crate) relations: Connection<Relation>,
    pub(crate) inverse_relations: Connection<Relation>,
    pub(crate) children: Connection<IssueRef>,
    pub(crate) attachments: Connection<Attachment>,
    pub(crate) state_history: Connection<Span>,
}

/// A relation as one of its ends sees it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Relation {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The other end, of a relation that begins here.
    pub(crate) related_issue: Option<IssueRef>,
    /// The other end, of a relation that ends here.
    pub(crate) issue: Option<IssueRef>,
}

/// What closing an issue leaves open or sets free.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Around {
    pub(crate) id: String,
    pub(crate) children: Connection<IssueRef>,
    pub(crate) relations: Connection<Blocking>,
}

/// A relation that begins at an issue, with what else its other end is related to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Blocking {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) related_issue: Option<IssueRow>,
}

/// A time that an issue spent in one state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Span {
    pub(crate) started_at: String,
    /// Nothing while it lasts.
    pub(crate) ended_at: Option<String>,
    pub(crate) state: Option<StateRef>,
}
