//! The adapter around a deserializer that gives each visitor what it wants.

use std::{
    cell::{Cell, RefCell},
    fmt,
};

use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Unexpected, Visitor},
    forward_to_deserialize_any,
};
use serde_json::de::SliceRead;

/// A deserializer that takes what comes for what is wanted, where that makes sense.
pub(super) struct Tolerant<'a, D> {
    pub(super) inner: D,
    pub(super) trail: &'a Trail,
}

/// What is known of an answer while it is read.
#[derive(Default)]
pub(super) struct Trail {
    drift: Cell<u32>,
    /// Which entry of each list and map is being read, from the outermost: after an error, the one that it is about.
    place: RefCell<Vec<usize>>,
}

impl Trail {
    /// How much came otherwise than it was wanted.
    pub(super) fn drift(&self) -> u32 {
        self.drift.get()
    }

    /// Where reading ended.
    pub(super) fn into_place(self) -> Vec<usize> {
        self.place.into_inner()
    }

    fn count(&self) {
        self.drift.set(self.drift.get().saturating_add(1));
    }

    fn depth(&self) -> usize {
        self.place.borrow().len()
    }

    /// Reads the entry `at` of what is `depth` lists and maps deep.
    fn entry<T, E>(&self, depth: usize, at: usize, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let mut place = self.place.borrow_mut();
        place.truncate(depth);
        place.push(at);
        drop(place);
        let value = read()?;
        self.place.borrow_mut().truncate(depth);
        Ok(value)
    }
}

/// A deserializer of `null`. JSON's own would have each type, and all that it is made of, compiled a second time, to be
/// read strictly.
pub(super) struct Nothing;

impl<'de> Deserializer<'de> for Nothing {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> serde_json::Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
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
            let Self { inner, trail } = self;
            inner.deserialize_any(Scalar { visitor, trail, wanted: Wanted::$wanted })
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
            let Self { inner, trail } = self;
            inner.deserialize_any($wrapped { visitor, trail })
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
        self.inner.deserialize_option(Maybe { visitor, trail: self.trail })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }
}

/// Hands a scalar to `visitor` as the one it wants.
struct Scalar<'a, V> {
    visitor: V,
    trail: &'a Trail,
    wanted: Wanted,
}

impl<'de, V: Visitor<'de>> Scalar<'_, V> {
    /// What stands in a text, if it is a number or a word for a switch.
    fn read_text<E: serde::de::Error>(self, text: &str) -> Result<V::Value, E> {
        let unreadable = || E::invalid_type(Unexpected::Other("text"), &"a number or a switch");
        self.trail.count();
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
        self.trail.count();
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
                self.trail.count();
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

/// What stands for `null` where a list or fields are wanted: as text, for which each type is compiled anyway.
fn empty<'de>(text: &'de [u8]) -> serde_json::Deserializer<SliceRead<'de>> {
    serde_json::Deserializer::from_slice(text)
}

/// Hands a list to `visitor` without its holes, and `null` as an empty one.
struct List<'a, V> {
    visitor: V,
    trail: &'a Trail,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for List<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        (&mut empty(b"[]")).deserialize_any(self).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(Inside::new(items, self.trail))
    }
}

/// Hands fields to `visitor`, and `null` as none.
struct Fields<'a, V> {
    visitor: V,
    trail: &'a Trail,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Fields<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        (&mut empty(b"{}")).deserialize_any(self).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Inside::new(fields, self.trail))
    }
}

/// Hands on whether there is something.
struct Maybe<'a, V> {
    visitor: V,
    trail: &'a Trail,
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
        self.visitor.visit_some(Tolerant { inner, trail: self.trail })
    }
}

/// What a list or a map holds, read as tolerantly.
struct Inside<'a, A> {
    inner: A,
    trail: &'a Trail,
    depth: usize,
    /// The entry that comes next.
    next: usize,
}

impl<'a, A> Inside<'a, A> {
    fn new(inner: A, trail: &'a Trail) -> Self {
        Self { inner, trail, depth: trail.depth(), next: 0 }
    }

    fn entry<T, E>(&mut self, read: impl FnOnce(&mut A) -> Result<T, E>) -> Result<T, E> {
        let at = self.next;
        self.next += 1;
        self.trail.entry(self.depth, at, || read(&mut self.inner))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Inside<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        let mut seed = seed;
        let trail = self.trail;
        loop {
            match self.entry(|inner| inner.next_element_seed(UnlessHole { seed, trail }))? {
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
        let trail = self.trail;
        self.entry(|inner| inner.next_value_seed(Tolerantly { seed, trail }))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// Reads a value with `seed`, tolerantly.
struct Tolerantly<'a, T> {
    seed: T,
    trail: &'a Trail,
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Tolerantly<'_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T::Value, D::Error> {
        self.seed.deserialize(Tolerant { inner, trail: self.trail })
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
    trail: &'a Trail,
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
        self.seed.deserialize(Tolerant { inner, trail: self.trail }).map(Element::Value)
    }
}
