//! Reading: a channel, a thread, one message.

use std::collections::BTreeSet;

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit, one_line,
        paging::{self, VendorPage},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FROM, Readers};
use crate::{
    Slack,
    api::{
        Window,
        types::{Channel, Message, User},
    },
    render::message::{self, MessageItem, row},
    resolve::{
        Destination, no_messages,
        time::{self, End, bound, day_of, minute, moment, now, zone_name},
    },
    scopes,
    workspace::{LIMITED_PAGE, Workspace},
};

/// The most messages that one page brings (docs.slack.dev/reference/methods/conversations.history: 999).
const MOST: u32 = 200;
/// Names that models give to a message's id.
pub(super) const TS_ALIASES: &[(&str, &str)] = &[
    ("message_ts", "ts"),
    ("thread_ts", "ts"),
    ("timestamp", "ts"),
    ("permalink", "ts"),
    ("message", "ts"),
    ("channel_id", "channel"),
];

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::read(
            "read_channel",
            "Read a channel",
            "Messages of a channel or of the direct messages with a person (@handle), oldest first on the page, the newest page first. Replies are counted: read_thread shows them.",
            read_channel,
        )
        .toolset("reading")
        .scopes(scopes::HISTORY)
        .aliases(&[("channel_id", "channel"), ("oldest", "since"), ("latest", "until"), ("after", "since"), ("before", "until")])
        .output_page::<MessageItem>(),
        Tool::read(
            "read_thread",
            "Read a thread",
            "A whole thread, from the ts of its parent or of any reply, or a message's address; `tail` gives only the last replies.",
            read_thread,
        )
        .toolset("reading")
        .scopes(scopes::HISTORY)
        .aliases(TS_ALIASES)
        .output_page::<MessageItem>(),
        Tool::read(
            "get_message",
            "Get one message",
            "One message by ts or address, with who reacted, its address, and `context` messages before and after it.",
            get_message,
        )
        .toolset("reading")
        .scopes(scopes::HISTORY)
        .aliases(TS_ALIASES)
        .output::<Found>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadChannel {
    channel: String,
    /// today, 24h, 2026-11-28, 2026-11-28 09:00
    since: Option<String>,
    until: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
    workspace: Option<String>,
}

/// The window of time that arguments ask for, and its words.
pub(super) async fn window(
    workspace: &Workspace,
    since: Option<&str>,
    until: Option<&str>,
) -> Result<(Option<String>, Option<String>, String)> {
    let given = |word: Option<&str>| word.map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned);
    let (since, until) = (given(since), given(until));
    let zone = workspace.names().zone().await;
    let from = since.map(|word| moment("since", &word, &zone, End::First)).transpose()?;
    let to = until.map(|word| moment("until", &word, &zone, End::Last)).transpose()?;
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Error::invalid("`since` is not before `until`"));
    }
    let name = zone_name(&zone);
    let words = match (from, to) {
        (None, None) => format!("times in {name}"),
        (Some(from), None) => format!("since {} {name}", minute(from, &zone)),
        (None, Some(to)) => format!("until {} {name}", minute(to, &zone)),
        (Some(from), Some(to)) => format!("{} to {} {name}", minute(from, &zone), minute(to, &zone)),
    };
    // With `oldest` alone the page would be the one closest to it: the other end is always given.
    let latest = to.or_else(|| from.map(|_| now() + jiff::SignedDuration::from_secs(60)));
    Ok((from.map(bound), latest.map(bound), words))
}

async fn read_channel(call: Call<Slack>, args: ReadChannel) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let channel = match workspace.names().conversation(&args.channel).await? {
        Destination::Known(channel) => channel,
        Destination::New(users) => return not_begun(&call, &users),
    };
    call.policy().reads(&channel)?;
    call.policy().note_read(call.principal(), &channel);
    let (oldest, latest, words) = window(&workspace, args.since.as_deref(), args.until.as_deref()).await?;
    let asked = position.first(limit(args.limit, 40, MOST), 999);
    let window = Window { limit: asked, cursor: position.after.clone(), oldest, latest, ..Window::default() };
    let page =
        workspace.api().history(&channel.id, &window).await.map_err(|error| explain(error, &channel))?;
    workspace.note_page(asked, page.rows.len(), page.has_more);
    let hidden = page.is_limited;
    let next = page.next().map(str::to_owned);
    let mut messages = page.rows;
    messages.reverse();
    let title = workspace.names().title(&channel).await;
    let readers = Readers::of(&workspace, &messages, BTreeSet::new()).await;
    let messages: Vec<Message> = messages.into_iter().skip(position.skip).collect();
    let shown: Vec<(usize, &Message)> =
        messages.iter().enumerate().filter(|(_, message)| !message::is_noise(message)).collect();
    let noise = messages.len() - shown.len();
    let mut listing = Page::new(FROM, ("message", "messages")).note(heading(&title, &channel)).note(words);
    let mut day = None;
    let style = readers.style(true);
    if let Some((_, first)) = shown.first()
        && let Some(date) = day_of(&first.ts, &readers.zone)
    {
        listing = listing.note(format!("from {date}"));
        day = Some(date);
    }
    for (_, message) in &shown {
        let (text, item) = row(message, &style, &mut day);
        listing.push(text, &item);
    }
    listing = listing.note(match noise {
        0 => String::new(),
        1 => "1 join, leave or setting left out".to_owned(),
        many => format!("{many} joins, leaves and settings left out"),
    });
    listing = listing.note(readers.people.note());
    if workspace.is_limited() {
        listing = listing.note(format!("Slack gives this app at most {LIMITED_PAGE} messages a minute"));
    }
    if let Some(canvas) = channel.canvas() {
        listing = listing.note(format!("its canvas is 📎{canvas}"));
    }
    if hidden {
        listing = listing.note("the workspace's free plan hides messages older than 90 days");
    }
    if next.is_some() {
        listing = listing.note("older ones follow");
    }
    let places = shown.iter().map(|(place, _)| *place).collect();
    let vendor = VendorPage { position, read: messages.len(), places, next };
    let mut reply = Reply::page(paging::close(&call, listing, vendor));
    if shown.is_empty() {
        reply = reply.line(
            "Nothing was said there in this window. A wider window (since, until) or search may find more.",
        );
    }
    Ok(reply)
}

/// Direct messages that nobody has written yet.
fn not_begun(call: &Call<Slack>, users: &[User]) -> Result<Reply> {
    call.policy().reads(&Channel { is_im: true, ..Channel::default() })?;
    let people: Vec<String> = users.iter().map(User::told).collect();
    let page = Page::new(FROM, ("message", "messages")).note(format!("DM with {}", people.join(", ")));
    Ok(Reply::page(page).line(format!("There is no conversation with them yet: {}.", no_messages(users))))
}

/// What a listing says of its conversation.
pub(super) fn heading(title: &str, channel: &Channel) -> String {
    let mut words = vec![format!("{title} {}", channel.id)];
    if channel.is_ext_shared {
        words.push("shared with another organization".to_owned());
    }
    if channel.is_private && !channel.is_mpim {
        words.push("private".to_owned());
    }
    if channel.is_archived {
        words.push("archived".to_owned());
    }
    words.join(", ")
}

/// A refusal to read, with the way in.
pub(super) fn explain(error: Error, channel: &Channel) -> Error {
    if error.kind() == Kind::Permission && error.message().contains("not in this channel") {
        let name = if channel.name.is_empty() {
            channel.id.clone()
        } else {
            format!("#{}", one_line(&channel.name))
        };
        return Error::new(Kind::Permission, format!("The token's owner is not in {name}")).with_hint(
            "Invite the app to it (/invite in Slack), or use join_channel of the toolset channel_admin",
        );
    }
    error
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadThread {
    channel: Option<String>,
    /// ts as text, or the message's address
    ts: String,
    /// Only so many last replies
    tail: Option<u32>,
    limit: Option<u32>,
    cursor: Option<String>,
    workspace: Option<String>,
}

/// A message that begins a thread or is in one. A reply's timestamp gives that reply alone, with the parent's in it.
pub(super) async fn in_thread(workspace: &Workspace, channel: &Channel, ts: &str) -> Result<Message> {
    let window = Window {
        limit: 1,
        oldest: Some(ts.to_owned()),
        latest: Some(ts.to_owned()),
        inclusive: true,
        ..Window::default()
    };
    let found =
        workspace.api().replies(&channel.id, ts, &window).await.map_err(|error| explain(error, channel))?;
    let message = found.rows.into_iter().find(|message| message.ts == ts);
    Ok(message.unwrap_or_else(|| Message { ts: ts.to_owned(), ..Message::default() }))
}

/// The most pages that `tail` reads through: replies come oldest first only.
const TAIL_PAGES: usize = 10;

async fn read_thread(call: Call<Slack>, args: ReadThread) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let (channel, ts) = workspace.names().message(args.channel.as_deref(), &args.ts).await?;
    call.policy().reads(&channel)?;
    call.policy().note_read(call.principal(), &channel);
    let asked = position.first(limit(args.limit, 60, MOST), 999);
    let mut window = Window { limit: asked, cursor: position.after.clone(), ..Window::default() };
    if args.tail.is_some() {
        window.limit = 999;
    }
    let mut parent = ts.clone();
    let mut page = workspace
        .api()
        .replies(&channel.id, &parent, &window)
        .await
        .map_err(|error| explain(error, &channel))?;
    let named_a_reply =
        page.rows.iter().find(|message| message.ts == ts).and_then(Message::parent).map(str::to_owned);
    if let Some(real) = &named_a_reply {
        parent.clone_from(real);
        page = workspace.api().replies(&channel.id, &parent, &window).await?;
    }
    workspace.note_page(window.limit, page.rows.len(), page.has_more);
    let mut next = page.next().map(str::to_owned);
    let mut messages = page.rows;
    let mut left_out = 0;
    if let Some(tail) = args.tail {
        for _ in 0..TAIL_PAGES {
            let Some(cursor) = next.take() else { break };
            window.cursor = Some(cursor);
            let more = workspace.api().replies(&channel.id, &parent, &window).await?;
            next = more.next().map(str::to_owned);
            messages.extend(more.rows);
        }
        let keep = (tail.clamp(1, MOST) as usize).min(messages.len());
        left_out = messages.len() - keep;
        messages.drain(..left_out);
    }
    let title = workspace.names().title(&channel).await;
    let readers = Readers::of(&workspace, &messages, BTreeSet::new()).await;
    let read = messages.len().saturating_sub(position.skip);
    let mut listing = Page::new(FROM, ("message", "messages"))
        .note(format!("thread {parent} in {}", heading(&title, &channel)));
    if named_a_reply.is_some() {
        listing = listing.note(format!("{ts} is a reply in it"));
    }
    listing = listing.note(format!("times in {}", zone_name(&readers.zone)));
    let style = readers.style(false);
    let mut day = messages.get(position.skip).and_then(|message| day_of(&message.ts, &readers.zone));
    if let Some(date) = day {
        listing = listing.note(format!("from {date}"));
    }
    for message in messages.iter().skip(position.skip) {
        let (text, item) = row(message, &style, &mut day);
        listing.push(text, &item);
    }
    if left_out > 0 {
        listing = listing
            .note(format!("the last of {}; {left_out} before them left out", left_out + messages.len()));
    }
    if args.tail.is_some() && next.is_some() {
        listing = listing.note("the thread is longer than what was read");
    }
    listing = listing.note(readers.people.note());
    if args.tail.is_some() {
        return Ok(Reply::page(listing));
    }
    Ok(Reply::page(paging::close(&call, listing, VendorPage::whole(position, read, next))))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetMessage {
    channel: Option<String>,
    /// ts as text, or the message's address
    ts: String,
    /// Messages before and after, up to 10
    context: Option<u32>,
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

/// One message, wherever in a thread or channel it stands.
pub(super) async fn find(workspace: &Workspace, channel: &Channel, ts: &str) -> Result<Message> {
    let window = Window {
        limit: 1,
        oldest: Some(ts.to_owned()),
        latest: Some(ts.to_owned()),
        inclusive: true,
        ..Window::default()
    };
    let api = workspace.api();
    let page = api.history(&channel.id, &window).await.map_err(|error| explain(error, channel))?;
    if let Some(found) = page.rows.into_iter().find(|message| message.ts == ts) {
        return Ok(found);
    }
    let missing = || {
        Error::not_found(format!(
            "There is no message {ts} in {}",
            if channel.name.is_empty() {
                channel.id.clone()
            } else {
                format!("#{}", one_line(&channel.name))
            }
        ))
        .with_hint("Take the ts exactly as a reading tool gave it, as text")
    };
    // A reply is in no history.
    let page = api
        .replies(&channel.id, ts, &window)
        .await
        .map_err(|error| if error.kind() == Kind::NotFound { missing() } else { error })?;
    page.rows.into_iter().find(|message| message.ts == ts).ok_or_else(missing)
}

/// The address of a message: made here, because it follows from what is known.
pub(super) fn permalink(base: &str, channel: &str, ts: &str, thread: Option<&str>) -> String {
    let mut link = format!("{}archives/{channel}/p{}", base, ts.replace('.', ""));
    if let Some(thread) = thread.filter(|thread| *thread != ts) {
        link.push_str(&format!("?thread_ts={thread}&cid={channel}"));
    }
    link
}

async fn get_message(call: Call<Slack>, args: GetMessage) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let (channel, ts) = workspace.names().message(args.channel.as_deref(), &args.ts).await?;
    call.policy().reads(&channel)?;
    call.policy().note_read(call.principal(), &channel);
    let found = find(&workspace, &channel, &ts).await?;
    let mut near = Vec::new();
    if let Some(context) = args.context.filter(|context| *context > 0) {
        near = around(&workspace, &channel, &found, context.min(10)).await?;
    }
    let mut others: BTreeSet<String> =
        found.reactions.iter().flat_map(|reaction| reaction.users.clone()).collect();
    others.extend(message::people_in(&near));
    let title = workspace.names().title(&channel).await;
    let readers = Readers::of(&workspace, std::slice::from_ref(&found), others).await;
    let style = readers.style(true);
    let (_, item) = row(&found, &style, &mut None);
    let at = time::parse_ts(&found.ts).map(|at| minute(at, &readers.zone)).unwrap_or_default();
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
            reaction.users.iter().map(|user| one_line(readers.people.name(user))).collect();
        reply = reply.line(format!(":{}: by {}", one_line(&reaction.name), people.join(", ")));
    }
    reply = reply.line(link.clone());
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

/// The messages before and after one.
async fn around(
    workspace: &Workspace,
    channel: &Channel,
    found: &Message,
    count: u32,
) -> Result<Vec<Message>> {
    let api = workspace.api();
    let thread = found.parent().map(str::to_owned);
    let before = Window { limit: count, latest: Some(found.ts.clone()), ..Window::default() };
    let after = Window {
        limit: 999,
        oldest: Some(found.ts.clone()),
        latest: Some(bound(now() + jiff::SignedDuration::from_secs(60))),
        ..Window::default()
    };
    let mut near: Vec<Message> = match &thread {
        Some(thread) => {
            let all =
                api.replies(&channel.id, thread, &Window { limit: 999, ..Window::default() }).await?.rows;
            let place = all.iter().position(|message| message.ts == found.ts).unwrap_or_default();
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
            let mut later = api.history(&channel.id, &after).await?.rows;
            later.reverse();
            near.extend(later.into_iter().take(count as usize));
            near
        }
    };
    near.retain(|message| !message::is_noise(message));
    Ok(near)
}
