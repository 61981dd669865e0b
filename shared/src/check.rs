//! What `doctor` looked at, and how it stands.

use crate::{Error, Kind};

/// What a server says of its credential where there is none.
pub const NO_CREDENTIAL: &str = "no credential";

/// A budget of which less than this part is left is worth a warning.
const LOW: u64 = 10;

/// One thing that `doctor` looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: `token`, `scopes`, `limits`.
    pub name: &'static str,
    /// How it stands.
    pub state: CheckState,
    /// What was found, in one sentence.
    pub found: String,
    /// What would put it right, in one sentence.
    pub fix: Option<String>,
}

/// How a thing that `doctor` looked at stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckState {
    /// It works.
    Good,
    /// It works in part, or will soon stop working.
    Warning,
    /// It does not work.
    Bad,
    /// It could not be looked at, because of another thing.
    Skipped,
}

impl Check {
    /// Something that works.
    pub fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: CheckState::Good, found: found.into(), fix: None }
    }

    /// Something that works in part.
    pub fn warning(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, state: CheckState::Warning, found: found.into(), fix: Some(fix.into()) }
    }

    /// Something that does not work.
    pub fn bad(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, state: CheckState::Bad, found: found.into(), fix: Some(fix.into()) }
    }

    /// Something that could not be looked at.
    pub fn skipped(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: CheckState::Skipped, found: found.into(), fix: None }
    }

    /// Something that failed: why, and what would help.
    #[must_use]
    pub fn failed(name: &'static str, error: &Error) -> Self {
        Self::bad(name, error.message(), error.hint().unwrap_or("Try again later"))
    }

    /// The vendor, which could not be asked at all.
    #[must_use]
    pub fn refused(error: &Error) -> Self {
        Self::failed(if error.kind() == Kind::Auth { "account" } else { "reachability" }, error)
    }

    /// The credential that is configured, in words, or [`NO_CREDENTIAL`], which `fix` puts right.
    pub fn credential(what: &str, fix: impl Into<String>) -> Self {
        match what {
            NO_CREDENTIAL => Self::bad("credential", "None is configured", fix),
            what => Self::good("credential", format!("{what} is configured")),
        }
    }

    /// The vendor's budgets, in words, and each by its name, what is left of it, and how much it is.
    pub fn limits(found: impl Into<String>, budgets: impl IntoIterator<Item = (String, u64, u64)>) -> Self {
        match budgets.into_iter().find(|(_, left, whole)| *left < whole / LOW) {
            Some((name, ..)) => Self::warning(
                "limits",
                found,
                format!("Less than a tenth of {name} is left: wait, or let fewer programs share the account"),
            ),
            None => Self::good("limits", found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_that_runs_out_is_worth_a_warning() {
        let state = |left| Check::limits("x", [("core".to_owned(), left, 5_000)]).state;
        assert_eq!((state(499), state(4_000)), (CheckState::Warning, CheckState::Good));
    }

    #[test]
    fn what_cannot_be_asked_says_why_and_what_would_help() {
        let check = Check::refused(&Error::new(Kind::Auth, "no").with_hint("Set it"));
        assert_eq!(
            (check.name, check.found.as_str(), check.fix.as_deref()),
            ("account", "no", Some("Set it"))
        );
        let check = Check::refused(&Error::new(Kind::Unavailable, "down"));
        assert_eq!((check.name, check.fix.as_deref()), ("reachability", Some("Try again later")));
        let check = |what| Check::credential(what, "Set it").state;
        assert_eq!((check(NO_CREDENTIAL), check("a token")), (CheckState::Bad, CheckState::Good));
    }
}
