//! `write_discussion`: everything that is written in discussions.

use connector::catalog::reconcile::{self, Attempt, same_text};
use connector::{
    Effect, Error, Kind, Result,
    catalog::{Call, Plan, Reply, Written, edited, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{categories, category};
use crate::{
    GitHub,
    api::discussions::{Change, Discussion, DiscussionComment, DiscussionFilter},
    render,
    repo::Repo,
    resolve::{mentions::notified, text},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WriteDiscussion {
    action: Action,
    repo: Option<String>,
    number: Option<u64>,
    title: Option<String>,
    body: Option<String>,
    category: Option<String>,
    /// To reply to, update or mark
    comment_id: Option<String>,
    reason: Option<Reason>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    Create,
    Comment,
    Update,
    MarkAnswer,
    UnmarkAnswer,
    Close,
    Reopen,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Reason {
    Resolved,
    Outdated,
    Duplicate,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Resolved => "RESOLVED",
            Self::Outdated => "OUTDATED",
            Self::Duplicate => "DUPLICATE",
        }
    }
}

impl WriteDiscussion {
    /// Refuses what does not go with the action.
    fn check(&self) -> Result<()> {
        let action = self.action;
        let fits = [
            ("number", self.number.is_some(), action != Action::Create),
            ("title", self.title.is_some(), matches!(action, Action::Create | Action::Update)),
            (
                "body",
                self.body.is_some(),
                matches!(action, Action::Create | Action::Comment | Action::Update),
            ),
            ("category", self.category.is_some(), matches!(action, Action::Create | Action::Update)),
            (
                "comment_id",
                self.comment_id.is_some(),
                matches!(
                    action,
                    Action::Comment | Action::Update | Action::MarkAnswer | Action::UnmarkAnswer
                ),
            ),
            ("reason", self.reason.is_some(), action == Action::Close),
        ];
        match fits.iter().find(|(_, given, fits)| *given && !fits) {
            Some((name, ..)) => Err(Error::invalid(format!("`{name}` does not go with this `action`"))),
            None => Ok(()),
        }
    }

    /// A text that the action needs.
    fn needed<'a>(given: Option<&'a String>, name: &str) -> Result<&'a str> {
        let text = given.map(String::as_str).filter(|text| !text.trim().is_empty());
        text.ok_or_else(|| Error::invalid(format!("`{name}` is missing")))
    }
}

pub(super) async fn write_discussion(call: Call<GitHub>, arguments: WriteDiscussion) -> Result<Plan> {
    arguments.check()?;
    text::title_fits(arguments.title.as_deref().unwrap_or_default().trim())?;
    text::fits("body", arguments.body.as_deref().unwrap_or_default())?;
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    call.bounds().permits(&repo, Effect::Write)?;
    match arguments.action {
        Action::Create => create(call, repo, arguments).await,
        Action::Comment => comment(call, repo, arguments).await,
        Action::Update if arguments.comment_id.is_some() => update_comment(call, repo, arguments).await,
        Action::Update => update(call, repo, arguments).await,
        Action::MarkAnswer | Action::UnmarkAnswer => answer(call, repo, arguments).await,
        Action::Close | Action::Reopen => close(call, repo, arguments).await,
    }
}

/// The discussion that is meant, without its comments.
async fn find(call: &Call<GitHub>, repo: &Repo, number: Option<u64>) -> Result<Discussion> {
    let number = number.ok_or_else(|| Error::invalid("`number` is missing"))?;
    call.api().discussion(repo, number, 1, None).await
}

/// A comment of the repository.
async fn existing_comment(call: &Call<GitHub>, repo: &Repo, id: &str) -> Result<DiscussionComment> {
    let comment = call.api().discussion_comment(repo, id.trim()).await?;
    let place = Repo::parse(comment.discussion.repo())?;
    if !place.is(repo) {
        return Err(Error::invalid(format!("`comment_id`: that comment does not stand in {repo}")));
    }
    Ok(comment)
}

async fn create(call: Call<GitHub>, repo: Repo, arguments: WriteDiscussion) -> Result<Plan> {
    let title = WriteDiscussion::needed(arguments.title.as_ref(), "title")?.to_owned();
    let body = WriteDiscussion::needed(arguments.body.as_ref(), "body")?.to_owned();
    let wanted = WriteDiscussion::needed(arguments.category.as_ref(), "category")?;
    let known = categories(&call, &repo).await?;
    let of = category(&known, &repo, wanted)?;
    let name = one_line(&of.name);
    let mut preview = Written::new(format!("Begin a discussion in {repo}"))
        .change(format!("title \"{}\"", one_line(&title)))
        .change(format!("category {name}"))
        .change(render::characters(&body));
    let told = notified(&call, &repo, &[], &body, "").await;
    preview.changed.extend(told.clone());
    let plan = Plan::new(Reply::written(preview), move || async move {
        let attempt = Attempt::begin(call.api().upstream(), "discussion");
        let input = json!({"repositoryId": known.id, "categoryId": of.id, "title": title, "body": body});
        let sent = call.api().create_discussion(&repo, input).await.map(|made| (made.number, made.url));
        let look = || async {
            let found = made(&call, &repo, &of.id, &title, &body, &attempt).await?;
            Some((found.number, found.url))
        };
        let ((number, url), lost) = attempt.made(sent, |(_, url)| url.clone(), look).await?;
        let number = one_line(&number);
        let summary =
            reconcile::summary("GitHub", lost, &format!("began the discussion {repo}#{number} in {name}"));
        let mut written = Written::new(summary).id(number).url(url);
        written.changed.extend(told);
        Ok(Reply::written(written))
    });
    Ok(plan.harmless())
}

/// The discussion that a create began whose answer was lost, if that is certain.
async fn made(
    call: &Call<GitHub>,
    repo: &Repo,
    category: &str,
    title: &str,
    body: &str,
    attempt: &Attempt,
) -> Option<Discussion> {
    let login = call.api().viewer().await.ok()?.login;
    let filter = DiscussionFilter { category: Some(category.to_owned()), ..DiscussionFilter::default() };
    let list = call.api().discussions(repo, &filter, 10, None).await.ok()?;
    let may_be = list.discussions.nodes.iter().filter(|row| {
        row.title.trim() == title.trim()
            && row.author.login.eq_ignore_ascii_case(&login)
            && attempt.may_have_made("", &row.updated_at)
    });
    for row in may_be {
        let found = call.api().discussion(repo, row.number.parse().ok()?, 1, None).await.ok()?;
        if same_text(&found.body, body) && attempt.may_have_made(&found.url, &found.created_at) {
            return Some(found);
        }
    }
    None
}

async fn comment(call: Call<GitHub>, repo: Repo, arguments: WriteDiscussion) -> Result<Plan> {
    let body = WriteDiscussion::needed(arguments.body.as_ref(), "body")?.to_owned();
    let discussion = find(&call, &repo, arguments.number).await?;
    let number = one_line(&discussion.number);
    if discussion.locked {
        return Err(Error::new(Kind::Permission, format!("The discussion {repo}#{number} is locked"))
            .with_hint("Whoever may write in the repository can unlock it on the site"));
    }
    let mut input = json!({"discussionId": discussion.id, "body": body});
    let mut on = format!("{repo}#{number}");
    let mut under = None;
    if let Some(id) = &arguments.comment_id {
        let parent = existing_comment(&call, &repo, id).await?;
        if parent.discussion.id != discussion.id {
            return Err(Error::invalid(format!(
                "`comment_id`: that comment stands under #{}",
                one_line(&parent.discussion.number)
            )));
        }
        // Replies have no replies: a reply to one belongs under the same comment.
        let root = parent.reply_to().unwrap_or(&parent.id).to_owned();
        on.push_str(&format!(", in reply to @{}", one_line(parent.author.login())));
        input["replyToId"] = json!(root);
        under = Some(root);
    }
    let mut preview = Written::new(format!("Comment on the discussion {on}"))
        .change(format!("title \"{}\"", one_line(&discussion.title)))
        .change(render::characters(&body));
    let told = notified(&call, &repo, &[], &body, "").await;
    preview.changed.extend(told.clone());
    let plan = Plan::new(Reply::written(preview), move || async move {
        let attempt = Attempt::begin(call.api().upstream(), "discussion comment");
        let sent = call.api().add_discussion_comment(&repo, input).await.map(|made| (made.id, made.url));
        let look = || async {
            let found = said(&call, &repo, &discussion.id, under.as_deref(), &body, &attempt).await?;
            Some((found.id, discussion.url.clone()))
        };
        let ((id, url), lost) = attempt.made(sent, |(id, _)| id.clone(), look).await?;
        let id = one_line(&id);
        let summary =
            reconcile::summary("GitHub", lost, &format!("commented on the discussion {on}: comment {id}"));
        let mut written = Written::new(summary).id(id).url(url);
        written.changed.extend(told);
        Ok(Reply::written(written))
    });
    Ok(plan.harmless())
}

/// The comment that was made though the answer was lost, if that is certain.
async fn said(
    call: &Call<GitHub>,
    repo: &Repo,
    discussion: &str,
    under: Option<&str>,
    body: &str,
    attempt: &Attempt,
) -> Option<DiscussionComment> {
    let login = call.api().viewer().await.ok()?.login;
    let last = call.api().last_comments(repo, discussion).await.ok()?;
    let comments: Vec<DiscussionComment> = match under {
        Some(parent) => last.into_iter().find(|comment| comment.id == parent)?.replies.nodes,
        None => last,
    };
    comments.into_iter().rev().find(|comment| {
        comment.author.login.eq_ignore_ascii_case(&login)
            && same_text(&comment.body, body)
            && attempt.may_have_made(&comment.id, &comment.created_at)
    })
}

async fn update(call: Call<GitHub>, repo: Repo, arguments: WriteDiscussion) -> Result<Plan> {
    let discussion = find(&call, &repo, arguments.number).await?;
    let number = one_line(&discussion.number);
    let mut preview = Written::new(format!("Change the discussion {repo}#{number}"));
    let mut input = json!({"discussionId": discussion.id});
    // An old text is gone for whoever reads, though GitHub keeps its history.
    let mut harmless = true;
    if let Some(title) = arguments.title.filter(|title| *title != discussion.title) {
        if title.trim().is_empty() {
            return Err(Error::invalid("`title` is empty"));
        }
        preview =
            preview.change(format!("title \"{}\" → \"{}\"", one_line(&discussion.title), one_line(&title)));
        input["title"] = json!(title);
    }
    if let Some(body) = arguments.body.filter(|body| !same_text(body, &discussion.body)) {
        if body.trim().is_empty() {
            return Err(Error::invalid("`body` is empty"));
        }
        preview = preview.change(format!("text: {}", edited(&discussion.body, &body)));
        preview.changed.extend(notified(&call, &repo, &[], &body, &discussion.body).await);
        input["body"] = json!(body);
        harmless = false;
    }
    if let Some(name) = &arguments.category {
        let of = category(&categories(&call, &repo).await?, &repo, name)?;
        if of.id != discussion.category.id {
            preview = preview.change(format!(
                "category {} → {}",
                one_line(&discussion.category.name),
                one_line(&of.name)
            ));
            input["categoryId"] = json!(of.id);
        }
    }
    if preview.changed.is_empty() {
        return Ok(nothing(&format!("the discussion {repo}#{number} is already like that")));
    }
    let lines = preview.changed.clone();
    let seen = (discussion.title, discussion.body);
    let plan = Plan::new(Reply::written(preview), move || async move {
        let after = call.api().change_discussion(&repo, Change::Update, input).await?;
        let mut written =
            Written::new(format!("Changed the discussion {repo}#{number}.")).id(number).url(after.url);
        written.changed = lines;
        Ok(Reply::written(written))
    });
    let plan = plan.state(&seen);
    Ok(if harmless { plan.harmless() } else { plan })
}

fn nothing(why: &str) -> Plan {
    Plan::nothing(Reply::written(Written::new(format!("Nothing to change: {why}."))))
}

async fn update_comment(call: Call<GitHub>, repo: Repo, arguments: WriteDiscussion) -> Result<Plan> {
    if arguments.title.is_some() || arguments.category.is_some() {
        return Err(Error::invalid("A comment has no `title` and no `category`"));
    }
    let body = WriteDiscussion::needed(arguments.body.as_ref(), "body")?.to_owned();
    let comment = existing_comment(&call, &repo, arguments.comment_id.as_deref().unwrap_or_default()).await?;
    let on = format!("the comment {} by @{}", one_line(&comment.id), one_line(comment.author.login()));
    if same_text(&comment.body, &body) {
        return Ok(nothing(&format!("{on} already says that")));
    }
    let mut preview = Written::new(format!("Replace the text of {on}"))
        .change(format!("text: {}", edited(&comment.body, &body)));
    let told = notified(&call, &repo, &[], &body, &comment.body).await;
    preview.changed.extend(told.clone());
    Ok(Plan::new(Reply::written(preview), move || async move {
        let input = json!({"commentId": comment.id, "body": body});
        let after = call.api().change_discussion(&repo, Change::UpdateComment, input).await?;
        let mut written = Written::new(format!("Replaced the text of {on}.")).id(comment.id).url(after.url);
        written.changed.extend(told);
        Ok(Reply::written(written))
    }))
}

async fn answer(call: Call<GitHub>, repo: Repo, arguments: WriteDiscussion) -> Result<Plan> {
    let mark = arguments.action == Action::MarkAnswer;
    let id = WriteDiscussion::needed(arguments.comment_id.as_ref(), "comment_id")?;
    let comment = existing_comment(&call, &repo, id).await?;
    let number = one_line(&comment.discussion.number);
    if arguments.number.is_some_and(|wanted| wanted.to_string() != number) {
        return Err(Error::invalid(format!("`comment_id`: that comment stands under #{number}")));
    }
    if mark && !comment.discussion.category.is_answerable {
        return Err(Error::invalid(format!("{repo}#{number} is in a category without answers")));
    }
    let what = format!("the comment by @{} on {repo}#{number}", one_line(comment.author.login()));
    if comment.is_answer == mark {
        let is = if mark { "is" } else { "is not" };
        return Ok(nothing(&format!("{what} {is} the answer")));
    }
    let (would, done) = if mark { ("Mark", "Marked") } else { ("Unmark", "Unmarked") };
    let preview = Written::new(format!("{would} {what} as the answer"));
    let plan = Plan::new(Reply::written(preview), move || async move {
        let change = if mark { Change::Mark } else { Change::Unmark };
        let after = call.api().change_discussion(&repo, change, json!({"id": comment.id})).await?;
        let mut written = Written::new(format!("{done} {what} as the answer.")).id(number).url(after.url);
        if after.is_answered != Some(mark) {
            written = written.change("NOT so: GitHub reported success, but the discussion is as it was");
        }
        Ok(Reply::written(written))
    });
    Ok(plan.harmless())
}

async fn close(call: Call<GitHub>, repo: Repo, arguments: WriteDiscussion) -> Result<Plan> {
    let closes = arguments.action == Action::Close;
    let discussion = find(&call, &repo, arguments.number).await?;
    let number = one_line(&discussion.number);
    let on = format!("the discussion {repo}#{number}");
    if discussion.closed == closes {
        return Ok(nothing(&format!("{on} is {} already", if closes { "closed" } else { "open" })));
    }
    let reason = arguments.reason.unwrap_or(Reason::Resolved).as_str();
    let mut preview = Written::new(format!("{} {on}", if closes { "Close" } else { "Reopen" }))
        .change(format!("title \"{}\"", one_line(&discussion.title)));
    if closes {
        preview = preview.change(format!("as {}", reason.to_lowercase()));
    }
    let plan = Plan::new(Reply::written(preview), move || async move {
        let (change, input) = if closes {
            (Change::Close, json!({"discussionId": discussion.id, "reason": reason}))
        } else {
            (Change::Reopen, json!({"discussionId": discussion.id}))
        };
        let after = call.api().change_discussion(&repo, change, input).await?;
        let done = if after.closed {
            format!("Closed {on} as {}.", reason.to_lowercase())
        } else {
            format!("Reopened {on}.")
        };
        Ok(Reply::written(Written::new(done).id(number).url(after.url)))
    });
    Ok(plan.harmless())
}
