//! The names of what rows are linked to, and of what pages stand in.

use std::collections::HashMap;

use futures::future::join_all;
use serde_json::{Value, json};

use super::tables::Table;
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
        table: Option<&Table>,
    ) -> Titles {
        let mut titles = Titles::new();
        let mut missing: Vec<String> = Vec::new();
        for name in columns {
            let mut wanted: Vec<String> = Vec::new();
            for row in rows {
                wanted.extend(ids(row.value(name)).into_iter().take(render::NAMED));
            }
            wanted.sort_unstable();
            wanted.dedup();
            let target =
                table.and_then(|table| table.columns.get(name)?["relation"]["data_source_id"].as_str());
            if let Some(target) = target.filter(|_| wanted.len() > render::NAMED) {
                let sorts = json!([{"timestamp": "last_edited_time", "direction": "descending"}]);
                let latest = self.api().query(target, &json!({"page_size": 100, "sorts": sorts})).await;
                let latest = latest.map(|list| list.results).unwrap_or_default();
                titles.extend(latest.into_iter().map(|row| (row.id.clone(), render::title(&row.name()))));
            }
            missing.extend(wanted.into_iter().filter(|id| !titles.contains_key(id)));
        }
        titles.extend(self.titles(missing).await);
        titles
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

/// ` in Runbooks`, where the name of what an item stands in is known, and a table's is not that of its database.
pub(crate) fn place(item: &Item, names: &Titles) -> String {
    let own = render::title(&item.name());
    let name = item
        .parent_id()
        .and_then(|(kind, id)| names.get(id).filter(|name| kind != "database_id" || **name != own));
    name.map(|name| format!(" in {name}")).unwrap_or_default()
}
