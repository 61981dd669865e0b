//! Completions: tables by name, pages by what was found.

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
        Completions::new("page", pages).as_found(),
        Completions::new("id", pages).as_found(),
    ]
}

/// Ids of pages whose titles hold what was typed.
async fn pages(call: Call<Notion>, typed: String, _: Variables) -> Result<Vec<String>> {
    let found = call.api().search(&typed, Some("page"), 20, None).await?;
    Ok(found.results.iter().map(|item| render::bare(&item.id)).collect())
}
