//! An issue or pull request on one line, the same wherever one is listed.

use connector::catalog::{one_line, thousands, words};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    api::{
        issues::{Dependencies, IssueRef, IssueRow},
        rest_issues::RestIssue,
    },
    render,
    repo::Repo,
    resolve::reference,
};

/// An issue or pull request in a listing.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Row {
    /// Where it is not plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    repo: Option<String>,
    number: u64,
    title: String,
    state: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pull_request: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assignees: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    milestone: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// How many open issues it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_by: Option<u64>,
    /// Some of them, or all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blockers: Vec<String>,
    comments: u64,
    /// The ids of comments that a search found, where only they say what it looked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    found_in: Vec<u64>,
    /// When a pull request was merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    merged: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<String>,
}

/// Issues that a row names which block another, at most.
const BLOCKERS: usize = 3;

/// How many open issues something waits for, if for any.
fn waits(dependencies: Dependencies) -> Option<u64> {
    Some(dependencies.blocked_by).filter(|open| *open > 0)
}

/// A text, if there is one.
pub(crate) fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// `closed`, with the reason where it is not the common one.
pub(crate) fn state(state: &str, reason: &str) -> String {
    let state = state.to_lowercase();
    let reason = reason.to_lowercase().replace('_', " ");
    match reason.as_str() {
        "not planned" | "duplicate" if state == "closed" => format!("closed ({reason})"),
        _ => state,
    }
}

/// Who opened it. Of what is over, plain "by" would read as who closed or merged it.
pub(crate) fn opened_by(state: &str, login: &str) -> String {
    let opened = if ["open", "draft"].contains(&state) { "" } else { "opened " };
    format!("{opened}by @{}", one_line(login))
}

impl Row {
    /// A row of `list_issues`.
    pub(crate) fn of_issue(issue: &IssueRow) -> Self {
        let more = |all: Option<f64>, shown: usize| {
            let all = crate::api::issues::whole(all);
            all.saturating_sub(shown as u64)
        };
        let mut assignees: Vec<_> = issue.assignees.nodes.iter().map(|person| person.login.clone()).collect();
        let mut labels: Vec<_> = issue.labels.nodes.iter().map(|label| label.name.clone()).collect();
        let unseen = [
            more(issue.assignees.total_count, assignees.len()),
            more(issue.labels.total_count, labels.len()),
        ];
        for (names, unseen) in [&mut assignees, &mut labels].into_iter().zip(unseen) {
            if unseen > 0 {
                names.push(format!("{unseen} more"));
            }
        }
        Self {
            number: issue.number.parse().unwrap_or_default(),
            title: issue.title.clone(),
            state: state(&issue.state, &issue.state_reason),
            author: Some(issue.author.login().to_owned()),
            assignees,
            labels,
            milestone: some(&issue.milestone.title),
            kind: some(&issue.issue_type.name),
            blocked_by: waits(issue.issue_dependencies_summary),
            comments: issue.comments.get(),
            updated: some(&issue.updated_at),
            ..Self::default()
        }
    }

    /// A row of what REST tells, its repository named unless it is `home`.
    pub(crate) fn of_rest_issue(ticket: &RestIssue, home: Option<&Repo>) -> Self {
        let repo = ticket.repo().filter(|repo| home.is_none_or(|home| !same(repo, home)));
        let mut state = state(ticket.state(), &ticket.state_reason);
        if ticket.draft && state == "open" {
            "draft".clone_into(&mut state);
        }
        Self {
            repo: repo.map(str::to_owned),
            number: ticket.number.parse().unwrap_or_default(),
            title: ticket.title.clone(),
            state,
            pull_request: ticket.is_pull(),
            author: Some(ticket.user.login().to_owned()),
            assignees: ticket.assignees(),
            labels: ticket.labels(),
            milestone: some(&ticket.milestone.title),
            kind: some(&ticket.kind.name),
            blocked_by: waits(ticket.issue_dependencies_summary),
            comments: ticket.comments(),
            merged: ticket.merged_at().map(str::to_owned),
            updated: some(&ticket.updated_at),
            ..Self::default()
        }
    }

    /// A row of what another issue refers to.
    pub(crate) fn of_reference(issue: &IssueRef, home: &Repo) -> Self {
        let repo = &issue.repository.name_with_owner;
        Self {
            repo: some(repo).filter(|repo| !same(repo, home)),
            number: issue.number.parse().unwrap_or_default(),
            title: issue.title.clone(),
            state: issue.state(),
            pull_request: issue.is_pull(),
            assignees: issue.assignees.nodes.iter().map(|person| person.login.clone()).collect(),
            ..Self::default()
        }
    }

    /// Names the open issues that it waits for, as far as they are within reach.
    pub(crate) fn blocked_by(mut self, blockers: Vec<String>) -> Self {
        self.blockers = blockers;
        self
    }

    /// Names the comments in which it was found.
    pub(crate) fn found_in(mut self, comments: Vec<u64>) -> Self {
        self.found_in = comments;
        self
    }

    /// Whether only its comments say what a search looked for.
    pub(crate) fn is_found_in_comments(&self) -> bool {
        !self.found_in.is_empty()
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// How many open issues it waits for.
    pub(crate) fn waits_for(&self) -> u64 {
        self.blocked_by.unwrap_or_default()
    }

    /// Which open issues it waits for: `blocked by #474, #475 and 2 more`, or only how many.
    fn blockers(&self) -> Option<String> {
        let open = usize::try_from(self.blocked_by?).unwrap_or(usize::MAX);
        let named: Vec<&String> = self.blockers.iter().take(BLOCKERS.min(open)).collect();
        let names = words::listed(&named, BLOCKERS);
        Some(match open - named.len() {
            _ if named.is_empty() => format!("blocked by {open} open"),
            0 => format!("blocked by {names}"),
            more => format!("blocked by {names} and {} more", thousands(more as u64)),
        })
    }

    /// The repository it lies in, if that is named.
    pub(crate) fn repo(&self) -> Option<&str> {
        self.repo.as_deref()
    }

    /// `#490 open, by @maya, to @tomas, [bug, P1], v2.15, 3 comments, 2026-11-24: Title`.
    pub(crate) fn text(&self) -> String {
        let mut line = String::new();
        if self.pull_request {
            line.push_str("PR ");
        }
        if let Some(repo) = &self.repo {
            line.push_str(&one_line(repo));
        }
        line.push_str(&format!("#{} {}", self.number, one_line(&self.state)));
        if let Some(at) = &self.merged {
            line.push_str(&format!(" {}", render::day(at)));
        }
        let mut facts = Vec::new();
        facts.extend(self.author.as_ref().map(|author| opened_by(&self.state, author)));
        if !self.assignees.is_empty() {
            facts.push(format!("to {}", logins(&self.assignees)));
        }
        if !self.labels.is_empty() {
            facts.push(names(&self.labels));
        }
        facts.extend(self.milestone.as_ref().map(|milestone| one_line(milestone)));
        facts.extend(self.kind.as_ref().map(|kind| one_line(kind)));
        facts.extend(self.blockers());
        match self.comments {
            0 => {}
            1 => facts.push("1 comment".to_owned()),
            many => facts.push(format!("{many} comments")),
        }
        facts.extend(self.updated.as_ref().map(|at| render::day(at).to_owned()));
        for fact in facts {
            line.push_str(", ");
            line.push_str(&fact);
        }
        line.push_str(": ");
        line.push_str(&one_line(&self.title));
        line
    }
}

fn same(repo: &str, home: &Repo) -> bool {
    reference::name(repo, "", home) == "#"
}

/// `@tomas, @priya`.
pub(crate) fn logins(logins: &[String]) -> String {
    let at = |login: &String| {
        let login = one_line(login);
        // The word about those that are not shown is no login.
        if login.contains(' ') { login } else { format!("@{login}") }
    };
    logins.iter().map(at).collect::<Vec<_>>().join(", ")
}

/// `[bug, P1]`.
pub(crate) fn names(names: &[String]) -> String {
    format!("[{}]", names.iter().map(|name| one_line(name)).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_issue_is_one_line_with_only_what_is_set() {
        let issue: IssueRow = connector::tolerant::from_value(json!({
            "number": 12, "title": "A\ntitle", "state": "CLOSED", "stateReason": "NOT_PLANNED",
            "labels": {"totalCount": 3, "nodes": [{"name": "bug"}, {"name": "P1"}]}, "comments": {"totalCount": 1},
            "assignees": {"totalCount": 1, "nodes": [{"login": "tomas"}]}, "author": null,
        }))
        .unwrap();
        assert_eq!(
            Row::of_issue(&issue).text(),
            "#12 closed (not planned), opened by @ghost, to @tomas, [bug, P1, 1 more], 1 comment: A title"
        );
    }

    #[test]
    fn what_lies_elsewhere_says_where() {
        let home = Repo::parse("octo/cat").unwrap();
        let ticket: RestIssue = connector::tolerant::from_value(json!({
            "number": 3, "title": "B", "state": "open", "draft": true, "pull_request": {}, "user": {"login": "maya"},
            "repository_url": "https://api.github.com/repos/octo/dog", "updated_at": "2026-11-22T10:00:00Z",
        }))
        .unwrap();
        assert_eq!(
            Row::of_rest_issue(&ticket, Some(&home)).text(),
            "PR octo/dog#3 draft, by @maya, 2026-11-22: B"
        );
    }
}
