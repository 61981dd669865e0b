//! What people may do to issues and pull requests, by their role in the repository.

use super::{
    super::{
        errors::{ApiError, Outcome},
        repos::{Repository, Role},
    },
    guard::TrackerGuard,
};

/// The coding agent, as the GraphQL API names it (docs.github.com, "Using the API to assign issues to Copilot").
pub(super) const AGENT: &str = "copilot-swe-agent";

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// Label, assign, close, link: from the triage role up (docs.github.com, "Repository roles for an
    /// organization").
    Triage,
    /// Write: milestones, merging.
    Push,
}

/// Whether somebody has a right. Apps have every right their token has, which the route's guard has checked.
pub(super) fn has(repo: &Repository, login: &str, right: Right) -> bool {
    let least = match right {
        Right::Triage => Role::Triage,
        Right::Push => Role::Write,
    };
    login.ends_with("[bot]") || repo.role(login).is_some_and(|role| role >= least)
}

/// Refuses who has no right.
pub(super) fn need(guard: &TrackerGuard<'_>, right: Right) -> Outcome<()> {
    if has(guard.repository()?, guard.viewer, right) {
        return Ok(());
    }
    Err(ApiError::forbidden("Must have admin rights to Repository."))
}

/// Refuses who has no right and did not write it.
pub(super) fn need_or_own(guard: &TrackerGuard<'_>, right: Right, author: &str) -> Outcome<()> {
    if author.eq_ignore_ascii_case(guard.viewer) { Ok(()) } else { need(guard, right) }
}

/// Whether an issue may be assigned to somebody: those with write access, and organization members with
/// read access who take part (docs.github.com, "Check if a user can be assigned").
pub(super) fn assignable(repo: &Repository, login: &str) -> bool {
    login == AGENT || repo.role(login).is_some()
}
