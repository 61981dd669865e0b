//! Files: a place is asked for by mutation, filled by PUT with the headers that came with it, and
//! read with the caller's credential or a signed address.
//!
//! Linear keeps them on another host, `uploads.linear.app`; here that is a path of the same one.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    extract::{Path, Query, State as Shared},
    response::{IntoResponse as _, Response},
};
use connector::sandbox::Place;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{
    Site, auth,
    errors::{ApiError, Outcome},
    store::{Row, new_id, text},
};

/// Where files are read.
pub(super) const READ: &str = "uploads.linear.app";
/// Where they are put.
pub(super) const WRITE: &str = "_storage";

/// How long a place is kept free.
const PLACE_TTL: Duration = Duration::from_secs(60);

/// `fileUpload`: the payload with the address and the headers of the PUT.
pub(super) fn place(site: &Site, organization: &str, args: &Row) -> Outcome<Row> {
    let size = args.get("size").and_then(Value::as_u64).filter(|size| *size > 0);
    let size = size.ok_or_else(|| ApiError::invalid("size must not be less than 1."))?;
    let (name, kind) =
        (text(args, "filename").unwrap_or_default(), text(args, "contentType").unwrap_or_default());
    if name.is_empty() || !kind.contains('/') {
        return Err(ApiError::invalid("contentType must be a media type, and filename should not be empty."));
    }
    let key = format!("{organization}/{}/{}", new_id(), new_id());
    let safe: String = name.chars().map(|c| if c.is_ascii_graphic() && c != '"' { c } else { '_' }).collect();
    let headers = vec![
        ("x-goog-content-length-range".to_owned(), format!("{size},{size}")),
        ("content-disposition".to_owned(), format!("attachment; filename=\"{safe}\"")),
    ];
    let listed: Vec<Value> =
        headers.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    site.blobs.expect(Place {
        key: key.clone(),
        content_type: kind.to_owned(),
        size: Some(size),
        headers,
        ttl: PLACE_TTL,
    });
    let base = site.harness.url();
    let mut payload = Row::new();
    payload.insert(
        "uploadFile".to_owned(),
        json!({
            "filename": name,
            "contentType": kind,
            "size": size,
            "uploadUrl": format!("{base}{WRITE}/{key}"),
            "assetUrl": format!("{base}{READ}/{key}"),
            "headers": listed,
        }),
    );
    Ok(payload)
}

/// `GET` of a file.
pub(super) async fn read(
    Shared(site): Shared<Arc<Site>>,
    Path(key): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let signed = query.get("signature").is_some_and(|signature| site.blobs.opens(&key, signature));
    let known = || auth::authenticate(&headers, &site.oauth, &site.state()).is_ok();
    if !signed && !known() {
        return (StatusCode::UNAUTHORIZED, "Unauthorized").into_response();
    }
    let Some(blob) = site.blobs.get(&key) else {
        return (StatusCode::NOT_FOUND, "Not found").into_response();
    };
    let kind = HeaderValue::from_str(&blob.content_type);
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    ([(header::CONTENT_TYPE, kind)], blob.bytes).into_response()
}

/// `markdown` with a signature on every address of a file, good for `ttl`.
pub(super) fn sign(site: &Site, markdown: &str, ttl: Duration) -> String {
    let prefix = format!("{}{READ}/", site.harness.url());
    let mut parts = markdown.split(&prefix);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end =
            part.find(|c: char| !c.is_ascii_alphanumeric() && !"-_./".contains(c)).unwrap_or(part.len());
        let (key, rest) = part.split_at(end);
        text.push_str(&format!("{prefix}{key}?signature={}{rest}", site.blobs.sign(key, ttl)));
    }
    text
}
