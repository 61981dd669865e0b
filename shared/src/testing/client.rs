//! A modern client of a server, over a pipe.

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

/// A client at its end of the pipe.
#[derive(Debug)]
pub struct Client {
    write: DuplexStream,
    read: Lines<BufReader<DuplexStream>>,
    last_id: u64,
}

impl Client {
    /// A client of `service`, which is served until the client is dropped.
    #[must_use]
    pub fn of<S: Connector>(service: &Arc<Service<S>>) -> Self {
        let (write, server_read) = duplex(64 * 1024);
        let (server_write, read) = duplex(64 * 1024);
        tokio::spawn(pipes(
            Arc::clone(service),
            StdioOptions::default(),
            server_read,
            server_write,
            pending(),
        ));
        Self { write, read: BufReader::new(read).lines(), last_id: 0 }
    }

    /// Sends a request, and returns its id.
    ///
    /// # Panics
    /// If the server no longer reads.
    pub async fn send(&mut self, method: &str, mut params: Value) -> u64 {
        self.last_id += 1;
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
        let request = json!({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params});
        self.write.write_all(format!("{request}\n").as_bytes()).await.expect("the server reads");
        self.last_id
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
