//! Discussions in GraphQL. Their keys, and those of categories and comments, are their ids.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::Value;

use crate::sandbox::{
    auth::Kind,
    errors::{ApiError, Outcome},
    graphql::{actor, connection, may},
    ids::{self, node_id},
    repos::{Repository, Role},
    request::RequestContext,
    route::{read, write},
    social::discussions::{Category, Discussion, DiscussionComment, Discussions},
    state::State,
};

/// The prefixes of node ids.
const DISCUSSION: &str = "D";
const COMMENT: &str = "DC";
const CATEGORY: &str = "DIC";

pub(super) fn resolve(cx: &RequestContext<'_>, node: &Node, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let id = node.key.as_u64().unwrap_or_default();
    match node.ty.as_str() {
        "Query" if asked.field == "node" => by_id(cx, asked.text("id")?),
        "Repository" => of_repository(cx, id, asked),
        "Discussion" => discussion(cx, id, asked),
        "DiscussionComment" => comment(cx, id, asked),
        "DiscussionCategory" => category(cx, id, asked),
        "Mutation" => mutation(cx, asked),
        _ => None,
    }
}

/// A discussion, a comment or a category by its global id.
fn by_id(cx: &RequestContext<'_>, id: &str) -> Option<Outcome<Resolved>> {
    let (kind, number) = ids::parse(id)?;
    let (repo, ty) = {
        let state = cx.site.state();
        let all = &state.social.discussions;
        match kind {
            DISCUSSION => (all.get(number)?.repo, "Discussion"),
            COMMENT => (all.remark(number)?.0.repo, "DiscussionComment"),
            CATEGORY => (all.category(number)?.repo, "DiscussionCategory"),
            _ => return None,
        }
    };
    Some(may(cx, repo, read("discussions")).map(|()| Node::new(ty, number).into()))
}

fn of_repository(cx: &RequestContext<'_>, repo: u64, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let fields = ["discussion", "discussions", "discussionCategories", "hasDiscussionsEnabled"];
    if !fields.contains(&asked.field) {
        return None;
    }
    if let Err(error) = may(cx, repo, read("discussions")) {
        return Some(Err(error));
    }
    let state = cx.site.state();
    let all = &state.social.discussions;
    let categories = || all.categories.iter().filter(|category| category.repo == repo);
    Some(match asked.field {
        "hasDiscussionsEnabled" => Ok((categories().count() > 0).into()),
        "discussionCategories" => connection(
            asked,
            categories().map(|category| Node::new("DiscussionCategory", category.id)).collect(),
        ),
        "discussion" => {
            let number = asked.arg("number").as_u64().unwrap_or_default();
            let found =
                all.all.iter().find(|discussion| discussion.repo == repo && discussion.number == number);
            found.map(|discussion| Node::new("Discussion", discussion.id).into()).ok_or_else(|| {
                ApiError::missing(format!("Could not resolve to a Discussion with the number of {number}."))
            })
        }
        _ => connection(asked, listed(all, repo, asked)),
    })
}

/// The discussions of a repository in the order and of the kind that is asked for.
fn listed(all: &Discussions, repo: u64, asked: &Asked<'_>) -> Vec<Node> {
    let category = asked.text("categoryId").and_then(ids::parse).map(|(_, id)| id);
    let states: Vec<_> =
        asked.arg("states").as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fits = |discussion: &&Discussion| {
        let state = if discussion.closed.is_some() { "CLOSED" } else { "OPEN" };
        discussion.repo == repo
            && category.is_none_or(|id| discussion.category == id)
            && asked.arg("answered").as_bool().is_none_or(|answered| discussion.answer.is_some() == answered)
            && (states.is_empty() || states.contains(&state))
    };
    let mut found: Vec<_> = all.all.iter().filter(fits).collect();
    let order = asked.arg("orderBy");
    if order["field"] == "CREATED_AT" {
        found.sort_by(|one, other| one.created.cmp(&other.created));
    } else {
        found.sort_by(|one, other| one.updated.cmp(&other.updated));
    }
    if order["direction"] != "ASC" {
        found.reverse();
    }
    found.into_iter().map(|discussion| Node::new("Discussion", discussion.id)).collect()
}

fn discussion(cx: &RequestContext<'_>, id: u64, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let state = cx.site.state();
    let discussion = state.social.discussions.get(id)?;
    let repo = state.repos.get(discussion.repo)?;
    let url = repo.html_url(&format!("/discussions/{}", discussion.number));
    Some(Ok(match asked.field {
        "id" => node_id(DISCUSSION, id).into(),
        "number" => discussion.number.into(),
        "title" => discussion.title.as_str().into(),
        "body" => discussion.body.as_str().into(),
        "author" => actor(&state, &discussion.author),
        "authorAssociation" => association(&state, repo, &discussion.author).into(),
        "category" => Node::new("DiscussionCategory", discussion.category).into(),
        "repository" => Node::new("Repository", discussion.repo).into(),
        "createdAt" => discussion.created.as_str().into(),
        "updatedAt" => discussion.updated.as_str().into(),
        "locked" => discussion.locked.into(),
        "closed" => discussion.closed.is_some().into(),
        "stateReason" => match &discussion.closed {
            Some((_, reason)) => reason.as_str().into(),
            None if discussion.reopened => "REOPENED".into(),
            None => Resolved::NULL,
        },
        "upvoteCount" => discussion.upvotes.into(),
        "url" => url.into(),
        "isAnswered" => {
            let answerable = state.social.discussions.category(discussion.category)?.answerable;
            if answerable { discussion.answer.is_some().into() } else { Resolved::NULL }
        }
        "answer" => discussion.answer.as_ref().map(|(id, ..)| Node::new("DiscussionComment", *id)).into(),
        "comments" => {
            let top = discussion.comments.iter().filter(|remark| remark.reply_to.is_none());
            return Some(connection(
                asked,
                top.map(|remark| Node::new("DiscussionComment", remark.id)).collect(),
            ));
        }
        _ => Resolved::NULL,
    }))
}

fn comment(cx: &RequestContext<'_>, id: u64, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let state = cx.site.state();
    let (discussion, remark) = state.social.discussions.remark(id)?;
    let repo = state.repos.get(discussion.repo)?;
    let url = repo.html_url(&format!("/discussions/{}#discussioncomment-{id}", discussion.number));
    let answers = discussion.answer.as_ref().is_some_and(|(answer, ..)| *answer == id);
    Some(Ok(match asked.field {
        "id" => node_id(COMMENT, id).into(),
        "body" => remark.body.as_str().into(),
        "author" => actor(&state, &remark.author),
        "authorAssociation" => association(&state, repo, &remark.author).into(),
        "createdAt" => remark.created.as_str().into(),
        "discussion" => Node::new("Discussion", discussion.id).into(),
        "isAnswer" => answers.into(),
        "isMinimized" => false.into(),
        "replyTo" => remark.reply_to.map(|id| Node::new("DiscussionComment", id)).into(),
        "replies" => {
            let replies = discussion.comments.iter().filter(|reply| reply.reply_to == Some(id));
            return Some(connection(
                asked,
                replies.map(|reply| Node::new("DiscussionComment", reply.id)).collect(),
            ));
        }
        "upvoteCount" => remark.upvotes.into(),
        "url" => url.into(),
        _ => Resolved::NULL,
    }))
}

fn category(cx: &RequestContext<'_>, id: u64, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let state = cx.site.state();
    let category: &Category = state.social.discussions.category(id)?;
    Some(Ok(match asked.field {
        "id" => node_id(CATEGORY, id).into(),
        "name" => category.name.as_str().into(),
        "slug" => category.slug.as_str().into(),
        "isAnswerable" => category.answerable.into(),
        _ => Resolved::NULL,
    }))
}

fn mutation(cx: &RequestContext<'_>, asked: &Asked<'_>) -> Option<Outcome<Resolved>> {
    let input = asked.arg("input");
    let text = |key: &str| input[key].as_str().unwrap_or_default();
    let done = |id: u64| Resolved::fields([("discussion", Node::new("Discussion", id).into())]);
    let said = |id: u64| Resolved::fields([("comment", Node::new("DiscussionComment", id).into())]);
    Some(match asked.field {
        "createDiscussion" => create(cx, input).map(done),
        "updateDiscussion" => update(cx, input).map(done),
        "closeDiscussion" => change(cx, text("discussionId"), |discussion, now| {
            if discussion.closed.is_none() {
                let reason = input["reason"].as_str().unwrap_or("RESOLVED");
                discussion.closed = Some((now.to_owned(), reason.to_owned()));
            }
        })
        .map(done),
        "reopenDiscussion" => change(cx, text("discussionId"), |discussion, _| {
            discussion.reopened = discussion.closed.take().is_some();
        })
        .map(done),
        "addDiscussionComment" => add_comment(cx, input).map(said),
        "updateDiscussionComment" => update_comment(cx, input).map(said),
        "markDiscussionCommentAsAnswer" => answer(cx, text("id"), true).map(done),
        "unmarkDiscussionCommentAsAnswer" => answer(cx, text("id"), false).map(done),
        _ => return None,
    })
}

/// Something of one of our kinds, by its global id.
fn known(id: &str, kind: &str) -> Outcome<u64> {
    let missing = || ApiError::missing(format!("Could not resolve to a node with the global id of '{id}'"));
    ids::parse(id).filter(|(of, _)| *of == kind).map(|(_, number)| number).ok_or_else(missing)
}

fn gone() -> ApiError {
    ApiError::missing("Could not resolve to a node with the given global id")
}

/// What somebody is to a repository.
fn association(state: &State, repo: &Repository, login: &str) -> &'static str {
    if repo.owner.eq_ignore_ascii_case(login) {
        "OWNER"
    } else if state.accounts.is_member(&repo.owner, login) {
        "MEMBER"
    } else if repo.role(login).is_some() {
        "COLLABORATOR"
    } else {
        "NONE"
    }
}

/// The author of what is written: a user, or an app's bot.
fn author(cx: &RequestContext<'_>) -> String {
    cx.caller.login().to_owned()
}

/// Whether the caller may change what `author` wrote in a repository; an installation may, if its app can write.
fn owns(cx: &RequestContext<'_>, state: &State, repo: u64, author: &str) -> Outcome<()> {
    let login = cx.caller.login();
    let app = cx.caller.token.as_ref().is_some_and(|token| token.kind == Kind::Installation);
    let role = state.repos.get(repo).and_then(|repo| repo.role(login));
    if app || author == login || role >= Some(Role::Triage) {
        return Ok(());
    }
    Err(ApiError::forbidden(format!(
        "{login} does not have the correct permissions to execute this mutation"
    )))
}

/// A text that must not be empty.
fn needed<'v>(input: &'v Value, key: &str, name: &str) -> Outcome<&'v str> {
    let text = input[key].as_str().filter(|text| !text.trim().is_empty());
    text.ok_or_else(|| ApiError::unprocessable(format!("{name} can't be blank")))
}

fn create(cx: &RequestContext<'_>, input: &Value) -> Outcome<u64> {
    let repo = known(input["repositoryId"].as_str().unwrap_or_default(), "R")?;
    may(cx, repo, write("discussions"))?;
    let category = known(input["categoryId"].as_str().unwrap_or_default(), CATEGORY)?;
    let title = needed(input, "title", "Title")?.to_owned();
    let body = needed(input, "body", "Body")?.to_owned();
    let now = cx.site.now();
    let mut state = cx.site.state();
    let category = state.social.discussions.category(category).filter(|category| category.repo == repo);
    let category = category.ok_or_else(gone)?.id;
    let id = state.next_id();
    // Issues, pull requests and discussions share one sequence.
    let number = state.tracker.board_mut(repo).next_number();
    state.social.discussions.all.push(Discussion {
        id,
        repo,
        number,
        category,
        title,
        body,
        author: author(cx),
        created: now.clone(),
        updated: now,
        locked: false,
        closed: None,
        reopened: false,
        upvotes: 1,
        answer: None,
        comments: Vec::new(),
    });
    Ok(id)
}

/// Does something to a discussion; it was changed just now.
fn change(cx: &RequestContext<'_>, id: &str, how: impl FnOnce(&mut Discussion, &str)) -> Outcome<u64> {
    let id = known(id, DISCUSSION)?;
    let (repo, by) = {
        let state = cx.site.state();
        let discussion = state.social.discussions.get(id).ok_or_else(gone)?;
        (discussion.repo, discussion.author.clone())
    };
    may(cx, repo, write("discussions"))?;
    let now = cx.site.now();
    let mut state = cx.site.state();
    owns(cx, &state, repo, &by)?;
    let discussion = state.social.discussions.get_mut(id).ok_or_else(gone)?;
    how(discussion, &now);
    discussion.updated = now;
    Ok(id)
}

fn update(cx: &RequestContext<'_>, input: &Value) -> Outcome<u64> {
    let given = |key: &str| input[key].as_str().map(str::to_owned);
    let category = given("categoryId").map(|id| known(&id, CATEGORY)).transpose()?;
    for (key, name) in [("title", "Title"), ("body", "Body")] {
        if !input[key].is_null() {
            needed(input, key, name)?;
        }
    }
    change(cx, input["discussionId"].as_str().unwrap_or_default(), |discussion, _| {
        discussion.title = given("title").unwrap_or_else(|| discussion.title.clone());
        discussion.body = given("body").unwrap_or_else(|| discussion.body.clone());
        discussion.category = category.unwrap_or(discussion.category);
    })
}

fn add_comment(cx: &RequestContext<'_>, input: &Value) -> Outcome<u64> {
    let on = known(input["discussionId"].as_str().unwrap_or_default(), DISCUSSION)?;
    let reply_to = input["replyToId"].as_str().map(|id| known(id, COMMENT)).transpose()?;
    let repo = cx.site.state().social.discussions.get(on).ok_or_else(gone)?.repo;
    may(cx, repo, write("discussions"))?;
    let body = needed(input, "body", "Body")?.to_owned();
    let now = cx.site.now();
    let mut state = cx.site.state();
    let id = state.next_id();
    let discussion = state.social.discussions.get_mut(on).ok_or_else(gone)?;
    if discussion.locked {
        return Err(ApiError::forbidden("Discussion is locked"));
    }
    if let Some(parent) = reply_to {
        let parent = discussion.comments.iter().find(|remark| remark.id == parent).ok_or_else(gone)?;
        // Replies have no replies (docs.github.com, "Using the GraphQL API for Discussions").
        if parent.reply_to.is_some() {
            return Err(ApiError::unprocessable("Parent comment is already in a thread, cannot reply to it"));
        }
    }
    discussion.comments.push(DiscussionComment {
        id,
        author: author(cx),
        body,
        created: now.clone(),
        updated: now.clone(),
        reply_to,
        upvotes: 1,
    });
    discussion.updated = now;
    Ok(id)
}

/// The comment's discussion, if the caller may change the comment.
fn owned_comment(cx: &RequestContext<'_>, id: u64) -> Outcome<u64> {
    let (on, repo, by) = {
        let state = cx.site.state();
        let (discussion, remark) = state.social.discussions.remark(id).ok_or_else(gone)?;
        (discussion.id, discussion.repo, remark.author.clone())
    };
    may(cx, repo, write("discussions"))?;
    owns(cx, &cx.site.state(), repo, &by)?;
    Ok(on)
}

fn update_comment(cx: &RequestContext<'_>, input: &Value) -> Outcome<u64> {
    let id = known(input["commentId"].as_str().unwrap_or_default(), COMMENT)?;
    let on = owned_comment(cx, id)?;
    let body = needed(input, "body", "Body")?.to_owned();
    let now = cx.site.now();
    let mut state = cx.site.state();
    let discussion = state.social.discussions.get_mut(on).ok_or_else(gone)?;
    let remark = discussion.comments.iter_mut().find(|remark| remark.id == id).ok_or_else(gone)?;
    remark.body = body;
    remark.updated = now;
    Ok(id)
}

fn answer(cx: &RequestContext<'_>, id: &str, mark: bool) -> Outcome<u64> {
    let id = known(id, COMMENT)?;
    let (on, repo, by, answerable) = {
        let state = cx.site.state();
        let all = &state.social.discussions;
        let (discussion, _) = all.remark(id).ok_or_else(gone)?;
        let answerable = all.category(discussion.category).is_some_and(|category| category.answerable);
        (discussion.id, discussion.repo, discussion.author.clone(), answerable)
    };
    may(cx, repo, write("discussions"))?;
    if !answerable {
        return Err(ApiError::unprocessable("Discussion category does not support answers"));
    }
    let now = cx.site.now();
    let mut state = cx.site.state();
    owns(cx, &state, repo, &by)?;
    let discussion = state.social.discussions.get_mut(on).ok_or_else(gone)?;
    discussion.answer = mark.then(|| (id, now.clone(), author(cx)));
    discussion.updated = now;
    Ok(on)
}
