//! What misled somebody who had nothing but the list of tools.

use connector::catalog::today;
use jiff::ToSpan as _;
use serde_json::{Value, json};

use crate::support::{DESIGN, Office, RUNBOOK, RUNBOOKS, TASK, id_in};

/// A day so many days from now.
fn day(ahead: i32) -> String {
    today().checked_add(ahead.days()).unwrap().to_string()
}

async fn count(office: &Office, filter: Value) -> String {
    office.call("query_database", json!({"database": "Tasks", "where": filter, "count": true})).await
}

#[tokio::test(start_paused = true)]
async fn a_first_name_of_several_people_is_refused_with_all_of_them() {
    let office = Office::open().await;
    let change = |owner: Value| json!({"pages": [{"id": TASK, "properties": {"Owner": owner}}]});
    for (tool, arguments) in [
        ("update_pages", change(json!("Jonas"))),
        ("update_pages", change(json!({"add": ["@jonas"]}))),
        ("query_database", json!({"database": "Tasks", "where": {"Owner": "Jonas"}})),
        (
            "create_pages",
            json!({"parent": "Tasks", "pages": [{"title": "A", "properties": {"Owner": "jonas"}}]}),
        ),
    ] {
        let error = office.refusal(tool, arguments).await.for_agent();
        assert!(
            error.contains("Jonas Weber (jonas@harbor.example)")
                && error.contains("Jonas Lindgren (jonas.lindgren@harbor.example)"),
            "{tool}: {error}"
        );
    }
    for one in ["Jonas Lindgren", "Lindgren", "jonas.lindgren", "jonas.lindgren@harbor.example"] {
        let text = office.call("query_database", json!({"database": "Tasks", "where": {"Owner": one}})).await;
        assert!(text.contains("Jonas Lindgren") && !text.contains("Jonas Weber"), "{one}: {text}");
    }
    let text =
        office.call("update_pages", change(json!({"add": ["Priya"], "remove": ["Jonas Weber"]}))).await;
    assert!(text.contains("Owner Jonas Weber → Priya Raman"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn linked_rows_are_named() {
    let office = Office::open().await;
    let text = office.call("get_page", json!({"id": TASK})).await;
    let named = "Blocked by: Make chunk writes idempotent (7a5c0000000040008000000000000001), Compare keys before \
                 a retry (7a5c0000000040008000000000000008)";
    assert!(text.contains(named) && text.contains("Project: Import API v2 ("), "{text}");
    let asked =
        json!({"database": "Tasks", "where": {"Priority": "High"}, "fields": ["Project", "Blocked by"]});
    let before = office.sent("GET /pages/{id}");
    let text = office.call("query_database", asked).await;
    assert!(
        text.contains("| Import API v2 | Make chunk writes idempotent, Compare keys before a retry"),
        "{text}"
    );
    assert!(!text.contains(" linked"), "{text}");
    assert!(office.sent("GET /pages/{id}") - before <= 10);
    let text = office
        .call("query_database", json!({"database": "Projects", "fields": ["Tasks", "Task count"]}))
        .await;
    assert!(
        text.contains(", +20 or more | ?") && text.contains("`?` is what Notion did not compute"),
        "{text}"
    );
    let update = json!({"pages": [{"id": TASK, "properties": {"Blocked by": {"remove": ["Compare keys before a retry"]}}}]});
    let text = office.call("update_pages", update).await;
    let change =
        "Blocked by Make chunk writes idempotent, Compare keys before a retry → Make chunk writes idempotent";
    assert!(text.contains(change), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_range_of_days_is_from_the_first_to_the_last() {
    let office = Office::open().await;
    let (first, last) = (day(1), day(4));
    let wanted = count(&office, json!({"Due": {"on_or_after": first, "on_or_before": last}})).await;
    assert_ne!(wanted, count(&office, json!({"Due": first})).await);
    let range = format!("{first}/{last}");
    for same in [
        json!({"Due": range}),
        json!({"Due": [range]}),
        json!({"Due": {"is": range}}),
        json!({"Due": {"from": "tomorrow", "to": "in 4 days"}}),
        json!({"Due": {"after": "today", "before": "in five days"}}),
        json!({"Due": {"on_or_after": "+1 day", "on_or_before": "4 days"}}),
    ] {
        assert_eq!(count(&office, same.clone()).await, wanted, "{same}");
    }
    let refused =
        office.refusal("query_database", json!({"database": "Tasks", "where": {"Due": {"before": range}}}));
    let error = refused.await.for_agent();
    assert!(error.contains("compared with one day") && error.contains(&range), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_name_after_an_at_sign_is_a_mention() {
    let office = Office::open().await;
    let text = "@Grace Mbeki, see `@Jonas` and a@b.example. @grace: ask @nobody, not \\@Aiko";
    let reply = office.call("add_comment", json!({"id": RUNBOOK, "text": text})).await;
    assert!(reply.contains("Mentions Grace Mbeki."), "{reply}");
    assert!(reply.contains("`@nobody` is nobody of this workspace and stays plain text."), "{reply}");
    let dump = office.dump();
    let comment = dump["comments"].as_array().unwrap().last().unwrap().clone();
    let runs = comment["rich_text"].as_array().unwrap();
    let mentions: Vec<&str> = runs.iter().filter_map(|run| run["mention"]["user"]["name"].as_str()).collect();
    assert_eq!(mentions, ["Grace Mbeki", "Grace Mbeki"]);
    let said: String = runs
        .iter()
        .filter_map(|run| run["text"]["content"].as_str().or(run["plain_text"].as_str()))
        .collect();
    assert_eq!(said, "@Grace Mbeki, see @Jonas and a@b.example. @Grace Mbeki: ask @nobody, not @Aiko");
    let error =
        office.refusal("add_comment", json!({"id": RUNBOOK, "text": "Hello @Jonas"})).await.for_agent();
    assert!(error.contains("Jonas Weber (") && error.contains("Jonas Lindgren ("), "{error}");
    for (tool, arguments) in [
        (
            "create_pages",
            json!({"parent": RUNBOOKS, "pages": [{"title": "On call", "markdown": "By @Jonas Lindgren"}]}),
        ),
        ("edit_content", json!({"id": RUNBOOK, "append": "By @Jonas Lindgren"})),
        (
            "edit_blocks",
            json!({"edits": [{"action": "append", "id": RUNBOOK, "markdown": "By @Jonas Lindgren"}]}),
        ),
    ] {
        let reply = office.call(tool, arguments).await;
        assert!(reply.contains("Mentions Jonas Lindgren."), "{tool}: {reply}");
        let page = if tool == "create_pages" { id_in(&reply) } else { RUNBOOK.to_owned() };
        let text = office.call("get_page", json!({"id": page})).await;
        assert!(text.contains(">Jonas Lindgren</mention-user>"), "{tool}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn new_options_are_asked_about() {
    let office = Office::asking().await;
    let change = |tags: Value| json!({"pages": [{"id": TASK, "properties": {"Tags": tags}}]});
    let asked = office.question("update_pages", change(json!({"add": ["customers"]}))).await.unwrap();
    assert!(asked.contains("`customers` is a new option of Tags; there is also `customer`."), "{asked}");
    assert_eq!(office.question("update_pages", change(json!({"add": ["customer"]}))).await, None);
    let new = json!({"parent": "Tasks", "pages": [{"title": "A", "properties": {"Priority": "Urgent"}}]});
    assert!(
        office.question("create_pages", new).await.unwrap().contains("`Urgent` is a new option of Priority")
    );
}

#[tokio::test(start_paused = true)]
async fn numbers_are_added_up_and_have_their_currency() {
    let office = Office::open().await;
    let ask = |more: Value| {
        let mut arguments = json!({"database": "Projects", "sum": "budget"});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };
    let text = office.call("query_database", ask(json!({}))).await;
    assert!(text.starts_with("3 rows of Projects: Budget (euro) 126000."), "{text}");
    let text = office.call("query_database", ask(json!({"group_by": "Status"}))).await;
    assert!(text.contains("Budget (euro) added up"), "{text}");
    assert!(text.contains("2 | 96000 | Active") && text.contains("1 | 30000 | Shipped"), "{text}");
    let error =
        office.refusal("query_database", json!({"database": "Projects", "sum": "Lead"})).await.for_agent();
    assert!(error.contains("`sum` takes a column of numbers, and Lead is people"), "{error}");
    let text = office.call("query_database", json!({"database": "Projects", "fields": ["Budget"]})).await;
    assert!(text.contains("id | Project | Budget (euro)"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn pages_of_one_name_are_told_apart_by_where_they_stand() {
    let office = Office::open().await;
    let text = office.call("search", json!({"query": "Rotate the import credentials"})).await;
    assert!(text.contains("| page in Runbooks |") && text.contains("| row in Tasks |"), "{text}");
    let page = text.lines().find(|line| line.contains("page in Runbooks")).map(id_in).unwrap();
    let text = office.call("get_page", json!({"id": page})).await;
    assert!(text.contains("Rotate the import credentials in Runbooks · "), "{text}");
    let text = office.call("move_pages", json!({"ids": [page], "parent": DESIGN})).await;
    assert!(text.contains("Rotate the import credentials from Runbooks · "), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_mentioned_page_is_shown_by_its_title() {
    let office = Office::open().await;
    let text = office.call("get_page", json!({"id": DESIGN})).await;
    assert!(text.contains(">Retry a failed import</mention-page>") && !text.contains(">Untitled<"), "{text}");
}
