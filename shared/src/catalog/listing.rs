//! One page of a listing: a row of text for each item, and its data.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

use super::words;

/// Characters of notes and of what was asked in a header, which may quote an argument of any length.
const NOTES: usize = 2_000;

/// One page of a listing: a row of text for each item, with its data for structured content.
pub struct Page {
    /// Where the rows come from, such as `Linear`.
    pub(super) from: &'static str,
    /// What is listed: one, many.
    noun: (&'static str, &'static str),
    pub(super) rows: Vec<String>,
    pub(super) items: Vec<Value>,
    total: Option<usize>,
    notes: Vec<String>,
    /// What was asked for, for a page without rows.
    asked: String,
    /// What to try where there are no rows.
    instead: Option<String>,
    more: bool,
    cursor: Option<CursorAt>,
}

/// Gives the cursor that goes on after so many rows of the page.
type CursorAt = Box<dyn Fn(usize) -> String + Send>;

impl Page {
    /// An empty page of things called `noun` (one, many).
    #[must_use]
    pub fn new(from: &'static str, noun: (&'static str, &'static str)) -> Self {
        Self {
            from,
            noun,
            rows: Vec::new(),
            items: Vec::new(),
            total: None,
            notes: Vec::new(),
            asked: String::new(),
            instead: None,
            more: false,
            cursor: None,
        }
    }

    /// Adds an item: its row, one or more lines, and its data.
    pub fn push(&mut self, row: impl Into<String>, item: &impl Serialize) {
        self.rows.push(row.into());
        self.items.push(serde_json::to_value(item).unwrap_or_default());
    }

    /// Says how many there are in all, where the vendor tells.
    #[must_use]
    pub fn total(mut self, total: usize) -> Self {
        self.total = Some(total);
        self
    }

    /// Adds a few words to the header, such as what was left out by default.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        let note = note.into();
        if !note.is_empty() {
            self.notes.push(note);
        }
        self
    }

    /// Adds several such notes, or none.
    #[must_use]
    pub fn notes(self, notes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        notes.into_iter().fold(self, Self::note)
    }

    /// Says what to try where it has no rows, if that is not to leave an argument out.
    #[must_use]
    pub fn instead(mut self, what: impl Into<String>) -> Self {
        self.instead = Some(what.into());
        self
    }

    /// Says whether the vendor has more after this page, and how to make the cursor that goes on
    /// after the first `n` rows of it (all of them, or fewer where the budget cut).
    #[must_use]
    pub fn cursor(mut self, more: bool, at: impl Fn(usize) -> String + Send + 'static) -> Self {
        self.more = more;
        self.cursor = Some(Box::new(at));
        self
    }

    /// How many rows it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Says, where it has no rows, what was asked for and what to try next.
    pub(super) fn asked_for(&mut self, arguments: &Map<String, Value>, schema: &Map<String, Value>) {
        if self.rows.is_empty() && self.total.is_none_or(|total| total == 0) {
            self.asked = asked(arguments, schema, self.instead.as_deref());
        }
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether one of its own words is what is looked for.
    pub(super) fn says(&self, is_it: impl Fn(&str) -> bool) -> bool {
        self.notes.iter().chain(&self.rows).chain([&self.asked]).any(|text| is_it(text))
    }

    /// The header when the first `kept` rows are shown, and the cursor for the rest.
    pub(super) fn header(&self, kept: usize) -> (String, Option<String>) {
        let cut = kept < self.rows.len();
        let next = (cut || self.more).then(|| self.cursor.as_ref().map(|at| at(kept))).flatten();
        let noun =
            if kept == 1 && self.total.is_none_or(|total| total == 1) { self.noun.0 } else { self.noun.1 };
        let mut header = match (kept, self.total) {
            (0, None | Some(0)) => format!("No {}", self.noun.1),
            (_, Some(total)) if total > kept => format!("{kept} of {total} {noun}"),
            _ => format!("{kept} {noun}"),
        };
        if !self.notes.is_empty() {
            let _ = write!(header, " ({})", words::short(&self.notes.join("; "), NOTES));
        }
        match &next {
            Some(next) if cut => {
                let _ = write!(header, ", cut to fit; the rest: cursor \"{next}\"");
            }
            Some(next) => {
                let _ = write!(header, "; more: cursor \"{next}\"");
            }
            None if cut => {
                let _ = write!(header, ", {} more cut to fit", self.rows.len() - kept);
            }
            None => header.push('.'),
        }
        if !self.asked.is_empty() {
            let _ = write!(header, " {}", words::short(&self.asked, NOTES));
        }
        (header, next)
    }
}

/// Arguments that choose nothing: how much is shown, and how.
const SHOWING: [&str; 9] =
    ["limit", "cursor", "fields", "include", "sort", "order", "offset", "max_chars", "workspace"];
/// Characters of one argument that an empty listing repeats.
const REPEATED: usize = 80;

/// Whether a value leaves nothing out, so that less would be found without it: `state: "all"`, `all: true`,
/// `include_archived: true`.
fn is_widest(name: &str, value: &Value) -> bool {
    match value {
        Value::String(word) => ["all", "any", "*"].contains(&word.as_str()),
        Value::Bool(given) => *given && (name == "all" || name.starts_with("include_")),
        _ => false,
    }
}

/// What a listing was asked for, and what to try where that finds nothing.
fn asked(arguments: &Map<String, Value>, schema: &Map<String, Value>, instead: Option<&str>) -> String {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let said = |value: &Value| match value {
        Value::String(text) => words::short(text, REPEATED),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            words::listed(&items.iter().filter_map(Value::as_str).collect::<Vec<_>>(), 5)
        }
        other => words::short(&other.to_string(), REPEATED),
    };
    let mut told = Vec::new();
    let mut optional = Vec::new();
    for (name, value) in arguments.iter().filter(|(name, _)| !SHOWING.contains(&name.as_str())) {
        told.push(format!("{name} {}", said(value)));
        if !is_required(name)
            && !["repo", "query", "issue"].contains(&name.as_str())
            && !is_widest(name, value)
        {
            optional.push(format!("`{name}`"));
        }
    }
    if told.is_empty() || arguments.contains_key("cursor") {
        return String::new();
    }
    let mut next = Vec::new();
    match optional.as_slice() {
        [] => {}
        [one] => next.push(format!("without {one}")),
        many => next.push(format!("without one of {}", many.join(", "))),
    }
    if arguments.contains_key("query") {
        next.push("with other words".to_owned());
    }
    // Nothing may be the answer, so no more is asked for than what is doubted.
    let next = match instead {
        Some(instead) => format!(". If some should be there, {instead}"),
        None if next.is_empty() => String::new(),
        None => format!(". If some should be there, try it {}", next.join(" or ")),
    };
    format!("Asked for: {}{next}.", told.join(", "))
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page")
            .field("noun", &self.noun.1)
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}
