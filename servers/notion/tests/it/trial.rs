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
    assert!(text.contains(", +20 or more | 40\n"), "{text}");
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
        // Days in words are told besides.
        let told = count(&office, same.clone()).await;
        assert_eq!(told.lines().next(), wanted.lines().next(), "{same}");
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
    assert!(text.contains(" · Runbooks → Import API v2: design\n"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_mentioned_page_is_shown_by_its_title() {
    let office = Office::open().await;
    let text = office.call("get_page", json!({"id": DESIGN})).await;
    assert!(text.contains(">Retry a failed import</mention-page>") && !text.contains(">Untitled<"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn columns_without_a_value_are_named() {
    let office = Office::open().await;
    let bug = json!({"title": "Preview is empty", "template": "Bug report", "properties": {"Owner": "Aiko", "Priority": "Medium"}});
    let text = office.call("create_pages", json!({"parent": "Tasks", "pages": [bug]})).await;
    assert!(text.contains("Left empty: Status, Due, Tags, Estimate"), "{text}");
    assert!(text.contains("blocks: heading 2 × 3"), "{text}");
    let text = office.call("get_page", json!({"id": id_in(&text)})).await;
    assert!(text.contains("Empty: Status, Due, Tags"), "{text}");
    assert!(text.contains("Customer facing: no"), "{text}");
    let rows = json!([{"title": "A", "properties": {"Quarter": "Q1"}}, {"title": "B"}]);
    let text = office.call("create_pages", json!({"parent": "Features", "pages": rows})).await;
    assert!(text.contains("Left empty: Quarter in 1 of 2"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn columns_that_are_not_shown_are_named() {
    let office = Office::open().await;
    let add = json!({"database": "Features", "add": {"Reviewed": "checkbox", "Found": "date"}});
    office.call("update_schema", add).await;
    let text = office.call("query_database", json!({"database": "Features"})).await;
    assert!(text.contains("id | Feature | Quarter | Reviewed"), "{text}");
    assert!(text.contains("| Undo an import | Q2 | no\n"), "{text}");
    assert!(text.contains("Empty in these rows: Found."), "{text}");
    let text = office.call("query_database", json!({"database": "Tasks"})).await;
    assert!(text.contains("Columns not shown: ") && text.contains("Customer facing"), "{text}");
    let feature = text_id(&office, "Undo an import", "Features").await;
    let update = json!({"pages": [{"id": feature, "properties": {"Reviewed": true}}]});
    let text = office.call("update_pages", update).await;
    assert!(text.contains("Reviewed no → yes"), "{text}");
}

/// The id of a row of a table.
async fn text_id(office: &Office, title: &str, table: &str) -> String {
    let text = office.call("query_database", json!({"database": table})).await;
    text.lines().find(|line| line.contains(title)).map(id_in).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_database_s_own_title_is_told_and_finds_its_tables() {
    let office = Office::open().await;
    let text = office.call("get_database", json!({"database": "Features"})).await;
    assert!(text.contains(", in the database Roadmap db0000"), "{text}");
    for arguments in [json!({"query": "roadmap"}), json!({"query": "roadmap", "type": "database"})] {
        let text = office.call("search", arguments).await;
        assert!(text.contains("table of the database Roadmap | Features |"), "{text}");
        assert!(text.contains("table of the database Roadmap | Bugs |") && !text.contains("Tasks"), "{text}");
    }
    let database = id_in(text.split("in the database").nth(1).unwrap());
    for (tool, arguments) in [
        ("get_database", json!({"database": "roadmap"})),
        ("get_page", json!({"id": database})),
        ("create_pages", json!({"parent": "Roadmap", "pages": [{"title": "A"}]})),
    ] {
        let error = office.refusal(tool, arguments).await.for_agent();
        assert!(error.contains("The database Roadmap has 2 tables: Features ("), "{tool}: {error}");
    }
    // The one table of a database by its title.
    let made = json!({"parent": RUNBOOKS, "title": "Drills", "columns": {"Outcome": "select(Good, Bad)"}});
    office.call("create_database", made).await;
    let error = office.refusal("get_database", json!({"database": "Nothing"})).await.for_agent();
    assert!(
        error.contains("There are: ") && error.contains("Features") && error.contains("Drills"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_made_of_a_body_is_told() {
    let office = Office::open().await;
    let markdown = "## When\n1. One\n2. Two\n3. Three\n<callout icon=\"⚠️\" color=\"red_bg\">\n\tNobody alone\n</callout>";
    let page = json!({"title": "Remove duplicates", "markdown": markdown});
    let text = office.call("create_pages", json!({"parent": "Runbooks", "pages": [page]})).await;
    assert!(text.contains("blocks: heading 2, numbered list item × 3, callout"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn groups_have_a_header_and_a_total() {
    let office = Office::open().await;
    let asked = json!({"database": "Tasks", "where": {"Status": {"not": "Done"}}, "group_by": "Owner", "sum": "Estimate"});
    let text = office.call("query_database", asked).await;
    assert!(text.starts_with("30 rows of Tasks by Owner, Estimate added up: 104"), "{text}");
    assert!(text.contains("\nrows | Estimate | Owner\n7 | 27 | Aiko Tanaka"), "{text}");
    let text = office.call("query_database", json!({"database": "Tasks", "group_by": "Status"})).await;
    assert!(text.contains("\nrows | Status\n10 | Backlog\n12 | To do\n"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_word_in_no_title_may_be_of_a_page_that_is_not_shared() {
    let office = Office::open().await;
    let text = office.call("search", json!({"query": "salaries"})).await;
    assert!(text.contains("What is not shared with this connection is not found"), "{text}");
    assert!(!text.contains("fewer words") && text.contains("Tables: ") && text.contains("Tasks"), "{text}");
    let text = office.call("search", json!({"query": "salaries of engineers"})).await;
    assert!(text.contains("Try fewer words"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn rows_are_left_out_where_pages_are_asked_for() {
    let office = Office::open().await;
    let text = office.call("search", json!({"type": "page", "limit": 50})).await;
    assert!(text.starts_with("10 results"), "{text}");
    assert!(text.contains("| Runbooks |") && !text.contains("row in"), "{text}");
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let text = office.call("search", json!({"type": "page", "limit": 4, "cursor": cursor})).await;
        seen.extend(text.lines().filter(|line| line.contains("| page")).map(str::to_owned));
        cursor = text.split_once("cursor \"").map(|(_, rest)| rest.split('"').next().unwrap().to_owned());
        if cursor.is_none() {
            break;
        }
    }
    let all: Vec<&str> = text.lines().filter(|line| line.contains("| page")).collect();
    assert_eq!(seen, all);
    let text = office.call("search", json!({"type": "row", "query": "Rotate the import credentials"})).await;
    assert!(text.starts_with("1 result") && text.contains("row in Tasks"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_view_tells_its_filter_and_works_by_name() {
    let office = Office::open().await;
    let own = "where Status does not equal Done and Due is not empty; sorted by Due";
    let text = office.call("get_database", json!({"database": "Tasks"})).await;
    assert!(text.contains(&format!("| Open, by due date (table) | {own}")), "{text}");
    assert!(text.contains("All tasks (table) | all rows"), "{text}");
    assert!(
        text.contains("status (To-do: Backlog, To do; In progress: In progress, In review; Complete: Done)"),
        "{text}"
    );
    for more in [json!({}), json!({"count": true}), json!({"group_by": "Status"})] {
        let mut asked = json!({"database": "Tasks", "view": "open, by due date"});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let text = office.call("query_database", asked).await;
        assert!(text.contains(&format!("The view's own: {own}.")) && !text.contains("| Done"), "{text}");
    }
    let view = json!({"view": "f1e30000000040008000000000000002", "count": true});
    assert!(office.call("query_database", view).await.contains(&format!("The view's own: {own}.")));
    let error =
        office.refusal("query_database", json!({"database": "Tasks", "view": "Open"})).await.for_agent();
    assert!(error.contains("There are: All tasks; Open, by due date; Board"), "{error}");
    let error = office.refusal("query_database", json!({"database": "Open, by due date"})).await.for_agent();
    assert!(error.contains("a view as `view`"), "{error}");
    let text = office
        .call("save_view", json!({"database": "Tasks", "view": "Open, by due date", "sort": ["-Due"]}))
        .await;
    assert!(text.contains("Changed the view Open, by due date of Tasks"), "{text}");
    let text = office.call("delete_view", json!({"database": "Tasks", "view": "Board"})).await;
    assert!(text.contains("Deleted the board view Board of Tasks"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_page_is_found_by_its_exact_title() {
    let office = Office::open().await;
    let text = office.call("get_page", json!({"id": "runbooks"})).await;
    assert!(text.starts_with(&format!("Runbooks in Engineering · {RUNBOOKS}")), "{text}");
    let text = office.call("list_comments", json!({"id": "Northwind"})).await;
    assert!(text.contains("comment"), "{text}");
    let error =
        office.refusal("trash_pages", json!({"ids": ["Rotate the import credentials"]})).await.for_agent();
    assert!(error.contains("2 are called Rotate the import credentials: "), "{error}");
    assert!(error.contains("page in Runbooks (") && error.contains("row in Tasks ("), "{error}");
    let error = office.refusal("get_page", json!({"id": "Rotate"})).await.for_agent();
    assert!(error.contains("No page is called exactly Rotate. There are: Rotate the import"), "{error}");
    let text =
        office.call("move_pages", json!({"ids": ["Retry a failed import"], "parent": "Onboarding"})).await;
    assert!(text.contains("Moved 1 page under Onboarding"), "{text}");
    // A page and a table of one name are not guessed between.
    office.call("create_pages", json!({"parent": "Runbooks", "pages": [{"title": "Tasks"}]})).await;
    let error = office
        .refusal("create_pages", json!({"parent": "Tasks", "pages": [{"title": "A"}]}))
        .await
        .for_agent();
    assert!(error.contains("2 are called Tasks: ") && error.contains("table"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn numbers_of_a_page_have_their_currency() {
    let office = Office::open().await;
    let text = office.call("get_page", json!({"id": "Second region"})).await;
    assert!(text.contains("Budget (euro): 30000"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn rows_are_sorted_by_people() {
    let office = Office::open().await;
    let asked = json!({"database": "Projects", "sort": ["Lead"], "fields": ["Lead"]});
    let text = office.call("query_database", asked).await;
    let leads: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("b40e"))
        .filter_map(|line| line.rsplit(" | ").next())
        .collect();
    assert_eq!(leads, ["Jonas Weber", "Sofia Rossi", "Tomás Herrera"]);
}
