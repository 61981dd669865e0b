//! Markdown to drafts: one line begins one block, lines that are indented further are its children.

use serde_json::{Value, json};

use super::{
    Draft, from_markdown_color,
    inline::{self, Tag, attributes, target},
};
use crate::sandbox::{files, rich_text};

/// Reads a whole document.
pub(in crate::sandbox) fn parse(text: &str) -> Vec<Draft> {
    let lines: Vec<&str> = text.lines().collect();
    Parser { lines: &lines, at: 0 }.blocks(0)
}

struct Parser<'a> {
    lines: &'a [&'a str],
    at: usize,
}

/// How many tabs a line begins with.
fn depth(line: &str) -> usize {
    line.len() - line.trim_start_matches('\t').len()
}

/// `line` without its first `depth` tabs.
fn dedent(line: &str, depth: usize) -> &str {
    let mut rest = line;
    for _ in 0..depth {
        rest = rest.strip_prefix('\t').unwrap_or(rest);
    }
    rest
}

impl Parser<'_> {
    /// The blocks from here that are indented by at least `level`.
    fn blocks(&mut self, level: usize) -> Vec<Draft> {
        let mut blocks = Vec::new();
        while let Some(line) = self.lines.get(self.at) {
            if line.trim().is_empty() {
                self.at += 1;
                continue;
            }
            if depth(line) < level || dedent(line, level).starts_with("</") {
                break;
            }
            blocks.push(self.block(depth(line)));
        }
        blocks
    }

    fn block(&mut self, level: usize) -> Draft {
        let line = dedent(self.lines[self.at], level);
        self.at += 1;
        if let Some(fence) = line.strip_prefix("```") {
            return self.code(fence, level);
        }
        if let Some(equation) = line.strip_prefix("$$") {
            return self.equation(equation.trim(), level);
        }
        if line == "---" || line == "***" {
            return Draft::new("divider", json!({}));
        }
        if line.starts_with('|') && self.lines.get(self.at).is_some_and(|next| is_rule(dedent(next, level))) {
            return self.pipes(line, level);
        }
        if let Some(tag) = Tag::read(line).filter(|tag| !tag.closes)
            && let Some(block) = self.tagged(line, &tag, level)
        {
            return block;
        }
        if let Some(image) = image(line) {
            return image;
        }
        let (line, marks) = trailing_attributes(line);
        let color = marks.get("color").and_then(|color| from_markdown_color(color));
        let toggle = marks.get("toggle").is_some_and(|toggle| toggle == "true");
        let (kind, text, extra) = prefix(line);
        let mut body = json!({
            "rich_text": inline::parse(text),
            "color": color.as_deref().unwrap_or("default"),
        });
        if kind.starts_with("heading_") {
            body["is_toggleable"] = json!(toggle);
        }
        if let Some(checked) = extra {
            body["checked"] = json!(checked);
        }
        let children =
            if kind.starts_with("heading_") && !toggle { Vec::new() } else { self.children(level) };
        Draft::new(kind, body).with(children)
    }

    /// The blocks that are indented further than `level`.
    fn children(&mut self, level: usize) -> Vec<Draft> {
        self.blocks(level + 1)
    }

    /// Skips `</name>` at this level.
    fn end(&mut self, name: &str, level: usize) {
        let end = format!("</{name}>");
        while let Some(line) = self.lines.get(self.at) {
            if line.trim().is_empty() {
                self.at += 1;
                continue;
            }
            if dedent(line, level).trim_end() == end {
                self.at += 1;
            }
            break;
        }
    }

    fn code(&mut self, fence: &str, level: usize) -> Draft {
        let more = fence.len() - fence.trim_start_matches('`').len();
        let language = fence[more..].trim();
        let end = "`".repeat(3 + more);
        let mut code = Vec::new();
        while let Some(line) = self.lines.get(self.at) {
            self.at += 1;
            let line = dedent(line, level);
            if line.trim_end() == end {
                break;
            }
            code.push(line);
        }
        let language = if language.is_empty() { "plain text" } else { language };
        Draft::new(
            "code",
            json!({"rich_text": rich_text::plain_request(&code.join("\n")), "language": language, "caption": []}),
        )
    }

    fn equation(&mut self, first: &str, level: usize) -> Draft {
        if let Some(expression) = first.strip_suffix("$$") {
            return Draft::new("equation", json!({"expression": expression.trim()}));
        }
        let mut lines: Vec<&str> = Vec::from_iter((!first.is_empty()).then_some(first));
        while let Some(line) = self.lines.get(self.at) {
            self.at += 1;
            let line = dedent(line, level);
            if line.trim() == "$$" {
                break;
            }
            lines.push(line);
        }
        Draft::new("equation", json!({"expression": lines.join("\n")}))
    }

    /// A table of pipes, which is taken as input and never written.
    fn pipes(&mut self, header: &str, level: usize) -> Draft {
        let mut rows = vec![cells(header)];
        self.at += 1;
        while let Some(line) = self.lines.get(self.at).map(|line| dedent(line, level)) {
            if !line.starts_with('|') {
                break;
            }
            rows.push(cells(line));
            self.at += 1;
        }
        table(rows, true, false)
    }

    fn tagged(&mut self, line: &str, tag: &Tag, level: usize) -> Option<Draft> {
        let color = tag.get("color").and_then(from_markdown_color).unwrap_or_else(|| "default".to_owned());
        let inside = |name: &str| {
            let text = &line[tag.length..];
            let end = text.find(&format!("</{name}>")).unwrap_or(text.len());
            inline::unescape(&text[..end])
        };
        Some(match tag.name.as_str() {
            "empty-block" => Draft::new("paragraph", json!({"rich_text": [], "color": color})),
            "table_of_contents" => Draft::new("table_of_contents", json!({"color": color})),
            "details" => {
                let title = self.lines.get(self.at).map(|line| dedent(line, level)).unwrap_or_default();
                let title =
                    title.strip_prefix("<summary>").and_then(|title| title.strip_suffix("</summary>"));
                if title.is_some() {
                    self.at += 1;
                }
                let text = inline::parse(title.unwrap_or_default());
                let children = self.children(level);
                self.end("details", level);
                Draft::new("toggle", json!({"rich_text": text, "color": color})).with(children)
            }
            "callout" => {
                let (text, children) = self.titled("callout", level);
                let icon = tag.get("icon").map(|icon| {
                    if icon.starts_with("https://") {
                        json!({"type": "external", "external": {"url": icon}})
                    } else if let Some(name) = inline::emoji_name(icon).filter(|(_, end)| *end == icon.len())
                    {
                        json!({"type": "custom_emoji", "custom_emoji": {"name": name.0}})
                    } else {
                        json!({"type": "emoji", "emoji": icon})
                    }
                });
                Draft::new("callout", json!({"rich_text": text, "icon": icon, "color": color})).with(children)
            }
            "columns" => self.container("columns", Draft::new("column_list", json!({})), level),
            "column" => self.container("column", Draft::new("column", json!({})), level),
            "meeting-notes" => {
                let (title, children) = self.titled("meeting-notes", level);
                Draft::new("meeting_notes", json!({"title": title})).with(children)
            }
            "transcript" if tag.empty => {
                let mut draft = Draft::new("transcript", json!({}));
                draft.id = tag.get("url").and_then(rich_text::id_in);
                draft
            }
            part @ ("summary" | "notes" | "transcript") if line.len() == tag.length => {
                self.container(part, Draft::new(part, json!({})), level)
            }
            "synced_block" => {
                let mut draft = Draft::new("synced_block", json!({"synced_from": null}));
                draft.id = tag.get("url").and_then(rich_text::id_in);
                self.container("synced_block", draft, level)
            }
            "synced_block_reference" => {
                let from = tag.get("url").and_then(rich_text::id_in);
                let draft = Draft::new(
                    "synced_block",
                    json!({"synced_from": {"type": "block_id", "block_id": from}}),
                );
                let mut draft = self.container("synced_block_reference", draft, level);
                // What a reference shows is its original's.
                draft.children.clear();
                draft
            }
            "table" => self.table(tag, level),
            kind @ ("audio" | "video" | "file" | "pdf") => {
                let mut body = files::body_of(tag.get("src")?);
                body["caption"] = json!(inline::parse(&inside(kind)));
                Draft::new(kind, body)
            }
            kind @ ("page" | "database") => {
                let mut draft = Draft::new(&format!("child_{kind}"), json!({"title": inside(kind)}));
                draft.id = tag.get("url").and_then(rich_text::id_in);
                draft
            }
            "unknown" => {
                let mut draft = Draft::new("unsupported", json!({}));
                draft.id = tag.get("url").and_then(rich_text::id_in);
                draft
            }
            _ => return None,
        })
    }

    /// What is inside, the text of its first line apart.
    fn titled(&mut self, name: &str, level: usize) -> (Value, Vec<Draft>) {
        let mut children = self.children(level);
        self.end(name, level);
        let first = children.first().is_some_and(|first| {
            first.kind == "paragraph" && first.children.is_empty() && !first.rich_text().is_empty()
        });
        let text = if first { Value::Array(children.remove(0).rich_text().to_vec()) } else { json!([]) };
        (text, children)
    }

    fn container(&mut self, name: &str, draft: Draft, level: usize) -> Draft {
        let children = self.children(level);
        self.end(name, level);
        draft.with(children)
    }

    fn table(&mut self, tag: &Tag, level: usize) -> Draft {
        let mut rows: Vec<Vec<Value>> = Vec::new();
        while let Some(line) = self.lines.get(self.at) {
            self.at += 1;
            let line = line.trim();
            if line == "</table>" {
                break;
            }
            if line.starts_with("<tr") {
                rows.push(Vec::new());
            }
            if let Some(cell) = Tag::read(line).filter(|cell| cell.name == "td" && !cell.closes)
                && let (Some(row), Some(text)) = (rows.last_mut(), line[cell.length..].strip_suffix("</td>"))
            {
                row.push(Value::Array(inline::parse(text)));
            }
        }
        let _ = level;
        let is = |name: &str| tag.get(name) == Some("true");
        table(rows, is("header-row"), is("header-column"))
    }
}

fn table(rows: Vec<Vec<Value>>, header_row: bool, header_column: bool) -> Draft {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let body =
        json!({"table_width": width, "has_column_header": header_row, "has_row_header": header_column});
    let rows = rows.into_iter().map(|mut cells| {
        cells.resize(width, json!([]));
        Draft::new("table_row", json!({"cells": cells}))
    });
    Draft::new("table", body).with(rows.collect())
}

fn is_rule(line: &str) -> bool {
    line.starts_with('|') && line.contains('-') && line.chars().all(|c| "|-: ".contains(c))
}

fn cells(line: &str) -> Vec<Value> {
    let inner = line.trim().trim_start_matches('|');
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    let mut cells = vec![String::new()];
    let mut escaped = false;
    for c in inner.chars() {
        match c {
            '|' if !escaped => cells.push(String::new()),
            c => cells.last_mut().into_iter().for_each(|cell| cell.push(c)),
        }
        escaped = c == '\\' && !escaped;
    }
    cells.iter().map(|cell| Value::Array(inline::parse(cell.trim()))).collect()
}

/// The block that a line's first characters make it, the text after them, and whether a box is checked.
fn prefix(line: &str) -> (&'static str, &str, Option<bool>) {
    let hashes = line.len() - line.trim_start_matches('#').len();
    if (1..=6).contains(&hashes)
        && let Some(text) = line[hashes..].strip_prefix(' ')
    {
        // Headings 5 and 6 are converted to heading 4 (enhanced-markdown, "Headings").
        let kind = ["heading_1", "heading_2", "heading_3", "heading_4"][hashes.min(4) - 1];
        return (kind, text, None);
    }
    for bullet in ["- ", "* ", "+ "] {
        if let Some(text) = line.strip_prefix(bullet) {
            for (mark, checked) in [("[ ] ", false), ("[x] ", true), ("[X] ", true)] {
                if let Some(text) = text.strip_prefix(mark) {
                    return ("to_do", text, Some(checked));
                }
            }
            return match text {
                "[ ]" => ("to_do", "", Some(false)),
                "[x]" => ("to_do", "", Some(true)),
                _ => ("bulleted_list_item", text, None),
            };
        }
    }
    if line == "-" {
        return ("bulleted_list_item", "", None);
    }
    if let Some(text) = line.strip_prefix('>') {
        return ("quote", text.strip_prefix(' ').unwrap_or(text), None);
    }
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if (1..=9).contains(&digits)
        && let Some(text) = line[digits..].strip_prefix(". ")
    {
        return ("numbered_list_item", text, None);
    }
    ("paragraph", line, None)
}

/// `{color="blue" toggle="true"}` at the end of a line.
fn trailing_attributes(line: &str) -> (&str, std::collections::BTreeMap<String, String>) {
    let none = || (line, std::collections::BTreeMap::new());
    let Some(inside) = line.strip_suffix('}') else { return none() };
    let Some((before, list)) = inside.rsplit_once('{') else { return none() };
    if before.ends_with('\\') {
        return none();
    }
    match attributes(list) {
        Some(list) if !list.is_empty() => {
            (before.strip_suffix(' ').unwrap_or(before), list.into_iter().collect())
        }
        _ => none(),
    }
}

fn image(line: &str) -> Option<Draft> {
    let (line, _) = trailing_attributes(line);
    let caption = line.strip_prefix("![")?;
    let close = caption.find("](")?;
    let (url, length) = target(&caption[close + 1..])?;
    if close + 1 + length != caption.len() {
        return None;
    }
    let mut body = files::body_of(url);
    body["caption"] = json!(inline::parse(&caption[..close]));
    Some(Draft::new("image", body))
}
