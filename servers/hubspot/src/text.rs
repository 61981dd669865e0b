//! Texts of some length, cut to what a reply has room for.

/// The first `most` characters, with how many more there are.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}… (+{} characters)", text[..at].trim_end(), text[at..].chars().count()),
        None => text.to_owned(),
    }
}

/// The part of a text from its character `from` on that fits into `room` bytes where each of its lines is indented; and
/// the character where the rest begins, if there is one.
pub(crate) fn slice(text: &str, from: usize, room: usize) -> (String, Option<usize>) {
    let start = text.char_indices().nth(from).map_or(text.len(), |(at, _)| at);
    let rest = &text[start..];
    let mut size = 0;
    let end = rest.char_indices().find(|(_, c)| {
        size += if *c == '\n' { 1 + INDENT.len() } else { c.len_utf8() };
        size > room
    });
    let Some((end, _)) = end else { return (rest.to_owned(), None) };
    // After a line or a word, if one ends in the second half.
    let words = [rest[..end].rfind('\n'), rest[..end].rfind(' ')].into_iter().flatten();
    let end = words.map(|at| at + 1).find(|at| *at > end / 2).unwrap_or(end);
    (rest[..end].to_owned(), Some(from + rest[..end].chars().count()))
}

/// What stands before each line of a text below a row.
pub(crate) const INDENT: &str = "    ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slices_of_a_text_are_the_whole_of_it() {
        let text = "Ä line of words.\n\nx".repeat(90);
        let (mut whole, mut from) = (String::new(), Some(0));
        while let Some(at) = from {
            let (part, next) = slice(&text, at, 100);
            assert!(part.replace('\n', "\n    ").len() <= 100 && !part.is_empty());
            whole.push_str(&part);
            from = next;
        }
        assert_eq!(whole, text);
        assert_eq!(slice("short", 0, 100), ("short".to_owned(), None));
        assert_eq!(slice("short", 9, 100), (String::new(), None));
    }

    #[test]
    fn a_cut_says_how_much_is_left() {
        assert_eq!(cut("abc def", 4), "abc… (+3 characters)");
        assert_eq!(cut("abc", 4), "abc");
    }
}
