//! Markdown as far as tools look into it: its headings and the sections under them, what of it is
//! code, and whom it mentions. Each looks at a text once, from its beginning to its end.

use std::{collections::HashMap, collections::HashSet, ops::Range};

use super::{names::nearest, one_line, thousands, words};
use crate::{Error, Result};

/// How many headings an error lists.
const LISTED: usize = 20;
/// Characters of a title that an error shows.
const SHOWN: usize = 80;

/// The most names that are looked up for one text.
const MOST_NAMES: usize = 200;

/// A heading, where its section begins and how deep it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading<'a> {
    /// 1 for `#`, 6 for `######`.
    pub level: usize,
    /// What it says, without the marks around it.
    pub title: &'a str,
    /// Its section in the text: the heading and all that follows, up to the next heading of the same
    /// or a higher level.
    pub section: Range<usize>,
}

/// The headings of `text`: those written with `#`, outside of fenced code.
#[must_use]
pub fn headings(text: &str) -> Vec<Heading<'_>> {
    let mut headings: Vec<Heading<'_>> = Vec::new();
    // Places in `headings` of those whose sections are not closed yet, the deepest last.
    let mut open: Vec<usize> = Vec::new();
    for line in Lines::new(text) {
        if line.is_code {
            continue;
        }
        let content = line.text.trim();
        let level = content.bytes().take_while(|byte| *byte == b'#').count();
        let Some(title) = content[level..].strip_prefix([' ', '\t']).filter(|_| (1..=6).contains(&level))
        else {
            continue;
        };
        while let Some(last) = open.pop_if(|last| headings[*last].level >= level) {
            headings[last].section.end = line.start;
        }
        open.push(headings.len());
        let title = title.trim().trim_end_matches('#').trim();
        headings.push(Heading { level, title, section: line.start..text.len() });
    }
    headings
}

/// The section of `text` under the heading `wanted`. Upper and lower case are the same; a heading may
/// be named by its beginning, if only one begins so.
///
/// # Errors
/// `not_found` listing the headings there are; `invalid_argument` if several begin with `wanted`.
pub fn section<'a>(text: &'a str, wanted: &str) -> Result<&'a str> {
    let headings = headings(text);
    let key = plain(wanted);
    let titles: Vec<String> = headings.iter().map(|heading| plain(heading.title)).collect();
    let found = match titles.iter().position(|title| *title == key) {
        Some(found) => found,
        None => {
            let begins = |title: &String| !key.is_empty() && title.starts_with(&key);
            let begins: Vec<_> = (0..titles.len()).filter(|at| begins(&titles[*at])).collect();
            match begins.as_slice() {
                [found] => *found,
                [] => return Err(no_section(wanted, &headings)),
                several => {
                    let titles: Vec<_> = several
                        .iter()
                        .take(LISTED)
                        .map(|at| format!("\"{}\"", words::short(headings[*at].title, SHOWN)))
                        .collect();
                    return Err(Error::invalid(format!(
                        "{} headings begin with \"{}\": {}",
                        several.len(),
                        words::short(wanted, SHOWN),
                        titles.join(", ")
                    ))
                    .with_hint("Give one of them in full as `section`"));
                }
            }
        }
    };
    Ok(text[headings[found].section.clone()].trim_end())
}

/// The headings of `text` in order, indented by their level, for a table of contents.
#[must_use]
pub fn contents(text: &str) -> Vec<String> {
    headings(text)
        .iter()
        .map(|heading| format!("{}{}", "  ".repeat(heading.level - 1), one_line(heading.title)))
        .collect()
}

fn no_section(wanted: &str, headings: &[Heading<'_>]) -> Error {
    let error = Error::not_found(format!("The text has no heading \"{}\"", words::short(wanted, SHOWN)));
    if headings.is_empty() {
        return error.with_hint("It has no headings at all: read it without `section`");
    }
    if let Some(near) = nearest(wanted, headings.iter().map(|heading| heading.title)) {
        return error.with_hint(format!("Did you mean \"{}\"?", words::short(near, SHOWN)));
    }
    let titles: Vec<_> = headings.iter().map(|heading| words::short(heading.title, SHOWN)).collect();
    error.with_hint(format!("Its headings: {}", words::listed(&titles, LISTED)))
}

/// A heading as it is compared: without marks of emphasis, case and runs of spaces.
fn plain(title: &str) -> String {
    let plain = title.trim().trim_start_matches('#').replace(['*', '_', '`'], "");
    plain.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// A line of a text, with its line break.
#[derive(Clone, Copy, Debug)]
struct Line<'a> {
    text: &'a str,
    start: usize,
    /// Whether it is fenced code, or one of the fences around it.
    is_code: bool,
}

/// The lines of a Markdown text, told apart into code and prose by its fences.
struct Lines<'a> {
    rest: &'a str,
    start: usize,
    /// The mark of the fence that is open, and its length.
    fence: Option<(u8, usize)>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text, start: 0, fence: None }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let end = match self.rest.find('\n') {
            Some(end) => end + 1,
            None if self.rest.is_empty() => return None,
            None => self.rest.len(),
        };
        let (text, rest) = self.rest.split_at(end);
        let start = self.start;
        (self.rest, self.start) = (rest, start + end);
        let content = text.trim();
        let mark = content.bytes().next().filter(|byte| matches!(byte, b'`' | b'~'));
        let length = mark.map_or(0, |mark| content.bytes().take_while(|byte| *byte == mark).count());
        let after = &content[length..];
        let is_code = match (self.fence, mark) {
            // A fence is closed by one of its kind that is at least as long, with nothing after it.
            (Some((open, least)), mark) => {
                if mark == Some(open) && length >= least && after.is_empty() {
                    self.fence = None;
                }
                true
            }
            (None, Some(mark)) if length >= 3 && (mark == b'~' || !after.contains('`')) => {
                self.fence = Some((mark, length));
                true
            }
            (None, _) => false,
        };
        Some(Line { text, start, is_code })
    }
}

/// Where `text` is prose: outside of fenced code and of code between back-ticks.
#[must_use]
pub fn prose(text: &str) -> Vec<Range<usize>> {
    let mut prose = Vec::new();
    let mut paragraph: Option<Range<usize>> = None;
    for line in Lines::new(text) {
        let end = line.start + line.text.len();
        if line.is_code || line.text.trim().is_empty() {
            if let Some(paragraph) = paragraph.take() {
                outside_back_ticks(text, paragraph, &mut prose);
            }
        } else {
            paragraph.get_or_insert(line.start..end).end = end;
        }
    }
    if let Some(paragraph) = paragraph {
        outside_back_ticks(text, paragraph, &mut prose);
    }
    prose
}

/// Adds what of a paragraph stands outside of back-ticks: code begins at a run of them, and ends at
/// the next run of the same length.
fn outside_back_ticks(text: &str, paragraph: Range<usize>, prose: &mut Vec<Range<usize>>) {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, _) in text[paragraph.clone()].match_indices('`') {
        let at = paragraph.start + at;
        match runs.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    // For each run the next of its length, found from the end so that each is looked at once.
    let mut closing = vec![None; runs.len()];
    let mut next: HashMap<usize, usize> = HashMap::new();
    for place in (0..runs.len()).rev() {
        closing[place] = next.insert(runs[place].len(), place);
    }
    let (mut start, mut place) = (paragraph.start, 0);
    while place < runs.len() {
        match closing[place] {
            Some(close) => {
                prose.push(start..runs[place].start);
                start = runs[close].end;
                place = close + 1;
            }
            None => place += 1,
        }
    }
    prose.push(start..paragraph.end);
}

/// Somebody mentioned in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention<'a> {
    /// Without the `@`.
    pub name: &'a str,
    /// Where it stands, with the `@`.
    pub place: Range<usize>,
}

/// Everybody whom `text` mentions, in order and as often as it does: `@` and a name of characters
/// that are `allowed` in one; not in code, and not in an e-mail address. A dot or another mark at the
/// end of a name belongs to the sentence.
#[must_use]
pub fn mentions(text: &str, allowed: fn(char) -> bool) -> Vec<Mention<'_>> {
    let mut found = Vec::new();
    for part in prose(text) {
        let mut before = text[..part.start].chars().next_back();
        let mut chars = text[part.clone()].char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c == '@' && before.is_none_or(|c| !(c.is_alphanumeric() || "_/.@-+`".contains(c))) {
                let mut end = at + 1;
                let mut last = c;
                while let Some((at, next)) = chars.next_if(|(_, c)| allowed(*c)) {
                    end = at + next.len_utf8();
                    last = next;
                }
                let start = part.start + at;
                let name = text[start + 1..part.start + end].trim_end_matches(|c: char| !c.is_alphanumeric());
                // An address such as `@a@b` mentions nobody here.
                let goes_on = chars.peek().is_some_and(|(_, c)| *c == '@');
                if name.starts_with(char::is_alphanumeric) && !goes_on {
                    found.push(Mention { name, place: start..start + 1 + name.len() });
                }
                before = Some(last);
            } else {
                before = Some(c);
            }
        }
    }
    found
}

/// The names of [`mentions`], each once, as they were first written, without those that the text
/// `before` mentioned: their people are not told again.
#[must_use]
pub fn mentioned<'a>(text: &'a str, before: &str, allowed: fn(char) -> bool) -> Vec<&'a str> {
    let mut seen: HashSet<String> =
        mentions(before, allowed).iter().map(|mention| mention.name.to_lowercase()).collect();
    mentions(text, allowed)
        .into_iter()
        .map(|mention| mention.name)
        .filter(|name| seen.insert(name.to_lowercase()))
        .collect()
}

/// Refuses a text with more new [`mentioned`] names than can be looked up: each is compared with everybody.
///
/// # Errors
/// `invalid_argument` if there are more than 200.
pub fn few_mentions(text: &str, before: &str, allowed: fn(char) -> bool) -> Result<()> {
    let names = mentioned(text, before, allowed).len();
    if names <= MOST_NAMES {
        return Ok(());
    }
    let names = thousands(names as u64);
    Err(Error::invalid(format!("The text mentions {names} names; at most {MOST_NAMES} can be looked up"))
        .with_hint("Write them without the @, or in parts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "intro\n# Plan\none\n## Step **one**\ntwo\n```\n# not a heading\n```\n## Step two\nthree\n# Risks\nfour\n";

    #[test]
    fn a_section_goes_to_the_next_heading_of_its_level() {
        assert_eq!(section(TEXT, "step one").unwrap(), "## Step **one**\ntwo\n```\n# not a heading\n```");
        assert!(section(TEXT, "plan").unwrap().ends_with("three"));
        assert_eq!(section(TEXT, "# Risks").unwrap(), "# Risks\nfour");
        assert_eq!(section(TEXT, "ris").unwrap(), "# Risks\nfour");
    }

    #[test]
    fn a_text_that_mentions_more_than_can_be_looked_up_is_refused() {
        let text = |names: usize| (0..names).map(|n| format!("@person{n} @priya\n")).collect::<String>();
        let refused = |text: &str, before: &str| few_mentions(text, before, char::is_alphanumeric).err();
        assert!(refused(&text(199), "").is_none());
        assert!(refused(&text(1_000), &text(900)).is_none(), "those of before are not looked up again");
        let error = refused(&text(100_000), "").expect("too many").for_agent();
        assert!(error.contains("100,001 names") && error.contains("at most 200"), "{error}");
    }

    #[test]
    fn an_unknown_section_names_the_headings_there_are() {
        let error = section(TEXT, "budget").unwrap_err().for_agent();
        assert!(error.contains("Plan, Step **one**, Step two, Risks"), "{error}");
        let error = section(TEXT, "step").unwrap_err().for_agent();
        assert!(error.contains("2 headings begin with \"step\""), "{error}");
        assert!(section("no headings", "x").unwrap_err().for_agent().contains("no headings at all"));
    }

    #[test]
    fn contents_show_the_levels() {
        assert_eq!(contents(TEXT), ["Plan", "  Step **one**", "  Step two", "Risks"]);
    }

    #[test]
    fn a_fence_is_closed_by_one_of_its_kind_at_least_as_long() {
        let text = "````md\n```\n# no\n```\n````\n# yes\n~~~\n# no\n```\n~~~ x\n# no\n~~~~\n# and yes\n``` a`b\n# too\n";
        assert_eq!(contents(text), ["yes", "and yes", "too"]);
    }

    fn login(c: char) -> bool {
        c.is_ascii_alphanumeric() || matches!(c, '-' | '/' | '.')
    }

    #[test]
    fn people_are_mentioned_but_not_in_code_or_addresses() {
        let text = "@tomas, see (@harbor/imports) and @Tomas.\nMail ops@harbor.example or `@decorator`, ``a ` @b``.\n\
            ```rust\n@not_this\n```\n@priya- @jonas.weber. `open @ben\nnobody@, @ and @@ @x@y";
        assert_eq!(mentioned(text, "", login), ["tomas", "harbor/imports", "priya", "jonas.weber", "ben"]);
        assert_eq!(mentioned("@ben @Ada", "thanks, @ada", login), ["ben"]);
        let first = &mentions(text, login)[0];
        assert_eq!(&text[first.place.clone()], "@tomas");
        assert_eq!(mentions(text, login)[2].name, "Tomas");
    }
}
