//! Load over HTTP/1.1, plain or over TLS: closed (as fast as answers come) and open (at a steady rate, late
//! answers count from when they were due).

use std::{sync::Arc, time::Duration};

use axum::http::Method;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    time::Instant,
};
use tokio_rustls::TlsConnector;

use super::Outcome;

/// Where requests go.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) port: u16,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// TLS, if it is wanted there.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// The keys of callers, which connections have in turn.
    pub(crate) keys: Vec<String>,
}

impl Target {
    /// Messages of MCP over plain HTTP, for everybody.
    pub(crate) fn plain(port: u16) -> Self {
        Self { port, method: Method::POST, path: "/mcp".to_owned(), tls: None, keys: Vec::new() }
    }

    /// The request that a connection of this number sends.
    fn request(&self, body: &str, connection: usize) -> Arc<[u8]> {
        let key = self.keys.get(connection % self.keys.len().max(1));
        let key = key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
        http(self, body, &(mirror(body) + &key))
    }

    async fn connect(&self) -> Outcome<Box<dyn Stream>> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(match &self.tls {
            Some(config) => {
                let name = ServerName::try_from("localhost")?;
                Box::new(TlsConnector::from(Arc::clone(config)).connect(name, stream).await?)
            }
            None => Box::new(stream),
        })
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Sorted latencies.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    sorted: Vec<Duration>,
    pub(crate) errors: usize,
}

impl Latencies {
    pub(crate) fn new(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self { sorted: all, errors: 0 }
    }

    /// The latency in milliseconds below which the share `q` of all lies.
    pub(crate) fn at(&self, q: f64) -> f64 {
        if self.sorted.is_empty() {
            return f64::NAN;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index into the list")]
        let index = (q * (self.sorted.len() - 1) as f64).round() as usize;
        self.sorted[index].as_secs_f64() * 1e3
    }

    pub(crate) fn count(&self) -> usize {
        self.sorted.len() + self.errors
    }
}

/// A connection with its request, ready to be sent again and again.
struct Connection {
    stream: Box<dyn Stream>,
    request: Arc<[u8]>,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(target: &Target, request: Arc<[u8]>) -> Outcome<Self> {
        Ok(Self { stream: target.connect().await?, request, buffer: vec![0; 64 * 1024] })
    }

    /// Sends the request and reads the whole answer, which must be a 200 with a result that is no error.
    async fn exchange(&mut self) -> Outcome<Vec<u8>> {
        self.stream.write_all(&self.request).await?;
        self.stream.flush().await?;
        let mut answer = Vec::new();
        loop {
            let read = self.stream.read(&mut self.buffer).await?;
            if read == 0 {
                return Err("closed early".into());
            }
            answer.extend_from_slice(&self.buffer[..read]);
            if let Some(body) = complete(&answer)? {
                let body = answer.split_off(body);
                if contains(&body, b"\"isError\":true") || contains(&body, b"\"error\":{") {
                    return Err(String::from_utf8_lossy(&body).into());
                }
                return Ok(body);
            }
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Where the body begins, once the whole answer is there.
fn complete(answer: &[u8]) -> Outcome<Option<usize>> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&answer[..end])?.to_ascii_lowercase();
    if !head.starts_with("http/1.1 200") {
        return Err(head.into());
    }
    let body = end + 4;
    if let Some(line) = head.lines().find_map(|line| line.strip_prefix("content-length:")) {
        let length: usize = line.trim().parse()?;
        return Ok((answer.len() >= body + length).then_some(body));
    }
    Ok(answer.ends_with(b"0\r\n\r\n").then_some(body))
}

/// The bytes of a request with `body`.
fn http(target: &Target, body: &str, headers: &str) -> Arc<[u8]> {
    format!(
        "{} {} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n{headers}content-length: {}\r\n\r\n{body}",
        target.method,
        target.path,
        target.port,
        body.len()
    )
    .into_bytes()
    .into()
}

/// The headers that mirror an MCP message; none for another.
fn mirror(body: &str) -> String {
    let message: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let Some(method) = message["method"].as_str() else { return String::new() };
    let mut headers = format!("mcp-protocol-version: 2026-07-28\r\nmcp-method: {method}\r\n");
    if let Some(name) = message["params"]["name"].as_str() {
        headers.push_str(&format!("mcp-name: {name}\r\n"));
    }
    headers
}

/// One exchange.
pub(crate) async fn once(target: &Target, body: &str) -> Outcome<Vec<u8>> {
    Connection::open(target, target.request(body, 0)).await?.exchange().await
}

/// `total` exchanges over `connections`, each as soon as the one before is answered.
pub(crate) async fn closed(
    target: &Target,
    body: &str,
    connections: usize,
    total: usize,
) -> Outcome<Latencies> {
    let mut tasks = Vec::new();
    for number in 0..connections {
        let mut connection = Connection::open(target, target.request(body, number)).await?;
        tasks.push(tokio::spawn(async move {
            let mut took = Vec::new();
            for _ in 0..total / connections {
                let start = Instant::now();
                connection.exchange().await?;
                took.push(start.elapsed());
            }
            Outcome::Ok(took)
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await??);
    }
    Ok(Latencies::new(all))
}

/// `rate` exchanges a second in all for `span`, spread evenly over `connections`. A latency counts from
/// the moment the request was due, so a server that falls behind cannot hide it.
pub(crate) async fn open(
    target: &Target,
    body: &str,
    connections: usize,
    rate: usize,
    span: Duration,
) -> Outcome<Latencies> {
    let mut opened = Vec::new();
    for number in 0..connections {
        opened.push(Connection::open(target, target.request(body, number)).await?);
    }
    let every = Duration::from_secs_f64(1.0 / rate as f64);
    let start = Instant::now() + Duration::from_millis(200);
    let (mut tasks, mut turns) = (Vec::new(), Vec::new());
    for mut connection in opened {
        let (turn, mut due) = mpsc::unbounded_channel::<Instant>();
        turns.push(turn);
        tasks.push(tokio::spawn(async move {
            let mut took = Vec::new();
            let mut errors = 0;
            while let Some(due) = due.recv().await {
                match connection.exchange().await {
                    Ok(_) => took.push(due.elapsed()),
                    Err(_) => errors += 1,
                }
            }
            (took, errors)
        }));
    }
    // A thread of its own keeps the time: the runtime's timers are a millisecond coarse.
    #[expect(clippy::disallowed_methods, reason = "a thread with nothing else to do")]
    let clock = std::thread::spawn(move || {
        let mut due = start;
        for turn in turns.iter().cycle() {
            if due >= start + span {
                return;
            }
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            // A connection that has failed for good counted its error.
            let _ = turn.send(due);
            due += every;
        }
    });
    let mut all = Vec::new();
    let mut errors = 0;
    for task in tasks {
        let (took, failed) = task.await?;
        all.extend(took);
        errors += failed;
    }
    clock.join().map_err(|_| "the clock stopped")?;
    Ok(Latencies { errors, ..Latencies::new(all) })
}
