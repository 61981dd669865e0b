//! Who is associated with whom, changed.

use std::collections::BTreeMap;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line, reconcile::created},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::write::reconcile::done;
use crate::{
    HubSpot,
    api::{
        Batch,
        associations::{Linked, Target},
        definitions::AssociationType,
    },
    resolve::{ObjectType, RecordRef, targets},
    scopes,
};

/// The most pairs of one call.
const MAX_PAIRS: usize = 100;

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::write(
            "associate_records",
            "Associate records",
            "Links records, with label or as primary company; labels that are there stay.",
            associate_records,
        )
        .scopes(scopes::WRITE)
        .idempotent()
        .output::<Written>(),
        Tool::destructive(
            "dissociate_records",
            "Dissociate records",
            "Ends the association of records, or with label only takes that off.",
            dissociate_records,
        )
        .scopes(scopes::WRITE)
        .idempotent()
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AssociateRecords {
    /// contacts:101
    from: Vec<String>,
    to: Vec<String>,
    label: Option<String>,
    #[serde(default)]
    primary: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DissociateRecords {
    from: Vec<String>,
    to: Vec<String>,
    label: Option<String>,
}

/// Records of one object at each end.
struct Ends {
    from: ObjectType,
    to: ObjectType,
    sources: Vec<RecordRef>,
    targets: Vec<RecordRef>,
}

impl Ends {
    async fn read(call: &Call<HubSpot>, from: &[String], to: &[String]) -> Result<Self> {
        let (sources, targets) = (one_kind(call, "from", from).await?, one_kind(call, "to", to).await?);
        if sources.len() * targets.len() > MAX_PAIRS {
            return Err(Error::invalid(format!(
                "At most {MAX_PAIRS} pairs at once, and these are {}",
                sources.len() * targets.len()
            )));
        }
        let kind = |records: &[RecordRef]| records.first().map(|record| record.object.clone());
        let (Some(from), Some(to)) = (kind(&sources), kind(&targets)) else {
            return Err(Error::invalid("`from` and `to` name records, such as contacts:101"));
        };
        Ok(Self { from, to, sources, targets })
    }

    fn pairs(&self) -> Vec<(&RecordRef, &RecordRef)> {
        self.sources.iter().flat_map(|from| self.targets.iter().map(move |to| (from, to))).collect()
    }

    fn ids(&self) -> Vec<String> {
        self.sources.iter().map(|record| record.id().to_owned()).collect()
    }

    /// Whether each of `pairs` is now associated as `wanted` says: a write whose answer was lost is looked for.
    async fn are(
        &self,
        call: &Call<HubSpot>,
        pairs: &[(String, String)],
        wanted: impl Fn(Option<&Target>) -> bool,
    ) -> Option<()> {
        self.now(call, pairs, wanted).await?.iter().all(|is_so| *is_so).then_some(())
    }

    /// Of which of `pairs` that is so now; nothing if it cannot be seen.
    async fn now(
        &self,
        call: &Call<HubSpot>,
        pairs: &[(String, String)],
        wanted: impl Fn(Option<&Target>) -> bool,
    ) -> Option<Vec<bool>> {
        let now = call.api().associated(&self.from, &self.ids(), &self.to).await.ok()?;
        let is_so = |(from, to): &(String, String)| {
            wanted(targets(&now, from).iter().find(|target| target.to_object_id == *to))
        };
        Some(pairs.iter().map(is_so).collect())
    }

    /// Notes that they were written: the index of searches follows later.
    fn note(&self, call: &Call<HubSpot>) {
        for (object, records) in [(&self.from, &self.sources), (&self.to, &self.targets)] {
            call.recent().note(object, records.iter().map(RecordRef::id));
        }
    }
}

/// Records that must all be of one object.
async fn one_kind(call: &Call<HubSpot>, name: &str, words: &[String]) -> Result<Vec<RecordRef>> {
    let mut records: Vec<RecordRef> = Vec::new();
    for word in words.iter().filter(|word| !word.trim().is_empty()) {
        let record = call.names().any_record(word).await?;
        if let Some(first) = records.first()
            && first.object != record.object
        {
            return Err(Error::invalid(format!(
                "`{name}` mixes {} and {}",
                first.object.plural, record.object.plural
            ))
            .with_hint("Make one call for each object"));
        }
        if records.iter().all(|known| known.id() != record.id()) {
            records.push(record);
        }
    }
    Ok(records)
}

async fn associate_records(call: Call<HubSpot>, args: AssociateRecords) -> Result<Plan> {
    let ends = Ends::read(&call, &args.from, &args.to).await?;
    let label = args.label.as_deref().map(str::trim).filter(|label| !label.is_empty());
    if args.primary && ends.targets.len() > 1 {
        return Err(
            Error::invalid("Only one record can be the primary one").with_hint("Name one record in `to`")
        );
    }
    let mut wanted: Vec<AssociationType> = Vec::new();
    if let Some(label) = label {
        wanted.push(call.names().label(&ends.from, &ends.to, label).await?);
    }
    if args.primary {
        wanted.push(call.names().label(&ends.from, &ends.to, "Primary").await?);
    }
    let before = call.api().associated(&ends.from, &ends.ids(), &ends.to).await?;
    let how = match (label, args.primary) {
        (Some(label), true) => format!(" as {} and primary", one_line(label)),
        (Some(label), false) => format!(" as {}", one_line(label)),
        (None, true) => " as primary".to_owned(),
        (None, false) => String::new(),
    };
    let mut lines = Vec::new();
    let mut asked: Vec<(String, String)> = Vec::new();
    let mut plain: Vec<(String, String)> = Vec::new();
    let mut labelled: Vec<(String, String, Vec<AssociationType>)> = Vec::new();
    for (from, to) in ends.pairs() {
        let there = targets(&before, from.id()).into_iter().find(|target| target.to_object_id == to.id());
        let own: Vec<AssociationType> =
            there.as_ref().map(|target| target.association_types.clone()).unwrap_or_default();
        if there.is_some() && has_all(&own, &wanted) {
            continue;
        }
        lines.push(format!("{} → {}{how}", from.shown(), to.shown()));
        asked.push((from.id().to_owned(), to.id().to_owned()));
        if wanted.is_empty() {
            plain.push((from.id().to_owned(), to.id().to_owned()));
        } else {
            // A write replaces the labels of a pair, so those it has are sent along.
            let kept =
                own.into_iter().filter(|kind| kind.label.as_deref().is_some_and(|label| !label.is_empty()));
            let mut types: Vec<AssociationType> = kept.collect();
            types.extend(
                wanted
                    .iter()
                    .filter(|kind| types.iter().all(|known| known.type_id != kind.type_id))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
            labelled.push((from.id().to_owned(), to.id().to_owned(), types));
        }
    }
    if lines.is_empty() {
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing to do: they are associated{how} already"
        )))));
    }
    let count = lines.len();
    let mut preview = Written::new(format!("Associate {}", pairs(count)));
    preview.changed = lines.clone();
    let work = move || async move {
        let mut failures = Vec::new();
        let mut linked = 0;
        let mut lost = false;
        if !plain.is_empty() {
            let sent = call.api().associate_default(&ends.from, &ends.to, &plain).await;
            let are = ends.are(&call, &plain, |target| target.is_some());
            // Both directions of each pair are told.
            let look = async { are.await.map(|()| Batch::done(vec![Value::Null; plain.len() * 2])) };
            let (batch, looked) = created(sent, look).await?;
            linked += batch.results.len() / 2;
            lost |= looked;
            failures.extend(batch.errors.iter().map(|refusal| refusal.error(400)));
        }
        if !labelled.is_empty() {
            let sent = call.api().associate(&ends.from, &ends.to, &labelled).await;
            let pairs: Vec<_> = labelled.iter().map(|(from, to, _)| (from.clone(), to.clone())).collect();
            let are = ends.are(&call, &pairs, |target| {
                target.is_some_and(|target| has_all(&target.association_types, &wanted))
            });
            let whole = |(from, to): &(String, String)| Linked { from: from.clone(), to: to.clone() };
            let look = async { are.await.map(|()| Batch::done(pairs.iter().map(whole).collect())) };
            let (batch, looked) = created(sent, look).await?;
            linked +=
                batch.results.iter().filter(|pair| !pair.from.is_empty() && !pair.to.is_empty()).count();
            lost |= looked;
            failures.extend(batch.errors.iter().map(|refusal| refusal.error(400)));
        }
        ends.note(&call);
        if linked == 0
            && let Some(error) = failures.pop()
        {
            return Err(error);
        }
        if linked == count {
            let mut written = Written::new(format!("Associated {}", pairs(count)));
            written.changed = lines;
            return Ok(done(&call, written, lost));
        }
        // HubSpot reports success for a type that links nothing, and does not say which pair a failure is of.
        let now = ends.now(&call, &asked, |target| {
            target.is_some_and(|target| has_all(&target.association_types, &wanted))
        });
        let Some(now) = now.await else {
            return Err(Error::new(
                Kind::UnknownOutcome,
                format!("HubSpot linked {linked} of {}; which ones could not be read", pairs(count)),
            )
            .with_hint("list_associations shows them"));
        };
        let are = now.iter().filter(|is_so| **is_so).count();
        if are == 0 {
            return Err(Error::new(Kind::Conflict, format!("HubSpot linked none of {}", pairs(count))));
        }
        let mut written = Written::new(format!("Associated {are} of {}", pairs(count)));
        let (good, bad): (Vec<_>, Vec<_>) = lines.into_iter().zip(now).partition(|(_, is_so)| *is_so);
        written.changed.extend(good.into_iter().map(|(line, _)| line));
        written.changed.extend(bad.into_iter().map(|(line, _)| format!("failed: {line}")));
        let mut reasons: Vec<String> = failures.iter().map(|error| one_line(error.message())).collect();
        reasons.sort_unstable();
        reasons.dedup();
        written.changed.extend(reasons);
        Ok(done(&call, written, lost))
    };
    Ok(Plan::new(Reply::written(preview), work))
}

/// Whether an association is all that is `wanted`.
fn has_all(own: &[AssociationType], wanted: &[AssociationType]) -> bool {
    let has = |kind: &AssociationType| {
        own.iter().any(|known| known.type_id == kind.type_id && known.category == kind.category)
    };
    wanted.iter().all(has)
}

fn pairs(count: usize) -> String {
    if count == 1 { "1 pair".to_owned() } else { format!("{count} pairs") }
}

async fn dissociate_records(call: Call<HubSpot>, args: DissociateRecords) -> Result<Plan> {
    let ends = Ends::read(&call, &args.from, &args.to).await?;
    let label = match args.label.as_deref().map(str::trim).filter(|label| !label.is_empty()) {
        Some(label) => Some(call.names().label(&ends.from, &ends.to, label).await?),
        None => None,
    };
    let before = call.api().associated(&ends.from, &ends.ids(), &ends.to).await?;
    let (mut lines, mut kept) = (Vec::new(), Vec::new());
    let mut gone: Vec<(String, String)> = Vec::new();
    let mut state = Vec::new();
    for (from, to) in ends.pairs() {
        let there = targets(&before, from.id()).into_iter().find(|target| target.to_object_id == to.id());
        let Some(there) = there else { continue };
        if let Some(label) = &label
            && there.association_types.iter().all(|kind| kind.type_id != label.type_id)
        {
            continue;
        }
        let labels = there.labels();
        let labels =
            if labels.is_empty() { String::new() } else { format!(" ({})", one_line(&labels.join(", "))) };
        lines.push(format!("{} → {}{labels}", from.shown(), to.shown()));
        kept.push(format!("{} → {}", from.shown(), to.shown()));
        gone.push((from.id().to_owned(), to.id().to_owned()));
        let mut types: Vec<u32> = there.association_types.iter().map(|kind| kind.type_id).collect();
        types.sort_unstable();
        state.push((from.id().to_owned(), to.id().to_owned(), types));
    }
    if gone.is_empty() {
        return Ok(Plan::nothing(Reply::written(Written::new(
            "Nothing to do: they are not associated that way",
        ))));
    }
    let what = match &label {
        Some(label) => format!(
            "the label {} from {}",
            one_line(label.label.as_deref().unwrap_or_default()),
            pairs(gone.len())
        ),
        None => format!("the association of {}", pairs(gone.len())),
    };
    let mut preview = Written::new(format!("Remove {what}"));
    preview.changed = lines;
    let work = move || async move {
        let sent = match &label {
            Some(label) => {
                call.api().remove_labels(&ends.from, &ends.to, &gone, std::slice::from_ref(label)).await
            }
            None => {
                let mut by_source: BTreeMap<String, Vec<String>> = BTreeMap::new();
                for (from, to) in &gone {
                    by_source.entry(from.clone()).or_default().push(to.clone());
                }
                let inputs: Vec<_> = by_source.into_iter().collect();
                call.api().dissociate(&ends.from, &ends.to, &inputs).await
            }
        };
        let is_off = |target: Option<&Target>| match (target, &label) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(target), Some(label)) => {
                target.association_types.iter().all(|kind| kind.type_id != label.type_id)
            }
        };
        let ((), lost) = created(sent, ends.are(&call, &gone, is_off)).await?;
        ends.note(&call);
        let mut written = Written::new(format!("Removed {what}"));
        written.changed = kept;
        Ok(done(&call, written, lost))
    };
    Ok(Plan::new(Reply::written(preview), work).state(&state))
}
