//! Attachments: links on issues. The same address on the same issue is the same attachment.

use serde_json::{Value, json};
use url::Url;

use super::{Change, copy, filled, payload};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    fields::source_of,
    store::{Row, text},
};

impl Change<'_> {
    pub(super) fn attachment_create(&mut self, input: &Row) -> Outcome<Row> {
        filled(input, "title", 500)?;
        if input.get("createAsUser").is_some_and(|name| !name.is_null()) {
            self.as_app("createAsUser")?;
        }
        self.attach(input, &["title", "subtitle", "iconUrl", "metadata"])
    }

    pub(super) fn attachment_link(&mut self, args: &Row) -> Outcome<Row> {
        let mut input = args.clone();
        let url = text(args, "url").unwrap_or_default();
        if text(args, "title").is_none() {
            input.insert("title".to_owned(), json!(url));
        }
        self.attach(&input, &["title"])
    }

    pub(super) fn attachment_link_pull_request(&mut self, args: &Row) -> Outcome<Row> {
        let url = text(args, "url").unwrap_or_default();
        let parsed = Url::parse(url).map_err(|_| not_a_url())?;
        let path: Vec<&str> = parsed.path_segments().into_iter().flatten().collect();
        let [owner, repository, "pull", number, ..] = path.as_slice() else {
            return Err(ApiError::invalid("url must be the address of a GitHub pull request."));
        };
        let mut input = args.clone();
        if text(args, "title").is_none() {
            input.insert("title".to_owned(), json!(format!("{owner}/{repository}#{number}")));
        }
        let kind = text(args, "linkKind").unwrap_or("links");
        input.insert(
            "metadata".to_owned(),
            json!({ "owner": owner, "repo": repository, "number": number, "linkKind": kind }),
        );
        self.attach(&input, &["title", "metadata"])
    }

    fn attach(&mut self, input: &Row, keys: &[&str]) -> Outcome<Row> {
        let url = text(input, "url").unwrap_or_default();
        Url::parse(url).map_err(|_| not_a_url())?;
        let issue = text(self.state.issue(text(input, "issueId").unwrap_or_default())?, "id")
            .unwrap_or_default()
            .to_owned();
        let existing = self
            .state
            .matching("Attachment", "issueId", &issue)
            .into_iter()
            .find(|row| text(row, "url") == Some(url));
        if let Some(existing) = existing {
            let id = text(&existing, "id").unwrap_or_default().to_owned();
            self.state.update("Attachment", &id, self.now, |row| copy(row, input, keys))?;
            return Ok(payload("attachment", &id));
        }
        let mut row = self.fresh("Attachment", input)?;
        row.insert("issueId".to_owned(), json!(issue));
        row.insert("url".to_owned(), json!(url));
        row.insert("creatorId".to_owned(), json!(self.caller.user));
        row.insert("sourceType".to_owned(), json!(source_of(url)));
        row.insert("metadata".to_owned(), json!({}));
        copy(&mut row, input, keys);
        let row = self.state.create("Attachment", row)?;
        Ok(payload("attachment", text(&row, "id").unwrap_or_default()))
    }

    pub(super) fn attachment_update(&mut self, id: &str, input: &Row) -> Outcome<Row> {
        filled(input, "title", 500)?;
        if input.get("title") == Some(&Value::Null) {
            return Err(ApiError::invalid("title should not be empty."));
        }
        self.state.update("Attachment", id, self.now, |row| {
            copy(row, input, &["title", "subtitle", "iconUrl", "metadata"]);
        })?;
        Ok(payload("attachment", id))
    }
}

fn not_a_url() -> ApiError {
    ApiError::invalid("url must be a URL address.")
}
