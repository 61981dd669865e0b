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
    columns::{Columns, RecordRow, asked},
    search::there_is,
};
use crate::{
    HubSpot,
    api::objects::{MAX_BATCH, Record},
    filter::ADDITIONAL_EMAILS,
    render::{Values, filled, title, unfilled},
    resolve::{Fields, ObjectType, RecordRef, targets},
    scopes,
};

/// Associated records of one kind that are named beside a record.
const NAMED: usize = 10;
/// The ids from which a record was merged, and under which it still answers.
const MERGED: &str = "hs_merged_object_ids";
/// Rows of a list of associated records.
const ROWS: u32 = 50;

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::read(
            "get_records",
            "Get records",
            "Reads records by id, name or unique field. include: associated objects to show beside; history: fields with earlier values.",
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
}

async fn get_records(call: Call<HubSpot>, args: GetRecords) -> Result<Reply> {
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
    let mut properties = asked(&object, &columns);
    properties.extend(history.iter().cloned());
    let (found, missing) = find(&call, &fields, &ids, args.by.as_deref(), &properties, &history).await?;
    let values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
    let records: Vec<Record> = found.iter().map(|(record, _)| record.clone()).collect();
    let mut beside: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for word in &args.include {
        associated(&call, &object, &records, word, &mut beside).await?;
    }
    let mut shown = filled(&columns, &records);
    // Alone, long texts are shown whole, below the row.
    let texts: Vec<String> = match &records[..] {
        [record] => shown.extract_if(.., |column| values.is_text(record, column)).collect(),
        _ => Vec::new(),
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
    if values.tells_times(&shown) && !values.account.time_zone.is_empty() {
        page = page.note(format!("times in {}", values.account.time_zone));
    }
    for (record, note) in &found {
        let mut row = values.row(record, &shown);
        if !note.is_empty() {
            let others = record.get(ADDITIONAL_EMAILS);
            let asked =
                ids.iter().find(|id| others.split(';').any(|one| one.trim().eq_ignore_ascii_case(id)));
            let asked = asked.map(|id| format!(" {}", one_line(id))).unwrap_or_default();
            row.push_str(&format!("\n  found by the {note}{asked}"));
        }
        for column in &texts {
            let text = values.text(record, column).replace('\n', "\n    ");
            row.push_str(&format!("\n  {}:\n    {text}", values.fields.head(column)));
        }
        for column in shown.iter().chain(&texts) {
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
        page.push(row, &RecordRow::new(&values, record, &columns));
    }
    let reply = Reply::page(page);
    if missing.is_empty() {
        return Ok(reply);
    }
    let listed: Vec<String> = missing.iter().map(|id| one_line(id)).collect();
    Ok(reply.line(format!(
        "Not found: {}. They do not exist, are archived, or this credential cannot see them.",
        listed.join(", ")
    )))
}

/// The records that `ids` name, in their order, each with a note on how it was found; and those there are not.
pub(crate) async fn find(
    call: &Call<HubSpot>,
    fields: &Fields,
    ids: &[String],
    by: Option<&str>,
    properties: &[String],
    history: &[String],
) -> Result<(Vec<(Record, &'static str)>, Vec<String>)> {
    let object = &fields.object;
    let by = match by.map(str::trim).filter(|by| !by.is_empty()) {
        Some(by) => {
            let name = fields.find(by)?.name.clone();
            call.redacted().admits(&name)?;
            Some(name).filter(|name| name != "hs_object_id")
        }
        // An address is known for what it is.
        None if object.name == "contacts" && ids.iter().all(|id| id.contains('@')) => {
            Some("email".to_owned())
        }
        None => None,
    };
    let mut found: Vec<(Record, &'static str)> = Vec::new();
    let mut missing = Vec::new();
    if object.name == "contacts" && by.as_deref() == Some("email") {
        for (asked, one) in call.names().by_emails(ids, properties).await? {
            match one {
                Some(one) if found.iter().all(|(record, _)| record.id != one.record.id) => {
                    found.push((one.record, one.note));
                }
                Some(_) => {}
                None => missing.push(asked),
            }
        }
        return Ok((found, missing));
    }
    let mut properties = properties.to_vec();
    properties.extend(by.clone());
    if by.is_none() && fields.get(MERGED).is_some() {
        properties.push(MERGED.to_owned());
    }
    let wanted: Vec<String> = match &by {
        Some(_) => ids.to_vec(),
        None => {
            let mut wanted = Vec::new();
            for id in ids {
                // Anything but a plain id (a name, an address in HubSpot) is looked up.
                let plain = id.bytes().all(|byte| byte.is_ascii_digit());
                wanted.push(if plain {
                    id.clone()
                } else {
                    call.names().record(object, id).await?.id().to_owned()
                });
            }
            wanted
        }
    };
    let batch = call.api().read_records(object, &wanted, by.as_deref(), &properties, history).await?;
    for (asked, id) in ids.iter().zip(&wanted) {
        let fits = |record: &&Record| match &by {
            Some(by) => record.get(by).eq_ignore_ascii_case(id),
            // A merged record answers under the id that it has now.
            None => record.id == *id || record.get(MERGED).split(';').any(|old| old == id),
        };
        match batch.results.iter().find(fits) {
            Some(record) if found.iter().all(|(known, _)| known.id != record.id) => {
                found.push((record.clone(), ""));
            }
            Some(_) => {}
            None => missing.push(asked.clone()),
        }
    }
    Ok((found, missing))
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
    let values = if columns.is_empty() {
        None
    } else {
        let fields = call.names().fields(&other).await?;
        Some(Values::read(call.names(), fields, &columns, call.redacted()).await?)
    };
    let properties = asked(&other, &columns);
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
    let properties = asked(&to, &columns);
    let records = if ids.is_empty() {
        Vec::new()
    } else {
        call.api().read_records(&to, &ids, None, &properties, &[]).await?.results
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
    if total == 0 {
        page = page.notes(through_deals(&call, &object, &record, &to).await);
        page = page.notes(there_is(&call, &to).await);
    }
    for target in &some {
        let Some(record) = records.iter().find(|record| record.id == target.to_object_id) else { continue };
        let labels = target.labels();
        let mut row = values.row(record, &shown);
        if !labels.is_empty() {
            row.push_str(&format!(" | {}", one_line(&labels.join(", "))));
        }
        page.push(row, &RecordRow::new(&values, record, &columns));
    }
    let goes_on = call.clone();
    let page =
        page.cursor(from + wanted < total, move |kept| goes_on.seal_cursor(&Place { offset: from + kept }));
    Ok(Reply::page(page))
}
