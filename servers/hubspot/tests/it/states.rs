//! Open, closed, won and lost, wherever a stage can be said.

use serde_json::{Value, json};

use crate::support::{Office, SEARCH, rows};

/// The ids of the rows of a search.
async fn ids(office: &Office, arguments: Value) -> Vec<String> {
    let text = office.call("search", arguments).await;
    let mut ids: Vec<String> =
        rows(&text).iter().map(|row| row.split(" |").next().unwrap().to_owned()).collect();
    ids.sort_unstable();
    ids
}

const WON: [&str; 2] = ["9006", "9011"];
const LOST: [&str; 2] = ["9008", "9012"];
const CLOSED: [&str; 4] = ["9006", "9008", "9011", "9012"];

/// By the flags of stages, in every pipeline: `Renewed` and `Churned` say nothing of it.
#[tokio::test(start_paused = true)]
async fn won_lost_closed_and_open_are_said_as_fields_and_as_stages() {
    let office = Office::open().await;
    let says = async |condition: Value| ids(&office, json!({"object": "deals", "where": condition})).await;
    for condition in [
        json!({"won": true}),
        json!({"Won": "yes"}),
        json!([{"field": "won"}]),
        json!({"stage": "won"}),
        json!({"dealstage": "Won"}),
        json!([{"field": "stage", "op": "in", "value": ["won"]}]),
        json!([{"field": "stage", "op": "contains", "value": "won"}]),
        json!({"open": "won"}),
        json!({"closed": true, "lost": false}),
    ] {
        assert_eq!(says(condition.clone()).await, WON, "{condition}");
    }
    for condition in [
        json!({"lost": true}),
        json!({"status": "lost"}),
        json!([{"field": "closed", "op": "=", "value": true}, {"field": "won", "op": "!=", "value": true}]),
        json!([{"field": "stage", "op": "in", "value": ["lost"]}]),
    ] {
        assert_eq!(says(condition.clone()).await, LOST, "{condition}");
    }
    for condition in [
        json!({"closed": true}),
        json!({"open": false}),
        json!({"open": "closed"}),
        json!({"stage": "closed"}),
        json!([{"field": "stage", "op": "!=", "value": "open"}]),
        json!([{"field": "stage", "op": "in", "value": ["won", "Churned", "Closed lost"]}]),
        json!({"any": [{"won": true}, {"lost": true}]}),
    ] {
        assert_eq!(says(condition.clone()).await, CLOSED, "{condition}");
    }
    let open = says(json!({"stage": "open"})).await;
    assert_eq!((open.len(), open), (9, says(json!({"open": true})).await));
    assert_eq!(says(json!({"lost": false})).await.len(), 11);
    // As the argument, within a pipeline, in a sum.
    assert_eq!(ids(&office, json!({"object": "deals", "stage": "won"})).await, WON);
    let renewals = json!({"object": "deals", "stage": "lost", "pipeline": "Renewals"});
    assert_eq!(ids(&office, renewals).await, ["9008"]);
    let sum = json!({"object": "deals", "of": "amount", "where": {"won": true}});
    let text = office.call("aggregate_records", sum).await;
    assert!(text.contains("sum 5,200 EUR") && text.contains("sum 30,000 USD"), "{text}");
    assert!(text.contains("won (by the stage's flag)"), "{text}");
    // Never by names of stages.
    let asked = office.last(SEARCH).to_string();
    assert!(asked.contains("hs_is_closed_won") && !asked.contains("closedwon\""), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn what_has_no_chance_is_neither_won_nor_lost_and_a_stage_of_that_name_is_meant_first() {
    let office = Office::open().await;
    for (object, word, says) in [
        ("tickets", "won", "tickets are neither won nor lost"),
        ("contacts", "closed", "contacts are neither open nor closed"),
        ("tasks", "lost", "tasks are neither won nor lost"),
    ] {
        let error = office.refusal("search", json!({"object": object, "where": {word: true}})).await;
        assert!(error.for_agent().contains(says), "{error}");
    }
    assert_eq!(ids(&office, json!({"object": "tickets", "stage": "closed"})).await, ["403"]);
    assert_eq!(ids(&office, json!({"object": "tickets", "where": {"closed": true}})).await, ["403"]);
    assert_eq!(ids(&office, json!({"object": "tasks", "where": {"closed": true}})).await, ["1503"]);
    let office = Office::changed(|seed| {
        // A stage that is called so and is not.
        seed["pipelines"]["deals"][1]["stages"][0]["label"] = json!("Won");
    })
    .await;
    assert_eq!(ids(&office, json!({"object": "deals", "stage": "won"})).await, ["9005", "9007"]);
    let sales = json!({"object": "deals", "stage": "won", "pipeline": "Sales"});
    assert_eq!(ids(&office, sales).await, ["9011"]);
}

#[tokio::test(start_paused = true)]
async fn a_record_is_moved_to_the_stage_that_is_won_or_closed() {
    let office = Office::open().await;
    for (id, word, stage, told) in [
        ("9007", "won", "771003", "Up for renewal → Renewed (won)"),
        ("9005", "lost", "771004", "Up for renewal → Churned (lost)"),
        ("9002", "won", "closedwon", "Qualified to buy → Closed won"),
    ] {
        let text = office.call("move_stage", json!({"id": id, "stage": word})).await;
        assert!(text.contains(told), "{text}");
        assert_eq!(office.record("deals", id)["properties"]["dealstage"], stage);
    }
    // Two stages are closed: neither is guessed.
    let error = office.refusal("move_stage", json!({"id": "9001", "stage": "closed"})).await.for_agent();
    assert!(error.contains("Closed won") && error.contains("Closed lost"), "{error}");
    let lead = json!({"object": "leads", "id": "5001", "stage": "closed"});
    assert!(office.call("move_stage", lead).await.contains("New → Unqualified"));
}
