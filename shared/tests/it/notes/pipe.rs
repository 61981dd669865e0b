//! A client of the notes over pipes.

use std::{io, sync::Arc, time::Duration};

use connector::{
    Service,
    serve::{StdioOptions, pipes},
};
use serde_json::{Value, json};
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
        duplex, split,
    },
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{Notes, initialize};

/// How long a client waits for a message. Time that is paused runs while it does.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// A client at its end of the pipes.
pub(crate) struct Client {
    pub(crate) write: Option<WriteHalf<DuplexStream>>,
    pub(crate) read: Lines<BufReader<ReadHalf<DuplexStream>>>,
    pub(crate) server: JoinHandle<io::Result<()>>,
    pub(crate) stop: CancellationToken,
}

impl Client {
    pub(crate) fn of(service: &Arc<Service<Notes>>) -> Self {
        Self::with(service, StdioOptions::default())
    }

    pub(crate) fn with(service: &Arc<Service<Notes>>, options: StdioOptions) -> Self {
        let (ours, theirs) = duplex(64 * 1024);
        let (server_read, server_write) = split(theirs);
        let (read, write) = split(ours);
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let server = tokio::spawn(pipes(Arc::clone(service), options, server_read, server_write, stopped));
        Self { write: Some(write), read: BufReader::new(read).lines(), server, stop }
    }

    pub(crate) async fn legacy(service: &Arc<Service<Notes>>, capabilities: Value) -> Self {
        let mut client = Self::of(service);
        let answer = client.ask(initialize(capabilities)).await;
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25", "{answer}");
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        client
    }

    pub(crate) async fn write(&mut self, line: &[u8]) {
        let write = self.write.as_mut().unwrap();
        write.write_all(line).await.unwrap();
        write.write_all(b"\n").await.unwrap();
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.write(message.to_string().as_bytes()).await;
    }

    pub(crate) async fn next(&mut self) -> Value {
        let line = timeout(PATIENCE, self.read.next_line()).await.expect("the server says nothing");
        let line = line.unwrap().expect("the server hung up");
        serde_json::from_str(&line).unwrap()
    }

    pub(crate) async fn ask(&mut self, request: Value) -> Value {
        self.send(&request).await;
        let answer = self.next().await;
        assert_eq!(answer["id"], request["id"], "{answer}");
        answer
    }

    /// Closes the client's end, and waits for the server to end.
    pub(crate) async fn hang_up(mut self) -> io::Result<()> {
        self.write.take().unwrap().shutdown().await.unwrap();
        self.server.await.unwrap()
    }
}
