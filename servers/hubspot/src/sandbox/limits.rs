//! HubSpot's limits: calls in ten seconds and in a day for each app, and searches in a second for the account,
//! of which no header tells (developers.hubspot.com, usage guidelines).

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use connector::sandbox::{Harness, RateWindow, RateWindows, rest::FakeResponse};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::errors::ApiError;

/// Calls in ten seconds of an app in a Professional account.
const ROLLING: u32 = 190;
/// The same of a public app, in each account.
const PUBLIC: u32 = 110;
const ROLLING_WINDOW: Duration = Duration::from_secs(10);
const DAILY: u32 = 625_000;
const SEARCHES: u32 = 5;

#[derive(Debug)]
pub(super) struct Limits {
    harness: Harness,
    rolling: RateWindows,
    public: RateWindows,
    searches: RateWindow,
    used: AtomicU32,
    /// The day that `used` counts, in days since 1970.
    day: AtomicU64,
}

impl Limits {
    pub(super) fn new(harness: &Harness) -> Self {
        Self {
            harness: harness.clone(),
            rolling: RateWindows::new(harness.clock(), ROLLING, ROLLING_WINDOW),
            public: RateWindows::new(harness.clock(), PUBLIC, ROLLING_WINDOW),
            searches: RateWindow::new(harness.clock(), SEARCHES, Duration::from_secs(1)),
            used: AtomicU32::new(0),
            day: AtomicU64::new(0),
        }
    }

    pub(super) fn clear(&self) {
        self.rolling.clear();
        self.public.clear();
        self.searches.set_remaining(SEARCHES);
        self.used.store(0, Ordering::Relaxed);
    }

    pub(super) fn set_daily_remaining(&self, left: u32) {
        self.new_day();
        self.used.store(DAILY.saturating_sub(left), Ordering::Relaxed);
    }

    /// Calls of today, how many there may be, and when the day ends.
    pub(super) fn daily(&self) -> (u32, u32, Duration) {
        self.new_day();
        (self.used.load(Ordering::Relaxed), DAILY, self.midnight())
    }

    /// The next midnight, in UTC.
    fn midnight(&self) -> Duration {
        let now = Timestamp::from_second(self.harness.clock().now().as_secs() as i64).unwrap_or_default();
        let day = now.to_zoned(TimeZone::UTC).date().saturating_add(1.day());
        let next = day.to_zoned(TimeZone::UTC).map_or(0, |day| day.timestamp().as_second());
        Duration::from_secs(next as u64)
    }

    fn new_day(&self) {
        let day = self.harness.clock().now().as_secs() / 86_400;
        if self.day.swap(day, Ordering::Relaxed) != day {
            self.used.store(0, Ordering::Relaxed);
        }
    }

    /// The window of an app's calls, and how many it has.
    fn calls(&self, public: bool) -> (&RateWindows, u32) {
        if public { (&self.public, PUBLIC) } else { (&self.rolling, ROLLING) }
    }

    /// Takes one call, or refuses it.
    pub(super) fn take(&self, token: &str, public: bool, searching: bool) -> Result<(), ApiError> {
        let (used, most, _) = self.daily();
        if used >= most {
            return Err(ApiError::limited("You have reached your daily limit.", Some("DAILY")));
        }
        if searching {
            if self.searches.take(1).is_err() {
                return Err(ApiError::limited("You have reached your secondly limit.", None));
            }
        } else if self.calls(public).0.of(token).take(1).is_err() {
            return Err(ApiError::limited(
                "You have reached your ten_secondly_rolling limit.",
                Some("TEN_SECONDLY_ROLLING"),
            ));
        }
        self.used.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Adds the headers that tell what is left; of the day only to an account's own apps.
    pub(super) fn dress(&self, token: &str, public: bool, response: FakeResponse) -> FakeResponse {
        let (used, most, _) = self.daily();
        let (window, limit) = self.calls(public);
        let response = response
            .header("x-hubspot-ratelimit-max", &limit.to_string())
            .header("x-hubspot-ratelimit-remaining", &window.of(token).remaining().to_string())
            .header("x-hubspot-ratelimit-interval-milliseconds", "10000");
        if public {
            return response;
        }
        response
            .header("x-hubspot-ratelimit-daily", &most.to_string())
            .header("x-hubspot-ratelimit-daily-remaining", &most.saturating_sub(used).to_string())
    }
}
