//! The columns of rows: what is asked for, what is asked of HubSpot for it, and a row as data.

use std::collections::BTreeMap;

use connector::{Error, Kind, Result, catalog::names::fold};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    api::{definitions::Property, objects::Record},
    render::Values,
    resolve::Fields,
};

/// What a listing says where its rows have no room for a text.
pub(super) const CUT: &str = "texts are cut; get_records of one record shows it whole";

/// A record.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RecordRow {
    pub(super) id: String,
    pub(super) values: BTreeMap<String, String>,
}

impl RecordRow {
    pub(super) fn new(values: &Values, record: &Record, columns: &[String]) -> Self {
        Self::of(record, columns, |column| values.text(record, column))
    }

    /// A record with what `tell` says of each column.
    pub(super) fn of(record: &Record, columns: &[String], tell: impl Fn(&str) -> String) -> Self {
        let cells = columns.iter().map(|column| (column.clone(), tell(column)));
        Self { id: record.id.clone(), values: cells.filter(|(_, value)| !value.is_empty()).collect() }
    }
}

/// The columns of rows: those asked for, or the usual ones.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    /// What was asked for and is no field, a sentence each.
    pub(super) unknown: Vec<String>,
    /// How many of the first ones were not asked for: what a record is known by is always there.
    pub(super) added: usize,
}

impl Columns {
    /// Those that `asked` names. A wrong name among right ones is told beside the rows.
    ///
    /// # Errors
    /// `not_found` where all names are wrong; `invalid_argument` for a name of several fields.
    pub(super) fn read(fields: &Fields, asked: &[String]) -> Result<Self> {
        let mut words = asked
            .iter()
            .flat_map(|word| word.split(','))
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .peekable();
        let mut columns = Self::default();
        if words.peek().is_none() {
            let known = |name: &&String| fields.get(name).is_some();
            columns.names = fields.object.columns.iter().filter(known).cloned().collect();
            return Ok(columns);
        }
        let mut first = None;
        let mut none = true;
        for word in words {
            // A name that stands in several fields, as a contact's does, is all of them.
            let whole =
                fields.object.titles.first().filter(|title| title.contains(' ') && fold(word) == "name");
            if let Some(title) = whole {
                none = false;
                for name in title.split(' ') {
                    if !columns.names.iter().any(|known| known == name) {
                        columns.names.push(name.to_owned());
                    }
                }
                continue;
            }
            match fields.find(word) {
                Ok(property) => {
                    none = false;
                    if property.name != "hs_object_id" && !columns.names.contains(&property.name) {
                        columns.names.push(property.name.clone());
                    }
                }
                Err(error) if error.kind() == Kind::NotFound => {
                    // The nearest ones are told; all that there are would be told once more for each.
                    let near = error.hint().filter(|hint| hint.starts_with("Did you mean"));
                    let near = near.map(|hint| format!(". {hint}")).unwrap_or_default();
                    columns.unknown.push(format!("{}{near}", error.message().trim_end_matches('.')));
                    first.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        // The text of a note is no name, and long.
        if let Some(title) = fields.object.titles.first()
            && fields.object.body() != Some(title.as_str())
            && !title.split(' ').any(|name| columns.names.iter().any(|known| known == name))
        {
            let names = title.split(' ').filter(|name| fields.get(name).is_some()).map(str::to_owned);
            let names: Vec<String> = names.collect();
            columns.added = names.len();
            columns.names.splice(0..0, names);
        }
        match first {
            Some(first) if none && columns.unknown.len() == 1 => Err(first),
            Some(_) if none => Err(Error::not_found(columns.unknown.join(". "))
                .with_hint(format!("describe_object lists the fields of {}", fields.object.plural))),
            _ => Ok(columns),
        }
    }
}

/// The properties to ask for, so that `columns` can be told.
pub(super) fn asked(fields: &Fields, columns: &[String]) -> Vec<String> {
    let mut properties = columns.to_vec();
    if columns.iter().any(|name| fields.get(name).is_some_and(Property::is_money)) {
        properties.extend(fields.currency().map(str::to_owned));
    }
    properties.extend(fields.object.title_properties());
    properties.sort_unstable();
    properties.dedup();
    properties
}
