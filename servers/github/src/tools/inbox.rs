//! Notifications.

use connector::catalog::Tool;

use crate::GitHub;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    Vec::new()
}
