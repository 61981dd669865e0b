//! Pull requests.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::json;

use super::{
    super::{
        super::{graphql::connection, ids::node_id, repos},
        merge::{self, Weight},
        model::{Asked as Requested, Review},
        pull_show, rules,
    },
    At, Field, checks, issue, lists, reviews, shout,
};

/// Fields of `PullRequest`. `known` says whether it has been worked out whether it can be merged.
pub(super) fn pull(at: At<'_>, asked: &Asked<'_>, known: bool) -> Field {
    let pull = at.pull()?;
    let show = at.show;
    let weigh = || if known { merge::weigh(show, at.issue) } else { Weight::UNKNOWN };
    let changes = || pull_show::changes(show, pull);
    Some(Ok(match asked.field {
        "state" if pull.merged_at.is_some() => "MERGED".into(),
        "state" => shout(at.issue.state()).into(),
        "isDraft" => pull.draft.into(),
        "mergedAt" => pull.merged_at.clone().into(),
        "mergedBy" => pull.merged_by.as_deref().map_or(Resolved::NULL, |login| at.person(login)),
        "mergeCommit" => pull.merge_commit.as_deref().map_or(Resolved::NULL, |sha| at.commit(sha)),
        "mergeable" => match weigh().mergeable {
            Some(true) => "MERGEABLE",
            Some(false) => "CONFLICTING",
            None => "UNKNOWN",
        }
        .into(),
        "mergeStateStatus" => shout(weigh().state).into(),
        "reviewDecision" => rules::decision(show, at.issue).map(rules::Decision::as_str).into(),
        "statusCheckRollup" => checks::rollup(show, &pull.head_sha).into(),
        "additions" => changes().iter().map(|one| one.additions).sum::<usize>().into(),
        "deletions" => changes().iter().map(|one| one.deletions).sum::<usize>().into(),
        "changedFiles" => changes().len().into(),
        "baseRef" => repos::ref_node(show.repo, &format!("refs/heads/{}", pull.base)).into(),
        "baseRefName" => pull.base.clone().into(),
        "baseRefOid" => pull.base_sha.clone().into(),
        "headRefName" => pull.head.clone().into(),
        "headRefOid" => pull.head_sha.clone().into(),
        "headRepositoryOwner" => {
            let owner = show.state.repos.get(pull.head_repo).map(|repo| repo.owner.as_str());
            at.person(owner.unwrap_or_default())
        }
        "isCrossRepository" => (pull.head_repo != show.repo.id).into(),
        "isMergeQueueEnabled" => false.into(),
        "mergeQueueEntry" => pull.queued.as_ref().map(|one| at.below("MergeQueueEntry", one.id)).into(),
        "autoMergeRequest" => pull.auto_merge.as_ref().map(|_| at.below("AutoMergeRequest", pull.id)).into(),
        "commits" => {
            let commits = pull_show::commits(show, pull);
            let key = |sha: &String| json!([show.repo.id, at.issue.number, sha]);
            return Some(connection(
                asked,
                commits.iter().map(|sha| Node::new("PullRequestCommit", key(sha))).collect(),
            ));
        }
        "viewerMergeHeadlineText" => merge::proposed(show, at.issue, asked.text("mergeType")).0.into(),
        "viewerMergeBodyText" => merge::proposed(show, at.issue, asked.text("mergeType")).1.into(),
        "closingIssuesReferences" => {
            let issues = merge::linked(show, at.issue).into_iter();
            let nodes = issues.map(|(repo, number)| Node::new("Issue", json!([repo, number])));
            return Some(connection(asked, nodes.collect()));
        }
        "reviewRequests" => {
            let nodes = (0..).zip(&pull.requested).map(|(place, _)| at.below("ReviewRequest", place));
            return Some(connection(asked, nodes.collect()));
        }
        "reviews" => {
            let states = lists::words(asked.arg("states"));
            let author = asked.text("author");
            let fits = |one: &&Review| {
                reviews::seen(at, one)
                    && (states.is_empty() || states.contains(&one.state.as_str().to_lowercase()))
                    && author.is_none_or(|author| one.author.eq_ignore_ascii_case(author))
            };
            return Some(page(at, asked, pull.reviews.iter().filter(fits)));
        }
        "latestOpinionatedReviews" => {
            return Some(page(at, asked, rules::verdicts(pull, &at.issue.author).into_values()));
        }
        "reviewThreads" => {
            let seen = pull.threads.iter().filter(|thread| reviews::seen_thread(at, thread));
            return Some(connection(
                asked,
                seen.map(|one| at.below("PullRequestReviewThread", one.id)).collect(),
            ));
        }
        _ => return issue::common(at, asked),
    }))
}

fn page<'r>(
    at: At<'_>,
    asked: &Asked<'_>,
    reviews: impl Iterator<Item = &'r Review>,
) -> super::super::super::errors::Outcome<Resolved> {
    connection(asked, reviews.map(|one| at.below("PullRequestReview", one.id)).collect())
}

/// Fields of `PullRequestCommit`.
pub(super) fn commit(at: At<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    let sha = node.key[2].as_str()?;
    Some(Ok(match asked.field {
        "id" => repos::object_id("PURC", at.show.repo.id, sha).into(),
        "commit" => at.commit(sha),
        _ => return None,
    }))
}

/// Fields of `ReviewRequest`.
pub(super) fn request(at: At<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    let place = usize::try_from(node.key[2].as_u64()?).ok()?;
    let requested = at.pull()?.requested.get(place)?;
    let id = at.pull()?.id * 100 + u64::try_from(place).ok()?;
    Some(Ok(match asked.field {
        "id" => node_id("RR", id).into(),
        "requestedReviewer" => reviewer(at, requested),
        _ => return None,
    }))
}

/// Who is asked for a review.
pub(super) fn reviewer(at: At<'_>, requested: &Requested) -> Resolved {
    match requested {
        Requested::Person(login) => at.person(login),
        Requested::Team(slug) => {
            let team = pull_show::team_of(at.show.state, &at.show.repo.owner, slug);
            team.map(|team| Node::new("Team", team.id)).into()
        }
    }
}

/// Fields of `MergeQueueEntry`.
pub(super) fn queue_entry(at: At<'_>, asked: &Asked<'_>) -> Field {
    let entry = at.pull()?.queued.as_ref()?;
    let queue = at.show.board.issues.values().filter_map(|issue| issue.pull.as_ref()?.queued.as_ref());
    let before = queue.filter(|other| (other.at.as_str(), other.id) < (entry.at.as_str(), entry.id)).count();
    Some(Ok(match asked.field {
        "id" => node_id("MQE", entry.id).into(),
        "position" => (before + 1).into(),
        "state" => "AWAITING_CHECKS".into(),
        _ => return None,
    }))
}

/// Fields of `AutoMergeRequest`.
pub(super) fn auto_merge(at: At<'_>, asked: &Asked<'_>) -> Field {
    let auto = at.pull()?.auto_merge.as_ref()?;
    Some(Ok(match asked.field {
        "enabledBy" => at.person(&auto.by),
        "mergeMethod" => shout(&auto.method).into(),
        _ => return None,
    }))
}
