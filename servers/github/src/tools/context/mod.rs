//! Who one is, and the people around: the account, teams and their members.

pub(crate) mod account;
mod members;

use connector::catalog::Tool;

use crate::GitHub;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    Tool::gather(&[account::tools, members::tools])
}
