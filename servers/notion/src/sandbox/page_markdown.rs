//! A page as Markdown, read and changed.

use serde_json::{Value, json};

use super::{
    auth::Capability,
    check::Place,
    errors::{ApiError, Outcome},
    markdown::{self, Draft, Writer},
    rich_text,
    routes::{Context, Query},
    tree::{Kind, Node},
};

impl Context<'_> {
    /// `GET /pages/{id}/markdown`: of a page, or of a block that was too much for the page's.
    pub(super) fn get_markdown(&mut self, id: &str, query: &Query) -> Outcome<Value> {
        let id = self.visible(id, &[Kind::Page, Kind::Block], "page")?.id.clone();
        self.look(&id)?;
        Ok(self.markdown_of(&id, query.get("include_transcript") == Some("true")))
    }

    fn markdown_of(&self, id: &str, transcripts: bool) -> Value {
        let mut unknown = Vec::new();
        let mut records = 0;
        let most = self.site.settings().markdown_records;
        let mut seen = |node: &Node| {
            records += 1;
            let seen = records <= most && self.sees(&node.id);
            if !seen {
                unknown.push(node.id.clone());
            }
            seen
        };
        let node = &self.state.nodes[id];
        let mut drafts = self.state.drafts(id, &mut seen);
        if node.kind == Kind::Block {
            let kind = node.block_type();
            let own = Draft { id: Some(node.id.clone()), ..Draft::new(kind, node.get(kind).clone()) };
            drafts = vec![own.with(drafts)];
        }
        let markdown = self.write_markdown(id, &drafts, transcripts);
        json!({
            "object": "page_markdown", "id": id, "markdown": markdown, "truncated": !unknown.is_empty(),
            "unknown_block_ids": unknown,
        })
    }

    fn write_markdown(&self, id: &str, drafts: &[Draft], transcripts: bool) -> String {
        let file = |draft: &Draft| match draft.body.get("file").and_then(|file| file["key"].as_str()) {
            Some(key) => self.site.file_url(key).0,
            None => external_url(draft),
        };
        let counts = !self.site.settings().unnumbered;
        markdown::render(drafts, &Writer { page: &self.page_url(id), file: &file, counts, transcripts })
    }

    fn page_url(&self, id: &str) -> String {
        let page = self.state.ancestors(id).find(|node| node.kind == Kind::Page);
        page.map(|page| rich_text::url_of(&page.id)).unwrap_or_default()
    }

    /// `PATCH /pages/{id}/markdown`.
    pub(super) fn update_markdown(&mut self, id: &str, given: &Value) -> Outcome<Value> {
        self.need(Capability::UpdateContent)?;
        let id = self.visible(id, &[Kind::Page], "page")?.id.clone();
        let place = Place::body();
        place.object(given)?;
        let kind = place.at("type").text(&given["type"])?.to_owned();
        place.at("type").one_of(
            &kind,
            &["insert_content", "replace_content_range", "update_content", "replace_content"],
        )?;
        if self.state.nodes[&id].in_trash {
            return Err(ApiError::validation(
                "Can't edit block that is archived. You must unarchive the block before editing.",
            ));
        }
        let command = &given[kind.as_str()];
        let place = place.at(&kind);
        place.object(command)?;
        // Signatures differ between two readings, and no text of a request should have to repeat them.
        let page_url = self.page_url(&id);
        let drafts = self.state.drafts(&id, &mut |_| true);
        let old = self.write_markdown(&id, &drafts, false);
        let new = edited(&old, &kind, command, &place)?;
        let parsed = markdown::parse(&new);
        self.protect(&id, &parsed, command["allow_deleting_content"] == true)?;
        let file = |draft: &Draft| match draft.body.get("file").and_then(|file| file["key"].as_str()) {
            Some(key) => format!("file:{key}"),
            None => external_url(draft),
        };
        let checked = place.at("content");
        parsed.iter().enumerate().try_for_each(|(at, draft)| self.check_draft(draft, &checked.item(at)))?;
        self.replace(
            &id,
            parsed,
            &Writer { page: &page_url, file: &file, counts: false, transcripts: false },
        )?;
        let (user, now) = (self.caller.user.clone(), self.now.clone());
        self.state.touch(&id, &user, &now);
        let answer = self.markdown_of(&id, false);
        if given["allow_async"] == true {
            return Ok(self.task("PATCH /v1/pages/:page_id/markdown", answer));
        }
        Ok(answer)
    }

    /// Refuses what would delete child pages or databases, naming them (working-with-markdown-content, "Safety").
    fn protect(&self, page: &str, new: &[Draft], allowed: bool) -> Outcome<()> {
        let mut kept = Vec::new();
        collect_ids(new, &mut kept);
        let mut lost = Vec::new();
        let mut left = self.state.nodes[page].children.clone();
        while let Some(id) = left.pop() {
            let Some(node) = self.state.nodes.get(&id).filter(|node| !node.in_trash) else { continue };
            match node.kind {
                Kind::Block => left.extend(node.children.clone()),
                _ if kept.contains(&id) => {}
                _ => lost.push(format!("{} ({})", node.title(), rich_text::url_of(&id))),
            }
        }
        if lost.is_empty() || allowed {
            return Ok(());
        }
        lost.reverse();
        Err(ApiError::validation(format!(
            "This operation would delete {} child page(s) or database(s): {}. Set allow_deleting_content to true to proceed.",
            lost.len(),
            lost.join(", ")
        )))
    }
}

fn collect_ids(drafts: &[Draft], ids: &mut Vec<String>) {
    for draft in drafts {
        ids.extend(draft.id.clone());
        collect_ids(&draft.children, ids);
    }
}

/// The document after a command; what is looked for must be there once, and case counts.
fn edited(old: &str, kind: &str, command: &Value, place: &Place) -> Outcome<String> {
    match kind {
        "replace_content" => Ok(place.at("new_str").text(&command["new_str"])?.to_owned()),
        "update_content" => {
            let updates = place.at("content_updates").list(&command["content_updates"], 100)?;
            let mut text = old.to_owned();
            for (at, update) in updates.iter().enumerate() {
                let place = place.at("content_updates").item(at);
                let (from, to) = (
                    place.at("old_str").text(&update["old_str"])?,
                    place.at("new_str").text(&update["new_str"])?,
                );
                let found = if from.is_empty() { 0 } else { text.matches(from).count() };
                text = match found {
                    0 => {
                        return Err(ApiError::validation(format!(
                            "{place}: old_str was not found in the page content.",
                            place = place.at("old_str").name()
                        )));
                    }
                    1 => text.replacen(from, to, 1),
                    _ if update["replace_all_matches"] == true => text.replace(from, to),
                    many => {
                        return Err(ApiError::validation(format!(
                            "{place}: old_str matches {many} locations. Set replace_all_matches to true to replace all.",
                            place = place.at("old_str").name()
                        )));
                    }
                };
            }
            Ok(text)
        }
        "insert_content" => {
            let content = place.at("content").text(&command["content"])?;
            let position = command["position"]["type"].as_str();
            match (command["after"].as_str(), position) {
                (Some(_), Some(_)) => {
                    Err(ApiError::validation("Provide only one of `after` and `position`."))
                }
                (Some(after), None) => {
                    let (_, end) = selection(old, after)?;
                    let line_end = old[end..].find('\n').map_or(old.len(), |at| end + at);
                    Ok(format!("{}\n{content}{}", &old[..line_end], &old[line_end..]))
                }
                (None, Some("start")) => Ok(format!("{content}\n{old}")),
                _ if old.is_empty() => Ok(content.to_owned()),
                _ => Ok(format!("{old}\n{content}")),
            }
        }
        _ => {
            let content = place.at("content").text(&command["content"])?;
            let (start, end) = selection(old, place.at("content_range").text(&command["content_range"])?)?;
            Ok(format!("{}{content}{}", &old[..start], &old[end..]))
        }
    }
}

/// The place of `start text...end text`.
fn selection(text: &str, range: &str) -> Outcome<(usize, usize)> {
    let missing = || ApiError::validation("The selection does not match any content in the page.");
    let (from, to) = range.split_once("...").unwrap_or((range, ""));
    let start = text.find(from).ok_or_else(missing)?;
    let after = start + from.len();
    let end =
        if to.is_empty() { after } else { after + text[after..].find(to).ok_or_else(missing)? + to.len() };
    Ok((start, end))
}

/// The address of a file that is not Notion's own.
fn external_url(draft: &Draft) -> String {
    draft.body.get("external").and_then(|file| file["url"].as_str()).unwrap_or_default().to_owned()
}
