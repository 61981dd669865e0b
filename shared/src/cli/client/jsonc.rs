//! JSON with comments and trailing commas, read with the place of every value, so that it can be
//! changed in its text: a person's comments, order and spacing stay as they are.

use std::ops::Range;

use serde_json::Value;

/// A document and the places of its values.
#[derive(Debug)]
pub(super) struct Document {
    /// The text with blanks for comments and trailing commas: plain JSON, every byte at its place.
    plain: String,
    /// Where comments are.
    pub(super) comments: Vec<Range<usize>>,
    /// Where trailing commas are.
    pub(super) trailing_commas: Vec<usize>,
    /// The outermost value.
    pub(super) root: Node,
}

/// A value's place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    /// The members of an object, by key; the items of a list, without.
    pub(super) children: Vec<(Option<String>, Node)>,
}

impl Node {
    /// The members called `key`.
    pub(super) fn members<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |(name, _)| name.as_deref() == Some(key)).map(|(_, node)| node)
    }
}

impl Document {
    /// Reads `text`, which may begin with a byte order mark.
    ///
    /// # Errors
    /// Says what is wrong, with line and column.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut blanked = blank(text);
        let start = if text.starts_with('\u{feff}') {
            blanked.bytes[..3].fill(b' ');
            3
        } else {
            0
        };
        let Ok(plain) = String::from_utf8(blanked.bytes) else {
            return Err("it is not UTF-8".to_owned());
        };
        serde_json::from_str::<Value>(&plain).map_err(|error| format!("it is no JSON: {error}"))?;
        let mut scanner = Scanner { text: plain.as_bytes(), at: start };
        let root = scanner.value();
        Ok(Self { comments: blanked.comments, trailing_commas: blanked.trailing_commas, root, plain })
    }

    /// The value at `node`.
    pub(super) fn value(&self, node: &Node) -> Value {
        // Its text is a part of a document that was read as JSON.
        serde_json::from_str(&self.plain[node.span.clone()]).unwrap_or_default()
    }

    /// Whether there is a comment inside `node`.
    pub(super) fn has_comment_in(&self, node: &Node) -> bool {
        self.comments.iter().any(|comment| node.span.contains(&comment.start))
    }

    /// Whether a trailing comma follows the last child of `node`.
    pub(super) fn ends_with_comma(&self, node: &Node) -> bool {
        let from = node.children.last().map_or(node.span.start, |(_, last)| last.span.end);
        self.trailing_commas.iter().any(|at| (from..node.span.end).contains(at))
    }
}

struct Blanked {
    bytes: Vec<u8>,
    comments: Vec<Range<usize>>,
    trailing_commas: Vec<usize>,
}

/// Replaces comments and trailing commas by blanks; line ends stay, so that places do too.
fn blank(text: &str) -> Blanked {
    let source = text.as_bytes();
    let mut out = Blanked { bytes: source.to_vec(), comments: Vec::new(), trailing_commas: Vec::new() };
    let mut comma = None;
    let mut at = 0;
    while let Some(byte) = source.get(at) {
        let end = match (byte, source.get(at + 1)) {
            (b'"', _) => {
                comma = None;
                at = end_of_string(source, at);
                continue;
            }
            (b'/', Some(b'/')) => {
                source[at..].iter().position(|byte| *byte == b'\n').map_or(source.len(), |len| at + len)
            }
            (b'/', Some(b'*')) => match source[at + 2..].windows(2).position(|pair| pair == b"*/") {
                Some(len) => at + 2 + len + 2,
                None => return out,
            },
            (b',', _) => {
                comma = Some(at);
                at += 1;
                continue;
            }
            (b'}' | b']', _) => {
                if let Some(comma) = comma.take() {
                    out.bytes[comma] = b' ';
                    out.trailing_commas.push(comma);
                }
                at += 1;
                continue;
            }
            (byte, _) => {
                if !byte.is_ascii_whitespace() {
                    comma = None;
                }
                at += 1;
                continue;
            }
        };
        out.comments.push(at..end);
        out.bytes[at..end]
            .iter_mut()
            .filter(|byte| !matches!(byte, b'\n' | b'\r'))
            .for_each(|byte| *byte = b' ');
        at = end;
    }
    out
}

/// The place after the string that begins at `at`.
fn end_of_string(source: &[u8], mut at: usize) -> usize {
    at += 1;
    while let Some(byte) = source.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    source.len()
}

/// Finds the places of values in a text that is known to be JSON.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&mut self) -> u8 {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied().unwrap_or_default()
    }

    fn value(&mut self) -> Node {
        let first = self.peek();
        let start = self.at;
        let mut children = Vec::new();
        match first {
            b'{' | b'[' => {
                let close = if first == b'{' { b'}' } else { b']' };
                self.at += 1;
                loop {
                    match self.peek() {
                        b',' => self.at += 1,
                        0 => break,
                        byte if byte == close => {
                            self.at += 1;
                            break;
                        }
                        _ if first == b'{' => {
                            let key = self.key();
                            let value = self.value();
                            children.push((Some(key), value));
                        }
                        _ => children.push((None, self.value())),
                    }
                }
            }
            b'"' => self.at = end_of_string(self.text, self.at),
            _ => {
                let rest = &self.text[self.at..];
                let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'}' | b']');
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
            }
        }
        Node { span: start..self.at, children }
    }

    /// A member's key, and past its colon.
    fn key(&mut self) -> String {
        let start = self.at;
        self.at = end_of_string(self.text, start);
        let key = serde_json::from_slice(&self.text[start..self.at]).unwrap_or_default();
        if self.peek() == b':' {
            self.at += 1;
        }
        key
    }
}
