//! Comments: on issues, projects, initiatives, updates and documents; threads, one level deep; resolving.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Change, copy, entity_id, payload};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    store::{Row, text},
};

/// What a comment may hang on, and the type of each.
const TARGETS: [(&str, &str); 6] = [
    ("issueId", "Issue"),
    ("projectId", "Project"),
    ("initiativeId", "Initiative"),
    ("projectUpdateId", "ProjectUpdate"),
    ("initiativeUpdateId", "InitiativeUpdate"),
    ("documentContentId", "DocumentContent"),
];

impl Change<'_> {
    pub(super) fn comment_create(&mut self, input: &Row) -> Outcome<Row> {
        body(input, true)?;
        let mut row = self.fresh("Comment", input)?;
        let parent = self.reference(input, "parentId", "Comment")?;
        let mut targets = 0;
        for (key, ty) in TARGETS {
            let Some(reference) = text(input, key) else { continue };
            let id = match ty {
                "Issue" => self.state.issue(reference)?.get("id").cloned().unwrap_or_default(),
                // A document's text is an entity of its own, which only its document tells of.
                "DocumentContent" => {
                    let documents = self.state.matching("Document", key, reference);
                    documents.first().ok_or_else(|| ApiError::not_found(ty))?;
                    json!(reference)
                }
                _ => self.state.expect(ty, reference)?.get("id").cloned().unwrap_or_default(),
            };
            row.insert(key.to_owned(), id);
            targets += 1;
        }
        if let Some(parent) = &parent {
            // A reply to a reply joins the thread; it hangs where the thread hangs.
            let root = text(parent, "parentId").or_else(|| text(parent, "id")).unwrap_or_default();
            for (key, _) in TARGETS {
                match (row.get(key), parent.get(key).filter(|id| !id.is_null())) {
                    (Some(own), Some(theirs)) if own != theirs => {
                        return Err(ApiError::conflict("The parent comment belongs to another entity."));
                    }
                    (None, Some(theirs)) => {
                        row.insert(key.to_owned(), theirs.clone());
                    }
                    _ => {}
                }
            }
            row.insert("parentId".to_owned(), json!(root));
        } else if targets != 1 {
            let keys = TARGETS.map(|(key, _)| key).join(", ");
            return Err(ApiError::invalid(format!("Exactly one of {keys} or parentId must be given.")));
        }
        copy(&mut row, input, &["body", "quotedText"]);
        row.insert("userId".to_owned(), json!(self.caller.user));
        if let Some(name) = input.get("createAsUser").filter(|name| !name.is_null()) {
            self.as_app("createAsUser")?;
            row.insert(
                "botActor".to_owned(),
                json!({ "type": "app", "name": "Application", "userDisplayName": name }),
            );
            row.insert("userId".to_owned(), Value::Null);
        }
        let row = self.state.create("Comment", row)?;
        self.subscribe(&row)?;
        self.notify_of_comment(&Row::new(), &row)?;
        Ok(payload("comment", text(&row, "id").unwrap_or_default()))
    }

    /// Whoever comments on an issue follows it.
    fn subscribe(&mut self, comment: &Row) -> Outcome<()> {
        let (Some(issue), user) = (text(comment, "issueId"), json!(self.caller.user)) else { return Ok(()) };
        let subscribed = self.state.expect("Issue", issue)?.get("subscriberIds").and_then(Value::as_array);
        if subscribed.is_some_and(|users| users.contains(&user)) {
            return Ok(());
        }
        self.state.update("Issue", issue, self.now, |row| {
            if let Value::Array(users) = row.entry("subscriberIds").or_insert_with(|| json!([])) {
                users.push(user);
            }
        })?;
        Ok(())
    }

    pub(super) fn comment_update(&mut self, id: &str, input: &Row, quietly: bool) -> Outcome<Row> {
        body(input, false)?;
        let comment = Arc::clone(self.state.expect("Comment", id)?);
        if input.contains_key("body") && text(&comment, "userId") != Some(&self.caller.user) {
            return Err(ApiError::forbidden("You can only edit your own comments."));
        }
        self.reference(input, "resolvingCommentId", "Comment")?;
        self.reference(input, "resolvingUserId", "User")?;
        let now = self.now.iso();
        let changed = self.state.update("Comment", id, self.now, |row| {
            let edited = input.get("body").is_some_and(|body| row.get("body") != Some(body));
            copy(row, input, &["body", "quotedText", "resolvingCommentId", "resolvingUserId"]);
            if edited && !quietly {
                row.insert("editedAt".to_owned(), json!(now));
            }
        })?;
        self.notify_of_comment(&comment, &changed)?;
        Ok(payload("comment", id))
    }

    /// Tells the people whom a comment, which was `before`, mentions.
    fn notify_of_comment(&mut self, before: &Row, comment: &Row) -> Outcome<()> {
        let kind = match TARGETS.iter().find(|(key, _)| text(comment, key).is_some()) {
            Some((_, "Issue")) => "issueCommentMention",
            Some((_, "Project")) => "projectCommentMention",
            Some((_, "ProjectUpdate")) => "projectUpdateCommentMention",
            Some((_, "Initiative")) => "initiativeCommentMention",
            Some((_, "InitiativeUpdate")) => "initiativeUpdateCommentMention",
            _ => "documentCommentMention",
        };
        // A comment on a status update leads to what the update is about.
        let through = |ty: &str, key: &str| {
            let update = text(comment, key).and_then(|id| self.state.get(ty, id))?;
            text(update, if ty == "ProjectUpdate" { "projectId" } else { "initiativeId" }).map(str::to_owned)
        };
        let of_project = through("ProjectUpdate", "projectUpdateId");
        let of_initiative = through("InitiativeUpdate", "initiativeUpdateId");
        let documents = text(comment, "documentContentId")
            .map(|content| self.state.matching("Document", "documentContentId", content))
            .unwrap_or_default();
        let about = [
            ("issueId", text(comment, "issueId")),
            ("projectId", text(comment, "projectId").or(of_project.as_deref())),
            ("initiativeId", text(comment, "initiativeId").or(of_initiative.as_deref())),
            ("documentId", documents.first().and_then(|row| text(row, "id"))),
            ("commentId", text(comment, "id")),
        ];
        self.notify_of(kind, "body", before, comment, &about)
    }

    /// With its replies.
    pub(super) fn comment_delete(&mut self, id: &str) -> Outcome<Row> {
        for reply in self.state.matching("Comment", "parentId", id) {
            self.state.remove("Comment", text(&reply, "id").unwrap_or_default())?;
        }
        self.state.remove("Comment", id)?;
        Ok(entity_id(id))
    }

    pub(super) fn comment_resolve(&mut self, id: &str, by: Option<&str>) -> Outcome<Row> {
        let comment = self.state.expect("Comment", id)?;
        if text(comment, "parentId").is_some() {
            return Err(ApiError::conflict("Only the first comment of a thread can be resolved."));
        }
        if let Some(by) = by
            && text(self.state.expect("Comment", by)?, "parentId") != Some(id)
        {
            return Err(ApiError::conflict("The resolving comment must be a reply in the thread."));
        }
        let (now, user) = (self.now.iso(), self.caller.user.clone());
        self.state.update("Comment", id, self.now, |row| {
            row.insert("resolvedAt".to_owned(), json!(now));
            row.insert("resolvingUserId".to_owned(), json!(user));
            row.insert("resolvingCommentId".to_owned(), json!(by));
        })?;
        Ok(payload("comment", id))
    }

    pub(super) fn comment_unresolve(&mut self, id: &str) -> Outcome<Row> {
        self.state.update("Comment", id, self.now, |row| {
            for key in ["resolvedAt", "resolvingUserId", "resolvingCommentId"] {
                row.insert(key.to_owned(), Value::Null);
            }
        })?;
        Ok(payload("comment", id))
    }

    /// Speaking in another's name is for apps only.
    pub(super) fn as_app(&self, key: &str) -> Outcome<()> {
        match self.caller.app {
            true => Ok(()),
            false => Err(ApiError::invalid(format!(
                "{key} can only be used by OAuth applications with actor=app."
            ))),
        }
    }
}

fn body(input: &Row, required: bool) -> Outcome<()> {
    match text(input, "body") {
        Some(body) if body.trim().is_empty() => Err(ApiError::invalid("body should not be empty.")),
        None if required => Err(ApiError::invalid("body should not be empty.")),
        _ => Ok(()),
    }
}
