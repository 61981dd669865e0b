//! The tools, one folder or file per family: arguments, the work, the reply.

mod actions;
pub(crate) mod context;
mod discussions;
mod gists;
mod inbox;
mod issues;
pub(crate) mod listing;
mod projects;
mod pulls;
mod raw;
mod repos;
mod search;
mod security;

use connector::catalog::Tool;

use crate::GitHub;

/// Every tool.
pub(crate) fn all() -> Vec<Tool<GitHub>> {
    Tool::gather(&[
        issues::tools,
        repos::tools,
        pulls::tools,
        discussions::tools,
        gists::tools,
        inbox::tools,
        context::tools,
        projects::tools,
        search::tools,
        security::tools,
        actions::tools,
        raw::tools,
    ])
}

/// What rows and texts come from, as fences and headers say it.
pub(crate) const FROM: &str = "GitHub";
