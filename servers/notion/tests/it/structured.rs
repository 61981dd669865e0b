//! Structured content tells what the text does.

use connector::testing::{Options, Sample, Sandboxed};
use notion_mcp::Notion;
use serde_json::{Value, json};

use crate::support::{DESIGN, ONBOARDING, POST_MORTEM, RUNBOOKS, TASK};

async fn server() -> Sandboxed<Notion> {
    Sandboxed::start_with(Options { structured: true, allow_destructive: true, ..Options::default() }).await
}

async fn content(server: &Sandboxed<Notion>, tool: &'static str, arguments: Value) -> Value {
    server.call(&Sample::new(tool, arguments)).await.structured.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_page_has_its_values_its_place_and_where_it_goes_on() {
    let server = server().await;
    let row = content(&server, "get_page", json!({"id": TASK})).await;
    let values = row["values"].as_str().unwrap();
    assert!(values.contains("Status: To do") && values.contains("Owner: Jonas Weber"), "{row}");
    assert_eq!(
        (&row["place"], row["url"].as_str().unwrap().starts_with("https://")),
        (&json!("Tasks"), true)
    );
    let slice = content(&server, "get_page", json!({"id": DESIGN, "max_chars": 200})).await;
    let next = slice["next_offset"].as_u64().unwrap();
    assert_eq!(next as usize, slice["markdown"].as_str().unwrap().chars().count());
    let rest = content(&server, "get_page", json!({"id": DESIGN, "offset": next})).await;
    assert!(rest["next_offset"].is_null(), "{rest}");
    let upload = json!({"to": TASK, "property": "Files", "filename": "a.txt", "content": "aGVsbG8gd29ybGQ="});
    content(&server, "upload_file", upload).await;
    let file = content(&server, "get_file", json!({"id": TASK, "property": "Files", "max_chars": 5})).await;
    assert_eq!((&file["text"], &file["next_offset"]), (&json!("hello"), &json!(5)));
}

#[tokio::test(start_paused = true)]
async fn what_is_said_of_a_listing_is_in_its_notes() {
    let server = server().await;
    let notes = |content: &Value| content["notes"].to_string();
    let rows = content(&server, "query_database", json!({"database": "Tasks", "limit": 5})).await;
    assert!(notes(&rows).contains("Columns not shown"), "{rows}");
    let view = json!({"view": "f1e30000000040008000000000000001", "limit": 5});
    assert!(notes(&content(&server, "query_database", view).await).contains("The view's own: "));
    let none = json!({"database": "Tasks", "where": {"Task": "No such task"}});
    assert!(notes(&content(&server, "query_database", none).await).contains("No row of Tasks matches"));
    let found = content(&server, "search", json!({"query": "salaries nowhere"})).await;
    assert!(notes(&found).contains("Only titles are searched"), "{found}");
    let lines: Vec<String> = (0..45).map(|at| format!("Line {at}")).collect();
    content(&server, "edit_content", json!({"id": POST_MORTEM, "append": lines.join("\n")})).await;
    let comments = content(&server, "list_comments", json!({"id": POST_MORTEM})).await;
    assert!(notes(&comments).contains("were not looked for"), "{comments}");
}

/// The text that was replaced brings it back.
#[tokio::test(start_paused = true)]
async fn a_text_that_was_replaced_is_given_back() {
    let server = server().await;
    let before = content(&server, "get_page", json!({"id": ONBOARDING})).await["markdown"].clone();
    let written = content(&server, "edit_content", json!({"id": ONBOARDING, "replace_all": "Other"})).await;
    assert_eq!(written["before"], before);
    let back = json!({"id": ONBOARDING, "replace_all": written["before"]});
    content(&server, "edit_content", back).await;
    assert_eq!(content(&server, "get_page", json!({"id": ONBOARDING})).await["markdown"], before);
    let added = content(&server, "edit_content", json!({"id": RUNBOOKS, "append": "More"})).await;
    assert!(added["before"].is_null(), "{added}");
}
