//! The protocol over pipes, in both eras.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where what it needs is not there")]

#[path = "../notes/mod.rs"]
mod notes;

mod calls;
mod ends;
mod lines;
mod questions;
mod resources_prompts;
mod tools;
mod writes;

use std::{io, sync::Arc, sync::atomic::Ordering, time::Duration};

use connector::{
    Connector as _, Service,
    catalog::{Call, Catalog, Reply, Tool},
    serve::{StdioOptions, pipes},
};
use notes::{Notes, Nothing, initialize, legacy, modern, modern_with, text};
use serde_json::{Value, json};
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
        duplex, split,
    },
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// A client at its end of the pipes.
struct Client {
    write: Option<WriteHalf<DuplexStream>>,
    read: Lines<BufReader<ReadHalf<DuplexStream>>>,
    server: JoinHandle<io::Result<()>>,
    stop: CancellationToken,
}

impl Client {
    fn of(service: &Arc<Service<Notes>>) -> Self {
        Self::with(service, StdioOptions::default())
    }

    fn with(service: &Arc<Service<Notes>>, options: StdioOptions) -> Self {
        let (ours, theirs) = duplex(64 * 1024);
        let (server_read, server_write) = split(theirs);
        let (read, write) = split(ours);
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let server = tokio::spawn(pipes(Arc::clone(service), options, server_read, server_write, stopped));
        Self { write: Some(write), read: BufReader::new(read).lines(), server, stop }
    }

    async fn legacy(service: &Arc<Service<Notes>>, capabilities: Value) -> Self {
        let mut client = Self::of(service);
        let answer = client.ask(initialize(capabilities)).await;
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25", "{answer}");
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        client
    }

    async fn write(&mut self, line: &[u8]) {
        let write = self.write.as_mut().unwrap();
        write.write_all(line).await.unwrap();
        write.write_all(b"\n").await.unwrap();
    }

    async fn send(&mut self, message: &Value) {
        self.write(message.to_string().as_bytes()).await;
    }

    async fn next(&mut self) -> Value {
        let line = self.read.next_line().await.unwrap().expect("the server hung up");
        serde_json::from_str(&line).unwrap()
    }

    async fn ask(&mut self, request: Value) -> Value {
        self.send(&request).await;
        let answer = self.next().await;
        assert_eq!(answer["id"], request["id"], "{answer}");
        answer
    }

    /// Closes the client's end, and waits for the server to end.
    async fn hang_up(mut self) -> io::Result<()> {
        self.write.take().unwrap().shutdown().await.unwrap();
        self.server.await.unwrap()
    }
}

fn call(name: &str, arguments: Value) -> Value {
    json!({"name": name, "arguments": arguments})
}
