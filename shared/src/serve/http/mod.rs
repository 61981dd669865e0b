//! Streamable HTTP: one endpoint for both eras, behind limits, keys and an orderly end.
//!
//! A request passes, from the outside in: the connection's limits, one host, `Origin` for browsers, the API
//! key, the body's limits, the session's owner, and then the SDK, which checks `Host`, `Origin` and
//! the protocol's own headers. Whoever may not come in is refused before anything is read of what
//! they sent.

mod activity;
mod admin;
mod bodies;
mod browsers;
mod connections;
mod frames;
mod heads;
mod health;
mod keys;
mod pace;
mod proxies;
mod sessions;
mod tls;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService,
    session::{local::LocalSessionManager, never::NeverSessionManager},
};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{Stop, handler};
use crate::{
    About, Connector, Service,
    access::{ApiKeys, Quotas},
    catalog::Writes,
    protocol::{Gate, HandlerOptions},
    replicas::Replicas,
    telemetry::Metrics,
    upstream::{Observer, Upstream},
};

use activity::Patience;
use admin::Admin;
use browsers::Origins;
use connections::Connections;
use health::Health;
use sessions::Sessions;

pub use proxies::Proxies;
pub use tls::{ClientFiles, Tls, TlsError, TlsFiles, TlsState};

/// How to serve over HTTP.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// The address to listen on. Anything but loopback needs [`api_keys`](Self::api_keys), or [`tls`](Self::tls)
    /// that knows callers.
    pub listen: SocketAddr,
    /// The address for health and metrics, apart from callers and their limits. None: there are no metrics.
    pub admin: Option<SocketAddr>,
    /// The endpoint's path. `/mcp`.
    pub path: String,
    /// `Host` names besides those of loopback, as `name` (with any port) or `name:port`.
    pub allowed_hosts: Vec<String>,
    /// Browser origins besides those of loopback, such as `https://app.example:443`. With any,
    /// browsers get answers to their preflight questions.
    pub allowed_origins: Vec<String>,
    /// Who may call; without them everybody who reaches the address.
    pub api_keys: Option<ApiKeys>,
    /// TLS for callers; without it they speak plain HTTP. With certificates of theirs there are no API keys: everybody
    /// is known in one way.
    pub tls: Option<Tls>,
    /// How often callers may call. None: as often as they like.
    pub quotas: Option<Quotas>,
    /// The replicas of this server, and what they share.
    pub replicas: Replicas,
    /// Proxies that know callers by their certificates, and whose word is taken for it. It is this, or API keys, or
    /// certificates here.
    pub proxies: Option<Proxies>,
    /// The most bytes of a request's body. 1 MiB.
    pub max_body: usize,
    /// Calls under way at once. 64.
    pub max_in_flight: usize,
    /// Connections at once; more are refused. 4,096, for which the process needs as many file
    /// descriptors.
    pub max_connections: usize,
    /// Legacy sessions at once, where there are any; more are refused. With API keys, one caller has at
    /// most a tenth of them. 1,000.
    pub max_sessions: usize,
    /// How long a request's head may take to arrive, from its first byte on, and how long a new connection may say
    /// nothing. 10 s.
    pub header_timeout: Duration,
    /// How long a connection may rest between requests. 75 s: a load balancer that keeps its connections for less
    /// never sends a request on one that is just being closed.
    pub keep_alive: Duration,
    /// How long a request's body may take to arrive. 10 s.
    pub body_timeout: Duration,
    /// How long a client may leave an answer unread, so that nothing more can be written to it. Then its
    /// connection is closed. 30 s.
    pub write_timeout: Duration,
    /// How long a call may take. 55 s.
    pub call_timeout: Duration,
    /// How long to go on taking calls once the process is asked to end, so that whoever sends them sees in time
    /// that it is not ready any more. 5 s.
    pub lame_duck: Duration,
    /// How long calls and writes under way may take to finish once no more are taken. 10 s.
    pub drain: Duration,
    /// Whether legacy clients get sessions, in which they can be asked and can cancel. Sessions live
    /// in this process, so replicas then need sticky routing.
    pub legacy_sessions: bool,
}

impl HttpOptions {
    /// The defaults, at `listen`.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        let HandlerOptions { call_timeout, max_in_flight, .. } = HandlerOptions::default();
        Self {
            listen,
            admin: None,
            path: "/mcp".to_owned(),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            api_keys: None,
            tls: None,
            quotas: None,
            replicas: Replicas::default(),
            proxies: None,
            max_body: 1024 * 1024,
            max_in_flight,
            max_connections: 4_096,
            max_sessions: 1_000,
            header_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            call_timeout,
            lame_duck: Duration::from_secs(5),
            drain: Duration::from_secs(10),
            legacy_sessions: false,
        }
    }

    /// Whether the options fit together, as far as can be told without listening.
    ///
    /// # Errors
    /// They do not.
    pub fn check(&self) -> Result<(), ServeError> {
        let certificates = self.tls.as_ref().is_some_and(Tls::knows_callers);
        let ways = [self.api_keys.is_some(), certificates, self.proxies.is_some()];
        match ways.into_iter().filter(|way| *way).count() {
            0 if !self.listen.ip().is_loopback() => return Err(ServeError::NeedsKeys(self.listen)),
            0 | 1 => {}
            _ => return Err(ServeError::TwoIdentities),
        }
        if !self.path.starts_with('/')
            || self.path.contains(['{', '}'])
            || health::PATHS.contains(&self.path.as_str())
        {
            return Err(ServeError::Path(self.path.clone()));
        }
        Origins::new(&self.allowed_origins).map(drop)
    }
}

/// Why HTTP is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Others could reach the server, and nothing would tell them apart.
    #[error(
        "{0} can be reached from other machines: give API keys, an authority of callers' certificates or trusted proxies, or listen on 127.0.0.1"
    )]
    NeedsKeys(SocketAddr),
    /// Callers would be known in two ways, and nobody could say by which.
    #[error("callers are known by API keys, by certificates, or by a proxy, in one way only")]
    TwoIdentities,
    /// An origin that is not one.
    #[error("`{0}` is not an origin: write it as https://app.example:443")]
    Origin(String),
    /// The endpoint's path is not one.
    #[error("`{0}` is not a path for the endpoint: it begins with `/`, and is none of {health:?}", health = health::PATHS)]
    Path(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The process cannot be told to end in an orderly way.
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] io::Error),
}

impl ServeError {
    /// Whether other settings would help.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::NeedsKeys(_) | Self::TwoIdentities | Self::Origin(_) | Self::Path(_))
    }
}

/// Where a server listens. The system has chosen the ports that were given as 0.
#[derive(Clone, Copy, Debug)]
pub struct Listening {
    /// For callers.
    pub callers: SocketAddr,
    /// For whoever runs the server, if there is [such an address](HttpOptions::admin).
    pub admin: Option<SocketAddr>,
}

/// Serves until the process is asked to end. `ready` is told where.
///
/// # Errors
/// The options contradict each other, or the address cannot be listened on.
pub async fn http<S: Connector>(
    service: Arc<Service<S>>,
    options: HttpOptions,
    ready: impl FnOnce(Listening),
) -> Result<(), ServeError> {
    let stop = Stop::on_signals().map_err(ServeError::Signals)?;
    http_until(service, options, ready, stop).await
}

/// Serves until `stop` is asked for. Then it is not ready any more, and for [`HttpOptions::lame_duck`] still answers
/// whoever has not noticed, with the wish that they go elsewhere; [`Stop::at_once`] ends that. Then nobody new is let
/// in, subscriptions end, and calls under way have [`HttpOptions::drain`] to finish, with the writes whose callers have
/// gone; writes that only wait to be sent are given up after half of it, and say so.
///
/// # Errors
/// The options contradict each other, or the address cannot be listened on.
pub async fn http_until<S: Connector>(
    service: Arc<Service<S>>,
    options: HttpOptions,
    ready: impl FnOnce(Listening),
    stop: Stop,
) -> Result<(), ServeError> {
    options.check()?;
    let _shared = service.share(&options.replicas).map(|link| AbortOnDropHandle::new(tokio::spawn(link)));
    let site = Site::open(Served::by(service), options).await?;
    ready(site.listening);
    site.serve(stop).await;
    Ok(())
}

/// A service as what lies between it and the sockets sees it: the same, whichever server it is of.
struct Served {
    about: About,
    upstream: Upstream,
    writes: Writes,
    gate: Box<dyn FnOnce(HandlerOptions) -> Gate + Send>,
}

impl Served {
    fn by<S: Connector>(service: Arc<Service<S>>) -> Self {
        Self {
            about: service.about(),
            upstream: service.server().upstream().clone(),
            writes: service.writes().clone(),
            gate: Box::new(move |options| {
                let (metrics, quotas) = (options.metrics.clone(), options.quotas.clone());
                Gate::new(handler(Arc::clone(&service), options), &service, metrics, quotas)
            }),
        }
    }
}

/// A server that listens.
struct Site {
    listening: Listening,
    listener: TcpListener,
    connections: Connections,
    health: Arc<Health>,
    writes: Writes,
    lame_duck: Duration,
    drain: Duration,
    /// Ends the waiting of whoever is told of changes, and then what is still open.
    closing: CancellationToken,
    streams: CancellationToken,
    _admin: Option<Admin>,
    /// What reads certificates that have been replaced.
    _fresh: Option<AbortOnDropHandle<()>>,
}

impl Site {
    async fn open(served: Served, options: HttpOptions) -> Result<Self, ServeError> {
        let closing = CancellationToken::new();
        let streams = CancellationToken::new();
        let Served { about, upstream, writes, gate } = served;
        let store = options.replicas.store().cloned();
        let health = Arc::new(Health::new(upstream.clone(), options.api_keys.clone(), store));
        let metrics = options.admin.map(|_| metrics(&about, &upstream, &options, &health));
        let gate = gate(HandlerOptions {
            call_timeout: options.call_timeout,
            max_in_flight: options.max_in_flight,
            reaches_legacy_clients: options.legacy_sessions,
            writes_schemas: false,
            closing: closing.clone(),
            metrics: metrics.clone(),
            quotas: options.quotas.clone(),
        });
        let router = router(about.program, gate, &options, &streams, &health, metrics.as_ref())?;
        let listen_error = |source| ServeError::Listen { addr: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(listen_error)?;
        let admin = match options.admin.zip(metrics.clone()) {
            Some((addr, metrics)) => Some(Admin::open(addr, Arc::clone(&health), metrics).await?),
            None => None,
        };
        health.start();
        let callers = listener.local_addr().map_err(listen_error)?;
        let listening = Listening { callers, admin: admin.as_ref().map(|admin| admin.addr) };

        let patience = Patience { head: options.header_timeout, rest: options.keep_alive };
        let connections = Connections::new(
            router,
            options.max_connections,
            patience,
            options.write_timeout,
            options.tls.clone(),
        );
        if let Some(metrics) = &metrics {
            connections.measured_by(metrics);
            if let Some(tls) = &options.tls {
                tls.measured_by(metrics);
            }
        }
        let fresh = options
            .tls
            .map(|tls| AbortOnDropHandle::new(tokio::spawn(async move { tls.keep_fresh().await })));
        Ok(Self {
            listening,
            listener,
            connections,
            health,
            writes,
            lame_duck: options.lame_duck,
            drain: options.drain,
            closing,
            streams,
            _admin: admin,
            _fresh: fresh,
        })
    }

    /// Answers until `stop` is asked for, and then to the end.
    async fn serve(self, stop: Stop) {
        let Self { listener, connections, health, writes, drain, closing, _admin, _fresh, .. } = self;
        connections.accept_until(&listener, stop.asked.cancelled()).await;
        health.drain();
        connections.leave();
        let noticed = async {
            tokio::select! {
                () = sleep(self.lame_duck) => {}
                () = stop.at_once.cancelled() => {}
            }
        };
        connections.accept_until(&listener, noticed).await;
        drop(listener);
        closing.cancel();
        let now = Instant::now();
        let end = now + drain;
        let waiting = async {
            // There is still time to say what was not sent.
            sleep_until(now + drain / 2).await;
            writes.stop_waiting();
            std::future::pending::<std::convert::Infallible>().await
        };
        tokio::select! {
            () = connections.finish(end) => {}
            never = waiting => match never {},
        }
        writes.stop_waiting();
        writes.finish(end).await;
        // What is still open now are streams and calls that take too long.
        self.streams.cancel();
    }
}

/// What is counted, once somebody can ask.
fn metrics(about: &About, upstream: &Upstream, options: &HttpOptions, health: &Arc<Health>) -> Arc<Metrics> {
    let metrics = Arc::new(Metrics::new(about.program, about.version, upstream.clone()));
    upstream.observe(Arc::clone(&metrics) as Arc<dyn Observer>);
    let health = Arc::clone(health);
    let ready = move || f64::from(u8::from(health.is_ready()));
    metrics.gauge("connector_ready", "Whether requests are taken: 1 or 0", ready);
    if let Some(quotas) = options.quotas.clone() {
        let help = "Requests beyond their caller's quota";
        metrics.counter("connector_quota_refused", help, move || quotas.refused() as f64);
    }
    if let Some(store) = options.replicas.store().cloned() {
        let help = "Whether the store that replicas share answers: 1 or 0";
        metrics.gauge("connector_store_up", help, move || f64::from(u8::from(store.is_up())));
        let [counted, refused] = [options.replicas.clone(), options.replicas.clone()];
        let help = "Calls that were counted here alone, because the store was away";
        metrics.counter("connector_quota_degraded", help, move || counted.counts().degraded() as f64);
        let help = "Confirmations that were refused, because nobody could tell whether they were used";
        metrics.counter("connector_once_refused", help, move || refused.counts().refused() as f64);
    }
    metrics
}

fn router(
    realm: &'static str,
    gate: Gate,
    options: &HttpOptions,
    streams: &CancellationToken,
    health: &Arc<Health>,
    metrics: Option<&Arc<Metrics>>,
) -> Result<Router, ServeError> {
    let origins = Origins::new(&options.allowed_origins)?;
    let hosts =
        ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into_iter().chain(options.allowed_hosts.clone());
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(options.legacy_sessions)
        .with_json_response(true)
        .with_max_request_body_bytes(options.max_body)
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins.entries())
        .with_cancellation_token(streams.clone());
    let mut endpoint = Router::new();
    if options.legacy_sessions {
        let manager = Arc::new(LocalSessionManager::default());
        let sessions = Arc::new(Sessions::new(Arc::clone(&manager), options.max_sessions));
        let mcp = StreamableHttpService::new(move || Ok(gate.clone()), manager, config);
        endpoint =
            endpoint.route_service(&options.path, mcp).layer(from_fn_with_state(sessions, sessions::check));
    } else {
        let mcp = StreamableHttpService::new(
            move || Ok(gate.clone()),
            Arc::new(NeverSessionManager::default()),
            config,
        );
        endpoint = endpoint.route_service(&options.path, mcp);
    }
    endpoint = endpoint.layer(from_fn(heads::accept));
    let limits = bodies::Limits { bytes: options.max_body, time: options.body_timeout };
    endpoint = endpoint.layer(from_fn_with_state(limits, bodies::check));
    if let Some(quotas) = options.quotas.clone() {
        endpoint = endpoint.layer(from_fn_with_state(quotas, pace::check));
    }
    if let Some(keys) = options.api_keys.clone() {
        endpoint =
            endpoint.layer(from_fn_with_state(keys::Door::new(keys, realm, metrics.cloned()), keys::check));
    }
    if let Some(proxies) = options.proxies.clone() {
        let door = proxies::Door::new(proxies, metrics.cloned());
        endpoint = endpoint.layer(from_fn_with_state(door, proxies::check));
    }
    if !options.allowed_origins.is_empty() {
        endpoint = endpoint.layer(from_fn_with_state(Arc::new(origins), browsers::answer));
    }
    endpoint = endpoint.layer(from_fn(heads::host));
    let [live, ready] = health::PATHS;
    Ok(Router::new()
        .route(live, get(health::live))
        .route(ready, get(health::ready).with_state(Arc::clone(health)))
        .merge(endpoint))
}
