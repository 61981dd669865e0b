//! What must hold for every server of the suite, written once.
//!
//! A server joins by one line in [`every_server!`], and by a file in `servers/` that says what the
//! shared tests must know of it: calls that fit its sandbox's story.

#![allow(clippy::expect_used, reason = "a test that cannot go on says where")]

pub mod program;
mod sandboxed;
mod servers;

mod subject;

pub use sandboxed::{Options, Sandboxed};
pub use subject::{Given, IdWalk, Sample, Subject};

/// Runs generic tests (`async fn name<S: Subject>()`) against every server the workspace has, on
/// paused time.
///
/// ```ignore
/// suite::every_server!(names_say_what_is_done, lists_page_to_their_end);
/// ```
#[macro_export]
macro_rules! every_server {
    ($($test:ident),+ $(,)?) => {
        $crate::every_server!(@server linear, linear_mcp::Linear, $($test)+);
    };
    (@server $name:ident, $server:ty, $($test:ident)+) => {
        mod $name {
            $(
                #[tokio::test(start_paused = true)]
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
