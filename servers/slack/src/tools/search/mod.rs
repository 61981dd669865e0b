//! Searching: Real-time Search where the workspace has it, else the legacy search; and a plain word
//! about which filters were really applied.
//!
//! In Real-time Search modifiers act on term clauses only: beside a query alone they do nothing
//! (docs.slack.dev/reference/methods/assistant.search.context). So with a filter the words of the
//! query become a term clause, and every row that comes back is checked against the filter. What is
//! found is never kept.

mod backends;

use std::collections::BTreeSet;

use connector::{
    Error, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, excerpt, one_line,
        paging::{self, VendorPage},
    },
};
use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FROM, read::find};
use crate::{
    Slack,
    api::types::{Channel, User},
    render::{message::said, mrkdwn},
    resolve::people::People,
    resolve::time::{End, minute, moment, parse_ts, zone_name},
    scopes,
    workspace::Workspace,
};
use backends::{Answer, Found, answer};

/// The most rows without a text whose messages are read.
const EMPTY: usize = 5;
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
        .scopes(scopes::SEARCH)
        .aliases(aliases)
        .output_page::<Hit>(),
        Tool::read(
            "search_private",
            "Search all messages",
            "As search, and also in your private channels and direct messages.",
            |call, args| search(call, args, true),
        )
        .toolset("search")
        .scopes(scopes::SEARCH_PRIVATE)
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
    let Answer { mut rows, total, next } = found;
    // A private channel's id may look like a public one's, and a row does not tell.
    if private && rows.iter().any(|row| !row.closed) {
        let known = workspace.names().private_channels().await;
        for row in &mut rows {
            row.closed |= known.as_ref().is_none_or(|known| known.contains(&row.channel_id));
        }
    }
    let read = rows.len().saturating_sub(position.skip);
    let mut dropped = 0;
    let mut ids = BTreeSet::new();
    let mut kept: Vec<(usize, Found)> = Vec::new();
    for (place, row) in rows.into_iter().skip(position.skip).enumerate() {
        let channel = Channel {
            id: row.channel_id.clone(),
            name: row.channel.clone(),
            is_im: row.channel_id.starts_with('D'),
            is_mpim: row.channel.starts_with("mpdm-"),
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
    show_the_empty(&workspace, &mut kept, &people).await;
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
        let text = if row.is_shown { row.text.clone() } else { mrkdwn::plain(&row.text, &people) };
        let (text, more) = excerpt(&text, 0, EXCERPT);
        let text = if text.trim().is_empty() { "[no text: get_message shows it]".to_owned() } else { text };
        let at = parse_ts(&row.ts).map(|at| minute(at, &wanted.zone)).unwrap_or_default();
        let place = if row.channel_id.starts_with('D') || row.channel.is_empty() {
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

/// Reads the messages of rows that have no text: a table, an alert, a forwarded message. What a search gives
/// of them is empty.
async fn show_the_empty(workspace: &Workspace, rows: &mut [(usize, Found)], people: &People) {
    if workspace.is_limited() {
        return; // One reading a minute is worth more than that.
    }
    let empty = rows.iter_mut().map(|(_, row)| row).filter(|row| row.text.trim().is_empty());
    let reads = empty.take(EMPTY).map(async |row| {
        let channel = Channel { id: row.channel_id.clone(), ..Channel::default() };
        if let Ok(found) = find(workspace, &channel, &row.ts).await {
            row.text = said(&found, people);
            row.is_shown = true;
        }
    });
    futures::future::join_all(reads).await;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
