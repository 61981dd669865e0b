//! What every server of the suite shares, from the ground up: the words everything uses
//! ([`error`], [`effect`], [`clock`], [`secret`]), what leaves for the vendor ([`upstream`]), and
//! the fake vendors' common parts ([`sandbox`]).

pub mod access;
pub mod catalog;
pub mod clock;
pub mod effect;
pub mod error;
pub mod sandbox;
pub mod secret;
pub mod upstream;

pub use effect::Effect;
pub use error::{Error, Kind, Result, Retry};
pub use secret::Secret;
pub use upstream::tls;
