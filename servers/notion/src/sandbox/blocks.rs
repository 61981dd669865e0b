//! Blocks: checked, stored, shown, appended, changed, removed.

use serde_json::{Map, Value, json};

use super::{
    auth::Capability,
    check::Place,
    errors::{ApiError, Outcome},
    files,
    markdown::{Draft, Step, Writer, steps},
    rich_text,
    routes::{Context, Query, page_of_results},
    tree::{At, Kind, Node, State, partial_user},
};

/// Blocks of text, which may have children.
const TEXTS: [&str; 12] = [
    "paragraph",
    "heading_1",
    "heading_2",
    "heading_3",
    "heading_4",
    "bulleted_list_item",
    "numbered_list_item",
    "to_do",
    "toggle",
    "quote",
    "callout",
    "template",
];
const FILES: [&str; 5] = ["image", "video", "audio", "file", "pdf"];
const OTHERS: [&str; 14] = [
    "code",
    "equation",
    "divider",
    "breadcrumb",
    "table_of_contents",
    "column_list",
    "column",
    "table",
    "table_row",
    "bookmark",
    "embed",
    "link_to_page",
    "synced_block",
    "tab",
];
/// The parts of meeting notes, which the API shows as blocks (SDK 5.26.0, `TranscriptionChildrenResponse`).
const PARTS: [&str; 3] = ["summary", "notes", "transcript"];
/// Those of texts and blocks; the first ten are also those of options and columns.
pub(super) const COLORS: [&str; 20] = [
    "default",
    "gray",
    "brown",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "red",
    "gray_background",
    "brown_background",
    "orange_background",
    "yellow_background",
    "green_background",
    "blue_background",
    "purple_background",
    "pink_background",
    "red_background",
    "default_background",
];

/// The closed list of languages of a code block (SDK 5.26.0: LanguageRequest).
pub(super) const LANGUAGES: &str = "abap|abc|agda|arduino|ascii art|assembly|bash|basic|bnf|c|c#|c++|clojure|\
coffeescript|coq|css|dart|dhall|diff|docker|ebnf|elixir|elm|erlang|f#|flow|fortran|gherkin|glsl|go|graphql|groovy|\
haskell|hcl|html|idris|java|javascript|json|julia|kotlin|latex|less|lisp|livescript|llvm ir|lua|makefile|markdown|\
markup|matlab|mathematica|mermaid|nix|notion formula|objective-c|ocaml|pascal|perl|php|plain text|powershell|prolog|\
protobuf|purescript|python|r|racket|reason|ruby|rust|sass|scala|scheme|scss|shell|smalltalk|solidity|sql|swift|toml|\
typescript|vb.net|verilog|vhdl|visual basic|webassembly|xml|yaml|java/c/c++/c#";

/// The most blocks in one request (request-limits).
const MOST: usize = 1000;

fn known() -> impl Iterator<Item = &'static str> {
    TEXTS.into_iter().chain(FILES).chain(OTHERS)
}

/// A list of blocks in a request. `depth` is how many levels may still be nested.
pub(super) fn list(value: &Value, place: &Place, depth: usize) -> Outcome<Vec<Draft>> {
    let items = place.list(value, 100)?;
    let drafts: Vec<Draft> = items
        .iter()
        .enumerate()
        .map(|(at, item)| read(item, &place.item(at), depth))
        .collect::<Outcome<_>>()?;
    let count: usize = drafts.iter().map(count).sum();
    if count > MOST {
        return Err(ApiError::validation(format!(
            "body failed validation: the number of blocks should be ≤ `{MOST}`, instead was `{count}`."
        )));
    }
    Ok(drafts)
}

fn count(draft: &Draft) -> usize {
    1 + draft.children.iter().map(count).sum::<usize>()
}

fn read(value: &Value, place: &Place, depth: usize) -> Outcome<Draft> {
    let fields = place.object(value)?;
    let kind = fields.get("type").and_then(Value::as_str);
    let kind = kind.or_else(|| known().find(|kind| fields.contains_key(*kind)));
    let kind = kind.ok_or_else(|| place.at("type").missing())?;
    if !known().any(|known| known == kind) {
        return Err(place.at("type").should("a block type that can be created", &json!(kind)));
    }
    let mut body = place.at(kind).object(&value[kind])?.clone();
    let children = body.remove("children").unwrap_or_default();
    let children = if children.is_null() {
        Vec::new()
    } else if depth == 0 {
        // "two levels of nesting in a single request" (patch-block-children).
        return Err(place.at(kind).at("children").should("not present", &children));
    } else {
        list(&children, &place.at(kind).at("children"), depth - 1)?
    };
    Ok(Draft { id: None, kind: kind.to_owned(), body, children })
}

/// The body of a block of `kind`, checked, as it is stored.
pub(super) fn body(state: &State, kind: &str, given: &Map<String, Value>, place: &Place) -> Outcome<Value> {
    let given = Value::Object(given.clone());
    let text = |field: &str| -> Outcome<Value> {
        match &given[field] {
            Value::Null => Ok(json!([])),
            items => Ok(Value::Array(rich_text::expand(state, items, &place.at(field))?)),
        }
    };
    let color = given["color"].as_str().unwrap_or("default");
    place.at("color").one_of(color, &COLORS)?;
    Ok(match kind {
        kind if TEXTS.contains(&kind) => {
            let mut body = json!({"rich_text": text("rich_text")?, "color": color});
            match kind {
                "to_do" => body["checked"] = json!(given["checked"].as_bool().unwrap_or(false)),
                "callout" => body["icon"] = state.icon(&given["icon"], &place.at("icon"))?,
                "template" => {}
                heading if heading.starts_with("heading_") => {
                    body["is_toggleable"] = json!(given["is_toggleable"].as_bool().unwrap_or(false));
                }
                _ => {}
            }
            body
        }
        kind if FILES.contains(&kind) => {
            let mut body = files::stored(state, &given, place)?;
            body["caption"] = text("caption")?;
            body
        }
        "code" => {
            let language = place.at("language").text(&given["language"])?;
            let languages: Vec<&str> = LANGUAGES.split('|').collect();
            place.at("language").one_of(language, &languages)?;
            json!({"rich_text": text("rich_text")?, "caption": text("caption")?, "language": language})
        }
        "equation" => {
            let expression = place.at("expression").text(&given["expression"])?;
            place.at("expression").length(expression, 1000)?;
            json!({"expression": expression})
        }
        "bookmark" | "embed" => {
            let url = place.at("url").text(&given["url"])?;
            place.at("url").length(url, 2000)?;
            json!({"url": url, "caption": text("caption")?})
        }
        "table" => json!({
            "table_width": given["table_width"].as_u64().ok_or_else(|| place.at("table_width").missing())?,
            "has_column_header": given["has_column_header"].as_bool().unwrap_or(false),
            "has_row_header": given["has_row_header"].as_bool().unwrap_or(false),
        }),
        "table_row" => {
            let cells = place.at("cells").list(&given["cells"], 100)?;
            let cell = |(at, cell): (usize, &Value)| {
                rich_text::expand(state, cell, &place.at("cells").item(at)).map(Value::Array)
            };
            json!({"cells": cells.iter().enumerate().map(cell).collect::<Outcome<Vec<_>>>()?})
        }
        "synced_block" => json!({"synced_from": given["synced_from"]}),
        "table_of_contents" => json!({"color": color}),
        "meeting_notes" => json!({"title": text("title")?, "status": "notes_ready"}),
        part if PARTS.contains(&part) => json!({"rich_text": [], "color": "default"}),
        _ => Value::Object(place.object(&given)?.clone()),
    })
}

impl Context<'_> {
    /// Stores `drafts` as children of `parent`; gives the ids of the blocks themselves, without their children's.
    pub(super) fn plant(
        &mut self,
        parent: &str,
        drafts: &[Draft],
        at: At,
        place: &Place,
    ) -> Outcome<Vec<String>> {
        // Everything is checked before anything is stored.
        for (number, draft) in drafts.iter().enumerate() {
            self.check_draft(draft, &place.item(number))?;
        }
        let mut at = at;
        let mut ids = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let id = self.plant_one(parent, draft, &at, place)?;
            if at != At::End {
                at = At::After(id.clone());
            }
            ids.push(id);
        }
        Ok(ids)
    }

    pub(super) fn check_draft(&self, draft: &Draft, place: &Place) -> Outcome<()> {
        if draft.kind.starts_with("child_") || draft.kind == "unsupported" {
            return Ok(());
        }
        // What was said is not written by the API (enhanced-markdown, "Meeting notes": "cannot be edited").
        if draft.kind == "transcript" {
            return match &draft.id {
                Some(_) => Ok(()),
                None => Err(ApiError::validation("A <transcript> cannot be created or edited.")),
            };
        }
        body(self.state, &draft.kind, &draft.body, &place.at(&draft.kind))?;
        let children = place.at(&draft.kind).at("children");
        draft
            .children
            .iter()
            .enumerate()
            .try_for_each(|(at, child)| self.check_draft(child, &children.item(at)))
    }

    fn plant_one(&mut self, parent: &str, draft: &Draft, at: &At, place: &Place) -> Outcome<String> {
        // A page or block that is there already moves to where its tag stands.
        if let Some(id) = draft.id.as_ref().filter(|id| self.state.nodes.contains_key(*id)) {
            let inside = self.state.ancestors(parent).any(|node| node.id == *id);
            if !inside && self.sees(id) {
                self.state.relocate(id, Some(parent), at);
                return Ok(id.clone());
            }
        }
        if ["child_page", "child_database", "unsupported", "transcript"].contains(&draft.kind.as_str()) {
            return Err(ApiError::validation(format!(
                "The markdown refers to a {} that does not exist or is not shared.",
                draft.kind.replace("child_", "")
            )));
        }
        let body = body(self.state, &draft.kind, &draft.body, &place.at(&draft.kind))?;
        let id = self.state.new_id();
        let mut node = self.node(&id, Kind::Block, Some(parent));
        node.data = Map::from_iter([("type".to_owned(), json!(draft.kind)), (draft.kind.clone(), body)]);
        self.state.insert(node, at);
        for child in &draft.children {
            self.plant_one(&id, child, &At::End, place)?;
        }
        Ok(id)
    }

    /// Puts `drafts` in place of what `parent` contains; what reads the same stays.
    pub(super) fn replace(&mut self, parent: &str, drafts: Vec<Draft>, writer: &Writer<'_>) -> Outcome<()> {
        let old = self.state.drafts(parent, &mut |_| true);
        let place = Place::body().at("children");
        let mut kept = Vec::new();
        for step in steps(&old, drafts, writer) {
            let id = match step {
                Step::Keep(id) => id,
                Step::Change(id, draft) => {
                    let body = body(self.state, &draft.kind, &draft.body, &place)?;
                    let (user, now) = (self.caller.user.clone(), self.now.clone());
                    if let Some(node) = self.state.nodes.get_mut(&id) {
                        let mut whole = node.get(&draft.kind).clone();
                        // What Markdown does not say of it stays.
                        for (field, value) in body.as_object().into_iter().flatten() {
                            whole[field] = value.clone();
                        }
                        node.data = Map::from_iter([
                            ("type".to_owned(), json!(draft.kind)),
                            (draft.kind.clone(), whole),
                        ]);
                    }
                    self.state.touch(&id, &user, &now);
                    self.replace(&id, draft.children, writer)?;
                    id
                }
                Step::Add(draft) => self.plant_one(parent, &draft, &At::End, &place)?,
            };
            // The content of a reference is its original's.
            if self.state.nodes.get(&id).is_some_and(|node| node.parent.as_deref() != Some(parent)) {
                self.state.relocate(&id, Some(parent), &At::End);
            }
            kept.push(id);
        }
        for id in self.state.put_first(parent, &kept) {
            self.discard(&id);
        }
        Ok(())
    }

    /// Pages and databases go to the trash, blocks are gone.
    pub(super) fn discard(&mut self, id: &str) {
        match self.state.nodes.get_mut(id) {
            Some(node) if node.kind != Kind::Block => node.in_trash = true,
            Some(_) => self.state.remove(id),
            None => {}
        }
    }

    /// A block's answer.
    pub(super) fn block(&self, node: &Node) -> Value {
        let kind = node.block_type();
        let stored = match node.kind {
            Kind::Page | Kind::Database => json!({"title": node.title()}),
            Kind::DataSource | Kind::Block => node.get(kind).clone(),
        };
        let has_children = match node.kind {
            Kind::Page => node.children.iter().any(|child| self.state.nodes.contains_key(child)),
            Kind::Database => false,
            Kind::DataSource | Kind::Block => !self.state.drafts(&node.id, &mut |_| true).is_empty(),
        };
        // The name of this type changed with 2026-03-11 (upgrade guide).
        let kind = match kind {
            "meeting_notes" if self.old => "transcription",
            part if PARTS.contains(&part) => "paragraph",
            kind => kind,
        };
        let mut block = json!({
            "object": "block", "id": node.id, "parent": self.state.parent_of(node),
            "created_time": node.created_time, "last_edited_time": node.last_edited_time,
            "created_by": partial_user(&node.created_by), "last_edited_by": partial_user(&node.last_edited_by),
            "has_children": has_children, "in_trash": node.in_trash, "archived": node.in_trash,
            "type": kind, kind: stored,
        });
        let body = &mut block[kind];
        match kind {
            "paragraph" if body["icon"].is_null() => body["icon"] = Value::Null,
            "file" if body["name"].is_null() => {
                let place =
                    body["file"]["key"].as_str().or(body["external"]["url"].as_str()).unwrap_or_default();
                body["name"] = json!(place.rsplit('/').next());
            }
            _ => {}
        }
        if node.block_type() == "meeting_notes" {
            for part in node.children.iter().filter_map(|child| self.state.nodes.get(child)) {
                body["children"][format!("{}_block_id", part.block_type())] = json!(part.id);
            }
        }
        files::sign_body(self.site, body);
        block
    }

    /// `GET /blocks/{id}`.
    pub(super) fn get_block(&mut self, id: &str) -> Outcome<Value> {
        let node = self.visible(id, &[Kind::Block, Kind::Page, Kind::Database], "block")?;
        Ok(self.block(node))
    }

    /// `GET /blocks/{id}/children`.
    pub(super) fn list_children(&mut self, id: &str, query: &Query) -> Outcome<Value> {
        let node = self.visible(id, &[Kind::Block, Kind::Page], "block")?;
        let from = node.get("synced_block")["synced_from"]["block_id"].as_str();
        let node = from.and_then(|from| self.state.nodes.get(from)).unwrap_or(node);
        let children = node.children.iter().filter_map(|child| self.state.nodes.get(child));
        let children: Vec<&Node> = children.filter(|child| !child.in_trash).collect();
        page_of_results(query, &children, "block", |node| self.block(node))
    }

    /// `PATCH /blocks/{id}/children`.
    pub(super) fn append_children(&mut self, id: &str, given: &Value) -> Outcome<Value> {
        self.need(Capability::InsertContent)?;
        let parent = self.visible(id, &[Kind::Block, Kind::Page], "block")?;
        let (parent, kind) = (parent.id.clone(), parent.block_type().to_owned());
        let place = Place::body();
        let fields = place.object(given)?;
        place.only(fields, if self.old { &["children", "after"] } else { &["children", "position"] })?;
        let children_allowed = TEXTS.contains(&kind.as_str())
            || ["child_page", "column", "synced_block", "table", "column_list"].contains(&kind.as_str());
        if !children_allowed {
            return Err(ApiError::validation(format!("Block of type {kind} does not support children.")));
        }
        let drafts = list(&given["children"], &place.at("children"), 2)?;
        let after = given["after"].as_str().or_else(|| given["position"]["after_block"]["id"].as_str());
        let at = match (after, given["position"]["type"].as_str()) {
            (Some(after), _) => {
                let after = rich_text::id_in(after).unwrap_or_default();
                let here =
                    self.state.nodes.get(&after).is_some_and(|node| node.parent.as_ref() == Some(&parent));
                if !here {
                    return Err(ApiError::validation(
                        "The block to insert after is not a child of the parent.",
                    ));
                }
                At::After(after)
            }
            (None, Some("start")) => At::Start,
            _ => At::End,
        };
        let ids = self.plant(&parent, &drafts, at, &place.at("children"))?;
        let (user, now) = (self.caller.user.clone(), self.now.clone());
        self.state.touch(&parent, &user, &now);
        let results: Vec<Value> =
            ids.iter().filter_map(|id| self.state.nodes.get(id)).map(|node| self.block(node)).collect();
        Ok(json!({
            "object": "list", "results": results, "next_cursor": null, "has_more": false, "type": "block", "block": {},
        }))
    }

    /// `PATCH /blocks/{id}`.
    pub(super) fn update_block(&mut self, id: &str, given: &Value) -> Outcome<Value> {
        self.need(Capability::UpdateContent)?;
        let node = self.visible(id, &[Kind::Block, Kind::Page, Kind::Database], "block")?;
        let (id, kind) = (node.id.clone(), node.block_type().to_owned());
        let place = Place::body();
        let fields = place.object(given)?;
        self.no_archived(fields)?;
        for (field, value) in fields {
            if field == "type" || field == "in_trash" || field == "archived" {
                continue;
            }
            if *field != kind {
                return Err(ApiError::validation(format!(
                    "Block type cannot be changed: {id} is a {kind}, not a {field}."
                )));
            }
            let place = place.at(field);
            let given = place.object(value)?;
            let mut merged = self.state.nodes[&id].get(&kind).as_object().cloned().unwrap_or_default();
            merged.extend(given.clone());
            let body = body(self.state, &kind, &merged, &place)?;
            if let Some(node) = self.state.nodes.get_mut(&id) {
                node.data.insert(kind.clone(), body);
            }
        }
        if let Some(trash) = given["in_trash"].as_bool().or_else(|| given["archived"].as_bool()) {
            self.set_trash(&id, trash);
        }
        let (user, now) = (self.caller.user.clone(), self.now.clone());
        self.state.touch(&id, &user, &now);
        Ok(self.block(&self.state.nodes[&id]))
    }

    /// `DELETE /blocks/{id}`.
    pub(super) fn delete_block(&mut self, id: &str) -> Outcome<Value> {
        self.need(Capability::UpdateContent)?;
        let id = self.visible(id, &[Kind::Block, Kind::Page, Kind::Database], "block")?.id.clone();
        self.set_trash(&id, true);
        let (user, now) = (self.caller.user.clone(), self.now.clone());
        self.state.touch(&id, &user, &now);
        Ok(self.block(&self.state.nodes[&id]))
    }

    pub(super) fn set_trash(&mut self, id: &str, trash: bool) {
        if let Some(node) = self.state.nodes.get_mut(id) {
            node.in_trash = trash;
        }
    }

    /// `archived` is refused since 2026-03-11 (upgrade guide).
    pub(super) fn no_archived(&self, fields: &Map<String, Value>) -> Outcome<()> {
        match fields.get("archived").filter(|_| !self.old) {
            Some(value) => Err(Place::body().at("archived").should("not present", value)),
            None => Ok(()),
        }
    }
}
