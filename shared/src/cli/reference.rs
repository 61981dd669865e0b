//! `reference`: the parts of the documentation that are made from the code, so that they cannot be
//! wrong about it.

use std::fmt::Write as _;

use serde_json::{Map, json};

use super::{Context, failure::Failure, tools::List};
use crate::{
    Connector,
    access::Selection,
    settings::{Group, Loaded, Row, Table},
};

/// A part of the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Settings,
    Tools,
    Json,
}

pub(super) fn run<S: Connector>(context: &mut Context<'_, '_>, part: Part) -> Result<(), Failure> {
    let text = match part {
        Part::Settings => settings(context.table),
        Part::Tools => {
            let everything = Selection { toolsets: vec!["all".to_owned()], ..Selection::default() };
            let catalog =
                S::catalog().select(&everything).map_err(|error| Failure::unusable_settings(&error))?;
            List::new(&catalog, &Loaded::default())?.markdown()
        }
        Part::Json => json::<S>(context.table),
    };
    context.io.answer(&text)
}

/// What a script needs to start this server against another address: its names, and the variables of the address and of
/// the credential that its sandbox takes.
fn json<S: Connector>(table: &Table) -> String {
    let about = table.about();
    let env = |key: &str| table.rows().iter().find(|row| row.key == key).map(|row| row.env.clone());
    let credential = S::sandbox().map(|sandbox| sandbox.credential.0);
    let variables: Map<_, _> = table.rows().iter().map(|row| (row.key.to_owned(), json!(row.env))).collect();
    let page = json!({
        "key": about.key,
        "title": about.title,
        "program": about.program,
        "api_url": env("api-url"),
        "credential": credential.and_then(env),
        "variables": variables,
    });
    format!("{page:#}\n")
}

fn settings(table: &Table) -> String {
    let about = table.about();
    let mut page = format!(
        "\
# Settings of {program}

Every setting is an option, a variable and a key of one TOML file. Options win over variables,
variables over the file. The file is the one named by `--config` or `{prefix}CONFIG`, else
`{program}/config.toml` in `$XDG_CONFIG_HOME` or `~/.config` (in `%APPDATA%` on Windows), if it is
there. An unknown key in it is an error. Relative paths start at the file's folder, those of options
and variables at the working directory; `~/` is the home folder.

Credentials are never options, because others on a machine can see what a program is called with.
Each comes from its variable, from a file named by the option or the variable ending in `_FILE`, or
from the settings file. A value that is empty, or still a placeholder such as `${{X}}`, counts as unset.
",
        program = about.program,
        prefix = table.prefix(),
    );
    for group in Group::ALL {
        let mut rows = table.group(group).peekable();
        if rows.peek().is_none() {
            continue;
        }
        let _ = writeln!(page, "\n## {}\n", group.heading(about.title));
        page.push_str("| Option | Variable | Key | Takes | Default | What it does |\n");
        page.push_str("| --- | --- | --- | --- | --- | --- |\n");
        for row in rows {
            page.push_str(&line(row));
        }
    }
    page
}

fn line(row: &Row) -> String {
    let key = if row.in_file() { format!("`{}`", row.key) } else { String::new() };
    let takes = row.placeholder().map_or_else(|| "true or false".to_owned(), |word| format!("`{word}`"));
    let default = row.default.map(|default| format!("`{default}`")).unwrap_or_default();
    let (variable, key) = match row.file_env() {
        Some(file) => (format!("`{}`, `{file}`", row.env), format!("{key}, `{}`", row.flag())),
        None => (format!("`{}`", row.env), key),
    };
    let cells = [format!("`--{}`", row.flag()), variable, key, takes, default, row.help.to_owned()];
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}
