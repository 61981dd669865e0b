//! Credentials: where a token comes from, and what happens when the vendor refuses it.

mod file;
mod fixed;
mod login;
mod oauth;
mod store;

use futures::future::BoxFuture;

pub use file::SecretFile;
pub use fixed::{Fixed, Missing};
pub use login::Login;
pub use oauth::{Grant, OAuth, OAuthOptions};
pub use store::{Store, Tokens};

use crate::{Result, Secret, secret::Fingerprint};

/// Where the token for the vendor comes from.
pub trait Credential: Send + Sync + 'static {
    /// The token to send now. Fails with `auth` and a hint of what to set or do if there is none.
    fn token(&self) -> BoxFuture<'_, Result<Secret>>;

    /// The vendor refused `token` before executing anything. `Some` is a newer token, worth one
    /// repetition; `None` says that there is none.
    fn refused<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Result<Option<Secret>>>;

    /// Tells principals apart in cache keys: the same for every access token of one principal.
    fn fingerprint(&self) -> Fingerprint;
}
