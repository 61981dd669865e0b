//! The log of a job as lines for a model: without timestamps and colours, groups folded, the part that
//! failed found.
//!
//! Every line of a log begins with a time (`2026-11-24T06:40:12.1234567Z `); `##[group]`, `##[error]` and
//! others like them mark what the web page folds and colours (docs.github.com, "Workflow commands for GitHub
//! Actions").

use std::{borrow::Cow, ops::Range};

use jiff::Timestamp;
use regex_lite::Regex;

use crate::render::thousands;

/// Characters of one line that are shown.
const LINE: usize = 600;
/// Where folding leaves fewer rows than this, the last group is shown after all: what failed is in it.
const FEW: usize = 8;
/// So many tests that passed, one after the other, are one row.
const PASSED: usize = 4;
/// More steps of one kind than these, one after the other, are one row.
const STEPS: usize = 5;
/// How lines begin that compilers and installers write of one package after the other.
const PROGRESS: [&str; 10] = [
    "Compiling ",
    "Checking ",
    "Fresh ",
    "Downloading ",
    "Downloaded ",
    "Get:",
    "Selecting ",
    "Unpacking ",
    "Setting up ",
    "Installing ",
];
/// How words begin that no line of progress has which is folded.
const TROUBLE: [&str; 3] = ["error", "warn", "fail"];
/// Marks of lines, and what stands for them.
const MARKS: [(&str, &str); 6] = [
    ("##[error]", "error: "),
    ("##[warning]", "warning: "),
    ("##[notice]", "notice: "),
    ("##[debug]", "debug: "),
    ("##[command]", "$ "),
    ("##[section]", ""),
];

/// A log.
pub(crate) struct Log<'a> {
    lines: Vec<&'a str>,
}

/// A row to show: the line it begins at, from one, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) text: String,
    /// Whether it stands for several lines.
    pub(crate) folded: bool,
}

/// Rows of a log, and where they stand in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Excerpt {
    pub(crate) rows: Vec<Row>,
    /// The first line shown and the one after the last, from one.
    pub(crate) lines: Range<usize>,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) rows: Vec<Row>,
    /// Lines that match, in the whole log.
    pub(crate) matches: usize,
    /// The line to go on at, if not everything is shown.
    pub(crate) next: Option<usize>,
}

/// How much is shown at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
}

impl<'a> Log<'a> {
    /// The lines of `text`.
    pub(crate) fn new(text: &'a str) -> Self {
        Self { lines: text.trim_start_matches('\u{feff}').lines().collect() }
    }

    /// How many lines it has.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The lines of a step that failed, from its start and end as GitHub tells them, up to its last error;
    /// where no line has a time, those of the last command up to the last error.
    pub(crate) fn failing(&self, started: &str, completed: &str) -> Range<usize> {
        let seconds = |time: &str| time.parse().ok().map(Timestamp::as_second);
        let mut range = 0..self.len();
        if let (Some(from), Some(to)) = (seconds(started), seconds(completed)) {
            let inside =
                |line: &&str| time_of(line).is_some_and(|time| (from..=to).contains(&time.as_second()));
            let first = self.lines.iter().position(inside);
            let last = self.lines.iter().rposition(inside);
            if let (Some(first), Some(last)) = (first, last) {
                range = first..last + 1;
            }
        }
        let is_error = |line: &&str| bare(line).starts_with("##[error]");
        if let Some(error) = self.lines[range.clone()].iter().rposition(is_error) {
            range.end = range.start + error + 1;
        }
        if range.start == 0 {
            let command = |line: &&str| bare(line).starts_with("##[group]Run ");
            range.start = self.lines[range.clone()].iter().rposition(command).unwrap_or(0);
        }
        range
    }

    /// The last rows of the lines `range`, as many as fit `limits`.
    pub(crate) fn tail(&self, range: Range<usize>, limits: Limits) -> Excerpt {
        let mut rows = self.folded(range.clone());
        let mut bytes = 0;
        let kept = rows
            .iter()
            .rev()
            .take(limits.rows)
            .take_while(|row| {
                bytes += row.text.len() + 1;
                bytes <= limits.bytes
            })
            .count();
        rows.drain(..rows.len() - kept);
        let first = rows.first().map_or(range.end + 1, |row| row.line);
        Excerpt { rows, lines: first..range.end + 1 }
    }

    /// The rows from the line `from` (counted from one) on, as many as fit `limits`.
    pub(crate) fn onward(&self, from: usize, limits: Limits) -> Excerpt {
        let from = from.clamp(1, self.len() + 1);
        let mut rows = self.folded(from - 1..self.len());
        let mut bytes = 0;
        let kept = rows
            .iter()
            .take(limits.rows)
            .take_while(|row| {
                bytes += row.text.len() + 1;
                bytes <= limits.bytes
            })
            .count();
        let end = rows.get(kept).map_or(self.len() + 1, |row| row.line);
        rows.truncate(kept);
        Excerpt { rows, lines: from..end }
    }

    /// The lines that match, with `context` lines around each, from the line `from` (counted from one) on.
    /// A match is `12: text`, a line around it `11- text`; `--` stands where lines are left out.
    pub(crate) fn search(&self, regex: &Regex, context: usize, from: usize, limits: Limits) -> Found {
        let hits: Vec<bool> = self.lines.iter().map(|line| regex.is_match(&plain(line))).collect();
        let mut found = Found { matches: hits.iter().filter(|hit| **hit).count(), ..Found::default() };
        let mut shown_until = 0;
        let mut bytes = 0;
        for at in (0..hits.len()).filter(|at| hits[*at]) {
            let around = at.saturating_sub(context)..(at + context + 1).min(self.len());
            for (line, hit) in around.clone().zip(&hits[around]) {
                if line < shown_until || line + 1 < from {
                    continue;
                }
                let mark = if *hit { ':' } else { '-' };
                let gap = if line > shown_until && !found.rows.is_empty() { "--\n" } else { "" };
                let text = format!("{gap}{}{mark} {}", line + 1, shown(&plain(self.lines[line])));
                bytes += text.len() + 1;
                let full = found.rows.len() >= limits.rows || bytes > limits.bytes;
                // One row is always shown, or a search could stand still.
                if full && !found.rows.is_empty() {
                    found.next = Some(line + 1);
                    return found;
                }
                found.rows.push(Row { line: line + 1, text, folded: false });
                shown_until = line + 1;
            }
        }
        found
    }

    /// Rows for the lines `range`: a group that has no error is one row.
    fn folded(&self, range: Range<usize>) -> Vec<Row> {
        let mut groups = self.groups(range.clone());
        let hidden: usize = groups.iter().map(|group| group.len() - 1).sum();
        if range.len() - hidden < FEW {
            groups.pop();
        }
        self.rows(range, &groups)
    }

    /// The groups among the lines `range` that are whole and have no error in them.
    fn groups(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut groups = Vec::new();
        let mut open: Option<usize> = None;
        for at in range {
            let text = bare(self.lines[at]);
            if text.starts_with("##[group]") {
                open = Some(at);
            } else if text.starts_with("##[error]") {
                open = None;
            } else if text.starts_with("##[endgroup]")
                && let Some(start) = open.take()
                && at > start + 1
            {
                groups.push(start..at + 1);
            }
        }
        groups
    }

    /// Where the tests that passed end, of a run of them that begins at the line `at`; none where they are few.
    fn passed(&self, at: usize, end: usize) -> Option<usize> {
        let run = self.lines[at..end].iter().take_while(|line| has_passed(&plain(line))).count();
        (run >= PASSED).then_some(at + run)
    }

    /// Where steps of one kind end, of a run of them that begins at the line `at`, and how they begin; none where
    /// they are few.
    fn progressed(&self, at: usize, end: usize) -> Option<(usize, &'static str)> {
        let kind = progress(&plain(self.lines[at]))?;
        let run = self.lines[at..end].iter().take_while(|line| progress(&plain(line)) == Some(kind)).count();
        (run > STEPS).then_some((at + run, kind.trim_end()))
    }

    /// Where the lines end that are one row from the line `at` on, and what they are; none if it is a row by itself.
    fn alike(&self, at: usize, end: usize) -> Option<(usize, String)> {
        if let Some(end) = self.passed(at, end) {
            return Some((end, "tests that passed".to_owned()));
        }
        self.progressed(at, end).map(|(end, kind)| (end, format!("\"{kind} …\"")))
    }

    fn rows(&self, range: Range<usize>, folded: &[Range<usize>]) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut at = range.start;
        while at < range.end {
            if let Some((end, what)) = self.alike(at, range.end) {
                let many = thousands((end - at) as u64);
                let text = format!("▸ [{many} lines of {what} folded]");
                rows.push(Row { line: at + 1, text, folded: true });
                at = end;
                continue;
            }
            let text = plain(self.lines[at]);
            if let Some(group) = folded.iter().find(|group| group.start == at) {
                let name = text.strip_prefix("##[group]").unwrap_or(&text);
                let inside = match group.len() - 2 {
                    1 => "1 line".to_owned(),
                    many => format!("{} lines", thousands(many as u64)),
                };
                let text = format!("▸ {} [{inside} folded]", shown(name));
                rows.push(Row { line: at + 1, text, folded: true });
                at = group.end;
                continue;
            }
            let row = match text.strip_prefix("##[group]") {
                Some(name) => Some(format!("▸ {}", shown(name))),
                None if text.starts_with("##[endgroup]") => None,
                None => Some(shown(&text).into_owned()),
            };
            rows.extend(row.map(|text| Row { line: at + 1, text, folded: false }));
            at += 1;
        }
        rows
    }
}

/// A line and its time, if it begins with one.
fn split(line: &str) -> (Option<&str>, &str) {
    match line.split_once(' ') {
        Some((time, rest)) if is_time(time) => (Some(time), rest),
        None if is_time(line) => (Some(line), ""),
        _ => (None, line),
    }
}

fn is_time(word: &str) -> bool {
    let bytes = word.as_bytes();
    (20..=30).contains(&bytes.len())
        && bytes[4] == b'-'
        && bytes[10] == b'T'
        && bytes[0].is_ascii_digit()
        && bytes.last() == Some(&b'Z')
}

fn time_of(line: &str) -> Option<Timestamp> {
    split(line).0?.parse().ok()
}

/// A line without its time.
fn bare(line: &str) -> &str {
    split(line).1
}

/// A line without its time and colours.
fn plain(line: &str) -> Cow<'_, str> {
    let text = bare(line).trim_end();
    if !text.contains('\u{1b}') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            out.push(c);
            continue;
        }
        match chars.next() {
            // A control sequence ends with a letter or another character from @ on.
            Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
            // An operating system command ends with a bell, or with escape and backslash.
            Some(']') => {
                while let Some(c) = chars.next() {
                    if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    Cow::Owned(out)
}

/// Whether a line says of one test that it passed, in the words of cargo, Go, pytest, TAP and those that tick.
fn has_passed(text: &str) -> bool {
    let line = text.trim_start();
    line.starts_with("test ") && line.ends_with(" ... ok")
        || line.starts_with("--- PASS: ")
        || line.starts_with("ok ")
        || line.starts_with("✓ ")
        || line.starts_with("✔ ")
        || line.starts_with("PASS ")
        || line.contains("::") && line.trim_end_matches(is_progress).ends_with(" PASSED")
}

/// How a line of progress begins, unless it tells of trouble: a word such as `error:`, not the name `thiserror`.
fn progress(text: &str) -> Option<&'static str> {
    let line = text.trim_start();
    let kind = PROGRESS.into_iter().find(|kind| line.starts_with(*kind))?;
    let begins =
        |word: &str, with: &str| word.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    let mut words = line.split(|c: char| !c.is_alphanumeric());
    let trouble = words.any(|word| TROUBLE.iter().any(|with| begins(word, with)));
    (!trouble).then_some(kind)
}

/// What pytest writes behind a test: ` [ 40%]`.
fn is_progress(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, ' ' | '[' | ']' | '%')
}

/// A line's text with words for its mark, and not endless.
fn shown(text: &str) -> Cow<'_, str> {
    let marked = MARKS.iter().find_map(|(mark, word)| Some((word, text.strip_prefix(mark)?)));
    let text = match marked {
        Some((word, rest)) => Cow::Owned(format!("{word}{rest}")),
        None => Cow::Borrowed(text),
    };
    match text.char_indices().nth(LINE) {
        Some((end, _)) => {
            let more = thousands(text[end..].chars().count() as u64);
            Cow::Owned(format!("{}… [{more} more characters]", &text[..end]))
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { rows: 100, bytes: 10_000 };

    /// A log of three steps, as GitHub writes them; the second fails.
    fn log() -> String {
        let mut text = String::from("\u{feff}");
        let mut line = |second: u32, words: &str| {
            text.push_str(&format!("2026-11-24T06:40:{second:02}.1234567Z {words}\n"));
        };
        line(0, "##[group]Run actions/checkout@v5");
        line(0, "with:");
        line(0, "  fetch-depth: 1");
        line(0, "##[endgroup]");
        line(1, "Syncing repository");
        line(5, "##[group]Run cargo test");
        line(5, "\u{1b}[36;1mcargo test\u{1b}[0m");
        line(5, "shell: /usr/bin/bash -e {0}");
        line(5, "##[endgroup]");
        for test in 0..20 {
            line(6, &format!("test case_{test} ... ok"));
        }
        line(7, "test progress ... \u{1b}[31mFAILED\u{1b}[0m");
        line(8, "##[error]Process completed with exit code 101.");
        line(8, "Post job cleanup.");
        line(9, "Cleaning up orphan processes");
        text
    }

    #[test]
    fn the_failing_step_is_found_and_ends_with_its_error() {
        let text = log();
        let log = Log::new(&text);
        let range = log.failing("2026-11-24T06:40:05Z", "2026-11-24T06:40:08Z");
        let tail = log.tail(range.clone(), LIMITS);
        assert_eq!(tail.rows.first().unwrap().text, "▸ Run cargo test [2 lines folded]");
        assert_eq!(tail.rows.last().unwrap().text, "error: Process completed with exit code 101.");
        let texts: Vec<_> = tail.rows[1..3].iter().map(|row| (row.line, row.text.as_str())).collect();
        assert_eq!(
            texts,
            [(10, "▸ [20 lines of tests that passed folded]"), (30, "test progress ... FAILED")]
        );
        assert_eq!(log.failing("", ""), range, "without times the last command is taken");
        let short = log.tail(range, Limits { rows: 2, bytes: 10_000 });
        assert_eq!((short.rows.len(), short.lines), (2, 30..32));
    }

    #[test]
    fn tests_that_passed_are_one_row_in_every_tongue() {
        for passed in [
            "test a::b ... ok",
            "--- PASS: TestA (0.00s)",
            "    --- PASS: TestA/b (0.00s)",
            "ok  \tacme/shop\t0.01s",
            "ok 12 - reads a row",
            "  ✓ reads a row (3 ms)",
            "tests/test_a.py::test_b PASSED                 [ 40%]",
        ] {
            assert!(has_passed(passed), "{passed}");
        }
        for other in [
            "test a::b ... FAILED",
            "test a::b ... ignored",
            "test result: ok. 3 passed",
            "--- FAIL: TestA (0.00s)",
            "not ok 13 - reads a row",
            "tests/test_a.py::test_b FAILED [ 40%]",
            "",
        ] {
            assert!(!has_passed(other), "{other}");
        }
    }

    #[test]
    fn steps_of_one_kind_are_one_row_unless_they_tell_of_trouble() {
        let mut text = String::new();
        for package in ["serde", "thiserror", "syn", "quote", "libc", "memchr"] {
            text.push_str(&format!("\u{1b}[1m\u{1b}[32m   Compiling\u{1b}[0m {package} v1.0.0\n"));
        }
        text.push_str("   Compiling api v0.1.0: warning: unused\n");
        for package in 0..5 {
            text.push_str(&format!("Get:{package} http://archive.example jammy/main\n"));
        }
        for package in 0..6 {
            text.push_str(&format!("Setting up lib{package} (1.2) ...\n"));
        }
        text.push_str("Unpacking lib0: failed\n");
        let log = Log::new(&text);
        let rows = log.tail(0..log.len(), LIMITS).rows;
        let rows: Vec<_> = rows.iter().map(|row| (row.line, row.folded, row.text.as_str())).collect();
        assert_eq!(rows[0], (1, true, "▸ [6 lines of \"Compiling …\" folded]"));
        assert_eq!(rows[1], (7, false, "   Compiling api v0.1.0: warning: unused"));
        assert_eq!(rows[2], (8, false, "Get:0 http://archive.example jammy/main"));
        assert_eq!(
            rows[7..],
            [(13, true, "▸ [6 lines of \"Setting up …\" folded]"), (19, false, "Unpacking lib0: failed")]
        );
        // Who looks for one of them finds it.
        let found = log.search(&Regex::new("Compiling syn").unwrap(), 0, 1, LIMITS);
        assert_eq!(found.rows[0].text, "3:    Compiling syn v1.0.0");
    }

    #[test]
    fn what_failed_in_a_group_is_not_folded_away() {
        let text =
            "##[group]Run a\nenv\n##[endgroup]\n##[group]Tests\none\ntwo\n##[endgroup]\n##[error]exit 1\n";
        let log = Log::new(text);
        let texts: Vec<_> = log.tail(0..log.len(), LIMITS).rows.into_iter().map(|row| row.text).collect();
        assert_eq!(texts, ["▸ Run a [1 line folded]", "▸ Tests", "one", "two", "error: exit 1"]);
    }

    #[test]
    fn a_search_shows_lines_by_their_numbers_and_goes_on_where_it_stopped() {
        let text = log();
        let log = Log::new(&text);
        let regex = Regex::new("FAILED|case_1$|case_3 ").unwrap();
        let found = log.search(&regex, 1, 1, LIMITS);
        let texts: Vec<_> = found.rows.iter().map(|row| row.text.as_str()).collect();
        assert_eq!(found.matches, 2);
        assert_eq!(
            texts,
            [
                "12- test case_2 ... ok",
                "13: test case_3 ... ok",
                "14- test case_4 ... ok",
                "--\n29- test case_19 ... ok",
                "30: test progress ... FAILED",
                "31- error: Process completed with exit code 101.",
            ]
        );
        let first = log.search(&regex, 1, 1, Limits { rows: 4, bytes: 10_000 });
        assert_eq!((first.rows.len(), first.next), (4, Some(30)));
        let rest = log.search(&regex, 1, 30, LIMITS);
        assert_eq!((rest.rows.len(), rest.rows[0].line, rest.next), (2, 30, None));
    }

    #[test]
    fn reading_onward_covers_every_line_once() {
        let text = log();
        let log = Log::new(&text);
        let limits = Limits { rows: 7, bytes: 10_000 };
        let (mut from, mut seen) = (1, Vec::new());
        while from <= log.len() {
            let part = log.onward(from, limits);
            seen.extend(part.rows.iter().map(|row| row.line));
            assert!(part.lines.end > from, "it must go on");
            from = part.lines.end;
        }
        assert_eq!((seen.first(), seen.last()), (Some(&1), Some(&33)));
        assert!(seen.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn long_lines_and_control_sequences_are_made_plain() {
        assert_eq!(
            plain(
                "2026-11-24T06:40:12.1234567Z \u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{7} \u{1b}[1mb\u{1b}[0m"
            ),
            "link b"
        );
        assert_eq!(plain("no time here"), "no time here");
        let long = "x".repeat(700);
        assert!(shown(&long).ends_with("… [100 more characters]"));
    }
}
