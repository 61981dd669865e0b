//! One JSON message per line: what MCP speaks over pipes.
//!
//! The SDK's own transport ignores what is not JSON, ends on a notification that comes too early,
//! and keeps the process for five seconds after the client has gone if it left a subscription open.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex as Lock, PoisonError},
};

use rmcp::{
    ErrorData, RoleServer,
    model::{
        ClientJsonRpcMessage, ClientNotification, ClientRequest, GetMeta as _, JsonRpcError, JsonRpcMessage,
        ProtocolVersion, RequestId, ServerJsonRpcMessage, ServerResult,
    },
    transport::Transport,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    sync::{Mutex, Semaphore},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::request_id::IdScanner;
use crate::protocol;

/// Messages on their way out at once. While so many wait for the client to read them, nothing more is
/// read of what it asks; otherwise a client that only asks would fill the memory with answers.
const OUTGOING: usize = 256;

/// The schema of a tool's arguments as it was written down before, by the tool's name on the wire.
pub(super) type Schemas = Arc<dyn Fn(&str) -> Option<&'static str> + Send + Sync>;

/// A transport over a pair of pipes.
pub(super) struct Lines<R, W> {
    read: BufReader<R>,
    line: Vec<u8>,
    max_line: usize,
    /// A line that is too long is being skipped, to its end, for the request's id alone.
    skipping: Option<IdScanner>,
    /// The requests that are not answered yet.
    unanswered: Arc<Lock<HashSet<RequestId>>>,
    write: Arc<Mutex<Option<W>>>,
    outgoing: Arc<Semaphore>,
    /// The answer to something that is no message, on its way out.
    refusal: Option<JoinHandle<()>>,
    /// Whether the client has said which era it speaks. Until then only requests mean anything.
    opened: bool,
    /// What lists of tools have empty schemas for: to read all of them in order to write them again would be half of the
    /// work of a start.
    schemas: Schemas,
    /// Ends the reading, and is cancelled when it ends.
    closing: CancellationToken,
}

/// What was read.
enum Line {
    Whole,
    TooLong(Option<RequestId>),
    End,
}

/// What a line is.
enum Parsed {
    Message(Box<ClientJsonRpcMessage>),
    Refused(Option<RequestId>, ErrorData),
    /// A notification that we do not know, or nothing.
    Ignored,
}

impl<R: AsyncRead + Send + Unpin, W: AsyncWrite + Send + Unpin + 'static> Lines<R, W> {
    pub(super) fn new(
        read: R,
        write: W,
        max_line: usize,
        closing: CancellationToken,
        schemas: Schemas,
    ) -> Self {
        Self {
            read: BufReader::new(read),
            line: Vec::new(),
            max_line,
            skipping: None,
            unanswered: Arc::default(),
            write: Arc::new(Mutex::new(Some(write))),
            outgoing: Arc::new(Semaphore::new(OUTGOING)),
            refusal: None,
            opened: false,
            schemas,
            closing,
        }
    }

    /// Reads up to the end of a line. What was read stays in `self.line` if the future is dropped,
    /// as the SDK does whenever it has something to send.
    async fn next_line(&mut self) -> io::Result<Line> {
        loop {
            let available = self.read.fill_buf().await?;
            if available.is_empty() {
                // The last line needs no newline.
                return Ok(match self.skipping.take() {
                    Some(scanner) => Line::TooLong(scanner.finish()),
                    None if self.line.is_empty() => Line::End,
                    None => Line::Whole,
                });
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(available.len(), |end| end + 1);
            if self.skipping.is_none() && self.line.len() + taken > self.max_line {
                let mut scanner = IdScanner::default();
                scanner.feed(&std::mem::take(&mut self.line));
                self.skipping = Some(scanner);
            }
            match &mut self.skipping {
                Some(scanner) => scanner.feed(&available[..taken]),
                None => self.line.extend_from_slice(&available[..taken]),
            }
            self.read.consume(taken);
            if end.is_some() {
                return Ok(match self.skipping.take() {
                    Some(scanner) => Line::TooLong(scanner.finish()),
                    None => Line::Whole,
                });
            }
        }
    }

    /// Answers what is no message. It is written in a task of its own, because this future may be
    /// dropped at any time and half a line would spoil all that follow; the next line is not read
    /// before it is out.
    fn refuse(&mut self, id: Option<RequestId>, error: ErrorData) {
        let message = ServerJsonRpcMessage::Error(JsonRpcError::new(id, error));
        let write = Arc::clone(&self.write);
        self.refusal = Some(tokio::spawn(async move {
            // A client that does not read any more is noticed where answers are sent.
            if let Ok(line) = serde_json::to_string(&message) {
                let _ = send(&write, line).await;
            }
        }));
    }

    /// Whether `message` is a request under an id that waits for its answer: the SDK would do both and
    /// answer one.
    fn repeats_an_id(&self, message: &ClientJsonRpcMessage) -> bool {
        let request = match message {
            JsonRpcMessage::Request(request) => request,
            // A request that is cancelled is not answered.
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    ids(&self.unanswered).remove(id);
                }
                return false;
            }
            _ => return false,
        };
        !ids(&self.unanswered).insert(request.id.clone())
    }

    /// Whether `message` may go on to the SDK, which ends on anything but a request before it knows
    /// the era.
    fn passes(&mut self, message: &mut ClientJsonRpcMessage) -> bool {
        if self.opened {
            return true;
        }
        let JsonRpcMessage::Request(request) = message else { return false };
        self.opened = match &mut request.request {
            ClientRequest::InitializeRequest(_) => true,
            ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
            request => {
                let meta = request.get_meta();
                meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
                    && meta
                        .protocol_version()
                        .is_some_and(|version| ProtocolVersion::KNOWN_VERSIONS.contains(&version))
            }
        };
        true
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let write = Arc::clone(&self.write);
        let answers = match &message {
            JsonRpcMessage::Response(response) => Some(&response.id),
            JsonRpcMessage::Error(error) => error.id.as_ref(),
            _ => None,
        };
        if let Some(id) = answers {
            ids(&self.unanswered).remove(id);
        }
        // One more than there is room for goes out all the same: it is the reading that waits.
        let place = Arc::clone(&self.outgoing).try_acquire_owned();
        let schemas = Arc::clone(&self.schemas);
        async move {
            let _place = place;
            send(&write, written(&message, &*schemas)?).await
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        let closing = self.closing.clone();
        loop {
            if let Some(refusal) = &mut self.refusal {
                // It cannot panic, and nobody aborts it.
                let _ = refusal.await;
                self.refusal = None;
            }
            let outgoing = Arc::clone(&self.outgoing);
            let read = tokio::select! {
                biased;
                () = closing.cancelled() => Ok(Line::End),
                read = async {
                    // The semaphore is never closed.
                    drop(outgoing.acquire().await);
                    self.next_line().await
                } => read,
            };
            match read {
                Ok(Line::Whole) => {}
                Ok(Line::TooLong(id)) => {
                    let text = format!("A message may have at most {} bytes", self.max_line);
                    self.refuse(id, ErrorData::invalid_request(text, None));
                    continue;
                }
                Ok(Line::End) | Err(_) => {
                    closing.cancel();
                    return None;
                }
            }
            let parsed = parse(&self.line);
            self.line.clear();
            match parsed {
                Parsed::Message(message) if self.repeats_an_id(&message) => {
                    // With the id, it would be taken for the answer to the first.
                    let text = "The id belongs to a request that is not answered yet; this one was not begun";
                    self.refuse(None, ErrorData::invalid_request(text, None));
                }
                Parsed::Message(mut message) => {
                    if self.passes(&mut message) {
                        return Some(*message);
                    }
                }
                Parsed::Refused(id, error) => self.refuse(id, error),
                Parsed::Ignored => {}
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        drop(self.write.lock().await.take());
        Ok(())
    }
}

fn ids(unanswered: &Lock<HashSet<RequestId>>) -> std::sync::MutexGuard<'_, HashSet<RequestId>> {
    // The set is valid after every statement, so a panic elsewhere does not spoil it.
    unanswered.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a tool without a schema is written. Within a text of JSON this cannot stand, for its quotes are escaped there.
const NO_SCHEMA: &str = r#""inputSchema":{}"#;

/// The text of a message; a list of tools with their schemas.
fn written(
    message: &ServerJsonRpcMessage,
    schemas: &dyn Fn(&str) -> Option<&'static str>,
) -> serde_json::Result<String> {
    let text = serde_json::to_string(message)?;
    let JsonRpcMessage::Response(response) = message else { return Ok(text) };
    let ServerResult::ListToolsResult(list) = &response.result else { return Ok(text) };
    let without = list.tools.iter().filter(|tool| tool.input_schema.is_empty());
    let mut schemas = without.map(|tool| schemas(&tool.name).unwrap_or("{}"));
    let mut parts = text.split(NO_SCHEMA);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole.extend([r#""inputSchema":"#, schemas.next().unwrap_or("{}"), part]);
    }
    Ok(whole)
}

async fn send<W: AsyncWrite + Unpin>(write: &Mutex<Option<W>>, mut line: String) -> io::Result<()> {
    line.push('\n');
    let mut write = write.lock().await;
    let write = write.as_mut().ok_or(io::ErrorKind::NotConnected)?;
    write.write_all(line.as_bytes()).await?;
    write.flush().await
}

fn parse(line: &[u8]) -> Parsed {
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Parsed::Ignored;
    }
    if let Err(fault) = protocol::check(line) {
        let mut scanner = IdScanner::default();
        scanner.feed(line);
        return Parsed::Refused(scanner.finish(), fault.error());
    }
    if let Ok(message) = serde_json::from_slice(line) {
        return Parsed::Message(Box::new(message));
    }
    let value: Value = serde_json::from_slice(line).unwrap_or_default();
    match (value.get("method"), value.get("id")) {
        (Some(Value::String(_)), None) => Parsed::Ignored,
        (_, id) => Parsed::Refused(
            id.and_then(|id| serde_json::from_value(id.clone()).ok()),
            ErrorData::invalid_request(
                "The message is not a JSON-RPC request, notification or response",
                None,
            ),
        ),
    }
}
