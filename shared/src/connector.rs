//! What a server must be: a vendor's knowledge, and nothing else.

use std::{fmt, future::Future, time::Duration};

use crate::{
    Check, Result,
    access::Granted,
    catalog::Catalog,
    settings::{Config, Setting},
    upstream::{self, Upstream},
};
use std::sync::Arc;

/// A vendor's server. `connector::main::<Self>()` makes it a program.
pub trait Connector: fmt::Debug + Send + Sync + Sized + 'static {
    /// Who it is.
    const ABOUT: About;

    /// The settings that only this server has: credentials, defaults. The suite's own are added.
    fn settings() -> Vec<Setting>;

    /// Makes the server's state. Does no I/O: a client's list of tools must not wait for the vendor,
    /// and a missing credential must not stop it. `options` come filled from the common settings.
    ///
    /// # Errors
    /// A setting that contradicts another, or whose value cannot be used.
    fn connect(config: &Config, options: upstream::Options) -> Result<Self>;

    /// Everything it can offer.
    fn catalog() -> Catalog<Self>;

    /// Its pipeline to the vendor, for health and metrics.
    fn upstream(&self) -> &Upstream;

    /// The scopes that the credential was granted, where the vendor tells them: tools whose
    /// [`crate::catalog::Tool::scopes`] are not among them are not offered. Asked whenever tools are listed,
    /// so it must be quick: remembered after the first time, and nothing at all to ask for a credential
    /// whose rights the vendor does not tell.
    fn granted(&self) -> impl Future<Output = Option<Granted>> + Send {
        std::future::ready(None)
    }

    /// How long after one look at a watched resource the next one comes.
    fn poll_interval(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Asks the vendor what works with this configuration, and what would make the rest work.
    fn diagnose(&self) -> impl Future<Output = Vec<Check>> + Send;

    /// Its vendor's API, faked. None for a program that is built without it.
    #[must_use]
    fn sandbox() -> Option<Sandbox> {
        None
    }
}

/// Who a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The word in file names, metrics and variables: `linear`.
    pub key: &'static str,
    /// The vendor's name as people write it: `Linear`.
    pub title: &'static str,
    /// The program: `linear-mcp`.
    pub program: &'static str,
    /// The package's version.
    pub version: &'static str,
    /// What a model should know before it uses the tools: two or three sentences.
    pub instructions: &'static str,
    /// The vendor's API, unless `--api-url` says otherwise.
    pub api_url: &'static str,
    /// The variable of `--api-url`: `LINEAR_API_URL`.
    pub api_url_env: &'static str,
    /// Where a person gets a credential.
    pub credential_help: &'static str,
}

/// A fake vendor, and what a server needs to use it.
pub struct Sandbox {
    /// The fake.
    pub fake: Arc<dyn crate::sandbox::Fake>,
    /// The path under the fake's address that stands for [`About::api_url`], such as `/graphql`.
    pub api_path: &'static str,
    /// The setting that holds the credential, and a value that the fake accepts.
    pub credential: (&'static str, &'static str),
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("api_path", &self.api_path).finish_non_exhaustive()
    }
}
