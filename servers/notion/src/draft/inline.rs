//! Marks within a line to rich text.

use serde_json::{Map, Value, json};

use crate::{dialect, resolve};

/// Characters of a run in one request (developers.notion.com/reference/request-limits).
const RUN: usize = 2000;
/// What a backslash takes its meaning from (enhanced-markdown, "Escaping").
const SPECIAL: &str = "\\*~`$[]<>{}|^";
const MARKS: [(&str, &str); 3] = [("**", "bold"), ("~~", "strikethrough"), ("*", "italic")];

/// Plain words in runs that Notion takes.
pub(crate) fn runs(text: &str) -> Vec<Value> {
    marked(text, &Map::new(), None)
}

fn marked(text: &str, marks: &Map<String, Value>, link: Option<&str>) -> Vec<Value> {
    let chars: Vec<char> = text.chars().collect();
    let runs = chars.chunks(RUN).map(|run| {
        let mut item = json!({"type": "text", "text": {"content": run.iter().collect::<String>()}});
        if let Some(link) = link {
            item["text"]["link"] = json!({"url": link});
        }
        if !marks.is_empty() {
            item["annotations"] = json!(marks);
        }
        item
    });
    runs.collect()
}

/// Markdown of one line: bold, italic, code, struck, links, equations, mentions, colours. What is none of these is
/// plain. `escapes` is for texts of the dialect, where a backslash takes the meaning from a mark.
pub(crate) fn inline(text: &str, escapes: bool) -> Vec<Value> {
    read(text, escapes, &Map::new())
}

fn read(text: &str, escapes: bool, marks: &Map<String, Value>) -> Vec<Value> {
    let mut items = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if escapes
            && let Some(next) = rest.strip_prefix('\\').and_then(|rest| rest.chars().next())
            && SPECIAL.contains(next)
        {
            plain.push(next);
            rest = &rest[1 + next.len_utf8()..];
            continue;
        }
        let found = token(rest, escapes, marks);
        match found {
            Some((mut found, length)) => {
                items.extend(marked(&std::mem::take(&mut plain), marks, None));
                items.append(&mut found);
                rest = &rest[length..];
            }
            None if rest.starts_with("<br>") => {
                plain.push('\n');
                rest = &rest[4..];
            }
            None => {
                plain.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    items.extend(marked(&plain, marks, None));
    items
}

/// What begins here with a mark, and how long it is in the text.
fn token(rest: &str, escapes: bool, marks: &Map<String, Value>) -> Option<(Vec<Value>, usize)> {
    let with = |name: &str, value: Value| {
        let mut marks = marks.clone();
        marks.insert(name.to_owned(), value);
        marks
    };
    if let Some(expression) = rest.strip_prefix("$`").and_then(|inside| Some(inside.split_once("`$")?.0)) {
        let item = json!({"type": "equation", "equation": {"expression": expression}});
        return Some((vec![item], expression.len() + 4));
    }
    if let Some((code, _)) = rest.strip_prefix('`').and_then(|inside| inside.split_once('`'))
        && !code.is_empty()
    {
        return Some((marked(code, &with("code", json!(true)), None), code.len() + 2));
    }
    if let Some((words, after)) = rest.strip_prefix('[').and_then(|inside| inside.split_once("]("))
        && let Some((address, _)) = after.split_once(')')
        && dialect::is_accepted(address)
    {
        return Some((marked(words, marks, Some(address)), words.len() + address.len() + 4));
    }
    if let Some(found) = mention(rest) {
        return Some(found);
    }
    if let Some((attributes, inside)) = rest.strip_prefix("<span").and_then(|inside| inside.split_once('>'))
        && let Some((words, _)) = inside.split_once("</span>")
    {
        let mut marks = marks.clone();
        if attribute(attributes, "underline") == Some("true") {
            marks.insert("underline".to_owned(), json!(true));
        }
        if let Some(color) = attribute(attributes, "color") {
            let color =
                color.strip_suffix("_bg").map_or(color.to_owned(), |base| format!("{base}_background"));
            marks.insert("color".to_owned(), json!(color));
        }
        let length = "<span".len() + attributes.len() + 1 + words.len() + "</span>".len();
        return Some((read(words, escapes, &marks), length));
    }
    MARKS.iter().find_map(|(mark, name)| {
        let inside = rest.strip_prefix(mark)?;
        let end = inside.find(mark).filter(|end| *end > 0)?;
        let words = &inside[..end];
        (words.trim() == words)
            .then(|| (read(words, escapes, &with(name, json!(true))), end + mark.len() * 2))
    })
}

/// `<mention-user url="user://…">…</mention-user>` and its kin.
fn mention(rest: &str) -> Option<(Vec<Value>, usize)> {
    let tag = rest.strip_prefix("<mention-")?;
    let end = tag.find('>')?;
    let (kind, attributes) = tag[..end].split_once(' ')?;
    let inside = match attributes.strip_suffix('/') {
        Some(_) => 0,
        None => {
            let close = format!("</mention-{kind}>");
            tag[end + 1..].find(&close)? + close.len()
        }
    };
    let body = match kind {
        "user" | "page" | "database" => json!({"id": resolve::id_of(attribute(attributes, "url")?)?}),
        "date" => {
            let mut date = json!({"start": attribute(attributes, "start")?});
            if let Some(end) = attribute(attributes, "end") {
                date["end"] = json!(end);
            }
            date
        }
        _ => return None,
    };
    let item = json!({"type": "mention", "mention": {"type": kind, kind: body}});
    Some((vec![item], "<mention-".len() + end + 1 + inside))
}

/// The value of `name="…"`.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = attributes.split_once(&format!("{name}=\""))?;
    Some(value.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_nest_and_escapes_take_their_meaning() {
        let bold = json!({"type": "text", "text": {"content": "a "}, "annotations": {"bold": true}});
        let both = json!({"type": "text", "text": {"content": "b"}, "annotations": {"bold": true, "strikethrough": true}});
        assert_eq!(inline("**a ~~b~~**", true), [bold, both]);
        assert_eq!(inline(r"\*a\* $5", true), runs("*a* $5"));
        assert_eq!(inline(r"\*", false), runs(r"\*"));
        assert_eq!(inline("2 * 3 * 4 and a_b_c", true), runs("2 * 3 * 4 and a_b_c"));
        assert_eq!(inline("a<br>b", true), runs("a\nb"));
    }

    #[test]
    fn mentions_equations_and_colours_are_what_they_are() {
        let text = r#"<mention-user url="user://a11b0700000040008000000000000002">Tomás</mention-user>$`x^2`$<mention-date start="2026-11-02"/><span color="red_bg">r</span>"#;
        let items = inline(text, true);
        assert_eq!(items[0]["mention"]["user"]["id"], "a11b0700-0000-4000-8000-000000000002");
        assert_eq!(items[1], json!({"type": "equation", "equation": {"expression": "x^2"}}));
        assert_eq!(items[2]["mention"]["date"], json!({"start": "2026-11-02"}));
        assert_eq!(items[3]["annotations"], json!({"color": "red_background"}));
        assert_eq!(items.len(), 4);
        assert_eq!(inline("[a](./b) <mention-x>", true), runs("[a](./b) <mention-x>"));
    }
}
