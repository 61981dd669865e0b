//! Issues, pull requests, reviews, labels, milestones.

use serde::Serialize;
use serde_json::Value;

use super::{route::Route, state::State};

pub(super) const ROUTES: &[Route] = &[];

/// Issues, pull requests, reviews, labels, milestones.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Tracker {}

impl Tracker {
    pub(super) fn from_seed(_seed: &Value, _state: &mut State) -> Result<Self, String> {
        Ok(Self::default())
    }
}
