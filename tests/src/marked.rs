//! Writes that can be recognised in a fake's state, so that a storm of them can be judged.

use std::collections::{BTreeMap, BTreeSet};

use connector::{
    Connector,
    testing::{Sample, Sandboxed},
};
use serde_json::Value;

use crate::IdForm;

/// What every marker begins with, and what no text of a sandbox has.
pub const MARK: &str = "stormq";

/// The marker of this number.
#[must_use]
pub fn marker(number: usize) -> String {
    format!("{MARK}{number:06}")
}

/// What stands in the arguments of a write for the id of its target, the one that was given last.
pub const THE_ID: &str = "{id}";
/// What stands there for the id that was given first, where two are needed.
pub const FIRST_ID: &str = "{first}";

/// A write with a marker of its own: what it leaves in the fake's state, or takes away, has the marker, so that the
/// state tells whether it was carried out, and how often.
#[derive(Clone, Debug)]
pub struct Marked {
    /// The write, in which [`THE_ID`] stands for the id of its target.
    pub write: Sample,
    /// What makes its target, while nothing fails.
    pub steps: Vec<Step>,
    /// Where its marker stands.
    pub place: Place,
    /// Whether it takes the marker away instead of leaving it.
    pub removes: bool,
    /// The guard against lost updates that it takes: the argument, and where its value is from.
    pub guard: Option<(&'static str, Guard)>,
}

/// Where the value of a guard against lost updates is from.
#[derive(Clone, Debug)]
pub enum Guard {
    /// The fake's state, given the id of the target, or its marker if it has none.
    State(fn(&Value, &str) -> Option<String>),
    /// The reply to a call, and how it looks there.
    Told(Sample, IdForm),
}

/// A call that makes what a write is done to, or makes it ready.
#[derive(Clone, Debug)]
pub struct Step {
    /// The call, in which [`THE_ID`] stands for the id that a step before it gave.
    pub call: Sample,
    /// How the id of the target looks in its reply. None if it gives none.
    pub gives: Option<IdForm>,
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
        Self { write, steps: Vec::new(), place: Place::Things, removes: false, guard: None }
    }

    /// A write to what `made_by` makes first, whose id looks like `looks` in the reply and is the write's `argument`.
    #[must_use]
    pub fn to(made_by: Sample, looks: IdForm, argument: &'static str, write: Sample) -> Self {
        Self::makes(write.with(argument, THE_ID)).step(made_by, Some(looks))
    }

    /// A write to what `made_by` makes first, which the write names itself: by its marker.
    #[must_use]
    pub fn after(made_by: Sample, write: Sample) -> Self {
        Self::makes(write).step(made_by, None)
    }

    /// One more call before the write, after those that there are, and how the id of the target looks in its reply.
    #[must_use]
    pub fn step(mut self, call: Sample, gives: Option<IdForm>) -> Self {
        self.steps.push(Step { call, gives });
        self
    }

    /// It takes this guard against lost updates, of this value.
    #[must_use]
    pub fn guarded(mut self, argument: &'static str, value: fn(&Value, &str) -> Option<String>) -> Self {
        self.guard = Some((argument, Guard::State(value)));
        self
    }

    /// It takes this guard against lost updates, of the value that looks like `looks` in the reply to `read`.
    #[must_use]
    pub fn guarded_as_told(mut self, argument: &'static str, read: Sample, looks: IdForm) -> Self {
        self.guard = Some((argument, Guard::Told(read, looks)));
        self
    }

    /// Makes what it is done to, and gives the ids that it got.
    ///
    /// # Panics
    /// If a step fails, or gives no id where it should.
    pub async fn prepare<S: Connector>(&mut self, sandboxed: &Sandboxed<S>) -> Vec<String> {
        let mut ids = Vec::new();
        for Step { call, gives } in &self.steps {
            let text = sandboxed.call(&with_ids(call, &ids)).await.text;
            if let Some(looks) = gives {
                ids.push(looks.find(&text).unwrap_or_else(|| panic!("{call:?}: no {looks:?} in {text}")));
            }
        }
        self.write = with_ids(&self.write, &ids);
        ids
    }

    /// The same with its guard against lost updates, as it is now; none if it takes none.
    ///
    /// # Panics
    /// If its value is not where it should be.
    pub async fn guarded_now<S: Connector>(
        &self,
        sandboxed: &Sandboxed<S>,
        ids: &[String],
    ) -> Option<Sample> {
        let (argument, guard) = self.guard.as_ref()?;
        let value = match guard {
            Guard::State(value) => {
                let target = ids.last().cloned().unwrap_or_else(|| marker(0));
                value(&sandboxed.dump(), &target)
            }
            Guard::Told(read, looks) => looks.find(&sandboxed.call(&with_ids(read, ids)).await.text),
        };
        let value = value.unwrap_or_else(|| panic!("{:?}: no value for {argument}", self.write));
        Some(self.write.clone().with(argument, value))
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

/// A call with the ids of its target, wherever [`THE_ID`] and [`FIRST_ID`] stand for them.
#[must_use]
pub fn with_ids(call: &Sample, ids: &[String]) -> Sample {
    fn fill(value: &mut Value, first: &str, last: &str) {
        match value {
            Value::String(text) => *text = text.replace(FIRST_ID, first).replace(THE_ID, last),
            Value::Array(values) => values.iter_mut().for_each(|value| fill(value, first, last)),
            Value::Object(fields) => fields.values_mut().for_each(|value| fill(value, first, last)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut call = call.clone();
    if let (Some(first), Some(last)) = (ids.first(), ids.last()) {
        call.arguments.values_mut().for_each(|value| fill(value, first, last));
    }
    call
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
