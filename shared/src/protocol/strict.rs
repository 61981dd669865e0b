//! A stricter look at a message before it is parsed: readers of JSON disagree about repeated keys,
//! and what one part of a system checked must be what another part does.

use std::{collections::HashSet, fmt};

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Why a message is not even looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not JSON, or nested too deeply.
    NotJson,
    /// It is an array: several messages in one, which the protocol no longer knows.
    Batch,
    /// Some object in it has a key twice.
    RepeatedKey,
}

impl Fault {
    /// The JSON-RPC error for it.
    pub(crate) fn error(self) -> rmcp::ErrorData {
        match self {
            Self::NotJson => rmcp::ErrorData::parse_error("The message is not valid JSON", None),
            Self::Batch => rmcp::ErrorData::invalid_request(
                "Send one message at a time: batches are not supported",
                None,
            ),
            Self::RepeatedKey => {
                rmcp::ErrorData::invalid_request("An object in the message has a key twice", None)
            }
        }
    }
}

/// Looks at a message without keeping anything of it.
pub(crate) fn check(message: &[u8]) -> Result<(), Fault> {
    let mut faults = Faults::default();
    let mut reader = serde_json::Deserializer::from_slice(message);
    let read = Look(&mut faults).deserialize(&mut reader).and_then(|()| reader.end());
    if faults.repeated {
        Err(Fault::RepeatedKey)
    } else if read.is_err() {
        Err(Fault::NotJson)
    } else if message.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        Err(Fault::Batch)
    } else {
        Ok(())
    }
}

#[derive(Default)]
struct Faults {
    repeated: bool,
}

/// Walks through one value.
struct Look<'a>(&'a mut Faults);

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Look(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(Key(key)) = entries.next_key()? {
            if !seen.insert(key) {
                self.0.repeated = true;
                return Err(de::Error::custom("repeated key"));
            }
            entries.next_value_seed(Look(&mut *self.0))?;
        }
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
#[derive(PartialEq, Eq, Hash)]
struct Key<'de>(std::borrow::Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(text.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(text.to_owned().into()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_object_without_repeated_keys() {
        for (message, expected) in [
            (r#"{"a":[{"b":1.5},null,"x",true,-3]}"#, Ok(())),
            (r#"{"a":1,"b":{"a":2}}"#, Ok(())),
            (r#"{"name":"read","name":"delete"}"#, Err(Fault::RepeatedKey)),
            (r#"{"x":{"n":1,"\u006e":2}}"#, Err(Fault::RepeatedKey)),
            (r#" [{"a":1}]"#, Err(Fault::Batch)),
            (r#"{"a":1"#, Err(Fault::NotJson)),
            (r#"{"a":1} {"b":2}"#, Err(Fault::NotJson)),
            ("\u{1}\u{2}", Err(Fault::NotJson)),
        ] {
            assert_eq!(check(message.as_bytes()), expected, "{message}");
        }
    }

    #[test]
    fn deep_nesting_ends_early_instead_of_using_up_the_stack() {
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert_eq!(check(deep.as_bytes()), Err(Fault::NotJson));
        assert_eq!(check(b"{\"a\":\"\xff\xfe\"}"), Err(Fault::NotJson));
    }
}
