//! What the writes of this process have made: a write whose answer was lost must not take another's for its own.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

/// So many are remembered: far more than one vendor lets one credential make while an attempt is open.
const REMEMBERED: usize = 10_000;

/// Ids that calls have for their own. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Claims(Arc<Mutex<Remembered>>);

#[derive(Debug, Default)]
struct Remembered {
    ids: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl Claims {
    /// Takes `id` for the caller's own; whether nobody had it.
    pub fn claim(&self, id: String) -> bool {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id: Arc<str> = id.into();
        if !remembered.ids.insert(Arc::clone(&id)) {
            return false;
        }
        remembered.order.push_back(id);
        if remembered.order.len() > REMEMBERED
            && let Some(oldest) = remembered.order.pop_front()
        {
            remembered.ids.remove(&oldest);
        }
        true
    }

    /// Whether somebody has `id` for its own.
    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ids.contains(id)
    }
}
