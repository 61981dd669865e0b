//! GitHub Actions: runs, their jobs and logs, and workflows started.

mod logs;
mod run_detail;
mod runs;
mod workflow;

use connector::catalog::Tool;

use crate::GitHub;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    Tool::gather(&[logs::tools, run_detail::tools, runs::tools, workflow::tools])
}
