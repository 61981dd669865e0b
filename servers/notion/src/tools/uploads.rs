//! Files uploaded: from bytes, from a path below the upload root, or by Notion itself.

use std::time::Duration;

use bytes::Bytes;
use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Plan, Reply, Tool, Written, one_line,
        reconcile::{self, Seen},
        unbroken,
        upload::{File, UploadSource},
        words::short,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    files::{files_columns, where_files_are},
    outcome,
};
use crate::{
    Notion,
    api::{files::Upload, objects::Item},
    error::committed_children,
    render, resolve,
};

/// The most bytes of a file that are uploaded.
const LARGEST: usize = 100 * 1024 * 1024;
/// The most bytes in one request; larger files go in parts of half of it (developers.notion.com/reference/file-upload).
const ONE_PART: usize = 20 * 1024 * 1024;
const PART: usize = ONE_PART / 2;
/// How often and how long apart a file that Notion fetches is looked at.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(2);
/// Characters of what was written that errors show.
const SHOWN: usize = 60;

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::write(
            "upload_file",
            "Upload a file",
            "Uploads a file and adds it to the page or block `to`, or to its `property`; without `to` the upload's id \
             is for add_comment or update_pages within an hour. Notion fetches `url` itself.",
            upload_file,
        )
        .toolset("files")
        .aliases(&[
            ("name", "filename"),
            ("base64", "content"),
            ("external_url", "url"),
            ("page_id", "to"),
            ("id", "to"),
            ("column", "property"),
        ])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UploadFile {
    to: Option<String>,
    property: Option<String>,
    filename: Option<String>,
    /// Base64.
    content: Option<String>,
    /// Below the upload root.
    path: Option<String>,
    url: Option<String>,
    caption: Option<String>,
}

/// What is uploaded.
enum Source {
    Bytes(File),
    /// An address that Notion fetches from, and the name that the file gets.
    Address(String, String),
}

impl Source {
    fn name(&self) -> &str {
        match self {
            Self::Bytes(file) => &file.name,
            Self::Address(_, name) => name,
        }
    }

    /// The type of the block that shows it.
    fn block_type(&self) -> &'static str {
        let kind = match self {
            Self::Bytes(file) => file.content_type,
            // What it is, only Notion learns; the name says what it should be.
            Self::Address(_, name) => by_name(name),
        };
        match kind.split('/').next() {
            Some("image") => "image",
            Some("video") => "video",
            Some("audio") => "audio",
            _ if kind == "application/pdf" => "pdf",
            _ => "file",
        }
    }
}

fn by_name(name: &str) -> &'static str {
    match name.rsplit('.').next().map(str::to_ascii_lowercase).as_deref() {
        Some("png" | "jpg" | "jpeg" | "gif" | "webp" | "svg" | "heic" | "avif") => "image/",
        Some("mp4" | "mov" | "webm") => "video/",
        Some("mp3" | "wav") => "audio/",
        Some("pdf") => "application/pdf",
        _ => "",
    }
}

/// Where an upload goes.
enum Place {
    Nowhere,
    /// At the end of a page or block.
    Inside(String),
    /// In a column of a row.
    Column(Box<Item>, String),
}

async fn upload_file(call: Call<Notion>, arguments: UploadFile) -> Result<Plan> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let source = source(&call, &arguments).await?;
    let (place, words) = place(&call, given(&arguments.to), given(&arguments.property)).await?;
    let size = match &source {
        Source::Bytes(file) => {
            largest(&call, file).await?;
            format!(" ({} bytes)", file.bytes.len())
        }
        Source::Address(address, _) => format!(" (fetched by Notion from {})", one_line(address)),
    };
    let what = format!("{}{size}{words}", source.name());
    let caption = given(&arguments.caption);
    let preview = Reply::written(Written::new(format!("Upload {what}.")));
    Ok(Plan::new(preview, move || async move {
        let upload = send(&call, &source).await?;
        let bare = render::bare(&upload.id);
        let (told, id) = match &place {
            Place::Nowhere => (
                format!("; use upload:{bare} in add_comment or as a file of update_pages within an hour"),
                bare,
            ),
            Place::Inside(parent) => {
                let (block, lost) = add_block(&call, parent, &source, &upload, caption.as_deref())
                    .await
                    .map_err(|error| unattached(error, &bare))?;
                let block = render::bare(&block);
                (format!("; block {block}{}", outcome::note(lost)), block)
            }
            Place::Column(row, column) => {
                let lost =
                    add_value(&call, row, column, &upload).await.map_err(|error| unattached(error, &bare))?;
                (outcome::note(lost).to_owned(), render::bare(&row.id))
            }
        };
        Ok(Reply::written(Written::new(format!("Uploaded {what}{told}.")).id(id)))
    }))
}

/// An upload that is there and was not added: it can still be.
fn unattached(error: Error, upload: &str) -> Error {
    let hint = format!("The file is uploaded as upload:{upload}. {}", error.hint().unwrap_or_default());
    error.with_hint(hint.trim_end().to_owned())
}

async fn source(call: &Call<Notion>, arguments: &UploadFile) -> Result<Source> {
    fn given(text: &Option<String>) -> Option<&str> {
        text.as_deref().filter(|text| !text.trim().is_empty())
    }
    let name = given(&arguments.filename);
    let from = UploadSource { root: call.upload_root(), max_bytes: LARGEST };
    let file = from.read(given(&arguments.content), name, given(&arguments.path)).await?;
    match (file, given(&arguments.url)) {
        (Some(file), None) => Ok(Source::Bytes(file)),
        (None, Some(address)) => {
            let address = address.trim();
            if !address.starts_with("https://") {
                return Err(Error::invalid(
                    "`url` must begin with https://, because Notion fetches only from there",
                ));
            }
            let path = address.split(['?', '#']).next().unwrap_or_default();
            let last = path.rsplit('/').next().filter(|last| last.contains('.'));
            let name = name.or(last).ok_or_else(|| {
                Error::invalid("`filename` is missing").with_hint("Give the file's name with its ending")
            })?;
            Ok(Source::Address(address.to_owned(), one_line(name)))
        }
        (Some(_), Some(_)) => Err(Error::invalid("Give one of `content`, `path` and `url`")),
        (None, None) => Err(Error::invalid(
            "Give the file as `content` (base64, with `filename`), as a `path`, or as a `url` that Notion fetches",
        )),
    }
}

/// Refuses what the workspace does not take: 5 MiB on free plans (developers.notion.com/reference/file-upload).
async fn largest(call: &Call<Notion>, file: &File) -> Result<()> {
    let me = call.api().me().await?;
    let most = me.bot["workspace_limits"]["max_file_upload_size_in_bytes"].as_u64();
    match most.filter(|most| file.bytes.len() as u64 > *most) {
        Some(most) => Err(Error::invalid(format!(
            "{} has {} bytes, and the workspace takes files of at most {most}",
            file.name,
            file.bytes.len()
        ))),
        None => Ok(()),
    }
}

async fn place(call: &Call<Notion>, to: Option<String>, property: Option<String>) -> Result<(Place, String)> {
    let Some(to) = to else {
        if property.is_some() {
            return Err(Error::invalid("`property` needs the row as `to`"));
        }
        return Ok((Place::Nowhere, String::new()));
    };
    let id = call.block_id("to", &to).await?;
    let page = match call.api().page(&id).await {
        Ok(page) => Some(page),
        Err(error) if error.kind() == Kind::NotFound => None,
        Err(error) => return Err(error),
    };
    match (page, property) {
        (Some(page), Some(property)) => {
            let title = render::title(&page.name());
            let column = page
                .properties
                .iter()
                .find(|(known, value)| resolve::same(known, &property) && value["type"] == "files");
            let Some((column, _)) = column else {
                let columns = files_columns(&page);
                return Err(Error::invalid(format!(
                    "{title} has no column of files `{}`",
                    short(&property, SHOWN)
                ))
                .with_hint(where_files_are(&columns)));
            };
            let words = format!(" to {} of {title}", one_line(column));
            let column = column.clone();
            Ok((Place::Column(Box::new(page), column), words))
        }
        (Some(page), None) => {
            Ok((Place::Inside(id), format!(" to the end of {}", render::title(&page.name()))))
        }
        (None, Some(_)) => Err(Error::invalid("`property` needs a row of a table as `to`")),
        (None, None) => {
            let block = call.api().block(&id).await?;
            let kind = block["type"].as_str().unwrap_or_default().replace('_', " ");
            Ok((Place::Inside(id.clone()), format!(" into {kind} {}", render::bare(&id))))
        }
    }
}

/// Uploads a file, and waits until Notion has it.
async fn send(call: &Call<Notion>, source: &Source) -> Result<Upload> {
    match source {
        Source::Address(address, name) => {
            let body = json!({"mode": "external_url", "external_url": address, "filename": name});
            let mut upload = call.api().create_upload(&body).await?;
            for look in 1..=LOOKS {
                match upload.status.as_str() {
                    "uploaded" => return Ok(upload),
                    "pending" => {
                        tokio::time::sleep(PAUSE).await;
                        call.progress(look, None, "Notion is fetching the file").await;
                        upload = call.api().upload(&upload.id).await?;
                    }
                    _ => {
                        let why = &upload.file_import_result["error"]["message"];
                        return Err(Error::invalid(format!(
                            "Notion could not fetch the file: {}",
                            one_line(why.as_str().unwrap_or("no reason given"))
                        )));
                    }
                }
            }
            Err(Error::new(Kind::Upstream, "Notion is still fetching the file")
                .with_hint("Try again in a minute"))
        }
        Source::Bytes(file) if file.bytes.len() <= ONE_PART => {
            let body = json!({"filename": file.name, "content_type": file.content_type});
            let upload = call.api().create_upload(&body).await?;
            send_part(call, &upload.id, file, &file.bytes, None).await
        }
        Source::Bytes(file) => {
            let total = file.bytes.len().div_ceil(PART);
            let body = json!({
                "mode": "multi_part", "number_of_parts": total, "filename": file.name,
                "content_type": file.content_type,
            });
            let upload = call.api().create_upload(&body).await?;
            for part in 0..total {
                let end = file.bytes.len().min((part + 1) * PART);
                let bytes = file.bytes.slice(part * PART..end);
                send_part(call, &upload.id, file, &bytes, Some(part + 1)).await?;
                let done = u32::try_from(part + 1).unwrap_or(u32::MAX);
                call.progress(done, u32::try_from(total).ok(), "parts sent").await;
            }
            let finish = || call.api().complete_upload(&upload.id);
            Ok(reconcile::updated(finish, || seen(call, &upload.id, Upload::is_done)).await?.0)
        }
    }
}

/// Sends bytes until it is known that they are there.
async fn send_part(
    call: &Call<Notion>,
    id: &str,
    file: &File,
    bytes: &Bytes,
    part: Option<usize>,
) -> Result<Upload> {
    let is_there = |upload: &Upload| match part {
        Some(part) => upload.parts_sent() >= part as u64,
        None => upload.is_done(),
    };
    let about = (file.name.as_str(), file.content_type);
    let send = || call.api().send_upload(id, about, bytes, part);
    Ok(reconcile::updated(send, || seen(call, id, is_there)).await?.0)
}

/// How an upload stands after a step whose answer was lost.
async fn seen(call: &Call<Notion>, id: &str, is_done: impl Fn(&Upload) -> bool) -> Result<Seen<Upload>> {
    let upload = call.api().upload(id).await?;
    Ok(if is_done(&upload) { Seen::Done(upload) } else { Seen::Untouched })
}

/// Adds a block with an upload to what `parent` has, and gives its id.
async fn add_block(
    call: &Call<Notion>,
    parent: &str,
    source: &Source,
    upload: &Upload,
    caption: Option<&str>,
) -> Result<(String, bool)> {
    let kind = source.block_type();
    let caption = caption.map(|caption| crate::draft::inline(&unbroken(caption), true)).unwrap_or_default();
    let body = json!({"type": "file_upload", "file_upload": {"id": upload.id}, "caption": caption});
    let blocks = [json!({"type": kind, kind: body})];
    let attempt = outcome::attempt(call, "block");
    let id = |blocks: &Vec<Value>| {
        blocks.first().and_then(|block| block["id"].as_str()).unwrap_or_default().to_owned()
    };
    let sent = call.api().append(parent, parent, &blocks, None).await.map(|made| id(&made));
    let saved = sent.as_ref().err().and_then(|error| committed_children(error).first()).cloned();
    let look = || async {
        if let Some(saved) = saved.clone().filter(|id| attempt.is_free(id)) {
            return Some(saved);
        }
        let me = outcome::own_id(call).await?;
        let is_it = |block: &Value| {
            block["type"] == kind
                && block[kind]["name"].as_str().is_none_or(|name| name == source.name())
                && outcome::is_of_block(&attempt, &me, block)
        };
        let block = outcome::find_block(call, parent, is_it).await?;
        block["id"].as_str().map(str::to_owned)
    };
    attempt.made(sent, String::clone, look).await
}

/// Adds an upload to the files of a row's column; those that are there stay.
async fn add_value(call: &Call<Notion>, row: &Item, column: &str, upload: &Upload) -> Result<bool> {
    let mut given = Map::new();
    given.insert(column.to_owned(), json!({"add": [format!("upload:{}", upload.id)]}));
    let table = match row.parent_id() {
        Some(("data_source_id", source)) => call.table(source).await?,
        _ => return Err(Error::internal("a page outside a table has files")),
    };
    let wanted = call.values(&table, &given, Some(row)).await?;
    let set: Map<String, Value> =
        wanted.iter().map(|value| (value.name.clone(), value.value.clone())).collect();
    let body = json!({"properties": set});
    let count = |page: &Item| page.value(column)["files"].as_array().map_or(0, Vec::len);
    let before = render::state(row);
    let look = || async {
        let now = call.api().page(&row.id).await?;
        Ok(match &now {
            now if count(now) == count(row) + 1 => Seen::Done(now.clone()),
            now if render::state(now) == before => Seen::Untouched,
            _ => Seen::Changed,
        })
    };
    let (now, lost) = reconcile::updated(|| call.api().update_page(&row.id, &body), look).await?;
    if count(&now) != count(row) + 1 {
        return Err(Error::new(
            Kind::Upstream,
            format!("Notion accepted the change of {} but did not do it", one_line(column)),
        ));
    }
    Ok(lost)
}
