//! Creates whose answer was lost: what was sent is looked for, and never sent again.

use std::time::Duration;

use connector::{Error, Kind, Result, catalog::Call};
use jiff::Timestamp;
use tokio::time::sleep;

use crate::{
    HubSpot,
    api::{
        Batch,
        objects::{Filter, Input, Record, Search},
    },
    resolve::ObjectType,
};

/// When the index is looked at: it follows a write after a while.
const LOOKS: [u64; 4] = [0, 2, 5, 10];
/// How far HubSpot's clock may be from ours.
const SKEW: Duration = Duration::from_secs(5);

/// What a create came to, and whether it had to be looked for. A part that cannot be found is told as failed
/// with an unknown outcome; nothing found at all is the error itself.
pub(in super::super) async fn lost(
    sent: Result<Batch<Record>>,
    call: &Call<HubSpot>,
    object: &ObjectType,
    inputs: &[Input],
    begun: Duration,
) -> Result<(Batch<Record>, bool)> {
    let error = match sent {
        Ok(batch) => return Ok((batch, false)),
        Err(error) if error.kind() == Kind::UnknownOutcome => error,
        Err(error) => return Err(error),
    };
    let mut results: Vec<Record> = Vec::new();
    for wait in LOOKS {
        sleep(Duration::from_secs(wait)).await;
        let found = look(call, object, inputs, begun).await.unwrap_or_default();
        for record in found {
            if results.iter().all(|known| {
                known.id != record.id && known.object_write_trace_id != record.object_write_trace_id
            }) {
                results.push(record);
            }
        }
        if results.len() == inputs.len() {
            break;
        }
    }
    if results.is_empty() {
        return Err(error);
    }
    let errors = Vec::new();
    if results.len() < inputs.len() {
        let found: Vec<String> = results.iter().map(|record| record.id.clone()).collect();
        return Err(Error::new(
            Kind::UnknownOutcome,
            format!(
                "HubSpot's answer was lost. {} of {} {} were found: {}",
                found.len(),
                inputs.len(),
                object.plural,
                found.join(", ")
            ),
        )
        .with_hint("Search for the others before trying again: they may be there soon"));
    }
    Ok((Batch { results, errors }, true))
}

/// The records that the inputs have become, as far as they can be found.
async fn look(
    call: &Call<HubSpot>,
    object: &ObjectType,
    inputs: &[Input],
    begun: Duration,
) -> Result<Vec<Record>> {
    // An address is looked up in the records themselves, which do not lag.
    if object.name == "contacts" && inputs.iter().all(|input| input.properties.contains_key("email")) {
        let emails: Vec<String> =
            inputs.iter().map(|input| input.properties["email"].to_lowercase()).collect();
        let mut properties = object.title_properties();
        properties.push("email".to_owned());
        let batch = call.api().read_records(object, &emails, Some("email"), &properties, &[]).await?;
        let traced = batch.results.into_iter().filter_map(|mut record| {
            let own = inputs
                .iter()
                .find(|input| input.properties["email"].eq_ignore_ascii_case(record.get("email")))?;
            record.object_write_trace_id = own.object_write_trace_id.clone();
            Some(record)
        });
        return Ok(traced.collect());
    }
    let since = Timestamp::from_second(begun.saturating_sub(SKEW).as_secs() as i64).unwrap_or_default();
    let mut properties: Vec<String> =
        inputs.iter().flat_map(|input| input.properties.keys().cloned()).collect();
    properties.extend(object.title_properties());
    properties.sort_unstable();
    properties.dedup();
    let search = Search {
        groups: vec![vec![Filter::value(object.created(), "GTE", since.as_millisecond().to_string())]],
        properties,
        limit: 200,
        ..Search::default()
    };
    let mut fresh = call.api().search(object, &search).await?.results;
    let mut found = Vec::new();
    for input in inputs {
        let same =
            |record: &Record| input.properties.iter().all(|(name, value)| same(record.get(name), value));
        if let Some(at) = fresh.iter().position(same) {
            let mut record = fresh.remove(at);
            record.object_write_trace_id = input.object_write_trace_id.clone();
            found.push(record);
        }
    }
    Ok(found)
}

/// Whether a value is the one that was written, in whatever form HubSpot keeps it.
fn same(kept: &str, written: &str) -> bool {
    if kept.eq_ignore_ascii_case(written) {
        return true;
    }
    let moment = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    let number = |text: &str| text.parse::<f64>().ok();
    match (moment(kept), moment(written)) {
        (Some(a), Some(b)) => a == b,
        _ => matches!((number(kept), number(written)), (Some(a), Some(b)) if a == b),
    }
}
