//! Writes of every kind that there is in HubSpot, each with a marker: what a storm is made of.

use serde_json::{Value, json};

use crate::{IdForm, MARK, Marked, Sample, THE_ID, texts_of};

/// What no storm can write, and why.
pub(super) const NOT_MARKED: &[(&str, &str)] = &[];

/// What things are before they are written to.
const BEFORE: &str = "Before the storm.";
const IS_CONTACT: IdForm = IdForm::DigitsAfter("(contact ");
const IS_TASK: IdForm = IdForm::DigitsAfter("Created the task ");
/// A company, and its place in the state.
const COMPANY: &str = "companies:201";
const PLACE: (&str, u64) = ("0-2", 201);

/// The writes.
pub(super) fn writes(marker: &str) -> Vec<Marked> {
    let mut all = creates(marker);
    all.extend(updates(marker));
    all.extend(activities(marker));
    all.extend(associations(marker));
    all.extend(removals(marker));
    all.extend(settings(marker));
    all
}

fn create(object: &str, fields: Value) -> Sample {
    Sample::new("create_records", json!({"object": object, "records": [{"fields": fields}]}))
}

fn email(marker: &str) -> String {
    format!("{marker}@many.example")
}

fn contact(marker: &str) -> Sample {
    create("contacts", json!({"email": email(marker), "firstname": "Ana", "city": BEFORE}))
}

/// A write to a contact of its own, by its id.
fn on_contact(marker: &str, argument: &'static str, write: Sample) -> Marked {
    Marked::to(contact(marker), IS_CONTACT, argument, write)
}

fn by_email(tool: &'static str, marker: &str, more: Value) -> Sample {
    let mut row = json!({"id": email(marker)});
    row.as_object_mut().into_iter().for_each(|row| row.extend(more.as_object().cloned().unwrap_or_default()));
    Sample::new(tool, json!({"object": "contacts", "by": "email", "records": [row]}))
}

fn deal(name: &str) -> Sample {
    create(
        "deals",
        json!({"dealname": name, "dealstage": "Qualified to buy", "pipeline": "Sales", "description": BEFORE}),
    )
}

/// What makes one new record.
fn creates(marker: &str) -> Vec<Marked> {
    let makes = |object: &str, fields: Value| Marked::makes(create(object, fields));
    let again =
        json!({"object": "companies", "records": [{"fields": {"name": marker}}], "allow_duplicate": true});
    let linked = json!({"object": "contacts", "records": [
        {"fields": {"email": email(marker)}, "link": ["companies:201"]}]});
    vec![
        Marked::makes(contact(marker)),
        makes("companies", json!({"name": marker})),
        Marked::makes(Sample::new("create_records", again)),
        Marked::makes(Sample::new("create_records", linked)),
        Marked::makes(deal(marker)),
        makes("Sites", json!({"site_name": marker})),
        Marked::makes(by_email("upsert_records", marker, json!({"fields": {"city": "Kiel"}}))),
    ]
}

/// What changes records.
fn updates(marker: &str) -> Vec<Marked> {
    let update = |more: Value| {
        let mut row = json!({"id": THE_ID});
        row.as_object_mut()
            .into_iter()
            .for_each(|row| row.extend(more.as_object().cloned().unwrap_or_default()));
        let write = Sample::new("update_records", json!({"object": "contacts", "records": [row]}));
        Marked::makes(write)
            .step(contact(marker), Some(IS_CONTACT))
            .in_texts(|state| properties(state, "contacts", "city"))
            .guarded("expected_last_modified", |state, id| {
                let row = state["objects"]["contacts"].as_array()?.iter().find(|row| row["id"] == id)?;
                row["updatedAt"].as_str().map(str::to_owned)
            })
    };
    let stage = |more: Value| {
        let mut to = json!({"id": THE_ID, "stage": "Contract sent"});
        to.as_object_mut()
            .into_iter()
            .for_each(|to| to.extend(more.as_object().cloned().unwrap_or_default()));
        Marked::makes(Sample::new("move_stage", to)).step(deal(marker), Some(IdForm::DigitsAfter("(deal ")))
    };
    let edits = json!([{"field": "city", "old": BEFORE, "new": marker}]);
    vec![
        update(json!({"fields": {"city": marker}})),
        update(json!({"edits": edits})),
        update(json!({"clear": ["city"]}))
            .in_texts(|state| with(state, "contacts", "city", "email"))
            .removes(),
        Marked::after(
            contact(marker),
            by_email("update_records", marker, json!({"fields": {"city": marker}})),
        )
        .in_texts(|state| properties(state, "contacts", "city")),
        Marked::after(
            contact(marker),
            by_email("upsert_records", marker, json!({"fields": {"city": marker}})),
        )
        .in_texts(|state| properties(state, "contacts", "city")),
        stage(json!({})).in_texts(sent),
        stage(json!({"fields": {"description": "Calm."}, "pipeline": "Sales"})).in_texts(sent),
        stage(json!({"clear": ["description"]}))
            .in_texts(|state| with(state, "deals", "description", "dealname"))
            .removes(),
    ]
}

/// What is logged, planned and said.
fn activities(marker: &str) -> Vec<Marked> {
    let log = |kind: &str, more: Value| {
        let mut what = json!({"kind": kind, "body": marker, "about": [COMPANY]});
        what.as_object_mut()
            .into_iter()
            .for_each(|what| what.extend(more.as_object().cloned().unwrap_or_default()));
        Marked::makes(Sample::new("log_activity", what))
    };
    let task =
        |body: &str| Sample::new("save_task", json!({"subject": "Storm", "due": "tomorrow", "body": body}));
    let save = |body: &str, more: Value| {
        Marked::to(task(body), IS_TASK, "id", Sample::new("save_task", more))
            .in_texts(|state| properties(state, "tasks", "hs_task_body"))
    };
    let mut all = vec![
        log("note", json!({})),
        log("call", json!({"title": "Call", "direction": "inbound", "duration_minutes": 5})),
        log("meeting", json!({"title": "Meeting", "duration_minutes": 30})),
        log("email", json!({"title": "Mail", "direction": "outbound"})),
        Marked::makes(Sample::new(
            "save_task",
            json!({"subject": marker, "due": "tomorrow", "about": [COMPANY]}),
        )),
        Marked::makes(Sample::new("reply_conversation", json!({"id": "8801", "body": marker}))),
        save(BEFORE, json!({"body": marker})),
        save(marker, json!({"clear": ["body"]})).removes(),
    ];
    for (status, priority, kind) in [
        ("not_started", "none", "todo"),
        ("in_progress", "low", "call"),
        ("waiting", "medium", "email"),
        ("completed", "high", "todo"),
        ("deferred", "high", "call"),
    ] {
        all.push(save(BEFORE, json!({"body": marker, "status": status, "priority": priority, "type": kind})));
    }
    all
}

/// What belongs together, and no longer.
fn associations(marker: &str) -> Vec<Marked> {
    let pair = |tool, more: Value| {
        let mut pair = json!({"from": [format!("contacts:{THE_ID}")], "to": [COMPANY]});
        pair.as_object_mut()
            .into_iter()
            .for_each(|pair| pair.extend(more.as_object().cloned().unwrap_or_default()));
        Sample::new(tool, pair)
    };
    let on =
        |write: Sample| Marked::makes(write).step(contact(marker), Some(IS_CONTACT)).in_texts(associated);
    let billing = || json!({"label": "Billing contact"});
    let join = |more: Value| pair("associate_records", more);
    let list = |change: Value| Sample::new("update_list", change).with("list", "61");
    let listed = |argument: &str| list(json!({argument: [THE_ID]}));
    vec![
        on(join(json!({}))),
        on(join(billing())),
        on(join(json!({"primary": true}))),
        on(pair("dissociate_records", json!({}))).step(join(json!({})), None).removes(),
        on(pair("dissociate_records", billing())).step(join(billing()), None).in_texts(billed).removes(),
        on(listed("add")).in_texts(members),
        on(listed("remove")).step(listed("add"), None).in_texts(members).removes(),
    ]
}

/// What takes records away.
fn removals(marker: &str) -> Vec<Marked> {
    let number = marker.get(MARK.len()..).unwrap_or_default();
    let kept = format!("kept{number}@many.example");
    let emails = |state: &Value| properties(state, "contacts", "email");
    let merge = Sample::new("merge_records", json!({"object": "contacts", "keep": kept, "absorb": THE_ID}));
    vec![
        on_contact(marker, "ids", Sample::new("archive_records", json!({"object": "contacts"})))
            .in_texts(emails)
            .removes(),
        on_contact(marker, "id", Sample::new("gdpr_delete_contact", json!({}))).in_texts(emails).removes(),
        Marked::makes(merge)
            .step(create("contacts", json!({"email": kept})), None)
            .step(contact(marker), Some(IS_CONTACT))
            .in_texts(emails)
            .removes(),
    ]
}

/// What changes fields.
fn settings(marker: &str) -> Vec<Marked> {
    let new = |label: &str, kind: &str, more: Value| {
        let mut property = json!({"object": "tickets", "label": label, "name": marker, "type": kind});
        property
            .as_object_mut()
            .into_iter()
            .for_each(|all| all.extend(more.as_object().cloned().unwrap_or_default()));
        Sample::new("create_property", property)
    };
    let none = || json!({});
    let choices = || json!({"options": ["Good=GOOD", "Bad=BAD"]});
    let kinds = ["text", "long_text", "number", "date", "datetime", "yes_no"];
    let mut all = kinds.map(|kind| Marked::makes(new(marker, kind, none()))).to_vec();
    let update = |label: &str, more: Value| {
        let write = Sample::new("update_property", more).with("object", "tickets").with("property", marker);
        Marked::after(new(label, "choice", choices()), write)
    };
    all.extend([
        Marked::makes(new(marker, "text", json!({"unique": true, "description": "Calm"}))),
        Marked::makes(new(marker, "choice", choices())),
        Marked::makes(new(marker, "choices", choices())),
        update("Storm", json!({"label": marker})).in_texts(|state| definitions(state, "label")),
        update("Storm", json!({"description": marker})).in_texts(|state| definitions(state, "description")),
        update("Storm", json!({"add_options": [format!("{marker}={marker}")]})).in_texts(options),
    ]);
    all
}

/// A property of the records that are not archived.
fn properties(state: &Value, object: &str, name: &str) -> Vec<String> {
    kept(state, object).filter_map(|row| row["properties"][name].as_str().map(str::to_owned)).collect()
}

/// A property of the records that have another.
fn with(state: &Value, object: &str, other: &str, name: &str) -> Vec<String> {
    let rows = kept(state, object)
        .filter(|row| row["properties"][other].as_str().is_some_and(|text| !text.is_empty()));
    rows.filter_map(|row| row["properties"][name].as_str().map(str::to_owned)).collect()
}

/// The records that are not archived.
fn kept<'s>(state: &'s Value, object: &str) -> impl Iterator<Item = &'s Value> {
    let rows = state["objects"][object].as_array().into_iter().flatten();
    rows.filter(|row| row["archivedAt"].is_null())
}

/// The names of the deals whose contract is sent.
fn sent(state: &Value) -> Vec<String> {
    let rows = kept(state, "deals").filter(|row| row["properties"]["dealstage"] == "contractsent");
    rows.filter_map(|row| row["properties"]["dealname"].as_str().map(str::to_owned)).collect()
}

/// The addresses of the contacts with these ids.
fn addresses(state: &Value, ids: &[String]) -> Vec<String> {
    let rows = kept(state, "contacts").filter(|row| ids.iter().any(|id| row["id"] == *id));
    rows.filter_map(|row| row["properties"]["email"].as_str().map(str::to_owned)).collect()
}

/// The addresses of the contacts that are associated with the company so.
fn associated_so(state: &Value, so: impl Fn(&Value) -> bool) -> Vec<String> {
    let all = state["associations"].as_array().into_iter().flatten();
    let ids = all.filter(|one| one[0][0] == "0-1" && one[1] == json!([PLACE.0, PLACE.1]) && so(&one[2]));
    addresses(state, &ids.map(|one| one[0][1].to_string()).collect::<Vec<_>>())
}

fn associated(state: &Value) -> Vec<String> {
    associated_so(state, |_| true)
}

/// The addresses of its billing contacts.
fn billed(state: &Value) -> Vec<String> {
    associated_so(state, |kinds| kinds.to_string().contains("71"))
}

/// The addresses of the members of the list.
fn members(state: &Value) -> Vec<String> {
    let lists = state["lists"].as_array().into_iter().flatten();
    let ids =
        lists.filter(|list| list["listId"] == "61").filter_map(|list| list["members"].as_array()).flatten();
    addresses(state, &ids.filter_map(|id| id.as_str().map(str::to_owned)).collect::<Vec<_>>())
}

/// The tables of properties.
fn tables(state: &Value) -> impl Iterator<Item = &Value> {
    state["properties"].as_object().into_iter().flatten().map(|(_, table)| table)
}

/// A text of the properties' definitions.
fn definitions(state: &Value, key: &str) -> Vec<String> {
    tables(state).flat_map(|table| texts_of(table, key)).collect()
}

/// What the properties can be.
fn options(state: &Value) -> Vec<String> {
    let properties = tables(state).filter_map(Value::as_array).flatten();
    properties.flat_map(|property| texts_of(&property["options"], "value")).collect()
}
