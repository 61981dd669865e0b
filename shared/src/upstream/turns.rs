//! Those who wait for one of the vendor's budgets, and whose turn it is.
//!
//! Of those who wait goes first, in this order: whoever is asked for by a person now, before what runs in the
//! background; whoever has used less than their share of the budget in this period; the caller who has been given least
//! since somebody began to wait; whoever came first. So a caller who asks a hundred times as much as another waits for
//! himself. Who has used more than their share leaves a tenth of the budget to the others, also while none of them is
//! there.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout_at},
};

use super::{Budget, bucket::Bucket, call::Lane, limiter::used_up};
use crate::Result;

/// One in so many units is left to those who have used less than their share.
const LEFT: u32 = 10;

/// A bucket and those who wait for it.
pub(super) struct Queued {
    state: Mutex<State>,
    /// Whenever it may be another's turn.
    changed: Notify,
}

pub(super) struct State {
    pub(super) bucket: Bucket,
    shares: Shares,
    waiting: Vec<Waiter>,
    /// Units that lanes were given since somebody began to wait.
    given: HashMap<Lane, u64>,
    last_id: u64,
}

#[derive(Clone)]
struct Waiter {
    id: u64,
    lane: Lane,
    cost: u32,
}

/// Smaller goes first.
type Rank = (bool, bool, u64, u64);

impl Queued {
    pub(super) fn new(budget: Budget, in_windows: bool) -> Self {
        let state = State {
            bucket: Bucket::new(budget, in_windows),
            shares: Shares { since: Instant::now(), used: HashMap::new() },
            waiting: Vec::new(),
            given: HashMap::new(),
            last_id: 0,
        };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// The state is valid after every statement, so a panic elsewhere does not spoil it.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes `cost` for `lane` when its turn has come, if that is before `deadline`.
    pub(super) async fn take(&self, title: &str, cost: u32, lane: Lane, deadline: Instant) -> Result<()> {
        let place = {
            let mut state = self.state();
            // Whoever comes while others wait is told at once if it would wait in vain.
            let before = state.before(&lane, cost);
            if before > 0 {
                let ready = state.bucket.ready_after(before, cost);
                if Instant::now() + ready >= deadline {
                    return Err(used_up(title, state.bucket.budget.bucket, ready));
                }
            }
            state.last_id += 1;
            let id = state.last_id;
            let others = state.waiting.iter().map(|waiter| state.given_to(&waiter.lane)).min();
            // Who comes later has no claim to what was given before.
            let given = state.given_to(&lane).max(others.unwrap_or_default());
            state.given.insert(lane.clone(), given);
            state.waiting.push(Waiter { id, lane, cost });
            Waiting { queued: self, id }
        };
        // Somebody with less claim may be asleep in its turn.
        self.changed.notify_waiters();
        loop {
            let changed = self.changed.notified();
            let (turn, bucket) = {
                let mut state = self.state();
                (state.turn(title, place.id)?, state.bucket.budget.bucket)
            };
            match turn {
                Turn::Taken => return Ok(()),
                Turn::After(wait) if Instant::now() + wait >= deadline => {
                    return Err(used_up(title, bucket, wait));
                }
                Turn::After(wait) => {
                    tracing::debug!(bucket, wait_ms = wait.as_millis() as u64, "waiting for budget");
                    tokio::select! {
                        () = sleep(wait) => {}
                        () = changed => {}
                    }
                }
                Turn::Others => {
                    if timeout_at(deadline, changed).await.is_err() {
                        let ready = self.state().bucket.ready_after(0, cost);
                        return Err(used_up(title, bucket, ready));
                    }
                }
            }
        }
    }
}

/// How it stands with one that waits.
enum Turn {
    Taken,
    After(std::time::Duration),
    Others,
}

impl State {
    /// Takes for the waiter `id`, if it is its turn and there is enough.
    fn turn(&mut self, title: &str, id: u64) -> Result<Turn> {
        let first = self.waiting.iter().min_by_key(|waiter| self.rank(waiter)).filter(|first| first.id == id);
        let Some(Waiter { lane, cost, .. }) = first.cloned() else { return Ok(Turn::Others) };
        self.shares.renew(&self.bucket.budget);
        let reserve = self.shares.reserve(&lane, &self.bucket.budget);
        let Some(wait) = self.bucket.take(title, cost, reserve)? else {
            self.shares.count(&lane, cost);
            *self.given.entry(lane).or_default() += u64::from(cost);
            return Ok(Turn::Taken);
        };
        self.bucket.next = Some((Instant::now() + wait, cost));
        Ok(Turn::After(wait))
    }

    fn rank(&self, waiter: &Waiter) -> Rank {
        let over = self.shares.reserve(&waiter.lane, &self.bucket.budget) > 0;
        (waiter.lane.is_background(), over, self.given_to(&waiter.lane), waiter.id)
    }

    fn given_to(&self, lane: &Lane) -> u64 {
        self.given.get(lane).copied().unwrap_or_default()
    }

    /// Units that will be given to others before one that comes now for `lane` gets its `cost`.
    fn before(&self, lane: &Lane, cost: u32) -> u32 {
        let class = |lane: &Lane| (lane.is_background(), self.shares.reserve(lane, &self.bucket.budget) > 0);
        let mut wanted: HashMap<&Lane, u32> = HashMap::new();
        for waiter in &self.waiting {
            let units = wanted.entry(&waiter.lane).or_default();
            *units = units.saturating_add(waiter.cost);
        }
        let own = wanted.remove(lane).unwrap_or_default();
        let turn = own.saturating_add(cost);
        let others = wanted.into_iter().map(|(other, units)| match class(other).cmp(&class(lane)) {
            std::cmp::Ordering::Less => units,
            std::cmp::Ordering::Equal => units.min(turn),
            std::cmp::Ordering::Greater => 0,
        });
        others.fold(own, u32::saturating_add)
    }
}

/// One that waits, for as long as it does.
struct Waiting<'a> {
    queued: &'a Queued,
    id: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        {
            let mut state = self.queued.state();
            state.waiting.retain(|waiter| waiter.id != self.id);
            if state.waiting.is_empty() {
                state.given.clear();
            }
        }
        self.queued.changed.notify_waiters();
    }
}

/// What callers have used of a budget in its period.
struct Shares {
    since: Instant,
    used: HashMap<Arc<str>, u32>,
}

impl Shares {
    /// What `lane` must leave of the budget: nothing where one person has it alone.
    fn reserve(&self, lane: &Lane, budget: &Budget) -> u32 {
        let left = budget.burst.min(budget.limit) / LEFT;
        let Some(caller) = lane.caller() else { return if lane.is_background() { left } else { 0 } };
        let current = self.since.elapsed() < budget.per;
        let used = self.used.get(caller).copied().filter(|_| current).unwrap_or_default();
        let callers =
            if current { self.used.len() + usize::from(!self.used.contains_key(caller)) } else { 1 };
        let share = budget.limit / u32::try_from(callers.max(2)).unwrap_or(u32::MAX);
        if lane.is_background() || used >= share.max(1) { left } else { 0 }
    }

    fn count(&mut self, lane: &Lane, cost: u32) {
        let Some(caller) = lane.caller() else { return };
        let used = self.used.entry(Arc::clone(caller)).or_default();
        *used = used.saturating_add(cost);
    }

    /// Begins a new period, if the last one is over.
    fn renew(&mut self, budget: &Budget) {
        if self.since.elapsed() >= budget.per {
            self.since = Instant::now();
            self.used.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::join_all;

    use super::*;

    fn queued(limit: u32, burst: u32) -> Queued {
        Queued::new(Budget { bucket: "requests", limit, per: Duration::from_secs(60), burst }, false)
    }

    async fn take(queued: &Queued, lane: &Lane, seconds: u64) -> Result<Duration> {
        let began = Instant::now();
        let deadline = began + Duration::from_secs(seconds);
        queued.take("Linear", 1, lane.clone(), deadline).await.map(|()| began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_asks_a_hundred_times_as_much_waits_for_himself() {
        let (queued, ada, ben) = (queued(60, 1), Lane::of("ada"), Lane::of("ben"));
        let flood = join_all((0..100).map(|_| take(&queued, &ada, 30)));
        let other = async {
            sleep(Duration::from_millis(1)).await;
            let mut waits = Vec::new();
            for _ in 0..5 {
                waits.push(take(&queued, &ben, 30).await.unwrap().as_secs());
            }
            waits
        };
        let (flood, waits) = tokio::join!(flood, other);
        assert!(waits.iter().all(|wait| *wait <= 2), "{waits:?}");
        let served = flood.iter().filter(|taken| taken.is_ok()).count();
        assert!((20..=30).contains(&served), "he gets what is left: {served}");
        // The others were told when to come again.
        let refused: Vec<_> = flood.into_iter().filter_map(Result::err).collect();
        assert!(refused.iter().all(|error| error.retry_after().is_some()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_runs_in_the_background_waits_for_people() {
        let (queued, ada, ben) = (queued(60, 1), Lane::of("ada").background(), Lane::of("ben"));
        let order = Mutex::new(Vec::new());
        let one = async |lane: &Lane, name: &'static str| {
            take(&queued, lane, 30).await.unwrap();
            order.lock().unwrap().push(name);
        };
        tokio::join!(one(&ben, "first"), one(&ada, "watch"), one(&ada, "watch"), async {
            sleep(Duration::from_millis(1)).await;
            one(&ben, "call").await;
        });
        assert_eq!(*order.lock().unwrap(), ["first", "call", "watch", "watch"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenth_is_left_to_those_who_used_less_than_their_share() {
        let (queued, ada, ben) = (queued(100, 100), Lane::of("ada"), Lane::of("ben"));
        let mut taken = 0;
        while take(&queued, &ada, 0).await.is_ok() {
            taken += 1;
        }
        assert_eq!(taken, 90);
        // He waits, and she need not.
        let (his, hers) = tokio::join!(take(&queued, &ada, 30), async {
            sleep(Duration::from_millis(1)).await;
            let mut waits = Vec::new();
            for _ in 0..10 {
                waits.push(take(&queued, &ben, 1).await.unwrap());
            }
            waits
        });
        assert!(hers.iter().all(Duration::is_zero), "{hers:?}");
        assert!(his.unwrap() > Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn one_person_alone_has_the_whole_budget() {
        let queued = queued(100, 100);
        for _ in 0..100 {
            take(&queued, &Lane::default(), 0).await.unwrap();
        }
        assert!(take(&queued, &Lane::default(), 0).await.is_err());
    }
}
