//! What a tool, resource or prompt is given: the server's state, the caller, and ways to reach them.

use std::{fmt, ops::Deref, sync::Arc};

use futures::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};

use super::cursor::{self, Binding};
use crate::{Result, access::Principal};

/// One call: dereferences to the server's state. Cheap to clone.
pub struct Call<S> {
    server: Arc<S>,
    principal: Principal,
    progress: Arc<dyn Progress>,
    binding: Binding,
}

impl<S> Call<S> {
    /// A call of `principal` to `server`, with cursors bound to `binding`.
    pub fn new(server: Arc<S>, principal: Principal, progress: Arc<dyn Progress>, binding: Binding) -> Self {
        Self { server, principal, progress, binding }
    }

    /// A call that is no tool's: reading a resource, getting a prompt, completing a word.
    pub fn plain(server: Arc<S>, principal: Principal) -> Self {
        let binding = Binding::new(&principal, "", &serde_json::Map::new());
        Self::new(server, principal, Arc::new(Silent), binding)
    }

    /// The server's state, for work that outlives the borrow.
    #[must_use]
    pub fn server(&self) -> &Arc<S> {
        &self.server
    }

    /// Who is calling.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Tells the client how far the work is, if it asked to be told. `done` must rise.
    pub async fn progress(&self, done: u32, total: Option<u32>, message: &str) {
        self.progress.report(done, total, message).await;
    }

    /// Opens the cursor that the caller passed back, if any.
    ///
    /// # Errors
    /// [`crate::Kind::InvalidArgument`] if it is not ours, or was given for other arguments, another
    /// tool or another caller.
    pub fn open_cursor<T: DeserializeOwned>(&self, cursor: Option<&str>) -> Result<Option<T>> {
        cursor
            .filter(|cursor| !cursor.is_empty())
            .map(|cursor| cursor::open(&self.binding, cursor))
            .transpose()
    }

    /// Makes the cursor from which a later call goes on at `position`.
    pub fn seal_cursor<T: Serialize>(&self, position: &T) -> String {
        cursor::seal(&self.binding, position)
    }
}

impl<S> Clone for Call<S> {
    fn clone(&self) -> Self {
        Self {
            server: Arc::clone(&self.server),
            principal: self.principal.clone(),
            progress: Arc::clone(&self.progress),
            binding: self.binding.clone(),
        }
    }
}

impl<S> Deref for Call<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.server
    }
}

impl<S> fmt::Debug for Call<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("principal", &self.principal).finish_non_exhaustive()
    }
}

/// Where progress goes.
pub trait Progress: fmt::Debug + Send + Sync {
    /// Reports that `done` of `total` steps are done.
    fn report<'a>(&'a self, done: u32, total: Option<u32>, message: &'a str) -> BoxFuture<'a, ()>;
}

/// For a caller that did not ask for progress.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Progress for Silent {
    fn report<'a>(&'a self, _done: u32, _total: Option<u32>, _message: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}
