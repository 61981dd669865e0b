//! Seeds whose times are offsets from today, made current.

use jiff::{
    Span, ToSpan as _,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde_json::Value;

/// Reads a seed and puts real times in place of offsets: every string that is an offset and nothing
/// else. `D-3T09:15` (three days ago at 09:15 UTC) becomes `2026-11-19T09:15:00.000Z`, `D+5` becomes
/// a date.
///
/// # Errors
/// If `text` is not JSON.
pub fn load(text: &str, today: Date) -> serde_json::Result<Value> {
    let mut seed = serde_json::from_str(text)?;
    date(&mut seed, today);
    Ok(seed)
}

fn date(value: &mut Value, today: Date) {
    match value {
        Value::String(text) => {
            if let Some(moment) = moment(text, today) {
                *text = moment;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| date(value, today)),
        Value::Object(fields) => fields.values_mut().for_each(|value| date(value, today)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What the offset `text` means; none if it is not an offset.
fn moment(text: &str, today: Date) -> Option<String> {
    let offset = text.strip_prefix('D')?;
    if !offset.starts_with(['+', '-']) {
        return None;
    }
    let (days, time) = offset.split_once('T').map_or((offset, None), |(days, time)| (days, Some(time)));
    let span: Span = i32::from(days.parse::<i16>().ok()?).days();
    let day = today.checked_add(span).ok()?;
    let Some(time) = time else { return Some(day.to_string()) };
    let time = Time::strptime("%H:%M", time).ok()?;
    let moment = day.to_datetime(time).to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(format!("{moment:.3}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn offsets_become_times_and_dates_and_nothing_else_changes() {
        let today = jiff::civil::date(2026, 11, 22);
        assert_eq!(moment("D-3T09:15", today).as_deref(), Some("2026-11-19T09:15:00.000Z"));
        assert_eq!(moment("D+0T00:00", today).as_deref(), Some("2026-11-22T00:00:00.000Z"));
        assert_eq!(moment("D+9", today).as_deref(), Some("2026-12-01"));
        for text in ["D", "D3", "D-", "D-3T", "D-3T25:00", "D-3T09:15 and more", "Done", "D-x", ""] {
            assert_eq!(moment(text, today), None, "{text}");
        }
    }

    #[test]
    fn a_seed_is_read_whole() {
        let today = jiff::civil::date(2026, 11, 22);
        let seed = load(r#"{ "rows": [{ "due": "D+0", "n": 1, "spans": [{ "at": "D-1T10:00" }] }] }"#, today);
        let seed = seed.unwrap();
        assert_eq!(seed["rows"][0]["due"], json!("2026-11-22"));
        assert!(seed["rows"][0]["spans"][0]["at"].as_str().unwrap().ends_with("T10:00:00.000Z"));
        assert_eq!(seed["rows"][0]["n"], 1);
    }
}
