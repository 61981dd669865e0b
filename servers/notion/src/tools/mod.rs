//! The tools, one file per family: arguments, the work, the reply.

mod blocks;
mod comments;
mod create;
mod edit;
mod files;
mod groups;
mod moves;
mod outcome;
mod people;
mod place;
mod query;
mod read;
mod schema;
mod search;
mod slices;
mod tables;
mod templates;
mod told;
mod update;
mod uploads;
mod views;
pub(crate) mod whoami;

use connector::catalog::Tool;
use schemars::{Schema, SchemaGenerator};

use crate::Notion;

/// The schema of values and conditions by column: what a list gains and loses, and what is compared, are objects.
fn values_by_column(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({
        "type": "object",
        "additionalProperties": {
            "type": ["string", "number", "boolean", "array", "object"],
            "items": {"type": ["string", "object"]},
        },
    })
}

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
        uploads::tools,
        schema::tools,
        views::tools,
        place::tools,
    ])
}

/// What rows and texts come from, as fences and headers say it.
pub(crate) const FROM: &str = "Notion";
