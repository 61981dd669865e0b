//! Reviews, their threads and the comments in them.

use connector::sandbox::graphql::{Asked, Node, Resolved};

use super::{
    super::{
        super::{graphql::connection, ids::node_id},
        model::{Review, Side, Thread, Verdict},
        pull_show::line_now,
        reviews::{visible, visible_remark},
        rights::{self, Right},
    },
    At, Field,
    comments::Written,
    path_of,
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
    let url = at.url(&format!("#pullrequestreview-{id}"));
    Some(Ok(match asked.field {
        "id" => node_id("PRR", id).into(),
        "databaseId" => id.into(),
        "fullDatabaseId" => id.to_string().into(),
        "state" => review.state.as_str().into(),
        "submittedAt" => review.submitted_at.clone().into(),
        "commit" => at.commit(&review.commit),
        "pullRequest" => at.node().into(),
        "url" => url.into(),
        "resourcePath" => path_of(&url).into(),
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
                reactions: &[],
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
        "originalStartLine" => thread.start_line.into(),
        "diffSide" => thread.side.as_str().into(),
        "startDiffSide" => thread.start_side.map(Side::as_str).into(),
        "subjectType" => if thread.line.is_some() { "LINE" } else { "FILE" }.into(),
        "isOutdated" => outdated.into(),
        "isResolved" => resolved.into(),
        "isCollapsed" => (resolved || outdated).into(),
        "resolvedBy" => thread.resolved_by.as_deref().map_or(Resolved::NULL, |login| at.person(login)),
        "viewerCanReply" => (!show.viewer.is_empty()).into(),
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
    let mut threads = pull.threads.iter();
    let thread = threads.find(|thread| thread.remarks.iter().any(|remark| remark.id == id))?;
    let remark = thread.remarks.iter().find(|remark| remark.id == id)?;
    if !visible_remark(pull, remark, at.show.viewer) {
        return None;
    }
    let review = pull.reviews.iter().find(|review| review.id == remark.review);
    let pending = review.is_some_and(|review| review.state == Verdict::Pending);
    let url = at.url(&format!("#discussion_r{id}"));
    let now = line_now(at.show, pull, thread);
    Some(Ok(match asked.field {
        "id" => node_id("PRRC", id).into(),
        "databaseId" => id.into(),
        "fullDatabaseId" => id.to_string().into(),
        "path" => thread.path.clone().into(),
        "diffHunk" => thread.hunk.clone().into(),
        "line" => now.into(),
        "originalLine" => thread.line.into(),
        "startLine" => start_now(thread, now).into(),
        "originalStartLine" => thread.start_line.into(),
        "outdated" => (thread.line.is_some() && now.is_none()).into(),
        "subjectType" => if thread.line.is_some() { "LINE" } else { "FILE" }.into(),
        "state" => if pending { "PENDING" } else { "SUBMITTED" }.into(),
        "draftedAt" => remark.created_at.clone().into(),
        "commit" => at.commit(&pull.head_sha),
        "originalCommit" => at.commit(&thread.commit),
        "pullRequest" => at.node().into(),
        "pullRequestReview" => review.map(|review| at.below("PullRequestReview", review.id)).into(),
        "replyTo" => {
            let first = thread.remarks.first().filter(|first| first.id != id);
            first.map(|first| at.below("PullRequestReviewComment", first.id)).into()
        }
        "url" => url.into(),
        "resourcePath" => path_of(&url).into(),
        _ => {
            let written = Written {
                at,
                author: &remark.author,
                body: &remark.body,
                created: &remark.created_at,
                updated: &remark.updated_at,
                reactions: &remark.reactions,
                minimized: remark.minimized.as_deref(),
                key: ("PullRequestReviewComment", id),
            };
            return written.field(asked);
        }
    }))
}
