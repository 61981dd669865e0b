//! Cycles: what they hold and how far they are.

use connector::{
    Error, Result,
    catalog::{Call, Page, Reply, Tool},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{FROM, Position, limit, paging};
use crate::{Linear, filter, render};

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::read(
            "list_cycles",
            "List cycles",
            "A team's cycles, newest first: dates, points done. For the issues in one: list_issues with cycle.",
            list_cycles,
        )
        .toolset("projects")
        .aliases(&[("type", "which"), ("cycle", "which"), ("teamId", "team")])
        .output_page::<render::cycles::CycleItem>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListCycles {
    team: Option<String>,
    /// current, next, previous, upcoming, past or a number
    which: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn list_cycles(call: Call<Linear>, args: ListCycles) -> Result<Reply> {
    let team = call.names().team_or_default(args.team.as_deref()).await?;
    let mut filter = match args.which.as_deref() {
        Some(which) if filter::is_none(which) => {
            return Err(Error::invalid("`which`: \"none\" is not a cycle")
                .with_hint("Use current, next, previous, upcoming, past, all or a number"));
        }
        Some(which) => which_filter(which),
        None => json!({}),
    };
    filter["team"] = json!({"id": {"eq": team.id}});
    let first = limit(args.limit, 10, 50);
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let found = call.api().list_cycles(filter, position.first(first, 250), position.after.as_deref()).await?;
    let mut page = Page::new(FROM, ("cycle", "cycles"));
    for cycle in found.nodes.iter().skip(position.skip) {
        let (row, item) = render::cycles::cycle_row(cycle);
        page.push(row, &item);
    }
    if let Some(which) = args.which.as_deref().filter(|which| page.is_empty() && !is_stretch(which)) {
        // One cycle was meant, and it is not there.
        call.names().cycle(which, &team).await?;
    }
    if page.is_empty() && position.after.is_none() && !team.cycles_enabled {
        page = page.note(format!("{} does not use cycles", team.key));
    }
    Ok(Reply::page(paging::close(&call, page, position, &found)))
}

/// Whether `which` means a stretch of time, in which there may be no cycle.
fn is_stretch(which: &str) -> bool {
    matches!(which.trim().to_lowercase().as_str(), "upcoming" | "future" | "past" | "all" | "")
}

/// The filter for the cycles that `which` means: a stretch of time, or one cycle.
fn which_filter(which: &str) -> Value {
    match which.trim().to_lowercase().as_str() {
        "upcoming" | "future" => json!({"isFuture": {"eq": true}}),
        "past" => json!({"isPast": {"eq": true}}),
        "all" | "" => json!({}),
        _ => filter::cycle(which),
    }
}
