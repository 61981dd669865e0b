//! The tools, a file per family: arguments, the work, the reply.

mod account;
mod notes;
mod search;

use connector::prelude::*;

use crate::Template;

/// Every tool.
pub(crate) fn all() -> Vec<Tool<Template>> {
    Tool::gather(&[account::tools, notes::tools, search::tools])
}

/// What rows and texts come from, as fences and headers say it.
pub(crate) const FROM: &str = Template::ABOUT.title;
