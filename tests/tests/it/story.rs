//! What every sandbox begins with is part of one story.

use std::sync::Arc;

use connector::sandbox;
use suite::Subject;

async fn the_seed_tells_the_story<S: Subject>() {
    let fake = S::sandbox().expect("a sandbox").fake;
    let _running = sandbox::start(Arc::clone(&fake), ([127, 0, 0, 1], 0).into()).await.expect("a port");
    assert_eq!(fixtures::contradictions(&fake.dump()), [""; 0]);
}

suite::every_server!(the_seed_tells_the_story);
