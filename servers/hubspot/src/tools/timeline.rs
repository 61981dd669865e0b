//! The activities of a record, read back as one timeline.

use std::collections::{BTreeMap, BTreeSet};

use connector::{
    Result,
    catalog::{Call, Page, Reply, Tool, limit, one_line, words},
};
use futures::future::join_all;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    FROM,
    beside::{conversations, linked, named},
    columns::CUT,
};
use crate::{
    HubSpot,
    api::objects::{MAX_BATCH, Record},
    render::Values,
    resolve::{ObjectType, REMINDERS, RecordRef, targets},
    scopes,
    text::cut,
};

/// Entries of a timeline.
const ENTRIES: u32 = 20;
/// Characters of one entry's text.
const TEXT: usize = 600;
/// How many deals or tickets with timelines of their own are looked at, the latest first, and how many are named.
const LOOKED_AT: usize = 50;
const OWN_TIMELINES: usize = 10;
/// People who are named of one call or meeting.
const PEOPLE: usize = 5;
/// The kinds of activities, as arguments name them, with the properties of title and body.
pub(super) const KINDS: [(&str, &str, &str, &str); 5] = [
    ("note", "notes", "", "hs_note_body"),
    ("call", "calls", "hs_call_title", "hs_call_body"),
    ("meeting", "meetings", "hs_meeting_title", "hs_meeting_body"),
    ("email", "emails", "hs_email_subject", "hs_email_text"),
    ("task", "tasks", "hs_task_subject", "hs_task_body"),
];

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::read(
            "get_timeline",
            "Get timeline",
            "Shows notes, calls, meetings, e-mails and tasks of a record, latest first; open tasks always.",
            get_timeline,
        )
        .scopes(scopes::READ_ACTIVITIES)
        .aliases(&[("object_type", "object")])
        .output_page::<Entry>(),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Kind {
    Note,
    Call,
    Meeting,
    Email,
    Task,
}

impl Kind {
    pub(super) fn line(self) -> (&'static str, &'static str, &'static str, &'static str) {
        KINDS[self as usize]
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetTimeline {
    object: String,
    id: String,
    #[serde(default)]
    kinds: Vec<Kind>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// One activity.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    id: String,
    kind: String,
    time: String,
    text: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Place {
    #[serde(rename = "o")]
    offset: usize,
}

async fn get_timeline(call: Call<HubSpot>, args: GetTimeline) -> Result<Reply> {
    let from = call.open_cursor::<Place>(args.cursor.as_deref())?.map_or(0, |place| place.offset);
    let object = call.names().object(&args.object).await?;
    let record = call.names().record(&object, &args.id).await?;
    let calendar = call.names().calendar().await?;
    let window = calendar.window(args.since.as_deref(), args.until.as_deref())?;
    let kinds = if args.kinds.is_empty() {
        vec![Kind::Note, Kind::Call, Kind::Meeting, Kind::Email, Kind::Task]
    } else {
        args.kinds
    };
    let reads = kinds.iter().map(|kind| activities(&call, &object, record.id(), *kind));
    let mut entries: Vec<(Timestamp, Kind, Record)> = Vec::new();
    let (mut seen, mut unseen) = (Vec::new(), Vec::new());
    for (kind, read) in kinds.iter().zip(join_all(reads).await) {
        match read {
            Ok(read) => {
                entries.extend(read);
                seen.push(*kind);
            }
            // E-mails need a right of their own; what there is of the other kinds is told all the same.
            Err(error) if error.kind() == connector::Kind::Permission && kinds.len() > 1 => {
                unseen.push((kind.line().1, error));
            }
            Err(error) => return Err(error),
        }
    }
    if seen.is_empty()
        && let Some((_, error)) = unseen.pop()
    {
        return Err(error);
    }
    let kinds = seen;
    let inside = |at: &Timestamp| {
        window.start().is_none_or(|start| *at >= start) && window.end().is_none_or(|end| *at <= end)
    };
    let all: Vec<String> = entries.iter().map(|(_, kind, record)| key(*kind, &record.id)).collect();
    // What is still to be done is not over because its day is.
    let overdue = |at: &Timestamp, kind: Kind, record: &Record| {
        kind == Kind::Task
            && window.start().is_some_and(|start| *at < start)
            && record.get("hs_task_status") != "COMPLETED"
    };
    let earlier = entries.iter().filter(|(at, kind, record)| overdue(at, *kind, record)).count();
    entries.retain(|(at, kind, record)| inside(at) || overdue(at, *kind, record));
    entries.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| b.2.number().cmp(&a.2.number())));
    let total = entries.len();
    let wanted = limit(args.limit, ENTRIES, 100) as usize;
    let mut tellers: BTreeMap<&'static str, Values> = BTreeMap::new();
    for kind in &kinds {
        let Some(activity) = call.names().standard(kind.line().1) else { continue };
        let fields = call.names().fields(&activity).await?;
        let columns = columns(*kind);
        tellers.insert(kind.line().0, Values::read(call.names(), fields, &columns, call.redacted()).await?);
    }
    let mut page =
        Page::new(FROM, ("activity", "activities")).total(total).note(format!("of {}", record.shown()));
    if !window.is_open() {
        page = page.note(window.describe());
    }
    for (name, error) in &unseen {
        let hint = error.hint().unwrap_or_default();
        page = page.note(format!("{name} this credential may not see: {}", one_line(hint)));
    }
    if from == 0 && window.start().is_some() && kinds.contains(&Kind::Task) {
        page = page.note(match earlier {
            0 => "no open task was due before".to_owned(),
            1 => "and 1 open task that was due before".to_owned(),
            many => format!("and {many} open tasks that were due before"),
        });
    }
    if from == 0 && ["companies", "contacts"].contains(&object.name.as_str()) {
        let here: BTreeSet<String> = all.into_iter().collect();
        page = page.notes(own_timelines(&call, &object, record.id(), &kinds, &here, &inside).await);
    }
    if from == 0 && ["companies", "contacts", "tickets"].contains(&object.name.as_str()) {
        page = page.note(conversations(&call));
    }
    if let Some(zone) =
        tellers.values().map(|values| values.account.time_zone.clone()).find(|zone| !zone.is_empty())
    {
        page = page.note(format!("times in {zone}"));
    }
    let shown = || entries.iter().skip(from).take(wanted);
    let cut = shown().any(|(_, kind, activity)| {
        tellers.get(kind.line().0).is_some_and(|values| body(values, *kind, activity).chars().count() > TEXT)
    });
    if cut {
        page = page.note(CUT);
    }
    let mut others: BTreeMap<String, String> = BTreeMap::new();
    for kind in [Kind::Call, Kind::Meeting] {
        let ids = shown().filter(|(_, own, _)| *own == kind).map(|(.., activity)| activity.id.clone());
        match people(&call, kind, &ids.collect::<Vec<_>>(), &record).await {
            Ok(some) => others.extend(some),
            Err(_) => page = page.note(format!("who took part in {} could not be read", kind.line().1)),
        }
    }
    for (_, kind, activity) in shown() {
        let Some(values) = tellers.get(kind.line().0) else { continue };
        let with = others.get(&key(*kind, &activity.id)).map_or("", String::as_str);
        let row = told(values, *kind, activity, with);
        let time = values.cell(activity, "hs_timestamp");
        page.push(
            row.clone(),
            &Entry { id: activity.id.clone(), kind: kind.line().0.to_owned(), time, text: row },
        );
    }
    let goes_on = call.clone();
    let page =
        page.cursor(from + wanted < total, move |kept| goes_on.seal_cursor(&Place { offset: from + kept }));
    Ok(Reply::page(page))
}

/// An activity among those of all kinds.
fn key(kind: Kind, id: &str) -> String {
    format!("{}/{id}", kind.line().1)
}

/// Which deals and tickets of a record have activities that its own timeline has not: what is written on them alone.
/// `here` are the record's own ones, `inside` tells the time that was asked for.
async fn own_timelines(
    call: &Call<HubSpot>,
    object: &ObjectType,
    id: &str,
    kinds: &[Kind],
    here: &BTreeSet<String>,
    inside: &(dyn Fn(&Timestamp) -> bool + Sync),
) -> Option<String> {
    let (mut told, mut looked) = (Vec::new(), Vec::new());
    let people = (object.name == "companies").then_some("contacts");
    for other in ["deals", "tickets"].into_iter().chain(people).filter_map(|name| call.names().standard(name))
    {
        // What cannot be looked at is not told of.
        let mut ids = linked(call, object, &[id.to_owned()], &other).await.unwrap_or_default();
        ids.sort_by_key(|id| std::cmp::Reverse(id.parse::<u64>().unwrap_or(0)));
        let more = ids.len().saturating_sub(LOOKED_AT);
        ids.truncate(LOOKED_AT);
        let Ok(elsewhere) = elsewhere(call, &other, &ids, kinds, here, inside).await else { continue };
        let with: Vec<String> = ids.iter().filter(|id| elsewhere.contains_key(*id)).cloned().collect();
        let names = named(call, &other, &with[..with.len().min(OWN_TIMELINES)]).await.unwrap_or_default();
        let shown = |id: &String| {
            let name = names.iter().find(|record| record.id() == id);
            name.map_or_else(|| format!("{} {id}", other.singular), RecordRef::shown)
        };
        let with: Vec<String> =
            with.iter().map(|id| format!("{}: {}", shown(id), elsewhere.get(id).unwrap_or(&0))).collect();
        if !with.is_empty() {
            told.push(words::listed(&with, OWN_TIMELINES));
        }
        if !ids.is_empty() {
            looked.push(other.counted(ids.len()));
        }
        if more > 0 {
            let noun = if more == 1 { &other.singular } else { &other.plural };
            told.push(format!("whatever is on {more} older {noun}"));
        }
    }
    match (told.is_empty(), looked.is_empty()) {
        (false, _) => Some(format!("not in this, on timelines of their own: {}", told.join("; "))),
        (true, false) => Some(format!("with all that is on its {}", words::listed(&looked, 3))),
        (true, true) => None,
    }
}

/// How many activities each of some records has beside those that are `here`.
async fn elsewhere(
    call: &Call<HubSpot>,
    object: &ObjectType,
    ids: &[String],
    kinds: &[Kind],
    here: &BTreeSet<String>,
    inside: &(dyn Fn(&Timestamp) -> bool + Sync),
) -> Result<BTreeMap<String, usize>> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    if ids.is_empty() {
        return Ok(counts);
    }
    for kind in kinds.iter().copied() {
        let Some(activity) = call.names().standard(kind.line().1) else { continue };
        let rows = call.api().associated(object, ids, &activity).await?;
        let mut others: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for id in ids {
            for target in targets(&rows, id) {
                if !here.contains(&key(kind, &target.to_object_id)) {
                    others.entry(target.to_object_id).or_default().push(id);
                }
            }
        }
        let wanted: Vec<String> = others.keys().cloned().collect();
        for some in wanted.chunks(MAX_BATCH) {
            let dated = ["hs_timestamp".to_owned()];
            for record in call.api().read_records(&activity, some, None, &dated, &[]).await?.results {
                let at = record.get("hs_timestamp").parse().unwrap_or(Timestamp::UNIX_EPOCH);
                for id in others.get(&record.id).into_iter().flatten().filter(|_| inside(&at)) {
                    *counts.entry((*id).clone()).or_default() += 1;
                }
            }
        }
    }
    Ok(counts)
}

/// The properties of an activity that a timeline shows.
fn columns(kind: Kind) -> Vec<String> {
    let (_, _, title, body) = kind.line();
    let more: &[&str] = match kind {
        Kind::Note => &[],
        Kind::Call => &["hs_call_direction", "hs_call_duration", "hs_call_disposition"],
        Kind::Meeting => &["hs_meeting_outcome", "hs_meeting_location"],
        Kind::Email => &["hs_email_direction", "hs_email_html"],
        Kind::Task => &["hs_task_status", "hs_task_priority", REMINDERS],
    };
    let all = [title, body, "hs_timestamp", "hubspot_owner_id"].into_iter().chain(more.iter().copied());
    all.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

async fn activities(
    call: &Call<HubSpot>,
    object: &ObjectType,
    id: &str,
    kind: Kind,
) -> Result<Vec<(Timestamp, Kind, Record)>> {
    let Some(activity) = call.names().standard(kind.line().1) else { return Ok(Vec::new()) };
    let rows = call.api().associated(object, &[id.to_owned()], &activity).await?;
    let ids: Vec<String> = targets(&rows, id).into_iter().map(|target| target.to_object_id).collect();
    let mut records = Vec::new();
    for some in ids.chunks(MAX_BATCH) {
        records.extend(call.api().read_records(&activity, some, None, &columns(kind), &[]).await?.results);
    }
    let dated = records.into_iter().map(|record| {
        let at = record.get("hs_timestamp").parse().unwrap_or(Timestamp::UNIX_EPOCH);
        (at, kind, record)
    });
    Ok(dated.collect())
}

/// The contacts that took part in activities besides `record`, as their associations tell it: two requests for all.
async fn people(
    call: &Call<HubSpot>,
    kind: Kind,
    ids: &[String],
    record: &RecordRef,
) -> Result<BTreeMap<String, String>> {
    let (Some(activity), Some(contacts)) =
        (call.names().standard(kind.line().1), call.names().standard("contacts"))
    else {
        return Ok(BTreeMap::new());
    };
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = call.api().associated(&activity, ids, &contacts).await?;
    let is_other = |id: &String| record.object.id != contacts.id || record.id() != id;
    let with = |id: &String| {
        let all = targets(&rows, id).into_iter().map(|target| target.to_object_id);
        all.filter(is_other).collect::<Vec<_>>()
    };
    let mut all: Vec<String> = ids.iter().flat_map(with).collect();
    all.sort_unstable();
    all.dedup();
    let names = named(call, &contacts, &all).await?;
    let told = ids.iter().filter_map(|id| {
        let with = with(id);
        let with = with.iter().filter_map(|one| names.iter().find(|other| other.id() == one));
        let with: Vec<String> = with.map(RecordRef::shown).collect();
        let told = format!(", with {}", words::listed(&with, PEOPLE));
        (!with.is_empty()).then(|| (key(kind, id), told))
    });
    Ok(told.collect())
}

/// The text of an activity.
fn body(values: &Values, kind: Kind, record: &Record) -> String {
    let text = values.shown(record, kind.line().3);
    if text.is_empty() && kind == Kind::Email { values.shown(record, "hs_email_html") } else { text }
}

/// An activity; `with` tells who took part.
fn told(values: &Values, kind: Kind, record: &Record, with: &str) -> String {
    let (word, _, title, named) = kind.line();
    let cell = |name: &str| if name.is_empty() { String::new() } else { values.cell(record, name) };
    let details = match kind {
        Kind::Note => Vec::new(),
        Kind::Call => {
            vec![
                cell("hs_call_direction").to_lowercase(),
                cell("hs_call_duration"),
                cell("hs_call_disposition"),
            ]
        }
        Kind::Meeting => vec![cell("hs_meeting_outcome").to_lowercase(), cell("hs_meeting_location")],
        Kind::Email => vec![cell("hs_email_direction").to_lowercase()],
        Kind::Task => {
            let reminder = Some(cell(REMINDERS)).filter(|at| !at.is_empty());
            vec![
                cell("hs_task_status").to_lowercase(),
                cell("hs_task_priority").to_lowercase(),
                reminder.map(|at| format!("reminder {at}")).unwrap_or_default(),
            ]
        }
    };
    let details: Vec<String> = details.into_iter().filter(|detail| !detail.is_empty()).collect();
    let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
    let owner = cell("hubspot_owner_id");
    let by = if owner.is_empty() { String::new() } else { format!(", {owner}") };
    let title = cell(title);
    let text = body(values, kind, record);
    // A title that was made of the text says it once more.
    let title = if title.is_empty() || one_line(&text).starts_with(&title) {
        String::new()
    } else {
        format!(": {title}")
    };
    let mut text = cut(&text, TEXT);
    if let Some(unshown) = values.unshown(record, named) {
        text.push_str(&format!("\n({unshown})"));
    }
    let text = if text.is_empty() { String::new() } else { format!("\n  {}", text.replace('\n', "\n  ")) };
    format!("{} | {word}{details}{by}{with} | {}{title}{text}", cell("hs_timestamp"), record.id)
}
