//! The fields of `Mutation`. Each checks all of its input before it changes anything, and runs under
//! one lock: a mutation happens whole or not at all.

mod attachments;
mod comments;
mod documents;
mod initiatives;
mod issues;
mod labels;
mod mentions;
mod moves;
mod notifications;
mod projects;
mod relations;
mod webhooks;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Site,
    auth::Caller,
    errors::{ApiError, Outcome},
    execute::Context,
    fields::View,
    store::{Row, State, flag, new_id, text},
    time::Now,
    uploads,
};

/// What a mutation works with.
pub(super) struct Change<'a> {
    state: &'a mut State,
    now: &'a Now,
    caller: &'a Caller,
    site: &'a Site,
}

/// Runs one mutation; the answer is its payload's row.
pub(super) fn run(cx: &Context<'_>, name: &str, args: &Row) -> Outcome<Row> {
    let mut state = cx.state();
    let args = &with_times(args, cx.now)?;
    let mut change = Change { state: &mut state, now: cx.now, caller: cx.caller, site: cx.site };
    let mut payload = change.dispatch(name, args)?;
    payload.insert("success".to_owned(), json!(true));
    payload.insert("lastSyncId".to_owned(), json!(state.revision()));
    Ok(payload)
}

impl Change<'_> {
    fn dispatch(&mut self, name: &str, args: &Row) -> Outcome<Row> {
        let id = text(args, "id").unwrap_or_default();
        let empty = Row::new();
        let input = args.get("input").and_then(Value::as_object).unwrap_or(&empty);
        match name {
            "issueCreate" => self.issue_create(input),
            "issueBatchCreate" => self.issue_batch_create(input),
            "issueUpdate" => self.issue_update(id, input),
            "issueBatchUpdate" => self.issue_batch_update(args, input),
            "issueArchive" => self.issue_archive(id, flag(args, "trash")),
            "issueUnarchive" => self.issue_unarchive(id),
            "issueDelete" => self.issue_delete(id, flag(args, "permanentlyDelete")),
            "issueAddLabel" => {
                self.issue_label(id, text(args, "labelId").unwrap_or_default(), "addedLabelIds")
            }
            "issueRemoveLabel" => {
                self.issue_label(id, text(args, "labelId").unwrap_or_default(), "removedLabelIds")
            }
            "issueRelationCreate" => self.relation_create(input),
            "issueRelationUpdate" => self.relation_update(id, input),
            "issueRelationDelete" => self.delete("IssueRelation", id),
            "issueLabelCreate" => self.label_create(input),
            "issueLabelUpdate" => self.label_update(id, input),
            "issueLabelRetire" => self.label_retire(id, true),
            "issueLabelRestore" => self.label_retire(id, false),
            "issueLabelDelete" => self.label_delete(id),
            "commentCreate" => self.comment_create(input),
            "commentUpdate" => self.comment_update(id, input, flag(args, "skipEditedAt")),
            "commentDelete" => self.comment_delete(id),
            "commentResolve" => self.comment_resolve(id, text(args, "resolvingCommentId")),
            "commentUnresolve" => self.comment_unresolve(id),
            "attachmentCreate" => self.attachment_create(input),
            "attachmentLinkURL" => self.attachment_link(args),
            "attachmentLinkGitHubPR" => self.attachment_link_pull_request(args),
            "attachmentUpdate" => self.attachment_update(id, input),
            "attachmentDelete" => self.delete("Attachment", id),
            "projectCreate" => self.project_create(input),
            "projectUpdate" => self.project_update(id, input),
            "projectArchive" => self.archive("Project", id, flag(args, "trash")),
            "projectDelete" => self.archive("Project", id, true),
            "projectUnarchive" => self.unarchive("Project", id),
            "projectMilestoneCreate" => self.milestone_create(input),
            "projectMilestoneUpdate" => self.milestone_update(id, input),
            "projectMilestoneDelete" => self.milestone_delete(id),
            "projectUpdateCreate" => self.status_update_create("ProjectUpdate", input),
            "projectUpdateUpdate" => self.status_update_update("ProjectUpdate", id, input),
            "projectUpdateArchive" => self.archive("ProjectUpdate", id, false),
            "projectUpdateUnarchive" => self.unarchive("ProjectUpdate", id),
            "initiativeCreate" => self.initiative_create(input),
            "initiativeUpdate" => self.initiative_update(id, input),
            "initiativeArchive" => self.archive("Initiative", id, false),
            "initiativeUnarchive" => self.unarchive("Initiative", id),
            "initiativeDelete" => {
                self.archive("Initiative", id, true)?;
                Ok(entity_id(id))
            }
            "initiativeToProjectCreate" => self.initiative_link(input),
            "initiativeToProjectDelete" => self.delete("InitiativeToProject", id),
            "initiativeUpdateCreate" => self.status_update_create("InitiativeUpdate", input),
            "initiativeUpdateUpdate" => self.status_update_update("InitiativeUpdate", id, input),
            "initiativeUpdateArchive" => self.archive("InitiativeUpdate", id, false),
            "initiativeUpdateUnarchive" => self.unarchive("InitiativeUpdate", id),
            "documentCreate" => self.document_create(input),
            "documentUpdate" => self.document_update(id, input),
            "documentDelete" => self.archive("Document", id, true),
            "documentUnarchive" => self.unarchive("Document", id),
            "notificationUpdate" => self.notification_update(id, input),
            "notificationArchive" => self.notification_archive(id, true),
            "notificationUnarchive" => self.notification_archive(id, false),
            "webhookCreate" => self.webhook_create(input),
            "webhookUpdate" => self.webhook_update(id, input),
            "webhookDelete" => self.webhook_delete(id),
            "fileUpload" => {
                let organization = self.state.organization().and_then(|row| text(row, "id"));
                uploads::place(self.site, organization.unwrap_or_default(), args)
            }
            other => Err(ApiError::internal(format!("the sandbox does not know the mutation {other}"))),
        }
    }

    fn view(&self) -> View<'_> {
        View { state: self.state, now: self.now, viewer: &self.caller.user }
    }

    /// A new row with its id, which the client may choose, and its dates.
    fn fresh(&self, ty: &str, input: &Row) -> Outcome<Row> {
        let id = match text(input, "id") {
            None => new_id(),
            Some(id) => {
                uuid("id", id)?;
                if self.state.get(ty, id).is_some() {
                    return Err(ApiError::refused(
                        format!("conflict on insert of {ty}"),
                        format!("Entity {ty} with id {id} already exists."),
                    ));
                }
                id.to_owned()
            }
        };
        let now = self.now.iso();
        let mut row = Row::new();
        row.insert("id".to_owned(), json!(id));
        row.insert(
            "createdAt".to_owned(),
            text(input, "createdAt").map_or_else(|| json!(now), |at| json!(at)),
        );
        row.insert("updatedAt".to_owned(), json!(now));
        Ok(row)
    }

    /// Checks an id in `input` that must name a row of `ty`; absent and null pass.
    fn reference(&self, input: &Row, key: &str, ty: &str) -> Outcome<Option<Arc<Row>>> {
        let Some(id) = text(input, key) else { return Ok(None) };
        uuid(key, id)?;
        self.state.expect(ty, id).cloned().map(Some)
    }

    /// The same for a list of ids.
    fn references(&self, input: &Row, key: &str, ty: &str) -> Outcome<Vec<Arc<Row>>> {
        let ids = input.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut rows = Vec::new();
        for id in ids.iter().filter_map(Value::as_str) {
            uuid(key, id)?;
            rows.push(Arc::clone(self.state.expect(ty, id)?));
        }
        Ok(rows)
    }

    /// Takes a row away for good.
    fn delete(&mut self, ty: &'static str, id: &str) -> Outcome<Row> {
        self.state.remove(ty, id)?;
        Ok(entity_id(id))
    }

    /// Hides a row; with `trash` it is in the bin, to be deleted after 30 days.
    fn archive(&mut self, ty: &'static str, id: &str, trash: bool) -> Outcome<Row> {
        let id = text(self.state.by_slug(ty, id)?, "id").unwrap_or_default().to_owned();
        let at = self.now.iso();
        self.state.update(ty, &id, self.now, |row| {
            row.insert("archivedAt".to_owned(), json!(at));
            if trash {
                row.insert("trashed".to_owned(), json!(true));
            }
        })?;
        Ok(payload("entity", &id))
    }

    /// Brings a row back.
    fn unarchive(&mut self, ty: &'static str, id: &str) -> Outcome<Row> {
        let id = text(self.state.by_slug(ty, id)?, "id").unwrap_or_default().to_owned();
        self.state.update(ty, &id, self.now, |row| {
            row.insert("archivedAt".to_owned(), Value::Null);
            row.insert("trashed".to_owned(), Value::Null);
        })?;
        Ok(payload("entity", &id))
    }
}

/// The arguments with every time in Linear's own form; refuses what is none.
fn with_times(args: &Row, now: &Now) -> Outcome<Row> {
    let mut timed = Row::new();
    for (key, value) in args {
        let value = match value {
            Value::Object(input) => Value::Object(with_times(input, now)?),
            Value::String(at) if key.ends_with("At") => {
                let moment = at.parse::<jiff::Timestamp>().ok().and_then(|_| now.moment(at));
                json!(moment.ok_or_else(|| ApiError::invalid(format!(
                    "{key} must be a valid ISO 8601 date string."
                )))?)
            }
            other => other.clone(),
        };
        timed.insert(key.clone(), value);
    }
    Ok(timed)
}

/// A payload whose `field` leads to the row `id`.
fn payload(field: &str, id: &str) -> Row {
    let mut row = Row::new();
    row.insert(format!("{field}Id"), json!(id));
    row
}

/// The payload of what no longer exists.
fn entity_id(id: &str) -> Row {
    let mut row = Row::new();
    row.insert("entityId".to_owned(), json!(id));
    row
}

/// Copies the fields `keys` that `input` has, nulls included.
fn copy(row: &mut Row, input: &Row, keys: &[&str]) {
    for key in keys {
        if let Some(value) = input.get(*key) {
            row.insert((*key).to_owned(), value.clone());
        }
    }
}

/// Refuses what is not a UUID.
fn uuid(key: &str, id: &str) -> Outcome<()> {
    match uuid::Uuid::try_parse(id) {
        Ok(_) if id.len() == 36 => Ok(()),
        _ => Err(ApiError::invalid(format!("{key} must be a UUID."))),
    }
}

/// Refuses text that is given but empty, or longer than `most` characters.
fn filled(input: &Row, key: &str, most: usize) -> Outcome<()> {
    match text(input, key) {
        Some(value) if value.trim().is_empty() => {
            Err(ApiError::invalid(format!("{key} should not be empty.")))
        }
        Some(value) if value.chars().count() > most => {
            Err(ApiError::invalid(format!("{key} must be shorter than or equal to {most} characters.")))
        }
        _ => Ok(()),
    }
}

/// Refuses a date that is none.
fn date(input: &Row, key: &str) -> Outcome<()> {
    match text(input, key) {
        Some(value) if value.parse::<jiff::civil::Date>().is_err() => {
            Err(ApiError::invalid(format!("{key} must be a date in the format YYYY-MM-DD.")))
        }
        _ => Ok(()),
    }
}

/// Refuses a priority other than 0 to 4.
fn priority(input: &Row) -> Outcome<()> {
    match input.get("priority").and_then(Value::as_i64) {
        Some(value) if !(0..=4).contains(&value) => Err(ApiError::invalid(
            "priority must be one of 0 (none), 1 (urgent), 2 (high), 3 (medium), 4 (low).",
        )),
        _ => Ok(()),
    }
}
