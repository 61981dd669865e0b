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

/// How soon a change of the file is seen: how long a key that was taken out still works.
const RECHECK: Duration = Duration::from_secs(10);

/// The keys of those who may call, each with the caller's name. Clones share them.
///
/// The file has one line per key, `name sha256:<64 hex digits>`; `#` begins a comment. It is read
/// anew when it changes. While it cannot be read, the keys read last stay in force.
#[derive(Clone)]
pub struct ApiKeys(Arc<Inner>);

struct Inner {
    path: PathBuf,
    state: RwLock<State>,
}

struct State {
    keys: Vec<Key>,
    modified: Option<SystemTime>,
    checked: Instant,
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
        let modified = modified(path);
        let state = State { keys: read(path)?, modified, checked: Instant::now() };
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
        let modified = modified(&self.0.path);
        if modified.is_some() && modified == state.modified {
            return;
        }
        match read(&self.0.path) {
            Ok(keys) => {
                tracing::info!(keys = keys.len(), "the API keys have changed");
                state.keys = keys;
                state.modified = modified;
            }
            Err(error) => tracing::warn!(%error, "the API keys read last stay in force"),
        }
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys").field("path", &self.0.path).finish_non_exhaustive()
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

fn read(path: &Path) -> Result<Vec<Key>, ApiKeysError> {
    let text =
        fs::read_to_string(path).map_err(|source| ApiKeysError::Read { path: path.to_owned(), source })?;
    let mut keys = Vec::new();
    let mut names = HashSet::new();
    for (index, line) in text.lines().enumerate() {
        let line_error = |why| ApiKeysError::Line { path: path.to_owned(), line: index + 1, why };
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let mut words = line.split_whitespace();
        let (Some(name), Some(digest), None) = (words.next(), words.next(), words.next()) else {
            return Err(line_error("expected `name sha256:<hex>`"));
        };
        let digest = digest
            .strip_prefix("sha256:")
            .ok_or_else(|| line_error("the digest must begin with `sha256:`"))?;
        let digest = bytes(digest).ok_or_else(|| line_error("the digest must be 64 hexadecimal digits"))?;
        if !names.insert(name) {
            return Err(line_error("the name is used twice; every key has a name of its own"));
        }
        keys.push(Key { principal: Principal::named(name), digest });
    }
    if keys.is_empty() { Err(ApiKeysError::Empty { path: path.to_owned() }) } else { Ok(keys) }
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
        assert_eq!(keys.principal(&ada), Some(Principal::named("ada")));
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

        fs::write(file.path(), "half a li").unwrap();
        tokio::time::advance(RECHECK).await;
        assert!(keys.principal(&ben).is_some());
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
