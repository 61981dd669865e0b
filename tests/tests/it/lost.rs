//! Writes that are lost on their way, or whose answers are, while others write the same or to the same: a twin is not
//! taken for what was lost, and what somebody else wrote meanwhile stays.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use connector::{
    Error, Kind,
    access::Principal,
    catalog::{Answer, Silent},
    sandbox::{Action, Rule},
};
use futures::future::join;
use suite::{MARK, Marked, Options, Sample, Sandboxed, Standing, Subject, marker};

suite::every_server!(a_twin_is_not_taken_for_what_was_lost, an_update_that_is_repeated_overwrites_nobody);

/// Before the second of two writes that are alike, if the first is a colleague's.
const LONG_BEFORE: Duration = Duration::from_secs(3_600);

/// A server and what a write is done to, and the write.
struct Scene<S> {
    sandboxed: Sandboxed<S>,
    marked: Marked,
    /// The id of its target, and the argument that takes it.
    target: Option<(&'static str, String)>,
}

impl<S: Subject> Scene<S> {
    /// The write of this kind.
    async fn of(kind: usize) -> Self {
        let options = Options { allow_destructive: true, ..Options::everything() };
        let sandboxed = Sandboxed::<S>::start_with(options).await;
        let mut marked = S::marked_writes(&marker(0)).swap_remove(kind);
        let mut target = None;
        if let Some(made) = &marked.target {
            let text = sandboxed.call(&made.made_by).await.text;
            if let Some((looks, argument)) = made.id {
                let id = looks.find(&text).unwrap_or_else(|| panic!("no {looks:?} in {text}"));
                marked.write = marked.write.with(argument, id.clone());
                target = Some((argument, id));
            }
        }
        sandboxed.harness().journal().clear();
        Self { sandboxed, marked, target }
    }

    /// The same write as somebody else would do it to the same target, with another marker.
    fn by_another(&self, kind: usize) -> Sample {
        let mut theirs = S::marked_writes(&marker(1)).swap_remove(kind).write;
        if let Some((argument, id)) = &self.target {
            return theirs.with(argument, id.clone());
        }
        // What names the target is what made it, too.
        let made_by = self.marked.target.as_ref().map(|target| &target.made_by.arguments);
        for (name, value) in made_by.into_iter().flatten() {
            if self.marked.write.arguments.get(name) == Some(value) {
                theirs = theirs.with(name, value.clone());
            }
        }
        theirs
    }

    /// Does the write.
    async fn done(&self) -> Result<String, Error> {
        self.sandboxed.try_call(&self.marked.write).await.map(|reply| reply.text)
    }

    /// How often this marker stands where that of the write does.
    fn times(&self, number: usize) -> usize {
        Standing::of(self.sandboxed.dump()).times(self.marked.place, &marker(number))
    }

    /// What the vendor was asked since the beginning that may have changed something.
    fn written(&self) -> BTreeSet<String> {
        let entries = self.sandboxed.harness().journal().entries().into_iter();
        let query = |body: &str| body.contains("\"query\"") && !body.contains("mutation");
        let writes = entries.filter(|entry| entry.method != "GET" && !query(&entry.body));
        writes.map(|entry| entry.operation).collect()
    }

    /// Whether a request has met its fault.
    fn is_faulted(&self) -> bool {
        self.sandboxed.harness().journal().entries().iter().any(|entry| entry.fault.is_some())
    }

    /// Somebody else does `sample`, at the same vendor.
    async fn colleague_does(&self, sample: &Sample) -> Result<(), Error> {
        let options = Options { allow_destructive: true, ..Options::everything() };
        let colleague = self.sandboxed.colleague(options);
        let tool = colleague.tool(sample.tool).expect("a tool of the sample");
        let who = Principal::key("colleague");
        match colleague.call(tool, who, sample.arguments.clone(), false, Arc::new(Silent)).await? {
            Answer::Reply(_) => Ok(()),
            Answer::Question(question) => question.agreed().await.map(|_| ()),
        }
    }
}

/// Two writes are alike, of which the first is done and the second is lost before it arrives. What is there is not told
/// as the second: neither what the same server made just now, nor what a colleague made before.
async fn a_twin_is_not_taken_for_what_was_lost<S: Subject>() {
    let mut tried = 0;
    for kind in 0..S::marked_writes(MARK).len() {
        let calm = Scene::<S>::of(kind).await;
        if calm.marked.removes || calm.done().await.is_err() {
            continue;
        }
        calm.sandboxed.harness().journal().clear();
        if calm.done().await.is_err() || calm.times(0) != 2 {
            // There is only one of it.
            continue;
        }
        for operation in calm.written() {
            for (action, by_colleague) in [
                (Action::CloseBefore, false),
                (Action::CloseBefore, true),
                (Action::status(502), false),
                (Action::Html { code: 200 }, true),
            ] {
                let scene = Scene::<S>::of(kind).await;
                if by_colleague {
                    scene.colleague_does(&scene.marked.write).await.expect("nothing fails");
                    tokio::time::sleep(LONG_BEFORE).await;
                } else {
                    scene.done().await.expect("nothing fails");
                }
                assert_eq!(scene.times(0), 1, "{:?}", scene.marked.write);
                scene.sandboxed.harness().faults().add(Rule::new(&operation, action.clone()).always());
                let outcome = scene.done().await;
                let what = format!("{:?}, {operation} {action:?}, {by_colleague}", scene.marked.write);
                match (&outcome, scene.times(0)) {
                    (Ok(_), 2) => {}
                    (Err(error), 1) => tried += usize::from(error.kind() == Kind::UnknownOutcome),
                    (Err(error), 2) if error.kind() == Kind::UnknownOutcome => {}
                    (outcome, times) => panic!("{what}: there {times} times, and told {outcome:?}"),
                }
            }
        }
    }
    if S::marked_writes(MARK).is_empty() {
        return suite::lacks::<S>("marked_writes");
    }
    assert!(tried > 0, "no write was lost");
}

/// An update or its answer is lost, and a colleague changes the same before it is sent again. What they wrote stays.
async fn an_update_that_is_repeated_overwrites_nobody<S: Subject>() {
    let mut tried = 0;
    for kind in 0..S::marked_writes(MARK).len() {
        let calm = Scene::<S>::of(kind).await;
        let told = format!("{:?}", calm.marked.write.arguments);
        if calm.marked.removes || calm.marked.target.is_none() || !told.contains(&marker(0)) {
            continue;
        }
        calm.done().await.expect("nothing fails");
        for operation in calm.written() {
            // Of a read, which a POST may be, ours is still to come when somebody comes between.
            let mut writes = false;
            for (action, committed) in [
                (Action::CloseAfter, true),
                (Action::status(502), true),
                (Action::Html { code: 200 }, true),
                (Action::status(502), false),
                (Action::CloseBefore, false),
            ] {
                if !committed && !writes {
                    continue;
                }
                let scene = Scene::<S>::of(kind).await;
                let theirs = scene.by_another(kind);
                let rule = Rule { committed, ..Rule::new(&operation, action.clone()) };
                scene.sandboxed.harness().faults().add(rule);
                let between = async {
                    // The clock goes on when the vendor has answered, or hung up.
                    for _ in 0..10_000 {
                        if scene.is_faulted() {
                            let arrived = scene.times(0) == usize::from(committed);
                            writes |= arrived && committed;
                            return arrived && scene.colleague_does(&theirs).await.is_ok();
                        }
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    false
                };
                let (outcome, done) = join(scene.done(), between).await;
                let what = format!("{:?}, {operation} {action:?}", scene.marked.write);
                let stays = !done || scene.times(1) == 1;
                assert!(stays, "{what}: what a colleague wrote is gone; told {outcome:?}");
                assert!(scene.times(0) <= 1, "{what}: it is there twice; told {outcome:?}");
                tried += usize::from(done);
            }
        }
    }
    if S::marked_writes(MARK).iter().all(|marked| marked.target.is_none()) {
        return;
    }
    assert!(tried > 0, "nobody came between");
}
