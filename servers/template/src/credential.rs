//! Where the token comes from.

use std::sync::Arc;

use connector::{
    prelude::*,
    upstream::{Credential, auth::Missing},
};

/// The settings of credentials.
pub(crate) const SETTINGS: &[Setting] = &[Setting {
    key: "token",
    env: "TEMPLATE_TOKEN",
    kind: SettingKind::Secret,
    default: None,
    help: "A person's token",
}];

/// What to do where there is no token.
pub(crate) const TO_SET: &str = "Set TEMPLATE_TOKEN to a token from https://template.example/settings/tokens";

/// What stands in a token's place where there is none: calls then say what to set.
pub(crate) fn missing() -> Arc<dyn Credential> {
    let hint = format!("{TO_SET}, or try `--sandbox`");
    Arc::new(Missing::new("No token for Template is configured", hint))
}
