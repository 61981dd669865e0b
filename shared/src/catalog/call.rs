//! What a tool, resource or prompt is given: the server's state, the caller, and ways to reach them.

use std::{fmt, ops::Deref, sync::Arc};

use futures::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Answer, Caller, Catalog, Confirmations, Reply,
    cursor::{self, Binding},
};
use crate::{
    Error, Result,
    access::{Principal, Rights, Selection},
};

/// One call: dereferences to the server's state. Cheap to clone.
pub struct Call<S> {
    server: Arc<S>,
    catalog: Arc<Catalog<S>>,
    rights: Rights,
    progress: Arc<dyn Progress>,
    binding: Binding,
}

impl<S> Call<S> {
    /// A call to `server`, whose tools are in `catalog`, by somebody with these rights; its cursors are bound
    /// to `binding`.
    pub fn new(
        server: Arc<S>,
        catalog: Arc<Catalog<S>>,
        rights: Rights,
        progress: Arc<dyn Progress>,
        binding: Binding,
    ) -> Self {
        Self { server, catalog, rights, progress, binding }
    }

    /// The server's state, for work that outlives the borrow.
    #[must_use]
    pub fn server(&self) -> &Arc<S> {
        &self.server
    }

    /// Who is calling.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        self.rights.who()
    }

    /// What the caller may do.
    #[must_use]
    pub fn rights(&self) -> &Rights {
        &self.rights
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

impl<S: Send + Sync + 'static> Call<S> {
    /// Which part of the catalog is switched on, if it was chosen at all.
    #[must_use]
    pub fn selection(&self) -> Option<&Selection> {
        self.catalog.selection()
    }

    /// A call that is no tool's: reading a resource, getting a prompt, completing a word.
    pub fn plain(server: Arc<S>, catalog: Arc<Catalog<S>>, rights: Rights) -> Self {
        let binding = Binding::new(catalog.keys(), rights.who(), "", &serde_json::Map::new());
        Self::new(server, catalog, rights, Arc::new(Silent), binding)
    }

    /// Whether the caller may use the tool `name`: for parts of an answer that it would give.
    #[must_use]
    pub fn offers(&self, name: &str) -> bool {
        self.catalog.known(name).is_some_and(|tool| self.rights.decide(&tool.capability()).is_ok())
    }

    /// What the reading tool `name` answers the same caller: what resources and prompts are made of, so
    /// that nothing is worded twice.
    ///
    /// # Errors
    /// Whatever the tool gives, and what the caller's rights deny; `internal` if it is no reading tool.
    pub async fn tool(&self, name: &str, arguments: Value) -> Result<Reply> {
        let tool = self
            .catalog
            .known(name)
            .filter(|tool| !tool.effect().writes())
            .ok_or_else(|| Error::internal(format!("there is no reading tool {name}")))?;
        let Value::Object(arguments) = arguments else {
            return Err(Error::internal(format!("the arguments of {name} are no object")));
        };
        let caller = Caller {
            rights: self.rights.clone(),
            confirmations: &Confirmations::default(),
            answers: false,
            progress: Arc::new(Silent),
        };
        match self.catalog.call(tool, &self.server, caller, arguments).await? {
            Answer::Reply(reply) => Ok(reply),
            Answer::Question(_) => Err(Error::internal(format!("{name} asked instead of reading"))),
        }
    }

    /// What the listing tool `name` answers, with a word on which call its cursor belongs to.
    ///
    /// # Errors
    /// As [`Self::tool`].
    pub async fn listing(&self, name: &str, arguments: Value) -> Result<Reply> {
        let reply = self.tool(name, arguments.clone()).await?;
        Ok(reply.line(format!("[From {name} {arguments}; a cursor above goes on with that call.]")))
    }
}

impl<S> Clone for Call<S> {
    fn clone(&self) -> Self {
        Self {
            server: Arc::clone(&self.server),
            catalog: Arc::clone(&self.catalog),
            rights: self.rights.clone(),
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
        f.debug_struct("Call").field("rights", &self.rights).finish_non_exhaustive()
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
