//! Lists of repositories: the caller's, a user's, an organization's, a repository's forks.

use std::cmp::Ordering;

use super::{Repository, asked::sees, show::repository_json};
use crate::sandbox::{
    auth::{Kind, not_accessible},
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
};

/// Those that `fits` holds of and the caller may see, ordered as asked: by `sort` (or else by `default`) and
/// `direction`.
fn list(cx: &RequestContext<'_>, default: &str, fits: impl Fn(&Repository) -> bool) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let mut rows: Vec<_> = state.repos.all().filter(|repo| sees(cx.caller, repo) && fits(repo)).collect();
    let sort = cx.query("sort").unwrap_or(default);
    rows.sort_by(|one, other| order(sort, one, other));
    // docs.github.com: ascending by name, descending by time.
    let default = if sort == "full_name" { "asc" } else { "desc" };
    if cx.query("direction").unwrap_or(default) == "desc" {
        rows.reverse();
    }
    let login = cx.caller.login();
    Ok(cx.page(&rows, |repo| repository_json(cx.site, &state, repo, login).into()))
}

fn order(sort: &str, one: &Repository, other: &Repository) -> Ordering {
    let names = || one.full_name().to_lowercase().cmp(&other.full_name().to_lowercase());
    match sort {
        "created" => one.created_at.cmp(&other.created_at),
        "updated" => one.updated_at.cmp(&other.updated_at),
        "pushed" => one.pushed_at.cmp(&other.pushed_at),
        _ => Ordering::Equal,
    }
    .then_with(names)
}

pub(super) fn mine(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    match &cx.caller.token {
        None => return Err(ApiError::requires_authentication()),
        Some(token) if token.kind == Kind::Installation => return Err(not_accessible(cx.caller)),
        Some(_) => {}
    }
    let (visibility, affiliation, kind) = (cx.query("visibility"), cx.query("affiliation"), cx.query("type"));
    if kind.is_some() && (visibility.is_some() || affiliation.is_some()) {
        return Err(ApiError::unprocessable(
            "If you specify visibility or affiliation, you cannot specify type.",
        ));
    }
    let login = cx.caller.login();
    let affiliation = affiliation.unwrap_or("owner,collaborator,organization_member");
    list(cx, "full_name", |repo| {
        let owned = repo.owner.eq_ignore_ascii_case(login);
        let shown = match visibility.or(kind).unwrap_or("all") {
            "public" => !repo.private,
            "private" => repo.private,
            "owner" => owned,
            "member" => !owned,
            _ => true,
        };
        let related = affiliation.split(',').any(|word| match word.trim() {
            "owner" => owned,
            _ => !owned && repo.role(login).is_some(),
        });
        shown && related
    })
}

pub(super) fn of_user(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let login = cx.variable("username");
    if cx.site.state().accounts.get(login).is_none() {
        return Err(ApiError::not_found());
    }
    let kind = cx.query("type").unwrap_or("owner");
    list(cx, "full_name", |repo| {
        let owned = repo.owner.eq_ignore_ascii_case(login);
        // docs.github.com, "List repositories for a user": public ones.
        !repo.private
            && match kind {
                "member" => !owned && repo.role(login).is_some(),
                "all" => owned || repo.role(login).is_some(),
                _ => owned,
            }
    })
}

pub(super) fn of_organization(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let login = cx.variable("org");
    if cx.site.state().accounts.org(login).is_none() {
        return Err(ApiError::not_found());
    }
    let kind = cx.query("type").unwrap_or("all");
    let caller = cx.caller.login();
    list(cx, "created", |repo| {
        repo.owner.eq_ignore_ascii_case(login)
            && match kind {
                "public" => !repo.private,
                "private" => repo.private,
                "forks" => repo.parent.is_some(),
                "sources" => repo.parent.is_none(),
                "member" => repo.role(caller).is_some(),
                _ => true,
            }
    })
}
