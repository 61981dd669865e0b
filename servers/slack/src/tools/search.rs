//! Searching: Real-time Search where the workspace has it, else the legacy search; and a plain word
//! about which filters were really applied.
//!
//! In Real-time Search modifiers act on term clauses only: beside a query alone they do nothing
//! (docs.slack.dev/reference/methods/assistant.search.context). So with a filter the words of the
//! query become a term clause, and every row that comes back is checked against the filter. What is
//! found is never kept.

use std::collections::BTreeSet;

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, excerpt, limit, one_line,
        paging::{self, VendorPage},
    },
};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::FROM;
use crate::{
    Slack,
    api::{
        Api, Form, methods,
        types::{Channel, Message, User},
    },
    render::{blocks, mrkdwn},
    resolve::time::{End, minute, moment, parse_ts, zone_name},
    workspace::Workspace,
};

/// The most rows of Real-time Search.
const REAL_TIME: u32 = 20;
/// The most rows of the legacy search that are asked for here.
const LEGACY: u32 = 50;
/// Characters of a message in a row.
const EXCERPT: usize = 400;

pub(super) fn tools() -> Vec<Tool<Slack>> {
    let aliases: &[(&str, &str)] =
        &[("channel", "in"), ("user", "from"), ("since", "after"), ("until", "before")];
    vec![
        Tool::read(
            "search",
            "Search public messages",
            "Messages in public channels by words or a question, with filters apart from the words. For private channels and direct messages use search_private.",
            |call, args| search(call, args, false),
        )
        .toolset("search")
        .aliases(aliases)
        .output_page::<Hit>(),
        Tool::read(
            "search_private",
            "Search all messages",
            "As search, and also in your private channels and direct messages.",
            |call, args| search(call, args, true),
        )
        .toolset("search")
        .aliases(aliases)
        .output_page::<Hit>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    query: Option<String>,
    /// #channel or @person
    r#in: Option<String>,
    from: Option<String>,
    /// today, 7d, 2026-11-28
    after: Option<String>,
    before: Option<String>,
    has: Option<Has>,
    sort: Option<Sort>,
    limit: Option<u32>,
    cursor: Option<String>,
    workspace: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Has {
    Link,
    File,
    Pin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[serde(alias = "score")]
    Relevance,
    #[serde(alias = "timestamp")]
    Newest,
    Oldest,
}

/// A message that was found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Hit {
    ts: String,
    channel: String,
    author: String,
    text: String,
    permalink: String,
}

/// What is looked for, with names resolved.
struct Wanted {
    words: String,
    channel: Option<Channel>,
    person: Option<User>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    has: Option<Has>,
    private: bool,
    sort: Sort,
    zone: TimeZone,
}

impl Wanted {
    fn has_word(&self) -> Option<&'static str> {
        self.has.map(|has| match has {
            Has::Link => "has:link",
            Has::File => "has:file",
            Has::Pin => "has:pin",
        })
    }

    /// Whether a row is what the filters ask for, as far as it tells.
    fn fits(&self, found: &Found) -> bool {
        let channel = self.channel.as_ref().is_none_or(|channel| channel.id == found.channel_id);
        let person = self.person.as_ref().is_none_or(|user| found.user.is_empty() || user.id == found.user);
        let at = parse_ts(&found.ts);
        let after = self.after.is_none_or(|after| at.is_none_or(|at| at >= after));
        let before = self.before.is_none_or(|before| at.is_none_or(|at| at <= before));
        channel && person && after && before && (self.private || !found.closed)
    }

    /// The filters in words.
    fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        if let Some(channel) = &self.channel {
            told.push(if channel.name.is_empty() {
                format!("in {}", channel.id)
            } else {
                format!("in #{}", one_line(&channel.name))
            });
        }
        if let Some(user) = &self.person {
            told.push(format!("from @{}", one_line(user.handle())));
        }
        let zone = zone_name(&self.zone);
        if let Some(after) = self.after {
            told.push(format!("after {} {zone}", minute(after, &self.zone)));
        }
        if let Some(before) = self.before {
            told.push(format!("before {} {zone}", minute(before, &self.zone)));
        }
        told.extend(self.has_word().map(str::to_owned));
        told
    }
}

/// A row of either search.
#[derive(Default)]
struct Found {
    ts: String,
    channel_id: String,
    channel: String,
    closed: bool,
    user: String,
    author: String,
    text: String,
    permalink: String,
}

/// Takes filters out of the query, where models write them as people do in Slack.
fn take_filters(args: &mut Search) {
    let mut words = Vec::new();
    let query = args.query.take().unwrap_or_default();
    for word in query.split_whitespace() {
        let Some((name, value)) =
            word.split_once(':').filter(|(_, value)| !value.is_empty() && !value.starts_with("//"))
        else {
            words.push(word);
            continue;
        };
        let slot = match name {
            "in" => &mut args.r#in,
            "from" => &mut args.from,
            "after" => &mut args.after,
            "before" => &mut args.before,
            "on" => {
                args.after.get_or_insert_with(|| value.to_owned());
                args.before.get_or_insert_with(|| value.to_owned());
                continue;
            }
            _ => {
                words.push(word);
                continue;
            }
        };
        slot.get_or_insert_with(|| value.to_owned());
    }
    args.query = Some(words.join(" "));
}

async fn wanted(workspace: &Workspace, mut args: Search, private: bool) -> Result<Wanted> {
    take_filters(&mut args);
    let given = |word: &Option<String>| {
        word.as_deref().map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned)
    };
    let zone = workspace.names().zone().await;
    let channel = match given(&args.r#in) {
        Some(word) => Some(workspace.names().channel(&word).await?),
        None => None,
    };
    let person = match given(&args.from) {
        Some(word) => Some(workspace.names().person(&word).await?),
        None => None,
    };
    if let Some(channel) = channel.as_ref().filter(|channel| channel.is_closed() && !private) {
        return Err(Error::invalid(format!(
            "{} is private",
            if channel.name.is_empty() { "That conversation" } else { &channel.name }
        ))
        .with_hint("search_private looks into private channels and direct messages"));
    }
    let sort = args.sort.unwrap_or(Sort::Relevance);
    Ok(Wanted {
        words: args.query.as_deref().unwrap_or_default().trim().to_owned(),
        after: given(&args.after).map(|word| moment("after", &word, &zone, End::First)).transpose()?,
        before: given(&args.before).map(|word| moment("before", &word, &zone, End::Last)).transpose()?,
        channel,
        person,
        has: args.has,
        private,
        sort,
        zone,
    })
}

async fn search(call: Call<Slack>, args: Search, private: bool) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let asked = args.limit;
    let wanted = wanted(&workspace, args, private).await?;
    if wanted.words.is_empty()
        && wanted.channel.is_none()
        && wanted.person.is_none()
        && wanted.after.is_none()
    {
        return Err(Error::invalid("`query` is empty").with_hint("Give words, or a filter: in, from, after"));
    }
    if let Some(channel) = &wanted.channel {
        call.policy().reads(channel)?;
    }
    let api = workspace.search_api();
    let (backend, found) = answer(&workspace, api, &wanted, asked, &position).await?;
    let Answer { rows, total, next } = found;
    let read = rows.len().saturating_sub(position.skip);
    let mut dropped = 0;
    let mut ids = BTreeSet::new();
    let mut kept: Vec<(usize, Found)> = Vec::new();
    for (place, row) in rows.into_iter().skip(position.skip).enumerate() {
        let channel = Channel {
            id: row.channel_id.clone(),
            name: row.channel.clone(),
            is_im: row.closed && row.channel.is_empty(),
            ..Channel::default()
        };
        if !wanted.fits(&row) || !call.policy().may_read(&channel) {
            dropped += 1;
            continue;
        }
        mrkdwn::mentioned(&row.text, &mut ids);
        if row.author.is_empty() {
            ids.insert(row.user.clone());
        }
        kept.push((place, row));
    }
    ids.retain(|id| crate::resolve::people::is_user(id));
    let people = workspace.names().people(ids).await;
    let mut page = Page::new(FROM, ("message", "messages"));
    if !wanted.words.is_empty() {
        page = page.note(format!("with \"{}\"", one_line(&wanted.words)));
    }
    for filter in wanted.told() {
        page = page.note(filter);
    }
    page = page.note(backend).note(format!("times in {}", zone_name(&wanted.zone)));
    if dropped > 0 {
        page = page.note(format!("{dropped} that did not fit the filters left out"));
    }
    for (_, row) in &kept {
        let author = if row.author.is_empty() { people.name(&row.user) } else { &row.author };
        let (text, more) = excerpt(&mrkdwn::plain(&row.text, &people), 0, EXCERPT);
        let text = if text.trim().is_empty() { "[no text: get_message shows it]".to_owned() } else { text };
        let at = parse_ts(&row.ts).map(|at| minute(at, &wanted.zone)).unwrap_or_default();
        let place = if row.channel.is_empty() || row.channel.starts_with(['U', 'W', 'D']) && row.closed {
            format!("DM {}", row.channel_id)
        } else {
            format!("#{}", one_line(&row.channel))
        };
        let thread = url::Url::parse(&row.permalink)
            .ok()
            .and_then(|url| {
                url.query_pairs()
                    .find(|(name, _)| name == "thread_ts")
                    .map(|(_, ts)| format!(" [in thread {ts}]"))
            })
            .unwrap_or_default();
        let cut = if more.is_some() { "…" } else { "" };
        let author = one_line(author);
        let hit = Hit {
            ts: row.ts.clone(),
            channel: row.channel_id.clone(),
            author: author.clone(),
            text: text.clone(),
            permalink: row.permalink.clone(),
        };
        page.push(format!("{} {at} {place} {author}: {}{cut}{thread}", row.ts, text.trim()), &hit);
        if row.closed {
            call.policy().note_read(
                call.principal(),
                &Channel { id: row.channel_id.clone(), is_private: true, ..Channel::default() },
            );
        }
    }
    if let Some(total) = total.filter(|total| *total >= kept.len() && dropped == 0) {
        page = page.total(total);
    }
    let empty = kept.is_empty();
    let places = kept.iter().map(|(place, _)| *place).collect();
    let mut reply = Reply::page(paging::close(&call, page, VendorPage { position, read, places, next }));
    if empty {
        reply = reply.line(format!(
            "Try fewer or other words, or a wider window{}. New messages take some seconds to be found.",
            if private {
                ""
            } else {
                "; search_private also looks into private channels and direct messages"
            }
        ));
    }
    Ok(reply)
}

/// What one of the searches gives.
struct Answer {
    rows: Vec<Found>,
    total: Option<usize>,
    next: Option<String>,
}

/// Asks Real-time Search, and the legacy search where there is none.
async fn answer(
    workspace: &Workspace,
    api: &Api,
    wanted: &Wanted,
    asked: Option<u32>,
    position: &Position,
) -> Result<(&'static str, Answer)> {
    let legacy_page = position.after.as_deref().is_some_and(|after| after.starts_with("page:"));
    if !legacy_page && !workspace.is_legacy_search() {
        match real_time(api, wanted, asked, position).await {
            Ok(answer) => return Ok(("Real-time Search", answer)),
            // There is none here: by the plan, the settings, the token or its scopes.
            Err(error)
                if matches!(error.kind(), Kind::Permission) || error.message().contains("unknown_method") =>
            {
                let me = api.identity().await?;
                if !me.bot_id.is_empty() {
                    return Err(error);
                }
                workspace.note_legacy_search();
            }
            Err(error) => return Err(error),
        }
    }
    Ok(("legacy search", legacy(api, wanted, asked, position).await?))
}

async fn real_time(api: &Api, wanted: &Wanted, asked: Option<u32>, position: &Position) -> Result<Answer> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Results {
        messages: Vec<Row>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Row {
        author_user_id: String,
        author_name: String,
        channel_id: String,
        channel_name: String,
        message_ts: String,
        content: String,
        permalink: String,
        blocks: Vec<serde_json::Value>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Reply {
        results: Results,
        response_metadata: Option<crate::api::types::Metadata>,
    }
    let types = if wanted.private { "public_channel,private_channel,mpim,im" } else { "public_channel" };
    let mut modifiers = Vec::new();
    if let Some(channel) = &wanted.channel {
        modifiers.push(format!("in:<#{}>", channel.id));
    }
    if let Some(user) = &wanted.person {
        modifiers.push(format!("from:<@{}>", user.id));
    }
    modifiers.extend(wanted.has_word().map(str::to_owned));
    let filtered = !modifiers.is_empty();
    let mut form = Form::new()
        .set("query", &wanted.words)
        .set("content_types", "messages")
        .set("channel_types", types)
        .set("include_bots", "true")
        .set("include_message_blocks", "true")
        .set("limit", position.first(limit(asked, REAL_TIME, REAL_TIME), REAL_TIME))
        .maybe("cursor", position.after.as_deref())
        .maybe("after", wanted.after.map(Timestamp::as_second))
        .maybe("before", wanted.before.map(Timestamp::as_second));
    if filtered {
        form = form.set("modifiers", modifiers.join(" ")).json("term_clauses", &json!([wanted.words]));
    }
    if wanted.sort != Sort::Relevance {
        form = form
            .set("sort", "timestamp")
            .set("sort_dir", if wanted.sort == Sort::Oldest { "asc" } else { "desc" });
    }
    let reply: Reply = api.call(methods::SEARCH_CONTEXT, form).await?;
    let nobody = crate::resolve::people::People::default();
    let rows = reply.results.messages.into_iter().map(|row| Found {
        closed: !row.channel_id.starts_with('C'),
        text: if row.content.trim().is_empty() { blocks::text(&row.blocks, &nobody) } else { row.content },
        ts: row.message_ts,
        channel_id: row.channel_id,
        channel: row.channel_name,
        user: row.author_user_id,
        author: row.author_name,
        permalink: row.permalink,
    });
    let next =
        reply.response_metadata.and_then(|metadata| metadata.next_cursor).filter(|cursor| !cursor.is_empty());
    Ok(Answer { rows: rows.collect(), total: None, next })
}

async fn legacy(api: &Api, wanted: &Wanted, asked: Option<u32>, position: &Position) -> Result<Answer> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Reply {
        messages: Messages,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Messages {
        total: u64,
        matches: Vec<Match>,
        paging: Paging,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Paging {
        pages: u64,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Match {
        channel: Channel,
        username: String,
        permalink: String,
        #[serde(flatten)]
        message: Message,
    }
    let mut query = vec![wanted.words.clone()];
    if let Some(channel) = &wanted.channel {
        query.push(format!("in:<#{}>", channel.id));
    }
    if let Some(user) = &wanted.person {
        query.push(format!("from:<@{}>", user.id));
    }
    query.extend(wanted.has_word().map(str::to_owned));
    // Legacy modifiers name whole days, exclude the day they name, and mean Slack's own zone: one day
    // more at both ends, and the rows are checked to the second.
    let day = |at: Timestamp, by: i64| at.to_zoned(TimeZone::UTC).date().saturating_add(by.days());
    query.extend(wanted.after.map(|after| format!("after:{}", day(after, -2))));
    query.extend(wanted.before.map(|before| format!("before:{}", day(before, 2))));
    query.retain(|part| !part.is_empty());
    let page: u64 = position
        .after
        .as_deref()
        .and_then(|after| after.strip_prefix("page:"))
        .and_then(|page| page.parse().ok())
        .unwrap_or(1);
    let mut form =
        Form::new().set("query", query.join(" ")).set("count", limit(asked, 20, LEGACY)).set("page", page);
    form = match wanted.sort {
        Sort::Relevance => form.set("sort", "score"),
        Sort::Newest => form.set("sort", "timestamp").set("sort_dir", "desc"),
        Sort::Oldest => form.set("sort", "timestamp").set("sort_dir", "asc"),
    };
    let reply: Reply = api.call(methods::SEARCH_MESSAGES, form).await?;
    let messages = reply.messages;
    let nobody = crate::resolve::people::People::default();
    let rows = messages.matches.into_iter().map(|found| Found {
        closed: found.channel.is_closed() || !found.channel.id.starts_with('C'),
        channel_id: found.channel.id.clone(),
        channel: found.channel.name.clone(),
        text: if found.message.text.trim().is_empty() {
            crate::render::message::said(&found.message, &nobody)
        } else {
            found.message.text.clone()
        },
        ts: found.message.ts,
        user: found.message.user.unwrap_or_default(),
        author: found.username,
        permalink: found.permalink,
    });
    let total = usize::try_from(messages.total)
        .ok()
        .filter(|_| wanted.after.is_none() && wanted.before.is_none() && wanted.private);
    let next = (page < messages.paging.pages).then(|| format!("page:{}", page + 1));
    Ok(Answer { rows: rows.collect(), total, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_written_into_the_query_are_taken_as_filters() {
        let mut args: Search = serde_json::from_value(
            json!({"query": "invoice from:@tomas in:#eng after:2026-11-01 https://a.example ratio:3"}),
        )
        .unwrap();
        take_filters(&mut args);
        assert_eq!(args.query.as_deref(), Some("invoice https://a.example ratio:3"));
        assert_eq!(
            (args.from.as_deref(), args.r#in.as_deref(), args.after.as_deref()),
            (Some("@tomas"), Some("#eng"), Some("2026-11-01"))
        );
    }
}
