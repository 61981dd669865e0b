//! Replies made for a model: a header, then compact rows or text, fenced where people outside wrote
//! it, within a budget; nothing is left out without a word about it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    listing::Page,
    structured,
    text::{Fence, clean, not_shown, unseen},
    writer::Writer,
};

/// Bytes of text or structured data in one reply, unless configured otherwise.
pub const DEFAULT_BUDGET: usize = 32 * 1024;

/// What a tool answers, until it is rendered.
#[derive(Default)]
pub struct Reply {
    pub(super) lead: Vec<String>,
    pub(super) blocks: Vec<Block>,
    pub(super) images: Vec<Image>,
    pub(super) data: Option<Value>,
    pub(super) dry: bool,
}

pub(super) enum Block {
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

    /// Says of a listing that found nothing what it was asked for, by `arguments` that `schema` takes, and what
    /// to try next.
    pub(super) fn asked_for(mut self, arguments: &Map<String, Value>, schema: &Map<String, Value>) -> Self {
        if let [Block::Page(page), rest @ ..] = &mut self.blocks[..]
            && !rest.iter().any(|block| matches!(block, Block::Page(_)))
        {
            page.asked_for(arguments, schema);
        }
        self
    }

    /// Has it name each of `places`: before its own words, unless they do.
    pub(super) fn naming(mut self, places: &[String]) -> Self {
        let missing: Vec<_> = places.iter().filter(|place| !self.names(place)).map(String::as_str).collect();
        if missing.is_empty() {
            return self;
        }
        let within = format!("In {}:", missing.join(", "));
        if let Some(Value::String(summary)) = self.data.as_mut().and_then(|data| data.get_mut("summary")) {
            *summary = format!("{within} {summary}");
        }
        self.blocks.insert(0, Block::Line(within));
        self
    }

    fn names(&self, place: &str) -> bool {
        let place = place.to_lowercase();
        let says = |text: &str| text.to_lowercase().contains(&place);
        self.lead.iter().any(|line| says(line))
            || self.blocks.iter().any(|block| match block {
                Block::Line(line) => says(line),
                Block::Outside { from, .. } => says(from),
                Block::Page(page) => page.says(says),
            })
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
            structured::render(self, options.budget)
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
                Block::Outside { from, by, text } => {
                    let fits = out.outside(&fence, &from, by.as_deref(), &clean(&text));
                    if let Some(note) = not_shown(unseen(&text), "left out here") {
                        out.line(&note);
                    }
                    fits
                }
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
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("blocks", &self.blocks.len())
            .field("dry", &self.dry)
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
    fn an_empty_listing_says_so_with_what_was_asked_and_what_to_try() {
        assert_eq!(Reply::page(page(0, 0)).render(&ReplyOptions::default()).text, "No issues.");
        let schema = json!({"required": ["query"]});
        let said = |arguments: Value| {
            let reply = Reply::page(page(0, 0));
            let reply = reply.asked_for(arguments.as_object().unwrap(), schema.as_object().unwrap());
            reply.render(&ReplyOptions::default()).text
        };
        assert_eq!(said(json!({"limit": 5})), "No issues.");
        assert_eq!(
            said(json!({"query": "imports", "labels": ["Bug", "P1"], "since": "7d"})),
            "No issues. Asked for: query imports, labels Bug, P1, since 7d. If some should be there, try it without one of `labels`, `since` or with other words."
        );
        assert_eq!(
            said(json!({"overdue": true})),
            "No issues. Asked for: overdue true. If some should be there, try it without `overdue`."
        );
        assert_eq!(
            said(json!({"state": "all", "include_archived": true})),
            "No issues. Asked for: state all, include_archived true."
        );
        assert_eq!(
            said(json!({"state": "all", "label": "P1"})),
            "No issues. Asked for: state all, label P1. If some should be there, try it without `label`."
        );
        let reply = Reply::page(page(0, 0).instead("try `project` instead"));
        let reply = reply.asked_for(json!({"issue": "ENG-1"}).as_object().unwrap(), &Map::new());
        assert_eq!(
            reply.render(&ReplyOptions::default()).text,
            "No issues. Asked for: issue ENG-1. If some should be there, try `project` instead."
        );
        let full = Reply::page(page(2, 0)).asked_for(&Map::new(), &Map::new());
        assert!(!full.render(&ReplyOptions::default()).text.contains("Asked for"));
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
}
