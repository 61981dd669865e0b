//! Pull requests and what belongs to them, as GitHub tells of them: whatever is missing, null or of another
//! type fails nothing.

use connector::upstream::Connection;
use serde::Deserialize;

use super::{
    checks::{Check, ChecksUnread, Rollup, Tally},
    issues::Closing,
};

/// Who did something: a person, or an app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Actor {
    #[serde(rename = "__typename")]
    kind: String,
    login: String,
    #[serde(rename = "combinedSlug")]
    team: String,
}

impl Actor {
    /// The login as REST and people write it: an app's ends in `[bot]`; a team is `org/team`.
    pub(crate) fn name(&self) -> String {
        match self.kind.as_str() {
            _ if !self.team.is_empty() => self.team.clone(),
            "Bot" if !self.login.ends_with("[bot]") => format!("{}[bot]", self.login),
            // An account that was deleted.
            _ if self.login.is_empty() => "ghost".to_owned(),
            _ => self.login.clone(),
        }
    }
}

/// How many there are of something.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Total {
    pub(crate) total_count: u64,
}

/// Something that has a name or a title.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    #[serde(alias = "title")]
    pub(crate) name: String,
}

/// A commit, by its sha.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Oid {
    pub(crate) oid: String,
}

/// A pull request, as far as it was asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Pull {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) url: String,
    pub(crate) title: String,
    pub(crate) body: String,
    /// `OPEN`, `CLOSED` or `MERGED`.
    pub(crate) state: String,
    pub(crate) is_draft: bool,
    pub(crate) author: Actor,
    pub(crate) viewer_did_author: bool,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) closed_at: String,
    pub(crate) closing: Connection<Closing>,
    pub(crate) merged_at: String,
    pub(crate) merged_by: Option<Actor>,
    pub(crate) merge_commit: Option<Oid>,
    pub(crate) base_ref_name: String,
    pub(crate) head_ref_name: String,
    pub(crate) head_ref_oid: String,
    pub(crate) head_repository_owner: Option<Actor>,
    pub(crate) is_cross_repository: bool,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
    pub(crate) changed_files: u64,
    /// `MERGEABLE`, `CONFLICTING`, or `UNKNOWN` while GitHub works it out.
    pub(crate) mergeable: String,
    /// `CLEAN`, `BLOCKED`, `BEHIND`, `DIRTY`, `DRAFT`, `UNSTABLE`, `HAS_HOOKS` or `UNKNOWN`.
    pub(crate) merge_state_status: String,
    pub(crate) is_merge_queue_enabled: bool,
    pub(crate) merge_queue_entry: Option<QueueEntry>,
    /// `APPROVED`, `CHANGES_REQUESTED`, `REVIEW_REQUIRED`; empty where none is asked for.
    pub(crate) review_decision: String,
    pub(crate) auto_merge_request: Option<AutoMerge>,
    pub(crate) labels: Connection<Named>,
    pub(crate) assignees: Connection<Actor>,
    pub(crate) milestone: Option<Named>,
    pub(crate) closing_issues_references: Connection<IssueRef>,
    pub(crate) review_requests: Connection<ReviewRequest>,
    /// The viewer's own review that is not submitted: nobody else's is shown.
    pub(crate) pending: Connection<Review>,
    /// Of each reviewer the last approval or request for changes.
    pub(crate) opinions: Connection<Review>,
    /// The branch that it goes to; none where it is gone.
    pub(crate) base_ref: Option<BaseRef>,
    /// The review that came last.
    pub(crate) latest: Connection<Review>,
    /// The threads, only whether they are resolved.
    pub(crate) thread_states: Connection<Thread>,
    pub(crate) commit_count: Total,
    pub(crate) status_check_rollup: Option<Rollup>,
    pub(crate) reviews: Connection<Review>,
    pub(crate) review_threads: Connection<Thread>,
    pub(crate) comments: Connection<ReviewComment>,
    pub(crate) commits: Connection<PullCommit>,
    /// What its repository allows; not part of GitHub's own answer about a pull request.
    #[serde(skip)]
    pub(crate) rules: Rules,
    /// Failing checks beyond the page that was read.
    #[serde(skip)]
    pub(crate) failing_beyond: Vec<Check>,
    /// That some or all of its checks could not be read.
    #[serde(skip)]
    pub(crate) checks_unread: Option<ChecksUnread>,
}

impl Pull {
    /// Whether entries are missing among its checks.
    pub(crate) fn lacks_checks(&self) -> bool {
        self.status_check_rollup.as_ref().is_some_and(Rollup::has_holes)
    }

    /// Whether it is open.
    pub(crate) fn is_open(&self) -> bool {
        self.state == "OPEN"
    }

    /// Whether it is open and conflicts with its base.
    pub(crate) fn conflicts(&self) -> bool {
        self.is_open() && self.mergeable == "CONFLICTING"
    }

    /// Whether it is open and GitHub does not know yet if it conflicts: the first question makes it find out
    /// (docs.github.com/rest/pulls/pulls#get-a-pull-request).
    pub(crate) fn is_being_weighed(&self) -> bool {
        self.is_open() && self.mergeable == "UNKNOWN"
    }

    /// Whether it was merged.
    pub(crate) fn is_merged(&self) -> bool {
        self.state == "MERGED"
    }

    /// The checks of its head, as many as were asked for.
    pub(crate) fn checks(&self) -> Connection<Check> {
        self.status_check_rollup.as_ref().map(Rollup::checks).unwrap_or_default()
    }

    /// What the checks of its head come to: all of them where GitHub counts them, or else those that were read.
    pub(crate) fn tally(&self) -> Tally {
        self.status_check_rollup.as_ref().map(Rollup::tally).unwrap_or_default()
    }

    /// Those of whom a review is requested: logins, and teams as `org/team`.
    pub(crate) fn requested(&self) -> Vec<String> {
        let reviewers =
            self.review_requests.nodes.iter().filter_map(|request| request.requested_reviewer.as_ref());
        reviewers.map(Actor::name).collect()
    }

    /// Those whose last word was to request changes.
    pub(crate) fn objectors(&self) -> Vec<String> {
        let objects = |review: &&Review| review.state == "CHANGES_REQUESTED";
        self.opinions.nodes.iter().filter(objects).map(|review| review.author.name()).collect()
    }

    /// Whether the rules of its base demand that all threads are resolved, as far as GitHub tells.
    pub(crate) fn threads_must_be_resolved(&self) -> bool {
        let rule = self.base_ref.as_ref().and_then(|base| base.ref_update_rule.as_ref());
        rule.is_some_and(|rule| rule.requires_conversation_resolution)
    }

    /// The viewer's own review that is not submitted yet.
    pub(crate) fn pending_review(&self) -> Option<&Review> {
        self.pending.nodes.iter().find(|review| review.viewer_did_author)
    }
}

/// What a repository allows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Rules {
    pub(crate) merge_commit_allowed: bool,
    pub(crate) squash_merge_allowed: bool,
    pub(crate) rebase_merge_allowed: bool,
    /// None where GitHub does not tell.
    pub(crate) auto_merge_allowed: Option<bool>,
    pub(crate) delete_branch_on_merge: bool,
}

/// The branch that a pull request goes to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BaseRef {
    ref_update_rule: Option<UpdateRule>,
}

/// What a branch's protection demands, as everybody who reads may see it (docs.github.com, GraphQL,
/// `RefUpdateRule`). Rulesets are not in it.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UpdateRule {
    requires_conversation_resolution: bool,
}

/// A place in a merge queue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct QueueEntry {
    pub(crate) position: u64,
}

/// That it will be merged when it may be.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AutoMerge {
    pub(crate) merge_method: String,
    pub(crate) enabled_by: Option<Actor>,
}

/// An issue that a pull request closes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct IssueRef {
    pub(crate) number: u64,
    pub(crate) repository: FullName,
}

/// A repository, by its full name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FullName {
    pub(crate) name_with_owner: String,
}

/// Of whom a review is requested.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ReviewRequest {
    requested_reviewer: Option<Actor>,
}

/// A review.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Review {
    #[serde(alias = "id")]
    pub(crate) database_id: String,
    pub(crate) author: Actor,
    pub(crate) viewer_did_author: bool,
    pub(crate) author_association: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED` or `PENDING`.
    pub(crate) state: String,
    pub(crate) body: String,
    pub(crate) submitted_at: String,
    pub(crate) commit: Option<Oid>,
    pub(crate) comments: Total,
}

/// A thread of comments on lines of the diff.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Thread {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) line: Option<u64>,
    pub(crate) start_line: Option<u64>,
    pub(crate) original_line: Option<u64>,
    pub(crate) diff_side: String,
    pub(crate) is_resolved: bool,
    pub(crate) is_outdated: bool,
    pub(crate) resolved_by: Option<Actor>,
    pub(crate) comments: Connection<ReviewComment>,
    pub(crate) pull_request: Option<Numbered>,
    pub(crate) repository: FullName,
    /// None where it was not asked for.
    pub(crate) viewer_can_resolve: Option<bool>,
    /// None where it was not asked for.
    pub(crate) viewer_can_unresolve: Option<bool>,
}

/// A number in a repository.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Numbered {
    pub(crate) number: u64,
}

/// A comment, on the pull request or on a line of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ReviewComment {
    pub(crate) database_id: String,
    pub(crate) author: Actor,
    pub(crate) author_association: String,
    pub(crate) body: String,
    pub(crate) created_at: String,
    /// `PENDING` for one of a review that is not submitted.
    pub(crate) state: String,
    pub(crate) is_minimized: bool,
    pub(crate) minimized_reason: String,
}

/// A commit of a pull request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PullCommit {
    pub(crate) commit: Commit,
}

/// A commit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Commit {
    pub(crate) oid: String,
    pub(crate) message_headline: String,
    pub(crate) committed_date: String,
    pub(crate) author: Option<GitActor>,
}

/// Who is named as a commit's author.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GitActor {
    pub(crate) name: String,
    pub(crate) user: Option<Actor>,
}

/// A branch, with its last commit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tip {
    pub(crate) target: Oid,
}

/// What a new pull request is made of, and what is there already.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Prepared {
    pub(crate) default_branch_ref: Option<Named>,
    /// The branch to merge, if it is in this repository.
    pub(crate) head: Option<Tip>,
    /// The branch to merge into.
    pub(crate) base: Option<Tip>,
    /// Open pull requests from a branch of that name.
    pub(crate) pull_requests: Connection<Pull>,
}

/// A pull request as REST shows it, as far as it is used.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Posted {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) html_url: String,
    pub(crate) draft: bool,
    pub(crate) base: End,
    pub(crate) head: End,
}

/// An end of a pull request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct End {
    #[serde(rename = "ref")]
    pub(crate) branch: String,
    pub(crate) sha: String,
}

/// A file of a pull request, with what changed in it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ChangedFile {
    pub(crate) filename: String,
    /// None for binary files and very large changes.
    pub(crate) patch: Option<String>,
}

/// What merging came to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Merged {
    pub(crate) sha: String,
    pub(crate) merged: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_null_or_missing_fails_nothing() {
        let pull: Pull = connector::tolerant::from_value(json!({
            "number": "7", "author": null, "labels": null, "headRepositoryOwner": null, "statusCheckRollup": null,
            "reviewRequests": {"nodes": [{"requestedReviewer": null}, {"requestedReviewer": {
                "__typename": "Team", "combinedSlug": "acme/imports"}}]},
            "reviewThreads": {"nodes": [null, {"id": "T", "line": null, "resolvedBy": null}]},
        }))
        .unwrap();
        assert_eq!(
            (pull.number, pull.author.name(), pull.requested()),
            (7, "ghost".into(), vec!["acme/imports".to_owned()])
        );
        assert!(pull.checks().nodes.is_empty() && pull.review_threads.nodes[0].line.is_none());
    }

    #[test]
    fn apps_are_named_as_people_know_them() {
        let actor = |value: Value| connector::tolerant::from_value::<Actor>(value).unwrap().name();
        assert_eq!(actor(json!({"__typename": "Bot", "login": "dependabot"})), "dependabot[bot]");
        assert_eq!(actor(json!({"__typename": "User", "login": "maya"})), "maya");
    }
}
