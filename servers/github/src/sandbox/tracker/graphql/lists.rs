//! Lists of issues and pull requests: filtered, sorted.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::Value;

use super::{
    super::{
        super::{errors::Outcome, graphql::connection},
        model::Issue,
        show::Show,
    },
    node_of,
};

/// The values of a list argument, in lower case.
pub(super) fn words(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_lowercase)).collect()
}

/// The issues among these, as `issues(filterBy, labels, orderBy, states)` asks for.
pub(super) fn issues<'b>(
    show: Show<'_>,
    all: impl Iterator<Item = &'b Issue>,
    asked: &Asked<'_>,
) -> Outcome<Resolved> {
    let filter = asked.arg("filterBy");
    let states = words(if filter["states"].is_array() { &filter["states"] } else { asked.arg("states") });
    let labels = words(if filter["labels"].is_array() { &filter["labels"] } else { asked.arg("labels") });
    let text = |name: &str| filter.get(name).filter(|value| value.is_string()).and_then(Value::as_str);
    let me = |login: &str| if login == "@me" { show.viewer.to_owned() } else { login.to_owned() };
    let fits = |issue: &&Issue| {
        let labeled = |name: &String| show.labels_of(issue).any(|label| label.name.to_lowercase() == *name);
        let title =
            issue.milestone.and_then(|number| show.board.milestone(number)).map(|one| one.title.as_str());
        issue.pull.is_none()
            && (states.is_empty() || states.iter().any(|state| state == issue.state()))
            // "A list of label names to filter the pull requests by": any of them.
            && (labels.is_empty() || labels.iter().any(labeled))
            && match text("assignee") {
                None => filter.get("assignee").is_none_or(|value| !value.is_null() || issue.assignees.is_empty()),
                Some("*") => !issue.assignees.is_empty(),
                Some(login) => issue.assignees.iter().any(|one| one.eq_ignore_ascii_case(&me(login))),
            }
            && text("createdBy").is_none_or(|login| issue.author.eq_ignore_ascii_case(&me(login)))
            && text("mentioned").is_none_or(|login| issue.mentions(&me(login)))
            && text("since").is_none_or(|since| issue.updated_at.as_str() >= since)
            && match text("type") {
                None => true,
                Some("*") => issue.kind.is_some(),
                Some("none") => issue.kind.is_none(),
                Some(kind) => issue.kind.as_ref().is_some_and(|one| one.eq_ignore_ascii_case(kind)),
            }
            // "Pass in `null` for issues with no milestone" (docs.github.com, GraphQL, IssueFilters).
            && match text("milestoneNumber") {
                None => filter.get("milestoneNumber").is_none_or(|value| !value.is_null() || issue.milestone.is_none()),
                Some("*") => issue.milestone.is_some(),
                Some(number) => issue.milestone.is_some_and(|one| one.to_string() == number),
            }
            && match text("milestone") {
                None => true,
                Some("*") => issue.milestone.is_some(),
                // "List issues by given milestone argument. If an string representation of an integer is passed, it should
                // refer to a milestone's database ID."
                Some(wanted) => {
                    let id = issue.milestone.and_then(|number| show.board.milestone(number)).map(|one| one.id.to_string());
                    title == Some(wanted) || id.as_deref() == Some(wanted)
                }
            }
    };
    let mut found: Vec<_> = all.filter(fits).collect();
    sort(&mut found, asked.arg("orderBy"));
    connection(asked, found.into_iter().map(node_of).collect())
}

/// The pull requests among these, as `pullRequests(baseRefName, headRefName, labels, orderBy, states)` asks for.
pub(super) fn pulls<'b>(
    show: Show<'_>,
    all: impl Iterator<Item = &'b Issue>,
    asked: &Asked<'_>,
) -> Outcome<Resolved> {
    let (states, labels) = (words(asked.arg("states")), words(asked.arg("labels")));
    let fits = |issue: &&Issue| {
        let Some(pull) = &issue.pull else { return false };
        let labeled = |name: &String| show.labels_of(issue).any(|label| label.name.to_lowercase() == *name);
        let state = if pull.merged_at.is_some() { "merged" } else { issue.state() };
        (states.is_empty() || states.iter().any(|wanted| wanted == state))
            && (labels.is_empty() || labels.iter().any(labeled))
            && asked.text("baseRefName").is_none_or(|base| pull.base == base)
            && asked.text("headRefName").is_none_or(|head| pull.head == head)
    };
    let mut found: Vec<_> = all.filter(fits).collect();
    sort(&mut found, asked.arg("orderBy"));
    connection(asked, found.into_iter().map(node_of).collect())
}

/// Oldest first, unless something else is said.
fn sort(issues: &mut [&Issue], order: &Value) {
    match order["field"].as_str() {
        Some("UPDATED_AT") => issues.sort_by(|a, b| (&a.updated_at, a.id).cmp(&(&b.updated_at, b.id))),
        Some("COMMENTS") => issues.sort_by_key(|issue| (issue.comments.len(), issue.id)),
        _ => issues.sort_by(|a, b| (&a.created_at, a.id).cmp(&(&b.created_at, b.id))),
    }
    if order["direction"] == "DESC" {
        issues.reverse();
    }
}

/// People, as a page of users; what is no user is left out.
pub(super) fn users(
    show: Show<'_>,
    logins: impl IntoIterator<Item = String>,
    asked: &Asked<'_>,
) -> Outcome<Resolved> {
    let mut nodes: Vec<Node> = Vec::new();
    for login in logins {
        let account = show.state.accounts.get(&login).filter(|account| account.kind == "User");
        let Some(account) = account else { continue };
        let node = Node::new("User", account.login.as_str());
        if !nodes.contains(&node) {
            nodes.push(node);
        }
    }
    connection(asked, nodes)
}

/// People and bots, as a page.
pub(super) fn actors(
    show: Show<'_>,
    logins: impl IntoIterator<Item = String>,
    asked: &Asked<'_>,
) -> Outcome<Resolved> {
    let accounts = logins.into_iter().filter_map(|login| show.state.accounts.get(&login));
    connection(
        asked,
        accounts.map(|account| Node::new(account.kind.as_str(), account.login.as_str())).collect(),
    )
}
