//! The help pages, written from the table of settings.

use std::fmt::Write as _;

use super::layout::beside;
use crate::settings::{Group, Row, Table};

/// The commands, in the order of the help: name, what it does.
const COMMANDS: &[(&str, &str)] = &[
    ("serve", "Serve MCP on stdio, or over HTTP with --http; the default command"),
    ("call", "Call one tool and print its reply"),
    ("tools", "List the tools that are offered, and what they cost in tokens"),
    ("doctor", "Check the credential, its rights, limits and reachability, and say what to do"),
    ("check", "Check the settings alone: exit code 78 and one line where they are wrong"),
    ("config", "Print or write the configuration of an MCP client"),
    ("sandbox", "Serve the fake of the vendor's API by itself"),
    ("healthcheck", "Ask the server at --admin or --http whether it is alive"),
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
    let _ = writeln!(page);
    let rules = format!(
        "Each option is a variable too, as --read-only is {}READ_ONLY, and a key of the settings file, as \
         `read-only = true`. Options win over variables, variables over the file. Credentials are no options: \
         set a variable, or name a file that holds one.",
        table.prefix()
    );
    page.push_str(&beside("", 0, &rules));
    let _ = write!(page, "{}", EXAMPLES.replace("{program}", about.program));
    page
}

const EXAMPLES: &str = "
Examples:
  {program} call whoami --sandbox
  {program} doctor
  {program} config claude-desktop --write --read-only
  {program} serve --http 127.0.0.1:8080
";

/// The page of one command.
pub(super) fn of(table: &Table, command: &str) -> String {
    let program = table.about().program;
    let known = COMMANDS.iter().find(|(name, _)| *name == command);
    let does = known.map_or("Write a part of the documentation", |(_, does)| does);
    let (usage, body) = match command {
        "serve" => {
            let mut page = String::new();
            options(&mut page, table, Group::Http);
            options(&mut page, table, Group::Process);
            ("serve [--http ADDR] [OPTIONS]", page)
        }
        "call" => ("call TOOL [JSON|-] [OPTIONS]", CALL.to_owned()),
        "doctor" => ("doctor [--json] [OPTIONS]", DOCTOR.to_owned()),
        "config" => ("config CLIENT [--write] [OPTIONS]", CONFIG.to_owned()),
        "keys" => ("keys new NAME", KEYS.to_owned()),
        "reference" => ("reference --settings|--tools|--json", REFERENCE.to_owned()),
        "tools" => ("tools [--json|--markdown] [OPTIONS]", TOOLS.to_owned()),
        "sandbox" => ("sandbox [--listen ADDR]", SANDBOX.to_owned()),
        "healthcheck" => ("healthcheck [--http ADDR|--admin ADDR]", HEALTHCHECK.to_owned()),
        "check" => ("check [--config [PATH]] [OPTIONS]", CHECK.to_owned()),
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

  {program} call search '{\"query\": \"release\"}' --sandbox
";

const TOOLS: &str = "
  --json        The list as clients get it
  --markdown    A table for documents
";

const DOCTOR: &str = "
  --json        The findings as JSON

Exit code 1 if anything is bad.
";

const CHECK: &str = "
Reads the settings, the files that they name, and nothing else: no network, so that it can run before a
server is rolled out, in a pipeline or an init container.

  {program} check --http 0.0.0.0:8080 --api-keys-file keys
";

const CONFIG: &str = "
  CLIENT        claude-desktop, claude-code, cursor or vscode
  --write       Put it into the client's file; the rest of the file stays, a backup is kept
  --file PATH   Another file than the client's usual one
  --name NAME   What the client calls the server
  --http URL    Of a server that runs elsewhere, instead of starting one

Options given here are carried into the entry. Credentials are not: the client is told where to
find them, or you are told where to put them.

  {program} config claude-desktop --read-only
  {program} config vscode --write
  {program} config claude-code --http https://mcp.example.com/mcp
";

const KEYS: &str = "
  new NAME      Make a key for the caller NAME

The key is shown once, on standard error. On standard output is its hash, a line for the file of
--api-keys-file.

  {program} keys new ada >> keys
";

const REFERENCE: &str = "
  --settings    The settings as Markdown
  --tools       The tools as Markdown
  --json        The program's names and variables, for scripts
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
    let head = format!("  {}", synopsis(row));
    page.push_str(&beside(&head, column, &words));
}
