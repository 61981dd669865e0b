//! What is redacted stands in no answer: of no tool, resource, prompt or completion, in no error, as text or as data.

use std::collections::BTreeMap;

use connector::{
    settings::Value as Setting,
    testing::{Options, Sample, Sandboxed},
};
use hubspot_mcp::HubSpot;
use serde_json::{Value, json};

use crate::{Subject as _, support::Office};

/// What the hidden values are made of: texts, numbers, the day of times, and the length of a call in minutes.
const MARKS: [&str; 4] = ["zq7", "7712345", "2033-03-03", "12853"];

/// The properties of each object that people fill in, but for options.
fn properties(seed: &Value) -> Hidden {
    let text = |property: &Value, member: &str| property[member].as_str().unwrap().to_owned();
    let is_filled = |property: &&Value| {
        property["readOnly"] != true
            && ["string", "number", "date", "datetime"].contains(&property["type"].as_str().unwrap())
    };
    let own = |list: &Value| -> Vec<(String, String)> {
        let list = list.as_array().unwrap().iter().filter(is_filled);
        list.map(|property| (text(property, "name"), text(property, "type"))).collect()
    };
    seed["properties"].as_object().unwrap().iter().map(|(object, list)| (object.clone(), own(list))).collect()
}

/// Properties by object: name and type of each.
type Hidden = BTreeMap<String, Vec<(String, String)>>;

/// Gives every record a value of these properties that can be known again.
fn mark(seed: &mut Value, hidden: &Hidden) {
    for (object, (name, kind)) in each(hidden) {
        for record in seed["objects"][object].as_array_mut().into_iter().flatten() {
            let id = record["id"].as_str().unwrap().to_owned();
            let value = match (kind.as_str(), name.as_str()) {
                ("number", _) => format!("7712345{:0>4}", &id[id.len().saturating_sub(4)..]),
                ("date", _) => "2033-03-03".to_owned(),
                ("datetime", _) => "2033-03-03T10:33:00.000Z".to_owned(),
                (_, "email") => format!("zq7{id}@zq7.example"),
                (_, "domain" | "website") => format!("zq7{id}.example"),
                _ => format!("zq7{id} of zq7"),
            };
            record["properties"][name.as_str()] = json!(value);
        }
    }
    // A rule says what it compares with.
    for (name, _) in &hidden["contacts"] {
        let is = json!({"operationType": "STRING", "operator": "IS_EQUAL_TO", "value": "zq7"});
        let filter = json!({"filterType": "PROPERTY", "property": name, "operation": is});
        let rule = &mut seed["lists"][1]["filterBranch"]["filterBranches"][0]["filters"];
        rule.as_array_mut().unwrap().push(filter);
    }
}

fn each(hidden: &Hidden) -> impl Iterator<Item = (&String, &(String, String))> {
    hidden.iter().flat_map(|(object, list)| list.iter().map(move |property| (object, property)))
}

/// Calls that ask for a property in every way there is.
fn asking(object: &str, name: &str, id: &str) -> Vec<Sample> {
    let row = |members: Value| json!({"object": object, "records": [members], "dry_run": true});
    let edit = json!([{"field": name, "old": "of", "new": "off"}]);
    [
        ("search", json!({"object": object, "fields": [name]})),
        ("search", json!({"object": object, "sort": name})),
        ("search", json!({"object": object, "where": [{"field": name, "op": "has"}]})),
        ("get_records", json!({"object": object, "ids": [id], "fields": [name]})),
        ("get_records", json!({"object": object, "ids": [id], "history": [name]})),
        ("get_records", json!({"object": object, "ids": ["5"], "by": name})),
        ("list_associations", json!({"object": "companies", "id": "201", "to": object, "fields": [name]})),
        ("aggregate_records", json!({"object": object, "group_by": [name]})),
        ("aggregate_records", json!({"object": object, "of": name})),
        ("describe_object", json!({"object": object, "query": name})),
        ("update_records", row(json!({"id": id, "clear": [name]}))),
        ("update_records", row(json!({"id": id, "fields": {name: "3"}}))),
        ("update_records", row(json!({"id": id, "edits": edit}))),
    ]
    .map(|(tool, arguments)| Sample::new(tool, arguments))
    .into()
}

/// Calls that tell of a record whatever there is to tell.
fn telling(object: &str, id: &str) -> Vec<Sample> {
    let record = format!("{object}:{id}");
    let others =
        ["companies", "contacts", "deals", "notes", "tasks", "quotes", "line_items", "tickets", "sites"];
    [
        ("search", json!({"object": object})),
        ("search", json!({"object": object, "query": "o"})),
        ("get_records", json!({"object": object, "ids": [id], "include": others})),
        ("find_duplicates", json!({"object": object})),
        ("get_timeline", json!({"object": object, "id": id})),
        ("find_lists", json!({"record": record})),
        ("archive_records", json!({"object": object, "ids": [id], "dry_run": true})),
        ("associate_records", json!({"from": [record], "to": ["companies:203"], "dry_run": true})),
        ("dissociate_records", json!({"from": [record], "to": ["companies:201"], "dry_run": true})),
        ("log_activity", json!({"kind": "note", "body": "x", "about": [record], "dry_run": true})),
        ("save_task", json!({"subject": "x", "about": [record], "dry_run": true})),
        ("move_stage", json!({"object": object, "id": id, "stage": "closed", "dry_run": true})),
    ]
    .map(|(tool, arguments)| Sample::new(tool, arguments))
    .into()
}

/// What two records of one object are told as where one of them goes.
fn merging() -> Vec<Sample> {
    [
        ("contacts", "102", "110"),
        ("companies", "204", "209"),
        ("deals", "9001", "9007"),
        ("tickets", "401", "402"),
        ("2-987", "3001", "3002"),
    ]
    .map(|(object, keep, absorb)| {
        Sample::new(
            "merge_records",
            json!({"object": object, "keep": keep, "absorb": absorb, "dry_run": true}),
        )
    })
    .into()
}

/// The mark that a text tells. Amounts have commas between their thousands.
fn told(said: &str) -> Option<&'static str> {
    let bare = said.replace(',', "");
    MARKS.into_iter().find(|mark| bare.contains(mark))
}

fn is_clean(what: &str, said: &str) {
    assert_eq!(told(said), None, "{what}: {said}");
}

async fn look(office: &Sandboxed<HubSpot>, hidden: &str, sample: &Sample) {
    let what = format!("{hidden}: {} {:?}", sample.tool, sample.arguments);
    match office.try_call(sample).await {
        Ok(reply) => {
            is_clean(&what, &reply.text);
            is_clean(&what, &reply.structured.unwrap_or_default().to_string());
        }
        Err(error) => is_clean(&what, &error.for_agent()),
    }
}

/// What is no tool: resources, prompts, completions.
async fn look_around(office: &Office, hidden: &str) {
    let records = [
        ("contacts", "101"),
        ("companies", "201"),
        ("deals", "9001"),
        ("tickets", "401"),
        ("sites", "3001"),
        ("notes", "1101"),
    ];
    let of_records = records.iter().flat_map(|(object, id)| {
        let record = format!("hubspot://record/{object}/{id}");
        [format!("{record}/timeline"), record]
    });
    let fixed = [
        "account",
        "owners",
        "schema",
        "audit",
        "schema/contacts",
        "pipelines/deals",
        "list/61",
        "list/62",
        "list/64",
    ];
    for uri in of_records.chain(fixed.map(|path| format!("hubspot://{path}"))) {
        is_clean(&format!("{hidden}: {uri}"), &office.read(&uri).await);
    }
    for (name, arguments) in [
        ("daily_brief", &[("owner", "Daniel Novák")][..]),
        ("pipeline_review", &[]),
        ("deal_risk_review", &[("days_idle", "1")]),
        ("call_prep", &[("object", "companies"), ("record", "201")]),
        ("log_call", &[("object", "contacts"), ("record", "101")]),
        ("account_handover", &[("from_owner", "Daniel Novák"), ("to_owner", "Grace Mbeki")]),
        ("clean_duplicates", &[("object", "contacts")]),
        ("import_contacts", &[("csv", "E-mail\nana@new.example")]),
    ] {
        is_clean(&format!("{hidden}: {name}"), &office.prompt(name, arguments).await);
    }
    for object in ["contacts", "companies", "deals", "tickets", "sites"] {
        for argument in ["record", "id"] {
            let found = office.complete(argument, "", &[("object", object)]).await;
            is_clean(&format!("{hidden}: {argument} of {object}"), &found.join(" "));
        }
    }
}

/// What HubSpot makes of a property says the same: other addresses of a person, an amount in the account's currency.
#[tokio::test(start_paused = true)]
async fn what_follows_from_a_redacted_property_is_redacted_with_it() {
    let hide = vec!["email".to_owned(), "amount".to_owned()];
    let office = Office::over(hubspot_mcp::sandbox::seed(), &[("redact", Setting::List(hide))]).await;
    for (tool, arguments) in [
        ("get_records", json!({"object": "contacts", "ids": ["102"], "fields": ["hs_additional_emails"]})),
        ("search", json!({"object": "deals", "fields": ["amount_in_home_currency"]})),
    ] {
        let text = office.call(tool, arguments).await;
        assert!(text.contains("(redacted)"), "{text}");
        assert!(!text.contains("old-northwind") && !text.contains("84,000"), "{text}");
    }
    for (tool, arguments) in [
        ("aggregate_records", json!({"object": "deals", "of": "amount_in_home_currency"})),
        ("search", json!({"object": "deals", "sort": "-amount_in_home_currency"})),
        ("search", json!({"object": "contacts", "where": {"hs_additional_emails": "marcus@bell.example"}})),
    ] {
        let error = office.refusal(tool, arguments.clone()).await;
        assert_eq!(error.kind(), connector::Kind::Policy, "{tool} {arguments}: {error}");
    }
}

/// How many properties of an object are hidden at a time is a part of them: what the others say stays sayable.
const PARTS: usize = 4;

#[tokio::test(start_paused = true)]
async fn a_redacted_property_is_in_no_answer_whatever_is_asked() {
    let seed = hubspot_mcp::sandbox::seed();
    let all = properties(&seed);
    let (mut hid, mut looked) = (0, 0);
    for part in 0..PARTS {
        let of = |list: &Vec<(String, String)>| list.iter().skip(part).step_by(PARTS).cloned().collect();
        let hidden: Hidden = all.iter().map(|(object, list)| (object.clone(), of(list))).collect();
        let mut seed = seed.clone();
        mark(&mut seed, &hidden);
        let names: Vec<String> = each(&hidden).map(|(_, (name, _))| name.clone()).collect();
        let what = names.join(", ");
        let first = |object: &str| seed["objects"][object][0]["id"].as_str().unwrap_or("101").to_owned();
        // What is not hidden is told: the marks are found where they are.
        let open = Office::over(seed.clone(), &[]).await;
        let mut samples = Vec::new();
        for (object, (name, _)) in each(&hidden) {
            let asking = asking(object, name, &first(object));
            let text = Sandboxed::try_call(&open, &asking[0]).await.unwrap().text;
            assert!(told(&text).is_some(), "{name} of {object} is not told at all: {text}");
            samples.extend(asking);
            hid += 1;
        }
        samples.extend(hidden.keys().flat_map(|object| telling(object, &first(object))));
        samples.extend(merging());
        samples.extend(HubSpot::reads());
        samples.extend(["61", "62", "63", "64"].map(|id| Sample::new("find_lists", json!({"list": id}))));
        // The writes come last: they change what there is.
        samples.extend(HubSpot::writes());
        looked += samples.len();
        for structured in [false, true] {
            let redact = vec![("redact", Setting::List(names.clone()))];
            let options = Options { structured, more: redact, ..Options::everything() };
            let office = Office::with(seed.clone(), options).await;
            for sample in &samples {
                look(&office, &what, sample).await;
            }
            if !structured {
                look_around(&office, &what).await;
            }
        }
    }
    assert!(hid > 60 && looked > 1_500, "{hid} {looked}");
}
