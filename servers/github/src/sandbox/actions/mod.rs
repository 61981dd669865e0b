//! Workflows, runs, jobs, logs, checks, statuses.

use serde::Serialize;
use serde_json::Value;

use super::{route::Route, state::State};

pub(super) const ROUTES: &[Route] = &[];

/// Workflows, runs, jobs, logs, checks, statuses.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Actions {}

impl Actions {
    pub(super) fn from_seed(_seed: &Value, _state: &State) -> Result<Self, String> {
        Ok(Self::default())
    }
}
