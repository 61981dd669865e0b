//! Keys under which this server seals what a client carries for it: cursors, confirmations, questions.
//!
//! Without a file they are made at the start and die with the process. Replicas that share a file open what
//! another of them has sealed. It is read anew when it changes, so that keys can be replaced while replicas run.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

use super::api_keys::{RECHECK, Version, version};

/// Bytes of a key.
const LENGTH: usize = 32;

type Key = [u8; LENGTH];

/// The keys of one server: the first seals, all of them open. Clones share them.
///
/// Of a file that is changed and cannot be used, nothing counts: the keys read last stay in force.
#[derive(Clone)]
pub struct KeyRing(Arc<Inner>);

struct Inner {
    file: Option<PathBuf>,
    state: RwLock<State>,
}

struct State {
    keys: Arc<[Key]>,
    version: Option<Version>,
    checked: Instant,
}

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
        Self::of(None, vec![rand::random()], None)
    }
}

impl KeyRing {
    /// Reads the keys in the file at `path`: one a line, the newest first; `#` begins a comment.
    ///
    /// # Errors
    /// It cannot be read, a line is no key, or there is none.
    pub fn load(path: &Path) -> Result<Self, KeyRingError> {
        let version = version(path);
        Ok(Self::of(Some(path.to_owned()), read(path)?, version))
    }

    fn of(file: Option<PathBuf>, keys: Vec<Key>, version: Option<Version>) -> Self {
        let state = State { keys: keys.into(), version, checked: Instant::now() };
        Self(Arc::new(Inner { file, state: RwLock::new(state) }))
    }

    /// Seals `parts` for one `purpose`: nobody without the first key can make this tag, or one for others.
    #[must_use]
    pub fn seal<const N: usize>(&self, purpose: &str, parts: &[&[u8]]) -> [u8; N] {
        let mut tag = [0; N];
        if let Some(key) = self.keys().first() {
            tag = sealed(key, purpose, parts);
        }
        tag
    }

    /// Whether `tag` seals `parts` for `purpose`, under any of the keys.
    #[must_use]
    pub fn opens(&self, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> bool {
        let opens = |key| bool::from(sealed::<32>(key, purpose, parts)[..tag.len().min(32)].ct_eq(tag));
        self.keys().iter().any(opens)
    }

    /// Keys of their own for what seals by itself, each with a name that tells nothing of it; in the same order.
    #[must_use]
    pub fn derived(&self, purpose: &str) -> Vec<(String, [u8; 32])> {
        let name = |key| URL_SAFE_NO_PAD.encode(sealed::<6>(key, purpose, &[b"name"]));
        self.keys().iter().map(|key| (name(key), sealed(key, purpose, &[b"derived"]))).collect()
    }

    /// The keys now: those of the file, if it has changed and was not looked at just before.
    fn keys(&self) -> Arc<[Key]> {
        let Inner { file, state } = self.0.as_ref();
        let read_last = state.read().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = file.as_ref().filter(|_| read_last.checked.elapsed() >= RECHECK) else {
            return Arc::clone(&read_last.keys);
        };
        drop(read_last);
        let mut state = state.write().unwrap_or_else(PoisonError::into_inner);
        state.checked = Instant::now();
        let version = version(path);
        if version.is_none() || version != state.version {
            match read(path) {
                Ok(keys) => {
                    tracing::info!(keys = keys.len(), "the state keys have changed");
                    (state.keys, state.version) = (keys.into(), version);
                }
                Err(error) => tracing::error!(%error, "the state keys read last stay in force"),
            }
        }
        Arc::clone(&state.keys)
    }
}

/// The keys in the file at `path`, each once.
fn read(path: &Path) -> Result<Vec<Key>, KeyRingError> {
    let text = fs::read_to_string(path)?;
    let mut keys = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let key = STANDARD.decode(line).ok().and_then(|bytes| bytes.try_into().ok());
        let key: Key = key.ok_or(KeyRingError::Line(number))?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if keys.is_empty() { Err(KeyRingError::Empty) } else { Ok(keys) }
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
        f.debug_struct("KeyRing").field("file", &self.0.file).finish_non_exhaustive()
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
        let [of_before, of_after] = [before, after].map(|ring| ring.derived("question"));
        assert_ne!(of_before[0], of_after[0]);
        assert_eq!(of_before[0], of_after[1]);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_replaced_while_the_server_runs_and_a_broken_file_changes_nothing() {
        let [old, new] = [1, 2].map(|byte| STANDARD.encode([byte; 32]));
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut seconds = 0;
        let mut write = |text: &str| {
            fs::write(file.path(), text).unwrap();
            seconds += 1;
            let moment = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            fs::File::options().write(true).open(file.path()).unwrap().set_modified(moment).unwrap();
        };
        write(&old);
        let ring = KeyRing::load(file.path()).unwrap();
        let tag: [u8; 8] = ring.seal("cursor", &[b"a"]);
        for (text, opens) in [
            (format!("{old}\n{new}\n{old}\n"), true),
            (format!("{new}\n{old}"), true),
            ("half a li".to_owned(), true),
            (String::new(), true),
            (new.clone(), false),
        ] {
            write(&text);
            tokio::time::advance(RECHECK).await;
            assert_eq!(ring.opens("cursor", &[b"a"], &tag), opens, "{text}");
        }
        assert_ne!(ring.seal::<8>("cursor", &[b"a"]), tag);
        assert_eq!(ring.derived("question").len(), 1);
    }

    #[test]
    fn a_file_that_is_not_as_it_should_be_is_refused_without_showing_the_line() {
        for (text, says) in [("", "no key"), ("# none\n", "no key"), ("\nc2VjcmV0\n", "line 2 is no key")] {
            let error = ring(text).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("c2VjcmV0"), "{error}");
        }
    }
}
