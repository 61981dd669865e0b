//! `multipart/form-data` (RFC 7578), read whole.

use bytes::Bytes;

/// One part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormPart {
    /// The field's name.
    pub name: String,
    /// The file's name, if it is one.
    pub filename: Option<String>,
    /// Its media type, if it says one.
    pub content_type: Option<String>,
    /// What is in it.
    pub bytes: Bytes,
}

/// The parts of `body`, whose header says `content_type`.
pub(super) fn parts(content_type: &str, body: &Bytes) -> Option<Vec<FormPart>> {
    if !content_type.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
        return None;
    }
    let delimiter = format!("\r\n--{}", parameter(content_type, "boundary")?).into_bytes();
    // The first delimiter needs no line break before it, so the two bytes that stand for one are left out.
    let mut at =
        if body.starts_with(&delimiter[2..]) { delimiter.len() - 2 } else { after(body, 0, &delimiter)? };
    let mut parts = Vec::new();
    loop {
        if body[at..].starts_with(b"--") {
            return Some(parts);
        }
        let head = after(body, at, b"\r\n")?;
        // A part without any header has its empty line at once.
        let content =
            if body[head..].starts_with(b"\r\n") { head + 2 } else { after(body, head, b"\r\n\r\n")? };
        let next = after(body, content - 2, &delimiter)?;
        parts.push(part(&body[head..content], body.slice(content..(next - delimiter.len()).max(content)))?);
        at = next;
    }
}

/// Where `body` goes on after the first `mark` at or behind `from`.
fn after(body: &[u8], from: usize, mark: &[u8]) -> Option<usize> {
    let found = body.get(from..)?.windows(mark.len()).position(|window| window == mark)?;
    Some(from + found + mark.len())
}

fn part(head: &[u8], bytes: Bytes) -> Option<FormPart> {
    let head = String::from_utf8_lossy(head);
    let value = |wanted: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let disposition = value("content-disposition")?;
    Some(FormPart {
        name: parameter(disposition, "name")?,
        filename: parameter(disposition, "filename"),
        content_type: value("content-type").map(str::to_owned),
        bytes,
    })
}

/// A parameter of a header: `form-data; name="file"`.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, more)) = rest.split_once(';') {
        let (name, value) = more.split_once('=')?;
        let value = value.trim_start();
        let (value, left) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.trim_end().to_owned());
        }
        rest = left;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/form-data; boundary=\"a-1\"";

    fn read(body: &'static str) -> Option<Vec<FormPart>> {
        parts(KIND, &Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn parts_are_taken_to_the_byte() {
        let read = read(
            "--a-1\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n\
             --a-1\r\ncontent-type: text/csv\r\ncontent-disposition: form-data; name=file; filename=\"a;b.csv\"\r\n\r\n\
             x\r\n--a\r\n\r\n--a-1\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--a-1--\r\n",
        );
        let read = read.unwrap();
        assert_eq!((read[0].name.as_str(), &read[0].bytes[..]), ("note", &b"hello"[..]));
        assert_eq!(read[1].filename.as_deref(), Some("a;b.csv"));
        assert_eq!(read[1].content_type.as_deref(), Some("text/csv"));
        assert_eq!(read[1].bytes, "x\r\n--a\r\n", "what only looks like a delimiter belongs to the file");
        assert!(read[2].bytes.is_empty() && read.len() == 3);
    }

    #[test]
    fn what_is_broken_is_none() {
        assert_eq!(read("--a-1\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello"), None, "cut");
        assert_eq!(read("hello"), None);
        assert_eq!(parts("application/json", &Bytes::new()), None);
        assert_eq!(parts("multipart/form-data", &Bytes::new()), None, "no boundary");
        assert_eq!(read("--a-1--\r\n"), Some(Vec::new()));
    }
}
