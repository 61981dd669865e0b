//! The rights of one caller, as they go with a call.

use std::sync::Arc;

use super::{Capability, Denial, Granted, Policy, Principal};
use crate::Result;

/// Who calls, and what they may do. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rights {
    who: Principal,
    policy: Arc<Policy>,
    granted: Option<Arc<Granted>>,
}

impl Rights {
    /// The rights of `who` by `policy`, with the scopes of the server's credential where they are known.
    #[must_use]
    pub fn new(who: Principal, policy: Arc<Policy>, granted: Option<Arc<Granted>>) -> Self {
        Self { who, policy, granted }
    }

    /// The rights of the person at this machine where nothing is configured.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(Principal::local(), Arc::default(), None)
    }

    /// Who.
    #[must_use]
    pub fn who(&self) -> &Principal {
        &self.who
    }

    /// Whether a tool may be used, in whatever way: [`Policy::decide`].
    ///
    /// # Errors
    /// Why not.
    pub fn decide(&self, wanted: &Capability<'_>) -> Result<(), Denial> {
        self.policy.decide(&self.who, wanted, self.granted.as_deref())
    }

    /// The same, with the error that an agent is told.
    ///
    /// # Errors
    /// As [`Denial::into_error`] says.
    pub fn permits(&self, wanted: &Capability<'_>) -> Result<()> {
        self.decide(wanted).map_err(|denial| denial.into_error(wanted.tool, &self.who))
    }

    /// Whether destructive work is done without a question.
    #[must_use]
    pub fn skips_confirmation(&self) -> bool {
        self.policy.skips_confirmation(&self.who)
    }

    /// Whether a person has to agree to every write: [`Policy::asks_a_person`].
    #[must_use]
    pub fn asks_a_person(&self) -> bool {
        self.policy.asks_a_person(&self.who)
    }
}
