//! What an issue, and other things, are called in an argument: `ENG-12`, an id, an address. Whether an
//! address is one of this workspace is asked with [`workspace_of_url`] before it is read as a name.

use connector::{Error, Result, catalog::one_line};
use serde_json::{Value, json};
use url::Url;

/// An issue as it is named in an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IssueKey {
    /// Its UUID.
    Id(String),
    /// Its team's key and its number.
    Number(String, u64),
}

impl IssueKey {
    /// Reads `ENG-12`, a UUID, an address of Linear, or a bare number of the `default` team.
    ///
    /// # Errors
    /// [`connector::Kind::InvalidArgument`] for anything else.
    pub(crate) fn parse(wanted: &str, default: Option<&str>) -> Result<Self> {
        let wanted = wanted.trim().trim_start_matches('#');
        if is_uuid(wanted) {
            return Ok(Self::Id(wanted.to_lowercase()));
        }
        let from_url = part_of_url(wanted, "issue");
        let word = from_url.as_deref().unwrap_or(wanted);
        if let Some((team, number)) = word.split_once('-')
            && !team.is_empty()
            && team.len() <= 12
            && team.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && let Ok(number) = number.parse()
        {
            return Ok(Self::Number(team.to_ascii_uppercase(), number));
        }
        if let (Some(team), Ok(number)) = (default, word.parse())
            && !is_uuid(team)
        {
            return Ok(Self::Number(team.to_ascii_uppercase(), number));
        }
        Err(Error::invalid(format!("`{}` is not an issue", one_line(wanted)))
            .with_hint("Use an identifier such as ENG-12, the issue's address, or its UUID"))
    }

    /// What Linear accepts as the issue's id.
    pub(crate) fn to_id(&self) -> String {
        match self {
            Self::Id(id) => id.clone(),
            Self::Number(team, number) => format!("{team}-{number}"),
        }
    }

    /// An `IssueFilter` that finds it.
    pub(crate) fn to_filter(&self) -> Value {
        match self {
            Self::Id(id) => json!({"id": {"eq": id}}),
            Self::Number(team, number) => json!({"team": {"key": {"eq": team}}, "number": {"eq": number}}),
        }
    }
}

impl std::fmt::Display for IssueKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_id())
    }
}

/// Whether `text` is written like a UUID.
pub(crate) fn is_uuid(text: &str) -> bool {
    let text = text.trim();
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

fn url(text: &str) -> Option<Url> {
    Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "linear"))
}

/// Where an address leads: `linear.app/acme` for `https://linear.app/acme/issue/ENG-12/title` and for
/// `linear://acme/issue/ENG-12`, which opens the desktop application; another host for any other address.
/// `None` for what is no address.
pub(crate) fn workspace_of_url(text: &str) -> Option<String> {
    let url = url(text)?;
    let host = url.host_str().unwrap_or_default();
    let first = url.path_segments().and_then(|mut segments| segments.next()).unwrap_or_default();
    Some(match (url.scheme(), host) {
        (_, "linear.app") => format!("linear.app/{first}"),
        ("linear", workspace) => format!("linear.app/{workspace}"),
        (_, host) => host.to_owned(),
    })
}

/// The path segment after `kind` in an address of Linear: `https://linear.app/acme/issue/ENG-12/title`.
fn part_of_url(text: &str, kind: &str) -> Option<String> {
    let url = url(text)?;
    let mut segments = url.path_segments()?;
    segments.by_ref().find(|segment| *segment == kind)?;
    segments.next().filter(|segment| !segment.is_empty()).map(str::to_owned)
}

/// The id at the end of an address of a project, document or view:
/// `https://linear.app/acme/project/checkout-3f2a91b0c4d5/overview` gives `3f2a91b0c4d5`.
pub(crate) fn slug_of_url(text: &str, kind: &str) -> Option<String> {
    let part = part_of_url(text.trim(), kind)?;
    if is_uuid(&part) {
        return Some(part);
    }
    part.rsplit('-').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_is_named_in_many_ways() {
        let eng = IssueKey::Number("ENG".to_owned(), 12);
        for wanted in
            ["ENG-12", "eng-12", " ENG-12 ", "https://linear.app/acme/issue/ENG-12/some-title", "12", "#12"]
        {
            assert_eq!(IssueKey::parse(wanted, Some("ENG")).unwrap(), eng, "{wanted}");
        }
        assert_eq!(
            IssueKey::parse("6F9619FF-8B86-4D01-B42D-00CF4FC964FF", None).unwrap(),
            IssueKey::Id("6f9619ff-8b86-4d01-b42d-00cf4fc964ff".to_owned())
        );
        for wanted in ["12", "ENG", "", "ENG-", "ENG-x", "feature/eng-12-fix"] {
            assert!(IssueKey::parse(wanted, None).is_err(), "{wanted}");
        }
    }

    #[test]
    fn an_address_says_which_workspace_it_is_of() {
        for (text, workspace) in [
            ("https://linear.app/acme/issue/ENG-12/x", Some("linear.app/acme")),
            (" https://LINEAR.app/acme/project/x-1 ", Some("linear.app/acme")),
            ("linear://acme/issue/ENG-12", Some("linear.app/acme")),
            ("https://linear.app.evil.example/acme/issue/ENG-12", Some("linear.app.evil.example")),
            ("https://github.com/acme/shop/issues/12", Some("github.com")),
            ("ENG-12", None),
            ("note: linear.app/acme", None),
        ] {
            assert_eq!(workspace_of_url(text).as_deref(), workspace, "{text}");
        }
    }

    #[test]
    fn an_address_gives_the_id_at_its_end() {
        assert_eq!(
            slug_of_url("https://linear.app/acme/project/checkout-v2-3f2a91b0c4d5/overview", "project")
                .as_deref(),
            Some("3f2a91b0c4d5")
        );
        assert_eq!(slug_of_url("Checkout", "project"), None);
    }
}
