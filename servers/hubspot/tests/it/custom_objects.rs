//! Custom objects in every tool that takes an object or a record.

use serde_json::json;

use crate::support::Office;

#[tokio::test(start_paused = true)]
async fn every_tool_takes_a_custom_object_by_its_label() {
    let office = Office::open().await;
    let new =
        |name: &str| json!([{"fields": {"site_name": name, "Pallets": 75}, "link": ["companies:Northwind"]}]);
    for (tool, arguments, says) in [
        ("describe_object", json!({"object": "Sites"}), "pallets"),
        (
            "search",
            json!({"object": "Sites", "where": [{"field": "pallets", "op": ">", "value": 400}]}),
            "Northwind Bremen",
        ),
        (
            "get_records",
            json!({"object": "Site", "ids": ["3001"], "include": ["companies"]}),
            "Northwind (201",
        ),
        ("get_records", json!({"object": "Sites", "by": "site_name", "ids": ["Northwind Kiel"]}), "3004 |"),
        ("list_associations", json!({"object": "companies", "id": "201", "to": "Sites"}), "Northwind Lübeck"),
        ("list_associations", json!({"object": "Sites", "id": "3001", "to": "companies"}), "Northwind"),
        ("aggregate_records", json!({"object": "Sites", "of": "pallets"}), "sum 1850"),
        ("find_duplicates", json!({"object": "Sites"}), "4 sites compared"),
        (
            "log_activity",
            json!({"kind": "note", "body": "Seen.", "about": ["Sites:Northwind Kiel"]}),
            "Northwind Kiel",
        ),
        ("save_task", json!({"subject": "Visit", "about": ["Sites:3001"]}), "Northwind Hamburg"),
        ("get_timeline", json!({"object": "Sites", "id": "Northwind Kiel"}), "Seen."),
        (
            "create_records",
            json!({"object": "Sites", "records": new("Northwind Rostock")}),
            "linked to Northwind",
        ),
        (
            "update_records",
            json!({"object": "Sites", "records": [{"id": "3004", "fields": {"Pallets": "130"}}]}),
            "120 → 130",
        ),
        (
            "upsert_records",
            json!({"object": "Sites", "by": "site_name", "records": [{"id": "Northwind Kiel", "fields": {"city": "Kiel-Holtenau"}}]}),
            "changed Northwind Kiel",
        ),
        ("associate_records", json!({"from": ["Sites:3004"], "to": ["companies:203"]}), "Associated 1 pair"),
        ("dissociate_records", json!({"from": ["Sites:3004"], "to": ["companies:203"]}), "Removed"),
        ("find_lists", json!({"list": "Warehouses over 500 pallets"}), "Northwind Hamburg"),
        ("find_lists", json!({"record": "Sites:3001"}), "Warehouses over 500 pallets"),
        ("update_list", json!({"list": "63", "add": ["Northwind Kiel"]}), "1 added"),
        ("merge_records", json!({"object": "Sites", "keep": "3002", "absorb": "3003"}), "new id"),
        ("archive_records", json!({"object": "Sites", "ids": ["Northwind Kiel"]}), "Archived 1 site"),
        ("create_property", json!({"object": "Sites", "label": "Gate", "type": "text"}), "gate"),
        (
            "update_property",
            json!({"object": "Sites", "property": "city", "description": "Where it stands"}),
            "city",
        ),
    ] {
        let text = office.call(tool, arguments.clone()).await;
        assert!(text.contains(says), "{tool} {arguments}: {text}");
        let asked = office.harness().journal().entries();
        assert!(asked.iter().all(|entry| !entry.path.contains("/site")), "{tool} sends a base name");
    }
}
