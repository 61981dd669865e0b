//! Pages read as Markdown, by slices or sections; blocks with their ids.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit, minute, one_line,
        paging::{self, VendorPage},
        words,
    },
};
use futures::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FROM, comments, slices};
use crate::{
    Notion,
    api::objects::{Item, PageMarkdown, plain},
    dialect::{self, Code, Part},
    error::is_linked,
    render,
    resolve::{self, linked::place, values::is_cut},
};

/// Characters of a page in one reply.
const CHARS: usize = 20_000;
/// Parts of a page that Notion left out, which one call fetches.
const PARTS: usize = 10;
/// Databases without a title of which one call asks what they are.
const UNTITLED: usize = 10;
/// Linked rows that one value shows.
const ENTRIES: usize = 300;
/// Bytes of a page's values above its text, and of what was asked for besides.
const VALUES: usize = 12 * 1024;
const BESIDES: usize = 5 * 1024;
/// Levels of blocks in one list; blocks inside one at its top, and lists of such that one call asks for.
const LEVELS: u32 = 3;
const INSIDE: usize = 40;
const LISTS: usize = 20;

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
            "Lists the blocks of a page or block with their ids, for comments on them; `depth` lists those inside too. get_page reads the text.",
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
    /// Default: properties and markdown; transcripts are of meetings.
    #[serde(default)]
    include: Vec<Include>,
}

// What get_page shows. No doc comment: it would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Include {
    Properties,
    Markdown,
    Comments,
    Children,
    #[serde(alias = "transcript")]
    Transcripts,
}

impl Include {
    /// Whether `asked` is for it: for the values and the text of a page also where neither is named.
    fn is_in(self, asked: &[Self]) -> bool {
        let named = |part| asked.contains(&part);
        match self {
            Self::Properties => named(self) || !named(Self::Markdown),
            Self::Markdown => named(self) || named(Self::Transcripts) || !named(Self::Properties),
            _ => named(self),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
struct PageText {
    id: String,
    title: String,
    place: String,
    url: String,
    edited: String,
    hash: String,
    /// A line each.
    values: String,
    markdown: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    children: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_offset: Option<usize>,
    /// What was left out.
    notes: Vec<String>,
}

async fn get_page(call: Call<Notion>, arguments: GetPage) -> Result<Reply> {
    let GetPage { id, section, offset, max_chars, include } = arguments;
    let id = call.page_id("id", &id).await?;
    let offset = offset.unwrap_or(0) as usize;
    let mut page = match call.api().page(&id).await {
        Ok(page) => Some(page),
        // A block of a page that was too large to be read at once.
        Err(error) if error.kind() == Kind::NotFound => match call.api().block(&id).await {
            Ok(block) if block["type"] != "child_database" => None,
            _ => return Err(not_a_page(&call, &id, error).await),
        },
        Err(error) => return Err(error),
    };
    let mut text = call.api().markdown(&id, offset == 0).await?;
    let hash = dialect::digest(&text.markdown);
    let title = page.as_ref().map_or_else(|| "A block".to_owned(), |page| render::title(&page.name()));
    let mut head = match &mut page {
        Some(page) => head(&call, page, &hash, Include::Properties.is_in(&include)).await,
        None => Head { lines: vec![format!("A part of a page · {}", render::bare(&id))], ..Head::default() },
    };
    if Include::Comments.is_in(&include) {
        let (comments, left) = comments::of_page(&call, &id).await?;
        head.besides.push(Besides::new("comments", &comments, left));
    }
    if Include::Children.is_in(&include) {
        head.besides.push(children(&text));
    }
    // What was said in meetings is no part of the text that edit_content changes, nor of its hash.
    if Include::Transcripts.is_in(&include) {
        text = call.api().transcribed(&id, offset == 0).await?;
    }
    let (mut slice, mut rest, mut notes) = (String::new(), None, Vec::new());
    let mut reply = head.reply();
    if section.is_some() || Include::Markdown.is_in(&include) {
        let mut shown = linked(&call, dialect::shown(&text.markdown)).await;
        if let Some(wanted) = &section {
            shown = part(&shown, wanted, text.unknown_block_ids.len())?;
        }
        let most = max_chars.map_or(CHARS, |most| (most as usize).max(1));
        let room = slices::room(head.reply(), &title);
        (slice, rest) = slices::slice(&shown, offset, most, room);
        if !text.unknown_block_ids.is_empty() {
            notes = fill(&call, &text.unknown_block_ids, &mut slice, room).await?;
        }
        reply = reply.outside(title.clone(), None, slice.clone());
    }
    let next_offset = rest.as_ref().map(|_| offset + slice.chars().count());
    for note in rest.iter().chain(&notes) {
        reply = reply.line(note.clone());
    }
    notes.splice(0..0, head.notes());
    let Item { url, last_edited_time: edited, .. } = page.unwrap_or_default();
    let (id, place) = (render::bare(&id), head.place.trim_start_matches(" in ").to_owned());
    let (comments, children) = (head.besides("comments"), head.besides("children"));
    let values = head.values;
    Ok(reply.data(&PageText {
        id,
        title,
        place,
        url,
        edited,
        hash,
        values,
        markdown: slice,
        comments,
        children,
        next_offset,
        notes,
    }))
}

/// The pages and databases in a page, each with its id.
fn children(text: &PageMarkdown) -> Besides {
    let lines: Vec<String> = dialect::children(&text.markdown)
        .iter()
        .map(|(id, title)| format!("{} · {}", render::title(title), render::bare(id)))
        .collect();
    let left =
        (!text.unknown_block_ids.is_empty()).then(|| "Parts that Notion left out may have more".to_owned());
    Besides::new("children", &lines.join("\n"), left)
}

/// A page's text in which databases without a title are said to be linked where their table cannot be read.
async fn linked(call: &Call<Notion>, text: String) -> String {
    let untitled = dialect::untitled(&text);
    let read = untitled.into_iter().take(UNTITLED).map(|id| async move {
        let answer = call.api().database(&id).await;
        let gone = answer.err().is_some_and(|error| is_linked(&error) || error.kind() == Kind::NotFound);
        gone.then_some(id)
    });
    let linked: Vec<String> = join_all(read).await.into_iter().flatten().collect();
    if linked.is_empty() { text } else { dialect::with_linked(&text, &linked) }
}

/// Says which tool an id of another kind belongs to.
async fn not_a_page(call: &Call<Notion>, id: &str, error: Error) -> Error {
    match call.table(id).await {
        Ok(table) => Error::invalid(format!("This is the table {}, not a page", table.name))
            .with_hint("Use get_database for its columns, query_database for its rows"),
        // A database of several tables is refused with their names.
        Err(several) if several.kind() == Kind::InvalidArgument => several,
        Err(_) => error,
    }
}

/// What stands above a page's text.
#[derive(Default)]
struct Head {
    lines: Vec<String>,
    /// ` in Runbooks`.
    place: String,
    values: String,
    /// What is said of values that were left out.
    cut: Option<String>,
    besides: Vec<Besides>,
}

/// What was asked for besides a page's values and text.
struct Besides {
    name: &'static str,
    text: String,
    note: Option<String>,
}

impl Besides {
    /// As much of `text` as a reply has room for; `left` says what it lacks.
    fn new(name: &'static str, text: &str, left: Option<String>) -> Self {
        let (text, rest) = slices::slice(text, 0, BESIDES, BESIDES);
        let cut = rest.map(|_| format!("The {name} were cut here"));
        let said: Vec<String> = cut.into_iter().chain(left).collect();
        Self { name, text, note: (!said.is_empty()).then(|| format!("[{}.]", said.join(". "))) }
    }
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
        if let Some(cut) = &self.cut {
            reply = reply.line(cut.clone());
        }
        for Besides { name, text, note } in &self.besides {
            reply = if text.is_empty() {
                reply.line(format!("No {name}."))
            } else {
                reply.outside(*name, None, text.clone())
            };
            if let Some(note) = note {
                reply = reply.line(note.clone());
            }
        }
        reply
    }

    /// What is said of what was left out.
    fn notes(&self) -> Vec<String> {
        self.cut
            .iter()
            .chain(self.besides.iter().filter_map(|besides| besides.note.as_ref()))
            .cloned()
            .collect()
    }

    /// What was asked for as `name`.
    fn besides(&self, name: &str) -> Option<String> {
        self.besides.iter().find(|besides| besides.name == name).map(|besides| besides.text.clone())
    }
}

/// A page's first lines: what it is, where, its values if they are wanted.
async fn head(call: &Call<Notion>, page: &mut Item, hash: &str, with_values: bool) -> Head {
    let names: Vec<String> = page.properties.keys().filter(|_| with_values).cloned().collect();
    call.count_linked(std::slice::from_mut(page), &names).await;
    make_whole(call, page, &names).await;
    let page = &*page;
    let table = match page.parent_id() {
        Some(("data_source_id", table)) if with_values => call.api().data_source(table).await.ok(),
        _ => None,
    };
    let columns = table.as_ref().map(|table| &table.properties);
    let titles = call.linked_titles(std::slice::from_ref(page), &names, columns).await;
    let place = place(page, &call.places(&[page]).await);
    let trash = if page.in_trash { " · in the trash" } else { "" };
    let locked = if page.is_locked { " · locked" } else { "" };
    let first = format!(
        "{}{place} · {} · edited {} · hash {hash}{locked}{trash}",
        render::title(&page.name()),
        render::bare(&page.id),
        minute(&page.last_edited_time)
    );
    let (mut values, mut empty) = (Vec::new(), Vec::new());
    let wanted = |value: &Value| with_values && value["type"] != "title";
    for (name, value) in page.properties.iter().filter(|(_, value)| wanted(value)) {
        let shown = match value["type"].as_str() {
            Some("relation") => render::all_linked(value, &titles),
            _ => render::value(value),
        };
        let column = columns.and_then(|columns| columns.get(name)).unwrap_or(&Value::Null);
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
    Head { lines: vec![first, page.url.clone()], place, values, cut, besides: Vec::new() }
}

/// Puts whole lists and texts in the place of those that a page's answer cuts.
async fn make_whole(call: &Call<Notion>, page: &mut Item, names: &[String]) {
    for name in names.iter().filter(|name| is_cut(page.value(name))).cloned().collect::<Vec<_>>() {
        let Ok((items, all)) = call.whole(page, &name, ENTRIES).await else { continue };
        if let Some(value) = page.properties.get_mut(&name) {
            let kind = value["type"].as_str().unwrap_or_default().to_owned();
            value[kind] = Value::Array(items);
            value["has_more"] = Value::Bool(!all);
        }
    }
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
            Ok(part) => {
                left += part.unknown_block_ids.len();
                dialect::shown(&part.markdown)
            }
            Err(error) if error.kind() == Kind::NotFound => {
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
        let (parts, were) = (words::counted(left, ("part", "parts")), if left == 1 { "was" } else { "were" });
        notes.push(format!("[{parts} {were} not loaded with the page: read each <unknown> with get_page, by the id after # in its url.]"));
    }
    if unreachable > 0 {
        let parts = words::counted(unreachable, ("part", "parts"));
        notes.push(format!("[{parts} cannot be reached with this token.]"));
    }
    Ok(notes)
}

/// The level and words of a heading.
fn level(line: &str) -> Option<(usize, &str)> {
    let hashes = line.len() - line.trim_start_matches('#').len();
    let title = line[hashes..].strip_prefix(' ')?;
    (1..=4).contains(&hashes).then_some((hashes, title))
}

/// The part under the heading that is called so, with its sub-headings, wherever it stands; `left` parts of the text are
/// not there.
fn part(text: &str, wanted: &str, left: usize) -> Result<String> {
    let mut code = Code::default();
    let mut headings = Vec::new();
    let mut found: Option<(usize, usize, Vec<&str>)> = None;
    for line in text.lines() {
        let bare = line.trim_start_matches('\t');
        let tabs = line.len() - bare.len();
        let heading = if code.line(line) == Part::Prose { level(bare) } else { None };
        let ends = |within: usize, depth: usize| {
            tabs < within && !bare.is_empty()
                || heading.is_some_and(|(own, _)| tabs == within && own <= depth)
        };
        if found.as_ref().is_some_and(|(within, depth, _)| ends(*within, *depth)) {
            break;
        }
        if let Some((depth, title)) = heading {
            let plain = title.split(" {").next().unwrap_or(title).replace(['*', '`', '\\'], "");
            if found.is_none() && resolve::same(&plain, wanted.trim_start_matches('#')) {
                found = Some((tabs, depth, Vec::new()));
            }
            headings.push(one_line(&plain));
        }
        if let Some((_, _, lines)) = &mut found {
            lines.push(line);
        }
    }
    if let Some((_, _, lines)) = found {
        return Ok(lines.join("\n"));
    }
    let unread = match left {
        0 => String::new(),
        left => {
            let parts = words::counted(left, ("part", "parts"));
            format!(". {parts} of it that Notion left out may have it: read the page without `section`")
        }
    };
    Err(Error::not_found(format!("The page has no section called {}", one_line(wanted))).with_hint(
        if headings.is_empty() {
            format!("It has no headings{unread}")
        } else {
            format!("It has: {}{unread}", headings.join(", "))
        },
    ))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetBlocks {
    id: String,
    /// At most 3.
    depth: Option<u32>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Block {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    text: String,
    has_children: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct BlockRow {
    #[serde(flatten)]
    block: Block,
    #[serde(skip_serializing_if = "Option::is_none")]
    inside: Option<Vec<Inner>>,
}

/// A block inside another, so many levels below it.
#[derive(Debug, Serialize, JsonSchema)]
struct Inner {
    level: usize,
    #[serde(flatten)]
    block: Block,
}

async fn get_blocks(call: Call<Notion>, arguments: GetBlocks) -> Result<Reply> {
    let GetBlocks { id, depth, limit: asked, cursor } = arguments;
    let depth = depth.unwrap_or(1).clamp(1, LEVELS) as usize;
    let position: Position = call.open_cursor(cursor.as_deref())?.unwrap_or_default();
    let id = call.block_id("id", &id).await?;
    let size = position.first(limit(asked, 50, 100), 100);
    let blocks = call.api().children(&id, size, position.after.as_deref()).await?;
    let next = blocks.next(position.after.as_deref()).map(str::to_owned);
    let shown: Vec<&Value> = blocks.results.iter().skip(position.skip).collect();
    let more = if depth == 1 { "has blocks inside" } else { "has more blocks inside" };
    let mut page = Page::new(FROM, ("block", "blocks")).note(format!("id | type | text; + {more}"));
    let mut lists = LISTS;
    for block in &shown {
        let (lines, row) = with_inside(&call, block, depth, &mut lists).await?;
        page.push(lines.join("\n"), &row);
    }
    let read = shown.len();
    Ok(Reply::page(paging::close(&call, page, VendorPage::whole(position, read, next))))
}

/// A block and those inside it down to `depth` levels, a line each, as far as one row has room and `lists` may be asked
/// for. Pages and databases are not looked into.
async fn with_inside(
    call: &Call<Notion>,
    block: &Value,
    depth: usize,
    lists: &mut usize,
) -> Result<(Vec<String>, BlockRow)> {
    let mut lines = Vec::new();
    let mut rows = Vec::new();
    let mut left = vec![(0, block.clone())];
    while let Some((level, block)) = left.pop() {
        let row = block_row(&block);
        let mut more = row.has_children;
        let room = INSIDE.saturating_sub(rows.len() + left.len());
        if more && level + 1 < depth && room > 0 && *lists > 0 && !row.kind.starts_with("child_") {
            *lists -= 1;
            let list = call.api().children(&row.id, 100, None).await?;
            more = list.has_more || list.results.len() > room;
            left.extend(list.results.into_iter().take(room).rev().map(|inner| (level + 1, inner)));
        }
        let mark = if more { " +" } else { "" };
        lines.push(format!("{}{} | {}{mark} | {}", "  ".repeat(level), row.id, row.kind, row.text));
        rows.push(Inner { level, block: row });
    }
    let Inner { block, .. } = rows.remove(0);
    Ok((lines, BlockRow { block, inside: (!rows.is_empty()).then_some(rows) }))
}

fn block_row(block: &Value) -> Block {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let kind = text(&block["type"]);
    let body = &block[kind.as_str()];
    // The title of meeting notes is rich text, a page's is not.
    let words = [&body["rich_text"], &body["caption"], &body["title"]].map(plain).join(" ");
    let words = [words, text(&body["title"]), text(&body["url"]), text(&body["expression"])].join(" ");
    let cells = body["cells"].as_array().into_iter().flatten().map(plain);
    let cells = cells.collect::<Vec<_>>().join(" | ");
    // A box is checked or not.
    let check = body["checked"].as_bool().map(|checked| if checked { "[x] " } else { "[ ] " });
    let line = one_line(&format!("{}{words}{cells}", check.unwrap_or_default()));
    let line = line.char_indices().nth(120).map_or(line.clone(), |(at, _)| format!("{}…", &line[..at]));
    Block {
        id: render::bare(&text(&block["id"])),
        kind,
        text: line,
        has_children: block["has_children"] == true,
    }
}
