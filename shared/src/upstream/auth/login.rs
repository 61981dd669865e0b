//! A login that begins with a refresh token from the settings.

use std::{fmt, time::Duration};

use futures::future::{BoxFuture, FutureExt as _};
use tokio::sync::OnceCell;

use super::{Credential, OAuth, Store, Tokens};
use crate::{Error, Result, Secret, secret::Fingerprint};

/// A login that begins with a refresh token from the settings, unless the store has what became of
/// it: that is newer, because every use changes it. Another token in the settings is a new login, as
/// somebody sets it when the old one has ended.
pub struct Login {
    oauth: OAuth,
    store: Store,
    refresh: Secret,
    begun: OnceCell<()>,
}

impl Login {
    /// A login that `oauth` renews and `store` keeps, begun by `refresh`.
    #[must_use]
    pub fn new(oauth: OAuth, store: Store, refresh: Secret) -> Self {
        Self { oauth, store, refresh, begun: OnceCell::new() }
    }

    async fn begin(&self) -> Result<()> {
        let store = self.store.clone();
        let refresh = self.refresh.clone();
        let begin = || async {
            let login = refresh.fingerprint().to_string();
            let stored = tokio::task::spawn_blocking(move || match store.load()? {
                Some(tokens) if tokens.refresh.is_some() && tokens.login == login => Ok(()),
                _ => {
                    let tokens = Tokens::new(Secret::new("none"), Some(refresh), Some(Duration::ZERO));
                    store.save(&Tokens { login, ..tokens })
                }
            });
            stored
                .await
                .map_err(|error| Error::internal("The login could not be stored").with_source(error))?
        };
        self.begun.get_or_try_init(begin).await.copied()
    }
}

impl Credential for Login {
    fn token(&self) -> BoxFuture<'_, Result<Secret>> {
        async move {
            self.begin().await?;
            self.oauth.token().await
        }
        .boxed()
    }

    fn refused<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Result<Option<Secret>>> {
        self.oauth.refused(token)
    }

    fn fingerprint(&self) -> Fingerprint {
        self.oauth.fingerprint()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("oauth", &self.oauth).finish_non_exhaustive()
    }
}
