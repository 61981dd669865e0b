//! Settings as a table: one row gives the flag, the environment variable, the key in the file, the
//! help and the reference.
//!
//! A server declares its own as [`Setting`]s; [`Table`] adds the suite's and [`load`] reads them all:
//! flags win over the environment, the environment over the file, the file over the defaults.

mod environment;
mod file;
mod load;
mod table;
mod value;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    Secret, secret,
    upstream::auth::{Credential, Fixed, SecretFile},
};

pub use environment::Environment;
pub(crate) use load::CLIENT_KEY;
pub use load::{Flags, Loaded, Place, SettingsError, load};
pub use table::{Group, Row, Table};

/// One setting of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `kebab-case`: the flag `--key` and the key in the file.
    pub key: &'static str,
    /// The environment variable, in full.
    pub env: &'static str,
    /// What values it takes.
    pub kind: SettingKind,
    /// The value when nothing is set, as it would be written.
    pub default: Option<&'static str>,
    /// One sentence: what it does.
    pub help: &'static str,
}

/// What values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// On or off.
    Switch,
    /// A text; the word stands for it in the help.
    Text(&'static str),
    /// A whole number.
    Number,
    /// A time in whole seconds.
    Seconds,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Texts, separated by commas.
    List(&'static str),
    /// Texts, separated by commas, that bound what may be used. Without the setting nothing is bound, so
    /// one that is named and empty, or still a placeholder, is an error.
    Bound(&'static str),
    /// A file or folder.
    Path,
    /// A credential: never a flag, because arguments can be seen by others on the machine. It comes
    /// from its variable, or from the file named by `--KEY-file`, by the variable's `_FILE` twin, or by
    /// `KEY-file` in the settings file.
    Secret,
}

/// A value, once read and checked.
#[derive(Clone, Debug)]
pub enum Value {
    /// On or off.
    Switch(bool),
    /// A text.
    Text(String),
    /// A whole number, or a time in seconds.
    Number(u64),
    /// Texts.
    List(Vec<String>),
    /// A file or folder.
    Path(PathBuf),
    /// A credential.
    Secret(Secret),
    /// A file that holds a credential, read anew when it changes.
    SecretFile(PathBuf),
}

/// Where a credential comes from.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// Its value was given.
    Value(Secret),
    /// It is in this file, which may be replaced while the server runs.
    File(PathBuf),
}

impl SecretSource {
    /// The secret itself, now: for what is not sent as it is, such as a client's secret. `name` is the
    /// variable to name in an error.
    ///
    /// # Errors
    /// `invalid_argument` if its file is empty or cannot be read.
    pub fn read(self, name: &str) -> crate::Result<Secret> {
        match self {
            Self::Value(secret) => Ok(secret),
            Self::File(path) => {
                match std::fs::read_to_string(&path) {
                    Ok(text) if !text.trim().is_empty() => Ok(Secret::new(&text)),
                    Ok(_) => Err(crate::Error::invalid(format!("The file of {name} is empty"))),
                    Err(error) => Err(crate::Error::invalid(format!("The file of {name} cannot be read"))
                        .with_source(error)),
                }
            }
        }
    }

    /// The credential that gives it as it is.
    #[must_use]
    pub fn into_credential(self) -> Arc<dyn Credential> {
        match self {
            Self::Value(secret) => Arc::new(Fixed::new(secret)),
            Self::File(path) => Arc::new(SecretFile::new(path)),
        }
    }
}

/// The settings in force.
#[derive(Clone, Debug, Default)]
pub struct Config {
    values: BTreeMap<&'static str, Value>,
    hints: Vec<String>,
}

impl Config {
    /// Sets a value, over any there is.
    pub fn set(&mut self, key: &'static str, value: Value) {
        self.values.insert(key, value);
    }

    /// Takes a value away, as if it had never been set.
    pub fn unset(&mut self, key: &str) {
        self.values.remove(key);
    }

    /// Keeps a hint about a value that counts as unset, such as a placeholder nobody filled in.
    pub fn add_hint(&mut self, hint: impl Into<String>) {
        self.hints.push(hint.into());
    }

    /// Hints about values that count as unset.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// Whether a switch is on.
    #[must_use]
    pub fn switch(&self, key: &str) -> bool {
        matches!(self.values.get(key), Some(Value::Switch(true)))
    }

    /// A text that is set.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key) {
            Some(Value::Text(text)) if !secret::is_placeholder(text) => Some(text),
            _ => None,
        }
    }

    /// A number that is set.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<u64> {
        match self.values.get(key) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// A time that is set.
    #[must_use]
    pub fn seconds(&self, key: &str) -> Option<Duration> {
        self.number(key).map(Duration::from_secs)
    }

    /// The texts that are set.
    #[must_use]
    pub fn list(&self, key: &str) -> &[String] {
        match self.values.get(key) {
            Some(Value::List(list)) => list,
            _ => &[],
        }
    }

    /// The texts of a list, if it is set at all: for lists that bound something where they are set.
    #[must_use]
    pub fn bound(&self, key: &str) -> Option<&[String]> {
        match self.values.get(key) {
            Some(Value::List(list)) => Some(list),
            _ => None,
        }
    }

    /// A path that is set.
    #[must_use]
    pub fn path(&self, key: &str) -> Option<&PathBuf> {
        match self.values.get(key) {
            Some(Value::Path(path)) => Some(path),
            _ => None,
        }
    }

    /// Where a credential comes from, if it is set.
    #[must_use]
    pub fn secret(&self, key: &str) -> Option<SecretSource> {
        match self.values.get(key) {
            Some(Value::Secret(secret)) if !secret.is_empty() => Some(SecretSource::Value(secret.clone())),
            Some(Value::SecretFile(path)) => Some(SecretSource::File(path.clone())),
            _ => None,
        }
    }
}
