//! What replicas share over a real Redis or Valkey, and what becomes of it while that is stopped, frozen or only reads.
//!
//! The server is `STORE_SERVER`, or what is found on the path; without one these tests are left out, unless
//! `STORES_ARE_THERE` says that there is one.

use std::{
    collections::HashMap,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use connector::{
    Connector as _,
    access::{ApiKeys, KeyRing, Quotas},
    catalog::{Call, Plan, Reply, Tool},
    replicas::{Down, Listener, News, Redis, RedisOptions, Replicas, Store, Token},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, sleep},
};
use tokio_util::task::AbortOnDropHandle;

use crate::notes::{
    self, Notes, Nothing, modern,
    site::{Site, options},
    text,
};

/// A store that ends with the test.
struct Running {
    child: std::process::Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    let named = std::env::var_os("STORE_SERVER").map(PathBuf::from);
    let folders: Vec<_> = std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect();
    let names = ["valkey-server", "redis-server"];
    let found = || {
        names
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
            .find(|path| path.is_file())
    };
    let program = named.or_else(found);
    if program.is_none() {
        assert!(std::env::var_os("STORES_ARE_THERE").is_none(), "there is no store to test with");
    }
    program
}

impl Running {
    /// A store that answers; none if this machine has none. It remembers for long.
    async fn start(more: &[&str]) -> Option<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut running = Self { child: spawn(&program()?, port, folder.path(), more), port, folder };
        running.remembers().await;
        Some(running)
    }

    async fn remembers(&mut self) {
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(self.child.try_wait().unwrap().is_none(), "it does not start");
            sleep(Duration::from_millis(10)).await;
        }
        self.say("SET {notes-mcp}:since:1 0").await;
    }

    /// What it answers to a command.
    async fn say(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn restart(&mut self) {
        self.child = spawn(&program().unwrap(), self.port, self.folder.path(), &[]);
        self.remembers().await;
    }

    /// A replica's way to it.
    fn store(&self) -> Arc<Redis> {
        let url = format!("redis://127.0.0.1:{}", self.port).parse().unwrap();
        Arc::new(
            Redis::new(RedisOptions { url, password: None, authorities: None, prefix: "notes-mcp" }).unwrap(),
        )
    }
}

fn spawn(program: &PathBuf, port: u16, folder: &std::path::Path, more: &[&str]) -> std::process::Child {
    let mut command = Command::new(program);
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.args(more).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

/// Waits until `done` says so.
async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(15), "not in time: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Hears what others tell.
#[derive(Default)]
struct Heard(Mutex<Vec<News>>);

impl Listener for Heard {
    fn hear(&self, news: &News) {
        self.0.lock().unwrap().push(news.clone());
    }

    fn missed(&self) {
        self.hear(&News::Missed);
    }
}

impl Heard {
    fn take(&self) -> Vec<News> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A replica's way to the store, kept open.
struct Kept {
    store: Arc<Redis>,
    heard: Arc<Heard>,
    _link: AbortOnDropHandle<()>,
}

impl Kept {
    async fn open(store: Arc<Redis>) -> Self {
        let heard = Arc::new(Heard::default());
        let link = tokio::spawn(Arc::clone(&store).keep(Arc::clone(&heard) as Arc<dyn Listener>));
        until("the store is up", || store.is_up()).await;
        Self { store, heard, _link: AbortOnDropHandle::new(link) }
    }
}

fn news(bucket: &str) -> News {
    News::Paused { credential: "0123".to_owned(), bucket: bucket.to_owned(), ms: 900 }
}

#[tokio::test]
async fn what_one_replica_tells_the_others_hear_and_whoever_was_away_knows_that_it_missed_something() {
    let Some(mut running) = Running::start(&[]).await else { return };
    let one = Kept::open(running.store()).await;
    let other = Kept::open(running.store()).await;
    // Whoever comes may not have told something.
    until("the first hears that", || one.heard.0.lock().unwrap().len() >= 2).await;
    other.heard.take();
    one.store.tell(news("requests"));
    let began = Instant::now();
    until("the other hears", || other.heard.0.lock().unwrap().contains(&news("requests"))).await;
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(!one.heard.take().contains(&news("requests")), "nobody hears himself");

    running.stop();
    until("it is noticed", || !one.store.is_up() && !other.store.is_up()).await;
    one.store.tell(news("lost"));
    other.heard.take();
    running.restart().await;
    until("it is back", || one.store.is_up() && other.store.is_up()).await;
    until("the other knows", || other.heard.take().contains(&News::Missed)).await;
}

#[tokio::test]
async fn a_token_is_used_once_and_one_from_before_the_stores_memory_never() {
    let Some(running) = Running::start(&[]).await else { return };
    let (one, other) = (Kept::open(running.store()).await, Kept::open(running.store()).await);
    let (given, lifetime) = (Duration::from_secs(1_000), Duration::from_secs(300));
    assert_eq!(one.store.first("a", given, lifetime).await, Ok(Token::First));
    assert_eq!(other.store.first("a", given, lifetime).await, Ok(Token::Used));
    assert_eq!(other.store.first("b", given, lifetime).await, Ok(Token::First));
    running.say("FLUSHALL").await;
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!(other.store.first("a", connector::clock::wall(), lifetime).await, Ok(Token::TooOld));
}

#[tokio::test]
async fn nobody_waits_for_a_store_that_does_not_answer() {
    let Some(running) = Running::start(&[]).await else { return };
    let kept = Kept::open(running.store()).await;
    let rate = std::num::NonZeroU32::new(2).unwrap();
    let take = || kept.store.take("a", rate);
    assert_eq!((take().await, take().await), (Ok(Ok(())), Ok(Ok(()))));
    let Ok(Err(wait)) = take().await else { panic!("it takes a third") };
    assert!((Duration::from_secs(29)..=Duration::from_secs(30)).contains(&wait), "{wait:?}");
    running.signal("-STOP");
    let began = Instant::now();
    for _ in 0..100 {
        assert_eq!(take().await, Err(Down));
    }
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    running.signal("-CONT");
    until("it is back", || kept.store.is_up()).await;
    running.say("REPLICAOF 127.0.0.1 1").await;
    until("it is seen that it only reads", || !kept.store.is_up()).await;
    assert_eq!(take().await, Err(Down));
    running.say("REPLICAOF NO ONE").await;
    until("it is back again", || kept.store.is_up()).await;
}

#[tokio::test]
async fn a_store_behind_tls_and_a_password_is_reached_and_no_other() {
    let authority = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let certificate = file("certificate.pem", &authority.cert.pem());
    let key = file("key.pem", &authority.signing_key.serialize_pem());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let [certificate_path, key] = [&certificate, &key].map(|path| path.to_str().unwrap());
    let tls = [
        "--tls-port",
        &port,
        "--tls-cert-file",
        certificate_path,
        "--tls-key-file",
        key,
        "--tls-auth-clients",
        "no",
        "--requirepass",
        "canary-password",
    ];
    let Some(running) = Running::start(&tls).await else { return };
    let password = file("password", "canary-password\n");
    let reached = async |password: Option<PathBuf>, authorities: Option<PathBuf>| {
        let url = format!("rediss://localhost:{port}").parse().unwrap();
        let options = RedisOptions { url, password, authorities, prefix: "notes-mcp" };
        let store = Arc::new(Redis::new(options).unwrap());
        let link = tokio::spawn(Arc::clone(&store).keep(Arc::new(Heard::default())));
        let _link = AbortOnDropHandle::new(link);
        for _ in 0..150 {
            if store.is_up() {
                return true;
            }
            sleep(Duration::from_millis(10)).await;
        }
        false
    };
    assert!(reached(Some(password.clone()), Some(certificate.clone())).await);
    let (wrong, none, stranger) = futures::join!(
        reached(Some(file("wrong", "wrong")), Some(certificate.clone())),
        reached(None, Some(certificate)),
        reached(Some(password), None),
    );
    assert!(!wrong && !none);
    assert!(!stranger, "a stranger vouches for it");
    drop(running);
}

/// Two replicas over HTTP, and a caller's key.
struct Two {
    sites: [Site; 2],
    stores: Vec<Arc<Redis>>,
    key: String,
    _folder: tempfile::TempDir,
}

impl Two {
    async fn open(running: &Running) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        let (key, line) = ApiKeys::generate("canary-ada");
        std::fs::write(&file, line).unwrap();
        let keys = KeyRing::default();
        let stores = vec![running.store(), running.store()];
        let replica = async |store: &Arc<Redis>| {
            let replicas = Replicas::new(2.try_into().unwrap(), Some(Arc::clone(store) as Arc<dyn Store>));
            let mut options = options();
            options.api_keys = Some(ApiKeys::load(&file).unwrap());
            options.quotas = Some(Quotas::new(100, HashMap::new()).shared_by(replicas.clone()));
            options.replicas = replicas;
            let sends = Tool::destructive(
                "send_note",
                "Send",
                "Sends it.",
                |call: Call<Notes>, _: Nothing| async move {
                    let plan = Plan::new(Reply::new("Send it"), move || async move {
                        call.slow_begun.fetch_add(1, Ordering::SeqCst);
                        Ok(Reply::new("Sent."))
                    });
                    Ok(plan.once())
                },
            );
            let service = notes::sealed(Notes::catalog().tools([sends]), keys.clone());
            let site = Site::of(service, options).await;
            until("the store is up", || store.is_up()).await;
            site
        };
        let sites = [replica(&stores[0]).await, replica(&stores[1]).await];
        Self { sites, stores, key, _folder: folder }
    }

    async fn call(&self, site: usize, tool: &str, arguments: Value) -> Value {
        let message = modern(1, "tools/call", json!({"name": tool, "arguments": arguments}));
        let request = self.sites[site].modern(&message).bearer_auth(&self.key);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// How many of so many calls, to one after the other, are within the quota.
    async fn passed(&self, calls: usize) -> usize {
        let mut passed = 0;
        for number in 0..calls {
            let answer = self.call(number % 2, "read_note", json!({"name": "one"})).await;
            passed += usize::from(answer["result"]["isError"] != true);
        }
        passed
    }

    /// What the confirmed call says, and how often it was done.
    async fn confirmed(&self, site: usize, value: &str) -> (String, usize) {
        let answer = self.call(site, "send_note", json!({"confirm": value})).await;
        let done = |site: &Site| site.service.server().slow_begun.swap(0, Ordering::SeqCst);
        (text(&answer).to_owned(), self.sites.iter().map(done).sum())
    }

    async fn value(&self, site: usize) -> String {
        let asked = self.call(site, "send_note", json!({})).await;
        let value = text(&asked).split("\"confirm\": \"").nth(1).and_then(|rest| rest.split('"').next());
        value.unwrap_or_else(|| panic!("it gives no value: {asked}")).to_owned()
    }

    /// What leaves no trace is refused, and nothing else waits.
    async fn goes_on_without(&self, how: &str) {
        let began = Instant::now();
        let value = self.value(0).await;
        let (said, done) = self.confirmed(1, &value).await;
        assert!(said.contains("done only once") && said.contains("Nothing was changed"), "{how}: {said}");
        assert_eq!(done, 0, "{how}");
        let delete = self.call(0, "delete_note", json!({"name": "two"})).await;
        let value = text(&delete).split("\"confirm\": \"").nth(1).and_then(|rest| rest.split('"').next());
        let deleted = self.call(1, "delete_note", json!({"name": "two", "confirm": value})).await;
        assert!(text(&deleted).contains("Deleted two"), "{how}: {deleted}");
        self.sites[1].service.server().put("two", "Second.");
        assert!(began.elapsed() < Duration::from_secs(1), "{how}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_confirmation_is_good_once_among_replicas_or_not_at_all() {
    let Some(mut running) = Running::start(&[]).await else { return };
    let two = Two::open(&running).await;
    let back = async || {
        for store in &two.stores {
            until("the store is back", || store.is_up()).await;
        }
    };
    let works = async |how: &str| {
        let value = two.value(0).await;
        assert_eq!(two.confirmed(1, &value).await, ("Sent.".to_owned(), 1), "{how}");
        for site in [0, 1] {
            let (said, done) = two.confirmed(site, &value).await;
            assert!(said.contains("already used"), "{how}: {said}");
            assert_eq!(done, 0, "{how}");
        }
    };
    works("running").await;
    running.signal("-STOP");
    two.goes_on_without("frozen").await;
    running.signal("-CONT");
    back().await;
    works("thawed").await;
    running.say("REPLICAOF 127.0.0.1 1").await;
    two.goes_on_without("only reads").await;
    running.say("REPLICAOF NO ONE").await;
    running.say("SET {notes-mcp}:since:1 0").await;
    back().await;
    works("writes again").await;
    running.stop();
    two.goes_on_without("stopped").await;
    running.restart().await;
    back().await;
    works("started anew").await;
    let kept = running.say("KEYS *").await;
    assert!(kept.contains("used:") && !kept.contains("canary") && !kept.contains("send_note"), "{kept}");
}

#[tokio::test]
async fn a_quota_is_one_for_all_replicas_and_each_has_its_part_while_the_store_is_away() {
    let Some(mut running) = Running::start(&[]).await else { return };
    let two = Two::open(&running).await;
    let began = Instant::now();
    let passed = two.passed(104).await;
    // One comes back every 600 ms.
    let back = usize::try_from(began.elapsed().as_millis() / 600).unwrap() + 1;
    assert!((100..=100 + back).contains(&passed), "{passed} of 104 in {:?}", began.elapsed());
    let kept = running.say("KEYS *").await;
    assert!(kept.contains("quota:") && !kept.contains("canary"), "{kept}");
    running.stop();
    let began = Instant::now();
    let passed = two.passed(120).await;
    let back = 2 * usize::try_from(began.elapsed().as_millis() / 1_200).unwrap() + 2;
    assert!((100..=100 + back).contains(&passed), "{passed} of 120 in {:?}", began.elapsed());
}
