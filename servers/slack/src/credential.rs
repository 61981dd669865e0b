//! Where the tokens for Slack come from: a user's, a bot's, a login whose tokens rotate, or a file
//! with the tokens of several workspaces. Tokens of browser sessions (`xoxc`) are not taken.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use connector::{
    Error, NO_CREDENTIAL, Result, Secret,
    catalog::one_line,
    settings::{Config, SecretSource, Setting, SettingKind},
    upstream::{
        Credential, HttpClient, Options,
        auth::{Grant, Login, Missing, OAuth, OAuthOptions, Store},
    },
};

use serde::Deserialize;

use crate::workspace::WorkspaceTokens;

/// What to do where there is no token.
pub(crate) const TO_SET: &str = "Set SLACK_USER_TOKEN (xoxp-…) or SLACK_BOT_TOKEN (xoxb-…) of an app that is installed in the workspace; `slack-mcp manifest` makes one in three steps";

/// The settings of tokens.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "user-token",
        env: "SLACK_USER_TOKEN",
        kind: SettingKind::Secret,
        default: None,
        help: "A user token (xoxp-): sees what its owner sees, searches and posts as them",
    },
    Setting {
        key: "bot-token",
        env: "SLACK_BOT_TOKEN",
        kind: SettingKind::Secret,
        default: None,
        help: "A bot token (xoxb-): sees the conversations that the app is in, and posts as the app",
    },
    Setting {
        key: "act-as",
        env: "SLACK_ACT_AS",
        kind: SettingKind::Text("user|bot"),
        default: Some("user"),
        help: "Which token acts where both are set; the user's always searches",
    },
    Setting {
        key: "workspaces",
        env: "SLACK_WORKSPACES",
        kind: SettingKind::Path,
        default: None,
        help: "A TOML file with the tokens of several workspaces, a table for each",
    },
    Setting {
        key: "team-id",
        env: "SLACK_TEAM_ID",
        kind: SettingKind::Text("ID"),
        default: None,
        help: "The workspace (T...) that is meant, where a token is of a whole organization (Enterprise Grid)",
    },
    Setting {
        key: "client-id",
        env: "SLACK_CLIENT_ID",
        kind: SettingKind::Text("ID"),
        default: None,
        help: "The app of a login whose tokens rotate",
    },
    Setting {
        key: "client-secret",
        env: "SLACK_CLIENT_SECRET",
        kind: SettingKind::Secret,
        default: None,
        help: "The app's secret; an app with PKCE has none",
    },
    Setting {
        key: "refresh-token",
        env: "SLACK_REFRESH_TOKEN",
        kind: SettingKind::Secret,
        default: None,
        help: "A refresh token (xoxe-1-) to begin with; what it becomes is kept in the token store",
    },
    Setting {
        key: "token-store",
        env: "SLACK_TOKEN_STORE",
        kind: SettingKind::Path,
        default: None,
        help: "The file that keeps a login whose tokens rotate: its refresh token changes with every use",
    },
];

/// How long before its end an access token is renewed. They live for twelve hours.
const REFRESH_AHEAD: Duration = Duration::from_secs(2 * 60 * 60);

/// The tokens that are configured, by workspace.
///
/// # Errors
/// `invalid_argument` for a token of a kind that is not taken, or a wrong word.
pub(crate) fn choose(config: &Config, options: &Options) -> Result<Vec<WorkspaceTokens>> {
    if config.text("client-id").is_some() || config.secret("refresh-token").is_some() {
        if config.secret("user-token").is_some() || config.secret("bot-token").is_some() {
            return Err(Error::invalid("More than one credential for Slack is configured").with_hint(
                "Keep SLACK_USER_TOKEN and SLACK_BOT_TOKEN, or SLACK_REFRESH_TOKEN with its app",
            ));
        }
        let mut all = match config.path("workspaces") {
            Some(path) => several(path, options, config.path("token-store").map(PathBuf::as_path))?,
            None => Vec::new(),
        };
        all.insert(0, rotating("default", configured(config)?, team(config.text("team-id"))?, options));
        return Ok(all);
    }
    let token = |key: &str, name: &str, kind: Kind| -> Result<_> {
        config.secret(key).map(|source| taken(source, name, kind)).transpose()
    };
    let user = token("user-token", "SLACK_USER_TOKEN", Kind::User)?;
    let bot = token("bot-token", "SLACK_BOT_TOKEN", Kind::Bot)?;
    let as_bot = acts_as_bot(config.text("act-as").unwrap_or("user"))?;
    let alone = WorkspaceTokens {
        team: team(config.text("team-id"))?,
        ..of("default", user, bot, as_bot, config.switch("sandbox"))
    };
    let Some(path) = config.path("workspaces") else { return Ok(vec![alone]) };
    let mut all = several(path, options, None)?;
    if alone.credential != NO_CREDENTIAL {
        all.insert(0, alone);
    }
    Ok(all)
}

/// The workspace that is meant, of those of an organization: its id (docs.slack.dev/enterprise).
fn team(given: Option<&str>) -> Result<Option<String>> {
    let Some(team) = given.map(str::trim).filter(|team| !team.is_empty()) else { return Ok(None) };
    let is_id =
        team.starts_with('T') && team.chars().all(|one| one.is_ascii_uppercase() || one.is_ascii_digit());
    if !is_id || team.len() < 4 {
        return Err(Error::invalid(format!("`team-id`: `{}` is not the id of a workspace", one_line(team)))
            .with_hint("It begins with T, such as T012ABCDEF; whoami lists those of the organization"));
    }
    Ok(Some(team.to_owned()))
}

/// Whose token one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    User,
    Bot,
}

/// What tokens begin with that are not taken anywhere, and why (docs.slack.dev/authentication/tokens).
const NOT_TAKEN: &[(&str, &str)] = &[
    ("xoxc-", "is a browser session's, and such tokens are not accepted"),
    ("xoxd-", "is a browser session's cookie, and such tokens are not accepted"),
    ("xapp-", "is an app-level token, which calls none of the methods for messages"),
    ("xoxe-", "is a refresh token: it goes into SLACK_REFRESH_TOKEN, with its app's id and a token store"),
];

/// The credential of a token, unless it is seen to be of another kind. A file that cannot be read now may be later.
fn taken(source: SecretSource, name: &str, kind: Kind) -> Result<Arc<dyn Credential>> {
    if let Ok(token) = source.clone().read(name) {
        // Tokens that rotate have a word more before them.
        let token = token.expose().trim();
        let bare = token.strip_prefix("xoxe.").unwrap_or(token);
        let wrong = |why: &str| Error::invalid(format!("The token in {name} {why}")).with_hint(TO_SET);
        if let Some((_, why)) = NOT_TAKEN.iter().find(|(begins, _)| bare.starts_with(begins)) {
            return Err(wrong(why));
        }
        match kind {
            Kind::User if bare.starts_with("xoxb-") => {
                return Err(wrong("is a bot's (xoxb-): it goes into SLACK_BOT_TOKEN"));
            }
            Kind::Bot if bare.starts_with("xoxp-") => {
                return Err(wrong("is a user's (xoxp-): it goes into SLACK_USER_TOKEN"));
            }
            _ => {}
        }
    }
    Ok(source.into_credential())
}

fn acts_as_bot(word: &str) -> Result<bool> {
    match word {
        "user" => Ok(false),
        "bot" => Ok(true),
        other => Err(Error::invalid(format!("`act-as` is user or bot, not {other}"))),
    }
}

/// The tokens of one workspace in a file of several.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Several {
    user_token_file: Option<PathBuf>,
    bot_token_file: Option<PathBuf>,
    act_as: Option<String>,
    team_id: Option<String>,
    refresh_token_file: Option<PathBuf>,
    client_id: Option<String>,
    client_secret_file: Option<PathBuf>,
    token_store: Option<PathBuf>,
}

/// The workspaces of a file: `[acme]`, then `user-token-file = "/run/secrets/acme"`. Tokens stand in files of
/// their own, so that this one may be read by others. `store` is where the tokens of the workspace beside it are kept.
fn several(path: &Path, options: &Options, store: Option<&Path>) -> Result<Vec<WorkspaceTokens>> {
    let wrong = |why: String| Error::invalid(format!("The workspaces in {}: {why}", path.display()));
    let text = std::fs::read_to_string(path)
        .map_err(|error| wrong("cannot be read".to_owned()).with_source(error))?;
    let tables: BTreeMap<String, Several> =
        toml::from_str(&text).map_err(|error| wrong(one_line(error.message())).with_source(error))?;
    if tables.is_empty() {
        return Err(wrong("there is none".to_owned()));
    }
    let file = |path: Option<PathBuf>, name: String, kind: Kind| {
        path.map(|path| taken(SecretSource::File(path), &name, kind)).transpose()
    };
    let mut stores: Vec<PathBuf> = store.map(Path::to_owned).into_iter().collect();
    let one = |(name, tokens): (String, Several)| {
        let as_bot = acts_as_bot(tokens.act_as.as_deref().unwrap_or("user"))?;
        let team_id =
            team(tokens.team_id.as_deref()).map_err(|error| wrong(format!("{name}: {}", error.message())))?;
        let user = file(tokens.user_token_file, format!("user-token-file of {name}"), Kind::User)?;
        let bot = file(tokens.bot_token_file, format!("bot-token-file of {name}"), Kind::Bot)?;
        let read = |path: Option<PathBuf>, what: &str| {
            path.map(|path| SecretSource::File(path).read(&format!("{what} of {name}"))).transpose()
        };
        let refresh = read(tokens.refresh_token_file, "refresh-token-file")?;
        if let Some(refresh) = refresh {
            if user.is_some() || bot.is_some() {
                return Err(
                    wrong(format!("{name} has a refresh token and another token")).with_hint("Keep one")
                );
            }
            let (Some(client_id), Some(store)) = (tokens.client_id, tokens.token_store) else {
                return Err(wrong(format!("{name} has a refresh token, but not all that it needs"))
                    .with_hint("Give client-id, and token-store: a file of its own that only you can read"));
            };
            if stores.contains(&store) {
                return Err(wrong(format!("the token-store of {name} is that of another workspace, too")));
            }
            stores.push(store.clone());
            let client_secret = read(tokens.client_secret_file, "client-secret-file")?;
            let rotation =
                Rotation { client_id, client_secret, refresh: Some(refresh), store: Store::new(store) };
            return Ok(rotating(&name, rotation, team_id, options));
        }
        if user.is_none() && bot.is_none() {
            return Err(wrong(format!("{name} has no token"))
                .with_hint("Give user-token-file or bot-token-file, or refresh-token-file"));
        }
        Ok(WorkspaceTokens { team: team_id, ..of(&name, user, bot, as_bot, false) })
    };
    tables.into_iter().map(one).collect()
}

/// What a login whose tokens rotate needs.
struct Rotation {
    client_id: String,
    client_secret: Option<Secret>,
    refresh: Option<Secret>,
    store: Store,
}

/// The one that the settings name.
fn configured(config: &Config) -> Result<Rotation> {
    let read = |key: &str, name: &str| config.secret(key).map(|source| source.read(name)).transpose();
    let client_id = config.text("client-id").ok_or_else(|| {
        Error::invalid("A login whose tokens rotate needs its app's id").with_hint("Set SLACK_CLIENT_ID")
    })?;
    let store = config.path("token-store").map(Store::new).ok_or_else(|| {
        Error::invalid("A refresh token changes with every use, so it needs a place to be kept")
            .with_hint("Set SLACK_TOKEN_STORE to a file that only you can read")
    })?;
    Ok(Rotation {
        client_id: client_id.to_owned(),
        client_secret: read("client-secret", "SLACK_CLIENT_SECRET")?,
        refresh: read("refresh-token", "SLACK_REFRESH_TOKEN")?,
        store,
    })
}

/// A workspace with a login whose tokens rotate (docs.slack.dev/authentication/using-token-rotation).
fn rotating(name: &str, rotation: Rotation, team: Option<String>, options: &Options) -> WorkspaceTokens {
    let Rotation { client_id, client_secret, refresh, store } = rotation;
    let mut token_url = options.base_url.clone();
    token_url.set_path(&format!("{}/oauth.v2.access", token_url.path().trim_end_matches('/')));
    let oauth = OAuth::new(
        OAuthOptions {
            title: "Slack",
            token_url,
            client_id,
            client_secret,
            basic_auth: false,
            grant: Grant::Refresh,
            scope: None,
            refresh_ahead: REFRESH_AHEAD,
            login_hint: "Get a new refresh token and set SLACK_REFRESH_TOKEN".into(),
        },
        Some(store.clone()),
        HttpClient::new(options.clone()),
    );
    let acting: Arc<dyn Credential> = match refresh {
        Some(refresh) => Arc::new(Login::new(oauth, store, refresh)),
        None => Arc::new(oauth),
    };
    let credential = "a login whose tokens rotate";
    WorkspaceTokens { name: name.to_owned(), acting, searching: None, credential, team }
}

fn of(
    name: &str,
    user: Option<Arc<dyn Credential>>,
    bot: Option<Arc<dyn Credential>>,
    as_bot: bool,
    sandbox: bool,
) -> WorkspaceTokens {
    let name = name.to_owned();
    match (user, bot) {
        (Some(user), Some(bot)) if as_bot => WorkspaceTokens {
            name,
            acting: bot,
            searching: Some(user),
            credential: "a bot token, and a user token to search",
            team: None,
        },
        (Some(user), _) => WorkspaceTokens {
            name,
            acting: user,
            searching: None,
            credential: if sandbox { "the sandbox's user token" } else { "a user token" },
            team: None,
        },
        (None, Some(bot)) => {
            WorkspaceTokens { name, acting: bot, searching: None, credential: "a bot token", team: None }
        }
        (None, None) => WorkspaceTokens {
            name,
            acting: Arc::new(Missing::new("No token for Slack is configured", TO_SET)),
            searching: None,
            credential: NO_CREDENTIAL,
            team: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use connector::settings::Value;
    use url::Url;

    use super::*;

    fn chosen(key: &'static str, token: &str) -> Result<Vec<WorkspaceTokens>> {
        let mut config = Config::default();
        config.set(key, Value::Secret(Secret::new(token)));
        choose(&config, &Options::new(Url::parse("https://slack.com/api").unwrap()))
    }

    #[test]
    fn tokens_of_browser_sessions_and_of_the_other_kind_are_refused() {
        for (key, token, why) in [
            ("user-token", "xoxc-1-2", "browser session"),
            ("bot-token", "xoxc-1-2", "browser session"),
            ("user-token", "xoxd-1", "browser session"),
            ("user-token", "xapp-1", "app-level"),
            ("user-token", "xoxe-1-2", "SLACK_REFRESH_TOKEN"),
            ("user-token", "xoxb-1", "SLACK_BOT_TOKEN"),
            ("user-token", "xoxe.xoxb-1", "SLACK_BOT_TOKEN"),
            ("bot-token", "xoxp-1", "SLACK_USER_TOKEN"),
        ] {
            let error = chosen(key, token).map(|_| ()).unwrap_err();
            assert!(error.message().contains(why) && !error.for_agent().contains(token), "{token}: {error}");
        }
        for (key, token) in [
            ("user-token", "xoxp-1"),
            ("user-token", "xoxe.xoxp-1"),
            ("bot-token", "xoxb-1"),
            ("bot-token", "xoxe.xoxb-1"),
        ] {
            assert!(chosen(key, token).is_ok(), "{token}");
        }
    }
}
