//! What a call costs grows with its arguments as they do, and no faster: a text ten times as long may cost ten times
//! the work, not a hundred times. Counted are how often and how many bytes a call takes from the allocator, and the
//! requests that it makes: they are the same in every run.

#![allow(clippy::print_stdout, reason = "what was measured is worth reading")]

use std::{
    pin::{Pin, pin},
    task::{Context, Poll},
};

use allocation_counter::measure;
use connector::access::Selection;
use suite::{Options, Sample, Sandboxed, Subject};

use crate::attack::{places, with_text};

suite::every_server!(a_text_ten_times_as_long_costs_no_more_than_ten_times_the_work);

/// Pieces of the shorter text; the longer one has ten times as many.
const PIECES: usize = 40;
/// Bytes, and times, that do not count: the first use of something, a table that grows by doubling.
const SLACK: [u64; 2] = [1 << 20, 20_000];
/// The most requests that a text makes a call send, however many people and things it names.
const MOST_REQUESTS: usize = 60;

/// A text of so many pieces, each with what servers look for in texts, and each another.
fn text(pieces: usize) -> String {
    let piece = |n: usize| {
        format!(
            "@person{n} <@U{n:09}> #{n} ENG-{n} https://x.example/{n} **b{n}** `c{n}` [l{n}](https://y.example/{n})\n"
        )
    };
    (0..pieces).map(piece).collect()
}

/// What a call takes from the allocator: bytes, and how often.
type Taken = [u64; 2];

/// A future whose own work is measured: what it takes from the allocator while it is polled.
struct Measured<F> {
    work: Pin<Box<F>>,
    taken: Taken,
}

impl<F: Future> Future for Measured<F> {
    type Output = (F::Output, Taken);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut polled = Poll::Pending;
        let work = &mut self.work;
        let info = measure(|| polled = work.as_mut().poll(context));
        self.taken[0] += info.bytes_total;
        self.taken[1] += info.count_total;
        let taken = self.taken;
        polled.map(|output| (output, taken))
    }
}

/// What a call takes, and the requests that it costs.
async fn cost<S: Subject>(sandboxed: &Sandboxed<S>, call: &Sample) -> (Taken, usize) {
    sandboxed.harness().journal().clear();
    let work = Measured { work: Box::pin(sandboxed.try_call(call)), taken: [0, 0] };
    let (_, taken) = pin!(work).await;
    (taken, sandboxed.harness().journal().entries().len())
}

async fn a_text_ten_times_as_long_costs_no_more_than_ten_times_the_work<S: Subject>() {
    let selection = Selection { toolsets: vec!["all".to_owned()], ..Selection::default() };
    let options = Options { selection, allow_destructive: true, ..Options::default() };
    let sandboxed = Sandboxed::<S>::start_with(options).await;
    let (mut compared, mut worst) = (0, (0.0, String::new()));
    for sample in S::reads().into_iter().chain(S::writes()) {
        let tool = sandboxed.service().tool(sample.tool).expect("a tool of the sample");
        let sample = if tool.effect().writes() { sample.with("dry_run", true) } else { sample };
        for place in places(&sample.arguments, tool.input_schema()) {
            let with = |pieces| with_text(&sample, &place, &text(pieces));
            // The first calls fill what is kept, a long one what grows with it.
            for pieces in [PIECES * 10, 1] {
                cost(&sandboxed, &with(pieces)).await;
            }
            let (base, _) = cost(&sandboxed, &with(1)).await;
            let (short, _) = cost(&sandboxed, &with(PIECES)).await;
            let (long, requests) = cost(&sandboxed, &with(PIECES * 10)).await;
            let what = format!(
                "{} {place:?}: {base:?}, {short:?}, {long:?} bytes and times, {requests} requests",
                sample.tool
            );
            for (one, slack) in SLACK.into_iter().enumerate() {
                // One piece may find what more of them do not, and then tells of it: half of what the others cost is
                // then taken for what any call costs.
                let base = if base[one] <= short[one] { base[one] } else { short[one] / 2 };
                let first = short[one] - base;
                let grown = long[one].saturating_sub(base);
                assert!(grown <= first * 15 + slack, "{what}");
                let ratio = grown as f64 / (first as f64).max(1.0);
                if grown > slack && ratio > worst.0 {
                    worst = (ratio, what.clone());
                }
            }
            assert!(requests <= MOST_REQUESTS, "{what}");
            compared += 1;
        }
    }
    println!("{}: {compared} texts, the worst {:.1} times: {}", S::ABOUT.key, worst.0, worst.1);
    assert!(compared > 0, "no text was compared");
}
