//! The tools, one file per family: arguments, the work, the reply.

mod read;
mod search;
pub(crate) mod whoami;

use connector::catalog::Tool;

use crate::Notion;

/// Every tool.
pub(crate) fn all() -> Vec<Tool<Notion>> {
    Tool::gather(&[whoami::tools, search::tools, read::tools])
}

/// What rows and texts come from, as fences and headers say it.
pub(crate) const FROM: &str = "Notion";
