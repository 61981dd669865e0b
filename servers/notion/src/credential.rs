//! Where the token for Notion comes from: an internal connection's, or a person's own.

use std::sync::Arc;

use connector::{
    NO_CREDENTIAL,
    settings::{Config, SecretSource, Setting, SettingKind},
    upstream::{Credential, auth::Missing},
};

/// The settings of credentials.
pub(crate) const SETTINGS: &[Setting] = &[Setting {
    key: "token",
    env: "NOTION_TOKEN",
    kind: SettingKind::Secret,
    default: None,
    help: "An internal connection's token, which sees the pages shared with it, or a personal access token",
}];

/// What to do where there is no token.
pub(crate) const TO_SET: &str =
    "Set NOTION_TOKEN to the token of a connection from https://www.notion.so/profile/integrations";

/// The credential that is configured, and what it is in words.
pub(crate) fn choose(config: &Config) -> (Arc<dyn Credential>, &'static str) {
    match config.secret("token") {
        Some(token) if config.switch("sandbox") => {
            (SecretSource::into_credential(token), "the sandbox's token")
        }
        Some(token) => (SecretSource::into_credential(token), "a token"),
        None => {
            let hint = format!("{TO_SET}, or try `--sandbox`");
            (Arc::new(Missing::new("No token for Notion is configured", hint)), NO_CREDENTIAL)
        }
    }
}
