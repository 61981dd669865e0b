//! What the operator puts out of bounds is out of reach of every tool, however it is named and wherever it turns up.

use connector::Kind;
use suite::{Bounded, Options, Sandboxed, Subject};

async fn bounded<S: Subject>(settings: fn(&Bounded) -> suite::Settings) -> Option<(Sandboxed<S>, Bounded)> {
    let Some(bounded) = S::bounded() else {
        suite::lacks::<S>("bounded");
        return None;
    };
    let options = Options { more: settings(&bounded), ..Options::everything() };
    Some((Sandboxed::start_with(options).await, bounded))
}

/// The bounds hold for whatever tool asks, and nothing of what is out of them is even asked for.
async fn nothing_out_of_bounds_is_read_by_any_tool<S: Subject>() {
    let Some((server, bounded)) = bounded::<S>(|bounded| bounded.not_read.clone()).await else { return };
    let mut refused = 0;
    for sample in S::reads().into_iter().chain(S::writes()) {
        match server.try_call(&sample).await {
            Ok(reply) => assert!(
                !reply.text.contains(bounded.marker),
                "{} {:?} tells of it: {}",
                sample.tool,
                sample.arguments,
                reply.text
            ),
            Err(error) if error.kind() == Kind::Policy => refused += 1,
            Err(error) => {
                let text = error.for_agent();
                assert!(
                    !text.contains(bounded.marker) || error.kind() == Kind::InvalidArgument,
                    "{} {:?}: {text}",
                    sample.tool,
                    sample.arguments
                );
            }
        }
    }
    assert!(refused >= bounded.refused, "{refused} calls were refused");
    let entries = server.harness().journal().entries();
    for entry in entries.iter().filter(|entry| !S::judged_by().contains(&entry.operation.as_str())) {
        let asked = format!("{} {}", entry.path, entry.body);
        assert!(!asked.contains(bounded.marker), "it was asked for: {} {asked}", entry.operation);
    }
}

/// What may be read but not written is read, and every write to it is refused before anything is sent.
async fn what_may_be_read_but_not_written_is_not_written<S: Subject>() {
    let Some((server, bounded)) = bounded::<S>(|bounded| bounded.not_written.clone()).await else { return };
    let before = server.dump();
    server.call(&S::read_one().0).await;
    let mut refused = 0;
    for sample in S::writes().iter().filter(|sample| (bounded.writes_there)(sample)) {
        let error = server.refusal(sample).await;
        assert_eq!(error.kind(), Kind::Policy, "{}: {error}", sample.tool);
        assert!(error.for_agent().contains(bounded.said), "{}: {error}", sample.tool);
        refused += 1;
    }
    assert!(refused > 0, "no write was tried");
    assert_eq!(server.dump(), before);
}

suite::every_server!(
    nothing_out_of_bounds_is_read_by_any_tool,
    what_may_be_read_but_not_written_is_not_written,
);
