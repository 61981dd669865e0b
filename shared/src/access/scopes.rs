//! Scopes of a credential: which of them there are, which contain which, and whether they are enough.

use super::Capability;

/// A scope that contains others, with those right below it.
pub type Contains = (&'static str, &'static [&'static str]);

/// The scopes that a credential was granted, where the vendor tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    scopes: Vec<String>,
    contains: &'static [Contains],
}

impl Granted {
    /// The scopes that a credential was granted, and the vendor's word on which contain others.
    pub fn new(scopes: impl IntoIterator<Item = String>, contains: &'static [Contains]) -> Self {
        Self { scopes: scopes.into_iter().collect(), contains }
    }

    /// Whether one of `needed` is among them, or contained in one of them; or nothing is needed.
    #[must_use]
    pub fn has_one_of(&self, needed: &[&str]) -> bool {
        needed.is_empty() || self.scopes.iter().any(|scope| needed.iter().any(|one| self.covers(scope, one)))
    }

    /// The scopes that are missing, of which one would do each, with the tools that need it.
    pub fn missing<'a>(
        &self,
        wanted: impl IntoIterator<Item = Capability<'a>>,
    ) -> Vec<(&'a [&'a str], Vec<&'a str>)> {
        let mut missing: Vec<(&[&str], Vec<&str>)> = Vec::new();
        for wanted in wanted.into_iter().filter(|wanted| !self.has_one_of(wanted.scopes)) {
            match missing.iter_mut().find(|(scopes, _)| *scopes == wanted.scopes) {
                Some((_, tools)) => tools.push(wanted.tool),
                None => missing.push((wanted.scopes, vec![wanted.tool])),
            }
        }
        missing
    }

    /// Whether the scope `one` is `other`, or contains it.
    fn covers(&self, one: &str, other: &str) -> bool {
        one == other
            || self
                .contains
                .iter()
                .filter(|(scope, _)| *scope == one)
                .any(|(_, parts)| parts.iter().any(|part| self.covers(part, other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTAINS: &[Contains] =
        &[("admin", &["write"]), ("write", &["read", "comment"]), ("other", &["else"])];

    fn granted(scopes: &[&str]) -> Granted {
        Granted::new(scopes.iter().map(ToString::to_string), CONTAINS)
    }

    #[test]
    fn a_scope_contains_those_below_it_and_none_above() {
        assert!(granted(&["admin"]).has_one_of(&["comment"]));
        assert!(granted(&["write"]).has_one_of(&["admin", "read"]));
        assert!(!granted(&["read", "other"]).has_one_of(&["write"]));
        assert!(granted(&[]).has_one_of(&[]) && !granted(&[]).has_one_of(&["read"]));
    }
}
