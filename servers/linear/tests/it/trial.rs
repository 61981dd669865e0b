//! What misled somebody who had nothing but the list of tools: twenty tasks over the story, and what each
//! reply should have said.

use serde_json::json;

use crate::planning_support::site;

/// The first words of the rows of a reply: what is inside its fence.
fn ids(text: &str) -> Vec<&str> {
    let inside = text.lines().skip_while(|line| !line.starts_with("<data ")).skip(1);
    let rows = inside.take_while(|line| !line.starts_with("</data ")).filter(|row| !row.starts_with(' '));
    let mut ids: Vec<&str> = rows.filter_map(|row| row.split_whitespace().next()).collect();
    ids.sort_unstable();
    ids
}

/// Task 3: words in capitals or not, in any order, and what they were compared with.
#[tokio::test]
async fn a_listing_finds_all_words_however_they_are_written() {
    let site = site().await;
    for (query, found) in [
        ("flag changes", &["OPS-10"][..]),
        ("workspace DELETE", &["ENG-26"]),
        ("duplicates remove", &["ENG-27", "ENG-30", "GRO-7"]),
    ] {
        let text = site.call("list_issues", json!({"query": query})).await;
        assert_eq!(ids(&text), found, "{query}: {text}");
        assert!(text.contains("words in titles, descriptions and comments; not in labels"), "{text}");
    }
    let lower = site.call("list_issues", json!({"query": "northwind"})).await;
    let upper = site.call("list_issues", json!({"query": "NORTHWIND"})).await;
    assert_eq!(ids(&lower).len(), 10, "{lower}");
    assert_eq!(ids(&lower), ids(&upper));
    let text = site.call("list_issues", json!({"team": "OPS"})).await;
    assert!(!text.contains("words in titles"), "{text}");
}

/// Tasks 5 and 13: nobody has used just these words, but something is meant.
#[tokio::test]
async fn what_no_text_says_in_these_words_is_found_by_meaning_and_said_to_be() {
    let site = site().await;
    for (query, meant) in [("import timeouts bug", "ENG-27"), ("removal of the duplicates", "ENG-30")] {
        let text = site.call("search", json!({"query": query})).await;
        assert!(
            text.starts_with("No text has all of these words; these are near in meaning:\n"),
            "{query}: {text}"
        );
        assert!(text.contains("by meaning, nearest first") && ids(&text).contains(&meant), "{query}: {text}");
    }
    let text = site.call("search", json!({"query": "import timeouts"})).await;
    assert!(!text.contains("meaning"), "some texts have both words: {text}");
    let text = site.call("search", json!({"query": "zzzzzz"})).await;
    assert!(text.starts_with("No results."), "{text}");
}

/// Task 4: what is due before a day, without what has no date.
#[tokio::test]
async fn issues_are_found_by_the_day_they_are_due() {
    let site = site().await;
    let between = json!({"due_after": site.day(0), "due_before": site.day(5), "state": "open"});
    let text = site.call("list_issues", between).await;
    let wanted = ["ENG-18", "ENG-27", "ENG-30", "ENG-32", "GRO-5", "GRO-7", "OPS-11", "OPS-9"];
    assert_eq!(ids(&text), wanted, "{text}");
    // Neither day is among them.
    let text = site.call("list_issues", json!({"due_after": site.day(3), "due_before": site.day(5)})).await;
    assert_eq!(ids(&text), ["ENG-18", "GRO-7"], "{text}");
    let text = site.call("list_issues", json!({"due_before": "soon"})).await;
    assert!(text.starts_with("ERROR invalid_argument: `due_before`: `soon` is no time"), "{text}");
}

/// Task 17: what was finished, not what was touched.
#[tokio::test]
async fn issues_are_found_by_when_they_were_finished() {
    let site = site().await;
    let asked = json!({"completed_since": "7d", "fields": ["completed", "title"]});
    let text = site.call("list_issues", asked).await;
    assert_eq!(ids(&text), ["ENG-28", "ENG-29", "GRO-6"], "{text}");
    assert!(text.contains("ENG-28 completed D-1 16:05Z Idempotent chunk writes"), "{text}");
}

/// Task 1: what was said, and what to answer to.
#[tokio::test]
async fn the_inbox_says_what_was_said() {
    let site = site().await;
    let text = site.raw("list_notifications", json!({})).await;
    let (_, fenced) = text.split_once("<data ").unwrap();
    for said in [
        "\n  comment 9f1cc947-8d50-4e7d-9b33-c315aad80714: From conversation 20398, sender not verified:",
        "\n  comment f8c7744d-11be-4071-9253-0cc0d1abf7f4: Told Elena. She wrote: “Show me two nights and",
        "\n  update 12a86f07-16d5-4c14-9ddc-95ace3e8ef66: ",
    ] {
        assert!(fenced.contains(said), "{said}: {text}");
    }
}

/// Task 19: what is about to be lost, and no sentence about what is not there.
#[tokio::test]
async fn the_trash_says_what_goes_there_and_that_an_archive_would_keep_it() {
    let site = site().await;
    let trash = async |id: &str| {
        site.call("archive_issue", json!({"id": id, "mode": "trash", "dry_run": true})).await
    };
    let text = trash("OPS-9").await;
    let stands =
        "Move to the trash: OPS-9, Waiting (not finished), assigned to @jonas, priority urgent, due D+2";
    assert!(text.contains(stands) && text.contains("in project \""), "{text}");
    assert!(text.contains("\nIt has 1 relation, 4 comments.\n"), "{text}");
    assert!(text.contains("Mode archive hides it and keeps it.") && !text.contains("sub-issues"), "{text}");
    let text = trash("ENG-27").await;
    assert!(text.contains("It has 4 sub-issues, 6 relations, 12 comments."), "{text}");
    assert!(text.contains("Its sub-issues stay."), "{text}");
    let text = trash("OPS-10").await;
    assert!(text.contains("assigned to nobody") && !text.contains("It has"), "{text}");
}

/// Task 7: a document that nobody asked for by name.
#[tokio::test]
async fn a_project_tells_of_its_documents() {
    let site = site().await;
    let text = site.call("get_project", json!({"id": "Northwind expansion"})).await;
    assert!(text.contains("\n1 document (include documents)\n"), "{text}");
    let asked = json!({"id": "Northwind expansion", "include": ["documents"]});
    let text = site.call("get_project", asked).await;
    assert!(text.contains("Northwind: plan to signature") && !text.contains("(include"), "{text}");
    let text = site.call("get_project", json!({"id": "Reliability Q4", "include": ["members"]})).await;
    assert!(text.contains("\n1 document (include documents)\n"), "{text}");
}

/// Task 20: where it lies, and as what it comes back.
#[tokio::test]
async fn what_is_in_the_trash_says_so_and_comes_back_as_it_was() {
    let site = site().await;
    let text = site.call("search", json!({"query": "lead list", "include_archived": true})).await;
    assert!(
        text.contains("GRO-13 Canceled") && text.contains("Old lead list (in the trash since D-12)"),
        "{text}"
    );
    let asked = json!({"query": "lead list", "include_archived": true});
    let text = site.call("list_issues", asked).await;
    assert!(text.contains("Old lead list (in the trash since D-12)"), "{text}");
    let text = site.call("archive_issue", json!({"id": "GRO-13", "mode": "restore"})).await;
    assert!(text.starts_with("Restored: GRO-13, Canceled, in GRO."), "{text}");
}
