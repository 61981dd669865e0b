//! The routes of users, organizations and teams, and those that tell of GitHub itself.

use serde_json::{Map, Value, json};

use super::{Account, Team, show};
use crate::sandbox::{
    auth::{self, Kind},
    dispatch::VERSIONS,
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    route::{ANY, Route, read, route},
    state::State,
};

pub(in crate::sandbox) const ROUTES: &[Route] = &[
    route("GET /", ANY, root),
    route("GET /meta", ANY, meta),
    route("GET /versions", ANY, versions),
    route("GET /zen", ANY, zen),
    route("GET /user", ANY, user),
    route("GET /user/emails", ANY, emails),
    route("GET /user/orgs", ANY, my_orgs),
    route("GET /user/teams", ANY, my_teams),
    route("GET /user/memberships/orgs", ANY, my_memberships),
    route("GET /user/memberships/orgs/{org}", ANY, my_membership),
    route("GET /users/{username}", ANY, user_named),
    route("GET /users/{username}/orgs", ANY, orgs_of),
    route("GET /orgs/{org}", ANY, org),
    route("GET /orgs/{org}/members", read("members"), members),
    route("GET /orgs/{org}/memberships/{username}", read("members"), membership),
    route("GET /orgs/{org}/teams", read("members"), teams),
    route("GET /orgs/{org}/teams/{team_slug}", read("members"), team),
    route("GET /orgs/{org}/teams/{team_slug}/members", read("members"), team_members),
    route("GET /orgs/{org}/teams/{team_slug}/memberships/{username}", read("members"), team_membership),
];

/// Where everything is, as templates.
fn root(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    const URLS: [(&str, &str); 31] = [
        ("current_user_url", "user"),
        ("current_user_authorizations_html_url", "settings/connections/applications{/client_id}"),
        ("authorizations_url", "authorizations"),
        ("code_search_url", "search/code?q={query}{&page,per_page,sort,order}"),
        ("commit_search_url", "search/commits?q={query}{&page,per_page,sort,order}"),
        ("emails_url", "user/emails"),
        ("emojis_url", "emojis"),
        ("events_url", "events"),
        ("feeds_url", "feeds"),
        ("followers_url", "user/followers"),
        ("following_url", "user/following{/target}"),
        ("gists_url", "gists{/gist_id}"),
        ("issue_search_url", "search/issues?q={query}{&page,per_page,sort,order}"),
        ("issues_url", "issues"),
        ("keys_url", "user/keys"),
        ("label_search_url", "search/labels?q={query}&repository_id={repository_id}{&page,per_page}"),
        ("notifications_url", "notifications"),
        ("organization_url", "orgs/{org}"),
        ("organization_repositories_url", "orgs/{org}/repos{?type,page,per_page,sort}"),
        ("organization_teams_url", "orgs/{org}/teams"),
        ("public_gists_url", "gists/public"),
        ("rate_limit_url", "rate_limit"),
        ("repository_url", "repos/{owner}/{repo}"),
        ("repository_search_url", "search/repositories?q={query}{&page,per_page,sort,order}"),
        ("current_user_repositories_url", "user/repos{?type,page,per_page,sort}"),
        ("starred_url", "user/starred{/owner}{/repo}"),
        ("starred_gists_url", "gists/starred"),
        ("user_url", "users/{user}"),
        ("user_organizations_url", "user/orgs"),
        ("user_repositories_url", "users/{user}/repos{?type,page,per_page,sort}"),
        ("user_search_url", "search/users?q={query}{&page,per_page,sort,order}"),
    ];
    let urls: Map<String, Value> =
        URLS.into_iter().map(|(name, path)| (name.to_owned(), cx.site.url(path).into())).collect();
    Ok(FakeResponse::json(urls))
}

/// Some of the addresses that GitHub has; documented as changing.
fn meta(_ask: &RequestContext<'_>) -> Outcome<FakeResponse> {
    Ok(FakeResponse::json(json!({
        "verifiable_password_authentication": false,
        "hooks": ["192.0.2.0/24"],
        "web": ["198.51.100.0/24"],
        "api": ["198.51.100.0/24"],
        "git": ["198.51.100.0/24"],
        "actions": ["203.0.113.0/24"],
        "domains": {"website": ["*.github.com"], "packages": ["*.pkg.github.com"]},
    })))
}

fn versions(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let profile = cx.site.profile();
    Ok(FakeResponse::json(VERSIONS.into_iter().filter(|version| profile.speaks(version)).collect::<Vec<_>>()))
}

fn zen(_ask: &RequestContext<'_>) -> Outcome<FakeResponse> {
    Ok(FakeResponse::bytes("text/plain;charset=utf-8", "Practicality beats purity."))
}

/// The user who asks: an installation is none, and is refused.
fn me<'s>(cx: &RequestContext<'_>, state: &'s State) -> Outcome<&'s Account> {
    let Some(token) = &cx.caller.token else { return Err(ApiError::requires_authentication()) };
    if token.kind == Kind::Installation {
        return Err(auth::not_accessible(cx.caller));
    }
    state.accounts.get(&token.login).ok_or_else(ApiError::unauthorized)
}

/// GitHub tells what is private to classic tokens with the scope `user` and to fine-grained ones with the
/// permission `plan`; to others it shows what everybody sees.
fn user(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let account = me(cx, &state)?;
    let all = cx.caller.token.as_ref().is_some_and(|token| match token.kind {
        Kind::Classic => token.has_scope("user"),
        _ => token.allows("plan", false),
    });
    let shown = if all { show::private } else { show::public };
    Ok(FakeResponse::json(shown(cx.site, &state, account)))
}

fn emails(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let account = me(cx, &state)?;
    let token = cx.caller.token.as_ref();
    let may = token.is_some_and(|token| match token.kind {
        Kind::Classic => token.has_scope("user:email"),
        _ => token.allows("email_addresses", false),
    });
    if !may {
        return Err(ApiError::not_found());
    }
    let email = json!({
        "email": account.email, "primary": true, "verified": true, "visibility": "public",
    });
    let rows: Vec<Value> = account.email.iter().map(|_| email.clone()).collect();
    Ok(cx.page(&rows, Value::clone))
}

fn user_named(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let account = state.accounts.get(cx.variable("username")).ok_or_else(ApiError::not_found)?;
    Ok(FakeResponse::json(show::public(cx.site, &state, account)))
}

/// The organizations that the token lets one see of one's own.
fn seen_orgs<'s>(cx: &RequestContext<'_>, state: &'s State) -> Outcome<Vec<&'s Account>> {
    let account = me(cx, state)?;
    if let Some(token) = &cx.caller.token
        && token.kind == Kind::Classic
        && !token.has_scope("read:org")
        && !token.has_scope("user")
    {
        // The words of api.github.com; the scopes are in docs.github.com, "List organizations for the
        // authenticated user".
        let words = "You need at least read:org scope or user scope to list your organizations.";
        return Err(ApiError::forbidden(words).header("x-accepted-oauth-scopes", "read:org, user"));
    }
    Ok(state.accounts.orgs_of(&account.login).filter(|org| cx.caller.is_for(&org.login)).collect())
}

fn my_orgs(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    Ok(cx.page(&seen_orgs(cx, &state)?, |org| show::org_simple(cx.site, org)))
}

fn my_teams(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let account = me(cx, &state)?;
    let orgs = seen_orgs(cx, &state)?;
    let theirs = state.accounts.teams().filter(|team| {
        team.role_of(&account.login).is_some() && orgs.iter().any(|org| org.login == team.org)
    });
    let teams: Vec<&Team> = theirs.collect();
    Ok(cx.page(&teams, |team| show::team_full(cx.site, &state, team)))
}

fn my_memberships(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let account = me(cx, &state)?;
    let wanted = cx.query("state").is_none_or(|wanted| wanted == "active");
    let orgs = if wanted { seen_orgs(cx, &state)? } else { Vec::new() };
    Ok(cx.page(&orgs, |org| {
        let role = state.accounts.org_role(&org.login, &account.login).unwrap_or("member");
        show::membership(cx.site, &state, org, account, role)
    }))
}

fn my_membership(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let account = me(cx, &state)?;
    let orgs = seen_orgs(cx, &state)?;
    let org = orgs.into_iter().find(|org| org.login.eq_ignore_ascii_case(cx.variable("org")));
    let org = org.ok_or_else(ApiError::not_found)?;
    let role = state.accounts.org_role(&org.login, &account.login).unwrap_or("member");
    Ok(FakeResponse::json(show::membership(cx.site, &state, org, account, role)))
}

/// Only the organizations in which somebody is publicly a member; here all are.
fn orgs_of(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let account = state.accounts.get(cx.variable("username")).ok_or_else(ApiError::not_found)?;
    let orgs: Vec<&Account> = state.accounts.orgs_of(&account.login).collect();
    Ok(cx.page(&orgs, |org| show::org_simple(cx.site, org)))
}

/// The organization of the path.
fn org_of<'s>(cx: &RequestContext<'_>, state: &'s State) -> Outcome<&'s Account> {
    state.accounts.org(cx.variable("org")).ok_or_else(ApiError::not_found)
}

/// The same, for what only its members and its installations see: to others it is not there.
fn inner_org<'s>(cx: &RequestContext<'_>, state: &'s State) -> Outcome<&'s Account> {
    let org = org_of(cx, state)?;
    let inside = cx.caller.token.as_ref().is_some_and(|token| match token.kind {
        Kind::Installation => cx.caller.is_for(&org.login),
        _ => state.accounts.is_member(&org.login, &token.login) && cx.caller.is_for(&org.login),
    });
    if inside { Ok(org) } else { Err(ApiError::not_found()) }
}

fn org(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    Ok(FakeResponse::json(show::org_full(cx.site, &state, org_of(cx, &state)?)))
}

fn members(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let org = inner_org(cx, &state)?;
    let role = cx.query("role").filter(|role| *role != "all");
    let members = state.accounts.members(&org.login);
    let rows: Vec<&Account> =
        members.filter(|(_, has)| role.is_none_or(|role| role == *has)).map(|(user, _)| user).collect();
    Ok(cx.page(&rows, |user| state.accounts.simple(cx.site, &user.login)))
}

fn membership(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let org = inner_org(cx, &state)?;
    let user = state.accounts.get(cx.variable("username")).ok_or_else(ApiError::not_found)?;
    let role = state.accounts.org_role(&org.login, &user.login).ok_or_else(ApiError::not_found)?;
    Ok(FakeResponse::json(show::membership(cx.site, &state, org, user, role)))
}

fn teams(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let org = inner_org(cx, &state)?;
    let rows: Vec<&Team> = state.accounts.teams().filter(|team| team.org == org.login).collect();
    Ok(cx.page(&rows, |team| show::team(cx.site, &state, team)))
}

/// The team of the path.
fn team_of<'s>(cx: &RequestContext<'_>, state: &'s State) -> Outcome<&'s Team> {
    let org = inner_org(cx, state)?;
    state.accounts.team_named(&org.login, cx.variable("team_slug")).ok_or_else(ApiError::not_found)
}

fn team(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    Ok(FakeResponse::json(show::team_full(cx.site, &state, team_of(cx, &state)?)))
}

fn team_members(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let team = team_of(cx, &state)?;
    let role = cx.query("role").filter(|role| *role != "all");
    let rows: Vec<&str> = team
        .members
        .iter()
        .filter(|(_, has)| role.is_none_or(|role| role == has))
        .map(|(login, _)| login.as_str())
        .collect();
    Ok(cx.page(&rows, |login| state.accounts.simple(cx.site, login)))
}

fn team_membership(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let team = team_of(cx, &state)?;
    let login = cx.variable("username");
    let role = team.role_of(login).ok_or_else(ApiError::not_found)?;
    Ok(FakeResponse::json(json!({
        "url": cx.site.url(&format!("orgs/{}/teams/{}/memberships/{login}", team.org, team.slug)),
        "role": role,
        "state": "active",
    })))
}
