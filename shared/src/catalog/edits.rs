//! Edits of a text: each replaces a passage that must occur exactly once, so that an edit made from
//! an old copy cannot land in the wrong place. What is shown can be edited: a passage is looked for in
//! the text as replies show it, without carriage returns and characters that nobody sees.
//!
//! Each edit reads the text once, as the edits before it left it. What all of them read together is bounded, so that
//! no call costs more than a moment.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    text::{Visible, clean},
    words,
};
use crate::{Error, Kind, Result};

/// Bytes that the edits of one call may read in all: fifty edits of a text of 650 kB.
const MOST_READ: usize = 32 << 20;
/// Characters of a passage that an error shows.
const SHOWN: usize = 60;

#[allow(
    missing_docs,
    reason = "a doc comment would be part of every schema: `old` becomes `new`, or nothing without it"
)]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    pub old: String,
    #[serde(default)]
    pub new: String,
}

/// Where in a text an edit is made, and what stands there then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The bytes of the text that are replaced.
    pub range: Range<usize>,
    /// What replaces them, its lines ended as those of the text are.
    pub new: String,
}

/// Fails if `edits` of `text` would read more than one call may.
///
/// # Errors
/// `invalid_argument`, if there are too many edits for a text of this length.
pub fn bounded(text: &str, edits: &[Edit]) -> Result<()> {
    let mut length = text.len();
    let mut read = 0_usize;
    for edit in edits {
        read = read.saturating_add(length);
        length += edit.new.len();
    }
    if edits.len() > 1 && read > MOST_READ {
        let (edits, length) = (edits.len(), text.len() / 1024);
        return Err(Error::invalid(format!("`edits`: {edits} are too many for a text of {length} kB"))
            .with_hint("Nothing was written. Give fewer at once, or the whole text"));
    }
    Ok(())
}

/// `text` after `edits`, one after the other.
///
/// # Errors
/// `conflict` if a passage is not there; `invalid_argument` if it is there more than once, or empty, or if there are
/// too many edits for a text of this length. Nothing is then applied.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String> {
    bounded(text, edits)?;
    let mut text = text.to_owned();
    for edit in edits {
        let Passage { range, new } = passage(&text, edit)?;
        text.replace_range(range, &new);
    }
    Ok(text)
}

/// Where in `text` an edit is made.
///
/// # Errors
/// As [`apply`].
pub fn passage(text: &str, edit: &Edit) -> Result<Passage> {
    let old = clean(&edit.old);
    if old.is_empty() {
        return Err(Error::invalid("`edits`: `old` is empty").with_hint("Give the passage to replace"));
    }
    let shown = clean(text);
    let mut places = shown.match_indices(&*old).map(|(at, _)| at);
    let Some(at) = places.next() else {
        return Err(Error::new(
            Kind::Conflict,
            format!("`edits`: the text has no \"{}\"", words::short(&edit.old, SHOWN)),
        )
        .with_hint("Nothing was written. Read it again: it may have changed, or be written differently"));
    };
    let more = places.count();
    if more > 0 {
        return Err(Error::invalid(format!(
            "`edits`: \"{}\" occurs {} times",
            words::short(&edit.old, SHOWN),
            more + 1
        ))
        .with_hint("Nothing was written. Give more of the text around it"));
    }
    let range = at..at + old.len();
    let new = match text.contains("\r\n") && text.matches('\n').count() == text.matches("\r\n").count() {
        true => edit.new.replace("\r\n", "\n").replace('\n', "\r\n"),
        false => edit.new.clone(),
    };
    Ok(Passage { range: if shown.len() == text.len() { range } else { behind(text, &range) }, new })
}

/// The bytes of `text` that are shown as the bytes `range` of what is shown of it.
fn behind(text: &str, range: &Range<usize>) -> Range<usize> {
    let mut shown = 0;
    let (mut start, mut end) = (text.len(), text.len());
    for (c, place) in Visible::of(text) {
        if shown == range.start {
            start = place.start;
        }
        shown += c.len_utf8();
        if shown == range.end {
            end = place.end;
            break;
        }
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(old: &str, new: &str) -> Edit {
        Edit { old: old.to_owned(), new: new.to_owned() }
    }

    #[test]
    fn edits_are_applied_one_after_the_other() {
        assert_eq!(apply("a b c", &[edit("b", "x y"), edit("x y c", "z")]).unwrap(), "a z");
        assert_eq!(apply("a", &[]).unwrap(), "a");
    }

    #[test]
    fn many_edits_of_a_long_text_are_refused_before_they_cost_anything() {
        let text: String = (0..20_000).map(|line| format!("<line {line:05}> {}\n", "x".repeat(20))).collect();
        let edits: Vec<_> = (0..20_000).map(|line| edit(&format!("<line {line:05}>"), "<line>")).collect();
        let error = apply(&text, &edits).unwrap_err();
        assert!(error.for_agent().contains("`edits`: 20000 are too many for a text of 664 kB"), "{error}");
        assert!(apply(&text, &edits[..20]).is_ok());
        assert!(apply(&text[..13_600], &edits[..400]).is_ok(), "many edits of a short text are no burden");
    }

    #[test]
    fn a_passage_must_occur_exactly_once() {
        assert_eq!(apply("a b", &[edit("c", "d")]).unwrap_err().kind(), Kind::Conflict);
        let error = apply("a b a", &[edit("a", "d")]).unwrap_err();
        assert!(error.for_agent().contains("occurs 2 times"), "{error}");
        assert!(apply("a", &[edit("", "d")]).is_err());
    }

    #[test]
    fn an_edit_without_new_takes_its_passage_out() {
        let edit: Edit = serde_json::from_str(r#"{"old": " b"}"#).unwrap();
        assert_eq!(apply("a b c", &[edit]).unwrap(), "a c");
    }

    #[test]
    fn what_is_shown_can_be_edited() {
        // As a browser sends a form; a page shows `a`, `b`, `c`.
        assert_eq!(apply("a\r\nb\r\nc", &[edit("a\nb", "a\nx\nb")]).unwrap(), "a\r\nx\r\nb\r\nc");
        assert_eq!(apply("a\r\nb\r\nc", &[edit("\nb", "")]).unwrap(), "a\r\nc");
        // Shown as `foobar`.
        assert_eq!(apply("1 foo\u{200b}bar\u{ad} 2", &[edit("foobar", "baz")]).unwrap(), "1 baz\u{ad} 2");
        assert_eq!(apply("\u{feff}a b", &[edit("a", "c")]).unwrap(), "\u{feff}c b", "its mark stays");
        assert_eq!(apply("a b", &[edit("\u{200b}a", "c")]).unwrap(), "c b");
        let twice = apply("foo fo\u{200b}o", &[edit("foo", "x")]).unwrap_err();
        assert!(twice.for_agent().contains("occurs 2 times"), "both are shown alike: {twice}");
        assert!(apply("a", &[edit("\u{200b}", "x")]).is_err(), "nothing is shown of it");
    }

    #[test]
    fn lines_of_both_kinds_are_edited_as_is_said() {
        assert_eq!(apply("a\r\nb\nc", &[edit("b\nc", "d\ne")]).unwrap(), "a\r\nd\ne");
    }
}
