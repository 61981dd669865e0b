//! Counts what is left of a published budget: refilled evenly, or in windows.

use std::{collections::VecDeque, num::NonZeroU32, time::Duration};

use tokio::time::Instant;

use super::Budget;

/// What counts the published budget.
pub(super) enum Meter {
    Even(Even),
    Window(Window),
}

impl Meter {
    pub(super) fn new(budget: &Budget, in_windows: bool) -> Self {
        if in_windows {
            return Self::Window(Window { limit: budget.limit, per: budget.per, taken: VecDeque::new() });
        }
        Self::Even(Even { unit: budget.per / budget.limit.max(1), burst: budget.burst.max(1), full_at: None })
    }

    /// Takes `cost` if `reserve` is left after that, or says how long to wait for it; nothing where it never fits.
    pub(super) fn take(
        &mut self,
        now: Instant,
        cost: NonZeroU32,
        reserve: u32,
    ) -> Option<Result<(), Duration>> {
        match self {
            Self::Even(even) => even.take(now, cost.get(), reserve),
            Self::Window(window) => window.take(now, cost.get(), reserve),
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

/// A budget that is refilled a unit at a time. All that must be known is when it will be full again (GCRA).
pub(super) struct Even {
    /// How long one unit takes.
    unit: Duration,
    burst: u32,
    full_at: Option<Instant>,
}

impl Even {
    fn take(&mut self, now: Instant, cost: u32, reserve: u32) -> Option<Result<(), Duration>> {
        let reserve = reserve.min(self.burst.checked_sub(cost)?);
        let full_at = self.full_at.map_or(now, |at| at.max(now)) + self.unit * cost;
        let wait = (full_at + self.unit * reserve).saturating_duration_since(now + self.unit * self.burst);
        if !wait.is_zero() {
            return Some(Err(wait));
        }
        self.full_at = Some(full_at);
        Some(Ok(()))
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
    fn take(&mut self, now: Instant, cost: u32, reserve: u32) -> Option<Result<(), Duration>> {
        let reserve = reserve.min(self.limit.checked_sub(cost)?);
        while self.taken.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) >= self.per) {
            self.taken.pop_front();
        }
        let wait = self.wait_for(now, cost + reserve);
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
