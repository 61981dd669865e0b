//! Issues and pull requests, with everything that hangs on them, and search.
//!
//! A repository has one sequence of numbers for both, in its [`RepositoryTracker`]; a pull request is an issue that has a
//! [`model::Pull`] besides. Where its branches stand is looked up whenever somebody looks ([`transitions`]), so pushes need
//! not tell anybody.

mod comments;
mod graphql;
mod guard;
mod issue_lists;
mod issues;
mod labels;
mod lines;
mod links;
mod mentions;
mod merge;
mod milestones;
pub(super) mod model;
mod people;
mod pull_show;
mod pulls;
mod review_comments;
mod reviews;
mod rights;
mod rules;
mod search;
mod seed;
mod show;
mod timeline;
mod transitions;

use std::collections::BTreeMap;

use serde::Serialize;

pub(super) use self::graphql::resolve;
use self::model::{Issue, IssueType, RepositoryTracker};
use super::route::{ANY, Route, read, route, write};

pub(super) const ROUTES: &[Route] = &[
    route("GET /repos/{owner}/{repo}/issues", read("issues"), issue_lists::of_repository),
    route("POST /repos/{owner}/{repo}/issues", write("issues"), issues::create),
    route("GET /repos/{owner}/{repo}/issues/{issue_number}", read("issues"), issues::get),
    route("PATCH /repos/{owner}/{repo}/issues/{issue_number}", write("issues"), issues::update),
    // Comments.
    route("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", read("issues"), comments::of_issue),
    route("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", write("issues"), comments::create),
    route("GET /repos/{owner}/{repo}/issues/comments/{comment_id}", read("issues"), comments::get),
    route("PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", write("issues"), comments::update),
    route("DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}", write("issues"), comments::delete),
    // Labels.
    route("GET /repos/{owner}/{repo}/labels", read("issues"), labels::of_repository),
    route("POST /repos/{owner}/{repo}/labels", write("issues"), labels::create),
    route("GET /repos/{owner}/{repo}/labels/{name}", read("issues"), labels::get),
    route("PATCH /repos/{owner}/{repo}/labels/{name}", write("issues"), labels::update),
    route("DELETE /repos/{owner}/{repo}/labels/{name}", write("issues"), labels::delete),
    route("GET /repos/{owner}/{repo}/issues/{issue_number}/labels", read("issues"), labels::of_issue),
    route("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", write("issues"), labels::add),
    route("PUT /repos/{owner}/{repo}/issues/{issue_number}/labels", write("issues"), labels::replace),
    route("DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels", write("issues"), labels::clear),
    route(
        "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}",
        write("issues"),
        labels::remove,
    ),
    // Milestones and types.
    route("GET /repos/{owner}/{repo}/milestones", read("issues"), milestones::list),
    route("POST /repos/{owner}/{repo}/milestones", write("issues"), milestones::create),
    route("GET /repos/{owner}/{repo}/milestones/{milestone_number}", read("issues"), milestones::get),
    route("PATCH /repos/{owner}/{repo}/milestones/{milestone_number}", write("issues"), milestones::update),
    route("DELETE /repos/{owner}/{repo}/milestones/{milestone_number}", write("issues"), milestones::delete),
    route("GET /repos/{owner}/{repo}/issue-types", read("issues"), milestones::types_of_repository),
    // Assignees, locks, reactions.
    route("GET /repos/{owner}/{repo}/assignees", read("issues"), people::assignable),
    route("GET /repos/{owner}/{repo}/assignees/{assignee}", read("issues"), people::may_be_assigned),
    route(
        "POST /repos/{owner}/{repo}/issues/{issue_number}/assignees",
        write("issues"),
        people::add_assignees,
    ),
    route(
        "DELETE /repos/{owner}/{repo}/issues/{issue_number}/assignees",
        write("issues"),
        people::remove_assignees,
    ),
    route("PUT /repos/{owner}/{repo}/issues/{issue_number}/lock", write("issues"), people::lock),
    route("DELETE /repos/{owner}/{repo}/issues/{issue_number}/lock", write("issues"), people::unlock),
    route(
        "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
        write("issues"),
        people::react,
    ),
    route(
        "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions/{reaction_id}",
        write("issues"),
        people::unreact,
    ),
    route(
        "POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions",
        write("pull_requests"),
        people::react,
    ),
    // What happened.
    route("GET /repos/{owner}/{repo}/issues/{issue_number}/timeline", read("issues"), timeline::timeline),
    route(
        "GET /repos/{owner}/{repo}/issues/{issue_number}/events",
        read("issues"),
        timeline::events_of_issue,
    ),
    // Links.
    route(
        "GET /repos/{owner}/{repo}/issues/{issue_number}/sub_issues",
        read("issues"),
        links::list_sub_issues,
    ),
    route(
        "POST /repos/{owner}/{repo}/issues/{issue_number}/sub_issues",
        write("issues"),
        links::add_sub_issue,
    ),
    route(
        "DELETE /repos/{owner}/{repo}/issues/{issue_number}/sub_issue",
        write("issues"),
        links::remove_sub_issue,
    ),
    route(
        "PATCH /repos/{owner}/{repo}/issues/{issue_number}/sub_issues/priority",
        write("issues"),
        links::prioritize,
    ),
    route("GET /repos/{owner}/{repo}/issues/{issue_number}/parent", read("issues"), links::parent),
    route(
        "GET /repos/{owner}/{repo}/issues/{issue_number}/dependencies/blocked_by",
        read("issues"),
        links::list_blocked_by,
    ),
    route(
        "POST /repos/{owner}/{repo}/issues/{issue_number}/dependencies/blocked_by",
        write("issues"),
        links::add_blocked_by,
    ),
    route(
        "DELETE /repos/{owner}/{repo}/issues/{issue_number}/dependencies/blocked_by/{issue_id}",
        write("issues"),
        links::remove_blocked_by,
    ),
    route(
        "GET /repos/{owner}/{repo}/issues/{issue_number}/dependencies/blocking",
        read("issues"),
        links::list_blocking,
    ),
    // Pull requests.
    route("GET /repos/{owner}/{repo}/pulls", read("pull_requests"), pulls::list),
    route("POST /repos/{owner}/{repo}/pulls", write("pull_requests"), pulls::create),
    route("GET /repos/{owner}/{repo}/pulls/{pull_number}", read("pull_requests"), pulls::get),
    route("PATCH /repos/{owner}/{repo}/pulls/{pull_number}", write("pull_requests"), pulls::update),
    route("GET /repos/{owner}/{repo}/pulls/{pull_number}/files", read("pull_requests"), pulls::files),
    route(
        "GET /repos/{owner}/{repo}/pulls/{pull_number}/commits",
        read("pull_requests"),
        pulls::list_commits,
    ),
    route("GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls", read("pull_requests"), pulls::of_commit),
    route("GET /repos/{owner}/{repo}/pulls/{pull_number}/merge", read("pull_requests"), merge::is_merged),
    route("PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge", write("contents"), merge::merge),
    route(
        "PUT /repos/{owner}/{repo}/pulls/{pull_number}/update-branch",
        write("pull_requests"),
        merge::update_branch,
    ),
    // Reviews.
    route("GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews", read("pull_requests"), reviews::list),
    route("POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews", write("pull_requests"), reviews::create),
    route(
        "DELETE /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}",
        write("pull_requests"),
        reviews::delete,
    ),
    route(
        "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/events",
        write("pull_requests"),
        reviews::submit,
    ),
    route(
        "PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals",
        write("pull_requests"),
        reviews::dismiss,
    ),
    route(
        "GET /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
        read("pull_requests"),
        reviews::requested,
    ),
    route(
        "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
        write("pull_requests"),
        reviews::request,
    ),
    route(
        "DELETE /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
        write("pull_requests"),
        reviews::unrequest,
    ),
    // Search.
    route("GET /search/issues", ANY, search::issues),
    route("GET /search/code", ANY, search::code),
    route("GET /search/commits", ANY, search::commits),
    route("GET /search/repositories", ANY, search::repositories),
    route("GET /search/users", ANY, search::users),
    // Comments on lines.
    route(
        "GET /repos/{owner}/{repo}/pulls/{pull_number}/comments",
        read("pull_requests"),
        review_comments::of_pull,
    ),
    route(
        "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments",
        write("pull_requests"),
        review_comments::create,
    ),
    route(
        "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies",
        write("pull_requests"),
        review_comments::reply,
    ),
    route(
        "GET /repos/{owner}/{repo}/pulls/comments/{comment_id}",
        read("pull_requests"),
        review_comments::get,
    ),
    route(
        "PATCH /repos/{owner}/{repo}/pulls/comments/{comment_id}",
        write("pull_requests"),
        review_comments::update,
    ),
    route(
        "DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}",
        write("pull_requests"),
        review_comments::delete,
    ),
];

/// Issues and pull requests of every repository.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Tracker {
    boards: BTreeMap<u64, RepositoryTracker>,
    /// Types of issues, by organization.
    types: BTreeMap<String, Vec<IssueType>>,
}

/// What a repository has that never had an issue.
static NOTHING: RepositoryTracker = RepositoryTracker {
    labels: Vec::new(),
    milestones: Vec::new(),
    issues: BTreeMap::new(),
    disabled: false,
    last: 0,
};

impl Tracker {
    /// A repository's issues and pull requests; those of a new one are none.
    pub(super) fn board(&self, repo: u64) -> &RepositoryTracker {
        self.boards.get(&repo).unwrap_or(&NOTHING)
    }

    /// The same, to be changed.
    pub(super) fn board_mut(&mut self, repo: u64) -> &mut RepositoryTracker {
        self.boards.entry(repo).or_default()
    }

    /// An organization's types of issues.
    pub(super) fn types(&self, org: &str) -> &[IssueType] {
        let found = self.types.iter().find(|(name, _)| name.eq_ignore_ascii_case(org));
        found.map(|(_, types)| types.as_slice()).unwrap_or_default()
    }

    /// Every issue and pull request, with its repository.
    pub(super) fn all(&self) -> impl Iterator<Item = (u64, &Issue)> {
        self.boards.iter().flat_map(|(repo, board)| board.issues.values().map(move |issue| (*repo, issue)))
    }

    /// An issue by its id, with its repository.
    pub(super) fn by_id(&self, id: u64) -> Option<(u64, &Issue)> {
        self.all().find(|(_, issue)| issue.id == id)
    }

    /// The same, to be changed.
    pub(super) fn by_id_mut(&mut self, id: u64) -> Option<&mut Issue> {
        self.boards.values_mut().flat_map(|board| board.issues.values_mut()).find(|issue| issue.id == id)
    }
}
