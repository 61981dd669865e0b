//! Objects of git, and their ids: the SHA-1 of `TYPE LENGTH\0` and the content, as git itself makes them.

use std::borrow::Cow;

use sha1::{Digest as _, Sha1};

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Blob(Vec<u8>),
    /// In git's order.
    Tree(Vec<Entry>),
    Commit(Commit),
    Tag(Tag),
}

/// What stands in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) mode: Mode,
    pub(crate) name: String,
    pub(crate) sha: String,
}

/// What an entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    File,
    Executable,
    Symlink,
    Tree,
    Submodule,
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) email: String,
    /// Seconds since the epoch.
    pub(crate) at: i64,
    /// Minutes east of UTC.
    pub(crate) offset: i32,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) tree: String,
    pub(crate) parents: Vec<String>,
    pub(crate) author: Signature,
    pub(crate) committer: Signature,
    /// A PGP signature, in the armour.
    pub(crate) signature: Option<String>,
    pub(crate) message: String,
}

/// An annotated tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) object: String,
    /// `commit`, `tree`, `blob` or `tag`.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) tagger: Signature,
    pub(crate) message: String,
}

impl Object {
    /// `blob`, `tree`, `commit` or `tag`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Blob(_) => "blob",
            Self::Tree(_) => "tree",
            Self::Commit(_) => "commit",
            Self::Tag(_) => "tag",
        }
    }

    /// The object's id, 40 hexadecimal digits.
    pub(super) fn id(&self) -> String {
        let content = self.content();
        let mut hash = Sha1::new();
        hash.update(format!("{} {}\0", self.kind(), content.len()));
        hash.update(&content);
        hex(&hash.finalize())
    }

    /// The object as git stores it, without its header.
    fn content(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Blob(bytes) => bytes.into(),
            Self::Tree(entries) => entries.iter().flat_map(Entry::content).collect(),
            Self::Commit(commit) => commit.content().into_bytes().into(),
            Self::Tag(tag) => tag.content().into_bytes().into(),
        }
    }
}

impl Entry {
    fn content(&self) -> Vec<u8> {
        // Git writes a tree's mode without its first zero.
        let mode = self.mode.octal().trim_start_matches('0');
        let mut content = format!("{mode} {}\0", self.name).into_bytes();
        content.extend(unhex(&self.sha));
        content
    }

    /// By what git sorts the entries of a tree: a tree counts as if its name ended in a slash.
    pub(super) fn order(&self) -> Vec<u8> {
        let slash = if self.mode == Mode::Tree { "/" } else { "" };
        format!("{}{slash}", self.name).into_bytes()
    }
}

impl Mode {
    /// As the API writes it: `100644`.
    pub(crate) fn octal(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Tree => "040000",
            Self::Submodule => "160000",
        }
    }

    /// The mode of this text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let modes = [Self::File, Self::Executable, Self::Symlink, Self::Tree, Self::Submodule];
        modes.into_iter().find(|mode| mode.octal() == text)
    }

    /// The type of object that an entry of this mode leads to.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::File | Self::Executable | Self::Symlink => "blob",
            Self::Tree => "tree",
            Self::Submodule => "commit",
        }
    }
}

impl Signature {
    fn line(&self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.abs();
        let (name, email, at) = (&self.name, &self.email, self.at);
        format!("{name} <{email}> {at} {sign}{:02}{:02}", minutes / 60, minutes % 60)
    }
}

impl Commit {
    fn content(&self) -> String {
        let signature = self.signature.as_deref().unwrap_or_default().trim_end();
        let signature = match signature {
            "" => String::new(),
            // Each further line of a header begins with a space.
            text => format!("gpgsig {}\n", text.replace('\n', "\n ")),
        };
        format!("{}{signature}\n{}", self.head(), self.message)
    }

    /// What a signature is over: the commit without it.
    pub(crate) fn payload(&self) -> String {
        format!("{}\n{}", self.head(), self.message)
    }

    fn head(&self) -> String {
        let parents: String = self.parents.iter().map(|parent| format!("parent {parent}\n")).collect();
        let (author, committer) = (self.author.line(), self.committer.line());
        format!("tree {}\n{parents}author {author}\ncommitter {committer}\n", self.tree)
    }

    /// The message as GitHub shows it: without the line break that git ends it with.
    pub(crate) fn text(&self) -> &str {
        self.message.trim_end_matches('\n')
    }

    /// The first line of the message.
    pub(crate) fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

impl Tag {
    fn content(&self) -> String {
        let Self { object, kind, name, tagger, message } = self;
        format!("object {object}\ntype {kind}\ntag {name}\ntagger {}\n\n{message}", tagger.line())
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    // Two digits below 16 make a byte.
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | *digit as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What git itself says: `git hash-object -t TYPE --stdin < /dev/null`, `printf hello | git hash-object --stdin`.
    #[test]
    fn ids_are_those_of_git() {
        assert_eq!(Object::Blob(Vec::new()).id(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(Object::Tree(Vec::new()).id(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
        assert_eq!(Object::Blob(b"hello".to_vec()).id(), "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0");
    }
}
