//! The pipeline's settings.

use std::{fmt, path::PathBuf, time::Duration};

use url::Url;

use super::{breaker::BreakerOptions, retry::RetryOptions};

/// The pipeline's settings. [`Options::new`] gives every one but the address a good default.
#[derive(Clone)]
pub struct Options {
    /// Where the vendor's API is; requests' paths are joined below it.
    pub base_url: Url,
    /// How long a call may take in all: waiting, retries and the body included. 30 s.
    pub total_deadline: Duration,
    /// How long one attempt may take, its body included. 10 s.
    pub attempt_timeout: Duration,
    /// How long resolving, connecting and the TLS handshake may take together. 5 s.
    pub connect_timeout: Duration,
    /// Requests under way at once. 32.
    pub max_in_flight: usize,
    /// The most bytes of an answer, decompressed. 8 MiB.
    pub max_body: usize,
    /// The most bytes of answers kept in the cache; 0 keeps none. 16 MiB.
    pub cache_capacity: u64,
    /// Refuses every write before anything is sent.
    pub read_only: bool,
    /// When to stop asking a failing vendor.
    pub breaker: BreakerOptions,
    /// How often and how fast to repeat.
    pub retry: RetryOptions,
    /// A PEM file of certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The proxy to go through. Otherwise the system's, which loopback addresses never use.
    pub proxy: Option<Url>,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Resolves names in the place of the system.
    #[cfg(test)]
    pub(super) resolver: Option<std::sync::Arc<dyn reqwest::dns::Resolve>>,
}

impl Options {
    /// The defaults for a vendor at `base_url`.
    #[must_use]
    pub fn new(base_url: Url) -> Self {
        Self {
            base_url,
            total_deadline: Duration::from_secs(30),
            attempt_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            max_in_flight: 32,
            max_body: 8 * 1024 * 1024,
            cache_capacity: 16 * 1024 * 1024,
            read_only: false,
            breaker: BreakerOptions::default(),
            retry: RetryOptions::default(),
            ca_file: None,
            proxy: None,
            user_agent: concat!("connector-suite/", env!("CARGO_PKG_VERSION")).to_owned(),
            #[cfg(test)]
            resolver: None,
        }
    }
}

/// Without the addresses, which may carry a proxy's password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("host", &self.base_url.host_str())
            .field("proxied", &self.proxy.is_some())
            .field("total_deadline", &self.total_deadline)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("max_in_flight", &self.max_in_flight)
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}
