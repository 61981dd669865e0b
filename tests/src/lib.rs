//! What must hold for every server of the suite, written once.
//!
//! A server joins by a line in this crate's manifest and by `tests/suite/` in its folder: `subject.rs` says what the
//! shared tests must know of it, which is calls that fit its sandbox's story and what its vendor can and cannot do.

#![allow(clippy::expect_used, reason = "a test that cannot go on says where")]

mod marked;
pub mod program;
mod subject;

/// The servers of the workspace, each in a module of its name.
pub mod servers {
    include!(concat!(env!("OUT_DIR"), "/servers.rs"));
}

pub use connector::testing::{Client, Era, Options, Sample, Sandboxed, tokens};
pub use marked::{FIRST_ID, Guard, MARK, Marked, Place, Standing, Step, THE_ID, marker, texts_of, with_ids};
pub use servers::SERVERS;
pub use subject::{Bounded, IdForm, IdWalk, Overtaken, Settings, Subject, gives, lacking, lacks};

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
