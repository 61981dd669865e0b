//! What a caller may do.
//!
//! Sources: docs.github.com, "Permissions required for fine-grained personal access tokens" and "… for GitHub
//! Apps", "Scopes for OAuth apps", "Repository roles for an organization", "Troubleshooting the REST API" (404
//! for what one may not see).

use super::{Caller, Kind, Token};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    repos::{Repository, Role},
    route::{Need, read},
};

/// The right to ask as an app itself.
pub(in crate::sandbox) const ABOUT_APP: Need = read("app");

/// A right as `X-Accepted-GitHub-Permissions` says it: `issues=write`.
pub(super) fn in_words(need: Need) -> String {
    format!("{}={}", need.permission, if need.write { "write" } else { "read" })
}

/// The scopes of which a classic token needs one, for something private or public.
pub(in crate::sandbox) fn accepted(need: Need, private: bool) -> &'static [&'static str] {
    match (need.permission, need.write) {
        ("members", false) => &["admin:org", "read:org", "repo", "user", "write:org"],
        ("members", true) => &["admin:org", "write:org"],
        ("notifications", _) => &["notifications", "repo"],
        ("gists", true) => &["gist"],
        ("gists" | "app", _) => &[],
        ("organization_projects", false) => &["read:project", "project"],
        ("organization_projects", true) => &["project"],
        ("security_events" | "vulnerability_alerts" | "secret_scanning_alerts", _) => {
            &["repo", "security_events"]
        }
        ("", _) if !private => &[],
        (_, false) if !private => &[],
        ("statuses", _) => &["repo", "repo:status"],
        (_, true) if !private => &["public_repo", "repo"],
        _ => &["repo"],
    }
}

/// The refusal of a token that lacks a permission.
pub(in crate::sandbox) fn not_accessible(caller: &Caller) -> ApiError {
    let by_integration = match &caller.token {
        Some(token) => matches!(token.kind, Kind::Installation | Kind::UserToServer),
        None => caller.app.is_some(),
    };
    let who = if by_integration { "integration" } else { "personal access token" };
    ApiError::forbidden(format!("Resource not accessible by {who}"))
}

/// The same for a right that is known.
fn lacks(caller: &Caller, need: Need) -> ApiError {
    not_accessible(caller).header("x-accepted-github-permissions", &in_words(need))
}

/// Whether the caller has a right that is not about a repository.
pub(in crate::sandbox) fn permits(caller: &Caller, need: Need) -> Outcome<()> {
    if need == ABOUT_APP {
        return asks_as_app(caller);
    }
    if need.permission.is_empty() || (need.permission == "gists" && !need.write && caller.token.is_none()) {
        return Ok(());
    }
    let Some(token) = &caller.token else {
        return Err(match caller.app {
            Some(_) => lacks(caller, need),
            None => ApiError::requires_authentication(),
        });
    };
    if token.kind != Kind::Classic {
        return if token.allows(need.permission, need.write) { Ok(()) } else { Err(lacks(caller, need)) };
    }
    let scopes = accepted(need, false);
    if scopes.is_empty() || scopes.iter().any(|scope| token.has_scope(scope)) {
        return Ok(());
    }
    if need.permission == "gists" {
        return Err(ApiError::not_found());
    }
    Err(ApiError::forbidden(format!(
        "Your token has not been granted the required scopes to execute this: one of {}.",
        scopes.join(", ")
    ))
    .kind("INSUFFICIENT_SCOPES"))
}

fn asks_as_app(caller: &Caller) -> Outcome<()> {
    match (caller.app, &caller.token) {
        (Some(_), _) => Ok(()),
        (None, None) => Err(ApiError::requires_authentication()),
        (None, Some(_)) => {
            let mut error = ApiError::unauthorized();
            "A JSON web token could not be decoded".clone_into(&mut error.message);
            Err(error)
        }
    }
}

/// Whether the caller may do something to a repository: 404 for what they may not see, 403 for what they may
/// not do.
pub(in crate::sandbox) fn may(caller: &Caller, repo: &Repository, need: Need) -> Outcome<()> {
    if need == ABOUT_APP {
        return asks_as_app(caller);
    }
    let Some(token) = &caller.token else {
        return match (repo.private, need.write, caller.app) {
            (true, ..) => Err(ApiError::not_found()),
            (false, false, _) => Ok(()),
            (false, true, Some(_)) => Err(lacks(caller, need)),
            (false, true, None) => Err(ApiError::requires_authentication()),
        };
    };
    let role = if token.kind == Kind::Installation { None } else { repo.role(&token.login) };
    if repo.private && token.wants_sso(&repo.owner) && role.is_some() {
        return Err(sso(token, &repo.owner));
    }
    if repo.private && !sees(token, repo, role) {
        return Err(ApiError::not_found());
    }
    if !has(token, repo, need) {
        return Err(match token.kind {
            // A classic token that lacks the scope is told that there is nothing.
            Kind::Classic => ApiError::not_found(),
            _ => lacks(caller, need),
        });
    }
    if token.kind == Kind::Installation || !need.write || role >= Some(needed(need.permission)) {
        return Ok(());
    }
    // Whoever may read what is public may open an issue or a pull request there, and speak.
    if needed(need.permission) == Role::Read && !repo.private {
        return Ok(());
    }
    Err(match (need.permission, token.kind) {
        ("administration", _) => ApiError::forbidden("Must have admin rights to Repository."),
        (_, Kind::Classic) => ApiError::not_found(),
        _ => lacks(caller, need),
    })
}

/// Whether a token shows a private repository at all.
fn sees(token: &Token, repo: &Repository, role: Option<Role>) -> bool {
    let chosen = token.is_for(&repo.owner, &repo.full_name());
    match token.kind {
        Kind::Classic => role.is_some() && token.has_scope("repo"),
        Kind::Installation => chosen,
        Kind::FineGrained | Kind::UserToServer => role.is_some() && chosen,
    }
}

/// Whether a token has a right in a repository that it shows, whoever holds it. What is public may be read with
/// any.
fn has(token: &Token, repo: &Repository, need: Need) -> bool {
    if !repo.private && !need.write {
        return true;
    }
    if token.kind == Kind::Classic {
        let scopes = accepted(need, repo.private);
        return scopes.is_empty() || scopes.iter().any(|scope| token.has_scope(scope));
    }
    token.is_for(&repo.owner, &repo.full_name()) && token.allows(need.permission, need.write)
}

/// The least role that may write with a permission. What needs more is refused by its handler.
fn needed(permission: &str) -> Role {
    match permission {
        "" | "issues" | "pull_requests" | "discussions" | "metadata" => Role::Read,
        "administration" => Role::Admin,
        _ => Role::Write,
    }
}

/// The organization wants a single sign-on for the token (docs.github.com, "Troubleshooting the REST API").
fn sso(token: &Token, org: &str) -> ApiError {
    let what = if token.kind == Kind::Classic { "Personal Access" } else { "OAuth" };
    let words = format!(
        "Resource protected by organization SAML enforcement. You must grant your {what} token access to this organization."
    );
    let url = format!("https://github.com/orgs/{org}/sso?authorization_request=A1B2C3");
    let mut error = ApiError::forbidden(words).header("x-github-sso", &format!("required; url={url}"));
    error.saml_failure = true;
    error
}
