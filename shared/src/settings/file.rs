//! The settings file: TOML without sections, one line for each setting.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{
    Environment, SettingsError, Table, Value,
    table::file_keys,
    value::{self, Base},
};
use crate::secret::is_placeholder;

/// What a settings file says.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) entries: Vec<Entry>,
}

/// One setting in a file.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: &'static str,
    /// A credential's `KEY-file` rather than the credential.
    pub(super) names_file: bool,
    pub(super) line: usize,
    /// Nothing if it counts as unset: empty, or a placeholder nobody filled in.
    pub(super) value: Result<Value, String>,
}

/// Where the file of a server is looked for when none is named.
pub(super) fn default_path(table: &Table, env: &Environment) -> Option<PathBuf> {
    Some(env.config_home()?.join(table.about().program).join("config.toml"))
}

/// Reads the file at `path`; nothing if there is none there.
pub(super) fn read(table: &Table, path: &Path, env: &Environment) -> Result<Option<File>, SettingsError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let message = format!("The settings file {} cannot be read: {error}", path.display());
            return Err(SettingsError::new(message));
        }
    };
    parse(table, path, &text, env).map(Some)
}

fn parse(table: &Table, path: &Path, text: &str, env: &Environment) -> Result<File, SettingsError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let place = |at: usize| format!("{}:{}", path.display(), line_of(text, at));
    let document = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        // The message only: the parser's own rendering quotes the line, which may hold a credential.
        SettingsError::new(format!("{} is no TOML: {}", place(at), error.message()))
            .with_hint("A line is `key = value`; texts stand in \"quotes\"")
    })?;
    let home = env.home();
    let base = Base { folder: path.parent().unwrap_or(Path::new("")), home: home.as_deref() };
    let mut entries = Vec::new();
    for (key, item) in document.get_ref() {
        let name: &str = key.get_ref();
        let at = key.span().start;
        let row = table.rows().iter().filter(|row| row.in_file());
        let Some(row) = row.into_iter().find(|row| file_keys(row).iter().any(|key| key == name)) else {
            return Err(unknown(table, name, item.get_ref(), &place(at)));
        };
        let names_file = row.is_secret() && name != row.key;
        let value = match item.get_ref() {
            DeValue::String(text) if is_placeholder(text) => Err(format!("still the placeholder {text}")),
            DeValue::String(text) if text.trim().is_empty() => Err("empty".to_owned()),
            DeValue::String(text) if names_file => Ok(Value::SecretFile(base.resolve(Path::new(&**text)))),
            value => match value::from_toml(row, value, base) {
                Ok(value) => Ok(value),
                Err(unfit) => {
                    let message = format!("{}: `{name}` cannot be {}", place(at), unfit.what);
                    return Err(SettingsError::new(message).with_hint(format!("It takes {}", unfit.accepted)));
                }
            },
        };
        entries.push(Entry { key: row.key, names_file, line: line_of(text, at), value });
    }
    Ok(File { path: path.to_owned(), entries })
}

fn unknown(table: &Table, name: &str, value: &DeValue<'_>, place: &str) -> SettingsError {
    // Somebody may have written a credential where a key belongs, so only what looks like a key is quoted.
    let is_key = name.len() <= 32 && name.chars().all(|c| matches!(c, 'a'..='z' | '-' | '_'));
    let error = SettingsError::new(match is_key {
        true => format!("{place}: there is no setting `{name}`"),
        false => format!("{place}: what stands before `=` is no setting"),
    });
    match table.nearest_key(name) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None if value.is_table() => error.with_hint("The file has no sections: settings stand at its top"),
        None => error.with_hint(format!("`{} --help` shows the settings", table.about().program)),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    let head = text.as_bytes().get(..at).unwrap_or_default();
    head.iter().filter(|byte| **byte == b'\n').count() + 1
}
