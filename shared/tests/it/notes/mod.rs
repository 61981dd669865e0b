//! A small server of notes, to be served in tests. Nothing in it asks a vendor.

pub(crate) mod pipe;
pub(crate) mod site;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tracing_subscriber::{Layer as _, layer::SubscriberExt as _};

use connector::{
    About, Check, Connector, Effect, Error, Kind, Result, Sandbox, Service, ServiceOptions,
    access::{Granted, Selection},
    catalog::{
        Call, Catalog, Completions, Plan, Prompt, PromptArgument, Reply, ReplyOptions, Resource,
        ResourceTemplate, Tool, Variables, Written,
    },
    settings::{Config, Setting},
    upstream::{self, Reading, Request, Response, Upstream, Vendor, auth::Missing},
};
use http::HeaderMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Notes by name.
#[derive(Debug)]
pub(crate) struct Notes {
    upstream: Upstream,
    pub(crate) notes: Mutex<BTreeMap<String, String>>,
    /// Slow calls begun, and those that ended before their time.
    pub(crate) slow_begun: AtomicUsize,
    pub(crate) slow_dropped: AtomicUsize,
    /// The scopes that the credential is said to have, and how long it takes to find out.
    pub(crate) granted: Mutex<(Option<Granted>, Duration)>,
    /// How often watched notes are looked at, and how often they have been.
    pub(crate) poll_interval: Mutex<Duration>,
    pub(crate) looks: AtomicUsize,
}

struct Nobody;

impl Vendor for Nobody {
    fn name(&self) -> &'static str {
        "nobody"
    }

    fn title(&self) -> &'static str {
        "Nobody"
    }

    fn budgets(&self) -> Vec<upstream::Budget> {
        vec![upstream::Budget { bucket: "posts", limit: 1, per: Duration::from_secs(20), burst: 1 }]
    }

    fn authorize(&self, _headers: &mut HeaderMap, _token: &connector::Secret) -> Result<()> {
        Ok(())
    }

    fn classify(&self, _request: &Request, _response: &Response) -> Result<()> {
        Ok(())
    }

    fn readings(&self, _headers: &HeaderMap) -> Vec<Reading> {
        Vec::new()
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Name {
    name: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Serialize, JsonSchema)]
struct Note {
    name: String,
    text: String,
}

impl Connector for Notes {
    const ABOUT: About = About {
        key: "notes",
        title: "Notes",
        program: "notes-mcp",
        version: "1.2.3",
        instructions: "Reads and deletes notes.",
        api_url: "http://127.0.0.1:9/",
        api_url_env: "NOTES_API_URL",
        credential_help: "There is none.",
    };

    fn settings() -> Vec<Setting> {
        Vec::new()
    }

    fn connect(_config: &Config, options: upstream::Options) -> Result<Self> {
        let upstream = Upstream::new(Arc::new(Nobody), Arc::new(Missing::new("none", "none")), options);
        let notes = [("one", "First."), ("two", "Second.")];
        Ok(Self {
            upstream,
            notes: Mutex::new(notes.map(|(name, text)| (name.to_owned(), text.to_owned())).into()),
            slow_begun: AtomicUsize::new(0),
            slow_dropped: AtomicUsize::new(0),
            granted: Mutex::default(),
            poll_interval: Mutex::new(Duration::from_secs(30)),
            looks: AtomicUsize::new(0),
        })
    }

    fn catalog() -> Catalog<Self> {
        Catalog::new()
            .tools([
                Tool::read(
                    "read_note",
                    "Read a note",
                    "Reads a note.",
                    |call: Call<Self>, args: Name| async move {
                        let text = call.note(&args.name)?;
                        let note = Note { name: args.name, text: text.clone() };
                        Ok(Reply::new(text).data(&note))
                    },
                )
                .output::<Note>(),
                Tool::read("count", "Count", "Counts to three.", |call: Call<Self>, _: Nothing| async move {
                    for step in [1, 2, 2, 3] {
                        call.progress(step, Some(3), "counting").await;
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                    Ok(Reply::new("three"))
                }),
                Tool::read("wait", "Wait", "Waits for an hour.", |call: Call<Self>, _: Nothing| async move {
                    call.slow_begun.fetch_add(1, Ordering::SeqCst);
                    let _dropped = Dropped(Arc::clone(call.server()));
                    tokio::time::sleep(Duration::from_secs(3_600)).await;
                    Ok(Reply::new("waited"))
                }),
                Tool::read(
                    "pause",
                    "Pause",
                    "Waits for two seconds.",
                    |call: Call<Self>, _: Nothing| async move {
                        call.slow_begun.fetch_add(1, Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_secs(2)).await;
                        Ok(Reply::new("paused"))
                    },
                ),
                Tool::read("crash", "Crash", "Panics.", |_: Call<Self>, _: Nothing| async move {
                    panic!("a bug in a tool");
                }),
                Tool::write(
                    "add_note",
                    "Add a note",
                    "Adds a note, in seven seconds.",
                    |call: Call<Self>, args: Name| async move {
                        let written = Written::new(format!("Added {}", args.name));
                        Ok(Plan::new(Reply::new(format!("Add `{}`", args.name)), move || async move {
                            call.slow_begun.fetch_add(1, Ordering::SeqCst);
                            tokio::time::sleep(Duration::from_secs(7)).await;
                            call.lock().insert(args.name, "Late.".to_owned());
                            Ok(Reply::written(written))
                        }))
                    },
                ),
                Tool::write(
                    "post_note",
                    "Post a note",
                    "Sends a note to nobody, who takes one every 20 seconds.",
                    |call: Call<Self>, args: Name| async move {
                        Ok(Plan::new(Reply::new(format!("Post `{}`", args.name)), move || async move {
                            call.slow_begun.fetch_add(1, Ordering::SeqCst);
                            let posts = Request::post("post", "/posts").effect(Effect::Write).no_auth();
                            call.upstream.send(posts.cost("posts", 1)).await?;
                            Ok(Reply::new("Posted"))
                        }))
                    },
                ),
                Tool::destructive(
                    "delete_note",
                    "Delete a note",
                    "Deletes a note.",
                    |call: Call<Self>, args: Name| async move {
                        let text = call.note(&args.name)?;
                        let written = Written::new(format!("Deleted {}", args.name));
                        let preview = Reply::new(format!("Delete `{}`: {text}", args.name));
                        Ok(Plan::new(preview, move || async move {
                            call.lock().remove(&args.name);
                            Ok(Reply::written(written))
                        }))
                    },
                )
                .scopes(&["notes:write"]),
                Tool::read(
                    "list_secrets",
                    "List secrets",
                    "Lists what is in the drawer.",
                    |_: Call<Self>, _: Nothing| async { Ok(Reply::new("A key.")) },
                )
                .opt_in("drawer"),
            ])
            .resources([
                Resource::new(
                    "notes://all",
                    "all",
                    "All notes",
                    "Every note.",
                    |call: Call<Self>| async move {
                        let names: Vec<_> = call.lock().keys().cloned().collect();
                        Ok(Reply::new(names.join(", ")))
                    },
                ),
                Resource::of_tool(
                    "notes://secrets",
                    "secrets",
                    "Secrets",
                    "What is in the drawer.",
                    "list_secrets",
                    json!({}),
                ),
            ])
            .templates([ResourceTemplate::new(
                "notes://note/{name}",
                "note",
                "A note",
                "One note.",
                |call: Call<Self>, variables: Variables| async move {
                    Ok(Reply::new(call.note(&variables["name"])?))
                },
            )
            .subscribable(
                |_, variables| match variables["name"].as_str() {
                    "private" => Err(Error::new(Kind::Policy, "That is nobody's business")),
                    _ => Ok(()),
                },
                |call: Call<Self>, variables: Variables| async move {
                    call.looks.fetch_add(1, Ordering::SeqCst);
                    call.note(&variables["name"])
                },
            )
            .needs(&["read_note"])])
            .prompts([Prompt::new(
                "summarize",
                "Summarize",
                "Summarizes a note.",
                const { &[PromptArgument::required("name", "The note")] },
                |call: Call<Self>, given: Variables| async move {
                    Ok(Reply::new(format!("Summarize: {}", call.note(&given["name"])?)))
                },
            )
            .needs(&["read_note"])])
            .completions([Completions::new("name", |_: Call<Self>, _, _| async move {
                // But for `main`, the others are no names that a client could show, or take.
                let others = ["main", "ma\u{202e}in\n", "main\n", "main\tother", "note-\u{202e}txt.exe"];
                let long = "main-note-".repeat(100);
                let others = others.map(str::to_owned).into_iter().chain([long]);
                Ok((0..150).map(|number| format!("note-{number:03}")).chain(others).collect())
            })])
    }

    fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    async fn granted(&self) -> Option<Granted> {
        let (granted, after) = self.granted.lock().unwrap().clone();
        tokio::time::sleep(after).await;
        granted
    }

    fn poll_interval(&self) -> Duration {
        *self.poll_interval.lock().unwrap()
    }

    async fn diagnose(&self) -> Vec<Check> {
        Vec::new()
    }

    fn sandbox() -> Option<Sandbox> {
        None
    }
}

impl Notes {
    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.notes.lock().unwrap()
    }

    /// Writes a note.
    pub(crate) fn put(&self, name: &str, text: &str) {
        self.lock().insert(name.to_owned(), text.to_owned());
    }

    fn note(&self, name: &str) -> Result<String> {
        let note = self.lock().get(name).cloned();
        note.ok_or_else(|| {
            Error::not_found(format!("There is no note {name}")).with_hint("Look at notes://all")
        })
    }
}

/// Counts a slow call that ends before its time.
struct Dropped(Arc<Notes>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.slow_dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// The notes, ready to be served.
pub(crate) fn service() -> Arc<Service<Notes>> {
    offering(Notes::catalog(), false)
}

/// A part of the notes, with or without structured content.
pub(crate) fn offering(catalog: Catalog<Notes>, structured: bool) -> Arc<Service<Notes>> {
    served(catalog.select(&Selection::default()).unwrap(), structured)
}

/// What a configuration leaves of the notes.
pub(crate) fn selected(selection: &Selection) -> Arc<Service<Notes>> {
    served(Notes::catalog().select(selection).unwrap(), false)
}

fn served(catalog: Catalog<Notes>, structured: bool) -> Arc<Service<Notes>> {
    let reply = ReplyOptions { structured, ..ReplyOptions::default() };
    with_options(catalog, ServiceOptions { reply, ..ServiceOptions::default() })
}

/// The notes of a replica that shares these keys.
#[cfg(feature = "redis")]
pub(crate) fn sealed(catalog: Catalog<Notes>, keys: connector::access::KeyRing) -> Arc<Service<Notes>> {
    with_options(catalog, ServiceOptions { keys, ..ServiceOptions::default() })
}

fn with_options(catalog: Catalog<Notes>, with: ServiceOptions) -> Arc<Service<Notes>> {
    let options = upstream::Options::new("http://127.0.0.1:9/".parse().unwrap());
    let server = Notes::connect(&Config::default(), options).unwrap();
    Arc::new(Service::new(server, catalog, with))
}

/// A second subscriber, which hears nothing. As long as there is one only, the thread that meets an event
/// first is asked whether anybody wants it, and its word counts for all (tracing-core, `callsite.rs`).
static SECOND: LazyLock<tracing::Dispatch> =
    LazyLock::new(|| tracing::Dispatch::new(tracing_subscriber::registry()));

/// What is logged on this thread while it lives, at the default level.
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<u8>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Log {
    pub(crate) fn capture() -> Self {
        LazyLock::force(&SECOND);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let writer = Writer(Arc::clone(&lines));
        let targets: tracing_subscriber::filter::Targets =
            connector::telemetry::DEFAULT_FILTER.parse().unwrap();
        let layer =
            tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(targets));
        Self { lines, _guard: tracing::subscriber::set_default(subscriber) }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.lines.lock().unwrap().clone()).unwrap()
    }

    /// What became of which calls.
    pub(crate) fn outcomes(&self) -> Vec<(String, String)> {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        self.calls().iter().map(|line| (word(&line["tool"]), word(&line["outcome"]))).collect()
    }

    /// The lines that calls left.
    pub(crate) fn calls(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == "call").collect()
    }
}

#[derive(Clone)]
struct Writer(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A modern request.
pub(crate) fn modern(id: u64, method: &str, params: Value) -> Value {
    modern_with(id, method, params, json!({}))
}

/// A modern request of a client with these capabilities.
pub(crate) fn modern_with(id: u64, method: &str, mut params: Value, capabilities: Value) -> Value {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

/// A legacy request.
pub(crate) fn legacy(id: u64, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

/// The handshake's request of a legacy client with these capabilities.
pub(crate) fn initialize(capabilities: Value) -> Value {
    legacy(
        0,
        "initialize",
        json!({
            "protocolVersion": "2025-11-25",
            "capabilities": capabilities,
            "clientInfo": {"name": "test", "version": "1"},
        }),
    )
}

/// The text of a tool's result.
pub(crate) fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text in {answer}"))
}
