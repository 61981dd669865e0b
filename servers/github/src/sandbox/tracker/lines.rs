//! Places in a diff: which lines a patch has, and where a line of one commit is in another.

use super::{
    super::repos::git::Git,
    model::{Side, Thread},
};

/// A line of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row<'p> {
    /// How many lines below the first `@@` it stands.
    pub(super) position: u64,
    /// Its number before, and after.
    pub(super) old: Option<u64>,
    pub(super) new: Option<u64>,
    /// With its `+`, `-` or space.
    pub(super) text: &'p str,
}

impl Row<'_> {
    /// The line's number on a side, if it is there.
    pub(super) fn on(&self, side: Side) -> Option<u64> {
        match side {
            Side::Left => self.old,
            Side::Right => self.new,
        }
    }
}

/// A hunk: its header and its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hunk<'p> {
    pub(super) header: &'p str,
    pub(super) rows: Vec<Row<'p>>,
}

/// The hunks of a patch.
pub(super) fn hunks(patch: &str) -> Vec<Hunk<'_>> {
    let mut hunks: Vec<Hunk<'_>> = Vec::new();
    let (mut old, mut new) = (0, 0);
    for (position, line) in (0..).zip(patch.lines()) {
        if line.starts_with("@@") {
            (old, new) = starts(line);
            hunks.push(Hunk { header: line, rows: Vec::new() });
            continue;
        }
        let Some(hunk) = hunks.last_mut() else { continue };
        let mut row = Row { position, old: None, new: None, text: line };
        if !line.starts_with(['+', '\\']) {
            row.old = Some(old);
            old += 1;
        }
        if !line.starts_with(['-', '\\']) {
            row.new = Some(new);
            new += 1;
        }
        hunk.rows.push(row);
    }
    hunks
}

/// The first numbers of a header: `@@ -12,7 +12,9 @@`.
fn starts(header: &str) -> (u64, u64) {
    let number = |sign: char| {
        let part = header.split(' ').find(|part| part.starts_with(sign))?;
        part[1..].split(',').next()?.parse().ok()
    };
    (number('-').unwrap_or_default(), number('+').unwrap_or_default())
}

/// A place that is a part of the diff: its position, and the hunk down to it, as comments show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) position: u64,
    pub(super) hunk: String,
}

/// The place of a line on a side; none if it is no part of the diff.
pub(super) fn place(patch: &str, line: u64, side: Side) -> Option<Place> {
    hunks(patch).iter().find_map(|hunk| {
        let at = hunk.rows.iter().position(|row| row.on(side) == Some(line))?;
        let shown = hunk.rows[..=at].iter().map(|row| row.text);
        let text = std::iter::once(hunk.header).chain(shown).collect::<Vec<_>>().join("\n");
        Some(Place { position: hunk.rows[at].position, hunk: text })
    })
}

/// The line and side at a position of the patch; none if there is no such.
pub(super) fn at_position(patch: &str, position: u64) -> Option<(u64, Side)> {
    let hunks = hunks(patch);
    let row = hunks.iter().flat_map(|hunk| &hunk.rows).find(|row| row.position == position)?;
    row.new.map(|line| (line, Side::Right)).or_else(|| row.old.map(|line| (line, Side::Left)))
}

/// Whether both lines are in the same hunk, the first above the last.
pub(super) fn spans(patch: &str, start: (u64, Side), end: (u64, Side)) -> bool {
    let find = |hunk: &Hunk<'_>, (line, side): (u64, Side)| {
        hunk.rows.iter().position(|row| row.on(side) == Some(line))
    };
    hunks(patch).iter().any(|hunk| match (find(hunk, start), find(hunk, end)) {
        (Some(start), Some(end)) => start < end,
        _ => false,
    })
}

/// Where a thread's line is now; none if what it is about was changed since: the thread is outdated.
pub(super) fn current(git: &Git, thread: &Thread, base: &str, head: &str) -> Option<u64> {
    let line = thread.line?;
    let moved = match thread.side {
        Side::Left => line,
        Side::Right => moved(git, thread, line, head)?,
    };
    let patch = patch_of(git, base, head, &thread.path)?;
    place(&patch, moved, thread.side).map(|_| moved)
}

/// The number that a line of the thread's commit has in another.
fn moved(git: &Git, thread: &Thread, line: u64, head: &str) -> Option<u64> {
    if thread.commit == head {
        return Some(line);
    }
    let changes = git.changes(Some(&thread.commit), head);
    let Some(change) = changes.iter().find(|change| change.path == thread.path) else {
        return git.at_commit(head, &thread.path).map(|_| line);
    };
    let mut shift = 0;
    for hunk in hunks(change.patch.as_deref()?) {
        for row in &hunk.rows {
            match (row.old, row.new) {
                (Some(old), new) if old == line => return new,
                (Some(old), _) if old > line => return line.checked_add_signed(shift),
                (Some(_), None) => shift -= 1,
                (None, Some(_)) => shift += 1,
                _ => {}
            }
        }
    }
    line.checked_add_signed(shift)
}

/// The patch of one file.
pub(super) fn patch_of(git: &Git, base: &str, head: &str, path: &str) -> Option<String> {
    git.changes(Some(base), head).into_iter().find(|change| change.path == path)?.patch
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str =
        "@@ -1,3 +1,4 @@ fn a\n one\n-two\n+zwei\n+drei\n three\n@@ -20,2 +21,2 @@\n-x\n+y\n z";

    #[test]
    fn positions_count_through_all_hunks() {
        // docs.github.com, "Create a review for a pull request": the line just below the first "@@" is position 1, and
        // the count goes on through further hunks.
        assert_eq!(place(PATCH, 1, Side::Right).unwrap().position, 1);
        assert_eq!(place(PATCH, 3, Side::Right).unwrap().position, 4);
        assert_eq!(place(PATCH, 21, Side::Right).unwrap().position, 8);
        assert_eq!(at_position(PATCH, 2), Some((2, Side::Left)));
        assert_eq!(at_position(PATCH, 6), None, "a header");
    }

    #[test]
    fn lines_outside_of_hunks_are_no_part_of_the_diff() {
        assert_eq!(place(PATCH, 2, Side::Left).unwrap().hunk, "@@ -1,3 +1,4 @@ fn a\n one\n-two");
        assert_eq!(place(PATCH, 10, Side::Right), None);
        assert!(spans(PATCH, (1, Side::Right), (3, Side::Right)));
        assert!(!spans(PATCH, (1, Side::Right), (21, Side::Right)), "two hunks");
        assert!(!spans(PATCH, (3, Side::Right), (1, Side::Right)), "upside down");
    }
}
