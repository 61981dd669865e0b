//! Records that are known: by id, address or another unique property, with what they are associated with.

use std::collections::BTreeMap;

use connector::{
    Error, Result,
    catalog::{Call, Page, Reply, Tool, limit, one_line},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    FROM,
    beside::{conversations, linked, named},
    columns::{CUT, Columns, RecordRow, asked},
    found::{Found, find},
    namesakes,
    search::there_is,
};
use crate::{
    HubSpot,
    api::objects::{MAX_BATCH, Record},
    render::{Values, filled, title, unfilled},
    resolve::{ObjectType, RecordRef, SECONDARY, targets},
    scopes,
    text::{INDENT, slice},
};

/// Associated records of one kind that are named beside a record.
const NAMED: usize = 10;
/// Rows of a list of associated records.
const ROWS: u32 = 50;
/// Bytes of the texts of one record in one reply.
const TEXTS: usize = 20_000;
/// The least room in which another text begins.
const LEAST: usize = 200;

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::read(
            "get_records",
            "Get records",
            "Reads records by id, name or unique field. include: associated objects; history: fields with earlier values.",
            get_records,
        )
.scopes(scopes::READ)
        .aliases(&[("id", "ids"), ("object_type", "object"), ("id_property", "by"), ("properties", "fields"), ("with", "include"), ("associations", "include")])
        .output_page::<RecordRow>(),
        Tool::read(
            "list_associations",
            "List associations",
            "Lists a record's associated records of the object `to`, with labels and fields.",
            list_associations,
        )
.scopes(scopes::READ)
        .aliases(&[("object_type", "object"), ("to_object", "to"), ("properties", "fields")])
        .output_page::<RecordRow>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetRecords {
    object: String,
    ids: Vec<String>,
    /// email, domain
    by: Option<String>,
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    include: Vec<String>,
    #[serde(default)]
    history: Vec<String>,
    cursor: Option<String>,
}

/// Where a text goes on that one reply has no room for.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct TextPlace {
    #[serde(rename = "f")]
    field: String,
    #[serde(rename = "o")]
    offset: usize,
}

/// The texts of one record: each a part, if there is no room for more, and where they go on.
fn parts(
    values: &Values,
    record: &Record,
    columns: &[String],
    place: Option<&TextPlace>,
) -> (Vec<(String, String)>, Option<TextPlace>) {
    let mut room = TEXTS;
    let mut told = Vec::new();
    let begin = place.and_then(|place| columns.iter().position(|column| *column == place.field));
    for column in &columns[begin.unwrap_or(0)..] {
        if room < LEAST {
            return (told, Some(TextPlace { field: column.clone(), offset: 0 }));
        }
        let from = place.filter(|place| place.field == *column).map_or(0, |place| place.offset);
        let (part, next) = slice(&values.shown(record, column), from, room);
        room = room.saturating_sub(part.len());
        told.push((column.clone(), part));
        if let Some(offset) = next {
            return (told, Some(TextPlace { field: column.clone(), offset }));
        }
    }
    (told, None)
}

async fn get_records(call: Call<HubSpot>, args: GetRecords) -> Result<Reply> {
    let place: Option<TextPlace> = call.open_cursor(args.cursor.as_deref())?;
    let object = call.names().object(&args.object).await?;
    let mut ids: Vec<String> = Vec::new();
    for id in args.ids.iter().map(|id| id.trim()).filter(|id| !id.is_empty()) {
        if !ids.iter().any(|one| one.eq_ignore_ascii_case(id)) {
            ids.push(id.to_owned());
        }
    }
    if ids.is_empty() || ids.len() > MAX_BATCH {
        return Err(Error::invalid(format!(
            "`ids` takes 1 to {MAX_BATCH} records, and {} were given",
            ids.len()
        ))
        .with_hint("search finds records by conditions"));
    }
    let fields = call.names().fields(&object).await?;
    let Columns { names: mut columns, unknown, added } = Columns::read(&fields, &args.fields)?;
    // Of one who is read by name it is asked what they do, of other records what they say.
    let more = if object.name == "contacts" { Some("jobtitle") } else { object.body() };
    let is_new = |name: &&str| args.fields.is_empty() && !columns.iter().any(|column| column == name);
    if let Some(name) = more.filter(is_new) {
        columns.push(name.to_owned());
    }
    let mut history = Vec::new();
    for word in &args.history {
        let name = fields.find(word)?.name.clone();
        call.redacted().admits(&name)?;
        history.push(name);
    }
    let mut properties = asked(&fields, &columns);
    properties.extend(history.iter().cloned());
    let (found, missing) = find(&call, &fields, &ids, args.by.as_deref(), &properties, &history).await?;
    let mut values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
    if !history.is_empty() {
        values.read_zone(call.names()).await?;
    }
    let records: Vec<Record> = found.iter().map(|found| found.record.clone()).collect();
    let mut beside: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for word in &args.include {
        associated(&call, &object, &records, word, &mut beside).await?;
    }
    let mut shown = filled(&columns, &records);
    // Alone, long texts are shown whole, below the row.
    let (texts, goes_on) = match &records[..] {
        [record] => {
            let long: Vec<String> = shown.extract_if(.., |column| values.is_text(record, column)).collect();
            parts(&values, record, &long, place.as_ref())
        }
        _ => (Vec::new(), None),
    };
    let mut page = Page::new(FROM, ("record", "records"));
    if !records.is_empty() && shown.is_empty() {
        page = page.note(format!("{}: id", object.plural));
    } else if !records.is_empty() {
        page = page.note(format!("{}: id | {}", object.plural, values.fields.heads(&shown)));
    }
    if !args.fields.is_empty() {
        page = page.notes(unfilled(&values.fields, &columns[added..], &records));
    }
    page = page.notes(unknown);
    if object.name == "tickets" || args.include.iter().any(|word| word.to_lowercase().starts_with("email")) {
        page = page.note(conversations(&call));
    }
    if (values.tells_times(&shown) || !history.is_empty()) && !values.account.time_zone.is_empty() {
        page = page.note(format!("times in {}", values.account.time_zone));
    }
    if values.cuts(&records, &shown) {
        page = page.note(CUT);
    }
    for Found { record, note, asked } in &found {
        let mut row = values.row(record, &shown);
        match *note {
            "" => {}
            SECONDARY => {
                let asked = asked.first().map(|asked| one_line(asked)).unwrap_or_default();
                row.push_str(&format!("\n  found by the {note} {asked}"));
            }
            note => row.push_str(&format!("\n  {note}")),
        }
        for (column, text) in &texts {
            let text = text.trim_end().replace('\n', &format!("\n{INDENT}"));
            row.push_str(&format!("\n  {}:\n{INDENT}{text}", values.fields.head(column)));
        }
        for column in shown.iter().chain(texts.iter().map(|(column, _)| column)) {
            if let Some(unshown) = values.unshown(record, column) {
                row.push_str(&format!("\n  {} has formatting that is {unshown}", values.fields.head(column)));
            }
        }
        for line in beside.get(&record.id).into_iter().flatten() {
            row.push_str(&format!("\n  {line}"));
        }
        for name in &history {
            row.push_str(&format!("\n  {}", past(&values, record, name)));
        }
        let whole = |column: &str| {
            let text = texts.iter().find(|(name, _)| name == column).map(|(_, text)| text.clone());
            text.unwrap_or_else(|| values.text(record, column))
        };
        page.push(row, &RecordRow::of(record, &columns, whole));
    }
    if let Some(place) = goes_on {
        let call = call.clone();
        page = page.cursor(true, move |_| call.seal_cursor(&place));
    }
    let mut reply = Reply::page(page);
    if let [record] = &records[..]
        && let Some(url) = address(&object, record)
    {
        reply = reply.line(url);
    }
    if missing.is_empty() {
        return Ok(reply);
    }
    let listed: Vec<String> = missing.iter().map(|id| one_line(id)).collect();
    Ok(reply.line(format!(
        "Not found: {}. They do not exist, are archived, or this credential cannot see them.",
        listed.join(", ")
    )))
}

/// Where a person would look at a record. An activity has no page of its own.
pub(super) fn address(object: &ObjectType, record: &Record) -> Option<String> {
    (!object.is_activity() && record.url.starts_with("https://")).then(|| one_line(&record.url))
}

/// Notes beside each record what it is associated with.
async fn associated(
    call: &Call<HubSpot>,
    object: &ObjectType,
    records: &[Record],
    word: &str,
    beside: &mut BTreeMap<String, Vec<String>>,
) -> Result<()> {
    let other = call.names().object(word).await?;
    let ids: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let rows = call.api().associated(object, &ids, &other).await?;
    let mut wanted: Vec<String> = ids
        .iter()
        .flat_map(|id| targets(&rows, id).into_iter().take(NAMED))
        .map(|target| target.to_object_id)
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    // What is asked next of those that have a price.
    let columns: &[&str] = match other.name.as_str() {
        "deals" => &["amount", "dealstage"],
        "quotes" => &["hs_quote_amount", "hs_status", "hs_expiration_date"],
        "line_items" => &["quantity", "price", "amount"],
        _ => &[],
    };
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    let (properties, values) = if columns.is_empty() {
        (other.title_properties(), None)
    } else {
        let fields = call.names().fields(&other).await?;
        let properties = asked(&fields, &columns);
        (properties, Some(Values::read(call.names(), fields, &columns, call.redacted()).await?))
    };
    let mut named: Vec<Record> = Vec::new();
    for some in wanted.chunks(MAX_BATCH) {
        named.extend(call.api().read_records(&other, some, None, &properties, &[]).await?.results);
    }
    for id in &ids {
        let all = targets(&rows, id);
        let names = all.iter().take(NAMED).filter_map(|target| {
            let record = named.iter().find(|record| record.id == target.to_object_id)?;
            let labels = target.labels();
            let labels =
                if labels.is_empty() { String::new() } else { format!(", {}", one_line(&labels.join(", "))) };
            let cells: Vec<String> = values
                .iter()
                .flat_map(|values| columns.iter().map(move |column| (column, values.cell(record, column))))
                .map(|(column, cell)| match column.as_str() {
                    "hs_expiration_date" if !cell.is_empty() => {
                        format!("expires {}", cell.split(' ').next().unwrap_or_default())
                    }
                    _ => cell,
                })
                .collect();
            let worth = match &cells[..] {
                [quantity, price, amount]
                    if other.name == "line_items" && cells.iter().all(|cell| !cell.is_empty()) =>
                {
                    format!(", {quantity} × {price} = {amount}")
                }
                cells => {
                    cells.iter().filter(|cell| !cell.is_empty()).map(|cell| format!(", {cell}")).collect()
                }
            };
            Some(format!("{} ({}{worth}{labels})", title(&other, record), record.id))
        });
        let mut line = format!("{}: {}", other.plural, names.collect::<Vec<_>>().join("; "));
        match all.len() {
            0 => line.push_str("none"),
            many if many > NAMED => line.push_str(&format!("; and {} more", many - NAMED)),
            _ => {}
        }
        beside.entry(id.clone()).or_default().push(line);
    }
    Ok(())
}

/// The earlier values of a field.
fn past(values: &Values, record: &Record, name: &str) -> String {
    let Some(property) = values.fields.get(name) else { return String::new() };
    let all = record.properties_with_history.get(name).map(Vec::as_slice).unwrap_or_default();
    let told = all.iter().take(20).map(|past| {
        let value = values.value(property, &past.value);
        let value = if value.is_empty() { "empty".to_owned() } else { one_line(&value) };
        format!("{value} ({})", values.local(&past.timestamp, "%Y-%m-%d %H:%M"))
    });
    format!("{name}: {}", told.collect::<Vec<_>>().join(" ← "))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListAssociations {
    object: String,
    id: String,
    to: String,
    label: Option<String>,
    #[serde(default)]
    fields: Vec<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// An associated record's row.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    #[serde(rename = "o")]
    offset: usize,
}

/// Whether the deals of a record have what it has not itself: quotes, products and more hang on deals.
async fn through_deals(
    call: &Call<HubSpot>,
    object: &ObjectType,
    record: &RecordRef,
    to: &ObjectType,
) -> Option<String> {
    let deals = call.names().standard("deals").filter(|deals| deals != object && deals != to)?;
    let mut ids = linked(call, object, &[record.id().to_owned()], &deals).await.ok()?;
    ids.truncate(MAX_BATCH);
    if ids.is_empty() || to.is_activity() {
        return None;
    }
    let rows = call.api().associated(&deals, &ids, to).await.ok()?;
    let with: Vec<String> = ids.iter().filter(|id| !targets(&rows, id).is_empty()).cloned().collect();
    if with.is_empty() {
        return Some(
            format!("its {} has none either", deals.counted(ids.len())).replace("deals has", "deals have"),
        );
    }
    let some = named(call, &deals, &with[..with.len().min(NAMED)]).await.ok()?;
    let told = some.iter().map(|deal| format!("{}: {}", deal.shown(), targets(&rows, deal.id()).len()));
    Some(format!("its deals have some: {}", told.collect::<Vec<_>>().join(", ")))
}

async fn list_associations(call: Call<HubSpot>, args: ListAssociations) -> Result<Reply> {
    let from = call.open_cursor::<Place>(args.cursor.as_deref())?.map_or(0, |place| place.offset);
    let object = call.names().object(&args.object).await?;
    let to = call.names().object(&args.to).await?;
    let record = call.names().record(&object, &args.id).await?;
    let label = match args.label.as_deref().map(str::trim).filter(|label| !label.is_empty()) {
        Some(label) => Some(call.names().label(&object, &to, label).await?),
        None => None,
    };
    let fields = call.names().fields(&to).await?;
    let Columns { names: columns, unknown, added } = Columns::read(&fields, &args.fields)?;
    let rows = call.api().associated(&object, &[record.id().to_owned()], &to).await?;
    let mut all = targets(&rows, record.id());
    if let Some(label) = &label {
        all.retain(|target| target.association_types.iter().any(|kind| kind.type_id == label.type_id));
    }
    let total = all.len();
    let wanted = limit(args.limit, ROWS, 100) as usize;
    let some: Vec<_> = all.into_iter().skip(from).take(wanted).collect();
    let ids: Vec<String> = some.iter().map(|target| target.to_object_id.clone()).collect();
    let properties = asked(&fields, &columns);
    let wider = namesakes::wider(&fields, &properties);
    let records = if ids.is_empty() {
        Vec::new()
    } else {
        call.api().read_records(&to, &ids, None, &wider, &[]).await?.results
    };
    let values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
    let shown = filled(&columns, &records);
    let mut page = Page::new(FROM, ("record", "records")).total(total).note(format!(
        "{} of {}",
        to.plural,
        record.shown()
    ));
    if !records.is_empty() {
        let labelled = some.iter().any(|target| !target.labels().is_empty());
        let labels = if labelled { " | labels" } else { "" };
        page = page.note(format!("id | {}{labels}", values.fields.heads(&shown)));
    }
    if !args.fields.is_empty() {
        page = page.notes(unfilled(&values.fields, &columns[added..], &records));
    }
    page = page.notes(unknown);
    page = page.notes(namesakes::told(&call, &to, &records, &values, &shown).await?);
    if values.cuts(&records, &shown) {
        page = page.note(CUT);
    }
    if total == 0 {
        page = page.notes(through_deals(&call, &object, &record, &to).await);
        page = page.notes(there_is(&call, &to).await);
    }
    for target in &some {
        let Some(record) = records.iter().find(|record| record.id == target.to_object_id) else { continue };
        let labels = one_line(&target.labels().join(", "));
        let (mut row, mut cells) = (values.row(record, &shown), RecordRow::new(&values, record, &columns));
        if !labels.is_empty() {
            row.push_str(&format!(" | {labels}"));
            cells.values.insert("labels".to_owned(), labels);
        }
        page.push(row, &cells);
    }
    let goes_on = call.clone();
    let page =
        page.cursor(from + wanted < total, move |kept| goes_on.seal_cursor(&Place { offset: from + kept }));
    Ok(Reply::page(page))
}
