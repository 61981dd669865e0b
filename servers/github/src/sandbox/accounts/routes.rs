//! The routes of users, organizations and teams, and those that tell of GitHub itself.

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
    route("GET /versions", ANY, versions),
    route("GET /user", ANY, user),
    route("GET /user/orgs", ANY, my_orgs),
    route("GET /user/teams", ANY, my_teams),
    route("GET /users/{username}", ANY, user_named),
    route("GET /orgs/{org}", ANY, org),
    route("GET /orgs/{org}/teams", read("members"), teams),
    route("GET /orgs/{org}/teams/{team_slug}", read("members"), team),
    route("GET /orgs/{org}/teams/{team_slug}/members", read("members"), team_members),
];

fn versions(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let profile = cx.site.profile();
    Ok(FakeResponse::json(VERSIONS.into_iter().filter(|version| profile.speaks(version)).collect::<Vec<_>>()))
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
