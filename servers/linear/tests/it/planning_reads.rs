//! What a model reads of projects, cycles, documents, initiatives, updates and the inbox.

use crate::planning_support::{cursor, site};
use serde_json::json;

#[tokio::test]
async fn projects_are_rows_and_names_are_filters() {
    let site = site().await;
    insta::assert_snapshot!("list_projects", site.call("list_projects", json!({})).await);
    let open = site.call("list_projects", json!({"status": "open", "team": "ENG", "lead": "none"})).await;
    assert!(open.starts_with("No projects"), "{open}");
    let by_name = site.call("list_projects", json!({"initiative": "trustworthy", "health": "at_risk"})).await;
    assert!(by_name.contains("Import API v2") && !by_name.contains("Reliability Q4"), "{by_name}");
    let unknown = site.call("list_projects", json!({"status": "Doing"})).await;
    insta::assert_snapshot!("list_projects_unknown_status", unknown);
}

#[tokio::test]
async fn a_listing_goes_on_where_it_stopped() {
    let site = site().await;
    let mut seen = Vec::new();
    let mut arguments = json!({"limit": 3});
    loop {
        let text = site.raw("list_projects", arguments.clone()).await;
        seen.extend(text.lines().filter(|line| line.contains("%]")).map(str::to_owned));
        match cursor(&text) {
            Some(next) => arguments["cursor"] = json!(next),
            None => break,
        }
    }
    let mut distinct = seen.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((seen.len(), distinct.len()), (4, 4), "{seen:?}");
}

#[tokio::test]
async fn a_project_is_read_by_name_slug_or_address() {
    let site = site().await;
    let whole = json!({"id": "Import API v2", "include": ["members", "documents", "links"]});
    insta::assert_snapshot!("get_project", site.call("get_project", whole).await);
    for id in [
        "e7b33b1741db",
        "import api",
        "https://linear.app/harbor/project/import-api-v2-e7b33b1741db/overview",
    ] {
        let text = site.call("get_project", json!({"id": id, "max_chars": 80})).await;
        assert!(text.starts_with("Project Import API v2"), "{id}: {text}");
    }
    let missing = site.call("get_project", json!({"id": "Import API v3"})).await;
    assert!(missing.contains("Did you mean") && missing.contains("`Import API v2`"), "{missing}");
}

#[tokio::test]
async fn cycles_tell_how_far_they_are() {
    let site = site().await;
    insta::assert_snapshot!("list_cycles", site.call("list_cycles", json!({"team": "ENG"})).await);
    let current = site.call("list_cycles", json!({"team": "ENG", "which": "current"})).await;
    assert!(
        current.starts_with("1 cycle") && current.contains("ENG 24 \"Imports that hold\" current"),
        "{current}"
    );
    let missing_team = site.call("list_cycles", json!({})).await;
    assert!(missing_team.contains("`team` is missing") && missing_team.contains("ENG"), "{missing_team}");
}

#[tokio::test]
async fn documents_are_listed_by_what_they_belong_to() {
    let site = site().await;
    insta::assert_snapshot!("list_documents", site.call("list_documents", json!({})).await);
    for (argument, value, title) in [
        ("project", "Reliability Q4", "Review: import timeouts"),
        ("issue", "ENG-33", "how to read the log"),
        ("team", "OPS", "On call: first ten minutes"),
        ("query", "northwind", "Northwind: plan to signature"),
    ] {
        let text = site.call("list_documents", json!({argument: value})).await;
        assert!(text.starts_with("1 document") && text.contains(title), "{argument}: {text}");
    }
}

#[tokio::test]
async fn documents_that_are_not_found_are_said_with_what_to_try() {
    let site = site().await;
    let text = site.call("list_documents", json!({"query": "zyxwvutsrq", "team": "OPS"})).await;
    assert_eq!(
        text,
        "No documents. Asked for: query zyxwvutsrq, team OPS. If some should be there, try it without `team` or with other words."
    );
}

#[tokio::test]
async fn a_document_is_read_whole_by_section_or_from_an_offset() {
    let site = site().await;
    insta::assert_snapshot!(
        "get_document",
        site.call("get_document", json!({"id": "Review: import timeouts"})).await
    );
    let cut = site.call("get_document", json!({"id": "c2cf33fafc09", "max_chars": 200})).await;
    insta::assert_snapshot!("get_document_cut", cut);
    let missing = site.call("get_document", json!({"id": "c2cf33fafc09", "section": "Budget"})).await;
    insta::assert_snapshot!("get_document_missing_section", missing);
    let several = site.call("get_document", json!({"id": "Nothing like it"})).await;
    assert!(several.starts_with("ERROR not_found: There is no document"), "{several}");
}

#[tokio::test]
async fn initiatives_show_their_projects() {
    let site = site().await;
    insta::assert_snapshot!("list_initiatives", site.call("list_initiatives", json!({})).await);
    let active = site.call("list_initiatives", json!({"status": ["active"], "limit": 50})).await;
    assert!(active.starts_with("1 initiative"), "{active}");
}

#[tokio::test]
async fn status_updates_are_read_in_full() {
    let site = site().await;
    let project = site.call("list_status_updates", json!({"project": "Import API v2", "limit": 2})).await;
    insta::assert_snapshot!("list_status_updates", project);
    let initiative = site.call("list_status_updates", json!({"initiative": "Trustworthy imports"})).await;
    assert!(initiative.starts_with("2 status updates"), "{initiative}");
    let recent = site.call("list_status_updates", json!({"since": "2d"})).await;
    assert!(recent.starts_with("2 status updates"), "{recent}");
    let both = site.call("list_status_updates", json!({"project": "x", "initiative": "y"})).await;
    assert!(both.starts_with("ERROR invalid_argument: Give exactly one"), "{both}");
}

#[tokio::test]
async fn the_inbox_shows_what_is_unread_unless_asked_otherwise() {
    let site = site().await;
    insta::assert_snapshot!("list_notifications", site.call("list_notifications", json!({})).await);
    let all = site.raw("list_notifications", json!({"unread_only": false, "limit": 2})).await;
    let next = site
        .call("list_notifications", json!({"unread_only": false, "limit": 2, "cursor": cursor(&all)}))
        .await;
    assert!(next.starts_with("2 notifications"), "{next}");
}
