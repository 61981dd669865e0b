//! Where the credential for GitHub comes from: a token, an app that mints tokens of its own, and others
//! for some owners; and where GitHub itself is.

use std::sync::Arc;

use connector::{
    Error, NO_CREDENTIAL, Result, Secret,
    catalog::one_line,
    settings::{Config, SecretSource, Setting, SettingKind},
    upstream::{
        Credential, Options, Upstream,
        auth::{Fixed, Missing, SecretFile},
    },
};
use url::Url;

use crate::{
    api::Account,
    app::{App, Installation},
    bounds::RepositoryBounds,
    vendor::GitHubVendor,
};

/// The settings of credentials.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "token",
        env: "GITHUB_TOKEN",
        kind: SettingKind::Secret,
        default: None,
        help: "A personal access token, fine-grained or classic",
    },
    Setting {
        key: "personal-access-token",
        env: "GITHUB_PERSONAL_ACCESS_TOKEN",
        kind: SettingKind::Secret,
        default: None,
        help: "The same under its other customary name",
    },
    Setting {
        key: "app-id",
        env: "GITHUB_APP_ID",
        kind: SettingKind::Text("ID"),
        default: None,
        help: "A GitHub App, by its client id or app id",
    },
    Setting {
        key: "app-private-key",
        env: "GITHUB_APP_PRIVATE_KEY",
        kind: SettingKind::Secret,
        default: None,
        help: "The app's private key (PEM)",
    },
    Setting {
        key: "app-installation",
        env: "GITHUB_APP_INSTALLATION_ID",
        kind: SettingKind::Text("ID"),
        default: None,
        help: "The app's installation; not needed if there is only one",
    },
    Setting {
        key: "accounts",
        env: "GITHUB_ACCOUNTS",
        kind: SettingKind::List("OWNER=SOURCE"),
        default: None,
        help: "Credentials for owners: acme-*=file:PATH, =env:NAME or =app:INSTALLATION",
    },
    Setting {
        key: "host",
        env: "GITHUB_HOST",
        kind: SettingKind::Text("HOST"),
        default: None,
        help: "GitHub Enterprise: git.acme.example, or acme.ghe.com",
    },
];

/// Credentials as `api` takes them.
#[derive(Debug)]
pub(crate) struct Credentials {
    /// The way to GitHub for everything that has no account of its own.
    pub(crate) main: Upstream,
    /// The owners with a credential of their own, in the order in which they are tried.
    pub(crate) accounts: Vec<Account>,
    /// What the main credential is, for `doctor`.
    pub(crate) what: &'static str,
    /// The installation of an app that the main credential is, if it is one.
    pub(crate) installation: Option<Arc<Installation>>,
    /// Whether everything goes with one token that may have scopes, as classic and OAuth tokens do.
    pub(crate) scoped: bool,
}

/// Where the REST API is: at the configured address, or at the host's customary one.
///
/// # Errors
/// `invalid_argument` for a host that is none.
pub(crate) fn base_url(config: &Config, configured: Url) -> Result<Url> {
    let Some(host) = config.text("host").filter(|_| !config.switch("sandbox")) else { return Ok(configured) };
    let wrong = || {
        Error::invalid(format!("GITHUB_HOST: `{}` is not a host", one_line(host)))
            .with_hint("Write the host alone, such as git.acme.example; GITHUB_API_URL takes a whole address")
    };
    let bare = host.trim().trim_start_matches("https://").trim_end_matches('/');
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':');
    if bare.is_empty() || !bare.chars().all(good) {
        return Err(wrong());
    }
    let address = match bare.to_lowercase().as_str() {
        "github.com" | "api.github.com" => "https://api.github.com".to_owned(),
        tenant if tenant.ends_with(".ghe.com") => {
            format!("https://api.{}", tenant.strip_prefix("api.").unwrap_or(tenant))
        }
        own => format!("https://{own}/api/v3"),
    };
    Url::parse(&address).map_err(|_| wrong())
}

/// The credentials that are configured.
///
/// # Errors
/// [`connector::Kind::InvalidArgument`] if two are configured for the same, or half of one.
pub(crate) fn choose(config: &Config, options: &Options, bounds: &RepositoryBounds) -> Result<Credentials> {
    let vendor = GitHubVendor::default();
    let token = match (config.secret("token"), config.secret("personal-access-token")) {
        (Some(_), Some(_)) if !config.switch("sandbox") => {
            return Err(Error::invalid("GITHUB_TOKEN and GITHUB_PERSONAL_ACCESS_TOKEN are both set")
                .with_hint("They mean the same: keep one"));
        }
        (Some(token), _) | (None, Some(token)) => Some(token),
        (None, None) => None,
    };
    let upstream = |credential: Arc<dyn Credential>| {
        Upstream::new(Arc::new(vendor.clone()), credential, options.clone())
    };
    let scoped = token.as_ref().is_some_and(may_have_scopes) && config.list("accounts").is_empty();
    if config.switch("sandbox") {
        let main = upstream(token.map_or_else(missing, SecretSource::into_credential));
        let what = "the sandbox's token";
        return Ok(Credentials { main, accounts: Vec::new(), what, installation: None, scoped });
    }
    let app = app(config)?;
    let mut installation = None;
    let (main, what) = match (token, &app) {
        (Some(_), Some(_)) if config.list("accounts").is_empty() => {
            return Err(Error::invalid("A token and an app are both configured").with_hint(
                "Keep GITHUB_TOKEN or GITHUB_APP_ID, or say in GITHUB_ACCOUNTS whose the app is",
            ));
        }
        (Some(token), _) => {
            let what = kind(&token);
            (upstream(token.into_credential()), what)
        }
        (None, Some(app)) => {
            let app = Arc::new(app.install(config.text("app-installation"), options, bounds, &vendor));
            installation = Some(Arc::clone(&app));
            (upstream(app), "a GitHub App")
        }
        (None, None) => (upstream(missing()), NO_CREDENTIAL),
    };
    let accounts = config
        .list("accounts")
        .iter()
        .map(|entry| account(entry, &main, app.as_ref(), options, bounds, &vendor))
        .collect::<Result<_>>()?;
    Ok(Credentials { main, accounts, what, installation, scoped })
}

/// Whether a token may be one that has scopes; of one in a file nothing is known yet.
fn may_have_scopes(token: &SecretSource) -> bool {
    match token {
        SecretSource::Value(token) => {
            ["ghp_", "gho_"].iter().any(|prefix| token.expose().starts_with(prefix))
        }
        SecretSource::File(_) => true,
    }
}

/// What kind of token it is, by its prefix (docs.github.com, "GitHub's token formats").
fn kind(token: &SecretSource) -> &'static str {
    let SecretSource::Value(token) = token else { return "a token from a file" };
    let prefixes = [
        ("github_pat_", "a fine-grained personal access token"),
        ("ghp_", "a classic personal access token"),
        ("gho_", "an OAuth token"),
        ("ghu_", "a user's token of a GitHub App"),
        ("ghs_", "an installation token"),
    ];
    prefixes
        .into_iter()
        .find(|(prefix, _)| token.expose().starts_with(prefix))
        .map_or("a token", |(_, kind)| kind)
}

/// What to do where there is no credential.
pub(crate) const TO_SET: &str =
    "Set GITHUB_TOKEN to a token from https://github.com/settings/personal-access-tokens";

fn missing() -> Arc<dyn Credential> {
    Arc::new(Missing::new("No credential for GitHub is configured", format!("{TO_SET}, or try `--sandbox`")))
}

/// The app, if one is configured.
fn app(config: &Config) -> Result<Option<App>> {
    match (config.text("app-id"), config.secret("app-private-key")) {
        (Some(id), Some(key)) => Ok(Some(App::new(id, key))),
        (Some(_), None) => Err(Error::invalid("A GitHub App needs its private key")
            .with_hint("Set GITHUB_APP_PRIVATE_KEY_FILE to the path of its PEM file")),
        (None, Some(_)) => Err(Error::invalid("A private key needs its app").with_hint("Set GITHUB_APP_ID")),
        (None, None) if config.text("app-installation").is_some() => {
            Err(Error::invalid("An installation needs its app").with_hint("Set GITHUB_APP_ID"))
        }
        (None, None) => Ok(None),
    }
}

/// One entry of `accounts`: `OWNER=SOURCE`.
fn account(
    entry: &str,
    main: &Upstream,
    app: Option<&App>,
    options: &Options,
    bounds: &RepositoryBounds,
    vendor: &GitHubVendor,
) -> Result<Account> {
    let wrong = |why: &str| {
        // The source is not quoted: somebody may have put a token there.
        let owner = entry.split('=').next().unwrap_or_default();
        Error::invalid(format!("`accounts`: {}: {why}", one_line(owner)))
            .with_hint("Write owner=file:PATH, owner=env:NAME or owner=app:INSTALLATION")
    };
    let (owners, source) = entry.split_once('=').ok_or_else(|| wrong("there is no `=`"))?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*');
    if owners.is_empty() || !owners.chars().all(fits) {
        return Err(wrong("this is not an owner"));
    }
    let credential: Arc<dyn Credential> = match source.split_once(':') {
        Some(("file", path)) if !path.is_empty() => Arc::new(SecretFile::new(path)),
        Some(("env", name)) => match std::env::var(name) {
            Ok(token) if !token.trim().is_empty() => Arc::new(Fixed::new(Secret::new(&token))),
            _ => return Err(wrong(&format!("the variable {} is not set", one_line(name)))),
        },
        Some(("app", installation)) => {
            let app = app.ok_or_else(|| wrong("no app is configured"))?;
            Arc::new(app.install(Some(installation), options, bounds, vendor))
        }
        _ => return Err(wrong("the source is not a known one")),
    };
    Ok(Account { owners: owners.to_lowercase(), upstream: main.beside(credential) })
}

#[cfg(test)]
mod tests {
    use connector::settings::Value;

    use super::*;

    fn chosen(settings: &[(&'static str, Value)]) -> Result<Credentials, String> {
        let mut config = Config::default();
        for (key, value) in settings {
            config.set(key, value.clone());
        }
        let options = Options::new(Url::parse("https://api.github.com").unwrap());
        choose(&config, &options, &RepositoryBounds::default()).map_err(|error| error.for_agent())
    }

    fn secret(text: &str) -> Value {
        Value::Secret(Secret::new(text))
    }

    #[test]
    fn one_credential_is_chosen_and_two_are_refused() {
        assert_eq!(chosen(&[]).unwrap().what, NO_CREDENTIAL);
        assert_eq!(chosen(&[("token", secret("ghp_x"))]).unwrap().what, "a classic personal access token");
        assert_eq!(
            chosen(&[("personal-access-token", secret("github_pat_x"))]).unwrap().what,
            "a fine-grained personal access token"
        );
        let app = [("app-id", Value::Text("Iv1".to_owned())), ("app-private-key", secret("pem"))];
        assert_eq!(chosen(&app).unwrap().what, "a GitHub App");
        let both = [("token", secret("a")), ("personal-access-token", secret("b"))];
        assert!(chosen(&both).unwrap_err().contains("keep one"));
        let both = [app[0].clone(), app[1].clone(), ("token", secret("a"))];
        assert!(chosen(&both).unwrap_err().contains("GITHUB_ACCOUNTS"));
    }

    #[test]
    fn half_a_credential_says_what_is_missing() {
        assert!(
            chosen(&[("app-id", Value::Text("1".to_owned()))])
                .unwrap_err()
                .contains("GITHUB_APP_PRIVATE_KEY_FILE")
        );
        assert!(chosen(&[("app-private-key", secret("x"))]).unwrap_err().contains("GITHUB_APP_ID"));
        let accounts = |entry: &str| [("accounts", Value::List(vec![entry.to_owned()]))];
        for (entry, says) in [
            ("acme", "there is no `=`"),
            ("ac/me=file:x", "not an owner"),
            ("acme=ghp_secret", "the source"),
            ("acme=app:12", "no app"),
            ("acme=env:SURELY_NOT_SET_ANYWHERE", "is not set"),
        ] {
            let error = chosen(&accounts(entry)).unwrap_err();
            assert!(error.contains(says) && !error.contains("ghp_secret"), "{error}");
        }
        assert_eq!(chosen(&accounts("Acme-*=file:/run/secrets/acme")).unwrap().accounts[0].owners, "acme-*");
    }

    #[test]
    fn a_host_stands_for_its_api() {
        let base = |host: &str| {
            let mut config = Config::default();
            config.set("host", Value::Text(host.to_owned()));
            base_url(&config, Url::parse("https://api.github.com").unwrap()).map(|url| url.to_string())
        };
        assert_eq!(base("git.acme.example").unwrap(), "https://git.acme.example/api/v3");
        assert_eq!(base("https://git.acme.example:8443/").unwrap(), "https://git.acme.example:8443/api/v3");
        assert_eq!(base("acme.ghe.com").unwrap(), "https://api.acme.ghe.com/");
        assert_eq!(base("github.com").unwrap(), "https://api.github.com/");
        assert!(base("http://git.acme.example/path").is_err());
    }
}
