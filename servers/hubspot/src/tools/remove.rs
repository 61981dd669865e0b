//! Records archived, merged, deleted for good.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, reconcile::created},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    records::find,
    search::asked,
    write::{reconcile, state},
};
use crate::{
    HubSpot,
    api::objects::{MAX_BATCH, Record},
    render::{Values, title},
    resolve::{ObjectType, targets},
};

/// Open deals that a preview names.
const DEALS: usize = 10;

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::destructive(
            "archive_records",
            "Archive records",
            "Moves up to 100 records to the recycle bin, from which a person can restore them in HubSpot for 90 days.",
            archive_records,
        )
        .idempotent()
        .aliases(&[("object_type", "object"), ("id", "ids")])
        .output::<Written>(),
        Tool::destructive(
            "merge_records",
            "Merge records",
            "Merges one record into another for good: `keep` wins where both have a value. The survivor can have a new id, which is told.",
            merge_records,
        )
        .aliases(&[("object_type", "object"), ("primary", "keep"), ("secondary", "absorb")])
        .output::<Written>(),
        Tool::destructive(
            "gdpr_delete_contact",
            "Delete a contact for good",
            "Deletes a contact with all its activities for good, as the GDPR asks. It cannot be undone.",
            gdpr_delete_contact,
        )
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
        properties.push("hubspot_owner_id".to_owned());
    }
    let (found, missing) = find(&call, &fields, &args.ids, None, &properties, &[]).await?;
    if found.is_empty() {
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing to do: there is no {} {}",
            object.singular,
            missing.join(", ")
        )))));
    }
    let ids: Vec<String> = found.iter().map(|(record, _)| record.id.clone()).collect();
    let values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
    let mut lines: Vec<String> = found
        .iter()
        .map(|(record, _)| match values.cell(record, "hubspot_owner_id") {
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
    Ok(Plan::new(Reply::written(preview), work).state(&state(found.iter().map(|(record, _)| record))))
}

/// The open deals of contacts or companies, one a line: they stay, and lose whom they are with.
async fn open_deals(call: &Call<HubSpot>, object: &ObjectType, ids: &[String]) -> Result<Vec<String>> {
    let Some(deals) = ObjectType::named("deals") else { return Ok(Vec::new()) };
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
        lines.push(format!("and {more} more open deals"));
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
    let mergeable =
        object.custom || matches!(object.name.as_str(), "contacts" | "companies" | "deals" | "tickets");
    if !mergeable {
        return Err(Error::invalid(format!("HubSpot does not merge {}", object.plural))
            .with_hint("It merges contacts, companies, deals, tickets and custom objects"));
    }
    let keep = call.names().record(&object, &args.keep).await?;
    let absorb = call.names().record(&object, &args.absorb).await?;
    if keep.id() == absorb.id() {
        return Err(Error::invalid("`keep` and `absorb` are the same record"));
    }
    let fields = call.names().fields(&object).await?;
    let properties = asked(&object, &object.columns);
    let ids = [keep.id().to_owned(), absorb.id().to_owned()];
    let records = call.api().read_records(&object, &ids, None, &properties, &[]).await?.results;
    let of = |id: &str| records.iter().find(|record| record.id == id).cloned().unwrap_or_default();
    let (kept, gone): (Record, Record) = (of(&ids[0]), of(&ids[1]));
    let values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
    let mut preview = Written::new(format!("Merge {} into {}, for good", absorb.shown(), keep.shown()));
    for name in &object.columns {
        let (a, b) = (values.cell(&kept, name), values.cell(&gone, name));
        if a != b && !b.is_empty() {
            let head = values.fields.head(name);
            preview = preview.change(match (a.is_empty(), name.as_str()) {
                (true, _) => format!("{head}: {b} is taken over"),
                (false, "email") => format!("{head}: {a} stays, {b} becomes a secondary address"),
                (false, _) => format!("{head}: {a} stays, {b} is lost"),
            });
        }
    }
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
        Ok(reconcile::done(&call, written.id(survivor.id), lost))
    };
    Ok(Plan::new(Reply::written(preview), work).state(&state([&kept, &gone])))
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
