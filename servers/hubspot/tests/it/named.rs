//! Who is who: records of one name on a page, owners whose name is misspelled.

use serde_json::json;

use crate::support::{Office, add, rows};

#[tokio::test(start_paused = true)]
async fn records_of_one_name_on_a_page_are_told_apart() {
    let office = Office::open().await;
    let text = office.call("search", json!({"object": "contacts", "query": "Marcus Bell"})).await;
    let note = text.lines().find(|line| line.contains("2 contacts are called Marcus Bell: 102 (")).unwrap();
    // Where they work and whose they are stands in the rows.
    assert!(
        note.contains("102 (Integration engineer, since 20") && note.contains("110 (Consultant, since 20"),
        "{note}"
    );
    assert!(!note.contains("marcus.bell@"), "{note}");
    // Whatever columns are asked for.
    let phones = json!({"object": "contacts", "query": "Marcus Bell", "fields": ["phone"]});
    let text = office.call("search", phones).await;
    for told in [
        "102 (Integration engineer, Northwind, marcus.bell@northwind.example, owner Daniel Novák, since 20",
        "110 (Consultant, marcus.bell@example.net, owner Sofia Rossi, since 20",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(rows(&text).iter().all(|row| !row.contains("Consultant")), "{text}");
    // Neither on lists nor beside a company is one taken for the other.
    let office = Office::changed(|seed| {
        seed["lists"][0]["members"] = json!(["102", "110", "101"]);
        let contacts = seed["objects"]["contacts"].as_array_mut().unwrap();
        let other = contacts.iter_mut().find(|contact| contact["id"] == "110").unwrap();
        other["to"] = json!({"companies": ["201"]});
    })
    .await;
    for (tool, arguments) in [
        ("find_lists", json!({"list": "61"})),
        ("list_associations", json!({"object": "companies", "id": "201", "to": "contacts"})),
    ] {
        let text = office.call(tool, arguments).await;
        assert!(
            text.contains("2 contacts are called Marcus Bell: 102 (Integration engineer, since 20"),
            "{text}"
        );
    }
    // Who is the only one of a name is not explained.
    let text = office.call("search", json!({"object": "contacts", "query": "Elena"})).await;
    assert!(!text.contains("are called"), "{text}");
    // Nor are activities and positions, which are not known by names.
    let office = Office::changed(|seed| {
        add(seed, "line_items", "652", json!({"name": "Import API, per warehouse", "quantity": "1"}));
    })
    .await;
    let text = office.call("search", json!({"object": "line_items"})).await;
    assert!(rows(&text).len() == 2 && !text.contains("are called"), "{text}");
    // What is redacted tells nobody apart.
    let hide = vec!["jobtitle".to_owned(), "email".to_owned()];
    let redact = [("redact", connector::settings::Value::List(hide))];
    let office = Office::over(hubspot_mcp::sandbox::seed(), &redact).await;
    let text = office
        .call("search", json!({"object": "contacts", "where": {"lastname": "Bell"}, "fields": ["phone"]}))
        .await;
    assert!(text.contains("are called Marcus Bell") && !text.contains("Consultant"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_owner_whose_name_is_misspelled_is_offered() {
    let office = Office::open().await;
    let text = office.call("find_owners", json!({"query": "Sofia Rosi"})).await;
    assert!(text.contains("Did you mean Sofia Rossi <sofia@harbor.example> (7004)?"), "{text}");
    let text = office.call("find_owners", json!({"query": "Zacharias"})).await;
    assert!(text.contains("without a query all are listed") && !text.contains("Did you mean"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn labels_of_hubspots_pages_are_understood_with_the_object_before_them() {
    let office = Office::open().await;
    let text = office.call("search", json!({"object": "deals", "fields": ["dealname", "Deal owner"]})).await;
    assert!(text.contains("| owner"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_longer_associated_is_told_without_its_labels() {
    let office = Office::open().await;
    let mut pair = json!({"from": ["contacts:101"], "to": ["companies:201"], "dry_run": true});
    let before = office.call("dissociate_records", pair.clone()).await;
    assert!(before.contains("(Primary"), "{before}");
    pair["dry_run"] = json!(false);
    let after = office.call("dissociate_records", pair).await;
    assert!(after.contains("Removed the association of 1 pair") && !after.contains("(Primary"), "{after}");
}
