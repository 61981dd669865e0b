//! The tools, one file per family: arguments, the work, the reply.

mod blocks;
mod comments;
mod create;
mod edit;
mod files;
mod outcome;
mod people;
mod place;
mod query;
mod read;
mod schema;
mod search;
mod tables;
mod update;
mod views;
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
        blocks::tools,
        files::tools,
        schema::tools,
        views::tools,
        place::tools,
    ])
}

/// What rows and texts come from, as fences and headers say it.
pub(crate) const FROM: &str = "Notion";
