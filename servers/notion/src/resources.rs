//! What a client may attach by its address: pages, tables, what was edited last.

use connector::{
    Result,
    catalog::{Call, Reply, Resource, ResourceTemplate, Variables},
};
use serde_json::json;

use crate::{Notion, dialect, render, resolve};

/// Resources with a fixed address.
pub(crate) fn resources() -> Vec<Resource<Notion>> {
    vec![
        Resource::of_tool(
            "notion://recent",
            "recent",
            "Edited last",
            "Pages and tables, newest edit first.",
            "search",
            json!({}),
        ),
        Resource::new(
            "notion://docs/markdown",
            "markdown",
            "Notion's Markdown",
            "How pages are written: blocks, marks, mentions and colours of Notion's dialect.",
            |_: Call<Notion>| async { Ok(Reply::new(MARKDOWN)) },
        ),
    ]
}

/// developers.notion.com/guides/data-apis/enhanced-markdown, in short.
const MARKDOWN: &str = "Each line is a block; what is inside a block stands below it, one tab deeper.\n\
# to #### headings; # Title {toggle=\"true\"} folds what is inside\n\
- bullet; 1. numbered; - [ ] to do; - [x] done; > quote, with <br> for its lines; --- divider; <empty-block/>\n\
```language, code as it is, ```; $$, an equation, $$\n\
<details>, <summary>Title</summary>, what is inside, </details>\n\
<callout icon=\"💡\" color=\"blue_bg\">, what is inside, </callout>\n\
<columns>, <column>, what is inside, </column>, </columns>\n\
<table header-row=\"true\">, <tr>, <td>cell</td>, </tr>, </table>; tables of pipes are taken too\n\
![caption](https://…); <video src=\"…\">caption</video>, and audio, file, pdf\n\
<meeting-notes> has its title, <summary>, <notes> and <transcript>, which is not edited; get_page reads it with include transcripts\n\
<page url=\"…\">Title</page> is a page inside: written elsewhere it moves there, left out it is deleted, which asks\n\
**bold** *italic* ~~struck~~ `code` <span underline=\"true\">…</span> <span color=\"red\">…</span> [words](https://…) $`x^2`$\n\
{color=\"blue\"} at the end of a line colours its block: gray, brown, orange, yellow, green, blue, purple, pink, red, each also with _bg\n\
<mention-user url=\"user://id\"/>, here @Name; <mention-page url=\"…\"/>; <mention-date start=\"2026-12-01\" startTime=\"09:00\" timeZone=\"Europe/Madrid\"/>; :name: is an emoji of the workspace\n\
A backslash takes the meaning from \\ * ~ ` $ [ ] < > { } | ^ outside of code.";

/// Families of resources: address, name, title, what they hold, the tool that reads them and its argument.
const FAMILIES: [(&str, &str, &str, &str, &str, &str, &str); 5] = [
    ("notion://page/{id}", "page", "Page", "A page as Markdown, with its values.", "get_page", "id", "id"),
    (
        "notion://page/{id}/outline",
        "outline",
        "Page's blocks",
        "The blocks of a page with their ids.",
        "get_blocks",
        "id",
        "id",
    ),
    (
        "notion://view/{view}",
        "view",
        "Saved view",
        "The rows of a table that a saved view shows.",
        "query_database",
        "view",
        "view",
    ),
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
            // Both list: a cursor in their answer is explained.
            let template = if ["outline", "view"].contains(&name) { template.lists() } else { template };
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
