//! Assignees, locks and reactions.

use http::StatusCode;
use serde_json::Value;

use super::{
    super::{
        answer::Answer,
        ask::Ask,
        errors::{ApiError, Outcome},
    },
    issues::{assign, logins},
    model::{Reaction, What},
    rights::{self, Right},
    room::Room,
    show::REACTIONS,
};

/// The most assignees of an issue (docs.github.com, "Assigning issues and pull requests to other GitHub users").
const MOST_ASSIGNEES: usize = 10;

/// `GET …/assignees`: everybody whom issues may be assigned to.
pub(super) fn assignable(ask: &Ask<'_>) -> Outcome<Answer> {
    let room = Room::enter(ask)?;
    let show = room.show()?;
    let mut people: Vec<_> = show.repo.collaborators.keys().cloned().collect();
    let owner = &show.repo.owner;
    let person = show.state.accounts.get(owner).is_some_and(|account| account.kind == "User");
    if person && !people.iter().any(|login| login.eq_ignore_ascii_case(owner)) {
        people.insert(0, owner.clone());
    }
    Ok(ask.page(&people, |login| show.user(login)))
}

/// `GET …/assignees/{assignee}` and `GET …/issues/{issue_number}/assignees/{assignee}`: 204 or 404.
pub(super) fn may_be_assigned(ask: &Ask<'_>) -> Outcome<Answer> {
    let room = Room::enter(ask)?;
    if !ask.param("issue_number").is_empty() {
        room.issue(ask)?;
    }
    if rights::assignable(room.repository()?, ask.param("assignee")) {
        Ok(Answer::none())
    } else {
        Err(ApiError::not_found())
    }
}

/// `POST …/issues/{issue_number}/assignees`: adds. "Only users with push access can add assignees to an issue.
/// Assignees are silently ignored otherwise."
pub(super) fn add_assignees(ask: &Ask<'_>) -> Outcome<Answer> {
    change_assignees(ask, true)
}

/// `DELETE …/issues/{issue_number}/assignees`
pub(super) fn remove_assignees(ask: &Ask<'_>) -> Outcome<Answer> {
    change_assignees(ask, false)
}

fn change_assignees(ask: &Ask<'_>, add: bool) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let number = ask.number("issue_number")?;
    let body = ask.object()?;
    let named = body.get("assignees").map(logins).transpose()?.unwrap_or_default();
    let mut wanted = room.numbered(number)?.assignees.clone();
    let repo = room.repository()?;
    if rights::has(repo, room.viewer, Right::Triage) {
        if add {
            // Who cannot be assigned is left out without a word.
            wanted.extend(named.into_iter().filter(|login| rights::assignable(repo, login)));
            wanted.truncate(MOST_ASSIGNEES);
        } else {
            wanted.retain(|login| !named.iter().any(|one| one.eq_ignore_ascii_case(login)));
        }
        assign(&mut room, number, &wanted)?;
    }
    let shown = room.show()?.whole(room.numbered(number)?);
    Ok(if add { Answer::created(shown) } else { Answer::json(shown) })
}

/// `PUT …/issues/{issue_number}/lock`
pub(super) fn lock(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    rights::need(&room, Right::Push)?;
    let number = ask.number("issue_number")?;
    let body = ask.object()?;
    let reason = body.get("lock_reason").and_then(Value::as_str).map(str::to_owned);
    if let Some(reason) = &reason
        && !["off-topic", "too heated", "resolved", "spam"].contains(&reason.as_str())
    {
        return Err(ApiError::validation("Issue", "lock_reason", "invalid"));
    }
    let issue = room.issue_mut(number)?;
    if !issue.locked || issue.lock_reason != reason {
        issue.locked = true;
        issue.lock_reason.clone_from(&reason);
        room.note_here(number, What::Locked(reason));
    }
    Ok(Answer::none())
}

/// `DELETE …/issues/{issue_number}/lock`
pub(super) fn unlock(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    rights::need(&room, Right::Push)?;
    let number = ask.number("issue_number")?;
    let issue = room.issue_mut(number)?;
    if issue.locked {
        issue.locked = false;
        issue.lock_reason = None;
        room.note_here(number, What::Unlocked);
    }
    Ok(Answer::none())
}

/// What reactions are to.
#[derive(Clone, Copy)]
enum Target {
    Issue(u64),
    Comment(u64),
    Remark(u64),
}

/// What the route is about: `…/issues/{issue_number}/…`, `…/issues/comments/{comment_id}/…` or
/// `…/pulls/comments/{comment_id}/…`.
fn target(ask: &Ask<'_>) -> Outcome<Target> {
    Ok(if !ask.param("issue_number").is_empty() {
        Target::Issue(ask.number("issue_number")?)
    } else if ask.path.contains("/pulls/comments/") {
        Target::Remark(ask.number("comment_id")?)
    } else {
        Target::Comment(ask.number("comment_id")?)
    })
}

fn reactions<'r>(room: &'r mut Room<'_>, target: Target) -> Outcome<&'r mut Vec<Reaction>> {
    let board = room.board_mut();
    let found = match target {
        Target::Issue(number) => board.issues.get_mut(&number).map(|issue| &mut issue.reactions),
        Target::Comment(id) => {
            let mut comments = board.issues.values_mut().flat_map(|issue| &mut issue.comments);
            comments.find(|comment| comment.id == id).map(|comment| &mut comment.reactions)
        }
        Target::Remark(id) => {
            let pulls = board.issues.values_mut().filter_map(|issue| issue.pull.as_mut());
            let mut remarks = pulls.flat_map(|pull| &mut pull.threads).flat_map(|thread| &mut thread.remarks);
            remarks.find(|remark| remark.id == id).map(|remark| &mut remark.reactions)
        }
    };
    found.ok_or_else(ApiError::not_found)
}

/// `GET …/reactions`
pub(super) fn list_reactions(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let mut found = reactions(&mut room, target(ask)?)?.clone();
    if let Some(content) = ask.query("content") {
        found.retain(|reaction| reaction.content == content);
    }
    let show = room.show()?;
    Ok(ask.page(&found, |reaction| show.reaction(reaction)))
}

/// `POST …/reactions`: 201, or 200 if it is there already.
pub(super) fn react(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let target = target(ask)?;
    let body = ask.object()?;
    let content = body.get("content").and_then(Value::as_str).unwrap_or_default();
    if !REACTIONS.contains(&content) {
        return Err(ApiError::validation("Reaction", "content", "invalid"));
    }
    let id = room.state.next_id();
    let (login, now) = (room.viewer.to_owned(), room.now.clone());
    let there = reactions(&mut room, target)?;
    let known = there.iter().find(|one| one.login == login && one.content == content).cloned();
    let status = if known.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let reaction = known.unwrap_or_else(|| {
        let reaction = Reaction { id, login, content: content.to_owned(), created_at: now };
        there.push(reaction.clone());
        reaction
    });
    Ok(Answer::json(room.show()?.reaction(&reaction)).status(status))
}

/// `DELETE …/reactions/{reaction_id}`: one's own.
pub(super) fn unreact(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let id = ask.number("reaction_id")?;
    let viewer = room.viewer.to_owned();
    let there = reactions(&mut room, target(ask)?)?;
    let found = there.iter().position(|one| one.id == id && one.login == viewer);
    there.remove(found.ok_or_else(ApiError::not_found)?);
    Ok(Answer::none())
}
