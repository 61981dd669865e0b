//! Tokens.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::sandbox::{
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    route::{ANY, Route, route},
};

pub(super) const ROUTES: &[Route] = &[route("POST /_github/tokens", ANY, lay_down)];

/// What kind of token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(in crate::sandbox) enum Kind {
    /// `ghp_`, and `gho_` of an OAuth app: everything its owner may, within its scopes.
    Classic,
    /// `github_pat_`: some repositories, some permissions.
    FineGrained,
    /// `ghs_`: an installation of an app; no user.
    Installation,
    /// `ghu_`: what both its user and an app may.
    UserToServer,
}

/// A token.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Token {
    pub(in crate::sandbox) kind: Kind,
    /// The user's login, or that of the app's bot.
    pub(in crate::sandbox) login: String,
    /// The user's number.
    pub(in crate::sandbox) user: u64,
    /// Of a classic token.
    pub(in crate::sandbox) scopes: Vec<String>,
    /// Of the others: `issues` to `read` or `write`; empty for all that there are
    /// for its kind.
    pub(in crate::sandbox) permissions: BTreeMap<String, String>,
    /// The repositories it is for, as `owner/name`; empty for all.
    pub(in crate::sandbox) repositories: Vec<String>,
    /// Whose repositories it is for; none for everybody's.
    pub(in crate::sandbox) owner: Option<String>,
    /// The installation it was made for.
    pub(in crate::sandbox) installation: Option<u64>,
    /// When it ends, in seconds since the epoch.
    pub(in crate::sandbox) expires: Option<u64>,
    /// Organizations that want a single sign-on for it first.
    pub(in crate::sandbox) sso: Vec<String>,
}

impl Token {
    /// Whether a classic token has a scope, by itself or in a wider one (docs.github.com, "Scopes for OAuth
    /// apps").
    pub(in crate::sandbox) fn has_scope(&self, scope: &str) -> bool {
        let wider: &[&str] = match scope {
            "public_repo" | "repo:status" | "security_events" | "repo_deployment" | "repo:invite" => {
                &["repo"]
            }
            "read:org" => &["write:org", "admin:org"],
            "write:org" => &["admin:org"],
            "read:user" | "user:email" | "user:follow" => &["user"],
            "read:project" => &["project"],
            _ => &[],
        };
        self.scopes.iter().any(|held| held == scope || wider.contains(&held.as_str()))
    }

    /// Whether another token has a permission. Reading what a repository is called comes with every one. A
    /// fine-grained token cannot be given Checks (docs.github.com, "Permissions required for fine-grained
    /// personal access tokens", does not name them).
    pub(in crate::sandbox) fn allows(&self, permission: &str, write: bool) -> bool {
        if self.kind == Kind::FineGrained && permission == "checks" {
            return false;
        }
        if self.permissions.is_empty() || permission.is_empty() || (permission == "metadata" && !write) {
            return true;
        }
        match self.permissions.get(permission).map(String::as_str) {
            Some("admin" | "write") => true,
            Some("read") => !write,
            _ => false,
        }
    }

    /// Whether it is for a repository, by its full name.
    pub(in crate::sandbox) fn is_for(&self, owner: &str, full_name: &str) -> bool {
        let theirs = self.owner.as_ref().is_none_or(|only| only.eq_ignore_ascii_case(owner));
        let chosen = self.repositories.is_empty()
            || self.repositories.iter().any(|name| name.eq_ignore_ascii_case(full_name));
        theirs && chosen
    }

    /// Whether an organization wants a single sign-on first.
    pub(in crate::sandbox) fn wants_sso(&self, owner: &str) -> bool {
        self.sso.iter().any(|org| org.eq_ignore_ascii_case(owner))
    }

    /// A token as the seed and `POST /_github/tokens` have it; `now` is when `expires_in_s` begins.
    fn from_seed(row: &Value, users: &Value, now: u64) -> Option<(String, Self)> {
        let strings = |value: &Value| -> Vec<String> {
            value
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect()
        };
        let kind = match row["kind"].as_str()? {
            "classic" => Kind::Classic,
            "installation" => Kind::Installation,
            "user_to_server" => Kind::UserToServer,
            _ => Kind::FineGrained,
        };
        let login = row["login"].as_str()?.to_owned();
        let user = users.as_array().into_iter().flatten().find(|user| user["login"] == login.as_str());
        let permissions = row["permissions"].as_object().into_iter().flatten();
        let token = Self {
            kind,
            user: user.and_then(|user| user["id"].as_u64()).unwrap_or_default(),
            login,
            scopes: strings(&row["scopes"]),
            permissions: permissions
                .filter_map(|(name, level)| Some((name.clone(), level.as_str()?.to_owned())))
                .collect(),
            repositories: strings(&row["repositories"]),
            owner: row["owner"].as_str().map(str::to_owned),
            installation: row["installation"].as_u64(),
            expires: row["expires_in_s"].as_u64().map(|seconds| now + seconds),
            sso: strings(&row["sso"]),
        };
        Some((row["token"].as_str()?.to_owned(), token))
    }
}

/// Tokens of the seed, by their text.
pub(in crate::sandbox) fn tokens_from_seed(seed: &Value) -> BTreeMap<String, Token> {
    let rows = seed["tokens"].as_array().into_iter().flatten();
    rows.filter_map(|row| Token::from_seed(row, &seed["users"], 0)).collect()
}

/// `POST /_github/tokens`.
fn lay_down(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let wish = Value::Object(cx.object()?);
    let mut state = cx.site.state();
    if wish["revoked"] == json!(true) {
        let gone = wish["token"].as_str().and_then(|text| state.tokens.remove(text));
        return gone.map(|_| FakeResponse::none()).ok_or_else(ApiError::not_found);
    }
    let users: Vec<Value> =
        state.accounts.all().map(|account| json!({"login": account.login, "id": account.id})).collect();
    let now = cx.site.harness.clock().now().as_secs();
    let made = Token::from_seed(&wish, &users.into(), now);
    let (text, token) = made.ok_or_else(|| ApiError::unprocessable("token, kind and login are needed"))?;
    state.tokens.insert(text, token);
    Ok(FakeResponse::none())
}
