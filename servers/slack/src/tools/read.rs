//! Reading: a channel, a thread, one message.

use std::collections::{BTreeMap, BTreeSet};

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit, minute_in, one_line,
        paging::{self, VendorPage},
    },
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{FROM, Readers};
use crate::{
    Slack,
    api::{
        Window,
        types::{Channel, Message, User},
    },
    render::message::{self, MessageItem, Style, row},
    resolve::{
        Destination, no_messages,
        time::{End, bound, day_of, moment, now, zone_name},
    },
    scopes,
    workspace::Workspace,
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
            "Messages of a channel or of the direct messages with a person (@handle), oldest first on the page, the newest page first unless `order` is oldest. Replies are counted: read_thread shows them.",
            read_channel,
        )
        .toolset("reading")
        .scopes(scopes::HISTORY)
        .aliases(&[("channel_id", "channel"), ("oldest", "since"), ("latest", "until"), ("after", "since"), ("before", "until"), ("sort", "order")])
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
        .verbatim(&["ts"])
        .output_page::<MessageItem>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadChannel {
    channel: String,
    /// today, 24h, 2026-11-28, 2026-11-28 09:00
    since: Option<String>,
    until: Option<String>,
    order: Option<Order>,
    /// Threads to show with their last replies, up to 10
    expand_threads: Option<u32>,
    limit: Option<u32>,
    cursor: Option<String>,
    workspace: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    Newest,
    Oldest,
}

/// The messages of a page, oldest first, and where the page after it begins.
struct Read {
    messages: Vec<Message>,
    next: Option<String>,
    /// Whether a free plan hides what is older.
    hidden: bool,
}

/// A page from the newest message on, back in time.
async fn from_newest(workspace: &Workspace, channel: &Channel, window: &Window) -> Result<Read> {
    let page = workspace.api().history(&channel.id, window).await.map_err(|error| explain(error, channel))?;
    let next = page.next().map(str::to_owned);
    let mut messages = page.rows;
    messages.reverse();
    Ok(Read { messages, next, hidden: page.is_limited })
}

/// The most pages of a window that are read to come to its oldest message.
const BACK: usize = 5;

/// The `count` oldest messages of a window, whose page after goes on behind a timestamp. Slack gives the newest first
/// (docs.slack.dev/reference/methods/conversations.history), so the window is read to its end.
async fn from_oldest(
    workspace: &Workspace,
    channel: &Channel,
    mut window: Window,
    count: u32,
) -> Result<Read> {
    window.limit = 999;
    let (mut messages, mut hidden) = (Vec::new(), false);
    for _ in 0..BACK {
        let page =
            workspace.api().history(&channel.id, &window).await.map_err(|error| explain(error, channel))?;
        window.cursor = page.next().map(str::to_owned);
        hidden |= page.is_limited;
        messages.extend(page.rows);
        if window.cursor.is_none() {
            messages.reverse();
            let more = messages.len() > count as usize;
            messages.truncate(count as usize);
            let next = messages.last().filter(|_| more).map(|last| last.ts.clone());
            return Ok(Read { messages, next, hidden });
        }
        // A limited app has one such call a minute.
        if workspace.is_limited() {
            break;
        }
    }
    let many = messages.len();
    Err(Error::invalid(format!(
        "More than {many} messages are in this window, and Slack gives the newest first"
    ))
    .with_hint("Give an earlier `until`, or read from the newest"))
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
        (Some(from), None) => format!("since {} {name}", minute_in(from, &zone)),
        (None, Some(to)) => format!("until {} {name}", minute_in(to, &zone)),
        (Some(from), Some(to)) => format!("{} to {} {name}", minute_in(from, &zone), minute_in(to, &zone)),
    };
    // With `oldest` alone the page would be the one closest to it: the other end is always given.
    let latest = to.map(bound).or_else(|| from.and_then(|_| end()));
    Ok((from.map(bound), latest, words))
}

/// The end of a window that has none of its own.
fn end() -> Option<String> {
    Some(bound(now() + jiff::SignedDuration::from_secs(60)))
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
    let (after, order) = (position.after.clone(), args.order.unwrap_or(Order::Newest));
    let Read { messages, next, hidden } = match order {
        Order::Newest => {
            let window = Window { limit: asked, cursor: after, oldest, latest, ..Window::default() };
            from_newest(&workspace, &channel, &window).await?
        }
        Order::Oldest => {
            let window =
                Window { oldest: after.or(oldest), latest: latest.or_else(end), ..Window::default() };
            from_oldest(&workspace, &channel, window, asked).await?
        }
    };
    let title = workspace.names().title(&channel).await;
    let threads = match args.expand_threads.unwrap_or_default() {
        0 => BTreeMap::new(),
        count => expanded(&workspace, &channel, &messages, count).await,
    };
    let replies = threads.values().flat_map(|thread| &thread.replies);
    let readers = Readers::of(&workspace, messages.iter().chain(replies), BTreeSet::new()).await;
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
    let inside = readers.style(false);
    for (_, message) in &shown {
        let (mut text, mut item) = row(message, &style, &mut day);
        if let Some(thread) = threads.get(&message.ts) {
            item.thread = thread.lines(&inside);
            item.thread.iter().for_each(|line| text.push_str(&format!("\n  ↳ {line}")));
        }
        listing.push(text, &item);
    }
    listing = listing.note(match noise {
        0 => String::new(),
        1 => "1 join, leave or settings change left out".to_owned(),
        many => format!("{many} joins, leaves and settings changes left out"),
    });
    listing = listing.note(readers.people.note());
    listing = listing.note(workspace.limit_note());
    if let Some(canvas) = channel.canvas() {
        listing = listing.note(format!("its canvas is 📎{canvas}"));
    }
    if hidden {
        listing = listing.note("the workspace's free plan hides messages older than 90 days");
    }
    if next.is_some() {
        listing =
            listing.note(if order == Order::Oldest { "newer ones follow" } else { "older ones follow" });
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

/// The most threads that are shown with their last replies, and the most of these.
const EXPANDED: u32 = 10;
const REPLIES: usize = 10;

/// The last replies of a thread.
struct Thread {
    replies: Vec<Message>,
    /// How many stand before them, as far as that was read.
    before: usize,
    /// Whether there are more behind them.
    more: bool,
}

impl Thread {
    fn lines(&self, style: &Style<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        if self.before > 0 {
            lines.push(format!("{} before these: read_thread shows them", self.before));
        }
        for reply in &self.replies {
            lines.push(row(reply, style, &mut None).0.replace('\n', "\n    "));
        }
        if self.more {
            lines.push("more after these: read_thread shows them".to_owned());
        }
        lines
    }
}

/// The last replies of the newest `count` threads that begin on a page, by their parents. What cannot be read stays
/// counted; an application that gets one page a minute has none to spare.
async fn expanded(
    workspace: &Workspace,
    channel: &Channel,
    messages: &[Message],
    count: u32,
) -> BTreeMap<String, Thread> {
    if workspace.is_limited() {
        return BTreeMap::new();
    }
    let begun = messages.iter().rev().filter(|message| message.reply_count.is_some_and(|count| count > 0));
    let reads = begun.take(count.min(EXPANDED) as usize).map(async |parent| {
        let window = Window { limit: MOST, ..Window::default() };
        let page = workspace.api().replies(&channel.id, &parent.ts, &window).await.ok()?;
        let more = page.next().is_some();
        let mut replies: Vec<Message> =
            page.rows.into_iter().filter(|message| message.ts != parent.ts).collect();
        let before = replies.len().saturating_sub(REPLIES);
        replies.drain(..before);
        Some((parent.ts.clone(), Thread { replies, before, more }))
    });
    futures::future::join_all(reads).await.into_iter().flatten().collect()
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
    if channel.is_org_shared {
        words.push("of several workspaces".to_owned());
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
pub(super) const TAIL_PAGES: usize = 10;

async fn read_thread(call: Call<Slack>, args: ReadThread) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let (channel, ts) = workspace.names().message(args.channel.as_deref(), &args.ts).await?;
    call.policy().reads(&channel)?;
    call.policy().note_read(call.principal(), &channel);
    let asked = position.first(limit(args.limit, 60, MOST), 999);
    // A cursor is of one thread: that of a reply's tells the parent with it.
    let (known, cursor) = match position.after.as_deref().map(|after| (after, after.split_once(' '))) {
        Some((_, Some((parent, cursor)))) => (Some(parent.to_owned()), Some(cursor.to_owned())),
        Some((cursor, None)) => (None, Some(cursor.to_owned())),
        None => (None, None),
    };
    let mut window = Window { limit: asked, cursor, ..Window::default() };
    if args.tail.is_some() {
        window.limit = 999;
    }
    let mut parent = known.clone().unwrap_or_else(|| ts.clone());
    let mut page = workspace
        .api()
        .replies(&channel.id, &parent, &window)
        .await
        .map_err(|error| explain(error, &channel))?;
    let alone = page.rows.iter().find(|message| message.ts == parent).and_then(Message::parent);
    if let Some(real) = alone.map(str::to_owned) {
        parent = real;
        page = workspace.api().replies(&channel.id, &parent, &window).await?;
    }
    let named_a_reply = parent != ts;
    let mut next = page.next().map(str::to_owned);
    let mut messages = page.rows;
    let mut left_out = 0;
    // Why the thread was not read to its end.
    let mut unread = None;
    if let Some(tail) = args.tail {
        for _ in 0..TAIL_PAGES {
            let Some(cursor) = next.clone() else { break };
            window.cursor = Some(cursor);
            match workspace.api().replies(&channel.id, &parent, &window).await {
                Ok(more) => {
                    next = more.next().map(str::to_owned);
                    messages.extend(more.rows);
                }
                Err(error) => {
                    unread = Some(error.for_agent());
                    break;
                }
            }
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
    if named_a_reply {
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
        listing = listing.note("the thread is longer than what was read, so these are not its last");
    }
    listing = listing.note(readers.people.note()).note(workspace.limit_note());
    if args.tail.is_some() {
        let reply = Reply::page(listing);
        return Ok(match unread {
            Some(why) => reply.line(format!("Not read on: {why}")),
            None => reply,
        });
    }
    let next = next.map(|next| if named_a_reply { format!("{parent} {next}") } else { next });
    Ok(Reply::page(paging::close(&call, listing, VendorPage::whole(position, read, next))))
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
