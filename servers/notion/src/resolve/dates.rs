//! Dates as people write them, to a date of Notion: start, end, zone.

use std::sync::Arc;

use connector::{
    Error, Result,
    catalog::{Calendar, When, one_line},
};
use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use serde_json::{Value, json};

/// Dates of people in a zone: that of the settings, as Notion tells none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dates {
    zone: Option<Arc<str>>,
}

impl Dates {
    /// Those of people in the zone of this name; in UTC without one.
    pub(crate) fn new(zone: Option<&str>) -> Self {
        Self { zone: zone.map(Arc::from) }
    }

    /// The zone's name.
    pub(crate) fn zone_name(&self) -> &str {
        self.zone.as_deref().unwrap_or("UTC")
    }

    /// The calendar there.
    pub(crate) fn calendar(&self) -> Calendar {
        Calendar::new(self.zone.as_deref())
    }

    fn day_of(&self, at: Timestamp) -> Date {
        let zone = self.zone.as_deref().and_then(|zone| TimeZone::get(zone).ok()).unwrap_or(TimeZone::UTC);
        at.to_zoned(zone).date()
    }

    /// A date value whole: `{"start", "end", "time_zone"}`.
    ///
    /// A named zone goes neither with an offset nor with a bare date (changelog "time-zone-support"); a bare date
    /// stays one.
    ///
    /// # Errors
    /// `invalid_argument` for what is no date, or ends before it starts.
    pub(crate) fn date(&self, text: &str) -> Result<Value> {
        let text = text.trim();
        let (span, zone) = match text.rsplit_once(' ') {
            Some((span, zone)) if zone.contains('/') && TimeZone::get(zone).is_ok() => {
                (span.trim(), Some(zone))
            }
            _ => (text, None),
        };
        let (start, end) = match span.split_once('/').or_else(|| span.split_once(" to ")) {
            Some((start, end)) => (self.moment(start.trim(), text)?, Some(self.moment(end.trim(), text)?)),
            None => (self.moment(span, text)?, None),
        };
        let wrong = |why: &str| Err(Error::invalid(format!("`{}`: {why}", one_line(text))).with_hint(FORMS));
        if let Some(end) = &end {
            if start.has_time() != end.has_time() {
                return wrong("start and end must both have a time, or neither");
            }
            if end.order() < start.order() {
                return wrong("it ends before it starts");
            }
        }
        if zone.is_some()
            && [Some(&start), end.as_ref()].into_iter().flatten().any(|at| !matches!(at, Moment::Local(_)))
        {
            return wrong("a time zone goes only with a time that has no offset");
        }
        Ok(json!({"start": start.text(), "end": end.map(|end| end.text()), "time_zone": zone}))
    }

    /// A date that an argument gives, as words or as Notion has it: `{"start", "end", "time_zone"}`. A time of no zone is in
    /// that of the settings, else in UTC as Notion takes it, and said to be.
    ///
    /// # Errors
    /// As [`Self::date`].
    pub(crate) fn value(&self, given: &Value, text: &str) -> Result<Value> {
        let mut date = match given {
            Value::Object(fields) if fields.contains_key("start") => {
                let field =
                    |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
                let end = field("end").map(|end| format!("/{end}")).unwrap_or_default();
                let zone = field("time_zone").map(|zone| format!(" {zone}")).unwrap_or_default();
                self.date(&format!("{}{end}{zone}", field("start").unwrap_or_default()))?
            }
            _ => self.date(text)?,
        };
        let local = |field: &str| date[field].as_str().is_some_and(|text| text.parse::<DateTime>().is_ok());
        let is_day = |field: &str| date[field].as_str().is_none_or(|text| text.len() == 10);
        let exact = |field: &str| date[field].as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok());
        if date["time_zone"].is_null()
            && local("start")
            && !is_day("start")
            && !exact("start")
            && !exact("end")
        {
            date["time_zone"] = json!(self.zone_name());
        }
        Ok(date)
    }

    /// A date value that something is compared with: also a week, a month or a year, from its first day to its last. What
    /// `has_been` is that of a record's own times, so that `7d` is seven days ago.
    ///
    /// # Errors
    /// `invalid_argument` for what is no date.
    pub(crate) fn compared(&self, text: &str, has_been: bool) -> Result<Value> {
        let calendar = self.calendar();
        if has_been && let Ok(date) = self.date(&format!("{text} ago")) {
            return Ok(self.exact(date));
        }
        // A weekday or a day without its year has been: what is written whole is what it is.
        let past = if has_been { calendar.past("where", text).ok() } else { None };
        let past = past
            .filter(|when| self.is_day(when) && self.date(text).is_ok_and(|ahead| ahead["end"].is_null()));
        if let Some(when) = past {
            return Ok(json!({"start": self.day_of(when.start()).to_string(), "end": null}));
        }
        let refused = match self.date(text) {
            Ok(date) => return Ok(self.exact(date)),
            Err(refused) => refused,
        };
        let when = if has_been { calendar.past("where", text) } else { calendar.ahead("where", text) };
        let Ok(when) = when else { return Err(refused) };
        Ok(if when.start() == when.end() {
            json!({"start": when.start().to_string(), "end": null})
        } else {
            json!({"start": self.day_of(when.start()).to_string(), "end": self.day_of(when.end()).to_string()})
        })
    }

    /// The date with times of no zone as those of the settings' zone: a filter names none.
    fn exact(&self, mut date: Value) -> Value {
        let Some(zone) = self.zone.as_deref().and_then(|zone| TimeZone::get(zone).ok()) else { return date };
        for field in ["start", "end"] {
            let local =
                date[field].as_str().filter(|text| text.len() > 10 && text.parse::<Timestamp>().is_err());
            let local = local.and_then(|text| text.parse::<DateTime>().ok());
            if let Some(at) = local.and_then(|local| local.to_zoned(zone.clone()).ok()) {
                date[field] = json!(at.timestamp().to_string());
            }
        }
        date
    }

    fn moment(&self, word: &str, whole: &str) -> Result<Moment> {
        if let Some(day) = self.day(word) {
            return Ok(Moment::Day(day));
        }
        // `tomorrow 09:00`, `next friday at 9:30`.
        if let Some((days, time)) = word.rsplit_once([' ', 'T'])
            && let Some(day) = self.day(days.trim().trim_end_matches(" at"))
            && let Some((hour, minute)) = time.split_once(':')
            && let (Ok(hour), Ok(minute)) = (hour.parse(), minute.parse())
            && let Ok(time) = Time::new(hour, minute, 0, 0)
        {
            return Ok(Moment::Local(day.to_datetime(time)));
        }
        let zoned = word.replace(' ', "T");
        if let Ok(at) = zoned.parse::<Timestamp>() {
            return Ok(Moment::Exact(at, zoned));
        }
        // An offset without seconds: `2026-12-01T09:00+01:00`.
        zoned
            .parse::<DateTime>()
            .map(Moment::Local)
            .map_err(|_| Error::invalid(format!("`{}` is not a date", one_line(whole))).with_hint(FORMS))
    }

    /// A day by its date or in words: today, next friday, in 3 days.
    fn day(&self, word: &str) -> Option<Date> {
        if word.len() == 10
            && let Ok(day) = word.parse::<Date>()
        {
            return Some(day);
        }
        // Only a day has an hour of its own: a month or "in 3 hours" has none.
        let midnight = self.calendar().ahead("date", &format!("{word} at 00:00")).ok()?;
        Some(self.day_of(midnight.start()))
    }

    /// Whether it is one whole day.
    fn is_day(&self, when: &When) -> bool {
        when.start() != when.end() && self.day_of(when.start()) == self.day_of(when.end())
    }
}

/// Whether two dates of Notion's mean the same: an answer has an offset where a request named a zone.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    let moment = |date: &Value, field: &str| -> Option<String> {
        let text = date[field].as_str()?;
        if let Ok(day) = text.parse::<Date>()
            && text.len() == 10
        {
            return Some(day.to_string());
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(at.to_string());
        }
        let zone = date["time_zone"].as_str().map_or(Ok(TimeZone::UTC), TimeZone::get).ok()?;
        Some(text.parse::<DateTime>().ok()?.to_zoned(zone).ok()?.timestamp().to_string())
    };
    ["start", "end"].into_iter().all(|field| moment(a, field) == moment(b, field))
}

const FORMS: &str = "Use 2026-12-01, 2026-12-01/2026-12-03, 2026-12-01T09:00+01:00, \"2026-12-01T09:00 Europe/Madrid\", or a day such \
     as \"next friday\" or \"in 3 days\"";

enum Moment {
    Day(Date),
    Local(DateTime),
    Exact(Timestamp, String),
}

impl Moment {
    fn has_time(&self) -> bool {
        !matches!(self, Self::Day(_))
    }

    /// Comparable among moments of one kind.
    fn order(&self) -> String {
        match self {
            Self::Day(day) => day.to_string(),
            Self::Local(local) => local.to_string(),
            Self::Exact(at, _) => at.to_string(),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Day(day) => day.to_string(),
            Self::Local(local) => local.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            Self::Exact(_, text) => text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan as _, civil::Weekday};

    use super::*;
    use connector::catalog::today;

    fn date(text: &str) -> Result<Value> {
        Dates::default().date(text)
    }

    fn compared(text: &str, has_been: bool) -> Result<Value> {
        Dates::default().compared(text, has_been)
    }

    /// N7. A date is written whole or refused (makenotion/notion-mcp-server#121).
    #[test]
    fn a_date_is_whole_or_refused() {
        let value = |start: &str, end: Option<&str>, zone: Option<&str>| json!({"start": start, "end": end, "time_zone": zone});
        assert_eq!(date("2026-12-01").unwrap(), value("2026-12-01", None, None));
        assert_eq!(date("2026-12-01/2026-12-03").unwrap(), value("2026-12-01", Some("2026-12-03"), None));
        assert_eq!(
            date("2026-12-01T09:00 Europe/Madrid").unwrap(),
            value("2026-12-01T09:00:00", None, Some("Europe/Madrid"))
        );
        assert_eq!(date("2026-12-01T09:00+01:00").unwrap(), value("2026-12-01T09:00+01:00", None, None));
        assert!(date("2026-12-03/2026-12-01").unwrap_err().for_agent().contains("ends before it starts"));
        assert!(date("2026-12-01 Europe/Madrid").is_err() && date("soon").is_err());
        let friday = date("next friday").unwrap()["start"].as_str().unwrap().parse::<Date>().unwrap();
        assert_eq!(friday.weekday(), Weekday::Friday);
        assert!(friday > today());
        let tomorrow = today().tomorrow().unwrap();
        for text in ["tomorrow 09:00", "tomorrow at 9:00"] {
            assert_eq!(date(text).unwrap(), value(&format!("{tomorrow}T09:00:00"), None, None), "{text}");
        }
        assert!(date("tomorrow 25:00").is_err());
        let ahead = today().checked_add(3.days()).unwrap().to_string();
        for text in ["in 3 days", "+3 days", "3 days", "in three days", "3d"] {
            assert_eq!(date(text).unwrap(), value(&ahead, None, None), "{text}");
        }
        assert!(date("next month").is_err() && date("in 3 hours").is_err());
    }

    #[test]
    fn a_date_as_notion_has_it_is_read_too_and_no_zone_is_utc() {
        let read = |given: Value| {
            Dates::default().value(&given, &given.as_str().map_or_else(|| given.to_string(), str::to_owned))
        };
        let backwards = json!({"start": "2026-12-03", "end": "2026-12-01"});
        assert!(read(backwards).unwrap_err().for_agent().contains("ends before it starts"));
        let friday = read(json!({"start": "next friday", "end": null})).unwrap();
        assert_eq!(friday["start"], date("next friday").unwrap()["start"]);
        let madrid = json!({"start": "2026-12-01T09:00:00", "end": null, "time_zone": "Europe/Madrid"});
        assert_eq!(read(madrid.clone()).unwrap(), madrid);
        assert_eq!(read(json!("2026-12-01T09:00")).unwrap()["time_zone"], "UTC");
        let madrid = Dates::new(Some("Europe/Madrid"));
        let local = json!("2026-12-01T09:00");
        assert_eq!(madrid.value(&local, "2026-12-01T09:00").unwrap()["time_zone"], "Europe/Madrid");
        // A day is a day in every zone.
        let day = json!({"start": "2026-12-01", "end": null, "time_zone": null});
        assert_eq!(madrid.value(&json!("2026-12-01"), "2026-12-01").unwrap(), day);
        // Which day it is there: Kiritimati is 14 hours ahead of UTC, Niue 11 behind.
        let today =
            |zone| Dates::new(Some(zone)).date("today").unwrap()["start"].as_str().unwrap().to_owned();
        assert!(today("Pacific/Niue") < today("Pacific/Kiritimati"));
        for whole in ["2026-12-01", "2026-12-01T09:00+01:00", "2026-12-01/2026-12-03"] {
            assert_eq!(read(json!(whole)).unwrap()["time_zone"], Value::Null, "{whole}");
        }
    }

    #[test]
    fn what_is_compared_may_be_a_span_of_days() {
        let value = |start: &str, end: &str| json!({"start": start, "end": end});
        assert_eq!(compared("2026-02", false).unwrap(), value("2026-02-01", "2026-02-28"));
        let ago = today().checked_sub(7.days()).unwrap().to_string();
        assert_eq!(compared("7d", true).unwrap()["start"], ago);
        let ahead = today().checked_add(7.days()).unwrap().to_string();
        assert_eq!(compared("7d", false).unwrap()["start"], ahead);
        // A record's own times have been: the last Monday, the last 20 November.
        for text in ["monday", "friday", "january 2", "december 31"] {
            let day = compared(text, true).unwrap();
            assert!(day["start"].as_str().unwrap() <= today().to_string().as_str(), "{text}: {day}");
            assert!(day["end"].is_null(), "{text}: {day}");
        }
        assert_eq!(compared("2031-01-05", true).unwrap()["start"], "2031-01-05");
        assert_eq!(compared("2026-12-01T09:00+01:00", true).unwrap()["start"], "2026-12-01T09:00+01:00");
        assert!(compared("soon", false).unwrap_err().for_agent().contains("is not a date"));
    }
}
