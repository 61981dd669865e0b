//! Directories as maps of files, and files as they stand in them.

use std::collections::BTreeMap;

use super::{Entry, Git, Mode, Object};

/// Every file of a tree by its path. Directories are not in it: git has none without files.
pub(crate) type Files = BTreeMap<String, File>;

/// A file in a tree: what it is, and the id of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) mode: Mode,
    pub(crate) sha: String,
}

impl Git {
    /// What stands at `path` in a tree; the tree itself for an empty path.
    pub(crate) fn at(&self, tree: &str, path: &str) -> Option<File> {
        let mut found = File { mode: Mode::Tree, sha: tree.to_owned() };
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let entry = self.tree(&found.sha)?.iter().find(|entry| entry.name == name)?;
            found = File { mode: entry.mode, sha: entry.sha.clone() };
        }
        Some(found)
    }

    /// What stands at `path` in a commit.
    pub(crate) fn at_commit(&self, commit: &str, path: &str) -> Option<File> {
        self.at(&self.commit(commit)?.tree, path)
    }

    /// Every file of a tree.
    pub(crate) fn files(&self, tree: &str) -> Files {
        let mut files = Files::new();
        self.collect(tree, "", &mut files);
        files
    }

    /// Every file of a commit; none for no commit.
    pub(crate) fn files_of(&self, commit: Option<&str>) -> Files {
        commit.and_then(|sha| self.commit(sha)).map(|commit| self.files(&commit.tree)).unwrap_or_default()
    }

    fn collect(&self, tree: &str, under: &str, files: &mut Files) {
        for entry in self.tree(tree).unwrap_or_default() {
            let path = format!("{under}{}", entry.name);
            if entry.mode == Mode::Tree {
                self.collect(&entry.sha, &format!("{path}/"), files);
            } else {
                files.insert(path, File { mode: entry.mode, sha: entry.sha.clone() });
            }
        }
    }

    /// Keeps the trees that have these files; the id of the outermost.
    pub(crate) fn write_tree(&mut self, files: &Files) -> String {
        let paths = files.iter().map(|(path, file)| (path.as_str(), file)).collect::<Vec<_>>();
        self.write_level(&paths)
    }

    fn write_level(&mut self, files: &[(&str, &File)]) -> String {
        let mut entries = Vec::new();
        let mut below: BTreeMap<&str, Vec<(&str, &File)>> = BTreeMap::new();
        for (path, file) in files {
            match path.split_once('/') {
                Some((directory, rest)) => below.entry(directory).or_default().push((rest, file)),
                None => {
                    entries.push(Entry { mode: file.mode, name: (*path).to_owned(), sha: file.sha.clone() });
                }
            }
        }
        for (directory, files) in below {
            let sha = self.write_level(&files);
            // A directory takes the place of a file of the same name.
            entries.retain(|entry| entry.name != directory);
            entries.push(Entry { mode: Mode::Tree, name: directory.to_owned(), sha });
        }
        self.put_tree(entries)
    }

    /// Keeps a tree with these entries, in git's order; its id.
    pub(crate) fn put_tree(&mut self, mut entries: Vec<Entry>) -> String {
        entries.sort_by_key(Entry::order);
        self.put(Object::Tree(entries))
    }
}
