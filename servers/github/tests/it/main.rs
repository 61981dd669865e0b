//! What only this server does, seen from outside: each tool, its bounds, and its fake vendor.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on says where"
)]

mod account_tools;
mod actions_tools;
mod bounds;
mod cases;
mod checks_unread;
mod everyday;
mod issue_tools;
mod issue_writes;
mod merging;
mod optin_tools;
mod people;
mod prompts_and_resources;
mod pull_tools;
mod pull_writes;
mod repo_reads;
mod repo_tools;
mod sandbox_actions;
mod sandbox_auth;
mod sandbox_limits;
mod sandbox_pulls;
mod sandbox_repos;
mod sandbox_routes;
mod sandbox_social;
mod sandbox_tracker;
mod search_tools;
mod spared;
mod support;
mod told;
mod trial;
mod watching;
