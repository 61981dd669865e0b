//! Text that people outside wrote, made safe to show to a model: what cannot be seen is taken out,
//! and fences mark what is data and not instruction.

use std::{borrow::Cow, iter::Peekable, ops::Range, str::CharIndices};

use super::words;

/// `text` without characters that a person would not see: zero-width and bidirectional controls,
/// tag characters, variation selectors used to smuggle bytes, and control characters other than
/// line breaks and tabs. Joiners that spell real words and emoji stay.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    // Most texts, which their bytes tell without being decoded.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    if text.bytes().all(is_plain) || !text.chars().any(|c| matches!(c, '\r' | '\u{200d}') || is_invisible(c))
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    out.extend(Visible::of(text).map(|(c, _)| c));
    Cow::Owned(out)
}

/// How many characters of `text` [`clean`] leaves out: not those of line ends.
pub(super) fn unseen(text: &str) -> usize {
    if let Cow::Borrowed(_) = clean(text) {
        return 0;
    }
    let seen: usize = Visible::of(text).map(|(_, place)| text[place].chars().count()).sum();
    text.chars().count() - seen
}

/// What a reply says of `count` characters that nobody sees: that they were `done` to.
pub(super) fn not_shown(count: usize, done: &str) -> Option<String> {
    let characters =
        words::counted(count, ("character that is not shown was", "characters that are not shown were"));
    (count > 0).then(|| format!("[{characters} {done}.]"))
}

/// The characters of a text that are shown, each with the bytes that it stands for.
pub(super) struct Visible<'a> {
    chars: Peekable<CharIndices<'a>>,
    last: Option<char>,
}

impl<'a> Visible<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { chars: text.char_indices().peekable(), last: None }
    }
}

impl Iterator for Visible<'_> {
    type Item = (char, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (at, c) = self.chars.next()?;
            let mut end = at + c.len_utf8();
            let shown = match c {
                '\r' => {
                    end += usize::from(self.chars.next_if(|(_, next)| *next == '\n').is_some());
                    '\n'
                }
                // Joins emoji and letters of scripts that need it; between plain letters it only hides.
                '\u{200d}' => {
                    let next = self.chars.peek().map(|(_, next)| *next);
                    if !self.last.is_some_and(joins) || !next.is_some_and(joins) {
                        continue;
                    }
                    c
                }
                // Emoji presentation; a run of selectors encodes hidden bytes.
                '\u{fe0f}' => {
                    let presents = |last: char| last != '\u{fe0f}' && !last.is_ascii_alphabetic();
                    if !self.last.is_some_and(presents) {
                        continue;
                    }
                    c
                }
                c if is_invisible(c) => continue,
                c => c,
            };
            self.last = Some(shown);
            return Some((shown, at..end));
        }
    }
}

/// `text` cleaned and put on one line, for a row of a table or an error message.
#[must_use]
pub fn one_line(text: &str) -> String {
    let text = clean(text);
    // Most texts are so already, which is soon seen.
    let is_parted = text.contains('\n') || text.contains('\t') || text.contains("  ");
    if text.is_ascii() && !is_parted && !text.starts_with(' ') && !text.ends_with(' ') {
        return text.into_owned();
    }
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// `text` on one line as it is to be written: what nobody sees stays in it.
#[must_use]
pub fn unbroken(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A number with commas between its thousands: `1,234,567`.
#[must_use]
pub fn thousands(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn joins(c: char) -> bool {
    !c.is_ascii() && !c.is_whitespace()
}

fn is_invisible(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{fe0f}' => true,
        c if c.is_control() => true,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => true,
        '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' => true,
        '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0e}' => true,
        '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' => true,
        '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// Marks text of people outside: the nonce cannot be guessed, so a closing mark inside is only text.
#[derive(Clone, Debug)]
pub(super) struct Fence {
    nonce: String,
}

impl Fence {
    pub(super) fn new() -> Self {
        // 40 bits: whoever writes a text with as many closing marks as fit must not hit one.
        Self { nonce: format!("{:010x}", rand::random::<u64>() >> 24) }
    }

    /// The line above text that comes `from` somewhere, written `by` somebody.
    pub(super) fn open(&self, from: &str, by: Option<&str>) -> String {
        let quote = |text: &str| one_line(text).replace(['"', '<', '>'], "'");
        match by {
            Some(by) => format!("<data {} from=\"{}\" by=\"{}\">", self.nonce, quote(from), quote(by)),
            None => format!("<data {} from=\"{}\">", self.nonce, quote(from)),
        }
    }

    /// The line below it.
    pub(super) fn close(&self) -> String {
        format!("</data {}>", self.nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_taken_out() {
        assert_eq!(clean("a\u{200b}b\u{202e}c\u{e0041}d\u{feff}"), "abcd");
        assert_eq!(clean("a\u{0007}\tb\r\nc\rd"), "a\tb\nc\nd");
        assert_eq!(clean("x\u{fe00}\u{fe01}\u{fe0f}y"), "xy");
        assert_eq!(clean("pay\u{200d}load"), "payload");
        assert_eq!(clean("\u{2800}a\u{2800}b"), "ab", "a blank of Braille is no space");
    }

    #[test]
    fn what_people_write_stays() {
        for text in ["Grüße, 東京", "👩\u{200d}💻 ❤\u{fe0f}", "a\n\n\tb", "नमस्\u{200d}ते"]
        {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn a_line_has_single_blanks_between_its_words() {
        for text in ["a b", " a b", "a b ", "a  b", "a\nb", "a\tb", "a \u{200b} b", "a\u{a0}b", "a\r\n\r\nb "]
        {
            assert_eq!(one_line(text), "a b", "{text:?}");
        }
        assert_eq!([one_line(""), one_line("  "), one_line("ab")], ["", "", "ab"]);
    }

    #[test]
    fn thousands_have_commas() {
        assert_eq!([7_u64, 2_500, 123_456, 3_000_000].map(thousands), ["7", "2,500", "123,456", "3,000,000"]);
    }

    #[test]
    fn a_fence_says_whose_text_it_is_and_cannot_be_broken_out_of() {
        let fence = Fence::new();
        let open = fence.open("ENG-1\"><evil", Some("ada\n>"));
        assert!(open.ends_with("from=\"ENG-1'''evil\" by=\"ada '\">"), "{open}");
        assert_ne!(fence.close(), Fence::new().close());
        assert_eq!(fence.close().len(), "</data >".len() + 10, "40 bits");
    }
}
