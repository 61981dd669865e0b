//! Texts of some length, cut to what a reply has room for.

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
    fn a_cut_says_how_much_is_left() {
        assert_eq!(cut("abc def", 4), "abc… (+3 characters)");
        assert_eq!(cut("abc", 4), "abc");
    }
}
