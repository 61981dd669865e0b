//! A server over its own fake, in one process.

use std::ops::Deref;

pub(crate) use connector::testing::rows;
use connector::{
    Error,
    sandbox::Entry,
    settings::Value as Setting,
    testing::{Options, Sandboxed, confirm},
    upstream,
};
use hubspot_mcp::HubSpot;
use serde_json::{Value, json};

/// A server over its own fake.
pub(crate) struct Office(Sandboxed<HubSpot>);

impl Deref for Office {
    type Target = Sandboxed<HubSpot>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
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
        let options = Options { more: settings.to_vec(), ..Options::everything() };
        Self(Sandboxed::start_over(fake, options, tune).await)
    }

    /// Over a seed, with options of the server.
    pub(crate) async fn with(seed: Value, options: Options) -> Self {
        let fake = hubspot_mcp::sandbox::with_seed(seed.to_string());
        Self(Sandboxed::start_over(fake, options, |_| {}).await)
    }

    /// The text of a reply, or the error. A question is answered with yes.
    pub(crate) async fn try_call(&self, tool: &str, arguments: Value) -> Result<String, Error> {
        self.try_text(tool, arguments).await
    }

    /// The text of a reply, or of an error. A question is answered with yes.
    pub(crate) async fn says(&self, tool: &str, arguments: Value) -> String {
        self.reply(tool, arguments).await
    }

    /// The reply of a call that must not fail.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> String {
        self.text(tool, arguments).await
    }

    /// The error of a call that must fail.
    pub(crate) async fn refusal(&self, tool: &str, arguments: Value) -> Error {
        self.refuses(tool, arguments).await
    }

    /// The preview of a call that must ask first, with the value that confirms it.
    pub(crate) async fn question(&self, tool: &str, arguments: Value) -> (String, String) {
        let text = self.first_call(tool, arguments).await;
        let value = confirm(&text).to_owned();
        (text, value)
    }

    /// Steers the fake.
    pub(crate) async fn steer(&self, changes: Value) {
        let url = format!("{}_hubspot/account", self.running().url());
        let answer = client().post(url).json(&changes).send().await.unwrap();
        assert!(answer.status().is_success());
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

/// A client of HTTP alone: to read the system's authorities would take longer than a request.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
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
