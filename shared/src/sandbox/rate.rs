//! Leaky buckets on the fake's clock.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::VirtualClock;

/// A budget that refills continuously: `limit` units per `per`, never more than `limit` at once.
pub struct RateWindow {
    limit: u32,
    per: Duration,
    clock: VirtualClock,
    level: Mutex<Level>,
}

/// How much was used up, at which moment.
struct Level {
    used: f64,
    at: Duration,
}

impl RateWindow {
    /// A full budget. `per` must not be zero.
    #[must_use]
    pub fn new(clock: &VirtualClock, limit: u32, per: Duration) -> Self {
        let level = Mutex::new(Level { used: 0.0, at: clock.now() });
        Self { limit, per, clock: clock.clone(), level }
    }

    /// Takes `n` units. `Ok` tells how many whole units are left; `Err` how long until there are
    /// `n`, and nothing was taken. More than the whole budget waits for the whole budget.
    pub fn take(&self, n: u32) -> Result<u32, Duration> {
        self.with(|level| {
            let (limit, n) = (f64::from(self.limit), f64::from(n));
            let missing = level.used + n - limit;
            // A hair's tolerance, so that waiting the told time is always enough.
            if missing <= 1e-6 {
                level.used += n;
                return Ok(whole(limit - level.used));
            }
            Err(self.refill(missing.min(level.used)))
        })
    }

    /// How many whole units are left.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.with(|level| whole(f64::from(self.limit) - level.used))
    }

    /// The most there can be.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// The moment at which the budget will be full again, as a duration since the Unix epoch.
    #[must_use]
    pub fn reset(&self) -> Duration {
        self.with(|level| level.at + self.refill(level.used))
    }

    /// Leaves only `remaining` units, for tests of what happens near the end.
    pub fn set_remaining(&self, remaining: u32) {
        self.with(|level| level.used = f64::from(self.limit.saturating_sub(remaining)));
    }

    /// How long it takes for `units` to flow back; whole milliseconds, rounded up.
    fn refill(&self, units: f64) -> Duration {
        let millis = units / f64::from(self.limit) * self.per.as_secs_f64() * 1000.0;
        Duration::from_millis(millis.ceil() as u64)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Level) -> T) -> T {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let passed = now.saturating_sub(level.at);
        level.used =
            (level.used - passed.as_secs_f64() / self.per.as_secs_f64() * f64::from(self.limit)).max(0.0);
        level.at = now;
        look(&mut level)
    }
}

impl fmt::Debug for RateWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RateWindow({} of {} per {:?})", self.remaining(), self.limit, self.per)
    }
}

/// Whole units, with the same tolerance as in `take`.
fn whole(units: f64) -> u32 {
    (units + 1e-6).max(0.0) as u32
}

/// The same budget for each of many callers.
#[derive(Debug)]
pub struct RateWindows {
    clock: VirtualClock,
    limit: u32,
    per: Duration,
    windows: Mutex<HashMap<String, Arc<RateWindow>>>,
}

impl RateWindows {
    /// Budgets of `limit` units per `per`, one for each caller.
    #[must_use]
    pub fn new(clock: &VirtualClock, limit: u32, per: Duration) -> Self {
        Self { clock: clock.clone(), limit, per, windows: Mutex::default() }
    }

    /// The budget of `caller`.
    #[must_use]
    pub fn of(&self, caller: &str) -> Arc<RateWindow> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(RateWindow::new(&self.clock, self.limit, self.per));
        Arc::clone(windows.entry(caller.to_owned()).or_insert_with(fresh))
    }

    /// Fills every budget again.
    pub fn clear(&self) {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_budget_runs_out_and_flows_back() {
        let clock = VirtualClock::new();
        let window = RateWindow::new(&clock, 30, Duration::from_secs(60));
        assert_eq!(window.take(29), Ok(1));
        assert_eq!(window.take(2), Err(Duration::from_secs(2)), "nothing is taken when it does not suffice");
        assert_eq!(window.take(1), Ok(0));
        assert_eq!(window.take(1), Err(Duration::from_secs(2)));
        assert_eq!(window.reset() - clock.now(), Duration::from_secs(60));
        clock.advance(Duration::from_secs(2));
        assert_eq!(window.take(1), Ok(0));
        clock.advance(Duration::from_secs(600));
        assert_eq!(window.remaining(), 30);
        assert_eq!(window.reset(), clock.now());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_the_told_time_is_enough() {
        let clock = VirtualClock::new();
        let window = RateWindow::new(&clock, 7, Duration::from_secs(60));
        for _ in 0..50 {
            while window.take(1).is_ok() {}
            let wait = window.take(1).unwrap_err();
            clock.advance(wait);
            assert!(window.take(1).is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn callers_do_not_share_a_budget() {
        let windows = RateWindows::new(&VirtualClock::new(), 2, Duration::from_secs(60));
        windows.of("ada").set_remaining(0);
        assert!(windows.of("ada").take(1).is_err());
        assert_eq!(windows.of("ben").take(1), Ok(1));
        windows.clear();
        assert_eq!(windows.of("ada").remaining(), 2);
    }
}
