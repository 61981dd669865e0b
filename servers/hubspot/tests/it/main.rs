//! The server for HubSpot over its own fake, through its tools.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod ambiguous;
mod cases;
mod counting;
mod fake;
mod outcomes;
mod story;
mod support;
mod trial;
