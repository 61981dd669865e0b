//! Secrets as types that cannot be printed, compared in variable time, or serialized by accident.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// A credential. `Debug` shows nothing of it; there is no `Display` and no `Serialize`.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes over a credential, without the white space and the byte order mark that files and shells leave
    /// around it.
    #[must_use]
    pub fn new(value: &str) -> Self {
        Self(SecretString::from(
            value.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned(),
        ))
    }

    /// The credential itself: only for the place that puts it into a request.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }

    /// A short digest that tells two credentials apart without telling anything of either:
    /// for cache keys and logs.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let digest = Sha256::digest(self.expose().as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        Fingerprint(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Tells credentials apart without revealing them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 8]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// Whether a setting's value is a placeholder that a client failed to fill in, such as
/// `${LINEAR_API_KEY}` or `${user_config.api_key}`. Such a value counts as unset.
#[must_use]
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    value.starts_with("${") && value.ends_with('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::new(" lin_api_abc\n");
        assert_eq!(secret.expose(), "lin_api_abc");
        assert_eq!(Secret::new("\u{feff}lin_api_abc\r\n").expose(), "lin_api_abc", "as an editor saves it");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert!(!format!("{:?}", secret.fingerprint()).contains("abc"));
    }

    #[test]
    fn placeholders_are_recognised() {
        assert!(is_placeholder("${LINEAR_API_KEY}"));
        assert!(is_placeholder(" ${user_config.api_key} "));
        assert!(!is_placeholder("lin_api_${x}"));
    }
}
