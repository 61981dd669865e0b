//! Documents as compact text.

use connector::catalog::{Reply, excerpt, one_line};
use schemars::JsonSchema;
use serde::Serialize;

use super::{day, person as at};
use crate::api::{
    documents::{Document, DocumentRow, IssueKey},
    names::{Named, TeamRef},
};

/// A document in structured content.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DocumentItem {
    id: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    belongs_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    creator: Option<String>,
    updated_at: String,
}

/// A document with its text, in structured content.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DocumentText {
    id: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    belongs_to: Option<String>,
    updated_at: String,
    url: String,
    /// The part that was asked for.
    content: String,
    /// Characters after it.
    left: usize,
}

/// A document as a row: `3f2a9c Runbook (project Checkout) @ada 2026-11-20`.
pub(crate) fn document_row(document: &DocumentRow) -> (String, DocumentItem) {
    let belongs = belongs_to(
        document.project.as_ref(),
        document.issue.as_ref(),
        document.initiative.as_ref(),
        document.team.as_ref(),
    );
    let mut row = format!("{} {}", document.slug_id, one_line(&document.title));
    if let Some(belongs) = &belongs {
        row.push_str(&format!(" ({belongs})"));
    }
    if let Some(creator) = &document.creator {
        row.push_str(&format!(" {}", at(creator)));
    }
    row.push_str(&format!(" {}", day(&document.updated_at)));
    let item = DocumentItem {
        id: document.slug_id.clone(),
        title: document.title.clone(),
        belongs_to: belongs,
        creator: document.creator.as_ref().map(|creator| creator.display_name.clone()),
        updated_at: document.updated_at.clone(),
    };
    (row, item)
}

/// A document's facts, then `text` (all of it or a section) from `offset`, at most `max_chars`.
pub(crate) fn document(
    document: &Document,
    part: Option<&str>,
    text: &str,
    offset: usize,
    max_chars: usize,
    contents: &[String],
) -> Reply {
    let belongs = place(document);
    let mut reply = Reply::new(format!("Document {}", one_line(&document.title)))
        .line(format!("id: {}", document.slug_id));
    if let Some(belongs) = &belongs {
        reply = reply.line(format!("belongs to: {belongs}"));
    }
    if let Some(creator) = &document.creator {
        reply = reply.line(format!("creator: {}", at(creator)));
    }
    let by = document.updated_by.as_ref().map(|by| format!(" by {}", at(by))).unwrap_or_default();
    reply = reply.line(format!("updated: {}{by}", document.updated_at));
    if document.trashed {
        reply = reply.line("state: in the trash");
    } else if let Some(archived) = &document.archived_at {
        reply = reply.line(format!("state: archived on {}", day(archived)));
    }
    reply = reply.line(document.url.clone());
    let (shown, more) = excerpt(text, offset, max_chars);
    let left = text.chars().count().saturating_sub(offset + shown.chars().count());
    let from = match part {
        Some(part) => format!("document, section {}", one_line(part)),
        None => "document".to_owned(),
    };
    if shown.is_empty() {
        reply = reply.line(if text.is_empty() {
            "It has no text."
        } else {
            "There is no text after that offset."
        });
    } else {
        let by = document.creator.as_ref().map(|creator| creator.display_name.as_str());
        reply = reply.outside(from, by, shown.clone());
    }
    if let Some(more) = more {
        reply = reply.line(more);
        if !contents.is_empty() {
            reply = reply.line("Its headings, each good as `section`:").outside(
                "headings",
                None,
                contents.join("\n"),
            );
        }
    }
    reply.data(&DocumentText {
        id: document.slug_id.clone(),
        title: document.title.clone(),
        belongs_to: belongs,
        updated_at: document.updated_at.clone(),
        url: document.url.clone(),
        content: shown,
        left,
    })
}

/// What a document belongs to.
pub(crate) fn place(document: &Document) -> Option<String> {
    belongs_to(
        document.project.as_ref(),
        document.issue.as_ref(),
        document.initiative.as_ref(),
        document.team.as_ref(),
    )
}

fn belongs_to(
    project: Option<&Named>,
    issue: Option<&IssueKey>,
    initiative: Option<&Named>,
    team: Option<&TeamRef>,
) -> Option<String> {
    None.or_else(|| issue.map(|issue| format!("issue {}", issue.identifier)))
        .or_else(|| project.map(|project| format!("project {}", one_line(&project.name))))
        .or_else(|| initiative.map(|initiative| format!("initiative {}", one_line(&initiative.name))))
        .or_else(|| team.map(|team| format!("team {}", team.key)))
}
