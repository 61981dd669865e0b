//! Searching: every word must occur, titles weigh more than bodies; the semantic search is looser.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    errors::{ApiError, Outcome},
    execute::Context,
    filter::Filter,
    store::{Row, State, derived_id, flag, text},
};

/// The rows that `searchIssues`, `searchProjects` or `searchDocuments` find, best first.
pub(super) fn search(cx: &Context<'_>, field: &str, args: &Row) -> Outcome<Vec<Arc<Row>>> {
    let ty = match field {
        "searchIssues" => "Issue",
        "searchProjects" => "Project",
        _ => "Document",
    };
    let words = words(text(args, "term").unwrap_or_default());
    if words.is_empty() {
        return Err(ApiError::invalid("term should not be empty."));
    }
    let state = cx.state();
    let mut found: Vec<(usize, &Arc<Row>)> = state
        .all(ty)
        .filter_map(|row| {
            let (title, body) = content(&state, ty, row, flag(args, "includeComments"));
            if !words.iter().all(|word| title.contains(word) || body.contains(word)) {
                return None;
            }
            let weight = words.iter().filter(|word| title.contains(*word)).count();
            let boosted = text(args, "teamId").is_some_and(|team| in_team(&state, ty, row, team));
            Some((usize::from(boosted) * words.len() + weight, row))
        })
        .collect();
    found.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| text(y, "updatedAt").cmp(&text(x, "updatedAt"))));
    Ok(found.into_iter().map(|(_, row)| Arc::clone(row)).collect())
}

/// The words of a query by meaning that count, as what such searches are made of reads a text only so far.
const MOST_WORDS: usize = 100;

/// The results of `semanticSearch`: rows that share words or their beginnings with the query.
pub(super) fn semantic(cx: &Context<'_>, args: &Row) -> Outcome<Vec<Value>> {
    let mut words = words(text(args, "query").unwrap_or_default());
    words.truncate(MOST_WORDS);
    let most = args.get("maxResults").and_then(Value::as_u64).unwrap_or(10).clamp(1, 50) as usize;
    let asked = args.get("types").and_then(Value::as_array);
    let state = cx.state();
    let engine = Filter { view: cx.view(&state), schema: cx.schema };
    let mut found: Vec<(f64, &str, &Arc<Row>)> = Vec::new();
    for (kind, ty, filter) in [
        ("issue", "Issue", "issues"),
        ("project", "Project", "projects"),
        ("initiative", "Initiative", "initiatives"),
        ("document", "Document", "documents"),
    ] {
        if asked.is_some_and(|kinds| !kinds.iter().any(|other| other == kind)) {
            continue;
        }
        let filter = args.get("filters").and_then(|filters| filters.get(filter)).and_then(Value::as_object);
        for row in state.all(ty) {
            let hidden = text(row, "archivedAt").is_some() && !flag(args, "includeArchived");
            if hidden || !filter.map_or(Ok(true), |filter| engine.passes(ty, row, filter))? {
                continue;
            }
            let (title, body) = content(&state, ty, row, false);
            let likeness: f64 = words.iter().map(|word| likeness(word, &title, &body)).sum();
            if likeness > 0.0 {
                found.push((likeness, kind, row));
            }
        }
    }
    found.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
    Ok(found
        .into_iter()
        .take(most)
        .map(|(_, kind, row)| {
            let id = text(row, "id").unwrap_or_default();
            json!({ "id": derived_id("SemanticSearchResult", id), "type": kind, format!("{kind}Id"): id })
        })
        .collect())
}

/// How much one word tells: whole in the title, whole in the body, or by its stem.
fn likeness(word: &str, title: &str, body: &str) -> f64 {
    let stem = word.get(..word.len().saturating_sub(2).max(4)).unwrap_or(word);
    if title.contains(word) {
        3.0
    } else if body.contains(word) || title.contains(stem) {
        1.0
    } else if body.contains(stem) {
        0.5
    } else {
        0.0
    }
}

fn words(term: &str) -> Vec<String> {
    let term = term.to_lowercase();
    let words = term.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// A row's title and its text, in lower case.
fn content(state: &State, ty: &str, row: &Row, comments: bool) -> (String, String) {
    let join = |keys: &[&str]| {
        keys.iter().filter_map(|key| text(row, key)).collect::<Vec<_>>().join(" ").to_lowercase()
    };
    let (title, mut body) = match ty {
        "Issue" => (join(&["identifier", "title"]), join(&["description"])),
        "Document" => (join(&["title"]), join(&["content"])),
        _ => (join(&["name"]), join(&["description", "content"])),
    };
    if comments && ty == "Issue" {
        let id = text(row, "id");
        for comment in state.all("Comment").filter(|comment| text(comment, "issueId") == id) {
            body.push('\n');
            body.push_str(&text(comment, "body").unwrap_or_default().to_lowercase());
        }
    }
    (title, body)
}

/// Whether a row belongs to the team whose results are to stand higher.
fn in_team(state: &State, ty: &str, row: &Row, team: &str) -> bool {
    let of_project = |row: &Row| {
        row.get("teamIds")
            .and_then(Value::as_array)
            .is_some_and(|teams| teams.iter().any(|other| other == team))
    };
    match ty {
        "Project" => of_project(row),
        _ => {
            let project = text(row, "projectId").and_then(|id| state.get("Project", id));
            text(row, "teamId") == Some(team)
                || ty != "Issue" && project.is_some_and(|project| of_project(project))
        }
    }
}
