//! References to other issues, as people write them: `#12`, `owner/name#12`, an address.

use connector::{Error, Result, catalog::one_line};

use crate::repo::Repo;

/// The branch that `text` names: its name, or its full ref.
pub(crate) fn branch(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("refs/heads/").unwrap_or(text)
}

/// The issue or pull request that `text` names; one without a repository lies in `home`.
///
/// # Errors
/// `invalid_argument` if it names none.
pub(crate) fn parse(argument: &str, text: &str, home: &Repo) -> Result<(Repo, u64)> {
    let wrong = || {
        Error::invalid(format!("`{argument}`: `{}` names no issue", one_line(text)))
            .with_hint("Write #12, owner/name#12 or the issue's address")
    };
    let text = text.trim();
    if let Some((_, path)) = text.split_once("://") {
        let mut parts = path.split(['/', '?', '#']).skip(3);
        let (Some("issues" | "pull"), Some(number)) = (parts.next(), parts.next()) else {
            return Err(wrong());
        };
        return Ok((Repo::parse(text)?, number.parse().map_err(|_| wrong())?));
    }
    let (repo, number) = text.split_once('#').unwrap_or(("", text));
    let number: u64 = number.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    let repo = if repo.is_empty() { home.clone() } else { Repo::parse(repo).map_err(|_| wrong())? };
    Ok((repo, number))
}

/// How an issue is named beside others of `home`: `#12`, or `owner/name#12` elsewhere.
pub(crate) fn name(repo: &str, number: &str, home: &Repo) -> String {
    if repo.is_empty() || repo.eq_ignore_ascii_case(&home.to_string()) {
        format!("#{number}")
    } else {
        format!("{}#{number}", one_line(repo))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_is_named_as_people_name_it() {
        let home = Repo::parse("octo/cat").unwrap();
        let read = |text: &str| parse("target", text, &home).map(|(repo, number)| format!("{repo} {number}"));
        for (text, meant) in [
            ("#12", "octo/cat 12"),
            ("12", "octo/cat 12"),
            ("octo/dog#7", "octo/dog 7"),
            ("https://github.com/octo/dog/issues/7#issuecomment-1", "octo/dog 7"),
            ("https://github.com/octo/dog/pull/7/files", "octo/dog 7"),
        ] {
            assert_eq!(read(text).unwrap(), meant);
        }
        for text in ["", "#", "#0", "cat#1", "octo/cat", "https://github.com/octo/dog", "#-1", "1.5"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(name("Octo/Cat", "3", &home), "#3");
        assert_eq!(name("octo/dog", "3", &home), "octo/dog#3");
    }
}
