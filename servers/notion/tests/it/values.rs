//! Values written and read: whole, as they are, and told as they came to be.

use connector::sandbox::{Action, Change, Rule};
use connector::{Kind, Secret, settings::Value as Setting};
use serde_json::{Value, json};

use crate::support::{Office, RUNBOOK, RUNBOOKS, TASK, TASKS, id_in};

async fn set(office: &Office, properties: Value) -> String {
    office.call("update_pages", json!({"pages": [{"id": TASK, "properties": properties}]})).await
}

fn value(office: &Office, name: &str) -> Value {
    office.node(TASK)["data"]["properties"][name].clone()
}

/// Pasted pictures are all called image.png.
#[tokio::test(start_paused = true)]
async fn files_of_one_name_stay_each_its_own() {
    let office = Office::open().await;
    for content in ["YQ==", "Yg==", "Yw=="] {
        let upload = json!({"to": TASK, "property": "Files", "filename": "image.png", "content": content});
        office.call("upload_file", upload).await;
    }
    let files = value(&office, "Files")["files"].clone();
    let mut keys: Vec<&str> =
        files.as_array().unwrap().iter().map(|file| file["file"]["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 3, "{files}");
    set(&office, json!({"Files": {"add": ["https://x.example/a.png"]}})).await;
    assert_eq!(value(&office, "Files")["files"].as_array().unwrap().len(), 4);
    set(&office, json!({"Files": {"remove": ["image.png"]}})).await;
    assert_eq!(value(&office, "Files")["files"].as_array().unwrap().len(), 1);
    // What Notion takes and does not keep is no success.
    let changes = vec![Change::set("/properties/Files/files", json!([]))];
    office.harness().faults().add(Rule::new("PATCH /pages/{id}", Action::Patch { changes }));
    let upload = json!({"to": TASK, "property": "Files", "filename": "b.png", "content": "YQ=="});
    assert_eq!(office.refusal("upload_file", upload).await.kind(), Kind::Upstream);
}

#[tokio::test(start_paused = true)]
async fn a_number_is_not_another_one() {
    let office = Office::open().await;
    for given in ["1,5", "inf", "nan", "1.250,00"] {
        let change = json!({"pages": [{"id": TASK, "properties": {"Estimate": given}}]});
        let error = office.refusal("update_pages", change).await;
        assert!(error.for_agent().contains("takes a number"), "{error}");
        let query = json!({"database": "Tasks", "where": {"Estimate": given}});
        assert_eq!(office.refusal("query_database", query).await.kind(), Kind::InvalidArgument);
    }
    set(&office, json!({"Estimate": "1,250.5"})).await;
    assert_eq!(value(&office, "Estimate")["number"], json!(1250.5));
}

/// Without the capability to read user information people have ids and no names
/// (developers.notion.com/reference/capabilities).
#[tokio::test(start_paused = true)]
async fn people_whose_names_may_not_be_read_are_not_nobody() {
    let office = Office::with(&[("token", Setting::Secret(Secret::new("ntn_nousers")))]).await;
    let jonas = "a11b0700000040008000000000000004";
    let text = office.call("get_page", json!({"id": TASK})).await;
    assert!(text.contains("Owner: a11b0700") && !text.contains("Empty: Owner"), "{text}");
    let rows = office.call("query_database", json!({"database": TASKS, "fields": ["Owner"]})).await;
    assert!(rows.contains("| a11b0700"), "{rows}");
    let groups = office.call("query_database", json!({"database": "Tasks", "group_by": "Owner"})).await;
    assert!(groups.contains("| a11b0700"), "{groups}");
    // An id is taken, whoever may read whose it is.
    set(&office, json!({"Owner": jonas})).await;
    assert_eq!(value(&office, "Owner")["people"][0]["id"].as_str().unwrap().replace('-', ""), jonas);
    let query = json!({"database": "Tasks", "where": {"Owner": jonas}, "count": true});
    assert!(!office.call("query_database", query).await.starts_with("0 rows"));
}

/// N10 for texts: an answer shows 25 runs, and a text is compared whole.
#[tokio::test(start_paused = true)]
async fn a_text_that_an_answer_cuts_is_shown_whole_and_written_whole() {
    let office = Office::open().await;
    let bold = |at: usize| at.is_multiple_of(2);
    let run = |at: usize| json!({"type": "text", "text": {"content": format!("w{at} ")}, "annotations": {"bold": bold(at)}});
    let runs: Vec<Value> = (0..40).map(run).collect();
    let id = "7a5c0000-0000-4000-8000-000000000003";
    office.ask("PATCH", &format!("pages/{id}"), json!({"properties": {"Notes": {"rich_text": runs}}})).await;
    let all: String = (0..40).map(|at| format!("w{at} ")).collect();
    let rows = json!({"database": "Tasks", "where": {"Task": "Alert when one file"}, "fields": ["Notes"]});
    let text = office.call("query_database", rows).await;
    assert!(text.contains("w24  …+") || text.contains("w24 …+"), "{text}");
    assert!(text.contains("get_page of the row has all of it"), "{text}");
    let text = office.call("get_page", json!({"id": TASK})).await;
    assert!(text.contains(all.trim()) && !text.contains("…+"), "{text}");
    let text = set(&office, json!({"Notes": format!("{all}and more")})).await;
    assert!(text.starts_with("Updated 1 page"), "{text}");
    let text = office.call("get_page", json!({"id": TASK})).await;
    assert!(text.contains("w39 and more"), "{text}");
}

/// N8. The same words marked otherwise are another text; marked the same they are not.
#[tokio::test(start_paused = true)]
async fn a_text_is_the_same_where_its_marks_are() {
    let office = Office::open().await;
    for (given, first) in [
        ("Call **Elena** today", "Updated"),
        ("Call **Elena** today", "Nothing changed"),
        ("Call Elena today", "Updated"),
        ("Call Elena today", "Nothing changed"),
    ] {
        let text = set(&office, json!({"Notes": given})).await;
        assert!(text.starts_with(first), "{given}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_icon_is_compared_too() {
    let office = Office::open().await;
    let icon = |icon: &str| json!({"pages": [{"id": RUNBOOK, "icon": icon}]});
    assert!(office.call("update_pages", icon("🚢")).await.contains("→ 🚢"));
    assert!(office.call("update_pages", icon("🚢")).await.starts_with("Nothing changed"));
    let changes = vec![Change::set("/icon", Value::Null)];
    office.harness().faults().add(Rule::new("PATCH /pages/{id}", Action::Patch { changes }));
    let error = office.refusal("update_pages", icon("⚓")).await;
    assert!(error.for_agent().contains("the icon"), "{error}");
}

/// N7. A time of no zone is in UTC, and said to be; a date as Notion has it is checked as any other.
#[tokio::test(start_paused = true)]
async fn a_time_without_a_zone_is_told_in_one() {
    let office = Office::open().await;
    let text = set(&office, json!({"Due": "tomorrow 09:00"})).await;
    assert!(text.contains("T09:00:00 UTC"), "{text}");
    let sent = office.harness().journal().of("PATCH /pages/{id}").pop().unwrap().json();
    assert_eq!(sent["properties"]["Due"]["date"]["time_zone"], "UTC");
    let backwards = json!({"Due": {"start": "2026-12-03", "end": "2026-12-01"}});
    let change = json!({"pages": [{"id": TASK, "properties": backwards}]});
    assert!(office.refusal("update_pages", change).await.for_agent().contains("ends before it starts"));
}

/// N10. All linked rows of one row are told, each with the id that tools need.
#[tokio::test(start_paused = true)]
async fn every_linked_row_is_given_by_its_page() {
    let office = Office::open().await;
    let project = "b40ec700000040008000000000000001";
    let text = office.call("get_page", json!({"id": project})).await;
    assert_eq!(text.matches(" (7a5c0000").count(), 40, "{text}");
    assert!(text.contains("Show the progress of an import (7a5c0000000040008000000000000005)"), "{text}");
    let rows = office.call("query_database", json!({"database": "Projects", "fields": ["Tasks"]})).await;
    assert!(rows.contains("get_page of the row has all of it"), "{rows}");
}

/// A verification and a place are shown, and of a new row named like every column that can be written.
#[tokio::test(start_paused = true)]
async fn a_verification_and_a_place_are_shown_and_not_called_empty() {
    let office = Office::open().await;
    let columns = json!({"properties": {"Checked": {"verification": {}}, "Where": {"place": {}}}});
    office.ask("PATCH", "data_sources/50ce0000-0000-4000-8000-000000000001", columns).await;
    let verified = json!({"state": "verified", "verified_by": null, "date": {"start": "2026-11-01T00:00:00.000Z", "end": "2027-02-01T00:00:00.000Z"}});
    let place = json!({"lat": 40.4, "lon": -3.7, "name": "Office", "address": "Madrid"});
    let values = json!({"properties": {"Checked": {"verification": verified}, "Where": {"place": place}}});
    office.ask("PATCH", "pages/7a5c0000-0000-4000-8000-000000000003", values).await;
    let text = office.call("get_page", json!({"id": TASK})).await;
    assert!(
        text.contains("Checked: verified until 2027-02-01") && text.contains("Where: Office\n"),
        "{text}"
    );
    let row = json!({"title": "New"});
    let text = office.call("create_pages", json!({"parent": "Tasks", "pages": [row]})).await;
    assert!(text.contains("Files, Checked and 1 more."), "{text}");
}

/// N8 for formulas: another expression is another column.
#[tokio::test(start_paused = true)]
async fn a_formula_and_a_prefix_can_be_changed_and_are_told() {
    let office = Office::open().await;
    let text = office.call("get_database", json!({"database": "Tasks"})).await;
    assert!(text.contains("Points: formula (read only: prop(\"Estimate\") * 2)"), "{text}");
    assert!(text.contains("ID: unique_id (read only: TASK-1, …)"), "{text}");
    let change = json!({"Points": "formula(prop(\"Estimate\") * 3)", "ID": "unique_id(T)"});
    let text = office.call("update_schema", json!({"database": "Tasks", "change": change.clone()})).await;
    assert!(
        text.starts_with("Changed the columns") && text.contains("* 2) → formula (read only: prop"),
        "{text}"
    );
    let columns = office.node(TASKS)["data"]["properties"].clone();
    assert_eq!(columns["Points"]["formula"]["expression"], "prop(\"Estimate\") * 3");
    assert_eq!(columns["ID"]["unique_id"]["prefix"], "T");
    let text = office.call("update_schema", json!({"database": "Tasks", "change": change})).await;
    assert!(text.starts_with("Nothing changed"), "{text}");
}

/// Moves say what they take along and what not; nobody is moved where he stands, nor below himself.
#[tokio::test(start_paused = true)]
async fn a_move_names_the_values_that_stay_behind() {
    let office = Office::asking().await;
    let out = json!({"ids": [TASK], "parent": RUNBOOKS});
    let asked = office.question("move_pages", out).await.unwrap();
    assert!(asked.contains("leaves its values of Status, Owner, Due"), "{asked}");
    assert!(asked.contains("behind: Runbooks has no such columns"), "{asked}");
    let same = office.call("move_pages", json!({"ids": [RUNBOOK], "parent": RUNBOOKS})).await;
    assert!(same.starts_with("Nothing changed: Retry a failed import"), "{same}");
    let both =
        json!({"ids": [RUNBOOK, "9a9e0000000040008000000000000011"], "parent": RUNBOOKS, "dry_run": true});
    let told = office.call("move_pages", both).await;
    assert!(told.contains("Move 1 page under Runbooks") && told.contains("unchanged: Retry"), "{told}");
    for below in [RUNBOOKS, RUNBOOK, "Tasks"] {
        let engineering = "9a9e0000000040008000000000000001";
        let loops = json!({"ids": [engineering], "parent": below, "dry_run": true});
        let error = office.refusal("move_pages", loops).await;
        assert!(error.for_agent().contains("cannot be moved below itself"), "{below}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_is_trashed_and_taken_out_again() {
    let office = Office::open().await;
    let made = office.call("create_database", json!({"parent": RUNBOOKS, "title": "Runs"})).await;
    let table = id_in(&made);
    let database = {
        let dump = office.dump();
        let id = dump["nodes"]
            .as_object()
            .unwrap()
            .keys()
            .find(|id| id.replace('-', "") == table)
            .unwrap()
            .clone();
        dump["nodes"][&id]["parent"].as_str().unwrap().replace('-', "")
    };
    let text = office.call("trash_pages", json!({"ids": [table]})).await;
    assert!(text.starts_with("Put 1 page into the trash"), "{text}");
    assert_eq!(office.node(&database)["in_trash"], true);
    let text = office.call("trash_pages", json!({"ids": [database, RUNBOOK]})).await;
    assert!(text.contains("the database Runs") && text.contains("in the trash already"), "{text}");
    office.call("trash_pages", json!({"ids": [database], "restore": true})).await;
    assert_eq!(office.node(&database)["in_trash"], false);
    // One of two tables is not all of a database.
    let one = office.refusal("trash_pages", json!({"ids": ["50ce0000000040008000000000000003"]})).await;
    assert!(one.for_agent().contains("one of several tables of the database Roadmap"), "{one}");
}

/// Notion tells nobody's time zone: the operator may. A template's @today is of it too ([SDK] template.timezone).
#[tokio::test(start_paused = true)]
async fn days_times_and_templates_are_in_the_zone_of_the_settings() {
    let zone = ("timezone", connector::settings::Value::Text("Europe/Madrid".to_owned()));
    let office = Office::with(&[zone]).await;
    let due = json!({"pages": [{"id": TASK, "properties": {"Due": "2026-12-01T09:00"}}]});
    let reply = office.call("update_pages", due).await;
    assert!(reply.contains("2026-12-01T09:00+01:00") || reply.contains("Europe/Madrid"), "{reply}");
    let asked = |operation: &str| office.harness().journal().of(operation).pop().unwrap().json();
    assert_eq!(asked("PATCH /pages/{id}")["properties"]["Due"]["date"]["time_zone"], "Europe/Madrid");
    let new = json!({"title": "Plan", "template": "Sprint"});
    office.call("create_pages", json!({"parent": TASKS, "pages": [new]})).await;
    assert_eq!(asked("POST /pages")["template"]["timezone"], "Europe/Madrid");
    let late = json!({"database": TASKS, "where": {"Due": {"before": "2026-12-01T09:00"}}});
    office.call("query_database", late).await;
    let filter = asked("POST /data_sources/{id}/query")["filter"].to_string();
    assert!(filter.contains("2026-12-01T08:00:00Z"), "{filter}");
    let wrong = ("timezone", connector::settings::Value::Text("Europe/Madird".to_owned()));
    let mut config = connector::settings::Config::default();
    config.set(wrong.0, wrong.1);
    let options = connector::upstream::Options::new(url::Url::parse("https://api.notion.com/v1").unwrap());
    let error = <notion_mcp::Notion as connector::Connector>::connect(&config, options).unwrap_err();
    assert!(error.for_agent().contains("no time zone Europe/Madird"), "{error}");
}
