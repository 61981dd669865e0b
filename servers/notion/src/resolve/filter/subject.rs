//! What a condition is about: a column by its type, and what Notion takes for that type
//! (developers.notion.com/reference/post-database-query-filter).

use connector::{Error, Result};
use serde_json::{Value, json};

use super::{Map, SPANS, same};
use crate::{
    Notion,
    resolve::{dates::Dates, tables::Table},
};

const TEXT: &[&str] = &[
    "equals",
    "does_not_equal",
    "contains",
    "does_not_contain",
    "starts_with",
    "ends_with",
    "is_empty",
    "is_not_empty",
];
const NUMBER: &[&str] = &[
    "equals",
    "does_not_equal",
    "greater_than",
    "less_than",
    "greater_than_or_equal_to",
    "less_than_or_equal_to",
    "is_empty",
    "is_not_empty",
];
const TIME: &[&str] =
    &["equals", "before", "after", "on_or_before", "on_or_after", "is_empty", "is_not_empty"];
const LIST: &[&str] = &["contains", "does_not_contain", "is_empty", "is_not_empty"];
const OPTION: &[&str] = &["equals", "does_not_equal", "is_empty", "is_not_empty"];

/// What is compared with a value of a type.
fn operators(kind: &str) -> &'static [&'static str] {
    match kind {
        "title" | "rich_text" | "url" | "email" | "phone_number" => TEXT,
        "number" => NUMBER,
        "unique_id" => NUMBER.split_at(6).0,
        "checkbox" => OPTION.split_at(2).0,
        "select" | "status" => OPTION,
        "multi_select" | "people" | "relation" | "created_by" | "last_edited_by" => LIST,
        "date" | "created_time" | "last_edited_time" => TIME,
        "files" => OPTION.split_at(2).1,
        _ => &[],
    }
}

/// How Notion wants a condition on it.
enum Way {
    Timestamp,
    Column,
    /// A formula or a rollup that gives one value of this type.
    Computed(&'static str, &'static str),
    /// A rollup that shows values of the linked rows, by the type that each is compared as.
    Entries(&'static str),
}

/// What a condition is about.
pub(super) struct Subject<'a> {
    pub(super) name: &'a str,
    /// The type that its values are compared as.
    pub(super) kind: String,
    /// The column that knows its options, or the table that it links to.
    pub(super) column: Value,
    /// How its days are read.
    pub(super) dates: Dates,
    way: Way,
}

impl Subject<'_> {
    pub(super) fn is_time(&self) -> bool {
        operators(&self.kind) == TIME
    }

    pub(super) fn is_list(&self) -> bool {
        operators(&self.kind) == LIST
    }

    /// What "is" means for it.
    pub(super) fn equals(&self) -> &'static str {
        match self.kind.as_str() {
            "title" | "rich_text" => "contains",
            _ if self.is_list() => "contains",
            _ => "equals",
        }
    }

    /// Refuses an operator that the type does not take.
    ///
    /// # Errors
    /// `invalid_argument` with those that it takes.
    pub(super) fn check(&self, operator: &str) -> Result<()> {
        let takes = operators(&self.kind);
        // What is on no day is put together of others.
        let of_time = SPANS.contains(&operator) || operator == "does_not_equal";
        if takes.contains(&operator) || self.is_time() && of_time {
            Ok(())
        } else {
            Err(self.refused(operator, takes))
        }
    }

    /// One condition of Notion's.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub(super) fn test(&self, operator: &str, value: Value) -> Result<Value> {
        self.check(operator)?;
        let (name, kind) = (self.name, self.kind.as_str());
        Ok(match self.way {
            Way::Timestamp => json!({"timestamp": kind, kind: {operator: value}}),
            Way::Column => json!({"property": name, kind: {operator: value}}),
            Way::Computed(by, inner) => json!({"property": name, by: {inner: {operator: value}}}),
            Way::Entries(kind) => {
                // What is not so of the whole is so of no entry.
                let (which, operator) = match operator {
                    "is_empty" => ("none", "is_not_empty"),
                    "does_not_equal" => ("none", "equals"),
                    "does_not_contain" => ("none", "contains"),
                    operator => ("any", operator),
                };
                json!({"property": name, "rollup": {which: {kind: {operator: value}}}})
            }
        })
    }

    fn refused(&self, operator: &str, takes: &[&str]) -> Error {
        let word = |operator: &str| match operator {
            "does_not_equal" | "does_not_contain" => "not".to_owned(),
            "greater_than" => "gt".to_owned(),
            "less_than" => "lt".to_owned(),
            "greater_than_or_equal_to" => "gte".to_owned(),
            "less_than_or_equal_to" => "lte".to_owned(),
            "is_empty" | "is_not_empty" => "empty".to_owned(),
            other => other.to_owned(),
        };
        let what = format!("`where`: {}, a {} column,", self.name, self.kind.replace('_', " "));
        let mut words: Vec<String> = takes.iter().copied().map(word).collect();
        words.dedup();
        if words.is_empty() {
            return Error::invalid(format!("{what} cannot be compared"))
                .with_hint("Leave it out, and read its values");
        }
        Error::invalid(format!("{what} does not take `{}`", word(operator)))
            .with_hint(format!("It takes: {}", words.join(", ")))
    }
}

impl Notion {
    /// What `name` is in `table`: a column, or one of a row's own times.
    ///
    /// # Errors
    /// `invalid_argument` for what there is not, or cannot be compared.
    pub(super) async fn subject<'a>(&self, table: &'a Table, name: &str) -> Result<Subject<'a>> {
        let timestamp = ["created_time", "last_edited_time"].into_iter().find(|word| same(word, name));
        let (name, column) = match (table.column(name), timestamp) {
            (Ok(known), _) => known,
            (Err(_), Some(timestamp)) => {
                let kind = timestamp.to_owned();
                return Ok(Subject {
                    name: timestamp,
                    kind,
                    column: Value::Null,
                    dates: self.dates(),
                    way: Way::Timestamp,
                });
            }
            (Err(error), None) => return Err(error),
        };
        let kind = column["type"].as_str().unwrap_or_default();
        let computed = |by, inner: &'static str| {
            let kind = if inner == "string" { "rich_text" } else { inner }.to_owned();
            Subject { name, kind, column: column.clone(), dates: self.dates(), way: Way::Computed(by, inner) }
        };
        Ok(match kind {
            "formula" => computed("formula", self.type_of_formula(table, name).await?),
            "rollup" => match type_of_rollup(column) {
                Some(inner) => computed("rollup", inner),
                None => self.entries(table, name, column).await?,
            },
            kind => Subject {
                name,
                kind: kind.to_owned(),
                column: column.clone(),
                dates: self.dates(),
                way: Way::Column,
            },
        })
    }

    /// What a formula gives: only rows tell.
    async fn type_of_formula(&self, table: &Table, name: &str) -> Result<&'static str> {
        let rows = self.api().query(&table.id, &json!({"page_size": 1})).await?;
        let value = rows.results.first().map_or(&Value::Null, |row| row.value(name));
        Ok(match value["formula"]["type"].as_str() {
            Some("number") => "number",
            Some("boolean") => "checkbox",
            Some("date") => "date",
            _ => "string",
        })
    }

    /// The values of linked rows that a rollup shows.
    async fn entries<'a>(&self, table: &Table, name: &'a str, column: &Value) -> Result<Subject<'a>> {
        let of = |field: &str| column["rollup"][field].as_str().unwrap_or_default();
        let relation = table.columns.get(of("relation_property_name")).unwrap_or(&Value::Null);
        let target = relation["relation"]["data_source_id"].as_str().unwrap_or_default();
        let linked = self.api().data_source(target).await.map(|source| source.properties);
        let linked: Map<String, Value> = linked.unwrap_or_default();
        let shown = linked.get(of("rollup_property_name")).cloned().unwrap_or_default();
        let kind = match shown["type"].as_str().unwrap_or_default() {
            "title" | "url" | "email" | "phone_number" => "rich_text",
            kind => [
                "rich_text",
                "number",
                "checkbox",
                "select",
                "multi_select",
                "status",
                "people",
                "relation",
                "date",
                "files",
            ]
            .into_iter()
            .find(|known| *known == kind)
            .unwrap_or_default(),
        };
        Ok(Subject {
            name,
            kind: kind.to_owned(),
            column: shown,
            dates: self.dates(),
            way: Way::Entries(kind),
        })
    }
}

/// What a rollup computes of the linked rows; none where it shows their values.
fn type_of_rollup(column: &Value) -> Option<&'static str> {
    match column["rollup"]["function"].as_str().unwrap_or_default() {
        "show_original" | "show_unique" | "unique" => None,
        "earliest_date" | "latest_date" | "date_range" => Some("date"),
        _ => Some("number"),
    }
}
