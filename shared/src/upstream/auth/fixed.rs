//! A token given once and for all, and none at all.

use std::borrow::Cow;

use futures::future::{self, BoxFuture, FutureExt as _};

use super::Credential;
use crate::{Error, Kind, Result, Secret, secret::Fingerprint};

/// A token that stays as it is while the process lives.
#[derive(Clone, Debug)]
pub struct Fixed(Secret);

impl Fixed {
    /// The credential that always gives `token`.
    #[must_use]
    pub fn new(token: Secret) -> Self {
        Self(token)
    }
}

impl Credential for Fixed {
    fn token(&self) -> BoxFuture<'_, Result<Secret>> {
        future::ok(self.0.clone()).boxed()
    }

    fn refused<'a>(&'a self, _token: &'a Secret) -> BoxFuture<'a, Result<Option<Secret>>> {
        future::ok(None).boxed()
    }

    fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint()
    }
}

/// No token: the server starts and lists its tools, and every call says what to set.
#[derive(Clone, Debug)]
pub struct Missing {
    message: Cow<'static, str>,
    hint: Cow<'static, str>,
}

impl Missing {
    /// `message` says what is missing, `hint` what to set.
    pub fn new(message: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

impl Credential for Missing {
    fn token(&self) -> BoxFuture<'_, Result<Secret>> {
        future::err(Error::new(Kind::Auth, self.message.clone()).with_hint(self.hint.clone())).boxed()
    }

    fn refused<'a>(&'a self, _token: &'a Secret) -> BoxFuture<'a, Result<Option<Secret>>> {
        future::ok(None).boxed()
    }

    fn fingerprint(&self) -> Fingerprint {
        Secret::new("").fingerprint()
    }
}
