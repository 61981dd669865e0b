//! Prompts: each gathers from GitHub what its task needs, and says what to do with it.

use connector::catalog::Prompt;

use crate::GitHub;

/// Every prompt.
pub(crate) fn all() -> Vec<Prompt<GitHub>> {
    Vec::new()
}
