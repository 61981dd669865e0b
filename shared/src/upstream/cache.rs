//! Answers that may be served again: one flight per key, generations instead of searching.
//!
//! A key holds everything an answer depends on: who asks (the credential's fingerprint), what is
//! asked (operation, address, headers, body), and the *generation* of each of the answer's tags. A
//! write bumps its tags' generations, and from that moment nobody asks for the old keys any more.
//! So a read that was under way during the write cannot poison the cache: it arrives under a key
//! that nobody looks up. What is left of it is evicted in time by size.
//!
//! An answer that is too old but carries a validator (`ETag`, `Last-Modified`) is asked for again on
//! condition; `304 Not Modified` makes it good for another while, and costs the vendor little.
//!
//! Lifetimes are kept here by tokio's clock, not by moka's own. Errors are shared among those who
//! waited for the flight, and never kept.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use moka::{future::Cache as Moka, ops::compute::Op};
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{Request, Response, Tag};
use crate::{Error, Result, secret::Fingerprint};

pub(super) struct Cache {
    /// In bytes.
    capacity: u64,
    /// Made when something is first looked for: it takes 60 kB empty, and many a process is only asked for its tools.
    entries: OnceLock<Moka<Key, Entry>>,
    generations: Generations,
}

/// A digest of everything that an answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

#[derive(Clone)]
struct Entry {
    response: Response,
    good_until: Instant,
}

/// What an entry takes besides its texts: the cache's own record, the map of headers, the allocations.
const RECORD: usize = 1024;
/// What a header takes besides its texts.
const HEADER: usize = 192;

impl Entry {
    /// An entry of `response` in memory of its own: body and headers are slices of the connection's much
    /// larger buffers, which they would keep alive.
    fn new(mut response: Response, good_until: Instant) -> Self {
        response.body = Bytes::copy_from_slice(&response.body);
        let mut headers = HeaderMap::with_capacity(response.headers.len());
        for (name, value) in response.headers.iter() {
            // What was a header's value is one.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.append(name.clone(), value);
            }
        }
        response.headers = Arc::new(headers);
        Self { response, good_until }
    }

    /// Its bytes in memory.
    fn weight(&self) -> u32 {
        let headers = self.response.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.as_str().len() + value.len() + HEADER).sum();
        u32::try_from(self.response.body.len() + headers + RECORD).unwrap_or(u32::MAX)
    }
}

tokio::task_local! {
    /// Set where answers that were kept for a short while are not good enough.
    static FRESH: ();
}

/// Answers kept for longer than this are of what hardly changes: directories, what a digest names.
pub(super) const SHORT: Duration = Duration::from_secs(60);

/// Does `work` with answers that are asked for now: what was kept of things that change is asked for again.
pub async fn fresh<F: Future>(work: F) -> F::Output {
    FRESH.scope((), work).await
}

/// Whether an answer was there, for the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    Hit,
    Miss,
}

impl Cache {
    pub(super) fn new(capacity: u64) -> Self {
        Self { capacity, entries: OnceLock::new(), generations: Generations::new() }
    }

    fn entries(&self) -> &Moka<Key, Entry> {
        self.entries.get_or_init(|| {
            Moka::builder().max_capacity(self.capacity).weigher(|_, entry: &Entry| entry.weight()).build()
        })
    }

    /// The key of `request` as of now. Must be taken before the request is sent.
    pub(super) fn key(&self, principal: Fingerprint, base: &Url, request: &Request) -> Key {
        let mut digest = Sha256::new();
        // Every part is preceded by its length, so that parts cannot run into each other.
        let mut part = |bytes: &[u8]| {
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        };
        part(format!("{principal}{}", request.authenticated).as_bytes());
        part(request.operation.as_bytes());
        part(request.method.as_str().as_bytes());
        match &request.target {
            super::Target::Path(path) => {
                part(base.as_str().as_bytes());
                part(path.as_bytes());
            }
            super::Target::Url(url) => part(url.as_str().as_bytes()),
        }
        for (name, value) in &request.query {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        part(b"headers");
        for (name, value) in &request.headers {
            part(name.as_str().as_bytes());
            part(value.as_bytes());
        }
        part(b"body");
        part(&request.body);
        for tag in request.cache.iter().flat_map(|rule| &rule.tags) {
            part(&self.generations.of(tag).to_le_bytes());
        }
        Key(digest.finalize().into())
    }

    /// The answer kept under `key`, or else the one that `fetch` brings, which is then kept for
    /// `ttl`. Of all who ask at once one fetches, the others wait for it until `deadline`. `fetch` is
    /// given the answer that is too old, if there is one, and may come back with a 304.
    pub(super) async fn get<F: Future<Output = Result<Response>>>(
        &self,
        key: Key,
        ttl: Duration,
        deadline: Instant,
        fetch: impl FnOnce(Option<Response>) -> F,
        late: impl FnOnce() -> Error,
    ) -> (Lookup, Result<Response>) {
        let anew = ttl <= SHORT && FRESH.try_with(|()| ()).is_ok();
        let old = match self.entries().get(&key).await {
            Some(entry) if !anew && Instant::now() < entry.good_until => {
                return (Lookup::Hit, Ok(entry.response));
            }
            Some(entry) => {
                self.remove_stale(key, anew).await;
                Some(entry.response)
            }
            None => None,
        };
        let flight = self.entries().try_get_with(key, async {
            let response = fetch(old.clone()).await?;
            if let Some(old) = old.filter(|_| response.status == StatusCode::NOT_MODIFIED) {
                return Ok(Entry { response: old, good_until: Instant::now() + ttl });
            }
            Ok(Entry::new(response, Instant::now() + ttl))
        });
        // A follower's deadline can be sooner than that of the one who fetches.
        let result = match timeout_at(deadline, flight).await {
            Ok(Ok(entry)) => Ok(entry.response),
            Ok(Err(error)) => Err(share(error)),
            Err(_) => Err(late()),
        };
        (Lookup::Miss, result)
    }

    /// Removes what is under `key` if it is still too old, for another caller may have renewed it, or if it is to
    /// be asked for `anew`.
    async fn remove_stale(&self, key: Key, anew: bool) {
        let now = Instant::now();
        self.entries()
            .entry(key)
            .and_compute_with(|entry| {
                let stale = entry.is_some_and(|entry| anew || entry.into_value().good_until <= now);
                std::future::ready(if stale { Op::Remove } else { Op::Nop })
            })
            .await;
    }

    /// Makes everything old that depends on one of `tags`, what is under way included; and gives their counters, which
    /// are the same in every process.
    pub(super) fn invalidate(&self, tags: &[Tag]) -> Vec<u16> {
        let counters: Vec<u16> = tags.iter().map(Generations::counter).collect();
        self.age(&counters);
        counters
    }

    /// Makes everything old that depends on these counters.
    pub(super) fn age(&self, counters: &[u16]) {
        for counter in counters {
            self.generations.bump(*counter);
        }
    }

    /// Makes everything old.
    pub(super) fn age_all(&self) {
        for counter in 0..Generations::COUNTERS {
            self.generations.bump(counter);
        }
    }

    /// How many answers are kept.
    pub(super) fn len(&self) -> u64 {
        self.entries.get().map_or(0, Moka::entry_count)
    }
}

/// One failure for everybody who waited for the same flight. The cause stays with the original.
fn share(error: Arc<Error>) -> Error {
    let error = match Arc::try_unwrap(error) {
        Ok(error) => return error,
        Err(shared) => shared,
    };
    let mut copy = Error::new(error.kind(), error.message().to_owned()).with_retry(error.retry());
    if let Some(hint) = error.hint() {
        copy = copy.with_hint(hint.to_owned());
    }
    if let Some(after) = error.retry_after() {
        copy = copy.with_retry_after(after);
    }
    if let Some(operation) = error.operation() {
        copy = copy.with_operation(operation);
    }
    if let Some(id) = error.request_id() {
        copy = copy.with_request_id(id);
    }
    copy.with_source(error)
}

/// How often each tag was invalidated. Tags are without number (one per issue), counters are not:
/// tags that share one merely make each other old.
struct Generations(Box<[AtomicU64]>);

impl Generations {
    const COUNTERS: u16 = 4096;

    fn new() -> Self {
        Self(std::iter::repeat_with(AtomicU64::default).take(Self::COUNTERS.into()).collect())
    }

    fn of(&self, tag: &Tag) -> u64 {
        self.0.get(usize::from(Self::counter(tag))).map_or(0, |counter| counter.load(Ordering::Acquire))
    }

    fn bump(&self, counter: u16) {
        if let Some(counter) = self.0.get(usize::from(counter)) {
            counter.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// The counter of a tag, by FNV-1a: every replica must mean the same.
    fn counter(tag: &Tag) -> u16 {
        let bytes = tag.as_ref().bytes();
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        // What is left of a division by the number of counters, which fits.
        u16::try_from(hash % u64::from(Self::COUNTERS)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;
    use http::header::{ETAG, HeaderName};

    use super::*;

    #[test]
    fn an_entry_weighs_at_least_what_it_holds() {
        // As from a connection: a small body and short values in large buffers.
        let buffer = Bytes::from(vec![b'7'; 64 * 1024]);
        for (body, headers) in [(0, 0), (10, 3), (2_000, 24), (60_000, 60)] {
            let mut held = None;
            let mut map = HeaderMap::new();
            for number in 0..headers {
                let name = HeaderName::from_bytes(format!("x-header-{number}").as_bytes());
                map.insert(name.unwrap_or(ETAG), HeaderValue::from_maybe_shared(buffer.slice(..20)).unwrap());
            }
            let response = Response::new(StatusCode::OK, map, buffer.slice(..body));
            let info = measure(|| held = Some(Entry::new(response.clone(), Instant::now())));
            let weight = i64::from(held.map(|entry| entry.weight()).unwrap_or_default());
            assert!(weight >= info.bytes_current, "{weight} of {}: {body}, {headers}", info.bytes_current);
            assert!(weight < 3 * info.bytes_current + 4096, "{weight} of {}", info.bytes_current);
        }
    }
}
