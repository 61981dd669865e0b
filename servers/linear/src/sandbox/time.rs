//! The fake's time: one instant per request, ISO 8601 as Linear writes it, and the
//! durations that filters take.

use std::time::Duration;

use connector::sandbox::VirtualClock;
use jiff::{Span, Timestamp, Zoned, civil::Date, tz::TimeZone};

/// The moment at which a request is answered.
#[derive(Clone, Debug)]
pub(super) struct Now {
    epoch: Duration,
    zoned: Zoned,
}

impl Now {
    /// The moment `epoch` after the Unix epoch, cut to milliseconds.
    pub(super) fn new(epoch: Duration) -> Self {
        let millis = i64::try_from(epoch.as_millis()).unwrap_or(i64::MAX);
        let timestamp = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        Self { epoch, zoned: timestamp.to_zoned(TimeZone::UTC) }
    }

    /// Milliseconds since the Unix epoch.
    pub(super) fn millis(&self) -> u64 {
        u64::try_from(self.epoch.as_millis()).unwrap_or(u64::MAX)
    }

    /// `2026-11-22T12:00:00.000Z`.
    pub(super) fn iso(&self) -> String {
        VirtualClock::iso(self.epoch)
    }

    /// Now, or just after `last` where that is not earlier: a change always shows in `updatedAt`.
    pub(super) fn after(&self, last: Option<&str>) -> String {
        let now = self.iso();
        match last.and_then(|last| last.parse::<Timestamp>().ok()) {
            Some(last) if now.parse::<Timestamp>().is_ok_and(|now| now <= last) => {
                format!("{:.3}", last + Span::new().milliseconds(1))
            }
            _ => now,
        }
    }

    /// `2026-11-22`.
    pub(super) fn today(&self) -> String {
        self.zoned.date().to_string()
    }

    /// A moment as filters take it: ISO 8601, a date, or a duration from now (`-P7D`, `P2W`).
    /// `None` if it is none of these.
    pub(super) fn moment(&self, text: &str) -> Option<String> {
        if text.trim_start_matches(['-', '+']).starts_with('P') {
            let span: Span = text.parse().ok()?;
            return Some(write(&self.zoned.checked_add(span).ok()?));
        }
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Some(format!("{timestamp:.3}"));
        }
        let date: Date = text.parse().ok()?;
        Some(write(&date.to_zoned(TimeZone::UTC).ok()?))
    }

    /// The same for a date without a time.
    pub(super) fn day(&self, text: &str) -> Option<String> {
        self.moment(text)?.get(..10).map(str::to_owned)
    }
}

fn write(zoned: &Zoned) -> String {
    format!("{:.3}", zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Now {
        Now::new(Duration::from_millis(1_795_348_800_000))
    }

    #[test]
    fn filters_take_times_dates_and_durations() {
        assert_eq!(now().moment("-P7D").as_deref(), Some("2026-11-15T12:00:00.000Z"));
        assert_eq!(now().moment("2026-11-01").as_deref(), Some("2026-11-01T00:00:00.000Z"));
        assert_eq!(now().moment("2026-11-01T10:00:00+02:00").as_deref(), Some("2026-11-01T08:00:00.000Z"));
        assert_eq!(now().day("P2W").as_deref(), Some("2026-12-06"));
        assert_eq!(now().moment("next week"), None);
    }

    #[test]
    fn a_second_change_in_one_millisecond_still_moves_updated_at() {
        assert_eq!(now().after(Some("2026-11-22T12:00:00.000Z")), "2026-11-22T12:00:00.001Z");
        assert_eq!(now().after(Some("2026-11-22T11:00:00.000Z")), "2026-11-22T12:00:00.000Z");
    }
}
