//! Which era a request belongs to, and what that changes in its result.

use rmcp::{
    RoleServer,
    model::{CacheScope, MetaObject, ProtocolVersion},
    service::RequestContext,
};
use serde_json::{Value, json};

/// How long a client may keep a list: what is offered changes only with a new start of the server.
pub(super) const LIST_TTL_MS: u64 = 5 * 60 * 1_000;

/// Whether the request speaks the protocol of 2026-07-28 or newer. Versions are dates, and sort as such.
pub(super) fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context
        .protocol_version()
        .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}

/// Whether the client says that it can put a form before a person. Modern clients say it with every
/// request, and saying neither form nor URL means form.
pub(super) fn can_elicit(context: &RequestContext<RoleServer>) -> bool {
    context
        .client_capabilities()
        .and_then(|capabilities| capabilities.elicitation)
        .is_some_and(|elicitation| elicitation.form.is_some() || elicitation.url.is_none())
}

/// The server's name and version, as modern results carry it.
pub(super) struct Signature(Value);

impl Signature {
    const KEY: &'static str = "io.modelcontextprotocol/serverInfo";

    pub(super) fn new(name: &str, version: &str) -> Self {
        Self(json!({"name": name, "version": version}))
    }

    /// Signs a result, if it goes to a modern client.
    pub(super) fn sign(&self, context: &RequestContext<RoleServer>, meta: &mut Option<MetaObject>) {
        if is_modern(context) {
            meta.get_or_insert_default().0.insert(Self::KEY.to_owned(), self.0.clone());
        }
    }
}

/// Signs a list and says how long it may be kept, and whether for others too: not where it depends on who
/// asks. Legacy clients get neither.
macro_rules! publish {
    ($inner:expr, $context:expr, $list:expr) => {{
        let mut list = $list;
        if $crate::protocol::era::is_modern(&$context) {
            list.ttl_ms = Some($crate::protocol::era::LIST_TTL_MS);
            list.cache_scope = Some(if $inner.service.depends_on_caller() {
                rmcp::model::CacheScope::Private
            } else {
                rmcp::model::CacheScope::Public
            });
            $inner.listing.signature.sign(&$context, &mut list.meta);
        }
        list
    }};
}
pub(super) use publish;

/// What a resource says about keeping it: nobody may, because only the vendor knows if it changed
/// and who may see it.
pub(super) fn read_hints(context: &RequestContext<RoleServer>) -> (Option<u64>, Option<CacheScope>) {
    if is_modern(context) { (Some(0), Some(CacheScope::Private)) } else { (None, None) }
}
