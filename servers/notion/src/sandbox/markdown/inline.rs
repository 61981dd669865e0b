//! Rich text of one block: runs with annotations, links, equations and mentions.

use serde_json::{Value, json};

use super::{from_markdown_color, to_markdown_color};
use crate::sandbox::rich_text::{self, Run};

/// Characters that are escaped outside code (enhanced-markdown, "Escaping").
const ESCAPED: &str = "\\*~`$[]<>{}|^";

/// A mark around a run. The order is that in which marks nest, outermost first.
#[derive(Clone, Debug, PartialEq)]
enum Mark {
    Link(String),
    Color(String),
    Underline,
    Bold,
    Italic,
    Strike,
}

impl Mark {
    /// What stands before it and after it.
    fn ends(&self) -> (String, String) {
        let same = |mark: &str| (mark.to_owned(), mark.to_owned());
        let span = |attribute: String| (format!("<span {attribute}>"), "</span>".to_owned());
        match self {
            Self::Link(url) => ("[".to_owned(), format!("]({url})")),
            Self::Color(color) => span(format!("color=\"{}\"", to_markdown_color(color))),
            Self::Underline => span("underline=\"true\"".to_owned()),
            Self::Bold => same("**"),
            Self::Italic => same("*"),
            Self::Strike => same("~~"),
        }
    }

    fn open(&self) -> String {
        self.ends().0
    }

    fn close(&self) -> String {
        self.ends().1
    }
}

fn marks(run: &Run) -> Vec<Mark> {
    let marks = [
        run.link.clone().map(Mark::Link),
        (run.color != "default").then(|| Mark::Color(run.color.clone())),
        run.underline.then_some(Mark::Underline),
        run.bold.then_some(Mark::Bold),
        run.italic.then_some(Mark::Italic),
        run.strikethrough.then_some(Mark::Strike),
    ];
    marks.into_iter().flatten().collect()
}

/// Rich text as Markdown, on one line.
pub(in crate::sandbox) fn render(items: &[Value]) -> String {
    let mut out = String::new();
    let mut open: Vec<Mark> = Vec::new();
    for run in items.iter().map(Run::read) {
        let marks = marks(&run);
        let text = run.text().unwrap_or_default();
        let core = text.trim_matches(' ');
        // White space at the edge of a mark would not be read as marked again.
        let (before, after) = if run.text().is_none() || run.code || core.is_empty() {
            (0, 0)
        } else {
            (text.len() - text.trim_start_matches(' ').len(), text.len() - text.trim_end_matches(' ').len())
        };
        let shared = open.iter().zip(&marks).take_while(|(a, b)| a == b).count();
        while open.len() > shared {
            out.extend(open.pop().map(|mark| mark.close()));
        }
        if run.text().is_some() && !run.code && core.is_empty() && marks.len() > shared {
            out.push_str(text);
            continue;
        }
        out.push_str(&text[..before]);
        for mark in &marks[shared..] {
            out.push_str(&mark.open());
            open.push(mark.clone());
        }
        match run.text() {
            Some(text) if run.code => out.push_str(&code(text)),
            Some(text) => out.push_str(&escape(&text[before..text.len() - after])),
            None => out.push_str(&special(&run)),
        }
        if after > 0 {
            // The marks end before the blank; the next run opens them again if it has them.
            while let Some(mark) = open.pop() {
                out.push_str(&mark.close());
            }
            out.push_str(&text[text.len() - after..]);
        }
    }
    while let Some(mark) = open.pop() {
        out.push_str(&mark.close());
    }
    out
}

pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<br>"),
            c if ESCAPED.contains(c) => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn code(text: &str) -> String {
    let text = text.replace('\n', "<br>");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    if longest > 0 { format!("{ticks} {text} {ticks}") } else { format!("{ticks}{text}{ticks}") }
}

/// An equation or a mention.
fn special(run: &Run) -> String {
    if let Some(expression) = &run.equation {
        return format!("$`{expression}`$");
    }
    let Some(mention) = &run.mention else { return String::new() };
    let kind = mention["type"].as_str().unwrap_or_default();
    let target = &mention[kind];
    let id = target["id"].as_str().unwrap_or_default();
    let to = |tag: &str, url: String| {
        format!("<mention-{tag} url=\"{url}\">{}</mention-{tag}>", escape(run.shown.trim_start_matches('@')))
    };
    match kind {
        "user" => to("user", format!("user://{id}")),
        "page" | "database" => to(kind, rich_text::url_of(id)),
        "data_source" => to("data-source", rich_text::url_of(id)),
        "date" => date(target),
        "custom_emoji" => format!(":{}:", target["name"].as_str().unwrap_or_default()),
        _ => escape(&run.shown),
    }
}

fn date(date: &Value) -> String {
    let mut attributes = String::new();
    for (key, time_key) in [("start", "startTime"), ("end", "endTime")] {
        if let Some(moment) = date[key].as_str() {
            let (day, time) =
                moment.split_once('T').map_or((moment, None), |(day, time)| (day, time.get(..5)));
            attributes.push_str(&format!(" {key}=\"{day}\""));
            if let Some(time) = time {
                attributes.push_str(&format!(" {time_key}=\"{time}\""));
            }
        }
    }
    if let Some(zone) = date["time_zone"].as_str() {
        attributes.push_str(&format!(" timeZone=\"{zone}\""));
    }
    format!("<mention-date{attributes}/>")
}

/// Reads Markdown of one line into rich text as requests have it.
pub(in crate::sandbox) fn parse(text: &str) -> Vec<Value> {
    let mut reader = Reader { text, at: 0, open: Vec::new(), plain: String::new(), runs: Vec::new() };
    reader.read();
    reader.runs.iter().map(Run::to_request).collect()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Mark>,
    plain: String,
    runs: Vec<Run>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn read(&mut self) {
        while self.at < self.text.len() {
            if !self.special() {
                let Some(c) = self.rest().chars().next() else { break };
                self.plain.push(c);
                self.at += c.len_utf8();
            }
        }
        self.flush();
    }

    /// Ends the plain run that was being read.
    fn flush(&mut self) {
        if !self.plain.is_empty() {
            let text = std::mem::take(&mut self.plain);
            self.push(Run::plain(text));
        }
    }

    /// Reads a run that ends what was plain, over so many bytes.
    fn run(&mut self, run: Run, length: usize) -> bool {
        self.flush();
        self.push(run);
        self.at += length;
        true
    }

    /// Begins a mark, over so many bytes.
    fn begin(&mut self, mark: Mark, length: usize) -> bool {
        self.flush();
        self.open.push(mark);
        self.at += length;
        true
    }

    /// Ends the innermost mark that `is` so, over so many bytes.
    fn end(&mut self, is: impl Fn(&Mark) -> bool, length: usize) -> bool {
        let Some(at) = self.open.iter().rposition(is) else { return false };
        self.flush();
        self.open.remove(at);
        self.at += length;
        true
    }

    fn push(&mut self, mut run: Run) {
        for mark in &self.open {
            match mark {
                Mark::Link(url) => run.link = Some(url.clone()),
                Mark::Color(color) => run.color.clone_from(color),
                Mark::Underline => run.underline = true,
                Mark::Bold => run.bold = true,
                Mark::Italic => run.italic = true,
                Mark::Strike => run.strikethrough = true,
            }
        }
        self.runs.push(run);
    }

    fn special(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else { return false };
        match first {
            '\\' => match rest.chars().nth(1).filter(char::is_ascii_punctuation) {
                Some(escaped) => {
                    self.plain.push(escaped);
                    self.at += 2;
                    true
                }
                None => false,
            },
            '`' => self.code(),
            '$' => self.equation(),
            '*' => self.stars(),
            '~' if rest.starts_with("~~") => self.toggle(&Mark::Strike, 2),
            '[' => self.link(),
            ']' => self.end_of_link(),
            '<' => self.tag(),
            ':' => self.emoji(),
            _ => false,
        }
    }

    fn toggle(&mut self, mark: &Mark, length: usize) -> bool {
        if self.open.last() == Some(mark) {
            return self.end(|other| other == mark, length);
        }
        let closes = self.text[self.at + length..].contains(&mark.close());
        !self.open.contains(mark) && closes && self.begin(mark.clone(), length)
    }

    /// A run of asterisks: what is open is closed first, then bold and italic begin.
    fn stars(&mut self) -> bool {
        let count = self.rest().len() - self.rest().trim_start_matches('*').len();
        let next = self.rest()[count..].chars().next();
        let opens = next.is_some_and(|c| !c.is_whitespace());
        let closes = self.at > 0 && !self.text[..self.at].ends_with(char::is_whitespace);
        let mut left = count;
        while left > 0 {
            let bold = self.open.contains(&Mark::Bold);
            let top = self.open.last().cloned();
            let later = |mark: &str| self.text[self.at + count..].contains(mark);
            let mark = match top {
                Some(Mark::Italic) if left == 2 && !bold && opens && later("**") => Some((Mark::Bold, 2)),
                Some(Mark::Italic) if closes => Some((Mark::Italic, 1)),
                Some(Mark::Bold) if left >= 2 && closes => Some((Mark::Bold, 2)),
                _ if left >= 2 && !bold && opens && later("**") => Some((Mark::Bold, 2)),
                _ if !self.open.contains(&Mark::Italic) && opens && later("*") => Some((Mark::Italic, 1)),
                _ => None,
            };
            let Some((mark, length)) = mark else {
                self.plain.push_str(&"*".repeat(left));
                break;
            };
            self.flush();
            if self.open.last() == Some(&mark) {
                self.open.pop();
            } else {
                self.open.push(mark);
            }
            left -= length;
        }
        self.at += count;
        true
    }

    fn code(&mut self) -> bool {
        let rest = self.rest();
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        let inside = &rest[ticks..];
        let fence = "`".repeat(ticks);
        let mut from = 0;
        let end = loop {
            let Some(found) = inside[from..].find(&fence) else { return false };
            let at = from + found;
            let after = inside[at..].len() - inside[at..].trim_start_matches('`').len();
            if after == ticks {
                break at;
            }
            from = at + after;
        };
        let mut code = &inside[..end];
        if ticks > 1 {
            code = code.strip_prefix(' ').unwrap_or(code);
            code = code.strip_suffix(' ').unwrap_or(code);
        }
        let run = Run { code: true, ..Run::plain(code.replace("<br>", "\n")) };
        self.run(run, ticks * 2 + end)
    }

    /// `` $`x`$ ``, as Notion writes it, or `$x$`, whose edges must not be blank.
    fn equation(&mut self) -> bool {
        let rest = self.rest();
        let (expression, length) = if let Some(inside) = rest.strip_prefix("$`") {
            let Some(end) = inside.find("`$") else { return false };
            (&inside[..end], end + 4)
        } else {
            let inside = &rest[1..];
            let Some(end) = inside.find('$') else { return false };
            let found = &inside[..end];
            let digit = inside[end + 1..].starts_with(|c: char| c.is_ascii_digit());
            if found.is_empty() || found.trim() != found || found.ends_with('\\') || digit {
                return false;
            }
            (found, end + 2)
        };
        self.run(Run { equation: Some(expression.to_owned()), ..Run::default() }, length)
    }

    fn link(&mut self) -> bool {
        let rest = self.rest();
        let Some(close) = matching_bracket(rest) else { return false };
        let Some((url, _)) = target(&rest[close + 1..]) else { return false };
        if self.open.iter().any(|mark| matches!(mark, Mark::Link(_))) {
            return false;
        }
        // A link is the outermost mark of its runs, wherever it is written.
        self.begin(Mark::Link(url.to_owned()), 1)
    }

    fn end_of_link(&mut self) -> bool {
        let Some((_, length)) = target(&self.rest()[1..]) else { return false };
        self.end(|mark| matches!(mark, Mark::Link(_)), 1 + length)
    }

    fn tag(&mut self) -> bool {
        let Some(tag) = Tag::read(self.rest()) else { return false };
        let length = tag.length;
        if tag.name == "br" {
            self.plain.push('\n');
            self.at += length;
            return true;
        }
        if tag.name == "span" && tag.closes {
            return self.end(|mark| matches!(mark, Mark::Color(_) | Mark::Underline), length);
        }
        if tag.name == "span" {
            let underline = (tag.get("underline") == Some("true")).then_some(Mark::Underline);
            let mark = tag.get("color").and_then(from_markdown_color).map(Mark::Color).or(underline);
            return mark.is_some_and(|mark| self.begin(mark, length));
        }
        let Some(kind) = tag.name.strip_prefix("mention-") else { return false };
        let Some(mention) = mention(kind, &tag) else { return false };
        let (shown, length) = if tag.empty {
            (String::new(), length)
        } else {
            let end = format!("</{}>", tag.name);
            let Some(at) = self.rest()[length..].find(&end) else { return false };
            (unescape(&self.rest()[length..length + at]), length + at + end.len())
        };
        self.run(Run { mention: Some(mention), shown, ..Run::default() }, length)
    }

    /// `:emoji_name:` is read as it is: the workspace's emoji are known to whoever stores the text.
    fn emoji(&mut self) -> bool {
        let Some((name, length)) = emoji_name(self.rest()) else { return false };
        let mention = json!({"type": "custom_emoji", "custom_emoji": {"name": name}});
        let run = Run { mention: Some(mention), shown: format!(":{name}:"), ..Run::default() };
        self.run(run, length)
    }
}

/// The name at the start of a text that an emoji may have, and its length with both colons.
pub(super) fn emoji_name(text: &str) -> Option<(&str, usize)> {
    let (name, _) = text.strip_prefix(':')?.split_once(':')?;
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let named = name.chars().all(good) && name.contains(|c: char| c.is_ascii_lowercase());
    named.then_some((name, name.len() + 2))
}

fn mention(kind: &str, tag: &Tag) -> Option<Value> {
    let to = |kind: &str| Some(json!({"type": kind, kind: {"id": rich_text::id_in(tag.get("url")?)?}}));
    Some(match kind {
        "user" | "page" | "database" => to(kind)?,
        "data-source" => to("data_source")?,
        "date" => {
            let moment = |day: &str, time: &str| {
                let day = tag.get(day)?;
                Some(tag.get(time).map_or_else(|| day.to_owned(), |time| format!("{day}T{time}:00")))
            };
            let date = json!({
                "start": moment("start", "startTime")?,
                "end": moment("end", "endTime"),
                "time_zone": tag.get("timeZone"),
            });
            json!({"type": "date", "date": date})
        }
        _ => return None,
    })
}

/// Where the bracket at the start of `text` closes.
fn matching_bracket(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => depth += 1,
            ']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The address in parentheses at the start of `text`, and the length of it all.
pub(super) fn target(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix('(')?;
    let mut depth = 0;
    for (at, c) in inside.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return (at > 0).then(|| (&inside[..at], at + 2)),
            ')' => depth -= 1,
            c if c.is_whitespace() => return None,
            _ => {}
        }
    }
    None
}

pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek().is_some_and(char::is_ascii_punctuation) => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out.replace("<br>", "\n")
}

/// One tag at the start of a text.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    /// `</name>`.
    pub(super) closes: bool,
    /// `<name/>`.
    pub(super) empty: bool,
    pub(super) length: usize,
}

impl Tag {
    pub(super) fn read(text: &str) -> Option<Self> {
        let inside = text.strip_prefix('<')?;
        let mut quoted = false;
        let end = inside.char_indices().find(|(_, c)| {
            if *c == '"' {
                quoted = !quoted;
            }
            *c == '>' && !quoted
        });
        let (end, _) = end?;
        let body = &inside[..end];
        let (body, closes) = body.strip_prefix('/').map_or((body, false), |body| (body, true));
        let (body, empty) = body.strip_suffix('/').map_or((body, false), |body| (body, true));
        let name_end = body.find(char::is_whitespace).unwrap_or(body.len());
        let name = &body[..name_end];
        let good = |c: char| c.is_ascii_lowercase() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(good) {
            return None;
        }
        let attributes = attributes(&body[name_end..])?;
        Some(Self { name: name.to_owned(), attributes, closes, empty, length: end + 2 })
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// `a="b" c="d"`.
pub(super) fn attributes(text: &str) -> Option<Vec<(String, String)>> {
    let mut attributes = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"")?;
        let (value, after) = value.split_once('"')?;
        attributes.push((name.trim().to_owned(), value.replace("&quot;", "\"")));
        rest = after.trim_start();
    }
    Some(attributes)
}
