//! The files of TLS: read, looked through, and made into what connections are met with.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    version::TLS13,
};
use sha2::{Digest as _, Sha256};
use x509_parser::{certificate::X509Certificate, prelude::FromDer as _};

use super::{ClientFiles, TlsFiles};

/// What the files give when they are good together.
pub(super) struct Material {
    pub(super) config: Arc<ServerConfig>,
    /// When the certificate ends.
    pub(super) ends: Timestamp,
    pub(super) digests: Digests,
}

/// What tells one content of the files from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digests {
    own: [u8; 32],
    pub(super) clients: [u8; 32],
}

/// Why the files of TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// One is not what it should be. Nothing of it is shown: it may hold a key.
    #[error("{} has no usable {expected}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should hold, in PEM.
        expected: &'static str,
    },
    /// The certificate and the key do not fit, or cannot be used for TLS.
    #[error("the certificate in {} and its key cannot be used: {source}", path.display())]
    Certificate {
        /// The file of the certificate.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The authorities or what they revoked cannot be used.
    #[error("the authorities in {} cannot be used: {why}", path.display())]
    Clients {
        /// The file of the authorities.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl Digests {
    /// Those of the files as they are now.
    pub(super) fn of(files: &TlsFiles) -> Result<Self, TlsError> {
        let mut own = Sha256::new();
        for path in [&files.certificate, &files.key] {
            own.update(Sha256::digest(bytes(path)?));
        }
        let mut clients = Sha256::new();
        if let Some(ClientFiles { authorities, revoked, .. }) = &files.clients {
            for path in [Some(authorities), revoked.as_ref()].into_iter().flatten() {
                clients.update(Sha256::digest(bytes(path)?));
            }
        }
        Ok(Self { own: own.finalize().into(), clients: clients.finalize().into() })
    }
}

/// Reads the files.
pub(super) fn read(files: &TlsFiles) -> Result<Material, TlsError> {
    // Before what it tells of: whatever changes in between is seen at the next look.
    let digests = Digests::of(files)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let unusable = |source| TlsError::Certificate { path: files.certificate.clone(), source };
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&bytes(&files.key)?)
        .map_err(|_| TlsError::Content { path: files.key.clone(), expected: "private key" })?;
    let ends = chain
        .first()
        .and_then(end)
        .ok_or_else(|| TlsError::Content { path: files.certificate.clone(), expected: "certificate" })?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])
        .map_err(unusable)?;
    let builder = match &files.clients {
        Some(clients) => builder.with_client_cert_verifier(verifier(clients, provider)?),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if files.clients.is_some() {
        // A session that is taken up again is not looked at again: its certificate may be revoked or over by then.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Material { config: Arc::new(config), ends, digests })
}

fn verifier(
    clients: &ClientFiles,
    provider: Arc<rustls::crypto::CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let path = &clients.authorities;
    let unusable =
        |why: &dyn std::fmt::Display| TlsError::Clients { path: path.clone(), why: why.to_string() };
    let mut roots = RootCertStore::empty();
    for authority in certificates(path)? {
        roots.add(authority).map_err(|error| unusable(&error))?;
    }
    let lists = match &clients.revoked {
        Some(path) => revocations(path)?,
        None => Vec::new(),
    };
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .with_crls(lists)
        .build()
        .map_err(|error| unusable(&error))
}

/// The certificates in a file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let content = || TlsError::Content { path: path.to_owned(), expected: "certificate" };
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(&bytes(path)?).collect::<Result<_, _>>().map_err(|_| content())?;
    if found.is_empty() { Err(content()) } else { Ok(found) }
}

/// The lists of revoked certificates in a file, at least one.
fn revocations(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let content = || TlsError::Content { path: path.to_owned(), expected: "list of revoked certificates" };
    let found: Vec<_> = CertificateRevocationListDer::pem_slice_iter(&bytes(path)?)
        .collect::<Result<_, _>>()
        .map_err(|_| content())?;
    if found.is_empty() { Err(content()) } else { Ok(found) }
}

fn end(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })
}
