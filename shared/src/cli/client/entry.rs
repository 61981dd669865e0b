//! What a client must be told to use this server: how to start it, or where it is; and where its
//! credentials come from, never the credentials themselves.

use serde_json::{Map, Value, json};
use url::Url;

use super::Client;
use crate::{
    cli::{Context, failure::Failure, setup},
    settings::{CLIENT_KEY, Place, Row, SecretSource, SettingKind},
};

/// A server in a client's configuration.
#[derive(Debug)]
pub(super) struct Entry {
    /// The entry itself.
    pub(super) server: Value,
    /// What VS Code asks the person for.
    pub(super) inputs: Vec<Value>,
    /// What the person should know.
    pub(super) notes: Vec<String>,
}

impl Entry {
    /// The entry for this program with the options of this command line, or for the server at the
    /// address of `--http`.
    pub(super) fn new(client: Client, context: &Context<'_, '_>) -> Result<Self, Failure> {
        let elsewhere = context.loaded.config.text("http").filter(|_| is_flag(context, "http"));
        match elsewhere {
            Some(url) => Self::remote(client, context, url),
            None => Self::local(client, context),
        }
    }

    fn local(client: Client, context: &Context<'_, '_>) -> Result<Self, Failure> {
        let program = context.environment.executable(context.table.about().program);
        let program = program.ok_or_else(|| Failure::other("This program's own path could not be found"))?;
        let mut entry = Self { server: Value::Null, inputs: Vec::new(), notes: Vec::new() };
        let env = entry.credentials(client, context);
        let mut server = Map::new();
        if matches!(client, Client::ClaudeCode | Client::VsCode) {
            server.insert("type".to_owned(), json!("stdio"));
        }
        server.insert("command".to_owned(), json!(program.display().to_string()));
        server.insert("args".to_owned(), json!(arguments(context)));
        if !env.is_empty() {
            server.insert("env".to_owned(), Value::Object(env));
        }
        entry.server = Value::Object(server);
        let stay = context.loaded.set().filter_map(|(key, place)| match place {
            Place::Variable(name) if carried_as_option(context, key) => Some((key, name)),
            _ => None,
        });
        for (key, name) in stay.filter(|(key, _)| *key != "config") {
            entry.notes.push(format!("{name} is set here and stays here; --{key} would be carried."));
        }
        Ok(entry)
    }

    /// The variables that bring the credentials, without any credential in them.
    fn credentials(&mut self, client: Client, context: &Context<'_, '_>) -> Map<String, Value> {
        let mut env = Map::new();
        let config = &context.loaded.config;
        if config.switch("sandbox") {
            return env;
        }
        let set: Vec<_> = context.table.secrets().filter(|row| config.secret(row.key).is_some()).collect();
        let wanted = if set.is_empty() { context.table.secrets().take(1).collect() } else { set };
        for row in wanted {
            match (config.secret(row.key), context.loaded.place(row.key)) {
                (Some(SecretSource::File(path)), Some(Place::Variable(variable))) => {
                    env.insert(variable.clone(), json!(path.display().to_string()));
                }
                // The option is among the arguments; the settings file is read by the server itself.
                (_, Some(Place::Flag(_) | Place::File { .. })) => {}
                _ => match self.placeholder(client, &row.env, || input_of(context, row)) {
                    Some(placeholder) => {
                        env.insert(row.env.to_string(), json!(placeholder));
                    }
                    None => self.notes.push(by_hand(client, context, row)),
                },
            }
        }
        env
    }

    fn remote(client: Client, context: &Context<'_, '_>, text: &str) -> Result<Self, Failure> {
        if client == Client::ClaudeDesktop {
            return Err(Failure::usage("Claude Desktop's file only takes servers that it starts itself")
                .with_hint("Add the address in Claude Desktop under Settings, Connectors"));
        }
        if let Some((_, place)) = context.loaded.set().find(|(key, place)| *key != "http" && place.is_flag())
        {
            return Err(Failure::usage(format!("{place} and --http cannot be used together here"))
                .with_hint("A server that runs elsewhere has its own settings"));
        }
        let url = remote_url(text).ok_or_else(|| {
            Failure::usage(format!("--http: `{text}` is no server's address"))
                .with_hint("It takes an address such as https://mcp.example.com/mcp")
        })?;
        let mut entry = Self { server: Value::Null, inputs: Vec::new(), notes: Vec::new() };
        let mut server = Map::new();
        if client != Client::Cursor {
            server.insert("type".to_owned(), json!("http"));
        }
        server.insert("url".to_owned(), json!(url.as_str()));
        if !setup::is_loopback(&url) {
            let variable = format!("{}{CLIENT_KEY}", context.table.prefix());
            let about = context.table.about();
            let input = || (format!("{}-key", about.program), format!("Key for {}", about.program));
            if let Some(placeholder) = entry.placeholder(client, &variable, input) {
                server
                    .insert("headers".to_owned(), json!({"Authorization": format!("Bearer {placeholder}")}));
            }
            if client != Client::VsCode {
                entry
                    .notes
                    .push(format!("{variable} must hold your key where {} is started.", client.title()));
            }
            if url.scheme() == "http" {
                entry.notes.push("The key would cross the network in the clear: use https.".to_owned());
            }
        }
        entry.server = Value::Object(server);
        Ok(entry)
    }

    /// The client's own way to write "what the variable `name` holds"; none if it has no such way.
    fn placeholder(
        &mut self,
        client: Client,
        name: &str,
        input: impl FnOnce() -> (String, String),
    ) -> Option<String> {
        match client {
            Client::ClaudeDesktop => None,
            Client::ClaudeCode => Some(format!("${{{name}}}")),
            Client::Cursor => Some(format!("${{env:{name}}}")),
            Client::VsCode => {
                let (id, description) = input();
                self.inputs.push(
                    json!({"type": "promptString", "id": id, "description": description, "password": true}),
                );
                Some(format!("${{input:{id}}}"))
            }
        }
    }
}

/// What VS Code asks for: an id, and a description.
fn input_of(context: &Context<'_, '_>, row: &Row) -> (String, String) {
    let about = context.table.about();
    let words: Vec<_> = row.key.split('-').map(|word| if word == "api" { "API" } else { word }).collect();
    (format!("{}-{}", about.key, row.key), format!("{} {}", about.title, words.join(" ")))
}

/// Where to put a credential that the client's file should not hold.
fn by_hand(client: Client, context: &Context<'_, '_>, row: &Row) -> String {
    let file = context.loaded.file.as_ref().or(context.loaded.default_file.as_ref());
    let place = match file {
        Some(file) => format!("Put `{} = \"…\"` into {}", row.key, file.display()),
        None => format!("Put it into a file and add --{} PATH", row.flag()),
    };
    format!(
        "{} does not pass your variables on, so the entry holds no credential. {place}, readable by you alone. Where to get one: {}",
        client.title(),
        context.table.about().credential_help
    )
}

fn is_flag(context: &Context<'_, '_>, key: &str) -> bool {
    context.loaded.place(key).is_some_and(Place::is_flag)
}

/// Whether a setting can be carried as an option, which credentials cannot.
fn carried_as_option(context: &Context<'_, '_>, key: &str) -> bool {
    context.table.row(key).is_some_and(|row| !row.is_secret()) && key != "http"
}

/// The options of this command line, with absolute paths: the client starts the server elsewhere.
fn arguments(context: &Context<'_, '_>) -> Vec<String> {
    let config = &context.loaded.config;
    let mut arguments = Vec::new();
    for row in context.table.rows() {
        // A settings file named by a variable would not be found by a client's server.
        let carried =
            is_flag(context, row.key) || (row.key == "config" && context.loaded.place(row.key).is_some());
        if !carried {
            continue;
        }
        let value = match row.kind {
            SettingKind::Switch => None,
            // A proxy's password is a credential, which a client's file does not hold: the variable does.
            SettingKind::Text(_) | SettingKind::Choice(_) => {
                config.text(row.key).filter(|text| !setup::carries_password(text)).map(str::to_owned)
            }
            SettingKind::Number | SettingKind::Seconds => {
                config.number(row.key).map(|number| number.to_string())
            }
            SettingKind::List(_) | SettingKind::Bound(_) => Some(config.list(row.key).join(",")),
            SettingKind::Path => config.path(row.key).map(|path| path.display().to_string()),
            SettingKind::Secret => match config.secret(row.key) {
                Some(SecretSource::File(path)) => Some(path.display().to_string()),
                _ => None,
            },
        };
        match (row.kind, value) {
            (SettingKind::Switch, _) if config.switch(row.key) => arguments.push(format!("--{}", row.flag())),
            (SettingKind::Switch, _) => arguments.push(format!("--{}=false", row.flag())),
            (_, Some(value)) => arguments.extend([format!("--{}", row.flag()), value]),
            (_, None) => {}
        }
    }
    arguments
}

/// The address of a server, with the path that the suite serves at if it names none.
fn remote_url(text: &str) -> Option<Url> {
    let mut url =
        Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
    if url.path() == "/" {
        url.set_path("/mcp");
    }
    Some(url)
}
