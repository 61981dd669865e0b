//! `config`: the entry that makes a client use this server, printed or put into the client's file.

mod entry;
mod file;
mod jsonc;
mod merge;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Context, call::pretty, failure::Failure, setup};
use crate::{Connector, settings::Environment};
use entry::Entry;
use file::Written;

/// What `config` is asked for.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) client: Client,
    pub(super) write: bool,
    pub(super) name: Option<String>,
    pub(super) file: Option<PathBuf>,
}

/// An MCP client whose configuration is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    ClaudeDesktop,
    ClaudeCode,
    Cursor,
    VsCode,
}

impl Client {
    const ALL: [Self; 4] = [Self::ClaudeDesktop, Self::ClaudeCode, Self::Cursor, Self::VsCode];

    fn key(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "claude-desktop",
            Self::ClaudeCode => "claude-code",
            Self::Cursor => "cursor",
            Self::VsCode => "vscode",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "Claude Desktop",
            Self::ClaudeCode => "Claude Code",
            Self::Cursor => "Cursor",
            Self::VsCode => "VS Code",
        }
    }

    /// The client of this name.
    pub(super) fn named(name: &str) -> Result<Self, Failure> {
        Self::ALL.into_iter().find(|client| client.key() == name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|client| client.key()).collect();
            Failure::usage(format!("There is no client `{name}` here"))
                .with_hint(format!("There are: {}", names.join(", ")))
        })
    }

    /// The member of the file that holds the servers.
    fn section(self) -> &'static str {
        if self == Self::VsCode { "servers" } else { "mcpServers" }
    }

    /// Whether the client reads its file as JSON with comments.
    fn reads_comments(self) -> bool {
        matches!(self, Self::VsCode | Self::Cursor)
    }

    /// The client's file: that of the person, or of the project in the working directory for clients
    /// that keep servers by project.
    fn file(self, environment: &Environment, os: &str) -> Option<PathBuf> {
        let home = environment.home();
        match self {
            Self::ClaudeDesktop => {
                let folder = match os {
                    "macos" => home?.join("Library").join("Application Support"),
                    _ => environment.config_home()?,
                };
                Some(folder.join("Claude").join("claude_desktop_config.json"))
            }
            Self::ClaudeCode => Some(environment.folder().join(".mcp.json")),
            Self::Cursor => Some(home?.join(".cursor").join("mcp.json")),
            Self::VsCode => Some(environment.folder().join(".vscode").join("mcp.json")),
        }
    }
}

pub(super) fn run<S: Connector>(context: &mut Context<'_, '_>, wish: Wish) -> Result<(), Failure> {
    let client = wish.client;
    let name = wish.name.unwrap_or_else(|| S::ABOUT.key.to_owned());
    if name.is_empty()
        || name.len() > 64
        || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    {
        return Err(Failure::usage(format!("--name: `{name}` cannot be a server's name"))
            .with_hint("It takes letters, digits, `_` and `-`"));
    }
    // An entry that the server would refuse to start with is worth nothing.
    setup::catalog::<S>(&context.loaded)?;
    setup::prefix(&context.loaded)?;
    setup::options::<S>(&context.loaded)?;
    let entry = Entry::new(client, context)?;
    let path = match wish.file {
        Some(file) => Some(context.environment.folder().join(file)),
        None => client.file(context.environment, std::env::consts::OS),
    };
    if wish.write {
        let path = path.ok_or_else(|| {
            Failure::other(format!("Where {} keeps its configuration is not known here", client.title()))
                .with_hint("Name the file with --file")
        })?;
        write(context, client, &name, &entry, &path)?;
    } else {
        context.io.answer(&pretty(&snippet(client, &name, &entry)))?;
        if let Some(path) = &path {
            context.io.say(format_args!(
                "note: {} reads this from {}; --write puts it there.",
                client.title(),
                path.display()
            ));
        }
    }
    for note in &entry.notes {
        context.io.say(format_args!("note: {note}"));
    }
    Ok(())
}

/// A file with this entry alone.
fn snippet(client: Client, name: &str, entry: &Entry) -> Value {
    let mut whole = json!({ client.section(): { name: entry.server } });
    if let (false, Value::Object(whole)) = (entry.inputs.is_empty(), &mut whole) {
        whole.shift_insert(0, "inputs".to_owned(), Value::Array(entry.inputs.clone()));
    }
    whole
}

fn write(
    context: &mut Context<'_, '_>,
    client: Client,
    name: &str,
    entry: &Entry,
    path: &Path,
) -> Result<(), Failure> {
    let refuse = |why: String| {
        Failure::other(format!("{} was left as it is: {why}", path.display()))
            .with_hint("Put it right, or add by hand what this prints without --write")
    };
    let old = file::read(path).map_err(|error| refuse(error.to_string()))?;
    let new = match &old {
        Some(old) if !old.trim_start_matches('\u{feff}').trim().is_empty() => {
            merge::merge(old, client, name, entry).map_err(refuse)?
        }
        _ => pretty(&snippet(client, name, entry)),
    };
    if old.as_deref() == Some(new.as_str()) {
        context.io.say(format_args!("{} has it already; nothing was changed.", path.display()));
        return Ok(());
    }
    let written = file::replace(path, old.is_some(), &new).map_err(|error| refuse(error.to_string()))?;
    match written {
        Written::Created => context.io.say(format_args!("Wrote {}.", path.display())),
        Written::Replaced { backup } => {
            context.io.say(format_args!("Wrote {}; it was before: {}.", path.display(), backup.display()));
        }
    }
    let again = match client {
        Client::ClaudeDesktop => "Quit Claude Desktop and start it again to use it.",
        Client::ClaudeCode => "Claude Code asks whether to trust it at its next start here.",
        Client::Cursor => "Cursor shows it under Settings, MCP.",
        Client::VsCode => "VS Code asks whether to trust it when it is started.",
    };
    context.io.say(again);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_keeps_its_file_where_its_documentation_says() {
        let environment = Environment::new("/project", [("HOME", "/home/ada")]);
        let file = |client: Client, os| client.file(&environment, os).unwrap().display().to_string();
        assert_eq!(
            file(Client::ClaudeDesktop, "macos"),
            "/home/ada/Library/Application Support/Claude/claude_desktop_config.json"
        );
        assert_eq!(
            file(Client::ClaudeDesktop, "linux"),
            "/home/ada/.config/Claude/claude_desktop_config.json"
        );
        assert_eq!(file(Client::ClaudeCode, "linux"), "/project/.mcp.json");
        assert_eq!(file(Client::Cursor, "macos"), "/home/ada/.cursor/mcp.json");
        assert_eq!(file(Client::VsCode, "linux"), "/project/.vscode/mcp.json");
    }
}
