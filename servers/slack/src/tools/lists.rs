//! Lists: items read, added, changed by the names of their columns. Opt-in.

use std::collections::{BTreeMap, BTreeSet};

use connector::{
    Effect, Error, Kind, Result,
    catalog::{
        Calendar, Call, Page, Plan, Position, Reply, Tool, Written, limit, nearest, one_line,
        paging::{self, VendorPage},
        reconcile::{self, Attempt},
    },
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    FROM,
    files::file_id,
    places::{readable, writable},
};
use crate::{
    Slack,
    api::{Form, methods, types::Page as ApiPage},
    resolve::people::People,
    workspace::Workspace,
};

pub(super) const TOOLSET: &str = "lists";
const ALIASES: &[(&str, &str)] = &[("list_id", "list"), ("item_id", "item"), ("row_id", "item")];

pub(super) fn tools() -> Vec<Tool<Slack>> {
    vec![
        Tool::read(
            "read_list",
            "Read a list",
            "The items of a Slack list (F…), with their ids and columns.",
            read_list,
        )
        .opt_in(TOOLSET)
        .scopes(&["lists:read"])
        .aliases(ALIASES)
        .output_page::<Row>(),
        Tool::write(
            "save_list_item",
            "Save a list item",
            "Adds an item to a list, or changes `item`, by the names of its columns.",
            save,
        )
        .opt_in(TOOLSET)
        .scopes(&["lists:write"])
        .aliases(ALIASES)
        .output::<Written>(),
    ]
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    id: String,
    /// Seconds since 1970.
    date_created: i64,
    fields: Vec<Field>,
}

impl Item {
    /// Whether it says what `cells` set, as far as that can be compared; not if nothing can.
    fn says(&self, cells: &[Value]) -> bool {
        let mut compared = 0;
        let all = cells.iter().all(|cell| {
            let field = self.fields.iter().find(|field| cell["column_id"] == field.column_id.as_str());
            if let Some(text) = cell["rich_text"][0]["elements"][0]["elements"][0]["text"].as_str() {
                compared += 1;
                return field.is_some_and(|field| field.text.trim() == text.trim());
            }
            if cell["user"].is_array() {
                compared += 1;
                return json!(field.map_or(&Vec::new(), |field| &field.user)) == cell["user"];
            }
            if is_emptied(cell) {
                compared += 1;
                return field.is_none_or(|field| field.said(None, &People::default()).is_empty());
            }
            true
        });
        all && compared > 0
    }
}

/// Whether a cell of a request has nothing in it.
fn is_emptied(cell: &Value) -> bool {
    cell.as_object().into_iter().flatten().any(|(_, value)| value == &json!([]))
}

/// The most pages of a list that are looked through for an item.
const PAGES: usize = 5;

/// The item of a list that `is_it`.
async fn find_item(workspace: &Workspace, list: &str, is_it: impl Fn(&Item) -> bool) -> Option<Item> {
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES {
        let form = Form::new().set("list_id", list).set("limit", 1_000).maybe("cursor", cursor.as_deref());
        let page: ApiPage<Item> = workspace.api().call(methods::LISTS_ITEMS, form).await.ok()?;
        cursor = page.next().map(str::to_owned);
        if let Some(found) = page.rows.into_iter().find(&is_it) {
            return Some(found);
        }
        cursor.as_ref()?;
    }
    None
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Field {
    column_id: String,
    key: String,
    /// Of a text alone.
    text: String,
    user: Vec<String>,
    /// What other cells hold under the name of their type, and all as `value`.
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

impl Field {
    /// What the cell says.
    fn said(&self, column: Option<&Column>, people: &People) -> String {
        if !self.user.is_empty() {
            return self.user.iter().map(|id| people.described(id)).collect::<Vec<_>>().join(", ");
        }
        if !self.text.is_empty() {
            return one_line(&self.text);
        }
        let kinds = self.others.iter().filter(|(name, _)| !["value", "rich_text"].contains(&name.as_str()));
        let value = kinds.map(|(_, value)| value).next().or_else(|| self.others.get("value"));
        value.map(|value| one_line(&plain(value, column))).unwrap_or_default()
    }
}

/// A cell's value in words: what was ticked, chosen or counted.
fn plain(value: &Value, column: Option<&Column>) -> String {
    match value {
        Value::Bool(ticked) => if *ticked { "yes" } else { "no" }.to_owned(),
        Value::String(word) => {
            let mut choices = column.into_iter().flat_map(|column| &column.options.choices);
            choices
                .find(|choice| choice.value == *word)
                .map_or_else(|| word.clone(), |choice| choice.label.clone())
        }
        Value::Number(number) => number.to_string(),
        Value::Array(all) => all.iter().map(|value| plain(value, column)).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let named = ["display_name", "label", "original_url", "title", "id"];
            named.iter().find_map(|name| fields.get(*name)?.as_str()).unwrap_or_default().to_owned()
        }
        Value::Null => String::new(),
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Column {
    id: String,
    key: String,
    name: String,
    r#type: String,
    options: Options,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Options {
    choices: Vec<Choice>,
}

/// What can be chosen in a column: its cells hold the value, people see the label.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    value: String,
    label: String,
}

impl Column {
    /// The value of the choice that people see as `word`; a cell takes no label.
    fn choice<'a>(&'a self, word: &'a str) -> Result<&'a str> {
        let low = word.to_lowercase();
        let choices = &self.options.choices;
        let meant = choices.iter().find(|choice| choice.label.to_lowercase() == low || choice.value == word);
        match meant {
            Some(choice) => Ok(&choice.value),
            // Where Slack tells no choices, it is for Slack to refuse.
            None if choices.is_empty() => Ok(word),
            None => {
                let labels: Vec<String> = choices.iter().map(|choice| one_line(&choice.label)).collect();
                Err(Error::invalid(format!("The column {} has no {}", one_line(&self.name), one_line(word)))
                    .with_hint(format!("Choose from: {}", labels.join(", "))))
            }
        }
    }

    /// Whether `word` is its name, its key or its id.
    fn is_called(&self, word: &str) -> bool {
        let low = word.trim().to_lowercase();
        self.name.to_lowercase() == low || self.key.to_lowercase() == low || self.id == word
    }

    /// A cell of it with nothing in it.
    fn emptied(&self) -> Value {
        let kind = match self.r#type.as_str() {
            _ if self.is_checkbox() => return json!({ "column_id": self.id, "checkbox": false }),
            "assignee" | "todo_assignee" => "user",
            "due_date" | "todo_due_date" => "date",
            kind @ ("user" | "number" | "rating" | "date" | "email" | "phone" | "select" | "link") => kind,
            _ => "rich_text",
        };
        json!({ "column_id": self.id, kind: [] })
    }

    fn is_checkbox(&self) -> bool {
        ["checkbox", "todo_completed"].contains(&self.r#type.as_str())
    }
}

/// An item in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    fields: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadList {
    list: String,
    limit: Option<u32>,
    cursor: Option<String>,
    workspace: Option<String>,
}

async fn read_list(call: Call<Slack>, args: ReadList) -> Result<Reply> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let id = file_id(&args.list)?;
    match workspace.api().file(&id).await {
        Ok(file) => readable(&call, &workspace, &file).await?,
        Err(error) if call.policy().narrows(Effect::Read) => return Err(error),
        Err(_) => {}
    }
    let first = position.first(limit(args.limit, 50, 200), 1000);
    let (page, read, next) = items(&workspace, &id, first, &position).await?;
    Ok(Reply::page(paging::close(&call, page, VendorPage::whole(position, read, next))))
}

/// The most items of a list that is read as a file.
const AS_FILE: u32 = 100;

/// What of a list is read as a file.
pub(super) enum AsFile {
    /// Its items.
    Items(Page),
    /// Why they may not be read, such as for the lack of `lists:read`.
    Refused(String),
    /// A tool for lists reads it, or the operator took that tool away.
    ByTool,
}

/// The items of a list for who has no tool for lists.
///
/// # Errors
/// Why they could not be read, if it is not that they may not be.
pub(super) async fn as_file(call: &Call<Slack>, workspace: &Workspace, id: &str) -> Result<AsFile> {
    if !reads_as_file(call) {
        return Ok(AsFile::ByTool);
    }
    match items(workspace, id, AS_FILE, &Position::default()).await {
        Ok((page, _, None)) => Ok(AsFile::Items(page)),
        Ok((page, ..)) => Ok(AsFile::Items(page.note(format!("the first {AS_FILE}")))),
        Err(error) if error.kind() == Kind::Permission => Ok(AsFile::Refused(error.for_agent())),
        Err(error) => Err(error),
    }
}

/// Whether reading a list as a file is left to who may not use the tool for it.
pub(super) fn reads_as_file(call: &Call<Slack>) -> bool {
    call.selection().is_none_or(|chosen| !chosen.exclude_tools.iter().any(|tool| tool == "read_list"))
}

/// A page of a list's items, how many were read, and where more begin.
async fn items(
    workspace: &Workspace,
    id: &str,
    first: u32,
    position: &Position,
) -> Result<(Page, usize, Option<String>)> {
    let form = Form::new().set("list_id", id).set("limit", first).maybe("cursor", position.after.as_deref());
    let found: ApiPage<Item> = workspace.api().call(methods::LISTS_ITEMS, form).await?;
    let next = found.next().map(str::to_owned);
    let items: Vec<Item> = found.rows.into_iter().skip(position.skip).collect();
    let columns = match items.first() {
        Some(item) => columns(workspace, id, &item.id).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let ids: BTreeSet<String> =
        items.iter().flat_map(|item| item.fields.iter().flat_map(|field| field.user.clone())).collect();
    let people = workspace.names().people(ids).await;
    let mut page = Page::new(FROM, ("item", "items")).note(format!("list {id}"));
    for item in &items {
        let mut fields = BTreeMap::new();
        let mut words = Vec::new();
        for field in &item.fields {
            let column = columns.iter().find(|column| column.id == field.column_id);
            let name = column.map_or(field.key.as_str(), |column| column.name.as_str());
            fields.insert(name.to_owned(), field.said(column, &people));
            words.push(format!("{}: {}", one_line(name), fields[name]));
        }
        // Slack leaves out a box that was never ticked.
        for column in columns.iter().filter(|column| column.is_checkbox()) {
            if !item.fields.iter().any(|field| field.column_id == column.id) {
                words.push(format!("{}: no", one_line(&column.name)));
                fields.insert(column.name.clone(), "no".to_owned());
            }
        }
        page.push(format!("{} {}", item.id, words.join(" | ")), &Row { id: item.id.clone(), fields });
    }
    Ok((page, items.len(), next))
}

/// The columns of a list, which Slack tells with an item of it.
async fn columns(workspace: &Workspace, list: &str, item: &str) -> Result<Vec<Column>> {
    let form = Form::new().set("list_id", list).set("id", item);
    let answer: Value = workspace.api().call(methods::LISTS_ITEM, form).await?;
    Ok(read_columns(&answer["list"]["list_metadata"]))
}

/// The columns that a list's metadata tells.
fn read_columns(metadata: &Value) -> Vec<Column> {
    serde_json::from_value(metadata["schema"].clone()).unwrap_or_default()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Save {
    list: String,
    item: Option<String>,
    /// Values by column name
    #[serde(default)]
    fields: BTreeMap<String, String>,
    /// Columns to empty
    #[serde(default)]
    clear: Vec<String>,
    workspace: Option<String>,
}

/// The column that is called so.
///
/// # Errors
/// `invalid_argument` with the names there are.
fn named<'a>(columns: &'a [Column], name: &str) -> Result<&'a Column> {
    columns.iter().find(|column| column.is_called(name)).ok_or_else(|| {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let low = name.trim().to_lowercase();
        let near = nearest(&low, names.iter().copied()).map(|near| format!("Did you mean {near}? "));
        Error::invalid(format!("The list has no column {}", one_line(name))).with_hint(format!(
            "{}Columns: {}",
            near.unwrap_or_default(),
            names.join(", ")
        ))
    })
}

/// A value as a cell of its column takes it.
async fn cell(workspace: &Workspace, column: &Column, value: &str) -> Result<Value> {
    let mut cell = json!({ "column_id": column.id });
    match column.r#type.as_str() {
        _ if column.is_checkbox() => {
            cell["checkbox"] = match value.trim().to_lowercase().as_str() {
                "true" | "yes" | "done" | "checked" | "on" | "1" | "x" => json!(true),
                "false" | "no" | "open" | "unchecked" | "off" | "0" | "" => json!(false),
                _ => {
                    let name = one_line(&column.name);
                    return Err(Error::invalid(format!("The column {name} is a box: yes or no")));
                }
            };
        }
        "user" | "assignee" | "todo_assignee" => {
            let mut ids = Vec::new();
            for person in value.split(',').map(str::trim).filter(|person| !person.is_empty()) {
                ids.push(workspace.names().person(person).await?.id);
            }
            cell["user"] = json!(ids);
        }
        kind @ ("number" | "rating") => {
            let value = value.trim();
            let number =
                value.parse::<i64>().map(Value::from).or_else(|_| value.parse::<f64>().map(Value::from));
            let number = number.map_err(|_| {
                Error::invalid(format!("The column {} takes a number", one_line(&column.name)))
            })?;
            cell[kind] = json!([number]);
        }
        "date" | "due_date" | "todo_due_date" => {
            let zone = workspace.names().zone().await;
            let day = Calendar::new(zone.iana_name()).day(&column.name, value.trim())?;
            cell["date"] = json!([day.to_string()]);
        }
        "email" => cell["email"] = json!([value.trim()]),
        "phone" => cell["phone"] = json!([value.trim()]),
        "select" => {
            let chosen: Vec<&str> = value.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
            cell["select"] =
                json!(chosen.into_iter().map(|word| column.choice(word)).collect::<Result<Vec<_>>>()?);
        }
        "link" => cell["link"] = json!([{ "original_url": value.trim() }]),
        _ => {
            cell["rich_text"] = json!([{ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [{ "type": "text", "text": value }] }] }]);
        }
    }
    Ok(cell)
}

async fn save(call: Call<Slack>, args: Save) -> Result<Plan> {
    let workspace = call.workspace(args.workspace.as_deref())?.clone();
    let list = file_id(&args.list)?;
    if args.fields.is_empty() && args.clear.is_empty() {
        return Err(Error::invalid("`fields` is empty"));
    }
    let file = match workspace.api().file(&list).await {
        Err(error) if call.policy().narrows(Effect::Write) => return Err(error),
        file => file,
    };
    let asks = match &file {
        Ok(file) => writable(&call, &workspace, file).await?,
        Err(_) => Vec::new(),
    };
    let item = args.item.clone().filter(|item| !item.trim().is_empty());
    if item.is_none() && !args.clear.is_empty() {
        return Err(Error::invalid("`clear` empties cells of an `item`, and none is given"));
    }
    let known = match &item {
        Some(item) => item.clone(),
        None => {
            let page: ApiPage<Item> = workspace
                .api()
                .call(methods::LISTS_ITEMS, Form::new().set("list_id", &list).set("limit", 1))
                .await?;
            page.rows.into_iter().next().map(|item| item.id).unwrap_or_default()
        }
    };
    // A list that is empty tells its columns with itself.
    let columns = match (known.is_empty(), file) {
        (true, file) => read_columns(&file?.list_metadata),
        (false, _) => columns(&workspace, &list, &known).await?,
    };
    let mut cells = Vec::new();
    let mut words = Vec::new();
    let given = args.fields.iter().map(|(name, value)| (name, Some(value.as_str())));
    for (name, value) in given.chain(args.clear.iter().map(|name| (name, None))) {
        let column = named(&columns, name)?;
        if value.is_some() && args.clear.iter().any(|clear| column.is_called(clear)) {
            let name = one_line(&column.name);
            return Err(Error::invalid(format!("`{name}` is both given and named in `clear`")));
        }
        let mut cell = match value {
            Some(value) => cell(&workspace, column, value).await?,
            None => column.emptied(),
        };
        if let Some(item) = &item {
            cell["row_id"] = json!(item);
        }
        let said = value.map_or_else(|| "emptied".to_owned(), one_line);
        let told = cell["date"][0].as_str().map_or(said, str::to_owned);
        words.push(format!("{}: {told}", one_line(&column.name)));
        cells.push(cell);
    }
    let what = item.as_ref().map_or_else(
        || format!("a new item of the list {list}"),
        |item| format!("item {item} of the list {list}"),
    );
    let mut preview = Written::new(format!("Set {what}"));
    preview.changed.clone_from(&words);
    preview.changed.extend(asks.iter().map(|reason| format!("asks, because {reason}")));
    let (state, new) = ((list.clone(), item.clone(), words.clone()), item.is_none());
    let plan = Plan::new(Reply::written(preview), move || async move {
        let check = format!("Read the list {list}");
        let (id, lost) = match &item {
            Some(item) => {
                let form = Form::new().set("list_id", &list).json("cells", &json!(cells));
                let sent: Result<Value> =
                    workspace.api().write(methods::LISTS_UPDATE, form, check, &[]).await;
                let look = find_item(&workspace, &list, |row| row.id == *item && row.says(&cells));
                let look = async { look.await.map(|_| Value::Null) };
                reconcile::created(sent, look).await.map(|(_, lost)| (item.clone(), lost))?
            }
            None => {
                #[derive(Deserialize)]
                struct Answer {
                    item: Item,
                }
                let attempt = Attempt::begin(workspace.api().upstream(), "list item");
                let form = Form::new().set("list_id", &list).json("initial_fields", &json!(cells));
                let sent: Result<Answer> =
                    workspace.api().write(methods::LISTS_CREATE, form, check, &[]).await;
                let is_it = |row: &Item| {
                    let made = Timestamp::from_second(row.date_created).unwrap_or(Timestamp::MIN);
                    row.says(&cells) && attempt.may_have_made(&row.id, &made.to_string())
                };
                let look = || find_item(&workspace, &list, is_it);
                let (made, lost) =
                    attempt.made(sent.map(|answer| answer.item), |row| row.id.clone(), look).await?;
                (made.id, lost)
            }
        };
        let mut written = Written::new(format!("Set {what}: {id}")).id(id);
        written.changed = words;
        if lost {
            written = written.change("Slack's answer was lost; it was looked for, and is done");
        }
        Ok(Reply::written(written))
    })
    .state(&state);
    let plan = if new { plan.once() } else { plan };
    Ok(if asks.is_empty() { plan } else { plan.ask() })
}
