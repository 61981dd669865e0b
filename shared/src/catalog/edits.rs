//! Edits of a text: each replaces a passage that must occur exactly once, so that an edit made from
//! an old copy cannot land in the wrong place.

use schemars::JsonSchema;
use serde::Deserialize;

use super::words;
use crate::{Error, Kind, Result};

/// Characters of a passage that an error shows.
const SHOWN: usize = 60;

#[allow(missing_docs, reason = "a doc comment would be part of every schema: `old` becomes `new`")]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    pub old: String,
    pub new: String,
}

/// `text` after `edits`, one after the other.
///
/// # Errors
/// `conflict` if a passage is not there; `invalid_argument` if it is there more than once, or empty.
/// Nothing is then applied.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String> {
    let mut text = text.to_owned();
    for edit in edits {
        if edit.old.is_empty() {
            return Err(Error::invalid("`edits`: `old` is empty").with_hint("Give the passage to replace"));
        }
        match text.matches(&edit.old).count() {
            1 => text = text.replacen(&edit.old, &edit.new, 1),
            0 => {
                return Err(Error::new(
                    Kind::Conflict,
                    format!("`edits`: the text has no \"{}\"", words::short(&edit.old, SHOWN)),
                )
                .with_hint(
                    "Nothing was written. Read it again: it may have changed, or be written differently",
                ));
            }
            many => {
                return Err(Error::invalid(format!(
                    "`edits`: \"{}\" occurs {many} times",
                    words::short(&edit.old, SHOWN)
                ))
                .with_hint("Nothing was written. Give more of the text around it"));
            }
        }
    }
    Ok(text)
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
    fn a_passage_must_occur_exactly_once() {
        assert_eq!(apply("a b", &[edit("c", "d")]).unwrap_err().kind(), Kind::Conflict);
        let error = apply("a b a", &[edit("a", "d")]).unwrap_err();
        assert!(error.for_agent().contains("occurs 2 times"), "{error}");
        assert!(apply("a", &[edit("", "d")]).is_err());
    }
}
