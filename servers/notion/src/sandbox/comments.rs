//! Comments: discussions on pages and blocks, listed by exactly the thing they stand on.

use serde_json::{Value, json};

use super::{
    auth::Capability,
    check::Place,
    errors::{ApiError, Outcome},
    markdown, rich_text,
    routes::{Context, Query, page_of_results},
    tree::{Kind, partial_user},
};

impl Context<'_> {
    /// A comment's answer: its files are of a category and have an address (SDK 5.26.0: CommentAttachmentResponse).
    fn shown(&self, comment: &Value) -> Value {
        let mut shown = comment.clone();
        if let Some(fields) = shown.as_object_mut() {
            fields.remove("resolved");
        }
        for attachment in shown["attachments"].as_array_mut().into_iter().flatten() {
            let id = attachment["file_upload_id"].as_str().and_then(rich_text::id_in).unwrap_or_default();
            let kind = self.state.uploads.get(&id).and_then(|upload| upload["content_type"].as_str());
            let category = match kind.unwrap_or_default() {
                kind if kind.starts_with("image/") => "image",
                kind if kind.starts_with("video/") => "video",
                kind if kind.starts_with("audio/") => "audio",
                "application/pdf" => "pdf",
                _ => "productivity",
            };
            let (url, expiry_time) = self.site.file_url(&id);
            *attachment = json!({"category": category, "file": {"url": url, "expiry_time": expiry_time}});
        }
        shown
    }

    fn comment(&self, id: &str) -> Outcome<Value> {
        let id = Place::path().at("comment_id").id(&json!(id))?;
        let found = self.state.comments.iter().find(|comment| comment["id"] == id.as_str());
        let found = found.filter(|comment| self.sees(on(comment)));
        found.cloned().ok_or_else(|| ApiError::not_found("comment", &id, self.caller.name))
    }

    /// `GET /comments?block_id=…`: of a page or a block, not of what is within it (reference/list-comments).
    pub(super) fn list_comments(&mut self, query: &Query) -> Outcome<Value> {
        self.need(Capability::ReadComments)?;
        let id = query.id("block_id")?.ok_or_else(|| {
            ApiError::validation(
                "query failed validation: query.block_id should be defined, instead was `undefined`.",
            )
        })?;
        let id = self.visible(&id, &[Kind::Page, Kind::Block], "block")?.id.clone();
        let comments =
            self.state.comments.iter().filter(|comment| on(comment) == id && comment["resolved"] != true);
        let comments: Vec<&Value> = comments.collect();
        page_of_results(query, &comments, "comment", |comment| self.shown(comment))
    }

    /// `GET /comments/{id}`.
    pub(super) fn get_comment(&mut self, id: &str) -> Outcome<Value> {
        self.need(Capability::ReadComments)?;
        Ok(self.shown(&self.comment(id)?))
    }

    fn comment_text(&mut self, given: &Value) -> Outcome<Vec<Value>> {
        let place = Place::body();
        match (&given["rich_text"], given["markdown"].as_str()) {
            (Value::Null, Some(text)) => {
                let items = markdown::inline(&text.replace('\n', "<br>"));
                rich_text::expand(self.state, &Value::Array(items), &place.at("markdown"))
            }
            (Value::Null, None) => Err(place.at("rich_text").missing()),
            (_, Some(_)) => Err(ApiError::validation("Provide only one of `rich_text` and `markdown`.")),
            (items, None) => rich_text::expand(self.state, items, &place.at("rich_text")),
        }
    }

    /// `POST /comments`: on a page or block, or in a discussion that is there.
    pub(super) fn create_comment(&mut self, given: &Value) -> Outcome<Value> {
        self.need(Capability::InsertComments)?;
        let place = Place::body();
        place.only(
            place.object(given)?,
            &["parent", "discussion_id", "rich_text", "markdown", "attachments", "display_name"],
        )?;
        let text = self.comment_text(given)?;
        let discussion = given["discussion_id"].as_str();
        let (parent, discussion) = match discussion {
            Some(discussion) => {
                let discussion = rich_text::id_in(discussion).unwrap_or_default();
                let first = self
                    .state
                    .comments
                    .iter()
                    .find(|comment| comment["discussion_id"] == discussion.as_str());
                let first = first.filter(|comment| self.sees(on(comment)));
                let first =
                    first.ok_or_else(|| ApiError::not_found("discussion", &discussion, self.caller.name))?;
                (first["parent"].clone(), discussion)
            }
            None => {
                let place = place.at("parent");
                let parent = place.object(&given["parent"])?;
                let (field, kinds): (_, &[Kind]) = if parent.contains_key("block_id") {
                    ("block_id", &[Kind::Block])
                } else {
                    ("page_id", &[Kind::Page])
                };
                let id = place.at(field).id(&given["parent"][field])?;
                let id = self.visible(&id, kinds, "page")?.id.clone();
                (json!({"type": field, field: id}), self.state.new_id())
            }
        };
        let attachments = match &given["attachments"] {
            Value::Null => Vec::new(),
            items => place.at("attachments").list(items, 3)?.to_vec(),
        };
        let id = self.state.new_id();
        let comment = json!({
            "object": "comment", "id": id, "parent": parent, "discussion_id": discussion, "created_time": self.now,
            "last_edited_time": self.now, "created_by": partial_user(&self.caller.user), "rich_text": text,
            "display_name": {"type": "integration", "resolved_name": self.caller.name}, "attachments": attachments,
        });
        self.state.comments.push(comment.clone());
        Ok(self.shown(&comment))
    }

    /// `PATCH /comments/{id}`: only one's own.
    pub(super) fn update_comment(&mut self, id: &str, given: &Value) -> Outcome<Value> {
        self.need(Capability::InsertComments)?;
        let text = self.comment_text(given)?;
        let old = self.own_comment(id)?;
        let now = self.now.clone();
        let comment = self.state.comments.iter_mut().find(|comment| comment["id"] == old["id"]);
        let comment = comment.ok_or_else(ApiError::conflict)?;
        comment["rich_text"] = json!(text);
        comment["last_edited_time"] = json!(now);
        let comment = comment.clone();
        Ok(self.shown(&comment))
    }

    fn own_comment(&self, id: &str) -> Outcome<Value> {
        let comment = self.comment(id)?;
        if comment["created_by"]["id"] == self.caller.user.as_str() {
            Ok(comment)
        } else {
            Err(ApiError::restricted())
        }
    }

    /// `DELETE /comments/{id}`.
    pub(super) fn delete_comment(&mut self, id: &str) -> Outcome<Value> {
        self.need(Capability::InsertComments)?;
        let comment = self.own_comment(id)?;
        self.state.comments.retain(|other| other["id"] != comment["id"]);
        Ok(json!({"object": "comment", "id": comment["id"]}))
    }
}

/// What a comment stands on.
fn on(comment: &Value) -> &str {
    let parent = &comment["parent"];
    parent["block_id"].as_str().or_else(|| parent["page_id"].as_str()).unwrap_or_default()
}
