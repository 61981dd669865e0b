//! Repositories: themselves, their files, branches, history, commits and releases.

mod branches;
mod commit;
mod diff;
mod drafts;
mod files;
mod history;
mod parts;
mod ref_writes;
mod refs;
mod releases;
mod repositories;
mod tree;

use connector::catalog::Tool;

use crate::GitHub;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    Tool::gather(&[
        commit::tools,
        diff::tools,
        files::tools,
        history::tools,
        refs::tools,
        releases::tools,
        repositories::tools,
        tree::tools,
    ])
}
