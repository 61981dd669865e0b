//! Reads: what of several is missing, what may not be seen, in whose time, by which of several names.

use connector::{
    Kind,
    sandbox::{Action, Rule},
};
use serde_json::{Value, json};

use crate::support::{Office, READ, add, rows};

/// A partly failed batch shows both halves (HubSpot/hubspot-api-php#619), names included.
#[tokio::test(start_paused = true)]
async fn a_name_that_nobody_has_does_not_hide_the_others() {
    let office = Office::open().await;
    let ids = json!(["Elena Petrova", "Helena Petrowa", "105", "99999", "m.bell@old-northwind.example"]);
    let text = office.call("get_records", json!({"object": "contacts", "ids": ids})).await;
    let shown = rows(&text);
    assert!(shown[0].starts_with("101 |") && shown[1].starts_with("105 |"), "{text}");
    assert!(text.contains("Not found: Helena Petrowa") && text.contains("99999"), "{text}");
    assert!(text.contains("102 |") && text.contains("found by the secondary address m.bell@old"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn records_go_by_the_words_of_replies() {
    let office = Office::open().await;
    for (object, id) in [
        ("contacts", "contact 101"),
        ("contacts", "contacts:101"),
        ("companies", "company:201"),
        ("companies", "Company 201"),
        ("sites", "Sites:3001"),
        ("sites", "site 3001"),
        ("line_items", "line item 651"),
    ] {
        let text = office.call("get_timeline", json!({"object": object, "id": id})).await;
        assert!(text.contains("activit"), "{object} {id}: {text}");
    }
    let office = Office::changed(|seed| add(seed, "2-987", "3009", json!({"site_name": "Site 12"}))).await;
    let text = office.call("get_timeline", json!({"object": "sites", "id": "Site 12"})).await;
    assert!(text.contains("Site 12 (site 3009)"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn companies_that_share_a_domain_are_all_shown_and_none_is_changed_by_it() {
    let office = Office::open().await;
    let by = json!({"object": "companies", "by": "domain", "ids": ["castor.example", "nobody.example"]});
    let text = office.call("get_records", by).await;
    assert!(text.contains("204 |") && text.contains("209 |"), "{text}");
    assert!(
        text.contains("one of several with this domain") && text.contains("Not found: nobody.example"),
        "{text}"
    );
    let change = |domain: &str| json!({"object": "companies", "by": "domain", "records": [{"id": domain, "fields": {"city": "Nice"}}]});
    let error = office.refusal("update_records", change("castor.example")).await;
    assert!(
        error.for_agent().contains("Castor Machinery (204)") && error.for_agent().contains("(209)"),
        "{error}"
    );
    office.call("update_records", change("fjord.example")).await;
    assert_eq!(office.record("companies", "207")["properties"]["city"], "Nice");
}

#[tokio::test(start_paused = true)]
async fn more_than_fifty_are_read_with_their_history_in_the_accounts_time() {
    let office = Office::changed(|seed| {
        for id in 200..270 {
            add(seed, "contacts", &id.to_string(), json!({"email": format!("c{id}@many.example")}));
        }
    })
    .await;
    let ids: Vec<String> = (200..270).map(|id| id.to_string()).collect();
    let text =
        office.call("get_records", json!({"object": "contacts", "ids": ids, "history": ["city"]})).await;
    assert_eq!(rows(&text).iter().filter(|row| row.contains("@many.example")).count(), 70, "{text}");
    assert_eq!(office.sent(READ).len(), 2);
    let change = json!([{"id": "108", "fields": {"city": "Oslo"}}]);
    office.call("update_records", json!({"object": "contacts", "records": change})).await;
    let change = json!([{"id": "108", "fields": {"city": "Bergen"}}]);
    office.call("update_records", json!({"object": "contacts", "records": change})).await;
    let text =
        office.call("get_records", json!({"object": "contacts", "ids": ["108"], "history": ["city"]})).await;
    let zone = jiff::tz::TimeZone::get("Europe/Stockholm").unwrap();
    let now = jiff::Timestamp::from_second(connector::clock::wall().as_secs() as i64).unwrap();
    let local = now.to_zoned(zone).strftime("%Y-%m-%d %H:").to_string();
    assert!(text.contains(&format!("city: Bergen ({local}")) && text.contains("← Oslo ("), "{text}");
    assert!(text.contains("times in Europe/Stockholm"), "{text}");
}

/// Options that live elsewhere (botpress/botpress#15354): a property of the account's own that names an owner.
#[tokio::test(start_paused = true)]
async fn an_owner_in_a_field_of_ones_own_is_a_person() {
    let office = Office::open().await;
    let set = |who: &str| json!({"object": "contacts", "records": [{"id": "101", "fields": {"Account manager": who}}]});
    let text = office.call("update_records", set("Grace Mbeki")).await;
    assert!(text.contains("account_manager none → Grace Mbeki"), "{text}");
    assert_eq!(office.record("contacts", "101")["properties"]["account_manager"], "7002");
    assert!(
        office
            .refusal("update_records", set("peter@harbor.example"))
            .await
            .for_agent()
            .contains("deactivated")
    );
    let by =
        json!({"object": "contacts", "where": {"account_manager": "grace"}, "fields": ["account_manager"]});
    let text = office.call("search", by).await;
    assert!(rows(&text)[0].ends_with("| Grace Mbeki"), "{text}");
    let text = office
        .call("aggregate_records", json!({"object": "contacts", "group_by": ["account_manager"]}))
        .await;
    assert!(text.contains("Grace Mbeki | count 1"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_timeline_says_which_kinds_may_not_be_seen() {
    let office = Office::changed(|seed| {
        let scopes = seed["tokens"][0]["scopes"].as_array_mut().unwrap();
        scopes.retain(|scope| scope != "sales-email-read");
    })
    .await;
    let text = office.call("get_timeline", json!({"object": "companies", "id": "201"})).await;
    assert!(
        text.contains("emails this credential may not see") && text.contains("sales-email-read"),
        "{text}"
    );
    assert!(text.contains("Contract walk-through") && !text.contains("Contract for 11"), "{text}");
    assert!(text.contains("with all that is on its 3 deals"), "{text}");
    let mails = json!({"object": "companies", "id": "201", "kinds": ["email"]});
    assert_eq!(office.refusal("get_timeline", mails).await.kind(), Kind::Permission);
    let text = office.call("whoami", json!({})).await;
    assert!(text.contains("sales-email-read (e-mails)"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_accounts_own_object_has_pipelines_where_its_properties_say_so() {
    let office = Office::changed(|seed| {
        let stage = |id: &str, label: &str, state: &str| json!({"id": id, "label": label, "displayOrder": 0, "archived": false, "metadata": {"ticketState": state, "isClosed": (state == "CLOSED").to_string()}, "createdAt": "D-9T09:00", "updatedAt": "D-9T09:00"});
        seed["pipelines"]["2-987"] = json!([{
            "id": "p1", "label": "Building", "displayOrder": 0, "archived": false, "createdAt": "D-9T09:00", "updatedAt": "D-9T09:00",
            "stages": [stage("s1", "Planned", "OPEN"), stage("s2", "In use", "CLOSED")],
        }]);
        let own = seed["properties"]["2-987"].as_array_mut().unwrap();
        own.push(json!({"name": "site_status", "label": "Status", "type": "string", "fieldType": "text"}));
        for name in ["hs_pipeline", "hs_pipeline_stage"] {
            own.push(json!({"name": name, "label": name, "type": "enumeration", "fieldType": "select", "options": [], "externalOptions": true}));
        }
        for (at, site) in seed["objects"]["2-987"].as_array_mut().unwrap().iter_mut().enumerate() {
            site["properties"]["hs_pipeline"] = json!("p1");
            site["properties"]["hs_pipeline_stage"] = json!(if at == 0 { "s2" } else { "s1" });
        }
    })
    .await;
    let text = office.call("search", json!({"object": "sites", "where": {"open": true}})).await;
    assert!(rows(&text).len() == 3 && text.contains("Planned"), "{text}");
    let text = office.call("search", json!({"object": "sites", "stage": "In use"})).await;
    assert!(rows(&text)[0].contains("In use (closed)"), "{text}");
    let text = office
        .call("move_stage", json!({"object": "sites", "id": "Northwind Kiel", "stage": "in use"}))
        .await;
    assert!(text.contains("stage Planned → In use (closed)"), "{text}");
    assert_eq!(office.record("2-987", "3004")["properties"]["hs_pipeline_stage"], "s2");
    let new = json!([{"fields": {"site_name": "Northwind Rostock", "stage": "Planned"}}]);
    office.call("create_records", json!({"object": "sites", "records": new})).await;
    let text = office.call("aggregate_records", json!({"object": "sites", "group_by": ["stage"]})).await;
    assert!(text.contains("Planned | count 3") && text.contains("In use (closed) | count 2"), "{text}");
    assert!(office.call("list_pipelines", json!({})).await.contains("sites: Building (p1)"));
    // What the account calls a status itself is no stage.
    let status = json!([{"id": "3001", "fields": {"status": "Heated"}}]);
    office.call("update_records", json!({"object": "sites", "records": status})).await;
    assert_eq!(office.record("2-987", "3001")["properties"]["site_status"], "Heated");
    let office = Office::open().await;
    let error = office.refusal("move_stage", json!({"object": "sites", "id": "3001", "stage": "x"})).await;
    assert!(error.for_agent().contains("sites have no stages"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_hubspot_fills_is_shown_with_its_rule() {
    let office = Office::open().await;
    let text = office.call("find_lists", json!({"list": "Open customers"})).await;
    assert!(
        text.contains("filled by the rule: Lifecycle stage is Customer and Lead status is any of Connected, Open and Phone number is known"),
        "{text}"
    );
    assert!(!office.call("find_lists", json!({"list": "61"})).await.contains("rule"));
}

#[tokio::test(start_paused = true)]
async fn conversations_come_the_latest_first_and_go_on() {
    let office = Office::changed(|seed| {
        let mut new = seed["threads"][0].clone();
        new["id"] = json!("8700");
        new["latestMessageTimestamp"] = json!("D-0T00:10");
        new["associatedContactId"] = json!("105");
        let messages: Vec<Value> = (0..70)
            .map(|n| json!({"id": format!("n{n}"), "type": "MESSAGE", "createdAt": "D-1T10:00", "direction": "INCOMING", "sender": "Ines Duarte", "text": format!("Message {n}.")}))
            .collect();
        new["messages"] = json!(messages);
        seed["threads"].as_array_mut().unwrap().push(new);
    })
    .await;
    let text = office.call("read_conversations", json!({})).await;
    let order: Vec<&str> = rows(&text).iter().map(|row| row.split(" |").next().unwrap()).collect();
    assert_eq!(order, ["8700", "8801", "8802"], "{text}");
    assert!(text.contains("times in Europe/Stockholm") && !text.contains("0Z |"), "{text}");
    // Whom they are with, of all at once.
    let with = |id: &str, whom: &str| {
        rows(&text).iter().any(|row| row.starts_with(&format!("{id} |")) && row.ends_with(whom))
    };
    assert!(
        with("8700", "| Ines Duarte (contact 105)")
            && with("8801", "| Marcus Bell (contact 102)")
            && with("8802", "| Ines Duarte (contact 105)"),
        "{text}"
    );
    assert_eq!(office.sent(READ).len(), 1);
    assert_eq!(office.last(READ)["inputs"], json!([{"id": "102"}, {"id": "105"}]));
    // A contact that is asked about is known already.
    let text = office.call("read_conversations", json!({"contact": "102"})).await;
    assert!(text.contains("| Marcus Bell (contact 102)"), "{text}");
    assert_eq!(office.sent(READ).len(), 2);
    office.harness().faults().add(Rule::new(READ, Action::status(403)));
    let text = office.call("read_conversations", json!({})).await;
    assert!(text.contains("| contact 102") && text.contains("names of contacts could not be read"), "{text}");
    let text = office.call("read_conversations", json!({"id": "8700"})).await;
    assert!(text.contains("Message 0.") && !text.contains("Message 60."), "{text}");
    let cursor = connector::testing::cursor(&text).unwrap_or_else(|| panic!("{text}"));
    let text = office.call("read_conversations", json!({"id": "8700", "cursor": cursor})).await;
    assert!(text.contains("Message 60.") && !text.contains("Message 0."), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_record_by_itself_says_where_a_person_looks_at_it() {
    let office = Office::open().await;
    let url = "https://app.hubspot.com/contacts/4815162/record/0-2/207";
    let text = office.call("get_records", json!({"object": "companies", "ids": ["207"]})).await;
    assert!(text.contains(url), "{text}");
    let change = json!([{"id": "207", "fields": {"city": "Oslo"}}]);
    assert!(
        office.call("update_records", json!({"object": "companies", "records": change})).await.contains(url)
    );
    for arguments in
        [json!({"object": "companies", "ids": ["207", "206"]}), json!({"object": "notes", "ids": ["1101"]})]
    {
        assert!(!office.call("get_records", arguments).await.contains("https://app"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_there_is_not_names_the_accounts_own() {
    let office = Office::open().await;
    let error = office.refusal("search", json!({"object": "dealz"})).await.for_agent();
    assert!(
        error.contains("Did you mean deals?") && error.contains("sites (custom object, 2-987)"),
        "{error}"
    );
}

/// An account's industries are more than a hundred.
#[tokio::test(start_paused = true)]
async fn the_options_of_a_field_that_is_asked_for_by_itself_are_told_whole() {
    let office = Office::changed(|seed| {
        let option = |n: u32| json!({"value": format!("TRADE_{n}"), "label": format!("Trade number {n}"), "displayOrder": n, "hidden": false});
        let options: Vec<Value> = (0..120).map(option).collect();
        let trade = json!({"name": "trade", "label": "Trade", "type": "enumeration", "fieldType": "select", "options": options});
        seed["properties"]["companies"].as_array_mut().unwrap().push(trade);
    })
    .await;
    let text = office.call("describe_object", json!({"object": "companies", "query": "trade"})).await;
    assert!(text.contains("Trade number 119 (TRADE_119)") && !text.contains("more"), "{text}");
    let text = office.call("describe_object", json!({"object": "companies"})).await;
    assert!(!text.contains("Trade number 119") && text.contains("and 95 more"), "{text}");
    // One that is misspelled is known among all of them.
    let change = json!([{"id": "207", "fields": {"trade": "Trade nubmer 117"}}]);
    let error = office.refusal("update_records", json!({"object": "companies", "records": change})).await;
    assert!(error.for_agent().contains("Did you mean Trade number 117?"), "{error}");
}
