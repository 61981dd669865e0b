//! The tools, one file per family: arguments, the work, the reply.

mod account;
mod activities;
mod aggregate;
mod associate;
mod beside;
mod columns;
mod describe;
mod duplicates;
mod found;
mod lag;
mod lists;
mod namesakes;
mod optional;
mod records;
mod remove;
mod rule;
mod scan;
mod search;
mod timeline;
mod write;

use connector::catalog::Tool;

use crate::HubSpot;

/// Every tool.
pub(crate) fn all() -> Vec<Tool<HubSpot>> {
    Tool::gather(&[
        account::tools,
        describe::tools,
        search::tools,
        records::tools,
        aggregate::tools,
        duplicates::tools,
        timeline::tools,
        activities::tools,
        write::tools,
        associate::tools,
        remove::tools,
        lists::tools,
        optional::tools,
    ])
}

/// What rows and texts come from, as fences and headers say it.
pub(crate) const FROM: &str = "HubSpot";
