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

mod adapter;

use serde::de::DeserializeOwned;
use serde_json::Value;

use self::adapter::{Nothing, Tolerant, Trail};

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
        return T::deserialize(Nothing).map(|value| Tolerated { value, drift: 0 });
    }
    let trail = Trail::default();
    match read(text, &trail) {
        Ok(value) => Ok(Tolerated { value, drift: trail.drift() }),
        // What is no JSON stays none; else the parts that cannot be read are found, which takes longer.
        Err(error) => without_unreadable(serde_json::from_slice(text)?).ok_or(error),
    }
}

/// Reads a value of JSON.
///
/// # Errors
/// For what lacks something without which there is no `T`.
pub fn from_value<T: DeserializeOwned>(value: Value) -> serde_json::Result<T> {
    // As text: to read each type in a second way would be much of a server's code.
    let text = serde_json::to_vec(&value)?;
    drop(value);
    from_slice(&text).map(|read| read.value)
}

fn read<T: DeserializeOwned>(text: &[u8], trail: &Trail) -> serde_json::Result<T> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = T::deserialize(Tolerant { inner: &mut json, trail })?;
    json.end()?;
    Ok(value)
}

/// Reads `value` without the parts that cannot be read, if that leaves a `T`.
fn without_unreadable<T: DeserializeOwned>(mut value: Value) -> Option<Tolerated<T>> {
    for dropped in 0..=MOST_DROPPED {
        let trail = Trail::default();
        match read(&serde_json::to_vec(&value).ok()?, &trail) {
            Ok(read) => return Some(Tolerated { value: read, drift: dropped + trail.drift() }),
            Err(_) => drop_part(&mut value, &trail.into_place())?,
        }
    }
    None
}

/// Takes what stands at `place` out of `value`; nothing if that is the whole.
fn drop_part(value: &mut Value, place: &[usize]) -> Option<()> {
    let (last, outer) = place.split_last()?;
    let mut whole = value;
    for at in outer {
        whole = match whole {
            Value::Object(fields) => fields.values_mut().nth(*at)?,
            Value::Array(items) => items.get_mut(*at)?,
            _ => return None,
        };
    }
    match whole {
        Value::Object(fields) => {
            let key = fields.keys().nth(*last)?.clone();
            fields.shift_remove(&key).map(drop)
        }
        Value::Array(items) => (*last < items.len()).then(|| drop(items.remove(*last))),
        _ => None,
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

    #[derive(Debug, Deserialize)]
    struct Wrapped(Option<Row>);

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
        assert!(from_slice::<Vec<Row>>(b"null").is_err(), "no answer at all");
        assert!(from_slice::<Option<Row>>(b" null ").unwrap().value.is_none());
        assert!(from_slice::<Wrapped>(b"null").unwrap().value.0.is_none());
        assert_eq!(from_slice::<Value>(b"null").unwrap().value, Value::Null);
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
