//! What becomes of writes: seen at once, told row by row, never doubled, never called failed when they were done.

use std::{collections::BTreeMap, time::Duration};

use connector::{
    Error, Kind, clock,
    sandbox::{Action, Rule},
};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{CREATE, Office, READ, SEARCH, rows};

const MERGE: &str = "POST /crm/objects/{objectType}/merge";

#[tokio::test(start_paused = true)]
async fn a_search_inside_the_indexs_lag_shows_what_was_just_written() {
    let office = Office::open().await;
    office.steer(json!({"searchLagMs": 20_000})).await;
    let new = json!([{"fields": {"email": "ana@new.example", "firstname": "Ana", "lastname": "Ruiz", "lifecyclestage": "Customer"}}]);
    office.call("create_records", json!({"object": "contacts", "records": new})).await;
    let find = json!({"object": "contacts", "query": "ruiz"});
    let text = office.call("search", find.clone()).await;
    assert!(
        rows(&text)[0].starts_with('*') && text.contains("Ana | Ruiz") && text.contains("index lags"),
        "{text}"
    );
    let customers = json!({"object": "contacts", "where": {"lifecyclestage": "customer"}, "limit": 50});
    assert!(office.call("search", customers).await.contains("ana@new.example"));
    let others = json!({"object": "contacts", "where": {"lifecyclestage": "lead"}, "limit": 50});
    assert!(!office.call("search", others).await.contains("ana@new.example"));
    // What was changed so that it no longer fits is gone at once.
    let change = json!([{"id": "108", "fields": {"hs_lead_status": "Open"}}]);
    office.call("update_records", json!({"object": "contacts", "records": change})).await;
    let fresh = json!({"object": "contacts", "where": {"hs_lead_status": "New"}, "limit": 50});
    assert!(!office.call("search", fresh).await.contains("nora.berg"));
    // When the index has it, it is a row like others.
    office.harness().clock().advance(Duration::from_secs(30));
    let text = office.call("search", find).await;
    assert!(!text.contains("index lags") && rows(&text).len() == 1, "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_contact_that_exists_is_named_and_an_update_offered() {
    let office = Office::open().await;
    let rows = json!([{"fields": {"email": "Elena.Petrova@northwind.example"}}]);
    let error = office.refusal("create_records", json!({"object": "contacts", "records": rows})).await;
    assert_eq!(error.kind(), Kind::Conflict);
    let text = error.for_agent();
    assert!(text.contains("Elena Petrova (101)") && text.contains("upsert_records"), "{text}");
    assert_eq!(office.sent(CREATE).len(), 0);
    // HubSpot takes a company's domain twice; that is refused here, unless it is wanted.
    let rows = json!([{"fields": {"name": "Northwind GmbH", "domain": "WWW.northwind.example"}}]);
    let error =
        office.refusal("create_records", json!({"object": "companies", "records": rows.clone()})).await;
    assert!(
        error.for_agent().contains("Northwind (201)") && error.for_agent().contains("allow_duplicate"),
        "{error}"
    );
    office
        .call("create_records", json!({"object": "companies", "records": rows, "allow_duplicate": true}))
        .await;
    assert_eq!(office.count("companies"), 10);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_rows_of_which_three_are_bad_report_just_these() {
    let office = Office::open().await;
    let bad = [7, 40, 99];
    let rows: Vec<Value> = (0..100)
        .map(|n| {
            // An ERP number is unique, which only HubSpot can judge.
            let number = if bad.contains(&n) { "C-101".to_owned() } else { format!("X-{n}") };
            json!({"fields": {"email": format!("new{n}@many.example"), "firstname": format!("New {n}"), "erp_id": number}})
        })
        .collect();
    let before = office.count("contacts");
    let text = office.call("create_records", json!({"object": "contacts", "records": rows})).await;
    assert!(text.contains("Created 97 of 100 contacts"), "{text}");
    let failed: Vec<&str> = text.lines().filter(|line| line.contains("failed")).collect();
    assert_eq!(failed.len(), 3, "{failed:?}");
    for (line, row) in failed.iter().zip(bad) {
        assert!(line.contains(&format!("row {} failed", row + 1)) && line.contains("erp_id"), "{line}");
    }
    assert_eq!(office.count("contacts"), before + 97);
    // What can be known before is refused before: nothing is written.
    let rows = json!([{"fields": {"email": "a@b.example"}}, {"fields": {"email": "c@b.example", "lifecyclestage": "Prospect"}}]);
    let error = office.refusal("create_records", json!({"object": "contacts", "records": rows})).await;
    assert!(error.for_agent().contains("row 2") && error.for_agent().contains("Customer"), "{error}");
    assert_eq!(office.count("contacts"), before + 97);
}

#[tokio::test(start_paused = true)]
async fn a_stage_of_two_pipelines_is_asked_back_where_neither_is_known() {
    let office = Office::open().await;
    let error = office.refusal("search", json!({"object": "deals", "stage": "Contract sent"})).await;
    let text = error.for_agent();
    assert!(text.contains("Contract sent in Sales") && text.contains("Contract sent in Renewals"), "{text}");
    let text = office
        .call("search", json!({"object": "deals", "stage": "Contract sent", "pipeline": "Renewals"}))
        .await;
    assert!(text.contains("Contract sent in Renewals"), "{text}");
    // A deal is in one pipeline, whose stage is meant.
    office.call("move_stage", json!({"id": "9007", "stage": "Contract sent"})).await;
    assert_eq!(office.record("deals", "9007")["properties"]["dealstage"], "771002");
    let text = office
        .call(
            "move_stage",
            json!({"id": "9002", "stage": "closed lost", "fields": {"closed_lost_reason": "No budget"}}),
        )
        .await;
    assert!(text.contains("Qualified to buy → Closed lost") && text.contains("No budget"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_new_label_keeps_the_old_ones() {
    let office = Office::open().await;
    let text = office
        .call(
            "associate_records",
            json!({"from": ["contacts:104"], "to": ["companies:203"], "label": "Champion"}),
        )
        .await;
    assert!(text.contains("as Champion"), "{text}");
    let text =
        office.call("list_associations", json!({"object": "contacts", "id": "104", "to": "companies"})).await;
    assert!(
        text.contains("Champion") && text.contains("Billing contact") && text.contains("Primary"),
        "{text}"
    );
    let text = office
        .call(
            "associate_records",
            json!({"from": ["contacts:104"], "to": ["companies:203"], "label": "champion"}),
        )
        .await;
    assert!(text.starts_with("Nothing to do"), "{text}");
    office
        .call(
            "dissociate_records",
            json!({"from": ["contacts:104"], "to": ["companies:203"], "label": "Billing contact"}),
        )
        .await;
    let text =
        office.call("list_associations", json!({"object": "contacts", "id": "104", "to": "companies"})).await;
    assert!(text.contains("Champion") && !text.contains("Billing contact"), "{text}");
    let error = office
        .refusal(
            "associate_records",
            json!({"from": ["contacts:104"], "to": ["companies:203"], "label": "Champoin"}),
        )
        .await;
    assert!(error.for_agent().contains("Champion"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_day_that_is_used_up_stops_everything_until_it_ends() {
    let office = Office::open().await;
    // The account is in Stockholm. The limit of a day is reset at midnight in the account's time zone
    // (developers.hubspot.com, API usage guidelines).
    let zone = TimeZone::get("Europe/Stockholm").unwrap();
    let now = || Timestamp::from_second(clock::wall().as_secs() as i64).unwrap();
    let until = |at: Zoned| u64::try_from(at.timestamp().duration_since(now()).as_secs()).unwrap();
    let tomorrow = || now().to_zoned(zone.clone()).date().tomorrow().unwrap();
    let evening = tomorrow().at(21, 0, 0, 0).to_zoned(zone.clone()).unwrap();
    tokio::time::advance(Duration::from_secs(until(evening))).await;
    let left = || until(tomorrow().to_zoned(zone.clone()).unwrap());
    let company = |id: &str| json!({"object": "companies", "ids": [id]});
    let is_left =
        |error: &Error| error.retry_after().is_some_and(|wait| wait.as_secs().abs_diff(left()) <= 1);
    // What shows a time reads the account, and its zone.
    office.call("whoami", json!({})).await;
    office.steer(json!({"dailyRemaining": 0})).await;
    let begun = Instant::now();
    let error = office.refusal("get_records", company("202")).await;
    assert_eq!(error.kind(), Kind::RateLimited, "{error}");
    assert!(error.message().contains("today") && is_left(&error), "{} s: {}", left(), error.for_agent());
    assert_eq!(begun.elapsed().as_secs(), 0, "it waited for a new day");
    let entries = office.harness().journal().entries();
    assert_eq!(entries.iter().filter(|entry| entry.status == Some(429)).count(), 1, "it was asked again");
    // Others are told the same at once, and so are those who come two hours later.
    for hours in [0, 2] {
        tokio::time::advance(Duration::from_secs(hours * 3_600)).await;
        for (tool, arguments) in [("get_records", company("203")), ("search", json!({"object": "companies"}))]
        {
            let error = office.refusal(tool, arguments).await;
            assert_eq!(error.kind(), Kind::RateLimited, "{error}");
            assert!(error.message().contains("calls a day") && is_left(&error), "{}", error.for_agent());
        }
    }
    assert_eq!(office.harness().journal().entries().len(), entries.len(), "HubSpot was asked again");
    tokio::time::advance(Duration::from_secs(left() + 1)).await;
    assert!(office.call("get_records", company("203")).await.contains("203"));
}

#[tokio::test(start_paused = true)]
async fn the_ten_seconds_of_other_calls_are_no_searchs_concern() {
    let office = Office::open().await;
    office.call("search", json!({"object": "companies"})).await;
    let body = json!({"status": "error", "message": "You have reached your ten_secondly_rolling limit.", "policyName": "TEN_SECONDLY_ROLLING"});
    let refusal =
        Action::Status { code: 429, headers: BTreeMap::new(), body: body.to_string(), committed: false };
    office.harness().faults().add(Rule::new(READ, refusal).always());
    let error = office.refusal("get_records", json!({"object": "companies", "ids": ["201"]})).await;
    assert_eq!(error.kind(), Kind::RateLimited, "{error}");
    let begun = Instant::now();
    office.call("search", json!({"object": "companies"})).await;
    assert!(begun.elapsed().as_secs() < 2, "it waited {:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn limits_without_a_name_in_their_headers_are_known_by_their_body() {
    let office = Office::open().await;
    let body = |policy: &str, message: &str| {
        json!({"status": "error", "message": message, "errorType": "RATE_LIMIT", "policyName": policy})
            .to_string()
    };
    for (operation, policy, message, least, most) in [
        (READ, "TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.", 0, 11),
        (SEARCH, "", "You have reached your secondly limit.", 1, 3),
    ] {
        let refusal = Action::Status {
            code: 429,
            headers: BTreeMap::new(),
            body: body(policy, message),
            committed: false,
        };
        office.harness().faults().add(Rule::new(operation, refusal));
        let begun = Instant::now();
        let arguments = if operation == SEARCH {
            json!({"object": "companies"})
        } else {
            json!({"object": "companies", "ids": ["201"]})
        };
        office.call(if operation == SEARCH { "search" } else { "get_records" }, arguments).await;
        let waited = begun.elapsed().as_secs();
        assert!((least..=most).contains(&waited), "{policy}{message}: {waited} s");
    }
    let moved = Action::Status {
        code: 477,
        headers: BTreeMap::from([("retry-after".to_owned(), "7200".to_owned())]),
        body: String::new(),
        committed: false,
    };
    office.harness().faults().add(Rule::new(READ, moved));
    let error = office.refusal("get_records", json!({"object": "companies", "ids": ["202"]})).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7_200)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_create_that_times_out_is_unknown_unless_it_is_found() {
    // The answer is lost after the deal was made: it is looked for, and found.
    let office = Office::open().await;
    office.harness().faults().add(Rule::new(CREATE, Action::CloseAfter));
    let deal = json!({"object": "deals", "records": [{"fields": {"dealname": "Lost and found", "dealstage": "Qualified to buy", "amount": "5", "closedate": "2031-01-01"}}]});
    let text = office.call("create_records", deal.clone()).await;
    assert!(text.contains("Lost and found") && text.contains("answer was lost, but it is done"), "{text}");
    assert_eq!((office.sent(CREATE).len(), office.count("deals")), (1, 14));
    // The same with an index that lags: it is looked for more than once.
    let office = Office::open().await;
    office.steer(json!({"searchLagMs": 4_000})).await;
    office.harness().faults().add(Rule::new(CREATE, Action::CloseAfter));
    office.call("create_records", deal.clone()).await;
    assert_eq!((office.sent(CREATE).len(), office.count("deals")), (1, 14));
    // Never made: nobody knows, and it is not sent again.
    let office = Office::open().await;
    office.harness().faults().add(Rule::new(CREATE, Action::status(502)));
    let error = office.refusal("create_records", deal).await;
    assert_eq!(error.kind(), Kind::UnknownOutcome, "{error}");
    assert_eq!((office.sent(CREATE).len(), office.count("deals")), (1, 13));
}

#[tokio::test(start_paused = true)]
async fn a_merge_asks_first_and_tells_the_new_id() {
    let office = Office::open().await;
    let arguments = json!({"object": "companies", "keep": "Castor Machinery", "absorb": "209"});
    let error = office
        .refusal("merge_records", json!({"object": "companies", "keep": "Castor", "absorb": "209"}))
        .await;
    assert!(error.for_agent().contains("204") && error.for_agent().contains("209"), "{error}");
    let (preview, confirm) = office.question("merge_records", arguments.clone()).await;
    assert!(
        preview.contains("domain: castor.example stays, www.castor.example becomes a further domain"),
        "{preview}"
    );
    assert_eq!(office.sent(MERGE).len(), 0);
    let mut again = arguments.clone();
    again["confirm"] = json!(confirm);
    let text = office.call("merge_records", again).await;
    assert!(text.contains("new id 3000000000"), "{text}");
    let text = office.call("get_records", json!({"object": "companies", "ids": ["204"]})).await;
    assert!(text.contains("3000000000"), "the old id leads to the new record: {text}");
    // An answer that is lost: both are read again.
    let office = Office::open().await;
    office.harness().faults().add(Rule::new(MERGE, Action::CloseAfter));
    let text = office.call("merge_records", arguments).await;
    assert!(text.contains("answer was lost, but it is done") && office.sent(MERGE).len() == 1, "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_an_admin_is_named_with_its_field() {
    let rules = json!([{"object": "0-3", "property": "dealstage", "value": "closedlost", "requires": "closed_lost_reason"}]);
    let office = Office::changed(|seed| seed["account"]["rules"] = rules.clone()).await;
    let text = office.says("move_stage", json!({"id": "9002", "stage": "Closed lost"})).await;
    assert!(text.contains("closed_lost_reason is required when dealstage is closedlost"), "{text}");
    assert!(text.contains("admin requires"), "{text}");
    let reason = json!({"closed_lost_reason": "No budget"});
    office.call("move_stage", json!({"id": "9002", "stage": "Closed lost", "fields": reason})).await;
    // Before 2026-09 the rule is not enforced on the API.
    let mut seed = hubspot_mcp::sandbox::seed();
    seed["account"]["rules"] = rules;
    let older = [("api-version", connector::settings::Value::Text("2026-03".to_owned()))];
    let office = Office::over(seed, &older).await;
    office.call("move_stage", json!({"id": "9002", "stage": "Closed lost"})).await;
    assert!(office.harness().journal().entries().iter().any(|entry| entry.path.contains("/2026-03/")));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_move_is_not_called_changed() {
    let office = Office::open().await;
    let back = json!([{"id": "101", "fields": {"lifecyclestage": "Lead"}}]);
    let text = office.call("update_records", json!({"object": "contacts", "records": back})).await;
    assert!(text.contains("lifecyclestage is still Customer"), "{text}");
    let none = json!([{"id": "101", "fields": {"phone": ""}}]);
    let text = office.call("update_records", json!({"object": "contacts", "records": none})).await;
    assert!(text.starts_with("Nothing to change") && text.contains("`clear` empties"), "{text}");
    let clear = json!([{"id": "101", "clear": ["phone"]}]);
    let text = office.call("update_records", json!({"object": "contacts", "records": clear})).await;
    assert!(text.contains("phone +49 40 5550101 → none"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn more_than_five_records_are_asked_about() {
    let office = Office::open().await;
    let rows: Vec<Value> =
        (121..128).map(|id| json!({"id": id.to_string(), "fields": {"city": "Kiel"}})).collect();
    let (preview, _) =
        office.question("update_records", json!({"object": "contacts", "records": rows})).await;
    assert!(preview.contains("Ana Adler (121): city none → Kiel"), "{preview}");
    assert_eq!(office.sent(crate::support::UPDATE).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_redacted_is_neither_shown_nor_searched_by() {
    let settings =
        [("redact", connector::settings::Value::List(vec!["birth_*".to_owned(), "phone".to_owned()]))];
    let mut seed = hubspot_mcp::sandbox::seed();
    seed["objects"]["contacts"][0]["properties"]["birth_number"] = json!("19700101-1234");
    let office = Office::over(seed, &settings).await;
    let text = office
        .call(
            "get_records",
            json!({"object": "contacts", "ids": ["101"], "fields": ["email", "birth_number", "phone"]}),
        )
        .await;
    assert!(!text.contains("19700101") && !text.contains("5550101") && text.contains("(redacted)"), "{text}");
    // Words that fit only there find nobody, nor count anybody.
    let text = office.call("search", json!({"object": "contacts", "query": "5550101"})).await;
    assert!(text.starts_with("No records") && text.contains("not looked for in phone"), "{text}");
    let text = office.call("search", json!({"object": "contacts", "query": "Bell"})).await;
    assert!(rows(&text).len() == 2 && rows(&text)[0].starts_with("102 |"), "{text}");
    let text = office.call("search", json!({"object": "deals", "query": "5550101"})).await;
    assert!(!text.contains("contact"), "{text}");
    let count = json!({"object": "contacts", "query": "5550101", "count_only": true});
    assert_eq!(office.refusal("search", count).await.kind(), Kind::Policy);
    let error = office.refusal("get_timeline", json!({"object": "contacts", "id": "5550101x"})).await;
    assert!(!error.for_agent().contains("Elena"), "{error}");
    for arguments in [
        json!({"object": "contacts", "where": {"birth_number": "19700101-1234"}}),
        json!({"object": "contacts", "where": [{"field": "Phone number", "op": "has"}]}),
    ] {
        assert_eq!(office.refusal("search", arguments).await.kind(), Kind::Policy);
    }
    let text = office
        .call(
            "update_records",
            json!({"object": "contacts", "records": [{"id": "101", "fields": {"phone": "+49 1"}}]}),
        )
        .await;
    assert!(!text.contains("5550101"), "{text}");
}
