//! Cycles: what they hold and how far they are.

use connector::{
    Error, Result,
    catalog::{Call, Page, Reply, Tool, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::paging::{self, Position};
use crate::{Linear, render};

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::read(
            "list_cycles",
            "List cycles",
            "Lists a team's cycles, the newest first: dates, progress, issues and points done, growth of scope. For the issues in one, use list_issues with `cycle`.",
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
    /// `current`, `next`, `previous`, `upcoming`, `past` or a number.
    which: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn list_cycles(call: Call<Linear>, args: ListCycles) -> Result<Reply> {
    let team = call.names().team_or_default(args.team.as_deref()).await?;
    let mut filter = match args.which.as_deref() {
        Some(which) => which_filter(which)?,
        None => json!({}),
    };
    filter["team"] = json!({"id": {"eq": team.id}});
    let limit = paging::limit(args.limit, 10, 50)?;
    let position = Position::open(&call, args.cursor.as_deref())?;
    let found = call.api().list_cycles(filter, position.first(limit), position.after()).await?;
    let mut page = Page::new("Linear", ("cycle", "cycles"));
    for cycle in position.rest(&found.nodes) {
        let (row, item) = render::cycles::cycle_row(cycle);
        page.push(row, &item);
    }
    if page.is_empty() && !team.cycles_enabled {
        page = page.note(format!("{} does not use cycles", team.key));
    }
    Ok(Reply::page(position.seal(&call, page, &found)))
}

/// The filter for the cycles that `which` means.
pub(crate) fn which_filter(which: &str) -> Result<Value> {
    let yes = json!({"eq": true});
    Ok(match which.trim().to_lowercase().as_str() {
        "current" | "active" | "now" => json!({"isActive": yes}),
        "next" => json!({"isNext": yes}),
        "previous" | "last" => json!({"isPrevious": yes}),
        "upcoming" | "future" => json!({"isFuture": yes}),
        "past" => json!({"isPast": yes}),
        "all" | "" => json!({}),
        other => match other.trim_start_matches('#').parse::<u32>() {
            Ok(number) => json!({"number": {"eq": number}}),
            Err(_) => {
                return Err(Error::invalid(format!("`which` cannot be {}", one_line(which)))
                    .hint("Give current, next, previous, upcoming, past or a cycle's number"));
            }
        },
    })
}
