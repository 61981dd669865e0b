//! Rows of writes: which record each is of, what guards it, what becomes of those that fail.

use std::collections::BTreeMap;

use connector::{
    Kind,
    sandbox::{Action, Change, Rule},
};
use serde_json::{Value, json};

use crate::support::{CREATE, Office, UPDATE};

const DEFAULT: &str = "POST /crm/associations/{fromObjectType}/{toObjectType}/batch/associate/default";
const ASSOCIATED: &str = "POST /crm/associations/{fromObjectType}/{toObjectType}/batch/read";
const UPSERT: &str = "POST /crm/objects/{objectType}/batch/upsert";

fn update(object: &str, rows: Value) -> Value {
    json!({"object": object, "records": rows})
}

#[tokio::test(start_paused = true)]
async fn every_row_is_of_the_record_that_it_names() {
    let office = Office::open().await;
    // The first two are one person.
    let rows = json!([
        {"id": "Elena Petrova", "fields": {"city": "Hamburg"}},
        {"id": "elena.petrova@northwind.example", "fields": {"country": "Germany"}},
        {"id": "Nora Berg", "fields": {"city": "Bergen"}},
        {"id": "contact 105", "fields": {"city": "Porto"}},
    ]);
    office.call("update_records", update("contacts", rows)).await;
    for (id, city) in [("101", "Hamburg"), ("108", "Bergen"), ("105", "Porto")] {
        assert_eq!(office.record("contacts", id)["properties"]["city"], city, "{id}");
    }
    assert_eq!(office.record("contacts", "101")["properties"]["country"], "Germany");
}

#[tokio::test(start_paused = true)]
async fn a_write_is_guarded_by_the_time_that_was_read() {
    let office = Office::open().await;
    let read = json!({"object": "contacts", "ids": ["108"], "fields": ["city", "modified"]});
    let text = office.call("get_records", read.clone()).await;
    let row = crate::support::rows(&text)[0].to_owned();
    let seen = row.split(" | ").last().unwrap().to_owned();
    let set = |city: &str, expected: &str| {
        let mut write = update("contacts", json!([{"id": "108", "fields": {"city": city}}]));
        write["expected_last_modified"] = json!(expected);
        write
    };
    office.call("update_records", set("Oslo", &seen)).await;
    // Changed since: the same time is out of date.
    office.harness().clock().advance(std::time::Duration::from_millis(1_500));
    let error = office.refusal("update_records", set("Kiel", &seen)).await;
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert_eq!(office.record("contacts", "108")["properties"]["city"], "Oslo");
    // To the minute it is the whole of it.
    let text = office.call("get_records", read).await;
    let seen = crate::support::rows(&text)[0].split(" | ").last().unwrap()[..16].to_owned();
    office.call("update_records", set("Kiel", &seen)).await;
    let error = office.refusal("update_records", set("Bergen", "soon")).await;
    assert!(error.for_agent().contains("modified"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn pairs_that_are_linked_are_told_beside_those_that_are_not() {
    let office = Office::open().await;
    let two = json!({"from": ["contacts:108", "contacts:109"], "to": ["companies:206"]});
    office.call("associate_records", two).await;
    // Two of three come to be linked, which is not seen before.
    let unseen = Action::Patch { changes: vec![Change::set("/results", json!([]))] };
    office.harness().faults().add(Rule::new(ASSOCIATED, unseen).times(1));
    let body = json!({
        "status": "COMPLETE", "results": [{}, {}, {}, {}], "numErrors": 1,
        "errors": [{"status": "error", "category": "VALIDATION_ERROR", "message": "A limit was reached"}],
    });
    let partly =
        Action::Status { code: 207, headers: BTreeMap::new(), body: body.to_string(), committed: false };
    office.harness().faults().add(Rule::new(DEFAULT, partly).times(1));
    let link = json!({"from": ["contacts:108", "contacts:109", "contacts:110"], "to": ["companies:206"]});
    let text = office.call("associate_records", link).await;
    assert!(text.starts_with("Associated 2 of 3 pairs") && text.contains("A limit was reached"), "{text}");
    assert!(text.contains("failed: Marcus Bell (contact 110) → Everglade Freight (company 206)"), "{text}");
    assert!(office.read("hubspot://audit").await.contains("Associated 2 of 3"));
}

#[tokio::test(start_paused = true)]
async fn one_row_that_fails_keeps_its_kind_and_names_whose_the_address_is() {
    let office = Office::open().await;
    let old = "m.bell@old-northwind.example";
    let new = |rows: Value| json!({"object": "contacts", "records": rows});
    let error = office.refusal("create_records", new(json!([{"fields": {"email": old}}]))).await;
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert!(error.message().contains("Marcus Bell (contact 102)"), "{error}");
    let rows = json!([{"fields": {"email": old}}, {"fields": {"email": "ana@new.example"}}]);
    let text = office.call("create_records", new(rows)).await;
    assert!(text.contains("row 1 failed: It is there already: Marcus Bell (contact 102)"), "{text}");
    assert!(text.contains("Created 1 of 2 contacts"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_which_nothing_was_done_is_an_error_and_no_write() {
    let office = Office::open().await;
    let rows = json!([{"fields": {"email": "a@b.example", "erp_id": "C-101"}}, {"fields": {"email": "c@b.example", "erp_id": "C-102"}}]);
    let error = office.refusal("create_records", json!({"object": "contacts", "records": rows})).await;
    let text = error.for_agent();
    assert!(text.contains("Created none of 2 contacts") && text.contains("row 2: "), "{text}");
    assert!(office.read("hubspot://audit").await.contains("No writes"));
}

#[tokio::test(start_paused = true)]
async fn an_upsert_knows_secondary_addresses_and_a_rows_own_value() {
    let office = Office::open().await;
    let upsert = |by: &str, rows: Value| json!({"object": "contacts", "by": by, "records": rows});
    let old = "m.bell@old-northwind.example";
    let error = office
        .refusal("upsert_records", upsert("email", json!([{"id": old, "fields": {"city": "Kiel"}}])))
        .await;
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert!(
        error.for_agent().contains("Marcus Bell (contact 102)")
            && error.for_agent().contains("update_records"),
        "{error}"
    );
    let change = json!([{"id": "nora.berg@fjord.example", "fields": {"email": "nora@fjord.example"}}]);
    let error = office.refusal("upsert_records", upsert("email", change)).await;
    assert!(error.for_agent().contains("which is it?"), "{error}");
    assert_eq!(office.sent(UPSERT).len(), 0);
    // A number is one too, and a label is the field.
    office
        .call("update_records", update("contacts", json!([{"id": "108", "fields": {"erp_id": "1234"}}])))
        .await;
    office
        .call("upsert_records", upsert("erp_id", json!([{"fields": {"ERP number": 1234, "city": "Oslo"}}])))
        .await;
    assert_eq!(office.record("contacts", "108")["properties"]["city"], "Oslo");
}

#[tokio::test(start_paused = true)]
async fn an_upsert_shows_old_and_new_values_and_writes_what_differs() {
    let office = Office::open().await;
    let rows = json!([
        {"id": "nora.berg@fjord.example", "fields": {"city": "Bergen", "phone": "+47 55 550108"}},
        {"id": "elena.petrova@northwind.example", "fields": {"jobtitle": "Head of operations"}},
        {"id": "ana@new.example", "fields": {"city": "Bilbao"}},
    ]);
    let upsert = json!({"object": "contacts", "by": "email", "records": rows});
    let mut dry = upsert.clone();
    dry["dry_run"] = json!(true);
    let text = office.call("upsert_records", dry).await;
    assert!(text.contains("changes Nora Berg): city none → Bergen") && !text.contains("phone"), "{text}");
    assert!(
        text.contains("ana@new.example (new): city Bilbao") && text.contains("1 is like that already"),
        "{text}"
    );
    let text = office.call("upsert_records", upsert).await;
    assert!(text.contains("city none → Bergen"), "{text}");
    let inputs = office.last(UPSERT)["inputs"].clone();
    assert_eq!(inputs.as_array().unwrap().len(), 2);
    let back = json!({"object": "contacts", "by": "email", "records": [{"id": "elena.petrova@northwind.example", "fields": {"lifecyclestage": "Lead"}}]});
    let text = office.call("upsert_records", back.clone()).await;
    assert!(text.contains("lifecyclestage is still Customer"), "{text}");
    let same = json!({"object": "contacts", "by": "email", "records": [{"id": "ana@new.example", "fields": {"city": "Bilbao"}}]});
    assert!(office.call("upsert_records", same).await.starts_with("Nothing to change"));
}

/// Two inputs that are one record become one (segmentio/action-destinations#3969).
#[tokio::test(start_paused = true)]
async fn two_rows_of_an_upsert_about_one_record_become_one() {
    let office = Office::open().await;
    let rows = json!([{"id": "a@b.example", "fields": {"phone": "1"}}, {"id": "A@b.example ", "fields": {"city": "Oslo"}}]);
    office.call("upsert_records", json!({"object": "contacts", "by": "email", "records": rows})).await;
    let inputs = office.last(UPSERT)["inputs"].clone();
    assert_eq!(inputs.as_array().unwrap().len(), 1);
    assert_eq!(inputs[0]["properties"], json!({"city": "Oslo", "phone": "1"}));
}

#[tokio::test(start_paused = true)]
async fn one_value_in_two_forms_is_no_change() {
    let office = Office::open().await;
    for (object, id, fields) in [
        ("deals", "9002", json!({"amount": "12500.0"})),
        ("contacts", "101", json!({"email": "Elena.Petrova@northwind.example"})),
        ("contacts", "101", json!({"interests": ["Reports", "Imports"]})),
        ("contacts", "101", json!({"interests": ";Imports"})),
    ] {
        let text = office.call("update_records", update(object, json!([{"id": id, "fields": fields}]))).await;
        assert!(text.starts_with("Nothing to change"), "{fields}: {text}");
    }
    // A name in other letters is another.
    let text = office
        .call("update_records", update("contacts", json!([{"id": "101", "fields": {"firstname": "elena"}}])))
        .await;
    assert!(text.contains("Elena → elena"), "{text}");
    assert_eq!(office.sent(UPDATE).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn stages_and_pipelines_are_taken_as_numbers_and_a_label_of_two_is_asked_back() {
    let office = Office::open().await;
    let deal = |fields: Value| json!({"object": "deals", "records": [{"fields": fields}]});
    office
        .call("create_records", deal(json!({"dealname": "By number", "pipeline": 771, "dealstage": 771_001})))
        .await;
    let sent = office.last(CREATE)["inputs"][0]["properties"].clone();
    assert_eq!((&sent["pipeline"], &sent["dealstage"]), (&json!("771"), &json!("771001")));
    office.call("create_records", deal(json!({"dealname": "By stage", "dealstage": 771_002}))).await;
    assert_eq!(office.last(CREATE)["inputs"][0]["properties"]["pipeline"], "771");
    let moved = json!([{"id": "9002", "fields": {"pipeline": 771, "dealstage": 771_001}}]);
    office.call("update_records", update("deals", moved)).await;
    assert_eq!(office.record("deals", "9002")["properties"]["dealstage"], "771001");
    let asked = office.sent(CREATE).len();
    let error = office
        .refusal("create_records", deal(json!({"dealname": "Which", "dealstage": "Contract sent"})))
        .await;
    assert!(error.for_agent().contains("Contract sent in Renewals"), "{error}");
    assert_eq!(office.sent(CREATE).len(), asked);
}

#[tokio::test(start_paused = true)]
async fn a_new_record_is_linked_with_a_label() {
    let office = Office::open().await;
    for (email, link) in [
        ("a@fjord.example", json!(["companies:Fjord Fish as Billing contact"])),
        ("b@fjord.example", json!("companies:207 as billing contact")),
    ] {
        let rows = json!([{"fields": {"email": email}, "link": link}]);
        let text = office.call("create_records", json!({"object": "contacts", "records": rows})).await;
        assert!(text.contains("linked to Fjord Fish (company 207) as"), "{text}");
        let kinds = office.last(CREATE)["inputs"][0]["associations"][0]["types"].clone();
        assert_eq!(kinds[0]["associationTypeId"], 71, "{kinds}");
    }
    let rows = json!([{"fields": {"email": "c@fjord.example"}, "link": ["companies:207 as Owner of all"]}]);
    let error = office.refusal("create_records", json!({"object": "contacts", "records": rows})).await;
    assert!(error.for_agent().contains("Owner of all"), "{error}");
    let lead =
        json!({"object": "leads", "records": [{"fields": {"hs_lead_name": "Nobody"}}], "dry_run": true});
    assert!(office.refusal("create_records", lead).await.for_agent().contains("a contact"));
}

#[tokio::test(start_paused = true)]
async fn what_took_place_today_did_so_before_now_and_a_task_loses_its_owner() {
    let office = Office::open().await;
    let note =
        json!([{"fields": {"hs_note_body": "Met.", "hs_timestamp": "today"}, "link": ["companies:207"]}]);
    office.call("create_records", json!({"object": "notes", "records": note})).await;
    let at = office.last(CREATE)["inputs"][0]["properties"]["hs_timestamp"].as_str().unwrap().to_owned();
    let now = connector::clock::wall().as_secs() as i64;
    assert!(at.parse::<jiff::Timestamp>().unwrap().as_second() <= now, "{at}");
    let text = office.call("save_task", json!({"id": "1501", "clear": ["owner"]})).await;
    assert!(text.contains("owner Daniel Novák → none"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_user_is_not_taken_for_an_owner() {
    let office = Office::open().await;
    let rows = json!([{"id": "108", "fields": {"owner": 502}}]);
    let error = office.refusal("update_records", update("contacts", rows)).await;
    assert!(
        error.for_agent().contains("502 is the user Grace Mbeki, whose id as an owner is 7002"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_preview_of_a_merge_names_everything_that_is_lost() {
    let office = Office::open().await;
    let merge = json!({"object": "contacts", "keep": "102", "absorb": "110"});
    let (text, _) = office.question("merge_records", merge).await;
    assert!(text.contains("jobtitle: Integration engineer stays, Consultant is lost"), "{text}");
    assert!(
        text.contains(
            "email: marcus.bell@northwind.example stays, marcus.bell@example.net becomes a secondary"
        ),
        "{text}"
    );
    assert!(text.contains("lifecyclestage: the later one of Customer and Lead stays"), "{text}");
    // The later stage of life stays, whichever is kept.
    let office = Office::open().await;
    office.call("merge_records", json!({"object": "contacts", "keep": "110", "absorb": "102"})).await;
    assert_eq!(office.record("contacts", "110")["properties"]["lifecyclestage"], "customer");
}
