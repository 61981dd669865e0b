//! Logs: to standard error alone, because standard output belongs to the protocol.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What is logged when nobody says otherwise: warnings, the suite's own words, and one line per
/// call. The SDK's logs hold arguments and results.
pub const DEFAULT_FILTER: &str = "warn,connector=info,call=info,rmcp=off";

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line, for machines.
    Json,
}

/// Starts logging, once per process; later calls change nothing. `filter` has the form of
/// `RUST_LOG`, which wins over it; without either it is [`DEFAULT_FILTER`].
pub fn init(format: Format, filter: Option<&str>) {
    let from_environment =
        std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|value| !value.trim().is_empty());
    let wanted = from_environment.as_deref().or(filter).unwrap_or(DEFAULT_FILTER);
    let (directives, unreadable) = match EnvFilter::try_new(wanted) {
        Ok(directives) => (directives, None),
        Err(error) => (EnvFilter::new(DEFAULT_FILTER), Some(error)),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(directives).with_writer(std::io::stderr);
    let started = match format {
        Format::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        Format::Json => {
            builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
        }
    };
    if let (Ok(()), Some(error)) = (started, unreadable) {
        tracing::warn!(filter = wanted, %error, "the log filter cannot be read; the default is used");
    }
}
