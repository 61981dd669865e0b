//! A server over its own fake, for tests: the real pipeline, over real HTTP, in one process.
//!
//! A test names what it calls by a [`Sample`], or by the tool and its arguments. Where a call asks first, the methods
//! that return what the agent reads agree to it.

#![allow(clippy::expect_used, reason = "a test that cannot go on says where")]

mod client;
mod heard;

mod reply;
mod sample;
mod tokens;

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    Connector, Error, Result, Secret, Service, ServiceOptions,
    access::{KeyRing, Policy, Principal, Selection},
    catalog::{Answer, Progress, Question, Rendered, ReplyOptions, Silent},
    sandbox::{self, Fake, Harness, Running},
    settings::{Config, Value as Setting},
    upstream,
};

pub use client::{Client, Era};
pub use heard::{Heard, Said};
pub use reply::{confirm, cursor, rows};
pub use sample::Sample;
pub use tokens::tokens;

/// How a server is put over its fake.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is offered.
    pub selection: Selection,
    /// Whether data goes out as structured content.
    pub structured: bool,
    /// Bytes in one reply; zero means the default.
    pub budget: usize,
    /// Put before the name of every tool.
    pub prefix: &'static str,
    /// No question before destructive work.
    pub allow_destructive: bool,
    /// A person has to agree to every write.
    pub strict: bool,
    /// The credential, instead of the one that the fake accepts; empty for none.
    pub credential: Option<&'static str>,
    /// Settings as for the real vendor, instead of the sandbox's credential.
    pub settings: Vec<(&'static str, Setting)>,
    /// Settings besides the sandbox's credential.
    pub more: Vec<(&'static str, Setting)>,
    /// With the schemas that release builds read.
    pub shipped: bool,
    /// The keys that seal cursors and confirmations: those of another server, to be a replica of it.
    pub keys: KeyRing,
}

impl Options {
    /// Every tool, those that are off by default included.
    #[must_use]
    pub fn everything() -> Self {
        let selection = Selection { toolsets: vec!["all".to_owned()], ..Selection::default() };
        Self { selection, ..Self::default() }
    }

    /// One more setting besides the sandbox's credential.
    #[must_use]
    pub fn set(mut self, key: &'static str, value: Setting) -> Self {
        self.more.push((key, value));
        self
    }
}

/// A server over its own fake.
pub struct Sandboxed<S> {
    service: Arc<Service<S>>,
    fake: Arc<dyn Fake>,
    running: Running,
    questions: AtomicUsize,
}

/// How it starts.
impl<S: Connector> Sandboxed<S> {
    /// A server at default settings.
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// A server as `options` say.
    ///
    /// # Panics
    /// If it cannot be put together.
    pub async fn start_with(options: Options) -> Self {
        Self::start_tuned(options, |_| {}).await
    }

    /// A server as `options` say, its pipeline tuned by `tune`.
    ///
    /// # Panics
    /// If it cannot be put together.
    pub async fn start_tuned(options: Options, tune: impl FnOnce(&mut upstream::Options)) -> Self {
        Self::build(sandbox_of::<S>().fake, options, tune).await
    }

    /// A server as `options` say, over a fake with a state of the test's own, its pipeline tuned by `tune`.
    ///
    /// # Panics
    /// If it cannot be put together.
    pub async fn start_over(
        fake: Arc<dyn Fake>,
        options: Options,
        tune: impl FnOnce(&mut upstream::Options),
    ) -> Self {
        Self::build(fake, options, tune).await
    }

    async fn build(fake: Arc<dyn Fake>, options: Options, tune: impl FnOnce(&mut upstream::Options)) -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = sandbox::start(Arc::clone(&fake), loopback).await.expect("loopback has a free port");
        Self { service: serve(options, &running, tune), fake, running, questions: AtomicUsize::new(0) }
    }

    /// Somebody else at the same vendor: another server, which shares nothing with this one but the fake.
    #[must_use]
    pub fn colleague(&self, options: Options) -> Arc<Service<S>> {
        serve(options, &self.running, |_| {})
    }
}

/// What there is.
impl<S: Connector> Sandboxed<S> {
    /// The service.
    #[must_use]
    pub fn service(&self) -> &Arc<Service<S>> {
        &self.service
    }

    /// A client at the other end of a pipe.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::of(&self.service)
    }

    /// The fake itself.
    #[must_use]
    pub fn fake(&self) -> &Arc<dyn Fake> {
        &self.fake
    }

    /// The fake as it runs.
    #[must_use]
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// The fake's clock, faults and journal.
    #[must_use]
    pub fn harness(&self) -> &Harness {
        self.running.harness()
    }

    /// The fake's state.
    #[must_use]
    pub fn dump(&self) -> Value {
        self.fake.dump()
    }

    /// How many requests of an operation the fake was sent.
    #[must_use]
    pub fn sent(&self, operation: &str) -> usize {
        self.harness().journal().count(operation)
    }

    /// How many requests the fake was sent in all.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.harness().journal().entries().len()
    }
}

/// Calls by their samples; a question is answered with yes.
impl<S: Connector> Sandboxed<S> {
    /// The answer to a call.
    ///
    /// # Errors
    /// What the agent would read.
    ///
    /// # Panics
    /// If there is no such tool.
    pub async fn answer(&self, sample: &Sample) -> Result<Answer, Error> {
        self.answer_as(Principal::local(), sample, false).await
    }

    /// The answer to a call of somebody, which `answers` a question or not.
    ///
    /// # Errors
    /// What the agent would read.
    ///
    /// # Panics
    /// If there is no such tool.
    pub async fn answer_as(&self, who: Principal, sample: &Sample, answers: bool) -> Result<Answer, Error> {
        self.send(who, sample.tool, sample.arguments.clone(), answers, Arc::new(Silent)).await
    }

    async fn send(
        &self,
        who: Principal,
        tool: &str,
        arguments: Map<String, Value>,
        answers: bool,
        progress: Arc<dyn Progress>,
    ) -> Result<Answer, Error> {
        let tool = self.service.tool(tool).unwrap_or_else(|| panic!("there is no tool {tool}"));
        self.service.call(tool, who, arguments, answers, progress).await
    }

    /// The rendered reply to a call.
    ///
    /// # Errors
    /// What the agent would read.
    pub async fn try_call(&self, sample: &Sample) -> Result<Rendered, Error> {
        self.agreed(self.answer(sample).await?).await
    }

    async fn agreed(&self, answer: Answer) -> Result<Rendered, Error> {
        let reply = match answer {
            Answer::Reply(reply) => reply,
            Answer::Question(question) => {
                self.questions.fetch_add(1, Ordering::Relaxed);
                question.agreed().await?
            }
        };
        Ok(self.service.render(reply))
    }

    /// The rendered reply to a call that must not fail.
    ///
    /// # Panics
    /// If it fails.
    pub async fn call(&self, sample: &Sample) -> Rendered {
        self.try_call(sample)
            .await
            .unwrap_or_else(|error| panic!("{} {:?}: {error}", sample.tool, sample.arguments))
    }

    /// The error of a call that must fail.
    ///
    /// # Panics
    /// If it does not.
    pub async fn refusal(&self, sample: &Sample) -> Error {
        self.refuses(sample.tool, Value::Object(sample.arguments.clone())).await
    }
}

/// What the agent reads of calls, by the tool and its arguments; a question is answered with yes.
impl<S: Connector> Sandboxed<S> {
    /// The answer to a call.
    ///
    /// # Errors
    /// What the agent would read.
    ///
    /// # Panics
    /// If there is no such tool, or the arguments are not an object.
    pub async fn attempt(&self, tool: &str, arguments: Value) -> Result<Answer, Error> {
        self.attempt_telling(tool, arguments, Arc::new(Silent)).await
    }

    async fn attempt_telling(
        &self,
        tool: &str,
        arguments: Value,
        progress: Arc<dyn Progress>,
    ) -> Result<Answer, Error> {
        let Value::Object(arguments) = arguments else { panic!("the arguments of {tool} must be an object") };
        self.send(Principal::local(), tool, arguments, false, progress).await
    }

    async fn rendered(&self, tool: &str, arguments: Value) -> Result<Rendered, Error> {
        self.agreed(self.attempt(tool, arguments).await?).await
    }

    /// What the agent reads of a call.
    ///
    /// # Errors
    /// What the agent would read.
    pub async fn try_text(&self, tool: &str, arguments: Value) -> Result<String, Error> {
        self.rendered(tool, arguments).await.map(|reply| reply.text)
    }

    /// What the agent reads of a call that must not fail.
    ///
    /// # Panics
    /// If it fails.
    pub async fn text(&self, tool: &str, arguments: Value) -> String {
        let reply = self.rendered(tool, arguments).await;
        reply.unwrap_or_else(|error| panic!("{tool}: {}", error.for_agent())).text
    }

    /// What the agent reads, be it an error, which comes after `ERROR`.
    pub async fn reply(&self, tool: &str, arguments: Value) -> String {
        or_error(self.rendered(tool, arguments).await)
    }

    /// The same, and what the call tells on its way.
    pub async fn heard(&self, tool: &str, arguments: Value) -> (String, Vec<Said>) {
        let heard = Arc::new(Heard::default());
        let progress = Arc::clone(&heard) as Arc<dyn Progress>;
        let text = match self.attempt_telling(tool, arguments, progress).await {
            Ok(answer) => or_error(self.agreed(answer).await),
            Err(error) => or_error(Err(error)),
        };
        (text, heard.take())
    }

    /// The error of a call that must fail.
    ///
    /// # Panics
    /// If it does not.
    pub async fn refuses(&self, tool: &str, arguments: Value) -> Error {
        match self.rendered(tool, arguments).await {
            Ok(reply) => panic!("{tool} should have failed, and said {}", reply.text),
            Err(error) => error,
        }
    }

    /// The question of a call that must ask, to agree to later.
    ///
    /// # Panics
    /// If it does not ask.
    pub async fn open_question(&self, tool: &str, arguments: Value) -> Question {
        match self.attempt(tool, arguments).await {
            Ok(Answer::Question(question)) => question,
            other => panic!("{tool} does not ask: {other:?}"),
        }
    }

    /// What a call asks; none if it does not. The work of a call that asks is not done.
    ///
    /// # Panics
    /// If it fails.
    pub async fn question(&self, tool: &str, arguments: Value) -> Option<String> {
        match self.attempt(tool, arguments).await {
            Ok(Answer::Reply(_)) => None,
            Ok(Answer::Question(mut question)) => Some(self.service.render(question.take_preview()).text),
            Err(error) => panic!("{tool}: {}", error.for_agent()),
        }
    }

    /// What the agent reads of a call that must ask, where the client has no way to ask: it says how to call a second
    /// time.
    ///
    /// # Panics
    /// If it does not ask.
    pub async fn first_call(&self, tool: &str, arguments: Value) -> String {
        let question = self.open_question(tool, arguments).await;
        self.service.render(question.by_second_call(self.service.confirmations())).text
    }

    /// How many questions were answered with yes since this was asked last.
    #[must_use]
    pub fn questions(&self) -> usize {
        self.questions.swap(0, Ordering::Relaxed)
    }

    /// The pages of a listing, to its end.
    ///
    /// # Panics
    /// If one fails, or there are more than fifty.
    pub async fn pages(&self, tool: &str, mut arguments: Value) -> Vec<String> {
        let mut pages = vec![self.text(tool, arguments.clone()).await];
        while let Some(next) = pages.last().and_then(|page| cursor(page)) {
            arguments["cursor"] = json!(next);
            pages.push(self.text(tool, arguments.clone()).await);
            assert!(pages.len() < 50, "{tool} goes on for ever");
        }
        pages
    }
}

/// All but tools.
impl<S: Connector> Sandboxed<S> {
    /// What the agent reads of a resource.
    pub async fn read(&self, uri: &str) -> String {
        let reply = self.service.read(Principal::local(), uri).await;
        or_error(reply.map(|reply| self.service.render(reply)))
    }

    /// What the agent reads of a prompt.
    ///
    /// # Panics
    /// If there is no such prompt.
    pub async fn prompt(&self, name: &str, arguments: &[(&str, &str)]) -> String {
        let reply = self.service.prompt(Principal::local(), name, owned(arguments)).await;
        let reply = reply.unwrap_or_else(|| panic!("there is no prompt {name}"));
        or_error(reply.map(|reply| self.service.render(reply)))
    }

    /// What completes an argument.
    ///
    /// # Panics
    /// If it fails.
    pub async fn complete(&self, argument: &str, typed: &str, others: &[(&str, &str)]) -> Vec<String> {
        let found =
            self.service.complete(Principal::local(), argument, typed.to_owned(), owned(others)).await;
        found.expect("it can be completed")
    }
}

impl<S> fmt::Debug for Sandboxed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandboxed").field("running", &self.running).finish_non_exhaustive()
    }
}

/// What the agent reads, be it an error.
fn or_error(reply: Result<Rendered, Error>) -> String {
    reply.map_or_else(|error| format!("ERROR {}", error.for_agent()), |reply| reply.text)
}

/// Pairs, as the service takes them.
fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn sandbox_of<S: Connector>() -> crate::Sandbox {
    S::sandbox().expect("every server of the suite has a sandbox")
}

/// A server as `options` say, over a fake that runs.
fn serve<S: Connector>(
    options: Options,
    running: &Running,
    tune: impl FnOnce(&mut upstream::Options),
) -> Arc<Service<S>> {
    let parts = sandbox_of::<S>();
    let base = format!("{}{}", running.url().as_str().trim_end_matches('/'), parts.api_path);
    let base = Url::parse(&base).expect("a path of ours under an address of ours");
    let (key, value) = parts.credential;
    let mut config = Config::default();
    config.set("api-url", Setting::Text(base.to_string()));
    config.set("sandbox", Setting::Switch(options.settings.is_empty()));
    let credential = options.credential.unwrap_or(value);
    if options.settings.is_empty() && !credential.is_empty() {
        config.set(key, Setting::Secret(Secret::new(credential)));
    }
    for (key, value) in options.settings.into_iter().chain(options.more) {
        config.set(key, value);
    }
    let mut upstream = upstream::Options::new(base);
    upstream.read_only = options.selection.read_only;
    tune(&mut upstream);
    let server = S::connect(&config, upstream).expect("the sandbox's settings are good");
    let catalog = if options.shipped { S::catalog().as_shipped() } else { S::catalog() };
    let catalog = catalog.select(&options.selection).expect("the selection names what there is");
    let mut reply = ReplyOptions { structured: options.structured, ..ReplyOptions::default() };
    if options.budget > 0 {
        reply.budget = options.budget;
    }
    let options = ServiceOptions {
        policy: Policy::new(options.selection.read_only, options.allow_destructive).strictly(options.strict),
        reply,
        prefix: options.prefix.to_owned(),
        sandbox: true,
        keys: options.keys,
    };
    Arc::new(Service::new(server, catalog, options))
}
