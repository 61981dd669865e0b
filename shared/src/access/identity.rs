//! Who is calling: the name that logs, cursors and confirmations are bound to.

use std::{fmt, sync::Arc};

/// Who is calling. On stdio and on loopback it is the person at this machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    name: Arc<str>,
}

impl Principal {
    /// The person at this machine: whoever could start the process.
    #[must_use]
    pub fn local() -> Self {
        Self { name: Arc::from("local") }
    }

    /// A caller known by `name`, such as the name of an API key.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: Arc::from(name) }
    }

    /// The name, unique among the callers of one server.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
