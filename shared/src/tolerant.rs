//! Readers of answers that forgive what an API may change without notice: a field that is missing or
//! null, a number that comes as text, a list with holes in it.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

/// A value, or its default where there is `null`. Use with `#[serde(default)]`.
pub fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A number, however it is written; nothing for what is no number. Use with `#[serde(default)]`.
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Plain(f64),
        Text(String),
        Other(IgnoredAny),
    }
    Ok(match Option::deserialize(deserializer)? {
        Some(Given::Plain(number)) => Some(number),
        Some(Given::Text(text)) => text.trim().parse().ok(),
        Some(Given::Other(_)) | None => None,
    })
}

/// A text, however it is written; empty for what is no text. Use with `#[serde(default)]`.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Plain(String),
        Whole(i64),
        Number(f64),
        Switch(bool),
        Other(IgnoredAny),
    }
    Ok(match Option::deserialize(deserializer)? {
        Some(Given::Plain(text)) => text,
        Some(Given::Whole(number)) => number.to_string(),
        Some(Given::Number(number)) => number.to_string(),
        Some(Given::Switch(on)) => on.to_string(),
        Some(Given::Other(_)) | None => String::new(),
    })
}

/// A list without the places where it has `null`. Use with `#[serde(default)]`.
pub fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let items: Option<Vec<Option<T>>> = Option::deserialize(deserializer)?;
    Ok(items.into_iter().flatten().flatten().collect())
}

/// One page of a connection.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de>"))]
pub struct Connection<T> {
    /// What is on the page.
    #[serde(default = "Vec::new", deserialize_with = "list")]
    pub nodes: Vec<T>,
    /// Whether there is more.
    #[serde(default, deserialize_with = "or_default")]
    pub page_info: PageInfo,
    /// How many there are in all, where Linear tells.
    #[serde(default, deserialize_with = "number")]
    pub total_count: Option<f64>,
}

impl<T> Default for Connection<T> {
    fn default() -> Self {
        Self { nodes: Vec::new(), page_info: PageInfo::default(), total_count: None }
    }
}

impl<T> Connection<T> {
    /// Where the next page begins, if there is one. A cursor that does not move ends the listing: it
    /// would go round in a circle.
    pub fn next(&self, after: Option<&str>) -> Option<&str> {
        let end = self.page_info.end_cursor.as_deref()?;
        (self.page_info.has_next_page && Some(end) != after).then_some(end)
    }
}

/// Whether a connection goes on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    /// Whether there is another page.
    #[serde(default, deserialize_with = "or_default")]
    pub has_next_page: bool,
    /// The cursor after the last node of this page.
    #[serde(default)]
    pub end_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Row {
        #[serde(deserialize_with = "text")]
        id: String,
        #[serde(deserialize_with = "number")]
        priority: Option<f64>,
        #[serde(deserialize_with = "or_default")]
        labels: Connection<IgnoredAny>,
    }

    #[test]
    fn what_is_missing_null_or_of_another_type_is_read_all_the_same() {
        let row: Row = serde_json::from_value(json!({"id": 7, "priority": "2", "labels": null})).unwrap();
        assert_eq!((row.id.as_str(), row.priority, row.labels.nodes.len()), ("7", Some(2.0), 0));
        let row: Row = serde_json::from_value(json!({"id": null, "priority": {}})).unwrap();
        assert_eq!((row.id.as_str(), row.priority), ("", None));
        let page: Connection<Row> = serde_json::from_value(json!({"nodes": [null, {"id": "a"}]})).unwrap();
        assert_eq!(page.nodes.len(), 1);
    }

    #[test]
    fn a_cursor_that_stands_still_ends_the_listing() {
        let page: Connection<Row> =
            serde_json::from_value(json!({"nodes": [], "pageInfo": {"hasNextPage": true, "endCursor": "x"}}))
                .unwrap();
        assert_eq!(page.next(None), Some("x"));
        assert_eq!(page.next(Some("x")), None);
    }
}
