//! A token in a file that somebody else may replace: a mounted secret.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use futures::future::{self, BoxFuture, FutureExt as _};
use tokio::time::Instant;

use super::Credential;
use crate::{Error, Kind, Result, Secret, secret::Fingerprint};

/// How long a look at the file is good for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The most bytes of a token file; more is another file given by mistake.
const MAX_BYTES: u64 = 64 * 1024;

/// A token read from a file, and again when the file changes.
///
/// Looks at the file at most once a second, on the calling thread: it is one system call on what is
/// memory where secrets are mounted. A file that is gone for a moment while it is being replaced
/// leaves the token that was read before in use.
#[derive(Debug)]
pub struct SecretFile {
    path: PathBuf,
    read: Mutex<Option<Read>>,
}

#[derive(Debug)]
struct Read {
    secret: Secret,
    stamp: Stamp,
    looked: Instant,
}

/// What changes when a file is written or replaced.
type Stamp = (Option<SystemTime>, u64);

impl SecretFile {
    /// The token in the file at `path`, which is not read yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), read: Mutex::new(None) }
    }

    /// The token as of now; `again` looks at the file however lately that was done.
    fn current(&self, again: bool) -> Result<Secret> {
        let mut held = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(read) = &mut *held {
            if !again && now.duration_since(read.looked) < LOOK_EVERY {
                return Ok(read.secret.clone());
            }
            read.looked = now;
        }
        let known = held.as_ref().map(|read| read.stamp);
        match (look(&self.path, known, again), &*held) {
            (Ok(Some((secret, stamp))), _) => {
                *held = Some(Read { secret: secret.clone(), stamp, looked: now });
                Ok(secret)
            }
            (Ok(None), Some(read)) => Ok(read.secret.clone()),
            (Err(error), Some(read)) => {
                tracing::warn!(%error, "the token file cannot be read again; using what was read before");
                Ok(read.secret.clone())
            }
            (Ok(None), None) => Err(Error::internal("the token file was skipped before it was read")),
            (Err(error), None) => Err(error),
        }
    }
}

/// Reads the file unless its stamp is the `known` one.
fn look(path: &Path, known: Option<Stamp>, again: bool) -> Result<Option<(Secret, Stamp)>> {
    let unreadable = |error| {
        Error::new(Kind::Auth, "the token file cannot be read")
            .with_hint("Check that the file exists and that this process may read it")
            .with_source(error)
    };
    let meta = fs::metadata(path).map_err(unreadable)?;
    let stamp = (meta.modified().ok(), meta.len());
    if known == Some(stamp) && !again {
        return Ok(None);
    }
    if meta.len() > MAX_BYTES {
        return Err(Error::new(Kind::Auth, "the token file is too long to be one"));
    }
    let secret = Secret::new(&fs::read_to_string(path).map_err(unreadable)?);
    if secret.is_empty() {
        return Err(Error::new(Kind::Auth, "the token file is empty").with_hint("Write the token into it"));
    }
    Ok(Some((secret, stamp)))
}

impl Credential for SecretFile {
    fn token(&self) -> BoxFuture<'_, Result<Secret>> {
        future::ready(self.current(false)).boxed()
    }

    fn refused<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Result<Option<Secret>>> {
        let newer = self.current(true).map(|now| (now.fingerprint() != token.fingerprint()).then_some(now));
        future::ready(newer).boxed()
    }

    /// Of the token itself: whether a new token in the file is of the same principal is not known.
    fn fingerprint(&self) -> Fingerprint {
        self.current(false).unwrap_or_else(|_| Secret::new("")).fingerprint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_replaced_file_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let credential = SecretFile::new(&path);
        let error = credential.token().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Auth);
        fs::write(&path, "one\n").unwrap();
        assert_eq!(credential.token().await.unwrap().expose(), "one");
        let first = credential.fingerprint();
        fs::write(&path, "second").unwrap();
        advance(LOOK_EVERY).await;
        assert_eq!(credential.token().await.unwrap().expose(), "second");
        assert_ne!(credential.fingerprint(), first);
        // Gone for a moment: what was read stays.
        fs::remove_file(&path).unwrap();
        advance(LOOK_EVERY).await;
        assert_eq!(credential.token().await.unwrap().expose(), "second");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_looks_at_the_file_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "old").unwrap();
        let credential = SecretFile::new(&path);
        let old = credential.token().await.unwrap();
        assert!(credential.refused(&old).await.unwrap().is_none());
        fs::write(&path, "new").unwrap();
        assert_eq!(credential.refused(&old).await.unwrap().unwrap().expose(), "new");
    }
}
