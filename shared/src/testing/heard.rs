//! What a call tells on its way.

use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;

use crate::catalog::Progress;

/// Something that a call told on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// How much is done.
    pub done: u32,
    /// Of how much.
    pub total: Option<u32>,
    /// In words.
    pub message: String,
}

/// Keeps what calls tell on their way.
#[derive(Debug, Default)]
pub struct Heard(Mutex<Vec<Said>>);

impl Heard {
    /// What was told since this was asked last.
    #[must_use]
    pub fn take(&self) -> Vec<Said> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Progress for Heard {
    fn report<'a>(&'a self, done: u32, total: Option<u32>, message: &'a str) -> BoxFuture<'a, ()> {
        let said = Said { done, total, message: message.to_owned() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(said);
        Box::pin(std::future::ready(()))
    }
}
