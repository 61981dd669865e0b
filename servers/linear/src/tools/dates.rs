//! Moments as Linear writes them.

use connector::{Result, clock};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Linear;

/// The condition that something was `done` (`changed`) `since` a time, and how a reply tells it.
///
/// # Errors
/// `invalid_argument` for what is no time; as [`Linear::calendar`].
pub(super) async fn since(server: &Linear, done: &str, since: &str) -> Result<(Value, String)> {
    let when = server.calendar().await?.past("since", since)?;
    Ok((json!({"gte": when.start().to_string()}), format!("{done} since {}", when.describe())))
}

/// This moment, as Linear writes it.
pub(super) fn this_moment() -> String {
    let wall = i64::try_from(clock::wall().as_millis()).ok();
    written(wall.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default())
}

/// Whether two ways of writing a moment mean the same.
pub(super) fn same(a: &str, b: &str) -> bool {
    match (a.trim().parse::<Timestamp>(), b.trim().parse::<Timestamp>()) {
        (Ok(a), Ok(b)) => a.as_millisecond() == b.as_millisecond(),
        _ => a.trim() == b.trim(),
    }
}

/// A moment, as Linear writes it.
pub(super) fn written(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_moment_can_be_written_differently() {
        assert!(same("2026-12-31T09:00:00.000Z", "2026-12-31T10:00:00+01:00"));
        assert!(!same("2026-12-31T09:00:00.000Z", "2026-12-31T09:00:00.001Z"));
    }
}
