//! The names of what rows are linked to, and of what pages stand in.

use std::collections::HashMap;

use futures::future::join_all;
use serde_json::{Map, Value, json};

use crate::{Notion, api::objects::Item, render};

/// Pages that are read only for their titles in one call.
const READ: usize = 10;

/// Titles by id.
pub(crate) type Titles = HashMap<String, String>;

/// The ids in a relation's value, as far as an answer shows them.
pub(crate) fn ids(value: &Value) -> Vec<String> {
    let entries = value["relation"].as_array().into_iter().flatten();
    entries.filter_map(|entry| entry["id"].as_str().map(str::to_owned)).collect()
}

impl Notion {
    /// The titles of pages, of ten at most. What cannot be read has none.
    pub(crate) async fn titles(&self, ids: impl IntoIterator<Item = String>) -> Titles {
        let mut wanted: Vec<String> = Vec::new();
        for id in ids {
            if wanted.len() < READ && !wanted.contains(&id) {
                wanted.push(id);
            }
        }
        let read = wanted.into_iter().map(|id| async move {
            let page = self.api().page(&id).await.ok()?;
            Some((id, render::title(&page.name())))
        });
        join_all(read).await.into_iter().flatten().collect()
    }

    /// The titles of the rows that are shown as linked in `columns` of `rows`. Where they are many, the latest rows of
    /// the linked table are asked for at once.
    pub(crate) async fn linked_titles(
        &self,
        rows: &[Item],
        columns: &[String],
        table: Option<&Map<String, Value>>,
    ) -> Titles {
        let mut titles = Titles::new();
        let mut missing: Vec<String> = Vec::new();
        // Of a single row all are shown.
        let most = if rows.len() == 1 { usize::MAX } else { render::NAMED };
        for name in columns {
            let mut wanted: Vec<String> = Vec::new();
            for row in rows {
                wanted.extend(ids(row.value(name)).into_iter().take(most));
            }
            wanted.sort_unstable();
            wanted.dedup();
            let target = table.and_then(|table| table.get(name)?["relation"]["data_source_id"].as_str());
            if let Some(target) = target.filter(|_| wanted.len() > render::NAMED) {
                titles.extend(self.latest_titles(target).await.0);
            }
            missing.extend(wanted.into_iter().filter(|id| !titles.contains_key(id)));
        }
        titles.extend(self.titles(missing).await);
        titles
    }

    /// The titles of the hundred rows of a table that were edited last, and whether these are all.
    pub(crate) async fn latest_titles(&self, table: &str) -> (Titles, bool) {
        let sorts = json!([{"timestamp": "last_edited_time", "direction": "descending"}]);
        match self.api().query(table, &json!({"page_size": 100, "sorts": sorts})).await {
            Ok(list) => {
                let titles = list.results.iter().map(|row| (row.id.clone(), render::title(&row.name())));
                (titles.collect(), !list.has_more)
            }
            Err(_) => (Titles::new(), false),
        }
    }

    /// The names of the tables that relations among `columns` go to, by their ids.
    pub(crate) async fn targets(&self, columns: impl IntoIterator<Item = &Value>) -> Titles {
        let ids = columns.into_iter().filter_map(|column| column["relation"]["data_source_id"].as_str());
        let mut ids: Vec<&str> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        let read = ids.into_iter().map(|id| async move {
            let source = self.api().data_source(id).await.ok()?;
            Some((id.to_owned(), render::title(&source.name())))
        });
        join_all(read).await.into_iter().flatten().collect()
    }

    /// Puts counts in the place of those that Notion leaves out over more than 25 linked rows, in `columns` of rows of
    /// one table: at most so many as pages are read for titles, as each takes a reading of the whole list. What cannot be
    /// read stays left out.
    pub(crate) async fn count_linked(&self, rows: &mut [Item], columns: &[String]) {
        let is_left_out =
            |value: &Value| value["rollup"]["type"] == "incomplete" && value["rollup"]["function"] == "count";
        let mut left = READ;
        for row in rows {
            for name in columns {
                let Some(("data_source_id", table)) = row.parent_id() else { continue };
                if left == 0 || !is_left_out(row.value(name)) {
                    continue;
                }
                left -= 1;
                let Ok(table) = self.api().data_source(table).await else { continue };
                let relation =
                    table.properties.get(name).map(|column| &column["rollup"]["relation_property_name"]);
                let relation =
                    relation.and_then(Value::as_str).filter(|name| row.value(name)["relation"].is_array());
                if let Some(relation) = relation
                    && let Ok(list) = self.whole_list(row, relation).await
                {
                    row.properties[name]["rollup"] =
                        json!({"type": "number", "number": list.len(), "function": "count"});
                }
            }
        }
    }

    /// The names of what `items` stand in, by its id: pages and tables. What is among them costs nothing.
    pub(crate) async fn places(&self, items: &[&Item]) -> Titles {
        let mut names: Titles =
            items.iter().map(|item| (item.id.clone(), render::title(&item.name()))).collect();
        let mut pages = Vec::new();
        let mut databases: Vec<&str> = Vec::new();
        for item in items {
            match item.parent_id() {
                Some((_, id)) if names.contains_key(id) => {}
                Some(("data_source_id", id)) => {
                    if let Ok(source) = self.api().data_source(id).await {
                        names.insert(id.to_owned(), render::title(&source.name()));
                    }
                }
                Some(("page_id", id)) => pages.push(id.to_owned()),
                Some(("database_id", id)) if databases.len() < READ => databases.push(id),
                _ => {}
            }
        }
        names.extend(self.titles(pages).await);
        let databases = join_all(databases.into_iter().map(|id| self.api().database(id))).await;
        names.extend(
            databases.into_iter().flatten().map(|item| (item.id.clone(), render::title(&item.name()))),
        );
        names
    }
}

/// ` in Runbooks`, ` of the database Roadmap`, where the name of what an item stands in is known, and a table's is not
/// that of its database.
pub(crate) fn place(item: &Item, names: &Titles) -> String {
    let own = render::title(&item.name());
    match item.parent_id() {
        Some(("database_id", id)) => match names.get(id).filter(|name| **name != own) {
            Some(name) => format!(" of the database {name}"),
            None => String::new(),
        },
        Some((_, id)) => names.get(id).map(|name| format!(" in {name}")).unwrap_or_default(),
        None => String::new(),
    }
}
