//! What stands at the top of a channel: pinned messages and bookmarks. Opt-in.

use std::collections::BTreeSet;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Page, Plan, Reply, Tool, Written, one_line, reconcile},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    FROM, Readers, audience, nothing,
    read::{TS_ALIASES, find},
    settled,
};
use crate::{
    Slack,
    api::{
        Form, methods,
        types::{Channel, File, Message},
    },
    render::message::{self, row},
    workspace::Workspace,
};

const TOOLSET: &str = "pins_bookmarks";

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::read(
            "list_pins",
            "List pins and bookmarks",
            "The pinned messages and the bookmarks of a channel.",
            list,
        )
        .opt_in(TOOLSET)
        .scopes(&["pins:read", "bookmarks:read"])
        .aliases(&[("channel_id", "channel")])
        .output_page::<Item>(),
        Tool::write(
            "pin_message",
            "Pin a message",
            "Pins a message to its channel, or unpins it with pinned=false.",
            pin,
        )
        .opt_in(TOOLSET)
        .scopes(&["pins:write"])
        .idempotent()
        .aliases(TS_ALIASES)
        .verbatim(&["ts"])
        .output::<Written>(),
        Tool::write(
            "save_bookmark",
            "Save a bookmark",
            "Adds a link to the top of a channel, or changes the bookmark `id`.",
            save,
        )
        .opt_in(TOOLSET)
        .scopes(&["bookmarks:write"])
        .aliases(&[("channel_id", "channel"), ("url", "link"), ("bookmark_id", "id")])
        .output::<Written>(),
        Tool::destructive(
            "remove_bookmark",
            "Remove a bookmark",
            "Removes a bookmark from a channel.",
            remove,
        )
        .opt_in(TOOLSET)
        .scopes(&["bookmarks:write"])
        .idempotent()
        .aliases(&[("channel_id", "channel"), ("bookmark_id", "id")])
        .output::<Written>(),
    ]
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Bookmark {
    id: String,
    title: String,
    link: String,
}

#[derive(Deserialize)]
struct Bookmarks {
    #[serde(default)]
    bookmarks: Vec<Bookmark>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pins {
    items: Vec<Pin>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pin {
    message: Option<Message>,
    file: Option<File>,
}

/// A pinned message or a bookmark.
#[derive(Debug, Serialize, JsonSchema)]
struct Item {
    id: String,
    kind: &'static str,
    text: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    channel: String,
    workspace: Option<String>,
}

async fn list(call: Call<Slack>, args: List) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let channel = workspace.names().channel(&args.channel).await?;
    call.policy().reads(&channel)?;
    call.policy().note_read(call.principal(), &channel);
    let api = workspace.api();
    let (pins, bookmarks) = futures::join!(
        api.call::<Pins>(methods::PINS_LIST, Form::new().set("channel", &channel.id)),
        bookmarks(&workspace, &channel),
    );
    let (mut messages, mut files) = (Vec::new(), Vec::new());
    for pin in pins?.items {
        messages.extend(pin.message);
        files.extend(pin.file);
    }
    let readers = Readers::of(&workspace, &messages, BTreeSet::new()).await;
    let style = readers.style(true);
    let mut page = Page::new(FROM, ("pin or bookmark", "pins and bookmarks"))
        .note(workspace.names().title(&channel).await);
    for message in &messages {
        let mut day = None;
        let (text, item) = row(message, &style, &mut day);
        page.push(format!("pin {text}"), &Item { id: item.ts, kind: "pin", text: item.text });
    }
    for file in files {
        let text = message::file(&file);
        page.push(format!("pin {text}"), &Item { id: file.id, kind: "pin", text });
    }
    match bookmarks {
        Ok(bookmarks) => {
            for bookmark in bookmarks {
                let text = format!("[{}]({})", one_line(&bookmark.title), bookmark.link);
                page.push(
                    format!("bookmark {} {text}", bookmark.id),
                    &Item { id: bookmark.id, kind: "bookmark", text },
                );
            }
        }
        Err(error) => page = page.note(format!("bookmarks could not be read: {}", error.message())),
    }
    Ok(Reply::page(page))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PinMessage {
    channel: Option<String>,
    /// ts as text, or the message's address
    ts: String,
    pinned: Option<bool>,
    workspace: Option<String>,
}

async fn pin(call: Call<Slack>, args: PinMessage) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let (channel, ts) = workspace.names().message(args.channel.as_deref(), &args.ts).await?;
    call.policy().writes(&channel)?;
    let found = find(&workspace, &channel, &ts).await?;
    let pinned = args.pinned.unwrap_or(true);
    let title = workspace.names().title(&channel).await;
    if found.pinned_to.is_some() == pinned {
        let word = if pinned { "pinned" } else { "not pinned" };
        return Ok(nothing(&format!("message {ts} is {word} already")));
    }
    let (verb, past, method) = if pinned {
        ("Pin", "Pinned", methods::PINS_ADD)
    } else {
        ("Unpin", "Unpinned", methods::PINS_REMOVE)
    };
    Ok(Plan::new(
        Reply::written(Written::new(format!("{verb} message {ts} in {title}")).id(&ts)),
        move || async move {
            let form = Form::new().set("channel", &channel.id).set("timestamp", &ts);
            let sent: Result<Value> =
                workspace.api().write(method, form, "Look at list_pins".to_owned(), &[]).await;
            let is_so = async { Ok(find(&workspace, &channel, &ts).await?.pinned_to.is_some() == pinned) };
            let words = format!("{past} message {ts} in {title}");
            let done = match settled(sent, &words, is_so).await {
                Err(error) if error.kind() == Kind::Conflict => words,
                done => done?,
            };
            Ok(Reply::written(Written::new(done).id(&ts)))
        },
    ))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Save {
    channel: String,
    id: Option<String>,
    title: Option<String>,
    link: Option<String>,
    workspace: Option<String>,
}

async fn save(call: Call<Slack>, args: Save) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let channel = workspace.names().channel(&args.channel).await?;
    call.policy().writes(&channel)?;
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (id, title, link) = (given(&args.id), given(&args.title), given(&args.link));
    if id.is_none() && (title.is_none() || link.is_none()) {
        return Err(Error::invalid("A new bookmark needs `title` and `link`"));
    }
    if link.as_ref().is_some_and(|link| {
        url::Url::parse(link).map_or(true, |url| !["http", "https"].contains(&url.scheme()))
    }) {
        return Err(Error::invalid("`link` is not a web address"));
    }
    let place = workspace.names().title(&channel).await;
    let words = format!(
        "the bookmark {} in {place}",
        one_line(title.as_deref().or(id.as_deref()).unwrap_or_default())
    );
    let preview = Written::new(format!("{} {words}", if id.is_some() { "Change" } else { "Add" }));
    let asks = audience::asks(&call, &workspace, &channel, &[]).await;
    let preview =
        asks.iter().fold(preview, |preview, reason| preview.change(format!("asks, because {reason}")));
    let state = (channel.id.clone(), id.clone(), title.clone(), link.clone());
    let new = id.is_none();
    let plan = Plan::new(Reply::written(preview), move || async move {
        #[derive(Deserialize)]
        struct Answer {
            bookmark: Bookmark,
        }
        let form = Form::new()
            .set("channel_id", &channel.id)
            .maybe("title", title.as_deref())
            .maybe("link", link.as_deref());
        let before = bookmarks(&workspace, &channel).await.unwrap_or_default();
        let (method, form) = match &id {
            Some(id) => (methods::BOOKMARKS_EDIT, form.set("bookmark_id", id)),
            None => (methods::BOOKMARKS_ADD, form.set("type", "link")),
        };
        let sent: Result<Answer> =
            workspace.api().write(method, form, "Look at list_pins".to_owned(), &[]).await;
        let is_it = |bookmark: &&Bookmark| {
            let mine = match &id {
                Some(id) => bookmark.id == *id,
                None => before.iter().all(|other| other.id != bookmark.id),
            };
            mine && title.as_ref().is_none_or(|title| bookmark.title == *title)
                && link.as_ref().is_none_or(|link| bookmark.link == *link)
        };
        let look = async {
            let now = bookmarks(&workspace, &channel).await.ok()?;
            let found: Vec<&Bookmark> = now.iter().filter(is_it).collect();
            match found.as_slice() {
                [only] => Some(only.id.clone()),
                _ => None,
            }
        };
        let (saved, lost) = reconcile::created(sent.map(|answer| answer.bookmark.id), look).await?;
        let verb = if id.is_some() { "Changed" } else { "Added" };
        let mut written = Written::new(format!("{verb} {words}: {saved}")).id(saved);
        if lost {
            written = written.change("Slack's answer was lost; it was looked for, and is done");
        }
        Ok(Reply::written(written))
    })
    .state(&state);
    let plan = if new { plan.once() } else { plan };
    Ok(if asks.is_empty() { plan } else { plan.ask() })
}

/// The bookmarks of a channel.
async fn bookmarks(workspace: &Workspace, channel: &Channel) -> Result<Vec<Bookmark>> {
    let form = Form::new().set("channel_id", &channel.id);
    Ok(workspace.api().call::<Bookmarks>(methods::BOOKMARKS_LIST, form).await?.bookmarks)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Remove {
    channel: String,
    id: String,
    workspace: Option<String>,
}

async fn remove(call: Call<Slack>, args: Remove) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let channel = workspace.names().channel(&args.channel).await?;
    call.policy().writes(&channel)?;
    let all = bookmarks(&workspace, &channel).await?;
    let bookmark = all.into_iter().find(|bookmark| bookmark.id == args.id.trim()).ok_or_else(|| {
        Error::not_found(format!("There is no bookmark {} there", one_line(&args.id)))
            .with_hint("list_pins shows the bookmarks")
    })?;
    let words = format!("the bookmark {} ({})", one_line(&bookmark.title), one_line(&bookmark.link));
    let state = (bookmark.title.clone(), bookmark.link.clone());
    let plan = Plan::new(Reply::written(Written::new(format!("Remove {words}"))), move || async move {
        let form = Form::new().set("channel_id", &channel.id).set("bookmark_id", &bookmark.id);
        let sent: Result<Value> =
            workspace.api().write(methods::BOOKMARKS_REMOVE, form, "Look at list_pins".to_owned(), &[]).await;
        let is_so =
            async { Ok(bookmarks(&workspace, &channel).await?.iter().all(|left| left.id != bookmark.id)) };
        let done = settled(reconcile::removed(sent), &format!("Removed {words}"), is_so).await?;
        Ok(Reply::written(Written::new(done)))
    });
    Ok(plan.state(&state))
}
