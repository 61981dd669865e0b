//! What Linear's answers mean: the one table from its status, code, type and message to a kind of
//! error and to whether the request was executed.
//!
//! Linear answers a failure with HTTP 200 or 4xx and a list of `errors`, each with a `message` and
//! `extensions` (`code`, `type`, `statusCode`, `userPresentableMessage`). Codes are coarse
//! (`INPUT_ERROR` also stands for "not found"), so the type and the message are read as well.

use connector::{Effect, Error, Kind, Retry, catalog::one_line};
use serde::Deserialize;
use serde_json::Value;

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
    pub(crate) fn is_unexplained(&self) -> bool {
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
            .with_hint("An admin can upgrade the plan or archive things")
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
    use serde_json::json;

    use super::*;
    use crate::vendor::tests::answer;

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
}
