//! Situations that people ran into with HubSpot and its tools, each with its right answer. The sources are
//! issues of other projects, named at each.

use connector::{
    Kind,
    sandbox::{Action, Change, Rule},
};
use serde_json::{Value, json};

use crate::support::{CREATE, Office, READ, SEARCH, UPDATE, add, rows};

/// A value beside HAS_PROPERTY or NOT_HAS_PROPERTY, even an empty one, is refused (appsmithorg/appsmith#39865).
#[tokio::test(start_paused = true)]
async fn b1_what_is_missing_is_asked_for_without_a_value() {
    let office = Office::open().await;
    let exact = json!([{"propertyName": "lifecyclestage", "operator": "NOT_HAS_PROPERTY"}]);
    for condition in [
        json!({"field": "lifecyclestage", "op": "missing"}),
        json!({"field": "lifecyclestage", "op": "missing", "value": ""}),
        json!({"field": "Lifecycle stage", "op": "missing", "value": "stray"}),
    ] {
        let text = office.call("search", json!({"object": "companies", "where": [condition]})).await;
        assert_eq!(office.last(SEARCH)["filterGroups"][0]["filters"], exact, "{condition}");
        assert_eq!(text.contains("was ignored"), condition["value"] == "stray", "{text}");
    }
    office
        .call(
            "search",
            json!({"object": "companies", "where": [{"field": "city", "op": "has", "value": ""}]}),
        )
        .await;
    let exact = json!([{"propertyName": "city", "operator": "HAS_PROPERTY"}]);
    assert_eq!(office.last(SEARCH)["filterGroups"][0]["filters"], exact);
    let asked = office.sent(SEARCH).len();
    for condition in [
        json!({"field": "numberofemployees", "op": "between", "value": ["100"]}),
        json!({"field": "name", "op": "="}),
        json!({"field": "name", "op": "in", "value": []}),
    ] {
        let error = office.refusal("search", json!({"object": "companies", "where": [condition]})).await;
        assert_eq!(error.kind(), Kind::InvalidArgument, "{error}");
    }
    assert_eq!(office.sent(SEARCH).len(), asked, "HubSpot was asked all the same");
    office
        .call(
            "search",
            json!({"object": "companies", "where": [{"field": "country", "op": "in", "value": "Germany"}]}),
        )
        .await;
    let filter = office.last(SEARCH)["filterGroups"][0]["filters"][0].clone();
    assert_eq!(filter, json!({"propertyName": "country", "operator": "IN", "values": ["germany"]}));
    let between = json!([{"field": "numberofemployees", "op": "between", "value": ["50", "900"]}]);
    office.call("search", json!({"object": "companies", "where": between})).await;
    let filter = office.last(SEARCH)["filterGroups"][0]["filters"][0].clone();
    assert_eq!((&filter["value"], &filter["highValue"]), (&json!("50"), &json!("900")));
}

/// A partly failed batch read shows both halves (HubSpot/hubspot-api-php#619).
#[tokio::test(start_paused = true)]
async fn b2_a_batch_of_which_a_part_fails_shows_both_halves() {
    let office = Office::open().await;
    let text = office
        .call("get_records", json!({"object": "contacts", "by": "erp_id", "ids": ["C-102", "C-9", "C-101"]}))
        .await;
    let shown = rows(&text);
    assert!(shown[0].starts_with("102 |") && shown[1].starts_with("101 |") && shown.len() == 2, "{text}");
    assert!(text.contains("Not found: C-9"), "{text}");
    assert_eq!(office.sent(READ)[0].status, Some(207));
    // So do writes: an ERP number is unique, which only HubSpot can judge.
    let rows =
        json!([{"id": "108", "fields": {"erp_id": "C-101"}}, {"id": "109", "fields": {"city": "Faro"}}]);
    let text = office.call("update_records", json!({"object": "contacts", "records": rows})).await;
    assert!(text.contains("Updated 1 of 2 contacts") && text.contains("row 1 failed: "), "{text}");
    assert_eq!(office.record("contacts", "109")["properties"]["city"], "Faro");
    let rows = json!([
        {"id": "C-900", "fields": {"email": "elena.petrova@northwind.example"}},
        {"id": "C-901", "fields": {"email": "new@northwind.example"}},
    ]);
    let upsert = json!({"object": "contacts", "by": "erp_id", "records": rows});
    let text = office.call("upsert_records", upsert).await;
    assert!(text.contains("Saved 1 of 2 contacts") && text.contains("row 1 failed: "), "{text}");
}

/// Two inputs that are one record make HubSpot refuse the whole batch (segmentio/action-destinations#3969).
#[tokio::test(start_paused = true)]
async fn b3_two_rows_about_one_record_become_one_or_are_a_conflict() {
    let office = Office::open().await;
    let rows = json!([
        {"id": "nora.berg@fjord.example", "fields": {"phone": "1"}},
        {"id": "NORA.BERG@fjord.example ", "fields": {"city": "Bilbao"}},
    ]);
    office.call("update_records", json!({"object": "contacts", "by": "email", "records": rows})).await;
    let inputs = office.last(UPDATE)["inputs"].clone();
    assert_eq!(inputs.as_array().unwrap().len(), 1);
    assert_eq!(inputs[0]["properties"], json!({"city": "Bilbao", "phone": "1"}));
    let before = office.dump();
    let rows = json!([{"id": "108", "fields": {"city": "Oslo"}}, {"id": "nora.berg@fjord.example", "fields": {"city": "Bergen"}}]);
    for (tool, rows) in [
        (
            "update_records",
            json!([{"id": "108", "fields": {"city": "Oslo"}}, {"id": "108", "fields": {"city": "Bergen"}}]),
        ),
        ("update_records", rows),
        (
            "upsert_records",
            json!([{"id": "a@b.example", "fields": {"city": "Oslo"}}, {"id": "A@b.example", "fields": {"city": "Bergen"}}]),
        ),
    ] {
        let arguments = if tool == "upsert_records" {
            json!({"object": "contacts", "by": "email", "records": rows})
        } else {
            json!({"object": "contacts", "records": rows})
        };
        let error = office.refusal(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Conflict, "{error}");
        assert!(error.message().contains("Rows 1 and 2"), "{error}");
    }
    assert_eq!(office.dump(), before);
    let text = office.call("get_records", json!({"object": "contacts", "ids": ["108", "108"]})).await;
    assert_eq!(crate::support::rows(&text).len(), 1, "{text}");
}

/// Open and closed are flags, not names or dates (xorbitsai/xagent#2399).
#[tokio::test(start_paused = true)]
async fn b4_open_is_what_the_stages_flag_says() {
    let office = Office::open().await;
    let arguments = json!({"object": "deals", "associated_with": "companies:201", "where": [{"field": "open", "op": "=", "value": true}]});
    let text = office.call("search", arguments).await;
    let ids: Vec<&str> = rows(&text).iter().map(|row| row.split(" |").next().unwrap()).collect();
    // 9007 has a close date in the past and is open; 9008 has one to come and is closed, in a stage with an opaque id.
    assert_eq!(ids, ["9001", "9007"], "{text}");
    assert!(text.contains("Up for renewal") && text.contains("open (by the stage's flag)"), "{text}");
    let text = office.call("search", json!({"object": "deals", "where": {"open": false}})).await;
    assert!(
        rows(&text).iter().all(|row| ["losed", "(won)", "(lost)"].iter().any(|word| row.contains(word))),
        "{text}"
    );
    let text = office.call("search", json!({"object": "tickets", "where": {"open": true}})).await;
    assert!(!text.contains("How are pallets counted?") && rows(&text).len() == 3, "{text}");
    // Never by the name of somebody who is called like the company.
    let acme = Office::changed(|seed| {
        add(seed, "companies", "210", json!({"name": "Acme", "domain": "acme.example"}));
        let deals = seed["objects"]["deals"].as_array_mut().unwrap();
        for (id, to) in [
            ("9005", json!({"companies": ["210"]})),
            ("9006", json!({"companies": ["210"]})),
            ("9002", json!({"contacts": ["109"]})),
        ] {
            deals.iter_mut().find(|deal| deal["id"] == id).unwrap()["to"] = to;
        }
    })
    .await;
    let open = json!({"object": "deals", "associated_with": "companies:Acme", "where": [{"field": "open", "op": "=", "value": true}]});
    let text = acme.call("search", open).await;
    assert!(rows(&text).len() == 1 && rows(&text)[0].starts_with("9005 |"), "{text}");
    // An association that names nothing at its other end is left out, and is no failure.
    let change = Change::remove("/results/0/to/0/toObjectId");
    let associations = "POST /crm/associations/{fromObjectType}/{toObjectType}/batch/read";
    let nothing = Rule::new(associations, Action::Patch { changes: vec![change] });
    office.harness().faults().add(nothing.times(1));
    let deals = json!({"object": "companies", "id": "201", "to": "deals"});
    let text = office.call("list_associations", deals).await;
    assert_eq!(rows(&text).len(), 2, "{text}");
}

/// A person has several addresses (HubSpot/hubspot-api-nodejs#24, rudderlabs/rudder-transformer#3258).
#[tokio::test(start_paused = true)]
async fn b6_a_secondary_address_is_found_and_a_conflict_names_whose_it_is() {
    let office = Office::open().await;
    let old = "m.bell@old-northwind.example";
    let text = office.call("get_records", json!({"object": "contacts", "by": "email", "ids": [old]})).await;
    assert!(text.contains("102 |") && text.contains("secondary address"), "{text}");
    let text = office.call("search", json!({"object": "contacts", "where": {"email": old}})).await;
    assert!(rows(&text)[0].starts_with("102 |"), "{text}");
    assert_eq!(office.last(SEARCH)["filterGroups"].as_array().unwrap().len(), 2);
    let before = office.dump();
    let text = office
        .says("create_records", json!({"object": "contacts", "records": [{"fields": {"email": old}}]}))
        .await;
    assert!(text.contains("102") && text.contains("upsert_records"), "{text}");
    assert_eq!(office.dump(), before);
}

/// Owners who left keep their name (HubSpot/hubspot-api-python#314, airbytehq/airbyte#55818).
#[tokio::test(start_paused = true)]
async fn b7_owners_who_left_are_named_and_get_nothing_new() {
    let office = Office::open().await;
    let text = office.call("get_records", json!({"object": "deals", "ids": ["9005"]})).await;
    assert!(text.contains("peter@harbor.example (deactivated)"), "{text}");
    let text = office.call("find_owners", json!({"query": "peter"})).await;
    assert!(text.contains("7010 | peter@harbor.example (deactivated)"), "{text}");
    let text = office.call("aggregate_records", json!({"object": "deals", "group_by": ["owner"]})).await;
    assert!(text.contains("peter@harbor.example (deactivated) | count 1"), "{text}");
    let error = office.refusal("update_records", json!({"object": "deals", "records": [{"id": "9002", "fields": {"owner": "peter@harbor.example"}}]})).await;
    assert!(error.for_agent().contains("deactivated"), "{error}");
    let error = office.refusal("search", json!({"object": "deals", "owner": "Jonas"})).await;
    assert!(
        error.for_agent().contains("Jonas Weber") && error.for_agent().contains("Jonas Lindgren"),
        "{error}"
    );
}

/// Options that live elsewhere (botpress/botpress#15354); HubSpot's refusal of an option is told as what it is
/// (gregorspan/csc-frodx#21).
#[tokio::test(start_paused = true)]
async fn b8_stages_and_owners_are_resolved_although_they_have_no_options() {
    let office = Office::changed(|seed| {
        let more = json!({"name": "region", "label": "Region", "type": "enumeration", "fieldType": "select", "options": [], "externalOptions": true, "allowed": ["East", "South", "North"]});
        seed["properties"]["leads"].as_array_mut().unwrap().push(more);
    })
    .await;
    let rows = json!([{"id": "5001", "fields": {"hs_pipeline_stage": "Connected", "hubspot_owner_id": "Daniel Novák"}}]);
    office.call("update_records", json!({"object": "leads", "records": rows})).await;
    let properties = office.record("leads", "5001")["properties"].clone();
    assert_eq!(
        (&properties["hs_pipeline_stage"], &properties["hubspot_owner_id"]),
        (&json!("connected-stage-id"), &json!("7001"))
    );
    // With neither options nor a directory the value is passed on, and HubSpot judges it.
    let text = office
        .says(
            "update_records",
            json!({"object": "leads", "records": [{"id": "5001", "fields": {"region": "Nord"}}]}),
        )
        .await;
    assert!(text.contains("`region` has no option `Nord`; it has North, "), "{text}");
}

/// Date and date-time are different types (HubSpot/hubspot-api-php#74). The account's zone is New York's.
#[tokio::test(start_paused = true)]
async fn b9_a_day_is_a_day_in_the_accounts_zone() {
    let office = Office::changed(|seed| seed["account"]["timeZone"] = json!("America/New_York")).await;
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    // Half an hour before midnight there, when it is tomorrow in UTC.
    let now = || jiff::Timestamp::from_second(connector::clock::wall().as_secs() as i64).unwrap();
    let evening = now().to_zoned(zone.clone()).date().at(23, 30, 0, 0).to_zoned(zone.clone()).unwrap();
    let wait = evening.timestamp().duration_since(now()).as_secs().rem_euclid(86_400);
    tokio::time::advance(std::time::Duration::from_secs(wait as u64)).await;
    let local = now().to_zoned(zone.clone()).date();
    let today = local.to_string();
    assert_ne!(now().to_zoned(jiff::tz::TimeZone::UTC).date(), local);
    for (given, kept) in
        [("today", today.as_str()), ("2026-12-01", "2026-12-01"), ("2026-12-01T23:30-05:00", "2026-12-01")]
    {
        office
            .call(
                "update_records",
                json!({"object": "deals", "records": [{"id": "9001", "fields": {"renewal_date": given}}]}),
            )
            .await;
        assert_eq!(office.record("deals", "9001")["properties"]["renewal_date"], kept, "{given}");
    }
    let text = office
        .call(
            "update_records",
            json!({"object": "deals", "records": [{"id": "9001", "fields": {"closedate": "2031-07-01"}}]}),
        )
        .await;
    let kept = office.record("deals", "9001")["properties"]["closedate"].as_str().unwrap().to_owned();
    assert!(kept.starts_with("2031-07-02T03:59:59"), "the end of the day in New York, not {kept}");
    assert!(text.contains("2031-07-01"), "{text}");
    assert!(text.contains("note: closedate is the end of the day in America/New_York"), "{text}");
    // Conditions: midnights in UTC for a date, real instants for a date-time.
    let of = |field: &str| json!({"object": "deals", "where": [{"field": field, "op": "between", "value": ["2026-12-01", "2026-12-31"]}]});
    office.call("search", of("renewal_date")).await;
    let filter = office.last(SEARCH)["filterGroups"][0]["filters"][0].clone();
    assert_eq!((&filter["value"], &filter["highValue"]), (&json!("1796083200000"), &json!("1798675200000")));
    office.call("search", of("closedate")).await;
    let filter = office.last(SEARCH)["filterGroups"][0]["filters"][0].clone();
    assert_eq!(filter["value"], json!("1796101200000"));
    let month = office.call("search", json!({"object": "deals", "where": [{"field": "renewal_date", "op": "between", "value": "this month"}]})).await;
    assert!(month.contains("Renewal date between"), "{month}");
    let filter = office.last(SEARCH)["filterGroups"][0]["filters"][0].clone();
    let midnight = |day: jiff::civil::Date| {
        json!(day.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_millisecond().to_string())
    };
    assert_eq!(filter["value"], midnight(local.first_of_month()));
    assert_eq!(filter["highValue"], midnight(local.last_of_month()));
}

/// Custom objects by any name the user knows (PipedreamHQ/pipedream#16576, airbytehq/airbyte#27658).
#[tokio::test(start_paused = true)]
async fn b10_a_custom_object_goes_by_any_of_its_names() {
    let office = Office::open().await;
    for word in ["Sites", "site", "p_site", "p4815162_site", "2-987"] {
        let text = office.call("search", json!({"object": word})).await;
        assert!(text.contains("Northwind Hamburg") && rows(&text).len() == 4, "{word}: {text}");
        assert!(office.sent(SEARCH).last().unwrap().path.contains("/2-987/"), "{word}");
    }
    let error = office.refusal("search", json!({"object": "sitez"})).await;
    assert!(error.for_agent().contains("sites"), "{error}");
    let clash = Office::changed(|seed| {
        let mut more = seed["schemas"][0].clone();
        more["objectTypeId"] = json!("2-988");
        more["name"] = json!("bargain");
        more["fullyQualifiedName"] = json!("p4815162_bargain");
        more["labels"] = json!({"singular": "Bargain", "plural": "Deals"});
        seed["schemas"].as_array_mut().unwrap().push(more);
        seed["properties"]["2-988"] = seed["properties"]["2-987"].clone();
        add(seed, "2-988", "7001", json!({"site_name": "A bargain"}));
    })
    .await;
    let error = clash.refusal("search", json!({"object": "Deals"})).await;
    assert!(error.for_agent().contains("0-3") && error.for_agent().contains("2-988"), "{error}");
    assert!(clash.call("search", json!({"object": "2-988"})).await.contains("A bargain"));
    let rows = json!([{"fields": {"site_name": "Northwind Rostock", "pallets": "75"}, "link": ["companies:Northwind"]}]);
    office.call("create_records", json!({"object": "Sites", "records": rows})).await;
    assert_eq!(office.count("2-987"), 5);
    let inputs: Value = office.last(CREATE)["inputs"].clone();
    assert_eq!(inputs[0]["associations"][0]["types"][0]["associationTypeId"], 77);
}
