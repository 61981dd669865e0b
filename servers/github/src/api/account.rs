//! Whose credential it is, what it may do, and what is left of its limits.

use connector::{
    Kind, Result,
    upstream::{Response, Upstream},
};
use serde::Deserialize;
use serde_json::Value;

use super::{Account, Api, SELDOM, Target, route};
use crate::repo::Repo;

/// A user as GitHub shows the caller.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Viewer {
    pub(crate) login: String,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// A user, and what GitHub's answer tells of the token besides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) viewer: Viewer,
    /// The scopes of a classic or OAuth token; none for tokens that have permissions instead.
    pub(crate) scopes: Option<Vec<String>>,
    /// When the token ends, as GitHub writes it: `2026-12-31 09:00:00 UTC`.
    pub(crate) expires: Option<String>,
    /// The version of a GitHub Enterprise Server.
    pub(crate) enterprise: Option<String>,
}

/// What an installation of an app sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Installed {
    /// How many repositories.
    pub(crate) repositories: u64,
    /// `all` or `selected`, as the one who installed it chose.
    pub(crate) selection: String,
    /// Whose repositories, by the first of them.
    pub(crate) owner: String,
    /// The version of a GitHub Enterprise Server.
    pub(crate) enterprise: Option<String>,
}

/// One of GitHub's budgets.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Limit {
    #[serde(skip)]
    pub(crate) name: &'static str,
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    /// Seconds since the epoch.
    pub(crate) reset: u64,
}

/// The budgets that this server draws on, in the order in which they are told.
const LIMITS: [&str; 4] = ["core", "graphql", "search", "code_search"];

/// What the caller may do in a repository.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Access {
    pub(crate) full_name: String,
    pub(crate) default_branch: String,
    pub(crate) archived: bool,
    permissions: Permissions,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Permissions {
    admin: bool,
    maintain: bool,
    push: bool,
    triage: bool,
    pull: bool,
}

impl Access {
    /// The word for the caller's role; empty where GitHub does not tell.
    pub(crate) fn role(&self) -> &'static str {
        let Permissions { admin, maintain, push, triage, pull } = self.permissions;
        match (admin, maintain, push, triage, pull) {
            (true, ..) => "admin",
            (_, true, ..) => "maintain",
            (_, _, true, ..) => "write",
            (_, _, _, true, _) => "triage",
            (.., true) => "read",
            _ => "",
        }
    }
}

/// An organization, or a team of one, that the caller belongs to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Membership {
    login: String,
    slug: String,
    organization: Owner,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Owner {
    login: String,
}

impl Membership {
    /// `acme`, or `acme/team` for a team.
    pub(crate) fn name(&self) -> String {
        if self.slug.is_empty() {
            self.login.clone()
        } else {
            format!("{}/{}", self.organization.login, self.slug)
        }
    }
}

impl Api {
    /// The user whose credential it is.
    ///
    /// # Errors
    /// As [`Api::json`]; `permission` for an installation of an app, which is no user.
    pub(crate) async fn viewer(&self) -> Result<Viewer> {
        Ok(self.identity().await?.viewer)
    }

    /// The user whose credential it is, and what GitHub tells of the credential.
    ///
    /// # Errors
    /// As [`Api::viewer`].
    pub(crate) async fn identity(&self) -> Result<Identity> {
        self.identity_by(self.upstream()).await
    }

    /// The same for the credential of some owners.
    ///
    /// # Errors
    /// As [`Api::viewer`].
    pub(crate) async fn identity_of(&self, account: &Account) -> Result<Identity> {
        self.identity_by(&account.upstream).await
    }

    async fn identity_by(&self, upstream: &Upstream) -> Result<Identity> {
        let request = route("GET /user", &[]).cache(SELDOM, ["viewer"]);
        let response = upstream.send(self.0.dialect.speak(request)).await?;
        Ok(Identity {
            viewer: response.json()?,
            scopes: response.header("x-oauth-scopes").map(scopes),
            expires: response.header("github-authentication-token-expiration").map(str::to_owned),
            enterprise: enterprise(&response),
        })
    }

    /// What the installation sees whose credential it is.
    ///
    /// # Errors
    /// As [`Api::json`]; `permission` for anybody else.
    pub(crate) async fn installed(&self) -> Result<Installed> {
        self.installed_by(self.upstream()).await
    }

    /// The same for the credential of some owners.
    ///
    /// # Errors
    /// As [`Api::installed`].
    pub(crate) async fn installed_of(&self, account: &Account) -> Result<Installed> {
        self.installed_by(&account.upstream).await
    }

    async fn installed_by(&self, upstream: &Upstream) -> Result<Installed> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Seen {
            total_count: u64,
            repository_selection: String,
            repositories: Vec<Owned>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Owned {
            owner: Owner,
        }
        let request =
            route("GET /installation/repositories", &[]).query("per_page", "1").cache(SELDOM, ["viewer"]);
        let response = upstream.send(self.0.dialect.speak(request)).await?;
        let seen: Seen = response.json()?;
        Ok(Installed {
            repositories: seen.total_count,
            selection: seen.repository_selection,
            owner: seen.repositories.into_iter().next().unwrap_or_default().owner.login,
            enterprise: enterprise(&response),
        })
    }

    /// What is left of the limits, now; nothing where there are none, as on an own server at its defaults.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn limits(&self) -> Result<Vec<Limit>> {
        let answer: Value = match self.json(Target::Viewer, route("GET /rate_limit", &[])).await {
            Ok(answer) => answer,
            Err(error) if error.kind() == Kind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let limit = |name: &'static str| {
            let told: Limit = connector::tolerant::from_value(answer["resources"][name].clone()).ok()?;
            (told.limit > 0).then_some(Limit { name, ..told })
        };
        Ok(LIMITS.into_iter().filter_map(limit).collect())
    }

    /// The organizations that the user belongs to, at most a hundred.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn my_organizations(&self) -> Result<Vec<Membership>> {
        self.memberships("GET /user/orgs").await
    }

    /// The teams that the user belongs to, at most a hundred.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn my_teams(&self) -> Result<Vec<Membership>> {
        self.memberships("GET /user/teams").await
    }

    async fn memberships(&self, which: &'static str) -> Result<Vec<Membership>> {
        let request = route(which, &[]).cache(SELDOM, std::iter::empty::<String>());
        Ok(self.list(Target::Viewer, request, None, 100, None).await?.items)
    }

    /// What the caller may do in `repo`.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn access(&self, repo: &Repo) -> Result<Access> {
        let request = route("GET /repos/{owner}/{repo}", &[&repo.owner, &repo.name])
            .cache(SELDOM, std::iter::empty::<String>());
        self.json(Target::Repo(repo), request).await
    }
}

/// `repo, read:org` as a list. An empty header is a token without scopes.
fn scopes(header: &str) -> Vec<String> {
    header.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect()
}

fn enterprise(response: &Response) -> Option<String> {
    response.header("x-github-enterprise-version").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_the_highest_of_the_permissions() {
        let role =
            |text: &str| connector::tolerant::from_slice::<Access>(text.as_bytes()).unwrap().value.role();
        assert_eq!(role(r#"{"permissions": {"admin": false, "push": true, "pull": true}}"#), "write");
        assert_eq!(role(r#"{"permissions": {"admin": true, "pull": true}}"#), "admin");
        assert_eq!((role(r#"{"permissions": null}"#), scopes("").len()), ("", 0));
        assert_eq!(scopes("repo, read:org"), ["repo", "read:org"]);
    }
}
