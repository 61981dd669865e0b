//! What a push brings with it.

use crate::sandbox::{Site, actions, state::State};

/// After a branch has been moved: the workflows start that wait for a push to it, or for new commits of the pull
/// requests that come from it.
pub(in crate::sandbox) fn pushed(
    site: &Site,
    state: &mut State,
    repo: u64,
    branch: &str,
    sha: &str,
    actor: &str,
) {
    let Some(here) = state.repos.get(repo) else { return };
    let title = here.git.commit(sha).map(|commit| commit.subject().to_owned()).unwrap_or_default();
    let board = state.tracker.board(repo);
    let pulls: Vec<_> = here
        .pulls
        .iter()
        .filter(|(_, from)| *from == branch)
        .filter_map(|(number, _)| board.issues.get(number).map(|issue| issue.title.clone()))
        .collect();
    actions::happened(site, state, repo, "push", branch, sha, &title, actor);
    for title in pulls {
        actions::happened(site, state, repo, "pull_request", branch, sha, &title, actor);
    }
}
