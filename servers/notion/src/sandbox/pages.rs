//! Pages and their Markdown.

use serde_json::{Map, Value, json};

use super::{
    auth::Capability,
    blocks,
    check::Place,
    errors::{ApiError, Outcome},
    files,
    markdown::{self, Draft},
    properties, rich_text,
    routes::{Context, Query, page_of_results},
    tree::{At, Kind, Node, partial_user},
};

/// The largest request (request-limits).
pub(super) const PAYLOAD: usize = 500 * 1024;
/// How many pages' looks it takes until a template is applied.
pub(super) const TEMPLATE_LOOKS: u32 = 2;

impl Context<'_> {
    /// A page's answer, with only these properties if any are named.
    pub(super) fn page(&self, node: &Node, only: &[String]) -> Value {
        let mut properties = properties::shown(self.state, node, only);
        for value in properties.values_mut() {
            if !self.caller.may(Capability::Users) {
                nameless(value);
            }
            value["files"]
                .as_array_mut()
                .into_iter()
                .flatten()
                .for_each(|file| files::sign_body(self.site, file));
            if value["files"].is_null()
                && let Some(value) = value.as_object_mut()
            {
                value.remove("files");
            }
        }
        json!({
            "object": "page", "id": node.id, "created_time": node.created_time,
            "last_edited_time": node.last_edited_time, "created_by": partial_user(&node.created_by),
            "last_edited_by": partial_user(&node.last_edited_by), "cover": node.get("cover"), "icon": node.get("icon"),
            "parent": self.state.parent_of(node), "in_trash": node.in_trash, "archived": node.in_trash,
            "is_archived": false, "is_locked": node.get("is_locked").as_bool().unwrap_or(false),
            "properties": properties, "url": self.state.url(node), "public_url": null,
        })
    }

    /// `POST /pages`.
    pub(super) fn create_page(&mut self, given: &Value, query: &Query) -> Outcome<Value> {
        self.need(Capability::InsertContent)?;
        let place = Place::body();
        let fields = place.object(given)?;
        place.only(
            fields,
            &[
                "parent",
                "properties",
                "icon",
                "cover",
                "children",
                "content",
                "markdown",
                "template",
                "position",
                "allow_async",
            ],
        )?;
        let body = !given["children"].is_null() || !given["content"].is_null();
        let markdown = given["markdown"].as_str();
        if body && markdown.is_some() {
            return Err(ApiError::validation("Provide only one of `children`, `content` and `markdown`."));
        }
        let template = given["template"]["type"].as_str().filter(|kind| *kind != "none");
        if template.is_some() && (body || markdown.is_some()) {
            return Err(ApiError::validation(
                "`children` and `markdown` cannot be combined with a `template`.",
            ));
        }
        let parent = self.new_parent(&given["parent"], &place.at("parent"))?;
        let table = parent.as_ref().and_then(|parent| self.state.of_kind(parent, Kind::DataSource));
        if table.is_some_and(|table| table.children.len() >= self.site.settings().row_limit) {
            return Err(ApiError::row_limit());
        }
        let mut drafts = match markdown {
            Some(markdown) => markdown::parse(markdown),
            None if given["children"].is_null() => Vec::new(),
            None => blocks::list(&given["children"], &place.at("children"), 2)?,
        };
        let mut properties = given["properties"].clone();
        let untitled = properties.as_object().is_none_or(Map::is_empty);
        // "If properties.title is omitted, the first # h1 heading is extracted as the page title."
        if untitled && markdown.is_some() && drafts.first().is_some_and(|draft| draft.kind == "heading_1") {
            let title = drafts.remove(0).rich_text().to_vec();
            let column = self.schema_under(parent.as_deref());
            let name =
                column.iter().find(|(_, column)| column["type"] == "title").map(|(name, _)| name.clone());
            properties = json!({name.unwrap_or_else(|| "title".to_owned()): {"title": title}});
        }
        let template = match template {
            Some(kind) => Some(self.template(parent.as_deref(), kind, &given["template"])?),
            None => None,
        };
        let id = self.state.new_id();
        let mut node = self.node(&id, Kind::Page, parent.as_deref());
        node.data.insert("icon".to_owned(), self.state.icon(&given["icon"], &place.at("icon"))?);
        node.data.insert("cover".to_owned(), given["cover"].clone());
        node.data.insert("properties".to_owned(), json!({}));
        let at = match given["position"]["type"].as_str() {
            Some("page_start") => At::Start,
            Some("after_block") => At::After(
                given["position"]["after_block"]["id"]
                    .as_str()
                    .and_then(rich_text::id_in)
                    .unwrap_or_default(),
            ),
            _ => At::End,
        };
        // What is wrong with the content is found before the page is there.
        let draft_place = place.at("children");
        self.state.insert(node, &at);
        let stored = self
            .set_properties(&id, &properties, &place.at("properties"))
            .and_then(|()| self.plant(&id, &drafts, At::End, &draft_place).map(|_| ()));
        if let Err(error) = stored {
            self.state.remove(&id);
            return Err(error);
        }
        self.number(&id);
        if let Some(template) = template {
            self.state.pending.push((id.clone(), template, self.site.settings().template_looks));
        }
        let only = query.all("filter_properties");
        let page = self.page(&self.state.nodes[&id], &only);
        if given["allow_async"] == true && markdown.is_some() {
            return Ok(self.task("POST /v1/pages", page));
        }
        Ok(page)
    }

    /// The next number of a `unique_id` column.
    fn number(&mut self, page: &str) {
        let Some(source) = self.state.nodes.get(page).and_then(|node| node.parent.clone()) else { return };
        let Some(source) = self.state.nodes.get_mut(&source) else { return };
        let Some(schema) = source.data.get_mut("properties").and_then(Value::as_object_mut) else { return };
        let column = schema.iter_mut().find(|(_, column)| column["type"] == "unique_id");
        let Some((name, column)) = column else { return };
        let next = column["unique_id"]["next"].as_u64().unwrap_or(1);
        column["unique_id"]["next"] = json!(next + 1);
        let value = json!({"id": column["id"], "type": "unique_id", "unique_id": {"number": next}});
        let name = name.clone();
        if let Some(node) = self.state.nodes.get_mut(page) {
            node.data["properties"][name.as_str()] = value;
        }
    }

    /// Where a new page goes: the id of a page or data source, or none for the workspace.
    fn new_parent(&self, parent: &Value, place: &Place) -> Outcome<Option<String>> {
        place.object(parent)?;
        if let Some(id) = parent.get("page_id") {
            let id = place.at("page_id").id(id)?;
            return Ok(Some(self.visible(&id, &[Kind::Page], "page")?.id.clone()));
        }
        if let Some(id) = parent.get("data_source_id") {
            let id = place.at("data_source_id").id(id)?;
            return Ok(Some(self.visible(&id, &[Kind::DataSource], "data_source")?.id.clone()));
        }
        if let Some(id) = parent.get("database_id") {
            let id = place.at("database_id").id(id)?;
            let sources = &self.visible(&id, &[Kind::Database], "database")?.children;
            return match sources.as_slice() {
                [source] => Ok(Some(source.clone())),
                _ => Err(ApiError::validation(format!(
                    "Databases with multiple data sources are not supported in this API version. Database with ID {id} has {} data sources.",
                    sources.len()
                ))),
            };
        }
        if parent["workspace"] == true {
            if self.caller.sees_all {
                return Ok(None);
            }
            return Err(ApiError::validation(
                "Internal integrations aren't owned by a single user, so creating workspace-level private pages is not supported.",
            ));
        }
        Err(place.at("page_id").missing())
    }

    fn schema_under(&self, parent: Option<&str>) -> Map<String, Value> {
        let source = parent.and_then(|parent| self.state.of_kind(parent, Kind::DataSource));
        source
            .and_then(|source| source.get("properties").as_object().cloned())
            .unwrap_or_else(properties::plain_schema)
    }

    /// Sets the given values of a page; all are checked before any is set.
    pub(super) fn set_properties(&mut self, id: &str, given: &Value, place: &Place) -> Outcome<()> {
        if given.is_null() {
            return Ok(());
        }
        let given = place.object(given)?.clone();
        let parent = self.state.nodes.get(id).and_then(|node| node.parent.clone());
        let mut schema = self.schema_under(parent.as_deref());
        let mut values = Vec::new();
        for (name, value) in &given {
            let (name, mut column) = properties::find(&schema, name)
                .map(|(name, column)| (name.clone(), column.clone()))
                .ok_or_else(|| ApiError::validation(format!("{name} is not a property that exists.")))?;
            let stored = properties::value(self.state, &name, &mut column, value, place)?;
            schema.insert(name.clone(), column.clone());
            values.push((name, column, stored));
        }
        if let Some(source) = parent.and_then(|parent| self.state.nodes.get_mut(&parent))
            && source.kind == Kind::DataSource
        {
            source.data.insert("properties".to_owned(), Value::Object(schema));
        }
        for (name, column, stored) in values {
            let before = self.state.nodes[id].get("properties")[name.as_str()].clone();
            properties::sync(self.state, id, &column, &before, &stored);
            if let Some(node) = self.state.nodes.get_mut(id) {
                node.data["properties"][name.as_str()] = stored;
            }
        }
        Ok(())
    }

    /// The template that a request names: the default one, or one by its id.
    fn template(&self, source: Option<&str>, kind: &str, given: &Value) -> Outcome<String> {
        let here = || {
            self.state
                .templates
                .iter()
                .filter(|template| Some(template["data_source"].as_str().unwrap_or_default()) == source)
        };
        let found = match kind {
            "default" => here().find(|template| template["is_default"] == true),
            "template_id" => {
                let id = Place::body().at("template").at("template_id").id(&given["template_id"])?;
                here().find(|template| template["id"] == id.as_str())
            }
            _ => {
                return Err(Place::body()
                    .at("template")
                    .at("type")
                    .should("\"none\", \"default\" or \"template_id\"", &json!(kind)));
            }
        };
        if let Some(zone) = given["timezone"].as_str()
            && jiff::tz::TimeZone::get(zone).is_err()
        {
            return Err(Place::body()
                .at("template")
                .at("timezone")
                .should("a valid time zone", &given["timezone"]));
        }
        let id = found.and_then(|found| found["id"].as_str());
        id.map(str::to_owned).ok_or_else(|| ApiError::validation("The data source has no such template."))
    }

    /// Applies templates whose time has come; each look at a page brings it nearer.
    pub(super) fn look(&mut self, id: &str) -> Outcome<()> {
        let Some(at) = self.state.pending.iter().position(|(page, ..)| page == id) else { return Ok(()) };
        if self.state.pending[at].2 > 0 {
            self.state.pending[at].2 -= 1;
            return Ok(());
        }
        let (page, template, _) = self.state.pending.remove(at);
        let mut drafts = self.state.drafts(&template, &mut |_| true);
        strip_ids(&mut drafts);
        // Template content is added after what is there.
        self.plant(&page, &drafts, At::End, &Place::body().at("children"))?;
        let user = self.caller.user.clone();
        let now = self.now.clone();
        self.state.touch(&page, &user, &now);
        Ok(())
    }

    /// `GET /pages/{id}`.
    pub(super) fn get_page(&mut self, id: &str, query: &Query) -> Outcome<Value> {
        let id = self.visible(id, &[Kind::Page], "page")?.id.clone();
        Ok(self.page(&self.state.nodes[&id], &query.all("filter_properties")))
    }

    /// `PATCH /pages/{id}`.
    pub(super) fn update_page(&mut self, id: &str, given: &Value, query: &Query) -> Outcome<Value> {
        self.need(Capability::UpdateContent)?;
        let node = self.visible(id, &[Kind::Page], "page")?;
        let (id, trashed) = (node.id.clone(), node.in_trash);
        let place = Place::body();
        let fields = place.object(given)?;
        self.no_archived(fields)?;
        place.only(
            fields,
            &[
                "properties",
                "icon",
                "cover",
                "in_trash",
                "archived",
                "is_archived",
                "is_locked",
                "template",
                "erase_content",
            ],
        )?;
        let trash = given["in_trash"].as_bool().or_else(|| given["archived"].as_bool());
        if trashed && trash != Some(false) {
            return Err(ApiError::validation(
                "Can't edit block that is archived. You must unarchive the block before editing.",
            ));
        }
        let icon = self.state.icon(&given["icon"], &place.at("icon"))?;
        self.set_properties(&id, &given["properties"], &place.at("properties"))?;
        if let Some(trash) = trash {
            self.set_trash(&id, trash);
        }
        let template = match given["template"]["type"].as_str() {
            Some(kind) => {
                let parent = self.state.nodes[&id].parent.clone();
                Some(self.template(parent.as_deref(), kind, &given["template"])?)
            }
            None => None,
        };
        if given["erase_content"] == true {
            for child in self.state.nodes[&id].children.clone() {
                self.discard(&child);
            }
        }
        if let Some(template) = template {
            self.state.pending.push((id.clone(), template, self.site.settings().template_looks));
        }
        if let Some(node) = self.state.nodes.get_mut(&id) {
            for field in ["icon", "cover", "is_locked"] {
                if let Some(value) = fields.get(field) {
                    let value = if field == "icon" { &icon } else { value };
                    node.data.insert(field.to_owned(), value.clone());
                }
            }
        }
        let (user, now) = (self.caller.user.clone(), self.now.clone());
        self.state.touch(&id, &user, &now);
        Ok(self.page(&self.state.nodes[&id], &query.all("filter_properties")))
    }

    /// `POST /pages/{id}/move`: under a page or into a data source.
    pub(super) fn move_page(&mut self, id: &str, given: &Value) -> Outcome<Value> {
        self.need(Capability::UpdateContent)?;
        let id = self.visible(id, &[Kind::Page], "page")?.id.clone();
        let place = Place::body().at("parent");
        let fields = place.object(&given["parent"])?;
        place.only(fields, &["type", "page_id", "data_source_id"])?;
        let parent = self.new_parent(&given["parent"], &place)?;
        if parent.iter().any(|parent| self.state.ancestors(parent).any(|node| node.id == id)) {
            return Err(ApiError::validation("A page cannot be moved into itself."));
        }
        let values = self.state.nodes[&id].title();
        self.state.relocate(&id, parent.as_deref(), &At::End);
        // Its title goes along; other values stay with the table that it left.
        let schema = self.schema_under(parent.as_deref());
        let title = schema.iter().find(|(_, column)| column["type"] == "title").map(|(name, _)| name.clone());
        if let (Some(title), Some(node)) = (title, self.state.nodes.get_mut(&id)) {
            let kept = node.data["properties"]
                .as_object()
                .and_then(|values| values.values().find(|value| value["type"] == "title").cloned());
            let kept = kept.unwrap_or_else(
                || json!({"id": "title", "type": "title", "title": rich_text::plain_request(&values)}),
            );
            node.data["properties"][title.as_str()] = kept;
        }
        self.number(&id);
        let (user, now) = (self.caller.user.clone(), self.now.clone());
        self.state.touch(&id, &user, &now);
        Ok(self.page(&self.state.nodes[&id], &[]))
    }

    /// `GET /pages/{id}/properties/{property}`: a value whole, lists by pages.
    pub(super) fn get_property(&mut self, id: &str, property: &str, query: &Query) -> Outcome<Value> {
        let node = self.visible(id, &[Kind::Page], "page")?;
        let values = properties::values(self.state, node);
        let found = values.iter().find(|(name, value)| value["id"] == property || *name == property);
        let Some((_, value)) = found else {
            return Err(ApiError::not_found("property", property, self.caller.name));
        };
        let kind = value["type"].as_str().unwrap_or_default();
        if !matches!(kind, "title" | "rich_text" | "people" | "relation") {
            let mut item = value.clone();
            item["object"] = json!("property_item");
            return Ok(item);
        }
        let items = value[kind].as_array().cloned().unwrap_or_default();
        let mut page = page_of_results(
            query,
            &items,
            "property_item",
            |item| json!({"object": "property_item", "id": value["id"], "type": kind, kind: item}),
        )?;
        page["property_item"] = json!({"id": value["id"], "type": kind, kind: {}, "next_url": null});
        Ok(page)
    }
}

/// Without the capability to read user information people are ids (developers.notion.com/reference/capabilities).
fn nameless(value: &mut Value) {
    let kind = value["type"].as_str().unwrap_or_default().to_owned();
    let one = |user: &mut Value| *user = partial_user(user["id"].as_str().unwrap_or_default());
    match &mut value[kind.as_str()] {
        Value::Array(users) if kind == "people" => users.iter_mut().for_each(one),
        user @ Value::Object(_) if kind == "created_by" || kind == "last_edited_by" => one(user),
        _ => {}
    }
}

fn strip_ids(drafts: &mut [Draft]) {
    for draft in drafts {
        draft.id = None;
        strip_ids(&mut draft.children);
    }
}
