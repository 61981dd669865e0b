//! Writes under way. Each runs in a task of its own, which nothing but the end of the process stops:
//! a client that goes away must not leave a write half sent, with nobody knowing how it ended.

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use futures::FutureExt as _;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Reply;
use crate::{Effect, Error, Result, access::Principal, upstream::call};

/// The writes of one server that are under way. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Writes(Arc<Inner>);

struct Inner {
    tasks: TaskTracker,
    /// Cancelled when whatever only waits to be sent is given up.
    stopping: CancellationToken,
    /// How many there are of each tool.
    tools: Mutex<BTreeMap<&'static str, usize>>,
}

impl Default for Writes {
    fn default() -> Self {
        let tasks = TaskTracker::new();
        // A closed tracker takes tasks all the same; it only can be waited for.
        tasks.close();
        Self(Arc::new(Inner { tasks, stopping: CancellationToken::new(), tools: Mutex::default() }))
    }
}

impl Writes {
    /// A write that `who` wants done by `tool`.
    pub(super) fn write(&self, who: &Principal, tool: &'static str, effect: Effect) -> Write {
        Write { writes: self.clone(), who: who.clone(), tool, effect }
    }

    /// Gives up those that only wait to be sent, now and from now on: they end saying that nothing was sent.
    pub(crate) fn stop_waiting(&self) {
        self.0.stopping.cancel();
    }

    /// Cancelled by that: for reads too, which nobody would answer once they are cut off.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.0.stopping.clone()
    }

    /// Waits until none is under way, at most until `end`, and logs which were not finished by then.
    pub(crate) async fn finish(&self, end: Instant) {
        if timeout_at(end, self.0.tasks.wait()).await.is_err() {
            let tools: Vec<_> = self.tools(|tools| tools.keys().copied().collect());
            tracing::warn!(
                tools = tools.join(","),
                "writes were still under way when the time to finish was over; they may or may not be done"
            );
        }
    }

    fn tools<T>(&self, look: impl FnOnce(&mut BTreeMap<&'static str, usize>) -> T) -> T {
        // The map is valid after every statement, so a panic elsewhere does not spoil it.
        look(&mut self.0.tools.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Writes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writes").field("under_way", &self.0.tasks.len()).finish()
    }
}

/// One write: whose it is, and by which tool.
#[derive(Debug)]
pub(super) struct Write {
    writes: Writes,
    who: Principal,
    tool: &'static str,
    effect: Effect,
}

impl Write {
    /// Does `work` to its end, even if this future is dropped before.
    pub(super) async fn run(
        self,
        work: impl Future<Output = Result<Reply>> + Send + 'static,
    ) -> Result<Reply> {
        let (tell, told) = oneshot::channel();
        let tasks = self.writes.0.tasks.clone();
        let begun = Instant::now();
        let work = call::since(call::began(), async {
            let (done, notes) = call::noting(work).await;
            done.map(|reply| notes.into_iter().fold(reply, Reply::line))
        });
        let work = call::stoppable(self.writes.0.stopping.clone(), work);
        let counted = Counted::new(&self.writes, self.tool);
        tasks.spawn(async move {
            let result = AssertUnwindSafe(work).catch_unwind().await;
            drop(counted);
            // If nobody listens, the outcome comes back and is logged as it is dropped.
            let _ = tell.send(Outcome { result: Some(result), write: self, begun });
        });
        match told.await.ok().and_then(Outcome::take) {
            Some(Ok(result)) => result,
            Some(Err(panic)) => resume_unwind(panic),
            None => Err(Error::internal("The server stopped while writing")),
        }
    }
}

/// How a write ended. One that nobody takes is logged, because the call itself has been answered and
/// logged without it.
struct Outcome {
    result: Option<thread::Result<Result<Reply>>>,
    write: Write,
    begun: Instant,
}

impl Outcome {
    fn take(mut self) -> Option<thread::Result<Result<Reply>>> {
        self.result.take()
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let outcome = match &self.result {
            None => return,
            Some(Ok(Ok(_))) => "ok",
            Some(Ok(Err(error))) => error.kind().as_str(),
            Some(Err(_)) => "internal",
        };
        let Write { who, tool, effect, .. } = &self.write;
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            target: "call",
            who = who.label(), tool, effect = effect.as_str(), outcome, ms,
            "a write ended after its call"
        );
    }
}

/// A write of a tool, counted as long as it is under way.
struct Counted {
    writes: Writes,
    tool: &'static str,
}

impl Counted {
    fn new(writes: &Writes, tool: &'static str) -> Self {
        writes.tools(|tools| *tools.entry(tool).or_default() += 1);
        Self { writes: writes.clone(), tool }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.writes.tools(|tools| {
            if let Some(count) = tools.get_mut(self.tool) {
                *count -= 1;
                if *count == 0 {
                    tools.remove(self.tool);
                }
            }
        });
    }
}
