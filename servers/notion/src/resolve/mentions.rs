//! `@Name` in a text to a mention, which tells the person; what only looks like one stays text.

use connector::{
    Result,
    catalog::{markdown, names, one_line},
};

use super::same;
use crate::{
    Notion,
    api::objects::User,
    dialect::{Code, Part},
    render,
};

impl Notion {
    /// `text` with mentions of Notion's in place of `@Name`, and a sentence for each. Code stays as it is, as does
    /// what stands in `there` already; `\@` is a plain one.
    ///
    /// # Errors
    /// `invalid_argument` for a name that several people have, or for more names than can be looked up.
    pub(crate) async fn mentioned(&self, text: &str, there: &str) -> Result<(String, Vec<String>)> {
        if !text.contains('@') {
            return Ok((text.to_owned(), Vec::new()));
        }
        markdown::few_mentions(text, there, char::is_alphanumeric)?;
        let people: Vec<User> = match self.everybody().await {
            Ok(all) => all.into_iter().filter(|user| user.kind == "person").collect(),
            Err(_) => {
                let note = "Nobody was mentioned: this connection may not read who is in the workspace.";
                return Ok((text.to_owned(), vec![note.to_owned()]));
            }
        };
        let mut code = Code::default();
        let mut lines = Vec::new();
        let mut notes = Vec::new();
        for line in text.split('\n') {
            lines.push(match code.line(line) {
                Part::Prose => in_line(line, there, &people, &mut notes)?,
                _ => line.to_owned(),
            });
        }
        Ok((lines.join("\n"), notes))
    }
}

fn in_line(line: &str, there: &str, people: &[User], notes: &mut Vec<String>) -> Result<String> {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['@', '`', '\\']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let begins = out.chars().next_back().is_none_or(|c| c.is_whitespace() || "(*_~".contains(c));
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        let taken = if ticks > 0 {
            let end = rest[ticks..].find(&rest[..ticks]);
            end.map_or(ticks, |end| ticks * 2 + end)
        } else if rest.starts_with("\\@") {
            rest = &rest[1..];
            1
        } else if rest.starts_with('\\') {
            rest.chars().take(2).map(char::len_utf8).sum()
        } else if begins && let Some((user, length)) = meant(&rest[1..], there, people, notes)? {
            let name = one_line(&user.name);
            out.push_str(&format!(
                "<mention-user url=\"user://{}\">{name}</mention-user>",
                render::bare(&user.id)
            ));
            add(notes, format!("Mentions {name}."));
            rest = &rest[1 + length..];
            continue;
        } else {
            1
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Who is meant by what stands after an `@`, and how long the name is in the text.
fn meant<'a>(
    text: &str,
    there: &str,
    people: &'a [User],
    notes: &mut Vec<String>,
) -> Result<Option<(&'a User, usize)>> {
    let mut found: Vec<(&User, usize)> = Vec::new();
    for user in people {
        let handle = user.email().split('@').next().unwrap_or_default();
        let names = user.name.split_whitespace().chain([user.name.as_str(), handle]);
        if let Some(length) = names.filter_map(|name| begins_with(text, name)).max() {
            found.push((user, length));
        }
    }
    let longest = found.iter().map(|(_, length)| *length).max().unwrap_or_default();
    found.retain(|(_, length)| *length == longest);
    let word = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let whole = if longest > 0 { &text[..longest] } else { word };
    if whole.is_empty() || there.contains(&format!("@{whole}")) {
        return Ok(None);
    }
    match found[..] {
        [only] => Ok(Some(only)),
        [] => {
            if ends(&text[word.len()..]) {
                add(notes, format!("`@{word}` is nobody of this workspace and stays plain text."));
            }
            Ok(None)
        }
        _ => {
            let all: Vec<User> = found.into_iter().map(|(user, _)| user.clone()).collect();
            let listed = names::listed(&all);
            Err(connector::Error::invalid(format!("`@{whole}` may be {listed}"))
                .with_hint("Write the whole name, or \\@ for no mention"))
        }
    }
}

/// How long `name` is at the beginning of `text`, if it stands there as a whole.
fn begins_with(text: &str, name: &str) -> Option<usize> {
    let count = name.chars().count();
    let length: usize = text.chars().take(count).map(char::len_utf8).sum();
    (count > 0 && same(&text[..length], name) && ends(&text[length..])).then_some(length)
}

/// Whether a name ends before `rest`: it does not within a word, an address or a path.
fn ends(rest: &str) -> bool {
    let mut next = rest.chars();
    match next.next() {
        None => true,
        Some(c) if c.is_alphanumeric() || "_/@".contains(c) => false,
        Some('.' | '-') => !next.next().is_some_and(char::is_alphanumeric),
        Some(_) => true,
    }
}

fn add(notes: &mut Vec<String>, note: String) {
    if !notes.contains(&note) {
        notes.push(note);
    }
}
