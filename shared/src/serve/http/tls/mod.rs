//! TLS for callers: version 1.3 alone, with certificates that may change while the server runs, and callers known by
//! certificates of their own where an authority for them is named.

mod files;
mod names;
mod refusals;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use rustls::{ServerConfig, ServerConnection};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::proxies;
use crate::{access::Principal, clock, telemetry::Metrics};

pub use files::TlsError;
use files::{Digests, Material};
pub(super) use refusals::Refusals;

/// How often the files are looked at: a new certificate is used, and a revoked one refused, within twice that.
const RECHECK: Duration = Duration::from_secs(5);
/// How long before its end a certificate is warned of, and how often.
const WARNED: SignedDuration = SignedDuration::from_hours(14 * 24);
const AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// Where the parts of TLS are, all in PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The server's certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// The key of the certificate.
    pub key: PathBuf,
    /// How callers are known by certificates of theirs; without it nobody is asked for one.
    pub clients: Option<ClientFiles>,
}

/// How callers are known by their certificates.
#[derive(Clone, Debug)]
pub struct ClientFiles {
    /// The authorities of callers' certificates.
    pub authorities: PathBuf,
    /// What those authorities have revoked: a list of each of them, and of each authority in between.
    pub revoked: Option<PathBuf>,
    /// Which names may call, as globs such as `spiffe://example.org/agents/*`: `*` stands for any part up to a
    /// slash, `**` for any part. Without any, every name may that an authority vouches for.
    pub names: Vec<String>,
}

/// TLS as it is now. Clones share it.
///
/// The files are read anew when they change. Only when all of them are good together are they used; until then those
/// read last stay in force, and [`Self::state`] says so.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    files: TlsFiles,
    state: RwLock<State>,
    refusals: Refusals,
}

struct State {
    config: Arc<ServerConfig>,
    ends: Timestamp,
    digests: Digests,
    /// What came of the last look at files that are not in force: their digests, if they could be read.
    failed: Option<Option<Digests>>,
    told: bool,
    warned: Option<Timestamp>,
    /// Ends when other callers are trusted than before.
    trust: CancellationToken,
}

/// How things stand with TLS, for health and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsState {
    /// When the certificate in force ends.
    pub ends: Timestamp,
    /// Whether the files are those in force. False: they have changed, and cannot be used.
    pub good: bool,
    /// How many connections were refused since the start, by the word for why, such as `expired`.
    pub refused: Vec<(&'static str, u64)>,
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// Nobody was asked for a certificate.
    Unasked,
    /// Whom the certificate names.
    Known(Principal),
    /// An authority vouches for the certificate, but it names nobody who may call.
    Refused,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// One of them cannot be read, is not what it should be, or does not fit the others.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let material = files::read(&files)?;
        let state = State {
            config: material.config,
            ends: material.ends,
            digests: material.digests,
            failed: None,
            told: false,
            warned: None,
            trust: CancellationToken::new(),
        };
        let tls = Self(Arc::new(Inner { files, state: RwLock::new(state), refusals: Refusals::default() }));
        tls.tell_of_end();
        Ok(tls)
    }

    /// Whether callers are known by their certificates.
    #[must_use]
    pub fn knows_callers(&self) -> bool {
        self.0.files.clients.is_some()
    }

    /// How things stand.
    #[must_use]
    pub fn state(&self) -> TlsState {
        let state = self.read();
        TlsState { ends: state.ends, good: state.failed.is_none(), refused: self.0.refusals.counts() }
    }

    /// Has it told by `metrics`.
    pub(super) fn measured_by(&self, metrics: &Arc<Metrics>) {
        self.0.refusals.tell(metrics);
        let tls = self.clone();
        metrics.gauge(
            "connector_tls_certificate_ends_timestamp_seconds",
            "When the certificate in force ends, in seconds since 1970",
            move || tls.read().ends.as_second() as f64,
        );
        let tls = self.clone();
        metrics.gauge(
            "connector_tls_files_good",
            "Whether the TLS files are those in force: 1, or 0 if they cannot be used",
            move || f64::from(u8::from(tls.read().failed.is_none())),
        );
    }

    /// Looks at the files again and again, for as long as it is polled.
    pub(super) async fn keep_fresh(&self) {
        self.tell_of_end();
        // They were read just now.
        let mut ticks = interval_at(Instant::now() + RECHECK, RECHECK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let tls = self.clone();
            // A file can be on a disk that hangs.
            if let Err(error) = tokio::task::spawn_blocking(move || tls.refresh()).await {
                tracing::error!(%error, "looking at the TLS files failed");
            }
            self.tell_of_end();
        }
    }

    /// Reads the files again, and uses them if they are good and others than before.
    pub fn refresh(&self) {
        let digests = Digests::of(&self.0.files);
        if digests.as_ref().ok() == Some(&self.read().digests) {
            self.write().failed = None;
            return;
        }
        match files::read(&self.0.files) {
            Ok(material) => self.renew(material),
            Err(error) => self.keep(digests.ok(), &error),
        }
    }

    fn renew(&self, material: Material) {
        let Material { config, ends, digests } = material;
        let mut state = self.write();
        let other_callers = digests.clients != state.digests.clients;
        (state.config, state.ends, state.digests) = (config, ends, digests);
        (state.failed, state.warned) = (None, None);
        let trust = if other_callers {
            tracing::info!("other callers' certificates are trusted than before");
            // Whoever came in by the old ones comes in anew.
            std::mem::take(&mut state.trust)
        } else {
            CancellationToken::new()
        };
        drop(state);
        trust.cancel();
        tracing::info!("the TLS files have changed and are used");
        self.tell_of_end();
    }

    /// Leaves what is in force, and says so once. Not at the first look: files that belong together may be seen
    /// while they are being replaced.
    fn keep(&self, seen: Option<Digests>, error: &TlsError) {
        let mut state = self.write();
        let failed = Some(seen);
        if state.failed != failed {
            state.failed = failed;
            state.told = false;
        } else if !state.told {
            state.told = true;
            tracing::error!(%error, "the TLS files cannot be used; those read last stay in force");
        }
    }

    /// Says when the certificate ends, if that is soon.
    fn tell_of_end(&self) {
        let now = now();
        let mut state = self.write();
        let left = state.ends.duration_since(now);
        let due = state.warned.is_none_or(|warned| now.duration_since(warned) >= AGAIN);
        if !due {
            return;
        }
        let ends = state.ends;
        if left.is_negative() {
            tracing::error!(%ends, "the TLS certificate has expired");
        } else if left < WARNED {
            tracing::warn!(%ends, "the TLS certificate ends soon");
        } else if state.warned.is_none() {
            tracing::info!(%ends, "the TLS certificate is good");
        }
        state.warned = Some(now);
    }

    /// What a new connection is met with, and what ends when it is not to be trusted any more.
    pub(super) fn current(&self) -> (Arc<ServerConfig>, CancellationToken) {
        let state = self.read();
        (Arc::clone(&state.config), state.trust.clone())
    }

    /// Who is at the other end.
    pub(super) fn caller(&self, connection: &ServerConnection) -> Caller {
        let Some(clients) = &self.0.files.clients else { return Caller::Unasked };
        let certificate = connection.peer_certificates().and_then(<[_]>::first);
        let admitted = |name: &str| proxies::admits(&clients.names, name);
        match certificate.and_then(names::principal) {
            Some(principal) if admitted(principal.label()) => Caller::Known(principal),
            unknown => {
                self.0.refusals.count("name");
                let name = unknown.as_ref().map_or("-", Principal::label);
                tracing::debug!(name, "a certificate names nobody who may call");
                Caller::Refused
            }
        }
    }

    /// Where refusals are counted.
    pub(super) fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        // The state is valid after every statement, so a panic elsewhere does not spoil it.
        self.0.state.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.0.files).finish_non_exhaustive()
    }
}

fn now() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::UNIX_EPOCH + clock::wall()).unwrap_or(Timestamp::MAX)
}
