//! Reviews of pull requests, and who is asked for one.

use serde_json::{Map, Value, json};

use super::{
    super::{
        answer::Answer,
        ask::Ask,
        errors::{ApiError, Outcome},
        ids::node_id,
    },
    model::{Asked, Issue, Pull, Remark, Review, Verdict, What},
    pull_show,
    pulls::{asked, of_number, pull_mut},
    remarks::{self, Spot},
    rights::{self, Right},
    room::Room,
    show::Show,
};

/// Whether somebody sees a review: a pending one is its author's alone.
pub(super) fn visible(review: &Review, viewer: &str) -> bool {
    review.state != Verdict::Pending || review.author.eq_ignore_ascii_case(viewer)
}

/// Whether somebody sees a review comment.
pub(super) fn visible_remark(pull: &Pull, remark: &Remark, viewer: &str) -> bool {
    pull.reviews.iter().filter(|review| review.id == remark.review).all(|review| visible(review, viewer))
}

/// A review.
pub(super) fn show(show: Show<'_>, issue: &Issue, review: &Review) -> Value {
    let html = show.html(&format!("pull/{}#pullrequestreview-{}", issue.number, review.id));
    let pull = show.api(&format!("pulls/{}", issue.number));
    let mut shown = json!({
        "id": review.id,
        "node_id": node_id("PRR", review.id),
        "user": show.user(&review.author),
        "body": review.body,
        "state": review.state.word(),
        "html_url": html,
        "pull_request_url": pull,
        "author_association": show.association(&review.author),
        "_links": {"html": {"href": html}, "pull_request": {"href": pull}},
        "commit_id": review.commit,
    });
    if let Some(at) = &review.submitted_at {
        shown["submitted_at"] = json!(at);
    }
    shown
}

fn shown(room: &Room<'_>, number: u64, id: u64) -> Outcome<Value> {
    let (issue, pull) = of_number(room, number)?;
    let review = pull.reviews.iter().find(|review| review.id == id).ok_or_else(ApiError::not_found)?;
    Ok(show(room.show()?, issue, review))
}

/// `GET …/reviews`: oldest first.
pub(super) fn list(ask: &Ask<'_>) -> Outcome<Answer> {
    let room = Room::enter(ask)?;
    let (issue, pull) = asked(&room, ask)?;
    let reviews: Vec<_> = pull.reviews.iter().filter(|review| visible(review, room.viewer)).collect();
    let context = room.show()?;
    Ok(ask.page(&reviews, |review| show(context, issue, review)))
}

/// The review of the route's `{review_id}`, if the caller sees it.
fn review_asked<'r>(room: &'r Room<'_>, ask: &Ask<'_>) -> Outcome<&'r Review> {
    let id = ask.number("review_id")?;
    let (_, pull) = asked(room, ask)?;
    let found = pull.reviews.iter().find(|review| review.id == id && visible(review, room.viewer));
    found.ok_or_else(ApiError::not_found)
}

/// `GET …/reviews/{review_id}`
pub(super) fn get(ask: &Ask<'_>) -> Outcome<Answer> {
    let room = Room::enter(ask)?;
    let id = review_asked(&room, ask)?.id;
    shown(&room, ask.number("pull_number")?, id).map(Answer::json)
}

/// `GET …/reviews/{review_id}/comments`
pub(super) fn comments(ask: &Ask<'_>) -> Outcome<Answer> {
    let room = Room::enter(ask)?;
    let id = review_asked(&room, ask)?.id;
    let (issue, pull) = asked(&room, ask)?;
    let show = room.show()?;
    let threads = pull.threads.iter();
    let found: Vec<_> = threads
        .flat_map(|thread| thread.remarks.iter().map(move |remark| (thread, remark)))
        .filter(|(_, remark)| remark.review == id)
        .collect();
    Ok(ask.page(&found, |(thread, remark)| remarks::show(show, issue, thread, remark)))
}

/// 422 with a plain text as its error, as reviews have it.
pub(super) fn refused(words: &str) -> ApiError {
    let mut error = ApiError::unprocessable("Unprocessable Entity");
    error.errors.push(json!(words));
    error
}

/// The verdict of an `event`.
fn verdict(event: &str) -> Outcome<Verdict> {
    match event {
        "APPROVE" => Ok(Verdict::Approved),
        "REQUEST_CHANGES" => Ok(Verdict::ChangesRequested),
        "COMMENT" => Ok(Verdict::Commented),
        _ => Err(ApiError::unprocessable(format!(
            "Invalid request.\n\nFor 'properties/event', {event} is not a member of [\"APPROVE\", \"REQUEST_CHANGES\", \"COMMENT\"]."
        ))),
    }
}

/// Refuses a verdict that its author may not give, or that says nothing.
fn allowed(verdict: Verdict, own: bool, body: &str, remarks: usize) -> Outcome<()> {
    match verdict {
        Verdict::Approved if own => Err(refused("Can not approve your own pull request")),
        Verdict::ChangesRequested if own => Err(refused("Can not request changes on your own pull request")),
        // "Required when using `REQUEST_CHANGES` or `COMMENT`"; comments on lines alone do as well.
        Verdict::ChangesRequested | Verdict::Commented if body.trim().is_empty() && remarks == 0 => {
            let word = if verdict == Verdict::Commented { "comment" } else { "request changes on" };
            Err(refused(&format!("Could not {word} pull request review. Body is required")))
        }
        _ => Ok(()),
    }
}

/// `POST …/reviews`: with comments on lines, all in one. Without an event it stays pending.
pub(super) fn create(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let number = ask.number("pull_number")?;
    let (issue, pull) = of_number(&room, number)?;
    let body = ask.object()?;
    let text = body.get("body").and_then(Value::as_str).unwrap_or_default().to_owned();
    let commit = match body.get("commit_id").and_then(Value::as_str) {
        None => pull.head_sha.clone(),
        Some(sha) => commit_of(&room, pull, sha)?,
    };
    let event = body.get("event").and_then(Value::as_str).filter(|event| !event.is_empty());
    let state = event.map(verdict).transpose()?;
    let wanted = body.get("comments").and_then(Value::as_array).cloned().unwrap_or_default();
    let own = issue.author.eq_ignore_ascii_case(room.viewer);
    if let Some(state) = state {
        allowed(state, own, &text, wanted.len())?;
    }
    if pending(pull, room.viewer).is_some() {
        return Err(refused("User can only have one pending review per pull request"));
    }
    let spots = wanted
        .iter()
        .map(|row| Spot::read(&room, number, row, &commit).map_err(|why| refused(&why.for_review())))
        .collect::<Outcome<Vec<_>>>()?;
    let texts = wanted.iter().map(comment_text).collect::<Outcome<Vec<_>>>()?;
    let id = add(&mut room, number, state.unwrap_or(Verdict::Pending), text, commit)?;
    for (spot, text) in spots.into_iter().zip(texts) {
        remarks::begin(&mut room, number, id, spot, text)?;
    }
    if state.is_some() {
        answered(&mut room, number)?;
    }
    shown(&room, number, id).map(Answer::json)
}

fn comment_text(row: &Value) -> Outcome<String> {
    let text = row["body"].as_str().filter(|text| !text.trim().is_empty());
    text.map(str::to_owned).ok_or_else(|| refused("Body can't be blank"))
}

/// The full id of a commit that is part of a pull request.
pub(super) fn commit_of(room: &Room<'_>, pull: &Pull, sha: &str) -> Outcome<String> {
    let show = room.show()?;
    let full = show.repo.resolve(sha).filter(|full| pull_show::commits(show, pull).contains(full));
    full.ok_or_else(|| {
        ApiError::custom("PullRequestReviewComment", "commit_id", "commit_id is not part of the pull request")
    })
}

/// The review that somebody has begun and not submitted.
pub(super) fn pending<'p>(pull: &'p Pull, login: &str) -> Option<&'p Review> {
    pull.reviews
        .iter()
        .find(|review| review.state == Verdict::Pending && review.author.eq_ignore_ascii_case(login))
}

/// A new review by who asks; its id.
pub(super) fn add(
    room: &mut Room<'_>,
    number: u64,
    state: Verdict,
    body: String,
    commit: String,
) -> Outcome<u64> {
    let id = room.state.next_id();
    let (author, now) = (room.viewer.to_owned(), room.now.clone());
    let submitted_at = (state != Verdict::Pending).then(|| now.clone());
    let pull = pull_mut(room, number)?;
    pull.reviews.push(Review { id, author, state, body, commit, created_at: now, submitted_at });
    Ok(id)
}

/// Who has reviewed is no longer asked to; the pull request was changed.
fn answered(room: &mut Room<'_>, number: u64) -> Outcome<()> {
    let (viewer, now) = (room.viewer.to_owned(), room.now.clone());
    let issue = room.issue_mut(number)?;
    issue.updated_at = now;
    if let Some(pull) = &mut issue.pull {
        pull.requested.retain(|asked| *asked != Asked::Person(viewer.clone()));
    }
    Ok(())
}

fn review_mut<'r>(room: &'r mut Room<'_>, number: u64, id: u64) -> Outcome<&'r mut Review> {
    let reviews = &mut pull_mut(room, number)?.reviews;
    reviews.iter_mut().find(|review| review.id == id).ok_or_else(ApiError::not_found)
}

/// `PUT …/reviews/{review_id}`: another text.
pub(super) fn update(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let (number, id) = (ask.number("pull_number")?, review_asked(&room, ask)?.id);
    rights::need_or_own(&room, Right::Push, &review_asked(&room, ask)?.author)?;
    let body = ask.object()?;
    let text = body.get("body").and_then(Value::as_str);
    let text =
        text.ok_or_else(|| ApiError::unprocessable("Invalid request.\n\n\"body\" wasn't supplied."))?;
    text.clone_into(&mut review_mut(&mut room, number, id)?.body);
    shown(&room, number, id).map(Answer::json)
}

/// `DELETE …/reviews/{review_id}`: a pending one, with its comments.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let review = review_asked(&room, ask)?;
    if review.state != Verdict::Pending {
        return Err(ApiError::unprocessable("Can not delete a non-pending pull request review"));
    }
    let (number, id) = (ask.number("pull_number")?, review.id);
    let before = shown(&room, number, id)?;
    let pull = pull_mut(&mut room, number)?;
    pull.reviews.retain(|review| review.id != id);
    for thread in &mut pull.threads {
        thread.remarks.retain(|remark| remark.review != id);
    }
    pull.threads.retain(|thread| !thread.remarks.is_empty());
    Ok(Answer::json(before))
}

/// `POST …/reviews/{review_id}/events`: submits a pending one.
pub(super) fn submit(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let number = ask.number("pull_number")?;
    let review = review_asked(&room, ask)?.clone();
    if !review.author.eq_ignore_ascii_case(room.viewer) {
        return Err(ApiError::not_found());
    }
    let body = ask.object()?;
    let event = body.get("event").and_then(Value::as_str);
    let event =
        event.ok_or_else(|| ApiError::unprocessable("Invalid request.\n\n\"event\" wasn't supplied."))?;
    let state = verdict(event)?;
    if review.state != Verdict::Pending {
        return Err(refused("Can not submit a review that is not pending"));
    }
    let (issue, pull) = of_number(&room, number)?;
    let remarks = pull.threads.iter().flat_map(|thread| &thread.remarks);
    let remarks = remarks.filter(|remark| remark.review == review.id).count();
    let text = body.get("body").and_then(Value::as_str).unwrap_or(&review.body).to_owned();
    allowed(state, issue.author.eq_ignore_ascii_case(room.viewer), &text, remarks)?;
    let now = room.now.clone();
    let open = review_mut(&mut room, number, review.id)?;
    open.state = state;
    open.body = text;
    open.submitted_at = Some(now);
    answered(&mut room, number)?;
    shown(&room, number, review.id).map(Answer::json)
}

/// `PUT …/reviews/{review_id}/dismissals`
pub(super) fn dismiss(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    rights::need(&room, Right::Push)?;
    let number = ask.number("pull_number")?;
    let review = review_asked(&room, ask)?.clone();
    let body = ask.object()?;
    let message = body.get("message").and_then(Value::as_str).filter(|message| !message.is_empty());
    let message =
        message.ok_or_else(|| ApiError::unprocessable("Invalid request.\n\n\"message\" wasn't supplied."))?;
    if !matches!(review.state, Verdict::Approved | Verdict::ChangesRequested) {
        let word = review.state.word().to_lowercase();
        return Err(refused(&format!("Can not dismiss a {word} pull request review")));
    }
    review_mut(&mut room, number, review.id)?.state = Verdict::Dismissed;
    let what = What::ReviewDismissed { review: review.id, state: review.state, message: message.to_owned() };
    room.note_here(number, what);
    shown(&room, number, review.id).map(Answer::json)
}

/// `GET …/requested_reviewers`
pub(super) fn requested(ask: &Ask<'_>) -> Outcome<Answer> {
    let room = Room::enter(ask)?;
    let (_, pull) = asked(&room, ask)?;
    let (users, teams) = pull_show::requested(room.show()?, pull);
    Ok(Answer::json(json!({"users": users, "teams": teams})))
}

/// Who a body names: `reviewers` and `team_reviewers`.
fn named(room: &Room<'_>, body: &Map<String, Value>) -> Vec<Asked> {
    let list = |name: &str| -> Vec<String> {
        let rows = body.get(name).and_then(Value::as_array).into_iter().flatten();
        rows.filter_map(|row| row.as_str().map(str::to_owned)).collect()
    };
    let people = list("reviewers").into_iter().map(|login| {
        Asked::Person(room.state.accounts.get(&login).map_or(login, |account| account.login.clone()))
    });
    people.chain(list("team_reviewers").into_iter().map(Asked::Team)).collect()
}

/// `POST …/requested_reviewers`
pub(super) fn request(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let number = ask.number("pull_number")?;
    let (issue, pull) = of_number(&room, number)?;
    rights::need_or_own(&room, Right::Triage, &issue.author)?;
    let wanted = named(&room, &ask.object()?);
    let repo = room.repository()?;
    for asked in &wanted {
        let known = match asked {
            Asked::Person(login) if login.eq_ignore_ascii_case(&issue.author) => {
                return Err(ApiError::unprocessable("Review cannot be requested from pull request author."));
            }
            Asked::Person(login) => rights::assignable(repo, login),
            Asked::Team(slug) => pull_show::team_of(&room.state, &repo.owner, slug).is_some(),
        };
        if !known {
            return Err(ApiError::unprocessable(format!(
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the {} repository.",
                repo.full_name()
            )));
        }
    }
    let more: Vec<_> = wanted.into_iter().filter(|asked| !pull.requested.contains(asked)).collect();
    pull_mut(&mut room, number)?.requested.extend(more.iter().cloned());
    for asked in more {
        room.note_here(number, What::ReviewRequested(asked));
    }
    Ok(Answer::created(room.show()?.pull(room.numbered(number)?)))
}

/// `DELETE …/requested_reviewers`
pub(super) fn unrequest(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let number = ask.number("pull_number")?;
    let (issue, pull) = of_number(&room, number)?;
    rights::need_or_own(&room, Right::Triage, &issue.author)?;
    let unwanted = named(&room, &ask.object()?);
    let gone: Vec<_> = pull.requested.iter().filter(|asked| unwanted.contains(asked)).cloned().collect();
    pull_mut(&mut room, number)?.requested.retain(|asked| !unwanted.contains(asked));
    for asked in gone {
        room.note_here(number, What::ReviewRequestRemoved(asked));
    }
    Ok(Answer::json(room.show()?.pull(room.numbered(number)?)))
}
