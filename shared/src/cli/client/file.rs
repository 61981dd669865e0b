//! A client's file on disk: replaced in one step, with a copy of what was there.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::clock;

/// What became of the file.
#[derive(Debug)]
pub(super) enum Written {
    /// There was none.
    Created,
    /// What it held before is kept here.
    Replaced { backup: PathBuf },
}

/// What the file holds; nothing if there is none.
pub(super) fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the file whole, or leaves it as it was. A link is followed, so that files kept elsewhere
/// stay linked.
pub(super) fn replace(path: &Path, exists: bool, text: &str) -> io::Result<Written> {
    let path = if exists { path.canonicalize()? } else { path.to_owned() };
    let folder = path.parent().ok_or_else(|| io::Error::other("it has no folder"))?;
    fs::create_dir_all(folder)?;
    let backup = if exists { Some(back_up(&path)?) } else { None };
    let (temporary, mut file) = beside(&path, "tmp")?;
    let written = (|| {
        if exists {
            file.set_permissions(fs::metadata(&path)?.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, &path)
    })();
    if let Err(error) = written {
        // What is left over is ours; the file itself is untouched.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    Ok(backup.map_or(Written::Created, |backup| Written::Replaced { backup }))
}

fn back_up(path: &Path) -> io::Result<PathBuf> {
    let seconds = i64::try_from(clock::wall().as_secs()).unwrap_or_default();
    let now = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let (backup, _) = beside(path, &format!("{}.bak", now.strftime("%Y%m%dT%H%M%SZ")))?;
    // The copy takes over the permissions as well.
    fs::copy(path, &backup)?;
    Ok(backup)
}

/// A new file beside `path`, called like it and `end`, with a number if that is taken.
fn beside(path: &Path, end: &str) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for attempt in 0..100_u32 {
        let number = if attempt == 0 { String::new() } else { format!("{attempt}.") };
        let new = path.with_file_name(format!("{name}.{number}{end}"));
        match OpenOptions::new().write(true).create_new(true).open(&new) {
            Ok(file) => return Ok((new, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are too many backups beside it"))
}
