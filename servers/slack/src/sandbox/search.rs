//! Both searches: the legacy `search.messages` with modifiers in the query, and Real-time Search,
//! where modifiers stand beside the query and act on term clauses only.

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    dispatch::{Context, Method, Outcome, Refusal, SPECIAL, T2, method},
    history::permalink,
    objects,
    state::{Row, flag, number, text, texts},
    users::answers_to,
};

/// The longest query of Real-time Search.
const LONGEST: usize = 500;
/// Words with which a question begins (docs.slack.dev/reference/methods/assistant.search.context).
const QUESTIONS: &[&str] = &["what", "where", "how", "who", "when", "why", "which", "did", "does", "is"];

/// The methods.
pub(super) const METHODS: &[Method] = &[
    method("search.messages", T2, "search:read", "query", messages),
    method("search.files", T2, "search:read", "query", |cx| {
        let query = Query::parse(&cx.args.text("query"));
        let all: Vec<Row> = super::files::all(cx)
            .into_iter()
            .filter(|row| query.words.iter().all(|word| in_file(row, word)) && of_file(row, &query.filters))
            .collect();
        let total = all.len();
        let (count, page) = pages(cx);
        let shown = all.iter().skip((page - 1) * count).take(count);
        let matches: Vec<Value> = shown.map(|row| super::files::show(cx, row)).collect();
        Ok(
            json!({ "query": cx.args.text("query"), "files": { "total": total, "matches": matches, "paging": paging(total, count, page) } }),
        )
    }),
    method("assistant.search.info", T2, "search:read.public", "", |_| {
        Ok(json!({ "is_ai_search_enabled": true }))
    }),
    method("assistant.search.context", SPECIAL, "search:read.public", "", context),
];

/// A query, taken apart.
#[derive(Debug, Default)]
struct Query {
    words: Vec<String>,
    without: Vec<String>,
    filters: Vec<(String, String)>,
}

impl Query {
    fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (word, after) = match rest.strip_prefix('"') {
                Some(quoted) => {
                    let (word, after) = quoted.split_once('"').unwrap_or((quoted, ""));
                    (word.to_owned(), after)
                }
                None => {
                    let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                    (word.to_owned(), after)
                }
            };
            let quoted = rest.starts_with('"');
            rest = after.trim_start();
            let filter = word.split_once(':').filter(|(name, value)| {
                !quoted && !value.is_empty() && FILTERS.contains(&name.trim_start_matches('-'))
            });
            match filter {
                Some((name, value)) => {
                    query.filters.push((name.to_owned(), value.trim_matches('"').to_owned()));
                }
                None => match word.strip_prefix('-').filter(|_| !quoted) {
                    Some(without) => query.without.push(without.to_lowercase()),
                    None => query.words.push(word.to_lowercase()),
                },
            }
        }
        query
    }
}

/// Modifiers that are known (docs.slack.dev: the search syntax of messages).
const FILTERS: &[&str] =
    &["in", "from", "to", "with", "before", "after", "on", "during", "has", "hasmy", "is", "creator", "type"];

/// Whether the caller can see a message of this channel by searching.
fn readable(cx: &Context<'_>, row: &Row) -> bool {
    cx.state.find("channels", text(row, "_channel")).is_some_and(|channel| {
        objects::is_visible(channel, cx.caller)
            && (!cx.caller.is_bot()
                || objects::is_member(channel, cx.caller)
                || objects::kind(channel) == "public_channel")
    })
}

/// Everything that a message says.
fn said(row: &Row) -> String {
    let attachments = row.get("attachments").map(Value::to_string).unwrap_or_default();
    let blocks =
        row.get("blocks").filter(|_| text(row, "text").is_empty()).map(Value::to_string).unwrap_or_default();
    format!("{} {attachments} {blocks}", text(row, "text")).to_lowercase()
}

fn hit(cx: &Context<'_>, row: &Row, query: &Query) -> bool {
    let said = said(row);
    let finds = |word: &String| match word.strip_suffix('*') {
        Some(stem) => said.contains(stem),
        None => said.contains(word.as_str()),
    };
    query.words.iter().all(finds) && !query.without.iter().any(finds) && passes(cx, row, &query.filters)
}

/// Whether a message passes the filters: the same one twice means either.
fn passes(cx: &Context<'_>, row: &Row, filters: &[(String, String)]) -> bool {
    let mut names: Vec<&str> = filters.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().all(|name| {
        let mut of_name = filters.iter().filter(|(other, _)| other == name);
        match name.strip_prefix('-') {
            Some(name) => !of_name.any(|(_, value)| fits(cx, row, name, value)),
            None => of_name.any(|(_, value)| fits(cx, row, name, value)),
        }
    })
}

fn fits(cx: &Context<'_>, row: &Row, name: &str, value: &str) -> bool {
    let bare = value.trim_start_matches(['<', '#', '@', '!']).trim_end_matches('>');
    let bare = bare.split('|').next().unwrap_or_default();
    let ts = number(text(row, "ts")).unwrap_or_default() / 1_000_000;
    let day = |offset: i64| day_start(bare, offset).unwrap_or(u64::MAX);
    match name {
        "in" => {
            let channel = cx.state.find("channels", text(row, "_channel"));
            channel.is_some_and(|channel| text(channel, "id") == bare || text(channel, "name") == bare)
        }
        "from" | "creator" => {
            let me = bare == "me" && text(row, "user") == cx.caller.user;
            me || cx.state.find("users", text(row, "user")).is_some_and(|user| answers_to(user, bare))
        }
        "with" | "to" => said(row).contains(&bare.to_lowercase()),
        // Legacy modifiers name whole days, and exclude the day itself.
        "before" => ts < day(0),
        "after" => ts >= day(1),
        "on" | "during" => (day(0)..day(1)).contains(&ts),
        "has" | "hasmy" => match value {
            "link" => said(row).contains("http"),
            "file" => row.contains_key("files"),
            "pin" => row.contains_key("pinned_to"),
            emoji => row
                .get("reactions")
                .is_some_and(|all| all.to_string().contains(&format!("\"{}\"", emoji.trim_matches(':')))),
        },
        "is" => match value {
            "thread" => row.contains_key("thread_ts"),
            "dm" => {
                cx.state.find("channels", text(row, "_channel")).is_some_and(|channel| flag(channel, "is_im"))
            }
            _ => false,
        },
        _ => false,
    }
}

/// The beginning of a date's day, or of the day after it, since the epoch.
fn day_start(date: &str, offset: i64) -> Option<u64> {
    let date: Date = date.parse().ok()?;
    let day = date.checked_add(offset.days()).ok()?.to_zoned(TimeZone::UTC).ok()?;
    u64::try_from(day.timestamp().as_second()).ok()
}

/// How many rows a page of the legacy searches has, and which page is asked for.
fn pages(cx: &Context<'_>) -> (usize, usize) {
    let number = |name: &str, otherwise: i64| {
        usize::try_from(cx.args.number(name).unwrap_or(otherwise)).unwrap_or(1).clamp(1, 100)
    };
    (number("count", 20), number("page", 1))
}

/// Whether a file passes the filters that say where it is shared and who made it.
fn of_file(row: &Row, filters: &[(String, String)]) -> bool {
    filters.iter().all(|(name, value)| {
        let bare = value.trim_start_matches(['<', '#', '@']).trim_end_matches('>');
        match name.as_str() {
            "in" => texts(row, "_shared").iter().any(|id| id == bare),
            "from" | "creator" => text(row, "user") == bare,
            _ => true,
        }
    })
}

fn paging(total: usize, count: usize, page: usize) -> Value {
    json!({ "count": count, "total": total, "page": page, "pages": total.div_ceil(count) })
}

fn messages(cx: &mut Context<'_>) -> Outcome<Value> {
    let words = cx.args.text("query");
    let query = Query::parse(&words);
    let mut all: Vec<Row> = cx
        .state
        .rows("messages")
        .iter()
        .filter(|row| readable(cx, row) && hit(cx, row, &query))
        .cloned()
        .collect();
    if cx.args.text("sort_dir") != "asc" {
        all.reverse();
    }
    let (count, page) = pages(cx);
    let total = all.len();
    let matches: Vec<Value> = all.iter().skip((page - 1) * count).take(count).map(|row| {
        let channel = cx.state.find("channels", text(row, "_channel")).cloned().unwrap_or_default();
        let user = cx.state.find("users", text(row, "user")).cloned().unwrap_or_default();
        let mut found = objects::public(row);
        found.insert("iid".to_owned(), json!(format!("{}-{}", text(&channel, "id"), text(row, "ts"))));
        found.insert("team".to_owned(), json!(cx.state.team_id()));
        found.insert("type".to_owned(), json!("message"));
        found.insert("username".to_owned(), json!(text(&user, "name")));
        found.insert("permalink".to_owned(), json!(permalink(cx, row)));
        found.insert("channel".to_owned(), json!({
            "id": text(&channel, "id"), "name": text(&channel, "name"), "is_private": flag(&channel, "is_private"),
            "is_im": flag(&channel, "is_im"), "is_mpim": flag(&channel, "is_mpim"), "is_ext_shared": flag(&channel, "is_ext_shared"),
        }));
        json!(found)
    }).collect();
    Ok(json!({
        "query": words,
        "messages": {
            "total": total, "matches": matches, "paging": paging(total, count, page),
            "pagination": { "total_count": total, "page": page, "per_page": count, "page_count": total.div_ceil(count),
                "first": (page - 1) * count + 1, "last": (page * count).min(total) },
        },
    }))
}

/// Words that say nothing, which natural language has many of.
const EMPTY: &[&str] = &[
    "the", "a", "an", "of", "what", "which", "who", "when", "did", "do", "we", "is", "was", "were", "about",
    "for", "to", "on", "in", "and", "how", "why", "has", "have", "us", "our", "any",
];

/// A word without its ending: `plan` finds `planning`.
fn stem(word: &str) -> &str {
    let endings = ["ing", "ed", "es", "s"].into_iter();
    let stem = endings.filter_map(|ending| word.strip_suffix(ending)).find(|stem| stem.len() > 3);
    stem.unwrap_or(word)
}

fn context(cx: &mut Context<'_>) -> Outcome<Value> {
    let words = cx.args.text("query");
    if words.trim().is_empty() {
        return Err(Refusal::new("missing_query"));
    }
    if words.chars().count() > LONGEST {
        return Err(Refusal::new("query_too_long"));
    }
    if cx.caller.is_bot() && !cx.args.has("action_token") {
        return Err(Refusal::new("missing_action_token"));
    }
    if cx.state.team().get("_ai_search").and_then(Value::as_bool) == Some(false) {
        return Err(Refusal::new("feature_not_enabled"));
    }
    let wants = |list: Vec<String>, word: &str, otherwise: &[&str]| {
        if list.is_empty() { otherwise.contains(&word) } else { list.iter().any(|one| one == word) }
    };
    let content = |word: &str| wants(cx.args.list("content_types"), word, &["messages"]);
    let clauses = cx.args.list("term_clauses");
    let modifiers = Query::parse(&cx.args.text("modifiers")).filters;
    let mut results = json!({});
    let limit = usize::try_from(cx.args.number("limit").unwrap_or(20)).unwrap_or(20).clamp(1, 20);
    let mut metadata = json!({ "next_cursor": "" });
    if content("messages") {
        let types = |kind: &str| wants(cx.args.list("channel_types"), kind, &["public_channel"]);
        let bound = |name: &str| cx.args.number(name).and_then(|at| u64::try_from(at).ok());
        let (after, before) = (bound("after"), bound("before"));
        // A question is answered by any word that says something; of other words all must occur. Filters may stand
        // among them. Every term clause must be met, by any of its words, and `modifiers` filter these alone
        // (docs.slack.dev/reference/methods/assistant.search.context: conjunctive normal form).
        let query = Query::parse(&words);
        let is_question = words.trim_end().ends_with('?')
            || query.words.first().is_some_and(|word| QUESTIONS.contains(&word.as_str()));
        let asked: Vec<String> = query
            .words
            .join(" ")
            .split(|c: char| !c.is_alphanumeric() && c != '-' && c != '\'')
            .filter(|word| !word.is_empty() && !EMPTY.contains(word))
            .map(str::to_owned)
            .collect();
        let scored = cx.state.rows("messages").iter().filter_map(|row| {
            let channel = cx.state.find("channels", text(row, "_channel"))?;
            let ts = number(text(row, "ts"))? / 1_000_000;
            let fine = readable(cx, row)
                && types(objects::kind(channel))
                && after.is_none_or(|after| ts >= after)
                && before.is_none_or(|before| ts <= before)
                && (cx.args.switch("include_bots") || !by_bot(cx, row))
                && (cx.args.switch("include_archived_channels") || !flag(channel, "is_archived"));
            if !fine || text(row, "subtype") == "channel_join" {
                return None;
            }
            let said = said(row);
            let occurs = |word: &String| said.contains(stem(word));
            let score = asked.iter().filter(|word| occurs(word)).count();
            let enough = if is_question { score > 0 } else { score == asked.len() };
            let by_words = enough && !query.without.iter().any(occurs) && passes(cx, row, &query.filters);
            let by_clauses = clauses.iter().all(|clause| Query::parse(clause).words.iter().any(occurs))
                && passes(cx, row, &modifiers);
            let found = if clauses.is_empty() { by_words } else { by_clauses };
            found.then_some((score, row))
        });
        let mut found: Vec<(usize, &Row)> = scored.collect();
        if cx.args.text("sort") == "timestamp" {
            found.reverse();
            if cx.args.text("sort_dir") == "asc" {
                found.reverse();
            }
        } else {
            found.sort_by(|(a, left), (b, right)| {
                b.cmp(a).then_with(|| text(right, "ts").cmp(text(left, "ts")))
            });
        }
        let found: Vec<Row> = found.into_iter().map(|(_, row)| row.clone()).collect();
        let (page, next) = cx.page(found, limit, 20)?;
        metadata = next;
        results["messages"] = page.iter().map(|row| found_message(cx, row)).collect();
    }
    if content("files") {
        let asked = words.to_lowercase();
        let files = super::files::all(cx);
        let files = files.iter().filter(|row| asked.split_whitespace().any(|word| in_file(row, word)));
        results["files"] = files.take(limit).map(|row| json!({
            "uploader_user_id": text(row, "user"), "file_id": text(row, "id"), "title": text(row, "title"),
            "file_type": text(row, "filetype"), "permalink": text(row, "permalink"), "team_id": cx.state.team_id(),
            "date_created": row.get("created").cloned().unwrap_or_default(), "content": text(row, "_text").chars().take(200).collect::<String>(),
        })).collect();
    }
    if content("channels") {
        let asked = words.to_lowercase();
        let channels = cx.state.rows("channels").iter().filter(|row| {
            let about = format!("{} {} {}", text(row, "name"), text(row, "topic"), text(row, "purpose"))
                .to_lowercase();
            objects::is_visible(row, cx.caller)
                && !text(row, "name").is_empty()
                && asked.split_whitespace().any(|word| about.contains(word))
        });
        results["channels"] = channels.take(limit).map(|row| json!({
            "team_id": cx.state.team_id(), "channel_id": text(row, "id"), "name": text(row, "name"), "topic": text(row, "topic"),
            "purpose": text(row, "purpose"), "creator_user_id": text(row, "creator"), "is_archived": flag(row, "is_archived"),
        })).collect();
    }
    if content("users") {
        let users = cx
            .state
            .rows("users")
            .iter()
            .filter(|row| cx.args.switch("include_deleted_users") || !flag(row, "deleted"))
            .filter(|row| cx.caller.org || !flag(row, "_organization"))
            .filter(|row| words.split_whitespace().all(|word| answers_to(row, word)));
        results["users"] = users.take(limit).map(|row| json!({
            "team_id": cx.state.team_id(), "user_id": text(row, "id"), "name": text(row, "name"), "real_name": text(row, "real_name"),
            "title": row.get("profile").map(|profile| profile["title"].clone()), "email": row.get("profile").map(|profile| profile["email"].clone()),
        })).collect();
    }
    Ok(json!({ "results": results, "response_metadata": metadata }))
}

fn found_message(cx: &Context<'_>, row: &Row) -> Value {
    let channel = cx.state.find("channels", text(row, "_channel")).cloned().unwrap_or_default();
    let user = cx.state.find("users", text(row, "user")).cloned().unwrap_or_default();
    let mut found = json!({
        "author_user_id": text(row, "user"), "author_name": text(&user, "real_name"), "team_id": cx.state.team_id(),
        "channel_id": text(&channel, "id"), "channel_name": text(&channel, "name"), "message_ts": text(row, "ts"),
        "content": text(row, "text"), "is_author_bot": by_bot(cx, row), "permalink": permalink(cx, row),
    });
    if cx.args.switch("include_message_blocks") {
        found["blocks"] = row.get("blocks").cloned().unwrap_or_else(|| json!([]));
    }
    if cx.args.switch("include_context_messages") {
        let of_channel: Vec<&Row> = cx
            .state
            .rows("messages")
            .iter()
            .filter(|other| text(other, "_channel") == text(row, "_channel"))
            .collect();
        let place =
            of_channel.iter().position(|other| text(other, "ts") == text(row, "ts")).unwrap_or_default();
        let near = |rows: &[&Row]| {
            rows.iter().map(|row| json!({ "user_id": text(row, "user"), "ts": text(row, "ts"), "text": text(row, "text") })).collect::<Vec<_>>()
        };
        found["context_messages"] = json!({
            "before": near(&of_channel[place.saturating_sub(2)..place]),
            "after": near(&of_channel[(place + 1).min(of_channel.len())..(place + 3).min(of_channel.len())]),
        });
    }
    found
}

/// Whether a bot wrote a message, and no person through an app.
fn by_bot(cx: &Context<'_>, row: &Row) -> bool {
    cx.state.find("users", text(row, "user")).is_none_or(|user| flag(user, "is_bot"))
}

fn in_file(row: &Row, word: &str) -> bool {
    format!("{} {} {}", text(row, "name"), text(row, "title"), text(row, "_text"))
        .to_lowercase()
        .contains(word)
}
