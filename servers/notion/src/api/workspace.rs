//! Who asks, who is there, what is found.

use connector::{Result, upstream::Request};
use serde_json::{Value, json};

use super::{
    Api, asks,
    objects::{Item, List, User},
};

impl Api {
    /// The bot or person behind the token.
    pub(crate) async fn me(&self) -> Result<User> {
        self.send(Request::route("GET /users/me", &[])).await
    }

    /// Pages and data sources by title, or what was edited last.
    pub(crate) async fn search(
        &self,
        query: &str,
        kind: Option<&str>,
        size: u32,
        cursor: Option<&str>,
    ) -> Result<List<Item>> {
        let mut body = json!({
            "page_size": size, "sort": {"timestamp": "last_edited_time", "direction": "descending"},
        });
        if !query.is_empty() {
            body["query"] = json!(query);
        }
        if let Some(kind) = kind {
            body["filter"] = json!({"property": "object", "value": kind});
        }
        if let Some(cursor) = cursor {
            body["start_cursor"] = Value::from(cursor);
        }
        self.send(asks("POST /search", &[]).json(&body)?).await
    }
}
