//! Dates and moments in arguments.

use std::time::Duration;

use connector::{
    Error, Result,
    catalog::{Clear, one_line},
    clock,
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

/// A date in an argument called `name`, checked here because Linear's refusal does not name it.
///
/// # Errors
/// `invalid_argument` for what is no date.
pub(super) fn date(name: &str, given: &Clear<String>) -> Result<Clear<String>> {
    let Clear::Set(text) = given else { return Ok(given.clone()) };
    match text.trim().parse::<Date>() {
        Ok(date) => Ok(Clear::Set(date.to_string())),
        Err(_) => Err(Error::invalid(format!("`{name}` is no date: {}", one_line(text)))
            .with_hint("Write it as 2026-12-31")),
    }
}

/// A moment to come in an argument called `name`: a time, a date (its beginning in UTC), or a while
/// from now (`4h`, `3d`, `1w`).
///
/// # Errors
/// `invalid_argument` for anything else.
pub(super) fn future(name: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(written(moment));
    }
    if let Ok(date) = text.parse::<Date>()
        && let Ok(start) = date.to_zoned(TimeZone::UTC)
    {
        return Ok(written(start.timestamp()));
    }
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let hours = match text[digits.len()..].trim().to_lowercase().as_str() {
        "h" | "hour" | "hours" => 1,
        "d" | "day" | "days" => 24,
        "w" | "week" | "weeks" => 7 * 24,
        _ => 0,
    };
    let hours =
        digits.parse::<i64>().ok().and_then(|number| number.checked_mul(hours)).filter(|hours| *hours > 0);
    hours.and_then(|hours| now().checked_add(SignedDuration::from_hours(hours)).ok()).map(written).ok_or_else(
        || {
            Error::invalid(format!("`{name}` is no time: {}", one_line(text)))
                .with_hint("Write it as 2026-12-31T09:00:00Z, 2026-12-31, or a while such as 4h, 3d, 1w")
        },
    )
}

/// This moment, as Linear writes it.
pub(super) fn this_moment() -> String {
    written(now())
}

/// Whether two ways of writing a moment mean the same.
pub(super) fn same(a: &str, b: &str) -> bool {
    match (a.trim().parse::<Timestamp>(), b.trim().parse::<Timestamp>()) {
        (Ok(a), Ok(b)) => a.as_millisecond() == b.as_millisecond(),
        _ => a.trim() == b.trim(),
    }
}

fn now() -> Timestamp {
    let wall: Duration = clock::wall();
    i64::try_from(wall.as_millis())
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or_default()
}

fn written(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_checked_and_null_passes() {
        let set = |text: &str| Clear::Set(text.to_owned());
        assert_eq!(date("due", &set(" 2026-12-01 ")).unwrap(), set("2026-12-01"));
        assert_eq!(date("due", &Clear::Empty).unwrap(), Clear::Empty);
        let error = date("due", &set("next friday")).unwrap_err().for_agent();
        assert!(error.contains("`due`"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn moments_to_come_are_times_dates_or_whiles() {
        assert_eq!(future("until", "2026-12-31T09:00:00+01:00").unwrap(), "2026-12-31T08:00:00.000Z");
        assert_eq!(future("until", "2026-12-31").unwrap(), "2026-12-31T00:00:00.000Z");
        let day = now().checked_add(SignedDuration::from_hours(24)).unwrap();
        assert_eq!(future("until", "1d").unwrap(), written(day));
        for bad in ["", "soon", "d", "0d", "99999999999999999999d", "3 fortnights"] {
            assert!(future("until", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_same_moment_can_be_written_differently() {
        assert!(same("2026-12-31T09:00:00.000Z", "2026-12-31T10:00:00+01:00"));
        assert!(!same("2026-12-31T09:00:00.000Z", "2026-12-31T09:00:00.001Z"));
    }
}
