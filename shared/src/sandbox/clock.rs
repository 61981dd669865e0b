//! The fake's wall clock: the suite's clock plus an offset that tests and the control routes move.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use tokio::sync::watch;

use crate::clock;

/// Wall time as the fake sees it: [`clock::wall`] plus an offset. Clones are the same clock.
///
/// Moving it makes tokens expire, budgets refill and webhooks retry without anybody waiting; it does
/// not move tokio's clock, so timeouts of the program under test are left alone.
#[derive(Clone)]
pub struct VirtualClock(Arc<Inner>);

struct Inner {
    offset_ms: AtomicI64,
    moved: watch::Sender<()>,
}

impl VirtualClock {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner { offset_ms: AtomicI64::new(0), moved: watch::Sender::new(()) }))
    }

    /// Now, as the duration since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Duration {
        let offset = self.0.offset_ms.load(Ordering::SeqCst);
        let wall = clock::wall();
        let by = Duration::from_millis(offset.unsigned_abs());
        if offset < 0 { wall.saturating_sub(by) } else { wall + by }
    }

    /// Moves the clock forward, to the millisecond.
    pub fn advance(&self, by: Duration) {
        self.shift(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
    }

    /// Sets the clock back, to the millisecond: a vendor whose clock is slow.
    pub fn set_back(&self, by: Duration) {
        self.shift(-i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
    }

    /// Back to true time.
    pub fn reset(&self) {
        self.0.offset_ms.store(0, Ordering::SeqCst);
        self.0.moved.send_replace(());
    }

    fn shift(&self, by_ms: i64) {
        let add = |offset: i64| Some(offset.saturating_add(by_ms));
        // The closure always answers, so the update cannot fail.
        let _ = self.0.offset_ms.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add);
        self.0.moved.send_replace(());
    }

    /// Waits until this clock shows `epoch` (a duration since the Unix epoch), whether time passes
    /// or the clock is moved.
    pub async fn sleep_until(&self, epoch: Duration) {
        let mut moved = self.0.moved.subscribe();
        loop {
            let wait = epoch.saturating_sub(self.now());
            if wait.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // The sender lives in `self`, so this cannot fail.
                _ = moved.changed() => {}
            }
        }
    }

    /// Now, as [`iso`](Self::iso).
    #[must_use]
    pub fn now_iso(&self) -> String {
        Self::iso(self.now())
    }

    /// `epoch` (a duration since the Unix epoch) in ISO 8601, UTC, to the millisecond:
    /// `2026-11-22T12:00:00.000Z`.
    #[must_use]
    pub fn iso(epoch: Duration) -> String {
        format!("{:.3}", timestamp(epoch))
    }

    /// Today's date in UTC.
    #[must_use]
    pub fn today(&self) -> Date {
        timestamp(self.now()).to_zoned(TimeZone::UTC).date()
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VirtualClock").field(&self.now_iso()).finish()
    }
}

/// `epoch` cut to milliseconds; beyond the calendar's end, the calendar's end.
fn timestamp(epoch: Duration) -> Timestamp {
    i64::try_from(epoch.as_millis())
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_milliseconds_and_z() {
        assert_eq!(VirtualClock::iso(Duration::from_millis(1_795_348_800_000)), "2026-11-22T12:00:00.000Z");
        assert_eq!(
            VirtualClock::iso(Duration::from_micros(1_795_348_800_123_999)),
            "2026-11-22T12:00:00.123Z"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_moves_with_time_and_by_hand() {
        let clock = VirtualClock::new();
        let start = clock.now();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.now() - start, Duration::from_secs(5));
        clock.advance(Duration::from_secs(3600));
        assert_eq!(clock.now() - start, Duration::from_secs(3605));
        clock.set_back(Duration::from_secs(7200));
        assert_eq!(start - clock.now(), Duration::from_secs(3595));
        clock.reset();
        assert_eq!(clock.now() - start, Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleeper_wakes_when_the_clock_is_moved() {
        let clock = VirtualClock::new();
        let until = clock.now() + Duration::from_secs(6 * 3600);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(until).await }
        });
        tokio::task::yield_now().await;
        let before = tokio::time::Instant::now();
        clock.advance(Duration::from_secs(6 * 3600));
        sleeper.await.unwrap();
        assert_eq!(tokio::time::Instant::now(), before, "no time passed");
    }
}
