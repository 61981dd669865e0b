//! The two searches of Slack, each asked in its own way, and their rows in one form.

use connector::{
    Kind, Result,
    catalog::{Position, limit},
};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde::Deserialize;
use serde_json::json;

use super::{Sort, Wanted};
use crate::{
    api::{
        Api, Form, methods,
        types::{Channel, Message},
    },
    render::{blocks, message::said},
    resolve::people::People,
    workspace::Workspace,
};

/// The most rows of Real-time Search.
const REAL_TIME: u32 = 20;
/// The most rows of the legacy search that are asked for here.
const LEGACY: u32 = 50;

/// A row of either search.
#[derive(Default)]
pub(super) struct Found {
    pub(super) ts: String,
    pub(super) channel_id: String,
    pub(super) channel: String,
    pub(super) closed: bool,
    pub(super) user: String,
    pub(super) author: String,
    pub(super) text: String,
    /// Whether the text is as it is shown already.
    pub(super) is_shown: bool,
    pub(super) permalink: String,
}

/// What one of the searches gives.
pub(super) struct Answer {
    pub(super) rows: Vec<Found>,
    pub(super) total: Option<usize>,
    pub(super) next: Option<String>,
}

/// Asks Real-time Search, and the legacy search where there is none.
pub(super) async fn answer(
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
    let nobody = People::default();
    let rows = reply.results.messages.into_iter().map(|row| Found {
        closed: !row.channel_id.starts_with('C') || row.channel_name.starts_with("mpdm-"),
        is_shown: row.content.trim().is_empty(),
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
    let nobody = People::default();
    let rows = messages.matches.into_iter().map(|found| Found {
        closed: found.channel.is_closed() || !found.channel.id.starts_with('C'),
        is_shown: found.message.text.trim().is_empty(),
        channel_id: found.channel.id.clone(),
        channel: found.channel.name.clone(),
        text: if found.message.text.trim().is_empty() {
            said(&found.message, &nobody)
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
