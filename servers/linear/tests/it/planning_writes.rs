//! What projects, milestones, documents, updates, labels, attachments and the inbox become by writes,
//! and what the replies say of it.

use crate::planning_support::{SHOWN_OTHERWISE, site, site_with};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use connector::sandbox::{Action, Rule};
use serde_json::json;

#[tokio::test]
async fn a_project_is_created_previewed_first_and_changed_field_by_field() {
    let site = site().await;
    let new = json!({
        "name": "Parcel labels", "teams": ["GRO", "ENG"], "status": "Planned", "lead": "maya", "priority": "high",
        "summary": "Print labels from the shelf", "content": "# Why\nAsked for by three shops.",
        "target_date": site.day(90), "initiative": "Grow in food retail",
    });
    let mut dry = new.clone();
    dry["dry_run"] = json!(true);
    insta::assert_snapshot!("save_project_dry_run", site.call("save_project", dry).await);
    assert_eq!(site.sent("CreateProject"), 0);
    insta::assert_snapshot!("save_project_created", site.call("save_project", new).await);
    let change = json!({"id": "Parcel labels", "status": "started", "clear": ["lead"], "teams": ["GRO"], "target_date": site.day(120), "priority": "high"});
    insta::assert_snapshot!("save_project_changed", site.call("save_project", change.clone()).await);
    let again = site.call("save_project", change).await;
    assert!(again.starts_with("Nothing to change"), "{again}");
    let stale =
        json!({"id": "Parcel labels", "name": "Labels", "expected_updated_at": "2020-01-01T00:00:00Z"});
    let stale = site.call("save_project", stale).await;
    assert!(stale.starts_with("ERROR conflict: The project Parcel labels was changed at"), "{stale}");
}

#[tokio::test]
async fn a_project_needs_what_linear_needs() {
    let site = site().await;
    for (arguments, says) in [
        (json!({}), "A new project needs `name`"),
        (json!({"name": " "}), "`name` is empty"),
        (json!({"name": "X"}), "`team` is missing"),
        (json!({"name": "X", "teams": ["ENG"], "target_date": "soon"}), "`target_date`: `soon` is no time"),
        (json!({"name": "X", "teams": ["ENG"], "lead": "nobody"}), "There is no person `nobody`"),
        (json!({"name": "X", "teams": ["ENG"], "priority": "9"}), "is not a priority"),
        (json!({"name": "X", "teems": ["ENG"]}), "Did you mean `teams`?"),
    ] {
        let text = site.call("save_project", arguments).await;
        assert!(text.starts_with("ERROR") && text.contains(says), "{text}");
    }
    assert_eq!(site.sent("CreateProject"), 0);
}

#[tokio::test]
async fn a_create_cut_off_after_it_was_done_makes_one_project() {
    let site = site().await;
    site.harness().faults().add(Rule::new("CreateProject", Action::CloseAfter));
    let text = site.call("save_project", json!({"name": "Only once", "teams": ["ENG"]})).await;
    assert!(text.starts_with("Created the project Only once"), "{text}");
    assert_eq!(site.sent("CreateProject"), 2);
    let found = site.call("list_projects", json!({"query": "Only once"})).await;
    assert!(found.starts_with("1 project"), "{found}");
}

#[tokio::test]
async fn what_linear_did_not_take_is_told() {
    let site = site().await;
    let fault = Action::patch("/data/projectUpdate/project/targetDate", json!(null));
    site.harness().faults().add(Rule::new("UpdateProject", fault));
    let text = site
        .call(
            "save_project",
            json!({"id": "Reliability Q4", "name": "Reliability", "target_date": site.day(40)}),
        )
        .await;
    insta::assert_snapshot!("save_project_partly_taken", text);
}

#[tokio::test]
async fn milestones_are_created_once_and_changed_by_name() {
    let site = site().await;
    let new = json!({"project": "Import API v2", "name": "Docs", "target_date": site.day(50), "description": "Guide"});
    insta::assert_snapshot!("save_milestone_created", site.call("save_milestone", new.clone()).await);
    let twice = site.call("save_milestone", new).await;
    assert!(twice.starts_with("ERROR conflict") && twice.contains("give its name as `id`"), "{twice}");
    let moved =
        json!({"project": "Import API v2", "id": "docs", "clear": ["target_date"], "name": "Documentation"});
    insta::assert_snapshot!("save_milestone_changed", site.call("save_milestone", moved).await);
    let unknown =
        site.call("save_milestone", json!({"project": "Import API v2", "id": "Launch", "name": "x"})).await;
    assert!(unknown.starts_with("ERROR not_found: There is no milestone `Launch`"), "{unknown}");
}

#[tokio::test]
async fn a_document_is_created_and_edited_under_guard() {
    let site = site().await;
    let new =
        json!({"title": "Rollback", "content": "# Steps\n1. Stop\n2. Undo\n", "project": "Reliability Q4"});
    insta::assert_snapshot!("save_document_created", site.call("save_document", new).await);
    let edit = json!({"id": "Rollback", "edits": [{"old": "2. Undo", "new": "2. Undo the release\n3. Tell support"}]});
    let mut dry = edit.clone();
    dry["dry_run"] = json!(true);
    insta::assert_snapshot!("save_document_dry_run", site.call("save_document", dry).await);
    insta::assert_snapshot!("save_document_edited", site.call("save_document", edit.clone()).await);
    let read = site.call("get_document", json!({"id": "Rollback", "section": "steps"})).await;
    assert!(read.contains("3. Tell support"), "{read}");
    let gone = site
        .call("save_document", json!({"id": "Rollback", "edits": [{"old": "2. Undo\n", "new": ""}]}))
        .await;
    assert!(gone.starts_with("ERROR conflict: `edits`: the text has no"), "{gone}");
    let stale = json!({"id": "Rollback", "content": "x", "expected_updated_at": "2020-01-01T00:00:00Z"});
    let stale = site.call("save_document", stale).await;
    assert!(stale.starts_with("ERROR conflict") && stale.contains("Nothing was written"), "{stale}");
    assert_eq!(site.sent("UpdateDocument"), 1);
}

#[tokio::test]
async fn a_document_is_edited_as_it_is_shown() {
    let site = site().await;
    for (title, stored, old, after) in SHOWN_OTHERWISE {
        let new = json!({"title": title, "content": stored, "team": "ENG"});
        let text = site.call("save_document", new).await;
        assert!(text.starts_with("Created the document "), "{text}");
        let content = || {
            let state = site.dump();
            let all = state["Document"].as_array().unwrap();
            all.iter().find(|row| row["title"] == title).unwrap()["content"].clone()
        };
        assert_eq!(content(), stored);
        let edits = json!([{"old": old, "new": "a\nc"}]);
        let text = site.call("save_document", json!({"id": title, "edits": edits})).await;
        assert!(text.starts_with("Changed the document "), "{text}");
        assert_eq!(content(), after);
    }
}

#[tokio::test]
async fn a_document_belongs_to_one_thing() {
    let site = site().await;
    let nowhere = site.call("save_document", json!({"title": "X"})).await;
    assert!(nowhere.contains("needs one of `project`, `issue`, `initiative` and `team`"), "{nowhere}");
    let two = site.call("save_document", json!({"title": "X", "team": "ENG", "issue": "ENG-1"})).await;
    assert!(two.contains("belongs to one of"), "{two}");
    for place in
        [json!({"issue": "ENG-27"}), json!({"initiative": "Trustworthy imports"}), json!({"team": "ENG"})]
    {
        let mut arguments = place.clone();
        arguments["title"] = json!("Notes");
        let text = site.call("save_document", arguments).await;
        assert!(
            text.starts_with("Created the document Notes") && !text.contains("not accepted"),
            "{place}: {text}"
        );
    }
}

#[tokio::test]
async fn a_status_update_is_posted_once() {
    let site = site().await;
    let post = json!({"project": "Import API v2", "health": "on_track", "body": "Two clean nights."});
    let mut dry = post.clone();
    dry["dry_run"] = json!(true);
    insta::assert_snapshot!("post_status_update_dry_run", site.call("post_status_update", dry).await);
    site.harness().faults().add(Rule::new("PostProjectUpdate", Action::CloseAfter));
    insta::assert_snapshot!("post_status_update", site.call("post_status_update", post).await);
    let listed = site.call("list_status_updates", json!({"project": "Import API v2"})).await;
    assert_eq!(listed.matches("Two clean nights.").count(), 1, "{listed}");
    let initiative = json!({"initiative": "Trustworthy imports", "health": "atRisk", "body": "Wait."});
    let text = site.call("post_status_update", initiative).await;
    assert!(text.starts_with("Posted a status update on the initiative Trustworthy imports"), "{text}");
    let neither = site.call("post_status_update", json!({"health": "at_risk", "body": "x"})).await;
    assert!(neither.contains("exactly one of"), "{neither}");
}

#[tokio::test]
async fn labels_are_made_in_groups_and_teams() {
    let site = site().await;
    let new = json!({"name": "exporter", "group": "area", "team": "ENG", "color": "#FA0", "description": "Files out"});
    insta::assert_snapshot!("save_label_created", site.call("save_label", new.clone()).await);
    let twice = site.call("save_label", new).await;
    assert!(twice.starts_with("ERROR conflict: There is a label `area/exporter` (ENG) already"), "{twice}");
    let renamed =
        site.call("save_label", json!({"id": "area/exporter", "name": "export", "color": "#ffaa00"})).await;
    insta::assert_snapshot!("save_label_changed", renamed);
    let not_group = site.call("save_label", json!({"name": "x", "group": "Bug"})).await;
    assert!(
        not_group.contains("There is no label `Bug`") && not_group.contains("group of labels"),
        "{not_group}"
    );
    let workspace = site.call("save_label", json!({"name": "Region", "is_group": true})).await;
    assert!(workspace.starts_with("Created the label Region in the workspace"), "{workspace}");
}

#[tokio::test]
async fn an_address_is_attached_once_and_a_pull_request_is_linked() {
    let site = site().await;
    let page =
        json!({"issue": "ENG-27", "url": "https://status.example.com/incidents/7", "title": "Incident 7"});
    insta::assert_snapshot!("attach_url", site.call("attach", page.clone()).await);
    let again = site.call("attach", page).await;
    assert!(again.starts_with("Nothing to change"), "{again}");
    let retitled = json!({"issue": "ENG-27", "url": "https://status.example.com/incidents/7", "title": "Incident seven"});
    insta::assert_snapshot!("attach_url_changed", site.call("attach", retitled).await);
    let pull = json!({"issue": "ENG-27", "url": "https://github.com/harbor-example/import-api/pull/490"});
    let pull = site.call("attach", pull).await;
    assert!(pull.starts_with("Attached") && site.sent("AttachPullRequest") == 1, "{pull}");
    let bad = site.call("attach", json!({"issue": "ENG-27", "url": "javascript:alert(1)"})).await;
    assert!(
        bad.starts_with("ERROR invalid_argument: `url`: `javascript:alert(1)` is not a web address"),
        "{bad}"
    );
}

#[tokio::test]
async fn a_file_is_uploaded_and_attached() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("trace.log"), b"line\n").unwrap();
    let site = site_with(Some(root.path().to_owned())).await;
    let image = json!({"issue": "ENG-27", "content": STANDARD.encode(b"\x89PNG"), "filename": "shot.png"});
    let mut dry = image.clone();
    dry["dry_run"] = json!(true);
    insta::assert_snapshot!("attach_file_dry_run", site.call("attach", dry).await);
    assert_eq!(site.sent("FileUpload"), 0);
    let text = site.raw("attach", image).await;
    assert!(text.starts_with("Uploaded shot.png (4 bytes) and attached it to ENG-27"), "{text}");
    assert!(text.contains("in Markdown: ![shot.png]("), "{text}");
    let file = site.raw("attach", json!({"issue": "ENG-27", "path": "trace.log", "title": "Trace"})).await;
    assert!(file.starts_with("Uploaded trace.log (5 bytes)") && file.contains("title: Trace"), "{file}");
    let outside = site.call("attach", json!({"issue": "ENG-27", "path": "../secret"})).await;
    assert!(outside.starts_with("ERROR policy:"), "{outside}");
    assert!(site.harness().journal().entries().iter().filter(|entry| entry.method == "PUT").count() == 2);
}

#[tokio::test]
async fn without_an_upload_folder_no_file_is_read() {
    let site = site().await;
    let text = site.call("attach", json!({"issue": "ENG-27", "path": "/etc/hostname"})).await;
    assert!(text.starts_with("ERROR policy: This server reads no files"), "{text}");
}

#[tokio::test]
async fn notifications_are_marked_and_snoozed() {
    let site = site().await;
    let ids = json!(["7dd6fd03-8f38-46d1-b0a6-fead172733a2", "e698d0cf-ca93-4ef0-9e4c-cede37799be1"]);
    insta::assert_snapshot!(
        "mark_notification",
        site.call("mark_notification", json!({"ids": ids, "read": true})).await
    );
    let left = site.call("list_notifications", json!({})).await;
    assert!(!left.contains("Northwind expansion,") && left.contains("2 unread in all"), "{left}");
    let snoozed = json!({"ids": ["18e30d2c-6b8d-4be4-9e13-7a0e489d836b"], "snooze_until": site.day(7)});
    let text = site.call("mark_notification", snoozed).await;
    assert!(text.starts_with("Marked 1 notification as snoozed until"), "{text}");
    let unknown = site.call("mark_notification", json!({"ids": ["nope"], "read": true})).await;
    assert!(unknown.starts_with("ERROR not_found"), "{unknown}");
    let nothing = site.call("mark_notification", json!({"ids": ids})).await;
    assert!(nothing.contains("Give `read` or `snooze_until`"), "{nothing}");
}
