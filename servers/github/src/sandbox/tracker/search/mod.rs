//! Search.

mod code;
mod issues;
mod others;
mod query;

use serde_json::{Value, json};

pub(super) use self::{
    code::search as code,
    issues::{find as find_issues, search as issues},
    others::{commits, find_repositories, find_users, repositories, users},
    query::Query,
};
use super::super::{
    auth::Caller,
    errors::{ApiError, Outcome},
    repos::{self, Repository},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

/// The most results that can be paged through (docs.github.com, "REST API endpoints for search").
const MOST: usize = 1_000;

/// The repositories that a query may look into: those it names, or all that the caller sees.
///
/// # Errors
/// 422 if it names one that the caller does not see.
pub(super) fn scope<'s>(state: &'s State, caller: &Caller, query: &Query) -> Outcome<Vec<&'s Repository>> {
    let refused = || {
        let mut error = ApiError::unprocessable("Validation Failed");
        error.errors.push(json!({
            "message": "The listed users and repositories cannot be searched either because the resources do not exist or you do not have permission to view them.",
            "resource": "Search",
            "field": "q",
            "code": "invalid",
        }));
        error
    };
    for name in query.values("repo") {
        let found = name.split_once('/').and_then(|(owner, name)| state.repos.find(owner, name));
        let repo = found.and_then(|found| state.repos.get(found.id)).ok_or_else(refused)?;
        if !repos::sees(caller, repo) {
            return Err(refused());
        }
    }
    let owners: Vec<_> = query.values("org").into_iter().chain(query.values("user")).collect();
    for owner in owners {
        let login = if owner == "@me" { caller.login() } else { owner };
        state.accounts.get(login).ok_or_else(refused)?;
    }
    Ok(state.repos.all().filter(|repo| repos::sees(caller, repo)).collect())
}

/// Whether a repository is one that a `repo:`, `org:` or `user:` means.
fn is_meant(repo: &Repository, state: &State, me: &str, name: &str, value: &str) -> bool {
    match name {
        "repo" => {
            let found = value.split_once('/').and_then(|(owner, name)| state.repos.find(owner, name));
            found.is_some_and(|found| found.id == repo.id)
        }
        _ => repo.owner.eq_ignore_ascii_case(if value == "@me" { me } else { value }),
    }
}

/// A page of results as the API answers it.
fn results<T>(
    cx: &RequestContext<'_>,
    rows: &[T],
    mut show: impl FnMut(&T) -> Value,
) -> Outcome<FakeResponse> {
    let (page, per_page) = cx.paging();
    if (page - 1) * per_page >= MOST {
        return Err(ApiError::unprocessable("Only the first 1000 search results are available"));
    }
    let reachable = &rows[..rows.len().min(MOST)];
    let items: Vec<_> = cx
        .cut(reachable)
        .iter()
        .map(|row| {
            let mut shown = show(row);
            if shown.get("score").is_none() {
                shown["score"] = json!(1.0);
            }
            shown
        })
        .collect();
    let mut body = serde_json::Map::new();
    body.insert("total_count".to_owned(), rows.len().into());
    body.insert("incomplete_results".to_owned(), false.into());
    body.insert("items".to_owned(), items.into());
    if cx.path.starts_with("/search/issues") {
        body.insert("search_type".to_owned(), "lexical".into());
    }
    Ok(cx.link(FakeResponse::json(body), reachable.len()))
}

/// Where the words of a query stand in a text: a piece of the text around the first, and the places within it.
fn matches(query: &Query, text: &str, object: &str, kind: &str, property: &str) -> Option<Value> {
    const AROUND: usize = 100;
    let lower = text.to_lowercase();
    // Lower case may move bytes about; then nothing is marked.
    if lower.len() != text.len() {
        return None;
    }
    let first = query.texts().into_iter().filter_map(|word| lower.find(word)).min()?;
    let floor = |at: usize| (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let start = floor(first.saturating_sub(AROUND));
    let end = floor((first + AROUND).min(text.len()));
    let fragment = &text[start..end];
    let mut places: Vec<(usize, usize)> = Vec::new();
    for word in query.texts().into_iter().filter(|word| !word.is_empty()) {
        places.extend(lower[start..end].match_indices(word).map(|(at, word)| (at, at + word.len())));
    }
    places.sort_unstable();
    // Indices count characters.
    let count = |at: usize| fragment[..at].chars().count();
    let places: Vec<_> = places
        .into_iter()
        .map(|(from, to)| json!({"text": &fragment[from..to], "indices": [count(from), count(to)]}))
        .collect();
    Some(json!({
        "object_url": object,
        "object_type": kind,
        "property": property,
        "fragment": fragment,
        "matches": places,
    }))
}
