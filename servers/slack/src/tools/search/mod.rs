//! Searching: Real-time Search where the workspace has it, else the legacy search; and a plain word
//! about which filters were really applied, and what would find more. What is found is never kept.

mod around;
mod backends;
mod filters;
mod words;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use connector::{
    Effect, Error, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, excerpt, limit, minute_in, one_line,
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
    policy::Policy,
    render::message::{all_in, said},
    resolve::people::People,
    resolve::time::{End, moment, parse_ts, zone_name},
    scopes,
    workspace::Workspace,
};
use around::Beside;
use backends::{Answer, Found, REAL_TIME, REAL_TIME_SEARCH, answer, any_word, legacy};

/// The most rows whose messages are read, because the search does not show what is in them.
const READ: usize = 5;
/// The most direct messages that are named by the person.
const NAMED: usize = 5;
/// Characters of a message in a row.
const EXCERPT: usize = 400;
/// The messages that are shown where none has all the words, unless more are asked for.
const PARTLY: u32 = 5;
/// Characters of a message that is only near in meaning.
const NEAR: usize = 160;
/// The most words that are looked for one by one.
const WORDS: usize = 4;
/// Characters of a query: what is longer is a text, not a question.
const LONGEST: usize = 4_000;
/// Characters of filters that are no arguments: Slack takes 500 of modifiers, of which arguments need some.
const FILTERS: usize = 350;

pub(super) fn tools() -> Vec<Tool<Slack>> {
    let aliases: &[(&str, &str)] =
        &[("channel", "in"), ("user", "from"), ("since", "after"), ("until", "before")];
    vec![
        Tool::read(
            "search",
            "Search public messages",
            "Messages in public channels by words or a question; without words, all that matches the filters, newest first. For private channels and direct messages use search_private.",
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

#[derive(Debug, Default, Deserialize, JsonSchema)]
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
    include_context: Option<bool>,
    limit: Option<u32>,
    cursor: Option<String>,
    workspace: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Has {
    Link,
    File,
    Pin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sort {
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    context: Vec<Beside>,
}

/// What is looked for, with names resolved.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) words: String,
    channel: Option<Channel>,
    person: Option<User>,
    pub(super) after: Option<Timestamp>,
    pub(super) before: Option<Timestamp>,
    has: Option<Has>,
    /// What else of Slack's filters the query has.
    others: Vec<filters::Other>,
    pub(super) private: bool,
    /// Whether what stands around each row is asked for.
    pub(super) context: bool,
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

    /// The filters that Slack has a modifier for, but those of time.
    pub(super) fn modifiers(&self) -> Vec<String> {
        let channel = self.channel.as_ref().map(|channel| format!("in:<#{}>", channel.id));
        let person = self.person.as_ref().map(|user| format!("from:<@{}>", user.id));
        let has = self.has_word().map(str::to_owned);
        let others = self.others.iter().map(|other| other.wire.clone());
        [channel, person, has].into_iter().flatten().chain(others).collect()
    }

    fn has_filter(&self) -> bool {
        self.after.is_some() || self.before.is_some() || !self.modifiers().is_empty()
    }

    /// How rows are sorted by time, if they are.
    pub(super) fn direction(&self) -> Option<&'static str> {
        match self.sort {
            Sort::Oldest => Some("asc"),
            Sort::Newest => Some("desc"),
            // Without words nothing is more like them than anything else.
            Sort::Relevance => self.words.is_empty().then_some("desc"),
        }
    }

    /// Whether a row is what the filters ask for, as far as it tells.
    fn fits(&self, found: &Found) -> bool {
        let channel = self.channel.as_ref().is_none_or(|channel| channel.id == found.channel_id);
        let author = found.message.user.as_ref();
        let person = self.person.as_ref().is_none_or(|user| author.is_none_or(|author| user.id == *author));
        let at = parse_ts(&found.message.ts);
        let after = self.after.is_none_or(|after| at.is_none_or(|at| at >= after));
        let before = self.before.is_none_or(|before| at.is_none_or(|at| at <= before));
        let shut_out = self.others.iter().filter_map(|other| other.not.as_ref());
        let mut shut_out = shut_out.filter(|id| **id == found.channel_id || author == Some(*id));
        // Beside modifiers the words are clauses, which shut out none.
        let refused = if self.modifiers().is_empty() { Vec::new() } else { words::refused(&self.words) };
        let nobody = People::default();
        let word = refused.is_empty() || words::those_in(&refused, &said(&found.message, &nobody)).is_empty();
        let fits = channel && person && after && before && word;
        fits && shut_out.next().is_none() && (self.private || !found.closed)
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
            told.push(format!("from {}", user.told()));
        }
        let zone = zone_name(&self.zone);
        if let Some(after) = self.after {
            told.push(format!("after {} {zone}", minute_in(after, &self.zone)));
        }
        if let Some(before) = self.before {
            told.push(format!("before {} {zone}", minute_in(before, &self.zone)));
        }
        told.extend(self.has_word().map(str::to_owned));
        told.extend(self.others.iter().map(|other| other.told.clone()));
        told
    }
}

async fn wanted(workspace: &Workspace, policy: &Policy, mut args: Search, private: bool) -> Result<Wanted> {
    let long = args.query.as_deref().map_or(0, |query| query.chars().count());
    if long > LONGEST {
        return Err(Error::invalid(format!(
            "`query` has {long} characters, and at most {LONGEST} are searched for"
        ))
        .with_hint("Give the words that matter"));
    }
    let others = filters::resolve(workspace, policy, filters::take(&mut args)?).await?;
    let length: usize = others.iter().map(|other| other.wire.chars().count() + 1).sum();
    if length > FILTERS {
        return Err(Error::invalid(format!("The filters in `query` have more than {FILTERS} characters"))
            .with_hint("Search with fewer of them"));
    }
    let given = |word: &Option<String>| {
        word.as_deref().map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned)
    };
    let zone = workspace.names().zone().await;
    let channel = match given(&args.r#in) {
        Some(word) => Some(workspace.names().channel(&word).await?),
        None => None,
    };
    let person = match given(&args.from) {
        Some(word) => Some(workspace.names().anybody(policy, &word).await?),
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
        others,
        private,
        context: args.include_context.unwrap_or_default(),
        sort,
        zone,
    })
}

async fn search(call: Call<Slack>, args: Search, private: bool) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let asked = args.limit;
    let wanted = wanted(&workspace, call.policy(), args, private).await?;
    if wanted.words.is_empty() && !wanted.has_filter() {
        return Err(Error::invalid("`query` is empty")
            .with_hint("Give words, or a filter: in, from, after, before, has"));
    }
    if let Some(channel) = &wanted.channel {
        call.policy().reads(channel)?;
    }
    let (backend, found) = answer(&workspace, &wanted, asked, &position).await?;
    let Answer { mut rows, total, next, any, note } = found;
    let words = words::telling(&wanted.words);
    let first = next.is_none() && position == Position::default();
    let none = first && !rows.iter().any(|row| may_show(&call, &wanted, row));
    let mut partly = false;
    if none && !any {
        let most = limit(asked, PARTLY, REAL_TIME) as usize;
        let nearest = with_some(&call, &workspace, &wanted, &words, most).await;
        partly = !nearest.is_empty();
        if partly {
            rows = nearest;
        }
    }
    // A private channel's id may look like a public one's, and a row does not tell.
    if private && rows.iter().any(|row| !row.closed) {
        let known = workspace.names().private_channels().await;
        for row in &mut rows {
            row.closed |= known.as_ref().is_none_or(|known| known.contains(&row.channel_id));
        }
    }
    let read = rows.len().saturating_sub(position.skip);
    let rows = rows.into_iter().skip(position.skip).enumerate();
    // How many of them may not be read is nobody's business.
    let within: Vec<(usize, Found)> =
        rows.filter(|(_, row)| call.policy().may_read(&row.conversation())).collect();
    let readable = within.len();
    let mut kept: Vec<(usize, Found)> = within.into_iter().filter(|(_, row)| wanted.fits(row)).collect();
    let dropped = readable - kept.len();
    show_whole(&workspace, &wanted, &mut kept).await;
    if wanted.context && backend != REAL_TIME_SEARCH && !workspace.is_limited() {
        around::read(&workspace, &mut kept).await;
    }
    let mut ids = BTreeSet::new();
    for (_, row) in &kept {
        ids.extend(all_in([&row.message]));
        ids.extend(all_in(row.around.all()));
    }
    let people = workspace.names().people(ids).await;
    let me = workspace.names().me().await.unwrap_or_default();
    let titles = titles(&workspace, &kept).await;
    let mut page = Page::new(FROM, ("message", "messages"));
    if !wanted.words.is_empty() {
        let only = match (partly, any && words.len() > 1) {
            (true, _) => "with only some of the words of",
            (_, true) => "with any of the words of",
            _ => "with",
        };
        page = page.note(format!("{only} \"{}\"", one_line(&wanted.words)));
    }
    for filter in wanted.told() {
        page = page.note(filter);
    }
    page = page.note(backend).note(note).note(format!("times in {}", zone_name(&wanted.zone)));
    if kept.iter().any(|(_, row)| row.is_empty()) {
        page = page.note(workspace.limit_note());
    }
    page = page.note(people.note());
    if dropped > 0 {
        page = page.note(format!("{dropped} that did not match the filters left out"));
    }
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (_, row) in &kept {
        // The searches name people differently: here they go by their handles, as where messages are read.
        let user = row.message.user.as_deref();
        let given = Some(row.author.as_str()).filter(|author| !author.is_empty());
        let author =
            one_line(user.and_then(|user| people.found(user)).or(given).or(user).unwrap_or("unknown author"));
        let text = if row.is_empty() {
            "[no text: get_message shows it]".to_owned()
        } else {
            said(&row.message, &people)
        };
        let has = words::those_in(&words, &text);
        let mark = match has.as_slice() {
            // The legacy search finds by words alone, in parts of a message too that its row does not show.
            [] if !words.is_empty() && backend == REAL_TIME_SEARCH => {
                " [near in meaning: shows none of the words]".to_owned()
            }
            some if partly || (any && some.len() < words.len()) => format!(" [only: {}]", some.join(", ")),
            _ => String::new(),
        };
        seen.extend(has.iter().copied());
        let near = has.is_empty() && !mark.is_empty();
        let (text, more) = excerpt(&text, 0, if near { NEAR } else { EXCERPT });
        let ts = &row.message.ts;
        let at = parse_ts(ts).map(|at| minute_in(at, &wanted.zone)).unwrap_or_default();
        let place = &titles[&row.channel_id];
        let cut = if more.is_some() { "…" } else { "" };
        let thread = row.thread().map(|ts| format!(" [in thread {ts}]")).unwrap_or_default();
        let (beside, context) = around::lines(&row.around, &people, &me, &wanted.zone);
        let hit = Hit {
            context,
            ts: ts.clone(),
            channel: row.channel_id.clone(),
            author: author.clone(),
            text: text.clone(),
            permalink: row.permalink.clone(),
        };
        page.push(format!("{ts} {at} {place} {author}: {}{cut}{thread}{mark}{beside}", text.trim()), &hit);
        if row.closed {
            call.policy().note_read(call.principal(), &Channel { is_private: true, ..row.conversation() });
        }
    }
    // Slack counts what may not be read, too.
    let counts_all = !call.policy().narrows(Effect::Read);
    if let Some(total) = total.filter(|total| counts_all && *total >= kept.len() && dropped == 0) {
        page = page.total(total);
    }
    let places = kept.iter().map(|(place, _)| *place).collect();
    let mut reply = Reply::page(paging::close(&call, page, VendorPage { position, read, places, next }));
    if partly {
        let lacking = words.iter().filter(|word| !seen.contains(word.as_str()));
        let lacking: Vec<String> = lacking.map(|word| format!("\"{word}\"")).collect();
        let none = match lacking.as_slice() {
            [] => String::new(),
            lacking => format!(" None of them has {}.", lacking.join(" or ")),
        };
        reply = reply.line(format!(
            "No message has all the words; these have some, those with most first.{none} Fewer words find more."
        ));
    }
    if none && !partly {
        if let Some(fitting) = without_words(&call, &workspace, &wanted).await {
            reply = reply.line(fitting);
        }
        reply = reply.line(format!(
            "Try other words, or a wider window{}. search_files finds files by name. New messages take some seconds to be found.",
            if private {
                ""
            } else {
                "; search_private also looks into private channels and direct messages"
            }
        ));
    }
    Ok(reply)
}

/// Whether a row is what was asked for, and may be read.
fn may_show(call: &Call<Slack>, wanted: &Wanted, row: &Found) -> bool {
    wanted.fits(row) && call.policy().may_read(&row.conversation())
}

/// Reads the messages of rows that do not show what was found: a table, an alert, a forwarded message, and
/// with `has: file` the files.
async fn show_whole(workspace: &Workspace, wanted: &Wanted, rows: &mut [(usize, Found)]) {
    if workspace.is_limited() {
        return; // One reading a minute is worth more than that.
    }
    let files = matches!(wanted.has, Some(Has::File));
    let lacking = rows.iter_mut().map(|(_, row)| row);
    let lacking = lacking.filter(|row| row.is_empty() || (files && row.message.files.is_empty()));
    let reads = lacking.take(READ).map(async |row| {
        let channel = Channel { id: row.channel_id.clone(), ..Channel::default() };
        if let Ok(found) = find(workspace, &channel, &row.message.ts).await {
            row.message = found;
        }
    });
    futures::future::join_all(reads).await;
}

/// What the conversations of rows are called: direct messages by the person.
async fn titles(workspace: &Workspace, rows: &[(usize, Found)]) -> BTreeMap<String, String> {
    let mut titles = BTreeMap::new();
    let mut named = 0;
    for (_, row) in rows {
        if titles.contains_key(&row.channel_id) {
            continue;
        }
        let mut channel = row.conversation();
        let mut title = format!("DM {}", channel.id);
        if !channel.is_im {
            title = workspace.names().title(&channel).await;
        } else if named < NAMED
            && let Ok(known) = workspace.api().conversation(&channel.id).await
        {
            named += 1;
            channel = known;
            title = workspace.names().title(&channel).await;
        }
        titles.insert(row.channel_id.clone(), title);
    }
    titles
}

/// What the filters fit without the words, where nothing was found with them: one request more.
async fn without_words(call: &Call<Slack>, workspace: &Workspace, wanted: &Wanted) -> Option<String> {
    if wanted.words.is_empty() || !wanted.has_filter() {
        return None;
    }
    let filters = Wanted { words: String::new(), ..wanted.clone() };
    let found = legacy(workspace.search_api(), &filters, Some(REAL_TIME), &Position::default()).await.ok()?;
    let fitting = found.rows.iter().filter(|row| may_show(call, &filters, row)).count();
    let more = if found.next.is_some() { "at least " } else { "" };
    Some(match fitting {
        0 => "Without the words, the filters match nothing either.".to_owned(),
        1 => format!("Without the words, the filters match {more}1 message: leave `query` out to see it."),
        many => {
            format!(
                "Without the words, the filters match {more}{many} messages: leave `query` out to see them."
            )
        }
    })
}

/// The messages that have most of the words, at most `most`, where none has them all: one request more, or one
/// for each of the first words to the legacy search, which takes no alternatives.
async fn with_some(
    call: &Call<Slack>,
    workspace: &Workspace,
    wanted: &Wanted,
    words: &[String],
    most: usize,
) -> Vec<Found> {
    if words.len() < 2 {
        return Vec::new();
    }
    let api = workspace.search_api();
    let with = |words: String| Wanted { words, ..wanted.clone() };
    let mut rows = if workspace.is_legacy_search() {
        let searches = words
            .iter()
            .take(WORDS)
            .map(async |word| legacy(api, &with(word.clone()), Some(REAL_TIME), &Position::default()).await);
        let found = futures::future::join_all(searches).await;
        found.into_iter().flatten().flat_map(|answer| answer.rows).collect()
    } else {
        any_word(api, &with(words.join(" "))).await.unwrap_or_default()
    };
    let mut known = BTreeSet::new();
    rows.retain(|row| known.insert((row.channel_id.clone(), row.message.ts.clone())));
    let nobody = People::default();
    let count = |row: &Found| words::those_in(words, &said(&row.message, &nobody)).len();
    rows.retain(|row| may_show(call, wanted, row) && count(row) > 0);
    // Slack's own order stays among those with as many.
    rows.sort_by_cached_key(|row| Reverse(count(row)));
    rows.truncate(most);
    rows
}
