//! The id of a request that cannot be read as a whole: too long, or with text that is no Unicode. An
//! answer without it would leave the client waiting for ever.

use rmcp::model::RequestId;

/// The longest id that is kept, in bytes of JSON.
const MAX_ID: usize = 256;

/// Looks for the `id` of the outermost object in a message that comes in pieces. It keeps nothing else.
#[derive(Debug, Default)]
pub(super) struct IdScanner {
    /// How many objects and lists are open.
    depth: usize,
    string: bool,
    escaped: bool,
    /// The text of the outermost object that is read now: a key, or the value of `id`.
    text: Vec<u8>,
    /// Whether a value of the outermost object is read, not a key.
    value: bool,
    /// Whether that value is the id's.
    wanted: bool,
    id: Option<Vec<u8>>,
    /// Whether there are several, of which none is to be trusted.
    several: bool,
}

impl IdScanner {
    /// Reads on.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.take(*byte);
        }
    }

    /// The id, if there was one.
    pub(super) fn finish(self) -> Option<RequestId> {
        if self.several {
            return None;
        }
        serde_json::from_slice(self.id?.trim_ascii()).ok()
    }

    fn take(&mut self, byte: u8) {
        if self.string {
            self.keep(byte);
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => {
                self.string = true;
                self.keep(byte);
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                if self.depth == 1 {
                    self.end_of_value();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            b':' if self.depth == 1 => {
                self.wanted = self.text.trim_ascii() == br#""id""#;
                self.value = true;
                self.text.clear();
            }
            b',' if self.depth == 1 => self.end_of_value(),
            _ => self.keep(byte),
        }
    }

    /// A text longer than any id is no id, and no key that matters.
    fn keep(&mut self, byte: u8) {
        if self.depth == 1 && (self.wanted || !self.value) && self.text.len() <= MAX_ID {
            self.text.push(byte);
        }
    }

    fn end_of_value(&mut self) {
        if self.wanted && self.text.len() <= MAX_ID {
            self.several |= self.id.is_some();
            self.id = Some(std::mem::take(&mut self.text));
        }
        self.text.clear();
        (self.value, self.wanted) = (false, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(message: &str) -> Option<RequestId> {
        // Every way to cut the message gives the same.
        let mut whole = IdScanner::default();
        whole.feed(message.as_bytes());
        let mut pieces = IdScanner::default();
        message.as_bytes().chunks(3).for_each(|piece| pieces.feed(piece));
        let id = whole.finish();
        assert_eq!(id, pieces.finish());
        id
    }

    #[test]
    fn only_the_outermost_id_counts_wherever_it_stands() {
        let number = |number| Some(RequestId::Number(number));
        assert_eq!(id(r#"{"jsonrpc":"2.0","id":7,"method":"x","params":{"id":8}}"#), number(7));
        assert_eq!(id(r#"{"params":{"id":8,"a":["id",{"id":9}]},"id" : 7 }"#), number(7));
        assert_eq!(id(r#"{"params":"\",\"id\":3,","id":"a\"b"}"#), Some(RequestId::String("a\"b".into())));
        assert_eq!(id(r#"{"id":5,"params":"\ud800"}"#), number(5));
        for none in [
            r#"{"method":"x"}"#,
            r#"{"id":null}"#,
            r#"{"id":{"a":1}}"#,
            r#"[{"id":1}]"#,
            r#"{"id":1,"id":2}"#,
            "",
            "}}]{\"id",
        ] {
            assert_eq!(id(none), None, "{none}");
        }
        assert_eq!(id(&format!(r#"{{"id":"{}"}}"#, "x".repeat(1_000))), None);
        assert_eq!(id(&format!(r#"{{"{}":1,"id":4}}"#, "x".repeat(1_000))), number(4));
    }
}
