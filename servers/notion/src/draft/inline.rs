//! Marks within a line to rich text.

use serde_json::{Map, Value, json};

use crate::{dialect, resolve};

/// Characters of a run in one request (developers.notion.com/reference/request-limits).
const RUN: usize = 2000;
/// What a backslash takes its meaning from (enhanced-markdown, "Escaping").
const SPECIAL: &str = "\\*~`$[]<>{}|^";

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
    Reader { escapes, link: None }.read(text, &Map::new())
}

/// How a part of a line is read.
#[derive(Clone, Copy)]
struct Reader<'a> {
    escapes: bool,
    /// The address that all of it is linked to.
    link: Option<&'a str>,
}

impl<'a> Reader<'a> {
    fn read(self, text: &str, marks: &Map<String, Value>) -> Vec<Value> {
        let mut items = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if self.escapes
                && let Some(next) = rest.strip_prefix('\\').and_then(|rest| rest.chars().next())
                && SPECIAL.contains(next)
            {
                plain.push(next);
                rest = &rest[1 + next.len_utf8()..];
                continue;
            }
            let found = self.token(rest, marks);
            match found {
                Some((mut found, length)) => {
                    items.extend(marked(&std::mem::take(&mut plain), marks, self.link));
                    items.append(&mut found);
                    rest = &rest[length..];
                }
                None if rest.starts_with("<br>") => {
                    plain.push('\n');
                    rest = &rest[4..];
                }
                // Stars that begin nothing are words, all of a run.
                None if c == '*' => {
                    let stars = rest.len() - rest.trim_start_matches('*').len();
                    plain.push_str(&rest[..stars]);
                    rest = &rest[stars..];
                }
                None => {
                    plain.push(c);
                    rest = &rest[c.len_utf8()..];
                }
            }
        }
        items.extend(marked(&plain, marks, self.link));
        items
    }

    /// What begins here with a mark, and how long it is in the text.
    fn token(self, rest: &str, marks: &Map<String, Value>) -> Option<(Vec<Value>, usize)> {
        let with = |names: &[&str]| {
            let mut marks = marks.clone();
            marks.extend(names.iter().map(|name| ((*name).to_owned(), json!(true))));
            marks
        };
        if let Some(expression) = rest.strip_prefix("$`").and_then(|inside| Some(inside.split_once("`$")?.0))
        {
            let item = json!({"type": "equation", "equation": {"expression": expression}});
            return Some((vec![item], expression.len() + 4));
        }
        if let Some((code, length)) = code(rest) {
            return Some((marked(&code, &with(&["code"]), self.link), length));
        }
        if self.link.is_none()
            && let Some((words, address, length)) = dialect::link(rest)
            && dialect::is_accepted(address)
        {
            let inside = Reader { link: Some(address), ..self };
            return Some((inside.read(words, marks), length));
        }
        if let Some(found) = mention(rest) {
            return Some(found);
        }
        if let Some((attributes, inside)) = rest.strip_prefix("<span").and_then(|rest| rest.split_once('>'))
            && let Some(words) = until_closed(inside)
        {
            let mut marks = marks.clone();
            if attribute(attributes, "underline") == Some("true") {
                marks.insert("underline".to_owned(), json!(true));
            }
            if let Some(color) = attribute(attributes, "color").and_then(color) {
                marks.insert("color".to_owned(), json!(color));
            }
            let length = "<span".len() + attributes.len() + 1 + words.len() + "</span>".len();
            return Some((self.read(words, &marks), length));
        }
        if let Some(inside) = rest.strip_prefix("~~") {
            let words = inside.split_once("~~").map(|(words, _)| words).filter(|words| is_whole(words))?;
            return Some((self.read(words, &with(&["strikethrough"])), words.len() + 4));
        }
        let stars = rest.len() - rest.trim_start_matches('*').len();
        let ways: &[usize] = match stars {
            1 => &[1],
            2 => &[2],
            // Which of the two is the outer one, the first that ends says.
            3 if self.stars(&rest[3..]).next().is_some_and(|(_, run)| run == 2) => &[3, 1],
            3 => &[3, 2],
            _ => return None,
        };
        ways.iter().find_map(|count| {
            let inside = &rest[*count..];
            let end = self.stars(inside).find_map(|(at, run)| match (count, run) {
                (3, 3) | (2, 2) | (1, 1) => Some(at),
                // One of another kind ends there too.
                (2, 3) => Some(at + 1),
                (1, 3) => Some(at + 2),
                _ => None,
            })?;
            let words = &inside[..end];
            let names: &[&str] = match count {
                1 => &["italic"],
                2 => &["bold"],
                _ => &["bold", "italic"],
            };
            is_whole(words).then(|| (self.read(words, &with(names)), end + count * 2))
        })
    }

    /// The runs of stars in a text, each with its place and length, without those that are escaped.
    fn stars<'t>(self, text: &'t str) -> impl Iterator<Item = (usize, usize)> + use<'t> {
        let mut at = 0;
        std::iter::from_fn(move || {
            loop {
                at += text[at..].find(['*', '\\'])?;
                if self.escapes && text[at..].starts_with('\\') {
                    at += text[at..].chars().take(2).map(char::len_utf8).sum::<usize>();
                } else if text[at..].starts_with('*') {
                    let run = text[at..].len() - text[at..].trim_start_matches('*').len();
                    at += run;
                    return Some((at - run, run));
                } else {
                    at += 1;
                }
            }
        })
    }
}

/// Whether a mark may stand around it: neither nothing nor blank at an end.
fn is_whole(words: &str) -> bool {
    !words.is_empty() && words.trim() == words
}

/// Code between as many ticks as it begins with, and how long it is with them.
fn code(text: &str) -> Option<(String, usize)> {
    let ticks = text.len() - text.trim_start_matches('`').len();
    let inside = &text[ticks..];
    let mut from = 0;
    // Without any there is no code.
    let end = loop {
        let at = from + inside[from..].find('`').filter(|_| ticks > 0)?;
        let run = inside[at..].len() - inside[at..].trim_start_matches('`').len();
        if run == ticks && at > 0 {
            break at;
        }
        from = at + run;
    };
    let code = &inside[..end];
    let apart = code.strip_prefix(' ').and_then(|code| code.strip_suffix(' ')).filter(|_| ticks > 1);
    Some((apart.unwrap_or(code).replace("<br>", "\n"), ticks * 2 + end))
}

/// What stands in a span up to the end of its own.
fn until_closed(inside: &str) -> Option<&str> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let end = at + inside[at..].find("</span>")?;
        depth += inside[at..end].matches("<span").count();
        if depth == 0 {
            return Some(&inside[..end]);
        }
        depth -= 1;
        at = end + "</span>".len();
    }
}

/// A colour of the dialect by the API's name.
pub(super) fn color(name: &str) -> Option<String> {
    const COLORS: [&str; 9] = ["gray", "brown", "orange", "yellow", "green", "blue", "purple", "pink", "red"];
    let (base, ground) = match name.strip_suffix("_bg").or_else(|| name.strip_suffix("_background")) {
        Some(base) => (base, "_background"),
        None => (name, ""),
    };
    COLORS.contains(&base).then(|| format!("{base}{ground}"))
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
        "user" | "page" | "database" | "data-source" | "custom-emoji" => {
            json!({"id": resolve::id_of(attribute(attributes, "url")?)?})
        }
        "date" => {
            let moment = |day: &str, time: &str| {
                let day = attribute(attributes, day)?;
                let time = attribute(attributes, time).map(|time| format!("T{time}:00"));
                Some(format!("{day}{}", time.unwrap_or_default()))
            };
            let mut date = json!({"start": moment("start", "startTime")?});
            if let Some(end) = moment("end", "endTime") {
                date["end"] = json!(end);
            }
            if let Some(zone) = attribute(attributes, "timeZone") {
                date["time_zone"] = json!(zone);
            }
            date
        }
        _ => return None,
    };
    let named = kind.replace('-', "_");
    let item = json!({"type": "mention", "mention": {"type": named, named: body}});
    Some((vec![item], "<mention-".len() + end + 1 + inside))
}

/// The value of `name="…"`.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = attributes
        .split_once(&format!(" {name}=\""))
        .or_else(|| attributes.split_once(&format!("{name}=\"")))?;
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
        let timed = r#"<mention-date start="2026-11-02" startTime="09:30" end="2026-11-03" endTime="10:00" timeZone="Europe/Madrid"/>"#;
        assert_eq!(
            inline(timed, true)[0]["mention"]["date"],
            json!({"start": "2026-11-02T09:30:00", "end": "2026-11-03T10:00:00", "time_zone": "Europe/Madrid"})
        );
        let table = r#"<mention-data-source url="https://www.notion.so/50ce0000000040008000000000000001">Tasks</mention-data-source>"#;
        let id = "50ce0000-0000-4000-8000-000000000001";
        assert_eq!(
            inline(table, true)[0]["mention"],
            json!({"type": "data_source", "data_source": {"id": id}})
        );
    }

    #[test]
    fn a_mark_ends_where_its_own_end_is() {
        let run = |content: &str, marks: &[&str]| {
            let mut run = json!({"type": "text", "text": {"content": content}});
            if !marks.is_empty() {
                run["annotations"] =
                    marks.iter().map(|mark| ((*mark).to_owned(), json!(true))).collect::<Map<_, _>>().into();
            }
            run
        };
        for (text, wanted) in [
            ("***both***", vec![run("both", &["bold", "italic"])]),
            ("**a*b***", vec![run("a", &["bold"]), run("b", &["bold", "italic"])]),
            ("*a**b***", vec![run("a", &["italic"]), run("b", &["italic", "bold"])]),
            ("***a** b*", vec![run("a", &["italic", "bold"]), run(" b", &["italic"])]),
            ("***a* b**", vec![run("a", &["bold", "italic"]), run(" b", &["bold"])]),
            ("``a`b``", vec![run("a`b", &["code"])]),
            ("`` `a` ``", vec![run("`a`", &["code"])]),
            (r"**a \* b**", vec![run("a * b", &["bold"])]),
        ] {
            assert_eq!(inline(text, true), wanted, "{text}");
        }
        let linked = |content: &str, url: &str| json!({"type": "text", "text": {"content": content, "link": {"url": url}}});
        assert_eq!(inline("[1] and [a](https://b.example)", true)[1], linked("a", "https://b.example"));
        assert_eq!(inline("[x](https://x.example/A_(b))", true), [linked("x", "https://x.example/A_(b)")]);
        let mut bold = linked("b", "https://x.example");
        bold["annotations"] = json!({"bold": true});
        assert_eq!(inline("[a **b**](https://x.example)", true), [linked("a ", "https://x.example"), bold]);
        let nested = inline(r#"<span color="red"><span underline="true">a</span> b</span> c"#, true);
        assert_eq!(nested[0]["annotations"], json!({"color": "red", "underline": true}));
        assert_eq!((&nested[1]["annotations"], &nested[2]), (&json!({"color": "red"}), &run(" c", &[])));
    }
}
