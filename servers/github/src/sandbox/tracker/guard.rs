//! A request inside one repository's tracker, with the state locked.

use std::sync::MutexGuard;

use serde_json::Value;

use super::{
    super::{
        Site,
        auth::Caller,
        errors::{ApiError, Outcome},
        repos::{self, Repository},
        request::{FakeResponse, GitHubRequest as _, RequestContext},
        state::State,
    },
    model::{Issue, RepositoryTracker, What},
    show::{self, Show},
    transitions,
};

/// A request inside one repository's tracker. The state is locked until this is dropped.
pub(super) struct TrackerGuard<'a> {
    pub(super) site: &'a Site,
    pub(super) state: MutexGuard<'a, State>,
    pub(super) repo: u64,
    caller: &'a Caller,
    /// Who asks; empty for nobody.
    pub(super) viewer: &'a str,
    pub(super) now: String,
    newer: bool,
}

impl<'a> TrackerGuard<'a> {
    /// Locks the state, and lets come what branches and checks brought since the last look.
    ///
    /// # Errors
    /// 404 if the repository is gone.
    pub(super) fn enter(cx: &'a RequestContext<'_>) -> Outcome<Self> {
        Self::enter_at(cx, cx.target)
    }

    /// The same in this repository: for what names it otherwise than by the route.
    ///
    /// # Errors
    /// 404 if there is no such repository.
    pub(super) fn enter_at(cx: &'a RequestContext<'_>, repo: u64) -> Outcome<Self> {
        let now = cx.site.now();
        let mut state = cx.site.state();
        if repo != 0 {
            state.repos.get(repo).ok_or_else(ApiError::not_found)?;
            transitions::settle(cx.site, &mut state, repo, &now);
        }
        let newer = show::newer(cx);
        let (caller, viewer) = (cx.caller, cx.caller.login());
        Ok(Self { site: cx.site, state, repo, caller, viewer, now, newer })
    }

    pub(super) fn repository(&self) -> Outcome<&Repository> {
        self.state.repos.get(self.repo).ok_or_else(ApiError::not_found)
    }

    pub(super) fn board(&self) -> &RepositoryTracker {
        self.state.tracker.board(self.repo)
    }

    pub(super) fn board_mut(&mut self) -> &mut RepositoryTracker {
        self.state.tracker.board_mut(self.repo)
    }

    /// What is needed to show things.
    pub(super) fn show(&self) -> Outcome<Show<'_>> {
        Ok(Show {
            site: self.site,
            state: &self.state,
            repo: self.repository()?,
            board: self.board(),
            viewer: self.viewer,
            newer: self.newer,
        })
    }

    /// The issue or pull request of the route's `{issue_number}`.
    pub(super) fn issue(&self, cx: &RequestContext<'_>) -> Outcome<&Issue> {
        self.numbered(cx.number("issue_number")?)
    }

    /// The issue or pull request of a number.
    pub(super) fn numbered(&self, number: u64) -> Outcome<&Issue> {
        self.board().issues.get(&number).ok_or_else(ApiError::not_found)
    }

    pub(super) fn issue_mut(&mut self, number: u64) -> Outcome<&mut Issue> {
        self.board_mut().issues.get_mut(&number).ok_or_else(ApiError::not_found)
    }

    pub(super) fn by_id_mut(&mut self, id: u64) -> Option<&mut Issue> {
        self.state.tracker.by_id_mut(id)
    }

    /// Notes that something happened to the issue of this id.
    pub(super) fn note(&mut self, issue: u64, what: What) {
        let event = self.state.next_id();
        let (actor, now) = (self.viewer, self.now.clone());
        if let Some(issue) = self.state.tracker.by_id_mut(issue) {
            issue.happened(event, actor, &now, what);
        }
    }

    /// Notes that something happened to the issue of this number.
    pub(super) fn note_here(&mut self, number: u64, what: What) {
        let event = self.state.next_id();
        let (actor, now) = (self.viewer, self.now.clone());
        if let Ok(issue) = self.issue_mut(number) {
            issue.happened(event, actor, &now, what);
        }
    }

    /// The issue of this id, shown; none if it is not there or not to be seen.
    pub(super) fn show_id(&self, id: u64) -> Option<Value> {
        let (repo, issue) = self.state.tracker.by_id(id)?;
        let seen = self.state.repos.get(repo).is_some_and(|repo| repos::sees(self.caller, repo));
        if !seen {
            return None;
        }
        Some(self.show().ok()?.over(repo)?.issue(issue))
    }

    /// The page of issues with these ids that is asked for.
    pub(super) fn page_of_ids(&self, cx: &RequestContext<'_>, ids: &[u64]) -> FakeResponse {
        let shown: Vec<_> = ids.iter().filter_map(|id| self.show_id(*id)).collect();
        cx.page(&shown, Clone::clone)
    }
}
