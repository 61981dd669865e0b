//! Links and images that Notion takes, and those that it would refuse.

use super::Accepted;

/// The longest address of a link (developers.notion.com/reference/request-limits).
const MAX_URL: usize = 2000;

/// The links and images of a line: `<address>` becomes a link, what Notion would refuse keeps its words.
pub(super) fn links(line: &str, accepted: &mut Accepted) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['\\', '`', '[', '<']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        let image = out.ends_with('!') && !out.ends_with("\\!");
        let taken = if rest.starts_with('\\') {
            rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at)
        } else if ticks > 0 {
            let mark = &rest[..ticks];
            rest[ticks..].find(mark).map_or(ticks, |end| ticks * 2 + end)
        } else if let Some((address, length)) = autolink(rest) {
            out.push_str(&format!("[{address}]({address})"));
            rest = &rest[length..];
            continue;
        } else if let Some((words, address, length)) = link(rest)
            && !(if image { is_image(address) } else { is_accepted(address) })
        {
            if image {
                out.pop();
                accepted.images += 1;
            } else {
                accepted.links += 1;
            }
            let unsafe_scheme = address.to_ascii_lowercase().trim_start().starts_with("javascript:");
            if unsafe_scheme || address.chars().count() > MAX_URL {
                out.push_str(words);
            } else {
                out.push_str(format!("{words} ({address})").trim_start());
            }
            rest = &rest[length..];
            continue;
        } else {
            1
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out.push_str(rest);
    out
}

/// `<https://…>`.
fn autolink(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix('<')?;
    let end = inside.find('>')?;
    let address = &inside[..end];
    let web =
        address.starts_with("https://") || address.starts_with("http://") || address.starts_with("mailto:");
    (web && !address.contains(char::is_whitespace)).then_some((address, end + 2))
}

/// `[words](address)` at the beginning of a text: its words, its address, and its length.
pub(crate) fn link(text: &str) -> Option<(&str, &str, usize)> {
    if !text.starts_with('[') {
        return None;
    }
    let mut depth = 0_usize;
    let mut escaped = false;
    let close = text.char_indices().find_map(|(at, c)| {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => depth += 1,
            ']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        None
    })?;
    let inside = text[close + 1..].strip_prefix('(')?;
    let mut depth = 0_usize;
    let end = inside.char_indices().find_map(|(at, c)| match c {
        '(' => {
            depth += 1;
            None
        }
        ')' if depth == 0 => Some(at),
        ')' => {
            depth -= 1;
            None
        }
        _ => None,
    })?;
    Some((&text[1..close], &inside[..end], close + end + 3))
}

/// Whether Notion takes an address as a link's: absolute and of a known scheme.
pub(crate) fn is_accepted(address: &str) -> bool {
    let scheme =
        ["https://", "http://", "mailto:", "tel:"].iter().find(|scheme| address.starts_with(**scheme));
    scheme.is_some_and(|scheme| address.len() > scheme.len())
        && address.chars().count() <= MAX_URL
        && !address.contains(char::is_whitespace)
}

/// Whether Notion takes an address as an image's; what it refuses fails the whole write ("Invalid URL for external
/// file"). How long it is, is not looked at: signed addresses are long.
fn is_image(address: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| address.starts_with(scheme) && address.len() > scheme.len())
}
