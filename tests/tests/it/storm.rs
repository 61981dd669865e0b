//! A storm of writes over a vendor that fails in every way at once, judged by the vendor's own state: nothing is
//! written twice, nothing that was told as done is missing, nothing that was done is told as failed.
//!
//! `STORM_WRITES=2000 cargo test -p suite --test it storm -- --nocapture` is the long run, which prints what became of
//! each kind of write, and why writes were told as failed. `STORM_FAULT=502` is a storm of only those faults that have
//! this in their name, met by as many requests as all of them together.

#![allow(clippy::print_stdout, reason = "what was measured is worth reading")]

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
    time::Duration,
};

use connector::{
    Error, Kind,
    access::Selection,
    sandbox::{Action, Rule},
};
use futures::{FutureExt as _, future::join_all};
use suite::{MARK, Marked, Options, Sandboxed, Standing, Subject, marker};

suite::every_server!(
    every_kind_of_write_shows_in_the_state,
    a_storm_of_writes_doubles_loses_and_misreports_nothing,
);

/// How many writes, if nothing is said, and how many of each kind at least; and how many at once: enough batches that
/// one in which the vendor fails so often that it is not asked any more does not decide.
const WRITES: usize = 160;
const OF_EACH: usize = 2;
const AT_ONCE: usize = 16;
/// From which faults are chosen: another seed is another storm.
const SEED: u64 = 2026;
/// Which part of the requests each kind of fault meets.
const RATIO: f64 = 0.02;

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

/// A write of the storm.
struct Write {
    marker: String,
    kind: usize,
    marked: Marked,
}

impl Write {
    /// Makes what it is done to, while nothing fails.
    async fn prepared<S: Subject>(mut self, sandboxed: &Sandboxed<S>) -> Self {
        self.marked.prepare(sandboxed).await;
        self
    }

    /// What a table calls its kind: the tool, and what it is given.
    fn name(&self) -> String {
        let write = &self.marked.write;
        let arguments: Vec<_> = write.arguments.keys().map(String::as_str).collect();
        format!("{} ({})", write.tool, arguments.join(" "))
    }

    /// What is wrong with its `outcome`, given how often its marker stands in the state after it.
    fn fault(&self, outcome: &Result<String, Error>, times: usize) -> Option<&'static str> {
        let done = if self.marked.removes { times == 0 } else { times == 1 };
        match outcome {
            _ if times > 1 => Some("is there more than once"),
            Ok(_) if !done => Some("was told as done and is not"),
            Err(error) if done && error.kind() != Kind::UnknownOutcome => {
                Some("was told as failed and is done")
            }
            _ => None,
        }
    }
}

/// What became of the writes of one kind.
#[derive(Default)]
struct Tally {
    writes: usize,
    done: usize,
    unknown: usize,
    failed: usize,
    wrong: usize,
}

/// Each kind by itself, while nothing fails: what the storm is judged by tells whether it was done.
async fn every_kind_of_write_shows_in_the_state<S: Subject>() {
    let mut wrong = Vec::new();
    for kind in 0..S::marked_writes(&marker(0)).len() {
        let shown = AssertUnwindSafe(async {
            let options = Options { allow_destructive: true, ..Options::everything() };
            let sandboxed = Sandboxed::<S>::start_with(options).await;
            let marked = S::marked_writes(&marker(0)).swap_remove(kind);
            let write = Write { marker: marker(0), kind, marked }.prepared(&sandboxed).await;
            tokio::time::sleep(Duration::from_secs(3_600)).await;
            let times = || Standing::of(sandboxed.dump()).times(write.marked.place, &write.marker);
            let before = times();
            let told = sandboxed.try_call(&write.marked.write).await.map(|reply| reply.text);
            let expected = (usize::from(write.marked.removes), usize::from(!write.marked.removes));
            ((before, times()) != expected || told.is_err()).then(|| {
                format!("{:?}: {before} times before it, {} after: {told:?}", write.marked.write, times())
            })
        });
        match shown.catch_unwind().await {
            Ok(fault) => wrong.extend(fault),
            Err(_) => {
                wrong
                    .push(format!("{:?}: it cannot be made ready", S::marked_writes(&marker(0))[kind].write));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn a_storm_of_writes_doubles_loses_and_misreports_nothing<S: Subject>() {
    let kinds = S::marked_writes(&marker(0)).len();
    let number = std::env::var("STORM_WRITES");
    let number = number.map_or(WRITES.max(kinds * OF_EACH), |writes| writes.parse().expect("a number"));
    let only = std::env::var("STORM_FAULT").unwrap_or_default();
    let faults: Vec<_> = faults().into_iter().filter(|fault| format!("{fault:?}").contains(&only)).collect();
    let ratio = RATIO * self::faults().len() as f64 / faults.len() as f64;
    if kinds == 0 {
        return suite::lacks::<S>("marked_writes");
    }
    let selection = Selection { toolsets: vec!["all".to_owned()], ..Selection::default() };
    let options = Options { selection, allow_destructive: true, ..Options::default() };
    let sandboxed = Sandboxed::<S>::start_with(options).await;
    // Budgets refill, the breaker closes, what lands late has landed: the storm is about writes.
    let calm = || tokio::time::sleep(Duration::from_secs(3_600));

    // Named before hours go by: a story's times are told by the day.
    let mut named = (0..number)
        .map(|number| {
            let (marker, kind) = (marker(number), number % kinds);
            let marked = S::marked_writes(&marker).swap_remove(kind);
            Write { marker, kind, marked }
        })
        .collect::<Vec<_>>()
        .into_iter();
    let mut writes = Vec::new();
    while named.len() > 0 {
        let batch = named.by_ref().take(AT_ONCE).map(|write| write.prepared(&sandboxed));
        writes.extend(join_all(batch).await);
        calm().await;
    }
    let mut standing = Standing::of(sandboxed.dump());
    for Write { marker, marked, .. } in &writes {
        let times = standing.times(marked.place, marker);
        assert_eq!(times, usize::from(marked.removes), "{marked:?}: there before it was written");
    }

    sandboxed.harness().journal().clear();
    for (seed, (action, committed)) in (SEED..).zip(faults) {
        let rule = Rule { committed, ..Rule::new("*", action).ratio(ratio, seed) };
        sandboxed.harness().faults().add(rule);
    }
    let mut outcomes = Vec::new();
    let mut met = BTreeSet::new();
    for batch in writes.chunks(AT_ONCE) {
        let calls = batch.iter().map(|write| sandboxed.try_call(&write.marked.write));
        outcomes.extend(join_all(calls).await.into_iter().map(|outcome| outcome.map(|reply| reply.text)));
        calm().await;
        met.extend(sandboxed.harness().journal().entries().into_iter().filter_map(|entry| entry.fault));
        sandboxed.harness().journal().clear();
    }

    let mut standing = Standing::of(sandboxed.dump());
    let mut tallies = BTreeMap::<usize, (String, Tally)>::new();
    let mut wrong = Vec::new();
    let mut reasons = BTreeMap::<String, usize>::new();
    for (write, outcome) in writes.iter().zip(&outcomes) {
        let times = standing.times(write.marked.place, &write.marker);
        let (_, tally) = tallies.entry(write.kind).or_insert_with(|| (write.name(), Tally::default()));
        tally.writes += 1;
        match outcome {
            Ok(_) => tally.done += 1,
            Err(error) if error.kind() == Kind::UnknownOutcome => tally.unknown += 1,
            Err(error) => {
                tally.failed += 1;
                *reasons.entry(reason(error)).or_default() += 1;
            }
        }
        if let Some(fault) = write.fault(outcome, times) {
            tally.wrong += 1;
            wrong.push(format!("{:?} {fault} ({times}): {outcome:?}", write.marked.write));
        }
    }
    println!("{}: writes, told as done, as unknown, as failed; told wrong", S::ABOUT.title);
    for (name, tally) in tallies.values() {
        let Tally { writes, done, unknown, failed, wrong } = tally;
        println!("{name:50} {writes:5} {done:5} {unknown:5} {failed:5} {wrong:5}");
    }
    reasons.iter().for_each(|(reason, times)| println!("told as failed {times:5}: {reason}"));
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!(wrong.is_empty(), "{} of {number} writes:\n{}", wrong.len(), wrong.join("\n"));
    if !only.is_empty() {
        return;
    }
    // A storm that stops everything, or that nothing meets, proves nothing.
    assert!(done * 2 > number, "only {done} of {number} writes were done: {outcomes:?}");
    assert!(met.len() >= 6, "only these faults were met: {met:?}");
}

/// Why something failed, without what is its own.
fn reason(error: &Error) -> String {
    let text = error.for_agent();
    let text: String = text.chars().filter(|c| !c.is_ascii_digit()).take(90).collect();
    text.replace(MARK, "")
}
