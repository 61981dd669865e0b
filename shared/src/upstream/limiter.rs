//! Keeps our own pace within the vendor's budgets, so that the vendor need not refuse.
//!
//! Three things are known of a bucket, and a request waits for the strictest:
//!
//! - the *published budget*, metered here from the first request on: refilled evenly (GCRA), or in
//!   windows where the vendor [counts so](super::Vendor::counts_in_windows);
//! - what the vendor *told* in its last answer (limit, remaining, reset), which also counts what
//!   other processes spend on the same credential. It is taken to refill evenly until its reset;
//! - a *penalty* after a refusal: nothing more until the moment that the vendor named.
//!
//! A budget may be one for each thing of a kind (messages in one channel): then every key has a bucket of its
//! own, made when it is first used.
//!
//! Requests that wait for a bucket take [turns](super::turns), one of each caller. A request waits at most
//! until its deadline. If its turn would come later it fails at once and says when that would have been,
//! those who wait before it counted.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Budget, Reading,
    bucket::BucketStatus,
    call::{self, Lane},
    turns::{Queued, State},
};
use crate::{Error, Kind, Result, Retry, clock};

/// The longest time for which one refusal stops us without asking again, unless the budget itself is one of a longer
/// time. A vendor may name a day; it may also mean it less than it says, and asking once an hour harms nobody.
const MAX_PENALTY: Duration = Duration::from_secs(3600);

/// For how long a refusal that names `wait` stops a bucket with this period.
fn penalty(wait: Duration, per: Duration) -> Duration {
    wait.min(MAX_PENALTY.max(per))
}

pub(super) struct Limiter {
    buckets: HashMap<&'static str, Queued>,
    /// The buckets' names as the vendor lists them.
    order: Vec<&'static str>,
    /// Buckets of single keys, by budget and key, and when each was last used.
    keyed: Mutex<HashMap<Keyed, (Arc<Queued>, Instant)>>,
}

/// A budget and the key of which it is.
pub(super) type Keyed = (&'static str, String);

/// So many keys' buckets are kept before those that are full again are let go.
const KEYS: usize = 1_000;

impl Limiter {
    /// A limiter of these budgets, of which `in_windows` tells those that are counted so.
    pub(super) fn new(budgets: Vec<Budget>, in_windows: impl Fn(&str) -> bool) -> Self {
        let order = budgets.iter().map(|budget| budget.bucket).collect();
        let queued = |budget: Budget| (budget.bucket, Queued::new(budget, in_windows(budget.bucket)));
        Self { buckets: budgets.into_iter().map(queued).collect(), order, keyed: Mutex::default() }
    }

    /// Takes one unit of the key's bucket, if there is one, and `costs` from theirs, one bucket after the
    /// other, waiting until `deadline` at most.
    ///
    /// What was taken before a later bucket failed is not given back: it refills by itself, and the
    /// other order would let a request through half paid.
    pub(super) async fn take(
        &self,
        title: &str,
        costs: &[(&'static str, u32)],
        keyed: Option<&Keyed>,
        deadline: Instant,
    ) -> Result<()> {
        let lane: Lane = call::lane();
        if let Some(queued) = keyed.and_then(|keyed| self.of_key(keyed)) {
            queued.take(title, 1, lane.clone(), deadline).await?;
        }
        for &(name, cost) in costs {
            if let Some(queued) = self.buckets.get(name) {
                queued.take(title, cost, lane.clone(), deadline).await?;
            }
        }
        Ok(())
    }

    /// Corrects the buckets by what an answer told.
    pub(super) fn learn(&self, readings: &[Reading]) {
        for reading in readings {
            if let Some(mut state) = self.bucket(reading.bucket) {
                state.bucket.learn(reading);
            }
        }
    }

    /// The bucket of a key, new if it is the key's first request for long.
    fn of_key(&self, keyed: &Keyed) -> Option<Arc<Queued>> {
        let budget = self.bucket(keyed.0)?.bucket.budget;
        let mut all = self.keyed.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEYS {
            all.retain(|_, (queued, used)| used.elapsed() < budget.per || queued.state().bucket.is_paused());
        }
        let entry = all.entry(keyed.clone());
        let (queued, used) = entry.or_insert_with(|| (Arc::new(Queued::new(budget, false)), Instant::now()));
        *used = Instant::now();
        Some(Arc::clone(queued))
    }

    /// Stops the bucket of a refused request's key for `wait`: other keys go on.
    pub(super) fn pause_key(&self, keyed: &Keyed, wait: Duration) {
        if let Some(queued) = self.of_key(keyed) {
            let mut state = queued.state();
            let penalty = penalty(wait, state.bucket.budget.per);
            state.bucket.pause(Instant::now() + penalty);
        }
    }

    /// Stops the buckets of a refused request for `wait`: the one that the vendor `named`, those that it shows as
    /// empty, or else all that the request took from. Gives their names.
    pub(super) fn pause(
        &self,
        costs: &[(&'static str, u32)],
        readings: &[Reading],
        named: Option<&str>,
        wait: Duration,
    ) -> Vec<&'static str> {
        let named = named.filter(|named| costs.iter().any(|(name, _)| name == named));
        let short = |name: &str, cost: u32| {
            if let Some(named) = named {
                return name == named;
            }
            let told = readings.iter().find(|reading| reading.bucket == name);
            told.and_then(|reading| reading.remaining).is_some_and(|remaining| remaining < cost)
        };
        let blamed = costs.iter().any(|&(name, cost)| short(name, cost));
        let paused = costs.iter().filter(|&&(name, cost)| !blamed || short(name, cost));
        let paused: Vec<_> = paused.map(|(name, _)| *name).collect();
        for name in &paused {
            self.pause_bucket(name, wait);
        }
        paused
    }

    /// Stops a bucket for `wait`.
    pub(super) fn pause_bucket(&self, name: &str, wait: Duration) {
        if let Some(mut state) = self.bucket(name) {
            let penalty = penalty(wait, state.bucket.budget.per);
            state.bucket.pause(Instant::now() + penalty);
        }
    }

    pub(super) fn status(&self) -> Vec<BucketStatus> {
        self.order.iter().filter_map(|name| Some(self.bucket(name)?.bucket.status())).collect()
    }

    fn bucket(&self, name: &str) -> Option<MutexGuard<'_, State>> {
        Some(self.buckets.get(name)?.state())
    }
}

/// The error for a budget that is used up, which has more after `wait`.
pub(super) fn used_up(title: &str, bucket: &str, wait: Duration) -> Error {
    Error::new(Kind::RateLimited, format!("{title}'s budget of {bucket} is used up for now"))
        .with_hint("Wait, or ask for less")
        .with_retry(Retry::NotExecuted)
        .with_retry_after(wait)
        .with_own_budget()
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

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep, timeout_at};

    use super::*;

    const REQUESTS: Budget = Budget { bucket: "requests", limit: 60, per: Duration::from_secs(60), burst: 3 };
    const POINTS: Budget =
        Budget { bucket: "points", limit: 6000, per: Duration::from_secs(60), burst: 6000 };

    fn limiter() -> Limiter {
        Limiter::new(vec![REQUESTS, POINTS], |_| false)
    }

    fn within(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    async fn take(limiter: &Limiter, costs: &[(&'static str, u32)], seconds: u64) -> Result<()> {
        limiter.take("Linear", costs, None, within(seconds)).await
    }

    #[tokio::test(start_paused = true)]
    async fn each_key_of_a_budget_has_a_bucket_and_a_penalty_of_its_own() {
        let limiter = limiter();
        let [one, other] = ["C1", "C2"].map(|key| ("requests", key.to_owned()));
        let post = async |key: &Keyed| {
            let started = Instant::now();
            limiter.take("Slack", &[], Some(key), within(30)).await.map(|()| started.elapsed().as_secs())
        };
        for waited in [0, 0, 0, 1] {
            assert_eq!(post(&one).await.unwrap(), waited);
        }
        assert_eq!(post(&other).await.unwrap(), 0);
        limiter.pause_key(&one, Duration::from_secs(90));
        let refused = post(&one).await.unwrap_err();
        assert_eq!(refused.retry_after(), Some(Duration::from_secs(90)));
        assert_eq!(post(&other).await.unwrap(), 0);
        take(&limiter, &[("requests", 3), ("points", 1)], 1).await.unwrap();
        for key in 0..2 * KEYS {
            post(&("requests", format!("D{key}"))).await.unwrap();
            advance(REQUESTS.per).await;
        }
        assert!(limiter.keyed.lock().unwrap().len() <= KEYS, "keys that nobody uses are let go");
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
        assert!(error.is_own_budget());
        let wait = error.retry_after().unwrap();
        assert!((39..=40).contains(&wait.as_secs()), "{wait:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_served_in_turn_and_who_would_wait_in_vain_is_told_the_true_time() {
        let limiter = std::sync::Arc::new(limiter());
        let started = Instant::now();
        // 3 at once, then one a second: the 33rd has its turn after 30 seconds.
        let calls = (0..40).map(|number| {
            let limiter = std::sync::Arc::clone(&limiter);
            async move {
                // Each comes a little after the one before.
                sleep(Duration::from_millis(number)).await;
                let taken = take(&limiter, &[("requests", 1)], 30).await;
                (number, started.elapsed(), taken)
            }
        });
        let ended = futures::future::join_all(calls).await;
        let mut times = ended.iter().filter(|(.., taken)| taken.is_ok()).map(|(_, at, _)| *at);
        assert!(times.clone().is_sorted(), "nobody overtakes: {:?}", times.collect::<Vec<_>>());
        assert!((31..=33).contains(&times.clone().count()), "{}", times.count());
        assert!(times.all(|at| at < Duration::from_secs(31)));
        for (number, at, taken) in &ended {
            let Err(error) = taken else { continue };
            // Nobody waits in vain, and who comes back at the time that was named finds its turn.
            assert!(at.as_secs() < 1, "{number} waited {at:?}");
            let named = error.retry_after().unwrap().as_secs();
            assert!((29..=34).contains(&named), "{number}: {named}");
        }
        advance(Duration::from_secs(60)).await;
        take(&limiter, &[("requests", 1)], 1).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_leaves_the_queue() {
        let limiter = limiter();
        for _ in 0..3 {
            take(&limiter, &[("requests", 1)], 30).await.unwrap();
        }
        let away = timeout_at(within(0), take(&limiter, &[("requests", 1)], 30)).await;
        assert!(away.is_err());
        let started = Instant::now();
        take(&limiter, &[("requests", 1)], 30).await.unwrap();
        assert!(started.elapsed().as_millis() <= 1_001, "{:?}", started.elapsed());
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
        limiter.pause(&[("requests", 1), ("points", 5)], &[empty], None, Duration::from_secs(20));
        take(&limiter, &[("requests", 1)], 1).await.unwrap();
        assert!(take(&limiter, &[("points", 5)], 19).await.is_err());
        advance(Duration::from_secs(20)).await;
        take(&limiter, &[("points", 5)], 1).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_gives_its_limit_at_once_and_nothing_more_within_its_period() {
        let limiter = std::sync::Arc::new(Limiter::new(vec![REQUESTS], |_| true));
        let started = Instant::now();
        let calls = (0..150).map(|number| {
            let limiter = std::sync::Arc::clone(&limiter);
            async move {
                sleep(Duration::from_millis(number)).await;
                take(&limiter, &[("requests", 1)], 130).await.map(|()| started.elapsed())
            }
        });
        let ended = futures::future::join_all(calls).await;
        let mut times: Vec<Duration> = ended.into_iter().map(Result::unwrap).collect();
        times.sort_unstable();
        for window in times.windows(61) {
            assert!(window[60] - window[0] >= Duration::from_secs(60), "61 within a minute: {window:?}");
        }
        assert!(times[59] < Duration::from_secs(1), "a burst is what windows allow");
        assert!(times[149] < Duration::from_secs(122), "{:?}", times[149]);
        // Who would wait in vain is told at once, and truly.
        let error = take(&limiter, &[("requests", 60)], 30).await.unwrap_err();
        let named = error.retry_after().unwrap().as_secs();
        assert!((58..=60).contains(&named), "{named}");
        assert_eq!(take(&limiter, &[("requests", 61)], 30).await.unwrap_err().kind(), Kind::InvalidArgument);
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_that_a_refusal_names_is_the_only_one_that_is_waited_for() {
        let unpublished = Budget { bucket: "workspace", limit: 0, per: Duration::from_secs(60), burst: 0 };
        let limiter = Limiter::new(vec![REQUESTS, unpublished], |_| false);
        let both = [("requests", 1), ("workspace", 1)];
        for _ in 0..3 {
            take(&limiter, &both, 1).await.unwrap();
        }
        limiter.pause(&both, &[], Some("workspace"), Duration::from_secs(90));
        assert_eq!(limiter.status()[0].paused_for, None);
        let error = take(&limiter, &both, 30).await.unwrap_err();
        // Less the moment for which the other budget was waited for.
        let wait = error.retry_after().unwrap();
        assert!((89..=90).contains(&wait.as_secs()), "{wait:?}");
        advance(Duration::from_secs(90)).await;
        take(&limiter, &both, 1).await.unwrap();
        // A name that the request takes nothing from means all.
        limiter.pause(&[("requests", 1)], &[], Some("workspace"), Duration::from_secs(9));
        assert!(limiter.status()[0].paused_for.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_without_readings_pauses_all_that_was_taken_from() {
        let limiter = limiter();
        limiter.pause(&[("requests", 1)], &[], None, Duration::from_secs(86_400));
        assert_eq!(limiter.status()[0].paused_for, Some(MAX_PENALTY));
        assert_eq!(limiter.status()[1].paused_for, None);
        // What is counted by the day may be over until its end.
        let daily = Budget { bucket: "day", limit: 9, per: Duration::from_secs(86_400), burst: 9 };
        let limiter = Limiter::new(vec![daily], |_| false);
        limiter.pause(&[("day", 1)], &[], None, Duration::from_secs(50_000));
        assert_eq!(limiter.status()[0].paused_for, Some(Duration::from_secs(50_000)));
    }
}
