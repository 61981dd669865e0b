//! New records.

use std::collections::BTreeMap;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    NO_OWNER, Outcome, Row, asks_for_many, check_count, in_row, new_rows, noted, reconcile, set, trace,
    with_notes,
};
use crate::{
    HubSpot,
    api::{
        associations::specs,
        objects::{Filter, Input, Record, Search},
    },
    render::{Values, title},
    resolve::{ObjectType, RecordRef},
    scopes,
};

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::write(
            "create_records",
            "Create records",
            "Creates records, linked to others (link: [\"companies:Acme\"]), mine unless owner is given. Existing e-mails and domains are refused: use upsert_records.",
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
        linked.push(records.iter().map(RecordRef::shown).collect::<Vec<_>>());
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
    existing(&call, &object, &inputs, args.allow_duplicate).await?;

    let columns: Vec<String> = inputs.iter().flat_map(|input| input.properties.keys().cloned()).collect();
    let values = Values::read(call.names(), fields, &columns, call.redacted()).await?;
    let tell = move |record: &Record, names: &[String]| {
        let set = record
            .properties
            .iter()
            .filter(|(_, value)| value.as_deref().is_some_and(|value| !value.is_empty()));
        let told = |name: &str| format!("{} {}", values.fields.head(name), values.cell(record, name));
        let set = set.map(|(name, _)| told(name)).collect::<Vec<_>>();
        let links =
            if names.is_empty() { String::new() } else { format!("; linked to {}", names.join(", ")) };
        format!("{}{links}", set.join(", "))
    };
    let mut preview = Written::new(format!("Create {}", object.counted(inputs.len())));
    for (at, input) in inputs.iter().enumerate() {
        let record = drafted(input);
        let line = tell(&record, &linked[at]);
        preview = preview.change(if many { format!("row {}: {line}", at + 1) } else { line });
    }
    let preview = with_notes(preview, &notes);
    let count = inputs.len();
    let work = move || async move {
        let rows: Vec<usize> = (0..inputs.len()).collect();
        let (batch, lost) = reconcile::create(&call, &object, &inputs).await?;
        let outcome = Outcome::of(batch, &inputs, &rows);
        call.recent().note(&object, outcome.done.values().map(|record| record.id.as_str()));
        let written = outcome.written(&object, "Created", |row, record| {
            // HubSpot's answer has what it set itself too; what was asked for is told.
            let mut shown = drafted(&inputs[row]);
            for (name, value) in &mut shown.properties {
                *value = record.properties.get(name).cloned().flatten().or_else(|| value.clone());
            }
            let told = tell(&shown, &linked[row]);
            if many { format!("{} ({}): {told}", title(&object, record), record.id) } else { told }
        })?;
        Ok(noted(resolve_conflicts(reconcile::done(&call, written, lost), &outcome), &notes))
    };
    Ok(asks_for_many(Plan::new(Reply::written(preview), work), count))
}

/// Gives records for which no owner is named to the credential's user. False if some stay without one.
async fn owned(call: &Call<HubSpot>, inputs: &mut [Input]) -> Result<bool> {
    const OWNER: &str = "hubspot_owner_id";
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

/// The record that an input describes, before it exists.
fn drafted(input: &Input) -> Record {
    let properties = input.properties.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
    Record { properties: properties.collect(), ..Record::default() }
}

fn resolve_conflicts(reply: Reply, outcome: &Outcome) -> Reply {
    let conflicts = outcome.failed.values().any(|says| says.contains("has it already"));
    if conflicts {
        reply.line("To change the records that exist use upsert_records or update_records.")
    } else {
        reply
    }
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
        let other = call.names().any_record(word).await?;
        let kind = call.names().unlabelled(object, &other.object).await?;
        associations.push(json!({"to": {"id": other.id()}, "types": specs(&[kind])}));
        records.push(other);
    }
    Ok((associations, records))
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

/// A domain as it is compared: in one case, without `www.`.
pub(in super::super) fn bare_domain(domain: &str) -> String {
    let lower = domain.trim().to_lowercase();
    let lower = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")).unwrap_or(&lower);
    let lower = lower.split('/').next().unwrap_or_default();
    lower.strip_prefix("www.").unwrap_or(lower).to_owned()
}

/// Refuses what is there already: contacts by address; companies by domain too, which HubSpot itself would
/// take twice.
async fn existing(
    call: &Call<HubSpot>,
    object: &ObjectType,
    inputs: &[Input],
    allow_duplicate: bool,
) -> Result<()> {
    let of = |key: &str| -> Vec<String> {
        inputs
            .iter()
            .filter_map(|input| input.properties.get(key))
            .filter(|value| !value.is_empty())
            .cloned()
            .collect()
    };
    let found: Vec<Record> = match object.name.as_str() {
        "contacts" => {
            let emails = of("email");
            if emails.is_empty() {
                return Ok(());
            }
            let mut properties = object.title_properties();
            properties.push("email".to_owned());
            call.api().read_records(object, &emails, Some("email"), &properties, &[]).await?.results
        }
        "companies" if !allow_duplicate => {
            let domains: Vec<String> = of("domain").iter().map(|domain| bare_domain(domain)).collect();
            if domains.is_empty() {
                return Ok(());
            }
            let values =
                domains.iter().flat_map(|domain| [domain.clone(), format!("www.{domain}")]).collect();
            let search = Search {
                groups: vec![vec![Filter { values, ..Filter::new("domain", "IN") }]],
                properties: vec!["name".to_owned(), "domain".to_owned()],
                limit: 100,
                ..Search::default()
            };
            call.api().search(object, &search).await?.results
        }
        _ => return Ok(()),
    };
    if found.is_empty() {
        return Ok(());
    }
    let key = if object.name == "contacts" { "email" } else { "domain" };
    let listed: Vec<String> = found
        .iter()
        .take(10)
        .map(|record| {
            let value = if call.redacted().hides(key) { "(redacted)" } else { record.get(key) };
            format!("{value} is {} ({})", title(object, record), record.id)
        })
        .collect();
    let error = Error::new(Kind::Conflict, format!("There already: {}", listed.join("; ")));
    Err(error.with_hint(if object.name == "contacts" {
        "Use update_records or upsert_records for these. Nothing was written"
    } else {
        "Use update_records for these, or `allow_duplicate` to create another all the same. Nothing was written"
    }))
}
