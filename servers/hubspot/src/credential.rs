//! Where the credential for HubSpot comes from: a service key or the token of a private app, both used as they
//! are.

use std::sync::Arc;

use connector::{
    NO_CREDENTIAL,
    settings::{Config, SecretSource, Setting, SettingKind},
    upstream::{Credential, auth::Missing},
};

/// The settings of credentials.
pub(crate) const SETTINGS: &[Setting] = &[Setting {
    key: "access-token",
    env: "HUBSPOT_ACCESS_TOKEN",
    kind: SettingKind::Secret,
    default: None,
    help: "A service key, or the access token of a private app",
}];

/// What to do where there is no credential.
pub(crate) const TO_SET: &str =
    "Set HUBSPOT_ACCESS_TOKEN to a service key (in HubSpot: Settings, Integrations, Service keys)";

/// The credential that is configured, and what it is, in words.
pub(crate) fn choose(config: &Config) -> (Arc<dyn Credential>, &'static str) {
    match config.secret("access-token") {
        Some(secret) if config.switch("sandbox") => {
            (SecretSource::into_credential(secret), "the sandbox's token")
        }
        Some(secret) => (SecretSource::into_credential(secret), "a service key or private-app token"),
        None => {
            let missing = Missing::new(
                "No credential for HubSpot is configured",
                format!("{TO_SET}, or try `--sandbox`"),
            );
            (Arc::new(missing), NO_CREDENTIAL)
        }
    }
}
