//! The words of a query that say something, and which of them a message has.

use connector::catalog::{names::fold, one_line};

/// Words that any message may have.
const EMPTY: &[&str] = &[
    "a", "about", "an", "and", "any", "are", "as", "at", "be", "by", "can", "did", "do", "does", "for",
    "from", "had", "has", "have", "how", "i", "if", "in", "is", "it", "its", "me", "my", "no", "not", "of",
    "on", "or", "our", "so", "that", "the", "their", "there", "they", "this", "to", "us", "was", "we",
    "were", "what", "when", "where", "which", "who", "why", "will", "with", "you", "your",
];

/// So many words of a query are told of and looked for: each costs a look at each message.
const MOST: usize = 24;

/// The first words that say something: none of those that every text has, that are shut out, or that are filters.
pub(super) fn telling(query: &str) -> Vec<String> {
    let mut telling: Vec<String> = Vec::new();
    for word in query.split_whitespace().filter(|word| !word.starts_with('-') && !word.contains(':')) {
        let bare = one_line(word.trim_matches(|c: char| !c.is_alphanumeric()));
        if !bare.is_empty() && !EMPTY.contains(&fold(&bare).as_str()) && !telling.contains(&bare) {
            telling.push(bare);
        }
        if telling.len() == MOST {
            break;
        }
    }
    telling
}

/// The query without the words that it shuts out: in a clause they would be words like others.
pub(super) fn without_refused(query: &str) -> String {
    let words: Vec<&str> = query.split_whitespace().filter(|word| !is_refused(word)).collect();
    words.join(" ")
}

/// The words that the query shuts out.
pub(super) fn refused(query: &str) -> Vec<String> {
    let words = query.split_whitespace().filter(|word| is_refused(word) && !word.contains(':'));
    let bare = words.map(|word| one_line(word.trim_matches(|c: char| !c.is_alphanumeric())));
    bare.filter(|word| !word.is_empty()).collect()
}

fn is_refused(word: &str) -> bool {
    word.starts_with('-') && word.len() > 1
}

/// The longest word that counts only as a whole word: `id` is not in `idempotent`.
const SHORT: usize = 2;

/// Those of `words` that `text` has, at the beginning of a word of its own.
pub(super) fn those_in<'a>(words: &'a [String], text: &str) -> Vec<&'a str> {
    let text = fold(text);
    let has = |word: &str| {
        let word = fold(word);
        let whole = word.chars().count() <= SHORT;
        text.match_indices(&word).any(|(at, found)| {
            let inside = whole && text[at + found.len()..].starts_with(char::is_alphanumeric);
            !inside && !text[..at].ends_with(char::is_alphanumeric)
        })
    };
    words.iter().map(String::as_str).filter(|word| has(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_say_nothing_are_dropped_and_the_others_are_found_where_a_word_begins() {
        let words = telling("what is the key for \"CSV rows\" without an id? -draft has:pin");
        assert_eq!(words, ["key", "CSV", "rows", "without", "id"]);
        assert_eq!(those_in(&words, "Did you see: csv, keys and idempotent ROWS"), ["key", "CSV", "rows"]);
        assert_eq!(
            (refused("csv -draft - x"), without_refused("csv -draft")),
            (vec!["draft".to_owned()], "csv".to_owned())
        );
        assert!(those_in(&["Malmo".to_owned()], "Zähler in Malmö").len() == 1);
    }
}
