//! Texts and values of a file, read as what a setting takes.

use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::{Row, SettingKind, Value};
use crate::Secret;

/// Why a text or value does not fit: what it is, and what is accepted. Never a credential's value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    pub(super) what: String,
    pub(super) accepted: String,
}

impl Unfit {
    fn new(what: impl Into<String>, row: &Row) -> Self {
        Self { what: what.into(), accepted: accepted(row) }
    }
}

/// What a setting takes, in words.
pub(super) fn accepted(row: &Row) -> String {
    match row.kind {
        SettingKind::Switch => "true or false".to_owned(),
        SettingKind::Text(_) => "a text".to_owned(),
        SettingKind::Number => "a whole number".to_owned(),
        SettingKind::Seconds => "a whole number of seconds".to_owned(),
        SettingKind::Choice(words) => words.join(" or "),
        SettingKind::List(_) | SettingKind::Bound(_) => "names, separated by commas".to_owned(),
        SettingKind::Path => "a path".to_owned(),
        SettingKind::Secret => "a credential as text".to_owned(),
    }
}

/// Where relative paths start, and what `~` stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base<'a> {
    pub(super) folder: &'a Path,
    pub(super) home: Option<&'a Path>,
}

impl Base<'_> {
    /// An absolute path: a client may start the server anywhere.
    pub(super) fn resolve(self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => self.folder.join(path),
        }
    }
}

/// Reads a flag's or variable's text.
pub(super) fn from_text(row: &Row, text: &str, base: Base<'_>) -> Result<Value, Unfit> {
    let trimmed = text.trim();
    Ok(match row.kind {
        SettingKind::Switch => match trimmed.to_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Value::Switch(true),
            "false" | "0" | "no" | "off" => Value::Switch(false),
            _ => return Err(Unfit::new(format!("`{}`", excerpt(trimmed)), row)),
        },
        SettingKind::Text(_) => Value::Text(trimmed.to_owned()),
        SettingKind::Number | SettingKind::Seconds => match trimmed.parse() {
            Ok(number) => Value::Number(number),
            Err(_) => return Err(Unfit::new(format!("`{}`", excerpt(trimmed)), row)),
        },
        SettingKind::Choice(words) if words.contains(&trimmed) => Value::Text(trimmed.to_owned()),
        SettingKind::Choice(_) => return Err(Unfit::new(format!("`{}`", excerpt(trimmed)), row)),
        SettingKind::List(_) | SettingKind::Bound(_) => Value::List(split(trimmed)),
        SettingKind::Path => Value::Path(base.resolve(Path::new(text))),
        SettingKind::Secret => Value::Secret(Secret::new(text)),
    })
}

/// Reads a value of the file.
pub(super) fn from_toml(row: &Row, value: &DeValue<'_>, base: Base<'_>) -> Result<Value, Unfit> {
    let unfit = || Unfit::new(kind_of(value), row);
    match (row.kind, value) {
        (SettingKind::Switch, DeValue::Boolean(on)) => Ok(Value::Switch(*on)),
        (SettingKind::Number | SettingKind::Seconds, DeValue::Integer(number)) => {
            let parsed = u64::from_str_radix(number.as_str(), number.radix());
            parsed.map(Value::Number).map_err(|_| unfit())
        }
        (SettingKind::List(_) | SettingKind::Bound(_), DeValue::Array(items)) => items
            .iter()
            .map(|item| item.get_ref().as_str().map(str::to_owned).ok_or_else(unfit))
            .collect::<Result<_, _>>()
            .map(Value::List),
        (SettingKind::Switch | SettingKind::Number | SettingKind::Seconds, _) => Err(unfit()),
        (_, DeValue::String(text)) => from_text(row, text, base),
        _ => Err(unfit()),
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Enough of a wrong value to recognise it.
fn excerpt(text: &str) -> String {
    if text.chars().count() <= 40 {
        return text.to_owned();
    }
    text.chars().take(39).chain(['…']).collect()
}
