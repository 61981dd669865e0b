//! Records changed, also from one stage to another.

use std::collections::{BTreeMap, BTreeSet};

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line, values_by_name},
};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    Outcome, Row, check_count, edited, in_row, is_same, known_rows, noted, reconcile, set, state, trace,
    with_notes,
};
use crate::{
    HubSpot,
    api::objects::{Input, Record},
    filter::Members,
    render::{Values, title},
    resolve::{Fields, SHARED_DOMAIN},
    scopes,
    tools::found::{Found, find},
};

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::write(
            "update_records",
            "Update records",
            "Changes fields of records; clear empties fields, edits replaces passages. by: the unique field that ids are of.",
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
            "Moves a record to a stage by label; fields are set with it, such as a close reason.",
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
    let fields = call.names().fields(&object).await?;
    let Some((pipeline, stage)) = fields.object.stage else {
        return Err(Error::invalid(format!("{} have no stages", object.plural)));
    };
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
    properties.push(object.modified().to_owned());
    properties.extend(fields.currency().map(str::to_owned));
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
    let zone = call.names().zone().await?;
    for (at, row) in rows.iter().enumerate() {
        let about = |error| in_row(at, many, error);
        row.no_links().map_err(about)?;
        let id = ids[at].to_lowercase();
        let is_asked = |found: &&Found| found.asked.iter().any(|asked| asked.to_lowercase() == id);
        let Some(Found { record, note, .. }) = found.iter().find(is_asked) else {
            return Err(about(Error::not_found(format!(
                "There is no {} {}",
                object.singular,
                one_line(&ids[at])
            ))));
        };
        if *note == SHARED_DOMAIN {
            let all = found
                .iter()
                .filter(is_asked)
                .map(|found| format!("{} ({})", title(&object, &found.record), found.record.id));
            let all: Vec<String> = all.collect();
            return Err(about(
                Error::invalid(format!(
                    "More than one {} has the domain {}",
                    object.singular,
                    one_line(&ids[at])
                ))
                .with_hint(format!("Say which by its id: {}", all.join(", "))),
            ));
        }
        if !note.is_empty() {
            notes.push(format!("{} is the {note} of {}", one_line(&ids[at]), title(&object, record)));
        }
        if let Some(expected) = expected.filter(|expected| !expected.trim().is_empty()) {
            let modified = record.get(object.modified());
            unchanged(&object.singular, modified, expected, &zone, record).map_err(about)?;
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
        change.properties.retain(|name, value| !is_same(values.fields.get(name), old.get(name), value));
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
                (true, true) => "all rows are like that already",
                (true, false) => "it is like that already",
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
            let lines = changes_of(&values, &change.record, &change.properties, record);
            let name =
                if alone { String::new() } else { format!("{} ({}): ", title(&object, record), record.id) };
            format!("{name}{}", lines.join("; "))
        })?;
        Ok(noted(reconcile::done(&call, written, lost), &notes))
    };
    let plan = Plan::new(Reply::written(written), work).state(&state);
    Ok(plan.ask_of_many(count))
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

/// Refuses to overwrite what somebody changed meanwhile. A time without a zone is in the account's, as replies tell it; one
/// told to the minute is the whole of it.
fn unchanged(what: &str, modified: &str, expected: &str, zone: &TimeZone, record: &Record) -> Result<()> {
    let given = expected.trim();
    let local = || given.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok();
    let local = || local().map(|local| local.timestamp()).filter(|_| given.contains(':'));
    let (Ok(now), Some(then)) = (modified.parse::<Timestamp>(), given.parse().ok().or_else(local)) else {
        return Err(Error::invalid("`expected_last_modified` is not a time")
            .with_hint("get_records with fields: [\"modified\"] shows it"));
    };
    let minute = given.matches(':').count() == 1;
    let then = if minute { then + SignedDuration::from_millis(59_999) } else { then };
    if now > then {
        let now = now.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f");
        return Err(Error::new(
            Kind::Conflict,
            format!("The {what} {} was changed at {now}, after {}", record.id, one_line(expected)),
        )
        .with_hint("Read it again and decide anew. Nothing was written"));
    }
    Ok(())
}

/// Each value that changes: `phone none → +49 40 5550101`.
pub(super) fn diff(values: &Values, old: &Record, new: &BTreeMap<String, String>) -> Vec<String> {
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

/// What has become of each value that was to change, also of one that has not.
pub(super) fn changes_of(
    values: &Values,
    old: &Record,
    wanted: &BTreeMap<String, String>,
    record: &Record,
) -> Vec<String> {
    let mut now = BTreeMap::new();
    let mut still = Vec::new();
    for (name, wanted) in wanted {
        let got = record.get(name);
        if got == old.get(name) && !wanted.starts_with(';') {
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
    diff(values, old, &now).into_iter().chain(still).collect()
}

/// A plan to change one record to values that HubSpot takes, and to empty fields.
pub(in super::super) async fn change_one(
    call: Call<HubSpot>,
    fields: Fields,
    id: String,
    set: BTreeMap<String, String>,
    clear: Vec<String>,
) -> Result<Plan> {
    let row = Row {
        id,
        fields: set.into_iter().map(|(name, value)| (name, json!(value))).collect(),
        clear,
        ..Row::default()
    };
    change(call, fields, None, vec![row], None, "Updated").await
}
