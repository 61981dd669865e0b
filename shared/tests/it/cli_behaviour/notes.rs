//! A server as small as can be: notes, kept by a vendor that is faked over real HTTP.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse as _, Response as Answer},
    routing::{delete, get},
};
use connector::{
    About, Check, Connector, Effect, Error, Kind, Result, Sandbox, Secret,
    catalog::{Call, Catalog, Image, Page, Plan, Reply, Tool, Written},
    sandbox::{Fake, Harness},
    settings::{Config, SecretSource, Setting, SettingKind},
    upstream::{
        Budget, Credential, Options, Reading, Replay, Request, Response, Upstream, Vendor,
        auth::{Fixed, Missing},
    },
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug)]
pub(crate) struct Notes {
    upstream: Upstream,
    sandbox: bool,
}

impl Connector for Notes {
    const ABOUT: About = About {
        key: "notes",
        title: "Notes",
        program: "notes-mcp",
        version: "1.2.3",
        instructions: "Notes of the team.",
        api_url: "https://api.notes.example",
        api_url_env: "NOTES_API_URL",
        credential_help: "https://notes.example/settings/api",
    };

    fn settings() -> Vec<Setting> {
        vec![
            Setting {
                key: "api-key",
                env: "NOTES_API_KEY",
                kind: SettingKind::Secret,
                default: None,
                help: "Key of a person or a bot.",
            },
            Setting {
                key: "access-token",
                env: "NOTES_ACCESS_TOKEN",
                kind: SettingKind::Secret,
                default: None,
                help: "OAuth access token, instead of a key.",
            },
            Setting {
                key: "team",
                env: "NOTES_TEAM",
                kind: SettingKind::Text("TEAM"),
                default: None,
                help: "Team that is meant when none is named.",
            },
        ]
    }

    fn connect(config: &Config, options: Options) -> Result<Self> {
        if config.text("team") == Some("nobody") {
            return Err(
                Error::invalid("The team `nobody` cannot be a default").with_hint("Name a team of yours")
            );
        }
        let credential: Arc<dyn Credential> = match config.secret("api-key").or(config.secret("access-token"))
        {
            Some(SecretSource::Value(secret)) => Arc::new(Fixed::new(secret)),
            Some(SecretSource::File(path)) => {
                Arc::new(Fixed::new(Secret::new(&std::fs::read_to_string(path).unwrap_or_default())))
            }
            None => Arc::new(Missing::new("There is no credential for Notes", "Set NOTES_API_KEY")),
        };
        Ok(Self {
            upstream: Upstream::new(Arc::new(Api), credential, options),
            sandbox: config.switch("sandbox"),
        })
    }

    fn catalog() -> Catalog<Self> {
        Catalog::new().tools([
            Tool::read("list_notes", "List notes", "Lists notes, oldest first.", list_notes)
                .toolset("notes")
                .output_page::<Note>(),
            Tool::write("add_note", "Add a note", "Adds a note and gives its id.", add_note).toolset("notes"),
            Tool::destructive("delete_note", "Delete a note", "Deletes a note for good.", delete_note)
                .toolset("notes"),
            Tool::read("list_mentions", "List mentions", "Lists notes that mention you.", list_mentions)
                .opt_in("mentions"),
        ])
    }

    fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    async fn diagnose(&self) -> Vec<Check> {
        match self.notes().await {
            Ok(notes) => {
                let place = if self.sandbox { "the sandbox" } else { "Notes" };
                vec![
                    Check::good("account", format!("{place} answers, with {} notes", notes.len())),
                    Check::warning(
                        "limits",
                        "12 of 100 requests left this hour",
                        "Wait until 13:00, or use OAuth",
                    ),
                ]
            }
            Err(error) => vec![
                Check::bad(
                    "account",
                    error.message().to_owned(),
                    error.hint().unwrap_or("Look again later").to_owned(),
                ),
                Check::skipped("limits", "not known without an account"),
            ],
        }
    }

    fn sandbox() -> Option<Sandbox> {
        Some(Sandbox {
            fake: Arc::new(Shelf::default()),
            api_path: "/v1",
            credential: ("api-key", "sandbox-key"),
        })
    }
}

impl Notes {
    async fn notes(&self) -> Result<Vec<Note>> {
        self.upstream.send(Request::get("ListNotes", "/notes")).await?.json()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Note {
    id: u32,
    text: String,
}

#[derive(Deserialize, JsonSchema)]
struct ListNotes {
    limit: Option<u32>,
}

async fn list_notes(call: Call<Notes>, args: ListNotes) -> Result<Reply> {
    let mut page = Page::new("Notes", ("note", "notes"));
    for note in call.notes().await?.iter().take(args.limit.unwrap_or(20) as usize) {
        page.push(format!("{} {}", note.id, note.text), note);
    }
    Ok(Reply::page(page))
}

async fn list_mentions(call: Call<Notes>, args: ListNotes) -> Result<Reply> {
    let face = Image { mime_type: "image/png".to_owned(), bytes: vec![7; 10] };
    Ok(list_notes(call, args).await?.image(face))
}

#[derive(Deserialize, JsonSchema)]
struct AddNote {
    text: String,
}

async fn add_note(call: Call<Notes>, args: AddNote) -> Result<Plan> {
    let preview = Reply::new(format!("Add the note \"{}\".", args.text));
    Ok(Plan::new(preview, move || async move {
        let request = Request::post("AddNote", "/notes").effect(Effect::Write).replay(Replay::Once);
        let note: Note =
            call.upstream.send(request.json(&serde_json::json!({"text": args.text}))?).await?.json()?;
        Ok(Reply::written(Written::new(format!("Added note {}.", note.id)).id(note.id.to_string())))
    }))
}

#[derive(Deserialize, JsonSchema)]
struct DeleteNote {
    id: u32,
}

async fn delete_note(call: Call<Notes>, args: DeleteNote) -> Result<Plan> {
    let DeleteNote { id } = args;
    if !call.notes().await?.iter().any(|note| note.id == id) {
        return Err(Error::not_found(format!("There is no note {id}")).with_hint("list_notes lists them"));
    }
    Ok(Plan::new(Reply::new(format!("Delete note {id}.")), move || async move {
        let path = format!("/notes/{id}");
        let request = Request::new("DeleteNote", http::Method::DELETE, path)
            .effect(Effect::Destructive)
            .replay(Replay::Once);
        call.upstream.send(request).await?;
        Ok(Reply::written(Written::new(format!("Deleted note {id}."))))
    }))
}

struct Api;

impl Vendor for Api {
    fn name(&self) -> &'static str {
        "notes"
    }

    fn title(&self) -> &'static str {
        "Notes"
    }

    fn budgets(&self) -> Vec<Budget> {
        Vec::new()
    }

    fn authorize(&self, headers: &mut HeaderMap, token: &Secret) -> Result<()> {
        let value =
            token.expose().parse().map_err(|_| Error::new(Kind::Auth, "The key is no header's value"))?;
        headers.insert(header::AUTHORIZATION, value);
        Ok(())
    }

    fn classify(&self, _request: &Request, response: &Response) -> Result<()> {
        match response.status {
            StatusCode::UNAUTHORIZED => {
                Err(Error::new(Kind::Auth, "Notes refuses the key").with_hint("Make a new one"))
            }
            status if status.is_success() => Ok(()),
            status => Err(Error::new(Kind::Upstream, format!("Notes answered {status}"))),
        }
    }

    fn readings(&self, _headers: &HeaderMap) -> Vec<Reading> {
        Vec::new()
    }
}

/// The vendor, faked.
#[derive(Default)]
struct Shelf {
    notes: Arc<Mutex<Vec<Note>>>,
}

impl Fake for Shelf {
    fn name(&self) -> &'static str {
        "notes"
    }

    fn router(&self, harness: &Harness) -> Router {
        self.reset(harness);
        let refuse = |headers: &HeaderMap| {
            (headers.get(header::AUTHORIZATION).is_none_or(|key| key != "sandbox-key"))
                .then(|| StatusCode::UNAUTHORIZED.into_response())
        };
        type Notes = Arc<Mutex<Vec<Note>>>;
        Router::new()
            .route(
                "/v1/notes",
                get(move |State(notes): State<Notes>, headers: HeaderMap| async move {
                    refuse(&headers).unwrap_or_else(|| Json(notes.lock().unwrap().clone()).into_response())
                })
                .post(
                    |State(notes): State<Notes>, Json(new): Json<serde_json::Value>| async move {
                        let mut notes = notes.lock().unwrap();
                        let id = u32::try_from(notes.len()).unwrap() + 1;
                        let note = Note { id, text: new["text"].as_str().unwrap_or_default().to_owned() };
                        notes.push(note.clone());
                        Json(note)
                    },
                ),
            )
            .route(
                "/v1/notes/{id}",
                delete(|State(notes): State<Notes>, Path(id): Path<u32>| async move {
                    notes.lock().unwrap().retain(|note| note.id != id);
                    Json(serde_json::json!({}))
                }),
            )
            .with_state(Arc::clone(&self.notes))
    }

    fn operation(&self, parts: &Parts, _body: &[u8]) -> String {
        format!("{} {}", parts.method, parts.uri.path())
    }

    fn reset(&self, _harness: &Harness) {
        let note = |id, text: &str| Note { id, text: text.to_owned() };
        *self.notes.lock().unwrap() = vec![note(1, "Buy milk"), note(2, "Call Ada")];
    }

    fn dump(&self) -> serde_json::Value {
        serde_json::to_value(&*self.notes.lock().unwrap()).unwrap()
    }

    fn rate_limited(&self, _retry_after: Option<&str>) -> Answer {
        StatusCode::TOO_MANY_REQUESTS.into_response()
    }
}
