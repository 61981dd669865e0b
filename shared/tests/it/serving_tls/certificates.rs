//! Authorities and certificates, made anew for every test.

use std::{fs, path::PathBuf};

use connector::serve::{ClientFiles, TlsFiles};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;

/// Who signs certificates.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) pem: String,
}

/// A certificate and its key.
pub(super) struct Certified {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) pem: String,
    pub(super) key_pem: String,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for `names`, of which those with `://` are addresses; `shape` changes it.
    pub(super) fn certify(&self, names: &[&str], shape: impl FnOnce(&mut CertificateParams)) -> Certified {
        let mut params = named(names);
        shape(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Certified::new(&certificate, &key)
    }

    /// A certificate of a caller by the name of `name`.
    pub(super) fn caller(&self, name: &str) -> Certified {
        self.certify(&[name], |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])
    }

    /// The list that revokes the certificates of these serial numbers, in PEM.
    pub(super) fn revoke(&self, serials: &[u64]) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2100, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

impl Certified {
    /// One that vouches for itself.
    pub(super) fn by_itself(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self::new(&named(&[name]).self_signed(&key).unwrap(), &key)
    }

    fn new(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

fn named(names: &[&str]) -> CertificateParams {
    let (addresses, hosts): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| name.contains("://"));
    let mut params =
        CertificateParams::new(hosts.into_iter().map(str::to_owned).collect::<Vec<_>>()).unwrap();
    params.subject_alt_names.extend(addresses.into_iter().map(|uri| SanType::URI(uri.try_into().unwrap())));
    params
}

/// The files of a server whose callers' authority is `clients`.
pub(super) struct Files {
    pub(super) folder: TempDir,
    pub(super) own: Authority,
    pub(super) clients: Authority,
}

impl Files {
    pub(super) fn new() -> Self {
        let files = Self {
            folder: tempfile::tempdir().unwrap(),
            own: Authority::new("servers"),
            clients: Authority::new("callers"),
        };
        files.renew("localhost");
        files.write("clients.pem", &files.clients.pem);
        files
    }

    /// Puts a new certificate of the server's there.
    pub(super) fn renew(&self, name: &str) -> Certified {
        let server = self.own.certify(&[name], |_| ());
        self.write("server.pem", &server.pem);
        self.write("server.key", &server.key_pem);
        server
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Without certificates of callers.
    pub(super) fn plain(&self) -> TlsFiles {
        TlsFiles { certificate: self.path("server.pem"), key: self.path("server.key"), clients: None }
    }

    pub(super) fn mutual(&self) -> TlsFiles {
        let clients = ClientFiles { authorities: self.path("clients.pem"), revoked: None, names: Vec::new() };
        TlsFiles { clients: Some(clients), ..self.plain() }
    }
}
