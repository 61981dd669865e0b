//! What answers are made of. Values are typed by the table's columns, which only it knows, so they stay JSON.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A list, and where it goes on.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct List<T> {
    #[serde(default = "Vec::new")]
    pub(crate) results: Vec<T>,
    #[serde(default)]
    pub(crate) has_more: bool,
    #[serde(default)]
    pub(crate) next_cursor: Option<String>,
    #[serde(default)]
    pub(crate) request_status: Value,
}

impl<T> List<T> {
    /// The cursor of the next page, unless it is the one that this page was asked with: that would go round in
    /// a circle.
    pub(crate) fn next(&self, asked: Option<&str>) -> Option<&str> {
        let next = self.next_cursor.as_deref().filter(|next| !next.is_empty())?;
        (self.has_more && Some(next) != asked).then_some(next)
    }

    /// Whether Notion stopped before the end (at 10,000 rows; SDK 5.26.0: iterateAllDataSourceRows).
    pub(crate) fn is_cut(&self) -> bool {
        self.request_status["type"] == "incomplete"
    }
}

/// A page, a data source, a database: what all of them have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Item {
    pub(crate) object: String,
    pub(crate) id: String,
    pub(crate) created_time: String,
    pub(crate) last_edited_time: String,
    pub(crate) in_trash: bool,
    pub(crate) url: String,
    pub(crate) parent: Value,
    pub(crate) created_by: Value,
    pub(crate) icon: Value,
    pub(crate) cover: Value,
    pub(crate) is_locked: bool,
    /// Values of a page, columns of a data source.
    pub(crate) properties: Map<String, Value>,
    /// The title of a database or data source.
    pub(crate) title: Value,
    /// The tables of a database.
    pub(crate) data_sources: Vec<Named>,
}

/// Something with an id and a name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A page's Markdown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PageMarkdown {
    pub(crate) markdown: String,
    pub(crate) truncated: bool,
    pub(crate) unknown_block_ids: Vec<String>,
}

/// A person or a bot.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) person: Value,
    pub(crate) bot: Value,
}

impl User {
    pub(crate) fn email(&self) -> &str {
        self.person["email"].as_str().unwrap_or_default()
    }
}

/// A comment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Comment {
    pub(crate) id: String,
    pub(crate) discussion_id: String,
    pub(crate) created_time: String,
    pub(crate) created_by: Value,
    pub(crate) rich_text: Value,
    pub(crate) attachments: Vec<Value>,
    pub(crate) parent: Value,
}

/// A saved view.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct View {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) data_source_id: Option<String>,
    pub(crate) filter: Value,
    pub(crate) sorts: Value,
    pub(crate) quick_filters: Value,
    pub(crate) configuration: Value,
    pub(crate) url: String,
    pub(crate) created_time: String,
    pub(crate) created_by: Value,
}

impl Item {
    /// Its title as plain words; empty if it has none.
    pub(crate) fn name(&self) -> String {
        if self.object == "page" {
            let title = self.properties.values().find(|value| value["type"] == "title");
            return plain(title.map_or(&Value::Null, |title| &title["title"]));
        }
        plain(&self.title)
    }

    /// The value in a column; `null` where it has none.
    pub(crate) fn value(&self, column: &str) -> &Value {
        static NONE: Value = Value::Null;
        self.properties.get(column).unwrap_or(&NONE)
    }

    /// The id of what it stands in, and of what kind that is: `page_id`. None for the workspace.
    pub(crate) fn parent_id(&self) -> Option<(&str, &str)> {
        let kind = self.parent["type"].as_str()?;
        Some((kind, self.parent[kind].as_str()?))
    }
}

/// The words of rich text.
pub(crate) fn plain(items: &Value) -> String {
    items.as_array().into_iter().flatten().filter_map(|item| item["plain_text"].as_str()).collect()
}
