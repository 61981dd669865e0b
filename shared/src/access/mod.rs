//! Who may do what. Knows neither the vendor nor the protocol.

pub mod api_keys;
pub mod identity;
pub mod policy;

pub use api_keys::{ApiKeys, ApiKeysError, KeysState};
pub use identity::Principal;
pub use policy::{Policy, Selection};
