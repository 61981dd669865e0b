//! Which lines of a change can be commented on: those that its diff shows. GitHub accepts a comment on
//! any other line in some ways and then loses it, so lines are checked before anything is sent.
//!
//! A patch is what GitHub gives for one file: hunks in unified form, without a file's header
//! (docs.github.com, "List pull requests files").

/// A side of a diff, as GitHub names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The file before: lines that were removed.
    Left,
    /// The file after: lines that were added, and those around them.
    Right,
}

/// The lines of one file's diff.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DiffLines {
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    hunk: usize,
    side: Side,
    number: u64,
    text: String,
}

/// Why lines cannot be commented on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The diff does not show the line; the nearest ones that it shows, before and after.
    NotShown { line: u64, nearest: Vec<u64> },
    /// The first line is not before the last.
    Backwards,
    /// The lines are in parts of the diff that do not hang together.
    Apart,
}

impl DiffLines {
    /// Reads the hunks of a patch. What is no hunk is passed over.
    pub(super) fn parse(patch: &str) -> Self {
        let mut lines = Vec::new();
        let (mut old, mut new, mut hunk) = (0, 0, 0);
        // What the header promises of each side: a line after that belongs to no hunk.
        let (mut old_left, mut new_left) = (0_u64, 0_u64);
        for text in patch.lines() {
            if old_left == 0 && new_left == 0 {
                if let Some(header) = Header::parse(text) {
                    (old, old_left) = header.old;
                    (new, new_left) = header.new;
                    hunk += 1;
                }
                continue;
            }
            let mut chars = text.chars();
            let (sign, text) = (chars.next(), chars.as_str());
            let mut push = |side, number| lines.push(Line { hunk, side, number, text: text.to_owned() });
            match sign {
                Some('+') => {
                    push(Side::Right, new);
                    (new, new_left) = (new + 1, new_left.saturating_sub(1));
                }
                Some('-') => {
                    push(Side::Left, old);
                    (old, old_left) = (old + 1, old_left.saturating_sub(1));
                }
                // "\ No newline at end of file" is no line of either side.
                Some('\\') => {}
                // An empty line around a change may have lost its blank.
                Some(' ') | None => {
                    push(Side::Right, new);
                    (new, new_left) = (new + 1, new_left.saturating_sub(1));
                    (old, old_left) = (old + 1, old_left.saturating_sub(1));
                }
                Some(_) => (old_left, new_left) = (0, 0),
            }
        }
        Self { lines }
    }

    /// The text of a line that can be commented on.
    pub(super) fn text(&self, side: Side, number: u64) -> Option<&str> {
        self.find(side, number).map(|line| line.text.as_str())
    }

    /// Checks that the lines from `start` (or only `line`) to `line` can be commented on together.
    ///
    /// # Errors
    /// Why they cannot.
    pub(super) fn check(&self, side: Side, start: Option<u64>, line: u64) -> Result<(), Wrong> {
        let missing = |line: u64| Wrong::NotShown { line, nearest: self.nearest(side, line) };
        let last = self.find(side, line).ok_or_else(|| missing(line))?;
        let Some(start) = start else { return Ok(()) };
        if start >= line {
            return Err(Wrong::Backwards);
        }
        let first = self.find(side, start).ok_or_else(|| missing(start))?;
        if first.hunk == last.hunk { Ok(()) } else { Err(Wrong::Apart) }
    }

    /// The runs of lines that can be commented on: `3-9, 14`.
    pub(super) fn ranges(&self, side: Side) -> String {
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for line in self.lines.iter().filter(|line| line.side == side) {
            match runs.last_mut() {
                Some((_, end)) if *end + 1 == line.number => *end = line.number,
                _ => runs.push((line.number, line.number)),
            }
        }
        let words = runs.iter().map(|(start, end)| match start == end {
            true => start.to_string(),
            false => format!("{start}-{end}"),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    fn find(&self, side: Side, number: u64) -> Option<&Line> {
        self.lines.iter().find(|line| line.side == side && line.number == number)
    }

    fn nearest(&self, side: Side, wanted: u64) -> Vec<u64> {
        let numbers = || self.lines.iter().filter(|line| line.side == side).map(|line| line.number);
        let before = numbers().filter(|number| *number < wanted).max();
        let after = numbers().filter(|number| *number > wanted).min();
        before.into_iter().chain(after).collect()
    }
}

/// The header of a hunk: where it begins on each side, and how many lines it has there.
struct Header {
    old: (u64, u64),
    new: (u64, u64),
}

impl Header {
    /// Reads `@@ -12,7 +12,9 @@ fn what()`.
    fn parse(text: &str) -> Option<Self> {
        let (ranges, _) = text.strip_prefix("@@ -")?.split_once(" @@")?;
        let (old, new) = ranges.split_once(" +")?;
        Some(Self { old: range(old)?, new: range(new)? })
    }
}

/// `12,7`, or `12` for one line.
fn range(text: &str) -> Option<(u64, u64)> {
    match text.split_once(',') {
        Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "@@ -1,4 +1,5 @@\n use std;\n-old\n+new\n+newer\n \n last\n@@ -40,3 +41,2 @@ fn f() {\n a\n-b\n c\n\\ No newline at end of file";

    #[test]
    fn lines_are_numbered_on_both_sides_over_several_hunks() {
        let diff = DiffLines::parse(PATCH);
        assert_eq!(
            (diff.ranges(Side::Right), diff.ranges(Side::Left)),
            ("1-5, 41-42".into(), "2, 41".into())
        );
        assert_eq!(diff.text(Side::Right, 3), Some("newer"));
        assert_eq!((diff.text(Side::Left, 2), diff.text(Side::Left, 41)), (Some("old"), Some("b")));
        assert_eq!(diff.text(Side::Right, 4), Some(""));
    }

    #[test]
    fn a_line_that_is_not_shown_is_named_with_the_nearest_that_are() {
        let diff = DiffLines::parse(PATCH);
        assert_eq!(
            diff.check(Side::Right, None, 20),
            Err(Wrong::NotShown { line: 20, nearest: vec![5, 41] })
        );
        assert_eq!(diff.check(Side::Right, None, 99), Err(Wrong::NotShown { line: 99, nearest: vec![42] }));
        // A line around a change belongs to the right side (docs.github.com, "Create a review comment").
        assert_eq!(diff.check(Side::Left, None, 1), Err(Wrong::NotShown { line: 1, nearest: vec![2] }));
        assert_eq!(diff.check(Side::Left, None, 41), Ok(()));
    }

    #[test]
    fn several_lines_must_hang_together() {
        let diff = DiffLines::parse(PATCH);
        assert_eq!(diff.check(Side::Right, Some(2), 4), Ok(()));
        assert_eq!(diff.check(Side::Right, Some(4), 2), Err(Wrong::Backwards));
        assert_eq!(diff.check(Side::Right, Some(4), 4), Err(Wrong::Backwards));
        assert_eq!(diff.check(Side::Right, Some(4), 41), Err(Wrong::Apart));
        assert!(matches!(diff.check(Side::Right, Some(30), 41), Err(Wrong::NotShown { line: 30, .. })));
    }

    #[test]
    fn what_looks_like_a_header_within_a_hunk_is_a_line() {
        let diff = DiffLines::parse("@@ -1 +1,2 @@\n-@@ -9 +9 @@\n+@@ -7,7 +7,7 @@\n+--- a/file\n");
        assert_eq!((diff.ranges(Side::Right), diff.ranges(Side::Left)), ("1-2".into(), "1".into()));
        assert_eq!(diff.text(Side::Right, 2), Some("--- a/file"));
    }

    #[test]
    fn a_new_and_a_deleted_file_have_one_side_only() {
        let new = DiffLines::parse("@@ -0,0 +1,2 @@\n+a\n+b");
        assert_eq!((new.ranges(Side::Right), new.ranges(Side::Left)), ("1-2".into(), String::new()));
        let gone = DiffLines::parse("@@ -1,2 +0,0 @@\n-a\n-b");
        assert_eq!((gone.ranges(Side::Right), gone.ranges(Side::Left)), (String::new(), "1-2".into()));
    }

    #[test]
    fn what_is_no_patch_has_no_lines() {
        for text in ["", "Binary files differ", "@@ nonsense @@\n+a", "@@ -1,x +1 @@\n+a"] {
            assert_eq!(DiffLines::parse(text), DiffLines::default(), "{text}");
        }
    }
}
