//! A repository, as people name it.

use std::fmt;

use connector::{Error, Result, catalog::one_line};

/// A repository, by its owner and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Repo {
    pub(crate) owner: String,
    pub(crate) name: String,
}

impl Repo {
    /// Reads `owner/name`, an address of a web page (`https://github.com/owner/name/pull/12`), or one of
    /// git (`git@github.com:owner/name.git`).
    ///
    /// # Errors
    /// `invalid_argument` for anything else.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let wrong = || {
            Error::invalid(format!("`{}` names no repository", one_line(text)))
                .with_hint("Write it as owner/name, such as octocat/hello-world")
        };
        let path = if let Some((_, rest)) = text.split_once("://") {
            rest.split_once('/').map(|(_, path)| path)
        } else if let Some((host, path)) = text.split_once(':') {
            host.contains('@').then_some(path)
        } else {
            Some(text)
        };
        let is_address = text.contains(':');
        let mut parts = path.ok_or_else(wrong)?.trim_matches('/').split('/');
        let (Some(owner), Some(name)) = (parts.next(), parts.next()) else { return Err(wrong()) };
        let name = if is_address { name.strip_suffix(".git").unwrap_or(name) } else { name };
        let name = name.split(['?', '#']).next().unwrap_or_default();
        if (!is_address && parts.next().is_some()) || !is_name(owner) || !is_name(name) {
            return Err(wrong());
        }
        Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
    }

    /// Names of one repository differ in case only, for GitHub.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.owner.eq_ignore_ascii_case(&other.owner) && self.name.eq_ignore_ascii_case(&other.name)
    }

    /// The tag under which cached answers about it are invalidated.
    pub(crate) fn tag(&self) -> String {
        format!("repo:{self}").to_lowercase()
    }
}

/// Whether `text` can be an owner's or a repository's name.
pub(crate) fn is_name(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() <= 100 && text != "." && text != ".." && text.chars().all(good)
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_named_as_people_name_them() {
        for text in [
            "octo/cat.js",
            " octo/cat.js ",
            "https://github.com/octo/cat.js",
            "https://github.com/octo/cat.js/pull/12#discussion_r1",
            "https://github.com/octo/cat.js.git",
            "git@github.com:octo/cat.js.git",
            "ssh://git@github.com/octo/cat.js.git",
        ] {
            assert_eq!(Repo::parse(text).unwrap().to_string(), "octo/cat.js", "{text}");
        }
        for text in
            ["octo", "", "octo/", "/cat", "octo/cat/tree", "octo/..", "../cat", "a b/c", "octo/c%2Fd", "x:y"]
        {
            assert!(Repo::parse(text).is_err(), "{text}");
        }
    }
}
