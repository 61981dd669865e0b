//! The process's environment as a value, so that a test can bring its own.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    path::PathBuf,
};

/// Environment variables, and the folder that relative paths start from.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    folder: PathBuf,
    executable: Option<PathBuf>,
}

impl Environment {
    /// That of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            variables: env::vars_os().collect(),
            folder: env::current_dir().unwrap_or_default(),
            executable: env::current_exe().ok(),
        }
    }

    /// One that starts from `folder` and has these variables alone.
    pub fn new<K, V>(folder: impl Into<PathBuf>, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let variables = variables.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self { variables, folder: folder.into(), executable: None }
    }

    /// The same, of the program at `path`.
    #[must_use]
    pub fn with_executable(mut self, path: impl Into<PathBuf>) -> Self {
        self.executable = Some(path.into());
        self
    }

    /// The program, as a client can start it again. Where it was found through a link (`name`, found
    /// on `PATH`), that link: what it points to may carry a version and be gone after an upgrade.
    #[must_use]
    pub fn executable(&self, name: &str) -> Option<PathBuf> {
        let real = self.executable.clone()?;
        let target = real.canonicalize().unwrap_or_else(|_| real.clone());
        let search = self.get("PATH").unwrap_or_default();
        let same =
            |path: &PathBuf| path.is_absolute() && path.canonicalize().is_ok_and(|path| path == target);
        let file = format!("{name}{}", env::consts::EXE_SUFFIX);
        let linked = env::split_paths(search).map(|folder| folder.join(&file)).find(same);
        Some(linked.unwrap_or(real))
    }

    /// The value of a variable, unless it is empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// The value of a variable, even if it is empty.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The names of all variables that are text.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().filter_map(|name| name.to_str())
    }

    /// The folder that relative paths start from.
    #[must_use]
    pub fn folder(&self) -> &PathBuf {
        &self.folder
    }

    /// The person's home folder.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        self.get(name).map(PathBuf::from)
    }

    /// Where programs keep their settings: `%APPDATA%` on Windows, `$XDG_CONFIG_HOME` or `~/.config`
    /// elsewhere.
    #[must_use]
    pub fn config_home(&self) -> Option<PathBuf> {
        if cfg!(windows) {
            return self.get("APPDATA").map(PathBuf::from);
        }
        // The XDG rules say that a relative path there is to be ignored.
        let named = self.get("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        named.or_else(|| Some(self.home()?.join(".config")))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_found_through_a_link_is_started_through_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let (cellar, bin) = (folder.path().join("cellar-1.0"), folder.path().join("bin"));
        std::fs::create_dir(&cellar).unwrap();
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(cellar.join("notes-mcp"), "").unwrap();
        std::os::unix::fs::symlink(cellar.join("notes-mcp"), bin.join("notes-mcp")).unwrap();

        let environment =
            Environment::new("/", [("PATH", bin.as_os_str())]).with_executable(cellar.join("notes-mcp"));
        assert_eq!(environment.executable("notes-mcp"), Some(bin.join("notes-mcp")));
        assert_eq!(environment.executable("other-mcp"), Some(cellar.join("notes-mcp")));
    }
}
