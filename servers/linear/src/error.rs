//! What Linear's answers mean: the one table from its status, code, type and message to a kind of
//! error and to whether the request was executed; and Linear's budgets and way of authorizing.
//!
//! Linear answers a failure with HTTP 200 or 4xx and a list of `errors`, each with a `message` and
//! `extensions` (`code`, `type`, `statusCode`, `userPresentableMessage`). Codes are coarse
//! (`INPUT_ERROR` also stands for "not found"), so the type and the message are read as well.

use std::{borrow::Cow, time::Duration};

use connector::{
    Effect, Error, Kind, Result, Retry, Secret,
    catalog::one_line,
    clock,
    upstream::{Budget, Failed, Reading, Request, Response, Vendor, authorization, classify},
};
use http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// The budget of requests.
pub(crate) const REQUESTS: &str = "requests";
/// The budget of complexity points.
pub(crate) const COMPLEXITY: &str = "complexity";
/// The budget of searches.
pub(crate) const SEARCHES: &str = "searches";

/// The most complexity points that Linear lets one request cost.
pub(crate) const MAX_POINTS: u32 = 10_000;
/// Where Linear keeps uploaded files; reading them takes the same credential.
pub(crate) const FILES_HOST: &str = "uploads.linear.app";

const HOUR: Duration = Duration::from_secs(60 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// Linear, as the pipeline needs to know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinearVendor {
    /// Whether the credential is an OAuth token, which has other budgets than a personal key.
    pub(crate) oauth: bool,
}

impl Vendor for LinearVendor {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn title(&self) -> &'static str {
        "Linear"
    }

    fn budgets(&self) -> Vec<Budget> {
        let (requests, complexity) = if self.oauth { (5_000, 2_000_000) } else { (2_500, 3_000_000) };
        vec![
            Budget { bucket: REQUESTS, limit: requests, per: HOUR, burst: requests },
            Budget { bucket: COMPLEXITY, limit: complexity, per: HOUR, burst: complexity },
            Budget { bucket: SEARCHES, limit: 30, per: MINUTE, burst: 30 },
        ]
    }

    fn authorize(&self, headers: &mut HeaderMap, token: &Secret) -> Result<()> {
        let token = token.expose();
        // A personal key goes bare; with `Bearer` before it, Linear's file host refuses it.
        let value: Cow<'_, str> =
            if token.starts_with("lin_api_") { token.into() } else { format!("Bearer {token}").into() };
        authorization(self.title(), headers, &value)
    }

    fn classify(&self, request: &Request, response: &Response) -> Result<()> {
        let good = response.status.is_success();
        let failed = if request.expects_json { Failed::<GraphqlError>::of(response) } else { None };
        let Some(Failed { first, beside_data }) = failed else {
            return classify::status(self.title(), response);
        };
        // Data that came is worth more than the part that failed beside it; the caller is told of that.
        if good && beside_data {
            return Ok(());
        }
        let mut error = failure(request.effect, request.operation, &first);
        if error.kind() == Kind::Upstream && !good && first.is_unexplained() {
            return classify::status(self.title(), response);
        }
        if error.kind() == Kind::RateLimited
            && let Some(wait) = wait(&response.headers)
        {
            error = error.with_retry_after(wait);
        }
        if let Some(id) = response.header("x-request-id") {
            error = error.with_request_id(one_line(id));
        }
        Err(error)
    }

    fn readings(&self, headers: &HeaderMap) -> Vec<Reading> {
        let read = |bucket, name: &str| {
            let number = |part: &str| {
                let value = headers.get(format!("x-ratelimit-{name}-{part}"))?.to_str().ok()?;
                value.trim().parse::<f64>().ok()
            };
            let units = |part: &str| number(part).map(|units| units.clamp(0.0, f64::from(u32::MAX)) as u32);
            let reading = Reading {
                bucket,
                limit: units("limit"),
                remaining: units("remaining"),
                reset: number("reset").map(epoch),
            };
            (reading.limit.is_some() || reading.remaining.is_some()).then_some(reading)
        };
        let searching = headers
            .get("x-ratelimit-endpoint-name")
            .and_then(|name| name.to_str().ok())
            .is_some_and(|name| name.to_lowercase().contains("search"));
        let endpoint = if searching { read(SEARCHES, "endpoint-requests") } else { None };
        [read(REQUESTS, "requests"), read(COMPLEXITY, "complexity"), endpoint].into_iter().flatten().collect()
    }

    fn trusts(&self, url: &Url) -> bool {
        url.host_str() == Some(FILES_HOST)
    }
}

/// A moment of Linear's headers: milliseconds since the epoch, or seconds where the number is too
/// small for milliseconds.
fn epoch(number: f64) -> Duration {
    let seconds = if number > 1e11 { number / 1000.0 } else { number };
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// How long to wait: by `Retry-After`, else until the later reset of the budgets that are empty.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    if headers.contains_key(header::RETRY_AFTER) {
        return None; // The pipeline reads it.
    }
    let readings = LinearVendor { oauth: false }.readings(headers);
    let empty = readings.iter().filter(|reading| reading.remaining == Some(0));
    empty.filter_map(|reading| reading.reset).map(clock::until).max()
}

/// One entry of an answer's `errors`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GraphqlError {
    message: String,
    path: Vec<Value>,
    extensions: Extensions,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Extensions {
    code: String,
    #[serde(rename = "type")]
    kind: String,
    status_code: Option<f64>,
    user_error: bool,
    user_presentable_message: String,
}

impl GraphqlError {
    /// The field of the answer that failed, by its name or alias.
    pub(crate) fn part(&self) -> String {
        self.path.first().and_then(Value::as_str).unwrap_or("answer").to_owned()
    }

    /// Linear's words for people, else its message; on one line, and not endless.
    fn says(&self) -> String {
        let presentable = self.extensions.user_presentable_message.trim();
        let text = if presentable.is_empty() { self.message.as_str() } else { presentable };
        let text = one_line(text);
        match text.char_indices().nth(300) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text,
        }
    }

    /// Whether it says nothing that the table knows.
    fn is_unexplained(&self) -> bool {
        self.extensions.code.is_empty() && self.extensions.kind.is_empty()
    }
}

/// The table: what one error of Linear's means for the operation `name`, which has `effect`.
pub(crate) fn failure(effect: Effect, name: &'static str, error: &GraphqlError) -> Error {
    let says = error.says();
    let code = error.extensions.code.to_ascii_uppercase();
    let kind = error.extensions.kind.to_ascii_lowercase();
    let status = error.extensions.status_code.map_or(0, |status| status as u16);
    let message = error.message.to_ascii_lowercase();
    let is =
        |codes: &[&str], kinds: &[&str]| codes.contains(&code.as_str()) || kinds.contains(&kind.as_str());
    let found = if is(&["RATELIMITED"], &["ratelimited"]) || status == 429 {
        Error::new(Kind::RateLimited, format!("Linear's budget is used up: {says}"))
            .with_hint("Wait, or ask for fewer and smaller pages")
            .with_retry(Retry::NotExecuted)
    } else if is(&["AUTHENTICATION_ERROR", "UNAUTHENTICATED"], &["authentication error"]) || status == 401 {
        Error::new(Kind::Auth, "Linear refused the credential")
            .with_hint(
                "Check that the key or token is complete and not revoked; `doctor` shows what is configured",
            )
            .with_retry(Retry::NotExecuted)
    } else if is(&["FEATURE_NOT_ACCESSIBLE"], &["feature not accessible"]) {
        Error::new(Kind::Permission, format!("The workspace's plan or settings do not offer this: {says}"))
    } else if is(&["USAGE_LIMIT_EXCEEDED"], &["usage limit exceeded"]) {
        Error::new(Kind::Permission, format!("The workspace has reached a limit of its plan: {says}"))
            .with_hint("An admin can raise the plan or archive things")
    } else if is(&["FORBIDDEN"], &["forbidden"]) || status == 403 {
        Error::new(Kind::Permission, format!("Linear forbids this: {says}")).with_hint(needed(effect, name))
    } else if message.starts_with("entity not found") || message.contains("could not find referenced") {
        Error::not_found(missing(&error.message, &says))
            .with_hint("It does not exist, or this credential cannot see it")
    } else if is(&["LOCK_TIMEOUT"], &["lock timeout"]) {
        Error::new(Kind::Upstream, "Linear was busy with the same data and did not do it")
            .with_retry(Retry::NotExecuted)
    } else if is(&["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"], &["graphql error"]) {
        Error::new(Kind::Upstream, format!("Linear does not understand this server's request: {says}"))
            .with_hint("Its API has changed; a newer version of this server may know it")
    } else if is_duplicate(&message) || is_duplicate(&says.to_ascii_lowercase()) {
        Error::new(Kind::Conflict, format!("Linear says that it exists already: {says}"))
    } else if is(&["INPUT_ERROR", "BAD_USER_INPUT", "INVALID_INPUT"], &["invalid input", "user error"])
        || (error.extensions.user_error && status < 500)
    {
        Error::invalid(format!("Linear does not accept this: {says}"))
    } else {
        // "internal error", "network error", "bootstrap error", "unknown", "other", and what is new.
        Error::new(Kind::Upstream, format!("Linear failed: {says}")).with_retry(Retry::MaybeExecuted)
    };
    found.with_operation(name)
}

fn is_duplicate(message: &str) -> bool {
    ["already exists", "duplicate", "conflict on insert", "must be unique"]
        .iter()
        .any(|word| message.contains(word))
}

/// What is missing, in words for people: Linear says "Entity not found: Issue".
fn missing(message: &str, says: &str) -> String {
    match message.split_once(':').map(|(_, entity)| one_line(entity)) {
        Some(entity) if !entity.is_empty() && entity.len() <= 40 => {
            let entity = entity.split(" - ").next().unwrap_or_default().to_lowercase();
            format!("Linear has no such {entity}")
        }
        _ => format!("Linear cannot find it: {says}"),
    }
}

/// The right that a refused operation needs.
fn needed(effect: Effect, operation: &str) -> String {
    let scope = match operation {
        _ if !effect.writes() => "`read`",
        "CreateIssue" | "CreateIssues" => "`write` or `issues:create`",
        "AddComment" => "`write` or `comments:create`",
        _ => "`write`",
    };
    format!("It needs the scope {scope} and access to the team; a key can be limited to scopes and teams")
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, StatusCode};
    use serde_json::json;

    use super::*;

    const VENDOR: LinearVendor = LinearVendor { oauth: false };

    fn answer(status: u16, headers: &[(&'static str, String)], body: &Value) -> Result<()> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let response = Response::new(StatusCode::from_u16(status).unwrap(), map, body.to_string());
        VENDOR.classify(&Request::post("UpdateIssue", ""), &response)
    }

    fn refusal(status: u16, message: &str, extensions: &Value) -> (Kind, Retry, String) {
        let error = answer(
            status,
            &[],
            &json!({"data": null, "errors": [{"message": message, "extensions": extensions}]}),
        )
        .unwrap_err();
        (error.kind(), error.retry(), error.for_agent())
    }

    #[test]
    fn each_refusal_of_linear_has_its_kind_and_says_whether_it_was_executed() {
        let table = [
            (
                400,
                "Rate limit exceeded. Only 2500 requests are allowed per 1 hour.",
                json!({"type": "ratelimited", "code": "RATELIMITED", "statusCode": 429}),
                Kind::RateLimited,
                Retry::NotExecuted,
            ),
            (
                401,
                "Authentication required, not authenticated",
                json!({"code": "AUTHENTICATION_ERROR"}),
                Kind::Auth,
                Retry::NotExecuted,
            ),
            (
                200,
                "Entity not found: Issue",
                json!({"code": "INPUT_ERROR", "type": "invalid input", "statusCode": 400}),
                Kind::NotFound,
                Retry::Never,
            ),
            (
                200,
                "Forbidden",
                json!({"code": "FORBIDDEN", "type": "forbidden"}),
                Kind::Permission,
                Retry::Never,
            ),
            (
                400,
                "Argument Validation Error",
                json!({"code": "INPUT_ERROR", "type": "invalid input", "userPresentableMessage": "stateId must be a UUID."}),
                Kind::InvalidArgument,
                Retry::Never,
            ),
            (
                200,
                "Entity with id already exists",
                json!({"code": "INPUT_ERROR", "type": "invalid input"}),
                Kind::Conflict,
                Retry::Never,
            ),
            (200, "Lock timeout", json!({"type": "lock timeout"}), Kind::Upstream, Retry::NotExecuted),
            (200, "x", json!({"type": "feature not accessible"}), Kind::Permission, Retry::Never),
            (200, "x", json!({"type": "usage limit exceeded"}), Kind::Permission, Retry::Never),
            (
                400,
                "Cannot query field \"x\"",
                json!({"code": "GRAPHQL_VALIDATION_FAILED"}),
                Kind::Upstream,
                Retry::Never,
            ),
            (
                200,
                "boom",
                json!({"code": "INTERNAL_SERVER_ERROR", "type": "internal error", "statusCode": 500}),
                Kind::Upstream,
                Retry::MaybeExecuted,
            ),
            (200, "a word nobody knows yet", json!({}), Kind::Upstream, Retry::MaybeExecuted),
        ];
        for (status, message, extensions, kind, retry) in table {
            let (got_kind, got_retry, text) = refusal(status, message, &extensions);
            assert_eq!((got_kind, got_retry), (kind, retry), "{message}: {text}");
        }
    }

    #[test]
    fn an_agent_reads_what_linear_says_to_people() {
        let (_, _, text) = refusal(
            400,
            "Argument Validation Error",
            &json!({"code": "INPUT_ERROR", "userPresentableMessage": "stateId must be a UUID."}),
        );
        assert_eq!(text, "invalid_argument: Linear does not accept this: stateId must be a UUID.");
        let (_, _, text) = refusal(200, "Entity not found: Issue", &json!({"code": "INPUT_ERROR"}));
        assert_eq!(
            text,
            "not_found: Linear has no such issue. It does not exist, or this credential cannot see it."
        );
        let (_, _, text) = refusal(200, "Forbidden", &json!({"type": "forbidden"}));
        assert!(text.contains("`write`"), "{text}");
    }

    #[test]
    fn data_beside_errors_is_kept() {
        let errors = json!([{"message": "boom", "path": ["a"], "extensions": {"type": "internal error"}}]);
        assert!(answer(200, &[], &json!({"data": {"a": null, "b": {}}, "errors": errors})).is_ok());
        assert!(answer(200, &[], &json!({"data": {"a": null}, "errors": errors})).is_err());
        assert!(answer(200, &[], &json!({"data": {"title": "the \"errors\" of others"}})).is_ok());
    }

    #[test]
    fn a_limit_is_waited_for_until_the_later_reset_of_the_empty_budgets() {
        let soon = (clock::wall() + Duration::from_secs(100)).as_millis().to_string();
        let later = (clock::wall() + Duration::from_secs(200)).as_secs().to_string();
        let error = answer(
            400,
            &[
                ("x-ratelimit-requests-remaining", "0".to_owned()),
                ("x-ratelimit-requests-reset", soon),
                ("x-ratelimit-complexity-remaining", "0".to_owned()),
                ("x-ratelimit-complexity-reset", later),
            ],
            &json!({"errors": [{"message": "Rate limit exceeded", "extensions": {"code": "RATELIMITED"}}]}),
        )
        .unwrap_err();
        let wait = error.retry_after().unwrap().as_secs();
        assert!((198..=200).contains(&wait), "{wait}");
    }

    #[test]
    fn a_page_or_a_bare_status_is_judged_by_its_status() {
        let response = Response::new(StatusCode::BAD_GATEWAY, HeaderMap::new(), "<html>");
        let error = VENDOR.classify(&Request::post("UpdateIssue", ""), &response).unwrap_err();
        assert_eq!((error.kind(), error.retry()), (Kind::Upstream, Retry::MaybeExecuted));
    }

    #[test]
    fn a_personal_key_goes_bare_and_a_token_as_bearer() {
        for (token, value) in [("lin_api_1", "lin_api_1"), ("lin_oauth_1", "Bearer lin_oauth_1")] {
            let mut headers = HeaderMap::new();
            VENDOR.authorize(&mut headers, &Secret::new(token)).unwrap();
            assert_eq!(headers[header::AUTHORIZATION], value);
        }
    }
}
