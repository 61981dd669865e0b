//! Properties whose values no agent may see, by patterns of their names.

use connector::{Error, Kind, Result};
use fast_glob::glob_match;

/// The properties whose values are not shown, nor filtered or grouped by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redacted(Vec<String>);

impl Redacted {
    /// Those of `names` that are redacted.
    pub(crate) fn of<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        names.iter().copied().filter(|name| self.hides(name)).collect()
    }

    /// Names in which `*` stands for any characters.
    pub(crate) fn new(patterns: &[String]) -> Self {
        Self(
            patterns
                .iter()
                .map(|pattern| pattern.trim().to_lowercase())
                .filter(|pattern| !pattern.is_empty())
                .collect(),
        )
    }

    pub(crate) fn hides(&self, property: &str) -> bool {
        self.0.iter().any(|pattern| glob_match(pattern, property.to_lowercase()))
    }

    /// Refuses a search by what may not be seen: it would tell the value bit by bit.
    ///
    /// # Errors
    /// `policy`.
    pub(crate) fn admits(&self, property: &str) -> Result<()> {
        if !self.hides(property) {
            return Ok(());
        }
        Err(Error::new(
            Kind::Policy,
            format!("`{property}` is redacted on this server and cannot be searched by"),
        )
        .with_hint("Whoever runs the server can change HUBSPOT_REDACT"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hidden_by_patterns() {
        let redacted = Redacted::new(&["birth_*".to_owned(), "*salary*".to_owned(), "phone".to_owned()]);
        let hidden = ["birth_number", "Annual_Salary_EUR", "phone"];
        assert!(hidden.iter().all(|name| redacted.hides(name)));
        assert!(["birthday", "mobilephone", "email"].iter().all(|name| !redacted.hides(name)));
    }
}
