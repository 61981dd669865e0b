//! Records created or changed, whichever it takes, by a unique property.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Outcome, Row, any_rows, check_count,
    create::drafted,
    in_row, is_same, noted, reconcile, set, state, trace,
    update::{changes_of, diff},
    with_notes,
};
use crate::{
    HubSpot,
    api::{
        definitions::Property,
        objects::{Input, Record},
    },
    render::{Values, title},
    resolve::{Fields, ObjectType, SECONDARY, values as texts},
    scopes,
    tools::columns::asked,
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
        let id = identity(&fields, &by, &mut row).map_err(about)?;
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
    let columns: Vec<String> = inputs.iter().flat_map(|input| input.properties.keys().cloned()).collect();
    let mut properties = asked(&fields, &columns);
    properties.push(by.name.clone());
    let there = there(&call, &object, &by, &ids, &properties).await?;
    let values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
    let mut old: Vec<Option<Record>> = ids
        .iter()
        .map(|id| there.iter().find(|record| record.get(&by.name).eq_ignore_ascii_case(id)).cloned())
        .collect();
    let are_new = old.iter().all(Option::is_none);
    // What is so already is not written again.
    let mut same = 0;
    for at in (0..inputs.len()).rev() {
        let Some(record) = &old[at] else { continue };
        inputs[at]
            .properties
            .retain(|name, value| !is_same(values.fields.get(name), record.get(name), value));
        if inputs[at].properties.is_empty() {
            same += 1;
            inputs.remove(at);
            rows.remove(at);
            old.remove(at);
        }
    }
    if same > 0 {
        notes.push(format!(
            "{} like that already",
            if same == 1 { "1 is".to_owned() } else { format!("{same} are") }
        ));
    }
    if inputs.is_empty() {
        let written = Written::new("Nothing to change: all are like that already");
        return Ok(Plan::nothing(Reply::written(written)));
    }
    let count = old.iter().flatten().count();
    let mut preview = Written::new(format!(
        "Create {} and change {}",
        object.counted(inputs.len() - count),
        object.counted(count)
    ));
    for (input, old) in inputs.iter().zip(&old) {
        let (what, told) = match old {
            Some(old) => (format!("changes {}", title(&object, old)), diff(&values, old, &input.properties)),
            None => ("new".to_owned(), set_to(&values, input, &drafted(input))),
        };
        preview = preview.change(format!("{} ({what}): {}", one_line(&input.id), told.join(", ")));
    }
    let total = inputs.len();
    let preview = with_notes(preview, &notes);
    let by = by.name;
    let work = move || async move {
        let (batch, lost) = reconcile::upsert(&call, &object, &inputs, &by, are_new).await?;
        let mut outcome = Outcome::of(batch, &inputs, &rows);
        call.recent().note(&object, outcome.done.values().map(|record| record.id.as_str()));
        outcome.name_taken(&call, &object, "Change it by its id with update_records").await;
        for (row, record) in &mut outcome.done {
            let at = rows.iter().position(|one| one == row).unwrap_or(0);
            record
                .properties
                .entry(by.clone())
                .or_insert_with(|| inputs.get(at).map(|input| input.id.clone()));
            // What HubSpot answers lacks what was not written.
            for (name, value) in old[at].iter().flat_map(|old| &old.properties) {
                record.properties.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        let written = outcome.written(&object, "Saved", |row, record| {
            let at = rows.iter().position(|one| one == &row).unwrap_or(0);
            // Whether it was there before is known from before: a repeated request finds what the first one made.
            let (verb, told) = match &old[at] {
                Some(old) => ("changed", changes_of(&values, old, &inputs[at].properties, record)),
                None => ("created", set_to(&values, &inputs[at], record)),
            };
            format!("{verb} {} ({}): {}", one_line(&inputs[at].id), record.id, told.join(", "))
        })?;
        Ok(noted(reconcile::done(&call, written, lost), &notes))
    };
    let plan = Plan::new(Reply::written(preview), work).state(&state(&there));
    Ok(plan.ask_of_many(total))
}

/// The value by which a row's record is known: its `id`, or that of the field itself.
fn identity(fields: &Fields, by: &Property, row: &mut Row) -> Result<String> {
    let is_own = |word: &String| fields.find(word).is_ok_and(|property| property.name == by.name);
    let own = row.fields.keys().find(|word| is_own(word)).cloned();
    let own = own.and_then(|word| row.fields.shift_remove(&word));
    let own = own.filter(|value| !value.is_null()).map(|value| texts(&by.name, &value)).transpose()?;
    let form = |text: &str| match by.name.as_str() {
        "email" => text.trim().to_lowercase(),
        _ => text.trim().to_owned(),
    };
    let (id, own) = (form(&row.id), form(&own.unwrap_or_default().join("")));
    match (id.is_empty(), own.is_empty()) {
        (true, true) => Err(Error::invalid(format!("`id`, the {} of the record, is missing", by.name))),
        (false, false) if id != own => Err(Error::invalid(format!(
            "`id` is {} and `{}` is {}: which is it?",
            one_line(&id),
            by.name,
            one_line(&own)
        ))
        .with_hint(format!("To change the {} of a record use update_records", by.name))),
        (true, false) => Ok(own),
        (false, _) => Ok(id),
    }
}

/// The records that are there already.
async fn there(
    call: &Call<HubSpot>,
    object: &ObjectType,
    by: &Property,
    ids: &[String],
    properties: &[String],
) -> Result<Vec<Record>> {
    if object.name != "contacts" || by.name != "email" {
        return Ok(call.api().read_records(object, ids, Some(&by.name), properties, &[]).await?.results);
    }
    let mut there = Vec::new();
    for (asked, found) in call.names().by_emails(ids, properties).await? {
        let Some(found) = found else { continue };
        // HubSpot would take it for a new one, and refuse its address.
        if found.note == SECONDARY {
            return Err(Error::new(
                Kind::Conflict,
                format!("{} is the {SECONDARY} of {}", one_line(&asked), found.shown()),
            )
            .with_hint("Change it by its id with update_records. Nothing was written"));
        }
        there.push(found.record);
    }
    Ok(there)
}

/// What a new record is set to.
fn set_to(values: &Values, input: &Input, record: &Record) -> Vec<String> {
    let told = |name: &String| format!("{} {}", values.fields.head(name), values.cell(record, name));
    input.properties.keys().map(told).collect()
}
