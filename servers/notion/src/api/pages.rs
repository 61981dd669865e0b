//! Pages, their Markdown, their blocks.

use std::time::Duration;

use connector::{Effect, Result, upstream::Request};
use serde_json::{Value, json};

use super::{
    Api,
    objects::{Item, List, PageMarkdown},
};

/// How long a page's Markdown is served again, so that its slices are of one reading; own writes end it at once.
const TTL: Duration = Duration::from_secs(60);

/// What the kept answers about one page depend on.
pub(super) fn page_tag(id: &str) -> String {
    format!("page:{id}")
}

impl Api {
    /// A page with its values.
    pub(crate) async fn page(&self, id: &str) -> Result<Item> {
        self.send(Request::route("GET /pages/{id}", &[id])).await
    }

    /// The Markdown of a page, or of one block that was too much for it. `fresh` asks again.
    pub(crate) async fn markdown(&self, id: &str, fresh: bool) -> Result<PageMarkdown> {
        self.send(markdown_of(id, fresh)).await
    }

    /// The same with what was said in meetings, which is left out of it otherwise
    /// (developers.notion.com/reference/retrieve-page-markdown, `include_transcript`).
    pub(crate) async fn transcribed(&self, id: &str, fresh: bool) -> Result<PageMarkdown> {
        self.send(markdown_of(id, fresh).query("include_transcript", "true")).await
    }

    /// Creates a page, or hands the work to a task of Notion's if `body` allows that.
    pub(crate) async fn create_page(&self, body: &Value) -> Result<Value> {
        let request = Request::route("POST /pages", &[]).json(body)?;
        self.send(request.check("Look whether the page is there")).await
    }

    /// How a task of Notion's stands.
    pub(crate) async fn task(&self, id: &str) -> Result<Value> {
        self.send(Request::route("GET /async_tasks/{id}", &[id])).await
    }

    /// Changes values, icon, trash. Sent once: a repetition might undo what somebody else did meanwhile.
    pub(crate) async fn update_page(&self, id: &str, body: &Value) -> Result<Item> {
        let request = Request::route("PATCH /pages/{id}", &[id]).json(body)?;
        let request = if body["in_trash"] == true || body["erase_content"] == true {
            request.effect(Effect::Destructive)
        } else {
            request
        };
        self.send(request.invalidates([page_tag(id)]).check("Read the page to see whether it has the change"))
            .await
    }

    /// Moves a page under another, or into a table.
    pub(crate) async fn move_page(&self, id: &str, parent: &Value) -> Result<Item> {
        let request = Request::route("POST /pages/{id}/move", &[id]).json(&json!({"parent": parent}))?;
        self.send(request.invalidates([page_tag(id)]).check("Look where the page is")).await
    }

    /// Changes a page's text by one command of Notion's.
    pub(crate) async fn update_markdown(&self, id: &str, body: &Value) -> Result<PageMarkdown> {
        let request = Request::route("PATCH /pages/{id}/markdown", &[id]).json(body)?;
        self.send(request.invalidates([page_tag(id)]).check("Read the page to see whether it has the change"))
            .await
    }

    /// One page of a list that a page's answer cuts: relations, people.
    pub(crate) async fn property(
        &self,
        id: &str,
        property: &str,
        cursor: Option<&str>,
    ) -> Result<List<Value>> {
        let request = Request::route("GET /pages/{id}/properties/{property}", &[id, property]);
        self.send(paged(request, 100, cursor)).await
    }
}

fn markdown_of(id: &str, fresh: bool) -> Request {
    let request = Request::route("GET /pages/{id}/markdown", &[id]);
    if fresh { request } else { request.cache(TTL, [page_tag(id)]) }
}

/// `request` for one page of a list.
pub(crate) fn paged(request: Request, size: u32, cursor: Option<&str>) -> Request {
    let request = request.query("page_size", size.to_string());
    match cursor {
        Some(cursor) => request.query("start_cursor", cursor),
        None => request,
    }
}
