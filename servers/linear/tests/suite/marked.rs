//! Writes of every kind that there is in Linear, each with a marker: what a storm is made of.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ISSUE, PROJECT};
use crate::{IdForm, Marked, Sample, THE_ID, texts_of};

/// What no storm can write, and why.
pub(super) const NOT_MARKED: &[(&str, &str)] = &[
    ("mark_notification", "a notification comes of what others do: no tool makes one"),
    ("bulk_update_issues.changes.clear=description", "texts are changed one by one: it refuses this"),
    ("bulk_update_issues.filter", "it chooses issues, and the storm's are chosen by a label of their own"),
];

/// What things are before they are written to.
const BEFORE: &str = "Before the storm.";
const INITIATIVE: &str = "Trustworthy imports";
/// A group of labels, and a document.
const GROUP: &str = "Customer";
const DOCUMENT: &str = "Import jobs: design";
/// `a,b` in base64.
const BYTES: &str = "YSxi";

/// The writes.
pub(super) fn writes(marker: &str) -> Vec<Marked> {
    let mut all = creates(marker);
    all.extend(issues(marker));
    all.extend(links(marker));
    all.extend(comments(marker));
    all.extend(plans(marker));
    all.extend(labels(marker));
    all
}

fn makes(tool: &'static str, arguments: Value) -> Marked {
    Marked::makes(Sample::new(tool, arguments))
}

/// A write to an issue of its own, which has everything that can be emptied.
fn issue(title: &str, argument: &'static str, write: Sample) -> Marked {
    let made_by = json!({"title": title, "team": "ENG", "description": BEFORE, "labels": ["qa/cleanup"],
        "assignee": "me", "priority": "high", "due": "in 30d", "estimate": 3, "parent": ISSUE, "project": PROJECT});
    Marked::to(Sample::new("create_issue", made_by), IdForm::Numbered("ENG-"), argument, write)
}

/// What makes one new thing.
fn creates(marker: &str) -> Vec<Marked> {
    let address = format!("https://status.harbor.example/{marker}");
    let update = |place: &str, whose: &str, health: &str| {
        makes("post_status_update", json!({place: whose, "health": health, "body": marker}))
    };
    let file =
        json!({"issue": ISSUE, "content": BYTES, "filename": "a.csv", "title": marker, "subtitle": "Rows"});
    let whole = json!({"title": marker, "template": "Bug report", "team": "ENG", "parent": ISSUE,
        "labels": ["importer"], "links": ["https://status.harbor.example/42"], "assignee": "me"});
    vec![
        makes("create_issue", json!({"title": marker, "team": "ENG"})),
        makes("create_issue", whole),
        makes("create_issue", json!({"team": "ENG", "issues": [{"title": marker}, {"title": "Another"}]})),
        makes("save_document", json!({"title": marker, "content": "Agreed.", "project": PROJECT})),
        makes("save_document", json!({"title": marker, "content": "Agreed.", "issue": ISSUE})),
        makes("save_document", json!({"title": marker, "content": "Agreed.", "initiative": INITIATIVE})),
        makes("save_document", json!({"title": marker, "content": "Agreed.", "team": "ENG"})),
        makes(
            "save_project",
            json!({"name": marker, "teams": ["ENG"], "lead": "me", "priority": "high",
            "summary": "Calm", "content": "Calm.", "members": ["@tomas"], "initiative": INITIATIVE}),
        ),
        makes("save_milestone", json!({"project": PROJECT, "name": marker, "target_date": "in 30d"})),
        update("project", PROJECT, "on_track"),
        update("project", PROJECT, "at_risk"),
        update("initiative", INITIATIVE, "off_track"),
        makes("save_label", json!({"name": marker, "team": "ENG"})),
        makes("save_label", json!({"name": marker, "is_group": true, "color": "#5e6ad2"})),
        makes("attach", json!({"issue": ISSUE, "url": address, "title": "Status"})),
        makes("attach", file).in_texts(|state| texts_of(&state["Attachment"], "title")),
    ]
}

/// What changes an issue.
fn issues(marker: &str) -> Vec<Marked> {
    let update = |arguments| Sample::new("update_issue", arguments);
    let storm = |arguments| {
        issue("Storm", "id", update(arguments))
            .in_texts(descriptions)
            .guarded("expected_updated_at", |state, id| updated(&state["Issue"], "identifier", id))
    };
    let archive = |mode: &str| Sample::new("archive_issue", json!({"mode": mode, "id": THE_ID}));
    let edits = json!([{"old": BEFORE, "new": marker}]);
    let every = [
        "description",
        "assignee",
        "labels",
        "priority",
        "project",
        "milestone",
        "cycle",
        "due",
        "estimate",
        "parent",
    ];
    let bulk = |changes: Value| Sample::new("bulk_update_issues", json!({"changes": changes}));
    let label = json!({"name": marker, "team": "ENG"});
    let by_label =
        json!({"filter": {"labels": [marker]}, "expected_count": 1, "changes": {"priority": "urgent"}});
    vec![
        storm(json!({"title": marker})).in_texts(|state| texts_of(&state["Issue"], "title")),
        storm(json!({"description": marker})),
        storm(json!({"append": marker})),
        storm(json!({"edits": edits})),
        issue(marker, "id", update(json!({"labels": {"add": ["importer"]}})))
            .in_texts(|state| labelled(state, "importer")),
        issue(marker, "id", update(json!({"labels": {"set": ["importer"]}, "state": "In Progress"})))
            .in_texts(|state| labelled(state, "importer")),
        issue(marker, "id", update(json!({"labels": {"remove": ["qa/cleanup"]}})))
            .in_texts(|state| labelled(state, "cleanup"))
            .removes(),
        issue(marker, "id", update(json!({"clear": every})))
            .in_texts(|state| labelled(state, "cleanup"))
            .removes(),
        issue(marker, "id", archive("archive")).in_texts(kept).removes(),
        issue(marker, "id", archive("trash")).in_texts(kept).removes(),
        issue(marker, "id", archive("restore")).step(archive("archive"), None).in_texts(kept),
        issue(marker, "id", archive("restore")).step(archive("trash"), None).in_texts(kept),
        issue(marker, "ids", bulk(json!({"priority": "urgent"}))).in_texts(urgent),
        issue(marker, "ids", bulk(json!({"clear": every[1..]})))
            .in_texts(|state| labelled(state, "cleanup"))
            .removes(),
        Marked::after(Sample::new("save_label", label), Sample::new("bulk_update_issues", by_label))
            .step(
                Sample::new("create_issue", json!({"title": marker, "team": "ENG", "labels": [marker]})),
                None,
            )
            .in_texts(urgent),
    ]
}

/// What links issues, and no longer.
fn links(marker: &str) -> Vec<Marked> {
    let link = |kind: &str, remove: bool| {
        Sample::new("link_issues", json!({"from": THE_ID, "to": [ISSUE], "type": kind, "remove": remove}))
    };
    let kinds = ["related", "blocks", "blocked_by", "duplicate", "similar"];
    let mut all = kinds.map(|kind| issue(marker, "from", link(kind, false)).in_texts(linked)).to_vec();
    all.push(
        issue(marker, "from", link("blocks", true))
            .step(link("blocks", false), None)
            .in_texts(linked)
            .removes(),
    );
    all
}

/// What is said about things.
fn comments(marker: &str) -> Vec<Marked> {
    let uuid = IdForm::UuidAfter("");
    let comment = |body: &str, argument, write: Sample| {
        let made_by = Sample::new("add_comment", json!({"issue": ISSUE, "body": body}));
        Marked::to(made_by, IdForm::UuidAfter("comment "), argument, write)
    };
    let edit = |arguments: Value| Sample::new("edit_comment", arguments);
    let update = json!({"project": PROJECT, "health": "on_track", "body": BEFORE});
    let say = |arguments: Value| Sample::new("add_comment", arguments).with("body", marker);
    vec![
        Marked::makes(say(json!({"issue": ISSUE}))),
        Marked::makes(say(json!({"project": PROJECT}))),
        Marked::makes(say(json!({"document": DOCUMENT}))),
        Marked::to(Sample::new("post_status_update", update), uuid, "update", say(json!({}))),
        comment(BEFORE, "reply_to", say(json!({"issue": ISSUE}))),
        comment(BEFORE, "id", edit(json!({"body": marker}))),
        comment(marker, "id", edit(json!({"resolved": true}))).in_texts(resolved),
        comment(marker, "id", edit(json!({"resolved": false})))
            .step(edit(json!({"id": THE_ID, "resolved": true})), None)
            .in_texts(resolved)
            .removes(),
        comment(marker, "id", Sample::new("delete_comment", json!({}))).removes(),
    ]
}

/// What changes documents, projects and milestones.
fn plans(marker: &str) -> Vec<Marked> {
    let slug = IdForm::Hexadecimal(12);
    let document = |content: &str, write: Value| {
        let made_by = json!({"title": "Storm", "content": content, "project": PROJECT});
        Marked::to(Sample::new("save_document", made_by), slug, "id", Sample::new("save_document", write))
            .in_texts(|state| texts_of(&state["Document"], "content"))
            .guarded("expected_updated_at", |state, id| updated(&state["Document"], "slugId", id))
    };
    let project = |summary: &str, write: Value| {
        let made_by = json!({"name": "Storm", "teams": ["ENG"], "lead": "me", "members": ["@tomas"],
            "summary": summary, "content": "Calm.", "start_date": "2031-01-01", "target_date": "2031-03-01"});
        Marked::to(Sample::new("save_project", made_by), slug, "id", Sample::new("save_project", write))
            .in_texts(|state| texts_of(&state["Project"], "description"))
            .guarded("expected_updated_at", |state, id| updated(&state["Project"], "slugId", id))
    };
    let milestone = |name: &str, description: &str, write: Value| {
        let made_by =
            json!({"project": PROJECT, "name": name, "description": description, "target_date": "in 30d"});
        Marked::after(Sample::new("save_milestone", made_by), Sample::new("save_milestone", write))
            .in_texts(|state| texts_of(&state["ProjectMilestone"], "description"))
    };
    let every = ["lead", "members", "labels", "summary", "content", "start_date", "target_date"];
    let both = ["description", "target_date"];
    vec![
        document(BEFORE, json!({"edits": [{"old": BEFORE, "new": marker}]})),
        document(BEFORE, json!({"content": marker})),
        document(BEFORE, json!({"title": marker})).in_texts(|state| texts_of(&state["Document"], "title")),
        document(marker, json!({"clear": ["content"]})).removes(),
        project(BEFORE, json!({"summary": marker, "status": "In Progress"})),
        project(BEFORE, json!({"content": marker})).in_texts(|state| texts_of(&state["Project"], "content")),
        project(marker, json!({"clear": every})).removes(),
        milestone(marker, BEFORE, json!({"project": PROJECT, "id": marker, "description": marker})),
        milestone(marker, marker, json!({"project": PROJECT, "id": marker, "clear": both})).removes(),
    ]
}

/// What changes labels.
fn labels(marker: &str) -> Vec<Marked> {
    let label = |description: &str, group: Option<&str>, write: Sample| {
        let mut made_by =
            Sample::new("save_label", json!({"name": marker, "team": "ENG", "description": description}));
        if let Some(group) = group {
            made_by = Sample::new(
                "save_label",
                json!({"name": marker, "description": description, "group": group}),
            );
        }
        Marked::after(made_by, write).in_texts(|state| texts_of(&state["IssueLabel"], "description"))
    };
    let save = |arguments: Value| Sample::new("save_label", arguments).with("id", marker);
    vec![
        label(BEFORE, None, save(json!({"description": marker, "color": "#5e6ad2"}))),
        label(marker, Some(GROUP), save(json!({"clear": ["group", "description"]}))).removes(),
        label(BEFORE, None, Sample::new("delete_label", json!({"id": marker, "team": "ENG"})))
            .in_texts(|state| texts_of(&state["IssueLabel"], "name"))
            .removes(),
        // Many at once on one issue.
        label(BEFORE, None, Sample::new("update_issue", json!({"id": ISSUE, "labels": {"add": [marker]}})))
            .in_texts(labels_of_the_incident),
    ]
}

/// When the thing whose `key` is `id` was changed last.
fn updated(things: &Value, key: &str, id: &str) -> Option<String> {
    let thing = things.as_array()?.iter().find(|thing| thing[key] == id)?;
    thing["updatedAt"].as_str().map(str::to_owned)
}

/// The texts of issues.
fn descriptions(state: &Value) -> Vec<String> {
    texts_of(&state["Issue"], "description")
}

/// The titles of the issues of which something holds.
fn titles(state: &Value, holds: impl Fn(&Value) -> bool) -> Vec<String> {
    let issues = state["Issue"].as_array().into_iter().flatten();
    issues
        .filter(|issue| holds(issue))
        .filter_map(|issue| issue["title"].as_str().map(str::to_owned))
        .collect()
}

/// The ids and names of labels.
fn names_of_labels(state: &Value) -> BTreeMap<&str, &str> {
    let labels = state["IssueLabel"].as_array().into_iter().flatten();
    labels.filter_map(|label| Some((label["id"].as_str()?, label["name"].as_str()?))).collect()
}

/// The titles of the issues that have this label.
fn labelled(state: &Value, name: &str) -> Vec<String> {
    let labels = names_of_labels(state);
    titles(state, |issue| {
        let ids = issue["labelIds"].as_array().into_iter().flatten().filter_map(Value::as_str);
        ids.filter_map(|id| labels.get(id)).any(|label| *label == name)
    })
}

/// The names of the labels of the incident's bug.
fn labels_of_the_incident(state: &Value) -> Vec<String> {
    let labels = names_of_labels(state);
    let issues = state["Issue"].as_array().into_iter().flatten();
    let ids =
        issues.filter(|issue| issue["identifier"] == ISSUE).filter_map(|issue| issue["labelIds"].as_array());
    let ids = ids.flatten().filter_map(Value::as_str);
    ids.filter_map(|id| labels.get(id).map(|label| (*label).to_owned())).collect()
}

/// The titles of the issues that are not put away.
fn kept(state: &Value) -> Vec<String> {
    titles(state, |issue| issue["archivedAt"].is_null())
}

/// The titles of the issues of the highest priority.
fn urgent(state: &Value) -> Vec<String> {
    titles(state, |issue| issue["priority"].as_f64() == Some(1.0))
}

/// For each link between issues the titles of both.
fn linked(state: &Value) -> Vec<String> {
    let links = state["IssueRelation"].as_array().into_iter().flatten();
    let ends = links.flat_map(|link| [&link["issueId"], &link["relatedIssueId"]]);
    ends.flat_map(|end| titles(state, |issue| issue["id"] == *end)).collect()
}

/// The texts of the comments that are resolved.
fn resolved(state: &Value) -> Vec<String> {
    let comments = state["Comment"].as_array().into_iter().flatten();
    let resolved = comments.filter(|comment| comment["resolvedAt"].is_string());
    resolved.filter_map(|comment| comment["body"].as_str().map(str::to_owned)).collect()
}
