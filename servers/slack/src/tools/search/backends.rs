//! The two searches that Slack has, each asked for the same and giving the same rows.
//!
//! Real-time Search takes words or a question; of words all must occur, of a question none
//! (docs.slack.dev/reference/methods/assistant.search.context, Usage info). Its modifiers act on term
//! clauses only: beside a query alone they do nothing. So with a filter the words become one clause,
//! of which any may occur, as the reply says, and every row that comes back is checked against the
//! filter. The legacy search takes filters without words, and of words wants all.

use connector::{
    Error, Kind, Result,
    catalog::{Position, limit, one_line},
};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde::Deserialize;
use serde_json::json;

use super::{Wanted, around::Around, words};
use crate::{
    api::{
        Api, Form, methods,
        types::{Channel, Message, Metadata},
    },
    workspace::Workspace,
};

/// What Real-time Search is called in a reply.
pub(super) const REAL_TIME_SEARCH: &str = "Real-time Search";
/// The most rows of Real-time Search.
pub(super) const REAL_TIME: u32 = 20;
/// The most rows of the legacy search that are asked for here.
const LEGACY: u32 = 50;
/// Rows unless more are asked for.
const ROWS: u32 = 10;

/// A message that either search found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) channel_id: String,
    pub(super) channel: String,
    /// Whether only members see the conversation, as far as the row tells.
    pub(super) closed: bool,
    /// The author's name, where the row has it.
    pub(super) author: String,
    pub(super) permalink: String,
    pub(super) message: Message,
    /// What stands around it, where that was asked for.
    pub(super) around: Around,
}

impl Found {
    /// Whether the row says nothing: what was found stands where this search does not show it.
    pub(super) fn is_empty(&self) -> bool {
        let Message { text, blocks, attachments, files, .. } = &self.message;
        text.trim().is_empty() && blocks.is_empty() && attachments.is_empty() && files.is_empty()
    }

    /// The parent of the thread that it is a reply in.
    pub(super) fn thread(&self) -> Option<String> {
        let url = url::Url::parse(&self.permalink).ok()?;
        url.query_pairs().find(|(name, _)| name == "thread_ts").map(|(_, ts)| ts.into_owned())
    }

    /// The conversation, as far as the row tells.
    pub(super) fn conversation(&self) -> Channel {
        Channel {
            id: self.channel_id.clone(),
            name: self.channel.clone(),
            is_im: self.channel_id.starts_with('D'),
            is_mpim: self.channel.starts_with("mpdm-"),
            ..Channel::default()
        }
    }
}

/// What one of the searches gives.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) rows: Vec<Found>,
    pub(super) total: Option<usize>,
    pub(super) next: Option<String>,
    /// Whether it has any of the words: not all were asked for.
    pub(super) any: bool,
    /// Why the other search was not asked.
    pub(super) note: String,
}

/// Asks Real-time Search, and the legacy search where there is none or where there are no words.
pub(super) async fn answer(
    workspace: &Workspace,
    wanted: &Wanted,
    asked: Option<u32>,
    position: &Position,
) -> Result<(&'static str, Answer)> {
    let api = workspace.search_api();
    let legacy_page = position.after.as_deref().is_some_and(|after| after.starts_with("page:"));
    if wanted.words.is_empty() && (legacy_page || position.after.is_none()) {
        match legacy(api, wanted, asked, position).await {
            // Its scope is another one.
            Err(error) if error.kind() == Kind::Permission && !workspace.is_legacy_search() => {}
            answer => return Ok(("legacy search", answer?)),
        }
    }
    let mut note = String::new();
    if !legacy_page && !workspace.is_legacy_search() {
        match real_time(api, wanted, asked, position).await {
            Ok(answer) => return Ok((REAL_TIME_SEARCH, answer)),
            Err(error) if error.kind() == Kind::Permission || is_none_here(&error) => {
                let me = api.identity().await?;
                if !me.bot_id.is_empty() {
                    return Err(error);
                }
                if is_none_here(&error) {
                    workspace.note_legacy_search();
                } else {
                    // The token, or one of its scopes: another search may be allowed.
                    note = format!("{REAL_TIME_SEARCH} was not allowed: {}", one_line(error.message()));
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(("legacy search", Answer { note, ..legacy(api, wanted, asked, position).await? }))
}

/// Whether a refusal says that the workspace has no Real-time Search: by its plan or settings.
fn is_none_here(error: &Error) -> bool {
    let codes = ["feature_not_enabled", "assistant_search_context_disabled", "unknown_method"];
    codes.iter().any(|code| error.message().contains(code))
}

/// Messages with any of the words, the best first.
pub(super) async fn any_word(api: &Api, wanted: &Wanted) -> Result<Vec<Found>> {
    let form = real_time_form(wanted).json("term_clauses", &json!([wanted.words]));
    Ok(real_time_rows(api, form.set("limit", REAL_TIME)).await?.rows)
}

async fn real_time(api: &Api, wanted: &Wanted, asked: Option<u32>, position: &Position) -> Result<Answer> {
    let modifiers = wanted.modifiers();
    let mut form = real_time_form(wanted)
        .set("limit", position.first(limit(asked, ROWS, REAL_TIME), REAL_TIME))
        .maybe("cursor", position.after.as_deref());
    let any = !modifiers.is_empty() && !wanted.words.is_empty();
    if any {
        let clause = words::without_refused(&wanted.words);
        form = form.set("modifiers", modifiers.join(" ")).json("term_clauses", &json!([clause]));
    }
    if let Some(dir) = wanted.direction() {
        form = form.set("sort", "timestamp").set("sort_dir", dir);
    }
    Ok(Answer { any, ..real_time_rows(api, form).await? })
}

/// What every question to Real-time Search has. Without words the filters are the query.
fn real_time_form(wanted: &Wanted) -> Form {
    let types = if wanted.private { "public_channel,private_channel,mpim,im" } else { "public_channel" };
    let query = if wanted.words.is_empty() { wanted.modifiers().join(" ") } else { wanted.words.clone() };
    Form::new()
        .set("query", query)
        .set("content_types", "messages")
        .set("channel_types", types)
        .set("include_bots", "true")
        .set("include_archived_channels", "true")
        .set("include_message_blocks", "true")
        .maybe("include_context_messages", wanted.context.then_some("true"))
        .maybe("after", wanted.after.map(Timestamp::as_second))
        .maybe("before", wanted.before.map(Timestamp::as_second))
}

async fn real_time_rows(api: &Api, form: Form) -> Result<Answer> {
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
        context_messages: Near,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Near {
        before: Vec<Said>,
        after: Vec<Said>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Said {
        user_id: String,
        ts: String,
        text: String,
    }
    let message = |said: Said| Message {
        ts: said.ts,
        user: Some(said.user_id).filter(|user| !user.is_empty()),
        text: said.text,
        ..Message::default()
    };
    let all = |near: Vec<Said>| near.into_iter().map(message).collect();
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Reply {
        results: Results,
        response_metadata: Option<Metadata>,
    }
    let reply: Reply = api.call(methods::SEARCH_CONTEXT, form).await?;
    let rows = reply.results.messages.into_iter().map(|row| Found {
        closed: !row.channel_id.starts_with('C') || row.channel_name.starts_with("mpdm-"),
        channel_id: row.channel_id,
        channel: row.channel_name,
        author: row.author_name,
        permalink: row.permalink,
        message: Message {
            ts: row.message_ts,
            user: Some(row.author_user_id).filter(|user| !user.is_empty()),
            text: row.content,
            blocks: row.blocks,
            ..Message::default()
        },
        around: Around { before: all(row.context_messages.before), after: all(row.context_messages.after) }
            .nearest(),
    });
    let next =
        reply.response_metadata.and_then(|metadata| metadata.next_cursor).filter(|cursor| !cursor.is_empty());
    Ok(Answer { rows: rows.collect(), next, ..Answer::default() })
}

/// Asks the legacy search, by pages.
pub(super) async fn legacy(
    api: &Api,
    wanted: &Wanted,
    asked: Option<u32>,
    position: &Position,
) -> Result<Answer> {
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
    query.extend(wanted.modifiers());
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
    let form = Form::new()
        .set("query", query.join(" "))
        .set("count", limit(asked, ROWS, LEGACY))
        .set("page", page)
        .set("sort", if wanted.direction().is_some() { "timestamp" } else { "score" })
        .maybe("sort_dir", wanted.direction());
    let reply: Reply = api.call(methods::SEARCH_MESSAGES, form).await?;
    let messages = reply.messages;
    let rows = messages.matches.into_iter().map(|found| Found {
        closed: found.channel.is_closed() || !found.channel.id.starts_with('C'),
        channel_id: found.channel.id,
        channel: found.channel.name,
        author: found.username,
        permalink: found.permalink,
        message: found.message,
        around: Around::default(),
    });
    let total = usize::try_from(messages.total)
        .ok()
        .filter(|_| wanted.after.is_none() && wanted.before.is_none() && wanted.private);
    let next = (page < messages.paging.pages).then(|| format!("page:{}", page + 1));
    Ok(Answer { rows: rows.collect(), total, next, ..Answer::default() })
}
