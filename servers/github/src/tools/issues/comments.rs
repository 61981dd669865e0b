//! Comments added, edited, hidden, deleted, and reacted to.

use connector::catalog::reconcile::{self, Attempt, Seen, same_text};
use connector::{
    Effect, Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, edited, excerpt, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{read::moved, write::absent};
use crate::{
    GitHub,
    api::{
        comments::{Comment, Of},
        rest_issues::RestIssue,
    },
    render,
    repo::Repo,
    resolve::{mentions::notified, text},
    scopes,
};

/// Characters of a comment that a preview shows.
const SHOWN: usize = 300;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::write(
            "add_comment",
            "Add comment",
            "Comments on an issue or pull request, or replies in a review thread.",
            add_comment,
        )
        .toolset("issues")
        .scopes(scopes::REPO)
        .aliases(&[
            ("issue_number", "number"),
            ("pull_number", "number"),
            ("in_reply_to", "reply_to"),
            ("text", "body"),
        ])
        .output::<Written>(),
        Tool::destructive(
            "edit_comment",
            "Edit comment",
            "Edits, deletes, hides or reacts to a comment.",
            edit_comment,
        )
        .toolset("issues")
        .scopes(scopes::REPO)
        .idempotent()
        .aliases(&[("id", "comment_id"), ("text", "body"), ("content", "reaction")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddComment {
    repo: Option<String>,
    number: u64,
    body: String,
    /// Any comment of a review thread
    reply_to: Option<u64>,
}

async fn add_comment(call: Call<GitHub>, arguments: AddComment) -> Result<Plan> {
    let AddComment { repo, number, body, reply_to } = arguments;
    let repo = call.bounds().repo(repo.as_deref())?;
    call.bounds().permits(&repo, Effect::Write)?;
    if body.trim().is_empty() {
        return Err(Error::invalid("`body` is empty"));
    }
    text::fits("body", &body)?;
    let ticket = call.api().rest_issue(&repo, number).await.map_err(|error| absent(error, &repo, number))?;
    if let Some(error) = moved(&call, &repo, number, &ticket) {
        return Err(error);
    }
    let thread = match reply_to {
        Some(id) => Some(thread(&call, &repo, number, id).await?),
        None => None,
    };
    let on = place(&repo, &ticket, thread.as_ref());
    let mut preview = Written::new(format!("Comment on {on}")).change(render::characters(&body));
    if ticket.locked {
        preview = preview.change("the conversation is locked: only people with write access may comment");
    }
    let told = notified(&call, &repo, &[], &body, "").await;
    preview.changed.extend(told.clone());
    let name = format!("{repo}#{number}");
    let preview = Reply::written(preview).outside(name, Some(ticket.user.login()), one_line(&ticket.title));
    Ok(Plan::new(preview, move || async move {
        let attempt = Attempt::begin(call.api().upstream(), "comment");
        let root = thread.as_ref().map(|(_, root)| *root);
        let sent = match root {
            Some(root) => call.api().reply_comment(&repo, number, root, &body).await,
            None => call.api().add_comment(&repo, number, &body).await,
        };
        let look = || made(&call, &repo, number, root, &body, &attempt);
        let (comment, lost) = attempt.made(sent, |comment| comment.id.clone(), look).await?;
        let summary =
            reconcile::summary("GitHub", lost, &format!("commented on {on}: comment {}", comment.id));
        let mut done = Written::new(summary);
        if root.is_some() {
            done = done.change("the thread stays as it was: resolve_threads resolves or reopens it");
        }
        done.changed.extend(told);
        Ok(Reply::written(done.id(comment.id).url(comment.html_url)))
    }))
}

/// The comment that is replied to, and the one that began its thread: GitHub takes replies to that one only
/// (docs.github.com, "Create a reply for a review comment").
async fn thread(server: &GitHub, repo: &Repo, number: u64, id: u64) -> Result<(Comment, u64)> {
    let comment = server.api().comment(repo, Of::Review, id).await.map_err(|error| no_comment(error, id))?;
    if comment.number() != number.to_string() {
        return Err(Error::invalid(format!(
            "`reply_to`: comment {id} stands under #{}, not under #{number}",
            one_line(comment.number())
        )));
    }
    let root = comment.in_reply_to.parse().unwrap_or(id);
    Ok((comment, root))
}

/// Where a comment goes, in words.
fn place(repo: &Repo, ticket: &RestIssue, thread: Option<&(Comment, u64)>) -> String {
    let what = if ticket.is_pull() { "pull request " } else { "" };
    let mut on = format!("{what}{repo}#{} ({})", ticket.number, ticket.state());
    if let Some((comment, _)) = thread {
        // A reply goes to the end of its thread, whichever of its comments was named.
        on.push_str(&format!(
            ", in the thread on {} with @{}'s comment {}",
            one_line(&comment.path),
            one_line(comment.user.login()),
            comment.id
        ));
    }
    on
}

/// The comment that a create made whose answer was lost, if that is certain.
async fn made(
    server: &GitHub,
    repo: &Repo,
    number: u64,
    root: Option<u64>,
    body: &str,
    attempt: &Attempt,
) -> Option<Comment> {
    let login = server.api().viewer().await.ok()?.login;
    let of = if root.is_some() { Of::Review } else { Of::Conversation };
    let listed = server.api().comments_since(repo, of, number, &attempt.since()).await.ok()?;
    // The newest last.
    listed.items.into_iter().rev().find(|comment| {
        comment.user.login.eq_ignore_ascii_case(&login)
            && same_text(&comment.body, body)
            && attempt.may_have_made(&comment.id, &comment.created_at)
            && root.is_none_or(|root| comment.in_reply_to == root.to_string())
    })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EditComment {
    repo: Option<String>,
    comment_id: u64,
    kind: Option<KindOf>,
    action: Action,
    body: Option<String>,
    reaction: Option<String>,
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum KindOf {
    #[default]
    Issue,
    Review,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    #[serde(alias = "edit")]
    Update,
    Delete,
    Hide,
    React,
}

/// What GitHub takes as a reaction (docs.github.com, "About reactions").
const REACTIONS: [&str; 8] = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];
/// Why a comment is hidden: GitHub's `ReportedContentClassifiers`, the commonest first.
const REASONS: [&str; 6] = ["outdated", "resolved", "duplicate", "off_topic", "spam", "abuse"];

/// One of `words`. They stand in no schema, which every client would pay for.
fn one_of(argument: &str, given: &str, words: &[&'static str]) -> Result<&'static str> {
    let wanted = given.trim().trim_matches(':').to_lowercase().replace(['-', ' '], "_");
    let same = |word: &&&str| word.replace('-', "_") == wanted;
    words.iter().find(same).copied().ok_or_else(|| {
        Error::invalid(format!("`{argument}`: `{}` is none of GitHub's", one_line(given)))
            .with_hint(format!("Use one of {}", words.join(", ")))
    })
}

async fn edit_comment(call: Call<GitHub>, arguments: EditComment) -> Result<Plan> {
    let EditComment { repo, comment_id: id, kind, action, body, reaction, reason } = arguments;
    let repo = call.bounds().repo(repo.as_deref())?;
    call.bounds().permits(&repo, Effect::Write)?;
    let of = match kind.unwrap_or_default() {
        KindOf::Issue => Of::Conversation,
        KindOf::Review => Of::Review,
    };
    for (given, name, fits) in [
        (body.is_some(), "body", Action::Update),
        (reaction.is_some(), "reaction", Action::React),
        (reason.is_some(), "reason", Action::Hide),
    ] {
        if given && action != fits {
            return Err(Error::invalid(format!("`{name}` does not go with this `action`")));
        }
    }
    let comment = call.api().comment(&repo, of, id).await.map_err(|error| no_comment(error, id))?;
    let on = format!(
        "comment {id} by @{} on {repo}#{}",
        one_line(comment.user.login()),
        one_line(comment.number())
    );
    match action {
        Action::Update => {
            let body = body.filter(|body| !body.trim().is_empty()).ok_or_else(|| {
                Error::invalid("`body` is missing")
                    .with_hint("Give the comment's new text, or use action delete")
            })?;
            text::fits("body", &body)?;
            update(call, repo, of, id, comment, on, body).await
        }
        Action::Delete => {
            let preview = says(Written::new(format!("Delete {on}, for good")), &comment);
            let seen = comment.body;
            Ok(Plan::new(preview, move || async move {
                call.api().delete_comment(&repo, of, id).await?;
                Ok(Reply::written(Written::new(format!("Deleted {on}."))))
            })
            .state(&seen)
            .ask())
        }
        Action::Hide => {
            let reason = one_of("reason", reason.as_deref().unwrap_or(REASONS[0]), &REASONS)?;
            let preview = Written::new(format!("Hide {on}"))
                .change(format!("as {}; people can still unfold it", reason.replace('_', " ")));
            Ok(Plan::new(Reply::written(preview), move || async move {
                let reason = call.api().hide_comment(&repo, &comment.node_id, &reason.to_uppercase()).await?;
                let written = Written::new(format!("Hidden: {on}, as {}.", one_line(&reason)));
                Ok(Reply::written(written.id(id.to_string()).url(comment.html_url)))
            })
            .harmless())
        }
        Action::React => {
            let reaction = one_of("reaction", reaction.as_deref().unwrap_or_default(), &REACTIONS)?;
            let preview = Written::new(format!("React to {on}")).change(format!("with {reaction}"));
            Ok(Plan::new(Reply::written(preview), move || async move {
                let new = call.api().react(&repo, of, id, reaction).await?;
                let written = Written::new(if new {
                    format!("Reacted to {on} with {reaction}.")
                } else {
                    format!("Nothing changed: {on} had this reaction of yours, {reaction}, already.")
                });
                Ok(Reply::written(written.id(id.to_string())))
            })
            .harmless())
        }
    }
}

/// Sets a comment's text. That of somebody else is not changed without asking.
async fn update(
    call: Call<GitHub>,
    repo: Repo,
    of: Of,
    id: u64,
    comment: Comment,
    on: String,
    body: String,
) -> Result<Plan> {
    if same_text(&comment.body, &body) {
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing to change: {on} already says that."
        )))));
    }
    let mut preview =
        Written::new(format!("Edit {on}")).change(format!("body: {}", edited(&comment.body, &body)));
    let told = notified(&call, &repo, &[], &body, &comment.body).await;
    preview.changed.extend(told.clone());
    let own = match call.api().viewer().await {
        Ok(viewer) => viewer.login.eq_ignore_ascii_case(&comment.user.login),
        // An app is no user, so whose comment it is cannot be told.
        Err(_) => false,
    };
    let seen = comment.body.clone();
    let plan = Plan::new(says(preview, &comment), move || async move {
        let fresh = call.api().comment(&repo, of, id).await.map_err(|error| no_comment(error, id))?;
        if fresh.body != comment.body {
            return Err(Error::new(
                Kind::Conflict,
                format!("The text of comment {id} has changed meanwhile"),
            )
            .with_hint("Nothing was written. Read it again and decide anew"));
        }
        let send = || call.api().change_comment(&repo, of, id, &body);
        let look = || async {
            let now = call.api().comment(&repo, of, id).await?;
            Ok(if same_text(&now.body, &body) {
                Seen::Done(now)
            } else if now.body == comment.body {
                Seen::Untouched
            } else {
                Seen::Changed
            })
        };
        let (after, _) = reconcile::updated(send, look).await?;
        let mut written = Written::new(format!("Edited {on}."))
            .change(format!("body: {}", edited(&comment.body, &after.body)));
        if !same_text(&after.body, &body) {
            written = written.change("GitHub stored the text changed");
        }
        written.changed.extend(told);
        Ok(Reply::written(written.id(id.to_string()).url(after.html_url)))
    });
    let plan = plan.state(&seen);
    Ok(if own { plan.harmless() } else { plan.ask() })
}

/// A preview with the beginning of what the comment says now.
fn says(preview: Written, comment: &Comment) -> Reply {
    let (body, cut) = excerpt(comment.body.trim(), 0, SHOWN);
    let body = if cut.is_some() { format!("{body}…") } else { body };
    Reply::written(preview).outside(format!("comment {}", comment.id), Some(comment.user.login()), body)
}

/// "Not found" in words that say which ids are meant.
fn no_comment(error: Error, id: u64) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    Error::not_found(format!("There is no comment {id}, or the token may not see it")).with_hint(
        "get_issue with include comments gives the ids of a conversation, get_pr those of reviews (kind review)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_githubs_own_are_read_as_people_write_them() {
        assert_eq!(one_of("reaction", ":heart:", &REACTIONS).unwrap(), "heart");
        assert_eq!(one_of("reaction", "-1", &REACTIONS).unwrap(), "-1");
        assert_eq!(one_of("reason", "Off-topic", &REASONS).unwrap(), "off_topic");
        assert!(one_of("reaction", "", &REACTIONS).unwrap_err().for_agent().contains("hooray"));
    }
}
