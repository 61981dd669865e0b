//! Two replicas of one server, and a store that is a wire between them.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use connector::{
    replicas::{Replicas, Store, Wire},
    testing::Sample,
};

use crate::support::{ENGINEERS, Server, read, send};

async fn asks(server: &Server, sample: &Sample) -> Option<String> {
    server.question(sample.tool, serde_json::Value::Object(sample.arguments.clone())).await
}

/// slack.md 4b, the rule for what was read in private: which replica read it does not matter.
#[tokio::test(start_paused = true)]
async fn what_one_replica_read_in_private_another_asks_about_before_it_goes_to_more_people() {
    let (one, other, alone) = (Server::start().await, Server::start().await, Server::start().await);
    let wire = Wire::up();
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
