//! Whom a certificate names.

use rustls::pki_types::CertificateDer;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer as _};

use super::super::proxies::is_plain;
use crate::access::Principal;

/// The one whom a caller's certificate names: by its first address, such as a SPIFFE id, which a certificate has one
/// of (SPIFFE's X509-SVID, 2), or else by its first host. A subject's common name is no name (RFC 9525, 2).
pub(super) fn principal(certificate: &CertificateDer<'_>) -> Option<Principal> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let names = &certificate.subject_alternative_name().ok()??.value.general_names;
    let address = names.iter().find_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    if let Some(uri) = address {
        return is_plain(uri).then(|| Principal::uri(uri));
    }
    let host = names.iter().find_map(|name| match name {
        GeneralName::DNSName(host) => Some(*host),
        _ => None,
    })?;
    (is_plain(host) && !host.contains('*')).then(|| Principal::dns(host))
}
