//! Counts and sums over more records than one search shows.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::support::{Office, SEARCH, add, rows};

const DEALS: u64 = 25_000;
const STAGES: [(&str, &str); 4] = [
    ("Appointment scheduled", "appointmentscheduled"),
    ("Qualified to buy", "qualifiedtobuy"),
    ("Contract sent", "contractsent"),
    ("Closed won", "closedwon"),
];

/// Deals in two currencies, some without an amount, all changed at one moment.
fn many() -> Value {
    let mut seed = hubspot_mcp::sandbox::seed();
    let rows: Vec<Value> = (0..DEALS)
        .map(|n| {
            let mut properties = json!({
                "dealname": format!("Deal {n}"), "pipeline": "default",
                "dealstage": STAGES[(n % 4) as usize].1, "deal_currency_code": if n % 3 == 0 { "USD" } else { "EUR" },
            });
            if n % 7 != 0 {
                properties["amount"] = json!(format!("{}.{:02}", n % 9_000 + 1, n % 100));
            }
            json!({"id": (100_000 + n).to_string(), "properties": properties, "createdAt": "2026-11-01T00:00:00.000Z", "updatedAt": "2026-11-01T00:00:00.000Z"})
        })
        .collect();
    seed["objects"]["deals"] = Value::Array(rows);
    seed
}

/// Per stage and currency: how many, how many without an amount, the sum in hundredths.
fn by_hand(seed: &Value) -> BTreeMap<(String, String), (u64, i128)> {
    let mut sums = BTreeMap::new();
    for row in seed["objects"]["deals"].as_array().unwrap() {
        let properties = &row["properties"];
        let amount =
            properties["amount"].as_str().map(|amount| amount.replace('.', "").parse::<i128>().unwrap());
        let currency = if amount.is_some() { properties["deal_currency_code"].as_str().unwrap() } else { "" };
        let sum: &mut (u64, i128) = sums
            .entry((properties["dealstage"].as_str().unwrap().to_owned(), currency.to_owned()))
            .or_default();
        sum.0 += 1;
        sum.1 += amount.unwrap_or(0);
    }
    sums
}

/// The same as a reply tells it.
fn told(text: &str) -> BTreeMap<(String, String), (u64, i128)> {
    let of = |row: &&str| {
        let (stage, rest) = row.split_once(" | count ").unwrap();
        let stage = STAGES.iter().find(|(label, _)| *label == stage).unwrap().1.to_owned();
        let count = rest.split(' ').next().unwrap().parse().unwrap();
        let Some((_, sum)) = rest.split_once("sum ") else { return ((stage, String::new()), (count, 0)) };
        let mut words = sum.split(' ');
        let amount = words.next().unwrap().replace(',', "").parse::<f64>().unwrap();
        ((stage, words.next().unwrap().to_owned()), (count, (amount * 100.0).round() as i128))
    };
    rows(text).iter().map(of).collect()
}

/// Never more than five searches in any second, and none refused for it.
fn within_the_limit(office: &Office) {
    let sent = office.sent(SEARCH);
    assert!(sent.iter().all(|entry| entry.status == Some(200)));
    for window in sent.windows(6) {
        assert!(window[5].time - window[0].time >= Duration::from_secs(1), "six searches within a second");
    }
}

#[tokio::test(start_paused = true)]
async fn an_aggregate_over_25000_deals_is_what_adding_up_gives() {
    let seed = many();
    let right = by_hand(&seed);
    let office = Office::over(seed, &[]).await;
    let text = office
        .call("aggregate_records", json!({"object": "deals", "group_by": ["stage"], "of": "amount"}))
        .await;
    assert!(text.contains("25,000 deals counted"), "{text}");
    assert_eq!(told(&text), right, "{text}");
    let without = DEALS.div_ceil(7);
    assert!(text.contains(&format!("{without} deals without amount")), "{text}");
    assert_eq!(office.sent(SEARCH).len(), 126, "a page of 200 each, and an empty one at the end");
    within_the_limit(&office);
}

/// More than 10,000 records with one timestamp (airbytehq/airbyte#43317, supaglue-labs/supaglue#585).
#[tokio::test(start_paused = true)]
async fn b5_records_of_one_moment_are_walked_through_once_each_while_others_change() {
    let office = Office::over(many(), &[]).await;
    let mut seen: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut arguments = json!({"object": "deals", "limit": 200, "fields": ["dealname"]});
        if !cursor.is_empty() {
            arguments["cursor"] = json!(cursor);
        }
        let text = office.call("search", arguments).await;
        seen.extend(
            rows(&text).iter().map(|row| row.split(" |").next().unwrap().trim_start_matches('*').to_owned()),
        );
        if seen.len() == 600 {
            // One that was seen and one that is to come change meanwhile.
            let records = json!([{"id": "100003", "fields": {"amount": "1"}}, {"id": "120000", "fields": {"amount": "1"}}]);
            office.call("update_records", json!({"object": "deals", "records": records})).await;
        }
        match text.split("cursor \"").nth(1) {
            Some(rest) => cursor = rest.split('"').next().unwrap().to_owned(),
            None => break,
        }
    }
    let unique: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), unique.len()), (DEALS as usize, DEALS as usize));
    assert!(
        office.sent(SEARCH).iter().all(|entry| !entry.body.contains("modifieddate\",\"operator")),
        "it walks by time"
    );
}

/// The same for a sum, while others change, make and archive records: each is added up once, as it was when it was read.
#[tokio::test(start_paused = true)]
async fn b5_a_sum_holds_while_records_change_come_and_go() {
    let seed = many();
    let mut right = by_hand(&seed);
    let office = Office::over(seed.clone(), &[]).await;
    let sum =
        office.call("aggregate_records", json!({"object": "deals", "group_by": ["stage"], "of": "amount"}));
    let others = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let asked = office.sent(SEARCH).len();
        assert!((5..100).contains(&asked), "the walk is not under way: {asked}");
        let records = json!([{"id": "100003", "fields": {"amount": "1"}}, {"id": "120001", "fields": {"amount": "77.50"}}]);
        office.call("update_records", json!({"object": "deals", "records": records})).await;
        let new = json!([{"fields": {"dealname": "New", "stage": "Closed won", "pipeline": "Sales"}}]);
        office.call("create_records", json!({"object": "deals", "records": new})).await;
        office.call("archive_records", json!({"object": "deals", "ids": ["124999"]})).await;
    };
    let (text, ()) = tokio::join!(sum, others);
    // The first is past already; the second, the new and the archived one are still to come.
    let of = |id: usize| seed["objects"]["deals"][id - 100_000]["properties"].clone();
    let key = |properties: &Value| {
        let text = |name: &str| properties[name].as_str().unwrap_or_default().to_owned();
        (
            text("dealstage"),
            if text("amount").is_empty() { String::new() } else { text("deal_currency_code") },
        )
    };
    let cents = |properties: &Value| {
        properties["amount"].as_str().map_or(0, |amount| amount.replace('.', "").parse::<i128>().unwrap())
    };
    let changed = right.get_mut(&key(&of(120_001))).unwrap();
    changed.1 += 7_750 - cents(&of(120_001));
    let gone = right.get_mut(&key(&of(124_999))).unwrap();
    *gone = (gone.0 - 1, gone.1 - cents(&of(124_999)));
    right.entry(("closedwon".to_owned(), String::new())).or_default().0 += 1;
    assert_eq!(told(&text), right, "{text}");
    assert!(text.contains("25,000 deals counted"), "{text}");
    within_the_limit(&office);
}

#[tokio::test(start_paused = true)]
async fn b5_an_order_other_than_that_of_ids_ends_at_10000_and_says_so() {
    let office = Office::over(many(), &[]).await;
    let mut asked = json!({"object": "deals", "limit": 200, "sort": "-amount", "fields": ["dealname"]});
    for page in 0..50 {
        let text = office.call("search", asked.clone()).await;
        assert_eq!(rows(&text).len(), 200, "page {page}");
        asked["cursor"] = json!(connector::testing::cursor(&text).unwrap());
    }
    let error = office.refusal("search", asked).await;
    assert!(
        error.for_agent().contains("the first 10,000") && error.for_agent().contains("`sort` out"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_walk_that_ends_before_its_records_says_that_it_is_partial() {
    let settings = [("max-rows", connector::settings::Value::Number(400))];
    let office = Office::over(many(), &settings).await;
    let text = office.call("aggregate_records", json!({"object": "deals"})).await;
    assert!(text.contains("PARTIAL: the first 400 of 25,000"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn sums_keep_currencies_apart_unless_the_home_currency_is_asked_for() {
    let office = Office::open().await;
    let text = office
        .call("aggregate_records", json!({"object": "deals", "of": "amount", "where": {"open": true}}))
        .await;
    assert!(
        text.contains("all | count 5 | sum 316,500 EUR") && text.contains("all | count 2 | sum 48,200 USD"),
        "{text}"
    );
    assert!(text.contains("2 deals without amount"), "{text}");
    let text = office
        .call(
            "aggregate_records",
            json!({"object": "deals", "of": "amount_in_home_currency", "where": {"open": true}}),
        )
        .await;
    assert!(text.contains("sum 359,880 EUR") && !text.contains("USD"), "{text}");
    let text = office
        .call(
            "aggregate_records",
            json!({"object": "deals", "of": "amount", "weighted": true, "group_by": ["quarter(closedate)"]}),
        )
        .await;
    assert!(text.contains("weighted"), "{text}");
    let error = office.refusal("aggregate_records", json!({"object": "deals", "of": "dealname"})).await;
    assert!(error.for_agent().contains("not a number"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn duplicates_are_found_however_they_are_written() {
    let office = Office::changed(|seed| {
        add(
            seed,
            "companies",
            "210",
            json!({"name": "BRIGHTLINE RETAIL, Inc.", "domain": "brightline-shop.example"}),
        );
    })
    .await;
    let text = office.call("find_duplicates", json!({"object": "companies"})).await;
    assert!(
        text.contains("same domain castor.example") && text.contains("204") && text.contains("209"),
        "{text}"
    );
    assert!(text.contains("same name brightline retail"), "{text}");
    let text = office.call("find_duplicates", json!({"object": "contacts"})).await;
    assert!(text.contains("102") && text.contains("110") && text.contains("Marcus Bell"), "{text}");
}
