//! Slack, as the pipeline needs to know it: a budget for every method, the form of its credential,
//! and where its refusals are read.

use std::time::Duration;

use connector::{
    Error, Kind, Result, Retry,
    upstream::{Budget, Request, Response, Vendor, classify},
};
use http::{StatusCode, header};
use url::Url;

use crate::{api::methods, error};

/// Where Slack and GovSlack keep files; reading them takes the token.
pub(crate) const FILES_HOSTS: [&str; 2] = ["files.slack.com", "files.slack-gov.com"];
/// The budget of messages in one conversation.
pub(crate) const POSTS_IN_ONE: &str = "messages in one conversation";
/// How many messages a minute Slack takes in one conversation: "no more than one per second per channel"
/// (docs.slack.dev/apis/web-api/rate-limits).
pub(crate) const POSTS: u32 = 60;
/// How long to leave a method in peace after a refusal that does not say.
const UNNAMED: Duration = Duration::from_secs(20);

/// Slack. Its limits are per method, workspace and application, so every workspace has a pipeline of
/// its own and every method a budget, posting one for each conversation too (docs.slack.dev/apis/web-api/rate-limits).
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlackVendor {
    /// Messages a minute in one conversation, evenly spread.
    pub(crate) posts: u32,
    /// Questions a minute to Real-time Search.
    pub(crate) searches: u32,
}

impl Vendor for SlackVendor {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn title(&self) -> &'static str {
        "Slack"
    }

    fn budgets(&self) -> Vec<Budget> {
        let minute = Duration::from_secs(60);
        let budget = |method: &methods::Method| {
            let limit =
                if method.name == methods::SEARCH_CONTEXT.name { self.searches } else { method.per_minute };
            Budget { bucket: method.name, limit, per: minute, burst: limit }
        };
        let posts = Budget { bucket: POSTS_IN_ONE, limit: self.posts, per: minute, burst: 1 };
        methods::ALL.iter().map(budget).chain([posts]).collect()
    }

    fn classify(&self, request: &Request, response: &Response) -> Result<()> {
        if response.status == StatusCode::TOO_MANY_REQUESTS {
            let mut error = Error::new(
                Kind::RateLimited,
                format!("Slack allows no more calls of {} for now", request.operation),
            )
            .with_hint("Wait, or ask for less; only this method is held back, others still work")
            .with_retry(Retry::NotExecuted);
            if !response.headers.contains_key(header::RETRY_AFTER) {
                error = error.with_retry_after(UNNAMED);
            }
            return Err(error);
        }
        // An application's refusal comes with status 200 and `ok: false`.
        match error::refusal(response).filter(|_| request.expects_json) {
            Some(refusal) => Err(error::meaning(request, &refusal)),
            None => classify::status(self.title(), response),
        }
    }

    fn trusts(&self, url: &Url) -> bool {
        url.host_str().is_some_and(|host| FILES_HOSTS.contains(&host))
    }
}
