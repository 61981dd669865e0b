//! A server ready to answer, whatever the transport: its state, the part of its catalog that is
//! offered, and the rules for calls and replies.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{
    About, Connector, Effect, Result,
    access::{Policy, Principal},
    catalog::{Answer, Call, Caller, Catalog, Confirmations, Progress, Rendered, Reply, ReplyOptions, Tool},
    upstream::call,
};

/// How long a list of tools waits for the vendor to tell what the credential may do.
const RIGHTS_PATIENCE: Duration = Duration::from_secs(2);

/// A server ready to answer.
pub struct Service<S> {
    server: Arc<S>,
    catalog: Catalog<S>,
    policy: Policy,
    confirmations: Confirmations,
    reply: ReplyOptions,
    prefix: String,
    sandbox: bool,
}

/// What a service is made of besides the server and its catalog.
#[derive(Clone, Debug, Default)]
pub struct ServiceOptions {
    /// The rights of callers.
    pub policy: Policy,
    /// How replies are rendered.
    pub reply: ReplyOptions,
    /// Put before the name of every tool.
    pub prefix: String,
    /// Whether the vendor is a fake.
    pub sandbox: bool,
}

impl<S: Connector> Service<S> {
    /// A service of `server` that offers `catalog`, already narrowed by configuration.
    pub fn new(server: S, catalog: Catalog<S>, options: ServiceOptions) -> Self {
        Self {
            server: Arc::new(server),
            catalog,
            policy: options.policy,
            confirmations: Confirmations::default(),
            reply: options.reply,
            prefix: options.prefix,
            sandbox: options.sandbox,
        }
    }

    /// Who the server is.
    #[must_use]
    pub fn about(&self) -> About {
        S::ABOUT
    }

    /// What is offered.
    #[must_use]
    pub fn catalog(&self) -> &Catalog<S> {
        &self.catalog
    }

    /// The server's state.
    #[must_use]
    pub fn server(&self) -> &Arc<S> {
        &self.server
    }

    /// The confirmations given out and not yet used.
    #[must_use]
    pub fn confirmations(&self) -> &Confirmations {
        &self.confirmations
    }

    /// How replies are rendered.
    #[must_use]
    pub fn reply_options(&self) -> &ReplyOptions {
        &self.reply
    }

    /// Whether the vendor is a fake.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.sandbox
    }

    /// The name of `tool` as clients see it.
    #[must_use]
    pub fn wire_name(&self, tool: &Tool<S>) -> String {
        format!("{}{}", self.prefix, tool.name())
    }

    /// The wire names of the tools that the credential cannot use, as far as that is known within two
    /// seconds: a list must not wait for a vendor that is slow.
    pub async fn hidden(&self) -> Vec<String> {
        let hidden = tokio::time::timeout(RIGHTS_PATIENCE, self.server.out_of_rights()).await;
        let names = hidden.unwrap_or_default();
        names.iter().map(|name| format!("{}{name}", self.prefix)).collect()
    }

    /// The tool that clients see under `name`.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&Tool<S>> {
        self.catalog.tool(name.strip_prefix(self.prefix.as_str())?)
    }

    /// The tool that was probably meant by `name`.
    #[must_use]
    pub fn nearest_tool(&self, name: &str) -> Option<String> {
        let bare = name.strip_prefix(self.prefix.as_str()).unwrap_or(name);
        let near = crate::catalog::nearest(bare, self.catalog.all_tools().iter().map(Tool::name))?;
        Some(format!("{}{near}", self.prefix))
    }

    /// Calls `tool` for `principal`. `confirmed` says that the person has just been asked through the
    /// protocol, and agreed.
    ///
    /// # Errors
    /// Whatever the call gives; it is for the agent to read.
    pub async fn call(
        &self,
        tool: &Tool<S>,
        principal: Principal,
        arguments: Map<String, Value>,
        confirmed: bool,
        progress: Arc<dyn Progress>,
    ) -> Result<Answer> {
        let caller = Caller {
            principal,
            policy: &self.policy,
            confirmations: &self.confirmations,
            confirmed,
            progress,
        };
        call::whole(self.catalog.call(tool, &self.server, caller, arguments)).await
    }

    /// Reads the resource at `uri` for `principal`.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`] if there is none; whatever reading it gives.
    pub async fn read(&self, principal: Principal, uri: &str) -> Result<Reply> {
        call::whole(self.catalog.read(Call::plain(Arc::clone(&self.server), principal), uri)).await
    }

    /// Whether the resource at `uri` can be watched, as far as that is known without asking the vendor.
    ///
    /// # Errors
    /// [`crate::Kind::InvalidArgument`] if not; [`crate::Kind::Policy`] if it may not be read.
    pub fn admits_watch(&self, uri: &str) -> Result<()> {
        self.catalog.admits_watch(&self.server, uri)
    }

    /// The version of the resource at `uri`, for `principal`: another text whenever it has changed.
    ///
    /// # Errors
    /// As [`Self::admits_watch`]; whatever looking gives.
    pub async fn version(&self, principal: Principal, uri: &str) -> Result<String> {
        self.policy.permits(&principal, Effect::Read)?;
        self.catalog.version(Call::plain(Arc::clone(&self.server), principal), uri).await
    }

    /// Writes the prompt `name` for `principal`; nothing if there is no such prompt.
    ///
    /// # Errors
    /// Whatever writing it gives.
    pub async fn prompt(
        &self,
        principal: Principal,
        name: &str,
        given: BTreeMap<String, String>,
    ) -> Option<Result<Reply>> {
        let prompt = self.catalog.prompt(name)?;
        Some(call::whole(prompt.get(Call::plain(Arc::clone(&self.server), principal), given)).await)
    }

    /// The values that complete what was `typed` for `argument`.
    ///
    /// # Errors
    /// Whatever finding them gives.
    pub async fn complete(
        &self,
        principal: Principal,
        argument: &str,
        typed: String,
        others: BTreeMap<String, String>,
    ) -> Result<Vec<String>> {
        match self.catalog.completion(argument) {
            Some(completions) => {
                completions.complete(Call::plain(Arc::clone(&self.server), principal), typed, others).await
            }
            None => Ok(Vec::new()),
        }
    }

    /// Waits for the writes that are under way, at most until `end`: those whose call was cancelled,
    /// took too long, or lost its client run on, and would end with the runtime. What is not finished
    /// by then is logged by the names of its tools.
    pub async fn finish_writes(&self, end: Instant) {
        self.catalog.writes().finish(end).await;
    }

    /// Renders `reply` as configured.
    #[must_use]
    pub fn render(&self, reply: Reply) -> Rendered {
        reply.render(&self.reply)
    }
}

impl<S> fmt::Debug for Service<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("policy", &self.policy)
            .field("reply", &self.reply)
            .finish_non_exhaustive()
    }
}
