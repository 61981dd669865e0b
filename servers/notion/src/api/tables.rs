//! Databases, the tables in them, their rows, templates and views.

use std::time::Duration;

use connector::{Effect, Result, upstream::Request};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Api, asks,
    objects::{Item, List, Named, View},
    pages::paged,
};

/// How long a table's columns are taken to stay; own changes end it at once.
const TTL: Duration = Duration::from_secs(300);
/// What kept answers about tables depend on.
pub(crate) const TABLES: &str = "tables";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Templates {
    templates: Vec<Named>,
}

impl Api {
    /// A database: the tables in it.
    pub(crate) async fn database(&self, id: &str) -> Result<Item> {
        self.send(Request::route("GET /databases/{id}", &[id]).cache(TTL, [TABLES])).await
    }

    /// A table: its columns.
    pub(crate) async fn data_source(&self, id: &str) -> Result<Item> {
        self.send(Request::route("GET /data_sources/{id}", &[id]).cache(TTL, [TABLES])).await
    }

    /// Rows of a table.
    pub(crate) async fn query(&self, id: &str, body: &Value) -> Result<List<Item>> {
        self.send(asks("POST /data_sources/{id}/query", &[id]).json(body)?).await
    }

    /// A table's templates.
    pub(crate) async fn templates(&self, id: &str) -> Result<Vec<Named>> {
        let request = paged(Request::route("GET /data_sources/{id}/templates", &[id]), 100, None);
        Ok(self.send::<Templates>(request.cache(TTL, [TABLES])).await?.templates)
    }

    /// A table's views, by their ids alone.
    pub(crate) async fn views(&self, source: &str) -> Result<Vec<View>> {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let request = Request::route("GET /views", &[]).query("data_source_id", source);
            let page: List<View> =
                self.send(paged(request, 100, cursor.as_deref()).cache(TTL, [TABLES])).await?;
            let next = page.next(cursor.as_deref()).map(str::to_owned);
            all.extend(page.results);
            if next.is_none() {
                return Ok(all);
            }
            cursor = next;
        }
    }

    /// Creates a database with one table in it.
    pub(crate) async fn create_database(&self, body: &Value) -> Result<Item> {
        let request = Request::route("POST /databases", &[]).json(body)?;
        self.send(request.invalidates([TABLES]).check("Look whether the page has the database")).await
    }

    /// Changes a database: puts it into the trash, takes it out.
    pub(crate) async fn update_database(&self, id: &str, body: &Value) -> Result<Item> {
        let request = Request::route("PATCH /databases/{id}", &[id]).json(body)?;
        let request = if body["in_trash"] == true { request.effect(Effect::Destructive) } else { request };
        self.send(request.invalidates([TABLES]).check("Look at the database with get_database")).await
    }

    /// A database as it is this moment.
    pub(crate) async fn database_now(&self, id: &str) -> Result<Item> {
        self.send(Request::route("GET /databases/{id}", &[id])).await
    }

    /// Changes a table's columns.
    pub(crate) async fn update_data_source(&self, id: &str, body: &Value) -> Result<Item> {
        let request = Request::route("PATCH /data_sources/{id}", &[id]).json(body)?;
        let request = request.effect(Effect::Destructive).invalidates([TABLES]);
        self.send(request.check("Look at the columns with get_database")).await
    }

    /// A table's columns as they are this moment.
    pub(crate) async fn data_source_now(&self, id: &str) -> Result<Item> {
        self.send(Request::route("GET /data_sources/{id}", &[id])).await
    }

    /// Saves a new view.
    pub(crate) async fn create_view(&self, body: &Value) -> Result<View> {
        let request = Request::route("POST /views", &[]).json(body)?;
        self.send(request.invalidates([TABLES]).check("Look at the views with get_database")).await
    }

    /// Changes a view.
    pub(crate) async fn update_view(&self, id: &str, body: &Value) -> Result<View> {
        let request = Request::route("PATCH /views/{id}", &[id]).json(body)?;
        self.send(request.invalidates([TABLES]).check("Look at the views with get_database")).await
    }

    /// Deletes a view; the rows stay.
    pub(crate) async fn delete_view(&self, id: &str) -> Result<Value> {
        let request = Request::route("DELETE /views/{id}", &[id]).effect(Effect::Destructive);
        self.send(request.invalidates([TABLES]).check("Look at the views with get_database")).await
    }

    /// A view as it is this moment.
    pub(crate) async fn view_now(&self, id: &str) -> Result<View> {
        self.send(Request::route("GET /views/{id}", &[id])).await
    }

    /// A saved view.
    pub(crate) async fn view(&self, id: &str) -> Result<View> {
        self.send(Request::route("GET /views/{id}", &[id]).cache(TTL, [TABLES])).await
    }
}
