//! Toolsets that must be asked for: conversations, definitions of properties, workflows.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Plan, Reply, Tool, Written, limit, minute, minute_in, one_line,
        paging::{self, Position, VendorPage},
        reconcile::{Attempt, created, same_text},
        unbroken,
    },
};
use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{FROM, beside::named, write::reconcile};
use crate::{
    HubSpot,
    api::{
        conversations::{Message, Thread},
        definitions::Property,
    },
    resolve::{ObjectType, RecordRef},
    rich::plain,
    scopes,
    text::cut,
};

/// Conversations of one page.
const ROWS: u32 = 20;
/// Messages of one conversation.
const MESSAGES: u32 = 50;
/// Characters of one message: as many as fit into a reply.
const TEXT: usize = 20_000;

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::read(
            "read_conversations",
            "Read conversations",
            "Lists conversations of the shared inbox, all or those of a contact, the latest first; with id, the messages of one.",
            read_conversations,
        )
.scopes(&["conversations.read"])
        .opt_in("conversations")
        .output_page::<Row>(),
        Tool::write(
            "reply_conversation",
            "Comment on a conversation",
            "Adds an internal comment to a conversation, which only colleagues see. It sends nothing to the customer.",
            reply_conversation,
        )
.scopes(&["conversations.write"])
        .opt_in("conversations")
        .output::<Written>(),
        Tool::write(
            "create_property",
            "Create a property",
            "Adds a property to an object: label, type, and options for a choice.",
            create_property,
        )
.scopes(scopes::SCHEMAS)
        .opt_in("schema")
        .output::<Written>(),
        Tool::write(
            "update_property",
            "Update a property",
            "Changes the label or description of a property, or adds options to it.",
            update_property,
        )
.scopes(scopes::SCHEMAS)
        .opt_in("schema")
        .idempotent()
        .output::<Written>(),
        Tool::read("list_workflows", "List workflows", "Lists the account's workflows and whether each is on.", list_workflows)
.scopes(&["automation"])
            .opt_in("automation")
            .output_page::<Row>(),
        Tool::read("get_workflow", "Get a workflow", "Shows one workflow with its steps.", get_workflow)
.scopes(&["automation"])
            .opt_in("automation")
            .output_page::<Row>(),
    ]
}

/// A conversation, a message, a workflow or a step.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    text: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadConversations {
    id: Option<String>,
    contact: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn read_conversations(call: Call<HubSpot>, args: ReadConversations) -> Result<Reply> {
    if let Some(id) = args.id.as_deref().filter(|id| !id.trim().is_empty()) {
        let id = id.trim().to_owned();
        return messages(&call, &id, args).await;
    }
    let after: Option<String> = call.open_cursor(args.cursor.as_deref())?;
    let clock = Clock::read(&call).await?;
    let contact = match args.contact.as_deref().filter(|contact| !contact.trim().is_empty()) {
        Some(word) => {
            let contacts = call.names().object("contacts").await?;
            Some(call.names().record(&contacts, word).await?)
        }
        None => None,
    };
    let found = call
        .api()
        .threads(contact.as_ref().map(RecordRef::id), limit(args.limit, ROWS, 100), after.as_deref())
        .await?;
    let mut page = Page::new(FROM, ("conversation", "conversations")).note(clock.note());
    let people = match contact {
        Some(contact) => {
            page = page.note(format!("with {}", contact.shown()));
            vec![contact]
        }
        None => match people(&call, &found.results).await {
            Ok(people) => people,
            Err(_) => {
                page = page.note("the names of contacts could not be read");
                Vec::new()
            }
        },
    };
    for thread in &found.results {
        let with = match thread.associated_contact_id.as_str() {
            "" => String::new(),
            id => {
                let name = people.iter().find(|person| person.id() == id).map(RecordRef::shown);
                format!(" | {}", name.unwrap_or_else(|| format!("contact {id}")))
            }
        };
        let text = format!(
            "{} | {} | {}{with}",
            thread.id,
            thread.status.to_lowercase(),
            clock.minute(&thread.latest_message_timestamp)
        );
        page.push(text.clone(), &Row { id: thread.id.clone(), text });
    }
    let next = found.next().map(str::to_owned);
    let goes_on = call.clone();
    Ok(Reply::page(page.cursor(next.is_some(), move |_| goes_on.seal_cursor(&next))))
}

/// Whom conversations are with, read at once.
async fn people(call: &Call<HubSpot>, threads: &[Thread]) -> Result<Vec<RecordRef>> {
    // Where no name may be seen, there is none to read.
    let Some(contacts) = call.names().standard("contacts").filter(|contacts| !contacts.known_by.is_empty())
    else {
        return Ok(Vec::new());
    };
    let ids = threads.iter().map(|thread| thread.associated_contact_id.clone());
    let mut ids: Vec<String> = ids.filter(|id| !id.is_empty()).collect();
    ids.sort_unstable();
    ids.dedup();
    named(call, &contacts, &ids).await
}

/// The messages of a conversation, in the order in which HubSpot has them.
async fn messages(call: &Call<HubSpot>, id: &str, args: ReadConversations) -> Result<Reply> {
    let place: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let wanted = limit(args.limit, MESSAGES, 100);
    let found = call.api().messages(id, wanted, place.after.as_deref()).await?;
    let clock = Clock::read(call).await?;
    let mut page = Page::new(FROM, ("message", "messages"))
        .note(format!("of the conversation {}", one_line(id)))
        .note(clock.note());
    let next = found.next().map(str::to_owned);
    let read: Vec<&Message> = found.results.iter().skip(place.skip).collect();
    for message in &read {
        let text = told(&clock, message);
        page.push(text.clone(), &Row { id: message.id.clone(), text });
    }
    let given = VendorPage::whole(place, read.len(), next);
    Ok(Reply::page(paging::close(call, page, given)))
}

/// Moments as the account's clocks show them.
struct Clock {
    zone: TimeZone,
    name: String,
}

impl Clock {
    async fn read(call: &Call<HubSpot>) -> Result<Self> {
        Ok(Self { zone: call.names().zone().await?, name: call.names().account().await?.time_zone })
    }

    fn minute(&self, moment: &str) -> String {
        match moment.parse::<Timestamp>() {
            Ok(at) => minute_in(at, &self.zone),
            Err(_) => minute(moment),
        }
    }

    fn note(&self) -> String {
        if self.name.is_empty() { "times in UTC".to_owned() } else { format!("times in {}", self.name) }
    }
}

fn told(clock: &Clock, message: &Message) -> String {
    let by = message
        .senders
        .first()
        .map(|sender| if sender.name.is_empty() { &sender.actor_id } else { &sender.name });
    let kind = if message.kind == "COMMENT" {
        "comment"
    } else if message.direction == "INCOMING" {
        "from the customer"
    } else {
        "to the customer"
    };
    let text = cut(&plain(&message.text), TEXT).replace('\n', "\n  ");
    format!(
        "{} | {} ({kind}) | {}\n  {text}",
        clock.minute(&message.created_at),
        one_line(by.map_or("somebody", String::as_str)),
        message.id
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReplyConversation {
    id: String,
    body: String,
}

async fn reply_conversation(call: Call<HubSpot>, args: ReplyConversation) -> Result<Plan> {
    let (id, body) = (args.id.trim().to_owned(), args.body.trim().to_owned());
    if body.is_empty() {
        return Err(Error::invalid("`body` is empty"));
    }
    // A dry run finds out whether there is such a conversation.
    call.api().messages(&id, 1, None).await?;
    let preview = Written::new(format!("Comment on the conversation {id}, for colleagues only"))
        .change(one_line(&cut(&body, 200)));
    let work = move || async move {
        let attempt = Attempt::begin(call.api().upstream(), "comment");
        let sent = call.api().comment(&id, &body).await;
        let look = || async {
            let all = call.api().messages(&id, MESSAGES, None).await.ok()?.results;
            all.into_iter().find(|one| {
                one.kind == "COMMENT"
                    && same_text(&plain(&one.text), &plain(&body))
                    && attempt.may_have_made(&one.id, &one.created_at)
            })
        };
        let (made, lost) = attempt.made(sent, |made| made.id.clone(), look).await?;
        let written =
            Written::new(format!("Commented on the conversation {id}; the customer sees nothing of it"));
        Ok(reconcile::done(&call, written.id(made.id), lost))
    };
    Ok(Plan::new(Reply::written(preview), work))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Type {
    Text,
    LongText,
    Number,
    Date,
    Datetime,
    YesNo,
    Choice,
    Choices,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateProperty {
    object: String,
    label: String,
    /// Made from the label unless given
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Type,
    #[serde(default)]
    options: Vec<String>,
    description: Option<String>,
    #[serde(default)]
    unique: bool,
}

async fn create_property(call: Call<HubSpot>, args: CreateProperty) -> Result<Plan> {
    let object = call.names().object(&args.object).await?;
    let fields = call.names().fields(&object).await?;
    let label = unbroken(&args.label);
    let name = args.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| internal(&label));
    if let Some(there) = fields.get(&name) {
        return Err(Error::new(
            Kind::Conflict,
            format!("There is a property {} ({}) already", there.name, one_line(&there.label)),
        ));
    }
    let (kind, field) = match args.kind {
        Type::Text => ("string", "text"),
        Type::LongText => ("string", "textarea"),
        Type::Number => ("number", "number"),
        Type::Date => ("date", "date"),
        Type::Datetime => ("datetime", "date"),
        Type::YesNo => ("bool", "booleancheckbox"),
        Type::Choice => ("enumeration", "select"),
        Type::Choices => ("enumeration", "checkbox"),
    };
    let chooses = matches!(args.kind, Type::Choice | Type::Choices);
    if chooses == args.options.is_empty() && args.kind != Type::YesNo {
        return Err(Error::invalid(if chooses {
            "A choice needs `options`"
        } else {
            "`options` are for a choice"
        }));
    }
    let options = if args.kind == Type::YesNo {
        choices(&["Yes=true".to_owned(), "No=false".to_owned()], 0)
    } else {
        choices(&args.options, 0)
    };
    let mut body = Map::new();
    let members = [
        ("name", json!(name)),
        ("label", json!(label)),
        ("type", json!(kind)),
        ("fieldType", json!(field)),
        ("groupName", json!(group(&object))),
        ("hasUniqueValue", json!(args.unique)),
        ("options", Value::Array(options)),
        ("description", json!(args.description.unwrap_or_default())),
    ];
    body.extend(members.map(|(name, value)| (name.to_owned(), value)));
    let what = format!("the property {name} ({label}, {kind}) of {}", object.plural);
    let preview = Written::new(format!("Create {what}"));
    let work = move || async move {
        let sent = call.api().create_property(&object, &body).await;
        let (made, lost) = created(sent, defined(&call, &object, &name, &body)).await?;
        Ok(reconcile::done(&call, Written::new(format!("Created {what}")).id(made.name), lost))
    };
    Ok(Plan::new(Reply::written(preview), work))
}

/// The property `name` as it is now, if all is set that `body` sets: a write whose answer was lost is looked for.
async fn defined(
    call: &Call<HubSpot>,
    object: &ObjectType,
    name: &str,
    body: &Map<String, Value>,
) -> Option<Property> {
    let now = call.api().properties(object).await.ok()?.into_iter().find(|one| one.name == name)?;
    let is = |member: &str, own: &str| body.get(member).is_none_or(|wanted| wanted == own);
    let options = body.get("options").and_then(Value::as_array).into_iter().flatten();
    let mut values = options.filter_map(|option| option["value"].as_str());
    let same = is("label", &now.label)
        && is("description", &now.description)
        && is("type", &now.kind)
        && values.all(|value| now.options.iter().any(|option| option.value == value));
    same.then_some(now)
}

/// The group in which HubSpot shows an object's properties.
fn group(object: &ObjectType) -> String {
    match object.name.as_str() {
        "contacts" => "contactinformation".to_owned(),
        "companies" => "companyinformation".to_owned(),
        "deals" => "dealinformation".to_owned(),
        "tickets" => "ticketinformation".to_owned(),
        name => format!("{}_information", name.split_once('_').map_or(name, |(_, base)| base)),
    }
}

/// A name that HubSpot takes, from a label.
fn internal(label: &str) -> String {
    let name: String = connector::catalog::names::fold(label)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    name.trim_matches('_').to_owned()
}

/// Options as HubSpot takes them: `Label`, or `Label=value`.
fn choices(words: &[String], from: usize) -> Vec<Value> {
    let choice = |(at, word): (usize, &String)| {
        let (label, value) = word.split_once('=').unwrap_or((word, word));
        json!({"label": label.trim(), "value": value.trim(), "displayOrder": from + at, "hidden": false})
    };
    words.iter().enumerate().map(choice).collect()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateProperty {
    object: String,
    property: String,
    label: Option<String>,
    description: Option<String>,
    #[serde(default)]
    add_options: Vec<String>,
}

async fn update_property(call: Call<HubSpot>, args: UpdateProperty) -> Result<Plan> {
    let object = call.names().object(&args.object).await?;
    let fields = call.names().fields(&object).await?;
    let property = fields.find(&args.property)?.clone();
    let mut body = Map::new();
    let mut lines = Vec::new();
    let given = |text: Option<String>| text.map(|text| unbroken(&text)).filter(|text| !text.is_empty());
    if let Some(label) = given(args.label).filter(|label| *label != property.label) {
        lines.push(format!("label {} → {label}", one_line(&property.label)));
        body.insert("label".to_owned(), json!(label));
    }
    if let Some(text) = given(args.description).filter(|text| *text != property.description) {
        lines.push(format!("description → {text}"));
        body.insert("description".to_owned(), json!(text));
    }
    let new: Vec<String> = args
        .add_options
        .iter()
        .filter(|word| {
            let value = word.split_once('=').map_or(word.as_str(), |(_, value)| value).trim();
            property.options.iter().all(|choice| choice.value != value)
        })
        .cloned()
        .collect();
    if !new.is_empty() {
        // What is sent replaces the list, so those there are go along.
        let known = property.options.iter().enumerate().map(|(at, choice)| {
            json!({"label": choice.label, "value": choice.value, "displayOrder": at, "hidden": choice.hidden})
        });
        let all: Vec<Value> = known.chain(choices(&new, property.options.len())).collect();
        lines.push(format!("new options {}", new.join(", ")));
        body.insert("options".to_owned(), Value::Array(all));
    }
    let what = format!("the property {} of {}", property.name, object.plural);
    if body.is_empty() {
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing to change: {what} is like that already"
        )))));
    }
    let mut preview = Written::new(format!("Change {what}"));
    preview.changed = lines.clone();
    let work = move || async move {
        let sent = call.api().update_property(&object, &property.name, &body).await;
        let (made, lost) = created(sent, defined(&call, &object, &property.name, &body)).await?;
        let mut written = Written::new(format!("Changed {what}")).id(made.name);
        written.changed = lines;
        Ok(reconcile::done(&call, written, lost))
    };
    Ok(Plan::new(Reply::written(preview), work))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListWorkflows {
    query: Option<String>,
}

async fn list_workflows(call: Call<HubSpot>, args: ListWorkflows) -> Result<Reply> {
    let query = args.query.unwrap_or_default().to_lowercase();
    let mut page = Page::new(FROM, ("workflow", "workflows"));
    for flow in call.api().flows().await?.iter().filter(|flow| flow.name.to_lowercase().contains(&query)) {
        let text = format!(
            "{} | {} | {}",
            flow.id,
            one_line(&flow.name),
            if flow.is_enabled { "on" } else { "off" }
        );
        page.push(text.clone(), &Row { id: flow.id.clone(), text });
    }
    Ok(Reply::page(page))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetWorkflow {
    id: String,
}

async fn get_workflow(call: Call<HubSpot>, args: GetWorkflow) -> Result<Reply> {
    let flow = call.api().flow(args.id.trim()).await?;
    let of = call
        .names()
        .object(&flow.object_type_id)
        .await
        .map_or_else(|_| flow.object_type_id.clone(), |object| object.plural);
    let mut page = Page::new(FROM, ("step", "steps")).note(format!(
        "of the workflow {} ({}), {}, for {of}, changed {}",
        one_line(&flow.name),
        flow.id,
        if flow.is_enabled { "on" } else { "off" },
        call.names().told(&flow.updated_at).await?
    ));
    for action in &flow.actions {
        let text = format!(
            "{} | {} | {}",
            action.action_id,
            action.action_type_id,
            action.kind.to_lowercase().replace('_', " ")
        );
        page.push(text.clone(), &Row { id: action.action_id.clone(), text });
    }
    Ok(Reply::page(page))
}
