//! Who asks: tokens, apps and what they may do.
//!
//! Beside GitHub's own routes there are two that tests lay things down by: `POST /_github/tokens` (a token, as
//! the seed has it; `{"token": "…", "revoked": true}` takes it away) and `POST /_github/device` (somebody enters a code
//! of the device flow: `{"user_code": "…", "login": "maya"}`, or `"deny": true`).

mod apps;
mod device;
mod rights;
mod tokens;

use http::{HeaderMap, header};

pub(super) use self::{
    apps::Apps,
    device::Grants,
    rights::{ABOUT_APP, accepted, may, not_accessible, permits},
    tokens::{Kind, Token, tokens_from_seed},
};
use super::{
    Site,
    errors::{ApiError, Outcome},
    request::FakeResponse,
    route::{Need, Route},
};

/// The tables of routes.
pub(super) const ROUTES: [&[Route]; 3] = [apps::ROUTES, device::ROUTES, tokens::ROUTES];

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) token: Option<Token>,
    /// An app that asks as itself, by its number.
    pub(super) app: Option<u64>,
}

impl Caller {
    const NOBODY: Self = Self { token: None, app: None };

    /// The user's login; an installation's is its app's bot; empty for nobody.
    pub(super) fn login(&self) -> &str {
        self.token.as_ref().map(|token| token.login.as_str()).unwrap_or_default()
    }

    /// Whether the token is for what belongs to `owner` at all.
    pub(super) fn is_for(&self, owner: &str) -> bool {
        self.token.as_ref().is_some_and(|token| {
            let theirs = token.owner.as_ref().is_none_or(|only| only.eq_ignore_ascii_case(owner));
            theirs && !token.wants_sso(owner)
        })
    }
}

/// Who asks, by the `Authorization` header: `Bearer X` or `token X`; octokit also sends `bearer X`. Nobody may
/// see what is public.
pub(super) fn authenticate(site: &Site, headers: &HeaderMap, path: &str) -> Outcome<Caller> {
    // What is asked of the site is not asked with a token, and what GitHub has not is open.
    if path.starts_with("/login/") {
        return Ok(Caller::NOBODY);
    }
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(Caller::NOBODY) };
    let value = value.to_str().map_err(|_| ApiError::unauthorized())?;
    let (scheme, key) = value.split_once(' ').ok_or_else(ApiError::unauthorized)?;
    if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("token") {
        return Err(ApiError::unauthorized());
    }
    let key = key.trim();
    let now = site.harness.clock().now().as_secs();
    let state = site.state();
    match state.tokens.get(key) {
        Some(token) if token.expires.is_none_or(|expires| now < expires) => {
            Ok(Caller { token: Some(token.clone()), app: None })
        }
        Some(_) => Err(ApiError::unauthorized()),
        // An app's own token is a JSON web token: its first part begins with `{"`.
        None if key.starts_with("eyJ") => {
            let app = state.apps.verify(key, now)?;
            Ok(Caller { token: None, app: Some(app) })
        }
        None => Err(ApiError::unauthorized()),
    }
}

/// What every answer tells of the token, and of the right that was asked for.
pub(super) fn tell(answer: FakeResponse, caller: &Caller, need: Option<(Need, bool)>) -> FakeResponse {
    let Some(token) = &caller.token else { return answer };
    let answer = match (token.kind, need) {
        (Kind::Classic, need) => {
            let accepted = need.map(|(need, private)| accepted(need, private).join(", ")).unwrap_or_default();
            answer
                .header("x-oauth-scopes", &token.scopes.join(", "))
                .header_unless_there("x-accepted-oauth-scopes", &accepted)
        }
        (_, Some((need, _))) if !need.permission.is_empty() && need.permission != ABOUT_APP.permission => {
            answer.header_unless_there("x-accepted-github-permissions", &rights::in_words(need))
        }
        _ => answer,
    };
    match token.expires {
        Some(expires) if token.kind == Kind::FineGrained || token.kind == Kind::Classic => {
            let at = super::iso(expires).replace('T', " ").replace('Z', " UTC");
            answer.header("github-authentication-token-expiration", &at)
        }
        _ => answer,
    }
}
