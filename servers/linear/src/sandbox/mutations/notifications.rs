//! The caller's own inbox.

use serde_json::{Value, json};

use super::{Change, copy, payload};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    store::{Row, text},
};

impl Change<'_> {
    pub(super) fn notification_update(&mut self, id: &str, input: &Row) -> Outcome<Row> {
        self.own_notification(id)?;
        self.state
            .update("Notification", id, self.now, |row| copy(row, input, &["readAt", "snoozedUntilAt"]))?;
        Ok(payload("notification", id))
    }

    pub(super) fn notification_archive(&mut self, id: &str, archive: bool) -> Outcome<Row> {
        self.own_notification(id)?;
        let at = if archive { json!(self.now.iso()) } else { Value::Null };
        self.state.update("Notification", id, self.now, |row| {
            row.insert("archivedAt".to_owned(), at);
        })?;
        Ok(payload("entity", id))
    }

    fn own_notification(&self, id: &str) -> Outcome<()> {
        match text(self.state.expect("Notification", id)?, "userId") {
            Some(user) if user != self.caller.user => Err(ApiError::not_found("Notification")),
            _ => Ok(()),
        }
    }
}
