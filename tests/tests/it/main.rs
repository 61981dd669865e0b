//! What must hold for every server of the suite, and what only one vendor can get wrong.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod architecture;
mod arguments;
mod bad_input;
mod conventions;
mod faults;
mod github;
mod linear;
mod notion;
mod references;
mod replies;
mod slack;
mod storm;
mod story;
mod writes;
