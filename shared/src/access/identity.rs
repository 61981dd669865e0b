//! Who is calling: the identity that logs, cursors and confirmations are bound to.

use std::{fmt, hash, sync::Arc};

/// Who is calling. On stdio and on loopback it is the person at this machine. Cheap to clone.
///
/// Two are the same if their [`id`](Self::id) is, whatever they are called in logs.
#[derive(Clone)]
pub struct Principal(Arc<Identity>);

struct Identity {
    id: Box<str>,
    /// Where the label begins in the id.
    label: usize,
    kind: PrincipalKind,
}

/// By what a caller is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// By nothing: whoever could start the process, or reach its loopback address.
    Local,
    /// By an API key.
    Key,
    /// By a client certificate.
    Certificate,
}

impl PrincipalKind {
    /// The word for logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Key => "key",
            Self::Certificate => "certificate",
        }
    }
}

impl Principal {
    /// The person at this machine: whoever could start the process.
    #[must_use]
    pub fn local() -> Self {
        Self::new("", "local", PrincipalKind::Local)
    }

    /// The caller whose API key has this name.
    #[must_use]
    pub fn key(name: &str) -> Self {
        Self::new("key:", name, PrincipalKind::Key)
    }

    /// The caller whose certificate names this address, such as `spiffe://example.org/agent`.
    #[must_use]
    pub fn uri(uri: &str) -> Self {
        Self::new("uri:", uri, PrincipalKind::Certificate)
    }

    /// The caller whose certificate names this host. Case does not count.
    #[must_use]
    pub fn dns(host: &str) -> Self {
        Self::new("dns:", &host.to_ascii_lowercase(), PrincipalKind::Certificate)
    }

    fn new(issuer: &str, label: &str, kind: PrincipalKind) -> Self {
        Self(Arc::new(Identity { id: format!("{issuer}{label}").into(), label: issuer.len(), kind }))
    }

    /// What tells this caller from every other: who vouches for them, and their name there, such as `key:ada`.
    /// Whatever belongs to a caller is bound to it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The caller's name for people who read logs. Another caller, known by something else, may have the same.
    #[must_use]
    pub fn label(&self) -> &str {
        self.0.id.get(self.0.label..).unwrap_or_default()
    }

    /// By what the caller is known.
    #[must_use]
    pub fn kind(&self) -> PrincipalKind {
        self.0.kind
    }

    /// Whether it is the person at this machine, who shares the server with nobody.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.0.kind == PrincipalKind::Local
    }
}

impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Principal {}

impl hash::Hash for Principal {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Principal").field(&self.id()).finish()
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_of_one_name_are_not_the_same_if_somebody_else_vouches_for_them() {
        let all =
            [Principal::local(), Principal::key("local"), Principal::dns("local"), Principal::uri("local")];
        for (index, one) in all.iter().enumerate() {
            assert_eq!(one.label(), "local");
            assert_eq!(one.is_local(), index == 0);
            assert_eq!(all.iter().filter(|other| *other == one).count(), 1, "{one:?}");
        }
        assert_eq!(Principal::dns("Agent.Example"), Principal::dns("agent.example"));
        assert_eq!(Principal::key("ada").id(), "key:ada");
    }
}
