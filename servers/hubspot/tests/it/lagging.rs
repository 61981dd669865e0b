//! What was written a moment ago, where HubSpot's index does not know it yet: by association, by name, by domain, in
//! counts.

use connector::Kind;
use serde_json::json;

use crate::support::{CREATE, Office, rows};

async fn behind() -> Office {
    let office = Office::open().await;
    office.steer(json!({"searchLagMs": 30_000})).await;
    office
}

#[tokio::test(start_paused = true)]
async fn what_was_linked_just_now_is_found_by_what_it_is_linked_to() {
    let office = behind().await;
    let new = json!([{"fields": {"email": "ana@new.example", "firstname": "Ana"}, "link": ["companies:Fjord Fish"]}]);
    office.call("create_records", json!({"object": "contacts", "records": new})).await;
    let people = json!({"object": "contacts", "associated_with": "companies:207", "limit": 50});
    let text = office.call("search", people.clone()).await;
    let says = "the index lags: 1 contact written here a moment ago, marked *: 30000000001";
    assert!(text.contains("ana@new.example") && text.contains(says), "{text}");
    let others = json!({"object": "contacts", "associated_with": "companies:206", "limit": 50});
    assert!(!office.call("search", others).await.contains("ana@new.example"));
    // So is a record that was there before, and one whose association has ended is not.
    office.call("associate_records", json!({"from": ["contacts:110"], "to": ["companies:207"]})).await;
    office.call("dissociate_records", json!({"from": ["contacts:108"], "to": ["companies:207"]})).await;
    let text = office.call("search", people).await;
    assert!(text.contains("110 | Marcus") && !text.contains("nora.berg"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_was_made_or_renamed_just_now_is_known_by_its_name() {
    let office = behind().await;
    let new = json!([{"fields": {"name": "Grove Tools", "domain": "grove.example"}}]);
    office.call("create_records", json!({"object": "companies", "records": new})).await;
    let note = json!({"kind": "note", "body": "First call.", "about": ["companies:Grove Tools"]});
    assert!(office.call("log_activity", note).await.contains("on Grove Tools (company 3"));
    assert!(
        office
            .call("get_timeline", json!({"object": "companies", "id": "grove"}))
            .await
            .contains("First call")
    );
    let renamed = json!([{"id": "207", "fields": {"name": "Fjord Seafood"}}]);
    office.call("update_records", json!({"object": "companies", "records": renamed})).await;
    let text = office.call("get_records", json!({"object": "companies", "ids": ["Fjord Seafood"]})).await;
    assert!(text.contains("207 | Fjord Seafood"), "{text}");
    office.call("archive_records", json!({"object": "companies", "ids": ["206"]})).await;
    let error =
        office.refusal("get_timeline", json!({"object": "companies", "id": "Everglade Freight"})).await;
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_company_is_not_made_twice_within_the_lag_nor_by_another_of_its_domains() {
    let office = behind().await;
    let new = |domain: &str| json!({"object": "companies", "records": [{"fields": {"name": "Grove", "domain": domain}}]});
    office.call("create_records", new("grove.example")).await;
    let error = office.refusal("create_records", new("www.Grove.example")).await;
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert!(error.message().contains("Grove (3"), "{error}");
    assert_eq!(office.sent(CREATE).len(), 1);
    let office = Office::changed(|seed| {
        seed["objects"]["companies"][0]["properties"]["hs_additional_domains"] =
            json!("nw.example;northwind.test");
    })
    .await;
    let error = office.refusal("create_records", new("northwind.test")).await;
    assert!(error.message().contains("Northwind (201)"), "{error}");
    // Each row is told of, and how many more there are.
    let many: Vec<_> = (0..12)
        .map(|n| json!({"fields": {"name": format!("New {n}"), "domain": format!("d{n}.example")}}))
        .collect();
    office.call("create_records", json!({"object": "companies", "records": many.clone()})).await;
    let error = office.refusal("create_records", json!({"object": "companies", "records": many})).await;
    let text = error.message();
    assert!(text.contains("row 1: d0.example is New 0") && text.contains("and 2 more"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn counts_say_what_they_may_not_have() {
    let office = behind().await;
    let says = "1 contact written here in the last minute may not be counted yet, or as before: 108";
    let calls = [
        ("search", json!({"object": "contacts", "count_only": true})),
        ("aggregate_records", json!({"object": "contacts", "group_by": ["lifecyclestage"]})),
        ("find_duplicates", json!({"object": "contacts"})),
        ("find_owners", json!({"query": "Daniel", "count_records": true})),
    ];
    for (tool, arguments) in calls.clone() {
        assert!(!office.call(tool, arguments).await.contains("may not be counted"), "{tool}");
    }
    let change = json!([{"id": "108", "fields": {"lifecyclestage": "Customer"}}]);
    office.call("update_records", json!({"object": "contacts", "records": change})).await;
    for (tool, arguments) in calls {
        let text = office.call(tool, arguments).await;
        assert!(text.contains(says), "{tool}: {text}");
    }
    let text = office.call("aggregate_records", json!({"object": "companies"})).await;
    assert!(!text.contains("may not be counted") && rows(&text).len() == 1, "{text}");
}
