//! The pipeline to the vendor: one explicit order for every request that leaves.
//!
//! ```text
//! cache -> retry[ breaker -> limiter -> pool -> auth -> exchange -> classify ]
//! ```
//!
//! Each stage stands where it does because another order goes wrong:
//!
//! - The *cache* is outermost: a kept answer costs the vendor nothing, so neither its budget nor
//!   its health may stand in the way.
//! - *Retry* is around everything else, so that every repetition asks the breaker again, pays the
//!   budget again and takes a fresh token. Inside the breaker, one call's repetitions would count
//!   as one failure and an outage be seen late.
//! - The *breaker* is before the limiter: a call that will not be sent must not wait, nor pay.
//! - The *limiter* is before the *pool*: a call that waits for budget must not hold a place.
//! - *Auth* is last before the exchange: a token taken earlier could expire while the call waits.
//! - *Classify* is innermost and judges once. Retry, breaker, counters and the agent's text all
//!   read its one verdict.
//!
//! One total deadline is around all of it, and around all that one [call] asks. A call whose future is dropped stops at once: its
//! connection is closed, its place is free, a half-open breaker's probe passes to the next call.

pub mod auth;
mod breaker;
mod bucket;
mod cache;
pub mod call;
mod claims;
pub mod classify;
mod client;
mod exchange;
mod family;
pub mod graphql;
mod limiter;
mod meter;
mod options;
mod pool;
mod request;
mod response;
mod retry;
mod route;
mod status;
#[cfg(test)]
mod tests;
pub mod tls;
mod turns;
mod vendor;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

pub use auth::Credential;
pub use breaker::{BreakerOptions, BreakerState};
pub use bucket::BucketStatus;
pub use claims::Claims;
pub use client::HttpClient;
pub use family::Observer;
pub use graphql::{Connection, Failed, PageInfo, Partial};
pub use options::Options;
pub use request::{CacheRule, Replay, Request, Tag, Target};
pub use response::Response;
pub use retry::RetryOptions;
pub use status::{Counts, Status};
pub use vendor::{Budget, Reading, Vendor, authorization};

use breaker::Breaker;
pub use cache::fresh;
use cache::{Cache, Lookup};
use exchange::Exchange;
use family::Family;
use limiter::Limiter;
use pool::Pool;
use retry::Attempts;
use status::{Counters, count};

use crate::{Error, Kind, Result, Retry, Secret, clock};

/// The most bytes of an address: longer ones are refused on the way, if not by the vendor.
const MAX_ADDRESS: usize = 32 * 1024;

/// The way to one vendor. Cheap to clone; one per process.
#[derive(Clone)]
pub struct Upstream(Arc<Inner>);

struct Inner {
    vendor: Arc<dyn Vendor>,
    credential: Arc<dyn Credential>,
    options: Options,
    client: HttpClient,
    cache: Cache,
    breaker: Breaker,
    limiter: Limiter,
    pool: Pool,
    counters: Counters,
    /// Shared by every principal's pipeline to this vendor.
    family: Arc<Family>,
    /// How far the vendor's clock is ahead of ours, in seconds, where it told.
    ahead: Mutex<Option<i64>>,
}

impl Upstream {
    /// A pipeline to `vendor`. Opens and reads nothing: the connection is made when first needed.
    #[must_use]
    pub fn new(vendor: Arc<dyn Vendor>, credential: Arc<dyn Credential>, options: Options) -> Self {
        Self::over(HttpClient::new(options.clone()), Arc::default(), vendor, credential, options)
    }

    fn over(
        client: HttpClient,
        family: Arc<Family>,
        vendor: Arc<dyn Vendor>,
        credential: Arc<dyn Credential>,
        options: Options,
    ) -> Self {
        let inner = Arc::new(Inner {
            client,
            cache: Cache::new(options.cache_capacity),
            breaker: Breaker::new(options.breaker),
            limiter: Limiter::new(vendor.budgets(), |bucket| vendor.counts_in_windows(bucket)),
            pool: Pool::new(options.max_in_flight),
            counters: Counters::default(),
            family,
            ahead: Mutex::new(None),
            vendor,
            credential,
            options,
        });
        inner.family.join(&inner);
        Self(inner)
    }

    /// The way to the same vendor for another principal: a credential, budgets, a breaker and a cache
    /// of its own, over the same connections.
    #[must_use]
    pub fn beside(&self, credential: Arc<dyn Credential>) -> Self {
        let Inner { vendor, options, client, family, .. } = self.0.as_ref();
        Self::over(client.clone(), Arc::clone(family), Arc::clone(vendor), credential, options.clone())
    }

    /// Sends `request` and returns the vendor's good answer.
    ///
    /// # Errors
    /// Whatever the vendor's table says of its refusals; `upstream` if there is no proper answer in
    /// time; `unavailable` at once while the vendor keeps failing; `rate_limited` with the time to
    /// wait where it is longer than the deadline; `auth` without a good credential;
    /// `unknown_outcome` for a write that may have been executed and must not be repeated.
    pub async fn send(&self, request: Request) -> Result<Response> {
        let result = self.0.send(&request).await;
        result.map_err(|error| error.with_operation(request.operation))
    }

    /// Makes every kept answer old that depends on one of `tags`; also one that is under way.
    pub fn invalidate(&self, tags: &[Tag]) {
        self.0.invalidate(tags);
    }

    /// What the calls of this process have made.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.0.family.claims
    }

    /// The vendor's time now, since the Unix epoch, as its last answer told it; none before the first.
    #[must_use]
    pub fn vendor_time(&self) -> Option<Duration> {
        let ahead = (*self.0.ahead.lock().unwrap_or_else(PoisonError::into_inner))?;
        let ours = i64::try_from(clock::wall().as_secs()).ok()?;
        u64::try_from(ours.saturating_add(ahead)).ok().map(Duration::from_secs)
    }

    /// The vendor's knowledge.
    #[must_use]
    pub fn vendor(&self) -> &dyn Vendor {
        self.0.vendor.as_ref()
    }

    /// Where the vendor's API is.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.0.options.base_url
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("vendor", &self.0.vendor.name()).finish_non_exhaustive()
    }
}

impl Inner {
    async fn send(&self, request: &Request) -> Result<Response> {
        let allowed = self.options.total_deadline.max(request.attempt_timeout.unwrap_or_default());
        // Of a call that asks several things, all of them have the time that one has.
        let deadline = call::deadline(allowed, request.effect.writes());
        if Instant::now() >= deadline {
            let message = format!("the call's time was over before {} was asked", self.vendor.title());
            return Err(Error::new(Kind::Upstream, message)
                .with_retry(Retry::NotExecuted)
                .with_hint("Ask for less in one call"));
        }
        if request.effect.writes() {
            return self.write(request, deadline).await;
        }
        match &request.cache {
            Some(rule) => {
                let key = self.cache.key(self.credential.fingerprint(), &self.options.base_url, request);
                let fetch = |old: Option<Response>| async move {
                    match old.and_then(|old| request.unless_as(&old)) {
                        Some(conditional) => self.with_retries(&conditional, deadline).await,
                        None => self.with_retries(request, deadline).await,
                    }
                };
                let late = || classify::timed_out(self.vendor.title(), allowed, true);
                let (lookup, result) =
                    self.cache.get(key, self.family.kept(rule.ttl), deadline, fetch, late).await;
                count(match lookup {
                    Lookup::Hit => &self.counters.cache_hits,
                    Lookup::Miss => &self.counters.cache_misses,
                });
                result
            }
            None => self.with_retries(request, deadline).await,
        }
    }

    /// A write makes the kept answers that it touches old, however it ends: done, uncertain, or cut
    /// short by a caller that goes away.
    async fn write(&self, request: &Request, deadline: Instant) -> Result<Response> {
        if self.options.read_only {
            return Err(Error::new(Kind::Policy, "this server is read-only and sends no writes"));
        }
        let _old_after_this = Invalidation { of: self, tags: &request.invalidates };
        let sent = self.with_retries(request, deadline).await;
        if sent.as_ref().is_err_and(|error| error.kind() == Kind::UnknownOutcome) {
            call::answer_lost();
        }
        sent
    }

    /// Attempts until one is good, or repeating is unsafe, useless or too late.
    async fn with_retries(&self, request: &Request, deadline: Instant) -> Result<Response> {
        let mut attempts = Attempts::new(self.vendor.title(), request, self.options.retry, deadline);
        loop {
            let error = match self.attempt(request, deadline).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let kind = error.kind();
            if attempts.is_removed(&error) {
                return Ok(Response::new(StatusCode::NO_CONTENT, HeaderMap::new(), ""));
            }
            if kind == Kind::RateLimited {
                count(&self.counters.rate_limited);
            }
            let pause = attempts.after(error)?;
            tracing::debug!(
                vendor = self.vendor.name(),
                operation = request.operation,
                error = kind.as_str(),
                pause_ms = pause.as_millis() as u64,
                "repeating the request"
            );
            count(&self.counters.retries);
            match call::unless_stopping(self.vendor.title(), sleep(pause)).await {
                Ok(()) => {}
                Err(stopping) => return Err(attempts.end(stopping)),
            }
        }
    }

    /// One attempt: past the breaker, within the budgets, in its place, with a token.
    async fn attempt(&self, request: &Request, deadline: Instant) -> Result<Response> {
        let title = self.vendor.title();
        // A file host that fails says nothing of the vendor's API, nor the other way round.
        let at_home = self.at_home(request);
        let mut admission = at_home.then(|| self.breaker.admit(title)).transpose()?;
        let _place = call::unless_stopping(title, async {
            let asked = Instant::now();
            let taken = self.limiter.take(title, &request.costs, request.keyed.as_ref(), deadline).await;
            if let Some(observer) = self.family.observer() {
                observer.waited(asked.elapsed());
            }
            taken?;
            self.pool.enter(title, deadline).await
        })
        .await??;
        // Whoever waited for budget or a place must not run into a vendor found down meanwhile.
        if let Some(admission) = &mut admission {
            admission.confirm(title)?;
        }
        let token = self.token(request, deadline).await?;
        let result = self.with_token(request, token, deadline).await;
        if let Some(admission) = admission {
            admission.settle(&result);
        }
        result
    }

    /// A token that the vendor refuses is renewed once. A refusal comes before any execution, so
    /// that even a write may go out a second time.
    async fn with_token(
        &self,
        request: &Request,
        token: Option<Secret>,
        deadline: Instant,
    ) -> Result<Response> {
        let refusal = match self.exchange(request, token.as_ref(), deadline).await {
            Err(error) if error.kind() == Kind::Auth => error,
            result => {
                if token.is_some() {
                    self.counters.credential_refused.store(false, Ordering::Relaxed);
                }
                return result;
            }
        };
        let Some(token) = token else { return Err(refusal) };
        self.counters.credential_refused.store(true, Ordering::Relaxed);
        let newer = timeout_at(deadline, self.credential.refused(&token)).await;
        let Some(newer) = newer.unwrap_or(Ok(None))? else { return Err(refusal) };
        tracing::debug!(vendor = self.vendor.name(), "the token was refused; trying a newer one");
        let result = self.exchange(request, Some(&newer), deadline).await;
        let refused = matches!(&result, Err(error) if error.kind() == Kind::Auth);
        self.counters.credential_refused.store(refused, Ordering::Relaxed);
        result
    }

    /// One exchange over HTTP, and the verdict on its answer.
    async fn exchange(
        &self,
        request: &Request,
        token: Option<&Secret>,
        deadline: Instant,
    ) -> Result<Response> {
        let exchange = self.prepare(request, token, deadline).await?;
        count(&self.counters.sent);
        let started = Instant::now();
        let result = match exchange.run().await {
            Ok(response) => {
                self.judge(request, response.to(request, self.vendor.title(), &self.counters.drift))
            }
            Err(error) => Err(error),
        };
        if request.effect.writes() && !result.as_ref().is_err_and(|error| error.retry() == Retry::NotExecuted)
        {
            call::written();
        }
        if result.is_err() {
            count(&self.counters.failed);
        }
        let (outcome, took) =
            (result.as_ref().map_or_else(|error| error.kind().as_str(), |_| "ok"), started.elapsed());
        if let Some(observer) = self.family.observer() {
            observer.exchanged(request.operation, request.effect, outcome, took);
        }
        tracing::debug!(
            vendor = self.vendor.name(),
            operation = request.operation,
            effect = request.effect.as_str(),
            outcome,
            elapsed_ms = took.as_millis() as u64,
            "asked the vendor"
        );
        result
    }

    async fn prepare<'a>(
        &'a self,
        request: &'a Request,
        token: Option<&Secret>,
        deadline: Instant,
    ) -> Result<Exchange<'a>> {
        let mut headers = request.headers.clone();
        if request.expects_json && !headers.contains_key(header::ACCEPT) {
            headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        }
        if let Some(token) = token {
            self.vendor.authorize(&mut headers, token)?;
            if let Some(value) = headers.get_mut(header::AUTHORIZATION) {
                value.set_sensitive(true);
            }
        }
        Ok(Exchange {
            client: self.client.get().await?,
            title: self.vendor.title(),
            request,
            url: self.address(request)?,
            headers,
            max_body: request.max_body.unwrap_or(self.options.max_body),
            until: deadline
                .min(Instant::now() + request.attempt_timeout.unwrap_or(self.options.attempt_timeout)),
        })
    }

    /// Where `request` goes.
    fn address(&self, request: &Request) -> Result<Url> {
        let address = request.address(&self.options.base_url)?;
        let length = address.as_str().len();
        if length > MAX_ADDRESS {
            let (title, kilobytes) = (self.vendor.title(), length / 1024);
            return Err(Error::invalid(format!(
                "an address of {kilobytes} kB is too long to be asked of {title}"
            ))
            .with_hint("Give shorter names, or fewer"));
        }
        Ok(address)
    }

    /// The token to send, if any: the credential goes to the vendor and to nobody else.
    async fn token(&self, request: &Request, deadline: Instant) -> Result<Option<Secret>> {
        let welcome = self.at_home(request)
            || matches!(&request.target, Target::Url(url) if url.scheme() == "https" && self.vendor.trusts(url));
        if !request.authenticated || !welcome {
            return Ok(None);
        }
        match timeout_at(deadline, self.credential.token()).await {
            Ok(token) => token.map(Some),
            Err(_) => Err(Error::new(
                Kind::Auth,
                format!(
                    "the login to {} could not be renewed before the call's deadline",
                    self.vendor.title()
                ),
            )
            .with_hint("Try again later")),
        }
    }

    /// Whether `request` goes to the vendor's API itself.
    fn at_home(&self, request: &Request) -> bool {
        match &request.target {
            Target::Path(_) => true,
            Target::Url(url) => url.origin() == self.options.base_url.origin(),
        }
    }

    /// The one verdict on an answer, and what it teaches about the budgets.
    fn judge(&self, request: &Request, response: Response) -> Result<Response> {
        let readings = self.vendor.readings(&response.headers);
        self.limiter.learn(&readings);
        if let Some(told) = retry::date(&response.headers) {
            let seconds = |moment: Duration| i64::try_from(moment.as_secs()).unwrap_or(i64::MAX);
            *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(seconds(told).saturating_sub(seconds(clock::wall())));
        }
        if response.status == StatusCode::NOT_MODIFIED && request.is_conditional() {
            return Ok(response);
        }
        let readable = if response.status.is_success() {
            classify::readable(self.vendor.title(), request, &response)
        } else {
            Ok(())
        };
        let mut error = match readable.and_then(|()| self.vendor.classify(request, &response)) {
            Ok(()) => return Ok(response),
            Err(error) => error,
        };
        if error.retry_after().is_none() {
            let named = retry::retry_after(&response.headers);
            let limited = error.kind() == Kind::RateLimited;
            let reset = || if limited { limiter::reset_of(&request.costs, &readings) } else { None };
            if let Some(wait) = named.or_else(reset) {
                error = error.with_retry_after(wait);
            }
        }
        if error.kind() == Kind::RateLimited {
            // Refused for its pace is refused before execution, whatever the vendor's table says.
            error = error.with_retry(Retry::NotExecuted);
            if let Some(wait) = error.retry_after().filter(|wait| !wait.is_zero()) {
                match &request.keyed {
                    Some(keyed) => self.limiter.pause_key(keyed, wait),
                    None => {
                        let named = self.vendor.refused_budget(request, &response);
                        let paused = self.limiter.pause(&request.costs, &readings, named, wait);
                        self.tell_paused(&paused, wait);
                    }
                }
            }
        }
        Err(error)
    }
}

/// Makes what depends on `tags` old when it is dropped.
struct Invalidation<'a> {
    of: &'a Inner,
    tags: &'a [Tag],
}

impl Drop for Invalidation<'_> {
    fn drop(&mut self) {
        self.of.invalidate(self.tags);
    }
}
