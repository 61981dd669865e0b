//! A message as one compact row: when, who, what it shows, and what is attached to it. Nothing is
//! ever shown empty: what stands in no text stands in blocks, attachments or files.

use std::{collections::BTreeSet, fmt::Write as _};

use connector::catalog::{clean, minute_in, one_line};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{blocks, mrkdwn};
use crate::{
    api::types::{File, Identity, Message, Reaction},
    resolve::{
        people::{People, is_user},
        time::{day_of, parse_ts, time_of},
    },
};

/// The most people of one reaction who are named.
const REACTING: u64 = 3;

/// A message in structured content.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MessageItem {
    pub(crate) ts: String,
    pub(crate) at: String,
    pub(crate) author: String,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thread_ts: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replies: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) reactions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<String>,
    /// Its last replies, where they are shown with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) thread: Vec<String>,
}

/// Comings, goings and the like: no talk. They are counted, not shown.
pub(crate) fn is_noise(message: &Message) -> bool {
    let noise = [
        "channel_join",
        "channel_leave",
        "group_join",
        "group_leave",
        "channel_topic",
        "channel_purpose",
        "channel_name",
        "channel_archive",
        "channel_unarchive",
        "group_topic",
        "group_purpose",
        "group_name",
        "bot_add",
        "bot_remove",
        "channel_posting_permissions",
        "channel_convert_to_private",
        "reminder_add",
    ];
    message.subtype.as_deref().is_some_and(|subtype| noise.contains(&subtype))
}

/// The people whom messages are from or name, and the channels and user groups that they name by their ids.
pub(crate) fn people_in<'a>(messages: impl IntoIterator<Item = &'a Message>) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for message in messages {
        // What came through an app has the app's name.
        if let Some(user) = message.user.as_ref().filter(|user| is_user(user) && app(message).is_none()) {
            ids.insert(user.clone());
        }
        mrkdwn::mentioned(&message.text, &mut ids);
        for value in message.blocks.iter().chain(&message.attachments) {
            blocks::people_in(value, &mut ids);
        }
    }
    ids
}

/// Those by whose right an app posted: the app itself, or somebody who wrote through it.
pub(crate) fn posting_in<'a>(messages: impl IntoIterator<Item = &'a Message>) -> BTreeSet<String> {
    let posted = messages.into_iter().filter(|message| app(message).is_some());
    posted.filter_map(|message| message.user.clone()).filter(|user| is_user(user)).collect()
}

/// All of both.
pub(crate) fn all_in<'a>(messages: impl IntoIterator<Item = &'a Message> + Clone) -> BTreeSet<String> {
    people_in(messages.clone()).into_iter().chain(posting_in(messages)).collect()
}

/// The people who reacted to messages, where they are few enough to be named.
pub(crate) fn reacting_in<'a>(messages: impl IntoIterator<Item = &'a Message>) -> BTreeSet<String> {
    let reactions = messages.into_iter().flat_map(|message| &message.reactions);
    reactions
        .filter(|reaction| reaction.number() <= REACTING)
        .flat_map(|reaction| reaction.users.clone())
        .collect()
}

fn bot_name(message: &Message) -> Option<&str> {
    let profile = message.bot_profile.as_ref().map(|profile| profile.name.as_str());
    [message.username.as_deref(), profile].into_iter().flatten().find(|name| !name.is_empty())
}

/// The app that a message came through, if it has a name.
fn app(message: &Message) -> Option<&str> {
    message.bot_id.as_ref().and_then(|_| bot_name(message))
}

/// Who a message is from; never empty.
///
/// Slack marks whatever an app posts as the app's, by a person's token too: with `bot_id`, `app_id` and
/// `bot_profile` beside `user` (github.com/anneschuth/claude-threads/issues/526). Under a name of its own
/// (`username`) people see that name alone.
pub(crate) fn author(message: &Message, people: &People, me: &Identity) -> String {
    if let Some(app) = app(message).map(one_line) {
        let renamed = message.username.as_deref().is_some_and(|name| !name.is_empty());
        let person = message.user.as_deref().filter(|_| !renamed).and_then(|user| people.person(user));
        return match person {
            Some(person) => format!("{} (via {app})", one_line(person)),
            None => format!("{app} (app)"),
        };
    }
    if let Some(user) = message.user.as_deref().filter(|user| !user.is_empty()) {
        let name = people.name(user);
        let elsewhere = |team: &&str| me.is_elsewhere(team) && !people.is_colleague(user, team);
        let foreign = message.team.as_deref().filter(elsewhere);
        return match foreign {
            Some(team) if !name.contains("[ext") => format!("{} [ext {team}]", one_line(name)),
            _ => one_line(name),
        };
    }
    let other = [bot_name(message), message.bot_id.as_deref()].into_iter().flatten().next();
    other.map_or_else(|| "unknown author".to_owned(), |name| format!("{} (app)", one_line(name)))
}

/// Everything that a message says: its blocks, else its text; then what is attached.
pub(crate) fn said(message: &Message, people: &People) -> String {
    let text = mrkdwn::plain(&message.text, people);
    // Blocks are what people see. Of a plain message Slack makes a rich text that says the same.
    let shown = blocks::text(&message.blocks, people);
    let built = blocks::are_built(&message.blocks);
    let mut parts = vec![match (built, shown.trim().is_empty()) {
        // People see the blocks: a text that says something else is no part of the message.
        (true, false) => shown,
        (false, false) if letters(&shown) != letters(&text) => shown,
        // The text has names of channels and groups that rich text gives as ids.
        _ => text,
    }];
    parts.extend(message.attachments.iter().map(|attachment| self::attachment(attachment, people)));
    let files: Vec<String> = message.files.iter().map(file).collect();
    parts.extend(files);
    parts.retain(|part| !part.trim().is_empty());
    if parts.is_empty() {
        let why = message.subtype.as_deref().map_or_else(
            || "no text, blocks, attachments or files".to_owned(),
            |subtype| format!("{subtype}, no text"),
        );
        return format!("[{why}]");
    }
    parts.join("\n")
}

/// What two writings of the same message have in common: words, without names, links and marks.
fn letters(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | '>' | '-'));
    let words = words.filter(|word| {
        !word.starts_with(['#', '@']) && !word.contains("://") && !word.starts_with("mailto:")
    });
    words.flat_map(str::chars).filter(|c| c.is_alphabetic()).collect()
}

/// An attachment: a forwarded message, an unfurled link, what an app attached.
fn attachment(attachment: &Value, people: &People) -> String {
    let text = |field: &str| mrkdwn::plain(attachment[field].as_str().unwrap_or_default(), people);
    let list = |field: &str| attachment[field].as_array().map_or(&[][..], Vec::as_slice);
    let mut quoted = blocks::text(list("blocks"), people);
    for inner in list("message_blocks") {
        let inner = inner["message"]["blocks"].as_array().map_or(&[][..], Vec::as_slice);
        if quoted.trim().is_empty() {
            quoted = blocks::text(inner, people);
        }
    }
    let files: Vec<File> =
        list("files").iter().filter_map(|file| serde_json::from_value(file.clone()).ok()).collect();
    if attachment["is_share"] == true || attachment["is_msg_unfurl"] == true {
        if quoted.trim().is_empty() {
            quoted = [text("text"), text("fallback")]
                .into_iter()
                .find(|text| !text.trim().is_empty())
                .unwrap_or_default();
        }
        let author = [text("author_name"), text("author_subname")]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_else(|| "somebody".to_owned());
        let when = attachment["ts"]
            .as_str()
            .and_then(parse_ts)
            .map(|at| format!(", {} UTC", minute_in(at, &TimeZone::UTC)))
            .unwrap_or_default();
        let mut lines = vec![format!("[forwarded from {}{when}]", one_line(&author))];
        lines.extend(quoted.lines().map(|line| format!("> {line}")));
        lines.extend(files.iter().map(file));
        return lines.join("\n");
    }
    let title = match (text("title"), attachment["title_link"].as_str()) {
        (title, Some(link)) if !title.is_empty() => format!("[{title}]({link})"),
        (title, _) => title,
    };
    let fields = list("fields").iter().map(|field| {
        let part = |name: &str| mrkdwn::plain(field[name].as_str().unwrap_or_default(), people);
        format!("{}: {}", part("title"), part("value"))
    });
    let mut parts = vec![text("pretext"), text("author_name"), title, text("text")];
    parts.extend(fields);
    parts.push(quoted);
    parts.extend(
        list("actions")
            .iter()
            .filter_map(|action| action["text"].as_str())
            .map(|label| format!("[button: {label}]")),
    );
    parts.push(text("footer"));
    parts.extend(files.iter().map(file));
    parts.retain(|part| !part.trim().is_empty());
    if parts.is_empty() {
        parts.push(text("fallback"));
    }
    parts.retain(|part| !part.trim().is_empty());
    if parts.is_empty() {
        let from =
            ["from_url", "image_url", "service_name"].iter().find_map(|field| attachment[*field].as_str());
        return from.map(|from| format!("[attachment: {from}]")).unwrap_or_default();
    }
    let table = parts.iter().any(|part| part.contains("\n|"));
    parts.join(if table { "\n" } else { " | " })
}

/// A file in a message: `📎F123 report.pdf 120 kB`.
pub(crate) fn file(file: &File) -> String {
    let name =
        [&file.title, &file.name].into_iter().find(|name| !name.is_empty()).map_or("file", String::as_str);
    let kind = match (file.is_canvas(), file.is_list()) {
        (true, _) => " (canvas)".to_owned(),
        (_, true) => " (list)".to_owned(),
        // A title that is not the file's name hides what kind of file it is.
        _ if !file.name.is_empty() && file.name != *name && !file.name.starts_with(&format!("{name}.")) => {
            format!(" ({}){}", one_line(&file.name), size(file.size))
        }
        _ => size(file.size),
    };
    format!("📎{} {}{kind}", file.id, one_line(name))
}

fn size(bytes: u64) -> String {
    match bytes {
        0 => String::new(),
        1..1_000 => format!(" {bytes} B"),
        1_000..1_000_000 => format!(" {} kB", bytes / 1_000),
        _ => format!(" {:.1} MB", bytes as f64 / 1e6),
    }
}

/// How messages are shown: whose names are known, in whose time.
#[derive(Debug)]
pub(crate) struct Style<'a> {
    pub(crate) people: &'a People,
    pub(crate) zone: &'a TimeZone,
    pub(crate) me: &'a Identity,
    /// Whether a reply names the thread it is in: outside of the thread itself.
    pub(crate) names_threads: bool,
}

/// The row of a message, and its data. `day` is that of the row above: a new one gets a line of its own.
pub(crate) fn row(
    message: &Message,
    style: &Style<'_>,
    day: &mut Option<jiff::civil::Date>,
) -> (String, MessageItem) {
    let own = day_of(&message.ts, style.zone);
    let mut row = String::new();
    if own.is_some() && day.is_some() && own != *day {
        let _ = writeln!(row, "## {}", own.map(|day| day.to_string()).unwrap_or_default());
    }
    *day = own.or(*day);
    let author = author(message, style.people, style.me);
    let said = clean(&said(message, style.people)).into_owned();
    let _ = write!(row, "{} {} {author}: {said}", message.ts, time_of(&message.ts, style.zone));
    if message.edited.is_some() {
        row.push_str(" (edited)");
    }
    let reactions: Vec<String> =
        message.reactions.iter().map(|reaction| self::reaction(reaction, style.people)).collect();
    if !reactions.is_empty() {
        let _ = write!(row, " {{{}}}", reactions.join("; "));
    }
    if let Some(replies) = message.reply_count.filter(|count| *count > 0 && style.names_threads) {
        let last = message
            .latest_reply
            .as_deref()
            .map(|ts| format!(", last {}", time_of(ts, style.zone)))
            .unwrap_or_default();
        let _ = write!(row, " [{replies} {}{last}]", if replies == 1 { "reply" } else { "replies" });
    } else if let Some(parent) = message.parent().filter(|_| style.names_threads) {
        let _ = write!(row, " [in thread {parent}]");
    }
    if message.pinned_to.is_some() {
        row.push_str(" [pinned]");
    }
    let item = MessageItem {
        ts: message.ts.clone(),
        at: parse_ts(&message.ts).map(|at| at.to_string()).unwrap_or_default(),
        author,
        text: said,
        thread_ts: message.thread_ts.clone(),
        replies: message.reply_count,
        reactions,
        files: message.files.iter().map(|file| file.id.clone()).collect(),
        thread: Vec::new(),
    };
    (row, item)
}

/// A reaction with its people, or where they are many or not known with their number.
fn reaction(reaction: &Reaction, people: &People) -> String {
    let (name, count) = (one_line(&reaction.name), reaction.number());
    let known = reaction.users.iter().filter_map(|user| people.found(user));
    let known: Vec<String> = known.take(REACTING as usize + 1).map(one_line).collect();
    if known.len() as u64 == count && count <= REACTING {
        return format!("{name} by {}", known.join(", "));
    }
    if count > 1 { format!("{name}×{count}") } else { name }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(message: Value) -> String {
        let message: Message = serde_json::from_value(message).unwrap();
        let people = People::known(&[
            ("U0ONE000001", "one"),
            ("U0EXT000001", "Kofi A. [ext T9]"),
            ("U0BOT000001", "assistant [bot]"),
        ]);
        let me = Identity { team_id: "T1".to_owned(), ..Identity::default() };
        let style = Style { people: &people, zone: &TimeZone::UTC, me: &me, names_threads: true };
        row(&message, &style, &mut None).0
    }

    #[test]
    fn a_forwarded_message_is_its_quoted_content() {
        // https://github.com/slackapi/slack-skills-plugin/issues/149
        let row = shown(
            json!({"ts": "1764400000.000100", "user": "U0ONE000001", "text": "", "attachments": [{
            "is_share": true, "author_name": "Ines", "from_url": "https://x.slack.com/archives/C9/p1764300000000200", "channel_id": "C9",
            "ts": "1764300000.000200", "text": "Rollback at 14:00, keep the old key", "fallback": "[date] Ines: Rollback…",
            "files": [{"id": "F1", "name": "plan.pdf", "size": 2000}]}]}),
        );
        assert_eq!(
            row,
            "1764400000.000100 07:06 one: [forwarded from Ines, 2025-11-28 03:20 UTC]\n> Rollback at 14:00, keep the old key\n📎F1 plan.pdf 2 kB"
        );
    }

    #[test]
    fn a_forwarded_message_of_blocks_is_shown_by_its_blocks() {
        let block = |text: &str| json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
        for (attachment, expected) in [
            (
                json!({"is_share": true, "author_name": "Ines", "blocks": [block("by blocks")], "text": "no"}),
                "> by blocks",
            ),
            (
                json!({"is_share": true, "author_name": "Ines", "message_blocks": [{"message": {"blocks": [block("by message_blocks")]}}], "fallback": "no"}),
                "> by message_blocks",
            ),
            (
                json!({"is_share": true, "author_name": "Ines", "fallback": "only a fallback"}),
                "> only a fallback",
            ),
        ] {
            let row = shown(
                json!({"ts": "1764400000.000100", "user": "U0ONE000001", "text": "", "attachments": [attachment]}),
            );
            assert!(row.ends_with(expected), "{row}");
        }
    }

    #[test]
    fn a_table_pasted_into_a_message_is_readable() {
        // https://github.com/slackapi/slack-skills-plugin/issues/126
        let cell = |text: &str| json!({"type": "raw_text", "text": text});
        let row = shown(
            json!({"ts": "1764400000.000100", "user": "U0ONE000001", "text": "", "attachments": [{"fallback": "[no preview available]",
            "blocks": [{"type": "table", "rows": [[cell("Item"), cell("Qty")], [cell("Bolt"), cell("1,200")]]}]}]}),
        );
        assert!(row.ends_with("| Item | Qty |\n|---|---|\n| Bolt | 1,200 |"), "{row}");
        assert!(!row.contains("no preview"), "{row}");
    }

    #[test]
    fn a_text_that_differs_from_what_people_see_is_not_shown() {
        let rich = |text: &str| json!([{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}]}]);
        let row =
            shown(json!({"user": "U0ONE000001", "text": "Send me the keys", "blocks": rich("Good morning")}));
        assert!(row.ends_with("one: Good morning"), "{row}");
        let row = shown(
            json!({"user": "U0ONE000001", "text": "see <#C1|ops> &amp; *go*", "blocks": rich("see #C1 & go")}),
        );
        assert!(row.ends_with("one: see #ops & *go*"), "{row}");
    }

    #[test]
    fn nobody_is_nameless() {
        // https://github.com/anthropics/claude-code/issues/80259
        let posted = |user: &str, more: Value| {
            let mut message =
                json!({"user": user, "bot_id": "B1", "bot_profile": {"name": "Assistant"}, "text": "x"});
            message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            message
        };
        for (message, author) in [
            (json!({"user": "U0EXT000001", "team": "T9", "text": "signed"}), "Kofi A. [ext T9]:"),
            (json!({"user": "U0GONE00001", "team": "T9", "text": "signed"}), "U0GONE00001 [ext T9]:"),
            (json!({"user": "U0GONE00001", "text": "x"}), "U0GONE00001:"),
            (json!({"bot_id": "B1", "username": "Deploy", "text": "x"}), "Deploy (app):"),
            (json!({"bot_id": "B1", "text": "x"}), "B1 (app):"),
            (posted("U0ONE000001", json!({})), "one (via Assistant):"),
            (posted("U0ONE000001", json!({"username": "Deploy"})), "Deploy (app):"),
            (posted("U0GONE00001", json!({})), "Assistant (app):"),
            (posted("U0BOT000001", json!({})), "Assistant (app):"),
            (json!({"text": "x"}), "unknown author:"),
        ] {
            let row = shown(message);
            assert!(row.contains(author), "{row}");
        }
    }

    #[test]
    fn an_alert_of_an_app_is_never_empty() {
        // https://github.com/slackapi/slack-skills-plugin/issues/24
        let row = shown(
            json!({"ts": "1764400000.000100", "bot_id": "B1", "username": "Alerts", "text": "", "attachments": [{"color": "f00",
            "title": "[FIRING] Latency", "title_link": "https://a.example", "fields": [{"title": "Service", "value": "api"}], "fallback": "x"}]}),
        );
        assert!(row.ends_with("Alerts (app): [[FIRING] Latency](https://a.example) | Service: api"), "{row}");
        assert!(
            shown(json!({"user": "U0ONE000001", "text": "", "subtype": "huddle_thread"}))
                .ends_with("[huddle_thread, no text]")
        );
        assert!(shown(json!({"user": "U0ONE000001"})).ends_with("[no text, blocks, attachments or files]"));
    }
}
