//! Long texts in slices that fit a reply, so that the offset to go on from is the end of what was shown.

use connector::catalog::{DEFAULT_BUDGET, Reply, ReplyOptions, clean, excerpt};

/// Bytes kept for the text's marks, notes after it, and words about what is left.
const RESERVE: usize = 1_600;
/// The least bytes of a text in one reply, whatever stands before it.
const LEAST: usize = 4_096;

/// The bytes that a text called `title` may have after what `before` says.
pub(super) fn room(before: Reply, title: &str) -> usize {
    let used = before.render(&ReplyOptions::default()).text.len() + clean(title).len();
    DEFAULT_BUDGET.saturating_sub(used + RESERVE).max(LEAST)
}

/// The part of `text` from character `offset`, at most `most` characters and `room` bytes; with a word about what is
/// left and how to get it.
pub(super) fn slice(text: &str, offset: usize, most: usize, room: usize) -> (String, Option<String>) {
    let (shown, rest) = excerpt(text, offset, most);
    if shown.len() <= room {
        return (shown, rest);
    }
    let fitting = shown.char_indices().take_while(|(at, c)| at + c.len_utf8() <= room).count();
    excerpt(text, offset, fitting.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_bounded_in_characters_and_in_bytes() {
        assert_eq!(slice("one two", 0, 3, 100).0, "one");
        assert_eq!(slice("日本語のページ", 0, 100, 10).0, "日本語");
        let (shown, rest) = slice("日本語のページ", 3, 100, 7);
        assert_eq!(
            (shown.as_str(), rest.as_deref()),
            ("のペ", Some("[2 more characters: ask with offset=5]"))
        );
        assert_eq!(slice("日本語", 0, 100, 9), ("日本語".to_owned(), None));
    }
}
