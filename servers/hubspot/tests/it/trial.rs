//! What misled somebody who had nothing but the list of tools: whose a record is, which names go round, what a
//! reply leaves out.

use serde_json::{Value, json};

use crate::support::{CREATE, Office, rows};

/// The owner of the last record that was created.
fn owner(office: &Office) -> Value {
    office.last(CREATE)["inputs"][0]["properties"]["hubspot_owner_id"].clone()
}

#[tokio::test(start_paused = true)]
async fn what_i_make_is_mine_unless_an_owner_is_given() {
    let office = Office::open().await;
    let note = json!({"kind": "note", "body": "Wants a call.", "about": ["companies:Northwind"]});
    let text = office.call("log_activity", note.clone()).await;
    assert!(text.contains("owner Daniel Novák"), "{text}");
    assert_eq!(owner(&office), "7001");
    let text = office.call("save_task", json!({"subject": "Call Elena", "due": "tomorrow"})).await;
    assert!(text.contains("owner Daniel Novák"), "{text}");
    assert_eq!(owner(&office), "7001");
    let deal = json!([{"fields": {"dealname": "Pilot", "stage": "Contract sent", "pipeline": "Sales"}}]);
    let text = office.call("create_records", json!({"object": "deals", "records": deal})).await;
    assert!(text.contains("owner Daniel Novák"), "{text}");
    assert_eq!(owner(&office), "7001");
    // Whoever is named has it; what nobody owns has no owner.
    let mut hers = note.clone();
    hers["owner"] = json!("Grace Mbeki");
    office.call("log_activity", hers).await;
    assert_eq!(owner(&office), "7002");
    let mut nobodys = note;
    nobodys["owner"] = json!("none");
    let text = office.call("log_activity", nobodys).await;
    assert!(text.contains("owner none") && owner(&office).is_null(), "{text}");
    let product = json!([{"fields": {"name": "Training", "price": 900}}]);
    office.call("create_records", json!({"object": "products", "records": product})).await;
    assert_eq!(owner(&office), Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_service_key_has_no_user_and_the_reply_says_so() {
    let office = Office::changed(|seed| seed["tokens"][0]["kind"] = json!("service_key")).await;
    let note = json!({"kind": "note", "body": "Wants a call.", "about": ["companies:Northwind"]});
    let text = office.call("log_activity", note).await;
    assert!(text.contains("owner none; name one in `owner`") && owner(&office).is_null(), "{text}");
    let new = json!([{"fields": {"email": "ana@new.example"}}]);
    let text = office.call("create_records", json!({"object": "contacts", "records": new})).await;
    assert!(text.contains("owner none; name one in `owner`") && owner(&office).is_null(), "{text}");
    let new = json!([{"fields": {"email": "bo@new.example", "owner": "Grace Mbeki"}}]);
    let text = office.call("create_records", json!({"object": "contacts", "records": new})).await;
    assert!(text.contains("owner Grace Mbeki") && !text.contains("owner none"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_move_tells_what_it_ignored_and_empties_what_it_is_told_to() {
    let office = Office::open().await;
    let reason = |office: &Office| office.record("deals", "9012")["properties"]["closed_lost_reason"].clone();
    assert_eq!(reason(&office), "No budget");
    let wrong = json!({"id": "9012", "stage": "Qualified to buy", "fields": {"closed_lost_reason": ""}});
    let text = office.call("move_stage", wrong).await;
    assert!(
        text.contains("stage Closed lost → Qualified to buy")
            && text.contains("note: closed_lost_reason: an empty value was ignored; `clear` empties a field"),
        "{text}"
    );
    assert_eq!(reason(&office), "No budget");
    let right = json!({"id": "9012", "stage": "Contract sent", "clear": ["closed_lost_reason"]});
    let text = office.call("move_stage", right).await;
    assert!(text.contains("closed_lost_reason No budget → none"), "{text}");
    assert_eq!(reason(&office), Value::Null);
}

#[tokio::test(start_paused = true)]
async fn an_ignored_value_is_not_called_the_one_that_is_there() {
    let office = Office::open().await;
    let update = |fields: Value| json!({"object": "deals", "records": [{"id": "9002", "fields": fields}]});
    let text = office.call("update_records", update(json!({"amount": ""}))).await;
    assert!(
        text.starts_with("Nothing to change: no value was given") && text.contains("amount: an empty"),
        "{text}"
    );
    let text = office.call("update_records", update(json!({"amount": 12500}))).await;
    assert!(text.starts_with("Nothing to change: it is so already"), "{text}");
    // A link is for new records, and never dropped without a word.
    let linked = json!({"object": "deals", "records": [{"id": "9002", "fields": {"amount": 1}, "link": ["contacts:101"]}]});
    let error = office.refusal("update_records", linked).await.for_agent();
    assert!(error.contains("associate_records"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn one_change_of_several_records_is_written_once() {
    let office = Office::open().await;
    let ids = ["103", "104", "110"];
    let records = json!([{"ids": ids, "fields": {"owner": "Maya Lindqvist"}}]);
    let text = office.call("update_records", json!({"object": "contacts", "records": records})).await;
    assert!(text.starts_with("Updated 3 contacts"), "{text}");
    for id in ids {
        assert_eq!(office.record("contacts", id)["properties"]["hubspot_owner_id"], "7003");
    }
}

#[tokio::test(start_paused = true)]
async fn a_column_that_was_asked_for_and_is_empty_everywhere_is_named() {
    let office = Office::open().await;
    let fields = json!(["subject", "owner", "closed_date"]);
    let text =
        office.call("get_records", json!({"object": "tickets", "ids": ["404"], "fields": fields})).await;
    assert!(
        text.contains("id | subject") && text.contains("empty in every row: owner, closed_date"),
        "{text}"
    );
    let text = office
        .call(
            "list_associations",
            json!({"object": "companies", "id": "201", "to": "tickets", "fields": fields}),
        )
        .await;
    assert!(
        text.contains("id | subject | owner") && text.contains("empty in every row: closed_date"),
        "{text}"
    );
    let text =
        office.call("search", json!({"object": "tickets", "fields": ["closed_date", "source_type"]})).await;
    assert!(text.contains("empty in every row: source_type"), "{text}");
    // What was not asked for is left out silently.
    let text = office.call("search", json!({"object": "tickets"})).await;
    assert!(!text.contains("empty in every row"), "{text}");
}

/// The heads of a reply's columns.
fn heads(text: &str) -> Vec<String> {
    let after = text.split("id | ").nth(1).unwrap_or_else(|| panic!("no heads: {text}"));
    let all = after.split([';', '\n']).next().unwrap();
    all.trim_end_matches([')', '.', ':']).split(" | ").map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn the_heads_of_a_reply_are_taken_as_fields() {
    let office = Office::open().await;
    for object in [
        "contacts",
        "companies",
        "deals",
        "tickets",
        "tasks",
        "notes",
        "calls",
        "meetings",
        "emails",
        "quotes",
        "line_items",
        "leads",
        "products",
    ] {
        let first = heads(&office.call("search", json!({"object": object})).await);
        let text = office.call("search", json!({"object": object, "fields": first})).await;
        assert_eq!(heads(&text), first, "{object}: {text}");
        for field in &first {
            office
                .call(
                    "search",
                    json!({"object": object, "sort": field, "where": [{"field": field, "op": "has"}]}),
                )
                .await;
        }
    }
    let heads = heads(&office.call("search", json!({"object": "tasks"})).await);
    assert_eq!(heads, ["task_subject", "due", "task_status", "task_priority", "owner"]);
}

#[tokio::test(start_paused = true)]
async fn the_words_of_the_tools_that_write_are_fields_too() {
    let office = Office::open().await;
    for (object, words, cells) in [
        ("tasks", vec!["subject", "due", "status", "priority", "type", "owner", "body"], "1501 | Ask Elena"),
        (
            "calls",
            vec!["title", "when", "duration", "outcome", "direction", "body"],
            "1201 | Timeouts at Northwind",
        ),
        ("meetings", vec!["title", "when", "outcome", "body"], "1301 | Contract walk-through"),
        ("emails", vec!["subject", "when", "direction", "body"], "1402 | Re: Contract"),
        ("quotes", vec!["title", "amount", "status", "expiration"], "681 | Northwind, 11 warehouses"),
    ] {
        let text = office.call("search", json!({"object": object, "fields": words})).await;
        assert!(rows(&text).iter().any(|row| row.starts_with(cells)), "{object}: {text}");
        assert!(!text.contains("There is no field"), "{object}: {text}");
    }
    let due = json!({"object": "tasks", "where": {"due": "tomorrow", "status": "not started"}});
    let text = office.call("search", due).await;
    assert_eq!(rows(&text).len(), 1, "{text}");
    assert!(rows(&text)[0].starts_with("1501 |"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_field_does_not_refuse_the_right_ones() {
    let office = Office::open().await;
    let fields = json!(["price", "discount", "quantity", "tax_zone"]);
    let text =
        office.call("get_records", json!({"object": "line_items", "ids": ["651"], "fields": fields})).await;
    assert!(rows(&text)[0].starts_with("651 | 7600 EUR | 11"), "{text}");
    assert!(text.contains("no field `discount`") && text.contains("no field `tax_zone`"), "{text}");
    let wrong = json!({"object": "line_items", "ids": ["651"], "fields": ["discount", "tax_zone"]});
    let error = office.refusal("get_records", wrong).await.for_agent();
    assert!(error.contains("`discount`") && error.contains("`tax_zone`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_task_is_due_at_an_hour_in_words() {
    let office = Office::open().await;
    for due in ["in three days at 10:00", "tomorrow 10:00"] {
        let text = office.call("save_task", json!({"subject": "Call Ines", "due": due})).await;
        let told = text.split("due ").nth(1).and_then(|rest| rest.split_whitespace().nth(1));
        assert_eq!(told, Some("10:00"), "{due}: {text}");
    }
    let error =
        office.refusal("save_task", json!({"subject": "Call Ines", "due": "soonish"})).await.for_agent();
    assert!(error.contains("tomorrow 09:00 (in Europe/"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_preview_of_an_archive_says_whose_they_are_and_what_is_open() {
    let office = Office::open().await;
    let (text, _) = office.question("archive_records", json!({"object": "companies", "ids": ["203"]})).await;
    assert!(text.contains("Brightline Retail (203), owner Grace Mbeki"), "{text}");
    assert!(text.contains("open deal: Brightline expansion (9003), 47,000 USD, Contract sent, "), "{text}");
    assert!(!text.contains("Brightline renewal"), "what is closed is no open deal: {text}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nobody_has_is_looked_for_elsewhere_and_no_vain_advice_given() {
    let office = Office::open().await;
    let text = office.call("search", json!({"object": "companies", "query": "Bluebird"})).await;
    assert!(text.contains("elsewhere: no contact, no deal"), "{text}");
    assert!(!text.contains("try one word"), "{text}");
    let text = office.call("search", json!({"object": "companies", "query": "Elena Petrova"})).await;
    assert!(text.contains("elsewhere: 1 contact") && text.contains("try one word"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_an_owner_in_a_condition() {
    let office = Office::open().await;
    let missing =
        json!({"object": "contacts", "where": [{"field": "owner", "op": "missing"}], "count_only": true});
    let wanted = office.call("search", missing).await;
    for owner in ["none", "unassigned"] {
        let text =
            office.call("search", json!({"object": "contacts", "owner": owner, "count_only": true})).await;
        assert_eq!(text, wanted);
    }
    let records = json!([{"id": "101", "fields": {"owner": "none"}}]);
    let error =
        office.refusal("update_records", json!({"object": "contacts", "records": records})).await.for_agent();
    assert!(error.contains("`clear`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_calls_length_is_told_and_taken_in_minutes() {
    let office = Office::open().await;
    let call = json!({"kind": "call", "body": "Talked.", "about": ["contacts:101"], "duration_minutes": 10});
    let text = office.call("log_activity", call).await;
    assert!(text.contains("call_duration 10 min"), "{text}");
    let update = |length: Value| json!({"object": "calls", "records": [{"id": "1201", "fields": {"duration": length}}]});
    let text = office.call("update_records", update(json!("12 min"))).await;
    assert!(text.contains("call_duration 14 min → 12 min"), "{text}");
    assert_eq!(office.record("calls", "1201")["properties"]["hs_call_duration"], "720000");
    let error = office.refusal("update_records", update(json!(10))).await.for_agent();
    assert!(error.contains("milliseconds") && error.contains("10 min"), "{error}");
    let longer = json!({"object": "calls", "where": [{"field": "duration", "op": ">=", "value": "10 min"}], "count_only": true});
    assert!(office.call("search", longer).await.starts_with("2 calls"));
}

#[tokio::test(start_paused = true)]
async fn who_has_none_is_told_beside_the_counts_by_owner() {
    let office = Office::open().await;
    let text = office.call("aggregate_records", json!({"object": "contacts", "group_by": ["owner"]})).await;
    assert!(text.contains("none for Maya Lindqvist, Jonas Weber, Jonas Lindgren, Help Desk"), "{text}");
    let one = json!({"object": "contacts", "group_by": ["owner"], "owner": "Grace Mbeki"});
    let text = office.call("aggregate_records", one).await;
    assert!(!text.contains("none for"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_ticket_by_itself_shows_its_text() {
    let office = Office::open().await;
    let text = office.call("get_records", json!({"object": "tickets", "ids": ["401"]})).await;
    assert!(text.contains("12,318 rows were written twice"), "{text}");
}
