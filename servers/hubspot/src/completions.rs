//! Completions.

use connector::catalog::Completions;

use crate::HubSpot;

pub(crate) fn all() -> Vec<Completions<HubSpot>> {
    Vec::new()
}
