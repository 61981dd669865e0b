//! Tables by any of their ids, their address, or their name.
//!
//! Notion has three layers for one table: a database holds data sources, which hold the rows; views show them. An
//! id of the wrong layer is "not found", so on that the other layers are asked once, and what is found is kept.

use connector::{
    Error, Kind, Result,
    catalog::{nearest, one_line, words},
};
use futures::future::join_all;
use serde_json::{Map, Value};

use super::{id_of, pages::NOT_SHARED, same, view_of};
use crate::{
    Notion,
    api::objects::{Item, View},
    error::is_linked,
    render,
};

/// Databases whose titles are asked for.
const DATABASES: usize = 20;
/// Tables that an error lists.
const LISTED: usize = 20;

/// A table whose columns are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// The data source's id.
    pub(crate) id: String,
    pub(crate) name: String,
    /// The database that holds it.
    pub(crate) database: Option<String>,
    pub(crate) columns: Map<String, Value>,
    /// The view that was named, whose filter and order apply.
    pub(crate) view: Option<View>,
}

impl Table {
    fn new(source: Item, view: Option<View>) -> Self {
        Self {
            name: render::title(&source.name()),
            database: source.parent["database_id"].as_str().map(str::to_owned),
            id: source.id,
            columns: source.properties,
            view,
        }
    }

    /// The column of this name, or an error that names the nearest.
    ///
    /// # Errors
    /// `invalid_argument` if there is none.
    pub(crate) fn column(&self, name: &str) -> Result<(&str, &Value)> {
        let found = self.columns.iter().find(|(known, column)| same(known, name) || column["id"] == name);
        // Models call the title by whatever name.
        let title = || {
            let called = ["title", "name"].iter().any(|word| same(word, name));
            self.columns.iter().find(|(_, column)| called && column["type"] == "title")
        };
        let found = found.or_else(title).map(|(name, column)| (name.as_str(), column));
        found.ok_or_else(|| {
            let error = Error::invalid(format!("The table {} has no column `{}`", self.name, one_line(name)));
            match nearest(name, self.columns.keys().map(String::as_str)) {
                Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                None => {
                    let names: Vec<&str> = self.columns.keys().map(String::as_str).collect();
                    error.with_hint(format!("It has: {}", names.join(", ")))
                }
            }
        })
    }

    /// The name of its title column.
    pub(crate) fn title(&self) -> &str {
        self.columns
            .iter()
            .find(|(_, column)| column["type"] == "title")
            .map_or("title", |(name, _)| name.as_str())
    }
}

/// The names of a column's options.
pub(crate) fn options(column: &Value) -> Vec<&str> {
    let kind = column["type"].as_str().unwrap_or_default();
    column[kind]["options"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|option| option["name"].as_str())
        .collect()
}

/// The options of a column in the order that a board shows them: those of a status by its groups.
pub(crate) fn in_order(column: &Value) -> Vec<&str> {
    let groups = column["status"]["groups"].as_array().into_iter().flatten();
    let ids = groups.flat_map(|group| group["option_ids"].as_array().into_iter().flatten());
    let known = || column["status"]["options"].as_array().into_iter().flatten();
    let named: Vec<&str> =
        ids.filter_map(|id| known().find(|option| option["id"] == *id)?["name"].as_str()).collect();
    if named.is_empty() { options(column) } else { named }
}

impl Notion {
    /// The table that `text` means.
    ///
    /// # Errors
    /// `not_found` with what to do; `invalid_argument` listing the tables it may mean.
    pub(crate) async fn table(&self, text: &str) -> Result<Table> {
        if let Some(view) = view_of(text) {
            return self.table_of_view(&view).await;
        }
        let Some(id) = id_of(text) else { return self.table_by_name(text).await };
        if let Some(source) = self.kept_table(&id) {
            return Ok(Table::new(self.api().data_source(&source).await?, None));
        }
        match self.api().data_source(&id).await {
            Ok(source) => return Ok(Table::new(source, None)),
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
        match self.api().database(&id).await {
            Ok(database) => return self.only_table(&id, &database).await,
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) if is_linked(&error) => {
                return Err(Error::invalid(
                    "This is a linked database, whose source is not reachable with this token",
                )
                .with_hint(
                    "Open the source database in Notion and share that, or give the id of one of its views",
                ));
            }
            Err(error) => return Err(error),
        }
        match self.table_of_view(&id).await {
            Err(error) if error.kind() == Kind::NotFound => Err(self.no_table(&id).await),
            other => other,
        }
    }

    /// The error of an id that is no table's: it may be a page's.
    async fn no_table(&self, id: &str) -> Error {
        let Ok(page) = self.api().page(id).await else {
            return Error::not_found(format!(
                "{} is not a table: not found, or not shared with this connection",
                render::bare(id)
            ))
            .with_hint("search with `type` database lists the tables");
        };
        let inside = self.api().children(id, 100, None).await.map(|list| list.results).unwrap_or_default();
        let tables = inside.iter().filter(|block| block["type"] == "child_database").map(|block| {
            let title = block["child_database"]["title"].as_str().unwrap_or_default();
            format!("{} ({})", render::title(title), render::bare(block["id"].as_str().unwrap_or_default()))
        });
        let tables: Vec<String> = tables.collect();
        let error = Error::invalid(format!("This is the page {}, not a table", render::title(&page.name())));
        error.with_hint(match tables.as_slice() {
            [] => "search with `type` database lists the tables".to_owned(),
            tables => format!("Tables on it: {}", words::listed(tables, LISTED)),
        })
    }

    async fn table_of_view(&self, view: &str) -> Result<Table> {
        let view = self.api().view(view).await?;
        let source = view.data_source_id.clone().unwrap_or_default();
        let source = self.api().data_source(&source).await?;
        Ok(Table::new(source, Some(view)))
    }

    async fn only_table(&self, id: &str, database: &Item) -> Result<Table> {
        match database.data_sources.as_slice() {
            [source] => {
                self.keep_table(id, &source.id);
                Ok(Table::new(self.api().data_source(&source.id).await?, None))
            }
            [] => Err(Error::not_found("This database has no table that the connection can reach")),
            many => {
                let names: Vec<String> = many
                    .iter()
                    .map(|source| format!("{} ({})", one_line(&source.name), render::bare(&source.id)))
                    .collect();
                let name = render::title(&database.name());
                Err(Error::invalid(format!(
                    "The database {name} has {} tables: {}",
                    many.len(),
                    names.join(", ")
                ))
                .with_hint("Give the id of one of them"))
            }
        }
    }

    /// The databases that the connection sees tables of, and those tables, of the first hundred. A search finds tables
    /// by their own names only.
    pub(crate) async fn databases(&self) -> Result<(Vec<Item>, Vec<Item>)> {
        let tables = self.api().search("", Some("data_source"), 100, None).await?.results;
        let mut ids: Vec<&str> =
            tables.iter().filter_map(|table| table.parent["database_id"].as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.truncate(DATABASES);
        let read = join_all(ids.into_iter().map(|id| self.api().database(id))).await;
        Ok((read.into_iter().flatten().collect(), tables))
    }

    async fn table_by_name(&self, name: &str) -> Result<Table> {
        let found = self.api().search(name, Some("data_source"), 50, None).await?;
        let exact: Vec<&Item> = found.results.iter().filter(|item| same(&item.name(), name)).collect();
        match exact.as_slice() {
            [one] => Ok(Table::new((*one).clone(), None)),
            [] => {
                let (databases, tables) = self.databases().await?;
                if let Some(database) = databases.iter().find(|database| same(&database.name(), name)) {
                    return self.only_table(&database.id, database).await;
                }
                let error = Error::not_found(format!("No table is called {}", one_line(name)));
                let names: Vec<String> = tables.iter().map(|item| render::title(&item.name())).collect();
                Err(if names.is_empty() {
                    error.with_hint(format!("No table is shared with this connection. {NOT_SHARED}"))
                } else {
                    error.with_hint(format!(
                        "There are: {}. A page is given by its id or title, a view as `view`",
                        words::listed(&names, LISTED)
                    ))
                })
            }
            many => {
                let ids: Vec<String> = many.iter().map(|item| render::bare(&item.id)).collect();
                Err(Error::invalid(format!(
                    "{} tables are called {}: {}",
                    many.len(),
                    one_line(name),
                    ids.join(", ")
                ))
                .with_hint("Give the id of one of them"))
            }
        }
    }
}
