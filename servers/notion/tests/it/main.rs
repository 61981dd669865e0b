//! The server for Notion from outside.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod cases;
mod dialect;
mod edits;
mod filters;
mod left_out;
mod looks;
mod structured;
mod values;
// What the suite demands of a server, and what this one gives: its samples are used here too.
#[allow(dead_code, unreachable_pub, reason = "the suite uses all of it")]
#[path = "../../../../tests/src/subject.rs"]
mod demands;
mod fake;
#[allow(dead_code, unreachable_pub, reason = "the suite uses all of it")]
#[path = "../../../../tests/src/marked.rs"]
mod marked;
mod offered;
mod outcomes;
mod pages;
mod published;
mod replies;
#[allow(dead_code, unreachable_pub, reason = "the suite uses all of it")]
#[path = "../suite/subject.rs"]
mod subject;
mod support;
mod tools;
mod trial;

use connector::testing::Sample;
use demands::{IdForm, IdWalk, Overtaken, Subject};
use marked::{FIRST_ID, MARK, Marked, THE_ID};
