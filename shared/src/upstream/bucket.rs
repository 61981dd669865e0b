//! What is known of one of the vendor's budgets, and how long a request waits for it.

use std::{num::NonZeroU32, time::Duration};

use tokio::time::Instant;

use super::{Budget, Reading, meter::Meter};
use crate::{Error, Result, clock};

/// The runtime's timers do not see less; a shorter wait would spin.
const TICK: Duration = Duration::from_millis(1);

/// The vendor's budget, as far as known, for status and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketStatus {
    /// Its name.
    pub bucket: &'static str,
    /// Units per period: as last told, or as published.
    pub limit: u32,
    /// Units left, as last told and counted down since.
    pub remaining: Option<u32>,
    /// How long until it is full again, as last told.
    pub resets_in: Option<Duration>,
    /// How long nothing is sent after a refusal.
    pub paused_for: Option<Duration>,
}

/// One budget: its meter, the vendor's last word, and a penalty.
pub(super) struct Bucket {
    pub(super) budget: Budget,
    meter: Meter,
    told: Option<Reported>,
    paused_until: Option<Instant>,
    /// When the one whose turn it is has the units that it wants, as far as known.
    pub(super) next: Option<(Instant, u32)>,
}

/// The vendor's last word on a bucket.
#[derive(Clone, Copy)]
struct Reported {
    remaining: u32,
    at: Instant,
    reset: Instant,
}

impl Bucket {
    pub(super) fn new(budget: Budget, in_windows: bool) -> Self {
        let meter = Meter::new(&budget, in_windows);
        Self { meter, budget, told: None, paused_until: None, next: None }
    }

    /// Nothing more before `until`.
    pub(super) fn pause(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |before| before.max(until)));
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused_until.is_some_and(|until| Instant::now() < until)
    }

    /// How long until `cost` is there after those were served who wait for `before`: the first of them when
    /// it will be, the others at the budget's pace.
    pub(super) fn ready_after(&self, before: u32, cost: u32) -> Duration {
        let now = Instant::now();
        let (first, waited_for) = self.next.unwrap_or((now, 0));
        let first = first.saturating_duration_since(now);
        let paused = self.paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if self.budget.limit == 0 {
            return paused;
        }
        if let Meter::Window(window) = &self.meter {
            return paused.max(window.wait_for(now, before.saturating_add(cost)));
        }
        let units = u128::from(before.saturating_sub(waited_for)) + u128::from(cost);
        let pace = self.budget.per.as_nanos() * units / u128::from(self.budget.limit.max(1));
        first.max(paused) + Duration::from_nanos(u64::try_from(pace).unwrap_or(u64::MAX))
    }

    /// Takes `cost` if `reserve` is left after that, or says how long to wait before asking again.
    pub(super) fn take(&mut self, title: &str, cost: u32, reserve: u32) -> Result<Option<Duration>> {
        let Some(amount) = NonZeroU32::new(cost) else { return Ok(None) };
        let now = Instant::now();
        if let Some(until) = self.paused_until {
            if now < until {
                return Ok(Some(until - now));
            }
            self.paused_until = None;
        }
        if self.budget.limit == 0 {
            return Ok(None);
        }
        if let Some(wait) = self.told_wait(now, cost.saturating_add(reserve)) {
            return Ok(Some(wait));
        }
        match self.meter.take(now, amount, reserve) {
            Some(Ok(())) => {
                if let Some(told) = &mut self.told {
                    told.remaining = told.remaining.saturating_sub(cost);
                }
                Ok(None)
            }
            Some(Err(wait)) => Ok(Some(wait.max(TICK))),
            None => Err(Error::invalid(format!(
                "this call would take {cost} of {title}'s budget of {}, which allows {} at once",
                self.budget.bucket, self.budget.burst
            ))
            .with_hint("Ask for fewer rows or fields")),
        }
    }

    /// How long until the vendor's own count allows `cost`.
    fn told_wait(&mut self, now: Instant, cost: u32) -> Option<Duration> {
        let told = self.told?;
        if now >= told.reset {
            self.told = None;
            return None;
        }
        let missing =
            u128::from(cost).checked_sub(u128::from(told.remaining)).filter(|missing| *missing > 0)?;
        let refill = self.budget.per.as_nanos() * missing / u128::from(self.budget.limit.max(1));
        let ready = told.at + Duration::from_nanos(u64::try_from(refill).unwrap_or(u64::MAX));
        let ready = ready.min(told.reset);
        (now < ready).then(|| (ready - now).max(TICK))
    }

    pub(super) fn learn(&mut self, reading: &Reading) {
        if let Some(limit) = reading.limit.filter(|limit| *limit > 0 && *limit != self.budget.limit) {
            // Another plan than the published one. The new meter starts full; what the vendor says
            // is left holds it back.
            let whole = self.budget.burst == self.budget.limit;
            self.budget.limit = limit;
            self.budget.burst = if whole { limit } else { self.budget.burst.min(limit) };
            self.meter.resize(&self.budget);
        }
        if let Some(remaining) = reading.remaining {
            let now = Instant::now();
            let reset = reading.reset.map_or(self.budget.per, clock::until).min(self.budget.per * 2);
            self.told = Some(Reported { remaining, at: now, reset: now + reset });
        }
    }

    pub(super) fn status(&self) -> BucketStatus {
        let now = Instant::now();
        let told = self.told.filter(|told| now < told.reset);
        BucketStatus {
            bucket: self.budget.bucket,
            limit: self.budget.limit,
            remaining: told.map(|told| told.remaining),
            resets_in: told.map(|told| told.reset - now),
            paused_for: self.paused_until.filter(|until| now < *until).map(|until| until - now),
        }
    }
}
