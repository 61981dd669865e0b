//! Whether and when to send the same request again.
//!
//! | after an attempt that was  | [`Replay::Safe`] | [`Replay::Idempotent`] | [`Replay::Once`] |
//! |----------------------------|------------------|------------------------|------------------|
//! | [`Retry::Never`]           | no               | no                     | no               |
//! | [`Retry::NotExecuted`]     | yes              | yes                    | yes              |
//! | [`Retry::MaybeExecuted`]   | yes              | yes                    | no               |
//!
//! A write that may have been executed by any of its attempts ends as [`Kind::UnknownOutcome`],
//! unless the vendor at last says that it is done, does not accept it, or has no such thing. A `DELETE`
//! whose repetition finds nothing any more is done; "exists already" may be what an attempt before made,
//! so that is unknown.
//!
//! A credential that is refused is not tried again.
//!
//! The vendor's word on when to come back rules over our backoff, the total deadline over both: a
//! wait that would end after the deadline is not begun, the caller learns at once how long it is.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use http::{HeaderMap, Method, header};
use jiff::fmt::rfc2822;
use tokio::time::Instant;

use super::{Replay, Request};
use crate::{Error, Kind, Result, Retry, clock};

/// How often and how fast to repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryOptions {
    /// Attempts in all, the first included. 4.
    pub max_attempts: usize,
    /// The first pause; each further one is twice as long. Even a vendor that asks for no pause
    /// gets this one. 200 ms.
    pub min_delay: Duration,
    /// The longest pause of ours; a vendor may ask for a longer one. 5 s.
    pub max_delay: Duration,
    /// Adds a random part of up to the pause itself, so that many callers do not come back at once.
    pub jitter: bool,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            min_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(5),
            jitter: true,
        }
    }
}

/// The least pause after a refusal for our pace that does not say how long to wait.
const UNNAMED_LIMIT: Duration = Duration::from_secs(1);

/// The attempts at one request.
pub(super) struct Attempts<'a> {
    title: &'a str,
    request: &'a Request,
    deadline: Instant,
    pauses: ExponentialBackoff,
    /// Whether an attempt so far may have been executed.
    uncertain: bool,
    /// The failure of the attempt before.
    last: Option<Error>,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(
        title: &'a str,
        request: &'a Request,
        options: RetryOptions,
        deadline: Instant,
    ) -> Self {
        let mut pauses = ExponentialBuilder::new()
            .with_min_delay(options.min_delay)
            .with_max_delay(options.max_delay)
            .with_max_times(options.max_attempts.saturating_sub(1));
        if options.jitter {
            pauses = pauses.with_jitter();
        }
        Self { title, request, deadline, pauses: pauses.build(), uncertain: false, last: None }
    }

    /// After a failed attempt: the pause before the next one, or the error to end with.
    pub(super) fn after(&mut self, error: Error) -> Result<Duration> {
        // The breaker opened under our own attempts: what opened it says more than that it is open.
        let error = match (error.kind(), self.last.take()) {
            (Kind::Unavailable, Some(earlier)) => return Err(self.end(earlier)),
            _ => error,
        };
        self.uncertain |= error.retry() == Retry::MaybeExecuted;
        let repeatable = match (error.retry(), self.request.replay) {
            // Failing fast is the point of an open breaker; a credential that is refused was renewed within the attempt,
            // where there is a newer one.
            _ if matches!(error.kind(), Kind::Unavailable | Kind::Auth) => false,
            (Retry::Never, _) | (Retry::MaybeExecuted, Replay::Once) => false,
            (Retry::NotExecuted, _) | (Retry::MaybeExecuted, Replay::Safe | Replay::Idempotent) => true,
        };
        if !repeatable {
            return Err(self.end(error));
        }
        let Some(pause) = self.pauses.next() else { return Err(self.end(error)) };
        let named = match error.retry_after() {
            None if error.kind() == Kind::RateLimited => UNNAMED_LIMIT,
            named => named.unwrap_or_default(),
        };
        let pause = pause.max(named);
        if Instant::now() + pause >= self.deadline {
            return Err(self.end(error));
        }
        self.last = Some(error);
        Ok(pause)
    }

    /// The error that the caller gets.
    pub(super) fn end(&self, error: Error) -> Error {
        if !self.uncertain || !self.request.effect.writes() {
            return error;
        }
        match error.kind() {
            // The attempt before may have removed it; what is not accepted was not accepted before either.
            Kind::NotFound | Kind::InvalidArgument => error.with_repeated(),
            // What is there already may be what an attempt before made.
            _ => unknown_outcome(self.title, &what_to_check(self.request), error).with_repeated(),
        }
    }

    /// Whether `error` says that what was to be removed is not there any more, after an attempt that may
    /// have removed it.
    pub(super) fn is_removed(&self, error: &Error) -> bool {
        self.uncertain && self.request.method == Method::DELETE && error.kind() == Kind::NotFound
    }
}

/// The error for a write that was sent and whose outcome could not be learned.
pub(super) fn unknown_outcome(title: &str, check: &str, cause: Error) -> Error {
    Error::new(
        Kind::UnknownOutcome,
        format!("the write was sent to {title}, but whether it was done is not known: {}", cause.message()),
    )
    .with_hint(format!("{check}; only repeat the call if it is not"))
    .with_source(cause)
}

/// What to look at if the outcome of `request` is never learned, as the beginning of a sentence.
pub(super) fn what_to_check(request: &Request) -> String {
    request.check.as_ref().map_or_else(
        || format!("Read the target of {} to see whether the change is there", request.operation),
        ToString::to_string,
    )
}

/// When the answer's `Retry-After` header allows the next attempt: seconds or an HTTP date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = http_date(value)?;
    // A date is the vendor's time, so it is measured against the vendor's clock where that is known.
    Some(at.saturating_sub(date(headers).unwrap_or_else(clock::wall)))
}

/// The vendor's time when it answered, since the Unix epoch.
pub(super) fn date(headers: &HeaderMap) -> Option<Duration> {
    http_date(headers.get(header::DATE)?.to_str().ok()?)
}

/// An HTTP date as the duration since the Unix epoch.
fn http_date(text: &str) -> Option<Duration> {
    let moment = rfc2822::parse(text).ok()?.timestamp();
    u64::try_from(moment.as_second()).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::Effect;

    const OPTIONS: RetryOptions = RetryOptions {
        max_attempts: 3,
        min_delay: Duration::from_millis(100),
        max_delay: Duration::from_secs(1),
        jitter: false,
    };

    fn deadline() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    fn failed(retry: Retry) -> Error {
        Error::new(Kind::Upstream, "it failed").with_retry(retry)
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_decides() {
        for (retry, expected) in [
            (Retry::Never, [false, false, false]),
            (Retry::NotExecuted, [true, true, true]),
            (Retry::MaybeExecuted, [true, true, false]),
        ] {
            let replays = [Replay::Safe, Replay::Idempotent, Replay::Once];
            for (replay, repeats) in replays.into_iter().zip(expected) {
                let request = Request::post("Op", "/").replay(replay);
                let mut attempts = Attempts::new("Linear", &request, OPTIONS, deadline());
                assert_eq!(attempts.after(failed(retry)).is_ok(), repeats, "{retry:?} {replay:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_refused_does_not_ask_again() {
        let request = Request::get("Op", "/");
        let mut attempts = Attempts::new("Linear", &request, OPTIONS, deadline());
        let refused = Error::new(Kind::Auth, "no").with_retry(Retry::NotExecuted);
        assert_eq!(attempts.after(refused).unwrap_err().kind(), Kind::Auth);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_and_attempts_end() {
        let request = Request::get("Op", "/");
        let mut attempts = Attempts::new("Linear", &request, OPTIONS, deadline());
        assert_eq!(attempts.after(failed(Retry::MaybeExecuted)).unwrap().as_millis(), 100);
        assert_eq!(attempts.after(failed(Retry::MaybeExecuted)).unwrap().as_millis(), 200);
        assert_eq!(attempts.after(failed(Retry::MaybeExecuted)).unwrap_err().kind(), Kind::Upstream);
    }

    #[tokio::test(start_paused = true)]
    async fn the_vendors_word_rules_over_backoff_and_the_deadline_over_both() {
        let request = Request::get("Op", "/");
        let mut attempts = Attempts::new("Linear", &request, OPTIONS, deadline());
        let limited = |seconds| {
            Error::new(Kind::RateLimited, "slow down")
                .with_retry(Retry::NotExecuted)
                .with_retry_after(Duration::from_secs(seconds))
        };
        assert_eq!(attempts.after(limited(0)).unwrap(), Duration::from_millis(100));
        assert_eq!(attempts.after(limited(7)).unwrap(), Duration::from_secs(7));
        let mut attempts = Attempts::new("Linear", &request, OPTIONS, deadline());
        let error = attempts.after(limited(86_400)).unwrap_err();
        assert_eq!(error.kind(), Kind::RateLimited);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(86_400)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_uncertain_write_stays_uncertain_whatever_fails_after_it() {
        let request = Request::post("CreateIssue", "/").replay(Replay::Idempotent);
        let end = |last: Error| {
            let mut attempts = Attempts::new("Linear", &request, OPTIONS, deadline());
            attempts.after(failed(Retry::MaybeExecuted)).unwrap();
            attempts.after(last).unwrap_err()
        };
        for kind in [Kind::Auth, Kind::Permission, Kind::Unavailable, Kind::Upstream, Kind::Conflict] {
            let error = end(Error::new(kind, "no"));
            assert_eq!(error.kind(), Kind::UnknownOutcome, "{kind}");
            assert_eq!(error.retry(), Retry::Never);
            assert!(error.hint().unwrap().contains("CreateIssue"), "{error}");
        }
        for kind in [Kind::NotFound, Kind::InvalidArgument] {
            let error = end(Error::new(kind, "no"));
            assert_eq!((error.kind(), error.is_repeated()), (kind, true));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_uncertain_read_is_only_a_failure() {
        let request = Request::post("Query", "/").effect(Effect::Read).replay(Replay::Once);
        let mut attempts = Attempts::new("Linear", &request, OPTIONS, deadline());
        assert_eq!(attempts.after(failed(Retry::MaybeExecuted)).unwrap_err().kind(), Kind::Upstream);
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_seconds_or_a_date_on_the_vendors_clock() {
        let parse = |value: &'static str, date: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
            if let Some(date) = date {
                headers.insert(header::DATE, HeaderValue::from_static(date));
            }
            retry_after(&headers)
        };
        assert_eq!(parse("120", None), Some(Duration::from_secs(120)));
        assert_eq!(parse("0", None), Some(Duration::ZERO));
        assert_eq!(
            parse("Sun, 06 Nov 1994 08:49:37 GMT", Some("Sun, 06 Nov 1994 08:49:30 GMT")),
            Some(Duration::from_secs(7))
        );
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT", None), Some(Duration::ZERO));
        assert_eq!(parse("soon", None), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
