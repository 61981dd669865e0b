//! What must hold for every server of the suite, written once.
//!
//! A server joins by a line in `server_tests!` and in [`SERVERS`], and by a file in `servers/` that says what the
//! shared tests must know of it: calls that fit its sandbox's story.

#![allow(clippy::expect_used, reason = "a test that cannot go on says where")]

pub mod program;
mod sandboxed;
mod servers;

mod subject;

pub use sandboxed::{Options, Sandboxed};
pub use subject::{Given, IdWalk, Sample, Subject};

/// The servers of the workspace, by their keys.
pub const SERVERS: &[&str] = &[
    <github_mcp::GitHub as connector::Connector>::ABOUT.key,
    <linear_mcp::Linear as connector::Connector>::ABOUT.key,
];

/// Runs generic tests (`async fn name<S: Subject>()`) against every server of the workspace, on paused
/// time.
///
/// ```ignore
/// suite::every_server!(names_say_what_is_done, lists_page_to_their_end);
/// ```
#[macro_export]
macro_rules! every_server {
    ($($test:ident),+ $(,)?) => {
        $crate::server_tests!(#[tokio::test(start_paused = true)] $($test)+);
    };
}

/// Runs generic tests against every server's real program, on real time.
#[macro_export]
macro_rules! every_program {
    ($($test:ident),+ $(,)?) => {
        $crate::server_tests!(#[tokio::test] $($test)+);
    };
}

/// The tests of each server, in a module of its name. A server joins by one line here.
#[doc(hidden)]
#[macro_export]
macro_rules! server_tests {
    (#[$kind:meta] $($test:ident)+) => {
        $crate::server_tests!(@server #[$kind] github, github_mcp::GitHub, $($test)+);
        $crate::server_tests!(@server #[$kind] linear, linear_mcp::Linear, $($test)+);
    };
    (@server #[$kind:meta] $name:ident, $server:ty, $($test:ident)+) => {
        mod $name {
            $(
                #[$kind]
                async fn $test() {
                    super::$test::<$server>().await;
                }
            )+
        }
    };
}

/// The o200k tokens of `text`: what a model's context pays for it.
///
/// # Panics
/// If the tokenizer's tables, which are in its crate, cannot be loaded.
#[must_use]
pub fn tokens(text: &str) -> usize {
    static TOKENIZER: std::sync::LazyLock<tiktoken_rs::CoreBPE> =
        std::sync::LazyLock::new(|| tiktoken_rs::o200k_base().expect("the tables are in the crate"));
    TOKENIZER.encode_ordinary(text).len()
}
