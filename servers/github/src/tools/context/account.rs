//! Whose credential it is, what it may do, and what is left of the limits.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Reply, Tool, one_line},
    clock,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    GitHub,
    api::account::{Identity, Installed, Limit, Membership},
    render::thousands,
    scopes,
};

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "whoami",
            "Who am I",
            "User or app, scopes, rate limits. Repositories: list_repos.",
            whoami,
        )
        .toolset("context")
        .output::<Me>(),
    ]
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Whoami {
    include: Option<Vec<Part>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Part {
    Orgs,
    Teams,
}

/// The answer of `whoami`.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Me {
    login: String,
    credential: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    limits: Vec<Left>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_repo: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    orgs: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    teams: Vec<String>,
    sandbox: bool,
}

/// What is left of one budget.
#[derive(Debug, Serialize, JsonSchema)]
struct Left {
    name: &'static str,
    remaining: u64,
    limit: u64,
}

async fn whoami(call: Call<GitHub>, arguments: Whoami) -> Result<Reply> {
    let include = arguments.include.unwrap_or_default();
    let wants = |part: Part| include.contains(&part);
    let (who, limits, orgs, teams) = tokio::join!(
        who(&call),
        call.api().limits(),
        asked(wants(Part::Orgs), call.api().my_organizations()),
        asked(wants(Part::Teams), call.api().my_teams()),
    );
    let who = who?;
    let mut reply = Reply::new(format!("{}.", who.headline()));
    if call.is_sandbox() {
        reply = reply.line("This is the built-in sandbox: a fake GitHub. Nothing in it is real.");
    }
    reply = reply.line(format!("Credential: {}.", who.credential(call.credential())));
    for line in who.rights() {
        reply = reply.line(line);
    }
    let mut me = Me {
        login: who.login(),
        credential: call.credential().to_owned(),
        default_repo: call.bounds().default_repo().map(ToString::to_string),
        sandbox: call.is_sandbox(),
        ..Me::default()
    };
    if let Who::Person(identity) = &who {
        (me.scopes, me.expires) = (identity.scopes.clone(), identity.expires.clone());
    }
    match &limits {
        Ok(limits) => {
            reply = reply.line(format!("Limits left: {}.", limits_line(limits)));
            me.limits = limits
                .iter()
                .map(|limit| Left { name: limit.name, remaining: limit.remaining, limit: limit.limit })
                .collect();
        }
        Err(error) => reply = reply.line(format!("Limits left: not told ({}).", error.message())),
    }
    reply = reply.line(format!("{} list_repos lists them.", reach_line(&call)));
    for line in accounts(&call).await {
        reply = reply.line(line);
    }
    for (title, found, kept) in [("Organizations", orgs, &mut me.orgs), ("Teams", teams, &mut me.teams)] {
        match found {
            None => {}
            Some(Ok(found)) => {
                *kept = found.iter().map(Membership::name).collect();
                let names: Vec<_> = kept.iter().map(|name| one_line(name)).collect();
                let names =
                    if names.is_empty() { "none that the token sees".to_owned() } else { names.join(", ") };
                reply = reply.line(format!("{title}: {names}."));
            }
            Some(Err(error)) => {
                reply = reply.line(format!("{title}: could not be read. {}", error.for_agent()));
            }
        }
    }
    Ok(reply.data(&me))
}

/// The answer to something that may not have been asked for.
async fn asked<T>(wanted: bool, answer: impl Future<Output = T>) -> Option<T> {
    if wanted { Some(answer.await) } else { None }
}

/// Whom GitHub takes a credential for.
#[derive(Debug)]
pub(crate) enum Who {
    /// A user.
    Person(Identity),
    /// An installation of an app, which is no user.
    App {
        /// What it sees.
        installed: Installed,
        /// The app's name and the account, where they are known.
        named: Option<(String, String)>,
        /// `issues` and `write`, in order; none where they are not known.
        permissions: Vec<(String, String)>,
    },
}

/// Whose the main credential is.
///
/// # Errors
/// Whatever GitHub says.
pub(crate) async fn who(server: &GitHub) -> Result<Who> {
    let api = server.api();
    if let Some(installation) = server.installation() {
        let (installed, found) = tokio::join!(api.installed(), installation.describe());
        let installed = installed?;
        // Without it only the name and the permissions are missing.
        let Ok(found) = found else {
            return Ok(Who::App { installed, named: None, permissions: Vec::new() });
        };
        let level = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let permissions =
            found.permissions.iter().map(|(name, value)| (name.clone(), level(value))).collect();
        return Ok(Who::App { installed, named: Some((found.app_slug, found.account.login)), permissions });
    }
    person_or_app(api.identity().await, || api.installed()).await
}

/// An installation may not ask who it is (docs.github.com, "Get the authenticated user"), only what it sees.
async fn person_or_app<F: Future<Output = Result<Installed>>>(
    identity: Result<Identity>,
    installed: impl FnOnce() -> F,
) -> Result<Who> {
    match identity {
        Ok(identity) => Ok(Who::Person(identity)),
        Err(error) if error.kind() == Kind::Permission => match installed().await {
            Ok(installed) => Ok(Who::App { installed, named: None, permissions: Vec::new() }),
            Err(_) => Err(error),
        },
        Err(error) => Err(error),
    }
}

impl Who {
    /// Who it is, in a few words.
    pub(crate) fn headline(&self) -> String {
        match self {
            Self::Person(identity) => {
                let viewer = &identity.viewer;
                let name = one_line(&viewer.name);
                let name = if name.is_empty() { name } else { format!(" ({name})") };
                format!("@{}{name}", one_line(&viewer.login))
            }
            Self::App { installed, named, .. } => {
                let app = match named {
                    Some((slug, owner)) => {
                        format!("The GitHub App {} on {}", one_line(slug), one_line(owner))
                    }
                    None if installed.owner.is_empty() => "An installation of a GitHub App".to_owned(),
                    None => format!("An installation of a GitHub App on {}", one_line(&installed.owner)),
                };
                let which = if installed.selection == "selected" { "selected " } else { "" };
                format!("{app}, with {} {which}repositories", thousands(installed.repositories))
            }
        }
    }

    /// The login that writes are made under; of an app `slug[bot]`.
    pub(crate) fn login(&self) -> String {
        match self {
            Self::Person(identity) => identity.viewer.login.clone(),
            Self::App { named, .. } => {
                named.as_ref().map(|(slug, _)| format!("{slug}[bot]")).unwrap_or_default()
            }
        }
    }

    /// The kind of credential, and when it ends.
    pub(crate) fn credential(&self, kind: &str) -> String {
        match self {
            Self::Person(Identity { expires: Some(expires), .. }) => {
                format!("{kind}, good until {}", one_line(expires))
            }
            // GitHub sends the time for every token that ends; the others do not.
            Self::Person(_) | Self::App { .. } => kind.to_owned(),
        }
    }

    /// What it may do, as far as GitHub tells; a line each.
    pub(crate) fn rights(&self) -> Vec<String> {
        match self {
            Self::Person(Identity { scopes: Some(granted), .. }) => {
                let names = if granted.is_empty() { "none".to_owned() } else { one_line(&granted.join(", ")) };
                let mut lines = vec![format!("Scopes: {names}.")];
                lines.extend(missing_scopes(granted, true));
                lines
            }
            Self::Person(_) => vec![
                "Permissions: GitHub does not tell those of this kind of token; a refusal names the one that is missing."
                    .to_owned(),
            ],
            Self::App { permissions, .. } if permissions.is_empty() => {
                vec!["Permissions: not told for this token; a refusal names the one that is missing.".to_owned()]
            }
            Self::App { permissions, .. } => {
                let all: Vec<_> = permissions.iter().map(|(name, level)| format!("{name} {level}")).collect();
                vec![format!("Permissions: {}.", one_line(&all.join(", ")))]
            }
        }
    }

    /// The version of a GitHub Enterprise Server, where it is one.
    pub(crate) fn enterprise(&self) -> Option<&str> {
        match self {
            Self::Person(identity) => identity.enterprise.as_deref(),
            Self::App { installed, .. } => installed.enterprise.as_deref(),
        }
    }
}

/// Which scopes a classic token lacks, and for which tools: of those offered by default, or of all.
pub(crate) fn missing_scopes(granted: &[String], by_default: bool) -> Option<String> {
    let tools = crate::tools::all();
    let wanted = tools.iter().filter(|tool| !by_default || tool.on_by_default());
    let missing = scopes::granted(granted).missing(wanted.map(Tool::capability));
    let parts: Vec<_> = missing
        .iter()
        .map(|(needed, tools)| format!("{} (for {})", needed.join(" or "), tools.join(", ")))
        .collect();
    (!parts.is_empty()).then(|| format!("Missing scopes: {}.", parts.join("; ")))
}

/// What is left of the limits: `core 4,998 of 5,000`, and when a budget fills again that is spent.
pub(crate) fn limits_line(limits: &[Limit]) -> String {
    if limits.is_empty() {
        return "this GitHub has none".to_owned();
    }
    let now = clock::wall().as_secs();
    let parts: Vec<_> = limits
        .iter()
        .map(|limit| {
            let left = format!("{} {} of {}", limit.name, thousands(limit.remaining), thousands(limit.limit));
            if limit.remaining > 0 {
                return left;
            }
            format!("{left}, full again in {} min", limit.reset.saturating_sub(now).div_ceil(60))
        })
        .collect();
    parts.join(", ")
}

/// Which repositories this server may touch, and the one that is meant where none is named.
pub(crate) fn reach_line(server: &GitHub) -> String {
    let configured = server.bounds();
    let list = |patterns: &[String]| one_line(&patterns.join(", "));
    let bounds = configured.patterns();
    let mut line = match bounds.readable() {
        Some(patterns) => format!("Reach: only {}", list(patterns)),
        None => "Reach: every repository that the credential sees".to_owned(),
    };
    if !bounds.denied().is_empty() {
        line.push_str(&format!(", without {}", list(bounds.denied())));
    }
    if let Some(patterns) = bounds.writable() {
        line.push_str(&format!("; writes only to {}", list(patterns)));
    }
    if !bounds.denied_writes().is_empty() {
        line.push_str(&format!("; writes to none of {}", list(bounds.denied_writes())));
    }
    match configured.default_repo() {
        Some(repo) => line.push_str(&format!(". Where none is named: {repo}.")),
        None => line.push('.'),
    }
    line
}

/// Whose the credentials are that some owners have of their own, by the pattern of the owners.
pub(crate) async fn account_holders(server: &GitHub) -> Vec<(String, Result<Who, Error>)> {
    let api = server.api();
    let asked = api.accounts().iter().map(|account| async move {
        let who = person_or_app(api.identity_of(account).await, || api.installed_of(account)).await;
        (account.owners.clone(), who)
    });
    futures::future::join_all(asked).await
}

async fn accounts(server: &GitHub) -> Vec<String> {
    let holders = account_holders(server).await;
    let line = |(owners, who): &(String, Result<Who>)| match who {
        Ok(who) => format!("For {}: {}.", one_line(owners), who.headline()),
        Err(error) => format!("For {}: {}", one_line(owners), error.for_agent()),
    };
    holders.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_that_are_missing_name_the_tools_that_need_them() {
        let granted = ["repo", "workflow", "gist"].map(str::to_owned);
        assert_eq!(missing_scopes(&granted, true).unwrap(), "Missing scopes: read:org (for list_members).");
        let granted = ["repo", "admin:org"].map(str::to_owned);
        assert_eq!(missing_scopes(&granted, true), None);
    }

    #[test]
    fn a_budget_that_is_spent_tells_when_it_fills_again() {
        let now = clock::wall().as_secs();
        let spent = Limit { name: "search", limit: 30, remaining: 0, reset: now + 90 };
        let rest = Limit { name: "core", limit: 5_000, remaining: 4_998, reset: now };
        assert_eq!(limits_line(&[rest, spent]), "core 4,998 of 5,000, search 0 of 30, full again in 2 min");
        assert_eq!(limits_line(&[]), "this GitHub has none");
    }
}
