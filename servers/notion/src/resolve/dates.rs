//! Dates as people write them, to a date of Notion: start, end, zone.

use connector::{
    Error, Result,
    catalog::{one_line, today},
};
use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime, Time, Weekday},
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
     as \"next friday\"";

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

/// A day by its date or a word: today, tomorrow, friday, next friday.
pub(crate) fn day(word: &str) -> Option<Date> {
    if word.len() == 10
        && let Ok(day) = word.parse::<Date>()
    {
        return Some(day);
    }
    let today = today();
    let word = word.to_lowercase();
    let step = match word.as_str() {
        "today" => Some(0),
        "tomorrow" => Some(1),
        "yesterday" => Some(-1),
        _ => None,
    };
    if let Some(step) = step {
        return today.checked_add(step.days()).ok();
    }
    let name = word.strip_prefix("next ").or_else(|| word.strip_prefix("this ")).unwrap_or(&word);
    let weekday = match name {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    };
    today.nth_weekday(1, weekday).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
