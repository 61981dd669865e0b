//! Places for work under way, shared out fairly: nobody has more than a part of them, running or waiting, and those who
//! wait are served in turn, one of each caller, however many one of them has sent.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::access::Principal;

/// How many may wait for each one under way. More are refused, because a queue that cannot be
/// served before its callers give up only costs memory.
pub(super) const WAITING_PER_PLACE: usize = 4;

/// One named caller gets at most one in so many of the places, running and waiting, so that nobody keeps all
/// others out.
const SHARE: usize = 4;

/// So many places. Cheap to clone; clones share them.
#[derive(Clone)]
pub(super) struct Places(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    places: usize,
}

#[derive(Default)]
struct State {
    running: usize,
    waiting: usize,
    /// Those with work under way or waiting.
    callers: HashMap<Principal, Caller>,
    /// Those who wait, in the order of their turns.
    turns: VecDeque<Principal>,
}

#[derive(Default)]
struct Caller {
    running: usize,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

/// A place, until it is dropped.
pub(super) struct Place {
    places: Places,
    who: Principal,
}

/// There is no room to wait either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Places {
    pub(super) fn new(places: usize) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), places: places.max(1) }))
    }

    /// Waits for a place for `who`. Whoever stops waiting leaves the queue.
    pub(super) async fn enter(&self, who: &Principal) -> Result<Place, Full> {
        let granted = {
            let mut state = self.state();
            let most = self.most(who);
            // Where a place is free, those who wait have all that they may have.
            if state.running < self.0.places && state.running_of(who) < most {
                state.take(who);
                return Ok(Place { places: self.clone(), who: who.clone() });
            }
            let most_waiting = most.saturating_mul(WAITING_PER_PLACE);
            let room = self.0.places.saturating_mul(WAITING_PER_PLACE);
            if state.waiting_of(who) >= most_waiting || state.waiting >= room {
                state.sweep();
            }
            if state.waiting_of(who) >= most_waiting || state.waiting >= room {
                return Err(Full);
            }
            let (grant, granted) = oneshot::channel();
            let caller = state.callers.entry(who.clone()).or_default();
            caller.waiting.push_back(grant);
            if caller.waiting.len() == 1 {
                state.turns.push_back(who.clone());
            }
            state.waiting += 1;
            granted
        };
        // The other half is dropped only together with the queue.
        granted.await.map_err(|_| Full)
    }

    /// How many are taken, and how many there are.
    pub(super) fn in_use(&self) -> (usize, usize) {
        (self.state().running, self.0.places)
    }

    /// How many one caller may have. The person at this machine is alone, and has them all.
    fn most(&self, who: &Principal) -> usize {
        if who.is_local() { self.0.places } else { self.0.places.div_ceil(SHARE) }
    }

    /// The state is valid after every statement, so a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives free places to those whose turn it is.
    fn hand_out(&self) {
        let mut granted = Vec::new();
        {
            let mut state = self.state();
            // Those who have all they may are passed over, and keep their turn.
            let mut passed = 0;
            while state.running < self.0.places && passed < state.turns.len() {
                let Some(who) = state.turns.pop_front() else { break };
                let most = self.most(&who);
                let Some(caller) = state.callers.get_mut(&who) else { continue };
                if caller.running >= most {
                    state.turns.push_back(who);
                    passed += 1;
                    continue;
                }
                let next = caller.waiting.pop_front();
                let waits_on = !caller.waiting.is_empty();
                if let Some(grant) = next {
                    state.waiting -= 1;
                    if !grant.is_closed() {
                        state.take(&who);
                        passed = 0;
                        granted.push((grant, Place { places: self.clone(), who: who.clone() }));
                    }
                }
                if waits_on {
                    state.turns.push_back(who);
                } else {
                    state.forget_idle(&who);
                }
            }
        }
        for (grant, place) in granted {
            // Somebody who has gone meanwhile gives the place back by not taking it.
            drop(grant.send(place));
        }
    }
}

impl State {
    fn running_of(&self, who: &Principal) -> usize {
        self.callers.get(who).map_or(0, |caller| caller.running)
    }

    fn waiting_of(&self, who: &Principal) -> usize {
        self.callers.get(who).map_or(0, |caller| caller.waiting.len())
    }

    fn take(&mut self, who: &Principal) {
        self.running += 1;
        self.callers.entry(who.clone()).or_default().running += 1;
    }

    /// Lets those go who do not wait any more.
    fn sweep(&mut self) {
        for caller in self.callers.values_mut() {
            caller.waiting.retain(|grant| !grant.is_closed());
        }
        self.waiting = self.callers.values().map(|caller| caller.waiting.len()).sum();
        let Self { callers, turns, .. } = self;
        turns.retain(|who| callers.get(who).is_some_and(|caller| !caller.waiting.is_empty()));
        callers.retain(|_, caller| caller.running > 0 || !caller.waiting.is_empty());
    }

    fn forget_idle(&mut self, who: &Principal) {
        if self.callers.get(who).is_some_and(|caller| caller.running == 0 && caller.waiting.is_empty()) {
            self.callers.remove(who);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut state = self.places.state();
            state.running -= 1;
            if let Some(caller) = state.callers.get_mut(&self.who) {
                caller.running -= 1;
            }
            state.forget_idle(&self.who);
        }
        self.places.hand_out();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn named(name: &str) -> Principal {
        Principal::key(name)
    }

    /// What there is at once.
    fn now(places: &Places, who: &Principal) -> Option<Result<Place, Full>> {
        places.enter(who).now_or_never()
    }

    #[tokio::test]
    async fn one_caller_has_a_quarter_and_the_person_at_this_machine_all() {
        let places = Places::new(8);
        let held: Vec<_> = (0..2).map(|_| now(&places, &named("ada")).unwrap().unwrap()).collect();
        assert!(now(&places, &named("ada")).is_none());
        assert!(now(&places, &named("ben")).unwrap().is_ok());
        drop(held);
        let all: Vec<_> = (0..8).map(|_| now(&places, &Principal::local()).unwrap().unwrap()).collect();
        assert!(now(&places, &Principal::local()).is_none());
        drop(all);
        assert_eq!(places.in_use(), (0, 8));
        assert!(places.state().callers.is_empty());
    }

    #[tokio::test]
    async fn those_who_wait_are_served_in_turn_one_of_each() {
        let places = Places::new(2);
        let [held, _also] = ["yan", "zoe"].map(|who| now(&places, &named(who)).unwrap().unwrap());
        let (told, mut order) = tokio::sync::mpsc::unbounded_channel();
        for who in ["ada", "ada", "ada", "ben", "cy", "ben"] {
            let (places, told) = (places.clone(), told.clone());
            tokio::spawn(async move {
                let place = places.enter(&named(who)).await.unwrap();
                told.send(who).unwrap();
                drop(place);
            });
            tokio::task::yield_now().await;
        }
        drop(held);
        let mut served = Vec::new();
        for _ in 0..6 {
            served.push(order.recv().await.unwrap());
        }
        assert_eq!(served, ["ada", "ben", "cy", "ada", "ben", "ada"]);
    }

    #[tokio::test]
    async fn who_goes_away_leaves_the_queue_and_gives_the_place_back() {
        let places = Places::new(1);
        let held = now(&places, &named("ada")).unwrap().unwrap();
        for _ in 0..100 {
            assert!(now(&places, &named("ben")).is_none(), "whoever goes makes room");
        }
        let ben = named("ben");
        let mut gone = Box::pin(places.enter(&ben));
        assert!(gone.as_mut().now_or_never().is_none());
        drop(held);
        // It has been granted, and nobody takes it.
        drop(gone);
        assert!(now(&places, &named("cy")).unwrap().is_ok());
        assert_eq!(places.in_use(), (0, 1));
    }

    #[tokio::test]
    async fn one_callers_queue_has_an_end_and_others_wait_beside_it() {
        let places = Places::new(4);
        let held: Vec<_> =
            ["a", "b", "c", "d"].map(|who| now(&places, &named(who)).unwrap().unwrap()).into_iter().collect();
        let a = named("a");
        let mut waiting: Vec<_> = (0..WAITING_PER_PLACE).map(|_| Box::pin(places.enter(&a))).collect();
        for wait in &mut waiting {
            assert!(wait.as_mut().now_or_never().is_none());
        }
        assert_eq!(now(&places, &named("a")).unwrap().err(), Some(Full));
        assert!(now(&places, &named("b")).is_none());
        drop(held);
    }
}
