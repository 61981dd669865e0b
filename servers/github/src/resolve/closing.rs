//! The issues that a pull request closes by the words of its text.

use std::sync::LazyLock;

use connector::catalog::{markdown, one_line};
use futures::future::join_all;
use regex_lite::Regex;

use super::reference;
use crate::{GitHub, repo::Repo};

/// A word that closes, and the issue (docs.github.com, "Linking a pull request to an issue using a keyword").
static CLOSES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = r"(?:close[sd]?|fix(?:es|ed)?|resolve[sd]?)";
    let named = r"((?:[\w.-]+/[\w.-]+)?#\d+)";
    Regex::new(&format!(r"(?i)\b{words}:?\s+{named}")).ok()
});
/// Issues that are looked up, at most.
const MOST: usize = 10;

/// What merging into `base` closes by the words of `text`, a line for each issue.
pub(crate) async fn told(
    server: &GitHub,
    repo: &Repo,
    text: &str,
    base: &str,
    default: Option<&str>,
) -> Vec<String> {
    let mut found = named(server, repo, text);
    if found.is_empty() {
        return Vec::new();
    }
    found.truncate(MOST);
    let name = |place: &Repo, number: u64| reference::name(&place.to_string(), &number.to_string(), repo);
    if default.is_some_and(|default| default != base) {
        let all: Vec<_> = found.iter().map(|(place, number)| name(place, *number)).collect();
        let default = one_line(default.unwrap_or_default());
        return vec![format!("does not close {}: only a merge into {default} does", all.join(", "))];
    }
    let asked = found.iter().map(|(place, number)| async move {
        let issue = server.api().rest_issue(place, *number).await;
        let name = name(place, *number);
        match issue {
            Ok(issue) if issue.is_pull() => format!("does not close {name}, which is a pull request"),
            Ok(issue) if issue.state() == "closed" => format!("closes {name}, which is closed already"),
            Ok(_) => format!("closes {name} when it is merged"),
            Err(_) => format!("closes {name} when it is merged, if there is one"),
        }
    });
    join_all(asked).await
}

/// The issues within reach that `text` names behind a word that closes.
fn named(server: &GitHub, repo: &Repo, text: &str) -> Vec<(Repo, u64)> {
    let mut found: Vec<(Repo, u64)> = Vec::new();
    let Some(closes) = CLOSES.as_ref() else { return found };
    let all = markdown::prose(text).into_iter().flat_map(|part| closes.captures_iter(&text[part]));
    for named in all.filter_map(|capture| Some(capture.get(1)?.as_str())) {
        let Ok((place, number)) = reference::parse("body", named, repo) else { continue };
        let is_new = !found.iter().any(|(other, same)| other.is(&place) && *same == number);
        if is_new && server.bounds().sees(&place.to_string()) {
            found.push((place, number));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_githubs() {
        let found = |text: &str| -> Vec<String> {
            let closes = CLOSES.as_ref().unwrap();
            closes.captures_iter(text).map(|capture| capture[1].to_owned()).collect()
        };
        assert_eq!(
            found("Fixes #1, closes: octo/dog#2\nRESOLVED #3. Prefixes #4, see #5, fix 6, closing #7"),
            ["#1", "octo/dog#2", "#3"]
        );
    }
}
