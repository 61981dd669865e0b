//! Completions for the arguments of prompts and the variables of templates: names from the cached directories.

use connector::{
    Result,
    catalog::{Call, Completions, Variables, one_line},
};

use crate::{HubSpot, api::objects::Search, render::title, resolve::standard_names};

/// How many records are looked at.
const RECORDS: u32 = 20;

/// Every source of completions.
pub(crate) fn all() -> Vec<Completions<HubSpot>> {
    let owner = |name| {
        Completions::new(name, |call: Call<HubSpot>, _, _| async move {
            let owners = call.api().owners().await?;
            Ok(owners
                .into_iter()
                .filter(|owner| !owner.archived)
                .map(|owner| one_line(&owner.name()))
                .collect())
        })
    };
    vec![
        Completions::new("object", |call: Call<HubSpot>, _, _| async move {
            let custom = call.api().schemas().await.unwrap_or_default();
            let custom = custom.into_iter().map(|schema| one_line(&schema.labels.plural));
            Ok(custom.chain(standard_names().into_iter().map(str::to_owned)).collect())
        }),
        owner("owner"),
        owner("from_owner"),
        owner("to_owner"),
        Completions::new("pipeline", |call: Call<HubSpot>, _, _| async move {
            let deals = call.names().object("deals").await?;
            Ok(call
                .names()
                .pipelines(&deals)
                .await?
                .iter()
                .map(|pipeline| one_line(&pipeline.label))
                .collect())
        }),
        Completions::new("list", |call: Call<HubSpot>, typed: String, _| async move {
            let found = call.api().search_lists(typed.trim(), &[], 50, 0).await?;
            Ok(found.lists.iter().map(|list| one_line(&list.name)).collect())
        }),
        Completions::new("record", record),
        Completions::new("id", id).as_found(),
    ]
}

/// Records by a part of their name.
async fn found(call: Call<HubSpot>, typed: String, others: Variables) -> Result<Vec<(String, String)>> {
    let object = match others.text("object") {
        "" => "contacts",
        object => object,
    };
    let object = call.names().object(object).await?;
    let search =
        Search { query: typed, properties: object.title_properties(), limit: RECORDS, ..Search::default() };
    let found = call.api().search(&object, &search).await?;
    Ok(found.results.iter().map(|record| (title(&object, record), record.id.clone())).collect())
}

async fn record(call: Call<HubSpot>, typed: String, others: Variables) -> Result<Vec<String>> {
    Ok(found(call, typed, others).await?.into_iter().map(|(name, _)| name).collect())
}

async fn id(call: Call<HubSpot>, typed: String, others: Variables) -> Result<Vec<String>> {
    Ok(found(call, typed, others).await?.into_iter().map(|(_, id)| id).collect())
}
