//! Keeps our own pace within the vendor's budgets, so that the vendor need not refuse.
//!
//! Three things are known of a bucket, and a request waits for the strictest:
//!
//! - the *published budget*, metered here from the first request on (governor's GCRA);
//! - what the vendor *told* in its last answer (limit, remaining, reset), which also counts what
//!   other processes spend on the same credential. It is taken to refill evenly until its reset;
//! - a *penalty* after a refusal: nothing more until the moment that the vendor named.
//!
//! A request waits at most until its deadline. If the wait would be longer it fails at once and
//! says how long it would have been.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::{Instant, sleep};

use super::{Budget, Reading};
use crate::{Error, Kind, Result, Retry, clock};

/// The longest time for which one refusal stops us without asking again. A vendor may name a day;
/// it may also mean it less than it says, and asking once an hour harms nobody.
const MAX_PENALTY: Duration = Duration::from_secs(3600);

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

pub(super) struct Limiter {
    buckets: HashMap<&'static str, Mutex<Bucket>>,
    /// The buckets' names as the vendor lists them.
    order: Vec<&'static str>,
}

impl Limiter {
    pub(super) fn new(budgets: Vec<Budget>) -> Self {
        let order = budgets.iter().map(|budget| budget.bucket).collect();
        let buckets =
            budgets.into_iter().map(|budget| (budget.bucket, Mutex::new(Bucket::new(budget)))).collect();
        Self { buckets, order }
    }

    /// Takes `costs` from their buckets, one bucket after the other, waiting until `deadline` at most.
    ///
    /// What was taken before a later bucket failed is not given back: it refills by itself, and the
    /// other order would let a request through half paid.
    pub(super) async fn take(
        &self,
        title: &str,
        costs: &[(&'static str, u32)],
        deadline: Instant,
    ) -> Result<()> {
        for &(name, cost) in costs {
            while let Some(wait) = self.attempt(title, name, cost)? {
                if Instant::now() + wait >= deadline {
                    return Err(used_up(title, name, wait));
                }
                tracing::debug!(bucket = name, wait_ms = wait.as_millis() as u64, "waiting for budget");
                sleep(wait).await;
            }
        }
        Ok(())
    }

    fn attempt(&self, title: &str, name: &'static str, cost: u32) -> Result<Option<Duration>> {
        match self.bucket(name) {
            Some(mut bucket) => bucket.take(title, cost),
            None => Ok(None),
        }
    }

    /// Corrects the buckets by what an answer told.
    pub(super) fn learn(&self, readings: &[Reading]) {
        for reading in readings {
            if let Some(mut bucket) = self.bucket(reading.bucket) {
                bucket.learn(reading);
            }
        }
    }

    /// Stops the buckets of a refused request for `wait`: those that the vendor shows as empty, or
    /// else all that the request took from.
    pub(super) fn pause(&self, costs: &[(&'static str, u32)], readings: &[Reading], wait: Duration) {
        let until = Instant::now() + wait.min(MAX_PENALTY);
        let short = |name: &str, cost: u32| {
            let told = readings.iter().find(|reading| reading.bucket == name);
            told.and_then(|reading| reading.remaining).is_some_and(|remaining| remaining < cost)
        };
        let blamed = costs.iter().any(|&(name, cost)| short(name, cost));
        for &(name, cost) in costs {
            if (!blamed || short(name, cost))
                && let Some(mut bucket) = self.bucket(name)
            {
                bucket.paused_until = Some(bucket.paused_until.map_or(until, |before| before.max(until)));
            }
        }
    }

    pub(super) fn status(&self) -> Vec<BucketStatus> {
        self.order.iter().filter_map(|name| Some(self.bucket(name)?.status())).collect()
    }

    fn bucket(&self, name: &str) -> Option<MutexGuard<'_, Bucket>> {
        Some(self.buckets.get(name)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn used_up(title: &str, bucket: &str, wait: Duration) -> Error {
    Error::new(Kind::RateLimited, format!("{title}'s budget of {bucket} is used up for now"))
        .with_hint("Wait, or ask for less")
        .with_retry(Retry::NotExecuted)
        .with_retry_after(wait)
}

/// When the exhausted buckets among `readings` that a request took from are full again.
pub(super) fn reset_of(costs: &[(&'static str, u32)], readings: &[Reading]) -> Option<Duration> {
    readings
        .iter()
        .filter(|reading| {
            costs.iter().any(|&(name, cost)| {
                name == reading.bucket && reading.remaining.is_some_and(|remaining| remaining < cost)
            })
        })
        .filter_map(|reading| reading.reset)
        .map(clock::until)
        .max()
}

struct Bucket {
    budget: Budget,
    meter: RateLimiter<NotKeyed, InMemoryState, Metronome, NoOpMiddleware<Duration>>,
    told: Option<FieldValue>,
    paused_until: Option<Instant>,
}

/// The vendor's last word on a bucket.
#[derive(Clone, Copy)]
struct FieldValue {
    remaining: u32,
    at: Instant,
    reset: Instant,
}

impl Bucket {
    fn new(budget: Budget) -> Self {
        Self { meter: meter(&budget), budget, told: None, paused_until: None }
    }

    /// Takes `cost`, or says how long to wait before asking again.
    fn take(&mut self, title: &str, cost: u32) -> Result<Option<Duration>> {
        let Some(amount) = NonZeroU32::new(cost) else { return Ok(None) };
        let now = Instant::now();
        if let Some(until) = self.paused_until {
            if now < until {
                return Ok(Some(until - now));
            }
            self.paused_until = None;
        }
        if let Some(wait) = self.told_wait(now, cost) {
            return Ok(Some(wait));
        }
        match self.meter.check_n(amount) {
            Ok(Ok(())) => {
                if let Some(told) = &mut self.told {
                    told.remaining = told.remaining.saturating_sub(cost);
                }
                Ok(None)
            }
            Ok(Err(not_until)) => Ok(Some(not_until.wait_time_from(Metronome.now()).max(TICK))),
            Err(_) => Err(Error::invalid(format!(
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

    fn learn(&mut self, reading: &Reading) {
        if let Some(limit) = reading.limit.filter(|limit| *limit > 0 && *limit != self.budget.limit) {
            // Another plan than the published one. The new meter starts full; what the vendor says
            // is left holds it back.
            let whole = self.budget.burst == self.budget.limit;
            self.budget.limit = limit;
            self.budget.burst = if whole { limit } else { self.budget.burst.min(limit) };
            self.meter = meter(&self.budget);
        }
        if let Some(remaining) = reading.remaining {
            let now = Instant::now();
            let reset = reading.reset.map_or(self.budget.per, clock::until).min(self.budget.per * 2);
            self.told = Some(FieldValue { remaining, at: now, reset: now + reset });
        }
    }

    fn status(&self) -> BucketStatus {
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

/// The runtime's timers do not see less; a shorter wait would spin.
const TICK: Duration = Duration::from_millis(1);

fn meter(budget: &Budget) -> RateLimiter<NotKeyed, InMemoryState, Metronome, NoOpMiddleware<Duration>> {
    let limit = budget.limit.max(1);
    let burst = NonZeroU32::new(budget.burst).unwrap_or(NonZeroU32::MIN);
    let quota = Quota::with_period(budget.per / limit)
        .unwrap_or_else(|| Quota::per_second(NonZeroU32::MAX))
        .allow_burst(burst);
    RateLimiter::direct_with_clock(quota, Metronome)
}

/// Tokio's time for governor.
#[derive(Clone, Copy, Debug)]
struct Metronome;

impl Clock for Metronome {
    type Instant = Duration;

    fn now(&self) -> Duration {
        clock::wall()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const REQUESTS: Budget = Budget { bucket: "requests", limit: 60, per: Duration::from_secs(60), burst: 3 };
    const POINTS: Budget =
        Budget { bucket: "points", limit: 6000, per: Duration::from_secs(60), burst: 6000 };

    fn limiter() -> Limiter {
        Limiter::new(vec![REQUESTS, POINTS])
    }

    fn within(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    async fn take(limiter: &Limiter, costs: &[(&'static str, u32)], seconds: u64) -> Result<()> {
        limiter.take("Linear", costs, within(seconds)).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_burst_goes_through_and_the_rest_keeps_the_pace() {
        let limiter = limiter();
        let started = Instant::now();
        for _ in 0..5 {
            take(&limiter, &[("requests", 1)], 30).await.unwrap();
        }
        let passed = started.elapsed();
        assert!((2_000..2_010).contains(&passed.as_millis()), "{passed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_deadline_fails_at_once_and_says_how_long() {
        let limiter = limiter();
        take(&limiter, &[("points", 6000)], 30).await.unwrap();
        let started = Instant::now();
        let error = take(&limiter, &[("points", 4000)], 30).await.unwrap_err();
        assert_eq!(started.elapsed(), Duration::ZERO);
        assert_eq!((error.kind(), error.retry()), (Kind::RateLimited, Retry::NotExecuted));
        let wait = error.retry_after().unwrap();
        assert!((39..=40).contains(&wait.as_secs()), "{wait:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_cost_that_never_fits_is_the_callers_mistake() {
        let error = take(&limiter(), &[("points", 6001)], 30).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidArgument);
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_spent_is_learned_from_the_answers() {
        let limiter = limiter();
        let reset = clock::wall() + Duration::from_secs(60);
        limiter.learn(&[Reading {
            bucket: "points",
            limit: Some(6000),
            remaining: Some(100),
            reset: Some(reset),
        }]);
        take(&limiter, &[("points", 60)], 1).await.unwrap();
        // 40 are left; 100 units refill in a second, so 240 take two.
        let started = Instant::now();
        take(&limiter, &[("points", 240)], 30).await.unwrap();
        assert_eq!(started.elapsed(), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_larger_plan_is_learned_from_the_answers() {
        let limiter = limiter();
        limiter.learn(&[Reading { bucket: "points", limit: Some(9000), remaining: Some(9000), reset: None }]);
        take(&limiter, &[("points", 9000)], 1).await.unwrap();
        assert_eq!(limiter.status()[1].limit, 9000);
        assert_eq!(limiter.status()[1].remaining, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_pauses_the_empty_bucket_only() {
        let limiter = limiter();
        let empty = Reading { bucket: "points", limit: None, remaining: Some(0), reset: None };
        limiter.pause(&[("requests", 1), ("points", 5)], &[empty], Duration::from_secs(20));
        take(&limiter, &[("requests", 1)], 1).await.unwrap();
        assert!(take(&limiter, &[("points", 5)], 19).await.is_err());
        advance(Duration::from_secs(20)).await;
        take(&limiter, &[("points", 5)], 1).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_without_readings_pauses_all_that_was_taken_from() {
        let limiter = limiter();
        limiter.pause(&[("requests", 1)], &[], Duration::from_secs(86_400));
        assert_eq!(limiter.status()[0].paused_for, Some(MAX_PENALTY));
        assert_eq!(limiter.status()[1].paused_for, None);
    }
}
