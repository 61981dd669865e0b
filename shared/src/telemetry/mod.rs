//! Logs: to standard error alone, because standard output belongs to the protocol.

use std::io::IsTerminal as _;

use tracing_subscriber::{
    Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

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
/// `RUST_LOG`, which wins over it: targets and levels, such as `warn,connector=debug`. Without either
/// it is [`DEFAULT_FILTER`]. (Filters on spans and fields would bring a regex engine into every server.)
pub fn init(format: Format, filter: Option<&str>) {
    let from_environment = std::env::var("RUST_LOG").ok().filter(|value| !value.trim().is_empty());
    let wanted = from_environment.as_deref().or(filter).unwrap_or(DEFAULT_FILTER);
    let (targets, unreadable) = match wanted.parse::<Targets>() {
        Ok(targets) => (targets, None),
        Err(error) => (DEFAULT_FILTER.parse().unwrap_or_default(), Some(error)),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry();
    let started = match format {
        Format::Text => {
            let lines = lines.with_ansi(std::io::stderr().is_terminal());
            registry.with(lines.with_filter(targets)).try_init()
        }
        Format::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
            registry.with(lines.with_filter(targets)).try_init()
        }
    };
    if let (Ok(()), Some(error)) = (started, unreadable) {
        tracing::warn!(filter = wanted, %error, "the log filter cannot be read; the default is used");
    }
}
