//! Pull requests: listed, read, opened, changed, reviewed, merged.

mod create;
mod diff_lines;
mod head_branch;
mod list;
mod merge;
mod merging;
mod parts;
mod read;
mod revert;
mod review;
mod reviewers;
mod threads;
mod unread;
mod words;
mod write;

use connector::catalog::Tool;

use crate::GitHub;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    Tool::gather(&[
        merge::tools,
        create::tools,
        list::tools,
        read::tools,
        write::tools,
        review::tools,
        threads::tools,
    ])
}
