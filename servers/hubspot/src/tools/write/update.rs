//! Records changed, also from one stage to another.

use std::collections::{BTreeMap, BTreeSet};

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line, values_by_name},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    Outcome, Row, asks_for_many, check_count, edited, in_row, known_rows, noted, reconcile, set, state,
    trace, with_notes,
};
use crate::{
    HubSpot,
    api::objects::{Input, Record},
    filter::Members,
    render::{Values, title},
    resolve::Fields,
    scopes,
    tools::records::find,
};

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::write(
            "update_records",
            "Update records",
            "Changes fields of records and shows old and new values; clear empties fields, edits replaces passages of a text. by: the unique field that ids are of.",
            update_records,
        )
.scopes(scopes::WRITE)
        .confirmable()
        .idempotent()
        .aliases(&[("object_type", "object"), ("inputs", "records"), ("record", "records"), ("if_unchanged_since", "expected_last_modified")])
        .output::<Written>(),
        Tool::write(
            "move_stage",
            "Move stage",
            "Moves a deal, ticket or lead to a stage by label; fields can be set with it, such as a close reason.",
            move_stage,
        )
.scopes(scopes::STAGES)
        .idempotent()
        .aliases(&[("object_type", "object"), ("status", "stage")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateRecords {
    object: String,
    by: Option<String>,
    /// ids: the same for each
    #[schemars(schema_with = "known_rows")]
    records: Vec<Row>,
    expected_last_modified: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MoveStage {
    /// deals unless given
    object: Option<String>,
    id: String,
    stage: String,
    pipeline: Option<String>,
    #[serde(default)]
    #[schemars(schema_with = "values_by_name")]
    fields: Members,
    #[serde(default)]
    clear: Vec<String>,
}

async fn update_records(call: Call<HubSpot>, args: UpdateRecords) -> Result<Plan> {
    let rows: Vec<Row> = args.records.into_iter().flat_map(Row::each).collect();
    check_count(&rows)?;
    let object = call.names().object(&args.object).await?;
    let fields = call.names().fields(&object).await?;
    change(call, fields, args.by.as_deref(), rows, args.expected_last_modified.as_deref(), "Updated").await
}

async fn move_stage(call: Call<HubSpot>, args: MoveStage) -> Result<Plan> {
    let object = call.names().object(args.object.as_deref().unwrap_or("deals")).await?;
    let Some((pipeline, stage)) = object.stage else {
        return Err(Error::invalid(format!("{} have no stages", object.plural)));
    };
    let fields = call.names().fields(&object).await?;
    let mut set = args.fields;
    set.insert(stage.to_owned(), json!(args.stage));
    if let Some(name) = args.pipeline.filter(|name| !name.trim().is_empty()) {
        set.insert(pipeline.to_owned(), json!(name));
    }
    let row = Row { id: args.id, fields: set, clear: args.clear, ..Row::default() };
    change(call, fields, None, vec![row], None, "Moved").await
}

/// When a deal is to close, or has closed.
const CLOSES: &str = "closedate";

/// One record that is to change.
struct Changed {
    record: Record,
    properties: BTreeMap<String, String>,
    /// The row it came from.
    row: usize,
}

async fn change(
    call: Call<HubSpot>,
    fields: Fields,
    by: Option<&str>,
    rows: Vec<Row>,
    expected: Option<&str>,
    verb: &'static str,
) -> Result<Plan> {
    let object = fields.object.clone();
    let many = rows.len() > 1;
    let ids: Vec<String> = rows.iter().map(|row| row.id.trim().to_owned()).collect();
    if let Some(at) = ids.iter().position(String::is_empty) {
        return Err(in_row(at, many, Error::invalid("`id` is missing")));
    }
    let calendar = call.names().calendar().await?;
    let columns = touched(&fields, &rows)?;
    let mut properties = columns.clone();
    properties.extend(object.title_properties());
    properties.extend([object.modified().to_owned(), "deal_currency_code".to_owned()]);
    properties.extend(
        object.stage.iter().flat_map(|(pipeline, stage)| [(*pipeline).to_owned(), (*stage).to_owned()]),
    );
    let staged = object.stage.filter(|(_, stage)| columns.iter().any(|name| name == stage));
    if staged.is_some() {
        properties.push(CLOSES.to_owned());
    }
    properties.retain(|name| fields.get(name).is_some());
    let mut changes: Vec<Changed> = Vec::new();
    let mut notes = Vec::new();
    let mut valued = false;
    // By id one batch reads all; a name or an address is looked up by itself.
    let (found, missing) = find(&call, &fields, &unique(&ids), by, &properties, &[]).await?;
    if !missing.is_empty() {
        return Err(Error::not_found(format!(
            "There is no {} {}. Nothing was written",
            object.singular,
            missing.join(", ")
        ))
        .with_hint("search finds records by their names"));
    }
    let order = unique(&ids);
    for (at, row) in rows.iter().enumerate() {
        let about = |error| in_row(at, many, error);
        row.no_links().map_err(about)?;
        let place = order.iter().position(|id| id.eq_ignore_ascii_case(&ids[at]));
        let matched = found.iter().find(|(record, _)| by_id(record, &ids[at], by));
        let Some((record, note)) = matched.or_else(|| found.get(place?)) else {
            return Err(about(Error::not_found(format!(
                "There is no {} {}",
                object.singular,
                one_line(&ids[at])
            ))));
        };
        if !note.is_empty() {
            notes.push(format!("{} is the {note} of {}", one_line(&ids[at]), title(&object, record)));
        }
        if let Some(expected) = expected.filter(|expected| !expected.trim().is_empty()) {
            unchanged(&object.singular, record.get(object.modified()), expected, record).map_err(about)?;
        }
        let set = set(&call, &fields, &calendar, row, Some(record)).await.map_err(about)?;
        notes.extend(set.notes);
        valued |= !set.properties.is_empty();
        merge(&mut changes, record, set.properties, at)?;
    }
    let values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
    let mut preview = Vec::new();
    let alone = changes.len() == 1;
    for change in &mut changes {
        let old = &change.record;
        change.properties.retain(|name, value| old.get(name) != value);
        let lines = diff(&values, old, &change.properties);
        if !lines.is_empty() {
            let name = if alone { String::new() } else { format!("{} ({}): ", title(&object, old), old.id) };
            preview.push(format!("{name}{}", lines.join("; ")));
        }
    }
    changes.retain(|change| !change.properties.is_empty());
    if let Some((_, stage)) = staged.filter(|_| !call.redacted().hides(CLOSES)) {
        let today = calendar.today().to_string();
        for Changed { record, properties, .. } in &changes {
            let opened = properties.get(stage).is_some_and(|id| values.is_open(id));
            let closes = properties.get(CLOSES).map_or_else(|| record.get(CLOSES), String::as_str);
            let day = values.local(closes, "%Y-%m-%d");
            if opened && !closes.is_empty() && day < today {
                notes.push(format!("the close date {day} of {} is past", title(&object, record)));
            }
        }
    }
    if changes.is_empty() {
        let written = Written::new(format!(
            "Nothing to change: {}",
            match (valued, many) {
                (false, _) => "no value was given",
                (true, true) => "all rows are so already",
                (true, false) => "it is so already",
            }
        ));
        return Ok(Plan::nothing(Reply::written(with_notes(written, &notes))));
    }
    let mut written = Written::new(match &changes[..] {
        [Changed { record, .. }] if alone => {
            format!("Change {} ({} {})", title(&object, record), object.singular, record.id)
        }
        _ => format!("Change {}", object.counted(changes.len())),
    });
    for line in preview {
        written = written.change(line);
    }
    let count = changes.len();
    let state = state(changes.iter().map(|change| &change.record));
    let written = with_notes(written, &notes);
    let work = move || async move {
        let inputs: Vec<Input> = changes
            .iter()
            .map(|change| Input {
                id: change.record.id.clone(),
                properties: change.properties.clone(),
                object_write_trace_id: trace(change.row),
                ..Input::default()
            })
            .collect();
        let rows: Vec<usize> = changes.iter().map(|change| change.row).collect();
        let before: Vec<&Record> = changes.iter().map(|change| &change.record).collect();
        let (batch, lost) = reconcile::update(&call, &object, &inputs, &before).await?;
        let mut outcome = Outcome::of(batch, &inputs, &rows);
        call.recent().note(&object, outcome.done.values().map(|record| record.id.as_str()));
        // What HubSpot answers lacks the title and what was not asked for.
        for (row, record) in &mut outcome.done {
            if let Some(change) = changes.iter().find(|change| change.row == *row) {
                for (name, value) in &change.record.properties {
                    record.properties.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        let written = outcome.written(&object, verb, |row, record| {
            let Some(change) = changes.iter().find(|change| change.row == row) else { return String::new() };
            let mut now = BTreeMap::new();
            let mut still = Vec::new();
            for (name, wanted) in &change.properties {
                let got = record.get(name);
                if got == change.record.get(name) && !wanted.starts_with(';') {
                    let why = if name == "lifecyclestage" {
                        " (HubSpot moves it only forward; clear it first)"
                    } else {
                        ""
                    };
                    let head = values.fields.head(name);
                    still.push(format!("{head} is still {}{why}", values.cell(record, name)));
                } else {
                    now.insert(name.clone(), got.to_owned());
                }
            }
            let lines = diff(&values, &change.record, &now).into_iter().chain(still);
            let name =
                if alone { String::new() } else { format!("{} ({}): ", title(&object, record), record.id) };
            format!("{name}{}", lines.collect::<Vec<_>>().join("; "))
        })?;
        Ok(noted(reconcile::done(&call, written, lost), &notes))
    };
    let plan = Plan::new(Reply::written(written), work).state(&state);
    Ok(asks_for_many(plan, count))
}

fn by_id(record: &Record, id: &str, by: Option<&str>) -> bool {
    match by {
        None => record.id == id || record.get("email").eq_ignore_ascii_case(id),
        Some(by) => record.get(by).eq_ignore_ascii_case(id),
    }
}

/// The ids, each once, in their order.
fn unique(ids: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    ids.iter().filter(|id| seen.insert(id.to_lowercase())).cloned().collect()
}

/// The properties that the rows are about.
fn touched(fields: &Fields, rows: &[Row]) -> Result<Vec<String>> {
    let words = rows.iter().flat_map(|row| row.fields.keys().chain(&row.clear));
    let mut names: Vec<String> =
        words.map(|word| fields.find(word).map(|property| property.name.clone())).collect::<Result<_>>()?;
    for row in rows {
        names.extend(edited(fields, row)?.into_iter().map(|(property, _)| property.name.clone()));
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Adds a row's changes: two rows about one record become one, unless they disagree.
fn merge(
    changes: &mut Vec<Changed>,
    record: &Record,
    properties: BTreeMap<String, String>,
    row: usize,
) -> Result<()> {
    let Some(known) = changes.iter_mut().find(|change| change.record.id == record.id) else {
        changes.push(Changed { record: record.clone(), properties, row });
        return Ok(());
    };
    for (name, value) in properties {
        match known.properties.get(&name) {
            Some(other) if *other != value => {
                return Err(Error::new(
                    Kind::Conflict,
                    format!(
                        "Rows {} and {} are the same record {} and want different values for `{name}`",
                        known.row + 1,
                        row + 1,
                        record.id
                    ),
                )
                .with_hint("Say which is right. Nothing was written"));
            }
            _ => _ = known.properties.insert(name, value),
        }
    }
    Ok(())
}

/// Refuses to overwrite what somebody changed meanwhile.
fn unchanged(what: &str, modified: &str, expected: &str, record: &Record) -> Result<()> {
    let moment = |text: &str| text.trim().parse::<Timestamp>().ok();
    let (Some(now), Some(then)) = (moment(modified), moment(expected)) else {
        return Err(Error::invalid("`expected_last_modified` is no time")
            .with_hint("Copy it from the record, such as 2026-11-29T08:00:00.000Z"));
    };
    if now > then {
        return Err(Error::new(
            Kind::Conflict,
            format!("The {what} {} was changed at {modified}, after {expected}", record.id),
        )
        .with_hint("Read it again and decide anew. Nothing was written"));
    }
    Ok(())
}

/// Each value that changes: `phone none → +49 40 5550101`.
fn diff(values: &Values, old: &Record, new: &BTreeMap<String, String>) -> Vec<String> {
    let told = |record: &Record, name: &str| match values.cell(record, name) {
        text if text.is_empty() => "none".to_owned(),
        text => text,
    };
    new.iter()
        .map(|(name, value)| {
            let mut after = old.clone();
            let adds = value.strip_prefix(';');
            after.properties.insert(name.clone(), Some(adds.unwrap_or(value).to_owned()));
            match adds {
                Some(_) => {
                    let head = values.fields.head(name);
                    format!("{head} {} → added to them: {}", told(old, name), told(&after, name))
                }
                None => values.change(old, &after, name),
            }
        })
        .collect()
}

/// A plan to change one record to values that HubSpot takes.
pub(in super::super) async fn change_one(
    call: Call<HubSpot>,
    fields: Fields,
    id: String,
    set: BTreeMap<String, String>,
) -> Result<Plan> {
    let row = Row {
        id,
        fields: set.into_iter().map(|(name, value)| (name, json!(value))).collect(),
        ..Row::default()
    };
    change(call, fields, None, vec![row], None, "Updated").await
}
