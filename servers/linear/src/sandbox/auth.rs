//! Who asks: personal keys as they are, OAuth tokens as `Bearer`.
//!
//! The sandbox takes any key that begins with `lin_api_`; one that goes on with `readonly` may only
//! read, one that goes on with `revoked` is refused.

use http::{HeaderMap, header};

use super::{
    errors::{ApiError, Outcome},
    store::{State, flag, text},
};

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

/// The caller that `headers` name.
pub(super) fn authenticate(headers: &HeaderMap, state: &State) -> Outcome<Caller> {
    let credential = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credential = credential.map(str::trim).ok_or_else(ApiError::unauthenticated)?;
    if !credential.starts_with("lin_api_") || credential.starts_with("lin_api_revoked") {
        return Err(ApiError::unauthenticated());
    }
    let scopes: &[&str] =
        if credential.starts_with("lin_api_readonly") { &["read"] } else { &["read", "write", "admin"] };
    let user = owner(state).ok_or_else(ApiError::unauthenticated)?;
    Ok(Caller {
        budget: format!("user/{user}"),
        user,
        oauth: false,
        app: false,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    })
}

/// Whose keys the sandbox takes: the first administrator's.
fn owner(state: &State) -> Option<String> {
    let people = || state.all("User").filter(|row| !flag(row, "app"));
    let user = people().find(|row| flag(row, "admin")).or_else(|| people().next());
    user.and_then(|row| text(row, "id")).map(str::to_owned)
}
