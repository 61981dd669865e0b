//! Resources that a table describes: path, fields and their rules. A vendor's regular resources need no more.

use std::fmt;

use http::Method;
use jiff::{Timestamp, civil::Date};
use serde_json::Value;

use super::{Row, Rows};

/// A resource, as a vendor's reference describes it.
#[derive(Debug)]
pub struct Resource {
    /// The table of its rows.
    pub table: &'static str,
    /// Where the list of it is: `/crm/v3/objects/{objectType}`. One row is at `{path}/{id}`.
    pub path: &'static str,
    /// What can be done to it.
    pub verbs: &'static [Verb],
    /// Which rows belong to an address: a named segment of the path, and the field that has its value. A new row gets
    /// the value.
    pub within: &'static [(&'static str, &'static str)],
    /// Its fields.
    pub fields: &'static [Field],
    /// Whether a field that is not described is refused rather than left out.
    pub strict: bool,
}

/// What can be done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `GET path`
    List,
    /// `GET path/{id}`
    Get,
    /// `POST path`
    Create,
    /// `PATCH path/{id}`
    Patch,
    /// `DELETE path/{id}`
    Delete,
}

impl Verb {
    /// Every verb.
    pub const ALL: &'static [Self] = &[Self::List, Self::Get, Self::Create, Self::Patch, Self::Delete];

    /// The route's method and its template.
    pub(crate) fn template(self, resource: &Resource) -> (Method, String) {
        let (method, one) = match self {
            Self::List => (Method::GET, ""),
            Self::Get => (Method::GET, "/{id}"),
            Self::Create => (Method::POST, ""),
            Self::Patch => (Method::PATCH, "/{id}"),
            Self::Delete => (Method::DELETE, "/{id}"),
        };
        let template = format!("{method} {}{one}", resource.path);
        (method, template)
    }
}

/// A field of a resource. Made with [`new`](Self::new) and what it says otherwise:
/// `Field::new("name", FieldKind::Text).required().max(255)`.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    name: &'static str,
    kind: FieldKind,
    required: bool,
    max: Option<usize>,
    on_create: bool,
    on_patch: bool,
    refers: Option<&'static str>,
}

/// What a field holds. Null is taken for every field that is not required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Flag,
    /// `2026-11-22`
    Date,
    /// A moment of RFC 3339.
    Time,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of strings.
    Texts,
    /// A list of anything.
    List,
    /// An object.
    Object,
    /// Anything.
    Any,
}

impl Field {
    /// A field that may be left out and that callers may write.
    #[must_use]
    pub const fn new(name: &'static str, kind: FieldKind) -> Self {
        Self { name, kind, required: false, max: None, on_create: true, on_patch: true, refers: None }
    }

    /// A new row must have it, neither null nor empty.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The most characters of a text or elements of a list.
    #[must_use]
    pub const fn max(self, max: usize) -> Self {
        Self { max: Some(max), ..self }
    }

    /// Callers cannot write it.
    #[must_use]
    pub const fn read_only(self) -> Self {
        Self { on_create: false, on_patch: false, ..self }
    }

    /// Callers can write it when a row is made, and not after.
    #[must_use]
    pub const fn fixed(self) -> Self {
        Self { on_patch: false, ..self }
    }

    /// It is the key of a row of this table, or a list of such keys.
    #[must_use]
    pub const fn refers(self, table: &'static str) -> Self {
        Self { refers: Some(table), ..self }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it holds.
    #[must_use]
    pub const fn kind(&self) -> FieldKind {
        self.kind
    }

    fn check(&self, value: &Value, rows: &Rows) -> Option<Broken> {
        if value.is_null() {
            return self.required.then_some(Broken::Missing);
        }
        if !self.kind.holds(value) {
            return Some(match self.kind {
                FieldKind::OneOf(words) if value.is_string() => Broken::NotOneOf(words),
                kind => Broken::Kind(kind),
            });
        }
        let size = match value {
            Value::String(text) => text.chars().count(),
            Value::Array(values) => values.len(),
            _ => 1,
        };
        if self.required && size == 0 {
            return Some(Broken::Missing);
        }
        if let Some(max) = self.max.filter(|max| size > *max) {
            return Some(Broken::TooLong { max, size });
        }
        let keys = match value {
            Value::Array(keys) => keys.as_slice(),
            key => std::slice::from_ref(key),
        };
        let table = self.refers?;
        let lost = keys.iter().filter_map(Value::as_str).find(|key| rows.get(table, key).is_none())?;
        Some(Broken::NoSuch { table, key: lost.to_owned() })
    }
}

impl FieldKind {
    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Flag => value.is_boolean(),
            Self::Date => value.as_str().is_some_and(|text| text.parse::<Date>().is_ok()),
            Self::Time => value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok()),
            Self::OneOf(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Self::Texts => value.as_array().is_some_and(|values| values.iter().all(Value::is_string)),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
            Self::Any => true,
        }
    }
}

/// A rule that an input breaks. Its text is for logs; each vendor has words of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, as the input has it.
    pub field: String,
    /// The rule.
    pub broken: Broken,
}

/// Which rule is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is required.
    Missing,
    /// It is of another kind.
    Kind(FieldKind),
    /// It is none of these words.
    NotOneOf(&'static [&'static str]),
    /// It has more characters or elements than allowed.
    TooLong {
        /// The most allowed.
        max: usize,
        /// What it has.
        size: usize,
    },
    /// It cannot be written.
    ReadOnly,
    /// There is no such field.
    Unknown,
    /// It names a row that there is not.
    NoSuch {
        /// The table in which there is none.
        table: &'static str,
        /// The key.
        key: String,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.field, self.broken)
    }
}

impl Resource {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// What `input` gives a new row.
    ///
    /// # Errors
    /// Every rule that it breaks, in the order of the fields.
    pub fn check_new(&self, input: &Row, rows: &Rows) -> Result<Row, Vec<Violation>> {
        let missing = self.fields.iter().filter(|field| field.required && !input.contains_key(field.name));
        let missing =
            missing.map(|field| Violation { field: field.name.to_owned(), broken: Broken::Missing });
        self.check(input, rows, missing.collect(), |field| field.on_create)
    }

    /// What `input` changes of a row.
    ///
    /// # Errors
    /// Every rule that it breaks, in the order of the input.
    pub fn check_changes(&self, input: &Row, rows: &Rows) -> Result<Row, Vec<Violation>> {
        self.check(input, rows, Vec::new(), |field| field.on_patch)
    }

    fn check(
        &self,
        input: &Row,
        rows: &Rows,
        mut broken: Vec<Violation>,
        writable: impl Fn(&Field) -> bool,
    ) -> Result<Row, Vec<Violation>> {
        let mut taken = Row::new();
        for (name, value) in input {
            let rule = match self.field(name) {
                None => self.strict.then_some(Broken::Unknown),
                Some(field) if !writable(field) => self.strict.then_some(Broken::ReadOnly),
                Some(field) => {
                    let rule = field.check(value, rows);
                    if rule.is_none() {
                        taken.insert(name.clone(), value.clone());
                    }
                    rule
                }
            };
            broken.extend(rule.map(|broken| Violation { field: name.clone(), broken }));
        }
        if broken.is_empty() { Ok(taken) } else { Err(broken) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::Table, *};

    const TASKS: Resource = Resource {
        table: "tasks",
        path: "/v1/tasks",
        verbs: Verb::ALL,
        within: &[],
        fields: &[
            Field::new("title", FieldKind::Text).required().max(5),
            Field::new("state", FieldKind::OneOf(&["open", "done"])),
            Field::new("due", FieldKind::Date),
            Field::new("owner", FieldKind::Text).refers("users"),
            Field::new("kind", FieldKind::Text).fixed(),
            Field::new("created", FieldKind::Time).read_only(),
        ],
        strict: true,
    };

    fn broken(input: Value) -> Vec<(String, Broken)> {
        let rows = Rows::from_seed(json!({ "users": [{ "id": "U1" }] }), &[Table::new("users")]).unwrap();
        let Value::Object(input) = input else { panic!("an object") };
        let broken = TASKS.check_new(&input, &rows).unwrap_err();
        broken.into_iter().map(|violation| (violation.field, violation.broken)).collect()
    }

    #[test]
    fn each_rule_that_is_broken_is_told() {
        let one = |field: &str, rule: Broken| vec![(field.to_owned(), rule)];
        assert_eq!(broken(json!({})), one("title", Broken::Missing));
        assert_eq!(broken(json!({ "title": null })), one("title", Broken::Missing));
        assert_eq!(broken(json!({ "title": "" })), one("title", Broken::Missing));
        assert_eq!(broken(json!({ "title": "ééééé!" })), one("title", Broken::TooLong { max: 5, size: 6 }));
        let with = |name: &str, value: Value| broken(json!({ "title": "x", name: value }));
        assert_eq!(with("state", json!("shut")), one("state", Broken::NotOneOf(&["open", "done"])));
        assert_eq!(with("state", json!(1)), one("state", Broken::Kind(FieldKind::OneOf(&["open", "done"]))));
        assert_eq!(with("due", json!("2026-02-30")), one("due", Broken::Kind(FieldKind::Date)));
        let lost = Broken::NoSuch { table: "users", key: "U9".to_owned() };
        assert_eq!(with("owner", json!("U9")), one("owner", lost));
        assert_eq!(with("created", json!("2026-01-01T00:00:00Z")), one("created", Broken::ReadOnly));
        assert_eq!(with("colour", json!("red")), one("colour", Broken::Unknown));
        assert_eq!(broken(json!({ "state": "shut", "due": 1 })).len(), 3, "all at once");
    }

    #[test]
    fn what_is_fixed_is_taken_once_and_what_is_not_required_may_be_null() {
        let rows = Rows::new(&[Table::new("users")]);
        let Value::Object(input) = json!({ "title": "x", "kind": "bug", "due": null }) else { panic!() };
        assert_eq!(TASKS.check_new(&input, &rows).unwrap(), input);
        let broken = TASKS.check_changes(&input, &rows).unwrap_err();
        assert_eq!(broken, [Violation { field: "kind".to_owned(), broken: Broken::ReadOnly }]);
    }

    #[test]
    fn a_resource_that_is_not_strict_leaves_out_what_it_does_not_know() {
        let lenient = Resource { strict: false, ..TASKS };
        let Value::Object(input) = json!({ "title": "x", "colour": "red", "created": "now" }) else {
            panic!()
        };
        let taken = lenient.check_new(&input, &Rows::default()).unwrap();
        assert_eq!(Value::Object(taken), json!({ "title": "x" }));
    }
}
