//! Columns as a line of words says them: `status`, `select(Low, High)`, `number(euro)`, `relation(Projects)`.

use connector::{
    Error, Result,
    catalog::{nearest, words::short},
};
use serde_json::{Value, json};

use super::tables::options;
use crate::Notion;

/// Characters of what was written that errors show.
const SHOWN: usize = 60;

/// What a column can be made of (developers.notion.com/reference/property-object), with the names that people use.
const TYPES: [(&str, &[&str]); 20] = [
    ("title", &[]),
    ("rich_text", &["text", "string"]),
    ("number", &["float", "integer", "int"]),
    ("select", &["enum"]),
    ("multi_select", &["multiselect", "tags"]),
    ("status", &[]),
    ("date", &["datetime"]),
    ("people", &["person", "user"]),
    ("files", &["file", "attachments"]),
    ("checkbox", &["boolean", "bool"]),
    ("url", &["link"]),
    ("email", &[]),
    ("phone_number", &["phone"]),
    ("relation", &[]),
    ("formula", &[]),
    ("created_time", &[]),
    ("created_by", &[]),
    ("last_edited_time", &[]),
    ("last_edited_by", &[]),
    ("unique_id", &["id"]),
];

/// A column's type, and what stands in brackets after it.
pub(crate) struct Column<'a> {
    pub(crate) kind: &'static str,
    pub(crate) inside: Vec<&'a str>,
    whole: &'a str,
}

impl<'a> Column<'a> {
    /// Reads `select(Low, High)`.
    ///
    /// # Errors
    /// `invalid_argument` for a type that there is not.
    pub(crate) fn read(name: &str, text: &'a str) -> Result<Self> {
        let text = text.trim();
        let (word, whole) = match text.split_once('(') {
            Some((word, inside)) => {
                (word.trim(), inside.trim_end().strip_suffix(')').unwrap_or(inside).trim())
            }
            None => (text, ""),
        };
        let wanted = word.to_lowercase().replace([' ', '-'], "_");
        let known = TYPES.iter().find(|(kind, others)| *kind == wanted || others.contains(&wanted.as_str()));
        let Some((kind, _)) = known else {
            let names = TYPES.iter().map(|(kind, _)| *kind);
            let error = Error::invalid(format!(
                "`{}`: there is no type `{}`",
                short(name, SHOWN),
                short(word, SHOWN)
            ));
            return Err(match nearest(&wanted, names.clone()) {
                Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                None => error.with_hint(format!("There are: {}", names.collect::<Vec<_>>().join(", "))),
            });
        };
        let inside = whole.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        Ok(Self { kind, inside, whole })
    }
}

impl Notion {
    /// A column as a request has it. `now` is the column of that name that there is: its options keep their ids, and
    /// `select(+New, -Old)` changes them.
    ///
    /// # Errors
    /// `invalid_argument` for what is no column, `not_found` for a relation to no table.
    pub(crate) async fn column(&self, name: &str, text: &str, now: Option<&Value>) -> Result<Value> {
        let column = Column::read(name, text)?;
        let kind = column.kind;
        let now = now.filter(|now| now["type"] == kind);
        let config = match kind {
            "select" | "multi_select" | "status" if column.inside.is_empty() => json!({}),
            "select" | "multi_select" | "status" => json!({"options": chosen(&column.inside, now)}),
            "number" => json!({"format": column.inside.first().copied().unwrap_or("number")}),
            "formula" => json!({"expression": column.whole}),
            "unique_id" => json!({"prefix": column.inside.first()}),
            "relation" => {
                let table = self.table(column.whole).await?;
                json!({"data_source_id": table.id, "type": "single_property", "single_property": {}})
            }
            _ => json!({}),
        };
        Ok(json!({kind: config}))
    }
}

/// The options that a column gets: those named, or those there are with `+` and `-`.
fn chosen(words: &[&str], now: Option<&Value>) -> Vec<Value> {
    let there: Vec<Value> = now
        .and_then(|now| now[now["type"].as_str().unwrap_or_default()]["options"].as_array().cloned())
        .unwrap_or_default();
    let known = |word: &str| {
        let found =
            there.iter().find(|option| option["name"].as_str().is_some_and(|name| super::same(name, word)));
        match found {
            Some(option) => json!({"id": option["id"], "name": option["name"], "color": option["color"]}),
            None => json!({"name": word}),
        }
    };
    let changes = words.iter().all(|word| word.starts_with(['+', '-']));
    if !changes || now.is_none() {
        return words.iter().map(|word| known(word.trim_start_matches('+').trim())).collect();
    }
    let gone: Vec<&str> = words.iter().filter_map(|word| word.strip_prefix('-')).map(str::trim).collect();
    let names = now.map(options).unwrap_or_default();
    let stay = names.into_iter().filter(|name| !gone.iter().any(|gone| super::same(gone, name)));
    let new = words.iter().filter_map(|word| word.strip_prefix('+')).map(str::trim);
    stay.chain(new).map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_said_in_words() {
        let read = |text: &'static str| Column::read("x", text).map(|column| (column.kind, column.inside));
        assert_eq!(read("Multi-select (a, b c,)").unwrap(), ("multi_select", vec!["a", "b c"]));
        assert_eq!(read("text").unwrap().0, "rich_text");
        assert!(read("selct").err().unwrap().for_agent().contains("Did you mean `select`?"));
        assert!(read("colour").err().unwrap().for_agent().contains("There are: title"));
    }

    #[test]
    fn options_that_stay_keep_their_ids() {
        let now = json!({"type": "select", "select": {"options": [
            {"id": "1", "name": "Low", "color": "gray"}, {"id": "2", "name": "High", "color": "red"}]}});
        let names = |words: &[&str]| -> Vec<String> {
            chosen(words, Some(&now))
                .iter()
                .map(|option| format!("{}{}", option["name"], option["id"]))
                .collect()
        };
        assert_eq!(names(&["+New", "-low"]), ["\"High\"\"2\"", "\"New\"null"]);
        assert_eq!(names(&["high", "Other"]), ["\"High\"\"2\"", "\"Other\"null"]);
    }
}
