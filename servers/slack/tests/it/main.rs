//! The server for Slack from outside.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on says where"
)]

mod audience;
mod care;
mod cases;
mod catching;
mod fake;
mod files;
mod large;
mod lists;
mod offered;
mod organization;
mod outcomes;
mod reading;
mod replicas;
mod rotation;
mod samples;
mod searching;
mod sending;
mod support;
mod trial;
mod whole;
