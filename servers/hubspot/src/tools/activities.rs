//! Activities: logged, and planned as tasks.

use std::{collections::BTreeMap, time::Duration};

use connector::{
    Error, Result,
    catalog::{Call, Plan, Reply, Tool, When, Written, one_line, unbroken},
    clock,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    beside::Beside,
    timeline::{KINDS, Kind},
    write,
};
use crate::{
    HubSpot,
    api::objects::{Input, Record},
    render::Values,
    resolve::{Fields, ObjectType, REMINDERS, is_nobody, reminder, to_come},
    rich::{html, plain},
    scopes,
};

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::write(
            "log_activity",
            "Log activity",
            "Records a note, call, meeting or e-mail that took place; it sends nothing. For a to-do use save_task.",
            log_activity,
        )
.scopes(scopes::WRITE_CONTACTS)
        .aliases(&[("type", "kind"), ("text", "body"), ("note", "body"), ("subject", "title"), ("records", "about"), ("associations", "about")])
        .output::<Written>(),
        Tool::write(
            "save_task",
            "Save task",
            "Creates a task, or with id changes one.",
            save_task,
        )
.scopes(scopes::WRITE_CONTACTS)
        .aliases(&[("title", "subject"), ("text", "body"), ("due_date", "due"), ("assignee", "owner"), ("records", "about")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LogActivity {
    kind: Logged,
    /// Markdown
    body: Option<String>,
    title: Option<String>,
    when: Option<String>,
    /// me unless given
    owner: Option<String>,
    /// companies:Acme
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

/// Title and text of what took place. Only its time is required (developers.hubspot.com, "Calls" and "Meetings"): a
/// call or a meeting without a word has neither.
fn texts(kind: Kind, title: Option<&str>, body: Option<&str>) -> Result<BTreeMap<String, String>> {
    let given = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let (named, text) = (given(title), given(body));
    let (_, _, title, body) = kind.line();
    match (kind, &named, &text) {
        (Kind::Note, Some(_), _) => {
            return Err(Error::invalid("A note has no title").with_hint("Put it into `body`"));
        }
        (Kind::Note, None, None) => return Err(Error::invalid("A note needs `body`")),
        (Kind::Email, None, None) => return Err(Error::invalid("An e-mail needs `body` or `title`")),
        _ => {}
    }
    let mut set = BTreeMap::new();
    let first = |text: &String| one_line(&plain(&html(text))).chars().take(60).collect::<String>();
    let named = named.map(|named| unbroken(&named)).or_else(|| text.as_ref().map(first));
    set.extend(named.filter(|_| !title.is_empty()).map(|named| (title.to_owned(), named)));
    let text = text.map(|text| if kind == Kind::Email { text } else { html(&text) });
    set.extend(text.map(|text| (body.to_owned(), text)));
    Ok(set)
}

async fn log_activity(call: Call<HubSpot>, args: LogActivity) -> Result<Plan> {
    let kind = [Kind::Note, Kind::Call, Kind::Meeting, Kind::Email][args.kind as usize];
    let (_, name, ..) = kind.line();
    let mut set = texts(kind, args.title.as_deref(), args.body.as_deref())?;
    let object = call.names().object(name).await?;
    let fields = call.names().fields(&object).await?;
    let calendar = call.names().calendar().await?;
    let when = calendar
        .past("when", args.when.as_deref().filter(|when| !when.trim().is_empty()).unwrap_or("now"))?;
    let minutes = args.duration_minutes.unwrap_or(if kind == Kind::Meeting { 30 } else { 0 });
    let length = Duration::from_secs(u64::from(minutes) * 60);
    let (start, note) = took_place(&call, &when, length).await?;
    let mut put = |name: &str, value: String| _ = set.insert(name.to_owned(), value);
    put("hs_timestamp", format!("{start:.3}"));
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
            let end = start + length;
            put("hs_meeting_start_time", format!("{start:.3}"));
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
                    "An outcome is for calls and meetings, not for {}",
                    object.plural
                )));
            }
        };
        let property = fields.find(name)?;
        let value = fields.to_write(call.names(), &calendar, property, &json!(outcome), None).await?;
        set.insert(name.to_owned(), value);
    } else if kind == Kind::Meeting {
        // One that is yet to come has no other outcome.
        let ahead = start > now();
        let outcome = if ahead { "SCHEDULED" } else { "COMPLETED" };
        set.insert("hs_meeting_outcome".to_owned(), outcome.to_owned());
    }
    owned(&call, &fields, args.owner.as_deref(), true, &mut set).await?;
    create(call, object, fields, set, &args.about, ["Log", "Logged"], note).await
}

fn now() -> Timestamp {
    Timestamp::from_second(i64::try_from(clock::wall().as_secs()).unwrap_or(0)).unwrap_or_default()
}

/// When something of this length began of which only the day is said, and that it is not known more exactly: today it
/// was over by now.
async fn took_place(
    call: &Call<HubSpot>,
    when: &When,
    length: Duration,
) -> Result<(Timestamp, Option<String>)> {
    if when.start() == when.end() {
        return Ok((when.start(), None));
    }
    if when.start() < now() && now() < when.end() {
        return Ok(((now() - length).max(when.start()), None));
    }
    let zone = call.names().account().await?.time_zone;
    let zone = if zone.is_empty() { "UTC" } else { &zone };
    Ok((
        when.start(),
        Some(format!("note: no hour was given; it stands at the beginning of the day in {zone}")),
    ))
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
    [wish, done]: [&'static str; 2],
    note: Option<String>,
) -> Result<Plan> {
    let (associations, records) = write::links(&call, &object, about).await?;
    let beside = Beside::read(&call, &records).await;
    let names: Vec<String> = records.iter().map(|record| beside.shown(record)).collect();
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
    // A title that was made of the text says it once more.
    let (_, _, title, body) =
        KINDS.into_iter().find(|(_, name, ..)| *name == object.name).unwrap_or_default();
    let text = one_line(&plain(record.get(body)));
    let repeated = |name: &&String| name.as_str() == title && text.starts_with(record.get(title));
    let mut lines: Vec<String> = columns
        .iter()
        .filter(|name| !repeated(name))
        .map(|name| format!("{} {}", values.fields.head(name), values.cell(&record, name)))
        .collect();
    if !columns.iter().any(|name| name == "hubspot_owner_id") {
        lines.push(write::NO_OWNER.to_owned());
    }
    lines.extend(beside.not_on(&records));
    lines.extend(note);
    let article = if object.singular.starts_with('e') { "an" } else { "a" };
    let mut preview = Written::new(format!("{wish} {article} {}{on}", object.singular));
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
    id: Option<String>,
    subject: Option<String>,
    due: Option<String>,
    reminder: Option<String>,
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
    #[serde(default)]
    clear: Vec<String>,
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
        set.insert("hs_task_subject".to_owned(), unbroken(&subject));
    }
    if let Some(due) = given(&args.due) {
        let when = to_come(&calendar, "due", &due)?;
        set.insert("hs_timestamp".to_owned(), format!("{:.3}", when.end()));
    }
    if let Some(text) = given(&args.reminder) {
        set.insert(REMINDERS.to_owned(), reminder(&calendar, "reminder", &text)?);
    }
    if let Some(body) = given(&args.body) {
        // What a task has already is changed where it differs.
        set.insert("hs_task_body".to_owned(), if given(&args.id).is_some() { body } else { html(&body) });
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
        if !args.clear.is_empty() {
            return Err(Error::invalid("`clear` is for a task that exists"));
        }
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
        return create(call, object, fields, set, &args.about, ["Create", "Created"], None).await;
    };
    if !args.about.is_empty() {
        return Err(
            Error::invalid("`about` is for new tasks").with_hint("associate_records links a task to records")
        );
    }
    write::change_one(call, fields, id, set, args.clear).await
}
