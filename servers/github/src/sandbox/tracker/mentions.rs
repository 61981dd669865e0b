//! What a text names: people, other issues, and issues that it closes.

use std::sync::LazyLock;

use regex_lite::Regex;

/// The words that close an issue on merging (docs.github.com, "Linking a pull request to an issue using a
/// keyword").
static CLOSES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:([\w.-]+/[\w.-]+))?#(\d+)").ok()
});
static NAMES: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|[\s(\[,:])(?:([\w.-]+/[\w.-]+))?#(\d+)\b").ok());
static PEOPLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|[^\w`/@.])@([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))").ok());

/// An issue that a text names: `owner/name` if it stands there, and the number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) repo: Option<String>,
    pub(super) number: u64,
}

/// The issues that a text closes once it is merged.
pub(super) fn closes(text: &str) -> Vec<Named> {
    named(CLOSES.as_ref(), text)
}

/// The issues that a text names.
pub(super) fn issues(text: &str) -> Vec<Named> {
    named(NAMES.as_ref(), text)
}

/// The people that a text names with `@`.
pub(super) fn people(text: &str) -> impl Iterator<Item = &str> {
    let pattern = PEOPLE.as_ref().filter(|_| text.contains('@'));
    let found = pattern.map(|pattern| pattern.captures_iter(text));
    found.into_iter().flatten().filter_map(|found| found.get(1)).map(|name| name.as_str())
}

fn named(pattern: Option<&Regex>, text: &str) -> Vec<Named> {
    // Most texts name none, and to look for the sign is much quicker than to match.
    let Some(pattern) = pattern.filter(|_| text.contains('#')) else { return Vec::new() };
    let mut all: Vec<Named> = Vec::new();
    for found in pattern.captures_iter(text) {
        let repo = found.get(1).map(|repo| repo.as_str().to_owned());
        let Some(number) = found.get(2).and_then(|number| number.as_str().parse().ok()) else { continue };
        let one = Named { repo, number };
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(number: u64) -> Named {
        Named { repo: None, number }
    }

    #[test]
    fn the_keywords_of_the_docs_close_and_others_do_not() {
        assert_eq!(closes("Fixes #471 and closes: #3, see #5"), [here(471), here(3)]);
        let far = Named { repo: Some("octo-org/octo-repo".to_owned()), number: 100 };
        assert_eq!(closes("RESOLVED octo-org/octo-repo#100"), [far]);
        assert_eq!(closes("prefixes #4, fixed in #5 days"), []);
    }

    #[test]
    fn names_of_issues_and_people_are_found_where_they_stand_alone() {
        assert_eq!(
            issues("#1 (#2), a#3 o/r#4"),
            [here(1), here(2), Named { repo: Some("o/r".to_owned()), number: 4 }]
        );
        assert_eq!(people("@maya, a@b.example and (@tomas) `@x`").collect::<Vec<_>>(), ["maya", "tomas"]);
    }
}
