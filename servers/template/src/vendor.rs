//! The vendor, as the pipeline needs to know it: its budget and what its refusals mean. A fact about a real vendor
//! names its source here.

use std::time::Duration;

use connector::{
    catalog::one_line,
    prelude::*,
    upstream::{Budget, Response, Vendor, classify},
};
use serde::Deserialize;

use crate::Template;

/// The budget of requests.
const REQUESTS: &str = "requests";
/// How long one request's part of the budget takes to come back.
const PACE: Duration = Duration::from_secs(1);

/// The vendor, as the pipeline needs to know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TemplateVendor;

impl Vendor for TemplateVendor {
    fn name(&self) -> &'static str {
        Template::ABOUT.key
    }

    fn title(&self) -> &'static str {
        Template::ABOUT.title
    }

    fn budgets(&self) -> Vec<Budget> {
        vec![Budget { bucket: REQUESTS, limit: 100, per: Duration::from_secs(60), burst: 100 }]
    }

    /// The one table of errors: what the vendor says beyond its status.
    fn classify(&self, _: &Request, response: &Response) -> Result<()> {
        let refusal: Refusal = serde_json::from_slice(&response.body).unwrap_or_default();
        match (response.status.as_u16(), one_line(&refusal.message)) {
            (404, what) if !what.is_empty() => {
                Err(Error::not_found(what).with_hint("search lists what there is"))
            }
            (422, what) if !what.is_empty() => Err(Error::invalid(what)),
            // No header is promised; at an even pace there is room for another request at once.
            (429, _) if response.header("retry-after").is_none() => {
                classify::status(self.title(), response).map_err(|error| error.with_retry_after(PACE))
            }
            _ => classify::status(self.title(), response),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    message: String,
}
