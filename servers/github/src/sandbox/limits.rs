//! GitHub's limits, per token.

use connector::sandbox::Harness;
use http::{Method, StatusCode};

use super::{
    answer::Answer,
    auth::Caller,
    errors::{ApiError, Outcome},
    route::Route,
};

pub(super) const ROUTES: &[Route] = &[];

/// The limits of everybody.
#[derive(Debug)]
pub(super) struct Limits {}

/// The resource that a path draws on: `core`, `search`, `code_search`, `graphql`.
pub(super) fn resource(path: &str) -> &'static str {
    match path {
        "/graphql" => "graphql",
        "/search/code" => "code_search",
        _ if path.starts_with("/search/") => "search",
        _ => "core",
    }
}

impl Limits {
    pub(super) fn new(_harness: &Harness) -> Self {
        Self {}
    }

    /// Everything is as at the start.
    pub(super) fn clear(&self) {}

    /// Takes what a request costs.
    pub(super) fn take(&self, _caller: &Caller, _method: &Method, _resource: &'static str) -> Outcome<()> {
        Ok(())
    }

    /// `answer` with the headers that tell of the limit.
    pub(super) fn tell(&self, answer: Answer, _caller: &Caller, resource: &'static str) -> Answer {
        answer.header("x-ratelimit-resource", resource)
    }
}

/// The refusal of a budget that is used up, with this `Retry-After` or none.
pub(super) fn spent(retry_after: Option<&str>) -> ApiError {
    let error = ApiError::new(StatusCode::FORBIDDEN, "API rate limit exceeded for user ID 1001.");
    let error = error.header("x-ratelimit-remaining", "0").header("x-ratelimit-resource", "core");
    match retry_after {
        Some(value) => error.header("retry-after", value),
        None => error,
    }
}
