//! Who is mentioned in a text: whose profile's address stands in it, outside of code. Such a person is
//! notified, once for each text, and follows the issue. A name with `@` alone is only text.

use serde_json::json;

use super::Change;
use crate::sandbox::{
    errors::Outcome,
    store::{Row, new_id, text},
};

impl Change<'_> {
    /// Tells whom the text in `field` of the row `now` mentions, and that of `before` did not. `about` is what
    /// the notification leads to: `issueId`, `commentId` and the like.
    pub(super) fn notify_of(
        &mut self,
        kind: &str,
        field: &str,
        before: &Row,
        now: &Row,
        about: &[(&str, Option<&str>)],
    ) -> Outcome<()> {
        let (before, now) = (text(before, field).unwrap_or_default(), text(now, field).unwrap_or_default());
        if before == now {
            return Ok(());
        }
        let users: Vec<_> = self.state.all("User").cloned().collect();
        for user in users {
            let Some(id) = text(&user, "id").filter(|id| *id != self.caller.user) else { continue };
            let url = self.view().value("User", &user, "url");
            let Some(url) = url.as_ref().and_then(serde_json::Value::as_str) else { continue };
            if !mentions(now, url) || mentions(before, url) {
                continue;
            }
            let mut row = Row::new();
            row.insert("id".to_owned(), json!(new_id()));
            row.insert("userId".to_owned(), json!(id));
            row.insert("actorId".to_owned(), json!(self.caller.user));
            row.insert("type".to_owned(), json!(kind));
            for key in ["createdAt", "updatedAt"] {
                row.insert(key.to_owned(), json!(self.now.iso()));
            }
            for (key, about) in about {
                if let Some(about) = about {
                    row.insert((*key).to_owned(), json!(about));
                }
            }
            self.head_notification(&mut row);
            self.state.create("Notification", row)?;
        }
        Ok(())
    }

    /// What a notification says of itself where no issue or project does.
    fn head_notification(&self, row: &mut Row) {
        let actor = self.state.get("User", &self.caller.user);
        let actor = actor.and_then(|actor| text(actor, "name")).unwrap_or_default();
        row.insert("subtitle".to_owned(), json!(format!("{actor} mentioned you")));
        for (key, ty, title) in [("documentId", "Document", "title"), ("initiativeId", "Initiative", "name")]
        {
            let Some(about) = text(row, key).and_then(|id| self.state.get(ty, id)).cloned() else { continue };
            row.insert("title".to_owned(), about.get(title).cloned().unwrap_or_default());
            let url = self.view().value(ty, &about, "url").unwrap_or_default();
            row.insert("url".to_owned(), url.clone());
            row.insert("inboxUrl".to_owned(), url);
        }
    }
}

/// Whether `text` has `url` as a word of its own outside of code.
fn mentions(text: &str, url: &str) -> bool {
    let prose = text.split("```").step_by(2).flat_map(|part| part.split('`').step_by(2));
    prose
        .flat_map(|part| part.split(|c: char| c.is_whitespace() || "()[]<>,;!?".contains(c)))
        .any(|word| word.trim_end_matches(['.', ':']) == url)
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn an_address_in_prose_is_a_mention() {
        let url = "https://linear.app/acme/profiles/ada";
        for (text, is) in [
            (format!("{url}, please"), true),
            (format!("Ask {url}."), true),
            (format!("[Ada]({url})"), true),
            (format!("{url}.lovelace"), false),
            (format!("`{url}`"), false),
            (format!("```\n{url}\n``` end"), false),
            ("@ada".to_owned(), false),
        ] {
            assert_eq!(mentions(&text, url), is, "{text}");
        }
    }
}
