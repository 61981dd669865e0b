//! Issues: listed, read, written, commented on, linked, and what they are sorted by.

mod bulk;
mod comments;
pub(super) mod conversation;
mod events;
mod head;
mod links;
pub(super) mod list;
mod planning;
mod read;
pub(super) mod rows;
mod steps;
mod update;
pub(super) mod write;

use connector::catalog::Tool;

pub(super) use self::update::same_moment;

use crate::GitHub;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    Tool::gather(&[comments::tools, list::tools, read::tools, write::tools, links::tools, planning::tools])
}
