//! Texts of activities: HubSpot keeps them as HTML, agents read and write plain text.

/// HTML as plain text: tags gone, blocks on lines of their own, entities read.
pub(crate) fn plain(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return html.trim().to_owned();
    }
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        // A lone `<` is a character like others.
        let named = tail.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!'));
        match tail.find('>').filter(|_| named) {
            Some(end) => {
                let tag =
                    tail[..end].trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next();
                match (tag.unwrap_or_default().to_ascii_lowercase().as_str(), tail.starts_with('/')) {
                    ("li", false) => text.push_str("\n- "),
                    (
                        "p" | "div" | "tr" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "blockquote" | "br",
                        _,
                    ) => {
                        text.push('\n');
                    }
                    _ => {}
                }
                rest = &tail[end + 1..];
            }
            None => {
                text.push('<');
                rest = tail;
            }
        }
    }
    text.push_str(rest);
    let text = text
        .replace("&nbsp;", " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// Plain text, with lists of `-` and `**bold**`, as HTML.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut listed = false;
    for block in text.trim().lines() {
        let line = block.trim();
        let item = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "));
        if item.is_some() != listed {
            out.push_str(if listed { "</ul>" } else { "<ul>" });
            listed = item.is_some();
        }
        match item {
            Some(item) => out.push_str(&format!("<li>{}</li>", inline(item))),
            None if line.is_empty() => {}
            None => out.push_str(&format!("<p>{}</p>", inline(line))),
        }
    }
    if listed {
        out.push_str("</ul>");
    }
    out
}

fn inline(text: &str) -> String {
    let safe = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let parts: Vec<&str> = safe.split("**").collect();
    // An even number of marks, so an odd number of parts.
    if parts.len() < 3 || parts.len().is_multiple_of(2) {
        return safe;
    }
    let marked = parts
        .iter()
        .enumerate()
        .map(|(at, part)| if at % 2 == 1 { format!("<strong>{part}</strong>") } else { (*part).to_owned() });
    marked.collect()
}

/// The first `most` characters, with how many more there are.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}… (+{} characters)", text[..at].trim_end(), text[at..].chars().count()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_read_as_the_text_that_people_see() {
        assert_eq!(
            plain("<p>Elena wants <strong>all</strong>.</p><ul><li>A &amp; B</li><li>1 &lt; 2</li></ul>"),
            "Elena wants all.\n- A & B\n- 1 < 2"
        );
        assert_eq!(plain("a < b and <br>c"), "a < b and\nc");
        assert_eq!(plain("plain"), "plain");
    }

    #[test]
    fn what_is_written_comes_back_as_it_was() {
        let text = "Hello <Elena>\n- one\n- **two**\nBye";
        let html = html(text);
        assert_eq!(
            html,
            "<p>Hello &lt;Elena&gt;</p><ul><li>one</li><li><strong>two</strong></li></ul><p>Bye</p>"
        );
        assert_eq!(plain(&html), "Hello <Elena>\n- one\n- two\nBye");
    }

    #[test]
    fn a_cut_says_how_much_is_left() {
        assert_eq!(cut("abc def", 4), "abc… (+3 characters)");
        assert_eq!(cut("abc", 4), "abc");
    }
}
