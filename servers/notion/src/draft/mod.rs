//! Markdown to blocks of the API, for the endpoints that take no Markdown: those that add and change single
//! blocks. It reads the lines of Notion's dialect that make one block each
//! (developers.notion.com/guides/data-apis/enhanced-markdown); whatever else there is goes in by edit_content.

mod inline;

use connector::{Error, Result, catalog::one_line};
use serde_json::{Value, json};

use crate::{api::objects::plain, dialect};
pub(crate) use inline::{inline, runs};

/// Levels below the first in one request (developers.notion.com/reference/patch-block-children).
const LEVELS: usize = 2;
/// Blocks of one list, blocks at every level, and bytes in one request (developers.notion.com/reference/request-limits).
const AT_ONCE: usize = 100;
const IN_ALL: usize = 1000;
const BYTES: usize = 450 * 1024;
/// Characters of a block that a reply shows.
const SHOWN: usize = 80;

/// Blocks, and what had to be changed to make them.
pub(crate) struct Drafts {
    pub(crate) blocks: Vec<Value>,
    pub(crate) notes: Vec<String>,
}

/// The blocks that `markdown` says.
///
/// # Errors
/// `invalid_argument` for what makes no single block, is nested too deep, or is nothing.
pub(crate) fn blocks(markdown: &str) -> Result<Drafts> {
    let accepted = dialect::accept(markdown.trim_matches('\n'));
    let lines: Vec<&str> = accepted.text.lines().collect();
    let blocks = Reader { lines: &lines, at: 0 }.blocks(0)?;
    if blocks.is_empty() {
        return Err(Error::invalid("`markdown` is empty"));
    }
    for block in &blocks {
        fits(block)?;
    }
    Ok(Drafts { notes: accepted.notes(), blocks })
}

/// The block that `given` makes for one of the type `kind`: what is code or an equation already is given as it is.
///
/// # Errors
/// As [`blocks`].
pub(crate) fn blocks_for(kind: &str, given: &str) -> Result<Drafts> {
    let (mark, body) = match kind {
        "code" => ("```", json!({"rich_text": runs(given)})),
        "equation" => ("$$", json!({"expression": given.trim()})),
        _ => return blocks(given),
    };
    let marked = given.trim_start().starts_with(mark) && given.trim_end().ends_with(mark);
    if marked
        && let Ok(drafts) = blocks(given.trim())
        && drafts.blocks.len() == 1
    {
        return Ok(drafts);
    }
    Ok(Drafts { blocks: vec![block(kind, body)], notes: Vec::new() })
}

/// Refuses a block with more inside than goes into one request.
fn fits(block: &Value) -> Result<()> {
    let inside = block[kind(block)]["children"].as_array().map_or(&[][..], Vec::as_slice);
    let all = count(inside) + 1;
    let wrong = |many: usize, most: usize| {
        let message =
            format!("A block has {many} blocks in it, and Notion takes {most} at once: {}", line(block));
        Err(Error::invalid(message)
            .with_hint("Add the rest by another `append`, with the id of the block they go into"))
    };
    match (inside.len(), all) {
        (many, _) if many > AT_ONCE => wrong(many, AT_ONCE),
        (_, all) if all > IN_ALL => wrong(all - 1, IN_ALL - 1),
        _ => inside.iter().try_for_each(fits),
    }
}

/// The blocks in parts of which each goes into one request.
pub(crate) fn batches(blocks: &[Value]) -> Vec<&[Value]> {
    let mut batches = Vec::new();
    let (mut from, mut all, mut bytes) = (0, 0, 0);
    for (at, block) in blocks.iter().enumerate() {
        let (own, length) = (count(std::slice::from_ref(block)), block.to_string().len());
        if at > from && (at - from == AT_ONCE || all + own > IN_ALL || bytes + length > BYTES) {
            batches.push(&blocks[from..at]);
            (from, all, bytes) = (at, 0, 0);
        }
        (all, bytes) = (all + own, bytes + length);
    }
    batches.push(&blocks[from..]);
    batches
}

struct Reader<'a> {
    lines: &'a [&'a str],
    at: usize,
}

fn depth(line: &str) -> usize {
    line.len() - line.trim_start_matches('\t').len()
}

impl Reader<'_> {
    /// The blocks from here that are indented by `level` tabs.
    fn blocks(&mut self, level: usize) -> Result<Vec<Value>> {
        let mut blocks = Vec::new();
        while let Some(line) = self.lines.get(self.at) {
            if line.trim().is_empty() {
                self.at += 1;
                continue;
            }
            if depth(line) < level {
                break;
            }
            let mut block = self.block(depth(line))?;
            let children = self.blocks(level.max(depth(line)) + 1)?;
            if !children.is_empty() {
                if level == LEVELS {
                    return Err(Error::invalid(format!(
                        "`markdown` is nested deeper than {} levels: {}",
                        LEVELS + 1,
                        self::line(&block)
                    ))
                    .with_hint(
                        "Add the inner blocks by another `append`, with the id of the block they go into",
                    ));
                }
                let kind = kind(&block).to_owned();
                block[kind]["children"] = json!(children);
            }
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// The block that begins at this line, whose tabs are `level`.
    fn block(&mut self, level: usize) -> Result<Value> {
        let line = &self.lines[self.at][level..];
        self.at += 1;
        if line.starts_with("```") {
            let ticks = line.len() - line.trim_start_matches('`').len();
            let code = self.until(&"`".repeat(ticks), level);
            return Ok(block("code", json!({"rich_text": runs(&code), "language": &line[ticks..]})));
        }
        if let Some(inside) = line.strip_prefix("$$") {
            let expression = match inside.strip_suffix("$$") {
                Some(expression) => expression.trim().to_owned(),
                None => self.until("$$", level),
            };
            return Ok(block("equation", json!({"expression": expression})));
        }
        if line == "---" || line == "***" {
            return Ok(block("divider", json!({})));
        }
        if let Some((caption, address)) = image(line) {
            let file =
                json!({"type": "external", "external": {"url": address}, "caption": inline(caption, true)});
            return Ok(block("image", file));
        }
        if line == "<empty-block/>" {
            return Ok(block("paragraph", json!({"rich_text": []})));
        }
        let tagged = line.starts_with('<') && !line.starts_with("<mention-") && !line.starts_with("<span");
        if line.starts_with('|') || tagged {
            return Err(Error::invalid(format!(
                "This cannot be written as a single block: {}",
                short(&one_line(line), SHOWN)
            ))
            .with_hint("Add tables, columns and other containers by edit_content or create_pages"));
        }
        let (line, color, toggle) = attributes(line);
        let (kind, text, checked) = prefix(line);
        let mut body = json!({"rich_text": inline(text, true)});
        if let Some(color) = color {
            body["color"] = json!(color);
        }
        if toggle && kind.starts_with("heading_") {
            body["is_toggleable"] = json!(true);
        }
        if let Some(checked) = checked {
            body["checked"] = json!(checked);
        }
        Ok(block(kind, body))
    }

    /// The lines up to one that is `end`, without their `level` tabs.
    fn until(&mut self, end: &str, level: usize) -> String {
        let mut inside = Vec::new();
        while let Some(line) = self.lines.get(self.at) {
            self.at += 1;
            let line = line.get(level.min(depth(line))..).unwrap_or_default();
            if line.trim_end() == end {
                break;
            }
            inside.push(line);
        }
        inside.join("\n")
    }
}

fn block(kind: &str, body: Value) -> Value {
    json!({"type": kind, kind: body})
}

fn kind(block: &Value) -> &str {
    block["type"].as_str().unwrap_or_default()
}

/// A line without the attributes at its end, as in `Text {color="blue"}` and `# Text {toggle="true"}`: its colour by the
/// API's name, and whether it is a toggle. Other braces are words.
fn attributes(line: &str) -> (&str, Option<String>, bool) {
    let found = line.strip_suffix('}').and_then(|inside| inside.rsplit_once('{'));
    let found = found.filter(|(before, list)| !before.ends_with('\\') && !list.trim().is_empty());
    let (mut color, mut toggle) = (None, false);
    let Some((before, list)) = found else { return (line, None, false) };
    let mut rest = list.trim();
    while !rest.is_empty() {
        let parts = rest.split_once("=\"").and_then(|(name, rest)| Some((name, rest.split_once('"')?)));
        match parts {
            Some(("color", (name, after))) if inline::color(name).is_some() => {
                color = inline::color(name);
                rest = after.trim_start();
            }
            Some(("toggle", (truth, after))) => {
                toggle = truth == "true";
                rest = after.trim_start();
            }
            _ => return (line, None, false),
        }
    }
    (before.strip_suffix(' ').unwrap_or(before), color, toggle)
}

/// The type that a line's first characters make its block, the text after them, and whether a box is checked.
fn prefix(line: &str) -> (&'static str, &str, Option<bool>) {
    let hashes = line.len() - line.trim_start_matches('#').len();
    if let Some(text) = line[hashes..].strip_prefix(' ').filter(|_| (1..=6).contains(&hashes)) {
        return (["heading_1", "heading_2", "heading_3", "heading_4"][hashes.min(4) - 1], text, None);
    }
    if let Some(text) = ["- ", "* ", "+ "].iter().find_map(|mark| line.strip_prefix(mark)) {
        let box_of = |mark: &str| text.strip_prefix(mark).map(|rest| rest.strip_prefix(' ').unwrap_or(rest));
        return match (box_of("[ ]"), box_of("[x]").or(box_of("[X]"))) {
            (Some(text), _) => ("to_do", text, Some(false)),
            (_, Some(text)) => ("to_do", text, Some(true)),
            _ => ("bulleted_list_item", text, None),
        };
    }
    if let Some(text) = line.strip_prefix('>') {
        return ("quote", text.strip_prefix(' ').unwrap_or(text), None);
    }
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    match line[digits..].strip_prefix(". ").filter(|_| (1..=9).contains(&digits)) {
        Some(text) => ("numbered_list_item", text, None),
        None => ("paragraph", line, None),
    }
}

/// `![caption](address)` alone on a line.
fn image(line: &str) -> Option<(&str, &str)> {
    let (caption, address) = line.strip_prefix("![")?.strip_suffix(')')?.split_once("](")?;
    dialect::is_accepted(address).then_some((caption, address))
}

/// How many blocks there are, those inside others too.
pub(crate) fn count(blocks: &[Value]) -> usize {
    blocks
        .iter()
        .map(|block| 1 + block[kind(block)]["children"].as_array().map_or(0, |inside| count(inside)))
        .sum()
}

/// A block in a line: its type and its words.
pub(crate) fn line(block: &Value) -> String {
    let body = &block[kind(block)];
    let words = [&body["rich_text"], &body["caption"]].map(words).concat();
    let words =
        if words.is_empty() { body["expression"].as_str().unwrap_or_default().to_owned() } else { words };
    format!("{}: {}", kind(block).replace('_', " "), short(&one_line(&words), SHOWN))
}

/// `text` with at most so many characters.
pub(crate) fn short(text: &str, most: usize) -> String {
    text.char_indices().nth(most).map_or_else(|| text.to_owned(), |(at, _)| format!("{}…", &text[..at]))
}

/// The words of rich text, of a request or an answer.
fn words(items: &Value) -> String {
    let said = plain(items);
    if !said.is_empty() {
        return said;
    }
    let items = items.as_array().into_iter().flatten();
    items
        .filter_map(|item| item["text"]["content"].as_str().or(item["equation"]["expression"].as_str()))
        .collect()
}

/// The change that makes `block` say what `new` says. Its type stays, with all that is not its text.
///
/// # Errors
/// `invalid_argument` if `new` is of another type, has blocks inside, or the block has no text.
pub(crate) fn update(block: &Value, new: &Value) -> Result<Value> {
    let (is, wanted) = (kind(block), kind(new));
    let body = &new[wanted];
    if body.get("children").is_some() {
        return Err(Error::invalid("`update` changes the text of one block, not what is inside it")
            .with_hint("Add that by `append`"));
    }
    if is == wanted && wanted != "image" && wanted != "divider" {
        return Ok(json!({is: body}));
    }
    let has_text = block[is]["rich_text"].is_array();
    match wanted {
        "paragraph" if has_text => Ok(json!({is: body})),
        "paragraph" if is == "equation" => Ok(json!({is: {"expression": words(&body["rich_text"])}})),
        _ if has_text => Err(Error::invalid(format!(
            "A block keeps its type: this is a {}, not a {}",
            is.replace('_', " "),
            wanted.replace('_', " ")
        ))
        .with_hint("Give its text without marks, or `insert_after` it and `delete` it")),
        _ => Err(Error::invalid(format!("A {} has no text", is.replace('_', " ")))),
    }
}

/// What a text loses when `new` takes its place, a sentence each: mentions and equations, links and marks that are not
/// in it.
pub(crate) fn losses(old: &Value, new: &Value) -> Vec<String> {
    let new = &new[kind(new)]["rich_text"];
    let is_marked = |run: &Value| {
        let marks = run["annotations"].as_object();
        marks
            .into_iter()
            .flatten()
            .any(|(_, mark)| *mark == true || mark.as_str().is_some_and(|mark| mark != "default"))
    };
    let is_linked = |run: &Value| run["text"]["link"]["url"].is_string();
    let is_special = |run: &Value| run["type"] != "text";
    let lost = |is: &dyn Fn(&Value) -> bool, one: &str, many: &str| {
        let count = |items: &Value| items.as_array().into_iter().flatten().filter(|run| is(run)).count();
        match count(old).saturating_sub(count(new)) {
            0 => None,
            1 => Some(format!("1 {one} of the old text is not in the new one.")),
            lost => Some(format!("{lost} {many} of the old text are not in the new one.")),
        }
    };
    let all = [
        lost(&is_special, "mention or equation", "mentions and equations"),
        lost(&is_linked, "link", "links"),
        lost(&is_marked, "marked passage (bold, code, colour)", "marked passages (bold, code, colour)"),
    ];
    all.into_iter().flatten().collect()
}

/// Whether rich text of an answer says what that of a request says. What a mention says is Notion's.
pub(crate) fn same_text(shown: &Value, wanted: &Value) -> bool {
    let texts = |items: &Value| -> String {
        let items = items.as_array().into_iter().flatten();
        items
            .filter_map(|item| item["text"]["content"].as_str().or(item["equation"]["expression"].as_str()))
            .collect()
    };
    texts(shown) == texts(wanted)
}

/// Whether `block` is what a request for `draft` makes.
pub(crate) fn is_made(block: &Value, draft: &Value) -> bool {
    let (now, wanted) = (&block[kind(draft)], &draft[kind(draft)]);
    let same = |field: &str| wanted.get(field).is_none_or(|wanted| now[field] == *wanted);
    kind(block) == kind(draft)
        && same_text(&now["rich_text"], &wanted["rich_text"])
        && same("language")
        && same("expression")
        && same("checked")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(markdown: &str) -> Vec<Value> {
        blocks(markdown).unwrap().blocks
    }

    fn text(words: &str) -> Value {
        json!([{"type": "text", "text": {"content": words}}])
    }

    #[test]
    fn each_line_makes_the_block_that_its_mark_says() {
        let kinds = [
            ("# A", "heading_1"),
            ("###### A", "heading_4"),
            ("- A", "bulleted_list_item"),
            ("12. A", "numbered_list_item"),
            ("> A", "quote"),
            ("A", "paragraph"),
        ];
        for (markdown, kind) in kinds {
            assert_eq!(made(markdown), [json!({"type": kind, kind: {"rich_text": text("A")}})], "{markdown}");
        }
        assert_eq!(
            made("- [x] A"),
            [json!({"type": "to_do", "to_do": {"rich_text": text("A"), "checked": true}})]
        );
        assert_eq!(made("---"), [json!({"type": "divider", "divider": {}})]);
        assert_eq!(made("$$\na\nb\n$$"), [json!({"type": "equation", "equation": {"expression": "a\nb"}})]);
    }

    /// N1, where no Markdown is taken: languages by their names, the code to the byte.
    #[test]
    fn a_fence_becomes_a_code_block_in_runs_that_fit() {
        let code = format!("\tlet a = `b`;\n{}", "x".repeat(2_000));
        let block = made(&format!("```ts\n{code}\n```")).remove(0);
        assert_eq!(block["code"]["language"], "typescript");
        let runs = block["code"]["rich_text"].as_array().unwrap();
        let contents: Vec<&str> = runs.iter().filter_map(|run| run["text"]["content"].as_str()).collect();
        assert_eq!((contents.len(), contents.concat()), (2, code));
        assert_eq!(blocks("```cobol\nMOVE\n```").unwrap().notes.len(), 1);
    }

    /// As get_page shows them.
    #[test]
    fn colours_and_toggles_at_the_end_of_a_line_are_no_words() {
        assert_eq!(
            made("# A {toggle=\"true\" color=\"red_bg\"}"),
            [
                json!({"type": "heading_1", "heading_1": {"rich_text": text("A"), "color": "red_background", "is_toggleable": true}})
            ]
        );
        assert_eq!(made("A {color=\"blue\"}")[0]["paragraph"]["color"], "blue");
        for words in ["A {b}", "A {color=\"mauve\"}", "A {}"] {
            assert_eq!(made(words)[0]["paragraph"], json!({"rich_text": text(words)}));
        }
    }

    /// N1. What is code already is taken to the byte, whatever it would be as Markdown.
    #[test]
    fn code_is_updated_by_itself_or_by_a_fence() {
        let code = "*a \\* <br> [x](y)\n    - b: {\n@c";
        let new = blocks_for("code", code).unwrap();
        assert_eq!(new.blocks, [json!({"type": "code", "code": {"rich_text": text(code)}})]);
        let fenced = blocks_for("code", "```ts\nlet a;\n```").unwrap().blocks.remove(0);
        assert_eq!(fenced["code"], json!({"rich_text": text("let a;"), "language": "typescript"}));
        let equation = blocks_for("equation", "\\frac{a*b}{c*d}").unwrap().blocks.remove(0);
        assert_eq!(equation["equation"]["expression"], "\\frac{a*b}{c*d}");
    }

    #[test]
    fn what_is_indented_is_inside_as_deep_as_one_request_goes() {
        let block = made("- a\n\t- b\n\t\t- c\n\t- d").remove(0);
        assert_eq!(count(std::slice::from_ref(&block)), 4);
        let inside = &block["bulleted_list_item"]["children"];
        assert_eq!(inside[1]["bulleted_list_item"]["rich_text"], text("d"));
        assert_eq!(
            inside[0]["bulleted_list_item"]["children"][0]["bulleted_list_item"]["rich_text"],
            text("c")
        );
        assert!(blocks("- a\n\t- b\n\t\t- c\n\t\t\t- d").is_err());
        for container in ["| a | b |", "<table>", "<columns>"] {
            assert!(blocks(container).err().unwrap().for_agent().contains("edit_content"), "{container}");
        }
        assert!(blocks(" \n").is_err());
    }

    #[test]
    fn an_update_keeps_the_type_and_tells_what_is_lost() {
        let to_do = json!({"type": "to_do", "to_do": {"rich_text": [], "checked": true, "color": "red"}});
        assert_eq!(update(&to_do, &made("b")[0]).unwrap(), json!({"to_do": {"rich_text": text("b")}}));
        let unchecked = json!({"to_do": {"rich_text": text("b"), "checked": false}});
        assert_eq!(update(&to_do, &made("- [ ] b")[0]).unwrap(), unchecked);
        assert!(update(&to_do, &made("# b")[0]).is_err());
        assert!(update(&json!({"type": "divider", "divider": {}}), &made("b")[0]).is_err());
        let old = json!([{"type": "mention"}, {"type": "text"}, {"type": "equation"}]);
        assert!(losses(&old, &made("b")[0])[0].starts_with("2 mentions and equations"));
        assert_eq!(losses(&text("a"), &made("b")[0]), Vec::<String>::new());
        let old = json!([
            {"type": "text", "text": {"content": "a", "link": {"url": "https://x.example"}}, "annotations": {"bold": false, "color": "default"}},
            {"type": "text", "text": {"content": "b", "link": null}, "annotations": {"bold": true, "color": "red"}}]);
        let told = losses(&old, &made("a **b**")[0]);
        assert_eq!(told, ["1 link of the old text is not in the new one."]);
        assert!(losses(&old, &made("a b")[0])[1].starts_with("1 marked passage"));
    }
}
