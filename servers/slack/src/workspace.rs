//! One workspace: the tokens for it, its names, and what is known of its limits.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use connector::upstream::{Credential, Upstream};

use crate::{api::Api, resolve::Names};

/// What an application outside the Marketplace gets of history: 15 messages, once a minute
/// (docs.slack.dev/changelog/2025/05/29/rate-limit-changes-for-non-marketplace-apps).
pub(crate) const LIMITED_PAGE: usize = 15;

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
    /// Whether history comes in the small pages of an unlisted application.
    limited: AtomicBool,
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
}

impl Workspace {
    /// The workspace behind `tokens`, reached like `upstream` with a pipeline of its own.
    pub(crate) fn new(tokens: WorkspaceTokens, upstream: &Upstream, zone: Option<String>) -> Self {
        let acting = Api::new(upstream.beside(tokens.acting));
        let searching = tokens.searching.map(|token| Api::new(upstream.beside(token)));
        Self {
            names: Names::new(acting.clone(), searching.clone().unwrap_or_else(|| acting.clone()), zone),
            searching,
            name: tokens.name,
            credential: tokens.credential,
            acting,
            limited: AtomicBool::new(false),
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

    /// Looks at a page of history for the signs of a limited application: more was asked for, exactly
    /// 15 came, and there is more.
    pub(crate) fn note_page(&self, asked: u32, got: usize, more: bool) {
        if asked as usize > LIMITED_PAGE && got == LIMITED_PAGE && more {
            self.limited.store(true, Ordering::Relaxed);
        }
    }

    /// Whether history comes in the small pages of an unlisted application.
    pub(crate) fn is_limited(&self) -> bool {
        self.limited.load(Ordering::Relaxed)
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
