//! The tools, one file per family: arguments, the work, the reply.

mod attach;
mod bulk;
mod changes;
mod comments;
mod cycles;
mod dates;
mod documents;
mod edits;
mod inbox;
mod initiatives;
mod issue_changes;
mod issues_list;
mod issues_read;
mod issues_write;
mod labels;
mod links;
mod milestones;
mod paging;
mod projects_read;
mod projects_write;
mod search;
mod section;
mod updates;
mod upload_source;
pub(crate) mod workspace;

use connector::catalog::Tool;

use crate::Linear;

/// Every tool.
pub(crate) fn all() -> Vec<Tool<Linear>> {
    let families = [
        workspace::tools(),
        issues_list::tools(),
        search::tools(),
        issues_read::tools(),
        issues_write::tools(),
        bulk::tools(),
        links::tools(),
        comments::tools(),
        projects_read::tools(),
        projects_write::tools(),
        milestones::tools(),
        cycles::tools(),
        initiatives::tools(),
        updates::tools(),
        documents::tools(),
        labels::tools(),
        attach::tools(),
        inbox::tools(),
    ];
    families.into_iter().flatten().collect()
}

/// What rows and texts come from, as fences and headers say it.
pub(crate) const FROM: &str = "Linear";

/// How many rows a listing gives: what was asked for, within what Linear allows.
pub(crate) fn limit(asked: Option<u32>, default: u32, most: u32) -> u32 {
    asked.unwrap_or(default).clamp(1, most)
}

/// Where a listing goes on: after a cursor of Linear's, past rows of that page that were shown already.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Position {
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
    #[serde(rename = "s", default)]
    pub(crate) skip: usize,
}

impl Position {
    /// How many rows to ask Linear for, to show `limit` of them.
    pub(crate) fn first(&self, limit: u32) -> u32 {
        limit.saturating_add(u32::try_from(self.skip).unwrap_or(0)).min(250)
    }

    /// The position after the first `kept` of the `shown` rows of this page, whose end is `next`.
    pub(crate) fn advance(&self, kept: usize, shown: usize, next: Option<&str>) -> Self {
        match next {
            Some(next) if kept >= shown => Self { after: Some(next.to_owned()), skip: 0 },
            _ => Self { after: self.after.clone(), skip: self.skip + kept },
        }
    }
}
