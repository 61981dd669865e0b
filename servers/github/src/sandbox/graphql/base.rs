//! What everything else stands on: people, organizations, teams, and what a repository is called.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::{Value, json};

use super::{actor, connection, may, repository};
use crate::sandbox::{
    accounts::{Account, Accounts, Team},
    errors::{ApiError, Outcome},
    ids::{self, node_id},
    repos::Role,
    request::RequestContext,
    route::read,
};

/// Knows the types of `schema/base.graphql`.
pub(super) fn resolve(cx: &RequestContext<'_>, node: &Node, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    match node.ty.as_str() {
        "Query" => query(cx, asked),
        "User" | "Organization" | "Bot" | "Mannequin" => account(cx, node.key.as_str()?, asked),
        "Team" => team(cx, node.key.as_u64()?, asked),
        "Repository" => about_repository(cx, node.key.as_u64()?, asked),
        _ => None,
    }
}

fn query(cx: &RequestContext<'_>, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let login = asked.text("login").unwrap_or_default();
    Some(match asked.field {
        "viewer" => viewer(cx),
        "repository" => by_name(cx, asked.text("owner").unwrap_or_default(), asked),
        "organization" => named(cx, login, &["Organization"], "Organization"),
        "repositoryOwner" => Ok(named(cx, login, &["User", "Organization"], "").unwrap_or(Resolved::NULL)),
        "node" => return by_id(cx, asked.text("id").unwrap_or_default()),
        _ => return None,
    })
}

/// A user, an organization, a bot, a team or a repository by its global id.
fn by_id(cx: &RequestContext<'_>, id: &str) -> Option<Outcome<Resolved>> {
    let (kind, number) = ids::parse(id)?;
    if kind == "R" {
        return Some(Ok(repository(cx, number).into()));
    }
    let state = cx.site.state();
    match kind {
        "U" | "O" | "BOT" => {
            let account = state.accounts.by_id(number);
            Some(Ok(account.map_or(Resolved::NULL, |account| actor(&state, &account.login))))
        }
        "T" => Some(Ok(state.accounts.team(number).map(|team| Node::new("Team", team.id)).into())),
        _ => None,
    }
}

/// Who asks. An installation is its app's bot, which is no user; GitHub refuses it.
fn viewer(cx: &RequestContext<'_>) -> Outcome<Resolved> {
    let state = cx.site.state();
    match state.accounts.get(cx.caller.login()) {
        Some(account) if account.kind == "User" => Ok(actor(&state, &account.login)),
        _ => Err(ApiError::forbidden("Resource not accessible by integration")),
    }
}

fn named(cx: &RequestContext<'_>, login: &str, kinds: &[&str], what: &str) -> Outcome<Resolved> {
    let state = cx.site.state();
    match state.accounts.get(login) {
        Some(account) if kinds.contains(&account.kind.as_str()) => Ok(actor(&state, &account.login)),
        _ => {
            let words = if what == "Organization" {
                format!("Could not resolve to an Organization with the login of '{login}'.")
            } else {
                format!("Could not resolve to a {what} with the login of '{login}'.")
            };
            Err(ApiError::missing(words))
        }
    }
}

fn by_name(cx: &RequestContext<'_>, owner: &str, asked: &Asked<'_>) -> Outcome<Resolved> {
    let name = asked.text("name").unwrap_or_default();
    let renamed = asked.arg("followRenames") != &Value::Bool(false);
    let found = cx.site.state().repos.find(owner, name).filter(|found| renamed || !found.moved);
    let missing =
        || ApiError::missing(format!("Could not resolve to a Repository with the name '{owner}/{name}'."));
    let found = found.ok_or_else(missing)?;
    match may(cx, found.id, read("metadata")) {
        Ok(()) => Ok(Node::new("Repository", found.id).into()),
        Err(error) if error.kind == "NOT_FOUND" => Err(missing()),
        Err(error) => Err(error),
    }
}

fn account(cx: &RequestContext<'_>, login: &str, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let state = cx.site.state();
    let account = state.accounts.get(login)?;
    let short = login.trim_end_matches("[bot]");
    Some(Ok(match asked.field {
        "id" => account.node_id().into(),
        "login" => short.into(),
        "name" => account.name.clone().into(),
        "bio" => account.bio.clone().into(),
        "organizations" => {
            let orgs = state.accounts.orgs_of(login).map(|org| Node::new("Organization", org.login.as_str()));
            return Some(connection(asked, orgs.collect()));
        }
        "team" => {
            let slug = asked.text("slug").unwrap_or_default();
            let team = state.accounts.team_named(&account.login, slug);
            team.map(|team| Node::new("Team", team.id)).into()
        }
        "teams" => return Some(connection(asked, teams_asked(asked, account, &state.accounts))),
        _ => return None,
    }))
}

/// An organization's teams that fit `query` and `userLogins`.
fn teams_asked(asked: &Asked<'_>, org: &Account, accounts: &Accounts) -> Vec<Node> {
    let query = asked.text("query").unwrap_or_default().to_lowercase();
    let logins: Vec<&str> =
        asked.arg("userLogins").as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fits = |team: &&Team| {
        let named = team.name.to_lowercase().contains(&query) || team.slug.contains(&query);
        let theirs = logins.is_empty() || logins.iter().any(|login| team.role_of(login).is_some());
        team.org == org.login && named && theirs
    };
    accounts.teams().filter(fits).map(|team| Node::new("Team", team.id)).collect()
}

fn team(cx: &RequestContext<'_>, id: u64, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let state = cx.site.state();
    let team = state.accounts.team(id)?;
    Some(Ok(match asked.field {
        "id" => node_id("T", team.id).into(),
        "slug" => team.slug.clone().into(),
        "combinedSlug" => format!("{}/{}", team.org, team.slug).into(),
        "members" => {
            let role = asked.text("role").map(str::to_lowercase);
            let query = asked.text("query").unwrap_or_default().to_lowercase();
            let members = team.members.iter().filter(|(login, has)| {
                role.as_ref().is_none_or(|role| *role == *has) && login.to_lowercase().contains(&query)
            });
            let members = members.map(|(login, _)| Node::new("User", login.as_str()));
            return Some(connection(asked, members.collect()).map(|page| with_roles(page, team)));
        }
        _ => return None,
    }))
}

/// Edges of a team's members know the member's role.
fn with_roles(page: Resolved, team: &Team) -> Resolved {
    let Resolved::Connection(mut page) = page else { return page };
    page.edges = page
        .nodes
        .iter()
        .map(|node| {
            let role = node.key.as_str().and_then(|login| team.role_of(login)).unwrap_or("member");
            json!({"role": role.to_uppercase()}).as_object().cloned().unwrap_or_default()
        })
        .collect();
    Resolved::Connection(page)
}

fn about_repository(cx: &RequestContext<'_>, id: u64, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let state = cx.site.state();
    let repo = state.repos.get(id)?;
    let role = repo.role(cx.caller.login());
    let full_name = format!("{}/{}", repo.owner, repo.name);
    Some(Ok(match asked.field {
        "id" => node_id("R", repo.id).into(),
        "nameWithOwner" => full_name.into(),
        "owner" => actor(&state, &repo.owner),
        "isPrivate" => repo.private.into(),
        "viewerPermission" => match role {
            Some(Role::Admin) => "ADMIN".into(),
            Some(Role::Maintain) => "MAINTAIN".into(),
            Some(Role::Write) => "WRITE".into(),
            Some(Role::Triage) => "TRIAGE".into(),
            Some(Role::Read) => "READ".into(),
            None if repo.private => Resolved::NULL,
            None => "READ".into(),
        },
        _ => return None,
    }))
}
