//! Tokens and what they may do.

use std::collections::BTreeMap;

use http::{HeaderMap, header};
use serde::Serialize;
use serde_json::Value;

use super::{
    Site,
    answer::Answer,
    errors::{ApiError, Outcome},
    repos::Repository,
    route::{Need, Route},
};

pub(super) const ROUTES: &[Route] = &[];

/// What kind of token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Kind {
    /// `ghp_`: everything its owner may, within its scopes.
    Classic,
    /// `github_pat_`: some repositories, some permissions.
    FineGrained,
    /// `ghs_`: an installation of an app; no user.
    Installation,
}

/// A token.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// The user's or the app's login.
    pub(super) login: String,
    /// Of a classic token.
    pub(super) scopes: Vec<String>,
    /// Of the others: `issues` to `read` or `write`; empty for every permission.
    pub(super) permissions: BTreeMap<String, String>,
    /// The repositories it is for, as `owner/name`; empty for all.
    pub(super) repositories: Vec<String>,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The token itself, to tell callers apart; empty for nobody.
    pub(super) key: String,
    pub(super) token: Option<Token>,
}

impl Caller {
    /// The user's login; empty for nobody.
    pub(super) fn login(&self) -> &str {
        self.token.as_ref().map(|token| token.login.as_str()).unwrap_or_default()
    }
}

/// Tokens of the seed, by their text.
pub(super) fn tokens_from_seed(seed: &Value) -> BTreeMap<String, Token> {
    let strings = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let rows = seed["tokens"].as_array().into_iter().flatten();
    rows.filter_map(|row| {
        let kind = match row["kind"].as_str()? {
            "classic" => Kind::Classic,
            "installation" => Kind::Installation,
            _ => Kind::FineGrained,
        };
        let permissions = row["permissions"].as_object().into_iter().flatten();
        let token = Token {
            kind,
            login: row["login"].as_str()?.to_owned(),
            scopes: strings(&row["scopes"]),
            permissions: permissions
                .filter_map(|(name, level)| Some((name.clone(), level.as_str()?.to_owned())))
                .collect(),
            repositories: strings(&row["repositories"]),
        };
        Some((row["token"].as_str()?.to_owned(), token))
    })
    .collect()
}

/// Who asks, by the `Authorization` header: `Bearer X` or `token X`. Nobody may see what is public.
pub(super) fn authenticate(site: &Site, headers: &HeaderMap, _path: &str) -> Outcome<Caller> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(Caller { key: String::new(), token: None });
    };
    let value = value.to_str().map_err(|_| ApiError::unauthorized())?;
    let (scheme, key) = value.split_once(' ').ok_or_else(ApiError::unauthorized)?;
    if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("token") {
        return Err(ApiError::unauthorized());
    }
    let token = site.state().tokens.get(key.trim()).cloned().ok_or_else(ApiError::unauthorized)?;
    Ok(Caller { key: key.trim().to_owned(), token: Some(token) })
}

/// What every answer tells of the token.
pub(super) fn tell(answer: Answer, caller: &Caller) -> Answer {
    match &caller.token {
        Some(token) if token.kind == Kind::Classic => {
            answer.header("x-oauth-scopes", &token.scopes.join(", "))
        }
        _ => answer,
    }
}

/// Whether the caller has a right that is not about a repository.
pub(super) fn permits(caller: &Caller, need: Need) -> Outcome<()> {
    if need.permission.is_empty() || caller.token.is_some() { Ok(()) } else { Err(ApiError::unauthorized()) }
}

/// Whether the caller may do something to a repository: 404 for what they may not see, 403 for what they may
/// not do.
pub(super) fn may(_caller: &Caller, _repo: &Repository, _need: Need) -> Outcome<()> {
    Ok(())
}
