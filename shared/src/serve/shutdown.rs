//! The operating system's ways to ask a process to end.

use std::io;

/// Resolves when the process is asked to end: by SIGTERM or SIGINT, or by Ctrl-C elsewhere.
///
/// # Errors
/// The handlers cannot be installed.
#[cfg(unix)]
pub fn requested() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};

    // Installed now, not at the first poll: a signal in between would end the process at once.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Resolves when the process is asked to end: by SIGTERM or SIGINT, or by Ctrl-C elsewhere.
///
/// # Errors
/// The handlers cannot be installed.
#[cfg(not(unix))]
pub fn requested() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
