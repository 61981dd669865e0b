//! What changed between two trees: files, renames, and the patch of each as GitHub shows it.

use std::{collections::BTreeMap, ops::Range};

use serde::Serialize;
use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

use super::{File, Files, Git, Mode};

/// Lines around a change.
const CONTEXT: usize = 3;
/// How alike two files must be to be one that was renamed, in percent; git's own default.
const ALIKE: usize = 50;
/// The most lines, and bytes, of a file's diff that GitHub shows (docs.github.com, "Repository limits").
const MOST_LINES: usize = 20_000;
const MOST_BYTES: usize = 1_000_000;
/// As much of a file as git looks at to tell whether it is text.
const SNIFFED: usize = 8_000;
/// As much of a line as stands behind `@@`.
const HEADING: usize = 80;

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Added,
    Modified,
    Removed,
    Renamed,
}

impl Status {
    /// As the API says it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Modified => "modified",
            Self::Removed => "removed",
            Self::Renamed => "renamed",
        }
    }
}

/// A file that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    pub(crate) path: String,
    /// The path before, of a renamed file.
    pub(crate) previous: Option<String>,
    pub(crate) status: Status,
    pub(crate) additions: usize,
    pub(crate) deletions: usize,
    /// Hunks without a header; none for bytes, for a mere rename, and for what is too long to show.
    pub(crate) patch: Option<String>,
    /// The file's content; that before, if it was removed.
    pub(crate) blob_sha: String,
    #[serde(skip)]
    pub(crate) old: Option<File>,
    #[serde(skip)]
    pub(crate) new: Option<File>,
    /// Whether a side of it is not text.
    pub(crate) binary: bool,
}

// `File` has no meaning outside: what it says is in `blob_sha` and the modes.
impl Change {
    /// What the change looks like in `git diff`: a header and the patch.
    pub(crate) fn unified(&self) -> String {
        let before = self.previous.as_deref().unwrap_or(&self.path);
        let after = &self.path;
        let mut text = format!("diff --git a/{before} b/{after}\n");
        let zero = "0".repeat(7);
        let short = |file: &Option<File>| match file {
            Some(file) => file.sha[..7].to_owned(),
            None => zero.clone(),
        };
        let mode = |file: &Option<File>| file.as_ref().map_or("100644", |file| file.mode.octal());
        let (old_mode, new_mode) = (mode(&self.old), mode(&self.new));
        match self.status {
            Status::Added => text.push_str(&format!("new file mode {new_mode}\n")),
            Status::Removed => text.push_str(&format!("deleted file mode {old_mode}\n")),
            Status::Modified | Status::Renamed if old_mode != new_mode => {
                text.push_str(&format!("old mode {old_mode}\nnew mode {new_mode}\n"));
            }
            Status::Modified | Status::Renamed => {}
        }
        if self.status == Status::Renamed {
            text.push_str(&format!("rename from {before}\nrename to {after}\n"));
        }
        if short(&self.old) == short(&self.new) {
            return text;
        }
        text.push_str(&format!("index {}..{}", short(&self.old), short(&self.new)));
        if self.old.is_some() && self.new.is_some() && old_mode == new_mode {
            text.push_str(&format!(" {new_mode}"));
        }
        text.push('\n');
        let from = if self.old.is_some() { format!("a/{before}") } else { "/dev/null".to_owned() };
        let to = if self.new.is_some() { format!("b/{after}") } else { "/dev/null".to_owned() };
        if self.binary {
            text.push_str(&format!("Binary files {from} and {to} differ\n"));
        } else if let Some(patch) = &self.patch {
            text.push_str(&format!("--- {from}\n+++ {to}\n{patch}\n"));
        }
        text
    }
}

impl Git {
    /// What changed from the commit `base` (none: from nothing) to `head`, by path.
    pub(crate) fn changes(&self, base: Option<&str>, head: &str) -> Vec<Change> {
        self.changes_of(&self.files_of(base), &self.files_of(Some(head)))
    }

    /// What changed from some files to others.
    pub(crate) fn changes_of(&self, old: &Files, new: &Files) -> Vec<Change> {
        let mut removed: Files = BTreeMap::new();
        let mut added: Files = BTreeMap::new();
        let mut changes = Vec::new();
        for (path, file) in old {
            match new.get(path) {
                None => drop(removed.insert(path.clone(), file.clone())),
                Some(after) if after != file => {
                    changes.push(self.change(path, None, Some(file), Some(after)));
                }
                Some(_) => {}
            }
        }
        added.extend(
            new.iter()
                .filter(|(path, _)| !old.contains_key(*path))
                .map(|(path, file)| (path.clone(), file.clone())),
        );
        for (before, after) in self.renames(&removed, &added) {
            let (file, now) = (removed.remove(&before), added.remove(&after));
            changes.push(self.change(&after, Some(&before), file.as_ref(), now.as_ref()));
        }
        changes.extend(removed.iter().map(|(path, file)| self.change(path, None, Some(file), None)));
        changes.extend(added.iter().map(|(path, file)| self.change(path, None, None, Some(file))));
        changes.sort_by(|one, other| one.path.cmp(&other.path));
        changes
    }

    /// Which removed files live on as which added ones: the most alike first.
    fn renames(&self, removed: &Files, added: &Files) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (before, old) in removed {
            for (after, new) in added {
                let alike = self.alike(old, new);
                if alike >= ALIKE {
                    let same_name = before.rsplit('/').next() == after.rsplit('/').next();
                    pairs.push((alike, same_name, before.clone(), after.clone()));
                }
            }
        }
        pairs.sort_by(|one, other| (other.0, other.1).cmp(&(one.0, one.1)).then(one.2.cmp(&other.2)));
        let mut chosen: Vec<(String, String)> = Vec::new();
        for (_, _, before, after) in pairs {
            if !chosen.iter().any(|(old, new)| *old == before || *new == after) {
                chosen.push((before, after));
            }
        }
        chosen
    }

    /// How much of the larger of two files is in both, by lines, in percent.
    fn alike(&self, old: &File, new: &File) -> usize {
        if (old.mode == Mode::Symlink) != (new.mode == Mode::Symlink) {
            return 0;
        }
        if old.sha == new.sha {
            return 100;
        }
        let (old, new) = (self.blob(&old.sha).unwrap_or_default(), self.blob(&new.sha).unwrap_or_default());
        let larger = old.len().max(new.len());
        // Neither an empty file nor one of quite another size is a rename.
        if old.len().min(new.len()) * 2 < larger || larger == 0 {
            return 0;
        }
        let mut lines: BTreeMap<&[u8], usize> = BTreeMap::new();
        for line in old.split_inclusive(|byte| *byte == b'\n') {
            *lines.entry(line).or_default() += 1;
        }
        let mut common = 0;
        for line in new.split_inclusive(|byte| *byte == b'\n') {
            if let Some(left) = lines.get_mut(line).filter(|left| **left > 0) {
                *left -= 1;
                common += line.len();
            }
        }
        common * 100 / larger
    }

    fn change(&self, path: &str, previous: Option<&str>, old: Option<&File>, new: Option<&File>) -> Change {
        let bytes = |file: Option<&File>| match file {
            // A submodule is shown as the commit that it stands at.
            Some(file) if file.mode == Mode::Submodule => {
                format!("Subproject commit {}\n", file.sha).into_bytes()
            }
            Some(file) => self.blob(&file.sha).unwrap_or_default().to_vec(),
            None => Vec::new(),
        };
        let (before, after) = (bytes(old), bytes(new));
        let binary = is_binary(&before) || is_binary(&after);
        let patch = if binary {
            Patch::default()
        } else {
            patch(&String::from_utf8_lossy(&before), &String::from_utf8_lossy(&after))
        };
        let status = match (old, new, previous) {
            (_, _, Some(_)) => Status::Renamed,
            (None, _, _) => Status::Added,
            (_, None, _) => Status::Removed,
            _ => Status::Modified,
        };
        Change {
            path: path.to_owned(),
            previous: previous.map(str::to_owned),
            status,
            additions: patch.additions,
            deletions: patch.deletions,
            patch: Some(patch.text).filter(|text| !text.is_empty()),
            blob_sha: new.or(old).map(|file| file.sha.clone()).unwrap_or_default(),
            old: old.cloned(),
            new: new.cloned(),
            binary,
        }
    }
}

/// Whether git would not show this as text.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(SNIFFED)].contains(&0)
}

/// A file's lines, each with its line break.
pub(super) fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// What turns the lines of one text into those of another.
pub(super) fn operations(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    capture_diff_slices(Algorithm::Myers, old, new)
}

#[derive(Default)]
struct Patch {
    text: String,
    additions: usize,
    deletions: usize,
}

/// Hunks in unified form; GitHub shows them without a last line break.
fn patch(old: &str, new: &str) -> Patch {
    let (old, new) = (lines(old), lines(new));
    let operations = operations(&old, &new);
    let mut patch = Patch::default();
    for operation in &operations {
        let (tag, removed, added) = operation.as_tag_tuple();
        if tag != DiffTag::Equal {
            patch.deletions += removed.len();
            patch.additions += added.len();
        }
    }
    if patch.additions + patch.deletions > MOST_LINES {
        return patch;
    }
    for hunk in group_diff_ops(operations, CONTEXT) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
        let before = first.old_range().start..last.old_range().end;
        let after = first.new_range().start..last.new_range().end;
        let heading = heading(&old, before.start);
        patch.text.push_str(&format!("@@ -{} +{} @@{heading}\n", span(&before), span(&after)));
        for operation in hunk {
            let (tag, removed, added) = operation.as_tag_tuple();
            if tag == DiffTag::Equal {
                side(&mut patch.text, ' ', &old[removed]);
            } else {
                side(&mut patch.text, '-', &old[removed]);
                side(&mut patch.text, '+', &new[added]);
            }
        }
    }
    if patch.text.len() > MOST_BYTES {
        patch.text.clear();
    }
    patch.text.truncate(patch.text.trim_end_matches('\n').len());
    patch
}

fn side(text: &mut String, mark: char, lines: &[&str]) {
    for line in lines {
        text.push(mark);
        text.push_str(line);
        if !line.ends_with('\n') {
            text.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// `START,COUNT` as git writes it: from 1, an empty range behind the line before it, a single line alone.
fn span(range: &Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        count => format!("{},{count}", range.start + 1),
    }
}

/// What git writes behind `@@`: the nearest line above that begins with a letter, `_` or `$`.
fn heading(old: &[&str], start: usize) -> String {
    let begins = |line: &&&str| {
        line.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_' || first == '$')
    };
    let Some(line) = old[..start].iter().rev().find(begins) else { return String::new() };
    let mut end = line.len().min(HEADING);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    format!(" {}", line[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_read_as_those_of_git() {
        let old = "fn main() {\n    one();\n    two();\n    three();\n    four();\n    five();\n}\n";
        let new = old.replace("five", "six");
        let made = patch(old, &new);
        let wanted = "@@ -3,5 +3,5 @@ fn main() {\n     two();\n     three();\n     four();\n-    five();\n+    six();\n }";
        assert_eq!((made.text.as_str(), made.additions, made.deletions), (wanted, 1, 1));
        assert_eq!(patch("", "a\nb").text, "@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file");
        assert_eq!(patch("a\n", "").text, "@@ -1 +0,0 @@\n-a");
    }

    #[test]
    fn a_moved_and_edited_file_is_a_rename() {
        let mut git = Git::default();
        let mut file = |text: &str| File {
            mode: Mode::File,
            sha: git.put(super::super::Object::Blob(text.as_bytes().to_vec())),
        };
        let text = "one\ntwo\nthree\nfour\n";
        let old = Files::from([("a.txt".to_owned(), file(text)), ("b.txt".to_owned(), file("quite\n"))]);
        let new = Files::from([
            ("b.txt".to_owned(), file("other\n")),
            ("c/a.txt".to_owned(), file(&text.replace("two", "2"))),
        ]);
        let changes = git.changes_of(&old, &new);
        assert_eq!((changes[0].path.as_str(), changes[0].status), ("b.txt", Status::Modified));
        assert_eq!(changes[1].previous.as_deref(), Some("a.txt"));
        assert!(changes[1].unified().contains("rename from a.txt\nrename to c/a.txt\nindex "));
    }
}
