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
                "#general @oncall @here channel",
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
    fn links_and_quotes_keep_their_form() {
        assert_eq!(
            encode("> quoted & so\nsee https://a.example/?a=1&b=2 & more"),
            "> quoted &amp; so\nsee https://a.example/?a=1&b=2 &amp; more"
        );
    }
}
