//! People mentioned in a text that is written: `@name` becomes the address of the person's profile, which
//! is what notifies (linear.app/developers: a plain address of a profile in Markdown is a mention of the
//! person; `@name` alone is text).

use std::{collections::HashSet, ops::Range};

use connector::{
    Result,
    catalog::{markdown, words},
};

use super::{Entry as _, Names, find, is_uuid};
use crate::api::names::Person;

/// A text with its mentions as Linear takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mentioned {
    /// What is sent.
    pub(crate) text: String,
    /// Whom it notifies, and which mentions notify nobody: a line for each kind.
    pub(crate) lines: Vec<String>,
}

impl Names {
    /// `text` with the mentions that are new in it, compared with what was there `before`, turned into what
    /// notifies.
    ///
    /// # Errors
    /// Whatever reading the people gives; `invalid_argument` for more names than can be looked up. A name that means
    /// nobody or several is no error, but told.
    pub(crate) async fn mentions(&self, text: &str, before: &str) -> Result<Mentioned> {
        if !text.contains('@') && !text.contains("/profiles/") {
            return Ok(Mentioned { text: text.to_owned(), lines: Vec::new() });
        }
        markdown::few_mentions(text, before, in_display_name)?;
        let mut people: Vec<Person> = self.all().await?;
        people.retain(|person| !person.url.is_empty());
        let (active, disabled): (Vec<_>, Vec<_>) = people.into_iter().partition(Person::is_active);
        Ok(mentions(text, before, &active, &disabled))
    }
}

fn mentions(text: &str, before: &str, people: &[Person], disabled: &[Person]) -> Mentioned {
    let changed = changed(text, before);
    let told_before: HashSet<String> =
        markdown::mentioned(before, "", in_display_name).iter().map(|name| name.to_lowercase()).collect();
    let addressed_before = addressed(before, people);
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    let mut notified: Vec<String> = Vec::new();
    let (mut nobody, mut several, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for mention in markdown::mentions(text, in_display_name) {
        let is_new = changed.start <= mention.place.start && mention.place.end <= changed.end;
        if !is_new || told_before.contains(&mention.name.to_lowercase()) || mention.place.start < end {
            continue;
        }
        let (person, place) = match full_name(text, mention.place.start, people) {
            Some((person, place)) => (Ok(person), place),
            None => (find(&format!("@{}", mention.name), people), mention.place.clone()),
        };
        match person {
            // An id or the beginning of a name is no name that people call each other by.
            Ok(person) if is_called(person, mention.name) || place != mention.place => {
                out.push_str(&text[end..place.start]);
                out.push_str(&person.url);
                end = place.end;
                // Who was mentioned before is not told again.
                if !addressed_before.contains(person.url.as_str()) {
                    note(&mut notified, person.describe());
                }
            }
            Err(miss) if !miss.is_unknown() => note(&mut several, format!("@{}", mention.name)),
            _ => match find(&format!("@{}", mention.name), disabled) {
                Ok(person) if is_called(person, mention.name) => note(&mut gone, person.describe()),
                _ => note(&mut nobody, format!("@{}", mention.name)),
            },
        }
    }
    out.push_str(&text[end..]);
    // Who is mentioned by address in the text as it was given.
    let addressed = addressed(text, people);
    for person in people.iter().filter(|person| addressed.contains(person.url.as_str())) {
        if !addressed_before.contains(person.url.as_str()) {
            note(&mut notified, person.describe());
        }
    }
    let mut lines = Vec::new();
    if !notified.is_empty() {
        lines.push(format!("notifies {}", words::listed(&notified, PEOPLE)));
    }
    if !several.is_empty() {
        lines.push(format!(
            "notifies nobody: {}, which fits several people; write the display name",
            words::listed(&several, PEOPLE)
        ));
    }
    if !gone.is_empty() {
        let is = if gone.len() == 1 { "is" } else { "are" };
        lines.push(format!("notifies nobody: {}, who {is} disabled", words::listed(&gone, PEOPLE)));
    }
    if !nobody.is_empty() {
        lines.push(format!(
            "notifies nobody: {}, which is nobody's name here",
            words::listed(&nobody, PEOPLE)
        ));
    }
    Mentioned { text: out, lines }
}

/// The most people that a line names.
const PEOPLE: usize = 20;

/// Adds what is not there yet.
fn note(list: &mut Vec<String>, line: String) {
    if !list.contains(&line) {
        list.push(line);
    }
}

/// Whether `name` is a person's display name, or the first name of just this one, as [`find`] made sure.
fn is_called(person: &Person, name: &str) -> bool {
    !is_uuid(name)
        && (person.is_called(name)
            || person
                .name
                .split_whitespace()
                .next()
                .is_some_and(|first| first.to_lowercase() == name.to_lowercase()))
}

/// The one person whose full name of several words stands after the `@` at `at`, and its place with the `@`.
fn full_name<'a>(text: &str, at: usize, people: &'a [Person]) -> Option<(&'a Person, Range<usize>)> {
    let rest = &text[at + 1..];
    let stands = |person: &&Person| {
        let name = person.name.trim();
        name.contains(' ')
            && rest.get(..name.len()).is_some_and(|words| words.to_lowercase() == name.to_lowercase())
            && !rest[name.len()..].starts_with(in_display_name_only)
    };
    let mut found = people.iter().filter(stands);
    match (found.next(), found.next()) {
        (Some(person), None) => Some((person, at..at + 1 + person.name.trim().len())),
        _ => None,
    }
}

/// Which of the people's addresses stand in the prose of `text`, whole: not as the beginning of a longer one.
fn addressed<'a>(text: &str, people: &'a [Person]) -> HashSet<&'a str> {
    let urls: HashSet<&str> = people.iter().map(|person| person.url.as_str()).collect();
    // All people of a workspace have theirs below one address.
    let below = |url: &'a str| url.rfind('/').map(|at| &url[..=at]);
    let places: HashSet<&str> = urls.iter().filter_map(|url| below(url)).collect();
    let mut found = HashSet::new();
    for prose in markdown::prose(text).into_iter().map(|part| &text[part]) {
        for (at, place) in places.iter().flat_map(|place| prose.match_indices(place)) {
            let name = &prose[at + place.len()..];
            let url = &prose[at..at + place.len() + name_length(name)];
            found.extend(urls.get(url).filter(|_| !prose[at + url.len()..].starts_with('/')));
        }
    }
    found
}

/// How long the name is that `text` begins with, as the last part of an address. A full stop belongs to it if more
/// follows.
fn name_length(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let goes_on = c == '.' && chars.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if !(c.is_alphanumeric() || "-_".contains(c) || goes_on) {
            return at;
        }
    }
    text.len()
}

/// What of `text` is not as it was `before`: all but a common beginning and a common end.
fn changed(text: &str, before: &str) -> Range<usize> {
    let start: usize =
        text.chars().zip(before.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
    let (rest, old) = (&text[start..], &before[start..]);
    let end: usize = rest
        .chars()
        .rev()
        .zip(old.chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(c, _)| c.len_utf8())
        .sum();
    // A name that was changed in part is new as a whole.
    let word = |c: char| in_display_name(c) || c == '@';
    let start = text[..start].trim_end_matches(word).len();
    let after = &text[text.len() - end..];
    let end = text.len() - after.trim_start_matches(word).len();
    start..end
}

/// Whether Linear allows a character in a display name.
fn in_display_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// The same without the dot, which may end a sentence.
fn in_display_name_only(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Vec<Person> {
        [
            ("priya", "Priya Raman"),
            ("jonas", "Jonas Weber"),
            ("jonas.lindgren", "Jonas Lindgren"),
            ("d.novak", "Daniel Novák"),
        ]
        .map(|(display_name, name)| Person {
            id: format!("00000000-0000-4000-8000-{:012}", name.len()),
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            url: format!("https://linear.app/acme/profiles/{display_name}"),
            ..Person::default()
        })
        .into()
    }

    fn sent(text: &str, before: &str) -> String {
        mentions(text, before, &people(), &[]).text.replace("https://linear.app/acme/profiles/", "→")
    }

    #[test]
    fn a_mention_becomes_the_address_of_the_profile() {
        for (text, becomes) in [
            ("@priya", "→priya"),
            ("Ask @Priya, or (@jonas.lindgren).", "Ask →priya, or (→jonas.lindgren)."),
            ("@Priya Raman and @daniel novák: look", "→priya and →d.novak: look"),
            ("@Daniel, @daniel!", "→d.novak, →d.novak!"),
            ("@jonas", "→jonas"),
        ] {
            assert_eq!(sent(text, ""), becomes, "{text}");
        }
    }

    #[test]
    fn code_addresses_and_names_that_mean_nobody_or_several_stay_as_they_are() {
        for text in [
            "`@priya` and\n```\n@priya\n```\n",
            "priya@acme.example, mail@priya.example",
            "https://example.com/@priya",
            "@pri @jon @nobody @00000000-0000-4000-8000-000000000011",
        ] {
            assert_eq!(sent(text, ""), text);
        }
        let told = mentions("@priya @jon @jon @nobody", "", &people(), &[]).lines;
        assert_eq!(
            told,
            [
                "notifies @priya (Priya Raman)",
                "notifies nobody: @jon, which fits several people; write the display name",
                "notifies nobody: @nobody, which is nobody's name here",
            ]
        );
        let (active, disabled) = (&people()[1..], &people()[..1]);
        let told = mentions("@priya", "", active, disabled).lines;
        assert_eq!(told, ["notifies nobody: @priya (Priya Raman), who is disabled"]);
        let given = mentions("https://linear.app/acme/profiles/jonas.lindgren", "", &people(), &[]);
        assert_eq!(given.lines, ["notifies @jonas.lindgren (Jonas Lindgren)"]);
    }

    #[test]
    fn only_what_is_new_in_a_text_is_a_new_mention() {
        let before = "@priya wrote this. End with https://linear.app/acme/profiles/jonas";
        let after = "@priya wrote this. @d.novak too. End with https://linear.app/acme/profiles/jonas";
        let now = mentions(after, before, &people(), &[]);
        assert_eq!(now.text, after.replace("@d.novak", "https://linear.app/acme/profiles/d.novak"));
        assert_eq!(now.lines, ["notifies @d.novak (Daniel Novák)"]);
        assert_eq!(sent("for @jonas.lindgren", "for @jonas"), "for →jonas.lindgren");
        assert_eq!(mentions(before, before, &people(), &[]).lines, [""; 0]);
        let before = "https://linear.app/acme/profiles/jonas, please";
        let again = mentions("@jonas, again", before, &people(), &[]);
        assert!(again.lines.is_empty() && again.text.ends_with("/jonas, again"), "{again:?}");
    }
}
