//! The addresses of Notion's own files, which are signed anew at each reading.

/// What an address in a text ends at.
const ENDS: [char; 3] = [')', '"', ' '];

/// The addresses of a text that are signed, each without its signature and with it.
fn signatures(text: &str) -> Vec<(&str, &str)> {
    let mut all: Vec<(&str, &str)> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("X-Amz-") {
        let begin = rest[..at].rfind(['(', '"', ' ', '\n']).map_or(0, |begin| begin + 1);
        let end = rest[at..].find(|c| ENDS.contains(&c) || c == '\n').map_or(rest.len(), |end| at + end);
        if let Some(query) = rest[begin..at].rfind('?') {
            let found = (&rest[begin..begin + query], &rest[begin..end]);
            if !found.0.is_empty() && all.iter().all(|(plain, _)| *plain != found.0) {
                all.push(found);
            }
        }
        rest = &rest[end..];
    }
    all
}

/// A line without the signatures of Notion's own files.
pub(super) fn unsigned(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("X-Amz-") {
        let query = rest[..at].rfind('?').unwrap_or(at);
        let end = rest[at..].find(ENDS).map_or(rest.len(), |end| at + end);
        out.push_str(&rest[..query]);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// A text in which those addresses that `page` has are signed as there.
pub(super) fn signed(text: &str, page: &str) -> String {
    let mut text = text.to_owned();
    for (plain, signed) in signatures(page) {
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find(plain) {
            let (before, found) = rest.split_at(at);
            let after = &found[plain.len()..];
            let whole = after.chars().next().is_none_or(|next| ENDS.contains(&next) || next == '\n');
            out.push_str(before);
            out.push_str(if whole { signed } else { plain });
            rest = after;
        }
        out.push_str(rest);
        text = out;
    }
    text
}

/// Whether a text has a signed address in it.
pub(crate) fn is_signed(text: &str) -> bool {
    text.contains("X-Amz-")
}

/// The change of `old` at `at` in `text` to `new` by a passage around what differs that has no signed address in it, which
/// another reading would not have: what takes the place of what. None where there is no such passage that occurs once.
pub(crate) fn narrowed(text: &str, at: usize, old: &str, new: &str) -> Option<(String, String)> {
    /// Bytes of what stands around it, on each side.
    const AROUND: usize = 200;
    let shared = |a: &mut dyn Iterator<Item = char>, b: &mut dyn Iterator<Item = char>| -> usize {
        a.zip(b).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
    };
    let before = shared(&mut old.chars(), &mut new.chars());
    let (old, new) = (&old[before..], &new[before..]);
    let after = shared(&mut old.chars().rev(), &mut new.chars().rev());
    let (old, new) = (&old[..old.len() - after], &new[..new.len() - after]);
    let (start, end) = (at + before, at + before + old.len());
    let left = text[..start].char_indices().rev().take_while(|(at, _)| start - at <= AROUND).last();
    let right = text[end..].char_indices().take_while(|(at, _)| *at < AROUND).last();
    let mut left = left.map_or(start, |(at, _)| at);
    let mut right = right.map_or(end, |(at, c)| end + at + c.len_utf8());
    for (_, signed) in signatures(text) {
        for (at, found) in text.match_indices(signed) {
            let ends = at + found.len();
            if ends <= start {
                left = left.max(ends);
            } else if at >= end {
                right = right.min(at);
            } else {
                return None;
            }
        }
    }
    let passage = &text[left..right];
    let once = !passage.is_empty() && text.matches(passage).count() == 1;
    once.then(|| (passage.to_owned(), format!("{}{new}{}", &text[left..start], &text[end..right])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_beside_a_file_does_not_repeat_its_address() {
        let image = "![a](https://f.example/a.png?X-Amz-Signature=1)";
        let text = format!("# One\n{image}\nTwo\nThree");
        let change = |old: &str, new: &str| narrowed(&text, text.find(old).unwrap(), old, new);
        let old = format!("{image}\nTwo");
        let (from, to) = change(&old, &format!("{image}\nzwei")).unwrap();
        assert_eq!((from.as_str(), to.as_str()), (")\nTwo\nThree", ")\nzwei\nThree"));
        let (from, to) = change(image, &format!("{image}\nNew")).unwrap();
        assert_eq!((from.as_str(), to.as_str()), (")\nTwo\nThree", ")\nNew\nTwo\nThree"));
        let (from, to) = change(image, &format!("New\n{image}")).unwrap();
        assert_eq!(text.replacen(&from, &to, 1), format!("# One\nNew\n{image}\nTwo\nThree"));
        // The file itself is what changes.
        assert_eq!(change(&old, "Two"), None);
    }
}
