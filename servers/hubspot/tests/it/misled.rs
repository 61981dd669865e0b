//! What a second trial found to mislead: formatting that nobody saw, objects that could not be searched, empty replies
//! that hid what there is, ids without names.

use connector::testing::Options;
use serde_json::json;

use crate::support::{Office, UPDATE, add, rows};

const NOTE: &str = "<p>Elena wants <strong>all eleven warehouses</strong> in one contract.</p><ul><li>Start in January</li><li>Net 30</li></ul>";

fn body(office: &Office, object: &str, id: &str, name: &str) -> String {
    office.record(object, id)["properties"][name].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_formatting_of_a_note_is_shown_everywhere() {
    let office = Office::open().await;
    let text =
        office.call("get_timeline", json!({"object": "contacts", "id": "101", "kinds": ["note"]})).await;
    assert!(
        text.contains(
            "  Elena wants **all eleven warehouses** in one contract.\n  - Start in January\n  - Net 30"
        ),
        "{text}"
    );
    let text = office.call("get_records", json!({"object": "notes", "ids": ["1101"]})).await;
    assert!(
        text.contains(
            "body:\n    Elena wants **all eleven warehouses** in one contract.\n    - Start in January"
        ),
        "{text}"
    );
    assert_eq!(text.matches("Elena wants").count(), 1, "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_passage_of_a_note_is_replaced_and_the_rest_stays() {
    for row in [
        json!({"id": "1101", "edits": [{"old": "Net 30", "new": "Net 45"}]}),
        json!({"id": "1101", "fields": {"hs_note_body": "Elena wants **all eleven warehouses** in one contract.\n\n- Start in January\n- Net 45"}}),
    ] {
        let office = Office::open().await;
        let update = json!({"object": "notes", "records": [row]});
        let text = office.call("update_records", update).await;
        assert_eq!(body(&office, "notes", "1101", "hs_note_body"), NOTE.replace("30", "45"));
        assert!(text.contains("body: −\"- Net 30\" +\"- Net 45\"") && !text.contains("lost"), "{text}");
        // Said once, not as a title over and over.
        assert_eq!(text.matches("Elena wants").count(), 1, "{text}");
    }
    let office = Office::open().await;
    let gone = json!({"object": "notes", "records": [{"id": "1101", "edits": [{"old": "Net 90", "new": "Net 45"}]}]});
    let error = office.refusal("update_records", gone).await.for_agent();
    assert!(error.starts_with("conflict") && error.contains("the text has no \"Net 90\""), "{error}");
    assert_eq!(office.sent(UPDATE).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn formatting_that_cannot_be_shown_is_named_and_kept_where_nothing_changes() {
    let html = "<p>Due <span style=\"color:#f00\">soon</span></p><p>Net 30</p>";
    let office = Office::changed(|seed| {
        add(seed, "notes", "1150", json!({"hs_note_body": html, "hs_timestamp": "D-4T10:00"}));
    })
    .await;
    let text = office.call("get_records", json!({"object": "notes", "ids": ["1150"]})).await;
    assert!(text.contains("formatting that is not shown: colour"), "{text}");
    let edit = |old: &str, new: &str| json!({"object": "notes", "records": [{"id": "1150", "edits": [{"old": old, "new": new}]}]});
    let text = office.call("update_records", edit("Net 30", "**Net 45**")).await;
    assert!(!text.contains("lost"), "{text}");
    let kept = html.replace("Net 30", "<strong>Net 45</strong>");
    assert_eq!(body(&office, "notes", "1150", "hs_note_body"), kept);
    let mut dry = edit("Due soon", "Late");
    dry["dry_run"] = json!(true);
    for asked in [dry, edit("Due soon", "Late")] {
        let text = office.call("update_records", asked).await;
        assert!(text.contains("formatting of body that Markdown does not have is lost: colour"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn activities_are_written_as_markdown() {
    let office = Office::open().await;
    let markdown = "Agreed **all**:\n- [contract](https://x.example/c)\n- Net 30";
    let html = "<p>Agreed <strong>all</strong>:</p><ul><li><a href=\"https://x.example/c\">contract</a></li><li>Net 30</li></ul>";
    let call = json!({"kind": "call", "body": markdown, "about": ["contacts:101"]});
    let text = office.call("log_activity", call).await;
    let id = text.split_whitespace().nth(3).unwrap();
    assert_eq!(body(&office, "calls", id, "hs_call_body"), html);
    assert_eq!(text.matches("Agreed").count(), 1, "{text}");
    let note = json!([{"fields": {"hs_note_body": markdown, "hs_timestamp": "today"}}]);
    office.call("create_records", json!({"object": "notes", "records": note})).await;
    let made = office.dump()["objects"]["notes"]
        .as_array()
        .unwrap()
        .iter()
        .any(|row| row["properties"]["hs_note_body"] == html);
    assert!(made, "create_records");
    office.call("save_task", json!({"id": "1501", "body": markdown})).await;
    assert_eq!(body(&office, "tasks", "1501", "hs_task_body"), html);
    office.call("save_task", json!({"id": "1501", "body": markdown.replace("30", "45")})).await;
    assert_eq!(body(&office, "tasks", "1501", "hs_task_body"), html.replace("30", "45"));
}

#[tokio::test(start_paused = true)]
async fn a_plain_text_is_edited_by_passages_too() {
    let office = Office::open().await;
    let before = body(&office, "tickets", "401", "content");
    let edit = json!({"object": "tickets", "records": [{"id": "401", "edits": {"old": "12,318 rows", "new": "12,319 rows"}}]});
    office.call("update_records", edit).await;
    assert_eq!(body(&office, "tickets", "401", "content"), before.replace("12,318 rows", "12,319 rows"));
    let none = json!({"object": "contacts", "records": [{"id": "101", "edits": [{"old": "a", "new": "b"}]}]});
    let error = office.refusal("update_records", none).await.for_agent();
    assert!(error.contains("needs `field`"), "{error}");
    let new =
        json!({"object": "notes", "records": [{"fields": {"hs_timestamp": "now"}, "edits": [{"old": "a"}]}]});
    let error = office.refusal("create_records", new).await.for_agent();
    assert!(error.contains("`edits` is for update_records"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn custom_objects_are_searched_and_summed_by_what_they_are_associated_with() {
    let office = Office::open().await;
    let sites = json!({"object": "sites", "associated_with": "companies:Northwind"});
    let text = office.call("search", sites.clone()).await;
    assert_eq!(rows(&text).len(), 4, "{text}");
    assert!(text.contains("associated with Northwind (company 201)"), "{text}");
    let mut large = sites.clone();
    large["where"] = json!([{"field": "pallets", "op": ">", "value": 400}]);
    let text = office.call("search", large).await;
    assert_eq!(rows(&text).len(), 2, "{text}");
    let mut sum = sites;
    sum["of"] = json!("pallets");
    assert!(office.call("aggregate_records", sum).await.contains("sum 1850"));
    let back = json!({"object": "companies", "associated_with": "sites:3001"});
    assert!(rows(&office.call("search", back).await)[0].starts_with("201 |"));
    let none = json!({"object": "sites", "associated_with": "companies:Everglade"});
    let text = office.call("search", none).await;
    assert!(
        text.starts_with("No records") && text.contains("there are 4 sites in all: Northwind Hamburg (3001)"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn whoami_names_the_accounts_own_objects() {
    let text = Office::open().await.call("whoami", json!({})).await;
    assert!(text.contains("Custom objects: sites (2-987)."), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_empty_reply_says_what_there_is() {
    let office = Office::open().await;
    let text = office.call("search", json!({"object": "quotes", "query": "Everglade"})).await;
    assert!(text.contains("there is 1 quote in all: Northwind, 11 warehouses (681)"), "{text}");
    let quotes = json!({"object": "companies", "id": "Everglade", "to": "quotes"});
    let text = office.call("list_associations", quotes).await;
    assert!(
        text.contains("its 1 deal has none either") && text.contains("there is 1 quote in all"),
        "{text}"
    );
    let quotes = json!({"object": "contacts", "id": "Elena Petrova", "to": "quotes"});
    let text = office.call("list_associations", quotes).await;
    assert!(text.contains("its deals have some: Northwind – 11 warehouses (deal 9001): 1"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_toolset_that_would_help_is_named() {
    let office = Office::with(hubspot_mcp::sandbox::seed(), Options::default()).await;
    let query = json!({"object": "contacts", "query": "language"});
    let text = office.call("describe_object", query.clone()).await;
    assert!(
        text.contains("No field of contacts has \"language\"")
            && text.contains("the toolset `schema`, which is off"),
        "{text}"
    );
    let error = office.refusal("search", json!({"object": "workflows"})).await.for_agent();
    assert!(error.contains("list_workflows, of the toolset `automation`"), "{error}");
    let text = Office::open().await.call("describe_object", query).await;
    assert!(text.contains("create_property makes new fields") && !text.contains("is off"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_row_has_the_name_of_its_record_whatever_fields_are_asked_for() {
    let office = Office::open().await;
    let fields = json!(["amount"]);
    let text = office.call("search", json!({"object": "deals", "fields": fields, "owner": "Daniel"})).await;
    assert!(rows(&text).iter().any(|row| row.starts_with("9004 | Castor trial")), "{text}");
    let text =
        office.call("get_records", json!({"object": "deals", "ids": ["9004"], "fields": fields})).await;
    assert!(
        rows(&text)[0].starts_with("9004 | Castor trial") && text.contains("empty in every row: amount"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn open_tasks_are_in_a_timeline_whenever_they_were_due() {
    let office = Office::open().await;
    let since = json!({"object": "companies", "id": "Northwind", "since": "today"});
    let text = office.call("get_timeline", since.clone()).await;
    assert!(
        text.contains("1502: Confirm the clean-up") && text.contains("and 1 open task that was due before"),
        "{text}"
    );
    assert!(!text.contains("| note"), "{text}");
    office.call("save_task", json!({"id": "1502", "status": "completed"})).await;
    let text = office.call("get_timeline", since).await;
    assert!(!text.contains("1502") && text.contains("no open task was due before"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn one_currency_is_one_total_and_what_has_no_amount_is_named() {
    let office = Office::open().await;
    let sum = json!({"object": "deals", "of": "amount", "owner": "Daniel", "where": {"open": true}});
    let text = office.call("aggregate_records", sum).await;
    assert!(text.starts_with("1 total (4 deals counted") && rows(&text).len() == 1, "{text}");
    assert!(text.contains("all | count 4 | sum 157,500 EUR"), "{text}");
    assert!(text.contains("1 deal without amount is counted and not summed: Castor trial (9004)."), "{text}");
}

#[tokio::test(start_paused = true)]
async fn pipelines_of_everything_that_has_stages_are_listed() {
    let text = Office::open().await.call("list_pipelines", json!({})).await;
    assert!(text.contains("deals: Sales (default)") && text.contains("tickets: Support"), "{text}");
}
