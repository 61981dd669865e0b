//! Files: uploads, and the addresses under which they are read, which are signed and expire after an hour
//! (developers.notion.com/reference/file-object, /reference/file-upload).

use std::time::Duration;

use axum::{
    extract::{Path, RawQuery, State as Shared},
    response::{IntoResponse as _, Response},
};
use connector::sandbox::Blob;
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Site,
    auth::Capability,
    check::Place,
    errors::{ApiError, Outcome},
    routes::{Context, Query, page_of_results},
    tree::State,
};

/// How long an upload waits to be attached, and an address works.
const HOUR: Duration = Duration::from_secs(3600);
/// The most bytes in one part; a file in parts may be larger.
const PART: usize = 20 * 1024 * 1024;
/// Where files lie, under the fake's own address.
pub(super) const PREFIX: &str = "files";

/// A file's body as Markdown has it: a signed address of Notion's own is the file, whatever its signature; without one
/// it is any address.
pub(super) fn body_of(url: &str) -> Value {
    let own = url.split_once(&format!("/{PREFIX}/")).filter(|_| url.starts_with("http://127.0.0.1"));
    match own.and_then(|(_, key)| key.split_once('?')).filter(|(_, query)| query.contains("X-Amz-")) {
        Some((key, _)) => json!({"type": "file", "file": {"key": key}}),
        None => json!({"type": "external", "external": {"url": url}}),
    }
}

/// A file of a request, as it is stored: what was uploaded lies under its key.
pub(super) fn stored(state: &State, given: &Value, place: &Place) -> Outcome<Value> {
    let name = &given["name"];
    if let Some(url) = given["external"]["url"].as_str() {
        place.at("external").at("url").length(url, 2000)?;
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(ApiError::validation("Invalid URL for external file."));
        }
        return Ok(json!({"type": "external", "external": {"url": url}, "name": name}));
    }
    if let Some(id) = given["file_upload"]["id"].as_str() {
        let upload = state.uploads.get(id).filter(|upload| upload["status"] == "uploaded");
        let upload = upload.ok_or_else(|| {
            ApiError::validation(format!(
                "Could not find file_upload with ID: {id}, or it is not uploaded yet."
            ))
        })?;
        let name = if name.is_null() { &upload["filename"] } else { name };
        return Ok(json!({"type": "file", "file": {"key": id}, "name": name}));
    }
    if given["file"]["key"].is_string() {
        return Ok(json!({"type": "file", "file": given["file"], "name": name}));
    }
    Err(place.at("external").missing())
}

/// The value of a Files column.
pub(super) fn values(state: &State, given: &Value, place: &Place) -> Outcome<Value> {
    let items = place.list(given, 100)?;
    let one = |(at, item): (usize, &Value)| {
        // A file that the page has already is given back as it was shown.
        let item = match item["file"]["url"].as_str() {
            Some(url) => {
                let mut body = body_of(url);
                body["name"] = item["name"].clone();
                body
            }
            None => item.clone(),
        };
        stored(state, &item, &place.item(at))
    };
    Ok(Value::Array(items.iter().enumerate().map(one).collect::<Outcome<_>>()?))
}

/// Puts a signed address in place of the key of one of Notion's own files.
pub(super) fn sign_body(site: &Site, body: &mut Value) {
    if let Some(key) = body["file"]["key"].as_str().map(str::to_owned) {
        let (url, expires) = site.file_url(&key);
        body["file"] = json!({"url": url, "expiry_time": expires});
    }
    if body.get("name").is_some_and(Value::is_null)
        && let Some(body) = body.as_object_mut()
    {
        body.remove("name");
    }
}

impl Site {
    /// The address of a file now, and when it stops working.
    pub(super) fn file_url(&self, key: &str) -> (String, String) {
        let signature = self.blobs.sign(key, HOUR);
        let base = self.base();
        let expires = connector::sandbox::VirtualClock::iso(self.clock().now() + HOUR);
        (format!("{base}{PREFIX}/{key}?X-Amz-Expires=3600&X-Amz-Signature={signature}"), expires)
    }
}

/// `GET /files/{key}`: without a credential, by the signature.
pub(super) async fn read(
    Shared(site): Shared<std::sync::Arc<Site>>,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let signature = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Signature="));
    match site
        .blobs
        .get(&key)
        .filter(|_| signature.is_some_and(|signature| site.blobs.opens(&key, signature)))
    {
        Some(blob) => blob.into_response(),
        None => (StatusCode::FORBIDDEN, "<Error><Code>AccessDenied</Code></Error>").into_response(),
    }
}

impl Context<'_> {
    fn upload(&self, id: &str) -> Outcome<Value> {
        let upload = self.state.uploads.get(id).cloned();
        let mut upload = upload.ok_or_else(|| ApiError::not_found("file_upload", id, self.caller.name))?;
        let expired = upload["expiry_time"].as_str().is_some_and(|expiry| expiry < self.now.as_str());
        if upload["status"] == "pending" && expired {
            upload["status"] = json!("expired");
        }
        Ok(upload)
    }

    /// `POST /file_uploads`.
    pub(super) fn create_upload(&mut self, given: &Value) -> Outcome<Value> {
        self.need(Capability::InsertContent)?;
        let place = Place::body();
        let mode = given["mode"].as_str().unwrap_or("single_part");
        place.at("mode").one_of(mode, &["single_part", "multi_part", "external_url"])?;
        let filename = given["filename"].as_str();
        if mode != "single_part" && filename.is_none() {
            return Err(place.at("filename").missing());
        }
        if filename.is_some_and(|name| name.chars().count() > 900) {
            return Err(place.at("filename").at("length").should("≤ `900`", &json!(901)));
        }
        let external = given["external_url"].as_str();
        if mode == "external_url" {
            let url = external.ok_or_else(|| place.at("external_url").missing())?;
            if !url.starts_with("https://") {
                return Err(ApiError::validation(
                    "external_url must be an SSL-enabled, publicly accessible URL.",
                ));
            }
        }
        let parts = given["number_of_parts"].as_u64();
        if mode == "multi_part" && parts.is_none_or(|parts| !(1..=10_000).contains(&parts)) {
            return Err(place.at("number_of_parts").should("between 1 and 10000", &given["number_of_parts"]));
        }
        let id = self.state.new_id();
        let base = self.site.base();
        let expiry = connector::sandbox::VirtualClock::iso(self.site.clock().now() + HOUR);
        let mut upload = json!({
            "object": "file_upload", "id": id, "created_time": self.now, "last_edited_time": self.now,
            "created_by": {"id": self.caller.user, "type": "bot"}, "in_trash": false, "archived": false,
            "expiry_time": expiry, "status": "pending", "filename": filename,
            "content_type": given["content_type"], "content_length": null,
        });
        match mode {
            "external_url" => {
                // Notion fetches it; the fake takes it as fetched.
                upload["status"] = json!("uploaded");
                upload["file_import_result"] =
                    json!({"type": "success", "success": {}, "imported_time": self.now});
                let blob = Blob {
                    content_type: "application/octet-stream".to_owned(),
                    bytes: external.unwrap_or_default().to_owned().into(),
                };
                self.site.blobs.insert(&id, blob);
            }
            "multi_part" => {
                upload["upload_url"] = json!(format!("{base}v1/file_uploads/{id}/send"));
                upload["complete_url"] = json!(format!("{base}v1/file_uploads/{id}/complete"));
                upload["number_of_parts"] = json!({"total": parts, "sent": 0});
            }
            _ => upload["upload_url"] = json!(format!("{base}v1/file_uploads/{id}/send")),
        }
        self.state.uploads.insert(id, upload.clone());
        Ok(upload)
    }

    /// `POST /file_uploads/{id}/send`: the form's `file`, and `part_number` of a file in parts.
    pub(super) fn send_upload(&mut self, id: &str, form: &Form) -> Outcome<Value> {
        self.need(Capability::InsertContent)?;
        let mut upload = self.upload(id)?;
        if upload["status"] != "pending" {
            return Err(ApiError::validation("The file upload is not in the `pending` status."));
        }
        let Some(bytes) = &form.file else { return Err(Place::body().at("file").missing()) };
        if bytes.len() > PART {
            return Err(ApiError::validation("The file is larger than 20 MiB; use mode `multi_part`."));
        }
        let kind = form.content_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned());
        if upload["content_type"].is_null() {
            upload["content_type"] = json!(kind);
        } else if upload["content_type"] != kind.as_str() {
            return Err(ApiError::validation(format!(
                "The content type of the file should be {}, instead was `{kind}`.",
                upload["content_type"]
            )));
        }
        if upload["filename"].is_null() {
            upload["filename"] = json!(form.filename);
        }
        if upload.get("number_of_parts").is_some() {
            let part = form.part.ok_or_else(|| Place::body().at("part_number").missing())?;
            let key = format!("{id}/{part}");
            self.site.blobs.insert(&key, Blob { content_type: kind, bytes: bytes.clone() });
            let sent = upload["number_of_parts"]["sent"].as_u64().unwrap_or(0);
            upload["number_of_parts"]["sent"] = json!(sent + 1);
        } else {
            upload["status"] = json!("uploaded");
            upload["content_length"] = json!(bytes.len());
            self.site.blobs.insert(id, Blob { content_type: kind, bytes: bytes.clone() });
        }
        self.state.uploads.insert(id.to_owned(), upload.clone());
        Ok(upload)
    }

    /// `POST /file_uploads/{id}/complete`.
    pub(super) fn complete_upload(&mut self, id: &str) -> Outcome<Value> {
        self.need(Capability::InsertContent)?;
        let mut upload = self.upload(id)?;
        let total = upload["number_of_parts"]["total"].as_u64();
        let Some(total) = total else {
            return Err(ApiError::validation("Only a multi_part upload is completed."));
        };
        let mut whole = Vec::new();
        for part in 1..=total {
            let blob = self.site.blobs.get(&format!("{id}/{part}"));
            let blob = blob
                .ok_or_else(|| ApiError::validation(format!("Part {part} of {total} has not been sent.")))?;
            whole.extend_from_slice(&blob.bytes);
        }
        upload["status"] = json!("uploaded");
        upload["content_length"] = json!(whole.len());
        let content_type = upload["content_type"].as_str().unwrap_or_default().to_owned();
        self.site.blobs.insert(id, Blob { content_type, bytes: whole.into() });
        self.state.uploads.insert(id.to_owned(), upload.clone());
        Ok(upload)
    }

    /// `GET /file_uploads/{id}`.
    pub(super) fn get_upload(&mut self, id: &str) -> Outcome<Value> {
        self.upload(id)
    }

    /// `GET /file_uploads`.
    pub(super) fn list_uploads(&mut self, query: &Query) -> Outcome<Value> {
        let status = query.get("status");
        let uploads = self
            .state
            .uploads
            .values()
            .filter(|upload| status.is_none_or(|status| upload["status"] == status));
        let uploads: Vec<&Value> = uploads.collect();
        page_of_results(query, &uploads, "file_upload", |upload| (*upload).clone())
    }
}

/// A multipart form, as far as an upload needs it.
#[derive(Debug, Default)]
pub(super) struct Form {
    file: Option<bytes::Bytes>,
    filename: Option<String>,
    content_type: Option<String>,
    part: Option<u64>,
}

impl Form {
    /// Reads `body`, whose parts are divided by the boundary that `content_type` names (RFC 7578).
    pub(super) fn read(content_type: &str, body: &bytes::Bytes) -> Option<Self> {
        let (_, boundary) = content_type.split_once("boundary=")?;
        let mark = format!("--{}", boundary.trim_matches('"'));
        let mut form = Self::default();
        let mut at = find(body, mark.as_bytes(), 0)? + mark.len();
        while let Some(next) = find(body, mark.as_bytes(), at) {
            let part = body.slice(at..next);
            at = next + mark.len();
            let head_end = find(&part, b"\r\n\r\n", 0)?;
            let head = String::from_utf8_lossy(&part[..head_end]).into_owned();
            let content = part.slice(head_end + 4..part.len().saturating_sub(2).max(head_end + 4));
            let parameter = |name: &str| {
                let (_, rest) = head.split_once(&format!("{name}=\""))?;
                rest.split('"').next().map(str::to_owned)
            };
            match parameter(" name").as_deref() {
                Some("file") => {
                    form.filename = parameter("filename");
                    form.content_type = head.lines().find_map(|line| {
                        line.to_ascii_lowercase()
                            .strip_prefix("content-type:")
                            .map(|kind| kind.trim().to_owned())
                    });
                    form.file = Some(content);
                }
                Some("part_number") => form.part = String::from_utf8_lossy(&content).trim().parse().ok(),
                _ => {}
            }
        }
        Some(form)
    }
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.windows(wanted.len()).position(|window| window == wanted).map(|at| at + from)
}
