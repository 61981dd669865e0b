//! Conditions by what a column is, views, and what is said of both.

use connector::Kind;
use serde_json::{Value, json};

use crate::support::{Office, RUNBOOKS};

async fn count(office: &Office, conditions: Value) -> usize {
    let query = json!({"database": "Tasks", "where": conditions, "count": true});
    let text = office.call("query_database", query).await;
    text.split(' ').next().unwrap().parse().unwrap()
}

/// Formulas and rollups are compared as what they give.
#[tokio::test(start_paused = true)]
async fn a_formula_and_a_rollup_are_compared_by_their_type() {
    let office = Office::open().await;
    let all = count(&office, json!({})).await;
    let some = count(&office, json!({"Points": {"not_empty": true}})).await;
    assert_eq!(some + count(&office, json!({"Points": {"empty": true}})).await, all);
    assert!(some > 0);
    assert_eq!(count(&office, json!({"Points": 10})).await, count(&office, json!({"Estimate": 5})).await);
    assert_eq!(
        count(&office, json!({"Points": {"gt": 6}})).await,
        count(&office, json!({"Estimate": {"gt": 3}})).await
    );
    let text = json!({"database": "Tasks", "where": {"Points": {"contains": "1"}}});
    let error = office.refusal("query_database", text).await;
    assert!(error.for_agent().contains("It takes: equals, not, gt, lt, gte, lte, empty"), "{error}");
    let projects = json!({"database": "Projects", "where": {"Task count": {"gt": 3}}});
    assert!(office.call("query_database", projects).await.contains("Signup"));
    let shown = json!({"relation_property_name": "Project", "rollup_property_name": "Status", "function": "show_original"});
    let column = json!({"properties": {"Project status": {"rollup": shown}, "Project name": {"rollup": {
        "relation_property_name": "Project", "rollup_property_name": "Project", "function": "show_original"}}}});
    office.ask("PATCH", "data_sources/50ce0000-0000-4000-8000-000000000001", column).await;
    let named = count(&office, json!({"Project name": {"contains": "Signup"}})).await;
    assert_eq!(named, count(&office, json!({"Project": "Signup"})).await);
    let others = count(&office, json!({"Project name": {"does_not_contain": "Signup"}})).await;
    assert_eq!(others, all - named);
    let none = count(&office, json!({"Project": {"empty": true}})).await;
    assert_eq!(count(&office, json!({"Project name": {"empty": true}})).await, none);
}

/// What a type does not take is told with what it takes, before Notion is asked.
#[tokio::test(start_paused = true)]
async fn an_operator_is_held_against_the_type() {
    let office = Office::open().await;
    for (conditions, takes) in [
        (json!({"Status": {"contains": "Do"}}), "equals, not, empty"),
        (json!({"Files": "x"}), "It takes: empty"),
        (json!({"Customer facing": {"empty": true}}), "equals, not"),
        (json!({"Tags": {"gt": 1}}), "contains, not, empty"),
        (json!({"Due": {"contains": "2026"}}), "before, after"),
    ] {
        let query = json!({"database": "Tasks", "where": conditions});
        let error = office.refusal("query_database", query).await;
        assert_eq!(error.kind(), Kind::InvalidArgument);
        assert!(error.for_agent().contains(takes), "{error}");
    }
    // Notion has no word for any day but one.
    let due = count(&office, json!({"Due": "today"})).await
        + count(&office, json!({"Due": {"not": "today"}})).await;
    assert_eq!(due, count(&office, json!({})).await);
    let ranged = json!({"Due": {"not": "2020-01-01/2099-12-31"}});
    assert_eq!(count(&office, ranged).await, count(&office, json!({"Due": {"empty": true}})).await);
}

/// The reply says the days that were asked for.
#[tokio::test(start_paused = true)]
async fn days_in_words_are_told_as_days() {
    let office = Office::open().await;
    let due = json!({"Due": {"before": "in 3 days"}});
    let text = office.call("query_database", json!({"database": "Tasks", "where": due.clone()})).await;
    assert!(text.contains("Asked for: Due before 20") && text.contains("days are in UTC"), "{text}");
    let text = office
        .call("query_database", json!({"database": "Tasks", "where": due.clone(), "count": true}))
        .await;
    assert!(text.contains("Asked for: Due before 20"), "{text}");
    let plain = json!({"database": "Tasks", "where": {"Due": {"before": "2099-01-01"}}});
    assert!(!office.call("query_database", plain).await.contains("Asked for: Due"));
    // A view keeps them.
    let text = office.call("save_view", json!({"database": "Tasks", "name": "Soon", "where": due})).await;
    assert!(text.contains("where Due before 20") && text.contains("the view keeps these days"), "{text}");
    // A record's own times lie in the past.
    let since =
        json!({"database": "Tasks", "where": {"last_edited_time": {"after": "monday"}}, "count": true});
    let text = office.call("query_database", since).await;
    let day = text.split("after ").nth(1).and_then(|rest| rest.get(..10)).unwrap_or_default().to_owned();
    assert!(!day.is_empty() && day <= connector::catalog::today().to_string(), "{text}");
}

#[tokio::test(start_paused = true)]
async fn views_beyond_the_first_are_found_and_counted_and_their_quick_filters_told() {
    let office = Office::open().await;
    for at in 0..45 {
        let view = json!({"data_source_id": "50ce0000-0000-4000-8000-000000000001", "name": format!("View {at}"), "type": "table"});
        office.ask("POST", "views", view).await;
    }
    let text = office.call("get_database", json!({"database": "Tasks"})).await;
    assert!(text.contains(" more, by their names in Notion"), "{text}");
    let by_name = json!({"database": "Tasks", "view": "View 44", "limit": 1});
    assert!(office.call("query_database", by_name.clone()).await.contains("The view's own: all rows"));
    let dump = office.dump();
    let views = dump["views"].as_object().unwrap();
    let id = views.iter().find(|(_, view)| view["name"] == "View 44").unwrap().0.clone();
    let status =
        dump["nodes"]["50ce0000-0000-4000-8000-000000000001"]["data"]["properties"]["Status"]["id"].clone();
    let quick = json!({"quick_filters": {status.as_str().unwrap(): {"status": {"equals": "Done"}}}});
    office.ask("PATCH", &format!("views/{id}"), quick).await;
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    let text = office.call("query_database", by_name).await;
    assert!(text.contains("its quick filters are not applied: Status equals Done"), "{text}");
}

/// N3. The id of a page is a page's, and shared.
#[tokio::test(start_paused = true)]
async fn a_page_in_the_place_of_a_table_is_told_as_one() {
    let office = Office::open().await;
    let error = office.refusal("query_database", json!({"database": RUNBOOKS})).await.for_agent();
    assert!(error.contains("This is the page Runbooks, not a table"), "{error}");
    let engineering = json!({"database": "9a9e0000000040008000000000000001"});
    let error = office.refusal("get_database", engineering).await.for_agent();
    assert!(error.contains("Tables on it: ") && error.contains("Tasks (db000000"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn people_and_pages_are_found_as_people_write_and_within_bounds() {
    let office = Office::open().await;
    for query in ["tomas", "TOMÁS h"] {
        let text = office.call("list_users", json!({"query": query})).await;
        assert!(text.contains("Tomás Herrera"), "{text}");
    }
    let first = office.call("list_users", json!({"limit": 2})).await;
    let cursor = connector::testing::cursor(&first).unwrap().to_owned();
    let second = office.call("list_users", json!({"limit": 2, "cursor": cursor})).await;
    let rows = |text: &str| {
        text.lines().filter(|line| line.starts_with("a11b0700")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(rows(&first).len() == 2 && rows(&second).len() == 2 && rows(&first) != rows(&second), "{second}");
    let text = office.call("search", json!({"parent": RUNBOOKS})).await;
    assert!(text.starts_with("2 results (edited last; under Runbooks)"), "{text}");
    let text = office.call("search", json!({"parent": "Tasks", "since": "7d", "type": "row"})).await;
    assert!(text.contains("in Tasks") && text.contains("edited since 20"), "{text}");
    let all = office.call("search", json!({"parent": "Tasks", "type": "row", "limit": 100})).await;
    assert!(all.lines().count() > text.lines().count(), "{all}");
}

/// Comments are given by pages too, with the block that they are on and the files that they have.
#[tokio::test(start_paused = true)]
async fn comments_go_on_by_cursor_and_tell_their_files() {
    let office = Office::open().await;
    let page = crate::support::POST_MORTEM;
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..5 {
        let text = office.call("list_comments", json!({"id": page, "limit": 1, "cursor": cursor})).await;
        assert!(text.starts_with("1 of 3 comments"), "{text}");
        seen.extend(text.lines().filter(|line| line.starts_with("c033")).map(|line| line[..32].to_owned()));
        cursor = connector::testing::cursor(&text).map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
    let upload = json!({"filename": "a.png", "content": "aGVsbG8="});
    let upload = crate::support::id_in(&office.call("upload_file", upload).await);
    office.call("add_comment", json!({"id": page, "text": "See", "uploads": [upload]})).await;
    let text = office.call("list_comments", json!({"id": page})).await;
    assert!(text.contains("See [image]"), "{text}");
}
