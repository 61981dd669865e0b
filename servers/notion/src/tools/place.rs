//! Pages moved, put into the trash and taken out of it.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::{Notion, api::objects::Item, render, resolve};

/// Pages in one call.
const MOST: usize = 25;

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::write(
            "move_pages",
            "Move pages",
            "Moves pages under another page (id or URL) or into a table (name, id or URL).",
            move_pages,
        )
        .toolset("pages")
        .confirmable()
        .idempotent()
        .aliases(&[
            ("id", "ids"),
            ("page_ids", "ids"),
            ("pages", "ids"),
            ("to", "parent"),
            ("new_parent", "parent"),
        ])
        .output::<Written>(),
        Tool::destructive(
            "trash_pages",
            "Trash pages",
            "Puts pages or rows into the trash with all below them; `restore` takes them out again.",
            trash_pages,
        )
        .toolset("pages")
        .idempotent()
        .aliases(&[("id", "ids"), ("page_ids", "ids"), ("pages", "ids")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MovePages {
    ids: Vec<String>,
    parent: String,
}

async fn pages(call: &Call<Notion>, ids: &[String]) -> Result<Vec<Item>> {
    if ids.is_empty() || ids.len() > MOST {
        return Err(Error::invalid(format!("`ids` takes 1 to {MOST} pages, not {}", ids.len())));
    }
    let mut pages = Vec::with_capacity(ids.len());
    for id in ids {
        pages.push(call.api().page(&resolve::page_id("ids", id)?).await?);
    }
    Ok(pages)
}

fn titles(pages: &[Item]) -> String {
    pages
        .iter()
        .map(|page| format!("{} ({})", render::title(&page.name()), render::bare(&page.id)))
        .collect::<Vec<_>>()
        .join(", ")
}

async fn move_pages(call: Call<Notion>, arguments: MovePages) -> Result<Plan> {
    let pages = pages(&call, &arguments.ids).await?;
    let id = resolve::id_of(&arguments.parent);
    let target = match &id {
        Some(id) => call.api().page(id).await.ok(),
        None => None,
    };
    let (parent, name) = match target {
        Some(page) => (json!({"page_id": page.id}), format!("under {}", render::title(&page.name()))),
        None => {
            let table = call.table(&arguments.parent).await?;
            (json!({"data_source_id": table.id}), format!("into the table {}", table.name))
        }
    };
    let preview = Reply::new(format!("Move {} {name}.", titles(&pages)));
    let many = pages.len() > 5;
    let plan = Plan::new(preview, move || async move {
        let total = pages.len();
        let mut written = Written::default();
        for (done, page) in pages.iter().enumerate() {
            let moved = match call.api().move_page(&page.id, &parent).await {
                Ok(moved) => moved,
                Err(error) if done == 0 => return Err(error),
                Err(error) => {
                    written.summary = format!(
                        "Moved {done} of {total} pages {name}; {} failed: {}",
                        render::title(&page.name()),
                        error.for_agent()
                    );
                    return Ok(Reply::written(written));
                }
            };
            let target = parent["page_id"].as_str().or_else(|| parent["data_source_id"].as_str());
            if moved.parent_id().map(|(_, id)| id) != target {
                return Err(Error::new(
                    Kind::Upstream,
                    format!("Notion accepted the move of {} but did not do it", render::title(&page.name())),
                ));
            }
            written = written.change(format!("{} · {}", render::title(&page.name()), render::bare(&page.id)));
        }
        written.summary = format!("Moved {total} {} {name}.", if total == 1 { "page" } else { "pages" });
        Ok(Reply::written(written))
    });
    Ok(if many { plan.ask() } else { plan })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TrashPages {
    ids: Vec<String>,
    #[serde(default)]
    restore: bool,
}

async fn trash_pages(call: Call<Notion>, arguments: TrashPages) -> Result<Plan> {
    let TrashPages { ids, restore } = arguments;
    let pages = pages(&call, &ids).await?;
    let (wanted, same): (Vec<Item>, Vec<Item>) = pages.into_iter().partition(|page| page.in_trash == restore);
    let state = if restore { "not in the trash" } else { "in the trash" };
    if wanted.is_empty() {
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing changed: {} {state} already.",
            titles(&same)
        )))));
    }
    let preview = if restore {
        Reply::new(format!("Take out of the trash: {}.", titles(&wanted)))
    } else {
        Reply::new(format!("Put into the trash, with all below: {}.", titles(&wanted)))
    };
    let plan = Plan::new(preview, move || async move {
        let total = wanted.len();
        let mut written = Written::default();
        for (done, page) in wanted.iter().enumerate() {
            let name = render::title(&page.name());
            let now = match call.api().update_page(&page.id, &json!({"in_trash": !restore})).await {
                Ok(now) => now,
                Err(error) if done == 0 => return Err(error),
                Err(error) => {
                    written.summary =
                        format!("{done} of {total} pages are done; {name} failed: {}", error.for_agent());
                    return Ok(Reply::written(written));
                }
            };
            // Notion has accepted this and done nothing (makenotion/notion-mcp-server#258).
            if now.in_trash == restore {
                return Err(Error::new(
                    Kind::Upstream,
                    format!(
                        "Notion accepted it but did not do it: {name} is still {}",
                        if restore { "in the trash" } else { "there" }
                    ),
                )
                .with_hint(if done == 0 {
                    "Nothing was changed".to_owned()
                } else {
                    format!("{done} pages before it are done")
                }));
            }
            written = written.change(format!("{name} · {}", render::bare(&page.id)));
        }
        let word = if total == 1 { "page" } else { "pages" };
        written.summary = if restore {
            format!("Took {total} {word} out of the trash.")
        } else {
            format!("Put {total} {word} into the trash; `restore` takes them out again.")
        };
        Ok(Reply::written(written))
    });
    Ok(if restore { plan.harmless() } else { plan })
}
