//! Pages and rows created, one after the other, each told.

use std::time::Duration;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line, reconcile::Attempt, unbroken, words},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{moves, outcome, templates, told, update::refusals};
use crate::{
    Notion,
    api::objects::Item,
    dialect,
    draft::runs,
    error::committed_id,
    render,
    resolve::{self, icons, pages::Place, values::Wanted},
};

/// Pages in one call.
const MOST: usize = 25;
/// What is counted.
const PAGES: (&str, &str) = ("page", "pages");
/// More than this is written by a task of Notion's, which has no time limit of a request.
const ASYNC_BYTES: usize = 50 * 1024;
/// How often a task is looked at, and how long apart.
const LOOKS: u32 = 8;
const PAUSE: Duration = Duration::from_secs(2);

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::write(
            "create_pages",
            "Create pages or rows",
            "Creates pages under `parent`, a page or a table by id, URL or name. Rows take plain `properties` \
             by column, such as {\"Status\":\"To do\",\"Due\":\"2026-12-01\"}; the body is `markdown` or a `template` by name.",
            create_pages,
        )
        .toolset("pages")
        .confirmable()
        .aliases(&[("parent_id", "parent"), ("database", "parent"), ("items", "pages"), ("rows", "pages")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreatePages {
    parent: Option<String>,
    pages: Vec<NewPage>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPage {
    title: Option<String>,
    #[serde(default)]
    #[schemars(schema_with = "super::values_by_column")]
    properties: Map<String, Value>,
    /// As get_page shows it: `<callout icon="⚠️" color="red_bg">\n\tText\n</callout>`.
    #[serde(alias = "content")]
    markdown: Option<String>,
    template: Option<String>,
    /// An emoji, `:name:` or https.
    icon: Option<String>,
    cover: Option<String>,
}

/// One page that is to be created.
struct New {
    title: String,
    body: Value,
    /// What it is given, to be compared with what it came to have.
    values: Vec<Wanted>,
    lines: Vec<String>,
    /// New options, mentions, what was changed in the text.
    notes: Vec<String>,
    template: Option<String>,
    /// Whether it makes new options of a column, or moves pages into itself.
    asks: bool,
}

async fn create_pages(call: Call<Notion>, arguments: CreatePages) -> Result<Plan> {
    let CreatePages { parent, pages } = arguments;
    if pages.is_empty() || pages.len() > MOST {
        return Err(Error::invalid(format!("`pages` takes 1 to {MOST} pages, not {}", pages.len())));
    }
    let (parent, by_default) = call.parent_or_default(parent)?;
    let parent = call.parent(&parent).await?;
    let mut news = Vec::with_capacity(pages.len());
    for page in pages {
        news.push(new_page(&call, &parent, page).await?);
    }
    let count = news.len();
    let mut preview = Written::new(format!("Create {} {}:", words::counted(count, PAGES), parent.words()));
    let mut notes = Vec::from_iter(by_default);
    for new in &news {
        let template = new.template.iter().map(|name| format!("template {name}"));
        preview = preview.change(new.title.clone());
        preview.changed.extend(new.lines.iter().cloned().chain(template).map(|line| format!("  {line}")));
        told::note(&mut notes, new.notes.clone());
    }
    let asks = news.iter().any(|new| new.asks);
    let state: Vec<Value> = news.iter().map(|new| new.body.clone()).collect();
    let preview = told::written(preview, notes.clone());
    let plan = Plan::new(preview, move || async move { create_all(&call, &parent, news, notes).await });
    let plan = plan.state(&state).once().ask_of_many(count);
    Ok(if asks { plan.ask() } else { plan })
}

async fn new_page(call: &Call<Notion>, parent: &Place, page: NewPage) -> Result<New> {
    let NewPage { title, properties, markdown, template, icon, cover } = page;
    let markdown = markdown.filter(|text| !text.trim().is_empty());
    let template = template.filter(|name| !name.trim().is_empty());
    if template.is_some() && markdown.is_some() {
        return Err(Error::invalid(
            "A page takes `template` or `markdown`, not both: Notion adds a template later",
        )
        .with_hint("Create it by the template, read it, then add the text with edit_content"));
    }
    let (mut lines, mut notes) = (Vec::new(), Vec::new());
    let mut asks = false;
    let mut body = json!({});
    let mut values: Vec<Wanted> = Vec::new();
    let title = title.map(|title| unbroken(&title)).filter(|title| !one_line(title).is_empty());
    match parent {
        Place::Page(page) => {
            body["parent"] = json!({"type": "page_id", "page_id": page.id});
            let known = |name: &String| ["title", "name"].iter().any(|word| resolve::same(word, name));
            if let Some(name) = properties.keys().find(|name| !known(name)) {
                return Err(Error::invalid(format!(
                    "A page outside a table has no property `{}`",
                    one_line(name)
                ))
                .with_hint("Give a table as `parent`, or put it into the text"));
            }
            let title =
                title.or_else(|| properties.values().next().and_then(|value| value.as_str().map(one_line)));
            let title = title.ok_or_else(|| Error::invalid("A page needs a `title`"))?;
            body["properties"] = json!({"title": {"title": runs(&title)}});
            values.push(Wanted {
                name: "title".to_owned(),
                value: body["properties"]["title"].clone(),
                shown: title,
                note: None,
            });
        }
        Place::Table(table) => {
            body["parent"] = json!({"type": "data_source_id", "data_source_id": table.id});
            let mut given = properties;
            if let Some(title) = title {
                given.insert(table.title().to_owned(), json!(title));
            }
            values = call.values(table, &given, None).await?;
            let set: Map<String, Value> =
                values.iter().map(|value| (value.name.clone(), value.value.clone())).collect();
            body["properties"] = Value::Object(set);
        }
    }
    let (title_column, columns) = match parent {
        Place::Page(_) => ("title", None),
        Place::Table(table) => (table.title(), Some(&table.columns)),
    };
    let title = values
        .iter()
        .find(|value| value.name == title_column)
        .map_or_else(|| "Untitled".to_owned(), |value| value.shown.clone());
    for value in values.iter().filter(|value| value.name != title_column) {
        let column = columns.and_then(|columns| columns.get(&value.name)).unwrap_or(&Value::Null);
        let shown = if value.shown.is_empty() { "none" } else { &value.shown };
        lines.push(format!("{}: {shown}", render::column(&value.name, column)));
        notes.extend(value.note.clone());
    }
    if let Some(icon) = icon.filter(|icon| !icon.trim().is_empty()) {
        body["icon"] = call.icon(&icon).await?;
    }
    if let Some(cover) = cover.filter(|cover| !cover.trim().is_empty()) {
        body["cover"] = icons::cover(&cover)?;
    }
    if let Some(markdown) = markdown {
        let (markdown, mentions) = call.mentioned(&markdown, "").await?;
        let accepted = dialect::accept(&markdown);
        notes.extend(mentions);
        lines.push(format!("{} characters of text", accepted.text.chars().count()));
        let moved = moves::moved(call, None, "", &accepted.text).await?;
        asks |= !moved.is_empty();
        lines.extend(moved.iter().map(|name| format!("moves into it: {name}")));
        notes.extend(accepted.notes());
        if accepted.text.len() > ASYNC_BYTES {
            body["allow_async"] = json!(true);
        }
        body["markdown"] = json!(accepted.text);
    }
    let mut applied = None;
    if let Some(name) = &template {
        let Place::Table(table) = parent else {
            return Err(Error::invalid("Only tables have templates"));
        };
        let found = templates::find(call, table, name).await?;
        applied = Some(one_line(&found.name));
        body["template"] = templates::asked(call, &found);
    }
    asks |= values.iter().any(|value| value.note.is_some());
    Ok(New { title, body, values, lines, notes, template: applied, asks })
}

async fn create_all(
    call: &Call<Notion>,
    parent: &Place,
    news: Vec<New>,
    mut notes: Vec<String>,
) -> Result<Reply> {
    let total = news.len();
    let mut written = Written::default();
    let mut made: Vec<Item> = Vec::new();
    let mut refusing = 0;
    for (at, new) in news.into_iter().enumerate() {
        let Created { item, lost, applied } = match create(call, parent, &new).await {
            Ok(created) => created,
            Err(error) if made.is_empty() => return Err(outcome::of_first(error, &new.title, total)),
            Err(error) => {
                written.summary = format!(
                    "Created {} of {total} pages {}; page {} ({}) failed: {}",
                    made.len(),
                    parent.words(),
                    at + 1,
                    new.title,
                    error.for_agent()
                );
                if at + 1 < total {
                    notes.push(outcome::untried(PAGES, at + 2, total));
                }
                return Ok(told::written(written, notes));
            }
        };
        let id = render::bare(&item.id);
        written = written.change(format!("{} · {id}{}", new.title, outcome::note(lost)));
        let template = new.template.iter().filter(|_| applied).map(|name| format!("template {name} applied"));
        let besides = told::besides(call, &new.body, &item, total).await;
        let refused = refusals(&item, &new.values);
        refusing += usize::from(!refused.is_empty());
        let refused = refused.iter().map(|refused| format!("not accepted: {refused}"));
        let lines = new.lines.iter().cloned().chain(template).chain(besides).chain(refused);
        written.changed.extend(lines.map(|line| format!("  {line}")));
        if !applied {
            notes.push(format!(
                "The template is still being applied to {}, or has no text: read the page again.",
                new.title
            ));
        }
        if total == 1 {
            written = written.id(id).url(item.url.clone());
        }
        made.push(item);
        call.progress(u32::try_from(at + 1).unwrap_or(u32::MAX), u32::try_from(total).ok(), "pages created")
            .await;
    }
    if let Place::Table(table) = parent
        && let Some(line) = told::left_empty(table, &made)
    {
        notes.push(line);
    }
    let refused = match refusing {
        0 => String::new(),
        _ => format!("; {}", told::refusing(refusing)),
    };
    written.summary = format!("Created {} {}{refused}.", words::counted(total, PAGES), parent.words());
    Ok(told::written(written, notes))
}

/// A page that was created.
struct Created {
    item: Item,
    /// Whether the answer was lost.
    lost: bool,
    /// Whether its template was seen to be applied, where it has one.
    applied: bool,
}

/// Creates one page. Where the answer was lost, the page is looked for: Notion makes no create repeatable.
async fn create(call: &Call<Notion>, parent: &Place, new: &New) -> Result<Created> {
    let attempt = outcome::attempt(call, "page");
    let sent = match call.api().create_page(&new.body).await {
        Ok(answer) if answer["object"] == "async_task" => finished(call, &answer).await,
        Ok(answer) => read(answer),
        Err(error) => Err(error),
    };
    let saved = sent.as_ref().err().and_then(committed_id).map(str::to_owned);
    let look = || lost(call, parent, new, &attempt, saved.as_deref());
    let (item, lost) = attempt.made(sent, |item: &Item| item.id.clone(), look).await?;
    if new.template.is_none() {
        return Ok(Created { item, lost, applied: true });
    }
    let has_text = templates::applied(call, &item.id, "").await.is_some();
    // A template also sets values, and may have nothing else.
    let now = call.api().page(&item.id).await.unwrap_or_else(|_| item.clone());
    let applied = has_text || now.properties != item.properties || now.icon != item.icon;
    Ok(Created { item: now, lost, applied })
}

fn read(answer: Value) -> Result<Item> {
    serde_json::from_value(answer)
        .map_err(|error| Error::new(Kind::Upstream, "Notion's answer is no page").with_source(error))
}

/// The result of a task of Notion's, waited for. What cannot be learned of it is not known, because it goes on.
async fn finished(call: &Call<Notion>, task: &Value) -> Result<Item> {
    let unknown = |message: String| {
        Error::new(Kind::UnknownOutcome, message).with_hint("Look for the page with search in a minute")
    };
    let id = task["id"].as_str().unwrap_or_default().to_owned();
    let pause = task["poll_after_seconds"]
        .as_u64()
        .map_or(PAUSE, |seconds| Duration::from_secs(seconds.clamp(1, 10)));
    for look in 1..=LOOKS {
        tokio::time::sleep(pause).await;
        let task = call.api().task(&id).await.map_err(|error| {
            unknown(format!("Notion writes the page, and does not say how far it is: {}", error.message()))
        })?;
        call.progress(look, None, "Notion is writing the page").await;
        match task["status"].as_str() {
            Some("succeeded") => return read(task["result"].clone()),
            Some("failed") => {
                let message = task["error"]["message"].as_str().unwrap_or("no reason given");
                return Err(Error::invalid(format!(
                    "Notion could not write the page: {}",
                    one_line(message)
                )));
            }
            _ => {}
        }
    }
    Err(unknown("Notion is still writing the page".to_owned()))
}

/// The page that a create made whose answer did not come: the one that Notion says it saved, else one of this title,
/// in this place, made since then and by nobody else.
async fn lost(
    call: &Call<Notion>,
    parent: &Place,
    new: &New,
    attempt: &Attempt,
    saved: Option<&str>,
) -> Option<Item> {
    if let Some(id) = saved.filter(|id| attempt.is_free(id)) {
        return call.api().page(id).await.ok();
    }
    let me = outcome::own_id(call).await?;
    let is_it = |item: &Item| {
        item.name() == new.title
            && outcome::is_of(attempt, &me, &item.id, &item.created_time, &item.created_by)
    };
    match parent {
        Place::Table(table) => {
            let filter = json!({"and": [
                {"timestamp": "created_time", "created_time": {"on_or_after": attempt.since()}},
                {"property": table.title(), "title": {"equals": new.title}},
            ]});
            let rows =
                call.api().query(&table.id, &json!({"filter": filter, "page_size": 100})).await.ok()?;
            rows.results.into_iter().find(is_it)
        }
        Place::Page(page) => {
            let is_it = |block: &Value| {
                block["child_page"]["title"] == new.title.as_str()
                    && outcome::is_of_block(attempt, &me, block)
            };
            let block = outcome::find_block(call, &page.id, is_it).await?;
            call.api().page(block["id"].as_str()?).await.ok()
        }
    }
}
