//! A client of our own, at the other end of a pipe in this process: what a person sees of a call is
//! what a client gets.

use std::{fmt, future::pending, sync::Arc};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{
    AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf, duplex,
    split,
};

use super::failure::Failure;
use crate::{
    Connector, Service,
    serve::{self, StdioOptions},
};

/// The bytes that either side can send before the other must read.
const PIPE: usize = 64 * 1024;

/// What `asking` gives, with a client of `service` that is served for as long.
pub(super) async fn with<S: Connector, T>(
    service: &Arc<Service<S>>,
    options: StdioOptions,
    asking: impl AsyncFnOnce(Client) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (ours, theirs) = duplex(PIPE);
    let (read, write) = split(theirs);
    let serving = serve::pipes(Arc::clone(service), options, read, write, pending());
    // The client goes away when `asking` is done with it, and that ends the serving.
    let (served, given) = tokio::join!(serving, asking(Client::new(ours)));
    served.map_err(|error| Failure::other(format!("Serving the call failed: {error}")))?;
    given
}

/// The client. It asks one thing after the other, and says that it can put a question to a person, to
/// be told of those that a tool has.
pub(super) struct Client {
    read: Lines<BufReader<ReadHalf<DuplexStream>>>,
    write: WriteHalf<DuplexStream>,
    asked: u64,
}

/// How a call of a tool ended.
#[derive(Deserialize)]
#[serde(tag = "resultType", rename_all = "snake_case")]
pub(super) enum Called {
    Complete(Outcome),
    /// It asks before it does harm.
    InputRequired {},
}

/// A tool's result.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    pub(super) content: Vec<Content>,
    pub(super) structured_content: Option<Value>,
    #[serde(default)]
    pub(super) is_error: bool,
}

/// A piece of a result.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(super) enum Content {
    Text {
        text: String,
    },
    Image {
        /// In base64.
        data: String,
        mime_type: String,
    },
    #[serde(other)]
    Other,
}

/// A message of the server.
#[derive(Deserialize)]
struct Message {
    id: Option<u64>,
    result: Option<Value>,
    error: Option<RpcError>,
}

#[derive(Deserialize)]
struct RpcError {
    message: String,
}

impl Client {
    fn new(pipe: DuplexStream) -> Self {
        let (read, write) = split(pipe);
        Self { read: BufReader::new(read).lines(), write, asked: 0 }
    }

    /// Calls the tool that clients see under `name`.
    pub(super) async fn call_tool(
        &mut self,
        name: &str,
        arguments: &Map<String, Value>,
    ) -> Result<Called, Failure> {
        self.asked += 1;
        let request = json!({
            "jsonrpc": "2.0",
            "id": self.asked,
            "method": "tools/call",
            "params": {
                "name": name,
                "arguments": arguments,
                "_meta": {
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
                },
            },
        });
        let lost = |why: &dyn fmt::Display| Failure::other(format!("The call was not answered: {why}"));
        let line = format!("{request}\n");
        self.write.write_all(line.as_bytes()).await.map_err(|error| lost(&error))?;
        while let Some(line) = self.read.next_line().await.map_err(|error| lost(&error))? {
            let message: Message = serde_json::from_str(&line).map_err(|error| lost(&error))?;
            // Only one request is ever open, so an error that names none is about it.
            if let Some(error) = message.error {
                return Err(Failure::other(error.message));
            }
            if let Some(result) = message.result.filter(|_| message.id == Some(self.asked)) {
                return serde_json::from_value(result).map_err(|error| lost(&error));
            }
        }
        Err(lost(&"the server hung up"))
    }
}
