//! The server for Slack from outside.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on says where"
)]

mod care;
mod cases;
mod fake;
mod large;
mod outcomes;
mod reading;
mod samples;
mod support;
mod trial;
