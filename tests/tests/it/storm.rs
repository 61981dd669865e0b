//! A storm of writes over a vendor that fails in every way at once, judged by the vendor's own state: nothing is
//! written twice, nothing that was told as done is missing, nothing that was done is told as failed.
//!
//! `STORM_WRITES=2000 cargo test -p suite --test it storm` is the long run.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use connector::{
    Kind,
    access::Selection,
    sandbox::{Action, Rule},
};
use futures::future::join_all;
use serde_json::Value;
use suite::{Options, Sandboxed, Subject};

suite::every_server!(a_storm_of_writes_doubles_loses_and_misreports_nothing);

/// How many writes, if nothing is said; and how many at once.
const WRITES: usize = 96;
const AT_ONCE: usize = 16;
/// From which faults are chosen: another seed is another storm.
const SEED: u64 = 2026;
/// Which part of the requests each kind of fault meets.
const RATIO: f64 = 0.02;
/// What every marker begins with, and what no text of a sandbox has.
const MARK: &str = "stormq";

/// What may befall a request, and whether the vendor does its work first.
fn faults() -> Vec<(Action, bool)> {
    let before_and_after = [
        Action::CloseBefore,
        Action::Reset,
        Action::status(502),
        Action::status(503),
        Action::Html { code: 200 },
        Action::Html { code: 502 },
    ];
    let both = before_and_after.into_iter().flat_map(|action| [(action.clone(), false), (action, true)]);
    let others = [
        (Action::status(200), true),
        (Action::rate_limit(Some("1")), false),
        (Action::Stall, false),
        (Action::Truncate { bytes: 20 }, false),
        (Action::Shorten { bytes: 20 }, false),
        (Action::LateLanding { by: Duration::from_secs(20) }, false),
    ];
    both.chain(others).collect()
}

async fn a_storm_of_writes_doubles_loses_and_misreports_nothing<S: Subject>() {
    let writes = std::env::var("STORM_WRITES").map_or(WRITES, |writes| writes.parse().expect("a number"));
    let kinds = S::marked_writes(MARK).len();
    if kinds == 0 {
        return;
    }
    let selection = Selection { toolsets: vec!["all".to_owned()], ..Selection::default() };
    let options = Options { selection, allow_destructive: true, ..Options::default() };
    let sandboxed = Sandboxed::<S>::start_with(options).await;
    for (seed, (action, committed)) in (SEED..).zip(faults()) {
        let rule = Rule { committed, ..Rule::new("*", action).ratio(RATIO, seed) };
        sandboxed.harness().faults().add(rule);
    }

    let mut outcomes = Vec::new();
    let mut met = BTreeSet::new();
    let numbers: Vec<_> = (0..writes).collect();
    for batch in numbers.chunks(AT_ONCE) {
        let calls = batch.iter().map(|number| {
            let marker = format!("{MARK}{number:06}");
            let sample = S::marked_writes(&marker).swap_remove(number % kinds);
            let sandboxed = &sandboxed;
            async move {
                let outcome = sandboxed.try_call(&sample).await;
                (marker, sample.tool, outcome.map(|reply| reply.text))
            }
        });
        outcomes.extend(join_all(calls).await);
        // Budgets refill, the breaker closes, what lands late has landed: the storm is about writes.
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        met.extend(sandboxed.harness().journal().entries().into_iter().filter_map(|entry| entry.fault));
        sandboxed.harness().journal().clear();
    }

    let mut there = BTreeMap::new();
    count(&sandboxed.dump(), &mut there);
    let mut wrong = Vec::new();
    for (marker, tool, outcome) in &outcomes {
        let times = there.get(marker).copied().unwrap_or_default();
        let verdict = match outcome {
            _ if times > 1 => "is there more than once",
            Ok(_) if times == 0 => "was told as done and is not there",
            Err(error) if times == 1 && error.kind() != Kind::UnknownOutcome => {
                "was told as failed and is there"
            }
            _ => continue,
        };
        wrong.push(format!("{tool} {marker} {verdict} ({times}): {outcome:?}"));
    }
    let done = outcomes.iter().filter(|(.., outcome)| outcome.is_ok()).count();
    assert!(wrong.is_empty(), "{} of {writes} writes:\n{}", wrong.len(), wrong.join("\n"));
    // A storm that stops everything, or that nothing meets, proves nothing.
    assert!(done * 2 > writes, "only {done} of {writes} writes were done: {outcomes:?}");
    assert!(met.len() >= 6, "only these faults were met: {met:?}");
}

/// How many things of a state have each marker in a text or name of their own.
fn count(state: &Value, there: &mut BTreeMap<String, usize>) {
    match state {
        Value::Array(values) => values.iter().for_each(|value| count(value, there)),
        Value::Object(fields) => {
            let texts = fields.values().filter_map(Value::as_str);
            let markers: BTreeSet<_> =
                fields.keys().map(String::as_str).chain(texts).flat_map(markers).collect();
            for marker in markers {
                *there.entry(marker.to_owned()).or_default() += 1;
            }
            fields.values().for_each(|value| count(value, there));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The markers in a text.
fn markers(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(MARK).filter_map(|(at, _)| text.get(at..at + MARK.len() + 6))
}
