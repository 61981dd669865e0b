//! Drafts to Markdown: a line for each block, children indented by a tab.

use serde_json::Value;

use super::{Draft, inline, to_markdown_color};
use crate::sandbox::rich_text::url_of;

/// What the writing of a page needs besides its blocks.
pub(in crate::sandbox) struct Writer<'a> {
    /// The page's address, to which a block's id is the fragment.
    pub(in crate::sandbox) page: &'a str,
    /// The address of a file's body, signed.
    pub(in crate::sandbox) file: &'a dyn Fn(&Draft) -> String,
    /// Whether the items of a list are counted.
    pub(in crate::sandbox) counts: bool,
    /// Whether what was said in meetings is written (retrieve-page-markdown, `include_transcript`).
    pub(in crate::sandbox) transcripts: bool,
}

/// Writes a document.
pub(in crate::sandbox) fn render(blocks: &[Draft], writer: &Writer<'_>) -> String {
    let mut out = String::new();
    writer.blocks(blocks, 0, &mut out);
    out.truncate(out.trim_end_matches('\n').len());
    out
}

impl Writer<'_> {
    fn blocks(&self, blocks: &[Draft], level: usize, out: &mut String) {
        let mut number = 0;
        for block in blocks {
            let item = block.kind == "numbered_list_item";
            number = if !item {
                0
            } else if self.counts {
                number + 1
            } else {
                1
            };
            self.block(block, level, number, out);
        }
    }

    fn block(&self, block: &Draft, level: usize, number: usize, out: &mut String) {
        let tabs = "\t".repeat(level);
        let mut line = |text: &str| {
            out.push_str(&tabs);
            out.push_str(text);
            out.push('\n');
        };
        let text = inline::render(block.rich_text());
        let color = color(block);
        let tail = if color.is_empty() { String::new() } else { format!(" {{color=\"{color}\"}}") };
        let attribute = if color.is_empty() { String::new() } else { format!(" color=\"{color}\"") };
        match block.kind.as_str() {
            "paragraph" if block.rich_text().is_empty() && block.children.is_empty() => {
                line(&format!("<empty-block{attribute}/>"));
            }
            "paragraph" => line(&format!("{}{tail}", at_start(&text))),
            kind @ ("heading_1" | "heading_2" | "heading_3" | "heading_4") => {
                let hashes = "#".repeat(kind[8..].parse().unwrap_or(1));
                let toggle = block.body.get("is_toggleable") == Some(&Value::Bool(true));
                let mut marks = Vec::new();
                if toggle {
                    marks.push("toggle=\"true\"".to_owned());
                }
                if !color.is_empty() {
                    marks.push(format!("color=\"{color}\""));
                }
                let marks =
                    if marks.is_empty() { String::new() } else { format!(" {{{}}}", marks.join(" ")) };
                line(&format!("{hashes} {text}{marks}"));
            }
            "bulleted_list_item" => line(&format!("- {text}{tail}")),
            "numbered_list_item" => line(&format!("{number}. {text}{tail}")),
            "to_do" => {
                let mark = if block.body.get("checked") == Some(&Value::Bool(true)) { "x" } else { " " };
                line(&format!("- [{mark}] {text}{tail}"));
            }
            "quote" => line(&format!("> {text}{tail}")),
            "divider" => line("---"),
            "equation" => {
                line("$$");
                block.text("expression").lines().for_each(&mut line);
                line("$$");
            }
            "code" => {
                let code: String =
                    block.rich_text().iter().filter_map(|run| run["plain_text"].as_str()).collect();
                let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
                let fence = "`".repeat(longest.max(2) + 1);
                line(&format!("{fence}{}", block.text("language")));
                code.split('\n').for_each(&mut line);
                line(&fence);
            }
            "toggle" => {
                line(&format!("<details{attribute}>"));
                line(&format!("<summary>{text}</summary>"));
                self.blocks(&block.children, level + 1, out);
                return self.close("</details>", level, out);
            }
            "callout" => {
                let icon = icon(block).map(|icon| format!(" icon=\"{icon}\"")).unwrap_or_default();
                line(&format!("<callout{icon}{attribute}>"));
                if !text.is_empty() {
                    out.push_str(&format!("{tabs}\t{}\n", at_start(&text)));
                }
                self.blocks(&block.children, level + 1, out);
                return self.close("</callout>", level, out);
            }
            "column_list" => return self.container("columns", "", block, level, out),
            "column" => return self.container("column", "", block, level, out),
            "meeting_notes" => {
                line("<meeting-notes>");
                let title = inline::render(block.list("title"));
                if !title.is_empty() {
                    out.push_str(&format!("{tabs}\t{}\n", at_start(&title)));
                }
                self.blocks(&block.children, level + 1, out);
                return self.close("</meeting-notes>", level, out);
            }
            "transcript" if !self.transcripts => {
                let url = self.url(block.id.as_deref().unwrap_or_default());
                line(&format!("<transcript url=\"{url}\"/>"));
                return;
            }
            part @ ("summary" | "notes" | "transcript") => {
                return self.container(part, "", block, level, out);
            }
            "synced_block" => {
                let from = block.body.get("synced_from").and_then(|from| from["block_id"].as_str());
                let (name, id) = match from {
                    Some(from) => ("synced_block_reference", from),
                    None => ("synced_block", block.id.as_deref().unwrap_or_default()),
                };
                return self.container(name, &format!(" url=\"{}\"", self.url(id)), block, level, out);
            }
            "table" => return table(block, level, out),
            "image" => {
                let caption = inline::render(block.list("caption"));
                line(&format!("![{caption}]({}){tail}", (self.file)(block)));
            }
            kind @ ("audio" | "video" | "file" | "pdf") => {
                let caption = inline::render(block.list("caption"));
                line(&format!("<{kind} src=\"{}\"{attribute}>{caption}</{kind}>", (self.file)(block)));
            }
            "child_page" => {
                let url = url_of(block.id.as_deref().unwrap_or_default());
                line(&format!("<page url=\"{url}\">{}</page>", inline::escape(block.text("title"))));
            }
            "child_database" => {
                let url = url_of(block.id.as_deref().unwrap_or_default());
                let title = inline::escape(block.text("title"));
                line(&format!("<database url=\"{url}\" inline=\"true\">{title}</database>"));
            }
            "table_of_contents" => line(&format!("<table_of_contents{attribute}/>")),
            // Bookmarks, embeds, link previews, breadcrumbs and templates are not rendered yet
            // (working-with-markdown-content, "Unsupported block types").
            kind => {
                let alt = if kind == "unsupported" { block.text("alt") } else { kind };
                let url = self.url(block.id.as_deref().unwrap_or_default());
                line(&format!("<unknown url=\"{url}\" alt=\"{alt}\"/>"));
                return;
            }
        }
        self.blocks(&block.children, level + 1, out);
    }

    fn url(&self, block: &str) -> String {
        format!("{}#{}", self.page, block.replace('-', ""))
    }

    fn close(&self, end: &str, level: usize, out: &mut String) {
        out.push_str(&"\t".repeat(level));
        out.push_str(end);
        out.push('\n');
    }

    fn container(&self, name: &str, attributes: &str, block: &Draft, level: usize, out: &mut String) {
        let tabs = "\t".repeat(level);
        out.push_str(&format!("{tabs}<{name}{attributes}>\n"));
        self.blocks(&block.children, level + 1, out);
        self.close(&format!("</{name}>"), level, out);
    }
}

fn table(block: &Draft, level: usize, out: &mut String) {
    let tabs = "\t".repeat(level);
    let mut attributes = String::new();
    for (key, name) in [("has_column_header", "header-row"), ("has_row_header", "header-column")] {
        if block.body.get(key) == Some(&Value::Bool(true)) {
            attributes.push_str(&format!(" {name}=\"true\""));
        }
    }
    out.push_str(&format!("{tabs}<table{attributes}>\n"));
    for row in &block.children {
        out.push_str(&format!("{tabs}\t<tr>\n"));
        for cell in row.list("cells") {
            let text = inline::render(cell.as_array().map_or(&[], Vec::as_slice));
            out.push_str(&format!("{tabs}\t\t<td>{text}</td>\n"));
        }
        out.push_str(&format!("{tabs}\t</tr>\n"));
    }
    out.push_str(&format!("{tabs}</table>\n"));
}

fn color(block: &Draft) -> String {
    match block.text("color") {
        "" | "default" => String::new(),
        color => to_markdown_color(color),
    }
}

fn icon(block: &Draft) -> Option<String> {
    let icon = block.body.get("icon")?;
    let own = icon["custom_emoji"]["name"].as_str().map(|name| format!(":{name}:"));
    let shown = icon["emoji"].as_str().or_else(|| icon["external"]["url"].as_str());
    own.or_else(|| shown.map(str::to_owned))
}

/// Text that would begin another block is escaped where it does so.
fn at_start(text: &str) -> String {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 0 && text[digits..].starts_with(". ") {
        return format!("{}\\{}", &text[..digits], &text[digits..]);
    }
    let rule = text == "---";
    let begins = ["# ", "- ", "+ ", "## ", "### ", "#### ", "##### ", "###### "];
    if rule || text == "-" || begins.iter().any(|mark| text.starts_with(mark)) {
        return format!("\\{text}");
    }
    text.to_owned()
}
