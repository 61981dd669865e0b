//! What comes of itself to open pull requests: their branches move or go, what was waited for is there.

use super::{
    super::{
        Site,
        repos::git::{Git, Object},
        state::State,
    },
    merge,
    model::{Pull, Verdict, What},
};

/// Lets come what branches and checks brought to the pull requests of a repository since the last look.
pub(super) fn settle(site: &Site, state: &mut State, repo: u64, now: &str) {
    let board = state.tracker.board(repo);
    let open = |pull: &Option<Pull>| pull.is_some();
    let numbers: Vec<u64> = board
        .issues
        .values()
        .filter(|issue| issue.open && open(&issue.pull))
        .map(|issue| issue.number)
        .collect();
    for number in numbers {
        follow(state, repo, number, now);
    }
    merge::merge_what_waits(site, state, repo, now);
}

/// Follows a pull request's branches, and works out what was asked for.
fn follow(state: &mut State, repo: u64, number: u64, now: &str) {
    let Some(issue) = state.tracker.board_mut(repo).issues.get_mut(&number) else { return };
    let Some(pull) = &mut issue.pull else { return };
    if std::mem::take(&mut pull.wanted) {
        pull.weighed = Some((pull.head_sha.clone(), pull.base_sha.clone()));
    }
    let (pull, author) = (pull.clone(), issue.author.clone());
    let branch = |repo: u64, name: &str| state.repos.get(repo)?.git.branch(name).map(str::to_owned);
    let base = branch(repo, &pull.base).unwrap_or_else(|| pull.base_sha.clone());
    let head = branch(pull.head_repo, &pull.head);
    if head.as_ref() == Some(&pull.head_sha) && base == pull.base_sha {
        return;
    }
    let (head_repo, branch) = (pull.head_repo, pull.head.clone());
    let moved = head.as_ref().is_some_and(|sha| *sha != pull.head_sha);
    let stale = moved
        && state
            .repos
            .get(repo)
            .and_then(|repo| repo.protection.get(&pull.base))
            .is_some_and(|rules| rules.dismiss_stale);
    if let Some(head) = head.as_ref().filter(|_| head_repo != repo) {
        fetch(state, head_repo, repo, head);
    }
    let (first, second) = (state.next_id(), state.next_id());
    let Some(issue) = state.tracker.board_mut(repo).issues.get_mut(&number) else { return };
    let Some(pull) = &mut issue.pull else { return };
    pull.base_sha = base;
    let Some(head) = head else {
        // A pull request whose branch is deleted is closed (docs.github.com, "Deleting and restoring branches in a
        // pull request").
        issue.open = false;
        issue.closed_at = Some(now.to_owned());
        issue.closed_by = Some(author.clone());
        issue.happened(first, &author, now, What::HeadDeleted(branch));
        issue.happened(second, &author, now, What::Closed { reason: None, commit: None });
        closed(state, repo, number);
        return;
    };
    pull.head_sha = head;
    if moved {
        now.clone_into(&mut issue.updated_at);
    }
    if stale {
        for review in pull.reviews.iter_mut().filter(|review| review.state == Verdict::Approved) {
            review.state = Verdict::Dismissed;
        }
    }
}

/// A pull request is open from now on: its hidden reference follows its branch.
pub(super) fn opened(state: &mut State, repo: u64, number: u64) {
    let Some(pull) = pull_of(state, repo, number) else { return };
    let (head_repo, branch, sha) = (pull.head_repo, pull.head.clone(), pull.head_sha.clone());
    let Some(here) = state.repos.get_mut(repo) else { return };
    if head_repo != repo || !here.open_pull(number, &branch) {
        here.git.point(&format!("refs/pull/{number}/head"), &sha);
    }
}

/// A pull request is closed: nothing follows its branch any longer.
pub(super) fn closed(state: &mut State, repo: u64, number: u64) {
    if let Some(here) = state.repos.get_mut(repo) {
        here.close_pull(number);
    }
    let issue = state.tracker.board_mut(repo).issues.get_mut(&number);
    if let Some(pull) = issue.and_then(|issue| issue.pull.as_mut()) {
        pull.auto_merge = None;
        pull.queued = None;
    }
}

fn pull_of(state: &State, repo: u64, number: u64) -> Option<&Pull> {
    state.tracker.board(repo).issues.get(&number)?.pull.as_ref()
}

/// Brings a commit and everything it stands on from one repository into another.
pub(super) fn fetch(state: &mut State, from: u64, to: u64, sha: &str) {
    let Some(source) = state.repos.get(from) else { return };
    let Some(target) = state.repos.get(to) else { return };
    let mut brought = Vec::new();
    let mut open = vec![sha.to_owned()];
    let mut seen = std::collections::HashSet::new();
    while let Some(sha) = open.pop() {
        if target.git.object(&sha).is_some() || !seen.insert(sha.clone()) {
            continue;
        }
        let Some(object) = source.git.object(&sha) else { continue };
        open.extend(below(object));
        brought.push(object.clone());
    }
    if let Some(target) = state.repos.get_mut(to) {
        put_all(&mut target.git, brought);
    }
}

/// What an object stands on.
fn below(object: &Object) -> Vec<String> {
    match object {
        Object::Blob(_) => Vec::new(),
        Object::Tree(entries) => entries.iter().map(|entry| entry.sha.clone()).collect(),
        Object::Commit(commit) => {
            commit.parents.iter().chain(std::iter::once(&commit.tree)).cloned().collect()
        }
        Object::Tag(tag) => vec![tag.object.clone()],
    }
}

fn put_all(git: &mut Git, objects: Vec<Object>) {
    for object in objects {
        git.put(object);
    }
}
