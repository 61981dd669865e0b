//! A client of a server, over a pipe: of either era, with or without a way to ask a person.

use std::{future::pending, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, duplex},
    time::timeout,
};

use crate::{
    Connector, Service,
    serve::{StdioOptions, pipes},
};

/// How long a client waits for a message. Time that is paused runs while it does.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// Which protocol a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// 2026-07-28: every request says what it speaks.
    Modern,
    /// 2025-11-25: said once, at the beginning.
    Legacy,
}

/// A client at its end of the pipe.
#[derive(Debug)]
pub struct Client {
    write: DuplexStream,
    read: Lines<BufReader<DuplexStream>>,
    last_id: u64,
    era: Era,
    capabilities: Value,
}

impl Client {
    /// A modern client of `service` without any capability, which is served until the client is dropped.
    #[must_use]
    pub fn of<S: Connector>(service: &Arc<Service<S>>) -> Self {
        Self::new(service, Era::Modern, json!({}))
    }

    /// A client of `era`, which `asks` a person where the server wants it, or cannot.
    ///
    /// # Panics
    /// If the server does not speak the era.
    pub async fn speaking<S: Connector>(service: &Arc<Service<S>>, era: Era, asks: bool) -> Self {
        let capabilities = if asks { json!({"elicitation": {}}) } else { json!({}) };
        let mut client = Self::new(service, era, capabilities);
        if era == Era::Legacy {
            let params = json!({
                "protocolVersion": "2025-11-25",
                "capabilities": client.capabilities.clone(),
                "clientInfo": {"name": "test", "version": "1"},
            });
            client.send("initialize", params).await;
            let said = client.next().await;
            assert_eq!(said["result"]["protocolVersion"], "2025-11-25", "{said}");
            client.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        }
        client
    }

    fn new<S: Connector>(service: &Arc<Service<S>>, era: Era, capabilities: Value) -> Self {
        let (write, server_read) = duplex(64 * 1024);
        let (server_write, read) = duplex(64 * 1024);
        tokio::spawn(pipes(
            Arc::clone(service),
            StdioOptions::default(),
            server_read,
            server_write,
            pending(),
        ));
        Self { write, read: BufReader::new(read).lines(), last_id: 0, era, capabilities }
    }

    /// Sends a request, and returns its id.
    ///
    /// # Panics
    /// If the server no longer reads.
    pub async fn send(&mut self, method: &str, mut params: Value) -> u64 {
        self.last_id += 1;
        if self.era == Era::Modern {
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
        }
        let request = json!({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params});
        self.say(&request).await;
        self.last_id
    }

    /// Sends a message as it is: a notification, or the answer to a request of the server.
    ///
    /// # Panics
    /// If the server no longer reads.
    pub async fn say(&mut self, message: &Value) {
        self.write.write_all(format!("{message}\n").as_bytes()).await.expect("the server reads");
    }

    /// The next message of the server.
    ///
    /// # Panics
    /// If there is none, or it is no JSON.
    pub async fn next(&mut self) -> Value {
        let line = timeout(PATIENCE, self.read.next_line()).await.expect("the server says nothing");
        let line = line.expect("the pipe can be read").expect("the server hung up");
        serde_json::from_str(&line).expect("a message is JSON")
    }

    /// Subscribes to `uris`, and returns those that are acknowledged.
    ///
    /// # Panics
    /// If the next message is another.
    pub async fn subscribe(&mut self, uris: &[&str]) -> Vec<String> {
        let wanted = json!({"notifications": {"resourceSubscriptions": uris}});
        self.send("subscriptions/listen", wanted).await;
        let said = self.next().await;
        assert_eq!(said["method"], "notifications/subscriptions/acknowledged", "{said}");
        let uris = said["params"]["notifications"]["resourceSubscriptions"].as_array().cloned();
        uris.unwrap_or_default().iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// The address of what the next message says has changed.
    ///
    /// # Panics
    /// If the next message is another.
    pub async fn news(&mut self) -> String {
        let said = self.next().await;
        assert_eq!(said["method"], "notifications/resources/updated", "{said}");
        said["params"]["uri"].as_str().unwrap_or_default().to_owned()
    }

    /// Nothing was said: the next message is the answer to a request.
    ///
    /// # Panics
    /// If something was said.
    pub async fn nothing_new(&mut self) {
        let id = self.send("server/discover", json!({})).await;
        let said = self.next().await;
        assert_eq!(said["id"], id, "{said}");
    }
}
