//! A file that is replaced by a text keeps what the text does not say: how its lines end, and its byte-order mark.

/// What stands at the beginning of a text that some editors mark as UTF-8.
const MARK: char = '\u{feff}';

/// `new` with the line ends and the byte-order mark of `old`, as an editor saves a file; and in words what that
/// means for the file, where one would not see it.
pub(crate) fn as_before(old: &str, new: String) -> (String, Option<String>) {
    let (was, is) = (Ends::of(old), Ends::of(&new));
    let mut notes = Vec::new();
    let mut kept = Vec::new();
    let mut text = new;
    match (was, is) {
        (Ends::Crlf, Ends::Lf) => {
            text = text.replace('\n', "\r\n");
            kept.push("CRLF line ends");
        }
        (Ends::Lf | Ends::Mixed, Ends::Crlf) => notes.push("its lines now end in CRLF".to_owned()),
        (Ends::Mixed, Ends::Lf) => {
            notes.push("its lines, some of which ended in CRLF, now end in LF".to_owned());
        }
        (Ends::Lf | Ends::Crlf, Ends::Mixed) => notes.push("some of its lines now end in CRLF".to_owned()),
        _ => {}
    }
    if old.starts_with(MARK) && !text.starts_with(MARK) {
        text.insert(0, MARK);
        kept.push("byte-order mark");
    }
    if !kept.is_empty() {
        notes.insert(0, format!("keeps its {}; base64 content is written as it is", kept.join(" and ")));
    }
    (text, (!notes.is_empty()).then(|| notes.join("; ")))
}

/// How the lines of a text end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// There is no more than one line.
    None,
    Lf,
    Crlf,
    Mixed,
}

impl Ends {
    fn of(text: &str) -> Self {
        match (text.matches('\n').count(), text.matches("\r\n").count()) {
            (0, _) => Self::None,
            (_, 0) => Self::Lf,
            (all, crlf) if all == crlf => Self::Crlf,
            _ => Self::Mixed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_the_mark_are_those_of_the_file() {
        let kept = |old: &str, new: &str| as_before(old, new.to_owned());
        let (text, note) = kept("\u{feff}a\r\nb\r\n", "a\nc\n");
        assert_eq!(text, "\u{feff}a\r\nc\r\n");
        let note = note.unwrap();
        assert!(note.starts_with("keeps its CRLF line ends and byte-order mark"), "{note}");
        assert_eq!(kept("a\nb\n", "a\nc\n"), ("a\nc\n".to_owned(), None));
        assert_eq!(kept("a\r\nb\r\n", "a\r\nc\r\n"), ("a\r\nc\r\n".to_owned(), None));
        assert_eq!(kept("", "a\r\n"), ("a\r\n".to_owned(), None), "a new file is what it is");
    }

    #[test]
    fn what_changes_unseen_is_said() {
        let note = |old: &str, new: &str| as_before(old, new.to_owned()).1.unwrap();
        assert_eq!(note("a\nb\n", "a\r\nb\r\n"), "its lines now end in CRLF");
        assert_eq!(note("a\r\nb\n", "a\nb\n"), "its lines, some of which ended in CRLF, now end in LF");
        assert_eq!(note("a\r\nb\r\n", "a\r\nb\n"), "some of its lines now end in CRLF");
    }
}
