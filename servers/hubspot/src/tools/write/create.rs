//! New records.

use std::collections::BTreeMap;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line, words},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    NO_OWNER, Outcome, Row, check_count, in_row, new_rows, noted, reconcile, set, trace, with_notes,
};
use crate::{
    HubSpot,
    api::{
        associations::specs,
        definitions::AssociationType,
        objects::{Input, Record},
    },
    render::{Values, title},
    resolve::{Fields, ObjectType, RecordRef, bare_domain, has_domain},
    scopes,
};

const OWNER: &str = "hubspot_owner_id";
/// What HubSpot sets in a new record by the account's settings: knowledge.hubspot.com, "What is the default lifecycle stage
/// for newly created contacts" and "Sync ownership between contacts and companies".
const SET_ITSELF: [&str; 2] = ["lifecyclestage", OWNER];

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::write(
            "create_records",
            "Create records",
            "Creates records (link: [\"companies:Acme as Billing contact\"]), mine unless owner is given. Existing e-mails and domains are refused: use upsert_records.",
            create_records,
        )
.scopes(scopes::WRITE)
        .confirmable()
        .aliases(&[("object_type", "object"), ("inputs", "records"), ("record", "records")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateRecords {
    object: String,
    #[schemars(schema_with = "new_rows")]
    records: Vec<Row>,
    #[serde(default)]
    allow_duplicate: bool,
}

async fn create_records(call: Call<HubSpot>, args: CreateRecords) -> Result<Plan> {
    check_count(&args.records)?;
    let object = call.names().object(&args.object).await?;
    let fields = call.names().fields(&object).await?;
    let calendar = call.names().calendar().await?;
    let many = args.records.len() > 1;
    let mut inputs = Vec::new();
    let mut notes = Vec::new();
    let mut linked = Vec::new();
    for (at, row) in args.records.iter().enumerate() {
        let about = |error| in_row(at, many, error);
        if !row.ids.is_empty() || !row.id.is_empty() {
            return Err(about(
                Error::invalid("A new record has no `id` yet")
                    .with_hint("To change records use update_records or upsert_records"),
            ));
        }
        row.no_edits().map_err(about)?;
        let set = set(&call, &fields, &calendar, row, None).await.map_err(about)?;
        required(&object, &set.properties).map_err(about)?;
        notes.extend(set.notes);
        let (associations, records) = links(&call, &object, &row.link).await.map_err(about)?;
        if object.name == "leads" && !records.iter().any(|record| record.object.name == "contacts") {
            return Err(about(
                Error::invalid("a new lead needs a contact")
                    .with_hint("Name one in `link`: [\"contacts:Ana\"]"),
            ));
        }
        let as_label = |word: &String| word.rsplit_once(" as ").map(|(_, label)| one_line(label));
        let labels = row.link.iter().filter(|word| !word.trim().is_empty()).map(as_label);
        let shown = records.iter().zip(labels).map(|(record, label)| match label {
            Some(label) if !record.title().ends_with(&format!(" as {label}")) => {
                format!("{} as {label}", record.shown())
            }
            _ => record.shown(),
        });
        linked.push(shown.collect::<Vec<_>>());
        inputs.push(Input {
            properties: set.properties,
            associations,
            object_write_trace_id: trace(at),
            ..Input::default()
        });
    }
    if object.is_owned() && !owned(&call, &mut inputs).await? {
        notes.push(NO_OWNER.to_owned());
    }
    twice(&object, &inputs)?;
    existing(&call, &fields, &inputs, args.allow_duplicate).await?;

    let columns: Vec<String> = inputs.iter().flat_map(|input| input.properties.keys().cloned()).collect();
    let values = Values::read(call.names(), fields, &columns, call.redacted()).await?;
    let mut preview = Written::new(format!("Create {}", object.counted(inputs.len())));
    for (at, input) in inputs.iter().enumerate() {
        let record = drafted(input);
        let line = told(&values, &record, &linked[at]);
        preview = preview.change(if many { format!("row {}: {line}", at + 1) } else { line });
    }
    let preview = with_notes(preview, &notes);
    let count = inputs.len();
    let work = move || async move {
        let rows: Vec<usize> = (0..inputs.len()).collect();
        let (batch, lost) = reconcile::create(&call, &object, &inputs).await?;
        let mut outcome = Outcome::of(batch, &inputs, &rows);
        call.recent().note(&object, outcome.done.values().map(|record| record.id.as_str()));
        outcome.name_taken(&call, &object, "Update it instead, or use upsert_records").await;
        let owned = outcome.done.values().all(|record| !record.get(OWNER).is_empty());
        let notes: Vec<String> = notes
            .into_iter()
            .filter(|note| !owned || note != NO_OWNER)
            .chain(by_itself(&values, &inputs, &outcome.done))
            .collect();
        let conflicts = outcome.failed.values().any(|error| error.kind() == Kind::Conflict);
        let written = outcome.written(&object, "Created", |row, record| {
            // HubSpot's answer has what it set itself too; what was asked for is told.
            let mut shown = drafted(&inputs[row]);
            for (name, value) in &mut shown.properties {
                *value = record.properties.get(name).cloned().flatten().or_else(|| value.clone());
            }
            let told = told(&values, &shown, &linked[row]);
            if many { format!("{} ({}): {told}", title(&object, record), record.id) } else { told }
        })?;
        let reply = reconcile::done(&call, written, lost);
        let reply = if conflicts {
            reply.line("To change the records that exist use upsert_records or update_records.")
        } else {
            reply
        };
        Ok(noted(reply, &notes))
    };
    Ok(Plan::new(Reply::written(preview), work).once().ask_of_many(count))
}

/// Gives records for which no owner is named to the credential's user. False if some stay without one.
async fn owned(call: &Call<HubSpot>, inputs: &mut [Input]) -> Result<bool> {
    let mut ownerless: Vec<&mut Input> =
        inputs.iter_mut().filter(|input| !input.properties.contains_key(OWNER)).collect();
    if ownerless.is_empty() {
        return Ok(true);
    }
    let Some(author) = call.names().author().await? else { return Ok(false) };
    for input in &mut ownerless {
        input.properties.insert(OWNER.to_owned(), author.id.clone());
    }
    Ok(true)
}

/// What a record is given, and what it is linked to.
fn told(values: &Values, record: &Record, links: &[String]) -> String {
    let set =
        record.properties.iter().filter(|(_, value)| value.as_deref().is_some_and(|value| !value.is_empty()));
    let set: Vec<String> = set.map(|(name, _)| told_field(values, record, name)).collect();
    let links = if links.is_empty() { String::new() } else { format!("; linked to {}", links.join(", ")) };
    format!("{}{links}", set.join(", "))
}

fn told_field(values: &Values, record: &Record, name: &str) -> String {
    format!("{} {}", values.fields.head(name), values.cell(record, name))
}

/// What HubSpot set in new records though nobody asked for it, and in which rows unless in all.
fn by_itself(values: &Values, inputs: &[Input], done: &BTreeMap<usize, Record>) -> Vec<String> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (row, record) in done {
        let asked = &inputs[*row].properties;
        let own =
            SET_ITSELF.iter().filter(|name| !record.get(name).is_empty() && !asked.contains_key(**name));
        for name in own {
            all.entry(told_field(values, record, name)).or_default().push((row + 1).to_string());
        }
    }
    let told = all.into_iter().map(|(what, rows)| {
        let rows = match rows.len() {
            some if some == done.len() => String::new(),
            1 => format!(" in row {}", rows[0]),
            _ => format!(" in rows {}", words::listed(&rows, 20)),
        };
        format!("HubSpot itself set {what}{rows}")
    });
    told.collect()
}

/// The record that an input describes, before it exists.
pub(super) fn drafted(input: &Input) -> Record {
    let properties = input.properties.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
    Record { properties: properties.collect(), ..Record::default() }
}

/// Refuses a record that lacks what HubSpot needs.
fn required(object: &ObjectType, properties: &BTreeMap<String, String>) -> Result<()> {
    let missing: Vec<String> = object
        .required
        .iter()
        .filter(|names| {
            !names.split('|').any(|name| properties.get(name).is_some_and(|value| !value.is_empty()))
        })
        .map(|names| names.replace('|', " or "))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!("a new {} needs {}", object.singular, missing.join(" and "))))
}

/// The associations of a new record, as HubSpot takes them, and the records at their other ends.
pub(in super::super) async fn links(
    call: &Call<HubSpot>,
    object: &ObjectType,
    words: &[String],
) -> Result<(Vec<Value>, Vec<RecordRef>)> {
    let (mut associations, mut records) = (Vec::new(), Vec::new());
    for word in words.iter().filter(|word| !word.trim().is_empty()) {
        let (other, kind) = link(call, object, word).await?;
        associations.push(json!({"to": {"id": other.id()}, "types": specs(&[kind])}));
        records.push(other);
    }
    Ok((associations, records))
}

/// The record that a link leads to, and how it is associated: `companies:Acme`, `companies:Acme as Billing contact`.
async fn link(call: &Call<HubSpot>, object: &ObjectType, word: &str) -> Result<(RecordRef, AssociationType)> {
    if let Some((record, label)) = word.rsplit_once(" as ") {
        match call.names().any_record(record).await {
            Ok(other) => {
                let kind = call.names().label(object, &other.object, label).await?;
                return Ok((other, kind));
            }
            // The words may be a name's own.
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let other = call.names().any_record(word).await?;
    let kind = call.names().unlabelled(object, &other.object).await?;
    Ok((other, kind))
}

/// Refuses rows of which one would take the address or number of another.
fn twice(object: &ObjectType, inputs: &[Input]) -> Result<()> {
    let key = match object.name.as_str() {
        "contacts" => "email",
        "companies" => "domain",
        _ => return Ok(()),
    };
    let own = |input: &Input| {
        input.properties.get(key).map(|value| bare_domain(value)).filter(|value| !value.is_empty())
    };
    for (at, input) in inputs.iter().enumerate() {
        let Some(value) = own(input) else { continue };
        if let Some(other) = inputs[..at].iter().position(|other| own(other).as_ref() == Some(&value)) {
            return Err(Error::new(
                Kind::Conflict,
                format!("Rows {} and {} have the same {key} {}", other + 1, at + 1, one_line(&value)),
            )
            .with_hint("Leave one of them out. Nothing was written"));
        }
    }
    Ok(())
}

/// Refuses what is there already: contacts by address; companies by domain too, which HubSpot itself would
/// take twice.
async fn existing(
    call: &Call<HubSpot>,
    fields: &Fields,
    inputs: &[Input],
    allow_duplicate: bool,
) -> Result<()> {
    let object = &fields.object;
    let key = match object.name.as_str() {
        "contacts" => "email",
        "companies" if !allow_duplicate => "domain",
        _ => return Ok(()),
    };
    let own = |input: &Input| input.properties.get(key).filter(|value| !value.is_empty()).cloned();
    let values: Vec<String> = inputs.iter().filter_map(own).collect();
    if values.is_empty() {
        return Ok(());
    }
    let mut properties = object.title_properties();
    properties.push(key.to_owned());
    let found = if key == "email" {
        call.api().read_records(object, &values, Some(key), &properties, &[]).await?.results
    } else {
        call.names().by_domains(object, &values, &properties).await?
    };
    let has = |record: &Record, value: &str| match key {
        "email" => record.get(key).eq_ignore_ascii_case(value),
        _ => has_domain(record, value),
    };
    let mut listed = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        let Some(value) = own(input) else { continue };
        let row = if inputs.len() > 1 { format!("row {}: ", at + 1) } else { String::new() };
        for record in found.iter().filter(|record| has(record, &value)) {
            let value = if call.redacted().hides(key) { "(redacted)" } else { &value };
            listed.push(format!("{row}{value} is {} ({})", title(object, record), record.id));
        }
    }
    if listed.is_empty() {
        return Ok(());
    }
    let error = Error::new(Kind::Conflict, format!("There already: {}", words::listed(&listed, 10)));
    Err(error.with_hint(if key == "email" {
        "Use update_records or upsert_records for these. Nothing was written"
    } else {
        "Use update_records for these, or `allow_duplicate` to create another all the same. Nothing was written"
    }))
}
