//! A create whose answer was lost. GitHub takes no key that would make a repeat harmless, so what it may
//! have made is looked for, and nothing is ever made twice.

use connector::{Kind, Result, catalog::settled, clock};
use jiff::{SignedDuration, Timestamp};

/// How much older than the attempt something may be and still be of it: clocks differ a little.
const SLACK: SignedDuration = SignedDuration::from_secs(120);

/// What a write that ended as `sent` made, and whether its answer was lost and `look` found it.
///
/// # Errors
/// The failure, unless what it made was found.
pub(crate) async fn found<T>(sent: Result<T>, look: impl Future<Output = Option<T>>) -> Result<(T, bool)> {
    settled(sent, &[Kind::UnknownOutcome], look).await
}

/// The first sentence of the reply about something `made` ("opened a/b#1"), whose answer may have been lost.
pub(crate) fn told(lost: bool, made: &str) -> String {
    if lost {
        return format!("GitHub's answer was lost, but it is done: {made}.");
    }
    let mut letters = made.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// When a create was begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun(Timestamp);

impl Begun {
    /// Now.
    pub(crate) fn now() -> Self {
        let seconds = i64::try_from(clock::wall().as_secs()).unwrap_or(i64::MAX);
        Self(Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX))
    }

    fn earliest(self) -> Timestamp {
        self.0.checked_sub(SLACK).unwrap_or(Timestamp::MIN)
    }

    /// The earliest time of what it may have made, as GitHub's `since` takes it.
    pub(crate) fn since(self) -> String {
        self.earliest().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Whether something made at `created_at` may be of this attempt.
    pub(crate) fn may_have_made(self, created_at: &str) -> bool {
        created_at.parse::<Timestamp>().is_ok_and(|made| made >= self.earliest())
    }
}

/// Whether two texts are one: GitHub keeps them but for the ends of lines.
pub(crate) fn same_text(a: &str, b: &str) -> bool {
    a.trim_end().lines().eq(b.trim_end().lines())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_attempt_is_not_of_it() {
        let begun = Begun("2026-11-22T10:02:00Z".parse().unwrap());
        assert_eq!(begun.since(), "2026-11-22T10:00:00Z");
        assert!(begun.may_have_made("2026-11-22T10:00:30Z"));
        assert!(!begun.may_have_made("2026-11-22T09:59:59Z"));
        assert!(!begun.may_have_made("yesterday"));
        assert_eq!(told(false, "opened a/b#1"), "Opened a/b#1.");
        assert!(told(true, "opened a/b#1").ends_with("it is done: opened a/b#1."));
        assert!(same_text("a\r\nb\n", "a\nb") && !same_text("a", "a b"));
    }
}
