//! The command line that every server has: serving, one call, the list of tools, the doctor, the
//! configuration of clients, the sandbox.
//!
//! [`main`] is thin: [`run`] takes arguments, environment and streams as values, so that tests need
//! no process. Only answers and the protocol go to standard output.

mod args;
mod call;
mod check;
mod client;
mod doctor;
mod failure;
mod healthcheck;
mod help;
mod keys;
mod layout;
mod own_client;
mod reference;
mod sandbox;
mod serve;
mod setup;
mod tools;

use std::{
    ffi::OsString,
    fmt,
    io::{self, Read, Write},
    process::ExitCode,
};

use crate::{
    Connector,
    error::sentence,
    settings::{Environment, Loaded, Table, load},
    telemetry::{self, Format},
};
use args::{Command, Parsed};
use failure::Failure;

/// Runs the server `S` as a program. This is all that its `main` does.
#[must_use]
pub fn main<S: Connector>() -> ExitCode {
    let environment = Environment::of_process();
    let (mut input, mut output, mut errors) = (io::stdin(), io::stdout(), io::stderr());
    let mut io = Io { input: &mut input, output: &mut output, errors: &mut errors };
    ExitCode::from(run::<S>(std::env::args_os(), &environment, &mut io))
}

/// The streams of a run.
pub struct Io<'a> {
    /// Where `call TOOL -` reads its arguments.
    pub input: &'a mut dyn Read,
    /// Where answers go. Serving on stdio goes to the process's own streams.
    pub output: &'a mut dyn Write,
    /// Where everything else goes.
    pub errors: &'a mut dyn Write,
}

impl Io<'_> {
    /// Writes an answer, whole. A reader that went away (`| head`) is no error of ours.
    fn answer(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::other(format!("The answer could not be written: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes a line that the person must have.
    fn tell(&mut self, line: impl fmt::Display) -> Result<(), Failure> {
        writeln!(self.errors, "{line}")
            .and_then(|()| self.errors.flush())
            .map_err(|error| Failure::other(format!("What only you should read could not be shown: {error}")))
    }

    /// Writes a line for the person. If nobody reads it, it is lost.
    fn say(&mut self, line: impl fmt::Display) {
        let _ = writeln!(self.errors, "{line}");
    }
}

impl fmt::Debug for Io<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Io")
    }
}

/// What every command is given.
struct Context<'a, 'io> {
    table: &'a Table,
    loaded: Loaded,
    environment: &'a Environment,
    io: &'a mut Io<'io>,
}

/// Runs the command line `args`, the program's name first, and gives the exit code: 0, 64 for wrong
/// usage, 78 for wrong configuration, 1 for anything else that went wrong.
pub fn run<S: Connector>(
    args: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    io: &mut Io<'_>,
) -> u8 {
    let table = Table::new(S::ABOUT, S::settings());
    let outcome = match args::parse(&table, args) {
        Ok(Parsed::Help(text)) => io.answer(&text),
        Ok(Parsed::Run(command, flags)) => {
            let checks = matches!(command, Command::Check);
            let outcome = match load(&table, &flags, environment) {
                Ok(loaded) => dispatch::<S>(command, Context { table: &table, loaded, environment, io }),
                Err(error) => Err(error.into()),
            };
            if checks { outcome.map_err(Failure::of_check) } else { outcome }
        }
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            if !failure.is_silent() {
                io.say(&failure);
            }
            failure.code()
        }
    }
}

fn dispatch<S: Connector>(command: Command, mut context: Context<'_, '_>) -> Result<(), Failure> {
    let config = &context.loaded.config;
    let format = match config.text("log-format") {
        Some("json") => Format::Json,
        _ => Format::Text,
    };
    let serves = matches!(command, Command::Serve);
    if serves || config.text("log").is_some() {
        telemetry::init(format, config.text("log"));
    }
    for hint in config.hints().to_vec() {
        match (serves, &command) {
            // Whoever collects a server's logs gets one form of lines.
            (true, _) => tracing::warn!("{hint}"),
            // The doctor reports them.
            (false, Command::Doctor { .. }) => {}
            (false, _) => context.io.say(format_args!("warning: {}", sentence(&hint))),
        }
    }
    // Those that run to the end of a future are not inlined: together they would take 64 kB of the stack from whichever
    // of them runs, each page of it touched.
    match command {
        Command::Serve => serve::run::<S>(&mut context),
        Command::Call { tool, arguments } => call::run::<S>(&mut context, &tool, arguments.as_deref()),
        Command::Tools(format) => tools::run::<S>(&mut context, format),
        Command::Sandbox { listen } => sandbox::run::<S>(&mut context, &listen),
        Command::Doctor { json } => doctor::run::<S>(&mut context, json),
        Command::Client(wish) => client::run::<S>(&mut context, wish),
        Command::NewKey { name } => keys::run(&mut context, &name),
        Command::Reference(part) => reference::run::<S>(&mut context, part),
        Command::Healthcheck => healthcheck::run(&context),
        Command::Check => check::run::<S>(&mut context),
    }
}
