//! Pages read as Markdown.

use connector::{
    Error, Result,
    catalog::{Call, Reply, Tool, excerpt},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Notion, render, resolve};

/// Characters of a page in one reply.
const CHARS: usize = 20_000;

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::read(
            "get_page",
            "Read a page",
            "Reads a page (id or URL) as Markdown, with its properties.",
            get_page,
        )
        .aliases(&[("page_id", "id"), ("url", "id")])
        .output::<PageText>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetPage {
    id: String,
    offset: Option<u32>,
    max_chars: Option<u32>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PageText {
    id: String,
    title: String,
    markdown: String,
}

async fn get_page(call: Call<Notion>, arguments: GetPage) -> Result<Reply> {
    let id = resolve::id_of(&arguments.id).ok_or_else(|| {
        Error::invalid("`id` is no id and no address of Notion").with_hint("search finds ids by title")
    })?;
    let page = call.api().page(&id).await?;
    let text = call.api().markdown(&id, false).await?;
    let title = render::title(&page.name());
    let offset = arguments.offset.unwrap_or(0) as usize;
    let most = arguments.max_chars.map_or(CHARS, |most| most as usize);
    let (shown, rest) = excerpt(&text.markdown, offset, most);
    let mut reply = Reply::new(format!(
        "{title} · {} · edited {}",
        render::bare(&page.id),
        render::minute(&page.last_edited_time)
    ))
    .outside(title.clone(), None, shown);
    if let Some(rest) = rest {
        reply = reply.line(rest);
    }
    Ok(reply.data(&PageText { id: render::bare(&page.id), title, markdown: text.markdown }))
}
