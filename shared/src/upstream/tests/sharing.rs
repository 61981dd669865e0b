//! What one replica has changed or been told, the others know.

use tokio::time::{Instant, advance};

use super::*;
use crate::replicas::{Store, Wire};

/// Has `upstream` tell the others over `wire`, and hear what they tell.
fn join(wire: &Arc<Wire>, upstream: &Upstream) {
    let end = upstream.share(Arc::clone(wire) as Arc<dyn Store>);
    drop(Arc::clone(wire).keep(end));
}

/// Kept for ten minutes.
fn directory() -> Request {
    read().cache(Duration::from_secs(600), ["things"])
}

async fn text(upstream: &Upstream) -> String {
    String::from_utf8(upstream.send(directory()).await.unwrap().body.to_vec()).unwrap()
}

async fn numbering() -> Server {
    Server::start(|seen| async move { seen.number.to_string().into_response() }).await
}

#[tokio::test(start_paused = true)]
async fn what_one_replica_wrote_is_old_in_the_others() {
    let server = numbering().await;
    let [one, other] = [(); 2].map(|()| upstream(options(&server.url)));
    let stranger = with_credential(options(&server.url), Arc::new(Fixed::new(Secret::new("token-2"))));
    let wire = Wire::up();
    for upstream in [&one, &other, &stranger] {
        join(&wire, upstream);
    }
    let before = [text(&one).await, text(&other).await, text(&stranger).await];
    assert_eq!(before, ["0", "1", "2"]);
    one.send(write().invalidates(["things"])).await.unwrap();
    let after = [text(&other).await, text(&one).await, text(&stranger).await];
    assert_eq!(after, ["4", "5", "2"], "the stranger asks with another credential");
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_the_vendor_refused_to_one_replica_is_paused_in_the_others() {
    let server = Server::start(|seen| async move {
        match seen.number {
            0 => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "20")]).into_response(),
            _ => ok("{}"),
        }
    })
    .await;
    let budgets =
        || vec![Budget { bucket: "requests", limit: 6_000, per: Duration::from_secs(60), burst: 6_000 }];
    let [one, other] = [(); 2].map(|()| with_budgets(once(&server.url), budgets()));
    let wire = Wire::up();
    for upstream in [&one, &other] {
        join(&wire, upstream);
    }
    let costly = || read().cost("requests", 1);
    one.send(costly()).await.unwrap_err();
    let began = Instant::now();
    other.send(costly()).await.unwrap();
    assert!((20_000..20_100).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn while_nobody_tells_answers_are_kept_for_a_minute() {
    let server = numbering().await;
    let upstream = upstream(options(&server.url));
    let wire = Wire::up();
    join(&wire, &upstream);
    assert_eq!(text(&upstream).await, "0");
    advance(Duration::from_secs(300)).await;
    assert_eq!(text(&upstream).await, "0");
    wire.turn(false);
    assert_eq!(text(&upstream).await, "1", "what was kept for longer is old");
    advance(Duration::from_secs(59)).await;
    assert_eq!(text(&upstream).await, "1");
    advance(Duration::from_secs(2)).await;
    assert_eq!(text(&upstream).await, "2");
    wire.turn(true);
    assert_eq!(text(&upstream).await, "3", "something may have been missed");
    advance(Duration::from_secs(300)).await;
    assert_eq!(text(&upstream).await, "3");
}
