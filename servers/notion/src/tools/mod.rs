//! The tools, one file per family: arguments, the work, the reply.

mod comments;
mod create;
mod edit;
mod people;
mod place;
mod query;
mod read;
mod search;
mod tables;
mod update;
pub(crate) mod whoami;

use connector::catalog::Tool;

use crate::Notion;

/// Every tool.
pub(crate) fn all() -> Vec<Tool<Notion>> {
    Tool::gather(&[
        whoami::tools,
        search::tools,
        read::tools,
        tables::tools,
        query::tools,
        people::tools,
        comments::tools,
        create::tools,
        update::tools,
        edit::tools,
        place::tools,
    ])
}

/// What rows and texts come from, as fences and headers say it.
pub(crate) const FROM: &str = "Notion";
