//! Repositories.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{route::Route, state::State};

pub(super) const ROUTES: &[Route] = &[];

/// Every repository.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Repos {
    repos: BTreeMap<u64, Repository>,
    /// Former names, in lower case, to ids.
    former: BTreeMap<String, u64>,
}

/// What a person may do in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) enum Role {
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

/// A repository.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Repository {
    pub(super) id: u64,
    pub(super) owner: String,
    pub(super) name: String,
    pub(super) private: bool,
    pub(super) default_branch: String,
    /// Roles by login.
    pub(super) collaborators: BTreeMap<String, Role>,
}

/// A repository found by its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) id: u64,
    /// Whether it has another name now.
    pub(super) moved: bool,
}

impl Repos {
    pub(super) fn from_seed(_seed: &Value, _state: &State) -> Result<Self, String> {
        Ok(Self::default())
    }

    pub(super) fn get(&self, id: u64) -> Option<&Repository> {
        self.repos.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Repository> {
        self.repos.get_mut(&id)
    }

    /// By owner and name, whatever their case.
    pub(super) fn find(&self, owner: &str, name: &str) -> Option<Found> {
        let fits = |repo: &&Repository| {
            repo.owner.eq_ignore_ascii_case(owner) && repo.name.eq_ignore_ascii_case(name)
        };
        match self.repos.values().find(fits) {
            Some(repo) => Some(Found { id: repo.id, moved: false }),
            None => {
                let id = self.former.get(&format!("{owner}/{name}").to_lowercase())?;
                Some(Found { id: *id, moved: true })
            }
        }
    }
}
