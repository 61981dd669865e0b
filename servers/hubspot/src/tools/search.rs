//! Records found by conditions.

use std::collections::BTreeMap;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Page, Reply, Tool, limit, one_line, thousands, words},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    FROM,
    beside::linked,
    columns::{CUT, Columns, RecordRow, asked},
    lag::{Fresh, NAMED, fresh, uncounted},
    namesakes,
};
use crate::{
    HubSpot,
    api::objects::{Filter, MAX_BATCH, MAX_PAGE, MAX_RESULTS, Record, Search},
    filter::{Condition, Filters, MAX_ALL_FILTERS, MAX_FILTERS, MAX_GROUPS, Understood, Where},
    overlay,
    render::{Values, filled, title, unfilled},
    resolve::{Fields, ObjectType, RecordRef, targets},
    scopes,
};

/// Rows unless more are asked for.
const ROWS: u32 = 20;
/// Records of an object that an empty reply names, if there are no more.
const FEW: u32 = 5;

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::read(
            "search",
            "Search records",
            "Finds records of any object by text and conditions. To count or sum: aggregate_records.",
            search,
        )
        .scopes(scopes::READ)
        .aliases(&[
            ("text", "query"),
            ("q", "query"),
            ("object_type", "object"),
            ("objectType", "object"),
            ("filters", "where"),
            ("properties", "fields"),
            ("order_by", "sort"),
            ("after", "cursor"),
            ("offset", "cursor"),
        ])
        .output_page::<RecordRow>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchArguments {
    /// deals, a custom object's label, …
    object: String,
    /// In names, e-mails, titles
    query: Option<String>,
    #[serde(default, rename = "where")]
    conditions: Where,
    /// companies:Acme
    associated_with: Option<String>,
    owner: Option<String>,
    pipeline: Option<String>,
    stage: Option<String>,
    /// -amount: the largest first
    sort: Option<String>,
    #[serde(default)]
    fields: Vec<String>,
    limit: Option<u32>,
    cursor: Option<String>,
    #[serde(default)]
    count_only: bool,
}

/// Where a listing goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    /// Past the record with this id.
    #[serde(rename = "i", default)]
    id: u64,
    /// Past so many rows, where the order is another than that of ids.
    #[serde(rename = "o", default)]
    offset: u64,
    /// How many there were in all on the first page.
    #[serde(rename = "t", default)]
    total: u64,
}

/// What narrows a search or an aggregate, besides its conditions.
#[derive(Debug, Default)]
pub(super) struct Narrowed<'a> {
    pub(super) conditions: &'a [Condition],
    pub(super) associated_with: Option<&'a str>,
    pub(super) owner: Option<&'a str>,
    pub(super) pipeline: Option<&'a str>,
    pub(super) stage: Option<&'a str>,
}

impl Narrowed<'_> {
    /// All of it as HubSpot's filters.
    pub(super) async fn understand(&self, call: &Call<HubSpot>, fields: &Fields) -> Result<Understood> {
        let filters = Filters::new(call.names(), fields, call.redacted()).await?;
        let object = &fields.object;
        let mut conditions = Vec::new();
        let equals = |field: &str, value: &str| Condition::Field {
            field: field.to_owned(),
            op: "=".to_owned(),
            value: json!(value),
            high: json!(null),
        };
        let given =
            |word: Option<&str>| word.map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned);
        if let Some(owner) = given(self.owner) {
            conditions.push(equals("hubspot_owner_id", &owner));
        }
        let staged = |what: &str| {
            object.stage.ok_or_else(|| Error::invalid(format!("{} have no {what}", one_line(&object.plural))))
        };
        let pipeline = given(self.pipeline);
        if let Some(pipeline) = &pipeline {
            conditions.push(equals(staged("pipeline")?.0, pipeline));
        }
        if let Some(stage) = given(self.stage) {
            conditions.push(equals(staged("stage")?.1, &stage));
        }
        conditions.extend(self.conditions.iter().cloned());
        let mut understood = filters.understand(&conditions, pipeline.as_deref()).await?;
        if let Some(word) = given(self.associated_with) {
            let other = call.names().any_record(&word).await?;
            let filters = associated(call, object, &other).await?;
            understood.words.push(format!("associated with {}", other.shown()));
            if understood.groups.is_empty() {
                understood.groups.push(Vec::new());
            }
            let groups = understood.groups.iter().flat_map(|group| {
                filters.iter().map(move |filter| [group.clone(), vec![filter.clone()]].concat())
            });
            let groups: Vec<Vec<Filter>> = groups.collect();
            if groups.len() > MAX_GROUPS {
                return Err(Error::invalid(format!(
                    "There are too many {} of {} to search them by these conditions",
                    object.plural,
                    other.shown()
                ))
                .with_hint("list_associations lists them all"));
            }
            understood.groups = groups;
            understood.associated = Some(other);
        }
        Ok(understood)
    }
}

/// The filters of which one must hold of the records associated with `other`. HubSpot's index knows the associations of
/// standard objects only (developers.hubspot.com, "Search the CRM"): of custom ones they are read, and searched by id.
async fn associated(call: &Call<HubSpot>, object: &ObjectType, other: &RecordRef) -> Result<Vec<Filter>> {
    if !object.custom && !other.object.custom {
        let name = format!("associations.{}", other.object.singular.replace(' ', "_"));
        return Ok(vec![Filter::value(&name, "EQ", other.id())]);
    }
    let mut ids = linked(call, &other.object, &[other.id().to_owned()], object).await?;
    if ids.is_empty() {
        // No record has this id.
        ids.push("0".to_owned());
    }
    let filters =
        ids.chunks(MAX_BATCH).map(|ids| Filter { values: ids.to_vec(), ..Filter::new("hs_object_id", "IN") });
    Ok(filters.collect())
}

async fn search(call: Call<HubSpot>, args: SearchArguments) -> Result<Reply> {
    let place: Option<Place> = call.open_cursor(args.cursor.as_deref())?;
    let object = call.names().object(&args.object).await?;
    let fields = call.names().fields(&object).await?;
    let Columns { names: mut columns, unknown, added } = Columns::read(&fields, &args.fields)?;
    let narrowed = Narrowed {
        conditions: &args.conditions.0,
        associated_with: args.associated_with.as_deref(),
        owner: args.owner.as_deref(),
        pipeline: args.pipeline.as_deref(),
        stage: args.stage.as_deref(),
    };
    let understood = narrowed.understand(&call, &fields).await?;
    if args.fields.is_empty()
        && understood.associated.as_ref().is_some_and(|one| one.object.name == "companies")
    {
        // The company is known: what people do there is not.
        for column in columns.iter_mut().filter(|column| *column == "company" && object.name == "contacts") {
            *column = "jobtitle".to_owned();
        }
    }
    let sort = args.sort.as_deref().map(|sort| sorted(&fields, sort)).transpose()?;
    if let Some((property, _)) = &sort {
        call.redacted().admits(property)?;
    }
    let query = args.query.unwrap_or_default().trim().to_owned();
    let wanted = if args.count_only { 1 } else { limit(args.limit, ROWS, MAX_PAGE) };
    let mut properties = asked(&fields, &columns);
    properties.extend(sort.iter().map(|(name, _)| name.clone()));
    properties.sort_unstable();
    properties.dedup();
    // HubSpot looks for words in what is redacted too: rows that fit only there are left out.
    let searched = object.searched();
    let hidden = if query.is_empty() { Vec::new() } else { call.redacted().of(&searched) };
    let visible: Vec<&str> = searched.into_iter().filter(|name| !hidden.contains(name)).collect();
    if !hidden.is_empty() {
        properties.extend(visible.iter().map(|name| (*name).to_owned()));
        if args.count_only || sort.is_some() || !leaves_room(&understood.groups) {
            return Err(Error::new(
                Kind::Policy,
                format!("Words are looked for in {} too, which this server does not show", hidden.join(", ")),
            )
            .with_hint("Use a condition with `contains`, or `query` without `sort` and `count_only`"));
        }
    }
    let values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
    let properties = namesakes::wider(&values.fields, &properties);

    let mut search =
        Search { query, groups: understood.groups.clone(), sort, properties, limit: wanted, after: 0 };
    let by_id = search.sort.is_none() && leaves_room(&search.groups);
    if by_id {
        search.sort = Some(("hs_object_id".to_owned(), false));
    }
    if let Some(place) = &place {
        if place.id > 0 {
            go_past(&mut search, place.id);
        } else if place.offset + u64::from(wanted) > MAX_RESULTS {
            return Err(Error::invalid(format!(
                "HubSpot shows the first {} of a sorted search",
                thousands(MAX_RESULTS)
            ))
            .with_hint("Leave `sort` out to walk through all of them, or narrow the conditions"));
        }
        search.after = place.offset;
    }
    let found = call.api().search(&object, &search).await?;
    let total = place.as_ref().map_or(found.total, |place| place.total);
    let said = said(&understood, &search.query, total);
    if args.count_only {
        let many = usize::try_from(total).unwrap_or(usize::MAX);
        let lag = uncounted(&call, &object).map(|note| format!("; {note}")).unwrap_or_default();
        return Ok(Reply::new(format!("{} ({said}{lag}).", object.counted(many)))
            .data(&json!({"items": [], "total": total})));
    }
    let more = found.next().is_some();
    let mut records = found.results;
    let fresh = match &place {
        None => {
            let associated = understood.associated.as_ref();
            fresh(&call, &object, &search, associated, by_id, &mut records).await?
        }
        Some(_) => {
            Fresh { indexed: records.iter().map(|record| record.id.clone()).collect(), ..Fresh::default() }
        }
    };
    let more = more || fresh.indexed.len() > fresh.past(&records);
    let end = fresh.last(&records);
    if !hidden.is_empty() {
        let words = Search { query: search.query.clone(), ..Search::default() };
        records.retain(|record| overlay::fits(&words, record, &visible));
    }
    let shown = filled(&columns, &records);
    let labels = match &understood.associated {
        Some(other) => labels(&call, &object, &records, other).await,
        None => BTreeMap::new(),
    };
    let mut page = Page::new(FROM, ("record", "records"));
    if hidden.is_empty() {
        page = page.total(usize::try_from(total).unwrap_or(usize::MAX).max(records.len()));
    } else {
        page = page.note(format!("not looked for in {}", hidden.join(", ")));
    }
    page = page.note(said);
    if !records.is_empty() {
        let more = if labels.is_empty() { "" } else { " | labels" };
        page = page.note(format!("{}: id | {}{more}", object.plural, values.fields.heads(&shown)));
    }
    if !args.fields.is_empty() {
        page = page.notes(unfilled(&values.fields, &columns[added..], &records));
    }
    page = page.notes(unknown);
    if values.tells_times(&shown) && !values.account.time_zone.is_empty() {
        page = page.note(format!("times in {}", values.account.time_zone));
    }
    if values.cuts(&records, &shown) {
        page = page.note(CUT);
    }
    page = page.notes(namesakes::told(&call, &object, &records, &values, &shown).await?);
    if search.sort.as_ref().is_some_and(|(name, _)| values.mixes(&records, name)) {
        page = page.note("in the order of bare amounts, although in several currencies");
    }
    for note in &understood.notes {
        page = page.note(note.clone());
    }
    if !fresh.shown.is_empty() {
        page = page.note(format!(
            "the index lags: {} written here a moment ago, marked *: {}",
            object.counted(fresh.shown.len()),
            words::listed(&fresh.shown, NAMED)
        ));
    }
    if !fresh.later.is_empty() {
        page = page.note(format!(
            "written here a moment ago and further down, maybe not indexed yet: {}",
            words::listed(&fresh.later, NAMED)
        ));
    }
    for record in &records {
        let mark = if fresh.shown.contains(&record.id) { "*" } else { "" };
        let mut cells = RecordRow::new(&values, record, &columns);
        let mut row = format!("{mark}{}", values.row(record, &shown));
        if !labels.is_empty() {
            let own = labels.get(&record.id).cloned().unwrap_or_default();
            row.push_str(&format!(" | {own}"));
            cells
                .values
                .extend(Some(own).filter(|own| !own.is_empty()).map(|own| ("labels".to_owned(), own)));
        }
        page.push(row, &cells);
    }
    if page.is_empty() {
        let others = if understood.words.is_empty() && !search.query.is_empty() {
            elsewhere(&call, &object, &search.query).await
        } else {
            None
        };
        let near =
            if others.is_some() { call.names().sharing(&object, &search.query).await } else { Vec::new() };
        let near = (!near.is_empty()).then(|| format!("with most of these words: {}", near.join(", ")));
        let page = page.note(empty(&understood, &search.query)).notes(near).notes(others);
        let all = match search.query.is_empty() && understood.associated.is_none() {
            true => None,
            false => there_is(&call, &object).await,
        };
        return Ok(Reply::page(page.notes(all)));
    }
    let (before, passed) = place.map_or((0, 0), |place| (place.offset, place.id));
    let goes_on = call.clone();
    let page = page.cursor(more, move |kept| {
        let place = if by_id {
            let id = if kept < records.len() { fresh.last(&records[..kept]) } else { end };
            Place { id: id.unwrap_or(passed), offset: 0, total }
        } else {
            let past = fresh.past(&records[..kept.min(records.len())]);
            Place { id: 0, offset: before + past as u64, total }
        };
        goes_on.seal_cursor(&place)
    });
    Ok(Reply::page(page))
}

/// What records are to the one that they are associated with, by their ids; nothing if it cannot be seen.
async fn labels(
    call: &Call<HubSpot>,
    object: &ObjectType,
    records: &[Record],
    other: &RecordRef,
) -> BTreeMap<String, String> {
    let ids: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
    let rows = call.api().associated(object, &ids, &other.object).await.unwrap_or_default();
    let told = ids.into_iter().filter_map(|id| {
        let own = targets(&rows, &id).into_iter().find(|target| target.to_object_id == other.id())?;
        let labels = one_line(&own.labels().join(", "));
        (!labels.is_empty()).then_some((id, labels))
    });
    told.collect()
}

/// A sort as it is written: `amount`, `-amount`, `amount desc`.
pub(super) fn sorted(fields: &Fields, word: &str) -> Result<(String, bool)> {
    let word = word.trim();
    let (name, minus) = word.strip_prefix('-').map_or((word, false), |name| (name, true));
    let lower = name.to_lowercase();
    let cut = |ending: &str| name[..name.len() - ending.len()].trim().to_owned();
    let (name, descending) = match () {
        () if lower.ends_with(" descending") => (cut(" descending"), true),
        () if lower.ends_with(" desc") => (cut(" desc"), true),
        () if lower.ends_with(" ascending") => (cut(" ascending"), false),
        () if lower.ends_with(" asc") => (cut(" asc"), false),
        () => (name.to_owned(), minus),
    };
    Ok((fields.find(&name)?.name.clone(), descending))
}

/// Whether each group takes one filter more.
pub(super) fn leaves_room(groups: &[Vec<Filter>]) -> bool {
    let all: usize = groups.iter().map(Vec::len).sum();
    groups.iter().all(|group| group.len() < MAX_FILTERS) && all + groups.len().max(1) <= MAX_ALL_FILTERS
}

/// Has a search go on past the record with this id. It must be sorted by ids.
pub(super) fn go_past(search: &mut Search, id: u64) {
    let past = Filter::value("hs_object_id", "GT", id.to_string());
    if search.groups.is_empty() {
        search.groups.push(Vec::new());
    }
    for group in &mut search.groups {
        group.push(past.clone());
    }
}

/// What was asked, as it was understood.
fn said(understood: &Understood, query: &str, total: u64) -> String {
    let text = (!query.is_empty()).then(|| format!("with the words \"{}\"", one_line(query)));
    let words: Vec<String> = text.into_iter().chain(understood.words.iter().cloned()).collect();
    if words.is_empty() { format!("no condition: all {}", thousands(total)) } else { words.join("; ") }
}

/// What to try where nothing was found.
fn empty(understood: &Understood, query: &str) -> String {
    match (understood.words.is_empty(), query.is_empty()) {
        (true, true) => "there are none".to_owned(),
        (_, false) if query.contains(char::is_whitespace) => {
            "words are looked for in names, e-mails and titles only; try one word, or a condition with `contains`".to_owned()
        }
        (_, false) => "words are looked for in names, e-mails and titles only".to_owned(),
        _ => "archived records are never found; try fewer conditions".to_owned(),
    }
}

/// How many records of an object there are in all, where nothing was found; a few of them by name.
pub(super) async fn there_is(call: &Call<HubSpot>, object: &ObjectType) -> Option<String> {
    let search = Search { properties: object.title_properties(), limit: FEW, ..Search::default() };
    let found = call.api().search(object, &search).await.ok()?;
    let total = usize::try_from(found.total).unwrap_or(usize::MAX);
    let is = if total == 1 { "is" } else { "are" };
    let names = found.results.iter().map(|record| format!("{} ({})", title(object, record), record.id));
    let names = if total <= FEW as usize { names.collect::<Vec<_>>().join(", ") } else { String::new() };
    Some(match (total, names.is_empty()) {
        (0, _) => format!("there are no {} at all", object.plural),
        (_, true) => format!("there {is} {} in all", object.counted(total)),
        (_, false) => format!("there {is} {} in all: {names}", object.counted(total)),
    })
}

/// Whether words that none of `object` has are in other records: what is called so may be of another kind.
async fn elsewhere(call: &Call<HubSpot>, object: &ObjectType, query: &str) -> Option<String> {
    let mut told = Vec::new();
    for other in ["contacts", "companies", "deals"].into_iter().filter_map(|name| call.names().standard(name))
    {
        if other == *object || !call.redacted().of(&other.searched()).is_empty() {
            continue;
        }
        let search = Search { query: query.to_owned(), limit: 1, ..Search::default() };
        // What cannot be looked at is not told of.
        if let Ok(found) = call.api().search(&other, &search).await {
            let many = usize::try_from(found.total).unwrap_or(usize::MAX);
            told.push(if many == 0 { format!("no {}", other.singular) } else { other.counted(many) });
        }
    }
    (!told.is_empty()).then(|| format!("elsewhere: {}", told.join(", ")))
}
