//! Search for repositories, commits and users.

use std::cmp::Reverse;

use serde_json::Value;

use super::{
    super::{
        super::{
            accounts::Account,
            auth::Caller,
            errors::Outcome,
            repos::{self, Repository, git::Commit},
            request::{FakeResponse, GitHubRequest as _, RequestContext},
            state::State,
        },
        guard::TrackerGuard,
    },
    Query, is_meant, matches,
    query::in_range,
    results, scope,
};

/// `GET /search/repositories`
pub(in super::super) fn repositories(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let query = Query::parse(cx.query("q"))?;
    let guard = TrackerGuard::enter(cx)?;
    let mut found = find_repositories(&guard.state, cx.caller, &query)?;
    if cx.query("sort") == Some("updated") {
        found.sort_by_key(|repo| Reverse(repo.updated_at.clone()));
    }
    if cx.query("sort").is_some() && cx.query("order") == Some("asc") {
        found.reverse();
    }
    results(cx, &found, |repo| {
        let mut shown: Value = repos::repository_json(cx.site, &guard.state, repo, cx.caller.login()).into();
        if cx.accepts("text-match") {
            let url = shown["url"].as_str().unwrap_or_default().to_owned();
            let description = repo.description.as_deref().unwrap_or_default();
            let found = [
                matches(&query, &repo.name, &url, "Repository", "name"),
                matches(&query, description, &url, "Repository", "description"),
            ];
            shown["text_matches"] = found.into_iter().flatten().collect();
        }
        shown
    })
}

/// The repositories that a query finds.
pub(in super::super) fn find_repositories<'s>(
    state: &'s State,
    caller: &Caller,
    query: &Query,
) -> Outcome<Vec<&'s Repository>> {
    let me = caller.login();
    let fits = |repo: &&Repository| {
        query.fits(&|leaf| match leaf {
            Query::Text(word) => {
                let description = repo.description.as_deref().unwrap_or_default().to_lowercase();
                let named =
                    repo.name.to_lowercase().contains(word) || repo.full_name().to_lowercase().contains(word);
                named || description.contains(word) || repo.topics.iter().any(|topic| topic == word)
            }
            Query::Qualifier { name, value } => match name.as_str() {
                "repo" | "org" | "user" => is_meant(repo, state, me, name, value),
                "is" if value == "public" => !repo.private,
                "is" if value == "private" => repo.private,
                "topic" => repo.topics.iter().any(|topic| topic.eq_ignore_ascii_case(value)),
                "language" => {
                    repo.languages().first().is_some_and(|(name, _)| name.eq_ignore_ascii_case(value))
                }
                "archived" => repo.archived == (value == "true"),
                "fork" => value != "only" || repo.parent.is_some(),
                "created" => in_range(&repo.created_at, value),
                "pushed" => in_range(&repo.pushed_at, value),
                _ => true,
            },
            Query::And(_) | Query::Or(_) | Query::Not(_) => false,
        })
    };
    let mut found = scope(state, caller, query)?;
    found.retain(fits);
    Ok(found)
}

/// `GET /search/commits`
pub(in super::super) fn commits(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let query = Query::parse(cx.query("q"))?;
    let guard = TrackerGuard::enter(cx)?;
    let mut found: Vec<(&Repository, String, i64, i64)> = Vec::new();
    for repo in scope(&guard.state, cx.caller, &query)? {
        for sha in repo.head().map(|head| repo.git.log(&head)).unwrap_or_default() {
            let Some(commit) = repo.git.commit(&sha) else { continue };
            let leaf = |leaf: &Query| fits_commit(&guard.state, cx.caller.login(), repo, &sha, commit, leaf);
            if query.fits(&leaf) {
                found.push((repo, sha, commit.author.at, commit.committer.at));
            }
        }
    }
    match cx.query("sort") {
        Some("author-date") => found.sort_by_key(|(_, _, at, _)| Reverse(*at)),
        _ => found.sort_by_key(|(_, _, _, at)| Reverse(*at)),
    }
    if cx.query("sort").is_some() && cx.query("order") == Some("asc") {
        found.reverse();
    }
    results(cx, &found, |(repo, sha, ..)| {
        let mut shown = repos::commit_json(cx.site, &guard.state, repo, sha);
        shown["repository"] = repos::repository_json(cx.site, &guard.state, repo, cx.caller.login()).into();
        if cx.accepts("text-match") {
            let url = shown["url"].as_str().unwrap_or_default().to_owned();
            let message = shown["commit"]["message"].as_str().unwrap_or_default().to_owned();
            shown["text_matches"] =
                matches(&query, &message, &url, "Commit", "message").into_iter().collect();
        }
        shown
    })
}

fn fits_commit(state: &State, me: &str, repo: &Repository, sha: &str, commit: &Commit, leaf: &Query) -> bool {
    let (name, value) = match leaf {
        Query::Text(word) => return commit.message.to_lowercase().contains(word),
        Query::Qualifier { name, value } => (name.as_str(), value.as_str()),
        Query::And(_) | Query::Or(_) | Query::Not(_) => return false,
    };
    let login = |signature| repos::login_of(state, signature).unwrap_or_default();
    let person = if value == "@me" { me } else { value };
    let at = |seconds: i64| jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string();
    match name {
        "repo" | "org" | "user" => is_meant(repo, state, me, name, value),
        "author" => login(&commit.author).eq_ignore_ascii_case(person),
        "committer" => login(&commit.committer).eq_ignore_ascii_case(person),
        "author-email" => commit.author.email.eq_ignore_ascii_case(value),
        "author-name" => commit.author.name.to_lowercase().contains(&value.to_lowercase()),
        "author-date" => in_range(&at(commit.author.at), value),
        "committer-date" => in_range(&at(commit.committer.at), value),
        "hash" => sha.starts_with(&value.to_lowercase()),
        "parent" => commit.parents.iter().any(|parent| parent.starts_with(&value.to_lowercase())),
        "tree" => commit.tree.starts_with(&value.to_lowercase()),
        "merge" => (commit.parents.len() > 1) == (value == "true"),
        "is" if value == "public" => !repo.private,
        "is" if value == "private" => repo.private,
        _ => true,
    }
}

/// `GET /search/users`
pub(in super::super) fn users(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let query = Query::parse(cx.query("q"))?;
    let guard = TrackerGuard::enter(cx)?;
    let found = find_users(&guard.state, &query);
    results(cx, &found, |account| {
        let mut shown = guard.state.accounts.simple(cx.site, &account.login);
        if cx.accepts("text-match") {
            let url = shown["url"].as_str().unwrap_or_default().to_owned();
            let found = matches(&query, &account.login, &url, "User", "login");
            shown["text_matches"] = found.into_iter().collect();
        }
        shown
    })
}

/// The people and organizations that a query finds.
pub(in super::super) fn find_users<'s>(state: &'s State, query: &Query) -> Vec<&'s Account> {
    let fits = |account: &&Account| {
        account.kind != "Bot"
            && query.fits(&|leaf| match leaf {
                Query::Text(word) => {
                    let email = account.email.as_deref().unwrap_or_default();
                    account.login.to_lowercase().contains(word)
                        || account.name.to_lowercase().contains(word)
                        || email.to_lowercase() == *word
                }
                Query::Qualifier { name, value } => match name.as_str() {
                    "type" => {
                        account.kind.eq_ignore_ascii_case(if value == "org" { "organization" } else { value })
                    }
                    "user" | "org" => account.login.eq_ignore_ascii_case(value),
                    "location" => {
                        let location = account.location.as_deref().unwrap_or_default();
                        location.to_lowercase().contains(&value.to_lowercase())
                    }
                    "created" => in_range(&account.created_at, value),
                    _ => true,
                },
                Query::And(_) | Query::Or(_) | Query::Not(_) => false,
            })
    };
    state.accounts.all().filter(fits).collect()
}
