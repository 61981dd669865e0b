//! Who wrote which line of a file.

use std::collections::{BTreeMap, HashMap};

use similar::DiffTag;

use super::{
    Git, Status,
    diff::{is_binary, lines, operations},
};

impl Git {
    /// For each line of a file, the commit that wrote it. Renames are followed. None if there is no such file;
    /// no lines for what is not text.
    pub(crate) fn blame(&self, commit: &str, path: &str) -> Option<Vec<String>> {
        let text = self.text_at(commit, path)?;
        let count = lines(&text).len();
        let mut wrote = vec![commit.to_owned(); count];
        // Of each commit still to look at: the path of the file there, and which of its lines are which of ours.
        let mut open: HashMap<String, (String, BTreeMap<usize, usize>)> = HashMap::new();
        open.insert(commit.to_owned(), (path.to_owned(), (0..count).map(|line| (line, line)).collect()));
        for sha in self.log(commit) {
            let Some((path, mut ours)) = open.remove(&sha) else { continue };
            let Some(found) = self.commit(&sha) else { continue };
            let text = self.text_at(&sha, &path).unwrap_or_default();
            for parent in &found.parents {
                let Some(before) = self.path_before(parent, &sha, &path) else { continue };
                let Some(old) = self.text_at(parent, &before) else { continue };
                for operation in operations(&lines(&old), &lines(&text)) {
                    let (tag, was, is) = operation.as_tag_tuple();
                    if tag != DiffTag::Equal {
                        continue;
                    }
                    for (was, is) in was.zip(is) {
                        if let Some(line) = ours.remove(&is) {
                            let next = open
                                .entry(parent.clone())
                                .or_insert_with(|| (before.clone(), BTreeMap::new()));
                            next.1.insert(was, line);
                        }
                    }
                }
            }
            for line in ours.into_values() {
                wrote[line].clone_from(&sha);
            }
        }
        Some(wrote)
    }

    fn text_at(&self, commit: &str, path: &str) -> Option<String> {
        let file = self.at_commit(commit, path)?;
        let bytes = self.blob(&file.sha)?;
        if is_binary(bytes) { Some(String::new()) } else { Some(String::from_utf8_lossy(bytes).into_owned()) }
    }

    /// Where a file was in a parent of a commit.
    fn path_before(&self, parent: &str, commit: &str, path: &str) -> Option<String> {
        if self.at_commit(parent, path).is_some() {
            return Some(path.to_owned());
        }
        let changes = self.changes(Some(parent), commit);
        let renamed =
            changes.into_iter().find(|change| change.status == Status::Renamed && change.path == path);
        renamed?.previous
    }
}
