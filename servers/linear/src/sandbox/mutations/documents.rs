//! Documents: Markdown that belongs to one project, initiative, issue, cycle or team.

use serde_json::{Value, json};

use super::{Change, copy, filled, payload};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    fields::short,
    store::{Row, text},
};

const PARENTS: [(&str, &str); 5] = [
    ("projectId", "Project"),
    ("initiativeId", "Initiative"),
    ("issueId", "Issue"),
    ("cycleId", "Cycle"),
    ("teamId", "Team"),
];

const PLAIN: [&str; 6] = ["title", "content", "icon", "color", "sortOrder", "hiddenAt"];

impl Change<'_> {
    pub(super) fn document_create(&mut self, input: &Row) -> Outcome<Row> {
        filled(input, "title", 512)?;
        let parents = self.document_parents(input)?;
        if parents.len() != 1 {
            let keys = PARENTS.map(|(key, _)| key).join(", ");
            return Err(ApiError::invalid(format!("Exactly one of {keys} must be given.")));
        }
        let mut row = self.fresh("Document", input)?;
        let slug = short(text(&row, "id").unwrap_or_default());
        row.insert("slugId".to_owned(), json!(slug));
        row.insert("creatorId".to_owned(), json!(self.caller.user));
        row.insert("updatedById".to_owned(), json!(self.caller.user));
        copy(&mut row, input, &PLAIN);
        row.extend(parents);
        let row = self.state.create("Document", row)?;
        self.notify_of("documentMention", "content", &Row::new(), &row, &[("documentId", text(&row, "id"))])?;
        Ok(payload("document", text(&row, "id").unwrap_or_default()))
    }

    pub(super) fn document_update(&mut self, reference: &str, input: &Row) -> Outcome<Row> {
        filled(input, "title", 512)?;
        let parents = self.document_parents(input)?;
        if parents.len() > 1 {
            return Err(ApiError::invalid("A document belongs to one entity only."));
        }
        let id = text(self.state.by_slug("Document", reference)?, "id").unwrap_or_default().to_owned();
        let (user, now) = (self.caller.user.clone(), self.now.iso());
        let old = self.state.expect("Document", &id)?.clone();
        let row = self.state.update("Document", &id, self.now, |row| {
            let before = row.clone();
            copy(row, input, &PLAIN);
            if !parents.is_empty() {
                for (key, _) in PARENTS {
                    row.insert(key.to_owned(), Value::Null);
                }
                row.extend(parents);
            }
            if let Some(trashed) = input.get("trashed").and_then(Value::as_bool) {
                row.insert("trashed".to_owned(), json!(trashed));
                row.insert("archivedAt".to_owned(), if trashed { json!(now) } else { Value::Null });
            }
            if *row != before {
                row.insert("updatedById".to_owned(), json!(user));
            }
        })?;
        self.notify_of("documentMention", "content", &old, &row, &[("documentId", Some(&id))])?;
        Ok(payload("document", &id))
    }

    /// The parents that `input` names, each checked.
    fn document_parents(&self, input: &Row) -> Outcome<Row> {
        let mut parents = Row::new();
        for (key, ty) in PARENTS {
            let Some(reference) = text(input, key) else { continue };
            let parent = match ty {
                "Issue" => self.state.issue(reference)?,
                _ => self.state.expect(ty, reference)?,
            };
            parents.insert(key.to_owned(), parent.get("id").cloned().unwrap_or_default());
        }
        Ok(parents)
    }
}
