//! Joining two lines of work: a merge commit, a squash, a rebase.

use std::{collections::BTreeSet, ops::Range};

use similar::DiffTag;

use super::{
    Commit, File, Files, Git, Mode, Object, Signature,
    diff::{is_binary, lines, operations},
};

/// How a branch is brought into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// A commit with both as parents.
    Merge,
    /// One commit with all of the branch's changes.
    Squash,
    /// The branch's commits, one after the other.
    Rebase,
}

/// Who joins, and what the new commit says. A rebase keeps each commit's author and message.
#[derive(Clone, Debug)]
pub(crate) struct Wording {
    pub(crate) message: String,
    pub(crate) author: Signature,
    pub(crate) committer: Signature,
    /// GitHub signs the commits that it makes.
    pub(crate) signature: Option<String>,
}

/// The files that both sides changed in the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conflicts(pub(crate) Vec<String>);

impl Git {
    /// The files of `ours` and `theirs` joined, with new contents kept.
    ///
    /// # Errors
    /// The paths on which they conflict.
    pub(crate) fn join(&mut self, ours: &str, theirs: &str) -> Result<Files, Conflicts> {
        let base = self.merge_base(ours, theirs);
        let base = self.files_of(base.as_deref());
        let (ours, theirs) = (self.files_of(Some(ours)), self.files_of(Some(theirs)));
        let (files, contents) = self.three_way(&base, &ours, &theirs)?;
        for content in contents {
            self.put(Object::Blob(content));
        }
        Ok(files)
    }

    /// Whether `head` can be brought into `base` as things are.
    ///
    /// # Errors
    /// The paths on which they conflict.
    pub(crate) fn joins(&self, base: &str, head: &str) -> Result<(), Conflicts> {
        let common = self.merge_base(base, head);
        let common = self.files_of(common.as_deref());
        self.three_way(&common, &self.files_of(Some(base)), &self.files_of(Some(head))).map(drop)
    }

    /// Brings `head` into `base`; the id of the commit that `base`'s branch shall stand at. No reference is
    /// moved.
    ///
    /// # Errors
    /// The paths on which they conflict.
    pub(crate) fn merge(
        &mut self,
        base: &str,
        head: &str,
        method: Method,
        wording: Wording,
    ) -> Result<String, Conflicts> {
        if method == Method::Rebase {
            return self.rebase(base, head, &wording);
        }
        let files = self.join(base, head)?;
        let tree = self.write_tree(&files);
        let mut parents = vec![base.to_owned()];
        if method == Method::Merge {
            parents.push(head.to_owned());
        }
        let Wording { message, author, committer, signature } = wording;
        Ok(self.put(Object::Commit(Commit { tree, parents, author, committer, signature, message })))
    }

    /// Takes back what `commit` did to its first parent, in a commit on `onto`; none if nothing is left of it to take
    /// back. No reference is moved.
    ///
    /// # Errors
    /// The paths that were changed again since.
    pub(crate) fn revert(
        &mut self,
        onto: &str,
        commit: &str,
        wording: Wording,
    ) -> Result<Option<String>, Conflicts> {
        let parent = self.commit(commit).and_then(|commit| commit.parents.first().cloned());
        let (was, now) = (self.files_of(Some(commit)), self.files_of(Some(onto)));
        let (files, contents) = self.three_way(&was, &now, &self.files_of(parent.as_deref()))?;
        if files == now {
            return Ok(None);
        }
        for content in contents {
            self.put(Object::Blob(content));
        }
        let tree = self.write_tree(&files);
        let Wording { message, author, committer, signature } = wording;
        let parents = vec![onto.to_owned()];
        Ok(Some(self.put(Object::Commit(Commit { tree, parents, author, committer, signature, message }))))
    }

    fn rebase(&mut self, base: &str, head: &str, wording: &Wording) -> Result<String, Conflicts> {
        let mut onto = base.to_owned();
        let mut commits = self.between(base, head);
        commits.reverse();
        for sha in commits {
            let Some(commit) = self.commit(&sha).cloned() else { continue };
            // A merge brings nothing of its own.
            if commit.parents.len() > 1 {
                continue;
            }
            let before = self.files_of(commit.parents.first().map(String::as_str));
            let (ours, theirs) = (self.files_of(Some(&onto)), self.files(&commit.tree));
            let (files, contents) = self.three_way(&before, &ours, &theirs)?;
            for content in contents {
                self.put(Object::Blob(content));
            }
            let tree = self.write_tree(&files);
            let (committer, signature) = (wording.committer.clone(), None);
            let commit = Commit { tree, parents: vec![onto], committer, signature, ..commit };
            onto = self.put(Object::Commit(commit));
        }
        Ok(onto)
    }

    /// File by file: what only one side changed is taken from it; text that both changed is joined by lines.
    fn three_way(
        &self,
        base: &Files,
        ours: &Files,
        theirs: &Files,
    ) -> Result<(Files, Vec<Vec<u8>>), Conflicts> {
        let mut joined = Files::new();
        let mut contents = Vec::new();
        let mut conflicts = Vec::new();
        let paths: BTreeSet<_> = base.keys().chain(ours.keys()).chain(theirs.keys()).collect();
        for path in paths {
            let (was, our, their) = (base.get(path), ours.get(path), theirs.get(path));
            let taken = if our == their || their == was {
                our.cloned()
            } else if our == was {
                their.cloned()
            } else {
                match self.join_file(was, our, their) {
                    Some((file, content)) => {
                        contents.push(content);
                        Some(file)
                    }
                    None => {
                        conflicts.push(path.clone());
                        continue;
                    }
                }
            };
            if let Some(file) = taken {
                joined.insert(path.clone(), file);
            }
        }
        if conflicts.is_empty() { Ok((joined, contents)) } else { Err(Conflicts(conflicts)) }
    }

    fn join_file(
        &self,
        was: Option<&File>,
        our: Option<&File>,
        their: Option<&File>,
    ) -> Option<(File, Vec<u8>)> {
        let (was, our, their) = (was?, our?, their?);
        let mode = if our.mode == was.mode { their.mode } else { our.mode };
        if ![our.mode, their.mode].iter().all(|mode| matches!(mode, Mode::File | Mode::Executable)) {
            return None;
        }
        let text = |file: &File| -> Option<String> {
            let bytes = self.blob(&file.sha)?;
            if is_binary(bytes) { None } else { String::from_utf8(bytes.to_vec()).ok() }
        };
        let content = join_text(&text(was)?, &text(our)?, &text(their)?)?.into_bytes();
        Some((File { mode, sha: Object::Blob(content.clone()).id() }, content))
    }
}

/// A stretch of lines that one side put others in place of.
struct Edit<'a> {
    old: Range<usize>,
    new: Vec<&'a str>,
}

fn edits<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Edit<'a>> {
    let operations = operations(old, new);
    let mut edits: Vec<Edit<'a>> = Vec::new();
    for operation in operations {
        let (tag, before, after) = operation.as_tag_tuple();
        if tag == DiffTag::Equal {
            continue;
        }
        match edits.last_mut() {
            // Two that touch are one.
            Some(last) if last.old.end == before.start => {
                last.old.end = before.end;
                last.new.extend(&new[after]);
            }
            _ => edits.push(Edit { old: before, new: new[after].to_vec() }),
        }
    }
    edits
}

/// Both sides' edits of a text, if none overlap or touch, but for edits that are the same.
fn join_text(was: &str, our: &str, their: &str) -> Option<String> {
    let (was, our, their) = (lines(was), lines(our), lines(their));
    let mut ours = edits(&was, &our).into_iter().peekable();
    let mut theirs = edits(&was, &their).into_iter().peekable();
    let mut text = String::new();
    let mut at = 0;
    loop {
        let edit = match (ours.peek(), theirs.peek()) {
            (None, None) => break,
            (Some(our), Some(their)) if our.old == their.old && our.new == their.new => {
                theirs.next();
                ours.next()
            }
            (Some(our), Some(their)) if our.old.end < their.old.start => ours.next(),
            (Some(our), Some(their)) if their.old.end < our.old.start => theirs.next(),
            (Some(_), Some(_)) => return None,
            (Some(_), None) => ours.next(),
            (None, Some(_)) => theirs.next(),
        }?;
        text.extend(was[at..edit.old.start].iter().copied());
        text.extend(edit.new);
        at = edit.old.end;
    }
    text.extend(was[at..].iter().copied());
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAS: &str = "a\nb\nc\nd\ne\n";

    fn signature(name: &str) -> Signature {
        Signature {
            name: name.to_owned(),
            email: format!("{name}@harbor.example"),
            at: 1_760_000_000,
            offset: 0,
        }
    }

    /// A commit that gives files their content, on top of another.
    fn commit(git: &mut Git, parent: Option<&str>, files: &[(&str, &str)]) -> String {
        let mut all = git.files_of(parent);
        for (path, text) in files {
            let sha = git.put(Object::Blob(text.as_bytes().to_vec()));
            all.insert((*path).to_owned(), File { mode: Mode::File, sha });
        }
        let tree = git.write_tree(&all);
        let (author, committer) = (signature("tomas"), signature("tomas"));
        let parents = parent.into_iter().map(str::to_owned).collect();
        let message = format!("{files:?}");
        git.put(Object::Commit(Commit { tree, parents, author, committer, signature: None, message }))
    }

    fn wording() -> Wording {
        let (author, committer) = (signature("maya"), signature("github"));
        Wording { message: "Joined".to_owned(), author, committer, signature: None }
    }

    #[test]
    fn branches_are_joined_by_a_merge_a_squash_or_a_rebase() {
        let mut git = Git::default();
        let root = commit(&mut git, None, &[("a", WAS)]);
        let base = commit(&mut git, Some(&root), &[("a", &WAS.replace('a', "A"))]);
        let first = commit(&mut git, Some(&root), &[("a", &WAS.replace('e', "E"))]);
        let head = commit(&mut git, Some(&first), &[("b", "new\n")]);
        let text = |git: &Git, sha: &str| {
            let file = git.at_commit(sha, "a").unwrap();
            String::from_utf8(git.blob(&file.sha).unwrap().to_vec()).unwrap()
        };
        for (method, parents, ahead) in
            [(Method::Merge, 2, 3), (Method::Squash, 1, 1), (Method::Rebase, 1, 2)]
        {
            let joined = git.merge(&base, &head, method, wording()).unwrap();
            assert_eq!(text(&git, &joined), "A\nb\nc\nd\nE\n", "{method:?}");
            assert!(git.at_commit(&joined, "b").is_some());
            assert_eq!(git.commit(&joined).unwrap().parents.len(), parents, "{method:?}");
            assert_eq!(git.between(&base, &joined).len(), ahead, "{method:?}");
            let author = if method == Method::Rebase { "tomas" } else { "maya" };
            assert_eq!(git.commit(&joined).unwrap().author.name, author);
            assert_eq!(git.commit(&joined).unwrap().committer.name, "github");
        }
    }

    #[test]
    fn what_both_sides_changed_or_one_removed_conflicts() {
        let mut git = Git::default();
        let root = commit(&mut git, None, &[("a", WAS), ("b", WAS)]);
        let ours = commit(&mut git, Some(&root), &[("a", "mine\n"), ("b", "mine\n"), ("c", "mine\n")]);
        let mut files = git.files_of(Some(&root));
        files.remove("b");
        for (path, text) in [("a", "theirs\n"), ("c", "theirs\n")] {
            let sha = git.put(Object::Blob(text.as_bytes().to_vec()));
            files.insert(path.to_owned(), File { mode: Mode::File, sha });
        }
        let tree = git.write_tree(&files);
        let commit = Commit { tree, parents: vec![root], ..git.commit(&ours).unwrap().clone() };
        let theirs = git.put(Object::Commit(commit));
        let all = Conflicts(["a", "b", "c"].map(str::to_owned).to_vec());
        assert_eq!(git.joins(&ours, &theirs), Err(all.clone()));
        let refs = git.refs().clone();
        assert_eq!(git.merge(&ours, &theirs, Method::Squash, wording()), Err(all));
        assert_eq!(git.refs(), &refs);
    }

    #[test]
    fn edits_apart_are_joined_and_edits_that_touch_conflict() {
        let joined = join_text(WAS, &WAS.replace('a', "A"), &WAS.replace('d', "D\nD2"));
        assert_eq!(joined.as_deref(), Some("A\nb\nc\nD\nD2\ne\n"));
        assert_eq!(join_text(WAS, &WAS.replace('b', "B"), &WAS.replace('c', "C")), None);
        assert_eq!(join_text(WAS, &WAS.replace('b', "B"), &WAS.replace('b', "X")), None);
        let same = WAS.replace('b', "B");
        assert_eq!(join_text(WAS, &same, &same.replace('e', "E")), Some(same.replace('e', "E")));
    }
}
