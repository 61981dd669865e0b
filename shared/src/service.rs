//! A server ready to answer, whatever the transport: its state, the part of its catalog that is
//! offered, and the rules for calls and replies.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{
    About, Connector, Error, Result,
    access::{Denial, Granted, KeyRing, Policy, Principal, Rights},
    catalog::{
        Answer, Call, Caller, Catalog, Confirmations, Progress, Prompt, Rendered, Reply, ReplyOptions,
        Resource, ResourceTemplate, Tool, Variables, Writes, nearest,
    },
    replicas::Replicas,
    upstream::call::{self, Lane},
};

/// How long a list of tools waits for the vendor to tell what the credential may do.
const RIGHTS_PATIENCE: Duration = Duration::from_secs(2);

/// How long the scopes of the credential, once told, are taken into account without asking again.
const RIGHTS_KNOWN: Duration = Duration::from_secs(60);

/// A server ready to answer.
pub struct Service<S> {
    server: Arc<S>,
    catalog: Arc<Catalog<S>>,
    policy: Arc<Policy>,
    /// The scopes of the credential as they were told last, and when.
    granted: Mutex<Option<(Instant, Arc<Granted>)>>,
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
    /// The keys under which what clients carry is sealed.
    pub keys: KeyRing,
}

impl<S: Connector> Service<S> {
    /// A service of `server` that offers `catalog`, already narrowed by configuration.
    pub fn new(server: S, catalog: Catalog<S>, options: ServiceOptions) -> Self {
        Self {
            server: Arc::new(server),
            policy: Arc::new(options.policy.with_selection(catalog.selection().cloned())),
            catalog: Arc::new(catalog.sealed_by(options.keys.clone())),
            granted: Mutex::default(),
            confirmations: Confirmations::new(options.keys),
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

    /// What gives confirmations out and takes them back.
    #[must_use]
    pub fn confirmations(&self) -> &Confirmations {
        &self.confirmations
    }

    /// Shares with these replicas what is used up, what the vendor said and what has become old, from now on. The
    /// first who are named stay. What is given back keeps the way to them open while it runs.
    #[must_use]
    pub fn share(&self, replicas: &Replicas) -> Option<BoxFuture<'static, ()>> {
        self.confirmations.used().share(replicas);
        let store = replicas.store()?;
        let listener = self.server.upstream().share(Arc::clone(store));
        Some(Arc::clone(store).keep(listener))
    }

    /// The keys under which what clients carry is sealed.
    pub(crate) fn keys(&self) -> &KeyRing {
        self.catalog.keys()
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

    /// Whether what is listed may differ between callers, so that nobody may keep it for another.
    #[must_use]
    pub fn depends_on_caller(&self) -> bool {
        self.policy.depends_on_caller()
    }

    /// The rights of `who`, with the scopes of the credential as far as they are known without asking.
    #[must_use]
    pub fn rights(&self, who: Principal) -> Rights {
        let known = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        let granted = known.as_ref().filter(|(told, _)| told.elapsed() < RIGHTS_KNOWN);
        Rights::new(who, Arc::clone(&self.policy), granted.map(|(_, granted)| Arc::clone(granted)))
    }

    /// The rights of `who`, with the scopes of the credential as far as they are told within two seconds: a
    /// list must not wait for a vendor that is slow.
    pub async fn rights_for_listing(&self, who: Principal) -> Rights {
        let told = tokio::time::timeout(RIGHTS_PATIENCE, self.server.granted()).await;
        if let Ok(granted) = told {
            let granted = granted.map(|granted| (Instant::now(), Arc::new(granted)));
            *self.granted.lock().unwrap_or_else(PoisonError::into_inner) = granted;
        }
        self.rights(who)
    }

    /// The wire names of the tools that somebody with these rights may not use though the configuration
    /// offers them.
    #[must_use]
    pub fn hidden(&self, rights: &Rights) -> Vec<String> {
        let tools = self.catalog.all_tools().iter();
        let hidden = tools.filter(|tool| rights.decide(&tool.capability()).is_err());
        hidden.map(|tool| self.wire_name(tool)).collect()
    }

    /// The resources with a fixed address that somebody with these rights is offered.
    pub fn resources<'a>(&'a self, rights: &'a Rights) -> impl Iterator<Item = &'a Resource<S>> {
        let all = self.catalog.all_resources().iter();
        all.filter(|resource| self.catalog.permits(rights, resource.needed_tools()).is_ok())
    }

    /// The families of resources that somebody with these rights is offered.
    pub fn templates<'a>(&'a self, rights: &'a Rights) -> impl Iterator<Item = &'a ResourceTemplate<S>> {
        let all = self.catalog.all_templates().iter();
        all.filter(|template| self.catalog.permits(rights, template.needed_tools()).is_ok())
    }

    /// The prompts that somebody with these rights is offered.
    pub fn prompts<'a>(&'a self, rights: &'a Rights) -> impl Iterator<Item = &'a Prompt<S>> {
        let all = self.catalog.all_prompts().iter();
        all.filter(|prompt| self.catalog.permits(rights, prompt.needed_tools()).is_ok())
    }

    /// The tool that clients see under `name`, if the configuration offers it.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&Tool<S>> {
        self.catalog.tool(self.bare(name)?)
    }

    /// Why the tool `name` is not offered, which there is: what the operator switched off is no secret.
    /// Nothing for a name that no tool has.
    #[must_use]
    pub fn switched_off(&self, name: &str, rights: &Rights) -> Option<Error> {
        let tool = self.catalog.known(self.bare(name)?)?;
        let denial = rights.decide(&tool.capability()).err()?;
        Some(denial.into_error(&self.wire_name(tool), rights.who()))
    }

    /// The tool that `name` is probably a slip of, of those that somebody with these rights may use, or could
    /// if their toolset were on; and then why it is not offered.
    #[must_use]
    pub fn nearest_tool(&self, name: &str, rights: &Rights) -> Option<(String, Option<Error>)> {
        let bare = self.bare(name).unwrap_or(name);
        let in_reach = |tool: &&Tool<S>| {
            matches!(rights.decide(&tool.capability()), Ok(()) | Err(Denial::ToolsetOff { .. }))
        };
        let tools = self.catalog.known_tools().filter(in_reach);
        let near = format!("{}{}", self.prefix, nearest(bare, tools.map(Tool::name))?);
        let off = self.switched_off(&near, rights);
        Some((near, off))
    }

    fn bare<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(self.prefix.as_str())
    }

    /// Calls `tool` for `principal`. `answers` says that the call brings the answer to a
    /// question: what it would do is then read afresh.
    ///
    /// # Errors
    /// Whatever the call gives; it is for the agent to read.
    pub async fn call(
        &self,
        tool: &Tool<S>,
        principal: Principal,
        arguments: Map<String, Value>,
        answers: bool,
        progress: Arc<dyn Progress>,
    ) -> Result<Answer> {
        let lane = lane(&principal);
        let caller =
            Caller { rights: self.rights(principal), confirmations: &self.confirmations, answers, progress };
        self.one(lane, Box::pin(self.catalog.call(tool, &self.server, caller, arguments))).await
    }

    /// Does `work` as one call of `lane`, which is given up when the server stops and it only waits to be sent.
    /// On the heap: each layer around it would take as much of a thread's stack again.
    async fn one<T>(&self, lane: Lane, work: BoxFuture<'_, T>) -> T {
        call::stoppable(self.catalog.writes().stopping(), call::by(lane, work)).await
    }

    /// Reads the resource at `uri` for `principal`.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`] if there is none; whatever reading it gives.
    pub async fn read(&self, principal: Principal, uri: &str) -> Result<Reply> {
        self.one(lane(&principal), Box::pin(self.catalog.read(self.plain(principal), uri))).await
    }

    /// Whether the resource at `uri` can be watched by `principal`, as far as that is known without asking
    /// the vendor.
    ///
    /// # Errors
    /// [`crate::Kind::InvalidArgument`] if not; [`crate::Kind::Policy`] if it may not be read.
    pub fn admits_subscription(&self, principal: &Principal, uri: &str) -> Result<()> {
        self.catalog.admits_subscription(&self.server, &self.rights(principal.clone()), uri)
    }

    /// The version of the resource at `uri`, for `principal`: another text whenever it has changed.
    ///
    /// # Errors
    /// As [`Self::admits_subscription`]; whatever looking gives.
    pub async fn version(&self, principal: Principal, uri: &str) -> Result<String> {
        let lane = lane(&principal).background();
        self.one(lane, Box::pin(self.catalog.version(self.plain(principal), uri))).await
    }

    /// A call of `principal` that is no tool's.
    fn plain(&self, principal: Principal) -> Call<S> {
        Call::plain(Arc::clone(&self.server), Arc::clone(&self.catalog), self.rights(principal))
    }

    /// Writes the prompt `name` for `principal`; nothing if there is no such prompt.
    ///
    /// # Errors
    /// Whatever writing it gives.
    pub async fn prompt(
        &self,
        principal: Principal,
        name: &str,
        given: impl Into<Variables>,
    ) -> Option<Result<Reply>> {
        let prompt = self.catalog.prompt(name)?;
        let lane = lane(&principal);
        let plain = self.plain(principal);
        if let Err(denied) = self.catalog.permits(plain.rights(), prompt.needed_tools()) {
            return Some(Err(denied));
        }
        Some(self.one(lane, Box::pin(prompt.get(plain, given.into()))).await)
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
        others: impl Into<Variables>,
    ) -> Result<Vec<String>> {
        match self.catalog.completion(argument) {
            Some(completions) => {
                let lane = lane(&principal);
                self.one(lane, Box::pin(completions.complete(self.plain(principal), typed, others.into())))
                    .await
            }
            None => Ok(Vec::new()),
        }
    }

    /// The writes that are under way.
    pub(crate) fn writes(&self) -> &Writes {
        self.catalog.writes()
    }

    /// Renders `reply` as configured.
    #[must_use]
    pub fn render(&self, reply: Reply) -> Rendered {
        reply.render(&self.reply)
    }
}

/// Whose a caller's requests are among those who share the vendor's budget. The person at this machine is alone.
fn lane(who: &Principal) -> Lane {
    if who.is_local() { Lane::default() } else { Lane::of(who.id()) }
}

impl<S> fmt::Debug for Service<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("policy", &self.policy)
            .field("reply", &self.reply)
            .finish_non_exhaustive()
    }
}
