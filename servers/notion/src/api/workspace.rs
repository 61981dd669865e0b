//! Who asks, who is there, what is found, what is said.

use std::time::Duration;

use connector::{Effect, Result, upstream::Request};
use serde_json::{Value, json};

use super::{
    Api, asks,
    objects::{Comment, Item, List, Named, User},
    pages::paged,
};

impl Api {
    /// The bot or person behind the token.
    pub(crate) async fn me(&self) -> Result<User> {
        self.send(Request::route("GET /users/me", &[])).await
    }

    /// People and bots.
    pub(crate) async fn users(&self, cursor: Option<&str>) -> Result<List<User>> {
        let request = paged(Request::route("GET /users", &[]), 100, cursor);
        self.send(request.cache(Duration::from_secs(300), ["users"])).await
    }

    /// The workspace's own emoji: the first thousand.
    pub(crate) async fn emojis(&self) -> Result<Vec<Named>> {
        let (mut all, mut cursor): (Vec<Named>, Option<String>) = (Vec::new(), None);
        for _ in 0..10 {
            let request = paged(Request::route("GET /custom_emojis", &[]), 100, cursor.as_deref());
            let page: List<Named> = self.send(request.cache(Duration::from_secs(300), ["emojis"])).await?;
            let next = page.next(cursor.as_deref()).map(str::to_owned);
            all.extend(page.results);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(all)
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

    /// Comments on exactly this page or block.
    pub(crate) async fn comments(&self, id: &str, size: u32, cursor: Option<&str>) -> Result<List<Comment>> {
        self.send(paged(Request::route("GET /comments", &[]).query("block_id", id), size, cursor)).await
    }

    /// One comment.
    pub(crate) async fn comment(&self, id: &str) -> Result<Comment> {
        self.send(Request::route("GET /comments/{id}", &[id])).await
    }

    /// Says something.
    pub(crate) async fn create_comment(&self, body: &Value) -> Result<Comment> {
        let request = Request::route("POST /comments", &[]).json(body)?;
        self.send(request.check("Look whether the comment is there with list_comments")).await
    }

    /// Says something else in a comment of one's own.
    pub(crate) async fn update_comment(&self, id: &str, body: &Value) -> Result<Comment> {
        let request = Request::route("PATCH /comments/{id}", &[id]).json(body)?;
        self.send(request.check("Look at the comment with list_comments")).await
    }

    /// Deletes a comment of one's own.
    pub(crate) async fn delete_comment(&self, id: &str) -> Result<Value> {
        let request = Request::route("DELETE /comments/{id}", &[id]).effect(Effect::Destructive);
        self.send(request.check("Look whether the comment is gone with list_comments")).await
    }
}
