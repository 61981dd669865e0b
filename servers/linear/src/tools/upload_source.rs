//! Where the bytes of an upload come from: base64 in the call, or a file below the folder that the
//! operator opened for it.

use std::path::{Component, Path, PathBuf};

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use connector::{Error, Kind, Result, catalog::one_line};

/// The most bytes of one upload: what fits the 60 seconds that Linear's signed address lives.
pub(super) const MAX_BYTES: usize = 25 * 1024 * 1024;

/// Standard base64, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A file to upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    /// Its name, without folders.
    pub(super) name: String,
    /// Its media type, judged by the name.
    pub(super) content_type: &'static str,
    /// What is in it.
    pub(super) bytes: Bytes,
}

/// A file from base64, which may be wrapped into lines or be a `data:` address.
///
/// # Errors
/// `invalid_argument` if it is no base64, empty or too large, or the name is none.
pub(super) fn from_base64(name: &str, encoded: &str) -> Result<File> {
    let encoded = match encoded.strip_prefix("data:") {
        Some(data) => data.split_once(";base64,").map_or("", |(_, encoded)| encoded),
        None => encoded,
    };
    let compact: String = encoded.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    if compact.len() / 4 * 3 > MAX_BYTES {
        return Err(too_large());
    }
    let bytes = BASE64.decode(&compact).map_err(|_| {
        Error::invalid("`content` is not base64").with_hint("Give the file's bytes as standard base64")
    })?;
    file(name, bytes)
}

/// A file below `root`, by a path relative to it or an absolute one inside it.
///
/// Both are canonicalised before they are compared, so neither `..` nor a symbolic link leads out.
///
/// # Errors
/// `policy` if there is no root or the path leads out of it; `not_found` if there is no such file;
/// `invalid_argument` if it is no plain file, empty or too large.
pub(super) async fn from_path(root: Option<&Path>, path: &str) -> Result<File> {
    let Some(root) = root else {
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
    if !about.is_file() {
        return Err(Error::invalid(format!("{} is not a plain file", one_line(path))));
    }
    if about.len() > MAX_BYTES as u64 {
        return Err(too_large());
    }
    let bytes = tokio::fs::read(&real).await.map_err(unreadable)?;
    let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    file(&name, bytes)
}

fn file(name: &str, bytes: Vec<u8>) -> Result<File> {
    let name = one_line(name).rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    if name.is_empty() {
        return Err(Error::invalid("`filename` is missing").with_hint("Give the file's name with its ending"));
    }
    if bytes.is_empty() {
        return Err(Error::invalid(format!("{name} is empty")));
    }
    if bytes.len() > MAX_BYTES {
        return Err(too_large());
    }
    Ok(File { content_type: content_type(&name), name, bytes: bytes.into() })
}

fn too_large() -> Error {
    Error::invalid(format!("The file is larger than {} MB", MAX_BYTES / 1024 / 1024))
        .with_hint("Store it elsewhere and attach its address")
}

fn unreadable(error: std::io::Error) -> Error {
    Error::not_found("The file cannot be read").with_source(error)
}

/// The media type that goes with the name's ending; Linear shows images and videos inline by it.
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

    #[test]
    fn base64_comes_padded_or_not_wrapped_or_as_a_data_address() {
        for encoded in ["aGVsbG8=", "aGVsbG8", "aGVs\nbG8=", "data:text/plain;base64,aGVsbG8="] {
            let file = from_base64("a/b\\notes.TXT", encoded).unwrap();
            assert_eq!((file.name.as_str(), file.content_type), ("notes.TXT", "text/plain"));
            assert_eq!(&file.bytes[..], b"hello");
        }
        assert!(from_base64("x.txt", "not base64!").is_err());
        assert!(from_base64("x.txt", "").is_err());
        assert!(from_base64("", "aGVsbG8=").is_err());
    }

    #[tokio::test]
    async fn a_file_below_the_root_is_read_by_either_path() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::write(root.join("shot.png"), b"png").unwrap();
        let absolute = root.join("shot.png").display().to_string();
        for path in ["shot.png", "./shot.png", absolute.as_str()] {
            let file = from_path(Some(&root), path).await.unwrap();
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
            let error = from_path(Some(&root), path).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Policy, "{path}: {error}");
        }
        assert_eq!(from_path(Some(&root), "none.txt").await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(from_path(Some(&root), ".").await.unwrap_err().kind(), Kind::InvalidArgument);
        assert_eq!(from_path(None, "x").await.unwrap_err().kind(), Kind::Policy);
    }
}
