//! GitHub Actions: runs, their jobs and logs, and workflows started.

mod logs;
mod run_detail;
mod runs;
mod workflow;

use connector::catalog::Tool;

use crate::GitHub;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    let files = [logs::tools(), run_detail::tools(), runs::tools(), workflow::tools()];
    files.into_iter().flatten().collect()
}
