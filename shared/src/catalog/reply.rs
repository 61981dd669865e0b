//! Replies made for a model: a header, then compact rows or text, fenced where people outside wrote
//! it, within a budget; nothing is left out without a word about it.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::text::{Fence, clean, one_line};

/// Bytes of text or structured data in one reply, unless configured otherwise.
pub const DEFAULT_BUDGET: usize = 32 * 1024;

/// What a tool answers, until it is rendered.
#[derive(Default)]
pub struct Reply {
    lead: Vec<String>,
    blocks: Vec<Block>,
    images: Vec<Image>,
    data: Option<Value>,
    dry: bool,
}

enum Block {
    /// Our own words, with names of outside in them.
    Line(String),
    /// A text that somebody outside wrote.
    Outside { from: String, by: Option<String>, text: String },
    /// Rows of a listing.
    Page(Page),
}

/// An image in a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Such as `image/png`.
    pub mime_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// A reply that begins with `header`.
    #[must_use]
    pub fn new(header: impl Into<String>) -> Self {
        Self::default().line(header)
    }

    /// A listing.
    #[must_use]
    pub fn page(page: Page) -> Self {
        Self { blocks: vec![Block::Page(page)], ..Self::default() }
    }

    /// A write that was done, or would be.
    #[must_use]
    pub fn written(written: Written) -> Self {
        let mut reply = Self::new(written.summary.clone());
        for change in &written.changed {
            reply = reply.line(format!("- {change}"));
        }
        if let Some(url) = &written.url {
            reply = reply.line(url.clone());
        }
        reply.data(&written)
    }

    /// Adds a line of our own words. Names of outside may be in it; it is cleaned when rendered.
    #[must_use]
    pub fn line(mut self, line: impl Into<String>) -> Self {
        self.blocks.push(Block::Line(line.into()));
        self
    }

    /// Adds a text that somebody outside wrote, fenced, with where it is `from` and who it is `by`.
    #[must_use]
    pub fn outside(mut self, from: impl Into<String>, by: Option<&str>, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Outside { from: from.into(), by: by.map(str::to_owned), text: text.into() });
        self
    }

    /// Adds rows after what is there already.
    #[must_use]
    pub fn rows(mut self, page: Page) -> Self {
        self.blocks.push(Block::Page(page));
        self
    }

    /// Adds an image.
    #[must_use]
    pub fn image(mut self, image: Image) -> Self {
        self.images.push(image);
        self
    }

    /// Sets the structured content of a reply that is no listing.
    #[must_use]
    pub fn data(mut self, data: &impl Serialize) -> Self {
        // Structured content is plain data of ours and always serializes.
        self.data = serde_json::to_value(data).ok();
        self
    }

    /// Puts a line above everything else.
    #[must_use]
    pub fn lead(mut self, line: impl Into<String>) -> Self {
        self.lead.push(line.into());
        self
    }

    /// Puts its text into structured content that is to sum it up and does not, as clients want where a tool
    /// has an output schema.
    pub(super) fn summed_up(mut self) -> Self {
        let mut lines = self.lead.clone();
        let summed = self.data.as_ref().is_some_and(|data| data.get("summary").is_some());
        lines.extend(self.blocks.iter().filter_map(|block| match block {
            Block::Line(line) if !summed => Some(line.clone()),
            _ => None,
        }));
        let data = self.data.get_or_insert_with(|| json!({}));
        if let Some(summary) = data.get("summary").and_then(Value::as_str) {
            lines.push(summary.to_owned());
        }
        if data.is_object() {
            data["summary"] = Value::String(lines.join("\n"));
        }
        self
    }

    /// Digests what it says: its words and rows, not what they are rendered with.
    pub(super) fn digest(&self, hash: &mut Sha256) {
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        for block in &self.blocks {
            match block {
                Block::Line(line) => part(line),
                Block::Outside { from, by, text } => {
                    part(from);
                    part(by.as_deref().unwrap_or_default());
                    part(text);
                }
                Block::Page(page) => page.rows.iter().for_each(|row| part(row)),
            }
        }
    }

    /// Marks it as what would be done.
    pub(super) fn dry(mut self) -> Self {
        self.dry = true;
        self.lead("Dry run, nothing was changed. It would do this:")
    }

    /// Renders within the budget.
    #[must_use]
    pub fn render(self, options: &ReplyOptions) -> Rendered {
        if options.structured {
            self.render_structured(options.budget)
        } else {
            self.render_text(options.budget)
        }
    }

    fn render_text(self, budget: usize) -> Rendered {
        let fence = Fence::new();
        let mut out = Writer { text: String::new(), budget };
        for line in &self.lead {
            out.line(&clean(line));
        }
        let mut blocks = self.blocks.into_iter();
        for block in blocks.by_ref() {
            let fits = match block {
                Block::Line(line) => out.try_line(&clean(&line)),
                Block::Outside { from, by, text } => out.outside(&fence, &from, by.as_deref(), &clean(&text)),
                Block::Page(page) => out.page(&fence, page),
            };
            if !fits {
                let left = blocks.len();
                let parts = if left == 0 { String::new() } else { format!(" and {left} more parts") };
                out.line(&format!(
                    "[Cut at {} kB{parts}: ask for less at once, or for single items.]",
                    budget / 1024
                ));
                break;
            }
        }
        Rendered { text: out.text.trim_end().to_owned(), images: self.images, structured: None }
    }

    /// The data in full, and its headline as text: never both in full.
    fn render_structured(self, budget: usize) -> Rendered {
        let mut lines = self.lead;
        let mut data = self.data;
        for block in self.blocks {
            match block {
                Block::Page(page) if data.is_none() => {
                    let mut size = 0;
                    let kept = page
                        .items
                        .iter()
                        .take_while(|item| {
                            size += item.to_string().len() + 1;
                            size <= budget
                        })
                        .count()
                        .max(1)
                        .min(page.items.len());
                    let (header, next) = page.header(kept);
                    lines.push(header);
                    let mut items = page.items;
                    items.truncate(kept);
                    let mut value = json!({"items": items});
                    if let Some(next) = next {
                        value["next_cursor"] = Value::String(next);
                    }
                    data = Some(value);
                }
                Block::Line(line) if lines.is_empty() || (lines.len() == 1 && self.dry) => lines.push(line),
                Block::Line(_) | Block::Outside { .. } | Block::Page(_) => {}
            }
        }
        let text = lines.iter().map(|line| clean(line)).collect::<Vec<_>>().join("\n");
        Rendered { text, images: self.images, structured: data.map(clean_value) }
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("blocks", &self.blocks.len())
            .field("dry", &self.dry)
            .finish_non_exhaustive()
    }
}

/// Strings of structured content are cleaned like all text of people outside.
fn clean_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean(&text).into_owned()),
        Value::Array(items) => items.into_iter().map(clean_value).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, clean_value(value))).collect(),
        value => value,
    }
}

/// Writes within a budget of bytes.
struct Writer {
    text: String,
    budget: usize,
}

impl Writer {
    /// Room kept for fences, cursors and words about what was cut.
    const RESERVE: usize = 400;
    /// The least room in which a page of a listing begins.
    const LEAST: usize = 400;

    fn left(&self) -> usize {
        self.budget.saturating_sub(self.text.len() + Self::RESERVE)
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn try_line(&mut self, line: &str) -> bool {
        let fits = line.len() < self.left();
        if fits {
            self.line(line);
        }
        fits
    }

    /// Whole, or cut at a paragraph or line; false if it was cut.
    fn outside(&mut self, fence: &Fence, from: &str, by: Option<&str>, text: &str) -> bool {
        let room = self.left();
        let kept = if text.len() <= room { text.len() } else { cut_at(text, room) };
        if kept > 0 || text.is_empty() {
            let open = fence.open(from, by);
            self.line(&open);
            self.line(text[..kept].trim_end());
            self.line(&fence.close());
        }
        if kept < text.len() {
            let more = text[kept..].chars().count();
            self.line(&format!("[{more} more characters were cut here.]"));
        }
        kept == text.len()
    }

    /// Whole rows, as many as fit; the header and the cursor tell of the rest.
    fn page(&mut self, fence: &Fence, page: Page) -> bool {
        let rows: Vec<_> = page.rows.iter().map(|row| clean(row)).collect();
        let mut size = 0;
        let room = self.left();
        let kept = rows
            .iter()
            .take_while(|row| {
                size += row.len() + 1;
                size <= room
            })
            .count();
        // What came before has used up the room: a cursor past a row that nobody saw would lose it.
        if room < Self::LEAST && !(rows.is_empty() && room > 0) && kept < rows.len().max(1) {
            return false;
        }
        // A single row larger than the budget is cut rather than never shown.
        let kept = kept.max(usize::from(!rows.is_empty()));
        let (header, _) = page.header(kept);
        self.line(&clean(&header));
        if kept > 0 {
            let open = fence.open(page.from, None);
            self.line(&open);
            for row in &rows[..kept] {
                let end = if row.len() > room { cut_at(row, room) } else { row.len() };
                self.line(&row[..end]);
            }
            self.line(&fence.close());
        }
        true
    }
}

/// The best place before `room` to cut `text`: after a paragraph, else a line, else a word.
fn cut_at(text: &str, room: usize) -> usize {
    let mut end = room.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    let enough = end / 2;
    head.rfind("\n\n")
        .filter(|at| *at >= enough)
        .or_else(|| head.rfind('\n').filter(|at| *at >= enough))
        .or_else(|| head.rfind(' ').filter(|at| *at >= enough))
        .unwrap_or(end)
}

/// One page of a listing: a row of text for each item, with its data for structured content.
pub struct Page {
    /// Where the rows come from, such as `Linear`.
    from: &'static str,
    /// What is listed: one, many.
    noun: (&'static str, &'static str),
    rows: Vec<String>,
    items: Vec<Value>,
    total: Option<usize>,
    notes: Vec<String>,
    more: bool,
    cursor: Option<CursorAt>,
}

/// Gives the cursor that goes on after so many rows of the page.
type CursorAt = Box<dyn Fn(usize) -> String + Send>;

impl Page {
    /// An empty page of things called `noun` (one, many).
    #[must_use]
    pub fn new(from: &'static str, noun: (&'static str, &'static str)) -> Self {
        Self {
            from,
            noun,
            rows: Vec::new(),
            items: Vec::new(),
            total: None,
            notes: Vec::new(),
            more: false,
            cursor: None,
        }
    }

    /// Adds an item: its row, one or more lines, and its data.
    pub fn push(&mut self, row: impl Into<String>, item: &impl Serialize) {
        self.rows.push(row.into());
        self.items.push(serde_json::to_value(item).unwrap_or_default());
    }

    /// Says how many there are in all, where the vendor tells.
    #[must_use]
    pub fn total(mut self, total: usize) -> Self {
        self.total = Some(total);
        self
    }

    /// Adds a few words to the header, such as what was left out by default.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        let note = note.into();
        if !note.is_empty() {
            self.notes.push(note);
        }
        self
    }

    /// Says whether the vendor has more after this page, and how to make the cursor that goes on
    /// after the first `n` rows of it (all of them, or fewer where the budget cut).
    #[must_use]
    pub fn cursor(mut self, more: bool, at: impl Fn(usize) -> String + Send + 'static) -> Self {
        self.more = more;
        self.cursor = Some(Box::new(at));
        self
    }

    /// How many rows it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The header when the first `kept` rows are shown, and the cursor for the rest.
    fn header(&self, kept: usize) -> (String, Option<String>) {
        let cut = kept < self.rows.len();
        let next = (cut || self.more).then(|| self.cursor.as_ref().map(|at| at(kept))).flatten();
        let noun =
            if kept == 1 && self.total.is_none_or(|total| total == 1) { self.noun.0 } else { self.noun.1 };
        let mut header = match (kept, self.total) {
            (0, None | Some(0)) => format!("No {}", self.noun.1),
            (_, Some(total)) if total > kept => format!("{kept} of {total} {noun}"),
            _ => format!("{kept} {noun}"),
        };
        if !self.notes.is_empty() {
            let _ = write!(header, " ({})", one_line(&self.notes.join("; ")));
        }
        match &next {
            Some(next) if cut => {
                let _ = write!(header, ", cut to fit; the rest: cursor \"{next}\"");
            }
            Some(next) => {
                let _ = write!(header, "; more: cursor \"{next}\"");
            }
            None if cut => {
                let _ = write!(header, ", {} more cut to fit", self.rows.len() - kept);
            }
            None => header.push('.'),
        }
        (header, next)
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page")
            .field("noun", &self.noun.1)
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

/// What a write did, read back from the vendor's reply.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Written {
    /// One sentence.
    pub summary: String,
    /// Each field that changed, old value and new.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// What the thing is called in later calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where a person would look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Written {
    /// A write summed up in one sentence.
    #[must_use]
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), ..Self::default() }
    }

    /// Adds a change, such as `state Todo → Done`.
    #[must_use]
    pub fn change(mut self, change: impl Into<String>) -> Self {
        self.changed.push(change.into());
        self
    }

    /// Adds what the thing is called in later calls.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Adds where a person would look at it.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }
}

/// How replies are rendered.
#[derive(Clone, Debug)]
pub struct ReplyOptions {
    /// Bytes in one reply.
    pub budget: usize,
    /// Whether data goes out as structured content, with the text shrunk to its headline.
    pub structured: bool,
}

impl Default for ReplyOptions {
    fn default() -> Self {
        Self { budget: DEFAULT_BUDGET, structured: false }
    }
}

/// A reply ready for the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// Images after it.
    pub images: Vec<Image>,
    /// Structured content, if wanted and there is any.
    pub structured: Option<Value>,
}

/// The part of `text` from character `offset`, at most `max_chars` characters and cut at a paragraph,
/// line or word; with a word about what is left and how to get it.
#[must_use]
pub fn excerpt(text: &str, offset: usize, max_chars: usize) -> (String, Option<String>) {
    let clean = clean(text);
    let start = clean.char_indices().nth(offset).map_or(clean.len(), |(at, _)| at);
    let rest = &clean[start..];
    let Some((limit, _)) = rest.char_indices().nth(max_chars) else { return (rest.to_owned(), None) };
    let end = cut_at(rest, limit);
    let shown = rest[..end].chars().count();
    let left = rest[end..].chars().count();
    let note = format!("[{left} more characters: ask with offset={}]", offset + shown);
    (rest[..end].to_owned(), Some(note))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rows: usize, width: usize) -> Page {
        let mut page = Page::new("Linear", ("issue", "issues"));
        for row in 0..rows {
            page.push(
                format!("ENG-{row} {}", "x".repeat(width)),
                &json!({"id": row, "text": "x".repeat(width)}),
            );
        }
        page
    }

    #[test]
    fn a_listing_has_a_header_and_one_fence() {
        let text = Reply::page(page(2, 1).total(2)).render(&ReplyOptions::default()).text;
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "2 issues.");
        assert!(lines[1].starts_with("<data "), "{text}");
        assert_eq!(&lines[2..4], ["ENG-0 x", "ENG-1 x"]);
        assert!(lines[4].starts_with("</data "), "{text}");
    }

    #[test]
    fn an_empty_listing_says_so() {
        assert_eq!(Reply::page(page(0, 0)).render(&ReplyOptions::default()).text, "No issues.");
    }

    #[test]
    fn a_listing_over_budget_is_cut_at_whole_rows_with_a_cursor_for_the_rest() {
        let options = ReplyOptions { budget: 2_000, structured: false };
        let text =
            Reply::page(page(50, 90).cursor(true, |kept| format!("after-{kept}"))).render(&options).text;
        assert!(text.len() <= 2_000, "{}", text.len());
        let rows = text.lines().filter(|line| line.starts_with("ENG-")).count();
        assert!(
            text.starts_with(&format!("{rows} issues, cut to fit; the rest: cursor \"after-{rows}\"")),
            "{text}"
        );
    }

    #[test]
    fn a_text_over_budget_is_cut_at_a_paragraph_and_says_how_much_is_missing() {
        let options = ReplyOptions { budget: 1_000, structured: false };
        let body = format!("{}\n\n{}", "a".repeat(400), "b".repeat(900));
        let text = Reply::new("ENG-1")
            .outside("ENG-1 description", Some("ada"), body)
            .line("tail")
            .render(&options)
            .text;
        assert!(
            text.contains(&"a".repeat(400)) && !text.contains('b'.to_string().repeat(3).as_str()),
            "{text}"
        );
        assert!(text.contains("more characters were cut here") && text.contains("1 more parts"), "{text}");
    }

    #[test]
    fn structured_content_comes_with_a_headline_only() {
        let options = ReplyOptions { budget: 400, structured: true };
        let rendered =
            Reply::page(page(5, 90).cursor(false, |kept| format!("after-{kept}"))).render(&options);
        let structured = rendered.structured.unwrap();
        let items = structured["items"].as_array().unwrap().len();
        assert!(items < 5 && structured["next_cursor"] == format!("after-{items}"), "{structured}");
        assert!(!rendered.text.contains("ENG-0"), "{}", rendered.text);
    }

    #[test]
    fn an_excerpt_tells_where_to_go_on() {
        let (shown, note) = excerpt("one two three four", 4, 9);
        assert_eq!(
            (shown.as_str(), note.as_deref()),
            ("two three", Some("[5 more characters: ask with offset=13]"))
        );
        assert_eq!(excerpt("short", 0, 100), ("short".to_owned(), None));
        assert_eq!(excerpt("short", 50, 100), (String::new(), None));
    }
}
