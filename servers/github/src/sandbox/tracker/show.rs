//! Issues and what hangs on them, as the REST API shows them.

use serde_json::{Value, json};

use super::{
    super::{
        Site,
        errors::{ApiError, Outcome},
        ids::node_id,
        repos::Repository,
        request::RequestContext,
        state::State,
    },
    links,
    model::{Comment, Issue, IssueType, Label, Milestone, Reaction, RepositoryTracker},
};

/// The contents of reactions, as the REST API writes them (docs.github.com, "About reactions").
pub(super) const REACTIONS: [&str; 8] =
    ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

/// What showing needs in hand: the state as it is, and one repository of it.
#[derive(Clone, Copy)]
pub(super) struct Show<'a> {
    pub(super) site: &'a Site,
    pub(super) state: &'a State,
    pub(super) repo: &'a Repository,
    pub(super) board: &'a RepositoryTracker,
    /// Who looks.
    pub(super) viewer: &'a str,
    /// Whether it is for API version 2026-03-10, which has no `assignee` and no `merge_commit_sha` (docs.github.com,
    /// "Breaking changes for 2026-03-10").
    pub(super) newer: bool,
}

/// Whether a request asks for version 2026-03-10.
pub(super) fn newer(cx: &RequestContext<'_>) -> bool {
    cx.headers.get("x-github-api-version").is_some_and(|version| version == "2026-03-10")
}

impl<'a> Show<'a> {
    /// One repository as somebody sees it, outside of any request.
    ///
    /// # Errors
    /// 404 if there is no such repository.
    pub(super) fn at(site: &'a Site, state: &'a State, repo: u64, viewer: &'a str) -> Outcome<Self> {
        let board = state.tracker.board(repo);
        let repo = state.repos.get(repo).ok_or_else(ApiError::not_found)?;
        Ok(Self { site, state, repo, board, viewer, newer: false })
    }

    /// The same over another repository; none if there is no such.
    pub(super) fn over(self, repo: u64) -> Option<Self> {
        let board = self.state.tracker.board(repo);
        Some(Self { repo: self.state.repos.get(repo)?, board, ..self })
    }

    /// An address of the API within this repository.
    pub(super) fn api(&self, rest: &str) -> String {
        self.site.url(&format!("repos/{}/{}/{rest}", self.repo.owner, self.repo.name))
    }

    /// An address of the website within this repository.
    pub(super) fn html(&self, rest: &str) -> String {
        format!("https://github.com/{}/{}/{rest}", self.repo.owner, self.repo.name)
    }

    pub(super) fn user(&self, login: &str) -> Value {
        self.state.accounts.simple(self.site, login)
    }

    pub(super) fn association(&self, login: &str) -> &'static str {
        association(self.state, self.repo, self.board, login)
    }

    /// An issue or a pull request, as the issues' routes show it.
    pub(super) fn issue(&self, issue: &Issue) -> Value {
        let number = issue.number;
        let api = self.api(&format!("issues/{number}"));
        let page = if issue.pull.is_some() { "pull" } else { "issues" };
        let mut shown = json!({
            "id": issue.id,
            "node_id": issue_node(issue),
            "url": api,
            "repository_url": self.site.url(&format!("repos/{}/{}", self.repo.owner, self.repo.name)),
            "labels_url": format!("{api}/labels{{/name}}"),
            "comments_url": format!("{api}/comments"),
            "events_url": format!("{api}/events"),
            "timeline_url": format!("{api}/timeline"),
            "html_url": self.html(&format!("{page}/{number}")),
            "number": number,
            "state": issue.state(),
            "state_reason": issue.state_reason,
            "title": issue.title,
            "body": issue.body,
            "user": self.user(&issue.author),
            "labels": self.labels(issue),
            "assignee": issue.assignees.first().map(|login| self.user(login)),
            "assignees": issue.assignees.iter().map(|login| self.user(login)).collect::<Vec<_>>(),
            "milestone": issue.milestone.and_then(|number| self.board.milestone(number)).map(|one| self.milestone(one)),
            "locked": issue.locked,
            "active_lock_reason": issue.lock_reason,
            "comments": issue.comments.len(),
            "created_at": issue.created_at,
            "updated_at": issue.updated_at,
            "closed_at": issue.closed_at,
            "author_association": self.association(&issue.author),
            "reactions": self.reactions(&issue.reactions, &format!("{api}/reactions")),
            "performed_via_github_app": null,
        });
        match &issue.pull {
            Some(pull) => {
                shown["draft"] = json!(pull.draft);
                shown["pull_request"] = json!({
                    "url": self.api(&format!("pulls/{number}")),
                    "html_url": self.html(&format!("pull/{number}")),
                    "diff_url": self.html(&format!("pull/{number}.diff")),
                    "patch_url": self.html(&format!("pull/{number}.patch")),
                    "merged_at": pull.merged_at,
                });
            }
            None => {
                if let Some(kind) = &issue.kind {
                    shown["type"] = self.kind(kind);
                }
                shown["sub_issues_summary"] = links::summary(self.state, issue);
                shown["issue_dependencies_summary"] = links::dependencies(self.state, issue);
                if let Some((repo, parent)) = issue.parent.and_then(|id| self.state.tracker.by_id(id)) {
                    let parent = self.over(repo).map(|there| there.api(&format!("issues/{}", parent.number)));
                    shown["parent_issue_url"] = json!(parent);
                }
            }
        }
        self.aged(shown)
    }

    /// The same as a single issue, which tells who closed it.
    pub(super) fn whole(&self, issue: &Issue) -> Value {
        let mut shown = self.issue(issue);
        shown["closed_by"] = issue.closed_by.as_deref().map(|login| self.user(login)).into();
        shown
    }

    /// `shown` without what newer versions do not have.
    pub(super) fn aged(&self, mut shown: Value) -> Value {
        if let (true, Some(shown)) = (self.newer, shown.as_object_mut()) {
            shown.remove("assignee");
            shown.remove("merge_commit_sha");
        }
        shown
    }

    /// The type of an issue, by its name; null if the organization has none of this name.
    pub(super) fn kind(&self, name: &str) -> Value {
        let kinds = self.state.tracker.types(&self.repo.owner);
        kinds.iter().find(|kind| kind.name == name).map(issue_type).unwrap_or_default()
    }

    /// The labels of an issue.
    pub(super) fn labels(&self, issue: &Issue) -> Vec<Value> {
        let labels = self.labels_of(issue);
        labels.map(|label| self.label(label)).collect()
    }

    /// The labels of an issue, in their order.
    pub(super) fn labels_of<'i>(&self, issue: &'i Issue) -> impl Iterator<Item = &'a Label> + use<'a, 'i> {
        let board = self.board;
        issue.labels.iter().filter_map(move |id| board.labels.iter().find(|label| label.id == *id))
    }

    pub(super) fn label(&self, label: &Label) -> Value {
        json!({
            "id": label.id,
            "node_id": node_id("LA", label.id),
            "url": self.api(&format!("labels/{}", percent_encoding::utf8_percent_encode(&label.name, percent_encoding::NON_ALPHANUMERIC))),
            "name": label.name,
            "color": label.color,
            "default": matches!(label.name.as_str(), "bug" | "documentation" | "duplicate" | "enhancement" | "good first issue" | "help wanted" | "invalid" | "question" | "wontfix"),
            "description": label.description,
        })
    }

    pub(super) fn milestone(&self, milestone: &Milestone) -> Value {
        let api = self.api(&format!("milestones/{}", milestone.number));
        let within = |open: bool| {
            let mine = |issue: &&Issue| issue.milestone == Some(milestone.number) && issue.open == open;
            self.board.issues.values().filter(mine).count()
        };
        json!({
            "url": api,
            "html_url": self.html(&format!("milestone/{}", milestone.number)),
            "labels_url": format!("{api}/labels"),
            "id": milestone.id,
            "node_id": node_id("MI", milestone.id),
            "number": milestone.number,
            "title": milestone.title,
            "description": milestone.description,
            "creator": self.user(&milestone.creator),
            "open_issues": within(true),
            "closed_issues": within(false),
            "state": if milestone.open { "open" } else { "closed" },
            "created_at": milestone.created_at,
            "updated_at": milestone.updated_at,
            "closed_at": milestone.closed_at,
            "due_on": milestone.due_on,
        })
    }

    /// A comment of the issue or pull request `number`.
    pub(super) fn comment(&self, number: u64, comment: &Comment) -> Value {
        let api = self.api(&format!("issues/comments/{}", comment.id));
        let is_pull = self.board.issues.get(&number).is_some_and(|issue| issue.pull.is_some());
        let page = if is_pull { "pull" } else { "issues" };
        let mut shown = json!({
            "url": api,
            "html_url": self.html(&format!("{page}/{number}#issuecomment-{}", comment.id)),
            "issue_url": self.api(&format!("issues/{number}")),
            "id": comment.id,
            "node_id": node_id("IC", comment.id),
            "user": self.user(&comment.author),
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "body": comment.body,
            "author_association": self.association(&comment.author),
            "reactions": self.reactions(&comment.reactions, &format!("{api}/reactions")),
            "performed_via_github_app": null,
        });
        if let Some(reason) = &comment.minimized {
            shown["minimized"] = json!({"reason": reason});
        }
        shown
    }

    /// How many reactions of each kind there are.
    pub(super) fn reactions(&self, reactions: &[Reaction], url: &str) -> Value {
        let mut rollup = json!({"url": url, "total_count": reactions.len()});
        for content in REACTIONS {
            rollup[content] = reactions.iter().filter(|one| one.content == content).count().into();
        }
        rollup
    }

    pub(super) fn reaction(&self, reaction: &Reaction) -> Value {
        json!({
            "id": reaction.id,
            "node_id": node_id("REA", reaction.id),
            "user": self.user(&reaction.login),
            "content": reaction.content,
            "created_at": reaction.created_at,
        })
    }
}

/// The node id of an issue; a pull request has its own also where it is shown as an issue.
pub(super) fn issue_node(issue: &Issue) -> String {
    match &issue.pull {
        Some(pull) => node_id("PR", pull.id),
        None => node_id("I", issue.id),
    }
}

/// An organization's type of issue.
pub(super) fn issue_type(kind: &IssueType) -> Value {
    json!({
        "id": kind.id,
        "node_id": node_id("IT", kind.id),
        "name": kind.name,
        "description": kind.description,
        "color": kind.color,
        "created_at": kind.created_at,
        "updated_at": kind.created_at,
        "is_enabled": true,
    })
}

/// What somebody is to a repository (docs.github.com, GraphQL enum `CommentAuthorAssociation`).
pub(super) fn association(
    state: &State,
    repo: &Repository,
    board: &RepositoryTracker,
    login: &str,
) -> &'static str {
    let collaborates = repo.collaborators.keys().any(|name| name.eq_ignore_ascii_case(login));
    if repo.owner.eq_ignore_ascii_case(login) {
        "OWNER"
    } else if state.accounts.is_member(&repo.owner, login) {
        "MEMBER"
    } else if collaborates {
        "COLLABORATOR"
    } else if board.issues.values().any(|issue| {
        issue.author.eq_ignore_ascii_case(login)
            && issue.pull.as_ref().is_some_and(|pull| pull.merged_at.is_some())
    }) {
        "CONTRIBUTOR"
    } else {
        "NONE"
    }
}
