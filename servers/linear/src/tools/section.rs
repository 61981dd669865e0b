//! Sections of a Markdown text, found by their headings.

use connector::{
    Error, Result,
    catalog::{nearest, one_line},
};

/// How many headings an error lists.
const LISTED: usize = 20;

/// A heading, where its section begins and how deep it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Heading<'a> {
    /// 1 for `#`, 6 for `######`.
    level: usize,
    title: &'a str,
    start: usize,
}

/// The section of `text` under the heading `wanted`: the heading and all that follows, up to the next
/// heading of the same or a higher level. Upper and lower case are the same; a heading may be named by
/// its beginning, if only one begins so.
///
/// # Errors
/// `not_found` listing the headings there are; `invalid_argument` if several begin with `wanted`.
pub(super) fn section<'a>(text: &'a str, wanted: &str) -> Result<&'a str> {
    let headings = headings(text);
    let key = normal(wanted);
    let exact = headings.iter().position(|heading| normal(heading.title) == key);
    let found = match exact {
        Some(found) => found,
        None => {
            let begins: Vec<_> = (0..headings.len())
                .filter(|at| !key.is_empty() && normal(headings[*at].title).starts_with(&key))
                .collect();
            match begins.as_slice() {
                [found] => *found,
                [] => return Err(missing(wanted, &headings)),
                several => {
                    let titles: Vec<_> =
                        several.iter().map(|at| format!("\"{}\"", short(headings[*at].title))).collect();
                    return Err(Error::invalid(format!(
                        "Several headings begin with \"{}\": {}",
                        one_line(wanted),
                        titles.join(", ")
                    ))
                    .with_hint("Give one of them in full as `section`"));
                }
            }
        }
    };
    let heading = headings[found];
    let end = headings[found + 1..]
        .iter()
        .find(|next| next.level <= heading.level)
        .map_or(text.len(), |next| next.start);
    Ok(text[heading.start..end].trim_end())
}

/// The headings of `text` in order, indented by their level, for a table of contents.
pub(super) fn contents(text: &str) -> Vec<String> {
    headings(text)
        .iter()
        .map(|heading| format!("{}{}", "  ".repeat(heading.level - 1), one_line(heading.title)))
        .collect()
}

fn missing(wanted: &str, headings: &[Heading<'_>]) -> Error {
    let error = Error::not_found(format!("The document has no heading \"{}\"", one_line(wanted)));
    if headings.is_empty() {
        return error.with_hint("It has no headings at all: read it without `section`");
    }
    if let Some(near) = nearest(wanted, headings.iter().map(|heading| heading.title)) {
        return error.with_hint(format!("Did you mean \"{}\"?", short(near)));
    }
    let titles: Vec<_> = headings.iter().take(LISTED).map(|heading| short(heading.title)).collect();
    let more = headings.len().saturating_sub(LISTED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    error.with_hint(format!("Its headings: {}{more}", titles.join(", ")))
}

/// A title as an error shows it.
fn short(title: &str) -> String {
    one_line(title).chars().take(80).collect()
}

/// ATX headings outside of fenced code.
fn headings(text: &str) -> Vec<Heading<'_>> {
    let mut headings = Vec::new();
    let mut fence: Option<&str> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        let mark = ["```", "~~~"].into_iter().find(|mark| content.starts_with(mark));
        match (fence, mark) {
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, Some(mark)) => fence = Some(mark),
            (None, None) => {
                let level = content.bytes().take_while(|byte| *byte == b'#').count();
                if (1..=6).contains(&level)
                    && let Some(title) = content[level..].strip_prefix([' ', '\t'])
                {
                    headings.push(Heading { level, title: title.trim().trim_end_matches('#').trim(), start });
                }
            }
            (Some(_), _) => {}
        }
        start += line.len();
    }
    headings
}

/// A heading as it is compared: without marks of emphasis, case and runs of spaces.
fn normal(title: &str) -> String {
    let plain = title.trim().trim_start_matches('#').replace(['*', '_', '`'], "");
    plain.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
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
    fn an_unknown_section_names_the_headings_there_are() {
        let error = section(TEXT, "budget").unwrap_err().for_agent();
        assert!(error.contains("Plan, Step **one**, Step two, Risks"), "{error}");
        let error = section(TEXT, "step").unwrap_err().for_agent();
        assert!(error.contains("Several headings"), "{error}");
        assert!(section("no headings", "x").unwrap_err().for_agent().contains("no headings at all"));
    }

    #[test]
    fn contents_show_the_levels() {
        assert_eq!(contents(TEXT), ["Plan", "  Step **one**", "  Step two", "Risks"]);
    }
}
