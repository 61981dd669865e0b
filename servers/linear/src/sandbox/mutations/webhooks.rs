//! Webhooks, for administrators.

use serde_json::json;

use super::{Change, copy, entity_id, payload};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    store::{Row, flag, new_id, text},
    webhooks,
};

impl Change<'_> {
    pub(super) fn webhook_create(&mut self, input: &Row) -> Outcome<Row> {
        let team = self.reference(input, "teamId", "Team")?;
        if team.is_some() == flag(input, "allPublicTeams") {
            return Err(ApiError::invalid("Either teamId or allPublicTeams must be given."));
        }
        let mut row = self.fresh("Webhook", input)?;
        row.insert("creatorId".to_owned(), json!(self.caller.user));
        row.insert("secret".to_owned(), json!(format!("lin_wh_{}", new_id().replace('-', ""))));
        copy(
            &mut row,
            input,
            &["url", "label", "resourceTypes", "enabled", "secret", "teamId", "allPublicTeams"],
        );
        webhooks::register(self.site, &mut row)?;
        let row = self.state.create("Webhook", row)?;
        Ok(payload("webhook", text(&row, "id").unwrap_or_default()))
    }

    pub(super) fn webhook_update(&mut self, id: &str, input: &Row) -> Outcome<Row> {
        let mut row = Row::clone(self.state.expect("Webhook", id)?);
        copy(&mut row, input, &["url", "label", "resourceTypes", "enabled", "secret"]);
        webhooks::register(self.site, &mut row)?;
        self.state.update("Webhook", id, self.now, |old| *old = row)?;
        Ok(payload("webhook", id))
    }

    pub(super) fn webhook_delete(&mut self, id: &str) -> Outcome<Row> {
        let row = self.state.remove("Webhook", id)?;
        webhooks::remove_target(self.site, &row);
        Ok(entity_id(id))
    }
}
