//! Pages of a list as Relay has them: `nodes`, `edges`, `pageInfo`, `totalCount`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use super::Node;

/// Which part of a list is asked for: the arguments `first`, `after`, `last`, `before`.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// At most so many, from the beginning.
    pub first: Option<usize>,
    /// At most so many, up to the end.
    pub last: Option<usize>,
    /// Only what comes after this cursor.
    pub after: Option<String>,
    /// Only what comes before it.
    pub before: Option<String>,
}

impl Window {
    /// The window that a field's arguments ask for.
    #[must_use]
    pub fn of(args: &Map<String, Value>) -> Self {
        let number =
            |name: &str| args.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let text = |name: &str| args.get(name).and_then(Value::as_str).map(str::to_owned);
        Self { first: number("first"), last: number("last"), after: text("after"), before: text("before") }
    }
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Connection {
    /// What the page has.
    pub nodes: Vec<Node>,
    /// The cursor of each of them.
    pub cursors: Vec<String>,
    /// How many the whole list has.
    pub total: usize,
    /// Whether there are more after the page.
    pub has_next: bool,
    /// Whether there are some before it.
    pub has_previous: bool,
    /// What else the connection has, by field.
    pub extra: Map<String, Value>,
    /// What else its edges have, in their order; may be shorter.
    pub edges: Vec<Map<String, Value>>,
}

impl Connection {
    /// The part of `all` that `window` asks for. A cursor leads to the same node as long as the list has it,
    /// and else to its place; `None` if a cursor is none of ours.
    #[must_use]
    pub fn page(all: Vec<Node>, window: &Window) -> Option<Self> {
        let total = all.len();
        let place = |cursor: &Option<String>| match cursor {
            None => Some(None),
            Some(cursor) => {
                let (place, key) = read(cursor)?;
                let found = all.iter().position(|node| node.key == key);
                Some(Some((found, place)))
            }
        };
        // What the cursor's node was followed by, now that it is gone, stands in its place.
        let start =
            place(&window.after)?.map_or(0, |(found, place)| found.map_or(place, |at| at + 1)).min(total);
        let end = place(&window.before)?.map_or(total, |(found, place)| found.unwrap_or(place)).min(total);
        let (mut start, mut end) = (start, end.max(start));
        if let Some(first) = window.first {
            end = end.min(start.saturating_add(first));
        }
        if let Some(last) = window.last {
            start = start.max(end.saturating_sub(last));
        }
        let nodes: Vec<Node> = all.into_iter().take(end).skip(start).collect();
        let cursors = nodes.iter().enumerate().map(|(at, node)| write(start + at, &node.key)).collect();
        let (has_next, has_previous) = (end < total, start > 0);
        Some(Self { nodes, cursors, total, has_next, has_previous, extra: Map::new(), edges: Vec::new() })
    }

    /// The same with another field: `filteredCount`, `viewerHasReacted`.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(field.to_owned(), value.into());
        self
    }

    /// The cursor before the page's first.
    pub(super) fn start_cursor(&self) -> Value {
        self.cursors.first().map_or(Value::Null, |cursor| Value::from(cursor.as_str()))
    }

    /// The cursor of the page's last.
    pub(super) fn end_cursor(&self) -> Value {
        self.cursors.last().map_or(Value::Null, |cursor| Value::from(cursor.as_str()))
    }
}

fn write(place: usize, key: &Value) -> String {
    BASE64_STANDARD.encode(format!("cursor:v2:{place}:{key}"))
}

fn read(cursor: &str) -> Option<(usize, Value)> {
    let text = String::from_utf8(BASE64_STANDARD.decode(cursor).ok()?).ok()?;
    let (place, key) = text.strip_prefix("cursor:v2:")?.split_once(':')?;
    Some((place.parse().ok()?, serde_json::from_str(key).ok()?))
}
