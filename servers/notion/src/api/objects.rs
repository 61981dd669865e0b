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
}

impl<T> List<T> {
    /// The cursor of the next page, unless it is the one that this page was asked with: that would go round in
    /// a circle.
    pub(crate) fn next(&self, asked: Option<&str>) -> Option<&str> {
        let next = self.next_cursor.as_deref().filter(|next| !next.is_empty())?;
        (self.has_more && Some(next) != asked).then_some(next)
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
    pub(crate) is_locked: bool,
    pub(crate) url: String,
    pub(crate) parent: Value,
    pub(crate) icon: Value,
    pub(crate) cover: Value,
    /// Values of a page, columns of a data source.
    pub(crate) properties: Map<String, Value>,
    /// The title of a database or data source.
    pub(crate) title: Value,
    pub(crate) description: Value,
    /// The tables of a database.
    pub(crate) data_sources: Vec<Named>,
    pub(crate) created_by: Value,
    pub(crate) last_edited_by: Value,
}

/// Something with an id and a name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) is_default: bool,
}

/// A page's Markdown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PageMarkdown {
    pub(crate) id: String,
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

impl Item {
    /// Its title as plain words; empty if it has none.
    pub(crate) fn name(&self) -> String {
        if self.object == "page" {
            let title = self.properties.values().find(|value| value["type"] == "title");
            return plain(title.map_or(&Value::Null, |title| &title["title"]));
        }
        plain(&self.title)
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
