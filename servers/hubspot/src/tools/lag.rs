//! One's own writes in a search whose index does not know them yet.

use std::cmp::Ordering;

use connector::{Result, catalog::Call};

use crate::{
    HubSpot,
    api::objects::{Record, Search},
    overlay,
    resolve::ObjectType,
};

/// A page of a search as it is with what was written here a moment ago.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// Those in the page that the index did not have so.
    pub(super) shown: Vec<String>,
    /// Those whose place is further down.
    pub(super) later: Vec<String>,
    /// Those in the page whose place the index has, in its order.
    pub(super) indexed: Vec<String>,
}

impl Fresh {
    /// How many rows of the index a reader is past who has seen these records, and no row is lost.
    pub(super) fn past(&self, seen: &[Record]) -> usize {
        let unseen = |id: &String| seen.iter().all(|record| record.id != *id);
        self.indexed.iter().position(unseen).unwrap_or(self.indexed.len())
    }

    /// The largest id of the index's that is among these records: what is new has a larger one than all.
    pub(super) fn last(&self, seen: &[Record]) -> Option<u64> {
        seen.iter().filter(|record| self.indexed.contains(&record.id)).map(Record::number).max()
    }
}

/// Puts what was written here a moment ago into the first page, as it is now and where it belongs: the index may not
/// know it yet. Where no order was asked for (`by_id`) it stands first. No more than the search's limit stay.
pub(super) async fn fresh(
    call: &Call<HubSpot>,
    object: &ObjectType,
    search: &Search,
    by_id: bool,
    records: &mut Vec<Record>,
) -> Result<Fresh> {
    let mut fresh = Fresh::default();
    let recent = call.recent().of(object);
    if recent.is_empty() {
        fresh.indexed = records.iter().map(|record| record.id.clone()).collect();
        return Ok(fresh);
    }
    let mut properties = search.properties.clone();
    properties.extend(search.groups.iter().flatten().map(|filter| filter.property_name.clone()));
    properties.retain(|name| !name.starts_with("associations."));
    let searched: Vec<&str> = searched(object);
    properties.extend(searched.iter().map(|name| (*name).to_owned()));
    properties.sort_unstable();
    properties.dedup();
    let now = call.api().read_records(object, &recent, None, &properties, &[]).await?.results;
    // Those gone from a page of the index have had their place on it all the same.
    let all: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
    for id in recent {
        let there = records.iter().position(|record| record.id == id);
        match (now.iter().find(|record| record.id == id), there) {
            (Some(record), Some(at)) if overlay::fits(search, record, &searched) => {
                let differs = search.properties.iter().any(|name| records[at].get(name) != record.get(name));
                if differs {
                    fresh.shown.push(id);
                    let moved = search
                        .sort
                        .as_ref()
                        .is_some_and(|(name, _)| records[at].get(name) != record.get(name));
                    records[at] = record.clone();
                    if moved {
                        let record = records.remove(at);
                        insert(search, by_id, records, record);
                    }
                }
            }
            (Some(record), None) if overlay::fits(search, record, &searched) => {
                fresh.shown.push(id);
                insert(search, by_id, records, record.clone());
            }
            // Changed or archived so that it fits no longer.
            (Some(_), Some(at)) if !has_associations(search) => _ = records.remove(at),
            (None, Some(at)) => _ = records.remove(at),
            _ => {}
        }
    }
    let kept = |id: &String| records.iter().any(|record| record.id == *id);
    fresh.indexed = all.into_iter().filter(kept).collect();
    records.truncate(search.limit as usize);
    let (shown, later) =
        fresh.shown.into_iter().partition(|id| records.iter().any(|record| record.id == *id));
    (fresh.shown, fresh.later) = (shown, later);
    Ok(fresh)
}

/// Inserts a record where the search's order has it.
fn insert(search: &Search, by_id: bool, records: &mut Vec<Record>, record: Record) {
    let at = match &search.sort {
        Some((name, descending)) if !by_id => {
            let after = |other: &Record| {
                let order = overlay::compare(record.get(name), other.get(name)).unwrap_or(Ordering::Equal);
                if *descending { order.is_gt() } else { order.is_lt() }
            };
            // What has no value is at the end, whichever way.
            let own = !record.get(name).is_empty();
            records.iter().position(|other| own && (other.get(name).is_empty() || after(other)))
        }
        _ => Some(0),
    };
    records.insert(at.unwrap_or(records.len()), record);
}

fn has_associations(search: &Search) -> bool {
    search.groups.iter().flatten().any(|filter| filter.property_name.starts_with("associations."))
}

/// Where HubSpot looks for words (developers.hubspot.com, "Search the CRM", default searchable properties).
fn searched(object: &ObjectType) -> Vec<&str> {
    match object.name.as_str() {
        "contacts" => vec!["firstname", "lastname", "email", "phone", "hs_additional_emails", "company"],
        "companies" => vec!["name", "domain", "phone", "website"],
        "deals" => vec!["dealname", "description"],
        "tickets" => vec!["subject", "content"],
        "tasks" => vec!["hs_task_subject", "hs_task_body"],
        "calls" => vec!["hs_call_title", "hs_call_body"],
        "meetings" => vec!["hs_meeting_title", "hs_meeting_body"],
        "emails" => vec!["hs_email_subject"],
        _ => object.columns.iter().map(String::as_str).collect(),
    }
}
