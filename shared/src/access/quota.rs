//! How often a caller may ask, by the minute.
//!
//! The pace is kept by GCRA, the leaky bucket that needs one moment for each caller: a whole minute's calls may come at
//! once, and after that they come back evenly. In this process governor keeps it; calls are counted among all replicas
//! where these share a store. The person at this machine has no quota.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, state::keyed::HashMapStateStore,
};

use super::Principal;
use crate::{Error, Kind, clock, replicas::Replicas};

/// Requests that are no calls, for each caller and minute: lists, handshakes, completions. Far more than a client makes
/// that is sane, because a client that cannot list has no server at all.
const LISTS: u32 = 600;
/// How many times the calls of a minute all requests of one caller may be, before they are refused unread.
const FLOOD: u32 = 20;
/// Refused keys that one address may send in a minute before it is told to wait.
const FAILED_LOGINS: u32 = 20;
/// So many moments are kept before those that say nothing any more are let go.
const KEPT: usize = 1_000;

/// So much a minute; all of it may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Rate(u32);

/// Whose requests are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counted {
    /// The calls of one caller.
    Calls(Principal),
    /// The calls of one tool by one caller.
    Tool(Principal, &'static str),
    /// What else a caller asks: lists, handshakes, completions.
    Lists(Principal),
    /// Everything that a caller sends.
    Requests(Principal),
    /// What an address sends that nobody is known by.
    FailedLogins(IpAddr),
}

/// The counts of this process.
#[derive(Default)]
struct Local {
    /// Those of one rate are counted by one limiter.
    limiters: Mutex<HashMap<Rate, Limiter>>,
}

type Limiter = RateLimiter<Counted, HashMapStateStore<Counted>, Metronome, NoOpMiddleware<Duration>>;

impl Local {
    fn count(&self, whose: &Counted, rate: Rate) -> Result<(), Duration> {
        // The map is valid after every statement, so a panic elsewhere does not spoil it.
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        let limiter = limiters.entry(rate).or_insert_with(|| {
            let quota = Quota::per_minute(NonZeroU32::new(rate.0).unwrap_or(NonZeroU32::MIN));
            RateLimiter::new(quota, HashMapStateStore::default(), Metronome)
        });
        if limiter.len() >= KEPT {
            limiter.retain_recent();
        }
        limiter.check_key(whose).map_err(|not_until| not_until.wait_time_from(Metronome.now()))
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}

/// Tokio's time for governor.
#[derive(Clone, Copy, Debug)]
struct Metronome;

impl Clock for Metronome {
    type Instant = Duration;

    fn now(&self) -> Duration {
        clock::wall()
    }
}

/// What callers may ask of one server. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Quotas {
    calls: Option<Rate>,
    tools: Arc<HashMap<&'static str, Rate>>,
    counts: Arc<Local>,
    replicas: Replicas,
    refused: Arc<AtomicU64>,
}

impl Quotas {
    /// So many `calls` a minute for each caller, any number if it is 0; and those of `tools` apart, at rates of their
    /// own.
    #[must_use]
    pub fn new(calls: u32, tools: HashMap<&'static str, u32>) -> Self {
        let tools = tools.into_iter().map(|(tool, rate)| (tool, Rate(rate))).collect();
        Self {
            calls: (calls > 0).then_some(Rate(calls)),
            tools: Arc::new(tools),
            counts: Arc::default(),
            replicas: Replicas::default(),
            refused: Arc::default(),
        }
    }

    /// Counts calls among these replicas. While the store that they share is away, or if there is none, each allows its
    /// part.
    #[must_use]
    pub fn shared_by(mut self, replicas: Replicas) -> Self {
        self.replicas = replicas;
        self
    }

    /// Counts a call of `tool` by `who`; without a tool, of anything else that costs what a call costs.
    ///
    /// # Errors
    /// [`Kind::RateLimited`], with the time to wait.
    pub async fn call(&self, who: &Principal, tool: Option<&'static str>) -> Result<(), Error> {
        if who.is_local() {
            return Ok(());
        }
        let own = tool.and_then(|tool| Some((tool, *self.tools.get(tool)?)));
        let (whose, Rate(rate), what) = match (own, self.calls) {
            (Some((tool, rate)), _) => (Counted::Tool(who.clone(), tool), rate, format!("calls of {tool}")),
            (None, Some(rate)) => (Counted::Calls(who.clone()), rate, "calls".to_owned()),
            (None, None) => return Ok(()),
        };
        let named = [who.id(), own.map_or("", |(tool, _)| tool)];
        let taken = match self.replicas.take(&named, rate).await {
            Some(taken) => self.counted(taken),
            None => self.take(&whose, Rate(self.replicas.part_of(rate))),
        };
        taken.map_err(|wait| over(&format!("{rate} {what}"), wait))
    }

    /// Counts a request of `who` that is no call: a list, a handshake, a completion. Any number where callers may make
    /// any number of calls.
    ///
    /// # Errors
    /// [`Kind::RateLimited`], with the time to wait.
    pub fn list(&self, who: &Principal) -> Result<(), Error> {
        if who.is_local() || self.calls.is_none() {
            return Ok(());
        }
        let whose = Counted::Lists(who.clone());
        self.take(&whose, Rate(LISTS)).map_err(|wait| over(&format!("{LISTS} lists and handshakes"), wait))
    }

    /// Counts anything that `who` sends, before it is read.
    ///
    /// # Errors
    /// It is a flood; the time to wait.
    pub fn request(&self, who: &Principal) -> Result<(), Duration> {
        if who.is_local() {
            return Ok(());
        }
        let Some(Rate(calls)) = self.calls else { return Ok(()) };
        let most = self.tools.values().map(|rate| rate.0).fold(calls, u32::max);
        let rate = Rate(most.saturating_mul(FLOOD).max(2 * LISTS));
        self.take(&Counted::Requests(who.clone()), rate)
    }

    /// How many were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn take(&self, whose: &Counted, rate: Rate) -> Result<(), Duration> {
        self.counted(self.counts.count(whose, rate))
    }

    fn counted(&self, taken: Result<(), Duration>) -> Result<(), Duration> {
        if taken.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }
}

impl fmt::Debug for Quotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quotas")
            .field("calls", &self.calls)
            .field("tools", &self.tools)
            .finish_non_exhaustive()
    }
}

fn over(what: &str, wait: Duration) -> Error {
    Error::new(
        Kind::RateLimited,
        format!("You have used up the {what} that one caller has a minute; this one was not begun"),
    )
    .with_hint("Wait, then go on; ask for more in one call instead of calling again")
    .with_retry_after(wait)
}

/// Slows those down who try keys: not a caller whom the server knows, wherever they are.
#[derive(Debug, Default)]
pub struct FailedLogins(Local);

impl FailedLogins {
    /// Counts a login from `address` that failed.
    ///
    /// # Errors
    /// There were too many; the time to wait.
    pub fn count(&self, address: IpAddr) -> Result<(), Duration> {
        self.0.count(&Counted::FailedLogins(network(address)), Rate(FAILED_LOGINS))
    }
}

/// What one person has of addresses: of the newer ones, a network's.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mut segments = address.segments();
            segments[4..].fill(0);
            IpAddr::from(segments)
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn quotas() -> Quotas {
        Quotas::new(100, HashMap::from([("search", 2)]))
    }

    async fn passed(quotas: &Quotas, who: &Principal, tool: &'static str, calls: usize) -> usize {
        let mut passed = 0;
        for _ in 0..calls {
            passed += usize::from(quotas.call(who, Some(tool)).await.is_ok());
        }
        passed
    }

    #[tokio::test(start_paused = true)]
    async fn a_minutes_calls_may_come_at_once_and_come_back_evenly() {
        let (quotas, ada) = (quotas(), Principal::key("ada"));
        assert_eq!(passed(&quotas, &ada, "get", 150).await, 100);
        let refused = quotas.call(&ada, Some("get")).await.unwrap_err();
        let wait = refused.retry_after().unwrap();
        assert!((590..=600).contains(&wait.as_millis()), "{wait:?}");
        assert_eq!((refused.kind(), quotas.refused()), (Kind::RateLimited, 51));
        advance(wait).await;
        assert_eq!(passed(&quotas, &ada, "get", 5).await, 1);
        advance(Duration::from_secs(30)).await;
        assert_eq!(passed(&quotas, &ada, "get", 100).await, 50);
    }

    #[tokio::test(start_paused = true)]
    async fn a_tool_with_a_rate_of_its_own_is_counted_apart() {
        let (quotas, ada) = (quotas(), Principal::key("ada"));
        assert_eq!(passed(&quotas, &ada, "search", 9).await, 2);
        assert_eq!(passed(&quotas, &ada, "get", 150).await, 100);
        for _ in 0..LISTS {
            quotas.list(&ada).unwrap();
        }
        assert!(quotas.list(&ada).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn each_caller_has_a_quota_and_the_person_at_this_machine_none() {
        let quotas = quotas();
        let (ada, ben) = (Principal::key("ada"), Principal::key("ben"));
        assert_eq!(passed(&quotas, &ada, "get", 101).await, 100);
        assert_eq!(passed(&quotas, &ben, "get", 101).await, 100);
        assert_eq!(passed(&quotas, &Principal::local(), "get", 9_999).await, 9_999);
        assert!(quotas.request(&Principal::local()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_quota_nothing_is_counted() {
        let (quotas, ada) = (Quotas::new(0, HashMap::new()), Principal::key("ada"));
        for _ in 0..9_999 {
            quotas.list(&ada).unwrap();
            quotas.call(&ada, Some("get")).await.unwrap();
            quotas.request(&ada).unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_the_others_each_replica_allows_its_part() {
        let three = Replicas::new(NonZeroU32::new(3).unwrap(), None);
        let (quotas, ada) = (quotas().shared_by(three), Principal::key("ada"));
        assert_eq!(passed(&quotas, &ada, "get", 150).await, 33);
        assert_eq!(passed(&quotas, &ada, "search", 9).await, 1);
        assert!(quotas.call(&ada, Some("get")).await.unwrap_err().for_agent().contains("100 calls"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_been_quiet_is_forgotten() {
        let windows = Local::default();
        for number in 0..3 * KEPT {
            windows.count(&Counted::Calls(Principal::key(&number.to_string())), Rate(100)).unwrap();
            advance(Duration::from_millis(10)).await;
        }
        assert!(windows.limiters.lock().unwrap()[&Rate(100)].len() <= KEPT);
    }

    #[tokio::test(start_paused = true)]
    async fn failed_logins_are_counted_by_network() {
        let logins = FailedLogins::default();
        let failed = |address: &str| logins.count(address.parse().unwrap());
        for _ in 0..FAILED_LOGINS {
            failed("2001:db8::1").unwrap();
        }
        assert!(failed("2001:db8::ffff").is_err() && failed("2001:db8:0:1::1").is_ok());
        assert!(failed("192.0.2.1").is_ok());
    }
}
