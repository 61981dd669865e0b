//! One message, as it is, with who reacted and what stands around it.

use std::collections::BTreeSet;

use connector::{
    Result,
    catalog::{Call, Page, Reply, Tool, excerpt, minute_in, one_line},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    FROM, Readers,
    reactions::everybody,
    read::{TAIL_PAGES, TS_ALIASES, find, heading, permalink},
};
use crate::{
    Slack,
    api::{
        Window,
        types::{Channel, Message},
    },
    render::message::{self, MessageItem, row},
    resolve::time::{self, bound, now, zone_name},
    scopes,
    workspace::Workspace,
};

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::read(
            "get_message",
            "Get one message",
            "One message by ts or address, with who reacted, its address, and `context` messages before and after it.",
            get_message,
        )
        .toolset("reading")
        .scopes(scopes::HISTORY)
        .aliases(TS_ALIASES)
        .verbatim(&["ts"])
        .output::<Found>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetMessage {
    channel: Option<String>,
    /// ts as text, or the message's address
    ts: String,
    /// Messages before and after, up to 10
    context: Option<u32>,
    /// Its blocks and attachments as JSON too
    raw: Option<bool>,
    workspace: Option<String>,
}

/// The answer of `get_message`.
#[derive(Debug, Serialize, JsonSchema)]
struct Found {
    channel: String,
    permalink: String,
    message: MessageItem,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    context: Vec<MessageItem>,
}

async fn get_message(call: Call<Slack>, args: GetMessage) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let (channel, ts) = workspace.names().message(args.channel.as_deref(), &args.ts).await?;
    call.policy().reads(&channel)?;
    call.policy().note_read(call.principal(), &channel);
    let mut found = find(&workspace, &channel, &ts).await?;
    everybody(&workspace, &channel, &mut found).await;
    let (mut near, mut not_near) = (Vec::new(), None);
    if let Some(context) = args.context.filter(|context| *context > 0) {
        match around(&workspace, &channel, &found, context.min(10)).await {
            Ok(messages) => near = messages,
            // The message itself is worth having.
            Err(error) => not_near = Some(error.for_agent()),
        }
    }
    let reacted: BTreeSet<String> =
        found.reactions.iter().flat_map(|reaction| reaction.users.iter().take(REACTED).cloned()).collect();
    let title = workspace.names().title(&channel).await;
    let readers = Readers::of(&workspace, std::iter::once(&found).chain(&near), reacted).await;
    let style = readers.style(true);
    let (_, item) = row(&found, &style, &mut None);
    let at = time::parse_ts(&found.ts).map(|at| minute_in(at, &readers.zone)).unwrap_or_default();
    let link = permalink(&readers.me.url, &channel.id, &found.ts, found.parent());
    let mut reply = Reply::new(format!(
        "Message {} in {}, {at} {}.",
        found.ts,
        heading(&title, &channel),
        zone_name(&readers.zone)
    ));
    if let Some(parent) = found.parent() {
        reply = reply.line(format!("It is a reply in the thread {parent}."));
    } else if let Some(replies) = found.reply_count.filter(|count| *count > 0) {
        reply = reply.line(format!(
            "It has {replies} {}: read_thread shows them.",
            if replies == 1 { "reply" } else { "replies" }
        ));
    }
    if found.pinned_to.is_some() {
        reply = reply.line("It is pinned.");
    }
    reply = reply.outside(format!("message {}", found.ts), Some(&item.author), item.text.clone());
    for reaction in &found.reactions {
        let people: Vec<String> =
            reaction.users.iter().take(REACTED).map(|user| one_line(readers.people.name(user))).collect();
        let more = reaction.number() - people.len() as u64;
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        reply = reply.line(format!(":{}: by {}{more}", one_line(&reaction.name), people.join(", ")));
    }
    let unnamed = readers.people.note();
    if !unnamed.is_empty() {
        reply = reply.line(format!("{unnamed}."));
    }
    reply = reply.line(link.clone());
    if args.raw == Some(true) {
        let parts = json!({ "text": found.text, "blocks": found.blocks, "attachments": found.attachments });
        let (shown, more) = excerpt(&parts.to_string(), 0, RAW);
        reply = reply.outside("as Slack has it", Some(&item.author), shown);
        if more.is_some() {
            reply = reply.line(format!("It is longer; these are its first {RAW} characters."));
        }
    }
    if let Some(why) = not_near {
        reply = reply.line(format!("What stands around it is not shown: {why}"));
    }
    let note = workspace.limit_note();
    if !note.is_empty() {
        reply = reply.line(format!("{note}."));
    }
    let mut context = Vec::new();
    if !near.is_empty() {
        let mut page = Page::new(FROM, ("message around it", "messages around it"));
        let mut day = None;
        for message in &near {
            let (text, item) = row(message, &style, &mut day);
            page.push(text, &item);
            context.push(item);
        }
        reply = reply.rows(page);
    }
    Ok(reply.data(&Found { channel: title, permalink: link, message: item, context }))
}

/// The most people of one reaction who are named.
const REACTED: usize = 40;
/// The most characters of a message as Slack has it.
const RAW: usize = 12_000;
/// The windows after a message that are tried for those that follow it.
const WINDOWS: usize = 5;

/// The `count` messages that follow one in a channel, the first of them first. History comes newest first, so the
/// window after the message is made smaller until it holds no more than a page, and larger until it holds enough.
async fn following(workspace: &Workspace, channel: &Channel, ts: &str, count: usize) -> Result<Vec<Message>> {
    let end = now() + jiff::SignedDuration::from_secs(60);
    let begin = time::parse_ts(ts).unwrap_or(end);
    let mut following = Vec::new();
    let (mut span, mut too_wide) = (jiff::SignedDuration::from_hours(24), jiff::SignedDuration::MAX);
    for _ in 0..WINDOWS {
        let until = begin.checked_add(span).unwrap_or(end).min(end);
        let window = Window {
            limit: 999,
            oldest: Some(ts.to_owned()),
            latest: Some(bound(until)),
            ..Window::default()
        };
        let page = workspace.api().history(&channel.id, &window).await?;
        if page.has_more && span.as_secs() > 60 {
            (too_wide, span) = (span, span / 24);
            continue;
        }
        following = page.rows;
        if following.len() >= count || until == end || span * 24 >= too_wide {
            break;
        }
        span = if span.as_hours() < 24 { span * 23 } else { jiff::SignedDuration::from_hours(24 * 365 * 20) };
    }
    following.reverse();
    following.truncate(count);
    Ok(following)
}

/// The messages before and after one.
pub(super) async fn around(
    workspace: &Workspace,
    channel: &Channel,
    found: &Message,
    count: u32,
) -> Result<Vec<Message>> {
    let api = workspace.api();
    let thread = found.parent().map(str::to_owned);
    let before = Window { limit: count, latest: Some(found.ts.clone()), ..Window::default() };
    let mut near: Vec<Message> = match &thread {
        Some(thread) => {
            // Replies come oldest first: read up to those that follow it.
            let mut window = Window { limit: 999, ..Window::default() };
            let (mut all, mut place): (Vec<Message>, Option<usize>) = (Vec::new(), None);
            for _ in 0..TAIL_PAGES {
                let page = api.replies(&channel.id, thread, &window).await?;
                window.cursor = page.next().map(str::to_owned);
                all.extend(page.rows);
                place = all.iter().position(|message| message.ts == found.ts);
                let enough = place.is_some_and(|place| all.len() > place + count as usize);
                if enough || window.cursor.is_none() {
                    break;
                }
            }
            let Some(place) = place else { return Ok(Vec::new()) };
            let from = place.saturating_sub(count as usize);
            all.into_iter()
                .skip(from)
                .take(place - from + 1 + count as usize)
                .filter(|message| message.ts != found.ts)
                .collect()
        }
        None => {
            let mut near = api.history(&channel.id, &before).await?.rows;
            near.reverse();
            near.extend(following(workspace, channel, &found.ts, count as usize).await?);
            near
        }
    };
    near.retain(|message| !message::is_noise(message));
    Ok(near)
}
