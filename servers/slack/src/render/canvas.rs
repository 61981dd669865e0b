//! A canvas as Slack hands it out, HTML with an id for each section, as Markdown by sections.

/// A section: its id, and its text as Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) id: String,
    pub(crate) markdown: String,
}

/// The sections of a canvas.
pub(crate) fn sections(html: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut open: Option<(String, String)> = None; // tag and id of the section that is open
    let mut text = String::new();
    let mut lists: Vec<(bool, usize)> = Vec::new();
    let mut links: Vec<String> = Vec::new();
    // Of the table that is open: its rows so far, and the cells of this one.
    let (mut rows, mut cells) = (0, 0);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        push_text(&mut text, &rest[..at], open.is_some());
        let Some(close) = rest[at..].find('>') else { break };
        let tag = &rest[at + 1..at + close];
        rest = &rest[at + close + 1..];
        let ending = tag.starts_with('/');
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase();
        let id = attribute(tag, "id");
        if !ending && open.is_none() {
            if ["html", "body", "head", "div", "main", "article", "br"].contains(&name.as_str())
                && id.is_none()
            {
                continue;
            }
            open = Some((name.clone(), id.unwrap_or_default()));
            text.clear();
            lists.clear();
        }
        match (name.as_str(), ending) {
            ("h1", false) => text.push_str("# "),
            ("h2", false) => text.push_str("## "),
            ("h3" | "h4" | "h5" | "h6", false) => text.push_str("### "),
            ("br", _) => text.push('\n'),
            ("ul", false) => lists.push((false, 0)),
            ("ol", false) => lists.push((true, 0)),
            ("ul" | "ol", true) => _ = lists.pop(),
            ("li", false) => {
                let indent = "  ".repeat(lists.len().saturating_sub(1));
                let mark = match lists.last_mut() {
                    Some((true, number)) => {
                        *number += 1;
                        format!("{number}.")
                    }
                    _ => "-".to_owned(),
                };
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push_str(&format!("{indent}{mark} "));
            }
            ("b" | "strong", _) => text.push_str("**"),
            ("i" | "em", _) => text.push('_'),
            ("s" | "del", _) => text.push_str("~~"),
            ("code", _) => text.push('`'),
            ("pre", false) => text.push_str("```\n"),
            ("pre", true) => text.push_str("\n```"),
            ("blockquote", false) => text.push_str("> "),
            ("table", false) => rows = 0,
            ("tr", false) => {
                text.push_str("\n|");
                (rows, cells) = (rows + 1, 0);
            }
            // The first row is the head of a Markdown table.
            ("tr", true) if rows == 1 && cells > 0 => text.push_str(&format!("\n|{}", "---|".repeat(cells))),
            ("td" | "th", false) => {
                text.push(' ');
                cells += 1;
            }
            ("img", _) => {
                let part = |name: &str| attribute(tag, name).unwrap_or_default();
                text.push_str(&format!("![{}]({})", part("alt"), part("src")));
            }
            ("td" | "th", true) => text.push_str(" |"),
            ("a", false) => {
                links.push(attribute(tag, "href").unwrap_or_default());
                text.push('[');
            }
            ("a", true) => text.push_str(&format!("]({})", links.pop().unwrap_or_default())),
            ("hr", _) => text.push_str("---"),
            _ => {}
        }
        let alone = ["hr", "img"].contains(&name.as_str());
        let done = (ending || alone) && open.as_ref().is_some_and(|(outer, _)| *outer == name);
        if done
            && lists.is_empty()
            && let Some((_, id)) = open.take()
        {
            let markdown = text.trim().to_owned();
            if !markdown.is_empty() && !markdown.chars().all(|c| c == '#') {
                sections.push(Section { id, markdown });
            }
            text.clear();
        }
    }
    sections
}

fn push_text(text: &mut String, raw: &str, inside: bool) {
    if inside {
        decode(raw, text);
    }
}

/// Adds `raw` with its entities decoded, each once.
fn decode(raw: &str, text: &mut String) {
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = rest.split_once(';').map(|(entity, _)| &entity[1..]).filter(|entity| entity.len() < 10);
        let number = entity.and_then(|entity| entity.strip_prefix('#'));
        let decoded = match (entity, number) {
            (_, Some(number)) => match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            }
            .and_then(char::from_u32),
            (Some("amp"), _) => Some('&'),
            (Some("lt"), _) => Some('<'),
            (Some("gt"), _) => Some('>'),
            (Some("quot"), _) => Some('"'),
            (Some("apos"), _) => Some('\''),
            (Some("nbsp"), _) => Some(' '),
            _ => None,
        };
        let length = entity.filter(|_| decoded.is_some()).map_or(1, |entity| entity.len() + 2);
        text.push(decoded.unwrap_or('&'));
        rest = &rest[length..];
    }
    text.push_str(rest);
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.find(&format!(" {name}="))? + name.len() + 2;
    let rest = &tag[at..];
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let end = rest[1..].find(quote)?;
    Some(rest[1..=end].to_owned())
}

/// The whole canvas with the id of each section before it.
pub(crate) fn with_ids(sections: &[Section]) -> String {
    let named = sections.iter().map(|section| {
        if section.id.is_empty() {
            section.markdown.clone()
        } else {
            format!("[{}] {}", section.id, section.markdown)
        }
    });
    named.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_keep_their_ids_and_become_markdown() {
        let html = "<html><body><h1 id=\"a\">Plan &amp; more</h1>\n<p id='b' class='line'>See <a href=\"https://x.example\">x</a>, <b>now</b><br/>next</p>\n<ul id='c'><li>one</li><li>two<ul><li>in</li></ul></li></ul><hr/><p id='d'></p></body></html>";
        let found: Vec<(String, String)> =
            sections(html).into_iter().map(|section| (section.id, section.markdown)).collect();
        let expected = [
            ("a", "# Plan & more"),
            ("b", "See [x](https://x.example), **now**\nnext"),
            ("c", "- one\n- two\n  - in"),
            ("", "---"),
        ];
        assert_eq!(found, expected.map(|(id, text)| (id.to_owned(), text.to_owned())));
    }

    #[test]
    fn a_table_has_a_head_and_images_and_signs_are_kept() {
        let html = "<table id=\"t\"><tr><td>Item</td><td>Qty</td></tr><tr><td>Bolt</td><td>1&#8239;200</td></tr></table><p id='i'><img alt='A graph' src='https://a.example/g.png'/> it&#x2019;s &amp;lt; &co; x</p>";
        let found: Vec<String> = sections(html).into_iter().map(|section| section.markdown).collect();
        let image = "![A graph](https://a.example/g.png) it\u{2019}s &lt; &co; x";
        assert_eq!(found, ["| Item | Qty |\n|---|---|\n| Bolt | 1\u{202f}200 |", image]);
    }
}
