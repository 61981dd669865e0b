//! What a client may attach by its address: pages, tables, what was edited last.

use connector::{
    Result,
    catalog::{Call, Resource, ResourceTemplate, Variables},
};
use serde_json::json;

use crate::{Notion, dialect, render, resolve};

/// Resources with a fixed address.
pub(crate) fn resources() -> Vec<Resource<Notion>> {
    vec![Resource::of_tool(
        "notion://recent",
        "recent",
        "Edited last",
        "Pages and tables, newest edit first.",
        "search",
        json!({}),
    )]
}

/// Families of resources: address, name, title, what they hold, the tool that reads them and its argument.
const FAMILIES: [(&str, &str, &str, &str, &str, &str, &str); 3] = [
    ("notion://page/{id}", "page", "Page", "A page as Markdown, with its values.", "get_page", "id", "id"),
    (
        "notion://database/{database}/schema",
        "schema",
        "Table's columns",
        "A table's columns, options, templates and views.",
        "get_database",
        "database",
        "database",
    ),
    (
        "notion://comments/{id}",
        "comments",
        "Comments",
        "Open comments on a page and its blocks.",
        "list_comments",
        "id",
        "id",
    ),
];

/// Families of resources.
pub(crate) fn templates() -> Vec<ResourceTemplate<Notion>> {
    FAMILIES
        .into_iter()
        .map(|(template, name, title, holds, tool, argument, variable)| {
            let template = ResourceTemplate::of_tool(template, name, title, holds, tool, move |given| {
                Ok(json!({argument: given.text(variable)}))
            });
            if name == "page" { template.subscribable(is_page, page_version) } else { template }
        })
        .collect()
}

/// Whether an address is that of a page.
fn is_page(_: &Notion, given: &Variables) -> Result<()> {
    resolve::id("id", given.text("id")).map(drop)
}

/// The state of a page and of its text: Notion's times are cut to the minute, so only the text tells of an edit.
async fn page_version(call: Call<Notion>, given: Variables) -> Result<String> {
    let id = resolve::id("id", given.text("id"))?;
    let page = call.api().page(&id).await?;
    let text = call.api().markdown(&id, true).await?;
    let state = format!("{} {}", render::state(&page), dialect::digest(&text.markdown));
    Ok(dialect::digest_of(state.as_bytes()))
}
