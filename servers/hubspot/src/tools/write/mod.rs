//! Records written: created, changed, upserted, moved from stage to stage. Each row is checked before anything is
//! sent, and each row's outcome is told.

mod create;
mod outcome;
pub(super) mod reconcile;
mod update;
mod upsert;

use std::collections::{BTreeMap, BTreeSet};

use connector::{
    Error, Result,
    catalog::{
        Calendar, Call, Reply, Tool, Written,
        edits::{self, Edit},
    },
};
use jiff::Timestamp;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::{
    HubSpot,
    api::{
        definitions::Property,
        objects::{MAX_BATCH, Record},
    },
    filter::Members,
    resolve::{Fields, to_come, values as texts},
    rich::{markdown, rewrite},
};

pub(super) use create::links;
use outcome::{Outcome, trace, traced};
pub(super) use update::change_one;

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    Tool::gather(&[create::tools, update::tools, upsert::tools])
}

/// What is told of new records for which there is no owner.
pub(super) const NO_OWNER: &str = "owner none; name one in `owner`";

/// A row of a write: the record it is about, what to set, what to empty, what to link a new one to.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    id: String,
    /// Several records for which the row is the same.
    ids: Vec<String>,
    fields: Members,
    edits: Vec<TextEdit>,
    clear: Vec<String>,
    link: Vec<String>,
}

/// A passage of a text that is replaced: of `field`, or of the text that such records have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextEdit {
    #[serde(default)]
    field: String,
    old: String,
    #[serde(default)]
    new: String,
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = Map::deserialize(deserializer)?;
        let text = |value: Value| match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let texts = |value: Option<Value>| match value {
            Some(Value::Array(list)) => list.into_iter().map(text).collect(),
            Some(Value::Null) | None => Vec::new(),
            Some(one) => vec![text(one)],
        };
        let ids = texts(members.shift_remove("ids"));
        let id = members.shift_remove("id").map(text).unwrap_or_default();
        let clear = texts(members.shift_remove("clear"));
        let edits = match members.shift_remove("edits").or_else(|| members.shift_remove("edit")) {
            Some(Value::Null) | None => Vec::new(),
            Some(edits) => {
                let list = if edits.is_array() { edits } else { Value::Array(vec![edits]) };
                serde_json::from_value(list).map_err(|error| {
                    serde::de::Error::custom(format!("`edits` is a list of {{field, old, new}}: {error}"))
                })?
            }
        };
        let link = texts(members.shift_remove("link").or_else(|| members.shift_remove("associations")));
        let fields = match members.shift_remove("fields").or_else(|| members.shift_remove("properties")) {
            Some(Value::Object(fields)) if members.is_empty() => fields,
            Some(Value::Object(_)) => {
                let unknown = members.keys().next().cloned().unwrap_or_default();
                return Err(serde::de::Error::custom(format!(
                    "`{unknown}` stands beside `fields`; a row has id or ids, fields, edits, clear and link"
                )));
            }
            Some(_) => return Err(serde::de::Error::custom("`fields` is an object of values by field")),
            // The fields themselves, as models often write a record.
            None => members,
        };
        Ok(Self { id, ids, fields, edits, clear, link })
    }
}

impl Row {
    /// The rows that it stands for: one for each record.
    fn each(mut self) -> Vec<Self> {
        let ids = std::mem::take(&mut self.ids);
        if ids.is_empty() {
            return vec![self];
        }
        let own = (!self.id.trim().is_empty()).then(|| self.id.clone());
        own.into_iter().chain(ids).map(|id| Self { id, ..self.clone() }).collect()
    }

    /// Refuses edits of a text where it may not be there yet.
    fn no_edits(&self) -> Result<()> {
        if self.edits.is_empty() {
            return Ok(());
        }
        Err(Error::invalid("`edits` is for update_records").with_hint("Give the whole text in `fields`"))
    }

    /// Refuses links where HubSpot takes none with the record.
    fn no_links(&self) -> Result<()> {
        if self.link.is_empty() {
            return Ok(());
        }
        Err(Error::invalid("`link` is for create_records")
            .with_hint("associate_records links records that exist"))
    }
}

/// The schema of rows with these members.
fn rows(members: &[&str]) -> Schema {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let value = json!({"type": ["string", "number", "boolean", "array"], "items": {"type": "string"}});
    let properties: Map<String, Value> = members
        .iter()
        .map(|member| {
            let schema = match *member {
                "id" => json!({"type": "string"}),
                "fields" => json!({"type": "object", "additionalProperties": value}),
                "edits" => {
                    let text = json!({"type": "string"});
                    let edit = json!({"old": text, "new": text});
                    json!({"type": "array", "items": {"type": "object", "properties": edit}})
                }
                _ => texts.clone(),
            };
            ((*member).to_owned(), schema)
        })
        .collect();
    json_schema!({"type": "array", "items": {"type": "object", "properties": properties}})
}

/// The schema of rows for new records.
fn new_rows(_: &mut SchemaGenerator) -> Schema {
    rows(&["fields", "link"])
}

/// The schema of rows for records that are there.
fn known_rows(_: &mut SchemaGenerator) -> Schema {
    rows(&["id", "ids", "fields", "edits", "clear"])
}

/// The schema of rows for records that are there or not.
fn any_rows(_: &mut SchemaGenerator) -> Schema {
    rows(&["id", "fields"])
}

/// What a row sets, as HubSpot takes it, and what was left aside.
#[derive(Clone, Debug, Default)]
struct Set {
    properties: BTreeMap<String, String>,
    notes: Vec<String>,
}

impl Set {
    /// A rich text as it is to be written over what the record has, with what gets lost noted.
    fn rich(&mut self, fields: &Fields, property: &Property, record: &Record, text: &str) -> String {
        let new = rewrite(record.get(&property.name), text);
        if !new.lost.is_empty() {
            self.notes.push(format!(
                "formatting of {} that Markdown does not have is lost: {}",
                fields.head(&property.name),
                new.lost.join(", ")
            ));
        }
        new.html
    }
}

/// The edits of a row, by the property that each is of.
fn edited<'a>(fields: &'a Fields, row: &Row) -> Result<Vec<(&'a Property, Vec<Edit>)>> {
    let mut all: Vec<(&Property, Vec<Edit>)> = Vec::new();
    for edit in &row.edits {
        let property = match edit.field.trim() {
            "" => fields.object.body().and_then(|body| fields.get(body)).ok_or_else(|| {
                Error::invalid("An edit needs `field`")
                    .with_hint(format!("{} have no text of their own", fields.object.plural))
            })?,
            word => fields.find(word)?,
        };
        let edit = Edit { old: edit.old.clone(), new: edit.new.clone() };
        match all.iter_mut().find(|(known, _)| known.name == property.name) {
            Some((_, edits)) => edits.push(edit),
            None => all.push((property, vec![edit])),
        }
    }
    Ok(all)
}

/// Reads what a row sets. `current` is the record as it is, for the pipeline it is in.
async fn set(
    call: &Call<HubSpot>,
    fields: &Fields,
    calendar: &Calendar,
    row: &Row,
    current: Option<&Record>,
) -> Result<Set> {
    let mut set = Set::default();
    let mut found: Vec<(&Property, &Value)> = Vec::new();
    for (word, value) in &row.fields {
        let property = fields.find(word)?;
        let empty = match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            Value::Array(list) => list.is_empty(),
            _ => false,
        };
        if empty {
            set.notes.push(format!("{}: an empty value was ignored; `clear` empties a field", property.name));
        } else if found.iter().any(|(other, _)| other.name == property.name) {
            return Err(Error::invalid(format!(
                "`{}` is given twice, once under another name",
                property.name
            )));
        } else {
            found.push((property, value));
        }
    }
    // A stage is one of the pipeline that the row names, else of the one that the record is in.
    let mut pipeline: Option<String> = None;
    if let Some((name, stage)) = fields.object.stage {
        let staged = found.iter().any(|(property, _)| property.name == stage);
        match found.iter().find(|(property, _)| property.name == name) {
            Some((_, word)) => pipeline = texts(name, word)?.into_iter().next(),
            _ if staged => {
                pipeline = current.map(|record| record.get(name).to_owned()).filter(|id| !id.is_empty());
            }
            _ => {}
        }
        if let Some((_, value)) = found.iter().find(|(property, _)| property.name == stage) {
            let word = texts(stage, value)?.join("");
            let found = call.names().stage(&fields.object, &word, pipeline.as_deref()).await?;
            set.properties.insert(name.to_owned(), found.pipeline.id.clone());
            pipeline = Some(found.pipeline.id);
        }
    }
    for (property, value) in found {
        let mut written =
            fields.to_write(call.names(), calendar, property, value, pipeline.as_deref()).await?;
        if let (true, Some(record)) = (property.is_rich(), current) {
            let text = texts(&property.name, value)?.join("\n");
            written = set.rich(fields, property, record, &text);
        }
        if property.kind == "datetime" && !fields.object.took_place() {
            set.notes.extend(day_told(call, fields, calendar, property, value).await?);
        }
        set.properties.insert(property.name.clone(), written);
    }
    for (property, changes) in edited(fields, row)? {
        let Some(record) = current else { return row.no_edits().map(|()| set) };
        let name = property.name.as_str();
        call.redacted().admits(name)?;
        if set.properties.contains_key(name) {
            return Err(Error::invalid(format!("`{name}` is both in `fields` and in `edits`")));
        }
        let before = record.get(name);
        let shown = if property.is_rich() { markdown(before) } else { before.to_owned() };
        let text = edits::apply(&shown, &changes)?;
        // What may be written is what may be edited.
        let as_text = json!(text);
        let mut written = fields.to_write(call.names(), calendar, property, &as_text, None).await?;
        if property.is_rich() {
            written = set.rich(fields, property, record, &text);
        }
        set.properties.insert(name.to_owned(), written);
    }
    for word in &row.clear {
        let property = fields.find(word)?;
        if property.is_read_only() {
            return Err(Error::invalid(format!(
                "`{}` cannot be emptied: HubSpot sets it itself",
                property.name
            )));
        }
        set.properties.insert(property.name.clone(), String::new());
    }
    Ok(set)
}

/// That a day which was given for a moment is the end of it.
async fn day_told(
    call: &Call<HubSpot>,
    fields: &Fields,
    calendar: &Calendar,
    property: &Property,
    value: &Value,
) -> Result<Option<String>> {
    let text = texts(&property.name, value)?.join("");
    let when = to_come(calendar, &property.name, &text)?;
    if when.start() == when.end() {
        return Ok(None);
    }
    let zone = call.names().account().await?.time_zone;
    let zone = if zone.is_empty() { "UTC".to_owned() } else { zone };
    Ok(Some(format!("{} is the end of the day in {zone}", fields.head(&property.name))))
}

/// Says which row an error is about.
fn in_row(at: usize, many: bool, error: Error) -> Error {
    if !many {
        return error;
    }
    let hint = error.hint().map(str::to_owned);
    let named = Error::new(
        error.kind(),
        format!("row {}: {}. Nothing was written", at + 1, error.message().trim_end_matches('.')),
    );
    match hint {
        Some(hint) => named.with_hint(hint),
        None => named,
    }
}

/// Refuses too many rows, and none.
fn check_count(rows: &[Row]) -> Result<()> {
    if rows.is_empty() || rows.len() > MAX_BATCH {
        return Err(Error::invalid(format!(
            "`records` takes 1 to {MAX_BATCH} rows, and {} were given",
            rows.len()
        )));
    }
    Ok(())
}

/// Whether a record keeps one value for two ways of writing it.
fn is_same(property: Option<&Property>, old: &str, new: &str) -> bool {
    let Some(property) = property.filter(|_| old != new) else { return old == new };
    let number = |text: &str| text.parse::<f64>().ok();
    let moment = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    match property.kind.as_str() {
        "number" => matches!((number(old), number(new)), (Some(old), Some(new)) if old == new),
        "datetime" => matches!((moment(old), moment(new)), (Some(old), Some(new)) if old == new),
        "enumeration" if property.is_multiple() => {
            let set = |text: &str| text.split(';').map(str::to_owned).collect::<BTreeSet<_>>();
            match new.strip_prefix(';') {
                Some(added) => set(added).is_subset(&set(old)),
                None => set(old) == set(new),
            }
        }
        _ => property.name == "email" && old.eq_ignore_ascii_case(new),
    }
}

/// What records are, for the confirmation of a write to them: each with the time of its last change.
pub(super) fn state<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<(String, String)> {
    records.into_iter().map(|record| (record.id.clone(), record.updated_at.clone())).collect()
}

/// Adds to the reply of a write what was left aside.
fn noted(reply: Reply, notes: &[String]) -> Reply {
    once(notes).into_iter().fold(reply, |reply, note| reply.line(format!("note: {note}")))
}

/// What several rows have in common, once.
fn once(notes: &[String]) -> Vec<&String> {
    let mut seen = BTreeSet::new();
    notes.iter().filter(|note| seen.insert(*note)).collect()
}

/// Adds to a preview what was left aside.
fn with_notes(mut written: Written, notes: &[String]) -> Written {
    for note in once(notes) {
        written = written.change(format!("note: {note}"));
    }
    written
}
