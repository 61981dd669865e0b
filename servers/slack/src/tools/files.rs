//! Files read, as text, image or canvas; and files uploaded, until they are seen where they were sent.

use std::collections::BTreeSet;

use bytes::Bytes;
use connector::{
    Error, Kind, Result,
    catalog::{Call, Image, Plan, Reply, Tool, Written, excerpt, one_line, reconcile, upload::UploadSource},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{Duration, sleep};

use super::{
    changed_by,
    lists::{self, AsFile, TOOLSET as LISTS},
    messages::prepare,
    places::readable,
};
use crate::{
    Slack,
    render::{canvas, message, mrkdwn::from_markdown},
    resolve::{Destination, reference::is_id},
    workspace::Workspace,
};

/// The most bytes of a file that are read.
const MOST: usize = 8 * 1024 * 1024;
/// The most bytes of a file that are uploaded.
const LARGEST: usize = 50 * 1024 * 1024;
/// Characters of a text shown at once.
const CHARS: u32 = 20_000;
/// Characters of a text that is uploaded which its preview shows.
const PREVIEWED: usize = 1_000;
/// How often, and how long apart, a file that was sent is looked for where it should be.
const LOOKS: u32 = 5;

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::read(
            "read_file",
            "Read a file",
            "A file (F…): text, an image, or a canvas as Markdown with the id of each section. search_files finds them.",
            read_file,
        )
        .toolset("files")
        .scopes(&["files:read"])
        .aliases(&[("file_id", "file"), ("canvas", "file"), ("canvas_id", "file"), ("id", "file")])
        .output::<FileItem>(),
        Tool::write(
            "upload_file",
            "Upload a file",
            "Shares a file in a channel, with a person (@handle) or in the thread of `ts`, from text, base64 or a path below the upload root, and looks whether it arrived.",
            upload_file,
        )
        .toolset("files")
        .scopes(&["files:write"])
        .confirmable()
        .aliases(&[("channel_id", "channel"), ("thread_ts", "ts"), ("initial_comment", "comment"), ("name", "filename"), ("base64", "content"), ("alt_text", "alt_txt")])
        .verbatim(&["ts"])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadFile {
    file: String,
    offset: Option<u32>,
    max_chars: Option<u32>,
    workspace: Option<String>,
}

/// The answer of `read_file`.
#[derive(Debug, Serialize, JsonSchema)]
struct FileItem {
    id: String,
    name: String,
    mimetype: String,
    size: u64,
    permalink: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// The id in a file's address, or the id itself.
pub(super) fn file_id(word: &str) -> Result<String> {
    let word = word.trim().trim_start_matches('📎');
    let id = word.split(['/', '?', '#']).find(|part| is_id(part, &['F'])).unwrap_or(word);
    if is_id(id, &['F']) {
        return Ok(id.to_owned());
    }
    Err(Error::invalid(format!("`{}` is not the id of a file", one_line(word)))
        .with_hint("Messages name their files: 📎F…"))
}

/// Where the items of a list are read.
pub(super) fn list_note(call: &Call<Slack>) -> String {
    if call.offers("read_list") {
        return "A list's items: read_list.".to_owned();
    }
    if !lists::reads_as_file(call) {
        return format!(
            "A list's items are read by read_list of the toolset `{LISTS}`, which is off: the operator switches it on with --toolsets."
        );
    }
    let changed = changed_by(call, "They", LISTS).map(|note| format!(" {note}"));
    format!("A list's items: read_file.{}", changed.unwrap_or_default())
}

async fn read_file(call: Call<Slack>, args: ReadFile) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let file = workspace.api().file(&file_id(&args.file)?).await?;
    readable(&call, &workspace, &file).await?;
    let name = one_line(if file.title.is_empty() { &file.name } else { &file.title });
    let mut reply = Reply::new(
        format!("{} {}", message::file(&file), if file.is_canvas() { "" } else { file.mimetype.as_str() })
            .trim()
            .to_owned(),
    );
    let mut item = FileItem {
        id: file.id.clone(),
        name: name.clone(),
        mimetype: file.mimetype.clone(),
        size: file.size,
        permalink: file.permalink.clone(),
        text: None,
    };
    if file.is_list() {
        let note = match lists::as_file(&call, &workspace, &file.id).await? {
            AsFile::Items(items) => {
                reply = reply.rows(items);
                match call.offers("read_list") {
                    true => Some(list_note(&call)),
                    false => changed_by(&call, "A list's items", LISTS),
                }
            }
            AsFile::Refused(why) => Some(format!("Its items are not shown: {why}")),
            AsFile::ByTool => Some(list_note(&call)),
        };
        if let Some(note) = note {
            reply = reply.line(note);
        }
        return Ok(reply.line(file.permalink.clone()).data(&item));
    }
    let is_text = file.mimetype.starts_with("text/")
        || ["application/json", "application/xml", "application/javascript", "application/x-yaml"]
            .contains(&file.mimetype.as_str());
    if file.size as usize > MOST || !(is_text || file.is_canvas() || file.mimetype.starts_with("image/")) {
        return Ok(reply
            .line(
                "Its content is not shown: it is not text, an image or a canvas, or it is larger than 8 MB.",
            )
            .line(file.permalink.clone())
            .data(&item));
    }
    let (_, bytes) = workspace.api().download(&file, MOST).await?;
    if file.mimetype.starts_with("image/") {
        let mime_type = file.mimetype.clone();
        return Ok(reply.image(Image { mime_type, bytes: bytes.to_vec() }).data(&item));
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let text = if file.is_canvas() { canvas::with_ids(&canvas::sections(&text)) } else { text };
    let offset = args.offset.unwrap_or(0) as usize;
    let (shown, more) = excerpt(&text, offset, args.max_chars.unwrap_or(CHARS).clamp(200, 100_000) as usize);
    item.text = Some(shown.clone());
    if file.is_canvas() {
        reply = reply.line("Each section has its id before it, for write_canvas.");
    }
    let by = workspace.names().people(BTreeSet::from([file.user.clone()])).await;
    reply = reply.outside(format!("file {}", file.id), Some(by.name(&file.user)), shown);
    if let Some(more) = more {
        reply = reply.line(more);
    }
    Ok(reply.data(&item))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UploadFile {
    channel: Option<String>,
    #[serde(default)]
    users: Vec<String>,
    filename: Option<String>,
    /// The text of the file
    text: Option<String>,
    /// Or its bytes in base64
    content: Option<String>,
    /// Or a path below the upload root
    path: Option<String>,
    title: Option<String>,
    comment: Option<String>,
    /// Reply in the thread of this message
    ts: Option<String>,
    /// What an image shows
    alt_txt: Option<String>,
    workspace: Option<String>,
}

/// The file that the arguments give: its name and bytes.
async fn file_of(call: &Call<Slack>, args: &UploadFile) -> Result<(String, Bytes)> {
    fn given(text: &Option<String>) -> Option<&str> {
        text.as_deref().filter(|text| !text.is_empty())
    }
    let source = UploadSource { root: call.upload_root(), max_bytes: LARGEST };
    let name = given(&args.filename);
    let file = source.read(given(&args.content), name, given(&args.path)).await?;
    match (file, given(&args.text)) {
        (Some(file), None) => Ok((file.name, file.bytes)),
        (None, Some(text)) => {
            let name = name
                .map(|name| one_line(name.rsplit('/').next().unwrap_or_default()))
                .filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| Error::invalid("`filename` is missing"))?;
            Ok((name, Bytes::from(text.to_owned())))
        }
        (Some(_), Some(_)) => Err(Error::invalid("Give one of `text`, `content` and `path`")),
        (None, None) => Err(Error::invalid(
            "Give the file's text as `text`, its bytes in base64 as `content`, or a `path`",
        )),
    }
}

async fn upload_file(call: Call<Slack>, args: UploadFile) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let (name, bytes) = file_of(&call, &args).await?;
    let comment = args.comment.as_deref().map(str::trim).filter(|comment| !comment.is_empty());
    if let Some(comment) = comment {
        call.policy().unfurls(comment, "", "Leave the link out")?;
    }
    let post =
        prepare(&call, &workspace, args.channel.as_deref(), &args.users, args.ts.as_deref(), comment).await?;
    if post.composed.posts.len() > 1 {
        return Err(Error::invalid("`comment` is too long for one message"));
    }
    let title = args.title.clone().filter(|title| !title.trim().is_empty()).unwrap_or_else(|| name.clone());
    let alt = args.alt_txt.clone().filter(|alt| !alt.trim().is_empty());
    let words = format!(
        "{name} ({} bytes) to {}",
        bytes.len(),
        match post.thread() {
            Some(thread) => format!("the thread {thread} of {}", post.title),
            None => post.title.clone(),
        }
    );
    let mut preview = post.preview(format!("Upload {words}"));
    if let Some(comment) = comment {
        preview = preview.outside("comment", None, comment);
    }
    if let Some(text) = args.text.as_deref().filter(|text| !text.is_empty()) {
        let (text, more) = excerpt(text, 0, PREVIEWED);
        preview = preview.outside("file", None, if more.is_some() { format!("{text}…") } else { text });
    }
    let (asks, state) = (!post.asks.is_empty(), post.state());
    let plan = Plan::new(preview, move || async move {
        let api = workspace.api().clone();
        // Asked before anything is written, so that nothing after it can fail.
        let me = workspace.names().me().await?;
        // A person's id is no place for a file: the conversation with them is opened first.
        let channel = match &post.destination {
            Destination::Known(channel) => channel.clone(),
            Destination::New(users) => workspace.names().open(users).await?,
        };
        let (url, id) = api.upload_url(&name, bytes.len(), alt.as_deref()).await?;
        api.upload(url, bytes.clone()).await?;
        let comment = post.composed.posts.first().map(|comment| from_markdown(comment));
        let sent =
            api.complete_upload(&id, &title, Some(&channel.id), comment.as_deref(), post.thread()).await;
        // Completing works once, so it is never repeated; where the file is tells how it ended.
        let (shared, _) = reconcile::created(sent.map(|()| None), async {
            shared_at(&workspace, &id, &channel.id).await.map(Some)
        })
        .await?;
        let shared = match shared {
            Some(ts) => Some(ts),
            None => shared_at(&workspace, &id, &channel.id).await,
        };
        let Some(ts) = shared else {
            return Err(Error::new(
                Kind::UnknownOutcome,
                format!("The file is stored as {id}, but it is not seen in {} yet", post.title),
            )
            .with_hint(format!(
                "Look at it with read_file {id} in a moment; do not upload it again before that"
            )));
        };
        let written = post.done(format!("Uploaded {words}: file {id}, shared at ts {ts}")).id(&id);
        let written = written.url(super::read::permalink(&me.url, &channel.id, &ts, post.thread()));
        Ok(Reply::written(written))
    });
    let plan = plan.state(&state).once();
    Ok(if asks { plan.ask() } else { plan })
}

/// The message with which a file was shared in a conversation; Slack takes a moment for it.
async fn shared_at(workspace: &Workspace, id: &str, channel: &str) -> Option<String> {
    for look in 0..LOOKS {
        if look > 0 {
            sleep(Duration::from_millis(500 * u64::from(look))).await;
        }
        let Ok(file) = workspace.api().file(id).await else { continue };
        let shares = ["public", "private"]
            .iter()
            .find_map(|kind| file.shares[*kind][channel][0]["ts"].as_str().map(str::to_owned));
        if shares.is_some() {
            return shares;
        }
    }
    None
}
