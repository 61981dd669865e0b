//! The one cryptographic provider of the process.

use std::sync::Once;

/// Makes aws-lc-rs the process's provider for TLS in both directions. Any number of calls is fine;
/// a provider that somebody installed before stays.
pub fn install() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
            tracing::debug!("a TLS provider was installed before");
        }
    });
}
