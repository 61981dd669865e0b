//! A message in the making: people, channels and groups that its text names become mentions, in code
//! nothing is touched, broadcasts are refused unless allowed, and a long text is split.

use std::collections::{BTreeMap, BTreeSet};

use connector::{
    Error, Kind, Result,
    catalog::{
        names::{Entry as _, fold},
        one_line,
    },
};

use crate::{
    api::types::User,
    policy::Policy,
    render::mrkdwn::{encode, parts, unused},
    resolve::people::is_user,
    workspace::Workspace,
};

/// The most characters of one post: Slack takes 12,000 of Markdown, entities counted.
const POST: usize = 11_500;
/// The most posts that one message is split into.
const POSTS: usize = 10;
/// The most different names that one message is worth looking up.
const NAMES: usize = 30;
/// A text ready to be sent, and whom it reaches.
#[derive(Debug, Default)]
pub(crate) struct Composed {
    /// The posts, in order.
    pub(crate) posts: Vec<String>,
    /// Whom it mentions.
    pub(crate) mentioned: Vec<Mentioned>,
    /// Whether all of them are known to be where it goes, so that Slack notifies them.
    pub(crate) are_there: bool,
    /// Names in the text that are nobody's.
    pub(crate) unknown: Vec<String>,
    /// What else is to be said of whom it reaches.
    pub(crate) told: Vec<String>,
    /// Why it asks before it goes out.
    pub(crate) asks: Vec<String>,
}

/// Somebody, or a group, whom a text mentions.
#[derive(Debug)]
pub(crate) struct Mentioned {
    /// A person's.
    pub(crate) id: Option<String>,
    /// In words: `@tomas (Tomás Herrera)`.
    pub(crate) told: String,
}

/// What a name in the text stands for.
enum Meaning {
    /// A mention, and whom it means, if anybody.
    Token(String, Option<Mentioned>),
    /// Only text.
    Text,
}

/// Reads `text`, which is Markdown as people write it. Where it takes the place of a message, `old` is that
/// message's text as Slack has it: a broadcast that stands there already may stay.
///
/// # Errors
/// `invalid_argument` for an empty text; `policy` for a broadcast that is not allowed.
pub(crate) async fn compose(
    workspace: &Workspace,
    policy: &Policy,
    text: &str,
    old: Option<&str>,
) -> Result<Composed> {
    let text = text.trim_end();
    if text.trim().is_empty() {
        return Err(Error::invalid("`message` is empty"));
    }
    let mut composed = Composed { are_there: true, ..Composed::default() };
    let ended: String;
    let text = match (&policy.suffix, old) {
        (Some(suffix), None) if !text.ends_with(suffix.as_str()) => {
            composed.told.push(format!("ends as the operator says: {}", one_line(suffix)));
            ended = format!("{text}\n\n{suffix}");
            ended.as_str()
        }
        _ => text,
    };
    let mark = unused(text);
    let mut more: BTreeSet<String> = BTreeSet::new();
    let mut known: BTreeMap<String, Meaning> = BTreeMap::new();
    let mut tokens: Vec<String> = Vec::new();
    let mut marked = String::with_capacity(text.len());
    for (code, part) in parts(text) {
        if code {
            marked.push_str(part);
            continue;
        }
        let mut rest = part;
        let mut before: Option<char> = None;
        while let Some((at, name, length)) = next_name(rest, before) {
            marked.push_str(&rest[..at]);
            if !known.contains_key(&name) && known.len() < NAMES {
                let meaning = meaning(workspace, policy, &name, old, &mut composed).await?;
                known.insert(name.clone(), meaning);
            } else if !known.contains_key(&name) {
                more.insert(name.clone());
            }
            match known.get(&name) {
                Some(Meaning::Token(token, _)) => {
                    // Held apart while the text is encoded.
                    marked.push(mark);
                    tokens.push(token.clone());
                }
                _ => marked.push_str(&rest[at..at + length]),
            }
            before = rest[..at + length].chars().last();
            rest = &rest[at + length..];
        }
        marked.push_str(rest);
    }
    composed.mentioned = known
        .into_values()
        .filter_map(|meaning| match meaning {
            Meaning::Token(_, mentioned) => mentioned,
            Meaning::Text => None,
        })
        .collect();
    if !more.is_empty() {
        composed.told.push(format!(
            "{} more {} not looked up, and stay text: {NAMES} are looked up for one message",
            more.len(),
            if more.len() == 1 { "name was" } else { "names were" }
        ));
    }
    let mut encoded = String::new();
    let mut tokens = tokens.into_iter();
    for (number, part) in encode(&marked).split(mark).enumerate() {
        if number > 0 {
            encoded.push_str(&tokens.next().unwrap_or_default());
        }
        encoded.push_str(part);
    }
    composed.posts = split(&encoded)?;
    Ok(composed)
}

/// The next `@name`, `#name` or `<…>` token of `text`: where, what, and how long it is as written.
fn next_name(text: &str, before: Option<char>) -> Option<(usize, String, usize)> {
    let mut last = before;
    for (at, c) in text.char_indices() {
        let rest = &text[at..];
        if c == '<'
            && let Some(close) = rest.find('>')
        {
            let inner = &rest[1..close];
            if inner.starts_with(['@', '#', '!']) && !inner.contains(['<', '\n', ' ']) {
                return Some((at, format!("<{inner}>"), close + 1));
            }
        }
        if matches!(c, '@' | '#')
            && !last
                .is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '@' | '#' | '.' | '&' | '=' | '_'))
        {
            let end = rest[1..]
                .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
                .map_or(rest.len(), |end| end + 1);
            let name = rest[..end].trim_end_matches(['.', '-']);
            if name.len() > 1 && name[1..].chars().any(char::is_alphabetic) {
                return Some((at, name.to_owned(), name.len()));
            }
        }
        last = Some(c);
    }
    None
}

async fn meaning(
    workspace: &Workspace,
    policy: &Policy,
    name: &str,
    old: Option<&str>,
    composed: &mut Composed,
) -> Result<Meaning> {
    let names = workspace.names();
    let inner = name.trim_start_matches('<').trim_end_matches('>');
    let target = inner.split('|').next().unwrap_or_default();
    let tagged = name.starts_with('<');
    let word = target.trim_start_matches(['@', '#', '!']).to_lowercase();
    if ["here", "channel", "everyone"].contains(&word.as_str()) && !target.starts_with('#') {
        if old.is_some_and(|old| old.contains(&format!("<!{word}"))) {
            composed.told.push(format!("@{word} stays as it was"));
            return Ok(Meaning::Token(format!("<!{word}>"), None));
        }
        if !policy.broadcast {
            let nothing = if old.is_some() { "nothing was changed" } else { "nothing was sent" };
            return Err(Error::new(Kind::Policy, format!("The message says @{word}, which notifies everybody in the channel; {nothing}"))
                .with_hint("Leave it out, or write it in `code`; the operator can allow it with SLACK_ALLOW_BROADCAST=true"));
        }
        composed.asks.push(format!("@{word} notifies everybody in the channel"));
        let told = format!("@{word}: everybody in the channel");
        return Ok(Meaning::Token(format!("<!{word}>"), Some(Mentioned { id: None, told })));
    }
    let tagged_group = target.strip_prefix("!subteam^");
    let group = match tagged_group {
        Some(id) => Some(id),
        None => target.strip_prefix('@').filter(|word| !is_user(word)),
    };
    let group = match group {
        Some(group) => names.known_group(group).await.unwrap_or_default(),
        None => None,
    };
    if let Some(group) = group {
        let count = group.user_count.unwrap_or(group.users.len() as u64);
        let stays = old.is_some_and(|old| old.contains(&format!("<!subteam^{}", group.id)));
        if count > policy.max_recipients && !stays {
            let handle = one_line(&group.handle);
            if !policy.broadcast {
                let nothing = if old.is_some() { "nothing was changed" } else { "nothing was sent" };
                return Err(Error::new(
                    Kind::Policy,
                    format!("@{handle} notifies {count} people, more than {}; {nothing}", policy.max_recipients),
                )
                .with_hint("Leave it out, or write it in `code`; the operator can allow it with SLACK_ALLOW_BROADCAST=true or a larger SLACK_MAX_RECIPIENTS"));
            }
            composed.asks.push(format!("@{handle} notifies {count} people"));
        }
        let told = format!(
            "@{} ({count} {})",
            one_line(&group.handle),
            if count == 1 { "person" } else { "people" }
        );
        return Ok(Meaning::Token(format!("<!subteam^{}>", group.id), Some(Mentioned { id: None, told })));
    }
    if target.starts_with('!') {
        return Ok(Meaning::Text);
    }
    if target.starts_with('#') {
        let found = names.channel(if tagged { name } else { target }).await;
        return Ok(found.map_or(Meaning::Text, |channel| Meaning::Token(format!("<#{}>", channel.id), None)));
    }
    match names.person(target).await {
        Ok(user) if user.deleted => {
            composed.unknown.push(user.told());
            Ok(Meaning::Text)
        }
        // A part of a name names nobody in a text that others read.
        Ok(user) if !is_named(&user, target) => {
            composed.unknown.push(format!("{} (did you mean {}?)", one_line(target), user.describe()));
            Ok(Meaning::Text)
        }
        Ok(user) => {
            let told = user.describe();
            Ok(Meaning::Token(format!("<@{}>", user.id), Some(Mentioned { id: Some(user.id), told })))
        }
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::InvalidArgument | Kind::Permission) => {
            let several = error.kind() == Kind::InvalidArgument;
            composed.unknown.push(if several {
                let hint = error.hint().unwrap_or_default();
                format!("{} (could be {})", one_line(target), hint.trim_start_matches("Say which: "))
            } else {
                one_line(target)
            });
            Ok(Meaning::Text)
        }
        Err(error) => Err(error),
    }
}

/// Whether somebody is meant by `target`: an id, a whole name of theirs, or the first.
fn is_named(user: &User, target: &str) -> bool {
    let word = target.trim_start_matches('@');
    let first = user.full_name().split_whitespace().next().unwrap_or_default();
    is_user(word) || user.is_called(word) || fold(first) == fold(word)
}

/// `text` in posts that Slack takes, cut after paragraphs or lines; a fence that is cut is closed and
/// opened again.
fn split(text: &str) -> Result<Vec<String>> {
    let mut posts = Vec::new();
    let mut rest = text.to_owned();
    while rest.chars().count() > POST {
        let limit = rest.char_indices().nth(POST).map_or(rest.len(), |(at, _)| at);
        let head = &rest[..limit];
        let cut = [head.rfind("\n\n"), head.rfind('\n'), head.rfind(' ')]
            .into_iter()
            .flatten()
            .find(|at| *at > limit / 2)
            .unwrap_or(limit);
        let mut post = rest[..cut].trim_end().to_owned();
        let mut after = rest[cut..].trim_start_matches('\n').to_owned();
        let fences: Vec<&str> = post.lines().filter(|line| line.trim_start().starts_with("```")).collect();
        if fences.len() % 2 == 1 {
            after = format!("{}\n{after}", fences.last().copied().unwrap_or("```").trim());
            post.push_str("\n```");
        }
        posts.push(post);
        rest = after;
        if posts.len() >= POSTS {
            return Err(Error::invalid(format!(
                "The message is longer than {POSTS} posts of {POST} characters"
            ))
            .with_hint("Upload it as a file: upload_file"));
        }
    }
    posts.push(rest);
    Ok(posts)
}

impl Composed {
    /// What a preview or a reply says of whom it reaches.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let named: Vec<&str> = self.mentioned.iter().map(|mentioned| mentioned.told.as_str()).collect();
        match (named.is_empty(), self.are_there) {
            (true, _) => {}
            (false, true) => lines.push(format!("notifies {}", named.join(", "))),
            (false, false) => {
                lines.push(format!("mentions {}: those in the channel are notified", named.join(", ")));
            }
        }
        if !self.unknown.is_empty() {
            lines.push(format!("stays text, nobody is notified: {}", self.unknown.join(", ")));
        }
        lines.extend(self.told.iter().cloned());
        if self.posts.len() > 1 {
            lines.push(format!("{} posts, the later ones in the thread of the first", self.posts.len()));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (code, mut rest) in parts(text) {
            while !code && let Some((at, name, length)) = next_name(rest, None) {
                found.push(name);
                rest = &rest[at + length..];
            }
        }
        found
    }

    #[test]
    fn names_are_found_where_people_write_them_and_nowhere_else() {
        assert_eq!(
            names("Hi @tomas, see #eng-imports. cc <@U0MAYA00001> (@jonas.lindgren)."),
            ["@tomas", "#eng-imports", "<@U0MAYA00001>", "@jonas.lindgren"]
        );
        assert_eq!(names("mail a@b.example, `@code` and ```\n@fence\n```, #482, x/@y, <!here>"), ["<!here>"]);
    }

    #[test]
    fn a_long_text_is_split_after_paragraphs_and_fences_are_closed() {
        let text = format!("{}\n\n```rust\n{}\n```\nend", "a ".repeat(3_000), "let x = 1;\n".repeat(900));
        let posts = split(&text).unwrap();
        assert!(posts.len() >= 2, "{}", posts.len());
        for post in &posts {
            assert!(post.chars().count() <= POST + 10);
            assert!(post.matches("```").count().is_multiple_of(2), "{post}");
        }
        assert!(posts[1].starts_with("```rust\n"), "{}", &posts[1][..20]);
        assert!(split(&"x".repeat(POST * 20)).is_err());
    }
}
