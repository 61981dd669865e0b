//! The server over the fake, called as a client would.

use std::ops::Deref;

use connector::{
    Check, Connector as _, Error, Secret,
    catalog::Answer,
    sandbox::{Action, Rule},
    settings::Value as Setting,
    testing::{Options, Sandboxed},
};
use github_mcp::GitHub;
use serde_json::{Value, json};

use super::{REPO, fake::Sandbox, reply::still, schema::misfit};

/// How a site is set up: with Maya's token, free to read and write everything, unless it is said otherwise.
pub(crate) struct Setup(Options);

impl Setup {
    /// Calls must name their repository.
    pub(crate) fn new() -> Self {
        Self(Options::everything())
    }

    /// Calls that name no repository mean the story's.
    pub(crate) fn in_repo() -> Self {
        Self::new().set("repo", Setting::Text(REPO.to_owned()))
    }

    /// Another token.
    pub(crate) fn token(mut self, token: &'static str) -> Self {
        self.0.credential = Some(token);
        self
    }

    /// A setting.
    pub(crate) fn set(mut self, key: &'static str, value: Setting) -> Self {
        self.0.more.push((key, value));
        self
    }

    /// A setting that is a list.
    pub(crate) fn list(self, key: &'static str, items: &[&str]) -> Self {
        self.set(key, Setting::List(items.iter().map(ToString::to_string).collect()))
    }

    /// Whether data goes out as structured content.
    pub(crate) fn structured(mut self, structured: bool) -> Self {
        self.0.structured = structured;
        self
    }

    /// Bytes in a reply.
    pub(crate) fn budget(mut self, bytes: usize) -> Self {
        self.0.budget = bytes;
        self
    }

    /// Starts the fake, and the server over it.
    pub(crate) async fn start(mut self) -> Site {
        // As for GitHub itself; an app's key takes the token's place.
        if !self.0.more.iter().any(|(name, _)| *name == "app-id") {
            let (key, value) = GitHub::sandbox().expect("the sandbox is built in").credential;
            let token = Secret::new(self.0.credential.unwrap_or(value));
            self.0.settings.push((key, Setting::Secret(token)));
        }
        self.0.settings.append(&mut self.0.more);
        let server = Sandboxed::start_with(self.0).await;
        let sandbox = Sandbox::beside(server.running(), server.fake());
        Site { server, sandbox }
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
    server: Sandboxed<GitHub>,
    /// The fake.
    pub(crate) sandbox: Sandbox,
}

impl Deref for Site {
    type Target = Sandboxed<GitHub>;

    fn deref(&self) -> &Self::Target {
        &self.server
    }
}

impl Site {
    /// What the agent reads of a call that must succeed.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> String {
        self.text(tool, arguments).await
    }

    /// What the agent reads, without what differs from run to run, for snapshots.
    pub(crate) async fn still(&self, tool: &str, arguments: Value) -> String {
        still(&self.reply(tool, arguments).await)
    }

    /// The error of a call that must fail.
    pub(crate) async fn refusal(&self, tool: &str, arguments: Value) -> Error {
        self.refuses(tool, arguments).await
    }

    /// What the agent reads of a call that must fail.
    pub(crate) async fn refused(&self, tool: &str, arguments: Value) -> String {
        self.refuses(tool, arguments).await.for_agent()
    }

    /// Whether a call asks. If it does, the work is not done.
    pub(crate) async fn asks(&self, tool: &str, arguments: Value) -> bool {
        self.question(tool, arguments).await.is_some()
    }

    /// The structured content of a reply, which must be as the tool's schema says.
    pub(crate) async fn data(&self, tool: &str, arguments: Value) -> Value {
        let answer = self.attempt(tool, arguments).await.unwrap();
        let Answer::Reply(reply) = answer else { panic!("{tool} asked") };
        let data = self.service().render(reply).structured.expect("there is structured content");
        let schema = self.service().tool(tool).unwrap().output_schema().expect("the tool has a schema");
        if let Some(misfit) = misfit(tool, &data, &Value::Object(schema)) {
            panic!("{misfit}");
        }
        data
    }

    /// What `doctor` finds.
    pub(crate) async fn diagnose(&self) -> Vec<Check> {
        self.service().server().diagnose().await
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
