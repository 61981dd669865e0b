//! Reviews of pull requests, and who is asked for one.

use serde_json::{Map, Value, json};

use super::{
    super::{
        errors::{ApiError, Outcome},
        ids::node_id,
        request::{FakeResponse, GitHubRequest as _, RequestContext},
    },
    guard::TrackerGuard,
    model::{Asked, Issue, Pull, Review, ReviewComment, Verdict, What},
    pull_show,
    pulls::{asked, of_number, pull_mut},
    review_comments::{self, Spot},
    rights::{self, Right},
    show::Show,
};

/// Whether somebody sees a review: a pending one is its author's alone.
pub(super) fn visible(review: &Review, viewer: &str) -> bool {
    review.state != Verdict::Pending || review.author.eq_ignore_ascii_case(viewer)
}

/// Whether somebody sees a review comment.
pub(super) fn visible_remark(pull: &Pull, remark: &ReviewComment, viewer: &str) -> bool {
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
        "state": review.state.as_str(),
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

fn shown(guard: &TrackerGuard<'_>, number: u64, id: u64) -> Outcome<Value> {
    let (issue, pull) = of_number(guard, number)?;
    let review = pull.reviews.iter().find(|review| review.id == id).ok_or_else(ApiError::not_found)?;
    Ok(show(guard.show()?, issue, review))
}

/// `GET …/reviews`: oldest first.
pub(super) fn list(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let (issue, pull) = asked(&guard, cx)?;
    let reviews: Vec<_> = pull.reviews.iter().filter(|review| visible(review, guard.viewer)).collect();
    let context = guard.show()?;
    Ok(cx.page(&reviews, |review| show(context, issue, review)))
}

/// The review of the route's `{review_id}`, if the caller sees it.
fn review_asked<'r>(guard: &'r TrackerGuard<'_>, cx: &RequestContext<'_>) -> Outcome<&'r Review> {
    let id = cx.number("review_id")?;
    let (_, pull) = asked(guard, cx)?;
    let found = pull.reviews.iter().find(|review| review.id == id && visible(review, guard.viewer));
    found.ok_or_else(ApiError::not_found)
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
pub(super) fn create(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let number = cx.number("pull_number")?;
    let (issue, pull) = of_number(&guard, number)?;
    let body = cx.object()?;
    let text = body.get("body").and_then(Value::as_str).unwrap_or_default().to_owned();
    let commit = match body.get("commit_id").and_then(Value::as_str) {
        None => pull.head_sha.clone(),
        Some(sha) => commit_of(&guard, pull, sha)?,
    };
    let event = body.get("event").and_then(Value::as_str).filter(|event| !event.is_empty());
    let state = event.map(verdict).transpose()?;
    let wanted = body.get("comments").and_then(Value::as_array).cloned().unwrap_or_default();
    let own = issue.author.eq_ignore_ascii_case(guard.viewer);
    if let Some(state) = state {
        allowed(state, own, &text, wanted.len())?;
    }
    if pending(pull, guard.viewer).is_some() {
        return Err(refused("User can only have one pending review per pull request"));
    }
    let spots = wanted
        .iter()
        .map(|row| Spot::read(&guard, number, row, &commit).map_err(|why| refused(&why.for_review())))
        .collect::<Outcome<Vec<_>>>()?;
    let texts = wanted.iter().map(comment_text).collect::<Outcome<Vec<_>>>()?;
    let id = add(&mut guard, number, state.unwrap_or(Verdict::Pending), text, commit)?;
    for (spot, text) in spots.into_iter().zip(texts) {
        review_comments::begin(&mut guard, number, id, spot, text)?;
    }
    if state.is_some() {
        answered(&mut guard, number)?;
    }
    shown(&guard, number, id).map(FakeResponse::json)
}

fn comment_text(row: &Value) -> Outcome<String> {
    let text = row["body"].as_str().filter(|text| !text.trim().is_empty());
    text.map(str::to_owned).ok_or_else(|| refused("Body can't be blank"))
}

/// The full id of a commit that is part of a pull request.
pub(super) fn commit_of(guard: &TrackerGuard<'_>, pull: &Pull, sha: &str) -> Outcome<String> {
    let show = guard.show()?;
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
    guard: &mut TrackerGuard<'_>,
    number: u64,
    state: Verdict,
    body: String,
    commit: String,
) -> Outcome<u64> {
    let id = guard.state.next_id();
    let (author, now) = (guard.viewer.to_owned(), guard.now.clone());
    let submitted_at = (state != Verdict::Pending).then(|| now.clone());
    let pull = pull_mut(guard, number)?;
    pull.reviews.push(Review { id, author, state, body, commit, created_at: now, submitted_at });
    Ok(id)
}

/// Who has reviewed is no longer asked to; the pull request was changed.
fn answered(guard: &mut TrackerGuard<'_>, number: u64) -> Outcome<()> {
    let (viewer, now) = (guard.viewer.to_owned(), guard.now.clone());
    let issue = guard.issue_mut(number)?;
    issue.updated_at = now;
    if let Some(pull) = &mut issue.pull {
        pull.requested.retain(|asked| *asked != Asked::Person(viewer.clone()));
    }
    Ok(())
}

fn review_mut<'r>(guard: &'r mut TrackerGuard<'_>, number: u64, id: u64) -> Outcome<&'r mut Review> {
    let reviews = &mut pull_mut(guard, number)?.reviews;
    reviews.iter_mut().find(|review| review.id == id).ok_or_else(ApiError::not_found)
}

/// `DELETE …/reviews/{review_id}`: a pending one, with its comments.
pub(super) fn delete(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let review = review_asked(&guard, cx)?;
    if review.state != Verdict::Pending {
        return Err(ApiError::unprocessable("Can not delete a non-pending pull request review"));
    }
    let (number, id) = (cx.number("pull_number")?, review.id);
    let before = shown(&guard, number, id)?;
    let pull = pull_mut(&mut guard, number)?;
    pull.reviews.retain(|review| review.id != id);
    for thread in &mut pull.threads {
        thread.remarks.retain(|remark| remark.review != id);
    }
    pull.threads.retain(|thread| !thread.remarks.is_empty());
    Ok(FakeResponse::json(before))
}

/// `POST …/reviews/{review_id}/events`: submits a pending one.
pub(super) fn submit(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let number = cx.number("pull_number")?;
    let review = review_asked(&guard, cx)?.clone();
    if !review.author.eq_ignore_ascii_case(guard.viewer) {
        return Err(ApiError::not_found());
    }
    let body = cx.object()?;
    let event = body.get("event").and_then(Value::as_str);
    let event =
        event.ok_or_else(|| ApiError::unprocessable("Invalid request.\n\n\"event\" wasn't supplied."))?;
    let state = verdict(event)?;
    if review.state != Verdict::Pending {
        return Err(refused("Can not submit a review that is not pending"));
    }
    let (issue, pull) = of_number(&guard, number)?;
    let remarks = pull.threads.iter().flat_map(|thread| &thread.remarks);
    let remarks = remarks.filter(|remark| remark.review == review.id).count();
    let text = body.get("body").and_then(Value::as_str).unwrap_or(&review.body).to_owned();
    allowed(state, issue.author.eq_ignore_ascii_case(guard.viewer), &text, remarks)?;
    let now = guard.now.clone();
    let open = review_mut(&mut guard, number, review.id)?;
    open.state = state;
    open.body = text;
    open.submitted_at = Some(now);
    answered(&mut guard, number)?;
    shown(&guard, number, review.id).map(FakeResponse::json)
}

/// `PUT …/reviews/{review_id}/dismissals`
pub(super) fn dismiss(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Push)?;
    let number = cx.number("pull_number")?;
    let review = review_asked(&guard, cx)?.clone();
    let body = cx.object()?;
    let message = body.get("message").and_then(Value::as_str).filter(|message| !message.is_empty());
    let message =
        message.ok_or_else(|| ApiError::unprocessable("Invalid request.\n\n\"message\" wasn't supplied."))?;
    if !matches!(review.state, Verdict::Approved | Verdict::ChangesRequested) {
        let word = review.state.as_str().to_lowercase();
        return Err(refused(&format!("Can not dismiss a {word} pull request review")));
    }
    review_mut(&mut guard, number, review.id)?.state = Verdict::Dismissed;
    let what = What::ReviewDismissed { review: review.id, state: review.state, message: message.to_owned() };
    guard.note_here(number, what);
    shown(&guard, number, review.id).map(FakeResponse::json)
}

/// `GET …/requested_reviewers`
pub(super) fn requested(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let (_, pull) = asked(&guard, cx)?;
    let (users, teams) = pull_show::requested(guard.show()?, pull);
    Ok(FakeResponse::json(json!({"users": users, "teams": teams})))
}

/// Who a body names: `reviewers` and `team_reviewers`.
fn named(guard: &TrackerGuard<'_>, body: &Map<String, Value>) -> Vec<Asked> {
    let list = |name: &str| -> Vec<String> {
        let rows = body.get(name).and_then(Value::as_array).into_iter().flatten();
        rows.filter_map(|row| row.as_str().map(str::to_owned)).collect()
    };
    let people = list("reviewers").into_iter().map(|login| {
        Asked::Person(guard.state.accounts.get(&login).map_or(login, |account| account.login.clone()))
    });
    people.chain(list("team_reviewers").into_iter().map(Asked::Team)).collect()
}

/// `POST …/requested_reviewers`
pub(super) fn request(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let number = cx.number("pull_number")?;
    let (issue, pull) = of_number(&guard, number)?;
    rights::need_or_own(&guard, Right::Triage, &issue.author)?;
    let wanted = named(&guard, &cx.object()?);
    let repo = guard.repository()?;
    for asked in &wanted {
        let known = match asked {
            Asked::Person(login) if login.eq_ignore_ascii_case(&issue.author) => {
                return Err(ApiError::unprocessable("Review cannot be requested from pull request author."));
            }
            Asked::Person(login) => rights::assignable(repo, login),
            Asked::Team(slug) => pull_show::team_of(&guard.state, &repo.owner, slug).is_some(),
        };
        if !known {
            return Err(ApiError::unprocessable(format!(
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the {} repository.",
                repo.full_name()
            )));
        }
    }
    let more: Vec<_> = wanted.into_iter().filter(|asked| !pull.requested.contains(asked)).collect();
    pull_mut(&mut guard, number)?.requested.extend(more.iter().cloned());
    for asked in more {
        guard.note_here(number, What::ReviewRequested(asked));
    }
    Ok(FakeResponse::created(guard.show()?.pull(guard.numbered(number)?)))
}

/// `DELETE …/requested_reviewers`
pub(super) fn unrequest(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let number = cx.number("pull_number")?;
    let (issue, pull) = of_number(&guard, number)?;
    rights::need_or_own(&guard, Right::Triage, &issue.author)?;
    let unwanted = named(&guard, &cx.object()?);
    let gone: Vec<_> = pull.requested.iter().filter(|asked| unwanted.contains(asked)).cloned().collect();
    pull_mut(&mut guard, number)?.requested.retain(|asked| !unwanted.contains(asked));
    for asked in gone {
        guard.note_here(number, What::ReviewRequestRemoved(asked));
    }
    Ok(FakeResponse::json(guard.show()?.pull(guard.numbered(number)?)))
}
