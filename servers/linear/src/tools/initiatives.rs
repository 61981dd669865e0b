//! Initiatives and the projects in them.

use connector::{
    Result,
    catalog::{Call, Page, Reply, Tool},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{FROM, Position, limit, paging, projects_read::Health};
use crate::{Linear, filter::is_none, render, resolve::Entry as _};

/// The most initiatives of one page: each brings up to 25 projects along.
const MOST: u32 = 20;

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::read(
            "list_initiatives",
            "List initiatives",
            "Initiatives: status, health, owner, progress of their projects.",
            list_initiatives,
        )
        .toolset("projects")
        .aliases(&[("name", "query")])
        .output_page::<render::projects::InitiativeItem>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListInitiatives {
    query: Option<String>,
    #[serde(default)]
    status: Vec<Status>,
    /// Name, me or none
    owner: Option<String>,
    health: Option<Health>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    #[serde(alias = "Proposed")]
    Proposed,
    #[serde(alias = "Planned")]
    Planned,
    #[serde(alias = "Active")]
    Active,
    #[serde(alias = "Completed")]
    Completed,
    #[serde(alias = "Canceled")]
    Canceled,
}

impl Status {
    /// Linear's word.
    fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "Proposed",
            Self::Planned => "Planned",
            Self::Active => "Active",
            Self::Completed => "Completed",
            Self::Canceled => "Canceled",
        }
    }
}

async fn list_initiatives(call: Call<Linear>, args: ListInitiatives) -> Result<Reply> {
    let mut filter = json!({});
    if let Some(query) = args.query.as_deref().map(str::trim).filter(|query| !query.is_empty()) {
        filter["name"] = json!({"containsIgnoreCase": query});
    }
    if !args.status.is_empty() {
        let words: Vec<_> = args.status.iter().map(|status| status.as_str()).collect();
        filter["status"] = json!({"in": words});
    }
    let mut taken_for = String::new();
    match args.owner.as_deref() {
        None => {}
        Some(owner) if is_none(owner) => filter["owner"] = json!({"null": true}),
        Some(owner) => {
            let owner = call.names().anybody(owner).await?;
            taken_for = format!("owned by {}", owner.describe());
            filter["owner"] = json!({"id": {"eq": owner.id}});
        }
    }
    if let Some(health) = args.health {
        filter["health"] = json!({"eq": health.as_str()});
    }
    let first = limit(args.limit, 10, MOST);
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let found =
        call.api().list_initiatives(filter, position.first(first, 250), position.after.as_deref()).await?;
    let mut page = Page::new(FROM, ("initiative", "initiatives")).note(taken_for);
    for initiative in found.nodes.iter().skip(position.skip) {
        let (row, item) = render::projects::initiative_row(initiative);
        page.push(row, &item);
    }
    Ok(Reply::page(paging::close(&call, page, position, &found)))
}
