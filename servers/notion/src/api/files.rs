//! Files: uploaded in steps, and read from where Notion keeps them.

use std::time::Duration;

use bytes::Bytes;
use connector::{
    Error, Kind, Result,
    upstream::{Replay, Request},
};
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::Api;

/// How long sending one part may take.
const SENDING: Duration = Duration::from_secs(120);
/// Hosts of Notion's files (developers.notion.com/reference/file-object): its own, and its storage's.
const HOSTS: [&str; 4] = ["notion.so", "notion.com", "notionusercontent.com", "amazonaws.com"];

/// A file on its way into Notion.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Upload {
    pub(crate) id: String,
    /// `pending`, `uploaded`, `expired` or `failed`.
    pub(crate) status: String,
    pub(crate) file_import_result: Value,
    number_of_parts: Value,
}

impl Upload {
    /// Whether its bytes are there.
    pub(crate) fn is_done(&self) -> bool {
        self.status == "uploaded"
    }

    /// How many of its parts have arrived.
    pub(crate) fn parts_sent(&self) -> u64 {
        self.number_of_parts["sent"].as_u64().unwrap_or_default()
    }
}

impl Api {
    /// Announces a file. A second announcement is harmless: what is attached nowhere is gone after an hour.
    pub(crate) async fn create_upload(&self, body: &Value) -> Result<Upload> {
        let request = Request::route("POST /file_uploads", &[]).json(body)?;
        self.send(request.replay(Replay::Idempotent)).await
    }

    /// Sends a file's bytes, or one part of them.
    pub(crate) async fn send_upload(
        &self,
        id: &str,
        (name, content_type): (&str, &str),
        bytes: &Bytes,
        part: Option<usize>,
    ) -> Result<Upload> {
        let (kind, body) = form(name, content_type, bytes, part);
        let request = Request::route("POST /file_uploads/{id}/send", &[id])
            .header(header::CONTENT_TYPE, kind)
            .attempt_timeout(SENDING)
            .body(body);
        self.send(request.check("Upload the file again; this one is attached nowhere")).await
    }

    /// Puts the parts of a file together.
    pub(crate) async fn complete_upload(&self, id: &str) -> Result<Upload> {
        let request = Request::route("POST /file_uploads/{id}/complete", &[id]).json(&json!({}))?;
        self.send(request.check("Upload the file again; this one is attached nowhere")).await
    }

    /// How an upload stands.
    pub(crate) async fn upload(&self, id: &str) -> Result<Upload> {
        self.send(Request::route("GET /file_uploads/{id}", &[id])).await
    }

    /// The media type and bytes, `most` at most, of a file that Notion keeps. The address is its credential.
    pub(crate) async fn download(&self, address: &str, most: usize) -> Result<(String, Bytes)> {
        let url = Url::parse(address).ok().filter(|url| self.is_notions(url)).ok_or_else(|| {
            Error::new(Kind::Upstream, "Notion names an address for the file that is not Notion's")
                .with_hint("Files of other services are not fetched")
        })?;
        let request = Request::get("GET /files", "/").url(url).no_auth().any_body().max_body(most);
        let response = self.upstream.send(request).await?;
        let kind = response.header("content-type").unwrap_or_default();
        Ok((kind.split(';').next().unwrap_or_default().trim().to_owned(), response.body))
    }

    /// Whether an address is one of Notion's files, or of the API's own origin (a sandbox, a proxy).
    fn is_notions(&self, url: &Url) -> bool {
        let ours = |host: &str| {
            HOSTS.iter().any(|ours| {
                host.strip_suffix(ours).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
        };
        url.origin() == self.upstream.base_url().origin()
            || (url.scheme() == "https" && url.host_str().is_some_and(ours))
    }
}

/// A form with one file in it (RFC 7578), and the media type that names its boundary.
fn form(name: &str, content_type: &str, bytes: &Bytes, part: Option<usize>) -> (HeaderValue, Bytes) {
    // No file has the digest of itself in it.
    let boundary = format!("part-{}", &crate::dialect::digest_of(bytes)[..32]);
    let name: String = name.chars().map(|c| if c == '"' || c.is_control() { '_' } else { c }).collect();
    let mut body = Vec::with_capacity(bytes.len() + 512);
    if let Some(part) = part {
        body.extend_from_slice(
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"part_number\"\r\n\r\n{part}\r\n")
                .as_bytes(),
        );
    }
    body.extend_from_slice(
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {content_type}\r\n\r\n")
            .as_bytes(),
    );
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let kind = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"));
    (kind.unwrap_or_else(|_| HeaderValue::from_static("multipart/form-data")), body.into())
}
