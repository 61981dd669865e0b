//! A server over its own fake: the real pipeline, over real HTTP, in one process.

use std::{net::SocketAddr, sync::Arc};

use connector::{
    Connector, Error, Service, ServiceOptions,
    access::{KeyRing, Policy, Principal, Selection},
    catalog::{Answer, Rendered, ReplyOptions, Silent},
    sandbox::{self, Harness, Running},
    settings::{Config, Value as Setting},
    upstream,
};
use serde_json::Value;
use url::Url;

use crate::Sample;

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
    /// The credential, instead of the one that the fake accepts; empty for none.
    pub credential: Option<&'static str>,
    /// Settings as for the real vendor, instead of the sandbox's credential.
    pub settings: Vec<(&'static str, Setting)>,
}

/// A server over its own fake.
pub struct Sandboxed<S> {
    service: Arc<Service<S>>,
    fake: Arc<dyn sandbox::Fake>,
    running: Running,
}

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
        let parts = S::sandbox().expect("every server of the suite has a sandbox");
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let running =
            sandbox::start(Arc::clone(&parts.fake), loopback).await.expect("loopback has a free port");
        let base = join(&running.url(), parts.api_path);
        Self { service: serve(options, base, parts.credential, tune), fake: parts.fake, running }
    }

    /// Somebody else at the same vendor: another server, which shares nothing with this one but the fake.
    #[must_use]
    pub fn colleague(&self, options: Options) -> Arc<Service<S>> {
        let parts = S::sandbox().expect("every server of the suite has a sandbox");
        serve(options, join(&self.running.url(), parts.api_path), parts.credential, |_| {})
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &Arc<Service<S>> {
        &self.service
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
        let tool =
            self.service.tool(sample.tool).unwrap_or_else(|| panic!("there is no tool {}", sample.tool));
        self.service.call(tool, who, sample.arguments.clone(), answers, Arc::new(Silent)).await
    }

    /// The rendered reply to a call; a question is answered with yes.
    ///
    /// # Errors
    /// What the agent would read.
    pub async fn try_call(&self, sample: &Sample) -> Result<Rendered, Error> {
        match self.answer(sample).await? {
            Answer::Reply(reply) => Ok(self.service.render(reply)),
            Answer::Question(question) => question.agreed().await.map(|reply| self.service.render(reply)),
        }
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
        match self.try_call(sample).await {
            Ok(reply) => panic!("{} should have failed, but said: {}", sample.tool, reply.text),
            Err(error) => error,
        }
    }
}

impl<S> std::fmt::Debug for Sandboxed<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandboxed").field("running", &self.running).finish_non_exhaustive()
    }
}

/// `path` under `base`.
fn join(base: &Url, path: &str) -> Url {
    let address = format!("{}{path}", base.as_str().trim_end_matches('/'));
    Url::parse(&address).expect("a path of ours under an address of ours")
}

/// A server as `options` say, at `base`.
fn serve<S: Connector>(
    options: Options,
    base: Url,
    credential: (&'static str, &'static str),
    tune: impl FnOnce(&mut upstream::Options),
) -> Arc<Service<S>> {
    let (key, value) = credential;
    let mut config = Config::default();
    config.set("api-url", Setting::Text(base.to_string()));
    config.set("sandbox", Setting::Switch(options.settings.is_empty()));
    let credential = options.credential.unwrap_or(value);
    if options.settings.is_empty() && !credential.is_empty() {
        config.set(key, Setting::Secret(connector::Secret::new(credential)));
    }
    for (key, value) in options.settings {
        config.set(key, value);
    }
    let mut upstream = upstream::Options::new(base);
    upstream.read_only = options.selection.read_only;
    tune(&mut upstream);
    let server = S::connect(&config, upstream).expect("the sandbox's settings are good");
    let catalog = S::catalog().select(&options.selection).expect("the selection names what there is");
    let mut reply = ReplyOptions { structured: options.structured, ..ReplyOptions::default() };
    if options.budget > 0 {
        reply.budget = options.budget;
    }
    let service = Service::new(
        server,
        catalog,
        ServiceOptions {
            policy: Policy::new(options.selection.read_only, options.allow_destructive),
            reply,
            prefix: options.prefix.to_owned(),
            sandbox: true,
            keys: KeyRing::default(),
        },
    );
    Arc::new(service)
}
