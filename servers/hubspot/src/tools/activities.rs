//! Activities: logged, planned as tasks, and read back as one timeline.

use std::{collections::BTreeMap, time::Duration};

use connector::{
    Error, Result,
    catalog::{Call, Page, Plan, Reply, Tool, Written, limit, one_line},
};
use futures::future::try_join_all;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{FROM, write};
use crate::{
    HubSpot,
    api::objects::{Input, MAX_BATCH, Record},
    render::Values,
    resolve::{Fields, ObjectType, is_nobody, targets},
    text::{cut, html, plain},
};

/// Entries of a timeline.
const ENTRIES: u32 = 20;
/// Characters of one entry's text.
const TEXT: usize = 600;
/// The kinds of activities, as arguments name them, with the properties of title and body.
const KINDS: [(&str, &str, &str, &str); 5] = [
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
            "Get a timeline",
            "Shows notes, calls, meetings, e-mails and tasks of a record in one list, the latest first.",
            get_timeline,
        )
        .aliases(&[("object_type", "object")])
        .output_page::<Entry>(),
        Tool::write(
            "log_activity",
            "Log an activity",
            "Records a note, call, meeting or e-mail that took place on records; it sends nothing. For something to be done use save_task.",
            log_activity,
        )
        .aliases(&[("type", "kind"), ("text", "body"), ("note", "body"), ("subject", "title"), ("records", "about"), ("associations", "about")])
        .output::<Written>(),
        Tool::write(
            "save_task",
            "Save a task",
            "Creates a task, or with id changes one: subject, due, owner, priority, done.",
            save_task,
        )
        .aliases(&[("title", "subject"), ("text", "body"), ("due_date", "due"), ("assignee", "owner"), ("records", "about")])
        .output::<Written>(),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Kind {
    Note,
    Call,
    Meeting,
    Email,
    Task,
}

impl Kind {
    fn line(self) -> (&'static str, &'static str, &'static str, &'static str) {
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
    let mut entries: Vec<(Timestamp, Kind, Record)> = try_join_all(reads).await?.concat();
    let inside = |at: &Timestamp| {
        window.start().is_none_or(|start| *at >= start) && window.end().is_none_or(|end| *at <= end)
    };
    entries.retain(|(at, ..)| inside(at));
    entries.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| b.2.number().cmp(&a.2.number())));
    let total = entries.len();
    let wanted = limit(args.limit, ENTRIES, 100) as usize;
    let mut tellers: BTreeMap<&'static str, Values> = BTreeMap::new();
    for kind in &kinds {
        let Some(activity) = ObjectType::named(kind.line().1) else { continue };
        let fields = call.names().fields(&activity).await?;
        let columns = columns(*kind);
        tellers.insert(kind.line().0, Values::read(call.names(), fields, &columns, call.redacted()).await?);
    }
    let mut page =
        Page::new(FROM, ("activity", "activities")).total(total).note(format!("of {}", record.shown()));
    if !window.is_open() {
        page = page.note(window.describe());
    }
    if let Some(zone) =
        tellers.values().map(|values| values.account.time_zone.clone()).find(|zone| !zone.is_empty())
    {
        page = page.note(format!("times in {zone}"));
    }
    for (_, kind, activity) in entries.iter().skip(from).take(wanted) {
        let Some(values) = tellers.get(kind.line().0) else { continue };
        let row = told(values, *kind, activity);
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

/// The properties of an activity that a timeline shows.
fn columns(kind: Kind) -> Vec<String> {
    let (_, _, title, body) = kind.line();
    let more: &[&str] = match kind {
        Kind::Note => &[],
        Kind::Call => &["hs_call_direction", "hs_call_duration", "hs_call_disposition"],
        Kind::Meeting => &["hs_meeting_outcome", "hs_meeting_location"],
        Kind::Email => &["hs_email_direction", "hs_email_html"],
        Kind::Task => &["hs_task_status", "hs_task_priority"],
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
    let Some(activity) = ObjectType::named(kind.line().1) else { return Ok(Vec::new()) };
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

fn told(values: &Values, kind: Kind, record: &Record) -> String {
    let (word, _, title, body) = kind.line();
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
        Kind::Task => vec![cell("hs_task_status").to_lowercase(), cell("hs_task_priority").to_lowercase()],
    };
    let details: Vec<String> = details.into_iter().filter(|detail| !detail.is_empty()).collect();
    let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
    let owner = cell("hubspot_owner_id");
    let by = if owner.is_empty() { String::new() } else { format!(", {owner}") };
    let title = cell(title);
    let title = if title.is_empty() { String::new() } else { format!(": {title}") };
    let mut text = values.text(record, body);
    if text.is_empty() && kind == Kind::Email {
        text = plain(&values.text(record, "hs_email_html"));
    }
    let text = cut(&text, TEXT);
    let text = if text.is_empty() { String::new() } else { format!("\n  {}", text.replace('\n', "\n  ")) };
    format!("{} | {word}{details}{by} | {}{title}{text}", cell("hs_timestamp"), record.id)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LogActivity {
    kind: Logged,
    body: String,
    title: Option<String>,
    /// now unless given
    when: Option<String>,
    /// me unless given
    owner: Option<String>,
    /// Records, such as companies:Acme
    about: Vec<String>,
    duration_minutes: Option<u32>,
    outcome: Option<String>,
    #[serde(default)]
    direction: Option<Direction>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Logged {
    Note,
    Call,
    Meeting,
    Email,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Direction {
    Inbound,
    Outbound,
}

async fn log_activity(call: Call<HubSpot>, args: LogActivity) -> Result<Plan> {
    if args.body.trim().is_empty() {
        return Err(Error::invalid("`body` is empty"));
    }
    let kind = [Kind::Note, Kind::Call, Kind::Meeting, Kind::Email][args.kind as usize];
    let (word, name, title, body) = kind.line();
    let object = call.names().object(name).await?;
    let fields = call.names().fields(&object).await?;
    let calendar = call.names().calendar().await?;
    let when = calendar
        .past("when", args.when.as_deref().filter(|when| !when.trim().is_empty()).unwrap_or("now"))?;
    let mut set: BTreeMap<String, String> = BTreeMap::new();
    let mut put = |name: &str, value: String| _ = set.insert(name.to_owned(), value);
    put("hs_timestamp", format!("{:.3}", when.start()));
    put(body, if kind == Kind::Email { args.body.trim().to_owned() } else { html(&args.body) });
    match (&args.title, title) {
        (Some(_), "") => return Err(Error::invalid("A note has no title").with_hint("Put it into `body`")),
        (Some(text), title) => put(title, one_line(text)),
        (None, "") => {}
        (None, title) => put(title, one_line(&args.body).chars().take(60).collect()),
    }
    let minutes = args.duration_minutes.unwrap_or(if kind == Kind::Meeting { 30 } else { 0 });
    match kind {
        Kind::Call => {
            put("hs_call_status", "COMPLETED".to_owned());
            if minutes > 0 {
                put("hs_call_duration", (u64::from(minutes) * 60_000).to_string());
            }
            if let Some(direction) = args.direction {
                put(
                    "hs_call_direction",
                    if direction == Direction::Inbound { "INBOUND" } else { "OUTBOUND" }.to_owned(),
                );
            }
        }
        Kind::Meeting => {
            let end = when.start() + Duration::from_secs(u64::from(minutes) * 60);
            put("hs_meeting_start_time", format!("{:.3}", when.start()));
            put("hs_meeting_end_time", format!("{end:.3}"));
        }
        Kind::Email => {
            let incoming = args.direction == Some(Direction::Inbound);
            put("hs_email_direction", if incoming { "INCOMING_EMAIL" } else { "EMAIL" }.to_owned());
            put("hs_email_status", "SENT".to_owned());
        }
        Kind::Note | Kind::Task => {}
    }
    if let Some(outcome) = args.outcome.as_deref().filter(|outcome| !outcome.trim().is_empty()) {
        let name = match kind {
            Kind::Call => "hs_call_disposition",
            Kind::Meeting => "hs_meeting_outcome",
            _ => {
                return Err(Error::invalid(format!(
                    "An outcome is for calls and meetings, not for a {word}"
                )));
            }
        };
        let property = fields.find(name)?;
        let value = fields.to_write(call.names(), &calendar, property, &json!(outcome), None).await?;
        set.insert(name.to_owned(), value);
    } else if kind == Kind::Meeting {
        set.insert("hs_meeting_outcome".to_owned(), "COMPLETED".to_owned());
    }
    owned(&call, &fields, args.owner.as_deref(), true, &mut set).await?;
    create(call, object, fields, set, &args.about, "Log", "Logged").await
}

/// Sets the owner that was named, for a new activity else the credential's user; `none` leaves it without one.
async fn owned(
    call: &Call<HubSpot>,
    fields: &Fields,
    owner: Option<&str>,
    new: bool,
    set: &mut BTreeMap<String, String>,
) -> Result<()> {
    let Some(owner) = owner.filter(|owner| !owner.trim().is_empty()) else {
        if new && let Some(author) = call.names().author().await? {
            set.insert("hubspot_owner_id".to_owned(), author.id);
        }
        return Ok(());
    };
    if new && is_nobody(owner) {
        return Ok(());
    }
    let property = fields.find("hubspot_owner_id")?;
    let calendar = call.names().calendar().await?;
    let id = fields.to_write(call.names(), &calendar, property, &json!(owner), None).await?;
    set.insert(property.name.clone(), id);
    Ok(())
}

/// A plan to create one activity on records.
async fn create(
    call: Call<HubSpot>,
    object: ObjectType,
    fields: Fields,
    set: BTreeMap<String, String>,
    about: &[String],
    wish: &'static str,
    done: &'static str,
) -> Result<Plan> {
    let (associations, names) = write::links(&call, &object, about).await?;
    if names.is_empty() && object.name != "tasks" {
        return Err(Error::invalid("`about` is empty: the activity would be on no record")
            .with_hint("Give records such as companies:Acme or contacts:ana@x.example"));
    }
    let columns: Vec<String> = set.keys().cloned().collect();
    let values = Values::read(call.names(), fields, &columns, call.redacted()).await?;
    let input = Input {
        properties: set,
        associations,
        object_write_trace_id: "row-1".to_owned(),
        ..Input::default()
    };
    let mut record = Record::default();
    record
        .properties
        .extend(input.properties.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
    let on = if names.is_empty() { String::new() } else { format!(" on {}", names.join(", ")) };
    let mut lines: Vec<String> = columns
        .iter()
        .map(|name| format!("{} {}", values.fields.head(name), values.cell(&record, name)))
        .collect();
    if !columns.iter().any(|name| name == "hubspot_owner_id") {
        lines.push(write::NO_OWNER.to_owned());
    }
    let mut preview = Written::new(format!("{wish} a {}{on}", object.singular));
    preview.changed = lines.clone();
    let work = move || async move {
        let (batch, lost) = write::reconcile::create(&call, &object, &[input]).await?;
        if let Some(refusal) = batch.errors.first() {
            return Err(refusal.error(400));
        }
        let Some(made) = batch.results.into_iter().next() else {
            return Err(Error::new(
                connector::Kind::UnknownOutcome,
                format!("HubSpot did not say whether it made the {}", object.singular),
            )
            .with_hint("Look at the timeline of the record before trying again"));
        };
        call.recent().note(&object, [made.id.as_str()]);
        let mut written = Written::new(format!("{done} the {} {}{on}", object.singular, made.id)).id(made.id);
        written.changed = lines;
        Ok(write::reconcile::done(&call, written, lost))
    };
    Ok(Plan::new(Reply::written(preview), work))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SaveTask {
    /// Of a task to change
    id: Option<String>,
    subject: Option<String>,
    due: Option<String>,
    /// Of a new task me unless given
    owner: Option<String>,
    #[serde(default)]
    priority: Option<Priority>,
    #[serde(default, rename = "type")]
    kind: Option<TaskKind>,
    #[serde(default)]
    status: Option<Status>,
    body: Option<String>,
    #[serde(default)]
    about: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Priority {
    None,
    Low,
    Medium,
    High,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum TaskKind {
    Todo,
    Call,
    Email,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Status {
    NotStarted,
    InProgress,
    Waiting,
    Completed,
    Deferred,
}

/// HubSpot's word for one of ours.
fn shouted(value: &impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_uppercase))
        .unwrap_or_default()
}

async fn save_task(call: Call<HubSpot>, args: SaveTask) -> Result<Plan> {
    let object = call.names().object("tasks").await?;
    let fields = call.names().fields(&object).await?;
    let calendar = call.names().calendar().await?;
    let given = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let mut set: BTreeMap<String, String> = BTreeMap::new();
    if let Some(subject) = given(&args.subject) {
        set.insert("hs_task_subject".to_owned(), one_line(&subject));
    }
    if let Some(due) = given(&args.due) {
        set.insert("hs_timestamp".to_owned(), format!("{:.3}", calendar.ahead("due", &due)?.end()));
    }
    if let Some(body) = given(&args.body) {
        set.insert("hs_task_body".to_owned(), html(&body));
    }
    let words = [
        ("hs_task_priority", args.priority.map(|word| shouted(&word))),
        ("hs_task_type", args.kind.map(|word| shouted(&word))),
        ("hs_task_status", args.status.map(|word| shouted(&word))),
    ];
    set.extend(words.into_iter().filter_map(|(name, word)| Some((name.to_owned(), word?))));
    let id = given(&args.id);
    owned(&call, &fields, args.owner.as_deref(), id.is_none(), &mut set).await?;
    let Some(id) = id else {
        if !set.contains_key("hs_task_subject") {
            return Err(
                Error::invalid("A new task needs `subject`").with_hint("To change a task, give its id")
            );
        }
        set.entry("hs_timestamp".to_owned()).or_insert_with(|| {
            // Without a day it is due today.
            calendar.ahead("due", "today").map(|when| format!("{:.3}", when.end())).unwrap_or_default()
        });
        set.entry("hs_task_status".to_owned()).or_insert_with(|| "NOT_STARTED".to_owned());
        return create(call, object, fields, set, &args.about, "Create", "Created").await;
    };
    if !args.about.is_empty() {
        return Err(
            Error::invalid("`about` is for new tasks").with_hint("associate_records links a task to records")
        );
    }
    write::change_one(call, fields, id, set).await
}
