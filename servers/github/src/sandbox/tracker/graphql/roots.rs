//! Where queries begin: search, nodes by id, and what repositories and organizations have.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::json;

use super::{
    super::{
        super::{
            errors::{ApiError, Outcome},
            graphql::{connection, may},
            ids, repos,
            request::RequestContext,
            route::read,
        },
        guard::TrackerGuard,
        model::{Issue, IssueType, Label},
        reviews::visible_remark,
        rights,
        search::{self, Query},
        show::Show,
    },
    Field, lists, node_of,
};

/// Fields of `Query`.
pub(super) fn query(cx: &RequestContext<'_>, asked: &Asked<'_>) -> Field {
    match asked.field {
        "search" => Some(search(cx, asked)),
        "node" => by_id(cx, asked.text("id").unwrap_or_default()),
        _ => None,
    }
}

fn search(cx: &RequestContext<'_>, asked: &Asked<'_>) -> Outcome<Resolved> {
    let query = Query::parse(asked.text("query"))?;
    let mut guard = TrackerGuard::enter(cx)?;
    let (nodes, count): (Vec<Node>, _) = match asked.text("type") {
        Some("REPOSITORY") => {
            let found = search::find_repositories(&guard.state, cx.caller, &query)?;
            (found.iter().map(|repo| Node::new("Repository", repo.id)).collect(), "repositoryCount")
        }
        Some("USER") => {
            let found = search::find_users(&guard.state, &query);
            (found.iter().map(|one| Node::new(one.kind.as_str(), one.login.as_str())).collect(), "userCount")
        }
        _ => {
            let found = search::find_issues(cx, &mut guard.state, &query, None)?;
            let state = &guard.state;
            let issues =
                found.iter().filter_map(|(repo, number)| state.tracker.board(*repo).issues.get(number));
            (issues.map(node_of).collect(), "issueCount")
        }
    };
    drop(guard);
    let total = nodes.len();
    let Resolved::Connection(mut page) = connection(asked, nodes)? else { return Ok(Resolved::NULL) };
    for name in ["issueCount", "repositoryCount", "userCount", "codeCount", "discussionCount", "wikiCount"] {
        page = page.with(name, if name == count { total } else { 0 });
    }
    Ok(Resolved::Connection(page))
}

/// Whatever a global id names that is kept here.
fn by_id(cx: &RequestContext<'_>, id: &str) -> Field {
    let (kind, number) = ids::parse(id)?;
    let (repo, node) = {
        let state = cx.site.state();
        locate(&state.tracker, kind, number, cx.caller.login())?
    };
    if kind != "IT"
        && let Err(error) =
            may(cx, repo, read(if kind.starts_with("PR") { "pull_requests" } else { "issues" }))
    {
        return Some(Err(error));
    }
    if let Err(error) = TrackerGuard::enter_at(cx, repo) {
        return Some(Err(error));
    }
    Some(Ok(node.into()))
}

/// The repository and the node of something with this kind of id.
fn locate(tracker: &super::super::Tracker, kind: &str, number: u64, viewer: &str) -> Option<(u64, Node)> {
    if kind == "IT" {
        let mut all = tracker.types.iter();
        return all.find_map(|(org, types)| {
            types.iter().find(|one| one.id == number).map(|one| (0, type_node(org, one)))
        });
    }
    for (repo, board) in &tracker.boards {
        let below = |ty: &str, issue: u64, id: u64| Some((*repo, Node::new(ty, json!([repo, issue, id]))));
        match kind {
            "LA" if board.labels.iter().any(|label| label.id == number) => {
                return Some((*repo, Node::new("Label", json!([repo, number]))));
            }
            "MI" => {
                if let Some(milestone) = board.milestones.iter().find(|one| one.id == number) {
                    return Some((*repo, Node::new("Milestone", json!([repo, milestone.number]))));
                }
            }
            "IC" => {
                if let Some((issue, _)) = board.comment(number) {
                    return below("IssueComment", issue, number);
                }
            }
            "PRRC" => {
                if let Some((issue, _, remark)) = board.remark(number) {
                    let pull = board.issues.get(&issue)?.pull.as_ref()?;
                    return visible_remark(pull, remark, viewer)
                        .then(|| below("PullRequestReviewComment", issue, number))?;
                }
            }
            _ => {
                for issue in board.issues.values() {
                    let pull = issue.pull.as_ref();
                    let found = match kind {
                        "I" => pull.is_none() && issue.id == number,
                        "PR" => pull.is_some_and(|pull| pull.id == number),
                        "PRRT"
                            if pull.is_some_and(|pull| pull.threads.iter().any(|one| one.id == number)) =>
                        {
                            return below("PullRequestReviewThread", issue.number, number);
                        }
                        "PRR" if pull.is_some_and(|pull| pull.reviews.iter().any(|one| one.id == number)) => {
                            return below("PullRequestReview", issue.number, number);
                        }
                        _ => false,
                    };
                    if found {
                        return Some((*repo, node_of(issue)));
                    }
                }
            }
        }
    }
    None
}

/// Fields of `Repository`.
pub(super) fn repository(cx: &RequestContext<'_>, repo: u64, asked: &Asked<'_>) -> Field {
    const OURS: [&str; 7] = [
        "hasIssuesEnabled",
        "issue",
        "issueOrPullRequest",
        "issues",
        "pullRequest",
        "pullRequests",
        "suggestedActors",
    ];
    if !OURS.contains(&asked.field) {
        return None;
    }
    let need = if asked.field.starts_with("pullRequest") { "pull_requests" } else { "issues" };
    if let Err(error) = may(cx, repo, read(need)) {
        return Some(Err(error));
    }
    Some(of_repository(cx, repo, asked))
}

fn of_repository(cx: &RequestContext<'_>, repo: u64, asked: &Asked<'_>) -> Outcome<Resolved> {
    let guard = TrackerGuard::enter_at(cx, repo)?;
    let show = guard.show()?;
    let number = asked.arg("number").as_u64().unwrap_or_default();
    let numbered = |wanted: &str, fits: &dyn Fn(bool) -> bool| {
        let found = show.board.issues.get(&number).filter(|issue| fits(issue.pull.is_some()));
        found.map(node_of).ok_or_else(|| {
            ApiError::missing(format!("Could not resolve to {wanted} with the number of {number}."))
        })
    };
    Ok(match asked.field {
        "issue" => numbered("an Issue", &|pull| !pull)?.into(),
        "pullRequest" => numbered("a PullRequest", &|pull| pull)?.into(),
        "issueOrPullRequest" => numbered("an issue or pull request", &|_| true)?.into(),
        "issues" => lists::issues(show, show.board.issues.values(), asked)?,
        "pullRequests" => lists::pulls(show, show.board.issues.values(), asked)?,
        "hasIssuesEnabled" => (!show.board.disabled).into(),
        "suggestedActors" => suggested(show, asked)?,
        _ => Resolved::NULL,
    })
}

/// The pull requests that a branch is the head of (docs.github.com, GraphQL, `Ref.associatedPullRequests`).
pub(super) fn of_ref(cx: &RequestContext<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    let (repo, name) = repos::keyed(node)?;
    if let Err(error) = may(cx, repo, read("pull_requests")) {
        return Some(Err(error));
    }
    let branch = name.strip_prefix("refs/heads/")?;
    let listed = || {
        let guard = TrackerGuard::enter_at(cx, repo)?;
        let show = guard.show()?;
        let headed = |issue: &&Issue| {
            issue.pull.as_ref().is_some_and(|pull| pull.head_repo == repo && pull.head == branch)
        };
        lists::pulls(show, show.board.issues.values().filter(headed), asked)
    };
    Some(listed())
}

/// Everybody who takes part in a repository.
fn people<'s>(show: Show<'s>) -> impl Iterator<Item = String> + use<'s> {
    let owner = std::iter::once(&show.repo.owner)
        .filter(move |owner| show.state.accounts.get(owner).is_some_and(|account| account.kind == "User"));
    owner.chain(show.repo.collaborators.keys()).cloned()
}

/// Whom an issue can be assigned to: people, and the coding agent where there is one (docs.github.com, "Using the API to
/// assign issues to Copilot").
fn suggested(show: Show<'_>, asked: &Asked<'_>) -> Outcome<Resolved> {
    let query = asked.text("query").unwrap_or_default().to_lowercase();
    let named: Vec<&str> =
        asked.text("loginNames").unwrap_or_default().split(',').filter(|name| !name.is_empty()).collect();
    let agent = show.state.accounts.get(rights::AGENT).map(|account| account.login.clone());
    let fits = |login: &String| {
        login.to_lowercase().contains(&query) && (named.is_empty() || named.contains(&login.as_str()))
    };
    lists::actors(show, agent.into_iter().chain(people(show)).filter(fits), asked)
}

pub(super) fn label_node(show: Show<'_>, label: &Label) -> Node {
    Node::new("Label", json!([show.repo.id, label.id]))
}

pub(super) fn type_node(org: &str, one: &IssueType) -> Node {
    Node::new("IssueType", json!([org, one.id]))
}
