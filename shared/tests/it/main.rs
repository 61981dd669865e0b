//! What the common crate does for any server, seen from outside: the protocol on both transports, the command line.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod administering;
mod cli_behaviour;
mod keeping_connections;
mod notes;
mod quotas;
mod serving_http;
mod serving_pipes;
mod serving_tls;
#[cfg(all(unix, feature = "redis"))]
mod sharing;
mod watching;
