//! Webhooks: what changed, signed and sent to whoever asked, again and again until it is taken.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;
use uuid::Uuid;

use super::VirtualClock;
use crate::Secret;

/// How a vendor delivers.
#[derive(Clone)]
pub struct WebhookRules {
    /// How long to wait before each repetition, on the fake's clock; when they are used up the
    /// target is switched off.
    pub retries: Vec<Duration>,
    /// How long a target may take to answer, on tokio's clock.
    pub timeout: Duration,
    /// The headers of one attempt, its signature among them.
    pub headers: fn(&Attempt<'_>) -> HeaderMap,
}

impl fmt::Debug for WebhookRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRules").field("retries", &self.retries).finish_non_exhaustive()
    }
}

/// What is about to be sent.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The same for every attempt at one delivery, and for every copy of it.
    pub delivery: Uuid,
    /// What happened: `Issue`, `push`.
    pub event: &'a str,
    /// Where it goes.
    pub url: &'a Url,
    /// The target's secret.
    pub secret: &'a Secret,
    /// The body, to the byte.
    pub body: &'a [u8],
    /// Now on the fake's clock, as a duration since the Unix epoch.
    pub time: Duration,
}

/// Who wants to know.
#[derive(Clone, Debug)]
pub struct WebhookTarget {
    /// Where to send it.
    pub url: Url,
    /// What it is signed with.
    pub secret: Secret,
    /// Which events; none for all.
    pub events: Vec<String>,
}

/// One attempt, after the fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempted {
    /// The target's id.
    pub target: Uuid,
    /// The delivery's id.
    pub delivery: Uuid,
    /// What happened.
    pub event: String,
    /// Counts from 1.
    pub attempt: u32,
    /// What the target answered; none if it did not.
    pub status: Option<u16>,
}

/// The webhooks of a fake. Clones share them; with the last one, deliveries end.
#[derive(Clone)]
pub struct Webhooks {
    post: Arc<Post>,
    _until_dropped: Arc<DropGuard>,
}

/// What the deliveries need, too.
struct Post {
    rules: WebhookRules,
    clock: VirtualClock,
    client: OnceLock<reqwest::Client>,
    closing: CancellationToken,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    targets: Vec<(Uuid, WebhookTarget, bool)>,
    sent: Vec<Arc<Parcel>>,
    attempts: Vec<Attempted>,
}

/// One event for one target.
struct Parcel {
    delivery: Uuid,
    target: Uuid,
    event: String,
    body: Vec<u8>,
}

impl Webhooks {
    /// No targets yet.
    #[must_use]
    pub fn new(rules: WebhookRules, clock: &VirtualClock) -> Self {
        let closing = CancellationToken::new();
        let _until_dropped = Arc::new(closing.clone().drop_guard());
        let post =
            Post { rules, clock: clock.clone(), client: OnceLock::new(), closing, book: Mutex::default() };
        Self { post: Arc::new(post), _until_dropped }
    }

    /// Adds a target and returns its id.
    pub fn register(&self, target: WebhookTarget) -> Uuid {
        let id = Uuid::new_v4();
        self.post.book().targets.push((id, target, true));
        id
    }

    /// Removes a target; whether there was one. What is under way to it ends.
    pub fn remove(&self, id: Uuid) -> bool {
        let mut book = self.post.book();
        let before = book.targets.len();
        book.targets.retain(|(known, ..)| *known != id);
        book.targets.len() < before
    }

    /// Whether a target is still served: not after it failed once too often.
    #[must_use]
    pub fn enabled(&self, id: Uuid) -> bool {
        self.post.book().targets.iter().any(|(known, _, enabled)| *known == id && *enabled)
    }

    /// Sends an event to every target that wants it, without waiting; `body` makes the payload for
    /// a target from its id. Returns the deliveries' ids. Must be called within a tokio runtime.
    pub fn send(&self, event: &str, body: impl Fn(Uuid) -> Value) -> Vec<Uuid> {
        let wants =
            |target: &WebhookTarget| target.events.is_empty() || target.events.iter().any(|e| e == event);
        let mut book = self.post.book();
        let wanting = book.targets.iter().filter(|(_, target, enabled)| *enabled && wants(target));
        let parcels: Vec<_> = wanting
            .map(|(target, ..)| {
                let body = body(*target).to_string().into_bytes();
                Arc::new(Parcel { delivery: Uuid::new_v4(), target: *target, event: event.to_owned(), body })
            })
            .collect();
        book.sent.extend(parcels.iter().cloned());
        drop(book);
        parcels.into_iter().map(|parcel| self.dispatch(parcel)).collect()
    }

    /// Sends a delivery once more, as a vendor does that is not sure: to test what duplicates and
    /// disorder do. Whether there was such a delivery.
    pub fn repeat(&self, delivery: Uuid) -> bool {
        let parcel = self.post.book().sent.iter().find(|parcel| parcel.delivery == delivery).cloned();
        parcel.map(|parcel| self.dispatch(parcel)).is_some()
    }

    /// Every attempt so far, oldest first.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempted> {
        self.post.book().attempts.clone()
    }

    /// Forgets targets, deliveries and attempts.
    pub fn clear(&self) {
        *self.post.book() = Book::default();
    }

    fn dispatch(&self, parcel: Arc<Parcel>) -> Uuid {
        let delivery = parcel.delivery;
        let post = Arc::clone(&self.post);
        tokio::spawn(async move {
            tokio::select! {
                () = post.closing.cancelled() => {}
                () = post.deliver(&parcel) => {}
            }
        });
        delivery
    }
}

impl Post {
    async fn deliver(&self, parcel: &Parcel) {
        let waits = self.rules.retries.iter().copied().map(Some).chain([None]);
        for (attempt, wait) in (1..).zip(waits) {
            let Some(target) = self.target(parcel.target) else { return };
            let status = self.attempt(parcel, &target).await;
            self.book().attempts.push(Attempted {
                target: parcel.target,
                delivery: parcel.delivery,
                event: parcel.event.clone(),
                attempt,
                status,
            });
            if status.is_some_and(|status| (200..300).contains(&status)) {
                return;
            }
            match wait {
                Some(wait) => self.clock.sleep_until(self.clock.now() + wait).await,
                None => self.switch_off(parcel.target),
            }
        }
    }

    async fn attempt(&self, parcel: &Parcel, target: &WebhookTarget) -> Option<u16> {
        let attempt = Attempt {
            delivery: parcel.delivery,
            event: &parcel.event,
            url: &target.url,
            secret: &target.secret,
            body: &parcel.body,
            time: self.clock.now(),
        };
        let mut headers = (self.rules.headers)(&attempt);
        headers
            .entry(header::CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("application/json; charset=utf-8"));
        let request = self.client()?.post(target.url.clone()).headers(headers).body(parcel.body.clone());
        let answer = tokio::time::timeout(self.rules.timeout, request.send()).await.ok()?;
        Some(answer.ok()?.status().as_u16())
    }

    /// The client, made when first needed; none if the platform cannot provide one.
    fn client(&self) -> Option<&reqwest::Client> {
        if self.client.get().is_none() {
            // Whoever was first has installed one; a client cannot be built without.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            let plain = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
            let _ = self.client.set(plain.build().ok()?);
        }
        self.client.get()
    }

    fn target(&self, id: Uuid) -> Option<WebhookTarget> {
        let book = self.book();
        book.targets.iter().find(|(known, _, on)| *known == id && *on).map(|(_, target, _)| target.clone())
    }

    fn switch_off(&self, id: Uuid) {
        for (known, _, enabled) in &mut self.book().targets {
            *enabled &= *known != id;
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let book = self.post.book();
        write!(f, "Webhooks({} targets, {} attempts)", book.targets.len(), book.attempts.len())
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, extract::State, routing::post};
    use http::StatusCode;
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// A target that tells what it got, and answers as told.
    struct Receiver {
        url: Url,
        got: mpsc::UnboundedReceiver<(HeaderMap, String)>,
        answers: mpsc::UnboundedSender<StatusCode>,
    }

    impl Receiver {
        async fn new() -> Self {
            type Shared = Arc<(mpsc::UnboundedSender<(HeaderMap, String)>, Answers)>;
            type Answers = tokio::sync::Mutex<mpsc::UnboundedReceiver<StatusCode>>;
            let (tell, got) = mpsc::unbounded_channel();
            let (answers, told) = mpsc::unbounded_channel();
            let shared: Shared = Arc::new((tell, tokio::sync::Mutex::new(told)));
            let take = async |State(shared): State<Shared>, headers: HeaderMap, body: String| {
                shared.0.send((headers, body)).unwrap();
                shared.1.lock().await.recv().await.unwrap()
            };
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = Url::parse(&format!("http://{}/hook", listener.local_addr().unwrap())).unwrap();
            let router = Router::new().route("/hook", post(take)).with_state(shared);
            tokio::spawn(async move { axum::serve(listener, router).await });
            Self { url, got, answers }
        }
    }

    fn webhooks(clock: &VirtualClock) -> Webhooks {
        let rules = WebhookRules {
            retries: vec![MINUTE, 60 * MINUTE],
            timeout: Duration::from_secs(5),
            headers: |attempt| {
                let mut headers = HeaderMap::new();
                let signature = format!("{}:{}", attempt.secret.expose(), attempt.body.len());
                headers.insert("x-signature", signature.parse().unwrap());
                headers.insert("x-delivery", attempt.delivery.to_string().parse().unwrap());
                headers
            },
        };
        Webhooks::new(rules, clock)
    }

    fn target(url: &Url, events: &[&str]) -> WebhookTarget {
        let events = events.iter().map(|&event| event.to_owned()).collect();
        WebhookTarget { url: url.clone(), secret: Secret::new("s3cret"), events }
    }

    #[tokio::test(start_paused = true)]
    async fn a_delivery_is_signed_and_goes_only_to_who_asked() {
        let clock = VirtualClock::new();
        let (webhooks, mut receiver) = (webhooks(&clock), Receiver::new().await);
        webhooks.register(target(&receiver.url, &["Issue"]));
        assert!(webhooks.send("Comment", |_| json!({})).is_empty());
        let sent = webhooks.send("Issue", |target| json!({ "webhookId": target, "n": 1 }));
        receiver.answers.send(StatusCode::OK).unwrap();
        let (headers, body) = receiver.got.recv().await.unwrap();
        assert_eq!(headers["x-signature"], format!("s3cret:{}", body.len()));
        assert_eq!(headers["x-delivery"], sent[0].to_string());
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["n"], 1);

        assert!(webhooks.repeat(sent[0]));
        receiver.answers.send(StatusCode::OK).unwrap();
        assert_eq!(receiver.got.recv().await.unwrap().1, body, "a copy is the same to the byte");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_delivery_is_repeated_on_the_vendors_schedule_and_then_ends() {
        let clock = VirtualClock::new();
        let (webhooks, mut receiver) = (webhooks(&clock), Receiver::new().await);
        let id = webhooks.register(target(&receiver.url, &[]));
        let start = clock.now();
        webhooks.send("Issue", |_| json!({}));
        for due in [Duration::ZERO, MINUTE, 61 * MINUTE] {
            receiver.answers.send(StatusCode::INTERNAL_SERVER_ERROR).unwrap();
            receiver.got.recv().await.unwrap();
            assert!((clock.now() - start).abs_diff(due) < Duration::from_secs(1), "{due:?}");
        }
        while webhooks.enabled(id) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let statuses: Vec<_> = webhooks.attempts().iter().map(|a| (a.attempt, a.status)).collect();
        assert_eq!(statuses, [(1, Some(500)), (2, Some(500)), (3, Some(500))]);
        assert!(webhooks.send("Issue", |_| json!({})).is_empty(), "a target that is off gets nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_does_not_answer_in_time_has_failed() {
        let clock = VirtualClock::new();
        let (webhooks, mut receiver) = (webhooks(&clock), Receiver::new().await);
        let id = webhooks.register(target(&receiver.url, &[]));
        webhooks.send("Issue", |_| json!({}));
        receiver.got.recv().await.unwrap();
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert_eq!(webhooks.attempts()[0].status, None);
        assert!(webhooks.remove(id) && !webhooks.remove(id));
        clock.advance(2 * MINUTE);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(webhooks.attempts().len(), 1, "a removed target gets nothing more");
    }
}
