//! A server that is asked to end while many calls are under way: nobody is left without an answer, and what a write is
//! told to have become is true.

#![allow(clippy::print_stdout, reason = "what was measured is worth reading")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use connector::sandbox::{Action, Rule};
use futures::future::join_all;
use serde_json::{Value, json};
use suite::{Era, MARK, Marked, Sample, Standing, Subject, marker};

use crate::team::{self, Replica, Team, client, told, until};

suite::every_program!(whatever_is_in_flight_at_the_end_is_answered_truly);

/// Reads, and as many writes.
const READS: usize = 100;
/// How many of them are of one caller: nobody has more than a quarter of the places.
const OF_ONE: usize = 20;

/// A call of the crowd: what it writes, with what marker, or nothing.
struct One {
    sample: Sample,
    writes: Option<(String, Marked)>,
}

/// Reads and writes in turn, of all kinds that need nothing to be made first.
fn crowd<S: Subject>() -> Vec<One> {
    let reads = S::reads();
    let kinds: Vec<_> = (0..S::marked_writes(MARK).len())
        .filter(|kind| S::marked_writes(MARK)[*kind].steps.is_empty())
        .collect();
    let write = |number: usize| {
        let marker = marker(number);
        let marked = S::marked_writes(&marker).swap_remove(kinds[number % kinds.len()]);
        One { sample: marked.write.clone(), writes: Some((marker, marked)) }
    };
    let read = |number: usize| One { sample: reads[number % reads.len()].clone(), writes: None };
    (0..READS).flat_map(|number| [read(number), write(number)]).collect()
}

async fn whatever_is_in_flight_at_the_end_is_answered_truly<S: Subject>() {
    if S::marked_writes(MARK).is_empty() {
        return suite::lacks::<S>("marked_writes");
    }
    let team = Team::<S>::of(2 * READS / OF_ONE).await;
    let more = ["--lame-duck-seconds", "0", "--drain-seconds", "12", "--quota-per-minute", "0"];
    let mut server = team.replica(&[&more[..], &["--allow-destructive"]].concat()).await;
    let client = client();
    // No answer of the vendor comes before the end, which lets them go.
    team.harness().faults().add(Rule::new("*", Action::Delay { by: team::PATIENCE }).always());
    let answered = Arc::new(AtomicUsize::new(0));
    let calls = crowd::<S>().into_iter().enumerate().map(|(number, one)| {
        let era = if number / 2 % 2 == 0 { Era::Modern } else { Era::Legacy };
        let request = team::request(&client, server.addr, era, team::call(&one.sample), &json!({}));
        let request = request.bearer_auth(&team.keys[number / OF_ONE]);
        let answered = Arc::clone(&answered);
        async move {
            let answer = async { request.send().await?.json::<Value>().await }.await;
            answered.fetch_add(1, Ordering::Relaxed);
            (one, answer.map_err(|error| format!("{error:?}")))
        }
    });
    let calls = tokio::spawn(join_all(calls.collect::<Vec<_>>()));
    // Some may be told at once that the vendor's budget does not reach for them.
    let known = async || in_flight(&server).await + answered.load(Ordering::Relaxed);
    until("all are in flight", async || known().await == 2 * READS).await;
    assert!(in_flight(&server).await > READS, "hardly anything was in flight");
    server.terminate();
    team.harness().faults().clear();
    let answers = calls.await.unwrap();
    let ended = server.ended().await;
    assert!(ended.success(), "{ended}: {}", team.logs());
    let mut standing = Standing::of(team.dump());
    let mut tally = Tally::default();
    for (one, answer) in answers {
        tally.count(one, answer, &mut standing);
    }
    let Tally { read, done, unknown, wrong } = tally;
    let program = S::ABOUT.program;
    println!("{program}: {READS} reads, {read} done; {READS} writes, {done} done, {unknown} unknown");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), 2 * READS, wrong.join("\n"));
    assert!(read * 4 > READS && done > 0, "hardly anything was done");
}

/// What became of the crowd.
#[derive(Default)]
struct Tally {
    read: usize,
    done: usize,
    unknown: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, One { sample, writes }: One, answer: Result<Value, String>, standing: &mut Standing) {
        let said = match &answer {
            Ok(answer) if answer["result"].is_object() => told(answer),
            _ => ("", true),
        };
        let fault = match (said, writes) {
            (("", true), _) => Some("was lost"),
            ((text, failed), None) => {
                self.read += usize::from(!failed);
                // The vendor's budget is used up, and will be back; or there was none before the end.
                let later = text.starts_with("rate_limited: ") && text.contains("retry_after_s: ")
                    || text.starts_with("cancelled: ") && text.contains("nothing was sent");
                (failed && !later).then_some("was not read")
            }
            ((text, failed), Some((marker, marked))) => {
                let unknown = failed && text.starts_with("unknown_outcome: ");
                self.done += usize::from(!failed);
                self.unknown += usize::from(unknown);
                match (failed, standing.times(marked.place, &marker)) {
                    (_, 2..) => Some("was done more than once"),
                    (false, 0) => Some("was told as done and is not"),
                    (true, 1) if !unknown => Some("was told as failed and is done"),
                    _ => None,
                }
            }
        };
        let what = fault.map(|fault| format!("{} {:?} {fault}: {answer:?}", sample.tool, sample.arguments));
        self.wrong.extend(what);
    }
}

/// How many requests are under way.
async fn in_flight(server: &Replica) -> usize {
    let metrics = server.asked("metrics").await.unwrap_or_default();
    let line = metrics.lines().find_map(|line| line.strip_prefix("connector_operations_in_flight "));
    line.and_then(|number| number.parse().ok()).unwrap_or_default()
}
