//! What must hold for every server of the suite.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod architecture;
mod arguments;
mod attack;
mod bad_input;
mod balanced;
mod bounds;
mod confirming;
mod conventions;
mod faults;
mod hidden;
mod lost;
mod pace;
mod references;
mod replies;
mod serving;
mod stopping;
mod storm;
mod story;
mod team;
mod work;
mod writes;
