//! The arguments: clap, built from the table of settings.

use std::{ffi::OsString, path::PathBuf};

use clap::{
    Arg, ArgAction, ArgGroup, ArgMatches,
    error::{ContextKind, ContextValue, ErrorKind},
    value_parser,
};

use super::{client, failure::Failure, help, reference::Part, tools};
use crate::settings::{Flags, SettingKind, Table};

/// A command and its own arguments.
#[derive(Debug)]
pub(super) enum Command {
    Serve,
    Call { tool: String, arguments: Option<String> },
    Tools(tools::Format),
    Doctor { json: bool },
    Check,
    Client(client::Wish),
    Sandbox { listen: String },
    Healthcheck,
    NewKey { name: String },
    Reference(Part),
}

/// What a command line asks for.
#[derive(Debug)]
pub(super) enum Parsed {
    /// To be told something.
    Help(String),
    /// To run a command with settings given as flags.
    Run(Command, Flags),
}

/// Reads a command line, the program's name first.
pub(super) fn parse(table: &Table, args: impl IntoIterator<Item = OsString>) -> Result<Parsed, Failure> {
    let args: Vec<OsString> = args.into_iter().collect();
    if args.len() <= 1 {
        // How a desktop client starts a server: nothing to read, and a smaller, faster process.
        return Ok(Parsed::Run(Command::Serve, Flags::default()));
    }
    let matches = match command(table, &args).try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Parsed::Help(error.render().to_string()));
        }
        Err(error) => return Err(explain(&error, table)),
    };
    // Before the command or after it: what is nearer to the end counts.
    let mut given = flags(table, &matches);
    let mut innermost = &matches;
    while let Some((_, inner)) = innermost.subcommand() {
        given.extend(flags(table, inner));
        innermost = inner;
    }
    Ok(Parsed::Run(chosen(&matches)?, given))
}

/// The command and its own arguments.
fn chosen(matches: &ArgMatches) -> Result<Command, Failure> {
    let text = |matches: &ArgMatches, id: &str| matches.get_one::<String>(id).cloned();
    Ok(match matches.subcommand() {
        Some(("call", call)) => {
            Command::Call { tool: text(call, "TOOL").unwrap_or_default(), arguments: text(call, "JSON") }
        }
        Some(("tools", tools)) if tools.get_flag("json") => Command::Tools(tools::Format::Json),
        Some(("tools", tools)) if tools.get_flag("markdown") => Command::Tools(tools::Format::Markdown),
        Some(("tools", _)) => Command::Tools(tools::Format::Text),
        Some(("sandbox", sandbox)) => {
            Command::Sandbox { listen: text(sandbox, "listen").unwrap_or_default() }
        }
        Some(("doctor", doctor)) => Command::Doctor { json: doctor.get_flag("json") },
        Some(("config", config)) => Command::Client(client::Wish {
            client: client::Client::named(&text(config, "CLIENT").unwrap_or_default())?,
            write: config.get_flag("write"),
            name: text(config, "name"),
            file: config.get_one::<OsString>("file").map(PathBuf::from),
        }),
        Some(("keys", keys)) => match keys.subcommand() {
            Some((_, new)) => Command::NewKey { name: text(new, "NAME").unwrap_or_default() },
            None => {
                return Err(Failure::usage("`keys` needs a command").with_hint("`keys new NAME` makes a key"));
            }
        },
        Some(("reference", wanted)) if matches!(wanted.try_get_one("tools"), Ok(Some(true))) => {
            Command::Reference(Part::Tools)
        }
        Some(("reference", wanted)) if matches!(wanted.try_get_one("json"), Ok(Some(true))) => {
            Command::Reference(Part::Json)
        }
        Some(("reference", _)) => Command::Reference(Part::Settings),
        Some(("healthcheck", _)) => Command::Healthcheck,
        Some(("check", _)) => Command::Check,
        _ => Command::Serve,
    })
}

/// The settings that were given as flags.
fn flags(table: &Table, matches: &ArgMatches) -> Flags {
    let given = table.rows().iter().filter_map(|row| {
        let flag = row.flag().into_owned();
        // `reference --tools` is an option of its own by the name of a setting.
        let values: Vec<_> = matches.try_get_many::<OsString>(&flag).ok().flatten()?.cloned().collect();
        // `check --config` is `check`: the file is optional there.
        (!values.is_empty()).then_some((flag, values))
    });
    given.collect()
}

/// The command line as clap knows it, as far as `args` can need it: the help's text where somebody asks
/// for it, and the options of the settings for the commands that are named.
fn command(table: &Table, args: &[OsString]) -> clap::Command {
    let about = table.about();
    let named = |name: &str| args.iter().any(|arg| arg == name);
    let with_help = named("--help") || named("-h") || named("help");
    let helped = |command: clap::Command, text: &dyn Fn() -> String| {
        if with_help { command.override_help(text()) } else { command }
    };
    let switch = |id: &'static str| Arg::new(id).long(id).action(ArgAction::SetTrue);
    let sub = |name: &'static str, own: &[Arg]| {
        let command = helped(clap::Command::new(name), &|| help::of(table, name)).args(own);
        if named(name) { with_settings(command, table) } else { command }
    };
    let main = helped(clap::Command::new(about.program).version(about.version), &|| help::main(table));
    with_settings(main, table).subcommands([
        sub("serve", &[]),
        sub("call", &[Arg::new("TOOL").required(true), Arg::new("JSON")]),
        sub("tools", &[switch("json").conflicts_with("markdown"), switch("markdown")]),
        sub("sandbox", &[Arg::new("listen").long("listen").default_value("127.0.0.1:4010")]),
        sub("healthcheck", &[]),
        sub("doctor", &[switch("json")]),
        sub(
            "check",
            &[Arg::new("config").long("config").num_args(0..=1).value_parser(value_parser!(OsString))],
        ),
        sub(
            "config",
            &[
                Arg::new("CLIENT").required(true),
                switch("write"),
                Arg::new("name").long("name"),
                Arg::new("file").long("file").value_parser(value_parser!(OsString)),
            ],
        ),
        sub("keys", &[]).subcommand(sub("new", &[Arg::new("NAME").required(true)])),
        sub("reference", &[switch("settings"), switch("tools"), switch("json")])
            .group(ArgGroup::new("part").args(["settings", "tools", "json"]))
            .hide(true),
    ])
}

/// Adds the options of the settings, but for those whose name `command` has for an option of its own.
/// Clap could do it for all commands (`global`), and would copy each option into each of them: a third
/// of a megabyte at every start.
fn with_settings(command: clap::Command, table: &Table) -> clap::Command {
    table.rows().iter().fold(command, |command, row| {
        let flag = row.flag().into_owned();
        if command.get_arguments().any(|own| *own.get_id() == *flag) {
            return command;
        }
        let arg =
            Arg::new(flag.clone()).long(flag).value_parser(value_parser!(OsString)).action(ArgAction::Append);
        command.arg(match row.kind {
            // `--read-only` and `--read-only=false`, but never a word that follows.
            SettingKind::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
            _ => arg.num_args(1),
        })
    })
}

/// Clap's error in the suite's words.
fn explain(error: &clap::Error, table: &Table) -> Failure {
    let get = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let program = table.about().program;
    let argument = get(ContextKind::InvalidArg).unwrap_or_default();
    // Clap writes `--tools <tools>` and `<TOOL>`.
    let bare =
        argument.split([' ', '=']).next().unwrap_or_default().trim_matches(['<', '>', '[', ']']).to_owned();
    let (message, hint) = match error.kind() {
        ErrorKind::UnknownArgument => {
            let secret = table.secrets().find(|row| bare.strip_prefix("--") == Some(row.key));
            if let Some(row) = secret {
                let message = format!(
                    "{bare} is no option, because others on this machine can see what a program is called with"
                );
                let hint = format!("Set {}, or name a file that holds it with --{}", row.env, row.flag());
                (message, Some(hint))
            } else {
                let near = get(ContextKind::SuggestedArg).map(|near| format!("Did you mean `{near}`?"));
                (format!("There is no option {bare}"), near)
            }
        }
        ErrorKind::InvalidSubcommand => {
            let near = get(ContextKind::SuggestedSubcommand).map(|near| format!("Did you mean `{near}`?"));
            let wanted = get(ContextKind::InvalidSubcommand).unwrap_or_default();
            (format!("There is no command `{wanted}`"), near)
        }
        ErrorKind::MissingRequiredArgument => (format!("{bare} is missing"), None),
        ErrorKind::InvalidValue | ErrorKind::NoEquals => match get(ContextKind::InvalidValue) {
            Some(value) if !value.is_empty() => {
                let valid = get(ContextKind::ValidValue).map(|valid| format!("It takes one of: {valid}"));
                (format!("{bare} cannot be `{value}`"), valid)
            }
            _ => (format!("{bare} needs a value"), None),
        },
        ErrorKind::ArgumentConflict => {
            let other = get(ContextKind::PriorArg).unwrap_or_default();
            (format!("{argument} and {other} cannot be used together"), None)
        }
        _ => {
            let rendered = error.render().to_string();
            let line = rendered.lines().next().unwrap_or_default();
            (line.strip_prefix("error: ").unwrap_or(line).to_owned(), None)
        }
    };
    Failure::usage(message)
        .with_hint(hint.unwrap_or_else(|| format!("`{program} --help` shows what there is")))
}
