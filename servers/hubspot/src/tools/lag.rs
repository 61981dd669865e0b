//! One's own writes in a search whose index does not know them yet.

use std::{cmp::Ordering, collections::BTreeSet};

use connector::{
    Result,
    catalog::{Call, words},
};

use crate::{
    HubSpot,
    api::objects::{Filter, Record, Search},
    overlay,
    resolve::{ObjectType, RecordRef, targets},
};

/// Records that are named by their ids.
pub(super) const NAMED: usize = 10;

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
/// know it yet. Where no order was asked for (`by_id`) it stands first. No more than the search's limit stay. With what
/// records are `associated` the index does not know at once either: that is read.
pub(super) async fn fresh(
    call: &Call<HubSpot>,
    object: &ObjectType,
    search: &Search,
    associated: Option<&RecordRef>,
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
    let searched: Vec<&str> = object.searched();
    properties.extend(searched.iter().map(|name| (*name).to_owned()));
    properties.sort_unstable();
    properties.dedup();
    let now = call.api().read_records(object, &recent, None, &properties, &[]).await?.results;
    let linked = match associated.filter(|_| has_associations(search)) {
        Some(other) => Some(linked(call, object, &recent, other).await?),
        None => None,
    };
    let plain = without_associations(search);
    let fits = |record: &Record| {
        linked.as_ref().is_none_or(|linked| linked.contains(&record.id))
            && overlay::fits(&plain, record, &searched)
    };
    // Those gone from a page of the index have had their place on it all the same.
    let all: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
    for id in recent {
        let there = records.iter().position(|record| record.id == id);
        match (now.iter().find(|record| record.id == id), there) {
            (Some(record), Some(at)) if fits(record) => {
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
            (Some(record), None) if fits(record) => {
                fresh.shown.push(id);
                insert(search, by_id, records, record.clone());
            }
            // Changed or archived so that it fits no longer.
            (_, Some(at)) => _ = records.remove(at),
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

/// What a count or a sum says of records that were written here a moment ago, and which they are: the index may not
/// know them yet.
pub(super) fn uncounted(call: &Call<HubSpot>, object: &ObjectType) -> Option<String> {
    let recent = call.recent().of(object);
    (!recent.is_empty()).then(|| {
        format!(
            "{} written here in the last minute may not be counted yet, or as before: {}",
            object.counted(recent.len()),
            words::listed(&recent, NAMED)
        )
    })
}

fn is_association(filter: &Filter) -> bool {
    filter.property_name.starts_with("associations.")
}

fn has_associations(search: &Search) -> bool {
    search.groups.iter().flatten().any(is_association)
}

/// A search without its conditions on associations.
fn without_associations(search: &Search) -> Search {
    let mut plain = search.clone();
    for group in &mut plain.groups {
        group.retain(|filter| !is_association(filter));
    }
    plain
}

/// Those of `ids` that are associated with `other`.
async fn linked(
    call: &Call<HubSpot>,
    object: &ObjectType,
    ids: &[String],
    other: &RecordRef,
) -> Result<BTreeSet<String>> {
    let rows = call.api().associated(object, ids, &other.object).await?;
    let is_with = |id: &&String| targets(&rows, id).iter().any(|target| target.to_object_id == other.id());
    Ok(ids.iter().filter(is_with).cloned().collect())
}
