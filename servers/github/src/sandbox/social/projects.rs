//! Projects: tables of issues with fields of their own.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{moment, number, rows, text};

/// A project of a user or an organization.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Project {
    pub(super) id: u64,
    pub(super) owner: String,
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) readme: Option<String>,
    pub(super) public: bool,
    pub(super) closed: bool,
    pub(super) creator: String,
    pub(super) created: String,
    pub(super) updated: String,
    pub(super) fields: Vec<Field>,
    /// In their order.
    pub(super) items: Vec<Item>,
}

/// A field of a project.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Field {
    pub(super) id: u64,
    pub(super) name: String,
    /// `TITLE`, `ASSIGNEES`, `TEXT`, `NUMBER`, `DATE`, `SINGLE_SELECT`, `ITERATION`.
    pub(super) kind: String,
    /// What a single select may be, or the iterations.
    pub(super) options: Vec<Choice>,
}

/// What a field may be set to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Choice {
    /// Eight digits.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) color: String,
    pub(super) description: String,
    /// Of an iteration: its first day, and how many days it has.
    pub(super) start: String,
    pub(super) days: u64,
}

/// A row of a project.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Item {
    pub(super) id: u64,
    pub(super) content: Content,
    pub(super) creator: String,
    pub(super) created: String,
    pub(super) updated: String,
    pub(super) archived: bool,
    /// By the field's id: a text, a number, a date, or the id of a choice.
    pub(super) values: BTreeMap<u64, Value>,
}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Content {
    /// An issue or a pull request, by repository and number.
    Issue { repo: u64, number: u64, pull: bool },
    /// Something that is no issue yet.
    Draft { title: String, body: String },
}

impl Project {
    pub(super) fn from_seed(row: &Value) -> Result<Self, String> {
        let created = moment(row, "at").ok_or("a project without time")?;
        let fields = rows(&row["fields"]).map(field).collect::<Result<Vec<_>, String>>()?;
        let creator = text(row, "by");
        let items =
            rows(&row["items"]).map(|row| item(row, &fields, &creator)).collect::<Result<_, String>>()?;
        Ok(Self {
            id: number(row, "id")?,
            owner: text(row, "owner"),
            number: number(row, "number")?,
            title: text(row, "title"),
            description: row["description"].as_str().map(str::to_owned),
            readme: row["readme"].as_str().map(str::to_owned),
            public: row["public"] == true,
            closed: row["closed"] == true,
            creator,
            updated: moment(row, "updated").unwrap_or_else(|| created.clone()),
            created,
            fields,
            items,
        })
    }

    pub(super) fn field(&self, id: u64) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == id)
    }

    pub(super) fn item(&self, id: u64) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    pub(super) fn item_mut(&mut self, id: u64) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.id == id)
    }
}

impl Field {
    /// The type that it has in the schema.
    pub(super) fn ty(&self) -> &'static str {
        match self.kind.as_str() {
            "SINGLE_SELECT" => "ProjectV2SingleSelectField",
            "ITERATION" => "ProjectV2IterationField",
            _ => "ProjectV2Field",
        }
    }

    /// The type that its values have in the schema; none for what is not set here.
    pub(super) fn value_ty(&self) -> Option<&'static str> {
        Some(match self.kind.as_str() {
            "TITLE" | "TEXT" => "ProjectV2ItemFieldTextValue",
            "NUMBER" => "ProjectV2ItemFieldNumberValue",
            "DATE" => "ProjectV2ItemFieldDateValue",
            "SINGLE_SELECT" => "ProjectV2ItemFieldSingleSelectValue",
            "ITERATION" => "ProjectV2ItemFieldIterationValue",
            _ => return None,
        })
    }

    /// The prefix of its node id.
    pub(super) fn prefix(&self) -> &'static str {
        match self.kind.as_str() {
            "SINGLE_SELECT" => "PVTSSF",
            "ITERATION" => "PVTIF",
            _ => "PVTF",
        }
    }

    pub(super) fn choice(&self, id: &str) -> Option<&Choice> {
        self.options.iter().find(|choice| choice.id == id)
    }
}

fn field(row: &Value) -> Result<Field, String> {
    let id = number(row, "id")?;
    let options = rows(&row["options"]).zip(1_u32..).map(|(row, place)| Choice {
        id: row["id"].as_str().map_or_else(|| format!("{:08x}", id * 100 + u64::from(place)), str::to_owned),
        name: row["name"].as_str().or(row.as_str()).unwrap_or_default().to_owned(),
        color: row["color"].as_str().unwrap_or("GRAY").to_owned(),
        description: text(row, "description"),
        start: text(row, "start"),
        days: row["days"].as_u64().unwrap_or(14),
    });
    Ok(Field { id, name: text(row, "name"), kind: text(row, "kind"), options: options.collect() })
}

/// An item; its `values` name fields and choices.
fn item(row: &Value, fields: &[Field], creator: &str) -> Result<Item, String> {
    let created = moment(row, "at").ok_or("an item without time")?;
    let content = match (row["issue"].as_u64(), row["pull"].as_u64()) {
        (Some(number), _) => Content::Issue { repo: self::number(row, "repo")?, number, pull: false },
        (None, Some(number)) => Content::Issue { repo: self::number(row, "repo")?, number, pull: true },
        (None, None) => Content::Draft { title: text(row, "title"), body: text(row, "body") },
    };
    let mut values = BTreeMap::new();
    for (name, value) in row["values"].as_object().into_iter().flatten() {
        let field =
            fields.iter().find(|field| field.name == *name).ok_or_else(|| format!("no field {name}"))?;
        let choice = field.options.iter().find(|choice| Some(choice.name.as_str()) == value.as_str());
        let value = match (field.options.is_empty(), choice) {
            (true, _) => value.clone(),
            (false, Some(choice)) => choice.id.clone().into(),
            (false, None) => return Err(format!("{name} has no option {value}")),
        };
        values.insert(field.id, value);
    }
    Ok(Item {
        id: number(row, "id")?,
        content,
        creator: row["by"].as_str().unwrap_or(creator).to_owned(),
        updated: moment(row, "updated").unwrap_or_else(|| created.clone()),
        created,
        archived: row["archived"] == true,
        values,
    })
}
