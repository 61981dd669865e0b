//! Records created or changed, whichever it takes, by a unique property.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Outcome, Row, any_rows, asks_for_many, check_count, in_row, noted, reconcile, set, state, trace,
    with_notes,
};
use crate::{
    HubSpot,
    api::objects::Input,
    render::{Values, title},
    scopes,
};

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::write(
            "upsert_records",
            "Upsert records",
            "Creates or changes records by a unique field: email of contacts, else a custom one. A row's id is its value.",
            upsert_records,
        )
.scopes(scopes::WRITE)
        .confirmable()
        .idempotent()
        .aliases(&[("object_type", "object"), ("inputs", "records"), ("record", "records"), ("id_property", "by")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpsertRecords {
    object: String,
    by: String,
    #[schemars(schema_with = "any_rows")]
    records: Vec<Row>,
}

async fn upsert_records(call: Call<HubSpot>, args: UpsertRecords) -> Result<Plan> {
    let given: Vec<Row> = args.records.into_iter().flat_map(Row::each).collect();
    check_count(&given)?;
    let object = call.names().object(&args.object).await?;
    let fields = call.names().fields(&object).await?;
    let by = fields.find(&args.by)?.clone();
    if !by.has_unique_value && by.name != "email" {
        let unique: Vec<&str> =
            fields.all().iter().filter(|one| one.has_unique_value).map(|one| one.name.as_str()).collect();
        return Err(Error::invalid(format!("`{}` is not unique, so nothing can be found by it", by.name))
            .with_hint(format!("Unique fields of {}: {}", object.plural, unique.join(", "))));
    }
    let calendar = call.names().calendar().await?;
    let many = given.len() > 1;
    let mut inputs: Vec<Input> = Vec::new();
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for (at, mut row) in given.into_iter().enumerate() {
        let about = |error| in_row(at, many, error);
        row.no_links().and_then(|()| row.no_edits()).map_err(about)?;
        let own = row.fields.shift_remove(&by.name).and_then(|value| value.as_str().map(str::to_owned));
        let id = if row.id.trim().is_empty() { own.unwrap_or_default() } else { row.id.clone() };
        let id = if by.name == "email" { id.trim().to_lowercase() } else { id.trim().to_owned() };
        if id.is_empty() {
            return Err(about(Error::invalid(format!("`id`, the {} of the record, is missing", by.name))));
        }
        let set = set(&call, &fields, &calendar, &row, None).await.map_err(about)?;
        notes.extend(set.notes);
        // Two rows about one record become one, unless they disagree.
        if let Some((input, first)) =
            inputs.iter_mut().zip(&rows).find(|(input, _)| input.id.eq_ignore_ascii_case(&id))
        {
            for (name, value) in set.properties {
                if let Some(other) = input.properties.insert(name.clone(), value.clone())
                    && other != value
                {
                    return Err(Error::new(
                        Kind::Conflict,
                        format!(
                            "Rows {} and {} are both {} and want different values for `{name}`",
                            first + 1,
                            at + 1,
                            one_line(&id)
                        ),
                    )
                    .with_hint("Say which is right. Nothing was written"));
                }
            }
            continue;
        }
        inputs.push(Input {
            id,
            id_property: Some(by.name.clone()),
            properties: set.properties,
            object_write_trace_id: trace(at),
            ..Input::default()
        });
        rows.push(at);
    }
    let ids: Vec<String> = inputs.iter().map(|input| input.id.clone()).collect();
    let mut properties: Vec<String> =
        inputs.iter().flat_map(|input| input.properties.keys().cloned()).collect();
    properties.extend(object.title_properties());
    properties.push(by.name.clone());
    let there = call.api().read_records(&object, &ids, Some(&by.name), &properties, &[]).await?.results;
    let values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
    let known = |id: &str| there.iter().find(|record| record.get(&by.name).eq_ignore_ascii_case(id));
    let old: Vec<Option<String>> =
        ids.iter().map(|id| known(id).map(|record| title(&object, record))).collect();
    let count = old.iter().filter(|old| old.is_some()).count();
    let mut preview = Written::new(format!(
        "Create {} and change {}",
        object.counted(inputs.len() - count),
        object.counted(count)
    ));
    for (input, old) in inputs.iter().zip(&old) {
        let mut record = crate::api::objects::Record::default();
        record
            .properties
            .extend(input.properties.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
        let set = input
            .properties
            .keys()
            .map(|name| format!("{} {}", values.fields.head(name), values.cell(&record, name)));
        let what = old.as_ref().map_or_else(|| "new".to_owned(), |name| format!("changes {name}"));
        preview = preview.change(format!(
            "{} ({what}): {}",
            one_line(&input.id),
            set.collect::<Vec<_>>().join(", ")
        ));
    }
    let total = inputs.len();
    let preview = with_notes(preview, &notes);
    let by = by.name;
    let are_new = there.is_empty();
    let work = move || async move {
        let (batch, lost) = reconcile::upsert(&call, &object, &inputs, &by, are_new).await?;
        let mut outcome = Outcome::of(batch, &inputs, &rows);
        call.recent().note(&object, outcome.done.values().map(|record| record.id.as_str()));
        for (row, record) in &mut outcome.done {
            let at = rows.iter().position(|one| one == row).unwrap_or(0);
            record
                .properties
                .entry(by.clone())
                .or_insert_with(|| inputs.get(at).map(|input| input.id.clone()));
        }
        let written = outcome.written(&object, "Saved", |row, record| {
            let at = rows.iter().position(|one| one == &row).unwrap_or(0);
            // Whether it was there before is known from before: a repeated request finds what the first one made.
            let verb = if old[at].is_some() { "changed" } else { "created" };
            let set = inputs[at]
                .properties
                .keys()
                .map(|name| format!("{} {}", values.fields.head(name), values.cell(record, name)));
            format!(
                "{verb} {} ({}): {}",
                one_line(&inputs[at].id),
                record.id,
                set.collect::<Vec<_>>().join(", ")
            )
        })?;
        Ok(noted(reconcile::done(&call, written, lost), &notes))
    };
    let plan = Plan::new(Reply::written(preview), work).state(&state(&there));
    Ok(asks_for_many(plan, total))
}
