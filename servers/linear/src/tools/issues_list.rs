//! `list_issues`: one request, whatever is asked for by name.

use connector::{
    Result,
    catalog::{Call, Page, Reply, Tool, one_line, words},
    upstream::Connection,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FROM, Position, limit, paging};
use crate::{
    Linear,
    api::{
        Partial,
        issues::{IssueRow, Listing},
    },
    filter::{IssueQuery, is_blocked, open_blockers},
    render::{self, BLOCKED_ROW, Field, ROW},
};

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::read(
            "list_issues",
            "List issues",
            "Issues by filters; for ranked text search use search. Rows: identifier, priority (P1 urgent), state, \
             assignee, due, [labels], title; `fields` picks others.",
            list_issues,
        )
        .toolset("issues")
        .aliases(&[
            ("status", "state"),
            ("states", "state"),
            ("teams", "team"),
            ("label", "labels"),
            ("assigneeId", "assignee"),
            ("created_by", "creator"),
            ("author", "creator"),
            ("orderBy", "sort"),
            ("text", "query"),
            ("first", "limit"),
            ("after", "cursor"),
        ])
        .output_page::<Row>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    #[serde(flatten)]
    query: IssueQuery,
    view: Option<String>,
    sort: Option<Sort>,
    #[serde(default)]
    fields: Vec<Field>,
    limit: Option<u32>,
    cursor: Option<String>,
}

// The order of rows: last changed, newest, most urgent or due soonest first. No doc comments, because
// they would go into the schema that every client pays for.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Updated,
    Created,
    Priority,
    Due,
}

impl Sort {
    fn order_by(self) -> Option<&'static str> {
        match self {
            Self::Updated => Some("updatedAt"),
            Self::Created => Some("createdAt"),
            Self::Priority | Self::Due => None,
        }
    }

    fn sort(self) -> Option<Value> {
        match self {
            Self::Updated | Self::Created => None,
            Self::Priority => {
                Some(json!([{"priority": {"order": "Ascending", "nulls": "last", "noPriorityFirst": false}}]))
            }
            Self::Due => Some(json!([{"dueDate": {"order": "Ascending", "nulls": "last"}}])),
        }
    }
}

/// An issue in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    priority: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    updated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed: Option<String>,
    /// Open ones, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blocked_by: Vec<String>,
}

impl Row {
    fn new(issue: &IssueRow) -> Self {
        Self {
            id: issue.identifier.clone(),
            title: issue.title.clone(),
            state: issue.state.as_ref().map(|state| state.name.clone()),
            priority: render::priority_word(issue.priority),
            assignee: issue.assignee.as_ref().map(|person| person.display_name.clone()),
            due: issue.due_date.clone(),
            labels: issue.labels.nodes.iter().map(render::label).collect(),
            project: issue.project.as_ref().map(|project| project.name.clone()),
            parent: issue.parent.as_ref().map(|parent| parent.identifier.clone()),
            updated: issue.updated_at.clone(),
            completed: issue.completed_at.clone(),
            blocked_by: open_blockers(&issue.inverse_relations),
        }
    }
}

async fn list_issues(call: Call<Linear>, arguments: Arguments) -> Result<Reply> {
    let Arguments { mut query, view, sort, fields, limit: asked, cursor } = arguments;
    let position: Position = call.open_cursor(cursor.as_deref())?.unwrap_or_default();
    let sort = sort.unwrap_or_default();
    let default_team = call.names().default_team();
    let view = match view {
        Some(view) => Some(call.names().view(&view).await?),
        None => None,
    };
    let calendar = query.prepare(&call).await?;
    let blockers = query.blocked.is_some() || fields.contains(&Field::BlockedBy);
    let mut listing = Listing {
        view: view.as_ref().map(|view| view.id.clone()),
        filter: query.to_filter(default_team, &calendar)?,
        first: position.first(limit(asked, 20, most(blockers)), most(blockers)),
        after: position.after.clone(),
        order_by: sort.order_by(),
        sort: sort.sort(),
        archived: query.archived(),
        blockers,
    };
    let mut answer = call.api().list_issues(&listing).await?;
    // Nothing may mean that a name is unknown to Linear: an empty list must not hide that.
    if answer.data.nodes.is_empty()
        && position.after.is_none()
        && query.has_names()
        && query.settle(call.names()).await?
    {
        listing.filter = query.to_filter(default_team, &calendar)?;
        answer = call.api().list_issues(&listing).await?;
    }
    let mut notes = query.taken_for(&calendar)?;
    notes.extend(query.milestone.as_ref().and_then(|_| milestones(&answer.data.nodes)));
    if query.words().next().is_some() {
        notes.push("words in titles, descriptions and comments; not in labels".to_owned());
    }
    if let Some(view) = &view {
        notes.push(format!("view \"{}\"", view.name));
    }
    if !query.archived() {
        notes.push("archived ones left out".to_owned());
    }
    Ok(page(&call, answer, position, &fields, &notes.join("; "), query.blocked))
}

/// Whose the milestones of `issues` are: each project has its own, and a name may be that of several.
fn milestones(issues: &[IssueRow]) -> Option<String> {
    let mut all: Vec<String> = issues
        .iter()
        .filter_map(|issue| {
            let (milestone, project) = (issue.project_milestone.as_ref()?, issue.project.as_ref()?);
            Some(format!("\"{}\" of \"{}\"", one_line(&milestone.name), one_line(&project.name)))
        })
        .collect();
    all.sort_unstable();
    all.dedup();
    let noun = if all.len() == 1 { "milestone" } else { "milestones" };
    (!all.is_empty()).then(|| format!("{noun} {}", words::listed(&all, 5)))
}

/// The most issues of one page: fewer where each brings its relations along, for what one request may cost.
fn most(blockers: bool) -> u32 {
    if blockers { 100 } else { 250 }
}

/// The reply for one page of issues, of which only those are shown that are `blocked` as asked.
fn page(
    call: &Call<Linear>,
    answer: Partial<Connection<IssueRow>>,
    position: Position,
    fields: &[Field],
    note: &str,
    blocked: Option<bool>,
) -> Reply {
    let failed = answer.notes();
    let connection = answer.data;
    let fields = match (fields.is_empty(), blocked) {
        (false, _) => fields,
        (true, Some(true)) => &BLOCKED_ROW[..],
        (true, _) => &ROW[..],
    };
    let people = connection.nodes.iter().skip(position.skip).filter_map(|issue| issue.assignee.as_ref());
    let mut page = Page::new(FROM, ("issue", "issues")).note(note).notes(render::namesakes(people));
    let mut places = Vec::new();
    for (place, issue) in connection.nodes.iter().skip(position.skip).enumerate() {
        if blocked.is_none_or(|blocked| blocked == is_blocked(&issue.inverse_relations)) {
            page.push(render::issue_row(issue, fields), &Row::new(issue));
            places.push(place);
        }
    }
    if fields.contains(&Field::BlockedBy) && !page.is_empty() {
        page = page.note("blocked by: open issues only");
    }
    let page = paging::close_sparse(call, page, position, &connection, places);
    failed.into_iter().fold(Reply::page(page), Reply::lead)
}
