//! Who may do what. Knows neither the vendor nor the protocol.

pub mod api_keys;
pub mod bounds;
pub mod identity;
pub mod keys;
pub mod policy;
pub mod quota;
pub mod rights;
pub mod scopes;

pub use api_keys::{ApiKeys, ApiKeysError, KeysState};
pub use bounds::{Bounded, Bounds};
pub use identity::{Principal, PrincipalKind};
pub use keys::{KeyRing, KeyRingError};
pub use policy::{Capability, Denial, Policy, Selection};
pub use quota::{FailedLogins, Quotas};
pub use rights::Rights;
pub use scopes::Granted;
