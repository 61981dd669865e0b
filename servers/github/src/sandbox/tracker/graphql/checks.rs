//! Checks of commits, rolled up.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::json;

use super::{
    super::{
        super::{
            actions::{self, Check, CheckKind},
            errors::ApiError,
            graphql::{connection, may},
            ids::node_id,
            repos,
            request::RequestContext,
            route::read,
        },
        rules,
        show::Show,
    },
    Field, shout,
};

/// What a caller may not see of a commit's checks. The rollup itself goes with the pull request: what is in it
/// is refused one by one (cli/cli#8842, of a fine-grained token: "Resource not accessible by personal access
/// token (…statusCheckRollup.contexts.nodes.0)").
#[derive(Debug, Default)]
pub(super) struct Seen {
    runs: Option<ApiError>,
    statuses: Option<ApiError>,
}

impl Seen {
    /// What this caller may see in a repository.
    pub(super) fn by(cx: &RequestContext<'_>, repo: u64) -> Self {
        Self { runs: may(cx, repo, read("checks")).err(), statuses: may(cx, repo, read("statuses")).err() }
    }

    /// Why a check of this type is not shown.
    pub(super) fn refusal(&self, ty: &str) -> Option<ApiError> {
        match ty {
            "CheckRun" => self.runs.clone(),
            "StatusContext" => self.statuses.clone(),
            _ => None,
        }
    }
}

/// The rollup of a commit that has checks.
pub(super) fn rollup(show: Show<'_>, sha: &str) -> Option<Node> {
    let any = !checks_of(show, sha).is_empty();
    any.then(|| Node::new("StatusCheckRollup", json!([show.repo.id, sha])))
}

fn checks_of(show: Show<'_>, sha: &str) -> Vec<Check> {
    actions::checks_of(show.site, show.state, show.repo.id, sha)
}

/// Fields of rollups, checks and what they belong to, and those that commits get from them.
pub(super) fn resolve(show: Show<'_>, node: &Node, asked: &Asked<'_>, seen: &Seen) -> Field {
    let sha = node.key[1].as_str()?;
    let checks = checks_of(show, sha);
    if node.ty == "StatusCheckRollup" {
        return of_rollup(show, sha, &checks, asked, seen);
    }
    let id = node.key[2].as_u64()?;
    match node.ty.as_str() {
        "CheckRun" => run(
            show,
            sha,
            checks.iter().find(|check| check.id == id && check.kind == CheckKind::CheckRun)?,
            asked,
        ),
        "StatusContext" => status(
            show,
            checks.iter().find(|check| check.id == id && check.kind == CheckKind::Status)?,
            asked,
        ),
        _ => around(show, sha, node, checks.iter().find(|check| check.suite == Some(id))?, asked),
    }
}

fn of_rollup(show: Show<'_>, sha: &str, checks: &[Check], asked: &Asked<'_>, seen: &Seen) -> Field {
    Some(Ok(match asked.field {
        "id" => repos::object_id("SCR", show.repo.id, sha).into(),
        "contexts" => {
            let nodes = checks.iter().map(|check| {
                let ty = if check.kind == CheckKind::CheckRun { "CheckRun" } else { "StatusContext" };
                Node::new(ty, json!([show.repo.id, sha, check.id]))
            });
            let page = match connection(asked, nodes.collect()) {
                Ok(Resolved::Connection(page)) => page,
                other => return Some(other),
            };
            let of = |kind: CheckKind| checks.iter().filter(move |check| check.kind == kind);
            let counts = |kind: CheckKind| {
                // Whether GitHub counts what it does not show is not documented.
                let ty = if kind == CheckKind::CheckRun { "CheckRun" } else { "StatusContext" };
                if seen.refusal(ty).is_some() {
                    return Vec::new();
                }
                let mut counts: Vec<(String, usize)> = Vec::new();
                for check in of(kind) {
                    let word =
                        if kind == CheckKind::CheckRun { run_state(check) } else { status_state(check) };
                    match counts.iter_mut().find(|(one, _)| *one == word) {
                        Some((_, count)) => *count += 1,
                        None => counts.push((word, 1)),
                    }
                }
                counts
                    .into_iter()
                    .map(|(state, count)| json!({"state": state, "count": count}))
                    .collect::<Vec<_>>()
            };
            let page = page
                .with("checkRunCount", of(CheckKind::CheckRun).count())
                .with("statusContextCount", of(CheckKind::Status).count())
                .with("checkRunCountsByState", counts(CheckKind::CheckRun))
                .with("statusContextCountsByState", counts(CheckKind::Status));
            Resolved::Connection(page)
        }
        _ => return None,
    }))
}

fn run_state(check: &Check) -> String {
    shout(check.conclusion.as_deref().unwrap_or(check.status))
}

fn status_state(check: &Check) -> String {
    check.conclusion.as_deref().map_or_else(|| "PENDING".to_owned(), shout)
}

/// Whether a check is demanded of a pull request.
fn required(show: Show<'_>, check: &Check, asked: &Asked<'_>) -> bool {
    let number = asked.arg("pullRequestNumber").as_u64();
    let by_id = asked.text("pullRequestId");
    let mut pulls = show.board.issues.values().filter(|issue| {
        number == Some(issue.number) || by_id.is_some_and(|id| id == super::super::show::issue_node(issue))
    });
    let base = pulls.find_map(|issue| issue.pull.as_ref().map(|pull| pull.base.as_str()));
    let rules = show.repo.protection.get(base.unwrap_or(&show.repo.default_branch));
    rules.is_some_and(|protection| protection.checks.iter().any(|name| rules::answers(check, name)))
}

fn run(show: Show<'_>, sha: &str, check: &Check, asked: &Asked<'_>) -> Field {
    Some(Ok(match asked.field {
        "id" => node_id("CR", check.id).into(),
        "databaseId" => check.id.into(),
        "name" => check.name.clone().into(),
        "status" => shout(check.status).into(),
        "conclusion" => check.conclusion.as_deref().map(shout).into(),
        "startedAt" => check.started.clone().into(),
        "completedAt" => check.completed.clone().into(),
        "isRequired" => required(show, check, asked).into(),
        "checkSuite" => Node::new("CheckSuite", json!([show.repo.id, sha, check.suite])).into(),
        _ => return None,
    }))
}

fn status(show: Show<'_>, check: &Check, asked: &Asked<'_>) -> Field {
    Some(Ok(match asked.field {
        "id" => node_id("SC", check.id).into(),
        "context" => check.name.clone().into(),
        "state" => status_state(check).into(),
        "description" => check.description.clone().into(),
        "isRequired" => required(show, check, asked).into(),
        _ => return None,
    }))
}

/// The suite, run and workflow that a check belongs to.
fn around(show: Show<'_>, sha: &str, node: &Node, check: &Check, asked: &Asked<'_>) -> Field {
    let (suite, run) = (check.suite?, check.run.unwrap_or_default());
    let key = json!([show.repo.id, sha, suite]);
    Some(Ok(match (node.ty.as_str(), asked.field) {
        ("CheckSuite", "id") => node_id("CS", suite).into(),
        ("CheckSuite", "workflowRun") => Node::new("WorkflowRun", key).into(),
        ("WorkflowRun", "id") => node_id("WFR", run).into(),
        ("WorkflowRun", "databaseId") => run.into(),
        _ => return None,
    }))
}
