//! A modern client of the server, over a pipe.

use std::{future::pending, sync::Arc, time::Duration};

use connector::{
    Service,
    serve::{StdioOptions, pipes},
};
use github_mcp::GitHub;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, duplex},
    time::timeout,
};

/// How long a client waits for a message. Time that is paused runs while it does.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// A client at its end of the pipe.
pub(crate) struct Client {
    write: DuplexStream,
    read: Lines<BufReader<DuplexStream>>,
    asked: u64,
}

impl Client {
    /// A client of `service`, which is served until the client is dropped.
    pub(crate) fn of(service: &Arc<Service<GitHub>>) -> Self {
        let (write, server_read) = duplex(64 * 1024);
        let (server_write, read) = duplex(64 * 1024);
        tokio::spawn(pipes(
            Arc::clone(service),
            StdioOptions::default(),
            server_read,
            server_write,
            pending(),
        ));
        Self { write, read: BufReader::new(read).lines(), asked: 0 }
    }

    /// Sends a request, and returns its id.
    pub(crate) async fn send(&mut self, method: &str, mut params: Value) -> u64 {
        self.asked += 1;
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
        let request = json!({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params});
        self.write.write_all(format!("{request}\n").as_bytes()).await.unwrap();
        self.asked
    }

    /// The next message of the server.
    pub(crate) async fn next(&mut self) -> Value {
        let line = timeout(PATIENCE, self.read.next_line()).await.expect("the server says nothing");
        let line = line.unwrap().expect("the server hung up");
        serde_json::from_str(&line).unwrap()
    }

    /// Watches `uris`, and returns those that are acknowledged.
    pub(crate) async fn watch(&mut self, uris: &[&str]) -> Vec<String> {
        let wanted = json!({"notifications": {"resourceSubscriptions": uris}});
        self.send("subscriptions/listen", wanted).await;
        let said = self.next().await;
        assert_eq!(said["method"], "notifications/subscriptions/acknowledged", "{said}");
        let uris = said["params"]["notifications"]["resourceSubscriptions"].as_array().cloned();
        uris.unwrap_or_default().iter().map(|uri| uri.as_str().unwrap().to_owned()).collect()
    }

    /// The address of what the next message says has changed.
    pub(crate) async fn news(&mut self) -> String {
        let said = self.next().await;
        assert_eq!(said["method"], "notifications/resources/updated", "{said}");
        said["params"]["uri"].as_str().unwrap().to_owned()
    }

    /// Nothing was said: the next message is the answer to a request.
    pub(crate) async fn nothing_new(&mut self) {
        let id = self.send("server/discover", json!({})).await;
        let said = self.next().await;
        assert_eq!(said["id"], id, "{said}");
    }
}
