//! The help pages, written from the table of settings.

use std::fmt::Write as _;

use crate::settings::{Group, Row, Table};

/// Help is this wide; a line that is longer goes on below itself.
const WIDTH: usize = 100;

/// The commands, in the order of the help: name, what it does.
const COMMANDS: &[(&str, &str)] = &[
    ("serve", "Serve MCP on stdio, or over HTTP with --http; the default command"),
    ("call", "Call one tool and print its reply"),
    ("tools", "List the tools that are offered, and what they cost in tokens"),
    ("doctor", "Check the credential, its rights, limits and reachability, and say what to do"),
    ("config", "Print or write the configuration of an MCP client"),
    ("sandbox", "Serve the fake of the vendor's API by itself"),
    ("healthcheck", "Ask the server at --http whether it is alive"),
    ("keys", "Make a key for a caller over HTTP"),
];

/// The main page.
pub(super) fn main(table: &Table) -> String {
    let about = table.about();
    let mut page = String::new();
    let _ = writeln!(page, "{} {}: {} over MCP\n", about.program, about.version, about.title);
    let _ = writeln!(page, "Usage: {} [COMMAND] [OPTIONS]\n\nCommands:", about.program);
    for (name, does) in COMMANDS {
        let _ = writeln!(page, "  {name:<12} {does}");
    }
    for group in [Group::Vendor, Group::Tools, Group::Upstream] {
        options(&mut page, table, group);
    }
    let _ = writeln!(page, "\nServing, files and logs (more: {} serve --help):", about.program);
    let width = column(table);
    for row in table.group(Group::Http).filter(|row| row.key == "http").chain(table.group(Group::Process)) {
        option(&mut page, table, row, width);
    }
    let prefix = table.prefix();
    let _ = write!(
        page,
        "
Each option is a variable too, as --read-only is {prefix}READ_ONLY, and a key of the settings file,
as `read-only = true`. Options win over variables, variables over the file. Credentials are no
options: set a variable, or name a file that holds one.

Examples:
  {program} call whoami --sandbox
  {program} doctor
  {program} config claude-desktop --write --read-only
  {program} serve --http 127.0.0.1:8080
",
        program = about.program
    );
    page
}

/// The page of one command.
pub(super) fn of(table: &Table, command: &str) -> String {
    let program = table.about().program;
    let does = COMMANDS.iter().find(|(name, _)| *name == command).map_or("", |(_, does)| does);
    let (usage, body) = match command {
        "serve" => {
            let mut page = String::new();
            options(&mut page, table, Group::Http);
            options(&mut page, table, Group::Process);
            ("serve [--http ADDR] [OPTIONS]", page)
        }
        "call" => ("call TOOL [JSON|-] [OPTIONS]", CALL.to_owned()),
        "tools" => ("tools [--json|--markdown] [OPTIONS]", TOOLS.to_owned()),
        "sandbox" => ("sandbox [--listen ADDR]", SANDBOX.to_owned()),
        "healthcheck" => ("healthcheck [--http ADDR]", HEALTHCHECK.to_owned()),
        _ => (command, String::new()),
    };
    let body = body.replace("{program}", program);
    format!("{does}\n\nUsage: {program} {usage}\n{body}\nAll options: {program} --help\n")
}

const CALL: &str = "
  TOOL          The tool's name, as `{program} tools` lists it
  JSON          Its arguments as a JSON object; `-` reads them from standard input
  --structured  Print the structured content as JSON instead of the text

The reply goes to standard output. A tool that fails says why on standard error: exit code 1.

  {program} call list_issues '{\"team\": \"ENG\", \"limit\": 5}'
";

const TOOLS: &str = "
  --json        The list as clients get it
  --markdown    A table for documents
";

const SANDBOX: &str = "
  --listen ADDR  Where to answer [default: 127.0.0.1:4010]
";

const HEALTHCHECK: &str = "
Exit code 0 if it is alive, 1 if not: for containers without a shell.
";

/// A heading and the options below it.
fn options(page: &mut String, table: &Table, group: Group) {
    let _ = writeln!(page, "\n{}:", group.heading(table.about().title));
    let width = column(table);
    for row in table.group(group) {
        option(page, table, row, width);
    }
}

/// Where the words beside the options begin: the same on every page.
fn column(table: &Table) -> usize {
    table.rows().iter().map(|row| synopsis(row).chars().count()).max().unwrap_or_default() + 4
}

fn synopsis(row: &Row) -> String {
    match row.placeholder() {
        Some(word) => format!("--{} {word}", row.flag()),
        None => format!("--{}", row.flag()),
    }
}

fn option(page: &mut String, table: &Table, row: &Row, column: usize) {
    let mut words = row.help.trim_end_matches('.').to_owned();
    if row.is_secret() || !row.env.starts_with(&table.prefix()) {
        let _ = write!(words, " [{}]", row.env);
    }
    if let Some(default) = row.default.filter(|default| default.len() <= 12) {
        let _ = write!(words, " (default {default})");
    }
    let mut line = format!("  {:<width$}", synopsis(row), width = column - 2);
    for word in words.split_whitespace() {
        let start = line.trim_end().chars().count() < column;
        if !start && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(page, "{}", line.trim_end());
            line = " ".repeat(column);
        } else if !start {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(page, "{}", line.trim_end());
}
