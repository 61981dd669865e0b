//! The words of times: days, periods, spans, hours, months.

use jiff::{
    Span, Timestamp, ToSpan as _, Zoned,
    civil::{Date, DateTime, Time, Weekday},
};

use super::{Calendar, Direction, When};

impl Calendar {
    pub(super) fn understand(&self, text: &str, direction: Direction) -> Option<When> {
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
                .or_else(|| self.stretch(&words))
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

    /// What has just passed, or begins now: `last 10 days`, `the past two weeks`, `next 24 hours`. Whole days count with
    /// all of today.
    fn stretch(&self, words: &[&str]) -> Option<When> {
        let (which, length) = words.strip_prefix(&["the"]).unwrap_or(words).split_first()?;
        let direction = match *which {
            "last" | "past" | "previous" => Direction::Past,
            "next" => Direction::Ahead,
            _ => return None,
        };
        let (moved, whole) = self.moved(&length.join(" "), direction)?;
        let (first, last) = if moved < self.now { (&moved, &self.now) } else { (&self.now, &moved) };
        if whole {
            return self.days(first.date(), last.date());
        }
        Some(When { end: last.timestamp(), ..self.moment(first.timestamp()) })
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
