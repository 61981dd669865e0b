//! How a write ended whose answer was lost: the pipeline says `unknown_outcome`, and what the write may have
//! done is looked for. Nothing is made twice, nobody's later change is overwritten, nothing that was there
//! before is taken for what was just made.
//!
//! | the write | with | done if |
//! |---|---|---|
//! | makes something under an id or a name of ours | [`created`] | it is there |
//! | makes something that only its content tells | [`Attempt::made`] | there is one like it, made since, that no other call has for its own |
//! | sets fields | [`updated`] | they are set; it is sent again if nothing was touched |
//! | removes something | [`removed`] | a repetition does not find it any more |
//!
//! In a few lines, for a chat without keys of idempotency:
//!
//! ```ignore
//! let attempt = Attempt::begin(api.upstream(), "message");
//! let sent = api.post_message(&channel, &text).await;
//! let look = || async {
//!     let since = api.messages_since(&channel, attempt.since()).await.ok()?;
//!     since.into_iter().find(|m| m.text == text && attempt.may_have_made(&m.ts, m.time))
//! };
//! let (message, lost) = attempt.made(sent, |m| m.ts.clone(), look).await?;
//! Ok(Reply::written(Written::new(reconcile::summary("Slack", lost, &format!("posted {}", message.ts)))))
//! ```

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use crate::{Kind, Result, clock, upstream::Upstream};

/// How much older than the attempt something may be and still be of it, where the vendor's clock is known.
/// Vendors tell whole seconds.
const SLACK: SignedDuration = SignedDuration::from_secs(2);
/// The same where only our own clock is known.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(120);
/// The pauses before an update is sent again that did not arrive.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// How often is looked for something that other calls keep taking for their own.
const LOOKS: usize = 16;

/// What a create made that ended as `sent`, under an id or a name that is its own, and whether its answer was
/// lost and `look` found it.
///
/// # Errors
/// The failure, unless what it made was found.
pub async fn created<T>(sent: Result<T>, look: impl Future<Output = Option<T>>) -> Result<(T, bool)> {
    match sent {
        Ok(made) => Ok((made, false)),
        Err(error) if error.kind() == Kind::UnknownOutcome => {
            look.await.map(|found| (found, true)).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

/// What is there after an update whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// What was to be set is set.
    Done(T),
    /// Nothing has changed since it was read: the update did not arrive.
    Untouched,
    /// Something has changed that is not all of the update: by somebody else, or by the vendor.
    Changed,
}

/// Sends an update until its outcome is known, and says whether its answer was lost. It is sent again only
/// while nothing has changed, so that what somebody else writes meanwhile stays.
///
/// # Errors
/// The failure; `unknown_outcome` if what is there now is neither what was nor what was to be.
pub async fn updated<T, Send, Sent, Look, Looked>(mut send: Send, mut look: Look) -> Result<(T, bool)>
where
    Send: FnMut() -> Sent,
    Sent: Future<Output = Result<T>>,
    Look: FnMut() -> Looked,
    Looked: Future<Output = Result<Seen<T>>>,
{
    let mut pauses = PAUSES.into_iter();
    let mut lost = None;
    loop {
        let error = match (send().await, lost.take()) {
            (Ok(now), _) => return Ok((now, false)),
            (Err(error), _) if error.kind() == Kind::UnknownOutcome => error,
            // However this one ended, the one before may still arrive.
            (Err(_), Some(before)) => return Err(before),
            (Err(error), None) => return Err(error),
        };
        match look().await {
            Ok(Seen::Done(now)) => return Ok((now, true)),
            Ok(Seen::Untouched) => {}
            Ok(Seen::Changed) | Err(_) => return Err(error),
        }
        let Some(pause) = pauses.next() else { return Err(error) };
        sleep(pause).await;
        // In the pause it may have landed, or somebody else may have written.
        match look().await {
            Ok(Seen::Done(now)) => return Ok((now, true)),
            Ok(Seen::Untouched) => lost = Some(error),
            Ok(Seen::Changed) | Err(_) => return Err(error),
        }
    }
}

/// Whether something was removed: also if a repetition did not find it, before which it may have been removed.
///
/// # Errors
/// The failure.
pub fn removed<T: Default>(sent: Result<T>) -> Result<T> {
    match sent {
        Err(error) if error.kind() == Kind::NotFound && error.is_repeated() => Ok(T::default()),
        sent => sent,
    }
}

/// A create that only its content tells from another, from its beginning on.
#[derive(Clone, Debug)]
pub struct Attempt {
    upstream: Upstream,
    kind: &'static str,
    earliest: Timestamp,
}

impl Attempt {
    /// A create of a `kind` of thing (`"comment"`) that begins now.
    #[must_use]
    pub fn begin(upstream: &Upstream, kind: &'static str) -> Self {
        let seconds = |moment: Duration| i64::try_from(moment.as_secs()).unwrap_or(i64::MAX);
        let (now, slack) = match upstream.vendor_time() {
            Some(now) => (now, SLACK),
            None => (clock::wall(), CLOCKS_DIFFER),
        };
        let now = Timestamp::from_second(seconds(now)).unwrap_or(Timestamp::MAX);
        let earliest = now.checked_sub(slack).unwrap_or(Timestamp::MIN);
        Self { upstream: upstream.clone(), kind, earliest }
    }

    /// The same for a vendor whose times are cut to `unit`: what was made in the unit in which it begins may be
    /// of it.
    #[must_use]
    pub fn cut_to(mut self, unit: SignedDuration) -> Self {
        let seconds = self.earliest.as_second();
        let into_unit = seconds.rem_euclid(unit.as_secs().max(1));
        self.earliest = Timestamp::from_second(seconds - into_unit).unwrap_or(Timestamp::MIN);
        self
    }

    /// The earliest time of what it may make.
    #[must_use]
    pub fn earliest(&self) -> Timestamp {
        self.earliest
    }

    /// The same as RFC 3339 in whole seconds, as vendors' `since` takes it.
    #[must_use]
    pub fn since(&self) -> String {
        self.earliest.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Whether what was made at `created_at` (RFC 3339) under the vendor's `id` may be of this attempt: it
    /// was not there before, and no other call has it for its own.
    #[must_use]
    pub fn may_have_made(&self, id: &str, created_at: &str) -> bool {
        created_at.parse().is_ok_and(|made: Timestamp| made >= self.earliest) && self.is_free(id)
    }

    /// Whether no other call has `id` for its own.
    #[must_use]
    pub fn is_free(&self, id: &str) -> bool {
        !self.upstream.claims().contains(&self.key(id))
    }

    /// Takes what is under the vendor's `id` for its own; false if another call has it. For an attempt that makes
    /// several things at once.
    #[must_use]
    pub fn take(&self, id: &str) -> bool {
        self.upstream.claims().claim(self.key(id))
    }

    /// What it made that ended as `sent`, and whether its answer was lost and `look` found it. What it made is
    /// its own from then on: no other attempt takes the thing with this `id` for what it made.
    ///
    /// # Errors
    /// The failure, unless what it made was found.
    pub async fn made<T, Look, Looked>(
        &self,
        sent: Result<T>,
        id: impl Fn(&T) -> String,
        mut look: Look,
    ) -> Result<(T, bool)>
    where
        Look: FnMut() -> Looked,
        Looked: Future<Output = Option<T>>,
    {
        let error = match sent {
            Ok(made) => {
                let _ = self.take(&id(&made));
                return Ok((made, false));
            }
            Err(error) if error.kind() == Kind::UnknownOutcome => error,
            Err(error) => return Err(error),
        };
        for _ in 0..LOOKS {
            let Some(found) = look().await else { break };
            if self.take(&id(&found)) {
                return Ok((found, true));
            }
        }
        Err(error)
    }

    fn key(&self, id: &str) -> String {
        format!("{}\n{id}", self.kind)
    }
}

/// The first sentence of the reply about something `done` ("opened a/b#1") at `vendor`, whose answer may have
/// been lost.
#[must_use]
pub fn summary(vendor: &str, lost: bool, done: &str) -> String {
    if lost {
        return format!("{vendor}'s answer was lost, but it is done: {done}.");
    }
    let mut letters = done.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Whether two texts are one, but for the ends of lines and the end.
#[must_use]
pub fn same_text(a: &str, b: &str) -> bool {
    a.trim_end().lines().eq(b.trim_end().lines())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::Error;

    fn lost<T>() -> Result<T> {
        Err(Error::new(Kind::UnknownOutcome, "lost"))
    }

    fn failed<T>() -> Result<T> {
        Err(Error::new(Kind::Upstream, "failed"))
    }

    #[tokio::test]
    async fn only_a_create_that_may_have_been_carried_out_is_looked_for() {
        let never = || async { panic!("nothing is open") };
        assert_eq!(created(Ok(1), never()).await.unwrap(), (1, false));
        assert_eq!(created(failed::<u8>(), never()).await.unwrap_err().kind(), Kind::Upstream);
        assert_eq!(created(lost(), async { Some(2) }).await.unwrap(), (2, true));
        assert_eq!(created(lost::<u8>(), async { None }).await.unwrap_err().kind(), Kind::UnknownOutcome);
    }

    #[tokio::test(start_paused = true)]
    async fn an_update_is_sent_again_only_while_nothing_has_changed() {
        let sent = Cell::new(0);
        let count = || {
            sent.set(sent.get() + 1);
            sent.get()
        };
        let third = || async { if count() < 3 { lost() } else { Ok("sent") } };
        assert_eq!(updated(third, || async { Ok(Seen::Untouched) }).await.unwrap(), ("sent", false));
        sent.set(0);
        let never = || async {
            count();
            lost()
        };
        let error = updated(never, || async { Ok(Seen::<&str>::Untouched) }).await.unwrap_err();
        assert_eq!((error.kind(), sent.get()), (Kind::UnknownOutcome, 3));
        // What somebody else writes in the pause stays.
        sent.set(0);
        let looks = Cell::new(0);
        let then_changed = || {
            looks.set(looks.get() + 1);
            std::future::ready(Ok(if looks.get() < 2 { Seen::<&str>::Untouched } else { Seen::Changed }))
        };
        let error = updated(never, then_changed).await.unwrap_err();
        assert_eq!((error.kind(), sent.get(), looks.get()), (Kind::UnknownOutcome, 1, 2));
        // A repetition that fails says nothing of the attempt before it, which may land late.
        sent.set(0);
        let refused = || async { if count() < 2 { lost() } else { failed() } };
        let error = updated(refused, || async { Ok(Seen::<&str>::Untouched) }).await.unwrap_err();
        assert_eq!((error.kind(), sent.get()), (Kind::UnknownOutcome, 2));
        for (seen, expected) in [
            (Ok(Seen::Done("done")), Ok(("done", true))),
            (Ok(Seen::Changed), Err(Kind::UnknownOutcome)),
            (failed(), Err(Kind::UnknownOutcome)),
        ] {
            sent.set(0);
            let seen = Cell::new(Some(seen));
            let outcome = updated(never, || std::future::ready(seen.take().unwrap())).await;
            assert_eq!((outcome.map_err(|error| error.kind()), sent.get()), (expected, 1));
        }
    }

    #[test]
    fn what_a_repetition_does_not_find_is_removed() {
        let missing = || Error::not_found("gone");
        assert!(removed::<()>(Err(missing().with_repeated())).is_ok());
        assert_eq!(removed::<()>(Err(missing())).unwrap_err().kind(), Kind::NotFound);
        assert!(removed::<()>(failed()).is_err());
    }

    #[test]
    fn a_reply_says_that_an_answer_was_lost() {
        assert_eq!(summary("GitHub", false, "opened a/b#1"), "Opened a/b#1.");
        assert_eq!(
            summary("GitHub", true, "opened a/b#1"),
            "GitHub's answer was lost, but it is done: opened a/b#1."
        );
        assert!(same_text("a\r\nb\n", "a\nb") && !same_text("a", "a b"));
    }
}
