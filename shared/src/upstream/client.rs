//! The HTTP client, made when it is first needed: reading the system's trusted authorities takes
//! longer than everything else a server does at its start.

use std::{fmt, sync::Arc};

use tokio::sync::OnceCell;
use url::{Host, Url};

use super::{Options, tls};
use crate::{Error, Kind, Result};

/// A lazily made HTTP client with its pool of connections. Cloning shares it.
#[derive(Clone)]
pub struct HttpClient(Arc<Inner>);

struct Inner {
    options: Options,
    client: OnceCell<reqwest::Client>,
}

impl HttpClient {
    /// A client of `options`; nothing is read or opened yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self(Arc::new(Inner { options, client: OnceCell::new() }))
    }

    pub(crate) async fn get(&self) -> Result<&reqwest::Client> {
        self.0.client.get_or_try_init(|| self.build()).await
    }

    async fn build(&self) -> Result<reqwest::Client> {
        let options = self.0.options.clone();
        if is_loopback(&options.base_url) && options.ca_file.is_none() {
            // Nothing to read from disk.
            return build(&options);
        }
        tokio::task::spawn_blocking(move || build(&options)).await.map_err(|error| {
            Error::internal("setting up the connection to the vendor failed").with_source(error)
        })?
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

fn build(options: &Options) -> Result<reqwest::Client> {
    tls::install();
    let mut builder = reqwest::Client::builder()
        .user_agent(&options.user_agent)
        .connect_timeout(options.connect_timeout)
        .tcp_nodelay(true)
        // Redirects are followed by hand, where it is known whether that is safe.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false);
    #[cfg(test)]
    if let Some(resolver) = &options.resolver {
        builder = builder.dns_resolver(std::sync::Arc::clone(resolver)).no_proxy().tls_certs_only([]);
    }
    if let Some(proxy) = &options.proxy {
        let proxy = reqwest::Proxy::all(proxy.as_str())
            .map_err(|error| setup("the proxy's address is not usable", error.without_url()))?;
        builder = builder.proxy(proxy);
    } else if is_loopback(&options.base_url) {
        builder = builder.no_proxy();
    }
    if let Some(path) = &options.ca_file {
        let pem = std::fs::read(path).map_err(|error| setup("the CA file cannot be read", error))?;
        let authorities = reqwest::Certificate::from_pem_bundle(&pem)
            .map_err(|error| setup("the CA file holds no usable certificate", error))?;
        if authorities.is_empty() {
            return Err(Error::new(Kind::Upstream, "the CA file holds no certificate")
                .with_hint("Give a PEM file with one or more CERTIFICATE sections"));
        }
        builder = builder.tls_certs_merge(authorities);
    } else if options.base_url.scheme() == "http" && is_loopback(&options.base_url) {
        // A sandbox on this machine: spares the reading of the system's authorities.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| {
        setup("the HTTPS client cannot be set up", error)
            .with_hint("Most often the system's CA certificates are missing: install them, or give a CA file")
    })
}

fn setup(message: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Kind::Upstream, message).with_source(error)
}

/// Whether `url` is on this machine, by its literal host.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
