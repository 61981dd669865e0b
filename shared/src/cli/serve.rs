//! `serve`: MCP on stdio or over HTTP, and the runtimes of the other commands.

use tokio::runtime::{Builder, Runtime};

use super::{Context, failure::Failure};
use crate::{
    Connector,
    settings::{Loaded, SettingsError},
};

pub(super) fn run<S: Connector>(context: &mut Context<'_, '_>) -> Result<(), Failure> {
    let _ = context;
    Err(Failure::other("This build cannot serve"))
}

/// A runtime of one thread: for what one person does.
pub(super) fn current_thread() -> Result<Runtime, Failure> {
    build(&mut Builder::new_current_thread())
}

fn build(builder: &mut Builder) -> Result<Runtime, Failure> {
    builder
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("The runtime could not be started: {error}")))
}

/// Waits until somebody wants the process to stop.
pub(super) async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the signal's own effect remains.
    let _ = tokio::signal::ctrl_c().await;
}

/// What to say about an `--http` that is no address.
pub(super) fn no_address(loaded: &Loaded, text: &str) -> SettingsError {
    loaded
        .refuse("http", format!("`{text}` is no address"))
        .hint("It takes an address and a port, such as 127.0.0.1:8080")
}
