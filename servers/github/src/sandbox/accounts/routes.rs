//! The routes of users, organizations and teams, and those that tell of GitHub itself.

use serde_json::{Map, Value, json};

use super::{Account, Team, show};
use crate::sandbox::{
    answer::Answer,
    ask::Ask,
    auth::{self, Kind},
    desk::VERSIONS,
    errors::{ApiError, Outcome},
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
fn root(ask: &Ask<'_>) -> Outcome<Answer> {
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
        URLS.into_iter().map(|(name, path)| (name.to_owned(), ask.site.url(path).into())).collect();
    Ok(Answer::json(urls))
}

/// Some of the addresses that GitHub has; documented as changing.
fn meta(_ask: &Ask<'_>) -> Outcome<Answer> {
    Ok(Answer::json(json!({
        "verifiable_password_authentication": false,
        "hooks": ["192.0.2.0/24"],
        "web": ["198.51.100.0/24"],
        "api": ["198.51.100.0/24"],
        "git": ["198.51.100.0/24"],
        "actions": ["203.0.113.0/24"],
        "domains": {"website": ["*.github.com"], "packages": ["*.pkg.github.com"]},
    })))
}

fn versions(ask: &Ask<'_>) -> Outcome<Answer> {
    let profile = ask.site.profile();
    Ok(Answer::json(VERSIONS.into_iter().filter(|version| profile.speaks(version)).collect::<Vec<_>>()))
}

fn zen(_ask: &Ask<'_>) -> Outcome<Answer> {
    Ok(Answer::bytes("text/plain;charset=utf-8", "Practicality beats purity."))
}

/// The user who asks: an installation is none, and is refused.
fn me<'s>(ask: &Ask<'_>, state: &'s State) -> Outcome<&'s Account> {
    let Some(token) = &ask.caller.token else { return Err(ApiError::requires_authentication()) };
    if token.kind == Kind::Installation {
        return Err(auth::not_accessible(ask.caller));
    }
    state.accounts.get(&token.login).ok_or_else(ApiError::unauthorized)
}

/// GitHub tells what is private to classic tokens with the scope `user` and to fine-grained ones with the
/// permission `plan`; to others it shows what everybody sees.
fn user(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let account = me(ask, &state)?;
    let all = ask.caller.token.as_ref().is_some_and(|token| match token.kind {
        Kind::Classic => token.has_scope("user"),
        _ => token.allows("plan", false),
    });
    let shown = if all { show::private } else { show::public };
    Ok(Answer::json(shown(ask.site, &state, account)))
}

fn emails(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let account = me(ask, &state)?;
    let token = ask.caller.token.as_ref();
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
    Ok(ask.page(&rows, Value::clone))
}

fn user_named(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let account = state.accounts.get(ask.param("username")).ok_or_else(ApiError::not_found)?;
    Ok(Answer::json(show::public(ask.site, &state, account)))
}

/// The organizations that the token lets one see of one's own.
fn seen_orgs<'s>(ask: &Ask<'_>, state: &'s State) -> Outcome<Vec<&'s Account>> {
    let account = me(ask, state)?;
    if let Some(token) = &ask.caller.token
        && token.kind == Kind::Classic
        && !token.has_scope("read:org")
        && !token.has_scope("user")
    {
        // The words of api.github.com; the scopes are in docs.github.com, "List organizations for the
        // authenticated user".
        let words = "You need at least read:org scope or user scope to list your organizations.";
        return Err(ApiError::forbidden(words).header("x-accepted-oauth-scopes", "read:org, user"));
    }
    Ok(state.accounts.orgs_of(&account.login).filter(|org| ask.caller.is_for(&org.login)).collect())
}

fn my_orgs(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    Ok(ask.page(&seen_orgs(ask, &state)?, |org| show::org_simple(ask.site, org)))
}

fn my_teams(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let account = me(ask, &state)?;
    let orgs = seen_orgs(ask, &state)?;
    let theirs = state.accounts.teams().filter(|team| {
        team.role_of(&account.login).is_some() && orgs.iter().any(|org| org.login == team.org)
    });
    let teams: Vec<&Team> = theirs.collect();
    Ok(ask.page(&teams, |team| show::team_full(ask.site, &state, team)))
}

fn my_memberships(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let account = me(ask, &state)?;
    let wanted = ask.query("state").is_none_or(|wanted| wanted == "active");
    let orgs = if wanted { seen_orgs(ask, &state)? } else { Vec::new() };
    Ok(ask.page(&orgs, |org| {
        let role = state.accounts.org_role(&org.login, &account.login).unwrap_or("member");
        show::membership(ask.site, &state, org, account, role)
    }))
}

fn my_membership(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let account = me(ask, &state)?;
    let orgs = seen_orgs(ask, &state)?;
    let org = orgs.into_iter().find(|org| org.login.eq_ignore_ascii_case(ask.param("org")));
    let org = org.ok_or_else(ApiError::not_found)?;
    let role = state.accounts.org_role(&org.login, &account.login).unwrap_or("member");
    Ok(Answer::json(show::membership(ask.site, &state, org, account, role)))
}

/// Only the organizations in which somebody is publicly a member; here all are.
fn orgs_of(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let account = state.accounts.get(ask.param("username")).ok_or_else(ApiError::not_found)?;
    let orgs: Vec<&Account> = state.accounts.orgs_of(&account.login).collect();
    Ok(ask.page(&orgs, |org| show::org_simple(ask.site, org)))
}

/// The organization of the path.
fn org_of<'s>(ask: &Ask<'_>, state: &'s State) -> Outcome<&'s Account> {
    state.accounts.org(ask.param("org")).ok_or_else(ApiError::not_found)
}

/// The same, for what only its members and its installations see: to others it is not there.
fn inner_org<'s>(ask: &Ask<'_>, state: &'s State) -> Outcome<&'s Account> {
    let org = org_of(ask, state)?;
    let inside = ask.caller.token.as_ref().is_some_and(|token| match token.kind {
        Kind::Installation => ask.caller.is_for(&org.login),
        _ => state.accounts.is_member(&org.login, &token.login) && ask.caller.is_for(&org.login),
    });
    if inside { Ok(org) } else { Err(ApiError::not_found()) }
}

fn org(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    Ok(Answer::json(show::org_full(ask.site, &state, org_of(ask, &state)?)))
}

fn members(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let org = inner_org(ask, &state)?;
    let role = ask.query("role").filter(|role| *role != "all");
    let members = state.accounts.members(&org.login);
    let rows: Vec<&Account> =
        members.filter(|(_, has)| role.is_none_or(|role| role == *has)).map(|(user, _)| user).collect();
    Ok(ask.page(&rows, |user| state.accounts.simple(ask.site, &user.login)))
}

fn membership(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let org = inner_org(ask, &state)?;
    let user = state.accounts.get(ask.param("username")).ok_or_else(ApiError::not_found)?;
    let role = state.accounts.org_role(&org.login, &user.login).ok_or_else(ApiError::not_found)?;
    Ok(Answer::json(show::membership(ask.site, &state, org, user, role)))
}

fn teams(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let org = inner_org(ask, &state)?;
    let rows: Vec<&Team> = state.accounts.teams().filter(|team| team.org == org.login).collect();
    Ok(ask.page(&rows, |team| show::team(ask.site, &state, team)))
}

/// The team of the path.
fn team_of<'s>(ask: &Ask<'_>, state: &'s State) -> Outcome<&'s Team> {
    let org = inner_org(ask, state)?;
    state.accounts.team_named(&org.login, ask.param("team_slug")).ok_or_else(ApiError::not_found)
}

fn team(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    Ok(Answer::json(show::team_full(ask.site, &state, team_of(ask, &state)?)))
}

fn team_members(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let team = team_of(ask, &state)?;
    let role = ask.query("role").filter(|role| *role != "all");
    let rows: Vec<&str> = team
        .members
        .iter()
        .filter(|(_, has)| role.is_none_or(|role| role == has))
        .map(|(login, _)| login.as_str())
        .collect();
    Ok(ask.page(&rows, |login| state.accounts.simple(ask.site, login)))
}

fn team_membership(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let team = team_of(ask, &state)?;
    let login = ask.param("username");
    let role = team.role_of(login).ok_or_else(ApiError::not_found)?;
    Ok(Answer::json(json!({
        "url": ask.site.url(&format!("orgs/{}/teams/{}/memberships/{login}", team.org, team.slug)),
        "role": role,
        "state": "active",
    })))
}
