//! Catching up: what was said in one's conversations since they were read, or since a time, the most
//! personal first. Slack has no list of what is unread for ordinary tokens, so each conversation is
//! looked at, a few at once.

use std::collections::BTreeSet;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Page, Reply, Tool, excerpt, minute_in, one_line, words::listed},
};
use futures::{StreamExt as _, stream};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FROM, Readers, channels, read::heading};
use crate::{
    Slack,
    api::{
        DIRECTORY_PAGE, Window,
        types::{Channel, Message},
    },
    render::message::{self, Style, row},
    resolve::{
        ALL_TYPES,
        time::{End, bound, moment, now, parse_ts, zone_name},
    },
    scopes,
    workspace::Workspace,
};

/// Conversations looked at unless more are asked for; each costs a call or two of 50 a minute.
const CHANNELS: u32 = 20;
/// Bytes of a token, about: timestamps have fewer than prose.
const TOKEN: usize = 3;
/// Messages of one conversation that are shown.
const EACH: usize = 12;
/// The most conversations not looked at that are named.
const NAMED: usize = 10;
/// Looked at at once.
const AT_ONCE: usize = 4;
/// Messages of one conversation that a call brings, and how many calls are made for a mention further back.
const PAGE: u32 = 200;
const BACK: usize = 3;
/// The most pages of conversations that are looked through for what to look at.
const PAGES: usize = 3;
/// Characters of a message.
const LONGEST: usize = 600;

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::read(
            "catch_up",
            "Catch up",
            "What is new in your conversations since you read them, or since a time: direct messages first, then channels that mention you. Muted ones and your own posts are left out.",
            catch_up,
        )
        .toolset("reading")
        .scopes(scopes::HISTORY)
        .output_page::<Item>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CatchUp {
    /// Only these
    #[serde(default)]
    channels: Vec<String>,
    types: Option<Vec<channels::Kind>>,
    /// Default: since last read, or 24h
    since: Option<String>,
    mentions_only: Option<bool>,
    max_channels: Option<u32>,
    /// Tokens for messages, about; the rest are counted
    token_budget: Option<u32>,
    workspace: Option<String>,
}

/// One conversation with news.
#[derive(Debug, Serialize, JsonSchema)]
struct Item {
    channel: String,
    title: String,
    new: usize,
    /// Of one's own, not among `messages`.
    own: usize,
    mentions: usize,
    messages: Vec<String>,
}

/// What was found in one conversation.
struct News {
    channel: Channel,
    messages: Vec<Message>,
    /// How many others are one's own.
    own: usize,
    since: Timestamp,
    mentions: usize,
    more: bool,
}

async fn catch_up(call: Call<Slack>, args: CatchUp) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let zone = workspace.names().zone().await;
    let me = workspace.names().me().await?;
    let since = args
        .since
        .as_deref()
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| moment("since", word, &zone, End::First))
        .transpose()?;
    let most = args.max_channels.unwrap_or(CHANNELS).clamp(1, 100) as usize;
    let Chosen { channels, left, mut failed, seen } = chosen(&call, &workspace, &args, most).await?;
    let looked = channels.len();
    let mine = std::sync::Arc::new(Mentions::of(&workspace, &me.user_id).await);
    let found: Vec<(Channel, Result<News>)> = stream::iter(channels)
        .map(|channel| {
            let (workspace, mine) = (workspace.clone(), std::sync::Arc::clone(&mine));
            async move {
                let news = look(&workspace, &channel, since, &mine).await;
                (channel, news)
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let (mut all, mut first) = (Vec::new(), None);
    for (channel, news) in found {
        match news {
            Ok(news) => all.push(news),
            Err(error) if error.kind() == Kind::Auth => return Err(error),
            Err(error) => {
                failed.push(format!(
                    "{}: {}",
                    if channel.name.is_empty() { &channel.id } else { &channel.name },
                    error.for_agent()
                ));
                first.get_or_insert(error);
            }
        }
    }
    if let (true, Some(error)) = (all.is_empty(), first) {
        return Err(error);
    }
    let only = args.mentions_only == Some(true);
    all.retain(|news| {
        let kept = !only || news.mentions > 0 || news.channel.is_im;
        // What was not read to its beginning may mention them further back.
        !news.messages.is_empty() && (kept || news.more)
    });
    all.sort_by_key(|news| {
        let rank = if news.channel.is_im {
            0
        } else if news.mentions > 0 {
            1
        } else if news.channel.is_mpim {
            2
        } else {
            3
        };
        (rank, std::cmp::Reverse(news.messages.last().map(|message| message.ts.clone())))
    });
    let ids: BTreeSet<String> =
        all.iter().filter(|news| news.channel.is_im).map(|news| news.channel.user.clone()).collect();
    let readers = Readers::of(&workspace, all.iter().flat_map(|news| &news.messages), ids).await;
    let mut page = Page::new(FROM, ("conversation with news", "conversations with news"));
    page = page.note(match since {
        Some(since) => format!("since {} {}", minute_in(since, &zone), zone_name(&zone)),
        None => format!("since each was read, else 24 hours; times in {}", zone_name(&zone)),
    });
    page = page.note(format!("{looked} looked at, without your own posts and replies in older threads"));
    if !left.is_empty() {
        page = page.note(format!("{} more not looked at: raise max_channels", left.len()));
    }
    if let Some(seen) = seen {
        page = page.note(format!("of your first {seen} conversations; there are more"));
    }
    if workspace.is_limited() {
        page = page.note(format!("{}, so this is not all", workspace.limit_note()));
    }
    let mut room = args.token_budget.map(|tokens| tokens as usize * TOKEN);
    for news in &all {
        let (row, item) = self::news(&call, news, &readers, &workspace, &zone, &mut room).await;
        page.push(row, &item);
    }
    page = page.note(readers.people.note());
    let nothing = all.is_empty();
    let mut reply = Reply::page(page);
    if !left.is_empty() {
        reply = reply.line(format!("Not looked at: {}.", listed(&left, NAMED)));
    }
    if nothing {
        let what = if only { "Nothing new mentions you" } else { "Nothing new" };
        let place = if failed.is_empty() { "there" } else { "in what could be read" };
        reply = reply.line(format!("{what} {place}. A time in `since` looks further back."));
    }
    for failure in failed.iter().take(5) {
        reply = reply.line(format!("Not read: {failure}"));
    }
    if failed.len() > 5 {
        reply = reply.line(format!("{} more could not be read.", failed.len() - 5));
    }
    Ok(reply)
}

/// The conversations to look at.
struct Chosen {
    channels: Vec<Channel>,
    /// What the others are called.
    left: Vec<String>,
    /// Which of those that were named cannot be, and why.
    failed: Vec<String>,
    /// How many were looked through, where there are more.
    seen: Option<usize>,
}

/// The conversations of these names, and every name that is wrong.
///
/// # Errors
/// If none is right.
async fn named(call: &Call<Slack>, workspace: &Workspace, wanted: &[String], most: usize) -> Result<Chosen> {
    let (mut channels, mut wrong) = (Vec::new(), Vec::new());
    for word in wanted.iter().take(most) {
        let found = workspace.names().channel(word).await;
        match found.and_then(|channel| call.policy().reads(&channel).map(|()| channel)) {
            Ok(channel) => channels.push(channel),
            Err(error) if WRONG.contains(&error.kind()) => wrong.push((one_line(word), error)),
            Err(error) => return Err(error),
        }
    }
    let left = wanted.iter().skip(most).map(|word| one_line(word)).collect();
    if channels.is_empty() && wrong.len() == 1 {
        return Err(wrong.remove(0).1);
    }
    let failed: Vec<String> =
        wrong.iter().map(|(word, error)| format!("{word}: {}", error.for_agent())).collect();
    match wrong.first() {
        Some((_, first)) if channels.is_empty() => {
            let what = format!("None of these {} can be read", wrong.len());
            Err(Error::new(first.kind(), what).with_hint(failed.join(" ")))
        }
        _ => Ok(Chosen { channels, left, failed, seen: None }),
    }
}

/// The kinds of what is wrong with one name, and says nothing of the others.
const WRONG: [Kind; 4] = [Kind::NotFound, Kind::InvalidArgument, Kind::Policy, Kind::Permission];

async fn chosen(call: &Call<Slack>, workspace: &Workspace, args: &CatchUp, most: usize) -> Result<Chosen> {
    if !args.channels.is_empty() {
        return named(call, workspace, &args.channels, most).await;
    }
    let types = args.types.clone().filter(|types| !types.is_empty());
    let types = types.map_or_else(|| ALL_TYPES.to_owned(), channels::Kind::types);
    let (mut all, mut failed): (Vec<Channel>, Vec<String>) = (Vec::new(), Vec::new());
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES {
        let after = cursor.as_deref();
        let page = workspace.api().own_conversations(&types, None, DIRECTORY_PAGE, after, true).await;
        let page = match page {
            // What is known already is looked at.
            Err(error) if !all.is_empty() => {
                failed.push(format!("the rest of your conversations: {}", error.for_agent()));
                cursor = None;
                break;
            }
            page => page?,
        };
        cursor = page.next().map(str::to_owned);
        all.extend(page.rows);
        if cursor.is_none() {
            break;
        }
    }
    let seen = cursor.map(|_| all.len());
    all.retain(|channel| !channel.is_archived && call.policy().may_read(channel));
    // The most personal first, in case not all can be looked at.
    all.sort_by_key(|channel| {
        if channel.is_im {
            0
        } else if channel.is_mpim {
            1
        } else if channel.is_private {
            2
        } else {
            3
        }
    });
    let left = all.split_off(most.min(all.len()));
    let left = left.iter().map(|channel| match channel.name.as_str() {
        "" => channel.id.clone(),
        name => format!("#{}", one_line(name)),
    });
    let left = left.collect();
    Ok(Chosen { channels: all, left, failed, seen })
}

/// What mentions the token's owner: the own name, the user groups that they are in, and what is said to all.
struct Mentions {
    me: String,
    groups: Vec<String>,
}

impl Mentions {
    async fn of(workspace: &Workspace, me: &str) -> Self {
        // Without the scope for user groups the others still count.
        let groups = workspace.api().groups().await.unwrap_or_default();
        let groups = groups.into_iter().filter(|group| group.users.iter().any(|user| user == me));
        Self { me: me.to_owned(), groups: groups.map(|group| group.id).collect() }
    }

    /// Whether a message mentions them, in its text or in its blocks.
    fn is_in(&self, message: &Message) -> bool {
        let texts = |text: &str| {
            let tokens = text.split('<').skip(1).filter_map(|part| part.split(['>', '|']).next());
            tokens.into_iter().any(|token| match (token.strip_prefix('@'), token.strip_prefix('!')) {
                (Some(user), _) => user == self.me,
                (None, Some(special)) => match special.strip_prefix("subteam^") {
                    Some(group) => self.groups.iter().any(|own| own == group),
                    None => ["here", "channel", "everyone"].contains(&special),
                },
                _ => false,
            })
        };
        // What is quoted mentioned them elsewhere.
        let attached = message.attachments.iter();
        let attached = attached.filter(|part| part["is_share"] != true && part["is_msg_unfurl"] != true);
        texts(&message.text) || message.blocks.iter().chain(attached).any(|part| self.within(part, &texts))
    }

    fn within(&self, value: &Value, texts: &impl Fn(&str) -> bool) -> bool {
        match value {
            Value::String(text) => texts(text),
            Value::Array(items) => items.iter().any(|item| self.within(item, texts)),
            Value::Object(map) => {
                let own = match map.get("type").and_then(Value::as_str) {
                    Some("user") => map.get("user_id").is_some_and(|id| *id == self.me.as_str()),
                    Some("usergroup") => map
                        .get("usergroup_id")
                        .is_some_and(|id| self.groups.iter().any(|own| *id == own.as_str())),
                    Some("broadcast") => map.contains_key("range"),
                    _ => false,
                };
                own || map.values().any(|value| self.within(value, texts))
            }
            _ => false,
        }
    }
}

async fn look(
    workspace: &Workspace,
    channel: &Channel,
    since: Option<Timestamp>,
    mine: &Mentions,
) -> Result<News> {
    let since = match since {
        Some(since) => since,
        None => {
            // Only here Slack tells up to where it was read, and people read on in Slack itself.
            let known = workspace.api().conversation_now(&channel.id).await?;
            let read = known.last_read.as_deref().and_then(parse_ts).filter(|at| at.as_second() > 0);
            let day = now() - jiff::SignedDuration::from_hours(24);
            read.map_or(day, |read| {
                if channel.is_im { read } else { read.max(now() - jiff::SignedDuration::from_hours(24 * 14)) }
            })
        }
    };
    let mut window = Window {
        limit: PAGE,
        oldest: Some(bound(since)),
        latest: Some(bound(now() + jiff::SignedDuration::from_secs(60))),
        ..Window::default()
    };
    let (mut own, mut messages, mut mentions, mut more) = (0, Vec::new(), 0, false);
    for number in 0..BACK {
        let page = match workspace.api().history(&channel.id, &window).await {
            // The newest are worth having.
            Err(_) if number > 0 => break,
            page => page?,
        };
        window.cursor = page.next().map(str::to_owned);
        more = page.has_more;
        for message in page.rows.into_iter().filter(|message| !message::is_noise(message)) {
            if message.user.as_deref() == Some(mine.me.as_str()) {
                own += 1;
                continue;
            }
            mentions += usize::from(mine.is_in(&message));
            messages.push(message);
        }
        // A limited app has one such call a minute.
        if mentions > 0 || channel.is_im || window.cursor.is_none() || workspace.is_limited() {
            break;
        }
    }
    messages.reverse();
    Ok(News { channel: channel.clone(), messages, own, since, mentions, more })
}

/// The newest messages of a conversation, as many as there is `room` for, in bytes, if that is bounded.
async fn news(
    call: &Call<Slack>,
    news: &News,
    readers: &Readers,
    workspace: &Workspace,
    zone: &TimeZone,
    room: &mut Option<usize>,
) -> (String, Item) {
    call.policy().note_read(call.principal(), &news.channel);
    let title = if news.channel.is_im {
        format!("DM with {}", readers.people.described(&news.channel.user))
    } else {
        workspace.names().title(&news.channel).await
    };
    let count = news.messages.len();
    let plus = if news.more { "+" } else { "" };
    let mentions = match news.mentions {
        0 if news.more && !news.channel.is_im => ", no mention in these, older ones not looked at".to_owned(),
        0 => String::new(),
        1 => ", 1 mention".to_owned(),
        many => format!(", {many} mentions"),
    };
    let own = match news.own {
        0 => String::new(),
        own => format!(", {own} of your own not shown"),
    };
    let mut lines = vec![format!(
        "### {}: {count}{plus} new since {}{mentions}{own}",
        heading(&title, &news.channel),
        minute_in(news.since, zone)
    )];
    let style = readers.style(true);
    let mut left = count.saturating_sub(EACH);
    if let Some(room) = room {
        left = count;
        for message in news.messages.iter().rev().take(EACH) {
            let Some(rest) = room.checked_sub(brief(message, &style, &mut None).len()) else {
                *room = 0; // What is older, or less personal, does not come before it.
                break;
            };
            (*room, left) = (rest, left - 1);
        }
    }
    if left > 0 {
        let least = if news.more { "at least " } else { "" };
        let which = if left == count { "not shown" } else { "older ones" };
        lines.push(format!(
            "({least}{left} {which}: read_channel {} since {})",
            news.channel.id,
            minute_in(news.since, zone)
        ));
    }
    let mut day = Some(news.since.to_zoned(zone.clone()).date());
    let mut shown = Vec::new();
    for message in &news.messages[left..] {
        let text = brief(message, &style, &mut day);
        lines.push(text.clone());
        shown.push(text);
    }
    let item = Item {
        channel: news.channel.id.clone(),
        title,
        new: count,
        own: news.own,
        mentions: news.mentions,
        messages: shown,
    };
    (lines.join("\n"), item)
}

/// The row of a message, or its beginning.
fn brief(message: &Message, style: &Style<'_>, day: &mut Option<Date>) -> String {
    let (text, cut) = excerpt(&row(message, style, day).0, 0, LONGEST);
    if cut.is_some() { format!("{text}… [cut: get_message shows it]") } else { text }
}
