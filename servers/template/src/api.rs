//! The vendor's API as typed requests and answers. Builds requests, decides nothing.

use connector::prelude::*;
use serde::Deserialize;
use serde_json::json;

/// A note, as the vendor sends it. What is missing or of another type is read as it can be.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Note {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) text: String,
    /// The handle of who wrote it.
    pub(crate) author: String,
    pub(crate) edited: String,
}

/// One page of notes, newest first.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Notes {
    pub(crate) notes: Vec<Note>,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

/// The client.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    upstream: Upstream,
}

impl Api {
    pub(crate) fn new(upstream: Upstream) -> Self {
        Self { upstream }
    }

    pub(crate) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// The notes that have every word of `query`.
    pub(crate) async fn list_notes(&self, query: &str, limit: u32, after: Option<&str>) -> Result<Notes> {
        let mut request = Request::route("GET /notes", &[]).query("limit", limit.to_string());
        if !query.is_empty() {
            request = request.query("query", query);
        }
        if let Some(after) = after {
            request = request.query("after", after);
        }
        self.upstream.send(request).await?.json()
    }

    /// One note.
    pub(crate) async fn get_note(&self, id: &str) -> Result<Note> {
        self.upstream.send(Request::route("GET /notes/{id}", &[id])).await?.json()
    }

    /// Makes a note. The vendor knows no keys that would make a repeat harmless, so it is sent once.
    pub(crate) async fn create_note(&self, title: &str, text: &str) -> Result<Note> {
        let request = Request::route("POST /notes", &[])
            .check("Look with search whether the note is there")
            .json(&json!({"title": title, "text": text}))?;
        self.upstream.send(request).await?.json()
    }
}
