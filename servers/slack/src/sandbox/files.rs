//! Files: uploaded in three steps, looked at, downloaded, deleted.

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shared},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use connector::sandbox::Blob;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::{
    Site, auth,
    dispatch::{Args, Context, Method, Outcome, Refusal, T2, T3, T4, method},
    objects,
    state::{Row, flag, text, texts},
};

/// The methods.
pub(super) const METHODS: &[Method] = &[
    method("files.getUploadURLExternal", T4, "files:write", "filename length", |cx| {
        let id = cx.state.new_id("F");
        let length = cx
            .args
            .number("length")
            .filter(|length| *length > 0)
            .ok_or_else(|| Refusal::arguments("[ERROR] must be greater than 0 [json-pointer:/length]"))?;
        let alt = cx.args.text_or("alt_txt", &cx.args.text("alt_text"));
        let row = json!({ "id": id, "name": cx.args.text("filename"), "size": length, "user": cx.caller.user, "alt_txt": alt, "_pending": true });
        cx.state.add("files", &row);
        let url = format!("{}upload/v1/{id}", cx.site.harness.url());
        Ok(json!({ "upload_url": url, "file_id": id }))
    }),
    method("files.completeUploadExternal", T4, "files:write", "files", complete),
    method("files.info", T4, "files:read", "file", |cx| {
        let id = cx.args.text("file");
        let row = all(cx).into_iter().find(|row| text(row, "id") == id);
        let row = row.ok_or_else(|| Refusal::new("file_not_found"))?;
        let mut shown = show(cx, &row);
        if flag(&row, "_unshared") {
            shown["channels"] = json!([]);
            shown["shares"] = json!({});
        }
        Ok(json!({ "file": shown, "comments": [], "response_metadata": { "next_cursor": "" } }))
    }),
    method("files.list", T3, "files:read", "", |cx| {
        let (channel, user, types) = (cx.args.text("channel"), cx.args.text("user"), cx.args.list("types"));
        let all: Vec<Row> = all(cx)
            .into_iter()
            .filter(|row| channel.is_empty() || texts(row, "_shared").contains(&channel))
            .filter(|row| user.is_empty() || text(row, "user") == user)
            .filter(|row| {
                types.is_empty()
                    || types.iter().any(|kind| {
                        kind == "all"
                            || kind == text(row, "filetype")
                            || (kind == "canvas" && text(row, "filetype") == "quip")
                    })
            })
            .collect();
        let count = usize::try_from(cx.args.number("count").unwrap_or(100)).unwrap_or(100).clamp(1, 1000);
        let page = usize::try_from(cx.args.number("page").unwrap_or(1)).unwrap_or(1).max(1);
        let total = all.len();
        let files: Vec<Value> =
            all.iter().skip((page - 1) * count).take(count).map(|row| show(cx, row)).collect();
        Ok(
            json!({ "files": files, "paging": { "count": count, "total": total, "page": page, "pages": total.div_ceil(count) } }),
        )
    }),
    method("files.delete", T3, "files:write", "file", |cx| {
        let id = cx.args.text("file");
        let row = cx.state.get("files", &id, "file_not_found")?;
        if text(row, "user") != cx.caller.user {
            return Err(Refusal::new("cant_delete_file"));
        }
        cx.state.rows_mut("files").retain(|row| text(row, "id") != id);
        Ok(Value::Null)
    }),
    method("files.upload", T2, "files:write", "", |_| Err(Refusal::new("method_deprecated"))),
];

/// Every file that the caller sees, the newest first: lists are files too, of their own type and with their
/// columns (as `files.list` and `files.info` of the official SDK's types have them).
pub(super) fn all(cx: &Context<'_>) -> Vec<Row> {
    let home = cx.state.team();
    let lists = cx.state.rows("lists").iter().map(|list| {
        let permalink = format!("{}lists/{}/{}", text(&home, "url"), text(&home, "id"), text(list, "id"));
        let mut row = list.clone();
        let schema = row.shift_remove("schema");
        for (field, value) in [
            ("name", json!(text(list, "title"))),
            ("filetype", json!("list")),
            ("mimetype", json!("application/vnd.slack-list")),
            ("mode", json!("list")),
            ("pretty_type", json!("List")),
            ("permalink", json!(permalink)),
            ("list_metadata", json!({ "schema": schema })),
        ] {
            row.insert(field.to_owned(), value);
        }
        row
    });
    let files = cx.state.rows("files").iter().filter(|row| !flag(row, "_pending")).cloned();
    let mut all: Vec<Row> = files.chain(lists).filter(|row| is_visible(cx, row)).collect();
    all.sort_by_key(|row| std::cmp::Reverse(row.get("created").and_then(Value::as_u64)));
    all
}

/// Whether the caller sees a file: their own, or one that is shared where they can read.
pub(super) fn is_visible(cx: &Context<'_>, row: &Row) -> bool {
    text(row, "user") == cx.caller.user
        || texts(row, "_shared").iter().any(|id| {
            cx.state.find("channels", id).is_some_and(|channel| {
                objects::is_member(channel, cx.caller)
                    || (!cx.caller.is_bot() && !objects::is_closed(channel))
            })
        })
}

/// A file as its readers see it.
pub(super) fn show(cx: &Context<'_>, row: &Row) -> Value {
    let mut shown = objects::public(row);
    let team = cx.state.team();
    let (id, name) = (text(row, "id"), text(row, "name"));
    let canvas = text(row, "filetype") == "quip";
    let url = format!("{}files-pri/{}-{id}/{name}", cx.site.harness.url(), text(&team, "id"));
    let in_channels = |kinds: &[&str]| -> Vec<String> {
        texts(row, "_shared")
            .into_iter()
            .filter(|id| cx.state.find("channels", id).is_some_and(|row| kinds.contains(&objects::kind(row))))
            .collect()
    };
    let shares = |kinds: &[&str]| -> Value {
        let entries = in_channels(kinds).into_iter().map(|id| {
            let message = cx.state.rows("messages").iter().find(|message| {
                text(message, "_channel") == id && message.get("files").is_some_and(|files| files.to_string().contains(&format!("\"{}\"", text(row, "id"))))
            });
            let share = message.map(|message| {
                let mut share = json!({ "ts": text(message, "ts"), "reply_users": [], "reply_count": 0, "team_id": text(&team, "id"), "share_user_id": text(row, "user") });
                if message.contains_key("thread_ts") {
                    share["thread_ts"] = json!(text(message, "thread_ts"));
                }
                share
            });
            (id, json!(share.into_iter().collect::<Vec<_>>()))
        });
        Value::Object(entries.collect())
    };
    let mut all_shares = json!({});
    for (name, kinds) in
        [("public", &["public_channel"][..]), ("private", &["private_channel", "im", "mpim"])]
    {
        let these = shares(kinds);
        if these.as_object().is_some_and(|these| !these.is_empty()) {
            all_shares[name] = these;
        }
    }
    for (field, value) in [
        ("created", json!(1_700_000_000)),
        ("timestamp", json!(1_700_000_000)),
        ("title", json!(name)),
        ("mimetype", json!(if canvas { "application/vnd.slack-docs" } else { "text/plain" })),
        ("filetype", json!("text")),
        ("pretty_type", json!(if canvas { "Canvas" } else { "Plain Text" })),
        ("mode", json!(if canvas { "quip" } else { "hosted" })),
        ("user_team", json!(text(&team, "id"))),
        ("editable", json!(false)),
        ("is_external", json!(false)),
        ("external_type", json!("")),
        ("is_public", json!(true)),
        ("public_url_shared", json!(false)),
        ("username", json!("")),
        ("url_private", json!(url)),
        ("url_private_download", json!(url)),
        ("permalink", json!(format!("{}files/{}/{id}/{name}", text(&team, "url"), text(row, "user")))),
        ("channels", json!(in_channels(&["public_channel"]))),
        ("groups", json!(in_channels(&["private_channel"]))),
        ("ims", json!(in_channels(&["im", "mpim"]))),
        ("shares", all_shares),
        ("has_rich_preview", json!(false)),
    ] {
        shown.entry(field).or_insert(value);
    }
    json!(shown)
}

fn complete(cx: &mut Context<'_>) -> Outcome<Value> {
    let Value::Array(files) = cx.args.json("files") else { return Err(Refusal::new("invalid_arguments")) };
    let mut targets: Vec<String> = Vec::new();
    if cx.args.has("channel_id") {
        let id = cx.args.text("channel_id");
        if !id.starts_with(['C', 'G', 'D', 'Z']) {
            return Err(Refusal::arguments(
                "[ERROR] input must match regex pattern: ^[CGDZ][A-Z0-9]{8,}$ [json-pointer:/channel_id]",
            ));
        }
        targets.push(id);
    }
    targets.extend(cx.args.list("channels"));
    if targets.len() > 100 {
        return Err(Refusal::new("channels_limit_exceeded"));
    }
    let mut rows = Vec::new();
    for file in &files {
        let id = file["id"].as_str().unwrap_or_default();
        let row = cx.state.get("files", id, "file_not_found")?;
        if !flag(row, "_pending") {
            return Err(Refusal::new("file_not_found"));
        }
        if cx.site.blobs.get(id).is_none() {
            return Err(Refusal::new("file_update_failed"));
        }
        rows.push((id.to_owned(), file["title"].as_str().map(str::to_owned)));
    }
    for target in &targets {
        let row = cx.state.get("channels", target, "channel_not_found")?;
        if !objects::is_member(row, cx.caller) && (objects::is_closed(row) || cx.caller.is_bot()) {
            return Err(Refusal::new("posting_to_channel_denied"));
        }
    }
    let now = cx.now.as_secs();
    for (id, title) in &rows {
        if let Some(row) = cx.state.find_mut("files", id) {
            row.shift_remove("_pending");
            let title = title.clone().unwrap_or_else(|| text(row, "name").to_owned());
            let (kind, filetype) = mime(text(row, "name"));
            for (field, value) in [
                ("title", json!(title)),
                ("created", json!(now)),
                ("timestamp", json!(now)),
                ("_shared", json!(targets)),
                ("mimetype", json!(kind)),
                ("filetype", json!(filetype)),
                ("pretty_type", json!(filetype)),
            ] {
                row.insert(field.to_owned(), value);
            }
        }
    }
    let shown: Vec<Value> =
        rows.iter().filter_map(|(id, _)| cx.state.find("files", id)).map(|row| show(cx, row)).collect();
    for target in &targets {
        let ts = cx.state.new_ts(cx.now);
        let mut row = json!({ "ts": ts, "_channel": target, "user": cx.caller.user, "text": cx.args.text("initial_comment"), "files": shown, "upload": true });
        if cx.args.has("thread_ts") {
            row["thread_ts"] = json!(cx.args.text("thread_ts"));
        }
        if cx.caller.is_bot() {
            row["bot_id"] = json!(cx.caller.bot);
        }
        cx.state.add("messages", &row);
        for (id, _) in &rows {
            let event = json!({ "type": "file_shared", "user_id": cx.caller.user, "file_id": id, "file": { "id": id },
                "channel_id": target });
            super::events::tell(cx.site, cx.state, event);
        }
    }
    let shown: Vec<Value> =
        rows.iter().filter_map(|(id, _)| cx.state.find("files", id)).map(|row| show(cx, row)).collect();
    Ok(json!({ "files": shown }))
}

/// Media type and Slack's word for it, by a file's name.
fn mime(name: &str) -> (&'static str, &'static str) {
    match name.rsplit('.').next().unwrap_or_default() {
        "png" => ("image/png", "png"),
        "jpg" | "jpeg" => ("image/jpeg", "jpg"),
        "pdf" => ("application/pdf", "pdf"),
        "csv" => ("text/csv", "csv"),
        "json" => ("application/json", "json"),
        "md" => ("text/markdown", "markdown"),
        _ => ("text/plain", "text"),
    }
}

/// `POST /upload/v1/{id}`: the bytes, raw or as a form with one file.
pub(super) async fn upload(
    Shared(site): Shared<Arc<Site>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let expected = {
        let state = site.state();
        state
            .find("files", &id)
            .filter(|row| flag(row, "_pending"))
            .and_then(|row| row.get("size"))
            .and_then(Value::as_u64)
    };
    let Some(expected) = expected else {
        return (StatusCode::NOT_FOUND, "no upload is expected here").into_response();
    };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let bytes = match kind.split_once("boundary=") {
        Some((_, boundary)) if kind.starts_with("multipart/form-data") => {
            form_file(&body, boundary.trim_matches('"'))
        }
        _ => Some(body),
    };
    match bytes {
        Some(bytes) if bytes.len() as u64 == expected => {
            let (content_type, _) =
                mime(site.state().find("files", &id).map(|row| text(row, "name")).unwrap_or_default());
            site.blobs.insert(&id, Blob { content_type: content_type.to_owned(), bytes });
            (StatusCode::OK, format!("OK - {expected}")).into_response()
        }
        _ => (StatusCode::BAD_REQUEST, "file size does not match the announced length").into_response(),
    }
}

/// The content of the one file in a form.
fn form_file(body: &Bytes, boundary: &str) -> Option<Bytes> {
    let find = |from: usize, what: &[u8]| {
        body[from..].windows(what.len()).position(|window| window == what).map(|at| from + at)
    };
    let start = find(0, format!("--{boundary}").as_bytes())?;
    let content = find(start, b"\r\n\r\n")? + 4;
    let end = find(content, format!("\r\n--{boundary}").as_bytes())?;
    Some(body.slice(content..end))
}

/// `GET /files-pri/{team}-{id}/{name}`: the bytes for who may read them, else a page to log in.
pub(super) async fn download(
    Shared(site): Shared<Arc<Site>>,
    Path((id, _)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let page = || {
        (
            StatusCode::OK,
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            "<!DOCTYPE html><html><body>Sign in to Harbor</body></html>",
        )
            .into_response()
    };
    let Ok(caller) = auth::authenticate(&site, &headers, &Args::default()) else { return page() };
    let id = id.split_once('-').map_or(id.clone(), |(_, id)| id.to_owned());
    let (canvas, visible) = {
        let mut state = site.state();
        let args = Args::default();
        let now = site.now();
        let row = state.find("files", &id).cloned();
        let cx = Context { site: &site, state: &mut state, caller: &caller, args: &args, now };
        let row = row.filter(|row| caller.has("files:read") && is_visible(&cx, row));
        (row.as_ref().filter(|row| text(row, "filetype") == "quip").map(super::canvases::html), row.is_some())
    };
    if !visible {
        return page();
    }
    match canvas {
        Some(html) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        None => site.blobs.get(&id).map_or_else(page, axum::response::IntoResponse::into_response),
    }
}

/// Puts the contents of the seed's files where they are downloaded from.
pub(super) fn fill(site: &Site) {
    for row in site.state().rows("files") {
        if !text(row, "_text").is_empty() {
            let (kind, _) = mime(text(row, "name"));
            site.blobs.insert(
                text(row, "id"),
                Blob { content_type: kind.to_owned(), bytes: Bytes::from(text(row, "_text").to_owned()) },
            );
        }
    }
}
