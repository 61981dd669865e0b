//! How a write of records ended whose answer was lost, on [`connector::catalog::reconcile`]: what HubSpot can be asked
//! is whether the records are there and what is in them. Nothing is made twice, nobody's later change is overwritten.

use std::time::Duration;

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Reply, Written,
        reconcile::{self, Attempt, Seen},
    },
};
use jiff::Timestamp;
use tokio::time::sleep;

use super::traced;
use crate::{
    HubSpot,
    api::{
        Batch,
        objects::{Filter, Input, MAX_PAGE, Record, Search},
    },
    resolve::ObjectType,
    tools::search::go_past,
};

/// The seconds before the index is looked at, each time: it follows a write after a while.
const LOOKS: [u64; 4] = [0, 2, 5, 10];
/// How many pages of what came to be meanwhile are looked at.
const PAGES: usize = 5;

/// The reply to a write that is done, which is noted; says so if its answer was lost.
pub(in super::super) fn done(call: &Call<HubSpot>, written: Written, lost: bool) -> Reply {
    call.audit().note(call.principal(), &written);
    let reply = Reply::written(written);
    if lost { reply.line("HubSpot's answer was lost, but it is done: it was read back.") } else { reply }
}

/// Creates records, and says whether the answer was lost and they were found. They are sent once: HubSpot has nothing
/// by which a repetition would be known for one.
///
/// # Errors
/// The failure; `unknown_outcome` unless every record is found.
pub(in super::super) async fn create(
    call: &Call<HubSpot>,
    object: &ObjectType,
    inputs: &[Input],
) -> Result<(Batch<Record>, bool)> {
    let attempt = Attempt::begin(call.api().upstream(), "record");
    let place = |record: &Record| format!("{}/{}", object.id, record.id);
    let error = match call.api().create_records(object, inputs).await {
        Ok(batch) => {
            for record in &batch.results {
                let _ = attempt.take(&place(record));
            }
            return Ok((batch, false));
        }
        Err(error) if error.kind() == Kind::UnknownOutcome => error,
        Err(error) => return Err(error),
    };
    let mut results: Vec<Record> = Vec::new();
    for wait in LOOKS {
        sleep(Duration::from_secs(wait)).await;
        let candidates = candidates(call, object, inputs, &attempt).await.unwrap_or_default();
        for input in inputs {
            if results.iter().any(|record| record.object_write_trace_id == input.object_write_trace_id) {
                continue;
            }
            let own = candidates.iter().find(|record| {
                holds(input, record)
                    && record.created_at.parse().is_ok_and(|made: Timestamp| made >= attempt.earliest())
                    && attempt.take(&place(record))
            });
            results.extend(own.map(|record| Record {
                object_write_trace_id: input.object_write_trace_id.clone(),
                ..record.clone()
            }));
        }
        if results.len() == inputs.len() {
            return Ok((Batch::done(results), true));
        }
    }
    if results.is_empty() {
        return Err(error);
    }
    call.recent().note(object, results.iter().map(|record| record.id.as_str()));
    Err(Error::new(Kind::UnknownOutcome, partly(object, inputs, &results)).with_hint(
        "Search for the others before trying them again: HubSpot may have refused them, or they may be there soon",
    ))
}

/// What is known where only a part was found.
fn partly(object: &ObjectType, inputs: &[Input], found: &[Record]) -> String {
    let row = |trace: &str| traced(trace).map_or(0, |at| at + 1);
    let made: Vec<String> = found
        .iter()
        .map(|record| format!("row {} is {}", row(&record.object_write_trace_id), record.id))
        .collect();
    let open: Vec<String> = inputs
        .iter()
        .filter(|input| found.iter().all(|one| one.object_write_trace_id != input.object_write_trace_id))
        .map(|input| row(&input.object_write_trace_id).to_string())
        .collect();
    let open = match &open[..] {
        [one] => format!("row {one} was"),
        more => format!("rows {} were", more.join(", ")),
    };
    format!(
        "HubSpot's answer was lost. Of {} these were found: {}; whether {open} created is not known",
        object.counted(inputs.len()),
        made.join(", ")
    )
}

/// The records that the inputs may have become.
async fn candidates(
    call: &Call<HubSpot>,
    object: &ObjectType,
    inputs: &[Input],
    attempt: &Attempt,
) -> Result<Vec<Record>> {
    let mut properties: Vec<String> =
        inputs.iter().flat_map(|input| input.properties.keys().cloned()).collect();
    properties.extend(object.title_properties());
    properties.sort_unstable();
    properties.dedup();
    // An address is looked up in the records themselves, which do not lag.
    if object.name == "contacts" && inputs.iter().all(|input| input.properties.contains_key("email")) {
        let emails: Vec<String> =
            inputs.iter().map(|input| input.properties["email"].to_lowercase()).collect();
        return Ok(call.api().read_records(object, &emails, Some("email"), &properties, &[]).await?.results);
    }
    let since = attempt.earliest().as_millisecond().to_string();
    let mut search = Search {
        groups: vec![vec![Filter::value(object.created(), "GTE", since)]],
        sort: Some(("hs_object_id".to_owned(), false)),
        properties,
        limit: MAX_PAGE,
        ..Search::default()
    };
    let mut found: Vec<Record> = Vec::new();
    for _ in 0..PAGES {
        let page = call.api().search(object, &search).await?;
        let more = page.next().is_some();
        found.extend(page.results);
        match found.last() {
            Some(last) if more => {
                search.groups[0].truncate(1);
                go_past(&mut search, last.number());
            }
            _ => break,
        }
    }
    Ok(found)
}

/// Changes records, and says whether the answer was lost and what they are now was read. They are sent again only
/// while none is other than it was `before` or was to be.
///
/// # Errors
/// The failure; `unknown_outcome` if a record is neither what it was nor what it was to be.
pub(super) async fn update(
    call: &Call<HubSpot>,
    object: &ObjectType,
    inputs: &[Input],
    before: &[&Record],
) -> Result<(Batch<Record>, bool)> {
    let ids: Vec<String> = inputs.iter().map(|input| input.id.clone()).collect();
    let names: Vec<String> = inputs.iter().flat_map(|input| input.properties.keys().cloned()).collect();
    let look = || async {
        let mut now = call.api().read_records(object, &ids, None, &names, &[]).await?.results;
        let (mut done, mut touched) = (true, false);
        for (input, before) in inputs.iter().zip(before) {
            let Some(record) = now.iter_mut().find(|record| record.id == input.id) else {
                return Ok(Seen::Changed);
            };
            record.object_write_trace_id = input.object_write_trace_id.clone();
            let untouched = record.updated_at == before.updated_at;
            // A stage of life moves only forward: it may have been taken, and stayed.
            let stays = |name: &str| name == "lifecyclestage" && !untouched;
            let is_so = input.properties.iter().all(|(name, value)| {
                is_kept(record.get(name), value) || stays(name) && record.get(name) == before.get(name)
            });
            done &= is_so;
            touched |= !is_so && !untouched;
        }
        Ok(match (done, touched) {
            (true, _) => Seen::Done(Batch::done(now)),
            (false, true) => Seen::Changed,
            (false, false) => Seen::Untouched,
        })
    };
    reconcile::updated(|| call.api().update_records(object, inputs), look).await
}

/// Creates or changes records by the unique property `by`, and says whether the answer was lost and they were read.
///
/// # Errors
/// The failure; `unknown_outcome` unless all are as they were to be.
pub(super) async fn upsert(
    call: &Call<HubSpot>,
    object: &ObjectType,
    inputs: &[Input],
    by: &str,
    are_new: bool,
) -> Result<(Batch<Record>, bool)> {
    let sent = call.api().upsert_records(object, inputs, are_new).await;
    let look = async {
        let ids: Vec<String> = inputs.iter().map(|input| input.id.clone()).collect();
        let names = inputs.iter().flat_map(|input| input.properties.keys()).map(String::as_str).chain([by]);
        let names: Vec<String> = names.map(str::to_owned).collect();
        let now = call.api().read_records(object, &ids, Some(by), &names, &[]).await.ok()?.results;
        let own = |input: &Input| {
            let record = now.iter().find(|record| record.get(by).eq_ignore_ascii_case(&input.id))?;
            let own = holds(input, record);
            own.then(|| Record {
                object_write_trace_id: input.object_write_trace_id.clone(),
                ..record.clone()
            })
        };
        let results = inputs.iter().map(own).collect::<Option<Vec<_>>>()?;
        Some(Batch::done(results))
    };
    reconcile::created(sent, look).await
}

/// Whether records that were to be removed are gone, where `sent` does not tell; and whether its answer was lost.
///
/// # Errors
/// The failure; `unknown_outcome` if one of them is still there.
pub(in super::super) async fn removed(
    sent: Result<()>,
    call: &Call<HubSpot>,
    object: &ObjectType,
    ids: &[String],
) -> Result<bool> {
    let look = async {
        let left = call.api().read_records(object, ids, None, &[], &[]).await.ok()?.results;
        left.is_empty().then_some(())
    };
    Ok(reconcile::created(sent, look).await?.1)
}

/// Whether a record has everything that an input sets.
fn holds(input: &Input, record: &Record) -> bool {
    input.properties.iter().all(|(name, value)| is_kept(record.get(name), value))
}

/// Whether a value is the one that was written, in whatever form HubSpot keeps it.
fn is_kept(kept: &str, written: &str) -> bool {
    if kept.eq_ignore_ascii_case(written) || reconcile::same_text(kept.trim(), written.trim()) {
        return true;
    }
    // Values after a `;` are added to those there.
    if let Some(added) = written.strip_prefix(';') {
        return added.split(';').all(|one| kept.split(';').any(|own| own == one));
    }
    let moment = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    let number = |text: &str| text.parse::<f64>().ok();
    match (moment(kept), moment(written)) {
        (Some(a), Some(b)) => a == b,
        _ => matches!((number(kept), number(written)), (Some(a), Some(b)) if a == b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_again_in_the_form_in_which_it_is_kept() {
        for (kept, written) in [
            ("ana@x.example", "Ana@X.example"),
            ("12000", "12000.0"),
            ("2026-12-01T11:00:00Z", "2026-12-01T11:00:00.000Z"),
            ("a;b;c", ";b;c"),
            ("one\r\ntwo\r\n", "one\ntwo"),
            ("", ""),
        ] {
            assert!(is_kept(kept, written), "{kept:?} {written:?}");
        }
        for (kept, written) in [("", "x"), ("x", ""), ("a;b", ";c"), ("12000", "12000.5"), ("Kiel", "Bergen")]
        {
            assert!(!is_kept(kept, written), "{kept:?} {written:?}");
        }
    }
}
