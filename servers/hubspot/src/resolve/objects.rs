//! The types of records, by any name that people know them by.

use std::borrow::Cow;

use connector::{
    Error, Result,
    catalog::{
        names::{Entry, find, fold},
        one_line,
    },
};

use crate::{api::definitions::Schema, redact::Redacted};

/// One type of records: a standard one, or a custom object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectType {
    /// Such as `0-1`, or `2-987` for a custom object; always what is sent.
    pub(crate) id: String,
    /// Its name in arguments: `contacts`, `p123_site`.
    pub(crate) name: String,
    pub(crate) singular: String,
    pub(crate) plural: String,
    /// The properties by which people know a record, the first that has a value.
    pub(crate) titles: Vec<String>,
    /// The same without what is redacted: what a record is shown as, and found by.
    pub(crate) known_by: Vec<String>,
    /// What rows show if nothing else is asked for.
    pub(crate) columns: Vec<String>,
    /// Pipeline and stage, where records have them.
    pub(crate) stage: Option<(&'static str, &'static str)>,
    /// Properties that a new record must have; of those between `|` one is enough.
    pub(crate) required: Vec<String>,
    pub(crate) custom: bool,
}

/// Id, plural, singular, titles, columns, required on create.
type Line = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

/// Whose a record is.
pub(super) const OWNER: &str = "hubspot_owner_id";
/// Pipeline and stage, as all objects but deals have them.
pub(super) const STAGED: (&str, &str) = ("hs_pipeline", "hs_pipeline_stage");

/// The standard objects (developers.hubspot.com, "Using object APIs", object type ids).
const STANDARD: &[Line] = &[
    (
        "0-1",
        "contacts",
        "contact",
        &["firstname lastname", "email"],
        &["firstname", "lastname", "email", "phone", "company", "lifecyclestage", "hs_lead_status", OWNER],
        &["email|firstname|lastname"],
    ),
    (
        "0-2",
        "companies",
        "company",
        &["name", "domain"],
        &["name", "domain", "industry", "city", "country", "lifecyclestage", OWNER],
        &["name|domain"],
    ),
    (
        "0-3",
        "deals",
        "deal",
        &["dealname"],
        &["dealname", "dealstage", "pipeline", "amount", "closedate", OWNER],
        &["dealname", "dealstage"],
    ),
    (
        "0-5",
        "tickets",
        "ticket",
        &["subject"],
        &["subject", "hs_pipeline_stage", "hs_pipeline", "hs_ticket_priority", OWNER, "createdate"],
        &["subject", "hs_pipeline_stage"],
    ),
    (
        "0-136",
        "leads",
        "lead",
        &["hs_lead_name"],
        &["hs_lead_name", "hs_pipeline_stage", "hs_lead_label", OWNER],
        &["hs_lead_name"],
    ),
    ("0-7", "products", "product", &["name"], &["name", "price", "hs_sku"], &["name"]),
    ("0-8", "line_items", "line_item", &["name"], &["name", "quantity", "price", "amount"], &[]),
    (
        "0-14",
        "quotes",
        "quote",
        &["hs_title"],
        &["hs_title", "hs_quote_amount", "hs_status", "hs_expiration_date"],
        &["hs_title"],
    ),
    (
        "0-27",
        "tasks",
        "task",
        &["hs_task_subject"],
        &[
            "hs_task_subject",
            "hs_timestamp",
            "hs_task_reminders",
            "hs_task_status",
            "hs_task_priority",
            OWNER,
        ],
        &["hs_timestamp"],
    ),
    ("0-46", "notes", "note", &["hs_note_body"], &["hs_note_body", "hs_timestamp", OWNER], &["hs_timestamp"]),
    (
        "0-47",
        "meetings",
        "meeting",
        &["hs_meeting_title"],
        &["hs_meeting_title", "hs_timestamp", "hs_meeting_outcome", OWNER],
        &["hs_timestamp"],
    ),
    (
        "0-48",
        "calls",
        "call",
        &["hs_call_title"],
        &["hs_call_title", "hs_timestamp", "hs_call_direction", "hs_call_disposition", OWNER],
        &["hs_timestamp"],
    ),
    (
        "0-49",
        "emails",
        "email",
        &["hs_email_subject"],
        &["hs_email_subject", "hs_timestamp", "hs_email_direction", "hs_email_status", OWNER],
        &["hs_timestamp"],
    ),
    (
        "0-18",
        "communications",
        "communication",
        &["hs_communication_body"],
        &["hs_communication_body", "hs_communication_channel_type", "hs_timestamp", OWNER],
        &["hs_timestamp"],
    ),
    (
        "0-53",
        "invoices",
        "invoice",
        &["hs_title", "hs_number"],
        &["hs_number", "hs_title", "hs_invoice_status", "hs_amount_billed", "hs_due_date"],
        &[],
    ),
    ("0-69", "subscriptions", "subscription", &["hs_name"], &["hs_name", "hs_status"], &[]),
    ("0-123", "orders", "order", &["hs_order_name"], &["hs_order_name", "hs_total_price", OWNER], &[]),
    ("0-162", "services", "service", &["hs_name"], &["hs_name", "hs_pipeline_stage", OWNER], &[]),
    ("0-970", "projects", "project", &["hs_name"], &["hs_name", "hs_pipeline_stage", OWNER], &[]),
    (
        "0-421",
        "appointments",
        "appointment",
        &["hs_appointment_name"],
        &["hs_appointment_name", "hs_appointment_start", "hs_appointment_end", OWNER],
        &[],
    ),
];

/// The names of the standard objects, for listings and completions.
pub(crate) fn standard_names() -> Vec<&'static str> {
    STANDARD.iter().map(|line| line.1).collect()
}

impl ObjectType {
    fn standard(line: &Line) -> Self {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let stage = match line.1 {
            "deals" => Some(("pipeline", "dealstage")),
            "tickets" | "leads" | "services" | "projects" => Some(STAGED),
            _ => None,
        };
        Self {
            id: line.0.to_owned(),
            name: line.1.to_owned(),
            singular: line.2.replace('_', " "),
            plural: line.1.replace('_', " "),
            titles: own(line.3),
            known_by: own(line.3),
            columns: own(line.4),
            stage,
            required: own(line.5),
            custom: false,
        }
    }

    /// The standard object whose plural in the API is `name`.
    pub(super) fn named(name: &str) -> Option<Self> {
        STANDARD.iter().find(|line| line.1 == name || line.0 == name).map(Self::standard)
    }

    /// The same, with no name made of what is redacted.
    pub(super) fn without(mut self, redacted: &Redacted) -> Self {
        self.known_by = self
            .titles
            .iter()
            .map(|title| title.split(' ').filter(|name| !redacted.hides(name)).collect::<Vec<_>>().join(" "))
            .filter(|title| !title.is_empty())
            .collect();
        self
    }

    pub(super) fn custom(schema: &Schema) -> Self {
        let primary = schema.primary_display_property.clone();
        let columns =
            [primary.clone()].into_iter().chain(schema.secondary_display_properties.iter().cloned());
        Self {
            id: schema.object_type_id.clone(),
            name: schema.fully_qualified_name.clone(),
            singular: schema.labels.singular.to_lowercase(),
            plural: schema.labels.plural.to_lowercase(),
            known_by: vec![primary.clone()],
            titles: vec![primary],
            columns: columns.filter(|name| !name.is_empty()).collect(),
            stage: None,
            required: schema.required_properties.clone(),
            custom: true,
        }
    }

    /// Whether its records are activities, shown in timelines.
    pub(crate) fn is_activity(&self) -> bool {
        matches!(self.name.as_str(), "tasks" | "notes" | "meetings" | "calls" | "emails" | "communications")
    }

    /// Whether its records tell of what took place, rather than of what is to be.
    pub(crate) fn took_place(&self) -> bool {
        matches!(self.name.as_str(), "notes" | "calls" | "emails" | "communications")
    }

    /// The property with the text of a record, which one that is read by itself shows too.
    pub(crate) fn body(&self) -> Option<&'static str> {
        Some(match self.name.as_str() {
            "tickets" => "content",
            "deals" => "description",
            "notes" => "hs_note_body",
            "tasks" => "hs_task_body",
            "calls" => "hs_call_body",
            "meetings" => "hs_meeting_body",
            "emails" => "hs_email_text",
            _ => return None,
        })
    }

    /// Where HubSpot looks for words (developers.hubspot.com, "Search the CRM", default searchable properties).
    pub(crate) fn searched(&self) -> Vec<&str> {
        match self.name.as_str() {
            "contacts" => vec!["firstname", "lastname", "email", "phone", "hs_additional_emails", "company"],
            "companies" => vec!["name", "domain", "phone", "website"],
            "deals" => vec!["dealname", "description"],
            "tickets" => vec!["subject", "content"],
            "tasks" => vec!["hs_task_subject", "hs_task_body"],
            "calls" => vec!["hs_call_title", "hs_call_body"],
            "meetings" => vec!["hs_meeting_title", "hs_meeting_body"],
            "emails" => vec!["hs_email_subject"],
            _ => self.columns.iter().map(String::as_str).collect(),
        }
    }

    /// Whether its records are somebody's, as rows show.
    pub(crate) fn is_owned(&self) -> bool {
        self.columns.iter().any(|column| column == OWNER)
    }

    /// The property that says when a record changed last.
    pub(crate) fn modified(&self) -> &'static str {
        if self.name == "contacts" { "lastmodifieddate" } else { "hs_lastmodifieddate" }
    }

    /// The property that says when a record came to be.
    pub(crate) fn created(&self) -> &'static str {
        match self.name.as_str() {
            "contacts" | "companies" | "deals" | "tickets" | "products" | "line_items" => "createdate",
            _ => "hs_createdate",
        }
    }

    /// The names of the properties in its titles.
    pub(crate) fn title_properties(&self) -> Vec<String> {
        self.titles.iter().flat_map(|title| title.split(' ')).map(str::to_owned).collect()
    }

    /// The one word for so many.
    pub(crate) fn counted(&self, count: usize) -> String {
        format!("{count} {}", if count == 1 { &self.singular } else { &self.plural })
    }
}

impl Entry for ObjectType {
    const WHAT: &'static str = "object";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        let mut names: Vec<Cow<'_, str>> =
            vec![(&self.name).into(), (&self.singular).into(), (&self.plural).into()];
        if self.custom {
            // `p4815162_site` is also known as `p_site` and as `site`.
            if let Some((_, base)) = self.name.split_once('_') {
                names.push(base.to_owned().into());
                names.push(format!("p_{base}").into());
            }
        }
        names
    }

    fn describe(&self) -> String {
        if self.custom { format!("{} (custom object, {})", self.plural, self.id) } else { self.name.clone() }
    }
}

/// The type that `word` means, among the standard ones and the account's own.
///
/// # Errors
/// `not_found` with the nearest; `invalid_argument` where a custom object is called like a standard one.
pub(super) fn object(word: &str, schemas: &[Schema]) -> Result<ObjectType> {
    // What only this account has is what nobody can guess.
    let standard = STANDARD.iter().map(ObjectType::standard);
    let all: Vec<ObjectType> = schemas.iter().map(ObjectType::custom).chain(standard).collect();
    let wanted = fold(word);
    let called: Vec<&ObjectType> =
        all.iter().filter(|object| object.names().iter().any(|name| fold(name) == wanted)).collect();
    if let [_, _, ..] = called[..] {
        let listed: Vec<String> =
            called.iter().map(|object| format!("{} is `{}`", object.describe(), object.id)).collect();
        return Err(Error::invalid(format!("More than one object is called `{word}`"))
            .with_hint(format!("Give its id: {}", listed.join(", "))));
    }
    if called.is_empty() && ["conversation", "message", "thread"].iter().any(|word| wanted.starts_with(word))
    {
        return Err(Error::not_found(format!("There is no object `{}`", one_line(word))).with_hint(
            "Conversations with customers are read by read_conversations, of the toolset `conversations`",
        ));
    }
    if called.is_empty() && ["workflow", "automation"].iter().any(|word| wanted.starts_with(word)) {
        return Err(Error::not_found(format!("There is no object `{}`", one_line(word)))
            .with_hint("Workflows are read by list_workflows, of the toolset `automation`"));
    }
    find(word, &all).cloned().map_err(|miss| {
        let error = miss.into_error();
        // The names of an account's own objects nobody can guess.
        let hint = error.hint().unwrap_or_default();
        let own: Vec<String> = all.iter().filter(|object| object.custom).map(Entry::describe).collect();
        if own.is_empty() || hint.contains(&own[0]) {
            return error;
        }
        let hint = format!("{} Of this account's own there is: {}", hint.trim_end(), own.join(", "));
        error.with_hint(hint)
    })
}
