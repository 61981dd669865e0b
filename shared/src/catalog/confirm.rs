//! One-time confirmations of destructive calls, for clients that cannot be asked through the protocol.
//!
//! A value is sealed, not remembered: it says who may do what until when, under a key that only this server
//! and its replicas have. What is remembered is which values were used. It is bound to the *effect* that was
//! shown, so that whatever changed since is shown anew instead of done.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::cursor;
use crate::{
    Error, Kind, Result,
    access::{KeyRing, Principal},
    clock,
    replicas::Replicas,
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
pub struct Effect {
    pub(super) digest: [u8; Self::LENGTH],
    /// Whether it leaves no trace, so that nothing but memory tells that it was done.
    pub(super) once: bool,
}

impl Effect {
    /// Bytes of the digest.
    pub const LENGTH: usize = 16;

    /// The digest itself, to carry it in a sealed token.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.digest
    }

    /// Whether what confirms it must be known to be used for the first time.
    #[must_use]
    pub fn is_once(&self) -> bool {
        self.once
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
    used: Arc<Used>,
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
        Self { keys, used: Arc::default() }
    }

    /// What is remembered of those that were used.
    pub(crate) fn used(&self) -> &Arc<Used> {
        &self.used
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
    /// `rate_limited` if this caller has used too many; `unavailable` if nobody knows whether it is used up and the
    /// effect would not show it.
    pub async fn redeem(&self, subject: &Subject, effect: &Effect, value: &str) -> Result<Confirmed> {
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
        match self.used.spend(subject.who(), &sealed.seal, ends, effect.is_once()).await {
            Spent::Now => Ok(Confirmed::Same),
            Spent::Before => Err(refused("`confirm` is already used")),
            Spent::TooMany => {
                Err(Error::new(Kind::RateLimited, "Too much was confirmed within five minutes")
                    .with_hint("Nothing was changed. Wait a minute")
                    .with_retry_after(Duration::from_secs(60)))
            }
            Spent::Unknown => Err(Error::new(Kind::Unavailable, UNSURE)
                .with_hint("Nothing was changed. Wait, then call again without `confirm`")
                .with_retry_after(UNSURE_FOR)),
        }
    }
}

/// Why what leaves no trace is not done while nobody knows what other replicas have done.
pub(crate) const UNSURE: &str = "This server cannot promise now that it is done only once";
/// How long to wait before that is tried again.
const UNSURE_FOR: Duration = Duration::from_secs(5);

/// Which one-time tokens were used, of each caller by themselves: nobody can use up another's share.
#[derive(Debug, Default)]
pub(crate) struct Used {
    replicas: OnceLock<Replicas>,
    here: Mutex<HashMap<Principal, HashMap<Vec<u8>, Duration>>>,
}

/// What became of a one-time token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// It was good.
    Now,
    /// It was used before.
    Before,
    /// The caller has used so many that it could not be remembered: refusing is safer than forgetting one.
    TooMany,
    /// Another replica may have spent it, and it was to be known.
    Unknown,
}

impl Used {
    /// From now on, tokens are good once among these replicas. The first who says so stays.
    pub(crate) fn share(&self, replicas: &Replicas) {
        let _ = self.replicas.set(replicas.clone());
    }

    /// Spends the token of `who` that `id` tells from others, which cannot be used any more at `ends`. With `once` only
    /// if it is known that no replica has spent it; without, also while nobody can tell.
    pub(crate) async fn spend(&self, who: &Principal, id: &[u8], ends: Duration, once: bool) -> Spent {
        if let Some(replicas) = self.replicas.get() {
            match replicas.first(id, ends.saturating_sub(LIFETIME), LIFETIME).await {
                Some(false) => return Spent::Before,
                None if once && !replicas.is_alone() => {
                    replicas.counts().unsure();
                    return Spent::Unknown;
                }
                Some(true) | None => {}
            }
        }
        self.spend_here(who, id, ends)
    }

    fn spend_here(&self, who: &Principal, id: &[u8], ends: Duration) -> Spent {
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
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(message: &'static str) -> Error {
    Error::invalid(message)
        .with_hint("Nothing was changed. Call again without `confirm` to see the effect and get a new value")
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use futures::future::BoxFuture;
    use serde_json::json;

    use super::*;
    use crate::replicas::{Down, Listener, News, Store, Token};

    const SEEN: Effect = Effect { digest: [1; 16], once: false };
    const CHANGED: Effect = Effect { digest: [2; 16], once: false };

    fn subject(tool: &str) -> Subject {
        Subject::new(&Principal::local(), tool, json!({"id": "ENG-1"}).as_object().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_confirmation_works_once_for_its_own_subject() {
        let confirmations = Confirmations::default();
        let value = confirmations.give(&subject("delete"), &SEEN);
        let other = confirmations.redeem(&subject("archive"), &SEEN, &value).await.unwrap_err();
        assert!(other.for_agent().contains("other arguments"), "{other}");
        assert_eq!(confirmations.redeem(&subject("delete"), &SEEN, &value).await.unwrap(), Confirmed::Same);
        let again = confirmations.redeem(&subject("delete"), &SEEN, &value).await.unwrap_err();
        assert!(again.for_agent().contains("already used"), "{again}");
        let changed = confirmations.redeem(&subject("delete"), &CHANGED, &value).await.unwrap_err();
        assert!(
            changed.for_agent().contains("already used"),
            "its own work changed what is there: {changed}"
        );
        for bad in ["x", "AAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(confirmations.redeem(&subject("delete"), &SEEN, bad).await.is_err());
        }
        assert!(
            Confirmations::default().redeem(&subject("delete"), &SEEN, &value).await.is_err(),
            "another's key"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_changed_since_is_not_confirmed() {
        let confirmations = Confirmations::default();
        let value = confirmations.give(&subject("delete"), &SEEN);
        assert_eq!(
            confirmations.redeem(&subject("delete"), &CHANGED, &value).await.unwrap(),
            Confirmed::Changed
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_confirmation_expires_after_five_minutes() {
        let confirmations = Confirmations::default();
        let value = confirmations.give(&subject("delete"), &SEEN);
        tokio::time::advance(LIFETIME).await;
        let error = confirmations.redeem(&subject("delete"), &SEEN, &value).await.unwrap_err();
        assert!(error.for_agent().contains("five minutes"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_caller_uses_up_no_share_but_their_own() {
        let used = Used::default();
        let (ada, ben) = (Principal::key("ada"), Principal::key("ben"));
        let ends = clock::wall() + LIFETIME;
        for id in 0..SHARE {
            assert_eq!(used.spend_here(&ada, &id.to_be_bytes(), ends), Spent::Now);
        }
        assert_eq!(used.spend_here(&ada, b"more", ends), Spent::TooMany);
        assert_eq!(used.spend_here(&ada, &7_usize.to_be_bytes(), ends), Spent::Before);
        assert_eq!(used.spend_here(&ben, b"one", ends), Spent::Now);
        tokio::time::advance(LIFETIME).await;
        assert_eq!(used.spend_here(&ada, b"more", clock::wall() + LIFETIME), Spent::Now);
    }

    #[tokio::test(start_paused = true)]
    async fn another_replica_with_the_same_keys_takes_a_confirmation() {
        let keys = KeyRing::default();
        let value = Confirmations::new(keys.clone()).give(&subject("delete"), &SEEN);
        let there = Confirmations::new(keys).redeem(&subject("delete"), &SEEN, &value).await;
        assert_eq!(there.unwrap(), Confirmed::Same);
    }

    /// A store that answers in one way.
    #[derive(Debug)]
    struct Says(Result<Token, Down>);

    impl Store for Says {
        fn take<'a>(
            &'a self,
            _: &'a str,
            _: NonZeroU32,
        ) -> BoxFuture<'a, Result<Result<(), Duration>, Down>> {
            Box::pin(std::future::ready(Err(Down)))
        }

        fn first<'a>(
            &'a self,
            _: &'a str,
            given: Duration,
            lifetime: Duration,
        ) -> BoxFuture<'a, Result<Token, Down>> {
            assert!(given <= clock::wall() && given + lifetime > clock::wall());
            Box::pin(std::future::ready(self.0))
        }

        fn tell(&self, _: News) {}

        fn is_up(&self) -> bool {
            self.0.is_ok()
        }

        fn keep(self: Arc<Self>, _: Arc<dyn Listener>) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_leaves_no_trace_is_done_only_if_no_other_replica_did_it() {
        for (says, with_a_trace, without) in [
            (Ok(Token::First), Ok(Confirmed::Same), Ok(Confirmed::Same)),
            (Ok(Token::Used), Err(Kind::InvalidArgument), Err(Kind::InvalidArgument)),
            (Ok(Token::TooOld), Ok(Confirmed::Same), Err(Kind::Unavailable)),
            (Err(Down), Ok(Confirmed::Same), Err(Kind::Unavailable)),
        ] {
            for (once, becomes) in [(false, with_a_trace), (true, without)] {
                let confirmations = Confirmations::default();
                let replicas = Replicas::new(NonZeroU32::MIN, Some(Arc::new(Says(says))));
                confirmations.used().share(&replicas);
                let effect = Effect { once, ..SEEN };
                let value = confirmations.give(&subject("send"), &effect);
                let said = confirmations.redeem(&subject("send"), &effect, &value).await;
                assert_eq!(said.map_err(|error| error.kind()), becomes, "{says:?}, once: {once}");
                assert_eq!(replicas.counts().refused(), u64::from(becomes == Err(Kind::Unavailable)));
            }
        }
    }
}
