//! Writes that can be recognised in a fake's state, so that a storm of them can be judged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{IdForm, Sample};

/// What every marker begins with, and what no text of a sandbox has.
pub const MARK: &str = "stormq";

/// The marker of this number.
#[must_use]
pub fn marker(number: usize) -> String {
    format!("{MARK}{number:06}")
}

/// A write with a marker of its own: what it leaves in the fake's state, or takes away, has the marker, so that the
/// state tells whether it was carried out, and how often.
#[derive(Clone, Debug)]
pub struct Marked {
    /// The write.
    pub write: Sample,
    /// What it is done to, if that must be made first.
    pub target: Option<Target>,
    /// Where its marker stands.
    pub place: Place,
    /// Whether it takes the marker away instead of leaving it.
    pub removes: bool,
}

/// What a write is done to: made before anything fails.
#[derive(Clone, Debug)]
pub struct Target {
    /// The call that makes it.
    pub made_by: Sample,
    /// How its id looks in that call's reply, and the argument of the write that takes it. None if the write names it
    /// already.
    pub id: Option<(IdForm, &'static str)>,
}

/// Where in a fake's state a marker is looked for.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// In every thing (object) of it: a thing that has the marker in several of its texts counts once.
    Things,
    /// In these texts of it, each time that it stands there: for what is set in a thing that is there already.
    Texts(fn(&Value) -> Vec<String>),
}

impl Marked {
    /// A write that makes one new thing with its marker.
    #[must_use]
    pub fn makes(write: Sample) -> Self {
        Self { write, target: None, place: Place::Things, removes: false }
    }

    /// A write to what `made_by` makes first, whose id looks like `looks` in the reply and is the write's `argument`.
    #[must_use]
    pub fn to(made_by: Sample, looks: IdForm, argument: &'static str, write: Sample) -> Self {
        Self { target: Some(Target { made_by, id: Some((looks, argument)) }), ..Self::makes(write) }
    }

    /// A write to what `made_by` makes first, which the write names itself: by its marker.
    #[must_use]
    pub fn after(made_by: Sample, write: Sample) -> Self {
        Self { target: Some(Target { made_by, id: None }), ..Self::makes(write) }
    }

    /// Its marker stands in these texts of the state, and counts each time.
    #[must_use]
    pub fn in_texts(mut self, texts: fn(&Value) -> Vec<String>) -> Self {
        self.place = Place::Texts(texts);
        self
    }

    /// It takes its marker away: done if it stands nowhere.
    #[must_use]
    pub fn removes(mut self) -> Self {
        self.removes = true;
        self
    }
}

/// How often each marker stands in the places of a state.
#[derive(Debug)]
pub struct Standing {
    state: Value,
    things: BTreeMap<String, usize>,
    texts: BTreeMap<usize, BTreeMap<String, usize>>,
}

impl Standing {
    /// What stands in `state`.
    #[must_use]
    pub fn of(state: Value) -> Self {
        let mut things = BTreeMap::new();
        count_things(&state, &mut things);
        Self { state, things, texts: BTreeMap::new() }
    }

    /// How often `marker` stands in `place`.
    pub fn times(&mut self, place: Place, marker: &str) -> usize {
        let counts = match place {
            Place::Things => &self.things,
            Place::Texts(texts) => self.texts.entry(texts as usize).or_insert_with(|| {
                let mut counts = BTreeMap::new();
                for text in texts(&self.state) {
                    for marker in markers(&text) {
                        *counts.entry(marker.to_owned()).or_default() += 1;
                    }
                }
                counts
            }),
        };
        counts.get(marker).copied().unwrap_or_default()
    }
}

/// The texts under `key` of the objects in a list.
#[must_use]
pub fn texts_of(list: &Value, key: &str) -> Vec<String> {
    let things = list.as_array().into_iter().flatten();
    things.filter_map(|thing| thing[key].as_str().map(str::to_owned)).collect()
}

/// How many things of a state have each marker in a text or name of their own.
fn count_things(state: &Value, there: &mut BTreeMap<String, usize>) {
    match state {
        Value::Array(values) => values.iter().for_each(|value| count_things(value, there)),
        Value::Object(fields) => {
            let texts = fields.values().filter_map(Value::as_str);
            let markers: BTreeSet<_> =
                fields.keys().map(String::as_str).chain(texts).flat_map(markers).collect();
            for marker in markers {
                *there.entry(marker.to_owned()).or_default() += 1;
            }
            fields.values().for_each(|value| count_things(value, there));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The markers in a text.
fn markers(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(MARK).filter_map(|(at, _)| text.get(at..at + MARK.len() + 6))
}
