//! Times as people say them in arguments (`2026-11-02`, `yesterday`, `7d`, `next friday`), the same
//! words in every server and for what has been as for what is to come.
//!
//! A date is the whole day, at both ends: `since` and `until` of one day find what happened on it.
//! What has no zone is in the user's, where the vendor tells it, else in UTC. As meanings depend on
//! zone and day, a reply says what was understood: [`Window::describe`], [`When::describe`].

use jiff::{
    Span, Timestamp, ToSpan as _, Zoned,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};

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

    fn understand(&self, text: &str, direction: Direction) -> Option<When> {
        let numeric = text.starts_with(|c: char| c.is_ascii_digit());
        if numeric && let Some(when) = self.written_out(text) {
            return Some(when);
        }
        let lower = text.to_lowercase().replace([',', '_'], " ");
        let words: Vec<&str> = lower.split_whitespace().collect();
        match words[..] {
            ["now"] => Some(self.moment(self.now.timestamp())),
            ["today"] => self.days(self.today(), self.today()),
            ["yesterday"] => self.one_day(self.today().yesterday().ok()?),
            ["tomorrow"] => self.one_day(self.today().tomorrow().ok()?),
            ["end", "of", "the", unit] | ["end", "of", unit] => self.one_day(self.period(unit, 0)?.1),
            [which @ ("this" | "last" | "next" | "previous" | "past"), what] => {
                let step = match which {
                    "this" => 0,
                    "next" => 1,
                    _ => -1,
                };
                match weekday(what) {
                    Some(weekday) => self.one_day(self.weekday_of_week(weekday, step)?),
                    None => {
                        let (first, last) = self.period(what, step)?;
                        self.days(first, last)
                    }
                }
            }
            [word] if weekday(word).is_some() => {
                let steps = if direction == Direction::Past { -1 } else { 1 };
                self.one_day(self.today().nth_weekday(steps, weekday(word)?).ok()?)
            }
            _ => self
                .month_and_day(&words, direction)
                .and_then(|date| self.one_day(date))
                .or_else(|| self.span(&lower, direction))
                .or_else(|| self.day_and_hour(&words, direction)),
        }
    }

    /// An hour of a day, in either order: `tomorrow 10:00`, `in three days at 10:00`, `9am on friday`.
    fn day_and_hour(&self, words: &[&str], direction: Direction) -> Option<When> {
        let (at, (time, length)) = (0..words.len())
            .find_map(|at| Some((at, hour(&words[at..], at > 0 && words[at - 1] == "at")?)))?;
        let before = words[..at].strip_suffix(&["at"]).unwrap_or(&words[..at]);
        let day = [before, &words[at + length..]].concat();
        let day = day.strip_prefix(&["on"]).unwrap_or(&day).join(" ");
        let date = match self.understand(&day, direction)? {
            When { days: Some((first, last)), .. } if first == last => first,
            // So many days from now are a day; so many hours are not, nor is what has its hour already.
            When { days: None, start, .. } if self.moved(&day, direction).is_some_and(|(_, whole)| whole) => {
                start.to_zoned(self.now.time_zone().clone()).date()
            }
            _ => return None,
        };
        let zoned = date.to_datetime(time).to_zoned(self.now.time_zone().clone()).ok()?;
        Some(self.moment(zoned.timestamp()))
    }

    /// What is written in digits: a time with its zone or without, a date, a month, a year, seconds
    /// since 1970.
    fn written_out(&self, text: &str) -> Option<When> {
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Some(self.moment(moment));
        }
        if let Ok(zoned) = text.parse::<Zoned>() {
            return Some(self.moment(zoned.timestamp()));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'/' | b'.')) {
            let seconds = text.split('.').next().unwrap_or_default();
            if (9..=10).contains(&seconds.len())
                && let Ok(seconds) = seconds.parse()
            {
                return Timestamp::from_second(seconds).ok().map(|moment| self.moment(moment));
            }
            let parts: Vec<i16> = text.split(['-', '/']).map(str::parse).collect::<Result<_, _>>().ok()?;
            let year = *parts.first().filter(|year| (1900..3000).contains(*year))?;
            let part = |at: usize| parts.get(at).map(|part| i8::try_from(*part).unwrap_or(0));
            let last_of = |first: Date| first.checked_add(1.month()).ok()?.yesterday().ok();
            return match (part(1), part(2), parts.len()) {
                (Some(month), Some(day), 3) => self.one_day(Date::new(year, month, day).ok()?),
                (Some(month), None, 2) => {
                    let first = Date::new(year, month, 1).ok()?;
                    self.days(first, last_of(first)?)
                }
                (None, None, 1) => self.days(Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?),
                _ => None,
            };
        }
        let local = text.get(10..)?.starts_with(['T', 't', ' ']).then(|| text.parse::<DateTime>())?.ok()?;
        let zoned = local.to_zoned(self.now.time_zone().clone()).ok()?;
        Some(self.moment(zoned.timestamp()))
    }

    /// A day and the name of its month, in either order, with its year or in the year that is nearest
    /// in the direction.
    fn month_and_day(&self, words: &[&str], direction: Direction) -> Option<Date> {
        let (month, day, year) = match words {
            [a, b] => (*a, *b, None),
            [a, b, year] => (*a, *b, Some(year.parse::<i16>().ok()?)),
            _ => return None,
        };
        let (month, day) =
            month_named(month).map(|month| (month, day)).or_else(|| Some((month_named(day)?, month)))?;
        let day = day.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '.').parse::<i8>().ok()?;
        let today = self.today();
        if let Some(year) = year {
            return Date::new(year, month, day).ok();
        }
        let years = match direction {
            Direction::Past => [today.year(), today.year() - 1],
            Direction::Ahead => [today.year(), today.year() + 1],
        };
        years.into_iter().filter_map(|year| Date::new(year, month, day).ok()).find(|date| match direction {
            Direction::Past => *date <= today,
            Direction::Ahead => *date >= today,
        })
    }

    /// A span from now: `7d`, `in 2 weeks`, `3 months ago`, `-24h`, `P7D`.
    fn span(&self, text: &str, direction: Direction) -> Option<When> {
        let (moved, whole) = self.moved(text, direction)?;
        let day = if whole { self.one_day(moved.date()) } else { None };
        let led_to = day.map(|day| (moved.date(), day.start, day.end));
        Some(When { led_to, ..self.moment(moved.timestamp()) })
    }

    /// Now moved by a span, and whether that is one of whole days.
    fn moved(&self, text: &str, direction: Direction) -> Option<(Zoned, bool)> {
        let (text, direction) = if let Some(rest) = text.strip_suffix("ago") {
            (rest, Direction::Past)
        } else if let Some(rest) = text.strip_prefix("in ").or_else(|| text.strip_prefix('+')) {
            (rest, Direction::Ahead)
        } else if let Some(rest) = text.strip_prefix('-') {
            (rest, Direction::Past)
        } else {
            (text, direction)
        };
        let text = text.trim();
        let span: Span =
            if text.starts_with('p') { text.to_uppercase().parse().ok()? } else { unit_span(text)? };
        let moved = match direction {
            Direction::Past => self.now.checked_sub(span),
            Direction::Ahead => self.now.checked_add(span),
        };
        Some((moved.ok()?, span.get_hours() == 0 && span.get_minutes() == 0 && span.get_seconds() == 0))
    }

    /// The weekday of the week that is so many weeks away. Weeks begin on Monday. The last of its name
    /// is the latest before today, in whatever week.
    fn weekday_of_week(&self, weekday: Weekday, weeks: i64) -> Option<Date> {
        if weeks < 0 {
            return self.today().nth_weekday(-1, weekday).ok();
        }
        let (monday, _) = self.period("week", weeks)?;
        monday.checked_add(i64::from(weekday.to_monday_zero_offset()).days()).ok()
    }

    /// The first day and the last of the week, month, quarter or year that is so many away.
    fn period(&self, unit: &str, steps: i64) -> Option<(Date, Date)> {
        let today = self.today();
        let (first, length) = match unit.trim_end_matches('s') {
            "week" => {
                let since_monday = i64::from(today.weekday().to_monday_zero_offset());
                (today.checked_sub(since_monday.days()).ok()?, 1.week())
            }
            "month" => (today.first_of_month(), 1.month()),
            "quarter" => {
                let month = (today.month() - 1) / 3 * 3 + 1;
                (Date::new(today.year(), month, 1).ok()?, 3.months())
            }
            "year" => (Date::new(today.year(), 1, 1).ok()?, 1.year()),
            _ => return None,
        };
        let first = first.checked_add(length.checked_mul(steps).ok()?).ok()?;
        Some((first, first.checked_add(length).ok()?.yesterday().ok()?))
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

/// From when until when something is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    since: Option<When>,
    until: Option<When>,
}

impl Window {
    /// Its first moment, if it has one.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        self.since.as_ref().map(When::start)
    }

    /// Its last moment, if it has one: what happened then is in it.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.until.as_ref().map(When::end)
    }

    /// Whether it leaves nothing out.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }

    /// How a reply tells it: `since 2026-11-22 10:15Z`, `on 2026-11-28 (UTC)`; empty for all time.
    #[must_use]
    pub fn describe(&self) -> String {
        match (&self.since, &self.until) {
            (None, None) => String::new(),
            (Some(since), None) => format!("since {}", since.begin()),
            (None, Some(until)) => format!("until {}", until.finish()),
            (Some(since), Some(until)) if since == until && since.days.is_some_and(|(a, b)| a == b) => {
                format!("on {}", since.describe())
            }
            (Some(since), Some(until)) => match (since.days, until.days) {
                (Some((first, _)), Some((_, last))) => format!("{first} to {last} ({})", since.zone),
                _ => format!("{} to {}", since.begin(), until.finish()),
            },
        }
    }
}

impl When {
    fn begin(&self) -> String {
        match self.days {
            Some((first, _)) => format!("{first} ({})", self.zone),
            None => self.describe(),
        }
    }

    fn finish(&self) -> String {
        match self.days {
            Some((_, last)) => format!("{last} ({})", self.zone),
            None => self.describe(),
        }
    }
}

/// So many of a unit. More than 100,000 of anything is no time that somebody means.
fn unit_span(text: &str) -> Option<Span> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text[digits.len()..].trim();
    let (number, unit) = match digits {
        "" => {
            let (number, unit) = unit.split_once(' ')?;
            (number_named(number)?, unit.trim())
        }
        digits => (digits.parse::<i64>().ok().filter(|number| *number < 100_000)?, unit),
    };
    match unit {
        "min" | "mins" | "minute" | "minutes" => number.minutes(),
        "h" | "hr" | "hrs" | "hour" | "hours" => number.hours(),
        "d" | "day" | "days" => number.days(),
        "w" | "wk" | "week" | "weeks" => number.weeks(),
        "m" | "mo" | "month" | "months" if number < 1_200 => number.months(),
        "y" | "yr" | "year" | "years" if number < 100 => number.years(),
        _ => return None,
    }
    .into()
}

/// A small number in words.
fn number_named(word: &str) -> Option<i64> {
    const NUMBERS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    if matches!(word, "a" | "an") {
        return Some(1);
    }
    let place = NUMBERS.iter().position(|number| *number == word)?;
    i64::try_from(place + 1).ok()
}

/// The hour that `words` begin with, and how many of them say it: `10:00`, `9:30pm`, `9 am`; a number by itself
/// only after `at`.
fn hour(words: &[&str], after_at: bool) -> Option<(Time, usize)> {
    let first = words.first()?;
    let bare = first.trim_end_matches("am").trim_end_matches("pm");
    let (half, length) = match (first.strip_prefix(bare)?, words.get(1)) {
        ("", Some(half @ (&"am" | &"pm"))) => (*half, 2),
        (half, _) => (half, 1),
    };
    let mut parts = bare.split(':').map(|part| part.parse::<i8>().ok().filter(|_| part.len() <= 2));
    let (hour, minute, second) = (parts.next()??, parts.next(), parts.next());
    if parts.next().is_some() || (minute.is_none() && half.is_empty() && !after_at) {
        return None;
    }
    let hour = match (half, hour) {
        ("", hour) => hour,
        (_, hour) if !(1..=12).contains(&hour) => return None,
        ("am", hour) => hour % 12,
        (_, hour) => hour % 12 + 12,
    };
    let time = Time::new(hour, minute.unwrap_or(Some(0))?, second.unwrap_or(Some(0))?, 0).ok()?;
    Some((time, length))
}

fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "mon" | "monday" => Weekday::Monday,
        "tue" | "tues" | "tuesday" => Weekday::Tuesday,
        "wed" | "wednesday" => Weekday::Wednesday,
        "thu" | "thur" | "thurs" | "thursday" => Weekday::Thursday,
        "fri" | "friday" => Weekday::Friday,
        "sat" | "saturday" => Weekday::Saturday,
        "sun" | "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

fn month_named(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.trim_end_matches('.');
    let place = MONTHS.iter().position(|month| word.len() >= 3 && month.starts_with(word))?;
    i8::try_from(place + 1).ok()
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
