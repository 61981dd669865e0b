//! What only this server does, seen from outside.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on says where")]

use connector::{Kind, testing::Sandboxed};
use serde_json::json;
use template_mcp::Template;

/// What the vendor's refusals mean is the one table that a server writes by itself.
#[tokio::test(start_paused = true)]
async fn the_vendors_own_words_are_told_with_what_to_do() {
    let server = Sandboxed::<Template>::start().await;
    let gone = server.refuses("get_note", json!({"id": "note_999"})).await;
    assert_eq!(gone.for_agent(), "not_found: There is no note note_999. search lists what there is.");
    let long = "x".repeat(201);
    let refused = server.refuses("create_note", json!({"title": long, "text": "x"})).await;
    assert_eq!(refused.kind(), Kind::InvalidArgument, "{refused}");
    assert!(refused.for_agent().contains("title"), "{refused}");
}

/// An id is one segment of a route, whatever stands in it.
#[tokio::test(start_paused = true)]
async fn an_id_leads_to_no_other_route() {
    let server = Sandboxed::<Template>::start().await;
    for id in ["..", "../notes", "%2e%2e", "note_001/../..", "https://evil.example"] {
        server.refuses("get_note", json!({"id": id})).await;
    }
    assert_eq!(server.sent("GET /notes"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_made_is_found() {
    let server = Sandboxed::<Template>::start().await;
    let made = server.text("create_note", json!({"title": "Runbook", "text": "At night."})).await;
    assert!(made.starts_with("Created the note note_041 \"Runbook\"."), "{made}");
    let found = server.text("search", json!({"query": "runbook night"})).await;
    assert!(found.contains("note_041 Runbook"), "{found}");
}
