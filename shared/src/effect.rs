//! What an operation does to the vendor's data: the word that policy, retries, annotations and
//! audit all turn on.

use std::fmt;

/// What an operation does to the vendor's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Adds or changes data in a way that can be put right again.
    Write,
    /// Removes data, or does what cannot be undone with another call.
    Destructive,
}

impl Effect {
    /// Whether it changes anything.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Read)
    }

    /// The word used in logs, metrics and references.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Destructive => "destructive",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
