//! Checks of requests, in the words of Notion: `body failed validation: body.children.length should be
//! ≤ `100`, instead was `101`.` (developers.notion.com/reference/request-limits, status-codes).

use serde_json::{Map, Value};

use super::{
    errors::{ApiError, Outcome},
    rich_text::id_in,
};

/// A place in a request, as messages name it: `body.children[0].code.language`.
#[derive(Clone, Debug)]
pub(super) struct Place(String);

impl Place {
    pub(super) fn body() -> Self {
        Self("body".to_owned())
    }

    pub(super) fn path() -> Self {
        Self("path".to_owned())
    }

    pub(super) fn query() -> Self {
        Self("query".to_owned())
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }

    pub(super) fn at(&self, field: &str) -> Self {
        Self(format!("{}.{field}", self.0))
    }

    pub(super) fn item(&self, at: usize) -> Self {
        Self(format!("{}[{at}]", self.0))
    }

    fn root(&self) -> &str {
        self.0.split(['.', '[']).next().unwrap_or("body")
    }

    pub(super) fn should(&self, be: &str, was: &Value) -> ApiError {
        let was = if was.is_null() { "undefined".to_owned() } else { was.to_string() };
        ApiError::validation(format!(
            "{} failed validation: {} should be {be}, instead was `{was}`.",
            self.root(),
            self.0
        ))
    }

    pub(super) fn missing(&self) -> ApiError {
        self.should("defined", &Value::Null)
    }

    pub(super) fn object<'a>(&self, value: &'a Value) -> Outcome<&'a Map<String, Value>> {
        value
            .as_object()
            .ok_or_else(|| if value.is_null() { self.missing() } else { self.should("an object", value) })
    }

    pub(super) fn text<'a>(&self, value: &'a Value) -> Outcome<&'a str> {
        value
            .as_str()
            .ok_or_else(|| if value.is_null() { self.missing() } else { self.should("a string", value) })
    }

    pub(super) fn list<'a>(&self, value: &'a Value, most: usize) -> Outcome<&'a [Value]> {
        let Some(items) = value.as_array() else {
            return Err(if value.is_null() { self.missing() } else { self.should("an array", value) });
        };
        if items.len() > most {
            return Err(self.at("length").should(&format!("≤ `{most}`"), &Value::from(items.len())));
        }
        Ok(items)
    }

    pub(super) fn length(&self, text: &str, most: usize) -> Outcome<()> {
        let length = text.chars().count();
        if length > most {
            return Err(self.at("length").should(&format!("≤ `{most}`"), &Value::from(length)));
        }
        Ok(())
    }

    pub(super) fn one_of(&self, value: &str, known: &[&str]) -> Outcome<()> {
        if known.contains(&value) {
            return Ok(());
        }
        let list: Vec<String> = known.iter().map(|known| format!("`\"{known}\"`")).collect();
        let list = match list.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{}, or {last}", rest.join(", ")),
            None => String::new(),
        };
        Err(self.should(&list, &Value::from(value)))
    }

    pub(super) fn id(&self, value: &Value) -> Outcome<String> {
        let text = self.text(value)?;
        let bare = text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        bare.then(|| id_in(text)).flatten().ok_or_else(|| self.should("a valid uuid", value))
    }

    /// Refuses fields that the endpoint does not know.
    pub(super) fn only(&self, fields: &Map<String, Value>, known: &[&str]) -> Outcome<()> {
        match fields.iter().find(|(name, value)| !known.contains(&name.as_str()) && !value.is_null()) {
            Some((name, value)) => Err(ApiError::validation(format!(
                "{} failed validation: {}.{name} should be not present, instead was `{value}`.",
                self.root(),
                self.0
            ))),
            None => Ok(()),
        }
    }
}
