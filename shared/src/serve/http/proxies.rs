//! Callers whom a proxy in front vouches for: it has checked their certificates, and says whom they name in
//! `X-Forwarded-Client-Cert`, as Envoy writes it.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, StatusCode};

use super::connections::Peer;
use crate::{access::Principal, telemetry::Metrics};

const HEADER: HeaderName = HeaderName::from_static("x-forwarded-client-cert");

/// The proxies whose word is taken, and for whom.
#[derive(Clone, Debug)]
pub struct Proxies(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    networks: Vec<Network>,
    names: Vec<String>,
}

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Proxies {
    /// Those at `addresses`, each an address or a network such as `10.0.0.0/8`, for callers whose names one of the
    /// globs in `names` fits, or for all if there are none. An address that is none is given back.
    ///
    /// # Errors
    /// The first of `addresses` that is none.
    pub fn new(addresses: &[String], names: Vec<String>) -> Result<Self, String> {
        let network = |text: &String| Network::parse(text).ok_or_else(|| text.clone());
        let networks = addresses.iter().map(network).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Inner { networks, names })))
    }

    /// Whom the proxy at `peer` vouches for.
    fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> Result<Principal, Refusal> {
        if !self.0.networks.iter().any(|network| network.contains(peer)) {
            return Err(Refusal { reason: "proxy", text: "Calls come through the proxy." });
        }
        let mut values = headers.get_all(HEADER).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Refusal { reason: "no_certificate", text: "The proxy must name one caller." });
        };
        let named = value.to_str().ok().and_then(named).filter(|who| admits(&self.0.names, who.label()));
        named.ok_or(Refusal { reason: "name", text: "The certificate names nobody who may call." })
    }
}

/// Why nobody is let in: a word for the metrics, those of our own TLS where they fit, and a sentence.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    reason: &'static str,
    text: &'static str,
}

/// The proxies, and where refusals are counted, if anywhere.
#[derive(Clone)]
pub(super) struct Door {
    proxies: Proxies,
    metrics: Option<Arc<Metrics>>,
}

impl Door {
    pub(super) fn new(proxies: Proxies, metrics: Option<Arc<Metrics>>) -> Self {
        Self { proxies, metrics }
    }
}

/// Whether a name may call: one of the globs fits, or there are none.
pub(super) fn admits(globs: &[String], name: &str) -> bool {
    globs.is_empty() || globs.iter().any(|glob| fast_glob::glob_match(glob, name))
}

/// Lets a request in under the name that the proxy gives.
pub(super) async fn check(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let Some(Peer(peer)) = peer else { return StatusCode::FORBIDDEN.into_response() };
    match door.proxies.caller(peer, request.headers()) {
        Ok(principal) => {
            request.headers_mut().remove(HEADER);
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(Refusal { reason, text }) => {
            if let Some(metrics) = &door.metrics {
                metrics.refused(reason);
            }
            (StatusCode::FORBIDDEN, text).into_response()
        }
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    fn contains(self, peer: IpAddr) -> bool {
        match (self.address, peer.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(peer)) => {
                (own.to_bits() ^ peer.to_bits()).checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(peer)) => {
                (own.to_bits() ^ peer.to_bits()).checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// The one whom a value of the header names: by the first address of its only certificate, or else by its first host.
/// Several certificates are those of several proxies, of which some are not ours.
fn named(value: &str) -> Option<Principal> {
    let mut certificates = split(value, ',');
    let (certificate, None) = (certificates.next()?, certificates.next()) else { return None };
    let pairs: Vec<(&str, String)> = split(certificate, ';')
        .filter_map(|pair| pair.split_once('=').map(|(key, value)| (key.trim(), unquoted(value.trim()))))
        .collect();
    let first = |wanted: &str| {
        pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
    };
    match (first("URI"), first("DNS")) {
        (Some(uri), _) => is_plain(uri).then(|| Principal::uri(uri)),
        (None, Some(host)) => (is_plain(host) && !host.contains('*')).then(|| Principal::dns(host)),
        (None, None) => None,
    }
}

/// The parts of `text` between `separator`, but for those in quotation marks.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |next: char| {
        let outside = !quoted;
        match next {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
        outside && next == separator
    })
}

fn unquoted(value: &str) -> String {
    match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => inside.replace("\\\"", "\""),
        None => value.to_owned(),
    }
}

/// Whether a name can stand in a log as it is.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_the_addresses_that_begin_alike() {
        let contains =
            |network: &str, peer: &str| Network::parse(network).unwrap().contains(peer.parse().unwrap());
        for (network, peer, expected) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("127.0.0.1", "::ffff:127.0.0.1", true),
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
        ] {
            assert_eq!(contains(network, peer), expected, "{network} {peer}");
        }
        for wrong in ["", "proxy", "10.0.0.0/33", "10.0.0.0/", "fd00::/129", "10.0.0.0/-1"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }

    /// As in Envoy's documentation of the header.
    #[test]
    fn the_only_certificate_names_the_caller() {
        let uri = "spiffe://example.org/agents/ada";
        for (value, expected) in [
            (
                format!("By=http://frontend;Hash=46;Subject=\"/C=US/CN=x\";URI={uri}"),
                Some(Principal::uri(uri)),
            ),
            (
                format!("Subject=\"O=a, URI=evil; \\\"b\";URI=\"{uri}\";DNS=a.example"),
                Some(Principal::uri(uri)),
            ),
            ("By=x;DNS=A.example;DNS=b.example".to_owned(), Some(Principal::dns("a.example"))),
            (format!("URI={uri},URI=spiffe://example.org/agents/ben"), None),
            ("DNS=*.example".to_owned(), None),
            ("URI=".to_owned(), None),
            ("Subject=\"CN=a\"".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(named(&value), expected, "{value}");
        }
    }
}
