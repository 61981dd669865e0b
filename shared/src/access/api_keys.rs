//! API keys of callers: known by their digest alone, from a file that may change while the server runs.

use std::{
    collections::HashSet,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

use super::Principal;

/// How soon a change of a file of keys is seen: how long a key that was taken out still works.
pub(super) const RECHECK: Duration = Duration::from_secs(10);

/// The keys of those who may call, each with the caller's name. Clones share them.
///
/// The file has one line per key, `name sha256:<64 hex digits>`; `#` begins a comment. It is read
/// anew when it changes: the good lines of what is there then are in force, and no others, so that a key
/// that is taken out is refused, be it the last one or the whole file. Only a file that is there and
/// cannot be read leaves the keys read last in force. [`Self::state`] says what is wrong.
#[derive(Clone)]
pub struct ApiKeys(Arc<Inner>);

struct Inner {
    path: PathBuf,
    state: RwLock<State>,
}

struct State {
    keys: Vec<Key>,
    /// Whether all of the file is in force.
    broken: bool,
    version: Option<Version>,
    checked: Instant,
}

/// What tells one content of the file from another.
pub(super) type Version = (SystemTime, u64);

/// How things stand with the keys, for health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysState {
    /// All of the file is in force.
    Good,
    /// There are no keys, so nobody is let in.
    None,
    /// A line is not as it should be and does not count, or the file cannot be read.
    Broken,
}

impl KeysState {
    /// The word for health.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::None => "none",
            Self::Broken => "broken",
        }
    }
}

struct Key {
    principal: Principal,
    digest: [u8; 32],
}

/// Why a file of keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeysError {
    /// It cannot be read.
    #[error("cannot read the API keys in {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not as it should be. The line itself is not shown: it may hold a key.
    #[error("{}, line {line}: {why}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// There is no key in it.
    #[error("{} has no API key: add a line `name sha256:<hex>`", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl ApiKeys {
    /// Reads the keys in the file at `path`.
    ///
    /// # Errors
    /// It cannot be read, a line is not as it should be, or there is no key in it.
    pub fn load(path: &Path) -> Result<Self, ApiKeysError> {
        let version = version(path);
        let (keys, mut faults) = read(path)?;
        if let Some(fault) = faults.drain(..).next() {
            return Err(fault);
        }
        if keys.is_empty() {
            return Err(ApiKeysError::Empty { path: path.to_owned() });
        }
        let state = State { keys, broken: false, version, checked: Instant::now() };
        Ok(Self(Arc::new(Inner { path: path.to_owned(), state: RwLock::new(state) })))
    }

    /// Who presents this key; nobody if it is not known. It takes as long for any key.
    #[must_use]
    pub fn principal(&self, presented: &str) -> Option<Principal> {
        self.refresh();
        let digest: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        let state = self.0.state.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut found = None;
        for key in &state.keys {
            if bool::from(key.digest.ct_eq(&digest)) {
                found = Some(key.principal.clone());
            }
        }
        found
    }

    /// How things stand with the keys now.
    #[must_use]
    pub fn state(&self) -> KeysState {
        self.refresh();
        let state = self.0.state.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        match (state.broken, state.keys.is_empty()) {
            (true, _) => KeysState::Broken,
            (false, true) => KeysState::None,
            (false, false) => KeysState::Good,
        }
    }

    /// Makes a new key for `name`: the key itself, to be shown once, and the line for the file.
    #[must_use]
    pub fn generate(name: &str) -> (String, String) {
        let key = format!("mcp_{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
        let digest = Sha256::digest(key.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        (key, format!("{name} sha256:{hex}"))
    }

    /// Reads the file again if it has changed, and was not looked at just now.
    fn refresh(&self) {
        let now = Instant::now();
        let due = |state: &State| now.duration_since(state.checked) >= RECHECK;
        if !due(&self.0.state.read().unwrap_or_else(std::sync::PoisonError::into_inner)) {
            return;
        }
        let mut state = self.0.state.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !due(&state) {
            return;
        }
        state.checked = now;
        let version = version(&self.0.path);
        if version.is_some() && version == state.version {
            return;
        }
        match read(&self.0.path) {
            Ok((keys, faults)) => {
                for fault in &faults {
                    tracing::error!(%fault, "an API key does not count until its line is mended");
                }
                match keys.len() {
                    0 => tracing::error!("there are no API keys any more, so nobody is let in"),
                    keys => tracing::info!(keys, "the API keys have changed"),
                }
                (state.keys, state.broken, state.version) = (keys, !faults.is_empty(), version);
            }
            Err(ApiKeysError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                if !state.keys.is_empty() || state.version.is_some() {
                    tracing::error!("the file of the API keys is gone, so nobody is let in");
                }
                (state.keys, state.broken, state.version) = (Vec::new(), false, None);
            }
            Err(error) => {
                tracing::error!(%error, "the API keys read last stay in force");
                state.broken = true;
            }
        }
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys").field("path", &self.0.path).finish_non_exhaustive()
    }
}

pub(super) fn version(path: &Path) -> Option<Version> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The keys of the good lines, and what is wrong with the others.
fn read(path: &Path) -> Result<(Vec<Key>, Vec<ApiKeysError>), ApiKeysError> {
    let text =
        fs::read_to_string(path).map_err(|source| ApiKeysError::Read { path: path.to_owned(), source })?;
    let (mut keys, mut faults) = (Vec::new(), Vec::new());
    let mut names = HashSet::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        match key(line) {
            Ok((name, _)) if !names.insert(name) => faults.push((index, USED_TWICE)),
            Ok((name, digest)) => keys.push(Key { principal: Principal::key(name), digest }),
            Err(why) => faults.push((index, why)),
        }
    }
    let faults = faults.into_iter().map(|(index, why)| ApiKeysError::Line {
        path: path.to_owned(),
        line: index + 1,
        why,
    });
    Ok((keys, faults.collect()))
}

const USED_TWICE: &str = "the name is used twice; every key has a name of its own";

/// The name and the digest on a line.
fn key(line: &str) -> Result<(&str, [u8; 32]), &'static str> {
    let mut words = line.split_whitespace();
    let (Some(name), Some(digest), None) = (words.next(), words.next(), words.next()) else {
        return Err("expected `name sha256:<hex>`");
    };
    let digest = digest.strip_prefix("sha256:").ok_or("the digest must begin with `sha256:`")?;
    Ok((name, bytes(digest).ok_or("the digest must be 64 hexadecimal digits")?))
}

/// The bytes that 64 hexadecimal digits stand for.
fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_key_names_its_caller_and_any_other_names_nobody() {
        let (ada, ada_line) = ApiKeys::generate("ada");
        let (_, ben_line) = ApiKeys::generate("ben");
        let file = file(&format!("# who may call\n{ben_line}\n\n{ada_line}  # since spring\n"));
        let keys = ApiKeys::load(file.path()).unwrap();
        assert_eq!(keys.principal(&ada), Some(Principal::key("ada")));
        assert_eq!(keys.principal(&ada[..ada.len() - 1]), None);
        assert_eq!(keys.principal(""), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_taken_out_of_the_file_is_refused_within_seconds() {
        let (ada, ada_line) = ApiKeys::generate("ada");
        let (ben, ben_line) = ApiKeys::generate("ben");
        let file = file(&format!("{ada_line}\n{ben_line}\n"));
        let keys = ApiKeys::load(file.path()).unwrap();
        assert!(keys.principal(&ada).is_some());

        fs::write(file.path(), &ben_line).unwrap();
        let later = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
        fs::File::options().write(true).open(file.path()).unwrap().set_modified(later).unwrap();
        tokio::time::advance(RECHECK).await;
        assert!(keys.principal(&ada).is_none());
        assert!(keys.principal(&ben).is_some());

        // A broken line does not count, and keeps nobody else out; nor does it keep a key that is gone.
        fs::write(file.path(), format!("{ada_line}\nhalf a li")).unwrap();
        tokio::time::advance(RECHECK).await;
        assert!(keys.principal(&ada).is_some());
        assert!(keys.principal(&ben).is_none());
        assert_eq!(keys.state(), KeysState::Broken);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_key_nobody_comes_in() {
        let (ada, ada_line) = ApiKeys::generate("ada");
        let emptied: [fn(&Path, &str); 4] = [
            |path, _| fs::write(path, "").unwrap(),
            |path, line| fs::write(path, format!("# {line}\n")).unwrap(),
            |path, _| fs::write(path, "half a li").unwrap(),
            |path, _| fs::remove_file(path).unwrap(),
        ];
        for (index, empty) in emptied.into_iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("keys");
            fs::write(&path, &ada_line).unwrap();
            let keys = ApiKeys::load(&path).unwrap();
            assert_eq!((keys.principal(&ada).is_some(), keys.state()), (true, KeysState::Good));
            empty(&path, &ada_line);
            tokio::time::advance(RECHECK).await;
            assert_eq!(keys.principal(&ada), None, "{index}");
            assert_ne!(keys.state(), KeysState::Good, "{index}");
            fs::write(&path, format!("{ada_line}\n")).unwrap();
            tokio::time::advance(RECHECK).await;
            assert!(keys.principal(&ada).is_some(), "{index}: a key that is back works again");
        }
    }

    #[test]
    fn a_file_that_is_not_as_it_should_be_is_refused_without_showing_the_line() {
        let digest = "0".repeat(64);
        for (text, expected) in [
            ("".to_owned(), "no API key"),
            ("ada mcp_plain".to_owned(), "sha256:"),
            ("ada sha256:abc".to_owned(), "64 hexadecimal digits"),
            (format!("ada sha256:{digest} more"), "expected `name"),
            (format!("ada sha256:{digest}\nada sha256:{digest}"), "line 2"),
        ] {
            let file = file(&text);
            let error = ApiKeys::load(file.path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("mcp_plain"), "{error}");
        }
    }
}
