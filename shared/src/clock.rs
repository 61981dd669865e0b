//! Time, which the whole suite reads only here and through tokio's timers, so that tests own it.
//!
//! Durations and deadlines use [`tokio::time::Instant`], which stands still under a paused clock.
//! Wall time is needed where a vendor states it (a reset as an epoch, an expiry); [`wall`] derives it
//! from the same clock, so it moves with paused time as well.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

/// The moment the process first asked for the time, on both clocks.
static ORIGIN: LazyLock<(Instant, Duration)> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's wall clock")]
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (Instant::now(), wall)
});

/// Wall time as the duration since the Unix epoch.
///
/// It follows tokio's clock, so a paused test can advance it; a step of the system's clock after
/// start is not seen.
#[must_use]
pub fn wall() -> Duration {
    let (start, wall) = *ORIGIN;
    let now = Instant::now();
    match now.checked_duration_since(start) {
        Some(passed) => wall + passed,
        None => wall.saturating_sub(start.duration_since(now)),
    }
}

/// How long from now until `epoch` (a duration since the Unix epoch); zero if it has passed.
#[must_use]
pub fn until(epoch: Duration) -> Duration {
    epoch.saturating_sub(wall())
}
