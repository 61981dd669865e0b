//! Blocks of a page: listed, added, changed, removed.

use connector::{Effect, Result, upstream::Request};
use serde_json::{Value, json};

use super::{
    Api,
    objects::List,
    pages::{page_tag, paged},
};

impl Api {
    /// Blocks of a page or block.
    pub(crate) async fn children(&self, id: &str, size: u32, cursor: Option<&str>) -> Result<List<Value>> {
        self.send(paged(Request::route("GET /blocks/{id}/children", &[id]), size, cursor)).await
    }

    /// One block.
    pub(crate) async fn block(&self, id: &str) -> Result<Value> {
        self.send(Request::route("GET /blocks/{id}", &[id])).await
    }

    /// Adds blocks to what `page` has, in `parent`: after the block `after`, or at the end. At most a hundred,
    /// two levels deep (developers.notion.com/reference/patch-block-children).
    pub(crate) async fn append(
        &self,
        page: &str,
        parent: &str,
        children: &[Value],
        after: Option<&str>,
    ) -> Result<Vec<Value>> {
        let mut body = json!({"children": children});
        if let Some(after) = after {
            body["position"] = json!({"type": "after_block", "after_block": {"id": after}});
        }
        let request = Request::route("PATCH /blocks/{id}/children", &[parent]).json(&body)?;
        let request =
            request.invalidates([page_tag(page)]).check("Look with get_blocks whether they are there");
        Ok(self.send::<List<Value>>(request).await?.results)
    }

    /// Changes what a block of `page` says; `body` is of its type.
    pub(crate) async fn update_block(&self, page: &str, id: &str, body: &Value) -> Result<Value> {
        let request = Request::route("PATCH /blocks/{id}", &[id]).json(body)?;
        self.send(request.invalidates([page_tag(page)]).check("Look at the block with get_blocks")).await
    }

    /// Removes a block of `page` with all in it.
    pub(crate) async fn delete_block(&self, page: &str, id: &str) -> Result<Value> {
        let request = Request::route("DELETE /blocks/{id}", &[id]).effect(Effect::Destructive);
        self.send(request.invalidates([page_tag(page)]).check("Look with get_blocks whether it is gone"))
            .await
    }
}
