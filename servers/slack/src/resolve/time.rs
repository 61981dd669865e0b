//! Moments of messages, and the user's own days: a day begins where the user is, not in Greenwich.

use connector::{Result, catalog::Calendar, clock};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Now.
pub(crate) fn now() -> Timestamp {
    let seconds = i64::try_from(clock::wall().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

/// Which end of what is said is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its first moment: `since`, `after`.
    First,
    /// Its last moment: `until`, `before`.
    Last,
}

/// The moment in the past that `word` means in `zone`: a time, a day, an age, or the timestamp of a message.
///
/// # Errors
/// `invalid_argument` for anything else.
pub(crate) fn moment(argument: &str, word: &str, zone: &TimeZone, end: End) -> Result<Timestamp> {
    if let Some(at) = super::reference::ts(word).ok().as_deref().and_then(parse_ts) {
        return Ok(at);
    }
    let when = Calendar::new(zone.iana_name()).past(argument, word)?;
    Ok(if end == End::First { when.start() } else { when.end() })
}

/// The moment of a message.
pub(crate) fn parse_ts(ts: &str) -> Option<Timestamp> {
    let (seconds, micros) = ts.split_once('.')?;
    let micros: i64 = micros.get(..6)?.parse().ok()?;
    Timestamp::from_microsecond(seconds.parse::<i64>().ok()?.checked_mul(1_000_000)? + micros).ok()
}

/// A moment as Slack bounds a window: seconds with six decimals, of the end of a day too.
pub(crate) fn bound(moment: Timestamp) -> String {
    format!("{}.{:06}", moment.as_second(), moment.subsec_microsecond())
}

/// The day of a message in `zone`.
pub(crate) fn day_of(ts: &str, zone: &TimeZone) -> Option<Date> {
    Some(parse_ts(ts)?.to_zoned(zone.clone()).date())
}

/// The time of day of a message in `zone`: `08:31`.
pub(crate) fn time_of(ts: &str, zone: &TimeZone) -> String {
    parse_ts(ts).map(|moment| moment.to_zoned(zone.clone()).strftime("%H:%M").to_string()).unwrap_or_default()
}

/// What a zone is called.
pub(crate) fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("UTC").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn today_is_the_users_day_at_both_ends() {
        // https://github.com/korotovsky/slack-mcp-server/issues/257
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        let midnight = now().to_zoned(zone.clone()).start_of_day().unwrap().timestamp();
        assert_eq!(moment("since", "today", &zone, End::First).unwrap(), midnight);
        let hours =
            moment("until", "today", &zone, End::Last).unwrap().duration_since(midnight).as_secs_f64()
                / 3600.0;
        assert!((22.9..=25.0).contains(&hours), "{hours}");
        let date = moment("since", "2026-11-27", &zone, End::First).unwrap();
        assert_eq!(date.to_string(), "2026-11-27T08:00:00Z");
        assert_eq!(moment("until", "2026-11-27", &zone, End::Last).unwrap().as_second(), 1_795_852_799);
        assert_eq!(
            moment("since", "2026-11-27 09:30", &zone, End::First).unwrap().to_string(),
            "2026-11-27T17:30:00Z"
        );
        assert_eq!(
            moment("since", "1764400000.000100", &zone, End::First).unwrap().as_second(),
            1_764_400_000
        );
    }
}
