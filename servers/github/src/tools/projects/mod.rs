//! Projects listed, and their rows. Opt-in.

mod writes;

use connector::{
    Error, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, Written, limit, one_line,
        paging::{self, VendorPage},
        words::counted,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    GitHub,
    api::{
        issues::whole,
        projects::{Field, Item},
    },
    bounds::WITHIN,
    render::day,
    repo::Repo,
    resolve::naming,
    tools::FROM,
};

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "list_project",
            "List project",
            "Projects of a user or organization; with number one project: its fields, and its items with their values.",
            list_project,
        )
        .opt_in("projects")
        .scopes(&["read:project"])
        .aliases(&[("project_number", "number"), ("project", "number"), ("org", "owner")])
        .output_page::<Row>(),
        Tool::destructive(
            "update_project_items",
            "Update project items",
            "Adds issues and pull requests to a project, sets fields of its items, or takes items out.",
            writes::update_project_items,
        )
        .opt_in("projects")
        .scopes(&["project"])
        .idempotent()
        .aliases(&[("project_number", "number"), ("project", "number"), ("org", "owner"), ("item_id", "items")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    owner: Option<String>,
    number: Option<u64>,
    /// Words of titles, is:open
    query: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A project, or an item of one.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// A project's number, an item's id.
    id: String,
    /// `owner/name#12`; empty for a draft and for a project.
    #[serde(skip_serializing_if = "String::is_empty")]
    issue: String,
    state: String,
    title: String,
    /// An item's fields that are set, as `Status=Done`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
}

/// Whose projects are meant: the one that is named, or the owner of the default repository.
async fn owner(server: &GitHub, given: Option<&str>) -> Result<String> {
    let owner = match (naming::account(server, given).await?, server.bounds().default_repo()) {
        (Some(owner), _) => owner,
        (None, Some(repo)) => repo.owner.clone(),
        (None, None) => {
            return Err(Error::invalid("`owner` is missing").with_hint("Give a user or an organization"));
        }
    };
    if Repo::parse(&format!("{owner}/x")).is_err() {
        return Err(Error::invalid(format!("`owner`: `{}` is not a login", one_line(&owner))));
    }
    // An owner of nothing within reach has nothing to show.
    server.bounds().permits_owner(&owner)?;
    Ok(owner)
}

async fn list_project(call: Call<GitHub>, arguments: Arguments) -> Result<Reply> {
    let owner = owner(&call, arguments.owner.as_deref()).await?;
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let count = position.first(limit(arguments.limit, 20, 100), 100);
    match arguments.number {
        Some(_) if arguments.query.is_some() => {
            Err(Error::invalid("`query` finds projects: leave `number` out"))
        }
        Some(number) => items(&call, &owner, number, count, position).await,
        None => {
            projects(&call, &owner, arguments.query.as_deref().unwrap_or("is:open"), count, position).await
        }
    }
}

async fn projects(
    call: &Call<GitHub>,
    owner: &str,
    query: &str,
    count: u32,
    position: Position,
) -> Result<Reply> {
    let after = position.after.clone();
    let found = call.api().projects(owner, query, count, after.as_deref()).await?;
    let rows: Vec<_> = found.nodes.iter().skip(position.skip).collect();
    let mut page = Page::new(FROM, ("project", "projects")).note(format!("of {owner}, {}", one_line(query)));
    page = page.total(usize::try_from(whole(found.total_count)).unwrap_or(usize::MAX));
    for project in &rows {
        let state = if project.closed { "closed" } else { "open" };
        let (number, title) = (one_line(&project.number), one_line(&project.title));
        let about = match project.short_description.as_str() {
            "" => String::new(),
            about => format!(" ({})", one_line(about)),
        };
        let items = counted(project.items.get(), ("item", "items"));
        let text = format!("{number} {state}, {items}, {}: {title}{about}", day(&project.updated_at));
        let row =
            Row { id: number, issue: String::new(), state: state.to_owned(), title, values: Vec::new() };
        page.push(text, &row);
    }
    let next = found.next(after.as_deref()).map(str::to_owned);
    let given = VendorPage::whole(position, rows.len(), next);
    Ok(Reply::page(paging::close(call, page, given)))
}

async fn items(
    call: &Call<GitHub>,
    owner: &str,
    number: u64,
    count: u32,
    position: Position,
) -> Result<Reply> {
    let after = position.after.clone();
    let project = call.api().project(owner, number, count, after.as_deref()).await?;
    let found = &project.items;
    let rows: Vec<_> = found.nodes.iter().skip(position.skip).collect();
    let places: Vec<usize> = (0..rows.len()).filter(|place| within(call, rows[*place])).collect();
    let mut page = Page::new(FROM, ("item", "items"));
    page = match call.bounds().is_narrow() {
        true => page.note(WITHIN),
        false => page.total(usize::try_from(whole(found.total_count)).unwrap_or(usize::MAX)),
    };
    for place in &places {
        let row = row_of(rows[*place]);
        page.push(row_text(&row), &row);
    }
    let next = found.next(after.as_deref()).map(str::to_owned);
    let first = position == Position::default();
    let given = VendorPage { position, read: rows.len(), places, next };
    let page = paging::close(call, page, given);
    if !first {
        return Ok(Reply::page(page));
    }
    let state = if project.closed { "closed" } else { "open" };
    let fields: Vec<_> =
        project.fields.nodes.iter().filter(|field| !field.name.is_empty()).map(in_words).collect();
    let mut reply =
        Reply::new(format!("Project {owner}/{number} \"{}\", {state}.", one_line(&project.title)));
    if !project.short_description.is_empty() {
        reply = reply.outside("description", None, one_line(&project.short_description));
    }
    Ok(reply.line(format!("Fields: {}.", fields.join("; "))).rows(page).line(project.url))
}

/// Whether a row may be shown: where only some repositories may be read, what lies in none may not.
fn within(server: &GitHub, item: &Item) -> bool {
    let repo = item.content.repo();
    if repo.is_empty() { !server.bounds().is_narrow() } else { server.bounds().sees(repo) }
}

/// A field and what it may be set to.
fn in_words(field: &Field) -> String {
    let name = one_line(&field.name);
    let choices = if field.options.is_empty() { field.iterations() } else { &field.options };
    match field.data_type.as_str() {
        "SINGLE_SELECT" | "ITERATION" => {
            let choices: Vec<_> = choices.iter().map(|choice| one_line(&choice.name)).collect();
            format!("{name} ({})", choices.join(" | "))
        }
        "TEXT" | "NUMBER" | "DATE" => format!("{name} ({})", field.data_type.to_lowercase()),
        _ => name,
    }
}

fn row_of(item: &Item) -> Row {
    let content = &item.content;
    let issue = match content.repo() {
        "" => String::new(),
        repo => format!("{}#{}", one_line(repo), one_line(&content.number)),
    };
    let state = match item.kind.as_str() {
        "REDACTED" => "hidden".to_owned(),
        "DRAFT_ISSUE" => "draft".to_owned(),
        _ => one_line(content.state()).to_lowercase(),
    };
    let set = item.field_values.nodes.iter().filter_map(|set| set.told());
    // The title stands in the row already.
    let set = set.filter(|(name, _)| *name != "Title");
    Row {
        id: one_line(&item.id),
        issue,
        state,
        title: one_line(&content.title),
        values: set.map(|(name, value)| format!("{}={}", one_line(name), one_line(value))).collect(),
    }
}

fn row_text(row: &Row) -> String {
    let mut facts = vec![row.id.clone()];
    facts.extend([&row.issue, &row.state].into_iter().filter(|fact| !fact.is_empty()).cloned());
    let values = if row.values.is_empty() { String::new() } else { format!(", {}", row.values.join(", ")) };
    format!("{}{values}: {}", facts.join(" "), row.title)
}
