//! Icons and covers of pages, and the workspace's own emoji by their names.

use connector::{
    Error, Result,
    catalog::{nearest, one_line},
};
use serde_json::{Value, json};

use crate::{
    Notion,
    api::objects::Named,
    dialect::{Code, Part},
    render,
};

impl Notion {
    /// The icon that `text` means: an emoji, `:name:` of one of the workspace's own, or an https address
    /// (developers.notion.com/reference/emoji-and-icon).
    ///
    /// # Errors
    /// `not_found` for a name that no emoji of the workspace has.
    pub(crate) async fn icon(&self, text: &str) -> Result<Value> {
        let text = text.trim();
        if text.starts_with("https://") {
            return Ok(json!({"type": "external", "external": {"url": text}}));
        }
        let bare = text.strip_prefix(':').and_then(|text| text.strip_suffix(':')).unwrap_or(text);
        if bare.len() == text.len() && !text.is_ascii() {
            return Ok(json!({"type": "emoji", "emoji": text}));
        }
        let known = self.api().emojis().await?;
        match known.iter().find(|emoji| emoji.name.eq_ignore_ascii_case(bare)) {
            Some(emoji) => Ok(json!({"type": "custom_emoji", "custom_emoji": {"id": emoji.id}})),
            None => Err(no_emoji(bare, &known)),
        }
    }

    /// `text` with the workspace's own emoji as tags that name their ids, for requests that take no Markdown. What is no
    /// such name stays as it is, as does code.
    ///
    /// # Errors
    /// Why the emoji could not be read.
    pub(crate) async fn with_emojis(&self, text: &str) -> Result<String> {
        if names(text).next().is_none() {
            return Ok(text.to_owned());
        }
        let known = self.api().emojis().await?;
        let mut code = Code::default();
        let line = |line: &str| match code.line(line) {
            Part::Prose => tagged(line, &known),
            _ => line.to_owned(),
        };
        Ok(text.split('\n').map(line).collect::<Vec<_>>().join("\n"))
    }
}

/// The cover that an address means.
///
/// # Errors
/// `invalid_argument` for another address than of https, or one that is too long.
pub(crate) fn cover(text: &str) -> Result<Value> {
    let text = text.trim();
    if !text.starts_with("https://") || text.chars().count() > 2000 {
        return Err(Error::invalid(format!("`cover` takes an https address, not `{}`", one_line(text)))
            .with_hint("Notion fetches the image from there"));
    }
    Ok(json!({"type": "external", "external": {"url": text}}))
}

/// Whether two icons or covers are the same, however an emoji asks to be drawn.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    let plain = |icon: &Value| icon["emoji"].as_str().map(|text| text.replace('\u{fe0f}', ""));
    let is =
        |icon: &Value| (plain(icon), icon["custom_emoji"]["id"].clone(), icon["external"]["url"].clone());
    is(a) == is(b)
}

fn no_emoji(name: &str, known: &[Named]) -> Error {
    let error = Error::not_found(format!("The workspace has no emoji `:{}:`", one_line(name)));
    match nearest(name, known.iter().map(|emoji| emoji.name.as_str())) {
        Some(near) => error.with_hint(format!("Did you mean `:{near}:`?")),
        None => error.with_hint(
            "Give an emoji such as 🚀, the `:name:` of one of the workspace's, or an https address",
        ),
    }
}

/// Where names between colons stand in a text, and how long they are without these.
fn names(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+');
    text.match_indices(':').filter_map(move |(at, _)| {
        let (name, _) = text[at + 1..].split_once(':')?;
        let whole = name.chars().all(is_part) && name.contains(|c: char| c.is_ascii_alphabetic());
        whole.then_some((at, name))
    })
}

fn tagged(line: &str, known: &[Named]) -> String {
    let mut out = String::with_capacity(line.len());
    let mut from = 0;
    for (at, name) in names(line) {
        let inside = at < from || line[..at].matches('`').count() % 2 == 1;
        if let Some(emoji) = known.iter().find(|emoji| !inside && emoji.name.eq_ignore_ascii_case(name)) {
            out.push_str(&line[from..at]);
            let id = render::bare(&emoji.id);
            out.push_str(&format!(
                "<mention-custom-emoji url=\"notion://{id}\">:{}:</mention-custom-emoji>",
                emoji.name
            ));
            from = at + name.len() + 2;
        }
    }
    out.push_str(&line[from..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_there_are_become_tags_and_code_has_none() {
        let known =
            [Named { id: "e0e00000-0000-4000-8000-000000000001".to_owned(), name: "harbor".to_owned() }];
        let tag = "<mention-custom-emoji url=\"notion://e0e00000000040008000000000000001\">:harbor:</mention-custom-emoji>";
        for (line, wanted) in [
            ("a :harbor: b :Harbor:", format!("a {tag} b {tag}")),
            ("12:30:45 :smile: `:harbor:` a:harbor", "12:30:45 :smile: `:harbor:` a:harbor".to_owned()),
            ("https://x.example:80/a:harbor:", format!("https://x.example:80/a{tag}")),
        ] {
            assert_eq!(tagged(line, &known), wanted);
        }
    }
}
