//! Times as people say them in arguments (`2026-11-02`, `yesterday`, `7d`, `next friday`), the same
//! words in every server and for what has been as for what is to come.
//!
//! A date is the whole day, at both ends: `since` and `until` of one day find what happened on it.
//! What has no zone is in the user's, where the vendor tells it, else in UTC. As meanings depend on
//! zone and day, a reply says what was understood: [`Window::describe`], [`When::describe`].

mod spoken;
mod window;

use jiff::{Timestamp, Zoned, civil::Date, tz::TimeZone};

pub use self::window::Window;
use super::{one_line, words};
use crate::{Error, Result, clock};

/// Characters of what was written that errors show.
const SHOWN: usize = 60;

/// Today, and the zone in which a day is meant.
#[derive(Clone, Debug)]
pub struct Calendar {
    now: Zoned,
    /// What replies call the zone.
    zone: String,
}

/// Whether a span or a weekday that says neither is meant as past or as to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Past,
    Ahead,
}

/// A time as it was meant: a moment, or whole days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    start: Timestamp,
    end: Timestamp,
    /// The first day and the last, of what is told in whole days.
    days: Option<(Date, Date)>,
    /// The day that a span of whole days, weeks or months leads to, with its first moment and its last.
    led_to: Option<(Date, Timestamp, Timestamp)>,
    zone: String,
}

impl Calendar {
    /// The calendar of somebody whose vendor calls their zone `name` (`Europe/Berlin`), or in UTC
    /// where it tells none, or one that nobody knows.
    #[must_use]
    pub fn new(name: Option<&str>) -> Self {
        let known = name.map(str::trim).filter(|name| !name.is_empty());
        let known = known.and_then(|name| Some((TimeZone::get(name).ok()?, name.to_owned())));
        let (zone, name) = known.unwrap_or_else(|| (TimeZone::UTC, "UTC".to_owned()));
        Self { now: now().to_zoned(zone), zone: name }
    }

    /// Today's date.
    #[must_use]
    pub fn today(&self) -> Date {
        self.now.date()
    }

    /// A time in the argument called `name` that lies in the past: `7d` is seven days ago, `friday`
    /// the last one before today.
    ///
    /// # Errors
    /// `invalid_argument` for what is no time.
    pub fn past(&self, name: &str, text: &str) -> Result<When> {
        self.read(name, text, Direction::Past)
    }

    /// A time in the argument called `name` that is to come: `7d` is in seven days, `friday` the next
    /// one after today.
    ///
    /// # Errors
    /// `invalid_argument` for what is no time.
    pub fn ahead(&self, name: &str, text: &str) -> Result<When> {
        self.read(name, text, Direction::Ahead)
    }

    /// A day in the argument called `name`, to come if nothing else is said: for what is due.
    ///
    /// # Errors
    /// `invalid_argument` for what is no time, or is more than one day.
    pub fn day(&self, name: &str, text: &str) -> Result<Date> {
        let when = self.ahead(name, text)?;
        match when.days {
            Some((first, last)) if first == last => Ok(first),
            Some((first, last)) => Err(Error::invalid(format!(
                "`{name}` must be one day, and `{}` is {first} to {last}",
                words::short(text, SHOWN)
            ))
            .with_hint(format!("Give one of them, such as {last}"))),
            None => Ok(when.start.to_zoned(self.now.time_zone().clone()).date()),
        }
    }

    /// The time between `since` and `until`, arguments of these names.
    ///
    /// # Errors
    /// `invalid_argument` for what is no time, and where `until` comes first.
    pub fn window(&self, since: Option<&str>, until: Option<&str>) -> Result<Window> {
        let read = |name, text: Option<&str>| {
            let given = text.map(str::trim).filter(|text| !text.is_empty());
            given.map(|text| self.past(name, text)).transpose()
        };
        let window = Window { since: read("since", since)?, until: read("until", until)? };
        match (&window.since, &window.until) {
            (Some(since), Some(until)) if since.start > until.end => Err(Error::invalid(format!(
                "`until` ({}) is before `since` ({})",
                until.describe(),
                since.describe()
            ))
            .with_hint("Give the earlier one as `since`")),
            _ => Ok(window),
        }
    }

    fn read(&self, name: &str, text: &str, direction: Direction) -> Result<When> {
        self.understand(text.trim(), direction).ok_or_else(|| {
            let hint = format!(
                "Use a date such as 2026-11-02, a time such as 2026-11-02T09:00 or tomorrow 09:00 (in {}), a \
                 word such as yesterday or friday, or a span such as 24h, 7d, 2w",
                self.zone
            );
            Error::invalid(format!("`{name}`: `{}` is no time", words::short(text, SHOWN))).with_hint(hint)
        })
    }

    fn moment(&self, moment: Timestamp) -> When {
        When { start: moment, end: moment, days: None, led_to: None, zone: self.zone.clone() }
    }

    fn one_day(&self, date: Date) -> Option<When> {
        self.days(date, date)
    }

    fn days(&self, first: Date, last: Date) -> Option<When> {
        let zone = self.now.time_zone();
        let start = first.to_zoned(zone.clone()).ok()?;
        let end = last.to_zoned(zone.clone()).ok()?.end_of_day().ok()?;
        let zone = self.zone.clone();
        Some(When {
            start: start.timestamp(),
            end: end.timestamp(),
            days: Some((first, last)),
            led_to: None,
            zone,
        })
    }
}

impl When {
    /// Its first moment.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// Its last moment: of a day the last before midnight.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// As a question about days means it: `in 10 days` is the whole of that day, as `tomorrow` is, not the
    /// moment when as many days are over. What is no span of whole days stays as it is.
    #[must_use]
    pub fn whole_days(self) -> Self {
        match self.led_to {
            Some((date, start, end)) => Self { start, end, days: Some((date, date)), led_to: None, ..self },
            None => self,
        }
    }

    /// How a reply tells it: `2026-11-02 (Europe/Berlin)`, `2026-11-02 09:00Z`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.days {
            Some((first, last)) if first == last => format!("{first} ({})", self.zone),
            Some((first, last)) => format!("{first} to {last} ({})", self.zone),
            None => minute(&self.start.to_string()),
        }
    }
}

fn now() -> Timestamp {
    let millis = i64::try_from(clock::wall().as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

/// The day of a moment as vendors write it: `2026-11-30T08:00:00.000Z` gives `2026-11-30`.
#[must_use]
pub fn day(moment: &str) -> &str {
    moment.get(..10).unwrap_or(moment)
}

/// A moment as replies show it, with its zone: `2026-11-30T08:00:00.000Z` gives `2026-11-30 08:00Z`,
/// which arguments take too.
#[must_use]
pub fn minute(moment: &str) -> String {
    match moment.trim().parse::<Timestamp>() {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%MZ").to_string(),
        Err(_) => one_line(moment),
    }
}

/// A moment as replies show it where people live in `zone`, which is told beside it: `2026-11-30 08:00`.
#[must_use]
pub fn minute_in(moment: Timestamp, zone: &TimeZone) -> String {
    moment.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Today's date in UTC.
#[must_use]
pub fn today() -> Date {
    Calendar::new(None).today()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Wednesday, in the evening of UTC and on the next day in Tokyo.
    fn calendar(zone: &str) -> Calendar {
        let now: Timestamp = "2026-11-25T18:30:00Z".parse().unwrap();
        let calendar = Calendar::new(Some(zone));
        Calendar { now: now.to_zoned(calendar.now.time_zone().clone()), ..calendar }
    }

    fn told(zone: &str, past: bool, text: &str) -> String {
        let calendar = calendar(zone);
        let when = if past { calendar.past("since", text) } else { calendar.ahead("due", text) };
        when.unwrap().describe()
    }

    #[test]
    fn what_is_said_of_the_past() {
        for (text, meant) in [
            ("2026-11-02T09:00:00Z", "2026-11-02 09:00Z"),
            ("2026-11-02T09:00+02:00", "2026-11-02 07:00Z"),
            ("2026-11-02 09:00Z", "2026-11-02 09:00Z"),
            ("2026-11-28T15:00:00", "2026-11-28 15:00Z"),
            ("2026-11-28 15:00", "2026-11-28 15:00Z"),
            ("2026-11-02T09:00[Europe/Berlin]", "2026-11-02 08:00Z"),
            ("1795000000", "2026-11-18 11:06Z"),
            ("1795000000.000100", "2026-11-18 11:06Z"),
            ("2026-11-02", "2026-11-02 (UTC)"),
            ("2026/11/02", "2026-11-02 (UTC)"),
            ("2026-02", "2026-02-01 to 2026-02-28 (UTC)"),
            ("2025", "2025-01-01 to 2025-12-31 (UTC)"),
            ("now", "2026-11-25 18:30Z"),
            ("Today", "2026-11-25 (UTC)"),
            ("yesterday", "2026-11-24 (UTC)"),
            ("24h", "2026-11-24 18:30Z"),
            ("7d", "2026-11-18 18:30Z"),
            ("-P7D", "2026-11-18 18:30Z"),
            ("PT90M", "2026-11-25 17:00Z"),
            ("2 weeks", "2026-11-11 18:30Z"),
            ("2 weeks ago", "2026-11-11 18:30Z"),
            ("3m", "2026-08-25 18:30Z"),
            ("wednesday", "2026-11-18 (UTC)"),
            ("fri", "2026-11-20 (UTC)"),
            ("last friday", "2026-11-20 (UTC)"),
            ("this week", "2026-11-23 to 2026-11-29 (UTC)"),
            ("last week", "2026-11-16 to 2026-11-22 (UTC)"),
            ("last 10 days", "2026-11-15 to 2026-11-25 (UTC)"),
            ("the past two weeks", "2026-11-11 to 2026-11-25 (UTC)"),
            ("last month", "2026-10-01 to 2026-10-31 (UTC)"),
            ("this quarter", "2026-10-01 to 2026-12-31 (UTC)"),
            ("Nov 3", "2026-11-03 (UTC)"),
            ("3 December", "2025-12-03 (UTC)"),
            ("December 3rd, 2026", "2026-12-03 (UTC)"),
        ] {
            assert_eq!(told("UTC", true, text), meant, "{text}");
        }
    }

    #[test]
    fn what_is_said_of_what_is_to_come() {
        for (text, meant) in [
            ("tomorrow", "2026-11-26 (UTC)"),
            ("3d", "2026-11-28 18:30Z"),
            ("in 4 hours", "2026-11-25 22:30Z"),
            ("+1w", "2026-12-02 18:30Z"),
            ("friday", "2026-11-27 (UTC)"),
            ("this friday", "2026-11-27 (UTC)"),
            ("next friday", "2026-12-04 (UTC)"),
            ("next monday", "2026-11-30 (UTC)"),
            ("next week", "2026-11-30 to 2026-12-06 (UTC)"),
            ("end of month", "2026-11-30 (UTC)"),
            ("end of the quarter", "2026-12-31 (UTC)"),
            ("3 Nov", "2027-11-03 (UTC)"),
        ] {
            assert_eq!(told("UTC", false, text), meant, "{text}");
        }
    }

    #[test]
    fn days_are_those_of_the_users_zone() {
        assert_eq!(told("Asia/Tokyo", true, "today"), "2026-11-26 (Asia/Tokyo)");
        assert_eq!(told("Europe/Berlin", true, "2026-11-28T15:00"), "2026-11-28 14:00Z");
        assert_eq!(told("Nowhere/Land", true, "today"), "2026-11-25 (UTC)");
        let day = calendar("Europe/Berlin").past("since", "2026-10-25").unwrap();
        // The day on which summer time ends has 25 hours.
        assert_eq!((day.end() - day.start()).get_seconds(), 25 * 3600 - 1);
    }

    #[test]
    fn a_window_of_one_day_holds_that_day() {
        let calendar = calendar("UTC");
        let window = calendar.window(Some("2026-11-24"), Some("2026-11-24")).unwrap();
        let written = |moment: Option<Timestamp>| moment.unwrap().strftime("%FT%TZ").to_string();
        assert_eq!(
            (written(window.start()), written(window.end())),
            ("2026-11-24T00:00:00Z".to_owned(), "2026-11-24T23:59:59Z".to_owned())
        );
        assert_eq!(window.describe(), "on 2026-11-24 (UTC)");
        let told = |since, until| calendar.window(since, until).unwrap().describe();
        assert_eq!(told(Some("7d"), None), "since 2026-11-18 18:30Z");
        assert_eq!(told(Some("last week"), Some("")), "since 2026-11-16 (UTC)");
        assert_eq!(told(Some("last 24 hours"), None), "since 2026-11-24 18:30Z");
        assert_eq!(told(Some("last week"), Some("yesterday")), "2026-11-16 to 2026-11-24 (UTC)");
        assert_eq!(told(Some("7d"), Some("yesterday")), "2026-11-18 18:30Z to 2026-11-24 (UTC)");
        assert_eq!(told(None, None), "");
        let error = calendar.window(Some("today"), Some("7d")).unwrap_err().for_agent();
        assert!(error.contains("`until` (2026-11-18 18:30Z) is before `since`"), "{error}");
    }

    #[test]
    fn an_hour_of_a_day_is_in_the_users_zone() {
        let calendar = calendar("Europe/Stockholm");
        let ahead = |text| calendar.ahead("due", text).map(|when| minute(&when.start().to_string()));
        for (text, meant) in [
            ("in three days at 10:00", "2026-11-28 09:00Z"),
            ("in 3 days at 10:00", "2026-11-28 09:00Z"),
            ("tomorrow 10:00", "2026-11-26 09:00Z"),
            ("Tomorrow at 10", "2026-11-26 09:00Z"),
            ("10:00 tomorrow", "2026-11-26 09:00Z"),
            ("9:30 pm on Friday", "2026-11-27 20:30Z"),
            ("next monday, 12am", "2026-11-29 23:00Z"),
            ("today at 23:59:30", "2026-11-25 22:59Z"),
            ("2026-12-02 at 10:00", "2026-12-02 09:00Z"),
            ("Dec 2 at 10am", "2026-12-02 09:00Z"),
        ] {
            assert_eq!(ahead(text).unwrap(), meant, "{text}");
        }
        assert_eq!(
            minute(&calendar.past("when", "two days ago at 16:00").unwrap().start().to_string()),
            "2026-11-23 15:00Z"
        );
        for wrong in [
            "in 3 hours at 10:00",
            "tomorrow 10",
            "next week at 10:00",
            "tomorrow 25:00",
            "10:00",
            "friday 13 pm",
        ] {
            let error = ahead(wrong).unwrap_err().for_agent();
            assert!(error.contains("2026-11-02T09:00 or tomorrow 09:00 (in Europe/Stockholm)"), "{error}");
        }
    }

    #[test]
    fn a_span_of_days_is_a_whole_day_where_days_are_asked_about() {
        let calendar = calendar("Europe/Berlin");
        for (text, meant) in [
            ("in 10 days", "2026-12-05 (Europe/Berlin)"),
            ("10d", "2026-12-05 (Europe/Berlin)"),
            ("2 weeks", "2026-12-09 (Europe/Berlin)"),
            ("tomorrow", "2026-11-26 (Europe/Berlin)"),
            ("in 4 hours", "2026-11-25 22:30Z"),
            ("in 10 days at 10:00", "2026-12-05 09:00Z"),
        ] {
            assert_eq!(calendar.ahead("due", text).unwrap().whole_days().describe(), meant, "{text}");
        }
        let when = calendar.ahead("due", "in 10 days").unwrap().whole_days();
        assert_eq!(when.start().to_string(), "2026-12-04T23:00:00Z");
        assert_eq!(minute(&when.end().to_string()), "2026-12-05 22:59Z");
    }

    #[test]
    fn a_due_day_is_one_day() {
        let calendar = calendar("UTC");
        assert_eq!(calendar.day("due", "next friday").unwrap().to_string(), "2026-12-04");
        assert_eq!(calendar.day("due", "3d").unwrap().to_string(), "2026-11-28");
        assert_eq!(calendar.day("due", " 2026-12-01 ").unwrap().to_string(), "2026-12-01");
        let error = calendar.day("due", "next week").unwrap_err().for_agent();
        assert!(error.contains("`due` must be one day") && error.contains("2026-12-06"), "{error}");
    }

    #[test]
    fn what_is_no_time_is_refused_by_the_arguments_name() {
        for wrong in [
            "soon",
            "",
            "7",
            "99999999d",
            "P",
            "d7",
            "2026-13-01",
            "2026-02-30",
            "2026-11-28Tx",
            "0x10",
            "3 fortnights",
            "next",
            "last tuesday evening",
            "12/24/2026",
            "99999999999999999999",
        ] {
            let error = calendar("UTC").past("since", wrong).unwrap_err().for_agent();
            assert!(error.starts_with("invalid_argument: `since`: "), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_moment_has_a_day_and_a_minute_with_its_zone() {
        assert_eq!([day("2026-11-30T08:00:00.000Z"), day("?")], ["2026-11-30", "?"]);
        assert_eq!(minute("2026-11-30T08:00:00.000Z"), "2026-11-30 08:00Z");
        assert_eq!(minute("2026-11-30T08:00:00+01:00"), "2026-11-30 07:00Z");
        assert_eq!(minute(""), "");
    }
}
