//! Counts what is left of a published budget: refilled evenly, or in windows.

use std::{collections::VecDeque, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::Instant;

use super::Budget;
use crate::clock;

/// What counts the published budget.
pub(super) enum Meter {
    Even(RateLimiter<NotKeyed, InMemoryState, Metronome, NoOpMiddleware<Duration>>),
    Window(Window),
}

impl Meter {
    pub(super) fn new(budget: &Budget, in_windows: bool) -> Self {
        if in_windows {
            return Self::Window(Window { limit: budget.limit, per: budget.per, taken: VecDeque::new() });
        }
        let limit = budget.limit.max(1);
        let burst = NonZeroU32::new(budget.burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(budget.per / limit)
            .unwrap_or_else(|| Quota::per_second(NonZeroU32::MAX))
            .allow_burst(burst);
        Self::Even(RateLimiter::direct_with_clock(quota, Metronome))
    }

    /// Takes `cost`, or says how long to wait for it; nothing where it never fits.
    pub(super) fn take(&mut self, now: Instant, cost: NonZeroU32) -> Option<Result<(), Duration>> {
        match self {
            Self::Even(meter) => match meter.check_n(cost).ok()? {
                Ok(()) => Some(Ok(())),
                Err(not_until) => Some(Err(not_until.wait_time_from(Metronome.now()))),
            },
            Self::Window(window) => window.take(now, cost.get()),
        }
    }

    /// Goes on with another limit. An even meter starts full; a window knows what it has given.
    pub(super) fn resize(&mut self, budget: &Budget) {
        match self {
            Self::Even(_) => *self = Self::new(budget, false),
            Self::Window(window) => window.limit = budget.limit,
        }
    }
}

/// A budget of so many units in any one period. Where the vendor's own window begins is not known, so none of
/// any length may hold more.
pub(super) struct Window {
    limit: u32,
    per: Duration,
    /// What was taken within the last period, oldest first.
    taken: VecDeque<(Instant, u32)>,
}

impl Window {
    fn take(&mut self, now: Instant, cost: u32) -> Option<Result<(), Duration>> {
        if cost > self.limit {
            return None;
        }
        while self.taken.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) >= self.per) {
            self.taken.pop_front();
        }
        let wait = self.wait_for(now, cost);
        if !wait.is_zero() {
            return Some(Err(wait));
        }
        self.taken.push_back((now, cost));
        Some(Ok(()))
    }

    /// How long until `units` have been there, as many in one period as fit.
    pub(super) fn wait_for(&self, now: Instant, units: u32) -> Duration {
        let limit = self.limit.max(1);
        let periods = units.saturating_sub(1) / limit;
        let units = units - periods * limit;
        let used: u32 = self.taken.iter().map(|(_, cost)| cost).sum();
        let mut missing = (used + units).saturating_sub(limit);
        let mut wait = Duration::ZERO;
        for (at, cost) in &self.taken {
            if missing == 0 {
                break;
            }
            missing = missing.saturating_sub(*cost);
            wait = (*at + self.per).saturating_duration_since(now);
        }
        wait + self.per * periods
    }
}

/// Tokio's time for governor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metronome;

impl Clock for Metronome {
    type Instant = Duration;

    fn now(&self) -> Duration {
        clock::wall()
    }
}
