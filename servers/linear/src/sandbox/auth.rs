//! Who asks: personal keys as they are, OAuth tokens as `Bearer`.
//!
//! The sandbox takes any key that begins with `lin_api_`; one that goes on with `readonly` may only
//! read, one that goes on with `revoked` is refused. Tokens come from its own OAuth endpoints.

use std::time::Duration;

use connector::sandbox::{Harness, OAuth, OAuthClient, OAuthRules, Tokens};
use http::{HeaderMap, header};

use super::{
    errors::{ApiError, Outcome},
    store::{State, flag, text},
};

/// The OAuth application that the sandbox knows.
pub const OAUTH_CLIENT_ID: &str = "sandbox-client";
/// Its secret.
pub const OAUTH_CLIENT_SECRET: &str = "sandbox-secret";

const HOUR: Duration = Duration::from_secs(3600);

/// The user and rights behind one credential.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The user's id.
    pub(super) user: String,
    /// Whose budgets are used: a user's keys share theirs.
    pub(super) budget: String,
    /// An OAuth token rather than a personal key.
    pub(super) oauth: bool,
    /// The token acts as the application itself, not as a person.
    pub(super) app: bool,
    scopes: Vec<String>,
}

impl Caller {
    /// Whether the credential carries `scope`, by name or by a wider one.
    pub(super) fn may(&self, scope: &str) -> bool {
        let has = |wanted: &str| self.scopes.iter().any(|scope| scope == wanted);
        match scope {
            "read" => true,
            "admin" => has("admin"),
            "write" => has("write") || has("admin"),
            narrow => has(narrow) || has("write") || has("admin"),
        }
    }
}

/// The scope a mutation needs.
pub(super) fn scope_of(mutation: &str) -> &'static str {
    match mutation {
        "issueCreate" | "issueBatchCreate" => "issues:create",
        "commentCreate" => "comments:create",
        "webhookCreate" | "webhookUpdate" | "webhookDelete" => "admin",
        _ => "write",
    }
}

/// Linear's authorization server: scopes between commas, tokens for a day, refresh tokens that
/// rotate and answer a replay for half an hour, application tokens for 30 days.
pub(super) fn server(harness: &Harness, state: &State) -> OAuth {
    let rules = OAuthRules {
        authorize_path: "/oauth/authorize",
        token_path: "/oauth/token",
        revoke_path: "/oauth/revoke",
        scope_separator: ',',
        scopes: &[
            "read",
            "write",
            "issues:create",
            "comments:create",
            "timeSchedule:write",
            "admin",
            "app:assignable",
            "app:mentionable",
        ],
        access_prefix: "lin_oauth_",
        refresh_prefix: "lin_refresh_",
        access_ttl: 24 * HOUR,
        replay_grace: HOUR / 2,
        machine_ttl: Some(30 * 24 * HOUR),
        answer: Tokens::standard,
    };
    let client = OAuthClient {
        id: OAUTH_CLIENT_ID.to_owned(),
        secret: Some(OAUTH_CLIENT_SECRET.to_owned()),
        redirect_uris: ["127.0.0.1", "localhost"]
            .into_iter()
            .flat_map(|host| ["", "callback", "oauth/callback"].map(|path| format!("http://{host}/{path}")))
            .collect(),
        subject: owner(state).unwrap_or_default(),
    };
    OAuth::new(rules, harness.clock(), vec![client])
}

/// The caller that `headers` name.
pub(super) fn authenticate(headers: &HeaderMap, oauth: &OAuth, state: &State) -> Outcome<Caller> {
    let credential = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credential = credential.map(str::trim).ok_or_else(ApiError::unauthenticated)?;
    match credential.strip_prefix("Bearer ") {
        Some(token) => by_token(token.trim(), oauth, state),
        None => by_key(credential, state),
    }
}

fn by_key(key: &str, state: &State) -> Outcome<Caller> {
    if !key.starts_with("lin_api_") || key.starts_with("lin_api_revoked") {
        return Err(ApiError::unauthenticated());
    }
    let scopes: &[&str] =
        if key.starts_with("lin_api_readonly") { &["read"] } else { &["read", "write", "admin"] };
    let user = owner(state).ok_or_else(ApiError::unauthenticated)?;
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    Ok(Caller { budget: format!("user/{user}"), user, oauth: false, app: false, scopes })
}

fn by_token(token: &str, oauth: &OAuth, state: &State) -> Outcome<Caller> {
    let grant = oauth.check(token).ok_or_else(ApiError::unauthenticated)?;
    let app = grant.subject.is_none();
    let app_user = || {
        let user = state.all("User").find(|row| flag(row, "app"));
        user.and_then(|row| text(row, "id")).map(str::to_owned).or_else(|| owner(state))
    };
    let user = grant.subject.or_else(app_user).ok_or_else(ApiError::unauthenticated)?;
    let budget = format!("app/{}/{user}", grant.client);
    Ok(Caller { user, budget, oauth: true, app, scopes: grant.scopes.into_iter().collect() })
}

/// Whose keys the sandbox takes: the first administrator's.
fn owner(state: &State) -> Option<String> {
    let people = || state.all("User").filter(|row| !flag(row, "app"));
    let user = people().find(|row| flag(row, "admin")).or_else(|| people().next());
    user.and_then(|row| text(row, "id")).map(str::to_owned)
}
