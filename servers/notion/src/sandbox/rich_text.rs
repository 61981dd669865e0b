//! Rich text: what requests give, checked, and what answers show.

use serde_json::{Value, json};

use super::{
    check::Place,
    errors::{ApiError, Outcome},
    tree::{Node, State},
};

/// The address of a page, database or block.
pub(super) fn url_of(id: &str) -> String {
    format!("https://www.notion.so/{}", id.replace('-', ""))
}

/// The id in an address, a bare id with or without dashes, or `user://id`. A fragment is a block's.
pub(super) fn id_in(text: &str) -> Option<String> {
    let text = text.rsplit_once('#').map_or(text, |(_, fragment)| fragment);
    let text = text.split('?').next()?.trim_end_matches('/');
    let last = text.rsplit('/').next()?;
    let hex: String = last.chars().filter(|c| *c != '-').collect();
    let tail = hex.get(hex.len().checked_sub(32)?..)?;
    tail.chars().all(|c| c.is_ascii_hexdigit()).then(|| dashed(&tail.to_ascii_lowercase()))
}

/// Thirty-two hexadecimal digits with the dashes of a UUID.
pub(super) fn dashed(hex: &str) -> String {
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// The words of rich text.
pub(super) fn plain(items: &[Value]) -> String {
    items.iter().filter_map(|item| item["plain_text"].as_str()).collect()
}

/// Rich text of a request without any marks, in runs of 2,000 characters.
pub(super) fn plain_request(text: &str) -> Vec<Value> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(2000).map(|chunk| Run::plain(chunk.iter().collect::<String>()).to_request()).collect()
}

/// One run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Run {
    pub(super) text: Option<String>,
    pub(super) link: Option<String>,
    pub(super) equation: Option<String>,
    pub(super) mention: Option<Value>,
    /// The words that a mention is shown with.
    pub(super) shown: String,
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) strikethrough: bool,
    pub(super) underline: bool,
    pub(super) code: bool,
    pub(super) color: String,
}

impl Run {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), color: "default".to_owned(), ..Self::default() }
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    pub(super) fn read(item: &Value) -> Self {
        let marks = &item["annotations"];
        let is = |name: &str| marks[name].as_bool().unwrap_or(false);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let kind = item["type"].as_str().unwrap_or("text");
        let content = text(&item["text"]["content"]).or_else(|| text(&item["plain_text"]));
        Self {
            text: if kind == "text" { content } else { None },
            link: text(&item["text"]["link"]["url"]),
            equation: text(&item["equation"]["expression"]),
            mention: item.get("mention").cloned(),
            shown: text(&item["plain_text"]).unwrap_or_default(),
            bold: is("bold"),
            italic: is("italic"),
            strikethrough: is("strikethrough"),
            underline: is("underline"),
            code: is("code"),
            color: text(&marks["color"]).unwrap_or_else(|| "default".to_owned()),
        }
    }

    fn annotations(&self) -> Value {
        json!({
            "bold": self.bold, "italic": self.italic, "strikethrough": self.strikethrough,
            "underline": self.underline, "code": self.code,
            "color": if self.color.is_empty() { "default" } else { &self.color },
        })
    }

    pub(super) fn to_request(&self) -> Value {
        let annotations = self.annotations();
        // What an answer would say beside it, so that a draft can be written before it is stored.
        if let Some(expression) = &self.equation {
            return json!({"type": "equation", "equation": {"expression": expression}, "annotations": annotations, "plain_text": expression});
        }
        if let Some(mention) = &self.mention {
            return json!({"type": "mention", "mention": mention, "annotations": annotations, "plain_text": self.shown});
        }
        let link = self.link.as_ref().map(|url| json!({"url": url}));
        let text = self.text.clone().unwrap_or_default();
        json!({"type": "text", "text": {"content": text, "link": link}, "annotations": annotations, "plain_text": text})
    }
}

/// Rich text of a request, checked and in the form of an answer.
pub(super) fn expand(state: &State, value: &Value, place: &Place) -> Outcome<Vec<Value>> {
    let items = place.list(value, 100)?;
    items.iter().enumerate().map(|(at, item)| one(state, item, &place.item(at))).collect()
}

fn one(state: &State, item: &Value, place: &Place) -> Outcome<Value> {
    let mut run = Run::read(item);
    if run.color.is_empty() {
        run.color = "default".to_owned();
    }
    let annotations = run.annotations();
    if let Some(expression) = &run.equation {
        place.at("equation").at("expression").length(expression, 1000)?;
        return Ok(json!({
            "type": "equation", "equation": {"expression": expression}, "annotations": annotations,
            "plain_text": expression, "href": null,
        }));
    }
    let named = run.mention.as_ref().and_then(|mention| mention["custom_emoji"]["name"].as_str());
    if let Some(name) = named.filter(|name| state.emoji(&json!({"name": name})).is_none()) {
        // What no emoji is called is text.
        run = Run { text: Some(format!(":{name}:")), mention: None, ..run.clone() };
    }
    if let Some(mention) = &run.mention {
        let (mention, shown, href) = mentioned(state, mention, place)?;
        return Ok(json!({
            "type": "mention", "mention": mention, "annotations": annotations, "plain_text": shown, "href": href,
        }));
    }
    let Some(text) = run.text() else {
        return Err(place.at("text").missing());
    };
    place.at("text").at("content").length(text, 2000)?;
    if let Some(link) = &run.link {
        link_is_good(link, &place.at("text").at("link").at("url"))?;
    }
    let link = run.link.as_ref().map(|url| json!({"url": url}));
    Ok(json!({
        "type": "text", "text": {"content": text, "link": link}, "annotations": annotations,
        "plain_text": text, "href": run.link,
    }))
}

/// Notion takes absolute addresses of a few schemes. A relative one fails the whole request with
/// "Invalid URL for link." (brittonhayes/notionmd#12).
fn link_is_good(link: &str, place: &Place) -> Outcome<()> {
    place.length(link, 2000)?;
    let relative = link.starts_with('/') && link.len() > 1 && id_in(link).is_some();
    let good = ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| link.starts_with(scheme));
    if good || relative { Ok(()) } else { Err(ApiError::validation("Invalid URL for link.")) }
}

impl State {
    /// The workspace's emoji of this id or name.
    fn emoji(&self, target: &Value) -> Option<Value> {
        let id = target["id"].as_str().and_then(id_in);
        let known = |emoji: &&Value| match &id {
            Some(id) => emoji["id"] == id.as_str(),
            None => emoji["name"] == target["name"],
        };
        let emoji = self.emojis.iter().find(known)?;
        Some(json!({"id": emoji["id"], "name": emoji["name"], "url": emoji["url"]}))
    }

    /// An icon of a request as it is stored: an emoji of the workspace with its name and address
    /// (reference/emoji-and-icon).
    pub(super) fn icon(&self, given: &Value, place: &Place) -> Outcome<Value> {
        let own = &given["custom_emoji"];
        if own.is_null() {
            return Ok(given.clone());
        }
        let emoji = self
            .emoji(own)
            .ok_or_else(|| place.at("custom_emoji").at("id").should("an emoji of the workspace", own))?;
        Ok(json!({"type": "custom_emoji", "custom_emoji": emoji}))
    }
}

/// What a mention shows, and where it leads.
fn mentioned(state: &State, mention: &Value, place: &Place) -> Outcome<(Value, String, Option<String>)> {
    let kind = [
        "user",
        "page",
        "database",
        "data_source",
        "date",
        "custom_emoji",
        "link_preview",
        "template_mention",
    ]
    .into_iter()
    .find(|kind| mention.get(*kind).is_some())
    .ok_or_else(|| place.at("mention").missing())?;
    let target = &mention[kind];
    let id = target["id"].as_str().and_then(id_in);
    Ok(match kind {
        "user" => {
            let user =
                id.and_then(|id| state.user(&id)).ok_or_else(|| place.at("mention").at("user").missing())?;
            let name = user["name"].as_str().unwrap_or("Anonymous");
            (json!({"type": "user", "user": user}), format!("@{name}"), None)
        }
        "date" => {
            let start = target["start"]
                .as_str()
                .ok_or_else(|| place.at("mention").at("date").at("start").missing())?;
            let shown =
                target["end"].as_str().map_or_else(|| start.to_owned(), |end| format!("{start} → {end}"));
            let date = json!({"start": start, "end": target["end"], "time_zone": target["time_zone"]});
            (json!({"type": "date", "date": date}), shown, None)
        }
        "custom_emoji" => {
            let emoji =
                state.emoji(target).ok_or_else(|| place.at("mention").at("custom_emoji").missing())?;
            let shown = format!(":{}:", emoji["name"].as_str().unwrap_or_default());
            (json!({"type": "custom_emoji", "custom_emoji": emoji}), shown, None)
        }
        "link_preview" | "template_mention" => (mention.clone(), String::new(), None),
        kind => {
            let id = id.ok_or_else(|| place.at("mention").at(kind).at("id").missing())?;
            let title = state.nodes.get(&id).map_or_else(|| "Untitled".to_owned(), Node::title);
            (json!({"type": kind, kind: {"id": id}}), title, Some(url_of(&id)))
        }
    })
}
