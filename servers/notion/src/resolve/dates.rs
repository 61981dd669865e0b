//! Dates as people write them, to a date of Notion: start, end, zone.

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

/// A date value whole: `{"start", "end", "time_zone"}`.
///
/// A named zone goes neither with an offset nor with a bare date (changelog "time-zone-support"); a bare date
/// stays one.
///
/// # Errors
/// `invalid_argument` for what is no date, or ends before it starts.
pub(crate) fn date(text: &str) -> Result<Value> {
    let text = text.trim();
    let (span, zone) = match text.rsplit_once(' ') {
        Some((span, zone)) if zone.contains('/') && TimeZone::get(zone).is_ok() => (span.trim(), Some(zone)),
        _ => (text, None),
    };
    let (start, end) = match span.split_once('/').or_else(|| span.split_once(" to ")) {
        Some((start, end)) => (moment(start.trim(), text)?, Some(moment(end.trim(), text)?)),
        None => (moment(span, text)?, None),
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
/// UTC, as Notion takes it, and said to be.
///
/// # Errors
/// As [`date`].
pub(crate) fn value(given: &Value, text: &str) -> Result<Value> {
    let mut date = match given {
        Value::Object(fields) if fields.contains_key("start") => {
            let field = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            let end = field("end").map(|end| format!("/{end}")).unwrap_or_default();
            let zone = field("time_zone").map(|zone| format!(" {zone}")).unwrap_or_default();
            self::date(&format!("{}{end}{zone}", field("start").unwrap_or_default()))?
        }
        _ => self::date(text)?,
    };
    let local = |field: &str| date[field].as_str().is_some_and(|text| text.parse::<DateTime>().is_ok());
    let is_day = |field: &str| date[field].as_str().is_none_or(|text| text.len() == 10);
    let exact = |field: &str| date[field].as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok());
    if date["time_zone"].is_null() && local("start") && !is_day("start") && !exact("start") && !exact("end") {
        date["time_zone"] = json!("UTC");
    }
    Ok(date)
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

fn moment(word: &str, whole: &str) -> Result<Moment> {
    if let Some(day) = day(word) {
        return Ok(Moment::Day(day));
    }
    // `tomorrow 09:00`, `next friday at 9:30`.
    if let Some((days, time)) = word.rsplit_once([' ', 'T'])
        && let Some(day) = day(days.trim().trim_end_matches(" at"))
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
        .map_err(|_| Error::invalid(format!("`{}` is no date", one_line(whole))).with_hint(FORMS))
}

/// A day by its date or in words: today, next friday, in 3 days.
pub(crate) fn day(word: &str) -> Option<Date> {
    if word.len() == 10
        && let Ok(day) = word.parse::<Date>()
    {
        return Some(day);
    }
    // Only a day has an hour of its own: a month or "in 3 hours" has none.
    let midnight = Calendar::new(None).ahead("date", &format!("{word} at 00:00")).ok()?;
    Some(midnight.start().to_zoned(TimeZone::UTC).date())
}

/// A date value that something is compared with: also a week, a month or a year, from its first day to its last. What
/// `has_been` is that of a record's own times, so that `7d` is seven days ago.
///
/// # Errors
/// `invalid_argument` for what is no date.
pub(crate) fn compared(text: &str, has_been: bool) -> Result<Value> {
    let calendar = Calendar::new(None);
    if has_been && let Ok(date) = date(&format!("{text} ago")) {
        return Ok(date);
    }
    // A weekday or a day without its year has been: what is written whole is what it is.
    let past = if has_been { calendar.past("where", text).ok() } else { None };
    let past = past.filter(|when| is_day(when) && date(text).is_ok_and(|ahead| ahead["end"].is_null()));
    if let Some(when) = past {
        return Ok(json!({"start": day_of(when.start()), "end": null}));
    }
    let refused = match date(text) {
        Ok(date) => return Ok(date),
        Err(refused) => refused,
    };
    let when = if has_been { calendar.past("where", text) } else { calendar.ahead("where", text) };
    let Ok(when) = when else { return Err(refused) };
    Ok(if when.start() == when.end() {
        json!({"start": when.start().to_string(), "end": null})
    } else {
        json!({"start": day_of(when.start()), "end": day_of(when.end())})
    })
}

fn day_of(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}

/// Whether it is one whole day.
fn is_day(when: &When) -> bool {
    when.start() != when.end() && day_of(when.start()) == day_of(when.end())
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan as _, civil::Weekday};

    use super::*;
    use connector::catalog::today;

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
        let read =
            |given: Value| value(&given, &given.as_str().map_or_else(|| given.to_string(), str::to_owned));
        let backwards = json!({"start": "2026-12-03", "end": "2026-12-01"});
        assert!(read(backwards).unwrap_err().for_agent().contains("ends before it starts"));
        let friday = read(json!({"start": "next friday", "end": null})).unwrap();
        assert_eq!(friday["start"], date("next friday").unwrap()["start"]);
        let madrid = json!({"start": "2026-12-01T09:00:00", "end": null, "time_zone": "Europe/Madrid"});
        assert_eq!(read(madrid.clone()).unwrap(), madrid);
        assert_eq!(read(json!("2026-12-01T09:00")).unwrap()["time_zone"], "UTC");
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
        assert!(compared("soon", false).unwrap_err().for_agent().contains("is no date"));
    }
}
