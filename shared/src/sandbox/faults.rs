//! What is to go wrong: rules that tests (or the control routes) lay down, each for so many requests
//! of one operation.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use tokio::sync::{Notify, futures::OwnedNotified};

/// What goes wrong with one request.
///
/// As JSON an action is an object tagged by `action`:
/// `{"action": "status", "code": 503}`, `{"action": "delay", "ms": 2000}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Answers with this status, headers and body.
    Status {
        /// The status code.
        code: u16,
        /// Headers by name.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body; JSON by default, unless `headers` say otherwise.
        #[serde(default)]
        body: String,
        /// Whether the fake does its work first: a failure after the commit.
        #[serde(default)]
        committed: bool,
    },
    /// Works and answers, but this much later, or when all rules are removed. The work is done even if the client has
    /// given up by then: the write that lands after its caller's timeout.
    Delay {
        /// How much later.
        #[serde(rename = "ms", with = "millis")]
        by: Duration,
    },
    /// Refuses in the vendor's own way for a budget that is used up.
    RateLimit {
        /// The value of `Retry-After`, as it is; left out if none.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// Refuses the credential in the vendor's own way.
    Unauthorized,
    /// Cuts the connection before the fake saw the request: nothing happened.
    CloseBefore,
    /// Lets the fake do its work, then cuts the connection without an answer.
    CloseAfter,
    /// Answers properly, then closes the connection without having announced it: the next request
    /// on it may be lost.
    CloseIdle,
    /// Announces the whole body, sends this many bytes of it, and cuts the connection.
    Truncate {
        /// How many bytes of the body arrive.
        bytes: usize,
    },
    /// Sends the body slowly.
    Drip {
        /// How slowly; zero counts as one.
        bytes_per_second: u32,
    },
    /// Does the work but never answers; not even headers come.
    Stall,
    /// Resets the connection (RST rather than FIN) before the fake saw the request.
    Reset,
    /// Cuts the connection at once, and lets the fake do its work this much later: the write that lands when its
    /// caller has long looked for it.
    LateLanding {
        /// How much later.
        #[serde(rename = "ms", with = "millis")]
        by: Duration,
    },
    /// Sends only this many bytes of the body, in whole framing: nothing but the body itself tells that it is cut.
    Shorten {
        /// How many bytes of the body arrive.
        bytes: usize,
    },
    /// Answers with a web page, as a proxy or a captive portal would.
    Html {
        /// The status code.
        #[serde(default = "ok")]
        code: u16,
    },
    /// Answers 200 with JSON of about this many bytes, without announcing its length.
    Oversized {
        /// How many bytes.
        bytes: u64,
    },
    /// Puts bytes that are not UTF-8 into the real answer.
    InvalidUtf8,
    /// Changes the real answer's JSON: what drifted, became null, or came back wrong.
    Patch {
        /// The changes, in this order.
        changes: Vec<Change>,
    },
    /// Puts a text at the end of every text under some keys of the real answer's JSON, however deep: what people wrote
    /// into names and titles.
    Append {
        /// The text.
        text: String,
        /// The keys.
        to: Vec<String>,
    },
}

impl Action {
    /// An answer with this status and an empty body, before the fake saw the request.
    #[must_use]
    pub fn status(code: u16) -> Self {
        Self::Status { code, headers: BTreeMap::new(), body: String::new(), committed: false }
    }

    /// A refusal for a used-up budget, with this `Retry-After` or none.
    #[must_use]
    pub fn rate_limit(retry_after: Option<&str>) -> Self {
        Self::RateLimit { retry_after: retry_after.map(str::to_owned) }
    }

    /// An answer in which `pointer` (a JSON pointer) shows `value`.
    #[must_use]
    pub fn patch(pointer: &str, value: Value) -> Self {
        Self::Patch { changes: vec![Change::set(pointer, value)] }
    }

    /// The action's name in the journal; the `action` tag of its JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Delay { .. } => "delay",
            Self::RateLimit { .. } => "rate_limit",
            Self::Unauthorized => "unauthorized",
            Self::CloseBefore => "close_before",
            Self::CloseAfter => "close_after",
            Self::CloseIdle => "close_idle",
            Self::Truncate { .. } => "truncate",
            Self::Drip { .. } => "drip",
            Self::Stall => "stall",
            Self::Reset => "reset",
            Self::LateLanding { .. } => "late_landing",
            Self::Shorten { .. } => "shorten",
            Self::Html { .. } => "html",
            Self::Oversized { .. } => "oversized",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::Patch { .. } => "patch",
            Self::Append { .. } => "append",
        }
    }
}

fn ok() -> u16 {
    200
}

/// One change to an answer's JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Where, as a JSON pointer (RFC 6901): `/data/issues/nodes/0/state`. `*` as a segment means
    /// every element of an array. A missing last key is added to an object; a place that does not
    /// exist otherwise is left alone.
    pub pointer: String,
    /// What to put there; absent to remove what is there.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

impl Change {
    /// Puts `value` at `pointer`.
    #[must_use]
    pub fn set(pointer: &str, value: Value) -> Self {
        Self { pointer: pointer.to_owned(), value: Some(value) }
    }

    /// Removes what is at `pointer`.
    #[must_use]
    pub fn remove(pointer: &str) -> Self {
        Self { pointer: pointer.to_owned(), value: None }
    }

    /// Changes `document`.
    pub(super) fn apply(&self, document: &mut Value) {
        let path: Vec<String> =
            self.pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        change(document, &path, self.value.as_ref());
    }
}

fn change(at: &mut Value, path: &[String], value: Option<&Value>) {
    let Some((key, rest)) = path.split_first() else {
        *at = value.cloned().unwrap_or_default();
        return;
    };
    match at {
        Value::Object(object) if rest.is_empty() => match value {
            Some(value) => {
                object.insert(key.clone(), value.clone());
            }
            None => {
                object.shift_remove(key);
            }
        },
        Value::Object(object) => {
            if let Some(inner) = object.get_mut(key) {
                change(inner, rest, value);
            }
        }
        Value::Array(array) if key == "*" => {
            if rest.is_empty() && value.is_none() {
                array.clear();
            }
            array.iter_mut().for_each(|inner| change(inner, rest, value));
        }
        Value::Array(array) => {
            let Some(index) = key.parse::<usize>().ok().filter(|index| *index < array.len()) else { return };
            match value {
                None if rest.is_empty() => {
                    array.remove(index);
                }
                _ => change(&mut array[index], rest, value),
            }
        }
        _ => {}
    }
}

/// A present `null` is a value to set; only an absent key means removal.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// When an [`Action`] applies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The operation's exact name, or `*` for all.
    #[serde(default = "all")]
    pub operation: String,
    /// How many requests it applies to; none for all from then on.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// How many matching requests pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// Whether the fake does its work first, and only its answer is replaced: for an action that would come before
    /// it. [`Action::CloseBefore`], [`Action::Reset`], [`Action::RateLimit`] and the like become a failure after the
    /// commit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub committed: bool,
    /// Which part of the matching requests it applies to, from 0 to 1; which of them, [`seed`](Self::seed) decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// From which the choice by [`ratio`](Self::ratio) is made: the same requests in the same order meet the same
    /// faults.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seed: u64,
    /// What goes wrong.
    pub fault: Action,
}

impl Rule {
    /// The next request of `operation` (`*`: of any) fails by `fault`.
    #[must_use]
    pub fn new(operation: &str, fault: Action) -> Self {
        Self {
            operation: operation.to_owned(),
            times: once(),
            skip: 0,
            committed: false,
            ratio: None,
            seed: 0,
            fault,
        }
    }

    /// Applies to `times` requests instead of one.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Applies until it is removed.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// Lets the fake do its work first.
    #[must_use]
    pub fn committed(mut self) -> Self {
        self.committed = true;
        self
    }

    /// Applies, until it is removed, to this part of the matching requests (0 to 1), chosen from `seed`.
    #[must_use]
    pub fn ratio(mut self, ratio: f64, seed: u64) -> Self {
        (self.ratio, self.seed) = (Some(ratio), seed);
        self.always()
    }

    /// Lets `skip` matching requests pass first.
    #[must_use]
    pub fn skip(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(seed: &u64) -> bool {
    *seed == 0
}

fn all() -> String {
    "*".to_owned()
}

#[expect(clippy::unnecessary_wraps, reason = "the default of an optional field")]
fn once() -> Option<u32> {
    Some(1)
}

/// The rules in force. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    rules: Arc<Mutex<Rules>>,
    /// Told when all of them are removed.
    cleared: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Rules {
    active: Vec<(u64, Rule)>,
    added: u64,
}

/// What goes wrong with one request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) action: Action,
    /// Whether the fake does its work first.
    pub(super) committed: bool,
}

/// The next of a sequence of numbers that look random: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
/// number generators, 2014), of which `state` is all that is remembered. From 0 to 1.
fn next_part(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

impl Faults {
    /// Lays down a rule and returns its number, for [`remove`](Self::remove). Of several rules that
    /// match, the oldest that has nothing left to skip applies; one that skips counts the request.
    pub fn add(&self, rule: Rule) -> u64 {
        let mut rules = self.rules();
        rules.added += 1;
        let number = rules.added;
        rules.active.push((number, rule));
        number
    }

    /// Removes a rule; whether there was one.
    pub fn remove(&self, number: u64) -> bool {
        let mut rules = self.rules();
        let before = rules.active.len();
        rules.active.retain(|(active, _)| *active != number);
        rules.active.len() < before
    }

    /// Removes every rule, and lets go what an [`Action::Delay`] still holds.
    pub fn clear(&self) {
        self.rules().active.clear();
        self.cleared.notify_waiters();
    }

    /// Resolves when the rules are next cleared after this call, polled by then or not.
    pub(super) fn cleared(&self) -> OwnedNotified {
        Arc::clone(&self.cleared).notified_owned()
    }

    /// The rules that still have something to do, oldest first, with their numbers.
    #[must_use]
    pub fn active(&self) -> Vec<(u64, Rule)> {
        self.rules().active.clone()
    }

    /// What goes wrong with this request of `operation`.
    pub(super) fn take(&self, operation: &str) -> Option<Fault> {
        let mut rules = self.rules();
        for index in 0..rules.active.len() {
            let rule = &mut rules.active[index].1;
            if rule.operation != "*" && rule.operation != operation {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if rule.ratio.is_some_and(|ratio| next_part(&mut rule.seed) >= ratio) {
                continue;
            }
            let fault = Fault { action: rule.fault.clone(), committed: rule.committed };
            if let Some(times) = &mut rule.times {
                *times = times.saturating_sub(1);
                if *times == 0 {
                    rules.active.remove(index);
                }
            }
            return Some(fault);
        }
        None
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A duration as whole milliseconds.
mod millis {
    use super::{Deserialize as _, Deserializer, Duration, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn take(faults: &Faults, operation: &str) -> Option<Action> {
        faults.take(operation).map(|fault| fault.action)
    }

    #[test]
    fn a_ratio_chooses_the_same_requests_from_the_same_seed() {
        let chosen = |seed| {
            let faults = Faults::default();
            faults.add(Rule::new("*", Action::Stall).ratio(0.25, seed).committed());
            (0..1_000).filter(|_| faults.take("A").is_some_and(|fault| fault.committed)).count()
        };
        assert!((200..300).contains(&chosen(7)), "{}", chosen(7));
        let order = |seed| {
            let faults = Faults::default();
            faults.add(Rule::new("*", Action::Stall).ratio(0.25, seed));
            (0..64).map(|_| faults.take("A").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(order(7), order(7));
        assert_ne!(order(7), order(8));
    }

    #[test]
    fn a_rule_skips_applies_and_ends() {
        let faults = Faults::default();
        faults.add(Rule::new("ListIssues", Action::status(500)).skip(1).times(2));
        assert_eq!(take(&faults, "GetIssue"), None);
        assert_eq!(take(&faults, "ListIssues"), None);
        assert_eq!(take(&faults, "ListIssues"), Some(Action::status(500)));
        assert_eq!(take(&faults, "ListIssues"), Some(Action::status(500)));
        assert_eq!(take(&faults, "ListIssues"), None);
        assert!(faults.active().is_empty());
    }

    #[test]
    fn rules_that_skip_let_others_apply() {
        let faults = Faults::default();
        faults.add(Rule::new("*", Action::Stall).skip(1));
        let standing = faults.add(Rule::new("*", Action::status(502)).always());
        assert_eq!(take(&faults, "A"), Some(Action::status(502)));
        assert_eq!(take(&faults, "A"), Some(Action::Stall));
        assert_eq!(take(&faults, "A"), Some(Action::status(502)));
        assert!(faults.remove(standing));
        assert!(!faults.remove(standing));
        assert_eq!(take(&faults, "A"), None);
    }

    #[test]
    fn a_rule_is_written_as_plain_json() {
        let rule: Rule =
            serde_json::from_value(json!({ "fault": { "action": "delay", "ms": 1500 } })).unwrap();
        assert_eq!(rule, Rule::new("*", Action::Delay { by: Duration::from_millis(1500) }));
        let standing = json!({ "operation": "A", "times": null, "skip": 0, "fault": { "action": "stall" } });
        let rule: Rule = serde_json::from_value(standing.clone()).unwrap();
        assert_eq!(rule, Rule::new("A", Action::Stall).always());
        assert_eq!(serde_json::to_value(rule).unwrap(), standing);
        assert!(serde_json::from_value::<Rule>(json!({ "fault": { "action": "explode" } })).is_err());
    }

    #[test]
    fn patches_set_null_add_and_remove() {
        let mut document =
            json!({ "rows": [{ "id": 1, "state": "a" }, { "id": 2, "state": "b" }], "page": {} });
        let patch: Vec<Change> = serde_json::from_value(json!([
            { "pointer": "/rows/*/state", "value": null },
            { "pointer": "/rows/0" },
            { "pointer": "/page/cursor", "value": "x" },
            { "pointer": "/page/missing/deeper", "value": 1 },
            { "pointer": "/rows/7/id", "value": 1 },
        ]))
        .unwrap();
        patch.iter().for_each(|change| change.apply(&mut document));
        assert_eq!(document, json!({ "rows": [{ "id": 2, "state": null }], "page": { "cursor": "x" } }));
    }
}
