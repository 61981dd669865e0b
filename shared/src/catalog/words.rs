//! Words that replies of every server need: counts with their nouns, lists that end, short texts.

use super::{one_line, thousands};
use crate::{Error, Result};

/// The most people that a reply names.
const PEOPLE: usize = 20;

/// A count and what is counted, `noun` of one and of many: `1 issue`, `1,200 issues`.
#[must_use]
pub fn counted(number: impl TryInto<u64>, noun: (&str, &str)) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{} {}", thousands(number), if number == 1 { noun.0 } else { noun.1 })
}

/// A text on one line, at most so many characters of it.
#[must_use]
pub fn short(text: &str, chars: usize) -> String {
    let line = one_line(text);
    match line.char_indices().nth(chars) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// Names one after the other, at most so many of them: `a, b and 3 more`.
#[must_use]
pub fn listed<T: AsRef<str>>(names: &[T], most: usize) -> String {
    let shown: Vec<_> = names.iter().take(most).map(|name| one_line(name.as_ref())).collect();
    let mut listed = shown.join(", ");
    if names.len() > most {
        listed.push_str(&format!(" and {} more", thousands((names.len() - most) as u64)));
    }
    listed
}

/// People and groups by their handles, with `@`: `@maya, @acme/imports`.
#[must_use]
pub fn people<T: AsRef<str>>(handles: &[T]) -> String {
    let shown: Vec<_> = handles.iter().take(PEOPLE + 1).map(|name| format!("@{}", name.as_ref())).collect();
    match handles.len().checked_sub(PEOPLE).filter(|more| *more > 0) {
        None => listed(&shown, PEOPLE),
        Some(more) => format!("{} and {} more", listed(&shown[..PEOPLE], PEOPLE), thousands(more as u64)),
    }
}

/// Refuses a text that `vendor` would refuse for its length, before anything is sent: a dry run must not promise it.
///
/// # Errors
/// `invalid_argument` with how many characters it has, and how many it may have at most.
pub fn at_most(vendor: &str, argument: &str, text: &str, most: usize) -> Result<()> {
    let length = text.chars().count();
    if length <= most {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "`{argument}` has {} characters; {vendor} takes at most {}",
        thousands(length as u64),
        thousands(most as u64)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_agrees_with_its_number() {
        let issues = |number: u16| counted(number, ("issue", "issues"));
        assert_eq!([0, 1, 2, 1_200].map(issues), ["0 issues", "1 issue", "2 issues", "1,200 issues"]);
    }

    #[test]
    fn a_text_that_is_too_long_is_refused_with_its_length() {
        assert!(at_most("GitHub", "title", &"ä".repeat(3), 3).is_ok());
        let error = at_most("GitHub", "title", &"ä".repeat(1_200), 256).unwrap_err();
        assert_eq!(error.message(), "`title` has 1,200 characters; GitHub takes at most 256");
    }

    #[test]
    fn a_list_ends_and_says_what_it_left_out() {
        assert_eq!(listed(&["a", "b\nc"], 2), "a, b c");
        assert_eq!(listed(&["a", "b", "c"], 1), "a and 2 more");
        assert_eq!(people(&["maya", "acme/imports"]), "@maya, @acme/imports");
        let many: Vec<_> = (0..5_000).map(|n| n.to_string()).collect();
        assert!(people(&many).ends_with("@19 and 4,980 more"), "{}", people(&many));
        assert_eq!(short("one\ntwo", 5), "one t…");
    }
}
