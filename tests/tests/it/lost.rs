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
use suite::{MARK, Marked, Options, Sample, Sandboxed, Standing, Subject, marker, with_ids};

suite::every_server!(a_twin_is_not_taken_for_what_was_lost, an_update_that_is_repeated_overwrites_nobody);

/// Before the second of two writes that are alike, if the first is a colleague's.
const LONG_BEFORE: Duration = Duration::from_secs(3_600);

/// The kinds of write that are lost here, by their places in the list: of those whose target one call makes, the first
/// of each tool and its arguments. The storm has all of them.
fn kinds<S: Subject>() -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let all = S::marked_writes(&marker(0)).into_iter().enumerate();
    let new = all.filter(|(_, marked)| {
        let arguments: Vec<_> = marked.write.arguments.keys().cloned().collect();
        marked.steps.len() <= 1 && seen.insert((marked.write.tool, arguments, marked.removes))
    });
    new.map(|(kind, _)| kind).collect()
}

/// A server and what a write is done to, and the write.
struct Scene<S> {
    sandboxed: Sandboxed<S>,
    marked: Marked,
    /// The ids of its target.
    target: Vec<String>,
}

impl<S: Subject> Scene<S> {
    /// The write of this kind.
    async fn of(kind: usize) -> Self {
        let options = Options { allow_destructive: true, ..Options::everything() };
        let sandboxed = Sandboxed::<S>::start_with(options).await;
        let mut marked = S::marked_writes(&marker(0)).swap_remove(kind);
        let target = marked.prepare(&sandboxed).await;
        sandboxed.harness().journal().clear();
        Self { sandboxed, marked, target }
    }

    /// The same write as somebody else would do it to the same target, with another marker.
    fn by_another(&self, kind: usize) -> Sample {
        let theirs = S::marked_writes(&marker(1)).swap_remove(kind).write;
        let mut theirs = with_ids(&theirs, &self.target);
        // What names the target is what made it, too.
        let made_by = self.marked.steps.iter().flat_map(|step| &step.call.arguments);
        for (name, value) in made_by {
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
    for kind in kinds::<S>() {
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

/// An update or its answer is lost, and a colleague changes the same before it is sent again. What they wrote stays. With
/// a guard against lost updates, what was not written before they wrote is not written after it.
async fn an_update_that_is_repeated_overwrites_nobody<S: Subject>() {
    let mut tried = [0, 0];
    for kind in kinds::<S>() {
        let calm = Scene::<S>::of(kind).await;
        let told = format!("{:?}", calm.marked.write.arguments);
        if calm.marked.removes || calm.marked.steps.is_empty() || !told.contains(&marker(0)) {
            continue;
        }
        // What only names its target leaves nothing of its own there.
        if !format!("{:?}", calm.by_another(kind).arguments).contains(&marker(1)) {
            continue;
        }
        calm.done().await.expect("nothing fails");
        for guarded in [false, true] {
            if guarded && calm.marked.guard.is_none() {
                continue;
            }
            for operation in calm.written() {
                tried[usize::from(guarded)] += overtaken::<S>(kind, guarded, &operation).await;
            }
        }
    }
    if S::marked_writes(MARK).iter().all(|marked| marked.steps.is_empty()) {
        return;
    }
    assert!(tried[0] > 0, "nobody came between");
    let guards = S::marked_writes(MARK).iter().any(|marked| marked.guard.is_some());
    assert!(guards || suite::lacking::<S>("outdated_write"), "no write takes a guard");
    assert!(!guards || tried[1] > 0, "nobody came between one with a guard");
}

/// The write of this kind, whose request to `operation` is lost in every way while a colleague writes; how often one
/// did.
async fn overtaken<S: Subject>(kind: usize, guarded: bool, operation: &str) -> usize {
    let mut tried = 0;
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
        let mut scene = Scene::<S>::of(kind).await;
        if guarded {
            // Some vendors tell times by the second.
            tokio::time::sleep(Duration::from_secs(60)).await;
            let write = scene.marked.guarded_now(&scene.sandboxed, &scene.target).await;
            scene.marked.write = write.expect("it takes one");
            scene.sandboxed.harness().journal().clear();
        }
        let theirs = scene.by_another(kind);
        let rule = Rule { committed, ..Rule::new(operation, action.clone()) };
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
        let what = format!("{:?}, {operation} {action:?} {committed}", scene.marked.write);
        let stays = !done || scene.times(1) == 1;
        assert!(stays, "{what}: what a colleague wrote is gone; told {outcome:?}");
        assert!(scene.times(0) <= 1, "{what}: it is there twice; told {outcome:?}");
        if guarded && done && !committed {
            assert_eq!(scene.times(0), 0, "{what}: it was written over what changed; told {outcome:?}");
            assert!(outcome.is_err(), "{what}: {outcome:?}");
        }
        if done
            && committed
            && let Err(error) = &outcome
        {
            assert_eq!(error.kind(), Kind::UnknownOutcome, "{what}: it was done: {error}");
        }
        tried += usize::from(done);
    }
    tried
}
