//! Comments: listed, added, edited, resolved, deleted.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Plan, Reply, Tool, Written, edited, excerpt, one_line,
        reconcile::{self, Seen},
        words,
    },
    upstream::Connection,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{FROM, Position, limit, paging};
use crate::{
    Linear,
    api::{
        Partial,
        comments::Comment,
        names::Project,
        updates::{About, Update},
    },
    render,
    resolve::{self, IssueKey, Mentioned, Names, is_uuid},
};

/// Characters of one comment in a listing.
const EXCERPT: usize = 3_000;
/// Bytes of comments that surely fit into one reply.
const THREADS: usize = 24_000;
/// Characters of a comment that is read alone.
const WHOLE: usize = 24_000;

/// Characters of a comment's id in an address, and pages of comments that are looked through for it.
const ADDRESSED: usize = 8;
const PAGES: usize = 4;

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::read(
            "list_comments",
            "List comments",
            "Comments on one issue, project, document or status update (id), newest first; or one comment in full.",
            list_comments,
        )
        .toolset("comments")
        .aliases(&[
            ("issueId", "issue"),
            ("id", "issue"),
            ("projectId", "project"),
            ("documentId", "document"),
        ])
        .output_page::<Row>(),
        Tool::write(
            "add_comment",
            "Add a comment",
            "Comments on one issue, project, document or status update (id), or replies to a comment (id). \
             @displayName notifies.",
            add_comment,
        )
        .toolset("comments")
        .aliases(&[("issueId", "issue"), ("id", "issue"), ("parentId", "reply_to"), ("text", "body")])
        .output::<Written>(),
        Tool::write(
            "edit_comment",
            "Edit a comment",
            "Replaces a comment's text, or resolves (true) or reopens (false) its thread.",
            edit_comment,
        )
        .toolset("comments")
        .idempotent()
        .aliases(&[("comment", "id"), ("resolve", "resolved")])
        .output::<Written>(),
        Tool::destructive(
            "delete_comment",
            "Delete a comment",
            "Deletes a comment for good.",
            delete_comment,
        )
        .toolset("comments")
        .aliases(&[("comment", "id")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListComments {
    issue: Option<String>,
    project: Option<String>,
    document: Option<String>,
    update: Option<String>,
    comment: Option<String>,
    offset: Option<u32>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// What comments stand under.
enum Target {
    Issue(IssueKey),
    Project(Project),
    Document(String),
    Update(String),
}

impl Target {
    /// The arguments of which one names it.
    const NAMES: [&str; 4] = ["issue", "project", "document", "update"];

    /// The argument that names it.
    fn argument(&self) -> &'static str {
        match self {
            Self::Issue(_) => "issue",
            Self::Project(_) => "project",
            Self::Document(_) => "document",
            Self::Update(_) => "update",
        }
    }

    /// What to try where it has no comments.
    fn instead(&self) -> String {
        let others: Vec<String> = Self::NAMES
            .iter()
            .filter(|name| **name != self.argument())
            .map(|name| format!("`{name}`"))
            .collect();
        format!("try {} instead: each has its own comments", others.join(" or "))
    }

    /// The one that is given.
    async fn of(
        names: &Names,
        issue: Option<&String>,
        project: Option<&String>,
        document: Option<&String>,
        update: Option<&String>,
    ) -> Result<Option<Self>> {
        let mut targets = Vec::new();
        if let Some(issue) = issue {
            targets.push(Self::Issue(names.issue_key(issue).await?));
        }
        if let Some(project) = project {
            targets.push(Self::Project(names.project(project).await?));
        }
        if let Some(document) = document {
            targets.push(Self::Document(resolve::documents::document_id(names, document).await?));
        }
        if let Some(update) = update {
            targets.push(Self::Update(id_of(update, "status update")?));
        }
        let target = targets.pop();
        if !targets.is_empty() {
            return Err(Error::invalid("Give one of `issue`, `project`, `document` and `update`"));
        }
        Ok(target)
    }
}

/// A comment in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    by: String,
    at: String,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    resolved: bool,
}

async fn list_comments(call: Call<Linear>, arguments: ListComments) -> Result<Reply> {
    let ListComments { issue, project, document, update, comment, offset, limit: asked, cursor } = arguments;
    if let Some(comment) = &comment {
        return one(&call, comment, offset.unwrap_or(0) as usize).await;
    }
    let position: Position = call.open_cursor(cursor.as_deref())?.unwrap_or_default();
    let target =
        Target::of(call.names(), issue.as_ref(), project.as_ref(), document.as_ref(), update.as_ref())
            .await?
            .ok_or_else(|| {
                Error::invalid("Give one of `issue`, `project`, `document`, `update` and `comment`")
            })?;
    let first = position.first(limit(asked, 25, 100), 250);
    let after = position.after.as_deref();
    let (of, answer) = match &target {
        Target::Document(id) => {
            let Partial { data, failures } = call.api().document_comments(id, first, after).await?;
            (format!("on \"{}\"", data.title), Partial { data: data.comments, failures })
        }
        Target::Issue(key) => {
            (format!("on {key}"), call.api().comments(json!({"issue": key.to_filter()}), first, after).await?)
        }
        Target::Project(project) => (
            format!("on project \"{}\"", one_line(&project.name)),
            call.api().comments(json!({"project": {"id": {"eq": project.id}}}), first, after).await?,
        ),
        Target::Update(id) => {
            let either =
                ["projectUpdate", "initiativeUpdate"].map(|field| json!({field: {"id": {"eq": id}}}));
            (format!("on update {id}"), call.api().comments(json!({"or": either}), first, after).await?)
        }
    };
    if answer.data.nodes.is_empty() && after.is_none() {
        exists(&call, &target).await?;
    }
    Ok(listing(&call, answer, position, &of, target.instead()))
}

/// One comment, from the character `offset`.
async fn one(call: &Call<Linear>, id: &str, offset: usize) -> Result<Reply> {
    let comment = call.api().comment(&comment_id(call, id).await?).await.map_err(no_comment)?;
    let (body, note) = excerpt(comment.body.trim(), offset, WHOLE);
    let place = comment.issue.as_ref().map(|issue| format!("on {}", issue.identifier)).unwrap_or_default();
    let mut page = Page::new(FROM, ("comment", "comments")).note(place);
    let row = row(&comment, body);
    page.push(
        format!("{}\n{}", render::comment_head(&comment), render::comment_body(&comment, &row.body)),
        &row,
    );
    Ok(note.into_iter().fold(Reply::page(page), Reply::line))
}

fn row(comment: &Comment, body: String) -> Row {
    Row {
        id: comment.id.clone(),
        by: comment.author().to_owned(),
        at: comment.created_at.clone(),
        body,
        reply_to: comment.parent_id.clone(),
        resolved: comment.resolved_at.is_some(),
    }
}

/// Whether what was named is there: no comments and no issue look the same to a filter.
async fn exists(call: &Call<Linear>, target: &Target) -> Result<()> {
    match target {
        Target::Issue(key) => {
            call.names().issue(key).await?;
        }
        Target::Update(id) => {
            status_update(call, id).await?;
        }
        // It was found by name, or its comments were read through it.
        Target::Project(_) | Target::Document(_) => {}
    }
    Ok(())
}

/// The status update with this id, and whether it is one of a project or of an initiative.
async fn status_update(call: &Call<Linear>, id: &str) -> Result<(About, Update)> {
    for about in [About::Project, About::Initiative] {
        match call.api().get_update(about, id).await {
            Ok(update) => return Ok((about, update)),
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::not_found(format!("Linear has no status update {id}"))
        .with_hint("list_status_updates gives the ids"))
}

fn listing(
    call: &Call<Linear>,
    answer: Partial<Connection<Comment>>,
    position: Position,
    of: &str,
    instead: String,
) -> Reply {
    let notes = answer.notes();
    let connection = answer.data;
    let threads = by_thread(&connection, &position);
    let order =
        if threads.is_some() { "newest thread first, each from its beginning" } else { "newest first" };
    let shown = threads.unwrap_or_else(|| connection.nodes.iter().skip(position.skip).collect());
    let note = if shown.is_empty() { of.to_owned() } else { format!("{of}, {order}") };
    let mut page = Page::new(FROM, ("comment", "comments")).note(note).instead(instead);
    for comment in shown {
        let (body, cut) = excerpt(comment.body.trim(), 0, EXCERPT);
        let all = comment.body.trim().chars().count();
        let cut =
            cut.map(|_| format!("\n[cut: {EXCERPT} of {all} characters; give `comment` for all of it]"));
        let row = row(comment, format!("{body}{}", cut.unwrap_or_default()));
        let text = render::comment_body(comment, &row.body);
        page.push(format!("{}\n{text}", render::comment_head(comment)), &row);
    }
    let page = paging::close(call, page, position, &connection);
    notes.into_iter().fold(Reply::page(page), Reply::lead)
}

/// The comments by thread, where a reply stands below what it replies to; nothing where some threads are not whole,
/// or will be cut to fit, because a cursor goes on in the order of time.
fn by_thread<'a>(connection: &'a Connection<Comment>, position: &Position) -> Option<Vec<&'a Comment>> {
    let all = &connection.nodes;
    let is_whole = position.after.is_none() && position.skip == 0 && !connection.page_info.has_next_page;
    let chars: usize = all.iter().map(|comment| comment.body.len().min(EXCERPT * 4) + 200).sum();
    if !is_whole || chars > THREADS || all.iter().all(|comment| comment.parent_id.is_none()) {
        return None;
    }
    let is_here = |id: &str| all.iter().any(|comment| comment.id == id);
    let replies = |id: &'a str| all.iter().rev().filter(move |other| other.parent_id.as_deref() == Some(id));
    let roots =
        all.iter().filter(|comment| comment.parent_id.as_deref().is_none_or(|parent| !is_here(parent)));
    Some(roots.flat_map(|root| std::iter::once(root).chain(replies(&root.id))).collect())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddComment {
    body: String,
    issue: Option<String>,
    project: Option<String>,
    document: Option<String>,
    update: Option<String>,
    reply_to: Option<String>,
    as_user: Option<String>,
}

async fn add_comment(call: Call<Linear>, arguments: AddComment) -> Result<Plan> {
    let AddComment { body, issue, project, document, update, reply_to, as_user } = arguments;
    if body.trim().is_empty() {
        return Err(Error::invalid("`body` is empty"));
    }
    let target =
        Target::of(call.names(), issue.as_ref(), project.as_ref(), document.as_ref(), update.as_ref())
            .await?;
    let id = Uuid::new_v4().to_string();
    let mentioned = call.names().mentions(&body, "").await?;
    let mut input = json!({"id": id, "body": mentioned.text});
    let mut on = match &target {
        Some(Target::Issue(key)) => {
            let issue = call.names().issue(key).await?;
            input["issueId"] = json!(issue.id);
            issue.identifier
        }
        Some(Target::Project(project)) => {
            input["projectId"] = json!(project.id);
            format!("project \"{}\"", one_line(&project.name))
        }
        Some(Target::Document(id)) => {
            let document = call.api().document_comments(id, 1, None).await?.data;
            let content = document
                .document_content_id
                .ok_or_else(|| Error::invalid("Linear does not let this document be commented on"))?;
            input["documentContentId"] = json!(content);
            format!("document \"{}\"", one_line(&document.title))
        }
        Some(Target::Update(id)) => {
            let (about, update) = status_update(&call, id).await?;
            let (field, what, of) = match about {
                About::Project => ("projectUpdateId", "project", update.project),
                About::Initiative => ("initiativeUpdateId", "initiative", update.initiative),
            };
            input[field] = json!(id);
            let of = of.map(|of| format!(" of the {what} \"{}\"", one_line(&of.name)));
            format!("status update {id}{}", of.unwrap_or_default())
        }
        None => String::new(),
    };
    if let Some(parent) = &reply_to {
        let parent = call.api().comment(&comment_id(&call, parent).await?).await.map_err(no_comment)?;
        // Linear has threads of one level: a reply to a reply belongs to the thread's first comment.
        let root = parent.parent_id.clone().unwrap_or_else(|| parent.id.clone());
        input["parentId"] = json!(root);
        place_like(&mut input, &parent)?;
        if on.is_empty() {
            on = parent
                .issue
                .as_ref()
                .map_or_else(|| "the same thread".to_owned(), |issue| issue.identifier.clone());
        }
        on.push_str(&format!(", in reply to @{}", one_line(parent.author())));
    } else if target.is_none() {
        return Err(Error::invalid("Give one of `issue`, `project`, `document`, `update` and `reply_to`"));
    }
    if let Some(name) = &as_user {
        input["createAsUser"] = json!(name);
    }
    let mut preview = Written::new(format!("Comment on {on}"))
        .change(words::counted(body.chars().count(), ("character", "characters")));
    preview.changed.extend(mentioned.lines.iter().cloned());
    Ok(Plan::new(Reply::written(preview), move || async move {
        let check = format!("Check with list_comments whether the comment {id} is there");
        let answer = call.api().add_comment(&input, check).await;
        let sent = answer.and_then(|payload| match payload.comment {
            None if !payload.success => Err(refused("the comment")),
            comment => Ok(comment.unwrap_or_default()),
        });
        // The id is ours: that it exists already means that an earlier attempt was carried out.
        let look = async { call.api().comment(&id).await.ok() };
        let (comment, _) = reconcile::created(sent, look).await?;
        let mut written = Written::new(format!("Commented on {on}: comment {id}.")).id(id);
        if !comment.url.is_empty() {
            written = written.url(render::issue_url(&comment.url));
        }
        if comment.body.trim() != input["body"].as_str().unwrap_or_default().trim() {
            written = written.change("Linear stored the text in its own Markdown, slightly changed");
        }
        written.changed.extend(mentioned.lines);
        Ok(Reply::written(written))
    }))
}

/// A reply stands where the comment stands that it replies to, and nowhere else.
fn place_like(input: &mut Value, parent: &Comment) -> Result<()> {
    let places = [
        ("issueId", parent.issue.as_ref().map(|issue| &issue.id)),
        ("projectId", parent.project.as_ref().map(|project| &project.id)),
        ("projectUpdateId", parent.project_update.as_ref().map(|update| &update.id)),
        ("initiativeUpdateId", parent.initiative_update.as_ref().map(|update| &update.id)),
        ("documentContentId", parent.document_content_id.as_ref()),
    ];
    let place = places.iter().find_map(|(field, id)| Some((*field, id.filter(|id| !id.is_empty())?)));
    let Some((field, id)) = place else { return Ok(()) };
    let Some(fields) = input.as_object_mut() else { return Ok(()) };
    let given = places.iter().filter_map(|(field, _)| fields.remove(*field)).next();
    if given.is_some_and(|given| given != json!(id)) {
        return Err(Error::invalid("The comment to reply to stands elsewhere")
            .with_hint("With `reply_to` leave out `issue`, `project`, `document` and `update`"));
    }
    fields.insert(field.to_owned(), json!(id));
    Ok(())
}

/// The id of a comment, or of the one that an address means: `…/issue/ENG-12/x#comment-1a2b3c4d` has the beginning of it.
async fn comment_id(call: &Call<Linear>, text: &str) -> Result<String> {
    let Some((address, begins)) = text.trim().split_once("#comment-") else { return id_of(text, "comment") };
    if begins.len() < ADDRESSED || !begins.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        return id_of(text, "comment");
    }
    let key = call.names().issue_key(address).await?;
    // An address may leave the hyphens out.
    let plain = |id: &str| id.to_lowercase().replace('-', "");
    let begins = plain(begins);
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let filter = json!({"issue": key.to_filter()});
        let page = call.api().comments(filter, 250, after.as_deref()).await?.data;
        if let Some(found) = page.nodes.iter().find(|comment| plain(&comment.id).starts_with(&begins)) {
            return Ok(found.id.clone());
        }
        after = page.next(after.as_deref()).map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    Err(Error::not_found(format!("{key} has no comment whose id begins with {}", one_line(&begins)))
        .with_hint("list_comments gives the ids"))
}

/// A UUID that names a comment or a status update.
fn id_of(id: &str, what: &str) -> Result<String> {
    let id = id.trim();
    if is_uuid(id) {
        return Ok(id.to_lowercase());
    }
    Err(Error::invalid(format!("`{}` is not the id of a {what}", one_line(id)))
        .with_hint("Use the id from a listing"))
}

fn no_comment(error: Error) -> Error {
    if error.kind() == Kind::NotFound {
        return Error::not_found("Linear has no such comment").with_hint("list_comments gives the ids");
    }
    error
}

fn refused(what: &str) -> Error {
    Error::new(Kind::Upstream, format!("Linear did not accept {what} and gave no reason"))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EditComment {
    id: String,
    body: Option<String>,
    resolved: Option<bool>,
}

async fn edit_comment(call: Call<Linear>, arguments: EditComment) -> Result<Plan> {
    let EditComment { id, body, resolved } = arguments;
    let id = comment_id(&call, &id).await?;
    if body.as_deref().is_some_and(|body| body.trim().is_empty()) {
        return Err(Error::invalid("`body` is empty").with_hint("To remove a comment use delete_comment"));
    }
    if body.is_none() && resolved.is_none() {
        return Err(Error::invalid("Give `body` or `resolved`"));
    }
    let before = call.api().comment(&id).await.map_err(no_comment)?;
    let is_others = before.user.as_ref().is_some_and(|user| !user.is_me);
    if body.is_some() && is_others {
        let author = one_line(before.author());
        return Err(Error::new(
            Kind::Permission,
            format!("The comment is by @{author}: in Linear people can edit only their own comments"),
        )
        .with_hint("Nothing was sent. Reply to it with add_comment"));
    }
    // A thread is resolved by its first comment.
    let thread = match &before.parent_id {
        Some(root) if resolved.is_some() => call.api().comment(root).await.map_err(no_comment)?,
        _ => before.clone(),
    };
    let mentioned = match &body {
        Some(body) => call.names().mentions(body, &before.body).await?,
        None => Mentioned::default(),
    };
    let body = body.map(|_| mentioned.text).filter(|body| body.trim() != before.body.trim());
    let resolved = resolved.filter(|resolved| *resolved != thread.resolved_at.is_some());
    let place = before.issue.as_ref().map(|issue| format!(" on {}", issue.identifier)).unwrap_or_default();
    let what = format!("the comment of @{}{place}", one_line(before.author()));
    if body.is_none() && resolved.is_none() {
        return Ok(Plan::nothing(Reply::written(
            Written::new(format!("Nothing to change in {what}.")).id(id),
        )));
    }
    let mut preview = Written::new(format!("Edit {what}"));
    if let Some(body) = &body {
        preview = preview.change(format!("text: {}", edited(&before.body, body)));
        preview.changed.extend(mentioned.lines);
    }
    if let Some(resolved) = resolved {
        let mut line = if resolved { "thread resolved" } else { "thread reopened" }.to_owned();
        if thread.id != before.id {
            line.push_str(&format!(
                ", by its first comment {}, of @{}",
                thread.id,
                one_line(thread.author())
            ));
        }
        preview = preview.change(line);
    }
    let changes = preview.changed.clone();
    Ok(Plan::new(Reply::written(preview), move || async move {
        let check = format!("Check the comment {id} with list_comments");
        let mut url = before.url.clone();
        if let Some(body) = body {
            let send = || async {
                let payload = call.api().edit_comment(&id, &json!({"body": body}), check.clone()).await?;
                payload.comment.ok_or_else(|| refused("the text"))
            };
            let look = || async {
                let now = call.api().comment(&id).await?;
                Ok(if reconcile::same_text(&now.body, &body) {
                    Seen::Done(now)
                } else if now.body == before.body {
                    Seen::Untouched
                } else {
                    Seen::Changed
                })
            };
            let (after, _) = reconcile::updated(send, look).await?;
            url = after.url;
        }
        if let Some(resolved) = resolved {
            let payload = call.api().resolve_comment(&thread.id, resolved, check).await?;
            let after = payload.comment.ok_or_else(|| refused("the change of the thread"))?;
            if after.resolved_at.is_some() != resolved {
                return Err(refused("the change of the thread"));
            }
        }
        let mut written = Written::new(format!("Changed {what}.")).id(id);
        written.changed = changes;
        Ok(Reply::written(if url.is_empty() { written } else { written.url(render::issue_url(&url)) }))
    }))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteComment {
    id: String,
}

async fn delete_comment(call: Call<Linear>, arguments: DeleteComment) -> Result<Plan> {
    let id = comment_id(&call, &arguments.id).await?;
    let comment = call.api().comment(&id).await.map_err(no_comment)?;
    let place = comment.issue.as_ref().map(|issue| format!(" on {}", issue.identifier)).unwrap_or_default();
    let what = format!("the comment of @{}{place}", one_line(comment.author()));
    let (text, cut) = excerpt(&comment.body, 0, 500);
    let mut preview =
        Reply::new(format!("Delete {what}, for good:")).outside("comment", Some(comment.author()), text);
    if cut.is_some() {
        preview = preview.line("[The rest is not shown here.]");
    }
    let seen = comment.body.clone();
    Ok(Plan::new(preview, move || async move {
        let check = format!("Check with list_comments whether the comment {id} is gone");
        let deleted = call.api().delete_comment(&id, check).await;
        let deleted = deleted.and_then(|done| if done { Ok(()) } else { Err(refused("the deletion")) });
        // It was there a moment ago: what is not there now is deleted.
        let look = async {
            let now = call.api().comment(&id).await;
            now.is_err_and(|error| error.kind() == Kind::NotFound).then_some(())
        };
        reconcile::created(deleted, look).await?;
        Ok(Reply::written(Written::new(format!("Deleted {what}.")).id(id)))
    })
    .state(&seen))
}
