//! One-time confirmations of destructive calls, for clients that cannot be asked through the protocol.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::cursor;
use crate::{Error, Result, access::Principal};

/// How long a confirmation may be used.
pub const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// How many unused confirmations are kept; the oldest goes first.
const KEPT: usize = 1_000;

/// What is being confirmed: this caller, this tool, these arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject([u8; 32]);

impl Subject {
    /// The subject of a call.
    #[must_use]
    pub fn new(principal: &Principal, tool: &str, arguments: &Map<String, Value>) -> Self {
        let mut entries: Vec<_> = arguments.iter().collect();
        entries.sort_by_key(|(name, _)| *name);
        Self(cursor::digest(principal, tool, &entries))
    }

    /// The digest itself, to bind other tokens to the same subject.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The confirmations given out and not yet used. Each works once, for its own subject, for five minutes.
#[derive(Debug, Default)]
pub struct Confirmations {
    open: Mutex<HashMap<String, (Subject, Instant)>>,
}

impl Confirmations {
    /// Gives out a value that confirms `subject` once.
    #[must_use]
    pub fn give(&self, subject: &Subject) -> String {
        let value = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 9]>());
        let now = Instant::now();
        let mut open = self.lock();
        open.retain(|_, (_, expires)| *expires > now);
        if open.len() >= KEPT
            && let Some(oldest) =
                open.iter().min_by_key(|(_, (_, expires))| *expires).map(|(value, _)| value.clone())
        {
            open.remove(&oldest);
        }
        open.insert(value.clone(), (subject.clone(), now + LIFETIME));
        value
    }

    /// Uses up `value` to confirm `subject`.
    ///
    /// # Errors
    /// [`crate::Kind::InvalidArgument`] if it was never given, is used up, too old, or was given for
    /// something else. One given for something else stays usable for that.
    pub fn redeem(&self, subject: &Subject, value: &str) -> Result<()> {
        let mut open = self.lock();
        match open.get(value) {
            Some((_, expires)) if *expires <= Instant::now() => {
                open.remove(value);
                Err(refused("`confirm` is older than five minutes"))
            }
            Some((given_for, _)) if given_for != subject => {
                Err(refused("`confirm` was given for other arguments"))
            }
            Some(_) => {
                open.remove(value);
                Ok(())
            }
            None => Err(refused("`confirm` is unknown or already used")),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Subject, Instant)>> {
        // The map is valid after every statement, so a panic elsewhere does not spoil it.
        self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn refused(message: &'static str) -> Error {
    Error::invalid(message)
        .with_hint("Nothing was changed. Call again without `confirm` to see the effect and get a new value")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn subject(tool: &str) -> Subject {
        Subject::new(&Principal::local(), tool, json!({"id": "ENG-1"}).as_object().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_confirmation_works_once_for_its_own_subject() {
        let confirmations = Confirmations::default();
        let value = confirmations.give(&subject("delete"));
        assert!(confirmations.redeem(&subject("archive"), &value).is_err());
        assert!(confirmations.redeem(&subject("delete"), &value).is_ok());
        assert!(confirmations.redeem(&subject("delete"), &value).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_confirmation_expires_after_five_minutes() {
        let confirmations = Confirmations::default();
        let value = confirmations.give(&subject("delete"));
        tokio::time::advance(LIFETIME).await;
        let error = confirmations.redeem(&subject("delete"), &value).unwrap_err();
        assert!(error.for_agent().contains("five minutes"), "{error}");
    }
}
