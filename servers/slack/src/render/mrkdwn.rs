//! Slack's text made plain: entities decoded once, people and channels by name, links as Markdown.

use std::collections::BTreeSet;

use crate::resolve::{
    people::{People, is_user},
    reference::is_id,
};

/// `text` as people read it.
///
/// Only `&amp;`, `&lt;` and `&gt;` are entities (docs.slack.dev/messaging/formatting-message-text), and each
/// is decoded once: `&amp;lt;` is the text `&lt;`.
pub(crate) fn plain(text: &str, people: &People) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('<') {
            match after.find('>') {
                Some(close) if is_token(&after[..close]) => {
                    out.push_str(&token(&after[..close], people));
                    rest = &after[close + 1..];
                }
                _ => {
                    out.push('<');
                    rest = after;
                }
            }
            continue;
        }
        let entity = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')]
            .into_iter()
            .find(|(entity, _)| rest.starts_with(entity));
        match entity {
            Some((entity, decoded)) => {
                out.push(decoded);
                rest = &rest[entity.len()..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Whether this, between `<` and `>`, is anything of Slack's.
fn is_token(inner: &str) -> bool {
    inner.starts_with(|c: char| matches!(c, '@' | '#' | '!') || c.is_alphanumeric())
        && !inner.contains(['<', '\n'])
}

/// What stands between `<` and `>`.
fn token(token: &str, people: &People) -> String {
    let (target, label) =
        token.split_once('|').map_or((token, None), |(target, label)| (target, Some(label)));
    let said = label.map(|label| plain(label, people)).filter(|label| !label.is_empty());
    if let Some(user) = target.strip_prefix('@') {
        let name = people.name(user);
        return match said {
            Some(said) if name == user => format!("@{}", said.trim_start_matches('@')),
            _ => format!("@{name}"),
        };
    }
    if let Some(channel) = target.strip_prefix('#') {
        let said = said.unwrap_or_else(|| people.thing(channel));
        return format!("#{}", said.trim_start_matches('#'));
    }
    if let Some(special) = target.strip_prefix('!') {
        if ["here", "channel", "everyone"].contains(&special) {
            return format!("@{special}");
        }
        if let Some(said) = said {
            return said;
        }
        return match special.strip_prefix("subteam^") {
            Some(group) => format!("@{}", people.thing(group)),
            None => format!("@{special}"),
        };
    }
    let url = plain(target, people);
    match said {
        Some(said)
            if said != url
                && format!("http://{said}") != url
                && format!("https://{said}") != url
                && format!("mailto:{said}") != url =>
        {
            format!("[{said}]({url})")
        }
        _ => url,
    }
}

/// The people whom `text` mentions, and the channels and user groups that it gives no name for.
pub(crate) fn mentioned(text: &str, ids: &mut BTreeSet<String>) {
    for part in text.split('<').skip(1) {
        let Some(token) = part.split_once('>').map(|(token, _)| token) else { continue };
        let (target, label) = token.split_once('|').unwrap_or((token, ""));
        let id = match (target.strip_prefix('@'), target.strip_prefix('#')) {
            (Some(user), _) if is_user(user) => user,
            (None, Some(channel)) if label.is_empty() && is_id(channel, &['C', 'G']) => channel,
            (None, None) if label.is_empty() => match target.strip_prefix("!subteam^") {
                Some(group) if is_id(group, &['S']) => group,
                _ => continue,
            },
            _ => continue,
        };
        ids.insert(id.to_owned());
    }
}

/// `text` as Slack wants it: `&`, `<` and `>` as entities and nothing else.
///
/// A `>` that begins a line stays: it quotes. Links keep their `&`, which Slack does not decode in them.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let body = line.trim_start_matches(['>', ' ']);
        let quote = &line[..line.len() - body.len()];
        out.push_str(quote);
        encode_line(body, &mut out);
    }
    out
}

fn encode_line(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(at) = ["http://", "https://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        escape(&rest[..at], out);
        let end = rest[at..]
            .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ')' | '"'))
            .map_or(rest.len(), |end| at + end);
        out.push_str(&rest[at..end]);
        rest = &rest[end..];
    }
    escape(rest, out);
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
}

/// `text` in its parts, each with whether it is code.
pub(crate) fn parts(text: &str) -> Vec<(bool, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('`') {
        let ticks = rest[open..].bytes().take_while(|byte| *byte == b'`').count();
        let mark = &rest[open..open + ticks];
        let after = open + ticks;
        // A mark without its end is only text.
        let Some(close) = rest[after..].find(mark) else { break };
        let end = after + close + ticks;
        parts.push((false, &rest[..open]));
        parts.push((true, &rest[open..end]));
        rest = &rest[end..];
    }
    parts.push((false, rest));
    parts
}

/// A character that `text` does not have, to hold a place in it: of those that are nobody's.
pub(crate) fn unused(text: &str) -> char {
    ('\u{e000}'..='\u{f8ff}').find(|c| !text.contains(*c)).unwrap_or('\u{f8ff}')
}

/// Markdown, encoded, as Slack's own marks: where Slack takes a text that is no `markdown_text`
/// (docs.slack.dev/messaging/formatting-message-text). Code stays as it is.
pub(crate) fn from_markdown(text: &str) -> String {
    let mark = unused(text);
    let parts = parts(text);
    let marked: String =
        parts.iter().map(|(code, part)| if *code { mark.to_string() } else { (*part).to_owned() }).collect();
    let lines: Vec<String> = marked.split('\n').map(line).collect();
    let mut code = parts.iter().filter(|(code, _)| *code).map(|(_, part)| *part);
    let mut out = String::with_capacity(text.len());
    for (number, part) in lines.join("\n").split(mark).enumerate() {
        if number > 0 {
            out.push_str(code.next().unwrap_or_default());
        }
        out.push_str(part);
    }
    out
}

/// A line: a heading is bold, and an item has a bullet.
fn line(line: &str) -> String {
    let body = line.trim_start();
    let indent = &line[..line.len() - body.len()];
    let title = body.trim_start_matches('#');
    if (1..=6).contains(&(body.len() - title.len())) && title.starts_with(' ') {
        let title = inline(title.trim().trim_matches('*').trim_end_matches('#').trim_end());
        return format!("{indent}*{title}*");
    }
    match ["- ", "* ", "+ "].iter().find_map(|bullet| body.strip_prefix(bullet)) {
        Some(item) => format!("{indent}• {}", inline(item)),
        None => format!("{indent}{}", inline(body)),
    }
}

/// Marks within a line, and what stands for them.
const MARKS: [(&str, &str, &str); 5] =
    [("***", "*_", "_*"), ("**", "*", "*"), ("__", "*", "*"), ("~~", "~", "~"), ("*", "_", "_")];

fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut before) = (text, None);
    while let Some(c) = rest.chars().next() {
        let (shown, length) = address(rest)
            .or_else(|| link(rest))
            .or_else(|| marked(rest, before))
            .unwrap_or_else(|| (c.to_string(), c.len_utf8()));
        out.push_str(&shown);
        before = rest[..length].chars().last();
        rest = &rest[length..];
    }
    out
}

/// An address or one of Slack's own tokens, in which nothing is a mark.
fn address(text: &str) -> Option<(String, usize)> {
    let end = if text.starts_with('<') {
        text.find('>').map(|close| close + 1)?
    } else if text.starts_with("http://") || text.starts_with("https://") {
        text.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ')' | '"')).unwrap_or(text.len())
    } else {
        return None;
    };
    Some((text[..end].to_owned(), end))
}

/// `[label](address)`, or an image.
fn link(text: &str) -> Option<(String, usize)> {
    let from = text.strip_prefix('!').unwrap_or(text).strip_prefix('[')?;
    let (label, after) = from.split_once("](")?;
    let (url, _) = after.split_once(')')?;
    let fine = ["http://", "https://", "mailto:"].iter().any(|scheme| url.starts_with(scheme));
    if !fine || label.contains(['[', '\n']) || url.contains(char::is_whitespace) {
        return None;
    }
    let length = text.len() - after.len() + url.len() + 1;
    let label = label.replace('|', "/");
    Some((if label.is_empty() { format!("<{url}>") } else { format!("<{url}|{label}>") }, length))
}

/// A bold, slanted or struck part, unless its mark stands within a word.
fn marked(text: &str, before: Option<char>) -> Option<(String, usize)> {
    if before.is_some_and(char::is_alphanumeric) {
        return None;
    }
    MARKS.iter().find_map(|(mark, open, close)| {
        let inner = text.strip_prefix(mark)?;
        let end = inner.find(mark).filter(|end| *end > 0)?;
        let (inner, after) = (&inner[..end], &inner[end + mark.len()..]);
        let tight = !inner.starts_with(char::is_whitespace) && !inner.ends_with(char::is_whitespace);
        let ends = !after.starts_with(char::is_alphanumeric);
        (tight && ends).then(|| (format!("{open}{}{close}", inline(inner)), end + 2 * mark.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> People {
        People::known(&[("U0MAYA00001", "maya")])
    }

    #[test]
    fn entities_are_decoded_exactly_once_and_encoded_exactly_once() {
        // https://github.com/NousResearch/hermes-agent/pull/64748
        let wire = "use &amp;lt;b&amp;gt; for a &lt;b&gt; tag &amp; co";
        let shown = plain(wire, &people());
        assert_eq!(shown, "use &lt;b&gt; for a <b> tag & co");
        assert_eq!(encode(&shown), wire);
        assert_eq!(encode("it's \"so\""), "it's \"so\"");
    }

    #[test]
    fn decoding_what_was_encoded_gives_the_same_text() {
        let alphabet =
            ['&', '<', '>', 'a', ';', 'm', 'p', 'l', 't', 'g', ' ', '#', '@', '|', '!', 'é', '\'', '"'];
        let mut seed = 42_u64;
        for _ in 0..10_000 {
            let mut text = String::new();
            for _ in 0..24 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push(alphabet[(seed >> 33) as usize % alphabet.len()]);
            }
            assert_eq!(plain(&encode(&text), &people()), text);
        }
    }

    #[test]
    fn people_channels_groups_dates_and_links_are_read() {
        for (wire, shown) in [
            ("<@U0MAYA00001> and <@U0OTHER0001>", "@maya and @U0OTHER0001"),
            (
                "<#C1|general> <!subteam^S1|@oncall> <!here> <!channel|channel>",
                "#general @oncall @here @channel",
            ),
            ("<!date^1764400000^{date}|29 November>", "29 November"),
            ("<https://a.example/x?a=1&amp;b=2|the page>", "[the page](https://a.example/x?a=1&b=2)"),
            (
                "<https://a.example> <mailto:a@b.example|a@b.example> <http://a.example|a.example>",
                "https://a.example mailto:a@b.example http://a.example",
            ),
            ("a < b, x <> y", "a < b, x <> y"),
        ] {
            assert_eq!(plain(wire, &people()), shown);
        }
    }

    #[test]
    fn markdown_becomes_slacks_own_marks_and_code_stays() {
        for (markdown, mrkdwn) in [
            ("**bold**, *slanted*, ~~gone~~ and _so_", "*bold*, _slanted_, ~gone~ and _so_"),
            ("# The `**x**` plan\n- one\n  * two", "*The `**x**` plan*\n• one\n  • two"),
            (
                "see [the **page**](https://a.example/a_b*c*?x=1&y) now",
                "see <https://a.example/a_b*c*?x=1&y|the **page**> now",
            ),
            (
                "https://a.example/**x**/*y* 2*3*4 snake__case__d a * b",
                "https://a.example/**x**/*y* 2*3*4 snake__case__d a * b",
            ),
            (
                "<@U0MAYA00001> ***all*** ![](https://a.example/i.png)",
                "<@U0MAYA00001> *_all_* <https://a.example/i.png>",
            ),
            ("```\n# **x**\n```\n**y** [z](ftp://a)", "```\n# **x**\n```\n*y* [z](ftp://a)"),
            ("\u{e000} **x** `y`", "\u{e000} *x* `y`"),
        ] {
            assert_eq!(from_markdown(markdown), mrkdwn);
        }
    }

    #[test]
    fn links_and_quotes_keep_their_form() {
        assert_eq!(
            encode("> quoted & so\nsee https://a.example/?a=1&b=2 & more"),
            "> quoted &amp; so\nsee https://a.example/?a=1&b=2 &amp; more"
        );
    }
}
