//! What Notion's answers mean: the one table from its status and code to a kind of error and to whether
//! the request was executed (developers.notion.com/reference/status-codes).

use std::{fmt, time::Duration};

use connector::{
    Error, Kind, Result, Retry,
    catalog::one_line,
    upstream::{Request, Response, classify},
};
use serde::Deserialize;
use serde_json::Value;

/// Characters of Notion's message that are shown: a refused language lists ninety names.
const SHOWN: usize = 300;

/// An error as Notion writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    object: String,
    code: String,
    message: String,
    request_id: String,
    additional_data: Value,
}

/// What a write has saved though it was answered with 503 (developers.notion.com/reference/request-limits:
/// `committed_resource_id`, `committed_child_ids`).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Committed {
    /// The page, block, comment or the like that was made or changed.
    #[serde(rename = "committed_resource_id")]
    resource: Option<String>,
    /// What was made inside it.
    #[serde(default, rename = "committed_child_ids")]
    children: Vec<String>,
}

impl fmt::Display for Committed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notion says that it saved the write")
    }
}

impl std::error::Error for Committed {}

/// Whether a database is refused because it is linked: its table is elsewhere and not reachable (upgrade guide 2025-09-03).
pub(crate) fn is_linked(error: &Error) -> bool {
    error.message().contains("does not contain any data sources")
}

/// The id of what a write has saved that failed with `error`, as Notion says it.
pub(crate) fn committed_id(error: &Error) -> Option<&str> {
    committed(error)?.resource.as_deref()
}

/// The ids of what a write has saved inside of what it was about, as Notion says them.
pub(crate) fn committed_children(error: &Error) -> &[String] {
    committed(error).map_or(&[], |committed| committed.children.as_slice())
}

fn committed(error: &Error) -> Option<&Committed> {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.into_iter().find_map(|cause| cause.downcast_ref())
}

/// Reads an answer's status and body.
pub(crate) fn classify(request: &Request, response: &Response) -> Result<()> {
    if response.status.is_success() {
        return Ok(());
    }
    let refusal: Refusal = serde_json::from_slice(&response.body).unwrap_or_default();
    if refusal.object != "error" || refusal.code.is_empty() {
        // A page of the edge in front of Notion, or nothing at all.
        return classify::status("Notion", response)
            .map_err(|error| if response.status.as_u16() == 529 { overloaded(response) } else { error });
    }
    let error = meaning(request, response, &refusal);
    let id = Some(refusal.request_id.as_str()).filter(|id| !id.is_empty());
    let id = id.or_else(|| response.header("x-notion-request-id"));
    Err(match id {
        Some(id) => error.with_request_id(one_line(id)),
        None => error,
    })
}

/// 529: Notion's own servers have too much to do; like 429, nothing was executed (request-limits).
fn overloaded(_response: &Response) -> Error {
    Error::new(Kind::RateLimited, "Notion is overloaded")
        .with_hint("Wait and try again")
        .with_retry(Retry::NotExecuted)
}

fn meaning(request: &Request, response: &Response, refusal: &Refusal) -> Error {
    let says = says(&refusal.message);
    match refusal.code.as_str() {
        "unauthorized" => Error::new(Kind::Auth, "Notion refused the token")
            .with_hint("Check that the token is complete, has not been revoked, and is less than a year old"),
        "restricted_resource" => Error::new(
            Kind::Permission,
            format!("The connection lacks the capability for this ({})", capability(request)),
        )
        .with_hint(
            "Give it that capability in the connection's settings in Notion, or use a token that has it",
        ),
        "object_not_found" => Error::not_found(says).with_hint(
            "Check the id; if it is right, share the page with this connection (in Notion, its ••• menu → Connections)",
        ),
        "rate_limited" => rate_limited(refusal),
        "service_overload" => overloaded(response),
        "conflict_error" => Error::new(Kind::Conflict, format!("Notion could not save: {says}"))
            .with_hint("Read it again and try once more"),
        "row_limit_exceeded" => Error::new(Kind::Conflict, format!("The table is full: {says}"))
            .with_hint("Move rows into another table first"),
        "invalid_json" | "invalid_request_url" | "invalid_request" | "missing_version" | "invalid_beta" => {
            Error::internal(format!("Notion did not understand the request: {says}"))
        }
        "validation_error" | "invalid_grant" => {
            Error::invalid(format!("Notion does not accept this: {says}"))
        }
        _ if response.status.is_server_error() => {
            // A write may have been saved all the same; then Notion says what it saved.
            let error =
                Error::new(Kind::Upstream, format!("Notion failed: {says}")).with_retry(Retry::MaybeExecuted);
            match serde_json::from_value::<Committed>(refusal.additional_data.clone()) {
                Ok(committed) if committed.resource.is_some() => error.with_source(committed),
                _ => error,
            }
        }
        _ if response.status.as_u16() == 403 => {
            Error::new(Kind::Permission, format!("Notion forbids this: {says}"))
        }
        code => Error::invalid(format!("Notion does not accept this ({}): {says}", one_line(code))),
    }
}

/// Whose budget a refusal says is used up.
pub(crate) fn limit_reason(response: &Response) -> Option<String> {
    let refusal: Refusal = serde_json::from_slice(&response.body).ok()?;
    refusal.additional_data["rate_limit_reason"].as_str().map(str::to_owned)
}

/// The reasons of a refusal for a budget: this connection's, the workspace's, one endpoint's, or a block that no
/// waiting ends (request-limits, `rate_limit_reason`).
fn rate_limited(refusal: &Refusal) -> Error {
    let reason = refusal.additional_data["rate_limit_reason"].as_str().unwrap_or_default();
    let (whose, hint) = match reason {
        "public_api_request_blocked" => {
            return Error::new(Kind::Permission, "Notion blocks this connection's requests")
                .with_hint("Waiting does not help: ask Notion's support, or use another connection");
        }
        "public_api_space_request_rate_limit" => (
            "The whole workspace's budget of requests",
            "Wait; other integrations of the workspace use the same budget",
        ),
        "public_api_endpoint_rate_limit" => {
            ("Notion's budget for this kind of request", "Wait, or ask for less")
        }
        _ => ("The connection's budget of requests", "Wait, or ask for less at once"),
    };
    let error = Error::new(Kind::RateLimited, format!("{whose} is used up"))
        .with_hint(hint)
        .with_retry(Retry::NotExecuted);
    let after = &refusal.additional_data["retry_after"];
    let seconds = after.as_u64().or_else(|| after.as_str().and_then(|text| text.parse().ok()));
    match seconds {
        Some(seconds) => error.with_retry_after(Duration::from_secs(seconds)),
        None => error,
    }
}

/// The capability that a request takes (developers.notion.com/reference/capabilities).
fn capability(request: &Request) -> &'static str {
    let operation = request.operation;
    let (method, path) = operation.split_once(' ').unwrap_or(("", operation));
    match (method, path) {
        ("GET", path) if path.starts_with("/comments") => "read comments",
        (_, path) if path.starts_with("/comments") => "insert comments",
        (_, path) if path.starts_with("/users") => "read user information",
        ("GET", _) | (_, "/search" | "/data_sources/{id}/query") => "read content",
        ("POST", "/pages/{id}/move") | ("PATCH" | "DELETE", _) if path != "/blocks/{id}/children" => {
            "update content"
        }
        _ => "insert content",
    }
}

fn says(message: &str) -> String {
    let line = one_line(message);
    match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.trim_end_matches('.').to_owned(),
    }
}
