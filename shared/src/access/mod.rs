//! Who may do what. Knows neither the vendor nor the protocol.

pub mod identity;
pub mod policy;

pub use identity::Principal;
pub use policy::{Policy, Selection};
