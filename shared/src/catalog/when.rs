//! Moments in arguments: what `since` and `until` take, the same words in every server.

use jiff::{Span, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

use super::one_line;
use crate::{Error, Result, clock};

/// A moment as it was said.
#[derive(Clone, Debug)]
pub enum When {
    /// An exact time, with what was written.
    At(Timestamp, String),
    /// A date.
    Day(Date),
    /// So long ago.
    Ago(Box<Span>),
}

impl When {
    /// Reads a time, a date, an age (`24h`, `7d`, `2w`, `3 months`, `P7D`), `today` or `yesterday`.
    ///
    /// # Errors
    /// `invalid_argument` for anything else.
    pub fn parse(word: &str) -> Result<Self> {
        let text = word.trim();
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Self::At(time, text.to_owned()));
        }
        if let Ok(date) = text.parse::<Date>() {
            return Ok(Self::Day(date));
        }
        let age = |span: Span| Self::Ago(Box::new(span));
        let upper = text.trim_start_matches('-').to_uppercase();
        if upper.starts_with('P')
            && let Ok(span) = upper.parse::<Span>()
        {
            return Ok(age(span));
        }
        let digits = upper.trim_end_matches(|c: char| !c.is_ascii_digit());
        // Larger numbers than this are no ages, and would not fit a span.
        if let Some(number) = digits.parse::<i64>().ok().filter(|number| *number < 100_000) {
            match upper[digits.len()..].trim() {
                "H" | "HOUR" | "HOURS" => return Ok(age(number.hours())),
                "D" | "DAY" | "DAYS" => return Ok(age(number.days())),
                "W" | "WEEK" | "WEEKS" => return Ok(age(number.weeks())),
                "M" | "MONTH" | "MONTHS" if number < 1_200 => return Ok(age(number.months())),
                _ => {}
            }
        }
        match upper.as_str() {
            "TODAY" => Ok(Self::Day(today())),
            "YESTERDAY" => Ok(age(1.days())),
            _ => Err(Error::invalid(format!("`{}` is no date and no age", one_line(word)))
                .with_hint("Use a date such as 2026-11-02, or an age such as 24h, 7d, 2w")),
        }
    }

    /// The moment itself, in UTC; a date means its beginning.
    ///
    /// # Errors
    /// `invalid_argument` for an age that no calendar reaches.
    pub fn moment(&self) -> Result<Timestamp> {
        let moment = match self {
            Self::At(time, _) => Ok(*time),
            Self::Day(date) => date.to_zoned(TimeZone::UTC).map(|day| day.timestamp()),
            Self::Ago(span) => {
                now().to_zoned(TimeZone::UTC).checked_sub(**span).map(|moment| moment.timestamp())
            }
        };
        moment.map_err(|_| {
            Error::invalid("The date is too far away").with_hint("Use a date such as 2026-11-02")
        })
    }
}

fn now() -> Timestamp {
    let seconds = i64::try_from(clock::wall().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

/// The day of a moment as vendors write it: `2026-11-30T08:00:00.000Z` gives `2026-11-30`.
#[must_use]
pub fn day(moment: &str) -> &str {
    moment.get(..10).unwrap_or(moment)
}

/// Today's date in UTC.
#[must_use]
pub fn today() -> Date {
    now().to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_a_day() {
        assert_eq!([day("2026-11-30T08:00:00.000Z"), day("?")], ["2026-11-30", "?"]);
    }

    #[test]
    fn times_dates_and_ages_are_told_apart() {
        let ago = |text: &str| match When::parse(text).unwrap() {
            When::Ago(span) => span.to_string(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(
            ["24h", "7d", "2 weeks", "3m", "-P7D", "yesterday"].map(ago),
            ["PT24H", "P7D", "P2W", "P3M", "P7D", "P1D"]
        );
        assert!(matches!(When::parse("2026-11-02T09:00:00Z"), Ok(When::At(..))));
        assert!(matches!(When::parse("2026-11-02"), Ok(When::Day(_))));
        assert_eq!(When::parse("2026-11-02").unwrap().moment().unwrap().to_string(), "2026-11-02T00:00:00Z");
        for wrong in ["soon", "", "7", "99999999d", "P", "d7"] {
            assert!(When::parse(wrong).is_err(), "{wrong}");
        }
    }
}
