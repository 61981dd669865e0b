//! Values of pages and rows changed, compared with what was there and with what came back.

use std::collections::BTreeMap;

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Plan, Reply, Tool, Written, minute, one_line,
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
    draft::runs,
    render,
    resolve::{
        self, icons,
        linked::ids,
        tables::Table,
        values::{Wanted, is_held},
    },
};

/// Pages in one call.
const MOST: usize = 50;
/// What is counted.
const PAGES: (&str, &str) = ("page", "pages");

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::write(
            "update_pages",
            "Update pages or rows",
            "Sets `properties` of pages or rows (id, URL or exact title) by plain values; `clear` names columns to empty, lists also take {\"add\":[..],\"remove\":[..]}. \
             Shared `properties` apply to every page. edit_content changes the text.",
            update_pages,
        )
        .toolset("pages")
        .confirmable()
        .idempotent()
        .aliases(&[("items", "pages"), ("rows", "pages")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdatePages {
    pages: Vec<Changed>,
    #[serde(default)]
    #[schemars(schema_with = "super::values_by_column")]
    properties: Map<String, Value>,
    #[serde(default)]
    clear: Vec<String>,
    /// The time of get_page: what was edited since is refused.
    expected_edited: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Changed {
    #[serde(alias = "page_id")]
    id: String,
    #[serde(default)]
    #[schemars(schema_with = "super::values_by_column")]
    properties: Map<String, Value>,
    #[serde(default)]
    clear: Vec<String>,
    icon: Option<String>,
    cover: Option<String>,
    /// Against edits by hand.
    lock: Option<bool>,
}

/// What a page is given: `properties` without those of no value, and `null` for each to `clear`. What was left
/// aside is added to `notes`: a client that fills in every value must not empty what it does not know.
fn given(
    mut properties: Map<String, Value>,
    clear: &[String],
    notes: &mut Vec<String>,
) -> Result<Map<String, Value>> {
    properties.retain(|name, value| {
        let empty = [json!(null), json!(""), json!([])].contains(value);
        let note = format!("{}: an empty value was ignored; `clear` empties it", one_line(name));
        if empty && !notes.contains(&note) && !clear.contains(name) {
            notes.push(note);
        }
        !empty
    });
    for name in clear {
        if properties.insert(name.clone(), Value::Null).is_some() {
            return Err(Error::invalid(format!("`{}` is both given and named in `clear`", one_line(name))));
        }
    }
    Ok(properties)
}

/// One page and what is to become of it.
struct Change {
    id: String,
    title: String,
    wanted: Vec<Wanted>,
    /// What it looks like: `icon`, `cover`, `is_locked`.
    looks: Map<String, Value>,
    lines: Vec<String>,
    /// New options.
    notes: Vec<String>,
    /// The state that it was made from.
    before: Value,
}

async fn update_pages(call: Call<Notion>, arguments: UpdatePages) -> Result<Plan> {
    let UpdatePages { pages, properties, clear, expected_edited } = arguments;
    let mut notes = Vec::new();
    if pages.is_empty() || pages.len() > MOST {
        return Err(Error::invalid(format!("`pages` takes 1 to {MOST} pages, not {}", pages.len())));
    }
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    let mut changes = Vec::new();
    let mut same = Vec::new();
    for changed in pages {
        let id = call.page_id("id", &changed.id).await?;
        let page = call.api().page(&id).await?;
        if let Some(expected) = &expected_edited {
            unchanged(&page, expected)?;
        }
        let mut values = properties.clone();
        values.extend(changed.properties);
        let clear: Vec<String> = clear.iter().chain(&changed.clear).cloned().collect();
        let no_column =
            |name: &&String| page.value(name).is_null() && ["icon", "cover"].contains(&name.as_str());
        let (looks, clear): (Vec<String>, Vec<String>) = clear.into_iter().partition(|name| no_column(&name));
        let looks = wanted_looks(&call, changed.icon, changed.cover, changed.lock, &looks).await?;
        let given = given(values, &clear, &mut notes)?;
        let change = plan_one(&call, &mut tables, &page, &given, looks).await?;
        if change.wanted.is_empty() && change.looks.is_empty() {
            same.push(change.title);
        } else {
            changes.push(change);
        }
    }
    if changes.is_empty() {
        let written = Written::new(format!("Nothing changed: {} had these values already.", same.join(", ")));
        return Ok(Plan::nothing(told::written(written, notes)));
    }
    let count = changes.len();
    let mut preview = Written::new(format!("Update {}:", words::counted(count, PAGES)));
    for change in &changes {
        preview = preview.change(format!("{} · {}", change.title, render::bare(&change.id)));
        preview.changed.extend(change.lines.iter().map(|line| format!("  {line}")));
    }
    let adds_options = changes.iter().any(|change| !change.notes.is_empty());
    told::note(&mut notes, changes.iter().flat_map(|change| change.notes.clone()));
    if !same.is_empty() {
        preview = preview.change(format!("unchanged: {}", same.join(", ")));
    }
    let state: Vec<Value> = changes.iter().map(|change| change.before.clone()).collect();
    let preview = told::written(preview, notes.clone());
    let plan = Plan::new(preview, move || async move { update_all(&call, changes, same, notes).await });
    let plan = plan.state(&state).ask_of_many(count);
    Ok(if adds_options { plan.ask() } else { plan })
}

/// Refuses a page that was edited after the time that the caller read.
fn unchanged(page: &Item, expected: &str) -> Result<()> {
    let expected_minute = expected.trim().replace(' ', "T");
    let same = expected_minute.get(..16) == page.last_edited_time.get(..16);
    if same {
        return Ok(());
    }
    Err(Error::new(
        Kind::Conflict,
        format!(
            "{} was edited at {}, after it was read",
            render::title(&page.name()),
            minute(&page.last_edited_time)
        ),
    )
    .with_hint("Nothing was written. Read it again"))
}

async fn plan_one(
    call: &Call<Notion>,
    tables: &mut BTreeMap<String, Table>,
    page: &Item,
    given: &Map<String, Value>,
    mut looks: Map<String, Value>,
) -> Result<Change> {
    let title = render::title(&page.name());
    let mut wanted = match page.parent_id() {
        Some(("data_source_id", source)) => {
            if !tables.contains_key(source) {
                tables.insert(source.to_owned(), call.table(source).await?);
            }
            call.values(&tables[source], given, Some(page)).await?
        }
        _ => {
            let mut wanted = Vec::new();
            for (name, value) in given {
                let word =
                    value.as_str().filter(|_| ["title", "name"].iter().any(|word| resolve::same(word, name)));
                let Some(word) = word else {
                    return Err(Error::invalid(format!(
                        "{title} is a page outside a table: it has a title and no `{}`",
                        one_line(name)
                    )));
                };
                wanted.push(Wanted {
                    name: "title".to_owned(),
                    value: json!({"title": runs(word)}),
                    shown: one_line(word),
                    note: None,
                });
            }
            wanted
        }
    };
    let table = page.parent_id().and_then(|(_, source)| tables.get(source));
    let column = |name: &str| table.and_then(|table| table.columns.get(name)).unwrap_or(&Value::Null);
    let (mut lines, mut notes) = (Vec::new(), Vec::new());
    let mut kept = Vec::new();
    for value in wanted.drain(..) {
        let old = page.value(&value.name);
        let linked = call.titles(ids(old).into_iter().take(render::NAMED)).await;
        let before = render::named(old, &linked);
        if is_same(call, page, old, &value).await? {
            continue;
        }
        let word = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        let name = render::column(&value.name, column(&value.name));
        let alike = if !before.is_empty() && before == value.shown { ", marked otherwise" } else { "" };
        lines.push(format!("{name} {} → {}{alike}", word(&before), word(&value.shown)));
        notes.extend(value.note.clone());
        kept.push(value);
    }
    looks.retain(|field, wanted| !has_look(page, field, wanted));
    for (field, wanted) in &looks {
        lines.push(match field.as_str() {
            "is_locked" => {
                format!("locked {} → {}", render::yes(page.is_locked), render::yes(wanted == true))
            }
            "icon" => format!("icon {} → {}", render::icon(&page.icon), shown_icon(call, wanted).await),
            _ => format!("cover {} → {}", render::icon(&page.cover), render::icon(wanted)),
        });
    }
    Ok(Change { id: page.id.clone(), title, wanted: kept, looks, lines, notes, before: render::state(page) })
}

/// What of a page's looks is to be set, as Notion takes it.
async fn wanted_looks(
    call: &Call<Notion>,
    icon: Option<String>,
    cover: Option<String>,
    lock: Option<bool>,
    clear: &[String],
) -> Result<Map<String, Value>> {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let mut looks = Map::new();
    if let Some(icon) = given(icon) {
        looks.insert("icon".to_owned(), call.icon(&icon).await?);
    }
    if let Some(cover) = given(cover) {
        looks.insert("cover".to_owned(), icons::cover(&cover)?);
    }
    looks.extend(lock.map(|lock| ("is_locked".to_owned(), json!(lock))));
    for name in clear {
        if looks.insert(name.clone(), Value::Null).is_some() {
            return Err(Error::invalid(format!("`{name}` is both given and named in `clear`")));
        }
    }
    Ok(looks)
}

/// Whether a page looks so already.
fn has_look(page: &Item, field: &str, wanted: &Value) -> bool {
    match field {
        "is_locked" => wanted == page.is_locked,
        "icon" => icons::same(&page.icon, wanted),
        _ => icons::same(&page.cover, wanted),
    }
}

/// An icon of a request in words: an emoji of the workspace by its name.
async fn shown_icon(call: &Call<Notion>, icon: &Value) -> String {
    let id = icon["custom_emoji"]["id"].as_str().unwrap_or_default();
    let known = if id.is_empty() { Vec::new() } else { call.api().emojis().await.unwrap_or_default() };
    let named = known.into_iter().find(|emoji| emoji.id == id);
    named.map_or_else(|| render::icon(icon), |emoji| format!(":{}:", one_line(&emoji.name)))
}

/// Whether a page has a value already. Lists and texts are compared whole, also where an answer cuts them.
async fn is_same(call: &Call<Notion>, page: &Item, old: &Value, wanted: &Wanted) -> Result<bool> {
    let kind = old["type"].as_str().unwrap_or_default();
    let given = &wanted.value[kind];
    match kind {
        "relation" | "people" => {
            let mut now = call.whole_list(page, &wanted.name).await?;
            let given = given.as_array().into_iter().flatten();
            let mut ids: Vec<String> =
                given.filter_map(|item| item["id"].as_str().map(str::to_owned)).collect();
            now.sort_unstable();
            ids.sort_unstable();
            Ok(now == ids)
        }
        // An upload is always new.
        "files" => {
            let none = |files: &Value| files.as_array().is_none_or(Vec::is_empty);
            Ok(none(given) && none(&old["files"]))
        }
        "title" | "rich_text" => {
            let (now, _) = call.whole(page, &wanted.name, usize::MAX).await?;
            let given = given.as_array().cloned().unwrap_or_default();
            Ok(marked(&now) == marked(&given))
        }
        _ => Ok(is_held(old, wanted)),
    }
}

/// Runs of rich text by what they say and how they are marked, however they are divided.
fn marked(runs: &[Value]) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = Vec::new();
    for run in runs {
        let mut marks: Map<String, Value> = run["annotations"].as_object().cloned().unwrap_or_default();
        marks.retain(|_, value| *value != false && *value != "default");
        let mention = &run["mention"];
        let target = &mention[mention["type"].as_str().unwrap_or_default()];
        let said = run["text"]["content"].as_str().or(run["equation"]["expression"].as_str());
        let place = if target["id"].is_string() { &target["id"] } else { &target["start"] };
        let how = json!([run["type"], marks, run["text"]["link"]["url"], place]);
        match all.last_mut().filter(|(_, last)| *last == how && run["type"] == "text") {
            Some((words, _)) => words.push_str(said.unwrap_or_default()),
            None => all.push((said.unwrap_or_default().to_owned(), how)),
        }
    }
    all.retain(|(words, how)| !(words.is_empty() && how[0] == "text"));
    all
}

/// Sends a change until its outcome is known.
async fn update(call: &Call<Notion>, change: &Change) -> Result<(Item, bool)> {
    let set: Map<String, Value> =
        change.wanted.iter().map(|value| (value.name.clone(), value.value.clone())).collect();
    let mut body = json!({"properties": set});
    for (field, look) in &change.looks {
        body[field] = look.clone();
    }
    let look = || async {
        let now = call.api().page(&change.id).await?;
        // A text that an answer cuts may look as it is to be before it is.
        Ok(if render::state(&now) == change.before {
            Seen::Untouched
        } else if refusals(&now, &change.wanted).is_empty() && lacking(&now, change).is_empty() {
            Seen::Done(now)
        } else {
            Seen::Changed
        })
    };
    reconcile::updated(|| call.api().update_page(&change.id, &body), look).await
}

/// What of the looks that a page was to get it does not have.
fn lacking(page: &Item, change: &Change) -> Vec<String> {
    let word =
        |field: &String| if field == "is_locked" { "the lock".to_owned() } else { format!("the {field}") };
    let looks = change.looks.iter().filter(|(field, wanted)| !has_look(page, field, wanted));
    looks.map(|(field, _)| word(field)).collect()
}

async fn update_all(
    call: &Call<Notion>,
    changes: Vec<Change>,
    same: Vec<String>,
    mut notes: Vec<String>,
) -> Result<Reply> {
    let total = changes.len();
    let mut written = Written::default();
    let (mut done, mut refusing) = (0, 0);
    for (at, change) in changes.into_iter().enumerate() {
        let (page, lost) = match update(call, &change).await {
            Ok(updated) => updated,
            Err(error) if at == 0 => return Err(outcome::of_first(error, &change.title, total)),
            Err(error) => {
                let refused = match refusing {
                    0 => String::new(),
                    _ => format!("; {}", told::refusing(refusing)),
                };
                written.summary = format!(
                    "Updated {done} of {total} pages{refused}; {} failed: {}",
                    change.title,
                    error.for_agent()
                );
                if at + 1 < total {
                    notes.push(outcome::untried(PAGES, at + 2, total));
                }
                return Ok(told::written(written, notes));
            }
        };
        written = written.change(format!(
            "{} · {} · edited {}{}",
            change.title,
            render::bare(&change.id),
            minute(&page.last_edited_time),
            outcome::note(lost)
        ));
        let mut refused = refusals(&page, &change.wanted);
        refused.extend(lacking(&page, &change));
        for line in &change.lines {
            written = written.change(format!("  {line}"));
        }
        if total == 1 {
            written = written.id(render::bare(&page.id)).url(page.url.clone());
            if !refused.is_empty() {
                return Err(Error::new(
                    Kind::Upstream,
                    format!(
                        "Notion accepted the change of {} but did not do it: {}",
                        change.title,
                        refused.join("; ")
                    ),
                ));
            }
        }
        if refused.is_empty() {
            done += 1;
        } else {
            refusing += 1;
        }
        for refused in refused {
            written = written.change(format!("  not accepted: {refused}"));
        }
    }
    if !same.is_empty() {
        written = written.change(format!("unchanged: {}", same.join(", ")));
    }
    written.summary = match refusing {
        0 => format!("Updated {}.", words::counted(done, PAGES)),
        _ => format!("Updated {done} of {total} pages; {}.", told::refusing(refusing)),
    };
    Ok(told::written(written, notes))
}

/// Values that came back other than they were asked for.
pub(super) fn refusals(page: &Item, wanted: &[Wanted]) -> Vec<String> {
    let differs = wanted.iter().filter(|wanted| !is_held(page.value(&wanted.name), wanted));
    differs
        .map(|wanted| {
            let shown = render::value(page.value(&wanted.name));
            format!("{} is {}", one_line(&wanted.name), if shown.is_empty() { "none" } else { &shown })
        })
        .collect()
}
