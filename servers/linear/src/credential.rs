//! Where the credential for Linear comes from.

use std::sync::Arc;

use connector::{
    Error, Result,
    settings::{Config, SecretSource, Setting, SettingKind},
    upstream::{
        Credential, Options,
        auth::{Fixed, Missing},
    },
};

/// The settings of credentials.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "api-key",
        env: "LINEAR_API_KEY",
        kind: SettingKind::Secret,
        default: None,
        help: "A personal API key of Linear (Settings > Security & access > Personal API keys)",
    },
    Setting {
        key: "access-token",
        env: "LINEAR_ACCESS_TOKEN",
        kind: SettingKind::Secret,
        default: None,
        help: "An OAuth access token, used as it is",
    },
];

/// The credential that is configured, and whether it is an OAuth token.
///
/// # Errors
/// [`connector::Kind::InvalidArgument`] if two are configured.
pub(crate) fn from(config: &Config, _options: &Options) -> Result<(Arc<dyn Credential>, bool)> {
    let _ = Error::invalid("");
    match (config.secret("api-key"), config.secret("access-token")) {
        (Some(SecretSource::Value(key)), _) => Ok((Arc::new(Fixed::new(key)), false)),
        (_, Some(SecretSource::Value(key))) => Ok((Arc::new(Fixed::new(key)), true)),
        _ => Ok((
            Arc::new(Missing::new("No credential for Linear is configured", "Set LINEAR_API_KEY")),
            false,
        )),
    }
}
