//! Saved views, and the questions that they answer (SDK 5.26.0: views).

use serde_json::{Value, json};

use super::{
    auth::Capability,
    check::Place,
    errors::{ApiError, Outcome},
    routes::{Context, Query, page_of_results},
    tree::{Kind, partial_user},
};

const TYPES: [&str; 10] =
    ["table", "board", "list", "calendar", "timeline", "gallery", "form", "chart", "map", "dashboard"];
/// How long the results of a view's question stay.
const QUERY_SECONDS: u64 = 15 * 60;

impl Context<'_> {
    /// A new view of a data source.
    pub(super) fn add_view(&mut self, source: &str, name: &str, kind: &str) -> String {
        let id = self.state.new_id();
        let database = self.state.nodes.get(source).and_then(|source| source.parent.clone());
        let view = json!({
            "object": "view", "id": id, "parent": {"type": "database_id", "database_id": database}, "name": name,
            "type": kind, "created_time": self.now, "last_edited_time": self.now,
            "url": format!("https://www.notion.so/{}?v={}", database.unwrap_or_default().replace('-', ""), id.replace('-', "")),
            "data_source_id": source, "created_by": partial_user(&self.caller.user),
            "last_edited_by": partial_user(&self.caller.user), "filter": null, "sorts": null, "quick_filters": null,
            "configuration": {"type": kind},
        });
        self.state.views.insert(id.clone(), view);
        id
    }

    fn view(&self, id: &str) -> Outcome<Value> {
        let id = Place::path().at("view_id").id(&json!(id))?;
        let view = self
            .state
            .views
            .get(&id)
            .filter(|view| view["data_source_id"].as_str().is_some_and(|source| self.sees(source)));
        view.cloned().ok_or_else(|| ApiError::not_found("view", &id, self.caller.name))
    }

    /// `GET /views?database_id=…`.
    pub(super) fn list_views(&mut self, query: &Query) -> Outcome<Value> {
        let (database, source) = (query.id("database_id")?, query.id("data_source_id")?);
        match (&database, &source) {
            (Some(id), None) => self.visible(id, &[Kind::Database], "database").map(|_| ())?,
            (None, Some(id)) => self.visible(id, &[Kind::DataSource], "data_source").map(|_| ())?,
            _ => return Err(ApiError::validation("Provide one of `database_id` and `data_source_id`.")),
        }
        let views = self.state.views.values().filter(|view| {
            database.as_ref().is_some_and(|id| view["parent"]["database_id"] == id.as_str())
                || source.as_ref().is_some_and(|id| view["data_source_id"] == id.as_str())
        });
        let views: Vec<&Value> = views.collect();
        page_of_results(query, &views, "view", |view| json!({"object": "view", "id": view["id"]}))
    }

    /// `GET /views/{id}`.
    pub(super) fn get_view(&mut self, id: &str) -> Outcome<Value> {
        self.view(id)
    }

    /// `POST /views`.
    pub(super) fn create_view(&mut self, given: &Value) -> Outcome<Value> {
        self.need(Capability::InsertContent)?;
        let place = Place::body();
        let source = place.at("data_source_id").id(&given["data_source_id"])?;
        let source = self.visible(&source, &[Kind::DataSource], "data_source")?.id.clone();
        let name = place.at("name").text(&given["name"])?.to_owned();
        let kind = place.at("type").text(&given["type"])?.to_owned();
        place.at("type").one_of(&kind, &TYPES)?;
        self.check_view(&source, given)?;
        let id = self.add_view(&source, &name, &kind);
        self.set_view(&id, given);
        self.view(&id)
    }

    fn check_view(&self, source: &str, given: &Value) -> Outcome<()> {
        let node = &self.state.nodes[source];
        self.rows(node, &given["filter"], &given["sorts"], false).map(|_| ())
    }

    fn set_view(&mut self, id: &str, given: &Value) {
        let now = self.now.clone();
        let Some(view) = self.state.views.get_mut(id) else { return };
        for field in ["name", "filter", "sorts", "quick_filters", "configuration"] {
            if let Some(value) = given.get(field) {
                view[field] = value.clone();
            }
        }
        view["last_edited_time"] = json!(now);
    }

    /// `PATCH /views/{id}`.
    pub(super) fn update_view(&mut self, id: &str, given: &Value) -> Outcome<Value> {
        self.need(Capability::UpdateContent)?;
        let view = self.view(id)?;
        Place::body().only(
            Place::body().object(given)?,
            &["name", "filter", "sorts", "quick_filters", "configuration"],
        )?;
        self.check_view(view["data_source_id"].as_str().unwrap_or_default(), given)?;
        let id = view["id"].as_str().unwrap_or_default().to_owned();
        self.set_view(&id, given);
        self.view(&id)
    }

    /// `DELETE /views/{id}`.
    pub(super) fn delete_view(&mut self, id: &str) -> Outcome<Value> {
        self.need(Capability::UpdateContent)?;
        let view = self.view(id)?;
        let database = &view["parent"]["database_id"];
        if self.state.views.values().filter(|other| other["parent"]["database_id"] == *database).count() == 1
        {
            return Err(ApiError::validation("Cannot delete the last view of a database."));
        }
        self.state.views.remove(view["id"].as_str().unwrap_or_default());
        Ok(view)
    }

    /// `POST /views/{id}/queries`.
    pub(super) fn create_view_query(&mut self, id: &str, given: &Value) -> Outcome<Value> {
        let view = self.view(id)?;
        let source = self.state.nodes.get(view["data_source_id"].as_str().unwrap_or_default());
        let source = source.ok_or_else(|| ApiError::not_found("data_source", id, self.caller.name))?;
        let rows = self.rows(source, &view["filter"], &view["sorts"], false)?;
        let results: Vec<Value> = rows.iter().map(|row| json!({"object": "page", "id": row.id})).collect();
        let expires = self.site.clock().now() + std::time::Duration::from_secs(QUERY_SECONDS);
        let query = json!({
            "object": "view_query", "view_id": view["id"], "total_count": results.len(), "results": results,
            "expires_at": connector::sandbox::VirtualClock::iso(expires),
        });
        let query_id = self.state.new_id();
        let mut query = query;
        query["id"] = json!(query_id);
        self.state.view_queries.insert(query_id.clone(), query);
        self.view_page(&query_id, &Query::of(given))
    }

    fn view_page(&self, id: &str, query: &Query) -> Outcome<Value> {
        let stored = self.state.view_queries.get(id);
        let alive =
            stored.filter(|stored| stored["expires_at"].as_str().is_some_and(|at| at > self.now.as_str()));
        let stored = alive.ok_or_else(|| ApiError::not_found("view_query", id, self.caller.name))?;
        let results = stored["results"].as_array().cloned().unwrap_or_default();
        let page = page_of_results(query, &results, "page", Value::clone)?;
        let mut answer = stored.clone();
        for field in ["results", "has_more", "next_cursor"] {
            answer[field] = page[field].clone();
        }
        answer["request_status"] = json!({"type": "complete"});
        Ok(answer)
    }

    /// `GET /views/{id}/queries/{query}`.
    pub(super) fn get_view_query(&mut self, id: &str, query_id: &str, query: &Query) -> Outcome<Value> {
        self.view(id)?;
        let page = self.view_page(query_id, query)?;
        Ok(json!({
            "object": "list", "type": "page", "page": {}, "results": page["results"], "has_more": page["has_more"],
            "next_cursor": page["next_cursor"], "request_status": {"type": "complete"},
        }))
    }

    /// `DELETE /views/{id}/queries/{query}`.
    pub(super) fn delete_view_query(&mut self, id: &str, query_id: &str) -> Outcome<Value> {
        self.view(id)?;
        let gone = self.state.view_queries.remove(query_id).is_some();
        Ok(json!({"object": "view_query", "id": query_id, "deleted": gone}))
    }
}
