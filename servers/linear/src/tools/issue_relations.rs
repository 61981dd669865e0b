//! How an issue is related to others, and what else blocks those that it blocks.

use std::collections::HashMap;

use connector::{
    Result,
    catalog::{Call, Page},
};
use serde_json::json;

use super::FROM;
use crate::{
    Linear,
    api::issues::{Issue, IssueRef},
    filter::{is_open, is_unfinished, open_blockers},
    render,
};

/// Issues of which one call looks up what else blocks them, at most.
const BLOCKED: usize = 50;

/// What blocks each of some issues and is not finished, by the UUID of what is blocked.
pub(super) type Blockers = HashMap<String, Vec<String>>;

/// What blocks those issues that `issues` block: whether they can begin depends on all of it.
pub(super) async fn blockers_of<'a>(
    call: &Call<Linear>,
    issues: impl Iterator<Item = &'a Issue>,
) -> Result<Blockers> {
    let mut ids: Vec<String> = issues
        .flat_map(|issue| &issue.relations.nodes)
        .filter(|relation| relation.kind == "blocks")
        .filter_map(|relation| relation.related_issue.as_ref())
        .filter(|blocked| is_open(blocked))
        .map(|blocked| blocked.id.clone())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(BLOCKED);
    if ids.is_empty() {
        return Ok(Blockers::new());
    }
    let blocked = call.api().blockers(&ids).await?.into_iter();
    // Where there are more than were read, nothing is said.
    let known = blocked.filter(|issue| !issue.inverse_relations.page_info.has_next_page);
    Ok(known.map(|issue| (issue.id, open_blockers(&issue.inverse_relations))).collect())
}

/// Relations from both ends, each in the word that fits this end.
pub(super) fn related(issue: &Issue) -> Vec<(&'static str, String, &IssueRef)> {
    let mut all = Vec::new();
    for relation in &issue.relations.nodes {
        if let Some(other) = &relation.related_issue {
            let word = match relation.kind.as_str() {
                "blocks" => "blocks",
                "duplicate" => "duplicate of",
                "similar" => "similar to",
                _ => "related to",
            };
            all.push((word, relation.id.clone(), other));
        }
    }
    for relation in &issue.inverse_relations.nodes {
        if let Some(other) = &relation.issue {
            let word = match relation.kind.as_str() {
                "blocks" => "blocked by",
                "duplicate" => "duplicated by",
                "similar" => "similar to",
                _ => "related to",
            };
            all.push((word, relation.id.clone(), other));
        }
    }
    all
}

/// The relations of an issue as rows.
pub(super) fn relations(issue: &Issue, blockers: &Blockers) -> Page {
    let mut page = Page::new(FROM, ("relation", "relations"));
    let blocks = is_unfinished(issue.state.as_ref());
    for (word, _, other) in related(issue) {
        let all = blockers.get(&other.id).filter(|_| word == "blocks");
        let others: Option<Vec<&str>> =
            all.map(|all| all.iter().map(String::as_str).filter(|id| *id != issue.identifier).collect());
        let still = match others.as_deref() {
            Some([]) if blocks => " (nothing else open blocks it)".to_owned(),
            Some([]) => " (nothing open blocks it any more)".to_owned(),
            Some(others) if blocks => format!(" (also blocked by {})", others.join(", ")),
            Some(others) => format!(" (still blocked by {})", others.join(", ")),
            None if word == "blocked by" && !is_open(other) => " (no longer blocks it)".to_owned(),
            None => String::new(),
        };
        page.push(
            format!("{word} {}{still}", render::issue_ref(other)),
            &json!({"type": word, "id": other.identifier}),
        );
    }
    page
}
