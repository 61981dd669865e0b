//! Prompts.

use connector::catalog::Prompt;

use crate::HubSpot;

pub(crate) fn all() -> Vec<Prompt<HubSpot>> {
    Vec::new()
}
