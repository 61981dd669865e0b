//! Why connections were refused: so many, for a word each.

use std::{
    io,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use rustls::{CertificateError, Error};

use crate::telemetry::Metrics;

/// How many connections were refused, by the word for why.
#[derive(Default)]
pub(in super::super) struct Refusals {
    counts: [AtomicU64; WORDS.len()],
    metrics: OnceLock<Weak<Metrics>>,
}

/// The words. `name`: the certificate names nobody who may call; `tls`: anything that is wrong with TLS itself.
const WORDS: [&str; 8] =
    ["no_certificate", "unknown_authority", "expired", "revoked", "purpose", "name", "certificate", "tls"];

impl Refusals {
    /// Has them counted by `metrics` too.
    pub(super) fn tell(&self, metrics: &Arc<Metrics>) {
        // Whoever is told first stays told.
        let _ = self.metrics.set(Arc::downgrade(metrics));
    }

    /// Counts one more.
    pub(super) fn count(&self, word: &'static str) {
        if let Some(at) = WORDS.iter().position(|known| *known == word) {
            self.counts[at].fetch_add(1, Ordering::Relaxed);
        }
        if let Some(metrics) = self.metrics.get().and_then(Weak::upgrade) {
            metrics.refused(word);
        }
    }

    /// Counts a handshake that failed, and gives the word for why; none if the client only went away.
    pub(in super::super) fn count_failed(&self, error: &io::Error) -> Option<&'static str> {
        let word = word(error.get_ref()?.downcast_ref::<Error>()?);
        self.count(word);
        Some(word)
    }

    /// How many of each, those that there were.
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        WORDS.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect()
    }
}

fn word(error: &Error) -> &'static str {
    use CertificateError as Fault;
    match error {
        Error::NoCertificatesPresented => "no_certificate",
        Error::InvalidCertificate(fault) => match fault {
            // Signed by nobody we know, be it under a known name.
            Fault::UnknownIssuer | Fault::BadSignature => "unknown_authority",
            Fault::Expired
            | Fault::ExpiredContext { .. }
            | Fault::NotValidYet
            | Fault::NotValidYetContext { .. } => "expired",
            Fault::Revoked | Fault::UnknownRevocationStatus => "revoked",
            Fault::InvalidPurpose | Fault::InvalidPurposeContext { .. } => "purpose",
            _ => "certificate",
        },
        _ => "tls",
    }
}
