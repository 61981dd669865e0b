//! Pages and their Markdown.

use std::time::Duration;

use connector::{Result, upstream::Request};

use super::{
    Api,
    objects::{Item, PageMarkdown},
};

/// How long a page's answer is served again within one conversation; own writes end it at once.
const TTL: Duration = Duration::from_secs(20);

/// What the kept answers about one page depend on.
pub(crate) fn page_tag(id: &str) -> String {
    format!("page:{id}")
}

impl Api {
    /// A page with its values.
    pub(crate) async fn page(&self, id: &str) -> Result<Item> {
        self.send(Request::route("GET /pages/{id}", &[id])).await
    }

    /// The Markdown of a page, or of one block that was too much for it.
    pub(crate) async fn markdown(&self, id: &str, transcript: bool) -> Result<PageMarkdown> {
        let request = Request::route("GET /pages/{id}/markdown", &[id]).cache(TTL, [page_tag(id)]);
        let request = if transcript { request.query("include_transcript", "true") } else { request };
        self.send(request).await
    }
}
