//! HubSpot's limits: calls in ten seconds and in a day for each app, and searches in a second for the account,
//! of which no header tells. A day ends at midnight in the account's time zone (developers.hubspot.com, usage
//! guidelines).

use std::time::Duration;

use connector::sandbox::{Harness, RateWindow, RateWindows, rest::FakeResponse};
use jiff::tz::TimeZone;

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
    rolling: RateWindows,
    public: RateWindows,
    searches: RateWindow,
    day: RateWindow,
}

impl Limits {
    /// The limits of an account in `zone`.
    pub(super) fn new(harness: &Harness, zone: TimeZone) -> Self {
        Self {
            rolling: RateWindows::new(harness.clock(), ROLLING, ROLLING_WINDOW),
            public: RateWindows::new(harness.clock(), PUBLIC, ROLLING_WINDOW),
            searches: RateWindow::new(harness.clock(), SEARCHES, Duration::from_secs(1)),
            day: RateWindow::daily(harness.clock(), DAILY, zone),
        }
    }

    pub(super) fn clear(&self) {
        self.rolling.clear();
        self.public.clear();
        self.searches.set_remaining(SEARCHES);
        self.day.set_remaining(DAILY);
    }

    pub(super) fn set_daily_remaining(&self, left: u32) {
        self.day.set_remaining(left);
    }

    /// Calls of today, how many there may be, and when the day ends.
    pub(super) fn daily(&self) -> (u32, u32, Duration) {
        (DAILY - self.day.remaining(), DAILY, self.day.reset())
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
        // There is one left, as was just seen.
        let _ = self.day.take(1);
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
