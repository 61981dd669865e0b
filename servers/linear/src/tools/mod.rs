//! The tools, one file per family: arguments, the work, the reply.

mod attach;
mod bulk;
mod comments;
mod comments_write;
mod cycles;
mod dates;
mod documents;
mod inbox;
mod initiatives;
mod issue_changes;
mod issue_fields;
mod issue_relations;
mod issue_rules;
mod issues_archive;
mod issues_list;
mod issues_read;
mod issues_write;
mod labels;
mod links;
mod milestones;
mod outcome;
mod paging;
mod projects_read;
mod projects_write;
mod search;
mod updates;
pub(crate) mod workspace;

use connector::catalog::{Position, Tool, edits, limit};

use crate::Linear;

/// Every tool.
pub(crate) fn all() -> Vec<Tool<Linear>> {
    Tool::gather(&[
        workspace::tools,
        issues_list::tools,
        search::tools,
        issues_read::tools,
        issues_write::tools,
        issues_archive::tools,
        bulk::tools,
        links::tools,
        comments::tools,
        projects_read::tools,
        projects_write::tools,
        milestones::tools,
        cycles::tools,
        initiatives::tools,
        updates::tools,
        documents::tools,
        labels::tools,
        attach::tools,
        inbox::tools,
    ])
}

/// What rows and texts come from, as fences and headers say it.
pub(crate) const FROM: &str = "Linear";
