//! What happened to issues and pull requests.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::json;

use super::{
    super::{
        super::{
            errors::Outcome,
            graphql::{actor, connection},
            ids::node_id,
            repos,
        },
        merge,
        model::{Event, What},
        pull_show, reviews as rest_reviews,
        show::Show,
    },
    At, Field, lists, node_of, pull, roots, shout,
};

/// The type of an event; none for what the schema does not have for it.
fn type_of(what: &What) -> &'static str {
    match what {
        What::Labeled { .. } => "LabeledEvent",
        What::Unlabeled { .. } => "UnlabeledEvent",
        What::Assigned(_) => "AssignedEvent",
        What::Unassigned(_) => "UnassignedEvent",
        What::Milestoned(_) => "MilestonedEvent",
        What::Demilestoned(_) => "DemilestonedEvent",
        What::Renamed { .. } => "RenamedTitleEvent",
        What::Closed { .. } => "ClosedEvent",
        What::Reopened => "ReopenedEvent",
        What::Locked(_) => "LockedEvent",
        What::Unlocked => "UnlockedEvent",
        What::Pinned => "PinnedEvent",
        What::Unpinned => "UnpinnedEvent",
        What::TypeAdded(_) => "IssueTypeAddedEvent",
        What::TypeRemoved(_) => "IssueTypeRemovedEvent",
        What::TypeChanged { .. } => "IssueTypeChangedEvent",
        What::SubIssueAdded(_) => "SubIssueAddedEvent",
        What::SubIssueRemoved(_) => "SubIssueRemovedEvent",
        What::ParentAdded(_) => "ParentIssueAddedEvent",
        What::ParentRemoved(_) => "ParentIssueRemovedEvent",
        What::BlockedByAdded(_) => "BlockedByAddedEvent",
        What::BlockedByRemoved(_) => "BlockedByRemovedEvent",
        What::BlockingAdded(_) => "BlockingAddedEvent",
        What::BlockingRemoved(_) => "BlockingRemovedEvent",
        What::MarkedAsDuplicate(_) => "MarkedAsDuplicateEvent",
        What::CrossReferenced { .. } => "CrossReferencedEvent",
        What::ReviewRequested(_) => "ReviewRequestedEvent",
        What::ReviewRequestRemoved(_) => "ReviewRequestRemovedEvent",
        What::ReviewDismissed { .. } => "ReviewDismissedEvent",
        What::ReadyForReview => "ReadyForReviewEvent",
        What::ConvertedToDraft => "ConvertToDraftEvent",
        What::Merged(_) => "MergedEvent",
        What::HeadDeleted(_) => "HeadRefDeletedEvent",
        What::BaseChanged { .. } => "BaseRefChangedEvent",
        What::AutoMergeEnabled => "AutoMergeEnabledEvent",
        What::AutoMergeDisabled => "AutoMergeDisabledEvent",
        What::AddedToMergeQueue => "AddedToMergeQueueEvent",
    }
}

/// The value of `itemTypes` that means a type: `LABELED_EVENT`, `ISSUE_COMMENT`, `PULL_REQUEST_COMMIT`.
fn item_type(ty: &str) -> String {
    let mut word = String::new();
    for (at, letter) in ty.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            word.push('_');
        }
        word.push(letter.to_ascii_uppercase());
    }
    word
}

/// `timelineItems`: events, comments, commits and reviews, oldest first.
pub(super) fn items(at: At<'_>, asked: &Asked<'_>) -> Outcome<Resolved> {
    let wanted = lists::words(asked.arg("itemTypes"));
    let since = asked.text("since").unwrap_or_default();
    let mut all: Vec<(String, Node)> = Vec::new();
    for event in at.issue.events.iter().filter(|event| belongs(at, event)) {
        all.push((event.at.clone(), at.below(type_of(&event.what), event.id)));
    }
    for comment in &at.issue.comments {
        all.push((comment.created_at.clone(), at.below("IssueComment", comment.id)));
    }
    if let Some(pull) = at.pull() {
        for sha in pull_show::commits(at.show, pull) {
            let committed =
                at.show.repo.git.commit(&sha).map(|commit| commit.committer.at).unwrap_or_default();
            let moment = jiff::Timestamp::from_second(committed).unwrap_or_default().to_string();
            all.push((
                moment,
                Node::new("PullRequestCommit", json!([at.show.repo.id, at.issue.number, sha])),
            ));
        }
        for review in pull.reviews.iter().filter(|review| rest_reviews::visible(review, at.show.viewer)) {
            let moment = review.submitted_at.clone().unwrap_or_else(|| review.created_at.clone());
            all.push((moment, at.below("PullRequestReview", review.id)));
        }
    }
    all.retain(|(moment, node)| {
        moment.as_str() >= since
            && (wanted.is_empty() || wanted.contains(&item_type(&node.ty).to_lowercase()))
    });
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    let skip = asked.arg("skip").as_u64().and_then(|skip| usize::try_from(skip).ok()).unwrap_or_default();
    let nodes: Vec<_> = all.into_iter().map(|(_, node)| node).skip(skip).collect();
    let count = nodes.len();
    match connection(asked, nodes)? {
        Resolved::Connection(page) => {
            let shown = page.nodes.len();
            let page = page
                .with("filteredCount", count)
                .with("pageCount", shown)
                .with("updatedAt", at.issue.updated_at.clone());
            Ok(Resolved::Connection(page))
        }
        other => Ok(other),
    }
}

/// Whether an event is told here: issues and pull requests have different ones, and what happened in a private
/// repository is told only to its people.
fn belongs(at: At<'_>, event: &Event) -> bool {
    let of_issues = matches!(
        event.what,
        What::TypeAdded(_)
            | What::TypeRemoved(_)
            | What::TypeChanged { .. }
            | What::SubIssueAdded(_)
            | What::SubIssueRemoved(_)
            | What::ParentAdded(_)
            | What::ParentRemoved(_)
            | What::BlockedByAdded(_)
            | What::BlockedByRemoved(_)
            | What::BlockingAdded(_)
            | What::BlockingRemoved(_)
    );
    if let What::CrossReferenced { repo, .. } = event.what {
        let there = at.show.state.repos.get(repo);
        return there.is_some_and(|repo| !repo.private || repo.role(at.show.viewer).is_some());
    }
    !(of_issues && at.issue.pull.is_some())
}

/// Fields of an event.
pub(super) fn event(at: At<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    let id = node.key[2].as_u64()?;
    let event = at.issue.events.iter().find(|event| event.id == id)?;
    let show: Show<'_> = at.show;
    let other = |id: u64| show.state.tracker.by_id(id).map(|(_, issue)| node_of(issue));
    let kind = |name: &str| {
        let types = show.state.tracker.types(&show.repo.owner);
        types.iter().find(|one| one.name == name).map(|one| roots::type_node(&show.repo.owner, one))
    };
    Some(Ok(match (asked.field, &event.what) {
        ("id", _) => node_id("EV", id).into(),
        ("actor", _) => at.person(&event.actor),
        ("createdAt", _) => event.at.clone().into(),
        ("label", What::Labeled { name, .. } | What::Unlabeled { name, .. }) => {
            show.board.label(name).map(|label| roots::label_node(show, label)).into()
        }
        ("assignee", What::Assigned(login) | What::Unassigned(login)) => actor(show.state, login),
        ("milestoneTitle", What::Milestoned(title) | What::Demilestoned(title)) => title.clone().into(),
        ("previousTitle", What::Renamed { from, .. }) => from.clone().into(),
        ("currentTitle", What::Renamed { to, .. }) => to.clone().into(),
        ("stateReason", What::Closed { reason, .. }) => reason.as_deref().map(shout).into(),
        ("stateReason", What::Reopened) if at.issue.pull.is_none() => "REOPENED".into(),
        ("closer", What::Closed { commit: Some(sha), .. }) => {
            // A pull request's merge is told as the pull request.
            let mut pulls = show.board.issues.values();
            let by = pulls
                .find(|one| one.pull.as_ref().is_some_and(|pull| pull.merge_commit.as_ref() == Some(sha)));
            by.map(node_of).or_else(|| repos::object_node(show.repo, sha)).into()
        }
        ("lockReason", What::Locked(reason)) => reason.as_deref().map(shout).into(),
        ("issueType", What::TypeAdded(name) | What::TypeRemoved(name)) => kind(name).into(),
        ("issueType", What::TypeChanged { to, .. }) => kind(to).into(),
        ("prevIssueType", What::TypeChanged { from, .. }) => kind(from).into(),
        ("subIssue", What::SubIssueAdded(id) | What::SubIssueRemoved(id))
        | ("parent", What::ParentAdded(id) | What::ParentRemoved(id))
        | ("blockingIssue", What::BlockedByAdded(id) | What::BlockedByRemoved(id))
        | ("blockedIssue", What::BlockingAdded(id) | What::BlockingRemoved(id)) => other(*id).into(),
        ("source", What::CrossReferenced { repo, number }) => {
            show.state.tracker.board(*repo).issues.get(number).map(node_of).into()
        }
        ("target", What::CrossReferenced { .. }) => at.node().into(),
        ("isCrossRepository", What::CrossReferenced { repo, .. }) => (*repo != show.repo.id).into(),
        ("willCloseTarget", What::CrossReferenced { repo, number }) => {
            let source = show.state.tracker.board(*repo).issues.get(number);
            let there = show.over(*repo);
            let closes = source.zip(there).is_some_and(|(source, there)| {
                merge::linked(there, source).contains(&(show.repo.id, at.issue.number))
            });
            closes.into()
        }
        ("url", _) => at.url("").into(),
        ("requestedReviewer", What::ReviewRequested(asked) | What::ReviewRequestRemoved(asked)) => {
            pull::reviewer(at, asked)
        }
        ("dismissalMessage", What::ReviewDismissed { message, .. }) => message.clone().into(),
        ("previousReviewState", What::ReviewDismissed { state, .. }) => state.as_str().into(),
        ("review", What::ReviewDismissed { review, .. }) => at.below("PullRequestReview", *review).into(),
        ("commit", What::Merged(sha)) => at.commit(sha),
        ("mergeRefName", What::Merged(_)) => at.pull().map(|pull| pull.base.clone()).into(),
        ("headRefName", What::HeadDeleted(name)) => name.clone().into(),
        ("currentRefName", What::BaseChanged { to, .. }) => to.clone().into(),
        ("previousRefName", What::BaseChanged { from, .. }) => from.clone().into(),
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_names_of_the_enum() {
        assert_eq!(item_type("IssueComment"), "ISSUE_COMMENT");
        assert_eq!(item_type("RenamedTitleEvent"), "RENAMED_TITLE_EVENT");
        assert_eq!(item_type("PullRequestCommit"), "PULL_REQUEST_COMMIT");
    }
}
