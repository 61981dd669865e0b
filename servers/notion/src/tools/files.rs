//! Files read as content.

use connector::{
    Error, Result,
    catalog::{Call, Image, Reply, Tool, one_line, words::short},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::slices;
use crate::{
    Notion,
    api::objects::{Item, plain},
    render, resolve,
};

/// The most bytes of a file that are read.
const MOST: usize = 8 * 1024 * 1024;
/// Characters of a text shown at once.
const CHARS: u32 = 20_000;
/// Characters of what was written that errors show.
const SHOWN: usize = 60;
/// Blocks that hold a file.
const KINDS: [&str; 5] = ["image", "video", "audio", "pdf", "file"];

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::read(
            "get_file",
            "Read a file",
            "Reads a file as text or image: of a file's block (id of get_blocks), or of a row's `property`.",
            get_file,
        )
        .toolset("files")
        .aliases(&[("block_id", "id"), ("page_id", "id"), ("block", "id"), ("column", "property")])
        .output::<FileText>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetFile {
    id: String,
    property: Option<String>,
    /// Where the property has several.
    name: Option<String>,
    offset: Option<u32>,
    max_chars: Option<u32>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FileText {
    name: String,
    mimetype: String,
    size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_offset: Option<usize>,
}

/// A file as a block or a value has it.
struct Found {
    name: String,
    file: Value,
}

async fn get_file(call: Call<Notion>, arguments: GetFile) -> Result<Reply> {
    let GetFile { id, property, name, offset, max_chars } = arguments;
    let id = call.block_id("id", &id).await?;
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let found = match given(property) {
        Some(property) => of_property(&call.api().page(&id).await?, &property, given(name).as_deref())?,
        None => match call.api().block(&id).await? {
            block if block["type"] == "child_page" => {
                only_property(&call.api().page(&id).await?, given(name).as_deref())?
            }
            block => of_block(&block)?,
        },
    };
    let name = one_line(&found.name);
    if let Some(address) = found.file["external"]["url"].as_str() {
        let text =
            FileText { name: name.clone(), mimetype: String::new(), size: 0, text: None, next_offset: None };
        return Ok(Reply::new(format!("{name} is stored outside Notion and was not fetched."))
            .outside("its address", None, address)
            .data(&text));
    }
    let address = found.file["file"]["url"].as_str().unwrap_or_default();
    let (mimetype, bytes) = call.api().download(address, MOST).await?;
    let (size, text, next_offset) = (bytes.len(), None, None);
    let mut item = FileText { name: name.clone(), mimetype: mimetype.clone(), size, text, next_offset };
    let headline = format!("{name} · {mimetype} · {} bytes", bytes.len());
    let reply = Reply::new(headline.clone());
    if mimetype.starts_with("image/") && mimetype != "image/svg+xml" {
        return Ok(reply.image(Image { mime_type: mimetype, bytes: bytes.to_vec() }).data(&item));
    }
    let Ok(text) = String::from_utf8(bytes.to_vec()) else {
        return Ok(reply.line("It is neither text nor an image, and is not shown.").data(&item));
    };
    let most = max_chars.unwrap_or(CHARS).max(1) as usize;
    let room = slices::room(Reply::new(headline), &name);
    let offset = offset.unwrap_or(0) as usize;
    let (shown, more) = slices::slice(&text, offset, most, room);
    item.next_offset = more.as_ref().map(|_| offset + shown.chars().count());
    item.text = Some(shown.clone());
    let reply = reply.outside(name, None, shown);
    Ok(match more {
        Some(more) => reply.line(more),
        None => reply,
    }
    .data(&item))
}

fn of_block(block: &Value) -> Result<Found> {
    let kind = block["type"].as_str().unwrap_or_default();
    if !KINDS.contains(&kind) {
        return Err(Error::invalid(format!("This block is a {} and holds no file", kind.replace('_', " ")))
            .with_hint("get_blocks shows which blocks are images, videos, audio, PDFs or other files"));
    }
    let file = block[kind].clone();
    let called = file["name"].as_str().map_or_else(|| plain(&file["caption"]), str::to_owned);
    Ok(Found { name: if called.trim().is_empty() { kind.to_owned() } else { called }, file })
}

fn of_property(page: &Item, property: &str, name: Option<&str>) -> Result<Found> {
    let value = page.properties.iter().find(|(known, _)| resolve::same(known, property));
    let Some((known, value)) = value.filter(|(_, value)| value["type"] == "files") else {
        let columns = files_columns(page);
        return Err(Error::invalid(format!(
            "{} has no files in `{}`",
            render::title(&page.name()),
            short(property, SHOWN)
        ))
        .with_hint(where_files_are(&columns)));
    };
    let files = value["files"].as_array().cloned().unwrap_or_default();
    let called = |file: &Value| file["name"].as_str().unwrap_or_default().to_owned();
    let fitting: Vec<&Value> =
        files.iter().filter(|file| name.is_none_or(|name| resolve::same(name, &called(file)))).collect();
    match fitting.as_slice() {
        [file] => Ok(Found { name: called(file), file: (*file).clone() }),
        _ if files.is_empty() => Err(Error::not_found(format!("{} is empty", one_line(known)))),
        _ => {
            let names: Vec<String> = files.iter().map(|file| one_line(&called(file))).collect();
            Err(Error::invalid(format!(
                "{} has {} files: {}",
                one_line(known),
                files.len(),
                names.join(", ")
            ))
            .with_hint("Give the `name` of one of them"))
        }
    }
}

/// Which properties of a page hold files.
pub(super) fn where_files_are(columns: &[String]) -> String {
    if columns.is_empty() {
        return "None of its properties holds files".to_owned();
    }
    format!("Files are in: {}", columns.join(", "))
}

pub(super) fn files_columns(page: &Item) -> Vec<String> {
    let columns = page.properties.iter().filter(|(_, value)| value["type"] == "files");
    columns.map(|(name, _)| one_line(name)).collect()
}

/// The file of a page that has one column of files.
fn only_property(page: &Item, name: Option<&str>) -> Result<Found> {
    match files_columns(page).as_slice() {
        [column] => of_property(page, column, name),
        columns => {
            Err(Error::invalid("This is a page, not a file's block").with_hint(if columns.is_empty() {
                "get_blocks tells the ids of its files".to_owned()
            } else {
                format!("Give the `property` of its files: {}", columns.join(", "))
            }))
        }
    }
}
