//! What there is: issues and pull requests with everything that hangs on them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A repository's issues and pull requests, on one sequence of numbers.
#[derive(Clone, Debug, Default, Serialize)]
pub(in crate::sandbox) struct RepositoryTracker {
    pub(in crate::sandbox) labels: Vec<Label>,
    pub(in crate::sandbox) milestones: Vec<Milestone>,
    pub(in crate::sandbox) issues: BTreeMap<u64, Issue>,
    /// Whether issues are switched off here.
    pub(in crate::sandbox) disabled: bool,
    /// The last number that was given.
    pub(super) last: u64,
}

impl RepositoryTracker {
    /// The next number of the sequence.
    pub(in crate::sandbox) fn next_number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// A label by its name, whatever its case.
    pub(super) fn label(&self, name: &str) -> Option<&Label> {
        self.labels.iter().find(|label| label.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn milestone(&self, number: u64) -> Option<&Milestone> {
        self.milestones.iter().find(|milestone| milestone.number == number)
    }

    /// The comment of this id, and the number of its issue.
    pub(super) fn comment(&self, id: u64) -> Option<(u64, &Comment)> {
        self.issues.values().find_map(|issue| {
            let comment = issue.comments.iter().find(|comment| comment.id == id)?;
            Some((issue.number, comment))
        })
    }

    /// The review comment of this id, with its thread and the number of its pull request.
    pub(super) fn remark(&self, id: u64) -> Option<(u64, &Thread, &ReviewComment)> {
        self.issues.values().find_map(|issue| {
            issue.pull.as_ref()?.threads.iter().find_map(|thread| {
                let remark = thread.remarks.iter().find(|remark| remark.id == id)?;
                Some((issue.number, thread, remark))
            })
        })
    }
}

/// A label.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Label {
    pub(in crate::sandbox) id: u64,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) color: String,
    pub(in crate::sandbox) description: Option<String>,
    pub(in crate::sandbox) created_at: String,
}

/// A milestone.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Milestone {
    pub(in crate::sandbox) id: u64,
    pub(in crate::sandbox) number: u64,
    pub(in crate::sandbox) title: String,
    pub(in crate::sandbox) description: Option<String>,
    pub(in crate::sandbox) creator: String,
    pub(in crate::sandbox) open: bool,
    pub(in crate::sandbox) due_on: Option<String>,
    pub(in crate::sandbox) created_at: String,
    pub(in crate::sandbox) updated_at: String,
    pub(in crate::sandbox) closed_at: Option<String>,
}

/// An organization's type of issue.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::sandbox) struct IssueType {
    pub(in crate::sandbox) id: u64,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) description: Option<String>,
    pub(in crate::sandbox) color: String,
    #[serde(deserialize_with = "crate::sandbox::moment")]
    pub(in crate::sandbox) created_at: String,
}

/// An issue, or the part of a pull request that is like one.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Issue {
    /// The issue's own id. A pull request has another one besides.
    pub(in crate::sandbox) id: u64,
    pub(in crate::sandbox) number: u64,
    pub(in crate::sandbox) repo: u64,
    pub(in crate::sandbox) title: String,
    pub(in crate::sandbox) body: Option<String>,
    pub(in crate::sandbox) author: String,
    pub(in crate::sandbox) open: bool,
    /// `completed`, `not_planned`, `duplicate`, `reopened`.
    pub(in crate::sandbox) state_reason: Option<String>,
    /// The issue of which this is a duplicate, by id.
    pub(in crate::sandbox) duplicate_of: Option<u64>,
    /// Ids of labels, in the order they came.
    pub(in crate::sandbox) labels: Vec<u64>,
    pub(in crate::sandbox) assignees: Vec<String>,
    /// The milestone's number.
    pub(in crate::sandbox) milestone: Option<u64>,
    /// The name of the issue's type.
    pub(in crate::sandbox) kind: Option<String>,
    pub(in crate::sandbox) locked: bool,
    pub(in crate::sandbox) lock_reason: Option<String>,
    pub(in crate::sandbox) pinned: bool,
    pub(in crate::sandbox) created_at: String,
    pub(in crate::sandbox) updated_at: String,
    pub(in crate::sandbox) closed_at: Option<String>,
    pub(in crate::sandbox) closed_by: Option<String>,
    pub(in crate::sandbox) comments: Vec<Comment>,
    pub(in crate::sandbox) reactions: Vec<Reaction>,
    pub(in crate::sandbox) events: Vec<Event>,
    /// Ids of the issues below this one, in order.
    pub(in crate::sandbox) sub_issues: Vec<u64>,
    /// The id of the issue above.
    pub(in crate::sandbox) parent: Option<u64>,
    /// Ids of issues that have to be closed first.
    pub(in crate::sandbox) blocked_by: Vec<u64>,
    pub(in crate::sandbox) pull: Option<Pull>,
}

impl Issue {
    /// `open` or `closed`.
    pub(super) fn state(&self) -> &'static str {
        if self.open { "open" } else { "closed" }
    }

    /// Notes that something happened.
    pub(super) fn happened(&mut self, id: u64, actor: &str, at: &str, what: What) {
        self.events.push(Event { id, actor: actor.to_owned(), at: at.to_owned(), what });
        at.clone_into(&mut self.updated_at);
    }

    /// Everybody who wrote or was asked something here.
    pub(super) fn involves(&self, login: &str) -> bool {
        self.author.eq_ignore_ascii_case(login)
            || self.assignees.iter().any(|name| name.eq_ignore_ascii_case(login))
            || self.commented(login)
            || self.mentions(login)
    }

    pub(super) fn commented(&self, login: &str) -> bool {
        self.comments.iter().any(|comment| comment.author.eq_ignore_ascii_case(login))
    }

    /// Whether the text or a comment names `@login`.
    pub(super) fn mentions(&self, login: &str) -> bool {
        let mut texts =
            self.body.iter().map(String::as_str).chain(self.comments.iter().map(|one| one.body.as_str()));
        texts.any(|text| super::mentions::people(text).any(|name| name.eq_ignore_ascii_case(login)))
    }
}

/// A comment in an issue's or pull request's conversation.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Comment {
    pub(in crate::sandbox) id: u64,
    pub(in crate::sandbox) author: String,
    pub(in crate::sandbox) body: String,
    pub(in crate::sandbox) created_at: String,
    pub(in crate::sandbox) updated_at: String,
    pub(in crate::sandbox) reactions: Vec<Reaction>,
    /// Why it is folded: `off-topic`, `spam`.
    pub(in crate::sandbox) minimized: Option<String>,
}

/// A reaction.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Reaction {
    pub(in crate::sandbox) id: u64,
    pub(in crate::sandbox) login: String,
    /// As the REST API writes it: `+1`.
    pub(in crate::sandbox) content: String,
    pub(in crate::sandbox) created_at: String,
}

/// Something that happened to an issue.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Event {
    pub(in crate::sandbox) id: u64,
    pub(in crate::sandbox) actor: String,
    pub(in crate::sandbox) at: String,
    pub(in crate::sandbox) what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::sandbox) enum What {
    Labeled {
        name: String,
        color: String,
    },
    Unlabeled {
        name: String,
        color: String,
    },
    Assigned(String),
    Unassigned(String),
    /// The milestone's title.
    Milestoned(String),
    Demilestoned(String),
    Renamed {
        from: String,
        to: String,
    },
    /// With the reason, and the commit that did it.
    Closed {
        reason: Option<String>,
        commit: Option<String>,
    },
    Reopened,
    Locked(Option<String>),
    Unlocked,
    Pinned,
    TypeAdded(String),
    TypeRemoved(String),
    TypeChanged {
        from: String,
        to: String,
    },
    /// Links to other issues, by id.
    SubIssueAdded(u64),
    SubIssueRemoved(u64),
    ParentAdded(u64),
    ParentRemoved(u64),
    BlockedByAdded(u64),
    BlockedByRemoved(u64),
    BlockingAdded(u64),
    BlockingRemoved(u64),
    MarkedAsDuplicate(u64),
    /// Another issue or pull request names this one: its repository and number.
    CrossReferenced {
        repo: u64,
        number: u64,
    },
    ReviewRequested(Asked),
    ReviewRequestRemoved(Asked),
    ReviewDismissed {
        review: u64,
        state: Verdict,
        message: String,
    },
    ReadyForReview,
    ConvertedToDraft,
    Merged(String),
    HeadDeleted(String),
    BaseChanged {
        from: String,
        to: String,
    },
    AutoMergeEnabled,
    AutoMergeDisabled,
    AddedToMergeQueue,
}

impl What {
    /// The name of the event in the REST API (docs.github.com, "Issue event types").
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Labeled { .. } => "labeled",
            Self::Unlabeled { .. } => "unlabeled",
            Self::Assigned(_) => "assigned",
            Self::Unassigned(_) => "unassigned",
            Self::Milestoned(_) => "milestoned",
            Self::Demilestoned(_) => "demilestoned",
            Self::Renamed { .. } => "renamed",
            Self::Closed { .. } => "closed",
            Self::Reopened => "reopened",
            Self::Locked(_) => "locked",
            Self::Unlocked => "unlocked",
            Self::Pinned => "pinned",
            Self::TypeAdded(_) => "issue_type_added",
            Self::TypeRemoved(_) => "issue_type_removed",
            Self::TypeChanged { .. } => "issue_type_changed",
            Self::SubIssueAdded(_) => "sub_issue_added",
            Self::SubIssueRemoved(_) => "sub_issue_removed",
            Self::ParentAdded(_) => "parent_issue_added",
            Self::ParentRemoved(_) => "parent_issue_removed",
            Self::BlockedByAdded(_) => "blocked_by_added",
            Self::BlockedByRemoved(_) => "blocked_by_removed",
            Self::BlockingAdded(_) => "blocking_added",
            Self::BlockingRemoved(_) => "blocking_removed",
            Self::MarkedAsDuplicate(_) => "marked_as_duplicate",
            Self::CrossReferenced { .. } => "cross-referenced",
            Self::ReviewRequested(_) => "review_requested",
            Self::ReviewRequestRemoved(_) => "review_request_removed",
            Self::ReviewDismissed { .. } => "review_dismissed",
            Self::ReadyForReview => "ready_for_review",
            Self::ConvertedToDraft => "convert_to_draft",
            Self::Merged(_) => "merged",
            Self::HeadDeleted(_) => "head_ref_deleted",
            Self::BaseChanged { .. } => "base_ref_changed",
            Self::AutoMergeEnabled => "auto_merge_enabled",
            Self::AutoMergeDisabled => "auto_merge_disabled",
            Self::AddedToMergeQueue => "added_to_merge_queue",
        }
    }
}

/// Who is asked for a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::sandbox) enum Asked {
    Person(String),
    /// A team's slug.
    Team(String),
}

/// What an issue is besides, if it is a pull request.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Pull {
    pub(in crate::sandbox) id: u64,
    /// The branch it goes into.
    pub(in crate::sandbox) base: String,
    /// The branch it comes from.
    pub(in crate::sandbox) head: String,
    /// The repository of that branch.
    pub(in crate::sandbox) head_repo: u64,
    /// The last commit seen on that branch; it stays when the branch goes.
    pub(in crate::sandbox) head_sha: String,
    /// The commit of the base when it was last looked at; it stays when the pull request is closed.
    pub(in crate::sandbox) base_sha: String,
    pub(in crate::sandbox) draft: bool,
    pub(in crate::sandbox) merged_at: Option<String>,
    pub(in crate::sandbox) merged_by: Option<String>,
    pub(in crate::sandbox) merge_commit: Option<String>,
    pub(in crate::sandbox) requested: Vec<Asked>,
    pub(in crate::sandbox) auto_merge: Option<AutoMerge>,
    pub(in crate::sandbox) queued: Option<Queued>,
    pub(in crate::sandbox) maintainer_can_modify: bool,
    pub(in crate::sandbox) reviews: Vec<Review>,
    pub(in crate::sandbox) threads: Vec<Thread>,
    /// The head and base for which it has been worked out whether it can be merged. Reading makes this, so it
    /// is no part of what is remembered.
    #[serde(skip)]
    pub(super) weighed: Option<(String, String)>,
    /// Whether somebody has asked for it since the last change. It is worked out by the next request.
    #[serde(skip)]
    pub(super) wanted: bool,
}

/// A merge that waits until it may be.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct AutoMerge {
    pub(in crate::sandbox) by: String,
    /// `merge`, `squash`, `rebase`.
    pub(in crate::sandbox) method: String,
    pub(in crate::sandbox) title: Option<String>,
    pub(in crate::sandbox) message: Option<String>,
    pub(in crate::sandbox) at: String,
}

/// A place in the merge queue.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Queued {
    pub(in crate::sandbox) id: u64,
    pub(in crate::sandbox) by: String,
    pub(in crate::sandbox) at: String,
    pub(in crate::sandbox) jump: bool,
}

/// A review.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Review {
    pub(in crate::sandbox) id: u64,
    pub(in crate::sandbox) author: String,
    pub(in crate::sandbox) state: Verdict,
    pub(in crate::sandbox) body: String,
    /// The commit it is about.
    pub(in crate::sandbox) commit: String,
    pub(in crate::sandbox) created_at: String,
    /// None as long as it is pending.
    pub(in crate::sandbox) submitted_at: Option<String>,
}

/// What a review says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(in crate::sandbox) enum Verdict {
    Pending,
    Commented,
    Approved,
    ChangesRequested,
    Dismissed,
}

impl Verdict {
    /// As both APIs write it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Commented => "COMMENTED",
            Self::Approved => "APPROVED",
            Self::ChangesRequested => "CHANGES_REQUESTED",
            Self::Dismissed => "DISMISSED",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        let all = [Self::Pending, Self::Commented, Self::Approved, Self::ChangesRequested, Self::Dismissed];
        all.into_iter().find(|verdict| verdict.as_str() == word)
    }
}

/// Which side of a diff a line is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(in crate::sandbox) enum Side {
    Left,
    Right,
}

impl Side {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Left => "LEFT",
            Self::Right => "RIGHT",
        }
    }
}

/// A thread of comments on a place in the diff.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Thread {
    pub(in crate::sandbox) id: u64,
    pub(in crate::sandbox) path: String,
    /// The last line meant, in the file at `commit`; none if the whole file is meant.
    pub(in crate::sandbox) line: Option<u64>,
    pub(in crate::sandbox) side: Side,
    pub(in crate::sandbox) start_line: Option<u64>,
    pub(in crate::sandbox) start_side: Option<Side>,
    /// The commit whose lines are meant.
    pub(in crate::sandbox) commit: String,
    /// The part of the diff that it stands under.
    pub(in crate::sandbox) hunk: String,
    pub(in crate::sandbox) resolved_by: Option<String>,
    pub(in crate::sandbox) remarks: Vec<ReviewComment>,
}

/// A comment on a place in the diff.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct ReviewComment {
    pub(in crate::sandbox) id: u64,
    /// The review it belongs to.
    pub(in crate::sandbox) review: u64,
    pub(in crate::sandbox) author: String,
    pub(in crate::sandbox) body: String,
    pub(in crate::sandbox) created_at: String,
    pub(in crate::sandbox) updated_at: String,
    pub(in crate::sandbox) reactions: Vec<Reaction>,
    pub(in crate::sandbox) minimized: Option<String>,
}
