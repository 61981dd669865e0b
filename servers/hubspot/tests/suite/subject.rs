//! HubSpot, as the shared tests see it. The records named here are those of the sandbox's seed.

mod marked;

use connector::sandbox::{Action, Change};
use hubspot_mcp::HubSpot;
use serde_json::{Value, json};

use crate::{IdForm, IdWalk, Marked, Overtaken, Sample, Subject};

/// The server that this is about.
pub type Server = HubSpot;

const SEARCH: &str = "POST /crm/objects/{objectType}/search";
const READ: &str = "POST /crm/objects/{objectType}/batch/read";

fn contacts(limit: u32) -> Sample {
    Sample::new("search", json!({"object": "contacts", "limit": limit}))
}

impl Subject for HubSpot {
    const LIST_BUDGET: usize = 4_300;
    const TWENTY_ROWS_BUDGET: usize = 900;
    const CREDENTIAL: &'static str = "access-token";
    const REFUSED_CREDENTIAL: &'static str = "pat-na1-revoked-9f3k2m1x7c5v";
    const READ_ONLY_CREDENTIAL: Option<(&'static str, &'static str)> =
        Some(("pat-na1-readonly", "crm.objects.contacts.write"));
    const PACE: (usize, Option<usize>) = (3, None);
    const LACKS: &'static [(&'static str, &'static str)] =
        &[("bounded", "what may be seen is redacted by property, not by record")];

    const NOT_MARKED: &'static [(&'static str, &'static str)] = marked::NOT_MARKED;

    fn reads() -> Vec<Sample> {
        let object = |tool, object| Sample::new(tool, json!({"object": object}));
        vec![
            Sample::new("whoami", json!({})),
            Sample::new("find_owners", json!({})),
            Sample::new("describe_object", json!({})),
            object("describe_object", "deals"),
            object("list_pipelines", "deals"),
            contacts(40),
            object("search", "tickets"),
            object("search", "companies"),
            Sample::new("search", json!({"object": "notes", "fields": ["hs_note_body"]})),
            Sample::new(
                "search",
                json!({
                    "object": "deals",
                    "where": [{"field": "open", "op": "=", "value": true}, {"field": "amount", "op": ">=", "value": "1000"}],
                    "sort": "-amount",
                }),
            ),
            Sample::new(
                "get_records",
                json!({"object": "contacts", "ids": ["101", "102"], "include": ["companies"], "history": ["lifecyclestage"]}),
            ),
            Sample::new("list_associations", json!({"object": "companies", "id": "201", "to": "contacts"})),
            Sample::new(
                "aggregate_records",
                json!({"object": "deals", "group_by": ["stage"], "of": "amount"}),
            ),
            object("find_duplicates", "contacts"),
            Sample::new("get_timeline", json!({"object": "companies", "id": "201"})),
            Sample::new("find_lists", json!({})),
            Sample::new("find_lists", json!({"list": "Import API beta"})),
            Sample::new("read_conversations", json!({})),
            Sample::new("read_conversations", json!({"id": "8801"})),
            Sample::new("list_workflows", json!({})),
            Sample::new("get_workflow", json!({"id": "1901"})),
        ]
    }

    fn writes() -> Vec<Sample> {
        let ana = json!([{"fields": {"email": "ana@new.example", "firstname": "Ana"}}]);
        vec![
            Sample::new("create_records", json!({"object": "contacts", "records": ana})),
            Sample::new(
                "update_records",
                json!({"object": "contacts", "records": [{"id": "108", "fields": {"phone": "+47 1", "hs_lead_status": "Open"}}]}),
            ),
            Sample::new(
                "upsert_records",
                json!({"object": "contacts", "by": "email", "records": [{"id": "ana@new.example", "fields": {"city": "Bilbao"}}]}),
            ),
            Sample::new("move_stage", json!({"id": "9002", "stage": "Contract sent"})),
            Sample::new(
                "log_activity",
                json!({"kind": "note", "body": "Wants a call next week.", "about": ["companies:Northwind"]}),
            ),
            Sample::new(
                "save_task",
                json!({"subject": "Call Elena", "due": "tomorrow", "about": ["contacts:101"]}),
            ),
            Sample::new(
                "associate_records",
                json!({"from": ["contacts:110"], "to": ["companies:201"], "label": "Billing contact"}),
            ),
            Sample::new("dissociate_records", json!({"from": ["contacts:101"], "to": ["deals:9001"]})),
            Sample::new("archive_records", json!({"object": "contacts", "ids": ["110"]})),
            Sample::new("merge_records", json!({"object": "companies", "keep": "204", "absorb": "209"})),
            Sample::new("update_list", json!({"list": "Import API beta", "add": ["103"], "remove": ["109"]})),
            Sample::new("gdpr_delete_contact", json!({"id": "110"})),
            Sample::new("reply_conversation", json!({"id": "8801", "body": "Grace calls him."})),
            Sample::new(
                "create_property",
                json!({"object": "contacts", "label": "Shoe size", "type": "number"}),
            ),
            Sample::new(
                "update_property",
                json!({"object": "contacts", "property": "hs_lead_status", "add_options": ["Dormant=DORMANT"]}),
            ),
        ]
    }

    fn listing() -> (Sample, &'static str) {
        (contacts(7), SEARCH)
    }

    fn twenty_rows() -> Sample {
        contacts(20)
    }

    fn repeatable_create() -> Option<(Sample, &'static str)> {
        let rows = json!([{"id": "ana@new.example", "fields": {"firstname": "Ana"}}]);
        let sample =
            Sample::new("upsert_records", json!({"object": "contacts", "by": "email", "records": rows}));
        Some((sample, "POST /crm/objects/{objectType}/batch/upsert"))
    }

    fn once_only_write() -> Option<(Sample, &'static str)> {
        let fields =
            json!({"dealname": "Pallets for Castor", "dealstage": "Qualified to buy", "pipeline": "Sales"});
        let sample =
            Sample::new("create_records", json!({"object": "deals", "records": [{"fields": fields}]}));
        Some((sample, "POST /crm/objects/{objectType}/batch/create"))
    }

    fn marked_writes(marker: &str) -> Vec<Marked> {
        marked::writes(marker)
    }

    fn overtaken() -> Vec<Overtaken> {
        let update = |object: &str, id: &str, fields: Value| {
            Sample::new(
                "update_records",
                json!({"object": object, "records": [{"id": id, "fields": fields}]}),
            )
        };
        let city = |id| update("contacts", id, json!({"city": "Meanwhile"}));
        vec![
            Overtaken::new(
                Sample::new("archive_records", json!({"object": "contacts", "ids": ["110"]})),
                city("110"),
            ),
            Overtaken::new(
                Sample::new("merge_records", json!({"object": "companies", "keep": "204", "absorb": "209"})),
                update("companies", "209", json!({"phone": "+49 1"})),
            ),
            Overtaken::new(
                Sample::new("dissociate_records", json!({"from": ["contacts:104"], "to": ["companies:203"]})),
                Sample::new(
                    "associate_records",
                    json!({"from": ["contacts:104"], "to": ["companies:203"], "label": "Champion"}),
                ),
            ),
            Overtaken::new(Sample::new("gdpr_delete_contact", json!({"id": "110"})), city("110")),
        ]
    }

    fn read_one() -> (Sample, &'static str) {
        (Sample::new("get_records", json!({"object": "companies", "ids": ["201"]})), READ)
    }

    fn cached_read() -> Option<(Sample, &'static str)> {
        Some((Sample::new("list_pipelines", json!({"object": "deals"})), "GET /crm/pipelines/{objectType}"))
    }

    fn drifts() -> Vec<(Sample, &'static str, Action)> {
        let set = |pointer: &str, value: Value| Change::set(pointer, value);
        let search = |change| (contacts(5), SEARCH, Action::Patch { changes: vec![change] });
        let get = |change| {
            let sample = Sample::new("get_records", json!({"object": "contacts", "ids": ["101"]}));
            (sample, READ, Action::Patch { changes: vec![change] })
        };
        vec![
            search(set("/results/*/properties/lifecyclestage", json!("a stage nobody knows"))),
            search(set("/results/0/properties/phone", Value::Null)),
            search(Change::remove("/results/0/properties/email")),
            search(set("/results/0/updatedAt", Value::Null)),
            search(set("/total", json!("36"))),
            get(set("/results/0/archived", json!("false"))),
            get(Change::remove("/results/0/createdAt")),
            get(set("/results/0/properties/hubspot_owner_id", json!("999"))),
        ]
    }

    fn one_of_several_gone() -> Option<(Sample, &'static str, &'static str)> {
        let sample = Sample::new("get_records", json!({"object": "contacts", "ids": ["101", "99999"]}));
        Some((sample, "Elena", "99999"))
    }

    fn foreign_addresses() -> Vec<Sample> {
        ["https://app.hubspot.com/contacts/7", "https://example.com/contacts/4815162"]
            .into_iter()
            .map(|place| format!("{place}/record/0-1/101"))
            .map(|record| Sample::new("get_timeline", json!({"object": "contacts", "id": record})))
            .collect()
    }

    fn outdated_write() -> Option<Sample> {
        let records = json!([{"id": "101", "fields": {"city": "Kiel"}}]);
        let past = "2020-01-01T00:00:00.000Z";
        Some(Sample::new(
            "update_records",
            json!({"object": "contacts", "records": records, "expected_last_modified": past}),
        ))
    }

    fn ids() -> Vec<IdWalk> {
        let contact = |needed, others| IdWalk {
            needed,
            given_by: contacts(5),
            form: IdForm::DigitsAfter("\n"),
            others,
        };
        let deal = |needed, others| IdWalk {
            needed,
            given_by: Sample::new("search", json!({"object": "deals", "limit": 3})),
            form: IdForm::DigitsAfter("\n"),
            others,
        };
        vec![
            contact(("get_records", "ids"), json!({"object": "contacts"})),
            contact(("list_associations", "id"), json!({"object": "contacts", "to": "companies"})),
            contact(("get_timeline", "id"), json!({"object": "contacts"})),
            contact(("archive_records", "ids"), json!({"object": "contacts"})),
            contact(("merge_records", "keep"), json!({"object": "contacts", "absorb": "110"})),
            contact(("merge_records", "absorb"), json!({"object": "contacts", "keep": "110"})),
            contact(("gdpr_delete_contact", "id"), json!({})),
            contact(("update_list", "add"), json!({"list": "61"})),
            deal(("move_stage", "id"), json!({"stage": "Closed won"})),
            IdWalk {
                needed: ("save_task", "id"),
                given_by: Sample::new("search", json!({"object": "tasks"})),
                form: IdForm::DigitsAfter("\n"),
                others: json!({"status": "completed", "priority": "low"}),
            },
            IdWalk {
                needed: ("reply_conversation", "id"),
                given_by: Sample::new("read_conversations", json!({})),
                form: IdForm::DigitsAfter("\n"),
                others: json!({"body": "Seen."}),
            },
            IdWalk {
                needed: ("get_workflow", "id"),
                given_by: Sample::new("list_workflows", json!({})),
                form: IdForm::DigitsAfter("\n"),
                others: json!({}),
            },
        ]
    }

    fn count_created(dump: &Value) -> usize {
        dump["objects"]["contacts"].as_array().map_or(0, Vec::len)
    }
}
