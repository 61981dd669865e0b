//! The tags and characters of HTML, read as tolerantly as browsers do.

use std::ops::Range;

/// A tag: `strong`, whether it ends one, its attributes as they are written.
pub(super) struct Tag<'a> {
    pub(super) name: String,
    pub(super) ends: bool,
    pub(super) attributes: &'a str,
}

/// Whether a link leads where people may be sent.
pub(super) fn is_address(address: &str) -> bool {
    let lower = address.trim().to_ascii_lowercase();
    ["https://", "http://", "mailto:", "tel:"].iter().any(|scheme| lower.starts_with(scheme))
}

/// An address as it stands between round brackets.
pub(super) fn bare(address: &str) -> String {
    address.trim().replace(' ', "%20").replace('(', "%28").replace(')', "%29")
}

/// The tags of a text, each with its place. A lone `<` is a character like others.
pub(super) fn tags(html: &str) -> impl Iterator<Item = (Tag<'_>, Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + html.get(at..)?.find('<')?;
            let inside = &html[start + 1..];
            if inside.starts_with("!--") {
                let end = inside.find("-->").map_or(html.len(), |end| start + 1 + end + 3);
                at = end;
                return Some((Tag { name: String::new(), ends: true, attributes: "" }, start..end));
            }
            let ends = inside.starts_with('/');
            let named = inside.trim_start_matches('/');
            if !named.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!') {
                at = start + 1;
                continue;
            }
            let length = closing(inside)?;
            let whole = inside[..length].trim_start_matches('/');
            let name = whole.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            at = start + 1 + length + 1;
            let tag = Tag { name: name.to_ascii_lowercase(), ends, attributes: &whole[name.len()..] };
            return Some((tag, start..at));
        }
    })
}

/// Where the tag ends whose inside this begins: at the first `>` that is not part of a quoted value.
fn closing(inside: &str) -> Option<usize> {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in inside.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') if before == '=' => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        before = c;
    }
    inside.find('>')
}

/// The value of an attribute, its entities read.
pub(super) fn attribute(attributes: &str, name: &str) -> Option<String> {
    let lower = attributes.to_ascii_lowercase();
    let mut from = 0;
    while let Some(found) = lower[from..].find(name) {
        let at = from + found;
        from = at + name.len();
        let starts = at == 0 || lower.as_bytes()[at - 1].is_ascii_whitespace();
        let Some(value) = attributes[from..].trim_start().strip_prefix('=').filter(|_| starts) else {
            continue;
        };
        let value = value.trim_start();
        let raw = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split(quote).next(),
            _ => value.split(|c: char| c.is_whitespace() || c == '>').next(),
        };
        let raw = raw.unwrap_or_default();
        return Some(characters(raw, 0..raw.len()).map(|(c, _)| c).collect());
    }
    None
}

/// The characters of a text, entities read, each with the bytes that say it.
pub(super) fn characters(html: &str, range: Range<usize>) -> impl Iterator<Item = (char, Range<usize>)> {
    let (mut at, end) = (range.start, range.end);
    std::iter::from_fn(move || {
        let rest = html.get(at..end).filter(|rest| !rest.is_empty())?;
        let (c, length) = entity(rest).or_else(|| rest.chars().next().map(|c| (c, c.len_utf8())))?;
        let source = at..at + length;
        at += length;
        Some((c, source))
    })
}

/// The character that an entity at the beginning of `text` says, and its length.
fn entity(text: &str) -> Option<(char, usize)> {
    let inside = text.strip_prefix('&')?;
    let length = inside.bytes().take(10).position(|byte| byte == b';')?;
    let name = &inside[..length];
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "bull" => '•',
        "euro" => '€',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            if code == 0xa0 { ' ' } else { char::from_u32(code)? }
        }
    };
    Some((c, length + 2))
}
