//! The values that a prompt, a resource of a family or a completion is given, by their names.

use std::{collections::BTreeMap, ops::Deref};

use super::one_line;
use crate::{Error, Result};

/// The arguments of a prompt, or what the variables of an address stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The value of `name` without space around it; empty if it is not given.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.given(name).unwrap_or_default()
    }

    /// The value of `name`, if it is given and says something.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The number that `name` stands for; a `#` before it does no harm.
    ///
    /// # Errors
    /// `invalid_argument` if it is none.
    pub fn number(&self, name: &str) -> Result<u64> {
        let text = self.text(name);
        text.trim_start_matches('#')
            .parse()
            .map_err(|_| Error::invalid(format!("`{name}`: {} is no number", one_line(text))))
    }

    /// Sets a value.
    pub(super) fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }
}

impl Deref for Variables {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<BTreeMap<String, String>> for Variables {
    fn from(values: BTreeMap<String, String>) -> Self {
        Self(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_people_write_them() {
        let values = [("team", " ENG "), ("number", "#12"), ("since", " ")];
        let values: BTreeMap<_, _> =
            values.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let values = Variables::from(values);
        assert_eq!((values.text("team"), values.number("number").unwrap()), ("ENG", 12));
        assert_eq!((values.given("since"), values.text("other")), (None, ""));
        let error = values.number("team").unwrap_err().for_agent();
        assert!(error.contains("`team`: ENG is no number"), "{error}");
    }
}
