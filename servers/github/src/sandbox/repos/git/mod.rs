//! A git repository in memory: objects with git's own ids, and references to them.
//!
//! [`tree`] reads and writes files, [`history`] walks commits, [`diff`] compares, [`merge`] joins, `blame` asks
//! who wrote a line.

mod blame;
pub(crate) mod diff;
pub(crate) mod history;
pub(crate) mod merge;
pub(crate) mod object;
pub(crate) mod tree;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

pub(crate) use self::{
    diff::{Change, Status},
    merge::{Method, Wording},
    object::{Commit, Entry, Mode, Object, Signature, Tag},
    tree::{File, Files},
};

/// The fewest digits that may stand for an id.
const SHORTEST: usize = 4;

/// A repository's objects and references.
#[derive(Clone, Debug, Default)]
pub(crate) struct Git {
    objects: HashMap<String, Arc<Object>>,
    /// Full names (`refs/heads/main`) to ids.
    refs: BTreeMap<String, String>,
}

/// Ids say what objects contain, so they are enough to compare by.
impl Serialize for Git {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut objects: Vec<_> = self.objects.keys().collect();
        objects.sort_unstable();
        let mut git = serializer.serialize_struct("Git", 2)?;
        git.serialize_field("refs", &self.refs)?;
        git.serialize_field("objects", &objects)?;
        git.end()
    }
}

impl Git {
    /// Keeps an object; its id.
    pub(crate) fn put(&mut self, object: Object) -> String {
        let id = object.id();
        self.objects.entry(id.clone()).or_insert_with(|| Arc::new(object));
        id
    }

    /// The object of a full id.
    pub(crate) fn object(&self, sha: &str) -> Option<&Object> {
        self.objects.get(sha).map(Arc::as_ref)
    }

    /// The bytes of a file.
    pub(crate) fn blob(&self, sha: &str) -> Option<&[u8]> {
        match self.object(sha)? {
            Object::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The entries of a directory.
    pub(crate) fn tree(&self, sha: &str) -> Option<&[Entry]> {
        match self.object(sha)? {
            Object::Tree(entries) => Some(entries),
            _ => None,
        }
    }

    /// A commit by its full id.
    pub(crate) fn commit(&self, sha: &str) -> Option<&Commit> {
        match self.object(sha)? {
            Object::Commit(commit) => Some(commit),
            _ => None,
        }
    }

    /// An annotated tag by its own id.
    pub(crate) fn tag(&self, sha: &str) -> Option<&Tag> {
        match self.object(sha)? {
            Object::Tag(tag) => Some(tag),
            _ => None,
        }
    }

    /// The commit that an id leads to, through annotated tags.
    pub(crate) fn peel(&self, sha: &str) -> Option<String> {
        match self.object(sha)? {
            Object::Commit(_) => Some(sha.to_owned()),
            Object::Tag(tag) => self.peel(&tag.object),
            _ => None,
        }
    }

    /// The commit whose id begins so, if it is the only one.
    pub(crate) fn abbreviated(&self, prefix: &str) -> Option<String> {
        if prefix.len() < SHORTEST || !prefix.chars().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let prefix = prefix.to_ascii_lowercase();
        let mut found = self.objects.keys().filter(|id| id.starts_with(&prefix) && self.commit(id).is_some());
        match (found.next(), found.next()) {
            (Some(id), None) => Some(id.clone()),
            _ => None,
        }
    }

    /// Every reference by its full name, sorted.
    pub(crate) fn refs(&self) -> &BTreeMap<String, String> {
        &self.refs
    }

    /// What the reference of a full name (`refs/heads/main`) leads to.
    pub(crate) fn reference(&self, name: &str) -> Option<&str> {
        self.refs.get(name).map(String::as_str)
    }

    /// The head of a branch.
    pub(crate) fn branch(&self, name: &str) -> Option<&str> {
        self.reference(&format!("refs/heads/{name}"))
    }

    /// Makes or moves a reference.
    pub(crate) fn point(&mut self, name: &str, sha: &str) {
        self.refs.insert(name.to_owned(), sha.to_owned());
    }

    /// Removes a reference; whether there was one.
    pub(crate) fn drop_reference(&mut self, name: &str) -> bool {
        self.refs.remove(name).is_some()
    }

    /// Names and heads of the references under a prefix (`refs/heads/`), without it.
    pub(crate) fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.refs.iter();
        all.filter_map(move |(name, sha)| Some((name.strip_prefix(prefix)?, sha.as_str())))
    }

    /// Takes over another's objects, but not its references.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.objects.extend(other.objects.iter().map(|(id, object)| (id.clone(), Arc::clone(object))));
    }

    /// Whether nothing has been pushed yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.refs.is_empty()
    }
}
