//! Reviews, their threads and the comments in them.

use connector::sandbox::graphql::{Asked, Node, Resolved};

use super::{
    super::{
        super::{graphql::connection, ids::node_id},
        model::{Review, Thread, Verdict},
        pull_show::line_now,
        reviews::{visible, visible_remark},
        rights::{self, Right},
    },
    At, Field,
    comments::Written,
};

/// Whether who asks sees a review.
pub(super) fn seen(at: At<'_>, review: &Review) -> bool {
    visible(review, at.show.viewer)
}

/// Whether who asks sees anything of a thread.
pub(super) fn seen_thread(at: At<'_>, thread: &Thread) -> bool {
    at.pull().is_some_and(|pull| thread.remarks.iter().any(|one| visible_remark(pull, one, at.show.viewer)))
}

/// Fields of `PullRequestReview`.
pub(super) fn review(at: At<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    let id = node.key[2].as_u64()?;
    let pull = at.pull()?;
    let review = pull.reviews.iter().find(|review| review.id == id && seen(at, review))?;
    Some(Ok(match asked.field {
        "id" => node_id("PRR", id).into(),
        "fullDatabaseId" => id.to_string().into(),
        "state" => review.state.as_str().into(),
        "submittedAt" => review.submitted_at.clone().into(),
        "commit" => at.commit(&review.commit),
        "comments" => {
            let remarks = pull.threads.iter().flat_map(|thread| &thread.remarks);
            let mine = remarks.filter(|remark| remark.review == id);
            return Some(connection(
                asked,
                mine.map(|one| at.below("PullRequestReviewComment", one.id)).collect(),
            ));
        }
        _ => {
            let updated = review.submitted_at.as_deref().unwrap_or(&review.created_at);
            let written = Written {
                at,
                author: &review.author,
                body: &review.body,
                created: &review.created_at,
                updated,
                minimized: None,
                key: ("PullRequestReview", id),
            };
            return written.field(asked);
        }
    }))
}

/// Fields of `PullRequestReviewThread`.
pub(super) fn thread(at: At<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    let id = node.key[2].as_u64()?;
    let pull = at.pull()?;
    let thread = pull.threads.iter().find(|thread| thread.id == id && seen_thread(at, thread))?;
    let show = at.show;
    let now = line_now(show, pull, thread);
    let may = rights::has(show.repo, show.viewer, Right::Push) || at.issue.author == show.viewer;
    let resolved = thread.resolved_by.is_some();
    let outdated = thread.line.is_some() && now.is_none();
    Some(Ok(match asked.field {
        "id" => node_id("PRRT", id).into(),
        "path" => thread.path.clone().into(),
        "line" => now.into(),
        "originalLine" => thread.line.into(),
        "startLine" => start_now(thread, now).into(),
        "diffSide" => thread.side.as_str().into(),
        "isOutdated" => outdated.into(),
        "isResolved" => resolved.into(),
        "resolvedBy" => thread.resolved_by.as_deref().map_or(Resolved::NULL, |login| at.person(login)),
        "viewerCanResolve" => (may && !resolved).into(),
        "viewerCanUnresolve" => (may && resolved).into(),
        "pullRequest" => at.node().into(),
        "repository" => at.repository(),
        "comments" => {
            let seen = thread.remarks.iter().filter(|one| visible_remark(pull, one, show.viewer));
            return Some(connection(
                asked,
                seen.map(|one| at.below("PullRequestReviewComment", one.id)).collect(),
            ));
        }
        _ => return None,
    }))
}

/// The first line of a thread of several, as it is now.
fn start_now(thread: &Thread, now: Option<u64>) -> Option<u64> {
    let (line, start) = (thread.line?, thread.start_line?);
    now.map(|now| now.saturating_sub(line.saturating_sub(start)))
}

/// Fields of `PullRequestReviewComment`.
pub(super) fn remark(at: At<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    let id = node.key[2].as_u64()?;
    let pull = at.pull()?;
    let remark = pull.threads.iter().flat_map(|thread| &thread.remarks).find(|remark| remark.id == id)?;
    if !visible_remark(pull, remark, at.show.viewer) {
        return None;
    }
    let review = pull.reviews.iter().find(|review| review.id == remark.review);
    let pending = review.is_some_and(|review| review.state == Verdict::Pending);
    Some(Ok(match asked.field {
        "id" => node_id("PRRC", id).into(),
        "databaseId" => id.into(),
        "fullDatabaseId" => id.to_string().into(),
        "state" => if pending { "PENDING" } else { "SUBMITTED" }.into(),
        _ => {
            let written = Written {
                at,
                author: &remark.author,
                body: &remark.body,
                created: &remark.created_at,
                updated: &remark.updated_at,
                minimized: remark.minimized.as_deref(),
                key: ("PullRequestReviewComment", id),
            };
            return written.field(asked);
        }
    }))
}
