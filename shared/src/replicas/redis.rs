//! What replicas share, in Redis or Valkey: one primary, of version 6 or newer.
//!
//! One task keeps one connection, over which news come too. Every second it writes something: a server that only reads,
//! is still loading or is full counts as down, as does one that does not answer. Whoever asks waits 50 ms at most; the
//! first who does so in vain cuts the connection, and until there is another one nobody waits at all.

use std::{
    fmt, fs, io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, PushInfo, PushKind, RedisResult, Script, ScriptInvocation,
    TlsCertificates, Value, aio::MultiplexedConnection,
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use url::Url;

use super::{Down, Listener, News, Store, Token};
use crate::{clock, secret::Secret};

/// How long a call waits for the store.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long the task that keeps the connection waits: for a connection, and for an answer.
const CONNECT: Duration = Duration::from_secs(1);
const PROBE: Duration = Duration::from_millis(500);
/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// The pauses between attempts to connect.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(5)];
/// A connection that lasted so long was a good one.
const STEADY: Duration = Duration::from_secs(10);
/// So much news waits to be told, before it is told that something was missed.
const NEWS: usize = 1_024;
/// How far the clocks of replicas may be apart.
const SKEW: Duration = Duration::from_secs(5);

/// GCRA by the store's clock, in microseconds, as the quotas of one process keep it.
const TAKE: &str = "
local now = redis.call('TIME')
local t = now[1] * 1000000 + now[2]
local every, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), t)
local wait = due - room - t
if wait > 0 then return math.ceil(wait) end
due = due + every
redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.ceil((due - t) / 1000))
return 0";

/// 1: used for the first time; 0: used before; -1: given before the store began to remember, as far as clocks can tell.
const FIRST: &str = "
local since = redis.call('GET', KEYS[2])
if not since or tonumber(ARGV[1]) < tonumber(since) then return -1 end
if redis.call('SET', KEYS[1], 1, 'NX', 'PX', ARGV[2]) then return 1 end
return 0";

/// Where the store is.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// `redis://` or `rediss://`, with a user's name and a database, without a password.
    pub url: Url,
    /// The file of the password, read whenever a connection is made.
    pub password: Option<PathBuf>,
    /// The authorities to trust instead of the system's.
    pub authorities: Option<PathBuf>,
    /// What all keys begin with.
    pub prefix: &'static str,
}

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// The address is none.
    #[error("it is no address of Redis")]
    Address,
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It could not be reached, or refused.
    #[error("{0}")]
    Refused(String),
}

impl From<redis::RedisError> for RedisError {
    fn from(error: redis::RedisError) -> Self {
        // A kind and a code of the server's, no address and no text of anybody.
        let code = error.code().map(|code| format!(" ({code})")).unwrap_or_default();
        Self::Refused(format!("{}{code}", error.category()))
    }
}

/// Redis or Valkey. It is down until [`Store::keep`] runs.
pub struct Redis {
    options: RedisOptions,
    /// Tells what this replica says from what others do.
    own: u64,
    connection: Mutex<Option<MultiplexedConnection>>,
    cut: Notify,
    outgoing: mpsc::Sender<News>,
    waiting: tokio::sync::Mutex<mpsc::Receiver<News>>,
    missed: AtomicBool,
    take: Script,
    first: Script,
}

/// What goes over the channel.
#[derive(Serialize, Deserialize)]
struct Letter {
    from: u64,
    news: News,
}

impl Redis {
    /// The store at `options`. Connects to nothing.
    ///
    /// # Errors
    /// The address is none, or a file cannot be read.
    pub fn new(options: RedisOptions) -> Result<Self, RedisError> {
        let (outgoing, waiting) = mpsc::channel(NEWS);
        let store = Self {
            options,
            own: rand::random(),
            connection: Mutex::default(),
            cut: Notify::new(),
            outgoing,
            waiting: tokio::sync::Mutex::new(waiting),
            missed: AtomicBool::new(false),
            take: Script::new(TAKE),
            first: Script::new(FIRST),
        };
        store.client().map(|_| store)
    }

    fn client(&self) -> Result<Client, RedisError> {
        let read =
            |path: &PathBuf| fs::read(path).map_err(|source| RedisError::File { path: path.clone(), source });
        let mut url = self.options.url.clone();
        // The version of the protocol in which news come over the connection that is there.
        url.set_query(Some("protocol=resp3"));
        url.set_fragment(None);
        if let Some(path) = &self.options.password {
            let password = Secret::new(&String::from_utf8_lossy(&read(path)?));
            url.set_password(Some(password.expose())).map_err(|()| RedisError::Address)?;
        }
        let authorities = self.options.authorities.as_ref().map(read).transpose()?;
        crate::tls::install();
        let client = match authorities {
            Some(root_cert) => {
                Client::build_with_tls(url, TlsCertificates { client_tls: None, root_cert: Some(root_cert) })
            }
            None => Client::open(url),
        };
        client.map_err(|_| RedisError::Address)
    }

    fn key(&self, kind: &str, name: &str) -> String {
        // In braces, so that the keys of one script are in one place of a cluster too.
        format!("{{{}}}:{kind}:{name}", self.options.prefix)
    }

    fn connection(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        // It is valid after every statement, so a panic elsewhere does not spoil it.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a script for a call. Nothing is repeated: what was not answered may have been done.
    async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, Down> {
        let Some(mut connection) = self.connection().clone() else { return Err(Down) };
        match timeout(PATIENCE, script.invoke_async(&mut connection)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(_) => {
                *self.connection() = None;
                self.cut.notify_one();
                Err(Down)
            }
        }
    }

    /// A connection that writes, and over which news come.
    async fn connect(
        &self,
        pushed: mpsc::UnboundedSender<PushInfo>,
    ) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new().set_push_sender(pushed);
        let connecting = async {
            let mut connection = self.client()?.get_multiplexed_async_connection_with_config(&config).await?;
            connection.subscribe(self.key("news", "1")).await?;
            self.write(&mut connection).await?;
            Ok(connection)
        };
        within(CONNECT, connecting).await
    }

    /// Writes since when the store remembers, if it does not know that: then it has forgotten what it knew.
    async fn write(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let since = (clock::wall() + SKEW).as_millis();
        let mut set = redis::cmd("SET");
        set.arg(self.key("since", "1")).arg(since.to_string()).arg("NX").exec_async(connection).await
    }

    async fn publish(&self, connection: &mut MultiplexedConnection, news: News) -> RedisResult<()> {
        let letter = serde_json::to_string(&Letter { from: self.own, news }).unwrap_or_default();
        redis::cmd("PUBLISH").arg(self.key("news", "1")).arg(letter).exec_async(connection).await
    }

    /// Tells and hears, until the connection is cut.
    async fn attend(
        &self,
        connection: &mut MultiplexedConnection,
        mut pushes: mpsc::UnboundedReceiver<PushInfo>,
        outgoing: &mut mpsc::Receiver<News>,
        listener: &dyn Listener,
    ) -> Result<(), RedisError> {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    if self.missed.swap(false, Ordering::Relaxed) {
                        within(PROBE, async { Ok(self.publish(connection, News::Missed).await?) }).await?;
                    }
                    within(PROBE, async { Ok(self.write(connection).await?) }).await?;
                }
                Some(news) = outgoing.recv() => {
                    within(PROBE, async { Ok(self.publish(connection, news).await?) }).await?;
                }
                pushed = pushes.recv() => match pushed {
                    Some(PushInfo { kind: PushKind::Message, data }) => self.hear(&data, listener),
                    Some(PushInfo { kind: PushKind::Disconnection, .. }) | None => {
                        return Err(RedisError::Refused("the connection has ended".to_owned()));
                    }
                    Some(_) => {}
                },
                () = self.cut.notified() => {
                    return Err(RedisError::Refused("it did not answer a call".to_owned()));
                }
            }
        }
    }

    fn hear(&self, message: &[Value], listener: &dyn Listener) {
        let text = message.last().and_then(|text| String::from_redis_value_ref(text).ok());
        match text.and_then(|text| serde_json::from_str::<Letter>(&text).ok()) {
            Some(Letter { from, .. }) if from == self.own => {}
            Some(Letter { news: News::Missed, .. }) => listener.missed(),
            Some(Letter { news, .. }) => listener.hear(&news),
            // A newer version may say what this one does not know.
            None => listener.missed(),
        }
    }

    async fn keep_open(&self, listener: &dyn Listener) {
        let mut outgoing = self.waiting.lock().await;
        let [shortest, longest] = PAUSES;
        let (mut pause, mut told) = (shortest, false);
        loop {
            let (pushed, pushes) = mpsc::unbounded_channel();
            let ended = match self.connect(pushed).await {
                Ok(mut connection) => {
                    let since = Instant::now();
                    // What waits is covered by what is told now: that something was missed.
                    while outgoing.try_recv().is_ok() {}
                    self.missed.store(true, Ordering::Relaxed);
                    *self.connection() = Some(connection.clone());
                    listener.missed();
                    tracing::info!("the store that replicas share is there");
                    let ended = self.attend(&mut connection, pushes, &mut outgoing, listener).await;
                    *self.connection() = None;
                    listener.missed();
                    told = false;
                    if since.elapsed() >= STEADY {
                        pause = shortest;
                    }
                    ended
                }
                Err(error) => Err(error),
            };
            if let Err(error) = ended
                && !told
            {
                told = true;
                tracing::warn!(%error, "the store that replicas share is away: this one goes on alone");
            }
            sleep(pause.mul_f64(rand::random_range(0.75..1.25))).await;
            pause = (pause * 2).min(longest);
        }
    }
}

/// What `work` gives within `time`.
async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, RedisError> {
    timeout(time, work)
        .await
        .unwrap_or_else(|_| Err(RedisError::Refused("it did not answer in time".to_owned())))
}

impl Store for Redis {
    fn take<'a>(
        &'a self,
        name: &'a str,
        rate: std::num::NonZeroU32,
    ) -> BoxFuture<'a, Result<Result<(), Duration>, Down>> {
        Box::pin(async move {
            let every = 60_000_000 / u64::from(rate.get());
            let mut script = self.take.key(self.key("quota", name));
            script.arg(every).arg(every * u64::from(rate.get() - 1));
            let wait: u64 = self.run(&script).await?;
            Ok(if wait == 0 { Ok(()) } else { Err(Duration::from_micros(wait)) })
        })
    }

    fn first<'a>(
        &'a self,
        name: &'a str,
        given: Duration,
        lifetime: Duration,
    ) -> BoxFuture<'a, Result<Token, Down>> {
        Box::pin(async move {
            let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            let mut script = self.first.key(self.key("used", name));
            script.key(self.key("since", "1"));
            // Clocks that differ must not let it be forgotten too soon.
            script.arg(milliseconds(given)).arg(milliseconds(lifetime + SKEW));
            Ok(match self.run::<i64>(&script).await? {
                1 => Token::First,
                0 => Token::Used,
                _ => Token::TooOld,
            })
        })
    }

    fn tell(&self, news: News) {
        if self.outgoing.try_send(news).is_err() {
            self.missed.store(true, Ordering::Relaxed);
        }
    }

    fn is_up(&self) -> bool {
        self.connection().is_some()
    }

    fn keep(self: Arc<Self>, listener: Arc<dyn Listener>) -> BoxFuture<'static, ()> {
        Box::pin(async move { self.keep_open(listener.as_ref()).await })
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("is_up", &self.is_up()).finish_non_exhaustive()
    }
}
