//! The tests' server as a program of its own.

#![allow(clippy::unwrap_used, reason = "the tests' server, though the lint cannot know")]

mod notes;

fn main() -> std::process::ExitCode {
    connector::main::<notes::Notes>()
}
