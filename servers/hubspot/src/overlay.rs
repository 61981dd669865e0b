//! One's own writes inside the lag of the search index: remembered for a while, so that a search that the index
//! cannot answer yet is answered all the same.

use std::{
    cmp::Ordering,
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use tokio::time::Instant;

use crate::{
    api::objects::{Filter, MAX_BATCH, Record, Search},
    resolve::ObjectType,
};

/// How long the index may lag. "After a few moments" says HubSpot; people have seen 30 seconds.
const LAG: Duration = Duration::from_secs(60);
/// How many writes are remembered.
const KEPT: usize = 1_000;

/// The records that were written here a short while ago.
#[derive(Debug, Default)]
pub(crate) struct RecentWrites(Mutex<VecDeque<Written>>);

#[derive(Debug)]
struct Written {
    object: String,
    id: String,
    at: Instant,
}

impl RecentWrites {
    /// Notes records that were written.
    pub(crate) fn note<'a>(&self, object: &ObjectType, ids: impl IntoIterator<Item = &'a str>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        for id in ids {
            all.retain(|one| one.object != object.id || one.id != id);
            all.push_back(Written { object: object.id.clone(), id: id.to_owned(), at: now });
        }
        while all.len() > KEPT {
            all.pop_front();
        }
    }

    /// The records of a type that the index may not know yet, the latest first; one batch at most.
    pub(crate) fn of(&self, object: &ObjectType) -> Vec<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.retain(|one| now.duration_since(one.at) < LAG);
        let own = all.iter().rev().filter(|one| one.object == object.id);
        own.take(MAX_BATCH).map(|one| one.id.clone()).collect()
    }
}

/// Whether a record fits a search, as far as its properties tell. `searched` are those in which a text is
/// looked for.
pub(crate) fn fits(search: &Search, record: &Record, searched: &[&str]) -> bool {
    let text = || {
        let values = searched.iter().map(|name| record.get(name).to_lowercase());
        values.collect::<Vec<_>>().join(" ")
    };
    let query = search.query.to_lowercase();
    let found = query.is_empty() || {
        let text = text();
        query.split_whitespace().all(|word| text.contains(word))
    };
    found
        && (search.groups.is_empty()
            || search.groups.iter().any(|group| group.iter().all(|filter| holds(filter, record))))
}

fn holds(filter: &Filter, record: &Record) -> bool {
    let own = record.get(&filter.property_name);
    let value = filter.value.as_deref().unwrap_or_default();
    let known = !own.is_empty();
    let order = || compare(own, value);
    let is_one = |wanted: &str| own.eq_ignore_ascii_case(wanted) || own.split(';').any(|one| one == wanted);
    let has_token = || {
        let wanted = value.trim_matches('*').to_lowercase();
        own.to_lowercase().contains(&wanted)
    };
    match filter.operator {
        "HAS_PROPERTY" => known,
        "NOT_HAS_PROPERTY" => !known,
        "EQ" => known && (is_one(value) || order().is_some_and(Ordering::is_eq)),
        "NEQ" => !known || !(is_one(value) || order().is_some_and(Ordering::is_eq)),
        "LT" => known && order().is_some_and(Ordering::is_lt),
        "LTE" => known && order().is_some_and(Ordering::is_le),
        "GT" => known && order().is_some_and(Ordering::is_gt),
        "GTE" => known && order().is_some_and(Ordering::is_ge),
        "BETWEEN" => {
            let high = filter.high_value.as_deref().unwrap_or_default();
            known && order().is_some_and(Ordering::is_ge) && compare(own, high).is_some_and(Ordering::is_le)
        }
        "IN" => known && filter.values.iter().any(|wanted| is_one(wanted)),
        "NOT_IN" => !filter.values.iter().any(|wanted| is_one(wanted)),
        "CONTAINS_TOKEN" => known && has_token(),
        "NOT_CONTAINS_TOKEN" => !has_token(),
        // What the properties do not tell is the index's to judge.
        _ => false,
    }
}

/// Compares as numbers, moments or texts, whichever both are.
pub(crate) fn compare(a: &str, b: &str) -> Option<Ordering> {
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.partial_cmp(&b),
        _ => Some(a.to_lowercase().cmp(&b.to_lowercase())),
    }
}

/// A number, or a moment in milliseconds.
fn number(text: &str) -> Option<f64> {
    let moment = || text.parse::<Timestamp>().ok().map(|at| at.as_millisecond() as f64);
    let day = || {
        let day = text.parse::<Date>().ok().filter(|_| text.len() == 10)?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond() as f64)
    };
    text.parse().ok().or_else(moment).or_else(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_judged_as_the_index_judges_them() {
        let mut record = Record { id: "7".to_owned(), ..Record::default() };
        for (name, value) in
            [("amount", "12000"), ("closedate", "2026-12-01T11:00:00.000Z"), ("email", "Ana@x.example")]
        {
            record.properties.insert(name.to_owned(), Some(value.to_owned()));
        }
        let holds =
            |filter: Filter| fits(&Search { groups: vec![vec![filter]], ..Search::default() }, &record, &[]);
        assert!(holds(Filter::value("amount", "GTE", "9000")));
        assert!(!holds(Filter::value("amount", "LT", "9000")));
        assert!(holds(Filter::value("email", "EQ", "ana@x.example")));
        assert!(
            holds(Filter::new("phone", "NOT_HAS_PROPERTY"))
                && !holds(Filter::new("amount", "NOT_HAS_PROPERTY"))
        );
        let november = Filter {
            high_value: Some("1796083199999".to_owned()),
            ..Filter::value("closedate", "BETWEEN", "1793491200000")
        };
        assert!(!holds(november), "1 December is not in November");
        assert!(holds(Filter::value("closedate", "GT", "1793491200000")));
    }
}
