//! Saved views by id, address or name, and what they filter by, in words.

use connector::{
    Error, Result,
    catalog::{one_line, words::short},
};
use futures::future::try_join_all;
use serde_json::Value;

use super::{id_of, same, tables::Table, view_of};
use crate::{Notion, api::objects::View, render};

/// Views of a table that are looked through for a name, and how many of them at once.
const MOST: usize = 100;
const AT_ONCE: usize = 20;
/// Characters of a view's conditions that are told.
const SHOWN: usize = 300;

impl Notion {
    /// The table of `database`, of a `view`, or of a view of it by its name.
    ///
    /// # Errors
    /// As [`Self::table`] and [`Self::view_id`]; `invalid_argument` if neither is given.
    pub(crate) async fn table_or_view(&self, database: Option<&str>, view: Option<&str>) -> Result<Table> {
        let given =
            |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        match (given(database), given(view)) {
            (database, Some(view)) => self.table(&self.view_id(&view, database.as_deref()).await?).await,
            (Some(database), None) => self.table(&database).await,
            (None, None) => {
                Err(Error::invalid("Give the table as `database`, or one of its views as `view`"))
            }
        }
    }

    /// The id of the view that `text` means: its id, its address, or its name in the table `database`.
    ///
    /// # Errors
    /// `not_found` with the names there are, `invalid_argument` listing those of one name, or where a name comes
    /// without its table.
    pub(crate) async fn view_id(&self, text: &str, database: Option<&str>) -> Result<String> {
        if let Some(id) = view_of(text).or_else(|| id_of(text)) {
            return Ok(id);
        }
        let database = database.ok_or_else(|| {
            Error::invalid(format!("A view's name needs its table: give `database` with {}", one_line(text)))
        })?;
        let table = self.table(database).await?;
        // A list of views gives no names.
        let known = self.api().views(&table.id).await?;
        let mut views: Vec<View> = Vec::new();
        for some in known.iter().take(MOST).collect::<Vec<_>>().chunks(AT_ONCE) {
            views.extend(try_join_all(some.iter().map(|known| self.api().view(&known.id))).await?);
            if views.iter().any(|view| same(&view.name, text)) {
                break;
            }
        }
        let found: Vec<&View> = views.iter().filter(|view| same(&view.name, text)).collect();
        match found.as_slice() {
            [one] => Ok(one.id.clone()),
            [] => {
                let names: Vec<String> = views.iter().map(|view| one_line(&view.name)).collect();
                let more = match known.len().saturating_sub(MOST) {
                    0 => String::new(),
                    more => format!("; and {more} more, whose names were not read"),
                };
                Err(Error::not_found(format!("{} has no view called {}", table.name, one_line(text)))
                    .with_hint(format!("There are: {}{more}", names.join("; "))))
            }
            many => {
                let ids: Vec<String> = many.iter().map(|view| render::bare(&view.id)).collect();
                Err(Error::invalid(format!(
                    "{} views of {} are called {}: {}",
                    many.len(),
                    table.name,
                    one_line(text),
                    ids.join(", ")
                ))
                .with_hint("Give the id of one of them"))
            }
        }
    }
}

/// What a view filters and sorts by: `where Status does not equal Done; sorted by Due`.
pub(crate) fn words(view: &View, table: &Table) -> String {
    let mut parts = Vec::new();
    if view.filter.as_object().is_some_and(|filter| !filter.is_empty()) {
        parts.push(format!("where {}", short(&condition(&view.filter, table), SHOWN)));
    }
    let sorts: Vec<String> = view
        .sorts
        .as_array()
        .into_iter()
        .flatten()
        .map(|sort| {
            let descends = sort["direction"] == "descending";
            format!("{}{}", if descends { "-" } else { "" }, column(sort, table))
        })
        .collect();
    if !sorts.is_empty() {
        parts.push(format!("sorted by {}", short(&sorts.join(", "), SHOWN)));
    }
    let mut words = if parts.is_empty() { "all rows".to_owned() } else { parts.join("; ") };
    // By the column's id each (SDK 5.26.0: quick_filters). A person sees fewer rows by them.
    let quick: Vec<String> = view
        .quick_filters
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, test)| !test.is_null())
        .map(|(property, test)| {
            let mut test = test.clone();
            test["property"] = Value::from(property.as_str());
            condition(&test, table)
        })
        .collect();
    if !quick.is_empty() {
        words.push_str(&format!("; its quick filters are not applied: {}", short(&quick.join(", "), SHOWN)));
    }
    words
}

/// The column that a condition or an order is about, which Notion names by its name or its id.
fn column(of: &Value, table: &Table) -> String {
    let known = of["property"].as_str().or_else(|| of["timestamp"].as_str()).unwrap_or_default();
    let named = table.columns.iter().find(|(_, column)| column["id"] == known);
    one_line(named.map_or(known, |(name, _)| name.as_str()))
}

/// A filter of Notion's in words.
pub(crate) fn condition(filter: &Value, table: &Table) -> String {
    for (word, joint) in [("and", " and "), ("or", " or ")] {
        if let Some(parts) = filter[word].as_array() {
            let part = |part: &Value| {
                let inner = condition(part, table);
                let many =
                    ["and", "or"].iter().any(|word| part[*word].as_array().is_some_and(|all| all.len() > 1));
                if many { format!("({inner})") } else { inner }
            };
            return parts.iter().map(part).collect::<Vec<_>>().join(joint);
        }
    }
    let tests = filter.as_object().into_iter().flatten();
    let test = tests.into_iter().find(|(field, test)| {
        test.is_object() && !["property", "timestamp", "type"].contains(&field.as_str())
    });
    let mut said = vec![column(filter, table)];
    let mut test = test.map(|(_, test)| test);
    // Formulas and rollups have their conditions one or two levels below.
    while let Some((operator, value)) = test.and_then(Value::as_object).and_then(|test| test.iter().next()) {
        said.push(operator.replace('_', " "));
        test = Some(value).filter(|value| value.is_object());
        let word = |value: &Value| match value {
            Value::String(text) => Some(one_line(text)),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) if !operator.starts_with("is_") => Some(render::yes(*truth).to_owned()),
            _ => None,
        };
        let values: Vec<String> = match value {
            Value::Array(values) => values.iter().filter_map(word).collect(),
            value => word(value).into_iter().collect(),
        };
        said.extend((!values.is_empty()).then(|| values.join(" or ")));
    }
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_view_is_said_in_words() {
        let table = Table {
            columns: json!({"Due": {"id": "d%3A1", "type": "date"}}).as_object().cloned().unwrap(),
            ..Table::default()
        };
        let view = |filter: Value, sorts: Value| words(&View { filter, sorts, ..View::default() }, &table);
        assert_eq!(view(Value::Null, Value::Null), "all rows");
        let filter = json!({"and": [
            {"property": "Status", "status": {"equals": ["To do", "Done"]}},
            {"or": [
                {"property": "d%3A1", "date": {"is_empty": true}},
                {"property": "d%3A1", "date": {"past_week": {}}},
                {"property": "Open", "checkbox": {"equals": false}},
                {"property": "Sum", "rollup": {"number": {"greater_than": 3}}}]},
        ]});
        assert_eq!(
            view(filter, json!([{"property": "d%3A1", "direction": "descending"}])),
            "where Status equals To do or Done and (Due is empty or Due past week or Open equals no or Sum number \
             greater than 3); sorted by -Due"
        );
    }
}
