//! Where the bytes of an upload come from: base64 in the call, or a file below the folder that the
//! operator opened for it with `--upload-root`. Never an address to fetch: that would let whoever
//! writes to an agent reach what only the server can.

use std::path::{Component, Path, PathBuf};

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use tokio::io::AsyncReadExt as _;

use super::one_line;
use crate::{Error, Kind, Result};

/// Standard base64, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// From so many characters of base64 on they are decoded on a thread of their own.
const LONG: usize = 1024 * 1024;

/// A file to upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, without folders.
    pub name: String,
    /// Its media type, judged by the name.
    pub content_type: &'static str,
    /// What is in it; never nothing.
    pub bytes: Bytes,
}

/// Where uploads may come from, and how large they may be.
#[derive(Clone, Copy, Debug)]
pub struct UploadSource<'a> {
    /// The folder that files are read from; none where the operator opened none.
    pub root: Option<&'a Path>,
    /// The most bytes of one file that the vendor takes.
    pub max_bytes: usize,
}

impl UploadSource<'_> {
    /// The file that a call gives by the arguments `content` (base64) with `filename`, or by `path`;
    /// none where it gives neither. A `filename` beside a `path` is the name to upload it under.
    ///
    /// # Errors
    /// `invalid_argument` for both at once, and as [`Self::decode`] and [`Self::open`].
    pub async fn read(
        &self,
        content: Option<&str>,
        filename: Option<&str>,
        path: Option<&str>,
    ) -> Result<Option<File>> {
        match (content, path) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(Error::invalid("Give `content` or `path`, not both")),
            (Some(content), None) => self.decode(filename.unwrap_or_default(), content).await.map(Some),
            (None, Some(path)) => {
                let file = self.open(path).await?;
                match filename {
                    Some(name) => self.file(name, file.bytes).map(Some),
                    None => Ok(Some(file)),
                }
            }
        }
    }

    /// A file from base64, which may be wrapped into lines or be a `data:` address.
    ///
    /// # Errors
    /// `invalid_argument` if it is no base64, empty or too large, or the name is none.
    pub async fn decode(&self, name: &str, content: &str) -> Result<File> {
        let encoded = match content.trim_start().strip_prefix("data:") {
            Some(data) => data.split_once(";base64,").map_or("", |(_, encoded)| encoded),
            None if is_address(content) => return Err(no_fetching("content")),
            None => content,
        };
        let compact: String = encoded.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        if compact.len() / 4 * 3 > self.max_bytes.saturating_add(3) {
            return Err(self.too_large());
        }
        let decoded = if compact.len() < LONG {
            BASE64.decode(&compact)
        } else {
            tokio::task::spawn_blocking(move || BASE64.decode(&compact))
                .await
                .map_err(|error| Error::new(Kind::Internal, "Decoding was broken off").with_source(error))?
        };
        let bytes = decoded.map_err(|_| {
            Error::invalid("`content` is not base64").with_hint("Give the file's bytes as standard base64")
        })?;
        self.file(name, bytes.into())
    }

    /// A file below the root, by a path relative to it or an absolute one inside it.
    ///
    /// Both are canonicalised before they are compared, so neither `..` nor a symbolic link leads out.
    ///
    /// # Errors
    /// `policy` if there is no root or the path leads out of it; `not_found` if there is no such file;
    /// `invalid_argument` if it is an address or no plain file, empty or too large.
    pub async fn open(&self, path: &str) -> Result<File> {
        if is_address(path) {
            return Err(no_fetching("path"));
        }
        let Some(root) = self.root else {
            return Err(Error::new(Kind::Policy, "This server reads no files: it has no upload folder")
                .with_hint("Give the bytes as base64 in `content` with `filename`, or ask the operator to start it with --upload-root"));
        };
        let outside = || {
            Error::new(Kind::Policy, format!("`path` {} is not below the upload folder", one_line(path)))
                .with_hint("Give a path relative to the upload folder")
        };
        let asked = Path::new(path);
        if asked.components().any(|part| matches!(part, Component::ParentDir)) {
            return Err(outside());
        }
        let root = tokio::fs::canonicalize(root).await.map_err(|error| {
            Error::new(Kind::Policy, "The upload folder cannot be read")
                .with_hint("The operator must correct --upload-root")
                .with_source(error)
        })?;
        // Joining an absolute path replaces the root, so that both kinds are compared the same way.
        let real: PathBuf = match tokio::fs::canonicalize(root.join(asked)).await {
            Ok(real) => real,
            // Whether a file exists outside of the root is nobody's business.
            Err(_) if asked.is_absolute() && !asked.starts_with(&root) => return Err(outside()),
            Err(error) => {
                return Err(Error::not_found(format!(
                    "There is no file {} in the upload folder",
                    one_line(path)
                ))
                .with_source(error));
            }
        };
        if !real.starts_with(&root) {
            return Err(outside());
        }
        let about = tokio::fs::metadata(&real).await.map_err(unreadable)?;
        // Asked before it is opened: opening a pipe would wait for a writer.
        if !about.is_file() {
            return Err(Error::invalid(format!("{} is not a plain file", one_line(path))));
        }
        let mut bytes = Vec::new();
        let most = (self.max_bytes as u64).saturating_add(1);
        if about.len() >= most {
            return Err(self.too_large());
        }
        let file = tokio::fs::File::open(&real).await.map_err(unreadable)?;
        // It may grow while it is read.
        file.take(most).read_to_end(&mut bytes).await.map_err(unreadable)?;
        let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.file(&name, bytes.into())
    }

    fn file(&self, name: &str, bytes: Bytes) -> Result<File> {
        let name = one_line(name).rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(
                Error::invalid("`filename` is missing").with_hint("Give the file's name with its ending")
            );
        }
        if bytes.is_empty() {
            return Err(Error::invalid(format!("{name} is empty")));
        }
        if bytes.len() > self.max_bytes {
            return Err(self.too_large());
        }
        Ok(File { content_type: content_type(&name), name, bytes })
    }

    fn too_large(&self) -> Error {
        Error::invalid(format!("The file is larger than {} MB", self.max_bytes / 1024 / 1024))
            .with_hint("Store it elsewhere and give its address in the text")
    }
}

/// Whether a text is an address of the web rather than a path or bytes.
fn is_address(text: &str) -> bool {
    let text = text.trim_start();
    ["http://", "https://", "ftp://", "file://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(scheme)))
}

fn no_fetching(argument: &str) -> Error {
    Error::invalid(format!("`{argument}` is an address, and this server fetches none"))
        .with_hint("Give the bytes as base64 in `content`, or a path in the upload folder as `path`")
}

fn unreadable(error: std::io::Error) -> Error {
    Error::not_found("The file cannot be read").with_source(error)
}

/// The media type that goes with the name's ending; vendors show images and videos inline by it.
fn content_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "avif" => "image/avif",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "txt" | "log" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "json" | "har" => "application/json",
        "xml" => "application/xml",
        "yaml" | "yml" => "application/yaml",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(root: Option<&Path>) -> UploadSource<'_> {
        UploadSource { root, max_bytes: 1024 * 1024 }
    }

    #[tokio::test]
    async fn base64_comes_padded_or_not_wrapped_or_as_a_data_address() {
        for encoded in ["aGVsbG8=", "aGVsbG8", "aGVs\nbG8=", "data:text/plain;base64,aGVsbG8="] {
            let file = source(None).decode("a/b\\notes.TXT", encoded).await.unwrap();
            assert_eq!((file.name.as_str(), file.content_type), ("notes.TXT", "text/plain"));
            assert_eq!(&file.bytes[..], b"hello");
        }
        for (name, encoded) in [("x.txt", "not base64!"), ("x.txt", ""), ("", "aGVsbG8=")] {
            let error = source(None).decode(name, encoded).await.unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidArgument, "{name} {encoded}");
        }
    }

    #[tokio::test]
    async fn a_file_of_the_most_bytes_is_taken_and_one_byte_more_is_not() {
        let folder = tempfile::tempdir().unwrap();
        for (bytes, fits) in [(1024 * 1024, true), (1024 * 1024 + 1, false)] {
            let content = vec![b'x'; bytes];
            let decoded = source(None).decode("x", &BASE64.encode(&content)).await;
            std::fs::write(folder.path().join("x"), &content).unwrap();
            let opened = source(Some(folder.path())).open("x").await;
            for file in [decoded, opened] {
                assert_eq!(file.is_ok(), fits, "{bytes}");
                assert!(fits || file.unwrap_err().message().contains("larger than 1 MB"));
            }
        }
    }

    #[tokio::test]
    async fn an_address_is_never_fetched() {
        let folder = tempfile::tempdir().unwrap();
        for address in ["https://example.com/a.png", " HTTP://10.0.0.1/x", "file:///etc/passwd"] {
            for file in [
                source(None).decode("a.png", address).await,
                source(None).open(address).await,
                source(Some(folder.path())).open(address).await,
            ] {
                let error = file.unwrap_err();
                assert!(error.message().contains("fetches none"), "{address}: {error}");
            }
        }
    }

    #[tokio::test]
    async fn one_source_is_given_and_a_path_may_be_renamed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("shot.png"), b"png").unwrap();
        let source = source(Some(folder.path()));
        assert_eq!(source.read(None, None, None).await.unwrap(), None);
        assert!(source.read(Some("aGVsbG8="), Some("a"), Some("shot.png")).await.is_err());
        let renamed = source.read(None, Some("new.gif"), Some("shot.png")).await.unwrap().unwrap();
        assert_eq!((renamed.name.as_str(), renamed.content_type), ("new.gif", "image/gif"));
        let error = source.read(Some("aGVsbG8="), None, None).await.unwrap_err();
        assert!(error.message().contains("`filename` is missing"), "{error}");
    }

    #[tokio::test]
    async fn a_file_below_the_root_is_read_by_either_path() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::write(root.join("shot.png"), b"png").unwrap();
        let absolute = root.join("shot.png").display().to_string();
        for path in ["shot.png", "./shot.png", absolute.as_str()] {
            let file = source(Some(&root)).open(path).await.unwrap();
            assert_eq!(
                (file.name.as_str(), file.content_type, &file.bytes[..]),
                ("shot.png", "image/png", &b"png"[..])
            );
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn neither_dots_nor_links_nor_absolute_paths_lead_out_of_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let root = base.join("root");
        std::fs::create_dir_all(&root).unwrap();
        std::fs::write(base.join("secret.txt"), b"secret").unwrap();
        std::os::unix::fs::symlink(base.join("secret.txt"), root.join("link.txt")).unwrap();
        std::os::unix::fs::symlink(&base, root.join("up")).unwrap();
        let absolute = base.join("secret.txt").display().to_string();
        for path in ["../secret.txt", "link.txt", "up/secret.txt", absolute.as_str(), "/nowhere/at/all"] {
            let error = source(Some(&root)).open(path).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Policy, "{path}: {error}");
        }
        let fails = async |path| source(Some(&root)).open(path).await.unwrap_err().kind();
        assert_eq!(fails("none.txt").await, Kind::NotFound);
        assert_eq!(fails(".").await, Kind::InvalidArgument);
        assert_eq!(source(None).open("x").await.unwrap_err().kind(), Kind::Policy);
    }
}
