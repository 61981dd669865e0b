//! Money with the currency of its record, wherever objects keep that.

use serde_json::{Value, json};

use crate::support::{Office, add, rows};

/// An office with what is sold in dollars.
async fn dollars() -> Office {
    Office::changed(|seed| {
        let of = |properties: Value, code: &str| {
            let mut properties = properties;
            properties[code] = json!("USD");
            properties
        };
        let line = json!({"name": "Import API", "quantity": "2", "price": "100", "amount": "200"});
        add(seed, "line_items", "652", of(line, "hs_line_item_currency_code"));
        let quote = json!({"hs_title": "Brightline, two", "hs_quote_amount": "200", "hs_status": "DRAFT"});
        add(seed, "quotes", "682", of(quote, "hs_currency"));
        for (object, id) in [("line_items", "652"), ("quotes", "682")] {
            let table = seed["objects"][object].as_array_mut().unwrap();
            let row = table.iter_mut().find(|row| row["id"] == id).unwrap();
            row["to"] = json!({"deals": ["9003"]});
        }
        for deal in seed["objects"]["deals"].as_array_mut().unwrap() {
            if ["9001", "9003"].contains(&deal["id"].as_str().unwrap()) {
                deal["properties"]["hs_mrr"] = json!("750");
            }
        }
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn what_hangs_on_a_deal_in_dollars_is_in_dollars() {
    let office = dollars().await;
    let include = json!({"object": "deals", "ids": ["9003"], "include": ["quotes", "line_items"]});
    let text = office.call("get_records", include).await;
    assert!(text.contains("(682, 200 USD") && text.contains("2 × 100 USD = 200 USD"), "{text}");
    let text = office.call("search", json!({"object": "line_items"})).await;
    assert!(text.contains("| 200 USD") && text.contains("83,600 EUR"), "{text}");
    for (object, of) in [("line_items", "amount"), ("quotes", "amount")] {
        let text = office.call("aggregate_records", json!({"object": object, "of": of})).await;
        assert!(rows(&text).len() == 2 && text.contains("sum 200 USD"), "{object}: {text}");
    }
    let error =
        office.refusal("get_timeline", json!({"object": "quotes", "id": "two quotes of Brightline"})).await;
    assert!(error.for_agent().contains("200 USD"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn every_money_field_of_a_deal_is_in_its_currency() {
    let office = dollars().await;
    for arguments in [
        json!({"object": "deals", "fields": ["hs_mrr"], "limit": 50}),
        json!({"object": "deals", "fields": ["dealname", "hs_mrr"], "sort": "-hs_mrr"}),
    ] {
        let text = office.call("search", arguments).await;
        assert!(text.contains("750 EUR") && text.contains("750 USD"), "{text}");
    }
    let sorted = json!({"object": "deals", "sort": "-amount"});
    let text = office.call("search", sorted).await;
    assert!(text.contains("in the order of bare amounts, although in several currencies"), "{text}");
    let text =
        office.call("get_records", json!({"object": "deals", "ids": ["9003"], "fields": ["hs_mrr"]})).await;
    assert!(text.contains("750 USD"), "{text}");
    let update = json!({"object": "deals", "records": [{"id": "9003", "fields": {"hs_mrr": 800}}]});
    let text = office.call("update_records", update).await;
    assert!(text.contains("750 USD → 800 USD"), "{text}");
    let home =
        json!({"object": "deals", "fields": ["amount_in_home_currency"], "where": {"hs_object_id": 9003}});
    assert!(office.call("search", home).await.contains("42,300 EUR"));
}

#[tokio::test(start_paused = true)]
async fn what_is_named_as_in_the_home_currency_is_in_that() {
    let office = Office::changed(|seed| {
        let property = json!({"name": "hs_closed_amount_in_home_currency", "label": "Closed amount in company currency", "type": "number", "fieldType": "number", "showCurrencySymbol": true});
        seed["properties"]["deals"].as_array_mut().unwrap().push(property);
        for deal in seed["objects"]["deals"].as_array_mut().unwrap() {
            deal["properties"]["hs_closed_amount_in_home_currency"] = json!("10");
        }
    })
    .await;
    let name = "hs_closed_amount_in_home_currency";
    let text = office.call("search", json!({"object": "deals", "fields": [name]})).await;
    assert!(text.contains("10 EUR") && !text.contains("10 USD"), "{text}");
    let text = office.call("aggregate_records", json!({"object": "deals", "of": name})).await;
    assert!(text.contains("sum 130 EUR") && rows(&text).len() == 1, "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_weighted_sum_is_each_amount_by_its_chance() {
    let office = Office::open().await;
    let open = json!({"object": "deals", "of": "amount", "weighted": true, "where": {"open": true}, "pipeline": "Renewals"});
    let text = office.call("aggregate_records", open).await;
    // 9,000 and 61,000, both up for renewal: a half of each.
    assert!(text.contains("sum 70,000 EUR") && text.contains("weighted 35,000 EUR"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn two_owners_of_one_name_are_two_groups() {
    let office = Office::changed(|seed| {
        for owner in seed["owners"].as_array_mut().unwrap() {
            if owner["id"] == "7002" {
                owner["firstName"] = json!("Daniel");
                owner["lastName"] = json!("Novák");
            }
        }
    })
    .await;
    let by_owner = json!({"object": "deals", "group_by": ["owner"], "of": "amount", "where": {"open": true}});
    let text = office.call("aggregate_records", by_owner).await;
    assert!(text.contains("Daniel Novák (7001) | count 4 | sum 157,500 EUR"), "{text}");
    assert!(text.contains("Daniel Novák (7002) | count 1 | sum 150,000 EUR"), "{text}");
}
