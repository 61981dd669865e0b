//! What Notion leaves out of an answer: it is fetched, or said.

use connector::sandbox::{Action, Change, Rule};
use serde_json::json;

use crate::support::{DESIGN, Office, RUNBOOK, RUNBOOKS, id_in, inside};

/// working-with-markdown-content: "approximately 20,000 blocks"; here six. What is left out is asked for by its ids.
#[tokio::test(start_paused = true)]
async fn parts_that_a_page_was_too_large_for_are_filled_in() {
    let office = Office::open().await;
    let lines: Vec<String> = (0..14).map(|at| format!("Line {at}")).collect();
    let page = json!({"title": "Large", "markdown": lines.join("\n")});
    let id = id_in(&office.call("create_pages", json!({"parent": RUNBOOKS, "pages": [page]})).await);
    office.steer(json!({"markdown_records": 6})).await;
    let text = office.call("get_page", json!({"id": id})).await;
    assert_eq!(inside(&text), lines, "{text}");
    // Ten in one call; the others keep their marks.
    office.steer(json!({"markdown_records": 2})).await;
    tokio::time::sleep(std::time::Duration::from_secs(61)).await;
    let text = office.call("get_page", json!({"id": id})).await;
    assert!(text.contains("[2 parts were not loaded with the page"), "{text}");
    assert_eq!(text.matches("<unknown ").count(), 2, "{text}");
    // Those that the token does not reach are counted.
    tokio::time::sleep(std::time::Duration::from_secs(61)).await;
    office.harness().faults().add(Rule::new("GET /pages/{id}/markdown", Action::status(404)).skip(1));
    let text = office.call("get_page", json!({"id": id})).await;
    assert!(text.contains("[1 part cannot be reached with this token.]"), "{text}");
    // All of a text is not replaced where not all of it is known.
    let error = office.refusal("edit_content", json!({"id": id, "replace_all": "Other"})).await;
    assert!(error.for_agent().contains("replacing all would lose them"), "{error}");
    let error = office.refusal("get_page", json!({"id": id, "section": "Costs"})).await.for_agent();
    assert!(error.contains("12 parts of it that Notion left out may have it"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_section_is_found_wherever_its_heading_stands() {
    let office = Office::open().await;
    let markdown = "# One\nA\n<details>\n<summary>More</summary>\n\t## Two\n\tB\n\t### Three\n\tC\n\t## Four\n\tD\n</details>\n````plain text\n```\n# No heading\n````\nE\n# Five";
    let page = json!({"title": "Sections", "markdown": markdown});
    let id = id_in(&office.call("create_pages", json!({"parent": RUNBOOKS, "pages": [page]})).await);
    let section = async |name: &str| {
        inside(&office.call("get_page", json!({"id": id, "section": name})).await).join("\n")
    };
    assert_eq!(section("two").await, "\t## Two\n\tB\n\t### Three\n\tC");
    assert_eq!(section("Four").await, "\t## Four\n\tD");
    assert!(section("One").await.ends_with("# No heading\n````\nE"));
    let error = office.refusal("get_page", json!({"id": id, "section": "No heading"})).await.for_agent();
    assert!(error.contains("It has: One, Two, Three, Four, Five"), "{error}");
}

/// N4. Not every database without a title is a linked one.
#[tokio::test(start_paused = true)]
async fn a_database_without_a_title_is_not_called_linked() {
    let office = Office::open().await;
    let parent = "9a9e0000-0000-4000-8000-000000000005";
    office.ask("POST", "databases", json!({"parent": {"page_id": parent}, "title": []})).await;
    let text = office.call("get_page", json!({"id": RUNBOOK})).await;
    assert!(text.contains("<database ") && !text.contains("linked database"), "{text}");
}

/// A count tells what it has read when it can read no further.
#[tokio::test(start_paused = true)]
async fn a_count_that_is_cut_short_says_at_least() {
    let office = Office::open().await;
    office.steer(json!({"query_rows": 20})).await;
    let refused =
        || Rule::new("POST /data_sources/{id}/query", Action::rate_limit(Some("600"))).skip(1).always();
    for (more, words) in [
        (json!({"count": true}), "at least 20 rows of Tasks."),
        (json!({"sum": "Estimate"}), "at least 20 rows of Tasks: Estimate "),
        (json!({"group_by": "Status"}), "at least 20 rows of Tasks by Status"),
    ] {
        let number = office.harness().faults().add(refused());
        let mut query = json!({"database": "Tasks"});
        query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let text = office.call("query_database", query).await;
        assert!(text.starts_with(words), "{text}");
        assert!(text.contains("narrow them with `where`") && text.contains("created until 20"), "{text}");
        office.harness().faults().remove(number);
        tokio::time::sleep(std::time::Duration::from_secs(900)).await;
    }
}

/// N10. What Notion did not compute is no number, and not the same as none.
#[tokio::test(start_paused = true)]
async fn a_sum_says_what_was_not_computed() {
    let office = Office::open().await;
    let rollup =
        json!({"relation_property_name": "Tasks", "rollup_property_name": "Estimate", "function": "sum"});
    let column = json!({"properties": {"Work": {"rollup": rollup}}});
    office.ask("PATCH", "data_sources/50ce0000-0000-4000-8000-000000000002", column).await;
    let text = office.call("query_database", json!({"database": "Projects", "sum": "Work"})).await;
    assert!(text.contains(", 1 not computed by Notion"), "{text}");
    let by = json!({"database": "Projects", "sum": "Work", "group_by": "Lead"});
    let text = office.call("query_database", by).await;
    assert!(text.contains("0, 1 not computed by Notion | "), "{text}");
}

/// Blocks without words of their own say what they have.
#[tokio::test(start_paused = true)]
async fn boxes_and_cells_are_listed_with_what_is_in_them() {
    let office = Office::open().await;
    let markdown =
        "- [x] Done\n- [ ] Open\n<table>\n\t<tr>\n\t\t<td>a</td>\n\t\t<td>b</td>\n\t</tr>\n</table>";
    let page = json!({"title": "Boxes", "markdown": markdown});
    let id = id_in(&office.call("create_pages", json!({"parent": RUNBOOKS, "pages": [page]})).await);
    let text = office.call("get_blocks", json!({"id": id})).await;
    assert!(text.contains("to_do | [x] Done") && text.contains("to_do | [ ] Open"), "{text}");
    let table = text.lines().find(|line| line.contains("| table")).unwrap();
    let rows = office.call("get_blocks", json!({"id": id_in(table)})).await;
    assert!(rows.contains("table_row | a | b"), "{rows}");
}

/// 529 is as 429: nothing was executed (request-limits), also where the edge before Notion says so.
#[tokio::test(start_paused = true)]
async fn an_overloaded_notion_is_waited_for() {
    let office = Office::open().await;
    for action in [Action::status(529), Action::Html { code: 529 }] {
        office.harness().faults().add(Rule::new("POST /pages", action));
        let row = json!({"parent": "Tasks", "pages": [{"title": "Once"}]});
        let text = office.call("create_pages", row).await;
        assert!(text.starts_with("Created 1 page"), "{text}");
    }
    let once = json!({"database": "Tasks", "where": {"Task": {"equals": "Once"}}, "count": true});
    assert!(office.call("query_database", once).await.starts_with("2 rows"));
    let rule = office.harness().faults().add(Rule::new("GET /users/me", Action::status(529)).always());
    let error = office.refusal("whoami", json!({})).await;
    assert_eq!(error.kind(), connector::Kind::RateLimited, "{error}");
    office.harness().faults().remove(rule);
}

/// N8. A view that Notion did not save as it was asked to is not told as saved.
#[tokio::test(start_paused = true)]
async fn a_view_is_compared_with_what_was_asked() {
    let office = Office::open().await;
    let changes = vec![Change::set("/filter", serde_json::Value::Null)];
    office.harness().faults().add(Rule::new("POST /views", Action::Patch { changes }));
    let view = json!({"database": "Tasks", "name": "High", "where": {"Priority": "High"}});
    let error = office.refusal("save_view", view).await;
    assert_eq!(error.kind(), connector::Kind::Upstream, "{error}");
    assert!(error.for_agent().contains("without its where"), "{error}");
}

/// status-codes: `row_limit_exceeded`.
#[tokio::test(start_paused = true)]
async fn a_table_that_is_full_is_told_as_full() {
    let office = Office::open().await;
    office.steer(json!({"row_limit": 10})).await;
    let row = json!({"parent": "Tasks", "pages": [{"title": "One too many"}]});
    let error = office.refusal("create_pages", row).await;
    assert_eq!(error.kind(), connector::Kind::Conflict, "{error}");
    assert!(error.for_agent().contains("The table is full"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_mark_between_columns_stays_what_it_is() {
    let office = Office::open().await;
    let row = json!({"title": "a|b", "properties": {"Notes": "c | d"}});
    office.call("create_pages", json!({"parent": "Tasks", "pages": [row]})).await;
    let query = json!({"database": "Tasks", "where": {"Task": "a|b"}, "fields": ["Notes"]});
    assert!(office.call("query_database", query).await.contains(r"| a\|b | c \| d"));
    assert!(office.call("get_page", json!({"id": DESIGN})).await.contains("Import API v2"));
}
