//! Cycles as compact text: what they hold and how far they are.

use connector::catalog::one_line;
use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::Serialize;

use super::{day, number, projects::percent};
use crate::api::cycles::Cycle;

/// A cycle in structured content.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CycleItem {
    team: String,
    number: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// `current`, `next`, `previous`, `past` or `upcoming`.
    when: &'static str,
    starts_at: String,
    ends_at: String,
    /// Percent of the points, of which those in progress count a quarter.
    progress: u32,
    /// Points in it now.
    scope: f64,
    /// Points done.
    completed_scope: f64,
    issues: u32,
    completed_issues: u32,
}

/// A cycle as a row:
/// `ENG 12 "Polish" current 2026-11-16 → 2026-11-29, done 8 of 20 issues, 15 of 34 points (19 left), scope +4 since its start`.
///
/// Linear's own progress counts points in progress as a quarter done (schema.graphql, `Cycle.progress`), so it
/// fits neither of the counts: where it differs from them, it stands with what it is.
pub(crate) fn cycle_row(cycle: &Cycle) -> (String, CycleItem) {
    let last = |history: &[f64]| history.last().copied().unwrap_or_default();
    let (issues, done) = (last(&cycle.issue_count_history), last(&cycle.completed_issue_count_history));
    let (scope, completed) = (last(&cycle.scope_history), last(&cycle.completed_scope_history));
    let item = CycleItem {
        team: cycle.team.key.clone(),
        number: whole(cycle.number.unwrap_or_default()),
        name: cycle.name.clone().filter(|name| !name.trim().is_empty()),
        when: when(cycle),
        starts_at: cycle.starts_at.clone(),
        ends_at: cycle.ends_at.clone(),
        progress: percent(cycle.progress),
        scope,
        completed_scope: completed,
        issues: whole(issues),
        completed_issues: whole(done),
    };
    let name = item.name.as_deref().map(|name| format!(" \"{}\"", one_line(name))).unwrap_or_default();
    let (first, last_day) = days(&item.starts_at, &item.ends_at, cycle.team.timezone.as_deref());
    let mut row = format!(
        "{} {}{name} {} {first} → {last_day}, done {} of {} issues, {} of {} points",
        one_line(&item.team),
        item.number,
        item.when,
        item.completed_issues,
        item.issues,
        number(tenths(completed)),
        number(tenths(scope)),
    );
    let left = scope - completed;
    if left >= 0.05 {
        row.push_str(&format!(" ({} left)", number(tenths(left))));
    }
    if scope > 0.0 && percent(Some(completed / scope)) != item.progress {
        row.push_str(&format!(", progress {}", progress(cycle.progress)));
    }
    let grown = scope - cycle.scope_history.first().copied().unwrap_or(scope);
    if grown.abs() >= 0.5 {
        let sign = if grown > 0.0 { "+" } else { "-" };
        row.push_str(&format!(", scope {sign}{} since its start", number(tenths(grown.abs()))));
    }
    (row, item)
}

/// The first and the last day of a cycle of a team in `zone`. Linear tells moments, and at the second one the next cycle
/// begins.
pub(crate) fn days(starts_at: &str, ends_at: &str, zone: Option<&str>) -> (String, String) {
    let zone = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    let day_of = |moment: &str, earlier: i64| match moment.trim().parse::<Timestamp>() {
        Ok(at) => {
            let at = Timestamp::from_second(at.as_second() - earlier).unwrap_or(at);
            at.to_zoned(zone.clone()).date().to_string()
        }
        Err(_) => day(moment).to_owned(),
    };
    (day_of(starts_at, 0), day_of(ends_at, 1))
}

/// What Linear calls the progress of a cycle, and why it is more than what is done.
pub(crate) fn progress(progress: Option<f64>) -> String {
    format!("{}% (points in progress count a quarter)", percent(progress))
}

/// Where a cycle is in time.
pub(crate) fn when(cycle: &Cycle) -> &'static str {
    if cycle.is_active {
        "current"
    } else if cycle.is_next {
        "next"
    } else if cycle.is_previous {
        "previous"
    } else if cycle.is_future {
        "upcoming"
    } else {
        "past"
    }
}

fn whole(number: f64) -> u32 {
    number.round().clamp(0.0, f64::from(u32::MAX)) as u32
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cycle begins at midnight where its team is (linear.app/docs/use-cycles), here in winter and over the end of
    /// summer time; one that is completed early ends at that moment (schema.graphql, `Cycle.endsAt`).
    #[test]
    fn the_last_day_is_the_last_on_which_a_cycle_runs() {
        for (zone, starts_at, ends_at, days_of_it) in [
            (
                Some("Europe/Stockholm"),
                "2026-11-15T23:00:00.000Z",
                "2026-11-29T23:00:00.000Z",
                "2026-11-16 2026-11-29",
            ),
            (
                Some("America/Los_Angeles"),
                "2026-10-26T07:00:00.000Z",
                "2026-11-09T08:00:00.000Z",
                "2026-10-26 2026-11-08",
            ),
            (
                Some("Pacific/Auckland"),
                "2026-11-15T11:00:00.000Z",
                "2026-11-29T11:00:00.000Z",
                "2026-11-16 2026-11-29",
            ),
            (None, "2026-11-16T00:00:00.000Z", "2026-11-20T09:30:00.000Z", "2026-11-16 2026-11-20"),
        ] {
            let (first, last) = days(starts_at, ends_at, zone);
            assert_eq!(format!("{first} {last}"), days_of_it, "{zone:?}");
        }
    }
}
