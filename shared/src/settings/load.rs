//! Reads the settings: flags over environment over file over defaults, each value with the place it
//! came from, so that an error can name it.

use std::{collections::BTreeMap, ffi::OsString, fmt, path::PathBuf};

use super::{
    Config, Environment, Row, SettingKind, Table, Value,
    file::{self, File},
    table::CONFIG,
    value::{self, Base},
};
use crate::secret::is_placeholder;

/// The flags given on a command line: the flag without its dashes, and its values.
pub type Flags = BTreeMap<String, Vec<OsString>>;

/// The settings in force, and where each came from.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// The settings file that was read, if any.
    pub file: Option<PathBuf>,
    /// Where a settings file is looked for when none is named.
    pub default_file: Option<PathBuf>,
    places: BTreeMap<&'static str, Place>,
}

impl Loaded {
    /// Where the value of `key` came from; nothing for a default.
    #[must_use]
    pub fn place(&self, key: &str) -> Option<&Place> {
        self.places.get(key)
    }

    /// The keys that are set, each with its place.
    pub fn set(&self) -> impl Iterator<Item = (&'static str, &Place)> {
        self.places.iter().map(|(key, place)| (*key, place))
    }

    /// An error about the value of `key`, which was read but cannot be used.
    #[must_use]
    pub fn refuse(&self, key: &str, why: impl fmt::Display) -> SettingsError {
        match self.place(key) {
            Some(place) => {
                SettingsError { wrong_flag: place.is_flag(), ..SettingsError::new(format!("{place}: {why}")) }
            }
            None => SettingsError::new(format!("`{key}`: {why}")),
        }
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// This flag, with its dashes.
    Flag(String),
    /// This environment variable.
    Variable(String),
    /// A line of the settings file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key as it stands there.
        key: String,
    },
}

impl Place {
    /// Whether it is a flag.
    #[must_use]
    pub fn is_flag(&self) -> bool {
        matches!(self, Self::Flag(_))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File { path, line, key } => write!(f, "{}:{line} `{key}`", path.display()),
        }
    }
}

/// Why settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SettingsError {
    /// What is wrong, and where.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Whether a flag is wrong rather than a variable or the file: wrong usage.
    pub wrong_flag: bool,
}

impl SettingsError {
    /// An error about a variable or the file.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, wrong_flag: false }
    }

    /// Says what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Reads the settings of `table`.
///
/// # Errors
/// A value of the wrong type, an unknown key in the file, or a file that was named and cannot be read.
pub fn load(table: &Table, flags: &Flags, env: &Environment) -> Result<Loaded, SettingsError> {
    let mut loaded = Loaded { default_file: file::default_path(table, env), ..Loaded::default() };
    let file = settings_file(table, flags, env, &mut loaded)?;
    loaded.file = file.as_ref().map(|file| file.path.clone());
    let home = env.home();
    let base = Base { folder: env.folder(), home: home.as_deref() };
    for row in table.rows().iter().filter(|row| row.key != CONFIG) {
        let mut reader = Reader { row, base, hints: Vec::new() };
        let mut found = reader.flag(flags)?;
        if found.is_none() {
            found = reader.variables(env)?;
        }
        if found.is_none() {
            found = reader.file(file.as_ref())?;
        }
        reader.hints.into_iter().for_each(|hint| loaded.config.add_hint(hint));
        if let Some((value, place)) = found {
            loaded.config.set(row.key, value);
            loaded.places.insert(row.key, place);
        } else if let Some(default) = row.default {
            let unusable = |_| SettingsError::new(format!("The default of `{}` is unusable", row.key));
            loaded.config.set(row.key, value::from_text(row, default, base).map_err(unusable)?);
        }
    }
    misspelled(table, env).into_iter().for_each(|hint| loaded.config.add_hint(hint));
    Ok(loaded)
}

/// Finds and reads the settings file: the one that is named, else the one at the usual place.
fn settings_file(
    table: &Table,
    flags: &Flags,
    env: &Environment,
    loaded: &mut Loaded,
) -> Result<Option<File>, SettingsError> {
    let home = env.home();
    let base = Base { folder: env.folder(), home: home.as_deref() };
    let named = match table.row(CONFIG) {
        Some(row) => {
            let mut reader = Reader { row, base, hints: Vec::new() };
            match reader.flag(flags)? {
                Some(found) => Some(found),
                None => reader.variables(env)?,
            }
        }
        None => None,
    };
    let Some((Value::Path(path), place)) = named else {
        return match &loaded.default_file {
            Some(path) => file::read(table, path, env),
            None => Ok(None),
        };
    };
    let file = file::read(table, &path, env)?.ok_or_else(|| {
        SettingsError::new(format!("{place}: there is no file {}", path.display()))
            .with_hint("Name a file that exists, or leave it out")
    })?;
    loaded.config.set(CONFIG, Value::Path(path));
    loaded.places.insert(CONFIG, place);
    Ok(Some(file))
}

/// Looks for one setting in each place.
struct Reader<'a> {
    row: &'a Row,
    base: Base<'a>,
    hints: Vec<String>,
}

type Found = Option<(Value, Place)>;

impl Reader<'_> {
    fn flag(&mut self, flags: &Flags) -> Result<Found, SettingsError> {
        let name = self.row.flag();
        let Some(given) = flags.get(name.as_ref()) else { return Ok(None) };
        let place = Place::Flag(format!("--{name}"));
        let mut texts = Vec::with_capacity(given.len());
        for value in given {
            texts.push(self.text(value, &place)?);
        }
        // A list may be given in several flags; of anything else the last one counts.
        let joined = match self.row.kind {
            SettingKind::List(_) | SettingKind::Bound(_) => texts.join(","),
            _ => texts.pop().unwrap_or_default(),
        };
        if self.counts_as_unset(&joined, &place)? {
            return Ok(None);
        }
        self.parse(&joined, place, self.row.is_secret()).map(Some)
    }

    fn variables(&mut self, env: &Environment) -> Result<Found, SettingsError> {
        let mut names = vec![(self.row.env.to_string(), false)];
        names.extend(self.row.file_env().map(|name| (name, true)));
        for (name, names_file) in names {
            let Some(value) = env.raw(&name) else { continue };
            let place = Place::Variable(name);
            let text = self.text(value, &place)?;
            if !self.counts_as_unset(&text, &place)? {
                return self.parse(&text, place, names_file).map(Some);
            }
        }
        Ok(None)
    }

    fn file(&mut self, file: Option<&File>) -> Result<Found, SettingsError> {
        let Some(file) = file else { return Ok(None) };
        let mut entries: Vec<_> = file.entries.iter().filter(|entry| entry.key == self.row.key).collect();
        entries.sort_by_key(|entry| entry.names_file);
        for entry in entries {
            let key = if entry.names_file { self.row.flag().into_owned() } else { entry.key.to_owned() };
            let place = Place::File { path: file.path.clone(), line: entry.line, key };
            match &entry.value {
                Ok(Value::List(list))
                    if list.iter().all(|text| text.trim().is_empty()) && self.row.is_bound() =>
                {
                    return Err(bounds_nothing(&place, "empty"));
                }
                Ok(value) => return Ok(Some((value.clone(), place))),
                Err(why) if self.row.is_bound() => return Err(bounds_nothing(&place, why)),
                Err(why) => self.hints.push(format!("{place} is {why}, so it counts as unset")),
            }
        }
        Ok(None)
    }

    fn text(&self, value: &std::ffi::OsStr, place: &Place) -> Result<String, SettingsError> {
        value.to_str().map(str::to_owned).ok_or_else(|| SettingsError {
            wrong_flag: place.is_flag(),
            ..SettingsError::new(format!("{place} is not UTF-8"))
        })
    }

    /// Whether `text` is what a client leaves behind when it has nothing to fill in.
    ///
    /// # Errors
    /// It is, for a setting that bounds something.
    fn counts_as_unset(&mut self, text: &str, place: &Place) -> Result<bool, SettingsError> {
        let nothing = text.split(',').all(|part| part.trim().is_empty());
        if self.row.is_bound() && (nothing || text.split(',').any(is_placeholder)) {
            let what =
                if nothing { "empty".to_owned() } else { format!("still the placeholder {}", text.trim()) };
            return Err(bounds_nothing(place, &what));
        }
        if is_placeholder(text) {
            let text = text.trim();
            self.hints.push(format!("{place} is still the placeholder {text}, so it counts as unset"));
            return Ok(true);
        }
        let empty = text.trim().is_empty();
        if empty && self.row.is_secret() {
            self.hints.push(format!("{place} is empty, so it counts as unset"));
        }
        Ok(empty)
    }

    fn parse(&self, text: &str, place: Place, names_file: bool) -> Result<(Value, Place), SettingsError> {
        if names_file {
            let path = self.base.resolve(std::path::Path::new(text));
            return Ok((Value::SecretFile(path), place));
        }
        match value::from_text(self.row, text, self.base) {
            Ok(value) => Ok((value, place)),
            Err(unfit) => Err(SettingsError {
                message: format!("{place} cannot be {}", unfit.what),
                hint: Some(format!("It takes {}", unfit.accepted)),
                wrong_flag: place.is_flag(),
            }),
        }
    }
}

/// The error for a setting that is named in order to bound something, and would bound nothing.
fn bounds_nothing(place: &Place, what: &str) -> SettingsError {
    SettingsError {
        wrong_flag: place.is_flag(),
        ..SettingsError::new(format!("{place} is {what}, so it would bound nothing"))
            .with_hint("Give it a value, or leave it out altogether")
    }
}

/// Hints about variables that begin as the suite's own do and are none: a slip in
/// `LINEAR_MCP_READ_ONLY` must not go unseen. No errors, because others set such variables too
/// (Kubernetes, for a service called `linear-mcp`).
fn misspelled(table: &Table, env: &Environment) -> Vec<String> {
    let prefix = table.prefix();
    let foreign = ["SERVICE_", "PORT", CLIENT_KEY];
    env.names()
        .filter(|name| {
            name.strip_prefix(&prefix)
                .is_some_and(|rest| !foreign.iter().any(|foreign| rest.starts_with(foreign)))
        })
        .filter(|name| {
            !table.rows().iter().any(|row| row.env == *name || row.file_env().as_deref() == Some(name))
        })
        .map(|name| match table.nearest_variable(name) {
            Some(near) => format!("{name} is set but is no setting; did you mean {near}?"),
            None => format!("{name} is set but is no setting"),
        })
        .collect()
}

/// The end of the variable that holds a client's key for a server over HTTP: `LINEAR_MCP_KEY`.
/// The server itself does not read it.
pub(crate) const CLIENT_KEY: &str = "KEY";
