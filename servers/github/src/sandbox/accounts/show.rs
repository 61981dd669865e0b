//! Accounts and teams as the REST API shows them.

use serde_json::{Value, json};

use super::{Account, Accounts, Team};
use crate::sandbox::{Site, ids::node_id, state::State};

impl Accounts {
    /// An account as GitHub shows it within other things ("simple user"); null for nobody.
    pub(in crate::sandbox) fn simple(&self, site: &Site, login: &str) -> Value {
        let Some(account) = self.get(login) else { return Value::Null };
        let login = &account.login;
        let api = |rest: &str| site.url(&format!("users/{login}{rest}"));
        json!({
            "login": login,
            "id": account.id,
            "node_id": account.node_id(),
            "avatar_url": account.avatar(),
            "gravatar_id": "",
            "url": api(""),
            "html_url": account.html(),
            "followers_url": api("/followers"),
            "following_url": api("/following{/other_user}"),
            "gists_url": api("/gists{/gist_id}"),
            "starred_url": api("/starred{/owner}{/repo}"),
            "subscriptions_url": api("/subscriptions"),
            "organizations_url": api("/orgs"),
            "repos_url": api("/repos"),
            "events_url": api("/events{/privacy}"),
            "received_events_url": api("/received_events"),
            "type": account.kind,
            "user_view_type": "public",
            "site_admin": false,
        })
    }
}

/// `base` with the fields of `more`.
fn and(mut base: Value, more: Value) -> Value {
    if let (Value::Object(base), Value::Object(more)) = (&mut base, more) {
        base.extend(more);
    }
    base
}

/// How many repositories somebody owns, private or public.
fn repositories(state: &State, login: &str, private: bool) -> usize {
    state.repos.all().filter(|repo| repo.owner == login && repo.private == private).count()
}

/// A user or organization by itself ("public user"), as everybody sees it.
pub(super) fn public(site: &Site, state: &State, account: &Account) -> Value {
    let more = json!({
        "name": if account.name.is_empty() { Value::Null } else { json!(account.name) },
        "company": account.company,
        "blog": "",
        "location": account.location,
        "email": account.email,
        "hireable": null,
        "bio": account.bio,
        "twitter_username": null,
        "public_repos": repositories(state, &account.login, false),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": account.created_at,
        "updated_at": account.created_at,
    });
    and(state.accounts.simple(site, &account.login), more)
}

/// The user who asks, to a token that may see what is private ("private user").
pub(super) fn private(site: &Site, state: &State, account: &Account) -> Value {
    let owned = repositories(state, &account.login, true);
    let more = json!({
        "user_view_type": "private",
        "notification_email": account.email,
        "private_gists": 0,
        "total_private_repos": owned,
        "owned_private_repos": owned,
        "disk_usage": 0,
        "collaborators": 0,
        "two_factor_authentication": true,
        "plan": {"name": "free", "space": 976_562_499, "collaborators": 0, "private_repos": 10_000},
    });
    and(public(site, state, account), more)
}

/// An organization in a listing ("organization simple").
pub(super) fn org_simple(site: &Site, org: &Account) -> Value {
    let api = |rest: &str| site.url(&format!("orgs/{}{rest}", org.login));
    json!({
        "login": org.login,
        "id": org.id,
        "node_id": org.node_id(),
        "url": api(""),
        "repos_url": api("/repos"),
        "events_url": api("/events"),
        "hooks_url": api("/hooks"),
        "issues_url": api("/issues"),
        "members_url": api("/members{/member}"),
        "public_members_url": api("/public_members{/member}"),
        "avatar_url": org.avatar(),
        "description": org.bio,
    })
}

/// An organization by itself ("organization full").
pub(super) fn org_full(site: &Site, state: &State, org: &Account) -> Value {
    let more = json!({
        "name": org.name,
        "blog": "",
        "is_verified": false,
        "has_organization_projects": true,
        "has_repository_projects": true,
        "public_repos": repositories(state, &org.login, false),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "html_url": org.html(),
        "type": "Organization",
        "created_at": org.created_at,
        "updated_at": org.created_at,
        "archived_at": null,
    });
    and(org_simple(site, org), more)
}

/// A team in a listing.
pub(in crate::sandbox) fn team(site: &Site, state: &State, team: &Team) -> Value {
    let org = state.accounts.get(&team.org).map(|org| org.id).unwrap_or_default();
    let url = site.url(&format!("organizations/{org}/team/{}", team.id));
    json!({
        "id": team.id,
        "node_id": node_id("T", team.id),
        "name": team.name,
        "slug": team.slug,
        "description": team.description,
        "privacy": team.privacy,
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "url": url,
        "html_url": team.html(),
        "members_url": format!("{url}/members{{/member}}"),
        "repositories_url": format!("{url}/repos"),
        "type": "organization",
        "organization_id": org,
        "parent": null,
    })
}

/// A team by itself ("team full").
pub(super) fn team_full(site: &Site, state: &State, of: &Team) -> Value {
    let org = state.accounts.get(&of.org).map(|org| org_full(site, state, org)).unwrap_or_default();
    let more = json!({
        "created_at": of.created_at,
        "updated_at": of.created_at,
        "members_count": of.members.len(),
        "repos_count": 0,
        "organization": org,
    });
    and(team(site, state, of), more)
}
