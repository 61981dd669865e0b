//! Dates as people write them, to a date of Notion: start, end, zone.

use connector::{
    Error, Result,
    catalog::{Calendar, one_line},
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
    if has_been && let Ok(date) = date(&format!("{text} ago")) {
        return Ok(date);
    }
    let refused = match date(text) {
        Ok(date) => return Ok(date),
        Err(refused) => refused,
    };
    let calendar = Calendar::new(None);
    let when = if has_been { calendar.past("where", text) } else { calendar.ahead("where", text) };
    let Ok(when) = when else { return Err(refused) };
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date().to_string();
    Ok(if when.start() == when.end() {
        json!({"start": when.start().to_string(), "end": null})
    } else {
        json!({"start": day(when.start()), "end": day(when.end())})
    })
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
    fn what_is_compared_may_be_a_span_of_days() {
        let value = |start: &str, end: &str| json!({"start": start, "end": end});
        assert_eq!(compared("2026-02", false).unwrap(), value("2026-02-01", "2026-02-28"));
        let ago = today().checked_sub(7.days()).unwrap().to_string();
        assert_eq!(compared("7d", true).unwrap()["start"], ago);
        let ahead = today().checked_add(7.days()).unwrap().to_string();
        assert_eq!(compared("7d", false).unwrap()["start"], ahead);
        assert!(compared("soon", false).unwrap_err().for_agent().contains("is no date"));
    }
}
