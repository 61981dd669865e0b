//! Pages moved, put into the trash and taken out of it.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Plan, Reply, Tool, Written,
        reconcile::{self, Seen},
        words,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{outcome, told};
use crate::{Notion, api::objects::Item, render, resolve::pages::Place};

/// Pages in one call.
const MOST: usize = 25;
/// What is counted.
const PAGES: (&str, &str) = ("page", "pages");

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::write(
            "move_pages",
            "Move pages",
            "Moves pages or rows under another page or into a table, each by id, URL or exact title.",
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
            "Puts pages or rows (id, URL or exact title) into the trash with all below them; `restore` takes them out again.",
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
        pages.push(call.api().page(&call.page_id("ids", id).await?).await?);
    }
    Ok(pages)
}

fn named(page: &Item) -> String {
    format!("{} ({})", render::title(&page.name()), render::bare(&page.id))
}

fn titles(pages: &[Item]) -> String {
    pages.iter().map(named).collect::<Vec<_>>().join(", ")
}

/// Sends a change of a page until its outcome is known: again only while nothing has changed.
async fn settled<Send, Sent>(
    call: &Call<Notion>,
    page: &Item,
    send: Send,
    is_done: impl Fn(&Item) -> bool,
) -> Result<(Item, bool)>
where
    Send: FnMut() -> Sent,
    Sent: Future<Output = Result<Item>>,
{
    let before = render::state(page);
    let look = || async {
        let now = call.api().page(&page.id).await?;
        Ok(match &now {
            now if is_done(now) => Seen::Done(now.clone()),
            now if render::state(now) == before => Seen::Untouched,
            _ => Seen::Changed,
        })
    };
    reconcile::updated(send, look).await
}

/// What became of the pages before one that was not done.
fn told_before(done: usize) -> String {
    match done {
        0 => "Nothing was changed".to_owned(),
        1 => "The page before it is done".to_owned(),
        done => format!("The {done} pages before it are done"),
    }
}

/// The pages after one that failed.
fn untried(done: usize, total: usize) -> String {
    if done + 1 < total { format!(" {}", outcome::untried(PAGES, done + 2, total)) } else { String::new() }
}

async fn move_pages(call: Call<Notion>, arguments: MovePages) -> Result<Plan> {
    let pages = pages(&call, &arguments.ids).await?;
    let (parent, name, to) = match call.parent(&arguments.parent).await? {
        Place::Page(page) => {
            let to = render::title(&page.name());
            (json!({"type": "page_id", "page_id": page.id}), format!("under {to}"), to)
        }
        Place::Table(table) => (
            json!({"type": "data_source_id", "data_source_id": table.id}),
            format!("into the table {}", table.name),
            table.name,
        ),
    };
    let places = call.places(&pages.iter().collect::<Vec<_>>()).await;
    let listed: Vec<String> = pages
        .iter()
        .map(|page| {
            let from = match page.parent_id() {
                Some((kind, id)) => places.get(id).map_or(
                    if kind == "block_id" { "inside another page" } else { "a place that is not shared" },
                    String::as_str,
                ),
                None => "the top of the workspace",
            };
            format!("{} · {} · {from} → {to}", render::title(&page.name()), render::bare(&page.id))
        })
        .collect();
    let mut preview = Written::new(format!("Move {} {name}:", words::counted(pages.len(), PAGES)));
    preview.changed.clone_from(&listed);
    let preview = told::written(preview, Vec::new());
    let many = pages.len() > 5;
    let state: Vec<Value> = pages.iter().map(render::state).collect();
    let plan = Plan::new(preview, move || async move {
        let total = pages.len();
        let mut written = Written::default();
        for (done, page) in pages.iter().enumerate() {
            let title = render::title(&page.name());
            let target = parent["page_id"].as_str().or_else(|| parent["data_source_id"].as_str());
            let is_there = |page: &Item| page.parent_id().map(|(_, id)| id) == target;
            let moved = settled(&call, page, || call.api().move_page(&page.id, &parent), is_there).await;
            let lost = match moved {
                Ok((moved, lost)) if is_there(&moved) => lost,
                Ok(_) => {
                    return Err(Error::new(
                        Kind::Upstream,
                        format!("Notion accepted the move of {title} but did not do it"),
                    )
                    .with_hint(told_before(done)));
                }
                Err(error) if done == 0 => return Err(outcome::of_first(error, &title, total)),
                Err(error) => {
                    written.summary = format!(
                        "Moved {done} of {total} pages {name}; {title} failed: {}{}",
                        error.for_agent(),
                        untried(done, total)
                    );
                    return Ok(told::written(written, Vec::new()));
                }
            };
            written = written.change(format!("{}{}", listed[done], outcome::note(lost)));
        }
        written.summary = format!("Moved {} {name}.", words::counted(total, PAGES));
        if let [page] = pages.as_slice() {
            written = written.id(render::bare(&page.id)).url(page.url.clone());
        }
        Ok(told::written(written, Vec::new()))
    })
    .state(&state);
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
    let state: Vec<Value> = wanted.iter().map(render::state).collect();
    let plan = Plan::new(preview, move || async move {
        let total = wanted.len();
        let mut written = Written::default();
        for (done, page) in wanted.iter().enumerate() {
            let name = render::title(&page.name());
            let body = json!({"in_trash": !restore});
            let send = || call.api().update_page(&page.id, &body);
            let (now, lost) = match settled(&call, page, send, |page| page.in_trash != restore).await {
                Ok(settled) => settled,
                Err(error) if done == 0 => return Err(outcome::of_first(error, &name, total)),
                Err(error) => {
                    written.summary = format!(
                        "{done} of {total} pages are done; {name} failed: {}{}",
                        error.for_agent(),
                        untried(done, total)
                    );
                    return Ok(told::written(written, Vec::new()));
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
                .with_hint(told_before(done)));
            }
            written = written.change(format!("{name} · {}{}", render::bare(&page.id), outcome::note(lost)));
        }
        let (count, them) = (words::counted(total, PAGES), if total == 1 { "it" } else { "them" });
        written.summary = if restore {
            format!("Took {count} out of the trash.")
        } else {
            format!("Put {count} into the trash; `restore` takes {them} out again.")
        };
        if let [page] = wanted.as_slice() {
            written = written.id(render::bare(&page.id)).url(page.url.clone());
        }
        Ok(told::written(written, Vec::new()))
    })
    .state(&state);
    Ok(if restore { plan.harmless() } else { plan })
}
