//! What stands at the top of a channel: pinned messages and bookmarks. Opt-in.

use std::collections::BTreeSet;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Page, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    FROM, Readers,
    read::{TS_ALIASES, find},
};
use crate::{
    Slack,
    api::{Form, methods, types::Message},
    render::message::row,
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
        .aliases(&[("channel_id", "channel")])
        .output_page::<Item>(),
        Tool::write(
            "pin_message",
            "Pin a message",
            "Pins a message to its channel, or unpins it with pinned=false.",
            pin,
        )
        .opt_in(TOOLSET)
        .idempotent()
        .aliases(TS_ALIASES)
        .output::<Written>(),
        Tool::write(
            "save_bookmark",
            "Save a bookmark",
            "Adds a link to the top of a channel, or changes the bookmark `id`.",
            save,
        )
        .opt_in(TOOLSET)
        .aliases(&[("channel_id", "channel"), ("url", "link"), ("bookmark_id", "id")])
        .output::<Written>(),
        Tool::destructive(
            "remove_bookmark",
            "Remove a bookmark",
            "Removes a bookmark from a channel.",
            remove,
        )
        .opt_in(TOOLSET)
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
    let api = workspace.api();
    let (pins, bookmarks) = futures::join!(
        api.call::<Pins>(methods::PINS_LIST, Form::new().set("channel", &channel.id)),
        api.call::<Bookmarks>(methods::BOOKMARKS_LIST, Form::new().set("channel_id", &channel.id)),
    );
    let messages: Vec<Message> = pins?.items.into_iter().filter_map(|pin| pin.message).collect();
    let readers = Readers::of(&workspace, &messages, BTreeSet::new()).await;
    let style = readers.style(true);
    let mut page = Page::new(FROM, ("pin or bookmark", "pins and bookmarks"))
        .note(workspace.names().title(&channel).await);
    for message in &messages {
        let mut day = None;
        let (text, item) = row(message, &style, &mut day);
        page.push(format!("pin {text}"), &Item { id: item.ts, kind: "pin", text: item.text });
    }
    match bookmarks {
        Ok(bookmarks) => {
            for bookmark in bookmarks.bookmarks {
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
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Message {ts} is {} already; nothing changed",
            if pinned { "pinned" } else { "not pinned" }
        )))));
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
            match sent {
                Err(error) if error.kind() != Kind::Conflict => Err(error),
                _ => Ok(Reply::written(Written::new(format!("{past} message {ts} in {title}")).id(&ts))),
            }
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
        return Err(Error::invalid("`link` is no web address"));
    }
    let place = workspace.names().title(&channel).await;
    let words = format!(
        "the bookmark {} in {place}",
        one_line(title.as_deref().or(id.as_deref()).unwrap_or_default())
    );
    let preview = Written::new(format!("{} {words}", if id.is_some() { "Change" } else { "Add" }));
    Ok(Plan::new(Reply::written(preview), move || async move {
        #[derive(Deserialize)]
        struct Answer {
            bookmark: Bookmark,
        }
        let form = Form::new()
            .set("channel_id", &channel.id)
            .maybe("title", title.as_deref())
            .maybe("link", link.as_deref());
        let check = "Look at list_pins".to_owned();
        let answer: Answer = match &id {
            Some(id) => {
                workspace
                    .api()
                    .write(methods::BOOKMARKS_EDIT, form.set("bookmark_id", id), check, &[])
                    .await?
            }
            None => {
                workspace.api().write(methods::BOOKMARKS_ADD, form.set("type", "link"), check, &[]).await?
            }
        };
        let verb = if id.is_some() { "Changed" } else { "Added" };
        Ok(Reply::written(
            Written::new(format!("{verb} {words}: {}", answer.bookmark.id)).id(answer.bookmark.id),
        ))
    }))
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
    let all: Bookmarks =
        workspace.api().call(methods::BOOKMARKS_LIST, Form::new().set("channel_id", &channel.id)).await?;
    let bookmark =
        all.bookmarks.into_iter().find(|bookmark| bookmark.id == args.id.trim()).ok_or_else(|| {
            Error::not_found(format!("There is no bookmark {} there", one_line(&args.id)))
                .with_hint("list_pins shows the bookmarks")
        })?;
    let words = format!("the bookmark {} ({})", one_line(&bookmark.title), one_line(&bookmark.link));
    Ok(Plan::new(Reply::written(Written::new(format!("Remove {words}"))), move || async move {
        let form = Form::new().set("channel_id", &channel.id).set("bookmark_id", &bookmark.id);
        let sent: Result<Value> =
            workspace.api().write(methods::BOOKMARKS_REMOVE, form, "Look at list_pins".to_owned(), &[]).await;
        match sent {
            Err(error) if error.kind() != Kind::NotFound => Err(error),
            _ => Ok(Reply::written(Written::new(format!("Removed {words}")))),
        }
    }))
}
