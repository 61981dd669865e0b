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
            ("tr", false) => text.push_str("\n|"),
            ("td" | "th", false) => text.push(' '),
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
        // `&amp;` last: an entity is decoded once.
        let decoded = raw
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&nbsp;", " ")
            .replace("&amp;", "&");
        text.push_str(&decoded);
    }
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
}
