//! Initiatives and their projects.

use serde_json::json;

use super::{Change, copy, date, filled, payload, priority};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    fields::short,
    store::{Row, text},
};

const PLAIN: [&str; 13] = [
    "name",
    "description",
    "content",
    "icon",
    "color",
    "status",
    "targetDate",
    "targetDateResolution",
    "priority",
    "prioritySortOrder",
    "sortOrder",
    "ownerId",
    "trashed",
];

impl Change<'_> {
    pub(super) fn initiative_create(&mut self, input: &Row) -> Outcome<Row> {
        self.check_initiative(input)?;
        let mut row = self.fresh("Initiative", input)?;
        let slug = short(text(&row, "id").unwrap_or_default());
        row.insert("slugId".to_owned(), json!(slug));
        row.insert("creatorId".to_owned(), json!(self.caller.user));
        row.insert("ownerId".to_owned(), json!(self.caller.user));
        row.insert("status".to_owned(), json!("Planned"));
        copy(&mut row, input, &PLAIN);
        let row = self.state.create("Initiative", row)?;
        Ok(payload("initiative", text(&row, "id").unwrap_or_default()))
    }

    pub(super) fn initiative_update(&mut self, reference: &str, input: &Row) -> Outcome<Row> {
        self.check_initiative(input)?;
        let id = text(self.state.by_slug("Initiative", reference)?, "id").unwrap_or_default().to_owned();
        let now = self.now.iso();
        self.state.update("Initiative", &id, self.now, |row| {
            let former = text(row, "status").map(str::to_owned);
            copy(row, input, &PLAIN);
            let at = match text(row, "status").filter(|status| former.as_deref() != Some(status)) {
                Some("Active") => "startedAt",
                Some("Completed") => "completedAt",
                _ => return,
            };
            row.insert(at.to_owned(), json!(now));
        })?;
        Ok(payload("initiative", &id))
    }

    fn check_initiative(&self, input: &Row) -> Outcome<()> {
        filled(input, "name", 80)?;
        filled(input, "description", 255)?;
        date(input, "targetDate")?;
        priority(input)?;
        self.reference(input, "ownerId", "User").map(drop)
    }

    pub(super) fn initiative_link(&mut self, input: &Row) -> Outcome<Row> {
        let initiative = self.reference(input, "initiativeId", "Initiative")?;
        let project = self.reference(input, "projectId", "Project")?;
        let (Some(initiative), Some(project)) = (initiative, project) else {
            return Err(ApiError::not_found("Initiative"));
        };
        let (initiative, project) =
            (text(&initiative, "id").unwrap_or_default(), text(&project, "id").unwrap_or_default());
        let links = self.state.matching("InitiativeToProject", "initiativeId", initiative);
        if links.iter().any(|link| text(link, "projectId") == Some(project)) {
            return Err(ApiError::conflict("The project is already part of the initiative."));
        }
        let mut row = self.fresh("InitiativeToProject", input)?;
        row.insert("initiativeId".to_owned(), json!(initiative));
        row.insert("projectId".to_owned(), json!(project));
        let row = self.state.create("InitiativeToProject", row)?;
        Ok(payload("initiativeToProject", text(&row, "id").unwrap_or_default()))
    }
}
