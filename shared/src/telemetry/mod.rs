//! Logs: to standard error alone, because standard output belongs to the protocol. And metrics, for those who ask.

mod metrics;
mod upstream;

use std::{fmt::Debug, io::IsTerminal as _};

use tracing::field::Field;
use tracing_subscriber::{
    Layer as _,
    field::MakeExt as _,
    filter::Targets,
    fmt::{self, format::Writer},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

pub use metrics::{CONTENT_TYPE, ErrorType, Metrics, OTHER, TOOL_ERROR};

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
    let fields = fmt::format::debug_fn(write_field).delimited(" ");
    let registry = tracing_subscriber::registry();
    let started = match format {
        Format::Text => {
            let lines = lines.fmt_fields(fields).with_ansi(std::io::stderr().is_terminal());
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

/// Writes a field of a log line for people. Values may be others' text (a request's id): none of them
/// ends the line, nor tells the terminal anything.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    if field.name() != "message" {
        write!(writer, "{}=", field.name())?;
    }
    for c in format!("{value:?}").chars() {
        match c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            true => write!(writer, "{}", c.escape_default())?,
            false => writer.write_char(c)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Kept {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn a_value_neither_ends_its_line_nor_speaks_to_the_terminal() {
        let kept = Kept::default();
        let fields = fmt::format::debug_fn(write_field).delimited(" ");
        let lines = fmt::layer().with_writer(kept.clone()).fmt_fields(fields).with_ansi(false);
        let forged = "7\n2026-01-01 INFO call: who=\"ada\" \u{1b}[2J\u{202e}";
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            let _span = tracing::info_span!("request", id = %forged).entered();
            tracing::info!(target: "call", id = %forged, who = "ada", "said {forged}");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(text.contains("who=\"ada\""), "{text}");
    }
}
