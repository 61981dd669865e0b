//! Where a person's login is kept between runs: one JSON file that only its owner can read.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{Error, Kind, Result, Secret, clock};

/// How long one process waits for another that is refreshing.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
/// After this a file that was written and not renamed is nobody's.
const LEFT_OVER: Duration = Duration::from_secs(60);

/// What a login gave: the tokens and until when they are good.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Tells this login from another one; stays the same while tokens are refreshed.
    pub login: String,
    /// What goes to the vendor.
    pub access: Secret,
    /// What renews it. Many vendors give a new one each time and void the old.
    pub refresh: Option<Secret>,
    /// When `access` was issued, since the Unix epoch.
    pub obtained_at: Duration,
    /// When `access` expires, since the Unix epoch; `None` if it does not.
    pub expires_at: Option<Duration>,
    /// The scopes, as the vendor wrote them.
    pub scope: Option<String>,
}

impl Tokens {
    /// The tokens of a new login, issued now and good for `lifetime`.
    #[must_use]
    pub fn new(access: Secret, refresh: Option<Secret>, lifetime: Option<Duration>) -> Self {
        let now = clock::wall();
        Self {
            login: Uuid::new_v4().to_string(),
            access,
            refresh,
            obtained_at: now,
            expires_at: lifetime.map(|lifetime| now + lifetime),
            scope: None,
        }
    }

    /// Whether `access` is no longer good.
    #[must_use]
    pub fn expired(&self) -> bool {
        self.expires_at.is_some_and(|at| at <= clock::wall())
    }

    /// Whether `access` expires within `ahead`, or within the last fifth of its life if that is
    /// shorter: a token of one minute must not be renewed at every call.
    #[must_use]
    pub fn expires_within(&self, ahead: Duration) -> bool {
        self.expires_at.is_some_and(|at| {
            let ahead = ahead.min(at.saturating_sub(self.obtained_at) / 5);
            at.saturating_sub(ahead) <= clock::wall()
        })
    }
}

/// The form in the file.
#[derive(Serialize, Deserialize)]
struct Stored {
    login: String,
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    obtained_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// A file that holds one login. Processes that share it see each other's refreshes.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
}

impl Store {
    /// The store in the file at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The login kept there, if there is one. Reads the file on this thread.
    ///
    /// # Errors
    /// `auth` if the file cannot be read or is not a login.
    pub fn load(&self) -> Result<Option<Tokens>> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(broken("the stored login cannot be read").with_source(error)),
        };
        // The parser's message could quote a token.
        let stored: Stored =
            serde_json::from_slice(&text).map_err(|_| broken("the stored login is damaged"))?;
        Ok(Some(Tokens {
            login: stored.login,
            access: Secret::new(&stored.access_token),
            refresh: stored.refresh_token.as_deref().map(Secret::new),
            obtained_at: Duration::from_secs(stored.obtained_at),
            expires_at: stored.expires_at.map(Duration::from_secs),
            scope: stored.scope,
        }))
    }

    /// Keeps `tokens`. Whoever reads meanwhile, or after a crash, finds the old login or the new
    /// one, never half of one. Writes on this thread.
    ///
    /// # Errors
    /// `auth` if the file cannot be written.
    pub fn save(&self, tokens: &Tokens) -> Result<()> {
        let stored = Stored {
            login: tokens.login.clone(),
            access_token: tokens.access.expose().to_owned(),
            refresh_token: tokens.refresh.as_ref().map(|refresh| refresh.expose().to_owned()),
            obtained_at: tokens.obtained_at.as_secs(),
            expires_at: tokens.expires_at.map(|at| at.as_secs()),
            scope: tokens.scope.clone(),
        };
        let text = serde_json::to_vec_pretty(&stored)
            .map_err(|error| Error::internal("the login cannot be written as JSON").with_source(error))?;
        self.replace(&text).map_err(|error| broken("the login cannot be stored").with_source(error))
    }

    /// Forgets the login. It is fine if there is none.
    ///
    /// # Errors
    /// `auth` if the file cannot be removed.
    pub fn clear(&self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(broken("the stored login cannot be removed").with_source(error))
            }
            _ => Ok(()),
        }
    }

    /// Keeps other processes from refreshing until the lock is dropped. If another holds it for too
    /// long, or the file system knows no locks, goes on without: the reload after a refusal still
    /// finds what the other one stored.
    pub(super) async fn lock(&self) -> Option<File> {
        let path = self.path.with_extension("lock");
        create_folder(&path).ok()?;
        let file = owner_only().create(true).truncate(false).open(path).ok()?;
        let until = Instant::now() + LOCK_PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Some(file),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    sleep(Duration::from_millis(50)).await;
                }
                Err(_) => return None,
            }
        }
    }

    fn replace(&self, text: &[u8]) -> io::Result<()> {
        create_folder(&self.path)?;
        self.remove_leftovers();
        let temporary = self.path.with_extension(format!("{}.new", Uuid::new_v4()));
        let written = (|| {
            let mut file = owner_only().create_new(true).open(&temporary)?;
            file.write_all(text)?;
            file.sync_all()?;
            fs::rename(&temporary, &self.path)
        })();
        if written.is_err() {
            // Best effort: the error worth telling is the first one.
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}

impl Store {
    /// Removes what a process left that was killed between writing and renaming: it holds tokens. One that
    /// is younger may be another process's, which is about to rename it.
    fn remove_leftovers(&self) {
        let (Some(folder), Some(stem)) = (self.path.parent(), self.path.file_stem()) else { return };
        let Ok(entries) = fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
        else {
            return;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let ours = path.extension().is_some_and(|extension| extension == "new")
                && path.file_stem().and_then(|inner| Path::new(inner).file_stem()) == Some(stem);
            let old = entry
                .metadata()
                .and_then(|meta| meta.modified())
                .is_ok_and(|time| time.elapsed().is_ok_and(|age| age >= LEFT_OVER));
            if ours && old {
                // Best effort: whatever is wrong with the folder shows when the login is written.
                let _ = fs::remove_file(path);
            }
        }
    }
}

fn broken(message: &'static str) -> Error {
    Error::new(Kind::Auth, message).with_hint("Check the file's permissions, or log in again")
}

fn create_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens for writing; what it creates only the owner can read.
fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_survives_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("new/linear.json"));
        assert!(store.load().unwrap().is_none());
        let tokens =
            Tokens::new(Secret::new("access"), Some(Secret::new("refresh")), Some(Duration::from_secs(60)));
        store.save(&tokens).unwrap();
        let loaded = store.load().unwrap().unwrap();
        assert_eq!(loaded.access.expose(), "access");
        assert_eq!(loaded.refresh.unwrap().expose(), "refresh");
        assert_eq!(loaded.login, tokens.login);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(store.path()), 0o600);
            assert_eq!(mode(store.path().parent().unwrap()), 0o700);
        }
        assert_eq!(
            fs::read_dir(store.path().parent().unwrap()).unwrap().count(),
            1,
            "no temporary file stays"
        );
        store.clear().unwrap();
        store.clear().unwrap();
        assert!(store.load().unwrap().is_none());
    }

    #[test]
    fn what_a_killed_process_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("linear.json"));
        let tokens = Tokens::new(Secret::new("access"), None, None);
        let file = |name: &str, old: bool| {
            let file = File::create(folder.path().join(name)).unwrap();
            if old {
                file.set_modified(std::time::UNIX_EPOCH + clock::wall() - 2 * LEFT_OVER).unwrap();
            }
        };
        file("linear.0c7d.new", true);
        file("linear.1c7d.new", false);
        file("github.2c7d.new", true);
        file("linear.json.old", true);
        store.save(&tokens).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["github.2c7d.new", "linear.1c7d.new", "linear.json", "linear.json.old"]);
    }

    #[test]
    fn a_damaged_file_is_an_error_that_quotes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("linear.json");
        fs::write(&path, "{\"access_token\": \"very-secret\"").unwrap();
        let error = Store::new(path).load().unwrap_err();
        assert_eq!(error.kind(), Kind::Auth);
        assert!(!format!("{error:?}").contains("very-secret"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_life_is_not_renewed_at_once() {
        let ahead = Duration::from_secs(300);
        let tokens = Tokens::new(Secret::new("a"), None, Some(Duration::from_secs(60)));
        assert!(!tokens.expires_within(ahead));
        tokio::time::advance(Duration::from_secs(48)).await;
        assert!(tokens.expires_within(ahead) && !tokens.expired());
        tokio::time::advance(Duration::from_secs(12)).await;
        assert!(tokens.expired());
    }
}
