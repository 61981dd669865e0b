//! Resources, prompts and completions, as a client gets them.

use crate::planning_support::site;

#[tokio::test]
async fn every_resource_reads_as_its_tool_does() {
    let site = site().await;
    for (uri, says) in [
        ("linear://me/issues", "issues"),
        ("linear://workspace", "Harbor"),
        ("linear://issue/ENG-27", "ENG-27"),
        ("linear://issue/ENG-27/comments", "comment"),
        ("linear://project/Import%20API%20v2", "Project Import API v2"),
        ("linear://document/c2cf33fafc09", "Document Review: import timeouts"),
        ("linear://team/ENG", "Engineering"),
        ("linear://cycle/ENG/current", "Imports that hold"),
        ("linear://view/Urgent%20and%20open", "issues"),
    ] {
        let text = site.read(uri).await;
        assert!(text.contains(says) && !text.starts_with("ERROR"), "{uri}: {text}");
    }
    assert!(site.read("linear://cycle/ENG/99").await.starts_with("ERROR not_found"));
    assert!(site.read("linear://nothing").await.starts_with("ERROR not_found"));
    insta::assert_snapshot!("resource_cycle", site.read("linear://cycle/ENG/current").await);
}

#[tokio::test]
async fn prompts_gather_what_their_task_needs() {
    let site = site().await;
    insta::assert_snapshot!("prompt_triage", site.prompt("triage_issue", &[("identifier", "ENG-27")]).await);
    insta::assert_snapshot!("prompt_plan", site.prompt("plan_issue", &[("identifier", "ENG-31")]).await);
    // A day is whole, whenever the test runs.
    let standup = site.prompt("standup", &[("team", "ENG"), ("since", &site.day(-3))]).await;
    insta::assert_snapshot!("prompt_standup", standup);
    insta::assert_snapshot!("prompt_cycle_review", site.prompt("cycle_review", &[("team", "ENG")]).await);
    let update = site.prompt("draft_project_update", &[("project", "Import API v2")]).await;
    insta::assert_snapshot!("prompt_project_update", update);
    // Not two weeks: what was completed so long ago is in them or not by the hour.
    let notes = site.prompt("release_notes", &[("team", "ENG"), ("since", "17d")]).await;
    insta::assert_snapshot!("prompt_release_notes", notes);
}

#[tokio::test]
async fn a_prompt_for_what_is_not_there_says_so() {
    let site = site().await;
    assert!(site.prompt("triage_issue", &[("identifier", "ENG-9999")]).await.starts_with("ERROR not_found"));
    assert!(
        site.prompt("standup", &[("team", "NOPE")]).await.starts_with("ERROR not_found: There is no team")
    );
    let bad = site.prompt("release_notes", &[("team", "ENG"), ("since", "soon")]).await;
    assert!(bad.starts_with("ERROR invalid_argument: `since`: `soon` is no time"), "{bad}");
    assert!(site.prompt("standup", &[]).await.contains("needs `team`"));
}

#[tokio::test]
async fn completions_begin_with_what_was_typed() {
    let site = site().await;
    assert_eq!(site.complete("team", "e", &[]).await.first().map(String::as_str), Some("ENG"));
    assert_eq!(site.complete("project", "import", &[]).await, ["Import API v2"]);
    assert_eq!(site.complete("user", "jo", &[]).await, ["jonas", "jonas.lindgren"]);
    assert_eq!(site.complete("view", "urg", &[]).await, ["Urgent and open"]);
    assert_eq!(site.complete("document", "on call", &[]).await, ["On call: first ten minutes"]);
    assert!(site.complete("state", "", &[("team", "ENG")]).await.contains(&"In Progress".to_owned()));
    let labels = site.complete("label", "area/", &[("team", "ENG")]).await;
    assert!(labels.contains(&"area/importer".to_owned()), "{labels:?}");
    let cycles = site.complete("cycle", "", &[("team", "ENG")]).await;
    assert!(cycles.contains(&"24".to_owned()) && cycles.contains(&"current".to_owned()), "{cycles:?}");
    let issues = site.complete("identifier", "OPS-", &[]).await;
    assert!(!issues.is_empty() && issues.iter().all(|issue| issue.starts_with("OPS-")), "{issues:?}");
    assert!(site.complete("since", "7", &[]).await.contains(&"7d".to_owned()));
    assert!(site.complete("nothing", "", &[]).await.is_empty());
}
