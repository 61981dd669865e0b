//! Keys under which this server seals what a client carries for it: cursors, confirmations, questions.
//!
//! Without a file they are made at the start and die with the process. Replicas that share a file open what
//! another of them has sealed.

use std::{fmt, fs, io, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// Bytes of a key.
const LENGTH: usize = 32;

/// The keys of one server, the newest first. Cheap to clone.
#[derive(Clone)]
pub struct KeyRing(Arc<[[u8; LENGTH]]>);

/// Why a file of keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// A line is no key. The line itself is not shown.
    #[error(
        "line {0} is no key: write the base64 of 32 random bytes, such as `openssl rand -base64 32` makes"
    )]
    Line(usize),
    /// There is no key in it.
    #[error("it has no key: add a line with the base64 of 32 random bytes")]
    Empty,
}

impl Default for KeyRing {
    fn default() -> Self {
        Self(Arc::new([rand::random()]))
    }
}

impl KeyRing {
    /// Reads the keys in the file at `path`: one a line, the newest first; `#` begins a comment.
    ///
    /// # Errors
    /// It cannot be read, a line is no key, or there is none.
    pub fn load(path: &Path) -> Result<Self, KeyRingError> {
        let text = fs::read_to_string(path)?;
        let mut keys = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let key = STANDARD.decode(line).ok().and_then(|bytes| bytes.try_into().ok());
            keys.push(key.ok_or(KeyRingError::Line(number))?);
        }
        if keys.is_empty() { Err(KeyRingError::Empty) } else { Ok(Self(keys.into())) }
    }

    /// Seals `parts` for one `purpose`: nobody without the newest key can make this tag, or one for others.
    #[must_use]
    pub fn seal<const N: usize>(&self, purpose: &str, parts: &[&[u8]]) -> [u8; N] {
        let mut tag = [0; N];
        if let Some(key) = self.0.first() {
            tag = sealed(key, purpose, parts);
        }
        tag
    }

    /// Whether `tag` seals `parts` for `purpose`, under any of the keys.
    #[must_use]
    pub fn opens(&self, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.0.iter().any(|key| bool::from(sealed::<32>(key, purpose, parts)[..tag.len().min(32)].ct_eq(tag)))
    }

    /// A key of its own for what seals by itself, from the newest.
    #[must_use]
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        self.seal(purpose, &[b"derived"])
    }
}

/// The first bytes of a keyed digest. Every part is preceded by its length, so that parts cannot run into each
/// other.
fn sealed<const N: usize>(key: &[u8; LENGTH], purpose: &str, parts: &[&[u8]]) -> [u8; N] {
    let mut tag = [0; N];
    // A key of any length is good for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return tag };
    for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    let whole = mac.finalize().into_bytes();
    for (to, from) in tag.iter_mut().zip(whole) {
        *to = from;
    }
    tag
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str) -> Result<KeyRing, KeyRingError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        KeyRing::load(file.path())
    }

    #[test]
    fn a_tag_opens_what_it_seals_under_any_key_of_the_ring() {
        let (old, new) = (STANDARD.encode([1; 32]), STANDARD.encode([2; 32]));
        let before = ring(&old).unwrap();
        let after = ring(&format!("# newest first\n{new}\n{old} # to go\n")).unwrap();
        let tag: [u8; 8] = before.seal("cursor", &[b"a", b"bc"]);
        assert!(before.opens("cursor", &[b"a", b"bc"], &tag) && after.opens("cursor", &[b"a", b"bc"], &tag));
        assert!(
            !before.opens("confirm", &[b"a", b"bc"], &tag) && !before.opens("cursor", &[b"ab", b"c"], &tag)
        );
        assert!(!KeyRing::default().opens("cursor", &[b"a", b"bc"], &tag));
        assert!(!before.opens("cursor", &[b"a", b"bc"], &after.seal::<8>("cursor", &[b"a", b"bc"])));
        assert_ne!(before.derived("question"), after.derived("question"));
    }

    #[test]
    fn a_file_that_is_not_as_it_should_be_is_refused_without_showing_the_line() {
        for (text, says) in [("", "no key"), ("# none\n", "no key"), ("\nc2VjcmV0\n", "line 2 is no key")] {
            let error = ring(text).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("c2VjcmV0"), "{error}");
        }
    }
}
