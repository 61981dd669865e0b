//! What HubSpot's answers mean: the one table from its status, category and message to a kind of error and to
//! whether the request was executed.
//!
//! A refusal is `{status, message, category, subCategory, correlationId, errors, context}`, every member
//! optional; one for pace has `errorType` and `policyName` instead of a category. Messages are not to be relied
//! on, but three carry what nothing else does: the id of a contact that exists, the list of values that were not
//! valid, and which second is used up.

use std::time::Duration;

use connector::{
    Error, Kind, Result, Retry,
    catalog::{names::fold, one_line, words},
    upstream::{Request, Response, Vendor as _, classify},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::vendor::{CALLS, DAY, HubSpotVendor, SEARCHES};

/// The window in which calls are counted: at its end there are new ones.
const TEN_SECONDS: Duration = Duration::from_secs(10);
/// Options that an agent reads.
const OPTIONS: usize = 20;
/// Characters of HubSpot's message that an agent reads.
const MAX_MESSAGE: usize = 400;

/// A refusal, or one of the failures in a batch of which the rest is good.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) category: String,
    sub_category: String,
    correlation_id: String,
    error_type: String,
    policy_name: String,
    errors: Vec<Detail>,
    pub(crate) context: Map<String, Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    message: String,
    context: Map<String, Value>,
}

/// One value that was not valid.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct BadValue {
    pub(crate) name: String,
    pub(crate) error: String,
    pub(crate) message: String,
}

impl BadValue {
    /// What is wrong, in words for people: of options those first that are nearest to what was given.
    fn says(&self) -> String {
        let listed = self.message.split_once(" was not one of the allowed options: [");
        let Some((given, rest)) = listed else { return format!("`{}`: {}", self.name, self.message) };
        let mut options: Vec<&str> =
            rest.trim_end_matches(['.', ' ']).trim_end_matches(']').split(", ").collect();
        options.retain(|option| !option.is_empty());
        let wanted = fold(given);
        options.sort_by(|a, b| likeness(&wanted, &fold(b)).total_cmp(&likeness(&wanted, &fold(a))));
        let told = match &options[..] {
            [] => "it has no options at all".to_owned(),
            options => format!("it has {}", words::listed(options, OPTIONS)),
        };
        format!("`{}` has no option `{given}`; {told}", self.name)
    }
}

impl Refusal {
    /// Texts of a member of the context, wherever HubSpot put it.
    fn context_of(&self, name: &str) -> Vec<String> {
        let contexts = self.errors.iter().map(|error| &error.context).chain([&self.context]);
        contexts.flat_map(|context| texts(context.get(name))).collect()
    }

    /// The ids that a batch did not find.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.context_of("ids")
    }

    /// The inputs of a batch that failed, by the trace ids they were sent with.
    pub(crate) fn traces(&self) -> Vec<String> {
        self.context_of("objectWriteTraceId")
    }

    /// The id of the record that has what only one may have: it stands in the message alone.
    pub(crate) fn existing(&self) -> Option<String> {
        let (_, rest) =
            self.message.split_once("Existing ID:").or_else(|| self.message.split_once("ID: "))?;
        let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then_some(digits)
    }

    /// The budget that is used up: of a refusal for pace.
    fn limit(&self) -> Option<&'static str> {
        let message = self.message.to_lowercase();
        match self.policy_name.as_str() {
            "DAILY" => Some(DAY),
            "TEN_SECONDLY_ROLLING" => Some(CALLS),
            _ if message.contains("daily") => Some(DAY),
            _ if message.contains("ten_secondly") => Some(CALLS),
            _ if message.contains("secondly limit") => Some(SEARCHES),
            _ => None,
        }
    }

    /// The values that were not valid: a list of JSON in the message.
    pub(crate) fn bad_values(&self) -> Vec<BadValue> {
        let Some(at) = self.message.find('[') else { return Vec::new() };
        let mut list = serde_json::Deserializer::from_str(&self.message[at..]).into_iter::<Vec<BadValue>>();
        list.next().and_then(Result::ok).unwrap_or_default()
    }

    /// What happened, in words for people.
    pub(crate) fn says(&self) -> String {
        let bad = self.bad_values();
        let text = if bad.iter().any(|value| !value.name.is_empty()) {
            bad.iter().map(BadValue::says).collect::<Vec<_>>().join("; ")
        } else {
            let missing = self.context_of("properties");
            let missing = if missing.is_empty() { String::new() } else { format!(" {}", missing.join(", ")) };
            format!("{}{missing}", self.message)
        };
        let text = one_line(&text);
        match text.char_indices().nth(MAX_MESSAGE) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text,
        }
    }

    /// The error for the whole, of an answer with `status`.
    pub(crate) fn error(&self, status: u16) -> Error {
        let says = self.says();
        let category = self.category.as_str();
        let error = match (status, category) {
            (401, _) | (_, "INVALID_AUTHENTICATION" | "EXPIRED_AUTHENTICATION") => {
                Error::new(Kind::Auth, "HubSpot refused the credential")
                    .with_hint("Check that the service key or token is complete and not revoked; `doctor` shows what is configured")
                    .with_retry(Retry::NotExecuted)
            }
            (403, _) | (_, "MISSING_SCOPES") => {
                let mut scopes = self.context_of("requiredGranularScopes");
                scopes.extend(self.context_of("requiredScopes"));
                scopes.extend(self.context_of("missingScopes"));
                let error = Error::new(Kind::Permission, format!("HubSpot forbids this: {says}"));
                if scopes.is_empty() {
                    error.with_hint("The credential, or the person behind it, lacks a right that this needs")
                } else {
                    let scopes = scopes.iter().map(|scope| format!("`{}`", one_line(scope))).collect::<Vec<_>>();
                    error.with_hint(format!("Add the scope {} to the service key or app", scopes.join(" or ")))
                }
            }
            (404, _) | (_, "OBJECT_NOT_FOUND") => Error::not_found(format!("HubSpot cannot find it: {says}"))
                .with_hint("It does not exist, was archived, or this credential cannot see it"),
            (409, _) | (_, "CONFLICT") => {
                let error = Error::new(Kind::Conflict, format!("HubSpot has it already: {says}"));
                match self.existing() {
                    Some(id) => error.with_hint(format!("Update the record {id} instead, or use upsert_records")),
                    None => error.with_hint("Read it, and update it instead"),
                }
            }
            (423, _) => Error::new(Kind::Upstream, "HubSpot has locked this for the moment")
                .with_retry(Retry::NotExecuted)
                .with_retry_after(Duration::from_secs(2)),
            (414, _) => Error::invalid(format!("HubSpot finds this too large: {says}"))
                .with_hint("Ask for fewer fields, or merge records with fewer identities"),
            _ => {
                let error = Error::invalid(format!("HubSpot does not accept this: {says}"));
                if self.bad_values().iter().any(|value| value.error == "PROPERTY_DOESNT_EXIST") {
                    error.with_hint("describe_object lists the properties")
                } else if self.bad_values().iter().any(|value| value.error.contains("REQUIRED")) {
                    error.with_hint("An admin requires this property; give it a value in the same call")
                } else {
                    error
                }
            }
        };
        match self.correlation_id.as_str() {
            "" => error,
            id => error.with_request_id(one_line(id)),
        }
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

/// Reads an answer's status and body.
///
/// # Errors
/// The failure that it tells of.
pub(crate) fn classify(vendor: &HubSpotVendor, _: &Request, response: &Response) -> Result<()> {
    let status = response.status.as_u16();
    if response.status.is_success() {
        return Ok(());
    }
    let refusal: Refusal = serde_json::from_slice(&response.body).unwrap_or_default();
    match status {
        429 => Err(limited(vendor, &refusal, response)),
        // Being moved to another data centre takes up to a day; the header says how long.
        477 => {
            let wait =
                response.header("retry-after").and_then(|wait| wait.trim().parse().ok()).unwrap_or(3_600);
            Err(Error::new(Kind::Unavailable, "The account is being moved to another data centre")
                .with_hint("Try again later")
                .with_retry_after(Duration::from_secs(wait)))
        }
        // A certificate or a route that is wrong stays wrong.
        522 | 525 | 526 => Err(Error::new(
            Kind::Upstream,
            format!("HubSpot answered {status}: its own network cannot reach it"),
        )
        .with_retry(Retry::MaybeExecuted)),
        500.. => classify::status(vendor.title(), response),
        _ if refusal.message.is_empty() && refusal.category.is_empty() => {
            classify::status(vendor.title(), response)
        }
        _ => Err(refusal.error(status)),
    }
}

/// The budget that a refusal for pace is about.
pub(crate) fn limit_of(response: &Response) -> Option<&'static str> {
    let refusal: Refusal = serde_json::from_slice(&response.body).ok()?;
    refusal.limit()
}

/// A refusal for pace: how long to wait follows from which limit it is.
fn limited(vendor: &HubSpotVendor, refusal: &Refusal, response: &Response) -> Error {
    let (what, wait) = match refusal.limit() {
        Some(DAY) => ("The calls of today", Some(vendor.day_ends_in())),
        Some(SEARCHES) => ("The searches of this second", Some(Duration::from_secs(1))),
        // A header that says when is read by the pipeline; HubSpot promises none.
        _ if response.header("retry-after").is_some() => ("The calls of these ten seconds", None),
        _ => ("The calls of these ten seconds", Some(TEN_SECONDS)),
    };
    let error = Error::new(Kind::RateLimited, format!("{what} are used up"))
        .with_hint("Wait, or ask for less")
        .with_retry(Retry::NotExecuted);
    let error = match wait {
        Some(wait) => error.with_retry_after(wait),
        None => error,
    };
    match refusal.correlation_id.as_str() {
        "" => error,
        id => error.with_request_id(one_line(id)),
    }
}

/// How much of two words is the same: the part of pairs of letters that both have.
fn likeness(a: &str, b: &str) -> f64 {
    let pairs = |text: &str| {
        let letters: Vec<char> = text.chars().collect();
        letters.windows(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>()
    };
    let (a, mut b) = (pairs(a), pairs(b));
    let all = a.len() + b.len();
    let both = a
        .iter()
        .filter(|pair| b.iter().position(|other| other == *pair).map(|at| b.swap_remove(at)).is_some());
    let both = both.count();
    if all == 0 { 0.0 } else { 2.0 * both as f64 / all as f64 }
}
