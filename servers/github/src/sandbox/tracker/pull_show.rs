//! Pull requests as the REST API shows them.

use serde_json::{Value, json};

use super::{
    super::{
        accounts::{self, Team},
        repos,
        state::State,
    },
    merge::{self, Weight},
    model::{Asked, Issue, Pull, Thread},
    reviews,
    show::{Show, issue_node},
};

impl Show<'_> {
    /// This repository, as other things show it.
    pub(super) fn repository(&self) -> Value {
        repos::repository_json(self.site, self.state, self.repo, self.viewer).into()
    }

    /// A pull request as listings show it.
    pub(super) fn pull(&self, issue: &Issue) -> Value {
        let Some(pull) = &issue.pull else { return Value::Null };
        let number = issue.number;
        let api = self.api(&format!("pulls/{number}"));
        let issue_api = self.api(&format!("issues/{number}"));
        let html = self.html(&format!("pull/{number}"));
        let (people, teams) = requested(*self, pull);
        let statuses = self.api(&format!("statuses/{}", pull.head_sha));
        let link = |href: &str| json!({"href": href});
        let shown = json!({
            "url": api,
            "id": pull.id,
            "node_id": issue_node(issue),
            "html_url": html,
            "diff_url": format!("{html}.diff"),
            "patch_url": format!("{html}.patch"),
            "issue_url": issue_api,
            "number": number,
            "state": issue.state(),
            "locked": issue.locked,
            "title": issue.title,
            "user": self.user(&issue.author),
            "body": issue.body,
            "created_at": issue.created_at,
            "updated_at": issue.updated_at,
            "closed_at": issue.closed_at,
            "merged_at": pull.merged_at,
            "merge_commit_sha": pull.merge_commit,
            "assignee": issue.assignees.first().map(|login| self.user(login)),
            "assignees": issue.assignees.iter().map(|login| self.user(login)).collect::<Vec<_>>(),
            "requested_reviewers": people,
            "requested_teams": teams,
            "labels": self.labels(issue),
            "milestone": issue.milestone.and_then(|number| self.board.milestone(number)).map(|one| self.milestone(one)),
            "draft": pull.draft,
            "commits_url": format!("{api}/commits"),
            "review_comments_url": format!("{api}/comments"),
            "review_comment_url": self.api("pulls/comments{/number}"),
            "comments_url": format!("{issue_api}/comments"),
            "statuses_url": statuses,
            "head": self.end(pull.head_repo, &pull.head, &pull.head_sha),
            "base": self.end(self.repo.id, &pull.base, &pull.base_sha),
            "_links": {
                "self": link(&api),
                "html": link(&html),
                "issue": link(&issue_api),
                "comments": link(&format!("{issue_api}/comments")),
                "review_comments": link(&format!("{api}/comments")),
                "review_comment": link(&self.api("pulls/comments{/number}")),
                "commits": link(&format!("{api}/commits")),
                "statuses": link(&statuses),
            },
            "author_association": self.association(&issue.author),
            "auto_merge": self.auto_merge(issue),
            "active_lock_reason": issue.lock_reason,
        });
        self.aged(shown)
    }

    /// A single pull request, with what it takes to work out. `known` says whether it has been worked out whether it
    /// can be merged: the first who asks after a change is told null (docs.github.com, "Get a pull request").
    pub(super) fn whole_pull(&self, issue: &Issue, known: bool) -> Value {
        let mut shown = self.pull(issue);
        let Some(pull) = &issue.pull else { return shown };
        let changes = changes(*self, pull);
        let weight = if known { merge::weigh(*self, issue) } else { Weight::UNKNOWN };
        let remarks = pull.threads.iter().flat_map(|thread| &thread.remarks);
        let remarks = remarks.filter(|remark| reviews::visible_remark(pull, remark, self.viewer)).count();
        for (key, value) in [
            ("merged", json!(pull.merged_at.is_some())),
            ("mergeable", json!(weight.mergeable)),
            ("rebaseable", json!(weight.mergeable)),
            ("mergeable_state", json!(weight.state)),
            ("merged_by", pull.merged_by.as_deref().map(|login| self.user(login)).into()),
            ("comments", json!(issue.comments.len())),
            ("review_comments", json!(remarks)),
            ("maintainer_can_modify", json!(pull.maintainer_can_modify)),
            ("commits", json!(commits(*self, pull).len())),
            ("additions", json!(changes.iter().map(|change| change.additions).sum::<usize>())),
            ("deletions", json!(changes.iter().map(|change| change.deletions).sum::<usize>())),
            ("changed_files", json!(changes.len())),
        ] {
            shown[key] = value;
        }
        shown
    }

    /// One end of a pull request.
    fn end(&self, repo: u64, branch: &str, sha: &str) -> Value {
        let repo = self.state.repos.get(repo);
        let owner = repo.map(|repo| repo.owner.as_str()).unwrap_or_default();
        json!({
            "label": format!("{owner}:{branch}"),
            "ref": branch,
            "sha": sha,
            "user": self.user(owner),
            "repo": repo.map(|repo| repos::repository_json(self.site, self.state, repo, self.viewer)),
        })
    }

    fn auto_merge(&self, issue: &Issue) -> Value {
        let Some(auto) = issue.pull.as_ref().and_then(|pull| pull.auto_merge.as_ref()) else {
            return Value::Null;
        };
        json!({
            "enabled_by": self.user(&auto.by),
            "merge_method": auto.method,
            "commit_title": auto.title.clone().unwrap_or_else(|| format!("{} (#{})", issue.title, issue.number)),
            "commit_message": auto.message.clone().unwrap_or_default(),
        })
    }
}

/// The people and teams that are asked for a review.
pub(super) fn requested(show: Show<'_>, pull: &Pull) -> (Vec<Value>, Vec<Value>) {
    let mut people = Vec::new();
    let mut teams = Vec::new();
    for asked in &pull.requested {
        match asked {
            Asked::Person(login) => people.push(show.user(login)),
            Asked::Team(slug) => teams.push(team(show, slug)),
        }
    }
    (people, teams)
}

/// The commits of a pull request, oldest first.
pub(super) fn commits(show: Show<'_>, pull: &Pull) -> Vec<String> {
    let mut commits = show.repo.git.between(&pull.base_sha, &pull.head_sha);
    commits.reverse();
    commits
}

/// The commit at which a pull request left its base.
pub(super) fn fork_point(show: Show<'_>, pull: &Pull) -> String {
    show.repo.git.merge_base(&pull.base_sha, &pull.head_sha).unwrap_or_else(|| pull.base_sha.clone())
}

/// The files that a pull request changes.
pub(super) fn changes(show: Show<'_>, pull: &Pull) -> Vec<repos::git::Change> {
    show.repo.git.changes(Some(&fork_point(show, pull)), &pull.head_sha)
}

/// Where a thread is now; none if it is outdated, or about a whole file.
pub(super) fn line_now(show: Show<'_>, pull: &Pull, thread: &Thread) -> Option<u64> {
    super::lines::current(&show.repo.git, thread, &fork_point(show, pull), &pull.head_sha)
}

/// A team, as other things show it; null if there is none.
pub(super) fn team(show: Show<'_>, slug: &str) -> Value {
    let found = team_of(show.state, &show.repo.owner, slug);
    found.map(|team| accounts::team(show.site, show.state, team)).unwrap_or_default()
}

/// An organization's team.
pub(super) fn team_of<'s>(state: &'s State, org: &str, slug: &str) -> Option<&'s Team> {
    state.accounts.team_named(org, slug)
}
