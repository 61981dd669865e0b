//! The types of records, and the kinds of associations that HubSpot itself defines.

use serde_json::Value;

use super::state::Kind;

pub(super) const CONTACTS: &str = "0-1";
pub(super) const COMPANIES: &str = "0-2";
pub(super) const DEALS: &str = "0-3";
pub(super) const TICKETS: &str = "0-5";
pub(super) const LEADS: &str = "0-136";
pub(super) const EMAILS: &str = "0-49";

/// One type of records.
#[derive(Clone, Debug)]
pub(super) struct ObjectType {
    pub(super) id: String,
    /// The plural by which paths name it; the id for a custom object.
    pub(super) name: String,
    /// Properties that a new record must have; `|` between those of which one is enough.
    pub(super) required: Vec<String>,
    /// What a record shows if nothing is asked for.
    pub(super) defaults: Vec<String>,
    /// Where a text search looks.
    pub(super) searched: Vec<String>,
    pub(super) scopes: (&'static str, &'static str),
    pub(super) custom: bool,
}

/// Id, plural, singular, required, shown by default, searched, scopes (developers.hubspot.com, CRM object APIs,
/// "Search the CRM"; scopes from the security blocks of the published OpenAPI).
type Line = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
    (&'static str, &'static str),
);

const CONTACT_SCOPES: (&str, &str) = ("crm.objects.contacts.read", "crm.objects.contacts.write");

const STANDARD: &[Line] = &[
    (
        CONTACTS,
        "contacts",
        "contact",
        &["email|firstname|lastname"],
        &["email", "firstname", "lastname"],
        &["firstname", "lastname", "email", "phone", "hs_additional_emails", "company"],
        CONTACT_SCOPES,
    ),
    (
        COMPANIES,
        "companies",
        "company",
        &["name|domain"],
        &["name", "domain"],
        &["name", "domain", "phone", "website"],
        ("crm.objects.companies.read", "crm.objects.companies.write"),
    ),
    (
        DEALS,
        "deals",
        "deal",
        &["dealname", "dealstage"],
        &["dealname", "amount", "closedate", "pipeline", "dealstage"],
        &["dealname", "pipeline", "dealstage", "description"],
        ("crm.objects.deals.read", "crm.objects.deals.write"),
    ),
    (
        TICKETS,
        "tickets",
        "ticket",
        &["subject", "hs_pipeline_stage"],
        &[
            "subject",
            "content",
            "hs_pipeline",
            "hs_pipeline_stage",
            "hs_ticket_category",
            "hs_ticket_priority",
        ],
        &["subject", "content", "hs_pipeline_stage"],
        ("tickets", "tickets"),
    ),
    (
        "0-7",
        "products",
        "product",
        &["name"],
        &["name", "price"],
        &["name", "price", "description"],
        ("crm.objects.products.read", "crm.objects.products.write"),
    ),
    (
        "0-8",
        "line_items",
        "line_item",
        &[],
        &["quantity", "amount", "price"],
        &["name"],
        ("crm.objects.line_items.read", "crm.objects.line_items.write"),
    ),
    (
        "0-14",
        "quotes",
        "quote",
        &["hs_title"],
        &["hs_title"],
        &["hs_title"],
        ("crm.objects.quotes.read", "crm.objects.quotes.write"),
    ),
    (
        "0-27",
        "tasks",
        "task",
        &["hs_timestamp"],
        &["hs_timestamp"],
        &["hs_task_subject", "hs_task_body"],
        CONTACT_SCOPES,
    ),
    ("0-46", "notes", "note", &["hs_timestamp"], &["hs_timestamp"], &["hs_note_body"], CONTACT_SCOPES),
    (
        "0-47",
        "meetings",
        "meeting",
        &["hs_timestamp"],
        &["hs_timestamp"],
        &["hs_meeting_title", "hs_meeting_body"],
        CONTACT_SCOPES,
    ),
    (
        "0-48",
        "calls",
        "call",
        &["hs_timestamp"],
        &["hs_timestamp"],
        &["hs_call_title", "hs_call_body"],
        CONTACT_SCOPES,
    ),
    (
        "0-49",
        "emails",
        "email",
        &["hs_timestamp"],
        &["hs_timestamp"],
        &["hs_email_subject", "hs_email_text"],
        CONTACT_SCOPES,
    ),
    (
        LEADS,
        "leads",
        "lead",
        &["hs_lead_name"],
        &["hs_lead_name"],
        &["hs_lead_name"],
        ("crm.objects.leads.read", "crm.objects.leads.write"),
    ),
];

/// The standard type that `word` names.
pub(super) fn standard(word: &str) -> Option<ObjectType> {
    let word = word.to_lowercase();
    let line = STANDARD.iter().find(|line| [line.0, line.1, line.2].contains(&word.as_str()))?;
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Some(ObjectType {
        id: line.0.to_owned(),
        name: line.1.to_owned(),
        required: own(line.3),
        defaults: own(line.4),
        searched: own(line.5),
        scopes: line.6,
        custom: false,
    })
}

impl ObjectType {
    /// The type of a custom object's schema.
    pub(super) fn custom(schema: &Value) -> Self {
        let id = schema["objectTypeId"].as_str().unwrap_or_default().to_owned();
        let names = |member: &str| {
            let list = schema[member].as_array().into_iter().flatten();
            list.filter_map(|name| name.as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        let primary = schema["primaryDisplayProperty"].as_str().map(str::to_owned);
        Self {
            name: id.clone(),
            id,
            required: names("requiredProperties"),
            defaults: primary.into_iter().collect(),
            searched: names("searchableProperties"),
            scopes: ("crm.objects.custom.read", "crm.objects.custom.write"),
            custom: true,
        }
    }

    /// The type of an id that is known to exist; what a custom object's schema says is left out.
    pub(super) fn by_id(id: &str) -> Self {
        standard(id).unwrap_or_else(|| Self::custom(&serde_json::json!({"objectTypeId": id})))
    }

    pub(super) fn created_property(&self) -> &'static str {
        let old = [CONTACTS, COMPANIES, DEALS, TICKETS, "0-7", "0-8"].contains(&self.id.as_str());
        if old { "createdate" } else { "hs_createdate" }
    }

    pub(super) fn modified_property(&self) -> &'static str {
        if self.id == CONTACTS { "lastmodifieddate" } else { "hs_lastmodifieddate" }
    }

    /// Pipeline and stage, where its records have them.
    pub(super) fn stage_properties(&self) -> Option<(&'static str, &'static str)> {
        match self.id.as_str() {
            DEALS => Some(("pipeline", "dealstage")),
            TICKETS | LEADS => Some(("hs_pipeline", "hs_pipeline_stage")),
            // An account's own objects may have pipelines.
            _ if self.custom => Some(("hs_pipeline", "hs_pipeline_stage")),
            _ => None,
        }
    }

    /// Its name in messages.
    pub(super) fn shouted(&self) -> String {
        let word = STANDARD.iter().find(|line| line.0 == self.id).map_or(self.name.as_str(), |line| line.2);
        word.to_uppercase()
    }
}

/// From, to, and the ids in both directions of HubSpot's own kinds: first without a label, then primary
/// (developers.hubspot.com, "Associations v4", association type ids).
const KINDS: &[(&str, &str, u32, u32)] = &[
    ("0-1", "0-2", 279, 280),
    ("0-3", "0-2", 341, 342),
    ("0-3", "0-1", 3, 4),
    ("0-5", "0-1", 16, 15),
    ("0-5", "0-2", 339, 340),
    ("0-3", "0-5", 27, 28),
    ("0-2", "0-2", 13, 14),
    ("0-3", "0-8", 19, 20),
    ("0-3", "0-14", 63, 64),
    ("0-136", "0-1", 578, 579),
    ("0-136", "0-2", 580, 581),
    ("0-136", "0-3", 582, 583),
    ("0-46", "0-1", 202, 201),
    ("0-46", "0-2", 190, 189),
    ("0-46", "0-3", 214, 213),
    ("0-46", "0-5", 228, 227),
    ("0-27", "0-1", 204, 203),
    ("0-27", "0-2", 192, 191),
    ("0-27", "0-3", 216, 215),
    ("0-27", "0-5", 230, 229),
    ("0-48", "0-1", 194, 193),
    ("0-48", "0-2", 182, 181),
    ("0-48", "0-3", 206, 205),
    ("0-48", "0-5", 220, 219),
    ("0-49", "0-1", 198, 197),
    ("0-49", "0-2", 186, 185),
    ("0-49", "0-3", 210, 209),
    ("0-49", "0-5", 224, 223),
    ("0-47", "0-1", 200, 199),
    ("0-47", "0-2", 188, 187),
    ("0-47", "0-3", 212, 211),
    ("0-47", "0-5", 226, 225),
    ("0-1", "0-1", 449, 450),
];
const PRIMARY: &[(&str, &str, u32, u32)] =
    &[("0-1", "0-2", 1, 2), ("0-3", "0-2", 5, 6), ("0-5", "0-2", 26, 25)];

fn directed(table: &[(&str, &str, u32, u32)], from: &str, to: &str) -> Option<u32> {
    table.iter().find_map(|(a, b, there, back)| match () {
        () if *a == from && *b == to => Some(*there),
        () if *a == to && *b == from => Some(*back),
        () => None,
    })
}

/// The kind of an association without a label. Pairs of a custom object have one in `labels` without a text.
pub(super) fn default_kind(from: &str, to: &str, labels: &[Value]) -> Option<Kind> {
    if let Some(id) = directed(KINDS, from, to) {
        return Some(("HUBSPOT_DEFINED".to_owned(), id));
    }
    let unlabelled = labels.iter().find_map(|label| {
        let id = |member: &str| label[member].as_u64().and_then(|id| u32::try_from(id).ok());
        match () {
            () if !label["label"].is_null() => None,
            () if label["from"] == from && label["to"] == to => id("typeId"),
            () if label["from"] == to && label["to"] == from => id("inverse"),
            () => None,
        }
    })?;
    Some(("USER_DEFINED".to_owned(), unlabelled))
}

/// The kind of a primary association.
pub(super) fn primary_kind(from: &str, to: &str) -> Option<Kind> {
    directed(PRIMARY, from, to).map(|id| ("HUBSPOT_DEFINED".to_owned(), id))
}

/// The same kind seen from the other side.
pub(super) fn inverse(kind: &Kind, labels: &[Value]) -> Kind {
    let (category, id) = kind;
    let swap = |there: u32, back: u32| if there == *id { Some(back) } else { (back == *id).then_some(there) };
    let other = if category == "HUBSPOT_DEFINED" {
        KINDS.iter().chain(PRIMARY).find_map(|(.., there, back)| swap(*there, *back))
    } else {
        labels.iter().find_map(|label| {
            let id = |member: &str| label[member].as_u64().and_then(|id| u32::try_from(id).ok());
            swap(id("typeId")?, id("inverse").or_else(|| id("typeId"))?)
        })
    };
    (category.clone(), other.unwrap_or(*id))
}

/// What an association of `kind` from one type to another is called; none if it has no label.
pub(super) fn label_of(kind: &Kind, labels: &[Value]) -> Option<String> {
    if kind.0 == "HUBSPOT_DEFINED" {
        return PRIMARY.iter().any(|(.., a, b)| *a == kind.1 || *b == kind.1).then(|| "Primary".to_owned());
    }
    labels.iter().find_map(|label| match () {
        () if label["typeId"] == kind.1 => label["label"].as_str().map(str::to_owned),
        () if label["inverse"] == kind.1 => {
            label["inverseLabel"].as_str().or_else(|| label["label"].as_str()).map(str::to_owned)
        }
        () => None,
    })
}

/// Every kind from one type to another: category, id, label.
pub(super) fn kinds_between(from: &str, to: &str, labels: &[Value]) -> Vec<(Kind, Option<String>)> {
    let own = [default_kind(from, to, labels), primary_kind(from, to)].into_iter().flatten();
    let mut kinds: Vec<Kind> = own.collect();
    for label in labels.iter().filter(|label| !label["label"].is_null()) {
        let id = |member: &str| label[member].as_u64().and_then(|id| u32::try_from(id).ok());
        let found = match () {
            () if label["from"] == from && label["to"] == to => id("typeId"),
            () if label["from"] == to && label["to"] == from => id("inverse"),
            () => None,
        };
        kinds.extend(found.map(|id| ("USER_DEFINED".to_owned(), id)));
    }
    kinds.into_iter().map(|kind| (kind.clone(), label_of(&kind, labels))).collect()
}
