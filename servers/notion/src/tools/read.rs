//! Pages read as Markdown, by slices or sections; blocks with their ids.

use connector::{
    Error, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit, one_line,
        paging::{self, VendorPage},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FROM, slices};
use crate::{
    Notion,
    api::objects::Item,
    dialect, render,
    resolve::{self, linked::place},
};

/// Characters of a page in one reply.
const CHARS: usize = 20_000;
/// Parts of a page that Notion left out, which one call fetches.
const PARTS: usize = 10;
/// Bytes of a page's values above its text.
const VALUES: usize = 12 * 1024;

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::read(
            "get_page",
            "Read a page",
            "Reads a page (id, URL or exact title) as Markdown with its values and the hash that edit_content takes. Long pages \
             come in slices: go on with `offset`, or name a `section` (heading).",
            get_page,
        )
        .toolset("pages")
        .aliases(&[("page_id", "id"), ("url", "id"), ("block_id", "id")])
        .output::<PageText>(),
        Tool::read(
            "get_blocks",
            "List blocks",
            "Lists the blocks of a page or block with their ids, for comments on them; get_page reads the text.",
            get_blocks,
        )
        .toolset("pages")
        .aliases(&[("page_id", "id"), ("block_id", "id")])
        .output_page::<BlockRow>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetPage {
    id: String,
    section: Option<String>,
    offset: Option<u32>,
    max_chars: Option<u32>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PageText {
    id: String,
    title: String,
    edited: String,
    hash: String,
    markdown: String,
}

async fn get_page(call: Call<Notion>, arguments: GetPage) -> Result<Reply> {
    let GetPage { id, section, offset, max_chars } = arguments;
    let id = call.page_id("id", &id).await?;
    let offset = offset.unwrap_or(0) as usize;
    let mut page = match call.api().page(&id).await {
        Ok(page) => Some(page),
        // A block of a page that was too large to be read at once.
        Err(error) if error.kind() == connector::Kind::NotFound => match call.api().block(&id).await {
            Ok(block) if block["type"] != "child_database" => None,
            _ => return Err(not_a_page(&call, &id, error).await),
        },
        Err(error) => return Err(error),
    };
    let text = call.api().markdown(&id, offset == 0).await?;
    let hash = dialect::digest(&text.markdown);
    let mut shown = dialect::shown(&text.markdown);
    let title = page.as_ref().map_or_else(|| "A block".to_owned(), |page| render::title(&page.name()));
    let head = match &mut page {
        Some(page) => head(&call, page, &hash).await,
        None => Head { lines: vec![format!("A part of a page · {}", render::bare(&id))], ..Head::default() },
    };
    if let Some(wanted) = &section {
        shown = part(&shown, wanted)?;
    }
    let most = max_chars.map_or(CHARS, |most| (most as usize).max(1));
    let room = slices::room(head.reply(), &title);
    let (mut slice, rest) = slices::slice(&shown, offset, most, room);
    let notes = if text.unknown_block_ids.is_empty() {
        Vec::new()
    } else {
        fill(&call, &text.unknown_block_ids, &mut slice, room).await?
    };
    let mut reply = head.reply().outside(title.clone(), None, slice.clone());
    for note in rest.into_iter().chain(notes) {
        reply = reply.line(note);
    }
    let edited = page.map(|page| page.last_edited_time).unwrap_or_default();
    Ok(reply.data(&PageText { id: render::bare(&id), title, edited, hash, markdown: slice }))
}

/// Says which tool an id of another kind belongs to.
async fn not_a_page(call: &Call<Notion>, id: &str, error: Error) -> Error {
    match call.table(id).await {
        Ok(table) => Error::invalid(format!("This is the table {}, not a page", table.name))
            .with_hint("Use get_database for its columns, query_database for its rows"),
        // A database of several tables is refused with their names.
        Err(several) if several.kind() == connector::Kind::InvalidArgument => several,
        Err(_) => error,
    }
}

/// What stands above a page's text.
#[derive(Default)]
struct Head {
    lines: Vec<String>,
    values: String,
    /// What is said of values that were left out.
    cut: Option<String>,
}

impl Head {
    fn reply(&self) -> Reply {
        let mut reply = Reply::default();
        for line in &self.lines {
            reply = reply.line(line.clone());
        }
        if !self.values.is_empty() {
            reply = reply.outside("values", None, self.values.clone());
        }
        match &self.cut {
            Some(cut) => reply.line(cut.clone()),
            None => reply,
        }
    }
}

/// A page's first lines: what it is, where, its values.
async fn head(call: &Call<Notion>, page: &mut Item, hash: &str) -> Head {
    let names: Vec<String> = page.properties.keys().cloned().collect();
    call.count_linked(std::slice::from_mut(page), &names).await;
    let page = &*page;
    let titles = call.linked_titles(std::slice::from_ref(page), &names, None).await;
    let place = place(page, &call.places(&[page]).await);
    let trash = if page.in_trash { " · in the trash" } else { "" };
    let first = format!(
        "{}{place} · {} · edited {} · hash {hash}{trash}",
        render::title(&page.name()),
        render::bare(&page.id),
        render::minute(&page.last_edited_time)
    );
    let table = match page.parent_id() {
        Some(("data_source_id", table)) => call.api().data_source(table).await.ok(),
        _ => None,
    };
    let (mut values, mut empty) = (Vec::new(), Vec::new());
    for (name, value) in page.properties.iter().filter(|(_, value)| value["type"] != "title") {
        let shown = render::named(value, &titles, true);
        let column = table.as_ref().and_then(|table| table.properties.get(name)).unwrap_or(&Value::Null);
        if shown.is_empty() {
            empty.push(one_line(name));
        } else {
            values.push(format!("{}: {shown}", render::column(name, column)));
        }
    }
    if !empty.is_empty() {
        values.push(format!("Empty: {}", empty.join(", ")));
    }
    let (values, rest) = slices::slice(&values.join("\n"), 0, VALUES, VALUES);
    let cut =
        rest.map(|_| "[Values were cut here: query_database with `fields` shows single columns.]".to_owned());
    Head { lines: vec![first, page.url.clone()], values, cut }
}

/// Puts parts that Notion left out in the place of their marks, as many as one call may fetch and as fit into `room`
/// bytes.
async fn fill(
    call: &Call<Notion>,
    unknown: &[String],
    slice: &mut String,
    room: usize,
) -> Result<Vec<String>> {
    let here: Vec<&String> = unknown.iter().filter(|id| slice.contains(&render::bare(id))).collect();
    let mut unreachable = 0;
    let mut left = here.len().saturating_sub(PARTS);
    for id in here.into_iter().take(PARTS) {
        let part = match call.api().markdown(id, false).await {
            Ok(part) => dialect::shown(&part.markdown),
            Err(error) if error.kind() == connector::Kind::NotFound => {
                unreachable += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        let bare = render::bare(id);
        let line =
            slice.lines().find(|line| line.contains("<unknown ") && line.contains(&bare)).map(str::to_owned);
        match line {
            Some(line) => {
                let indent = &line[..line.len() - line.trim_start().len()];
                let part: Vec<String> = part.lines().map(|line| format!("{indent}{line}")).collect();
                let filled = slice.replacen(&line, &part.join("\n"), 1);
                // What does not fit keeps its mark, by which it is read on its own.
                if filled.len() <= room {
                    *slice = filled;
                } else {
                    left += 1;
                }
            }
            None => left += 1,
        }
    }
    let mut notes = Vec::new();
    if left > 0 {
        notes.push(format!("[{left} parts were not loaded with the page: read each <unknown> by get_page with the id after # in its url.]"));
    }
    if unreachable > 0 {
        notes.push(format!("[{unreachable} parts cannot be reached with this token.]"));
    }
    Ok(notes)
}

/// The level and words of a heading.
fn level(line: &str) -> Option<(usize, &str)> {
    let hashes = line.len() - line.trim_start_matches('#').len();
    let title = line[hashes..].strip_prefix(' ')?;
    (1..=4).contains(&hashes).then_some((hashes, title))
}

/// The part under the heading that is called so, with its sub-headings.
fn part(text: &str, wanted: &str) -> Result<String> {
    let mut fence = false;
    let mut headings = Vec::new();
    let mut found: Option<(usize, Vec<&str>)> = None;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fence = !fence;
        }
        if let (false, Some((depth, title))) = (fence, level(line)) {
            let plain = title.split(" {").next().unwrap_or(title).replace(['*', '`', '\\'], "");
            if let Some((own, _)) = &found
                && depth <= *own
            {
                break;
            }
            if found.is_none() && resolve::same(&plain, wanted.trim_start_matches('#')) {
                found = Some((depth, Vec::new()));
            }
            headings.push(one_line(&plain));
        }
        if let Some((_, lines)) = &mut found {
            lines.push(line);
        }
    }
    match found {
        Some((_, lines)) => Ok(lines.join("\n")),
        None => Err(Error::not_found(format!("The page has no section called {}", one_line(wanted)))
            .with_hint(if headings.is_empty() {
                "It has no headings".to_owned()
            } else {
                format!("It has: {}", headings.join(", "))
            })),
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetBlocks {
    id: String,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct BlockRow {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    text: String,
    has_children: bool,
}

async fn get_blocks(call: Call<Notion>, arguments: GetBlocks) -> Result<Reply> {
    let GetBlocks { id, limit: asked, cursor } = arguments;
    let position: Position = call.open_cursor(cursor.as_deref())?.unwrap_or_default();
    let id = call.page_id("id", &id).await?;
    let size = position.first(limit(asked, 50, 100), 100);
    let blocks = call.api().children(&id, size, position.after.as_deref()).await?;
    let next = blocks.next(position.after.as_deref()).map(str::to_owned);
    let shown: Vec<&Value> = blocks.results.iter().skip(position.skip).collect();
    let mut page = Page::new(FROM, ("block", "blocks")).note("id | type | text; + has blocks inside");
    for block in &shown {
        let row = block_row(block);
        let inside = if row.has_children { " +" } else { "" };
        page.push(format!("{} | {}{inside} | {}", row.id, row.kind, row.text), &row);
    }
    let read = shown.len();
    Ok(Reply::page(paging::close(&call, page, VendorPage::whole(position, read, next))))
}

fn block_row(block: &Value) -> BlockRow {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let kind = text(&block["type"]);
    let body = &block[kind.as_str()];
    let words = [&body["rich_text"], &body["caption"]].map(crate::api::objects::plain).join(" ");
    let words = [words, text(&body["title"]), text(&body["url"]), text(&body["expression"])].join(" ");
    let line = one_line(&words);
    let line = line.char_indices().nth(120).map_or(line.clone(), |(at, _)| format!("{}…", &line[..at]));
    BlockRow {
        id: render::bare(&text(&block["id"])),
        kind,
        text: line,
        has_children: block["has_children"] == true,
    }
}
