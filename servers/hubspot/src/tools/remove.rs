//! Records archived, merged, deleted for good.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, reconcile::created, words},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    beside::{linked, named},
    columns::asked,
    found::find,
    records::address,
    write::{reconcile, state},
};
use crate::{
    HubSpot,
    api::objects::{MAX_BATCH, Record},
    render::{Values, title},
    resolve::{ObjectType, targets},
    scopes,
};

/// Open deals that a preview names.
const DEALS: usize = 10;
/// Records of one object that a preview of a merge names.
const MOVED: usize = 5;
/// Fields that a preview of a merge names.
const FIELDS: usize = 20;
/// Whose a record is.
const OWNER: &str = "hubspot_owner_id";

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::destructive(
            "archive_records",
            "Archive records",
            "Moves records to the recycle bin; a person can restore them for 90 days.",
            archive_records,
        )
        .scopes(scopes::WRITE)
        .idempotent()
        .aliases(&[("object_type", "object"), ("id", "ids")])
        .output::<Written>(),
        Tool::destructive(
            "merge_records",
            "Merge records",
            "Merges one record into another for good; keep wins where both have a value.",
            merge_records,
        )
        .scopes(scopes::MERGE)
        .aliases(&[("object_type", "object"), ("primary", "keep"), ("secondary", "absorb")])
        .output::<Written>(),
        Tool::destructive(
            "gdpr_delete_contact",
            "Delete a contact for good",
            "Deletes a contact with all its activities for good, as the GDPR asks. It cannot be undone.",
            gdpr_delete_contact,
        )
        .scopes(scopes::WRITE_CONTACTS)
        .opt_in("gdpr")
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ArchiveRecords {
    object: String,
    ids: Vec<String>,
}

async fn archive_records(call: Call<HubSpot>, args: ArchiveRecords) -> Result<Plan> {
    let object = call.names().object(&args.object).await?;
    if args.ids.is_empty() || args.ids.len() > MAX_BATCH {
        return Err(Error::invalid(format!("`ids` takes 1 to {MAX_BATCH} records")));
    }
    let fields = call.names().fields(&object).await?;
    let mut properties = object.title_properties();
    if object.is_owned() {
        properties.push(OWNER.to_owned());
    }
    let (found, missing) = find(&call, &fields, &args.ids, None, &properties, &[]).await?;
    if found.is_empty() {
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing to do: there is no {} {}",
            object.singular,
            missing.join(", ")
        )))));
    }
    let found: Vec<Record> = found.into_iter().map(|found| found.record).collect();
    let ids: Vec<String> = found.iter().map(|record| record.id.clone()).collect();
    let mut whose = Vec::new();
    if object.is_owned() && !call.redacted().hides(OWNER) {
        whose.extend(owned(&call, found.iter()).await?);
    }
    let values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
    let mut lines: Vec<String> = found
        .iter()
        .map(|record| match values.cell(record, OWNER) {
            owner if owner.is_empty() => format!("{} ({})", title(&object, record), record.id),
            owner => format!("{} ({}), owner {owner}", title(&object, record), record.id),
        })
        .collect();
    if !missing.is_empty() {
        lines.push(format!("not found: {}", missing.join(", ")));
    }
    let what = object.counted(ids.len());
    let mut preview =
        Written::new(format!("Archive {what}; a person can restore them in HubSpot for 90 days"));
    preview.changed = lines.clone();
    preview.changed.extend(whose);
    if matches!(object.name.as_str(), "contacts" | "companies") {
        preview.changed.extend(open_deals(&call, &object, &ids).await?);
    }
    let work = move || async move {
        let sent = call.api().archive_records(&object, &ids).await;
        let lost = reconcile::removed(sent, &call, &object, &ids).await?;
        call.recent().note(&object, ids.iter().map(String::as_str));
        let mut written =
            Written::new(format!("Archived {what}; a person can restore them in HubSpot for 90 days"));
        written.changed = lines;
        Ok(reconcile::done(&call, written, lost))
    };
    Ok(Plan::new(Reply::written(preview), work).state(&state(&found)))
}

/// How many of some records are the credential's user's, if HubSpot tells who that is.
async fn owned(call: &Call<HubSpot>, records: impl Iterator<Item = &Record>) -> Result<Option<String>> {
    let Some(author) = call.names().author().await? else { return Ok(None) };
    let all: Vec<bool> = records.map(|record| record.get(OWNER) == author.id).collect();
    Ok(Some(match all.iter().filter(|own| **own).count() {
        0 if all.len() == 1 => "it is not yours".to_owned(),
        0 => "none is yours".to_owned(),
        own if own == all.len() => return Ok(None),
        own => format!("{own} of {} yours", all.len()),
    }))
}

/// The open deals of contacts or companies, one a line: they stay, and lose whom they are with.
async fn open_deals(call: &Call<HubSpot>, object: &ObjectType, ids: &[String]) -> Result<Vec<String>> {
    let Some(deals) = call.names().standard("deals") else { return Ok(Vec::new()) };
    let rows = match call.api().associated(object, ids, &deals).await {
        Err(error) if error.kind() == Kind::Permission => {
            return Ok(vec!["whether they have open deals this credential cannot see".to_owned()]);
        }
        rows => rows?,
    };
    let mut linked: Vec<String> =
        ids.iter().flat_map(|id| targets(&rows, id)).map(|target| target.to_object_id).collect();
    linked.sort_unstable();
    linked.dedup();
    let columns = ["dealname", "dealstage", "amount", "deal_currency_code", "closedate", "hs_is_closed"];
    let columns = columns.map(str::to_owned);
    let values =
        Values::read(call.names(), call.names().fields(&deals).await?, &columns, call.redacted()).await?;
    let mut lines = Vec::new();
    for some in linked.chunks(MAX_BATCH) {
        let records = call.api().read_records(&deals, some, None, &columns, &[]).await?.results;
        for deal in records.iter().filter(|deal| deal.get("hs_is_closed") != "true") {
            let told = ["amount", "dealstage", "closedate"].map(|name| values.cell(deal, name));
            let told: Vec<&str> = told.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
            lines.push(format!("open deal: {} ({}), {}", values.title(deal), deal.id, told.join(", ")));
        }
    }
    if lines.len() > DEALS {
        let more = lines.len() - DEALS;
        lines.truncate(DEALS);
        lines.push(format!("and {}", words::counted(more, ("more open deal", "more open deals"))));
    }
    Ok(lines)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MergeRecords {
    object: String,
    keep: String,
    absorb: String,
}

async fn merge_records(call: Call<HubSpot>, args: MergeRecords) -> Result<Plan> {
    let object = call.names().object(&args.object).await?;
    let mergeable = object.custom
        || matches!(object.name.as_str(), "contacts" | "companies" | "deals" | "tickets" | "appointments");
    if !mergeable {
        return Err(Error::invalid(format!("HubSpot does not merge {}", object.plural))
            .with_hint("It merges contacts, companies, deals, tickets, appointments and custom objects"));
    }
    let keep = call.names().record(&object, &args.keep).await?;
    let absorb = call.names().record(&object, &args.absorb).await?;
    if keep.id() == absorb.id() {
        return Err(Error::invalid("`keep` and `absorb` are the same record"));
    }
    let fields = call.names().fields(&object).await?;
    // What rows show comes first, then everything else that could be lost.
    let known = object.columns.iter().filter(|name| fields.get(name).is_some());
    let others = fields.all().iter().filter(|property| !property.is_read_only());
    let others = others.map(|property| &property.name).filter(|name| !object.columns.contains(name));
    let columns: Vec<String> = known.chain(others).cloned().collect();
    let mut properties = asked(&fields, &columns);
    properties.push(object.created().to_owned());
    let ids = [keep.id().to_owned(), absorb.id().to_owned()];
    let records = call.api().read_records(&object, &ids, None, &properties, &[]).await?.results;
    let of = |id: &str| records.iter().find(|record| record.id == id).cloned().unwrap_or_default();
    let (kept, gone): (Record, Record) = (of(&ids[0]), of(&ids[1]));
    let values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
    let mut preview = Written::new(format!("Merge {} into {}, for good", absorb.shown(), keep.shown()));
    let (mut lost, mut others) = (Vec::new(), Vec::new());
    for name in columns.iter().filter(|name| !gone.get(name).is_empty()) {
        if kept.get(name) == gone.get(name) {
            continue;
        }
        let (a, b) = (values.cell(&kept, name), values.cell(&gone, name));
        let head = values.fields.head(name);
        match (a.is_empty(), name.as_str()) {
            (true, _) => others.push(format!("{head}: {b} is taken over")),
            (false, "email") => others.push(format!("{head}: {a} stays, {b} becomes a secondary address")),
            // blog.hubspot.com, "How to Add Multiple Domains to a Company Record".
            (false, "domain") => others.push(format!("{head}: {a} stays, {b} becomes a further domain")),
            // knowledge.hubspot.com, "Merge records".
            (false, "lifecyclestage") if object.name == "contacts" => {
                others.push(format!("{head}: the later one of {a} and {b} stays"));
            }
            (false, _) => lost.push(format!("{head}: {a} stays, {b} is lost")),
        }
    }
    for (mut lines, what) in [
        (lost, ("more value is lost", "more values are lost")),
        (others, ("more field differs", "more fields differ")),
    ] {
        if lines.len() > FIELDS {
            let more = lines.len() - FIELDS;
            lines.truncate(FIELDS);
            lines.push(format!("and {}", words::counted(more, what)));
        }
        preview.changed.extend(lines);
    }
    let made = |record: &Record| {
        let made = values.cell(record, object.created());
        made.split(' ')
            .next()
            .map(str::to_owned)
            .filter(|day| !day.is_empty())
            .unwrap_or_else(|| "?".to_owned())
    };
    preview = preview.change(format!("created: {} the one kept, {} the other", made(&kept), made(&gone)));
    preview.changed.extend(moved(&call, &object, &ids[1]).await);
    let work = move || async move {
        let merged = call.api().merge(&object, &ids[0], &ids[1]).await;
        let (survivor, lost) = created(merged, survivor(&call, &object, &ids)).await?;
        call.recent().note(&object, [ids[0].as_str(), ids[1].as_str(), survivor.id.as_str()]);
        let mut written = Written::new(format!("Merged {} into {}", absorb.shown(), keep.shown()));
        written = written.change(if survivor.id == ids[0] {
            format!("the record keeps the id {}", survivor.id)
        } else {
            format!("the record has the new id {}; {} and {} lead to it", survivor.id, ids[0], ids[1])
        });
        written.url = address(&object, &survivor);
        Ok(reconcile::done(&call, written.id(survivor.id), lost))
    };
    Ok(Plan::new(Reply::written(preview), work).state(&state([&kept, &gone])))
}

/// What goes over from a record that is merged into another, a line for each object. What cannot be looked at is not
/// told of.
async fn moved(call: &Call<HubSpot>, object: &ObjectType, id: &str) -> Vec<String> {
    let others =
        ["contacts", "companies", "deals", "tickets", "notes", "calls", "meetings", "emails", "tasks"];
    let mut lines = Vec::new();
    for other in others.into_iter().filter_map(|name| call.names().standard(name)) {
        let ids = linked(call, object, &[id.to_owned()], &other).await.unwrap_or_default();
        if ids.is_empty() {
            continue;
        }
        let mut line = format!("goes over: {}", other.counted(ids.len()));
        if !other.is_activity()
            && let Ok(some) = named(call, &other, &ids[..ids.len().min(MOVED)]).await
        {
            let names: Vec<String> =
                some.iter().map(|record| format!("{} ({})", record.title(), record.id())).collect();
            line.push_str(&format!(", {}", names.join(", ")));
            if ids.len() > MOVED {
                line.push_str(&format!(" and {} more", ids.len() - MOVED));
            }
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push("the one absorbed has no contacts, deals, tickets or activities of its own".to_owned());
    }
    lines
}

/// The record that two have become, if they have: both ids lead to it.
async fn survivor(call: &Call<HubSpot>, object: &ObjectType, ids: &[String; 2]) -> Option<Record> {
    let properties = ["hs_merged_object_ids".to_owned()];
    let batch = call.api().read_records(object, ids, None, &properties, &[]).await.ok()?;
    batch
        .results
        .into_iter()
        .find(|record| record.get("hs_merged_object_ids").split(';').any(|id| id == ids[1]))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GdprDeleteContact {
    /// A contact's id or e-mail
    id: String,
}

async fn gdpr_delete_contact(call: Call<HubSpot>, args: GdprDeleteContact) -> Result<Plan> {
    let object = call.names().object("contacts").await?;
    // Always by the id of a contact that exists: an address that nobody has would be blocked for ever.
    let contact = call.names().record(&object, &args.id).await?;
    let ids = [contact.id().to_owned()];
    let now = call.api().read_records(&object, &ids, None, &[], &[]).await?.results;
    let preview = Written::new(format!("Delete {} with everything about them, for good", contact.shown()));
    let work = move || async move {
        let sent = call.api().gdpr_delete(contact.id()).await;
        let lost = reconcile::removed(sent, &call, &object, &ids).await?;
        call.recent().note(&object, [contact.id()]);
        let written = Written::new(format!("Deleted {} for good", contact.shown()));
        Ok(reconcile::done(&call, written, lost))
    };
    Ok(Plan::new(Reply::written(preview), work).state(&state(&now)))
}
