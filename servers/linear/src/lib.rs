//! Placeholder while the workspace is laid out.

#[cfg(feature = "sandbox")]
pub mod sandbox;
