//! The server for Notion from outside.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod cases;
mod fake;
mod outcomes;
mod pages;
mod support;
mod tools;
mod trial;
