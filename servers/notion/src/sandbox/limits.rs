//! Budgets of requests: windows of 60 seconds for each connection, 180 requests, or 600 on larger plans
//! (developers.notion.com/reference/request-limits). Answers say nothing of what is left.

use std::{collections::HashMap, time::Duration};

use super::{
    Site,
    auth::Caller,
    errors::{ApiError, Outcome},
};

const WINDOW: Duration = Duration::from_secs(60);

/// Requests of each connection in its window.
pub(super) type Windows = HashMap<String, (Duration, u32)>;

impl Site {
    /// Takes one request from the caller's budget.
    pub(super) fn take(&self, caller: &Caller) -> Outcome<()> {
        let settings = self.settings();
        let now = self.clock().now();
        let mut windows = self.windows();
        let (began, used) = windows.entry(caller.budget.clone()).or_insert((now, 0));
        if now.saturating_sub(*began) >= WINDOW {
            (*began, *used) = (now, 0);
        }
        if *used >= settings.requests_a_minute {
            let left = (*began + WINDOW).saturating_sub(now);
            let reason = settings.limit_reason.as_deref().unwrap_or("public_api_request_rate_limit");
            let seconds = left.as_millis().div_ceil(1000).max(1) as u64;
            return Err(ApiError::rate_limited(reason, Some(seconds)));
        }
        *used += 1;
        Ok(())
    }
}
