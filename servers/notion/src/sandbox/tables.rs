//! Databases, their data sources, and questions to them.

use serde_json::{Map, Value, json};

use super::{
    auth::Capability,
    check::Place,
    errors::{ApiError, Outcome},
    properties,
    query::Query as Rows,
    rich_text,
    routes::{Context, Query, page_of_results},
    tree::{At, Kind, Node, partial_user},
};

impl Context<'_> {
    /// A database's answer.
    pub(super) fn database(&self, node: &Node) -> Value {
        let sources =
            node.children.iter().filter_map(|id| self.state.nodes.get(id)).filter(|source| !source.in_trash);
        let sources: Vec<Value> =
            sources.map(|source| json!({"id": source.id, "name": source.title()})).collect();
        json!({
            "object": "database", "id": node.id, "title": node.get("title"), "description": list(node, "description"),
            "parent": self.state.parent_of(node), "is_inline": node.get("is_inline").as_bool().unwrap_or(false),
            "in_trash": node.in_trash, "archived": node.in_trash, "is_locked": false,
            "created_time": node.created_time, "last_edited_time": node.last_edited_time, "data_sources": sources,
            "icon": node.get("icon"), "cover": node.get("cover"), "url": self.state.url(node), "public_url": null,
        })
    }

    /// A data source's answer.
    pub(super) fn data_source(&self, node: &Node) -> Value {
        let database = node.parent.as_ref().and_then(|id| self.state.nodes.get(id));
        let mut properties = node.get("properties").clone();
        for column in properties.as_object_mut().into_iter().flat_map(Map::values_mut) {
            if let Some(column) = column["unique_id"].as_object_mut() {
                column.remove("next");
            }
            if column["unique_id"].is_null()
                && let Some(column) = column.as_object_mut()
            {
                column.remove("unique_id");
            }
            if column["type"] == "rollup" {
                let (relation, target) = self.of_rollup(node, &column["rollup"]);
                column["rollup"]["relation_property_id"] = relation;
                column["rollup"]["rollup_property_id"] = target;
            }
        }
        json!({
            "object": "data_source", "id": node.id, "title": node.get("title"), "description": list(node, "description"),
            "parent": {"type": "database_id", "database_id": node.parent},
            "database_parent": database.map(|database| self.state.parent_of(database)),
            "is_inline": database.is_some_and(|database| database.get("is_inline") == true),
            "in_trash": node.in_trash, "archived": node.in_trash, "created_time": node.created_time,
            "last_edited_time": node.last_edited_time, "created_by": partial_user(&node.created_by),
            "last_edited_by": partial_user(&node.last_edited_by), "properties": properties,
            "icon": node.get("icon"), "cover": node.get("cover"), "url": self.state.url(node), "public_url": null,
        })
    }

    /// The ids of the relation that a rollup goes over, and of the column that it reads there.
    fn of_rollup(&self, node: &Node, rollup: &Value) -> (Value, Value) {
        let id = |node: &Node, field: &str| {
            let column = &node.get("properties")[rollup[field].as_str().unwrap_or_default()];
            (column["id"].clone(), column["relation"]["data_source_id"].as_str().map(str::to_owned))
        };
        let (relation, target) = id(node, "relation_property_name");
        let target = target.and_then(|target| self.state.nodes.get(&target));
        (relation, target.map_or(Value::Null, |target| id(target, "rollup_property_name").0))
    }

    /// `GET /databases/{id}`.
    pub(super) fn get_database(&mut self, id: &str) -> Outcome<Value> {
        let node = self.visible(id, &[Kind::Database], "database")?;
        // Linked databases are not supported (upgrade guide 2025-09-03).
        if node.get("linked") == true {
            return Err(ApiError::validation(format!(
                "Database with ID {} does not contain any data sources accessible by this API bot.",
                node.id
            )));
        }
        Ok(self.database(node))
    }

    /// `POST /databases`.
    pub(super) fn create_database(&mut self, given: &Value) -> Outcome<Value> {
        self.need(Capability::InsertContent)?;
        let place = Place::body();
        let fields = place.object(given)?;
        place.only(
            fields,
            &["parent", "title", "description", "is_inline", "initial_data_source", "icon", "cover", "type"],
        )?;
        let parent = place.at("parent").at("page_id").id(&given["parent"]["page_id"])?;
        let parent = self.visible(&parent, &[Kind::Page], "page")?.id.clone();
        let title = rich_text::expand(self.state, or_list(&given["title"]), &place.at("title"))?;
        let id = self.state.new_id();
        let mut node = self.node(&id, Kind::Database, Some(&parent));
        node.data.insert("title".to_owned(), json!(title));
        for field in ["description", "is_inline", "icon", "cover"] {
            node.data.insert(field.to_owned(), given[field].clone());
        }
        let columns = given["initial_data_source"]["properties"].clone();
        self.state.insert(node, &At::End);
        match self.add_source(&id, title, &columns, &place.at("initial_data_source").at("properties")) {
            Ok(source) => {
                self.add_view(&source, "Default view", "table");
                Ok(self.database(&self.state.nodes[&id]))
            }
            Err(error) => {
                self.state.remove(&id);
                Err(error)
            }
        }
    }

    fn add_source(
        &mut self,
        database: &str,
        title: Vec<Value>,
        columns: &Value,
        place: &Place,
    ) -> Outcome<String> {
        let mut schema = Map::new();
        for (name, column) in columns.as_object().into_iter().flatten() {
            schema.insert(name.clone(), properties::column(self.state, name, column, &place.at(name))?);
        }
        match schema.values().filter(|column| column["type"] == "title").count() {
            1 => {}
            0 if schema.is_empty() => {
                schema.insert(
                    "Name".to_owned(),
                    json!({"id": "title", "name": "Name", "description": null, "type": "title", "title": {}}),
                );
            }
            0 => return Err(ApiError::validation("Title is not provided.")),
            _ => return Err(ApiError::validation("A data source has exactly one title property.")),
        }
        let id = self.state.new_id();
        let mut node = self.node(&id, Kind::DataSource, Some(database));
        node.data.insert("title".to_owned(), json!(title));
        node.data.insert("properties".to_owned(), Value::Object(schema));
        self.state.insert(node, &At::End);
        Ok(id)
    }

    /// `PATCH /databases/{id}`.
    pub(super) fn update_database(&mut self, id: &str, given: &Value) -> Outcome<Value> {
        self.need(Capability::UpdateContent)?;
        let id = self.visible(id, &[Kind::Database], "database")?.id.clone();
        let place = Place::body();
        place.only(
            place.object(given)?,
            &["parent", "title", "description", "is_inline", "icon", "cover", "in_trash", "is_locked"],
        )?;
        self.describe(&id, given)?;
        if let Some(trash) = given["in_trash"].as_bool() {
            self.set_trash(&id, trash);
        }
        Ok(self.database(&self.state.nodes[&id]))
    }

    /// Sets title, description, icon and the like.
    fn describe(&mut self, id: &str, given: &Value) -> Outcome<()> {
        for field in ["title", "description"] {
            if !given[field].is_null() {
                let text = rich_text::expand(self.state, &given[field], &Place::body().at(field))?;
                if let Some(node) = self.state.nodes.get_mut(id) {
                    node.data.insert(field.to_owned(), json!(text));
                }
            }
        }
        let (user, now) = (self.caller.user.clone(), self.now.clone());
        if let Some(node) = self.state.nodes.get_mut(id) {
            for field in ["icon", "cover", "is_inline", "is_locked"] {
                if let Some(value) = given.get(field) {
                    node.data.insert(field.to_owned(), value.clone());
                }
            }
        }
        self.state.touch(id, &user, &now);
        Ok(())
    }

    /// `POST /data_sources`.
    pub(super) fn create_data_source(&mut self, given: &Value) -> Outcome<Value> {
        self.need(Capability::InsertContent)?;
        let place = Place::body();
        let database = place.at("parent").at("database_id").id(&given["parent"]["database_id"])?;
        let database = self.visible(&database, &[Kind::Database], "database")?.id.clone();
        let title = rich_text::expand(self.state, or_list(&given["title"]), &place.at("title"))?;
        let id = self.add_source(&database, title, &given["properties"], &place.at("properties"))?;
        Ok(self.data_source(&self.state.nodes[&id]))
    }

    /// `GET /data_sources/{id}`.
    pub(super) fn get_data_source(&mut self, id: &str) -> Outcome<Value> {
        let node = self.visible(id, &[Kind::DataSource], "data_source")?;
        Ok(self.data_source(node))
    }

    /// `PATCH /data_sources/{id}`.
    pub(super) fn update_data_source(&mut self, id: &str, given: &Value) -> Outcome<Value> {
        self.need(Capability::UpdateContent)?;
        let id = self.visible(id, &[Kind::DataSource], "data_source")?.id.clone();
        let place = Place::body();
        let fields = place.object(given)?;
        self.no_archived(fields)?;
        let mut schema = self.state.nodes[&id].get("properties").as_object().cloned().unwrap_or_default();
        let mut renamed = Vec::new();
        for (name, change) in given["properties"].as_object().into_iter().flatten() {
            let place = place.at("properties").at(name);
            let found = properties::find(&schema, name).map(|(name, column)| (name.clone(), column.clone()));
            match (found, change.is_null()) {
                (Some((name, column)), true) => {
                    if column["type"] == "title" {
                        return Err(ApiError::validation("Cannot delete the title property."));
                    }
                    schema.shift_remove(&name);
                }
                (None, true) => {
                    return Err(ApiError::validation(format!("{name} is not a property that exists.")));
                }
                (None, false) => {
                    let column = properties::column(self.state, name, change, &place)?;
                    if column["type"] == "title" {
                        return Err(ApiError::validation("A data source has exactly one title property."));
                    }
                    schema.insert(name.clone(), column);
                }
                (Some((name, mut column)), false) => {
                    self.change_column(&mut column, change, &place)?;
                    let new = change["name"].as_str().unwrap_or(&name).to_owned();
                    if new != name && schema.contains_key(&new) {
                        return Err(ApiError::validation(format!("A property named {new} exists already.")));
                    }
                    column["name"] = json!(new);
                    // Its place among the columns stays.
                    schema = schema
                        .into_iter()
                        .map(
                            |(key, value)| {
                                if key == name { (new.clone(), column.clone()) } else { (key, value) }
                            },
                        )
                        .collect();
                    if new != name {
                        renamed.push((name, new));
                    }
                }
            }
        }
        self.describe(&id, given)?;
        if let Some(node) = self.state.nodes.get_mut(&id) {
            node.data.insert("properties".to_owned(), Value::Object(schema));
        }
        let rows = self.state.nodes[&id].children.clone();
        for (row, (old, new)) in rows.iter().flat_map(|row| renamed.iter().map(move |names| (row, names))) {
            if let Some(values) =
                self.state.nodes.get_mut(row).and_then(|row| row.data["properties"].as_object_mut())
                && let Some(value) = values.shift_remove(old)
            {
                values.insert(new.clone(), value);
            }
        }
        if let Some(trash) = given["in_trash"].as_bool().or_else(|| given["archived"].as_bool()) {
            self.set_trash(&id, trash);
        }
        Ok(self.data_source(&self.state.nodes[&id]))
    }

    fn change_column(&mut self, column: &mut Value, change: &Value, place: &Place) -> Outcome<()> {
        let kind = column["type"].as_str().unwrap_or_default().to_owned();
        let Some(given) = properties::type_of(change) else { return Ok(()) };
        if given != kind {
            if kind == "title" || given == "title" || kind == "status" {
                return Err(ApiError::validation(format!("Cannot change a {kind} property to {given}.")));
            }
            let name = column["name"].as_str().unwrap_or_default().to_owned();
            let id = column["id"].clone();
            *column = properties::column(self.state, &name, change, place)?;
            column["id"] = id;
            return Ok(());
        }
        if !change[given]["options"].is_null() {
            let options = properties::options(self.state, &change[given]["options"], &place.at(given))?;
            column[given]["options"] = json!(options);
        }
        for (kind, field) in [("number", "format"), ("formula", "expression"), ("unique_id", "prefix")] {
            if let Some(text) = change[kind][field].as_str() {
                column[kind][field] = json!(text);
            }
        }
        Ok(())
    }

    /// `GET /data_sources/{id}/templates`.
    pub(super) fn list_templates(&mut self, id: &str, query: &Query) -> Outcome<Value> {
        let id = self.visible(id, &[Kind::DataSource], "data_source")?.id.clone();
        let wanted = query.get("name").map(str::to_lowercase);
        let templates = self.state.templates.iter().filter(|template| {
            let name = template["name"].as_str().unwrap_or_default().to_lowercase();
            template["data_source"] == id.as_str()
                && wanted.as_ref().is_none_or(|wanted| name.contains(wanted))
        });
        let templates: Vec<&Value> = templates.collect();
        let mut page = page_of_results(
            query,
            &templates,
            "template",
            |template| json!({"id": template["id"], "name": template["name"], "is_default": template["is_default"]}),
        )?;
        let results = page["results"].take();
        Ok(json!({"templates": results, "has_more": page["has_more"], "next_cursor": page["next_cursor"]}))
    }

    /// `POST /data_sources/{id}/query`.
    pub(super) fn query_data_source(&mut self, id: &str, given: &Value, query: &Query) -> Outcome<Value> {
        let node = self.visible(id, &[Kind::DataSource], "data_source")?;
        let place = Place::body();
        let fields = place.object(given)?;
        let known = [
            "filter",
            "sorts",
            "start_cursor",
            "page_size",
            "in_trash",
            "result_type",
            "archived",
            "is_archived",
        ];
        place.only(fields, &known)?;
        self.no_archived(fields)?;
        let trash = given["in_trash"].as_bool().unwrap_or(false);
        let rows = self.rows(node, &given["filter"], &given["sorts"], trash)?;
        // One question yields so many rows at most (SDK 5.26.0: request_status).
        let most = self.site.settings().query_rows;
        let incomplete = rows.len() > most;
        let rows = &rows[..rows.len().min(most)];
        let only = query.all("filter_properties");
        let mut page =
            page_of_results(&Query::of(given), rows, "page_or_data_source", |row| self.page(row, &only))?;
        page["request_status"] = if incomplete && page["has_more"] == false {
            json!({"type": "incomplete", "incomplete_reason": "query_result_limit_reached"})
        } else {
            json!({"type": "complete"})
        };
        Ok(page)
    }

    /// The rows of a data source that pass `filter`, sorted.
    pub(super) fn rows(
        &self,
        source: &Node,
        filter: &Value,
        sorts: &Value,
        trash: bool,
    ) -> Outcome<Vec<&Node>> {
        let empty = Map::new();
        let rows = Rows {
            state: self.state,
            schema: source.get("properties").as_object().unwrap_or(&empty),
            today: self.site.clock().today(),
            me: &self.caller.user,
        };
        let place = Place::body().at("filter");
        let mut found = Vec::new();
        for row in source.children.iter().filter_map(|id| self.state.nodes.get(id)) {
            let passes = filter.is_null() || rows.passes(row, filter, 0, &place)?;
            if passes && row.in_trash == trash {
                found.push(row);
            }
        }
        if source.children.is_empty() && !filter.is_null() {
            // A wrong filter is refused although there is nothing to judge by it.
            let nobody = self.node("", Kind::Page, Some(&source.id));
            rows.passes(&nobody, filter, 0, &place)?;
        }
        rows.sort(&mut found, sorts, &Place::body().at("sorts"))?;
        Ok(found)
    }
}

fn list(node: &Node, field: &str) -> Value {
    match node.get(field) {
        Value::Null => json!([]),
        list => list.clone(),
    }
}

/// A list of a request that may be left out.
fn or_list(value: &Value) -> &Value {
    const EMPTY: &Value = &Value::Array(Vec::new());
    if value.is_null() { EMPTY } else { value }
}
