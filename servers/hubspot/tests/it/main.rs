//! The server for HubSpot over its own fake, through its tools.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod ambiguous;
mod cases;
mod conditions;
mod counting;
mod credentials;
mod custom_objects;
// What the suite demands of a server, and what this one gives: its samples are used here too.
#[allow(dead_code, unreachable_pub, reason = "the suite uses all of it")]
#[path = "../../../../tests/src/subject.rs"]
mod demands;
mod fake;
mod filled;
mod lagging;
mod logged;
#[allow(dead_code, unreachable_pub, reason = "the suite uses all of it")]
#[path = "../../../../tests/src/marked.rs"]
mod marked;
mod misled;
mod money;
mod named;
mod offered;
mod optional;
mod outcomes;
mod published;
mod reads;
mod redacted;
mod rows;
mod second_calls;
mod states;
mod story;
#[allow(dead_code, unreachable_pub, reason = "the suite uses all of it")]
#[path = "../suite/subject.rs"]
mod subject;
mod support;
mod texts;
mod trial;
mod webhooks;

use connector::testing::Sample;
use demands::{IdForm, IdWalk, Overtaken, Subject};
use marked::{MARK, Marked, THE_ID, texts_of};
