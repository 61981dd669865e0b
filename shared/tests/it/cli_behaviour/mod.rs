//! The command line as a person or a script meets it: arguments and environment in, exit code and
//! texts out.

mod clients;
mod commands;
mod notes;
mod process;
mod settings;

use std::{ffi::OsString, path::Path};

use connector::{
    cli::{self, Io},
    settings::Environment,
};
use notes::Notes;

/// How a run ended, and what it wrote.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Outcome {
    /// The whole of it, for snapshots.
    pub(crate) fn shown(&self) -> String {
        let mut shown = format!("exit {}\n", self.code);
        for (name, text) in [("stdout", &self.out), ("stderr", &self.err)] {
            if !text.is_empty() {
                shown.push_str(&format!("--- {name}\n{text}"));
            }
        }
        shown
    }
}

#[derive(Debug)]
/// A machine with a home and a working directory of its own.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
    variables: Vec<(String, OsString)>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("home")).unwrap();
        std::fs::create_dir_all(folder.path().join("project")).unwrap();
        let home = folder.path().join("home").into_os_string();
        Self { folder, variables: vec![("HOME".to_owned(), home)] }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Writes a file of the machine, such as `home/.config/notes-mcp/config.toml`.
    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        self.run_with_input(args, "")
    }

    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Outcome {
        let environment = Environment::new(self.path("project"), self.variables.clone())
            .with_executable("/usr/local/bin/notes-mcp");
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut io = Io { input: &mut input.as_bytes(), output: &mut out, errors: &mut err };
        let args = std::iter::once("notes-mcp").chain(args.iter().copied()).map(OsString::from);
        let code = cli::run::<Notes>(args, &environment, &mut io);
        Outcome { code, out: self.masked(out), err: self.masked(err) }
    }

    /// Text without what differs from run to run.
    fn masked(&self, text: Vec<u8>) -> String {
        let text = String::from_utf8(text).unwrap();
        text.replace(&display(self.folder.path()), "/machine")
    }
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

/// What `args` give on an empty machine.
pub(crate) fn run(args: &[&str]) -> Outcome {
    Machine::new().run(args)
}
