//! The one error type of the suite: what kind of thing went wrong, whether trying again is safe,
//! and what the person or agent at the other end should do.

use std::{borrow::Cow, error::Error as StdError, fmt, time::Duration};

/// A result whose error can be shown to an agent.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the words an agent sees in front of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The caller's arguments are wrong; the message names the argument and what is accepted.
    InvalidArgument,
    /// The thing named does not exist, or the credential cannot see it.
    NotFound,
    /// The target changed since it was read, or already exists.
    Conflict,
    /// The credential is missing, expired or refused.
    Auth,
    /// The credential is good but lacks a right; the message names the missing scope.
    Permission,
    /// This server's own configuration forbids it.
    Policy,
    /// The vendor's (or our own) budget is used up; `retry_after` says when there is more.
    RateLimited,
    /// The vendor failed, or answered with something that is not an answer.
    Upstream,
    /// The circuit breaker is open: the vendor failed too often just now to be asked.
    Unavailable,
    /// A write was sent and its outcome could not be learned. Never repeated blindly.
    UnknownOutcome,
    /// The client cancelled the call.
    Cancelled,
    /// A bug of ours.
    Internal,
}

impl Kind {
    /// The word shown to agents and used as a metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArgument => "invalid_argument",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Auth => "auth",
            Self::Permission => "permission",
            Self::Policy => "policy",
            Self::RateLimited => "rate_limited",
            Self::Upstream => "upstream",
            Self::Unavailable => "unavailable",
            Self::UnknownOutcome => "unknown_outcome",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the same request may be sent again, judged once where the failure is classified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same request would fail the same way.
    Never,
    /// The vendor certainly did not execute it (not sent, or refused before execution):
    /// safe to repeat, writes included.
    NotExecuted,
    /// It may have been executed: safe to repeat only for reads and writes the vendor makes idempotent.
    MaybeExecuted,
}

/// What went wrong, whether to try again, and what to do about it.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    retry: Retry,
    message: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    operation: Option<&'static str>,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    repeated: bool,
    own_budget: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` that is not to be retried. `message` is one sentence without its kind.
    pub fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            retry: Retry::Never,
            message: message.into(),
            hint: None,
            operation: None,
            retry_after: None,
            request_id: None,
            repeated: false,
            own_budget: false,
            source: None,
        }))
    }

    /// Shorthand for the commonest error of a tool.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::InvalidArgument, message)
    }

    /// Shorthand: `what` does not exist or cannot be seen.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// Shorthand for a bug of ours.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Internal, message)
    }

    /// Says what to do about it, as a sentence.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says whether the same request may be sent again.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Says when trying again can succeed, by the vendor's own word.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Names the upstream operation that failed. The innermost name stays.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// Adds the vendor's request id, for a support ticket.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.0.request_id = Some(id.into());
        self
    }

    /// Says that it answers a repetition, before which the same write may have been carried out.
    #[must_use]
    pub fn with_repeated(mut self) -> Self {
        self.0.repeated = true;
        self
    }

    /// Says that the budget which is used up is the one that is kept here: the vendor was not asked, and has refused
    /// nothing.
    #[must_use]
    pub fn with_own_budget(mut self) -> Self {
        self.0.own_budget = true;
        self
    }

    /// Keeps the cause, for logs. It is never shown to an agent.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whether the same request may be sent again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// One sentence: what happened.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// One sentence: what to do, where known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// When trying again can succeed, where known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The vendor's request id, where it gave one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Whether it answers a repetition, before which the same write may have been carried out: what is
    /// not there may have been removed by it.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.0.repeated
    }

    /// Whether the budget which is used up is the one that is kept here, so that the vendor has refused nothing.
    #[must_use]
    pub fn is_own_budget(&self) -> bool {
        self.0.own_budget
    }

    /// The upstream operation that failed, where there was one.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The same error, said of `argument`: its path in the arguments of the call.
    pub(crate) fn with_argument(mut self, argument: &str) -> Self {
        self.0.message = format!("`{argument}`: {}", self.0.message).into();
        self
    }

    /// What an agent reads: `kind: what happened. What to do.` and, where known,
    /// when to retry (whole seconds, rounded up) and the vendor's request id.
    #[must_use]
    pub fn for_agent(&self) -> String {
        let mut text = format!("{}: {}", self.0.kind, sentence(&self.0.message));
        if let Some(hint) = &self.0.hint {
            text.push(' ');
            text.push_str(&sentence(hint));
        }
        if let Some(after) = self.0.retry_after {
            let seconds = after.as_millis().div_ceil(1000);
            text.push_str(&format!(" retry_after_s: {seconds}."));
        }
        if let Some(id) = &self.0.request_id {
            text.push_str(&format!(" request_id: {id}."));
        }
        text
    }
}

/// `text` with a full stop, unless it ends in punctuation already.
pub(crate) fn sentence(text: &str) -> Cow<'_, str> {
    match text.trim_end().chars().last() {
        Some('.' | '!' | '?' | ':') | None => Cow::Borrowed(text.trim_end()),
        Some(_) => Cow::Owned(format!("{}.", text.trim_end())),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&self.for_agent())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_reads_what_happened_and_what_to_do() {
        let error = Error::new(Kind::RateLimited, "Linear's request budget is used up")
            .with_hint("Wait, or ask for fewer rows")
            .with_retry_after(Duration::from_millis(1_200))
            .with_request_id("req_1")
            .with_operation("ListIssues");
        assert_eq!(
            error.for_agent(),
            "rate_limited: Linear's request budget is used up. Wait, or ask for fewer rows. retry_after_s: 2. request_id: req_1."
        );
    }

    #[test]
    fn the_cause_is_kept_for_logs_but_not_shown() {
        let error = Error::internal("it broke").with_source("secret detail");
        assert!(!error.for_agent().contains("secret"));
        assert_eq!(StdError::source(&error).map(ToString::to_string).as_deref(), Some("secret detail"));
    }
}
