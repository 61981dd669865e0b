//! Completions for the arguments of prompts and the variables of templates.

use connector::catalog::Completions;

use crate::GitHub;

/// Every source of completions.
pub(crate) fn all() -> Vec<Completions<GitHub>> {
    Vec::new()
}
