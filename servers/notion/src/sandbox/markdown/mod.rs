//! The fake's own Markdown: Notion's dialect, read into drafts of blocks and written from them.
//!
//! Source of the dialect: developers.notion.com/guides/data-apis/enhanced-markdown. It shares no code
//! with the server, so that one mistake cannot hide in both.

mod inline;
mod merge;
mod parse;
mod render;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::blocks::COLORS;

pub(super) use inline::parse as inline;
pub(super) use merge::{Step, steps};
pub(super) use parse::parse;
pub(super) use render::{Writer, render};

/// A block with its children, as Markdown says it or as the tree has it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox) struct Draft {
    /// The block it is, or refers to; none for a new one.
    pub(in crate::sandbox) id: Option<String>,
    /// The block's type: `paragraph`.
    pub(in crate::sandbox) kind: String,
    /// What stands under the type's name in the API: `{"rich_text": [..]}`.
    pub(in crate::sandbox) body: Map<String, Value>,
    pub(in crate::sandbox) children: Vec<Draft>,
}

impl Draft {
    pub(in crate::sandbox) fn new(kind: &str, body: Value) -> Self {
        let Value::Object(body) = body else { return Self::new(kind, json!({})) };
        Self { id: None, kind: kind.to_owned(), body, children: Vec::new() }
    }

    pub(in crate::sandbox) fn with(mut self, children: Vec<Self>) -> Self {
        self.children = children;
        self
    }

    pub(in crate::sandbox) fn rich_text(&self) -> &[Value] {
        self.list("rich_text")
    }

    pub(in crate::sandbox) fn list(&self, key: &str) -> &[Value] {
        self.body.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(in crate::sandbox) fn text(&self, key: &str) -> &str {
        self.body.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Notion writes `blue_bg` in Markdown for what its API calls `blue_background`.
fn to_markdown_color(color: &str) -> String {
    color.strip_suffix("_background").map_or_else(|| color.to_owned(), |base| format!("{base}_bg"))
}

fn from_markdown_color(color: &str) -> Option<String> {
    let (base, background) = match color.strip_suffix("_bg").or_else(|| color.strip_suffix("_background")) {
        Some(base) => (base, true),
        None => (color, false),
    };
    // "default" is no colour that is written.
    COLORS[1..10]
        .contains(&base)
        .then(|| if background { format!("{base}_background") } else { base.to_owned() })
}
