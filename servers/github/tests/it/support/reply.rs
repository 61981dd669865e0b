//! Reading what the agent reads.

use connector::clock;
pub(crate) use connector::testing::{confirm, cursor, rows};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use regex_lite::{Captures, Regex};

/// The numbers that rows of issues and pull requests begin with.
pub(crate) fn numbers(text: &str) -> Vec<u64> {
    text.lines().filter_map(|line| line.strip_prefix('#')?.split(' ').next()?.parse().ok()).collect()
}

/// `text` without what differs from run to run: the marks of fences, cursors, addresses, commits (their days
/// are in their ids), and days, which become `D-3`.
pub(crate) fn still(text: &str) -> String {
    let seconds = i64::try_from(clock::wall().as_secs()).unwrap();
    let today = Timestamp::from_second(seconds).unwrap().to_zoned(TimeZone::UTC).date();
    let day = |found: &Captures<'_>| {
        found[0].parse::<Date>().map_or_else(
            |_| found[0].to_owned(),
            |date| format!("D{:+}", date.since(today).unwrap().get_days()),
        )
    };
    let mut text = text.to_owned();
    for (what, instead) in [
        ("(</?data) [0-9a-f]{10}", "$1"),
        ("cursor \"[^\"]+\"", "cursor \"…\""),
        ("http://127.0.0.1:[0-9]+", "http://sandbox"),
        (r"\b[0-9a-f]{40}\b", "‹sha›"),
        (r"\b[0-9a-f]{12}\b", "‹commit›"),
    ] {
        text = Regex::new(what).unwrap().replace_all(&text, instead).into_owned();
    }
    let text = Regex::new("[0-9]{4}-[0-9]{2}-[0-9]{2}").unwrap().replace_all(&text, day);
    // A moment of today was written by the fake's clock, not by the story.
    let moment = Regex::new(r"(D\+0)[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?Z?").unwrap();
    moment.replace_all(&text, "$1 ‹now›").into_owned()
}
