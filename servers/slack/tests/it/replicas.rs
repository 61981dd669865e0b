//! Two replicas of one server, and a store that is a wire between them.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use connector::{
    replicas::{Down, Listener, News, Replicas, Store, Token},
    testing::Sample,
};
use futures::future::BoxFuture;

use crate::support::{ENGINEERS, Server, read, send};

#[derive(Default)]
struct Wire(Mutex<Vec<Arc<dyn Listener>>>);

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl Store for Wire {
    fn take<'a>(&'a self, _: &'a str, _: NonZeroU32) -> BoxFuture<'a, Result<Result<(), Duration>, Down>> {
        Box::pin(std::future::ready(Err(Down)))
    }

    fn first<'a>(&'a self, _: &'a str, _: Duration, _: Duration) -> BoxFuture<'a, Result<Token, Down>> {
        Box::pin(std::future::ready(Err(Down)))
    }

    fn tell(&self, news: News) {
        self.0.lock().unwrap().iter().for_each(|end| end.hear(&news));
    }

    fn is_up(&self) -> bool {
        true
    }

    fn keep(self: Arc<Self>, listener: Arc<dyn Listener>) -> BoxFuture<'static, ()> {
        self.0.lock().unwrap().push(listener);
        Box::pin(std::future::pending())
    }
}

async fn asks(server: &Server, sample: &Sample) -> Option<String> {
    server.question(sample.tool, serde_json::Value::Object(sample.arguments.clone())).await
}

/// slack.md 4b, the rule for what was read in private: which replica read it does not matter.
#[tokio::test(start_paused = true)]
async fn what_one_replica_read_in_private_another_asks_about_before_it_goes_to_more_people() {
    let (one, other, alone) = (Server::start().await, Server::start().await, Server::start().await);
    let wire = Arc::new(Wire::default());
    for server in [&one, &other] {
        let store = Arc::clone(&wire) as Arc<dyn Store>;
        let link = server.service().share(&Replicas::new(NonZeroU32::new(2).unwrap(), Some(store)));
        assert!(link.is_some());
    }
    let public = send(ENGINEERS, "84,000");
    assert!(asks(&other, &public).await.is_none());
    one.call(&read("#deals")).await;
    let asked = asks(&other, &public).await.unwrap();
    assert!(asked.contains("private text was read before in a private conversation"), "{asked}");
    assert!(asks(&one, &public).await.is_some() && asks(&alone, &public).await.is_none());
    assert!(asks(&other, &send("#deals", "84,000")).await.is_none(), "those in it could read it");
    tokio::time::sleep(Duration::from_secs(31 * 60)).await;
    assert!(asks(&other, &public).await.is_none());
}
