//! GitHub's security.

use super::Operation;

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[];
