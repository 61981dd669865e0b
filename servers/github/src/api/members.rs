//! Teams of organizations, and who is in them.

use connector::Result;
use serde::Deserialize;

use super::{Api, Listed, Operation, SELDOM, Target, route};

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[];

/// A team.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Team {
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// `secret` or `closed`.
    pub(crate) privacy: String,
    pub(crate) parent: Parent,
}

/// The team that a team is in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parent {
    pub(crate) slug: String,
}

/// A member of a team.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Member {
    pub(crate) login: String,
    /// `member` or `maintainer`, where GitHub tells.
    pub(crate) role: String,
}

impl Api {
    /// The teams of an organization that the caller may see.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn teams(&self, org: &str, per_page: u32, after: Option<&str>) -> Result<Listed<Team>> {
        let request = route("GET /orgs/{org}/teams", &[org]).cache(SELDOM, std::iter::empty::<String>());
        self.list(Target::Owner(org), request, None, per_page, after).await
    }

    /// The members of a team, those of teams below it too.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn team_members(
        &self,
        org: &str,
        team: &str,
        per_page: u32,
        after: Option<&str>,
    ) -> Result<Listed<Member>> {
        let request = route("GET /orgs/{org}/teams/{team_slug}/members", &[org, team])
            .cache(SELDOM, std::iter::empty::<String>());
        self.list(Target::Owner(org), request, None, per_page, after).await
    }
}
