//! What is looked at, how often, and who is told of it.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::FutureExt as _;
use tokio::time::{Instant, sleep, timeout};

use super::polls::{MAX_PER_SUBSCRIBER, Mailbox, Polls, Subscription};
use crate::{Error, Kind, Result, access::Principal};

const INTERVAL: Duration = Duration::from_secs(30);
const URI: &str = "notes://note/one";

/// A resource whose looks are counted, and go as they are told to: the last way for ever.
#[derive(Clone)]
struct Note(Arc<Mutex<Seen>>);

struct Seen {
    times: Vec<Instant>,
    outcomes: VecDeque<Result<&'static str>>,
}

impl Note {
    fn with(outcomes: impl IntoIterator<Item = Result<&'static str>>) -> Self {
        let outcomes = outcomes.into_iter().collect();
        Self(Arc::new(Mutex::new(Seen { times: Vec::new(), outcomes })))
    }

    fn poll(&self) -> Result<String> {
        let mut state = self.0.lock().unwrap();
        state.times.push(Instant::now());
        if state.outcomes.len() > 1 {
            return state.outcomes.pop_front().unwrap().map(str::to_owned);
        }
        match state.outcomes.front().unwrap() {
            Ok(version) => Ok((*version).to_owned()),
            Err(error) => Err(Error::new(error.kind(), error.message().to_owned())),
        }
    }

    fn times(&self) -> usize {
        self.0.lock().unwrap().times.len()
    }

    /// The seconds between looks.
    fn pauses(&self) -> Vec<u64> {
        self.0.lock().unwrap().times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect()
    }
}

fn subscribe(polls: &Arc<Polls>, uri: &str, mailbox: &Arc<Mailbox>, note: &Note) -> Result<Subscription> {
    let note = note.clone();
    polls.subscribe(&Principal::local(), uri, mailbox, move || {
        let note = note.clone();
        async move { note.poll() }
    })
}

fn news(mailbox: &Mailbox) -> Option<Arc<str>> {
    mailbox.next().now_or_never()
}

/// Waits for news, though not for ever.
async fn told(mailbox: &Mailbox) -> Arc<str> {
    timeout(INTERVAL * 1_000, mailbox.next()).await.expect("nothing is told")
}

fn failure(kind: Kind) -> Result<&'static str> {
    Err(Error::new(kind, "no"))
}

#[tokio::test(start_paused = true)]
async fn two_subscribers_are_told_by_one_task_and_only_of_changes() {
    let polls = Polls::new(INTERVAL);
    let note = Note::with([Ok("1"), Ok("1"), Ok("2")]);
    let [one, two] = [(); 2].map(|()| Arc::new(Mailbox::default()));
    let _first = subscribe(&polls, URI, &one, &note).unwrap();
    let _second = subscribe(&polls, URI, &two, &note).unwrap();
    sleep(Duration::from_secs(45)).await;
    assert_eq!(note.times(), 2, "one poll an interval, for both");
    assert_eq!((news(&one), news(&two)), (None, None), "the first look learns, the second finds the same");
    sleep(INTERVAL).await;
    assert_eq!((news(&one).as_deref(), news(&two).as_deref()), (Some(URI), Some(URI)));
    sleep(INTERVAL * 3).await;
    assert_eq!((news(&one), news(&two)), (None, None), "told once");
}

#[tokio::test(start_paused = true)]
async fn the_last_subscriber_that_leaves_ends_the_looking() {
    let polls = Polls::new(INTERVAL);
    let note = Note::with([Ok("1")]);
    let mailbox = Arc::new(Mailbox::default());
    let first = subscribe(&polls, URI, &mailbox, &note).unwrap();
    let second = subscribe(&polls, URI, &mailbox, &note).unwrap();
    sleep(Duration::from_secs(1)).await;
    drop(first);
    sleep(INTERVAL).await;
    assert_eq!((note.times(), polls.len()), (2, 1));
    drop(second);
    assert_eq!(polls.len(), 0);
    sleep(INTERVAL * 10).await;
    assert_eq!(note.times(), 2);
    assert_eq!(Arc::strong_count(&polls), 1, "no task is left");
}

#[tokio::test(start_paused = true)]
async fn principals_do_not_look_through_each_others_eyes() {
    let polls = Polls::new(INTERVAL);
    let mailbox = Arc::new(Mailbox::default());
    let looked = Arc::new(Mutex::new(BTreeSet::new()));
    let _watching = ["ann", "bob"].map(|name| {
        let looked = Arc::clone(&looked);
        polls.subscribe(&Principal::key(name), URI, &mailbox, move || {
            looked.lock().unwrap().insert(name);
            async { Ok("1".to_owned()) }
        })
    });
    sleep(Duration::from_secs(1)).await;
    assert_eq!(*looked.lock().unwrap(), BTreeSet::from(["ann", "bob"]));
}

#[tokio::test(start_paused = true)]
async fn failures_make_the_pauses_longer_and_lose_nothing() {
    let polls = Polls::new(INTERVAL);
    let down = || failure(Kind::Upstream);
    let limited = Err(Error::new(Kind::RateLimited, "no").with_retry_after(Duration::from_secs(3_600)));
    let mut outcomes = vec![Ok("1"), down(), limited, down(), down(), down(), down()];
    outcomes.push(Ok("2"));
    let note = Note::with(outcomes);
    let mailbox = Arc::new(Mailbox::default());
    let _watching = subscribe(&polls, URI, &mailbox, &note).unwrap();
    assert_eq!(&*told(&mailbox).await, URI, "what changed while looks failed is told");
    sleep(INTERVAL + Duration::from_secs(1)).await;
    assert_eq!(note.pauses(), [30, 60, 3_600, 240, 480, 600, 600, 30]);
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_told_once_and_not_looked_at_again() {
    let polls = Polls::new(INTERVAL);
    let note = Note::with([Ok("1"), failure(Kind::NotFound)]);
    let mailbox = Arc::new(Mailbox::default());
    let before = subscribe(&polls, URI, &mailbox, &note).unwrap();
    assert_eq!(&*told(&mailbox).await, URI);
    sleep(INTERVAL * 100).await;
    assert_eq!((news(&mailbox), note.times(), polls.len()), (None, 2, 0));
    // Whoever asks for it now is not tied to what has ended.
    let back = Note::with([Ok("1"), Ok("2")]);
    let _after = subscribe(&polls, URI, &mailbox, &back).unwrap();
    drop(before);
    assert_eq!(&*told(&mailbox).await, URI);
}

#[tokio::test(start_paused = true)]
async fn what_was_never_there_is_looked_for_again() {
    let polls = Polls::new(INTERVAL);
    let note = Note::with([failure(Kind::NotFound), Ok("1"), Ok("2")]);
    let mailbox = Arc::new(Mailbox::default());
    let _watching = subscribe(&polls, URI, &mailbox, &note).unwrap();
    assert_eq!(&*told(&mailbox).await, URI);
    assert_eq!(note.pauses(), [60, 30]);
}

#[tokio::test(start_paused = true)]
async fn what_changes_twice_before_its_news_are_fetched_is_told_once() {
    let polls = Polls::new(INTERVAL);
    let note = Note::with([Ok("1"), Ok("2"), Ok("3")]);
    let mailbox = Arc::new(Mailbox::default());
    let _watching = subscribe(&polls, URI, &mailbox, &note).unwrap();
    sleep(INTERVAL * 4).await;
    assert_eq!(news(&mailbox).as_deref(), Some(URI));
    assert_eq!(news(&mailbox), None);
}

#[tokio::test(start_paused = true)]
async fn there_is_room_for_so_many_and_watches_do_not_begin_at_once() {
    let polls = Polls::new(INTERVAL);
    let uris: Vec<_> = (0..120).map(|number| format!("notes://note/{number}")).collect();
    let names = || uris.iter().map(String::as_str);
    assert_eq!(polls.room_for(names().collect()).len(), MAX_PER_SUBSCRIBER);
    assert_eq!(polls.room_for(names().take(2).collect()), uris[..2]);

    let mailbox = Arc::new(Mailbox::default());
    let note = Note::with([Ok("1")]);
    let begun = Instant::now();
    let watching: Vec<_> = names().map(|uri| subscribe(&polls, uri, &mailbox, &note)).collect();
    let refused: Vec<_> = watching.iter().filter_map(|one| one.as_ref().err().map(Error::kind)).collect();
    assert_eq!(refused, [Kind::RateLimited; 20]);
    // One that is watched already takes no room.
    assert_eq!(polls.room_for(BTreeSet::from([&*uris[119], &*uris[3]])), [uris[3].clone()]);
    sleep(Duration::from_secs(20)).await;
    let times: BTreeSet<_> = note.0.lock().unwrap().times.iter().map(|at| *at - begun).collect();
    assert_eq!(times.len(), 100, "each at a time of its own");
    drop(watching);
    assert_eq!(polls.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_caller_leaves_others_their_share() {
    let polls = Polls::new(INTERVAL);
    let mailbox = Arc::new(Mailbox::default());
    let subscribe = |who: &str, number: usize| {
        let uri = format!("notes://note/{number}");
        polls.subscribe(&Principal::key(who), &uri, &mailbox, || async { Ok("1".to_owned()) })
    };
    let mut greedy: Vec<_> = (0..60).map(|number| subscribe("greedy", number)).collect();
    let refused: Vec<_> = greedy.iter().filter_map(|one| one.as_ref().err().map(Error::kind)).collect();
    assert_eq!(refused, [Kind::RateLimited; 10]);
    assert!(subscribe("greedy", 3).is_ok(), "one that it watches already takes no room");
    let others: Vec<_> = (0..50).map(|number| subscribe("modest", number)).collect();
    assert!(others.iter().all(Result::is_ok));
    greedy.clear();
    assert!(subscribe("greedy", 59).is_ok(), "what is given up can be had again");
}

#[tokio::test(start_paused = true)]
async fn looks_that_take_long_leave_room_for_calls() {
    let polls = Polls::new(INTERVAL);
    let mailbox = Arc::new(Mailbox::default());
    let under_way = Arc::new(());
    let uris: Vec<_> = (0..20).map(|number| format!("notes://note/{number}")).collect();
    let _watching: Vec<_> = uris
        .iter()
        .map(|uri| {
            let under_way = Arc::clone(&under_way);
            let look = move || {
                let counted = Arc::clone(&under_way);
                async move {
                    sleep(Duration::from_secs(50)).await;
                    drop(counted);
                    Ok("1".to_owned())
                }
            };
            polls.subscribe(&Principal::local(), uri, &mailbox, look)
        })
        .collect();
    sleep(Duration::from_secs(10)).await;
    // One for the test, one for each watch, and one for each look.
    assert_eq!(Arc::strong_count(&under_way), 1 + 20 + 4);
}
