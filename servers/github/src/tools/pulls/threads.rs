//! `resolve_threads`: review threads resolved or reopened, each within reach of its own repository.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line, words::counted},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    GitHub,
    api::{
        Target,
        pulls::Thread,
        reviews::{THREADS_AT_ONCE, ThreadOutcome},
    },
    repo::Repo,
    scopes,
};

/// Threads that one call resolves at most.
const MOST: usize = 50;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::write(
            "resolve_threads",
            "Resolve review threads",
            "Resolves or reopens get_pr threads.",
            resolve_threads,
        )
        .toolset("pulls")
        .scopes(scopes::REPO)
        .idempotent()
        .confirmable()
        .aliases(&[("thread_id", "thread_ids"), ("threadId", "thread_ids"), ("ids", "thread_ids")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResolveThreads {
    thread_ids: Vec<String>,
    resolved: Option<bool>,
}

/// A thread that is to change.
struct ThreadTarget {
    repo: Repo,
    id: String,
    place: String,
}

async fn resolve_threads(call: Call<GitHub>, arguments: ResolveThreads) -> Result<Plan> {
    let ResolveThreads { thread_ids, resolved } = arguments;
    let resolved = resolved.unwrap_or(true);
    let mut ids: Vec<String> = Vec::new();
    for id in thread_ids.iter().map(|id| id.trim().to_owned()) {
        if id.is_empty() || id.chars().all(|c| c.is_ascii_digit()) {
            return Err(Error::invalid(format!("`{}` is not the id of a thread", one_line(&id)))
                .with_hint("get_pr with include threads gives them; they begin with PRRT_"));
        }
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if ids.is_empty() || ids.len() > MOST {
        return Err(Error::invalid(format!("`thread_ids` takes 1 to {MOST} ids")));
    }
    let threads = find(&call, &ids).await?;
    let (word, past) = if resolved { ("Resolve", "resolved") } else { ("Reopen", "open") };
    let mut targets = Vec::new();
    let mut others = Vec::new();
    for id in ids {
        match threads.iter().find(|thread| thread.id == id) {
            None => others.push(format!("{}: there is no such thread that the token may see", one_line(&id))),
            Some(thread) => {
                let (repo, place) = (within_reach(&call, thread)?, place(thread));
                let may = if resolved { thread.viewer_can_resolve } else { thread.viewer_can_unresolve };
                if thread.is_resolved == resolved {
                    others.push(format!("{id} {place}: {past} already"));
                } else if may == Some(false) {
                    others.push(format!("{id} {place}: GitHub does not let this token change it"));
                } else {
                    targets.push(ThreadTarget { repo, id, place });
                }
            }
        }
    }
    if targets.is_empty() {
        let none = Error::not_found("There are no such review threads that the token may see")
            .with_hint("get_pr with include threads gives their ids");
        if threads.is_empty() {
            return Err(none);
        }
        let mut written =
            Written::new(format!("Nothing to change: no thread is left that could become {past}"));
        written.changed = others;
        return Ok(Plan::nothing(Reply::written(written)));
    }
    let mut preview =
        Written::new(format!("{word} {}", counted(targets.len() as u64, ("thread", "threads"))));
    preview.changed = targets.iter().map(|target| format!("{} {}", target.id, target.place)).collect();
    preview.changed.extend(others.iter().cloned());
    let many = targets.len();
    let seen: Vec<_> = targets.iter().map(|target| target.id.clone()).collect();
    let plan = Plan::new(Reply::written(preview), move || async move {
        let outcomes = set(&call, &targets, resolved).await?;
        let done =
            outcomes.iter().filter(|(_, outcome)| matches!(outcome, Ok(now) if *now == resolved)).count();
        let verb = if resolved { "Resolved" } else { "Reopened" };
        let mut written = Written::new(format!(
            "{verb} {done} of {}",
            counted(targets.len() as u64, ("thread", "threads"))
        ));
        for (id, outcome) in outcomes {
            let place =
                targets.iter().find(|target| target.id == id).map_or("", |target| target.place.as_str());
            written = written.change(match outcome {
                Ok(now) if now == resolved => format!("{id} {place}: {past}"),
                Ok(_) => format!("{id} {place}: NOT {past}, although GitHub reported success"),
                Err(error) => format!("{id} {place}: NOT {past}: {}", error.for_agent()),
            });
        }
        written.changed.extend(others);
        Ok(Reply::written(written))
    });
    Ok(plan.state(&seen).ask_of_many(many))
}

/// The threads of these ids. An id does not say whose it is, so every credential is asked, until all are
/// found.
async fn find(call: &Call<GitHub>, ids: &[String]) -> Result<Vec<Thread>> {
    // An owner whom an account's pattern fits leads to its credential.
    let owners = call.api().accounts().iter().map(|account| account.owners.replace('*', "x"));
    let mut found: Vec<Thread> = Vec::new();
    for owner in std::iter::once(None).chain(owners.map(Some)) {
        let missing: Vec<String> =
            ids.iter().filter(|id| !found.iter().any(|thread| thread.id == **id)).cloned().collect();
        if missing.is_empty() {
            break;
        }
        let scope = owner.as_deref().map_or(Target::Viewer, Target::Owner);
        for ids in missing.chunks(THREADS_AT_ONCE) {
            match call.api().threads(scope, ids).await {
                Ok(threads) => found.extend(threads),
                Err(error) if error.kind() == Kind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(found)
}

/// Changes them, as many at once as a request takes, repository by repository.
async fn set(call: &Call<GitHub>, targets: &[ThreadTarget], resolved: bool) -> Result<Vec<ThreadOutcome>> {
    let mut repos: Vec<&Repo> = Vec::new();
    for target in targets {
        if !repos.iter().any(|repo| repo.is(&target.repo)) {
            repos.push(&target.repo);
        }
    }
    let mut outcomes: Vec<ThreadOutcome> = Vec::new();
    for repo in repos {
        let ids: Vec<String> =
            targets.iter().filter(|target| target.repo.is(repo)).map(|target| target.id.clone()).collect();
        for ids in ids.chunks(THREADS_AT_ONCE) {
            match call.api().threads_set(repo, ids, resolved).await {
                Ok(done) => outcomes.extend(done),
                // What was done before must be told.
                Err(error) if !outcomes.is_empty() => {
                    let why = error.for_agent();
                    let failed = |id: &String| (id.clone(), Err(Error::new(error.kind(), why.clone())));
                    outcomes.extend(ids.iter().map(failed));
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(outcomes)
}

/// The thread's repository, if it may be written to.
fn within_reach(call: &Call<GitHub>, thread: &Thread) -> Result<Repo> {
    let repo = Repo::parse(&thread.repository.name_with_owner)?;
    call.bounds().permits(&repo, connector::Effect::Write)?;
    Ok(repo)
}

/// Where a thread is: `acme/api#485 src/worker.rs:42`.
fn place(thread: &Thread) -> String {
    let number = thread.pull_request.map_or(0, |pull| pull.number);
    let line = thread.line.or(thread.original_line).map(|line| format!(":{line}")).unwrap_or_default();
    format!("{}#{number} {}{line}", thread.repository.name_with_owner, one_line(&thread.path))
}
