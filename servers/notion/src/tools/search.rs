//! Search by title, or what was edited last.

use connector::{
    Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit, one_line,
        paging::{self, VendorPage},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FROM;
use crate::{Notion, api::objects::Item, render, resolve::linked::place};

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::read(
            "search",
            "Search by title",
            "Finds pages and tables by words of their title, newest edit first; without `query` what was edited \
             last. Content is not searched: use query_database for rows.",
            search,
        )
        .aliases(&[("filter", "type"), ("page_size", "limit")])
        .output_page::<Row>(),
    ]
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Type {
    Page,
    Database,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    query: Option<String>,
    #[serde(rename = "type")]
    kind: Option<Type>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    title: String,
    #[serde(rename = "type")]
    kind: String,
    place: String,
    edited: String,
}

async fn search(call: Call<Notion>, arguments: Search) -> Result<Reply> {
    let Search { query, kind, limit: asked, cursor } = arguments;
    let position: Position = call.open_cursor(cursor.as_deref())?.unwrap_or_default();
    let query = query.unwrap_or_default();
    let object = kind.map(|kind| match kind {
        Type::Page => "page",
        Type::Database => "data_source",
    });
    let size = position.first(limit(asked, 20, 100), 100);
    let found = call.api().search(query.trim(), object, size, position.after.as_deref()).await?;
    let next = found.next(position.after.as_deref()).map(str::to_owned);
    let shown: Vec<&Item> = found.results.iter().skip(position.skip).collect();
    let note = if query.trim().is_empty() {
        "edited last".to_owned()
    } else {
        format!("by title, \"{}\"", one_line(&query))
    };
    let mut page = Page::new(FROM, ("result", "results")).note(note);
    let places = call.places(&shown).await;
    for item in &shown {
        let place = place(item, &places);
        let row = Row {
            id: render::bare(&item.id),
            title: item.name(),
            kind: render::kind(item).to_owned(),
            place: place.trim_start_matches(" in ").to_owned(),
            edited: item.last_edited_time.clone(),
        };
        page.push(render::found(item, &place), &row);
    }
    let empty = shown.is_empty();
    let read = shown.len();
    let mut reply = Reply::page(paging::close(&call, page, VendorPage::whole(position, read, next)));
    if empty && !query.trim().is_empty() {
        reply = reply.line(
            "Only titles are searched, of what is shared with this connection, and new pages are found late. Try \
             fewer words, or query_database for the rows of a table.",
        );
    }
    Ok(reply)
}
