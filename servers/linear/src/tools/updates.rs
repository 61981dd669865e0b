//! Status updates of projects and initiatives: listed and posted.

use connector::{
    Error, Result,
    catalog::{Call, Changes, FieldValue, Page, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{FROM, Position, dates, limit, outcome, paging, projects_read::Health};
use crate::{
    Linear,
    api::updates::About,
    render,
    resolve::{self, Mentioned},
};

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::read(
            "list_status_updates",
            "List status updates",
            "Status updates of a project or an initiative in full, newest first; without either, of all projects.",
            list_status_updates,
        )
        .toolset("projects")
        .output_page::<render::projects::UpdateItem>(),
        Tool::write(
            "post_status_update",
            "Post a status update",
            "Posts a status update on a project or an initiative; its followers are notified.",
            post_status_update,
        )
        .toolset("projects")
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListStatusUpdates {
    project: Option<String>,
    initiative: Option<String>,
    since: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn list_status_updates(call: Call<Linear>, args: ListStatusUpdates) -> Result<Reply> {
    let mut filter = json!({});
    let about = match (&args.project, &args.initiative) {
        (Some(_), Some(_)) => return Err(one_of_two()),
        (None, Some(initiative)) => {
            let id = resolve::initiatives::initiative(call.names(), initiative).await?.id;
            filter["initiative"] = json!({"id": {"eq": id}});
            About::Initiative
        }
        (Some(project), None) => {
            filter["project"] = json!({"id": {"eq": call.names().project(project).await?.id}});
            About::Project
        }
        (None, None) => About::Project,
    };
    let mut window = String::new();
    if let Some(since) = &args.since {
        (filter["createdAt"], window) = dates::since(&call, "posted", since).await?;
    }
    let first = limit(args.limit, 10, 50);
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let found =
        call.api().list_updates(about, filter, position.first(first, 250), position.after.as_deref()).await?;
    let mut page = Page::new(FROM, ("status update", "status updates")).note(window);
    for update in found.nodes.iter().skip(position.skip) {
        let (row, item) = render::projects::update_row(update);
        page.push(row, &item);
    }
    Ok(Reply::page(paging::close(&call, page, position, &found)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PostStatusUpdate {
    project: Option<String>,
    initiative: Option<String>,
    health: Health,
    body: String,
}

async fn post_status_update(call: Call<Linear>, args: PostStatusUpdate) -> Result<Plan> {
    if args.body.trim().is_empty() {
        return Err(Error::invalid("`body` is empty"));
    }
    let (about, thing, key, target) = match (&args.project, &args.initiative) {
        (Some(project), None) => {
            let project = call.names().project(project).await?;
            (About::Project, format!("the project {}", one_line(&project.name)), "projectId", project.id)
        }
        (None, Some(initiative)) => {
            let initiative = resolve::initiatives::initiative(call.names(), initiative).await?;
            let thing = format!("the initiative {}", one_line(&initiative.name));
            (About::Initiative, thing, "initiativeId", initiative.id)
        }
        _ => return Err(one_of_two()),
    };
    let id = Uuid::new_v4().to_string();
    let Mentioned { text, lines: mentions } = call.names().mentions(&args.body, "").await?;
    let mut changes = Changes::default();
    changes.set(
        "health",
        FieldValue::Short(String::new()),
        FieldValue::Short(render::projects::health(args.health.as_str())),
    );
    changes.set("body", FieldValue::Long(String::new()), FieldValue::Long(text.clone()));
    let mut preview =
        Written::new(format!("Post a status update on {thing}; its members and followers are notified"));
    preview.changed = changes.wanted();
    preview.changed.extend(mentions.iter().cloned());
    let mut input = json!({"id": id, "health": args.health.as_str(), "body": text});
    input[key] = json!(target);
    let api = call.api().clone();
    let reply = Reply::written(preview).outside("update to post", None, args.body);
    Ok(Plan::new(reply, move || async move {
        let sent = api.post_update(about, input).await;
        let sent = sent.map(|payload| payload.update.filter(|_| payload.success));
        let update =
            outcome::created(sent, &format!("post the update on {thing}"), api.get_update(about, &id))
                .await?;
        let outcome = changes.outcome(|field| match field {
            "health" => FieldValue::Short(render::projects::health(&update.health)),
            _ => FieldValue::Long(update.body.clone()),
        });
        let summary = format!(
            "Posted a status update on {thing}, whose members and followers are notified: update {}",
            update.id
        );
        let mut written = Written::new(summary).id(update.id);
        written.url = update.url;
        written.changed = outcome.lines();
        written.changed.extend(mentions);
        Ok(Reply::written(written))
    }))
}

fn one_of_two() -> Error {
    Error::invalid("Give exactly one of `project` and `initiative`")
}
