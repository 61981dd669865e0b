//! Stops asking a vendor that keeps failing, and finds out with one request when it is back.
//!
//! # Why two measures
//!
//! *Failures in a row* see a vendor that is down at once, at any traffic: five calls and it is
//! known. But a vendor that fails every other call never fails five times in a row, and callers
//! suffer all the same; for that there is the *rate of failures* over the last half minute. The
//! rate alone would be no better: with the little traffic of one person's server it either needs
//! minutes to gather enough calls, or judges by two or three.
//!
//! The window is exact, ten buckets of counts that are dropped one at a time, and not a decaying
//! average: an average forgets an outage only by new traffic, so after a quiet night it would still
//! remember the evening's.
//!
//! # What counts
//!
//! A failure is an answer or a silence for which the vendor is to blame and which may pass:
//! [`Kind::Upstream`] that is not final. Refusals (4xx, a refused credential) are the vendor's proper
//! work and count as successes. 429 is neither: it says nothing about health, only about our pace,
//! and opening the breaker on it would turn a short wait into a longer one.
//!
//! # Half open
//!
//! When the pause is over exactly one call goes through; the others keep failing fast until its
//! verdict is there. Letting several through would throw a crowd at a vendor that is just getting
//! up. A probe whose caller goes away gives its place to the next call.
//!
//! The state is a value behind a lock held for nanoseconds rather than an actor: the admission of
//! every call is on its way, and there is nothing to wait for.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{Error, Kind, Result, Retry};

/// When to stop asking, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerOptions {
    /// Failures in a row that open it. 5.
    pub consecutive_failures: u32,
    /// The share of failed calls in the window that opens it, 0 to 1. 0.5.
    pub failure_rate: f64,
    /// Calls in the window below which the share says nothing. 20.
    pub min_calls: u32,
    /// How far back the share looks. 30 s.
    pub window: Duration,
    /// The pause before the first probe; doubled after each failed one. 10 s.
    pub open_for: Duration,
    /// The longest pause. 60 s.
    pub max_open_for: Duration,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            failure_rate: 0.5,
            min_calls: 20,
            window: Duration::from_secs(30),
            open_for: Duration::from_secs(10),
            max_open_for: Duration::from_secs(60),
        }
    }
}

/// The breaker's state, for status and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// Calls fail at once, for this long yet.
    Open(Duration),
    /// One call finds out whether the vendor is back.
    HalfOpen,
}

/// What a finished call says about the vendor's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It answered as it should, which a refusal is too.
    Healthy,
    /// It failed.
    Failing,
    /// Nothing: it is there, but answers only about our pace.
    Neutral,
}

impl Verdict {
    pub(super) fn of<T>(result: &Result<T>) -> Self {
        match result {
            Ok(_) => Self::Healthy,
            Err(error) => match (error.kind(), error.retry()) {
                (Kind::RateLimited, _) => Self::Neutral,
                // What can never succeed (a bad certificate, an answer too long) has its own words.
                (Kind::Upstream, Retry::Never) => Self::Neutral,
                (Kind::Upstream | Kind::Unavailable, _) => Self::Failing,
                _ => Self::Healthy,
            },
        }
    }
}

pub(super) struct Breaker {
    options: BreakerOptions,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// Counts the changes of phase, so that a late verdict on an earlier one is not heard.
    era: u64,
    in_a_row: u32,
    window: Window,
    /// The pause to make when it opens next.
    pause: Duration,
    /// What the last failure was, for the error that callers get meanwhile.
    reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: Instant },
    HalfOpen,
}

impl Breaker {
    pub(super) fn new(options: BreakerOptions) -> Self {
        let state = State {
            phase: Phase::Closed,
            era: 0,
            in_a_row: 0,
            window: Window::new(options.window),
            pause: options.open_for,
            reason: String::new(),
        };
        Self { options, state: Mutex::new(state) }
    }

    /// Lets a call through, or fails at once.
    pub(super) fn admit(&self, title: &str) -> Result<Admission<'_>> {
        let now = Instant::now();
        let mut state = self.lock();
        match state.phase {
            Phase::Closed => {}
            Phase::Open { until } if now >= until => state.enter(Phase::HalfOpen),
            Phase::Open { until } => return Err(state.refusal(title, until - now)),
            Phase::HalfOpen => return Err(state.refusal(title, Duration::from_secs(1))),
        }
        Ok(Admission { breaker: self, era: state.era, probe: state.phase == Phase::HalfOpen, settled: false })
    }

    pub(super) fn state(&self) -> BreakerState {
        let now = Instant::now();
        match self.lock().phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { until } if now < until => BreakerState::Open(until - now),
            Phase::Open { .. } | Phase::HalfOpen => BreakerState::HalfOpen,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, era: u64, verdict: Verdict, reason: impl FnOnce() -> String) {
        let now = Instant::now();
        let mut state = self.lock();
        if state.era != era {
            return;
        }
        match (state.phase, verdict) {
            (Phase::Closed, Verdict::Healthy) => {
                state.in_a_row = 0;
                state.window.count(now, false);
            }
            (Phase::Closed, Verdict::Failing) => {
                state.in_a_row += 1;
                state.window.count(now, true);
                let enough = state.in_a_row >= self.options.consecutive_failures
                    || state.window.exceeds(self.options.failure_rate, self.options.min_calls);
                if enough {
                    state.reason = reason();
                    state.pause = self.options.open_for;
                    let until = now + state.pause;
                    state.enter(Phase::Open { until });
                }
            }
            (Phase::HalfOpen, Verdict::Failing) => {
                state.reason = reason();
                state.pause = (state.pause * 2).min(self.options.max_open_for);
                let until = now + state.pause;
                state.enter(Phase::Open { until });
            }
            (Phase::HalfOpen, Verdict::Healthy | Verdict::Neutral) => {
                state.in_a_row = 0;
                state.window = Window::new(self.options.window);
                state.enter(Phase::Closed);
            }
            (Phase::Closed, Verdict::Neutral) | (Phase::Open { .. }, _) => {}
        }
    }

    /// A probe ended without a verdict: the next call is the probe.
    fn abandon(&self, era: u64) {
        let mut state = self.lock();
        if state.era == era && state.phase == Phase::HalfOpen {
            state.enter(Phase::Open { until: Instant::now() });
        }
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        match phase {
            Phase::Open { .. } => tracing::warn!(reason = %self.reason, "circuit breaker open"),
            Phase::HalfOpen => tracing::info!("circuit breaker half open"),
            Phase::Closed => tracing::info!("circuit breaker closed"),
        }
        self.phase = phase;
        self.era += 1;
    }

    fn refusal(&self, title: &str, wait: Duration) -> Error {
        Error::new(
            Kind::Unavailable,
            format!(
                "{title} keeps failing and is not asked for the moment; the last failure was: {}",
                self.reason
            ),
        )
        .with_hint("Wait before trying again")
        .with_retry(Retry::NotExecuted)
        .with_retry_after(wait)
    }
}

/// Leave for one call. Dropped without a verdict (the caller went away) it counts for nothing.
pub(super) struct Admission<'a> {
    breaker: &'a Breaker,
    era: u64,
    probe: bool,
    settled: bool,
}

impl Admission<'_> {
    /// Asks again after a wait: fails if the breaker has opened since.
    pub(super) fn confirm(&mut self, title: &str) -> Result<()> {
        let state = self.breaker.lock();
        match state.phase {
            _ if state.era == self.era => Ok(()),
            Phase::Closed => {
                self.era = state.era;
                Ok(())
            }
            Phase::Open { until } => {
                Err(state.refusal(title, until.saturating_duration_since(Instant::now())))
            }
            Phase::HalfOpen => Err(state.refusal(title, Duration::from_secs(1))),
        }
    }

    /// Says how the call ended.
    pub(super) fn settle<T>(mut self, result: &Result<T>) {
        self.settled = true;
        let reason = || match result {
            Err(error) => error.message().to_owned(),
            Ok(_) => String::new(),
        };
        self.breaker.settle(self.era, Verdict::of(result), reason);
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.probe && !self.settled {
            self.breaker.abandon(self.era);
        }
    }
}

/// How many calls failed in the last while, to the tenth of it.
struct Window {
    width: Duration,
    origin: Instant,
    slots: [Slot; Window::SLOTS],
}

#[derive(Clone, Copy, Default)]
struct Slot {
    number: u64,
    calls: u32,
    failures: u32,
}

impl Window {
    const SLOTS: usize = 10;

    fn new(length: Duration) -> Self {
        let width = (length / 10).max(Duration::from_millis(1));
        Self { width, origin: Instant::now(), slots: [Slot::default(); Self::SLOTS] }
    }

    fn count(&mut self, now: Instant, failed: bool) {
        let number = (now.duration_since(self.origin).as_millis() / self.width.as_millis()) as u64;
        let oldest = number.saturating_sub(Self::SLOTS as u64 - 1);
        for slot in &mut self.slots {
            if slot.number < oldest {
                *slot = Slot::default();
            }
        }
        let slot = &mut self.slots[(number % Self::SLOTS as u64) as usize];
        slot.number = number;
        slot.calls += 1;
        slot.failures += u32::from(failed);
    }

    fn exceeds(&self, rate: f64, min_calls: u32) -> bool {
        let calls: u32 = self.slots.iter().map(|slot| slot.calls).sum();
        let failures: u32 = self.slots.iter().map(|slot| slot.failures).sum();
        calls >= min_calls && f64::from(failures) >= rate * f64::from(calls)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn failure() -> Result<()> {
        Err(Error::new(Kind::Upstream, "Linear failed with status 503").with_retry(Retry::MaybeExecuted))
    }

    fn breaker() -> Breaker {
        Breaker::new(BreakerOptions::default())
    }

    fn call(breaker: &Breaker, result: &Result<()>) -> bool {
        breaker.admit("Linear").map(|admission| admission.settle(result)).is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn five_failures_in_a_row_open_it_and_a_good_probe_closes_it() {
        let breaker = breaker();
        for _ in 0..5 {
            assert!(call(&breaker, &failure()));
        }
        let error = breaker.admit("Linear").err().unwrap();
        assert_eq!(error.kind(), Kind::Unavailable);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(10)));
        assert!(error.message().contains("Linear failed with status 503"));
        advance(Duration::from_secs(10)).await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert!(call(&breaker, &Ok(())));
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn only_one_call_probes() {
        let breaker = breaker();
        (0..5).for_each(|_| assert!(call(&breaker, &failure())));
        advance(Duration::from_secs(10)).await;
        let probe = breaker.admit("Linear").unwrap();
        assert!((0..100).all(|_| breaker.admit("Linear").is_err()));
        // Its caller goes away: the next call takes over.
        drop(probe);
        let probe = breaker.admit("Linear").unwrap();
        assert!(breaker.admit("Linear").is_err());
        probe.settle(&Ok(()));
        assert!(breaker.admit("Linear").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_probe_doubles_the_pause_up_to_its_limit() {
        let breaker = breaker();
        (0..5).for_each(|_| assert!(call(&breaker, &failure())));
        for pause in [10, 20, 40, 60, 60] {
            assert_eq!(breaker.state(), BreakerState::Open(Duration::from_secs(pause)));
            advance(Duration::from_secs(pause)).await;
            assert!(call(&breaker, &failure()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn half_of_the_calls_failing_opens_it_without_five_in_a_row() {
        let breaker = breaker();
        let mut calls = 0;
        while calls < 40 && call(&breaker, &if calls % 2 == 0 { Ok(()) } else { failure() }) {
            calls += 1;
        }
        assert_eq!(calls, 20);
    }

    #[tokio::test(start_paused = true)]
    async fn old_failures_leave_the_window() {
        let breaker = breaker();
        for _ in 0..4 {
            (0..4).for_each(|_| assert!(call(&breaker, &failure())));
            assert!(call(&breaker, &Ok(())));
            advance(Duration::from_secs(31)).await;
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_and_limits_are_no_failures() {
        let breaker = breaker();
        for kind in [Kind::Auth, Kind::Permission, Kind::NotFound, Kind::InvalidArgument, Kind::Conflict] {
            (0..10).for_each(|_| assert!(call(&breaker, &Err(Error::new(kind, "no")))));
        }
        let limited = || Err(Error::new(Kind::RateLimited, "slow").with_retry(Retry::NotExecuted));
        (0..10).for_each(|_| assert!(call(&breaker, &limited())));
        assert_eq!(breaker.state(), BreakerState::Closed);
        // But a limit does not hide failures either.
        (0..5).for_each(|_| {
            call(&breaker, &failure());
            call(&breaker, &limited());
        });
        assert!(matches!(breaker.state(), BreakerState::Open(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn leave_given_before_the_opening_does_not_outlast_it() {
        let breaker = breaker();
        let mut waiting = breaker.admit("Linear").unwrap();
        assert!(waiting.confirm("Linear").is_ok());
        (0..5).for_each(|_| assert!(call(&breaker, &failure())));
        assert_eq!(waiting.confirm("Linear").unwrap_err().kind(), Kind::Unavailable);
        advance(Duration::from_secs(10)).await;
        let mut probe = breaker.admit("Linear").unwrap();
        assert!(waiting.confirm("Linear").is_err() && probe.confirm("Linear").is_ok());
        probe.settle(&Ok(()));
        assert!(waiting.confirm("Linear").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_verdict_from_before_the_opening_is_not_heard() {
        let breaker = breaker();
        let late = breaker.admit("Linear").unwrap();
        (0..5).for_each(|_| assert!(call(&breaker, &failure())));
        advance(Duration::from_secs(10)).await;
        let probe = breaker.admit("Linear").unwrap();
        late.settle(&Ok::<_, Error>(()));
        assert_eq!(breaker.state(), BreakerState::HalfOpen, "only the probe has a say");
        probe.settle(&failure());
        assert_eq!(breaker.state(), BreakerState::Open(Duration::from_secs(20)));
    }
}
