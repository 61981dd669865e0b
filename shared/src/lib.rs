//! What every server of the suite shares, from the ground up: the words everything uses
//! ([`error`], [`effect`], [`clock`], [`secret`]), what leaves for the vendor ([`upstream`]), who may
//! do what ([`access`]), what a server offers ([`catalog`]), the fake vendors' common parts
//! ([`sandbox`]), and the program around it all ([`settings`], [`cli`]).

pub mod access;
pub mod catalog;
mod check;
pub mod cli;
pub mod clock;
mod connector;
pub mod effect;
pub mod error;
pub mod prelude;
pub mod protocol;
pub mod replicas;
pub mod sandbox;
pub mod secret;
pub mod serve;
pub mod service;
pub mod settings;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tolerant;
pub mod upstream;

pub use check::{Check, CheckState, NO_CREDENTIAL};
pub use cli::main;
pub use connector::{About, Connector, Sandbox};
pub use effect::Effect;
pub use error::{Error, Kind, Result, Retry};
pub use secret::Secret;
pub use service::{Service, ServiceOptions};
pub use upstream::tls;
