//! Alerts and advisories of a repository.

use connector::Result;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Api, Listed, Operation, Target, issues::Person, route};
use crate::repo::Repo;

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[];

/// An alert of code scanning.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CodeAlert {
    pub(crate) number: String,
    pub(crate) state: String,
    pub(crate) created_at: String,
    pub(crate) dismissed_reason: String,
    pub(crate) rule: Rule,
    pub(crate) tool: Tool,
    pub(crate) most_recent_instance: Instance,
}

/// What code scanning looked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Rule {
    pub(crate) id: String,
    severity: String,
    security_severity_level: String,
    pub(crate) description: String,
}

impl Rule {
    /// How severe, as far as security goes; else as far as the tool says.
    pub(crate) fn severity(&self) -> &str {
        if self.security_severity_level.is_empty() { &self.severity } else { &self.security_severity_level }
    }
}

/// What found it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tool {
    pub(crate) name: String,
}

/// Where it was found last.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Instance {
    pub(crate) location: Location,
    pub(crate) message: Message,
}

/// A place in a file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Location {
    pub(crate) path: String,
    pub(crate) start_line: String,
}

/// What was found, in words.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Message {
    pub(crate) text: String,
}

/// An alert of Dependabot.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DependencyAlert {
    pub(crate) number: String,
    pub(crate) state: String,
    pub(crate) created_at: String,
    pub(crate) dismissed_reason: String,
    pub(crate) dependency: Dependency,
    pub(crate) security_advisory: Advisory,
    pub(crate) security_vulnerability: Vulnerability,
}

/// What a repository depends on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Dependency {
    pub(crate) package: Package,
    pub(crate) manifest_path: String,
    pub(crate) scope: String,
}

/// A package.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Package {
    pub(crate) ecosystem: String,
    pub(crate) name: String,
}

/// Which versions of a package are affected.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Vulnerability {
    pub(crate) package: Package,
    pub(crate) vulnerable_version_range: String,
    first_patched_version: Version,
    patched_versions: String,
}

/// A version.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Version {
    identifier: String,
}

impl Vulnerability {
    /// The versions that are not affected any more; empty if there is none.
    pub(crate) fn patched(&self) -> &str {
        let first = &self.first_patched_version.identifier;
        if first.is_empty() { &self.patched_versions } else { first }
    }
}

/// An advisory.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Advisory {
    pub(crate) ghsa_id: String,
    pub(crate) cve_id: String,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) severity: String,
    pub(crate) state: String,
    pub(crate) published_at: String,
    pub(crate) created_at: String,
    pub(crate) vulnerabilities: Vec<Vulnerability>,
}

/// An alert of secret scanning. The secret itself is neither asked for nor read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SecretAlert {
    pub(crate) number: String,
    pub(crate) state: String,
    pub(crate) created_at: String,
    pub(crate) resolution: String,
    pub(crate) resolution_comment: String,
    pub(crate) resolved_by: Person,
    pub(crate) secret_type: String,
    secret_type_display_name: String,
    pub(crate) validity: String,
    pub(crate) publicly_leaked: bool,
    pub(crate) push_protection_bypassed: bool,
}

impl SecretAlert {
    /// What kind of secret it is.
    pub(crate) fn what(&self) -> &str {
        if self.secret_type_display_name.is_empty() {
            &self.secret_type
        } else {
            &self.secret_type_display_name
        }
    }
}

/// What is listed as an alert of a repository.
pub(crate) trait Alert: DeserializeOwned {
    /// Where.
    const ROUTE: &'static str;
    /// What is asked for besides.
    const QUERY: &'static [(&'static str, &'static str)] = &[];
}

impl Alert for CodeAlert {
    const ROUTE: &'static str = "GET /repos/{owner}/{repo}/code-scanning/alerts";
}

impl Alert for DependencyAlert {
    const ROUTE: &'static str = "GET /repos/{owner}/{repo}/dependabot/alerts";
}

impl Alert for SecretAlert {
    const ROUTE: &'static str = "GET /repos/{owner}/{repo}/secret-scanning/alerts";
    const QUERY: &'static [(&'static str, &'static str)] = &[("hide_secret", "true")];
}

impl Alert for Advisory {
    const ROUTE: &'static str = "GET /repos/{owner}/{repo}/security-advisories";
}

/// What is listed of alerts.
#[derive(Clone, Debug, Default)]
pub(crate) struct AlertFilter {
    pub(crate) state: Option<String>,
    pub(crate) severity: Option<String>,
}

impl Api {
    /// Alerts of a kind.
    ///
    /// # Errors
    /// As [`Api::json`]; where the kind is off, `not_found` or, for Dependabot, `permission`.
    pub(crate) async fn alerts<A: Alert>(
        &self,
        repo: &Repo,
        filter: &AlertFilter,
        per_page: u32,
        after: Option<&str>,
    ) -> Result<Listed<A>> {
        let mut request = route(A::ROUTE, &[&repo.owner, &repo.name]);
        for (name, value) in [("state", &filter.state), ("severity", &filter.severity)] {
            if let Some(value) = value {
                request = request.query(name, value);
            }
        }
        for &(name, value) in A::QUERY {
            request = request.query(name, value);
        }
        self.list(Target::Repo(repo), request, None, per_page, after).await
    }
}
