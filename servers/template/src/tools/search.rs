//! Notes found by their words.

use connector::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FROM;
use crate::Template;

pub(super) fn tools() -> Vec<Tool<Template>> {
    let about =
        "Finds notes by words of their title and text, newest edit first; without `query` every note.";
    vec![Tool::read("search", "Search notes", about, search).output_page::<Row>()]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    query: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    title: String,
}

async fn search(call: Call<Template>, arguments: Search) -> Result<Reply> {
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let query = arguments.query.unwrap_or_default();
    let limit = position.first(limit(arguments.limit, 20, 100), 100);
    let found = call.api().list_notes(query.trim(), limit, position.after.as_deref()).await?;
    let shown: Vec<_> = found.notes.into_iter().skip(position.skip).collect();
    let mut page = Page::new(FROM, ("note", "notes"));
    for note in &shown {
        let row = Row { id: note.id.clone(), title: one_line(&note.title) };
        page.push(format!("{} {} @{} {}", row.id, row.title, one_line(&note.author), note.edited), &row);
    }
    Ok(Reply::page(paging::close(&call, page, VendorPage::whole(position, shown.len(), found.next))))
}
