//! A server over its own fake, in one process.

use std::{net::SocketAddr, sync::Arc};

use connector::{
    Connector as _, Error, Secret, Service, ServiceOptions,
    access::{Policy, Principal, Selection},
    catalog::{Answer, Silent},
    sandbox::{self, Entry, Running},
    settings::{Config, Value as Setting},
    upstream,
};
use hubspot_mcp::HubSpot;
use serde_json::{Value, json};
use url::Url;

/// A server over its own fake.
pub(crate) struct Office {
    service: Arc<Service<HubSpot>>,
    fake: Arc<dyn sandbox::Fake>,
    running: Running,
}

impl Office {
    /// Over the story, with every toolset.
    pub(crate) async fn open() -> Self {
        Self::over(hubspot_mcp::sandbox::seed(), &[]).await
    }

    /// Over the story as `change` has it.
    pub(crate) async fn changed(change: impl FnOnce(&mut Value)) -> Self {
        let mut seed = hubspot_mcp::sandbox::seed();
        change(&mut seed);
        Self::over(seed, &[]).await
    }

    /// Over a seed, with settings.
    pub(crate) async fn over(seed: Value, settings: &[(&'static str, Setting)]) -> Self {
        Self::tuned(seed, settings, |_| {}).await
    }

    /// Over a seed, with settings, its pipeline tuned by `tune`.
    pub(crate) async fn tuned(
        seed: Value,
        settings: &[(&'static str, Setting)],
        tune: impl FnOnce(&mut upstream::Options),
    ) -> Self {
        let fake = hubspot_mcp::sandbox::with_seed(seed.to_string());
        let running = sandbox::start(Arc::clone(&fake), SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let base = Url::parse(running.url().as_str().trim_end_matches('/')).unwrap();
        let mut config = Config::default();
        config.set("sandbox", Setting::Switch(true));
        config.set("access-token", Setting::Secret(Secret::new("pat-na1-sandbox")));
        for (key, value) in settings {
            config.set(key, value.clone());
        }
        let mut options = upstream::Options::new(base);
        tune(&mut options);
        let server = HubSpot::connect(&config, options).unwrap();
        let selection = Selection { toolsets: vec!["all".to_owned()], ..Selection::default() };
        let catalog = HubSpot::catalog().select(&selection).unwrap();
        let options =
            ServiceOptions { policy: Policy::default(), sandbox: true, ..ServiceOptions::default() };
        Self { service: Arc::new(Service::new(server, catalog, options)), fake, running }
    }

    async fn answer(&self, tool: &str, arguments: Value, confirmed: bool) -> Result<Answer, Error> {
        let tool = self.service.tool(tool).unwrap_or_else(|| panic!("there is no tool {tool}"));
        let arguments = arguments.as_object().cloned().unwrap();
        let answer = self.service.call(tool, Principal::local(), arguments, false, Arc::new(Silent)).await?;
        match answer {
            Answer::Question(question) if confirmed => question.agreed().await.map(Answer::Reply),
            answer => Ok(answer),
        }
    }

    /// The text of a reply, or the error. A question is answered with yes.
    pub(crate) async fn try_call(&self, tool: &str, arguments: Value) -> Result<String, Error> {
        let reply = match self.answer(tool, arguments, true).await? {
            Answer::Reply(reply) => reply,
            Answer::Question(question) => question.agreed().await?,
        };
        Ok(self.service.render(reply).text)
    }

    /// The text of a reply, or of an error. A question is answered with yes.
    pub(crate) async fn says(&self, tool: &str, arguments: Value) -> String {
        match self.answer(tool, arguments, true).await {
            Ok(Answer::Reply(reply)) => self.service.render(reply).text,
            Ok(Answer::Question(question)) => self.service.render(question.agreed().await.unwrap()).text,
            Err(error) => error.for_agent(),
        }
    }

    /// The reply of a call that must not fail.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> String {
        match self.answer(tool, arguments.clone(), true).await {
            Ok(Answer::Reply(reply)) => self.service.render(reply).text,
            Ok(Answer::Question(question)) => self.service.render(question.agreed().await.unwrap()).text,
            Err(error) => panic!("{tool} {arguments}: {error}"),
        }
    }

    /// The error of a call that must fail.
    pub(crate) async fn refusal(&self, tool: &str, arguments: Value) -> Error {
        match self.answer(tool, arguments.clone(), true).await {
            Err(error) => error,
            Ok(Answer::Reply(reply)) => {
                panic!("{tool} {arguments} should fail: {}", self.service.render(reply).text)
            }
            Ok(Answer::Question(_)) => panic!("{tool} asks"),
        }
    }

    /// The preview of a call that must ask first, with the value that confirms it.
    pub(crate) async fn question(&self, tool: &str, arguments: Value) -> (String, String) {
        match self.answer(tool, arguments, false).await {
            Ok(Answer::Question(question)) => {
                let text = self.service.render(question.by_second_call(self.service.confirmations())).text;
                let value = text.split("\"confirm\": \"").nth(1).and_then(|rest| rest.split('"').next());
                let value = value.unwrap().to_owned();
                (text, value)
            }
            Ok(Answer::Reply(reply)) => panic!("{tool} does not ask: {}", self.service.render(reply).text),
            Err(error) => panic!("{tool}: {error}"),
        }
    }

    /// Steers the fake.
    pub(crate) async fn steer(&self, changes: Value) {
        let url = format!("{}_hubspot/account", self.running.url());
        let answer = client().post(url).json(&changes).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    pub(crate) fn harness(&self) -> &sandbox::Harness {
        self.running.harness()
    }

    pub(crate) fn dump(&self) -> Value {
        self.fake.dump()
    }

    /// The requests for an operation.
    pub(crate) fn sent(&self, operation: &str) -> Vec<Entry> {
        self.harness().journal().entries().into_iter().filter(|entry| entry.operation == operation).collect()
    }

    /// The body of the last request for an operation.
    pub(crate) fn last(&self, operation: &str) -> Value {
        let sent = self.sent(operation);
        let last = sent.last().unwrap_or_else(|| panic!("nobody asked {operation}"));
        serde_json::from_str(&last.body).unwrap()
    }

    pub(crate) fn count(&self, object: &str) -> usize {
        self.dump()["objects"][object]
            .as_array()
            .map_or(0, |rows| rows.iter().filter(|row| row["archivedAt"].is_null()).count())
    }

    /// A record of the dump.
    pub(crate) fn record(&self, object: &str, id: &str) -> Value {
        let dump = self.dump();
        dump["objects"][object]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["id"] == id)
            .cloned()
            .unwrap_or_default()
    }
}

/// A client of HTTP.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::new()
}

/// The rows of a reply: what is inside its fence.
pub(crate) fn rows(text: &str) -> Vec<&str> {
    text.lines()
        .skip_while(|line| !line.starts_with("<data "))
        .skip(1)
        .take_while(|line| !line.starts_with("</data "))
        .collect()
}

/// Another record in a seed.
pub(crate) fn add(seed: &mut Value, object: &str, id: &str, properties: Value) {
    let row = json!({"id": id, "properties": properties, "createdAt": "D-3T09:00", "updatedAt": "D-2T09:00"});
    let table = &mut seed["objects"][object];
    if table.is_null() {
        *table = json!([]);
    }
    table.as_array_mut().unwrap().push(row);
}

pub(crate) const SEARCH: &str = "POST /crm/objects/{objectType}/search";
pub(crate) const READ: &str = "POST /crm/objects/{objectType}/batch/read";
pub(crate) const CREATE: &str = "POST /crm/objects/{objectType}/batch/create";
pub(crate) const UPDATE: &str = "POST /crm/objects/{objectType}/batch/update";
