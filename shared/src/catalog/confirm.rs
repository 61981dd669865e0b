//! One-time confirmations of destructive calls, for clients that cannot be asked through the protocol.
//!
//! A value is sealed, not remembered: it says who may do what until when, under a key that only this server
//! and its replicas have. What is remembered is which values were used. It is bound to the *effect* that was
//! shown, so that whatever changed since is shown anew instead of done.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::cursor;
use crate::{
    Error, Kind, Result,
    access::{KeyRing, Principal},
    clock,
};

/// How long a confirmation may be used.
pub const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// How many used confirmations of one caller are remembered, each for as long as it could be used again.
const SHARE: usize = 1_000;

/// What is being confirmed: this caller, this tool, these arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    digest: [u8; 32],
    who: Principal,
}

impl Subject {
    /// The subject of a call.
    #[must_use]
    pub fn new(principal: &Principal, tool: &str, arguments: &Map<String, Value>) -> Self {
        let mut entries: Vec<_> = arguments.iter().collect();
        entries.sort_by_key(|(name, _)| *name);
        Self { digest: cursor::digest(principal, tool, &entries), who: principal.clone() }
    }

    /// The digest itself, to bind other tokens to the same subject.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.digest
    }

    /// Who is asked.
    #[must_use]
    pub fn who(&self) -> &Principal {
        &self.who
    }
}

/// A digest of what a plan would do: what its preview shows, and the state that it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect(pub(super) [u8; 16]);

impl Effect {
    /// Bytes of the digest.
    pub const LENGTH: usize = 16;

    /// The digest itself, to carry it in a sealed token.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

/// Whether what was confirmed is still what would be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// It is.
    Same,
    /// It has changed since, and is to be shown anew.
    Changed,
}

/// Gives out confirmations and takes them back. Each works once, for its own subject and effect, for five
/// minutes.
#[derive(Debug, Default)]
pub struct Confirmations {
    keys: KeyRing,
    used: Used,
}

/// A value as it is given out: when it ends, what tells it from others, what tells its subject, and what seals all
/// of it and the effect.
struct Sealed {
    ends: [u8; 4],
    nonce: [u8; 3],
    subject: [u8; 3],
    seal: [u8; 8],
}

impl Sealed {
    const PURPOSE: &'static str = "confirm";

    fn parse(value: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
        let (ends, rest) = bytes.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (subject, rest) = rest.split_first_chunk()?;
        Some(Self { ends: *ends, nonce: *nonce, subject: *subject, seal: rest.try_into().ok()? })
    }

    fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode([&self.ends[..], &self.nonce, &self.subject, &self.seal].concat())
    }
}

impl Confirmations {
    /// Confirmations sealed under `keys`.
    #[must_use]
    pub fn new(keys: KeyRing) -> Self {
        Self { keys, used: Used::default() }
    }

    /// Gives out a value that confirms `effect` for `subject` once.
    #[must_use]
    pub fn give(&self, subject: &Subject, effect: &Effect) -> String {
        let ends = u32::try_from((clock::wall() + LIFETIME).as_secs()).unwrap_or(u32::MAX).to_be_bytes();
        let nonce: [u8; 3] = rand::random();
        let seal = self.keys.seal(Sealed::PURPOSE, &[&ends, &nonce, subject.as_bytes(), effect.as_bytes()]);
        let subject = self.keys.seal(Sealed::PURPOSE, &[&ends, &nonce, subject.as_bytes()]);
        Sealed { ends, nonce, subject, seal }.text()
    }

    /// Uses up `value`, which confirms `subject`, and tells whether `effect` is what it was given for.
    ///
    /// # Errors
    /// `invalid_argument` if it was never given, is used up, too old, or was given for something else;
    /// `rate_limited` if this caller has used too many.
    pub fn redeem(&self, subject: &Subject, effect: &Effect, value: &str) -> Result<Confirmed> {
        let sealed =
            Sealed::parse(value).ok_or_else(|| refused("`confirm` is not one that this server gave"))?;
        let ends = Duration::from_secs(u32::from_be_bytes(sealed.ends).into());
        let parts: [&[u8]; 4] = [&sealed.ends, &sealed.nonce, subject.as_bytes(), effect.as_bytes()];
        if !self.keys.opens(Sealed::PURPOSE, &parts[..3], &sealed.subject) {
            return Err(refused(
                "`confirm` was given for other arguments, or is not one that this server gave",
            ));
        }
        if ends <= clock::wall() {
            return Err(refused("`confirm` is older than five minutes"));
        }
        // Also where what it confirmed has changed since: by its own work, say.
        if self.used.is_spent(subject.who(), &sealed.seal) {
            return Err(refused("`confirm` is already used"));
        }
        if !self.keys.opens(Sealed::PURPOSE, &parts, &sealed.seal) {
            return Ok(Confirmed::Changed);
        }
        match self.used.spend(subject.who(), &sealed.seal, ends) {
            Spent::Now => Ok(Confirmed::Same),
            Spent::Before => Err(refused("`confirm` is already used")),
            Spent::TooMany => {
                Err(Error::new(Kind::RateLimited, "Too much was confirmed within five minutes")
                    .with_hint("Nothing was changed. Wait a minute")
                    .with_retry_after(Duration::from_secs(60)))
            }
        }
    }
}

/// Which one-time tokens were used, of each caller by themselves: nobody can use up another's share.
#[derive(Debug, Default)]
pub(crate) struct Used(Mutex<HashMap<Principal, HashMap<Vec<u8>, Duration>>>);

/// What became of a one-time token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// It was good.
    Now,
    /// It was used before.
    Before,
    /// The caller has used so many that it could not be remembered: refusing is safer than forgetting one.
    TooMany,
}

impl Used {
    /// Spends the token of `who` that `id` tells from others, which cannot be used any more at `ends`.
    pub(crate) fn spend(&self, who: &Principal, id: &[u8], ends: Duration) -> Spent {
        let now = clock::wall();
        let mut all = self.lock();
        if !all.contains_key(who) {
            // Whoever has nothing left to remember is forgotten.
            all.retain(|_, used| used.values().any(|ends| *ends > now));
        }
        let used = all.entry(who.clone()).or_default();
        if used.len() >= SHARE {
            used.retain(|_, ends| *ends > now);
        }
        if used.contains_key(id) {
            Spent::Before
        } else if used.len() >= SHARE {
            Spent::TooMany
        } else {
            used.insert(id.to_vec(), ends);
            Spent::Now
        }
    }

    /// Whether `who` has spent the token that `id` tells from others.
    fn is_spent(&self, who: &Principal, id: &[u8]) -> bool {
        self.lock().get(who).is_some_and(|used| used.contains_key(id))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Principal, HashMap<Vec<u8>, Duration>>> {
        // The maps are valid after every statement, so a panic elsewhere does not spoil them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    const SEEN: Effect = Effect([1; 16]);
    const CHANGED: Effect = Effect([2; 16]);

    fn subject(tool: &str) -> Subject {
        Subject::new(&Principal::local(), tool, json!({"id": "ENG-1"}).as_object().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_confirmation_works_once_for_its_own_subject() {
        let confirmations = Confirmations::default();
        let value = confirmations.give(&subject("delete"), &SEEN);
        let other = confirmations.redeem(&subject("archive"), &SEEN, &value).unwrap_err();
        assert!(other.for_agent().contains("other arguments"), "{other}");
        assert_eq!(confirmations.redeem(&subject("delete"), &SEEN, &value).unwrap(), Confirmed::Same);
        let again = confirmations.redeem(&subject("delete"), &SEEN, &value).unwrap_err();
        assert!(again.for_agent().contains("already used"), "{again}");
        let changed = confirmations.redeem(&subject("delete"), &Effect([9; 16]), &value).unwrap_err();
        assert!(
            changed.for_agent().contains("already used"),
            "its own work changed what is there: {changed}"
        );
        for bad in ["x", "AAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(confirmations.redeem(&subject("delete"), &SEEN, bad).is_err());
        }
        assert!(Confirmations::default().redeem(&subject("delete"), &SEEN, &value).is_err(), "another's key");
    }

    #[tokio::test(start_paused = true)]
    async fn what_changed_since_is_not_confirmed() {
        let confirmations = Confirmations::default();
        let value = confirmations.give(&subject("delete"), &SEEN);
        assert_eq!(confirmations.redeem(&subject("delete"), &CHANGED, &value).unwrap(), Confirmed::Changed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_confirmation_expires_after_five_minutes() {
        let confirmations = Confirmations::default();
        let value = confirmations.give(&subject("delete"), &SEEN);
        tokio::time::advance(LIFETIME).await;
        let error = confirmations.redeem(&subject("delete"), &SEEN, &value).unwrap_err();
        assert!(error.for_agent().contains("five minutes"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_caller_uses_up_no_share_but_their_own() {
        let used = Used::default();
        let (ada, ben) = (Principal::key("ada"), Principal::key("ben"));
        let ends = clock::wall() + LIFETIME;
        for id in 0..SHARE {
            assert_eq!(used.spend(&ada, &id.to_be_bytes(), ends), Spent::Now);
        }
        assert_eq!(used.spend(&ada, b"more", ends), Spent::TooMany);
        assert_eq!(used.spend(&ada, &7_usize.to_be_bytes(), ends), Spent::Before);
        assert_eq!(used.spend(&ben, b"one", ends), Spent::Now);
        tokio::time::advance(LIFETIME).await;
        assert_eq!(used.spend(&ada, b"more", clock::wall() + LIFETIME), Spent::Now);
    }

    #[tokio::test(start_paused = true)]
    async fn another_replica_with_the_same_keys_takes_a_confirmation() {
        let keys = KeyRing::default();
        let value = Confirmations::new(keys.clone()).give(&subject("delete"), &SEEN);
        let there = Confirmations::new(keys).redeem(&subject("delete"), &SEEN, &value);
        assert_eq!(there.unwrap(), Confirmed::Same);
    }
}
