//! One workspace: the tokens for it, its names, and what is known of its limits.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use connector::upstream::{Credential, Upstream};
use jiff::tz::TimeZone;

use crate::{
    api::{Api, LIMITED_PAGE},
    policy::Policy,
    resolve::Names,
};

/// One workspace.
pub(crate) struct Workspace {
    /// Its name in the configuration; `default` where there is only one.
    pub(crate) name: String,
    /// What it acts with.
    acting: Api,
    /// What it searches with: a user's token where there is one.
    searching: Option<Api>,
    names: Names,
    /// What kind of token acts, in words.
    pub(crate) credential: &'static str,
    /// Whether there is no Real-time Search here.
    legacy_search: AtomicBool,
}

/// The tokens for one workspace.
pub(crate) struct WorkspaceTokens {
    pub(crate) name: String,
    pub(crate) acting: Arc<dyn Credential>,
    /// A user's token to search with, where it is not what acts.
    pub(crate) searching: Option<Arc<dyn Credential>>,
    pub(crate) credential: &'static str,
    /// The workspace that is meant, where the tokens are of a whole organization.
    pub(crate) team: Option<String>,
}

impl Workspace {
    /// The workspace behind `tokens`, reached like `upstream` with a pipeline of its own.
    pub(crate) fn new(
        tokens: WorkspaceTokens,
        upstream: &Upstream,
        policy: &Arc<Policy>,
        zone: Option<TimeZone>,
    ) -> Self {
        let acting = Api::new(upstream.beside(tokens.acting), tokens.team.as_deref());
        let searching =
            tokens.searching.map(|token| Api::new(upstream.beside(token), tokens.team.as_deref()));
        Self {
            names: Names::new(
                acting.clone(),
                searching.clone().unwrap_or_else(|| acting.clone()),
                Arc::clone(policy),
                zone,
            ),
            searching,
            name: tokens.name,
            credential: tokens.credential,
            acting,
            legacy_search: AtomicBool::new(false),
        }
    }

    /// The client that acts.
    pub(crate) fn api(&self) -> &Api {
        &self.acting
    }

    /// The client that searches.
    pub(crate) fn search_api(&self) -> &Api {
        self.searching.as_ref().unwrap_or(&self.acting)
    }

    /// Its names.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// Notes that there is no Real-time Search here.
    pub(crate) fn note_legacy_search(&self) {
        self.legacy_search.store(true, Ordering::Relaxed);
    }

    /// Whether there is no Real-time Search here.
    pub(crate) fn is_legacy_search(&self) -> bool {
        self.legacy_search.load(Ordering::Relaxed)
    }

    /// Whether history comes in the small pages of an unlisted application.
    pub(crate) fn is_limited(&self) -> bool {
        self.acting.is_limited()
    }

    /// What a reply with messages says of that; empty where there is nothing to say.
    pub(crate) fn limit_note(&self) -> String {
        if self.is_limited() {
            format!("Slack gives this app at most {LIMITED_PAGE} messages a minute")
        } else {
            String::new()
        }
    }
}

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace")
            .field("name", &self.name)
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}
