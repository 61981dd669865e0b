//! Pages moved, put into the trash and taken out of it.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Plan, Reply, Tool, Written, one_line,
        reconcile::{self, Seen},
        words,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{outcome, told};
use crate::{
    Notion,
    api::objects::Item,
    render,
    resolve::{pages::Place, values::is_writable},
};

/// Pages in one call.
const MOST: usize = 25;
/// Levels above a place that are looked at.
const ABOVE: usize = 30;
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
            "Puts pages, rows or databases (id, URL or exact title) into the trash with all below them; `restore` takes them out again.",
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

/// The page or the database that an id of `trash_pages` means: a table is not put there without its database.
async fn page_or_database(call: &Call<Notion>, text: &str) -> Result<Item> {
    let id = call.page_id("ids", text).await?;
    let missing = match call.api().page(&id).await {
        Err(error) if error.kind() == Kind::NotFound => error,
        page => return page,
    };
    let database = match call.api().database_now(&id).await {
        Err(error) if error.kind() == Kind::NotFound => {
            let source = call.api().data_source(&id).await.ok();
            let parent = source.and_then(|source| source.parent["database_id"].as_str().map(str::to_owned));
            call.api().database_now(&parent.ok_or(missing)?).await?
        }
        database => database?,
    };
    if database.id != id && database.data_sources.len() > 1 {
        let name = render::title(&database.name());
        return Err(Error::invalid(format!("This is one of several tables of the database {name}"))
            .with_hint(format!(
                "Give the database's id to trash all of it: {}",
                render::bare(&database.id)
            )));
    }
    Ok(database)
}

/// A page or a database as it is now.
async fn now(call: &Call<Notion>, item: &Item) -> Result<Item> {
    if item.object == "database" {
        call.api().database_now(&item.id).await
    } else {
        call.api().page(&item.id).await
    }
}

fn named(page: &Item) -> String {
    let kind = if page.object == "database" { "the database " } else { "" };
    format!("{kind}{} ({})", render::title(&page.name()), render::bare(&page.id))
}

fn titles(pages: &[Item]) -> String {
    pages.iter().map(named).collect::<Vec<_>>().join(", ")
}

/// Several pages, and that they are.
fn told_of(pages: &[Item]) -> String {
    format!("{} {}", titles(pages), if pages.len() == 1 { "is" } else { "are" })
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
        let now = now(call, page).await?;
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

/// Where pages are to be moved.
struct Target {
    /// As a request has it.
    parent: Value,
    id: String,
    /// `under Runbooks`.
    words: String,
    name: String,
    /// Its columns, where it is a table.
    columns: Map<String, Value>,
}

impl Target {
    async fn of(call: &Call<Notion>, text: &str) -> Result<(Self, Place)> {
        let place = call.parent(text).await?;
        let target = match &place {
            Place::Page(page) => {
                let name = render::title(&page.name());
                Self {
                    parent: json!({"type": "page_id", "page_id": page.id}),
                    id: page.id.clone(),
                    words: format!("under {name}"),
                    name,
                    columns: Map::new(),
                }
            }
            Place::Table(table) => Self {
                parent: json!({"type": "data_source_id", "data_source_id": table.id}),
                id: table.id.clone(),
                words: format!("into the table {}", table.name),
                name: table.name.clone(),
                columns: table.columns.clone(),
            },
        };
        Ok((target, place))
    }

    fn is_of(&self, page: &Item) -> bool {
        page.parent_id().is_some_and(|(_, id)| id == self.id)
    }

    /// The columns whose values a page does not take along.
    fn lost(&self, page: &Item) -> Vec<String> {
        let stays = |name: &str, value: &Value| {
            let kind = value["type"].as_str().unwrap_or_default();
            kind != "title"
                && is_writable(kind)
                && self.columns.get(name).is_none_or(|column| column["type"] != value["type"])
                && !(value["checkbox"] == false || render::value(value).is_empty())
        };
        page.properties
            .iter()
            .filter(|(name, value)| stays(name, value))
            .map(|(name, _)| one_line(name))
            .collect()
    }
}

/// Refuses to move a page below itself.
async fn no_loop(call: &Call<Notion>, pages: &[Item], target: &Place) -> Result<()> {
    let mut above = match target {
        Place::Page(page) => Some(("page_id".to_owned(), page.id.clone())),
        Place::Table(table) => table.database.clone().map(|id| ("database_id".to_owned(), id)),
    };
    for _ in 0..ABOVE {
        let Some((kind, id)) = above else { return Ok(()) };
        if let Some(page) = pages.iter().find(|page| page.id == id) {
            let title = render::title(&page.name());
            return Err(Error::invalid(format!("{title} cannot be moved below itself"))
                .with_hint("Nothing was moved. Move what is below it out first"));
        }
        // What cannot be read ends it: the vendor decides then.
        let parent = match kind.as_str() {
            "page_id" => call.api().page(&id).await.map(|page| page.parent),
            "database_id" => call.api().database(&id).await.map(|database| database.parent),
            "data_source_id" => call.api().data_source(&id).await.map(|source| source.parent),
            "block_id" => call.api().block(&id).await.map(|mut block| block["parent"].take()),
            _ => return Ok(()),
        };
        let Ok(parent) = parent else { return Ok(()) };
        let kind = parent["type"].as_str().unwrap_or_default().to_owned();
        above = parent[kind.as_str()].as_str().map(str::to_owned).map(|id| (kind, id));
    }
    Ok(())
}

async fn move_pages(call: Call<Notion>, arguments: MovePages) -> Result<Plan> {
    let pages = pages(&call, &arguments.ids).await?;
    let (target, place) = Target::of(&call, &arguments.parent).await?;
    let (same, pages): (Vec<Item>, Vec<Item>) = pages.into_iter().partition(|page| target.is_of(page));
    if pages.is_empty() {
        let nothing = format!("Nothing changed: {} already in {}.", told_of(&same), target.name);
        return Ok(Plan::nothing(Reply::written(Written::new(nothing))));
    }
    no_loop(&call, &pages, &place).await?;
    let places = call.places(&pages.iter().collect::<Vec<_>>()).await;
    let to = &target.name;
    let listed: Vec<Vec<String>> = pages
        .iter()
        .map(|page| {
            let from = match page.parent_id() {
                Some((kind, id)) => places.get(id).map_or(
                    if kind == "block_id" { "inside another page" } else { "a place that is not shared" },
                    String::as_str,
                ),
                None => "the top of the workspace",
            };
            let line =
                format!("{} · {} · {from} → {to}", render::title(&page.name()), render::bare(&page.id));
            let lost = target.lost(page);
            let lost = (!lost.is_empty()).then(|| {
                format!("  leaves its values of {} behind: {to} has no such columns", lost.join(", "))
            });
            [line].into_iter().chain(lost).collect()
        })
        .collect();
    let same = (!same.is_empty()).then(|| format!("unchanged: {}", titles(&same)));
    let mut preview = Written::new(format!("Move {} {}:", words::counted(pages.len(), PAGES), target.words));
    preview.changed = listed.iter().flatten().cloned().chain(same.clone()).collect();
    let preview = told::written(preview, Vec::new());
    let asks = Plan::is_many(pages.len()) || listed.iter().any(|lines| lines.len() > 1);
    let state: Vec<Value> = pages.iter().map(render::state).collect();
    let plan = Plan::new(preview, move || async move {
        let (total, name) = (pages.len(), &target.words);
        let mut written = Written::default();
        for (done, page) in pages.iter().enumerate() {
            let title = render::title(&page.name());
            let is_there = |page: &Item| target.is_of(page);
            let send = || call.api().move_page(&page.id, &target.parent);
            let lost = match settled(&call, page, send, is_there).await {
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
            let mut lines = listed[done].clone();
            lines[0].push_str(outcome::note(lost));
            written.changed.extend(lines);
        }
        written.changed.extend(same);
        written.summary = format!("Moved {} {name}.", words::counted(total, PAGES));
        if let [page] = pages.as_slice() {
            written = written.id(render::bare(&page.id)).url(page.url.clone());
        }
        Ok(told::written(written, Vec::new()))
    })
    .state(&state);
    Ok(if asks { plan.ask() } else { plan })
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
    if ids.is_empty() || ids.len() > MOST {
        return Err(Error::invalid(format!("`ids` takes 1 to {MOST} pages, not {}", ids.len())));
    }
    let mut pages = Vec::with_capacity(ids.len());
    for id in &ids {
        pages.push(page_or_database(&call, id).await?);
    }
    let (wanted, same): (Vec<Item>, Vec<Item>) = pages.into_iter().partition(|page| page.in_trash == restore);
    let state = if restore { "not in the trash" } else { "in the trash" };
    if wanted.is_empty() {
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing changed: {} {state} already.",
            told_of(&same)
        )))));
    }
    let unchanged = (!same.is_empty()).then(|| format!("{} {state} already.", told_of(&same)));
    let preview = if restore {
        Reply::new(format!("Take out of the trash: {}.", titles(&wanted)))
    } else {
        Reply::new(format!("Put into the trash, with all below: {}.", titles(&wanted)))
    };
    let preview = unchanged.iter().fold(preview, |preview, line| preview.line(line.clone()));
    let state: Vec<Value> = wanted.iter().map(render::state).collect();
    let (put, place) = if restore { ("Took", "out of the trash") } else { ("Put", "into the trash") };
    let plan = Plan::new(preview, move || async move {
        let total = wanted.len();
        let mut written = Written::default();
        for (done, page) in wanted.iter().enumerate() {
            let name = render::title(&page.name());
            let body = json!({"in_trash": !restore});
            let send = || async {
                if page.object == "database" {
                    call.api().update_database(&page.id, &body).await
                } else {
                    call.api().update_page(&page.id, &body).await
                }
            };
            let (now, lost) = match settled(&call, page, send, |page| page.in_trash != restore).await {
                Ok(settled) => settled,
                Err(error) if done == 0 => return Err(outcome::of_first(error, &name, total)),
                Err(error) => {
                    written.summary = format!(
                        "{put} {done} of {total} pages {place}; {name} failed: {}{}",
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
        let again = if restore { String::new() } else { format!("; `restore` takes {them} out again") };
        written.summary = format!("{put} {count} {place}{again}.");
        if let [page] = wanted.as_slice() {
            written = written.id(render::bare(&page.id)).url(page.url.clone());
        }
        Ok(told::written(written, unchanged.into_iter().collect()))
    })
    .state(&state);
    Ok(if restore { plan.harmless() } else { plan })
}
