//! Opaque cursors: where a listing goes on, bound to the call that gave it.
//!
//! A cursor holds no secret and grants nothing: the vendor's credential decides what can be read.
//! It is bound to the caller, the tool and the arguments by a digest, so that one that strays into
//! another call gives a clear error rather than a wrong page. Any replica can open it.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{Error, Result, access::Principal};

/// Arguments that may differ between the pages of one listing.
const FREE: [&str; 2] = ["cursor", "limit"];
/// Bytes of the digest that a cursor carries: enough to tell calls apart by accident or mischief.
const TAG: usize = 6;

/// What a cursor is bound to.
#[derive(Clone, Debug)]
pub struct Binding(Arc<[u8; TAG]>);

impl Binding {
    /// Binds to `principal`, `tool` and its `arguments`, but for those that page through one listing.
    #[must_use]
    pub fn new(principal: &Principal, tool: &str, arguments: &Map<String, Value>) -> Self {
        let mut entries: Vec<_> =
            arguments.iter().filter(|(name, _)| !FREE.contains(&name.as_str())).collect();
        entries.sort_by_key(|(name, _)| *name);
        let digest = digest(principal, tool, &entries);
        let mut tag = [0; TAG];
        tag.copy_from_slice(&digest[..TAG]);
        Self(Arc::new(tag))
    }
}

/// A digest of who calls what with which arguments, whatever the order of the arguments.
pub(super) fn digest(principal: &Principal, tool: &str, arguments: &impl Serialize) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [principal.name().as_bytes(), tool.as_bytes()] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    // Maps of JSON values always serialize.
    hash.update(serde_json::to_vec(arguments).unwrap_or_default());
    hash.finalize().into()
}

/// Makes a cursor that goes on at `position`.
pub(super) fn seal<T: Serialize>(binding: &Binding, position: &T) -> String {
    let mut bytes = binding.0.to_vec();
    // Positions are plain data of ours and always serialize.
    bytes.extend(serde_json::to_vec(position).unwrap_or_default());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Opens a cursor that the caller passed back.
pub(super) fn open<T: DeserializeOwned>(binding: &Binding, cursor: &str) -> Result<T> {
    let foreign = || {
        Error::invalid("`cursor` is not one that this server gave")
            .with_hint("Leave it out to start from the first page")
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| foreign())?;
    let (tag, position) = bytes.split_at_checked(TAG).ok_or_else(foreign)?;
    let position = serde_json::from_slice(position).map_err(|_| foreign())?;
    if tag != binding.0.as_slice() {
        return Err(Error::invalid("`cursor` belongs to another call")
            .with_hint("Repeat the arguments of the call that gave it, or leave `cursor` out to start from the first page"));
    }
    Ok(position)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arguments(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_cursor_opens_for_the_call_that_gave_it() {
        let given = Binding::new(&Principal::local(), "list", &arguments(json!({"team": "ENG", "limit": 5})));
        let next =
            Binding::new(&Principal::local(), "list", &arguments(json!({"cursor": "x", "team": "ENG"})));
        let cursor = seal(&given, &("after", 3));
        assert_eq!(open::<(String, u32)>(&next, &cursor).unwrap(), ("after".to_owned(), 3));
    }

    #[test]
    fn a_cursor_of_another_call_caller_or_server_is_refused() {
        let given = Binding::new(&Principal::local(), "list", &arguments(json!({"team": "ENG"})));
        let cursor = seal(&given, &1);
        for other in [
            Binding::new(&Principal::local(), "list", &arguments(json!({"team": "OPS"}))),
            Binding::new(&Principal::local(), "search", &arguments(json!({"team": "ENG"}))),
            Binding::new(&Principal::named("ada"), "list", &arguments(json!({"team": "ENG"}))),
        ] {
            assert!(open::<u32>(&other, &cursor).unwrap_err().for_agent().contains("another call"));
        }
        assert!(
            open::<u32>(&given, "bm90IG91cnM")
                .unwrap_err()
                .for_agent()
                .contains("not one that this server gave")
        );
    }
}
