//! HTML read as Markdown, with the place in the HTML that each part of it comes from.

use std::ops::Range;

use super::{
    Unshown, is_block,
    tags::{Tag, attribute, bare, characters, is_address, tags},
    write::is_plain,
};

/// How many elements within elements are told apart; what is deeper is read as if it stood there.
const DEEPEST: usize = 64;

/// A part of what is shown, and the bytes of the HTML that say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) shown: Range<usize>,
    pub(super) source: Range<usize>,
    /// Whether both are the same bytes; one that is not is one character.
    pub(super) exact: bool,
}

/// A line of what is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// What makes it an item, a heading, a quote: `- `, `## `.
    pub(super) mark: String,
    /// What it says, after its mark.
    pub(super) shown: Range<usize>,
    /// The HTML of what it says.
    pub(super) source: Range<usize>,
    /// The element that is this line and nothing more.
    pub(super) outer: Option<Range<usize>>,
}

/// An inline element that is open.
struct Open {
    tag: String,
    begin: &'static str,
    end: String,
    /// Where its first mark was put; none until it has text.
    at: Option<usize>,
}

/// A block that is open.
struct Block {
    tag: String,
    start: usize,
    first_line: usize,
    ordered: Option<usize>,
}

/// A text that is being read, and then was.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) text: String,
    pub(super) pieces: Vec<Piece>,
    pub(super) lines: Vec<Line>,
    pub(super) unshown: Unshown,
    marks: bool,
    /// Whether a line break is white space like others, as in HTML; without blocks it is taken for one.
    collapses: bool,
    inline: Vec<Open>,
    blocks: Vec<Block>,
    /// The mark of an item that has begun and says nothing yet.
    item: Option<String>,
    /// Whether a line has begun.
    in_line: bool,
    /// Where the HTML of the next line begins.
    from: usize,
    /// Inside of an element whose text nobody sees.
    hidden: usize,
    cells: usize,
    preformatted: bool,
    /// The mark that was closed last, and where it ended.
    closed: Option<(usize, &'static str)>,
}

impl Reader {
    /// Reads `html`, with the marks of Markdown or without.
    pub(super) fn read(html: &str, marks: bool) -> Self {
        let mut reader = Self { marks, ..Self::default() };
        reader.collapses = tags(html).any(|(tag, _)| is_block(&tag.name));
        let mut at = 0;
        for (tag, range) in tags(html) {
            reader.words(html, at..range.start);
            reader.tag(&tag, &range);
            at = range.end;
        }
        reader.words(html, at..html.len());
        reader.end_line(html.len());
        reader
    }

    fn tag(&mut self, tag: &Tag<'_>, range: &Range<usize>) {
        let name = tag.name.as_str();
        if matches!(name, "style" | "script" | "head" | "title") {
            self.hidden = if tag.ends { self.hidden.saturating_sub(1) } else { self.hidden + 1 };
            return;
        }
        if !tag.ends {
            self.notes(tag);
        }
        match name {
            "td" | "th" => {
                self.cells = if tag.ends { self.cells.saturating_sub(1) } else { self.cells + 1 };
                if !tag.ends && self.in_line {
                    self.text.push_str(" | ");
                }
            }
            // A cell is one part of a line, whatever is in it.
            _ if is_block(name) && self.cells > 0 && name != "tr" && name != "table" => self.space(None),
            "img" => {
                let source = attribute(tag.attributes, "src").unwrap_or_default();
                if self.marks && is_address(&source) {
                    self.begin_line();
                    let words = attribute(tag.attributes, "alt").unwrap_or_default();
                    self.text.push_str(&format!("![{}]({})", words.replace(['[', ']'], ""), bare(&source)));
                }
            }
            _ if is_block(name) => self.block(tag, range),
            _ if tag.ends => self.close(name),
            _ => self.open(tag),
        }
    }

    /// Counts what of a tag has no word in Markdown.
    fn notes(&mut self, tag: &Tag<'_>) {
        let style = attribute(tag.attributes, "style").unwrap_or_default().to_lowercase();
        let mut named: Vec<&'static str> = match tag.name.as_str() {
            "u" | "ins" => vec!["underline"],
            "font" => vec!["font"],
            "table" => vec!["table"],
            "sup" | "sub" => vec!["superscript or subscript"],
            "iframe" | "video" | "audio" | "object" | "embed" => vec!["embedded media"],
            "img" if !is_address(&attribute(tag.attributes, "src").unwrap_or_default()) => vec!["image"],
            _ => Vec::new(),
        };
        for rule in style.split(';').filter_map(|rule| rule.split_once(':')) {
            match (rule.0.trim(), rule.1.trim()) {
                ("color", _) => named.push("colour"),
                ("background" | "background-color", _) => named.push("highlight"),
                ("font-size" | "font-family", _) => named.push("font"),
                ("text-align", value) if !matches!(value, "left" | "start") => named.push("alignment"),
                ("text-decoration" | "text-decoration-line", value) if value.contains("underline") => {
                    named.push("underline");
                }
                _ => {}
            }
        }
        if tag.attributes.contains("data-at-mention") {
            named.push("mention");
        }
        for name in named {
            *self.unshown.entry(name).or_default() += 1;
        }
    }

    fn block(&mut self, tag: &Tag<'_>, range: &Range<usize>) {
        self.end_line(range.start);
        match (tag.name.as_str(), tag.ends) {
            ("br", _) => {}
            ("hr", _) => {
                if self.marks {
                    self.begin_line();
                    self.text.push_str("---");
                    self.end_line(range.start);
                }
            }
            (name, false) if self.blocks.len() < DEEPEST => {
                let list = is_list(name);
                self.blocks.push(Block {
                    tag: name.to_owned(),
                    start: range.start,
                    first_line: self.lines.len(),
                    ordered: (name == "ol").then_some(0),
                });
                if name == "li" {
                    let depth = self.depth().max(1);
                    let number = self.blocks.iter_mut().rev().find(|block| is_list(&block.tag));
                    let mark = match number.and_then(|list| list.ordered.as_mut()) {
                        Some(number) => {
                            *number += 1;
                            format!("{number}. ")
                        }
                        None => "- ".to_owned(),
                    };
                    self.item = Some(format!("{}{mark}", "  ".repeat(depth - 1)));
                } else if list {
                    self.item = None;
                } else if name == "pre" {
                    self.preformatted = true;
                    if self.marks {
                        self.begin_line();
                        self.text.push_str("```\n");
                    }
                }
            }
            (_, false) => {}
            (name, true) => {
                let Some(at) = self.blocks.iter().rposition(|block| block.tag == name) else {
                    self.from = range.end;
                    return;
                };
                let block = self.blocks.split_off(at).swap_remove(0);
                if name == "li" {
                    self.item = None;
                }
                if name == "pre" {
                    self.preformatted = false;
                }
                if let [line] = &mut self.lines[block.first_line..]
                    && (line.outer.is_none() || name == "li")
                    && !is_list(name)
                {
                    line.outer = Some(block.start..range.end);
                }
            }
        }
        self.from = range.end;
    }

    /// How many lists are open.
    fn depth(&self) -> usize {
        self.blocks.iter().filter(|block| is_list(&block.tag)).count()
    }

    /// Begins a line with its mark, if none has begun.
    fn begin_line(&mut self) {
        if self.in_line {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let mut mark = String::new();
        if self.marks {
            let quotes = self.blocks.iter().filter(|block| block.tag == "blockquote").count();
            mark.push_str(&"> ".repeat(quotes));
        }
        match self.item.take() {
            Some(item) => mark.push_str(&item),
            None => mark.push_str(&"  ".repeat(self.depth())),
        }
        let heading = self.blocks.iter().rev().find_map(|block| block.tag.strip_prefix('h')?.parse().ok());
        if let (Some(level), true) = (heading, self.marks) {
            mark.push_str(&format!("{} ", "#".repeat(level)));
        }
        self.text.push_str(&mark);
        let start = self.text.len();
        self.lines.push(Line { mark, shown: start..start, source: self.from..self.from, outer: None });
        self.in_line = true;
        self.closed = None;
    }

    /// Ends the line that has begun; its HTML ends at `to`.
    fn end_line(&mut self, to: usize) {
        if self.in_line {
            self.trim();
            for at in (0..self.inline.len()).rev() {
                if self.inline[at].at.take().is_some() {
                    let end = self.inline[at].end.clone();
                    self.text.push_str(&end);
                }
            }
            if self.preformatted && self.marks {
                self.text.push_str("\n```");
            }
            if let Some(line) = self.lines.last_mut() {
                line.shown.end = self.text.len();
                line.source.end = to;
            }
            self.in_line = false;
        }
        self.from = to;
    }

    /// Takes white space off the end of the line.
    fn trim(&mut self) -> bool {
        let start = self.lines.last().map_or(0, |line| line.shown.start);
        let kept = self.text[start..].trim_end().len() + start;
        let cut = kept < self.text.len();
        self.text.truncate(kept);
        while self.pieces.pop_if(|piece| piece.shown.start >= kept).is_some() {}
        if let Some(last) = self.pieces.last_mut().filter(|last| last.shown.end > kept) {
            last.source.end -= last.shown.end - kept;
            last.shown.end = kept;
        }
        cut
    }

    fn open(&mut self, tag: &Tag<'_>) {
        let (begin, end) = match self.mark(tag) {
            Some((mark, _)) if self.inline.iter().any(|open| open.begin == mark) => ("", String::new()),
            Some(marks) => marks,
            None => ("", String::new()),
        };
        let void = matches!(tag.name.as_str(), "" | "input" | "meta" | "link" | "wbr" | "source" | "col");
        if !void && self.inline.len() < DEEPEST {
            self.inline.push(Open { tag: tag.name.clone(), begin, end, at: None });
        }
    }

    /// The marks of an inline element, before and after.
    fn mark(&self, tag: &Tag<'_>) -> Option<(&'static str, String)> {
        if !self.marks || self.preformatted {
            return None;
        }
        let style = attribute(tag.attributes, "style").unwrap_or_default().to_lowercase().replace(' ', "");
        let has = |rule: &str| style.split(';').any(|one| one == rule);
        let mark = match tag.name.as_str() {
            "strong" | "b" => "**",
            "em" | "i" => "*",
            "s" | "strike" | "del" => "~~",
            "code" => "`",
            "a" => {
                let address = attribute(tag.attributes, "href").filter(|address| is_address(address))?;
                return Some(("[", format!("]({})", bare(&address))));
            }
            _ if has("font-weight:bold") || has("font-weight:700") || has("font-weight:600") => "**",
            _ if has("font-style:italic") => "*",
            _ => return None,
        };
        Some((mark, mark.to_owned()))
    }

    fn close(&mut self, name: &str) {
        let Some(at) = self.inline.iter().rposition(|open| open.tag == name) else { return };
        for open in self.inline.split_off(at).into_iter().rev() {
            let Some(begun) = open.at else { continue };
            let spaced = self.trim();
            let words = &self.text[begun + open.begin.len()..];
            if open.begin == "[" && open.end == format!("]({words})") {
                // An address that says itself needs no marks.
                self.text.remove(begun);
                for piece in self.pieces.iter_mut().rev().take_while(|piece| piece.shown.start > begun) {
                    piece.shown = piece.shown.start - 1..piece.shown.end - 1;
                }
            } else {
                self.text.push_str(&open.end);
                self.closed = Some((self.text.len(), open.begin));
            }
            if spaced {
                self.text.push(' ');
            }
        }
    }

    /// A space, unless there is one or the line has not begun. `from` is where it stands.
    fn space(&mut self, from: Option<Range<usize>>) {
        if self.in_line && !self.text.ends_with(char::is_whitespace) {
            self.push(" ", from, false);
        }
    }

    fn push(&mut self, shown: &str, source: Option<Range<usize>>, exact: bool) {
        let start = self.text.len();
        self.text.push_str(shown);
        let Some(source) = source else { return };
        let shown = start..self.text.len();
        match self.pieces.last_mut() {
            Some(last)
                if last.exact && exact && last.shown.end == start && last.source.end == source.start =>
            {
                last.shown.end = shown.end;
                last.source.end = source.end;
            }
            _ => self.pieces.push(Piece { shown, source, exact }),
        }
    }

    /// The text between two tags.
    fn words(&mut self, html: &str, range: Range<usize>) {
        if self.hidden > 0 || range.is_empty() {
            return;
        }
        let all: Vec<(char, Range<usize>)> = characters(html, range).collect();
        let is_code = self.preformatted || self.inline.iter().any(|open| open.begin == "`");
        let whole: String = all.iter().map(|(c, _)| *c).collect();
        let escapes = self.marks && !is_code && !is_plain(&whole);
        let spaced = |at: Option<usize>| at.and_then(|at| all.get(at)).is_none_or(|(c, _)| c.is_whitespace());
        for (at, (c, source)) in all.iter().enumerate() {
            let (c, source) = (*c, source.clone());
            let exact = html
                .get(source.clone())
                .is_some_and(|text| text.len() == c.len_utf8() && text.starts_with(c));
            if c == '\n' && !self.collapses && !self.preformatted {
                self.end_line(source.start);
                self.from = source.end;
                continue;
            }
            if c.is_whitespace() && !self.preformatted {
                self.space(Some(source));
                continue;
            }
            self.begin_line();
            self.begin_marks();
            let mut buffer = [0; 4];
            // A mark that stands alone marks nothing.
            let alone = spaced(at.checked_sub(1)) && spaced(Some(at + 1));
            if escapes && !alone && matches!(c, '\\' | '*' | '_' | '~' | '`' | '[' | ']') {
                self.push(&format!("\\{c}"), Some(source), false);
            } else {
                self.push(c.encode_utf8(&mut buffer), Some(source), exact);
            }
        }
    }

    /// Puts the marks of what is open and had no text yet.
    fn begin_marks(&mut self) {
        for open in self.inline.iter_mut().filter(|open| open.at.is_none() && !open.begin.is_empty()) {
            match self.closed {
                // One that goes on where the same ended is one.
                Some((end, mark)) if end == self.text.len() && mark == open.begin && mark != "[" => {
                    self.text.truncate(end - mark.len());
                    let begun = self.text.rfind(mark).unwrap_or(self.text.len());
                    open.at = Some(begun);
                }
                _ => {
                    open.at = Some(self.text.len());
                    self.text.push_str(open.begin);
                }
            }
            self.closed = None;
        }
    }
}

fn is_list(tag: &str) -> bool {
    matches!(tag, "ul" | "ol")
}
