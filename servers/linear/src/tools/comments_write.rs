//! Comments: added, edited, resolved, deleted.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Plan, Reply, Written, edited, excerpt, one_line,
        reconcile::{self, Seen},
        words,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::comments::{Target, comment_id, no_comment, status_update};
use crate::{
    Linear,
    api::{comments::Comment, updates::About},
    render,
    resolve::Mentioned,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddComment {
    body: String,
    issue: Option<String>,
    project: Option<String>,
    document: Option<String>,
    update: Option<String>,
    reply_to: Option<String>,
    as_user: Option<String>,
}

pub(super) async fn add_comment(call: Call<Linear>, arguments: AddComment) -> Result<Plan> {
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

fn refused(what: &str) -> Error {
    Error::new(Kind::Upstream, format!("Linear did not accept {what} and gave no reason"))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditComment {
    id: String,
    body: Option<String>,
    resolved: Option<bool>,
}

pub(super) async fn edit_comment(call: Call<Linear>, arguments: EditComment) -> Result<Plan> {
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
pub(super) struct DeleteComment {
    id: String,
}

pub(super) async fn delete_comment(call: Call<Linear>, arguments: DeleteComment) -> Result<Plan> {
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
