//! Lists: found, their members read, members added and taken off.

use connector::{
    Error, Result,
    catalog::{
        Call, Page, Plan, Reply, Tool, Written,
        names::{Entry, find},
        one_line,
        reconcile::created,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

use super::{
    FROM,
    columns::{Columns, RecordRow, asked},
    namesakes, rule,
    write::reconcile::done,
};
use crate::{
    HubSpot,
    api::lists::{Changed, List},
    render::{Values, filled},
    resolve::ObjectType,
};

/// Lists or members of one page.
const ROWS: u32 = 50;

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::read(
            "find_lists",
            "Find lists",
            "Finds lists (segments) by name, those of a record (contacts:101), or the members of a list.",
            find_lists,
        )
        .scopes(&["crm.lists.read"])
        .toolset("lists")
        .aliases(&[("name", "query"), ("id", "list")])
        .output_page::<ListRow>(),
        Tool::write(
            "update_list",
            "Update list",
            "Adds records to a list, takes others off, by id, e-mail or name.",
            update_list,
        )
        .scopes(&["crm.lists.write"])
        .toolset("lists")
        .confirmable()
        .idempotent()
        .output::<Written>(),
    ]
}

impl Entry for List {
    const WHAT: &'static str = "list";

    fn id(&self) -> &str {
        &self.list_id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![(&self.name).into()]
    }

    fn describe(&self) -> String {
        format!("{} ({})", one_line(&self.name), self.list_id)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindLists {
    query: Option<String>,
    list: Option<String>,
    record: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A list, or a member of one.
#[derive(Debug, Serialize, JsonSchema)]
struct ListRow {
    id: String,
    name: String,
    kind: String,
    size: Option<u64>,
}

/// Where a listing goes on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    #[serde(rename = "o", default)]
    offset: u64,
    #[serde(rename = "a", default)]
    after: Option<String>,
}

/// The list that `word` means, by id or name.
async fn one(call: &Call<HubSpot>, word: &str) -> Result<List> {
    let word = word.trim();
    if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return call.api().list(word).await;
    }
    let found = call.api().search_lists(word, &[], 100, 0).await?;
    Ok(find(word, &found.lists)?.clone())
}

async fn find_lists(call: Call<HubSpot>, args: FindLists) -> Result<Reply> {
    let place: Place = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let wanted = connector::catalog::limit(args.limit, ROWS, 100);
    if let Some(word) = args.list.as_deref().filter(|word| !word.trim().is_empty()) {
        return members(&call, &one(&call, word).await?, wanted, place).await;
    }
    if let Some(word) = args.record.as_deref().filter(|word| !word.trim().is_empty()) {
        let record = call.names().any_record(word).await?;
        let on = call.api().lists_of(&record.object, record.id()).await?;
        let ids: Vec<String> = on.into_iter().map(|membership| membership.list_id).collect();
        let lists =
            if ids.is_empty() { Vec::new() } else { call.api().search_lists("", &ids, 500, 0).await?.lists };
        let mut page = Page::new(FROM, ("list", "lists")).note(format!("with {}", record.shown()));
        for list in &lists {
            push(&call, &mut page, list).await?;
        }
        return Ok(Reply::page(page));
    }
    let query = args.query.unwrap_or_default();
    let found = call.api().search_lists(query.trim(), &[], wanted, place.offset).await?;
    let mut page =
        Page::new(FROM, ("list", "lists")).total(usize::try_from(found.total).unwrap_or(usize::MAX));
    for list in &found.lists {
        push(&call, &mut page, list).await?;
    }
    let goes_on = call.clone();
    let from = place.offset;
    let page = page.cursor(found.has_more && found.offset > from, move |kept| {
        goes_on.seal_cursor(&Place { offset: from + kept as u64, after: None })
    });
    Ok(Reply::page(page))
}

async fn push(call: &Call<HubSpot>, page: &mut Page, list: &List) -> Result<()> {
    let of = kind_of(call, list).await?;
    let kind = list.processing_type.to_lowercase();
    let size = list.size();
    let told = size.map(|size| format!(" | {size} members")).unwrap_or_default();
    let row = ListRow { id: list.list_id.clone(), name: one_line(&list.name), kind: kind.clone(), size };
    page.push(format!("{} | {} | {of} | {kind}{told}", list.list_id, row.name), &row);
    Ok(())
}

/// What a list is of.
async fn kind_of(call: &Call<HubSpot>, list: &List) -> Result<String> {
    Ok(call
        .names()
        .object(&list.object_type_id)
        .await
        .map_or_else(|_| list.object_type_id.clone(), |object| object.plural))
}

async fn members(call: &Call<HubSpot>, list: &List, wanted: u32, place: Place) -> Result<Reply> {
    let object: ObjectType = call.names().object(&list.object_type_id).await?;
    let found = call.api().members(&list.list_id, wanted, place.after.as_deref()).await?;
    let ids: Vec<String> = found
        .results
        .iter()
        .map(|member| member.record_id.clone())
        .skip(usize::try_from(place.offset).unwrap_or(0))
        .collect();
    let fields = call.names().fields(&object).await?;
    let columns = Columns::read(&fields, &[])?.names;
    let properties = asked(&fields, &columns);
    let wider = namesakes::wider(&fields, &properties);
    let records = if ids.is_empty() {
        Vec::new()
    } else {
        call.api().read_records(&object, &ids, None, &wider, &[]).await?.results
    };
    let values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
    let shown = filled(&columns, &records);
    let mut page = Page::new(FROM, ("member", "members")).note(format!(
        "of the list {} ({})",
        one_line(&list.name),
        list.list_id
    ));
    if list.processing_type != "MANUAL" && place.after.is_none() && place.offset == 0 {
        let rule = call.api().rule(&list.list_id).await?;
        let rule = rule::told(call, &object, &rule).await?;
        if !rule.is_empty() {
            let fills = if list.processing_type == "DYNAMIC" {
                "filled by the rule"
            } else {
                "filled once by the rule"
            };
            page = page.note(format!("{fills}: {rule}"));
        }
    }
    if !records.is_empty() {
        page = page.note(format!("{}: id | {}", object.plural, values.fields.heads(&shown)));
        page = page.notes(namesakes::told(call, &object, &records, &values, &shown).await?);
    }
    for id in &ids {
        if let Some(record) = records.iter().find(|record| record.id == *id) {
            let row = RecordRow::new(&values, record, &columns);
            let data =
                ListRow { id: row.id, name: values.title(record), kind: object.name.clone(), size: None };
            page.push(values.row(record, &shown), &data);
        }
    }
    let next = found.next().map(str::to_owned);
    let (goes_on, count, offset) = (call.clone(), page.len(), place.offset);
    let page = page.cursor(next.is_some(), move |kept| {
        let place = match &next {
            Some(next) if kept >= count => Place { offset: 0, after: Some(next.clone()) },
            _ => Place { offset: offset + kept as u64, after: place.after.clone() },
        };
        goes_on.seal_cursor(&place)
    });
    Ok(Reply::page(page))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateList {
    list: String,
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
}

/// What a change of members came to whose answer was lost: all of it, or nothing is known.
async fn changed(
    call: &Call<HubSpot>,
    object: &ObjectType,
    list: &str,
    add: &[String],
    remove: &[String],
) -> Option<Changed> {
    for (ids, wanted) in [(add, true), (remove, false)] {
        for id in ids {
            let on = call.api().lists_of(object, id).await.ok()?;
            if on.iter().any(|membership| membership.list_id == list) != wanted {
                return None;
            }
        }
    }
    Some(Changed { added: add.to_vec(), removed: remove.to_vec(), missing: Vec::new() })
}

async fn update_list(call: Call<HubSpot>, args: UpdateList) -> Result<Plan> {
    let list = one(&call, &args.list).await?;
    if list.processing_type == "DYNAMIC" {
        return Err(Error::invalid(format!(
            "HubSpot fills the list {} by itself, by its filters",
            one_line(&list.name)
        ))
        .with_hint("Change the records so that they fit, or use a manual list"));
    }
    let object = call.names().object(&list.object_type_id).await?;
    let mut lines = Vec::new();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut ids = [Vec::new(), Vec::new()];
    for (at, (verb, words)) in [("add", &args.add), ("remove", &args.remove)].into_iter().enumerate() {
        for word in words.iter().filter(|word| !word.trim().is_empty()) {
            let record = call.names().record(&object, word).await?;
            lines.push(format!("{verb} {}", record.shown()));
            names.insert(record.id().to_owned(), record.shown());
            ids[at].push(record.id().to_owned());
        }
    }
    if lines.is_empty() {
        return Err(Error::invalid("Nothing to do: `add` and `remove` are both empty"));
    }
    let count = lines.len();
    let mut preview = Written::new(format!("Change the list {}", one_line(&list.name)));
    preview.changed = lines;
    let work = move || async move {
        let [add, remove] = ids;
        let sent = call.api().change_members(&list.list_id, &add, &remove).await;
        let (changed, lost) = created(sent, changed(&call, &object, &list.list_id, &add, &remove)).await?;
        let name = one_line(&list.name);
        let mut written = Written::new(match (changed.added.len(), changed.removed.len()) {
            (0, 0) => format!("Nothing changed on the list {name}"),
            (added, removed) => format!("Changed the list {name}: {added} added, {removed} removed"),
        });
        let name = |id: &String| names.get(id).unwrap_or(id).clone();
        let rest = |wanted: &[String], taken: &[String]| -> Vec<String> {
            wanted.iter().filter(|id| !taken.contains(id) && !changed.missing.contains(id)).cloned().collect()
        };
        for (what, ids) in [
            ("added", changed.added.clone()),
            ("removed", changed.removed.clone()),
            ("on it already", rest(&add, &changed.added)),
            ("not on it", rest(&remove, &changed.removed)),
            ("do not exist", changed.missing.clone()),
        ] {
            if !ids.is_empty() {
                let names: Vec<String> = ids.iter().map(name).collect();
                written = written.change(format!("{what}: {}", names.join(", ")));
            }
        }
        Ok(done(&call, written.id(list.list_id), lost))
    };
    Ok(Plan::new(Reply::written(preview), work).ask_of_many(count))
}
