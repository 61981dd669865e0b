//! What GitHub's answers mean: the one table from its status, headers, message and error types to a kind
//! of error and to whether the request was executed.
//!
//! Sources: docs.github.com, "Troubleshooting the REST API", "Rate limits for the REST API", "Rate limits and
//! query limits for the GraphQL API". The order matters: a 403 may be a limit, a login, or a right.

use std::time::Duration;

use connector::{
    Effect, Error, Kind, Retry,
    catalog::one_line,
    clock,
    upstream::{Request, Response, classify},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

/// How long a secondary limit lasts that does not say so (docs.github.com: "at least one minute").
const SECONDARY_WAIT: Duration = Duration::from_secs(60);
/// Characters of GitHub's own message that an error shows.
const SHOWN: usize = 300;

/// The message of an error for an API version that the server does not know.
pub(crate) const OTHER_VERSION: &str = "this GitHub does not know the API version that was asked for";
/// What the message of an error for a field that the server does not know begins with.
const UNKNOWN_FIELD: &str = "this GitHub does not know the field ";

/// The body of a refusal of the REST API.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FieldValue {
    message: String,
    errors: Vec<Value>,
}

/// What an answer with a failing status means.
pub(crate) fn refusal(request: &Request, response: &Response) -> Error {
    let told: FieldValue = response.json().unwrap_or_default();
    let says = shorten(&told.message);
    let lower = says.to_lowercase();
    match response.status {
        StatusCode::UNAUTHORIZED => Error::new(Kind::Auth, "GitHub refused the token (401)")
            .with_hint("It is wrong, expired or revoked: set GITHUB_TOKEN to a current one"),
        StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
            limited(response, &lower).unwrap_or_else(|| forbidden(response, &says))
        }
        StatusCode::BAD_REQUEST if lower.contains("api version") || lower.contains("api-version") => {
            Error::new(Kind::Upstream, OTHER_VERSION)
        }
        StatusCode::NOT_FOUND => missing(response),
        StatusCode::GONE => {
            Error::not_found(format!("GitHub says it is gone: {}", or(&says, "no reason given")))
        }
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => {
            Error::new(
                Kind::Conflict,
                format!("GitHub cannot do this as things stand: {}", or(&says, "conflict")),
            )
            .with_hint("Read it again and decide anew")
        }
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => unacceptable(&told, &says),
        StatusCode::NOT_ACCEPTABLE => {
            Error::invalid(format!("GitHub does not make that: {}", or(&says, "406")))
        }
        StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => {
            Error::new(Kind::Permission, "GitHub does not show this for legal reasons (451)")
        }
        _ => match classify::status("GitHub", response) {
            Err(error) => error,
            Ok(()) => Error::new(Kind::Upstream, format!("{} failed", request.operation)),
        },
    }
}

/// A refusal for our pace, in one of its forms.
fn limited(response: &Response, message: &str) -> Option<Error> {
    let error = |what: &str| Error::new(Kind::RateLimited, what.to_owned()).with_retry(Retry::NotExecuted);
    let secondary = message.contains("secondary rate") || message.contains("abuse detection");
    let named = response.header("retry-after").is_some();
    if named || (response.status == StatusCode::TOO_MANY_REQUESTS && !secondary) {
        // The pipeline reads Retry-After, and the reset of an empty budget.
        return Some(error(if secondary { SECONDARY } else { PRIMARY }));
    }
    if response.header("x-ratelimit-remaining") == Some("0") && !secondary {
        let reset = response.header("x-ratelimit-reset").and_then(|reset| reset.trim().parse().ok());
        return Some(match reset {
            Some(reset) => error(PRIMARY).with_retry_after(clock::until(Duration::from_secs(reset))),
            None => error(PRIMARY),
        });
    }
    secondary.then(|| error(SECONDARY).with_hint("Ask for less at once").with_retry_after(SECONDARY_WAIT))
}

const PRIMARY: &str = "GitHub's rate limit is used up";
const SECONDARY: &str = "GitHub's secondary rate limit applies: too many requests in too short a time";

/// A refusal for want of a right.
fn forbidden(response: &Response, says: &str) -> Error {
    if let Some(sso) = response.header("x-github-sso") {
        let url = sso.split("url=").nth(1).map(one_line);
        let error = Error::new(Kind::Permission, "The organization wants a single sign-on for this token");
        return match url {
            Some(url) => error.with_hint(format!("The token's owner must authorize it at {url}")),
            None => error.with_hint("The token's owner must authorize it for the organization"),
        };
    }
    if let Some(permissions) = response.header("x-accepted-github-permissions") {
        // Sets of permissions, any of which would do.
        let needs = one_line(&permissions.replace(';', " or "));
        return Error::new(Kind::Permission, format!("The token lacks a permission: GitHub says \"{says}\""))
            .with_hint(format!("It needs {needs}"));
    }
    if let Some(scopes) = missing_scopes(response) {
        return Error::new(Kind::Permission, format!("The token lacks a scope: GitHub says \"{says}\""))
            .with_hint(format!("It needs {scopes}"));
    }
    Error::new(Kind::Permission, format!("GitHub forbids this: {}", or(says, "403")))
        .with_hint("The token's owner lacks the right, or the organization restricts the token")
}

/// Nothing there, or nothing that this token may see: GitHub does not tell them apart.
fn missing(response: &Response) -> Error {
    let error = Error::not_found("GitHub has no such thing, or the token may not see it (404)");
    match missing_scopes(response) {
        Some(scopes) => {
            error.with_hint(format!("Check the name; for something private the token needs {scopes}"))
        }
        None => error.with_hint("Check the name, and that the token has access to the repository"),
    }
}

/// The scopes of which a classic token needs one and has none.
fn missing_scopes(response: &Response) -> Option<String> {
    let list = |name: &str| -> Option<Vec<String>> {
        let value = response.header(name)?;
        Some(
            value.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect(),
        )
    };
    let (has, accepted) = (list("x-oauth-scopes")?, list("x-accepted-oauth-scopes")?);
    if accepted.is_empty() || accepted.iter().any(|scope| has.contains(scope)) {
        return None;
    }
    Some(format!(
        "the scope {}",
        accepted.iter().map(|scope| one_line(scope)).collect::<Vec<_>>().join(" or ")
    ))
}

/// A request that GitHub understands and does not accept.
fn unacceptable(told: &FieldValue, says: &str) -> Error {
    let field =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut details = Vec::new();
    let mut exists = says.to_lowercase().contains("already exists");
    for error in &told.errors {
        if let Value::String(text) = error {
            exists |= text.to_lowercase().contains("already exists");
            details.push(shorten(text));
            continue;
        }
        let (code, message) = (field(error, "code"), field(error, "message"));
        exists |= code == "already_exists" || message.to_lowercase().contains("already exists");
        let name = field(error, "field");
        details.push(match (name.is_empty(), message.is_empty()) {
            (_, false) => shorten(&message),
            (false, true) => {
                let name = one_line(&name);
                match code.as_str() {
                    "missing_field" => format!("{name} is missing"),
                    "missing" => format!("what {name} names does not exist"),
                    "already_exists" => format!("{name} exists already"),
                    code => format!("{name} is {}", code.replace('_', " ")),
                }
            }
            (true, true) => code.replace('_', " "),
        });
    }
    details.retain(|detail| !detail.is_empty() && detail != says);
    details.dedup();
    let why = if details.is_empty() {
        or(says, "no reason given").to_owned()
    } else {
        format!("{says}: {}", details.join("; "))
    };
    if exists {
        return Error::new(Kind::Conflict, format!("GitHub has this already: {why}"));
    }
    Error::invalid(format!("GitHub does not accept this: {why}"))
}

/// GitHub's words, on one line and not endless.
fn shorten(text: &str) -> String {
    let line = one_line(text);
    let line = line.trim_end_matches('.');
    match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

/// One entry of a GraphQL answer's `errors`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GraphqlError {
    #[serde(rename = "type")]
    kind: String,
    message: String,
    path: Vec<Value>,
    extensions: Extensions,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Extensions {
    code: String,
    field_name: String,
    #[serde(rename = "saml_failure")]
    saml_failure: bool,
}

impl GraphqlError {
    /// The last field on the way to what failed that says what it is: entries of a list do not.
    pub(crate) fn part(&self) -> String {
        let telling = |field: &&str| !["nodes", "edges", "node", "contexts"].contains(field);
        self.path.iter().rev().filter_map(Value::as_str).find(telling).unwrap_or("answer").to_owned()
    }
}

/// The error for one entry of `errors`.
pub(crate) fn failure(effect: Effect, error: &GraphqlError) -> Error {
    let says = shorten(&error.message);
    let lower = says.to_lowercase();
    if error.extensions.saml_failure {
        return Error::new(Kind::Permission, "The organization wants a single sign-on for this token")
            .with_hint(
                "The token's owner must authorize it for the organization, in the settings of the token",
            );
    }
    if let Some(field) = undefined_field(error) {
        return Error::new(Kind::Upstream, format!("{UNKNOWN_FIELD}`{field}`"));
    }
    match error.kind.as_str() {
        "RATE_LIMITED" => Error::new(Kind::RateLimited, PRIMARY).with_retry(Retry::NotExecuted),
        _ if lower.contains("secondary rate") => Error::new(Kind::RateLimited, SECONDARY)
            .with_retry(Retry::NotExecuted)
            .with_retry_after(SECONDARY_WAIT),
        "NOT_FOUND" => {
            Error::not_found(format!("GitHub has no such thing, or the token may not see it: {says}"))
                .with_hint("Check the name, and that the token has access to the repository")
        }
        "FORBIDDEN" | "INSUFFICIENT_SCOPES" => {
            Error::new(Kind::Permission, format!("GitHub forbids this: {says}"))
                .with_hint("The token's owner lacks the right, or the token the permission")
        }
        "STALE_DATA" => Error::new(Kind::Conflict, format!("it has changed meanwhile: {says}"))
            .with_hint("Read it again and decide anew"),
        "UNPROCESSABLE" | "VALIDATION" => Error::invalid(format!("GitHub does not accept this: {says}")),
        // GitHub's words for a failure of its own (octokit treats it as status 500).
        _ if lower.contains("something went wrong") => {
            let retry = if effect.writes() { Retry::MaybeExecuted } else { Retry::NotExecuted };
            Error::new(Kind::Upstream, "GitHub failed while it worked on this")
                .with_hint("If it stays so, ask for less at once")
                .with_retry(retry)
        }
        _ => Error::new(
            Kind::Upstream,
            format!("GitHub answered with an error: {}", or(&says, "no reason given")),
        ),
    }
}

/// The field, or the argument of one, that the server does not know, if that is what the error says.
fn undefined_field(error: &GraphqlError) -> Option<String> {
    if error.extensions.code == "undefinedField" && !error.extensions.field_name.is_empty() {
        return Some(one_line(&error.extensions.field_name));
    }
    // Field 'stateReason' doesn't accept argument 'enableDuplicate'
    if let Some((_, argument)) = error.message.split_once("doesn't accept argument '") {
        return argument.split('\'').next().map(one_line);
    }
    // Field 'issueType' doesn't exist on type 'Issue'
    let rest = error.message.strip_prefix("Field '")?;
    let (field, rest) = rest.split_once('\'')?;
    rest.contains("doesn't exist on type").then(|| one_line(field))
}

/// The field in an error of [`failure`] for one that the server does not know.
pub(crate) fn unknown_field(error: &Error) -> Option<&str> {
    error.message().strip_prefix(UNKNOWN_FIELD).map(|field| field.trim_matches('`'))
}

#[cfg(test)]
mod tests {
    use connector::{Result, upstream::Vendor as _};
    use http::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;
    use crate::vendor::GitHubVendor;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &Value) -> Error {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        let response = Response::new(StatusCode::from_u16(status).unwrap(), map, body.to_string());
        let request = Request::get("GET /x", "/x");
        GitHubVendor::default().classify(&request, &response).unwrap_err()
    }

    fn graphql_answer(body: &Value) -> Result<()> {
        let response = Response::new(StatusCode::OK, HeaderMap::new(), body.to_string());
        let request = Request::post("Q", "").url("https://api.github.com/graphql".parse().unwrap());
        GitHubVendor::default().classify(&request.effect(Effect::Read), &response)
    }

    #[test]
    fn a_forbidden_request_is_a_limit_a_login_or_a_right() {
        let says =
            |message: &str| json!({"message": message, "documentation_url": "https://docs.github.com"});
        let limit =
            answer(403, &[("x-ratelimit-remaining", "0")], &says("API rate limit exceeded for user ID 1."));
        assert_eq!((limit.kind(), limit.retry()), (Kind::RateLimited, Retry::NotExecuted));
        // A secondary limit often comes without Retry-After (hub4j/github-api#2009).
        let pace = answer(
            403,
            &[("x-ratelimit-remaining", "4999")],
            &says("You have exceeded a secondary rate limit."),
        );
        assert_eq!((pace.kind(), pace.retry_after()), (Kind::RateLimited, Some(SECONDARY_WAIT)));
        let sso = answer(
            403,
            &[("x-github-sso", "required; url=https://github.com/orgs/acme/sso?authorization_request=A")],
            &says("Resource protected by organization SAML enforcement."),
        );
        assert_eq!(sso.kind(), Kind::Permission);
        assert!(
            sso.for_agent().contains("https://github.com/orgs/acme/sso?authorization_request=A"),
            "{sso}"
        );
        let right = answer(
            403,
            &[("x-accepted-github-permissions", "issues=write; pull_requests=write")],
            &says("Resource not accessible by personal access token"),
        );
        assert!(
            right.for_agent().contains("issues=write or  pull_requests=write")
                || right.for_agent().contains("issues=write or pull_requests=write"),
            "{right}"
        );
        let scope = answer(
            403,
            &[("x-oauth-scopes", "read:user"), ("x-accepted-oauth-scopes", "repo, public_repo")],
            &says("Must have admin rights"),
        );
        assert!(scope.for_agent().contains("the scope repo or public_repo"), "{scope}");
    }

    #[test]
    fn what_is_not_accepted_names_the_field() {
        let error = answer(
            422,
            &[],
            &json!({"message": "Validation Failed", "errors": [
            {"resource": "Issue", "field": "title", "code": "missing_field"}]}),
        );
        assert_eq!(
            error.for_agent(),
            "invalid_argument: GitHub does not accept this: Validation Failed: title is missing."
        );
        let error = answer(422, &[], &json!({"message": "Reference already exists"}));
        assert_eq!(error.kind(), Kind::Conflict);
        let error = answer(
            422,
            &[],
            &json!({"message": "Validation Failed", "errors": ["A pull request already exists for o:b."]}),
        );
        assert_eq!(error.kind(), Kind::Conflict);
        assert_eq!(
            answer(400, &[], &json!({"message": "\"2026-03-10\" is not a valid API version"})).message(),
            OTHER_VERSION
        );
    }

    #[test]
    fn graphql_errors_are_told_apart_by_their_type() {
        let kind = |kind: &str| {
            let errors = json!([{"type": kind, "message": "No.", "path": ["repository"]}]);
            graphql_answer(&json!({"data": {"repository": null}, "errors": errors})).unwrap_err().kind()
        };
        assert_eq!(kind("NOT_FOUND"), Kind::NotFound);
        assert_eq!(kind("RATE_LIMITED"), Kind::RateLimited);
        assert_eq!(kind("FORBIDDEN"), Kind::Permission);
        assert_eq!(kind("STALE_DATA"), Kind::Conflict);
        let unknown = json!({"errors": [{"message": "Field 'issueType' doesn't exist on type 'Issue'",
            "extensions": {"code": "undefinedField", "typeName": "Issue", "fieldName": "issueType"}}]});
        assert_eq!(unknown_field(&graphql_answer(&unknown).unwrap_err()), Some("issueType"));
        let argument = json!({"errors": [{"message": "Field 'stateReason' doesn't accept argument 'enableDuplicate'",
            "extensions": {"code": "argumentNotAccepted", "name": "stateReason"}}]});
        assert_eq!(unknown_field(&graphql_answer(&argument).unwrap_err()), Some("enableDuplicate"));
        let beside = json!({"data": {"repository": {"id": 1}}, "errors": [{"message": "x"}]});
        assert!(graphql_answer(&beside).is_ok(), "what came is worth more");
    }
}
