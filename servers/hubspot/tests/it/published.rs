//! The fake's answers fit what HubSpot publishes of its API (the OpenAPI documents of
//! HubSpot/HubSpot-public-api-spec-collection, version 2026-09), over every sample of the suite.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use connector::sandbox::Entry;
use hubspot_mcp::HubSpot;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::{
    Sample, Subject as _,
    support::{Office, client},
};

/// HubSpot's documents, where they are at hand: in the folder that `VENDOR_SPECS` names, or beside the project.
#[allow(clippy::print_stdout, reason = "whoever runs the test learns that it was skipped")]
fn documents() -> Option<Vec<Value>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs");
    let folder = std::env::var_os("VENDOR_SPECS").map_or_else(beside, PathBuf::from).join("hubspot-2026-09");
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("skipped: HubSpot's OpenAPI documents are not at hand");
        return None;
    };
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let read = |path: &PathBuf| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    Some(paths.iter().map(read).collect())
}

/// Where the documents are wrong: what stands at the end of a place, and what they say of it. HubSpot's guides show an
/// association without a label as null, an owner who left has no user, and a subcategory is a text.
const SLIPS: [(&str, &str); 3] = [
    ("/label", "null is not of type"),
    ("/userId", "null is not of type"),
    ("/subCategory", "is not of type \"object\""),
];

/// What is published, asked by operation.
struct Published {
    documents: Vec<Value>,
    validators: BTreeMap<(usize, String), Validator>,
}

impl Published {
    /// What is wrong with an answer; none where its operation is not published.
    fn flaws(&mut self, method: &str, path: &str, status: u16, answer: &Value) -> Option<Vec<String>> {
        let (at, responses) = self.documents.iter().enumerate().find_map(|(at, document)| {
            let mut paths = document["paths"].as_object()?.iter();
            let (_, found) = paths.find(|(template, operations)| {
                is_path(template, path) && operations.get(method.to_lowercase()).is_some()
            })?;
            Some((at, found[method.to_lowercase()]["responses"].clone()))
        })?;
        // A partly failed batch is answered with 207, which the documents do not know.
        let wanted = match status {
            207 => ["201", "200"].into_iter().find(|code| responses.get(code).is_some()),
            400.. => Some("default"),
            _ => None,
        };
        let status = status.to_string();
        let wanted = wanted.unwrap_or(&status);
        let Some(response) = responses.get(wanted) else {
            // Their documents say 200 where the associations' removals are answered with 204, as the official
            // client reads it.
            let nothing = wanted == "204" && path.contains("/associations/");
            return Some(if nothing { Vec::new() } else { vec![format!("{wanted} is not documented")] });
        };
        let response = match response["$ref"].as_str() {
            Some(place) => self.documents[at].pointer(place.trim_start_matches('#')).unwrap().clone(),
            None => response.clone(),
        };
        let content = &response["content"];
        let schema = if content["application/json"].is_null() {
            &content["*/*"]
        } else {
            &content["application/json"]
        };
        let schema = &schema["schema"];
        if schema.is_null() {
            return Some(if answer.is_null() { Vec::new() } else { vec!["it should be empty".to_owned()] });
        }
        let key = (at, schema.to_string());
        let validator = self.validators.entry(key).or_insert_with(|| {
            let mut whole = json!({"allOf": [schema], "components": self.documents[at]["components"]});
            plain(&mut whole);
            jsonschema::options().should_validate_formats(true).build(&whole).unwrap()
        });
        let told =
            validator.iter_errors(answer).map(|error| (error.to_string(), error.instance_path().to_string()));
        let slip = |what: &str, at: &str| {
            SLIPS.iter().any(|(place, says)| at.ends_with(place) && what.contains(says))
        };
        let flaws = told.filter(|(what, at)| !slip(what, at));
        Some(flaws.map(|(what, at)| format!("{what} at {at}")).collect())
    }
}

impl Published {
    /// Whether an operation of the fake, `GET /crm/owners`, is published, whatever its placeholders are called.
    fn knows(&self, operation: &str) -> bool {
        let bare = |path: &str| -> Vec<String> {
            let parts = path.split('/').filter(|part| *part != "2026-09");
            parts.map(|part| if part.starts_with('{') { "{}" } else { part }.to_owned()).collect()
        };
        let Some((method, path)) = operation.split_once(' ') else { return false };
        self.documents.iter().flat_map(|document| document["paths"].as_object().unwrap()).any(
            |(template, operations)| {
                operations.get(method.to_lowercase()).is_some() && bare(template) == bare(path)
            },
        )
    }
}

/// What no tool asks and the official client does; and what there is not.
fn others() -> Vec<(&'static str, &'static str, Value)> {
    let label = json!([{"associationCategory": "USER_DEFINED", "associationTypeId": 71}]);
    let pair = json!({"inputs": [{"from": {"id": "110"}, "to": {"id": "201"}}]});
    let labelled = json!({"inputs": [{"from": {"id": "104"}, "to": {"id": "203"}, "types": label}]});
    let gone = json!({"inputs": [{"from": {"id": "101"}, "to": [{"id": "201"}]}]});
    vec![
        ("GET", "objects/2026-09/contacts?limit=2&associations=companies&properties=email", Value::Null),
        ("GET", "objects/2026-09/contacts?limit=2&propertiesWithHistory=email", Value::Null),
        ("POST", "objects/2026-09/contacts", json!({"properties": {"email": "ana@new.example"}})),
        ("POST", "objects/2026-09/contacts", json!({"properties": {"shoe": "44"}})),
        ("GET", "objects/2026-09/contacts/101?associations=companies,deals", Value::Null),
        ("GET", "objects/2026-09/contacts/99999", Value::Null),
        ("PATCH", "objects/2026-09/contacts/101", json!({"properties": {"city": "Kiel"}})),
        ("DELETE", "objects/2026-09/contacts/110", Value::Null),
        ("PUT", "objects/2026-09/contacts/110/associations/default/companies/201", Value::Null),
        ("PUT", "objects/2026-09/contacts/110/associations/companies/201", label.clone()),
        ("DELETE", "objects/2026-09/contacts/101/associations/companies/201", Value::Null),
        ("POST", "associations/2026-09/contacts/companies/batch/associate/default", pair),
        ("POST", "associations/2026-09/contacts/companies/batch/archive", gone),
        ("POST", "associations/2026-09/contacts/companies/batch/labels/archive", labelled),
        ("GET", "properties/2026-09/contacts/groups", Value::Null),
        (
            "POST",
            "properties/2026-09/contacts/batch/read",
            json!({"archived": false, "inputs": [{"name": "email"}]}),
        ),
        ("GET", "properties/2026-09/contacts/email", Value::Null),
        ("GET", "pipelines/2026-09/deals/default", Value::Null),
        ("GET", "pipelines/2026-09/deals/default/stages", Value::Null),
        ("GET", "owners/2026-09/7001", Value::Null),
        ("GET", "owners/2026-09/9", Value::Null),
    ]
}

/// Whether a template, `/crm/{objectType}/search`, is that of a path.
fn is_path(template: &str, path: &str) -> bool {
    let (mut a, mut b) = (template.split('/'), path.split('/'));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(part), Some(own)) if part == own || part.starts_with('{') => {}
            _ => return false,
        }
    }
}

/// A schema of OpenAPI 3.0 as one of JSON Schema: what may be null is said otherwise there.
fn plain(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::Object(members) => {
            members.values_mut().for_each(plain);
            members.shift_remove("example");
            if members.get("format").is_some_and(|format| format != "date-time") {
                members.shift_remove("format");
            }
            if members.get("nullable") == Some(&json!(true)) {
                let own = members.shift_remove("type");
                members.shift_remove("nullable");
                if let Some(own) = own {
                    members.insert("type".to_owned(), json!([own, "null"]));
                }
            }
        }
        _ => {}
    }
}

/// Sends again what was sent to another office, to one that is as that was, and looks at each answer.
async fn replayed(
    published: &mut Published,
    sent: &[Entry],
    seen: &mut BTreeSet<String>,
    flaws: &mut BTreeSet<String>,
) {
    let office = Office::open().await;
    for entry in sent {
        // The limits are not what is looked at.
        office.harness().clock().advance(Duration::from_secs(10));
        let url = format!("{}{}", office.running().url().as_str().trim_end_matches('/'), entry.path);
        let url = if entry.query.is_empty() { url } else { format!("{url}?{}", entry.query) };
        let request = client().request(entry.method.parse().unwrap(), url).bearer_auth("pat-na1-sandbox");
        let request = request.header("content-type", "application/json").body(entry.body.clone());
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        assert_eq!(Some(status), entry.status, "{} {} is answered otherwise", entry.method, entry.path);
        let answer = answer.json().await.unwrap_or_default();
        if let Some(found) = published.flaws(&entry.method, &entry.path, status, &answer) {
            seen.insert(format!("{} {status}", entry.operation));
            flaws.extend(found.into_iter().map(|flaw| format!("{} {status}: {flaw}", entry.operation)));
        }
    }
}

/// Asks an office that is as at its beginning, and looks at the answer.
async fn asked(
    published: &mut Published,
    method: &str,
    path: &str,
    body: &Value,
    seen: &mut BTreeSet<String>,
    flaws: &mut BTreeSet<String>,
) {
    let office = Office::open().await;
    let url = format!("{}{path}", office.running().url().as_str().trim_end_matches('/'));
    let request = client().request(method.parse().unwrap(), url).bearer_auth("pat-na1-sandbox");
    let answer = if body.is_null() { request.send().await } else { request.json(body).send().await }.unwrap();
    let status = answer.status().as_u16();
    let answer = answer.json().await.unwrap_or_default();
    let operation = office.harness().journal().entries().pop().unwrap().operation;
    let bare = path.split('?').next().unwrap();
    let found = published.flaws(method, bare, status, &answer);
    let found = found.unwrap_or_else(|| panic!("{method} {path} is not published"));
    seen.insert(format!("{operation} {status}"));
    flaws.extend(found.into_iter().map(|flaw| format!("{operation} {status}: {flaw}")));
}

#[tokio::test(start_paused = true)]
async fn the_fakes_answers_fit_the_published_descriptions_over_every_sample() {
    let Some(documents) = documents() else { return };
    let mut published = Published { documents, validators: BTreeMap::new() };
    let refused =
        |tool, object: &str, fields: Value| Sample::new(tool, json!({"object": object, "records": [fields]}));
    // Refusals, and batches of which a part fails.
    let more = [
        Sample::new("get_records", json!({"object": "contacts", "by": "erp_id", "ids": ["C-101", "C-9"]})),
        refused("create_records", "contacts", json!({"fields": {"email": "a@b.example", "erp_id": "C-101"}})),
        refused("update_records", "contacts", json!({"id": "108", "fields": {"erp_id": "C-101"}})),
        Sample::new("find_lists", json!({"list": "999"})),
        Sample::new("find_lists", json!({"record": "contacts:101"})),
    ];
    let (mut seen, mut flaws) = (BTreeSet::new(), BTreeSet::new());
    let marked = HubSpot::marked_writes("marked").into_iter().map(|marked| marked.write);
    let samples = HubSpot::reads().into_iter().chain(HubSpot::writes()).chain(marked);
    for sample in samples.chain(more) {
        let office = Office::open().await;
        let _ = office.try_call(sample.tool, Value::Object(sample.arguments)).await;
        let sent = office.harness().journal().entries();
        replayed(&mut published, &sent, &mut seen, &mut flaws).await;
    }
    for (method, path, body) in others() {
        asked(&mut published, method, &format!("/crm/{path}"), &body, &mut seen, &mut flaws).await;
    }
    let schema = "/crm-object-schemas/2026-09/schemas/2-987";
    asked(&mut published, "GET", schema, &Value::Null, &mut seen, &mut flaws).await;
    assert!(flaws.is_empty(), "{} flaws:\n{}", flaws.len(), flaws.into_iter().collect::<Vec<_>>().join("\n"));
    // Every route of the fake that is published, each at least once where it is answered well, and failures.
    let routes = Office::open().await.fake().routes();
    let is_seen = |route: &str| seen.iter().any(|one| one.starts_with(&format!("{route} 2")));
    let unseen: Vec<&String> = routes
        .iter()
        .map(|(route, _)| route)
        .filter(|route| published.knows(route) && !is_seen(route))
        .collect();
    assert!(unseen.is_empty(), "nothing asked for these: {unseen:#?}");
    let known = routes.iter().filter(|(route, _)| published.knows(route)).count();
    assert!(known >= 40, "only {known} of {} routes are published", routes.len());
    for wanted in ["batch/read 207", "batch/create 207", "merge 200", "gdpr-delete 204", "add-and-remove 200"]
    {
        assert!(seen.iter().any(|one| one.ends_with(wanted)), "nothing asked for {wanted}: {seen:#?}");
    }
}
