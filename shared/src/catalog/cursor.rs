//! Opaque cursors: where a listing goes on, bound to the call that gave it.
//!
//! A cursor holds no secret. It is sealed, with the caller, the tool and the arguments, under a key that only
//! this server and its replicas have: what it says was said by us, so that nobody can make one that leads a
//! listing out of its bounds, and one that strays into another call gives a clear error.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{
    Error, Result,
    access::{KeyRing, Principal},
};

/// Arguments that may differ between the pages of one listing.
const FREE: [&str; 2] = ["cursor", "limit"];
/// Bytes of the seal that a cursor carries: more than anybody can guess by asking.
const TAG: usize = 8;
/// What the keys seal here.
const PURPOSE: &str = "cursor";

/// What a cursor is bound to, and the keys that seal it.
#[derive(Clone, Debug)]
pub struct Binding {
    keys: KeyRing,
    call: [u8; 32],
}

impl Binding {
    /// Binds to `principal`, `tool` and its `arguments`, but for those that page through one listing.
    #[must_use]
    pub fn new(keys: &KeyRing, principal: &Principal, tool: &str, arguments: &Map<String, Value>) -> Self {
        let mut entries: Vec<_> =
            arguments.iter().filter(|(name, _)| !FREE.contains(&name.as_str())).collect();
        entries.sort_by_key(|(name, _)| *name);
        Self { keys: keys.clone(), call: digest(principal, tool, &entries) }
    }
}

/// A digest of who calls what with which arguments, whatever the order of the arguments.
pub(super) fn digest(principal: &Principal, tool: &str, arguments: &impl Serialize) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [principal.id().as_bytes(), tool.as_bytes()] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    // Maps of JSON values always serialize.
    hash.update(serde_json::to_vec(arguments).unwrap_or_default());
    hash.finalize().into()
}

/// Makes a cursor that goes on at `position`.
pub(super) fn seal<T: Serialize>(binding: &Binding, position: &T) -> String {
    // Positions are plain data of ours and always serialize.
    let position = serde_json::to_vec(position).unwrap_or_default();
    let tag: [u8; TAG] = binding.keys.seal(PURPOSE, &[&binding.call, &position]);
    URL_SAFE_NO_PAD.encode([&tag[..], &position].concat())
}

/// Opens a cursor that the caller passed back.
pub(super) fn open<T: DeserializeOwned>(binding: &Binding, cursor: &str) -> Result<T> {
    let foreign = || {
        Error::invalid("`cursor` is not one that this server gave")
            .with_hint("Leave it out to start from the first page")
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| foreign())?;
    let (tag, position) = bytes.split_at_checked(TAG).ok_or_else(foreign)?;
    if serde_json::from_slice::<serde::de::IgnoredAny>(position).is_err() {
        return Err(foreign());
    }
    if !binding.keys.opens(PURPOSE, &[&binding.call, position], tag) {
        return Err(Error::invalid("`cursor` belongs to another call, or is not one that this server gave")
            .with_hint("Repeat the arguments of the call that gave it, or leave `cursor` out to start from the first page"));
    }
    serde_json::from_slice(position).map_err(|_| foreign())
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
        let keys = KeyRing::default();
        let given =
            Binding::new(&keys, &Principal::local(), "list", &arguments(json!({"team": "ENG", "limit": 5})));
        let next = Binding::new(
            &keys,
            &Principal::local(),
            "list",
            &arguments(json!({"cursor": "x", "team": "ENG"})),
        );
        let cursor = seal(&given, &("after", 3));
        assert_eq!(open::<(String, u32)>(&next, &cursor).unwrap(), ("after".to_owned(), 3));
    }

    #[test]
    fn a_cursor_of_another_call_caller_or_server_is_refused() {
        let keys = KeyRing::default();
        let given = Binding::new(&keys, &Principal::local(), "list", &arguments(json!({"team": "ENG"})));
        let cursor = seal(&given, &1);
        for other in [
            Binding::new(&keys, &Principal::local(), "list", &arguments(json!({"team": "OPS"}))),
            Binding::new(&keys, &Principal::local(), "search", &arguments(json!({"team": "ENG"}))),
            Binding::new(&keys, &Principal::key("ada"), "list", &arguments(json!({"team": "ENG"}))),
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
    #[test]
    fn a_cursor_cannot_be_made_or_changed_by_anybody_else() {
        let call = arguments(json!({"team": "ENG"}));
        let given = Binding::new(&KeyRing::default(), &Principal::local(), "list", &call);
        let honest = URL_SAFE_NO_PAD.decode(seal(&given, &"q=mine")).unwrap();
        // The place of another page under an honest seal, and everything made by a server with another key.
        let moved = [&honest[..TAG], b"\"q=all\""].concat();
        let other = Binding::new(&KeyRing::default(), &Principal::local(), "list", &call);
        for forged in [URL_SAFE_NO_PAD.encode(moved), seal(&other, &"q=all")] {
            let error = open::<String>(&given, &forged).unwrap_err().for_agent();
            assert!(error.contains("not one that this server gave"), "{error}");
        }
    }
}
