//! What only this server does, seen from outside: each tool, the credentials, and its fake vendor.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on says where"
)]

mod cases;
mod credentials;
mod issues_reads;
mod issues_writes;
mod misled;
mod names;
mod operations;
mod planning_prompts;
mod planning_reads;
mod planning_support;
mod planning_writes;
mod sandbox_files;
mod sandbox_limits;
mod sandbox_oauth;
mod sandbox_reads;
mod sandbox_schema;
mod sandbox_support;
mod sandbox_webhooks;
mod sandbox_writes;
mod spared;
mod telling;
mod trial;
