//! Budgets on the fake's clock, in the shapes that vendors have: one that leaks, a window that begins with its first
//! request, one that slides, and a day.
//!
//! A fake keeps a [`RateWindows`] for each rule and asks it for the window of a key: a caller, a workspace, a
//! method and a workspace (`"chat.postMessage/T1"`). Where a request draws on several, [`take_all`] takes from all or
//! none.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::VirtualClock;

/// A budget of so many units in so much time.
pub struct RateWindow {
    limit: u32,
    per: Duration,
    clock: VirtualClock,
    used: Mutex<Used>,
}

/// What was used, as each shape remembers it. Moments are durations since the Unix epoch.
#[derive(Clone)]
enum Used {
    /// How much was used up at a moment; it flows back continuously.
    Leaky { used: f64, at: Duration },
    /// How much was used up since the window began; none until the first request.
    Fixed { used: u32, ends: Option<Duration> },
    /// Each use with its moment, oldest first; it comes back when it is as old as the window.
    Sliding(VecDeque<(Duration, u32)>),
    /// How much was used up until the next midnight there.
    Daily { used: u32, ends: Option<Duration>, zone: TimeZone },
}

impl Used {
    fn leaky(clock: &VirtualClock) -> Self {
        Self::Leaky { used: 0.0, at: clock.now() }
    }

    const fn fixed() -> Self {
        Self::Fixed { used: 0, ends: None }
    }

    const fn sliding() -> Self {
        Self::Sliding(VecDeque::new())
    }

    const fn daily(zone: TimeZone) -> Self {
        Self::Daily { used: 0, ends: None, zone }
    }
}

impl RateWindow {
    /// A budget that refills continuously: `limit` units per `per`, never more than `limit` at once. `per` must not
    /// be zero.
    #[must_use]
    pub fn new(clock: &VirtualClock, limit: u32, per: Duration) -> Self {
        Self::of(clock, limit, per, Used::leaky(clock))
    }

    /// A budget that is whole again all at once, `per` after the second of its first use.
    #[must_use]
    pub fn fixed(clock: &VirtualClock, limit: u32, per: Duration) -> Self {
        Self::of(clock, limit, per, Used::fixed())
    }

    /// No more than `limit` units in any span of `per`.
    #[must_use]
    pub fn sliding(clock: &VirtualClock, limit: u32, per: Duration) -> Self {
        Self::of(clock, limit, per, Used::sliding())
    }

    /// A budget that is whole again at each midnight of `zone`.
    #[must_use]
    pub fn daily(clock: &VirtualClock, limit: u32, zone: TimeZone) -> Self {
        Self::of(clock, limit, DAY, Used::daily(zone))
    }

    fn of(clock: &VirtualClock, limit: u32, per: Duration, used: Used) -> Self {
        Self { limit, per, clock: clock.clone(), used: Mutex::new(used) }
    }

    /// Takes `n` units. `Ok` tells how many whole units are left; `Err` how long until there are
    /// `n`, and nothing was taken. More than the whole budget waits for the whole budget.
    pub fn take(&self, n: u32) -> Result<u32, Duration> {
        self.with(|used, now| {
            let left = self.left(used);
            if n <= left {
                match used {
                    Used::Leaky { used, .. } => *used += f64::from(n),
                    Used::Fixed { used, ends } => {
                        *used += n;
                        ends.get_or_insert(self.end(now));
                    }
                    Used::Daily { used, ends, zone } => {
                        *used += n;
                        ends.get_or_insert_with(|| midnight(now, zone));
                    }
                    Used::Sliding(uses) => uses.push_back((now, n)),
                }
                return Ok(self.left(used));
            }
            Err(whole_millis(self.wait(used, now, n)))
        })
    }

    /// Gives back `n` units, as if the last request had not been made: for what turns out to cost nothing.
    pub fn give_back(&self, n: u32) {
        self.with(|used, _| match used {
            Used::Leaky { used, .. } => *used = (*used - f64::from(n)).max(0.0),
            Used::Fixed { used, .. } | Used::Daily { used, .. } => *used = used.saturating_sub(n),
            Used::Sliding(uses) => {
                let mut n = n;
                while let Some((_, last)) = uses.back_mut().filter(|_| n > 0) {
                    let back = n.min(*last);
                    (*last, n) = (*last - back, n - back);
                    if *last == 0 {
                        uses.pop_back();
                    }
                }
            }
        });
    }

    /// How many whole units are left.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.with(|used, _| self.left(used))
    }

    /// The most there can be.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// The moment at which the budget will be full again, as a duration since the Unix epoch. A fixed window or a
    /// day that has not begun ends as if it began now; of the other shapes it is now if nothing is used.
    #[must_use]
    pub fn reset(&self) -> Duration {
        self.with(|used, now| match used {
            Used::Leaky { used, at } => *at + self.refill(*used),
            Used::Fixed { ends, .. } => ends.unwrap_or(self.end(now)),
            Used::Daily { ends, zone, .. } => ends.unwrap_or_else(|| midnight(now, zone)),
            Used::Sliding(uses) => uses.back().map_or(now, |(at, _)| *at + self.per),
        })
    }

    /// Leaves only `remaining` units, for tests of what happens near the end.
    pub fn set_remaining(&self, remaining: u32) {
        let spent = self.limit.saturating_sub(remaining);
        self.with(|used, now| match used {
            Used::Leaky { used, .. } => *used = f64::from(spent),
            Used::Fixed { used, ends } => {
                *used = spent;
                ends.get_or_insert(self.end(now));
            }
            Used::Daily { used, ends, zone } => {
                *used = spent;
                ends.get_or_insert_with(|| midnight(now, zone));
            }
            Used::Sliding(uses) => {
                uses.clear();
                uses.push_back((now, spent));
            }
        });
    }

    fn left(&self, used: &Used) -> u32 {
        match used {
            Used::Leaky { used, .. } => whole(f64::from(self.limit) - used),
            Used::Fixed { used, .. } | Used::Daily { used, .. } => self.limit.saturating_sub(*used),
            Used::Sliding(uses) => self.limit.saturating_sub(uses.iter().map(|(_, n)| n).sum()),
        }
    }

    /// How long it takes until there are `n` units; there are fewer now.
    fn wait(&self, used: &Used, now: Duration, n: u32) -> Duration {
        match used {
            Used::Leaky { used, .. } => {
                let missing = used + f64::from(n) - f64::from(self.limit);
                self.refill(missing.min(*used))
            }
            Used::Fixed { ends, .. } => ends.map_or(self.per, |ends| ends.saturating_sub(now)),
            Used::Daily { ends, zone, .. } => ends.unwrap_or_else(|| midnight(now, zone)).saturating_sub(now),
            Used::Sliding(uses) => {
                let mut missing = n.saturating_sub(self.left(used));
                let last = uses.iter().find(|(_, taken)| {
                    missing = missing.saturating_sub(*taken);
                    missing == 0
                });
                let (at, _) = last.or(uses.back()).copied().unwrap_or((now, 0));
                (at + self.per).saturating_sub(now)
            }
        }
    }

    /// When a fixed window ends that begins now. Vendors tell whole seconds, so it begins with the second it is in: who
    /// waits until the told second has waited long enough.
    fn end(&self, now: Duration) -> Duration {
        Duration::from_secs(now.as_secs()) + self.per
    }

    /// How long it takes for `units` to flow back; whole milliseconds, rounded up.
    fn refill(&self, units: f64) -> Duration {
        let millis = units / f64::from(self.limit) * self.per.as_secs_f64() * 1000.0;
        Duration::from_millis(millis.ceil() as u64)
    }

    /// Looks at what is used now, with everything that has come back.
    fn with<T>(&self, look: impl FnOnce(&mut Used, Duration) -> T) -> T {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        match &mut *used {
            Used::Leaky { used, at } => {
                let passed = now.saturating_sub(*at).as_secs_f64() / self.per.as_secs_f64();
                *used = (*used - passed * f64::from(self.limit)).max(0.0);
                *at = now;
            }
            Used::Fixed { used, ends } | Used::Daily { used, ends, .. } => {
                if ends.is_some_and(|ends| now >= ends) {
                    (*used, *ends) = (0, None);
                }
            }
            Used::Sliding(uses) => {
                while uses.front().is_some_and(|(at, _)| now >= *at + self.per) {
                    uses.pop_front();
                }
            }
        }
        look(&mut used, now)
    }
}

impl fmt::Debug for RateWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RateWindow({} of {} per {:?})", self.remaining(), self.limit, self.per)
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Whole units, with a hair's tolerance, so that waiting the told time is always enough.
fn whole(units: f64) -> u32 {
    (units + 1e-6).max(0.0) as u32
}

/// Rounded up to the millisecond, to which clocks are moved.
fn whole_millis(wait: Duration) -> Duration {
    let more = !wait.subsec_nanos().is_multiple_of(1_000_000);
    Duration::from_millis(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(more.into()))
}

/// The midnight after `now`; a day later where the calendar ends.
fn midnight(now: Duration, zone: &TimeZone) -> Duration {
    let next = || {
        let now = Timestamp::from_second(i64::try_from(now.as_secs()).ok()?).ok()?.to_zoned(zone.clone());
        let next = now.date().checked_add(1.day()).ok()?.to_zoned(zone.clone()).ok()?;
        u64::try_from(next.timestamp().as_second()).ok().map(Duration::from_secs)
    };
    next().unwrap_or(now + DAY)
}

/// Takes `n` of every window, or of none: the index of the first that has not enough, and how long until it has.
pub fn take_all(windows: &[&RateWindow], n: u32) -> Result<(), (usize, Duration)> {
    for (index, window) in windows.iter().enumerate() {
        if let Err(wait) = window.take(n) {
            windows[..index].iter().for_each(|taken| taken.give_back(n));
            return Err((index, wait));
        }
    }
    Ok(())
}

/// The same budget for each of many callers.
pub struct RateWindows {
    clock: VirtualClock,
    limit: u32,
    per: Duration,
    fresh: Used,
    windows: Mutex<HashMap<String, Arc<RateWindow>>>,
}

impl RateWindows {
    /// Budgets of `limit` units per `per`, one for each caller, that refill continuously.
    #[must_use]
    pub fn new(clock: &VirtualClock, limit: u32, per: Duration) -> Self {
        Self::shaped(clock, limit, per, Used::leaky(clock))
    }

    /// The same as [`RateWindow::fixed`] is.
    #[must_use]
    pub fn fixed(clock: &VirtualClock, limit: u32, per: Duration) -> Self {
        Self::shaped(clock, limit, per, Used::fixed())
    }

    /// The same as [`RateWindow::sliding`] is.
    #[must_use]
    pub fn sliding(clock: &VirtualClock, limit: u32, per: Duration) -> Self {
        Self::shaped(clock, limit, per, Used::sliding())
    }

    /// The same as [`RateWindow::daily`] is.
    #[must_use]
    pub fn daily(clock: &VirtualClock, limit: u32, zone: TimeZone) -> Self {
        Self::shaped(clock, limit, DAY, Used::daily(zone))
    }

    fn shaped(clock: &VirtualClock, limit: u32, per: Duration, fresh: Used) -> Self {
        Self { clock: clock.clone(), limit, per, fresh, windows: Mutex::default() }
    }

    /// The budget of `key`: a caller, a workspace, a method and a workspace.
    #[must_use]
    pub fn of(&self, key: &str) -> Arc<RateWindow> {
        self.of_limit(key, self.limit)
    }

    /// The same for one whose budget is another: nobody in particular, a smaller plan. What it was when it was first
    /// asked for stays.
    #[must_use]
    pub fn of_limit(&self, key: &str, limit: u32) -> Arc<RateWindow> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(RateWindow::of(&self.clock, limit, self.per, self.fresh.clone()));
        Arc::clone(windows.entry(key.to_owned()).or_insert_with(fresh))
    }

    /// Fills every budget again.
    pub fn clear(&self) {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl fmt::Debug for RateWindows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "RateWindows({} of {} per {:?})", windows.len(), self.limit, self.per)
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

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_fixed_window_begins_with_its_first_use_and_ends_all_at_once() {
        let clock = VirtualClock::new();
        let window = RateWindow::fixed(&clock, 3, MINUTE);
        clock.advance(10 * MINUTE);
        assert_eq!(window.take(1), Ok(2));
        clock.advance(MINUTE / 2);
        assert_eq!(window.take(2), Ok(0));
        let wait = window.take(1).unwrap_err();
        assert_eq!(wait.as_secs_f64().ceil() as u64, 30, "nothing flows back meanwhile");
        assert_eq!(window.reset().subsec_nanos(), 0, "whole seconds are told");
        assert!(window.reset() - clock.now() <= wait);
        clock.advance(wait);
        assert_eq!(window.remaining(), 3);
        window.set_remaining(1);
        window.give_back(1);
        assert_eq!((window.take(2), window.take(1).is_err()), (Ok(0), true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sliding_window_gives_back_what_is_old() {
        let clock = VirtualClock::new();
        let window = RateWindow::sliding(&clock, 4, MINUTE);
        window.take(3).unwrap();
        clock.advance(MINUTE / 2);
        assert_eq!(window.take(1), Ok(0));
        assert_eq!(window.take(2), Err(MINUTE / 2), "the three go first");
        assert_eq!(window.take(4), Err(MINUTE), "and then the one");
        clock.advance(MINUTE / 2);
        assert_eq!(window.remaining(), 3);
        window.give_back(1);
        assert_eq!(window.remaining(), 4);
        assert_eq!(window.reset(), clock.now());
    }

    #[tokio::test(start_paused = true)]
    async fn a_day_ends_at_midnight_of_its_zone() {
        let clock = VirtualClock::new();
        let zone = TimeZone::fixed(jiff::tz::offset(-5));
        let window = RateWindow::daily(&clock, 2, zone.clone());
        window.take(2).unwrap();
        let wait = window.take(1).unwrap_err();
        assert!(wait <= DAY && !wait.is_zero());
        let seconds = i64::try_from(window.reset().as_secs()).unwrap();
        let at = Timestamp::from_second(seconds).unwrap().to_zoned(zone);
        assert_eq!((at.hour(), at.minute(), at.second()), (0, 0, 0));
        clock.advance(wait);
        assert_eq!(window.take(1), Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn several_windows_are_drawn_on_together_or_not_at_all() {
        let clock = VirtualClock::new();
        let second = RateWindow::fixed(&clock, 5, Duration::from_secs(1));
        let day = RateWindow::fixed(&clock, 3, DAY);
        assert_eq!(take_all(&[&second, &day], 3), Ok(()));
        let (which, wait) = take_all(&[&second, &day], 1).unwrap_err();
        assert!(which == 1 && wait <= DAY && wait > DAY - Duration::from_secs(1));
        assert_eq!(second.remaining(), 2, "what the first gave is back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_may_have_a_budget_of_its_own() {
        let windows = RateWindows::fixed(&VirtualClock::new(), 5_000, MINUTE);
        assert_eq!(windows.of_limit("nobody", 60).limit(), 60);
        assert_eq!(windows.of("chat.postMessage/T1").limit(), 5_000);
    }
}
