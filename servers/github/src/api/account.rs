//! Whose credential it is, and what is left of its limits.

use connector::{Result, tolerant};
use serde::Deserialize;

use super::{Api, SELDOM, Scope, route};

/// A user as GitHub shows the caller.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Viewer {
    #[serde(deserialize_with = "tolerant::text")]
    pub(crate) login: String,
    #[serde(deserialize_with = "tolerant::text")]
    pub(crate) name: String,
    #[serde(rename = "type", deserialize_with = "tolerant::text")]
    pub(crate) kind: String,
}

impl Api {
    /// The user whose credential it is.
    ///
    /// # Errors
    /// As [`Api::json`]; `permission` for an installation of an app, which is no user.
    pub(crate) async fn viewer(&self) -> Result<Viewer> {
        let request = route("GET /user", &[]).cache(SELDOM, std::iter::empty::<String>());
        self.json(Scope::Viewer, request).await
    }
}
