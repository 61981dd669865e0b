//! Operations: the documents that can be sent, and what each of them does and costs.

use std::time::Duration;

use connector::{Effect, upstream::Replay};
use serde_json::Value;

/// The text of a document of `api/documents/`, with the fragments it uses after it.
macro_rules! document {
    ($($name:literal),+ $(,)?) => {
        concat!($(include_str!(concat!("documents/", $name, ".graphql"))),+)
    };
}
pub(crate) use document;

/// One operation of Linear's API.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The operation's name in its document, for errors, logs and faults: `ListIssues`.
    pub name: &'static str,
    /// The whole document, fragments included.
    pub document: &'static str,
    /// What it does to the workspace.
    pub effect: Effect,
    /// Whether it may be repeated.
    pub replay: Replay,
    /// What it is expected to cost of the complexity budget with these variables: a point for each
    /// object, a tenth for each scalar, connections times what they may return.
    pub points: fn(&Value) -> u32,
    /// Whether it also counts against the budget for searches.
    pub search: bool,
    /// How long its answer may be served again.
    pub ttl: Option<Duration>,
    /// What its kept answer depends on.
    pub tags: &'static [&'static str],
    /// What it makes old, as a write.
    pub invalidates: &'static [&'static str],
}

impl Operation {
    /// A query that costs `points`.
    pub(crate) const fn read(name: &'static str, document: &'static str, points: fn(&Value) -> u32) -> Self {
        Self {
            name,
            document,
            effect: Effect::Read,
            replay: Replay::Safe,
            points,
            search: false,
            ttl: None,
            tags: &[],
            invalidates: &[],
        }
    }

    /// A mutation that may be repeated as `replay` says.
    pub(crate) const fn write(name: &'static str, document: &'static str, replay: Replay) -> Self {
        let read = Self::read(name, document, few);
        Self { effect: Effect::Write, replay, ..read }
    }

    /// A mutation that removes things.
    pub(crate) const fn destructive(name: &'static str, document: &'static str, replay: Replay) -> Self {
        let read = Self::read(name, document, few);
        Self { effect: Effect::Destructive, replay, ..read }
    }

    /// Also counts against the budget for searches.
    pub(crate) const fn searches(self) -> Self {
        Self { search: true, ..self }
    }

    /// Its answer may be served again for so many seconds, unless something makes `tags` old.
    pub(crate) const fn cached(self, seconds: u64, tags: &'static [&'static str]) -> Self {
        Self { ttl: Some(Duration::from_secs(seconds)), tags, ..self }
    }

    /// It makes answers old that depend on `tags`.
    pub(crate) const fn invalidates(self, tags: &'static [&'static str]) -> Self {
        Self { invalidates: tags, ..self }
    }

    /// What it is expected to cost when its answer is not a short one: a write whose answer is long.
    pub(crate) const fn costs(self, points: fn(&Value) -> u32) -> Self {
        Self { points, ..self }
    }
}

/// The cost of an operation that returns a thing or two.
pub(crate) const fn few(_variables: &Value) -> u32 {
    10
}

/// How many rows the variables ask for, at most.
pub(crate) fn first(variables: &Value) -> u32 {
    let first = variables.get("first").or_else(|| variables.get("max")).and_then(Value::as_u64);
    first.and_then(|first| u32::try_from(first).ok()).unwrap_or(50)
}
