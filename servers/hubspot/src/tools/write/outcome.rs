//! What a batch came to: what was done, row by row, and what was not.

use std::collections::BTreeMap;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Written, one_line, words},
};

use crate::{
    HubSpot,
    api::{
        Batch,
        objects::{Input, Record},
    },
    render::title,
    resolve::ObjectType,
    tools::records::address,
};

/// Rows that an error tells of.
const ROWS: usize = 10;

/// The name by which a row is traced through a batch.
pub(super) fn trace(at: usize) -> String {
    format!("row-{}", at + 1)
}

/// The row that a result or a failure belongs to.
pub(super) fn traced(id: &str) -> Option<usize> {
    id.strip_prefix("row-")?.parse::<usize>().ok()?.checked_sub(1)
}

/// What a batch came to, row by row.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) done: BTreeMap<usize, Record>,
    pub(super) failed: BTreeMap<usize, Error>,
    /// The ids of the records that have what rows would take.
    taken: BTreeMap<usize, String>,
}

impl Outcome {
    /// Sorts the answer to `inputs`. `rows` are the numbers of the rows they came from.
    pub(super) fn of(batch: Batch<Record>, inputs: &[Input], rows: &[usize]) -> Self {
        let mut outcome = Self::default();
        let place = |at: usize| rows.get(at).copied().unwrap_or(at);
        let whole = batch.errors.is_empty() && batch.results.len() == inputs.len();
        for (at, record) in batch.results.into_iter().enumerate() {
            let by_trace = traced(&record.object_write_trace_id);
            let by_id =
                inputs.iter().position(|input| !input.id.is_empty() && input.id == record.id).map(place);
            // Without a trace, the order is that of the inputs, if none is missing.
            if let Some(row) = by_trace.or(by_id).or(whole.then(|| place(at))) {
                outcome.done.insert(row, record);
            }
        }
        for refusal in batch.errors {
            let traces = refusal.traces();
            let by_trace: Vec<usize> = traces.iter().filter_map(|trace| traced(trace)).collect();
            let ids = refusal.ids();
            let by_id = inputs
                .iter()
                .enumerate()
                .filter(|(_, input)| ids.contains(&input.id))
                .map(|(at, _)| place(at));
            let named: Vec<usize> = if by_trace.is_empty() { by_id.collect() } else { by_trace };
            for row in named {
                let error = refusal.error(400);
                if let Some(id) = refusal.existing().filter(|_| error.kind() == Kind::Conflict) {
                    outcome.taken.insert(row, id);
                }
                outcome.failed.insert(row, error);
            }
        }
        for (at, _) in inputs.iter().enumerate() {
            let row = place(at);
            if !outcome.done.contains_key(&row) && !outcome.failed.contains_key(&row) {
                let error = Error::new(Kind::UnknownOutcome, "HubSpot did not answer for this row");
                outcome.failed.insert(row, error.with_hint("Read it before trying again"));
            }
        }
        outcome
    }

    /// Names the records that have what rows would take; HubSpot tells only their ids.
    pub(super) async fn name_taken(&mut self, call: &Call<HubSpot>, object: &ObjectType, instead: &str) {
        let mut ids: Vec<String> = self.taken.values().cloned().collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return;
        }
        let named = call.api().read_records(object, &ids, None, &object.title_properties(), &[]).await;
        let named = named.map(|batch| batch.results).unwrap_or_default();
        for (row, id) in &self.taken {
            if let Some(record) = named.iter().find(|record| record.id == *id) {
                let name = title(object, record);
                let error = Error::new(
                    Kind::Conflict,
                    format!("It is there already: {name} ({} {id})", object.singular),
                );
                self.failed.insert(*row, error.with_hint(instead.to_owned()));
            }
        }
    }

    /// The error of a write of which nothing was done.
    fn failure(mut self, object: &ObjectType, verb: &str) -> Error {
        let all = self.failed.len();
        if all == 1
            && let Some((_, error)) = self.failed.pop_first()
        {
            return error;
        }
        let mut kinds = self.failed.values().map(Error::kind);
        let first = kinds.next().unwrap_or(Kind::InvalidArgument);
        let kind = if kinds.all(|kind| kind == first) { first } else { Kind::InvalidArgument };
        let rows: Vec<String> =
            self.failed.iter().map(|(row, error)| format!("row {}: {}", row + 1, says(error))).collect();
        let told = words::listed(&rows, ROWS);
        Error::new(kind, format!("{verb} none of {}: {told}", object.counted(all)))
    }

    /// What is told: what was done (`verb`), row by row, then what was not.
    ///
    /// # Errors
    /// What failed, if nothing was done.
    pub(super) fn written(
        self,
        object: &ObjectType,
        verb: &str,
        tell: impl Fn(usize, &Record) -> String,
    ) -> Result<Written> {
        let many = self.done.len() + self.failed.len() > 1;
        if self.done.is_empty() && !self.failed.is_empty() {
            return Err(self.failure(object, verb));
        }
        let first = self.done.values().next();
        let summary = match (first, many) {
            (Some(record), false) => {
                format!("{verb} {} ({} {})", title(object, record), object.singular, record.id)
            }
            _ if self.failed.is_empty() => format!("{verb} {}", object.counted(self.done.len())),
            _ => format!(
                "{verb} {} of {}",
                self.done.len(),
                object.counted(self.done.len() + self.failed.len())
            ),
        };
        let mut written = Written::new(summary);
        for (row, record) in &self.done {
            let line = tell(*row, record);
            if !line.is_empty() {
                written = written.change(if many { format!("row {}: {line}", row + 1) } else { line });
            }
        }
        for (row, error) in &self.failed {
            written = written.change(format!("row {} failed: {}", row + 1, says(error)));
        }
        if let (Some(record), false) = (first, many) {
            written = written.id(record.id.clone());
            written.url = address(object, record);
        }
        Ok(written)
    }
}

/// An error in a row of others.
fn says(error: &Error) -> String {
    let hint = error.hint().map(|hint| format!(". {hint}")).unwrap_or_default();
    let id = error.request_id().map(|id| format!(" (request_id {id})")).unwrap_or_default();
    one_line(&format!("{}{hint}{id}", error.message().trim_end_matches('.')))
}
