//! What the fake can do: all of it (`GET /_github/routes` lists the routes), or what an older server can.
//!
//! `POST /_github/profile` makes the fake one, for tests of how an own server of an earlier version is spoken
//! to; every part may be left out, and `{}` makes it github.com again:
//!
//! ```json
//! {
//!   "hide": ["Issue.issueType", "IssueType", "CreateIssueInput.issueTypeId", "Repository.issues.filterBy"],
//!   "routes": ["GET /versions", "GET /repos/{owner}/{repo}/issues/{issue_number}/sub_issues"],
//!   "versions": ["2022-11-28"],
//!   "enterprise": "3.19.0"
//! }
//! ```

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    dispatch::VERSIONS,
    errors::{ApiError, Outcome},
    request::{FakeResponse, RequestContext},
    route::{ANY, Route, route},
};

pub(super) const ROUTES: &[Route] =
    &[route("POST /_github/profile", ANY, set), route("GET /_github/routes", ANY, routes)];

/// What kind of server this is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Profile {
    /// What its GraphQL schema lacks.
    hide: BTreeSet<String>,
    /// Routes that there are not, as GitHub documents them.
    routes: BTreeSet<String>,
    /// The versions of the REST API that it knows; none for all.
    versions: Option<BTreeSet<String>>,
    /// The version of GitHub Enterprise Server that it is.
    pub(super) enterprise: Option<String>,
}

impl Profile {
    /// Whether it knows a version of the REST API.
    pub(super) fn speaks(&self, version: &str) -> bool {
        VERSIONS.contains(&version) && self.versions.as_ref().is_none_or(|known| known.contains(version))
    }

    /// Whether it lacks a route.
    pub(super) fn lacks(&self, template: &str) -> bool {
        self.routes.contains(template)
    }
}

fn set(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let profile: Profile =
        serde_json::from_slice(&cx.body).map_err(|error| ApiError::unprocessable(error.to_string()))?;
    cx.site.graphql.hide(&profile.hide)?;
    cx.site.set_profile(profile);
    Ok(FakeResponse::none())
}

/// Every route, as GitHub documents it.
fn routes(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let templates = cx.site.routes.asked().map(|(route, _)| route.template());
    Ok(FakeResponse::json(templates.collect::<Vec<_>>()))
}
