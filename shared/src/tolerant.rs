//! Reads answers and forgives what an API may change without notice: `null` for a text, a number that
//! comes as text, a list with holes in it, a part that cannot be read at all.
//!
//! One adapter around serde's deserializer does it for every type: structs say `#[serde(default)]` and
//! nothing else. What is wanted decides how what came is taken:
//!
//! | wanted       | `null`  | text              | number          | `true`, `false` | other   |
//! |--------------|---------|-------------------|-----------------|-----------------|---------|
//! | text         | empty   | as it is          | its digits      | the word *      | dropped |
//! | number       | 0       | the number in it* | as it is        | dropped         | dropped |
//! | switch       | `false` | the word in it *  | 0 and 1 *       | as it is        | dropped |
//! | list         | empty   | dropped           | dropped         | dropped         | without its holes |
//! | struct, map  | default | dropped           | dropped         | dropped         | as it is |
//! | `Option` of it | none  | as above          | as above        | as above        | as above |
//!
//! What is marked * or dropped is drift and is counted. Digits for a text are none: ids are numbers at
//! many vendors and texts here. What is dropped is taken for absent: its field has its default, an entry
//! of a list is left out. If there is no default the whole that it is part of is dropped, at last the
//! answer, which is then the error that a strict reader finds.

use std::{cell::Cell, fmt};

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Unexpected, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
};
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

/// The most parts of one answer that are dropped before it is refused as a whole.
const MOST_DROPPED: u32 = 64;

/// What was read, and in how many places it was not what was wanted.
#[derive(Debug)]
pub struct Tolerated<T> {
    /// What was read.
    pub value: T,
    /// The places that were read as something else, or dropped.
    pub drift: u32,
}

/// Reads JSON text.
///
/// # Errors
/// For what is no JSON, and for what lacks something without which there is no `T`.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<Tolerated<T>> {
    if text.trim_ascii() == b"null" {
        // An answer that is nothing as a whole is an answer only for who can do with nothing.
        return serde_json::from_slice(text).map(|value| Tolerated { value, drift: 0 });
    }
    let drift = Cell::new(0);
    let mut json = serde_json::Deserializer::from_slice(text);
    match T::deserialize(Tolerant { inner: &mut json, drift: &drift }) {
        Ok(value) => {
            json.end()?;
            Ok(Tolerated { value, drift: drift.get() })
        }
        // What is no JSON stays none; else the parts that cannot be read are found, which takes longer.
        Err(error) => without_unreadable(serde_json::from_slice(text)?).ok_or(error),
    }
}

/// Reads a value of JSON.
///
/// # Errors
/// For what lacks something without which there is no `T`.
pub fn from_value<T: DeserializeOwned>(value: Value) -> serde_json::Result<T> {
    match T::deserialize(Tolerant { inner: &value, drift: &Cell::new(0) }) {
        Ok(read) => Ok(read),
        Err(error) => without_unreadable(value).map(|read| read.value).ok_or(error),
    }
}

/// Reads `value` without the parts that cannot be read, if that leaves a `T`.
fn without_unreadable<T: DeserializeOwned>(mut value: Value) -> Option<Tolerated<T>> {
    // Holes are passed over, so that places are counted without them.
    fill_holes(&mut value);
    for dropped in 0..=MOST_DROPPED {
        let drift = Cell::new(dropped);
        match serde_path_to_error::deserialize(Tolerant { inner: &value, drift: &drift }) {
            Ok(read) => return Some(Tolerated { value: read, drift: drift.get() }),
            Err(error) => drop_part(&mut value, error.path())?,
        }
    }
    None
}

fn fill_holes(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(fill_holes);
        }
        Value::Object(fields) => fields.values_mut().for_each(fill_holes),
        _ => {}
    }
}

/// Takes what stands at `path` out of `value`; nothing if that is the whole.
fn drop_part(value: &mut Value, path: &Path) -> Option<()> {
    let mut place = value;
    let mut steps =
        path.iter().take_while(|step| matches!(step, Segment::Seq { .. } | Segment::Map { .. })).peekable();
    while let Some(step) = steps.next() {
        let last = steps.peek().is_none();
        place = match (step, place) {
            (Segment::Map { key }, Value::Object(fields)) if last => return fields.remove(key).map(drop),
            (Segment::Map { key }, Value::Object(fields)) => fields.get_mut(key)?,
            (Segment::Seq { index }, Value::Array(items)) if last => {
                return (*index < items.len()).then(|| drop(items.remove(*index)));
            }
            (Segment::Seq { index }, Value::Array(items)) => items.get_mut(*index)?,
            _ => return None,
        };
    }
    None
}

/// A deserializer that takes what comes for what is wanted, where that makes sense.
struct Tolerant<'a, D> {
    inner: D,
    drift: &'a Cell<u32>,
}

/// A scalar that is wanted.
#[derive(Clone, Copy)]
enum Wanted {
    Text,
    Whole,
    Number,
    Switch,
}

macro_rules! wanted {
    ($($method:ident: $wanted:ident),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let Self { inner, drift } = self;
            inner.deserialize_any(Scalar { visitor, drift, wanted: Wanted::$wanted })
        }
    )+};
}

macro_rules! as_it_is {
    ($($method:ident($($name:ident: $kind:ty),*)),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method($($name,)* visitor)
        }
    )+};
}

macro_rules! whole {
    ($($method:ident($($name:ident: $kind:ty),*): $wrapped:ident),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            $(let _ = $name;)*
            let Self { inner, drift } = self;
            inner.deserialize_any($wrapped { visitor, drift })
        }
    )+};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Tolerant<'_, D> {
    type Error = D::Error;

    wanted! {
        deserialize_bool: Switch,
        deserialize_i8: Whole,
        deserialize_i16: Whole,
        deserialize_i32: Whole,
        deserialize_i64: Whole,
        deserialize_i128: Whole,
        deserialize_u8: Whole,
        deserialize_u16: Whole,
        deserialize_u32: Whole,
        deserialize_u64: Whole,
        deserialize_u128: Whole,
        deserialize_f32: Number,
        deserialize_f64: Number,
        deserialize_str: Text,
        deserialize_string: Text,
    }

    whole! {
        deserialize_seq(): List,
        deserialize_map(): Fields,
        deserialize_struct(name: &'static str, fields: &'static [&'static str]): Fields,
    }

    as_it_is! {
        deserialize_any(),
        deserialize_ignored_any(),
        deserialize_identifier(),
        deserialize_char(),
        deserialize_bytes(),
        deserialize_byte_buf(),
        deserialize_unit(),
        deserialize_unit_struct(name: &'static str),
        deserialize_tuple(len: usize),
        deserialize_tuple_struct(name: &'static str, len: usize),
        deserialize_enum(name: &'static str, variants: &'static [&'static str]),
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_option(Maybe { visitor, drift: self.drift })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }
}

fn count(drift: &Cell<u32>) {
    drift.set(drift.get().saturating_add(1));
}

/// Hands a scalar to `visitor` as the one it wants.
struct Scalar<'a, V> {
    visitor: V,
    drift: &'a Cell<u32>,
    wanted: Wanted,
}

impl<'de, V: Visitor<'de>> Scalar<'_, V> {
    /// What stands in a text, if it is a number or a word for a switch.
    fn read_text<E: serde::de::Error>(self, text: &str) -> Result<V::Value, E> {
        let unreadable = || E::invalid_type(Unexpected::Other("text"), &"a number or a switch");
        count(self.drift);
        let text = text.trim();
        match self.wanted {
            Wanted::Switch => match text {
                "true" => self.visitor.visit_bool(true),
                "false" => self.visitor.visit_bool(false),
                _ => Err(unreadable()),
            },
            _ => match (text.parse::<u64>(), text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(number), ..) => self.visitor.visit_u64(number),
                (_, Ok(number), _) => self.visitor.visit_i64(number),
                (.., Ok(number)) if number.is_finite() => number_to(self.visitor, self.wanted, number),
                _ => Err(unreadable()),
            },
        }
    }

    /// 0 or 1 for a switch.
    fn read_number<E: serde::de::Error>(self, number: f64) -> Result<V::Value, E> {
        count(self.drift);
        match number {
            0.0 => self.visitor.visit_bool(false),
            1.0 => self.visitor.visit_bool(true),
            _ => Err(E::invalid_type(Unexpected::Float(number), &"a switch")),
        }
    }
}

fn number_to<'de, V: Visitor<'de>, E: serde::de::Error>(
    visitor: V,
    wanted: Wanted,
    number: f64,
) -> Result<V::Value, E> {
    match wanted {
        // A cast of a float stops at the ends of the type.
        Wanted::Whole if number < 0.0 => visitor.visit_i64(number as i64),
        Wanted::Whole => visitor.visit_u64(number as u64),
        _ => visitor.visit_f64(number),
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Scalar<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Text => self.visitor.visit_str(""),
            Wanted::Whole => self.visitor.visit_u64(0),
            Wanted::Number => self.visitor.visit_f64(0.0),
            Wanted::Switch => self.visitor.visit_bool(false),
        }
    }

    fn visit_bool<E: serde::de::Error>(self, on: bool) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Switch => self.visitor.visit_bool(on),
            Wanted::Text => {
                count(self.drift);
                self.visitor.visit_str(if on { "true" } else { "false" })
            }
            Wanted::Whole | Wanted::Number => Err(E::invalid_type(Unexpected::Bool(on), &"a number")),
        }
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Text => self.visitor.visit_string(number.to_string()),
            Wanted::Whole | Wanted::Number => self.visitor.visit_u64(number),
            Wanted::Switch => self.read_number(number as f64),
        }
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Text => self.visitor.visit_string(number.to_string()),
            Wanted::Whole | Wanted::Number => self.visitor.visit_i64(number),
            Wanted::Switch => self.read_number(number as f64),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Text => self.visitor.visit_string(number.to_string()),
            Wanted::Whole | Wanted::Number => number_to(self.visitor, self.wanted, number),
            Wanted::Switch => self.read_number(number),
        }
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Text => self.visitor.visit_str(text),
            _ => self.read_text(text),
        }
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Text => self.visitor.visit_borrowed_str(text),
            _ => self.read_text(text),
        }
    }
}

/// Hands a list to `visitor` without its holes, and `null` as an empty one.
struct List<'a, V> {
    visitor: V,
    drift: &'a Cell<u32>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for List<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<()>()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(Inside { inner: items, drift: self.drift })
    }
}

/// Hands fields to `visitor`, and `null` as none.
struct Fields<'a, V> {
    visitor: V,
    drift: &'a Cell<u32>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Fields<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_map(MapDeserializer::new(std::iter::empty::<((), ())>()))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Inside { inner: fields, drift: self.drift })
    }
}

/// Hands on whether there is something.
struct Maybe<'a, V> {
    visitor: V,
    drift: &'a Cell<u32>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Maybe<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Tolerant { inner, drift: self.drift })
    }
}

/// What a list or a map holds, read as tolerantly.
struct Inside<'a, A> {
    inner: A,
    drift: &'a Cell<u32>,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Inside<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        let mut seed = seed;
        loop {
            match self.inner.next_element_seed(UnlessHole { seed, drift: self.drift })? {
                None => return Ok(None),
                Some(Element::Value(value)) => return Ok(Some(value)),
                Some(Element::Hole(unused)) => seed = unused,
            }
        }
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Inside<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.inner.next_key_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.next_value_seed(Tolerantly { seed, drift: self.drift })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// Reads a value with `seed`, tolerantly.
struct Tolerantly<'a, T> {
    seed: T,
    drift: &'a Cell<u32>,
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Tolerantly<'_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T::Value, D::Error> {
        self.seed.deserialize(Tolerant { inner, drift: self.drift })
    }
}

/// An entry of a list.
enum Element<T, S> {
    Value(T),
    /// `null`, and the seed that was not needed.
    Hole(S),
}

/// Reads an entry of a list with `seed`, unless it is `null`.
struct UnlessHole<'a, T> {
    seed: T,
    drift: &'a Cell<u32>,
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for UnlessHole<'_, T> {
    type Value = Element<T::Value, T>;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        inner.deserialize_option(self)
    }
}

impl<'de, T: DeserializeSeed<'de>> Visitor<'de> for UnlessHole<'_, T> {
    type Value = Element<T::Value, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry of a list")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(Element::Hole(self.seed))
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(Element::Hole(self.seed))
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        self.seed.deserialize(Tolerant { inner, drift: self.drift }).map(Element::Value)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Level {
        Low,
        High,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase", default)]
    struct Row {
        id: String,
        priority: Option<f64>,
        count: u64,
        on: bool,
        level: Option<Level>,
        labels: Vec<String>,
        parent: Option<Box<Row>>,
        owner: Owner,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Owner {
        name: String,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Strict {
        id: String,
        rows: Vec<Row>,
    }

    fn read(value: Value) -> (Row, u32) {
        let text = value.to_string();
        let Tolerated { value: row, drift } = from_slice(text.as_bytes()).unwrap();
        assert_eq!(row, from_value(value).unwrap(), "both ways read the same");
        (row, drift)
    }

    #[test]
    fn null_and_absent_are_the_default_and_no_drift() {
        let nothing = json!({"id": null, "priority": null, "count": null, "on": null, "level": null,
            "labels": null, "parent": null, "owner": null});
        assert_eq!(read(nothing), (Row::default(), 0));
        assert_eq!(read(json!({})), (Row::default(), 0));
        assert!(from_slice::<Row>(b"null").is_err(), "no answer at all");
        assert!(from_slice::<Option<Row>>(b"null").unwrap().value.is_none());
    }

    #[test]
    fn a_value_of_another_type_is_taken_for_what_is_wanted_and_counted() {
        for (given, expected, drift) in [
            (json!({"id": 7}), Row { id: "7".to_owned(), ..Row::default() }, 0),
            (json!({"id": true}), Row { id: "true".to_owned(), ..Row::default() }, 1),
            (json!({"priority": "2"}), Row { priority: Some(2.0), ..Row::default() }, 1),
            (json!({"priority": 2}), Row { priority: Some(2.0), ..Row::default() }, 0),
            (json!({"count": "12"}), Row { count: 12, ..Row::default() }, 1),
            (json!({"count": 12.0}), Row { count: 12, ..Row::default() }, 0),
            (json!({"on": "true"}), Row { on: true, ..Row::default() }, 1),
            (json!({"on": 1}), Row { on: true, ..Row::default() }, 1),
            (
                json!({"labels": [null, "a", null, 5]}),
                Row { labels: vec!["a".into(), "5".into()], ..Row::default() },
                0,
            ),
            (
                json!({"parent": {"count": "3"}}),
                Row { parent: Some(Box::new(Row { count: 3, ..Row::default() })), ..Row::default() },
                1,
            ),
        ] {
            assert_eq!(read(given.clone()), (expected, drift), "{given}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_absent_and_counted() {
        for given in [
            json!({"id": {"a": 1}}),
            json!({"priority": "urgent"}),
            json!({"priority": []}),
            json!({"count": -1}),
            json!({"level": "middling"}),
            json!({"labels": "a"}),
            json!({"labels": [{"name": "a"}]}),
            json!({"owner": "me"}),
            json!({"owner": {"name": [1]}}),
        ] {
            assert_eq!(read(given.clone()), (Row::default(), 1), "{given}");
        }
        let (row, drift) =
            read(json!({"level": "high", "labels": [null, {"x": 1}, "b"], "count": "many", "on": "yes"}));
        assert_eq!(
            (row.level, row.labels, row.count, drift),
            (Some(Level::High), vec!["b".to_owned()], 0, 3)
        );
    }

    #[test]
    fn without_what_is_needed_there_is_no_answer() {
        let read = |text: &str| from_slice::<Strict>(text.as_bytes());
        assert!(read(r#"{"rows": []}"#).is_err());
        assert!(read(r#"{"id": "a", "rows": [{"id": "b"}"#).is_err(), "cut off");
        assert!(read(r#"{"id": "a", "rows": []} trailing"#).is_err());
        assert!(read("").is_err());
        let read = read(r#"{"id": "a", "rows": [1, {"id": "b"}]}"#).unwrap();
        assert_eq!((read.value.rows.len(), read.drift), (1, 1));
        let many = json!({"id": "a", "rows": vec![json!(1); 100]}).to_string();
        assert!(from_slice::<Strict>(many.as_bytes()).is_err(), "that is no drift any more");
    }

    #[test]
    fn what_wants_anything_gets_it_as_it_came() {
        let value = json!({"a": [null, 1], "b": null});
        assert_eq!(from_slice::<Value>(value.to_string().as_bytes()).unwrap().value, value);
    }
}
