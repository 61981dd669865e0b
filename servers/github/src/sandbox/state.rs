//! Everything the fake remembers, a part for each subject.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    accounts::Accounts,
    actions::Actions,
    auth::{self, Apps, Grants, Token},
    repos::Repos,
    social::Social,
    tracker::Tracker,
};

/// Numbers given out from here on are above all of the seed's.
const FIRST_ID: u64 = 5_000_000;

/// Everything the fake remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    last_id: u64,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) apps: Apps,
    pub(super) grants: Grants,
    pub(super) accounts: Accounts,
    pub(super) repos: Repos,
    pub(super) tracker: Tracker,
    pub(super) actions: Actions,
    pub(super) social: Social,
}

impl State {
    /// The state that a seed tells of.
    pub(super) fn from_seed(seed: &Value) -> Result<Self, String> {
        let mut state =
            Self { last_id: FIRST_ID, tokens: auth::tokens_from_seed(&seed["accounts"]), ..Self::default() };
        state.accounts = Accounts::from_seed(&seed["accounts"])?;
        state.apps = Apps::from_seed(&seed["accounts"])?;
        // In this order: each may look at what came before it.
        state.repos = Repos::from_seed(&seed["repos"], &state)?;
        state.tracker = Tracker::from_seed(&seed["tracker"], &mut state)?;
        state.actions = Actions::from_seed(&seed["actions"], &state)?;
        state.social = Social::from_seed(&seed["social"], &state)?;
        Ok(state)
    }

    /// Has begin what begins with the fake, at `now` in seconds since the epoch.
    pub(super) fn begin(&mut self, now: u64) -> Result<(), String> {
        let mut actions = std::mem::take(&mut self.actions);
        let begun = actions.begin(now, self);
        self.actions = actions;
        begun
    }

    /// A number that nothing has yet.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Everything, for tests that compare before and after.
    pub(super) fn dump(&self) -> Value {
        json!({
            "accounts": self.accounts,
            "repos": self.repos,
            "tracker": self.tracker,
            "actions": self.actions,
            "social": self.social,
        })
    }
}
