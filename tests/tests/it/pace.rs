//! Time: a call has one, however much it asks; and those who call at once are served in turn.

use std::time::Duration;

use connector::sandbox::{Action, Rule};
use futures::future::join_all;
use suite::{Options, Sandboxed, Subject, marker};
use tokio::time::Instant;

suite::every_server!(
    a_call_ends_at_its_deadline_however_much_it_asks,
    many_who_write_at_once_are_served_in_turn,
);

/// What a call may take, and a write whose answer was lost besides, to look what it did.
const DEADLINE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_secs(10);
/// Callers at once, and writes of each, one after the other.
const CALLERS: usize = 16;
const WRITES: usize = 8;

async fn a_call_ends_at_its_deadline_however_much_it_asks<S: Subject>() {
    let mut several = 0;
    for sample in S::reads().into_iter().chain(S::writes()) {
        let options = Options { allow_destructive: true, ..Options::everything() };
        let sandboxed = Sandboxed::<S>::start_with(options).await;
        let slow = Action::Delay { by: Duration::from_secs(12) };
        sandboxed.harness().faults().add(Rule::new("*", slow).always());
        let began = Instant::now();
        let outcome = sandboxed.try_call(&sample).await.map(|reply| reply.text);
        let took = began.elapsed();
        let writes = sandboxed.service().tool(sample.tool).is_some_and(|tool| tool.effect().writes());
        let most = if writes { DEADLINE + LOOK } else { DEADLINE } + Duration::from_secs(1);
        let asked = sandboxed.harness().journal().entries().len();
        assert!(took <= most, "{} took {took:?} over {asked} requests: {outcome:?}", sample.tool);
        several += usize::from(asked > 2);
    }
    assert!(several > 0, "no call asks several things");
}

/// Where nothing fails, nobody waits in vain while others overtake them: who is refused is told so at once, and when
/// to come again, which is true.
async fn many_who_write_at_once_are_served_in_turn<S: Subject>() {
    if S::marked_writes("").is_empty() {
        return suite::lacks::<S>("marked_writes");
    }
    let options = Options { allow_destructive: true, ..Options::everything() };
    let sandboxed = Sandboxed::<S>::start_with(options).await;
    let caller = async |caller: usize| {
        let mut refused = Vec::new();
        for turn in 0..WRITES {
            let write = S::marked_writes(&marker(caller * WRITES + turn)).swap_remove(0).write;
            let began = Instant::now();
            let Err(error) = sandboxed.try_call(&write).await else { continue };
            let wait = error.retry_after().unwrap_or_default();
            let in_vain = began.elapsed() + Duration::from_secs(1) > DEADLINE;
            tokio::time::sleep(wait).await;
            if in_vain || wait.is_zero() || sandboxed.try_call(&write).await.is_err() {
                refused.push(format!("{:?}: {}", began.elapsed() - wait, error.for_agent()));
            }
        }
        refused
    };
    let refused = join_all((0..CALLERS).map(caller)).await.concat();
    assert!(refused.is_empty(), "{} of {} were refused: {refused:?}", refused.len(), CALLERS * WRITES);
}
