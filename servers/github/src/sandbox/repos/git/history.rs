//! Which commits lead to which.

use std::collections::{BTreeMap, BinaryHeap, HashSet};

use super::{Commit, File, Git};

impl Git {
    /// A commit and all before it, newest first, no commit before one that builds on it.
    pub(crate) fn log(&self, head: &str) -> Vec<String> {
        self.walk(&[head], |_, commit| commit.parents.clone())
    }

    /// The commits that lead to `head` and not to `base`, newest first.
    pub(crate) fn between(&self, base: &str, head: &str) -> Vec<String> {
        let known: HashSet<_> = self.log(base).into_iter().collect();
        self.log(head).into_iter().filter(|sha| !known.contains(sha)).collect()
    }

    /// Whether `old` is `new` or lies before it.
    pub(crate) fn leads_to(&self, old: &str, new: &str) -> bool {
        self.log(new).iter().any(|sha| sha == old)
    }

    /// The newest commit that both build on, and that no other such commit builds on.
    pub(crate) fn merge_base(&self, one: &str, other: &str) -> Option<String> {
        let known: HashSet<_> = self.log(other).into_iter().collect();
        // Newest first, and no commit before one that builds on it: the first is the best.
        self.log(one).into_iter().find(|sha| known.contains(sha))
    }

    /// The commits up to `head` that changed what stands at `path`, newest first. Of a merge only the side is
    /// followed from which the path came unchanged, as `git log -- PATH` does.
    pub(crate) fn log_of(&self, head: &str, path: &str) -> Vec<String> {
        let mut changed = HashSet::new();
        let order = self.walk(&[head], |sha, commit| {
            let here = self.at(&commit.tree, path);
            let at = |parent: &String| -> Option<File> { self.at_commit(parent, path) };
            if let Some(same) = commit.parents.iter().find(|parent| at(parent) == here) {
                return vec![same.clone()];
            }
            if !commit.parents.is_empty() || here.is_some() {
                changed.insert(sha.to_owned());
            }
            commit.parents.clone()
        });
        order.into_iter().filter(|sha| changed.contains(sha)).collect()
    }

    /// Everything that is reached over the parents that `next` gives, ordered as [`Git::log`].
    fn walk(&self, heads: &[&str], mut next: impl FnMut(&str, &Commit) -> Vec<String>) -> Vec<String> {
        let mut onward: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut open: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
        // How many commits that build on one are still to come.
        let mut waiting: BTreeMap<String, usize> = BTreeMap::new();
        while let Some(sha) = open.pop() {
            if onward.contains_key(&sha) {
                continue;
            }
            let Some(commit) = self.commit(&sha) else { continue };
            let parents = next(&sha, commit);
            for parent in &parents {
                *waiting.entry(parent.clone()).or_default() += 1;
                open.push(parent.clone());
            }
            onward.insert(sha, parents);
        }
        let dated = |sha: &str| self.commit(sha).map(|commit| (commit.committer.at, sha.to_owned()));
        let roots = heads.iter().filter(|head| waiting.get(**head).is_none_or(|count| *count == 0));
        let mut ready: BinaryHeap<_> = roots.filter_map(|head| dated(head)).collect();
        let mut order = Vec::new();
        while let Some((_, sha)) = ready.pop() {
            for parent in onward.get(&sha).into_iter().flatten() {
                if let Some(count) = waiting.get_mut(parent) {
                    *count -= 1;
                    if *count == 0 {
                        ready.extend(dated(parent));
                    }
                }
            }
            order.push(sha);
        }
        order
    }
}
