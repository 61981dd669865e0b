//! HubSpot, as the pipeline needs to know it: its limits, and what its answers tell of them.
//!
//! Calls are counted in ten seconds and in a day for each app, searches in a second for the whole account, of
//! which no header tells (developers.hubspot.com, usage guidelines).

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use connector::{
    Result, clock,
    upstream::{Budget, Reading, Request, Response, Vendor},
};
use http::HeaderMap;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use crate::error;

/// Calls in ten seconds, all but searches.
pub(crate) const CALLS: &str = "calls";
/// Searches in a second.
pub(crate) const SEARCHES: &str = "searches";
/// Calls in a day, searches included.
pub(crate) const DAY: &str = "calls a day";

/// What the smallest plan gives; a larger one tells by its headers.
const FEWEST_CALLS: u32 = 100;
const FEWEST_A_DAY: u32 = 250_000;
const HOUR: Duration = Duration::from_secs(3_600);

/// HubSpot, as the pipeline needs to know it.
#[derive(Clone, Debug, Default)]
pub(crate) struct HubSpotVendor {
    /// The account's zone, once it is known: its midnight begins a new day of calls.
    pub(crate) zone: Arc<OnceLock<TimeZone>>,
}

impl HubSpotVendor {
    /// When the day of calls ends, as a duration since the Unix epoch.
    pub(crate) fn midnight(&self) -> Duration {
        let zone = self.zone.get().cloned().unwrap_or(TimeZone::UTC);
        let now = Timestamp::from_second(clock::wall().as_secs() as i64).unwrap_or_default();
        let tomorrow = now.to_zoned(zone.clone()).date().saturating_add(1.day());
        let next = tomorrow.to_zoned(zone).map_or(0, |day| day.timestamp().as_second());
        Duration::from_secs(u64::try_from(next).unwrap_or(0))
    }

    /// How long a day of calls that are used up still lasts. Where the account's zone is not known its midnight may
    /// come before that of UTC, so that HubSpot is asked again within an hour.
    pub(crate) fn day_ends_in(&self) -> Duration {
        let wait = clock::until(self.midnight());
        if self.zone.get().is_some() { wait } else { wait.min(HOUR) }
    }
}

impl Vendor for HubSpotVendor {
    fn name(&self) -> &'static str {
        "hubspot"
    }

    fn title(&self) -> &'static str {
        "HubSpot"
    }

    fn budgets(&self) -> Vec<Budget> {
        vec![
            Budget { bucket: CALLS, limit: FEWEST_CALLS, per: Duration::from_secs(10), burst: FEWEST_CALLS },
            // Five are allowed: two at once and four more in the second after them never make six.
            Budget { bucket: SEARCHES, limit: 4, per: Duration::from_secs(1), burst: 2 },
            Budget {
                bucket: DAY,
                limit: FEWEST_A_DAY,
                per: Duration::from_secs(86_400),
                burst: FEWEST_A_DAY,
            },
        ]
    }

    /// A refusal says which limit it is, `policyName`, but for searches, where only its message does.
    fn refused_budget(&self, _: &Request, response: &Response) -> Option<&'static str> {
        error::limit_of(response)
    }

    fn classify(&self, request: &Request, response: &Response) -> Result<()> {
        error::classify(self, request, response)
    }

    fn readings(&self, headers: &HeaderMap) -> Vec<Reading> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
        let mut readings = Vec::new();
        let (limit, remaining) = (number("x-hubspot-ratelimit-max"), number("x-hubspot-ratelimit-remaining"));
        if limit.is_some() || remaining.is_some() {
            let window = number("x-hubspot-ratelimit-interval-milliseconds").unwrap_or(10_000);
            let reset = clock::wall() + Duration::from_millis(u64::from(window));
            readings.push(Reading { bucket: CALLS, limit, remaining, reset: Some(reset) });
        }
        let (limit, remaining) =
            (number("x-hubspot-ratelimit-daily"), number("x-hubspot-ratelimit-daily-remaining"));
        if limit.is_some() || remaining.is_some() {
            readings.push(Reading { bucket: DAY, limit, remaining, reset: Some(self.midnight()) });
        }
        readings
    }
}
