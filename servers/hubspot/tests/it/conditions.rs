//! Conditions as people and models write them, each with what HubSpot is asked.

use connector::Kind;
use serde_json::{Value, json};

use crate::support::{Office, SEARCH, rows};

async fn count(office: &Office, object: &str, conditions: Value) -> String {
    office.call("search", json!({"object": object, "where": conditions, "count_only": true})).await
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_is_taken_as_people_call_it() {
    let office = Office::open().await;
    let all = count(&office, "deals", json!({"pipeline": "Sales"})).await;
    assert_eq!(count(&office, "deals", json!({"pipeline": "Sales pipeline"})).await, all);
}

#[tokio::test(start_paused = true)]
async fn all_of_a_member_of_any_must_hold() {
    let office = Office::open().await;
    let any = json!({"any": [{"lifecyclestage": "Lead", "city": "Lyon"}, {"lifecyclestage": "Opportunity"}]});
    let text = office.call("search", json!({"object": "companies", "where": any})).await;
    let ids: Vec<&str> = rows(&text).iter().map(|row| row.split(" |").next().unwrap()).collect();
    assert_eq!(ids, ["202", "204", "206", "209"], "{text}");
    assert!(
        text.contains("(Lifecycle stage = Lead and City = Lyon) or Lifecycle stage = Opportunity"),
        "{text}"
    );
    let groups = office.last(SEARCH)["filterGroups"].as_array().unwrap().len();
    assert_eq!(groups, 2);
    // The same as a list has it, beside another condition, sorted and counted.
    let all = json!([
        {"any": [{"all": [{"field": "lifecyclestage", "value": "Lead"}, {"field": "city", "op": "=", "value": "Lyon"}]},
                 {"field": "lifecyclestage", "op": "=", "value": "Opportunity"}]},
        {"field": "numberofemployees", "op": "has"},
    ]);
    let sorted = json!({"object": "companies", "where": all, "sort": "-numberofemployees"});
    let text = office.call("search", sorted).await;
    let ids: Vec<&str> = rows(&text).iter().map(|row| row.split(" |").next().unwrap()).collect();
    assert_eq!(ids, ["206", "202", "204"], "{text}");
    assert!(count(&office, "companies", all).await.starts_with("3 companies"));
    let beside = json!({"any": [{"city": "Lyon"}, {"city": "Porto"}], "lifecyclestage": "Lead"});
    assert!(count(&office, "companies", beside).await.starts_with("2 companies"));
    for empty in [json!([{"any": [{}]}]), json!([{"any": [{"any": [{"city": "Lyon"}]}]}])] {
        let error = office.refusal("search", json!({"object": "companies", "where": empty})).await;
        assert_eq!(error.kind(), Kind::InvalidArgument, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_a_condition_has_not_is_refused() {
    let office = Office::open().await;
    for wrong in [
        json!([{"field": "amount", "operatr": ">", "value": 1000}]),
        json!([{"field": "amount", "op": ">=", "value": 1000, "min": 3}]),
    ] {
        let error = office.refusal("search", json!({"object": "deals", "where": wrong})).await;
        assert!(error.for_agent().contains("field, op, value and to"), "{error}");
    }
    let to = json!([{"field": "amount", "op": "between", "value": 5000, "to": 13000}]);
    assert!(count(&office, "deals", to).await.starts_with("4 deals"));
    let high =
        json!([{"propertyName": "amount", "operator": "BETWEEN", "value": "5000", "highValue": "13000"}]);
    assert!(count(&office, "deals", high).await.starts_with("4 deals"));
}

#[tokio::test(start_paused = true)]
async fn several_stages_are_one_condition() {
    let office = Office::open().await;
    let stages = json!({"stage": ["Qualified to buy", "Contract sent"], "pipeline": "Sales"});
    let text = office.call("search", json!({"object": "deals", "where": stages})).await;
    let ids: Vec<&str> = rows(&text).iter().map(|row| row.split(" |").next().unwrap()).collect();
    assert_eq!(ids, ["9001", "9002", "9003", "9009"], "{text}");
    let sum = json!({"object": "deals", "of": "amount", "where": stages});
    assert!(office.call("aggregate_records", sum).await.contains("sum 246,500 EUR"));
    // Without a pipeline a label of two is still asked back.
    let error =
        office.refusal("search", json!({"object": "deals", "where": {"stage": ["Contract sent"]}})).await;
    assert!(error.for_agent().contains("Contract sent in Renewals"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_comma_that_may_be_a_point_is_no_number() {
    let office = Office::open().await;
    for amount in ["12,5", "1.000,50"] {
        let rows = json!([{"id": "9002", "fields": {"amount": amount}}]);
        let error = office.refusal("update_records", json!({"object": "deals", "records": rows})).await;
        assert!(error.for_agent().contains("12500.50"), "{error}");
    }
    let rows = json!([{"id": "9002", "fields": {"amount": "13,500.50"}}]);
    office.call("update_records", json!({"object": "deals", "records": rows})).await;
    assert_eq!(office.record("deals", "9002")["properties"]["amount"], "13500.50");
}

#[tokio::test(start_paused = true)]
async fn every_condition_on_an_address_looks_at_all_of_them() {
    let office = Office::open().await;
    let old = "m.bell@old-northwind.example";
    for (op, value, many) in [
        ("in", json!([old, "nora.berg@fjord.example"]), 2),
        ("contains", json!("old-northwind"), 1),
        ("!=", json!(old), 29),
        ("not_in", json!([old]), 29),
    ] {
        let text = count(&office, "contacts", json!([{"field": "email", "op": op, "value": value}])).await;
        assert!(text.starts_with(&format!("{many} contact")), "{op}: {text}");
        assert!(text.contains("secondary addresses too"), "{op}: {text}");
    }
    let many: Vec<String> = (0..6).map(|n| format!("a{n}@b.example")).collect();
    let text = count(&office, "contacts", json!([{"field": "email", "op": "in", "value": many}])).await;
    assert!(text.contains("first addresses only"), "{text}");
    let query = json!({"object": "contacts", "query": old});
    assert!(rows(&office.call("search", query).await)[0].starts_with("102 |"));
}

#[tokio::test(start_paused = true)]
async fn one_of_several_options_is_contained_by_its_label() {
    let office = Office::open().await;
    let with = |op: &str, value: &str| json!([{"field": "interests", "op": op, "value": value}]);
    assert!(count(&office, "contacts", with("contains", "Imports")).await.starts_with("2 contacts"));
    assert!(count(&office, "contacts", with("not_contains", "Imports")).await.starts_with("28 contacts"));
    let error =
        office.refusal("search", json!({"object": "contacts", "where": with("contains", "Fishing")})).await;
    assert!(error.for_agent().contains("Reports"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn two_days_in_one_text_are_a_range() {
    let office = Office::open().await;
    for text in ["2026-12-01..2026-12-31", "2026-12-01 to 2026-12-31"] {
        let range = json!([{"field": "renewal_date", "op": "=", "value": text}]);
        count(&office, "deals", range).await;
        let filter = office.last(SEARCH)["filterGroups"][0]["filters"][0].clone();
        assert_eq!(filter["operator"], "BETWEEN");
        assert_eq!(
            (&filter["value"], &filter["highValue"]),
            (&json!("1796083200000"), &json!("1798675200000"))
        );
    }
}
