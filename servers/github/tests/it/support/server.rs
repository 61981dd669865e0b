//! The server over the fake, through the real pipeline, called as a client would.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use connector::{
    Check, Connector as _, Error, Secret, Service, ServiceOptions,
    access::{Policy, Principal},
    catalog::{Answer, Progress, Question, Reply, ReplyOptions, Silent},
    sandbox::{Action, Harness, Rule},
    settings::{Config, Value as Setting},
    upstream::Options,
};
use futures::future::BoxFuture;
use github_mcp::GitHub;
use serde_json::{Map, Value, json};

use super::{
    REPO,
    fake::Sandbox,
    pipe::Client,
    reply::{cursor, still},
    schema::misfit,
};

/// How a site is set up: with Maya's token, free to read and write everything, unless it is said otherwise.
#[derive(Default)]
pub(crate) struct Setup {
    token: Option<&'static str>,
    settings: Vec<(&'static str, Setting)>,
    structured: bool,
    budget: Option<usize>,
}

impl Setup {
    /// Calls must name their repository.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Calls that name no repository mean the story's.
    pub(crate) fn in_repo() -> Self {
        Self::new().set("repo", Setting::Text(REPO.to_owned()))
    }

    /// Another token.
    pub(crate) fn token(mut self, token: &'static str) -> Self {
        self.token = Some(token);
        self
    }

    /// A setting.
    pub(crate) fn set(mut self, key: &'static str, value: Setting) -> Self {
        self.settings.push((key, value));
        self
    }

    /// A setting that is a list.
    pub(crate) fn list(self, key: &'static str, items: &[&str]) -> Self {
        self.set(key, Setting::List(items.iter().map(ToString::to_string).collect()))
    }

    /// Whether data goes out as structured content.
    pub(crate) fn structured(mut self, structured: bool) -> Self {
        self.structured = structured;
        self
    }

    /// Bytes in a reply.
    pub(crate) fn budget(mut self, bytes: usize) -> Self {
        self.budget = Some(bytes);
        self
    }

    /// Starts the fake, and the server over it.
    pub(crate) async fn start(self) -> Site {
        let fake = GitHub::sandbox().expect("the sandbox is built in");
        let sandbox = Sandbox::over(fake.fake).await;
        let mut config = Config::default();
        let (key, value) = fake.credential;
        if !self.settings.iter().any(|(name, _)| *name == "app-id") {
            config.set(key, Setting::Secret(Secret::new(self.token.unwrap_or(value))));
        }
        for (key, value) in self.settings {
            config.set(key, value);
        }
        let url = sandbox.running.url().join(fake.api_path).unwrap();
        let server = GitHub::connect(&config, Options::new(url)).unwrap();
        let mut reply = ReplyOptions { structured: self.structured, ..ReplyOptions::default() };
        reply.budget = self.budget.unwrap_or(reply.budget);
        let options = ServiceOptions {
            policy: Policy::new(false, false),
            reply,
            sandbox: true,
            ..ServiceOptions::default()
        };
        let service = Arc::new(Service::new(server, GitHub::catalog(), options));
        Site { service, sandbox, asked: Cell::new(0) }
    }
}

/// A site where calls must name their repository.
pub(crate) async fn site() -> Site {
    Setup::new().start().await
}

/// A site where calls that name no repository mean the story's.
pub(crate) async fn site_in_repo() -> Site {
    Setup::in_repo().start().await
}

/// The server, and the fake GitHub it talks to.
pub(crate) struct Site {
    service: Arc<Service<GitHub>>,
    /// The fake.
    pub(crate) sandbox: Sandbox,
    asked: Cell<usize>,
}

/// Calling tools; a question is answered with yes.
impl Site {
    /// What the agent reads of a call that must succeed.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> String {
        let text = self.attempt(tool, arguments, Arc::new(Silent)).await;
        text.unwrap_or_else(|error| panic!("{tool}: {}", error.for_agent()))
    }

    /// What the agent reads, be it an error, which comes after `ERROR`.
    pub(crate) async fn reply(&self, tool: &str, arguments: Value) -> String {
        or_error(self.attempt(tool, arguments, Arc::new(Silent)).await)
    }

    /// The same without what differs from run to run, for snapshots.
    pub(crate) async fn still(&self, tool: &str, arguments: Value) -> String {
        still(&self.reply(tool, arguments).await)
    }

    /// The same, and what the call tells on its way.
    pub(crate) async fn watch(&self, tool: &str, arguments: Value) -> (String, Vec<Said>) {
        let heard = Arc::new(Heard::default());
        let text = or_error(self.attempt(tool, arguments, Arc::clone(&heard) as Arc<dyn Progress>).await);
        let said = std::mem::take(&mut *heard.0.lock().unwrap());
        (text, said)
    }

    /// The pages of a listing, to its end.
    pub(crate) async fn pages(&self, tool: &str, mut arguments: Value) -> Vec<String> {
        let mut pages = vec![self.call(tool, arguments.clone()).await];
        while let Some(next) = cursor(pages.last().unwrap()) {
            arguments["cursor"] = json!(next);
            pages.push(self.call(tool, arguments.clone()).await);
            assert!(pages.len() < 50, "{tool} goes on for ever");
        }
        pages
    }

    /// The error of a call that must fail.
    pub(crate) async fn refusal(&self, tool: &str, arguments: Value) -> Error {
        match self.attempt(tool, arguments, Arc::new(Silent)).await {
            Ok(text) => panic!("{tool} should have failed, and said {text}"),
            Err(error) => error,
        }
    }

    /// What the agent reads of a call that must fail.
    pub(crate) async fn refused(&self, tool: &str, arguments: Value) -> String {
        self.refusal(tool, arguments).await.for_agent()
    }

    /// The structured content of a reply, which must be as the tool's schema says.
    pub(crate) async fn data(&self, tool: &str, arguments: Value) -> Value {
        let answer = self.answer(tool, arguments, Arc::new(Silent)).await.unwrap();
        let Answer::Reply(reply) = answer else { panic!("{tool} asked") };
        let data = self.service.render(reply).structured.expect("there is structured content");
        let schema = self.service.tool(tool).unwrap().output_schema().expect("the tool has a schema");
        if let Some(misfit) = misfit(tool, &data, &Value::Object(schema)) {
            panic!("{misfit}");
        }
        data
    }

    /// Calls, and agrees to what is asked.
    async fn attempt(
        &self,
        tool: &str,
        arguments: Value,
        progress: Arc<dyn Progress>,
    ) -> Result<String, Error> {
        match self.answer(tool, arguments, progress).await? {
            Answer::Reply(reply) => Ok(self.text(reply)),
            Answer::Question(question) => {
                self.asked.set(self.asked.get() + 1);
                Ok(self.text(question.agreed().await?))
            }
        }
    }

    /// Calls.
    async fn answer(
        &self,
        tool: &str,
        arguments: Value,
        progress: Arc<dyn Progress>,
    ) -> Result<Answer, Error> {
        let tool = self.service.tool(tool).unwrap_or_else(|| panic!("there is no tool {tool}"));
        let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
        self.service.call(tool, Principal::local(), arguments, false, progress).await
    }

    /// A reply as the agent reads it.
    fn text(&self, reply: Reply) -> String {
        self.service.render(reply).text
    }
}

/// What calls ask before they do their work.
impl Site {
    /// What a call asks; none if it does not. The work is not done.
    pub(crate) async fn question(&self, tool: &str, arguments: Value) -> Option<String> {
        match self.answer(tool, arguments, Arc::new(Silent)).await.unwrap() {
            Answer::Reply(_) => None,
            Answer::Question(mut question) => Some(self.text(question.take_preview())),
        }
    }

    /// Whether a call asks. If it does, the work is not done.
    pub(crate) async fn asks(&self, tool: &str, arguments: Value) -> bool {
        self.question(tool, arguments).await.is_some()
    }

    /// The question of a call that must ask, to agree to later.
    pub(crate) async fn open_question(&self, tool: &str, arguments: Value) -> Question {
        match self.answer(tool, arguments, Arc::new(Silent)).await {
            Ok(Answer::Question(question)) => question,
            other => panic!("{tool} does not ask: {other:?}"),
        }
    }

    /// What the agent reads of a call that must ask, where the client has no way to ask: it says how to call
    /// a second time.
    pub(crate) async fn first_call(&self, tool: &str, arguments: Value) -> String {
        let question = self.open_question(tool, arguments).await;
        self.text(question.by_second_call(self.service.confirmations()))
    }

    /// How often calls asked since this was asked last.
    pub(crate) fn asked(&self) -> usize {
        self.asked.take()
    }
}

/// All but tools.
impl Site {
    /// Reads a resource.
    pub(crate) async fn read(&self, uri: &str) -> String {
        let reply = self.service.read(Principal::local(), uri).await;
        or_error(reply.map(|reply| self.text(reply)))
    }

    /// Gets a prompt.
    pub(crate) async fn prompt(&self, name: &str, arguments: &[(&str, &str)]) -> String {
        let reply = self.service.prompt(Principal::local(), name, owned(arguments)).await;
        or_error(reply.unwrap_or_else(|| panic!("no prompt {name}")).map(|reply| self.text(reply)))
    }

    /// Completes an argument.
    pub(crate) async fn complete(&self, argument: &str, typed: &str, others: &[(&str, &str)]) -> Vec<String> {
        self.service.complete(Principal::local(), argument, typed.to_owned(), owned(others)).await.unwrap()
    }

    /// What `doctor` finds.
    pub(crate) async fn diagnose(&self) -> Vec<Check> {
        self.service.server().diagnose().await
    }
}

/// What goes over the wire.
impl Site {
    /// A client at the other end of a pipe.
    pub(crate) fn client(&self) -> Client {
        Client::of(&self.service)
    }

    /// The fake's clock, faults and journal.
    pub(crate) fn harness(&self) -> &Harness {
        self.sandbox.harness()
    }

    /// How many requests of an operation the fake was sent.
    pub(crate) fn sent(&self, operation: &str) -> usize {
        self.harness().journal().count(operation)
    }

    /// How many requests the fake was sent in all.
    pub(crate) fn requests(&self) -> usize {
        self.harness().journal().entries().len()
    }

    /// The operations that the fake was sent and that are no reads.
    pub(crate) fn writes(&self) -> Vec<String> {
        let reads = ["GET ", "Blame", "POST /repos/{owner}/{repo}/releases/generate-notes"];
        let all = self.harness().journal().operations();
        all.into_iter().filter(|operation| !reads.iter().any(|read| operation.starts_with(read))).collect()
    }

    /// The next request of an operation goes wrong.
    pub(crate) fn fault(&self, operation: &str, action: Action) {
        self.rule(Rule::new(operation, action));
    }

    /// Requests go wrong as a rule says.
    pub(crate) fn rule(&self, rule: Rule) {
        self.harness().faults().add(rule);
    }
}

/// Arguments with the repository of the story.
pub(crate) fn with_repo(mut arguments: Value) -> Value {
    arguments["repo"] = json!(REPO);
    arguments
}

/// Arguments for a commit to a branch that nobody protects.
pub(crate) fn commit(changes: Value) -> Value {
    with_repo(json!({"branch": "release/2.14", "message": "Change it\n\nBecause.", "changes": changes}))
}

/// Something that a call told on its way.
#[derive(Debug)]
pub(crate) struct Said {
    /// How much is done.
    pub(crate) done: u32,
    /// Of how much.
    pub(crate) total: Option<u32>,
    /// In words.
    pub(crate) message: String,
}

/// Keeps what calls tell on their way.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<Said>>);

impl Progress for Heard {
    fn report<'a>(&'a self, done: u32, total: Option<u32>, message: &'a str) -> BoxFuture<'a, ()> {
        self.0.lock().unwrap().push(Said { done, total, message: message.to_owned() });
        Box::pin(std::future::ready(()))
    }
}

/// What the agent reads, be it an error.
fn or_error(text: Result<String, Error>) -> String {
    text.unwrap_or_else(|error| format!("ERROR {}", error.for_agent()))
}

/// Pairs, as the service takes them.
fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
