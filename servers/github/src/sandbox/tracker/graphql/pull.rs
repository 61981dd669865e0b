//! Pull requests.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::{Value, json};

use super::{
    super::{
        super::{graphql::connection, ids::node_id, repos},
        merge::{self, Weight},
        model::{Asked as Requested, Pull, Review, Verdict},
        pull_show,
        rights::{self, Right},
        rules,
    },
    At, Field, checks, issue, lists, reviews, shout,
};

/// Fields of `PullRequest`. `known` says whether it has been worked out whether it can be merged.
pub(super) fn pull(at: At<'_>, asked: &Asked<'_>, known: bool) -> Field {
    let pull = at.pull()?;
    let show = at.show;
    let pushes = rights::has(show.repo, show.viewer, Right::Push);
    let weigh = || if known { merge::weigh(show, at.issue) } else { Weight::UNKNOWN };
    let changes = || pull_show::changes(show, pull);
    let reference = |repo: u64, branch: &str| {
        let repo = show.state.repos.get(repo)?;
        repos::ref_node(repo, &format!("refs/heads/{branch}"))
    };
    Some(Ok(match asked.field {
        "databaseId" => pull.id.into(),
        "fullDatabaseId" => pull.id.to_string().into(),
        "state" if pull.merged_at.is_some() => "MERGED".into(),
        "state" => shout(at.issue.state()).into(),
        "isDraft" => pull.draft.into(),
        "merged" => pull.merged_at.is_some().into(),
        "mergedAt" => pull.merged_at.clone().into(),
        "mergedBy" => pull.merged_by.as_deref().map_or(Resolved::NULL, |login| at.person(login)),
        "mergeCommit" => pull.merge_commit.as_deref().map_or(Resolved::NULL, |sha| at.commit(sha)),
        "mergeable" => match weigh().mergeable {
            Some(true) => "MERGEABLE",
            Some(false) => "CONFLICTING",
            None => "UNKNOWN",
        }
        .into(),
        "canBeRebased" => (weigh().mergeable == Some(true)).into(),
        "mergeStateStatus" => shout(weigh().state).into(),
        "reviewDecision" => rules::decision(show, at.issue).map(rules::Decision::as_str).into(),
        "statusCheckRollup" => checks::rollup(show, &pull.head_sha).into(),
        "additions" => changes().iter().map(|one| one.additions).sum::<usize>().into(),
        "deletions" => changes().iter().map(|one| one.deletions).sum::<usize>().into(),
        "changedFiles" => changes().len().into(),
        "baseRefName" => pull.base.clone().into(),
        "baseRefOid" => pull.base_sha.clone().into(),
        "baseRef" => reference(show.repo.id, &pull.base).into(),
        "baseRepository" => at.repository(),
        "headRefName" => pull.head.clone().into(),
        "headRefOid" => pull.head_sha.clone().into(),
        "headRef" => reference(pull.head_repo, &pull.head).into(),
        "headRepository" => Node::new("Repository", pull.head_repo).into(),
        "headRepositoryOwner" => {
            let owner = show.state.repos.get(pull.head_repo).map(|repo| repo.owner.as_str());
            at.person(owner.unwrap_or_default())
        }
        "isCrossRepository" => (pull.head_repo != show.repo.id).into(),
        "maintainerCanModify" => pull.maintainer_can_modify.into(),
        "isInMergeQueue" => pull.queued.is_some().into(),
        "isMergeQueueEnabled" => false.into(),
        "mergeQueueEntry" => pull.queued.as_ref().map(|one| at.below("MergeQueueEntry", one.id)).into(),
        "autoMergeRequest" => pull.auto_merge.as_ref().map(|_| at.below("AutoMergeRequest", pull.id)).into(),
        "viewerCanEnableAutoMerge" => {
            (pushes && show.repo.merging.auto_merge && at.issue.open && pull.auto_merge.is_none()).into()
        }
        "viewerCanDisableAutoMerge" => (pushes && pull.auto_merge.is_some()).into(),
        "viewerCanUpdateBranch" => (pushes && at.issue.open && rules::behind(show, pull)).into(),
        "totalCommentsCount" => {
            let remarks = pull.threads.iter().map(|thread| thread.remarks.len()).sum::<usize>();
            (at.issue.comments.len() + remarks).into()
        }
        "commits" => {
            let commits = pull_show::commits(show, pull);
            let key = |sha: &String| json!([show.repo.id, at.issue.number, sha]);
            return Some(connection(
                asked,
                commits.iter().map(|sha| Node::new("PullRequestCommit", key(sha))).collect(),
            ));
        }
        "files" => {
            let key = |path: &str| json!([show.repo.id, at.issue.number, path]);
            let files = changes();
            let nodes = files.iter().map(|one| Node::new("PullRequestChangedFile", key(&one.path)));
            return Some(connection(asked, nodes.collect()));
        }
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
        "latestReviews" => {
            let fits = |one: &&Review| one.state != Verdict::Pending && one.author != at.issue.author;
            return Some(page(at, asked, last_of_each(pull, fits).into_iter()));
        }
        "latestOpinionatedReviews" => {
            let writers = asked.arg("writersOnly") == &json!(true);
            let verdicts = rules::verdicts(pull, &at.issue.author);
            let fits = |one: &&Review| {
                one.state != Verdict::Dismissed
                    && (!writers || rights::has(show.repo, &one.author, Right::Push))
            };
            return Some(page(at, asked, verdicts.into_values().filter(fits)));
        }
        "viewerLatestReview" => {
            let mine = pull.reviews.iter().rev().find(|one| one.author.eq_ignore_ascii_case(show.viewer));
            mine.map(|one| at.below("PullRequestReview", one.id)).into()
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

/// Of each reviewer the last review that fits, in the order of the reviews.
fn last_of_each(pull: &Pull, fits: impl Fn(&&Review) -> bool) -> Vec<&Review> {
    let mut found: Vec<&Review> = Vec::new();
    for review in pull.reviews.iter().filter(fits) {
        found.retain(|other| other.author != review.author);
        found.push(review);
    }
    found
}

/// Fields of `PullRequestCommit`.
pub(super) fn commit(at: At<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    let sha = node.key[2].as_str()?;
    let url = at.url(&format!("/commits/{sha}"));
    Some(Ok(match asked.field {
        "id" => repos::object_id("PURC", at.show.repo.id, sha).into(),
        "commit" => at.commit(sha),
        "pullRequest" => at.node().into(),
        "resourcePath" => super::path_of(&url).into(),
        "url" => url.into(),
        _ => return None,
    }))
}

/// Fields of `PullRequestChangedFile`.
pub(super) fn file(at: At<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    let path = node.key[2].as_str()?;
    let changes = pull_show::changes(at.show, at.pull()?);
    let change = changes.iter().find(|change| change.path == path)?;
    Some(Ok(match asked.field {
        "path" => path.into(),
        "additions" => change.additions.into(),
        "deletions" => change.deletions.into(),
        "changeType" => match change.status.as_str() {
            "removed" => "DELETED".into(),
            other => shout(other).into(),
        },
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
        "databaseId" => id.into(),
        "asCodeOwner" => false.into(),
        "pullRequest" => at.node().into(),
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
        "enqueuedAt" => entry.at.clone().into(),
        "enqueuer" => at.person(&entry.by),
        "jump" => entry.jump.into(),
        "position" => (before + 1).into(),
        "solo" => false.into(),
        "state" => "AWAITING_CHECKS".into(),
        "estimatedTimeToMerge" => Value::Null.into(),
        "pullRequest" => at.node().into(),
        _ => return None,
    }))
}

/// Fields of `AutoMergeRequest`.
pub(super) fn auto_merge(at: At<'_>, asked: &Asked<'_>) -> Field {
    let auto = at.pull()?.auto_merge.as_ref()?;
    Some(Ok(match asked.field {
        "enabledAt" => auto.at.clone().into(),
        "enabledBy" => at.person(&auto.by),
        "mergeMethod" => shout(&auto.method).into(),
        "commitHeadline" => auto.title.clone().into(),
        "commitBody" => auto.message.clone().into(),
        "authorEmail" => Resolved::NULL,
        "pullRequest" => at.node().into(),
        _ => return None,
    }))
}
