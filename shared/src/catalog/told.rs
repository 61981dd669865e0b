//! What an agent reads of an error: short and clean, whatever it quotes.

use super::clean;
use crate::Error;

/// Bytes of an error that an agent reads: so many from its beginning, and so many from its end.
const HEAD: usize = 1_300;
const TAIL: usize = 600;

/// What an agent reads of `error`, which may quote what somebody outside wrote, or an argument of any length: at most
/// two kilobytes.
#[must_use]
pub fn told(error: &Error) -> String {
    let text = error.for_agent();
    let text = clean(&text);
    if text.len() <= HEAD + TAIL {
        return text.into_owned();
    }
    // The end says what to do.
    let (mut head, mut tail) = (HEAD, text.len() - TAIL);
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    while !text.is_char_boundary(tail) {
        tail += 1;
    }
    format!("{} … {}", &text[..head], &text[tail..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_nothing_unseen_and_no_argument_of_any_length() {
        for letter in ["x\u{202e}", "é", "長"] {
            let error = Error::invalid(format!("There is no label `{}`", letter.repeat(900_000)))
                .with_hint("list_labels has them");
            let text = told(&error);
            assert!((1_800..2_000).contains(&text.len()), "{}", text.len());
            assert!(text.starts_with("invalid_argument: There is no label `"));
            assert!(text.ends_with("`. list_labels has them."));
            assert!(!text.contains('\u{202e}'));
        }
        let short = Error::not_found("There is no issue ENG-9");
        assert_eq!(told(&short), short.for_agent());
    }
}
