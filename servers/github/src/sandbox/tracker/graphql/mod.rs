//! Issues and pull requests as the GraphQL API shows them.
//!
//! Keys of nodes are lists that begin with the repository's id and the issue's number; then comes the id of what hangs
//! on the issue. Of a label, milestone or check it is the repository's id and its own; of a type of issues the
//! organization's login and its id.

mod checks;
mod comments;
mod issue;
mod lists;
mod mutations;
mod planning;
mod pull;
mod reviews;
mod roots;

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::json;

use super::{
    super::{errors::Outcome, graphql::actor, repos, request::RequestContext},
    model::{Issue, Pull},
    pulls,
    show::Show,
};

/// What a field comes to; none if it is not known here.
type Field = Option<Outcome<Resolved>>;

/// Knows the types of `schema/tracker.graphql`.
pub(in crate::sandbox) fn resolve(cx: &RequestContext<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    match (node.ty.as_str(), asked.field) {
        ("Mutation", _) => return mutations::run(cx, asked),
        ("Query", _) => return roots::query(cx, asked),
        ("Repository", _) => return roots::repository(cx, node.key.as_u64()?, asked),
        ("Ref", "associatedPullRequests") => return roots::of_ref(cx, node, asked),
        ("IssueType", _) => return planning::issue_type(cx, node, asked),
        _ => {}
    }
    if ["StatusCheckRollup", "CheckRun", "StatusContext"].contains(&node.ty.as_str()) {
        let seen = checks::Seen::by(cx, node.key[0].as_u64()?);
        if let Some(refused) = seen.refusal(&node.ty) {
            return Some(Err(refused));
        }
        let state = cx.site.state();
        let show = Show::at(cx.site, &state, node.key[0].as_u64()?, cx.caller.login()).ok()?;
        return checks::resolve(show, node, asked, &seen);
    }
    let mut state = cx.site.state();
    let (repo, number) = (node.key[0].as_u64()?, node.key[1].as_u64().unwrap_or_default());
    let mergeability = ["mergeable", "mergeStateStatus", "canBeRebased"].contains(&asked.field);
    let known = node.ty != "PullRequest" || !mergeability || pulls::known(&mut state, repo, number);
    let show = Show::at(cx.site, &state, repo, cx.caller.login()).ok()?;
    match node.ty.as_str() {
        "Label" => return planning::label(show, number, asked),
        "Milestone" => return planning::milestone(show, number, asked),
        "CheckSuite" | "WorkflowRun" => {
            return checks::resolve(show, node, asked, &checks::Seen::default());
        }
        _ => {}
    }
    let issue = show.board.issues.get(&number)?;
    let at = At { show, issue };
    match node.ty.as_str() {
        "Issue" => issue::issue(at, asked),
        "PullRequest" => pull::pull(at, asked, known),
        "ClosedEvent" => issue::closed(at, asked),
        "IssueComment" => comments::comment(at, node, asked),
        "PullRequestReview" => reviews::review(at, node, asked),
        "PullRequestReviewThread" => reviews::thread(at, node, asked),
        "PullRequestReviewComment" => reviews::remark(at, node, asked),
        "PullRequestCommit" => pull::commit(at, node, asked),
        "ReviewRequest" => pull::request(at, node, asked),
        "MergeQueueEntry" => pull::queue_entry(at, asked),
        "AutoMergeRequest" => pull::auto_merge(at, asked),
        "ReactionGroup" => comments::reaction(at, node, asked),
        _ => None,
    }
}

/// An issue or pull request, with all that is needed to show it.
#[derive(Clone, Copy)]
struct At<'a> {
    show: Show<'a>,
    issue: &'a Issue,
}

impl<'a> At<'a> {
    fn pull(&self) -> Option<&'a Pull> {
        self.issue.pull.as_ref()
    }

    /// The issue or pull request itself.
    fn node(&self) -> Node {
        node_of(self.issue)
    }

    /// The node of something that hangs on it.
    fn below(&self, ty: &str, id: u64) -> Node {
        Node::new(ty, json!([self.show.repo.id, self.issue.number, id]))
    }

    fn repository(&self) -> Resolved {
        Node::new("Repository", self.show.repo.id).into()
    }

    fn person(&self, login: &str) -> Resolved {
        actor(self.show.state, login)
    }

    /// A commit of this repository.
    fn commit(&self, sha: &str) -> Resolved {
        repos::object_node(self.show.repo, sha).into()
    }

    /// The address on the website, with what comes behind the number.
    fn url(&self, rest: &str) -> String {
        let page = if self.issue.pull.is_some() { "pull" } else { "issues" };
        self.show.html(&format!("{page}/{}{rest}", self.issue.number))
    }
}

/// The node of an issue or pull request.
fn node_of(issue: &Issue) -> Node {
    let ty = if issue.pull.is_some() { "PullRequest" } else { "Issue" };
    Node::new(ty, json!([issue.repo, issue.number]))
}

/// A word of the REST API as the GraphQL API writes it: `too heated` as `TOO_HEATED`.
fn shout(word: &str) -> String {
    word.to_uppercase().replace([' ', '-'], "_")
}
