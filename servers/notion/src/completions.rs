//! Completions: tables by name, templates of a table, pages by what was found.

use connector::{
    Result,
    catalog::{Call, Completions, Variables},
};

use crate::{Notion, render};

/// Every source of completions.
pub(crate) fn all() -> Vec<Completions<Notion>> {
    vec![
        Completions::new("database", |call: Call<Notion>, _typed: String, _: Variables| async move {
            let found = call.api().search("", Some("data_source"), 100, None).await?;
            Ok(found.results.iter().map(|item| render::title(&item.name())).collect())
        }),
        Completions::new("template", |call: Call<Notion>, _typed: String, given: Variables| async move {
            let Some(database) = given.given("database") else { return Ok(Vec::new()) };
            let table = call.table(database).await?;
            let templates = call.api().templates(&table.id).await?;
            Ok(templates.iter().map(|template| render::title(&template.name)).collect())
        }),
        Completions::new("page", pages).as_found(),
        Completions::new("id", pages).as_found(),
    ]
}

/// Ids of pages whose titles hold what was typed.
async fn pages(call: Call<Notion>, typed: String, _: Variables) -> Result<Vec<String>> {
    let found = call.api().search(&typed, Some("page"), 20, None).await?;
    Ok(found.results.iter().map(|item| render::bare(&item.id)).collect())
}
