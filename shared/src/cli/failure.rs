//! How a command ends when it does not end well: an exit code, what happened, what to do.

use std::fmt;

use crate::{Error, error::sentence, settings::SettingsError};

/// Wrong usage: an argument that is unknown, missing or of the wrong form. `EX_USAGE` of sysexits.
const USAGE: u8 = 64;
/// Wrong configuration: a variable, a file, or settings that contradict each other. `EX_CONFIG`.
const CONFIGURATION: u8 = 78;

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// The command line is wrong.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { code: USAGE, message: message.into(), hint: None }
    }

    /// The settings are wrong.
    pub(super) fn configuration(message: impl Into<String>) -> Self {
        Self { code: CONFIGURATION, message: message.into(), hint: None }
    }

    /// Anything else.
    pub(super) fn other(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into(), hint: None }
    }

    /// It has been told already: by the answer, for instance.
    pub(super) fn silent() -> Self {
        Self::other("")
    }

    /// Says what to do.
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What `check` found: one line, and the configuration is wrong, wherever it stands.
    pub(super) fn of_check(self) -> Self {
        let hint = self.hint.map(|hint| format!(". {}", sentence(&hint))).unwrap_or_default();
        let message = format!("{}{hint}", self.message).lines().collect::<Vec<_>>().join(" ");
        Self::configuration(message)
    }

    pub(super) fn code(&self) -> u8 {
        self.code
    }

    pub(super) fn is_silent(&self) -> bool {
        self.message.is_empty()
    }

    /// A server that could not be made from its settings.
    pub(super) fn unusable_settings(error: &Error) -> Self {
        Self {
            code: CONFIGURATION,
            message: error.message().to_owned(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let code = if error.wrong_flag { USAGE } else { CONFIGURATION };
        Self { code, message: error.message, hint: error.hint }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", sentence(&self.message))?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {}", sentence(hint))?;
        }
        Ok(())
    }
}
