//! Notifications, gists, discussions, projects, security alerts.

use serde::Serialize;
use serde_json::Value;

use super::{route::Route, state::State};

pub(super) const ROUTES: &[Route] = &[];

/// Notifications, gists, discussions, projects, security alerts.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Social {}

impl Social {
    pub(super) fn from_seed(_seed: &Value, _state: &State) -> Result<Self, String> {
        Ok(Self::default())
    }
}
