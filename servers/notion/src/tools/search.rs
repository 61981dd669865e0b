//! Search by title, or what was edited last.

use connector::{
    Result,
    catalog::{Call, Page, Position, Reply, Tool, When, limit, names, one_line, words},
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FROM;
use crate::{
    Notion,
    api::objects::Item,
    render,
    resolve::{
        linked::place,
        pages::{NOT_SHARED, Place},
    },
};

/// Requests that one call reads on where rows are left out.
const READ: u32 = 5;
/// Tables that are named where nothing is found.
const TABLES: usize = 20;

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::read(
            "search",
            "Search by title",
            "Finds pages, rows and tables by words of their title, newest edit first; without `query` what was edited \
             last. `page` leaves rows out. Content is not searched: use query_database for rows.",
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
    Row,
    #[serde(alias = "table")]
    Database,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    query: Option<String>,
    #[serde(rename = "type")]
    kind: Option<Type>,
    /// What stands directly in this page or table.
    parent: Option<String>,
    /// Edited since.
    since: Option<String>,
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

/// What was found of a kind, each with where a listing that begins with it would go on.
struct Found {
    items: Vec<(Position, Item)>,
    /// Where it goes on.
    end: Position,
    more: bool,
}

/// What is looked for.
struct Wanted<'a> {
    query: &'a str,
    kind: Option<Type>,
    /// The page or table that it stands in.
    parent: Option<String>,
    since: Option<When>,
}

impl Wanted<'_> {
    /// What Notion looks for.
    fn object(&self) -> Option<&'static str> {
        match self.kind {
            Some(Type::Page | Type::Row) => Some("page"),
            Some(Type::Database) => Some("data_source"),
            None => None,
        }
    }

    /// Whether more is left out here than by Notion.
    fn is_narrower(&self) -> bool {
        matches!(self.kind, Some(Type::Page | Type::Row)) || self.parent.is_some() || self.since.is_some()
    }

    fn is_it(&self, item: &Item) -> bool {
        let kind = match self.kind {
            Some(Type::Page) => render::kind(item) == "page",
            Some(Type::Row) => render::kind(item) == "row",
            _ => true,
        };
        let place = item.parent_id().map(|(_, id)| id);
        kind && self.parent.as_deref().is_none_or(|parent| place == Some(parent))
    }

    /// Whether it was edited before all that is looked for: times are cut to the minute.
    fn is_before(&self, item: &Item) -> bool {
        let edited = item.last_edited_time.parse::<Timestamp>().ok();
        let since = self.since.as_ref().map(|since| since.start() - SignedDuration::from_mins(1));
        edited.zip(since).is_some_and(|(edited, since)| edited <= since)
    }
}

/// Reads until `most` are found. What Notion does not tell apart is read over; what was edited last comes first.
async fn find(call: &Call<Notion>, wanted: &Wanted<'_>, most: u32, from: Position) -> Result<Found> {
    let mut found = Found { items: Vec::new(), end: from, more: false };
    for _ in 0..READ {
        let after = found.end.after.clone();
        let size = if wanted.is_narrower() { 100 } else { found.end.first(most, 100) };
        let list = call.api().search(wanted.query, wanted.object(), size, after.as_deref()).await?;
        let next = list.next(after.as_deref()).map(str::to_owned);
        for (skip, item) in list.results.into_iter().enumerate().skip(found.end.skip) {
            let here = Position { after: after.clone(), skip };
            if wanted.is_before(&item) {
                return Ok(Found { end: here, more: false, ..found });
            }
            if found.items.len() >= most as usize {
                return Ok(Found { end: here, more: true, ..found });
            }
            if wanted.is_it(&item) {
                found.items.push((here, item));
            }
        }
        found.more = next.is_some();
        found.end = Position { after: next, skip: 0 };
        if !found.more || !wanted.is_narrower() || found.items.len() >= most as usize {
            break;
        }
    }
    Ok(found)
}

async fn search(call: Call<Notion>, arguments: Search) -> Result<Reply> {
    let Search { query, kind, parent, since, limit: asked, cursor } = arguments;
    let position: Position = call.open_cursor(cursor.as_deref())?.unwrap_or_default();
    let query = query.unwrap_or_default();
    let query = query.trim();
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let parent = match given(parent) {
        Some(text) => Some(call.parent(&text).await?),
        None => None,
    };
    let since = given(since)
        .map(|text| call.dates().calendar().past("since", &text))
        .transpose()?
        .map(When::whole_days);
    let within = parent.as_ref().map(Place::words);
    let edited = since.as_ref().map(|since| format!("edited since {}", since.describe()));
    let narrowed = parent.is_some() || since.is_some();
    let parent = parent.map(|parent| match parent {
        Place::Page(page) => page.id,
        Place::Table(table) => table.id,
    });
    let wanted = Wanted { query, kind, parent, since };
    let Found { items, end, more } = find(&call, &wanted, limit(asked, 20, 100), position).await?;
    let (starts, mut items): (Vec<Position>, Vec<Item>) = items.into_iter().unzip();
    let mut note = if query.is_empty() {
        "edited last".to_owned()
    } else {
        format!("by title, \"{}\"", one_line(query))
    };
    let mut tables = Vec::new();
    let tables_too = matches!(kind, None | Some(Type::Database)) && !narrowed;
    if items.is_empty() && !more && !query.is_empty() && tables_too {
        let (databases, all) = call.databases().await?;
        tables = all.iter().map(|table| render::title(&table.name())).collect();
        items = of_databases(query, &databases, all);
        if !items.is_empty() {
            note = format!("tables of a database with \"{}\" in its title", one_line(query));
        }
    }
    let mut page = Page::new(FROM, ("result", "results"));
    // What was asked for is said where nothing is found.
    if !items.is_empty() || query.is_empty() {
        page = page.note(note).notes(within.into_iter().chain(edited));
    }
    let shown: Vec<&Item> = items.iter().collect();
    let places = call.places(&shown).await;
    for item in &shown {
        let place = place(item, &places);
        let row = Row {
            id: render::bare(&item.id),
            title: item.name(),
            kind: render::kind(item).to_owned(),
            place: place.trim_start_matches(" in ").trim_start_matches(" of ").to_owned(),
            edited: item.last_edited_time.clone(),
        };
        page.push(render::found(item, &place), &row);
    }
    let seal = call.clone();
    let page = page.cursor(more, move |kept| seal.seal_cursor(starts.get(kept).unwrap_or(&end)));
    let mut reply = Reply::page(page);
    if items.is_empty() && !more && !query.is_empty() {
        reply = reply.line(nothing(query, &tables));
    }
    Ok(reply)
}

/// The tables of databases that have every word of `query` in their title.
fn of_databases(query: &str, databases: &[Item], tables: Vec<Item>) -> Vec<Item> {
    let words = names::fold(query);
    let has_all = |database: &&Item| {
        let title = names::fold(&database.name());
        words.split_whitespace().all(|word| title.contains(word))
    };
    let found: Vec<&str> = databases.iter().filter(has_all).map(|database| database.id.as_str()).collect();
    let is_in = |table: &Item| table.parent_id().is_some_and(|(_, id)| found.contains(&id));
    tables.into_iter().filter(is_in).collect()
}

/// What to do where no title has the words.
fn nothing(query: &str, tables: &[String]) -> String {
    let next = if query.split_whitespace().nth(1).is_some() {
        "Try fewer words, or query_database for the rows of a table"
    } else {
        NOT_SHARED
    };
    let tables = match tables {
        [] => String::new(),
        tables => format!(" Tables: {}.", words::listed(tables, TABLES)),
    };
    format!("Only titles are searched, and new pages are found late. {next}.{tables}")
}
