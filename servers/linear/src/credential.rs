//! Where the credential for Linear comes from: a personal key, an OAuth token used as it is, an OAuth
//! login whose refresh token rotates, or an application that acts for itself.

use std::{sync::Arc, time::Duration};

use connector::{
    Error, NO_CREDENTIAL, Result,
    settings::{Config, SecretSource, Setting, SettingKind},
    upstream::{
        Credential, HttpClient, Options,
        auth::{Grant, Login, Missing, OAuth, OAuthOptions, Store},
    },
};

/// The settings of credentials.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "api-key",
        env: "LINEAR_API_KEY",
        kind: SettingKind::Secret,
        default: None,
        help: "A personal API key",
    },
    Setting {
        key: "access-token",
        env: "LINEAR_ACCESS_TOKEN",
        kind: SettingKind::Secret,
        default: None,
        help: "An OAuth access token, used as it is",
    },
    Setting {
        key: "client-id",
        env: "LINEAR_CLIENT_ID",
        kind: SettingKind::Text("ID"),
        default: None,
        help: "An OAuth application, which acts for itself, or for the person of the refresh token",
    },
    Setting {
        key: "client-secret",
        env: "LINEAR_CLIENT_SECRET",
        kind: SettingKind::Secret,
        default: None,
        help: "The OAuth application's secret",
    },
    Setting {
        key: "refresh-token",
        env: "LINEAR_REFRESH_TOKEN",
        kind: SettingKind::Secret,
        default: None,
        help: "An OAuth refresh token to begin with; what it becomes is kept in the token store",
    },
    Setting {
        key: "token-store",
        env: "LINEAR_TOKEN_STORE",
        kind: SettingKind::Path,
        default: None,
        help: "The file that keeps an OAuth login, whose refresh token changes with every use",
    },
    Setting {
        key: "oauth-scope",
        env: "LINEAR_OAUTH_SCOPE",
        kind: SettingKind::Text("SCOPES"),
        default: Some("read,write"),
        help: "The scopes that an OAuth application asks for, separated by commas",
    },
];

/// How long before its end an access token is renewed. They live for a day.
const REFRESH_AHEAD: Duration = Duration::from_secs(300);

/// A credential as the pipeline takes it.
pub(crate) struct Credentials {
    pub(crate) credential: Arc<dyn Credential>,
    /// Whether it is an OAuth token, which has other budgets than a key.
    pub(crate) oauth: bool,
    /// What it is, for `doctor`.
    pub(crate) what: &'static str,
}

/// The credential that is configured. The built-in fake is only ever given its own key.
///
/// # Errors
/// [`connector::Kind::InvalidArgument`] if two are configured, or half of one.
pub(crate) fn choose(config: &Config, options: &Options) -> Result<Credentials> {
    let key = config.secret("api-key");
    let token = config.secret("access-token");
    let client = config.text("client-id");
    if config.switch("sandbox") {
        return Ok(Credentials {
            credential: key.map_or_else(missing, SecretSource::into_credential),
            oauth: false,
            what: "the sandbox's key",
        });
    }
    match (key, token, client) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
            Err(Error::invalid("More than one credential for Linear is configured")
                .with_hint("Keep one of LINEAR_API_KEY, LINEAR_ACCESS_TOKEN and LINEAR_CLIENT_ID"))
        }
        (Some(key), None, None) => {
            Ok(Credentials { credential: key.into_credential(), oauth: false, what: "a personal API key" })
        }
        (None, Some(token), None) => Ok(Credentials {
            credential: token.into_credential(),
            oauth: true,
            what: "an OAuth access token",
        }),
        (None, None, Some(client)) => application(config, options, client),
        (None, None, None)
            if config.secret("refresh-token").is_some() || config.path("token-store").is_some() =>
        {
            Err(Error::invalid("An OAuth login needs its application's id").with_hint("Set LINEAR_CLIENT_ID"))
        }
        (None, None, None) => Ok(Credentials { credential: missing(), oauth: false, what: NO_CREDENTIAL }),
    }
}

/// What to do where there is no credential.
pub(crate) const TO_SET: &str =
    "Set LINEAR_API_KEY to a key from https://linear.app/settings/account/security";

fn missing() -> Arc<dyn Credential> {
    Arc::new(Missing::new("No credential for Linear is configured", format!("{TO_SET}, or try `--sandbox`")))
}

/// A login of a person through an application, or the application itself.
fn application(config: &Config, options: &Options, client: &str) -> Result<Credentials> {
    let read = |key: &str, name: &str| config.secret(key).map(|source| source.read(name)).transpose();
    let client_secret = read("client-secret", "LINEAR_CLIENT_SECRET")?;
    let refresh = read("refresh-token", "LINEAR_REFRESH_TOKEN")?;
    let store = config.path("token-store").map(Store::new);
    let personal = refresh.is_some() || store.is_some();
    if refresh.is_some() && store.is_none() {
        return Err(Error::invalid("A refresh token changes with every use, so it needs a place to be kept")
            .with_hint("Set LINEAR_TOKEN_STORE to a file that only you can read"));
    }
    if !personal && client_secret.is_none() {
        return Err(Error::invalid("An OAuth application that acts for itself needs its secret").with_hint(
            "Set LINEAR_CLIENT_SECRET, or LINEAR_REFRESH_TOKEN and LINEAR_TOKEN_STORE for a person's login",
        ));
    }
    let mut token_url = options.base_url.clone();
    token_url.set_path("/oauth/token");
    token_url.set_query(None);
    let oauth = OAuth::new(
        OAuthOptions {
            title: "Linear",
            token_url,
            client_id: client.to_owned(),
            client_secret,
            basic_auth: false,
            grant: if personal { Grant::Refresh } else { Grant::ClientCredentials },
            scope: (!personal).then(|| config.text("oauth-scope").unwrap_or("read,write").to_owned()),
            refresh_ahead: REFRESH_AHEAD,
            login_hint: "Get a new refresh token and set LINEAR_REFRESH_TOKEN".into(),
        },
        store.clone(),
        HttpClient::new(options.clone()),
    );
    let credential: Arc<dyn Credential> = match (store, refresh) {
        (Some(store), Some(refresh)) => Arc::new(Login::new(oauth, store, refresh)),
        _ => Arc::new(oauth),
    };
    let what = if personal { "an OAuth login" } else { "an OAuth application" };
    Ok(Credentials { credential, oauth: true, what })
}

#[cfg(test)]
mod tests {
    use connector::{Secret, settings::Value};
    use url::Url;

    use super::*;

    fn chosen(settings: &[(&'static str, Value)]) -> Result<&'static str, String> {
        let mut config = Config::default();
        for (key, value) in settings {
            config.set(key, value.clone());
        }
        let options = Options::new(Url::parse("https://api.linear.app/graphql").unwrap());
        choose(&config, &options).map(|chosen| chosen.what).map_err(|error| error.for_agent())
    }

    fn secret(text: &str) -> Value {
        Value::Secret(Secret::new(text))
    }

    #[test]
    fn one_credential_is_chosen_and_two_are_refused() {
        let client = ("client-id", Value::Text("app".to_owned()));
        assert_eq!(chosen(&[]).unwrap(), NO_CREDENTIAL);
        assert_eq!(chosen(&[("api-key", secret("lin_api_x"))]).unwrap(), "a personal API key");
        assert_eq!(
            chosen(&[client.clone(), ("client-secret", secret("s"))]).unwrap(),
            "an OAuth application"
        );
        let login =
            [client.clone(), ("refresh-token", secret("r")), ("token-store", Value::Path("login".into()))];
        assert_eq!(chosen(&login).unwrap(), "an OAuth login");
        let both = [("api-key", secret("a")), ("access-token", secret("b"))];
        assert!(chosen(&both).unwrap_err().contains("More than one credential"));
    }

    #[test]
    fn half_a_credential_says_what_is_missing() {
        let client = ("client-id", Value::Text("app".to_owned()));
        assert!(chosen(std::slice::from_ref(&client)).unwrap_err().contains("LINEAR_CLIENT_SECRET"));
        assert!(
            chosen(&[client, ("refresh-token", secret("r"))]).unwrap_err().contains("LINEAR_TOKEN_STORE")
        );
        assert!(chosen(&[("refresh-token", secret("r"))]).unwrap_err().contains("LINEAR_CLIENT_ID"));
    }
}
