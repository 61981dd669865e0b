//! The vendor's certificate: trusted through a CA file, and named when something is wrong with it.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{Error, Kind, Retry};

/// A server on loopback with a certificate of an authority of its own.
struct Secured {
    url: Url,
    folder: TempDir,
}

impl Secured {
    /// `shape` changes the certificate from a good one for 127.0.0.1.
    async fn start(shape: impl FnOnce(&mut CertificateParams)) -> Self {
        super::super::tls::install();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);

        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        shape(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap().der().clone();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));

        let (mut url, _) = raw(move |_, stream| {
            let acceptor = acceptor.clone();
            Box::pin(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = TowerToHyperService::new(axum::Router::new().fallback(|| async { ok("{}") }));
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            })
        })
        .await;
        url.set_scheme("https").unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority_pem).unwrap();
        Self { url, folder }
    }

    async fn call(&self, trusting: bool) -> Result<Response> {
        let ca_file = trusting.then(|| self.folder.path().join("ca.pem"));
        upstream(Options { ca_file, ..options(&self.url) }).send(write()).await
    }

    async fn failure(&self, trusting: bool) -> Error {
        let error = self.call(trusting).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (Kind::Upstream, Retry::Never), "{error}");
        error
    }
}

#[tokio::test(start_paused = true)]
async fn an_own_authority_is_trusted_through_its_file() {
    Secured::start(|_| ()).await.call(true).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_unknown_authority_is_named_with_what_to_do() {
    let error = Secured::start(|_| ()).await.failure(false).await;
    insta::assert_snapshot!(error.for_agent(), @"upstream: cannot reach Acme: the certificate of 127.0.0.1 comes from an authority that is not trusted here. If a proxy or an own server is meant to be there, give its authority as a CA file.");
}

#[tokio::test(start_paused = true)]
async fn an_expired_certificate_is_named_with_its_day() {
    let server = Secured::start(|params| {
        params.not_before = date_time_ymd(2023, 1, 1);
        params.not_after = date_time_ymd(2024, 1, 1);
    })
    .await;
    let error = server.failure(true).await;
    insta::assert_snapshot!(error.for_agent(), @"upstream: cannot reach Acme: the certificate of 127.0.0.1 expired on 2024-01-01. The service must renew it; check this machine's clock too.");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_for_another_name_is_told_as_that() {
    let server = Secured::start(|params| {
        *params = CertificateParams::new(vec!["elsewhere.example".to_owned()]).unwrap();
    })
    .await;
    let error = server.failure(true).await;
    insta::assert_snapshot!(error.for_agent(), @"upstream: cannot reach Acme: the certificate of 127.0.0.1 is for another name. Check the API address and the proxy.");
}

#[tokio::test(start_paused = true)]
async fn a_ca_file_that_is_none_is_told_as_that() {
    let server = Secured::start(|_| ()).await;
    std::fs::write(server.folder.path().join("ca.pem"), "no certificate").unwrap();
    let error = server.call(true).await.unwrap_err();
    assert_eq!(error.message(), "the CA file holds no certificate");
}
