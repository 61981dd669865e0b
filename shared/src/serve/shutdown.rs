//! How a server is asked to end: by the operating system, or by whoever runs it in a test.

use std::io;

use tokio_util::sync::CancellationToken;

/// Two wishes of whoever runs a server. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// To end, in time.
    pub asked: CancellationToken,
    /// Not to wait any longer for others to notice.
    pub at_once: CancellationToken,
}

impl Stop {
    /// The wishes of the operating system. SIGTERM asks to end; a second one, or SIGINT, which comes from
    /// somebody at a terminal, to do so at once. Elsewhere it is Ctrl-C.
    ///
    /// # Errors
    /// The handlers cannot be installed.
    #[cfg(unix)]
    pub fn on_signals() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        // Installed now, not in the task: a signal in between would end the process at once.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = Self::default();
        let told = stop.clone();
        tokio::spawn(async move {
            loop {
                let at_once = tokio::select! {
                    Some(()) = terminate.recv() => told.asked.is_cancelled(),
                    Some(()) = interrupt.recv() => true,
                    else => return,
                };
                told.asked.cancel();
                if at_once {
                    told.at_once.cancel();
                }
            }
        });
        Ok(stop)
    }

    /// The wishes of the operating system: Ctrl-C asks to end at once.
    ///
    /// # Errors
    /// The handlers cannot be installed.
    #[cfg(not(unix))]
    pub fn on_signals() -> io::Result<Self> {
        let stop = Self::default();
        let told = stop.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                told.asked.cancel();
                told.at_once.cancel();
            }
        });
        Ok(stop)
    }
}
